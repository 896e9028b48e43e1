/* Cancel requests: each is a connection of its own, so a thread of its own makes it. */
#ifndef PGC_CANCEL_H
#define PGC_CANCEL_H

#include <stdbool.h>
#include <stdint.h>

#include "pgc/pq.h"

typedef struct cancel_job cancel_job;

/* Ask the server to stop what the connection runs, again and again until cancel_finish(): a request
 * that meets the server between two commands has no effect. NULL when it could not be started. Any
 * thread, as long as the connection stays open. */
cancel_job *cancel_start(const pq_ops *pq, PGconn *pg);
/* Ask no more, and wait up to wait_us for the request under way. True: after this no late cancel
 * can come. False leaves the thread to clean up behind itself. */
bool cancel_finish(cancel_job *job, int64_t wait_us);

#endif
