/* Cancel requests: PQcancel() blocks without limit, so a thread of its own makes the call. */
#ifndef PGC_CANCEL_H
#define PGC_CANCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "pgc/pq.h"

typedef struct cancel_job cancel_job;

/* Ask the server to stop what the connection runs; NULL when that could not even be started. */
cancel_job *cancel_start(const pq_ops *pq, PGconn *pg);
/* Wait up to wait_us for the request to be over and forget it. True when it is over: after that no
 * late cancel can come. False leaves the thread to clean up behind itself. */
bool cancel_finish(cancel_job *job, int64_t wait_us);

#endif
