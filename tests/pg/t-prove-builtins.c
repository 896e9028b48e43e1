/* The rules about built-in functions and operators against the server at hand: every immutable or
 * stable one is called with edge values of its argument types, and a call that gave NULL must not
 * be claimed NOT NULL. Newer servers have more functions: this finds the ones our lists do not
 * know. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "base/buf.h"
#include "sqlc/prove.h"

#include "pg.h"
#include "tap.h"

/* Values that make functions return NULL: empty, infinite, not a number, unbounded, disjoint. */
static const char EDGES[] =
    "CREATE EXTENSION vector; CREATE EXTENSION citext; CREATE EXTENSION pg_trgm;"
    "CREATE TYPE mood AS ENUM ('low', 'high');"
    "CREATE TABLE edge (type regtype, expr text);"
    "INSERT INTO edge SELECT t::regtype, format('%L::%s', v, t) FROM (VALUES"
    " ('text', '{\"\",a,\"A b\",\"{}\",2020,x1}'), ('varchar', '{\"\",ab}'), ('bpchar', '{\"\"}'),"
    " ('name', '{a}'), ('int2', '{0,-1}'), ('int4', '{0,1,-1}'), ('int8', '{0,1,-5}'),"
    " ('numeric', '{NaN,Infinity,0,1.5}'), ('float8', '{NaN,Infinity,0,-2}'),"
    " ('float4', '{NaN,1.5}'), ('timestamptz', '{infinity,-infinity,2020-01-02}'),"
    " ('timestamp', '{infinity,2020-01-02}'), ('date', '{infinity,2020-01-02}'),"
    " ('time', '{00:00}'), ('timetz', '{00:00+0}'), ('interval', '{0,1 mon -3 days}'),"
    " ('jsonb', '{null,\"{}\",\"[]\",1,\"{\\\"a\\\":null}\"}'), ('json', '{null,\"{}\",\"[]\"}'),"
    " ('jsonpath', '{$,$.a,$.a == 1}'), ('text[]', '{\"{}\",\"{NULL}\",\"{a,b}\"}'),"
    " ('int4[]', '{\"{}\",\"{NULL}\",\"{1,2}\"}'), ('int4range', '{empty,\"(,)\",\"[1,2)\"}'),"
    " ('numrange', '{empty,\"(,)\"}'), ('daterange', '{empty}'), ('tstzrange', '{\"(,)\"}'),"
    " ('int4multirange', '{\"{}\",\"{(,)}\"}'), ('bool', '{t,f}'), ('bytea', '{\"\",ab}'),"
    " ('uuid', '{00000000-0000-0000-0000-000000000000}'), ('varbit', '{\"\",10}'),"
    " ('inet', '{1.2.3.4/24,::1}'), ('cidr', '{1.2.3.0/24}'), ('macaddr', '{08:00:2b:01:02:03}'),"
    " ('point', '{\"(0,0)\",\"(nan,1)\"}'), ('lseg', '{\"[(0,0),(1,1)]\",\"[(5,5),(6,7)]\"}'),"
    " ('path', '{\"[(0,0),(1,1)]\",\"((0,0),(1,1),(2,0))\"}'),"
    " ('box', '{\"(1,1),(0,0)\",\"(9,9),(8,8)\"}'), ('polygon', '{\"((0,0),(1,1),(2,0))\"}'),"
    " ('circle', '{\"<(0,0),1>\",\"<(9,9),0>\"}'), ('line', '{\"{1,-1,0}\",\"{1,-1,5}\"}'),"
    " ('oid', '{0,16384}'), ('regclass', '{pg_class}'), ('\"char\"', '{a}'), ('money', '{0}'),"
    " ('tsvector', '{\"\",a:1A b}'), ('tsquery', '{\"\",a & b}'), ('xml', '{<a/>}'),"
    " ('pg_lsn', '{0/0}'), ('regconfig', '{english}'), ('regdictionary', '{english_stem}'),"
    " ('vector', '{\"[1,2,3]\",\"[0,0,0]\"}'), ('citext', '{\"\",aB}'), ('mood', '{low}')"
    ") AS e(t, l), unnest(l::text[]) AS v;"
    "INSERT INTO edge SELECT p::regtype, expr FROM edge e, (VALUES ('anyarray', 'int4[]'),"
    " ('anycompatiblearray', 'int4[]'), ('anyelement', 'int4'), ('anynonarray', 'int4'),"
    " ('anycompatible', 'int4'), ('anyrange', 'int4range'), ('anymultirange', 'int4multirange'),"
    " ('anyenum', 'mood'), ('\"any\"', 'int4'), ('\"any\"', 'text[]')) AS m(p, t)"
    " WHERE e.type = t::regtype;";

/* Calls as text, at most `per` of one function. Volatile ones may do things,
 * sets may never end: both are left out. */
static const char CALLS[] =
    "CREATE TABLE call AS"
    " WITH f AS ("
    "   SELECT p.oid, format('%s(', p.oid::regproc) AS head, ', ' AS middle, ')' AS tail,"
    "          p.proargtypes::oid[] AS args FROM pg_proc p"
    "    WHERE p.prokind = 'f' AND NOT p.proretset AND p.provolatile <> 'v'"
    "      AND p.pronargs BETWEEN 1 AND 3"
    "      AND p.prorettype NOT IN ('internal'::regtype, 'trigger'::regtype)"
    "      AND p.proname !~ "
    "'^(pg_|repeat|lpad|rpad|query_to|cursor_to|table_to|schema_to|database)'"
    "   UNION ALL"
    "   SELECT o.oid, '', format(' OPERATOR(%s.%s) ', n.nspname, o.oprname), '',"
    "          ARRAY[o.oprleft, o.oprright] FROM pg_operator o"
    "     JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oprleft <> 0),"
    " c AS ("
    "   SELECT f.oid, head || a.expr || coalesce(middle || b.expr, '')"
    "                 || coalesce(middle || d.expr, '') || tail AS expr"
    "     FROM f JOIN edge a ON a.type = args[array_lower(args, 1)]"
    "     LEFT JOIN edge b ON b.type = args[array_lower(args, 1) + 1]"
    "     LEFT JOIN edge d ON d.type = args[array_lower(args, 1) + 2]"
    "    WHERE (cardinality(args) < 2 OR b.expr IS NOT NULL)"
    "      AND (cardinality(args) < 3 OR d.expr IS NOT NULL))"
    " SELECT expr FROM (SELECT expr, row_number() OVER (PARTITION BY oid ORDER BY md5(expr)) AS n"
    "                     FROM c) s WHERE n <= 16;";

/* The calls that gave NULL; errors are none of our business. */
static const char RUN[] =
    "CREATE TABLE seen (expr text);"
    "DO $$ DECLARE c record; is_null bool; BEGIN"
    "  FOR c IN SELECT expr FROM call LOOP"
    "    BEGIN"
    "      EXECUTE format('SELECT bool_or(num_nulls(x) = 1) FROM (SELECT %s AS x) s', c.expr)"
    "        INTO is_null;"
    "      IF is_null THEN INSERT INTO seen VALUES (c.expr); END IF;"
    "    EXCEPTION WHEN OTHERS THEN NULL;"
    "    END;"
    "  END LOOP;"
    "END $$;";

static bool do_script(pgc_conn *conn, const char *sql)
{
    pgc_error err;
    return CHECK_STATUS(pgc_conn_script(conn, sql, 0, NULL, &err), PGC_OK, &err);
}

/* Claims about one call; false when it is claimed NOT NULL. */
static bool is_not_claimed(const catalog *cat, slice expr)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    pgc_error err;
    null_claim claim = { .not_null = true, .reason = "no memory" };
    const char *sql = arena_printf(mem, "SELECT %" SLICE_FMT, SLICE_ARG(expr));
    if (sql != NULL) {
        (void) CHECK_STATUS(prove_columns(cat, (slice) { sql, strlen(sql) }, 1, mem, &claim, &err),
                            PGC_OK, &err);
    }
    if (claim.not_null) {
        printf("# gave NULL, but is claimed: %s (%s)\n", sql, claim.reason);
    }
    return !claim.not_null;
}

static void check_seen(pgc_conn *conn, const catalog *cat)
{
    pgc_error err;
    pgc_result *rows = NULL;
    REQUIRE_OK(pgc_conn_script(conn,
                               "SELECT expr, (SELECT count(*) FROM call) FROM seen ORDER BY expr",
                               0, &rows, &err),
               &err);
    pgc_reader reader;
    pgc_reader_init(&reader, rows, NULL);
    size_t count = pgc_result_rows(rows), unsound = 0;
    for (size_t i = 0; i < count; i++) {
        unsound += is_not_claimed(cat, pgc_read_opt_text(&reader, i, 0)) ? 0 : 1;
    }
    printf("# %.*s calls, %zu gave NULL\n", (int) pgc_read_opt_text(&reader, 0, 1).len,
           pgc_read_opt_text(&reader, 0, 1).ptr, count);
    CHECK_INT(unsound, 0);
    CHECK(count > 100);
    pgc_result_free(rows);
}

static void built_ins(void)
{
    const char *url = test_db_create();
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    pgc_error err;
    pgc_conn *conn = NULL;
    catalog *cat = NULL;
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    REQUIRE(url != NULL && mem != NULL);
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    bool ok = do_script(conn, EDGES) && do_script(conn, CALLS) && do_script(conn, RUN) &&
              CHECK_STATUS(catalog_load(conn, mem, &cat, &err), PGC_OK, &err);
    if (ok) {
        check_seen(conn, cat);
    }
    pgc_conn_close(conn);
}

TAP_MAIN(TAP("prove builtins: what gives NULL is never claimed", built_ins))
