/* What other clients say: jobs were inserted, a queue pauses, a job is to be cancelled, the leader
 * resigns. One listening session for all topics; nothing depends on it but promptness. */
#ifndef RIVER_NOTIFY_H
#define RIVER_NOTIFY_H

#include "river/runtime.h"

/* Start listening; nothing to do for a client that polls only. */
pgc_status notify_start(runtime *run, pgc_error *err) PGC_MUST_CHECK;
void notify_stop(runtime *run);
/* Act on one notification of a topic. */
void notify_dispatch(runtime *run, slice topic, slice payload);

#endif
