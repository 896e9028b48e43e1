/* WebP files out of pixels, by libwebp directly: libvips would start threads for it. */
#ifndef MEDIA_WEBP_H
#define MEDIA_WEBP_H

#include "media/pixels.h"

/* Quality 80, no metadata. Writes the file from offset 0 of fd; *size_out is its size in bytes. */
pgc_status webp_write(const pixels_view *view, int fd, int64_t *size_out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
