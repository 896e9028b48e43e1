/* Cursors: the keys of the last row in binary, a check over them and over what list they belong to,
 * all as base64url. The check is no secret: a cursor only says where to go on in rows that its
 * reader may see anyway. What it keeps out is accidents and mixed-up lists. No state. */
#include "base/prelude.h"

#include "service/cursor.h"

#include "base/buf.h"

#define CHECK_SIZE 8
#define FIXED_SIZE (1 + 8 + 8 + sizeof(pgc_uuid) + CHECK_SIZE) /* all but the name */
#define BINARY_MAX ((size_t) (LUM_CURSOR_SIZE - 1) / 4 * 3)
#define VERSION    1

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Three bytes become four digits; at the end two or three, without padding. */
static void base64_write(slice bytes, char *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = (bits << 8) | (uint8_t) bytes.ptr[i];
        have += 8;
        while (have >= 6) {
            have -= 6;
            *out++ = DIGITS[(bits >> have) & 63];
        }
    }
    if (have > 0) {
        *out++ = DIGITS[(bits << (6 - have)) & 63];
    }
    *out = '\0';
}

/* Bytes written; SIZE_MAX for other characters and for bits that no byte uses: one cursor has one
 * spelling. */
static size_t base64_read(slice text, uint8_t *out)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = text.ptr[i] == '\0' ? NULL : strchr(DIGITS, text.ptr[i]);
        if (digit == NULL) {
            return SIZE_MAX;
        }
        bits = (bits << 6) | (uint32_t) (digit - DIGITS);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[count++] = (uint8_t) (bits >> have);
        }
    }
    return have >= 6 || (bits & ((1u << have) - 1)) != 0 ? SIZE_MAX : count;
}

/* First bytes of the digest of list and content. */
static bool check_of(slice content, const uint8_t list[static SHA256_SIZE],
                     uint8_t out[static CHECK_SIZE])
{
    uint8_t digest[SHA256_SIZE];
    AUTO(sha256_auto) sha256 *state = sha256_new();
    if (state == NULL || !sha256_add(state, list, SHA256_SIZE) ||
        !sha256_add(state, content.ptr, content.len) || !sha256_peek(state, digest)) {
        return false;
    }
    memcpy(out, digest, CHECK_SIZE);
    return true;
}

pgc_status cursor_write(const cursor_key *key, const uint8_t list[static SHA256_SIZE],
                        char out[static LUM_CURSOR_SIZE], pgc_error *err)
{
    uint8_t check[CHECK_SIZE];
    AUTO(buf_auto) buf bytes;
    buf_init(&bytes, NULL, BINARY_MAX);
    buf_add_char(&bytes, VERSION);
    buf_add_u64(&bytes, (uint64_t) key->first);
    buf_add_u64(&bytes, (uint64_t) key->second);
    buf_add(&bytes, (slice) { (const char *) key->asset_id.bytes, sizeof key->asset_id.bytes });
    buf_add(&bytes, key->name);
    TRY(buf_finish(&bytes, err));
    if (!check_of(buf_view(&bytes), list, check)) {
        return pgc_error_set(err, PGC_NOMEM, "make a cursor");
    }
    buf_add(&bytes, (slice) { (const char *) check, sizeof check });
    TRY(buf_finish(&bytes, err));
    base64_write(buf_view(&bytes), out);
    return PGC_OK;
}

static int64_t big_endian(const uint8_t *bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++) {
        value = (value << 8) | bytes[i];
    }
    return (int64_t) value;
}

pgc_status cursor_read(slice text, const uint8_t list[static SHA256_SIZE],
                       char room[static LUM_CURSOR_SIZE], cursor_key *out, pgc_error *err)
{
    uint8_t check[CHECK_SIZE];
    uint8_t *bytes = (uint8_t *) room;
    size_t count = text.len < LUM_CURSOR_SIZE ? base64_read(text, bytes) : SIZE_MAX;
    bool good = count != SIZE_MAX && count >= FIXED_SIZE && bytes[0] == VERSION;
    slice content = { room, good ? count - CHECK_SIZE : 0 };
    if (good && !check_of(content, list, check)) {
        return pgc_error_set(err, PGC_NOMEM, "read a cursor");
    }
    if (!good || memcmp(bytes + content.len, check, CHECK_SIZE) != 0) {
        pgc_status status =
            pgc_error_set(err, PGC_INVALID, "the cursor does not belong to this list");
        pgc_error_hint(err, "give it as it came, with the same filter, order and user; "
                            "without a cursor the list begins at its start");
        return status;
    }
    cursor_key key = { .first = big_endian(bytes + 1), .second = big_endian(bytes + 9) };
    memcpy(key.asset_id.bytes, bytes + 17, sizeof key.asset_id.bytes);
    key.name = slice_sub(content, FIXED_SIZE - CHECK_SIZE, content.len);
    *out = key;
    return PGC_OK;
}
