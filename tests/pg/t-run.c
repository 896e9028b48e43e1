/* Typed queries on a connection: prepared statements, stale plans, deadlines; real server. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "pgc/connection.h"

#include "live.h"
#include "oom.h"
#include "tap.h"

#define COLUMN(name, type, oid) \
    {                           \
        name, type, oid         \
    }

static const pgc_type_ref P_INT4[] = { COLUMN("n", "integer", 23) };
static const pgc_type_ref C_INT4[] = { COLUMN("x", "integer", 23) };
static const pgc_type_ref C_TEXT[] = { COLUMN("x", "text", 25) };

static const pgc_query ADD_ONE = {
    .name = "AddOne",
    .sql = "SELECT $1 + 1 AS x",
    .hash = 0xadd1,
    .param_count = 1,
    .column_count = 1,
    .params = P_INT4,
    .columns = C_INT4,
};

static pgc_status run_int(pgc_conn *conn, const pgc_query *query, int32_t n, int32_t *out,
                          pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    if (query->param_count > 0) {
        pgc_add_i32(&args, n);
    }
    pgc_result *result = NULL;
    pgc_status status = pgc_db_run(pgc_conn_db(conn), query, &args, &result, err);
    pgc_args_done(&args);
    if (status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, result, query);
        *out = pgc_result_rows(result) > 0 ? pgc_read_i32(&reader, 0, 0) : -1;
        status = pgc_reader_finish(&reader, err);
    }
    pgc_result_free(result);
    return status;
}

/* Runs a query ten times and checks what the server then says of its plans: "custom generic". */
static void check_plans(pgc_conn *conn, const pgc_query *query, const char *want)
{
    pgc_error err;
    char text[64];
    for (int32_t i = 0; i < 10; i++) {
        int32_t x = 0;
        REQUIRE_OK(run_int(conn, query, i, &x, &err), &err);
    }
    live_text(conn,
              "SELECT coalesce(max(custom_plans || ' ' || generic_plans), 'none')"
              " FROM pg_prepared_statements WHERE statement LIKE 'SELECT $1 + 1%'",
              text, sizeof text);
    CHECK_STR(text, want);
}

/* From the sixth run on the server may plan without the values. Who knows better says so: per
 * query, or for all of a connection. */
static void plans_are_as_the_caller_asks(void)
{
    LIVE(conn);
    pgc_error err;
    pgc_query each_time = ADD_ONE;
    each_time.flags = PGC_QUERY_UNNAMED;
    check_plans(conn, &each_time, "none"); /* parsed at each call, nothing can flip */
    check_plans(conn, &ADD_ONE, "5 5");
    const pgc_setting custom = { "plan_cache_mode", "force_custom_plan" };
    pgc_conn_options options = live_options();
    options.settings = &custom;
    options.setting_count = 1;
    pgc_conn *other = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &other, &err), &err);
    check_plans(other, &ADD_ONE, "10 0");
    pgc_conn_close(other);
}

static void runs_and_prepares_once(void)
{
    LIVE(conn);
    pgc_error err;
    for (int32_t i = 0; i < 10; i++) {
        int32_t x = 0;
        REQUIRE_OK(run_int(conn, &ADD_ONE, i, &x, &err), &err);
        CHECK_INT(x, i + 1);
    }
    char text[64];
    CHECK_STR(live_text(conn, "SELECT count(*) || ' ' || min(name) FROM pg_prepared_statements",
                        text, sizeof text),
              "1 pgc_000000000000add1");
}

static void an_equal_descriptor_shares_the_statement(void)
{
    LIVE(conn);
    static pgc_query copy;
    copy = ADD_ONE;
    pgc_error err;
    int32_t x = 0;
    REQUIRE_OK(run_int(conn, &ADD_ONE, 1, &x, &err), &err);
    REQUIRE_OK(run_int(conn, &copy, 2, &x, &err), &err);
    CHECK_INT(x, 3);
    char text[64];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
              "1");
}

static void a_hash_collision_still_gives_the_right_answer(void)
{
    LIVE(conn);
    const pgc_query other = { .name = "AddTwo",
                              .sql = "SELECT $1 + 2 AS x",
                              .hash = ADD_ONE.hash,
                              .param_count = 1,
                              .column_count = 1,
                              .params = P_INT4,
                              .columns = C_INT4 };
    pgc_error err;
    for (int i = 0; i < 3; i++) {
        int32_t x = 0;
        REQUIRE_OK(run_int(conn, &ADD_ONE, 1, &x, &err), &err);
        CHECK_INT(x, 2);
        REQUIRE_OK(run_int(conn, &other, 1, &x, &err), &err);
        CHECK_INT(x, 3);
    }
}

/* Every failure is one of a write that has not been. */
static void a_write_without_memory_has_not_run(void)
{
    static const pgc_query ADD = { .name = "Add",
                                   .sql = "INSERT INTO written SELECT $1 RETURNING n AS x",
                                   .param_count = 1,
                                   .column_count = 1,
                                   .params = P_INT4,
                                   .columns = C_INT4,
                                   .row_size = 8 };
    pgc_error err;
    REQUIRE(live_url() != NULL);
    bool complete = false;
    int32_t failed = 0;
    for (int fail_at = 1; !complete; fail_at++) {
        oom_plan plan = { .fail_at = 0 };
        const pgc_alloc alloc = oom_alloc(&plan);
        pgc_conn_options options = live_options();
        options.alloc = &alloc;
        pgc_conn *conn = NULL;
        char text[64];
        int32_t x = 0;
        REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
        REQUIRE(live_do(conn, "CREATE TEMP TABLE written (n int)"));
        plan.calls = 0;
        plan.fail_at = fail_at;
        pgc_status status = run_int(conn, &ADD, 1, &x, &err);
        complete = plan.calls < fail_at;
        plan.fail_at = 0;
        failed += status != PGC_OK ? 1 : 0;
        CHECK(status == PGC_OK || status == PGC_NOMEM);
        CHECK_STR(live_text(conn, "SELECT count(*) FROM written", text, sizeof text),
                  status == PGC_OK ? "1" : "0");
        pgc_conn_close(conn);
        CHECK_INT(plan.live, 0);
    }
    CHECK(failed > 0);
}

static void unnamed_mode_leaves_nothing_on_the_server(void)
{
    REQUIRE(live_url() != NULL);
    pgc_error err;
    pgc_conn_options options = live_options();
    options.unnamed_statements = true;
    AUTO(live_close) pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    int32_t x = 0;
    REQUIRE_OK(run_int(conn, &ADD_ONE, 1, &x, &err), &err);
    REQUIRE_OK(run_int(conn, &ADD_ONE, 2, &x, &err), &err);
    CHECK_INT(x, 3);
    char text[64];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
              "0");
}

static void the_cache_evicts_the_least_recently_used(void)
{
    REQUIRE(live_url() != NULL);
    pgc_error err;
    pgc_conn_options options = live_options();
    options.statement_cache = 3;
    AUTO(live_close) pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    static char sql[6][40];
    static pgc_query queries[6];
    for (int i = 0; i < 6; i++) {
        (void) snprintf(sql[i], sizeof sql[i], "SELECT $1 + %d AS x", i);
        queries[i] = ADD_ONE;
        queries[i].sql = sql[i];
        queries[i].hash = 0; /* the library makes its own */
        int32_t x = 0;
        REQUIRE_OK(run_int(conn, &queries[i], 1, &x, &err), &err);
        REQUIRE_OK(run_int(conn, &queries[0], 1, &x, &err), &err); /* stays in use */
        CHECK_INT(x, 1);
    }
    int32_t x = 0;
    REQUIRE_OK(run_int(conn, &queries[5], 1, &x, &err), &err);
    char text[200];
    CHECK_STR(live_text(conn,
                        "SELECT string_agg(statement, ',' ORDER BY statement)"
                        " FROM pg_prepared_statements",
                        text, sizeof text),
              "SELECT $1 + 0 AS x,SELECT $1 + 4 AS x,SELECT $1 + 5 AS x");
    REQUIRE_OK(run_int(conn, &queries[1], 1, &x, &err), &err);
    CHECK_INT(x, 2);
}

/* Transactions of a script each, in which more statements are used than the cache holds. */
static void statements_do_not_pile_up_when_scripts_open_transactions(void)
{
    REQUIRE(live_url() != NULL);
    pgc_error err;
    pgc_conn_options options = live_options();
    options.statement_cache = 3;
    AUTO(live_close) pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    char text[64];
    for (int i = 0; i < 40; i++) {
        REQUIRE(live_do(conn, "BEGIN"));
        for (int j = 0; j < 50; j++) {
            char sql[40];
            int32_t x = 0;
            (void) snprintf(sql, sizeof sql, "SELECT $1 + %d AS x", j);
            pgc_query query = ADD_ONE;
            query.sql = sql;
            query.hash = 0;
            REQUIRE_OK(run_int(conn, &query, 1, &x, &err), &err);
            CHECK_INT(x, 1 + j);
        }
        REQUIRE(live_do(conn, i % 2 == 0 ? "COMMIT" : "ROLLBACK"));
    }
    CHECK_STR(live_text(conn, "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
              "3");
    /* One that the script itself takes away is no fault, and fails nothing. */
    REQUIRE(live_do(conn, "BEGIN"));
    for (int j = 0; j < 5; j++) {
        char sql[40];
        int32_t x = 0;
        (void) snprintf(sql, sizeof sql, "SELECT $1 + %d AS x", j);
        pgc_query query = ADD_ONE;
        query.sql = sql;
        query.hash = 0;
        REQUIRE_OK(run_int(conn, &query, 1, &x, &err), &err);
    }
    REQUIRE(live_do(conn, "DEALLOCATE ALL; COMMIT"));
    REQUIRE(live_do(conn, "SELECT 1"));
    CHECK_STR(live_text(conn, "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
              "0");
}

#define QUERY(query_name, text, column_refs)                                       \
    {                                                                              \
        .name = query_name, .sql = text, .column_count = 1, .columns = column_refs \
    }

static void stale_plans_recover_outside_transactions(void)
{
    LIVE(conn);
    static const pgc_query x_of_t = QUERY("XOfT", "SELECT x FROM pg_temp.t", C_INT4);
    static const pgc_query star = QUERY("Star", "SELECT * FROM pg_temp.t", C_INT4);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int4, y text); INSERT INTO t VALUES (5, '')"));
    pgc_error err;
    int32_t x = 0;
    REQUIRE_OK(run_int(conn, &x_of_t, 0, &x, &err), &err);
    /* An unrelated column does not matter. */
    REQUIRE(live_do(conn, "ALTER TABLE t ADD COLUMN z int"));
    REQUIRE_OK(run_int(conn, &x_of_t, 0, &x, &err), &err);
    /* A changed type does: the plan is made again, and the descriptor no longer fits. */
    REQUIRE(live_do(conn, "ALTER TABLE t ALTER COLUMN x TYPE int8"));
    CHECK_STATUS(run_int(conn, &x_of_t, 0, &x, &err), PGC_SCHEMA, &err);
    CHECK(strstr(err.message, "XOfT") != NULL);
    CHECK(strstr(err.message, "bigint") != NULL);
    CHECK(strstr(err.message, "integer") != NULL);
    CHECK_STR(err.query, "XOfT");
    REQUIRE(live_do(conn, "ALTER TABLE t ALTER COLUMN x TYPE int4"));
    REQUIRE_OK(run_int(conn, &x_of_t, 0, &x, &err), &err);
    CHECK_INT(x, 5);
    CHECK_STATUS(run_int(conn, &star, 0, &x, &err), PGC_SCHEMA, &err);
    CHECK(strstr(err.message, "3 columns") != NULL);
    REQUIRE(live_do(conn, "ALTER TABLE t DROP COLUMN y, DROP COLUMN z"));
    REQUIRE_OK(run_int(conn, &star, 0, &x, &err), &err);
    CHECK_INT(x, 5);
}

static void a_wider_varchar_is_prepared_again(void)
{
    LIVE(conn);
    static const pgc_type_ref columns[] = { COLUMN("x", "character varying", 1043) };
    static const pgc_query name_of_t = QUERY("NameOfT", "SELECT name FROM pg_temp.t", columns);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (name varchar(10)); INSERT INTO t VALUES ('a')"));
    pgc_error err;
    REQUIRE_OK(pgc_db_run(pgc_conn_db(conn), &name_of_t, NULL, NULL, &err), &err);
    REQUIRE(live_do(conn, "ALTER TABLE t ALTER COLUMN name TYPE varchar(20)"));
    REQUIRE_OK(pgc_db_run(pgc_conn_db(conn), &name_of_t, NULL, NULL, &err), &err);
}

static void a_forgotten_statement_is_prepared_again(void)
{
    LIVE(conn);
    pgc_error err;
    int32_t x = 0;
    REQUIRE_OK(run_int(conn, &ADD_ONE, 1, &x, &err), &err);
    REQUIRE(live_do(conn, "DEALLOCATE ALL"));
    REQUIRE_OK(run_int(conn, &ADD_ONE, 2, &x, &err), &err);
    CHECK_INT(x, 3);
    /* And the other way round: somebody prepared under our name. */
    REQUIRE(live_do(conn, "DEALLOCATE ALL"));
    LIVE(other);
    REQUIRE(live_do(other, "PREPARE pgc_000000000000add1 (int4) AS SELECT $1 + 1 AS x"));
    REQUIRE_OK(run_int(other, &ADD_ONE, 5, &x, &err), &err);
    CHECK_INT(x, 6);
}

static void in_a_transaction_a_stale_plan_asks_for_a_retry(void)
{
    LIVE(conn);
    static const pgc_query x_of_t = QUERY("XOfT", "SELECT x FROM pg_temp.t", C_INT4);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int4); INSERT INTO t VALUES (5)"));
    pgc_error err;
    int32_t x = 0;
    REQUIRE_OK(run_int(conn, &x_of_t, 0, &x, &err), &err);
    REQUIRE(live_do(conn, "ALTER TABLE t ALTER COLUMN x TYPE int8;"
                          " ALTER TABLE t ALTER COLUMN x TYPE int4 USING x::int4 + 1;"
                          " DEALLOCATE ALL"));
    REQUIRE(live_do(conn, "BEGIN"));
    CHECK_STATUS(run_int(conn, &x_of_t, 0, &x, &err), PGC_CONFLICT, &err);
    CHECK_STR(err.sqlstate, "26000");
    CHECK(err.retry);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_FAILED);
    CHECK_STATUS(run_int(conn, &ADD_ONE, 0, &x, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "25P02");
    REQUIRE(live_do(conn, "ROLLBACK"));
    REQUIRE(live_do(conn, "BEGIN"));
    REQUIRE_OK(run_int(conn, &x_of_t, 0, &x, &err), &err);
    CHECK_INT(x, 6);
    REQUIRE(live_do(conn, "COMMIT"));
}

static void extension_types_are_compared_by_name(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "DROP TYPE IF EXISTS t_run_mood, t_run_other;"
                          " CREATE TYPE t_run_mood AS ENUM ('good', 'bad');"
                          " CREATE TYPE t_run_other AS ENUM ('good')"));
    static const pgc_type_ref mood[] = { COLUMN("m", "t_run_mood", 0) };
    static const pgc_query fits = { .name = "Fits",
                                    .sql = "SELECT $1::t_run_mood AS m",
                                    .param_count = 1,
                                    .column_count = 1,
                                    .params = mood,
                                    .columns = mood };
    static const pgc_query differs = { .name = "Differs",
                                       .sql = "SELECT $1::t_run_other AS m",
                                       .param_count = 1,
                                       .column_count = 1,
                                       .params = mood,
                                       .columns = mood };
    pgc_error err;
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from("good"));
    for (int i = 0; i < 2; i++) {
        CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &fits, &args, NULL, &err), PGC_OK, &err);
        CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &differs, &args, NULL, &err), PGC_SCHEMA, &err);
    }
    CHECK(strstr(err.message, "t_run_other") != NULL);
    CHECK(strstr(err.message, "t_run_mood") != NULL);
    REQUIRE(live_do(conn, "SET search_path = pg_catalog"));
    LIVE(fresh);
    REQUIRE(live_do(fresh, "SET search_path = pg_catalog"));
    static const pgc_query qualified = { .name = "Qualified",
                                         .sql = "SELECT $1::public.t_run_mood AS m",
                                         .param_count = 1,
                                         .column_count = 1,
                                         .params = mood,
                                         .columns = mood };
    CHECK_STATUS(pgc_db_run(pgc_conn_db(fresh), &qualified, &args, NULL, &err), PGC_OK, &err);
    pgc_args_done(&args);
    REQUIRE(live_do(conn, "DROP TYPE public.t_run_mood, public.t_run_other"));
}

static void server_errors_keep_their_fields(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int4 PRIMARY KEY CHECK (x < 9), y int4 NOT NULL"
                          " DEFAULT 1); INSERT INTO t VALUES (1)"));
    static const pgc_query insert = { .name = "Insert",
                                      .sql = "INSERT INTO pg_temp.t VALUES ($1)",
                                      .param_count = 1,
                                      .params = P_INT4 };
    pgc_error err;
    int32_t x = 0;
    CHECK_STATUS(run_int(conn, &insert, 1, &x, &err), PGC_CONFLICT, &err);
    CHECK_STR(err.sqlstate, "23505");
    CHECK_STR(err.constraint, "t_pkey");
    CHECK_STR(err.table, "t");
    CHECK_STR(err.query, "Insert");
    CHECK(err.detail[0] != '\0');
    CHECK(!err.retry);
    CHECK_STATUS(run_int(conn, &insert, 10, &x, &err), PGC_INVALID, &err);
    CHECK_STR(err.constraint, "t_x_check");
    REQUIRE_OK(run_int(conn, &insert, 2, &x, &err), &err);
}

static void a_call_past_its_deadline_leaves_the_connection_usable(void)
{
    REQUIRE(live_url() != NULL);
    /* One has nothing to say, the other always has more. */
    static const pgc_query queries[] = {
        { .name = "Sleep", .sql = "SELECT pg_sleep(60)" },
        { .name = "Flood", .sql = "SELECT generate_series(1, 20000000)" },
    };
    pgc_error err;
    pgc_conn_options options = live_options();
    options.call_timeout_us = 30000;
    AUTO(live_close) pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    for (int i = 0; i < 4; i++) {
        CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &queries[i % 2], NULL, NULL, &err), PGC_TIMEOUT,
                     &err);
        CHECK_STR(err.sqlstate, "57014");
        CHECK(pgc_conn_alive(conn));
        int32_t x = 0;
        conn->call_timeout_us = 10000000;
        REQUIRE_OK(run_int(conn, &ADD_ONE, i, &x, &err), &err);
        CHECK_INT(x, i + 1);
        conn->call_timeout_us = 30000;
    }
}

/* The deadline falls before, into and behind the query's end; whatever the outcome, an answer is
 * that of its own question. */
static void cancels_at_random_moments_never_mix_answers(void)
{
    LIVE(conn);
    static const pgc_query nap = { .name = "Nap",
                                   .sql = "SELECT $1 + 1 AS x FROM pg_sleep(0.001)",
                                   .param_count = 1,
                                   .column_count = 1,
                                   .params = P_INT4,
                                   .columns = C_INT4 };
    int answered = 0;
    for (int32_t i = 0; i < 300; i++) {
        pgc_error err;
        int32_t x = 0;
        conn->call_timeout_us = 1 + (i * 37) % 2500;
        pgc_status status = run_int(conn, &nap, i, &x, &err);
        CHECK(status == PGC_OK || status == PGC_TIMEOUT);
        CHECK(status != PGC_OK || x == i + 1);
        answered += status == PGC_OK;
        conn->call_timeout_us = 30000000;
        REQUIRE_OK(run_int(conn, &ADD_ONE, i, &x, &err), &err);
        CHECK_INT(x, i + 1);
    }
    printf("# %d of 300 answered in time\n", answered);
}

typedef struct killer {
    pgc_conn *conn;
    int32_t victim;
} killer;

/* Terminate the victim once it is seen to run something. */
static void *kill_when_active(void *arg)
{
    const killer *me = arg;
    char sql[200], text[64];
    (void) snprintf(sql, sizeof sql,
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %d"
                    " AND state = 'active' AND query LIKE '%%pg_sleep%%'",
                    me->victim);
    for (int i = 0; i < 2000; i++) {
        if (strcmp(live_text(me->conn, sql, text, sizeof text), "t") == 0) {
            break;
        }
    }
    return NULL;
}

static void termination_in_mid_query_is_a_lost_connection(void)
{
    LIVE(conn);
    LIVE(other);
    static const pgc_query sleep = { .name = "Sleep", .sql = "SELECT pg_sleep(60)" };
    killer me = { other, pgc_conn_backend_pid(conn) };
    pthread_t thread;
    REQUIRE(pthread_create(&thread, NULL, kill_when_active, &me) == 0);
    pgc_error err;
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &sleep, NULL, NULL, &err), PGC_CONNECTION, &err);
    (void) pthread_join(thread, NULL);
    CHECK_STR(err.sqlstate, "57P01");
    CHECK(err.retry);
    CHECK(!pgc_conn_alive(conn));
    int32_t x = 0;
    CHECK_STATUS(run_int(conn, &ADD_ONE, 1, &x, &err), PGC_CONNECTION, &err);
}

static void copy_in_a_query_is_refused(void)
{
    LIVE(conn);
    static const pgc_query copy = { .name = "Copy", .sql = "COPY (SELECT 1) TO STDOUT" };
    pgc_error err;
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &copy, NULL, NULL, &err), PGC_PROTOCOL, &err);
    CHECK(!pgc_conn_alive(conn));
}

static void wrong_arguments_never_reach_the_server(void)
{
    LIVE(conn);
    pgc_error err;
    CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &ADD_ONE, NULL, NULL, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_db_run(NULL, &ADD_ONE, NULL, NULL, &err), PGC_INVALID, &err);
    int32_t x = 0;
    REQUIRE_OK(run_int(conn, &ADD_ONE, 1, &x, &err), &err);
    static const pgc_query text_now = QUERY("TextNow", "SELECT 'a'::text AS x", C_TEXT);
    pgc_result *result = NULL;
    REQUIRE_OK(pgc_db_run(pgc_conn_db(conn), &text_now, NULL, &result, &err), &err);
    CHECK_INT(pgc_result_rows(result), 1);
    pgc_result_free(result);
}

TAP_MAIN(
    TAP("run: prepares once", runs_and_prepares_once),
    TAP("run: an equal descriptor shares the statement", an_equal_descriptor_shares_the_statement),
    TAP("run: a hash collision still gives the right answer",
        a_hash_collision_still_gives_the_right_answer),
    TAP("run: unnamed mode leaves nothing on the server",
        unnamed_mode_leaves_nothing_on_the_server),
    TAP("run: the cache evicts the least recently used", the_cache_evicts_the_least_recently_used),
    TAP("run: a write without memory has not run", a_write_without_memory_has_not_run),
    TAP("run: statements do not pile up when scripts open the transactions",
        statements_do_not_pile_up_when_scripts_open_transactions),
    TAP("run: stale plans recover outside transactions", stale_plans_recover_outside_transactions),
    TAP("run: a wider varchar is prepared again", a_wider_varchar_is_prepared_again),
    TAP("run: a forgotten statement is prepared again", a_forgotten_statement_is_prepared_again),
    TAP("run: in a transaction a stale plan asks for a retry",
        in_a_transaction_a_stale_plan_asks_for_a_retry),
    TAP("run: extension types are compared by name", extension_types_are_compared_by_name),
    TAP("run: server errors keep their fields", server_errors_keep_their_fields),
    TAP("run: a call past its deadline leaves the connection usable",
        a_call_past_its_deadline_leaves_the_connection_usable),
    TAP("run: cancels at random moments never mix answers",
        cancels_at_random_moments_never_mix_answers),
    TAP("run: termination in mid query is a lost connection",
        termination_in_mid_query_is_a_lost_connection),
    TAP("run: plans are as the caller asks", plans_are_as_the_caller_asks),
    TAP("run: COPY is refused", copy_in_a_query_is_refused),
    TAP("run: wrong arguments never reach the server", wrong_arguments_never_reach_the_server))
