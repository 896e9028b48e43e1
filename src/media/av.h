/* Videos, recordings and BMP pictures by the libav libraries. */
#ifndef MEDIA_AV_H
#define MEDIA_AV_H

#include "media/detect.h"
#include "media/pixels.h"

/* Once per process, before the first fork. */
void av_prepare(void);
/* Facts of a file read through a descriptor, and thumbnails of its poster frame. *type becomes what
 * the streams say: a container without pictures is a recording. */
pgc_status av_read(int fd, int64_t size, const media_type **type, const pixels_target *target,
                   pgc_error *err) PGC_MUST_CHECK;

#endif
