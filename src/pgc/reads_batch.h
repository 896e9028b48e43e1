/* Reads that travel together: what a leader runs. */
#ifndef PGC_READS_BATCH_H
#define PGC_READS_BATCH_H

#include <pgc/pool.h>

#include "base/list.h"
#include "pgc/gate.h"
#include "pgc/run.h"

/* One call, on the stack of its caller. */
typedef struct read_request {
    list_node link; /* of its batch */
    const pgc_query *query;
    const pgc_args *args;
    pgc_result *result;
    pgc_error *err; /* the caller's; may be NULL */
    pgc_status status;
    bool is_queued; /* its messages stand in the exchange, at `queue` */
    bool is_stale;  /* its statement was outdated */
    bool alone;     /* its batch failed for a reason that is not its own: it runs again */
    queued queue;
} read_request;

/* Those who travel together. Lives as long as the handle, so that members may look at the bell
 * after the batch was used for others. */
typedef struct read_batch {
    list_node link;    /* of those that wait, or of the spare ones */
    list_node members; /* of read_request, first come first */
    size_t count;
    bool appointed; /* has a lane; takes more members until its leader is there */
    gate *turn;     /* of the first member, who leads: opens with the lane; on its stack */
    bell over;      /* struck when all members have their answer */
} read_batch;

/* Run all members in one round trip on a connection of the pool. Each gets a status, and a result
 * or an error, or is to run again alone; the number of the latter. Nobody else may touch them
 * meanwhile. */
int64_t batch_run(pgc_pool *pool, read_batch *batch);

#endif
