/* Slices: comparison, cutting, UTF-8, numbers. */
#include "base/prelude.h"

#include <locale.h>

#include "base/slice.h"

#include "tap.h"

static const slice ABSENT = { NULL, 0 };

static void equality(void)
{
    CHECK(slice_eq(ABSENT, SLICE("")));
    CHECK(slice_eq(SLICE("ab"), SLICE("ab")));
    CHECK(!slice_eq(SLICE("ab"), SLICE("abc")));
    CHECK(slice_eq_str(SLICE("ab"), "ab"));
    CHECK(slice_eq_nocase(SLICE("AbZ"), SLICE("aBz")));
    CHECK(!slice_eq_nocase(SLICE("[z"), SLICE("{z")));
    CHECK(!slice_eq_nocase(SLICE("a"), SLICE("ab")));
    CHECK(slice_starts(SLICE("abc"), SLICE("ab")));
    CHECK(slice_starts(ABSENT, ABSENT));
    CHECK(!slice_starts(SLICE("a"), SLICE("ab")));
    CHECK(slice_ends(SLICE("abc"), SLICE("bc")));
    CHECK(!slice_ends(SLICE("c"), SLICE("bc")));
}

static void order(void)
{
    CHECK_INT(slice_cmp(SLICE("a"), SLICE("a")), 0);
    CHECK(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
    CHECK(slice_cmp(SLICE("b"), SLICE("ab")) > 0);
    CHECK(slice_cmp(SLICE("\x80"), SLICE("a")) > 0);
    CHECK(slice_cmp(ABSENT, SLICE("a")) < 0);
}

static void cutting(void)
{
    CHECK(slice_eq_str(slice_sub(SLICE("hello"), 1, 3), "el"));
    CHECK(slice_eq_str(slice_sub(SLICE("hello"), 3, 99), "lo"));
    CHECK_INT(slice_sub(SLICE("hello"), 9, 99).len, 0);
    CHECK_INT(slice_sub(SLICE("hello"), 3, 1).len, 0);
    CHECK(slice_sub(ABSENT, 1, 2).ptr == NULL);
    CHECK(slice_eq_str(slice_trim(SLICE(" \t\r\n a b \f\v")), "a b"));
    CHECK_INT(slice_trim(SLICE("  ")).len, 0);
    CHECK_INT(slice_find(SLICE("abca"), 'a', 1), 3);
    CHECK(slice_find(SLICE("abc"), 'x', 0) == SIZE_MAX);
    CHECK(slice_find(SLICE("abc"), 'a', 7) == SIZE_MAX);
}

static void next_walks_all_parts(void)
{
    static const char *const WANT[] = { "a", "", "b", "" };
    slice rest = SLICE("a,,b,");
    size_t count = 0;
    while (rest.ptr != NULL) {
        slice part = slice_next(&rest, ',');
        REQUIRE(count < ARRAY_LEN(WANT));
        CHECK(slice_eq_str(part, WANT[count]));
        count++;
    }
    CHECK_INT(count, ARRAY_LEN(WANT));
}

static void utf8(void)
{
    static const struct {
        slice text;
        bool ok;
    } CASES[] = {
        { SLICE(""), true },
        { SLICE("plain"), true },
        { SLICE("gr\xC3\xBC\xC3\x9F"), true },
        { SLICE("\xE2\x82\xAC"), true },
        { SLICE("\xF0\x9F\x93\xB7"), true },
        { SLICE("\xF4\x8F\xBF\xBF"), true },
        { SLICE("\xF4\x90\x80\x80"), false }, /* above U+10FFFF */
        { SLICE("\xED\xA0\x80"), false },     /* surrogate */
        { SLICE("\xC0\x80"), false },         /* overlong */
        { SLICE("\xE0\x80\x80"), false },     /* overlong */
        { SLICE("\xF0\x80\x80\x80"), false }, /* overlong */
        { SLICE("\xC3"), false },             /* cut */
        { SLICE("\xE2\x82"), false },
        { SLICE("\xF0\x9F\x93"), false },
        { SLICE("\x80"), false },
        { SLICE("\xFF"), false },
        { SLICE("\xE2\x28\xA1"), false },
        { SLICE("a\0b"), false },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        if (slice_is_utf8(CASES[i].text) != CASES[i].ok) {
            printf("# case %zu\n", i);
            CHECK(false);
        }
    }
}

static void integers(void)
{
    int64_t value = 42;
    CHECK(slice_to_i64(SLICE("-9223372036854775808"), &value) && value == INT64_MIN);
    CHECK(slice_to_i64(SLICE("9223372036854775807"), &value) && value == INT64_MAX);
    CHECK(slice_to_i64(SLICE("+7"), &value) && value == 7);
    CHECK(slice_to_i64(SLICE("007"), &value) && value == 7);
    static const slice BAD[] = { SLICE(""),
                                 SLICE("-"),
                                 SLICE("+"),
                                 SLICE(" 1"),
                                 SLICE("1 "),
                                 SLICE("1x"),
                                 SLICE("--1"),
                                 SLICE("0x1"),
                                 SLICE("9223372036854775808"),
                                 SLICE("-9223372036854775809") };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        CHECK(!slice_to_i64(BAD[i], &value));
    }
    CHECK(!slice_to_i64(ABSENT, &value));
    CHECK_INT(value, 7);
}

static bool close_to(double a, double b)
{
    return fabs(a - b) < 1e-12;
}

static void doubles(void)
{
    double value = 42;
    CHECK(slice_to_f64(SLICE("1.5"), &value) && close_to(value, 1.5));
    CHECK(slice_to_f64(SLICE("-.5"), &value) && close_to(value, -0.5));
    CHECK(slice_to_f64(SLICE("5."), &value) && close_to(value, 5));
    CHECK(slice_to_f64(SLICE("1e-3"), &value) && close_to(value, 0.001));
    CHECK(slice_to_f64(SLICE("1e-999"), &value) && close_to(value, 0));
    CHECK(slice_to_f64(SLICE("+2E+2"), &value) && close_to(value, 200));
    static const slice BAD[] = { SLICE(""),    SLICE("."),    SLICE("-"),     SLICE("inf"),
                                 SLICE("nan"), SLICE("0x10"), SLICE("1e"),    SLICE("1e+"),
                                 SLICE(" 1"),  SLICE("1,5"),  SLICE("1.2.3"), SLICE("1e999"),
                                 SLICE("1e5x") };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        CHECK(!slice_to_f64(BAD[i], &value));
    }
    CHECK(close_to(value, 200));
}

static void doubles_ignore_the_locale(void)
{
    /* Where the system has no such locale the call fails and the test still holds. */
    (void) setlocale(LC_ALL, "de_DE.UTF-8");
    double value = 0;
    CHECK(slice_to_f64(SLICE("2.25"), &value) && close_to(value, 2.25));
    CHECK(!slice_to_f64(SLICE("2,25"), &value));
    (void) setlocale(LC_ALL, "C");
}

static void overlong_numbers_are_refused(void)
{
    char text[4000];
    memset(text, '1', sizeof text);
    double value = 42;
    CHECK(!slice_to_f64((slice) { text, sizeof text }, &value));
    CHECK(close_to(value, 42));
}

static void knows_the_first_character(void)
{
    CHECK_INT(slice_char_length(SLICE("ab")), 1);
    CHECK_INT(slice_char_length(SLICE("\xc3\xa9x")), 2);
    CHECK_INT(slice_char_length(SLICE("\xe2\x82\xac")), 3);
    CHECK_INT(slice_char_length(SLICE("\xf0\x9f\x98\x80")), 4);
    CHECK_INT(slice_char_length(SLICE("\xe2\x82")), 0);
    CHECK_INT(slice_char_length(SLICE("\xff")), 0);
    CHECK_INT(slice_char_length((slice) { "\0", 1 }), 0);
    CHECK_INT(slice_char_length((slice) { NULL, 0 }), 0);
}

static void controls_are_told_from_letters(void)
{
    CHECK(slice_is_control(SLICE("\x01")));
    CHECK(slice_is_control(SLICE("\x1b")));
    CHECK(slice_is_control(SLICE("\x7f")));
    CHECK(slice_is_control(SLICE("\xc2\x80")));
    CHECK(slice_is_control(SLICE("\xc2\x9f")));
    CHECK(!slice_is_control(SLICE(" ")));
    CHECK(!slice_is_control(SLICE("~")));
    CHECK(!slice_is_control(SLICE("\xc2\xa0")));
    CHECK(!slice_is_control(SLICE("\xc3\x80")));
}

TAP_MAIN(TAP("slice: the length of the first character", knows_the_first_character),
         TAP("slice: controls are told from letters", controls_are_told_from_letters),
         TAP("slice: equality", equality), TAP("slice: order", order),
         TAP("slice: cutting", cutting), TAP("slice: next walks all parts", next_walks_all_parts),
         TAP("slice: UTF-8 as the server accepts it", utf8),
         TAP("slice: strict integers", integers), TAP("slice: strict doubles", doubles),
         TAP("slice: doubles do not depend on the locale", doubles_ignore_the_locale),
         TAP("slice: overlong numbers are refused", overlong_numbers_are_refused))
