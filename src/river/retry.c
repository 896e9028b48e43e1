/* River's default policy. Threads: no state. */
#include "base/prelude.h"

#include "river/retry.h"

/* Go's longest duration, 2^63 - 1 nanoseconds, in microseconds: the cap, without jitter. */
#define LONGEST_US INT64_C(9223372036854775)

int64_t retry_delay_us(size_t failures, const clock_ops *clock)
{
    double count = (double) failures;
    double seconds = count * count * count * count;
    if (seconds * 1e6 >= (double) LONGEST_US) {
        return LONGEST_US;
    }
    /* Ten percent less to ten percent more. */
    return (int64_t) (seconds * 0.9e6) + clock_spread(clock, (int64_t) (seconds * 0.2e6));
}
