/* The poster frame of a video: decoding and turning into pixels. */
#ifndef MEDIA_AV_POSTER_H
#define MEDIA_AV_POSTER_H

#include <libavformat/avformat.h>

#include "media/pixels.h"

/* Thumbnails of the frame at 1 s, or at 10 % of a video below 10 s. A codec that this system cannot
 * decode gives none and is no error. orientation: how the frames must be turned (EXIF 1..8). */
pgc_status av_poster(AVFormatContext *format, const AVStream *stream, int32_t orientation,
                     const pixels_target *target, pgc_error *err) PGC_MUST_CHECK;

#endif
