#ifndef RIVER_WORKER_H
#define RIVER_WORKER_H

#include <pgc/tx.h>
#include <river/job.h>

PGC_BEGIN_DECLS

/**
 * One attempt at one job, given to its handler. Opaque. Used by the handler's thread; only
 * river_ctx_cancelled() and river_ctx_wait() may be called from threads that the handler started
 * and that end before it returns.
 */
typedef struct river_ctx river_ctx;

/**
 * Works one job.
 *
 * @param job lives until the handler returns.
 * @param arg what the worker was registered with.
 * @return PGC_OK: completed, or what river_ctx_snooze() / river_ctx_cancel() asked for. Anything
 *         else: the attempt failed with err's message and will be repeated after a delay, or the
 *         job is discarded when its attempts are used up. PGC_CLOSED or PGC_CANCELLED after the
 *         client was told to stop hard: the attempt does not count and the job is available
 *         again.
 *
 * A handler runs at least once, and again when its process died in the middle. Effects in the
 * database are exactly once when they happen in the transaction of river_ctx_complete().
 */
typedef pgc_status (*river_work_fn)(river_ctx *ctx, const river_job *job, void *arg,
                                    pgc_error *err);

/** When to try again: microseconds from now; 0 means the default policy. */
typedef int64_t (*river_retry_fn)(const river_job *job, void *arg);

/** How jobs of one kind are worked. Zero means the default. */
typedef struct river_worker {
    size_t struct_size; /**< sizeof(river_worker) */
    const char *kind;   /**< copied */
    river_work_fn work;
    void *arg;
    int64_t timeout_us;         /**< 0: the client's; -1: none */
    river_retry_fn next_retry;  /**< NULL: n^4 seconds, ten percent up or down */
    const char *const *aliases; /**< older names of the kind; copied */
    size_t alias_count;
    int64_t
        rescue_after_us; /**< 0: the client's; how long a run may last before it counts as lost */
} river_worker;

/** The attempt should end: deadline passed, job cancelled, or client stopping hard. Cheap. */
PGC_API bool river_ctx_cancelled(const river_ctx *ctx);

/** Why, once river_ctx_cancelled() is true: PGC_TIMEOUT, PGC_CANCELLED (by somebody) or PGC_CLOSED
 * (client stops); PGC_OK before. */
PGC_API pgc_status river_ctx_reason(const river_ctx *ctx);

/** Microseconds left; INT64_MAX without a deadline; never negative. */
PGC_API int64_t river_ctx_remaining_us(const river_ctx *ctx);

/** Sleep. @return PGC_OK after the time; else what river_ctx_reason() says, at once. */
PGC_API pgc_status river_ctx_wait(river_ctx *ctx, int64_t us);

/** Not now: run again after `us`; the attempt does not count. The handler then returns PGC_OK. */
PGC_API void river_ctx_snooze(river_ctx *ctx, int64_t us);

/** Never again: the job ends as cancelled with this reason. The handler then returns PGC_OK. */
PGC_API void river_ctx_cancel(river_ctx *ctx, const char *reason);

/**
 * Keep a result with the job: any JSON text up to RIVER_OUTPUT_MAX; written with the outcome.
 *
 * @return PGC_OK; PGC_INVALID (no JSON); PGC_LIMIT; PGC_NOMEM.
 */
PGC_API pgc_status river_ctx_output(river_ctx *ctx, pgc_text json, pgc_error *err) PGC_MUST_CHECK;

/**
 * Set a key of the job's metadata; written with the outcome. Keys "river:…" are refused.
 *
 * @return PGC_OK; PGC_INVALID; PGC_NOMEM.
 */
PGC_API pgc_status river_ctx_metadata(river_ctx *ctx, const char *key, pgc_text json,
                                      pgc_error *err) PGC_MUST_CHECK;

/** A line for people, shown per attempt by River UI (metadata "river:log"). */
PGC_API void river_ctx_log(river_ctx *ctx, const char *fmt, ...) PGC_PRINTF(2, 3);

/** Work of one step; cursor is the JSON that an earlier attempt left, ptr NULL when none. */
typedef pgc_status (*river_step_fn)(river_ctx *ctx, pgc_text cursor, void *arg, pgc_error *err);

/**
 * Run a step unless an earlier attempt of this job completed it. Steps have fixed names and a fixed
 * order. What is completed is remembered when the attempt fails later.
 *
 * @return what fn returned; PGC_OK when skipped.
 */
PGC_API pgc_status river_ctx_step(river_ctx *ctx, const char *name, river_step_fn fn, void *arg,
                                  pgc_error *err) PGC_MUST_CHECK;

/** Inside a step: where to go on in the next attempt, as JSON; ptr NULL forgets it. */
PGC_API pgc_status river_ctx_cursor(river_ctx *ctx, pgc_text json, pgc_error *err) PGC_MUST_CHECK;

/**
 * Complete the job inside the caller's transaction, so that its effects and its completion commit
 * together. Fenced: fails when this attempt no longer owns the job.
 *
 * @return PGC_OK; PGC_CONFLICT when the job was rescued, cancelled or taken by somebody else: roll
 *         back and return that status.
 */
PGC_API pgc_status river_ctx_complete(river_ctx *ctx, pgc_tx *tx, pgc_error *err) PGC_MUST_CHECK;

/** For the `work` hook only: run the rest of the chain, the handler at its end. */
PGC_API pgc_status river_ctx_run(river_ctx *ctx, pgc_error *err) PGC_MUST_CHECK;

struct river_client;
/** The client that works this job, for inserting follow-up jobs. */
PGC_API struct river_client *river_ctx_client(river_ctx *ctx);

PGC_END_DECLS

#endif
