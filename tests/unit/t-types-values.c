/* What the members of each value are: tables of text or bytes and the numbers expected, so that a
 * mistake that is made the same way both ways is seen. */
#include "base/prelude.h"

#include "cell.h"
#include "tap.h"

/* A reader over one text cell; free the result. */
static pgc_result *open_text(pgc_reader *reader, const char *text)
{
    pgc_result *result = cell_result_as(true, text, strlen(text), NULL, NULL);
    if (result != NULL) {
        pgc_reader_init(reader, result, NULL);
    }
    return result;
}

static pgc_result *open_hex(pgc_reader *reader, const char *hex)
{
    uint8_t bytes[256];
    size_t len = hex_bytes(hex, bytes, sizeof bytes);
    pgc_result *result = cell_result(bytes, len, NULL, NULL);
    if (result != NULL) {
        pgc_reader_init(reader, result, NULL);
    }
    return result;
}

/* Nothing failed; says which text it was otherwise. */
static void check_read(const pgc_reader *reader, const char *text)
{
    pgc_error err;
    if (!CHECK_STATUS(pgc_reader_finish(reader, &err), PGC_OK, &err)) {
        printf("# %s\n", text);
    }
}

static void dates_are_days_since_2000(void)
{
    static const struct {
        const char *text;
        int32_t days;
    } cases[] = {
        { "2000-01-01", 0 },           { "1999-12-31", -1 },
        { "2000-02-29", 59 },          { "2000-03-01", 60 },
        { "1900-03-01", -36465 },      { "1970-01-01", -10957 },
        { "2024-02-29", 8825 },        { "2100-03-01", 36584 },
        { "0001-01-01", -730119 },     { "0001-12-31 BC", -730120 },
        { "4714-11-24 BC", -2451545 }, { "5874897-12-31", 2145031948 },
        { "infinity", INT32_MAX },     { "-infinity", INT32_MIN },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pgc_reader reader;
        AUTO(result_auto) pgc_result *result = open_text(&reader, cases[i].text);
        REQUIRE(result != NULL);
        CHECK_INT(pgc_read_date(&reader, 0, 0).days, cases[i].days);
        check_read(&reader, cases[i].text);
    }
}

static void instants_are_microseconds_since_2000(void)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        { "2000-01-01 00:00:00+00", 0 },
        { "1999-12-31 23:59:59.999999+00", -1 },
        { "2000-01-01 00:00:00.5+00", 500000 },
        { "2000-01-01 02:00:00+02", 0 },
        { "1999-12-31 19:00:00-05", 0 },
        { "2000-01-01 05:30:00.000001+05:30", 1 },
        { "1999-12-31 23:15:30-00:44:30", 0 },
        { "1970-01-01 00:00:00+00", INT64_C(-946684800000000) },
        { "4714-11-24 00:00:00+00 BC", INT64_C(-211813488000000000) },
        { "infinity", INT64_MAX },
        { "-infinity", INT64_MIN },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pgc_reader reader;
        AUTO(result_auto) pgc_result *result = open_text(&reader, cases[i].text);
        REQUIRE(result != NULL);
        CHECK_INT(pgc_read_timestamptz(&reader, 0, 0).us, cases[i].us);
        check_read(&reader, cases[i].text);
    }
}

static void times_and_zones(void)
{
    pgc_reader reader;
    AUTO(result_auto) pgc_result *text = open_text(&reader, "12:00:00.25+02:30");
    REQUIRE(text != NULL);
    pgc_timetz value = pgc_read_timetz(&reader, 0, 0);
    CHECK_INT(value.us, INT64_C(43200250000));
    CHECK_INT(value.west, -9000);
    AUTO(result_auto) pgc_result *binary = open_hex(&reader, "0000000a0eebb000 ffffe3e0");
    REQUIRE(binary != NULL);
    pgc_opt_timetz noon = pgc_read_opt_timetz(&reader, 0, 0);
    CHECK(noon.has);
    CHECK_INT(noon.v.us, INT64_C(43200000000));
    CHECK_INT(noon.v.west, -7200);
    AUTO(result_auto) pgc_result *end = open_text(&reader, "24:00:00");
    REQUIRE(end != NULL);
    CHECK_INT(pgc_read_time(&reader, 0, 0).us, INT64_C(86400000000));
}

static void intervals_in_every_style(void)
{
    static const struct {
        const char *text;
        pgc_interval value;
    } cases[] = {
        { "00:00:00", { 0, 0, 0 } },
        { "1 year 2 mons 3 days 04:05:06.000007", { INT64_C(14706000007), 3, 14 } },
        { "-1 years -2 mons +3 days -04:05:06", { INT64_C(-14706000000), 3, -14 } },
        { "1 mon", { 0, 0, 1 } },
        { "-00:00:00.5", { -500000, 0, 0 } },
        { "100:00:00", { INT64_C(360000000000), 0, 0 } },
        { "@ 1 year 2 mons 3 days 4 hours 5 mins 6.5 secs", { INT64_C(14706500000), 3, 14 } },
        { "@ 1 mon 2 days ago", { 0, -2, -1 } },
        { "@ 1 mon -2 days ago", { 0, 2, -1 } },
        { "@ 0", { 0, 0, 0 } },
        { "P1Y2M3DT4H5M6.000007S", { INT64_C(14706000007), 3, 14 } },
        { "P-1Y2DT-3M", { -180000000, 2, -12 } },
        { "PT0S", { 0, 0, 0 } },
        { "infinity", { INT64_MAX, INT32_MAX, INT32_MAX } },
        { "-infinity", { INT64_MIN, INT32_MIN, INT32_MIN } },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pgc_reader reader;
        AUTO(result_auto) pgc_result *result = open_text(&reader, cases[i].text);
        REQUIRE(result != NULL);
        pgc_interval value = pgc_read_interval(&reader, 0, 0);
        CHECK_INT(value.us, cases[i].value.us);
        CHECK_INT(value.days, cases[i].value.days);
        CHECK_INT(value.months, cases[i].value.months);
        check_read(&reader, cases[i].text);
    }
}

static void addresses(void)
{
    static const struct {
        const char *text;
        uint8_t family, bits;
        const char *hex;
    } cases[] = {
        { "192.168.1.5/24", 4, 24, "c0a80105" },
        { "10.0.0.1", 4, 32, "0a000001" },
        { "::", 6, 128, "00000000000000000000000000000000" },
        { "::1", 6, 128, "00000000000000000000000000000001" },
        { "2001:db8::ff00:42:8329/64", 6, 64, "20010db8000000000000ff0000428329" },
        { "1:2:3:4:5:6:7:8", 6, 128, "00010002000300040005000600070008" },
        { "fe80::/10", 6, 10, "fe800000000000000000000000000000" },
        { "::ffff:1.2.3.4", 6, 128, "00000000000000000000ffff01020304" },
        { "1::", 6, 128, "00010000000000000000000000000000" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pgc_reader reader;
        uint8_t want[16] = { 0 };
        AUTO(result_auto) pgc_result *result = open_text(&reader, cases[i].text);
        REQUIRE(result != NULL);
        pgc_inet value = pgc_read_inet(&reader, 0, 0);
        (void) hex_bytes(cases[i].hex, want, sizeof want);
        CHECK_INT(value.family, cases[i].family);
        CHECK_INT(value.bits, cases[i].bits);
        CHECK(memcmp(value.addr, want, sizeof want) == 0);
        check_read(&reader, cases[i].text);
    }
}

/* Symbols and separators are the locale's; digits and sign are the value. */
static void money_in_any_locale(void)
{
    static const struct {
        const char *text;
        int64_t units;
    } cases[] = {
        { "$1,234.56", 123456 }, { "-$0.01", -1 },   { "1.234,56 €", 123456 },
        { "($12.00)", -1200 },   { "¥1,234", 1234 }, { "-$92,233,720,368,547,758.08", INT64_MIN },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pgc_reader reader;
        AUTO(result_auto) pgc_result *result = open_text(&reader, cases[i].text);
        REQUIRE(result != NULL);
        CHECK_INT(pgc_read_money(&reader, 0, 0), cases[i].units);
        check_read(&reader, cases[i].text);
    }
}

static void search_values_have_their_parts(void)
{
    pgc_reader reader;
    AUTO(result_auto)
    pgc_result *vector = open_hex(&reader, "00000002 6100 0002 c001 0003 6263 00 0000");
    REQUIRE(vector != NULL);
    pgc_tsvector words = pgc_read_tsvector(&reader, 0, 0);
    REQUIRE(words.present && words.count == 2);
    CHECK_INT(words.v[0].count, 2);
    CHECK_INT(PGC_LEXEME_POSITION(words.v[0].positions[0]), 1);
    CHECK_INT(PGC_LEXEME_WEIGHT(words.v[0].positions[0]), 3);
    CHECK_INT(PGC_LEXEME_WEIGHT(words.v[0].positions[1]), 0);
    CHECK_INT(words.v[1].word.len, 2);
    AUTO(result_auto) pgc_result *query = open_text(&reader, "'a' & !( 'b' | 'it''s':*AD )");
    REQUIRE(query != NULL);
    pgc_tsquery items = pgc_read_tsquery(&reader, 0, 0);
    REQUIRE(items.present && items.count == 6);
    /* Prefix order, the right operand first. */
    static const uint8_t kinds[] = { PGC_TSQUERY_AND,  PGC_TSQUERY_NOT,  PGC_TSQUERY_OR,
                                     PGC_TSQUERY_WORD, PGC_TSQUERY_WORD, PGC_TSQUERY_WORD };
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        CHECK_INT(items.v[i].kind, kinds[i]);
    }
    CHECK_STR(items.v[3].word.ptr, "it's");
    CHECK(items.v[3].prefix);
    CHECK_INT(items.v[3].weights, 9);
    CHECK_STR(items.v[5].word.ptr, "a");
    AUTO(result_auto) pgc_result *pairs = open_text(&reader, "\"a\"=>\"1\", \"b\"=>NULL");
    REQUIRE(pairs != NULL);
    pgc_hstore store = pgc_read_hstore(&reader, 0, 0);
    REQUIRE(store.present && store.count == 2);
    CHECK_STR(store.values[0].ptr, "1");
    CHECK(store.values[1].ptr == NULL);
}

static void ranges_have_their_bounds(void)
{
    pgc_reader reader;
    AUTO(result_auto) pgc_result *half = open_text(&reader, "(,2000-01-02]");
    REQUIRE(half != NULL);
    pgc_range_date days = pgc_read_range_date(&reader, 0, 0);
    CHECK(days.has);
    CHECK_INT(days.flags, PGC_RANGE_LOWER_INF | PGC_RANGE_UPPER_INC);
    CHECK_INT(days.upper.days, 1);
    AUTO(result_auto) pgc_result *many = open_text(&reader, "{[1,3),[5,7)}");
    REQUIRE(many != NULL);
    pgc_multirange_i32 ranges = pgc_read_multirange_i32(&reader, 0, 0);
    REQUIRE(ranges.has && ranges.count == 2);
    CHECK_INT(ranges.v[1].lower, 5);
    CHECK_INT(ranges.v[1].upper, 7);
    CHECK_INT(ranges.v[1].flags, PGC_RANGE_HALF_OPEN);
}

static void sparse_indices_count_from_zero(void)
{
    pgc_reader reader;
    AUTO(result_auto) pgc_result *text = open_text(&reader, "{1:1.5,5:-2}/5");
    REQUIRE(text != NULL);
    pgc_sparsevec value = pgc_read_sparsevec(&reader, 0, 0);
    REQUIRE(value.count == 2);
    CHECK_INT(value.dim, 5);
    CHECK_INT(value.indices[0], 0);
    CHECK_INT(value.indices[1], 4);
    CHECK_INT(value.v[0] * 2, 3);
}

TAP_MAIN(TAP("dates are days since 2000, in both eras", dates_are_days_since_2000),
         TAP("instants are microseconds since 2000 UTC", instants_are_microseconds_since_2000),
         TAP("times of day and their zones", times_and_zones),
         TAP("intervals in every style", intervals_in_every_style),
         TAP("addresses of both families", addresses),
         TAP("money in any locale", money_in_any_locale),
         TAP("search types and hstore have their parts", search_values_have_their_parts),
         TAP("ranges and multiranges have their bounds", ranges_have_their_bounds),
         TAP("sparse vectors count from zero", sparse_indices_count_from_zero))
