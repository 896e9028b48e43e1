/* Thumbnails from pixels: everything here runs in the confined child. */
#ifndef MEDIA_PIXELS_H
#define MEDIA_PIXELS_H

#include "media/media.h"

/* Where one file's results go. */
typedef struct pixels_target {
    const int *fds; /* MEDIA_SIZE_COUNT descriptors, or NULL: facts only */
    const media_limits *limits;
    media_report *report;
} pixels_target;

/* Decoded rows without gaps, 8 bits each of red, green, blue and, with 4 bands, alpha. */
typedef struct pixels_view {
    const uint8_t *bytes;
    int32_t width, height, bands;
    const void *profile; /* ICC profile or NULL: sRGB */
    size_t profile_size;
} pixels_view;

/* Once per process, before the first fork. */
pgc_status pixels_init(pgc_error *err) PGC_MUST_CHECK;

/* Refuses sizes above the limit before anything of that size is allocated. */
pgc_status pixels_check_size(int64_t width, int64_t height, const media_limits *limits,
                             pgc_error *err) PGC_MUST_CHECK;

/* A JPEG, PNG, WebP, TIFF or GIF file in memory: width and height as shown into the facts, then the
 * thumbnails, turned by `orientation` (EXIF 1..8). */
pgc_status pixels_from_file(const uint8_t *bytes, size_t size, int32_t orientation,
                            const pixels_target *target, pgc_error *err) PGC_MUST_CHECK;

/* Thumbnails of decoded pixels; width and height of the facts are the caller's. */
pgc_status pixels_from_view(const pixels_view *view, int32_t orientation,
                            const pixels_target *target, pgc_error *err) PGC_MUST_CHECK;

#endif
