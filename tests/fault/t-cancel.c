/* Cancels and deadlines at random moments, against a real server: no query is hit by the cancel of
 * another, no answer is wrong, every connection is usable or closed, and the server never has many
 * more backends than we have connections. The seed is printed; TEST_SEED repeats a run. */
#include "base/prelude.h"

#include <signal.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "pgc/auto.h"
#include "pgc/call.h"

#include "ledger.h"
#include "random.h"
#include "scratch.h"
#include "tap.h"

static uint64_t seed;

static const pgc_type_ref SLEEP_P[] = { { "n", "integer", 23 }, { "s", "double precision", 701 } };
/* Answers with its number after a while. */
static const pgc_query SLEEP = {
    .name = "Sleep",
    .sql = "SELECT $1 + CASE WHEN pg_sleep($2) IS NULL THEN 1 ELSE 0 END AS x",
    .param_count = 2,
    .column_count = 1,
    .params = SLEEP_P,
    .columns = LEDGER_C,
};

static pgc_status run_sleep(pgc_db *db, int32_t n, double seconds, bool *good_out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_add_f64(&args, seconds);
    pgc_result *result = NULL;
    pgc_status status = pgc_db_run(db, &SLEEP, &args, &result, err);
    pgc_args_done(&args);
    if (status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, &SLEEP);
        *good_out = pgc_result_rows(result) == 1 && pgc_read_i32(&reader, 0, 0) == n;
    }
    pgc_result_free(result);
    return status;
}

#define STORM_CANCELS 1000
#define STORM_CONNS   4

/* Workers share a pool; each call is cancelled or not, and the one behind it never is. */
typedef struct storm {
    pgc_pool *pool;
    atomic_int cancels, foreign, wrong, odd, calls, lost;
    atomic_int next;
    atomic_bool over;
    uint64_t seed;
} storm;

/* Seconds for the server to sleep: mostly about as long as the caller is patient, which is where
 * races are. A crowded machine wakes the caller late, when the answer is there: one call in eight
 * sleeps for longer than that. */
static double nap_seconds(uint64_t *state, size_t most_us)
{
    double seconds = (double) random_below(state, most_us) / 1e6;
    return random_below(state, 8) == 0 ? seconds + 0.05 : seconds;
}

/* A call that its own deadline cuts short, somewhere between sending and answering. */
static void short_call(storm *s, pgc_conn *conn, uint64_t *state)
{
    pgc_error err;
    bool good = false;
    int32_t n = atomic_fetch_add(&s->next, 1);
    int64_t kept_us = conn->call_timeout_us;
    conn->call_timeout_us = 100 + (int64_t) random_below(state, 3000);
    pgc_status status = run_sleep(pgc_conn_db(conn), n, nap_seconds(state, 4000), &good, &err);
    conn->call_timeout_us = kept_us;
    atomic_fetch_add(&s->calls, 1);
    if (status == PGC_OK) {
        atomic_fetch_add(&s->wrong, good ? 0 : 1);
        return;
    }
    bool told = (status == PGC_TIMEOUT &&
                 (err.outcome == PGC_OUTCOME_CANCELLED || err.outcome == PGC_OUTCOME_UNKNOWN)) ||
                status == PGC_CANCELLED;
    atomic_fetch_add(&s->odd, told ? 0 : 1);
    atomic_fetch_add(&s->cancels, err.outcome == PGC_OUTCOME_CANCELLED ? 1 : 0);
    if (!told) {
        printf("# status %d, outcome %d: %s\n", (int) status, (int) err.outcome, err.message);
    }
}

/* Whoever comes next on the connection must not notice anything. */
static void innocent_call(storm *s, pgc_conn *conn)
{
    pgc_error err;
    bool good = false;
    int32_t n = atomic_fetch_add(&s->next, 1);
    pgc_status status = ledger_run(pgc_conn_db(conn), &LEDGER_ECHO, n, &good, &err);
    if (status == PGC_OK) {
        atomic_fetch_add(&s->wrong, good ? 0 : 1);
    } else {
        atomic_fetch_add(&s->foreign, strcmp(err.sqlstate, "57014") == 0 ? 1 : 0);
        atomic_fetch_add(&s->odd, 1);
        printf("# innocent: %s [%s]\n", err.message, err.sqlstate);
    }
}

static void *storm_worker(void *arg)
{
    storm *s = arg;
    uint64_t state = s->seed + (uint64_t) atomic_fetch_add(&s->next, 1);
    while (atomic_load(&s->cancels) < STORM_CANCELS && !atomic_load(&s->over)) {
        pgc_error err;
        pgc_conn *conn = NULL;
        if (pgc_pool_acquire(s->pool, &conn, &err) != PGC_OK) {
            printf("# %s\n", err.message);
            atomic_fetch_add(&s->odd, 1);
            break;
        }
        short_call(s, conn, &state);
        if (pgc_conn_alive(conn)) {
            innocent_call(s, conn);
        } else {
            atomic_fetch_add(&s->lost, 1);
        }
        pgc_pool_release(s->pool, conn);
    }
    return NULL;
}

/* Most backends of the database that were seen at one time, but for the one that looks. */
static int64_t count_backends(pgc_conn *outside)
{
    char text[24];
    live_text(outside,
              "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
              " AND backend_type = 'client backend' AND pid <> pg_backend_pid()",
              text, sizeof text);
    return strtoll(text, NULL, 10);
}

static void a_storm_of_deadlines_hits_nobody_else(void)
{
    AUTO(scratch_drop) scratch db = { .url = NULL };
    REQUIRE(scratch_make(&db));
    pgc_error err;
    AUTO(pool_auto) pgc_pool *pool = NULL;
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .conninfo = db.url },
                                       .max_conns = STORM_CONNS };
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    storm s = { .pool = pool, .seed = seed };
    pthread_t threads[STORM_CONNS];
    int started = 0;
    while (started < STORM_CONNS &&
           CHECK(pthread_create(&threads[started], NULL, storm_worker, &s) == 0)) {
        started++;
    }
    int64_t most = 0;
    int64_t until_us = clock_os()->mono_us(NULL) + 120000000;
    while (atomic_load(&s.cancels) < STORM_CANCELS && clock_os()->mono_us(NULL) < until_us &&
           atomic_load(&s.odd) == 0) {
        int64_t now = count_backends(db.conn);
        most = now > most ? now : most;
        clock_os()->sleep_us(NULL, 5000);
    }
    atomic_store(&s.over, true);
    for (int i = 0; i < started; i++) {
        (void) pthread_join(threads[i], NULL);
    }
    printf("# %d calls, %d cancelled, %d connections lost, %lld backends at most\n",
           atomic_load(&s.calls), atomic_load(&s.cancels), atomic_load(&s.lost), (long long) most);
    CHECK(atomic_load(&s.cancels) >= STORM_CANCELS);
    CHECK_INT(atomic_load(&s.foreign), 0);
    CHECK_INT(atomic_load(&s.wrong), 0);
    CHECK_INT(atomic_load(&s.odd), 0);
    CHECK(most <= STORM_CONNS + 2);
}

/* One connection, its owner and somebody who cancels whenever he likes. */
typedef struct duel {
    pgc_conn *conn;
    atomic_bool over;
    atomic_int asked;
    uint64_t seed;
} duel;

static void *cancel_at_random(void *arg)
{
    duel *d = arg;
    uint64_t state = d->seed;
    while (!atomic_load(&d->over)) {
        atomic_fetch_add(&d->asked, pgc_conn_cancel(d->conn, NULL) == PGC_OK ? 1 : 0);
        clock_os()->sleep_us(NULL, (int64_t) random_below(&state, 1500));
    }
    return NULL;
}

static void cancels_of_another_thread_end_calls_and_nothing_else(void)
{
    AUTO(scratch_drop) scratch db = { .url = NULL };
    REQUIRE(scratch_make(&db));
    duel d = { .conn = db.conn, .seed = seed + 1 };
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, cancel_at_random, &d) == 0);
    int cancelled = 0, done = 0;
    uint64_t state = seed + 2;
    for (int32_t n = 1; n <= 100000 && cancelled < 200; n++) {
        pgc_error err;
        bool good = false;
        double seconds = (double) random_below(&state, 1000) / 1e6;
        pgc_status status = run_sleep(pgc_conn_db(db.conn), n, seconds, &good, &err);
        if (status == PGC_OK) {
            done++;
            if (!CHECK(good)) {
                break;
            }
        } else {
            cancelled++;
            if (!CHECK_STATUS(status, PGC_CANCELLED, &err) ||
                !CHECK_INT(err.outcome, PGC_OUTCOME_CANCELLED)) {
                break;
            }
        }
    }
    atomic_store(&d.over, true);
    (void) pthread_join(thread, NULL);
    printf("# %d calls done, %d cancelled of %d asked\n", done, cancelled, atomic_load(&d.asked));
    CHECK_INT(cancelled, 200);
    CHECK(pgc_conn_alive(db.conn));
    char text[24];
    CHECK_STR(live_text(db.conn, "SELECT 'and on'", text, sizeof text), "and on");
}

/* In an open transaction a deadline that comes too late changes nothing at all. */
static void late_cancels_do_not_hurt_transactions(void)
{
    AUTO(scratch_drop) scratch db = { .url = NULL };
    REQUIRE(scratch_make(&db));
    uint64_t state = seed + 3;
    int ok = 0, cancelled = 0;
    for (int32_t n = 0; n < 150; n++) {
        pgc_error err;
        bool good = false;
        REQUIRE(live_do(db.conn, "BEGIN"));
        int64_t kept_us = db.conn->call_timeout_us;
        db.conn->call_timeout_us = 100 + (int64_t) random_below(&state, 2000);
        pgc_status status =
            run_sleep(pgc_conn_db(db.conn), n, nap_seconds(&state, 2000), &good, &err);
        db.conn->call_timeout_us = kept_us;
        REQUIRE(pgc_conn_alive(db.conn));
        CHECK_INT(pgc_conn_tx_state(db.conn), status == PGC_OK ? PGC_TX_OPEN : PGC_TX_FAILED);
        CHECK(status == PGC_OK ? good : status == PGC_TIMEOUT);
        ok += status == PGC_OK ? 1 : 0;
        cancelled += status == PGC_OK ? 0 : 1;
        REQUIRE(live_do(db.conn, "ROLLBACK"));
    }
    printf("# %d done, %d cancelled\n", ok, cancelled);
    CHECK(ok > 0 && cancelled > 0);
}

/* The server process stands still: the deadline and the grace end the call, nobody hangs. */
static void a_frozen_backend_costs_the_deadline_and_the_grace(void)
{
    AUTO(scratch_drop) scratch db = { .url = NULL };
    REQUIRE(scratch_make(&db));
    pgc_error err;
    AUTO(conn_auto) pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = db.url,
                                       .call_timeout_us = 100000,
                                       .cancel_grace_us = 200000 };
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    pid_t backend = pgc_conn_backend_pid(conn);
    if (kill(backend, SIGSTOP) != 0) {
        TAP_SKIP("the server's processes belong to somebody else");
    }
    bool good = false;
    int64_t began_us = clock_os()->mono_us(NULL);
    pgc_status status = ledger_run(pgc_conn_db(conn), &LEDGER_ECHO, 1, &good, &err);
    int64_t took_us = clock_os()->mono_us(NULL) - began_us;
    (void) kill(backend, SIGCONT);
    CHECK_STATUS(status, PGC_TIMEOUT, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_UNKNOWN);
    CHECK(strstr(err.message, "outcome unknown") != NULL);
    CHECK(took_us >= 300000 && took_us < 20000000);
    CHECK(!pgc_conn_alive(conn));
}

static void a_killed_backend_is_told_with_its_outcome(void)
{
    AUTO(scratch_drop) scratch db = { .url = NULL };
    REQUIRE(scratch_make(&db));
    pgc_error err;
    AUTO(conn_auto) pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = db.url };
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    bool good = false;
    CHECK_STATUS(
        pgc_conn_script(conn, "SELECT pg_terminate_backend(pg_backend_pid())", 0, NULL, &err),
        PGC_CONNECTION, &err);
    CHECK_STR(err.sqlstate, "57P01");
    CHECK_INT(err.outcome, PGC_OUTCOME_UNKNOWN);
    CHECK_STATUS(ledger_run(pgc_conn_db(conn), &LEDGER_ECHO, 1, &good, &err), PGC_CONNECTION, &err);
    CHECK_INT(err.outcome, PGC_OUTCOME_NOT_RUN);
}

int main(void)
{
    static const tap_case CASES[] = {
        TAP("cancel: a storm of 1,000 deadlines hits nobody else",
            a_storm_of_deadlines_hits_nobody_else),
        TAP("cancel: another thread's cancels end calls and nothing else",
            cancels_of_another_thread_end_calls_and_nothing_else),
        TAP("cancel: late ones do not hurt transactions", late_cancels_do_not_hurt_transactions),
        TAP("deadline: a frozen backend costs the deadline and the grace",
            a_frozen_backend_costs_the_deadline_and_the_grace),
        TAP("outcome: a killed backend is told with it", a_killed_backend_is_told_with_its_outcome),
    };
    const char *given = getenv("TEST_SEED");
    if (given != NULL) {
        seed = strtoull(given, NULL, 10);
    } else {
        (void) clock_os()->random(NULL, &seed, sizeof seed);
    }
    printf("# TEST_SEED=%" PRIu64 "\n", seed);
    return tap_run(CASES, ARRAY_LEN(CASES));
}
