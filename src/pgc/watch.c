/* Events for the caller's hook table, filled and handed over. Nothing is kept here: each event
 * lives on the stack of the call it is about. Runs on the thread that does the work. */
#include "base/prelude.h"

#include "pgc/watch.h"

#include "pgc/failure.h"

/* One flag for the hot path: three members would be three branches. */
void hooks_attach(pgc_conn *conn, const pgc_hooks *hooks)
{
    conn->hooks = *hooks;
    conn->watched = hooks->on_query_start != NULL || hooks->on_query_end != NULL ||
                    hooks->on_batch_query != NULL;
}

static const char *or_empty(const char *text)
{
    return text == NULL ? "" : text;
}

/* libpq answers all of these without asking the server; a PGconn that failed knows its address. */
void hooks_session(const pgc_conn *conn, pgc_session_facts *out)
{
    const pq_ops *pq = conn->pq;
    *out = (pgc_session_facts) { "", "", "", "", or_empty(conn->pool_name), 0, 0, false };
    if (conn->pg == NULL) {
        return;
    }
    const char *standby = pq->parameterStatus(conn->pg, "in_hot_standby");
    out->host = or_empty(pq->host(conn->pg));
    out->port = or_empty(pq->port(conn->pg));
    out->database = or_empty(pq->db(conn->pg));
    out->user = or_empty(pq->user(conn->pg));
    out->backend_pid = pq->backendPID(conn->pg);
    out->server_version = pq->serverVersion(conn->pg);
    out->standby = standby != NULL && strcmp(standby, "on") == 0;
}

static int64_t now_us(const pgc_conn *conn)
{
    return conn->clock->mono_us(conn->clock->ctx);
}

static void begin(query_watch *watch, const pgc_conn *conn, const char *name, const char *sql)
{
    assert(conn->watched);
    watch->conn = conn;
    watch->span = NULL;
    hooks_session(conn, &watch->session);
    watch->event = (pgc_query_event) { .session = &watch->session,
                                       .name = or_empty(name),
                                       .sql = or_empty(sql),
                                       .attempt = 1,
                                       .sqlstate = "" };
}

/* The clock starts after the caller's own work at the start. */
static void start(query_watch *watch)
{
    const pgc_hooks *hooks = &watch->conn->hooks;
    if (hooks->on_query_start != NULL) {
        hooks->on_query_start(hooks->ctx, &watch->event, &watch->span);
    }
    watch->since_us = now_us(watch->conn);
}

void watch_begin(query_watch *watch, const pgc_conn *conn, const pgc_query *query)
{
    begin(watch, conn, query->name, query->sql);
    watch->event.sql_hash = query->hash;
    start(watch);
}

void watch_begin_text(query_watch *watch, const pgc_conn *conn, const char *name, const char *sql)
{
    begin(watch, conn, name, sql);
    start(watch);
}

void watch_begin_batch(query_watch *watch, const pgc_conn *conn, const char *name, size_t size)
{
    begin(watch, conn, name, "");
    watch->event.batch_size = size > UINT32_MAX ? UINT32_MAX : (uint32_t) size;
    start(watch);
}

/* Saturates: a counter for people, not for arithmetic. */
void watch_add(query_watch *watch, int64_t rows, int64_t bytes)
{
    if (__builtin_add_overflow(watch->event.rows, rows, &watch->event.rows)) {
        watch->event.rows = INT64_MAX;
    }
    if (__builtin_add_overflow(watch->event.bytes, bytes, &watch->event.bytes)) {
        watch->event.bytes = INT64_MAX;
    }
}

/* Rows that came, else the number in the command tag: "UPDATE 3". */
void watch_answer(query_watch *watch, const PGresult *answer)
{
    const pq_ops *pq = watch->conn->pq;
    if (answer == NULL) {
        return;
    }
    int64_t rows = pq->ntuples(answer);
    if (rows == 0 && pq->resultStatus(answer) == PGRES_COMMAND_OK) {
        PGresult *same;
        memcpy(&same, &answer, sizeof same); /* libpq forgot a const, it only reads */
        rows = strtoll(or_empty(pq->cmdTuples(same)), NULL, 10);
    }
    watch_add(watch, rows, (int64_t) pq->resultMemorySize(answer));
}

static void set_status(pgc_query_event *event, pgc_status status, const pgc_error *err)
{
    event->status = status;
    event->error = status == PGC_OK ? NULL : err;
    event->sqlstate = event->error == NULL ? "" : err->sqlstate;
}

/* The batch's own event with the words of one query. */
void watch_batch_query(query_watch *watch, const pgc_query *query, size_t index, int64_t rows,
                       pgc_status status, const pgc_error *err)
{
    const pgc_hooks *hooks = &watch->conn->hooks;
    assert(index < watch->event.batch_size);
    if (hooks->on_batch_query == NULL) {
        return;
    }
    pgc_query_event one = watch->event;
    one.name = or_empty(query->name);
    one.sql = or_empty(query->sql);
    one.sql_hash = query->hash;
    one.batch_index = (uint32_t) index;
    one.rows = rows;
    one.bytes = 0;
    set_status(&one, status, err);
    hooks->on_batch_query(hooks->ctx, &one, watch->span);
}

void watch_end(query_watch *watch, pgc_status status, const pgc_error *err)
{
    const pgc_hooks *hooks = &watch->conn->hooks;
    if (hooks->on_query_end == NULL) {
        return;
    }
    watch->event.duration_us = now_us(watch->conn) - watch->since_us;
    set_status(&watch->event, status, err);
    hooks->on_query_end(hooks->ctx, &watch->event, watch->span);
}

void hooks_retry(const pgc_hooks *hooks, pgc_retry_event event, const pgc_error *err)
{
    if (hooks->on_retry == NULL) {
        return;
    }
    event.sqlstate = err == NULL ? "" : err->sqlstate;
    hooks->on_retry(hooks->ctx, &event);
}

void hooks_connect(const pgc_conn *conn, pgc_status status, const pgc_error *err,
                   int64_t duration_us)
{
    if (conn->hooks.on_connect == NULL) {
        return;
    }
    pgc_session_facts session;
    hooks_session(conn, &session);
    const pgc_error *error = status == PGC_OK ? NULL : err;
    const pgc_connect_event event = { .session = &session,
                                      .status = status,
                                      .sqlstate = error == NULL ? "" : error->sqlstate,
                                      .error = error,
                                      .duration_us = duration_us };
    conn->hooks.on_connect(conn->hooks.ctx, &event);
}

/* The pool says why; for others it is the caller's wish, unless the session was lost before. */
void hooks_disconnect(const pgc_conn *conn)
{
    if (conn->hooks.on_disconnect == NULL) {
        return;
    }
    pgc_session_facts session;
    hooks_session(conn, &session);
    bool lost = conn->end_reason == PGC_END_CALLER && !pgc_conn_alive(conn);
    const pgc_connect_event event = { .session = &session,
                                      .sqlstate = "",
                                      .reason = lost ? PGC_END_LOST : conn->end_reason };
    conn->hooks.on_disconnect(conn->hooks.ctx, &event);
}

/* libpq would print notices to stderr otherwise: a library does not print. */
void hooks_notice(void *arg, const PGresult *result)
{
    pgc_conn *conn = arg;
    conn->notice_count++;
    if (conn->hooks.on_notice == NULL) {
        return;
    }
    pgc_session_facts session;
    hooks_session(conn, &session);
    const pq_ops *pq = conn->pq;
    const pgc_notice_event event = {
        .session = &session,
        .severity = or_empty(pq->resultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED)),
        .sqlstate = failure_sqlstate(pq, result),
        .message = or_empty(pq->resultErrorField(result, PG_DIAG_MESSAGE_PRIMARY)),
        .detail = or_empty(pq->resultErrorField(result, PG_DIAG_MESSAGE_DETAIL)),
        .hint = or_empty(pq->resultErrorField(result, PG_DIAG_MESSAGE_HINT)),
    };
    conn->hooks.on_notice(conn->hooks.ctx, &event);
}
