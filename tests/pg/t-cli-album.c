/* The commands `lumilio album …` as a person runs them: text, JSON, exit codes, and the question
 * before something goes for good. The cases build on one another. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "person.h"
#include "program.h"
#include "tap.h"

static test_library lib;
static person owner;
static char ids[3][PGC_UUID_TEXT_SIZE];
static char album[16];

static void wrong_calls_are_told_and_exit_2(void)
{
    static const char *const CALLS[][5] = {
        { "album", "create" },
        { "album", "create", "a", "b" },
        { "album", "show" },
        { "album", "show", "x" },
        { "album", "show", "0" },
        { "album", "delete", "-1" },
        { "album", "add", "1" },
        { "album", "add", "1", "not-an-id" },
        { "album", "list", "operand" },
        { "album", "list", "--cover", "x" },
    };
    for (size_t i = 0; i < sizeof CALLS / sizeof CALLS[0]; i++) {
        CHECK_INT(program_run_as(program_user, CALLS[i]), 2);
        CHECK_STR(program_out, "");
        CHECK(program_says(program_err, "lumilio help album"));
    }
    CHECK_INT(PROGRAM_PLAIN("album"), 2);
    CHECK(program_says(program_err, "album create"));
    CHECK_INT(PROGRAM_PLAIN("help", "album", "add"), 0);
    CHECK(program_says(program_out, "--behind ID"));
}

static void an_album_is_made_and_listed(void)
{
    CHECK_INT(PROGRAM("album", "list"), 0);
    CHECK(program_says(program_out, "lumilio album create"));
    CHECK_INT(PROGRAM("album", "create", "Summer", "--description", "at the sea", "--json"), 0);
    AUTO(program_json_auto) json_t *made = program_json();
    CHECK_STR(program_text(made, "name"), "Summer");
    CHECK_STR(program_text(made, "description"), "at the sea");
    (void) snprintf(album, sizeof album, "%lld", program_number(made, "album_id"));
    CHECK_INT(PROGRAM("album", "list"), 0);
    CHECK(program_says(program_out, "Summer\n"));
    CHECK_INT(PROGRAM("album", "create", "a\x1b[31m"), 1);
    CHECK(program_says(program_err, "album name: control character at byte 2"));
    CHECK_INT(PROGRAM("album", "list", "--limit", "1001"), 1);
    CHECK(program_says(program_err, "1 to 1000"));
}

static void assets_are_put_moved_and_taken_out(void)
{
    CHECK_INT(PROGRAM("album", "show", album), 0);
    CHECK(program_says(program_out, "is empty"));
    CHECK_INT(PROGRAM("album", "add", album, ids[0], ids[1]), 0);
    CHECK(program_says(program_out, "2 added"));
    CHECK_INT(PROGRAM("album", "add", album, ids[2], "--at", "1"), 0);
    CHECK_INT(PROGRAM("album", "move", album, ids[0], "--behind", ids[1]), 0);
    CHECK_INT(PROGRAM("album", "show", album), 0);
    const char *c = strstr(program_out, ids[2]);
    const char *b = strstr(program_out, ids[1]);
    const char *a = strstr(program_out, ids[0]);
    CHECK(c != NULL && b > c && a > b);
    CHECK_INT(PROGRAM("album", "reorder", album, ids[0], ids[1], ids[2]), 0);
    CHECK(program_says(program_out, "reordered"));
    CHECK_INT(PROGRAM("album", "reorder", album, ids[0], ids[1], ids[2]), 0);
    CHECK(program_says(program_out, "already"));
    CHECK_INT(PROGRAM("album", "show", album, "--json", "--limit", "2"), 0);
    AUTO(program_json_auto) json_t *page = program_json();
    CHECK_INT(json_array_size(json_object_get(page, "assets")), 2);
    CHECK_INT(PROGRAM("album", "show", album, "--json", "--after", program_text(page, "next")), 0);
    AUTO(program_json_auto) json_t *rest = program_json();
    CHECK_INT(json_array_size(json_object_get(rest, "assets")), 1);
    CHECK(json_is_null(json_object_get(rest, "next")));
    CHECK_INT(PROGRAM("album", "show", album, "--after", "7"), 1);
    CHECK(program_says(program_err, "--after 7"));
    CHECK_INT(PROGRAM("album", "remove", album, ids[2]), 0);
    CHECK_INT(PROGRAM("album", "remove", album, ids[2]), 1);
    CHECK(program_says(program_err, "is not in album"));
    CHECK_INT(PROGRAM("album", "add", album, ids[2], "--at", "1", "--behind", ids[0]), 1);
    CHECK_INT(PROGRAM("album", "add", album, ids[2], "--behind", "x"), 1);
    CHECK_INT(PROGRAM("album", "add", "2000000000", ids[2]), 1);
    CHECK(program_says(program_err, "there is no album"));
}

static void an_album_is_changed_and_shown_to_others(void)
{
    CHECK_INT(PROGRAM("album", "update", album, "--name", "Winter", "--cover", ids[1]), 0);
    CHECK_INT(PROGRAM_AS("neighbour", "album", "public"), 0);
    CHECK(program_says(program_out, "no public albums"));
    CHECK_INT(PROGRAM("album", "update", album, "--public", "--private"), 1);
    CHECK_INT(PROGRAM("album", "update", album, "--cover", "x"), 1);
    CHECK_INT(PROGRAM("album", "update", album, "--public"), 0);
    CHECK(program_says(program_out, "Winter (public)"));
    CHECK_INT(PROGRAM_AS("neighbour", "album", "public"), 0);
    CHECK(program_says(program_out, "Winter by tester"));
    CHECK_INT(PROGRAM_AS("neighbour", "album", "public", "--json"), 0);
    AUTO(program_json_auto) json_t *list = program_json();
    CHECK_STR(program_text(json_array_get(list, 0), "cover_asset_id"), ids[1]);
    CHECK_INT(PROGRAM_AS("neighbour", "album", "public", album), 0);
    CHECK(program_says(program_out, "a.jpg"));
    CHECK_INT(PROGRAM_AS("neighbour", "album", "public", album, "--json"), 0);
    AUTO(program_json_auto) json_t *set = program_json();
    CHECK_INT(json_array_size(set), 2);
    CHECK_INT(PROGRAM_AS("neighbour", "album", "update", album, "--name", "x"), 1);
    CHECK_INT(PROGRAM("album", "update", album, "--private", "--cover", "none"), 0);
    CHECK_INT(PROGRAM_AS("neighbour", "album", "public", album), 0);
    CHECK(program_says(program_out, "nothing to see"));
}

static void what_is_deleted_comes_back_until_it_is_purged(void)
{
    CHECK_INT(PROGRAM("album", "delete", album), 0);
    CHECK(program_says(program_out, "album restore"));
    CHECK_INT(PROGRAM("album", "show", album), 1);
    CHECK_INT(PROGRAM("album", "list", "--trash"), 0);
    CHECK(program_says(program_out, "Winter"));
    CHECK_INT(PROGRAM("album", "restore", album, "--json"), 0);
    CHECK_INT(PROGRAM("album", "delete", album), 0);
    CHECK_INT(PROGRAM("album", "purge", album), 1); /* nobody at the terminal to say yes */
    CHECK(program_says(program_err, "not confirmed"));
    CHECK(program_says(program_err, "hint: --yes"));
    CHECK_INT(PROGRAM("album", "purge", album, "--yes"), 0);
    CHECK_INT(PROGRAM("album", "restore", album), 1);
    CHECK_INT(PROGRAM("album", "list", "--trash"), 0);
    CHECK(program_says(program_out, "no albums in the trash"));
}

static const tap_case CASES[] = {
    TAP("album command: wrong calls are told and exit 2", wrong_calls_are_told_and_exit_2),
    TAP("album command: one is made and listed", an_album_is_made_and_listed),
    TAP("album command: assets are put, moved and taken out", assets_are_put_moved_and_taken_out),
    TAP("album command: one is changed and shown to others",
        an_album_is_changed_and_shown_to_others),
    TAP("album command: what is deleted comes back until it is purged",
        what_is_deleted_comes_back_until_it_is_purged),
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
    static const char *const NAMES[] = { "a.jpg", "b.jpg", "c.jpg" };
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        pgc_uuid id = person_add(&owner, NAMES[i]);
        pgc_uuid_format(&id, ids[i]);
    }
    program_set_up(lib.home, lib.url, "tester");
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    person_done(&owner);
    test_library_remove(&lib);
    return code;
}
