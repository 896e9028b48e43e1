/* HEIC, HEIF and AVIF photos by libheif. */
#ifndef MEDIA_HEIF_H
#define MEDIA_HEIF_H

#include "media/pixels.h"

/* Once per process, before the first fork: loads the decoders. */
pgc_status heif_prepare(pgc_error *err) PGC_MUST_CHECK;
/* Metadata and size as shown into the facts (the file turns itself, EXIF's orientation does not
 * count), then the thumbnails. */
pgc_status heif_read(const uint8_t *bytes, size_t size, const pixels_target *target, pgc_error *err)
    PGC_MUST_CHECK;

#endif
