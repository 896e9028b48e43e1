/* Times as people write them: "2024", "2024-05", "2024-05-31", "2024-05-31T18:00",
 * "2024-05-31T18:00:05.25+02:00". */
#ifndef SERVICE_WHEN_H
#define SERVICE_WHEN_H

#include "base/slice.h"

typedef struct lum_when {
    pgc_timestamp first; /* wall clock of its first moment */
    pgc_timestamp next;  /* of the first moment behind it; the same as first for a time of day */
    bool has_time;       /* a time of day was given */
    bool has_offset;     /* and "Z" or an offset with it */
    int16_t offset_minutes;
} lum_when;

/* False for other texts and for days that do not exist; years 1800 to 2200. */
bool lum_when_parse(slice text, lum_when *out);
/* The instant of a wall clock in UTC less the offset. */
pgc_timestamptz lum_when_instant(const lum_when *when);

#endif
