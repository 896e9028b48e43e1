/* Values and the server: what is sent in binary comes back the same, and where we have a formatter
 * it agrees with the server's text. Random values are seeded, edge values come first. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "live.h"
#include "random.h"
#include "tap.h"

#define RANDOM_COUNT 200

static uint64_t seed;

/* One parameter; the value itself and a text about it come back. */
#define ECHO_QUERY(var, type_name, type_oid, text_sql)                               \
    static const pgc_type_ref var##_PARAMS[] = { { "value", type_name, type_oid } }; \
    static const pgc_type_ref var##_COLUMNS[] = { { "value", type_name, type_oid },  \
                                                  { "text", "text", 25 } };          \
    static const pgc_query var = {                                                   \
        .name = #var,                                                                \
        .sql = "SELECT $1::" type_name " AS value, (" text_sql ")::text AS text",    \
        .hash = (type_oid),                                                          \
        .flags = PGC_QUERY_UNNAMED,                                                  \
        .param_count = 1,                                                            \
        .column_count = 2,                                                           \
        .params = var##_PARAMS,                                                      \
        .columns = var##_COLUMNS,                                                    \
    }

/* Send args, give the answer (NULL after a failed check). */
static pgc_result *ask(pgc_conn *conn, const pgc_query *query, pgc_args *args, pgc_reader *reader)
{
    pgc_error err;
    pgc_result *result = NULL;
    if (CHECK_STATUS(pgc_db_run(pgc_conn_db(conn), query, args, &result, &err), PGC_OK, &err) &&
        CHECK_INT(pgc_result_rows(result), 1)) {
        pgc_reader_init(reader, result, query);
    } else {
        pgc_result_free(result);
        result = NULL;
    }
    pgc_args_done(args);
    return result;
}

static bool finish(const pgc_reader *reader)
{
    pgc_error err;
    return CHECK_STATUS(pgc_reader_finish(reader, &err), PGC_OK, &err);
}

/* Bit by bit: -0.0 is not 0.0. */
static bool same_bytes(const void *a, const void *b, size_t size)
{
    return size == 0 || memcmp(a, b, size) == 0;
}

static bool same_text(pgc_text got, const char *want)
{
    bool same = got.ptr != NULL && strcmp(got.ptr, want) == 0 && got.len == strlen(want);
    if (!same) {
        printf("# server says \"%s\", we say \"%s\"\n", got.ptr == NULL ? "(null)" : got.ptr, want);
    }
    return CHECK(same);
}

/* Round trip of values of a plain type by memcmp, then what `also` checks with the server's text.
 */
#define ECHO_VALUES(conn, query, name, type, values, count, also)       \
    for (size_t i = 0; i < (count); i++) {                              \
        pgc_args args;                                                  \
        pgc_reader reader;                                              \
        pgc_args_init(&args, NULL);                                     \
        pgc_add_##name(&args, (values)[i]);                             \
        pgc_result *result = ask((conn), &(query), &args, &reader);     \
        REQUIRE(result != NULL);                                        \
        type back = pgc_read_##name(&reader, 0, 0);                     \
        pgc_text text = pgc_read_text(&reader, 0, 1);                   \
        if (finish(&reader)) {                                          \
            if (!CHECK(same_bytes(&back, &(values)[i], sizeof back))) { \
                printf("# value %zu: server says %s\n", i, text.ptr);   \
            }                                                           \
            also;                                                       \
        }                                                               \
        pgc_result_free(result);                                        \
        REQUIRE(tap_failures == 0);                                     \
    }

ECHO_QUERY(ECHO_BOOL, "boolean", 16, "$1::int");
ECHO_QUERY(ECHO_I16, "smallint", 21, "$1");
ECHO_QUERY(ECHO_I32, "integer", 23, "$1");
ECHO_QUERY(ECHO_I64, "bigint", 20, "$1");
ECHO_QUERY(ECHO_U32, "oid", 26, "$1");

static void integers(void)
{
    LIVE(conn);
    char want[32];
    static const bool bools[] = { false, true };
    ECHO_VALUES(conn, ECHO_BOOL, bool, bool, bools, 2, same_text(text, back ? "1" : "0"));
    int16_t i16[RANDOM_COUNT] = { 0, 1, -1, INT16_MAX, INT16_MIN };
    int32_t i32[RANDOM_COUNT] = { 0, 1, -1, INT32_MAX, INT32_MIN };
    int64_t i64[RANDOM_COUNT] = { 0, 1, -1, INT64_MAX, INT64_MIN };
    uint32_t u32[RANDOM_COUNT] = { 0, 1, UINT32_MAX };
    for (size_t i = 5; i < RANDOM_COUNT; i++) {
        i64[i] = (int64_t) (random_u64(&seed) >> random_below(&seed, 64));
        i16[i] = (int16_t) i64[i];
        i32[i] = (int32_t) i64[i];
        u32[i] = (uint32_t) i64[i];
    }
    ECHO_VALUES(conn, ECHO_I16, i16, int16_t, i16, RANDOM_COUNT,
                (void) snprintf(want, sizeof want, "%d", back);
                same_text(text, want));
    ECHO_VALUES(conn, ECHO_I32, i32, int32_t, i32, RANDOM_COUNT,
                (void) snprintf(want, sizeof want, "%" PRId32, back);
                same_text(text, want));
    ECHO_VALUES(conn, ECHO_I64, i64, int64_t, i64, RANDOM_COUNT,
                (void) snprintf(want, sizeof want, "%" PRId64, back);
                same_text(text, want));
    ECHO_VALUES(conn, ECHO_U32, u32, uint32_t, u32, RANDOM_COUNT,
                (void) snprintf(want, sizeof want, "%" PRIu32, back);
                same_text(text, want));
}

ECHO_QUERY(ECHO_F32, "real", 700, "$1");
ECHO_QUERY(ECHO_F64, "double precision", 701, "$1");

static void floats(void)
{
    LIVE(conn);
    float f32[RANDOM_COUNT] = { 0.0F, -0.0F, INFINITY, -INFINITY, 1e-45F, 3.4028235e38F };
    double f64[RANDOM_COUNT] = { 0.0, -0.0, (double) INFINITY, (double) -INFINITY, 5e-324, 1e308 };
    for (size_t i = 6; i < RANDOM_COUNT; i++) {
        uint64_t bits = random_u64(&seed);
        uint32_t low = (uint32_t) bits;
        memcpy(&f64[i], &bits, sizeof bits);
        memcpy(&f32[i], &low, sizeof low);
        /* The server keeps no NaN payload. */
        f64[i] = isnan(f64[i]) ? 0.1 : f64[i];
        f32[i] = isnan(f32[i]) ? 0.1F : f32[i];
    }
    ECHO_VALUES(conn, ECHO_F32, f32, float, f32, RANDOM_COUNT, {
        float parsed = strtof(text.ptr, NULL);
        CHECK(same_bytes(&parsed, &back, sizeof back));
    });
    ECHO_VALUES(conn, ECHO_F64, f64, double, f64, RANDOM_COUNT, {
        double parsed = strtod(text.ptr, NULL);
        CHECK(same_bytes(&parsed, &back, sizeof back));
    });
}

ECHO_QUERY(ECHO_UUID, "uuid", 2950, "$1");

static void uuids(void)
{
    LIVE(conn);
    pgc_uuid uuids[RANDOM_COUNT] = { { { 0 } } };
    memset(&uuids[1], 0xFF, sizeof uuids[1]);
    for (size_t i = 2; i < RANDOM_COUNT; i++) {
        uint64_t half[2] = { random_u64(&seed), random_u64(&seed) };
        memcpy(&uuids[i], half, sizeof half);
    }
    ECHO_VALUES(conn, ECHO_UUID, uuid, pgc_uuid, uuids, RANDOM_COUNT, {
        char want[PGC_UUID_TEXT_SIZE];
        pgc_uuid parsed;
        pgc_uuid_format(&back, want);
        same_text(text, want);
        CHECK(pgc_uuid_parse(text, &parsed));
        CHECK(same_bytes(&parsed, &back, sizeof back));
    });
}

/* As microseconds since 1970; infinities have no epoch. */
ECHO_QUERY(ECHO_TIMESTAMPTZ, "timestamp with time zone", 1184,
           "CASE WHEN isfinite($1) THEN (extract(epoch FROM $1) * 1000000)::bigint::text "
           "ELSE $1::text END");
ECHO_QUERY(ECHO_TIMESTAMP, "timestamp without time zone", 1114,
           "CASE WHEN isfinite($1) THEN (extract(epoch FROM $1) * 1000000)::bigint::text "
           "ELSE $1::text END");
ECHO_QUERY(ECHO_DATE, "date", 1082,
           "CASE WHEN isfinite($1) THEN ($1 - date '2000-01-01')::text ELSE $1::text END");
ECHO_QUERY(ECHO_TIME, "time without time zone", 1083, "(extract(epoch FROM $1) * 1000000)::bigint");
ECHO_QUERY(ECHO_INTERVAL, "interval", 1186, "$1 = $1");

/* The server's first instant, 4714-11-24 BC, and the last one that Unix microseconds can tell from
 * infinity. */
#define TIMESTAMP_MIN INT64_C(-211813488000000000)
#define TIMESTAMP_MAX (INT64_MAX - 1 - PGC_EPOCH_UNIX_SECONDS * INT64_C(1000000))

static void unix_text(pgc_timestamptz value, char *text, size_t size)
{
    int64_t us = pgc_timestamptz_to_unix_us(value);
    if (us == INT64_MAX || us == INT64_MIN) {
        (void) snprintf(text, size, us > 0 ? "infinity" : "-infinity");
    } else {
        (void) snprintf(text, size, "%" PRId64, us);
    }
}

static void instants(void)
{
    LIVE(conn);
    char want[32];
    pgc_timestamptz tz[RANDOM_COUNT] = {
        { 0 },
        { -1 },
        { INT64_MAX },
        { INT64_MIN },
        { TIMESTAMP_MIN },
        { TIMESTAMP_MAX },
        pgc_timestamptz_from_unix_us(0),
    };
    pgc_timestamp plain[RANDOM_COUNT];
    for (size_t i = 7; i < RANDOM_COUNT; i++) {
        int64_t year_us = INT64_C(31556952000000);
        tz[i].us = (int64_t) (random_u64(&seed) % (uint64_t) (200 * year_us)) - 100 * year_us;
    }
    for (size_t i = 0; i < RANDOM_COUNT; i++) {
        plain[i].us = tz[i].us;
    }
    ECHO_VALUES(conn, ECHO_TIMESTAMPTZ, timestamptz, pgc_timestamptz, tz, RANDOM_COUNT,
                unix_text(back, want, sizeof want);
                same_text(text, want));
    ECHO_VALUES(conn, ECHO_TIMESTAMP, timestamp, pgc_timestamp, plain, RANDOM_COUNT,
                unix_text((pgc_timestamptz) { back.us }, want, sizeof want);
                same_text(text, want));
}

static void dates_and_times(void)
{
    LIVE(conn);
    char want[32];
    pgc_date dates[RANDOM_COUNT] = { { 0 }, { -1 }, { INT32_MAX }, { INT32_MIN }, { -2451545 } };
    pgc_time times[RANDOM_COUNT] = { { 0 }, { INT64_C(86400000000) }, { 1 } };
    pgc_interval spans[RANDOM_COUNT] = { { 0, 0, 0 },
                                         { INT64_MAX - 1, INT32_MAX - 1, INT32_MAX - 1 },
                                         { INT64_MIN + 1, INT32_MIN + 1, INT32_MIN + 1 } };
    for (size_t i = 5; i < RANDOM_COUNT; i++) {
        dates[i].days = (int32_t) random_below(&seed, 2000000) - 1000000;
        times[i].us = (int64_t) random_below(&seed, 86400000000);
        spans[i] =
            (pgc_interval) { (int64_t) random_u64(&seed) >> 1, (int32_t) random_u64(&seed) >> 1,
                             (int32_t) random_u64(&seed) >> 1 };
    }
    ECHO_VALUES(conn, ECHO_DATE, date, pgc_date, dates, RANDOM_COUNT, {
        (void) snprintf(want, sizeof want, "%" PRId32, back.days);
        same_text(text, back.days == INT32_MAX   ? "infinity"
                        : back.days == INT32_MIN ? "-infinity"
                                                 : want);
    });
    ECHO_VALUES(conn, ECHO_TIME, time, pgc_time, times, RANDOM_COUNT,
                (void) snprintf(want, sizeof want, "%" PRId64, back.us);
                same_text(text, want));
    ECHO_VALUES(conn, ECHO_INTERVAL, interval, pgc_interval, spans, RANDOM_COUNT,
                same_text(text, "true"));
}

ECHO_QUERY(ECHO_NUMERIC, "numeric", 1700, "$1");

/* A decimal text with up to 40 digits on either side, sometimes with an exponent. */
static void random_decimal(char *text, size_t size)
{
    char digits[81];
    size_t whole = random_below(&seed, 41);
    size_t behind = random_below(&seed, 41);
    if (whole + behind == 0) {
        whole = 1;
    }
    for (size_t i = 0; i < whole + behind; i++) {
        /* Many zeros: group borders are where mistakes live. */
        digits[i] = (char) (random_below(&seed, 2) == 0 ? '0' : '0' + random_below(&seed, 10));
    }
    int len = snprintf(text, size, "%s%.*s.%.*s", random_below(&seed, 2) == 0 ? "-" : "",
                       (int) whole, digits, (int) behind, digits + whole);
    if (random_below(&seed, 3) == 0) {
        (void) snprintf(text + len, size - (size_t) len, "e%d", (int) random_below(&seed, 80) - 40);
    }
}

static const pgc_type_ref TEXT_PARAM[] = { { "value", "text", 25 } };
static const pgc_type_ref PARSED_COLUMNS[] = { { "value", "numeric", 1700 },
                                               { "text", "text", 25 },
                                               { "near", "double precision", 701 } };
static const pgc_query PARSE_NUMERIC = {
    .name = "ParseNumeric",
    .sql = "SELECT $1::numeric AS value, $1::numeric::text AS text,"
           " $1::numeric::float8 AS near",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 3,
    .params = TEXT_PARAM,
    .columns = PARSED_COLUMNS,
};

/* The server parses the text; our parser must give the same bytes, ours printed its text. */
static void check_numeric(pgc_conn *conn, const char *decimal)
{
    uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
    char printed[512];
    pgc_numeric ours = { .present = false };
    pgc_args args;
    pgc_reader reader;
    REQUIRE(pgc_numeric_parse(pgc_text_from(decimal), digits, &ours));
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(decimal));
    pgc_result *result = ask(conn, &PARSE_NUMERIC, &args, &reader);
    REQUIRE(result != NULL);
    pgc_numeric theirs = pgc_read_numeric(&reader, 0, 0);
    pgc_text text = pgc_read_text(&reader, 0, 1);
    double near = pgc_read_f64(&reader, 0, 2);
    size_t size = ours.digit_count * sizeof digits[0];
    bool same = finish(&reader) && ours.sign == theirs.sign && ours.weight == theirs.weight &&
                ours.dscale == theirs.dscale && ours.digit_count == theirs.digit_count &&
                same_bytes(ours.digits, theirs.digits, size);
    if (!CHECK(same)) {
        printf("# %s\n", decimal);
    }
    (void) pgc_numeric_format(&theirs, printed, sizeof printed);
    same_text(text, printed);
    double nearest = pgc_numeric_to_double(&theirs);
    CHECK(same_bytes(&nearest, &near, sizeof near) || (isnan(nearest) && isnan(near)));
    pgc_result_free(result);

    /* And what we send arrives as that value. */
    pgc_args_init(&args, NULL);
    pgc_add_numeric(&args, ours);
    result = ask(conn, &ECHO_NUMERIC, &args, &reader);
    REQUIRE(result != NULL);
    same_text(pgc_read_text(&reader, 0, 1), printed);
    pgc_result_free(result);
}

static void numerics(void)
{
    LIVE(conn);
    static const char *const edges[] = {
        "0",        "-0",        "0.000",  "1",          "9999",      "10000",
        "99999999", "100000000", "0.0001", "0.00009999", "12345.678", "1e10",
        "1e100",    "1e-100",    "1.50e1", "NaN",        "Infinity",  "-Infinity",
    };
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        check_numeric(conn, edges[i]);
    }
    for (size_t i = 0; i < 2 * RANDOM_COUNT && tap_failures == 0; i++) {
        char decimal[128];
        random_decimal(decimal, sizeof decimal);
        check_numeric(conn, decimal);
    }
}

static const pgc_type_ref ROUND_PARAMS[] = { { "value", "double precision", 701 },
                                             { "scale", "integer", 23 } };
static const pgc_type_ref ROUND_COLUMNS[] = { { "text", "text", 25 } };
static const pgc_query ROUND_DOUBLE = {
    .name = "RoundDouble",
    .sql = "SELECT round($1::float8::text::numeric, $2::int)::text AS text",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 2,
    .column_count = 1,
    .params = ROUND_PARAMS,
    .columns = ROUND_COLUMNS,
};

static void numerics_from_doubles(void)
{
    LIVE(conn);
    for (size_t i = 0; i < 3 * RANDOM_COUNT && tap_failures == 0; i++) {
        /* Full precision, few decimals (ties), and tiny values. */
        double whole = (double) (int64_t) random_u64(&seed);
        double value = i % 3 == 0   ? whole / 0x1p63 * 1e15
                       : i % 3 == 1 ? floor(whole / 0x1p40) / 1000.0
                                    : whole / 0x1p63 * 1e-5;
        int scale = (int) random_below(&seed, 17);
        uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
        char printed[64];
        pgc_numeric ours;
        pgc_args args;
        pgc_reader reader;
        REQUIRE(pgc_numeric_from_double(value, scale, digits, &ours));
        (void) pgc_numeric_format(&ours, printed, sizeof printed);
        pgc_args_init(&args, NULL);
        pgc_add_f64(&args, value);
        pgc_add_i32(&args, scale);
        pgc_result *result = ask(conn, &ROUND_DOUBLE, &args, &reader);
        REQUIRE(result != NULL);
        if (!same_text(pgc_read_text(&reader, 0, 0), printed)) {
            printf("# %.17g at scale %d\n", value, scale);
        }
        pgc_result_free(result);
    }
}

ECHO_QUERY(ECHO_TEXT, "text", 25, "octet_length($1)");
ECHO_QUERY(ECHO_BYTEA, "bytea", 17, "octet_length($1)");
ECHO_QUERY(ECHO_JSON, "json", 114, "$1 ->> 'a'");
ECHO_QUERY(ECHO_JSONB, "jsonb", 3802, "$1 ->> 'a'");

static void texts_and_bytes(void)
{
    LIVE(conn);
    static const char *const texts[] = { "", "a", "Grüße", "\xf0\x9f\x93\xb7 \x01\x7f", "'\"\\" };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        pgc_args args;
        pgc_reader reader;
        pgc_args_init(&args, NULL);
        pgc_add_text(&args, pgc_text_from(texts[i]));
        pgc_result *result = ask(conn, &ECHO_TEXT, &args, &reader);
        REQUIRE(result != NULL);
        same_text(pgc_read_text(&reader, 0, 0), texts[i]);
        pgc_result_free(result);
    }
    uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t) (random_u64(&seed) & (i % 3 == 0 ? 0 : 255));
    }
    for (size_t len = 0; len < sizeof bytes; len = len * 2 + 1) {
        char want[16];
        pgc_args args;
        pgc_reader reader;
        pgc_args_init(&args, NULL);
        pgc_add_bytes(&args, (pgc_bytes) { bytes, len });
        pgc_result *result = ask(conn, &ECHO_BYTEA, &args, &reader);
        REQUIRE(result != NULL);
        pgc_bytes back = pgc_read_bytes(&reader, 0, 0);
        (void) snprintf(want, sizeof want, "%zu", len);
        same_text(pgc_read_text(&reader, 0, 1), want);
        CHECK_INT(back.len, len);
        CHECK(finish(&reader) && same_bytes(back.ptr, bytes, len));
        pgc_result_free(result);
    }
}

static void json_and_jsonb(void)
{
    LIVE(conn);
    for (int binary = 0; binary < 2; binary++) {
        pgc_args args;
        pgc_reader reader;
        pgc_args_init(&args, NULL);
        (binary == 1 ? pgc_add_jsonb : pgc_add_json)(&args, pgc_text_from("{\"a\":\"ü\"}"));
        pgc_result *result = ask(conn, binary == 1 ? &ECHO_JSONB : &ECHO_JSON, &args, &reader);
        REQUIRE(result != NULL);
        if (binary == 1) {
            same_text(pgc_read_jsonb(&reader, 0, 0), "{\"a\": \"ü\"}");
        } else {
            same_text(pgc_read_json(&reader, 0, 0), "{\"a\":\"ü\"}");
        }
        same_text(pgc_read_text(&reader, 0, 1), "ü");
        finish(&reader);
        pgc_result_free(result);
    }
}

/* NULL elements at random places; the same bytes must come back. */
#define ECHO_ARRAY(conn, query, name, type, values, size)                                    \
    for (size_t len = 0; len <= (size); len = len * 2 + 1) {                                 \
        uint8_t nulls[RANDOM_COUNT] = { 0 };                                                 \
        size_t null_count = 0;                                                               \
        for (size_t i = 0; i < len && len % 4 == 3; i++) {                                   \
            nulls[i] = random_below(&seed, 4) == 0;                                          \
            null_count += nulls[i];                                                          \
        }                                                                                    \
        char want[32];                                                                       \
        pgc_args args;                                                                       \
        pgc_reader reader;                                                                   \
        pgc_args_init(&args, NULL);                                                          \
        pgc_add_arr_##name(&args, (pgc_arr_##name) { true, len, (values), nulls, 0, NULL }); \
        pgc_result *result = ask((conn), &(query), &args, &reader);                          \
        REQUIRE(result != NULL);                                                             \
        pgc_arr_##name back = pgc_read_arr_##name(&reader, 0, 0);                            \
        (void) snprintf(want, sizeof want, "%zu/%zu", len, null_count);                      \
        same_text(pgc_read_text(&reader, 0, 1), want);                                       \
        REQUIRE(finish(&reader) && back.has && back.count == len);                           \
        CHECK((back.nulls != NULL) == (null_count > 0));                                     \
        for (size_t i = 0; i < len; i++) {                                                   \
            bool null = back.nulls != NULL && back.nulls[i] == 1;                            \
            CHECK_INT(null, nulls[i]);                                                       \
            CHECK(null || same_bytes(&back.v[i], &(values)[i], sizeof(type)));               \
        }                                                                                    \
        pgc_result_free(result);                                                             \
        REQUIRE(tap_failures == 0);                                                          \
    }

#define COUNTS "cardinality($1) || '/' || cardinality(array_positions($1, NULL))"
ECHO_QUERY(ECHO_ARR_BOOL, "boolean[]", 1000, COUNTS);
ECHO_QUERY(ECHO_ARR_I16, "smallint[]", 1005, COUNTS);
ECHO_QUERY(ECHO_ARR_I32, "integer[]", 1007, COUNTS);
ECHO_QUERY(ECHO_ARR_I64, "bigint[]", 1016, COUNTS);
ECHO_QUERY(ECHO_ARR_F32, "real[]", 1021, COUNTS);
ECHO_QUERY(ECHO_ARR_F64, "double precision[]", 1022, COUNTS);
ECHO_QUERY(ECHO_ARR_UUID, "uuid[]", 2951, COUNTS);
ECHO_QUERY(ECHO_ARR_TIMESTAMPTZ, "timestamp with time zone[]", 1185, COUNTS);

static void arrays(void)
{
    LIVE(conn);
    bool bools[RANDOM_COUNT];
    int16_t i16[RANDOM_COUNT];
    int32_t i32[RANDOM_COUNT];
    int64_t i64[RANDOM_COUNT];
    float f32[RANDOM_COUNT];
    double f64[RANDOM_COUNT];
    pgc_uuid uuids[RANDOM_COUNT];
    pgc_timestamptz times[RANDOM_COUNT];
    for (size_t i = 0; i < RANDOM_COUNT; i++) {
        i64[i] = (int64_t) random_u64(&seed);
        i32[i] = (int32_t) i64[i];
        i16[i] = (int16_t) i64[i];
        bools[i] = i64[i] < 0;
        f32[i] = (float) i64[i];
        f64[i] = (double) i64[i] / 7;
        times[i].us = i64[i] / 100;
        memset(&uuids[i], (int) i, sizeof uuids[i]);
    }
    ECHO_ARRAY(conn, ECHO_ARR_BOOL, bool, bool, bools, RANDOM_COUNT);
    ECHO_ARRAY(conn, ECHO_ARR_I16, i16, int16_t, i16, RANDOM_COUNT);
    ECHO_ARRAY(conn, ECHO_ARR_I32, i32, int32_t, i32, RANDOM_COUNT);
    ECHO_ARRAY(conn, ECHO_ARR_I64, i64, int64_t, i64, RANDOM_COUNT);
    ECHO_ARRAY(conn, ECHO_ARR_F32, f32, float, f32, RANDOM_COUNT);
    ECHO_ARRAY(conn, ECHO_ARR_F64, f64, double, f64, RANDOM_COUNT);
    ECHO_ARRAY(conn, ECHO_ARR_UUID, uuid, pgc_uuid, uuids, RANDOM_COUNT);
    ECHO_ARRAY(conn, ECHO_ARR_TIMESTAMPTZ, timestamptz, pgc_timestamptz, times, RANDOM_COUNT);
}

ECHO_QUERY(ECHO_ARR_TEXT, "text[]", 1009, "array_to_string($1, '|', 'NULL')");
ECHO_QUERY(ECHO_ARR_VARCHAR, "character varying[]", 1015, "array_to_string($1, '|', 'NULL')");

static const pgc_text TEXTS[] = { { "sad", 3 }, { NULL, 0 }, { "ok", 2 } };
static const pgc_arr_text TEXT_ARRAY = { .has = true, .count = 3, .v = TEXTS };

static void text_arrays(void)
{
    LIVE(conn);
    pgc_args args;
    pgc_reader reader;
    pgc_args_init(&args, NULL);
    pgc_add_arr_text(&args, TEXT_ARRAY);
    pgc_result *result = ask(conn, &ECHO_ARR_TEXT, &args, &reader);
    REQUIRE(result != NULL);
    same_text(pgc_read_text(&reader, 0, 1), "sad|NULL|ok");
    pgc_arr_text back = pgc_read_arr_text(&reader, 0, 0);
    REQUIRE(finish(&reader) && back.count == 3);
    CHECK(back.v[1].ptr == NULL);
    CHECK(same_bytes(back.v[2].ptr, "ok", 2));
    pgc_result_free(result);

    pgc_args_init(&args, NULL);
    pgc_add_arr_text_of(&args, TEXT_ARRAY, 1043);
    result = ask(conn, &ECHO_ARR_VARCHAR, &args, &reader);
    REQUIRE(result != NULL);
    same_text(pgc_read_text(&reader, 0, 1), "sad|NULL|ok");
    pgc_result_free(result);
}

/* The server compares element OIDs of built-in types: why pgc_add_arr_text_of() exists. */
static void arrays_of_another_built_in_type_are_refused(void)
{
    LIVE(conn);
    pgc_args args;
    pgc_error err;
    pgc_args_init(&args, NULL);
    pgc_add_arr_text(&args, TEXT_ARRAY);
    CHECK(pgc_db_run(pgc_conn_db(conn), &ECHO_ARR_VARCHAR, &args, NULL, &err) != PGC_OK);
    CHECK_STR(err.sqlstate, "42804");
    pgc_args_done(&args);
}

static void enum_arrays_go_unchecked(void)
{
    LIVE(conn);
    REQUIRE(live_do(conn, "CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok')"));
    static const pgc_type_ref params[] = { { "moods", "mood[]", 0 } };
    static const pgc_query query = {
        .name = "MoodArray",
        .sql = "SELECT array_to_string($1::pg_temp.mood[], '|', 'NULL')",
        .flags = PGC_QUERY_UNNAMED,
        .param_count = 1,
        .params = params,
    };
    pgc_args args;
    pgc_error err;
    pgc_result *result = NULL;
    pgc_reader reader;
    pgc_args_init(&args, NULL);
    pgc_add_arr_text_of(&args, TEXT_ARRAY, PGC_OID_UNCHECKED);
    REQUIRE_OK(pgc_db_run(pgc_conn_db(conn), &query, &args, &result, &err), &err);
    pgc_reader_init(&reader, result, NULL);
    same_text(pgc_read_text(&reader, 0, 0), "sad|NULL|ok");
    pgc_result_free(result);
    pgc_args_done(&args);
}

/* A connection to a database of our own with pgvector; NULL where it is not installed. */
static pgc_conn *open_with_vectors(void)
{
    pgc_error err;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = test_db_create() };
    if (!CHECK(options.conninfo != NULL) ||
        !CHECK_STATUS(pgc_conn_open(&options, &conn, &err), PGC_OK, &err)) {
        return NULL;
    }
    pgc_status status = pgc_conn_script(conn, "CREATE EXTENSION vector", 0, NULL, &err);
    if (status != PGC_OK) {
        printf("# %s\n", err.message);
        pgc_conn_close(conn);
        conn = NULL;
    }
    return conn;
}

#define LIVE_VECTORS(conn)                                 \
    AUTO(live_close) pgc_conn *conn = open_with_vectors(); \
    if ((conn) == NULL) {                                  \
        TAP_SKIP("pgvector is not installed");             \
    }

ECHO_QUERY(ECHO_VECTOR, "vector", 0, "vector_dims($1) || '/' || vector_norm($1)");
ECHO_QUERY(ECHO_HALFVEC, "halfvec", 0, "vector_dims($1)");

static const pgc_type_ref TO_HALF_PARAMS[] = { { "value", "vector", 0 } };
static const pgc_type_ref TO_HALF_COLUMNS[] = { { "half", "halfvec", 0 }, { "back", "vector", 0 } };
static const pgc_query TO_HALF = {
    .name = "ToHalf",
    .sql = "SELECT $1::vector::halfvec AS half, $1::vector::halfvec::vector AS back",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 2,
    .params = TO_HALF_PARAMS,
    .columns = TO_HALF_COLUMNS,
};

#define DIM 512

static void vectors(void)
{
    LIVE_VECTORS(conn);
    for (size_t round = 0; round < 20; round++) {
        float v[DIM];
        char want[16];
        pgc_args args;
        pgc_reader reader;
        uint32_t dim = round == 0 ? 1 : (uint32_t) random_below(&seed, DIM) + 1;
        for (size_t i = 0; i < dim; i++) {
            v[i] = (float) (int32_t) random_u64(&seed) * 0x1p-31F;
        }
        pgc_args_init(&args, NULL);
        pgc_add_vector(&args, (pgc_vector) { v, dim });
        pgc_result *result = ask(conn, &ECHO_VECTOR, &args, &reader);
        REQUIRE(result != NULL);
        pgc_vector back = pgc_read_vector(&reader, 0, 0);
        (void) snprintf(want, sizeof want, "%" PRIu32 "/", dim);
        CHECK(strncmp(pgc_read_text(&reader, 0, 1).ptr, want, strlen(want)) == 0);
        REQUIRE(finish(&reader) && back.dim == dim);
        CHECK(same_bytes(back.v, v, dim * sizeof v[0]));
        pgc_result_free(result);
    }
}

/* The server rounds floats to halves as we do, and back. */
static void halves_agree_with_the_server(void)
{
    LIVE_VECTORS(conn);
    for (size_t round = 0; round < 20; round++) {
        float v[DIM];
        uint16_t half[DIM];
        pgc_args args;
        pgc_reader reader;
        for (size_t i = 0; i < DIM; i++) {
            /* All magnitudes, subnormals included; half of them right between two halves. */
            uint16_t bits = (uint16_t) random_u64(&seed);
            bits = (bits & 0x7C00) >= 0x7800 ? 0x3C00 : bits;
            float low = pgc_half_to_float(bits);
            float high = pgc_half_to_float((uint16_t) (bits + 1));
            v[i] = i % 2 == 0 ? low + (high - low) / 2
                              : low + (high - low) * (float) random_below(&seed, 1000) / 1000;
            half[i] = pgc_half_from_float(v[i]);
        }
        pgc_args_init(&args, NULL);
        pgc_add_vector(&args, (pgc_vector) { v, DIM });
        pgc_result *result = ask(conn, &TO_HALF, &args, &reader);
        REQUIRE(result != NULL);
        pgc_halfvec theirs = pgc_read_halfvec(&reader, 0, 0);
        pgc_vector back = pgc_read_vector(&reader, 0, 1);
        REQUIRE(finish(&reader) && theirs.dim == DIM && back.dim == DIM);
        for (size_t i = 0; i < DIM; i++) {
            float ours = pgc_half_to_float(half[i]);
            if (theirs.v[i] != half[i] || !same_bytes(&back.v[i], &ours, sizeof ours)) {
                printf("# %a: we %04x, server %04x\n", (double) v[i], half[i], theirs.v[i]);
                CHECK_INT(half[i], theirs.v[i]);
            }
        }
        pgc_result_free(result);

        pgc_args_init(&args, NULL);
        pgc_add_halfvec(&args, (pgc_halfvec) { half, DIM });
        result = ask(conn, &ECHO_HALFVEC, &args, &reader);
        REQUIRE(result != NULL);
        theirs = pgc_read_halfvec(&reader, 0, 0);
        CHECK(finish(&reader) && theirs.dim == DIM && same_bytes(theirs.v, half, sizeof half));
        pgc_result_free(result);
        REQUIRE(tap_failures == 0);
    }
}

TAP_MAIN(TAP("integers come back, text agrees", integers),
         TAP("floats come back bit by bit, text reads as the same", floats),
         TAP("uuids come back, text agrees both ways", uuids),
         TAP("timestamps come back, Unix microseconds agree", instants),
         TAP("dates, times and intervals come back", dates_and_times),
         TAP("numerics: parser, encoder, decoder, printer and double agree with the server",
             numerics),
         TAP("numerics from doubles round as the server", numerics_from_doubles),
         TAP("text and bytes come back", texts_and_bytes),
         TAP("json and jsonb come back", json_and_jsonb),
         TAP("arrays come back with their NULLs", arrays),
         TAP("text and varchar arrays come back", text_arrays),
         TAP("an array of another built-in type is refused by the server",
             arrays_of_another_built_in_type_are_refused),
         TAP("enum arrays go with an unchecked element type", enum_arrays_go_unchecked),
         TAP("vectors come back", vectors),
         TAP("halves are rounded as the server does", halves_agree_with_the_server))
