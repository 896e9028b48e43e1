/* Finding a server and talking to it: lists of hosts with dead ones, name look-up that hangs,
 * settings at login, signs of life, cancel from another thread, limits set by the server. */
#include "base/prelude.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "pgc/auto.h"
#include "pgc/connection.h"

#include "live.h"
#include "oom.h"
#include "proxy.h"
#include "tap.h"

/* A TCP port on the loopback that takes connections and never says a word, or refuses them. */
typedef struct dead_host {
    int fd, port;
} dead_host;

static dead_host dead_open(bool listening)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    dead_host dead = { .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    CHECK(dead.fd >= 0 && bind(dead.fd, (const struct sockaddr *) &at, size) == 0 &&
          getsockname(dead.fd, (struct sockaddr *) &at, &size) == 0 &&
          (!listening || listen(dead.fd, 8) == 0));
    dead.port = ntohs(at.sin_port);
    return dead;
}

static void dead_close(dead_host *dead)
{
    (void) close(dead->fd);
}

static void close_proxy(proxy **p)
{
    proxy_close(*p);
}

/* The server of the run on TCP. */
#define ON_TCP(name)                                           \
    REQUIRE(live_url() != NULL);                               \
    AUTO(close_proxy) proxy *name = proxy_open(test_server()); \
    REQUIRE(name != NULL)

static int port_of(const proxy *p)
{
    int port = 0;
    const char *at = strstr(proxy_conninfo(p), "port=");
    CHECK(at != NULL && sscanf(at, "port=%d", &port) == 1);
    return port;
}

/* A name service of our own making. */
static atomic_int lookups;
static atomic_bool release_lookup;

static int lookup_loopback(const char *name, host_addresses *out)
{
    (void) name;
    atomic_fetch_add(&lookups, 1);
    out->count = 1;
    (void) snprintf(out->text[0], HOST_ADDRESS_SIZE, "127.0.0.1");
    return 0;
}

static int lookup_two(const char *name, host_addresses *out)
{
    (void) lookup_loopback(name, out);
    out->count = 2; /* the first refuses: nobody listens there */
    (void) snprintf(out->text[0], HOST_ADDRESS_SIZE, "127.0.0.2");
    (void) snprintf(out->text[1], HOST_ADDRESS_SIZE, "127.0.0.1");
    return 0;
}

static int lookup_nothing(const char *name, host_addresses *out)
{
    (void) name;
    out->count = 0;
    return 0;
}

static int lookup_hangs(const char *name, host_addresses *out)
{
    while (!atomic_load(&release_lookup)) {
        clock_os()->sleep_us(NULL, 1000);
    }
    return lookup_loopback(name, out);
}

static pgc_status open_with(const char *conninfo, host_lookup lookup, int64_t timeout_us,
                            pgc_conn **out, pgc_error *err)
{
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = conninfo,
                                       .connect_timeout_us = timeout_us };
    const conn_seams seams = { pq_libpq(), clock_os(), -1, lookup };
    return conn_open_on(&options, &seams, out, err);
}

static void a_dead_first_host_is_passed_over(void)
{
    ON_TCP(net);
    AUTO(dead_close) dead_host refuses = dead_open(false);
    AUTO(dead_close) dead_host silent = dead_open(true);
    char conninfo[300];
    pgc_error err;
    pgc_conn *conn = NULL;
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=127.0.0.1,127.0.0.1,127.0.0.1 port=%d,%d,%d dbname=postgres "
                    "user=postgres sslmode=disable",
                    refuses.port, silent.port, port_of(net));
    REQUIRE_OK(open_with(conninfo, NULL, 3000000, &conn, &err), &err);
    pgc_conn_close(TAKE(conn));
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=127.0.0.1,127.0.0.1 port=%d,%d sslmode=disable", refuses.port,
                    silent.port);
    int64_t began_us = clock_os()->mono_us(NULL);
    CHECK_STATUS(open_with(conninfo, NULL, 300000, &conn, &err), PGC_TIMEOUT, &err);
    CHECK(clock_os()->mono_us(NULL) - began_us >= 300000);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    CHECK(strstr(err.message, "none of 2 servers") != NULL);
    CHECK(strstr(err.message, "refused") != NULL);
    CHECK(strstr(err.message, "in time") != NULL);
}

static void a_limit_per_host_holds(void)
{
    ON_TCP(net);
    AUTO(dead_close) dead_host silent = dead_open(true);
    char conninfo[300];
    pgc_error err;
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=127.0.0.1,127.0.0.1 port=%d,%d dbname=postgres user=postgres "
                    "sslmode=disable",
                    silent.port, port_of(net));
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = conninfo,
                                       .connect_timeout_us = 600000000,
                                       .host_timeout_us = 1000000 };
    /* Without the limit the first host would get five minutes. */
    AUTO(conn_auto) pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
}

static void all_addresses_of_a_name_are_tried(void)
{
    ON_TCP(net);
    char conninfo[300];
    pgc_error err;
    AUTO(conn_auto) pgc_conn *conn = NULL;
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=db.test port=%d dbname=postgres user=postgres sslmode=disable",
                    port_of(net));
    atomic_store(&lookups, 0);
    /* The proxy listens on 127.0.0.1 only. */
    REQUIRE_OK(open_with(conninfo, lookup_two, 0, &conn, &err), &err);
    CHECK_INT(atomic_load(&lookups), 1);
    CHECK_STR(conn->pq->host(conn->pg), "db.test");
}

static void names_without_addresses_are_told(void)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    CHECK_STATUS(open_with("host=db.test sslmode=disable", lookup_nothing, 0, &conn, &err),
                 PGC_CONNECTION, &err);
    CHECK(strstr(err.message, "db.test") != NULL);
    CHECK(err.retry);
}

/* The name service may hang for as long as it likes: the deadline holds, and the next host's turn
 * comes. Address literals never ask it. */
static void a_hanging_name_service_costs_its_share_only(void)
{
    ON_TCP(net);
    char conninfo[300];
    pgc_error err;
    pgc_conn *conn = NULL;
    atomic_store(&release_lookup, false);
    CHECK_STATUS(open_with("host=db.test sslmode=disable", lookup_hangs, 100000, &conn, &err),
                 PGC_TIMEOUT, &err);
    CHECK(strstr(err.message, "db.test") != NULL);
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=db.test,127.0.0.1 port=%d dbname=postgres user=postgres sslmode=disable",
                    port_of(net));
    CHECK_STATUS(open_with(conninfo, lookup_hangs, 3000000, &conn, &err), PGC_OK, &err);
    pgc_conn_close(conn);
    atomic_store(&release_lookup, true); /* the threads clean up behind themselves */
}

static void refused_passwords_end_the_search(void)
{
    ON_TCP(net);
    char conninfo[300];
    pgc_error err;
    pgc_conn *conn = NULL;
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=127.0.0.1,127.0.0.1 port=%d,%d dbname=t_connect_no_such_db "
                    "user=postgres sslmode=disable",
                    port_of(net), port_of(net));
    CHECK_STATUS(open_with(conninfo, NULL, 0, &conn, &err), PGC_CONNECTION, &err);
    CHECK_STR(err.sqlstate, "3D000");
    CHECK(!err.retry);
    CHECK(strstr(err.message, "none of") == NULL); /* the second was not asked */
}

static void settings_hold_for_the_session(void)
{
    static const pgc_setting SETTINGS[] = { { "statement_timeout", "7s" },
                                            { "app.words", "a b\\c 'd'\n\"e\" -c x=y" },
                                            { "search_path", "\"$user\", public" } };
    static const bool LATE[] = { false, true };
    REQUIRE(live_url() != NULL);
    for (size_t i = 0; i < ARRAY_LEN(LATE); i++) {
        char text[100];
        pgc_error err;
        pgc_conn_options options = live_options();
        options.settings = SETTINGS;
        options.setting_count = ARRAY_LEN(SETTINGS);
        options.settings_late = LATE[i];
        AUTO(conn_auto) pgc_conn *conn = NULL;
        REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
        CHECK_STR(live_text(conn, "SHOW statement_timeout", text, sizeof text), "7s");
        CHECK_STR(live_text(conn, "SHOW app.words", text, sizeof text), SETTINGS[1].value);
        CHECK_STR(live_text(conn, "SHOW search_path", text, sizeof text), SETTINGS[2].value);
    }
}

static void connecting_survives_failed_allocations(void)
{
    static const pgc_setting SETTING = { "app.word", "x" };
    ON_TCP(net);
    char conninfo[300];
    (void) snprintf(conninfo, sizeof conninfo,
                    "host=db.test,127.0.0.1 port=%d dbname=postgres user=postgres sslmode=disable "
                    "load_balance_hosts=disable",
                    port_of(net));
    const conn_seams seams = { pq_libpq(), clock_os(), -1, lookup_loopback };
    bool complete = false;
    int fail_at = 1;
    for (; !complete && fail_at < 60; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        const pgc_conn_options options = { .struct_size = sizeof options,
                                           .conninfo = conninfo,
                                           .role = "postgres",
                                           .alloc = &alloc,
                                           .settings = &SETTING,
                                           .setting_count = 1,
                                           .settings_late = fail_at % 2 == 0 };
        pgc_error err;
        pgc_conn *conn = NULL;
        pgc_status status = conn_open_on(&options, &seams, &conn, &err);
        complete = status == PGC_OK && plan.calls < fail_at;
        CHECK(complete || status == PGC_NOMEM);
        CHECK(status == PGC_OK || err.outcome == PGC_OUTCOME_NOT_RUN);
        pgc_conn_close(conn);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    CHECK(complete);
    CHECK(fail_at > 5);
}

static void bad_settings_are_told(void)
{
    static const pgc_setting BAD = { "no_such_setting", "1" };
    REQUIRE(live_url() != NULL);
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_conn_options options = live_options();
    options.settings = &BAD;
    options.setting_count = 1;
    CHECK(pgc_conn_open(&options, &conn, &err) != PGC_OK);
    CHECK_STR(err.sqlstate, "42704");
    options.settings_late = true;
    CHECK(pgc_conn_open(&options, &conn, &err) != PGC_OK);
    CHECK_STR(err.sqlstate, "42704");
    CHECK(conn == NULL);
}

static void the_server_tells_about_itself(void)
{
    LIVE(conn);
    pgc_error err;
    REQUIRE_OK(pgc_conn_ping(conn, 5000000, &err), &err);
    CHECK(!pgc_conn_in_recovery(conn));
    CHECK_STR(pgc_conn_parameter(conn, "in_hot_standby"), "off");
    CHECK(pgc_conn_parameter(conn, "no such thing") == NULL);
    REQUIRE(live_do(conn, "SET timezone = 'Asia/Tokyo'"));
    CHECK_STR(pgc_conn_parameter(conn, "TimeZone"), "Asia/Tokyo");
    REQUIRE(live_do(conn, "BEGIN"));
    CHECK(pgc_conn_script(conn, "SELECT oops", 0, NULL, NULL) != PGC_OK);
    CHECK_STATUS(pgc_conn_ping(conn, 0, &err), PGC_OK, &err);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_FAILED);
}

/* One call in a thread of its own. */
typedef struct sleeper {
    pgc_conn *conn;
    pgc_status status;
    pgc_error err;
    atomic_bool over;
} sleeper;

static void *sleep_long(void *arg)
{
    sleeper *s = arg;
    s->status = pgc_conn_script(s->conn, "SELECT pg_sleep(60)", 0, NULL, &s->err);
    atomic_store(&s->over, true);
    return NULL;
}

static void another_thread_cancels_the_call_that_runs(void)
{
    LIVE(conn);
    pgc_error err;
    char text[40];
    CHECK_STATUS(pgc_conn_cancel(conn, &err), PGC_NOT_FOUND, &err);
    sleeper s = { .conn = conn };
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, sleep_long, &s) == 0);
    /* At first there may be nothing to cancel yet. */
    while (!atomic_load(&s.over)) {
        pgc_status status = pgc_conn_cancel(conn, &err);
        CHECK(status == PGC_OK || status == PGC_NOT_FOUND);
        clock_os()->sleep_us(NULL, 1000);
    }
    (void) pthread_join(thread, NULL);
    CHECK_STATUS(s.status, PGC_CANCELLED, &s.err);
    CHECK_INT(s.err.outcome, PGC_OUTCOME_CANCELLED);
    CHECK_STR(s.err.sqlstate, "57014");
    CHECK(pgc_conn_alive(conn));
    CHECK_STR(live_text(conn, "SELECT 'next'", text, sizeof text), "next");
}

/* A cancel at the deadline leaves the transaction to its owner: failed, not lost. */
static void a_cancel_in_a_transaction_keeps_the_connection(void)
{
    LIVE(conn);
    pgc_error err;
    REQUIRE(live_do(conn, "BEGIN"));
    CHECK_STATUS(pgc_conn_script(conn, "SELECT pg_sleep(60)", 20000, NULL, &err), PGC_TIMEOUT,
                 &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_CANCELLED);
    CHECK(pgc_conn_alive(conn));
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_FAILED);
    REQUIRE(live_do(conn, "ROLLBACK"));
}

/* The server's own limits end the session; what we send afterwards never ran. */
static void limits_of_the_server_end_the_session(void)
{
    static const struct {
        const char *prepare, *sqlstate;
        int32_t since;
    } ROWS[] = {
        { "SET idle_in_transaction_session_timeout = 1; BEGIN", "25P03", 0 },
        { "SET idle_session_timeout = 1", "57P05", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        LIVE(conn);
        pgc_error err;
        REQUIRE(live_do(conn, ROWS[i].prepare));
        struct pollfd fd = { .fd = conn->pq->socket(conn->pg), .events = POLLIN };
        REQUIRE(poll(&fd, 1, 10000) == 1); /* the server's last words */
        CHECK_STATUS(pgc_conn_script(conn, "SELECT 1", 0, NULL, &err), PGC_CONNECTION, &err);
        CHECK_STR(err.sqlstate, ROWS[i].sqlstate);
        CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
        CHECK(err.retry);
        CHECK(!pgc_conn_alive(conn));
        CHECK_STATUS(pgc_conn_script(conn, "SELECT 1", 0, NULL, &err), PGC_CONNECTION, &err);
        CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    }
}

/* Class 08 is about the connection, unless the server says it as a mere error. */
static void an_error_of_class_08_keeps_the_session(void)
{
    LIVE(conn);
    pgc_error err;
    CHECK_STATUS(pgc_conn_script(conn, "DO $$ BEGIN RAISE SQLSTATE '08001'; END $$", 0, NULL, &err),
                 PGC_DB, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_NONE);
    CHECK(!err.retry);
    CHECK(pgc_conn_alive(conn));
    CHECK_STATUS(pgc_conn_script(conn, "DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$", 0, NULL, &err),
                 PGC_CONNECTION, &err);
    CHECK(!pgc_conn_alive(conn));
}

TAP_MAIN(TAP("connect: a dead first host is passed over", a_dead_first_host_is_passed_over),
         TAP("connect: a limit per host holds", a_limit_per_host_holds),
         TAP("connect: all addresses of a name are tried", all_addresses_of_a_name_are_tried),
         TAP("connect: names without addresses are told", names_without_addresses_are_told),
         TAP("connect: a hanging name service costs its share only",
             a_hanging_name_service_costs_its_share_only),
         TAP("connect: a refusal of the server ends the search", refused_passwords_end_the_search),
         TAP("connect: settings hold for the session", settings_hold_for_the_session),
         TAP("connect: it survives failed allocations", connecting_survives_failed_allocations),
         TAP("connect: bad settings are told", bad_settings_are_told),
         TAP("health: the server tells about itself", the_server_tells_about_itself),
         TAP("cancel: another thread cancels the call that runs",
             another_thread_cancels_the_call_that_runs),
         TAP("cancel: in a transaction it keeps the connection",
             a_cancel_in_a_transaction_keeps_the_connection),
         TAP("failure: limits of the server end the session", limits_of_the_server_end_the_session),
         TAP("failure: an error of class 08 keeps the session",
             an_error_of_class_08_keeps_the_session))
