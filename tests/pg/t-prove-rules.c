/* Every rule of the NULL proof by its name (sqlc.md §8.4), on the catalog of a real server: one
 * expression or statement per line, with one letter per column as in t-prove.c: N proved NOT NULL,
 * E also without NULL elements, - nullable. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "pgc/describe.h"
#include "sqlc/prove.h"

#include "pg.h"
#include "tap.h"

#define COLUMNS_MAX 16

/* t: every column NOT NULL; n: the same columns, all nullable. */
static const char *const SCHEMA[] = {
    "CREATE EXTENSION vector",
    "CREATE EXTENSION pg_trgm",
    "CREATE TYPE mood AS ENUM ('a', 'b')",
    "CREATE TYPE pair AS (x int, y text)",
    "CREATE TABLE t (i int NOT NULL PRIMARY KEY, l bigint NOT NULL, f float8 NOT NULL, d numeric "
    "NOT "
    "NULL, s text NOT NULL, b bool NOT NULL, j jsonb NOT NULL, k json NOT NULL, a int[] NOT NULL, "
    "w "
    "text[] NOT NULL, ts timestamptz NOT NULL, day date NOT NULL, r int4range NOT NULL, m mood NOT "
    "NULL, v vector(3) NOT NULL, u uuid NOT NULL, p pair NOT NULL, iv interval NOT NULL)",
    "CREATE TABLE n (i int, l bigint, f float8, d numeric, s text, b bool, j jsonb, k json, a "
    "int[], "
    "w text[], ts timestamptz, day date, r int4range, m mood, v vector(3), u uuid, p pair, iv "
    "interval)",
    "CREATE SEQUENCE q",
    "CREATE FUNCTION mine(int) RETURNS int STRICT LANGUAGE sql AS 'SELECT NULL::int'",
};

typedef struct rule {
    const char *sql, *claims;
} rule;

static struct {
    arena *memory;
    catalog *cat;
    pgc_conn *conn;
    bool tried;
} world;

static bool ready(void)
{
    pgc_error err = PGC_ZERO;
    if (world.tried) {
        return world.cat != NULL;
    }
    world.tried = true;
    world.memory = arena_new(NULL, 0, 0);
    const char *url = test_db_create();
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    bool ok = url != NULL && world.memory != NULL &&
              CHECK_STATUS(pgc_conn_open(&options, &world.conn, &err), PGC_OK, &err);
    for (size_t i = 0; ok && i < ARRAY_LEN(SCHEMA); i++) {
        ok = CHECK_STATUS(pgc_conn_script(world.conn, SCHEMA[i], 0, NULL, &err), PGC_OK, &err);
    }
    catalog *cat = NULL;
    ok = ok && CHECK_STATUS(catalog_load(world.conn, world.memory, &cat, &err), PGC_OK, &err);
    world.cat = ok ? cat : NULL;
    return ok;
}

/* The server must take the statement, and our count of columns must be its count. */
static void check_rule(const rule *r)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    null_claim claims[COLUMNS_MAX];
    described d = { .column_count = 0 };
    pgc_error err = PGC_ZERO;
    char text[COLUMNS_MAX + 1] = { 0 };
    if (!CHECK_STATUS(conn_describe(world.conn, "", r->sql, NULL, 0, mem, &d, &err), PGC_OK,
                      &err) ||
        !CHECK(d.column_count <= COLUMNS_MAX)) {
        printf("# in: %s\n", r->sql);
        return;
    }
    const slice sql = { r->sql, strlen(r->sql) };
    REQUIRE_OK(prove_columns(world.cat, sql, d.column_count, mem, claims, &err), &err);
    for (size_t i = 0; i < d.column_count; i++) {
        bool elements = claims[i].not_null && claims[i].elems_not_null;
        text[i] = elements ? 'E' : claims[i].not_null ? 'N' : '-';
        CHECK(claims[i].reason != NULL && claims[i].reason[0] != '\0');
    }
    if (strcmp(text, r->claims) != 0) {
        printf("# in: %s\n", r->sql);
        for (size_t i = 0; i < d.column_count; i++) {
            printf("#   %s: %c %s\n", d.columns[i].name, text[i], claims[i].reason);
        }
    }
    CHECK_STR(text, r->claims);
}

#define RULES(...)                                      \
    do {                                                \
        static const rule list_[] = { __VA_ARGS__ };    \
        REQUIRE(ready());                               \
        for (size_t i = 0; i < ARRAY_LEN(list_); i++) { \
            check_rule(&list_[i]);                      \
        }                                               \
    } while (0)

static void constants_and_columns(void)
{
    RULES({ "SELECT 1, 1.5, 'x', true, NULL, '{}'::int[], B'01', NULL::int", "NNNN-EN-" },
          { "SELECT i, l, s, j, a, ts FROM t", "NNNNNN" },
          { "SELECT i, l, s, j, a, ts FROM n", "------" },
          { "SELECT t.i, t.m, t.p, n.m, n.p, n.u FROM t CROSS JOIN n", "NNN---" });
}

static void casts(void)
{
    RULES({ "SELECT i::text, i::bigint, s::varchar(3), l::int, f::numeric FROM t", "NNNNN" },
          { "SELECT i::text, s::int FROM n", "--" },
          { "SELECT ts::date, ts::timestamp, ts::time, ts::timetz FROM t", "NN--" },
          { "SELECT day::timestamptz, iv::time, iv::text FROM t", "NNN" },
          { "SELECT (j -> 'a')::text, j::text, j::int, j::bool, j::numeric FROM t", "-N---" },
          { "SELECT s::jsonb, j::json, k::jsonb, s::mood, m::text FROM t", "NNNNN" },
          { "SELECT a::text[], '{1}'::int[], ARRAY[1, 2]::bigint[] FROM t", "NNE" },
          { "SELECT s::uuid, u::text, v::text, v::real[] FROM t", "NNNN" });
}

static void operators(void)
{
    RULES({ "SELECT i + 1, i - l, f * 2, d / 3, -i, i % 2, i ^ 2, |/ f FROM t", "NNNNNNNN" },
          { "SELECT i + 1, 1 - i, -i, i % 2 FROM n", "----" },
          { "SELECT i = 1, i <> 1, s < 'x', s LIKE 'x', s ILIKE 'x', s ~ 'x', s SIMILAR TO 'x' "
            "FROM t",
            "NNNNNNN" },
          { "SELECT s LIKE 'x', i BETWEEN 1 AND 2, NOT b, b AND b, b OR true FROM n", "-----" },
          { "SELECT i BETWEEN 1 AND 2, i NOT BETWEEN 1 AND l, i BETWEEN SYMMETRIC 2 AND 1 FROM t",
            "NNN" },
          { "SELECT s || s, s || i, a || 1, a || a, j || j, s || NULL FROM t", "NNNNN-" },
          /* A literal beside a known type is tried as that type first. */
          { "SELECT s || 'x', 'x' || s, s || NULL, day - '2020-01-01', i + '1' FROM t", "NN-NN" },
          { "SELECT s || 'x', 'x' || s FROM n", "--" },
          { "SELECT path '((0,0),(1,1))' + '((0,0),(1,1))', lseg '(0,0),(1,1)' # '(0,1),(1,0)'",
            "--" },
          { "SELECT j -> 'a', j ->> 'a', j #> '{a}', j #>> '{a}', j ? 'a', j @> j, j - 'a' FROM t",
            "----NNN" },
          { "SELECT k -> 'a', k ->> 0, j @? '$', j @@ '$' FROM t", "----" },
          { "SELECT r @> 1, r && r, r * r, r << r, a @> a, a && a FROM t", "NNNNNN" },
          { "SELECT v <-> v, v <=> v, v + v, s <-> s, s % s FROM t", "NNNNN" },
          { "SELECT v <-> v, s <-> s FROM n", "--" },
          { "SELECT lseg '(0,0),(1,1)' # lseg '(0,1),(1,0)', point '(0,0)' ## lseg '(0,0),(1,1)'",
            "--" },
          { "SELECT path '((0,0),(1,1))' + path '((0,0),(1,1))', point '(0,0)' + point '(1,1)'",
            "-N" },
          { "SELECT ts + iv, ts - ts, day + 1, day - day, iv * 2 FROM t", "NNNNN" },
          { "SELECT ts AT TIME ZONE 'UTC', (ts, ts) OVERLAPS (ts, ts), s COLLATE \"C\" FROM t",
            "N-N" });
}

static void lists_and_arrays(void)
{
    RULES(
        { "SELECT i IN (1, 2), i IN (1, NULL), i NOT IN (1) FROM t", "N-N" },
        { "SELECT i IN (1, 2), i NOT IN (1) FROM n", "--" },
        { "SELECT i = ANY (a), i = ANY (ARRAY[1, 2]), i = ANY ('{1}'), i <> ALL (ARRAY[1]) FROM t",
          "-N-N" },
        { "SELECT i IN (SELECT i FROM t), i IN (SELECT i FROM n), i NOT IN (SELECT i FROM t) FROM "
          "t",
          "N-N" },
        { "SELECT i = ANY (SELECT i FROM t), i > ALL (SELECT i FROM n) FROM t", "N-" },
        { "SELECT ARRAY[1, 2], ARRAY[i], ARRAY[1, NULL], ARRAY[]::int[] FROM t", "EENE" },
        { "SELECT ARRAY(SELECT i FROM t), ARRAY(SELECT i FROM n)", "EN" },
        { "SELECT a[1], a[1:2], w[2], (ARRAY[1])[1] FROM t", "-N--" },
        { "SELECT a[1:2] FROM n", "-" }, { "SELECT ROW(1, NULL), ROW(n.i) FROM n", "NN" },
        { "SELECT (p).x, (p).y FROM t", "--" });
}

static void tests(void)
{
    RULES({ "SELECT i IS NULL, i IS NOT NULL, b IS TRUE, b IS NOT FALSE, b IS UNKNOWN FROM n",
            "NNNNN" },
          { "SELECT i IS DISTINCT FROM 1, i IS NOT DISTINCT FROM NULL FROM n", "NN" },
          { "SELECT EXISTS (SELECT 1 FROM n), NOT EXISTS (SELECT 1 FROM n)", "NN" },
          { "SELECT '<a/>'::xml IS DOCUMENT", "N" },
          { "SELECT s IS NORMALIZED, s IS NORMALIZED FROM t", "NN" });
}

static void choices(void)
{
    RULES(
        { "SELECT coalesce(n.i, 1), coalesce(n.i, n.l), coalesce(n.i, n.l, 0) FROM n", "N-N" },
        { "SELECT greatest(i, 1), least(i, l), greatest(i, l, 3) FROM n", "N-N" },
        { "SELECT nullif(i, 1), nullif(s, '') FROM t", "--" },
        { "SELECT CASE WHEN b THEN 1 ELSE 2 END, CASE WHEN b THEN 1 END, CASE i WHEN 1 THEN s ELSE "
          "'x' END FROM t",
          "N-N" },
        { "SELECT CASE WHEN i IS NOT NULL THEN i ELSE 0 END, CASE WHEN i IS NULL THEN 0 ELSE i "
          "END, "
          "CASE WHEN i > 0 THEN i ELSE 0 END FROM n",
          "NNN" },
        { "SELECT CASE WHEN i > 0 THEN 0 ELSE i END, CASE WHEN true THEN NULL ELSE 1 END FROM n",
          "--" });
}

static void sub_selects(void)
{
    RULES(
        { "SELECT (SELECT count(*) FROM t), (SELECT max(i) FROM t), (SELECT i FROM t LIMIT 1)",
          "N--" },
        { "SELECT (SELECT 1), (SELECT i), (SELECT 1 WHERE b), (SELECT 1 LIMIT 0) FROM t", "NN--" },
        { "SELECT (SELECT count(*) FROM t GROUP BY i LIMIT 1), (SELECT count(*) FROM t HAVING "
          "true)",
          "--" },
        { "SELECT (SELECT generate_series(1, 0)), (SELECT count(*) FROM t OFFSET 1)", "--" });
}

static void value_functions(void)
{
    RULES(
        { "SELECT current_date, current_timestamp, localtime, localtimestamp(0), current_time",
          "NNNNN" },
        { "SELECT current_user, session_user, current_catalog, current_schema", "NNN-" },
        { "SELECT now(), clock_timestamp(), random(), gen_random_uuid(), version(), "
          "pg_backend_pid()",
          "NNNNNN" },
        { "SELECT statement_timestamp(), transaction_timestamp(), timeofday(), current_database(), "
          "txid_current(), pg_current_xact_id()",
          "NNNNNN" },
        { "SELECT grouping(i), count(*) FROM t GROUP BY i", "NN" });
}

static void strict_functions(void)
{
    RULES(
        { "SELECT lower(s), upper(s), length(s), abs(i), round(d, 1), md5(s), trim(s) FROM t",
          "NNNNNNN" },
        { "SELECT lower(s), abs(i), md5(s) FROM n", "---" },
        { "SELECT replace(s, 'a', 'b'), split_part(s, ',', 1), left(s, 1), position('a' in s) FROM "
          "t",
          "NNNN" },
        { "SELECT date_trunc('day', ts), extract(year from ts), extract(hour from ts), age(ts) "
          "FROM "
          "t",
          "NN-N" },
        { "SELECT to_char(ts, 'Y'), to_char(d, '9'), to_number('1', '9'), to_date('1', 'D') FROM t",
          "-N-N" },
        { "SELECT lower(r), upper(r), isempty(r), lower(s) FROM t", "--NN" },
        { "SELECT array_length(a, 1), cardinality(a), array_upper(a, 1), array_dims(a), "
          "array_ndims(a), array_position(a, 1) FROM t",
          "-N----" },
        { "SELECT scale(d), min_scale(d), trim_scale(d), sign(d), width_bucket(f, 0, 1, 2) FROM t",
          "--NNN" },
        { "SELECT substring(s from 1 for 2), substring(s from 'a'), regexp_match(s, 'a'), "
          "regexp_replace(s, 'a', 'b'), regexp_substr(s, 'a'), regexp_count(s, 'a') FROM t",
          "N--N-N" },
        { "SELECT jsonb_typeof(j), jsonb_array_length('[]'), jsonb_pretty(j), to_jsonb(s), "
          "jsonb_set(j, '{a}', '1'), jsonb_strip_nulls(j) FROM t",
          "NNNNNN" },
        { "SELECT jsonb_extract_path(j, 'a'), jsonb_extract_path_text(j, 'a'), "
          "jsonb_path_query_first(j, '$'), jsonb_path_exists(j, '$'), jsonb_path_match(j, '$'), "
          "json_object_field(k, 'a') FROM t",
          "---N--" },
        { "SELECT current_setting('x.y', true), to_regclass(s), obj_description(1), "
          "pg_get_viewdef(1::oid), inet_client_addr(), txid_status(1) FROM t",
          "------" },
        { "SELECT mine(i), similarity(s, s), l2_distance(v, v), vector_dims(v) FROM t", "-NNN" },
        { "SELECT uuid_send(u), encode('a', 'hex'), sha256('a'), nextval('q'::regclass) FROM t "
          "WHERE false",
          "NNNN" });
}

static void lax_functions(void)
{
    RULES(
        { "SELECT concat(s, i), concat_ws(',', s), concat_ws(s, 'x'), format('%s', s) FROM n",
          "NN-N" },
        { "SELECT num_nulls(i, l), num_nonnulls(i), pg_typeof(i), quote_nullable(s) FROM n",
          "NNNN" },
        { "SELECT json_build_object('a', i), jsonb_build_array(i), json_build_array(i) FROM n",
          "NNN" },
        { "SELECT array_append(a, i), array_prepend(i, a), array_cat(a, a), array_cat(a, ARRAY[1]) "
          "FROM n",
          "NN-N" },
        { "SELECT array_append(ARRAY[1], t.i), array_append(ARRAY[1], n.i) FROM t, n LIMIT 0",
          "EN" },
        { "SELECT array_remove(a, 1), array_replace(a, 1, 2), array_positions(a, 1) FROM t",
          "NNE" },
        { "SELECT array_remove(a, NULL), array_remove(ARRAY[1], 1) FROM t", "EE" },
        { "SELECT string_to_array(s, ','), string_to_array(s, ',', 'x'), string_to_array(s, NULL), "
          "array_to_string(a, ','), array_to_string(a, NULL) FROM t",
          "ENEN-" },
        { "SELECT enum_range(NULL::mood), enum_range(m, NULL), enum_first(m), enum_last(m) FROM n",
          "NNNN" },
        { "SELECT pg_try_advisory_xact_lock(l), pg_size_pretty(l), pg_table_size('t') FROM t",
          "NN-" },
        { "SELECT pg_try_advisory_lock(l), pg_size_pretty(l) FROM n", "--" },
        { "SELECT int4range(i, l::int), tstzrange(ts, NULL), daterange(day, day) FROM n", "NNN" });
}

static void aggregates(void)
{
    RULES(
        { "SELECT count(*), count(i), sum(i), max(i), avg(f), array_agg(i), string_agg(s, ','), "
          "bool_and(b), json_agg(i) FROM t",
          "NN-------" },
        { "SELECT count(*), count(i), sum(i), max(s), array_agg(i), string_agg(s, ','), "
          "bool_or(b), "
          "jsonb_agg(i) FROM t GROUP BY l",
          "NNNNENNN" },
        { "SELECT count(i), sum(i), max(s), array_agg(i), jsonb_agg(i), jsonb_object_agg('a', i) "
          "FROM n GROUP BY l",
          "N--NNN" },
        { "SELECT stddev(i), stddev_samp(i), variance(i), var_samp(i), stddev_pop(i), var_pop(i) "
          "FROM t GROUP BY l",
          "----NN" },
        { "SELECT corr(f, f), regr_slope(f, f), regr_r2(f, f), regr_intercept(f, f), covar_samp(f, "
          "f), covar_pop(f, f), regr_avgx(f, f), regr_count(f, f), regr_sxx(f, f) FROM t GROUP BY "
          "l",
          "-----NNNN" },
        { "SELECT sum(i) FILTER (WHERE b), count(*) FILTER (WHERE b) FROM t GROUP BY l", "-N" },
        { "SELECT mode() WITHIN GROUP (ORDER BY i), percentile_cont(0.5) WITHIN GROUP (ORDER BY "
          "f), "
          "rank(1) WITHIN GROUP (ORDER BY i) FROM t GROUP BY l",
          "NNN" },
        { "SELECT mode() WITHIN GROUP (ORDER BY i), percentile_disc(0.5) WITHIN GROUP (ORDER BY f) "
          "FROM n GROUP BY l",
          "--" },
        { "SELECT sum(i), max(i) FROM t HAVING count(*) > 0", "--" },
        { "SELECT l, sum(i) FROM t GROUP BY (l, s)", "NN" },
        { "SELECT i, s, count(*) FROM t GROUP BY ROLLUP (i, s)", "--N" },
        { "SELECT i, s, sum(l) FROM t GROUP BY GROUPING SETS ((i, s), (i))", "--N" },
        { "SELECT i, sum(l) FROM t GROUP BY GROUPING SETS ((i), ())", "--" },
        { "SELECT i, s, count(*) FROM t GROUP BY CUBE (i, s)", "--N" },
        { "SELECT l + 1, lower(s) FROM t GROUP BY l, s", "NN" });
}

static void windows(void)
{
    RULES(
        { "SELECT row_number() OVER w, rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, "
          "cume_dist() OVER w, count(*) OVER w, ntile(2) OVER w FROM n WINDOW w AS (ORDER BY l)",
          "NNNNNNN" },
        { "SELECT ntile(i) OVER (), lag(l) OVER (), lead(l, 1) OVER () FROM t", "N--" },
        { "SELECT lag(i, 1, 0) OVER (), lead(i, 1, NULL) OVER (), nth_value(i, 1) OVER () FROM t",
          "N--" },
        { "SELECT first_value(i) OVER (), last_value(i) OVER (), sum(i) OVER (ORDER BY l), max(s) "
          "OVER () FROM t",
          "NNNN" },
        { "SELECT first_value(i) OVER (), sum(i) OVER () FROM n", "--" },
        { "SELECT sum(i) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), sum(i) OVER (ROWS "
          "BETWEEN "
          "2 PRECEDING AND 1 PRECEDING), sum(i) OVER (ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) "
          "FROM t",
          "N--" },
        { "SELECT sum(i) OVER (ROWS UNBOUNDED PRECEDING EXCLUDE CURRENT ROW), sum(i) OVER (ROWS "
          "UNBOUNDED PRECEDING EXCLUDE TIES), sum(i) OVER (ROWS UNBOUNDED PRECEDING EXCLUDE GROUP) "
          "FROM t",
          "-N-" },
        { "SELECT sum(i) FILTER (WHERE b) OVER () FROM t", "-" });
}

static void joins(void)
{
    RULES(
        { "SELECT t.i, n.i FROM t JOIN n ON t.i = n.i", "NN" },
        { "SELECT t.i, x.i FROM t LEFT JOIN t x ON x.l = t.l", "N-" },
        { "SELECT t.i, x.i FROM t RIGHT JOIN t x ON x.l = t.l", "-N" },
        { "SELECT t.i, x.i FROM t FULL JOIN t x ON x.l = t.l", "--" },
        { "SELECT i, t.s, x.s FROM t LEFT JOIN t x USING (i)", "NN-" },
        { "SELECT i FROM t FULL JOIN t x USING (i)", "N" },
        { "SELECT i FROM t RIGHT JOIN n USING (i)", "-" },
        { "SELECT t.i, x.i FROM t LEFT JOIN t x ON x.l = t.l WHERE x.s = 'a'", "NN" },
        { "SELECT x.i FROM t LEFT JOIN t x ON x.l = t.l WHERE x.s = 'a' OR t.b", "-" },
        /* One row on the right and no condition: nothing is made up. */
        { "SELECT c FROM t LEFT JOIN LATERAL (SELECT count(*) AS c FROM n) q ON true", "N" },
        { "SELECT c FROM t LEFT JOIN (SELECT max(i) AS m, count(*) AS c FROM n) q ON TRUE", "N" },
        { "SELECT c FROM t LEFT JOIN (SELECT count(*) AS c FROM n) q ON t.b", "-" },
        { "SELECT c FROM t LEFT JOIN (SELECT count(*) AS c FROM n) q ON false", "-" },
        { "SELECT c FROM t LEFT JOIN (SELECT count(*) AS c FROM n HAVING true) q ON true", "-" },
        { "SELECT c FROM t LEFT JOIN (SELECT count(*) AS c FROM n GROUP BY i) q ON true", "-" },
        { "SELECT c, t.i FROM t RIGHT JOIN (SELECT count(*) AS c FROM n) q ON true", "N-" },
        { "SELECT c, t.i FROM t FULL JOIN (SELECT count(*) AS c FROM n) q ON true", "--" },
        { "SELECT c FROM t LEFT JOIN (n CROSS JOIN (SELECT count(*) AS c FROM n) x) ON true", "-" },
        { "SELECT c FROM t CROSS JOIN LATERAL (SELECT count(*) AS c FROM n) q", "N" });
}

static void refinement(void)
{
    RULES({ "SELECT i FROM n WHERE i IS NOT NULL", "N" }, { "SELECT i FROM n WHERE i > 0", "N" },
          { "SELECT i, l FROM n WHERE i + l > 0", "NN" },
          { "SELECT i FROM n WHERE i = ANY (ARRAY[1])", "N" },
          { "SELECT s FROM n WHERE s LIKE 'a%'", "N" }, { "SELECT b FROM n WHERE b", "N" },
          { "SELECT b FROM n WHERE NOT b", "N" }, { "SELECT b FROM n WHERE b IS TRUE", "N" },
          { "SELECT b FROM n WHERE b IS NOT TRUE", "-" },
          { "SELECT i FROM n WHERE i = 1 OR i = 2", "N" },
          { "SELECT i FROM n WHERE i = 1 OR l = 2", "-" },
          { "SELECT i FROM n WHERE i IS DISTINCT FROM 1", "-" },
          { "SELECT i FROM n WHERE coalesce(i, 0) = 1", "-" },
          { "SELECT i FROM n WHERE mine(i) = 1", "-" },
          { "SELECT i FROM n WHERE EXISTS (SELECT 1 WHERE n.i = 1)", "-" },
          { "SELECT l, count(*) FROM n GROUP BY l HAVING l > 1", "NN" },
          { "SELECT i FROM n WHERE (i, l) = (1, 2)", "N" },
          { "SELECT j ->> 'a' FROM n WHERE j ->> 'a' = 'x'", "N" });
}

static void relations(void)
{
    RULES({ "WITH c AS (SELECT i, s FROM t) SELECT * FROM c", "NN" },
          { "WITH RECURSIVE c AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM c) SELECT i FROM c "
            "LIMIT 1",
            "N" },
          { "WITH RECURSIVE c AS (SELECT 1 AS i UNION ALL SELECT n.i FROM n, c) SELECT i FROM c "
            "LIMIT "
            "1",
            "-" },
          { "SELECT i FROM t UNION SELECT i FROM n", "-" },
          { "SELECT i FROM t UNION ALL SELECT l FROM t", "N" },
          { "SELECT i FROM t INTERSECT SELECT i FROM n", "N" },
          { "SELECT i FROM t EXCEPT SELECT i FROM n", "N" },
          { "SELECT i FROM n EXCEPT SELECT i FROM t", "-" }, { "VALUES (1, NULL), (2, 'x')", "N-" },
          { "SELECT g FROM generate_series(1, 3) g", "N" },
          { "SELECT x, o FROM unnest(ARRAY[1]) WITH ORDINALITY q(x, o)", "NN" },
          { "SELECT x FROM unnest(ARRAY[1, NULL]) x", "-" },
          { "SELECT a, b FROM ROWS FROM (generate_series(1, 2), generate_series(1, 3)) q(a, b)",
            "--" },
          { "SELECT key, value FROM jsonb_each('{}')", "NN" },
          { "SELECT key, value FROM jsonb_each_text('{}')", "N-" },
          { "SELECT value FROM jsonb_array_elements('[]')", "N" },
          /* The name of the item means its row, although the function has one column. */
          { "SELECT e FROM jsonb_array_elements('[]') e", "-" },
          { "SELECT value FROM jsonb_array_elements_text('[]')", "-" },
          { "SELECT x FROM regexp_split_to_table('a', 'b') x", "N" });
}

static void changes(void)
{
    RULES({ "INSERT INTO n (i) VALUES (1) RETURNING i", "-" },
          { "UPDATE t SET i = 1 RETURNING i, s", "NN" },
          { "UPDATE n SET s = 'x' WHERE i = 1 RETURNING i, s", "NN" },
          { "UPDATE n SET i = NULL WHERE i = 1 RETURNING i", "-" },
          { "DELETE FROM n WHERE i = 1 RETURNING i, s", "N-" },
          { "DELETE FROM n USING t WHERE t.i = n.i RETURNING n.i, t.s", "NN" },
          { "WITH c AS (DELETE FROM t RETURNING i, s) SELECT i, s FROM c", "NN" },
          { "INSERT INTO t (i) VALUES (1) ON CONFLICT (i) DO UPDATE SET s = excluded.s RETURNING "
            "xmax = 0, tableoid, s",
            "NNN" });
}

static void closes(void)
{
    pgc_conn_close(TAKE(world.conn));
    arena_free(world.memory);
    CHECK(world.conn == NULL);
}

TAP_MAIN(TAP("rule: constants and columns", constants_and_columns), TAP("rule: casts", casts),
         TAP("rule: operators and their exceptions", operators),
         TAP("rule: IN, ANY, ARRAY, ROW, subscripts", lists_and_arrays),
         TAP("rule: tests are never NULL", tests),
         TAP("rule: COALESCE, GREATEST, NULLIF, CASE", choices),
         TAP("rule: scalar sub-selects need one row", sub_selects),
         TAP("rule: SQL value functions", value_functions),
         TAP("rule: strict functions and their exceptions", strict_functions),
         TAP("rule: functions that are not strict", lax_functions),
         TAP("rule: aggregates and grouping sets", aggregates),
         TAP("rule: window functions and frames", windows), TAP("rule: outer joins", joins),
         TAP("rule: conditions exclude NULL", refinement),
         TAP("rule: WITH, set operations, functions in FROM", relations),
         TAP("rule: RETURNING", changes), TAP("the connection is closed", closes))
