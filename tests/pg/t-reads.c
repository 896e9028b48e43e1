/* Reads that travel together, against a real server. The order in which callers queue up is made by
 * the test: the pool's only connection is lent out meanwhile, so that nothing moves. */
#include "base/prelude.h"

#include <sched.h>

#include <pgc/reads.h>

#include "live.h"
#include "oom.h"
#include "tap.h"

#define NEED_SERVER() REQUIRE(live_url() != NULL);

static const pgc_type_ref P_INT4[] = { { "n", "integer", 23 } };
static const pgc_type_ref C_INT4[] = { { "x", "integer", 23 } };
#define READ(label, text, number)                                                       \
    {                                                                                   \
        .name = (label), .sql = (text), .hash = (number), .flags = PGC_QUERY_READ_ONLY, \
        .param_count = 1, .column_count = 1, .params = P_INT4, .columns = C_INT4,       \
    }
static const pgc_query INVERSE = READ("Inverse", "SELECT 100 / $1 AS x", 0x1ead1);
static const pgc_query SUICIDE =
    READ("Suicide", "SELECT $1 + pg_terminate_backend(pg_backend_pid())::int AS x", 0x1ead2);

/* A pool of one connection, and reads on it in one lane. */
typedef struct bed {
    pgc_pool *pool;
    pgc_reads *reads;
    pgc_conn *lent; /* the connection, while nothing is to move */
} bed;

static bool bed_make_with(bed *b, int64_t acquire_timeout_us, uint32_t batch_max,
                          const pgc_hooks *hooks)
{
    pgc_error err;
    pgc_pool_options options = { .struct_size = sizeof options,
                                 .conn = live_options(),
                                 .max_conns = 1,
                                 .min_conns = 1,
                                 .acquire_timeout_us = acquire_timeout_us };
    const pgc_reads_options one_lane = { .struct_size = sizeof one_lane,
                                         .lanes = 1,
                                         .batch_max = batch_max };
    options.conn.hooks = hooks;
    *b = (bed) { .pool = NULL };
    bool ok = CHECK_STATUS(pgc_pool_open(&options, &b->pool, &err), PGC_OK, &err) &&
              CHECK_STATUS(pgc_reads_open(b->pool, &one_lane, &b->reads, &err), PGC_OK, &err);
    return ok && CHECK_STATUS(pgc_pool_acquire(b->pool, &b->lent, &err), PGC_OK, &err);
}

static bool bed_make(bed *b, int64_t acquire_timeout_us)
{
    return bed_make_with(b, acquire_timeout_us, 0, NULL);
}

static void bed_close(bed *b)
{
    pgc_reads_close(b->reads);
    pgc_pool_close(b->pool);
}

static pgc_reads_stats stats_of(pgc_reads *reads)
{
    pgc_reads_stats stats;
    pgc_reads_get_stats(reads, &stats);
    return stats;
}

/* One call in a thread of its own. */
typedef struct caller {
    pgc_db *db;
    const pgc_query *query;
    int32_t n, x;
    pgc_status status;
    pgc_error err;
    pthread_t thread;
} caller;

static void *call(void *arg)
{
    caller *me = arg;
    pgc_args args;
    pgc_result *result = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, me->n);
    pgc_error_clear(&me->err);
    me->status = pgc_db_run(me->db, me->query, &args, &result, &me->err);
    pgc_args_done(&args);
    if (me->status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, me->query);
        me->x = pgc_read_i32(&reader, 0, 0);
        me->status = pgc_reader_finish(&reader, &me->err);
    }
    pgc_result_free(result);
    return NULL;
}

/* Starts the callers one behind the other in the queue, lets them go, waits for all. The first one
 * leads alone, because nobody waited when it came; the others are one batch. */
static bool run_in_order(bed *b, caller *callers, size_t count)
{
    size_t started = 0;
    for (; started < count; started++) {
        callers[started].db = pgc_reads_db(b->reads);
        if (pthread_create(&callers[started].thread, NULL, call, &callers[started]) != 0) {
            break;
        }
        while (stats_of(b->reads).read_count < (int64_t) started + 1 ||
               stats_of(b->reads).batch_count < 1) {
            (void) sched_yield();
        }
    }
    pgc_pool_release(b->pool, b->lent);
    b->lent = NULL;
    for (size_t i = 0; i < started; i++) {
        (void) pthread_join(callers[i].thread, NULL);
    }
    return CHECK_INT(started, count);
}

static void who_waits_travels_together(void)
{
    NEED_SERVER();
    bed b;
    caller callers[5];
    REQUIRE(bed_make(&b, -1));
    for (int32_t i = 0; i < 5; i++) {
        callers[i] = (caller) { .query = &INVERSE, .n = i + 1 };
    }
    CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
    for (int32_t i = 0; i < 5; i++) {
        CHECK_STATUS(callers[i].status, PGC_OK, &callers[i].err);
        CHECK_INT(callers[i].x, 100 / (i + 1));
    }
    CHECK_INT(stats_of(b.reads).read_count, 5);
    CHECK_INT(stats_of(b.reads).batch_count, 2);
    CHECK_INT(stats_of(b.reads).alone_count, 0);
    bed_close(&b);
}

static void a_failure_concerns_its_own_query(void)
{
    NEED_SERVER();
    bed b;
    caller callers[4] = {
        { .query = &INVERSE, .n = 1 },
        { .query = &INVERSE, .n = 2 },
        { .query = &INVERSE, .n = 0 },
        { .query = &INVERSE, .n = 4 },
    };
    REQUIRE(bed_make(&b, -1));
    CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
    CHECK_INT(callers[0].x, 100);
    CHECK_INT(callers[1].x, 50);
    CHECK_INT(callers[2].status, PGC_INVALID);
    CHECK_STR(callers[2].err.sqlstate, "22012");
    CHECK_STR(callers[2].err.query, "Inverse");
    CHECK_STATUS(callers[3].status, PGC_OK, &callers[3].err);
    CHECK_INT(callers[3].x, 25);
    CHECK(stats_of(b.reads).alone_count >= 1);
    bed_close(&b);
}

static void a_lost_connection_is_the_fault_of_one(void)
{
    NEED_SERVER();
    bed b;
    caller callers[3] = {
        { .query = &INVERSE, .n = 1 },
        { .query = &SUICIDE, .n = 1 },
        { .query = &INVERSE, .n = 4 },
    };
    REQUIRE(bed_make(&b, -1));
    CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
    CHECK_INT(callers[0].x, 100);
    CHECK_INT(callers[1].status, PGC_CONNECTION);
    CHECK_STATUS(callers[2].status, PGC_OK, &callers[2].err);
    CHECK_INT(callers[2].x, 25);
    bed_close(&b);
}

static void a_full_batch_is_followed_by_another(void)
{
    NEED_SERVER();
    bed b;
    caller callers[6];
    REQUIRE(bed_make_with(&b, -1, 2, NULL));
    for (int32_t i = 0; i < 6; i++) {
        callers[i] = (caller) { .query = &INVERSE, .n = i + 1 };
    }
    CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
    for (int32_t i = 0; i < 6; i++) {
        CHECK_STATUS(callers[i].status, PGC_OK, &callers[i].err);
        CHECK_INT(callers[i].x, 100 / (i + 1));
    }
    CHECK_INT(stats_of(b.reads).batch_count, 4); /* 1, 2, 2, 1 */
    bed_close(&b);
}

/* More than there are places to wait in: the others go to the pool as they are. */
static void a_crowd_without_end_is_served(void)
{
    NEED_SERVER();
    bed b;
    caller callers[80];
    REQUIRE(bed_make_with(&b, -1, 1, NULL));
    for (int32_t i = 0; i < 80; i++) {
        callers[i] = (caller) { .query = &INVERSE, .n = i + 1 };
    }
    CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
    for (int32_t i = 0; i < 80; i++) {
        CHECK_STATUS(callers[i].status, PGC_OK, &callers[i].err);
        CHECK_INT(callers[i].x, 100 / (i + 1));
    }
    CHECK_INT(stats_of(b.reads).read_count, 80);
    CHECK(stats_of(b.reads).batch_count < 80);
    bed_close(&b);
}

/* What hooks were told. */
typedef struct told {
    uint32_t batch_size, member_count, failed_count;
    pgc_status end;
} told;

static void note_member(void *arg, const pgc_query_event *event, void *span)
{
    told *t = arg;
    (void) span;
    t->member_count++;
    t->failed_count += event->status != PGC_OK ? 1 : 0;
}

static void note_end(void *arg, const pgc_query_event *event, void *span)
{
    told *t = arg;
    (void) span;
    if (event->batch_size > 0) {
        t->batch_size = event->batch_size;
        t->end = event->status;
    }
}

static void hooks_hear_of_the_batch_and_its_members(void)
{
    NEED_SERVER();
    bed b;
    told t = { .end = PGC_CLOSED };
    const pgc_hooks hooks = { .struct_size = sizeof hooks,
                              .ctx = &t,
                              .on_batch_query = note_member,
                              .on_query_end = note_end };
    caller callers[4] = {
        { .query = &INVERSE, .n = 1 },
        { .query = &INVERSE, .n = 2 },
        { .query = &INVERSE, .n = 4 },
        { .query = &INVERSE, .n = 0 },
    };
    REQUIRE(bed_make_with(&b, -1, 0, &hooks));
    CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
    CHECK_INT(t.batch_size, 3);
    CHECK_INT(t.member_count, 3);
    CHECK(t.failed_count >= 1);
    CHECK_INT(t.end, PGC_OK); /* the trip itself went well */
    bed_close(&b);
}

/* Statements that the server has forgotten meanwhile: everybody gets an answer all the same. */
static void statements_that_are_gone_are_prepared_again(void)
{
    NEED_SERVER();
    bed b;
    caller callers[4];
    pgc_error err;
    REQUIRE(bed_make(&b, -1));
    for (int round = 0; round < 2; round++) {
        for (int32_t i = 0; i < 4; i++) {
            callers[i] = (caller) { .query = &INVERSE, .n = i + 1 };
        }
        CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
        for (int32_t i = 0; i < 4; i++) {
            CHECK_STATUS(callers[i].status, PGC_OK, &callers[i].err);
            CHECK_INT(callers[i].x, 100 / (i + 1));
        }
        REQUIRE_OK(pgc_pool_acquire(b.pool, &b.lent, &err), &err);
        CHECK(live_do(b.lent, "DEALLOCATE ALL"));
    }
    pgc_pool_release(b.pool, b.lent);
    bed_close(&b);
}

static const pgc_query BLOCKED =
    READ("Blocked", "SELECT $1 + length(pg_advisory_xact_lock_shared(4711)::text) AS x", 0x1ead5);

/* By default slow queries get lanes of their own in time, up to eight: then a quick one is not held
 * up behind seven that wait for a lock. */
static void slow_queries_do_not_hold_up_others(void)
{
    NEED_SERVER();
    enum { SLOW = 7 };
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = live_options(),
                                       .max_conns = SLOW + 1 };
    pgc_error err;
    pgc_pool *pool = NULL;
    pgc_reads *reads = NULL;
    caller slow[SLOW];
    AUTO(live_close) pgc_conn *holder = live_open();
    REQUIRE(holder != NULL && live_do(holder, "SELECT pg_advisory_lock(4711)"));
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    REQUIRE_OK(pgc_reads_open(pool, NULL, &reads, &err), &err);
    for (int i = 0; i < SLOW; i++) {
        slow[i] = (caller) { .db = pgc_reads_db(reads), .query = &BLOCKED, .n = i };
        REQUIRE(CHECK_INT(pthread_create(&slow[i].thread, NULL, call, &slow[i]), 0));
        while (stats_of(reads).batch_count < i + 1) {
            (void) sched_yield();
        }
    }
    caller quick = { .db = pgc_reads_db(reads), .query = &INVERSE, .n = 4 };
    (void) call(&quick);
    CHECK_STATUS(quick.status, PGC_OK, &quick.err);
    CHECK_INT(quick.x, 25);
    CHECK(live_do(holder, "SELECT pg_advisory_unlock(4711)"));
    for (int i = 0; i < SLOW; i++) {
        (void) pthread_join(slow[i].thread, NULL);
        CHECK_STATUS(slow[i].status, PGC_OK, &slow[i].err);
        CHECK_INT(slow[i].x, i);
    }
    pgc_reads_close(reads);
    pgc_pool_close(pool);
}

static void wrong_arguments_stay_with_their_query(void)
{
    NEED_SERVER();
    static const pgc_query two = { .name = "Two",
                                   .sql = "SELECT $1 + $2 AS x",
                                   .hash = 0x1ead3,
                                   .flags = PGC_QUERY_READ_ONLY,
                                   .param_count = 2,
                                   .column_count = 1,
                                   .columns = C_INT4 };
    bed b;
    caller callers[3] = {
        { .query = &INVERSE, .n = 1 },
        { .query = &two, .n = 1 }, /* one value only */
        { .query = &INVERSE, .n = 4 },
    };
    REQUIRE(bed_make(&b, -1));
    CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
    CHECK_INT(callers[1].status, PGC_INVALID);
    CHECK_INT(callers[2].x, 25);
    CHECK_INT(stats_of(b.reads).alone_count, 0);
    bed_close(&b);
}

/* Nothing is released here: both batches run into the time limit of acquire. */
static void without_a_connection_all_hear_why(void)
{
    NEED_SERVER();
    bed b;
    caller callers[3];
    REQUIRE(bed_make(&b, 200000));
    pgc_conn *kept = b.lent;
    b.lent = NULL; /* run_in_order() gives nothing back */
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        callers[i] = (caller) { .query = &INVERSE, .n = 1 };
    }
    CHECK(run_in_order(&b, callers, ARRAY_LEN(callers)));
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        CHECK_INT(callers[i].status, PGC_TIMEOUT);
        CHECK(strstr(callers[i].err.message, "acquire") != NULL);
    }
    pgc_pool_release(b.pool, kept);
    bed_close(&b);
}

static void writes_go_to_the_pool(void)
{
    NEED_SERVER();
    static const pgc_query write = { .name = "Write", .sql = "SELECT 1", .hash = 0x1ead4 };
    pgc_error err;
    bed b;
    REQUIRE(bed_make(&b, -1));
    pgc_pool_release(b.pool, b.lent);
    CHECK_STATUS(pgc_db_run(pgc_reads_db(b.reads), &write, NULL, NULL, &err), PGC_OK, &err);
    CHECK_INT(stats_of(b.reads).read_count, 0);
    bed_close(&b);
}

enum { THREADS = 16, CALLS = 200 };

typedef struct storm_thread {
    pgc_db *db;
    int32_t number;
    int wrong;
} storm_thread;

static void *storm(void *arg)
{
    storm_thread *me = arg;
    for (int32_t i = 0; i < CALLS; i++) {
        caller one = { .db = me->db, .query = &INVERSE, .n = 1 + (i * THREADS + me->number) % 100 };
        (void) call(&one);
        me->wrong += one.status == PGC_OK && one.x == 100 / one.n ? 0 : 1;
    }
    return NULL;
}

static void everybody_gets_the_own_answer(void)
{
    NEED_SERVER();
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = live_options(),
                                       .max_conns = 3,
                                       .acquire_timeout_us = -1 };
    pgc_error err;
    pgc_pool *pool = NULL;
    pgc_reads *reads = NULL;
    storm_thread threads[THREADS];
    pthread_t handles[THREADS];
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    REQUIRE_OK(pgc_reads_open(pool, NULL, &reads, &err), &err);
    int started = 0;
    for (; started < THREADS; started++) {
        threads[started] = (storm_thread) { pgc_reads_db(reads), started, 0 };
        if (pthread_create(&handles[started], NULL, storm, &threads[started]) != 0) {
            break;
        }
    }
    CHECK_INT(started, THREADS);
    for (int i = 0; i < started; i++) {
        (void) pthread_join(handles[i], NULL);
        CHECK_INT(threads[i].wrong, 0);
    }
    CHECK_INT(stats_of(reads).read_count, (int64_t) THREADS * CALLS);
    CHECK(stats_of(reads).batch_count < stats_of(reads).read_count);
    pgc_reads_close(reads);
    pgc_pool_close(pool);
}

static void options_are_checked(void)
{
    NEED_SERVER();
    pgc_error err;
    bed b;
    pgc_reads *reads = NULL;
    const pgc_reads_options too_small = { .struct_size = 4 };
    const pgc_reads_options too_many = { .struct_size = sizeof too_many, .batch_max = 1001 };
    REQUIRE(bed_make(&b, -1));
    CHECK_INT(pgc_reads_open(NULL, NULL, &reads, &err), PGC_INVALID);
    CHECK_INT(pgc_reads_open(b.pool, NULL, NULL, &err), PGC_INVALID);
    CHECK_INT(pgc_reads_open(b.pool, &too_small, &reads, &err), PGC_INVALID);
    CHECK_INT(pgc_reads_open(b.pool, &too_many, &reads, &err), PGC_INVALID);
    CHECK(reads == NULL);
    pgc_reads_close(NULL);
    pgc_pool_release(b.pool, b.lent);
    bed_close(&b);
}

static void out_of_memory_is_told(void)
{
    NEED_SERVER();
    oom_plan plan = { .fail_at = 0 };
    const pgc_alloc alloc = oom_alloc(&plan);
    pgc_pool_options options = {
        .struct_size = sizeof options, .conn = live_options(), .max_conns = 1, .min_conns = 1
    };
    pgc_error err;
    pgc_pool *pool = NULL;
    pgc_reads *reads = NULL;
    pgc_conn *conn = NULL;
    options.conn.alloc = &alloc;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err); /* its thread has nothing left to do */
    plan.fail_at = plan.calls + 1;
    CHECK_INT(pgc_reads_open(pool, NULL, &reads, &err), PGC_NOMEM);
    CHECK(reads == NULL);
    pgc_pool_release(pool, conn);
    pgc_pool_close(pool);
    CHECK_INT(plan.live, 0);
}

TAP_MAIN(TAP("reads: who waits travels together", who_waits_travels_together),
         TAP("reads: a failure concerns its own query", a_failure_concerns_its_own_query),
         TAP("reads: a lost connection is the fault of one", a_lost_connection_is_the_fault_of_one),
         TAP("reads: wrong arguments stay with their query", wrong_arguments_stay_with_their_query),
         TAP("reads: a full batch is followed by another", a_full_batch_is_followed_by_another),
         TAP("reads: a crowd without end is served", a_crowd_without_end_is_served),
         TAP("reads: hooks hear of the batch and its members",
             hooks_hear_of_the_batch_and_its_members),
         TAP("reads: statements that are gone are prepared again",
             statements_that_are_gone_are_prepared_again),
         TAP("reads: slow queries do not hold up others", slow_queries_do_not_hold_up_others),
         TAP("reads: without a connection all hear why", without_a_connection_all_hear_why),
         TAP("reads: writes go to the pool", writes_go_to_the_pool),
         TAP("reads: everybody gets the own answer", everybody_gets_the_own_answer),
         TAP("reads: options are checked", options_are_checked),
         TAP("reads: out of memory is told", out_of_memory_is_told))
