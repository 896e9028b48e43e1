/*
 * Limits of a queue over all libriver clients. Whoever fetches takes the queue's turn first, a row
 * lock until the end of the transaction, and counts behind it: a count of before the wait would not
 * know what others have just fetched. Clients of others take no turns, but what they run is
 * counted. Threads: no state.
 */
#include "base/prelude.h"

#include "river/side.h"

#include <pgc/tx.h>

#include "river/store_ext.h"

bool limit_wanted(const river_queue_options *queue)
{
    return queue->global_limit > 0 || queue->rate_count > 0;
}

static pgc_status fetch_in(const producer *from, pgc_db *db, uint32_t max, uint32_t *granted,
                           river_jobs **out, pgc_error *err)
{
    const river_client *client = from->run->client;
    const river_store *store = client->store;
    const store_limits limits = { .running = from->options.global_limit,
                                  .starts = from->options.rate_count,
                                  .period_us = from->options.rate_period_us };
    TRY(store_ext_lock(store, db, from->name, err));
    TRY(store_ext_room(store, db, from->name, &limits, max, granted, err));
    if (*granted == 0) {
        return PGC_OK;
    }
    TRY(store_fetch(store, db, from->name, client->id, *granted, out, err));
    size_t count = river_jobs_count(*out);
    if (limits.starts == 0 || count == 0) {
        return PGC_OK;
    }
    return store_ext_started(store, db, from->name, limits.period_us, count, err);
}

pgc_status limit_fetch(const producer *from, uint32_t max, uint32_t *granted, river_jobs **out,
                       pgc_error *err)
{
    /* Each statement sees what was committed before it. */
    const pgc_tx_options options = { .struct_size = sizeof(options),
                                     .isolation = PGC_READ_COMMITTED };
    pgc_tx *tx = NULL;
    river_jobs *jobs = NULL;
    TRY(pgc_tx_begin(from->run->client->pool, &options, &tx, err));
    pgc_status status = fetch_in(from, pgc_tx_db(tx), max, granted, &jobs, err);
    if (status == PGC_OK) {
        status = pgc_tx_commit(&tx, err);
    } else {
        pgc_tx_rollback(tx);
    }
    if (status != PGC_OK) {
        river_jobs_free(jobs);
        return status;
    }
    *out = jobs;
    return PGC_OK;
}
