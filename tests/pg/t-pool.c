/* The pool with threads, against a real server. */
#include "base/prelude.h"

#include <sched.h>
#include <stdatomic.h>

#include <pgc/pool.h>
#include <pgc/rows.h>

#include "pgc/auto.h"
#include "pgc/pool_state.h"

#include "live.h"
#include "pool.h"
#include "tap.h"

static const pgc_type_ref P_INT4[] = { { "n", "integer", 23 } };
static const pgc_type_ref C_INT4[] = { { "x", "integer", 23 } };
static const pgc_query ECHO = { .name = "Echo",
                                .sql = "SELECT $1 AS x",
                                .hash = 0xec40,
                                .param_count = 1,
                                .column_count = 1,
                                .params = P_INT4,
                                .columns = C_INT4 };

static int32_t echo(pgc_db *db, int32_t n)
{
    pgc_error err;
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_result *result = NULL;
    pgc_status status = pgc_db_run(db, &ECHO, &args, &result, &err);
    pgc_args_done(&args);
    int32_t x = -(int32_t) status;
    if (status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, &ECHO);
        x = pgc_read_i32(&reader, 0, 0);
    }
    pgc_result_free(result);
    return x;
}

static void wait_for_waiters(pgc_pool *pool, uint32_t count)
{
    while (stats_of(pool).waiters < count) {
        (void) sched_yield();
    }
}

static void borrows_and_reuses(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(2);
    OPEN_POOL(pool, options);
    CHECK_INT(echo(pgc_pool_db(pool), 5), 5);
    pgc_conn *a = NULL;
    pgc_conn *b = NULL;
    pgc_conn *again = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &a, &err), &err);
    REQUIRE_OK(pgc_pool_acquire(pool, &b, &err), &err);
    CHECK(a != b);
    CHECK_INT(stats_of(pool).acquired, 2);
    pgc_pool_release(pool, a);
    pgc_pool_release(pool, b);
    REQUIRE_OK(pgc_pool_acquire(pool, &again, &err), &err);
    CHECK(again == b); /* the one used last is the warmest */
    pgc_pool_release(pool, again);
    pgc_pool_release(pool, NULL);
    pgc_pool_stats stats = stats_of(pool);
    CHECK_INT(stats.total, 2);
    CHECK_INT(stats.idle, 2);
    CHECK_INT(stats.acquired, 0);
    CHECK_INT(stats.connect_count, 2);
    CHECK_INT(stats.acquire_count, 4);
}

static void options_are_checked(void)
{
    pgc_error err;
    pgc_pool *pool = NULL;
    pgc_pool_options options = { .struct_size = sizeof options, .max_conns = 1001 };
    CHECK_STATUS(pgc_pool_open(&options, &pool, &err), PGC_INVALID, &err);
    options = (pgc_pool_options) { .struct_size = sizeof options, .max_conns = 2, .min_conns = 3 };
    CHECK_STATUS(pgc_pool_open(&options, &pool, &err), PGC_INVALID, &err);
    options = (pgc_pool_options) { .struct_size = sizeof options,
                                   .conn = { .conninfo = "password=s3cret what" } };
    CHECK_STATUS(pgc_pool_open(&options, &pool, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "s3cret") == NULL);
    CHECK_STATUS(pgc_pool_open(NULL, &pool, &err), PGC_INVALID, &err);
    CHECK(pool == NULL);
    pgc_pool_close(NULL);
}

static void a_server_that_is_away_shows_at_acquire(void)
{
    pgc_error err;
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .conninfo = "host=/nowhere dbname=x" } };
    OPEN_POOL(pool, options);
    pgc_conn *conn = NULL;
    CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_CONNECTION, &err);
    CHECK(strstr(err.message, "/nowhere") != NULL);
    CHECK(err.retry);
    CHECK(conn == NULL);
    pgc_pool_stats stats = stats_of(pool);
    CHECK(stats.connect_failure_count > 0);
    CHECK_INT(stats.waiters, 0);
}

static void a_refused_login_shows_at_once(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_pool_options options = pool_options(2);
    options.conn.user = "t_pool_nobody";
    options.acquire_timeout_us = -1; /* would wait for ever otherwise */
    OPEN_POOL(pool, options);
    pgc_conn *conn = NULL;
    CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_CONNECTION, &err);
    CHECK_STR(err.sqlstate, "28000");
}

static void acquire_ends_at_its_deadline(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    pgc_conn *held = NULL;
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &held, &err), &err);
    pool->options.acquire_timeout_us = 10000;
    CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_TIMEOUT, &err);
    CHECK_INT(echo(pgc_pool_db(pool), 1), -PGC_TIMEOUT);
    CHECK_INT(stats_of(pool).acquire_timeout_count, 2);
    pgc_pool_release(pool, held);
    CHECK_INT(echo(pgc_pool_db(pool), 1), 1);
}

/* One borrower in a thread of its own. */
typedef struct borrower {
    pgc_pool *pool;
    pthread_t thread;
    atomic_int *order; /* counts who got a connection when */
    int place;
    pgc_status status;
} borrower;

static void *borrow(void *arg)
{
    borrower *me = arg;
    pgc_conn *conn = NULL;
    me->status = pgc_pool_acquire(me->pool, &conn, NULL);
    if (me->status == PGC_OK) {
        me->place = atomic_fetch_add(me->order, 1);
        pgc_pool_release(me->pool, conn);
    }
    return NULL;
}

static void first_come_first_served(void)
{
    NEED_SERVER();
    enum { COUNT = 8 };
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    pgc_conn *held = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &held, &err), &err);
    atomic_int order = 0;
    borrower all[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        all[i] = (borrower) { .pool = pool, .order = &order, .place = -1 };
        REQUIRE(pthread_create(&all[i].thread, NULL, borrow, &all[i]) == 0);
        wait_for_waiters(pool, i + 1);
    }
    pgc_pool_release(pool, held);
    for (int i = 0; i < COUNT; i++) {
        (void) pthread_join(all[i].thread, NULL);
        CHECK_INT(all[i].status, PGC_OK);
        CHECK_INT(all[i].place, i);
    }
    CHECK_INT(stats_of(pool).connect_count, 1);
    CHECK(stats_of(pool).acquire_wait_count >= COUNT);
}

static void too_many_waiters_are_turned_away(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_pool_options options = pool_options(1);
    options.max_waiters = 1;
    OPEN_POOL(pool, options);
    pgc_conn *held = NULL;
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &held, &err), &err);
    atomic_int order = 0;
    borrower one = { .pool = pool, .order = &order };
    REQUIRE(pthread_create(&one.thread, NULL, borrow, &one) == 0);
    wait_for_waiters(pool, 1);
    CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_LIMIT, &err);
    pgc_pool_release(pool, held);
    (void) pthread_join(one.thread, NULL);
    CHECK_INT(one.status, PGC_OK);
}

static void *close_pool(void *arg)
{
    pgc_pool_close(arg);
    return NULL;
}

static void closing_wakes_waiters_and_waits_for_borrowers(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    pgc_pool *pool = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    pgc_conn *held = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &held, &err), &err);
    atomic_int order = 0;
    borrower one = { .pool = pool, .order = &order };
    REQUIRE(pthread_create(&one.thread, NULL, borrow, &one) == 0);
    wait_for_waiters(pool, 1);
    pthread_t closer;
    REQUIRE(pthread_create(&closer, NULL, close_pool, pool) == 0);
    (void) pthread_join(one.thread, NULL);
    CHECK_INT(one.status, PGC_CLOSED);
    pgc_conn *conn = NULL;
    CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_CLOSED, &err);
    CHECK(pgc_conn_alive(held));
    CHECK_INT(echo(pgc_conn_db(held), 3), 3);
    pgc_pool_release(pool, held);
    (void) pthread_join(closer, NULL);
}

static void an_open_transaction_never_reaches_the_next_borrower(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    int32_t pid = pgc_conn_backend_pid(conn);
    REQUIRE(live_do(conn, "BEGIN"));
    pgc_pool_release(pool, conn);
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    CHECK_INT(pgc_conn_backend_pid(conn), pid); /* rolled back, not closed */
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
    pgc_pool_release(pool, conn);
    CHECK_INT(stats_of(pool).dirty_release_count, 1);
    CHECK_INT(stats_of(pool).rollback_count, 1);
}

static void kill_backend(int32_t pid)
{
    pgc_conn *killer = live_open();
    char sql[80], text[8];
    (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)", pid);
    CHECK(killer != NULL);
    CHECK_STR(live_text(killer, sql, text, sizeof text), "t");
    pgc_conn_close(killer);
}

static void a_connection_that_died_while_idle_is_replaced(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    for (int i = 0; i < 3; i++) {
        pgc_conn *conn = NULL;
        REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
        int32_t pid = pgc_conn_backend_pid(conn);
        pgc_pool_release(pool, conn);
        kill_backend(pid);
        CHECK_INT(echo(pgc_pool_db(pool), i), i);
    }
    CHECK_INT(stats_of(pool).broken_close_count, 3);
    CHECK_INT(stats_of(pool).total, 1);
}

static void a_read_runs_again_when_its_connection_dies(void)
{
    NEED_SERVER();
    static const pgc_query die_once = {
        .name = "DieOnce",
        .sql = "SELECT CASE WHEN nextval('t_pool_seq') = 1"
               " THEN pg_terminate_backend(pg_backend_pid()) END AS x",
        .flags = PGC_QUERY_READ_ONLY,
    };
    static const pgc_query die = { .name = "Die",
                                   .sql = "SELECT pg_terminate_backend(pg_backend_pid())" };
    LIVE(admin);
    REQUIRE(live_do(admin, "DROP SEQUENCE IF EXISTS t_pool_seq; CREATE SEQUENCE t_pool_seq"));
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), &die_once, NULL, NULL, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), &die, NULL, NULL, &err), PGC_CONNECTION, &err);
    CHECK_INT(echo(pgc_pool_db(pool), 4), 4);
    CHECK(live_do(admin, "DROP SEQUENCE t_pool_seq"));
}

static void the_floor_is_filled_in_the_background(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_pool_options options = pool_options(6);
    options.min_conns = 4;
    OPEN_POOL(pool, options);
    while (stats_of(pool).idle < 4) {
        (void) sched_yield();
    }
    CHECK_INT(stats_of(pool).total, 4);
}

/* A clock that only the test moves; safe for the pool's threads. */
static _Atomic int64_t test_now_us = 1000;

static int64_t test_mono(void *ctx)
{
    (void) ctx;
    return atomic_load(&test_now_us);
}

static bool test_random(void *ctx, void *bytes, size_t count)
{
    (void) ctx;
    memset(bytes, 0x55, count);
    return true;
}

static void test_sleep(void *ctx, int64_t us)
{
    (void) ctx;
    (void) us;
}

static const clock_ops TEST_CLOCK = { NULL, test_mono, test_mono, test_random, test_sleep };

/* Wait until all borrowing and connecting is over. */
static void settle(pgc_pool *pool, uint32_t total)
{
    while (stats_of(pool).idle != total || stats_of(pool).total != total) {
        (void) sched_yield();
    }
}

/* Until so many connections ended by age; their successors came first. */
static void wait_for_old(pgc_pool *pool, int64_t count)
{
    while (stats_of(pool).lifetime_close_count < count) {
        (void) sched_yield();
    }
    CHECK_INT(stats_of(pool).lifetime_close_count, count);
}

static void old_and_unused_connections_go(void)
{
    NEED_SERVER();
    const conn_seams seams = { pq_libpq(), &TEST_CLOCK, -1, NULL };
    pgc_error err;
    pgc_pool_options options = pool_options(3);
    options.lifetime_us = 1000000000;
    options.lifetime_jitter_us = 1;
    options.idle_us = 100000000;
    options.ping_idle_us = INT64_MAX;
    AUTO(pool_auto) pgc_pool *pool = NULL;
    REQUIRE_OK(pool_open_on(&options, &seams, &pool, &err), &err);
    pgc_conn *held[3] = { NULL, NULL, NULL };
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(pgc_pool_acquire(pool, &held[i], &err), &err);
    }
    for (int i = 0; i < 3; i++) {
        pgc_pool_release(pool, held[i]);
    }
    pool_maintain(pool);
    CHECK_INT(stats_of(pool).total, 3);
    atomic_fetch_add(&test_now_us, options.idle_us);
    pool_maintain(pool);
    settle(pool, 1); /* the floor stays */
    CHECK_INT(stats_of(pool).idle_close_count, 2);
    atomic_fetch_add(&test_now_us, options.lifetime_us + 2);
    CHECK_INT(echo(pgc_pool_db(pool), 1), 1); /* the only one is lent, then replaced */
    wait_for_old(pool, 1);
    CHECK_INT(stats_of(pool).connect_count, 4);
    atomic_fetch_add(&test_now_us, options.lifetime_us + 2);
    pool_maintain(pool);
    wait_for_old(pool, 2);
    settle(pool, 1);
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    atomic_fetch_add(&test_now_us, options.lifetime_us + 2);
    pgc_pool_release(pool, conn); /* replaced when it comes back */
    wait_for_old(pool, 3);
    settle(pool, 1);
    CHECK_INT(stats_of(pool).connect_count, 6);
}

static void a_long_idle_connection_is_pinged(void)
{
    NEED_SERVER();
    const conn_seams seams = { pq_libpq(), &TEST_CLOCK, -1, NULL };
    pgc_error err;
    pgc_pool_options options = pool_options(1);
    AUTO(pool_auto) pgc_pool *pool = NULL;
    REQUIRE_OK(pool_open_on(&options, &seams, &pool, &err), &err);
    CHECK_INT(echo(pgc_pool_db(pool), 1), 1);
    atomic_fetch_add(&test_now_us, 6000000);
    CHECK_INT(echo(pgc_pool_db(pool), 2), 2);
    CHECK_INT(stats_of(pool).connect_count, 1);
}

#define THREADS 64

typedef struct worker {
    pgc_pool *pool;
    pthread_t thread;
    int32_t number;
    int good;
} worker;

static void *query_much(void *arg)
{
    worker *me = arg;
    for (int32_t i = 0; i < 50; i++) {
        int32_t n = me->number * 1000 + i;
        me->good += echo(pgc_pool_db(me->pool), n) == n;
    }
    return NULL;
}

static void many_threads_share_few_connections(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(8);
    OPEN_POOL(pool, options);
    worker all[THREADS];
    for (int32_t i = 0; i < THREADS; i++) {
        all[i] = (worker) { .pool = pool, .number = i };
        REQUIRE(pthread_create(&all[i].thread, NULL, query_much, &all[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void) pthread_join(all[i].thread, NULL);
        CHECK_INT(all[i].good, 50);
    }
    pgc_pool_stats stats = stats_of(pool);
    CHECK_INT(stats.acquire_count, THREADS * 50);
    CHECK_INT(stats.acquired, 0);
    CHECK(stats.total <= 8);
    CHECK(stats.connect_count <= 8);
}

static const pgc_query WHO = {
    .name = "Who",
    .sql = "SELECT coalesce(nullif(current_setting('app.user_id', true), ''), '-1')::int4 AS x",
    .column_count = 1,
    .columns = C_INT4,
};

static int32_t who(pgc_db *db)
{
    pgc_error err;
    pgc_result *result = NULL;
    if (pgc_db_run(db, &WHO, NULL, &result, &err) != PGC_OK) {
        printf("# %s\n", err.message);
        return -2;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, &WHO);
    int32_t x = pgc_read_i32(&reader, 0, 0);
    pgc_result_free(result);
    return x;
}

static void *ask_who(void *arg)
{
    worker *me = arg;
    char number[16];
    (void) snprintf(number, sizeof number, "%d", me->number);
    const pgc_setting setting = { "app.user_id", number };
    pgc_scope *scope = NULL;
    if (pgc_scope_open(me->pool, &setting, 1, &scope, NULL) != PGC_OK) {
        return NULL;
    }
    for (int i = 0; i < 30; i++) {
        me->good += who(pgc_scope_db(scope)) == me->number;
        me->good += who(pgc_pool_db(me->pool)) == -1;
    }
    pgc_scope_close(scope);
    return NULL;
}

static void identities_never_leak_between_threads(void)
{
    NEED_SERVER();
    pgc_error err;
    const pgc_pool_options options = pool_options(4);
    OPEN_POOL(pool, options);
    worker all[THREADS];
    for (int32_t i = 0; i < THREADS; i++) {
        all[i] = (worker) { .pool = pool, .number = i };
        REQUIRE(pthread_create(&all[i].thread, NULL, ask_who, &all[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void) pthread_join(all[i].thread, NULL);
        CHECK_INT(all[i].good, 60);
    }
}

/* The identity, ten times, and one more when the plan is to be for all values. */
#define MODE_SQL                                                                           \
    "SELECT 10 * coalesce(nullif(current_setting('app.user_id', true), ''), '0')::int4 + " \
    "(current_setting('plan_cache_mode') = 'force_generic_plan')::int4 AS x"
static const pgc_query MODES[] = {
    { .name = "Mode", .sql = MODE_SQL, .hash = 0x30de, .column_count = 1, .columns = C_INT4 },
    { .name = "Mode",
      .sql = MODE_SQL,
      .hash = 0x30de,
      .flags = PGC_QUERY_GENERIC,
      .column_count = 1,
      .columns = C_INT4 },
};

static int32_t read_one(pgc_db *db, const pgc_query *query)
{
    pgc_error err;
    pgc_rows *rows = NULL;
    bool more = false;
    int32_t x = -2;
    pgc_status status = pgc_rows_open(db, query, NULL, NULL, &rows, &err);
    if (status == PGC_OK && pgc_rows_next(rows, &more, &err) == PGC_OK && more) {
        x = pgc_read_i32(pgc_rows_reader(rows), pgc_rows_index(rows), 0);
    }
    pgc_rows_close(rows);
    return x;
}

static int32_t run_one(pgc_db *db, const pgc_query *query)
{
    pgc_error err;
    pgc_result *result = NULL;
    pgc_reader reader;
    if (!CHECK_STATUS(pgc_db_run(db, query, NULL, &result, &err), PGC_OK, &err)) {
        return -2;
    }
    pgc_reader_init(&reader, result, query);
    int32_t x = pgc_read_i32(&reader, 0, 0);
    pgc_result_free(result);
    return x;
}

/* For its call and no longer, whatever else travels with it. */
static void a_plan_for_all_values_is_asked_for_by_the_query(void)
{
    NEED_SERVER();
    pgc_error err;
    pgc_setting settings[PGC_SCOPE_SETTINGS_MAX];
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        settings[i] = (pgc_setting) { "app.user_id", "7" };
    }
    for (int32_t generic = 0; generic < 2; generic++) {
        CHECK_INT(run_one(pgc_pool_db(pool), &MODES[generic]), generic);
        CHECK_INT(read_one(pgc_pool_db(pool), &MODES[generic]), generic);
    }
    for (size_t count = 0; count <= ARRAY_LEN(settings); count++) {
        pgc_scope *scope = NULL;
        REQUIRE_OK(pgc_scope_open(pool, settings, count, &scope, &err), &err);
        for (int32_t generic = 1; generic >= 0; generic--) {
            int32_t want = (count > 0 ? 70 : 0) + generic;
            CHECK_INT(run_one(pgc_scope_db(scope), &MODES[generic]), want);
            CHECK_INT(read_one(pgc_scope_db(scope), &MODES[generic]), want);
        }
        pgc_scope_close(scope);
        CHECK_INT(run_one(pgc_pool_db(pool), &MODES[0]), 0);
    }
}

/* The reason for it: of a parameter in LIMIT the server thinks that it takes a tenth of the rows.
 */
static void a_page_is_planned_once(void)
{
    NEED_SERVER();
    static const char PAGE[] = "SELECT g AS x FROM generate_series(1, 100000) g LIMIT $1";
    static const pgc_query PAGES[] = {
        { "Page", PAGE, 0x9a60, 0, 1, 1, P_INT4, C_INT4, 0 },
        { "Page", PAGE, 0x9a61, PGC_QUERY_GENERIC, 1, 1, P_INT4, C_INT4, 0 },
    };
    static const pgc_query PLANS[] = {
        { "Plans",
          "SELECT generic_plans::int4 AS x FROM pg_prepared_statements WHERE name ~ '9a60'", 0x1, 0,
          0, 1, NULL, C_INT4, 0 },
        { "Plans",
          "SELECT generic_plans::int4 AS x FROM pg_prepared_statements WHERE name ~ '9a61'", 0x2, 0,
          0, 1, NULL, C_INT4, 0 },
    };
    pgc_error err;
    const pgc_pool_options options = pool_options(1);
    OPEN_POOL(pool, options);
    for (int i = 0; i < 16; i++) {
        pgc_args args;
        pgc_args_init(&args, NULL);
        pgc_add_i32(&args, 3);
        CHECK_STATUS(pgc_db_run(pgc_pool_db(pool), &PAGES[i % 2], &args, NULL, &err), PGC_OK, &err);
        pgc_args_done(&args);
    }
    CHECK_INT(run_one(pgc_pool_db(pool), &PLANS[0]), 0);
    CHECK_INT(run_one(pgc_pool_db(pool), &PLANS[1]), 8);
}

TAP_MAIN(TAP("pool: borrows and reuses", borrows_and_reuses),
         TAP("pool: options are checked", options_are_checked),
         TAP("pool: a server that is away shows at acquire",
             a_server_that_is_away_shows_at_acquire),
         TAP("pool: a refused login shows at once", a_refused_login_shows_at_once),
         TAP("pool: acquire ends at its deadline", acquire_ends_at_its_deadline),
         TAP("pool: first come, first served", first_come_first_served),
         TAP("pool: too many waiters are turned away", too_many_waiters_are_turned_away),
         TAP("pool: closing wakes waiters and waits for borrowers",
             closing_wakes_waiters_and_waits_for_borrowers),
         TAP("pool: an open transaction never reaches the next borrower",
             an_open_transaction_never_reaches_the_next_borrower),
         TAP("pool: a connection that died while idle is replaced",
             a_connection_that_died_while_idle_is_replaced),
         TAP("pool: a read runs again when its connection dies",
             a_read_runs_again_when_its_connection_dies),
         TAP("pool: the floor is filled in the background", the_floor_is_filled_in_the_background),
         TAP("pool: old and unused connections go", old_and_unused_connections_go),
         TAP("pool: a long idle connection is pinged", a_long_idle_connection_is_pinged),
         TAP("pool: many threads share few connections", many_threads_share_few_connections),
         TAP("pool: a plan for all values is asked for by the query",
             a_plan_for_all_values_is_asked_for_by_the_query),
         TAP("pool: a page is planned once", a_page_is_planned_once),
         TAP("scope: identities never leak between threads", identities_never_leak_between_threads))
