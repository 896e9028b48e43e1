/* The walk over a PNG file's chunks before anything decodes it: not every reader of libvips looks
 * at the checksums, and a picture with a wrong bit must not pass for whole. Invariant: reads inside
 * [bytes, bytes + size) only, each byte once, and keeps nothing. Pure, any thread.
 * Format: W3C "Portable Network Graphics Specification", chapter 5. */
#include "base/prelude.h"

#include <zlib.h>

#include <lumilio/status.h>

#include "media/png_check.h"

#define SIGNATURE  "\x89PNG\r\n\x1a\n"
#define LENGTH_MAX 0x7fffffffU /* of a chunk's data, by the format */

enum { SIGNATURE_SIZE = 8, LENGTH_SIZE = 4, TYPE_SIZE = 4, CRC_SIZE = 4, HEADER_DATA_SIZE = 13 };

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16 | (uint32_t) p[2] << 8 | p[3];
}

/* Letters of ASCII, which the C library's own test leaves to the locale. */
static bool is_type(const uint8_t *type)
{
    for (size_t i = 0; i < TYPE_SIZE; i++) {
        uint8_t lower = type[i] | 0x20;
        if (lower < 'a' || lower > 'z') {
            return false;
        }
    }
    return true;
}

/* The chunk at `at`: *end_out is behind its checksum, *last_out whether it is IEND. */
static pgc_status check_chunk(const uint8_t *bytes, size_t size, size_t at, size_t *end_out,
                              bool *last_out, pgc_error *err)
{
    assert(at >= SIGNATURE_SIZE && at <= size);
    size_t left = size - at;
    if (left < LENGTH_SIZE + TYPE_SIZE) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "file ends early, at byte %zu, before IEND",
                             size);
    }
    uint32_t length = be32(bytes + at);
    const uint8_t *type = bytes + at + LENGTH_SIZE;
    bool first = at == SIGNATURE_SIZE;
    if (!is_type(type) || length > LENGTH_MAX) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "structure is damaged: no chunk at byte %zu",
                             at);
    }
    if (first && (memcmp(type, "IHDR", TYPE_SIZE) != 0 || length != HEADER_DATA_SIZE)) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "structure is damaged: no IHDR at its start");
    }
    if (left - LENGTH_SIZE - TYPE_SIZE < (size_t) length + CRC_SIZE) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT,
                             "file ends early: chunk %.4s at byte %zu has %" PRIu32
                             " bytes of data, and the file ends at %zu",
                             (const char *) type, at, length, size);
    }
    const uint8_t *crc = type + TYPE_SIZE + length;
    if (crc32_z(0, type, TYPE_SIZE + (size_t) length) != be32(crc)) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT,
                             "chunk %.4s at byte %zu is damaged: its checksum does not fit",
                             (const char *) type, at);
    }
    *last_out = memcmp(type, "IEND", TYPE_SIZE) == 0;
    *end_out = (size_t) (crc - bytes) + CRC_SIZE;
    return PGC_OK;
}

pgc_status png_check(const uint8_t *bytes, size_t size, pgc_error *err)
{
    if (size < SIGNATURE_SIZE || memcmp(bytes, SIGNATURE, SIGNATURE_SIZE) != 0) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "structure is damaged: no mark of a PNG file");
    }
    size_t at = SIGNATURE_SIZE;
    bool last = false;
    while (!last) {
        size_t end = at;
        TRY(check_chunk(bytes, size, at, &end, &last, err));
        assert(end > at && end <= size);
        at = end;
    }
    return PGC_OK;
}
