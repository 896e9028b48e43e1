/* Time: PostgreSQL counts microseconds from 2000, Unix from 1970. Pure functions; any thread.
 * INT64_MAX and INT64_MIN are the infinities on both sides. */
#include "base/prelude.h"

#include <pgc/types.h>

#define EPOCH_UNIX_US (PGC_EPOCH_UNIX_SECONDS * INT64_C(1000000))

/* The two epochs lie 30 years apart: what would fall off the lower end becomes -infinity. */
pgc_timestamptz pgc_timestamptz_from_unix_us(int64_t unix_us)
{
    if (unix_us == INT64_MAX) {
        return (pgc_timestamptz) { INT64_MAX };
    }
    int64_t us;
    if (__builtin_sub_overflow(unix_us, EPOCH_UNIX_US, &us)) {
        us = INT64_MIN;
    }
    return (pgc_timestamptz) { us };
}

/* Infinities stay infinities; the last 30 years before the upper one cannot be told in Unix time
 * and join it. */
int64_t pgc_timestamptz_to_unix_us(pgc_timestamptz value)
{
    if (value.us == INT64_MIN) {
        return INT64_MIN;
    }
    int64_t us;
    return __builtin_add_overflow(value.us, EPOCH_UNIX_US, &us) ? INT64_MAX : us;
}
