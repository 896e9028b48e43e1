/* COPY and listeners on a bad network: cut at any byte, silent peers, a server that restarts. What
 * was told as stored is stored, nobody waits beyond the deadline, and a listener says what it may
 * have missed. The seed is printed; TEST_SEED repeats a run. */
#include "base/prelude.h"

#include <pgc/cluster.h>
#include <pgc/copy.h>
#include <pgc/listen.h>

#include "base/clock.h"
#include "pgc/auto.h"
#include "pgc/call.h"

#include "live.h"
#include "proxy.h"
#include "random.h"
#include "scratch.h"
#include "tap.h"
#include "tmpdir.h"

#define PATIENCE_US 30000000

static uint64_t seed;

static const pgc_type_ref COLUMNS[] = { { "n", "integer", 23 }, { "t", "text", 25 } };
static const pgc_copy ROWS = {
    .name = "CopyRows", .table = "rows", .columns = COLUMNS, .column_count = 2
};

typedef struct bench {
    scratch db;
    proxy *net;
} bench;

static void close_bench(bench *b)
{
    proxy_close(b->net);
    scratch_drop(&b->db);
}

static bool open_bench(bench *b)
{
    *b = (bench) { .net = NULL };
    if (!CHECK(scratch_make(&b->db)) ||
        !CHECK(scratch_run(b->db.conn, "CREATE TABLE rows (n int PRIMARY KEY, t text)"))) {
        return false;
    }
    b->net = proxy_open(b->db.url);
    return CHECK(b->net != NULL);
}

#define BENCH(name)               \
    AUTO(close_bench) bench name; \
    REQUIRE(open_bench(&name))

static pgc_conn *connect_through(const bench *b, int64_t call_timeout_us)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = proxy_conninfo(b->net),
                                       .call_timeout_us = call_timeout_us };
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_OK, &err);
    return conn;
}

static int64_t count_rows(const bench *b)
{
    char text[24];
    live_text(b->db.conn, "SELECT count(*) FROM rows", text, sizeof text);
    return text[0] == '(' ? -1 : strtoll(text, NULL, 10);
}

static pgc_status copy_rows_in(pgc_conn *conn, int32_t count, pgc_error *err)
{
    static char filler[101];
    memset(filler, 'f', sizeof filler - 1);
    pgc_copy_in *in = NULL;
    TRY(pgc_copy_in_open(pgc_conn_db(conn), &ROWS, NULL, &in, err));
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_status status = PGC_OK;
    for (int32_t i = 0; i < count && status == PGC_OK; i++) {
        pgc_args_reset(&args);
        pgc_add_i32(&args, i);
        pgc_add_text(&args, pgc_text_from(filler));
        status = pgc_copy_in_row(in, &args, err);
    }
    pgc_args_done(&args);
    if (status != PGC_OK) {
        pgc_copy_in_abort(in, NULL);
        return status;
    }
    return pgc_copy_in_finish(&in, NULL, err);
}

static pgc_status copy_rows_out(pgc_conn *conn, int64_t *rows_out, pgc_error *err)
{
    pgc_copy_out *out = NULL;
    TRY(pgc_copy_out_open(pgc_conn_db(conn), &ROWS, NULL, &out, err));
    pgc_reader *row = NULL;
    pgc_status status;
    *rows_out = 0;
    while ((status = pgc_copy_out_next(out, &row, err)) == PGC_OK && row != NULL) {
        CHECK(pgc_read_text(row, 0, 1).len == 100);
        ++*rows_out;
    }
    pgc_copy_out_close(out);
    return status;
}

static bool is_loss(pgc_status status, const pgc_error *err)
{
    bool ok = status == PGC_CONNECTION || status == PGC_TIMEOUT;
    if (!ok) {
        printf("# status %d: %s\n", (int) status, err->message);
    }
    return CHECK(ok);
}

#define ROW_COUNT 3000

static void copy_in_is_cut_anywhere(void)
{
    BENCH(b);
    int cuts = 0;
    for (int round = 0; round < 40; round++) {
        pgc_error err;
        REQUIRE(scratch_run(b.db.conn, "TRUNCATE rows"));
        AUTO(conn_auto) pgc_conn *conn = connect_through(&b, 5000000);
        REQUIRE(conn != NULL);
        bool from_server = round % 4 == 3;
        const proxy_plan plan = { .fault = round % 2 == 0 ? PROXY_CUT : PROXY_RESET,
                                  .side = from_server ? PROXY_FROM_SERVER : PROXY_FROM_CLIENT,
                                  .after = random_below(&seed, from_server ? 700 : 350000) };
        proxy_arm(b.net, &plan);
        pgc_status status = copy_rows_in(conn, ROW_COUNT, &err);
        cuts += proxy_heal(b.net) ? 1 : 0;
        int64_t rows = count_rows(&b);
        if (status == PGC_OK) {
            CHECK_INT(rows, ROW_COUNT);
        } else {
            CHECK(is_loss(status, &err));
            CHECK(rows == 0 || rows == ROW_COUNT);
        }
    }
    printf("# %d of 40 were cut\n", cuts);
    CHECK(cuts > 10);
}

static void copy_out_is_cut_anywhere(void)
{
    BENCH(b);
    pgc_error err;
    REQUIRE_OK(copy_rows_in(b.db.conn, ROW_COUNT, &err), &err);
    for (int round = 0; round < 40; round++) {
        AUTO(conn_auto) pgc_conn *conn = connect_through(&b, 5000000);
        REQUIRE(conn != NULL);
        const proxy_plan plan = { .fault = round % 2 == 0 ? PROXY_CUT : PROXY_RESET,
                                  .side = PROXY_FROM_SERVER,
                                  .after = random_below(&seed, 400000) };
        proxy_arm(b.net, &plan);
        int64_t rows = 0;
        pgc_status status = copy_rows_out(conn, &rows, &err);
        bool cut = proxy_heal(b.net);
        CHECK(status == PGC_OK ? rows == ROW_COUNT : cut && is_loss(status, &err));
    }
}

static void a_stalled_peer_ends_at_the_deadline(void)
{
    BENCH(b);
    pgc_error err;
    int64_t rows = 0;
    REQUIRE_OK(copy_rows_in(b.db.conn, ROW_COUNT, &err), &err);
    REQUIRE(scratch_run(b.db.conn, "CREATE TABLE keep AS SELECT * FROM rows; TRUNCATE rows"));
    for (int round = 0; round < 2; round++) {
        AUTO(conn_auto) pgc_conn *conn = connect_through(&b, 200000);
        REQUIRE(conn != NULL);
        const proxy_plan plan = { .fault = PROXY_BLACK_HOLE,
                                  .side = round == 0 ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER,
                                  .after = 50000 };
        if (round == 1) {
            REQUIRE(scratch_run(b.db.conn, "TRUNCATE rows; INSERT INTO rows TABLE keep"));
        }
        proxy_arm(b.net, &plan);
        int64_t start_us = clock_os()->mono_us(NULL);
        pgc_status status =
            round == 0 ? copy_rows_in(conn, ROW_COUNT, &err) : copy_rows_out(conn, &rows, &err);
        int64_t took_us = clock_os()->mono_us(NULL) - start_us;
        CHECK_STATUS(status, PGC_TIMEOUT, &err);
        CHECK(took_us < PATIENCE_US);
        CHECK(proxy_heal(b.net));
    }
}

static void a_killed_backend_ends_the_copy(void)
{
    BENCH(b);
    pgc_error err;
    for (int round = 0; round < 4; round++) {
        AUTO(conn_auto) pgc_conn *conn = connect_through(&b, 5000000);
        REQUIRE(conn != NULL);
        pgc_copy_in *in = NULL;
        REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ROWS, NULL, &in, &err), &err);
        char sql[80];
        (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 10000)",
                        pgc_conn_backend_pid(conn));
        REQUIRE(scratch_run(b.db.conn, sql));
        pgc_args args;
        pgc_args_init(&args, NULL);
        pgc_add_i32(&args, 1);
        pgc_add_null(&args);
        pgc_status status = PGC_OK;
        for (int i = 0; i < 10000000 && status == PGC_OK && round < 2; i++) {
            status = pgc_copy_in_row(in, &args, &err);
        }
        pgc_args_done(&args);
        if (status == PGC_OK) {
            status = pgc_copy_in_finish(&in, NULL, &err);
        }
        CHECK_STATUS(status, PGC_CONNECTION, &err);
        CHECK_STR(err.sqlstate, "57P01");
        CHECK(!pgc_conn_alive(conn));
        pgc_copy_in_abort(in, NULL);
        CHECK_INT(count_rows(&b), 0);
    }
}

static void listener_auto(pgc_listener **local)
{
    pgc_listener_close(*local);
}

static pgc_listener *listen_through(const char *conninfo)
{
    pgc_error err;
    const pgc_listener_options options = { .struct_size = sizeof options,
                                           .conn = { .conninfo = conninfo,
                                                     .connect_timeout_us = 2000000 },
                                           .heartbeat_us = 100000,
                                           .answer_us = 200000,
                                           .backoff_min_us = 1000,
                                           .backoff_max_us = 50000 };
    pgc_listener *listener = NULL;
    if (!CHECK_STATUS(pgc_listener_open(&options, &listener, &err), PGC_OK, &err) ||
        !CHECK_STATUS(pgc_listener_listen(listener, "news", PATIENCE_US, &err), PGC_OK, &err) ||
        !CHECK_STATUS(pgc_listener_listen(listener, "more", PATIENCE_US, &err), PGC_OK, &err)) {
        pgc_listener_close(listener);
        return NULL;
    }
    return listener;
}

/* The next event of a kind; others are passed over. */
static bool wait_until(pgc_listener *listener, pgc_event_kind kind, pgc_gap_reason reason,
                       pgc_event *event)
{
    pgc_error err;
    do {
        if (!CHECK_STATUS(pgc_listener_next(listener, PATIENCE_US, event, &err), PGC_OK, &err)) {
            return false;
        }
    } while (event->kind != kind || event->reason != reason);
    return true;
}

static bool hears(pgc_listener *listener, pgc_conn *conn, const char *payload)
{
    pgc_error err;
    pgc_event event;
    return CHECK_STATUS(pgc_notify(pgc_conn_db(conn), "more", pgc_text_from(payload), &err), PGC_OK,
                        &err) &&
           wait_until(listener, PGC_EVENT_NOTIFY, PGC_GAP_LISTENING, &event) &&
           CHECK_STR(event.channel, "more") && CHECK_STR(event.payload, payload);
}

/* A question is answered, in a time that is far too long. */
static bool heartbeat_goes(pgc_listener *listener)
{
    pgc_listener_info info = { 0 };
    int64_t until_us = clock_os()->mono_us(NULL) + PATIENCE_US;
    while (info.heartbeat_count == 0 && clock_os()->mono_us(NULL) < until_us) {
        clock_os()->sleep_us(NULL, 1000);
        pgc_listener_get_info(listener, &info);
    }
    return CHECK(info.heartbeat_count > 0);
}

static void a_silent_peer_is_noticed_and_the_gap_told(void)
{
    BENCH(b);
    AUTO(listener_auto) pgc_listener *listener = listen_through(proxy_conninfo(b.net));
    REQUIRE(listener != NULL);
    REQUIRE(hears(listener, b.db.conn, "before"));
    REQUIRE(heartbeat_goes(listener));
    for (int round = 0; round < 3; round++) {
        pgc_event event;
        /* No FIN, no reset: bytes vanish, in one direction or the other. */
        proxy_arm(b.net,
                  &(proxy_plan) { .fault = PROXY_BLACK_HOLE,
                                  .side = round % 2 == 0 ? PROXY_FROM_SERVER : PROXY_FROM_CLIENT });
        REQUIRE(wait_until(listener, PGC_EVENT_LOST, PGC_GAP_LISTENING, &event));
        CHECK(proxy_heal(b.net));
        REQUIRE(wait_until(listener, PGC_EVENT_GAP, PGC_GAP_RECONNECT, &event));
        CHECK(event.since_us > 0);
        REQUIRE(hears(listener, b.db.conn, "after"));
    }
    pgc_listener_info info;
    pgc_listener_get_info(listener, &info);
    CHECK_INT(info.connect_count, 4);
}

static void a_listener_outlives_cuts_at_any_byte(void)
{
    BENCH(b);
    AUTO(listener_auto) pgc_listener *listener = listen_through(proxy_conninfo(b.net));
    REQUIRE(listener != NULL);
    for (int round = 0; round < 30; round++) {
        pgc_event event;
        proxy_arm(b.net, &(proxy_plan) { .fault = round % 2 == 0 ? PROXY_CUT : PROXY_RESET,
                                         .side = PROXY_FROM_SERVER,
                                         .after = random_below(&seed, 200) });
        REQUIRE(wait_until(listener, PGC_EVENT_LOST, PGC_GAP_LISTENING, &event));
        REQUIRE(wait_until(listener, PGC_EVENT_GAP, PGC_GAP_RECONNECT, &event));
        (void) proxy_heal(b.net);
        pgc_listener_info info;
        pgc_listener_get_info(listener, &info);
        CHECK_INT(info.channel_count, 2);
    }
}

static void a_server_restart_is_a_gap(void)
{
    AUTO(tmpdir_remove) tmpdir dir = tmpdir_make();
    pgc_error err;
    const pgc_cluster_options options = { .struct_size = sizeof options, .dir = dir.path };
    pgc_cluster *cluster = NULL;
    REQUIRE_OK(pgc_cluster_open(&options, &cluster, &err), &err);
    AUTO(listener_auto) pgc_listener *listener = listen_through(pgc_cluster_conninfo(cluster));
    REQUIRE(listener != NULL);
    for (int round = 0; round < 2; round++) {
        pgc_event event;
        CHECK_STATUS(pgc_cluster_stop(dir.path, true, &err), PGC_OK, &err);
        REQUIRE(wait_until(listener, PGC_EVENT_LOST, PGC_GAP_LISTENING, &event));
        pgc_cluster_close(cluster);
        cluster = NULL;
        REQUIRE_OK(pgc_cluster_open(&options, &cluster, &err), &err);
        REQUIRE(wait_until(listener, PGC_EVENT_GAP, PGC_GAP_RECONNECT, &event));
        AUTO(conn_auto) pgc_conn *conn = scratch_connect(pgc_cluster_conninfo(cluster));
        REQUIRE(conn != NULL);
        REQUIRE(hears(listener, conn, "still there"));
    }
    pgc_listener_close(TAKE(listener));
    pgc_cluster_close(cluster);
}

int main(void)
{
    static const tap_case cases[] = {
        TAP("flow: COPY in is cut anywhere", copy_in_is_cut_anywhere),
        TAP("flow: COPY out is cut anywhere", copy_out_is_cut_anywhere),
        TAP("flow: a stalled peer ends COPY at the deadline", a_stalled_peer_ends_at_the_deadline),
        TAP("flow: a killed backend ends COPY", a_killed_backend_ends_the_copy),
        TAP("flow: a silent peer is noticed by a listener and the gap told",
            a_silent_peer_is_noticed_and_the_gap_told),
        TAP("flow: a listener outlives cuts at any byte", a_listener_outlives_cuts_at_any_byte),
        TAP("flow: a server restart is a gap for a listener", a_server_restart_is_a_gap),
    };
    const char *given = getenv("TEST_SEED");
    seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t) clock_os()->unix_us(NULL);
    printf("# TEST_SEED=%" PRIu64 "\n", seed);
    return tap_run(cases, ARRAY_LEN(cases));
}
