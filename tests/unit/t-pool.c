/* The pool on a scripted libpq: back-off while the server is away, failing allocations. One worker,
 * which connects while the test waits for it. */
#include "base/prelude.h"

#include <sched.h>
#include <stdatomic.h>

#include "pgc/pool_state.h"

#include "fake_pq.h"
#include "oom.h"
#include "pool.h"
#include "tap.h"

static const pgc_query QUERY = { .name = "Ping", .sql = "SELECT 1", .hash = 0xabc };

/* A clock that only the test moves; the pool's threads read it. */
static _Atomic int64_t now_us;

static int64_t read_now(void *ctx)
{
    (void) ctx;
    return atomic_load(&now_us);
}

/* The largest number there is: the jitter is then the whole pause. */
static bool no_random(void *ctx, void *bytes, size_t count)
{
    (void) ctx;
    memset(bytes, 0xff, count);
    return true;
}

static void no_sleep(void *ctx, int64_t us)
{
    (void) ctx;
    (void) us;
}

static const clock_ops CLOCK = { NULL, read_now, read_now, no_random, no_sleep };

static pgc_pool *open_on(const pgc_alloc *alloc, pgc_error *err)
{
    const conn_seams seams = { fake_pq_ops(), &CLOCK, -1, NULL };
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .conninfo = "host=here", .user = "me", .alloc = alloc },
        .max_conns = 1,
        .acquire_timeout_us = -1
    };
    pgc_pool *pool = NULL;
    return pool_open_on(&options, &seams, &pool, err) == PGC_OK ? pool : NULL;
}

typedef struct borrower {
    pgc_pool *pool;
    pthread_t thread;
    pgc_status status;
    pgc_error err;
} borrower;

static void *borrow(void *arg)
{
    borrower *me = arg;
    pgc_conn *conn = NULL;
    me->status = pgc_pool_acquire(me->pool, &conn, &me->err);
    pgc_pool_release(me->pool, me->status == PGC_OK ? conn : NULL);
    return NULL;
}

static void wait_for_failures(pgc_pool *pool, int64_t count)
{
    while (stats_of(pool).connect_failure_count < count) {
        (void) sched_yield();
    }
}

static int64_t backoff_us(pgc_pool *pool)
{
    (void) pthread_mutex_lock(&pool->lock);
    int64_t left_us = pool->backoff_until_us - atomic_load(&now_us);
    (void) pthread_mutex_unlock(&pool->lock);
    return left_us;
}

/* Let the workers see the new time. */
static void advance(pgc_pool *pool, int64_t us)
{
    (void) atomic_fetch_add(&now_us, us);
    (void) pthread_mutex_lock(&pool->lock);
    (void) pthread_cond_broadcast(&pool->work);
    pool_wake_waiters(pool, PGC_OK);
    (void) pthread_mutex_unlock(&pool->lock);
}

static void the_pause_between_connects_doubles(void)
{
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    fake.connect_error = "connection refused";
    pgc_error err;
    atomic_store(&now_us, 1000);
    pgc_pool *pool = open_on(NULL, &err);
    REQUIRE(pool != NULL);
    int64_t pause_us = 100000;
    for (int i = 1; i <= 10; i++) {
        wait_for_failures(pool, i);
        CHECK_INT(backoff_us(pool), pause_us);
        CHECK_INT(stats_of(pool).connect_count, i);
        pause_us = pause_us * 2 > 15000000 ? 15000000 : pause_us * 2;
        advance(pool, backoff_us(pool));
    }
    wait_for_failures(pool, 11);
    pgc_pool_close(pool);
}

static void waiters_hear_the_reason_soon(void)
{
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    fake.connect_error = "connection refused by here";
    pgc_error err;
    atomic_store(&now_us, 1000);
    pgc_pool *pool = open_on(NULL, &err);
    REQUIRE(pool != NULL);
    borrower one = { .pool = pool };
    REQUIRE(pthread_create(&one.thread, NULL, borrow, &one) == 0);
    while (stats_of(pool).waiters == 0) {
        (void) sched_yield();
    }
    wait_for_failures(pool, 1);
    advance(pool, POOL_FAIL_FAST_US);
    (void) pthread_join(one.thread, NULL);
    CHECK_STATUS(one.status, PGC_CONNECTION, &one.err);
    CHECK_STR(one.err.message, "acquire: connect: connection refused by here");
    CHECK_INT(stats_of(pool).waiters, 0);
    pgc_pool_close(pool);
}

static void a_server_that_comes_back_serves_the_waiters(void)
{
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    fake.connect_error = "connection refused";
    pgc_error err;
    atomic_store(&now_us, 1000);
    pgc_pool *pool = open_on(NULL, &err);
    REQUIRE(pool != NULL);
    borrower one = { .pool = pool };
    REQUIRE(pthread_create(&one.thread, NULL, borrow, &one) == 0);
    wait_for_failures(pool, 1);
    while (stats_of(pool).waiters == 0) {
        (void) sched_yield();
    }
    fake.connect_error = NULL;
    advance(pool, 100000);
    (void) pthread_join(one.thread, NULL);
    CHECK_STATUS(one.status, PGC_OK, &one.err);
    CHECK_INT(stats_of(pool).connect_count, 2);
    pgc_pool_close(pool);
    CHECK_INT(fake.finished, 2);
}

static void closing_calls_off_a_connect_that_hangs(void)
{
    pgc_error err;
    atomic_store(&now_us, 1000);
    /* A listener that nobody serves would do; a socket that never gets ready is simpler. */
    fake_pq fake;
    fake_pq_init(&fake, NULL, 0);
    fake.connect_stalls = true;
    fake.connect_wakes = true;
    pgc_pool *pool = open_on(NULL, &err);
    REQUIRE(pool != NULL);
    while (stats_of(pool).connecting == 0) {
        (void) sched_yield();
    }
    pgc_pool_close(pool);
    CHECK_INT(fake.finished, 1);
}

/* Open, borrow, run under an identity, close. */
static pgc_status live_through(const pgc_alloc *alloc, fake_pq *fake)
{
    static const fake_answer answers[] = {
        FAKE_DONE("PREPARE"),
        FAKE_END,
        FAKE_DONE("SELECT 1"),
        FAKE_END,
        FAKE_DONE("PREPARE"),
        FAKE_END,
        FAKE_DONE("SELECT 1"),
        FAKE_END,
        FAKE_SYNC,
    };
    fake_pq_init(fake, answers, ARRAY_LEN(answers));
    pgc_error err;
    pgc_pool *pool = open_on(alloc, &err);
    if (pool == NULL) {
        return err.status;
    }
    const pgc_setting setting = { "app.user_id", "7" };
    pgc_scope *scope = NULL;
    pgc_result *result = NULL;
    pgc_status status = pgc_scope_open(pool, &setting, 1, &scope, &err);
    if (status == PGC_OK) {
        status = pgc_db_run(pgc_scope_db(scope), &QUERY, NULL, &result, &err);
    }
    pgc_result_free(result);
    pgc_scope_close(scope);
    pgc_pool_close(pool);
    return status;
}

/* The counting allocator behind a lock: the pool's threads allocate as well. */
static pthread_mutex_t oom_lock = PTHREAD_MUTEX_INITIALIZER;

static void *locked_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void) pthread_mutex_lock(&oom_lock);
    void *made = oom_resize(ctx, ptr, old_size, new_size);
    (void) pthread_mutex_unlock(&oom_lock);
    return made;
}

static void locked_release(void *ctx, void *ptr, size_t size)
{
    (void) pthread_mutex_lock(&oom_lock);
    oom_release(ctx, ptr, size);
    (void) pthread_mutex_unlock(&oom_lock);
}

static void every_allocation_may_fail(void)
{
    bool complete = false;
    atomic_store(&now_us, 1000);
    for (int fail_at = 1; !complete && fail_at < 100; fail_at++) {
        oom_plan plan = { .fail_at = fail_at, .sticky = true };
        const pgc_alloc alloc = { &plan, locked_resize, locked_release };
        fake_pq fake;
        pgc_status status = live_through(&alloc, &fake);
        complete = status == PGC_OK && plan.calls < fail_at;
        CHECK(complete || status != PGC_OK);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
        CHECK_INT(fake.live_results, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("pool: the pause between connects doubles", the_pause_between_connects_doubles),
         TAP("pool: waiters hear the reason soon", waiters_hear_the_reason_soon),
         TAP("pool: a server that comes back serves the waiters",
             a_server_that_comes_back_serves_the_waiters),
         TAP("pool: closing calls off a connect that hangs",
             closing_calls_off_a_connect_that_hangs),
         TAP("pool: every allocation may fail", every_allocation_may_fail))
