/* Starting and ending COPY. Invariant: when copy_link_close() returns, the connection is idle (or
 * in the caller's transaction) and usable, or marked as lost; nothing of the COPY stays on it. SQL
 * text is made of constants and of names from the program's descriptors, quoted here. One thread.
 */
#include "base/prelude.h"

#include "pgc/copy_link.h"

#include "base/buf.h"
#include "base/ident.h"
#include "base/options.h"
#include "pgc/failure.h"
#include "pgc/loan.h"
#include "pgc/run.h"

#define ROW_MAX_BYTES ((size_t) 1 << 30) /* of one message of the protocol */
#define SQL_MAX       ((size_t) 1 << 20)

pgc_status copy_options_resolve(const pgc_copy_options *in, pgc_copy_options *out, pgc_error *err)
{
    TRY(options_take_any("copy options", in, out, sizeof *out, err));
    if ((unsigned) out->format > PGC_COPY_CSV_HEADER) {
        return pgc_error_set(err, PGC_INVALID, "copy options: unknown format %u",
                             (unsigned) out->format);
    }
    out->alloc = alloc_or_libc(out->alloc);
    out->row_max_bytes = out->row_max_bytes != 0 ? out->row_max_bytes : ROW_MAX_BYTES;
    return PGC_OK;
}

/* A name that is too long would be cut by the server, and mean another one. */
static bool add_name(buf *sql, const char *name, arena *mem)
{
    const char *quoted = ident_quote(name, mem);
    if (quoted == NULL || name[0] == '\0' || strlen(name) > IDENT_MAX) {
        return false;
    }
    buf_add_str(sql, quoted);
    return true;
}

static bool add_relation(buf *sql, const pgc_copy *copy, arena *mem)
{
    if (copy->schema != NULL) {
        if (!add_name(sql, copy->schema, mem)) {
            return false;
        }
        buf_add_char(sql, '.');
    }
    return add_name(sql, copy->table, mem);
}

static bool add_columns(buf *sql, const pgc_copy *copy, arena *mem)
{
    for (size_t i = 0; i < copy->column_count; i++) {
        if (i > 0) {
            buf_add_char(sql, ',');
        }
        if (copy->columns[i].name == NULL || !add_name(sql, copy->columns[i].name, mem)) {
            return false;
        }
    }
    return true;
}

static const char *const FORMAT_SQL[] = {
    [PGC_COPY_BINARY] = " (FORMAT binary)",
    [PGC_COPY_TEXT] = " (FORMAT text)",
    [PGC_COPY_CSV] = " (FORMAT csv)",
    [PGC_COPY_CSV_HEADER] = " (FORMAT csv, HEADER true)",
};

/* The text of one COPY, and of what it is checked against. */
typedef struct copy_text {
    buf sql, rows, relation;
    arena *mem;
} copy_text;

static void text_done(copy_text *text)
{
    buf_done(&text->sql);
    buf_done(&text->rows);
    buf_done(&text->relation);
    arena_free(text->mem);
}

/* COPY from a table is written as COPY of a query: that reads partitioned tables and views, too. */
static bool make_rows(copy_text *text, const pgc_copy *copy)
{
    if (copy->query != NULL) {
        buf_add_str(&text->rows, copy->query->sql);
        return true;
    }
    buf_add_str(&text->rows, "SELECT ");
    buf_add_str(&text->rows, copy->column_count == 0 ? "*" : "");
    bool ok = add_columns(&text->rows, copy, text->mem);
    buf_add_str(&text->rows, " FROM ");
    buf_add(&text->rows, buf_view(&text->relation));
    return ok;
}

/* Names come from the descriptor, which the program's author wrote or generated. */
static pgc_status make_text(copy_text *text, const pgc_copy *copy, pgc_copy_format format, bool in,
                            pgc_error *err)
{
    bool ok = copy->query != NULL || add_relation(&text->relation, copy, text->mem);
    buf_add_str(&text->sql, "COPY ");
    if (in) {
        buf_add(&text->sql, buf_view(&text->relation));
        if (copy->column_count > 0) {
            buf_add_char(&text->sql, '(');
            ok = ok && add_columns(&text->sql, copy, text->mem);
            buf_add_char(&text->sql, ')');
        }
        buf_add_str(&text->sql, " FROM STDIN");
    } else {
        ok = ok && make_rows(text, copy);
        buf_add_char(&text->sql, '(');
        buf_add(&text->sql, buf_view(&text->rows));
        buf_add_str(&text->sql, ") TO STDOUT");
    }
    buf_add_str(&text->sql, FORMAT_SQL[format]);
    TRY(buf_finish(&text->relation, err));
    TRY(buf_finish(&text->rows, err));
    TRY(buf_finish(&text->sql, err));
    return ok ? PGC_OK
              : pgc_error_set(err, PGC_INVALID,
                              "copy %s: a name is missing or longer than %u bytes", copy->name,
                              IDENT_MAX);
}

/* A scope's settings hold for one transaction: it begins here. */
static pgc_status begin_for_settings(copy_link *link, pgc_error *err)
{
    if (link->loan.first == NULL) {
        return PGC_OK;
    }
    static const pgc_query BEGIN = { .name = "begin", .sql = "BEGIN", .flags = PGC_QUERY_UNNAMED };
    const run_item items[] = { { &BEGIN, NULL }, { link->loan.first, link->loan.first_args } };
    link->own_tx = true;
    return conn_run_group(link->conn, items, ARRAY_LEN(items), NULL, err);
}

/* Only after an answer of the server: the SQLSTATE of a cancel that we asked for is our deadline's
 * doing. The server tells line and column as a sentence. */
static pgc_status take_error(copy_link *link, const PGresult *result, pgc_error *err)
{
    pgc_conn *conn = link->conn;
    pgc_status status = failure_from_result(conn->pq, result, link->what, err);
    if (status == PGC_CANCELLED && link->call.cancelled) {
        status =
            pgc_error_set(err, PGC_TIMEOUT, "%s: deadline passed, cancelled by us", link->what);
        if (err != NULL) {
            (void) snprintf(err->sqlstate, sizeof err->sqlstate, "57014");
        }
        failure_outcome(err, PGC_OUTCOME_CANCELLED);
    }
    char where[160];
    failure_first_line(conn->pq->resultErrorField(result, PG_DIAG_CONTEXT), where, sizeof where);
    if (err != NULL && where[0] != '\0') {
        size_t used = strlen(err->message);
        (void) snprintf(err->message + used, sizeof err->message - used, " (%s)", where);
    }
    if (err != NULL) {
        (void) snprintf(err->query, sizeof err->query, "%s", link->copy->name);
    }
    if (failure_sqlstate(conn->pq, result)[0] == '\0' || failure_is_fatal(conn->pq, result)) {
        conn->lost = true;
    }
    return status;
}

/* The first error is the cause; what follows it is read all the same, so that the connection is
 * free again. */
pgc_status copy_link_end(copy_link *link, int64_t *rows_out, pgc_error *err)
{
    pgc_conn *conn = link->conn;
    pgc_status status = PGC_OK;
    while (!conn->lost) {
        PGresult *result = NULL;
        pgc_status next = call_next(&link->call, &result, status == PGC_OK ? err : NULL);
        if (next != PGC_OK || result == NULL) {
            return status != PGC_OK ? status : next;
        }
        ExecStatusType kind = conn->pq->resultStatus(result);
        if (kind == PGRES_COMMAND_OK && rows_out != NULL) {
            const char *text = conn->pq->cmdTuples(result);
            *rows_out = text == NULL ? 0 : strtoll(text, NULL, 10);
        } else if (kind == PGRES_FATAL_ERROR && status == PGC_OK) {
            status = take_error(link, result, err);
        } else if (kind != PGRES_COMMAND_OK && kind != PGRES_FATAL_ERROR) {
            conn->lost = true;
            status = pgc_error_set(err, PGC_PROTOCOL,
                                   "%s: an answer that does not belong to it: connection given up",
                                   link->what);
        }
        conn->pq->clear(result);
    }
    return status;
}

/* COPY is not possible in pipeline mode; the next typed query enters it again. */
static pgc_status start_copy(copy_link *link, const char *sql, ExecStatusType kind, pgc_error *err)
{
    pgc_conn *conn = link->conn;
    const pq_ops *pq = conn->pq;
    if (pq->pipelineStatus(conn->pg) != PQ_PIPELINE_OFF && pq->exitPipelineMode(conn->pg) == 0) {
        return conn_lose(conn, link->what, err);
    }
    TRY(call_begin(&link->call, conn, link->call.timeout_us, err));
    if (pq->sendQuery(conn->pg, sql) == 0) {
        return conn_send_failed(conn, link->what, err);
    }
    PGresult *result = NULL;
    TRY(call_next(&link->call, &result, err));
    ExecStatusType got = result == NULL ? PGRES_EMPTY_QUERY : pq->resultStatus(result);
    pgc_status status = PGC_OK;
    if (got == PGRES_FATAL_ERROR) {
        status = take_error(link, result, err);
    } else if (got != kind) {
        conn->lost = true;
        status = pgc_error_set(err, PGC_PROTOCOL,
                               "%s: the server did not start the COPY: "
                               "connection given up",
                               link->what);
    }
    pq->clear(result);
    if (status != PGC_OK && !conn->lost) {
        (void) copy_link_end(link, NULL, NULL); /* the end mark behind the error */
    }
    return status;
}

/* The columns are checked by OID and name before any value is taken for another type. */
static pgc_status check_columns(copy_link *link, const copy_text *text,
                                const pgc_copy_options *options, bool in, pgc_error *err)
{
    const pgc_copy *copy = link->copy;
    bool typed = options->format == PGC_COPY_BINARY &&
                 (copy->query != NULL ? copy->query->column_count : copy->column_count) > 0;
    if (options->unchecked || !typed) {
        return PGC_OK;
    }
    return in ? copy_check_table(link->conn, copy, text->relation.ptr, err)
              : copy_check_rows(link->conn, copy, text->rows.ptr, err);
}

/* With a connection in hand; what fails here is cleaned up by the caller. */
static pgc_status start_on_loan(copy_link *link, const pgc_copy_options *options,
                                ExecStatusType kind, pgc_error *err)
{
    bool in = kind == PGRES_COPY_IN;
    AUTO(text_done) copy_text text;
    buf_init(&text.sql, link->alloc, SQL_MAX);
    buf_init(&text.rows, link->alloc, SQL_MAX);
    buf_init(&text.relation, link->alloc, SQL_MAX);
    text.mem = arena_new(link->alloc, 0, 0);
    if (text.mem == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "%s", link->what);
    }
    TRY(make_text(&text, link->copy, options->format, in, err));
    link->watching = link->conn->watched;
    if (link->watching) {
        watch_begin_text(&link->watch, link->conn, link->copy->name, text.sql.ptr);
    }
    TRY(begin_for_settings(link, err));
    TRY(check_columns(link, &text, options, in, err));
    return start_copy(link, text.sql.ptr, kind, err);
}

static pgc_status check_descriptor(const pgc_copy *copy, bool in, pgc_error *err)
{
    bool query = copy != NULL && copy->query != NULL;
    if (copy == NULL || copy->name == NULL || (in && query) || (!query && copy->table == NULL) ||
        (!query && copy->column_count > 0 && copy->columns == NULL)) {
        return pgc_error_set(err, PGC_INVALID, "copy: the descriptor names no table");
    }
    if (query && copy->query->param_count > 0) {
        return pgc_error_set(err, PGC_INVALID, "copy %s: COPY has no room for parameters",
                             copy->name);
    }
    return PGC_OK;
}

pgc_status copy_link_start(copy_link *link, pgc_db *db, const pgc_copy *copy,
                           const pgc_copy_options *options, ExecStatusType kind, pgc_error *err)
{
    TRY(check_descriptor(copy, kind == PGRES_COPY_IN, err));
    *link = (copy_link) { .db = db, .alloc = options->alloc, .copy = copy };
    (void) snprintf(link->what, sizeof link->what, "copy %s", copy->name);
    pgc_status taken = loan_take(db, link->what, &link->loan, err);
    if (taken != PGC_OK) {
        return pgc_error_wrap(err, taken, "%s", link->what);
    }
    link->conn = link->loan.conn;
    link->call.timeout_us =
        options->timeout_us != 0 ? options->timeout_us : link->conn->call_timeout_us;
    pgc_status status = start_on_loan(link, options, kind, err);
    return status == PGC_OK ? PGC_OK : copy_link_close(link, status, err);
}

/* What is not cleanly rolled back is not used again. */
static pgc_status end_own_tx(copy_link *link, pgc_status status, pgc_error *err)
{
    static const pgc_query COMMIT = { .name = "commit",
                                      .sql = "COMMIT",
                                      .flags = PGC_QUERY_UNNAMED };
    static const pgc_query ROLLBACK = { .name = "rollback",
                                        .sql = "ROLLBACK",
                                        .flags = PGC_QUERY_UNNAMED };
    pgc_conn *conn = link->conn;
    const run_item item = { status == PGC_OK ? &COMMIT : &ROLLBACK, NULL };
    if (status == PGC_OK) {
        status = pgc_error_wrap(err, conn_run_group(conn, &item, 1, NULL, err), "%s", link->what);
    } else if (!conn->lost && pgc_conn_tx_state(conn) != PGC_TX_IDLE &&
               conn_run_group(conn, &item, 1, NULL, NULL) != PGC_OK) {
        conn->lost = true;
    }
    return status;
}

pgc_status copy_link_close(copy_link *link, pgc_status status, pgc_error *err)
{
    assert(link->conn != NULL);
    call_end(&link->call);
    if (link->own_tx) {
        status = end_own_tx(link, status, err);
    }
    if (link->watching) {
        watch_end(&link->watch, status, err);
    }
    link->conn = NULL;
    loan_end(link->db, &link->loan);
    return status;
}
