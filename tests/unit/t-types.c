/* Value types without a server: UUID text, time, halves, numerics. */
#include "base/prelude.h"

#include <pgc/error.h>
#include <pgc/types.h>

#include "tap.h"

static void uuid_text_round_trip(void)
{
    static const char lower[] = "0190163d-8694-739b-aea5-966c26f8ad91";
    pgc_uuid uuid;
    char text[PGC_UUID_TEXT_SIZE];
    REQUIRE(pgc_uuid_parse(pgc_text_from(lower), &uuid));
    CHECK_INT(uuid.bytes[0], 0x01);
    CHECK_INT(uuid.bytes[15], 0x91);
    pgc_uuid_format(&uuid, text);
    CHECK_STR(text, lower);

    pgc_uuid other;
    CHECK(pgc_uuid_parse(pgc_text_from("0190163D8694739BAEA5966C26F8AD91"), &other));
    CHECK(memcmp(&uuid, &other, sizeof uuid) == 0);
}

static void uuid_refuses_other_forms(void)
{
    static const char *const bad[] = {
        "",
        "0190163d-8694-739b-aea5-966c26f8ad9",
        "0190163d-8694-739b-aea5-966c26f8ad911",
        "0190163d8694-739b-aea5-966c-26f8ad91",
        "0190163d-8694-739b-aea5-966c26f8ad9g",
        "{190163d-8694-739b-aea5-966c26f8ad9}",
        "0190163d8694739baea5966c26f8ad9",
        "0190163d8694739baea5966c26f8ad9 ",
        "0190163d8694739baea5966c26f8ad9@",
        "0190163d8694739baea5966c26f8ad9`",
        "0190163d8694739baea5966c26f8ad9/",
        "0190163d8694739baea5966c26f8ad9:",
        "\260190163d8694739baea5966c26f8ad91",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        pgc_uuid uuid;
        memset(&uuid, 0xAB, sizeof uuid);
        CHECK(!pgc_uuid_parse(pgc_text_from(bad[i]), &uuid));
        CHECK_INT(uuid.bytes[0], 0xAB);
    }
    pgc_uuid uuid;
    CHECK(!pgc_uuid_parse((pgc_text) { NULL, 0 }, &uuid));
}

static void text_from_string(void)
{
    CHECK(pgc_text_from(NULL).ptr == NULL);
    CHECK_INT(pgc_text_from(NULL).len, 0);
    CHECK(pgc_text_from("").ptr != NULL);
    CHECK_INT(pgc_text_from("abc").len, 3);
}

static void time_moves_the_epoch(void)
{
    CHECK_INT(pgc_timestamptz_from_unix_us(0).us, INT64_C(-946684800000000));
    CHECK_INT(pgc_timestamptz_to_unix_us((pgc_timestamptz) { 0 }), INT64_C(946684800000000));
    CHECK_INT(pgc_timestamptz_from_unix_us(INT64_C(1709210096789012)).us,
              INT64_C(0x0002b58341728614));
}

static void time_saturates(void)
{
    static const int64_t unix_us[] = { INT64_MAX, INT64_MIN, INT64_MIN + 1 };
    static const int64_t pg_us[] = { INT64_MAX, INT64_MIN, INT64_MIN };
    for (size_t i = 0; i < ARRAY_LEN(unix_us); i++) {
        CHECK_INT(pgc_timestamptz_from_unix_us(unix_us[i]).us, pg_us[i]);
    }
    CHECK_INT(pgc_timestamptz_to_unix_us((pgc_timestamptz) { INT64_MAX }), INT64_MAX);
    CHECK_INT(pgc_timestamptz_to_unix_us((pgc_timestamptz) { INT64_MAX - 1 }), INT64_MAX);
    CHECK_INT(pgc_timestamptz_to_unix_us((pgc_timestamptz) { INT64_MIN }), INT64_MIN);
    CHECK_INT(pgc_timestamptz_to_unix_us((pgc_timestamptz) { INT64_MIN + 1 }),
              INT64_MIN + 1 + INT64_C(946684800000000));
}

static void half_every_value_round_trips(void)
{
    for (unsigned bits = 0; bits <= 0xFFFF; bits++) {
        float value = pgc_half_to_float((uint16_t) bits);
        bool nan = (bits & 0x7C00) == 0x7C00 && (bits & 0x03FF) != 0;
        CHECK(isnan(value) == nan);
        unsigned want = nan ? bits | 0x0200 : bits; /* NaNs become quiet */
        if (pgc_half_from_float(value) != want) {
            CHECK_INT(pgc_half_from_float(value), want);
        }
    }
}

/* Between two neighbours: the nearer one, the even one on a tie. */
static void half_rounds_to_nearest_even(void)
{
    for (unsigned bits = 0; bits < 0x7BFF; bits++) {
        float low = pgc_half_to_float((uint16_t) bits);
        float high = pgc_half_to_float((uint16_t) (bits + 1));
        float middle = low + (high - low) / 2; /* exact in a float */
        unsigned even = (bits & 1) == 0 ? bits : bits + 1;
        unsigned tie = pgc_half_from_float(middle);
        unsigned below = pgc_half_from_float(nextafterf(middle, 0.0F));
        unsigned above = pgc_half_from_float(nextafterf(middle, INFINITY));
        unsigned negative = pgc_half_from_float(-middle);
        if (tie != even || below != bits || above != bits + 1 || negative != (even | 0x8000)) {
            CHECK_INT(tie, even);
            CHECK_INT(below, bits);
            CHECK_INT(above, bits + 1);
            CHECK_INT(negative, even | 0x8000);
        }
    }
}

static void half_overflows_to_infinity(void)
{
    CHECK_INT(pgc_half_from_float(65504.0F), 0x7BFF);
    CHECK_INT(pgc_half_from_float(nextafterf(65520.0F, 0.0F)), 0x7BFF);
    CHECK_INT(pgc_half_from_float(65520.0F), 0x7C00);
    CHECK_INT(pgc_half_from_float(-INFINITY), 0xFC00);
    CHECK_INT(pgc_half_from_float(1e-45F), 0);
    CHECK_INT(pgc_half_from_float(-0.0F), 0x8000);
}

/* Parse, and compare with digits written as hexadecimal groups. */
typedef struct numeric_case {
    const char *text;
    int weight, sign, dscale;
    size_t count;
    uint16_t digits[8];
    const char *printed; /* NULL: as text */
} numeric_case;

static const numeric_case NUMERIC_CASES[] = {
    /* The golden values of the reference (produced by the server). */
    { "0", 0, PGC_NUMERIC_POS, 0, 0, { 0 }, NULL },
    { "0.00", 0, PGC_NUMERIC_POS, 2, 0, { 0 }, NULL },
    { "1", 0, PGC_NUMERIC_POS, 0, 1, { 1 }, NULL },
    { "-1", 0, PGC_NUMERIC_NEG, 0, 1, { 1 }, NULL },
    { "10000", 1, PGC_NUMERIC_POS, 0, 1, { 1 }, NULL },
    { "12345.678", 1, PGC_NUMERIC_POS, 3, 3, { 1, 0x0929, 0x1a7c }, NULL },
    { "0.0001", -1, PGC_NUMERIC_POS, 4, 1, { 1 }, NULL },
    { "0.00001", -2, PGC_NUMERIC_POS, 5, 1, { 0x03e8 }, NULL },
    { "-0.05", -1, PGC_NUMERIC_NEG, 2, 1, { 0x01f4 }, NULL },
    { "2.80", 0, PGC_NUMERIC_POS, 2, 2, { 2, 0x1f40 }, NULL },
    { "40.71277600", 0, PGC_NUMERIC_POS, 8, 3, { 0x28, 0x1bd7, 0x1db0 }, NULL },
    { "1e10", 2, PGC_NUMERIC_POS, 0, 1, { 100 }, "10000000000" },
    { "1.500", 0, PGC_NUMERIC_POS, 3, 2, { 1, 5000 }, NULL },
    { "NaN", 0, PGC_NUMERIC_NAN, 0, 0, { 0 }, NULL },
    { "Infinity", 0, PGC_NUMERIC_PINF, 0, 0, { 0 }, NULL },
    { "-Infinity", 0, PGC_NUMERIC_NINF, 0, 0, { 0 }, NULL },
    /* Other forms of text. */
    { "+7", 0, PGC_NUMERIC_POS, 0, 1, { 7 }, "7" },
    { "-0.0", 0, PGC_NUMERIC_POS, 1, 0, { 0 }, "0.0" },
    { "000123", 0, PGC_NUMERIC_POS, 0, 1, { 123 }, "123" },
    { ".5", -1, PGC_NUMERIC_POS, 1, 1, { 5000 }, "0.5" },
    { "5.", 0, PGC_NUMERIC_POS, 0, 1, { 5 }, "5" },
    { "1.50e1", 0, PGC_NUMERIC_POS, 1, 1, { 15 }, "15.0" },
    { "1.5E-3", -1, PGC_NUMERIC_POS, 4, 1, { 15 }, "0.0015" },
    { "1.5e+3", 0, PGC_NUMERIC_POS, 0, 1, { 1500 }, "1500" },
    { "1000000010", 2, PGC_NUMERIC_POS, 0, 3, { 10, 0, 10 }, NULL },
    { "10000.0000000010", 1, PGC_NUMERIC_POS, 10, 5, { 1, 0, 0, 0, 1000 }, NULL },
    { "nan", 0, PGC_NUMERIC_NAN, 0, 0, { 0 }, "NaN" },
    { "-inf", 0, PGC_NUMERIC_NINF, 0, 0, { 0 }, "-Infinity" },
    { "+INFINITY", 0, PGC_NUMERIC_PINF, 0, 0, { 0 }, "Infinity" },
};

static void numeric_parses_and_prints(void)
{
    for (size_t i = 0; i < ARRAY_LEN(NUMERIC_CASES); i++) {
        const numeric_case *c = &NUMERIC_CASES[i];
        uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
        char text[64];
        pgc_numeric value = { .present = false };
        printf("# %s\n", c->text);
        REQUIRE(pgc_numeric_parse(pgc_text_from(c->text), digits, &value));
        CHECK(value.present);
        CHECK_INT(value.weight, c->weight);
        CHECK_INT(value.sign, c->sign);
        CHECK_INT(value.dscale, c->dscale);
        REQUIRE(value.digit_count == c->count);
        CHECK(memcmp(digits, c->digits, c->count * sizeof digits[0]) == 0);
        const char *printed = c->printed == NULL ? c->text : c->printed;
        CHECK_INT(pgc_numeric_format(&value, text, sizeof text), strlen(printed));
        CHECK_STR(text, printed);
    }
}

static void numeric_refuses_malformed_text(void)
{
    static const char *const bad[] = {
        "",         "-",    ".",          "+.",        "1.2.3", " 1",   "1 ",
        "1e",       "1e+",  "e5",         "1e5x",      "--1",   "0x10", "1_000",
        "-nan",     "+nan", "infinit",    "infinityy", "1,5",   "inf ", "1e5.0",
        "1e999999", "nanx", "1e99999999", "1e-17000",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
        pgc_numeric value = { .weight = 77 };
        printf("# \"%s\"\n", bad[i]);
        CHECK(!pgc_numeric_parse(pgc_text_from(bad[i]), digits, &value));
        CHECK_INT(value.weight, 77);
    }
    uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
    pgc_numeric value;
    CHECK(!pgc_numeric_parse((pgc_text) { NULL, 0 }, digits, &value));
}

static void numeric_holds_the_digits_it_promises(void)
{
    char text[4 * PGC_NUMERIC_DIGITS_MAX + 3];
    uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
    pgc_numeric value;
    memset(text, '9', sizeof text);
    size_t full = (size_t) 4 * PGC_NUMERIC_DIGITS_MAX;
    CHECK(pgc_numeric_parse((pgc_text) { text, full }, digits, &value));
    CHECK_INT(value.digit_count, PGC_NUMERIC_DIGITS_MAX);
    CHECK(!pgc_numeric_parse((pgc_text) { text, full + 1 }, digits, &value));
    /* Zeros at the ends take no room. */
    memset(text, '0', sizeof text);
    text[1] = '1';
    CHECK(pgc_numeric_parse((pgc_text) { text, sizeof text }, digits, &value));
    CHECK_INT(value.digit_count, 1);
}

static void numeric_prints_like_snprintf(void)
{
    uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
    pgc_numeric value;
    REQUIRE(pgc_numeric_parse(pgc_text_from("-1234.50"), digits, &value));
    char text[16];
    for (size_t size = 1; size <= 9; size++) {
        memset(text, 'x', sizeof text);
        CHECK_INT(pgc_numeric_format(&value, text, size), 8);
        CHECK_INT(strlen(text), size - 1);
        CHECK(strncmp(text, "-1234.50", size - 1) == 0);
        CHECK_INT(text[size], 'x');
    }
    CHECK_INT(pgc_numeric_format(&value, NULL, 0), 8);
    value.present = false;
    CHECK_INT(pgc_numeric_format(&value, text, sizeof text), 0);
    CHECK_STR(text, "");
}

static void numeric_prints_digits_beyond_its_scale_cut(void)
{
    const uint16_t digits[] = { 0, 12, 3456, 7890 };
    char text[32];
    pgc_numeric value = { true, PGC_NUMERIC_POS, 1, 1, 4, digits };
    (void) pgc_numeric_format(&value, text, sizeof text);
    CHECK_STR(text, "12.3");
}

typedef struct double_case {
    double value;
    int scale;
    const char *text; /* NULL: refused */
} double_case;

static void numeric_from_double_rounds_half_away(void)
{
    static const double_case cases[] = {
        { 2.8, 2, "2.80" },
        { 40.712776, 8, "40.71277600" },
        { 2.5, 0, "3" },
        { -2.5, 0, "-3" },
        { 0.5, 0, "1" },
        { 0.49999999999999994, 0, "0" },
        { 0.125, 2, "0.13" },
        { 1.005, 2, "1.01" },
        { 2.675, 2, "2.68" },
        { -1.005, 2, "-1.01" },
        { 0.006, 2, "0.01" },
        { 0.004, 2, "0.00" },
        { -0.004, 2, "0.00" },
        { 0.0004, 2, "0.00" },
        { 0.0009, 2, "0.00" },
        { 9.999, 2, "10.00" },
        { 9999.99999, 4, "10000.0000" },
        { 0.0, 3, "0.000" },
        { -0.0, 0, "0" },
        { 5e-324, 16, "0.0000000000000000" },
        { 1e-16, 16, "0.0000000000000001" },
        { 123456789012345.67, 2, "123456789012345.67" },
        { 999999999999999.9, 0, "1000000000000000" },
        { 0.1, 16, "0.1000000000000000" },
        { 1e15, 0, NULL },
        { -1e15, 0, NULL },
        { 1.0, -1, NULL },
        { 1.0, 17, NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
        char text[64];
        pgc_numeric value;
        bool ok = pgc_numeric_from_double(cases[i].value, cases[i].scale, digits, &value);
        CHECK(ok == (cases[i].text != NULL));
        if (ok && cases[i].text != NULL) {
            (void) pgc_numeric_format(&value, text, sizeof text);
            CHECK_STR(text, cases[i].text);
        }
    }
    uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
    pgc_numeric value;
    CHECK(!pgc_numeric_from_double((double) NAN, 2, digits, &value));
    CHECK(!pgc_numeric_from_double((double) INFINITY, 2, digits, &value));
    CHECK(!pgc_numeric_from_double((double) -INFINITY, 2, digits, &value));
}

static uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void numeric_to_double_is_nearest(void)
{
    static const char *const texts[] = {
        "0",
        "1",
        "-1",
        "0.1",
        "12345.678",
        "-0.00001",
        "1e308",
        "1.7976931348623157e308",
        "4.9e-324",
        "9007199254740993",
        "0.30000000000000004",
        "123456789.000000001",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        uint16_t digits[PGC_NUMERIC_DIGITS_MAX];
        pgc_numeric value;
        printf("# %s\n", texts[i]);
        REQUIRE(pgc_numeric_parse(pgc_text_from(texts[i]), digits, &value));
        CHECK_INT(double_bits(pgc_numeric_to_double(&value)), double_bits(strtod(texts[i], NULL)));
    }
    pgc_numeric special = { .present = true, .sign = PGC_NUMERIC_NAN };
    CHECK(isnan(pgc_numeric_to_double(&special)));
    special.sign = PGC_NUMERIC_PINF;
    CHECK(isinf(pgc_numeric_to_double(&special)) && pgc_numeric_to_double(&special) > 0);
    special.sign = PGC_NUMERIC_NINF;
    CHECK(isinf(pgc_numeric_to_double(&special)) && pgc_numeric_to_double(&special) < 0);
    special.present = false;
    CHECK(isnan(pgc_numeric_to_double(&special)));
}

static void numeric_to_double_sees_far_digits(void)
{
    /* 2^53 + 1 lies exactly between two doubles: a 1 far behind decides upwards. */
    static uint16_t digits[1000] = { 9007, 1992, 5474, 993 };
    pgc_numeric value = { true, PGC_NUMERIC_POS, 3, 0, 4, digits };
    CHECK_INT((int64_t) pgc_numeric_to_double(&value), INT64_C(9007199254740992));
    digits[999] = 1;
    value.digit_count = 1000;
    CHECK_INT((int64_t) pgc_numeric_to_double(&value), INT64_C(9007199254740994));
    /* Leading zero groups do not hide the digits behind them. */
    memset(digits, 0, sizeof digits);
    digits[300] = 7;
    value = (pgc_numeric) { true, PGC_NUMERIC_POS, 300, 0, 301, digits };
    CHECK_INT((int64_t) pgc_numeric_to_double(&value), 7);
}

TAP_MAIN(TAP("uuid: text form goes both ways, hyphens or none", uuid_text_round_trip),
         TAP("uuid: any other form is refused", uuid_refuses_other_forms),
         TAP("text: NULL and empty are told apart", text_from_string),
         TAP("time: 1970 and 2000 are 10957 days apart", time_moves_the_epoch),
         TAP("time: overflow becomes infinity", time_saturates),
         TAP("half: all 65536 values survive float", half_every_value_round_trips),
         TAP("half: rounds to nearest, ties to even", half_rounds_to_nearest_even),
         TAP("half: overflow is infinity", half_overflows_to_infinity),
         TAP("numeric: golden values parse and print", numeric_parses_and_prints),
         TAP("numeric: malformed text is refused", numeric_refuses_malformed_text),
         TAP("numeric: 64 base-10000 digits, not one more", numeric_holds_the_digits_it_promises),
         TAP("numeric: printing cuts like snprintf", numeric_prints_like_snprintf),
         TAP("numeric: leading zero groups and hidden digits are not printed",
             numeric_prints_digits_beyond_its_scale_cut),
         TAP("numeric: from double rounds half away from zero",
             numeric_from_double_rounds_half_away),
         TAP("numeric: to double is the nearest", numeric_to_double_is_nearest),
         TAP("numeric: to double honours digits far behind", numeric_to_double_sees_far_digits))
