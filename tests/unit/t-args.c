/* Argument encoders: the bytes that go to the server, and what is refused before. */
#include "base/prelude.h"

#include <pgc/error.h>
#include <pgc/query.h>

#include "cell.h"
#include "golden.h"
#include "oom.h"
#include "pgc/args.h"
#include "tap.h"

/* The argument at index has the bytes of hex. */
static bool encoded(const pgc_args *args, size_t index, const char *hex)
{
    uint8_t want[256];
    size_t len = hex_bytes(hex, want, sizeof want);
    bool same = args->status == PGC_OK && index < args->count && args->values[index] != NULL &&
                args->lengths[index] == (int32_t) len &&
                memcmp(args->values[index], want, len) == 0;
    if (!same) {
        printf("# $%zu is not %s\n", index + 1, hex);
    }
    return same;
}

static const char *golden_hex(const char *type, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        if (strcmp(GOLDEN[i].type, type) == 0 && strcmp(GOLDEN[i].text, text) == 0) {
            return GOLDEN[i].hex;
        }
    }
    return "no such golden value";
}

static void scalars_have_golden_bytes(void)
{
    pgc_args args;
    pgc_uuid uuid;
    REQUIRE(pgc_uuid_parse(pgc_text_from("0190163d-8694-739b-aea5-966c26f8ad91"), &uuid));
    pgc_args_init(&args, NULL);
    pgc_add_bool(&args, true);
    pgc_add_i16(&args, -2);
    pgc_add_i32(&args, -2);
    pgc_add_i64(&args, -2);
    pgc_add_u32(&args, UINT32_MAX);
    pgc_add_f32(&args, 1.5F);
    pgc_add_f64(&args, -1.5);
    pgc_add_uuid(&args, uuid);
    pgc_add_timestamp(&args, (pgc_timestamp) { -1 });
    pgc_add_timestamptz(&args, pgc_timestamptz_from_unix_us(0));
    pgc_add_date(&args, (pgc_date) { -1 });
    pgc_add_time(&args, (pgc_time) { INT64_C(45296500000) });
    pgc_add_interval(&args, (pgc_interval) { INT64_C(11045000006), 2, 1 });
    REQUIRE(args.status == PGC_OK);
    CHECK_INT(args.count, 13);
    CHECK(encoded(&args, 0, "01"));
    CHECK(encoded(&args, 1, "fffe"));
    CHECK(encoded(&args, 2, "fffffffe"));
    CHECK(encoded(&args, 3, "fffffffffffffffe"));
    CHECK(encoded(&args, 4, "ffffffff"));
    CHECK(encoded(&args, 5, "3fc00000"));
    CHECK(encoded(&args, 6, "bff8000000000000"));
    CHECK(encoded(&args, 7, "0190163d8694739baea5966c26f8ad91"));
    CHECK(encoded(&args, 8, golden_hex("timestamp", "1999-12-31 23:59:59.999999")));
    CHECK(encoded(&args, 9, golden_hex("timestamptz", "1970-01-01 UTC")));
    CHECK(encoded(&args, 10, golden_hex("date", "1999-12-31")));
    CHECK(encoded(&args, 11, golden_hex("time", "12:34:56.5")));
    CHECK(encoded(&args, 12, golden_hex("interval", "1 mon 2 days 03:04:05.000006")));
    pgc_args_done(&args);
}

static void bytes_have_golden_bytes(void)
{
    static const uint8_t raw[] = { 0x00, 0xFF };
    static const float floats[] = { 1.0F, -2.0F, 0.5F };
    static const uint16_t halves[] = { 0x3c00, 0xc000, 0x7bff };
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from("Grüße"));
    pgc_add_bytes(&args, (pgc_bytes) { raw, sizeof raw });
    pgc_add_json(&args, pgc_text_from("{\"a\":1}"));
    pgc_add_jsonb(&args, pgc_text_from("{\"a\": 1}"));
    pgc_add_vector(&args, (pgc_vector) { floats, 3 });
    pgc_add_halfvec(&args, (pgc_halfvec) { halves, 3 });
    pgc_add_text(&args, pgc_text_from(""));
    pgc_add_bytes(&args, (pgc_bytes) { raw, 0 });
    CHECK(encoded(&args, 0, golden_hex("text", "Grüße")));
    CHECK(encoded(&args, 1, "00ff"));
    CHECK(encoded(&args, 2, golden_hex("json", "{\"a\":1}")));
    CHECK(encoded(&args, 3, golden_hex("jsonb", "{\"a\": 1}")));
    CHECK(encoded(&args, 4, golden_hex("vector", "[1,-2,0.5]")));
    CHECK(encoded(&args, 5, golden_hex("halfvec", "[1,-2,65504]")));
    CHECK(encoded(&args, 6, ""));
    CHECK(encoded(&args, 7, ""));
    pgc_args_done(&args);
}

static void numerics_have_golden_bytes(void)
{
    for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
        if (strcmp(GOLDEN[i].type, "numeric") != 0) {
            continue;
        }
        uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
        pgc_numeric value;
        pgc_args args;
        pgc_args_init(&args, NULL);
        REQUIRE(pgc_numeric_parse(pgc_text_from(GOLDEN[i].text), digits, &value));
        pgc_add_numeric(&args, value);
        /* The server sends a dscale of 32 with infinities; it takes any. */
        bool infinite = value.sign == PGC_NUMERIC_PINF || value.sign == PGC_NUMERIC_NINF;
        const char *hex = !infinite                        ? GOLDEN[i].hex
                          : value.sign == PGC_NUMERIC_PINF ? "00000000d0000000"
                                                           : "00000000f0000000";
        CHECK(encoded(&args, 0, hex));
        pgc_args_done(&args);
    }
}

static void arrays_have_golden_bytes(void)
{
    static const int32_t i32[] = { 1, 2, 3 };
    static const uint8_t second[] = { 0, 1, 0 };
    static const bool bools[] = { true, false };
    static const int16_t i16[] = { 1, -2 };
    static const int64_t i64[] = { -2 };
    static const float f32[] = { 1.5F };
    static const double f64[] = { -1.5 };
    static const pgc_text texts[] = { { "a", 1 }, { NULL, 0 }, { "", 0 }, { "bc", 2 } };
    const pgc_timestamptz times[] = { pgc_timestamptz_from_unix_us(0) };
    pgc_uuid uuid;
    REQUIRE(pgc_uuid_parse(pgc_text_from("0190163d-8694-739b-aea5-966c26f8ad91"), &uuid));
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_arr_i32(&args, (pgc_arr_i32) { true, 3, i32, second, 0, NULL });
    pgc_add_arr_i32(&args, (pgc_arr_i32) { true, 0, NULL, NULL, 0, NULL });
    pgc_add_arr_bool(&args, (pgc_arr_bool) { true, 2, bools, NULL, 0, NULL });
    pgc_add_arr_i16(&args, (pgc_arr_i16) { true, 2, i16, NULL, 0, NULL });
    pgc_add_arr_i64(&args, (pgc_arr_i64) { true, 1, i64, NULL, 0, NULL });
    pgc_add_arr_f32(&args, (pgc_arr_f32) { true, 1, f32, NULL, 0, NULL });
    pgc_add_arr_f64(&args, (pgc_arr_f64) { true, 1, f64, NULL, 0, NULL });
    pgc_add_arr_text(&args, (pgc_arr_text) { true, 4, texts, NULL, 0, NULL });
    pgc_add_arr_uuid(&args, (pgc_arr_uuid) { true, 1, &uuid, NULL, 0, NULL });
    pgc_add_arr_timestamptz(&args, (pgc_arr_timestamptz) { true, 1, times, NULL, 0, NULL });
    REQUIRE(args.status == PGC_OK);
    CHECK(encoded(&args, 0, golden_hex("arr_i32", "{1,NULL,3}")));
    CHECK(encoded(&args, 1, golden_hex("arr_i32", "{}")));
    CHECK(encoded(&args, 2, golden_hex("arr_bool", "{t,f}")));
    CHECK(encoded(&args, 3, golden_hex("arr_i16", "{1,-2}")));
    CHECK(encoded(&args, 4, golden_hex("arr_i64", "{-2}")));
    CHECK(encoded(&args, 5, golden_hex("arr_f32", "{1.5}")));
    CHECK(encoded(&args, 6, golden_hex("arr_f64", "{-1.5}")));
    CHECK(encoded(&args, 7, golden_hex("arr_text", "{a,NULL,\"\",bc}")));
    CHECK(encoded(&args, 8, golden_hex("arr_uuid", "{0190163d-8694-739b-aea5-966c26f8ad91}")));
    CHECK(encoded(&args, 9, golden_hex("arr_timestamptz", "{1970-01-01 UTC}")));
    pgc_args_done(&args);

    /* The flags byte array counts as well as NULL pointers; the element OID can be chosen. */
    static const pgc_text two[] = { { "a", 1 }, { "dropped", 7 } };
    static const uint8_t last[] = { 0, 1 };
    pgc_args_init(&args, NULL);
    pgc_add_arr_text_of(&args, (pgc_arr_text) { true, 2, two, last, 0, NULL }, 1043);
    CHECK(encoded(&args, 0, "00000001 00000001 00000413 00000002 00000001 00000001 61 ffffffff"));
    pgc_args_done(&args);
}

/* The list holds one NULL; empties it. */
static void check_one_null(pgc_args *args)
{
    CHECK_INT(args->status, PGC_OK);
    CHECK_INT(args->count, 1);
    CHECK(args->values[0] == NULL);
    CHECK_INT(args->lengths[0], 0);
    pgc_args_done(args);
}

static void null_is_null_in_every_form(void)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_null(&args);
    check_one_null(&args);
#define X(name, type)                                             \
    pgc_add_opt_##name(&args, (pgc_opt_##name) { .has = false }); \
    check_one_null(&args);
    PGC_OPT_MAP(X)
#undef X
    /* All-zero memory is the NULL of every type. */
#define X(name, type)                  \
    {                                  \
        type zero;                     \
        memset(&zero, 0, sizeof zero); \
        pgc_add_##name(&args, zero);   \
        check_one_null(&args);         \
    }
    PGC_POINTER_MAP(X)
#undef X
#define X(name, type)                                                           \
    pgc_add_range_##name(&args, (pgc_range_##name) { .has = false });           \
    check_one_null(&args);                                                      \
    pgc_add_multirange_##name(&args, (pgc_multirange_##name) { .has = false }); \
    check_one_null(&args);
    PGC_RANGE_MAP(X)
#undef X
#define X(name, type)                                             \
    pgc_add_arr_##name(&args, (pgc_arr_##name) { .has = false }); \
    check_one_null(&args);
    PGC_ARRAY_MAP(X)
#undef X
}

static void options_with_a_value_are_sent(void)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_opt_i32(&args, (pgc_opt_i32) { true, 0 });
    pgc_add_opt_bool(&args, (pgc_opt_bool) { true, false });
    pgc_add_opt_interval(&args, (pgc_opt_interval) { true, { 1, 2, 3 } });
    CHECK(encoded(&args, 0, "00000000"));
    CHECK(encoded(&args, 1, "00"));
    CHECK(encoded(&args, 2, "0000000000000001 00000002 00000003"));
    pgc_args_done(&args);
}

static const pgc_type_ref TEST_PARAMS[] = { { "title", "text", 25 }, { "embedding", "vector", 0 } };
static const pgc_query TEST_QUERY = {
    .name = "PutThing", .sql = "", .param_count = 2, .params = TEST_PARAMS
};

/* The list failed with this status and reason, and later adds leave it alone. */
static void check_failed(pgc_args *args, pgc_status status, const char *part, int line)
{
    uint16_t count = args->count;
    pgc_error err;
    pgc_add_i32(args, 1);
    pgc_add_text(args, pgc_text_from("later"));
    pgc_add_jsonb(args, pgc_text_from("{}"));
    pgc_add_arr_i32(args, (pgc_arr_i32) { .has = true });
    pgc_args_not_null(args);
    if (!CHECK_INT(args->status, status) || !CHECK_INT(args->count, count) ||
        !CHECK_INT(args_check(args, &TEST_QUERY, &err), status) ||
        !CHECK(strstr(err.message, part) != NULL) || !CHECK_STR(err.query, "PutThing")) {
        printf("# called at line %d: %s\n", line, err.message);
    }
    pgc_args_done(args);
    CHECK_INT(args->status, PGC_OK);
}
#define CHECK_FAILED(args, status, part) check_failed((args), (status), (part), __LINE__)

static void text_is_checked(void)
{
    static const pgc_text bad[] = {
        { "a\0b", 3 }, { "\xff", 1 }, { "\xc3", 1 }, { "\xed\xa0\x80", 3 }
    };
    pgc_args args;
    pgc_args_init(&args, NULL);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        pgc_add_text(&args, bad[i]);
        CHECK_FAILED(&args, PGC_INVALID, "parameter $1 (title, type text) is not UTF-8");
        pgc_add_jsonb(&args, bad[i]);
        CHECK_FAILED(&args, PGC_INVALID, "is not UTF-8");
        pgc_add_json(&args, bad[i]);
        CHECK_FAILED(&args, PGC_INVALID, "is not UTF-8");
        const pgc_text pair[] = { { "good", 4 }, bad[i] };
        pgc_add_arr_text(&args, (pgc_arr_text) { true, 2, pair, NULL, 0, NULL });
        CHECK_FAILED(&args, PGC_INVALID, "has an element that is not UTF-8");
    }
}

static void sizes_are_checked_before_bytes_are_read(void)
{
    /* The lengths lie: nothing may be read before they are refused. */
    static const char byte[] = "x";
    static const pgc_text huge = { byte, ((size_t) 1 << 30) + 1 };
    static const pgc_text pair[] = { { byte, 1 }, { byte, SIZE_MAX } };
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, huge);
    CHECK_FAILED(&args, PGC_INVALID, "over 1 GiB");
    pgc_add_jsonb(&args, huge);
    CHECK_FAILED(&args, PGC_INVALID, "over 1 GiB");
    pgc_add_bytes(&args, (pgc_bytes) { (const uint8_t *) byte, huge.len });
    CHECK_FAILED(&args, PGC_INVALID, "over 1 GiB");
    pgc_add_arr_text(&args, (pgc_arr_text) { true, 2, pair, NULL, 0, NULL });
    CHECK_FAILED(&args, PGC_INVALID, "array over 1 GiB");
    const int32_t one = 1;
    pgc_add_arr_i32(&args, (pgc_arr_i32) { true, SIZE_MAX / 2, &one, NULL, 0, NULL });
    CHECK_FAILED(&args, PGC_INVALID, "array over 1 GiB");
    pgc_add_arr_i32(&args, (pgc_arr_i32) { true, 1, NULL, NULL, 0, NULL });
    CHECK_FAILED(&args, PGC_INVALID, "no pointer");
    pgc_add_arr_text(&args, (pgc_arr_text) { true, 1, NULL, NULL, 0, NULL });
    CHECK_FAILED(&args, PGC_INVALID, "no pointer");
}

static void vectors_are_checked(void)
{
    static float floats[16001];
    static uint16_t halves[16001];
    static const float not_finite[] = { INFINITY, -INFINITY, NAN };
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i32(&args, 1);
    pgc_add_vector(&args, (pgc_vector) { floats, 0 });
    CHECK_FAILED(&args, PGC_INVALID, "parameter $2 (embedding, type vector) is a vector of no or");
    pgc_add_vector(&args, (pgc_vector) { floats, 16001 });
    CHECK_FAILED(&args, PGC_INVALID, "16,000");
    pgc_add_halfvec(&args, (pgc_halfvec) { halves, 0 });
    CHECK_FAILED(&args, PGC_INVALID, "16,000");
    pgc_add_halfvec(&args, (pgc_halfvec) { halves, 16001 });
    CHECK_FAILED(&args, PGC_INVALID, "16,000");
    for (size_t i = 0; i < ARRAY_LEN(not_finite); i++) {
        floats[511] = not_finite[i];
        halves[511] = pgc_half_from_float(not_finite[i]);
        pgc_add_vector(&args, (pgc_vector) { floats, 512 });
        CHECK_FAILED(&args, PGC_INVALID, "not finite");
        pgc_add_halfvec(&args, (pgc_halfvec) { halves, 512 });
        CHECK_FAILED(&args, PGC_INVALID, "not finite");
    }
    floats[511] = 0;
    halves[511] = 0;
    pgc_add_vector(&args, (pgc_vector) { floats, 16000 });
    pgc_add_halfvec(&args, (pgc_halfvec) { halves, 16000 });
    CHECK_INT(args.status, PGC_OK);
    CHECK_INT(args.lengths[0], 4 + 64000);
    CHECK_INT(args.lengths[1], 4 + 32000);
    pgc_args_done(&args);
}

static void numerics_are_checked(void)
{
    static const uint16_t good[] = { 1, 5000 };
    static const uint16_t bad[] = { 10000 };
    static const pgc_numeric values[] = {
        { true, 0x1234, 0, 0, 1, good },          { true, PGC_NUMERIC_POS, 0, 0x4000, 1, good },
        { true, PGC_NUMERIC_POS, 0, 0, 1, bad },  { true, PGC_NUMERIC_POS, 0, 0, 1, NULL },
        { true, PGC_NUMERIC_NAN, 0, 0, 1, good },
    };
    pgc_args args;
    pgc_args_init(&args, NULL);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        pgc_add_numeric(&args, values[i]);
        CHECK_FAILED(&args, PGC_INVALID, "out of range");
    }
    /* 1.5 shown with no decimal digits would arrive as 1. */
    pgc_add_numeric(&args, (pgc_numeric) { true, PGC_NUMERIC_POS, 0, 0, 2, good });
    CHECK_FAILED(&args, PGC_INVALID, "dscale");
    for (uint16_t dscale = 1; dscale <= 5; dscale++) {
        pgc_add_numeric(&args, (pgc_numeric) { true, PGC_NUMERIC_POS, 0, dscale, 2, good });
    }
    CHECK_INT(args.status, PGC_OK);
    pgc_args_done(&args);
}

static void the_number_of_parameters_is_limited(void)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    for (uint32_t i = 0; i < PGC_ARGS_MAX; i++) {
        pgc_add_i64(&args, (int64_t) i);
    }
    CHECK_INT(args.status, PGC_OK);
    pgc_add_null(&args);
    CHECK_FAILED(&args, PGC_LIMIT, "parameter $65 (unnamed, type unknown) is one too many");
    for (uint32_t i = 0; i <= PGC_ARGS_MAX; i++) {
        pgc_add_uuid(&args, (pgc_uuid) { { 0 } });
    }
    CHECK_FAILED(&args, PGC_LIMIT, "pass an array");
}

static void values_never_move(void)
{
    static float floats[3000];
    pgc_args args;
    pgc_args_init(&args, NULL);
    const char *seen[PGC_ARGS_MAX];
    for (uint32_t i = 0; i < PGC_ARGS_MAX; i++) {
        for (size_t k = 0; k < ARRAY_LEN(floats); k++) {
            floats[k] = (float) i;
        }
        if (i % 3 == 0) {
            pgc_add_vector(&args, (pgc_vector) { floats, 10 * i + 1 });
        } else if (i % 3 == 1) {
            pgc_add_uuid(&args, (pgc_uuid) { { (uint8_t) i } });
        } else {
            pgc_add_i32(&args, (int32_t) i);
        }
        seen[i] = args.values[i];
    }
    REQUIRE(args.status == PGC_OK);
    for (uint32_t i = 0; i < PGC_ARGS_MAX; i++) {
        uint32_t first;
        CHECK(args.values[i] == seen[i]);
        memcpy(&first, args.values[i] + (i % 3 == 0 ? 4 : 0), sizeof first);
        float as_float = (float) i;
        uint32_t want;
        memcpy(&want, &as_float, sizeof want);
        want = i % 3 == 0 ? htobe32(want) : i % 3 == 1 ? i : htobe32(i);
        CHECK_INT(first, want);
    }
    pgc_args_done(&args);
}

static void not_null_catches_a_forgotten_pointer(void)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_args_not_null(&args);
    CHECK_INT(args.status, PGC_OK);
    pgc_add_text(&args, pgc_text_from(""));
    pgc_args_not_null(&args);
    CHECK_INT(args.status, PGC_OK);
    pgc_add_vector(&args, (pgc_vector) { NULL, 0 });
    pgc_args_not_null(&args);
    CHECK_FAILED(&args, PGC_INVALID,
                 "query PutThing: parameter $2 (embedding, type vector) is NULL but must not be");
}

static void the_count_must_be_the_query_s(void)
{
    static const pgc_query no_params = { .name = "Ping", .sql = "" };
    pgc_args args;
    pgc_error err;
    pgc_args_init(&args, NULL);
    CHECK_STATUS(args_check(NULL, &no_params, &err), PGC_OK, &err);
    CHECK_STATUS(args_check(&args, &no_params, &err), PGC_OK, &err);
    CHECK_STATUS(args_check(NULL, &TEST_QUERY, &err), PGC_INVALID, &err);
    CHECK_STR(err.message, "query PutThing: 0 parameters given, it takes 2");
    pgc_add_null(&args);
    CHECK_STATUS(args_check(&args, &TEST_QUERY, NULL), PGC_INVALID, NULL);
    pgc_add_null(&args);
    CHECK_STATUS(args_check(&args, &TEST_QUERY, &err), PGC_OK, &err);
    pgc_add_null(&args);
    CHECK_STATUS(args_check(&args, &TEST_QUERY, &err), PGC_INVALID, &err);
    pgc_args_done(&args);
}

static const pgc_type_ref PAIR_FIELDS[] = { { "x", "integer", 23 }, { "y", "mood", 0 } };
static const pgc_record_type PAIR = { "pair", PAIR_FIELDS, 2 };

static void add_pair(pgc_args *args, int32_t x, const char *y)
{
    pgc_add_record_begin(args, &PAIR);
    pgc_add_i32(args, x);
    pgc_add_text(args, pgc_text_from(y));
    pgc_add_end(args);
}

static void nested_values_have_golden_bytes(void)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    add_pair(&args, 1, NULL);
    pgc_add_array_begin(&args, 23, 0, NULL);
    pgc_add_i32(&args, 1);
    pgc_add_null(&args);
    pgc_add_i32(&args, 3);
    pgc_add_end(&args);
    pgc_add_array_begin(&args, 23, 0, NULL);
    pgc_add_end(&args);
    pgc_add_array_begin(&args, 90001, 0, NULL);
    add_pair(&args, 1, "a");
    pgc_add_end(&args);
    pgc_add_multirange_begin(&args);
    pgc_add_range_begin(&args, PGC_RANGE_HALF_OPEN);
    pgc_add_i32(&args, 1);
    pgc_add_i32(&args, 5);
    pgc_add_end(&args);
    pgc_add_end(&args);
    pgc_add_bool(&args, true);
    REQUIRE(args.status == PGC_OK);
    CHECK_INT(args.count, 6);
    CHECK(encoded(&args, 0, "00000002 00000017 00000004 00000001 ffffffff ffffffff"));
    CHECK(encoded(&args, 1, golden_hex("arr_i32", "{1,NULL,3}")));
    CHECK(encoded(&args, 2, golden_hex("arr_i32", "{}")));
    CHECK(encoded(&args, 3,
                  "00000001 00000000 00015f91 00000001 00000001 00000019"
                  "00000002 00000017 00000004 00000001 ffffffff 00000001 61"));
    CHECK(encoded(&args, 4, golden_hex("multirange_i32", "{[1,5)}")));
    CHECK(encoded(&args, 5, "01"));
    pgc_args_done(&args);
}

static void nested_values_are_checked(void)
{
    const pgc_dim two[] = { { 2, 1 } };
    const pgc_dim none[] = { { 0, 1 } };
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_end(&args);
    CHECK_FAILED(&args, PGC_INVALID, "was not begun");
    pgc_add_record_begin(&args, &PAIR);
    pgc_add_i32(&args, 1);
    pgc_add_end(&args);
    CHECK_FAILED(&args, PGC_INVALID, "fewer parts");
    pgc_add_record_begin(&args, &PAIR);
    pgc_add_i32(&args, 1);
    pgc_add_null(&args);
    pgc_add_null(&args);
    CHECK_FAILED(&args, PGC_INVALID, "more parts");
    pgc_add_array_begin(&args, 23, 1, two);
    pgc_add_i32(&args, 1);
    pgc_add_end(&args);
    CHECK_FAILED(&args, PGC_INVALID, "fewer parts");
    pgc_add_array_begin(&args, 23, 1, none);
    CHECK_FAILED(&args, PGC_INVALID, "empty dimensions");
    pgc_add_array_begin(&args, 23, 7, two);
    CHECK_FAILED(&args, PGC_INVALID, "more than six");
    pgc_add_range_begin(&args, 0x20);
    CHECK_FAILED(&args, PGC_INVALID, "unknown flags");
    pgc_add_range_begin(&args, PGC_RANGE_HALF_OPEN);
    pgc_add_null(&args);
    CHECK_FAILED(&args, PGC_INVALID, "NULL inside a range");
    pgc_add_array_begin(&args, 25, 0, NULL);
    pgc_add_text(&args, (pgc_text) { "\xff", 1 });
    CHECK_FAILED(&args, PGC_INVALID, "not UTF-8");
    pgc_add_array_begin(&args, 25, 0, NULL);
    pgc_add_null(&args);
    pgc_args_not_null(&args);
    CHECK_FAILED(&args, PGC_INVALID, "part that is NULL");
    for (int i = 0; i <= PGC_NEST_MAX; i++) {
        pgc_add_array_begin(&args, 23, 0, NULL);
    }
    CHECK_FAILED(&args, PGC_INVALID, "nested too deeply");
}

static void what_was_begun_must_end_before_it_is_sent(void)
{
    pgc_args args;
    pgc_error err;
    pgc_args_init(&args, NULL);
    pgc_add_null(&args);
    pgc_add_array_begin(&args, 23, 0, NULL);
    pgc_add_i32(&args, 1);
    CHECK_STATUS(args_check(&args, &TEST_QUERY, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "$2 was begun and not ended") != NULL);
    pgc_add_end(&args);
    CHECK_STATUS(args_check(&args, &TEST_QUERY, &err), PGC_OK, &err);
    pgc_args_done(&args);
}

static void dimensions_must_fit_the_elements(void)
{
    static const int32_t i32[] = { 1, 2, 3, 4 };
    static const pgc_dim square[] = { { 2, 1 }, { 2, 0 } };
    static const pgc_dim wrong[] = { { 2, 1 }, { 3, 1 } };
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_arr_i32(&args, (pgc_arr_i32) { true, 4, i32, NULL, 2, square });
    CHECK(encoded(&args, 0,
                  "00000002 00000000 00000017 00000002 00000001 00000002 00000000"
                  "00000004 00000001 00000004 00000002 00000004 00000003 00000004 00000004"));
    pgc_add_arr_i32(&args, (pgc_arr_i32) { true, 4, i32, NULL, 2, wrong });
    CHECK_FAILED(&args, PGC_INVALID, "not those of its elements");
}

static void other_types_are_checked(void)
{
    static const int32_t back[] = { 2, 1 };
    static const int32_t far[] = { 5 };
    static const float values[] = { 1.0F, 2.0F };
    static const float zero[] = { 0.0F };
    static const pgc_point point = { 1, 2 };
    static const uint16_t positions[] = { 2, 1 };
    static const pgc_lexeme lexeme = { { "a", 1 }, 2, positions };
    static const pgc_tsquery_item lonely = { .kind = PGC_TSQUERY_AND };
    static const pgc_text missing = { NULL, 0 };
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_inet(&args, (pgc_inet) { .family = 5 });
    CHECK_FAILED(&args, PGC_INVALID, "no known family");
    pgc_add_inet(&args, (pgc_inet) { .family = 4, .bits = 33 });
    CHECK_FAILED(&args, PGC_INVALID, "too many bits");
    pgc_add_sparsevec(&args, (pgc_sparsevec) { 5, 2, back, values });
    CHECK_FAILED(&args, PGC_INVALID, "range or order");
    pgc_add_sparsevec(&args, (pgc_sparsevec) { 5, 1, far, values });
    CHECK_FAILED(&args, PGC_INVALID, "range or order");
    pgc_add_sparsevec(&args, (pgc_sparsevec) { 5, 1, back, zero });
    CHECK_FAILED(&args, PGC_INVALID, "zero or not finite");
    pgc_add_sparsevec(&args, (pgc_sparsevec) { 5, 1, NULL, values });
    CHECK_FAILED(&args, PGC_INVALID, "no pointer");
    pgc_add_sparsevec(&args, (pgc_sparsevec) { 2000000000, 1, back, values });
    CHECK_FAILED(&args, PGC_INVALID, "too many dimensions");
    pgc_add_path(&args, (pgc_path) { false, 0, &point });
    CHECK_FAILED(&args, PGC_INVALID, "no points");
    pgc_add_polygon(&args, (pgc_polygon) { 0, &point });
    CHECK_FAILED(&args, PGC_INVALID, "no points");
    pgc_add_bits(&args, (pgc_bits) { (const uint8_t *) "", UINT32_MAX });
    CHECK_FAILED(&args, PGC_INVALID, "bits");
    pgc_add_tsvector(&args, (pgc_tsvector) { true, 1, &lexeme });
    CHECK_FAILED(&args, PGC_INVALID, "do not ascend");
    pgc_add_tsquery(&args, (pgc_tsquery) { true, 1, &lonely });
    CHECK_FAILED(&args, PGC_INVALID, "without operands");
    pgc_add_hstore(&args, (pgc_hstore) { true, 1, &missing, &missing });
    CHECK_FAILED(&args, PGC_INVALID, "word that is not UTF-8");
    pgc_add_range_i32(&args, (pgc_range_i32) { .has = true, .flags = 0x40 });
    CHECK_FAILED(&args, PGC_INVALID, "unknown flags");
    /* Bits behind the last one are not sent. */
    pgc_add_bits(&args, (pgc_bits) { (const uint8_t *) "\xff", 3 });
    CHECK(encoded(&args, 0, "00000003 e0"));
    pgc_args_done(&args);
}

static void each_failed_allocation_is_reported(void)
{
    static const float floats[2000];
    static const uint16_t halves[4000];
    static const pgc_text texts[2000];
    static const pgc_text text = { "[1, 2, 3]", 9 };
    bool done = false;
    for (int fail_at = 1; !done; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        pgc_args args;
        pgc_args_init(&args, &alloc);
        for (int i = 0; i < 20; i++) {
            pgc_add_vector(&args, (pgc_vector) { floats, 100 });
            pgc_add_jsonb(&args, text);
        }
        pgc_add_vector(&args, (pgc_vector) { floats, 2000 });
        pgc_add_halfvec(&args, (pgc_halfvec) { halves, 4000 });
        pgc_add_arr_f32(&args, (pgc_arr_f32) { true, 2000, floats, NULL, 0, NULL });
        pgc_add_arr_text(&args, (pgc_arr_text) { true, 2000, texts, NULL, 0, NULL });
        for (int i = 0; i < 300; i++) {
            if (i % 100 == 0) {
                pgc_add_array_begin(&args, PGC_OID_UNCHECKED, 0, NULL);
            }
            add_pair(&args, i, "some text");
            if (i % 100 == 99) {
                pgc_add_end(&args);
            }
        }
        done = args.status == PGC_OK;
        CHECK(done || args.status == PGC_NOMEM);
        CHECK(done || strstr(args.reason, "memory") != NULL);
        CHECK(!done || fail_at > 6);
        pgc_args_done(&args);
        CHECK_INT(plan.live + plan.bad_sizes, 0);
    }
}

TAP_MAIN(TAP("scalars have the server's bytes", scalars_have_golden_bytes),
         TAP("text, bytes, JSON and vectors have the server's bytes", bytes_have_golden_bytes),
         TAP("numerics have the server's bytes", numerics_have_golden_bytes),
         TAP("arrays have the server's bytes", arrays_have_golden_bytes),
         TAP("every absent form is SQL NULL", null_is_null_in_every_form),
         TAP("an option with a zero is no NULL", options_with_a_value_are_sent),
         TAP("text with NUL or bad UTF-8 is refused, naming the parameter", text_is_checked),
         TAP("sizes over 1 GiB are refused unread", sizes_are_checked_before_bytes_are_read),
         TAP("vectors: dimensions and finite components", vectors_are_checked),
         TAP("numerics: digits, sign and dscale", numerics_are_checked),
         TAP("64 parameters, not one more", the_number_of_parameters_is_limited),
         TAP("encoded values stay where they are while the list grows", values_never_move),
         TAP("not_null names the parameter", not_null_catches_a_forgotten_pointer),
         TAP("the number of values must be the query's", the_count_must_be_the_query_s),
         TAP("nested values have the server's bytes", nested_values_have_golden_bytes),
         TAP("nested values: every part and no more", nested_values_are_checked),
         TAP("what was begun must end before it is sent",
             what_was_begun_must_end_before_it_is_sent),
         TAP("dimensions must be those of the elements", dimensions_must_fit_the_elements),
         TAP("values that the server would refuse are refused here", other_types_are_checked),
         TAP("each failed allocation is reported and nothing leaks",
             each_failed_allocation_is_reported))
