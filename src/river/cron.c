/* Parsing is by a table of fields; the next time is found by skipping whole months, days and hours
 * that do not match, so that even "29 February" takes some thousand steps. Threads: no state. */
#include "base/prelude.h"

#include "river/cron.h"
#include "river/timetext.h"

#define MINUTE_US   INT64_C(60000000)
#define YEARS_AHEAD 28

typedef struct field {
    const char *name;
    int first, last;
    const char *const *words; /* names of values, NULL-terminated; may be NULL */
    int words_from;           /* value of words[0] */
} field;

static const char *const MONTHS[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul",
                                      "aug", "sep", "oct", "nov", "dec", NULL };
static const char *const WEEKDAYS[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat", NULL };

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

static const field FIELDS[FIELD_COUNT] = {
    [MINUTE] = { "minute", 0, 59, NULL, 0 },
    [HOUR] = { "hour", 0, 23, NULL, 0 },
    [DAY] = { "day", 1, 31, NULL, 0 },
    [MONTH] = { "month", 1, 12, MONTHS, 1 },
    [WEEKDAY] = { "weekday", 0, 7, WEEKDAYS, 0 },
};

static const struct {
    const char *name, *fields;
} SHORTCUTS[] = {
    { "@yearly", "0 0 1 1 *" }, { "@annually", "0 0 1 1 *" }, { "@monthly", "0 0 1 * *" },
    { "@weekly", "0 0 * * 0" }, { "@daily", "0 0 * * *" },    { "@midnight", "0 0 * * *" },
    { "@hourly", "0 * * * *" },
};

static pgc_status refuse(const field *f, slice text, pgc_error *err)
{
    return pgc_error_set(err, PGC_INVALID, "cron: '%" SLICE_FMT "' is no %s (%d to %d)",
                         SLICE_ARG(text), f->name, f->first, f->last);
}

/* A number or a name. */
static bool parse_value(const field *f, slice text, int *out)
{
    int64_t number;
    for (int i = 0; f->words != NULL && f->words[i] != NULL; i++) {
        slice word = { f->words[i], strlen(f->words[i]) };
        if (slice_eq_nocase(text, word)) {
            *out = f->words_from + i;
            return true;
        }
    }
    if (text.len == 0 || !isdigit((unsigned char) text.ptr[0]) || !slice_to_i64(text, &number) ||
        number < f->first || number > f->last) {
        return false;
    }
    *out = (int) number;
    return true;
}

/* "*", "3", "1-5", each with "/2". */
static pgc_status parse_entry(const field *f, slice text, uint64_t *bits, pgc_error *err)
{
    slice rest = text;
    slice range = slice_next(&rest, '/');
    int from = f->first, to = f->last, step = 1;
    if (rest.ptr != NULL) {
        int64_t number;
        if (!slice_to_i64(rest, &number) || number < 1 || number > f->last) {
            return refuse(f, text, err);
        }
        step = (int) number;
    }
    if (!slice_eq_str(range, "*")) {
        slice end = range;
        slice start = slice_next(&end, '-');
        if (!parse_value(f, start, &from)) {
            return refuse(f, text, err);
        }
        if (end.ptr == NULL) {
            to = rest.ptr == NULL ? from : f->last;
        } else if (!parse_value(f, end, &to) || to < from) {
            return refuse(f, text, err);
        }
    }
    for (int value = from; value <= to; value += step) {
        *bits |= UINT64_C(1) << value;
    }
    return PGC_OK;
}

static pgc_status parse_field(const field *f, slice text, uint64_t *bits, pgc_error *err)
{
    slice rest = text;
    *bits = 0;
    while (rest.ptr != NULL) {
        TRY(parse_entry(f, slice_next(&rest, ','), bits, err));
    }
    return PGC_OK;
}

static slice expand(slice text)
{
    for (size_t i = 0; i < ARRAY_LEN(SHORTCUTS); i++) {
        if (slice_eq_str(text, SHORTCUTS[i].name)) {
            return (slice) { SHORTCUTS[i].fields, strlen(SHORTCUTS[i].fields) };
        }
    }
    return text;
}

/* Cut the next word off. */
static slice next_word(slice *rest)
{
    *rest = slice_trim(*rest);
    size_t end = 0;
    while (end < rest->len && isspace((unsigned char) rest->ptr[end]) == 0) {
        end++;
    }
    slice word = slice_sub(*rest, 0, end);
    *rest = slice_sub(*rest, end, rest->len);
    return word;
}

pgc_status cron_parse(slice text, cron *out, pgc_error *err)
{
    slice rest = expand(slice_trim(text));
    uint64_t bits[FIELD_COUNT];
    bool any[FIELD_COUNT];
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        slice word = next_word(&rest);
        if (word.len == 0) {
            return pgc_error_set(err, PGC_INVALID, "cron: the %s is missing in '%" SLICE_FMT "'",
                                 FIELDS[i].name, SLICE_ARG(text));
        }
        TRY(parse_field(&FIELDS[i], word, &bits[i], err));
        any[i] = word.ptr[0] == '*';
    }
    if (slice_trim(rest).len > 0) {
        return pgc_error_set(err, PGC_INVALID, "cron: more than five fields in '%" SLICE_FMT "'",
                             SLICE_ARG(text));
    }
    *out = (cron) {
        .minutes = bits[MINUTE],
        .hours = (uint32_t) bits[HOUR],
        .days = (uint32_t) bits[DAY],
        .months = (uint16_t) bits[MONTH],
        .weekdays = (uint8_t) ((bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f),
        .any_day = any[DAY],
        .any_weekday = any[WEEKDAY],
    };
    return PGC_OK;
}

static bool day_matches(const cron *schedule, const struct tm *at)
{
    bool day = (schedule->days >> at->tm_mday & 1) != 0;
    bool weekday = (schedule->weekdays >> at->tm_wday & 1) != 0;
    if (schedule->any_day || schedule->any_weekday) {
        return day && weekday;
    }
    return day || weekday;
}

/* Normalise and say whether the calendar is still good for it. */
static bool normalise(struct tm *at)
{
    at->tm_isdst = 0;
    time_t seconds = timegm(at);
    return gmtime_r(&seconds, at) != NULL;
}

bool cron_next(const cron *schedule, pgc_timestamp after, pgc_timestamp *out)
{
    int64_t unix_us = after.us + TIME_EPOCH_2000_US;
    int64_t minutes = unix_us / MINUTE_US - (unix_us % MINUTE_US < 0 ? 1 : 0);
    time_t seconds = (time_t) ((minutes + 1) * 60);
    struct tm at;
    if (gmtime_r(&seconds, &at) == NULL) {
        return false;
    }
    int last_year = at.tm_year + YEARS_AHEAD;
    while (at.tm_year <= last_year) {
        if ((schedule->months >> (at.tm_mon + 1) & 1) == 0) {
            at = (struct tm) { .tm_year = at.tm_year, .tm_mon = at.tm_mon + 1, .tm_mday = 1 };
        } else if (!day_matches(schedule, &at)) {
            at.tm_mday++;
            at.tm_hour = at.tm_min = 0;
        } else if ((schedule->hours >> at.tm_hour & 1) == 0) {
            at.tm_hour++;
            at.tm_min = 0;
        } else if ((schedule->minutes >> at.tm_min & 1) == 0) {
            at.tm_min++;
        } else {
            out->us = (int64_t) timegm(&at) * 1000000 - TIME_EPOCH_2000_US;
            return true;
        }
        if (!normalise(&at)) {
            return false;
        }
    }
    return false;
}
