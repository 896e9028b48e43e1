/* Rows one after another, and answers with bounds; real server. */
#include "base/prelude.h"

#include <pgc/rows.h>
#include <pgc/tx.h>

#include "pgc/auto.h"
#include "pgc/connection.h"

#include "live.h"
#include "tap.h"

static const pgc_type_ref P_INT4[] = { { "n", "integer", 23 } };
static const pgc_type_ref C_INT4[] = { { "x", "integer", 23 } };

#define INT_QUERY(query_name, text, query_flags)                                 \
    {                                                                            \
        .name = query_name, .sql = text, .flags = query_flags, .param_count = 1, \
        .column_count = 1, .params = P_INT4, .columns = C_INT4, .row_size = 8    \
    }

static const pgc_query COUNT_TO =
    INT_QUERY("CountTo", "SELECT generate_series(1, $1) AS x", PGC_QUERY_READ_ONLY);
static const pgc_query ENDLESS =
    INT_QUERY("Endless", "SELECT generate_series($1, 2000000000) AS x", PGC_QUERY_READ_ONLY);
static const pgc_query BREAKS_AT =
    INT_QUERY("BreaksAt", "SELECT 100 / ($1 - n) AS x FROM generate_series(1, 1000) AS n", 0);
static const pgc_query INSERTS =
    INT_QUERY("Inserts", "INSERT INTO pg_temp.t SELECT generate_series(1, $1) RETURNING x", 0);

static void rows_auto_close(pgc_rows **rows)
{
    pgc_rows_close(*rows);
}

static pgc_status open_with(pgc_db *db, const pgc_query *query, int32_t n,
                            const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_status status = pgc_rows_open(db, query, &args, options, out, err);
    pgc_args_done(&args);
    return status;
}

static pgc_status open_rows(pgc_db *db, const pgc_query *query, int32_t n, pgc_rows **out,
                            pgc_error *err)
{
    return open_with(db, query, n, NULL, out, err);
}

/* The next number; -1 at the end, -2 at a failure. */
static int32_t next_int(pgc_rows *rows, pgc_error *err)
{
    bool more = false;
    if (pgc_rows_next(rows, &more, err) != PGC_OK) {
        return -2;
    }
    return more ? pgc_read_i32(pgc_rows_reader(rows), pgc_rows_index(rows), 0) : -1;
}

static bool usable(pgc_conn *conn)
{
    char text[64];
    return strcmp(live_text(conn, "SELECT 'yes'", text, sizeof text), "yes") == 0;
}

static void gives_every_row_in_order(void)
{
    LIVE(conn);
    pgc_error err;
    for (int round = 0; round < 3; round++) {
        AUTO(rows_auto_close) pgc_rows *rows = NULL;
        REQUIRE_OK(open_rows(pgc_conn_db(conn), &COUNT_TO, 5000, &rows, &err), &err);
        CHECK_INT(pgc_rows_count(rows), 0);
        for (int32_t i = 1; i <= 5000; i++) {
            REQUIRE(next_int(rows, &err) == i);
        }
        CHECK_INT(next_int(rows, &err), -1);
        CHECK_INT(next_int(rows, &err), -1);
        CHECK_INT(pgc_rows_count(rows), 5000);
        /* Free before the close. */
        CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
        CHECK(usable(conn));
    }
    char text[64];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
              "1");
}

static void no_rows_are_an_end_at_once(void)
{
    LIVE(conn);
    pgc_error err;
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    REQUIRE_OK(open_rows(pgc_conn_db(conn), &COUNT_TO, 0, &rows, &err), &err);
    CHECK_INT(next_int(rows, &err), -1);
    CHECK_INT(pgc_rows_count(rows), 0);
    static const pgc_query no_columns = { .name = "Temp", .sql = "CREATE TEMP TABLE t2 ()" };
    AUTO(rows_auto_close) pgc_rows *none = NULL;
    REQUIRE_OK(pgc_rows_open(pgc_conn_db(conn), &no_columns, NULL, NULL, &none, &err), &err);
    CHECK_INT(next_int(none, &err), -1);
}

static void failures_show_at_the_open_or_at_their_row(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_query bad = { .name = "Bad", .sql = "SELECT nothing" };
    pgc_rows *rows = NULL;
    CHECK_STATUS(pgc_rows_open(pgc_conn_db(conn), &bad, NULL, NULL, &rows, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "42703");
    CHECK_STR(err.query, "Bad");
    CHECK(rows == NULL);
    CHECK_STATUS(open_rows(pgc_conn_db(conn), &BREAKS_AT, 1, &rows, &err), PGC_INVALID, &err);
    CHECK_STR(err.sqlstate, "22012");
    CHECK(rows == NULL);
    REQUIRE_OK(open_rows(pgc_conn_db(conn), &BREAKS_AT, 901, &rows, &err), &err);
    int given = 0;
    while (next_int(rows, &err) >= 0) {
        given++;
    }
    /* libpq 17 gives rows in chunks and drops the one that a failure leaves incomplete. */
    bool chunked = conn->pq->setChunkedRowsMode != NULL;
    CHECK(chunked ? given > 0 && given <= 900 : given == 900);
    for (int i = 0; i < 2; i++) {
        pgc_error_clear(&err);
        CHECK_INT(next_int(rows, &err), -2);
        CHECK_STR(err.sqlstate, "22012");
        CHECK_STR(err.query, "BreaksAt");
    }
    CHECK(usable(conn));
    pgc_rows_close(rows);
    CHECK_STATUS(pgc_rows_open(NULL, &bad, NULL, NULL, &rows, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_rows_next(NULL, NULL, &err), PGC_INVALID, &err);
}

static void an_early_close_cancels_a_read(void)
{
    LIVE(conn);
    pgc_error err;
    for (int32_t i = 0; i < 20; i++) {
        pgc_rows *rows = NULL;
        REQUIRE_OK(open_rows(pgc_conn_db(conn), &ENDLESS, i, &rows, &err), &err);
        CHECK_INT(next_int(rows, &err), i);
        pgc_rows_close(rows);
        REQUIRE(pgc_conn_alive(conn));
        REQUIRE_OK(open_rows(pgc_conn_db(conn), &COUNT_TO, 2, &rows, &err), &err);
        CHECK_INT(next_int(rows, &err), 1);
        CHECK_INT(next_int(rows, &err), 2);
        CHECK_INT(next_int(rows, &err), -1);
        pgc_rows_close(rows);
    }
}

static void an_early_close_lets_a_write_happen(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int4)"));
    pgc_error err;
    pgc_rows *rows = NULL;
    REQUIRE_OK(open_rows(pgc_conn_db(conn), &INSERTS, 30000, &rows, &err), &err);
    CHECK_INT(next_int(rows, &err), 1);
    pgc_rows_close(rows);
    char text[64];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "30000");
}

static void an_early_close_keeps_the_transaction(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int4)"));
    pgc_error err;
    AUTO(tx_auto) pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    pgc_rows *rows = NULL;
    REQUIRE_OK(open_rows(pgc_tx_db(tx), &INSERTS, 10, &rows, &err), &err);
    pgc_rows_close(rows);
    REQUIRE_OK(open_rows(pgc_tx_db(tx), &COUNT_TO, 50000, &rows, &err), &err);
    CHECK_INT(next_int(rows, &err), 1);
    /* Only one thing at a time. */
    CHECK_STATUS(pgc_db_run(pgc_tx_db(tx), &COUNT_TO, NULL, NULL, &err), PGC_INVALID, &err);
    pgc_rows_close(rows);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_OPEN);
    REQUIRE_OK(pgc_tx_commit(&tx, &err), &err);
    char text[64];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "10");
}

static void a_busy_connection_refuses_other_calls(void)
{
    LIVE(conn);
    pgc_error err;
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    AUTO(rows_auto_close) pgc_rows *more = NULL;
    REQUIRE_OK(open_rows(pgc_conn_db(conn), &COUNT_TO, 100000, &rows, &err), &err);
    static const pgc_query one = { .name = "One", .sql = "SELECT 1" };
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &one, NULL, NULL, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "busy") != NULL);
    CHECK_STATUS(open_rows(pgc_conn_db(conn), &COUNT_TO, 1, &more, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_conn_script(conn, "SELECT 1", 0, NULL, &err), PGC_INVALID, &err);
    for (int32_t i = 1; i <= 100000; i++) {
        REQUIRE(next_int(rows, &err) == i);
    }
    CHECK_INT(next_int(rows, &err), -1);
}

static void bounds_end_the_rows_and_keep_the_connection(void)
{
    LIVE(conn);
    pgc_error err;
    const pgc_run_options ten = { .struct_size = sizeof ten, .row_limit = 10 };
    const pgc_run_options forty = { .struct_size = sizeof forty, .byte_limit = 40 };
    const pgc_run_options *both[] = { &ten, &forty };
    for (int i = 0; i < 2; i++) {
        AUTO(rows_auto_close) pgc_rows *rows = NULL;
        REQUIRE_OK(open_with(pgc_conn_db(conn), &COUNT_TO, 10, both[i], &rows, &err), &err);
        while (next_int(rows, &err) >= 0) {
        }
        CHECK_INT(pgc_rows_count(rows), 10);
        AUTO(rows_auto_close) pgc_rows *endless = NULL;
        REQUIRE_OK(open_with(pgc_conn_db(conn), &ENDLESS, 1, both[i], &endless, &err), &err);
        for (int32_t n = 1; n <= 10; n++) {
            CHECK_INT(next_int(endless, &err), n);
        }
        bool more = true;
        CHECK_STATUS(pgc_rows_next(endless, &more, &err), PGC_LIMIT, &err);
        CHECK(!more);
        CHECK(strstr(err.message, "Endless") != NULL);
        CHECK_STR(err.query, "Endless");
        /* Free at once, and told again. */
        CHECK(usable(conn));
        CHECK_STATUS(pgc_rows_next(endless, &more, &err), PGC_LIMIT, &err);
    }
    const pgc_run_options wrong = { .struct_size = sizeof wrong, .row_limit = -1 };
    pgc_rows *rows = NULL;
    CHECK_STATUS(open_with(pgc_conn_db(conn), &COUNT_TO, 1, &wrong, &rows, &err), PGC_INVALID,
                 &err);
    const pgc_run_options unset = { 0 };
    CHECK_STATUS(open_with(pgc_conn_db(conn), &COUNT_TO, 1, &unset, &rows, &err), PGC_INVALID,
                 &err);
}

static pgc_status run_with(pgc_db *db, const pgc_query *query, int32_t n,
                           const pgc_run_options *options, pgc_result **out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    pgc_status status = pgc_db_run_with(db, query, &args, options, out, err);
    pgc_args_done(&args);
    return status;
}

static void a_bounded_answer_is_like_any_other(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_type_ref columns[] = { { "x", "integer", 23 }, { "t", "text", 25 } };
    static const pgc_query some_null = { .name = "SomeNull",
                                         .sql =
                                             "SELECT n AS x, CASE WHEN n % 2 = 0 THEN 'even ' || n"
                                             " END AS t FROM generate_series(1, $1) AS n",
                                         .param_count = 1,
                                         .column_count = 2,
                                         .params = P_INT4,
                                         .columns = columns };
    const pgc_run_options options = { .struct_size = sizeof options, .row_limit = 1000 };
    AUTO(rows_auto) pgc_result *result = NULL;
    REQUIRE_OK(run_with(pgc_conn_db(conn), &some_null, 1000, &options, &result, &err), &err);
    CHECK_INT(pgc_result_rows(result), 1000);
    CHECK_INT(pgc_result_affected(result), 1000);
    CHECK_STR(pgc_result_tag(result), "SELECT 1000");
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    CHECK_INT(pgc_read_i32(&reader, 999, 0), 1000);
    CHECK(pgc_read_opt_text(&reader, 998, 1).ptr == NULL);
    pgc_text text = pgc_read_opt_text(&reader, 999, 1);
    CHECK(text.len == 9 && memcmp(text.ptr, "even 1000", 9) == 0);
    REQUIRE_OK(pgc_reader_finish(&reader, &err), &err);
    AUTO(rows_auto) pgc_result *none = NULL;
    REQUIRE_OK(run_with(pgc_conn_db(conn), &some_null, 0, &options, &none, &err), &err);
    CHECK_INT(pgc_result_rows(none), 0);
    CHECK_INT(pgc_result_columns(none), 2);
    pgc_result *too_many = NULL;
    CHECK_STATUS(run_with(pgc_conn_db(conn), &some_null, 1001, &options, &too_many, &err),
                 PGC_LIMIT, &err);
    CHECK(too_many == NULL);
    REQUIRE_OK(run_with(pgc_conn_db(conn), &some_null, 1001, NULL, NULL, &err), &err);
    REQUIRE_OK(run_with(pgc_conn_db(conn), &some_null, 5, &options, NULL, &err), &err);
    CHECK(usable(conn));
}

static void a_huge_answer_leaves_the_connection_slim(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_type_ref text[] = { { "t", "text", 25 } };
    static const pgc_query wide = { .name = "Wide",
                                    .sql = "SELECT repeat('x', 10000) AS t"
                                           " FROM generate_series(1, 4000)",
                                    .column_count = 1,
                                    .columns = text };
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    REQUIRE_OK(pgc_rows_open(pgc_conn_db(conn), &wide, NULL, NULL, &rows, &err), &err);
    size_t bytes = 0;
    for (bool more = true; more;) {
        REQUIRE_OK(pgc_rows_next(rows, &more, &err), &err);
        bytes += more ? pgc_read_text(pgc_rows_reader(rows), pgc_rows_index(rows), 0).len : 0;
    }
    CHECK_INT(bytes, 40000000);
    CHECK(!conn->bloated);
}

static void a_reader_failure_is_told_at_the_next_step(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_query with_null = {
        .name = "WithNull",
        .sql = "SELECT nullif(n, 2) AS x FROM generate_series(1, 3) AS n",
        .column_count = 1,
        .columns = C_INT4
    };
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    REQUIRE_OK(pgc_rows_open(pgc_conn_db(conn), &with_null, NULL, NULL, &rows, &err), &err);
    CHECK_INT(next_int(rows, &err), 1);
    CHECK_INT(next_int(rows, &err), 0);
    CHECK_INT(next_int(rows, &err), -2);
    CHECK_INT(err.status, PGC_PROTOCOL);
    CHECK(strstr(err.message, "NULL") != NULL);
    CHECK(usable(conn));
}

static void a_commit_that_fails_is_told_at_the_end(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int4 UNIQUE DEFERRABLE INITIALLY DEFERRED);"
                          " INSERT INTO t VALUES (3)"));
    pgc_error err;
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    REQUIRE_OK(open_rows(pgc_conn_db(conn), &INSERTS, 4, &rows, &err), &err);
    for (int32_t i = 1; i <= 4; i++) {
        CHECK_INT(next_int(rows, &err), i);
    }
    CHECK_INT(next_int(rows, &err), -2);
    CHECK_INT(err.status, PGC_CONFLICT);
    CHECK_STR(err.sqlstate, "23505");
    char text[64];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "1");
}

static void stale_statements_recover_before_the_first_row(void)
{
    LIVE(conn);
    static const pgc_query star = {
        .name = "Star", .sql = "SELECT x FROM pg_temp.t", .column_count = 1, .columns = C_INT4
    };
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int4); INSERT INTO t VALUES (5)"));
    pgc_error err;
    for (int round = 0; round < 3; round++) {
        AUTO(rows_auto_close) pgc_rows *rows = NULL;
        REQUIRE_OK(pgc_rows_open(pgc_conn_db(conn), &star, NULL, NULL, &rows, &err), &err);
        CHECK_INT(next_int(rows, &err), 5);
        CHECK_INT(next_int(rows, &err), -1);
        REQUIRE(live_do(conn, round == 0 ? "DEALLOCATE ALL"
                                         : "DROP TABLE t; CREATE TEMP TABLE t (y text, x int4);"
                                           " INSERT INTO t VALUES ('', 5)"));
    }
    REQUIRE(live_do(conn, "DEALLOCATE ALL; BEGIN"));
    pgc_rows *rows = NULL;
    CHECK_STATUS(pgc_rows_open(pgc_conn_db(conn), &star, NULL, NULL, &rows, &err), PGC_CONFLICT,
                 &err);
    CHECK(err.retry);
    CHECK_STR(err.sqlstate, "26000");
    REQUIRE(live_do(conn, "ROLLBACK"));
}

static void types_of_extensions_are_checked_before_rows_come(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TYPE pg_temp.mood AS ENUM ('good', 'bad')"));
    static const pgc_type_ref mood[] = { { "m", "mood", 0 } };
    static const pgc_type_ref other[] = { { "m", "other", 0 } };
    static const pgc_query fits = { .name = "Fits",
                                    .sql = "SELECT unnest(enum_range(NULL::pg_temp.mood)) AS m",
                                    .column_count = 1,
                                    .columns = mood };
    pgc_query differs = fits;
    differs.name = "Differs";
    differs.columns = other;
    pgc_error err;
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    REQUIRE_OK(pgc_rows_open(pgc_conn_db(conn), &fits, NULL, NULL, &rows, &err), &err);
    bool more = false;
    REQUIRE_OK(pgc_rows_next(rows, &more, &err), &err);
    pgc_text text = pgc_read_text(pgc_rows_reader(rows), pgc_rows_index(rows), 0);
    CHECK(text.len == 4 && memcmp(text.ptr, "good", 4) == 0);
    pgc_rows_close(TAKE(rows));
    CHECK_STATUS(pgc_rows_open(pgc_conn_db(conn), &differs, NULL, NULL, &rows, &err), PGC_SCHEMA,
                 &err);
    CHECK(usable(conn));
}

static void a_pool_lends_until_the_rows_end(void)
{
    REQUIRE(live_url() != NULL);
    pgc_error err;
    const pgc_pool_options options = {
        .struct_size = sizeof options, .conn = live_options(), .max_conns = 1, .min_conns = 1
    };
    AUTO(pool_auto) pgc_pool *pool = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    pgc_pool_stats stats;
    for (int round = 0; round < 3; round++) {
        AUTO(rows_auto_close) pgc_rows *rows = NULL;
        AUTO(rows_auto_close) pgc_rows *second = NULL;
        REQUIRE_OK(open_rows(pgc_pool_db(pool), &COUNT_TO, round == 0 ? 3 : 100000, &rows, &err),
                   &err);
        CHECK_INT(next_int(rows, &err), 1);
        pgc_pool_get_stats(pool, &stats);
        CHECK_INT(stats.acquired, 1);
        if (round == 0) {
            CHECK_INT(next_int(rows, &err), 2);
            CHECK_INT(next_int(rows, &err), 3);
            CHECK_INT(next_int(rows, &err), -1);
        } else if (round == 1) {
            pgc_rows_close(TAKE(rows));
        } else {
            const pgc_run_options one = { .struct_size = sizeof one, .row_limit = 1 };
            pgc_rows_close(TAKE(rows));
            REQUIRE_OK(open_with(pgc_pool_db(pool), &COUNT_TO, 9, &one, &rows, &err), &err);
            CHECK_INT(next_int(rows, &err), 1);
            CHECK_INT(next_int(rows, &err), -2);
        }
        pgc_pool_get_stats(pool, &stats);
        CHECK_INT(stats.acquired, 0);
        REQUIRE_OK(open_rows(pgc_pool_db(pool), &COUNT_TO, 1, &second, &err), &err);
    }
    pgc_pool_get_stats(pool, &stats);
    CHECK_INT(stats.acquired, 0);
    CHECK_INT(stats.total, 1);
    CHECK_INT(stats.dirty_release_count + stats.broken_close_count, 0);
}

static void a_scope_reads_with_its_identity(void)
{
    REQUIRE(live_url() != NULL);
    static const pgc_type_ref text[] = { { "t", "text", 25 } };
    static const pgc_query whoami = {
        .name = "WhoAmI",
        .sql = "SELECT current_setting('app.user_id', true) AS t FROM generate_series(1, 3)",
        .column_count = 1,
        .columns = text
    };
    pgc_error err;
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = live_options(),
                                       .max_conns = 1 };
    AUTO(pool_auto) pgc_pool *pool = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    const pgc_setting setting = { "app.user_id", "42" };
    AUTO(scope_auto) pgc_scope *scope = NULL;
    REQUIRE_OK(pgc_scope_open(pool, &setting, 1, &scope, &err), &err);
    pgc_db *const handles[] = { pgc_scope_db(scope), pgc_pool_db(pool), pgc_scope_db(scope) };
    for (size_t i = 0; i < ARRAY_LEN(handles); i++) {
        AUTO(rows_auto_close) pgc_rows *rows = NULL;
        REQUIRE_OK(pgc_rows_open(handles[i], &whoami, NULL, NULL, &rows, &err), &err);
        int seen = 0;
        for (bool more = true; more; seen += more) {
            REQUIRE_OK(pgc_rows_next(rows, &more, &err), &err);
            if (more) {
                pgc_text who = pgc_read_opt_text(pgc_rows_reader(rows), pgc_rows_index(rows), 0);
                CHECK_INT(who.len, i == 1 ? 0 : 2);
            }
        }
        CHECK_INT(seen, 3);
    }
}

static void a_connection_may_be_closed_under_its_rows(void)
{
    LIVE(conn);
    pgc_error err;
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    REQUIRE_OK(open_rows(pgc_conn_db(conn), &ENDLESS, 1, &rows, &err), &err);
    CHECK_INT(next_int(rows, &err), 1);
    pgc_conn_close(TAKE(conn));
    CHECK_INT(next_int(rows, &err), -2);
    CHECK_INT(err.status, PGC_CLOSED);
}

static void a_session_that_ends_in_the_middle_is_a_lost_connection(void)
{
    LIVE(conn);
    LIVE(other);
    pgc_error err;
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    REQUIRE_OK(open_rows(pgc_conn_db(conn), &ENDLESS, 1, &rows, &err), &err);
    char sql[100];
    (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", pgc_conn_backend_pid(conn));
    REQUIRE(live_do(other, sql));
    int32_t got = 1;
    while (got > 0) {
        got = next_int(rows, &err);
    }
    CHECK_INT(got, -2);
    CHECK_INT(err.status, PGC_CONNECTION);
    CHECK(!pgc_conn_alive(conn));
}

static void a_slow_row_is_cancelled_and_the_connection_stays(void)
{
    LIVE(conn);
    static const pgc_query slow =
        INT_QUERY("Slow",
                  "SELECT CASE WHEN n > $1 THEN (SELECT 1 FROM pg_sleep(60)) ELSE n END AS x"
                  " FROM generate_series(1, 10000) AS n",
                  0);
    pgc_error err;
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    conn->call_timeout_us = 50000;
    REQUIRE_OK(open_rows(pgc_conn_db(conn), &slow, 9000, &rows, &err), &err);
    int32_t got = 1;
    while (got > 0) {
        got = next_int(rows, &err);
    }
    CHECK_INT(got, -2);
    CHECK_INT(err.status, PGC_TIMEOUT);
    CHECK(pgc_rows_count(rows) > 1000);
    conn->call_timeout_us = 30000000;
    CHECK(usable(conn));
}

/* Behind a table of operations of an older header, or of a test. */
typedef struct old_db {
    pgc_db db;
    pgc_db *real;
} old_db;

static pgc_status old_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                          pgc_result **out, pgc_error *err)
{
    return pgc_db_run(((old_db *) (void *) db)->real, query, args, out, err);
}

static void handles_that_cannot_stream_give_rows_as_well(void)
{
    LIVE(conn);
    static const pgc_db_ops ops = { .struct_size = offsetof(pgc_db_ops, open_rows),
                                    .run = old_run };
    old_db old = { { &ops }, pgc_conn_db(conn) };
    pgc_error err;
    AUTO(rows_auto_close) pgc_rows *rows = NULL;
    REQUIRE_OK(open_rows(&old.db, &COUNT_TO, 3, &rows, &err), &err);
    for (int32_t i = 1; i <= 3; i++) {
        CHECK_INT(next_int(rows, &err), i);
    }
    CHECK_INT(next_int(rows, &err), -1);
    const pgc_run_options two = { .struct_size = sizeof two, .row_limit = 2 };
    pgc_result *result = NULL;
    CHECK_STATUS(run_with(&old.db, &COUNT_TO, 3, &two, &result, &err), PGC_LIMIT, &err);
    REQUIRE_OK(run_with(&old.db, &COUNT_TO, 2, &two, &result, &err), &err);
    CHECK_INT(pgc_result_rows(result), 2);
    pgc_result_free(result);
}

TAP_MAIN(TAP("rows: gives every row in order", gives_every_row_in_order),
         TAP("rows: no rows are an end at once", no_rows_are_an_end_at_once),
         TAP("rows: failures show at the open or at their row",
             failures_show_at_the_open_or_at_their_row),
         TAP("rows: an early close cancels a read", an_early_close_cancels_a_read),
         TAP("rows: an early close lets a write happen", an_early_close_lets_a_write_happen),
         TAP("rows: an early close keeps the transaction", an_early_close_keeps_the_transaction),
         TAP("rows: a busy connection refuses other calls", a_busy_connection_refuses_other_calls),
         TAP("rows: bounds end the rows and keep the connection",
             bounds_end_the_rows_and_keep_the_connection),
         TAP("rows: a bounded answer is like any other", a_bounded_answer_is_like_any_other),
         TAP("rows: a huge answer leaves the connection slim",
             a_huge_answer_leaves_the_connection_slim),
         TAP("rows: a reader's failure is told at the next step",
             a_reader_failure_is_told_at_the_next_step),
         TAP("rows: a commit that fails is told at the end",
             a_commit_that_fails_is_told_at_the_end),
         TAP("rows: stale statements recover before the first row",
             stale_statements_recover_before_the_first_row),
         TAP("rows: types of extensions are checked before rows come",
             types_of_extensions_are_checked_before_rows_come),
         TAP("rows: a pool lends until the rows end", a_pool_lends_until_the_rows_end),
         TAP("rows: a scope reads with its identity", a_scope_reads_with_its_identity),
         TAP("rows: a connection may be closed under its rows",
             a_connection_may_be_closed_under_its_rows),
         TAP("rows: a session that ends in the middle is a lost connection",
             a_session_that_ends_in_the_middle_is_a_lost_connection),
         TAP("rows: a slow row is cancelled and the connection stays",
             a_slow_row_is_cancelled_and_the_connection_stays),
         TAP("rows: handles that cannot stream give rows as well",
             handles_that_cannot_stream_give_rows_as_well))
