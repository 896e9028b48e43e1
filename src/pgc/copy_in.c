/* Rows into a table. A row is put together in the buffer and counts only when it is whole, so that
 * a value that cannot be sent costs its row and nothing else. Full buffers are handed to libpq and
 * waited for: memory stays at one buffer and the largest row. One thread per COPY. */
#include "base/prelude.h"

#include "pgc/copy_link.h"

#include "base/buf.h"
#include "pgc/failure.h"
#include "pgc/wire.h"

#define CHUNK_BYTES     ((size_t) 64 << 10)
#define BUFFER_MAX      ((size_t) 3 << 30)
#define NOTICE_GRACE_US 20000
#define GIVEN_UP        "given up by the client"

/* Header of a binary stream: signature, flags, length of the extension. */
static const char HEADER[19] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";

typedef enum in_mode { IN_NEW, IN_ROWS, IN_BYTES } in_mode;

struct pgc_copy_in {
    copy_link link;
    in_mode mode;
    pgc_copy_format format;
    buf rows;        /* whole rows, then the row under way */
    size_t whole;    /* bytes of whole rows in the buffer */
    uint16_t fields; /* of the row under way */
    int64_t added;   /* whole rows so far */
    int64_t sent_bytes;
    pgc_status status; /* what ended the stream early */
    bool answered;     /* and the server's answer was read to its end */
    pgc_error error;
};

pgc_status pgc_copy_in_open(pgc_db *db, const pgc_copy *copy, const pgc_copy_options *options,
                            pgc_copy_in **out, pgc_error *err)
{
    pgc_copy_options full;
    TRY(copy_options_resolve(options, &full, err));
    if (out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "copy: no place for the result");
    }
    pgc_copy_in *in = MEM_NEW(full.alloc, pgc_copy_in);
    if (in == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "copy");
    }
    in->format = full.format;
    buf_init(&in->rows, full.alloc, BUFFER_MAX);
    /* Room for a full piece and the row that fills it: usual rows never make it grow. */
    bool room = buf_extend(&in->rows, 2 * CHUNK_BYTES) != NULL;
    buf_reset(&in->rows);
    pgc_status status = room ? copy_link_start(&in->link, db, copy, &full, PGRES_COPY_IN, err)
                             : pgc_error_set(err, PGC_NOMEM, "copy");
    if (status != PGC_OK) {
        buf_done(&in->rows);
        mem_free(full.alloc, in, sizeof *in);
        return status;
    }
    *out = in;
    return PGC_OK;
}

/* The stream is over; the first reason stays. */
static pgc_status fail(pgc_copy_in *in, pgc_status status, const pgc_error *err)
{
    assert(status != PGC_OK);
    if (in->status == PGC_OK) {
        in->status = status;
        in->error = *err;
    }
    return in->status;
}

static pgc_status told(const pgc_copy_in *in, pgc_error *err)
{
    if (in->status != PGC_OK && err != NULL) {
        *err = in->error;
    }
    return in->status;
}

/* The server has an error, or is gone: end our side and read what it has to say. A server that only
 * heard our "given up" had none. */
static pgc_status hear_failure(pgc_copy_in *in, pgc_error *err)
{
    pgc_conn *conn = in->link.conn;
    if (conn->pq->putCopyEnd(conn->pg, GIVEN_UP) < 0) {
        return conn_lose(conn, in->link.what, err);
    }
    in->answered = true;
    pgc_status status = copy_link_end(&in->link, NULL, err);
    if (status == PGC_OK) {
        status = pgc_error_set(err, PGC_PROTOCOL, "%s: ended by the server without a reason",
                               in->link.what);
    }
    return status;
}

/* Take in what has arrived. During COPY the server sends notices and, once, an error, which libpq
 * holds back until the stream ends: something that is no notice must be the error. The rest of a
 * notice that came in part follows at once, so it gets a moment. */
static pgc_status take_input(pgc_copy_in *in, pgc_error *err)
{
    pgc_conn *conn = in->link.conn;
    const pq_ops *pq = conn->pq;
    int64_t until_us = conn_deadline(conn, NOTICE_GRACE_US);
    uint32_t before = conn->notice_count;
    for (;;) {
        bool gone = pq->consumeInput(conn->pg) == 0;
        (void) pq->isBusy(conn->pg); /* parses what was read */
        if (conn->notice_count != before) {
            return PGC_OK;
        }
        struct pollfd fd = { .fd = pq->socket(conn->pg), .events = POLLIN };
        if (gone || conn_wait(pq, conn->clock, &fd, 1, until_us) != PGC_OK) {
            break;
        }
    }
    return hear_failure(in, err);
}

/* Look before libpq sends: when the socket takes only a part, libpq reads what has arrived, and an
 * error that it took in shows nowhere until the end of the stream. */
static pgc_status look_for_input(pgc_copy_in *in, pgc_error *err)
{
    pgc_conn *conn = in->link.conn;
    struct pollfd fd = { .fd = conn->pq->socket(conn->pg), .events = POLLIN };
    return conn->pq->wait(&fd, 1, 0) > 0 ? take_input(in, err) : PGC_OK;
}

/* Wait until the socket takes more, or the server says something. */
static pgc_status wait_for_room(pgc_copy_in *in, pgc_error *err)
{
    pgc_conn *conn = in->link.conn;
    struct pollfd fd = { .fd = conn->pq->socket(conn->pg), .events = POLLIN | POLLOUT };
    pgc_status status = conn_wait(conn->pq, conn->clock, &fd, 1, in->link.call.deadline_us);
    if (status == PGC_TIMEOUT) {
        return call_out_of_time(&in->link.call, err);
    }
    if (status != PGC_OK) {
        return conn_lose(conn, in->link.what, err);
    }
    return (fd.revents & ~POLLOUT) != 0 ? take_input(in, err) : PGC_OK;
}

/* Until libpq's buffer is with the kernel: memory stays at one piece. */
static pgc_status flush_all(pgc_copy_in *in, pgc_error *err)
{
    pgc_conn *conn = in->link.conn;
    int flushed;
    while ((flushed = conn->pq->flush(conn->pg)) == 1) {
        TRY(wait_for_room(in, err));
    }
    return flushed < 0 ? hear_failure(in, err) : look_for_input(in, err);
}

/* The clock starts again with each piece: a stream may be long, a server must not stand still. */
static pgc_status send_piece(pgc_copy_in *in, const char *bytes, size_t len)
{
    pgc_conn *conn = in->link.conn;
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status status = PGC_OK;
    call_extend(&in->link.call);
    while (len > 0 && status == PGC_OK) {
        size_t piece = len < CHUNK_BYTES ? len : CHUNK_BYTES;
        status = look_for_input(in, &err);
        if (status != PGC_OK) {
            break;
        }
        int queued = conn->pq->putCopyData(conn->pg, bytes, (int) piece);
        if (queued < 0) {
            status = conn->pq->status(conn->pg) == CONNECTION_BAD
                         ? hear_failure(in, &err)
                         : conn_send_failed(conn, in->link.what, &err);
            break;
        }
        if (queued == 1) {
            bytes += piece;
            len -= piece;
            in->sent_bytes += (int64_t) piece;
        }
        status = flush_all(in, &err);
    }
    return status == PGC_OK ? PGC_OK : fail(in, status, &err);
}

/* Whole rows leave; the row under way moves to the front. A buffer that grew for one huge row is
 * given back. */
static pgc_status send_rows(pgc_copy_in *in)
{
    size_t rest = in->rows.len - in->whole;
    TRY(send_piece(in, in->rows.ptr, in->whole));
    memmove(in->rows.ptr, in->rows.ptr + in->whole, rest);
    in->rows.len = rest;
    in->whole = 0;
    if (in->rows.cap > 16 * CHUNK_BYTES && rest == 0) {
        buf_done(&in->rows);
    }
    return PGC_OK;
}

/* The two ways of feeding do not mix: one stream has one header. */
static pgc_status enter(pgc_copy_in *in, in_mode mode, pgc_error *err)
{
    if (in == NULL) {
        return pgc_error_set(err, PGC_INVALID, "copy: not open");
    }
    TRY(told(in, err));
    if (in->mode == IN_NEW && mode == IN_ROWS &&
        (in->format != PGC_COPY_BINARY || in->link.copy->column_count == 0)) {
        return pgc_error_set(err, PGC_INVALID, "%s: rows need the binary format and columns",
                             in->link.what);
    }
    if (in->mode != IN_NEW && in->mode != mode) {
        return pgc_error_set(err, PGC_INVALID, "%s: rows and bytes do not mix", in->link.what);
    }
    if (in->mode == IN_NEW && mode == IN_ROWS) {
        buf_add(&in->rows, (slice) { HEADER, sizeof HEADER });
        in->whole = in->rows.len;
    }
    in->mode = mode;
    return PGC_OK;
}

/* The row under way disappears as if it had never begun. */
static void drop_row(pgc_copy_in *in)
{
    in->rows.len = in->whole;
    in->rows.failed = false;
    in->fields = 0;
}

/* The value that the list could not hold, in the words of its column. */
static pgc_status refuse_args(pgc_copy_in *in, const pgc_args *args, pgc_error *err)
{
    const pgc_copy *copy = in->link.copy;
    size_t column = (size_t) in->fields + args->bad_index;
    bool known = column < copy->column_count;
    const char *name = known ? copy->columns[column].name : "unnamed";
    pgc_status status = pgc_error_set(err, args->status, "%s: row %" PRId64 ": column %s %s",
                                      in->link.what, in->added + 1, name, args->reason);
    if (err != NULL) {
        (void) snprintf(err->column, sizeof err->column, "%s", known ? name : "");
    }
    return status;
}

/* One block per list: the size is known before the first byte is written. */
static bool append_fields(buf *rows, const pgc_args *args, bool first, uint16_t columns)
{
    size_t size = first ? 2 : 0;
    for (size_t i = 0; i < args->count; i++) {
        size += 4 + (args->values[i] == NULL ? 0 : (size_t) args->lengths[i]);
    }
    uint8_t *to = (uint8_t *) buf_extend(rows, size);
    if (to == NULL) {
        return false;
    }
    if (first) {
        wire_put_u16(to, columns);
        to += 2;
    }
    for (size_t i = 0; i < args->count; i++) {
        if (args->values[i] == NULL) {
            wire_put_u32(to, UINT32_MAX); /* length -1 */
            to += 4;
            continue;
        }
        size_t len = (size_t) args->lengths[i];
        wire_put_u32(to, (uint32_t) len);
        memcpy(to + 4, args->values[i], len);
        to += 4 + len;
    }
    return true;
}

pgc_status pgc_copy_in_row(pgc_copy_in *in, const pgc_args *args, pgc_error *err)
{
    TRY(enter(in, IN_ROWS, err));
    uint16_t columns = in->link.copy->column_count;
    pgc_status status = PGC_OK;
    if (args == NULL || args->status != PGC_OK) {
        status = args == NULL ? pgc_error_set(err, PGC_INVALID, "%s: no values", in->link.what)
                              : refuse_args(in, args, err);
    } else if (args->count > columns - in->fields) {
        status = pgc_error_set(err, PGC_INVALID, "%s: row %" PRId64 ": more than %u values",
                               in->link.what, in->added + 1, columns);
    } else if (!append_fields(&in->rows, args, in->fields == 0, columns)) {
        status = pgc_error_set(err, PGC_NOMEM, "%s: row %" PRId64, in->link.what, in->added + 1);
    }
    if (status != PGC_OK) {
        drop_row(in);
        return status;
    }
    in->fields = (uint16_t) (in->fields + args->count);
    if (in->fields < columns) {
        return PGC_OK;
    }
    in->fields = 0;
    in->added++;
    in->whole = in->rows.len;
    if (in->whole >= CHUNK_BYTES && send_rows(in) != PGC_OK) {
        return told(in, err);
    }
    return PGC_OK;
}

pgc_status pgc_copy_in_bytes(pgc_copy_in *in, const void *bytes, size_t len, pgc_error *err)
{
    TRY(enter(in, IN_BYTES, err));
    return send_piece(in, bytes, len) == PGC_OK ? PGC_OK : told(in, err);
}

/* The last rows and the trailer leave; the server answers when all is stored. */
static pgc_status finish_stream(pgc_copy_in *in, int64_t *rows_out, pgc_error *err)
{
    TRY(told(in, err));
    pgc_conn *conn = in->link.conn;
    if (in->fields > 0) {
        return pgc_error_set(err, PGC_INVALID, "%s: row %" PRId64 " has %u of %u values",
                             in->link.what, in->added + 1, in->fields, in->link.copy->column_count);
    }
    if (in->mode == IN_NEW && in->format == PGC_COPY_BINARY) {
        buf_add(&in->rows, (slice) { HEADER, sizeof HEADER }); /* no row at all */
    }
    if (in->mode != IN_BYTES && in->format == PGC_COPY_BINARY) {
        buf_add_u16(&in->rows, UINT16_MAX); /* field count -1 */
    }
    TRY(buf_finish(&in->rows, err));
    in->whole = in->rows.len;
    if (in->whole > 0 && send_rows(in) != PGC_OK) {
        return told(in, err);
    }
    call_extend(&in->link.call);
    if (conn->pq->putCopyEnd(conn->pg, NULL) < 0) {
        return conn_lose(conn, in->link.what, err);
    }
    in->answered = true;
    return copy_link_end(&in->link, rows_out, err);
}

/* Whatever happened, nothing of the stream stays on the connection. */
static pgc_status close_in(pgc_copy_in *in, const char *reason, pgc_status status, pgc_error *err)
{
    pgc_conn *conn = in->link.conn;
    const pgc_alloc *alloc = in->link.alloc;
    if (!in->answered && !conn->lost) {
        if (conn->pq->putCopyEnd(conn->pg, reason) < 0) {
            conn->lost = true;
        } else {
            (void) copy_link_end(&in->link, NULL, NULL);
        }
    }
    if (in->link.watching) {
        watch_add(&in->link.watch, in->added, in->sent_bytes);
    }
    status = copy_link_close(&in->link, status, err);
    buf_done(&in->rows);
    mem_free(alloc, in, sizeof *in);
    return status;
}

pgc_status pgc_copy_in_finish(pgc_copy_in **in, int64_t *rows_out, pgc_error *err)
{
    if (in == NULL || *in == NULL) {
        return pgc_error_set(err, PGC_INVALID, "copy: not open");
    }
    pgc_copy_in *ending = TAKE(*in);
    int64_t rows = 0;
    pgc_error ours;
    err = err != NULL ? err : &ours;
    pgc_status status = finish_stream(ending, &rows, err);
    status = close_in(ending, GIVEN_UP, status, err);
    if (status == PGC_OK && rows_out != NULL) {
        *rows_out = rows;
    }
    return status;
}

void pgc_copy_in_abort(pgc_copy_in *in, const char *reason)
{
    if (in != NULL) {
        pgc_error ours;
        pgc_error_clear(&ours);
        (void) pgc_error_set(&ours, PGC_CANCELLED, "%s: aborted", in->link.what);
        (void) close_in(in, reason != NULL ? reason : GIVEN_UP, PGC_CANCELLED, &ours);
    }
}

/* The buffer of rows serves as room for the source. */
static pgc_status feed(pgc_copy_in *in, pgc_copy_source_fn source, void *arg, pgc_error *err)
{
    for (;;) {
        size_t len = 0;
        TRY(source(arg, in->rows.ptr, CHUNK_BYTES, &len, err));
        if (len == 0) {
            return PGC_OK;
        }
        if (len > CHUNK_BYTES) {
            return pgc_error_set(err, PGC_INVALID, "%s: the source gave more than it had room for",
                                 in->link.what);
        }
        TRY(pgc_copy_in_bytes(in, in->rows.ptr, len, err));
    }
}

pgc_status pgc_copy_in_stream(pgc_db *db, const pgc_copy *copy, const pgc_copy_options *options,
                              pgc_copy_source_fn source, void *arg, int64_t *rows_out,
                              pgc_error *err)
{
    pgc_error ours;
    err = err != NULL ? err : &ours;
    if (source == NULL) {
        return pgc_error_set(err, PGC_INVALID, "copy: no source");
    }
    pgc_copy_in *in = NULL;
    TRY(pgc_copy_in_open(db, copy, options, &in, err));
    in->mode = IN_BYTES;
    pgc_status status = feed(in, source, arg, err);
    if (status != PGC_OK) {
        return close_in(in, "the source of the stream failed", status, err);
    }
    return pgc_copy_in_finish(&in, rows_out, err);
}
