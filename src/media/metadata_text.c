/* Texts and numbers of metadata. Invariant: what is given out is terminated, valid UTF-8 without
 * control characters other than line ends and tabs. Pure, any thread. */
#include "base/prelude.h"

#include "media/metadata_text.h"

#define EXPOSURE_SECONDS_MAX 1e6
#define EXPOSURE_SECONDS_MIN 1e-8
#define QUARTER_SECOND       0.25001
#define REPLACEMENT          0xfffdU
#define NUMBER_TEXT_MAX      32

bool metadata_ratio_value(metadata_ratio ratio, double *out)
{
    if (ratio.den == 0) {
        return false;
    }
    *out = (double) ratio.num / (double) ratio.den;
    return true;
}

/* Length of the decimal number at the start of text, 0 when there is none. */
static size_t number_length(slice text)
{
    size_t at = text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-') ? 1 : 0;
    size_t digits = 0;
    bool point = false;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (c >= '0' && c <= '9') {
            digits++;
        } else if (c == '.' && !point) {
            point = true;
        } else {
            break;
        }
    }
    return digits > 0 ? at : 0;
}

/* The number at the start of *text, which then begins behind it. */
static bool take_number(slice *text, double *out)
{
    size_t length = number_length(*text);
    if (length == 0 || !slice_to_f64(slice_sub(*text, 0, length), out)) {
        return false;
    }
    *text = slice_sub(*text, length, text->len);
    return true;
}

/* XMP writes rationals as text, exiftool and people write units behind numbers and "f/" before
 * them. What follows the number is not looked at. */
bool metadata_parse_number(slice text, double *out)
{
    slice rest = slice_trim(slice_sub(text, 0, slice_find(text, '\0', 0)));
    if (slice_starts(rest, SLICE("f/")) || slice_starts(rest, SLICE("F/"))) {
        rest = slice_sub(rest, 2, rest.len);
    }
    double value = 0;
    if (!take_number(&rest, &value)) {
        return false;
    }
    if (rest.len > 0 && rest.ptr[0] == '/') {
        double divisor = 0;
        rest = slice_sub(rest, 1, rest.len);
        if (!take_number(&rest, &divisor) || !(fabs(divisor) > 0)) {
            return false;
        }
        value /= divisor;
    }
    *out = value;
    return true;
}

/* --- characters --- */

/* Collects characters as UTF-8; `at` never passes room - 1. */
typedef struct writer {
    char *out;
    size_t room, at;
    bool full;   /* a character had no room: all later ones are dropped */
    bool binary; /* a control character came that no text has */
} writer;

/* UTF-8 of one character that is no surrogate; gives the number of bytes. */
static size_t encode(uint32_t c, char bytes[4])
{
    if (c < 0x80) {
        bytes[0] = (char) c;
        return 1;
    }
    size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        bytes[i] = (char) (0x80 | (c & 0x3f));
        c >>= 6;
    }
    static const uint8_t LEAD[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    bytes[0] = (char) (LEAD[length] | c);
    return length;
}

/* One character into the text. After the first that did not fit none follows, so that a text is
 * cut and never has holes. */
static void put(writer *w, uint32_t c)
{
    assert(c <= 0x10ffff);
    bool control = (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || (c >= 0x7f && c < 0xa0);
    w->binary = w->binary || control;
    char bytes[4];
    size_t length = encode(control ? ' ' : c, bytes);
    w->full = w->full || w->at + length >= w->room;
    if (!w->full) {
        memcpy(w->out + w->at, bytes, length);
        w->at += length;
    }
}

/* White space off both ends; words that stand for "no value" are none. */
static bool finish(writer *w)
{
    slice text = slice_trim((slice) { w->out, w->at });
    if (slice_eq_nocase(text, SLICE("null")) || slice_eq_nocase(text, SLICE("undefined"))) {
        text.len = 0;
    }
    if (text.len > 0) {
        memmove(w->out, text.ptr, text.len);
    }
    w->out[text.len] = '\0';
    return text.len > 0;
}

/* What Windows-1252 has where Latin-1 has a second set of control characters; 0: nothing. */
static const uint16_t WINDOWS_1252[32] = { 0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020,
                                           0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,
                                           0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d,
                                           0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
                                           0x0153, 0,      0x017e, 0x0178 };

static uint32_t from_windows(uint8_t byte)
{
    if (byte < 0x80 || byte >= 0xa0) {
        return byte;
    }
    uint16_t c = WINDOWS_1252[byte - 0x80];
    return c != 0 ? c : REPLACEMENT;
}

/* The character at text[*at] of valid UTF-8; moves *at behind it. */
static uint32_t decode(slice text, size_t *at)
{
    uint8_t lead = (uint8_t) text.ptr[(*at)++];
    if (lead < 0x80) {
        return lead;
    }
    uint32_t c = lead < 0xe0 ? lead & 0x1fU : lead < 0xf0 ? lead & 0x0fU : lead & 0x07U;
    while (*at < text.len && ((uint8_t) text.ptr[*at] & 0xc0) == 0x80) {
        c = c << 6 | ((uint8_t) text.ptr[(*at)++] & 0x3f);
    }
    return c;
}

/* All of the text is UTF-8 or none of it: a mixture is not what any program writes. */
static void put_bytes(writer *w, slice text)
{
    bool utf8 = slice_is_utf8(text);
    for (size_t at = 0; at < text.len;) {
        put(w, utf8 ? decode(text, &at) : from_windows((uint8_t) text.ptr[at++]));
    }
}

/* Up to the first NUL; NULs in front are padding as well. */
static slice until_nul(slice bytes)
{
    size_t from = 0;
    while (from < bytes.len && bytes.ptr[from] == '\0') {
        from++;
    }
    return slice_sub(bytes, from, slice_find(bytes, '\0', from));
}

bool metadata_clean(slice bytes, char *out, size_t room)
{
    assert(room > 0);
    writer w = { .out = out, .room = room };
    put_bytes(&w, until_nul(bytes));
    return finish(&w);
}

/* Character number `index` of two bytes each. */
static uint32_t wide_at(slice bytes, size_t index, bool big_endian)
{
    uint8_t first = (uint8_t) bytes.ptr[index * 2];
    uint8_t second = (uint8_t) bytes.ptr[index * 2 + 1];
    return big_endian ? (uint32_t) first << 8 | second : (uint32_t) second << 8 | first;
}

bool metadata_clean_wide(slice bytes, bool big_endian, char *out, size_t room)
{
    assert(room > 0);
    writer w = { .out = out, .room = room };
    size_t count = bytes.len / 2;
    size_t i = 0;
    if (count > 0 && (wide_at(bytes, 0, true) == 0xfeff || wide_at(bytes, 0, true) == 0xfffe)) {
        big_endian = wide_at(bytes, 0, true) == 0xfeff;
        i = 1;
    }
    while (i < count) {
        uint32_t c = wide_at(bytes, i++, big_endian);
        if (c == 0) {
            break;
        }
        if (c >= 0xd800 && c < 0xdc00 && i < count) {
            uint32_t low = wide_at(bytes, i, big_endian);
            bool pair = low >= 0xdc00 && low < 0xe000;
            c = pair ? 0x10000 + ((c - 0xd800) << 10 | (low - 0xdc00)) : REPLACEMENT;
            i += pair ? 1 : 0;
        }
        put(&w, c >= 0xd800 && c < 0xe000 ? REPLACEMENT : c);
    }
    return finish(&w);
}

/* Writers do not agree whether a comment follows the order of the file. Letters of the first 256
 * characters and blanks are in nearly every text: where most zero bytes are, is the high half. */
static bool guess_big_endian(slice bytes, bool big_endian)
{
    size_t zeros[2] = { 0, 0 };
    for (size_t i = 0; i + 1 < bytes.len; i++) {
        zeros[i % 2] += bytes.ptr[i] == '\0' && bytes.ptr[i ^ 1] != '\0' ? 1 : 0;
    }
    return zeros[0] == zeros[1] ? big_endian : zeros[0] > zeros[1];
}

bool metadata_clean_comment(slice bytes, bool big_endian, char *out, size_t room)
{
    enum { CODE_SIZE = 8 };
    assert(room > 0);
    slice code = slice_sub(bytes, 0, CODE_SIZE);
    slice text = slice_sub(bytes, CODE_SIZE, bytes.len);
    if (slice_eq(code, SLICE("UNICODE\0"))) {
        return metadata_clean_wide(text, guess_big_endian(text, big_endian), out, room);
    }
    /* Some writers forget the code and begin with the text. */
    bool japanese = slice_eq(code, SLICE("JIS\0\0\0\0\0"));
    bool coded = japanese || slice_eq(code, SLICE("ASCII\0\0\0")) ||
                 slice_eq(code, SLICE("\0\0\0\0\0\0\0\0"));
    writer w = { .out = out, .room = room };
    text = until_nul(coded ? text : bytes);
    put_bytes(&w, text);
    if (w.binary || (japanese && !slice_is_utf8(text))) {
        w.at = 0;
    }
    return finish(&w);
}

/* --- numbers as text --- */

/* A quarter of a second and longer reads better as a decimal, and has to where no camera would
 * write a fraction: 0.8 s is not 1/1. */
bool metadata_exposure(double seconds, char *out, size_t room)
{
    assert(room >= NUMBER_TEXT_MAX);
    out[0] = '\0';
    /* Written so that NaN fails. */
    if (!(seconds >= EXPOSURE_SECONDS_MIN && seconds <= EXPOSURE_SECONDS_MAX)) {
        return false;
    }
    if (seconds < QUARTER_SECOND) {
        (void) snprintf(out, room, "1/%.0f", 1 / seconds);
        return true;
    }
    double tenths = round(seconds * 10);
    (void) snprintf(out, room, "%.*f", fmod(tenths, 10) > 0 ? 1 : 0, tenths / 10);
    return true;
}

bool metadata_lens(const double focal_mm[2], const double aperture[2], char *out, size_t room)
{
    assert(room >= 2 * NUMBER_TEXT_MAX);
    out[0] = '\0';
    double longest = focal_mm[1] > 0 ? focal_mm[1] : focal_mm[0];
    if (!(focal_mm[0] > 0 && focal_mm[0] <= longest && longest < 1e5)) {
        return false;
    }
    int length = snprintf(out, room, "%.4g", focal_mm[0]);
    if (longest > focal_mm[0]) {
        length += snprintf(out + length, room - (size_t) length, "-%.4g", longest);
    }
    length += snprintf(out + length, room - (size_t) length, "mm");
    if (aperture[0] > 0 && aperture[0] < 1e3) {
        length += snprintf(out + length, room - (size_t) length, " f/%.3g", aperture[0]);
    }
    if (aperture[0] > 0 && aperture[1] > aperture[0] && aperture[1] < 1e3) {
        (void) snprintf(out + length, room - (size_t) length, "-%.3g", aperture[1]);
    }
    return true;
}
