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

#endif
