/* What needs our side tables: heartbeats, limits over all clients, durable periodic jobs. A client
 * without these options never asks for the tables. */
#ifndef RIVER_SIDE_H
#define RIVER_SIDE_H

#include "river/runtime.h"

#define SIDE_SILENT_BEATS 6 /* so many missed beats make a client lost */

/* side.c */
/* Make the tables that the options need, unless they are there. */
pgc_status side_prepare(river_client *client, const river_client_options *options, pgc_error *err)
    PGC_MUST_CHECK;
/* The same for what comes later: a queue or a periodic job that needs them. */
pgc_status side_require(river_client *client, pgc_error *err) PGC_MUST_CHECK;

/* beat.c */
/* The first beat is stored before it returns: no job is fetched without one. */
pgc_status beat_start(runtime *run, pgc_error *err) PGC_MUST_CHECK;
/* After the last outcome is stored: takes the client's row away. */
void beat_stop(runtime *run);
/* One batch of jobs whose clients are silent; *more: there may be others. */
pgc_status beat_rescue(const runtime *run, pgc_db *db, int32_t max, bool *more, pgc_error *err)
    PGC_MUST_CHECK;

/* limit.c */
bool limit_wanted(const river_queue_options *queue);
/* As store_fetch(), but at most what the queue's limits leave: *granted says how many. */
pgc_status limit_fetch(const producer *from, uint32_t max, uint32_t *granted, river_jobs **out,
                       pgc_error *err) PGC_MUST_CHECK;

#endif
