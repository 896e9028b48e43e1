/* One frame out of a video. Invariant: a bounded number of packets is read and of frames decoded,
 * on one thread. */
#define PRELUDE_NO_POISON
#include "base/prelude.h"

#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>
#include <libswscale/swscale.h>

#include <lumilio/status.h>

#include "base/alloc.h"
#include "media/av_poster.h"

#define PACKETS_MAX 4000
#define FRAMES_MAX  90 /* behind the key frame before the wanted moment */

/* What decoding has open. */
typedef struct poster {
    AVCodecContext *codec;
    AVPacket *packet;
    AVFrame *frame;  /* being filled */
    AVFrame *chosen; /* best so far; width 0: none */
    struct SwsContext *scaler;
    uint8_t *rows;
    size_t rows_size;
} poster;

static void poster_auto(poster *p)
{
    mem_free(NULL, p->rows, p->rows_size);
    sws_freeContext(p->scaler);
    av_frame_free(&p->chosen);
    av_frame_free(&p->frame);
    av_packet_free(&p->packet);
    avcodec_free_context(&p->codec);
}

static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, LUM_MEDIA_LIMIT, "not enough memory");
}

/* *ready false: no decoder for this codec. */
static pgc_status open_decoder(poster *p, const AVStream *stream, const media_limits *limits,
                               bool *ready, pgc_error *err)
{
    const AVCodec *decoder = avcodec_find_decoder(stream->codecpar->codec_id);
    *ready = false;
    if (decoder == NULL) {
        return PGC_OK;
    }
    p->codec = avcodec_alloc_context3(decoder);
    p->packet = av_packet_alloc();
    p->frame = av_frame_alloc();
    p->chosen = av_frame_alloc();
    if (p->codec == NULL || p->packet == NULL || p->frame == NULL || p->chosen == NULL) {
        return no_memory(err);
    }
    p->codec->thread_count = 1;
    p->codec->max_pixels = limits->pixels_max;
    p->codec->pkt_timebase = stream->time_base;
    if (avcodec_parameters_to_context(p->codec, stream->codecpar) < 0) {
        return no_memory(err);
    }
    *ready = avcodec_open2(p->codec, decoder, NULL) >= 0;
    return PGC_OK;
}

/* Take what the decoder has; true when the wanted moment is reached. */
static bool drain(poster *p, int64_t wanted, int *frames)
{
    while (*frames < FRAMES_MAX && avcodec_receive_frame(p->codec, p->frame) == 0) {
        (*frames)++;
        av_frame_unref(p->chosen);
        av_frame_move_ref(p->chosen, p->frame);
        int64_t time = p->chosen->best_effort_timestamp;
        if (time == AV_NOPTS_VALUE || time >= wanted) {
            return true;
        }
    }
    return *frames >= FRAMES_MAX;
}

/* Decode up to the wanted moment (in the stream's time base), or to the end of a shorter stream. */
static void decode(poster *p, AVFormatContext *format, const AVStream *stream, int64_t wanted)
{
    int frames = 0;
    bool done = false;
    for (int i = 0; !done && i < PACKETS_MAX && av_read_frame(format, p->packet) >= 0; i++) {
        if (p->packet->stream_index == stream->index) {
            /* Damaged packets are passed over: the next key frame may be whole. */
            (void) avcodec_send_packet(p->codec, p->packet);
            done = drain(p, wanted, &frames);
        }
        av_packet_unref(p->packet);
    }
    if (!done) {
        (void) avcodec_send_packet(p->codec, NULL);
        (void) drain(p, wanted, &frames);
    }
}

/* Size of the frame with square pixels, inside the large thumbnail's square. */
static void poster_size(const AVFrame *frame, AVRational aspect, int32_t *width, int32_t *height)
{
    double shown = frame->width;
    double ratio = aspect.den > 0 ? av_q2d(aspect) : 0;
    if (ratio > 0.1 && ratio < 10) {
        shown *= ratio;
    }
    double side = media_size_pixels(MEDIA_LARGE);
    double longer = shown > frame->height ? shown : frame->height;
    double factor = longer > side ? side / longer : 1;
    *width = (int32_t) lround(shown * factor);
    *height = (int32_t) lround(frame->height * factor);
    *width = *width > 0 ? *width : 1;
    *height = *height > 0 ? *height : 1;
}

/* Tell the scaler what the numbers of the frame mean; without it high definition comes out
 * greenish. */
static void set_colours(struct SwsContext *scaler, const AVFrame *frame)
{
    int *inverse = NULL;
    int *table = NULL;
    int in_range = 0;
    int out_range = 0;
    int brightness = 0;
    int contrast = 0;
    int saturation = 0;
    if (sws_getColorspaceDetails(scaler, &inverse, &in_range, &table, &out_range, &brightness,
                                 &contrast, &saturation) < 0) {
        return;
    }
    /* Untagged video of high definition is BT.709 by convention. */
    bool hd = frame->colorspace == AVCOL_SPC_BT709 ||
              (frame->colorspace == AVCOL_SPC_UNSPECIFIED && frame->height >= 720);
    bool wide = frame->colorspace == AVCOL_SPC_BT2020_NCL;
    int matrix = wide ? SWS_CS_BT2020 : hd ? SWS_CS_ITU709 : SWS_CS_ITU601;
    in_range = frame->color_range == AVCOL_RANGE_JPEG ? 1 : in_range;
    (void) sws_setColorspaceDetails(scaler, sws_getCoefficients(matrix), in_range, table, out_range,
                                    brightness, contrast, saturation);
}

/* The chosen frame as packed RGB rows of the size that is shown. */
static pgc_status to_rows(poster *p, AVRational aspect, pixels_view *view, pgc_error *err)
{
    poster_size(p->chosen, aspect, &view->width, &view->height);
    view->bands = 3;
    p->scaler =
        sws_getContext(p->chosen->width, p->chosen->height, (enum AVPixelFormat) p->chosen->format,
                       view->width, view->height, AV_PIX_FMT_RGB24, SWS_BICUBIC, NULL, NULL, NULL);
    size_t line = (size_t) view->width * 3;
    /* The scaler writes whole vectors: room for one behind the last row. */
    p->rows_size = line * (size_t) view->height + 64;
    p->rows = mem_new(NULL, p->rows_size);
    if (p->scaler == NULL || p->rows == NULL) {
        p->rows_size = p->rows == NULL ? 0 : p->rows_size;
        return no_memory(err);
    }
    set_colours(p->scaler, p->chosen);
    uint8_t *planes[4] = { p->rows };
    int strides[4] = { (int) line };
    if (sws_scale(p->scaler, (const uint8_t *const *) p->chosen->data, p->chosen->linesize, 0,
                  p->chosen->height, planes, strides) <= 0) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "frame cannot be converted");
    }
    view->bytes = p->rows;
    return PGC_OK;
}

pgc_status av_poster(AVFormatContext *format, const AVStream *stream, int32_t orientation,
                     const pixels_target *target, pgc_error *err)
{
    assert(stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO);
    AUTO(poster_auto) poster p = { .codec = NULL };
    bool ready = false;
    TRY(open_decoder(&p, stream, target->limits, &ready, err));
    if (!ready) {
        return PGC_OK;
    }
    int64_t duration_us = target->report->facts.duration_us;
    int64_t wanted_us = duration_us >= 10 * 1000000 ? 1000000
                        : duration_us > 0           ? duration_us / 10
                                                    : 0;
    int64_t wanted = av_rescale_q(wanted_us, AV_TIME_BASE_Q, stream->time_base);
    wanted += stream->start_time != AV_NOPTS_VALUE ? stream->start_time : 0;
    decode(&p, format, stream, wanted);
    if (p.chosen->width <= 0 || p.chosen->height <= 0) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "no picture can be decoded");
    }
    pixels_view view = { .bytes = NULL };
    TRY(to_rows(&p, stream->sample_aspect_ratio, &view, err));
    return pixels_from_view(&view, orientation, target, err);
}
