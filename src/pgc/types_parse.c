/* Text forms of small values: numbers, flags, identifiers, network addresses. Pure functions; any
 * thread; the locale plays no role. */
#include "base/prelude.h"

#include "pgc/types_parse.h"

#include <locale.h>

#include "base/slice.h"

bool scan_word(scan *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t) (s->end - s->pos) < len || memcmp(s->pos, word, len) != 0) {
        return false;
    }
    s->pos += len;
    return true;
}

bool scan_u64(scan *s, size_t most, uint64_t *out)
{
    uint64_t value = 0;
    size_t count = 0;
    for (; count < most && scan_peek(s) >= '0' && scan_peek(s) <= '9'; count++, s->pos++) {
        if (__builtin_mul_overflow(value, (uint64_t) 10, &value) ||
            __builtin_add_overflow(value, (uint64_t) (*s->pos - '0'), &value)) {
            return false;
        }
    }
    *out = value;
    return count > 0;
}

unsigned scan_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned) (c - '0');
    }
    char lower = (char) (c | 0x20);
    return lower >= 'a' && lower <= 'f' ? (unsigned) (lower - 'a') + 10 : 16;
}

/* The characters that the server's numbers consist of. */
static pgc_text take_number(scan *s)
{
    const char *start = s->pos;
    while (s->pos < s->end &&
           (scan_hex(*s->pos) < 10 || strchr("+-.eEInfityNa", *s->pos) != NULL) &&
           *s->pos != '\0') {
        s->pos++;
    }
    return (pgc_text) { start, (size_t) (s->pos - start) };
}

/* "Infinity", "-Infinity", "NaN". */
static bool special_f64(pgc_text text, double *out)
{
    if (slice_eq_str(text, "Infinity")) {
        *out = (double) INFINITY;
    } else if (slice_eq_str(text, "-Infinity")) {
        *out = -(double) INFINITY;
    } else if (slice_eq_str(text, "NaN")) {
        *out = (double) NAN;
    } else {
        return false;
    }
    return true;
}

bool scan_f64(scan *s, double *out)
{
    pgc_text text = take_number(s);
    return special_f64(text, out) || slice_to_f64(text, out);
}

/* strtof() and not a double cut short: two roundings may differ from one. The grammar has been
 * checked by then. */
bool scan_f32(scan *s, float *out)
{
    char copy[64];
    double value;
    pgc_text text = take_number(s);
    if (special_f64(text, &value)) {
        *out = (float) value;
        return true;
    }
    if (text.len >= sizeof copy || !slice_to_f64(text, &value)) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    float near = strtof_l(copy, NULL, newlocale(LC_ALL_MASK, "C", (locale_t) 0));
    if (isinf(near)) {
        return false;
    }
    *out = near;
    return true;
}

bool parse_bool(pgc_text text, bool *out)
{
    bool yes = slice_eq_str(text, "t");
    if (!yes && !slice_eq_str(text, "f")) {
        return false;
    }
    *out = yes;
    return true;
}

/* Bytes above 127 are printed as \ooo, the byte 0 as nothing. */
bool parse_char(pgc_text text, char *out)
{
    if (text.len == 4 && text.ptr[0] == '\\') {
        unsigned value = 0;
        for (size_t i = 1; i < 4; i++) {
            if (text.ptr[i] < '0' || text.ptr[i] > '7') {
                return false;
            }
            value = value * 8 + (unsigned) (text.ptr[i] - '0');
        }
        *out = (char) (value & 0xFF);
        return value <= 0xFF;
    }
    if (text.len > 1) {
        return false;
    }
    *out = text.len == 0 ? '\0' : text.ptr[0];
    return true;
}

bool parse_i64(pgc_text text, int64_t *out)
{
    return slice_to_i64(text, out);
}

bool parse_i32(pgc_text text, int32_t *out)
{
    int64_t value;
    if (!slice_to_i64(text, &value) || value < INT32_MIN || value > INT32_MAX) {
        return false;
    }
    *out = (int32_t) value;
    return true;
}

bool parse_i16(pgc_text text, int16_t *out)
{
    int64_t value;
    if (!slice_to_i64(text, &value) || value < INT16_MIN || value > INT16_MAX) {
        return false;
    }
    *out = (int16_t) value;
    return true;
}

bool parse_u64(pgc_text text, uint64_t *out)
{
    scan s = scan_of(text);
    uint64_t value;
    if (!scan_u64(&s, 20, &value) || !scan_done(&s)) {
        return false;
    }
    *out = value;
    return true;
}

/* The text of a regclass is a name, which cannot be read as a number: cast it to oid. */
bool parse_u32(pgc_text text, uint32_t *out)
{
    uint64_t value;
    if (!parse_u64(text, &value) || value > UINT32_MAX) {
        return false;
    }
    *out = (uint32_t) value;
    return true;
}

bool parse_f64(pgc_text text, double *out)
{
    scan s = scan_of(text);
    double value;
    if (!scan_f64(&s, &value) || !scan_done(&s)) {
        return false;
    }
    *out = value;
    return true;
}

bool parse_f32(pgc_text text, float *out)
{
    scan s = scan_of(text);
    float value;
    if (!scan_f32(&s, &value) || !scan_done(&s)) {
        return false;
    }
    *out = value;
    return true;
}

/* Only digits and the sign tell the value: the symbol, the separators and their places are
 * lc_monetary's, and the binary form counts the smallest unit that the text shows. */
bool parse_money(pgc_text text, int64_t *out)
{
    bool negative = false;
    size_t digits = 0;
    int64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        negative = negative || text.ptr[i] == '-' || text.ptr[i] == '(';
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned digit = (unsigned char) text.ptr[i] - (unsigned) '0';
        if (digit > 9) {
            continue;
        }
        digits++;
        int64_t add = negative ? -(int64_t) digit : (int64_t) digit;
        if (__builtin_mul_overflow(value, (int64_t) 10, &value) ||
            __builtin_add_overflow(value, add, &value)) {
            return false;
        }
    }
    *out = value;
    return digits > 0;
}

/* Hexadecimal digits, 1..most of them. */
static bool scan_hex_number(scan *s, size_t most, uint32_t *out)
{
    uint32_t value = 0;
    size_t count = 0;
    for (; count < most && !scan_done(s) && scan_hex(*s->pos) < 16; count++, s->pos++) {
        value = value << 4 | scan_hex(*s->pos);
    }
    *out = value;
    return count > 0;
}

/* Two halves: 16/B374D848. */
bool parse_lsn(pgc_text text, uint64_t *out)
{
    scan s = scan_of(text);
    uint32_t high;
    uint32_t low;
    if (!scan_hex_number(&s, 8, &high) || !scan_char(&s, '/') || !scan_hex_number(&s, 8, &low) ||
        !scan_done(&s)) {
        return false;
    }
    *out = (uint64_t) high << 32 | low;
    return true;
}

bool parse_tid(pgc_text text, pgc_tid *out)
{
    scan s = scan_of(text);
    uint64_t block;
    uint64_t offset;
    if (!scan_char(&s, '(') || !scan_u64(&s, 10, &block) || !scan_char(&s, ',') ||
        !scan_u64(&s, 5, &offset) || !scan_char(&s, ')') || !scan_done(&s) || block > UINT32_MAX ||
        offset > UINT16_MAX) {
        return false;
    }
    *out = (pgc_tid) { (uint32_t) block, (uint16_t) offset };
    return true;
}

bool parse_uuid(pgc_text text, pgc_uuid *out)
{
    return pgc_uuid_parse(text, out);
}

/* Pairs of hexadecimal digits between colons. */
static bool parse_pairs(pgc_text text, uint8_t *bytes, size_t count)
{
    if (text.len != count * 3 - 1) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned high = scan_hex(text.ptr[i * 3]);
        unsigned low = scan_hex(text.ptr[i * 3 + 1]);
        if (high > 15 || low > 15 || (i + 1 < count && text.ptr[i * 3 + 2] != ':')) {
            return false;
        }
        bytes[i] = (uint8_t) (high << 4 | low);
    }
    return true;
}

bool parse_macaddr(pgc_text text, pgc_macaddr *out)
{
    pgc_macaddr value;
    if (!parse_pairs(text, value.bytes, sizeof value.bytes)) {
        return false;
    }
    *out = value;
    return true;
}

bool parse_macaddr8(pgc_text text, pgc_macaddr8 *out)
{
    pgc_macaddr8 value;
    if (!parse_pairs(text, value.bytes, sizeof value.bytes)) {
        return false;
    }
    *out = value;
    return true;
}

/* Four decimal numbers with points, at the end of an address. */
static bool scan_ipv4(scan *s, uint8_t *bytes)
{
    for (size_t i = 0; i < 4; i++) {
        uint64_t value;
        if ((i > 0 && !scan_char(s, '.')) || !scan_u64(s, 3, &value) || value > 255) {
            return false;
        }
        bytes[i] = (uint8_t) value;
    }
    return true;
}

/* Groups of 16 bits, one run of zeroes as "::", the last two groups perhaps as IPv4. */
static bool scan_ipv6(scan *s, uint8_t bytes[16])
{
    uint8_t groups[16] = { 0 };
    size_t used = 0;
    size_t gap = SIZE_MAX; /* where "::" stands */
    if (scan_word(s, "::")) {
        gap = 0;
    }
    while (used < 16 && !scan_done(s) && scan_hex(*s->pos) < 16) {
        scan back = *s;
        uint32_t group;
        if (!scan_hex_number(s, 4, &group)) {
            return false;
        }
        if (scan_peek(s) == '.') {
            *s = back;
            if (used > 12 || !scan_ipv4(s, groups + used)) {
                return false;
            }
            used += 4;
            break;
        }
        groups[used++] = (uint8_t) (group >> 8);
        groups[used++] = (uint8_t) (group & 0xFF);
        if (gap == SIZE_MAX && scan_word(s, "::")) {
            gap = used;
        } else if (!scan_char(s, ':')) {
            break;
        }
    }
    if (gap == SIZE_MAX ? used != 16 : used > 14) {
        return false;
    }
    size_t head = gap == SIZE_MAX ? used : gap;
    memset(bytes, 0, 16);
    memcpy(bytes, groups, head);
    memcpy(bytes + 16 - (used - head), groups + head, used - head);
    return true;
}

/* inet leaves out the bits when they are all the address has, cidr never does. */
bool parse_inet(pgc_text text, pgc_inet *out)
{
    scan s = scan_of(text);
    pgc_inet value = { .family = text.len > 0 && memchr(text.ptr, ':', text.len) != NULL ? 6 : 4 };
    uint64_t bits = value.family == 4 ? 32 : 128;
    uint64_t most = bits;
    if (!(value.family == 4 ? scan_ipv4(&s, value.addr) : scan_ipv6(&s, value.addr)) ||
        (scan_char(&s, '/') && !scan_u64(&s, 3, &bits)) || !scan_done(&s) || bits > most) {
        return false;
    }
    value.bits = (uint8_t) bits;
    *out = value;
    return true;
}
