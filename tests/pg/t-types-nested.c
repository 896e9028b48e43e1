/* Values inside values and the server: composites, arrays of them, ranges of user types, sent and
 * read by their parts, in binary and as text. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "live.h"
#include "tap.h"

static const pgc_type_ref PAIR_FIELDS[] = { { "x", "integer", 23 }, { "y", "text", 25 } };
static const pgc_record_type PAIR = { "pair", PAIR_FIELDS, 2 };
static const pgc_type_ref NODE_FIELDS[] = {
    { "id", "bigint", 20 }, { "pairs", "pair[]", 0 }, { "mood", "mood", 0 }, { "at", "pair", 0 }
};
static const pgc_record_type NODE = { "node", NODE_FIELDS, 4 };

static const char TYPES[] = "CREATE TYPE mood AS ENUM ('sad', 'it''s ok');"
                            "CREATE TYPE pair AS (x int, y text);"
                            "CREATE TYPE node AS (id bigint, pairs pair[], mood mood, at pair);"
                            "CREATE TYPE textrange AS RANGE (subtype = text, collation = \"C\")";

/* A connection to a database of our own with the types above. */
static pgc_conn *open_typed(void)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = test_db_create() };
    if (options.conninfo == NULL || pgc_conn_open(&options, &conn, &err) != PGC_OK) {
        return NULL;
    }
    return live_do(conn, TYPES) ? conn : NULL;
}

static void add_pair(pgc_args *args, int32_t x, const char *y)
{
    pgc_add_record_begin(args, &PAIR);
    pgc_add_i32(args, x);
    pgc_add_text(args, pgc_text_from(y));
    pgc_add_end(args);
}

/* (7, {(1,a),NULL,(2,NULL),(3,"q \"")}, "it's ok", NULL) */
static void add_node(pgc_args *args)
{
    pgc_add_record_begin(args, &NODE);
    pgc_add_i64(args, 7);
    pgc_add_array_begin(args, PGC_OID_UNCHECKED, 0, NULL);
    add_pair(args, 1, "a");
    pgc_add_null(args);
    add_pair(args, 2, NULL);
    add_pair(args, 3, "q \"\\,");
    pgc_add_end(args);
    pgc_add_text(args, pgc_text_from("it's ok"));
    pgc_add_null(args);
    pgc_add_end(args);
}

static void check_pair(pgc_reader *list, size_t i, int32_t x, const char *y)
{
    pgc_reader pair;
    REQUIRE(pgc_read_record(list, i, 0, &PAIR, &pair));
    CHECK_INT(pgc_read_i32(&pair, 0, 0), x);
    pgc_text text = pgc_read_opt_text(&pair, 0, 1);
    CHECK((text.ptr == NULL) == (y == NULL));
    CHECK_STR(text.ptr == NULL ? "" : text.ptr, y == NULL ? "" : y);
}

/* What add_node() sent, in a column of a row. */
static void check_node(pgc_reader *reader, size_t row, size_t column)
{
    pgc_reader node;
    pgc_reader list;
    pgc_reader pair;
    REQUIRE(pgc_read_record(reader, row, column, &NODE, &node));
    CHECK_INT(pgc_read_i64(&node, 0, 0), 7);
    REQUIRE(pgc_read_array(&node, 0, 1, &list));
    REQUIRE(CHECK_INT(list.row_count, 4));
    /* The parts of a binary value are not NUL-terminated: compare in text only. */
    if (reader->text) {
        check_pair(&list, 0, 1, "a");
        check_pair(&list, 3, 3, "q \"\\,");
        CHECK_STR(pgc_read_text(&node, 0, 2).ptr, "it's ok");
    }
    CHECK(!pgc_read_opt_record(&list, 1, 0, &PAIR, &pair));
    check_pair(&list, 2, 2, NULL);
    CHECK_INT(pgc_read_text(&node, 0, 2).len, 7);
    CHECK(!pgc_read_opt_record(&node, 0, 3, &PAIR, &pair));
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(reader, &err), PGC_OK, &err);
}

/* Runs a query of one parameter that was added to args, which are done then. */
static pgc_result *run_one(pgc_conn *conn, const char *sql, pgc_args *args, pgc_error *err)
{
    static const pgc_type_ref param = { "value", "unknown", 0 };
    static pgc_query query; /* a result refers to its query */
    query = (pgc_query) {
        .name = "One", .sql = sql, .flags = PGC_QUERY_UNNAMED, .param_count = 1, .params = &param
    };
    pgc_result *result = NULL;
    pgc_status status = pgc_db_run(pgc_conn_db(conn), &query, args, &result, err);
    pgc_args_done(args);
    return status == PGC_OK ? result : NULL;
}

static void composites_come_back(void)
{
    AUTO(live_close) pgc_conn *conn = open_typed();
    REQUIRE(conn != NULL);
    pgc_args args;
    pgc_error err = PGC_ZERO;
    pgc_reader reader;
    pgc_args_init(&args, NULL);
    add_node(&args);
    pgc_result *result = run_one(conn, "SELECT $1::node, $1::node::text", &args, &err);
    if (!CHECK(result != NULL)) {
        printf("# %s\n", err.message);
        return;
    }
    pgc_reader_init(&reader, result, NULL);
    check_node(&reader, 0, 0);
    CHECK_STR(
        pgc_read_text(&reader, 0, 1).ptr,
        "(7,\"{\"\"(1,a)\"\",NULL,\"\"(2,)\"\",\"\"(3,\\\\\"\"q \\\\\"\"\\\\\"\"\\\\\\\\\\\\\\\\,"
        "\\\\\"\")\"\"}\",\"it's ok\",)");
    pgc_result_free(result);
}

static void composites_that_came_as_text_are_read(void)
{
    AUTO(live_close) pgc_conn *conn = open_typed();
    REQUIRE(conn != NULL);
    pgc_error err;
    pgc_reader reader;
    pgc_reader record;
    pgc_result *result = NULL;
    REQUIRE_OK(pgc_conn_script(conn,
                               "SELECT ROW(7, ARRAY[ROW(1, 'a')::pair, NULL, ROW(2, NULL)::pair,"
                               " ROW(3, E'q \"\\\\,')::pair], 'it''s ok', NULL)::node,"
                               " ROW(), ROW('', NULL)",
                               0, &result, &err),
               &err);
    pgc_reader_init(&reader, result, NULL);
    check_node(&reader, 0, 0);
    CHECK(pgc_read_record(&reader, 0, 1, NULL, &record));
    CHECK_INT(record.columns, 0);
    REQUIRE(pgc_read_record(&reader, 0, 2, NULL, &record));
    CHECK_INT(record.columns, 2);
    CHECK_INT(pgc_read_text(&record, 0, 0).len, 0);
    CHECK(pgc_read_is_null(&record, 0, 1));
    CHECK_STATUS(pgc_reader_finish(&reader, &err), PGC_OK, &err);
    pgc_result_free(result);
}

static void anonymous_records_are_read(void)
{
    AUTO(live_close) pgc_conn *conn = open_typed();
    REQUIRE(conn != NULL);
    pgc_args args;
    pgc_error err;
    pgc_reader reader;
    pgc_reader record;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, 5);
    pgc_result *result = run_one(conn, "SELECT ROW($1::int, 2.5::float8, ARRAY[1,2])", &args, &err);
    REQUIRE(result != NULL);
    pgc_reader_init(&reader, result, NULL);
    REQUIRE(pgc_read_record(&reader, 0, 0, NULL, &record));
    CHECK_INT(record.columns, 3);
    CHECK_INT(pgc_read_i32(&record, 0, 0), 5);
    CHECK_INT(pgc_read_f64(&record, 0, 1) * 2, 5);
    CHECK_INT(pgc_read_arr_i32(&record, 0, 2).v[1], 2);
    /* The same record is none of two fields of these types. */
    CHECK(!pgc_read_record(&reader, 0, 0, &PAIR, &record));
    CHECK_STATUS(pgc_reader_finish(&reader, &err), PGC_PROTOCOL, &err);
    pgc_result_free(result);
}

/* The server compares the OIDs of fields of built-in types. */
static void a_field_of_another_type_is_refused(void)
{
    AUTO(live_close) pgc_conn *conn = open_typed();
    REQUIRE(conn != NULL);
    static const pgc_type_ref fields[] = { { "x", "real", 700 }, { "y", "text", 25 } };
    static const pgc_record_type wrong = { "pair", fields, 2 };
    pgc_args args;
    pgc_error err = PGC_ZERO;
    pgc_args_init(&args, NULL);
    pgc_add_record_begin(&args, &wrong);
    pgc_add_f32(&args, 1.5F);
    pgc_add_null(&args);
    pgc_add_end(&args);
    CHECK(run_one(conn, "SELECT $1::pair", &args, &err) == NULL);
    CHECK_STR(err.sqlstate, "42804");
}

static void arrays_of_enums_and_ranges_of_user_types_come_back(void)
{
    AUTO(live_close) pgc_conn *conn = open_typed();
    REQUIRE(conn != NULL);
    pgc_args args;
    pgc_error err = PGC_ZERO;
    pgc_reader reader;
    pgc_reader list;
    pgc_reader range;
    const pgc_dim dims[] = { { 2, 1 }, { 1, 5 } };
    pgc_args_init(&args, NULL);
    pgc_add_array_begin(&args, PGC_OID_UNCHECKED, 2, dims);
    pgc_add_range_begin(&args, PGC_RANGE_HALF_OPEN);
    pgc_add_text(&args, pgc_text_from("a"));
    pgc_add_text(&args, pgc_text_from("b c\""));
    pgc_add_end(&args);
    pgc_add_range_begin(&args, PGC_RANGE_EMPTY);
    pgc_add_end(&args);
    pgc_add_end(&args);
    pgc_result *result =
        run_one(conn, "SELECT $1::textrange[], $1::textrange[]::text", &args, &err);
    if (!CHECK(result != NULL)) {
        printf("# %s\n", err.message);
        return;
    }
    pgc_reader_init(&reader, result, NULL);
    CHECK_STR(pgc_read_text(&reader, 0, 1).ptr,
              "[1:2][5:5]={{\"[a,\\\"b c\\\"\\\"\\\")\"},{empty}}");
    REQUIRE(pgc_read_array(&reader, 0, 0, &list));
    CHECK_INT(list.ndim, 2);
    CHECK_INT(list.dims[1].lower, 5);
    REQUIRE(pgc_read_range(&list, 0, 0, &range));
    CHECK_INT(range.range_flags, PGC_RANGE_HALF_OPEN);
    CHECK_INT(pgc_read_text(&range, 0, 1).len, 4);
    REQUIRE(pgc_read_range(&list, 1, 0, &range));
    CHECK_INT(range.range_flags, PGC_RANGE_EMPTY);
    CHECK_STATUS(pgc_reader_finish(&reader, &err), PGC_OK, &err);
    pgc_result_free(result);
}

static void domains_are_their_base_type(void)
{
    AUTO(live_close) pgc_conn *conn = open_typed();
    REQUIRE(conn != NULL);
    REQUIRE(live_do(conn, "CREATE DOMAIN positive AS int CHECK (VALUE > 0);"
                          "CREATE DOMAIN pairs AS pair[]"));
    pgc_args args;
    pgc_error err = PGC_ZERO;
    pgc_reader reader;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, 5);
    pgc_result *result =
        run_one(conn, "SELECT $1::positive, ARRAY[$1::positive, NULL]", &args, &err);
    REQUIRE(result != NULL);
    pgc_reader_init(&reader, result, NULL);
    CHECK_INT(pgc_read_i32(&reader, 0, 0), 5);
    pgc_arr_i32 array = pgc_read_arr_i32(&reader, 0, 1);
    CHECK(array.count == 2 && array.v[0] == 5 && array.nulls != NULL && array.nulls[1] == 1);
    pgc_result_free(result);
    pgc_args_init(&args, NULL);
    pgc_add_array_begin(&args, PGC_OID_UNCHECKED, 0, NULL);
    add_pair(&args, 1, "a");
    pgc_add_end(&args);
    result = run_one(conn, "SELECT ($1::pairs)[1].x", &args, &err);
    REQUIRE(result != NULL);
    pgc_reader_init(&reader, result, NULL);
    CHECK_INT(pgc_read_i32(&reader, 0, 0), 1);
    pgc_result_free(result);
}

TAP_MAIN(TAP("composites with arrays of composites come back", composites_come_back),
         TAP("composites that came as text are read the same",
             composites_that_came_as_text_are_read),
         TAP("anonymous records are read by their parts", anonymous_records_are_read),
         TAP("the server refuses a field of another built-in type",
             a_field_of_another_type_is_refused),
         TAP("arrays of ranges of a user type come back with their bounds",
             arrays_of_enums_and_ranges_of_user_types_come_back),
         TAP("domains are their base type, alone and inside", domains_are_their_base_type))
