/* The camera's own JPEG inside of a raw file. */
#ifndef MEDIA_PREVIEW_H
#define MEDIA_PREVIEW_H

#include "base/slice.h"

typedef struct preview {
    size_t offset;         /* of its first byte; it ends where its decoder says, or with the file */
    int32_t width, height; /* as stored */
} preview;

/* The largest baseline or progressive JPEG in the file; false when there is none. */
bool preview_find(const uint8_t *bytes, size_t size, preview *out);

/* Size of the photo, upright, out of the head of a Sigma X3F file, which exiv2 does not know. False
 * for other files, *width_out and *height_out are then untouched. */
bool preview_x3f_size(const uint8_t *bytes, size_t size, int32_t *width_out, int32_t *height_out);

#endif
