/* The hook table: every kind of event, on a real server. */
#include "base/prelude.h"

#include <pgc/hooks.h>
#include <pgc/pipeline.h>
#include <pgc/pool.h>
#include <pgc/tx.h>

#include "pgc/auto.h"

#include "live.h"
#include "tap.h"

static const pgc_query ONE_ROW = { .name = "OneRow", .sql = "SELECT 7", .hash = 0x40c1 };
static const pgc_query THREE = { .name = "Three", .sql = "SELECT generate_series(1, 3)" };
static const pgc_query BROKEN = { .name = "Broken", .sql = "SELECT 1 / 0" };

/* What was told, in order; texts are copied, because an event ends with its call. */
typedef struct told {
    char lines[4096];
    size_t len;
    int starts, ends, wrong_spans;
    int64_t rows, bytes, duration_us;
    int32_t backend_pid;
} told;

__attribute__((format(printf, 2, 3))) static void tell(told *t, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(t->lines + t->len, sizeof t->lines - t->len, fmt, args);
    va_end(args);
    t->len += len > 0 && (size_t) len < sizeof t->lines - t->len ? (size_t) len : 0;
}

static void query_start(void *ctx, const pgc_query_event *event, void **span)
{
    told *t = ctx;
    t->starts++;
    t->wrong_spans += *span == NULL ? 0 : 1;
    *span = t;
    tell(t, "start %s %" PRIu32 "\n", event->name, event->batch_size);
}

static void query_end(void *ctx, const pgc_query_event *event, void *span)
{
    told *t = ctx;
    t->ends++;
    t->wrong_spans += span == t ? 0 : 1;
    t->rows = event->rows;
    t->bytes = event->bytes;
    t->duration_us = event->duration_us;
    t->backend_pid = event->session->backend_pid;
    tell(t, "end %s %d %s try %" PRIu32 "\n", event->name, (int) event->status, event->sqlstate,
         event->attempt);
}

static void batch_query(void *ctx, const pgc_query_event *event, void *span)
{
    told *t = ctx;
    t->wrong_spans += span == t ? 0 : 1;
    tell(t, "part %" PRIu32 " %s %d %s\n", event->batch_index, event->name, (int) event->status,
         event->sqlstate);
}

static void on_connect(void *ctx, const pgc_connect_event *event)
{
    tell(ctx, "connect %d %s\n", (int) event->status, event->sqlstate);
}

static void on_disconnect(void *ctx, const pgc_connect_event *event)
{
    tell(ctx, "disconnect %d\n", (int) event->reason);
}

static void on_retry(void *ctx, const pgc_retry_event *event)
{
    tell(ctx, "retry %d %s %" PRIu32 " %s\n", (int) event->kind, event->name, event->attempt,
         event->sqlstate);
}

static void on_notice(void *ctx, const pgc_notice_event *event)
{
    tell(ctx, "notice %s %s %s (%s)\n", event->severity, event->sqlstate, event->message,
         event->hint);
}

static pgc_hooks hooks_of(told *t)
{
    *t = (told) { .len = 0 };
    return (pgc_hooks) { .struct_size = sizeof(pgc_hooks),
                         .ctx = t,
                         .on_query_start = query_start,
                         .on_query_end = query_end,
                         .on_batch_query = batch_query,
                         .on_connect = on_connect,
                         .on_disconnect = on_disconnect,
                         .on_retry = on_retry,
                         .on_notice = on_notice };
}

/* A connection that tells; NULL: no server. */
static pgc_conn *open_told(const pgc_hooks *hooks)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_conn_options options = live_options();
    options.hooks = hooks;
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_OK, &err);
    return conn;
}

static void a_query_is_told_from_start_to_end(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    const pgc_hooks hooks = hooks_of(&t);
    AUTO(conn_auto) pgc_conn *conn = open_told(&hooks);
    REQUIRE(conn != NULL);
    pgc_error err;
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &ONE_ROW, NULL, NULL, &err), PGC_OK, &err);
    CHECK_STR(t.lines, "connect 0 \nstart OneRow 0\nend OneRow 0  try 1\n");
    CHECK_INT(t.rows, 1);
    CHECK(t.bytes > 0);
    CHECK(t.duration_us > 0);
    CHECK_INT(t.backend_pid, pgc_conn_backend_pid(conn));
    CHECK_INT(t.wrong_spans, 0);
}

static void a_failure_is_told_with_its_code_though_the_caller_wants_none(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    const pgc_hooks hooks = hooks_of(&t);
    AUTO(conn_auto) pgc_conn *conn = open_told(&hooks);
    REQUIRE(conn != NULL);
    CHECK_INT(pgc_db_run(pgc_conn_db(conn), &BROKEN, NULL, NULL, NULL), PGC_INVALID);
    CHECK_STR(t.lines, "connect 0 \nstart Broken 0\nend Broken 2 22012 try 1\n");
    CHECK_INT(t.rows, 0);
}

static void a_script_is_one_operation_and_its_notices_are_told(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    const pgc_hooks hooks = hooks_of(&t);
    pgc_conn *conn = open_told(&hooks);
    REQUIRE(conn != NULL);
    CHECK(live_do(conn, "DO $$BEGIN RAISE WARNING 'look' USING HINT = 'there'; END$$; SELECT 1"));
    pgc_conn_close(conn);
    CHECK_STR(t.lines, "connect 0 \nstart script 0\nnotice WARNING 01000 look (there)\n"
                       "end script 0  try 1\ndisconnect 0\n");
}

static void a_batch_is_told_with_each_of_its_queries(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    const pgc_hooks hooks = hooks_of(&t);
    AUTO(conn_auto) pgc_conn *conn = open_told(&hooks);
    REQUIRE(conn != NULL);
    pgc_error err;
    AUTO(pipeline_auto) pgc_pipeline *batch = NULL;
    REQUIRE_OK(pgc_pipeline_open(conn, PGC_PIPELINE_ISOLATED, &batch, &err), &err);
    REQUIRE_OK(pgc_pipeline_add(batch, &THREE, NULL, NULL, &err), &err);
    REQUIRE_OK(pgc_pipeline_add(batch, &BROKEN, NULL, NULL, &err), &err);
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_INVALID, &err);
    CHECK_STR(t.lines, "connect 0 \nstart pipeline 2\npart 0 Three 0 \npart 1 Broken 2 22012\n"
                       "end pipeline 2 22012 try 1\n");
    CHECK_INT(t.rows, 3);
    CHECK_INT(t.wrong_spans, 0);
}

static void a_stale_statement_is_told_as_a_retry(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    const pgc_hooks hooks = hooks_of(&t);
    AUTO(conn_auto) pgc_conn *conn = open_told(&hooks);
    REQUIRE(conn != NULL);
    pgc_error err;
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &ONE_ROW, NULL, NULL, &err), PGC_OK, &err);
    REQUIRE(live_do(conn, "DEALLOCATE ALL"));
    t.len = 0;
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &ONE_ROW, NULL, NULL, &err), PGC_OK, &err);
    CHECK_STR(t.lines, "start OneRow 0\nretry 0 OneRow 1 26000\nend OneRow 0  try 2\n");
}

static void a_refused_login_and_a_lost_session_are_told(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    const pgc_hooks hooks = hooks_of(&t);
    pgc_conn_options options = live_options();
    options.hooks = &hooks;
    options.user = "t_hooks_nobody";
    pgc_conn *conn = NULL;
    CHECK_INT(pgc_conn_open(&options, &conn, NULL), PGC_CONNECTION);
    CHECK_STR(t.lines, "connect 5 28000\n");
    conn = open_told(&hooks);
    REQUIRE(conn != NULL);
    static const pgc_query die = { .name = "Die",
                                   .sql = "SELECT pg_terminate_backend(pg_backend_pid())" };
    CHECK_INT(pgc_db_run(pgc_conn_db(conn), &die, NULL, NULL, NULL), PGC_CONNECTION);
    pgc_conn_close(conn);
    CHECK_STR(t.lines, "connect 5 28000\nconnect 0 \nstart Die 0\nend Die 5 57P01 try 1\n"
                       "disconnect 1\n");
}

static pgc_status conflict_twice(pgc_tx *tx, void *arg, pgc_error *err)
{
    static const pgc_query conflict = {
        .name = "Conflict",
        .sql = "DO $$BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END$$"
    };
    int *calls = arg;
    return ++*calls > 2 ? PGC_OK : pgc_db_run(pgc_tx_db(tx), &conflict, NULL, NULL, err);
}

static void a_transaction_that_runs_again_is_told(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    pgc_hooks hooks = hooks_of(&t);
    hooks.on_query_start = NULL;
    hooks.on_query_end = NULL;
    hooks.on_connect = NULL;
    hooks.on_disconnect = NULL;
    pgc_error err;
    pgc_pool_options options = { .struct_size = sizeof options, .conn = live_options() };
    options.conn.hooks = &hooks;
    AUTO(pool_auto) pgc_pool *pool = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    int calls = 0;
    CHECK_STATUS(pgc_tx_run(pool, NULL, 0, conflict_twice, &calls, &err), PGC_OK, &err);
    CHECK_STR(t.lines, "retry 2 transaction 1 40001\nretry 2 transaction 2 40001\n");
}

static void settings_in_front_of_a_query_are_no_operation_of_their_own(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    pgc_hooks hooks = hooks_of(&t);
    hooks.on_connect = NULL;
    hooks.on_disconnect = NULL;
    AUTO(conn_auto) pgc_conn *conn = open_told(&hooks);
    REQUIRE(conn != NULL);
    pgc_error err;
    const pgc_setting setting = { "app.user_id", "7" };
    const pgc_tx_options options = { .struct_size = sizeof options,
                                     .settings = &setting,
                                     .setting_count = 1 };
    AUTO(tx_auto) pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, &options, &tx, &err), &err);
    REQUIRE_OK(pgc_tx_commit(&tx, &err), &err);
    CHECK_STR(t.lines, "start begin 0\nend begin 0  try 1\nstart commit 0\nend commit 0  try 1\n");
}

static void a_table_of_an_older_header_is_taken_as_far_as_it_goes(void)
{
    REQUIRE(live_url() != NULL);
    told t;
    pgc_hooks hooks = hooks_of(&t);
    hooks.struct_size = offsetof(pgc_hooks, on_connect);
    AUTO(conn_auto) pgc_conn *conn = open_told(&hooks);
    REQUIRE(conn != NULL);
    CHECK_STR(t.lines, "");
    hooks.struct_size = 0;
    pgc_error err;
    pgc_conn *other = NULL;
    pgc_conn_options options = live_options();
    options.hooks = &hooks;
    CHECK_STATUS(pgc_conn_open(&options, &other, &err), PGC_INVALID, &err);
}

TAP_MAIN(TAP("hooks: a query is told from start to end", a_query_is_told_from_start_to_end),
         TAP("hooks: a failure is told with its code though the caller wants none",
             a_failure_is_told_with_its_code_though_the_caller_wants_none),
         TAP("hooks: a script is one operation and its notices are told",
             a_script_is_one_operation_and_its_notices_are_told),
         TAP("hooks: a batch is told with each of its queries",
             a_batch_is_told_with_each_of_its_queries),
         TAP("hooks: a stale statement is told as a retry", a_stale_statement_is_told_as_a_retry),
         TAP("hooks: a refused login and a lost session are told",
             a_refused_login_and_a_lost_session_are_told),
         TAP("hooks: a transaction that runs again is told", a_transaction_that_runs_again_is_told),
         TAP("hooks: settings in front of a query are no operation of their own",
             settings_in_front_of_a_query_are_no_operation_of_their_own),
         TAP("hooks: a table of an older header is taken as far as it goes",
             a_table_of_an_older_header_is_taken_as_far_as_it_goes))
