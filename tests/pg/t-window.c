/* Reads in flight against a real server: order, failures, deadlines, lost connections. */
#include "base/prelude.h"

#include <pgc/pool.h>
#include <pgc/tx.h>
#include <pgc/window.h>

#include "pgc/auto.h"

#include "live.h"
#include "oom.h"
#include "tap.h"

static const pgc_type_ref P_INT4[] = { { "n", "integer", 23 } };
static const pgc_type_ref P_TEXT[] = { { "n", "text", 25 } };
static const pgc_type_ref C_INT4[] = { { "x", "integer", 23 } };
static const pgc_type_ref C_TEXT[] = { { "x", "text", 25 } };

#define READ(query_name, text, ptypes, ctypes)                                               \
    {                                                                                        \
        .name = (query_name), .sql = (text), .flags = PGC_QUERY_READ_ONLY, .param_count = 1, \
        .column_count = 1, .params = (ptypes), .columns = (ctypes)                           \
    }
static const pgc_query ECHO = READ("Echo", "SELECT $1 AS x", P_INT4, C_INT4);
static const pgc_query OTHER = READ("Other", "SELECT $1 + 0 AS x", P_INT4, C_INT4);
static const pgc_query DIVIDE = READ("Divide", "SELECT 10 / $1 AS x", P_INT4, C_INT4);
static const pgc_query OOPS = READ("Oops", "SELECT $1 AS x FROM no_such_table", P_INT4, C_INT4);
static const pgc_query WRONG = READ("Wrong", "SELECT $1 || '' AS x", P_TEXT, C_INT4);
static const pgc_query SLEEP = READ("Sleep", "SELECT $1 AS x FROM pg_sleep($1)", P_INT4, C_INT4);
static const pgc_query LONG = READ("Long", "SELECT $1 AS x", P_TEXT, C_TEXT);
static const pgc_query WHO =
    READ("Who", "SELECT $1 + current_setting('app.user_id')::int AS x", P_INT4, C_INT4);
static const pgc_query PID = READ("Pid", "SELECT pg_backend_pid() + $1 AS x", P_INT4, C_INT4);

static void window_auto(pgc_window **window)
{
    pgc_window_close(*window);
}

#define WINDOW(name, db, how_deep)                                                    \
    AUTO(window_auto) pgc_window *name = NULL;                                        \
    const pgc_window_options name##_options = { .struct_size = sizeof name##_options, \
                                                .depth = (how_deep) };                \
    REQUIRE_OK(pgc_window_open((db), &name##_options, &name, &err), &err)

/* The number is the tag, too. */
static pgc_status send(pgc_window *window, const pgc_query *query, int32_t n, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_status status = pgc_window_send(window, query, &args, (void *) (intptr_t) n, err);
    memset(&args.scratch, 0xff, sizeof args.scratch); /* values were copied */
    pgc_args_done(&args);
    return status;
}

/* Value of the oldest, or -(status). */
static int32_t take(pgc_window *window, int32_t *tag_out, pgc_error *err)
{
    void *tag = NULL;
    pgc_result *result = NULL;
    pgc_status status = pgc_window_take(window, &tag, &result, err);
    *tag_out = (int32_t) (intptr_t) tag;
    if (status != PGC_OK) {
        return -(int32_t) status;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    int32_t x = pgc_result_rows(result) > 0 ? pgc_read_i32(&reader, 0, 0) : INT32_MIN;
    pgc_result_free(result);
    return x;
}

#define CHECK_TAKE(window, want_tag, want)              \
    do {                                                \
        int32_t tag_;                                   \
        CHECK_INT(take((window), &tag_, &err), (want)); \
        CHECK_INT(tag_, (want_tag));                    \
    } while (0)

static void answers_come_in_order(void)
{
    static const uint32_t DEPTHS[] = { 1, 2, 7, 8, 64, 1000 };
    for (size_t d = 0; d < ARRAY_LEN(DEPTHS); d++) {
        LIVE(conn);
        pgc_error err;
        WINDOW(window, pgc_conn_db(conn), DEPTHS[d]);
        int32_t sent = 0, taken = 0, wrong = 0;
        while (taken < 3000) {
            if (sent < 3000 && pgc_window_count(window) < DEPTHS[d]) {
                REQUIRE_OK(send(window, sent % 3 == 0 ? &OTHER : &ECHO, sent, &err), &err);
                sent++;
            } else {
                int32_t tag = -1;
                wrong += take(window, &tag, &err) != taken || tag != taken ? 1 : 0;
                taken++;
            }
        }
        CHECK_INT(wrong, 0);
        CHECK_INT(pgc_window_count(window), 0);
        CHECK_STATUS(pgc_window_take(window, NULL, NULL, &err), PGC_NOT_FOUND, &err);
    }
}

/* Between the sends of one group, and of the next. */
static void a_failure_concerns_its_own_query(void)
{
    LIVE(conn);
    pgc_error err;
    WINDOW(window, pgc_conn_db(conn), 16);
    for (int32_t i = 1; i <= 12; i++) {
        REQUIRE_OK(send(window, i % 5 == 0 ? &DIVIDE : &ECHO, i % 5 == 0 ? i - i / 5 * 5 : i, &err),
                   &err);
    }
    for (int32_t i = 1; i <= 12; i++) {
        int32_t tag;
        int32_t got = take(window, &tag, &err);
        if (i % 5 == 0) {
            CHECK(got < 0);
            CHECK_STR(err.sqlstate, "22012");
            CHECK_STR(err.query, "Divide");
        } else {
            CHECK_INT(got, i);
        }
    }
    /* The session is as good as before. */
    REQUIRE_OK(send(window, &ECHO, 13, &err), &err);
    CHECK_TAKE(window, 13, 13);
}

/* What a first use fails of is told when its turn comes; those before it are not disturbed. */
static void a_query_that_cannot_be_prepared_fails_alone(void)
{
    LIVE(conn);
    pgc_error err;
    WINDOW(window, pgc_conn_db(conn), 8);
    for (int32_t i = 0; i < 2; i++) {
        REQUIRE_OK(send(window, &ECHO, 1, &err), &err);
        REQUIRE_OK(send(window, &OOPS, 2, &err), &err);
        REQUIRE_OK(send(window, &ECHO, 3, &err), &err);
        CHECK_TAKE(window, 1, 1);
        int32_t tag;
        CHECK(take(window, &tag, &err) < 0);
        CHECK_STR(err.sqlstate, "42P01");
        CHECK_TAKE(window, 3, 3);
    }
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from("x"));
    REQUIRE_OK(pgc_window_send(window, &WRONG, &args, NULL, &err), &err);
    pgc_args_done(&args);
    CHECK_STATUS(pgc_window_take(window, NULL, NULL, &err), PGC_SCHEMA, &err);
}

static void misuse_is_refused(void)
{
    LIVE(conn);
    pgc_error err;
    pgc_window *none = NULL;
    static const pgc_query write = { .name = "Write", .sql = "CREATE TEMP TABLE t ()" };
    pgc_window_options options = { .struct_size = sizeof options, .depth = 1001 };
    CHECK_STATUS(pgc_window_open(NULL, NULL, &none, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_window_open(pgc_conn_db(conn), &options, &none, &err), PGC_INVALID, &err);
    options.struct_size = 0;
    CHECK_STATUS(pgc_window_open(pgc_conn_db(conn), &options, &none, &err), PGC_INVALID, &err);
    CHECK(none == NULL);
    pgc_window_close(NULL);
    CHECK_INT(pgc_window_count(NULL), 0);
    WINDOW(window, pgc_conn_db(conn), 2);
    CHECK_STATUS(pgc_window_send(window, NULL, NULL, NULL, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_window_send(window, &write, NULL, NULL, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "Write is no read") != NULL);
    CHECK_STATUS(pgc_window_send(window, &ECHO, NULL, NULL, &err), PGC_INVALID, &err);
    CHECK_INT(pgc_window_count(window), 0);
    REQUIRE_OK(send(window, &ECHO, 1, &err), &err);
    REQUIRE_OK(send(window, &ECHO, 2, &err), &err);
    CHECK_STATUS(send(window, &ECHO, 3, &err), PGC_INVALID, &err);
    /* The connection is busy meanwhile. */
    CHECK_STATUS(pgc_conn_script(conn, "SELECT 1", 0, NULL, &err), PGC_INVALID, &err);
    CHECK_TAKE(window, 1, 1);
    CHECK_TAKE(window, 2, 2);
    CHECK(live_do(conn, "SELECT 1"));
}

static void outdated_statements_run_again(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_query rows = READ("Rows", "SELECT n + $1 AS x FROM pg_temp.w", P_INT4, C_INT4);
    WINDOW(window, pgc_conn_db(conn), 8);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE w AS SELECT 1 AS n"));
    for (int32_t i = 0; i < 4; i++) {
        REQUIRE_OK(send(window, i % 2 == 0 ? &rows : &ECHO, i, &err), &err);
    }
    for (int32_t i = 0; i < 4; i++) {
        CHECK_TAKE(window, i, i % 2 == 0 ? i + 1 : i);
    }
    REQUIRE(live_do(conn, "DEALLOCATE ALL"));
    REQUIRE_OK(send(window, &rows, 5, &err), &err);
    REQUIRE_OK(send(window, &ECHO, 6, &err), &err);
    CHECK_TAKE(window, 5, 6);
    CHECK_TAKE(window, 6, 6);
    REQUIRE(live_do(conn, "ALTER TABLE pg_temp.w ALTER n TYPE bigint"));
    REQUIRE_OK(send(window, &ECHO, 7, &err), &err);
    REQUIRE_OK(send(window, &rows, 8, &err), &err);
    CHECK_TAKE(window, 7, 7);
    CHECK_TAKE(window, 8, -(int32_t) PGC_SCHEMA); /* bigint now, as the server says */
}

/* The deadline of one read is not that of those behind it. */
static void a_deadline_ends_its_own_read(void)
{
    pgc_error err;
    pgc_conn_options options = live_options();
    options.call_timeout_us = 300000;
    AUTO(live_close) pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    WINDOW(window, pgc_conn_db(conn), 8);
    for (int turn = 0; turn < 2; turn++) {
        REQUIRE_OK(send(window, &ECHO, 1, &err), &err);
        REQUIRE_OK(send(window, &SLEEP, 60, &err), &err);
        for (int32_t i = 3; i <= 8; i++) {
            REQUIRE_OK(send(window, &ECHO, i, &err), &err);
        }
        CHECK_TAKE(window, 1, 1);
        CHECK_TAKE(window, 60, -(int32_t) PGC_TIMEOUT);
        for (int32_t i = 3; i <= 8; i++) {
            CHECK_TAKE(window, i, i);
        }
    }
    CHECK(pgc_conn_alive(conn));
}

/* Later uses of these queries do not wait for those in flight. Gives the session. */
static int32_t prepare_sleep(pgc_window *window)
{
    pgc_error err;
    int32_t tag, pid = 0;
    CHECK_STATUS(send(window, &PID, 0, &err), PGC_OK, &err);
    CHECK_STATUS(send(window, &SLEEP, 0, &err), PGC_OK, &err);
    CHECK_STATUS(send(window, &ECHO, 0, &err), PGC_OK, &err);
    pid = take(window, &tag, &err);
    CHECK_TAKE(window, 0, 0);
    CHECK_TAKE(window, 0, 0);
    return pid;
}

static bool signal_session(pgc_conn *outside, const char *how, int32_t pid)
{
    char sql[80];
    (void) snprintf(sql, sizeof sql, "SELECT %s(%" PRId32 ")", how, pid);
    return live_do(outside, sql);
}

static void a_cancel_ends_the_read_that_runs(void)
{
    LIVE(conn);
    LIVE(outside);
    pgc_error err;
    WINDOW(window, pgc_conn_db(conn), 4);
    int32_t pid = prepare_sleep(window);
    for (int turn = 0; turn < 3; turn++) {
        REQUIRE_OK(send(window, &SLEEP, 60, &err), &err);
        REQUIRE_OK(send(window, &ECHO, 2, &err), &err); /* half of the room: on its way */
        char sleeps[8], sql[120];
        (void) snprintf(sql, sizeof sql,
                        "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = %" PRId32,
                        pid);
        while (strcmp(live_text(outside, sql, sleeps, sizeof sleeps), "t") != 0) {
        }
        REQUIRE(signal_session(outside, "pg_cancel_backend", pid));
        CHECK_TAKE(window, 60, -(int32_t) PGC_CANCELLED);
        CHECK_TAKE(window, 2, 2);
    }
}

/* All that was under way fails and may be sent again; the next send has a connection anew. */
static void a_lost_connection_is_replaced(void)
{
    LIVE(outside);
    pgc_error err;
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = live_options(),
                                       .max_conns = 1 };
    AUTO(pool_auto) pgc_pool *pool = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    WINDOW(window, pgc_pool_db(pool), 8);
    for (int turn = 0; turn < 2; turn++) {
        int32_t pid = prepare_sleep(window), tag;
        REQUIRE_OK(send(window, &SLEEP, 60, &err), &err);
        for (int32_t i = 2; i <= 5; i++) {
            REQUIRE_OK(send(window, &ECHO, i, &err), &err);
        }
        REQUIRE(signal_session(outside, "pg_terminate_backend", pid));
        for (int32_t i = 0; i < 5; i++) {
            CHECK_INT(take(window, &tag, &err), -(int32_t) PGC_CONNECTION);
            CHECK(err.retry);
        }
        REQUIRE_OK(send(window, &ECHO, 6, &err), &err);
        CHECK_TAKE(window, 6, 6);
    }
    /* With a first use in between the loss is met while sending. */
    int32_t pid = prepare_sleep(window), tag;
    REQUIRE_OK(send(window, &ECHO, 7, &err), &err);
    REQUIRE(signal_session(outside, "pg_terminate_backend", pid));
    REQUIRE_OK(send(window, &OTHER, 8, &err), &err);
    int32_t seventh = take(window, &tag, &err);
    CHECK(seventh == 7 || seventh == -(int32_t) PGC_CONNECTION);
    CHECK_INT(tag, 7);
    int32_t eighth = take(window, &tag, &err);
    CHECK(eighth == 8 || eighth == -(int32_t) PGC_CONNECTION);
}

/* More under way than all buffers between the two hold: nobody waits for the other for ever. */
static void much_data_does_not_block(void)
{
    enum { SIZE = 1 << 20, MANY = 32 };
    LIVE(conn);
    pgc_error err;
    WINDOW(window, pgc_conn_db(conn), MANY);
    char *text = calloc(1, SIZE);
    REQUIRE(text != NULL);
    memset(text, 'a', SIZE);
    int wrong = 0;
    for (int i = 0; i < 2 * MANY; i++) {
        pgc_args args;
        pgc_args_init(&args, NULL);
        pgc_add_text(&args, (pgc_text) { text, SIZE });
        pgc_result *result = NULL;
        if (i >= MANY) {
            wrong += pgc_window_take(window, NULL, &result, &err) != PGC_OK ? 1 : 0;
            pgc_reader reader;
            pgc_reader_init(&reader, result, NULL);
            wrong += pgc_read_text(&reader, 0, 0).len != SIZE ? 1 : 0;
            pgc_result_free(result);
        }
        wrong += pgc_window_send(window, &LONG, &args, NULL, &err) != PGC_OK ? 1 : 0;
        pgc_args_done(&args);
    }
    CHECK_INT(wrong, 0);
    CHECK_INT(pgc_window_count(window), MANY);
    free(text);
}

static void settings_go_ahead_of_each_group(void)
{
    pgc_error err;
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = live_options(),
                                       .max_conns = 1 };
    const pgc_setting user = { "app.user_id", "100" };
    AUTO(pool_auto) pgc_pool *pool = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    {
        AUTO(scope_auto) pgc_scope *scope = NULL;
        REQUIRE_OK(pgc_scope_open(pool, &user, 1, &scope, &err), &err);
        WINDOW(window, pgc_scope_db(scope), 6);
        for (int32_t i = 0; i < 50; i++) {
            REQUIRE_OK(send(window, i == 20 ? &DIVIDE : &WHO, i == 20 ? 0 : i, &err), &err);
            if (i >= 5) {
                int32_t tag, got = take(window, &tag, &err);
                CHECK(i == 25 ? got < 0 && strcmp(err.sqlstate, "22012") == 0 : got == i + 95);
            }
        }
    }
    /* They ended with their transactions. */
    char text[16];
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    CHECK_STR(live_text(conn, "SELECT current_setting('app.user_id', true)", text, sizeof text),
              "");
    pgc_pool_release(pool, conn);
}

static void reads_of_a_transaction_see_its_rows(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_query rows = READ("Rows", "SELECT n + $1 AS x FROM pg_temp.w", P_INT4, C_INT4);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE w AS SELECT 1 AS n; BEGIN; UPDATE w SET n = 5"));
    {
        WINDOW(window, pgc_conn_db(conn), 4);
        for (int32_t i = 0; i < 3; i++) {
            REQUIRE_OK(send(window, &rows, i, &err), &err);
        }
        for (int32_t i = 0; i < 3; i++) {
            CHECK_TAKE(window, i, i + 5);
        }
        /* What stands behind a failure fails with the transaction. */
        int32_t tag;
        REQUIRE_OK(send(window, &DIVIDE, 0, &err), &err);
        REQUIRE_OK(send(window, &rows, 1, &err), &err);
        CHECK(take(window, &tag, &err) < 0);
        CHECK_STR(err.sqlstate, "22012");
        CHECK(take(window, &tag, &err) < 0);
        CHECK_STR(err.sqlstate, "25P02");
    }
    CHECK(live_do(conn, "ROLLBACK"));
}

static void closing_drops_what_is_in_flight(void)
{
    LIVE(conn);
    pgc_error err;
    {
        WINDOW(window, pgc_conn_db(conn), 8);
        for (int32_t i = 0; i < 7; i++) {
            REQUIRE_OK(send(window, i == 3 ? &DIVIDE : &ECHO, i == 3 ? 0 : i, &err), &err);
        }
        CHECK_TAKE(window, 0, 0);
    }
    char text[8];
    CHECK_STR(live_text(conn, "SELECT 'well'", text, sizeof text), "well");
}

static void on_query(void *ctx, const pgc_query_event *event, void *span)
{
    (void) event, (void) span;
    ++*(int *) ctx;
}

static void hooks_hear_of_each_read(void)
{
    pgc_error err;
    int heard = 0;
    const pgc_hooks hooks = { .struct_size = sizeof hooks,
                              .ctx = &heard,
                              .on_batch_query = on_query };
    pgc_conn_options options = live_options();
    options.hooks = &hooks;
    AUTO(live_close) pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    WINDOW(window, pgc_conn_db(conn), 4);
    for (int32_t i = 0; i < 20; i++) {
        REQUIRE_OK(send(window, &ECHO, i, &err), &err);
        if (i >= 3) {
            CHECK_TAKE(window, i - 3, i - 3);
        }
    }
    for (int32_t i = 17; i < 20; i++) {
        CHECK_TAKE(window, i, i);
    }
    CHECK_INT(heard, 20);
}

/* A round of reads; false when memory ran out somewhere, for which PGC_NOMEM is the word. */
static bool some_reads(pgc_window *window, int *wrong)
{
    pgc_error err;
    int32_t tag, sent = 0;
    bool all = true;
    for (; sent < 12; sent++) {
        pgc_status status = send(window, sent == 5 ? &DIVIDE : &ECHO, sent == 5 ? 0 : sent, &err);
        if (status != PGC_OK) {
            *wrong += status != PGC_NOMEM && status != PGC_CONNECTION ? 1 : 0;
            all = false;
            break;
        }
    }
    while (pgc_window_count(window) > 0) {
        int32_t got = take(window, &tag, &err);
        bool failed = got == -(int32_t) PGC_NOMEM || got == -(int32_t) PGC_CONNECTION;
        all = all && !failed;
        *wrong += !failed && got != tag && !(tag == 0 && got < 0) ? 1 : 0;
    }
    return all;
}

static void survives_failing_allocations(void)
{
    pgc_error err;
    bool complete = false;
    int wrong = 0, runs = 0;
    for (int fail_at = 1; !complete && fail_at < 1000; fail_at++, runs++) {
        oom_plan plan = { 0 };
        const pgc_alloc alloc = oom_alloc(&plan);
        pgc_conn_options options = live_options();
        options.alloc = &alloc;
        AUTO(live_close) pgc_conn *conn = NULL;
        REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
        const pgc_window_options how = { .struct_size = sizeof how, .depth = 16, .alloc = &alloc };
        pgc_window *window = NULL;
        plan.calls = 0;
        plan.fail_at = fail_at;
        pgc_status status = pgc_window_open(pgc_conn_db(conn), &how, &window, &err);
        if (status != PGC_OK) {
            CHECK_STATUS(status, PGC_NOMEM, &err);
        } else {
            complete = some_reads(window, &wrong) && plan.calls < fail_at;
        }
        pgc_window_close(window);
        live_close(&conn);
        conn = NULL;
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    CHECK(complete);
    CHECK(runs > 15);
    CHECK_INT(wrong, 0);
}

TAP_MAIN(TAP("window: answers come in order, with their tags", answers_come_in_order),
         TAP("window: a failure concerns its own query", a_failure_concerns_its_own_query),
         TAP("window: a query that cannot be prepared fails alone",
             a_query_that_cannot_be_prepared_fails_alone),
         TAP("window: misuse is refused", misuse_is_refused),
         TAP("window: outdated statements run again", outdated_statements_run_again),
         TAP("window: a deadline ends its own read", a_deadline_ends_its_own_read),
         TAP("window: a cancel ends the read that runs", a_cancel_ends_the_read_that_runs),
         TAP("window: a lost connection is replaced", a_lost_connection_is_replaced),
         TAP("window: much data does not block", much_data_does_not_block),
         TAP("window: settings go ahead of each group", settings_go_ahead_of_each_group),
         TAP("window: reads of a transaction see its rows", reads_of_a_transaction_see_its_rows),
         TAP("window: closing drops what is in flight", closing_drops_what_is_in_flight),
         TAP("window: hooks hear of each read", hooks_hear_of_each_read),
         TAP("window: survives failing allocations", survives_failing_allocations))
