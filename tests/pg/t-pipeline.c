/* Pipelines against a real server. */
#include "base/prelude.h"

#include <pgc/pipeline.h>
#include <pgc/tx.h>

#include "pgc/auto.h"
#include "pgc/connection.h"

#include "live.h"
#include "tap.h"

static const pgc_type_ref P_INT4[] = { { "n", "integer", 23 } };
static const pgc_type_ref C_INT4[] = { { "x", "integer", 23 } };

static const pgc_query ECHO = { .name = "Echo",
                                .sql = "SELECT $1 AS x",
                                .hash = 0xec40,
                                .param_count = 1,
                                .column_count = 1,
                                .params = P_INT4,
                                .columns = C_INT4 };
static const pgc_query INSERT = { .name = "Insert",
                                  .sql = "INSERT INTO pg_temp.t VALUES ($1) RETURNING x",
                                  .param_count = 1,
                                  .column_count = 1,
                                  .params = P_INT4,
                                  .columns = C_INT4 };
static const pgc_query DIVIDE = { .name = "Divide",
                                  .sql = "SELECT 10 / $1 AS x",
                                  .param_count = 1,
                                  .column_count = 1,
                                  .params = P_INT4,
                                  .columns = C_INT4 };
static const pgc_query OOPS = {
    .name = "Oops", .sql = "SELECT $1 AS x FROM no_such_table", .param_count = 1, .params = P_INT4
};

static bool add(pgc_pipeline *pipeline, const pgc_query *query, int32_t n)
{
    pgc_error err;
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, n);
    bool ok = pgc_pipeline_add(pipeline, query, &args, NULL, &err) == PGC_OK;
    memset(&args.scratch, 0xff, sizeof args.scratch); /* values were copied */
    pgc_args_done(&args);
    return ok;
}

/* Value of one query, or -(status). */
static int32_t take(pgc_pipeline *pipeline, size_t index, pgc_error *err)
{
    pgc_result *result = NULL;
    pgc_status status = pgc_pipeline_take(pipeline, index, &result, err);
    if (status != PGC_OK) {
        return -(int32_t) status;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    int32_t x = pgc_result_rows(result) > 0 ? pgc_read_i32(&reader, 0, 0) : INT32_MIN;
    pgc_result_free(result);
    return x;
}

#define PIPELINE(name, conn, mode)                 \
    AUTO(pipeline_auto) pgc_pipeline *name = NULL; \
    REQUIRE_OK(pgc_pipeline_open(conn, mode, &name, &err), &err)

static void a_batch_answers_in_order(void)
{
    LIVE(conn);
    pgc_error err;
    PIPELINE(batch, conn, PGC_PIPELINE_ATOMIC);
    for (int32_t i = 0; i < 100; i++) {
        REQUIRE(add(batch, &ECHO, i));
    }
    REQUIRE_OK(pgc_pipeline_run(batch, &err), &err);
    for (int32_t i = 0; i < 100; i++) {
        CHECK_INT(take(batch, (size_t) i, &err), i);
    }
    char text[16];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
              "1");
}

static void much_data_both_ways_does_not_deadlock(void)
{
    LIVE(conn);
    static const pgc_type_ref text_type[] = { { "x", "text", 25 } };
    static const pgc_query mirror = { .name = "Mirror",
                                      .sql = "SELECT $1 AS x",
                                      .param_count = 1,
                                      .column_count = 1,
                                      .params = text_type,
                                      .columns = text_type };
    pgc_error err;
    PIPELINE(batch, conn, PGC_PIPELINE_ATOMIC);
    const size_t size = 4 << 20;
    char *big = malloc(size);
    REQUIRE(big != NULL);
    memset(big, 'x', size);
    for (int i = 0; i < 8; i++) {
        pgc_args args;
        pgc_args_init(&args, NULL);
        pgc_add_text(&args, (pgc_text) { big, size });
        CHECK_STATUS(pgc_pipeline_add(batch, &mirror, &args, NULL, &err), PGC_OK, &err);
        pgc_args_done(&args);
    }
    free(big);
    REQUIRE_OK(pgc_pipeline_run(batch, &err), &err);
    pgc_result *result = NULL;
    REQUIRE_OK(pgc_pipeline_take(batch, 7, &result, &err), &err);
    pgc_reader reader;
    pgc_reader_init(&reader, result, &mirror);
    CHECK_INT(pgc_read_text(&reader, 0, 0).len, size);
    pgc_result_free(result);
}

static void atomic_undoes_all(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int)"));
    pgc_error err;
    PIPELINE(batch, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE(add(batch, &INSERT, 1));
    REQUIRE(add(batch, &DIVIDE, 0));
    REQUIRE(add(batch, &INSERT, 2));
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_INVALID, &err);
    CHECK_STR(err.sqlstate, "22012");
    CHECK_STR(err.query, "Divide");
    CHECK_INT(take(batch, 0, &err), 1);
    CHECK_INT(take(batch, 1, &err), -PGC_INVALID);
    CHECK_INT(take(batch, 2, &err), -PGC_CANCELLED);
    CHECK_STATUS(pgc_pipeline_take(batch, 3, NULL, &err), PGC_INVALID, &err);
    char text[16];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "0");
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_INVALID, &err);
}

static void isolated_keeps_what_succeeded(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int)"));
    pgc_error err;
    PIPELINE(batch, conn, PGC_PIPELINE_ISOLATED);
    REQUIRE(add(batch, &INSERT, 1));
    REQUIRE(add(batch, &DIVIDE, 0));
    REQUIRE(add(batch, &DIVIDE, 5));
    REQUIRE(add(batch, &OOPS, 5));
    REQUIRE(add(batch, &OOPS, 6)); /* prepared by the one before, which fails */
    REQUIRE(add(batch, &INSERT, 2));
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_INVALID, &err);
    CHECK_INT(take(batch, 0, &err), 1);
    CHECK_INT(take(batch, 1, &err), -PGC_INVALID);
    CHECK_INT(take(batch, 2, &err), 2);
    CHECK_INT(take(batch, 3, &err), -PGC_DB);
    CHECK_STR(err.sqlstate, "42P01");
    CHECK_INT(take(batch, 4, &err), -PGC_DB);
    CHECK_STR(err.sqlstate, "42P01");
    CHECK_INT(take(batch, 5, &err), 2);
    char text[16];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "2");
}

static void a_deferred_failure_belongs_to_its_query(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE p (x int PRIMARY KEY); INSERT INTO p VALUES (1);"
                          " CREATE TEMP TABLE t (x int REFERENCES p DEFERRABLE INITIALLY"
                          " DEFERRED)"));
    pgc_error err;
    PIPELINE(batch, conn, PGC_PIPELINE_ISOLATED);
    REQUIRE(add(batch, &INSERT, 1));
    REQUIRE(add(batch, &INSERT, 2));
    REQUIRE(add(batch, &INSERT, 1));
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_CONFLICT, &err);
    CHECK_INT(take(batch, 0, &err), 1);
    CHECK_INT(take(batch, 1, &err), -PGC_CONFLICT);
    CHECK_STR(err.sqlstate, "23503");
    CHECK_INT(take(batch, 2, &err), 1);
    char text[16];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "2");
    PIPELINE(whole, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE(add(whole, &INSERT, 1));
    REQUIRE(add(whole, &INSERT, 2));
    CHECK_STATUS(pgc_pipeline_run(whole, &err), PGC_CONFLICT, &err);
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "2");
}

static void inside_a_transaction(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int)"));
    pgc_error err;
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    pgc_pipeline *isolated = NULL;
    CHECK_STATUS(pgc_pipeline_open(conn, PGC_PIPELINE_ISOLATED, &isolated, &err), PGC_INVALID,
                 &err);
    PIPELINE(batch, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE(add(batch, &INSERT, 1));
    REQUIRE(add(batch, &INSERT, 2));
    REQUIRE_OK(pgc_pipeline_run(batch, &err), &err);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_OPEN);
    PIPELINE(broken, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE(add(broken, &DIVIDE, 0));
    REQUIRE(add(broken, &ECHO, 1));
    CHECK_STATUS(pgc_pipeline_run(broken, &err), PGC_INVALID, &err);
    PIPELINE(refused, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE(add(refused, &ECHO, 1));
    REQUIRE(add(refused, &ECHO, 1));
    CHECK_STATUS(pgc_pipeline_run(refused, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "25P02");
    CHECK_INT(take(refused, 1, &err), -PGC_CANCELLED);
    pgc_tx_rollback(tx);
    char text[16];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "0");
}

static void outdated_statements_run_again(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int)"));
    pgc_error err;
    PIPELINE(first, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE(add(first, &INSERT, 1));
    REQUIRE(add(first, &ECHO, 1));
    REQUIRE_OK(pgc_pipeline_run(first, &err), &err);
    REQUIRE(live_do(conn, "DEALLOCATE ALL"));
    PIPELINE(atomic, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE(add(atomic, &INSERT, 2));
    REQUIRE(add(atomic, &ECHO, 2));
    REQUIRE(add(atomic, &INSERT, 3));
    REQUIRE_OK(pgc_pipeline_run(atomic, &err), &err);
    CHECK_INT(take(atomic, 2, &err), 3);
    REQUIRE(live_do(conn, "DEALLOCATE ALL"));
    PIPELINE(isolated, conn, PGC_PIPELINE_ISOLATED);
    REQUIRE(add(isolated, &INSERT, 4));
    REQUIRE(add(isolated, &DIVIDE, 5)); /* new, so it runs at once */
    REQUIRE(add(isolated, &INSERT, 5));
    REQUIRE_OK(pgc_pipeline_run(isolated, &err), &err);
    CHECK_INT(take(isolated, 0, &err), 4);
    CHECK_INT(take(isolated, 1, &err), 2);
    char text[32];
    CHECK_STR(
        live_text(conn, "SELECT string_agg(x::text, ',' ORDER BY x) FROM t", text, sizeof text),
        "1,2,3,4,5");
}

static void a_lost_connection_keeps_what_was_answered(void)
{
    LIVE(conn);
    LIVE(other);
    static const pgc_query suicide = { .name = "Suicide",
                                       .sql = "SELECT pg_terminate_backend(pg_backend_pid())" };
    pgc_error err;
    PIPELINE(batch, conn, PGC_PIPELINE_ISOLATED);
    REQUIRE(add(batch, &ECHO, 1));
    CHECK_STATUS(pgc_pipeline_add(batch, &suicide, NULL, NULL, &err), PGC_OK, &err);
    REQUIRE(add(batch, &ECHO, 3));
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_CONNECTION, &err);
    CHECK_STR(err.sqlstate, "57P01");
    CHECK_INT(take(batch, 0, &err), 1);
    CHECK_INT(take(batch, 1, &err), -PGC_CONNECTION);
    CHECK_INT(take(batch, 2, &err), -PGC_CONNECTION);
    CHECK(!pgc_conn_alive(conn));
    pgc_pipeline *none = NULL;
    CHECK_STATUS(pgc_pipeline_open(conn, PGC_PIPELINE_ATOMIC, &none, &err), PGC_CONNECTION, &err);
}

static void an_empty_pipeline_is_fine(void)
{
    LIVE(conn);
    pgc_error err;
    PIPELINE(batch, conn, PGC_PIPELINE_ATOMIC);
    CHECK_STATUS(pgc_pipeline_take(batch, 0, NULL, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_pipeline_add(batch, &ECHO, NULL, NULL, &err), PGC_INVALID, &err);
    pgc_pipeline_close(NULL);
}

TAP_MAIN(TAP("pipeline: a batch answers in order", a_batch_answers_in_order),
         TAP("pipeline: much data both ways does not deadlock",
             much_data_both_ways_does_not_deadlock),
         TAP("pipeline: atomic undoes all", atomic_undoes_all),
         TAP("pipeline: isolated keeps what succeeded", isolated_keeps_what_succeeded),
         TAP("pipeline: a failure at the sync belongs to its query",
             a_deferred_failure_belongs_to_its_query),
         TAP("pipeline: inside a transaction", inside_a_transaction),
         TAP("pipeline: outdated statements run again", outdated_statements_run_again),
         TAP("pipeline: a lost connection keeps what was answered",
             a_lost_connection_keeps_what_was_answered),
         TAP("pipeline: an empty one is fine", an_empty_pipeline_is_fine))
