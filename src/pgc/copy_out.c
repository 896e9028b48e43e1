/* Rows out of a table or query. One message of the server is held at a time, so memory is bounded
 * by the largest row; when the program reads slowly the server waits. Invariant: a COPY that ends
 * early is stopped and read to its end, or the connection is given up. One thread per COPY. */
#include "base/prelude.h"

#include "pgc/copy_link.h"

#include "pgc/copy_decode.h"
#include "pgc/failure.h"

struct pgc_copy_out {
    copy_link link;
    pgc_query shape; /* the columns, for messages and readers */
    copy_decoder decoder;
    char *piece;  /* libpq's; the decoder reads in it */
    int64_t rows; /* as the server reports them */
    int64_t bytes;
    bool ended; /* the stream is over and the answer was read */
    pgc_status status;
    pgc_error error;
};

/* Wait for more of the stream; like call_next(), but for the data of a COPY. */
static pgc_status wait_for_data(copy_link *link, pgc_error *err)
{
    pgc_conn *conn = link->conn;
    const pq_ops *pq = conn->pq;
    struct pollfd fd = { .fd = pq->socket(conn->pg), .events = POLLIN };
    if (pq->status(conn->pg) == CONNECTION_BAD) {
        return conn_lose(conn, link->what, err);
    }
    pgc_status status = conn_wait(pq, conn->clock, &fd, 1, link->call.deadline_us);
    if (status == PGC_TIMEOUT) {
        return call_out_of_time(&link->call, err);
    }
    if (status != PGC_OK) {
        return conn_lose(conn, link->what, err);
    }
    /* What came before a break is still read: the next look finds the connection bad. */
    (void) pq->consumeInput(conn->pg);
    return PGC_OK;
}

/* The next message of the stream, for freemem(); NULL at its end. The clock starts again with each:
 * a stream may be long, a server must not stand still. */
static pgc_status next_piece(copy_link *link, char **piece_out, int *len_out, pgc_error *err)
{
    pgc_conn *conn = link->conn;
    call_extend(&link->call);
    for (;;) {
        char *piece = NULL;
        int len = conn->pq->getCopyData(conn->pg, &piece, 1);
        if (len > 0 || len == -1) {
            *piece_out = piece;
            *len_out = len > 0 ? len : 0;
            return PGC_OK;
        }
        if (len < -1) {
            return conn->pq->status(conn->pg) == CONNECTION_BAD
                       ? conn_lose(conn, link->what, err)
                       : conn_send_failed(conn, link->what, err); /* no memory for the message */
        }
        TRY(wait_for_data(link, err));
    }
}

/* The stream was left early: stop the server, throw away what is on its way. */
static void stop_stream(copy_link *link)
{
    pgc_conn *conn = link->conn;
    const pq_ops *pq = conn->pq;
    if (pgc_conn_cancel(conn, NULL) != PGC_OK) {
        conn->lost = true;
    }
    link->call.deadline_us = conn_deadline(conn, conn->cancel_grace_us);
    link->call.hard = true;
    for (bool more = !conn->lost; more;) {
        char *piece = NULL;
        int len = pq->getCopyData(conn->pg, &piece, 1);
        pq->freemem(piece);
        more = len == 0 ? wait_for_data(link, NULL) == PGC_OK : len > 0;
        conn->lost = conn->lost || len < -1;
    }
    if (!conn->lost) {
        (void) copy_link_end(link, NULL, NULL); /* usually: cancelled */
    }
}

pgc_status pgc_copy_out_open(pgc_db *db, const pgc_copy *copy, const pgc_copy_options *options,
                             pgc_copy_out **out, pgc_error *err)
{
    pgc_copy_options full;
    TRY(copy_options_resolve(options, &full, err));
    const pgc_query *query = copy == NULL ? NULL : copy->query;
    size_t columns = query != NULL ? query->column_count : copy != NULL ? copy->column_count : 0;
    if (out == NULL || columns == 0 || full.format != PGC_COPY_BINARY) {
        return pgc_error_set(err, PGC_INVALID,
                             "copy: rows need columns, the binary format and a place to go");
    }
    pgc_copy_out *made = MEM_NEW(full.alloc, pgc_copy_out);
    if (made == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "copy %s", copy->name);
    }
    made->shape = query != NULL ? *query
                                : (pgc_query) { .name = copy->name,
                                                .column_count = copy->column_count,
                                                .columns = copy->columns };
    pgc_status status =
        copy_decoder_init(&made->decoder, &made->shape, full.row_max_bytes, full.alloc, err);
    if (status == PGC_OK) {
        status = copy_link_start(&made->link, db, copy, &full, PGRES_COPY_OUT, err);
    }
    if (status != PGC_OK) {
        copy_decoder_done(&made->decoder);
        mem_free(full.alloc, made, sizeof *made);
        return status;
    }
    *out = made;
    return PGC_OK;
}

/* Behind the last piece: the trailer must have come, and the server must agree. */
static pgc_status end_stream(pgc_copy_out *out, pgc_error *err)
{
    out->ended = true;
    TRY(copy_link_end(&out->link, &out->rows, err));
    if (!out->decoder.over) {
        return pgc_error_set(err, PGC_PROTOCOL, "%s: damaged stream: no end mark", out->link.what);
    }
    return PGC_OK;
}

/* *row_out stays NULL at the end of the stream. */
static pgc_status next_row(pgc_copy_out *out, pgc_reader **row_out, pgc_error *err)
{
    const pq_ops *pq = out->link.conn->pq;
    for (;;) {
        copy_step step;
        TRY(copy_decoder_next(&out->decoder, &step, err));
        if (step == COPY_ROW) {
            *row_out = &out->decoder.reader;
            return PGC_OK;
        }
        pq->freemem(TAKE(out->piece));
        int len = 0;
        TRY(next_piece(&out->link, &out->piece, &len, err));
        if (out->piece == NULL) {
            return end_stream(out, err);
        }
        out->bytes += len;
        TRY(copy_decoder_feed(&out->decoder, out->piece, (size_t) len, err));
    }
}

pgc_status pgc_copy_out_next(pgc_copy_out *out, pgc_reader **row_out, pgc_error *err)
{
    if (out == NULL || row_out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "copy: not open, or no place for the row");
    }
    pgc_reader *row = NULL;
    if (out->status == PGC_OK && !out->ended) {
        pgc_error_clear(&out->error);
        out->status = next_row(out, &row, &out->error);
    }
    if (out->status != PGC_OK) {
        if (err != NULL) {
            *err = out->error;
        }
        return out->status;
    }
    *row_out = row;
    return PGC_OK;
}

/* An early end is no failure of the COPY: the transaction of a scope is rolled back all the same.
 */
void pgc_copy_out_close(pgc_copy_out *out)
{
    if (out == NULL) {
        return;
    }
    pgc_conn *conn = out->link.conn;
    const pgc_alloc *alloc = out->link.alloc;
    pgc_status status = out->status;
    if (!out->ended && !conn->lost) {
        stop_stream(&out->link);
        status = status != PGC_OK ? status : PGC_CANCELLED;
    }
    if (out->link.watching) {
        watch_add(&out->link.watch, out->decoder.rows, out->bytes);
    }
    conn->pq->freemem(out->piece);
    pgc_error err = out->error;
    (void) copy_link_close(&out->link, status, &err);
    copy_decoder_done(&out->decoder);
    mem_free(alloc, out, sizeof *out);
}

/* Every message goes to the sink as it came. */
static pgc_status drain(copy_link *link, pgc_copy_sink_fn sink, void *arg, bool *ended,
                        int64_t *rows_out, pgc_error *err)
{
    const pq_ops *pq = link->conn->pq;
    for (;;) {
        char *piece = NULL;
        int len = 0;
        TRY(next_piece(link, &piece, &len, err));
        if (piece == NULL) {
            *ended = true;
            return copy_link_end(link, rows_out, err);
        }
        pgc_status status = sink(arg, piece, (size_t) len, err);
        if (link->watching) {
            watch_add(&link->watch, 0, len);
        }
        pq->freemem(piece);
        TRY(status);
    }
}

pgc_status pgc_copy_out_stream(pgc_db *db, const pgc_copy *copy, const pgc_copy_options *options,
                               pgc_copy_sink_fn sink, void *arg, int64_t *rows_out, pgc_error *err)
{
    pgc_error ours;
    err = err != NULL ? err : &ours;
    pgc_copy_options full;
    TRY(copy_options_resolve(options, &full, err));
    if (sink == NULL) {
        return pgc_error_set(err, PGC_INVALID, "copy: no sink");
    }
    copy_link link;
    TRY(copy_link_start(&link, db, copy, &full, PGRES_COPY_OUT, err));
    bool ended = false;
    int64_t rows = 0;
    pgc_status status = drain(&link, sink, arg, &ended, &rows, err);
    if (!ended && !link.conn->lost) {
        stop_stream(&link);
    }
    status = copy_link_close(&link, status, err);
    if (status == PGC_OK && rows_out != NULL) {
        *rows_out = rows;
    }
    return status;
}
