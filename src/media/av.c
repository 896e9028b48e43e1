/* Facts of videos and recordings by libavformat. Invariant: libav sees one descriptor through our
 * own reader and can open nothing else; the demuxer is the one that detection named, so no other
 * one gets to see the bytes. One thread. */
#define PRELUDE_NO_POISON
#include "base/prelude.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>

#include <lumilio/status.h>

#include "media/av.h"
#include "media/av_poster.h"
#include "media/av_tags.h"

#define READ_BUFFER 65536
#define STREAMS_MAX 64
#define ANALYZE_US  (5 * 1000000)
#define SIDES_MAX   65535
/* Durations above are guesses from damaged headers: unknown. */
#define DURATION_MAX_US (366LL * 86400 * 1000000)

/* The one file that libav sees. */
typedef struct av_source {
    int fd;
    int64_t size, pos;
} av_source;

typedef struct av_open {
    av_source source;
    AVIOContext *io;
    AVFormatContext *format;
} av_open;

/* libav's read callback: short counts are fine, zero is not (it would ask again for ever). */
static int source_read(void *ctx, uint8_t *bytes, int count)
{
    av_source *source = ctx;
    for (;;) {
        ssize_t got = pread(source->fd, bytes, (size_t) count, source->pos);
        if (got > 0) {
            source->pos += got;
            return (int) got;
        }
        if (got == 0) {
            return AVERROR_EOF;
        }
        if (errno != EINTR) {
            return AVERROR(errno);
        }
    }
}

/* libav's seek callback, with its own whence for "how long is it". Positions behind the end are
 * allowed, as for a file: reading there gives the end. */
static int64_t source_seek(void *ctx, int64_t offset, int whence)
{
    av_source *source = ctx;
    int64_t base = 0;
    switch (whence & ~AVSEEK_FORCE) {
    case AVSEEK_SIZE:
        return source->size;
    case SEEK_SET:
        break;
    case SEEK_CUR:
        base = source->pos;
        break;
    case SEEK_END:
        base = source->size;
        break;
    default:
        return AVERROR(EINVAL);
    }
    int64_t target = 0;
    if (__builtin_add_overflow(base, offset, &target) || target < 0) {
        return AVERROR(EINVAL);
    }
    source->pos = target;
    return target;
}

/* Playlists, external tracks and the like: refused before the walls would. */
static int refuse_open(AVFormatContext *format, AVIOContext **io, const char *url, int flags,
                       AVDictionary **options)
{
    (void) format;
    (void) io;
    (void) url;
    (void) flags;
    (void) options;
    return AVERROR(EACCES);
}

/* The buffer may have been replaced by libav, so it is the context that knows it. */
static void av_open_auto(av_open *open)
{
    avformat_close_input(&open->format);
    if (open->io != NULL) {
        av_freep(&open->io->buffer);
        avio_context_free(&open->io);
    }
}

void av_prepare(void)
{
    av_log_set_level(AV_LOG_QUIET);
    (void) av_find_input_format("mov");
    (void) avcodec_find_decoder(AV_CODEC_ID_H264);
}

/* libav's error code as a status of ours, with its text behind what we were doing. */
static pgc_status av_failed(int code, const char *what, pgc_error *err)
{
    char text[128];
    if (av_strerror(code, text, sizeof text) < 0) {
        (void) snprintf(text, sizeof text, "error %d", code);
    }
    pgc_status status = code == AVERROR(ENOMEM) ? LUM_MEDIA_LIMIT : LUM_MEDIA_CORRUPT;
    return pgc_error_set(err, status, "%s: %s", what, text);
}

/* Open the file with one demuxer and look at the start of its streams. libav frees the context
 * itself when opening fails. */
static pgc_status open_format(av_open *open, const char *demuxer, pgc_error *err)
{
    const AVInputFormat *input = av_find_input_format(demuxer);
    if (input == NULL) {
        return pgc_error_set(err, LUM_NOT_MEDIA, "this system's libavformat reads no %s files",
                             demuxer);
    }
    uint8_t *buffer = av_malloc(READ_BUFFER);
    open->io = buffer == NULL ? NULL
                              : avio_alloc_context(buffer, READ_BUFFER, 0, &open->source,
                                                   source_read, NULL, source_seek);
    open->format = avformat_alloc_context();
    if (open->io == NULL || open->format == NULL) {
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "not enough memory");
    }
    open->format->pb = open->io;
    open->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    open->format->io_open = refuse_open;
    open->format->max_streams = STREAMS_MAX;
    open->format->max_analyze_duration = ANALYZE_US;
    int code = avformat_open_input(&open->format, NULL, input, NULL);
    if (code < 0) {
        return av_failed(code, "cannot be read", err);
    }
    code = avformat_find_stream_info(open->format, NULL);
    return code < 0 ? av_failed(code, "cannot be read", err) : PGC_OK;
}

/* All tags of the container or of one track, whatever their language suffix. */
static void read_tags(const AVDictionary *tags, media_facts *facts)
{
    const AVDictionaryEntry *tag = NULL;
    while ((tag = av_dict_get(tags, "", tag, AV_DICT_IGNORE_SUFFIX)) != NULL) {
        av_tag_read(facts, tag->key, tag->value);
    }
}

/* How frames must be turned, as EXIF says it, from the track's matrix. */
static int32_t stream_orientation(const AVStream *stream)
{
    const int32_t *matrix = NULL;
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    const AVPacketSideData *data =
        av_packet_side_data_get(stream->codecpar->coded_side_data,
                                stream->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
    matrix = data != NULL && data->size >= 36 ? (const int32_t *) (const void *) data->data : NULL;
#else
    size_t size = 0;
    const uint8_t *data = av_stream_get_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, &size);
    matrix = data != NULL && size >= 36 ? (const int32_t *) (const void *) data : NULL;
#endif
    double degrees = matrix != NULL ? av_display_rotation_get(matrix) : 0;
    if (!isfinite(degrees)) {
        return 1;
    }
    long quarter = lround(degrees / 90); /* counter-clockwise */
    switch (((quarter % 4) + 4) % 4) {
    case 1:
        return 8;
    case 2:
        return 3;
    case 3:
        return 6;
    default:
        return 1;
    }
}

/* The stream to look at: moving pictures, not the cover of a song. */
static AVStream *find_stream(AVFormatContext *format, enum AVMediaType kind)
{
    for (unsigned i = 0; i < format->nb_streams; i++) {
        AVStream *stream = format->streams[i];
        if (stream->codecpar->codec_type == kind &&
            (stream->disposition & AV_DISPOSITION_ATTACHED_PIC) == 0) {
            return stream;
        }
    }
    return NULL;
}

/* Size as shown (pixel aspect and turning applied) and the poster frame. The size is checked before
 * a decoder gets to allocate for it. */
static pgc_status read_pictures(AVFormatContext *format, const AVStream *stream,
                                const pixels_target *target, pgc_error *err)
{
    media_facts *facts = &target->report->facts;
    const AVCodecParameters *codec = stream->codecpar;
    TRY(pixels_check_size(codec->width, codec->height, target->limits, err));
    if (codec->width > SIDES_MAX || codec->height > SIDES_MAX) {
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "frames of %d x %d pixels", codec->width,
                             codec->height);
    }
    AVRational aspect = stream->sample_aspect_ratio;
    double ratio = aspect.num > 0 && aspect.den > 0 ? av_q2d(aspect) : 1;
    int32_t shown =
        ratio > 0.1 && ratio < 10 ? (int32_t) lround(codec->width * ratio) : codec->width;
    int32_t orientation = stream_orientation(stream);
    facts->width = orientation >= 5 ? codec->height : shown;
    facts->height = orientation >= 5 ? shown : codec->height;
    return target->fds != NULL ? av_poster(format, stream, orientation, target, err) : PGC_OK;
}

pgc_status av_read(int fd, int64_t size, const media_type **type, const pixels_target *target,
                   pgc_error *err)
{
    assert((*type)->demuxer != NULL);
    AUTO(av_open_auto) av_open open = { .source = { .fd = fd, .size = size } };
    TRY(open_format(&open, (*type)->demuxer, err));
    AVStream *pictures = find_stream(open.format, AVMEDIA_TYPE_VIDEO);
    AVStream *sound = find_stream(open.format, AVMEDIA_TYPE_AUDIO);
    bool audible = sound != NULL && sound->codecpar->sample_rate > 0;
    if (pictures == NULL && !audible) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "holds no pictures and no sound");
    }
    media_facts *facts = &target->report->facts;
    if ((*type)->kind != MEDIA_PHOTO) {
        *type = media_type_as(*type, pictures != NULL ? MEDIA_VIDEO : MEDIA_AUDIO);
        if (open.format->duration > 0 && open.format->duration <= DURATION_MAX_US) {
            facts->duration_us = open.format->duration;
        }
    }
    /* The container's own tags first, then the tracks'. */
    read_tags(open.format->metadata, facts);
    for (unsigned i = 0; i < open.format->nb_streams; i++) {
        read_tags(open.format->streams[i]->metadata, facts);
    }
    return pictures != NULL ? read_pictures(open.format, pictures, target, err) : PGC_OK;
}
