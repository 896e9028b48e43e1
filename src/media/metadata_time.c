/* Dates and offsets as cameras, phones and editors write them. Invariant: a time that is given out
 * exists on the calendar and is one that media_facts_check() takes. Pure, any thread. */
#include "base/prelude.h"

#include "media/metadata_time.h"

#define YEAR_MIN         1800
#define YEAR_MAX         2199
#define OFFSET_HOURS_MAX 14
#define FRACTION_DIGITS  9

/* Reads a text from left to right; no step goes past its end. */
typedef struct scan {
    slice text;
    size_t at;
} scan;

/* The next character, NUL at the end. */
static char scan_peek(const scan *s)
{
    return s->at < s->text.len ? s->text.ptr[s->at] : '\0';
}

/* Step over one character of the set; false, and nothing moved, when another one is there. */
static bool scan_one_of(scan *s, const char *set)
{
    char c = scan_peek(s);
    if (c == '\0' || strchr(set, c) == NULL) {
        return false;
    }
    s->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* A number of min to max digits, -1 when there are fewer. Digits above max stay unread. */
static int scan_digits(scan *s, int min, int max)
{
    int value = 0;
    int count = 0;
    while (count < max && is_digit(scan_peek(s))) {
        value = value * 10 + (scan_peek(s) - '0');
        s->at++;
        count++;
    }
    return count >= min ? value : -1;
}

/* Two digits; some cameras write a blank for the first one when it is zero. */
static int scan_two(scan *s)
{
    return scan_one_of(s, " ") ? scan_digits(s, 1, 1) : scan_digits(s, 2, 2);
}

int64_t metadata_days(int64_t year, int64_t month, int64_t day)
{
    assert(month >= 1 && month <= 12);
    /* Years begin in March, so that the leap day is the last one. */
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static int days_in_month(int year, int month)
{
    assert(month >= 1 && month <= 12);
    static const int8_t DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : DAYS[month - 1];
}

/* Cameras write colons, XMP and most programs hyphens, a few slashes. */
static bool scan_date(scan *s, int64_t *out_days)
{
    int year = scan_digits(s, 4, 4);
    bool ok = year >= YEAR_MIN && year <= YEAR_MAX && scan_one_of(s, ":-/");
    int month = ok ? scan_two(s) : -1;
    ok = month >= 1 && month <= 12 && scan_one_of(s, ":-/");
    int day = ok ? scan_two(s) : -1;
    if (day < 1 || day > days_in_month(year, month)) {
        return false;
    }
    *out_days = metadata_days(year, month, day);
    return true;
}

/* Digits of a fraction as microseconds; what is finer is cut off. */
static bool scan_fraction(scan *s, int32_t *out_us)
{
    int32_t unit = 100000;
    int32_t us = 0;
    int count = 0;
    for (; is_digit(scan_peek(s)); s->at++) {
        us += (scan_peek(s) - '0') * unit;
        unit /= 10;
        count++;
    }
    if (count < 1 || count > FRACTION_DIGITS) {
        return false;
    }
    *out_us = us;
    return true;
}

/* "17:34", "17:34:22", "17:34:22.5". */
static bool scan_clock(scan *s, metadata_time *out)
{
    int hour = scan_two(s);
    bool ok = hour >= 0 && hour <= 23 && scan_one_of(s, ":");
    int minute = ok ? scan_two(s) : -1;
    if (minute < 0 || minute > 59) {
        return false;
    }
    int second = scan_one_of(s, ":") ? scan_two(s) : 0;
    if (second < 0 || second > 59) {
        return false;
    }
    int32_t fraction_us = 0;
    out->has_fraction = scan_one_of(s, ".,");
    if (out->has_fraction && !scan_fraction(s, &fraction_us)) {
        return false;
    }
    out->has_clock = true;
    out->local_us += (int64_t) (hour * 3600 + minute * 60 + second) * 1000000 + fraction_us;
    return true;
}

/* Behind the sign: "2", "02", "0200", "02:00". */
static bool scan_offset_digits(scan *s, int sign, int32_t *out_minutes)
{
    int hours = scan_digits(s, 1, 2);
    int minutes = 0;
    if (scan_one_of(s, ":") || is_digit(scan_peek(s))) {
        minutes = scan_digits(s, 2, 2);
    }
    int total = hours * 60 + minutes;
    if (hours < 0 || minutes < 0 || minutes > 59 || total > OFFSET_HOURS_MAX * 60) {
        return false;
    }
    *out_minutes = sign * total;
    return true;
}

/* Inside of a time the sign must be there: bare digits behind a clock may be anything. */
static bool scan_offset(scan *s, int32_t *out_minutes)
{
    if (scan_one_of(s, "Zz")) {
        *out_minutes = 0;
        return true;
    }
    int sign = scan_peek(s) == '-' ? -1 : 1;
    return scan_one_of(s, "+-") && scan_offset_digits(s, sign, out_minutes);
}

/* Up to the first NUL, without white space around. */
static slice text_part(slice text)
{
    return slice_trim(slice_sub(text, 0, slice_find(text, '\0', 0)));
}

/* The whole text must be used up: half of an unknown layout would be a wrong time. */
bool metadata_parse_time(slice text, metadata_time *out)
{
    scan s = { .text = text_part(text) };
    metadata_time time = { .has_offset = false };
    int64_t days = 0;
    if (!scan_date(&s, &days)) {
        return false;
    }
    time.local_us = days * 86400 * 1000000;
    if (scan_one_of(&s, "Tt ") && !scan_clock(&s, &time)) {
        return false;
    }
    if (time.has_clock && s.at < s.text.len) {
        (void) scan_one_of(&s, " ");
        if (!scan_offset(&s, &time.offset_minutes)) {
            return false;
        }
        time.has_offset = true;
    }
    if (s.at != s.text.len) {
        return false;
    }
    *out = time;
    return true;
}

/* A tag of its own holds nothing but an offset, so a missing sign is taken for a plus. exiftool
 * prints two hours east as a bare "2", and some writers add a remark behind the number. */
bool metadata_parse_offset(slice text, int32_t *out_minutes)
{
    slice first = text_part(text);
    first = slice_sub(first, 0, slice_find(first, ',', 0));
    first = slice_sub(first, 0, slice_find(first, ' ', 0));
    scan s = { .text = first };
    int32_t minutes = 0;
    bool ok =
        is_digit(scan_peek(&s)) ? scan_offset_digits(&s, 1, &minutes) : scan_offset(&s, &minutes);
    if (!ok || s.at != s.text.len) {
        return false;
    }
    *out_minutes = minutes;
    return true;
}

bool metadata_parse_subsecond(slice text, int32_t *out_us)
{
    scan s = { .text = text_part(text) };
    int32_t us = 0;
    if (!scan_fraction(&s, &us) || s.at != s.text.len) {
        return false;
    }
    *out_us = us;
    return true;
}
