/* Round trips of transactions, their ends, and commits whose answer was lost. */
#include "base/prelude.h"

#include <stdatomic.h>

#include <pgc/tx.h>

#include "pgc/auto.h"
#include "pgc/pool_state.h"

#include "ledger.h"
#include "proxy.h"
#include "tap.h"

/* libpq that counts round trips: each of ours ends with one sync, or is one query outside of
 * pipeline mode. */
static atomic_int syncs;

static int counting_sync(PGconn *pg)
{
    (void) atomic_fetch_add(&syncs, 1);
    return PQpipelineSync(pg);
}

static void count_single(const PGconn *pg)
{
    (void) atomic_fetch_add(&syncs, PQpipelineStatus(pg) == PQ_PIPELINE_OFF ? 1 : 0);
}

static int counting_named(PGconn *pg, const char *name, int count, const char *const *values,
                          const int *lengths, const int *formats, int format)
{
    count_single(pg);
    return PQsendQueryPrepared(pg, name, count, values, lengths, formats, format);
}

static int counting_text(PGconn *pg, const char *sql, int count, const Oid *types,
                         const char *const *values, const int *lengths, const int *formats,
                         int format)
{
    count_single(pg);
    return PQsendQueryParams(pg, sql, count, types, values, lengths, formats, format);
}

/* A database with a ledger, and a pool of `max` connections on it, perhaps by way of a proxy. */
typedef struct bench {
    pgc_conn *outside;
    proxy *net;
    pgc_pool *pool;
    pq_ops pq;
} bench;

static bool bench_open(bench *b, bool by_proxy, uint32_t max)
{
    pgc_error err;
    memset(b, 0, sizeof *b);
    const char *url = test_db_create();
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    if (url == NULL || !CHECK_STATUS(pgc_conn_open(&options, &b->outside, &err), PGC_OK, &err) ||
        !CHECK(live_do(b->outside, LEDGER_TABLE))) {
        return false;
    }
    b->net = by_proxy ? proxy_open(url) : NULL;
    if (by_proxy && !CHECK(b->net != NULL)) {
        return false;
    }
    const pgc_pool_options pool = {
        .struct_size = sizeof pool,
        .conn = { .conninfo = by_proxy ? proxy_conninfo(b->net) : url,
                  .app_name = "tx-commit",
                  .cancel_grace_us = 200000 },
        .max_conns = max,
        .min_conns = 1,
    };
    b->pq = *pq_libpq();
    b->pq.pipelineSync = counting_sync;
    b->pq.sendQueryPrepared = counting_named;
    b->pq.sendQueryParams = counting_text;
    const conn_seams seams = { &b->pq, clock_os(), -1, NULL };
    return CHECK_STATUS(pool_open_on(&pool, &seams, &b->pool, &err), PGC_OK, &err);
}

static void bench_close(bench *b)
{
    pgc_pool_close(b->pool);
    proxy_close(b->net);
    pgc_conn_close(b->outside);
}

static pgc_status insert(pgc_tx *tx, int32_t n, pgc_error *err)
{
    bool good = false;
    TRY(ledger_run(pgc_tx_db(tx), &LEDGER_INSERT, n, &good, err));
    return good ? PGC_OK : pgc_error_set(err, PGC_PROTOCOL, "a wrong answer");
}

static pgc_status commit_insert(pgc_tx **tx, int32_t n, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_result *result = NULL;
    pgc_status status = pgc_tx_commit_with(tx, &LEDGER_INSERT, &args, &result, err);
    pgc_args_done(&args);
    if (status == PGC_OK && (result == NULL || pgc_result_rows(result) != 1)) {
        status = pgc_error_set(err, PGC_PROTOCOL, "no row");
    }
    pgc_result_free(result);
    return status;
}

static pgc_status do_sql(pgc_db *db, const char *sql, pgc_error *err)
{
    const pgc_query query = { .name = "do", .sql = sql, .flags = PGC_QUERY_UNNAMED };
    return pgc_db_run(db, &query, NULL, NULL, err);
}

/* Sets the counter, so that `trips` starts from here. */
static void count_trips(void)
{
    atomic_store(&syncs, 0);
}

#define BENCH(name, by_proxy, max)                              \
    bench name;                                                 \
    bool name##_is_open = bench_open(&name, (by_proxy), (max)); \
    if (!CHECK(name##_is_open)) {                               \
        bench_close(&name);                                     \
        return;                                                 \
    }                                                           \
    pgc_error err
#define BENCH_TX(name, by_proxy, max) \
    BENCH(name, by_proxy, max);       \
    pgc_tx *tx = NULL

static void begin_travels_with_the_first_query(void)
{
    BENCH_TX(b, false, 1);
    const pgc_setting who[] = { { "app.user_id", "7" } };
    const pgc_tx_options options = { .struct_size = sizeof options,
                                     .isolation = PGC_SERIALIZABLE,
                                     .settings = who,
                                     .setting_count = 1,
                                     .lock_timeout_us = 1500,
                                     .statement_timeout_us = 61000000,
                                     .idle_timeout_us = 5000000 };
    CHECK(ledger_count(b.outside, 0, 9) == 0);
    bool good = false;
    CHECK_STATUS(ledger_run(pgc_pool_db(b.pool), &LEDGER_ECHO, 1, &good, &err), PGC_OK, &err);
    count_trips();
    CHECK_STATUS(pgc_tx_begin(b.pool, &options, &tx, &err), PGC_OK, &err);
    CHECK_INT(syncs, 0);
    CHECK_STATUS(insert(tx, 1, &err), PGC_OK, &err);
    CHECK_INT(syncs, 1);
    CHECK_STATUS(insert(tx, 2, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_OK, &err);
    CHECK_INT(syncs, 3);
    char text[96];
    CHECK_STR(live_text(b.outside, "SELECT string_agg(n || '/' || who, ' ' ORDER BY n) FROM ledger",
                        text, sizeof text),
              "1/7 2/7");
    /* Limits are those asked for, rounded up, and gone afterwards. */
    static const pgc_type_ref columns[] = { { "x", "text", 25 } };
    static const pgc_query limits = {
        .name = "limits",
        .sql = "SELECT concat_ws(' ', current_setting('statement_timeout'),"
               " current_setting('lock_timeout'),"
               " current_setting('idle_in_transaction_session_timeout'),"
               " current_setting('transaction_isolation'))",
        .flags = PGC_QUERY_UNNAMED,
        .column_count = 1,
        .columns = columns,
    };
    pgc_result *result = NULL;
    CHECK_STATUS(pgc_tx_begin(b.pool, &options, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_db_run(pgc_tx_db(tx), &limits, NULL, &result, &err), PGC_OK, &err);
    pgc_reader reader;
    pgc_reader_init(&reader, result, &limits);
    pgc_text cell = pgc_read_text(&reader, 0, 0);
    (void) snprintf(text, sizeof text, "%.*s", (int) cell.len, cell.ptr);
    CHECK_STR(text, "61s 2ms 5s serializable");
    pgc_result_free(result);
    pgc_tx_rollback(tx);
    bench_close(&b);
}

static void one_query_and_commit_are_one_round_trip(void)
{
    BENCH_TX(b, false, 1);
    bool good = false;
    CHECK_STATUS(ledger_run(pgc_pool_db(b.pool), &LEDGER_ECHO, 1, &good, &err), PGC_OK, &err);
    count_trips();
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(commit_insert(&tx, 5, &err), PGC_OK, &err);
    CHECK(tx == NULL);
    CHECK_INT(syncs, 1);
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    pgc_tx_rollback(TAKE(tx));
    CHECK_INT(syncs, 1);
    /* The query fails: nothing is committed, nothing stays open. */
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 6, &err), PGC_OK, &err);
    CHECK_STATUS(commit_insert(&tx, 5, &err), PGC_CONFLICT, &err);
    CHECK_STR(err.sqlstate, "23505");
    CHECK_INT(err.xact.id, 0);
    CHECK(tx == NULL);
    CHECK_INT(ledger_count(b.outside, 0, 99), 1);
    pgc_pool_stats stats;
    pgc_pool_get_stats(b.pool, &stats);
    CHECK_INT(stats.connect_count, 1);
    CHECK_INT(stats.dirty_release_count, 0);
    bench_close(&b);
}

static void a_failing_start_leaves_nothing_open(void)
{
    BENCH_TX(b, false, 1);
    const pgc_setting bad[] = { { "work_mem", "plenty" } };
    const pgc_tx_options options = { .struct_size = sizeof options,
                                     .settings = bad,
                                     .setting_count = 1 };
    for (int round = 0; round < 3; round++) {
        CHECK_STATUS(pgc_tx_begin(b.pool, &options, &tx, &err), PGC_OK, &err);
        if (round == 0) {
            CHECK_STATUS(insert(tx, 1, &err), PGC_INVALID, &err);
            CHECK_STATUS(insert(tx, 1, &err), PGC_DB, &err);
            CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_CONFLICT, &err);
        } else if (round == 1) {
            CHECK_STATUS(commit_insert(&tx, 1, &err), PGC_INVALID, &err);
        } else {
            /* Nothing may run on the connection outside of the transaction. */
            pgc_conn *conn = pgc_tx_conn(tx);
            CHECK_STATUS(do_sql(pgc_conn_db(conn), "SELECT 1", &err), PGC_CONNECTION, &err);
            pgc_tx_rollback(TAKE(tx));
        }
    }
    CHECK_INT(ledger_count(b.outside, 0, 99), 0);
    bool good = false;
    CHECK_STATUS(ledger_run(pgc_pool_db(b.pool), &LEDGER_ECHO, 1, &good, &err), PGC_OK, &err);
    /* The connection of a transaction that has sent nothing is inside of it all the same. */
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_INT(pgc_conn_tx_state(pgc_tx_conn(tx)), PGC_TX_OPEN);
    pgc_tx_rollback(tx);
    bench_close(&b);
}

/* 26000: what DISCARD ALL or a pooler leaves behind. */
static void a_stale_statement_at_the_start_is_prepared_again(void)
{
    BENCH_TX(b, false, 1);
    bool good = false;
    static const char FORGET[] = "DEALLOCATE ALL";
    CHECK_STATUS(ledger_run(pgc_pool_db(b.pool), &LEDGER_INSERT, 1, &good, &err), PGC_OK, &err);
    CHECK_STATUS(do_sql(pgc_pool_db(b.pool), FORGET, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 2, &err), PGC_OK, &err);
    /* In a scope of its own as well. */
    pgc_tx *inner = NULL;
    CHECK_STATUS(do_sql(pgc_tx_db(tx), FORGET, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_nest(tx, &inner, &err), PGC_OK, &err);
    CHECK_STATUS(insert(inner, 3, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_commit(&inner, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_OK, &err);
    CHECK_STATUS(do_sql(pgc_pool_db(b.pool), FORGET, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(commit_insert(&tx, 4, &err), PGC_OK, &err);
    /* Later on the transaction cannot be saved: the caller hears that it may run again. */
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 5, &err), PGC_OK, &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), FORGET, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 6, &err), PGC_CONFLICT, &err);
    CHECK(err.retry);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_CONFLICT, &err);
    CHECK_STR(err.sqlstate, "26000");
    CHECK(err.retry);
    CHECK_INT(ledger_count(b.outside, 0, 99), 4);
    bench_close(&b);
}

static void nesting_costs_no_round_trip_and_stays_flat(void)
{
    BENCH_TX(b, false, 1);
    pgc_tx *inner = NULL;
    bool good = false;
    CHECK_STATUS(ledger_run(pgc_pool_db(b.pool), &LEDGER_ECHO, 1, &good, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 1, &err), PGC_OK, &err);
    count_trips();
    CHECK_STATUS(pgc_tx_nest(tx, &inner, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_commit(&inner, &err), PGC_OK, &err);
    CHECK_INT(syncs, 0);
    for (int32_t n = 2; n < 80; n++) {
        CHECK_STATUS(pgc_tx_nest(tx, &inner, &err), PGC_OK, &err);
        CHECK_STATUS(insert(inner, n, &err), PGC_OK, &err);
        if (n % 2 == 0) {
            CHECK_STATUS(pgc_tx_commit(&inner, &err), PGC_OK, &err);
        } else {
            pgc_tx_rollback(TAKE(inner));
        }
    }
    CHECK_INT(syncs, 2 * 78);
    CHECK_INT(pgc_tx_nested_count(tx), 39);
    /* Savepoints of finished scopes are gone on the server, too. */
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "ROLLBACK TO SAVEPOINT pgc_1", &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "3B001");
    CHECK_STATUS(pgc_tx_nest(tx, &inner, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "25P02");
    pgc_tx_rollback(TAKE(tx));
    bench_close(&b);
}

static void a_scope_cannot_have_another_level(void)
{
    BENCH_TX(b, false, 1);
    const pgc_tx_options outer = { .struct_size = sizeof outer, .isolation = PGC_REPEATABLE_READ };
    const pgc_tx_options other = { .struct_size = sizeof other, .isolation = PGC_SERIALIZABLE };
    const pgc_tx_options reader = { .struct_size = sizeof reader,
                                    .isolation = PGC_REPEATABLE_READ,
                                    .read_only = true };
    const pgc_tx_options timed = { .struct_size = sizeof timed,
                                   .isolation = PGC_REPEATABLE_READ,
                                   .timeout_us = 1 };
    pgc_tx *inner = NULL;
    CHECK_STATUS(pgc_tx_begin(b.pool, &outer, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_tx_nest_with(tx, &other, &inner, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_tx_nest_with(tx, &reader, &inner, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_tx_nest_with(tx, &timed, &inner, &err), PGC_INVALID, &err);
    CHECK(inner == NULL);
    CHECK_STATUS(pgc_tx_nest_with(tx, &outer, &inner, &err), PGC_OK, &err);
    pgc_tx_rollback(TAKE(inner));
    CHECK_STATUS(pgc_tx_nest_with(tx, NULL, &inner, &err), PGC_OK, &err);
    pgc_tx_rollback(inner);
    pgc_tx_rollback(tx);
    bench_close(&b);
}

static void the_time_of_a_transaction_ends(void)
{
    BENCH_TX(b, false, 1);
    const pgc_tx_options options = { .struct_size = sizeof options, .timeout_us = 200000 };
    CHECK_STATUS(pgc_tx_begin(b.pool, &options, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 1, &err), PGC_OK, &err);
    CHECK_STATUS(do_sql(pgc_tx_db(tx), "SELECT pg_sleep(30)", &err), PGC_TIMEOUT, &err);
    CHECK_STATUS(insert(tx, 2, &err), PGC_TIMEOUT, &err);
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_CONFLICT, &err);
    CHECK_INT(ledger_count(b.outside, 0, 99), 0);
    bench_close(&b);
}

/* ---- in doubt ---- */

static void a_commit_that_never_arrived_is_told_as_undone(void)
{
    BENCH_TX(b, true, 2);
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 1, &err), PGC_OK, &err);
    proxy_arm(b.net, &(proxy_plan) { .fault = PROXY_CUT, .side = PROXY_FROM_CLIENT, .after = 0 });
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_CONNECTION, &err);
    CHECK(err.retry);
    CHECK(strstr(err.message, "rolled back") != NULL);
    CHECK(proxy_heal(b.net));
    CHECK_INT(ledger_count(b.outside, 0, 99), 0);
    bench_close(&b);
}

static void a_commit_whose_answer_was_lost_is_told_as_done(void)
{
    BENCH_TX(b, true, 2);
    pgc_token token = { 0, 0, 0 };
    const pgc_tx_options options = { .struct_size = sizeof options, .token = &token };
    CHECK_STATUS(pgc_tx_begin(b.pool, &options, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 1, &err), PGC_OK, &err);
    proxy_arm(b.net, &(proxy_plan) { .fault = PROXY_CUT, .side = PROXY_FROM_SERVER, .after = 0 });
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_OK, &err);
    CHECK(proxy_heal(b.net));
    CHECK_INT(ledger_count(b.outside, 0, 99), 1);
    CHECK(token.lsn != 0 && token.timeline == 1);
    bench_close(&b);
}

/* A black hole: the server never hears of the end of its client, and is told to end the session. */
static void a_session_that_waits_for_a_lost_client_is_ended(void)
{
    BENCH_TX(b, true, 2);
    CHECK_STATUS(pgc_tx_begin(b.pool, NULL, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 1, &err), PGC_OK, &err);
    pgc_conn *conn = pgc_tx_conn(tx);
    conn->call_timeout_us = 50000;
    proxy_arm(b.net,
              &(proxy_plan) { .fault = PROXY_BLACK_HOLE, .side = PROXY_FROM_CLIENT, .after = 0 });
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_CONNECTION, &err);
    CHECK(err.retry);
    CHECK_INT(ledger_count(b.outside, 0, 99), 0);
    CHECK(proxy_heal(b.net));
    bench_close(&b);
}

static void doubt_can_be_cleared_later(void)
{
    BENCH_TX(b, true, 2);
    const pgc_tx_options options = { .struct_size = sizeof options, .resolve_timeout_us = 1 };
    pgc_conn *conn = NULL;
    for (int32_t round = 0; round < 2; round++) {
        const proxy_plan plan = { .fault = PROXY_CUT,
                                  .side = round == 0 ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER };
        CHECK_STATUS(pgc_pool_acquire(b.pool, &conn, &err), PGC_OK, &err);
        CHECK_STATUS(pgc_tx_begin_conn(conn, &options, &tx, &err), PGC_OK, &err);
        CHECK_STATUS(insert(tx, round, &err), PGC_OK, &err);
        proxy_arm(b.net, &plan);
        CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_IN_DOUBT, &err);
        CHECK(!err.retry);
        CHECK(proxy_heal(b.net));
        pgc_pool_release(b.pool, conn);
        const pgc_xact xact = err.xact;
        CHECK(xact.id != 0 && xact.system_id != 0);
        CHECK_STATUS(pgc_tx_resolve(b.pool, &xact, 0, &err), round == 0 ? PGC_CONNECTION : PGC_OK,
                     &err);
        /* Another system, another timeline, another run: the number means nothing there. */
        pgc_xact other = xact;
        other.system_id++;
        CHECK_STATUS(pgc_tx_resolve(b.pool, &other, 0, &err), PGC_IN_DOUBT, &err);
        other = xact;
        other.timeline++;
        CHECK_STATUS(pgc_tx_resolve(b.pool, &other, 0, &err), PGC_IN_DOUBT, &err);
        CHECK_INT(err.xact.id, xact.id);
        other = xact;
        other.run--;
        CHECK_STATUS(pgc_tx_resolve(b.pool, &other, 0, &err),
                     round == 0 ? PGC_CONNECTION : PGC_IN_DOUBT, &err);
        other.id += 1000000;
        CHECK_STATUS(pgc_tx_resolve(b.pool, &other, 0, &err), PGC_CONNECTION, &err);
    }
    const pgc_xact unknown = { .id = 0 };
    CHECK_STATUS(pgc_tx_resolve(b.pool, &unknown, 0, &err), PGC_IN_DOUBT, &err);
    CHECK_STATUS(pgc_tx_resolve(NULL, &unknown, 0, &err), PGC_INVALID, &err);
    bench_close(&b);
}

static void nobody_to_ask_leaves_the_doubt(void)
{
    BENCH_TX(b, true, 2);
    const pgc_tx_options options = { .struct_size = sizeof options, .resolve_timeout_us = 300000 };
    CHECK_STATUS(pgc_tx_begin(b.pool, &options, &tx, &err), PGC_OK, &err);
    CHECK_STATUS(insert(tx, 1, &err), PGC_OK, &err);
    proxy_close(TAKE(b.net)); /* the connection ends, and nobody listens any more */
    CHECK_STATUS(pgc_tx_commit(&tx, &err), PGC_IN_DOUBT, &err);
    CHECK(err.xact.id != 0);
    CHECK(!err.retry);
    CHECK(strstr(err.message, "not known") != NULL);
    bench_close(&b);
}

/* A transaction that only reads has nothing to be in doubt about. */
static void a_lost_read_is_not_in_doubt(void)
{
    BENCH_TX(b, true, 2);
    const pgc_tx_options options = { .struct_size = sizeof options, .read_only = true };
    for (int round = 0; round < 2; round++) {
        bool good = false;
        CHECK_STATUS(pgc_tx_begin(b.pool, round == 0 ? &options : NULL, &tx, &err), PGC_OK, &err);
        CHECK_STATUS(ledger_run(pgc_tx_db(tx), &LEDGER_READ, 4, &good, &err), PGC_OK, &err);
        /* Some first bytes pass: the server's word that nothing was written. */
        proxy_arm(b.net, &(proxy_plan) { .fault = PROXY_CUT,
                                         .side = PROXY_FROM_SERVER,
                                         .after = round == 0 ? 0 : 200 });
        pgc_status status = pgc_tx_commit(&tx, &err);
        CHECK(status == PGC_CONNECTION ? err.retry : status == PGC_OK || round == 1);
        (void) proxy_heal(b.net);
    }
    bench_close(&b);
}

/* ---- callbacks ---- */

typedef struct work {
    bench *b;
    proxy_plan plan;
    int32_t n;
    int calls;
} work;

/* The plan fires in the first attempt's commit only. */
static pgc_status insert_next(pgc_tx *tx, void *arg, pgc_error *err)
{
    work *w = arg;
    TRY(insert(tx, w->n, err));
    if (w->calls++ == 0) {
        proxy_arm(w->b->net, &w->plan);
    }
    return PGC_OK;
}

/* Cuts at every few bytes of the commit, in both directions: done exactly once, each time. */
static void a_lost_commit_is_never_done_twice(void)
{
    BENCH(b, true, 2);
    int again = 0, known = 0;
    for (int32_t n = 0; n < 60; n++) {
        work w = { .b = &b, .n = n };
        w.plan = (proxy_plan) { .fault = n % 3 == 0 ? PROXY_RESET : PROXY_CUT,
                                .side = n % 2 == 0 ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER,
                                .after = (uint64_t) n };
        CHECK_STATUS(pgc_tx_run(b.pool, NULL, 0, insert_next, &w, &err), PGC_OK, &err);
        bool fired = proxy_heal(b.net);
        again += w.calls > 1 ? 1 : 0;
        known += fired && w.calls == 1 ? 1 : 0;
    }
    CHECK_INT(ledger_count(b.outside, 0, 59), 60);
    CHECK(again >= 20); /* never arrived: run again */
    CHECK(known >= 5);  /* done, although the answer was cut */
    printf("# %d ran again, %d were found committed\n", again, known);
    bench_close(&b);
}

static pgc_status sleep_in_it(pgc_tx *tx, void *arg, pgc_error *err)
{
    ++*(int *) arg;
    TRY(do_sql(pgc_tx_db(tx), "SELECT pg_sleep(0.01)", err));
    (void) pgc_error_set(err, PGC_CONFLICT, "made up");
    if (err != NULL) {
        err->retry = true;
        (void) snprintf(err->sqlstate, sizeof err->sqlstate, "40001");
    }
    return PGC_CONFLICT;
}

static void the_time_holds_for_all_attempts(void)
{
    BENCH(b, false, 1);
    const pgc_tx_options options = { .struct_size = sizeof options, .timeout_us = 150000 };
    int calls = 0;
    pgc_status status = pgc_tx_run(b.pool, &options, 1000000, sleep_in_it, &calls, &err);
    CHECK(status == PGC_CONFLICT || status == PGC_TIMEOUT);
    CHECK(calls >= 2 && calls < 16);
    bench_close(&b);
}

/* The session ends in the middle: nothing can have been committed, so all of it runs again. */
static pgc_status die_once(pgc_tx *tx, void *arg, pgc_error *err)
{
    int *calls = arg;
    TRY(insert(tx, 7, err));
    if ((*calls)++ == 0) {
        return do_sql(pgc_tx_db(tx), "SELECT pg_terminate_backend(pg_backend_pid())", err);
    }
    return PGC_OK;
}

/* The callback does not look at its failures; the commit does. */
static pgc_status swallow(pgc_tx *tx, void *arg, pgc_error *err)
{
    int *calls = arg;
    static const char CONFLICT[] = "DO $$BEGIN RAISE serialization_failure; END$$";
    if ((*calls)++ == 0) {
        (void) !do_sql(pgc_tx_db(tx), CONFLICT, err);
        return PGC_OK;
    }
    return insert(tx, 8, err);
}

static void a_lost_connection_and_a_swallowed_conflict_run_again(void)
{
    BENCH(b, false, 1);
    int calls = 0;
    CHECK_STATUS(pgc_tx_run(b.pool, NULL, 0, die_once, &calls, &err), PGC_OK, &err);
    CHECK_INT(calls, 2);
    calls = 0;
    CHECK_STATUS(pgc_tx_run(b.pool, NULL, 0, swallow, &calls, &err), PGC_OK, &err);
    CHECK_INT(calls, 2);
    CHECK_INT(ledger_count(b.outside, 0, 99), 2);
    bench_close(&b);
}

static void tokens_are_text(void)
{
    pgc_error err;
    char text[PGC_TOKEN_TEXT_SIZE];
    pgc_token token = { .lsn = UINT64_C(0x16B3748), .timeline = 26 };
    pgc_token back = { 0, 0, 0 };
    pgc_token_text(token, text);
    CHECK_STR(text, "1A-0/16B3748");
    CHECK_STATUS(pgc_token_parse(text, &back, &err), PGC_OK, &err);
    CHECK(back.lsn == token.lsn && back.timeline == token.timeline);
    token = (pgc_token) { .lsn = UINT64_MAX, .timeline = UINT32_MAX };
    pgc_token_text(token, text);
    CHECK_STR(text, "FFFFFFFF-FFFFFFFF/FFFFFFFF");
    CHECK_STATUS(pgc_token_parse(text, &back, &err), PGC_OK, &err);
    CHECK(back.lsn == UINT64_MAX);
    pgc_token_text((pgc_token) { 0, 0, 0 }, text);
    CHECK_STR(text, "");
    CHECK_STATUS(pgc_token_parse("", &back, &err), PGC_OK, &err);
    CHECK(back.lsn == 0);
    static const char *const BAD[] = {
        "1",      "1-",    "1-0",           "1-0/",    "-0/1",  "1-/1",          "0-0/1",  "1-0/0",
        "1-0/1 ", "1-0/g", "1-0/123456789", "1-0/1/1", "a-0/1", "123456789-0/1", " 1-0/1", "0x1-0/1"
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        back.lsn = 77;
        CHECK_STATUS(pgc_token_parse(BAD[i], &back, &err), PGC_INVALID, &err);
        CHECK(back.lsn == 77);
    }
    const pgc_token old = { .lsn = 500, .timeline = 1 };
    const pgc_token later = { .lsn = 400, .timeline = 2 };
    CHECK(pgc_token_max(old, later).timeline == 2);
    CHECK(pgc_token_max(later, old).timeline == 2);
    CHECK(pgc_token_max(old, (pgc_token) { .lsn = 501, .timeline = 1 }).lsn == 501);
}

TAP_MAIN(TAP("tx: BEGIN and its settings travel with the first query",
             begin_travels_with_the_first_query),
         TAP("tx: one query and its commit are one round trip",
             one_query_and_commit_are_one_round_trip),
         TAP("tx: a failing start leaves nothing open", a_failing_start_leaves_nothing_open),
         TAP("tx: a stale statement at the start is prepared again",
             a_stale_statement_at_the_start_is_prepared_again),
         TAP("tx: nesting costs no round trip and stays flat",
             nesting_costs_no_round_trip_and_stays_flat),
         TAP("tx: a nested scope cannot have another level", a_scope_cannot_have_another_level),
         TAP("tx: the time of a transaction ends", the_time_of_a_transaction_ends),
         TAP("in doubt: a commit that never arrived is told as undone",
             a_commit_that_never_arrived_is_told_as_undone),
         TAP("in doubt: a commit whose answer was lost is told as done",
             a_commit_whose_answer_was_lost_is_told_as_done),
         TAP("in doubt: a session that waits for a lost client is ended",
             a_session_that_waits_for_a_lost_client_is_ended),
         TAP("in doubt: doubt can be cleared later", doubt_can_be_cleared_later),
         TAP("in doubt: nobody to ask leaves the doubt", nobody_to_ask_leaves_the_doubt),
         TAP("in doubt: a lost read is not in doubt", a_lost_read_is_not_in_doubt),
         TAP("tx_run: a lost commit is never done twice", a_lost_commit_is_never_done_twice),
         TAP("tx_run: the time holds for all attempts", the_time_holds_for_all_attempts),
         TAP("tx_run: a lost connection and a swallowed conflict run again",
             a_lost_connection_and_a_swallowed_conflict_run_again),
         TAP("token: as text and back", tokens_are_text))
