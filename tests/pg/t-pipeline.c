/* Pipelines against a real server. */
#include "base/prelude.h"

#include <sys/socket.h>

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

/* `count` texts of half a MiB there and back: who only sent, or only read, would stand still. */
static void mirror_texts(pgc_conn *conn, size_t count)
{
    static const pgc_type_ref text_type[] = { { "x", "text", 25 } };
    static const pgc_query mirror = { .name = "Mirror",
                                      .sql = "SELECT $1 AS x",
                                      .param_count = 1,
                                      .column_count = 1,
                                      .params = text_type,
                                      .columns = text_type };
    pgc_error err;
    conn->call_timeout_us = -1; /* ten thousand turns of two processes: long on a busy machine */
    PIPELINE(batch, conn, PGC_PIPELINE_ATOMIC);
    const size_t size = 512 << 10;
    char *big = malloc(size);
    REQUIRE(big != NULL);
    memset(big, 'x', size);
    for (size_t i = 0; i < count; i++) {
        pgc_args args;
        pgc_args_init(&args, NULL);
        pgc_add_text(&args, (pgc_text) { big, size });
        CHECK_STATUS(pgc_pipeline_add(batch, &mirror, &args, NULL, &err), PGC_OK, &err);
        pgc_args_done(&args);
    }
    free(big);
    REQUIRE_OK(pgc_pipeline_run(batch, &err), &err);
    for (size_t i = 0; i < count; i++) {
        pgc_result *result = NULL;
        REQUIRE_OK(pgc_pipeline_take(batch, i, &result, &err), &err);
        pgc_reader reader;
        pgc_reader_init(&reader, result, &mirror);
        CHECK_INT(pgc_read_text(&reader, 0, 0).len, size);
        pgc_result_free(result);
    }
}

/* 4 MiB in each direction, a thousand times what fits. */
static void much_data_both_ways_does_not_deadlock(void)
{
    LIVE(conn);
    const int tiny = 1; /* the kernel takes its minimum */
    int fd = conn->pq->socket(conn->pg);
    CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &tiny, sizeof tiny), 0);
    CHECK_INT(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof tiny), 0);
    mirror_texts(conn, 8);
}

static void mebibytes_both_ways_do_not_deadlock(void)
{
    LIVE(conn);
    mirror_texts(conn, 128);
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

/* A database with a table that stores who wrote. */
static pgc_pool *open_pool(pgc_error *err)
{
    const char *url = test_db_create();
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .conninfo = url },
                                       .max_conns = 1 };
    pgc_pool *pool = NULL;
    if (url == NULL || pgc_pool_open(&options, &pool, err) != PGC_OK) {
        return NULL;
    }
    pgc_conn *conn = NULL;
    bool made = pgc_pool_acquire(pool, &conn, err) == PGC_OK &&
                live_do(conn, "CREATE TABLE t (x int CHECK (x >= 0), who text DEFAULT"
                              " current_setting('app.user_id', true))");
    pgc_pool_release(pool, conn);
    return made ? pool : (pgc_pool_close(pool), NULL);
}

static const pgc_query STORE = { .name = "Store",
                                 .sql = "INSERT INTO t VALUES ($1) RETURNING x",
                                 .param_count = 1,
                                 .column_count = 1,
                                 .params = P_INT4,
                                 .columns = C_INT4 };

/* "rows|distinct who" */
static bool stored(pgc_pool *pool, const char *want)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    char text[64];
    if (!CHECK_STATUS(pgc_pool_acquire(pool, &conn, &err), PGC_OK, &err)) {
        return false;
    }
    live_text(conn, "SELECT count(*) || '|' || coalesce(string_agg(DISTINCT who, ','), '') FROM t",
              text, sizeof text);
    pgc_pool_release(pool, conn);
    return CHECK_STR(text, want);
}

static pgc_pipeline *open_db(pgc_db *db, pgc_pipeline_mode mode, int32_t first, int32_t count)
{
    pgc_error err;
    pgc_pipeline *batch = NULL;
    CHECK_STATUS(pgc_pipeline_open_db(db, mode, NULL, &batch, &err), PGC_OK, &err);
    for (int32_t i = 0; i < count; i++) {
        CHECK(add(batch, &STORE, first + i));
    }
    return batch;
}

static void any_handle_runs_a_batch_with_its_identity(void)
{
    pgc_error err;
    AUTO(pool_auto) pgc_pool *pool = open_pool(&err);
    REQUIRE(pool != NULL);
    AUTO(scope_auto) pgc_scope *scope = NULL;
    const pgc_setting me = { "app.user_id", "42" };
    REQUIRE_OK(pgc_scope_open(pool, &me, 1, &scope, &err), &err);
    for (int mode = 0; mode < 2; mode++) {
        AUTO(pipeline_auto)
        pgc_pipeline *batch = open_db(pgc_scope_db(scope), (pgc_pipeline_mode) mode, 0, 3);
        REQUIRE_OK(pgc_pipeline_run(batch, &err), &err);
        CHECK_INT(take(batch, 2, &err), 2);
    }
    CHECK(stored(pool, "6|42"));
    /* A failure in the middle: isolated keeps the others, each with the identity. */
    AUTO(pipeline_auto)
    pgc_pipeline *isolated = open_db(pgc_scope_db(scope), PGC_PIPELINE_ISOLATED, -1, 3);
    CHECK_STATUS(pgc_pipeline_run(isolated, &err), PGC_INVALID, &err);
    CHECK_INT(take(isolated, 0, &err), -PGC_INVALID);
    CHECK_INT(take(isolated, 2, &err), 1);
    AUTO(pipeline_auto)
    pgc_pipeline *atomic = open_db(pgc_scope_db(scope), PGC_PIPELINE_ATOMIC, -1, 3);
    CHECK_STATUS(pgc_pipeline_run(atomic, &err), PGC_INVALID, &err);
    CHECK_INT(take(atomic, 2, &err), -PGC_CANCELLED);
    CHECK(stored(pool, "8|42"));
    /* Outdated statements, that of the settings included. */
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    bool done = live_do(conn, "DEALLOCATE ALL");
    pgc_pool_release(pool, conn);
    REQUIRE(done);
    for (int mode = 0; mode < 2; mode++) {
        AUTO(pipeline_auto)
        pgc_pipeline *batch = open_db(pgc_scope_db(scope), (pgc_pipeline_mode) mode, 0, 3);
        REQUIRE_OK(pgc_pipeline_run(batch, &err), &err);
    }
    CHECK(stored(pool, "14|42"));
    AUTO(pipeline_auto) pgc_pipeline *plain = open_db(pgc_pool_db(pool), PGC_PIPELINE_ATOMIC, 0, 1);
    REQUIRE_OK(pgc_pipeline_run(plain, &err), &err);
    pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin(pool, NULL, &tx, &err), &err);
    AUTO(pipeline_auto) pgc_pipeline *inside = open_db(pgc_tx_db(tx), PGC_PIPELINE_ATOMIC, 0, 5);
    CHECK_STATUS(pgc_pipeline_run(inside, &err), PGC_OK, &err);
    AUTO(pipeline_auto) pgc_pipeline *wrong = open_db(pgc_tx_db(tx), PGC_PIPELINE_ISOLATED, 0, 1);
    CHECK_STATUS(pgc_pipeline_run(wrong, &err), PGC_INVALID, &err);
    CHECK_INT(take(wrong, 0, &err), -PGC_INVALID);
    pgc_tx_rollback(tx);
    CHECK(stored(pool, "15|,42") || stored(pool, "15|42"));
}

static void long_batches_keep_their_mode(void)
{
    pgc_error err;
    AUTO(pool_auto) pgc_pool *pool = open_pool(&err);
    REQUIRE(pool != NULL);
    AUTO(scope_auto) pgc_scope *scope = NULL;
    const pgc_setting me = { "app.user_id", "7" };
    REQUIRE_OK(pgc_scope_open(pool, &me, 1, &scope, &err), &err);
    AUTO(pipeline_auto)
    pgc_pipeline *good = open_db(pgc_scope_db(scope), PGC_PIPELINE_ATOMIC, 0, 2500);
    REQUIRE_OK(pgc_pipeline_run(good, &err), &err);
    CHECK_INT(take(good, 2499, &err), 2499);
    CHECK(stored(pool, "2500|7"));
    /* The middle round fails: nothing stays, the last round is not sent. */
    AUTO(pipeline_auto)
    pgc_pipeline *bad = open_db(pgc_scope_db(scope), PGC_PIPELINE_ATOMIC, 0, 1200);
    REQUIRE(add(bad, &STORE, -5));
    for (int32_t i = 0; i < 1200; i++) {
        REQUIRE(add(bad, &STORE, i));
    }
    CHECK_STATUS(pgc_pipeline_run(bad, &err), PGC_INVALID, &err);
    CHECK_INT(take(bad, 0, &err), 0);
    CHECK_INT(take(bad, 1200, &err), -PGC_INVALID);
    CHECK_INT(take(bad, 1201, &err), -PGC_CANCELLED);
    CHECK_INT(take(bad, 2400, &err), -PGC_CANCELLED);
    CHECK(stored(pool, "2500|7"));
    AUTO(pipeline_auto)
    pgc_pipeline *isolated = open_db(pgc_scope_db(scope), PGC_PIPELINE_ISOLATED, -1, 2001);
    CHECK_STATUS(pgc_pipeline_run(isolated, &err), PGC_INVALID, &err);
    CHECK_INT(take(isolated, 2000, &err), 1999);
    CHECK(stored(pool, "4500|7"));
}

typedef struct tally {
    size_t seen, ok;
    int64_t sum;
} tally;

static void count_item(void *arg, const pgc_pipeline_item *item)
{
    tally *t = arg;
    CHECK(item->index == t->seen++);
    CHECK((item->status == PGC_OK) == (item->result != NULL));
    CHECK((item->status == PGC_OK) == (item->error == NULL));
    if (item->status == PGC_OK) {
        pgc_reader reader;
        pgc_reader_init(&reader, item->result, item->query);
        t->sum += pgc_read_i32(&reader, 0, 0);
        t->ok++;
    }
}

static void outcomes_go_to_a_function(void)
{
    LIVE(conn);
    pgc_error err;
    PIPELINE(batch, conn, PGC_PIPELINE_ISOLATED);
    for (int32_t i = 0; i < 2500; i++) {
        REQUIRE(add(batch, i == 1500 ? &DIVIDE : &ECHO, i == 1500 ? 0 : i));
    }
    tally t = { 0 };
    CHECK_STATUS(pgc_pipeline_run_each(batch, count_item, &t, &err), PGC_INVALID, &err);
    CHECK_INT(t.seen, 2500);
    CHECK_INT(t.ok, 2499);
    CHECK_INT(t.sum, INT64_C(2499) * 2500 / 2 - 1500);
    pgc_result *none = NULL;
    CHECK_STATUS(pgc_pipeline_take(batch, 0, &none, &err), PGC_OK, &err);
    CHECK(none == NULL);
}

static void copy_is_refused_and_vacuum_needs_its_place(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_query copies[] = { { .name = "C1", .sql = "COPY t FROM STDIN" },
                                        { .name = "C2", .sql = "\n  copy (SELECT 1) TO STDOUT" } };
    static const pgc_query vacuum = { .name = "Vacuum", .sql = "VACUUM pg_catalog.pg_am" };
    PIPELINE(batch, conn, PGC_PIPELINE_ISOLATED);
    for (size_t i = 0; i < ARRAY_LEN(copies); i++) {
        CHECK_STATUS(pgc_pipeline_add(batch, &copies[i], NULL, NULL, &err), PGC_INVALID, &err);
        CHECK(strstr(err.message, "pgc_copy_in_open") != NULL);
    }
    REQUIRE(add(batch, &ECHO, 1));
    REQUIRE_OK(pgc_pipeline_add(batch, &vacuum, NULL, NULL, &err), &err);
    REQUIRE(add(batch, &ECHO, 2));
    REQUIRE_OK(pgc_pipeline_run(batch, &err), &err);
    PIPELINE(first, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE_OK(pgc_pipeline_add(first, &vacuum, NULL, NULL, &err), &err);
    REQUIRE_OK(pgc_pipeline_run(first, &err), &err);
    PIPELINE(second, conn, PGC_PIPELINE_ATOMIC);
    REQUIRE(add(second, &ECHO, 1));
    REQUIRE_OK(pgc_pipeline_add(second, &vacuum, NULL, NULL, &err), &err);
    CHECK_STATUS(pgc_pipeline_run(second, &err), PGC_DB, &err);
    CHECK_STR(err.sqlstate, "25001");
    CHECK(pgc_conn_alive(conn));
}

/* What a batch has for a failure is only a transaction left open by a query of its own. */
static void a_transaction_begun_inside_a_batch_is_left_to_its_owner(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_query begin = { .name = "Begin", .sql = "BEGIN" };
    static const pgc_query rollback = { .name = "Rollback", .sql = "ROLLBACK" };
    PIPELINE(batch, conn, PGC_PIPELINE_ISOLATED);
    REQUIRE_OK(pgc_pipeline_add(batch, &begin, NULL, NULL, &err), &err);
    REQUIRE(add(batch, &DIVIDE, 0));
    REQUIRE(add(batch, &ECHO, 1));
    REQUIRE_OK(pgc_pipeline_add(batch, &rollback, NULL, NULL, &err), &err);
    REQUIRE(add(batch, &ECHO, 2));
    CHECK_STATUS(pgc_pipeline_run(batch, &err), PGC_INVALID, &err);
    CHECK_INT(take(batch, 2, &err), -PGC_CANCELLED);
    CHECK_INT(take(batch, 4, &err), 2);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
}

static void notices_during_a_batch_do_not_disturb(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_query noise = { .name = "Noise",
                                     .sql = "DO $$ BEGIN RAISE NOTICE '%', repeat('n', 2000);"
                                            " END $$" };
    PIPELINE(batch, conn, PGC_PIPELINE_ATOMIC);
    uint32_t before = conn->notice_count;
    for (int32_t i = 0; i < 200; i++) {
        REQUIRE_OK(pgc_pipeline_add(batch, &noise, NULL, NULL, &err), &err);
        REQUIRE(add(batch, &ECHO, i));
    }
    REQUIRE_OK(pgc_pipeline_run(batch, &err), &err);
    CHECK_INT(take(batch, 399, &err), 199);
    CHECK_INT(conn->notice_count - before, 200);
}

TAP_MAIN(TAP("pipeline: a batch answers in order", a_batch_answers_in_order),
         TAP("pipeline: much data both ways does not deadlock",
             much_data_both_ways_does_not_deadlock),
         TAP("pipeline: 64 MiB both ways do not deadlock", mebibytes_both_ways_do_not_deadlock),
         TAP("pipeline: atomic undoes all", atomic_undoes_all),
         TAP("pipeline: isolated keeps what succeeded", isolated_keeps_what_succeeded),
         TAP("pipeline: a failure at the sync belongs to its query",
             a_deferred_failure_belongs_to_its_query),
         TAP("pipeline: inside a transaction", inside_a_transaction),
         TAP("pipeline: outdated statements run again", outdated_statements_run_again),
         TAP("pipeline: a lost connection keeps what was answered",
             a_lost_connection_keeps_what_was_answered),
         TAP("pipeline: any handle runs a batch with its identity",
             any_handle_runs_a_batch_with_its_identity),
         TAP("pipeline: long batches keep their mode", long_batches_keep_their_mode),
         TAP("pipeline: outcomes go to a function", outcomes_go_to_a_function),
         TAP("pipeline: COPY is refused and VACUUM needs its place",
             copy_is_refused_and_vacuum_needs_its_place),
         TAP("pipeline: a transaction begun inside a batch is left to its owner",
             a_transaction_begun_inside_a_batch_is_left_to_its_owner),
         TAP("pipeline: notices during a batch do not disturb",
             notices_during_a_batch_do_not_disturb),
         TAP("pipeline: an empty one is fine", an_empty_pipeline_is_fine))
