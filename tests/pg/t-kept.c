/* What statistics show is kept by triggers (030_library_counts.sql): it is what counting gives,
 * whatever is done to assets, thumbnails and species, and by how many at once. One library for all
 * cases; each has users of its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "crowd.h"
#include "person.h"
#include "random.h"
#include "schema.h"
#include "service/species.h"
#include "service/statistics.h"
#include "service/trash.h"
#include "tap.h"
#include "turns.h"

#define MIGRATION "030_library_counts.sql"

/* Numbers of all owners that are not what counting gives; said in another way than the migration
 * says it. Kinds that only one transaction sees must not be there. */
#define WRONG                                                                                    \
    "SELECT count(*) FROM ("                                                                     \
    "SELECT owner_id, 'repository' AS kind, coalesce(repository_id::text, '') AS name, "         \
    "'' AS detail, count(*) AS n, sum(file_size) AS b FROM assets GROUP BY 1, 3 UNION ALL "      \
    "SELECT owner_id, 'trash', '', '', count(*), sum(file_size) FROM assets "                    \
    "WHERE deleted_at IS NOT NULL GROUP BY 1 UNION ALL "                                         \
    "SELECT owner_id, 'camera', coalesce(camera_make, ''), coalesce(camera_model, ''), "         \
    "count(*), sum(file_size) FROM assets WHERE deleted_at IS NULL GROUP BY 1, 3, 4 UNION ALL "  \
    "SELECT owner_id, 'lens', lens_model, '', count(*), sum(file_size) FROM assets "             \
    "WHERE deleted_at IS NULL AND lens_model IS NOT NULL GROUP BY 1, 3 UNION ALL "               \
    "SELECT t.owner_id, 'thumbnails', coalesce(a.repository_id::text, ''), '', 0, "              \
    "sum(t.file_size) FROM thumbnails t JOIN assets a USING (asset_id) GROUP BY 1, 3 UNION ALL " \
    "SELECT p.owner_id, 'species', p.species_name, "                                             \
    "CASE WHEN p.confidence = 1 THEN '10' ELSE '0' || substr(p.confidence::text, 3, 1) END, "    \
    "count(*), 0 FROM species_predictions p JOIN assets a USING (asset_id) "                     \
    "WHERE a.deleted_at IS NULL GROUP BY 1, 3, 4) r FULL JOIN "                                  \
    "(SELECT owner_id, kind, name, detail, sum(assets) AS n, sum(bytes) AS b "                   \
    "FROM library_counts GROUP BY 1, 2, 3, 4) c USING (owner_id, kind, name, detail) "           \
    "WHERE coalesce(r.n, 0) <> coalesce(c.n, 0) OR coalesce(r.b, 0) <> coalesce(c.b, 0)"
#define CHECK_EXACT() CHECK_SQL(root, WRONG, "0")

#define DICE  "current_setting('t.dice')::integer"
#define OWNER "current_setting('t.owner')::integer"

static test_library lib;
static pgc_conn *root; /* superuser: looks behind the policies, and goes past the services */

/* As the superuser; `$o` is no placeholder: the owner and a dice are settings. */
static void change(const person *owner, unsigned dice, const char *sql)
{
    char text[2048];
    char got[64];
    char state[6];
    (void) snprintf(text, sizeof text, "SET t.dice = '%u'; SET t.owner = '%d'; %s", dice,
                    (int) owner->id, sql);
    schema_ask(root, text, got, sizeof got, state);
    CHECK_STR(state, "");
}

#define ADD_REPOSITORIES                                                                      \
    "INSERT INTO repositories (repo_id, name, path, owner_id, is_default) "                   \
    "SELECT md5(" OWNER " || 'r' || n)::uuid, 'r' || n, '/' || " OWNER " || '/' || n, " OWNER \
    ", n = 0 FROM generate_series(0, 1) n"
/* 30 photos of three cameras and two lenses, or none, in one of two repositories, or none. */
#define ADD_ASSETS                                                                               \
    "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, "       \
    "owner_id, uploaded_at, camera_make, camera_model, lens_model, repository_id) "              \
    "SELECT 'x', 'x', 100 + n, 'h' || " DICE " || '-' || n || '-' || clock_timestamp(), "        \
    "'photo', " OWNER ", now(), (ARRAY['Canon', 'Nikon', NULL])[1 + n % 3], "                    \
    "(ARRAY['R5', NULL])[1 + n % 2], (ARRAY['50mm', '85mm', NULL])[1 + (n + " DICE ") % 3], "    \
    "CASE WHEN n % 5 > 0 THEN md5(" OWNER " || 'r' || n % 2)::uuid END FROM generate_series(1, " \
    "30) n"
#define SOME(of, table)                                                                      \
    " FROM " table " WHERE (hashtext(asset_id::text) + " DICE ") % " of " = 0 AND owner_id " \
    "= " OWNER

static void random_batches_keep_the_numbers(void)
{
    PERSON(&lib, owner);
    static const char *const STEPS[] = {
        ADD_ASSETS,
        "INSERT INTO thumbnails (asset_id, owner_id, size, file_path, file_size) SELECT asset_id, "
        "owner_id, 'small', 'y', nullif(" DICE " % 40, 7)" SOME(
            "3",
            "assets") " ON CONFLICT "
                      "(asset_id, owner_id, size) DO UPDATE SET file_size = excluded.file_size",
        "INSERT INTO species_predictions (asset_id, owner_id, species_name, confidence) SELECT "
        "asset_id, owner_id, 'bird ' || " DICE " % 4, " DICE
        " % 101 / 100.0" SOME("3", "assets") " ON CONFLICT DO NOTHING",
        "UPDATE species_predictions SET confidence = " DICE " % 11 / 10.0 WHERE "
        "(hashtext(asset_id::text) + " DICE ") % 3 = 0 AND owner_id = " OWNER,
        "UPDATE assets SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE "
        "(hashtext(asset_id::text) + " DICE ") % 4 = 0 AND owner_id = " OWNER,
        "UPDATE assets SET camera_make = lens_model, lens_model = camera_model, file_size = "
        "file_size + 1 WHERE (hashtext(asset_id::text) + " DICE ") % 4 = 0 AND owner_id = " OWNER,
        "UPDATE assets SET repository_id = CASE WHEN " DICE " % 3 > 0 THEN md5(" OWNER
        " || 'r' || " DICE " % 2)::uuid END WHERE (hashtext(asset_id::text) + " DICE
        ") % 5 = 0 AND owner_id = " OWNER,
        "DELETE" SOME("9", "assets"),
        "DELETE" SOME("7", "thumbnails"),
        "DELETE" SOME("7", "species_predictions"),
    };
    uint64_t dice = 29;
    (void) printf("# seed 29\n");
    change(&owner, 0, ADD_REPOSITORIES);
    for (int i = 0; i < 120; i++) {
        size_t step = i < 3 ? (size_t) i : random_below(&dice, ARRAY_LEN(STEPS));
        change(&owner, (unsigned) random_below(&dice, 1000), STEPS[step]);
        CHECK_EXACT();
    }
    CHECK_SQL(root, "SELECT count(DISTINCT kind) FROM library_counts", "6");
    CHECK_SQL(root, "SELECT sum(bytes) > 0 FROM library_counts WHERE kind = 'thumbnails'", "t");
    CHECK_SQL(root, "SELECT count(*) FROM library_counts WHERE assets = 0 AND bytes = 0", "0");
}

static void save_species(const person *owner, pgc_uuid asset, const char *common, double confidence)
{
    pgc_error err;
    pgc_error_clear(&err);
    const lum_species one = { SLICE("Parus major"), pgc_text_from(common), confidence };
    const lum_species_run run = { &one, 1, SLICE("m") };
    CHECK_STATUS(lum_species_save(owner->actor, asset, &run, &err), PGC_OK, &err);
}

/* How many show the great tit at least so surely, and what it is called: "2 Great tit 0.92". */
static const char *species_seen(const person *owner, double least)
{
    static char text[128];
    pgc_error err;
    pgc_error_clear(&err);
    repo_count_species_row_set set = PGC_ZERO;
    CHECK_STATUS(lum_species_count(owner->actor, least, 10, &set, &err), PGC_OK, &err);
    text[0] = '\0';
    if (set.count == 1) {
        (void) snprintf(text, sizeof text, "%" PRId64 " %" SLICE_FMT " %.2f",
                        set.rows[0].asset_count, SLICE_ARG(set.rows[0].common_name),
                        set.rows[0].best);
    }
    repo_count_species_row_set_free(&set);
    return text;
}

static void species_count_from_any_confidence_on(void)
{
    PERSON(&lib, owner);
    pgc_uuid sure = person_add(&owner, "sure");
    save_species(&owner, sure, "Great tit", 0.92);
    save_species(&owner, person_add(&owner, "half"), "Tit", 0.5);
    save_species(&owner, person_add(&owner, "between"), "Tit", 0.55);
    save_species(&owner, person_add(&owner, "hardly"), "Tit", 0.04);
    CHECK_STR(species_seen(&owner, 0), "4 Great tit 0.92");
    CHECK_STR(species_seen(&owner, 0.04), "4 Great tit 0.92");
    CHECK_STR(species_seen(&owner, 0.05), "3 Great tit 0.92");
    CHECK_STR(species_seen(&owner, 0.5), "3 Great tit 0.92");
    CHECK_STR(species_seen(&owner, 0.51), "2 Great tit 0.92");
    CHECK_STR(species_seen(&owner, 0.56), "1 Great tit 0.92");
    CHECK_STR(species_seen(&owner, 0.93), "");
    CHECK_STR(species_seen(&owner, 1), "");
    REQUIRE_OK(lum_asset_delete(owner.actor, sure, &err), &err);
    CHECK_STR(species_seen(&owner, 0.5), "2 Tit 0.55");
    CHECK_STR(species_seen(&owner, 0.56), "");
    REQUIRE_OK(lum_asset_restore(owner.actor, sure, &err), &err);
    CHECK_STR(species_seen(&owner, 0.9), "1 Great tit 0.92");
    save_species(&owner, sure, "Great tit", 1); /* instead of what it was */
    CHECK_STR(species_seen(&owner, 1), "1 Great tit 1.00");
    CHECK_EXACT();
}

/* "assets bytes thumbnails" of the repositories, r0 before r1. */
static const char *storage_seen(const person *owner)
{
    static char text[128];
    pgc_error err;
    pgc_error_clear(&err);
    size_t used = 0;
    repo_count_by_repository_row_set set = PGC_ZERO;
    CHECK_STATUS(lum_stats_storage(owner->actor, &set, &err), PGC_OK, &err);
    for (size_t i = 0; i < set.count; i++) {
        const repo_count_by_repository_row *row = &set.rows[i];
        used += (size_t) snprintf(text + used, sizeof text - used,
                                  "%s%" PRId64 " %" PRId64 " %" PRId64, i > 0 ? "; " : "",
                                  row->asset_count, row->bytes, row->thumbnail_bytes);
    }
    repo_count_by_repository_row_set_free(&set);
    return text;
}

static void thumbnails_go_where_their_asset_goes(void)
{
    PERSON(&lib, owner);
    change(&owner, 0, ADD_REPOSITORIES);
    pgc_uuid first = person_add(&owner, "a");
    pgc_uuid second = person_add(&owner, "b");
    const lum_purge everything = { .age_us = 0 };
    lum_purged purged = PGC_ZERO;
    change(&owner, 0,
           "UPDATE assets SET repository_id = md5(" OWNER
           " || 'r0')::uuid WHERE owner_id = " OWNER);
    change(&owner, 0,
           "INSERT INTO thumbnails (asset_id, owner_id, size, file_path, file_size) SELECT "
           "asset_id, owner_id, 'small', 'y', 10 FROM assets WHERE owner_id = " OWNER);
    CHECK_STR(storage_seen(&owner), "2 2000 20; 0 0 0");
    change(&owner, 0,
           "UPDATE assets SET repository_id = md5(" OWNER " || 'r1')::uuid WHERE owner_id = " OWNER
           " AND original_filename = 'b'");
    CHECK_STR(storage_seen(&owner), "1 1000 10; 1 1000 10");
    REQUIRE_OK(lum_asset_delete(owner.actor, first, &err), &err);
    CHECK_STR(storage_seen(&owner), "1 1000 10; 1 1000 10"); /* still on the disk */
    REQUIRE_OK(lum_asset_delete(owner.actor, second, &err), &err);
    REQUIRE_OK(lum_trash_purge(owner.actor, &everything, &purged, &err), &err);
    CHECK_INT(purged.assets, 2);
    CHECK_STR(storage_seen(&owner), "0 0 0; 0 0 0");
    CHECK_EXACT();
}

static void trash_and_species_see_each_other(void)
{
    PERSON(&lib, owner);
    char find_it[256];
    char lose_it[256];
    char trash_it[256];
    char restore_it[256];
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid asset = person_add(&owner, "a");
    pgc_uuid_format(&asset, id);
    (void) snprintf(find_it, sizeof find_it,
                    "INSERT INTO species_predictions (asset_id, owner_id, species_name, "
                    "confidence) VALUES ('%s', %d, 'Parus major', 0.9)",
                    id, (int) owner.id);
    (void) snprintf(lose_it, sizeof lose_it,
                    "DELETE FROM species_predictions WHERE asset_id = '%s'", id);
    (void) snprintf(trash_it, sizeof trash_it,
                    "UPDATE assets SET deleted_at = now() WHERE asset_id = '%s'", id);
    (void) snprintf(restore_it, sizeof restore_it,
                    "UPDATE assets SET deleted_at = NULL WHERE asset_id = '%s'", id);
    static const char *const NONE = "";
    turns_run(root, lib.url, find_it, trash_it);
    CHECK_STR(species_seen(&owner, 0.9), NONE);
    turns_run(root, lib.url, lose_it, restore_it);
    CHECK_STR(species_seen(&owner, 0.9), NONE);
    turns_run(root, lib.url, find_it, trash_it);
    turns_run(root, lib.url, restore_it, lose_it);
    CHECK_STR(species_seen(&owner, 0.9), NONE);
    CHECK_EXACT();
}

enum { WRITERS = 12 };

typedef struct rush {
    const person *owner;
    pthread_barrier_t met;
} rush;

/* A photo of another day each, or they would wait for the day's count. */
static void add_and_stay(void *arg, size_t number)
{
    rush *all = arg;
    char sql[512];
    char got[64];
    char state[6];
    pgc_conn *conn = schema_connect(lib.url);
    if (!CHECK(conn != NULL)) {
        _exit(1); /* the others would wait for ever */
    }
    (void) snprintf(sql, sizeof sql,
                    "SET lock_timeout = '20s'; BEGIN; INSERT INTO assets (original_filename, "
                    "file_path, file_size, file_hash, asset_type, owner_id, uploaded_at, "
                    "camera_make) VALUES ('x', 'x', 1, 'rush-%zu', 'photo', %d, now() - %zu * "
                    "interval '1 day', 'Leica')",
                    number, (int) all->owner->id, number);
    schema_ask(conn, sql, got, sizeof got, state);
    CHECK_STR(state, "");
    (void) pthread_barrier_wait(&all->met); /* all have counted, nobody has committed */
    schema_ask(conn, "COMMIT", got, sizeof got, state);
    CHECK_STR(state, "");
    pgc_conn_close(conn);
}

static void nobody_waits_for_a_number(void)
{
    PERSON(&lib, owner);
    char sql[256];
    char parts[64] = "";
    char state[6];
    rush all = { .owner = &owner };
    repo_count_by_camera_row_set set = PGC_ZERO;
    REQUIRE(pthread_barrier_init(&all.met, NULL, WRITERS) == 0);
    crowd_run(WRITERS, add_and_stay, &all);
    (void) pthread_barrier_destroy(&all.met);
    CHECK_EXACT();
    REQUIRE_OK(lum_stats_cameras(owner.actor, 10, &set, &err), &err);
    CHECK_INT(set.count, 1);
    CHECK_INT(set.rows[0].asset_count, WRITERS);
    repo_count_by_camera_row_set_free(&set);
    (void) snprintf(sql, sizeof sql,
                    "SELECT count(*) FROM library_counts WHERE owner_id = %d AND name = 'Leica'",
                    (int) owner.id);
    CHECK_SQL(root, sql, "12");
    /* Those who come later put the parts together, one time in twenty. */
    for (int i = 0; i < 20000 && strcmp(parts, "1") != 0; i++) {
        change(&owner, 0, "UPDATE assets SET file_size = file_size + 1 WHERE owner_id = " OWNER);
        schema_ask(root, sql, parts, sizeof parts, state);
    }
    CHECK_STR(parts, "1");
    CHECK_EXACT();
}

static void wrong_numbers_are_mended_and_told(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "other_of_kept"));
    (void) person_add(&owner, "a");
    (void) person_add(&other, "b");
    change(&owner, 0, "DELETE FROM library_counts WHERE owner_id = " OWNER " AND kind = 'camera'");
    change(&owner, 0,
           "UPDATE library_counts SET bytes = 5 WHERE owner_id = " OWNER
           " AND kind = 'repository'");
    change(&owner, 0,
           "INSERT INTO library_counts (owner_id, kind, name, detail, assets, bytes) VALUES (" OWNER
           ", 'lens', 'no such', '', 3, 0)");
    change(&other, 0, "UPDATE library_counts SET assets = 7 WHERE owner_id = " OWNER);
    lum_recounted mended = PGC_ZERO;
    REQUIRE_OK(lum_stats_recount(owner.actor, &mended, &err), &err);
    CHECK_INT(mended.library, 3);
    CHECK_INT(mended.days + mended.tags + mended.albums, 0);
    REQUIRE_OK(lum_stats_recount(owner.actor, &mended, &err), &err);
    CHECK_INT(mended.library, 0);
    REQUIRE_OK(lum_stats_recount(other.actor, &mended, &err), &err); /* nobody else mended it */
    CHECK_INT(mended.library, 2);
    CHECK_EXACT();
}

/* With all that the cases before have left. */
static void the_migration_counts_what_is_there(void)
{
    CHECK_SQL(root, "SELECT count(*) > 20 FROM library_counts", "t");
    REQUIRE(turns_script(root, "down/" MIGRATION));
    REQUIRE(turns_script(root, MIGRATION));
    CHECK_EXACT();
    CHECK_SQL(root, "SELECT count(*) > 20 FROM library_counts", "t");
}

static const tap_case CASES[] = {
    TAP("kept: random batches keep the numbers", random_batches_keep_the_numbers),
    TAP("kept: species count from any confidence on", species_count_from_any_confidence_on),
    TAP("kept: thumbnails go where their asset goes", thumbnails_go_where_their_asset_goes),
    TAP("kept: trash and species see each other", trash_and_species_see_each_other),
    TAP("kept: nobody waits for a number", nobody_waits_for_a_number),
    TAP("kept: wrong ones are mended and told", wrong_numbers_are_mended_and_told),
    TAP("kept: the migration counts what is there", the_migration_counts_what_is_there),
};

LIBRARY_MAIN(lib, root, CASES)
