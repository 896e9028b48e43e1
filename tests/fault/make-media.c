/* Makes small media files for the tests: make-media DIR. Pictures by libvips, videos and recordings
 * by the libav libraries; what this system cannot encode is left out. Prints one line per file. */
#define PRELUDE_NO_POISON
#define PRELUDE_ALLOW_EXIT
#include "base/prelude.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <vips/vips.h>

#define FRAMES        75
#define RATE          25
#define VIDEO_WIDTH   320
#define VIDEO_HEIGHT  240
#define SOUND_RATE    44100
#define SOUND_SECONDS 3

/* --- pictures --- */

/* A colourful picture with structure at every size. */
static VipsImage *picture(int width, int height)
{
    VipsImage *noise = NULL;
    VipsImage *grey = NULL;
    VipsImage *bytes = NULL;
    VipsImage *bands[3] = { NULL };
    VipsImage *all = NULL;
    VipsImage *rgb = NULL;
    if (vips_perlin(&noise, width, height, "seed", 1, NULL) != 0 ||
        vips_linear1(noise, &grey, 100, 128, NULL) != 0 ||
        vips_cast_uchar(grey, &bytes, NULL) != 0 || vips_invert(bytes, &bands[1], NULL) != 0 ||
        vips_flip(bytes, &bands[2], VIPS_DIRECTION_HORIZONTAL, NULL) != 0) {
        return NULL;
    }
    bands[0] = bytes;
    if (vips_bandjoin(bands, &all, 3, NULL) != 0 ||
        vips_copy(all, &rgb, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) != 0) {
        return NULL;
    }
    return vips_image_copy_memory(rgb);
}

static const struct {
    const char *file; /* libvips picks the format and takes the options in brackets */
    int width, height, orientation;
} PICTURES[] = {
    { "photo.jpg[Q=85]", 3000, 2000, 6 },
    { "progressive.jpg[interlace]", 2200, 1500, 1 },
    { "small.jpg", 320, 200, 1 },
    { "plain.png", 640, 400, 1 },
    { "interlaced.png[interlace]", 640, 400, 1 },
    { "palette.png[palette]", 640, 400, 1 },
    { "strips.tif", 640, 400, 3 },
    { "tiles.tif[tile,compression=lzw]", 640, 400, 1 },
    { "jpeg.tif[compression=jpeg]", 640, 400, 1 },
    { "deflate.tif[compression=deflate,pyramid,tile]", 640, 400, 1 },
    { "lossy.webp", 640, 400, 1 },
    { "lossless.webp[lossless]", 640, 400, 1 },
    { "picture.gif", 320, 200, 1 },
    { "picture.heic[compression=hevc]", 640, 400, 1 },
    { "picture.avif[effort=1]", 320, 200, 1 },
    { "huge.png[compression=9]", 16000, 12000, 1 },
};

static void say(const char *file, bool made)
{
    char name[64];
    (void) snprintf(name, sizeof name, "%s", file);
    name[strcspn(name, "[")] = '\0';
    (void) printf("%s %s\n", made ? "made" : "cannot make", name);
}

static void make_pictures(const char *dir)
{
    for (size_t i = 0; i < sizeof PICTURES / sizeof PICTURES[0]; i++) {
        char path[512];
        (void) snprintf(path, sizeof path, "%s/%s", dir, PICTURES[i].file);
        VipsImage *image = NULL;
        if (PICTURES[i].width > 10000) {
            (void) vips_black(&image, PICTURES[i].width, PICTURES[i].height, NULL);
        } else {
            image = picture(PICTURES[i].width, PICTURES[i].height);
        }
        if (image != NULL && PICTURES[i].orientation != 1) {
            vips_image_set_int(image, VIPS_META_ORIENTATION, PICTURES[i].orientation);
        }
        say(PICTURES[i].file, image != NULL && vips_image_write_to_file(image, path, NULL) == 0);
        vips_error_clear();
        if (image != NULL) {
            g_object_unref(image);
        }
    }
}

/* --- videos and recordings --- */

static const struct {
    const char *file, *format;
    enum AVCodecID codec;
    bool turned; /* a quarter clockwise */
} STREAMS[] = {
    { "video.mp4", "mp4", AV_CODEC_ID_MPEG4, false },
    { "turned.mov", "mov", AV_CODEC_ID_MPEG4, true },
    { "video.mkv", "matroska", AV_CODEC_ID_MPEG4, false },
    { "video.avi", "avi", AV_CODEC_ID_MPEG4, false },
    { "video.flv", "flv", AV_CODEC_ID_FLV1, false },
    { "video.wmv", "asf", AV_CODEC_ID_WMV2, false },
    { "video.mpg", "mpeg", AV_CODEC_ID_MPEG1VIDEO, false },
    { "video.mts", "mpegts", AV_CODEC_ID_MPEG2VIDEO, false },
    { "video.3gp", "3gp", AV_CODEC_ID_MPEG4, false },
    { "video.webm", "webm", AV_CODEC_ID_VP8, false },
    { "picture.bmp", "image2", AV_CODEC_ID_BMP, false },
    { "sound.wav", "wav", AV_CODEC_ID_PCM_S16LE, false },
    { "sound.aiff", "aiff", AV_CODEC_ID_PCM_S16BE, false },
    { "sound.flac", "flac", AV_CODEC_ID_FLAC, false },
    { "sound.mp3", "mp3", AV_CODEC_ID_MP3, false },
    { "sound.ogg", "ogg", AV_CODEC_ID_VORBIS, false },
    { "sound.opus", "opus", AV_CODEC_ID_OPUS, false },
    { "sound.aac", "adts", AV_CODEC_ID_AAC, false },
    { "sound.m4a", "ipod", AV_CODEC_ID_AAC, false },
    { "sound.wma", "asf", AV_CODEC_ID_WMAV2, false },
};

typedef struct maker {
    AVFormatContext *format;
    AVCodecContext *codec;
    AVStream *stream;
    AVFrame *frame;
    AVPacket *packet;
} maker;

static void maker_auto(maker *m)
{
    if (m->format != NULL && m->format->pb != NULL) {
        (void) avio_closep(&m->format->pb);
    }
    avformat_free_context(m->format);
    avcodec_free_context(&m->codec);
    av_frame_free(&m->frame);
    av_packet_free(&m->packet);
}

static void set_matrix(AVStream *stream)
{
    int32_t matrix[9];
    av_display_rotation_set(matrix, -90);
#if LIBAVFORMAT_VERSION_INT >= AV_VERSION_INT(60, 15, 100)
    AVPacketSideData *data = av_packet_side_data_new(&stream->codecpar->coded_side_data,
                                                     &stream->codecpar->nb_coded_side_data,
                                                     AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix, 0);
    uint8_t *bytes = data != NULL ? data->data : NULL;
#else
    uint8_t *bytes = av_stream_new_side_data(stream, AV_PKT_DATA_DISPLAYMATRIX, sizeof matrix);
#endif
    if (bytes != NULL) {
        memcpy(bytes, matrix, sizeof matrix);
    }
}

/* What the encoder likes best; 7.1 of the library asks for it in another way than before. */
static enum AVSampleFormat first_sample_format(const AVCodec *encoder)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    const void *formats = NULL;
    int count = 0;
    if (avcodec_get_supported_config(NULL, encoder, AV_CODEC_CONFIG_SAMPLE_FORMAT, 0, &formats,
                                     &count) < 0 ||
        count < 1) {
        return AV_SAMPLE_FMT_NONE;
    }
    return *(const enum AVSampleFormat *) formats;
#else
    return encoder->sample_fmts[0];
#endif
}

static bool open_codec(maker *m, const AVCodec *encoder)
{
    AVCodecContext *codec = m->codec;
    codec->thread_count = 1;
    codec->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    if (encoder->type == AVMEDIA_TYPE_VIDEO) {
        codec->width = VIDEO_WIDTH;
        codec->height = VIDEO_HEIGHT;
        codec->time_base = (AVRational) { 1, RATE };
        codec->framerate = (AVRational) { RATE, 1 };
        codec->pix_fmt = encoder->id == AV_CODEC_ID_BMP ? AV_PIX_FMT_BGR24 : AV_PIX_FMT_YUV420P;
        codec->bit_rate = 400000;
    } else {
        codec->sample_rate = encoder->id == AV_CODEC_ID_OPUS ? 48000 : SOUND_RATE;
        codec->sample_fmt = first_sample_format(encoder);
        codec->bit_rate = 96000;
    }
    if ((m->format->oformat->flags & AVFMT_GLOBALHEADER) != 0) {
        codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    }
    /* Encoders take one or two of these; which ones differs between builds. */
    static const enum AVSampleFormat FORMATS[] = { AV_SAMPLE_FMT_S16, AV_SAMPLE_FMT_FLTP,
                                                   AV_SAMPLE_FMT_S16P, AV_SAMPLE_FMT_FLT };
    bool opened = encoder->type == AVMEDIA_TYPE_VIDEO && avcodec_open2(codec, encoder, NULL) >= 0;
    for (size_t i = 0; encoder->type == AVMEDIA_TYPE_AUDIO && !opened && i < 4; i++) {
        codec->sample_fmt = FORMATS[i];
        av_channel_layout_default(&codec->ch_layout, 2); /* a failed opening clears it */
        opened = avcodec_open2(codec, encoder, NULL) >= 0;
    }
    return opened && avcodec_parameters_from_context(m->stream->codecpar, codec) >= 0;
}

/* Frame number `n`: colours that move, or a tone. */
static bool fill_frame(maker *m, int n)
{
    if (av_frame_make_writable(m->frame) < 0) {
        return false;
    }
    for (int plane = 0; plane < AV_NUM_DATA_POINTERS && m->frame->data[plane] != NULL; plane++) {
        size_t size = (size_t) m->frame->linesize[plane > 0 && m->codec->width == 0 ? 0 : plane];
        int rows = m->codec->width == 0 ? 1 : plane == 0 ? VIDEO_HEIGHT : VIDEO_HEIGHT / 2;
        for (int y = 0; y < rows; y++) {
            for (size_t x = 0; x < size; x++) {
                /* Sound stays near silence, whatever its sample format. */
                m->frame->data[plane][(size_t) y * size + x] =
                    m->codec->width == 0 ? 0 : (uint8_t) ((int) x + y + n * 3);
            }
        }
    }
    return true;
}

static bool write_packets(maker *m, const AVFrame *frame)
{
    if (avcodec_send_frame(m->codec, frame) < 0) {
        return false;
    }
    while (avcodec_receive_packet(m->codec, m->packet) >= 0) {
        av_packet_rescale_ts(m->packet, m->codec->time_base, m->stream->time_base);
        m->packet->stream_index = 0;
        if (av_interleaved_write_frame(m->format, m->packet) < 0) {
            return false;
        }
    }
    return true;
}

static bool write_frames(maker *m, const AVCodec *encoder)
{
    bool video = encoder->type == AVMEDIA_TYPE_VIDEO;
    int samples = m->codec->frame_size > 0 ? m->codec->frame_size : 1024;
    int count = video ? FRAMES : m->codec->sample_rate * SOUND_SECONDS / samples;
    count = encoder->id == AV_CODEC_ID_BMP ? 1 : count;
    m->frame->format = video ? (int) m->codec->pix_fmt : (int) m->codec->sample_fmt;
    m->frame->width = m->codec->width;
    m->frame->height = m->codec->height;
    m->frame->sample_rate = m->codec->sample_rate;
    if (!video) {
        m->frame->nb_samples = samples;
        (void) av_channel_layout_copy(&m->frame->ch_layout, &m->codec->ch_layout);
    }
    if (av_frame_get_buffer(m->frame, 0) < 0) {
        return false;
    }
    for (int n = 0; n < count; n++) {
        m->frame->pts = video ? n : (int64_t) n * samples;
        if (!fill_frame(m, n) || !write_packets(m, m->frame)) {
            return false;
        }
    }
    return write_packets(m, NULL);
}

static bool make_stream(const char *dir, size_t index)
{
    char path[512];
    (void) snprintf(path, sizeof path, "%s/%s", dir, STREAMS[index].file);
    __attribute__((cleanup(maker_auto))) maker m = { NULL, NULL, NULL, NULL, NULL };
    const AVCodec *encoder = avcodec_find_encoder(STREAMS[index].codec);
    if (encoder == NULL ||
        avformat_alloc_output_context2(&m.format, NULL, STREAMS[index].format, path) < 0) {
        return false;
    }
    m.codec = avcodec_alloc_context3(encoder);
    m.frame = av_frame_alloc();
    m.packet = av_packet_alloc();
    m.stream = avformat_new_stream(m.format, NULL);
    if (m.codec == NULL || m.frame == NULL || m.packet == NULL || m.stream == NULL ||
        !open_codec(&m, encoder)) {
        return false;
    }
    m.stream->time_base = m.codec->time_base;
    if (STREAMS[index].turned) {
        set_matrix(m.stream);
    }
    (void) av_dict_set(&m.format->metadata, "creation_time", "2021-06-05T04:03:02.000000Z", 0);
    (void) av_dict_set(&m.format->metadata, "location", "+48.8577+002.2950/", 0);
    if ((m.format->oformat->flags & AVFMT_NOFILE) == 0 &&
        avio_open(&m.format->pb, path, AVIO_FLAG_WRITE) < 0) {
        return false;
    }
    AVDictionary *options = NULL;
    (void) av_dict_set(&options, "update", "1", 0);
    bool ok = avformat_write_header(m.format, &options) >= 0;
    av_dict_free(&options);
    return ok && write_frames(&m, encoder) && av_write_trailer(m.format) >= 0;
}

int main(int argc, char **argv)
{
    if (argc != 2 || vips_init(argv[0]) != 0) {
        (void) fprintf(stderr, "usage: make-media DIR\n");
        return 2;
    }
    av_log_set_level(AV_LOG_QUIET);
    make_pictures(argv[1]);
    for (size_t i = 0; i < sizeof STREAMS / sizeof STREAMS[0]; i++) {
        bool made = make_stream(argv[1], i);
        if (!made) {
            char path[512];
            (void) snprintf(path, sizeof path, "%s/%s", argv[1], STREAMS[i].file);
            (void) unlink(path);
        }
        say(STREAMS[i].file, made);
    }
    (void) fflush(stdout);
    _exit(0); /* what the libraries keep is no leak of ours */
}
