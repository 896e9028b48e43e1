/* Each call into libpq fails once, at every point of a connection's life in a pool: connecting,
 * preparing, the ping of an acquire, a query, the roll-back and cleaning in the background, the
 * keep-alive, retirement. With a single place, a lost one would stop the pool for good. */
#include "base/prelude.h"

#include <sched.h>

#include "pgc/pool_state.h"

#include "echo_pq.h"
#include "pool.h"
#include "tap.h"

/* Real time, which the test can make jump. */
static _Atomic int64_t jumped_us;

static int64_t read_now(void *ctx)
{
    (void) ctx;
    return clock_os()->mono_us(NULL) + atomic_load(&jumped_us);
}

/* Zeroes: the shortest pause after a failed connect. */
static bool no_random(void *ctx, void *bytes, size_t count)
{
    (void) ctx;
    memset(bytes, 0, count);
    return true;
}

static void no_sleep(void *ctx, int64_t us)
{
    (void) ctx;
    (void) us;
}

static const clock_ops JUMPING_CLOCK = { NULL, read_now, read_now, no_random, no_sleep };

#define LIFETIME_US  INT64_C(1000000000)
#define KEEPALIVE_US INT64_C(100000000)

static pgc_status run(pgc_db *db, const char *sql, uint32_t flags)
{
    const pgc_query query = { .name = "Query", .sql = sql, .flags = PGC_QUERY_UNNAMED | flags };
    return pgc_db_run(db, &query, NULL, NULL, NULL);
}

static pgc_status prepare(void *arg, pgc_conn *conn, pgc_error *err)
{
    (void) arg;
    pgc_status status = run(pgc_conn_db(conn), "SET x = 1", 0);
    return status == PGC_OK ? PGC_OK : pgc_error_set(err, status, "made up");
}

static pgc_pool *open_pool(void)
{
    const conn_seams seams = { echo_pq_ops(), &JUMPING_CLOCK, -1, NULL };
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .conninfo = "host=here", .role = "somebody" },
        .max_conns = 1,
        .lifetime_us = LIFETIME_US,
        .lifetime_jitter_us = 1,
        .idle_us = INT64_MAX,
        .ping_idle_us = 2000,
        .keepalive_us = KEEPALIVE_US,
        .leak_after_us = -1,
        .prepare = prepare,
    };
    pgc_pool *pool = NULL;
    pgc_error err;
    return CHECK_STATUS(pool_open_on(&options, &seams, &pool, &err), PGC_OK, &err) ? pool : NULL;
}

/* Until no thread of the pool has anything in hand and the place is filled. */
static void settle(pgc_pool *pool)
{
    for (;;) {
        pgc_pool_stats stats = stats_of(pool);
        if (stats.quarantined == 0 && stats.closing == 0 && stats.connecting == 0 &&
            stats.idle == 1) {
            return;
        }
        (void) sched_yield();
    }
}

/* What a borrower does that leaves work behind; NULL when there was no connection for him. */
typedef void (*misdeed)(pgc_pool *pool, pgc_conn *conn);

static void does_nothing(pgc_pool *pool, pgc_conn *conn)
{
    (void) run(pgc_conn_db(conn), "SELECT 1", 0);
    pgc_pool_release(pool, conn);
}

static void leaves_a_transaction(pgc_pool *pool, pgc_conn *conn)
{
    (void) run(pgc_conn_db(conn), "BEGIN", 0);
    pgc_pool_release(pool, conn);
}

static void changes_the_session(pgc_pool *pool, pgc_conn *conn)
{
    (void) run(pgc_conn_db(conn), "SELECT 1", PGC_QUERY_SESSION);
    pgc_pool_release(pool, conn);
}

static void does_both(pgc_pool *pool, pgc_conn *conn)
{
    (void) run(pgc_conn_db(conn), "BEGIN", 0);
    pgc_conn_mark_session(conn, PGC_SESSION_ALL);
    pgc_pool_release(pool, conn);
}

static void keeps_it(pgc_pool *pool, pgc_conn *conn)
{
    pgc_pool_detach(pool, conn);
    (void) run(pgc_conn_db(conn), "SELECT 1", 0);
    pgc_conn_close(conn);
}

static void keeps_it_for_long(pgc_pool *pool, pgc_conn *conn)
{
    (void) atomic_fetch_add(&jumped_us, LIFETIME_US + 1);
    (void) run(pgc_conn_db(conn), "SELECT 1", 0);
    pgc_pool_release(pool, conn);
}

static void borrow_and(pgc_pool *pool, misdeed deed)
{
    pgc_conn *conn = NULL;
    (void) atomic_fetch_add(&jumped_us, 10000); /* idle for long enough to be pinged */
    if (pgc_pool_acquire(pool, &conn, NULL) == PGC_OK) {
        deed(pool, conn);
    }
    settle(pool);
}

/* A whole life. Whatever fails, it goes on with the next chapter. */
static void live(pgc_pool *pool)
{
    static const misdeed DEEDS[] = {
        does_nothing, leaves_a_transaction, changes_the_session, does_both,
        keeps_it,     keeps_it_for_long
    };
    settle(pool);
    for (size_t i = 0; i < ARRAY_LEN(DEEDS); i++) {
        borrow_and(pool, DEEDS[i]);
    }
    (void) run(pgc_pool_db(pool), "SELECT 1", 0);
    (void) run(pgc_pool_db(pool), "SELECT 1", PGC_QUERY_READ_ONLY);
    settle(pool);
    (void) atomic_fetch_add(&jumped_us, KEEPALIVE_US + 1);
    pool_maintain(pool);
    settle(pool);
    pgc_pool_reset(pool);
    settle(pool);
}

/* Every connection that was made is there or was ended for a reason that was counted. */
static void check_books(pgc_pool *pool)
{
    pgc_pool_stats s = stats_of(pool);
    int64_t ended = s.lifetime_close_count + s.idle_close_count + s.broken_close_count +
                    s.dirty_close_count + s.reset_close_count + s.detach_count;
    CHECK_INT(s.connect_count - s.connect_failure_count - ended, s.total);
    CHECK_INT(s.connect.count, s.connect_count - s.connect_failure_count);
    CHECK_INT(s.acquired, 0);
    CHECK_INT(s.waiters, 0);
    CHECK_INT(s.idle, 1);
    CHECK_INT(s.total, 1);
}

/* True when a call failed; false when the life has fewer calls than that. */
static bool live_with_failure(int fail_at, bool by_loss)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    echo_pq_reset();
    atomic_store(&echo.fail_at, fail_at);
    atomic_store(&echo.by_loss, by_loss);
    pgc_pool *pool = open_pool();
    if (pool == NULL) {
        return false;
    }
    live(pool);
    bool failed = atomic_load(&echo.calls) >= fail_at;
    atomic_store(&echo.fail_at, 0);
    /* Good as new, for the same place. */
    if (CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_OK, &err)) {
        CHECK_INT(run(pgc_conn_db(conn), "SELECT 1", 0), PGC_OK);
        CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
        pgc_pool_release(pool, conn);
    }
    settle(pool);
    check_books(pool);
    CHECK(pgc_pool_close(pool));
    CHECK_INT(atomic_load(&echo.finished), atomic_load(&echo.connects));
    CHECK_INT(atomic_load(&echo.results), 0);
    return failed;
}

static void fail_everywhere(bool by_loss)
{
    int fail_at = 1;
    while (tap_failures == 0 && live_with_failure(fail_at, by_loss)) {
        fail_at++;
    }
    if (tap_failures > 0) {
        printf("# call %d of libpq failed%s\n", fail_at, by_loss ? ", the connection with it" : "");
    }
    printf("# each of %d calls failed once\n", fail_at - 1);
    CHECK(fail_at > 100);
}

static void a_call_that_fails_loses_no_place(void)
{
    fail_everywhere(false);
}

static void a_connection_that_breaks_loses_no_place(void)
{
    fail_everywhere(true);
}

/* The life above is one that comes through everything; else the loops would prove little. */
static void the_life_has_every_chapter(void)
{
    echo_pq_reset();
    pgc_pool *pool = open_pool();
    REQUIRE(pool != NULL);
    live(pool);
    pgc_pool_stats s = stats_of(pool);
    CHECK(s.ping.count > 0);
    CHECK_INT(s.dirty_release_count, 2);
    CHECK_INT(s.rollback_count, 2);
    CHECK_INT(s.reset_count, 2);
    CHECK_INT(s.keepalive_count, 1);
    CHECK_INT(s.lifetime_close_count, 1);
    CHECK_INT(s.reset_close_count, 1);
    CHECK_INT(s.detach_count, 1);
    CHECK_INT(s.connect_count, 4);
    CHECK_INT(s.connect_failure_count + s.broken_close_count + s.dirty_close_count, 0);
    check_books(pool);
    CHECK(pgc_pool_close(pool));
}

TAP_MAIN(TAP("pool: the life that is broken has every chapter", the_life_has_every_chapter),
         TAP("acceptance 8: a call that fails loses no place", a_call_that_fails_loses_no_place),
         TAP("acceptance 8: a connection that breaks loses no place",
             a_connection_that_breaks_loses_no_place))
