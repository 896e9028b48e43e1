/* When a failed job comes again. */
#ifndef RIVER_RETRY_H
#define RIVER_RETRY_H

#include "base/clock.h"

/* Microseconds until the next attempt after the given number of failures (1 for the first): the
 * fourth power in seconds, up to ten percent more or less, at most 292 years. */
int64_t retry_delay_us(size_t failures, const clock_ops *clock);

#endif
