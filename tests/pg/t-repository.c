/* Repositories, species and statistics on a real server. One library for all cases; each has users
 * of its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include <sys/stat.h>

#include "crowd.h"
#include "person.h"
#include "schema.h"
#include "service/repository.h"
#include "service/species.h"
#include "service/statistics.h"
#include "service/tag.h"
#include "tap.h"

/* Another one beside the person of the case, whose name is one letter shorter. */
#define ANOTHER(library, name)     \
    AUTO(person_done) person name; \
    REQUIRE(person_make((library), &name, &__func__[1]))

static test_library lib;
static pgc_conn *root; /* superuser: looks behind the policies */

/* A folder of the test's, by name. */
static const char *folder(const char *name)
{
    static char paths[4][256];
    static size_t next;
    char *path = paths[next++ % ARRAY_LEN(paths)];
    (void) snprintf(path, sizeof paths[0], "%s/%s", lib.source, name);
    return path;
}

static pgc_uuid repository_make(const person *owner, const char *name, bool make_default)
{
    pgc_error err;
    pgc_error_clear(&err);
    pgc_uuid id = { { 0 } };
    repo_repository_set set = PGC_ZERO;
    const lum_repository_new new = { .name = pgc_text_from(name),
                                     .path = folder(name),
                                     .strategy = LUM_STRATEGY_FLAT,
                                     .make_default = make_default };
    if (CHECK_STATUS(lum_repository_create(owner->actor, env_default(), &new, &set, &err), PGC_OK,
                     &err)) {
        id = set.rows[0].repo_id;
    }
    repo_repository_set_free(&set);
    return id;
}

/* Names of the actor's repositories, the default one first. */
static const char *names_of(const person *who)
{
    static char text[512];
    size_t used = 0;
    pgc_error err;
    pgc_error_clear(&err);
    repo_repository_set set = PGC_ZERO;
    CHECK_STATUS(lum_repository_list(who->actor, &set, &err), PGC_OK, &err);
    text[0] = '\0';
    for (size_t i = 0; i < set.count && used < sizeof text; i++) {
        used += (size_t) snprintf(text + used, sizeof text - used, "%s%" SLICE_FMT "%s",
                                  i > 0 ? " " : "", SLICE_ARG(set.rows[i].name),
                                  set.rows[i].is_default ? "*" : "");
    }
    repo_repository_set_free(&set);
    return text;
}

static void the_first_one_is_the_default(void)
{
    PERSON(&lib, owner);
    repo_repository_set set = PGC_ZERO;
    struct stat about;
    pgc_uuid first = repository_make(&owner, "r1", false);
    CHECK(stat(folder("r1/inbox"), &about) == 0 && S_ISDIR(about.st_mode));
    pgc_uuid second = repository_make(&owner, "r2", false);
    (void) repository_make(&owner, "r3", true);
    CHECK_STR(names_of(&owner), "r3* r1 r2");
    REQUIRE_OK(lum_repository_set_default(owner.actor, second, &err), &err);
    REQUIRE_OK(lum_repository_set_default(owner.actor, second, &err), &err);
    CHECK_STR(names_of(&owner), "r2* r1 r3");
    static const lum_strategy CAS = LUM_STRATEGY_CAS;
    REQUIRE_OK(lum_repository_update(owner.actor, first, SLICE("main"), &CAS, &err), &err);
    REQUIRE_OK(lum_repository_update(owner.actor, first, (pgc_text) { NULL, 0 }, NULL, &err), &err);
    REQUIRE_OK(lum_repository_get(owner.actor, first, &set, &err), &err);
    CHECK(slice_eq_str(set.rows[0].name, "main"));
    CHECK(slice_eq_str(set.rows[0].storage_strategy, "cas"));
    repo_repository_set_free(&set);
}

static void none_lies_inside_another(void)
{
    PERSON(&lib, owner);
    repo_repository_set set = PGC_ZERO;
    pgc_uuid outer = repository_make(&owner, "nest/outer", false);
    static const struct {
        const char *path;
        pgc_status status;
        const char *says;
    } BAD[] = {
        { "nest/outer", PGC_CONFLICT, "is that folder" },
        { "nest/outer/", PGC_CONFLICT, "is that folder" },
        { "nest//outer", PGC_CONFLICT, "is that folder" },
        { "nest", PGC_CONFLICT, "inside of it" },
        { "nest/outer/deep/er", PGC_INVALID, "above it is a repository" },
        { "nest/./x", PGC_INVALID, "\"..\" in it" },
        { "nest/x/../outer2", PGC_INVALID, "\"..\" in it" },
        { "\xff", PGC_INVALID, "UTF-8" },
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        const lum_repository_new new = { .name = SLICE("x"), .path = folder(BAD[i].path) };
        CHECK_STATUS(lum_repository_create(owner.actor, env_default(), &new, &set, &err),
                     BAD[i].status, &err);
        CHECK(person_says(&err, BAD[i].says));
    }
    static char longest[5000] = "/";
    memset(longest + 1, 'x', sizeof longest - 2);
    static const char *const PATHS[] = { "relative", "", "/", "//", longest };
    for (size_t i = 0; i < ARRAY_LEN(PATHS); i++) {
        const lum_repository_new new = { .name = SLICE("x"), .path = PATHS[i] };
        CHECK_STATUS(lum_repository_create(owner.actor, env_default(), &new, &set, &err),
                     PGC_INVALID, &err);
    }
    const lum_repository_new unnamed = { .name = SLICE(""), .path = folder("u") };
    CHECK_STATUS(lum_repository_create(owner.actor, env_default(), &unnamed, &set, &err),
                 PGC_INVALID, &err);
    const lum_repository_new odd = { .name = SLICE("x"),
                                     .path = folder("u"),
                                     .strategy = (lum_strategy) 9 };
    CHECK_STATUS(lum_repository_create(owner.actor, env_default(), &odd, &set, &err), PGC_INVALID,
                 &err);
    (void) repository_make(&owner, "nest/outer2", false); /* a neighbour is none inside */
    CHECK_STR(names_of(&owner), "nest/outer* nest/outer2");
    CHECK_STATUS(lum_repository_move(owner.actor, env_default(), outer, folder("nest/o3"), &err),
                 PGC_INVALID, &err);
    CHECK(person_says(&err, "move its folder there first"));
    char from[256];
    (void) snprintf(from, sizeof from, "%s", folder("nest/outer"));
    CHECK_INT(rename(from, folder("nest/o3")), 0);
    REQUIRE_OK(lum_repository_move(owner.actor, env_default(), outer, folder("nest/o3"), &err),
               &err);
    CHECK_STATUS(
        lum_repository_move(owner.actor, env_default(), outer, folder("nest/outer2"), &err),
        PGC_CONFLICT, &err);
}

static void one_with_assets_stays(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    pgc_uuid full = repository_make(&owner, "d1", false);
    pgc_uuid empty = repository_make(&owner, "d2", false);
    repo_create_asset_params row = person_photo(&owner, "a.jpg");
    row.repository_id = (pgc_opt_uuid) { true, full };
    pgc_uuid asset = person_add_row(&owner, &row);
    REQUIRE_OK(lum_asset_delete(owner.actor, asset, &err), &err);
    CHECK_STATUS(lum_repository_delete(owner.actor, full, &err), PGC_CONFLICT, &err);
    CHECK(person_says(&err, "1 assets are in it"));
    REQUIRE_OK(lum_repository_set_default(owner.actor, empty, &err), &err);
    CHECK_STATUS(lum_repository_delete(owner.actor, empty, &err), PGC_CONFLICT, &err);
    CHECK(person_says(&err, "it is the default one"));
    CHECK(strstr(err.hint, "another one the default") != NULL);
    /* A foreign one is as if it were not there. */
    repo_repository_set set = PGC_ZERO;
    CHECK_STATUS(lum_repository_get(other.actor, full, &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_repository_delete(other.actor, empty, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_repository_set_default(other.actor, empty, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_repository_update(other.actor, empty, SLICE("x"), NULL, &err), PGC_NOT_FOUND,
                 &err);
    CHECK_STATUS(lum_repository_move(other.actor, env_default(), empty, folder("d2"), &err),
                 PGC_NOT_FOUND, &err);
    REQUIRE_OK(lum_repository_set_default(owner.actor, full, &err), &err);
    REQUIRE_OK(lum_repository_delete(owner.actor, empty, &err), &err);
    CHECK_STATUS(lum_repository_delete(owner.actor, empty, &err), PGC_NOT_FOUND, &err);
    CHECK_STR(names_of(&owner), "d1*");
}

#define CROWD 64

typedef struct rush {
    const person *owner;
    const pgc_uuid *ids;
    size_t id_count;
    pgc_uuid asset;
    pgc_status status[CROWD];
} rush;

static void rush_default(void *arg, size_t number)
{
    rush *all = arg;
    all->status[number] =
        lum_repository_set_default(all->owner->actor, all->ids[number % all->id_count], NULL);
}

static void one_default_whoever_switches(void)
{
    PERSON(&lib, owner);
    const pgc_uuid ids[] = { repository_make(&owner, "s1", false),
                             repository_make(&owner, "s2", false),
                             repository_make(&owner, "s3", false) };
    rush all = { .owner = &owner, .ids = ids, .id_count = 3 };
    crowd_run(CROWD, rush_default, &all);
    for (size_t i = 0; i < CROWD; i++) {
        CHECK_INT(all.status[i], PGC_OK);
    }
    char sql[128];
    (void) snprintf(sql, sizeof sql,
                    "SELECT count(*) FROM repositories WHERE is_default AND owner_id = %" PRId32,
                    owner.id);
    CHECK_SQL(root, sql, "1");
}

/* Species. */

/* "name:confidence …" of an asset. */
static const char *species_of(const person *who, pgc_uuid asset)
{
    static char text[4096];
    size_t used = 0;
    pgc_error err;
    pgc_error_clear(&err);
    repo_list_species_of_asset_row_set set = PGC_ZERO;
    CHECK_STATUS(lum_species_list(who->actor, asset, &set, &err), PGC_OK, &err);
    text[0] = '\0';
    for (size_t i = 0; i < set.count && used < sizeof text; i++) {
        used += (size_t) snprintf(text + used, sizeof text - used, "%s%" SLICE_FMT ":%g",
                                  i > 0 ? " " : "", SLICE_ARG(set.rows[i].species_name),
                                  set.rows[i].confidence);
    }
    repo_list_species_of_asset_row_set_free(&set);
    return text;
}

static void predictions_are_replaced_as_a_whole(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    static const lum_species FIRST[] = { { SLICE("Parus major"), SLICE("Great tit"), 0.75 },
                                         { SLICE("Passer domesticus"), { NULL, 0 }, 0.25 } };
    static const lum_species SECOND[] = { { SLICE("Parus major"), SLICE("Kohlmeise"), 0.5 } };
    const lum_species_run first = { FIRST, 2, SLICE("bioclip-1") };
    const lum_species_run second = { SECOND, 1, { NULL, 0 } };
    const lum_species_run none = { NULL, 0, { NULL, 0 } };
    REQUIRE_OK(lum_species_save(owner.actor, a, &first, &err), &err);
    CHECK_STR(species_of(&owner, a), "Parus major:0.75 Passer domesticus:0.25");
    REQUIRE_OK(lum_species_save(owner.actor, a, &second, &err), &err);
    CHECK_STR(species_of(&owner, a), "Parus major:0.5");
    REQUIRE_OK(lum_species_save(owner.actor, b, &first, &err), &err);
    repo_count_species_row_set count = PGC_ZERO;
    REQUIRE_OK(lum_species_count(owner.actor, 0.5, 10, &count, &err), &err);
    REQUIRE(CHECK_INT(count.count, 1)); /* 0.25 is below the threshold */
    CHECK_INT(count.rows[0].asset_count, 2);
    CHECK(count.rows[0].best > 0.74 && count.rows[0].best < 0.76);
    repo_count_species_row_set_free(&count);
    repo_list_assets_of_species_row_set assets = PGC_ZERO;
    lum_species_query query = { .name = SLICE("Parus major"),
                                .min_confidence = LUM_SPECIES_CONFIDENCE,
                                .limit = 10 };
    REQUIRE_OK(lum_species_assets(owner.actor, &query, &assets, &err), &err);
    REQUIRE(CHECK_INT(assets.count, 2));
    CHECK(person_same(assets.rows[0].a.asset_id, b)); /* the surest first */
    repo_list_assets_of_species_row_set_free(&assets);
    REQUIRE_OK(lum_asset_delete(owner.actor, b, &err), &err);
    REQUIRE_OK(lum_species_assets(owner.actor, &query, &assets, &err), &err);
    CHECK_INT(assets.count, 1);
    repo_list_assets_of_species_row_set_free(&assets);
    /* Others see and change none. */
    CHECK_STATUS(lum_species_save(other.actor, a, &first, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "save species of asset"));
    CHECK_STR(species_of(&other, a), "");
    REQUIRE_OK(lum_species_count(other.actor, 0, 10, &count, &err), &err);
    CHECK_INT(count.count, 0);
    repo_count_species_row_set_free(&count);
    REQUIRE_OK(lum_species_save(owner.actor, a, &none, &err), &err);
    CHECK_STR(species_of(&owner, a), "");
}

static void bad_predictions_are_told_and_change_nothing(void)
{
    PERSON(&lib, owner);
    static char huge[10 * 1024 * 1024];
    memset(huge, 'x', sizeof huge);
    pgc_uuid a = person_add(&owner, "a");
    static const lum_species GOOD[] = { { SLICE("kept"), { NULL, 0 }, 1 } };
    const lum_species_run good = { GOOD, 1, SLICE("m") };
    REQUIRE_OK(lum_species_save(owner.actor, a, &good, &err), &err);
    const lum_species BAD[] = {
        { SLICE("x"), { NULL, 0 }, 1.5 },    { SLICE("x"), { NULL, 0 }, -0.1 },
        { SLICE("x"), { NULL, 0 }, NAN },    { SLICE("x"), { NULL, 0 }, INFINITY },
        { SLICE(""), { NULL, 0 }, 0.5 },     { { NULL, 0 }, { NULL, 0 }, 0.5 },
        { SLICE("\xff"), { NULL, 0 }, 0.5 }, { { huge, sizeof huge }, { NULL, 0 }, 0.5 },
        { SLICE("x"), SLICE("\x01"), 0.5 },
    };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        const lum_species_run run = { &BAD[i], 1, SLICE("m") };
        CHECK_STATUS(lum_species_save(owner.actor, a, &run, &err), PGC_INVALID, &err);
    }
    static const lum_species TWICE[] = { { SLICE("x"), { NULL, 0 }, 1 },
                                         { SLICE("x"), { NULL, 0 }, 0.5 } };
    const lum_species_run twice = { TWICE, 2, SLICE("m") };
    CHECK_STATUS(lum_species_save(owner.actor, a, &twice, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "twice"));
    const lum_species_run many = { TWICE, LUM_SPECIES_MAX + 1, SLICE("m") };
    CHECK_STATUS(lum_species_save(owner.actor, a, &many, &err), PGC_INVALID, &err);
    const lum_species_run model = { GOOD, 1, { huge, 51 } };
    CHECK_STATUS(lum_species_save(owner.actor, a, &model, &err), PGC_INVALID, &err);
    CHECK_STATUS(lum_species_save(owner.actor, (pgc_uuid) { { 9 } }, &good, &err), PGC_NOT_FOUND,
                 &err);
    repo_count_species_row_set count = PGC_ZERO;
    CHECK_STATUS(lum_species_count(owner.actor, 1.5, 10, &count, &err), PGC_INVALID, &err);
    CHECK_STATUS(lum_species_count(owner.actor, 0.5, 0, &count, &err), PGC_INVALID, &err);
    repo_list_assets_of_species_row_set assets = PGC_ZERO;
    lum_species_query query = { .name = SLICE("x"), .min_confidence = NAN, .limit = 10 };
    CHECK_STATUS(lum_species_assets(owner.actor, &query, &assets, &err), PGC_INVALID, &err);
    query = (lum_species_query) { .name = SLICE("x"), .limit = 10, .behind_confidence = 2 };
    CHECK_STATUS(lum_species_assets(owner.actor, &query, &assets, &err), PGC_INVALID, &err);
    CHECK_STR(species_of(&owner, a), "kept:1");
}

static void rush_species(void *arg, size_t number)
{
    rush *all = arg;
    char names[3][16];
    lum_species species[3];
    for (size_t i = 0; i < ARRAY_LEN(species); i++) {
        (void) snprintf(names[i], sizeof names[i], "run%zu-%zu", number, i);
        species[i] = (lum_species) { pgc_text_from(names[i]), { NULL, 0 }, 0.5 };
    }
    const lum_species_run run = { species, 3, { NULL, 0 } };
    all->status[number] = lum_species_save(all->owner->actor, all->asset, &run, NULL);
}

static void runs_at_once_leave_one_set(void)
{
    PERSON(&lib, owner);
    rush all = { .owner = &owner, .asset = person_add(&owner, "a") };
    crowd_run(CROWD, rush_species, &all);
    for (size_t i = 0; i < CROWD; i++) {
        CHECK_INT(all.status[i], PGC_OK);
    }
    char first[32];
    char state[6];
    char sql[256];
    (void) snprintf(sql, sizeof sql,
                    "SELECT count(*) || ' ' || count(DISTINCT split_part(species_name, '-', 1)) "
                    "FROM species_predictions WHERE owner_id = %" PRId32,
                    owner.id);
    schema_ask(root, sql, first, sizeof first, state);
    CHECK_STR(first, "3 1");
}

/* Statistics. */

static void statistics_add_up(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    pgc_uuid repository = repository_make(&owner, "stats", false);
    static const struct {
        const char *type, *make, *lens;
        int64_t size;
        int year;
    } ROWS[] = {
        { "photo", "Nikon", "50mm", 100, 2020 }, { "photo", "Nikon", "50mm", 200, 2020 },
        { "photo", "Canon", NULL, 400, 2021 },   { "video", "Nikon", "35mm", 800, 2021 },
        { "audio", NULL, NULL, 1600, 2019 },     { "photo", "Canon", "50mm", 3200, 2021 },
    };
    pgc_uuid last = { { 0 } };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        repo_create_asset_params row = person_photo(&owner, "s");
        int64_t us = ((int64_t) ROWS[i].year - 1970) * INT64_C(31556952) * 1000000 +
                     INT64_C(86400) * 100 * 1000000;
        row.asset_type = pgc_text_from(ROWS[i].type);
        row.camera_make = pgc_text_from(ROWS[i].make);
        row.lens_model = pgc_text_from(ROWS[i].lens);
        row.file_size = ROWS[i].size;
        row.repository_id = (pgc_opt_uuid) { true, repository };
        row.taken_at = (pgc_opt_timestamptz) { true, pgc_timestamptz_from_unix_us(us) };
        row.taken_local = (pgc_opt_timestamp) { true, { row.taken_at.v.us } };
        row.taken_source = pgc_text_from("exif");
        last = person_add_row(&owner, &row);
    }
    REQUIRE_OK(lum_asset_delete(owner.actor, last, &err), &err);
    repo_get_totals_row_set totals = PGC_ZERO;
    REQUIRE_OK(lum_stats_totals(owner.actor, &totals, &err), &err);
    CHECK_INT(totals.rows[0].photos, 3);
    CHECK_INT(totals.rows[0].videos, 1);
    CHECK_INT(totals.rows[0].recordings, 1);
    CHECK_INT(totals.rows[0].bytes, 3100);
    CHECK_INT(totals.rows[0].trashed, 1);
    CHECK_INT(totals.rows[0].trashed_bytes, 3200);
    CHECK_INT(totals.rows[0].repositories, 1);
    repo_get_totals_row_set_free(&totals);
    repo_count_by_camera_row_set cameras = PGC_ZERO;
    REQUIRE_OK(lum_stats_cameras(owner.actor, 10, &cameras, &err), &err);
    REQUIRE(CHECK_INT(cameras.count, 3));
    CHECK(slice_eq_str(cameras.rows[0].camera_make, "Nikon"));
    CHECK_INT(cameras.rows[0].asset_count, 3);
    repo_count_by_camera_row_set_free(&cameras);
    repo_count_by_lens_row_set lenses = PGC_ZERO;
    REQUIRE_OK(lum_stats_lenses(owner.actor, 1, &lenses, &err), &err);
    REQUIRE(CHECK_INT(lenses.count, 1));
    CHECK(slice_eq_str(lenses.rows[0].lens_model, "50mm"));
    CHECK_INT(lenses.rows[0].asset_count, 2);
    repo_count_by_lens_row_set_free(&lenses);
    repo_count_by_year_row_set years = PGC_ZERO;
    REQUIRE_OK(lum_stats_years(owner.actor, &years, &err), &err);
    REQUIRE(CHECK_INT(years.count, 3));
    CHECK_INT(years.rows[0].year, 2021);
    CHECK_INT(years.rows[0].photos, 1);
    CHECK_INT(years.rows[2].recordings, 1);
    repo_count_by_year_row_set_free(&years);
    repo_count_by_repository_row_set storage = PGC_ZERO;
    REQUIRE_OK(lum_stats_storage(owner.actor, &storage, &err), &err);
    REQUIRE(CHECK_INT(storage.count, 1));
    CHECK_INT(storage.rows[0].asset_count, 6); /* what is in the trash is on the disk */
    CHECK_INT(storage.rows[0].bytes, 6300);
    repo_count_by_repository_row_set_free(&storage);
    /* An empty library, and limits. */
    REQUIRE_OK(lum_stats_totals(other.actor, &totals, &err), &err);
    CHECK_INT(totals.rows[0].photos + totals.rows[0].bytes + totals.rows[0].trashed, 0);
    repo_get_totals_row_set_free(&totals);
    REQUIRE_OK(lum_stats_years(other.actor, &years, &err), &err);
    CHECK_INT(years.count, 0);
    repo_count_by_year_row_set_free(&years);
    CHECK_STATUS(lum_stats_cameras(owner.actor, 0, &cameras, &err), PGC_INVALID, &err);
    CHECK_STATUS(lum_stats_lenses(owner.actor, -1, &lenses, &err), PGC_INVALID, &err);
    repo_count_by_tag_row_set tags = PGC_ZERO;
    CHECK_STATUS(lum_stats_tags(owner.actor, LUM_PAGE_MAX + 1, &tags, &err), PGC_INVALID, &err);
}

static void tags_are_counted_without_the_trash(void)
{
    PERSON(&lib, owner);
    static const lum_tag_gift GIFTS[] = { { SLICE("often"), 1 }, { SLICE("seldom"), 1 } };
    pgc_uuid ids[3];
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        repo_tag_asset_row_set set = PGC_ZERO;
        const lum_tag_gifts gifts = { GIFTS, i == 0 ? 2 : 1, LUM_TAG_USER, false };
        ids[i] = person_add(&owner, "t");
        REQUIRE_OK(lum_asset_add_tags(owner.actor, ids[i], &gifts, &set, &err), &err);
        repo_tag_asset_row_set_free(&set);
    }
    REQUIRE_OK(lum_asset_delete(owner.actor, ids[0], &err), &err);
    repo_count_by_tag_row_set tags = PGC_ZERO;
    REQUIRE_OK(lum_stats_tags(owner.actor, 10, &tags, &err), &err);
    /* "seldom" stands in the trash only. */
    REQUIRE(CHECK_INT(tags.count, 1));
    CHECK(slice_eq_str(tags.rows[0].name, "often"));
    CHECK_INT(tags.rows[0].asset_count, 2);
    repo_count_by_tag_row_set_free(&tags);
    REQUIRE_OK(lum_asset_restore(owner.actor, ids[0], &err), &err);
    REQUIRE_OK(lum_stats_tags(owner.actor, 10, &tags, &err), &err);
    REQUIRE(CHECK_INT(tags.count, 2));
    CHECK_INT(tags.rows[0].asset_count, 3);
    CHECK(slice_eq_str(tags.rows[1].name, "seldom"));
    CHECK_INT(tags.rows[1].asset_count, 1);
    repo_count_by_tag_row_set_free(&tags);
}

static const tap_case CASES[] = {
    TAP("repository: the first one is the default, until another is", the_first_one_is_the_default),
    TAP("repository: none lies inside another, paths are checked", none_lies_inside_another),
    TAP("repository: one with assets stays, and the default one", one_with_assets_stays),
    TAP("repository: one default whoever switches", one_default_whoever_switches),
    TAP("species: predictions are replaced as a whole", predictions_are_replaced_as_a_whole),
    TAP("species: bad predictions are told and change nothing",
        bad_predictions_are_told_and_change_nothing),
    TAP("species: 64 runs at once leave one set", runs_at_once_leave_one_set),
    TAP("statistics: add up", statistics_add_up),
    TAP("statistics: tags are counted without the trash", tags_are_counted_without_the_trash),
};

LIBRARY_MAIN(lib, root, CASES)
