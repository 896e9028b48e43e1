/* Opening, closing and looking at one connection. Connecting never blocks in libpq and ends at its
 * deadline. Messages never hold the password. One thread per connection, but for
 * pgc_conn_cancel(). */
#include "base/prelude.h"

#include "pgc/connection.h"

#include "base/options.h"
#include "pgc/cancel.h"
#include "pgc/connect.h"
#include "pgc/conninfo.h"
#include "pgc/failure.h"
#include "pgc/login.h"
#include "pgc/run.h"
#include "pgc/stream.h"
#include "pgc/watch.h"

#define LOOK_AFTER_US 10000 /* of idleness, before a call */

/* What can be told without a server. */
static pgc_status check_parsed(const conninfo *info, pgc_error *err)
{
    conn_want want;
    host_list hosts;
    TRY(want_parse(conninfo_get(info, "target_session_attrs"), &want, err));
    TRY(hosts_open(&hosts, NULL, conninfo_get(info, "host"), conninfo_get(info, "hostaddr"),
                   conninfo_get(info, "port"), err));
    pgc_status status = PGC_OK;
    for (size_t i = 0; i < hosts.count && status == PGC_OK; i++) {
        status = login_check_tls(info, &hosts.entries[i], err);
    }
    hosts_close(&hosts);
    return status;
}

/* A typing mistake shows when a pool is opened, not at its first query. */
pgc_status conn_check_conninfo(const pq_ops *pq, const char *conninfo_text, pgc_error *err)
{
    conninfo info;
    TRY(conninfo_open(pq, NULL, conninfo_text, &info, err));
    pgc_status status = check_parsed(&info, err);
    conninfo_close(&info);
    return status;
}

/* Names and values are parameters: they need no quoting, and one text serves for any number. */
static const pgc_query SET_SESSION = {
    .name = "session settings",
    .sql = "SELECT pg_catalog.set_config(s.name, s.value, false)"
           " FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.text[]),"
           " pg_catalog.unnest($2::pg_catalog.text[])) AS s (name, value)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 2,
    .params = (const pgc_type_ref[]) { { "names", "text[]", 1009 }, { "values", "text[]", 1009 } },
};

#define SETUP_MAX (64u + 2)

/* What is still to be set behind the login, in its order. */
typedef struct setup_list {
    pgc_text names[SETUP_MAX], values[SETUP_MAX];
    size_t count;
} setup_list;

static void setup_add(setup_list *list, const char *name, const char *value)
{
    assert(list->count < SETUP_MAX);
    list->names[list->count] = pgc_text_from(name);
    list->values[list->count++] = pgc_text_from(value);
}

/* What the startup message could not say, in one round trip; mostly nothing. */
static pgc_status session_setup(pgc_conn *conn, const pgc_conn_options *options, pgc_error *err)
{
    setup_list list = { .count = 0 };
    const char *strings = conn->pq->parameterStatus(conn->pg, "standard_conforming_strings");
    if (strings != NULL && strcmp(strings, "off") == 0) {
        setup_add(&list, "standard_conforming_strings", "on");
    }
    for (size_t i = 0; i < options->setting_count && options->settings_late; i++) {
        setup_add(&list, options->settings[i].name, options->settings[i].value);
    }
    if (options->role != NULL) {
        setup_add(&list, "role", options->role);
    }
    if (list.count == 0) {
        return PGC_OK;
    }
    pgc_args args;
    pgc_args_init(&args, conn->alloc);
    pgc_add_arr_text(&args, (pgc_arr_text) { .has = true, .count = list.count, .v = list.names });
    pgc_add_arr_text(&args, (pgc_arr_text) { .has = true, .count = list.count, .v = list.values });
    pgc_status status = conn_run(conn, &SET_SESSION, &args, NULL, err);
    pgc_args_done(&args);
    return options->role == NULL
               ? pgc_error_wrap(err, status, "connect")
               : pgc_error_wrap(err, status, "connect: role \"%s\"", options->role);
}

/* The deadline is the end: a session that cannot be set up is of no use. */
pgc_status conn_session_setup(pgc_conn *conn, const pgc_conn_options *options, int64_t timeout_us,
                              pgc_error *err)
{
    int64_t before_us = conn->call_timeout_us;
    conn->connecting = true;
    conn->call_timeout_us = timeout_us;
    pgc_status status = session_setup(conn, options, err);
    conn->connecting = false;
    conn->call_timeout_us = before_us;
    return status;
}

/* Whatever fails here, no request of the caller was sent. */
static pgc_status connect_all(pgc_conn *conn, const pgc_conn_options *options,
                              const conn_seams *seams, pgc_error *err)
{
    int64_t deadline_us = conn_deadline(conn, options->connect_timeout_us);
    conn->connecting = true;
    pgc_status status = connect_any(conn, options, seams, deadline_us, err);
    if (status == PGC_OK) {
        status = session_setup(conn, options, err);
    }
    conn->connecting = false;
    conn->call_timeout_us = options->call_timeout_us;
    return status;
}

/* The clock is read for a listener only. */
static pgc_status connect_told(pgc_conn *conn, const pgc_conn_options *options,
                               const conn_seams *seams, pgc_error *err)
{
    if (conn->hooks.on_connect == NULL) {
        return connect_all(conn, options, seams, err);
    }
    pgc_error ours;
    err = err != NULL ? err : &ours;
    int64_t since_us = conn->clock->mono_us(conn->clock->ctx);
    pgc_status status = connect_all(conn, options, seams, err);
    hooks_connect(conn, status, err, conn->clock->mono_us(conn->clock->ctx) - since_us);
    return status;
}

static const pgc_db_ops CONN_DB_OPS = { .struct_size = sizeof(pgc_db_ops),
                                        .run = conn_db_run,
                                        .open_rows = conn_db_open_rows,
                                        .lend = conn_db_lend,
                                        .give_back = conn_db_give_back };

/* pgc_conn_close() copes with every half-made state. */
pgc_status conn_open_on(const pgc_conn_options *options, const conn_seams *seams, pgc_conn **out,
                        pgc_error *err)
{
    pgc_conn_options full;
    pgc_hooks hooks;
    TRY(conn_options_resolve(options, &full, err));
    TRY(options_take_any("hooks", full.hooks, &hooks, sizeof hooks, err));
    pgc_conn *conn = MEM_NEW(full.alloc, pgc_conn);
    if (conn == NULL) {
        pgc_status status = pgc_error_set(err, PGC_NOMEM, "connect");
        failure_outcome(err, PGC_OUTCOME_NOT_RUN);
        return status;
    }
    conn->db.ops = &CONN_DB_OPS;
    conn->alloc = full.alloc;
    conn->pq = seams->pq;
    conn->clock = seams->clock;
    conn->cancel_grace_us = full.cancel_grace_us;
    conn->recycle_bytes = full.recycle_bytes;
    conn->unnamed = full.unnamed_statements;
    conn->schema_epoch = &conn->own_epoch;
    (void) pthread_mutex_init(&conn->cancel_lock, NULL);
    hooks_attach(conn, &hooks);
    typemap_init(&conn->types, conn->alloc);
    pgc_status status = PGC_OK;
    if (!statement_cache_init(&conn->statements, conn->alloc, full.statement_cache)) {
        status = pgc_error_set(err, PGC_NOMEM, "connect");
    }
    if (status == PGC_OK) {
        status = connect_told(conn, &full, seams, err);
        conn->opened = status == PGC_OK;
    }
    if (status != PGC_OK) {
        failure_outcome(err, PGC_OUTCOME_NOT_RUN);
        pgc_conn_close(conn);
        return status;
    }
    *out = conn;
    return PGC_OK;
}

/* The public door to conn_open_on(): real libpq, real clock. */
pgc_status pgc_conn_open(const pgc_conn_options *options, pgc_conn **out, pgc_error *err)
{
    if (out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "connect: no place for the connection");
    }
    const conn_seams seams = { pq_libpq(), clock_os(), -1, NULL };
    return conn_open_on(options, &seams, out, err);
}

/* PQfinish() sends a polite goodbye if it can; statements on the server end with the session. */
void pgc_conn_close(pgc_conn *conn)
{
    if (conn == NULL) {
        return;
    }
    if (conn->rows != NULL) {
        stream_detach(conn->rows);
    }
    if (conn->opened) {
        hooks_disconnect(conn);
    }
    if (conn->cancel != NULL) {
        (void) cancel_finish(TAKE(conn->cancel), 0);
    }
    conn->pq->finish(conn->pg);
    (void) pthread_mutex_destroy(&conn->cancel_lock);
    statement_cache_done(&conn->statements);
    typemap_done(&conn->types);
    mem_free(conn->alloc, conn, sizeof *conn);
}

pgc_db *pgc_conn_db(pgc_conn *conn)
{
    return &conn->db;
}

int32_t pgc_conn_server_version(const pgc_conn *conn)
{
    return conn->pq->serverVersion(conn->pg);
}

int32_t pgc_conn_backend_pid(const pgc_conn *conn)
{
    return conn->pq->backendPID(conn->pg);
}

/* No look at the socket: what the last call left behind. conn_probe() looks. */
bool pgc_conn_alive(const pgc_conn *conn)
{
    return !conn->lost && conn->pq->status(conn->pg) == CONNECTION_OK;
}

/* libpq's word is only good while nothing is under way, which holds between calls. */
pgc_tx_state pgc_conn_tx_state(const pgc_conn *conn)
{
    if (!pgc_conn_alive(conn)) {
        return PGC_TX_UNKNOWN;
    }
    switch (conn->pq->transactionStatus(conn->pg)) {
    case PQTRANS_IDLE:
        return PGC_TX_IDLE;
    case PQTRANS_ACTIVE:
        return PGC_TX_ACTIVE;
    case PQTRANS_INTRANS:
        return PGC_TX_OPEN;
    case PQTRANS_INERROR:
        return PGC_TX_FAILED;
    case PQTRANS_UNKNOWN:
    default:
        return PGC_TX_UNKNOWN;
    }
}

/* A server that went away meanwhile is noticed before anything is sent, which is the difference
 * between "not run" and "unknown". Looking costs a system call, so only after a pause. */
static bool still_there(pgc_conn *conn, int64_t now_us)
{
    bool paused = now_us - conn->used_us >= LOOK_AFTER_US;
    return pgc_conn_alive(conn) && (!paused || conn_socket_alive(conn));
}

/* Busy means that a callback or another thread uses the connection: a bug of the caller. */
pgc_status conn_check_at(pgc_conn *conn, int64_t now_us, pgc_error *err)
{
    pgc_status status = PGC_OK;
    if (pgc_conn_alive(conn) && pgc_conn_tx_state(conn) == PGC_TX_ACTIVE) {
        status = pgc_error_set(err, PGC_INVALID, "connection is busy with another call");
        pgc_error_hint(err,
                       "close the rows, the pipeline or the COPY that is open on it first, or use "
                       "another connection");
    } else if (!still_there(conn, now_us)) {
        status = pgc_error_set(err, PGC_CONNECTION, "connection was lost before: open a new one");
        if (err != NULL) {
            err->retry = true;
        }
        conn_last_words(conn, err);
    }
    if (status != PGC_OK) {
        failure_outcome(err, PGC_OUTCOME_NOT_RUN);
    }
    return status;
}

pgc_status conn_check_usable(pgc_conn *conn, pgc_error *err)
{
    return conn_check_at(conn, conn->clock->mono_us(conn->clock->ctx), err);
}
