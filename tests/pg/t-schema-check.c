/* The check of a program's columns against the database: what is missing or other is named. */
#include "base/prelude.h"

#include <pgc/conn.h>
#include <pgc/schema.h>

#include "pg.h"
#include "tap.h"

static const pgc_schema_column WANTED[] = {
    { "public", "t", "id", "integer", true },
    { "public", "t", "name", "character varying", true },
    { "public", "t", "note", "text", false },
    { "public", "t", "mood", "mood", false },
    { "public", "t", "amount", "amount", true },
    { "other", "Odd \"name\"", "a b", "numeric", false },
};

#define MOOD "CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN amount AS int NOT NULL;"
#define T    "CREATE TABLE t (id int PRIMARY KEY, name varchar(20) NOT NULL, note text, mood mood, "
#define ODD  "CREATE SCHEMA other; CREATE TABLE other.\"Odd \"\"name\"\"\" (\"a b\" numeric(4,2));"

static pgc_conn *open_database(const char *schema)
{
    const char *url = test_db_create();
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    pgc_error err = PGC_ZERO;
    pgc_conn *conn = NULL;
    if (url == NULL || !CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_OK, &err)) {
        return NULL;
    }
    CHECK_STATUS(pgc_conn_script(conn, schema, 0, NULL, &err), PGC_OK, &err);
    return conn;
}

/* want: what stands behind the number of differences; NULL: there are none. */
static void expect(const char *schema, const char *want)
{
    pgc_error err = PGC_ZERO;
    pgc_conn *conn = open_database(schema);
    REQUIRE(conn != NULL);
    pgc_status status = pgc_schema_check(pgc_conn_db(conn), WANTED, ARRAY_LEN(WANTED), &err);
    CHECK_INT(status, want == NULL ? PGC_OK : PGC_SCHEMA);
    if (want != NULL && !CHECK(strstr(err.message, want) != NULL)) {
        printf("# %s\n", err.message);
    }
    CHECK(want == NULL || strstr(err.hint, "migrate") != NULL);
    pgc_conn_close(conn);
}

static void the_same_schema_passes(void)
{
    expect(MOOD T "amount amount);" ODD, NULL);
    /* More than the program knows, stricter than it needs, another search path. */
    expect(MOOD T "amount amount, more text NOT NULL); ALTER TABLE t ALTER note SET NOT NULL;"
                  "CREATE TABLE u (id int);" ODD "SET search_path = pg_catalog",
           NULL);
    CHECK_INT(pgc_schema_check(NULL, NULL, 0, NULL), PGC_OK);
}

static void differences_are_named(void)
{
    expect(MOOD T "amount amount);", "1 difference: there is no table other.Odd \"name\"");
    expect(ODD, "1 difference: there is no table public.t");
    expect(MOOD "CREATE TABLE t (id int PRIMARY KEY, name varchar NOT NULL, mood mood, amount "
                "amount);" ODD,
           "1 difference: table public.t has no column \"note\"");
    expect(
        MOOD "CREATE TABLE t (id bigint PRIMARY KEY, name varchar, note text, mood text, amount "
             "amount);" ODD,
        "3 differences: column \"id\" of public.t is bigint, expected integer; column \"name\" of "
        "public.t may be NULL, expected NOT NULL; column \"mood\" of public.t is text, expected "
        "mood");
    expect(MOOD T "amount int); ALTER TABLE t DROP note;" ODD,
           "2 differences: table public.t has no column \"note\"; column \"amount\" of public.t is "
           "integer, expected amount");
}

static void many_differences_are_counted(void)
{
    pgc_error err = PGC_ZERO;
    pgc_conn *conn = open_database("CREATE TABLE t (id int)");
    pgc_schema_column wanted[200];
    char names[200][24];
    REQUIRE(conn != NULL);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        (void) snprintf(names[i], sizeof names[i], "column_%zu", i);
        wanted[i] = (pgc_schema_column) { "public", "t", names[i], "integer", false };
    }
    CHECK_INT(pgc_schema_check(pgc_conn_db(conn), wanted, ARRAY_LEN(wanted), &err), PGC_SCHEMA);
    CHECK(strstr(err.message, "200 differences: table public.t has no column \"column_0\"; ") !=
          NULL);
    CHECK(strlen(err.message) < sizeof err.message - 1);
    pgc_conn_close(conn);
}

static void a_lost_connection_is_no_difference(void)
{
    pgc_error err = PGC_ZERO;
    pgc_conn *conn = open_database("");
    REQUIRE(conn != NULL);
    (void) !pgc_conn_script(conn, "SELECT pg_terminate_backend(pg_backend_pid())", 0, NULL, NULL);
    CHECK_INT(pgc_schema_check(pgc_conn_db(conn), WANTED, ARRAY_LEN(WANTED), &err), PGC_CONNECTION);
    CHECK(strstr(err.message, "compare the database with the program: ") == err.message);
    pgc_conn_close(conn);
}

TAP_MAIN(TAP("the schema that is expected passes, with more in it too", the_same_schema_passes),
         TAP("each difference names table and column", differences_are_named),
         TAP("many differences are counted", many_differences_are_counted),
         TAP("a lost connection is no difference", a_lost_connection_is_no_difference))
