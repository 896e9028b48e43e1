/* Reads times as people write them. Years are bounded, so that no sum below can overflow. No state;
 * thread-safe. */
#include "base/prelude.h"

#include "service/when.h"

#define SECOND_US  INT64_C(1000000)
#define MINUTE_US  (60 * SECOND_US)
#define DAY_US     (24 * 60 * MINUTE_US)
#define YEAR_FIRST 1800
#define YEAR_LAST  2200
#define OFFSET_MAX (14 * 60) /* minutes; as the table's check */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in(int year, int month)
{
    static const int DAYS[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    assert(month >= 1 && month <= 12);
    return DAYS[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 2000-01-01, where the server begins to count. */
static int64_t day_number(int year, int month, int day)
{
    int64_t past = year - 1;
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400;
    for (int m = 1; m < month; m++) {
        days += days_in(year, m);
    }
    return days + day - 1 - 730119; /* days before 2000 since 0001-01-01 */
}

/* Exactly `width` digits from the front of *rest. */
static bool take_digits(slice *rest, size_t width, int *out)
{
    int value = 0;
    if (rest->len < width) {
        return false;
    }
    for (size_t i = 0; i < width; i++) {
        if (rest->ptr[i] < '0' || rest->ptr[i] > '9') {
            return false;
        }
        value = value * 10 + (rest->ptr[i] - '0');
    }
    *rest = slice_sub(*rest, width, rest->len);
    *out = value;
    return true;
}

/* A mark and the digits behind it; false, and nothing taken, when the mark is not there. */
static bool take_part(slice *rest, char mark, int *out)
{
    slice tail = slice_sub(*rest, 1, rest->len);
    if (rest->len == 0 || rest->ptr[0] != mark || !take_digits(&tail, 2, out)) {
        return false;
    }
    *rest = tail;
    return true;
}

/* ".25": up to six digits count, more are refused. */
static bool take_fraction(slice *rest, int64_t *us)
{
    int64_t scale = SECOND_US;
    if (rest->len == 0 || rest->ptr[0] != '.') {
        return true;
    }
    *rest = slice_sub(*rest, 1, rest->len);
    while (rest->len > 0 && rest->ptr[0] >= '0' && rest->ptr[0] <= '9' && scale > 1) {
        scale /= 10;
        *us += (rest->ptr[0] - '0') * scale;
        *rest = slice_sub(*rest, 1, rest->len);
    }
    return scale < SECOND_US;
}

/* "Z", "+02:00" or nothing. */
static bool take_offset(slice *rest, lum_when *out)
{
    int hours = 0;
    int minutes = 0;
    if (rest->len == 0) {
        return true;
    }
    out->has_offset = true;
    if (slice_eq_nocase(*rest, SLICE("Z"))) {
        *rest = slice_sub(*rest, 1, 1);
        return true;
    }
    char sign = rest->ptr[0];
    *rest = slice_sub(*rest, 1, rest->len);
    if ((sign != '+' && sign != '-') || !take_digits(rest, 2, &hours) ||
        !take_part(rest, ':', &minutes) || minutes > 59 || hours * 60 + minutes > OFFSET_MAX) {
        return false;
    }
    minutes += hours * 60;
    out->offset_minutes = (int16_t) (sign == '-' ? -minutes : minutes);
    return true;
}

/* The time of day behind the 'T', with what follows it. */
static bool take_time(slice *rest, lum_when *out)
{
    int hour = 0;
    int minute = 0;
    int second = 0;
    int64_t us = 0;
    if (!take_digits(rest, 2, &hour) || !take_part(rest, ':', &minute)) {
        return false;
    }
    if (take_part(rest, ':', &second) && !take_fraction(rest, &us)) {
        return false;
    }
    out->has_time = true;
    out->first.us += (hour * INT64_C(60) + minute) * MINUTE_US + second * SECOND_US + us;
    out->next = out->first;
    return hour < 24 && minute < 60 && second < 60 && take_offset(rest, out);
}

bool lum_when_parse(slice text, lum_when *out)
{
    lum_when when = { 0 };
    slice rest = slice_trim(text);
    int year = 0;
    int month = 1;
    int day = 1;
    if (!take_digits(&rest, 4, &year) || year < YEAR_FIRST || year > YEAR_LAST) {
        return false;
    }
    bool has_month = take_part(&rest, '-', &month);
    if (month < 1 || month > 12) {
        return false;
    }
    bool has_day = has_month && take_part(&rest, '-', &day);
    if (day < 1 || day > days_in(year, month)) {
        return false;
    }
    int64_t first = day_number(year, month, day);
    int64_t days = has_day     ? 1
                   : has_month ? days_in(year, month)
                               : day_number(year + 1, 1, 1) - first;
    when.first.us = first * DAY_US;
    when.next.us = (first + days) * DAY_US;
    if (has_day && rest.len > 0 && (rest.ptr[0] == 'T' || rest.ptr[0] == ' ')) {
        rest = slice_sub(rest, 1, rest.len);
        if (!take_time(&rest, &when)) {
            return false;
        }
    }
    if (rest.len > 0) {
        return false;
    }
    *out = when;
    return true;
}

pgc_timestamptz lum_when_instant(const lum_when *when)
{
    assert(when->has_offset || when->offset_minutes == 0);
    return (pgc_timestamptz) { when->first.us - when->offset_minutes * MINUTE_US };
}
