/* Cron expressions: minute, hour, day, month, weekday, as Vixie cron reads them. Works on
 * wall-clock time; zones are the caller's. */
#ifndef RIVER_CRON_H
#define RIVER_CRON_H

#include <pgc/error.h>

#include "base/slice.h"

typedef struct cron {
    uint64_t minutes;
    uint32_t hours;
    uint32_t days;    /* bits 1 to 31 */
    uint16_t months;  /* bits 1 to 12 */
    uint8_t weekdays; /* bits 0 to 6, Sunday is 0 */
    bool any_day;     /* the field was "*": only the other one of day and weekday counts */
    bool any_weekday;
} cron;

/* Five fields with "*", lists, ranges, "/steps" and English names, or @yearly, @annually, @monthly,
 * @weekly, @daily, @midnight, @hourly. PGC_INVALID names the field. */
pgc_status cron_parse(slice text, cron *out, pgc_error *err) PGC_MUST_CHECK;
/* First minute after `after` that matches; false when there is none within 28 years, in which every
 * day of every weekday comes. */
bool cron_next(const cron *schedule, pgc_timestamp after, pgc_timestamp *out);

#endif
