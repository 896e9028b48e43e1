/* Rows for callers: bounds, the current row, and handles that cannot stream. After the first
 * failure every step gives that failure. One thread at a time. */
#include "base/prelude.h"

#include <pgc/rows.h>

#include "base/options.h"
#include "pgc/pool_state.h"
#include "pgc/stream.h"

#define PIECE_ROWS_DEFAULT 256u

static pgc_status options_resolve(const pgc_run_options *in, pgc_run_options *out, pgc_error *err)
{
    TRY(options_take_any("run options", in, out, sizeof *out, err));
    if (out->row_limit < 0 || out->byte_limit < 0) {
        return pgc_error_set(err, PGC_INVALID, "run options: a limit is negative");
    }
    if (out->piece_rows == 0) {
        out->piece_rows = PIECE_ROWS_DEFAULT;
    }
    if (out->piece_rows > INT_MAX) {
        out->piece_rows = INT_MAX;
    }
    return PGC_OK;
}

/* The handle exists before anything is sent: no memory for it is no reason to lose rows. */
static pgc_rows *rows_new(const pgc_alloc *alloc, const pq_ops *pq, const pgc_query *query,
                          const pgc_run_options *options)
{
    pgc_rows *rows = MEM_NEW(alloc, pgc_rows);
    if (rows != NULL) {
        rows->alloc = alloc;
        rows->options = *options;
        rows->piece.pq = pq;
        rows->piece.alloc = alloc;
        rows->piece.query = query;
    }
    return rows;
}

static void give_back(pgc_rows *rows, pgc_conn *conn)
{
    if (rows->pool != NULL && conn != NULL) {
        pgc_pool_release(TAKE(rows->pool), conn);
    }
}

pgc_status rows_open_on(pgc_conn *conn, pgc_pool *pool, const run_item *items, size_t count,
                        const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    pgc_rows *rows = rows_new(conn->alloc, conn->pq, items[count - 1].query, options);
    if (rows == NULL) {
        if (pool != NULL) {
            pgc_pool_release(pool, conn);
        }
        return pgc_error_set(err, PGC_NOMEM, "rows of query %s", items[count - 1].query->name);
    }
    rows->pool = pool;
    pgc_status status = stream_begin(rows, conn, items, count, err);
    if (rows->conn == NULL) {
        give_back(rows, conn);
    }
    if (status != PGC_OK) {
        pgc_rows_close(rows);
        return status;
    }
    pgc_reader_init(&rows->reader, &rows->piece, NULL);
    *out = rows;
    return PGC_OK;
}

/* What pgc_conn_db() leads to. */
pgc_status conn_db_open_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                             const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    const run_item item = { query, args };
    return rows_open_on(CONTAINER_OF(db, pgc_conn, db), NULL, &item, 1, options, out, err);
}

/* A table of operations that was made by an older header, or by a test. */
static pgc_status open_whole(pgc_db *db, const pgc_query *query, const pgc_args *args,
                             const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    pgc_result *whole = NULL;
    TRY(db->ops->run(db, query, args, &whole, err));
    assert(whole != NULL);
    pgc_rows *rows = rows_new(whole->alloc, whole->pq, query, options);
    if (rows == NULL) {
        pgc_result_free(whole);
        return pgc_error_set(err, PGC_NOMEM, "rows of query %s", query->name);
    }
    rows->whole = whole;
    pgc_reader_init(&rows->reader, whole, query);
    *out = rows;
    return PGC_OK;
}

/* One indirect call, as for pgc_db_run(). */
pgc_status pgc_rows_open(pgc_db *db, const pgc_query *query, const pgc_args *args,
                         const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    if (db == NULL || db->ops == NULL || query == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "rows: no handle, no query or no place for them");
    }
    pgc_run_options full;
    TRY(options_resolve(options, &full, err));
    bool streams = db->ops->struct_size >= sizeof(pgc_db_ops) && db->ops->open_rows != NULL;
    return streams ? db->ops->open_rows(db, query, args, &full, out, err)
                   : open_whole(db, query, args, &full, out, err);
}

/* The failure is kept: whoever asks again hears it again. What is left of the rows is given up at
 * once, so that the connection is free even when the caller closes late. */
static pgc_status fail(pgc_rows *rows, pgc_status status, pgc_error *err)
{
    assert(status != PGC_OK);
    rows->status = status;
    if (rows->reader.query != NULL && rows->failure.query[0] == '\0') {
        (void) snprintf(rows->failure.query, sizeof rows->failure.query, "%s",
                        rows->reader.query->name);
    }
    pgc_conn *conn = rows->conn;
    stream_stop(rows);
    give_back(rows, conn);
    if (err != NULL) {
        *err = rows->failure;
    }
    return status;
}

/* Bytes of the values of the row that is next. */
static int64_t row_bytes(const pgc_rows *rows)
{
    const pgc_result *from = rows->reader.result;
    int64_t bytes = 0;
    for (size_t column = 0; column < from->columns; column++) {
        bytes += from->pq->getlength(from->res, (int) rows->at, (int) column);
    }
    return bytes;
}

/* PGC_LIMIT before the row that is too much is given. */
static pgc_status check_limits(pgc_rows *rows)
{
    const pgc_run_options *options = &rows->options;
    if (options->row_limit > 0 && rows->count >= options->row_limit) {
        return pgc_error_set(&rows->failure, PGC_LIMIT,
                             "query %s: more than the %" PRId64 " rows that are allowed",
                             rows->reader.query->name, options->row_limit);
    }
    rows->bytes += options->byte_limit > 0 ? row_bytes(rows) : 0;
    if (options->byte_limit > 0 && rows->bytes > options->byte_limit) {
        return pgc_error_set(&rows->failure, PGC_LIMIT,
                             "query %s: more than the %" PRId64
                             " bytes that are allowed, at row %" PRId64,
                             rows->reader.query->name, options->byte_limit, rows->count + 1);
    }
    return PGC_OK;
}

/* The next piece, when the one at hand is read. */
static pgc_status refill(pgc_rows *rows)
{
    pgc_conn *conn = rows->conn;
    if (conn == NULL) {
        return PGC_OK;
    }
    pgc_status status = stream_next(rows, &rows->failure);
    if (rows->conn == NULL) {
        give_back(rows, conn);
    }
    pgc_reader_init(&rows->reader, &rows->piece, NULL);
    return status;
}

/* rows->at is the row behind the current one. */
pgc_status pgc_rows_next(pgc_rows *rows, bool *more_out, pgc_error *err)
{
    if (rows == NULL || more_out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "rows: none are open");
    }
    *more_out = false;
    if (rows->status != PGC_OK) {
        return fail(rows, rows->status, err);
    }
    pgc_status status = pgc_reader_finish(&rows->reader, &rows->failure);
    if (status == PGC_OK && rows->at >= rows->reader.result->rows) {
        status = refill(rows);
    }
    if (status != PGC_OK) {
        return fail(rows, status, err);
    }
    if (rows->at >= rows->reader.result->rows) {
        return PGC_OK;
    }
    status = check_limits(rows);
    if (status != PGC_OK) {
        return fail(rows, status, err);
    }
    rows->at++;
    rows->count++;
    *more_out = true;
    return PGC_OK;
}

pgc_reader *pgc_rows_reader(pgc_rows *rows)
{
    return &rows->reader;
}

/* Before the first step there is no row: a number that no reader accepts. */
size_t pgc_rows_index(const pgc_rows *rows)
{
    return rows->at == 0 ? SIZE_MAX : rows->at - 1;
}

/* Its memory is that of the piece: many rows may be decoded into it before it is used again. */
pgc_result *pgc_rows_result(pgc_rows *rows)
{
    return rows->reader.result;
}

int64_t pgc_rows_count(const pgc_rows *rows)
{
    return rows->count;
}

void pgc_rows_close(pgc_rows *rows)
{
    if (rows == NULL) {
        return;
    }
    pgc_conn *conn = rows->conn;
    stream_stop(rows);
    give_back(rows, conn);
    const pq_ops *pq = rows->piece.pq;
    pq->clear(rows->piece.res);
    pq->clear(rows->tail);
    arena_free(rows->piece.memory);
    pgc_result_free(rows->whole);
    mem_free(rows->alloc, rows, sizeof *rows);
}
