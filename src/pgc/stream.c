/* Streaming one answer. Invariant: rows->conn is set exactly while the connection is busy with the
 * stream, and conn->rows points back. Whatever ends a stream reads to its sync, or the connection
 * is lost. One thread at a time. */
#include "base/prelude.h"

#include "pgc/stream.h"

#include "pgc/args.h"

/* The piece at hand and what was decoded from it; the arena keeps its first block. */
static void drop_piece(pgc_rows *rows)
{
    pgc_result *piece = &rows->piece;
    if (piece->res != NULL && piece->pq->cmdStatus(piece->res)[0] != '\0') {
        piece->pq->clear(rows->tail);
        rows->tail = piece->res; /* libpq 17 puts the tag here, not where it promises it */
    } else if (piece->res != NULL) {
        piece->pq->clear(piece->res);
    }
    piece->res = NULL;
    if (piece->memory != NULL) {
        arena_reset(piece->memory);
    }
    piece->cells = NULL; /* of the old rows, perhaps in the arena */
    piece->rows = 0;
    rows->at = 0;
}

static void keep_piece(pgc_rows *rows, PGresult *res)
{
    pgc_result *piece = &rows->piece;
    const pq_ops *pq = piece->pq;
    int count = pq->ntuples(res), columns = pq->nfields(res);
    assert(piece->res == NULL);
    piece->res = res;
    piece->rows = count < 0 ? 0 : (size_t) count;
    piece->columns = columns < 0 ? 0 : (size_t) columns;
    piece->binary = pq->binaryTuples(res) == 1;
    rows->conn->bloated =
        rows->conn->bloated || pq->resultMemorySize(res) > rows->conn->recycle_bytes;
}

static pgc_status send_group(pgc_rows *rows, pgc_conn *conn, const run_item *items, pgc_error *err)
{
    exchange *ex = &rows->ex;
    exchange_begin(ex, conn, conn->call_timeout_us, err);
    run_queue_deallocate(ex);
    for (size_t i = 0; i < rows->queue_count; i++) {
        const pgc_args *args = items[i].args;
        run_queue(ex, items[i].query, args == NULL ? NULL : args->values,
                  args == NULL ? NULL : args->lengths, &rows->queue[i]);
    }
    rows->sync = exchange_sync(ex);
    return exchange_stream(ex, rows->queue[rows->queue_count - 1].at, rows->options.piece_rows);
}

/* Every answer is read: learn from them, then tell the first failure. */
static pgc_status settle(pgc_rows *rows, bool *stale_out, pgc_error *err)
{
    exchange *ex = &rows->ex;
    pgc_status status = PGC_OK;
    for (size_t i = 0; i < rows->queue_count; i++) {
        *stale_out = run_settle(ex, &rows->queue[i]) || *stale_out;
    }
    for (size_t i = 0; i < rows->queue_count && status == PGC_OK; i++) {
        status = run_status(ex, &rows->queue[i], err);
    }
    if (status == PGC_OK) {
        status =
            exchange_status(ex, rows->sync, rows->queue[rows->queue_count - 1].query->name, err);
    }
    return status;
}

/* The connection is free, or lost; rows at hand stay. */
static pgc_status finish(pgc_rows *rows, bool *stale_out, pgc_error *err)
{
    exchange *ex = &rows->ex;
    pgc_conn *conn = ex->call.conn;
    ex->err = err;
    pgc_status status = exchange_finish(ex, false);
    if (status == PGC_OK) {
        status = settle(rows, stale_out, err);
    }
    if (status == PGC_OK) {
        PGresult *last = exchange_take(ex, rows->queue[rows->queue_count - 1].at);
        bool tagged = rows->tail != NULL; /* by the last piece */
        conn->pq->clear(tagged ? last : NULL);
        rows->tail = tagged ? rows->tail : last;
    }
    exchange_done(ex);
    conn->rows = NULL;
    rows->conn = NULL;
    return status;
}

/* At the end of the rows the transaction of the group, if it is one, has ended as well: only then
 * is it known that all rows count. */
static pgc_status next_piece(pgc_rows *rows, bool *stale_out, pgc_error *err)
{
    exchange *ex = &rows->ex;
    assert(rows->conn != NULL);
    drop_piece(rows);
    ex->err = err;
    PGresult *res = NULL;
    size_t at = rows->queue[rows->queue_count - 1].at;
    if (ex->status == PGC_OK && exchange_piece(ex, at, &res) == PGC_OK && res != NULL) {
        keep_piece(rows, res);
        return PGC_OK;
    }
    return finish(rows, stale_out, err);
}

/* One operation for the listener, from the open to the end of the rows. */
static void tell_end(pgc_rows *rows, const pgc_conn *conn, pgc_status status, const pgc_error *err)
{
    if (conn->watched) {
        watch_add(&rows->watch, rows->count, rows->bytes);
        watch_end(&rows->watch, status, err);
    }
}

pgc_status stream_next(pgc_rows *rows, pgc_error *err)
{
    bool stale = false;
    const pgc_conn *conn = rows->conn;
    pgc_status status = next_piece(rows, &stale, err);
    if (rows->conn == NULL) {
        tell_end(rows, conn, status, err);
    }
    return status;
}

/* A first use takes two round trips here: types of extensions are asked for by name, which is not
 * possible once rows come. */
static pgc_status begin_once(pgc_rows *rows, pgc_conn *conn, const run_item *items, bool *stale_out,
                             pgc_error *err)
{
    size_t context = rows->queue_count - 1;
    TRY(run_prepare(conn, items, context, items[context].query, err));
    pgc_status status = send_group(rows, conn, items, err);
    rows->conn = conn;
    conn->rows = rows;
    return status == PGC_OK ? next_piece(rows, stale_out, err) : finish(rows, stale_out, err);
}

pgc_status stream_begin(pgc_rows *rows, pgc_conn *conn, const run_item *items, size_t count,
                        pgc_error *err)
{
    assert(count > 0);
    assert(count <= RUN_GROUP_MAX);
    for (size_t i = 0; i < count; i++) {
        TRY(args_check(items[i].args, items[i].query, err));
    }
    TRY(conn_check_usable(conn, err));
    bool stale = false;
    const pgc_query *query = items[count - 1].query;
    rows->queue_count = count;
    rows->idle = pgc_conn_tx_state(conn) == PGC_TX_IDLE;
    if (conn->watched) {
        watch_begin(&rows->watch, conn, query);
    }
    pgc_status status = begin_once(rows, conn, items, &stale, err);
    if (status != PGC_OK && stale && rows->idle && pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        hooks_retry(&conn->hooks,
                    (pgc_retry_event) { .kind = PGC_RETRY_STALE,
                                        .name = query->name,
                                        .attempt = rows->watch.event.attempt++,
                                        .status = status },
                    err);
        pgc_error_clear(err);
        status = begin_once(rows, conn, items, &stale, err);
    }
    if (rows->conn == NULL) {
        tell_end(rows, conn, status, err);
    }
    return status;
}

/* What has come already costs nothing to read; only for more than that the server is asked to stop,
 * and only when nobody minds: a cancel fails the transaction, and undoes what a query changes. */
static void ask_to_stop(pgc_rows *rows)
{
    exchange *ex = &rows->ex;
    pgc_conn *conn = rows->conn;
    const queued *last = &rows->queue[rows->queue_count - 1];
    call_extend(&ex->call);
    ex->hurry = true;
    while (ex->status == PGC_OK && ex->answered <= last->at && conn->pq->isBusy(conn->pg) == 0) {
        PGresult *res = NULL;
        if (exchange_piece(ex, last->at, &res) != PGC_OK) {
            return;
        }
        conn->pq->clear(res);
    }
    if (ex->status == PGC_OK && ex->answered <= last->at && rows->idle &&
        (last->query->flags & PGC_QUERY_READ_ONLY) != 0) {
        (void) call_cancel(&ex->call);
    }
}

void stream_stop(pgc_rows *rows)
{
    if (rows->conn == NULL) {
        return;
    }
    exchange *ex = &rows->ex;
    const pgc_conn *conn = rows->conn;
    size_t at = rows->queue[rows->queue_count - 1].at;
    pgc_error ignored;
    bool stale = false;
    ex->err = &ignored;
    drop_piece(rows);
    ask_to_stop(rows);
    PGresult *res = NULL;
    do {
        rows->piece.pq->clear(res);
        res = NULL;
    } while (ex->status == PGC_OK && exchange_piece(ex, at, &res) == PGC_OK && res != NULL);
    (void) finish(rows, &stale, &ignored);
    tell_end(rows, conn, rows->status, &rows->failure);
}

void stream_detach(pgc_rows *rows)
{
    assert(rows->conn != NULL);
    const pgc_conn *conn = rows->conn;
    exchange_done(&rows->ex);
    rows->conn = NULL;
    rows->pool = NULL;
    rows->status = pgc_error_set(&rows->failure, PGC_CLOSED,
                                 "rows: their connection was closed before they were read");
    tell_end(rows, conn, rows->status, &rows->failure);
}
