/* Transactions as callbacks: the whole of it runs again after a serialization failure, because the
 * decisions that led to its statements may be different the second time; and after a lost
 * connection when it is certain that nothing was committed. Any thread. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/tx_parts.h"
#include "pgc/watch.h"

#define ATTEMPTS_DEFAULT 5u
/* Half to all of 5 ms, 10 ms, 20 ms … so that the same transactions do not meet again. */
#define CONFLICT_FIRST_US   5000
#define CONFLICT_LONGEST_US 100000
/* A server that restarts or hands over to another one needs longer. */
#define AWAY_FIRST_US   50000
#define AWAY_LONGEST_US 2000000

/* Why an attempt may be followed by another one. */
typedef enum reason { NEVER, CONFLICT, STALE, AWAY, REFUSED } reason;

static bool state_is(const pgc_error *err, const char *sqlstate)
{
    return strcmp(err->sqlstate, sqlstate) == 0;
}

/* err->xact is only set when the transaction was or may have been committed. A read-only error in a
 * transaction that was to write means that the server is a standby now. */
static reason reason_of(pgc_status status, const pgc_error *err, bool read_only)
{
    if (status == PGC_OK || status == PGC_IN_DOUBT || err->xact.id != 0) {
        return NEVER;
    }
    if (state_is(err, "25006")) {
        return read_only ? NEVER : REFUSED;
    }
    if (!err->retry) {
        return NEVER;
    }
    if (state_is(err, "40001") || state_is(err, "40P01")) {
        return CONFLICT;
    }
    if (status == PGC_CONFLICT) {
        return STALE; /* whatever the server calls it: the statement is prepared anew */
    }
    return status == PGC_CONNECTION ? AWAY : NEVER;
}

static int64_t pause_of(const clock_ops *clock, reason why, uint32_t attempt)
{
    if (why == STALE) {
        return 0;
    }
    int64_t pause_us = why == CONFLICT ? CONFLICT_FIRST_US : AWAY_FIRST_US;
    int64_t longest_us = why == CONFLICT ? CONFLICT_LONGEST_US : AWAY_LONGEST_US;
    for (uint32_t i = 1; i < attempt && pause_us < longest_us; i++) {
        pause_us *= 2;
    }
    return clock_jitter(clock, pause_us < longest_us ? pause_us : longest_us);
}

/* The callback's own failure rolls back; its status is what the caller hears. */
static pgc_status attempt(const tx_source *source, const pgc_tx_options *options, pgc_tx_fn fn,
                          void *arg, pgc_error *err)
{
    pgc_tx *tx = NULL;
    TRY(tx_begin_from(source, options, &tx, err));
    pgc_status status = fn(tx, arg, err);
    bool refused = status != PGC_OK && state_is(err, "25006");
    if (refused && source->refused != NULL) {
        source->refused(source->ctx, tx->outer->pool);
    }
    if (refused && !tx->outer->options.read_only) {
        tx->conn->lost = true; /* it would refuse the next one, too */
    }
    if (status != PGC_OK) {
        pgc_tx_rollback(tx);
        return status;
    }
    return pgc_tx_commit(&tx, err);
}

/* Every attempt borrows anew: a connection that was lost meanwhile does not matter. */
pgc_status tx_run_from(const tx_source *source, const pgc_tx_options *options, uint32_t attempt_max,
                       pgc_tx_fn fn, void *arg, pgc_error *err)
{
    pgc_error ours;
    pgc_tx_options full;
    err = err == NULL ? &ours : err; /* the decision to run again needs it */
    TRY(tx_options_resolve(options, &full, err));
    const clock_ops *clock = source->clock;
    int64_t timeout_us = full.timeout_us;
    int64_t until_us = clock->mono_us(clock->ctx) + timeout_us;
    attempt_max = attempt_max == 0 ? ATTEMPTS_DEFAULT : attempt_max;
    for (uint32_t number = 1;; number++) {
        pgc_error_clear(err);
        pgc_status status = attempt(source, options == NULL ? NULL : &full, fn, arg, err);
        reason why = reason_of(status, err, full.read_only);
        if (number >= attempt_max || why == NEVER) {
            return status;
        }
        int64_t pause_us = pause_of(clock, why, number);
        if (timeout_us > 0) {
            full.timeout_us = until_us - clock->mono_us(clock->ctx) - pause_us;
            if (full.timeout_us <= 0) {
                return pgc_error_wrap(err, status, "no time for attempt %" PRIu32, number + 1);
            }
        }
        const pgc_retry_event event = { .kind = PGC_RETRY_TRANSACTION,
                                        .name = "transaction",
                                        .attempt = number,
                                        .status = status,
                                        .pause_us = pause_us };
        hooks_retry(source->hooks, event, err);
        if (pause_us > 0) {
            clock->sleep_us(clock->ctx, pause_us);
        }
    }
}

pgc_status pgc_tx_run(pgc_pool *pool, const pgc_tx_options *options, uint32_t attempt_max,
                      pgc_tx_fn fn, void *arg, pgc_error *err)
{
    if (pool == NULL || fn == NULL) {
        return pgc_error_set(err, PGC_INVALID, "transaction: no pool or no function");
    }
    const tx_source source = tx_source_pool(pool);
    return tx_run_from(&source, options, attempt_max, fn, arg, err);
}
