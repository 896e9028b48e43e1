/* Borrowed text: comparison, cutting and strict parsing. Nothing here allocates or depends on the
 * locale. Thread-safe. */
#include "base/prelude.h"

#include <locale.h>

#include "base/slice.h"

#define NUMBER_LEN_MAX 1100 /* an exact binary64 in decimal needs under 1080 characters */

/* ASCII only: the classes of <ctype.h> follow the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* memcmp() must not get NULL, not even for no bytes. */
bool slice_eq(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_eq_str(slice a, const char *b)
{
    return slice_eq(a, (slice) { b, strlen(b) });
}

/* Only ASCII letters: file extensions, header names and keywords need no more, and the answer
 * must not depend on the locale. */
bool slice_eq_nocase(slice a, slice b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool slice_starts(slice text, slice prefix)
{
    return text.len >= prefix.len && slice_eq(slice_sub(text, 0, prefix.len), prefix);
}

bool slice_ends(slice text, slice suffix)
{
    return text.len >= suffix.len &&
           slice_eq(slice_sub(text, text.len - suffix.len, text.len), suffix);
}

/* Both ends are cut to what is there, so callers may compute them without checks. */
slice slice_sub(slice text, size_t from, size_t to)
{
    if (text.ptr == NULL) {
        return text;
    }
    size_t end = to < text.len ? to : text.len;
    size_t start = from < end ? from : end;
    assert(start <= end);
    return (slice) { text.ptr + start, end - start };
}

slice slice_trim(slice text)
{
    size_t start = 0;
    size_t end = text.len;
    while (start < end && is_space(text.ptr[start])) {
        start++;
    }
    while (end > start && is_space(text.ptr[end - 1])) {
        end--;
    }
    return slice_sub(text, start, end);
}

size_t slice_find(slice text, char c, size_t from)
{
    if (from >= text.len) {
        return SIZE_MAX;
    }
    const char *hit = (const char *) memchr(text.ptr + from, c, text.len - from);
    return hit == NULL ? SIZE_MAX : (size_t) (hit - text.ptr);
}

/* A text that ends with the separator has an empty last part, as a split is expected to give. */
slice slice_next(slice *rest, char c)
{
    slice text = *rest;
    size_t at = slice_find(text, c, 0);
    if (at == SIZE_MAX) {
        *rest = (slice) { NULL, 0 };
        return text;
    }
    *rest = slice_sub(text, at + 1, text.len);
    return slice_sub(text, 0, at);
}

/* Byte order, which for UTF-8 is the order of code points and the one of our databases. */
int slice_cmp(slice a, slice b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

/* Bytes of the well-formed sequence at the start of s (Unicode standard, table 3-7); 0: none. */
static size_t utf8_step(const unsigned char *s, size_t len)
{
    unsigned char c = s[0];
    if (c < 0x80) {
        return c == 0 ? 0 : 1;
    }
    size_t need = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
    if (c < 0xC2 || c > 0xF4 || len < need) {
        return 0;
    }
    /* The second byte excludes overlong forms, surrogates and values above U+10FFFF. */
    unsigned char low = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char high = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < need; i++) {
        if ((s[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return need;
}

bool slice_is_utf8(slice text)
{
    const unsigned char *s = (const unsigned char *) text.ptr;
    for (size_t at = 0; at < text.len;) {
        size_t step = utf8_step(s + at, text.len - at);
        if (step == 0) {
            return false;
        }
        assert(step <= text.len - at);
        at += step;
    }
    return true;
}

size_t slice_char_length(slice text)
{
    return text.len == 0 ? 0 : utf8_step((const unsigned char *) text.ptr, text.len);
}

bool slice_is_control(slice character)
{
    assert(character.len > 0);
    unsigned char first = (unsigned char) character.ptr[0];
    return first < 0x20 || first == 0x7f ||
           (character.len == 2 && first == 0xc2 && (unsigned char) character.ptr[1] < 0xa0);
}

/* Negative numbers are built downwards: the smallest one has no positive counterpart. */
bool slice_to_i64(slice text, int64_t *out)
{
    size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
    bool negative = at == 1 && text.ptr[0] == '-';
    if (at == text.len) {
        return false;
    }
    int64_t value = 0;
    for (; at < text.len; at++) {
        if (!is_digit(text.ptr[at])) {
            return false;
        }
        int64_t digit = text.ptr[at] - '0';
        if (__builtin_mul_overflow(value, (int64_t) 10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value)) {
            return false;
        }
    }
    *out = value;
    return true;
}

/* [sign] digits [. digits] [e [sign] digits], at least one digit before the exponent. */
static bool is_decimal(slice text)
{
    size_t at = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+') ? 1 : 0;
    size_t digits = 0;
    bool point = false;
    for (; at < text.len && (is_digit(text.ptr[at]) || (text.ptr[at] == '.' && !point)); at++) {
        point = point || text.ptr[at] == '.';
        digits += is_digit(text.ptr[at]) ? 1 : 0;
    }
    if (digits == 0) {
        return false;
    }
    if (at == text.len) {
        return true;
    }
    int64_t exponent;
    return lower(text.ptr[at]) == 'e' && slice_to_i64(slice_sub(text, at + 1, text.len), &exponent);
}

/* The grammar is checked first because strtod() takes more: blanks, hexadecimal, infinities. Too
 * small becomes zero, too large is refused. */
bool slice_to_f64(slice text, double *out)
{
    char copy[NUMBER_LEN_MAX + 1];
    if (text.len > NUMBER_LEN_MAX || !is_decimal(text)) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    /* glibc gives its static "C" object here: no allocation, cannot fail, nothing to free. */
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
    double value = strtod_l(copy, NULL, c_locale);
    if (isinf(value)) {
        return false;
    }
    *out = value;
    return true;
}
