/* Finds JPEG previews by their markers, whatever structure the maker put around them: every raw
 * format keeps them whole. Invariant: reads inside [bytes, bytes + size) only and looks at each
 * byte a bounded number of times. Pure, any thread. */
#include "base/prelude.h"

#include "media/preview.h"

#define MARKER_SOI     0xd8
#define MARKER_EOI     0xd9
#define MARKER_SOF0    0xc0 /* baseline */
#define MARKER_SOF1    0xc1 /* extended */
#define MARKER_SOF2    0xc2 /* progressive */
#define MARKER_SOF3    0xc3 /* lossless: the sensor's data, not a preview */
#define SEGMENTS_MAX   64
#define CANDIDATES_MAX 4096

static uint32_t be16(const uint8_t *p)
{
    return (uint32_t) p[0] << 8 | p[1];
}

/* The frame header of the JPEG that begins at `at`; false when what is there is none of ours. */
static bool read_frame(const uint8_t *bytes, size_t size, size_t at, preview *out)
{
    assert(at + 2 <= size);
    size_t pos = at + 2;
    for (int i = 0; i < SEGMENTS_MAX; i++) {
        if (pos + 9 > size || bytes[pos] != 0xff) {
            return false;
        }
        uint8_t marker = bytes[pos + 1];
        if (marker == MARKER_SOF0 || marker == MARKER_SOF1 || marker == MARKER_SOF2) {
            out->offset = at;
            out->height = (int32_t) be16(bytes + pos + 5);
            out->width = (int32_t) be16(bytes + pos + 7);
            return out->width > 0 && out->height > 0;
        }
        if (marker == MARKER_SOF3 || marker == MARKER_SOI || marker == MARKER_EOI ||
            marker < MARKER_SOF0) {
            return false;
        }
        pos += 2 + be16(bytes + pos + 2);
    }
    return false;
}

bool preview_find(const uint8_t *bytes, size_t size, preview *out)
{
    bool found = false;
    int64_t best = 0;
    int candidates = 0;
    size_t pos = 0;
    while (candidates < CANDIDATES_MAX && pos + 3 < size) {
        const uint8_t *hit = memmem(bytes + pos, size - pos, "\xff\xd8\xff", 3);
        if (hit == NULL) {
            break;
        }
        size_t at = (size_t) (hit - bytes);
        preview frame;
        candidates++;
        if (read_frame(bytes, size, at, &frame)) {
            int64_t area = (int64_t) frame.width * frame.height;
            if (area > best) {
                best = area;
                *out = frame;
                found = true;
            }
        }
        pos = at + 3;
    }
    return found;
}

static uint32_t little_u32(const uint8_t *bytes)
{
    return (uint32_t) bytes[0] | (uint32_t) bytes[1] << 8 | (uint32_t) bytes[2] << 16 |
           (uint32_t) bytes[3] << 24;
}

bool preview_x3f_size(const uint8_t *bytes, size_t size, int32_t *width_out, int32_t *height_out)
{
    enum { COLUMNS = 28, ROWS = 32, ROTATION = 36, HEAD = 40, SIDE_MAX = 65535 };
    if (size < HEAD || memcmp(bytes, "FOVb", 4) != 0) {
        return false;
    }
    uint32_t columns = little_u32(bytes + COLUMNS);
    uint32_t rows = little_u32(bytes + ROWS);
    if (columns == 0 || columns > SIDE_MAX || rows == 0 || rows > SIDE_MAX) {
        return false;
    }
    bool on_side = little_u32(bytes + ROTATION) % 180 == 90;
    *width_out = (int32_t) (on_side ? rows : columns);
    *height_out = (int32_t) (on_side ? columns : rows);
    return true;
}
