/* River's default policy. Threads: no state. */
#include "base/prelude.h"

#include "river/retry.h"

/* Go's longest duration, 2^63 - 1 nanoseconds, in microseconds: the cap, without jitter. */
#define LONGEST_US INT64_C(9223372036854775)

int64_t retry_delay_us(size_t failures, const clock_ops *clock)
{
    uint32_t random = UINT32_MAX / 2; /* no randomness: no jitter */
    if (!clock->random(clock->ctx, &random, sizeof(random))) {
        random = UINT32_MAX / 2;
    }
    double count = (double) failures;
    double seconds = count * count * count * count;
    if (seconds * 1e6 >= (double) LONGEST_US) {
        return LONGEST_US;
    }
    double jitter = seconds * (0.2 * random / ((double) UINT32_MAX + 1) - 0.1);
    return (int64_t) ((seconds + jitter) * 1e6);
}
