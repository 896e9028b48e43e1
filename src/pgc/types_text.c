/* Text forms of small values: text from C strings, UUIDs. Pure functions; any thread. */
#include "base/prelude.h"

#include <pgc/types.h>

/* NULL gives an absent text, which is SQL NULL as a parameter. */
pgc_text pgc_text_from(const char *string)
{
    return (pgc_text) { string, string == NULL ? 0 : strlen(string) };
}

/* Bytes of a UUID in front of which the text form has a hyphen. */
static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

/* RFC 9562: five groups, small letters; `text` has room for 36 characters and the NUL. */
void pgc_uuid_format(const pgc_uuid *uuid, char *text)
{
    static const char hex[] = "0123456789abcdef";
    size_t pos = 0;
    for (size_t i = 0; i < sizeof uuid->bytes; i++) {
        if (hyphen_before(i)) {
            text[pos++] = '-';
        }
        text[pos++] = hex[uuid->bytes[i] >> 4];
        text[pos++] = hex[uuid->bytes[i] & 15];
    }
    text[pos] = '\0';
}

/* 0..15; 16 for anything that is no hexadecimal digit. */
static unsigned hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned) (c - '0');
    }
    char lower = (char) (c | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned) (lower - 'a') + 10 : 16;
}

/* 32 digits in small or capital letters, with all four hyphens or with none: the server's other
 * spellings (braces, hyphens elsewhere) are not for machines. */
bool pgc_uuid_parse(pgc_text text, pgc_uuid *out)
{
    bool hyphens = text.len == PGC_UUID_TEXT_SIZE - 1;
    if (text.ptr == NULL || (!hyphens && text.len != 2 * sizeof out->bytes)) {
        return false;
    }
    pgc_uuid uuid;
    const char *pos = text.ptr;
    for (size_t i = 0; i < sizeof uuid.bytes; i++) {
        if (hyphens && hyphen_before(i) && *pos++ != '-') {
            return false;
        }
        unsigned high = hex_value(pos[0]);
        unsigned low = hex_value(pos[1]);
        if (high > 15 || low > 15) {
            return false;
        }
        uuid.bytes[i] = (uint8_t) (high << 4 | low);
        pos += 2;
    }
    *out = uuid;
    return true;
}
