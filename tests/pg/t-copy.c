/* COPY against a real server. */
#include "base/prelude.h"

#include <pgc/copy.h>
#include <pgc/tx.h>

#include "pgc/auto.h"
#include "pgc/connection.h"

#include "live.h"
#include "oom.h"
#include "tap.h"

static const pgc_type_ref COLUMNS[] = { { "id", "integer", 23 },
                                        { "Name \"x\"", "text", 25 },
                                        { "at", "timestamp with time zone", 1184 },
                                        { "price", "numeric", 1700 } };
static const pgc_copy ITEMS = { .name = "CopyItems",
                                .schema = "pg_temp",
                                .table = "my items",
                                .columns = COLUMNS,
                                .column_count = 4 };
static const char TABLE[] = "CREATE TEMP TABLE \"my items\" (id int PRIMARY KEY CHECK (id >= 0),"
                            " \"Name \"\"x\"\"\" text, at timestamptz, price numeric(10,2))";

static void copy_auto(pgc_copy_in **local)
{
    pgc_copy_in_abort(*local, NULL);
}

static void copy_out_auto(pgc_copy_out **local)
{
    pgc_copy_out_close(*local);
}

static void fill(pgc_args *args, int32_t id)
{
    static const uint16_t digits[] = { 12, 3400 };
    pgc_args_reset(args);
    pgc_add_i32(args, id);
    pgc_add_text(args, pgc_text_from(id % 2 == 0 ? "even" : NULL));
    pgc_add_timestamptz(args, (pgc_timestamptz) { id * INT64_C(1000000) });
    pgc_add_numeric(args, (pgc_numeric) { true, PGC_NUMERIC_POS, 0, 2, 2, digits });
}

static pgc_status add_rows(pgc_copy_in *in, int32_t first, int32_t count, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_status status = PGC_OK;
    for (int32_t i = 0; i < count && status == PGC_OK; i++) {
        fill(&args, first + i);
        status = pgc_copy_in_row(in, &args, err);
    }
    pgc_args_done(&args);
    return status;
}

/* The connection does everything as before. */
static bool is_usable(pgc_conn *conn)
{
    char text[16];
    pgc_error err;
    static const pgc_query one = { .name = "One", .sql = "SELECT 1" };
    return CHECK(pgc_conn_alive(conn)) &&
           CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), &one, NULL, NULL, &err), PGC_OK, &err) &&
           CHECK_STR(live_text(conn, "SELECT 7", text, sizeof text), "7");
}

static int64_t count_items(pgc_conn *conn)
{
    char text[24];
    return strtoll(live_text(conn, "SELECT count(*) FROM \"my items\"", text, sizeof text), NULL,
                   10);
}

#define WITH_TABLE(conn) \
    LIVE(conn);          \
    pgc_error err;       \
    REQUIRE(live_do(conn, TABLE))

static void rows_go_in_and_come_out(void)
{
    WITH_TABLE(conn);
    AUTO(copy_auto) pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
    REQUIRE_OK(add_rows(in, 0, 10000, &err), &err);
    int64_t rows = 0;
    REQUIRE_OK(pgc_copy_in_finish(&in, &rows, &err), &err);
    CHECK_INT(rows, 10000);
    CHECK(in == NULL);
    char text[80];
    CHECK_STR(live_text(conn,
                        "SELECT count(*) || ' ' || count(\"Name \"\"x\"\"\") || ' ' || sum(price)"
                        " || ' ' || max(extract(epoch FROM at - '2000-01-01 UTC'))::int FROM"
                        " \"my items\"",
                        text, sizeof text),
              "10000 5000 123400.00 9999");
    AUTO(copy_out_auto) pgc_copy_out *out = NULL;
    REQUIRE_OK(pgc_copy_out_open(pgc_conn_db(conn), &ITEMS, NULL, &out, &err), &err);
    for (int32_t i = 0; i < 10000; i++) {
        pgc_reader *row = NULL;
        REQUIRE_OK(pgc_copy_out_next(out, &row, &err), &err);
        REQUIRE(row != NULL);
        REQUIRE(pgc_read_i32(row, 0, 0) == i);
        pgc_text name = pgc_read_opt_text(row, 0, 1);
        REQUIRE(i % 2 == 0 ? strcmp(name.ptr, "even") == 0 : name.ptr == NULL);
        REQUIRE(pgc_read_timestamptz(row, 0, 2).us == i * INT64_C(1000000));
        pgc_numeric price = pgc_read_numeric(row, 0, 3);
        REQUIRE_OK(pgc_reader_finish(row, &err), &err);
        REQUIRE(price.digit_count == 2 && price.digits[0] == 12 && price.digits[1] == 3400);
    }
    pgc_reader *row = NULL;
    REQUIRE_OK(pgc_copy_out_next(out, &row, &err), &err);
    CHECK(row == NULL);
    REQUIRE_OK(pgc_copy_out_next(out, &row, &err), &err);
    pgc_copy_out_close(TAKE(out));
    CHECK(is_usable(conn));
}

static void an_empty_copy_is_fine(void)
{
    WITH_TABLE(conn);
    pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
    int64_t rows = -1;
    REQUIRE_OK(pgc_copy_in_finish(&in, &rows, &err), &err);
    CHECK_INT(rows, 0);
    pgc_copy_out *out = NULL;
    REQUIRE_OK(pgc_copy_out_open(pgc_conn_db(conn), &ITEMS, NULL, &out, &err), &err);
    pgc_reader *row = NULL;
    CHECK_STATUS(pgc_copy_out_next(out, &row, &err), PGC_OK, &err);
    CHECK(row == NULL);
    pgc_copy_out_close(out);
    CHECK(is_usable(conn));
    pgc_copy_in_abort(NULL, NULL);
    pgc_copy_out_close(NULL);
    CHECK_STATUS(pgc_copy_in_finish(&in, NULL, &err), PGC_INVALID, &err);
}

static void abort_leaves_the_table_as_it_was(void)
{
    WITH_TABLE(conn);
    pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
    REQUIRE_OK(add_rows(in, 0, 5000, &err), &err);
    pgc_copy_in_abort(in, "changed our mind");
    CHECK_INT(count_items(conn), 0);
    CHECK(is_usable(conn));
}

static void a_bad_value_costs_its_row_only(void)
{
    WITH_TABLE(conn);
    AUTO(copy_auto) pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
    REQUIRE_OK(add_rows(in, 0, 10, &err), &err);
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, 77);
    pgc_add_text(&args, (pgc_text) { "a\0b", 3 });
    CHECK_STATUS(pgc_copy_in_row(in, &args, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "copy CopyItems: row 11: column Name \"x\" is not UTF-8") != NULL);
    pgc_args_reset(&args);
    for (int i = 0; i < 5; i++) {
        pgc_add_i32(&args, 1);
    }
    CHECK_STATUS(pgc_copy_in_row(in, &args, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_copy_in_row(in, NULL, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_copy_in_bytes(in, "x", 1, &err), PGC_INVALID, &err);
    REQUIRE_OK(add_rows(in, 10, 10, &err), &err);
    pgc_args_done(&args);
    int64_t rows = 0;
    REQUIRE_OK(pgc_copy_in_finish(&in, &rows, &err), &err);
    CHECK_INT(rows, 20);
}

static void a_row_may_come_in_several_lists(void)
{
    WITH_TABLE(conn);
    pgc_copy_in *in = NULL;
    pgc_args args;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
    for (int32_t i = 0; i < 2; i++) {
        pgc_args_init(&args, NULL);
        pgc_add_i32(&args, i);
        CHECK_STATUS(pgc_copy_in_row(in, &args, &err), PGC_OK, &err);
        pgc_args_reset(&args);
        for (int column = 1; column < 4; column++) {
            pgc_add_null(&args);
        }
        CHECK_STATUS(pgc_copy_in_row(in, &args, &err), PGC_OK, &err);
        pgc_args_reset(&args);
        pgc_add_i32(&args, 9);
    }
    CHECK_STATUS(pgc_copy_in_row(in, &args, &err), PGC_OK, &err);
    CHECK_STATUS(pgc_copy_in_finish(&in, NULL, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "row 3 has 1 of 4 values") != NULL);
    CHECK_INT(count_items(conn), 0);
    CHECK(is_usable(conn));
}

static void the_servers_refusal_names_the_line(void)
{
    WITH_TABLE(conn);
    AUTO(copy_auto) pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
    REQUIRE_OK(add_rows(in, 0, 3, &err), &err);
    REQUIRE_OK(add_rows(in, 1, 1, &err), &err);
    CHECK_STATUS(pgc_copy_in_finish(&in, NULL, &err), PGC_CONFLICT, &err);
    CHECK_STR(err.sqlstate, "23505");
    CHECK_STR(err.query, "CopyItems");
    CHECK(strstr(err.message, "line 4") != NULL);
    CHECK_INT(count_items(conn), 0);
    CHECK(is_usable(conn));
}

/* More input than anybody waits for: an error that is noticed on the way ends it. libpq may have
 * read it unseen, then only the end tells; so it has three chances. */
static void an_error_is_noticed_in_mid_stream(void)
{
    WITH_TABLE(conn);
    bool noticed = false;
    for (int chance = 0; chance < 3 && !noticed; chance++) {
        AUTO(copy_auto) pgc_copy_in *in = NULL;
        REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
        REQUIRE_OK(add_rows(in, -1, 1, &err), &err);
        pgc_status status = PGC_OK;
        for (int32_t n = 0; status == PGC_OK && n < 2000000; n += 1000) {
            status = add_rows(in, n, 1000, &err);
        }
        noticed = status != PGC_OK;
        if (noticed) {
            CHECK_STATUS(status, PGC_INVALID, &err);
            CHECK_STATUS(add_rows(in, 0, 1, &err), PGC_INVALID, &err);
        }
        CHECK_STATUS(pgc_copy_in_finish(&in, NULL, &err), PGC_INVALID, &err);
        CHECK_STR(err.sqlstate, "23514");
        CHECK(strstr(err.message, "line 1") != NULL);
        CHECK_INT(count_items(conn), 0);
        REQUIRE(is_usable(conn));
    }
    CHECK(noticed);
}

static void notices_on_the_way_do_not_disturb(void)
{
    WITH_TABLE(conn);
    REQUIRE(live_do(conn, "CREATE FUNCTION pg_temp.tell() RETURNS trigger LANGUAGE plpgsql AS $$"
                          " BEGIN IF NEW.id % 50 = 0 THEN RAISE NOTICE 'row %', NEW.id; END IF;"
                          " RETURN NEW; END $$; CREATE TRIGGER tell BEFORE INSERT ON \"my items\""
                          " FOR EACH ROW EXECUTE FUNCTION pg_temp.tell()"));
    AUTO(copy_auto) pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
    uint32_t before = conn->notice_count;
    REQUIRE_OK(add_rows(in, 0, 40000, &err), &err);
    int64_t rows = 0;
    REQUIRE_OK(pgc_copy_in_finish(&in, &rows, &err), &err);
    CHECK_INT(rows, 40000);
    CHECK_INT(conn->notice_count - before, 800);
}

static void other_columns_are_refused_before_a_value_travels(void)
{
    WITH_TABLE(conn);
    static const pgc_type_ref wrong[] = { { "id", "integer", 23 }, { "at", "bigint", 20 } };
    static const pgc_type_ref missing[] = { { "id", "integer", 23 }, { "when", "date", 1082 } };
    pgc_copy copy = ITEMS;
    copy.columns = wrong;
    copy.column_count = 2;
    pgc_copy_in *in = NULL;
    pgc_copy_out *out = NULL;
    CHECK_STATUS(pgc_copy_in_open(pgc_conn_db(conn), &copy, NULL, &in, &err), PGC_SCHEMA, &err);
    CHECK(strstr(err.message, "column at is timestamp with time zone") != NULL);
    CHECK_STATUS(pgc_copy_out_open(pgc_conn_db(conn), &copy, NULL, &out, &err), PGC_SCHEMA, &err);
    copy.columns = missing;
    CHECK_STATUS(pgc_copy_in_open(pgc_conn_db(conn), &copy, NULL, &in, &err), PGC_SCHEMA, &err);
    CHECK(strstr(err.message, "no column when") != NULL);
    CHECK_STATUS(pgc_copy_out_open(pgc_conn_db(conn), &copy, NULL, &out, &err), PGC_DB, &err);
    const pgc_copy_options unchecked = { .struct_size = sizeof unchecked, .unchecked = true };
    copy.columns = wrong;
    CHECK_STATUS(pgc_copy_in_open(pgc_conn_db(conn), &copy, &unchecked, &in, &err), PGC_OK, &err);
    pgc_copy_in_abort(in, NULL);
    CHECK(is_usable(conn));
}

static void domains_and_enums_count_as_what_they_are(void)
{
    LIVE(conn);
    pgc_error err;
    REQUIRE(live_do(conn, "CREATE DOMAIN pg_temp.small AS int CHECK (VALUE < 10);"
                          " CREATE DOMAIN pg_temp.tiny AS pg_temp.small;"
                          " CREATE TYPE pg_temp.mood AS ENUM ('sad', 'happy');"
                          " CREATE TEMP TABLE t (n pg_temp.tiny, m pg_temp.mood)"));
    static const pgc_type_ref columns[] = { { "n", "integer", 23 }, { "m", "mood", 0 } };
    static const pgc_copy copy = {
        .name = "CopyT", .table = "t", .columns = columns, .column_count = 2
    };
    pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &copy, NULL, &in, &err), &err);
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, 3);
    pgc_add_text(&args, pgc_text_from("happy"));
    CHECK_STATUS(pgc_copy_in_row(in, &args, &err), PGC_OK, &err);
    pgc_args_done(&args);
    REQUIRE_OK(pgc_copy_in_finish(&in, NULL, &err), &err);
    char text[16];
    CHECK_STR(live_text(conn, "SELECT n || ' ' || m FROM t", text, sizeof text), "3 happy");
}

static void an_early_close_leaves_the_connection_usable(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_type_ref columns[] = { { "g", "bigint", 20 }, { "t", "text", 25 } };
    static const pgc_query many = { .name = "Many",
                                    .sql = "SELECT g, repeat('x', 200) AS t"
                                           " FROM (SELECT generate_series(1::int8, 50000000) AS g)"
                                           " s",
                                    .column_count = 2,
                                    .columns = columns };
    static const pgc_copy copy = { .name = "CopyMany", .query = &many };
    for (int64_t wanted = 0; wanted < 3; wanted++) {
        pgc_copy_out *out = NULL;
        REQUIRE_OK(pgc_copy_out_open(pgc_conn_db(conn), &copy, NULL, &out, &err), &err);
        for (int64_t i = 1; i <= wanted * 1000; i++) {
            pgc_reader *row = NULL;
            REQUIRE_OK(pgc_copy_out_next(out, &row, &err), &err);
            REQUIRE(row != NULL && pgc_read_i64(row, 0, 0) == i);
            REQUIRE(pgc_read_text(row, 0, 1).len == 200);
        }
        pgc_copy_out_close(out);
        REQUIRE(is_usable(conn));
    }
}

static void an_error_of_the_query_comes_behind_its_rows(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_type_ref columns[] = { { "x", "integer", 23 } };
    static const pgc_query query = { .name = "Divide",
                                     .sql =
                                         "SELECT 100 / (5 - g) AS x FROM generate_series(1, 9) g",
                                     .column_count = 1,
                                     .columns = columns };
    static const pgc_copy copy = { .name = "CopyDivide", .query = &query };
    pgc_copy_out *out = NULL;
    REQUIRE_OK(pgc_copy_out_open(pgc_conn_db(conn), &copy, NULL, &out, &err), &err);
    pgc_status status = PGC_OK;
    int rows = 0;
    pgc_reader *row = NULL;
    while ((status = pgc_copy_out_next(out, &row, &err)) == PGC_OK && row != NULL) {
        rows++;
    }
    CHECK_STATUS(status, PGC_INVALID, &err);
    CHECK_STR(err.sqlstate, "22012");
    CHECK(rows < 5);
    CHECK_STATUS(pgc_copy_out_next(out, &row, &err), PGC_INVALID, &err);
    pgc_copy_out_close(out);
    CHECK(is_usable(conn));
}

static void a_row_over_the_limit_is_refused(void)
{
    LIVE(conn);
    pgc_error err;
    static const pgc_type_ref columns[] = { { "x", "text", 25 } };
    static const pgc_query query = { .name = "Wide",
                                     .sql = "SELECT repeat('x', g) AS x"
                                            " FROM generate_series(10, 1000000, 100000) g",
                                     .column_count = 1,
                                     .columns = columns };
    static const pgc_copy copy = { .name = "CopyWide", .query = &query };
    const pgc_copy_options options = { .struct_size = sizeof options, .row_max_bytes = 150000 };
    pgc_copy_out *out = NULL;
    pgc_reader *row = NULL;
    REQUIRE_OK(pgc_copy_out_open(pgc_conn_db(conn), &copy, &options, &out, &err), &err);
    REQUIRE_OK(pgc_copy_out_next(out, &row, &err), &err);
    REQUIRE_OK(pgc_copy_out_next(out, &row, &err), &err);
    CHECK_INT(pgc_read_text(row, 0, 0).len, 100010);
    CHECK_STATUS(pgc_copy_out_next(out, &row, &err), PGC_LIMIT, &err);
    pgc_copy_out_close(out);
    CHECK(is_usable(conn));
}

static void one_huge_row_passes(void)
{
    WITH_TABLE(conn);
    const size_t size = 20 << 20;
    char *big = malloc(size);
    REQUIRE(big != NULL);
    memset(big, 'y', size);
    pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, NULL, &in, &err), &err);
    pgc_args args;
    pgc_args_init(&args, NULL);
    for (int32_t i = 0; i < 3; i++) {
        pgc_args_reset(&args);
        pgc_add_i32(&args, i);
        pgc_add_text(&args, (pgc_text) { big, i == 1 ? size : 5 });
        pgc_add_null(&args);
        pgc_add_null(&args);
        CHECK_STATUS(pgc_copy_in_row(in, &args, &err), PGC_OK, &err);
    }
    pgc_args_done(&args);
    free(big);
    REQUIRE_OK(pgc_copy_in_finish(&in, NULL, &err), &err);
    char text[24];
    CHECK_STR(live_text(conn, "SELECT sum(length(\"Name \"\"x\"\"\")) FROM \"my items\"", text,
                        sizeof text),
              "20971530");
}

/* Text that waits to be read by a source, and is written by a sink. */
typedef struct tape {
    char bytes[4096];
    size_t len, at, step;
    pgc_status fail_with;
} tape;

static pgc_status tape_read(void *arg, void *bytes, size_t size, size_t *len_out, pgc_error *err)
{
    tape *t = arg;
    if (t->fail_with != PGC_OK && t->at > 0) {
        return pgc_error_set(err, t->fail_with, "the tape is torn");
    }
    size_t len = t->len - t->at < t->step ? t->len - t->at : t->step;
    len = len < size ? len : size;
    memcpy(bytes, t->bytes + t->at, len);
    t->at += len;
    *len_out = len;
    return PGC_OK;
}

static pgc_status tape_write(void *arg, const void *bytes, size_t len, pgc_error *err)
{
    tape *t = arg;
    if (t->fail_with != PGC_OK || t->len + len > sizeof t->bytes) {
        return pgc_error_set(err, PGC_IO, "the tape is full");
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    return PGC_OK;
}

static void raw_bytes_pass_in_any_format(void)
{
    WITH_TABLE(conn);
    pgc_db *db = pgc_conn_db(conn);
    static const char csv[] = "id,name,at,price\n1,\"a,b\",2024-01-01 00:00Z,1.5\n2,,,\n";
    tape in = { .len = sizeof csv - 1, .step = 5 };
    memcpy(in.bytes, csv, sizeof csv);
    const pgc_copy_options with_header = { .struct_size = sizeof with_header,
                                           .format = PGC_COPY_CSV_HEADER };
    pgc_copy all = ITEMS;
    all.column_count = 0;
    int64_t rows = 0;
    REQUIRE_OK(pgc_copy_in_stream(db, &all, &with_header, tape_read, &in, &rows, &err), &err);
    CHECK_INT(rows, 2);
    /* Binary out, binary in: the same rows. */
    tape binary = { .step = 7 };
    REQUIRE_OK(pgc_copy_out_stream(db, &ITEMS, NULL, tape_write, &binary, &rows, &err), &err);
    CHECK_INT(rows, 2);
    REQUIRE(live_do(conn, "DELETE FROM \"my items\""));
    REQUIRE_OK(pgc_copy_in_stream(db, &ITEMS, NULL, tape_read, &binary, &rows, &err), &err);
    const pgc_copy_options text = { .struct_size = sizeof text, .format = PGC_COPY_TEXT };
    tape out = { .step = 1 };
    REQUIRE(live_do(conn, "SET TimeZone = 'UTC'"));
    REQUIRE_OK(pgc_copy_out_stream(db, &ITEMS, &text, tape_write, &out, &rows, &err), &err);
    CHECK_STR(out.bytes, "1\ta,b\t2024-01-01 00:00:00+00\t1.50\n2\t\\N\t\\N\t\\N\n");
    const pgc_copy_options csv_out = { .struct_size = sizeof csv_out, .format = PGC_COPY_CSV };
    tape lines = { .step = 1 };
    REQUIRE_OK(pgc_copy_out_stream(db, &ITEMS, &csv_out, tape_write, &lines, NULL, &err), &err);
    CHECK_STR(lines.bytes, "1,\"a,b\",2024-01-01 00:00:00+00,1.50\n2,,,\n");
    CHECK(is_usable(conn));
}

static void a_source_or_sink_that_fails_ends_the_copy(void)
{
    WITH_TABLE(conn);
    pgc_db *db = pgc_conn_db(conn);
    const pgc_copy_options csv = { .struct_size = sizeof csv, .format = PGC_COPY_CSV };
    tape torn = { .bytes = "1,,,\n2,,,\n", .len = 10, .step = 5, .fail_with = PGC_IO };
    CHECK_STATUS(pgc_copy_in_stream(db, &ITEMS, &csv, tape_read, &torn, NULL, &err), PGC_IO, &err);
    CHECK_STR(err.message, "the tape is torn");
    CHECK_INT(count_items(conn), 0);
    REQUIRE(live_do(conn, "INSERT INTO \"my items\" SELECT generate_series(1, 100000)"));
    tape full = { .step = 1 };
    CHECK_STATUS(pgc_copy_out_stream(db, &ITEMS, &csv, tape_write, &full, NULL, &err), PGC_IO,
                 &err);
    CHECK_STR(err.message, "the tape is full");
    CHECK(is_usable(conn));
}

static void a_transaction_decides(void)
{
    WITH_TABLE(conn);
    AUTO(tx_auto) pgc_tx *tx = NULL;
    REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
    pgc_copy_in *in = NULL;
    REQUIRE_OK(pgc_copy_in_open(pgc_tx_db(tx), &ITEMS, NULL, &in, &err), &err);
    REQUIRE_OK(add_rows(in, 0, 100, &err), &err);
    CHECK_STATUS(pgc_db_run(pgc_tx_db(tx), &(const pgc_query) { .name = "x", .sql = "SELECT 1" },
                            NULL, NULL, &err),
                 PGC_INVALID, &err);
    REQUIRE_OK(pgc_copy_in_finish(&in, NULL, &err), &err);
    CHECK_INT(pgc_conn_tx_state(conn), PGC_TX_OPEN);
    pgc_tx_rollback(TAKE(tx));
    CHECK_INT(count_items(conn), 0);
    CHECK(is_usable(conn));
}

static void wrong_descriptors_are_refused(void)
{
    WITH_TABLE(conn);
    pgc_db *db = pgc_conn_db(conn);
    pgc_copy_in *in = NULL;
    pgc_copy_out *out = NULL;
    static const pgc_type_ref p[] = { { "n", "integer", 23 } };
    static const pgc_query with_param = { .name = "P",
                                          .sql = "SELECT $1",
                                          .param_count = 1,
                                          .params = p,
                                          .column_count = 1,
                                          .columns = p };
    const pgc_copy param = { .name = "CopyP", .query = &with_param };
    CHECK_STATUS(pgc_copy_out_open(db, &param, NULL, &out, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_copy_in_open(db, &param, NULL, &in, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_copy_in_open(db, NULL, NULL, &in, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_copy_in_open(NULL, &ITEMS, NULL, &in, &err), PGC_INVALID, &err);
    pgc_copy copy = ITEMS;
    copy.table = "a name that is much longer than what the server keeps of a name, so cut";
    CHECK_STATUS(pgc_copy_in_open(db, &copy, NULL, &in, &err), PGC_INVALID, &err);
    copy.table = "no_such_table";
    CHECK_STATUS(pgc_copy_in_open(db, &copy, NULL, &in, &err), PGC_SCHEMA, &err);
    const pgc_copy_options odd = { .struct_size = sizeof odd, .format = (pgc_copy_format) 9 };
    CHECK_STATUS(pgc_copy_in_open(db, &ITEMS, &odd, &in, &err), PGC_INVALID, &err);
    const pgc_db_ops short_ops = { .struct_size = offsetof(pgc_db_ops, lend) };
    pgc_db other = { &short_ops };
    CHECK_STATUS(pgc_copy_in_open(&other, &ITEMS, NULL, &in, &err), PGC_UNSUPPORTED, &err);
    CHECK(is_usable(conn));
}

static const pgc_type_ref WHO[] = { { "n", "integer", 23 } };

/* The identity reaches a default of the table, and is gone with the COPY. */
static void a_scope_lends_its_identity(void)
{
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    pgc_error err;
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .conninfo = url },
                                       .max_conns = 1 };
    AUTO(pool_auto) pgc_pool *pool = NULL;
    AUTO(scope_auto) pgc_scope *scope = NULL;
    REQUIRE_OK(pgc_pool_open(&options, &pool, &err), &err);
    const pgc_setting me = { "app.user_id", "42" };
    REQUIRE_OK(pgc_scope_open(pool, &me, 1, &scope, &err), &err);
    pgc_conn *conn = NULL;
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    bool made = live_do(conn, "CREATE TABLE t (n int PRIMARY KEY, who text DEFAULT"
                              " current_setting('app.user_id', true))");
    pgc_pool_release(pool, conn);
    REQUIRE(made);
    static const pgc_copy copy = {
        .name = "CopyT", .table = "t", .columns = WHO, .column_count = 1
    };
    for (int32_t i = 0; i < 4; i++) {
        pgc_copy_in *in = NULL;
        pgc_args args;
        pgc_args_init(&args, NULL);
        pgc_add_i32(&args, i / 2);
        pgc_db *db = i < 3 ? pgc_scope_db(scope) : pgc_pool_db(pool);
        REQUIRE_OK(pgc_copy_in_open(db, &copy, NULL, &in, &err), &err);
        CHECK_STATUS(pgc_copy_in_row(in, &args, &err), PGC_OK, &err);
        CHECK_STATUS(pgc_copy_in_finish(&in, NULL, &err), i % 2 == 0 ? PGC_OK : PGC_CONFLICT, &err);
    }
    pgc_copy_out *out = NULL;
    REQUIRE_OK(pgc_copy_out_open(pgc_scope_db(scope), &copy, NULL, &out, &err), &err);
    pgc_copy_out_close(out);
    REQUIRE_OK(pgc_pool_acquire(pool, &conn, &err), &err);
    char text[32];
    CHECK_STR(live_text(conn,
                        "SELECT count(*) FILTER (WHERE who = '42') || ' ' ||"
                        " coalesce(current_setting('app.user_id', true), '') FROM t",
                        text, sizeof text),
              "2 ");
    pgc_pool_release(pool, conn);
    pgc_pool_stats stats;
    pgc_pool_get_stats(pool, &stats);
    CHECK_INT(stats.connect_count, 1); /* never given up */
}

static void notifications_on_the_way_are_dropped(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "LISTEN here; NOTIFY here, 'x'"));
    CHECK(conn->pq->notifies(conn->pg) == NULL);
}

/* One round of both directions with an allocator that fails once. */
static pgc_status copy_both_ways(pgc_conn *conn, const pgc_alloc *alloc, pgc_error *err)
{
    const pgc_copy_options options = { .struct_size = sizeof options, .alloc = alloc };
    static char wide[300000];
    memset(wide, 'w', sizeof wide);
    pgc_copy_in *in = NULL;
    TRY(pgc_copy_in_open(pgc_conn_db(conn), &ITEMS, &options, &in, err));
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, 1);
    pgc_add_text(&args, (pgc_text) { wide, sizeof wide }); /* makes the buffer grow */
    pgc_add_null(&args);
    pgc_add_null(&args);
    pgc_status status = pgc_copy_in_row(in, &args, err);
    pgc_args_done(&args);
    if (status != PGC_OK) {
        pgc_copy_in_abort(in, NULL);
        return status;
    }
    TRY(pgc_copy_in_finish(&in, NULL, err));
    pgc_copy_out *out = NULL;
    TRY(pgc_copy_out_open(pgc_conn_db(conn), &ITEMS, &options, &out, err));
    pgc_reader *row = NULL;
    status = pgc_copy_out_next(out, &row, err);
    CHECK(status != PGC_OK || pgc_read_text(row, 0, 1).len == sizeof wide);
    pgc_copy_out_close(out);
    return status;
}

static void each_allocation_may_fail(void)
{
    WITH_TABLE(conn);
    bool complete = false;
    int fail_at = 1;
    for (; !complete && fail_at < 200; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        REQUIRE(live_do(conn, "TRUNCATE \"my items\""));
        pgc_status status = copy_both_ways(conn, &alloc, &err);
        complete = plan.calls < fail_at;
        CHECK_STATUS(status, complete ? PGC_OK : PGC_NOMEM, &err);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
        REQUIRE(is_usable(conn));
    }
    CHECK(complete && fail_at > 5);
}

TAP_MAIN(TAP("copy: rows go in and come out", rows_go_in_and_come_out),
         TAP("copy: an empty one is fine", an_empty_copy_is_fine),
         TAP("copy: abort leaves the table as it was", abort_leaves_the_table_as_it_was),
         TAP("copy: a bad value costs its row only", a_bad_value_costs_its_row_only),
         TAP("copy: a row may come in several lists", a_row_may_come_in_several_lists),
         TAP("copy: the server's refusal names the line", the_servers_refusal_names_the_line),
         TAP("copy: an error is noticed in mid-stream", an_error_is_noticed_in_mid_stream),
         TAP("copy: notices on the way do not disturb", notices_on_the_way_do_not_disturb),
         TAP("copy: other columns are refused before a value travels",
             other_columns_are_refused_before_a_value_travels),
         TAP("copy: domains and enums count as what they are",
             domains_and_enums_count_as_what_they_are),
         TAP("copy: an early close leaves the connection usable",
             an_early_close_leaves_the_connection_usable),
         TAP("copy: an error of the query comes behind its rows",
             an_error_of_the_query_comes_behind_its_rows),
         TAP("copy: a row over the limit is refused", a_row_over_the_limit_is_refused),
         TAP("copy: one huge row passes", one_huge_row_passes),
         TAP("copy: raw bytes pass in any format", raw_bytes_pass_in_any_format),
         TAP("copy: a source or sink that fails ends the copy",
             a_source_or_sink_that_fails_ends_the_copy),
         TAP("copy: a transaction decides", a_transaction_decides),
         TAP("copy: wrong descriptors are refused", wrong_descriptors_are_refused),
         TAP("copy: a scope lends its identity", a_scope_lends_its_identity),
         TAP("copy: each allocation may fail", each_allocation_may_fail),
         TAP("copy: notifications are dropped behind a call", notifications_on_the_way_are_dropped))
