/* Every type, both ways and in both formats: the server makes random values from a printed seed and
 * prints them; we read them, in binary and as text, send what we read, and the server must print
 * the same. Arrays of each type are made of its values, with NULLs, in one and two dimensions and
 * with lower bounds. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "base/buf.h"
#include "decode.h"
#include "live.h"
#include "random.h"
#include "tap.h"

/* How values of a type are made. */
typedef struct echo {
    const char *kind;   /* of the readers */
    const char *type;   /* on the server */
    const char *random; /* expression that gives another value each time */
    const char *edges;  /* texts separated by '~'; NULL: none */
    bool no_array;      /* the server has no array of it with this element type */
} echo;

#define RANDOM_STAMP "(timestamptz '2000-01-01' + (random() - 0.5) * interval '9000 years')"
#define RANDOM_POINT "point(random() * 1000 - 500, (random() - 0.5) * 1e10)"
#define RANDOM_DATE  "(date '2000-01-01' + (random() * 2000000)::int - 700000)"
#define RANDOM_WORD  "substr(md5(random()::text), 1, (random() * 12)::int + 1)"
#define RANDOM_TEXT  "repeat('a\"b\\ ,{}()''ü', (random() * 2)::int) || " RANDOM_WORD
#define RANDOM_NUM \
    "round((random() - 0.5)::numeric * 10::numeric ^ (random() * 30)::int, (random() * 20)::int)"

static const echo ECHOES[] = {
    { "bool", "bool", "random() < 0.5", "t~f", false },
    { "char", "\"char\"", "chr((random() * 126)::int + 1)::\"char\"", "\\377~\\200~a~~\\", false },
    { "i16", "int2", "(random() * 65535 - 32768)::int", "-32768~32767~0", false },
    { "i32", "int4", "(random() * 4294967295 - 2147483648)::int8", "-2147483648~2147483647",
      false },
    { "i64", "int8", "((random() - 0.5) * 1e18)::int8",
      "-9223372036854775808~9223372036854775807~0", false },
    { "u32", "oid", "(random() * 4294967295)::int8", "0~4294967295", false },
    { "u64", "xid8", "(random() * 1e18)::int8::text::xid8", "0~18446744073709551615", false },
    { "f32", "float4", "((random() - 0.5) * 10 ^ (random() * 60 - 30))::float4",
      "NaN~Infinity~-Infinity~-0~1e-45~3.4028235e38~1.17549435e-38", false },
    { "f64", "float8", "(random() - 0.5) * 10 ^ (random() * 400 - 200)",
      "NaN~Infinity~-Infinity~-0~5e-324~1.7976931348623157e308", false },
    { "money", "money", "((random() - 0.5) * 1e12)::numeric::money",
      "-92233720368547758.08~92233720368547758.07~0~-0.01", false },
    { "lsn", "pg_lsn", "'0/0'::pg_lsn + (random() * 1e18)::int8::numeric",
      "0/0~FFFFFFFF/FFFFFFFF~16/B374D848", false },
    { "tid", "tid", "format('(%s,%s)', (random() * 4e9)::int8, (random() * 60000)::int)::tid",
      "(0,0)~(4294967295,65535)", false },
    { "uuid", "uuid", "gen_random_uuid()", "00000000-0000-0000-0000-000000000000", false },
    { "date", "date", RANDOM_DATE,
      "infinity~-infinity~4714-11-24 BC~5874897-12-31~0001-01-01~0001-12-31 BC~2000-02-29", false },
    { "time", "time", "time '00:00' + random() * interval '1 day'", "00:00~24:00~23:59:59.999999",
      false },
    { "timetz", "timetz",
      "timezone(((random() * 1900 - 950)::int || ' minutes')::interval, " RANDOM_STAMP "::timetz)",
      "00:00+15:59:59~24:00-15:59:59~12:34:56.789012+02~00:00:00+00", false },
    { "timestamp", "timestamp", RANDOM_STAMP "::timestamp",
      "infinity~-infinity~4714-11-24 00:00:00 BC~294276-12-31 23:59:59.999999~"
      "1999-12-31 23:59:59.999999~0001-01-01 00:00:00.5 BC",
      false },
    { "timestamptz", "timestamptz", RANDOM_STAMP,
      "infinity~-infinity~4714-11-25 00:00:00+00 BC~294276-12-31 00:00:00+00~"
      "1883-11-18 12:03:57-07:52:58",
      false },
    { "interval", "interval",
      "make_interval((random() * 200 - 100)::int, (random() * 24 - 12)::int, 0,"
      " (random() * 60 - 30)::int, 0, 0, (random() - 0.5) * 1e7)",
      "0~1 mon 2 days 03:04:05.000006~-1 year +3 days -04:05:06~178000000 years~"
      "-2562047788:00:54.775807~2562047788:00:54.775807~-0.000001 secs~1 sec~-1 mon",
      false },
    { "inet", "inet",
      "format('%s.%s.%s.%s/%s', (random() * 255)::int, (random() * 255)::int,"
      " (random() * 255)::int, (random() * 255)::int, (random() * 32)::int)::inet",
      "0.0.0.0/0~255.255.255.255~::~::1~::ffff:1.2.3.4/96~2001:db8::ff00:42:8329/64~"
      "1:2:3:4:5:6:7:8/127~fe80::/10~1:0:0:4::8",
      false },
    { "inet", "cidr",
      "set_masklen(format('%s.0.0.0', (random() * 255)::int)::cidr, 8 + (random() * 24)::int)",
      "10.0.0.0/8~0.0.0.0/0~2001:db8::/32~::/0", true },
    { "macaddr", "macaddr", "substr(md5(random()::text), 1, 12)::macaddr", "ff:ff:ff:ff:ff:ff",
      false },
    { "macaddr8", "macaddr8", "substr(md5(random()::text), 1, 16)::macaddr8",
      "00:00:00:00:00:00:00:01", false },
    { "point", "point", RANDOM_POINT, "(NaN,Infinity)~(0,-0)~(1e300,-1e-300)", false },
    { "line", "line", "line(" RANDOM_POINT ", " RANDOM_POINT ")", "{1,2,3}~{0,-1,0.5}", false },
    { "lseg", "lseg", "lseg(" RANDOM_POINT ", " RANDOM_POINT ")", "[(0,0),(1,1)]", false },
    { "box", "box", "box(" RANDOM_POINT ", " RANDOM_POINT ")", "(1,1),(0,0)", false },
    { "circle", "circle", "circle(" RANDOM_POINT ", random() * 1e5)", "<(0,0),0>", false },
    { "path", "path", "format('[(%s,1),(2,%s)]', random(), random())::path",
      "((0,0))~[(0,0)]~((1,2),(3,4),(5,6))", false },
    { "polygon", "polygon", "polygon((random() * 10)::int + 2, circle(" RANDOM_POINT ", 5))",
      "((0,0))~((1,2),(3,4))", false },
    { "text", "text", RANDOM_TEXT, "~NULL~{}~\"~\\~a b", false },
    { "text", "varchar", RANDOM_TEXT, "~x", true },
    { "text", "bpchar", RANDOM_WORD, "x", true },
    { "text", "name", RANDOM_WORD, "x", true },
    { "text", "xml", "xmlelement(name a, " RANDOM_WORD ")", "<a/>", true },
    { "bytes", "bytea", "decode(md5(random()::text), 'hex')", "~\\x00ff~\\x5c785c", false },
    { "json", "json", "json_build_object('a', " RANDOM_TEXT ")", "null~{}~[1,2]~\"x\"", false },
    { "jsonb", "jsonb", "jsonb_build_object('a', " RANDOM_TEXT ")", "null~{}~[1,2]~\"x\"", false },
    { "jsonb", "jsonpath", "'$.a[*]'::jsonpath", "$~$.\"b\" ? (@ > 1)", true },
    { "numeric", "numeric", RANDOM_NUM,
      "NaN~Infinity~-Infinity~0~0.00~-0.05~9999~10000~1.500~12345.678~0.00001~1e1000~-1e-1000~"
      "1e131071",
      false },
    { "bits", "varbit", "(random() * 1e9)::int::bit(31)::varbit", "~1~10110~111111111", false },
    { "bits", "bit(10)", "(random() * 1000)::int::bit(10)", "1010101011", true },
    { "tsvector", "tsvector",
      "to_tsvector('simple', " RANDOM_WORD " || ' ' || " RANDOM_WORD ") ||"
      " setweight(to_tsvector('simple', " RANDOM_WORD "), 'A')",
      "~'a':1A,3 'b' 'it''s':7C,16383~'back\\\\slash'", false },
    { "tsquery", "tsquery",
      "to_tsquery('simple', format('%s & (!%s | %s:*A) <3> %s', " RANDOM_WORD "," RANDOM_WORD
      "," RANDOM_WORD "," RANDOM_WORD "))",
      "~'a'~!!'a'~'a' & 'b' & 'c'~'a' & ( 'b' & 'c' )~'a' <-> ( 'b' | !'c' ) <0> 'd'~"
      "!( 'a' | 'b' ) & 'it''s':*ABCD~( 'a' <-> 'b' ) <-> 'c'~'a' <-> ( 'b' <-> 'c' )",
      false },
    { "range_i32", "int4range", "int4range((random() * -1000)::int, (random() * 1000)::int)",
      "empty~(,)~[1,5)~(,5)~[7,)", false },
    { "range_i64", "int8range", "int8range((random() * -1e15)::int8, (random() * 1e15)::int8)",
      "empty~(,)~[1,5)", false },
    { "range_numeric", "numrange", "numrange(-random()::numeric, random()::numeric, '(]')",
      "empty~(,)~[1.50,NaN)~[-Infinity,0]", false },
    { "range_date", "daterange", "daterange(date '1000-01-01', " RANDOM_DATE " + 2000000)",
      "empty~(,)~[-infinity,infinity)", false },
    { "range_timestamp", "tsrange",
      "tsrange('4000-01-01 BC', " RANDOM_STAMP "::timestamp + '5000 y')",
      "empty~(,)~[\"2024-01-01 00:00:00\",\"2024-01-02 00:00:00\")~[-infinity,infinity]", false },
    { "range_timestamptz", "tstzrange",
      "tstzrange('4000-01-01 BC', " RANDOM_STAMP " + '5000 y', '[]')",
      "empty~(,)~[\"2024-01-01 00:00:00+00\",)", false },
    { "range_f64", "floatrange", "floatrange(-random(), random() * 1e300)", "empty~(,)~[-1,1.5]",
      true },
    { "range_time", "timerange", "timerange('00:00', time '01:00' + random() * interval '1 h')",
      "empty~(,)~[00:00:00,24:00:00]", true },
    { "multirange_i32", "int4multirange",
      "int4multirange(int4range(1, 5), int4range(7, 8 + (random() * 100)::int))",
      "{}~{(,)}~{[1,2)}", true },
    { "multirange_i64", "int8multirange", "int8multirange(int8range(1, 5))", "{}", true },
    { "multirange_numeric", "nummultirange", "nummultirange(numrange(0, random()::numeric))",
      "{}~{(,1.5),(2,)}", true },
    { "multirange_date", "datemultirange", "datemultirange(daterange('1000-01-01', '2000-01-01'))",
      "{}", true },
    { "multirange_timestamp", "tsmultirange",
      "tsmultirange(tsrange('2000-01-01', '2001-01-01'), tsrange('2002-01-01', NULL))", "{}",
      true },
    { "multirange_timestamptz", "tstzmultirange",
      "tstzmultirange(tstzrange('2000-01-01', '2001-01-01'))", "{}", true },
    { "multirange_f64", "floatmultirange", "floatmultirange(floatrange(0, random()))", "{}", true },
    { "multirange_time", "timemultirange", "timemultirange(timerange('00:00', '12:00'))", "{}",
      true },
};

static const echo VECTOR_ECHOES[] = {
    { "vector", "vector", "ARRAY[random(), -random() * 1e10, random()]::vector", "[1]~[0,-0]",
      false },
    { "halfvec", "halfvec", "ARRAY[random(), -random() * 1e3, random()]::halfvec",
      "[1]~[65504,-65504,5.9604645e-08]", false },
    { "sparsevec", "sparsevec", "ARRAY[random(), 0, 0, -random(), 0]::vector::sparsevec",
      "{1:1,3:-2.5}/5~{}/1~{1000000000:1}/1000000000", false },
};

static const echo CONTRIB_ECHOES[] = {
    { "hstore", "hstore", "hstore(ARRAY['a', " RANDOM_TEXT ", 'b', NULL, '', ''])",
      "~\"a\"=>\"NULL\", \"b\"=>NULL", false },
    { "text", "citext", RANDOM_WORD, "Abc", true },
    { "jsonb", "ltree", "('a.' || " RANDOM_WORD ")::ltree", "~a.b.c", true },
};

#define VALUES 15

/* A table "v" of random values, edges and a NULL; what is random is so by the seed. */
static bool make_values(pgc_conn *conn, const echo *e, const char *expression, double seed)
{
    buf sql;
    pgc_error err;
    buf_init(&sql, NULL, 1 << 20);
    buf_printf(&sql,
               "SET TIME ZONE 'UTC'; SET extra_float_digits = 1; SELECT setseed(%.9f);"
               " DROP TABLE IF EXISTS pg_temp.v;"
               " CREATE TEMP TABLE v AS SELECT (%s)::%s AS v FROM generate_series(1, %d);"
               " INSERT INTO v VALUES (NULL)",
               seed, expression, e->type, VALUES);
    for (slice rest = pgc_text_from(expression == e->random ? e->edges : NULL); rest.ptr != NULL;) {
        slice edge = slice_next(&rest, '~');
        buf_printf(&sql, ", ($q$%" SLICE_FMT "$q$::%s)", SLICE_ARG(edge), e->type);
    }
    bool ok = buf_finish(&sql, NULL) == PGC_OK &&
              pgc_conn_script(conn, buf_view(&sql).ptr, 0, NULL, &err) == PGC_OK;
    if (!ok) {
        printf("# %s: %s\n", e->type, err.message);
    }
    buf_done(&sql);
    return ok;
}

/* The value as the server prints what args hold. */
static bool server_agrees(pgc_conn *conn, const pgc_query *send, const pgc_args *args,
                          pgc_text want)
{
    pgc_error err;
    pgc_result *result = NULL;
    if (!CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), send, args, &result, &err), PGC_OK, &err)) {
        printf("# want %s\n", want.ptr);
        return false;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    pgc_text got = pgc_read_opt_text(&reader, 0, 0);
    bool same = (got.ptr == NULL) == (want.ptr == NULL) && slice_eq(got, want);
    if (!CHECK(same)) {
        printf("# got %s\n# want %s\n", got.ptr, want.ptr);
    }
    pgc_result_free(result);
    return same;
}

static bool same_args(const pgc_args *a, const pgc_args *b)
{
    return a->status == PGC_OK && b->status == PGC_OK && a->lengths[0] == b->lengths[0] &&
           (a->values[0] == NULL) == (b->values[0] == NULL) &&
           (a->values[0] == NULL ||
            memcmp(a->values[0], b->values[0], (size_t) a->lengths[0]) == 0);
}

/* One row of the binary and the text answer. */
static bool check_row(pgc_conn *conn, const pgc_query *send, decode_kind kind,
                      pgc_reader *const readers[2], size_t row)
{
    pgc_args args[2];
    pgc_text want = pgc_read_opt_text(readers[0], row, 1);
    for (int i = 0; i < 2; i++) {
        pgc_error err;
        pgc_args_init(&args[i], NULL);
        decode_echo(kind, readers[i], row, 0, &args[i]);
        CHECK_STATUS(pgc_reader_finish(readers[i], &err), PGC_OK, &err);
        if (!CHECK_INT(args[i].status, PGC_OK)) {
            printf("# %s\n", args[i].reason);
        }
    }
    /* The text of a tsquery does not tell a & (b & c) from (a & b) & c. */
    bool loose = kind == DECODE_tsquery || kind == DECODE_arr_tsquery;
    if (!loose && !CHECK(same_args(&args[0], &args[1]))) {
        printf("# binary and text are read differently: %s\n", want.ptr);
    }
    bool ok = tap_failures == 0 && server_agrees(conn, send, &args[0], want) &&
              (!loose || server_agrees(conn, send, &args[1], want));
    pgc_args_done(&args[0]);
    pgc_args_done(&args[1]);
    return ok;
}

static void check_values(pgc_conn *conn, const char *kind_name, const char *type)
{
    char sql[200];
    pgc_error err;
    const pgc_query fetch = { .name = "Fetch",
                              .sql = "SELECT v, v::text FROM v ORDER BY ctid",
                              .flags = PGC_QUERY_UNNAMED };
    const pgc_type_ref param = { "value", type, 0 };
    const pgc_query send = {
        .name = "Send", .sql = sql, .flags = PGC_QUERY_UNNAMED, .param_count = 1, .params = &param
    };
    (void) snprintf(sql, sizeof sql, "SELECT $1::%s::text", type);
    decode_kind kind = decode_kind_of(kind_name);
    pgc_result *results[2] = { NULL, NULL };
    REQUIRE(kind != DECODE_COUNT);
    REQUIRE_OK(pgc_db_run(pgc_conn_db(conn), &fetch, NULL, &results[0], &err), &err);
    REQUIRE_OK(pgc_conn_script(conn, "SELECT v FROM v ORDER BY ctid", 0, &results[1], &err), &err);
    pgc_reader binary;
    pgc_reader text;
    pgc_reader_init(&binary, results[0], NULL);
    pgc_reader_init(&text, results[1], NULL);
    pgc_reader *const readers[2] = { &binary, &text };
    size_t rows = pgc_result_rows(results[0]);
    CHECK_INT(pgc_result_rows(results[1]), rows);
    CHECK(rows > VALUES);
    for (size_t row = 0; row < rows && tap_failures == 0; row++) {
        if (!check_row(conn, &send, kind, readers, row)) {
            printf("# %s as %s, row %zu\n", type, kind_name, row + 1);
        }
    }
    pgc_result_free(results[0]);
    pgc_result_free(results[1]);
}

/* Arrays of the same values: empty, flat with NULLs, two dimensions, other lower bounds. */
static void check_arrays(pgc_conn *conn, const echo *e, double seed)
{
    char kind[64];
    char expression[4000];
    echo arrays = *e;
    char type[64];
    (void) snprintf(kind, sizeof kind, "arr_%s", e->kind);
    (void) snprintf(type, sizeof type, "%s[]", e->type);
    arrays.type = type;
    (void) snprintf(expression, sizeof expression,
                    "CASE (random() * 4)::int WHEN 0 THEN '{}'::%s"
                    " WHEN 1 THEN ARRAY[(%s)::%s, NULL, (%s)::%s]"
                    " WHEN 2 THEN ARRAY[[(%s)::%s, (%s)::%s], [(%s)::%s, NULL]]"
                    " WHEN 3 THEN array_fill((%s)::%s, ARRAY[2,1,2], ARRAY[-1,0,7])"
                    " ELSE array_fill((%s)::%s, ARRAY[3], ARRAY[2]) END",
                    type, e->random, e->type, e->random, e->type, e->random, e->type, e->random,
                    e->type, e->random, e->type, e->random, e->type, e->random, e->type);
    if (CHECK(make_values(conn, &arrays, expression, seed))) {
        check_values(conn, kind, type);
    }
}

static void check_echoes(pgc_conn *conn, const echo *list, size_t count)
{
    const char *given = getenv("TEST_SEED");
    uint64_t state = given == NULL ? 20261123 : strtoull(given, NULL, 10);
    printf("# TEST_SEED=%" PRIu64 "\n", state);
    for (size_t i = 0; i < count && tap_failures == 0; i++) {
        double seed = (double) random_below(&state, 1000000) / 1e6;
        if (CHECK(make_values(conn, &list[i], list[i].random, seed))) {
            check_values(conn, list[i].kind, list[i].type);
        }
        if (!list[i].no_array && tap_failures == 0) {
            check_arrays(conn, &list[i], seed);
        }
    }
}

static void other_interval_and_bytea_styles(void)
{
    LIVE(conn);
    static const char *const settings[] = { "SET intervalstyle = 'postgres_verbose'",
                                            "SET intervalstyle = 'iso_8601'",
                                            "SET bytea_output = 'escape'" };
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        REQUIRE(live_do(conn, settings[i]));
        for (size_t j = 0; j < ARRAY_LEN(ECHOES); j++) {
            if (strcmp(ECHOES[j].kind, "interval") == 0 || strcmp(ECHOES[j].kind, "bytes") == 0) {
                check_echoes(conn, &ECHOES[j], 1);
            }
        }
    }
}

/* A connection to a database of our own with these extensions; NULL where they are not installed.
 */
static pgc_conn *open_with(const char *script)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = test_db_create() };
    if (!CHECK(options.conninfo != NULL) ||
        !CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_OK, &err)) {
        return NULL;
    }
    if (pgc_conn_script(conn, script, 0, NULL, &err) != PGC_OK) {
        printf("# %s\n", err.message);
        pgc_conn_close(conn);
        conn = NULL;
    }
    return conn;
}

static void built_in_types(void)
{
    AUTO(live_close)
    pgc_conn *conn = open_with("CREATE TYPE floatrange AS RANGE (subtype = float8,"
                               " multirange_type_name = floatmultirange);"
                               "CREATE TYPE timerange AS RANGE (subtype = time,"
                               " multirange_type_name = timemultirange)");
    REQUIRE(conn != NULL);
    check_echoes(conn, ECHOES, ARRAY_LEN(ECHOES));
}

static void vector_types(void)
{
    AUTO(live_close) pgc_conn *conn = open_with("CREATE EXTENSION vector");
    if (conn == NULL) {
        TAP_SKIP("pgvector is not installed");
    }
    check_echoes(conn, VECTOR_ECHOES, ARRAY_LEN(VECTOR_ECHOES));
}

static void contrib_types(void)
{
    AUTO(live_close)
    pgc_conn *conn =
        open_with("CREATE EXTENSION hstore; CREATE EXTENSION citext; CREATE EXTENSION ltree");
    if (conn == NULL) {
        TAP_SKIP("hstore, citext or ltree is not installed");
    }
    check_echoes(conn, CONTRIB_ECHOES, ARRAY_LEN(CONTRIB_ECHOES));
}

TAP_MAIN(TAP("every built-in type comes back, binary and text agree", built_in_types),
         TAP("text in other interval and bytea styles is read", other_interval_and_bytea_styles),
         TAP("pgvector's types come back, binary and text agree", vector_types),
         TAP("hstore, citext and ltree come back, binary and text agree", contrib_types))
