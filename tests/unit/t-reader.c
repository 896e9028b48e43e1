/* Results and readers, on results that libpq built without a server, and on single cells in blocks
 * of their exact size. */
#include "base/prelude.h"

#include "cell.h"
#include "decode.h"
#include "golden.h"
#include "oom.h"
#include "pgc/wire.h"
#include "tap.h"

/* A PGresult of one row: a cell for each hexadecimal text, NULL for SQL NULL. */
typedef struct column {
    const char *name;
    Oid oid;
    const char *hex;
} column;

static PGresult *pq_row(const column *columns, size_t count, int format)
{
    PGresAttDesc attrs[32] = { { 0 } };
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
    for (size_t i = 0; i < count && i < ARRAY_LEN(attrs); i++) {
        /* libpq copies the name; the cast only removes const. */
        attrs[i] = (PGresAttDesc) { .name = (char *) (uintptr_t) columns[i].name,
                                    .format = format,
                                    .typid = columns[i].oid };
    }
    if (res == NULL || !PQsetResultAttrs(res, (int) count, attrs)) {
        PQclear(res);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[256];
        size_t len = columns[i].hex == NULL ? 0 : hex_bytes(columns[i].hex, bytes, sizeof bytes);
        if (!PQsetvalue(res, 0, (int) i, (char *) bytes, columns[i].hex == NULL ? -1 : (int) len)) {
            PQclear(res);
            return NULL;
        }
    }
    return res;
}

/* A reader over one row from libpq; free the result. */
static pgc_result *open_row(pgc_reader *reader, const column *columns, size_t count, int format)
{
    pgc_result *result = NULL;
    pgc_error err;
    PGresult *res = pq_row(columns, count, format);
    if (CHECK(res != NULL) &&
        CHECK_STATUS(result_new(pq_libpq(), res, NULL, NULL, &result, &err), PGC_OK, &err)) {
        pgc_reader_init(reader, result, NULL);
    }
    return result;
}

static const char *golden_hex(const char *type, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        if (strcmp(GOLDEN[i].type, type) == 0 && strcmp(GOLDEN[i].text, text) == 0) {
            return GOLDEN[i].hex;
        }
    }
    return "";
}

static bool text_is(pgc_text got, const char *want)
{
    return got.ptr != NULL && got.len == strlen(want) && memcmp(got.ptr, want, got.len) == 0;
}

static void scalars_are_decoded(void)
{
    const column row[] = {
        { "a", 16, "01" },
        { "b", 21, "fffe" },
        { "c", 23, "fffffffe" },
        { "d", 20, "fffffffffffffffe" },
        { "e", 26, "ffffffff" },
        { "f", 700, "3fc00000" },
        { "g", 701, "bff8000000000000" },
        { "h", 2950, "0190163d8694739baea5966c26f8ad91" },
        { "i", 1114, golden_hex("timestamp", "2024-02-29 12:34:56.789012") },
        { "j", 1184, golden_hex("timestamptz", "1970-01-01 UTC") },
        { "k", 1082, golden_hex("date", "1999-12-31") },
        { "l", 1083, golden_hex("time", "12:34:56.5") },
        { "m", 1186, golden_hex("interval", "1 mon 2 days 03:04:05.000006") },
    };
    pgc_reader r;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    CHECK(pgc_read_bool(&r, 0, 0));
    CHECK_INT(pgc_read_i16(&r, 0, 1), -2);
    CHECK_INT(pgc_read_i32(&r, 0, 2), -2);
    CHECK_INT(pgc_read_i64(&r, 0, 3), -2);
    CHECK_INT(pgc_read_u32(&r, 0, 4), UINT32_MAX);
    CHECK_INT(pgc_read_f32(&r, 0, 5) * 2, 3);
    CHECK_INT(pgc_read_f64(&r, 0, 6) * 2, -3);
    pgc_uuid uuid = pgc_read_uuid(&r, 0, 7);
    char text[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&uuid, text);
    CHECK_STR(text, "0190163d-8694-739b-aea5-966c26f8ad91");
    CHECK_INT(pgc_read_timestamp(&r, 0, 8).us,
              pgc_timestamptz_from_unix_us(INT64_C(1709210096789012)).us);
    CHECK_INT(pgc_timestamptz_to_unix_us(pgc_read_timestamptz(&r, 0, 9)), 0);
    CHECK_INT(pgc_read_date(&r, 0, 10).days, -1);
    CHECK_INT(pgc_read_time(&r, 0, 11).us, INT64_C(45296500000));
    pgc_interval interval = pgc_read_interval(&r, 0, 12);
    CHECK_INT(interval.us, INT64_C(11045000006));
    CHECK_INT(interval.days, 2);
    CHECK_INT(interval.months, 1);
    pgc_opt_i32 some = pgc_read_opt_i32(&r, 0, 2);
    CHECK(some.has);
    CHECK_INT(some.v, -2);
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_OK, &err);
}

static void bytes_are_decoded(void)
{
    const column row[] = {
        { "a", 25, golden_hex("text", "Grüße") },
        { "b", 17, "00ff" },
        { "c", 114, golden_hex("json", "{\"a\":1}") },
        { "d", 3802, golden_hex("jsonb", "{\"a\": 1}") },
        { "e", 90001, golden_hex("vector", "[1,-2,0.5]") },
        { "f", 90002, golden_hex("halfvec", "[1,-2,65504]") },
        { "g", 25, "" },
        { "h", 17, "" },
    };
    pgc_reader r;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    CHECK(text_is(pgc_read_text(&r, 0, 0), "Grüße"));
    CHECK_INT(pgc_read_text(&r, 0, 0).ptr[7], 0);
    pgc_bytes bytes = pgc_read_bytes(&r, 0, 1);
    REQUIRE(bytes.len == 2);
    CHECK_INT(bytes.ptr[1], 0xFF);
    CHECK(text_is(pgc_read_json(&r, 0, 2), "{\"a\":1}"));
    CHECK(text_is(pgc_read_jsonb(&r, 0, 3), "{\"a\": 1}"));
    pgc_vector vector = pgc_read_vector(&r, 0, 4);
    REQUIRE(vector.dim == 3);
    CHECK_INT(vector.v[1], -2);
    CHECK_INT((uintptr_t) vector.v % 16, 0);
    pgc_halfvec halfvec = pgc_read_opt_halfvec(&r, 0, 5);
    REQUIRE(halfvec.dim == 3);
    CHECK_INT(pgc_half_to_float(halfvec.v[2]), 65504);
    CHECK_INT((uintptr_t) halfvec.v % 16, 0);
    CHECK(pgc_read_text(&r, 0, 6).ptr != NULL);
    CHECK_INT(pgc_read_opt_text(&r, 0, 6).len, 0);
    CHECK(pgc_read_opt_bytes(&r, 0, 7).ptr != NULL);
    CHECK_INT(pgc_read_bytes(&r, 0, 7).len, 0);
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_OK, &err);
}

static void numerics_are_decoded(void)
{
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        if (strcmp(GOLDEN[i].type, "numeric") != 0) {
            continue;
        }
        const column row[] = { { "n", 1700, GOLDEN[i].hex } };
        pgc_reader r;
        AUTO(result_auto) pgc_result *result = open_row(&r, row, 1, 1);
        REQUIRE(result != NULL);
        pgc_numeric value = pgc_read_numeric(&r, 0, 0);
        pgc_error err;
        char text[64];
        CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_OK, &err);
        CHECK(value.present);
        (void) pgc_numeric_format(&value, text, sizeof text);
        CHECK_STR(text, GOLDEN[i].text);
    }
}

static void arrays_are_decoded(void)
{
    const column row[] = {
        { "a", 1007, golden_hex("arr_i32", "{1,NULL,3}") },
        { "b", 1007, golden_hex("arr_i32", "{}") },
        { "c", 1000, golden_hex("arr_bool", "{t,f}") },
        { "d", 1005, golden_hex("arr_i16", "{1,-2}") },
        { "e", 1016, golden_hex("arr_i64", "{-2}") },
        { "f", 1021, golden_hex("arr_f32", "{1.5}") },
        { "g", 1022, golden_hex("arr_f64", "{-1.5}") },
        { "h", 1009, golden_hex("arr_text", "{a,NULL,\"\",bc}") },
        { "i", 2951, golden_hex("arr_uuid", "{0190163d-8694-739b-aea5-966c26f8ad91}") },
        { "j", 1185, golden_hex("arr_timestamptz", "{1970-01-01 UTC}") },
    };
    pgc_reader r;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    pgc_arr_i32 i32 = pgc_read_arr_i32(&r, 0, 0);
    REQUIRE(i32.has && i32.count == 3 && i32.nulls != NULL);
    CHECK_INT(i32.v[0], 1);
    CHECK_INT(i32.nulls[0], 0);
    CHECK_INT(i32.nulls[1], 1);
    CHECK_INT(i32.v[2], 3);
    pgc_arr_i32 empty = pgc_read_opt_arr_i32(&r, 0, 1);
    CHECK(empty.has && empty.count == 0 && empty.v != NULL && empty.nulls == NULL);
    pgc_arr_bool bools = pgc_read_arr_bool(&r, 0, 2);
    REQUIRE(bools.count == 2);
    CHECK(bools.v[0] && !bools.v[1]);
    pgc_arr_i16 i16 = pgc_read_arr_i16(&r, 0, 3);
    REQUIRE(i16.count == 2 && i16.nulls == NULL);
    CHECK_INT(i16.v[1], -2);
    pgc_arr_i64 i64 = pgc_read_arr_i64(&r, 0, 4);
    REQUIRE(i64.count == 1);
    CHECK_INT(i64.v[0], -2);
    pgc_arr_f32 f32 = pgc_read_arr_f32(&r, 0, 5);
    REQUIRE(f32.count == 1);
    CHECK_INT(f32.v[0] * 2, 3);
    pgc_arr_f64 f64 = pgc_read_arr_f64(&r, 0, 6);
    REQUIRE(f64.count == 1);
    CHECK_INT(f64.v[0] * 2, -3);
    pgc_arr_text texts = pgc_read_arr_text(&r, 0, 7);
    REQUIRE(texts.count == 4 && texts.nulls != NULL);
    CHECK(text_is(texts.v[0], "a"));
    CHECK(texts.v[1].ptr == NULL && texts.nulls[1] == 1);
    CHECK(text_is(texts.v[2], ""));
    CHECK(text_is(texts.v[3], "bc"));
    pgc_arr_uuid uuids = pgc_read_arr_uuid(&r, 0, 8);
    REQUIRE(uuids.count == 1);
    CHECK_INT(uuids.v[0].bytes[15], 0x91);
    pgc_arr_timestamptz times = pgc_read_arr_timestamptz(&r, 0, 9);
    REQUIRE(times.count == 1);
    CHECK_INT(pgc_timestamptz_to_unix_us(times.v[0]), 0);
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_OK, &err);
}

static void nullable_readers_give_the_absent_form(void)
{
    const column row[] = { { "a", 23, NULL } };
    pgc_reader r;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, 1, 1);
    REQUIRE(result != NULL);
    CHECK(pgc_read_is_null(&r, 0, 0));
#define X(name, type) CHECK(!pgc_read_opt_##name(&r, 0, 0).has);
    PGC_OPT_MAP(X)
#undef X
#define X(name, type) CHECK(!pgc_read_opt_arr_##name(&r, 0, 0).has);
    PGC_ARRAY_MAP(X)
#undef X
#define X(name, type)                                \
    CHECK(!pgc_read_opt_range_##name(&r, 0, 0).has); \
    CHECK(!pgc_read_opt_multirange_##name(&r, 0, 0).has);
    PGC_RANGE_MAP(X)
#undef X
    /* What is read of NULL is what is sent as NULL. */
    for (unsigned kind = 0; kind < DECODE_COUNT; kind++) {
        pgc_args args;
        pgc_args_init(&args, NULL);
        decode_echo((decode_kind) kind, &r, 0, 0, &args);
        CHECK(args.count == 1 && args.values[0] == NULL);
        pgc_args_done(&args);
    }
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_OK, &err);
}

static const pgc_type_ref ONE_COLUMN[] = { { "owner_id", "uuid", 0 } };
static const pgc_query ONE_QUERY = {
    .name = "GetThing", .sql = "", .column_count = 1, .columns = ONE_COLUMN
};

static void a_null_where_none_may_be_names_the_place(void)
{
    for (unsigned kind = 0; kind < DECODE_COUNT; kind++) {
        pgc_reader r;
        pgc_error err;
        AUTO(result_auto) pgc_result *result = cell_result(NULL, 0, NULL, &ONE_QUERY);
        REQUIRE(result != NULL);
        pgc_reader_init(&r, result, NULL);
        decode_cell((decode_kind) kind, false, &r, 0, 0);
        CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_PROTOCOL, &err);
        CHECK_STR(err.message, "query GetThing: row 1, column 1 (owner_id, expected type uuid) "
                               "is NULL but must not be");
        CHECK_STR(err.query, "GetThing");
        CHECK_STR(err.column, "owner_id");
        CHECK_STATUS(pgc_reader_finish(&r, NULL), PGC_PROTOCOL, NULL);
    }
}

/* A cell with these bytes; the reader's status after both forms of the type's reader agree. */
static pgc_status decode_bytes(decode_kind kind, const void *bytes, size_t len)
{
    pgc_status status[2] = { PGC_NOMEM, PGC_NOMEM };
    for (int nullable = 0; nullable < 2; nullable++) {
        pgc_reader r;
        AUTO(result_auto) pgc_result *result = cell_result(bytes, len, NULL, &ONE_QUERY);
        if (result != NULL) {
            pgc_reader_init(&r, result, NULL);
            decode_cell(kind, nullable == 1, &r, 0, 0);
            status[nullable] = pgc_reader_finish(&r, NULL);
        }
    }
    CHECK_INT(status[0], status[1]);
    return status[0];
}

static bool is_open_ended(decode_kind kind)
{
    return kind == DECODE_text || kind == DECODE_bytes || kind == DECODE_json ||
           kind == DECODE_jsonb;
}

static void every_truncation_of_every_value_fails(void)
{
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        uint8_t bytes[256];
        size_t len = hex_bytes(GOLDEN[i].hex, bytes, sizeof bytes - 1);
        decode_kind kind = decode_kind_of(GOLDEN[i].type);
        REQUIRE(kind != DECODE_COUNT);
        CHECK_INT(decode_bytes(kind, bytes, len), PGC_OK);
        if (is_open_ended(kind)) {
            continue;
        }
        for (size_t cut = 0; cut < len; cut++) {
            if (!CHECK_INT(decode_bytes(kind, bytes, cut), PGC_PROTOCOL)) {
                printf("# %s %s cut to %zu bytes\n", GOLDEN[i].type, GOLDEN[i].text, cut);
            }
        }
        bytes[len] = 0;
        CHECK_INT(decode_bytes(kind, bytes, len + 1), PGC_PROTOCOL);
    }
    CHECK_INT(decode_bytes(DECODE_jsonb, "", 0), PGC_PROTOCOL);
}

static void every_value_fails_for_readers_of_other_sizes(void)
{
    /* Each golden value with every reader: never a crash, and the right one succeeds. */
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        uint8_t bytes[256];
        size_t len = hex_bytes(GOLDEN[i].hex, bytes, sizeof bytes);
        for (unsigned kind = 0; kind < DECODE_COUNT; kind++) {
            pgc_status status = decode_bytes((decode_kind) kind, bytes, len);
            CHECK(status == PGC_OK || status == PGC_PROTOCOL);
        }
    }
}

typedef struct bad_cell {
    const char *type, *hex, *why;
} bad_cell;

static const bad_cell BAD_CELLS[] = {
    { "jsonb", "02 7b7d", "unknown version" },
    { "numeric", "0001 0000 1234 0000 0001", "out of range" },
    { "numeric", "0001 0000 0000 4000 0001", "out of range" },
    { "numeric", "0001 0000 0000 0000 2710", "out of range" },
    { "numeric", "0001 0000 c000 0000 0001", "out of range" },
    { "vector", "0000 0000", "unknown vector header" },
    { "vector", "0001 0001 3f800000", "unknown vector header" },
    { "vector", "ffff 0000 3f800000", "wrong length for its dimensions" },
    { "halfvec", "0000 0000", "unknown vector header" },
    { "halfvec", "0001 0001 3c00", "unknown vector header" },
    { "arr_i32", "ffffffff 00000000 00000017", "more than six dimensions" },
    { "arr_i32", "00000007 00000000 00000017", "more than six dimensions" },
    { "arr_i16", "00000002 00000000 00000015 00010000 00000001 00010000 00000001 00000002 0001",
      "fewer bytes" },
    { "arr_i16", "00000002 00000000 00000015 00000001 00000001", "array bounds" },
    { "arr_i32", "00000000 00000002 00000017", "array flags" },
    { "arr_i32", "00000000 00000000 00000017 00", "behind the last" },
    { "arr_i32", "00000001 00000000 00000017 00000001", "array bounds" },
    { "arr_i32", "00000001 00000000 00000017 7fffffff 00000001 00000004 00000001", "fewer bytes" },
    { "arr_i32", "00000001 00000000 00000017 ffffffff 00000001 00000004 00000001", "fewer bytes" },
    { "arr_i32", "00000001 00000000 00000017 00000001 00000001 fffffffe 00000001", "longer than" },
    { "arr_i32", "00000001 00000000 00000017 00000001 00000001 80000000 00000001", "longer than" },
    { "arr_i32", "00000001 00000000 00000017 00000001 00000001 00000005 00000001", "longer than" },
    { "arr_i32", "00000001 00000000 00000017 00000001 00000001 00000003 000001", "wrong length" },
    { "arr_i32", "00000001 00000000 00000017 00000001 00000001 00000004 00000001 00", "behind" },
    { "arr_i32", "00000001 00000000 00000017 00000002 00000001 00000004 00000001", "longer than" },
    { "arr_text", "00000001 00000000 00000019 00000002 00000001 00000004 61626364", "longer than" },
    { "arr_text", "00000001 00000000 00000019 00000001 00000001 7fffffff 61", "longer than" },
    { "inet", "04180004c0a80105", "address family" },
    { "inet", "02210004c0a80105", "wrong length" },
    { "inet", "02180010c0a80105", "wrong length" },
    { "bits", "0000000a aac1", "behind the last one" },
    { "bits", "ffffffff", "wrong length" },
    { "path", "02 00000001 3ff8000000000000 bff8000000000000", "flag of paths" },
    { "polygon", "00000002 3ff8000000000000 bff8000000000000", "wrong length for its points" },
    { "polygon", "10000001 3ff8000000000000 bff8000000000000", "wrong length for its points" },
    { "sparsevec", "00000005 00000002 00000001 00000000 00000002 3f800000 c0000000", "header" },
    { "sparsevec", "00000005 00000002 00000000 00000002 00000000 3f800000 c0000000", "order" },
    { "sparsevec", "00000002 00000002 00000000 00000000 00000002 3f800000 c0000000", "range" },
    { "sparsevec", "00000000 00000000 00000000", "out of range" },
    { "tsvector", "00000001 61626364", "cut inside a word" },
    { "tsvector", "00000001 6100 0001", "cut inside a word" },
    { "tsvector", "7fffffff 6100 0000", "fewer bytes" },
    { "tsquery", "00000001 02 01", "without operands" },
    { "tsquery", "00000001 03 01", "unknown" },
    { "tsquery", "00000001 01 10 00 6100", "unknown" },
    { "hstore", "00000001 ffffffff ffffffff", "cut inside a pair" },
    { "hstore", "40000000 00000001 61 ffffffff", "fewer bytes" },
    { "range_i32", "20", "unknown range flags" },
    { "range_i32", "02 00000004 00000001", "cut inside a bound" },
    { "range_i32", "18 00", "behind the last bound" },
    { "range_i32", "10 00000002 0001", "wrong length" },
    { "multirange_i32", "00000002 00000001 01", "fewer bytes" },
    { "multirange_i32", "00000001 00000002 01", "cut inside a range" },
};

static void malformed_cells_say_what_is_wrong(void)
{
    for (size_t i = 0; i < ARRAY_LEN(BAD_CELLS); i++) {
        uint8_t bytes[256];
        size_t len = hex_bytes(BAD_CELLS[i].hex, bytes, sizeof bytes);
        pgc_reader r;
        pgc_error err = PGC_ZERO;
        AUTO(result_auto) pgc_result *result = cell_result(bytes, len, NULL, NULL);
        REQUIRE(result != NULL);
        pgc_reader_init(&r, result, NULL);
        decode_cell(decode_kind_of(BAD_CELLS[i].type), false, &r, 0, 0);
        CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_PROTOCOL, &err);
        if (!CHECK(strstr(err.message, BAD_CELLS[i].why) != NULL)) {
            printf("# %s: %s\n", BAD_CELLS[i].why, err.message);
        }
    }
}

static void vectors_have_at_most_16000_dimensions(void)
{
    enum { dim = 16001 };
    uint8_t *bytes = calloc(1, 4 + dim * 4);
    REQUIRE(bytes != NULL);
    wire_put_u16(bytes, dim);
    CHECK_INT(decode_bytes(DECODE_vector, bytes, 4 + dim * 4), PGC_PROTOCOL);
    CHECK_INT(decode_bytes(DECODE_halfvec, bytes, 4 + dim * 2), PGC_PROTOCOL);
    wire_put_u16(bytes, dim - 1);
    CHECK_INT(decode_bytes(DECODE_vector, bytes, 4 + (dim - 1) * 4), PGC_OK);
    CHECK_INT(decode_bytes(DECODE_halfvec, bytes, 4 + (dim - 1) * 2), PGC_OK);
    free(bytes);
}

static void the_first_failure_is_kept(void)
{
    const column row[] = { { "a", 23, "00000007" }, { "b", 23, "0007" }, { "c", 25, "61" } };
    pgc_reader r;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    CHECK_INT(pgc_read_i32(&r, 0, 0), 7);
    CHECK_INT(pgc_read_i32(&r, 0, 1), 0);
    CHECK_INT(pgc_read_i64(&r, 0, 9), 0);
    /* Everything reads as zero from now on, good cells as well. */
    CHECK_INT(pgc_read_i32(&r, 0, 0), 0);
    CHECK(!pgc_read_opt_i32(&r, 0, 0).has);
    CHECK(pgc_read_text(&r, 0, 2).ptr == NULL);
    CHECK(pgc_read_bytes(&r, 0, 2).ptr == NULL);
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_PROTOCOL, &err);
    CHECK_STR(err.message,
              "query (text): row 1, column 2 (unnamed, expected type unknown) has the wrong "
              "length");
}

static void cells_outside_of_the_result_are_failures(void)
{
    const column row[] = { { "a", 23, "00000007" } };
    for (unsigned kind = 0; kind < DECODE_COUNT; kind++) {
        for (int where = 0; where < 4; where++) {
            pgc_reader r;
            AUTO(result_auto) pgc_result *result = open_row(&r, row, 1, 1);
            REQUIRE(result != NULL);
            decode_cell((decode_kind) kind, where % 2 == 0, &r, where < 2 ? 1 : 0,
                        where < 2 ? 0 : SIZE_MAX);
            CHECK(pgc_read_is_null(&r, 1, 0));
            CHECK(pgc_read_is_null(&r, 0, 1));
            pgc_error err;
            CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_PROTOCOL, &err);
            CHECK(strstr(err.message, "no such cell") != NULL);
        }
    }
}

static void text_rows_are_parsed(void)
{
    const column row[] = { { "a", 23, "31323334" }, { "b", 25, NULL }, { "c", 3802, "7b7d" } };
    pgc_reader r;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 0);
    REQUIRE(result != NULL);
    CHECK(text_is(pgc_read_text(&r, 0, 0), "1234"));
    CHECK(pgc_read_opt_text(&r, 0, 1).ptr == NULL);
    CHECK(!pgc_read_opt_i64(&r, 0, 1).has);
    CHECK(text_is(pgc_read_jsonb(&r, 0, 2), "{}"));
    /* "1234" has the length of an int4 and is read as what it says. */
    CHECK_INT(pgc_read_i32(&r, 0, 0), 1234);
    CHECK_INT(pgc_read_opt_u64(&r, 0, 0).v, 1234);
    CHECK_INT(r.status, PGC_OK);
    CHECK(!pgc_read_bool(&r, 0, 0));
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_PROTOCOL, &err);
    CHECK(strstr(err.message, "came as text that is no value of its type") != NULL);
}

/* Every golden value is read and sent as the same bytes. The server's infinities have a dscale that
 * means nothing; we send none. */
static void golden_bytes_come_back(void)
{
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        uint8_t bytes[256];
        size_t len = hex_bytes(GOLDEN[i].hex, bytes, sizeof bytes);
        if (strstr(GOLDEN[i].text, "Infinity") != NULL) {
            bytes[7] = 0;
        }
        pgc_reader r;
        pgc_args args;
        AUTO(result_auto) pgc_result *result = cell_result(bytes, len, NULL, NULL);
        REQUIRE(result != NULL);
        pgc_args_init(&args, NULL);
        pgc_reader_init(&r, result, NULL);
        decode_echo(decode_kind_of(GOLDEN[i].type), &r, 0, 0, &args);
        CHECK_INT(pgc_reader_finish(&r, NULL), PGC_OK);
        /* Element types of extensions are not compared, so none is sent. */
        bool same = args.status == PGC_OK && args.count == 1 && args.lengths[0] == (int32_t) len &&
                    memcmp(args.values[0], bytes, len) == 0;
        if (!CHECK(same)) {
            printf("# %s %s\n", GOLDEN[i].type, GOLDEN[i].text);
        }
        pgc_args_done(&args);
    }
}

static const pgc_type_ref PAIR_FIELDS[] = { { "x", "integer", 23 }, { "y", "text", 25 } };
static const pgc_record_type PAIR = { "pair", PAIR_FIELDS, 2 };

static void composites_are_opened(void)
{
    const column row[] = { { "p", 90001, GOLDEN_RECORD }, { "n", 90001, NULL } };
    pgc_reader r;
    pgc_reader pair;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    REQUIRE(pgc_read_record(&r, 0, 0, &PAIR, &pair));
    CHECK_INT(pair.columns, 2);
    CHECK_INT(pgc_read_i32(&pair, 0, 0), 1);
    CHECK(pgc_read_is_null(&pair, 0, 1));
    CHECK(pgc_read_opt_text(&pair, 0, 1).ptr == NULL);
    CHECK(!pgc_read_opt_record(&r, 0, 1, &PAIR, &pair));
    CHECK_STATUS(pgc_reader_finish(&r, NULL), PGC_OK, NULL);
    CHECK(!pgc_read_record(&r, 0, 1, &PAIR, &pair));
    CHECK_STATUS(pgc_reader_finish(&r, NULL), PGC_PROTOCOL, NULL);
}

/* Opens a composite of a column and reads its first field; gives the message, "" for success. */
static const char *record_message(const char *hex, const pgc_record_type *type, char *text,
                                  size_t size)
{
    const column row[] = { { "p", 90001, hex } };
    pgc_error err = PGC_ZERO;
    pgc_reader r;
    pgc_reader inner;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, 1, 1);
    if (result != NULL && pgc_read_record(&r, 0, 0, type, &inner)) {
        (void) pgc_read_i32(&inner, 0, 0);
        (void) pgc_read_text(&inner, 0, 1);
    }
    bool ok = pgc_reader_finish(&r, &err) == PGC_OK;
    (void) snprintf(text, size, "%s", ok ? "" : err.message);
    return text;
}

static void malformed_composites_say_what_is_wrong(void)
{
    static const struct {
        const char *hex, *why;
    } cases[] = {
        { "", "fewer bytes than its fields" },
        { "00000003 00000017 00000004 00000001 00000019 ffffffff", "fewer bytes" },
        { "ffffffff 00000017 00000004 00000001 00000019 ffffffff", "fewer bytes" },
        { "00000001 00000017 00000004 00000001", "another number of fields" },
        { "00000002 00000014 00000004 00000001 00000019 ffffffff", "another type" },
        { "00000002 00000017 00000005 00000001 00000019 ffffffff", "cut inside a field" },
        { "00000002 00000017 fffffffe 00000001 00000019 ffffffff", "cut inside a field" },
        { "00000002 00000017 00000004 00000001 00000019 ffffffff 00", "behind the last field" },
        { "00000002 00000017 00000002 0001 00000019 00000001 61", "column 1.1 (unnamed" },
        { GOLDEN_RECORD, "column 1.2 (unnamed, expected type unknown) is NULL" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        if (!CHECK(strstr(record_message(cases[i].hex, &PAIR, text, sizeof text), cases[i].why) !=
                   NULL)) {
            printf("# %s: %s\n", cases[i].why, text);
        }
    }
}

static void a_failure_inside_is_one_outside(void)
{
    /* {(1,"a"),NULL,(2-bytes-int,"b")}: the third element's first field is no int4. */
    const column row[] = { { "a", 23, "00000007" },
                           { "p", 90002,
                             "00000001 00000001 00015f91 00000003 00000001"
                             "00000019 00000002 00000017 00000004 00000001 00000019 00000001 61"
                             "ffffffff"
                             "00000017 00000002 00000017 00000002 0001 00000019 00000001 62" } };
    pgc_reader r;
    pgc_reader list;
    pgc_reader pair;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    REQUIRE(pgc_read_array(&r, 0, 1, &list));
    CHECK_INT(list.row_count, 3);
    CHECK_INT(list.ndim, 1);
    REQUIRE(pgc_read_opt_record(&list, 0, 0, &PAIR, &pair));
    CHECK(text_is(pgc_read_text(&pair, 0, 1), "a"));
    CHECK(!pgc_read_opt_record(&list, 1, 0, &PAIR, &pair));
    CHECK_INT(r.status, PGC_OK);
    REQUIRE(pgc_read_opt_record(&list, 2, 0, &PAIR, &pair));
    CHECK_INT(pgc_read_i32(&pair, 0, 0), 0);
    CHECK_INT(pgc_read_i32(&r, 0, 0), 0);
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(&r, &err), PGC_PROTOCOL, &err);
    CHECK_STR(err.message, "query (text): row 1, column 2[3].1 (unnamed, expected type unknown) "
                           "has the wrong length");
}

/* For decoders of what only one database has. */
static void elements_get_room_and_a_mask(void)
{
    const column row[] = { { "none", 90002, "00000000 00000000 00015f91" },
                           { "full", 90002,
                             "00000001 00000000 00015f91 00000002 00000001 00000001 61 "
                             "00000001 62" },
                           { "holes", 90002,
                             "00000001 00000001 00015f91 00000003 00000001 ffffffff 00000001 62 "
                             "ffffffff" } };
    pgc_reader r;
    pgc_reader list;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    REQUIRE(pgc_read_array(&r, 0, 0, &list));
    CHECK(pgc_read_room(&list, 8) == NULL && pgc_read_nulls(&list) == NULL);
    REQUIRE(pgc_read_array(&r, 0, 1, &list));
    uint64_t *room = pgc_read_room(&list, sizeof *room);
    REQUIRE(room != NULL);
    room[0] = room[1] = UINT64_MAX;
    CHECK(pgc_read_nulls(&list) == NULL);
    CHECK_INT(r.status, PGC_OK);
    REQUIRE(pgc_read_array(&r, 0, 2, &list));
    const uint8_t *nulls = pgc_read_nulls(&list);
    REQUIRE(nulls != NULL);
    CHECK(nulls[0] == 1 && nulls[1] == 0 && nulls[2] == 1);
    CHECK(pgc_read_room(&list, SIZE_MAX / 2) == NULL);
    CHECK_STATUS(pgc_reader_finish(&r, NULL), PGC_NOMEM, NULL);
}

static void ranges_of_any_subtype_are_opened(void)
{
    const column row[] = { { "r", 90003, "04 00000001 61 00000002 6263" },
                           { "m", 90004, "00000002 00000001 01 00000006 10 00000001 7a" } };
    pgc_reader r;
    pgc_reader inner;
    pgc_reader range;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    REQUIRE(pgc_read_range(&r, 0, 0, &range));
    CHECK_INT(range.range_flags, PGC_RANGE_UPPER_INC);
    CHECK(text_is(pgc_read_text(&range, 0, 0), "a"));
    CHECK(text_is(pgc_read_text(&range, 0, 1), "bc"));
    REQUIRE(pgc_read_multirange(&r, 0, 1, &inner));
    CHECK_INT(inner.row_count, 2);
    REQUIRE(pgc_read_range(&inner, 0, 0, &range));
    CHECK_INT(range.range_flags, PGC_RANGE_EMPTY);
    CHECK(pgc_read_is_null(&range, 0, 0) && pgc_read_is_null(&range, 0, 1));
    REQUIRE(pgc_read_range(&inner, 1, 0, &range));
    CHECK(text_is(pgc_read_text(&range, 0, 0), "z"));
    CHECK(pgc_read_is_null(&range, 0, 1));
    CHECK_STATUS(pgc_reader_finish(&r, NULL), PGC_OK, NULL);
}

static void nesting_ends_at_its_limit(void)
{
    uint8_t text[] = "(\"(x)\")";
    AUTO(result_auto)
    pgc_result *result = cell_result_as(true, text, sizeof text - 1, NULL, NULL);
    REQUIRE(result != NULL);
    pgc_reader readers[3];
    pgc_reader_init(&readers[0], result, NULL);
    readers[0].depth = PGC_NEST_MAX - 1;
    REQUIRE(pgc_read_record(&readers[0], 0, 0, NULL, &readers[1]));
    CHECK(!pgc_read_record(&readers[1], 0, 0, NULL, &readers[2]));
    pgc_error err;
    CHECK_STATUS(pgc_reader_finish(&readers[0], &err), PGC_PROTOCOL, &err);
    CHECK(strstr(err.message, "nested too deeply") != NULL);
}

static void shapes_of_arrays_are_told(void)
{
    const column row[] = { { "a", 1005, golden_hex("arr_i16", "{{1,2},{3,4}}") },
                           { "b", 1007, golden_hex("arr_i32", "[2:3]={7,8}") },
                           { "c", 1007, golden_hex("arr_i32", "{1,NULL,3}") },
                           { "d", 1007, golden_hex("arr_i32", "{}") } };
    pgc_reader r;
    AUTO(result_auto) pgc_result *result = open_row(&r, row, ARRAY_LEN(row), 1);
    REQUIRE(result != NULL);
    pgc_arr_i16 square = pgc_read_arr_i16(&r, 0, 0);
    REQUIRE(square.count == 4 && square.ndim == 2 && square.dims != NULL);
    CHECK_INT(square.dims[1].count, 2);
    CHECK_INT(square.dims[1].lower, 1);
    CHECK_INT(square.v[3], 4);
    pgc_arr_i32 shifted = pgc_read_arr_i32(&r, 0, 1);
    REQUIRE(shifted.count == 2 && shifted.ndim == 1 && shifted.dims != NULL);
    CHECK_INT(shifted.dims[0].lower, 2);
    pgc_arr_i32 plain = pgc_read_arr_i32(&r, 0, 2);
    CHECK(plain.ndim == 1 && plain.dims == NULL);
    CHECK_INT(pgc_read_arr_i32(&r, 0, 3).ndim, 0);
}

/* One whose layout nobody has looked at. */
static int new_version(void)
{
    return 999999;
}

/* Rows are found in libpq's own memory, and listed by its functions where they cannot be. */
static void rows_are_the_same_found_or_listed(void)
{
    const column row[] = { { "a", 23, "00000007" }, { "b", 25, NULL }, { "c", 25, "" } };
    PGresult *res = pq_row(row, ARRAY_LEN(row), 1);
    REQUIRE(res != NULL);
    pq_ops other = *pq_libpq();
    other.libVersion = new_version;
    const pq_ops *const tables[] = { pq_libpq(), &other };
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        pgc_result *result = NULL;
        REQUIRE_OK(
            result_new(tables[i], PQcopyResult(res, PG_COPYRES_TUPLES), NULL, NULL, &result, NULL),
            NULL);
        pgc_reader r;
        pgc_reader_init(&r, result, NULL);
        CHECK_INT(pgc_read_i32(&r, 0, 0), 7);
        CHECK(pgc_read_opt_text(&r, 0, 1).ptr == NULL);
        CHECK(text_is(pgc_read_text(&r, 0, 2), ""));
        CHECK_INT(pgc_reader_finish(&r, NULL), PGC_OK);
        pgc_result_free(result);
    }
    PQclear(res);
}

static void other_columns_than_the_query_s_are_refused(void)
{
    static const pgc_type_ref columns[] = { { "id", "bigint", 20 }, { "v", "vector", 0 } };
    static const pgc_query query = {
        .name = "ListThings", .sql = "", .column_count = 2, .columns = columns
    };
    const column good[] = { { "id", 20, "0000000000000007" }, { "v", 12345, NULL } };
    const column other[] = { { "id", 23, "00000007" }, { "v", 12345, NULL } };
    pgc_result *result = NULL;
    pgc_error err;
    REQUIRE_OK(result_new(pq_libpq(), pq_row(good, 2, 1), NULL, &query, &result, &err), &err);
    CHECK_INT(pgc_result_rows(result), 1);
    CHECK_INT(pgc_result_columns(result), 2);
    CHECK(result_pq(result) != NULL);
    pgc_result_free(result);
    result = NULL;
    CHECK_STATUS(result_new(pq_libpq(), pq_row(other, 2, 1), NULL, &query, &result, &err),
                 PGC_SCHEMA, &err);
    CHECK_STR(err.message,
              "query ListThings: column 1 (id) has the type with OID 23, expected bigint");
    CHECK_STATUS(result_new(pq_libpq(), pq_row(good, 1, 1), NULL, &query, &result, &err),
                 PGC_SCHEMA, &err);
    CHECK_STR(err.message, "query ListThings: result has 1 column, expected 2");
    CHECK(result == NULL);
    pgc_result_free(NULL);
}

static void affected_rows_default_to_zero(void)
{
    pgc_result *result = NULL;
    REQUIRE_OK(result_new(pq_libpq(), PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK), NULL, NULL,
                          &result, NULL),
               NULL);
    CHECK_INT(pgc_result_affected(result), 0);
    CHECK_INT(pgc_result_rows(result), 0);
    CHECK_INT(pgc_result_columns(result), 0);
    pgc_reader r;
    pgc_reader_init(&r, result, NULL);
    CHECK_STATUS(pgc_reader_finish(&r, NULL), PGC_OK, NULL);
    pgc_result_free(result);
}

static char CMD_TUPLES[24];

static char *fake_cmd_tuples(PGresult *res)
{
    (void) res;
    return CMD_TUPLES;
}

static void affected_rows_come_from_the_command(void)
{
    pq_ops ops = *pq_libpq();
    ops.cmdTuples = fake_cmd_tuples;
    pgc_result *result = NULL;
    PGresult *res = PQmakeEmptyPGresult(NULL, PGRES_COMMAND_OK);
    REQUIRE_OK(result_new(&ops, res, NULL, NULL, &result, NULL), NULL);
    (void) snprintf(CMD_TUPLES, sizeof CMD_TUPLES, "12345678901");
    CHECK_INT(pgc_result_affected(result), INT64_C(12345678901));
    (void) snprintf(CMD_TUPLES, sizeof CMD_TUPLES, "x");
    CHECK_INT(pgc_result_affected(result), 0);
    pgc_result_free(result);
}

static void result_memory_is_sized_and_zeroed(void)
{
    static const pgc_query query = { .name = "Big", .sql = "", .row_size = 100000 };
    oom_plan plan = { .fail_at = 0 };
    const pgc_alloc alloc = oom_alloc(&plan);
    const column row[] = { { "a", 23, "00000007" } };
    pgc_result *result = NULL;
    REQUIRE_OK(result_new(pq_libpq(), pq_row(row, 1, 1), &alloc, &query, &result, NULL), NULL);
    CHECK_INT(plan.calls, 1);
    uint8_t *rows = pgc_result_alloc(result, query.row_size);
    uint8_t *small = pgc_result_alloc(result, 100);
    REQUIRE(rows != NULL && small != NULL);
    CHECK_INT(plan.calls, 2); /* both in the first block */
    CHECK_INT(rows[0] + rows[99999] + small[0] + small[99], 0);
    CHECK(pgc_result_alloc(result, 0) != NULL);
    CHECK(pgc_result_alloc(result, SIZE_MAX) == NULL);
    CHECK(pgc_result_array(result, 3, 100) != NULL);
    CHECK(pgc_result_array(result, 0, 100) != NULL);
    CHECK(pgc_result_array(result, SIZE_MAX / 2, 3) == NULL);
    pgc_result_free(result);
    CHECK_INT(plan.live + plan.bad_sizes, 0);
}

/* An array whose NULL flags need a block of their own, with its NULL at the end. */
static void an_array_whose_flags_find_no_memory_fails(void)
{
    enum { count = 3000, size = 20 + count * 8 };
    uint8_t *bytes = calloc(1, size);
    REQUIRE(bytes != NULL);
    wire_put_u32(bytes, 1);
    wire_put_u32(bytes + 4, 1);
    wire_put_u32(bytes + 8, 23);
    wire_put_u32(bytes + 12, count);
    for (size_t i = 0; i < count; i++) {
        wire_put_u32(bytes + 20 + i * 8, 4);
    }
    wire_put_u32(bytes + size - 8, UINT32_MAX);
    bool done = false;
    for (int fail_at = 2; !done; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        pgc_result *result = cell_result(bytes, size - 4, &alloc, NULL);
        REQUIRE(result != NULL);
        pgc_reader r;
        pgc_reader_init(&r, result, NULL);
        pgc_arr_i32 value = pgc_read_arr_i32(&r, 0, 0);
        done = pgc_reader_finish(&r, NULL) == PGC_OK;
        CHECK_INT(r.status, done ? PGC_OK : PGC_NOMEM);
        CHECK_INT(value.has, done);
        CHECK(!done || (value.nulls[count - 1] == 1 && value.nulls[0] == 0));
        CHECK(!done || fail_at > 3);
        pgc_result_free(result);
        CHECK_INT(plan.live + plan.bad_sizes, 0);
    }
    free(bytes);
}

static void each_failed_allocation_is_reported(void)
{
    bool done = false;
    for (int fail_at = 1; !done; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        pgc_status worst = PGC_OK;
        for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
            uint8_t bytes[256];
            size_t len = hex_bytes(GOLDEN[i].hex, bytes, sizeof bytes);
            pgc_reader r;
            AUTO(result_auto) pgc_result *result = cell_result(bytes, len, &alloc, NULL);
            if (result == NULL) {
                worst = PGC_NOMEM;
                continue;
            }
            pgc_reader_init(&r, result, NULL);
            decode_cell(decode_kind_of(GOLDEN[i].type), false, &r, 0, 0);
            pgc_status status = pgc_reader_finish(&r, NULL);
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            worst = status == PGC_OK ? worst : status;
        }
        done = worst == PGC_OK;
        CHECK(!done || fail_at > 40);
        CHECK_INT(plan.live + plan.bad_sizes, 0);
    }
}

TAP_MAIN(
    TAP("golden bytes: what is read is sent as the same bytes", golden_bytes_come_back),
    TAP("composites are opened, NULL told apart", composites_are_opened),
    TAP("malformed composites say what is wrong and where", malformed_composites_say_what_is_wrong),
    TAP("a failure inside a nested value is one of the row", a_failure_inside_is_one_outside),
    TAP("elements get room and a mask of NULLs", elements_get_room_and_a_mask),
    TAP("ranges and multiranges of any subtype are opened", ranges_of_any_subtype_are_opened),
    TAP("nesting ends at its limit", nesting_ends_at_its_limit),
    TAP("dimensions and lower bounds of arrays are told", shapes_of_arrays_are_told),
    TAP("rows of an unknown libpq are listed by its functions", rows_are_the_same_found_or_listed),
    TAP("scalars are decoded", scalars_are_decoded),
    TAP("text, bytes, JSON and vectors are decoded", bytes_are_decoded),
    TAP("numerics are decoded", numerics_are_decoded),
    TAP("arrays are decoded, NULL elements told apart", arrays_are_decoded),
    TAP("nullable readers give the absent form", nullable_readers_give_the_absent_form),
    TAP("NULL in a NOT NULL column names query, row, column and type",
        a_null_where_none_may_be_names_the_place),
    TAP("every truncation of every value fails cleanly", every_truncation_of_every_value_fails),
    TAP("no reader is upset by another type's bytes", every_value_fails_for_readers_of_other_sizes),
    TAP("malformed cells say what is wrong", malformed_cells_say_what_is_wrong),
    TAP("vectors have at most 16,000 dimensions", vectors_have_at_most_16000_dimensions),
    TAP("the first failure is kept, later reads give zeroes", the_first_failure_is_kept),
    TAP("cells outside of the result are failures", cells_outside_of_the_result_are_failures),
    TAP("rows that came as text are parsed", text_rows_are_parsed),
    TAP("other columns than the query's are refused", other_columns_than_the_query_s_are_refused),
    TAP("affected rows: none counted is 0", affected_rows_default_to_zero),
    TAP("affected rows: 64 bits", affected_rows_come_from_the_command),
    TAP("result memory is sized by the rows, zeroed, and counted",
        result_memory_is_sized_and_zeroed),
    TAP("an array whose NULL flags find no memory fails",
        an_array_whose_flags_find_no_memory_fails),
    TAP("each failed allocation is reported and nothing leaks", each_failed_allocation_is_reported))
