/* What the pool does for its borrowers beyond lending: clean sessions, fair queues, demotion,
 * resizing, a bounded close. Against a real server. */
#include "base/prelude.h"

#include <sched.h>
#include <stdatomic.h>

#include <pgc/pipeline.h>
#include <pgc/rows.h>
#include <pgc/tx.h>

#include "pgc/auto.h"
#include "pgc/pool_state.h"

#include "live.h"
#include "pool.h"
#include "random.h"
#include "tap.h"

/* Until the workers have nothing to clean, close or open. */
static void wait_for_workers(pgc_pool *pool)
{
    for (;;) {
        pgc_pool_stats stats = stats_of(pool);
        if (stats.quarantined == 0 && stats.closing == 0 && stats.connecting == 0) {
            return;
        }
        (void) sched_yield();
    }
}

/* A connection that works; NULL after a failed check. */
static pgc_conn *borrow(pgc_pool *pool)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_OK, &err);
    return conn;
}

static bool says(pgc_conn *conn, const char *sql, const char *want)
{
    char text[80];
    return CHECK_STR(live_text(conn, sql, text, sizeof text), want);
}

static void a_changed_session_is_clean_for_the_next_borrower(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    pgc_conn *conn = borrow(pool);
    REQUIRE(conn != NULL);
    int32_t pid = pgc_conn_backend_pid(conn);
    CHECK(live_do(conn, "SET TimeZone = 'Asia/Tokyo'; SET ROLE pg_monitor; LISTEN t_pool_life;"
                        "CREATE TEMP TABLE t_pool_life (x int); PREPARE t_pool_life AS SELECT 1;"
                        "SELECT pg_advisory_lock(4711);"
                        "DECLARE t_pool_life CURSOR WITH HOLD FOR SELECT 1"));
    pgc_pool_release(pool, conn);
    conn = borrow(pool);
    REQUIRE(conn != NULL);
    CHECK_INT(pgc_conn_backend_pid(conn), pid);
    CHECK(strcmp(pgc_conn_parameter(conn, "TimeZone"), "Asia/Tokyo") != 0);
    says(conn, "SELECT current_user = session_user", "t");
    says(conn, "SELECT count(*) FROM pg_listening_channels()", "0");
    says(conn,
         "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()",
         "0");
    says(conn, "SELECT to_regclass('pg_temp.t_pool_life') IS NULL", "t");
    says(conn, "SELECT count(*) FROM pg_cursors", "0");
    pgc_pool_release(pool, conn);
    wait_for_workers(pool);
    CHECK_INT(stats_of(pool).reset_count, 2); /* the questions were scripts, too */
    CHECK_INT(stats_of(pool).dirty_close_count, 0);
}

static void a_clean_session_costs_no_reset(void)
{
    NEED_SERVER();
    static const pgc_query quiet = { .name = "Quiet", .sql = "SELECT 1", .hash = 0x91e7 };
    static const pgc_query local = { .name = "Local",
                                     .sql = "SELECT set_config('TimeZone', 'Asia/Tokyo', true)" };
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), &quiet, NULL, NULL, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), &local, NULL, NULL, &err), PGC_OK, &err);
    CHECK_INT(stats_of(pool).reset_count, 0);
    CHECK_INT(stats_of(pool).idle, 1);
}

/* Rows are streamed and batches sent by other ways than single queries. */
static void rows_and_batches_are_cleaned_after(void)
{
    NEED_SERVER();
    static const pgc_query marked = { .name = "Marked",
                                      .sql = "SELECT set_config('work_mem', '67MB', false)",
                                      .flags = PGC_QUERY_SESSION };
    static const pgc_query listens = { .name = "Listens", .sql = "LISTEN t_pool_life" };
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    pgc_rows *rows = NULL;
    bool more = false;
    REQUIRE_OK(pgc_rows_open(pgc_pool_db(pool), &marked, NULL, NULL, &rows, &err), &err);
    CHECK_STATUS(pgc_rows_next(rows, &more, &err), PGC_OK, &err);
    CHECK(more);
    pgc_rows_close(rows);
    wait_for_workers(pool);
    CHECK_INT(stats_of(pool).reset_count, 1);
    const pgc_query *const batches[] = { &marked, &listens };
    for (int i = 0; i < 2; i++) {
        pgc_conn *conn = borrow(pool);
        pgc_pipeline *batch = NULL;
        REQUIRE(conn != NULL);
        REQUIRE_OK(pgc_pipeline_open(conn, PGC_PIPELINE_ATOMIC, &batch, &err), &err);
        CHECK_STATUS(pgc_pipeline_add(batch, batches[i], NULL, NULL, &err), PGC_OK, &err);
        CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_OK, &err);
        pgc_pipeline_close(batch);
        pgc_pool_release(pool, conn);
        wait_for_workers(pool);
        CHECK_INT(stats_of(pool).reset_count, 2 + i);
    }
    pgc_conn *conn = borrow(pool);
    REQUIRE(conn != NULL);
    says(conn, "SELECT current_setting('work_mem') <> '67MB'", "t");
    says(conn, "SELECT count(*) FROM pg_listening_channels()", "0");
    pgc_pool_release(pool, conn);
}

/* What ends with the transaction needs no cleaning, and no round trip for it. */
static void local_settings_cost_no_reset(void)
{
    NEED_SERVER();
    static const pgc_query locals[] = {
        { .name = "Local", .sql = "SET LOCAL work_mem = '65MB'" },
        { .name = "LocalRole", .sql = " set\n local role pg_monitor" },
        { .name = "Level", .sql = "SET TRANSACTION READ ONLY" },
    };
    static const pgc_query others[] = {
        { .name = "Longer", .sql = "SET session work_mem = '65MB'" },
        { .name = "Hidden", .sql = "/* SET LOCAL */ SET work_mem = '65MB'" },
    };
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    for (size_t i = 0; i < ARRAY_LEN(locals); i++) {
        pgc_tx *tx = NULL;
        REQUIRE_OK(pgc_tx_begin(pool, NULL, &tx, &err), &err);
        CHECK_STATUS(pgc_db_run(pgc_tx_db(tx), &locals[i], NULL, NULL, &err), PGC_OK, &err);
        CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_OK, &err);
        CHECK_INT(stats_of(pool).reset_count, 0);
        CHECK_INT(stats_of(pool).idle, 1);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), &others[i], NULL, NULL, &err), PGC_OK, &err);
        wait_for_workers(pool);
        CHECK_INT(stats_of(pool).reset_count, (int) i + 1);
    }
}

static void settings_are_undone_however_they_were_changed(void)
{
    NEED_SERVER();
    static const pgc_query by_function = {
        .name = "ByFunction", .sql = "SELECT set_config('application_name', 'other', false)"
    };
    static const pgc_query by_set = { .name = "BySet", .sql = "SET work_mem = '65MB'" };
    static const pgc_query by_mark = { .name = "ByMark",
                                       .sql = "SELECT set_config('work_mem', '66MB', false)",
                                       .flags = PGC_QUERY_SESSION };
    static const pgc_query *const ways[] = { &by_function, &by_set, &by_mark };
    pgc_error err;
    pgc_pool_options options = pool_options(1);
    options.conn.app_name = "t-pool-life";
    options.conn.role = "pg_monitor";
    OPEN_POOL(pool, options);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), ways[i], NULL, NULL, &err), PGC_OK, &err);
        wait_for_workers(pool);
        CHECK_INT(stats_of(pool).reset_count, 2 * (int) i + 1);
        pgc_conn *conn = borrow(pool);
        REQUIRE(conn != NULL);
        CHECK_STR(pgc_conn_parameter(conn, "application_name"), "t-pool-life");
        says(conn, "SELECT current_setting('work_mem') NOT IN ('65MB', '66MB')", "t");
        says(conn, "SELECT current_user", "pg_monitor");
        pgc_pool_release(pool, conn);
        wait_for_workers(pool);
    }
    CHECK_INT(stats_of(pool).connect_count, 1);
}

static void a_session_that_cannot_be_cleaned_is_closed(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    pgc_conn *conn = borrow(pool);
    REQUIRE(conn != NULL);
    int32_t pid = pgc_conn_backend_pid(conn);
    /* A temporary table whose removal an event trigger of the session forbids would be a long
     * story; a session that is gone when it is cleaned does as well. */
    CHECK(live_do(conn, "BEGIN"));
    LIVE(killer);
    char sql[80];
    (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", pid);
    says(killer, sql, "t");
    pgc_pool_release(pool, conn);
    wait_for_workers(pool);
    CHECK_INT(stats_of(pool).dirty_close_count, 1);
    conn = borrow(pool);
    REQUIRE(conn != NULL);
    CHECK(pgc_conn_backend_pid(conn) != pid);
    pgc_pool_release(pool, conn);
}

/* Borrowers that hold until they are told. */
typedef struct holder {
    pgc_pool *pool;
    pthread_t thread;
    atomic_int *served; /* counts those who have a connection */
    atomic_int place;   /* 0: not yet */
    atomic_bool may_go;
    pgc_status status;
} holder;

static void *hold(void *arg)
{
    holder *me = arg;
    pgc_conn *conn = NULL;
    me->status = pgc_pool_acquire(me->pool, &conn, NULL);
    if (me->status == PGC_OK) {
        atomic_store(&me->place, atomic_fetch_add(me->served, 1) + 1);
        while (!atomic_load(&me->may_go)) {
            (void) sched_yield();
        }
        pgc_pool_release(me->pool, conn);
    }
    return NULL;
}

static void a_hundred_waiters_on_ten_connections_are_served_in_order(void)
{
    NEED_SERVER();
    enum { CONNS = 10, WAITERS = 100 };
    static holder all[CONNS + WAITERS];
    pgc_error err;
    const pgc_pool_options options = pool_options(CONNS);
    OPEN_POOL(pool, options);
    atomic_int served = 0;
    int started = 0;
    for (; started < CONNS + WAITERS; started++) {
        holder *me = &all[started];
        *me = (holder) { .pool = pool, .served = &served };
        REQUIRE(pthread_create(&me->thread, NULL, hold, me) == 0);
        /* One after the other: first all connections, then the queue. */
        while (started < CONNS ? atomic_load(&me->place) == 0
                               : stats_of(pool).waiters < (uint32_t) (started - CONNS + 1)) {
            (void) sched_yield();
        }
    }
    /* One goes, one comes: who it is must not depend on the scheduler. */
    int overtaken = 0;
    for (int i = 0; i < CONNS + WAITERS; i++) {
        atomic_store(&all[i].may_go, true);
        (void) pthread_join(all[i].thread, NULL);
        int next = i + CONNS;
        while (next < CONNS + WAITERS && atomic_load(&all[next].place) == 0 &&
               atomic_load(&served) <= next) {
            (void) sched_yield();
        }
    }
    for (int i = 0; i < CONNS + WAITERS; i++) {
        CHECK_INT(all[i].status, PGC_OK);
        overtaken += atomic_load(&all[i].place) == i + 1 ? 0 : 1;
    }
    CHECK_INT(overtaken, 0);
    CHECK_INT(stats_of(pool).wait.count, CONNS + WAITERS);
}

static const pgc_query WRITE = { .name = "Write", .sql = "INSERT INTO t_pool_life VALUES (1)" };

/* Fill the pool to its cap, all idle. */
static bool fill(pgc_pool *pool, uint32_t count)
{
    pgc_conn *held[16] = { NULL };
    for (uint32_t i = 0; i < count; i++) {
        held[i] = borrow(pool);
    }
    for (uint32_t i = 0; i < count; i++) {
        pgc_pool_release(pool, held[i]);
    }
    return CHECK_INT(stats_of(pool).idle, count);
}

static void a_demoted_server_drains_the_pool(void)
{
    NEED_SERVER();
    static const pgc_query demote = {
        .name = "Demote", .sql = "SELECT set_config('default_transaction_read_only', 'on', false)"
    };
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    pgc_error err;
    pgc_pool_options options = pool_options(4);
    options.conn.conninfo = url;
    OPEN_POOL(pool, options);
    pgc_conn *conn = borrow(pool);
    REQUIRE(conn != NULL && live_do(conn, "CREATE TABLE t_pool_life (x int)"));
    pgc_pool_release(pool, conn);
    wait_for_workers(pool);
    REQUIRE(fill(pool, 4));
    /* As a server looks that was demoted under an open session. */
    conn = borrow(pool);
    REQUIRE(conn != NULL);
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &demote, NULL, NULL, &err), PGC_OK, &err);
    CHECK(pgc_db_run(pgc_conn_db(conn), &WRITE, NULL, NULL, &err) != PGC_OK);
    CHECK_STR(err.sqlstate, "25006");
    pgc_pool_release(pool, conn);
    pgc_pool_stats stats = stats_of(pool);
    CHECK_INT(stats.generation, 1);
    CHECK_INT(stats.reset_close_count, 4); /* when the release returns, all are gone */
    CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), &WRITE, NULL, NULL, &err), PGC_OK, &err);
    CHECK_INT(stats_of(pool).generation, 1);
}

/* What target_session_attrs asked for is looked at when a connection comes back, however soon the
 * next borrower comes. */
static void a_connection_that_became_unfit_is_not_lent_again(void)
{
    NEED_SERVER();
    static const pgc_query read_only = {
        .name = "ReadOnly", .sql = "SELECT set_config('default_transaction_read_only', 'on', false)"
    };
    char url[512];
    const char *server = live_url();
    (void) snprintf(url, sizeof url, "%s%ctarget_session_attrs=read-write", server,
                    strchr(server, '?') != NULL ? '&' : '?');
    pgc_error err;
    pgc_pool_options options = pool_options(1);
    options.conn.conninfo = url;
    OPEN_POOL(pool, options);
    pgc_conn *conn = borrow(pool);
    REQUIRE(conn != NULL);
    int32_t before = pgc_conn_backend_pid(conn);
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &read_only, NULL, NULL, &err), PGC_OK, &err);
    pgc_pool_release(pool, conn);
    conn = borrow(pool);
    REQUIRE(conn != NULL);
    CHECK(pgc_conn_backend_pid(conn) != before);
    pgc_pool_release(pool, conn);
    CHECK_INT(stats_of(pool).dirty_close_count, 1);
    CHECK_INT(stats_of(pool).generation, 0); /* that was one session, not the server */
}

static void a_read_only_transaction_is_no_demotion(void)
{
    NEED_SERVER();
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    pgc_error err;
    pgc_pool_options options = pool_options(2);
    options.conn.conninfo = url;
    OPEN_POOL(pool, options);
    pgc_conn *conn = borrow(pool);
    REQUIRE(conn != NULL && live_do(conn, "CREATE TABLE t_pool_life (x int)"));
    pgc_pool_release(pool, conn);
    const pgc_tx_options read_only = { .struct_size = sizeof read_only, .read_only = true };
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin(pool, &read_only, &tx, &err), &err);
    CHECK(pgc_db_run(pgc_tx_db(tx), &WRITE, NULL, NULL, &err) != PGC_OK);
    CHECK_STR(err.sqlstate, "25006");
    pgc_tx_rollback(tx);
    CHECK_INT(stats_of(pool).generation, 0);
}

static void a_reset_replaces_idle_and_borrowed_connections(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(3);
    OPEN_POOL(pool, options);
    REQUIRE(fill(pool, 3));
    pgc_conn *held = borrow(pool);
    REQUIRE(held != NULL);
    int32_t pid = pgc_conn_backend_pid(held);
    pgc_pool_reset(pool);
    CHECK_INT(stats_of(pool).reset_close_count, 2);
    CHECK(pgc_conn_alive(held));
    pgc_pool_release(pool, held);
    CHECK_INT(stats_of(pool).reset_close_count, 3);
    held = borrow(pool);
    REQUIRE(held != NULL);
    CHECK(pgc_conn_backend_pid(held) != pid);
    pgc_pool_release(pool, held);
}

static void the_cap_moves_at_run_time(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(4);
    OPEN_POOL(pool, options);
    REQUIRE(fill(pool, 4));
    pgc_conn *a = borrow(pool);
    pgc_conn *b = borrow(pool);
    REQUIRE(a != NULL && b != NULL);
    REQUIRE_OK(pgc_pool_set_max(pool, 1, &err), &err);
    CHECK_INT(stats_of(pool).total, 2);
    CHECK_INT(stats_of(pool).max_conns, 1);
    pgc_pool_release(pool, a);
    CHECK_INT(stats_of(pool).total, 1);
    pgc_pool_release(pool, b);
    CHECK_INT(stats_of(pool).idle, 1);
    REQUIRE_OK(pgc_pool_set_max(pool, 3, &err), &err);
    CHECK(fill(pool, 3));
    CHECK_STATUS(pgc_pool_set_max(pool, 0, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_pool_set_max(pool, 1001, &err), PGC_INVALID, &err);
}

static void idle_connections_are_kept_ready(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_pool_options options = pool_options(4);
    options.min_idle = 2;
    OPEN_POOL(pool, options);
    pgc_conn *held = borrow(pool);
    REQUIRE(held != NULL);
    while (stats_of(pool).idle < 2) {
        (void) sched_yield();
    }
    pgc_pool_release(pool, held);
    wait_for_workers(pool);
    CHECK_INT(stats_of(pool).total, 3);
}

static void idle_connections_are_pinged_in_the_background(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_pool_options options = pool_options(1);
    options.keepalive_us = 1000;
    OPEN_POOL(pool, options);
    REQUIRE(fill(pool, 1));
    while (stats_of(pool).keepalive_count < 3) {
        (void) sched_yield();
    }
    CHECK_INT(stats_of(pool).connect_count, 1);
    pgc_conn *conn = borrow(pool);
    REQUIRE(conn != NULL);
    int32_t pid = pgc_conn_backend_pid(conn);
    pgc_pool_release(pool, conn);
    LIVE(killer);
    char sql[80];
    (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", pid);
    says(killer, sql, "t");
    /* Found and replaced though nobody borrows. */
    while (stats_of(pool).connect_count < 2) {
        (void) sched_yield();
    }
    CHECK_INT(stats_of(pool).broken_close_count, 1);
}

static const pgc_query SLEEP = { .name = "Sleep", .sql = "SELECT pg_sleep(600)" };

/* Runs a query that does not end, on a connection of the pool. */
static void *sleep_long(void *arg)
{
    holder *me = arg;
    me->status = pgc_db_run(pgc_pool_db(me->pool), &SLEEP, NULL, NULL, NULL);
    return NULL;
}

static bool sleeps(pgc_conn *watcher)
{
    char text[8];
    return strcmp(live_text(watcher,
                            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"
                            " AND application_name = 't-pool-sleep'",
                            text, sizeof text),
                  "1") == 0;
}

static void closing_cancels_what_runs_too_long(void)
{
    NEED_SERVER();
    LIVE(watcher);
    pgc_error err;
    pgc_pool_options options = pool_options(1);
    options.conn.app_name = "t-pool-sleep";
    options.conn.call_timeout_us = -1;
    options.close_timeout_us = 1000;
    pgc_pool *pool = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    holder me = { .pool = pool };
    REQUIRE(pthread_create(&me.thread, NULL, sleep_long, &me) == 0);
    while (!sleeps(watcher)) {
        (void) sched_yield();
    }
    CHECK(!pgc_pool_close(pool));
    (void) pthread_join(me.thread, NULL);
    CHECK_INT(me.status, PGC_CANCELLED);
}

static void closing_cuts_what_does_not_come_back(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_pool_options options = pool_options(2);
    options.close_timeout_us = 1000;
    options.conn.cancel_grace_us = 1000;
    pgc_pool *pool = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    pgc_conn *held = borrow(pool);
    REQUIRE(held != NULL);
    CHECK(!pgc_pool_close(pool));
    static const pgc_query quiet = { .name = "Quiet", .sql = "SELECT 1", .hash = 0x91e7 };
    CHECK_STATUS(pgc_db_run(pgc_conn_db(held), &quiet, NULL, NULL, &err), PGC_CONNECTION, &err);
    pgc_pool_release(pool, held); /* frees the pool: the sanitizers see it if not */
}

/* What one thread of the storm does, by chance. */
typedef struct stormer {
    pgc_pool *pool;
    pthread_t thread;
    uint64_t seed;
    int wrong;
} stormer;

enum { STORM_THREADS = 12, STORM_ROUNDS = 100 };

static void misuse(pgc_pool *pool, pgc_conn **conn, uint64_t *seed)
{
    static const pgc_query fail = { .name = "Fail", .sql = "SELECT 1 / 0" };
    static const pgc_query begin = { .name = "Begin", .sql = "BEGIN", .flags = PGC_QUERY_UNNAMED };
    pgc_status status = PGC_OK;
    switch (random_below(seed, 8)) {
    case 0:
        status = pgc_db_run(pgc_conn_db(*conn), &begin, NULL, NULL, NULL);
        break;
    case 1:
        status = pgc_db_run(pgc_conn_db(*conn), &fail, NULL, NULL, NULL);
        break;
    case 2:
        pgc_conn_mark_session(*conn, PGC_SESSION_LOCKS);
        break;
    case 3:
        (*conn)->lost = true;
        break;
    case 4:
        pgc_pool_detach(pool, *conn);
        pgc_conn_close(TAKE(*conn));
        break;
    default:
        break;
    }
    (void) status;
}

static void *storm(void *arg)
{
    stormer *me = arg;
    for (int i = 0; i < STORM_ROUNDS; i++) {
        const pgc_acquire_options options = {
            .struct_size = sizeof options,
            .priority = random_below(&me->seed, 2) == 0 ? PGC_PRIORITY_INTERACTIVE
                                                        : PGC_PRIORITY_BACKGROUND,
            /* Half of them wait for as long as it takes: those are served or sent away. */
            .timeout_us =
                random_below(&me->seed, 2) == 0 ? -1 : 1 + (int64_t) random_below(&me->seed, 30000),
            .holder = "storm",
            .ticket = 1 + random_below(&me->seed, 3),
        };
        pgc_conn *conn = NULL;
        pgc_status status = pgc_pool_acquire_with(me->pool, &options, &conn, NULL);
        me->wrong += (status == PGC_OK) != (conn != NULL) ? 1 : 0;
        if (status == PGC_OK) {
            me->wrong += pgc_conn_tx_state(conn) == PGC_TX_IDLE ? 0 : 1;
            misuse(me->pool, &conn, &me->seed);
            pgc_pool_release(me->pool, conn);
        } else if (status != PGC_TIMEOUT && status != PGC_CANCELLED) {
            me->wrong++;
        }
    }
    return NULL;
}

static void no_chance_loses_a_place(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(3);
    OPEN_POOL(pool, options);
    uint64_t seed = (uint64_t) clock_os()->mono_us(NULL);
    printf("# seed %" PRIu64 "\n", seed);
    stormer all[STORM_THREADS];
    for (int i = 0; i < STORM_THREADS; i++) {
        all[i] = (stormer) { .pool = pool, .seed = seed + (uint64_t) i };
        REQUIRE(pthread_create(&all[i].thread, NULL, storm, &all[i]) == 0);
    }
    /* Meanwhile waiters are sent away and everything is replaced, again and again. */
    for (int i = 0; i < 300; i++) {
        if (i % 8 == 0) {
            (void) pgc_pool_cancel(pool, 1 + random_below(&seed, 3));
        }
        if (i % 50 == 0) {
            pgc_pool_reset(pool);
        }
        (void) stats_of(pool); /* checks that lists and counters agree */
        clock_os()->sleep_us(NULL, 2000);
    }
    for (int i = 0; i < STORM_THREADS; i++) {
        (void) pthread_join(all[i].thread, NULL);
        CHECK_INT(all[i].wrong, 0);
    }
    wait_for_workers(pool);
    pgc_pool_stats stats = stats_of(pool);
    CHECK_INT(stats.acquired, 0);
    CHECK_INT(stats.waiters, 0);
    CHECK_INT(stats.background_waiters, 0);
    CHECK_INT(stats.idle, stats.total);
    CHECK(stats.total <= 3);
    int64_t handed =
        stats.acquire_wait_count - stats.acquire_timeout_count - stats.acquire_cancel_count;
    printf("# %lld served, %lld of them by hand-over, %lld timed out, %lld cancelled,"
           " %lld connections\n",
           (long long) stats.acquire_count, (long long) handed,
           (long long) stats.acquire_timeout_count, (long long) stats.acquire_cancel_count,
           (long long) stats.connect_count);
    CHECK(handed > STORM_ROUNDS);
    CHECK(fill(pool, 3)); /* every place is still there */
}

TAP_MAIN(TAP("pool: a changed session is clean for the next borrower",
             a_changed_session_is_clean_for_the_next_borrower),
         TAP("pool: a clean session costs no reset", a_clean_session_costs_no_reset),
         TAP("pool: rows and batches are cleaned after", rows_and_batches_are_cleaned_after),
         TAP("pool: local settings cost no reset", local_settings_cost_no_reset),
         TAP("pool: settings are undone however they were changed",
             settings_are_undone_however_they_were_changed),
         TAP("pool: a session that cannot be cleaned is closed",
             a_session_that_cannot_be_cleaned_is_closed),
         TAP("acceptance 8: a hundred waiters on ten connections are served in order",
             a_hundred_waiters_on_ten_connections_are_served_in_order),
         TAP("acceptance 9: a demoted server drains the pool", a_demoted_server_drains_the_pool),
         TAP("pool: a connection that became unfit is not lent again",
             a_connection_that_became_unfit_is_not_lent_again),
         TAP("pool: a read-only transaction is no demotion",
             a_read_only_transaction_is_no_demotion),
         TAP("pool: a reset replaces idle and borrowed connections",
             a_reset_replaces_idle_and_borrowed_connections),
         TAP("pool: the cap moves at run time", the_cap_moves_at_run_time),
         TAP("pool: idle connections are kept ready", idle_connections_are_kept_ready),
         TAP("pool: idle connections are pinged in the background",
             idle_connections_are_pinged_in_the_background),
         TAP("pool: closing cancels what runs too long", closing_cancels_what_runs_too_long),
         TAP("pool: closing cuts what does not come back", closing_cuts_what_does_not_come_back),
         TAP("acceptance 8: no chance loses a place", no_chance_loses_a_place))
