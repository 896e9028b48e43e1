/* Character widths and white space as Go's unicode/utf8 and unicode.IsSpace see them.
 * Pure functions on borrowed text; any thread. */
#include "base/prelude.h"

#include "migrate/text.h"

/* Every white space character of Unicode, in UTF-8. */
static const slice SPACES[] = {
    { " ", 1 },
    { "\n", 1 },
    { "\t", 1 },
    { "\r", 1 },
    { "\v", 1 },
    { "\f", 1 },
    { "\xC2\x85", 2 },     /* next line */
    { "\xC2\xA0", 2 },     /* no-break space */
    { "\xE1\x9A\x80", 3 }, /* ogham space mark */
    { "\xE2\x80\x80", 3 }, /* en quad, and the ten that follow it */
    { "\xE2\x80\x81", 3 },
    { "\xE2\x80\x82", 3 },
    { "\xE2\x80\x83", 3 },
    { "\xE2\x80\x84", 3 },
    { "\xE2\x80\x85", 3 },
    { "\xE2\x80\x86", 3 },
    { "\xE2\x80\x87", 3 },
    { "\xE2\x80\x88", 3 },
    { "\xE2\x80\x89", 3 },
    { "\xE2\x80\x8A", 3 },
    { "\xE2\x80\xA8", 3 }, /* line separator */
    { "\xE2\x80\xA9", 3 }, /* paragraph separator */
    { "\xE2\x80\xAF", 3 }, /* narrow no-break space */
    { "\xE2\x81\x9F", 3 }, /* medium mathematical space */
    { "\xE3\x80\x80", 3 }, /* ideographic space */
};

/* First byte ranges of multi-byte characters with the range allowed for the second byte; the
 * others are 80..BF. Source: the Unicode standard, table "Well-Formed UTF-8 Byte Sequences". */
static const struct {
    unsigned char first_min, first_max, second_min, second_max;
    size_t width;
} UTF8[] = {
    { 0xC2, 0xDF, 0x80, 0xBF, 2 }, { 0xE0, 0xE0, 0xA0, 0xBF, 3 }, { 0xE1, 0xEC, 0x80, 0xBF, 3 },
    { 0xED, 0xED, 0x80, 0x9F, 3 }, { 0xEE, 0xEF, 0x80, 0xBF, 3 }, { 0xF0, 0xF0, 0x90, 0xBF, 4 },
    { 0xF1, 0xF3, 0x80, 0xBF, 4 }, { 0xF4, 0xF4, 0x80, 0x8F, 4 },
};

/* Malformed bytes count one by one, as Go counts them. */
size_t migrate_char_width(slice text)
{
    if (text.len == 0) {
        return 0;
    }
    const unsigned char *p = (const unsigned char *) text.ptr;
    for (size_t i = 0; p[0] >= 0x80 && i < ARRAY_LEN(UTF8); i++) {
        if (p[0] < UTF8[i].first_min || p[0] > UTF8[i].first_max) {
            continue;
        }
        size_t width = UTF8[i].width;
        if (text.len < width || p[1] < UTF8[i].second_min || p[1] > UTF8[i].second_max) {
            return 1;
        }
        for (size_t k = 2; k < width; k++) {
            if ((p[k] & 0xC0) != 0x80) {
                return 1;
            }
        }
        return width;
    }
    return 1;
}

/* Start over after each find: the spaces may come in any order. */
slice migrate_trim_left(slice text)
{
    for (size_t i = 0; text.len > 0 && i < ARRAY_LEN(SPACES); i++) {
        if (slice_starts(text, SPACES[i])) {
            text = slice_sub(text, SPACES[i].len, text.len);
            i = SIZE_MAX; /* start over */
        }
    }
    return text;
}

/* Encodings of white space never end in the middle of another character, so comparing the last
 * bytes is enough. */
slice migrate_trim(slice text)
{
    text = migrate_trim_left(text);
    for (size_t i = 0; text.len > 0 && i < ARRAY_LEN(SPACES); i++) {
        if (slice_ends(text, SPACES[i])) {
            text.len -= SPACES[i].len;
            i = SIZE_MAX;
        }
    }
    return text;
}

size_t migrate_find(slice text, slice needle)
{
    assert(needle.len > 0);
    if (text.len < needle.len) {
        return SIZE_MAX;
    }
    const char *found = memmem(text.ptr, text.len, needle.ptr, needle.len);
    return found == NULL ? SIZE_MAX : (size_t) (found - text.ptr);
}

bool migrate_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}
