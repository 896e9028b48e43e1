/* The harness itself: databases of their own, clean-up. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "live.h"
#include "pg.h"
#include "tap.h"

static pgc_conn *open_url(const char *url)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    if (pgc_conn_open(&options, &conn, &err) != PGC_OK) {
        printf("# %s\n", err.message);
    }
    return conn;
}

static void databases_are_apart(void)
{
    const char *one = test_db_create();
    const char *two = test_db_create();
    REQUIRE(one != NULL && two != NULL);
    CHECK(strcmp(one, two) != 0);
    AUTO(live_close) pgc_conn *first = open_url(one);
    AUTO(live_close) pgc_conn *second = open_url(two);
    REQUIRE(first != NULL && second != NULL);
    char text[64];
    REQUIRE(live_do(first, "CREATE TABLE t AS SELECT 7 AS n"));
    CHECK_STR(live_text(second, "SELECT to_regclass('t')::text", text, sizeof text), "(null)");
}

static void a_database_can_be_copied(void)
{
    const char *source = test_db_create();
    REQUIRE(source != NULL);
    pgc_conn *conn = open_url(source);
    REQUIRE(conn != NULL);
    char name[64];
    char text[64];
    (void) live_text(conn, "SELECT current_database()", name, sizeof name);
    CHECK(live_do(conn, "CREATE TABLE t AS SELECT 7 AS n"));
    pgc_conn_close(conn);
    const char *copy = test_db_create_from(name);
    REQUIRE(copy != NULL);
    AUTO(live_close) pgc_conn *other = open_url(copy);
    REQUIRE(other != NULL);
    CHECK_STR(live_text(other, "SELECT n::text FROM t", text, sizeof text), "7");
}

static void a_database_can_be_dropped_in_use(void)
{
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    AUTO(live_close) pgc_conn *conn = open_url(url);
    AUTO(live_close) pgc_conn *admin = open_url(test_server());
    REQUIRE(conn != NULL && admin != NULL);
    char name[64];
    char sql[192];
    char text[64];
    (void) live_text(conn, "SELECT current_database()", name, sizeof name);
    test_db_drop(url);
    (void) snprintf(sql, sizeof sql, "SELECT count(*)::text FROM pg_database WHERE datname = '%s'",
                    name);
    CHECK_STR(live_text(admin, sql, text, sizeof text), "0");
}

TAP_MAIN(TAP("harness: databases are apart", databases_are_apart),
         TAP("harness: a database can be copied", a_database_can_be_copied),
         TAP("harness: a database can be dropped in use", a_database_can_be_dropped_in_use))
