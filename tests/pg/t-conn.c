/* Opening connections, scripts and describe, against a real server. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "pgc/describe.h"

#include "live.h"
#include "oom.h"
#include "tap.h"

static void opens_and_knows_the_server(void)
{
    LIVE(conn);
    CHECK(pgc_conn_alive(conn));
    CHECK(pgc_conn_server_version(conn) >= 150000);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_IDLE);
    char text[64], pid[16];
    (void) snprintf(pid, sizeof pid, "%d", pgc_conn_backend_pid(conn));
    CHECK_STR(live_text(conn, "SELECT pg_backend_pid()", text, sizeof text), pid);
    CHECK_STR(live_text(conn, "SHOW client_encoding", text, sizeof text), "UTF8");
    CHECK_STR(live_text(conn, "SHOW standard_conforming_strings", text, sizeof text), "on");
    CHECK_STR(live_text(conn, "SHOW application_name", text, sizeof text), "pgc");
}

/* Roles belong to the whole server and need unique names. */
static bool role_do(pgc_conn *admin, const char *before, const char *role, const char *after)
{
    char sql[300];
    (void) snprintf(sql, sizeof sql, "%s %s %s", before, role, after);
    return live_do(admin, sql);
}

static void sets_name_and_role(void)
{
    LIVE(admin);
    char role[40], text[64];
    (void) snprintf(role, sizeof role, "t_conn_role_%d", (int) getpid());
    REQUIRE(role_do(admin, "CREATE ROLE", role, ""));
    pgc_error err;
    pgc_conn_options options = live_options();
    options.app_name = "tester";
    options.role = role;
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    CHECK_STR(live_text(conn, "SHOW application_name", text, sizeof text), "tester");
    CHECK_STR(live_text(conn, "SELECT current_user", text, sizeof text), role);
    pgc_conn_close(conn);
    conn = NULL;
    options.role = "no such role; DROP TABLE x";
    CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "no such role") != NULL);
    CHECK(conn == NULL);
    CHECK(role_do(admin, "DROP ROLE", role, ""));
}

static void conforming_strings_are_forced_on(void)
{
    LIVE(admin);
    char role[40], text[64];
    (void) snprintf(role, sizeof role, "t_conn_strings_%d", (int) getpid());
    REQUIRE(role_do(admin, "CREATE ROLE", role, "LOGIN SUPERUSER"));
    REQUIRE(role_do(admin, "ALTER ROLE", role, "SET standard_conforming_strings = off"));
    pgc_error err;
    pgc_conn_options options = live_options();
    options.user = role;
    pgc_conn *conn = NULL;
    pgc_status status = pgc_conn_open(&options, &conn, &err);
    if (status == PGC_OK) {
        CHECK_STR(live_text(conn, "SHOW standard_conforming_strings", text, sizeof text), "on");
        pgc_conn_close(conn);
    } else {
        CHECK_STR(err.sqlstate, "28000"); /* a server that maps operating system users */
    }
    CHECK(role_do(admin, "DROP ROLE", role, ""));
}

static void refused_connections_say_why_without_the_password(void)
{
    LIVE(conn);
    pgc_error err;
    pgc_conn *none = NULL;
    char conninfo[512];
    (void) snprintf(conninfo, sizeof conninfo, "host=/nowhere/at/all password=tops3cret dbname=x");
    pgc_conn_options options = { .struct_size = sizeof options, .conninfo = conninfo };
    CHECK_STATUS(pgc_conn_open(&options, &none, &err), PGC_CONNECTION, &err);
    CHECK(strstr(err.message, "/nowhere/at/all") != NULL);
    CHECK(strstr(err.message, "tops3cret") == NULL);
    options.conninfo = "postgresql://me:tops3cret@host:port:port/x%zz";
    CHECK_STATUS(pgc_conn_open(&options, &none, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "tops3cret") == NULL);
    options.conninfo = "postgresql://me:top@s3cret@localhost/x";
    CHECK_STATUS(pgc_conn_open(&options, &none, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "s3cret") == NULL);
    options.conninfo = "password=tops3cret oops";
    CHECK_STATUS(pgc_conn_open(&options, &none, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "tops3cret") == NULL);
    CHECK(none == NULL);
}

static void a_server_refusal_carries_its_sqlstate(void)
{
    LIVE(conn);
    pgc_error err;
    pgc_conn *none = NULL;
    pgc_conn_options options = live_options();
    options.user = "t_conn_nobody";
    CHECK_STATUS(pgc_conn_open(&options, &none, &err), PGC_CONNECTION, &err);
    CHECK_STR(err.sqlstate, "28000");
    CHECK(!err.retry);
    CHECK(none == NULL);
}

static void bad_options_are_refused(void)
{
    pgc_error err;
    pgc_conn *none = NULL;
    const pgc_conn_options options = { 0 };
    CHECK_STATUS(pgc_conn_open(&options, &none, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_conn_open(NULL, &none, &err), PGC_INVALID, &err);
    pgc_conn_close(NULL);
}

static void scripts_run_many_statements_and_keep_the_last(void)
{
    LIVE(conn);
    char text[64];
    CHECK_STR(live_text(conn,
                        "CREATE TEMP TABLE t (x int); INSERT INTO t VALUES (1), (2);"
                        " SELECT sum(x) FROM t",
                        text, sizeof text),
              "3");
    pgc_error err;
    CHECK_STATUS(pgc_conn_script(conn, "SELECT 1; SELECT oops; SELECT 2", 0, NULL, &err), PGC_DB,
                 &err);
    CHECK_STR(err.sqlstate, "42703");
    CHECK_INT(err.position, 18);
    CHECK(pgc_conn_alive(conn));
    CHECK_STATUS(pgc_conn_script(conn, "", 0, NULL, &err), PGC_OK, &err);
}

static void scripts_refuse_copy(void)
{
    LIVE(conn);
    pgc_error err;
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (x int)"));
    CHECK_STATUS(pgc_conn_script(conn, "COPY t FROM STDIN", 0, NULL, &err), PGC_UNSUPPORTED, &err);
    CHECK(pgc_conn_alive(conn));
    char text[64];
    CHECK_STR(live_text(conn, "SELECT count(*) FROM t", text, sizeof text), "0");
    CHECK_STATUS(pgc_conn_script(conn, "COPY t TO STDOUT", 0, NULL, &err), PGC_UNSUPPORTED, &err);
    CHECK(!pgc_conn_alive(conn));
}

static void a_script_past_its_deadline_is_cancelled(void)
{
    LIVE(conn);
    pgc_error err;
    CHECK_STATUS(pgc_conn_script(conn, "SELECT pg_sleep(60)", 20000, NULL, &err), PGC_TIMEOUT,
                 &err);
    CHECK(pgc_conn_alive(conn));
    char text[64];
    CHECK_STR(live_text(conn, "SELECT 'still here'", text, sizeof text), "still here");
}

static void describe_tells_parameters_and_columns(void)
{
    LIVE(conn);
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    REQUIRE(memory != NULL);
    REQUIRE(live_do(conn, "CREATE TEMP TABLE t (id int8 NOT NULL, name varchar(20))"));
    pgc_error err;
    described out = { 0 };
    REQUIRE_OK(conn_describe(conn, "d1", "SELECT name, id + 1 AS next FROM t WHERE id = $1", NULL,
                             0, memory, &out, &err),
               &err);
    REQUIRE(out.param_count == 1);
    CHECK_INT(out.param_oids[0], 20);
    REQUIRE(out.column_count == 2);
    CHECK_STR(out.columns[0].name, "name");
    CHECK_INT(out.columns[0].type_oid, 1043);
    CHECK_INT(out.columns[0].typmod, 24);
    CHECK(out.columns[0].table_oid != 0);
    CHECK_INT(out.columns[0].table_column, 2);
    CHECK_STR(out.columns[1].name, "next");
    CHECK_INT(out.columns[1].table_oid, 0);
    const uint32_t oids[] = { 23 };
    REQUIRE_OK(conn_describe(conn, "", "INSERT INTO t VALUES ($1)", oids, 1, memory, &out, &err),
               &err);
    CHECK_INT(out.param_oids[0], 23);
    CHECK_INT(out.column_count, 0);
}

static void describe_points_at_the_mistake(void)
{
    LIVE(conn);
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    REQUIRE(memory != NULL);
    pgc_error err;
    described out = { 0 };
    CHECK_STATUS(conn_describe(conn, "", "SELECT * FORM t", NULL, 0, memory, &out, &err), PGC_DB,
                 &err);
    CHECK_STR(err.sqlstate, "42601");
    CHECK_INT(err.position, 10);
    CHECK_STATUS(conn_describe(conn, "", "SELECT 1 AS x", NULL, 0, memory, &out, &err), PGC_OK,
                 &err);
    CHECK_INT(out.column_count, 1);
}

/* More than go out at once, and refusals at both ends, in the middle and behind it. */
static void many_are_described_each_for_itself(void)
{
    enum { MANY = 600 };
    LIVE(conn);
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    REQUIRE(memory != NULL);
    static describe_item items[MANY];
    static const size_t WRONG[] = { 0, 255, 256, 300, MANY - 1 };
    pgc_error err;
    for (size_t i = 0; i < MANY; i++) {
        items[i] = (describe_item) {
            .name = arena_printf(memory, "many_%zu", i),
            .sql = arena_printf(memory, "SELECT %zu AS c%zu, $1::int8", i, i),
        };
    }
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        items[WRONG[i]].sql = arena_printf(memory, "SELECT nope_%zu", WRONG[i]);
    }
    REQUIRE_OK(conn_describe_many(conn, items, MANY, -1, memory, &err), &err);
    size_t good = 0;
    for (size_t i = 0; i < MANY; i++) {
        const describe_item *item = &items[i];
        char name[32];
        (void) snprintf(name, sizeof name, "c%zu", i);
        good += item->status == PGC_OK && item->error == NULL && item->shape.param_count == 1 &&
                        item->shape.param_oids[0] == 20 && item->shape.column_count == 2 &&
                        strcmp(item->shape.columns[0].name, name) == 0
                    ? 1
                    : 0;
    }
    CHECK_INT(good, MANY - ARRAY_LEN(WRONG));
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        const describe_item *item = &items[WRONG[i]];
        char name[32];
        (void) snprintf(name, sizeof name, "nope_%zu", WRONG[i]);
        CHECK_INT(item->status, PGC_DB);
        REQUIRE(item->error != NULL);
        CHECK_STR(item->error->sqlstate, "42703");
        CHECK_INT(item->error->position, 8);
        CHECK(strstr(item->error->message, name) != NULL);
    }
    CHECK(pgc_conn_alive(conn));
}

/* A text without a name is run; a statement that was described before it is there. */
static void texts_between_descriptions_are_run(void)
{
    LIVE(conn);
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    REQUIRE(memory != NULL);
    pgc_error err;
    describe_item items[] = {
        { .name = "d1", .sql = "SELECT $1::int / 0" },
        { .sql = "EXPLAIN EXECUTE d1(NULL)" },
        { .sql = "EXECUTE d1(1)" },
        { .sql = "SELECT ARRAY['a', NULL]::aclitem[]" },
        { .name = "", .sql = "SELECT 1 AS x" },
        { .sql = "SELECT 'kept\\' || 7", .keep_text = true },
        { .sql = "SELECT 'forgotten'" },
        { .sql = "SELECT 1, 2", .keep_text = true },
        { .sql = "SELECT 1 WHERE false", .keep_text = true },
        { .sql = "SELECT nope", .keep_text = true },
    };
    REQUIRE_OK(conn_describe_many(conn, items, ARRAY_LEN(items), 10000000, memory, &err), &err);
    CHECK_INT(items[0].status, PGC_OK);
    CHECK_INT(items[1].status, PGC_OK);
    CHECK_INT(items[2].status, PGC_INVALID);
    REQUIRE(items[2].error != NULL);
    CHECK_STR(items[2].error->sqlstate, "22012");
    CHECK(items[3].status != PGC_OK);
    CHECK_INT(items[4].status, PGC_OK);
    CHECK_INT(items[4].shape.column_count, 1);
    CHECK(slice_eq_str(items[5].text, "kept\\7"));
    for (size_t i = 6; i < ARRAY_LEN(items); i++) {
        CHECK(items[i].text.ptr == NULL);
        CHECK_INT(items[i].status, i == 9 ? PGC_DB : PGC_OK);
    }
    REQUIRE_OK(conn_describe_many(conn, NULL, 0, -1, memory, &err), &err);
}

/* What was answered before the end counts; the rest is told why there is no answer. */
static void a_lost_connection_ends_a_description_of_many(void)
{
    LIVE(conn);
    LIVE(killer);
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    REQUIRE(memory != NULL);
    pgc_error err;
    describe_item items[] = {
        { .name = "", .sql = "SELECT 1 AS x" },
        { .sql = "SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(10)" },
        { .name = "", .sql = "SELECT 2 AS y" },
    };
    REQUIRE_OK(conn_describe_many(conn, items, ARRAY_LEN(items), -1, memory, &err), &err);
    CHECK_INT(items[0].status, PGC_OK);
    CHECK_INT(items[0].shape.column_count, 1);
    for (size_t i = 1; i < ARRAY_LEN(items); i++) {
        CHECK_INT(items[i].status, PGC_CONNECTION);
        CHECK(items[i].error != NULL && items[i].error->message[0] != '\0');
    }
    REQUIRE_OK(conn_describe_many(conn, items, 1, -1, memory, &err), &err);
    CHECK(items[0].status != PGC_OK);
}

/* Each allocation fails once, those of the arena and those of the exchange. */
static void a_description_of_many_survives_missing_memory(void)
{
    enum { MANY = 8 }; /* their steps do not fit into the exchange itself */
    bool done = false;
    for (int fail_at = 1; !done && fail_at < 200; fail_at++) {
        oom_plan plan = { .fail_at = 0 };
        const pgc_alloc alloc = oom_alloc(&plan);
        pgc_error err;
        pgc_conn *conn = NULL;
        pgc_conn_options options = { .struct_size = sizeof options,
                                     .conninfo = test_server(),
                                     .alloc = &alloc };
        REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
        arena *memory = arena_new(&alloc, 64, 0);
        describe_item items[MANY];
        for (size_t i = 0; i < MANY; i++) {
            items[i] = (describe_item) { .name = "", .sql = "SELECT 1 AS a, 2 AS b, 3 AS c" };
        }
        items[MANY - 1].sql = "SELECT nope";
        plan.calls = 0;
        plan.fail_at = fail_at;
        pgc_status status = conn_describe_many(conn, items, MANY, -1, memory, &err);
        size_t short_of = 0;
        for (size_t i = 0; status == PGC_OK && i < MANY; i++) {
            short_of += items[i].status == PGC_NOMEM ? 1 : 0;
        }
        done = plan.calls < fail_at;
        CHECK(done ? status == PGC_OK && short_of == 0 && items[MANY - 1].status == PGC_DB
                   : status == PGC_NOMEM || short_of > 0);
        arena_free(memory);
        pgc_conn_close(conn);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    CHECK(done);
}

static void a_terminated_session_is_lost_for_good(void)
{
    LIVE(conn);
    LIVE(killer);
    char sql[80], text[64];
    (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d, 5000)",
                    pgc_conn_backend_pid(conn));
    CHECK_STR(live_text(killer, sql, text, sizeof text), "t");
    pgc_error err;
    CHECK_STATUS(pgc_conn_script(conn, "SELECT 1", 0, NULL, &err), PGC_CONNECTION, &err);
    CHECK(err.retry);
    CHECK(!pgc_conn_alive(conn));
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_UNKNOWN);
    CHECK_STATUS(pgc_conn_script(conn, "SELECT 1", 0, NULL, &err), PGC_CONNECTION, &err);
}

TAP_MAIN(TAP("conn: opens and knows the server", opens_and_knows_the_server),
         TAP("conn: sets name and role", sets_name_and_role),
         TAP("conn: conforming strings are forced on", conforming_strings_are_forced_on),
         TAP("conn: a refusal says why without the password",
             refused_connections_say_why_without_the_password),
         TAP("conn: a server's refusal carries its SQLSTATE",
             a_server_refusal_carries_its_sqlstate),
         TAP("conn: bad options are refused", bad_options_are_refused),
         TAP("script: many statements, the last one's rows",
             scripts_run_many_statements_and_keep_the_last),
         TAP("script: COPY is refused", scripts_refuse_copy),
         TAP("script: past its deadline it is cancelled", a_script_past_its_deadline_is_cancelled),
         TAP("describe: parameters and columns", describe_tells_parameters_and_columns),
         TAP("describe: points at the mistake", describe_points_at_the_mistake),
         TAP("describe: many at once, each for itself", many_are_described_each_for_itself),
         TAP("describe: texts in between are run", texts_between_descriptions_are_run),
         TAP("describe: many, and the connection is lost",
             a_lost_connection_ends_a_description_of_many),
         TAP("describe: many, and no memory", a_description_of_many_survives_missing_memory),
         TAP("conn: a terminated session is lost for good", a_terminated_session_is_lost_for_good))
