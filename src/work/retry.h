/* Outliving a restart of the database: a call that failed because the server was away is made again
 * for some seconds, with growing pauses. The call must be one that may run twice. */
#ifndef WORK_RETRY_H
#define WORK_RETRY_H

#include <pgc/error.h>

#include "base/clock.h"

#define RETRY_WAIT_US 10000000 /* how long a server may be away */

typedef struct retry {
    const clock_ops *clock;
    int64_t until_us; /* of mono_us */
    int64_t pause_us; /* before the next call */
    unsigned count;   /* calls that were made again */
} retry;

/* wait_us: 0 for RETRY_WAIT_US, negative for no second call. */
void retry_begin(retry *r, const clock_ops *clock, int64_t wait_us);
/* After a call: true when it is to be made again; has paused and cleared err (may be NULL). */
bool retry_again(retry *r, pgc_status status, pgc_error *err);

#endif
