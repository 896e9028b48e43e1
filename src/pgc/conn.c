/* Opening, closing and looking at one connection. Connecting never blocks in libpq (host name
 * look-up apart) and ends at its deadline. Messages never hold the password. One thread per
 * connection. */
#include "base/prelude.h"

#include "pgc/connection.h"

#include "pgc/exchange.h"
#include "pgc/failure.h"
#include "pgc/run.h"
#include "pgc/watch.h"

#define CONNECT_TIMEOUT_DEFAULT_US 10000000
#define CALL_TIMEOUT_DEFAULT_US    30000000
#define STATEMENTS_DEFAULT         256u
#define SERVER_VERSION_MIN         150000

/* A caller compiled against an older header passes a shorter struct: what it does not know stays
 * zero, which means the default. The upper bound catches a struct_size that was never set. */
pgc_status conn_options_resolve(const pgc_conn_options *in, pgc_conn_options *out, pgc_error *err)
{
    if (in == NULL || in->struct_size < sizeof in->struct_size || in->struct_size > 4096) {
        return pgc_error_set(err, PGC_INVALID, "connection options: struct_size is not set");
    }
    *out = (pgc_conn_options) { 0 };
    memcpy(out, in, in->struct_size < sizeof *out ? in->struct_size : sizeof *out);
    out->struct_size = sizeof *out;
    out->alloc = alloc_or_libc(out->alloc);
    out->conninfo = out->conninfo != NULL ? out->conninfo : "";
    if (out->connect_timeout_us <= 0) {
        out->connect_timeout_us = CONNECT_TIMEOUT_DEFAULT_US;
    }
    if (out->call_timeout_us == 0) {
        out->call_timeout_us = CALL_TIMEOUT_DEFAULT_US;
    }
    if (out->statement_cache == 0) {
        out->statement_cache = STATEMENTS_DEFAULT;
    }
    return PGC_OK;
}

/* libpq's own message may quote parts of the text, password included, so it is not passed on. */
static pgc_status parse_conninfo(const pq_ops *pq, const char *conninfo, PQconninfoOption **out,
                                 pgc_error *err)
{
    char *message = NULL;
    PQconninfoOption *parsed = pq->conninfoParse(conninfo, &message);
    pq->freemem(message);
    if (parsed == NULL) {
        pgc_status status = pgc_error_set(err, PGC_INVALID, "connection string cannot be parsed");
        pgc_error_hint(err, "write it as \"host=… dbname=…\" or as postgresql://user@host/dbname; "
                            "percent-encode special characters in URIs");
        return status;
    }
    *out = parsed;
    return PGC_OK;
}

/* A typing mistake shows when a pool is opened, not at its first query. */
pgc_status conn_check_conninfo(const pq_ops *pq, const char *conninfo, pgc_error *err)
{
    PQconninfoOption *parsed = NULL;
    TRY(parse_conninfo(pq, conninfo, &parsed, err));
    pq->conninfoFree(parsed);
    return PGC_OK;
}

/* An unescaped '@' in a URI's password makes the rest of it part of the host, which messages name.
 * A leading '@' is an abstract socket. */
static pgc_status check_host(const PQconninfoOption *parsed, pgc_error *err)
{
    for (const PQconninfoOption *one = parsed; one->keyword != NULL; one++) {
        if (one->val != NULL && strcmp(one->keyword, "host") == 0 && one->val[0] != '\0' &&
            strchr(one->val + 1, '@') != NULL) {
            pgc_status status =
                pgc_error_set(err, PGC_INVALID, "connection string: the host holds an '@'");
            pgc_error_hint(err, "write '@' in the password of a URI as %%40");
            return status;
        }
    }
    return PGC_OK;
}

#define CONNECT_PARAMS_MAX 80u

/* Keyword arrays for libpq; borrowed from the parsed options. */
typedef struct connect_params {
    const char *keywords[CONNECT_PARAMS_MAX + 1];
    const char *values[CONNECT_PARAMS_MAX + 1];
    size_t count;
} connect_params;

/* A parameter given before wins. */
static void param_default(connect_params *params, const char *keyword, const char *value)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->keywords[i], keyword) == 0) {
            return;
        }
    }
    if (value != NULL && params->count < CONNECT_PARAMS_MAX) {
        params->keywords[params->count] = keyword;
        params->values[params->count++] = value;
    }
}

/* Order matters: what the caller's options say comes before the connection string, and that before
 * our defaults. */
static void params_fill(connect_params *params, const pgc_conn_options *options,
                        const PQconninfoOption *parsed)
{
    params->count = 0;
    param_default(params, "user", options->user);
    param_default(params, "application_name", options->app_name);
    param_default(params, "client_encoding", "UTF8");
    for (const PQconninfoOption *one = parsed; one->keyword != NULL; one++) {
        param_default(params, one->keyword, one->val);
    }
    param_default(params, "fallback_application_name", "pgc");
    /* Trying Kerberos encryption first would cost a round trip. */
    param_default(params, "gssencmode", "disable");
    /* A peer that vanished without a word is noticed in about a minute, not in two hours. */
    param_default(params, "keepalives_idle", "30");
    param_default(params, "keepalives_interval", "10");
    param_default(params, "keepalives_count", "3");
    param_default(params, "tcp_user_timeout", "15000");
    params->keywords[params->count] = NULL;
    params->values[params->count] = NULL;
}

/* Set *err from libpq's message. The server's code is in it because SQLSTATE verbosity was asked
 * for: "FATAL:  28P01: text". */
static pgc_status refused(pgc_conn *conn, pgc_error *err)
{
    char line[400];
    failure_first_line(conn->pq->errorMessage(conn->pg), line, sizeof line);
    pgc_status status = pgc_error_set(err, PGC_CONNECTION, "connect: %s", line);
    if (err == NULL) {
        return status;
    }
    err->retry = true;
    for (const char *mark = strstr(line, ":  "); mark != NULL; mark = strstr(mark + 1, ":  ")) {
        if (strspn(mark + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && mark[8] == ':') {
            (void) snprintf(err->sqlstate, sizeof err->sqlstate, "%.5s", mark + 3);
            (void) failure_status(err->sqlstate, &err->retry);
        }
    }
    return status;
}

/* PQconnectPoll() tells for what to wait; the first wait is for writing, as the manual asks. */
static pgc_status connect_wait(pgc_conn *conn, const conn_seams *seams, int64_t deadline_us,
                               pgc_error *err)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) {
            return refused(conn, err);
        }
        /* The socket changes when libpq goes on to the next address. */
        struct pollfd fds[2] = {
            { .fd = conn->pq->socket(conn->pg),
              .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT },
            { .fd = seams->wake_fd, .events = POLLIN },
        };
        pgc_status status = conn_wait(conn->pq, conn->clock, fds, 2, deadline_us);
        if (status == PGC_TIMEOUT) {
            return pgc_error_set(err, PGC_TIMEOUT, "connect: no answer from the server in time");
        }
        if (status != PGC_OK || (fds[0].revents & POLLNVAL) != 0) {
            return refused(conn, err);
        }
        if (fds[1].revents != 0) {
            return pgc_error_set(err, PGC_CANCELLED, "connect: called off");
        }
        next = conn->pq->connectPoll(conn->pg);
    }
    return PGC_OK;
}

/* Verbose errors while connecting only, because libpq offers no other way to their SQLSTATE. */
static pgc_status start_connect(pgc_conn *conn, const pgc_conn_options *options,
                                const conn_seams *seams, pgc_error *err)
{
    PQconninfoOption *parsed = NULL;
    TRY(parse_conninfo(conn->pq, options->conninfo, &parsed, err));
    pgc_status status = check_host(parsed, err);
    if (status == PGC_OK) {
        connect_params params;
        params_fill(&params, options, parsed);
        conn->pg = conn->pq->connectStartParams(params.keywords, params.values, 0);
    }
    conn->pq->conninfoFree(parsed);
    TRY(status);
    if (conn->pg == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "connect");
    }
    (void) conn->pq->setErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
    (void) conn->pq->setNoticeReceiver(conn->pg, hooks_notice, conn);
    if (conn->pq->status(conn->pg) == CONNECTION_BAD) {
        return refused(conn, err);
    }
    return connect_wait(conn, seams, conn_deadline(conn, options->connect_timeout_us), err);
}

/* A name in a parameter needs no quoting. */
static const pgc_query SET_ROLE = {
    .name = "set role",
    .sql = "SELECT set_config('role', $1, false)",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .params = (const pgc_type_ref[]) { { "role", "text", 25 } },
};

static const pgc_query SET_STRINGS = {
    .name = "set standard_conforming_strings",
    .sql = "SET standard_conforming_strings = on",
    .flags = PGC_QUERY_UNNAMED,
};

/* What the startup message could not say. */
static pgc_status session_setup(pgc_conn *conn, const pgc_conn_options *options, pgc_error *err)
{
    const char *strings = conn->pq->parameterStatus(conn->pg, "standard_conforming_strings");
    if (strings != NULL && strcmp(strings, "off") == 0) {
        TRY(conn_run(conn, &SET_STRINGS, NULL, NULL, err));
    }
    if (options->role == NULL) {
        return PGC_OK;
    }
    pgc_args args;
    pgc_args_init(&args, conn->alloc);
    pgc_add_text(&args, pgc_text_from(options->role));
    pgc_status status = conn_run(conn, &SET_ROLE, &args, NULL, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "role \"%s\"", options->role);
}

/* Version first: the set-up may use what older servers do not know. */
static pgc_status connect_all(pgc_conn *conn, const pgc_conn_options *options,
                              const conn_seams *seams, pgc_error *err)
{
    TRY(start_connect(conn, options, seams, err));
    int version = conn->pq->serverVersion(conn->pg);
    if (version < SERVER_VERSION_MIN) {
        pgc_status status = pgc_error_set(
            err, PGC_UNSUPPORTED, "connect: server version %d.%d is too old", version / 10000,
            version >= 100000 ? version % 10000 : version / 100 % 100);
        pgc_error_hint(err, "use PostgreSQL 15 or later");
        return status;
    }
    (void) conn->pq->setErrorVerbosity(conn->pg, PQERRORS_DEFAULT);
    if (conn->pq->setnonblocking(conn->pg, 1) != 0) {
        return conn_lose(conn, "connect", err);
    }
    return session_setup(conn, options, err);
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

static const pgc_db_ops CONN_DB_OPS = { sizeof(pgc_db_ops), conn_db_run, conn_db_lend,
                                        conn_db_give_back };

/* pgc_conn_close() copes with every half-made state. */
pgc_status conn_open_on(const pgc_conn_options *options, const conn_seams *seams, pgc_conn **out,
                        pgc_error *err)
{
    pgc_conn_options full;
    pgc_hooks hooks;
    TRY(conn_options_resolve(options, &full, err));
    TRY(hooks_resolve(full.hooks, &hooks, err));
    pgc_conn *conn = MEM_NEW(full.alloc, pgc_conn);
    if (conn == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "connect");
    }
    conn->db.ops = &CONN_DB_OPS;
    conn->alloc = full.alloc;
    conn->pq = seams->pq;
    conn->clock = seams->clock;
    conn->call_timeout_us = full.call_timeout_us;
    conn->unnamed = full.unnamed_statements;
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
    const conn_seams seams = { pq_libpq(), clock_os(), -1 };
    return conn_open_on(options, &seams, out, err);
}

/* PQfinish() sends a polite goodbye if it can; statements on the server end with the session. */
void pgc_conn_close(pgc_conn *conn)
{
    if (conn == NULL) {
        return;
    }
    if (conn->opened) {
        hooks_disconnect(conn);
    }
    conn->pq->finish(conn->pg);
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

/* Busy means that a callback or another thread uses the connection: a bug of the caller. */
pgc_status conn_check_usable(const pgc_conn *conn, pgc_error *err)
{
    if (!pgc_conn_alive(conn)) {
        return pgc_error_set(err, PGC_CONNECTION, "connection was lost before: open a new one");
    }
    if (pgc_conn_tx_state(conn) == PGC_TX_ACTIVE) {
        return pgc_error_set(err, PGC_INVALID, "connection is busy with another call");
    }
    return PGC_OK;
}

/* Death shows as a readable socket; so do notices and parameter changes, which are taken in. libpq
 * reports a closed stream only at the second read: the first absorbs the server's last words. */
bool conn_probe(pgc_conn *conn)
{
    for (int round = 0; round < 8; round++) {
        if (!pgc_conn_alive(conn)) {
            return false;
        }
        struct pollfd fd = { .fd = conn->pq->socket(conn->pg), .events = POLLIN };
        if (conn->pq->wait(&fd, 1, 0) <= 0) {
            return true;
        }
        if (conn->pq->consumeInput(conn->pg) == 0) {
            conn->lost = true;
        } else {
            (void) conn->pq->isBusy(conn->pg); /* parses what was read */
        }
    }
    return true;
}

/* An empty query is allowed in a failed transaction, too. */
pgc_status conn_ping(pgc_conn *conn, int64_t timeout_us, pgc_error *err)
{
    exchange ex;
    exchange_begin(&ex, conn, timeout_us, err);
    ex.call.hard = true;
    const query_params none = { .count = 0 };
    size_t at = exchange_text(&ex, "", &none);
    (void) exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, false);
    /* A cancel that comes late is swallowed here: that is one of the purposes. */
    if (status == PGC_OK && strcmp(failure_sqlstate(conn->pq, ex.steps[at].result), "57014") != 0) {
        status = exchange_status(&ex, at, "ping", err);
    }
    exchange_done(&ex);
    return status;
}
