#ifndef PGC_PIPELINE_H
#define PGC_PIPELINE_H

#include <pgc/conn.h>

PGC_BEGIN_DECLS

/** Several queries in one round trip. Opaque; one thread at a time. */
typedef struct pgc_pipeline pgc_pipeline;

typedef enum pgc_pipeline_mode {
    PGC_PIPELINE_ATOMIC = 0,  /**< one implicit transaction: the first error undoes all */
    PGC_PIPELINE_ISOLATED = 1 /**< each query commits alone; errors stay with their query */
} pgc_pipeline_mode;

/**
 * @param conn an idle connection, or that of an open transaction (then only ATOMIC is allowed).
 * @param out  for pgc_pipeline_close().
 * @return PGC_OK; PGC_INVALID; PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API pgc_status pgc_pipeline_open(pgc_conn *conn, pgc_pipeline_mode mode, pgc_pipeline **out,
                                     pgc_error *err) PGC_MUST_CHECK;

/**
 * A batch on any handle: a pool or scope lends a connection for the run; the settings of a scope
 * travel in the same round trip, in front of each transaction.
 *
 * @param db    must live as long as the batch.
 * @param alloc NULL for libc; must outlive the batch and its results.
 * @return PGC_OK; PGC_INVALID; PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: as the handle. Since: 0.1.
 */
PGC_API pgc_status pgc_pipeline_open_db(pgc_db *db, pgc_pipeline_mode mode, const pgc_alloc *alloc,
                                        pgc_pipeline **out, pgc_error *err) PGC_MUST_CHECK;

/**
 * Queue a query; the arguments are copied. COPY is refused with PGC_INVALID: it cannot run in a
 * pipeline. Commands that allow no transaction (VACUUM) work in ISOLATED mode on handles without
 * settings, and as the only query of a batch.
 *
 * @param index_out its number from 0; may be NULL.
 */
PGC_API pgc_status pgc_pipeline_add(pgc_pipeline *pipeline, const pgc_query *query,
                                    const pgc_args *args, size_t *index_out, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * Send everything and take all answers. Reading and writing overlap, so size is no danger; a
 * thousand queries are under way at a time.
 *
 * @return PGC_OK when every query succeeded; else the status of the first failure.
 *
 * Blocks: up to the connection's call timeout per query, and to borrow one. Thread-safe: no. Since:
 * 0.1.
 */
PGC_API pgc_status pgc_pipeline_run(pgc_pipeline *pipeline, pgc_error *err) PGC_MUST_CHECK;

/** What became of one query of a batch. */
typedef struct pgc_pipeline_item {
    size_t index; /**< as pgc_pipeline_add() gave it */
    const pgc_query *query;
    pgc_status status;      /**< as pgc_pipeline_take() */
    pgc_result *result;     /**< rows; NULL when it failed; borrowed */
    const pgc_error *error; /**< NULL on success, or when there was no memory for it; borrowed */
} pgc_pipeline_item;

typedef void (*pgc_pipeline_fn)(void *arg, const pgc_pipeline_item *item);

/**
 * As pgc_pipeline_run(), but each outcome goes to a function, in order, and its rows are freed
 * behind the call: memory stays at the rows of a thousand queries. In ATOMIC mode what it was given
 * counts only once PGC_OK is returned: longer batches are committed at their end.
 *
 * @param each must not use the connection; NULL: results are kept for pgc_pipeline_take().
 *
 * Blocks: as pgc_pipeline_run(). Thread-safe: no. Since: 0.1.
 */
PGC_API pgc_status pgc_pipeline_run_each(pgc_pipeline *pipeline, pgc_pipeline_fn each, void *arg,
                                         pgc_error *err) PGC_MUST_CHECK;

/**
 * Status of one query after the run; its rows move to the caller.
 *
 * @param out NULL, or where the result goes (NULL for a failed query).
 * @return the query's own status; PGC_CANCELLED when an earlier failure prevented it.
 */
PGC_API pgc_status pgc_pipeline_take(pgc_pipeline *pipeline, size_t index, pgc_result **out,
                                     pgc_error *err) PGC_MUST_CHECK;

/** Free; unread results are dropped. NULL is allowed. */
PGC_API void pgc_pipeline_close(pgc_pipeline *pipeline);

PGC_END_DECLS

#endif
