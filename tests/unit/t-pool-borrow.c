/* Borrowing from a pool, on a libpq that answers everything and a clock that only the test moves:
 * priorities, limits, detaching, forks, failing preparation, age, and what the pool reports. */
#include "base/prelude.h"

#include <sched.h>
#include <sys/wait.h>

#include <pgc/hooks.h>

#include "pgc/pool_state.h"

#include "echo_pq.h"
#include "pool.h"
#include "tap.h"

static pgc_pool *open_pool(pgc_pool_options options, pgc_error *err)
{
    const conn_seams seams = { echo_pq_ops(), &HAND_CLOCK, -1, NULL };
    pgc_pool *pool = NULL;
    echo_pq_reset();
    atomic_store(&hand_clock_us, 1000);
    options.struct_size = sizeof options;
    options.acquire_timeout_us = options.acquire_timeout_us == 0 ? -1 : options.acquire_timeout_us;
    options.ping_idle_us = INT64_MAX;
    options.conn.conninfo = "host=here";
    return pool_open_on(&options, &seams, &pool, err) == PGC_OK ? pool : NULL;
}

/* Until the counter, which others move, is there. */
#define WAIT_UNTIL(cond)          \
    do {                          \
        while (!(cond)) {         \
            (void) sched_yield(); \
        }                         \
    } while (0)

static bool settled(pgc_pool *pool)
{
    pgc_pool_stats stats = stats_of(pool);
    return stats.quarantined == 0 && stats.closing == 0 && stats.connecting == 0;
}

/* Let everybody see the new time. */
static void advance(pgc_pool *pool, int64_t us)
{
    (void) atomic_fetch_add(&hand_clock_us, us);
    (void) pthread_mutex_lock(&pool->lock);
    (void) pthread_cond_broadcast(&pool->work);
    pool_wake_waiters(pool, PGC_OK);
    (void) pthread_mutex_unlock(&pool->lock);
}

/* Past one pause after a failed connect, or several: a try that began before may still fail. */
static void wait_for_idle(pgc_pool *pool)
{
    while (stats_of(pool).idle == 0) {
        advance(pool, 5000);
        (void) sched_yield();
    }
}

static pgc_conn *take(pgc_pool *pool)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_OK, &err);
    return conn;
}

/* To its size, all idle. */
static bool fill(pgc_pool *pool, uint32_t count)
{
    pgc_conn *held[8] = { NULL };
    for (uint32_t i = 0; i < count; i++) {
        held[i] = take(pool);
    }
    for (uint32_t i = 0; i < count; i++) {
        pgc_pool_release(pool, held[i]);
    }
    return CHECK_INT(stats_of(pool).idle, count);
}

static pgc_status run(pgc_conn *conn, const char *sql)
{
    const pgc_query query = { .name = "Query", .sql = sql, .flags = PGC_QUERY_UNNAMED };
    return pgc_db_run(pgc_conn_db(conn), &query, NULL, NULL, NULL);
}

/* A borrower in a thread of its own, who gives back at once and remembers his place. */
typedef struct borrower {
    pgc_pool *pool;
    pgc_priority priority;
    pthread_t thread;
    atomic_int *served;
    int place;
    pgc_status status;
    pgc_error err;
} borrower;

static void *borrow(void *arg)
{
    borrower *me = arg;
    const pgc_acquire_options options = { .struct_size = sizeof options, .priority = me->priority };
    pgc_conn *conn = NULL;
    me->status = pgc_pool_acquire_with(me->pool, &options, &conn, &me->err);
    if (me->status == PGC_OK) {
        me->place = atomic_fetch_add(me->served, 1);
        pgc_pool_release(me->pool, conn);
    }
    return NULL;
}

/* Borrowers queue up one behind the other while the only connection is out; the letters of who is
 * served, in order, are checked. */
static void check_order(uint32_t share, const char *queue, const char *want)
{
    pgc_error err;
    pgc_pool *pool =
        open_pool((pgc_pool_options) { .max_conns = 1, .interactive_share = share }, &err);
    REQUIRE(pool != NULL);
    borrower all[16];
    char got[17] = "";
    size_t count = strlen(queue);
    atomic_int served = 0;
    pgc_conn *held = take(pool);
    for (size_t i = 0; i < count; i++) {
        all[i] = (borrower) { .pool = pool, .served = &served };
        all[i].priority = queue[i] == 'i' ? PGC_PRIORITY_INTERACTIVE : PGC_PRIORITY_BACKGROUND;
        REQUIRE(pthread_create(&all[i].thread, NULL, borrow, &all[i]) == 0);
        WAIT_UNTIL(stats_of(pool).waiters == i + 1);
    }
    pgc_pool_release(pool, held);
    for (size_t i = 0; i < count; i++) {
        (void) pthread_join(all[i].thread, NULL);
        REQUIRE(CHECK_STATUS(all[i].status, PGC_OK, &all[i].err));
        got[all[i].place] = queue[i];
    }
    CHECK_STR(got, want);
    CHECK_INT(stats_of(pool).waiters, 0);
    CHECK_INT(stats_of(pool).background_waiters, 0);
    CHECK_INT(stats_of(pool).connect_count, 1);
    CHECK(pgc_pool_close(pool));
}

static void two_priorities_share_by_the_ratio(void)
{
    check_order(2, "iiiiiibbb", "iibiibiib");
    check_order(2, "bbbiiiiii", "iibiibiib"); /* whoever came first */
    check_order(4, "iiiiibb", "iiiibib");
    check_order(1, "bbbiii", "ibibib");
}

static void a_queue_alone_is_served_without_pause(void)
{
    check_order(2, "iiiii", "iiiii");
    check_order(2, "bbbb", "bbbb");
    check_order(3, "ibbbb", "ibbbb");
}

static void each_priority_has_its_own_queue_limit(void)
{
    pgc_error err;
    pgc_pool *pool = open_pool((pgc_pool_options) { .max_conns = 1, .max_waiters = 1 }, &err);
    REQUIRE(pool != NULL);
    atomic_int served = 0;
    borrower all[2];
    pgc_conn *held = take(pool);
    for (uint32_t i = 0; i < 2; i++) {
        all[i] = (borrower) { .pool = pool, .served = &served, .priority = (pgc_priority) i };
        REQUIRE(pthread_create(&all[i].thread, NULL, borrow, &all[i]) == 0);
        WAIT_UNTIL(stats_of(pool).waiters == i + 1);
        /* The other queue being empty is of no help. */
        borrower late = { .pool = pool, .served = &served, .priority = (pgc_priority) i };
        (void) borrow(&late);
        CHECK_STATUS(late.status, PGC_LIMIT, &late.err);
        CHECK_STR(late.err.message, "acquire: 1 callers are waiting already");
    }
    CHECK_INT(stats_of(pool).background_waiters, 1);
    CHECK_INT(stats_of(pool).acquire_limit_count, 2);
    pgc_pool_release(pool, held);
    for (int i = 0; i < 2; i++) {
        (void) pthread_join(all[i].thread, NULL);
        CHECK_STATUS(all[i].status, PGC_OK, &all[i].err);
    }
    CHECK(pgc_pool_close(pool));
}

static void trying_does_not_wait(void)
{
    pgc_error err;
    pgc_conn *second = NULL, *third = NULL;
    pgc_pool *pool = open_pool((pgc_pool_options) { .max_conns = 2, .min_conns = 1 }, &err);
    REQUIRE(pool != NULL);
    pgc_conn *first = take(pool);
    WAIT_UNTIL(settled(pool));
    CHECK_INT(stats_of(pool).total, 1);
    CHECK_STATUS(pgc_pool_try_acquire(pool, &second, &err), PGC_LIMIT, &err);
    CHECK_STR(err.message, "acquire: no connection is idle");
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
    CHECK(second == NULL);
    /* It is a wish: one more is made for the next try. */
    WAIT_UNTIL(stats_of(pool).idle == 1);
    CHECK_STATUS(pgc_pool_try_acquire(pool, &second, &err), PGC_OK, &err);
    CHECK(second != NULL && second != first);
    CHECK_STATUS(pgc_pool_try_acquire(pool, &third, &err), PGC_LIMIT, &err);
    CHECK_INT(stats_of(pool).total, 2);
    pgc_pool_release(pool, first);
    pgc_pool_release(pool, second);
    CHECK(pgc_pool_close(pool));
}

static void a_detached_connection_gives_its_place_back(void)
{
    pgc_error err;
    pgc_pool *pool = open_pool((pgc_pool_options) { .max_conns = 1, .name = "photos" }, &err);
    REQUIRE(pool != NULL);
    pgc_conn *mine = take(pool);
    REQUIRE(mine != NULL);
    CHECK_STATUS(run(mine, "BEGIN"), PGC_OK, NULL);
    pgc_pool_detach(pool, mine);
    CHECK_INT(stats_of(pool).acquired, 0);
    CHECK_INT(stats_of(pool).detach_count, 1);
    CHECK_INT(stats_of(pool).hold.count, 1);
    pgc_conn *other = take(pool); /* the only place is free */
    CHECK(other != NULL && other != mine);
    pgc_pool_reset(pool);
    CHECK_INT(pgc_conn_tx_state(mine), PGC_TX_OPEN); /* as it was, and nobody's but the caller's */
    CHECK_STATUS(run(mine, "COMMIT"), PGC_OK, NULL);
    pgc_pool_release(pool, other);
    CHECK(pgc_pool_close(pool));
    CHECK_STATUS(run(mine, "SELECT 1"), PGC_OK, NULL); /* outlives the pool */
    pgc_conn_close(mine);
    CHECK_INT(atomic_load(&echo.finished), atomic_load(&echo.connects));
    pgc_pool_detach(NULL, NULL);
}

/* What the caller does to every new connection, and how it goes wrong. */
typedef struct preparation {
    atomic_int mood, calls; /* mood: 0 good, 1 refuses, 2 fails, 3 forgets to commit */
} preparation;

static pgc_status prepare(void *arg, pgc_conn *conn, pgc_error *err)
{
    preparation *how = arg;
    (void) atomic_fetch_add(&how->calls, 1);
    switch (atomic_load(&how->mood)) {
    case 1:
        return pgc_error_set(err, PGC_UNSUPPORTED, "the server is too old");
    case 2:
        return pgc_error_set(err, PGC_DB, "the table is locked");
    case 3:
        return run(conn, "BEGIN");
    default:
        return run(conn, "SET x = 1");
    }
}

static void a_failing_preparation_is_a_failing_connect(void)
{
    static const struct {
        int mood;
        pgc_status status;
        const char *message;
    } CASES[] = {
        { 1, PGC_UNSUPPORTED, "acquire: prepare the connection: the server is too old" },
        { 3, PGC_INVALID, "acquire: prepare the connection: it was left in a transaction" },
        { 2, PGC_DB, "acquire: prepare the connection: the table is locked" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        pgc_error err;
        preparation how = { .mood = CASES[i].mood };
        pgc_pool *pool = open_pool(
            (pgc_pool_options) { .max_conns = 1, .prepare = prepare, .prepare_arg = &how }, &err);
        REQUIRE(pool != NULL);
        atomic_int served = 0;
        borrower one = { .pool = pool, .served = &served };
        REQUIRE(pthread_create(&one.thread, NULL, borrow, &one) == 0);
        /* What waiting will not change is told at once, the other soon. */
        if (CASES[i].mood == 2) {
            WAIT_UNTIL(stats_of(pool).waiters == 1 && stats_of(pool).connect_failure_count > 0);
            advance(pool, POOL_FAIL_FAST_US);
        }
        (void) pthread_join(one.thread, NULL);
        CHECK_STATUS(one.status, CASES[i].status, &one.err);
        CHECK_STR(one.err.message, CASES[i].message);
        CHECK_INT(one.err.outcome, PGC_OUTCOME_NOT_RUN);
        atomic_store(&how.mood, 0);
        wait_for_idle(pool);
        pgc_pool_release(pool, take(pool));
        CHECK_INT(stats_of(pool).total, 1);
        CHECK_INT(stats_of(pool).reset_count, 0); /* what it did is part of a clean session */
        CHECK(pgc_pool_close(pool));
        CHECK_INT(atomic_load(&how.calls), atomic_load(&echo.connects));
        CHECK_INT(atomic_load(&echo.finished), atomic_load(&echo.connects));
    }
}

/* A cleaned session is prepared again; where that fails it ends. */
static void a_session_is_prepared_again_when_it_was_cleaned(void)
{
    pgc_error err;
    preparation how = { .mood = 0 };
    pgc_pool *pool = open_pool(
        (pgc_pool_options) { .max_conns = 1, .prepare = prepare, .prepare_arg = &how }, &err);
    REQUIRE(pool != NULL);
    for (int mood = 0; mood < 4; mood++) {
        pgc_conn *conn = take(pool);
        REQUIRE(conn != NULL);
        int calls = atomic_load(&how.calls);
        atomic_store(&how.mood, mood);
        pgc_conn_mark_session(conn, PGC_SESSION_SETTINGS);
        pgc_pool_release(pool, conn);
        WAIT_UNTIL(stats_of(pool).reset_count == mood + 1 && stats_of(pool).quarantined == 0);
        atomic_store(&how.mood, 0);
        CHECK(atomic_load(&how.calls) > calls);
        WAIT_UNTIL(stats_of(pool).closing == 0);
        CHECK_INT(stats_of(pool).dirty_close_count, mood);
        wait_for_idle(pool);
    }
    pgc_pool_release(pool, take(pool));
    CHECK(pgc_pool_close(pool));
    CHECK_INT(atomic_load(&echo.finished), atomic_load(&echo.connects));
}

/* In the child: 0 when all is as it should be. */
static int use_in_child(pgc_pool *pool, pgc_conn *held)
{
    static const pgc_query query = { .name = "Query", .sql = "SELECT 1" };
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_pool_holder holder;
    pgc_pool_release(pool, held); /* nothing: the socket is the parent's */
    if (pgc_pool_acquire(pool, &conn, &err) != PGC_INVALID ||
        strcmp(err.message, "acquire: the pool belongs to the parent process") != 0 ||
        strstr(err.hint, "fork()") == NULL) {
        return 1;
    }
    if (pgc_pool_try_acquire(pool, &conn, &err) != PGC_INVALID ||
        pgc_db_run(pgc_pool_db(pool), &query, NULL, NULL, &err) != PGC_INVALID ||
        pgc_pool_set_max(pool, 3, &err) != PGC_INVALID) {
        return 2;
    }
    pgc_pool_reset(pool);
    pgc_pool_detach(pool, held);
    if (pgc_pool_cancel(pool, 1) != 0 || pgc_pool_list_holders(pool, &holder, 1) != 0 ||
        stats_of(pool).total != 0 || !pgc_pool_close(pool)) {
        return 3;
    }
    return conn == NULL ? 0 : 4;
}

static void a_child_is_told_to_open_its_own(void)
{
    pgc_error err;
    pgc_pool *pool = open_pool((pgc_pool_options) { .max_conns = 2, .min_conns = 1 }, &err);
    REQUIRE(pool != NULL);
    pgc_conn *held = take(pool);
    REQUIRE(held != NULL);
    WAIT_UNTIL(settled(pool));
    (void) fflush(stdout);
    /* Threads stop anywhere in a child, even with the pool's lock held. */
    (void) pthread_mutex_lock(&pool->lock);
    pid_t child = fork();
    if (child == 0) {
        _exit(use_in_child(pool, held));
    }
    (void) pthread_mutex_unlock(&pool->lock);
    REQUIRE(child > 0);
    int status = -1;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK(WIFEXITED(status));
    CHECK_INT(WEXITSTATUS(status), 0);
    /* The parent saw nothing of it. */
    CHECK_STATUS(run(held, "SELECT 1"), PGC_OK, NULL);
    pgc_pool_release(pool, held);
    pgc_pool_release(pool, take(pool));
    CHECK_INT(stats_of(pool).generation, 0);
    CHECK_INT(stats_of(pool).connect_count, 1);
    CHECK(pgc_pool_close(pool));
    CHECK_INT(atomic_load(&echo.finished), 1);
}

/* Events as they came. */
typedef struct told {
    pgc_pool_event event;
    char holder[48], pool_name[16], sqlstate[8], host[16];
    int32_t pid;
} told;

typedef struct ear {
    pthread_mutex_t lock;
    told acquires[8], releases[8], leaks[8];
    int acquire_count, release_count, leak_count;
} ear;

static void note(ear *e, told *list, int *count, const pgc_pool_event *event)
{
    (void) pthread_mutex_lock(&e->lock);
    if (*count < 8) {
        told *t = &list[*count];
        t->event = *event;
        (void) snprintf(t->holder, sizeof t->holder, "%s", event->holder);
        (void) snprintf(t->pool_name, sizeof t->pool_name, "%s", event->pool_name);
        (void) snprintf(t->sqlstate, sizeof t->sqlstate, "%s", event->sqlstate);
        t->pid = event->session == NULL ? 0 : event->session->backend_pid;
        (void) snprintf(t->host, sizeof t->host, "%s",
                        event->session == NULL ? "none" : event->session->host);
    }
    (*count)++;
    (void) pthread_mutex_unlock(&e->lock);
}

static void on_acquire(void *ctx, const pgc_pool_event *event)
{
    ear *e = ctx;
    note(e, e->acquires, &e->acquire_count, event);
}

static void on_release(void *ctx, const pgc_pool_event *event)
{
    ear *e = ctx;
    note(e, e->releases, &e->release_count, event);
}

static void on_leak(void *ctx, const pgc_pool_event *event)
{
    ear *e = ctx;
    note(e, e->leaks, &e->leak_count, event);
}

static int leaks_heard(ear *e)
{
    (void) pthread_mutex_lock(&e->lock);
    int count = e->leak_count;
    (void) pthread_mutex_unlock(&e->lock);
    return count;
}

static pgc_conn *take_as(pgc_pool *pool, const char *holder)
{
    const pgc_acquire_options options = { .struct_size = sizeof options, .holder = holder };
    pgc_error err;
    pgc_conn *conn = NULL;
    CHECK_STATUS(pgc_pool_acquire_with(pool, &options, &conn, &err), PGC_OK, &err);
    return conn;
}

static void acquires_and_releases_are_told(void)
{
    pgc_error err;
    ear e = { .lock = PTHREAD_MUTEX_INITIALIZER };
    const pgc_hooks hooks = {
        .struct_size = sizeof hooks, .ctx = &e, .on_acquire = on_acquire, .on_release = on_release
    };
    pgc_pool *pool = open_pool(
        (pgc_pool_options) { .max_conns = 1, .name = "photos", .conn = { .hooks = &hooks } }, &err);
    REQUIRE(pool != NULL);
    WAIT_UNTIL(stats_of(pool).idle == 1);
    pgc_conn *conn = take_as(pool, "report");
    REQUIRE(conn != NULL);
    pgc_conn *none = NULL;
    CHECK_STATUS(pgc_pool_try_acquire(pool, &none, NULL), PGC_LIMIT, NULL);
    atomic_fetch_add(&hand_clock_us, 250);
    pgc_pool_release(pool, conn);
    conn = take_as(pool, "other");
    REQUIRE(conn != NULL);
    conn->lost = true;
    pgc_pool_release(pool, conn);
    CHECK_INT(e.acquire_count, 3);
    CHECK_INT(e.acquires[0].event.status, PGC_OK);
    CHECK_STR(e.acquires[0].holder, "report");
    CHECK_STR(e.acquires[0].pool_name, "photos");
    CHECK_STR(e.acquires[0].host, "made-up");
    CHECK_INT(e.acquires[0].pid, 1000);
    CHECK_INT(e.acquires[0].event.wait_us, 0);
    CHECK_INT(e.acquires[1].event.status, PGC_LIMIT);
    CHECK_STR(e.acquires[1].host, "none"); /* there is no session to tell of */
    CHECK_STR(e.acquires[2].holder, "other");
    CHECK_INT(e.release_count, 2);
    CHECK_STR(e.releases[0].holder, "report");
    CHECK_INT(e.releases[0].event.held_us, 250);
    CHECK(!e.releases[0].event.closed);
    CHECK_STR(e.releases[1].holder, "other");
    CHECK(e.releases[1].event.closed);
    CHECK(pgc_pool_close(pool));
}

static void an_overdue_borrower_is_told_once(void)
{
    pgc_error err;
    ear e = { .lock = PTHREAD_MUTEX_INITIALIZER };
    const pgc_hooks hooks = { .struct_size = sizeof hooks, .ctx = &e, .on_leak = on_leak };
    pgc_pool *pool = open_pool(
        (pgc_pool_options) {
            .max_conns = 2, .name = "photos", .leak_after_us = 5000, .conn = { .hooks = &hooks } },
        &err);
    REQUIRE(pool != NULL);
    REQUIRE(fill(pool, 2));
    pgc_conn *late = take_as(pool, "a report with a name that is longer than anybody would read");
    REQUIRE(late != NULL);
    atomic_fetch_add(&hand_clock_us, 4999);
    pool_maintain(pool);
    CHECK_INT(leaks_heard(&e), 0);
    pgc_conn *soon = take_as(pool, "soon");
    REQUIRE(soon != NULL);
    atomic_fetch_add(&hand_clock_us, 1);
    for (int i = 0; i < 3; i++) {
        pool_maintain(pool);
    }
    WAIT_UNTIL(leaks_heard(&e) > 0); /* perhaps by a thread of the pool */
    CHECK_INT(leaks_heard(&e), 1);
    CHECK_INT(stats_of(pool).leak_count, 1);
    CHECK_STR(e.leaks[0].holder, "a report with a name that is longer than anybod");
    CHECK_STR(e.leaks[0].pool_name, "photos");
    CHECK_INT(e.leaks[0].event.held_us, 5000);
    CHECK_INT(e.leaks[0].event.thread_id, pool_thread_id());
    CHECK_INT(e.leaks[0].pid, pgc_conn_backend_pid(late));
    pgc_pool_release(pool, late);
    /* The next borrower of the same connection starts anew. */
    late = take_as(pool, "next");
    REQUIRE(late != NULL);
    pool_maintain(pool);
    CHECK_INT(leaks_heard(&e), 1);
    atomic_fetch_add(&hand_clock_us, 5000);
    pool_maintain(pool);
    WAIT_UNTIL(leaks_heard(&e) > 2);
    CHECK_INT(stats_of(pool).leak_count, 3);
    pgc_pool_release(pool, soon);
    pgc_pool_release(pool, late);
    CHECK(pgc_pool_close(pool));
    CHECK_INT(e.leak_count, 3);
}

/* The pool does not wait for ever, and says for whom it did not. */
static void closing_names_who_did_not_come_back(void)
{
    const conn_seams seams = { echo_pq_ops(), clock_os(), -1, NULL };
    pgc_error err;
    ear e = { .lock = PTHREAD_MUTEX_INITIALIZER };
    const pgc_hooks hooks = { .struct_size = sizeof hooks, .ctx = &e, .on_leak = on_leak };
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .hooks = &hooks, .cancel_grace_us = 1 },
        .max_conns = 1,
        .leak_after_us = -1, /* no watch: the close tells all the same */
        .close_timeout_us = 1,
    };
    pgc_pool *pool = NULL;
    echo_pq_reset();
    REQUIRE_OK(pool_open_on(&options, &seams, &pool, &err), &err);
    pgc_conn *conn = take_as(pool, "forgetful");
    REQUIRE(conn != NULL);
    CHECK(!pgc_pool_close(pool));
    CHECK_INT(e.leak_count, 1);
    CHECK_STR(e.leaks[0].holder, "forgetful");
    CHECK_INT(e.leaks[0].event.thread_id, 0); /* not asked for without the watch */
    CHECK_INT(atomic_load(&echo.finished), 0);
    pgc_pool_release(pool, conn); /* frees the pool: the sanitizers see it if not */
    CHECK_INT(atomic_load(&echo.finished), 1);
}

static void holders_are_listed(void)
{
    pgc_error err;
    pgc_pool *pool =
        open_pool((pgc_pool_options) { .max_conns = 3, .leak_after_us = 60000000 }, &err);
    REQUIRE(pool != NULL);
    REQUIRE(fill(pool, 3));
    pgc_pool_holder list[3];
    CHECK_INT(pgc_pool_list_holders(pool, list, 3), 0);
    pgc_conn *a = take_as(pool, "a");
    atomic_fetch_add(&hand_clock_us, 70);
    pgc_conn *b = take_as(pool, NULL);
    atomic_fetch_add(&hand_clock_us, 30);
    REQUIRE(a != NULL && b != NULL);
    CHECK_INT(pgc_pool_list_holders(pool, NULL, 0), 2);
    CHECK_INT(pgc_pool_list_holders(pool, list, 1), 2); /* what did not fit is counted */
    CHECK_INT(pgc_pool_list_holders(pool, list, 3), 2);
    const pgc_pool_holder *first = strcmp(list[0].holder, "a") == 0 ? &list[0] : &list[1];
    const pgc_pool_holder *second = first == &list[0] ? &list[1] : &list[0];
    CHECK_STR(first->holder, "a");
    CHECK_INT(first->held_us, 100);
    CHECK_INT(first->thread_id, pool_thread_id());
    CHECK_INT(first->backend_pid, pgc_conn_backend_pid(a));
    CHECK_STR(second->holder, "");
    CHECK_INT(second->held_us, 30);
    CHECK_INT(second->backend_pid, pgc_conn_backend_pid(b));
    pgc_pool_release(pool, a);
    CHECK_INT(pgc_pool_list_holders(pool, list, 3), 1);
    pgc_pool_release(pool, b);
    CHECK(pgc_pool_close(pool));
}

#define LIFETIME_US INT64_C(1000000000)

static pgc_pool *open_ageing(uint32_t max_conns, pgc_error *err)
{
    return open_pool((pgc_pool_options) { .max_conns = max_conns,
                                          .min_conns = 1,
                                          .lifetime_us = LIFETIME_US,
                                          .lifetime_jitter_us = 1,
                                          .idle_us = INT64_MAX,
                                          .retire_per_second = 1 },
                     err);
}

static bool lives(pgc_pool *pool, int64_t closed, uint32_t idle)
{
    pgc_pool_stats stats = stats_of(pool);
    return stats.lifetime_close_count == closed && stats.idle == idle && settled(pool);
}

/* Connections that were made together come of age together, and must not all end then. */
static void old_connections_end_one_by_one_at_the_cap(void)
{
    enum { COUNT = 4 };
    pgc_error err;
    pgc_pool *pool = open_ageing(COUNT, &err);
    REQUIRE(pool != NULL);
    REQUIRE(fill(pool, COUNT));
    advance(pool, LIFETIME_US + 1);
    for (int i = 0; i < 3; i++) {
        pool_maintain(pool);
    }
    WAIT_UNTIL(lives(pool, 1, COUNT - 1));
    /* Borrowers do not make it faster. */
    pgc_pool_release(pool, take(pool));
    pgc_conn *held[2] = { take(pool), take(pool) };
    pgc_pool_release(pool, held[0]);
    pgc_pool_release(pool, held[1]);
    CHECK(lives(pool, 1, COUNT - 1));
    /* There is room now: from here on the successor comes first. */
    for (int second = 2; second <= COUNT; second++) {
        advance(pool, 1000000);
        for (int i = 0; i < 3; i++) {
            pool_maintain(pool);
        }
        WAIT_UNTIL(lives(pool, second, COUNT - 1));
    }
    CHECK_INT(stats_of(pool).connect_count, COUNT + COUNT - 1);
    advance(pool, 1000000);
    pool_maintain(pool);
    CHECK(lives(pool, COUNT, COUNT - 1)); /* all are young */
    CHECK(pgc_pool_close(pool));
}

static int32_t lent_pid(pgc_pool *pool)
{
    pgc_conn *conn = take(pool);
    int32_t pid = conn == NULL ? -1 : pgc_conn_backend_pid(conn);
    pgc_pool_release(pool, conn);
    return pid;
}

static void an_old_connection_stays_until_its_successor_is_there(void)
{
    pgc_error err;
    pgc_pool *pool = open_ageing(2, &err);
    REQUIRE(pool != NULL);
    REQUIRE(fill(pool, 1));
    int32_t pid = lent_pid(pool);
    atomic_store(&echo.stall, true);
    advance(pool, LIFETIME_US + 1);
    pool_maintain(pool);
    WAIT_UNTIL(stats_of(pool).connecting == 1);
    /* It is lent and comes back, looked at again and again. */
    for (int i = 0; i < 3; i++) {
        CHECK_INT(lent_pid(pool), pid);
        advance(pool, 2000000);
        pool_maintain(pool);
    }
    CHECK_INT(stats_of(pool).lifetime_close_count, 0);
    pgc_conn *held = take(pool); /* out when the successor comes: goes when it is back */
    REQUIRE(held != NULL);
    CHECK_INT(pgc_conn_backend_pid(held), pid);
    atomic_store(&echo.stall, false);
    WAIT_UNTIL(stats_of(pool).idle == 1);
    CHECK_INT(stats_of(pool).total, 2);
    pgc_pool_release(pool, held);
    CHECK(lives(pool, 1, 1));
    CHECK(lent_pid(pool) != pid);
    CHECK(pgc_pool_close(pool));
}

/* A server that takes nobody new is no reason to give up what works. */
static void an_old_connection_outlives_failing_connects(void)
{
    pgc_error err;
    pgc_pool *pool = open_ageing(2, &err);
    REQUIRE(pool != NULL);
    REQUIRE(fill(pool, 1));
    int32_t pid = lent_pid(pool);
    atomic_store(&echo.refuse, true);
    advance(pool, LIFETIME_US + 1);
    for (int i = 1; i <= 5; i++) {
        pool_maintain(pool);
        WAIT_UNTIL(stats_of(pool).connect_failure_count >= i);
        CHECK_INT(lent_pid(pool), pid);
        advance(pool, 15000000);
    }
    CHECK_INT(stats_of(pool).lifetime_close_count, 0);
    atomic_store(&echo.refuse, false);
    while (!lives(pool, 1, 1)) {
        advance(pool, 5000);
        (void) sched_yield();
    }
    CHECK(lent_pid(pool) != pid);
    /* Lost before its successor came: nobody is waited for any more. */
    atomic_store(&echo.stall, true);
    advance(pool, LIFETIME_US + 1);
    pool_maintain(pool);
    pgc_conn *conn = take(pool);
    REQUIRE(conn != NULL);
    conn->lost = true;
    pgc_pool_release(pool, conn);
    CHECK_INT(pool->replacing, 0);
    atomic_store(&echo.stall, false);
    CHECK(lent_pid(pool) != pid);
    WAIT_UNTIL(settled(pool));
    CHECK_INT(stats_of(pool).idle, stats_of(pool).total);
    CHECK(pgc_pool_close(pool));
    CHECK_INT(atomic_load(&echo.finished), atomic_load(&echo.connects));
}

TAP_MAIN(TAP("pool: two priorities share by the ratio", two_priorities_share_by_the_ratio),
         TAP("pool: a queue alone is served without pause", a_queue_alone_is_served_without_pause),
         TAP("pool: each priority has its own queue limit", each_priority_has_its_own_queue_limit),
         TAP("pool: trying does not wait", trying_does_not_wait),
         TAP("pool: a detached connection gives its place back",
             a_detached_connection_gives_its_place_back),
         TAP("pool: a failing preparation is a failing connect",
             a_failing_preparation_is_a_failing_connect),
         TAP("pool: a session is prepared again when it was cleaned",
             a_session_is_prepared_again_when_it_was_cleaned),
         TAP("pool: a child is told to open its own", a_child_is_told_to_open_its_own),
         TAP("pool: acquires and releases are told", acquires_and_releases_are_told),
         TAP("pool: an overdue borrower is told once", an_overdue_borrower_is_told_once),
         TAP("pool: closing names who did not come back", closing_names_who_did_not_come_back),
         TAP("pool: holders are listed", holders_are_listed),
         TAP("pool: old connections end one by one at the cap",
             old_connections_end_one_by_one_at_the_cap),
         TAP("pool: an old connection stays until its successor is there",
             an_old_connection_stays_until_its_successor_is_there),
         TAP("pool: an old connection outlives failing connects",
             an_old_connection_outlives_failing_connects))
