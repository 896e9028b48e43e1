/* A bad network between pool and server: whatever breaks and at whichever byte, no answer is wrong,
 * none goes to another request, nobody waits beyond the deadline, and the pool recovers. The seed
 * is printed; TEST_SEED repeats a run. */
#include "base/prelude.h"

#include <stdatomic.h>

#include <pgc/pipeline.h>
#include <pgc/pool.h>
#include <pgc/tx.h>
#include <pgc/window.h>

#include "base/clock.h"
#include "pgc/auto.h"
#include "pgc/call.h"

#include "ledger.h"
#include "proxy.h"
#include "random.h"
#include "scratch.h"
#include "tap.h"

static uint64_t seed;

/* A database, a proxy in front of it, a pool behind that, and a look from outside. */
typedef struct bench {
    scratch db;
    proxy *net;
    pgc_pool *pool;
    int32_t next; /* number that was never used */
} bench;

static void close_bench(bench *b)
{
    pgc_pool_close(b->pool);
    proxy_close(b->net);
    scratch_drop(&b->db);
}

static bool open_pool(bench *b, int64_t call_timeout_us)
{
    pgc_error err;
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .conninfo = proxy_conninfo(b->net),
                                                 .call_timeout_us = call_timeout_us },
                                       .max_conns = 1 };
    pgc_pool_close(TAKE(b->pool));
    return CHECK_STATUS(pgc_pool_open(&options, &b->pool, &err), PGC_OK, &err);
}

static bool open_bench(bench *b, int64_t call_timeout_us)
{
    *b = (bench) { .next = 1000 };
    if (!CHECK(scratch_make(&b->db)) || !CHECK(scratch_run(b->db.conn, LEDGER_TABLE))) {
        return false;
    }
    b->net = proxy_open(b->db.url);
    return CHECK(b->net != NULL) && open_pool(b, call_timeout_us);
}

#define BENCH(name, timeout_us)   \
    AUTO(close_bench) bench name; \
    REQUIRE(open_bench(&name, (timeout_us)))

/* The shape of the answer and, when it failed, the words of the failure. */
static bool fair(pgc_status status, bool good, const pgc_error *err)
{
    return status == PGC_OK ? CHECK(good) : CHECK(ledger_failure_is_clear(status, err));
}

/* Each piece of work judges itself; its value says whether all of it succeeded. */
typedef bool (*work_fn)(bench *b, int32_t n);

static bool point_reads(bench *b, int32_t n)
{
    static const pgc_query *const QUERIES[] = { &LEDGER_ECHO, &LEDGER_ROWS, &LEDGER_ECHO };
    bool all = true;
    for (size_t i = 0; i < ARRAY_LEN(QUERIES); i++) {
        pgc_error err;
        bool good = false;
        pgc_status status =
            ledger_run(pgc_pool_db(b->pool), QUERIES[i], n + (int32_t) i, &good, &err);
        all = fair(status, good, &err) && status == PGC_OK && all;
    }
    return all;
}

/* Reads that may be repeated survive one fault without a trace. */
static bool marked_reads(bench *b, int32_t n)
{
    pgc_error err;
    bool good = false;
    pgc_status status = ledger_run(pgc_pool_db(b->pool), &LEDGER_READ, n, &good, &err);
    return CHECK_STATUS(status, PGC_OK, &err) && CHECK(good);
}

static bool transaction(bench *b, int32_t n)
{
    pgc_error err;
    bool good = true;
    AUTO(tx_auto) pgc_tx *tx = NULL;
    pgc_status status = pgc_tx_begin(b->pool, NULL, &tx, &err);
    if (status == PGC_OK) {
        status = ledger_run(pgc_tx_db(tx), &LEDGER_INSERT, n, &good, &err);
    }
    if (status == PGC_OK && CHECK(good)) {
        status = ledger_run(pgc_tx_db(tx), &LEDGER_ECHO, n + 1, &good, &err);
    }
    if (status == PGC_OK && CHECK(good)) {
        status = pgc_tx_commit(&tx, &err);
    }
    int64_t rows = ledger_count(b->db.conn, n, n);
    if (status == PGC_OK) {
        return CHECK_INT(rows, 1), rows == 1;
    }
    /* A lost answer to the commit was asked for: a failure always means that nothing is there. */
    CHECK(ledger_failure_is_clear(status, &err));
    CHECK_INT(rows, 0);
    return false;
}

/* One implicit transaction: both rows or none, and each answer to its own question. */
static bool atomic_pipeline(bench *b, int32_t n)
{
    static const pgc_query *const QUERIES[] = { &LEDGER_INSERT, &LEDGER_ECHO, &LEDGER_INSERT };
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_status status = pgc_pool_acquire(b->pool, &conn, &err);
    if (status != PGC_OK) {
        return CHECK(ledger_failure_is_clear(status, &err)), false;
    }
    pgc_pipeline *batch = NULL;
    CHECK_STATUS(pgc_pipeline_open(conn, PGC_PIPELINE_ATOMIC, &batch, &err), PGC_OK, &err);
    for (int32_t i = 0; i < 3; i++) {
        pgc_args args;
        pgc_args_init(&args, NULL);
        pgc_add_i32(&args, n + i);
        CHECK_STATUS(pgc_pipeline_add(batch, QUERIES[i], &args, NULL, &err), PGC_OK, &err);
        pgc_args_done(&args);
    }
    status = pgc_pipeline_run(batch, &err);
    CHECK(status == PGC_OK || ledger_failure_is_clear(status, &err));
    for (int32_t i = 0; i < 3; i++) {
        pgc_result *result = NULL;
        pgc_status one = pgc_pipeline_take(batch, (size_t) i, &result, &err);
        CHECK(status != PGC_OK || one == PGC_OK);
        if (one == PGC_OK && CHECK_INT(pgc_result_rows(result), 1)) {
            pgc_reader reader;
            pgc_reader_init(&reader, result, QUERIES[i]);
            CHECK_INT(pgc_read_i32(&reader, 0, 0), n + i);
        }
        pgc_result_free(result);
    }
    pgc_pipeline_close(batch);
    pgc_pool_release(b->pool, conn);
    int64_t rows = ledger_count(b->db.conn, n, n + 2);
    CHECK(status == PGC_OK ? rows == 2 : rows == 0 || rows == 2);
    return status == PGC_OK;
}

/* An answer of many packets, which may break anywhere inside. */
static bool big_result(bench *b, int32_t n)
{
    enum { ROWS = 3000 };
    static const pgc_query BIG = {
        .name = "LedgerBig",
        .sql = "SELECT $1 + g AS x, repeat('photo', 8) AS t FROM generate_series(0, 2999) g",
        .param_count = 1,
        .params = LEDGER_P,
    };
    pgc_error err;
    pgc_args args;
    pgc_result *result = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_status status = pgc_db_run(pgc_pool_db(b->pool), &BIG, &args, &result, &err);
    pgc_args_done(&args);
    bool good = status != PGC_OK || pgc_result_rows(result) == ROWS;
    if (status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, &BIG);
        for (size_t i = 0; good && i < ROWS; i++) {
            good = pgc_read_i32(&reader, i, 0) == n + (int32_t) i;
        }
    }
    pgc_result_free(result);
    return fair(status, good, &err) && status == PGC_OK;
}

/* The simple protocol: both rows or none, and the answer of the last statement. */
static bool simple_script(bench *b, int32_t n)
{
    char sql[200], number[16];
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_status status = pgc_pool_acquire(b->pool, &conn, &err);
    if (status != PGC_OK) {
        return CHECK(ledger_failure_is_clear(status, &err)), false;
    }
    (void) snprintf(number, sizeof number, "%d", n);
    (void) snprintf(sql, sizeof sql,
                    "INSERT INTO ledger VALUES (%d, 0); INSERT INTO ledger VALUES (%d, 0);"
                    " SELECT %d",
                    n, n + 1, n);
    pgc_result *result = NULL;
    status = pgc_conn_script(conn, sql, 5000000, &result, &err);
    bool good = false;
    if (status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, NULL);
        pgc_text cell = pgc_read_opt_text(&reader, 0, 0);
        good = cell.len == strlen(number) && memcmp(cell.ptr, number, cell.len) == 0;
    }
    pgc_result_free(result);
    pgc_pool_release(b->pool, conn);
    bool fine = fair(status, good, &err) && status == PGC_OK;
    int64_t rows = ledger_count(b->db.conn, n, n + 1);
    CHECK(fine ? rows == 2 : rows == 0 || (rows == 2 && err.outcome == PGC_OUTCOME_UNKNOWN));
    return fine;
}

/* The row carries the identity of its own scope, whatever happened to the connection. */
static bool scoped_write(bench *b, int32_t n)
{
    char sql[80], text[24], number[16];
    (void) snprintf(number, sizeof number, "%d", n % 100);
    const pgc_setting setting = { "app.user_id", number };
    pgc_error err;
    bool good = false;
    AUTO(scope_auto) pgc_scope *scope = NULL;
    CHECK_STATUS(pgc_scope_open(b->pool, &setting, 1, &scope, &err), PGC_OK, &err);
    pgc_status status = ledger_run(pgc_scope_db(scope), &LEDGER_INSERT, n, &good, &err);
    bool fine = fair(status, good, &err) && status == PGC_OK;
    (void) snprintf(sql, sizeof sql, "SELECT who FROM ledger WHERE n = %d", n);
    live_text(b->db.conn, sql, text, sizeof text);
    CHECK(strcmp(text, number) == 0 || (!fine && text[0] == '('));
    CHECK(fine || err.outcome == PGC_OUTCOME_UNKNOWN || text[0] == '(');
    return fine;
}

/* Each answer belongs to its own read, whichever of them came. */
static bool reads_in_flight(bench *b, int32_t n)
{
    enum { READS = 12, DEPTH = 4 };
    pgc_error err;
    pgc_window *window = NULL;
    const pgc_window_options options = { .struct_size = sizeof options, .depth = DEPTH };
    bool all =
        CHECK_STATUS(pgc_window_open(pgc_pool_db(b->pool), &options, &window, &err), PGC_OK, &err);
    for (int32_t sent = 0, taken = 0; all && taken < READS;) {
        pgc_result *result = NULL;
        pgc_status status;
        if (sent < READS && pgc_window_count(window) < DEPTH) {
            pgc_args args;
            pgc_args_init(&args, NULL);
            pgc_add_i32(&args, n + sent++);
            status = pgc_window_send(window, &LEDGER_READ, &args, NULL, &err);
            pgc_args_done(&args);
            all = fair(status, true, &err) && status == PGC_OK;
            continue;
        }
        status = pgc_window_take(window, NULL, &result, &err);
        bool good = status == PGC_OK;
        if (good) {
            pgc_reader reader;
            pgc_reader_init(&reader, result, &LEDGER_READ);
            good = pgc_read_i32(&reader, 0, 0) == n + taken;
        }
        all = fair(status, good, &err) && status == PGC_OK;
        taken++;
        pgc_result_free(result);
    }
    pgc_window_close(window);
    return all;
}

static const struct {
    const char *name;
    work_fn run;
} WORK[] = { { "point reads", point_reads }, { "marked reads", marked_reads },
             { "transaction", transaction }, { "pipeline", atomic_pipeline },
             { "scope", scoped_write },      { "big result", big_result },
             { "script", simple_script },    { "window", reads_in_flight } };

/* With the network in order again the next call succeeds, on whatever connection. */
static void recovers(bench *b)
{
    pgc_error err;
    bool good = false;
    pgc_status status = ledger_run(pgc_pool_db(b->pool), &LEDGER_READ, ++b->next, &good, &err);
    CHECK_STATUS(status, PGC_OK, &err);
    CHECK(good);
    pgc_pool_stats stats;
    pgc_pool_get_stats(b->pool, &stats);
    CHECK_INT(stats.acquired, 0);
    CHECK_INT(stats.waiters, 0);
}

/* One round: the plan is armed, the work runs, the network is healed. */
static bool one_round(bench *b, size_t work, const proxy_plan *plan)
{
    int before = tap_failures;
    int64_t began_us = clock_os()->mono_us(NULL);
    proxy_arm(b->net, plan);
    b->next += 200; /* numbers of its own, for each row of LedgerRows */
    (void) WORK[work].run(b, b->next);
    bool fired = proxy_heal(b->net);
    b->next += 200;
    recovers(b);
    /* A call ends at its deadline, or with the grace for a cancel: 30 s is far beyond both. */
    CHECK(clock_os()->mono_us(NULL) - began_us < 30000000);
    if (tap_failures > before) {
        printf("# %s, fault %d of side %d after %" PRIu64 "\n", WORK[work].name, (int) plan->fault,
               (int) plan->side, plan->after);
    }
    return fired;
}

/* Bytes of one run of the work in each direction; fresh: with connecting. */
static void measure(bench *b, size_t work, bool fresh, uint64_t counts[2])
{
    const proxy_plan none = { .fault = PROXY_PASS };
    if (fresh) {
        CHECK(open_pool(b, 0));
    }
    proxy_arm(b->net, &none);
    b->next += 200;
    CHECK(WORK[work].run(b, b->next));
    counts[0] = proxy_count(b->net, PROXY_FROM_CLIENT);
    counts[1] = proxy_count(b->net, PROXY_FROM_SERVER);
}

#define CUTS_MIN 500 /* that fire; some offsets lie behind the last byte */

/* A fifth of the rounds begins with a new pool, so that logging in is cut as well. */
static void cut_at_any_byte(void)
{
    static const proxy_fault FAULTS[] = { PROXY_CUT, PROXY_RESET, PROXY_HALF_CLOSE };
    BENCH(b, 0);
    int fired = 0, rounds = 0;
    uint64_t state = seed;
    uint64_t spans[ARRAY_LEN(WORK)][2][2];
    for (size_t work = 0; work < ARRAY_LEN(WORK); work++) {
        measure(&b, work, true, spans[work][1]);
        measure(&b, work, false, spans[work][0]);
    }
    for (; fired < CUTS_MIN && rounds < 2 * CUTS_MIN; rounds++) {
        bool fresh = random_below(&state, 5) == 0;
        size_t work = (size_t) rounds % ARRAY_LEN(WORK);
        proxy_side side = random_below(&state, 2) == 0 ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER;
        const proxy_plan plan = {
            .fault = FAULTS[random_below(&state, ARRAY_LEN(FAULTS))],
            .side = side,
            .after = random_below(&state, (size_t) spans[work][fresh ? 1 : 0][side]),
        };
        REQUIRE(!fresh || open_pool(&b, 0));
        fired += one_round(&b, work, &plan) ? 1 : 0;
    }
    printf("# %d cuts at random bytes in %d rounds\n", fired, rounds);
    CHECK_INT(fired, CUTS_MIN);
}

static void garbage_between_messages(void)
{
    BENCH(b, 1000000);
    int fired = 0;
    uint64_t state = seed + 1;
    for (int i = 0; i < 60; i++) {
        size_t work = random_below(&state, ARRAY_LEN(WORK));
        const proxy_plan plan = {
            .fault = PROXY_GARBAGE,
            .side = random_below(&state, 2) == 0 ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER,
            .after = random_below(&state, 300),
            .seed = random_u64(&state),
        };
        REQUIRE(i % 3 != 0 || open_pool(&b, 1000000));
        fired += one_round(&b, work, &plan) ? 1 : 0;
    }
    printf("# garbage in %d rounds\n", fired);
    CHECK(fired >= 20);
}

/* Slow is not broken: everything succeeds. */
static void delays_and_drips(void)
{
    static const proxy_fault FAULTS[] = { PROXY_DELAY, PROXY_DRIP };
    BENCH(b, 0);
    uint64_t state = seed + 2;
    for (int i = 0; i < 40; i++) {
        const proxy_plan plan = {
            .fault = FAULTS[i % 2],
            .side = random_below(&state, 2) == 0 ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER,
            .after = random_below(&state, 200),
            .delay_us = 10000,
        };
        REQUIRE(open_pool(&b, 0)); /* the heal of the round before cut its connections */
        proxy_arm(b.net, &plan);
        b.next += 200;
        CHECK(WORK[random_below(&state, ARRAY_LEN(WORK))].run(&b, b.next));
        (void) proxy_heal(b.net);
    }
}

/* The answer comes after the deadline and behind a cancel: the next question must not get it. */
static void late_answers_go_to_nobody_else(void)
{
    BENCH(b, 20000);
    uint64_t state = seed + 3;
    int late = 0;
    for (int i = 0; i < 40; i++) {
        const proxy_plan plan = {
            .fault = PROXY_DELAY,
            .side = random_below(&state, 2) == 0 ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER,
            .after = random_below(&state, 60),
            .delay_us = 15000 + (int64_t) random_below(&state, 30000),
        };
        proxy_arm(b.net, &plan);
        for (int32_t q = 0; q < 4; q++) {
            pgc_error err;
            bool good = false;
            int64_t began_us = clock_os()->mono_us(NULL);
            pgc_status status =
                ledger_run(pgc_pool_db(b.pool), &LEDGER_ECHO, ++b.next, &good, &err);
            (void) fair(status, good, &err);
            late += clock_os()->mono_us(NULL) - began_us > 20000 ? 1 : 0;
        }
        (void) proxy_heal(b.net);
    }
    printf("# %d calls ran into their deadline\n", late);
    CHECK(late > 0);
}

/* One silent peer per thread: each costs the deadline and the grace of its cancel. */
typedef struct silence {
    bench b;
    pthread_t thread;
    pgc_status status;
    pgc_error err;
    int64_t took_us;
} silence;

static void *ask_into_silence(void *arg)
{
    silence *s = arg;
    bool good = false;
    int64_t began_us = clock_os()->mono_us(NULL);
    s->status = ledger_run(pgc_pool_db(s->b.pool), &LEDGER_ECHO, 1, &good, &s->err);
    s->took_us = clock_os()->mono_us(NULL) - began_us;
    return NULL;
}

static void a_silent_peer_costs_the_deadline_only(void)
{
    enum { COUNT = 6 };
    silence all[COUNT];
    int ready = 0;
    for (; ready < COUNT && open_bench(&all[ready].b, 200000); ready++) {
        recovers(&all[ready].b);
        const proxy_plan plan = { .fault = PROXY_BLACK_HOLE,
                                  .side = ready % 2 == 0 ? PROXY_FROM_CLIENT : PROXY_FROM_SERVER,
                                  .after = (uint64_t) (ready / 2) * 9 };
        proxy_arm(all[ready].b.net, &plan);
        if (!CHECK(pthread_create(&all[ready].thread, NULL, ask_into_silence, &all[ready]) == 0)) {
            break;
        }
    }
    CHECK_INT(ready, COUNT);
    for (int i = 0; i < ready; i++) {
        silence *s = &all[i];
        (void) pthread_join(s->thread, NULL);
        CHECK_STATUS(s->status, PGC_TIMEOUT, &s->err);
        CHECK(strstr(s->err.message, "deadline") != NULL);
        CHECK(s->took_us < 200000 + 4 * CALL_CANCEL_GRACE_US);
        CHECK(proxy_heal(s->b.net));
        recovers(&s->b);
        close_bench(&s->b);
    }
}

/* While logging in nobody can be asked to stop: the connect deadline ends it. */
static void silence_at_login_ends_at_the_connect_deadline(void)
{
    BENCH(b, 0);
    recovers(&b); /* the pool has its connection: it takes no part */
    for (uint64_t after = 0; after < 40; after += 20) {
        const proxy_plan plan = { .fault = PROXY_BLACK_HOLE,
                                  .side = PROXY_FROM_SERVER,
                                  .after = after };
        proxy_arm(b.net, &plan);
        pgc_error err;
        pgc_conn *conn = NULL;
        const pgc_conn_options options = { .struct_size = sizeof options,
                                           .conninfo = proxy_conninfo(b.net),
                                           .connect_timeout_us = 200000 };
        CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_TIMEOUT, &err);
        CHECK(strstr(err.message, "connect") != NULL);
        CHECK(proxy_heal(b.net));
    }
}

int main(void)
{
    static const tap_case CASES[] = {
        TAP("network: cut at any byte", cut_at_any_byte),
        TAP("network: garbage between messages", garbage_between_messages),
        TAP("network: delays and drips change nothing", delays_and_drips),
        TAP("network: late answers go to nobody else", late_answers_go_to_nobody_else),
        TAP("network: a silent peer costs the deadline only",
            a_silent_peer_costs_the_deadline_only),
        TAP("network: silence at login ends at the connect deadline",
            silence_at_login_ends_at_the_connect_deadline),
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
