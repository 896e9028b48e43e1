/* JSON in Go's spelling: what encoding/json writes for the same values. */
#include "base/prelude.h"

#include "river/json.h"

#include "tap.h"

static slice text_of(const char *string)
{
    return (slice) { string, strlen(string) };
}

static void checks_refuse_what_is_no_json(void)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        { "", "byte 0: a value is missing" },
        { "{", "byte 1: a key in quotes is missing" },
        { "{\"a\"}", "byte 4: a colon is missing" },
        { "{\"a\":1,}", "byte 7: a key in quotes is missing" },
        { "[1 2]", "byte 3: a comma or a closing bracket is missing" },
        { "[1,]", "byte 3: a digit is missing" },
        { "01", "byte 1: more text behind the value" },
        { "1.", "byte 2: a digit is missing" },
        { "-", "byte 1: a digit is missing" },
        { "1e+", "byte 3: a digit is missing" },
        { "tru", "byte 0: no JSON value" },
        { "\"a", "byte 2: a string without end" },
        { "\"\\x\"", "byte 2: an unknown escape" },
        { "\"\\u12g4\"", "byte 2: \\u needs four hexadecimal digits" },
        { "\"\\u0000\"", "byte 2: a NUL character" },
        { "\"\n\"", "byte 1: a control character in a string" },
        { "\"\xff\"", "byte 1: bytes that are not UTF-8" },
        { "{} {}", "byte 3: more text behind the value" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pgc_error err;
        CHECK_INT(json_check(text_of(cases[i].text), &err), PGC_INVALID);
        if (strstr(err.message, cases[i].message) == NULL) {
            CHECK_STR(err.message, cases[i].message);
        }
    }
}

static void a_nul_is_no_escape(void)
{
    pgc_error err;
    CHECK_INT(json_check((slice) { "\"\\\0\"", 4 }, &err), PGC_INVALID);
    CHECK(strstr(err.message, "byte 2: an unknown escape") != NULL);
}

static void depth_has_a_limit(void)
{
    char deep[2 * (JSON_DEPTH_MAX + 1)];
    memset(deep, '[', JSON_DEPTH_MAX + 1);
    memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    CHECK_INT(json_check((slice) { deep, sizeof(deep) }, NULL), PGC_INVALID);
    CHECK_INT(json_check((slice) { deep + 1, sizeof(deep) - 2 }, NULL), PGC_OK);
}

static void an_object_is_asked_for(void)
{
    CHECK_INT(json_check_object(SLICE(" {\"a\": [1, 2.5e-7, null, true]} "), NULL), PGC_OK);
    CHECK_INT(json_check_object(SLICE("[]"), NULL), PGC_INVALID);
}

static void go_spelling(void)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        { " { \"b\" : [ 1 , -2.50 ] , \"a\" : { } } ", "{\"b\":[1,-2.50],\"a\":{}}" },
        { "\"<b>&\"", "\"\\u003cb\\u003e\\u0026\"" },
        { "\"\\u003C \\/ \\u00e9 \xc3\xa9\"", "\"\\u003c / \xc3\xa9 \xc3\xa9\"" },
        { "\"\\u2028\xe2\x80\xa9\"", "\"\\u2028\\u2029\"" },
        { "\"\\b\\f\\n\\r\\t\\u001f\\\\\\\"\"", "\"\\b\\f\\n\\r\\t\\u001f\\\\\\\"\"" },
        { "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"" },
        { "\"\\ud83d \\ude00\"", "\"\xef\xbf\xbd \xef\xbf\xbd\"" },
        { "\"\x7f\"", "\"\x7f\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_auto) buf out;
        buf_init(&out, NULL, 1 << 20);
        REQUIRE(json_check(text_of(cases[i].text), NULL) == PGC_OK);
        json_add_go(&out, text_of(cases[i].text));
        CHECK_STR(out.ptr, cases[i].expected);
    }
}

static void any_bytes_become_a_string_that_is_json(void)
{
    static const char bytes[] = "a\"\\\n\x01\xff\xc3\0z\xed\xa0\x80";
    AUTO(buf_auto) buf out;
    buf_init(&out, NULL, 1 << 20);
    json_add_text(&out, (slice) { bytes, sizeof(bytes) - 1 });
    CHECK_STR(out.ptr, "\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd"
                       "\xef\xbf\xbd\"");
    CHECK_INT(json_check(buf_view(&out), NULL), PGC_OK);
}

static void members_are_found_by_their_decoded_key(void)
{
    slice object = SLICE("{\"a\\u0062\": 1, \"c\" : {\"d\":[2]}, \"c\":3}");
    CHECK(slice_eq_str(json_get(object, SLICE("ab")), "1"));
    CHECK(slice_eq_str(json_get(object, SLICE("c")), "3"));
    CHECK(json_get(object, SLICE("a")).ptr == NULL);
    json_walk walk;
    json_member member;
    size_t count = 0;
    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &member)) {
        count++;
    }
    CHECK_INT(count, 3);
    json_walk_begin(&walk, SLICE(" { } "));
    CHECK(!json_walk_next(&walk, &member));
}

TAP_MAIN(TAP("river json: checks refuse what is no JSON", checks_refuse_what_is_no_json),
         TAP("river json: a NUL behind a backslash is no escape", a_nul_is_no_escape),
         TAP("river json: depth has a limit", depth_has_a_limit),
         TAP("river json: an object is asked for", an_object_is_asked_for),
         TAP("river json: Go's spelling", go_spelling),
         TAP("river json: any bytes become a string that is JSON",
             any_bytes_become_a_string_that_is_json),
         TAP("river json: members are found by their decoded key",
             members_are_found_by_their_decoded_key))
