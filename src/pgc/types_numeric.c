/* numeric: between decimal text and the server's base-10000 digits, exactly. Invariant of what is
 * made here: no zero digit at either end, zero has no digits and no sign, dscale covers all digits.
 * Pure functions on caller's storage; any thread; the locale plays no role. */
#include "base/prelude.h"

#include <pgc/types.h>

#include "pgc/numeric.h"
#include "pgc/types_parse.h"
#include "pgc/wire.h"

/* A decimal number taken apart. Digit i, counted over the digit characters of `text` only, stands
 * for digit * 10^(point - 1 - i). Other characters of text (the point) are skipped. */
typedef struct decimal {
    const char *text;
    size_t len;    /* bytes of text */
    int64_t point; /* digits in front of the decimal point; may lie outside of the digits */
    int64_t scale; /* digits to show behind it */
    bool negative;
} decimal;

/* Not isdigit(): its answer depends on the locale. */
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Power of 10000 that holds the given power of ten: division that rounds down. */
static int64_t group_of(int64_t power)
{
    return power >= 0 ? power / 4 : -((3 - power) / 4);
}

/* Powers of ten of the first and the last digit that is not zero; false when all are zero. */
static bool digits_span(const decimal *d, int64_t *first_out, int64_t *last_out)
{
    bool found = false;
    int64_t power = d->point;
    for (size_t i = 0; i < d->len; i++) {
        if (!is_digit(d->text[i])) {
            continue;
        }
        power--;
        if (d->text[i] != '0') {
            *first_out = found ? *first_out : power;
            *last_out = power;
            found = true;
        }
    }
    return found;
}

/* Decimal digits are put into groups of four, aligned at the decimal point: 12345.6 is 1 | 2345
 * . 6000. `digits` has room for `capacity` groups. */
static bool numeric_from_decimal(const decimal *d, uint16_t *digits, size_t capacity,
                                 pgc_numeric *out)
{
    static const uint16_t ten_to[] = { 1, 10, 100, 1000 };
    int64_t first = 0;
    int64_t last = 0;
    if (d->scale > WIRE_NUMERIC_DSCALE_MAX) {
        return false;
    }
    pgc_numeric value = { .present = true, .dscale = (uint16_t) d->scale, .digits = digits };
    if (digits_span(d, &first, &last)) {
        int64_t weight = group_of(first);
        int64_t count = weight - group_of(last) + 1;
        if (weight > INT16_MAX || weight < INT16_MIN || (size_t) count > capacity ||
            count > UINT16_MAX) {
            return false;
        }
        memset(digits, 0, (size_t) count * sizeof digits[0]);
        int64_t power = d->point;
        for (size_t i = 0; i < d->len; i++) {
            if (!is_digit(d->text[i])) {
                continue;
            }
            power--;
            if (power <= first && power >= last) {
                int64_t group = group_of(power);
                assert(group <= weight);
                assert(weight - group < count);
                unsigned add = (unsigned) (d->text[i] - '0') * ten_to[power - group * 4];
                digits[weight - group] = (uint16_t) (digits[weight - group] + add);
            }
        }
        value.weight = (int16_t) weight;
        value.digit_count = (uint16_t) count;
        value.sign = d->negative ? PGC_NUMERIC_NEG : PGC_NUMERIC_POS;
    }
    *out = value;
    return true;
}

/* ASCII only, `lower` in small letters: words of the number syntax. */
static bool equal_nocase(const char *text, size_t len, const char *lower)
{
    size_t i = 0;
    while (i < len && lower[i] != '\0' && (text[i] | 0x20) == lower[i]) {
        i++;
    }
    return i == len && lower[i] == '\0';
}

/* "NaN", "inf", "Infinity" behind an optional sign; NaN takes none. */
static bool parse_special(pgc_text text, pgc_numeric *out)
{
    bool sign = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    const char *word = text.ptr + (sign ? 1 : 0);
    size_t len = text.len - (sign ? 1 : 0);
    pgc_numeric value = { .present = true };
    if (!sign && equal_nocase(word, len, "nan")) {
        value.sign = PGC_NUMERIC_NAN;
    } else if (equal_nocase(word, len, "inf") || equal_nocase(word, len, "infinity")) {
        value.sign = text.ptr[0] == '-' ? PGC_NUMERIC_NINF : PGC_NUMERIC_PINF;
    } else {
        return false;
    }
    *out = value;
    return true;
}

/* Exponent digits from pos to the end, optional sign; limited so that sums cannot overflow. */
static bool parse_exponent(const char *pos, const char *end, int64_t *out)
{
    bool negative = pos < end && *pos == '-';
    if (pos < end && (*pos == '-' || *pos == '+')) {
        pos++;
    }
    if (pos == end) {
        return false;
    }
    int64_t value = 0;
    for (; pos < end; pos++) {
        if (!is_digit(*pos) || value > 1000000) {
            return false;
        }
        value = value * 10 + (*pos - '0');
    }
    *out = negative ? -value : value;
    return true;
}

/* The server's syntax without surrounding spaces: sign, digits with at most one point, exponent;
 * or one of the special words. */
bool parse_numeric(pgc_text text, uint16_t *digits, size_t capacity, pgc_numeric *out)
{
    if (text.ptr == NULL || text.len > INT32_MAX) {
        return false;
    }
    const char *pos = text.ptr;
    const char *end = text.ptr + text.len;
    decimal d = { .negative = text.len > 0 && *pos == '-' };
    if (pos < end && (*pos == '-' || *pos == '+')) {
        pos++;
    }
    d.text = pos;
    bool point = false;
    size_t count = 0;
    for (; pos < end && (is_digit(*pos) || (*pos == '.' && !point)); pos++) {
        point = point || *pos == '.';
        count += is_digit(*pos) ? 1 : 0;
        d.point += is_digit(*pos) && !point ? 1 : 0;
    }
    if (count == 0) {
        return parse_special(text, out);
    }
    d.len = (size_t) (pos - d.text);
    d.scale = (int64_t) count - d.point;
    if (pos < end) {
        int64_t exponent;
        if ((*pos != 'e' && *pos != 'E') || !parse_exponent(pos + 1, end, &exponent)) {
            return false;
        }
        d.point += exponent;
        d.scale -= exponent;
    }
    d.scale = d.scale < 0 ? 0 : d.scale;
    return numeric_from_decimal(&d, digits, capacity, out);
}

bool pgc_numeric_parse(pgc_text text, uint16_t *digits, pgc_numeric *out)
{
    return parse_numeric(text, digits, PGC_NUMERIC_DIGITS_MAX, out);
}

#define DOUBLE_DIGITS_MAX 17 /* decimal digits that tell any two doubles apart */

/* Shortest decimal digits (no point) that read back as value; point as in decimal. */
static size_t double_digits(double value, char digits[static DOUBLE_DIGITS_MAX], int64_t *point)
{
    char text[48];
    size_t count = 0;
    /* 15 digits always survive decimal -> double -> decimal, so fewer need no try; zeros that they
     * add at the end change nothing. */
    for (int precision = 14; precision < DOUBLE_DIGITS_MAX; precision++) {
        (void) snprintf(text, sizeof text, "%.*e", precision, value);
        double back = strtod(text, NULL);
        if (wire_double_bits(back) == wire_double_bits(value)) {
            break;
        }
    }
    /* The locale decides about the bytes of the decimal point: skip whatever is no digit. */
    const char *pos = text;
    for (; *pos != 'e' && *pos != '\0'; pos++) {
        if (is_digit(*pos) && count < DOUBLE_DIGITS_MAX) {
            digits[count++] = *pos;
        }
    }
    int64_t exponent = 0;
    bool exact = *pos == 'e' && parse_exponent(pos + 1, pos + strlen(pos), &exponent);
    assert(exact);
    (void) exact;
    *point = exponent + 1;
    return count;
}

/* Rounds the shortest decimal form, half away from zero, and not the binary value: 0.15 with one
 * digit gives 0.2, as people expect of what they see. */
bool pgc_numeric_from_double(double value, int scale, uint16_t *digits, pgc_numeric *out)
{
    /* Written so that NaN fails. */
    if (!(value < 1e15 && value > -1e15) || scale < 0 || scale > 16) {
        return false;
    }
    char text[DOUBLE_DIGITS_MAX + 1]; /* [0]: room for a carry */
    int64_t point;
    text[0] = '0';
    int64_t count = (int64_t) double_digits(fabs(value), text + 1, &point) + 1;
    decimal d = { .text = text, .point = point + 1, .scale = scale, .negative = value < 0 };
    int64_t keep = d.point + scale; /* digits of text that stay */
    if (keep < 1) {
        keep = 1; /* below a tenth of the last digit: the leading '0' is all that stays */
    } else if (keep < count) {
        bool up = text[keep] >= '5';
        for (int64_t i = keep - 1; up && i >= 0; i--) {
            up = text[i] == '9';
            text[i] = up ? '0' : (char) (text[i] + 1);
        }
    } else {
        keep = count;
    }
    d.len = (size_t) keep;
    return numeric_from_decimal(&d, digits, PGC_NUMERIC_DIGITS_MAX, out);
}

#define DOUBLE_GROUPS_MAX 200u /* 800 decimal digits; 767 decide about any double's rounding */

double pgc_numeric_to_double(const pgc_numeric *value)
{
    if (!value->present || value->sign == PGC_NUMERIC_NAN) {
        return (double) NAN;
    }
    if (value->sign == PGC_NUMERIC_PINF || value->sign == PGC_NUMERIC_NINF) {
        return value->sign == PGC_NUMERIC_PINF ? HUGE_VAL : -HUGE_VAL;
    }
    /* Digits and an exponent but no decimal point: the same text in every locale. */
    char text[DOUBLE_GROUPS_MAX * 4 + 32];
    size_t len = 0;
    size_t first = 0; /* leading zeros would push significant digits out of the text */
    while (first < value->digit_count && value->digits[first] == 0) {
        first++;
    }
    size_t end = value->digit_count - first < DOUBLE_GROUPS_MAX ? value->digit_count
                                                                : first + DOUBLE_GROUPS_MAX;
    text[len++] = value->sign == PGC_NUMERIC_NEG ? '-' : '+';
    text[len++] = '0';
    for (size_t i = first; i < end; i++) {
        numeric_group(value->digits[i], text + len);
        len += 4;
    }
    bool rest = false; /* of the digits left out, only "not zero" can matter: a sticky digit */
    for (size_t i = end; i < value->digit_count; i++) {
        rest = rest || value->digits[i] != 0;
    }
    if (rest) {
        text[len - 1] = (char) (text[len - 1] | 1);
    }
    int exponent = (value->weight + 1 - (int) end) * 4;
    (void) snprintf(text + len, sizeof text - len, "e%d", exponent);
    return strtod(text, NULL);
}

/* Where text goes; counts on when the room is used up. */
typedef struct sink {
    char *text;
    size_t size, len;
} sink;

/* As snprintf(): counts what would have been written, and never writes behind the room. */
static void sink_add(sink *out, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (out->len + 1 < out->size) {
            out->text[out->len] = bytes[i];
        }
        out->len++;
    }
}

/* Base-10000 digit of the given power, zero outside of what the value has. */
static uint16_t digit_at(const pgc_numeric *value, int64_t power)
{
    int64_t index = value->weight - power;
    return index >= 0 && index < value->digit_count ? value->digits[index] : 0;
}

/* Without an exponent, as the server prints; zeros fill up to dscale. */
static void format_finite(const pgc_numeric *value, sink *out)
{
    char group[4];
    if (value->sign == PGC_NUMERIC_NEG) {
        sink_add(out, "-", 1);
    }
    int64_t power = value->weight > 0 ? value->weight : 0;
    while (power > 0 && digit_at(value, power) == 0) {
        power--;
    }
    numeric_group(digit_at(value, power), group);
    size_t zeros = 0;
    while (zeros < 3 && group[zeros] == '0') {
        zeros++;
    }
    sink_add(out, group + zeros, 4 - zeros);
    while (--power >= 0) {
        numeric_group(digit_at(value, power), group);
        sink_add(out, group, 4);
    }
    if (value->dscale > 0) {
        sink_add(out, ".", 1);
    }
    for (int64_t left = value->dscale; left > 0; left -= 4, power--) {
        numeric_group(digit_at(value, power), group);
        sink_add(out, group, left < 4 ? (size_t) left : 4);
    }
}

/* Bytes that the whole text needs, without the NUL: too small a room is no failure. */
size_t pgc_numeric_format(const pgc_numeric *value, char *text, size_t text_size)
{
    sink out = { .text = text, .size = text_size };
    if (!value->present) {
        /* NULL has no text form. */
    } else if (value->sign == PGC_NUMERIC_NAN) {
        sink_add(&out, "NaN", 3);
    } else if (value->sign == PGC_NUMERIC_PINF) {
        sink_add(&out, "Infinity", 8);
    } else if (value->sign == PGC_NUMERIC_NINF) {
        sink_add(&out, "-Infinity", 9);
    } else {
        format_finite(value, &out);
    }
    if (text_size > 0) {
        text[out.len < text_size ? out.len : text_size - 1] = '\0';
    }
    return out.len;
}

/* What the server's numeric_recv() would refuse, in its terms. */
bool numeric_is_valid(const pgc_numeric *value)
{
    if (value->sign == PGC_NUMERIC_NAN || value->sign == PGC_NUMERIC_PINF ||
        value->sign == PGC_NUMERIC_NINF) {
        return value->digit_count == 0;
    }
    if ((value->sign != PGC_NUMERIC_POS && value->sign != PGC_NUMERIC_NEG) ||
        value->dscale > WIRE_NUMERIC_DSCALE_MAX ||
        (value->digit_count > 0 && value->digits == NULL)) {
        return false;
    }
    for (size_t i = 0; i < value->digit_count; i++) {
        if (value->digits[i] > 9999) {
            return false;
        }
    }
    return true;
}

/* No digit that is not zero may lie behind dscale. */
bool numeric_is_covered(const pgc_numeric *value)
{
    static const uint16_t hidden_part[] = { 10000, 1000, 100, 10 };
    for (size_t i = 0; i < value->digit_count; i++) {
        /* Decimal digits of dscale that reach into this group. */
        int64_t shown = (int64_t) value->dscale - ((int64_t) i - value->weight - 1) * 4;
        if (shown < 4 && value->digits[i] % hidden_part[shown < 0 ? 0 : shown] != 0) {
            return false;
        }
    }
    return true;
}
