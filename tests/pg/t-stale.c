/* Statements that no longer fit, one case per reason: prepared again and run again once outside of
 * a transaction, a conflict inside; other connections follow by themselves. Real server. */
#include "base/prelude.h"

#include <pgc/pool.h>
#include <pgc/tx.h>

#include "pgc/auto.h"
#include "pgc/connection.h"

#include "live.h"
#include "tap.h"

static const pgc_type_ref C_X[] = { { "x", "integer", 23 } };
static const pgc_type_ref C_TEXT[] = { { "x", "text", 25 } };
static const pgc_type_ref C_VARCHAR[] = { { "x", "character varying", 1043 } };
static const pgc_type_ref C_MOOD[] = { { "m", "mood", 0 } };

#define QUERY(query_name, text, refs)                                                     \
    {                                                                                     \
        .name = query_name, .sql = text, .column_count = ARRAY_LEN(refs), .columns = refs \
    }

static const pgc_query STAR = QUERY("Star", "SELECT * FROM t", C_X);
static const pgc_query X_OF_T = QUERY("XOfT", "SELECT x FROM t", C_X);
static const pgc_query VARCHAR = QUERY("Varchar", "SELECT x FROM t", C_VARCHAR);
static const pgc_query WHERE_Y = QUERY("WhereY", "SELECT x FROM t WHERE y = 1", C_X);

/* What a listener was told of. */
typedef struct counts {
    atomic_int stale;
} counts;

static void on_retry(void *ctx, const pgc_retry_event *event)
{
    if (event->kind == PGC_RETRY_STALE) {
        (void) atomic_fetch_add(&((counts *) ctx)->stale, 1);
    }
}

typedef struct bench {
    counts told;
    pgc_conn *conn, *ddl; /* DDL runs elsewhere, as migrations do */
    pgc_error err;
} bench;

static bool bench_open(bench *b, const char *setup)
{
    const char *url = test_db_create();
    atomic_init(&b->told.stale, 0);
    b->conn = b->ddl = NULL;
    const pgc_hooks hooks = { .struct_size = sizeof hooks, .ctx = &b->told, .on_retry = on_retry };
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = url,
                                       .hooks = &hooks };
    return url != NULL && pgc_conn_open(&options, &b->conn, &b->err) == PGC_OK &&
           pgc_conn_open(&options, &b->ddl, &b->err) == PGC_OK && live_do(b->ddl, setup);
}

static void bench_close(bench *b)
{
    pgc_conn_close(b->conn);
    pgc_conn_close(b->ddl);
}

#define BENCH(b, setup)                \
    AUTO(bench_close) bench b = { 0 }; \
    REQUIRE(bench_open(&(b), setup))

static pgc_status run(pgc_conn *conn, const pgc_query *query, pgc_error *err)
{
    return pgc_db_run(pgc_conn_db(conn), query, NULL, NULL, err);
}

/* Prepare, change, run: succeeds after `retries` of them. */
static void survives(bench *b, const pgc_query *query, const char *change, int retries)
{
    REQUIRE_OK(run(b->conn, query, &b->err), &b->err);
    REQUIRE(live_do(b->ddl, change));
    int before = atomic_load(&b->told.stale);
    REQUIRE_OK(run(b->conn, query, &b->err), &b->err);
    CHECK_INT(atomic_load(&b->told.stale) - before, retries);
    /* Repaired for good. */
    REQUIRE_OK(run(b->conn, query, &b->err), &b->err);
    CHECK_INT(atomic_load(&b->told.stale) - before, retries);
}

static void a_column_added_under_a_star(void)
{
    BENCH(b, "CREATE TABLE t (x int4)");
    REQUIRE_OK(run(b.conn, &STAR, &b.err), &b.err);
    REQUIRE(live_do(b.ddl, "ALTER TABLE t ADD COLUMN y int4"));
    /* Prepared again, and then its columns are not those of the descriptor: that is a finding. */
    CHECK_STATUS(run(b.conn, &STAR, &b.err), PGC_SCHEMA, &b.err);
    CHECK(strstr(b.err.message, "2 columns") != NULL);
    CHECK_INT(atomic_load(&b.told.stale), 1);
    REQUIRE(live_do(b.ddl, "ALTER TABLE t DROP COLUMN y"));
    REQUIRE_OK(run(b.conn, &STAR, &b.err), &b.err);
}

static void an_unrelated_column_added(void)
{
    BENCH(b, "CREATE TABLE t (x int4)");
    survives(&b, &X_OF_T, "ALTER TABLE t ADD COLUMN y int4", 0);
    survives(&b, &X_OF_T, "ALTER TABLE t DROP COLUMN y", 0);
}

static void a_column_whose_type_changed(void)
{
    BENCH(b, "CREATE TABLE t (x int4)");
    survives(&b, &X_OF_T,
             "ALTER TABLE t ALTER x TYPE int8; ALTER TABLE t DROP x; ALTER TABLE t ADD x int4", 0);
    REQUIRE(live_do(b.ddl, "ALTER TABLE t ALTER x TYPE int8"));
    CHECK_STATUS(run(b.conn, &X_OF_T, &b.err), PGC_SCHEMA, &b.err);
    CHECK_INT(atomic_load(&b.told.stale), 1);
    CHECK(strstr(b.err.message, "bigint") != NULL);
    CHECK(b.err.hint[0] != '\0');
}

static void a_wider_varchar(void)
{
    BENCH(b, "CREATE TABLE t (x varchar(10))");
    survives(&b, &VARCHAR, "ALTER TABLE t ALTER x TYPE varchar(20)", 1);
}

static void a_changed_type_in_where_only(void)
{
    BENCH(b, "CREATE TABLE t (x int4, y int4)");
    survives(&b, &WHERE_Y, "ALTER TABLE t ALTER y TYPE int8", 0);
}

static void a_table_made_again(void)
{
    BENCH(b, "CREATE TABLE t (x int4)");
    survives(&b, &X_OF_T, "DROP TABLE t; CREATE TABLE t (a text, x int4)", 0);
    REQUIRE(live_do(b.ddl, "DROP TABLE t"));
    CHECK_STATUS(run(b.conn, &X_OF_T, &b.err), PGC_DB, &b.err);
    CHECK_STR(b.err.sqlstate, "42P01");
    CHECK(!b.err.retry);
}

static void a_view_with_another_column(void)
{
    BENCH(b, "CREATE VIEW t AS SELECT 1 AS x");
    REQUIRE_OK(run(b.conn, &STAR, &b.err), &b.err);
    REQUIRE(live_do(b.ddl, "DROP VIEW t; CREATE VIEW t AS SELECT 2 AS x"));
    REQUIRE_OK(run(b.conn, &STAR, &b.err), &b.err);
    CHECK_INT(atomic_load(&b.told.stale), 0);
}

static void another_search_path(void)
{
    BENCH(b, "CREATE TABLE t (x varchar(5)); CREATE SCHEMA s; CREATE TABLE s.t (x varchar(9))");
    REQUIRE_OK(run(b.conn, &VARCHAR, &b.err), &b.err);
    REQUIRE(live_do(b.conn, "SET search_path = s"));
    REQUIRE_OK(run(b.conn, &VARCHAR, &b.err), &b.err);
    CHECK_INT(atomic_load(&b.told.stale), 1);
}

static void a_session_that_was_reset(void)
{
    static const char *const resets[] = { "DISCARD ALL", "DEALLOCATE ALL" };
    BENCH(b, "CREATE TABLE t (x int4)");
    for (size_t i = 0; i < ARRAY_LEN(resets); i++) {
        REQUIRE_OK(run(b.conn, &X_OF_T, &b.err), &b.err);
        REQUIRE_OK(run(b.conn, &WHERE_Y, &b.err) == PGC_DB ? PGC_OK : PGC_DB, &b.err);
        REQUIRE(live_do(b.conn, resets[i]));
        int before = atomic_load(&b.told.stale);
        REQUIRE_OK(run(b.conn, &X_OF_T, &b.err), &b.err);
        CHECK_INT(atomic_load(&b.told.stale) - before, 1);
    }
}

static void a_statement_dropped_by_somebody(void)
{
    BENCH(b, "CREATE TABLE t (x int4)");
    REQUIRE_OK(run(b.conn, &X_OF_T, &b.err), &b.err);
    REQUIRE_OK(run(b.conn, &STAR, &b.err), &b.err);
    char name[64], sql[100];
    (void) live_text(b.conn,
                     "SELECT name FROM pg_prepared_statements WHERE statement = 'SELECT x FROM t'",
                     name, sizeof name);
    (void) snprintf(sql, sizeof sql, "DEALLOCATE %s", name);
    REQUIRE(live_do(b.conn, sql));
    REQUIRE_OK(run(b.conn, &X_OF_T, &b.err), &b.err);
    CHECK_INT(atomic_load(&b.told.stale), 1);
    /* Nothing is left twice. */
    REQUIRE_OK(run(b.conn, &STAR, &b.err), &b.err);
    char text[64];
    CHECK_STR(live_text(b.conn, "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
              "2");
}

static void a_name_that_is_taken(void)
{
    static pgc_query query = QUERY("Taken", "SELECT x FROM t", C_X);
    query.hash = 0x7a4e;
    BENCH(b, "CREATE TABLE t (x int4)");
    REQUIRE(live_do(b.conn, "PREPARE pgc_0000000000007a4e AS SELECT 'another'"));
    REQUIRE_OK(run(b.conn, &query, &b.err), &b.err);
    CHECK_INT(atomic_load(&b.told.stale), 1);
    REQUIRE(live_do(b.ddl, "PREPARE pgc_0000000000007a4e AS SELECT 'another'; BEGIN"));
    CHECK_STATUS(run(b.ddl, &query, &b.err), PGC_CONFLICT, &b.err);
    CHECK_STR(b.err.sqlstate, "42P05");
    CHECK(b.err.retry);
    REQUIRE(live_do(b.ddl, "ROLLBACK; BEGIN"));
    REQUIRE_OK(run(b.ddl, &query, &b.err), &b.err);
    REQUIRE(live_do(b.ddl, "COMMIT"));
}

static void an_enum_made_again(void)
{
    static const pgc_query mood = { .name = "Mood",
                                    .sql = "SELECT $1::mood AS m",
                                    .param_count = 1,
                                    .column_count = 1,
                                    .params = C_MOOD,
                                    .columns = C_MOOD };
    BENCH(b, "CREATE TYPE mood AS ENUM ('good')");
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from("good"));
    pgc_db *db = pgc_conn_db(b.conn);
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(pgc_db_run(db, &mood, &args, NULL, &b.err), &b.err);
        CHECK_INT(atomic_load(&b.told.stale), i);
        REQUIRE(live_do(b.ddl, "DROP TYPE mood; CREATE TYPE mood AS ENUM ('good')"));
    }
    /* Renamed, it is another type, and the old name is not believed. */
    REQUIRE_OK(pgc_db_run(db, &mood, &args, NULL, &b.err), &b.err);
    REQUIRE(live_do(b.ddl, "ALTER TYPE mood RENAME TO temper; CREATE TYPE mood AS ENUM ('good')"));
    REQUIRE_OK(pgc_db_run(db, &mood, &args, NULL, &b.err), &b.err);
    pgc_args_done(&args);
}

static void an_extension_made_again(void)
{
    BENCH(b, "SELECT 1");
    char text[64];
    if (strcmp(live_text(b.ddl,
                         "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'", text,
                         sizeof text),
               "1") != 0) {
        TAP_SKIP("pgvector is not installed");
    }
    static const pgc_type_ref vector[] = { { "v", "vector", 0 } };
    static const pgc_query nearest = { .name = "Nearest",
                                       .sql = "SELECT v FROM t ORDER BY v <-> $1 LIMIT 1",
                                       .param_count = 1,
                                       .column_count = 1,
                                       .params = vector,
                                       .columns = vector };
    REQUIRE(live_do(b.ddl, "CREATE EXTENSION vector; CREATE TABLE t (v vector(2));"
                           " INSERT INTO t VALUES ('[1,2]')"));
    const float parts[] = { 1, 2 };
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_vector(&args, (pgc_vector) { parts, 2 });
    for (int i = 0; i < 3; i++) {
        pgc_result *result = NULL;
        REQUIRE_OK(pgc_db_run(pgc_conn_db(b.conn), &nearest, &args, &result, &b.err), &b.err);
        CHECK_INT(pgc_result_rows(result), 1);
        pgc_result_free(result);
        CHECK_INT(atomic_load(&b.told.stale), i);
        REQUIRE(live_do(b.ddl, "DROP EXTENSION vector CASCADE; CREATE EXTENSION vector;"
                               " ALTER TABLE t ADD v vector(2); UPDATE t SET v = '[1,2]'"));
    }
    pgc_args_done(&args);
}

static void a_type_without_binary_form(void)
{
    static const pgc_type_ref acl[] = { { "a", "aclitem", 1033 }, { "n", "integer", 23 } };
    static const pgc_query query = { .name = "Acl",
                                     .sql =
                                         "SELECT makeaclitem(10, 10, 'SELECT', false) AS a, 7 AS n",
                                     .column_count = 2,
                                     .columns = acl };
    pgc_query flagged = query;
    flagged.name = "Flagged";
    flagged.flags = PGC_QUERY_TEXT_ROWS;
    BENCH(b, "SELECT 1");
    const pgc_query *const both[] = { &query, &flagged, &query };
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        pgc_result *result = NULL;
        REQUIRE_OK(pgc_db_run(pgc_conn_db(b.conn), both[i], NULL, &result, &b.err), &b.err);
        pgc_reader reader;
        pgc_reader_init(&reader, result, NULL);
        pgc_text text = pgc_read_text(&reader, 0, 1);
        CHECK(text.len == 1 && text.ptr[0] == '7');
        REQUIRE_OK(pgc_reader_finish(&reader, &b.err), &b.err);
        pgc_result_free(result);
        CHECK_INT(atomic_load(&b.told.stale), 1);
    }
    /* In a transaction the attempt has failed it: as with an outdated statement. */
    REQUIRE(live_do(b.ddl, "BEGIN"));
    CHECK_STATUS(run(b.ddl, &query, &b.err), PGC_CONFLICT, &b.err);
    CHECK(b.err.retry);
    REQUIRE(live_do(b.ddl, "ROLLBACK; BEGIN"));
    REQUIRE_OK(run(b.ddl, &query, &b.err), &b.err);
    REQUIRE(live_do(b.ddl, "ROLLBACK"));
}

static void in_a_transaction_nothing_is_repeated(void)
{
    BENCH(b, "CREATE TABLE t (x varchar(10))");
    REQUIRE_OK(run(b.conn, &VARCHAR, &b.err), &b.err);
    REQUIRE(live_do(b.ddl, "ALTER TABLE t ALTER x TYPE varchar(20)"));
    REQUIRE(live_do(b.conn, "BEGIN"));
    CHECK_STATUS(run(b.conn, &VARCHAR, &b.err), PGC_CONFLICT, &b.err);
    CHECK_STR(b.err.sqlstate, "0A000");
    CHECK_STR(b.err.query, "Varchar");
    CHECK(b.err.retry);
    CHECK(b.err.hint[0] != '\0');
    CHECK_INT(atomic_load(&b.told.stale), 0);
    CHECK_INT(pgc_conn_tx_state(b.conn), PGC_TX_FAILED);
    REQUIRE(live_do(b.conn, "ROLLBACK; BEGIN"));
    REQUIRE_OK(run(b.conn, &VARCHAR, &b.err), &b.err);
    REQUIRE(live_do(b.conn, "COMMIT"));
}

static pgc_status two_reads(pgc_tx *tx, void *arg, pgc_error *err)
{
    static const pgc_query one = { .name = "One", .sql = "SELECT 1" };
    (*(int *) arg)++;
    TRY(pgc_db_run(pgc_tx_db(tx), &one, NULL, NULL, err));
    return pgc_db_run(pgc_tx_db(tx), &VARCHAR, NULL, NULL, err);
}

static pgc_pool *pool_on(const char *url, uint32_t conns, counts *told)
{
    const pgc_hooks hooks = { .struct_size = sizeof hooks, .ctx = told, .on_retry = on_retry };
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .struct_size = sizeof options.conn, .conninfo = url, .hooks = &hooks },
        .max_conns = conns,
        .min_conns = conns
    };
    pgc_error err;
    pgc_pool *pool = NULL;
    if (pgc_pool_open(&options, &pool, &err) != PGC_OK) {
        printf("# %s\n", err.message);
    }
    return pool;
}

static void a_transaction_function_runs_again(void)
{
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    counts told = { 0 };
    AUTO(pool_auto) pgc_pool *pool = pool_on(url, 1, &told);
    REQUIRE(pool != NULL);
    AUTO(conn_auto) pgc_conn *ddl = NULL;
    pgc_error err;
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    REQUIRE_OK(pgc_conn_open(&options, &ddl, &err), &err);
    REQUIRE(live_do(ddl, "CREATE TABLE t (x varchar(10))"));
    int calls = 0;
    REQUIRE_OK(pgc_tx_run(pool, NULL, 0, two_reads, &calls, &err), &err);
    CHECK_INT(calls, 1);
    REQUIRE(live_do(ddl, "ALTER TABLE t ALTER x TYPE varchar(20)"));
    REQUIRE_OK(pgc_tx_run(pool, NULL, 0, two_reads, &calls, &err), &err);
    CHECK_INT(calls, 3);
}

static void other_connections_follow_lazily(void)
{
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    counts told = { 0 };
    AUTO(pool_auto) pgc_pool *pool = pool_on(url, 3, &told);
    REQUIRE(pool != NULL);
    pgc_error err;
    pgc_conn *conns[3] = { NULL };
    AUTO(conn_auto) pgc_conn *ddl = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    REQUIRE_OK(pgc_conn_open(&options, &ddl, &err), &err);
    REQUIRE(live_do(ddl, "CREATE TABLE t (x varchar(10))"));
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(pgc_pool_acquire(pool, &conns[i], &err), &err);
        REQUIRE_OK(run(conns[i], &VARCHAR, &err), &err);
    }
    REQUIRE(live_do(ddl, "ALTER TABLE t ALTER x TYPE varchar(20)"));
    /* One of them meets the change; the others hear of it and do not fail, in a transaction
     * either. */
    REQUIRE_OK(run(conns[0], &VARCHAR, &err), &err);
    CHECK_INT(atomic_load(&told.stale), 1);
    REQUIRE_OK(run(conns[1], &VARCHAR, &err), &err);
    REQUIRE_OK(run(conns[1], &VARCHAR, &err), &err);
    REQUIRE(live_do(conns[2], "BEGIN"));
    CHECK_STATUS(run(conns[2], &VARCHAR, &err), PGC_OK, &err);
    REQUIRE(live_do(conns[2], "COMMIT"));
    CHECK_INT(atomic_load(&told.stale), 1);
    char text[64];
    for (int i = 0; i < 3; i++) {
        REQUIRE_OK(run(conns[i], &VARCHAR, &err), &err);
        CHECK_STR(
            live_text(conns[i], "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
            "1");
        pgc_pool_release(pool, conns[i]);
    }
}

static void queries_made_at_run_time_are_found_by_text(void)
{
    BENCH(b, "SELECT 1");
    for (int i = 0; i < 6; i++) {
        /* The same addresses each time, two texts in turn. */
        char sql[64];
        (void) snprintf(sql, sizeof sql, "SELECT 'text %d' AS x", i % 2);
        const pgc_query query = {
            .name = "Made", .sql = sql, .column_count = 1, .columns = C_TEXT
        };
        pgc_result *result = NULL;
        REQUIRE_OK(pgc_db_run(pgc_conn_db(b.conn), &query, NULL, &result, &b.err), &b.err);
        pgc_reader reader;
        pgc_reader_init(&reader, result, &query);
        CHECK_INT(pgc_read_text(&reader, 0, 0).ptr[5], '0' + i % 2);
        pgc_result_free(result);
    }
    char text[64];
    CHECK_STR(live_text(b.conn, "SELECT count(*) FROM pg_prepared_statements", text, sizeof text),
              "2");
}

TAP_MAIN(TAP("stale: a column added under a star", a_column_added_under_a_star),
         TAP("stale: an unrelated column added", an_unrelated_column_added),
         TAP("stale: a column whose type changed", a_column_whose_type_changed),
         TAP("stale: a wider varchar", a_wider_varchar),
         TAP("stale: a changed type in WHERE only", a_changed_type_in_where_only),
         TAP("stale: a table made again", a_table_made_again),
         TAP("stale: a view made again", a_view_with_another_column),
         TAP("stale: another search_path", another_search_path),
         TAP("stale: DISCARD ALL and DEALLOCATE ALL", a_session_that_was_reset),
         TAP("stale: a statement dropped by somebody", a_statement_dropped_by_somebody),
         TAP("stale: a name that is taken", a_name_that_is_taken),
         TAP("stale: an enum made again", an_enum_made_again),
         TAP("stale: an extension made again", an_extension_made_again),
         TAP("stale: a type without binary form", a_type_without_binary_form),
         TAP("stale: in a transaction nothing is repeated", in_a_transaction_nothing_is_repeated),
         TAP("stale: a transaction function runs again", a_transaction_function_runs_again),
         TAP("stale: other connections follow lazily", other_connections_follow_lazily),
         TAP("stale: queries made at run time are found by text",
             queries_made_at_run_time_are_found_by_text))
