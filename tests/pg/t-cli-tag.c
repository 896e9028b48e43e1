/* The commands `lumilio tag …` as a person runs them: text, JSON, exit codes, and what is asked
 * before something goes for good. The cases build on one another. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "person.h"
#include "program.h"
#include "tap.h"

static test_library lib;
static person owner;
static char ids[3][PGC_UUID_TEXT_SIZE];

static void wrong_calls_are_told_and_exit_2(void)
{
    static const char *const CALLS[][5] = {
        { "tag", "create" },     { "tag", "rename", "a" },   { "tag", "merge" },
        { "tag", "add", "cat" }, { "tag", "add", "a", "b" }, { "tag", "of" },
        { "tag", "list", "x" },  { "tag", "delete" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CALLS); i++) {
        CHECK_INT(program_run_as(program_user, CALLS[i]), 2);
        CHECK_STR(program_out, "");
        CHECK(program_says(program_err, "lumilio help tag"));
    }
    CHECK_INT(PROGRAM_PLAIN("help", "tag", "merge"), 0);
    CHECK(program_says(program_out, "--dry-run"));
}

static void tags_are_made_given_and_listed(void)
{
    CHECK_INT(PROGRAM("tag", "list"), 0);
    CHECK_STR(program_out, "no tags\n");
    CHECK_INT(PROGRAM("tag", "create", "cat", "--category", "animal", "--json"), 0);
    AUTO(program_json_auto) json_t *made = program_json();
    CHECK_STR(program_text(made, "name"), "cat");
    CHECK_INT(PROGRAM("tag", "add", "cat", ids[0], ids[1]), 0);
    CHECK(program_says(program_out, "given; assets: 2"));
    CHECK_INT(PROGRAM("tag", "add", "dog", ids[0], "--source", "clip", "--confidence", "0.25"), 0);
    CHECK_INT(PROGRAM("tag", "add", "cat", ids[0], "--source", "clip"), 0);
    CHECK(program_says(program_out, "assets: 0")); /* AI does not go over a person */
    CHECK_INT(PROGRAM("tag", "list"), 0);
    CHECK(program_says(program_out, "       2  cat\n"));
    CHECK(program_says(program_out, "       1  dog (from AI)\n"));
    CHECK_INT(PROGRAM("tag", "list", "--json", "--category", "animal"), 0);
    AUTO(program_json_auto) json_t *list = program_json();
    CHECK_INT(json_array_size(list), 1);
    CHECK_INT(PROGRAM("tag", "list", "--limit", "1", "--after", "cat"), 0);
    CHECK(program_says(program_out, "dog"));
    CHECK_INT(PROGRAM("tag", "of", ids[0]), 0);
    CHECK(program_says(program_out, "clip            0.25  dog"));
    CHECK_INT(PROGRAM("tag", "of", ids[0], ids[1], "--json"), 0);
    AUTO(program_json_auto) json_t *of = program_json();
    CHECK_INT(json_array_size(of), 3);
}

static void mistakes_are_told(void)
{
    CHECK_INT(PROGRAM("tag", "add", "cat", ids[0], "--confidence", "1.5"), 1);
    CHECK(program_says(program_err, "a number from 0 to 1"));
    CHECK_INT(PROGRAM("tag", "add", "cat", ids[0], "--confidence", "nan"), 1);
    CHECK_INT(PROGRAM("tag", "add", "cat", ids[0], "--source", "me"), 1);
    CHECK(program_says(program_err, "user, clip or smart_classify"));
    CHECK_INT(PROGRAM("tag", "add", "", ids[0]), 1);
    CHECK(program_says(program_err, "tag name: must not be empty"));
    CHECK_INT(PROGRAM("tag", "remove", "bird", ids[0]), 1);
    CHECK(program_says(program_err, "find tag \"bird\": there is no such tag"));
    CHECK_INT(PROGRAM("tag", "update", "cat"), 1);
    CHECK_INT(PROGRAM("tag", "list", "--limit", "2000"), 1);
    CHECK_INT(PROGRAM("tag", "merge", "cat"), 1);
    CHECK(program_says(program_err, "--into"));
}

static void names_and_categories_change(void)
{
    CHECK_INT(PROGRAM("tag", "rename", "cat", "Katze"), 0);
    CHECK(program_says(program_out, "tag \"Katze\""));
    CHECK_INT(PROGRAM("tag", "rename", "dog", "Hund"), 1);
    CHECK(program_says(program_err, "shared"));
    CHECK_INT(PROGRAM("tag", "create", "Hund"), 0);
    CHECK_INT(PROGRAM("tag", "rename", "Hund", "Katze"), 1);
    CHECK(program_says(program_err, "already"));
    CHECK_INT(PROGRAM("tag", "update", "Katze", "--category", ""), 0);
    CHECK_INT(PROGRAM("tag", "list", "--category", "animal"), 0);
    CHECK_STR(program_out, "no tags\n");
    CHECK_INT(PROGRAM("tag", "remove", "Katze", ids[1]), 0);
}

static void what_goes_for_good_is_asked_first(void)
{
    CHECK_INT(PROGRAM("tag", "merge", "dog", "--into", "Hund"), 1);
    CHECK(program_says(program_err, "which 1 assets have: not confirmed"));
    CHECK_INT(PROGRAM("tag", "merge", "dog", "--into", "Hund", "--dry-run", "--json"), 0);
    AUTO(program_json_auto) json_t *dry = program_json();
    CHECK_INT(program_number(dry, "assets"), 1);
    CHECK_INT(PROGRAM("tag", "list", "--part", "DOG"), 0);
    CHECK(program_says(program_out, "dog"));
    CHECK_INT(PROGRAM("tag", "merge", "dog", "--into", "Hund", "--yes"), 0);
    CHECK_INT(PROGRAM("tag", "of", ids[0]), 0);
    CHECK(program_says(program_out, "Hund"));
    CHECK_INT(PROGRAM("tag", "delete", "Hund"), 1);
    CHECK_INT(PROGRAM("tag", "delete", "Hund", "--dry-run"), 0);
    CHECK(program_says(program_out, "nothing is changed"));
    CHECK_INT(PROGRAM("tag", "delete", "Hund", "--yes"), 0);
    CHECK_INT(PROGRAM("tag", "delete", "Hund", "--yes"), 1);
    CHECK_INT(PROGRAM("tag", "of", ids[1]), 0);
    CHECK_STR(program_out, "no tags\n");
}

static const tap_case CASES[] = {
    TAP("tag command: wrong calls are told and exit 2", wrong_calls_are_told_and_exit_2),
    TAP("tag command: tags are made, given and listed", tags_are_made_given_and_listed),
    TAP("tag command: mistakes are told", mistakes_are_told),
    TAP("tag command: names and categories change", names_and_categories_change),
    TAP("tag command: what goes for good is asked first", what_goes_for_good_is_asked_first),
};

int main(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    if (!test_library_make(&lib) || !test_library_open(&lib, &err) ||
        !person_make(&lib, &owner, "tester")) {
        (void) printf("Bail out! %s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        pgc_uuid id = person_add(&owner, "t.jpg");
        pgc_uuid_format(&id, ids[i]);
    }
    program_set_up(lib.home, lib.url, "tester");
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    person_done(&owner);
    test_library_remove(&lib);
    return code;
}
