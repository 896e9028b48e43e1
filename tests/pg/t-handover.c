/* Waiting for a connection: whose turn it is, and what becomes of a hand-over that meets the end of
 * somebody's patience. The order of arrival is made by the test, by the counters of the pool. */
#include "base/prelude.h"

#include <sched.h>
#include <stdatomic.h>

#include "pgc/pool_state.h"

#include "live.h"
#include "pool.h"
#include "random.h"
#include "tap.h"

enum { QUEUE = 12, CROWD = 24, CROWD_TURNS = 300, CROWD_CONNS = 2 };

static pgc_pool *open_pool(uint32_t conns, pgc_error *err)
{
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = live_options(),
                                       .max_conns = conns,
                                       .min_conns = conns };
    pgc_pool *pool = NULL;
    CHECK_STATUS(pgc_pool_open(&options, &pool, err), PGC_OK, err);
    return pool;
}

/* Borrowers behind one connection, which the test holds until all of them wait. */
typedef struct line {
    pgc_pool *pool;
    pgc_conn *held;
    int served[QUEUE]; /* numbers in the order of service; written by who has the connection */
    int count;
} line;

typedef struct place {
    line *of;
    int number;
    pgc_priority priority;
    pgc_status status;
    pgc_error err;
    pthread_t thread;
} place;

static void *stand(void *arg)
{
    place *me = arg;
    pgc_conn *conn = NULL;
    const pgc_acquire_options options = { .struct_size = sizeof options,
                                          .priority = me->priority,
                                          .timeout_us = -1,
                                          .ticket = (uint64_t) me->number + 1 };
    me->status = pgc_pool_acquire_with(me->of->pool, &options, &conn, &me->err);
    if (me->status == PGC_OK) {
        me->of->served[me->of->count++] = me->number;
        pgc_pool_release(me->of->pool, conn);
    }
    return NULL;
}

/* False when a thread could not be had; those before it wait. */
static bool line_up(line *l, place *places)
{
    for (int i = 0; i < QUEUE; i++) {
        places[i] = (place) { .of = l, .number = i };
        if (!CHECK_INT(pthread_create(&places[i].thread, NULL, stand, &places[i]), 0)) {
            return false;
        }
        while (stats_of(l->pool).waiters < (uint32_t) i + 1) {
            (void) sched_yield();
        }
    }
    return true;
}

static void let_go(line *l, place *places)
{
    pgc_pool_release(l->pool, TAKE(l->held));
    for (int i = 0; i < QUEUE; i++) {
        (void) pthread_join(places[i].thread, NULL);
    }
}

static bool line_open(line *l)
{
    pgc_error err;
    *l = (line) { .pool = open_pool(1, &err) };
    return l->pool != NULL && CHECK_STATUS(pgc_pool_acquire(l->pool, &l->held, &err), PGC_OK, &err);
}

static void who_came_first_is_served_first(void)
{
    NEED_SERVER();
    line l;
    place places[QUEUE];
    REQUIRE(line_open(&l));
    int64_t before = stats_of(l.pool).acquire_wait_count; /* the test's own may have waited */
    REQUIRE(line_up(&l, places));
    let_go(&l, places);
    CHECK_INT(l.count, QUEUE);
    for (int i = 0; i < QUEUE; i++) {
        CHECK_STATUS(places[i].status, PGC_OK, &places[i].err);
        CHECK_INT(l.served[i], i);
    }
    pgc_pool_stats stats = stats_of(l.pool);
    CHECK_INT(stats.acquire_count, QUEUE + 1);
    CHECK_INT(stats.acquire_wait_count - before, QUEUE);
    CHECK_INT(stats.acquired, 0);
    CHECK_INT(stats.idle, 1);
    pgc_pool_close(l.pool);
}

/* Waiters look again at how long waiting makes sense, and sleep again where they stood. */
static void a_nudge_costs_nobody_the_place(void)
{
    NEED_SERVER();
    line l;
    place places[QUEUE];
    REQUIRE(line_open(&l));
    REQUIRE(line_up(&l, places));
    for (int i = 0; i < 50; i++) {
        (void) pthread_mutex_lock(&l.pool->lock);
        pool_wake_waiters(l.pool, PGC_OK);
        (void) pthread_mutex_unlock(&l.pool->lock);
        (void) sched_yield();
    }
    CHECK_INT(stats_of(l.pool).waiters, QUEUE);
    let_go(&l, places);
    CHECK_INT(l.count, QUEUE);
    for (int i = 0; i < QUEUE; i++) {
        CHECK_INT(l.served[i], i);
    }
    pgc_pool_close(l.pool);
}

static void one_who_is_sent_away_leaves_the_others_in_order(void)
{
    NEED_SERVER();
    line l;
    place places[QUEUE];
    REQUIRE(line_open(&l));
    REQUIRE(line_up(&l, places));
    for (int i = 1; i < QUEUE; i += 2) {
        CHECK_INT(pgc_pool_cancel(l.pool, (uint64_t) i + 1), 1);
        CHECK_INT(pgc_pool_cancel(l.pool, (uint64_t) i + 1), 0);
    }
    let_go(&l, places);
    CHECK_INT(l.count, QUEUE / 2);
    for (int i = 0; i < QUEUE; i++) {
        CHECK_INT(places[i].status, i % 2 == 0 ? PGC_OK : PGC_CANCELLED);
    }
    for (int i = 0; i < l.count; i++) {
        CHECK_INT(l.served[i], 2 * i);
    }
    CHECK_INT(stats_of(l.pool).acquire_cancel_count, QUEUE / 2);
    pgc_pool_close(l.pool);
}

static void a_closed_pool_sends_all_away(void)
{
    NEED_SERVER();
    line l;
    place places[QUEUE];
    REQUIRE(line_open(&l));
    REQUIRE(line_up(&l, places));
    (void) pthread_mutex_lock(&l.pool->lock);
    pool_wake_waiters(l.pool, PGC_CLOSED);
    (void) pthread_mutex_unlock(&l.pool->lock);
    let_go(&l, places);
    CHECK_INT(l.count, 0);
    for (int i = 0; i < QUEUE; i++) {
        CHECK_INT(places[i].status, PGC_CLOSED);
    }
    CHECK_INT(stats_of(l.pool).waiters, 0);
    pgc_pool_close(l.pool);
}

/* Many more threads than connections, with hardly any patience. */
typedef struct crowd {
    pgc_pool *pool;
    _Atomic(pgc_conn *) conns[CROWD_CONNS];
    _Atomic int users[CROWD_CONNS];
    _Atomic int64_t served, late, wrong;
} crowd;

typedef struct crowd_member {
    crowd *of;
    uint64_t seed;
    pthread_t thread;
} crowd_member;

/* Its place in the table; the first one to see a connection enters it. */
static size_t number_of(crowd *c, pgc_conn *conn)
{
    for (size_t i = 0; i < CROWD_CONNS; i++) {
        pgc_conn *none = NULL;
        if (atomic_compare_exchange_strong(&c->conns[i], &none, conn) || none == conn) {
            return i;
        }
    }
    return CROWD_CONNS;
}

static void use(crowd *c, pgc_conn *conn)
{
    size_t at = number_of(c, conn);
    if (at == CROWD_CONNS) {
        c->wrong++; /* more connections than the pool may have */
        return;
    }
    c->wrong += atomic_fetch_add(&c->users[at], 1) != 0 ? 1 : 0;
    (void) sched_yield();
    c->wrong += atomic_fetch_sub(&c->users[at], 1) != 1 ? 1 : 0;
}

static void *push(void *arg)
{
    crowd_member *me = arg;
    crowd *c = me->of;
    for (int i = 0; i < CROWD_TURNS; i++) {
        pgc_conn *conn = NULL;
        const pgc_acquire_options options = { .struct_size = sizeof options,
                                              .priority = random_below(&me->seed, 2) == 0
                                                              ? PGC_PRIORITY_INTERACTIVE
                                                              : PGC_PRIORITY_BACKGROUND,
                                              .timeout_us =
                                                  1 + (int64_t) random_below(&me->seed, 400) };
        pgc_status status = pgc_pool_acquire_with(c->pool, &options, &conn, NULL);
        if (status == PGC_OK) {
            use(c, conn);
            c->served++;
            pgc_pool_release(c->pool, conn);
        } else {
            c->late++;
            c->wrong += status != PGC_TIMEOUT || conn != NULL ? 1 : 0;
        }
    }
    return NULL;
}

/* Two threads never have the same connection, and none is forgotten on its way to a thread that
 * has just gone. */
static void a_hand_over_and_the_end_of_patience_agree(void)
{
    NEED_SERVER();
    pgc_error err;
    static crowd c;
    static crowd_member members[CROWD];
    c.pool = open_pool(CROWD_CONNS, &err);
    REQUIRE(c.pool != NULL);
    const uint64_t seed = (uint64_t) clock_os()->mono_us(NULL);
    printf("# seed %llu\n", (unsigned long long) seed);
    size_t started = 0;
    for (; started < CROWD; started++) {
        members[started] = (crowd_member) { .of = &c, .seed = seed + started };
        if (pthread_create(&members[started].thread, NULL, push, &members[started]) != 0) {
            break;
        }
    }
    for (size_t i = 0; i < started; i++) {
        (void) pthread_join(members[i].thread, NULL);
    }
    CHECK_INT(started, CROWD);
    CHECK_INT(c.wrong, 0);
    CHECK_INT(c.served + c.late, CROWD * CROWD_TURNS);
    pgc_pool_stats stats = stats_of(c.pool);
    CHECK_INT(stats.acquire_count, c.served);
    CHECK_INT(stats.acquire_timeout_count, c.late);
    CHECK_INT(stats.acquired, 0);
    CHECK_INT(stats.waiters, 0);
    CHECK_INT(stats.background_waiters, 0);
    CHECK_INT(stats.idle, stats.total);
    pgc_pool_close(c.pool);
}

TAP_MAIN(TAP("hand-over: who came first is served first", who_came_first_is_served_first),
         TAP("hand-over: a nudge costs nobody the place", a_nudge_costs_nobody_the_place),
         TAP("hand-over: one who is sent away leaves the others in order",
             one_who_is_sent_away_leaves_the_others_in_order),
         TAP("hand-over: a closed pool sends all away", a_closed_pool_sends_all_away),
         TAP("hand-over: it and the end of patience agree",
             a_hand_over_and_the_end_of_patience_agree))
