/* Dates and offsets as metadata writes them. Pure functions. */
#ifndef MEDIA_METADATA_TIME_H
#define MEDIA_METADATA_TIME_H

#include "base/slice.h"

/* A wall clock, and how far it was east of UTC when that is known. */
typedef struct metadata_time {
    int64_t local_us; /* microseconds from 1970-01-01 00:00 of the wall clock */
    int32_t offset_minutes;
    bool has_offset;
    bool has_clock;    /* false: only the date was given, the clock is 00:00 */
    bool has_fraction; /* the text itself had parts of a second */
} metadata_time;

/* "2019:08:01 17:34:22", also with '-' or '/' in the date, 'T' before the clock, no seconds, 1 to 9
 * digits of a fraction, and "Z", "+02:00", "+0200" or "+02" at the end; a date alone is midnight.
 * False, *out untouched: anything else, dates that do not exist, years outside of 1800..2199. */
bool metadata_parse_time(slice text, metadata_time *out);

/* "+2", "+02", "+0200", "+02:00", "Z"; without a sign it is east. What follows a blank or comma is
 * ignored. False, *out untouched: other text, or more than 14 hours. */
bool metadata_parse_offset(slice text, int32_t *out_minutes);

/* Digits behind the point of a second as a tag of its own: "5" and "500" are half a second. False,
 * *out untouched: not 1 to 9 digits. */
bool metadata_parse_subsecond(slice text, int32_t *out_us);

/* Days from 1970-01-01 to a date of the Gregorian calendar. */
int64_t metadata_days(int64_t year, int64_t month, int64_t day);

#endif
