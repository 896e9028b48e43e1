/* The acceptance rows of the runtime's design, on a scripted libpq, as far as no other test has
 * them: each case begins with its row. */
#include "base/prelude.h"

#include <sched.h>

#include <pgc/pipeline.h>
#include <pgc/tx.h>

#include "pgc/call.h"
#include "pgc/pool_state.h"

#include "fake_pq.h"
#include "pool.h"
#include "tap.h"

static const pgc_query QUERY = { .name = "GetX", .sql = "SELECT x FROM t", .hash = 0xabc };
static const pgc_query OTHER = { .name = "GetY", .sql = "SELECT y FROM t", .hash = 0xdef };

static pgc_conn *open_on(fake_pq *fake, bool unnamed, pgc_error *err)
{
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .unnamed_statements = unnamed };
    const conn_seams seams = fake_pq_seams(fake);
    pgc_conn *conn = NULL;
    fake_pq_init(fake, NULL, 0);
    return conn_open_on(&options, &seams, &conn, err) == PGC_OK ? conn : NULL;
}

static pgc_pool *pool_on(fake_pq *fake, uint32_t max_conns, pgc_error *err)
{
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .max_conns = max_conns,
                                       .min_conns = 1, /* the fake connects one at a time */
                                       .acquire_timeout_us = -1 };
    const conn_seams seams = { fake_pq_ops(), clock_os(), -1, NULL };
    pgc_pool *pool = NULL;
    fake_pq_init(fake, NULL, 0);
    return pool_open_on(&options, &seams, &pool, err) == PGC_OK ? pool : NULL;
}

static pgc_status run(pgc_conn *conn, const pgc_query *query, pgc_error *err)
{
    return pgc_db_run(pgc_conn_db(conn), query, NULL, NULL, err);
}

#define ROWS(n)                                                 \
    {                                                           \
        .status = PGRES_TUPLES_OK, .tag = "SELECT", .rows = (n) \
    }
#define STALE                                                                  \
    {                                                                          \
        .status = PGRES_FATAL_ERROR, .sqlstate = "0A000", .severity = "ERROR", \
        .routine = "RevalidateCachedQuery", .message = "made up"               \
    }

/* Twice outdated in a row is no accident: the second error is the caller's to see. */
static void stale_twice_is_an_error(void)
{
    static const fake_answer answers[] = {
        FAKE_DONE("PREPARE"),
        FAKE_END,
        ROWS(1),
        FAKE_END,
        FAKE_SYNC,
        STALE,
        FAKE_END,
        FAKE_DONE("DEALLOCATE ALL"),
        FAKE_END,
        FAKE_SYNC,
        FAKE_DONE("PREPARE"),
        FAKE_END,
        STALE,
        FAKE_END,
        FAKE_SYNC,
    };
    fake_pq fake;
    pgc_error err;
    pgc_conn *conn = open_on(&fake, false, &err);
    REQUIRE(conn != NULL);
    fake_pq_script(&fake, answers, ARRAY_LEN(answers));
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "0A000");
    CHECK(err.retry);
    CHECK_INT(fake.at, fake.count);
    CHECK(pgc_conn_alive(conn));
    pgc_conn_close(conn);
}

/* The transaction is gone, so only the caller can run it again, and hears that it may. */
static void stale_in_a_transaction_is_not_repeated(void)
{
    static const fake_answer answers[] = {
        FAKE_DONE("PREPARE"),
        FAKE_END,
        ROWS(1),
        FAKE_END,
        FAKE_SYNC,
        { .status = PGRES_COMMAND_OK, .tag = "BEGIN", .tx_after = 1 + PQTRANS_INTRANS },
        FAKE_END,
        FAKE_SYNC,
        { .status = PGRES_FATAL_ERROR,
          .sqlstate = "0A000",
          .severity = "ERROR",
          .routine = "RevalidateCachedQuery",
          .message = "made up",
          .tx_after = 1 + PQTRANS_INERROR },
        FAKE_END, /* alone: no sync */
        { .status = PGRES_COMMAND_OK, .tag = "ROLLBACK", .tx_after = 1 + PQTRANS_IDLE },
        FAKE_END,
        FAKE_SYNC, /* not alone: DEALLOCATE is due */
    };
    fake_pq fake;
    pgc_error err;
    pgc_tx *tx = NULL;
    pgc_conn *conn = open_on(&fake, false, &err);
    REQUIRE(conn != NULL);
    fake_pq_script(&fake, answers, ARRAY_LEN(answers));
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    CHECK_STATUS(pgc_db_run(pgc_tx_db(tx), &QUERY, NULL, NULL, &err), PGC_CONFLICT, &err);
    CHECK(err.retry);
    pgc_tx_rollback(tx);
    CHECK_INT(fake.at, fake.count);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
    pgc_conn_close(conn);
}

/* Behind a pooler the next message may reach another backend, which knows no statement of ours. */
static void unnamed_mode_names_nothing(void)
{
    static const fake_answer answers[] = {
        ROWS(1), FAKE_END, ROWS(1), FAKE_END, ROWS(1), FAKE_END,
    };
    fake_pq fake;
    pgc_error err;
    pgc_conn *conn = open_on(&fake, true, &err);
    REQUIRE(conn != NULL);
    fake_pq_script(&fake, answers, ARRAY_LEN(answers));
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    CHECK_STATUS(run(conn, &OTHER, &err), PGC_OK, &err);
    CHECK_STATUS(run(conn, &QUERY, &err), PGC_OK, &err);
    CHECK_STR(fake.log, "text SELECT x FROM t\ntext SELECT y FROM t\ntext SELECT x FROM t\n");
    pgc_conn_close(conn);
}

/* What the server refuses inside a pipeline, VACUUM for one, fails its own group only. */
static void a_refused_command_stays_with_its_group(void)
{
    static const pgc_query vacuum = { .name = "Vacuum",
                                      .sql = "VACUUM",
                                      .flags = PGC_QUERY_UNNAMED };
    static const fake_answer answers[] = {
        FAKE_DONE("PREPARE"),
        FAKE_END,
        ROWS(1),
        FAKE_END,
        FAKE_SYNC,
        FAKE_ERROR("25001"),
        FAKE_END,
        FAKE_SYNC,
        ROWS(1),
        FAKE_END,
        FAKE_SYNC,
    };
    const pgc_query *const queries[] = { &QUERY, &vacuum, &QUERY };
    fake_pq fake;
    pgc_error err;
    pgc_pipeline *batch = NULL;
    pgc_conn *conn = open_on(&fake, false, &err);
    REQUIRE(conn != NULL);
    fake_pq_script(&fake, answers, ARRAY_LEN(answers));
    REQUIRE_OK(pgc_pipeline_open(conn, PGC_PIPELINE_ISOLATED, &batch, &err), &err);
    for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
        CHECK_STATUS(pgc_pipeline_add(batch, queries[i], NULL, NULL, &err), PGC_OK, &err);
    }
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_DB, &err);
    CHECK_STR(err.query, "Vacuum");
    CHECK_STATUS(pgc_pipeline_take(batch, 0, NULL, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_pipeline_take(batch, 1, NULL, &err), PGC_DB, &err);
    CHECK_STATUS(pgc_pipeline_take(batch, 2, NULL, &err), PGC_OK, &err);
    pgc_pipeline_close(batch);
    CHECK(pgc_conn_alive(conn));
    pgc_conn_close(conn);
}

/* An error in front of it in one group: the query was not run, and says so. */
static void behind_an_error_nothing_was_run(void)
{
    static const fake_answer answers[] = {
        FAKE_DONE("PREPARE"), FAKE_END, FAKE_ERROR("23505"), FAKE_END, FAKE_ABORTED, FAKE_END,
        FAKE_ABORTED,         FAKE_END, FAKE_SYNC,
    };
    fake_pq fake;
    pgc_error err;
    pgc_pipeline *batch = NULL;
    pgc_conn *conn = open_on(&fake, false, &err);
    REQUIRE(conn != NULL);
    fake_pq_script(&fake, answers, ARRAY_LEN(answers));
    REQUIRE_OK(pgc_pipeline_open(conn, PGC_PIPELINE_ATOMIC, &batch, &err), &err);
    CHECK_STATUS(pgc_pipeline_add(batch, &QUERY, NULL, NULL, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_pipeline_add(batch, &OTHER, NULL, NULL, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_CONFLICT, &err);
    CHECK_STATUS(pgc_pipeline_take(batch, 1, NULL, &err), PGC_CANCELLED, &err);
    CHECK(strstr(err.message, "not run") != NULL);
    pgc_pipeline_close(batch);
    pgc_conn_close(conn);
}

/* When the identity cannot be set the query behind it does not run without it. */
static void no_identity_no_query(void)
{
    static const fake_answer answers[] = {
        FAKE_DONE("PREPARE"), FAKE_END, FAKE_ERROR("42501"), FAKE_END, FAKE_ABORTED, FAKE_END,
        FAKE_ABORTED,         FAKE_END, FAKE_SYNC,
    };
    fake_pq fake;
    pgc_error err;
    pgc_pool *pool = pool_on(&fake, 1, &err);
    REQUIRE(pool != NULL);
    const pgc_setting setting = { "app.user_id", "7" };
    pgc_scope *scope = NULL;
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_scope_open(pool, &setting, 1, &scope, &err), &err);
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err); /* connected before the script */
    fake_pq_script(&fake, answers, ARRAY_LEN(answers));
    pgc_pool_release(pool, conn);
    fake.arrived = false;
    CHECK_STATUS(pgc_db_run(pgc_scope_db(scope), &QUERY, NULL, NULL, &err), PGC_DENIED, &err);
    CHECK_STR(fake.log, "prepare pgc_5e7c0f1900000001\nrun pgc_5e7c0f1900000001\n"
                        "prepare pgc_0000000000000abc\nrun pgc_0000000000000abc\nsync\n");
    pgc_scope_close(scope);
    pgc_pool_close(pool);
    CHECK_INT(fake.live_results, 0);
}

/* Every deadline sends one cancel, and none of them hits the query that comes next. */
static void a_storm_of_cancels_hurts_nobody(void)
{
    static const fake_answer answers[] = {
        FAKE_UNTIL_CANCEL, FAKE_ERROR("57014"), FAKE_END, { .status = PGRES_EMPTY_QUERY },
        FAKE_END,          FAKE_SYNC,           ROWS(1),  FAKE_END,
    };
    enum { COUNT = 1000 };
    fake_pq fake;
    pgc_error err;
    int stopped = 0, served = 0;
    pgc_conn *conn = open_on(&fake, true, &err);
    REQUIRE(conn != NULL);
    for (int i = 0; i < COUNT && pgc_conn_alive(conn); i++) {
        fake_pq_script(&fake, answers, ARRAY_LEN(answers));
        atomic_store(&fake.cancel_asked, 0);
        atomic_store(&fake.cancelled, 0);
        stopped += run(conn, &QUERY, &err) == PGC_TIMEOUT ? 1 : 0;
        stopped -= atomic_load(&fake.cancelled) == 1 ? 0 : 1;
        served += run(conn, &OTHER, &err) == PGC_OK ? 1 : 0;
    }
    CHECK_INT(stopped, COUNT);
    CHECK_INT(served, COUNT);
    CHECK(pgc_conn_alive(conn));
    pgc_conn_close(conn);
    CHECK_INT(fake.live_results, 0);
    CHECK_INT(fake.finished, 1);
}

#define WAITERS 100
#define CONNS   10

typedef struct borrower {
    pgc_pool *pool;
    pthread_t thread;
    pgc_status status;
    int64_t waited_us;
} borrower;

static void *borrow(void *arg)
{
    borrower *me = arg;
    pgc_conn *conn = NULL;
    int64_t began_us = clock_os()->mono_us(NULL);
    me->status = pgc_pool_acquire(me->pool, &conn, NULL);
    me->waited_us = clock_os()->mono_us(NULL) - began_us;
    pgc_pool_release(me->pool, conn);
    return NULL;
}

/* All connections are out; those whose patience ends leave the queue, all others are served. */
static void waiters_never_leak_a_place(void)
{
    static borrower all[WAITERS];
    fake_pq fake;
    pgc_error err;
    pgc_conn *held[CONNS] = { NULL };
    pgc_pool *pool = pool_on(&fake, CONNS, &err);
    REQUIRE(pool != NULL);
    for (int i = 0; i < CONNS; i++) {
        REQUIRE_OK(pgc_pool_acquire(pool, &held[i], &err), &err);
    }
    for (uint32_t i = 0; i < WAITERS; i++) {
        all[i] = (borrower) { .pool = pool };
        /* Every fourth has no patience: it is gone before the next one comes. */
        pool->options.acquire_timeout_us = i % 4 == 0 ? 1 : -1;
        REQUIRE(pthread_create(&all[i].thread, NULL, borrow, &all[i]) == 0);
        while (i % 4 == 0 ? stats_of(pool).acquire_timeout_count <= i / 4
                          : stats_of(pool).waiters < i - i / 4) {
            (void) sched_yield();
        }
    }
    CHECK_INT(stats_of(pool).waiters, WAITERS - WAITERS / 4);
    for (int i = 0; i < CONNS; i++) {
        pgc_pool_release(pool, held[i]);
    }
    for (int i = 0; i < WAITERS; i++) {
        (void) pthread_join(all[i].thread, NULL);
        CHECK_INT(all[i].status, i % 4 == 0 ? PGC_TIMEOUT : PGC_OK);
    }
    pgc_pool_stats stats = stats_of(pool);
    CHECK_INT(stats.acquired, 0);
    CHECK_INT(stats.waiters, 0);
    CHECK_INT(stats.idle, CONNS);
    CHECK_INT(stats.connect_count, CONNS);
    pgc_pool_close(pool);
    CHECK_INT(fake.finished, CONNS);
}

/* libpq's buffers never shrink: after a huge answer the pool lets the connection go. */
static void a_huge_answer_costs_the_connection(void)
{
    static const fake_answer small[] = { { .status = PGRES_TUPLES_OK, .memory = CONN_BLOAT_BYTES },
                                         FAKE_END,
                                         FAKE_SYNC };
    static const fake_answer huge[] = {
        { .status = PGRES_TUPLES_OK, .memory = CONN_BLOAT_BYTES + 1 }, FAKE_END, FAKE_SYNC
    };
    static const pgc_query query = { .name = "Huge",
                                     .sql = "SELECT huge",
                                     .flags = PGC_QUERY_UNNAMED };
    fake_pq fake;
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_pool *pool = pool_on(&fake, 1, &err);
    REQUIRE(pool != NULL);
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    fake_pq_script(&fake, small, ARRAY_LEN(small));
    CHECK_STATUS(run(conn, &query, &err), PGC_OK, &err);
    pgc_pool_release(pool, conn);
    CHECK_INT(fake.finished, 0);
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    fake_pq_script(&fake, huge, ARRAY_LEN(huge));
    CHECK_STATUS(run(conn, &query, &err), PGC_OK, &err);
    CHECK(pgc_conn_alive(conn)); /* good for its borrower as long as that one likes */
    pgc_pool_release(pool, conn);
    CHECK_INT(stats_of(pool).lifetime_close_count, 1);
    pgc_pool_close(pool);
}

TAP_MAIN(TAP("acceptance 2: stale twice is an error", stale_twice_is_an_error),
         TAP("acceptance 2: stale in a transaction is not repeated",
             stale_in_a_transaction_is_not_repeated),
         TAP("acceptance 3: unnamed mode names nothing", unnamed_mode_names_nothing),
         TAP("acceptance 4: a refused command stays with its group",
             a_refused_command_stays_with_its_group),
         TAP("acceptance 4: behind an error nothing was run", behind_an_error_nothing_was_run),
         TAP("acceptance 5: no identity, no query", no_identity_no_query),
         TAP("acceptance 7: a storm of cancels hurts nobody", a_storm_of_cancels_hurts_nobody),
         TAP("acceptance 8: waiters never leak a place", waiters_never_leak_a_place),
         TAP("acceptance 11: a huge answer costs the connection",
             a_huge_answer_costs_the_connection))
