/* Whole answers with bounds: rows are taken piece by piece into a result of libpq's own kind, so
 * that readers see no difference, and no more is ever held than was allowed. Copying costs, which
 * is why answers without bounds do not come this way. Any thread. */
#include "base/prelude.h"

#include "pgc/stream.h"

/* libpq takes the value by a pointer that is not const, and does not write there. */
static bool copy_row(const pq_ops *pq, PGresult *to, const PGresult *from, int row, int columns)
{
    int at = pq->ntuples(to);
    for (int column = 0; column < columns; column++) {
        bool is_null = pq->getisnull(from, row, column) != 0;
        int length = is_null ? -1 : pq->getlength(from, row, column);
        char *value = is_null ? NULL : pq->getvalue(from, row, column);
        if (pq->setvalue(to, at, column, value, length) == 0) {
            return false;
        }
    }
    return true;
}

/* The copy starts with the columns of the first piece. */
static pgc_status collect(pgc_rows *rows, PGresult **copy, pgc_error *err)
{
    for (;;) {
        bool more = false;
        TRY(pgc_rows_next(rows, &more, err));
        if (!more) {
            return PGC_OK;
        }
        if (rows->whole != NULL) {
            continue; /* it only is to be counted */
        }
        const pgc_result *from = pgc_rows_result(rows);
        if (*copy == NULL) {
            *copy = from->pq->copyResult(from->res, PG_COPYRES_ATTRS);
        }
        if (*copy == NULL || !copy_row(from->pq, *copy, from->res, (int) pgc_rows_index(rows),
                                       (int) from->columns)) {
            return pgc_error_set(err, PGC_NOMEM, "hold the result of query %s", from->query->name);
        }
    }
}

/* An answer without rows is its own end; that of a handle that cannot stream is there already. */
static pgc_status give(pgc_rows *rows, const pgc_query *query, PGresult *copy, pgc_result **out,
                       pgc_error *err)
{
    if (rows->whole != NULL) {
        rows->piece.pq->clear(copy);
        *out = TAKE(rows->whole);
        return PGC_OK;
    }
    assert(rows->tail != NULL);
    PGresult *rest = TAKE(rows->tail);
    if (copy == NULL) {
        return result_new(rows->piece.pq, rest, rows->alloc, query, out, err);
    }
    pgc_status status = result_new(rows->piece.pq, copy, rows->alloc, query, out, err);
    if (status == PGC_OK) {
        (*out)->tail = rest;
    } else {
        rows->piece.pq->clear(rest);
    }
    return status;
}

pgc_status pgc_db_run_with(pgc_db *db, const pgc_query *query, const pgc_args *args,
                           const pgc_run_options *options, pgc_result **out, pgc_error *err)
{
    if (options == NULL) {
        return pgc_db_run(db, query, args, out, err);
    }
    AUTO(rows_close_auto) pgc_rows *rows = NULL;
    TRY(pgc_rows_open(db, query, args, options, &rows, err));
    const pq_ops *pq = rows->piece.pq;
    PGresult *copy = NULL;
    pgc_status status = collect(rows, &copy, err);
    if (status == PGC_OK && out != NULL) {
        return give(rows, query, copy, out, err);
    }
    pq->clear(copy);
    return status;
}
