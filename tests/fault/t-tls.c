/* Logging in over TCP at a server with a certificate of our own making: who is trusted, which
 * server of a list is taken, passwords that change. One server for all cases; it is read only,
 * which makes it the second kind beside the server of the run. */
#include "base/prelude.h"

#include "pgc/auto.h"
#include "pgc/connection.h"

#include "live.h"
#include "proxy.h"
#include "server.h"
#include "tap.h"

static server own;

/* A connection string for our server by name, with "%s" of the folder for files. */
static pgc_status open_as(const char *more, pgc_conn **out, pgc_error *err)
{
    char conninfo[900];
    (void) snprintf(conninfo, sizeof conninfo, "hostaddr=127.0.0.1 port=%d dbname=postgres %s",
                    own.port, more);
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = conninfo };
    return pgc_conn_open(&options, out, err);
}

/* Certificates and keys by their names in the server's folder. */
static const char *files(const char *format, char *text, size_t size)
{
    char folder[64];
    (void) snprintf(folder, sizeof folder, "%s", own.dir.path);
    size_t len = 0;
    for (const char *c = format; *c != '\0' && len + sizeof folder < size; c++) {
        if (*c == '$') {
            len += (size_t) snprintf(text + len, size - len, "%s", folder);
        } else {
            text[len++] = *c;
        }
    }
    text[len] = '\0';
    return text;
}

#define OPEN_AS(more, out, err) open_as(files((more), more_text, sizeof more_text), (out), (err))

static void remote_hosts_are_verified_by_default(void)
{
    char more_text[500], text[40];
    pgc_error err;
    AUTO(conn_auto) pgc_conn *conn = NULL;
    REQUIRE_OK(OPEN_AS("host=db.test user=postgres sslrootcert=$/ca.crt", &conn, &err), &err);
    live_text(conn, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", text, sizeof text);
    CHECK_STR(text, "t");
    CHECK(pgc_conn_parameter(conn, "server_version") != NULL);
}

static void a_wrong_name_or_authority_is_refused(void)
{
    static const char *const BAD[] = {
        "host=other.test user=postgres sslrootcert=$/ca.crt",
        "host=db.test user=postgres sslrootcert=$/stranger.crt",
        "host=db.test user=postgres sslrootcert=$/missing.crt",
        "host=db.test user=postgres sslrootcert=$/ca.crt sslmode=verify-full hostaddr=127.0.0.1 "
        "ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
    };
    char more_text[500];
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        pgc_error err;
        pgc_conn *conn = NULL;
        CHECK_STATUS(OPEN_AS(BAD[i], &conn, &err), PGC_CONNECTION, &err);
        CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
        CHECK(conn == NULL);
        CHECK(i == 3 || strstr(err.hint, "sslrootcert") != NULL);
    }
}

static void half_hearted_tls_to_remote_hosts_is_refused(void)
{
    static const char *const MODES[] = { "prefer", "allow" };
    char more_text[500], more[100];
    pgc_error err;
    AUTO(conn_auto) pgc_conn *conn = NULL;
    for (size_t i = 0; i < ARRAY_LEN(MODES); i++) {
        (void) snprintf(more, sizeof more, "host=db.test user=postgres sslmode=%s", MODES[i]);
        CHECK_STATUS(OPEN_AS(more, &conn, &err), PGC_INVALID, &err);
        CHECK(strstr(err.message, MODES[i]) != NULL);
        CHECK(strstr(err.message, "db.test") != NULL);
        CHECK(strstr(err.hint, "sslmode=disable") != NULL);
    }
    CHECK_STATUS(OPEN_AS("host=db.test user=postgres sslmode=disable", &conn, &err), PGC_OK, &err);
}

static void a_client_certificate_logs_in(void)
{
    char more_text[500], text[40];
    pgc_error err;
    AUTO(conn_auto) pgc_conn *admin = NULL;
    AUTO(conn_auto) pgc_conn *conn = NULL;
    REQUIRE_OK(OPEN_AS("user=postgres", &admin, &err), &err);
    REQUIRE(live_do(admin, "SET default_transaction_read_only = off"));
    REQUIRE(live_do(admin, "CREATE ROLE certified LOGIN"));
    REQUIRE_OK(OPEN_AS("host=db.test user=certified sslrootcert=$/ca.crt sslcert=$/client.crt "
                       "sslkey=$/client.key",
                       &conn, &err),
               &err);
    CHECK_STR(live_text(conn, "SELECT current_user", text, sizeof text), "certified");
    pgc_conn *none = NULL;
    CHECK_STATUS(OPEN_AS("host=db.test user=certified sslrootcert=$/ca.crt sslcert=", &none, &err),
                 PGC_CONNECTION, &err);
    CHECK(none == NULL);
}

/* What the hook is to answer, and what it was asked. */
typedef struct vault {
    const char *password;
    pgc_status status;
    char asked[100];
    int calls;
} vault;

static pgc_status fetch_password(void *arg, pgc_login *login, pgc_error *err)
{
    vault *v = arg;
    v->calls++;
    (void) snprintf(v->asked, sizeof v->asked, "%s@%s", login->user, login->host);
    (void) snprintf(login->password, login->password_size, "%s", v->password);
    return v->status == PGC_OK ? PGC_OK : pgc_error_set(err, v->status, "vault is sealed");
}

static void passwords_that_change_come_from_a_hook(void)
{
    char conninfo[200], more_text[100];
    pgc_error err;
    AUTO(conn_auto) pgc_conn *admin = NULL;
    REQUIRE_OK(OPEN_AS("user=postgres", &admin, &err), &err);
    REQUIRE(live_do(admin, "SET default_transaction_read_only = off"));
    REQUIRE(live_do(admin, "CREATE ROLE guarded LOGIN PASSWORD 'first-one'"));
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=localhost hostaddr=127.0.0.1 port=%d dbname=postgres user=guarded "
                    "password=outdated-one",
                    own.port);
    vault v = { .password = "first-one" };
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = conninfo,
                                       .before_connect = fetch_password,
                                       .before_connect_arg = &v };
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    CHECK_STR(v.asked, "guarded@localhost");
    pgc_conn_close(TAKE(conn));
    REQUIRE(live_do(admin, "ALTER ROLE guarded PASSWORD 'second-one'"));
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_CONNECTION, &err);
    CHECK_STR(err.sqlstate, "28P01");
    CHECK(!err.retry);
    CHECK(strstr(err.message, "first-one") == NULL && strstr(err.message, "outdated") == NULL);
    v.password = "second-one";
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    pgc_conn_close(TAKE(conn));
    v.password = ""; /* keeps the one of the connection string */
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_CONNECTION, &err);
    v.status = PGC_DENIED;
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_DENIED, &err);
    CHECK_STR(err.message, "connect: before_connect: vault is sealed");
    CHECK_INT(v.calls, 5);
    CHECK(conn == NULL);
}

/* Opens a list of two, the writable one by way of a proxy; tells whether the answer is read only.
 */
static const char *choose(const proxy *writable, bool read_only_first, const char *want,
                          pgc_error *err)
{
    static char text[20];
    char conninfo[400];
    int other = 0;
    CHECK(sscanf(strstr(proxy_conninfo(writable), "port="), "port=%d", &other) == 1);
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=127.0.0.1,127.0.0.1 port=%d,%d dbname=postgres user=postgres "
                    "sslmode=disable target_session_attrs=%s",
                    read_only_first ? own.port : other, read_only_first ? other : own.port, want);
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = conninfo };
    AUTO(conn_auto) pgc_conn *conn = NULL;
    if (pgc_conn_open(&options, &conn, err) != PGC_OK) {
        return "none";
    }
    return live_text(conn, "SHOW transaction_read_only", text, sizeof text);
}

static void the_wanted_kind_of_server_is_found(void)
{
    static const struct {
        const char *want, *read_only_first, *writable_first;
    } ROWS[] = {
        { "any", "on", "off" },        { "read-write", "off", "off" },
        { "read-only", "on", "on" },   { "primary", "on", "off" },
        { "standby", "none", "none" }, { "prefer-standby", "on", "off" },
    };
    pgc_error err;
    proxy *writable = proxy_open(test_server());
    REQUIRE(writable != NULL);
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        CHECK_STR(choose(writable, true, ROWS[i].want, &err), ROWS[i].read_only_first);
        CHECK_STR(choose(writable, false, ROWS[i].want, &err), ROWS[i].writable_first);
    }
    CHECK_STR(choose(writable, true, "standby", &err), "none");
    CHECK_INT(err.status, PGC_CONNECTION);
    CHECK(err.retry);
    CHECK(strstr(err.message, "none of 2 servers") != NULL);
    CHECK(strstr(err.message, "that is a standby") != NULL);
    proxy_close(writable);
}

/* What the server reports shows without a query, and a probe takes it to heart. */
static void a_server_that_stops_fitting_is_noticed(void)
{
    char more_text[200];
    pgc_error err;
    AUTO(conn_auto) pgc_conn *conn = NULL;
    REQUIRE_OK(OPEN_AS("user=postgres target_session_attrs=read-only", &conn, &err), &err);
    CHECK(!pgc_conn_in_recovery(conn));
    CHECK(conn_fits(conn));
    CHECK(conn_probe(conn));
    REQUIRE(live_do(conn, "SET default_transaction_read_only = off"));
    CHECK(!conn_fits(conn));
    CHECK(!conn_probe(conn));
    CHECK(pgc_conn_alive(conn));
}

int main(void)
{
    static const tap_case CASES[] = {
        TAP("tls: remote hosts are verified by default", remote_hosts_are_verified_by_default),
        TAP("tls: a wrong name or authority is refused", a_wrong_name_or_authority_is_refused),
        TAP("tls: half-hearted TLS to remote hosts is refused",
            half_hearted_tls_to_remote_hosts_is_refused),
        TAP("tls: a client certificate logs in", a_client_certificate_logs_in),
        TAP("login: passwords that change come from a hook",
            passwords_that_change_come_from_a_hook),
        TAP("hosts: the wanted kind of server is found", the_wanted_kind_of_server_is_found),
        TAP("hosts: a server that stops fitting is noticed",
            a_server_that_stops_fitting_is_noticed),
    };
    if (!server_open(&own, "default_transaction_read_only = on\n")) {
        return 1;
    }
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    server_close(&own);
    return code;
}
