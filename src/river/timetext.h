/* Times as text: RFC 3339 as Go writes and reads it. */
#ifndef RIVER_TIMETEXT_H
#define RIVER_TIMETEXT_H

#include "base/buf.h"

/* Microseconds from 1970 to 2000, where pgc_timestamptz begins. */
#define TIME_EPOCH_2000_US INT64_C(946684800000000)

/* UTC with "Z"; fraction digits without trailing zeros. Years 0001 to 9999, else nothing. */
void time_add_rfc3339(buf *out, pgc_timestamptz at);
/* Any offset, up to nine fraction digits (cut to microseconds); false for other texts. */
bool time_parse_rfc3339(slice text, pgc_timestamptz *out);
/* Microseconds since 1970 as a timestamp. */
static inline pgc_timestamptz time_of_unix(int64_t unix_us)
{
    return (pgc_timestamptz) { unix_us - TIME_EPOCH_2000_US };
}

#endif
