/* Transactions as callbacks: the whole of it runs again after a serialization failure, because the
 * decisions that led to its statements may be different the second time. Any thread. */
#include "base/prelude.h"

#include <pgc/tx.h>

#include "pgc/pool_state.h"
#include "pgc/watch.h"

#define ATTEMPTS_DEFAULT 5u
#define PAUSE_FIRST_US   5000
#define PAUSE_LONGEST_US 100000

/* Half to all of 5 ms, 10 ms, 20 ms … so that the same transactions do not meet again. */
static int64_t pause_after(const pgc_pool *pool, uint32_t attempt)
{
    int64_t pause_us = PAUSE_FIRST_US;
    for (uint32_t i = 1; i < attempt && pause_us < PAUSE_LONGEST_US; i++) {
        pause_us *= 2;
    }
    pause_us = pause_us > PAUSE_LONGEST_US ? PAUSE_LONGEST_US : pause_us;
    return pool_jitter(pool, pause_us);
}

/* Serialization failure, deadlock, or a prepared statement that became outdated inside. */
static bool worth_again(pgc_status status, const pgc_error *err)
{
    static const char *const CODES[] = { "40001", "40P01", "0A000", "26000" };
    if (status == PGC_OK || !err->retry) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(CODES); i++) {
        if (strcmp(err->sqlstate, CODES[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* The callback's own failure rolls back; its status is what the caller hears. */
static pgc_status attempt(pgc_pool *pool, const pgc_tx_options *options, pgc_tx_fn fn, void *arg,
                          pgc_error *err)
{
    pgc_tx *tx = NULL;
    TRY(pgc_tx_begin(pool, options, &tx, err));
    pgc_status status = fn(tx, arg, err);
    if (status != PGC_OK) {
        pgc_tx_rollback(tx);
        return status;
    }
    return pgc_tx_commit(&tx, err);
}

/* Every attempt borrows anew: a connection that was lost meanwhile does not matter. */
pgc_status pgc_tx_run(pgc_pool *pool, const pgc_tx_options *options, uint32_t attempt_max,
                      pgc_tx_fn fn, void *arg, pgc_error *err)
{
    pgc_error ours;
    if (pool == NULL || fn == NULL) {
        return pgc_error_set(err, PGC_INVALID, "transaction: no pool or no function");
    }
    if (attempt_max == 0) {
        attempt_max = ATTEMPTS_DEFAULT;
    }
    if (err == NULL) {
        err = &ours; /* the decision to run again needs it */
    }
    for (uint32_t number = 1;; number++) {
        pgc_error_clear(err);
        pgc_status status = attempt(pool, options, fn, arg, err);
        if (number >= attempt_max || !worth_again(status, err)) {
            return status;
        }
        const clock_ops *clock = pool->seams.clock;
        int64_t pause_us = pause_after(pool, number);
        hooks_retry(&pool->hooks,
                    (pgc_retry_event) { .kind = PGC_RETRY_TRANSACTION,
                                        .name = "transaction",
                                        .attempt = number,
                                        .status = status,
                                        .pause_us = pause_us },
                    err);
        clock->sleep_us(clock->ctx, pause_us);
    }
}
