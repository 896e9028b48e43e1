#ifndef PGC_ROWS_H
#define PGC_ROWS_H

#include <pgc/db.h>

PGC_BEGIN_DECLS

/*
 * Rows one after another, for answers that are too large to hold. Works on every pgc_db:
 *
 *     pgc_rows *rows = NULL;
 *     bool more = false;
 *     pgc_status status = pgc_rows_open(db, &LIST_ASSETS, &args, NULL, &rows, err);
 *     while (status == PGC_OK && (status = pgc_rows_next(rows, &more, err)) == PGC_OK && more) {
 *         int64_t id = pgc_read_i64(pgc_rows_reader(rows), pgc_rows_index(rows), 0);
 *         …
 *     }
 *     pgc_rows_close(rows);
 *
 * From opening to the last row or the close, the connection behind it is busy: a pool lends it, and
 * a connection or transaction refuses other calls.
 */

/**
 * Send a query and wait for its first row or its failure.
 *
 * @param query   must outlive the rows.
 * @param args    NULL when the query has none; not needed after the call.
 * @param options bounds; NULL: none.
 * @param out     on PGC_OK rows for pgc_rows_close(); else untouched.
 * @return as pgc_db_run().
 *
 * Blocks: up to the handle's deadline. Thread-safe: as the handle. Since: 0.1.
 */
PGC_API pgc_status pgc_rows_open(pgc_db *db, const pgc_query *query, const pgc_args *args,
                                 const pgc_run_options *options, pgc_rows **out, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * Go to the next row. What the reader gave for the row before dies here.
 *
 * @param more_out true: there is one; false: there are no more, and the query's transaction, if it
 *                 had one of its own, is committed.
 * @return PGC_OK; PGC_LIMIT (more rows or bytes than pgc_run_options allow); PGC_PROTOCOL when the
 *         reader failed at the row before; else as pgc_db_run(): also rows that were given may then
 *         be those of a query that failed later. After a failure every call gives it again.
 *
 * Blocks: up to the handle's deadline; the caller's own time between two calls does not count.
 * Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API pgc_status pgc_rows_next(pgc_rows *rows, bool *more_out, pgc_error *err) PGC_MUST_CHECK;

/** Reads the current row; good until the next step. Blocks: no. Since: 0.1. */
PGC_API pgc_reader *pgc_rows_reader(pgc_rows *rows);

/** Row number to give to the reader. Blocks: no. Since: 0.1. */
PGC_API size_t pgc_rows_index(const pgc_rows *rows);

/** Where decoded values of the current row may be put: pgc_result_alloc(). Never free it. */
PGC_API pgc_result *pgc_rows_result(pgc_rows *rows);

/** Rows given so far. Blocks: no. Since: 0.1. */
PGC_API int64_t pgc_rows_count(const pgc_rows *rows);

/**
 * Free, also in the middle: the rest is cancelled when the query is PGC_QUERY_READ_ONLY and no
 * transaction was open, which a cancel would fail; else it is read and dropped, so that the query
 * has its effect. A rest that does not come in time costs the connection. NULL is allowed.
 *
 * Blocks: up to the handle's deadline. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API void pgc_rows_close(pgc_rows *rows);

PGC_END_DECLS

#endif
