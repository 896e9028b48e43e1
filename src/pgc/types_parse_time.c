/* Text forms of dates, times and intervals: DateStyle ISO, IntervalStyle postgres,
 * postgres_verbose or iso_8601. Pure functions; any thread. */
#include "base/prelude.h"

#include "pgc/types_parse.h"

#include "base/slice.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY    INT64_C(86400000000)
#define DAYS_TO_2000  INT64_C(730425) /* from 0000-03-01 to 2000-01-01 */

/* Days since 2000-01-01 in the Gregorian calendar, for any year (1 BC is 0). Years begin in March
 * here, so that the leap day is the last one. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t m = month <= 2 ? month + 9 : month - 3;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (m * 153 + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_2000;
}

/* What the parts of a timestamp may be. */
typedef struct date_parts {
    uint64_t year, month, day;
} date_parts;

static bool scan_date(scan *s, date_parts *out)
{
    return scan_u64(s, 7, &out->year) && scan_char(s, '-') && scan_u64(s, 2, &out->month) &&
           scan_char(s, '-') && scan_u64(s, 2, &out->day) && out->month >= 1 && out->month <= 12 &&
           out->day >= 1 && out->day <= 31;
}

/* " BC" may stand at the very end. */
static bool end_date(scan *s, const date_parts *parts, int64_t *days_out)
{
    bool before = scan_word(s, " BC");
    if (!scan_done(s) || (before && parts->year == 0)) {
        return false;
    }
    int64_t year = before ? 1 - (int64_t) parts->year : (int64_t) parts->year;
    *days_out = days_of(year, (int64_t) parts->month, (int64_t) parts->day);
    return true;
}

/* Up to six digits behind a point, as microseconds; none is zero. */
static bool scan_fraction(scan *s, int64_t *us_out)
{
    uint64_t value = 0;
    if (scan_char(s, '.')) {
        const char *start = s->pos;
        if (!scan_u64(s, 6, &value)) {
            return false;
        }
        for (ptrdiff_t digits = s->pos - start; digits < 6; digits++) {
            value *= 10;
        }
    }
    *us_out = (int64_t) value;
    return true;
}

/* HH:MM:SS[.ffffff]; intervals have more than two digits of hours. */
static bool scan_clock(scan *s, size_t hour_digits, uint64_t *us_out)
{
    uint64_t hours;
    uint64_t minutes;
    uint64_t seconds;
    int64_t us;
    if (!scan_u64(s, hour_digits, &hours) || !scan_char(s, ':') || !scan_u64(s, 2, &minutes) ||
        !scan_char(s, ':') || !scan_u64(s, 2, &seconds) || !scan_fraction(s, &us) || minutes > 59 ||
        seconds > 60 || hours > 9999999999) {
        return false;
    }
    uint64_t rest = (minutes * 60 + seconds) * (uint64_t) US_PER_SECOND + (uint64_t) us;
    uint64_t sum;
    if (__builtin_mul_overflow(hours, UINT64_C(3600000000), &sum) ||
        __builtin_add_overflow(sum, rest, &sum)) {
        return false;
    }
    *us_out = sum;
    return true;
}

/* +HH[:MM[:SS]], as seconds west of UTC. */
static bool scan_zone(scan *s, int32_t *west_out)
{
    uint64_t part[3] = { 0, 0, 0 };
    bool east = scan_peek(s) == '+';
    if (!scan_char(s, '+') && !scan_char(s, '-')) {
        return false;
    }
    if (!scan_u64(s, 2, &part[0]) || (scan_char(s, ':') && !scan_u64(s, 2, &part[1])) ||
        (scan_char(s, ':') && !scan_u64(s, 2, &part[2]))) {
        return false;
    }
    int32_t seconds = (int32_t) (part[0] * 3600 + part[1] * 60 + part[2]);
    *west_out = east ? -seconds : seconds;
    return true;
}

bool parse_date(pgc_text text, pgc_date *out)
{
    scan s = scan_of(text);
    date_parts parts;
    int64_t days;
    if (slice_eq_str(text, "infinity") || slice_eq_str(text, "-infinity")) {
        out->days = text.ptr[0] == '-' ? INT32_MIN : INT32_MAX;
        return true;
    }
    if (!scan_date(&s, &parts) || !end_date(&s, &parts, &days) || days >= INT32_MAX ||
        days <= INT32_MIN) {
        return false;
    }
    out->days = (int32_t) days;
    return true;
}

/* Both kinds of timestamp; only one has a zone. */
static bool parse_instant(pgc_text text, bool zoned, int64_t *out)
{
    scan s = scan_of(text);
    date_parts parts;
    int64_t days;
    uint64_t clock_us;
    int32_t west = 0;
    if (slice_eq_str(text, "infinity") || slice_eq_str(text, "-infinity")) {
        *out = text.ptr[0] == '-' ? INT64_MIN : INT64_MAX;
        return true;
    }
    if (!scan_date(&s, &parts) || !scan_char(&s, ' ') || !scan_clock(&s, 2, &clock_us) ||
        (zoned && !scan_zone(&s, &west)) || !end_date(&s, &parts, &days)) {
        return false;
    }
    int64_t us = (int64_t) clock_us + west * US_PER_SECOND; /* two digits of hours: no overflow */
    int64_t sum;
    if (__builtin_mul_overflow(days, US_PER_DAY, &sum) || __builtin_add_overflow(sum, us, &sum)) {
        return false;
    }
    *out = sum;
    return true;
}

bool parse_timestamp(pgc_text text, pgc_timestamp *out)
{
    return parse_instant(text, false, &out->us);
}

bool parse_timestamptz(pgc_text text, pgc_timestamptz *out)
{
    return parse_instant(text, true, &out->us);
}

bool parse_time(pgc_text text, pgc_time *out)
{
    scan s = scan_of(text);
    uint64_t us;
    if (!scan_clock(&s, 2, &us) || !scan_done(&s) || us > US_PER_DAY) {
        return false;
    }
    out->us = (int64_t) us;
    return true;
}

bool parse_timetz(pgc_text text, pgc_timetz *out)
{
    scan s = scan_of(text);
    uint64_t us;
    int32_t west;
    if (!scan_clock(&s, 2, &us) || !scan_zone(&s, &west) || !scan_done(&s) || us > US_PER_DAY) {
        return false;
    }
    *out = (pgc_timetz) { (int64_t) us, west };
    return true;
}

/* A unit of an interval and what one of it adds. */
typedef struct unit {
    const char *name;
    int64_t us;
    int32_t days, months;
} unit;

/* Words of the styles postgres and postgres_verbose, longer ones first where one begins another. */
static const unit WORDS[] = {
    { "years", 0, 0, 12 },
    { "year", 0, 0, 12 },
    { "mons", 0, 0, 1 },
    { "mon", 0, 0, 1 },
    { "days", 0, 1, 0 },
    { "day", 0, 1, 0 },
    { "hours", 3600 * US_PER_SECOND, 0, 0 },
    { "hour", 3600 * US_PER_SECOND, 0, 0 },
    { "mins", 60 * US_PER_SECOND, 0, 0 },
    { "min", 60 * US_PER_SECOND, 0, 0 },
    { "secs", US_PER_SECOND, 0, 0 },
    { "sec", US_PER_SECOND, 0, 0 },
};

/* Letters of iso_8601, in front of and behind the T. */
static const unit DATE_LETTERS[] = { { "Y", 0, 0, 12 }, { "M", 0, 0, 1 }, { "D", 0, 1, 0 } };
static const unit TIME_LETTERS[] = { { "H", 3600 * US_PER_SECOND, 0, 0 },
                                     { "M", 60 * US_PER_SECOND, 0, 0 },
                                     { "S", US_PER_SECOND, 0, 0 } };

static const unit *scan_unit(scan *s, const unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (scan_word(s, units[i].name)) {
            return &units[i];
        }
    }
    return NULL;
}

/* Adds number * unit; only seconds have a fraction. False on overflow. */
static bool add_units(pgc_interval *to, const unit *of, int64_t number, int64_t fraction)
{
    int64_t us;
    int64_t days;
    int64_t months;
    if ((fraction != 0 && of->us != US_PER_SECOND) || __builtin_mul_overflow(number, of->us, &us) ||
        __builtin_add_overflow(us, fraction, &us) || __builtin_add_overflow(to->us, us, &to->us) ||
        __builtin_mul_overflow(number, of->days, &days) ||
        __builtin_mul_overflow(number, of->months, &months)) {
        return false;
    }
    return !__builtin_add_overflow(to->days, days, &to->days) &&
           !__builtin_add_overflow(to->months, months, &to->months);
}

/* [sign] digits [fraction]; both parts carry the sign. */
static bool scan_signed(scan *s, int64_t *number_out, int64_t *fraction_out)
{
    uint64_t number;
    int64_t fraction;
    bool negative = scan_char(s, '-');
    if (!negative) {
        (void) scan_char(s, '+');
    }
    if (!scan_u64(s, 19, &number) || !scan_fraction(s, &fraction) || number > INT64_MAX) {
        return false;
    }
    *number_out = negative ? -(int64_t) number : (int64_t) number;
    *fraction_out = negative ? -fraction : fraction;
    return true;
}

/* "-04:05:06.7"; false with s unmoved when no clock comes. */
static bool scan_signed_clock(scan *s, int64_t *us_out)
{
    scan try = *s;
    uint64_t us;
    bool negative = scan_char(&try, '-');
    if (!negative) {
        (void) scan_char(&try, '+');
    }
    /* There is one more microsecond below zero than above. */
    if (!scan_clock(&try, 10, &us) || us > (uint64_t) INT64_MAX + (negative ? 1 : 0)) {
        return false;
    }
    *us_out = negative ? (int64_t) (0 - us) : (int64_t) us;
    *s = try;
    return true;
}

/* "P1Y2M3DT4H5M6.7S" */
static bool scan_iso(scan *s, pgc_interval *value)
{
    bool time = false;
    while (!scan_done(s)) {
        int64_t number;
        int64_t fraction;
        if (!time && scan_char(s, 'T')) {
            time = true;
            continue;
        }
        if (!scan_signed(s, &number, &fraction)) {
            return false;
        }
        const unit *of = time ? scan_unit(s, TIME_LETTERS, ARRAY_LEN(TIME_LETTERS))
                              : scan_unit(s, DATE_LETTERS, ARRAY_LEN(DATE_LETTERS));
        if (of == NULL || !add_units(value, of, number, fraction)) {
            return false;
        }
    }
    return true;
}

/* "1 year 2 mons -3 days 04:05:06", or "@ 1 year 4 hours ago". */
static bool scan_words(scan *s, pgc_interval *value)
{
    do {
        int64_t number;
        int64_t fraction;
        int64_t us;
        if (scan_signed_clock(s, &us)) {
            return !__builtin_add_overflow(value->us, us, &value->us) && scan_done(s);
        }
        if (!scan_signed(s, &number, &fraction)) {
            return false;
        }
        const unit *of = scan_char(s, ' ') ? scan_unit(s, WORDS, ARRAY_LEN(WORDS)) : NULL;
        if (of == NULL || !add_units(value, of, number, fraction)) {
            return false;
        }
    } while (scan_char(s, ' ') && scan_peek(s) != 'a');
    return true;
}

/* Turns the sign of all parts; false where one has no counterpart. */
static bool negate(pgc_interval *value)
{
    return !__builtin_sub_overflow(0, value->us, &value->us) &&
           !__builtin_sub_overflow(0, value->days, &value->days) &&
           !__builtin_sub_overflow(0, value->months, &value->months);
}

/* Infinite intervals exist since PostgreSQL 17. */
bool parse_interval(pgc_text text, pgc_interval *out)
{
    scan s = scan_of(text);
    pgc_interval value = { 0, 0, 0 };
    if (slice_eq_str(text, "infinity")) {
        value = (pgc_interval) { INT64_MAX, INT32_MAX, INT32_MAX };
    } else if (slice_eq_str(text, "-infinity")) {
        value = (pgc_interval) { INT64_MIN, INT32_MIN, INT32_MIN };
    } else if (slice_eq_str(text, "@ 0")) {
        /* Nothing, said in many words. */
    } else if (scan_char(&s, 'P')) {
        if (scan_done(&s) || !scan_iso(&s, &value)) {
            return false;
        }
    } else {
        bool verbose = scan_word(&s, "@ ");
        if (!scan_words(&s, &value) || (verbose && scan_word(&s, "ago") && !negate(&value)) ||
            !scan_done(&s)) {
            return false;
        }
    }
    *out = value;
    return true;
}
