/* RFC 3339 for errors, metadata and cursors, which Go decodes strictly. Threads: no state. */
#include "base/prelude.h"

#include "river/timetext.h"

#define SECOND_US INT64_C(1000000)

/* 0001-01-01 and the end of 9999, in microseconds since 1970. */
#define YEAR_FIRST_US (INT64_C(-62135596800) * SECOND_US)
#define YEAR_LAST_US  (INT64_C(253402300800) * SECOND_US)

void time_add_rfc3339(buf *out, pgc_timestamptz at)
{
    if (at.us < YEAR_FIRST_US - TIME_EPOCH_2000_US || at.us >= YEAR_LAST_US - TIME_EPOCH_2000_US) {
        return;
    }
    int64_t unix_us = at.us + TIME_EPOCH_2000_US;
    int64_t fraction = unix_us % SECOND_US;
    if (fraction < 0) {
        fraction += SECOND_US;
    }
    time_t seconds = (time_t) ((unix_us - fraction) / SECOND_US);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL) {
        return;
    }
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", parts.tm_year + 1900, parts.tm_mon + 1,
               parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    if (fraction != 0) {
        int width = 6;
        for (; fraction % 10 == 0; fraction /= 10) {
            width--;
        }
        buf_printf(out, ".%0*" PRId64, width, fraction);
    }
    buf_add_char(out, 'Z');
}

/* Exactly `count` digits at `at`, -1 otherwise. */
static int32_t digits(slice text, size_t at, size_t count)
{
    int32_t value = 0;
    if (at + count > text.len) {
        return -1;
    }
    for (size_t i = 0; i < count; i++) {
        char c = text.ptr[at + i];
        if (c < '0' || c > '9') {
            return -1;
        }
        value = value * 10 + (c - '0');
    }
    return value;
}

/* ".123" as microseconds; *at moves behind it. */
static bool fraction_us(slice text, size_t *at, int64_t *out)
{
    int64_t value = 0, unit = SECOND_US / 10;
    size_t from = *at;
    for (; *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; (*at)++) {
        value += (text.ptr[*at] - '0') * unit;
        unit /= 10;
    }
    *out = value;
    return *at > from && *at - from <= 9;
}

/* "Z" or "+01:30", to the end of the text. */
static bool offset_us(slice text, size_t at, int64_t *out)
{
    slice rest = slice_sub(text, at, text.len);
    if (slice_eq_str(rest, "Z")) {
        *out = 0;
        return true;
    }
    if (rest.len != 6 || (rest.ptr[0] != '+' && rest.ptr[0] != '-') || rest.ptr[3] != ':') {
        return false;
    }
    int32_t hours = digits(rest, 1, 2), minutes = digits(rest, 4, 2);
    if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) {
        return false;
    }
    *out = (hours * INT64_C(3600) + minutes * INT64_C(60)) * SECOND_US;
    if (rest.ptr[0] == '-') {
        *out = -*out;
    }
    return true;
}

bool time_parse_rfc3339(slice text, pgc_timestamptz *out)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    for (size_t i = 0; i < sizeof(shape) - 1; i++) {
        if (i >= text.len || (shape[i] != 'd' && text.ptr[i] != shape[i])) {
            return false;
        }
    }
    struct tm parts = { .tm_year = digits(text, 0, 4) - 1900,
                        .tm_mon = digits(text, 5, 2) - 1,
                        .tm_mday = digits(text, 8, 2),
                        .tm_hour = digits(text, 11, 2),
                        .tm_min = digits(text, 14, 2),
                        .tm_sec = digits(text, 17, 2) };
    struct tm given = parts;
    if (parts.tm_year < 1 - 1900 || parts.tm_mon < 0 || parts.tm_mday < 1 || parts.tm_hour < 0 ||
        parts.tm_hour > 23 || parts.tm_min < 0 || parts.tm_sec < 0) {
        return false;
    }
    int64_t seconds = timegm(&parts);
    if (parts.tm_mon != given.tm_mon || parts.tm_mday != given.tm_mday ||
        parts.tm_min != given.tm_min || parts.tm_sec != given.tm_sec) {
        return false; /* the 31st of April and the like */
    }
    size_t at = sizeof(shape) - 1;
    int64_t fraction = 0, offset = 0;
    if (at < text.len && text.ptr[at] == '.') {
        at++;
        if (!fraction_us(text, &at, &fraction)) {
            return false;
        }
    }
    if (!offset_us(text, at, &offset)) {
        return false;
    }
    out->us = seconds * SECOND_US + fraction - offset - TIME_EPOCH_2000_US;
    return true;
}
