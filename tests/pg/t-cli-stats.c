/* The commands `lumilio repo …`, `species …` and `stats …` as a person runs them. The cases build
 * on one another. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "person.h"
#include "program.h"
#include "service/species.h"
#include "tap.h"

static test_library lib;
static person owner;
static char asset[PGC_UUID_TEXT_SIZE];
static char first[PGC_UUID_TEXT_SIZE], second[PGC_UUID_TEXT_SIZE];

static const char *folder(const char *name)
{
    static char path[256];
    (void) snprintf(path, sizeof path, "%s/%s", lib.source, name);
    return path;
}

static void wrong_calls_are_told_and_exit_2(void)
{
    static const char *const CALLS[][5] = {
        { "repo", "create" },
        { "repo", "show", "1" },
        { "repo", "move", "x", "y" },
        { "repo", "default" },
        { "repo", "delete", "1" },
        { "species", "of", "1" },
        { "species", "assets" },
        { "stats", "totals", "x" },
        { "stats", "recount", "x" },
        { "stats", "cameras", "x" },
        { "stats", "years", "--limit", "5" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CALLS); i++) {
        CHECK_INT(program_run_as(program_user, CALLS[i]), 2);
        CHECK_STR(program_out, "");
        CHECK(program_says(program_err, "lumilio help "));
    }
    CHECK_INT(PROGRAM_PLAIN("repo"), 2);
    CHECK(program_says(program_err, "repo create"));
}

static void repositories_are_made_and_changed(void)
{
    CHECK_INT(PROGRAM("repo", "list"), 0);
    CHECK(program_says(program_out, "no repositories"));
    CHECK_INT(PROGRAM("repo", "create", folder("one"), "--strategy", "cas", "--json"), 0);
    AUTO(program_json_auto) json_t *one = program_json();
    CHECK_STR(program_text(one, "name"), "one");
    CHECK_STR(program_text(one, "storage_strategy"), "cas");
    CHECK(json_is_true(json_object_get(one, "is_default")));
    (void) snprintf(first, sizeof first, "%s", program_text(one, "repo_id"));
    CHECK_INT(PROGRAM("repo", "create", folder("two"), "--name", "Second", "--json"), 0);
    AUTO(program_json_auto) json_t *two = program_json();
    (void) snprintf(second, sizeof second, "%s", program_text(two, "repo_id"));
    CHECK_INT(PROGRAM("repo", "default", second), 0);
    CHECK(program_says(program_out, "default"));
    CHECK_INT(PROGRAM("repo", "update", first, "--name", "First", "--strategy", "flat"), 0);
    CHECK(program_says(program_out, "flat"));
    CHECK_INT(PROGRAM("repo", "list"), 0);
    CHECK(program_says(program_out, "First"));
    CHECK_INT(PROGRAM("repo", "list", "--json"), 0);
    AUTO(program_json_auto) json_t *list = program_json();
    CHECK_STR(program_text(json_array_get(list, 0), "name"), "Second");
    char from[256];
    (void) snprintf(from, sizeof from, "%s", folder("one"));
    CHECK_INT(rename(from, folder("three")), 0);
    CHECK_INT(PROGRAM("repo", "move", first, folder("three")), 0);
    CHECK(program_says(program_out, "/three"));
}

static void mistakes_are_told(void)
{
    CHECK_INT(PROGRAM("repo", "create", "relative"), 1);
    CHECK(program_says(program_err, "give a whole path"));
    CHECK_INT(PROGRAM("repo", "create", folder("two")), 1);
    CHECK(program_says(program_err, "is that folder"));
    CHECK_INT(PROGRAM("repo", "create", folder("x"), "--strategy", "odd"), 1);
    CHECK(program_says(program_err, "date, flat or cas"));
    CHECK_INT(PROGRAM("repo", "move", first, folder("nowhere")), 1);
    CHECK_INT(PROGRAM("repo", "show", asset), 1);
    CHECK(program_says(program_err, "there is no such repository"));
    CHECK_INT(PROGRAM("repo", "delete", first), 1);
    CHECK(program_says(program_err, "not confirmed"));
    CHECK_INT(PROGRAM("repo", "delete", second, "--yes"), 1);
    CHECK(program_says(program_err, "it is the default one"));
    CHECK_INT(PROGRAM("repo", "delete", first, "--yes"), 0);
    CHECK(program_says(program_out, "its folder stays"));
    CHECK_INT(PROGRAM("species", "list", "--least", "2"), 1);
    CHECK(program_says(program_err, "a number from 0 to 1"));
    CHECK_INT(PROGRAM("species", "list", "--least", "x"), 1);
    CHECK_INT(PROGRAM("stats", "cameras", "--limit", "1001"), 1);
}

static void species_are_counted_and_listed(void)
{
    CHECK_INT(PROGRAM("species", "list"), 0);
    CHECK(program_says(program_out, "         1  Parus major\n"));
    CHECK_INT(PROGRAM("species", "list", "--least", "0.9", "--json"), 0);
    CHECK_STR(program_out, "[]\n");
    CHECK_INT(PROGRAM("species", "of", asset), 0);
    CHECK(program_says(program_out, "0.7500  Parus major"));
    CHECK_INT(PROGRAM("species", "of", asset, "--json"), 0);
    AUTO(program_json_auto) json_t *of = program_json();
    CHECK_INT(json_array_size(of), 2);
    CHECK_INT(PROGRAM("species", "assets", "Parus major"), 0);
    CHECK(program_says(program_out, asset));
    CHECK_INT(PROGRAM("species", "assets", "Parus major", "--json"), 0);
    AUTO(program_json_auto) json_t *assets = program_json();
    CHECK_INT(json_array_size(assets), 1);
}

static void statistics_are_lines_or_json(void)
{
    CHECK_INT(PROGRAM("stats", "totals"), 0);
    CHECK(program_says(program_out, "photos         1\n"));
    CHECK_INT(PROGRAM("stats", "totals", "--json"), 0);
    AUTO(program_json_auto) json_t *totals = program_json();
    CHECK_INT(program_number(totals, "bytes"), 1000);
    CHECK_INT(PROGRAM("tag", "add", "bird", asset), 0);
    CHECK_INT(PROGRAM("stats", "tags"), 0);
    CHECK(program_says(program_out, "1  bird"));
    CHECK_INT(PROGRAM("stats", "cameras"), 0);
    CHECK(program_says(program_out, "1  Nikon"));
    CHECK_INT(PROGRAM("stats", "lenses", "--json"), 0);
    AUTO(program_json_auto) json_t *lenses = program_json();
    CHECK_STR(program_text(json_array_get(lenses, 0), "lens"), "50mm");
    CHECK_INT(PROGRAM("stats", "years"), 0);
    CHECK(program_says(program_out, "1  2023"));
    CHECK_INT(PROGRAM("stats", "storage"), 0);
    CHECK(program_says(program_out, "Second"));
    CHECK_INT(PROGRAM("stats", "storage", "--json"), 0);
    AUTO(program_json_auto) json_t *storage = program_json();
    CHECK_INT(json_array_size(storage), 1);
    CHECK_INT(PROGRAM("stats", "recount"), 0);
    CHECK(program_says(program_out, "tags           0 counted wrong and mended"));
    CHECK_INT(PROGRAM("stats", "recount", "--json"), 0);
    AUTO(program_json_auto) json_t *mended = program_json();
    CHECK_INT(program_number(mended, "albums"), 0);
    CHECK_INT(PROGRAM_AS("nobody", "stats", "tags"), 0);
    CHECK_STR(program_out, "nothing to count\n");
}

static void a_smart_album_is_shown(void)
{
    CHECK_INT(
        PROGRAM("album", "create", "Birds", "--filter", "{\"tags_any\": [\"bird\"]}", "--json"), 0);
    AUTO(program_json_auto) json_t *made = program_json();
    char id[16];
    (void) snprintf(id, sizeof id, "%lld", program_number(made, "album_id"));
    CHECK_INT(PROGRAM("album", "list"), 0);
    CHECK(program_says(program_out, "         ?  Birds"));
    CHECK_INT(PROGRAM("album", "list", "--json"), 0);
    AUTO(program_json_auto) json_t *unknown = program_json();
    CHECK(json_is_null(json_object_get(json_array_get(unknown, 0), "asset_count")));
    CHECK_INT(PROGRAM("album", "show", id), 0);
    CHECK(program_says(program_out, asset));
    CHECK_INT(PROGRAM("album", "list"), 0);
    CHECK(program_says(program_out, "        ~1  Birds"));
    CHECK_INT(PROGRAM("album", "list", "--json"), 0);
    AUTO(program_json_auto) json_t *counted = program_json();
    CHECK_INT(program_number(json_array_get(counted, 0), "asset_count"), 1);
    CHECK(json_is_string(json_object_get(json_array_get(counted, 0), "counted_at")));
    CHECK_INT(PROGRAM("album", "update", id, "--filter", "{\"tags_any\": [\"fish\"]}"), 0);
    CHECK_INT(PROGRAM("album", "show", id), 0);
    CHECK(program_says(program_out, "finds nothing"));
    CHECK_INT(PROGRAM("album", "show", id, "--json"), 0);
    AUTO(program_json_auto) json_t *page = program_json();
    CHECK_INT(json_array_size(json_object_get(page, "assets")), 0);
    CHECK_INT(PROGRAM("album", "add", id, asset), 1);
    CHECK(program_says(program_err, "smart album"));
    CHECK_INT(PROGRAM("album", "create", "x", "--filter", "{\"colour\": 1}"), 1);
    CHECK(program_says(program_err, "colour"));
}

static const tap_case CASES[] = {
    TAP("repo, species, stats: wrong calls are told and exit 2", wrong_calls_are_told_and_exit_2),
    TAP("repo command: repositories are made and changed", repositories_are_made_and_changed),
    TAP("repo, species, stats: mistakes are told", mistakes_are_told),
    TAP("species command: counted and listed", species_are_counted_and_listed),
    TAP("stats command: lines or JSON", statistics_are_lines_or_json),
    TAP("album command: a smart one is shown", a_smart_album_is_shown),
};

/* One photo with everything that is counted. */
static bool fill(void)
{
    static const lum_species SPECIES[] = { { SLICE("Parus major"), SLICE("Great tit"), 0.75 },
                                           { SLICE("Pica pica"), { NULL, 0 }, 0.25 } };
    const lum_species_run run = { SPECIES, 2, SLICE("m") };
    pgc_error err;
    pgc_error_clear(&err);
    repo_create_asset_params row = person_photo(&owner, "bird.jpg");
    row.camera_make = SLICE("Nikon");
    row.lens_model = SLICE("50mm");
    pgc_uuid id = person_add_row(&owner, &row);
    pgc_uuid_format(&id, asset);
    return CHECK_STATUS(lum_species_save(owner.actor, id, &run, &err), PGC_OK, &err);
}

int main(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    if (!test_library_make(&lib) || !test_library_open(&lib, &err) ||
        !person_make(&lib, &owner, "tester") || !fill()) {
        (void) printf("Bail out! %s\n", err.message);
        return 1;
    }
    program_set_up(lib.home, lib.url, "tester");
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    person_done(&owner);
    test_library_remove(&lib);
    return code;
}
