/* Checks of what people type: what is refused, and what the message shows of it. */
#include "base/prelude.h"

#include "service/check.h"
#include "tap.h"

static pgc_error err;

static bool says(pgc_status status, const char *message)
{
    return CHECK_STATUS(status, PGC_INVALID, &err) && CHECK_STR(err.message, message);
}

static bool quotes(slice text, const char *want)
{
    slice got = check_quote(text);
    return CHECK_INT(got.len, strlen(want)) && CHECK(memcmp(got.ptr, want, got.len) == 0);
}

static void quotes_are_short_and_printable(void)
{
    char longest[100];
    memset(longest, 'a', sizeof longest);
    CHECK_INT(check_quote((slice) { longest, sizeof longest }).len, 60);
    memcpy(longest + 59, "\xc3\xa9", 2); /* would end in the middle of a character */
    CHECK_INT(check_quote((slice) { longest, sizeof longest }).len, 59);
    CHECK(quotes(SLICE("caf\xc3\xa9"), "caf\xc3\xa9"));
    CHECK(quotes(SLICE("a\x1b[2J"), "a"));
    CHECK(quotes(SLICE("a\xc2\x9b"), "a")); /* C1, which some terminals obey */
    CHECK(quotes(SLICE("a\xff"), "a"));
    CHECK(quotes(SLICE("a\0b"), "a"));
    CHECK(quotes(SLICE("\n"), ""));
    CHECK(quotes(SLICE(""), ""));
}

static void words_are_listed(void)
{
    static const char *const SIZES[] = { "small", "medium", "large" };
    static const check_words THREE = { "size", SIZES, 3 };
    static const check_words TWO = { "size", SIZES, 2 };
    static const check_words ONE = { "size", SIZES, 1 };
    size_t index = 7;
    CHECK_STATUS(check_word(&THREE, SLICE("large"), &index, &err), PGC_OK, &err);
    CHECK_INT(index, 2);
    CHECK(says(check_word(&THREE, SLICE("huge"), &index, &err),
               "size \"huge\": use small, medium or large"));
    CHECK(says(check_word(&TWO, SLICE("Small"), &index, &err),
               "size \"Small\": use small or medium"));
    CHECK(says(check_word(&ONE, SLICE(""), &index, &err), "size \"\": use small"));
    CHECK(says(check_word(&ONE, (slice) { NULL, 0 }, &index, &err), "size \"\": use small"));
    CHECK(says(check_word(&ONE, SLICE("small\0"), &index, &err), "size \"small\": use small"));
    CHECK_INT(index, 2);
}

/* More of them than a message has room for: the list ends, nothing is written behind it. */
static void a_long_list_of_words_is_cut(void)
{
    static const char *words[40];
    size_t index = 0;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        words[i] = "syllable";
    }
    const check_words many = { "word", words, ARRAY_LEN(words) };
    CHECK_STATUS(check_word(&many, SLICE("x"), &index, &err), PGC_INVALID, &err);
    CHECK(strlen(err.message) < 160);
}

static void characters_are_counted(void)
{
    CHECK_STATUS(check_chars("name", SLICE("\xc3\xa9\xc3\xa9\xc3\xa9"), 3, &err), PGC_OK, &err);
    CHECK_STATUS(check_chars("name", (slice) { NULL, 0 }, 3, &err), PGC_OK, &err);
    CHECK(says(check_chars("name", SLICE("\xc3\xa9\xc3\xa9\xc3\xa9x"), 3, &err),
               "name: 4 characters, at most 3 are allowed"));
    CHECK(says(check_chars("name", SLICE("a\0b"), 3, &err),
               "name: not valid UTF-8, or with a NUL in it"));
    CHECK(says(check_chars("name", SLICE("\xed\xa0\x80"), 3, &err),
               "name: not valid UTF-8, or with a NUL in it"));
}

static void names_are_of_printable_characters(void)
{
    CHECK_STATUS(check_name("tag name", SLICE("S\xc3\xa3o Tom\xc3\xa9"), 20, &err), PGC_OK, &err);
    CHECK(says(check_name("tag name", SLICE(" \t"), 20, &err), "tag name: must not be empty"));
    CHECK(says(check_name("tag name", SLICE("a "), 20, &err), "tag name \"a \": blanks at an end"));
    CHECK(says(check_name("tag name", SLICE("a\x1b[2J"), 20, &err),
               "tag name: control character at byte 2"));
    CHECK(says(check_name("tag name", SLICE("abcd"), 3, &err),
               "tag name \"abcd\xe2\x80\xa6\": 4 characters, at most 3 are allowed"));
}

static void numbers_have_bounds(void)
{
    CHECK_STATUS(check_confidence("confidence", 0, &err), PGC_OK, &err);
    CHECK_STATUS(check_confidence("confidence", 1, &err), PGC_OK, &err);
    CHECK(says(check_confidence("confidence", 1.5, &err), "confidence 1.5: a number from 0 to 1"));
    CHECK_STATUS(check_confidence("confidence", (double) NAN, &err), PGC_INVALID, &err);
    CHECK_STATUS(check_limit("list", 1000, &err), PGC_OK, &err);
    CHECK(says(check_limit("list", 1001, &err), "list: page of 1001 rows: 1 to 1000"));
    CHECK(says(check_count("tags", 0, 5, &err), "tags: 0 given, 1 to 5 are allowed"));
    CHECK_STATUS(check_text("text", SLICE("abc"), 3, &err), PGC_OK, &err);
    CHECK(says(check_text("text", SLICE("abcd"), 3, &err), "text: 4 bytes, at most 3 are allowed"));
}

TAP_MAIN(TAP("check: quotes are short and printable", quotes_are_short_and_printable),
         TAP("check: one of a few words, or all of them are listed", words_are_listed),
         TAP("check: a long list of words is cut", a_long_list_of_words_is_cut),
         TAP("check: characters are counted, not bytes", characters_are_counted),
         TAP("check: names are of printable characters", names_are_of_printable_characters),
         TAP("check: numbers, counts and texts have bounds", numbers_have_bounds))
