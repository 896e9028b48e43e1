/* One attempt to log in: parameters put together, TLS decided, libpq driven without blocking.
 * Passwords live here for the time of the attempt only. One thread per connection. */
#include "base/prelude.h"

#include "pgc/login.h"

#include "base/buf.h"
#include "pgc/call.h"
#include "pgc/failure.h"

#define PARAMS_MAX      96u
#define PASSWORD_SIZE   8192u
#define STARTUP_LONGEST ((size_t) 1 << 16)

/* Keyword arrays for libpq; everything borrowed. */
typedef struct param_list {
    const char *keywords[PARAMS_MAX + 1];
    const char *values[PARAMS_MAX + 1];
    size_t count;
} param_list;

/* A parameter given before wins. */
static void param_default(param_list *params, const char *keyword, const char *value)
{
    for (size_t i = 0; i < params->count; i++) {
        if (strcmp(params->keywords[i], keyword) == 0) {
            return;
        }
    }
    assert(params->count < PARAMS_MAX);
    if (value != NULL && params->count < PARAMS_MAX) {
        params->keywords[params->count] = keyword;
        params->values[params->count++] = value;
    }
}

/* What is ours to decide per server: the lists must not reach libpq. */
static bool is_ours(const char *keyword)
{
    static const char *const OURS[] = { "host", "hostaddr", "port", "load_balance_hosts",
                                        "connect_timeout" };
    for (size_t i = 0; i < ARRAY_LEN(OURS); i++) {
        if (strcmp(OURS[i], keyword) == 0) {
            return true;
        }
    }
    return false;
}

/* Order matters: what the caller's options say comes before the connection string, and that before
 * our defaults. */
static void params_fill(param_list *params, const login_plan *plan)
{
    param_default(params, "target_session_attrs", "any"); /* judged by ourselves */
    param_default(params, "user", plan->options->user);
    param_default(params, "application_name", plan->options->app_name);
    param_default(params, "client_encoding", "UTF8");
    for (const PQconninfoOption *one = plan->info->given; one->keyword != NULL; one++) {
        if (!is_ours(one->keyword)) {
            param_default(params, one->keyword, one->val);
        }
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

/* libpq's own default, prefer, gives in to whoever stands in between. Against that only a verified
 * certificate helps; who trusts the network says so by disable. */
pgc_status login_check_tls(const conninfo *info, const host_entry *entry, pgc_error *err)
{
    const char *mode = conninfo_get(info, "sslmode");
    char where[120];
    if (host_is_local(entry) || mode == NULL ||
        (strcmp(mode, "prefer") != 0 && strcmp(mode, "allow") != 0)) {
        return PGC_OK;
    }
    host_describe(entry, where, sizeof where);
    pgc_status status = pgc_error_set(
        err, PGC_INVALID, "connect: sslmode=%s gives no protection on the way to %s", mode, where);
    pgc_error_hint(err, "leave sslmode out for verify-full (with sslrootcert=FILE), or trust the "
                        "network by sslmode=disable");
    return status;
}

/* For local hosts libpq knows what was chosen. *verify_out: our default was taken. */
static pgc_status choose_tls(param_list *params, const login_plan *plan, const host_entry *entry,
                             bool *verify_out, pgc_error *err)
{
    const char *mode = conninfo_get(plan->info, "sslmode");
    TRY(login_check_tls(plan->info, entry, err));
    *verify_out = !host_is_local(entry) && mode == NULL;
    if (!host_is_local(entry)) {
        param_default(params, "sslmode", *verify_out ? "verify-full" : mode);
    }
    return PGC_OK;
}

/* "-c name=value" for each setting, behind what the connection string itself says. */
static void startup_options(buf *out, const login_plan *plan)
{
    const pgc_conn_options *options = plan->options;
    const char *given = conninfo_get(plan->info, "options");
    if (given != NULL) {
        buf_add_str(out, given);
    }
    for (size_t i = 0; i < options->setting_count; i++) {
        buf_printf(out, "%s-c %s=", out->len > 0 ? " " : "", options->settings[i].name);
        for (const char *c = options->settings[i].value; *c != '\0'; c++) {
            if (isspace((unsigned char) *c) || *c == '\\') {
                buf_add_char(out, '\\');
            }
            buf_add_char(out, *c);
        }
    }
}

/* The hook's word on the password, if it has one. */
static pgc_status ask_password(const login_plan *plan, const host_entry *entry, char *password,
                               pgc_error *err)
{
    const pgc_conn_options *options = plan->options;
    if (options->before_connect == NULL) {
        return PGC_OK;
    }
    const char *user = options->user != NULL ? options->user : conninfo_get(plan->info, "user");
    pgc_login login = {
        .struct_size = sizeof login,
        .host = entry->host[0] != '\0' ? entry->host : entry->hostaddr,
        .port = entry->port,
        .user = user != NULL ? user : "",
        .password = password,
        .password_size = PASSWORD_SIZE,
    };
    pgc_error_clear(err);
    pgc_status status = options->before_connect(options->before_connect_arg, &login, err);
    password[PASSWORD_SIZE - 1] = '\0';
    return pgc_error_wrap(err, status, "connect: before_connect");
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
    /* PgBouncer's words; it does not translate them. */
    if (strstr(line, "unsupported startup parameter") != NULL) {
        err->retry = false;
        pgc_error_hint(err, "a pooler refuses settings of a session: leave them out, give them to "
                            "a scope or transaction, or name the parameter in pgbouncer's "
                            "ignore_startup_parameters");
    }
    return status;
}

/* PQconnectPoll() tells for what to wait; the first wait is for writing, as the manual asks. */
static pgc_status poll_login(pgc_conn *conn, const conn_seams *seams, const char *where,
                             int64_t deadline_us, pgc_error *err)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED) {
            return refused(conn, err);
        }
        /* The socket changes when libpq tries again without TLS. */
        struct pollfd fds[2] = {
            { .fd = conn->pq->socket(conn->pg),
              .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT },
            { .fd = seams->wake_fd, .events = POLLIN },
        };
        pgc_status status = conn_wait(conn->pq, conn->clock, fds, 2, deadline_us);
        if (status == PGC_TIMEOUT) {
            return pgc_error_set(err, PGC_TIMEOUT, "connect: no answer from %s in time", where);
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
static pgc_status start_login(pgc_conn *conn, const login_plan *plan, const param_list *params,
                              const host_entry *entry, int64_t deadline_us, pgc_error *err)
{
    char where[120];
    host_describe(entry, where, sizeof where);
    conn->pg = conn->pq->connectStartParams(params->keywords, params->values, 0);
    if (conn->pg == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "connect");
    }
    (void) conn->pq->setErrorVerbosity(conn->pg, PQERRORS_VERBOSE);
    (void) conn->pq->setNoticeReceiver(conn->pg, conn_notice, conn);
    if (conn->pq->status(conn->pg) == CONNECTION_BAD) {
        return refused(conn, err);
    }
    return poll_login(conn, plan->seams, where, deadline_us, err);
}

/* Everything that needs no secret. */
static pgc_status login_with(pgc_conn *conn, const login_plan *plan, const host_entry *entry,
                             const char *address, param_list *params, int64_t deadline_us,
                             pgc_error *err)
{
    bool verify;
    buf options;
    TRY(choose_tls(params, plan, entry, &verify, err));
    /* Empty entries stand for libpq's defaults, which an empty text gives as well. */
    param_default(params, "host", entry->host[0] != '\0' ? entry->host : NULL);
    param_default(params, "hostaddr", address[0] != '\0' ? address : NULL);
    param_default(params, "port", entry->port[0] != '\0' ? entry->port : NULL);
    buf_init(&options, conn->alloc, STARTUP_LONGEST);
    pgc_status status = PGC_OK;
    if (plan->options->setting_count > 0 && !plan->options->settings_late) {
        startup_options(&options, plan);
        status = buf_finish(&options, err);
        param_default(params, "options", buf_view(&options).ptr);
    }
    if (status == PGC_OK) {
        params_fill(params, plan);
        status = start_login(conn, plan, params, entry, deadline_us, err);
    }
    buf_done(&options);
    if (status == PGC_CONNECTION && verify && err != NULL && err->sqlstate[0] == '\0') {
        pgc_error_hint(err, "remote hosts need TLS with a verified certificate by default: name "
                            "its authority by sslrootcert=FILE, or trust the network by "
                            "sslmode=disable");
    }
    return status;
}

pgc_status login_at(pgc_conn *conn, const login_plan *plan, const host_entry *entry,
                    const char *address, int64_t deadline_us, pgc_error *err)
{
    char password[PASSWORD_SIZE] = "";
    param_list params = { .count = 0 };
    assert(conn->pg == NULL);
    pgc_status status = ask_password(plan, entry, password, err);
    if (status == PGC_OK) {
        param_default(&params, "password", password[0] != '\0' ? password : NULL);
        status = login_with(conn, plan, entry, address, &params, deadline_us, err);
    }
    if (status != PGC_OK) {
        conninfo_redact(password, err);
        conninfo_redact(conninfo_get(plan->info, "password"), err);
    }
    explicit_bzero(password, sizeof password);
    return status;
}
