/* An asset's life on a real server: what is said about it, its days in the timeline, the trash and
 * the end, and many threads that add the same one. */
#include "base/prelude.h"

#include "person.h"
#include "random.h"
#include "schema.h"
#include "service/timeline.h"
#include "service/trash.h"

static test_library lib;
static pgc_conn *conn; /* superuser */

static pgc_status edit(const person *who, pgc_uuid id, const char *json, repo_asset_set *out,
                       pgc_error *err)
{
    return lum_asset_update_metadata(who->actor, id, pgc_text_from(json), out, err);
}

/* Edit and forget the row. */
static bool edited(const person *who, pgc_uuid id, const char *json)
{
    pgc_error err;
    pgc_error_clear(&err);
    repo_asset_set set = PGC_ZERO;
    bool good = CHECK_STATUS(edit(who, id, json, &set, &err), PGC_OK, &err);
    repo_asset_set_free(&set);
    return good;
}

static const char EVERYTHING[] =
    "{\"taken_at\": \"2024-05-31T18:00:00.25+02:00\", \"camera_make\": \"Nikon\", \"camera_model\":"
    " \"Z 9\", \"lens_model\": \"50\", \"iso\": 800, \"aperture\": 2.8, \"shutter_speed\": "
    "\"1/250\", \"focal_length\": 50, \"latitude\": -33.856784, \"longitude\": 151.215297, "
    "\"altitude\": -1.5, \"description\": \"\\u00d6per \\ud83c\\udf1e\", \"rating\": 5, \"liked\": "
    "true}";

static void every_member_can_be_set_and_cleared(void)
{
    PERSON(&lib, owner);
    pgc_uuid id = person_add(&owner, "e.jpg");
    repo_asset_set set = PGC_ZERO;
    REQUIRE_OK(edit(&owner, id, EVERYTHING, &set, &err), &err);
    const repo_asset *a = &set.rows[0];
    CHECK(a->taken_at.has && a->taken_local.has && a->taken_offset_minutes.has);
    CHECK_INT(a->taken_local.v.us - a->taken_at.v.us, INT64_C(7200) * 1000000);
    CHECK_INT(a->taken_offset_minutes.v, 120);
    CHECK(slice_eq_str(a->taken_source, "user"));
    CHECK(slice_eq_str(a->camera_model, "Z 9"));
    CHECK_INT(a->iso.v, 800);
    CHECK(fabs(pgc_numeric_to_double(&a->aperture) - 2.8) < 1e-9);
    CHECK(fabs(pgc_numeric_to_double(&a->latitude) + 33.856784) < 1e-9);
    CHECK_INT(a->longitude_e7.v, 1512152970);
    CHECK(slice_eq_str(a->description, "\xc3\x96per \xf0\x9f\x8c\x9e"));
    CHECK_INT(a->stars, 5);
    CHECK(a->liked);
    repo_asset_set_free(&set);
    REQUIRE_OK(edit(&owner, id,
                    "{\"taken_at\": null, \"camera_make\": null, \"camera_model\": null, "
                    "\"lens_model\": null, \"iso\": null, \"aperture\": null, \"shutter_speed\": "
                    "null, \"focal_length\": null, \"latitude\": null, \"longitude\": null, "
                    "\"altitude\": null, \"description\": null, \"rating\": null}",
                    &set, &err),
               &err);
    a = &set.rows[0];
    CHECK(!a->taken_at.has && !a->taken_local.has && !a->taken_offset_minutes.has);
    CHECK(a->taken_source.ptr == NULL && a->camera_make.ptr == NULL && a->description.ptr == NULL);
    CHECK(!a->iso.has && !a->aperture.present && !a->latitude.present && !a->rating.has);
    CHECK(a->liked); /* was not spoken of */
    repo_asset_set_free(&set);
}

static void a_time_without_offset_is_a_wall_clock(void)
{
    PERSON(&lib, owner);
    pgc_uuid id = person_add(&owner, "w.jpg");
    repo_asset_set set = PGC_ZERO;
    REQUIRE_OK(edit(&owner, id, "{\"taken_at\": \"2024-02-29T23:59\"}", &set, &err), &err);
    CHECK(!set.rows[0].taken_offset_minutes.has);
    CHECK_INT(set.rows[0].taken_local.v.us, set.rows[0].taken_at.v.us);
    repo_asset_set_free(&set);
}

/* Each must be refused with PGC_INVALID, say this, and change nothing. */
static const struct bad_document {
    const char *json, *says;
} BAD[] = {
    { "{\"rating\": 6}", "rating: 6; it goes from 0 to 5" },
    { "{\"rating\": -1}", "rating: -1" },
    { "{\"rating\": 4.5}", "rating: the value must be a whole number" },
    { "{\"rating\": \"5\"}", "rating: the value must be a whole number" },
    { "{\"rating\": 99999999999999999999}", "line 1" },
    { "{\"rating\": NaN}", "line 1" },
    { "{\"latitude\": 1e999, \"longitude\": 1}", "line 1" },
    { "{\"latitude\": 91, \"longitude\": 1}", "latitude: 91; it goes from -90 to 90" },
    { "{\"latitude\": 45}", "latitude and longitude go together" },
    { "{\"latitude\": 45, \"longitude\": null}", "latitude and longitude go together" },
    { "{\"aperture\": 0}", "aperture: 0" },
    { "{\"iso\": true}", "iso: the value must be a whole number" },
    { "{\"liked\": null}", "liked: the value must be true or false" },
    { "{\"liked\": 1}", "liked: the value must be true or false" },
    { "{\"description\": 7}", "description: the value must be a text" },
    { "{\"description\": \"a\\u0000b\"}", "line 1" },
    { "{\"description\": \"\xff\"}", "not valid UTF-8" },
    { "{\"taken_at\": \"yesterday\"}", "taken_at: the value must be a time" },
    { "{\"taken_at\": \"2024-02-30T10:00:00\"}", "taken_at: the value must be a time" },
    { "{\"taken_at\": \"2024-02-20\"}", "taken_at: the value must be a time" },
    { "{\"colour\": \"red\"}", "there is no \"colour\"" },
    { "{\"owner_id\": 1}", "there is no \"owner_id\"" },
    { "{\"rating\": 1, \"rating\": 2}", "duplicate object key" },
    { "{\"rating\": 1} x", "line 1" },
    { "[1]", "must be an object" },
    { "{}", "says nothing" },
    { "", "line 1" },
};

static void bad_documents_are_refused_and_change_nothing(void)
{
    PERSON(&lib, owner);
    pgc_uuid id = person_add(&owner, "b.jpg");
    REQUIRE(edited(&owner, id, "{\"rating\": 3, \"description\": \"kept\"}"));
    repo_asset_set set = PGC_ZERO;
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        pgc_error_clear(&err);
        if (!CHECK_STATUS(edit(&owner, id, BAD[i].json, &set, &err), PGC_INVALID, &err)) {
            (void) printf("# %s\n", BAD[i].json);
        }
        CHECK(person_says(&err, BAD[i].says));
        CHECK(person_says(&err, "update asset "));
    }
    CHECK(set.rows == NULL);
    REQUIRE_OK(lum_asset_get(owner.actor, id, &set, &err), &err);
    CHECK_INT(set.rows[0].rating.v, 3);
    CHECK(slice_eq_str(set.rows[0].description, "kept"));
    repo_asset_set_free(&set);
}

static void documents_and_texts_have_a_limit(void)
{
    PERSON(&lib, owner);
    static char huge[10 << 20];
    pgc_uuid id = person_add(&owner, "h.jpg");
    repo_asset_set set = PGC_ZERO;
    int used = snprintf(huge, sizeof huge, "{\"description\": \"");
    memset(huge + used, 'x', sizeof huge - (size_t) used);
    memcpy(huge + sizeof huge - 3, "\"}", 3);
    CHECK_STATUS(edit(&owner, id, huge, &set, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "1048576 are allowed"));
    memcpy(huge + 20000, "\"}", 3);
    CHECK_STATUS(edit(&owner, id, huge, &set, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "10000 are allowed"));
    CHECK(set.rows == NULL);
}

static void nobody_edits_what_is_foreign_absent_or_deleted(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person thief;
    REQUIRE(person_make(&lib, &thief, "thief"));
    pgc_uuid id = person_add(&owner, "f.jpg");
    repo_asset_set set = PGC_ZERO;
    const pgc_uuid nobody = { { 9 } };
    CHECK_STATUS(edit(&thief, id, "{\"rating\": 1}", &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(edit(&owner, nobody, "{\"rating\": 1}", &set, &err), PGC_NOT_FOUND, &err);
    REQUIRE_OK(lum_asset_delete(owner.actor, id, &err), &err);
    CHECK_STATUS(edit(&owner, id, "{\"rating\": 1}", &set, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "there is no such asset"));
    CHECK(set.rows == NULL);
}

/* ---- the timeline ---- */

/* "2024-05 1/0/0 …" of a user, the newest month first. */
static const char *months_of(const person *who)
{
    static char text[512];
    size_t used = 0;
    pgc_error err;
    pgc_error_clear(&err);
    repo_list_timeline_months_row_set set = PGC_ZERO;
    text[0] = '\0';
    CHECK_STATUS(lum_timeline_months(who->actor, &set, &err), PGC_OK, &err);
    for (size_t i = 0; i < set.count && used < sizeof text; i++) {
        used += (size_t) snprintf(text + used, sizeof text - used,
                                  "%s%d:%" PRId64 "/%" PRId64 "/%" PRId64, i > 0 ? " " : "",
                                  (int) set.rows[i].month.days, set.rows[i].photos,
                                  set.rows[i].videos, set.rows[i].recordings);
    }
    repo_list_timeline_months_row_set_free(&set);
    return text;
}

#define DAYS_2024_01 8766 /* since 2000 */
#define DAYS_2024_05 8887

static void counts_follow_every_change(void)
{
    PERSON(&lib, owner);
    CHECK_STR(months_of(&owner), "");
    pgc_uuid id = person_add(&owner, "c.jpg");
    REQUIRE(edited(&owner, id, "{\"taken_at\": \"2024-05-31T23:30:00-05:00\"}"));
    CHECK_STR(months_of(&owner), "8887:1/0/0"); /* May by the camera's clock, June in UTC */
    repo_create_asset_params film = person_photo_of(&owner, "film.mp4", "film");
    film.asset_type = pgc_text_from("video");
    film.taken_at = (pgc_opt_timestamptz) { true, { DAYS_2024_01 * INT64_C(86400000000) } };
    film.taken_local = (pgc_opt_timestamp) { true, { DAYS_2024_01 * INT64_C(86400000000) } };
    film.taken_source = pgc_text_from("exif");
    pgc_uuid film_id = person_add_row(&owner, &film);
    CHECK_STR(months_of(&owner), "8887:1/0/0 8766:0/1/0");
    REQUIRE(edited(&owner, film_id, "{\"rating\": 2}")); /* touches no day */
    CHECK_STR(months_of(&owner), "8887:1/0/0 8766:0/1/0");
    REQUIRE_OK(lum_asset_delete(owner.actor, id, &err), &err);
    CHECK_STR(months_of(&owner), "8766:0/1/0");
    REQUIRE_OK(lum_asset_restore(owner.actor, id, &err), &err);
    REQUIRE(edited(&owner, id, "{\"taken_at\": \"2024-01-31T00:00:00\"}"));
    CHECK_STR(months_of(&owner), "8766:1/1/0");
    int32_t mended = -1;
    REQUIRE_OK(lum_timeline_repair(owner.actor, &mended, &err), &err);
    CHECK_INT(mended, 0);
}

static void a_wrong_count_is_mended(void)
{
    PERSON(&lib, owner);
    char sql[256];
    char got[64];
    char state[6];
    pgc_uuid id = person_add(&owner, "m.jpg");
    REQUIRE(edited(&owner, id, "{\"taken_at\": \"2024-05-01T10:00:00\"}"));
    (void) snprintf(sql, sizeof sql,
                    "UPDATE asset_days SET photos = 7 WHERE owner_id = %d; INSERT INTO asset_days "
                    "VALUES (%d, '1999-01-01', 1, 1, 1)",
                    (int) owner.id, (int) owner.id);
    schema_ask(conn, sql, got, sizeof got, state);
    CHECK_STR(state, "");
    int32_t mended = 0;
    REQUIRE_OK(lum_timeline_repair(owner.actor, &mended, &err), &err);
    CHECK(mended >= 2);
    CHECK_STR(months_of(&owner), "8887:1/0/0");
}

/* Batches of random inserts, updates and deletes by the superuser, over owners; the kept counts
 * must be what counting gives. */
static void random_batches_keep_the_counts(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person second;
    REQUIRE(person_make(&lib, &second, "second_of_batches"));
    uint64_t dice = 7;
    char sql[1024];
    char got[64];
    char state[6];
    for (int i = 0; i < 60; i++) {
        int32_t who = random_below(&dice, 2) == 0 ? owner.id : second.id;
        size_t kind = random_below(&dice, 4);
        unsigned number = (unsigned) random_below(&dice, 1000);
        (void) snprintf(
            sql, sizeof sql,
            kind == 0   ? "INSERT INTO assets (original_filename, file_path, file_size, file_hash, "
                          "asset_type, owner_id, uploaded_at) SELECT 'x', 'x', 1, 'h%d-%u-' || n, "
                          "(ARRAY['photo', 'video', 'audio'])[1 + n %% 3], %d, timestamptz "
                          "'2020-01-01Z' + interval '7 hours' * n FROM generate_series(1, 40) n"
            : kind == 1 ? "UPDATE assets SET taken_at = t, taken_local = t AT TIME ZONE 'UTC', "
                          "taken_source = 'user' FROM (SELECT timestamptz '2021-01-01Z' + interval "
                          "'1 day' * %d AS t) x WHERE hashtext(asset_id::text) %% 7 = %u %% 7 AND "
                          "owner_id = %d"
            : kind == 2 ? "UPDATE assets SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() "
                          "END WHERE hashtext(asset_id::text) %% 5 = (%d + %u) %% 5 AND owner_id "
                          "= %d AND file_path = 'x'"
                        : "DELETE FROM assets WHERE hashtext(asset_id::text) %% 11 = (%d + %u) %% "
                          "11 AND owner_id = %d AND file_path = 'x'",
            i, number, (int) who);
        schema_ask(conn, sql, got, sizeof got, state);
        CHECK_STR(state, "");
    }
    CHECK_SQL(
        conn,
        "SELECT count(*) FROM (SELECT owner_id, captured_local::date AS day, count(*) FILTER "
        "(WHERE asset_type = 'photo') AS p, count(*) FILTER (WHERE asset_type = 'video') AS "
        "v, count(*) FILTER (WHERE asset_type = 'audio') AS r FROM assets WHERE deleted_at IS "
        "NULL GROUP BY 1, 2) a FULL JOIN (SELECT * FROM asset_days WHERE photos + videos + "
        "recordings <> 0) d USING (owner_id, day) WHERE (p, v, r) IS DISTINCT FROM "
        "(d.photos, d.videos, d.recordings)",
        "0");
    CHECK_SQL(conn, "SELECT sum(photos + videos + recordings) > 100 FROM asset_days", "t");
}

static void periods_are_listed(void)
{
    PERSON(&lib, owner);
    lum_asset_page page = { .total = 0 };
    lum_when month;
    lum_when moment;
    repo_list_timeline_days_row_set days = PGC_ZERO;
    for (int i = 0; i < 5; i++) {
        char name[16];
        char json[64];
        (void) snprintf(name, sizeof name, "%d.jpg", i);
        (void) snprintf(json, sizeof json, "{\"taken_at\": \"2024-05-%02dT12:00:00\"}", 30 - i / 2);
        REQUIRE(edited(&owner, person_add(&owner, name), json));
    }
    REQUIRE(lum_when_parse(SLICE("2024-05"), &month));
    REQUIRE(lum_when_parse(SLICE("2024-05-05T10:00"), &moment));
    REQUIRE_OK(lum_timeline_days(owner.actor, &month, &days, &err), &err);
    CHECK_INT(days.count, 3);
    CHECK_INT(days.rows[0].day.days, DAYS_2024_05 + 29);
    CHECK_INT(days.rows[0].photos, 2);
    repo_list_timeline_days_row_set_free(&days);
    CHECK_STATUS(lum_timeline_days(owner.actor, &moment, &days, &err), PGC_INVALID, &err);
    REQUIRE_OK(lum_timeline_page(owner.actor, &month, 3, (slice) { 0 }, &page, &err), &err);
    CHECK_INT(page.assets.count, 3);
    char next[LUM_CURSOR_SIZE];
    (void) snprintf(next, sizeof next, "%s", page.next);
    lum_asset_page_free(&page);
    REQUIRE_OK(lum_timeline_page(owner.actor, &month, 3, pgc_text_from(next), &page, &err), &err);
    CHECK_INT(page.assets.count, 2);
    CHECK_STR(page.next, "");
    lum_asset_page_free(&page);
    CHECK_STATUS(lum_timeline_page(owner.actor, &moment, 3, (slice) { 0 }, &page, &err),
                 PGC_INVALID, &err);
}

/* ---- the trash ---- */

static void the_trash_is_read_in_pages(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "other_trash"));
    char next[LUM_CURSOR_SIZE] = "";
    size_t seen = 0;
    for (int i = 0; i < 7; i++) {
        char name[16];
        (void) snprintf(name, sizeof name, "%d.jpg", i);
        REQUIRE_OK(lum_asset_delete(owner.actor, person_add(&owner, name), &err), &err);
    }
    int64_t last = INT64_MAX;
    lum_asset_page page = { .total = 0 };
    do {
        const slice cursor = next[0] != '\0' ? pgc_text_from(next) : (slice) { 0 };
        REQUIRE_OK(lum_trash_list(owner.actor, 3, cursor, &page, &err), &err);
        for (size_t i = 0; i < page.assets.count; i++, seen++) {
            CHECK(page.assets.rows[i].deleted_at.v.us <= last);
            last = page.assets.rows[i].deleted_at.v.us;
        }
        CHECK_STATUS(lum_trash_list(other.actor, 3, pgc_text_from(page.next), &page, &err),
                     PGC_INVALID, &err);
        (void) snprintf(next, sizeof next, "%s", page.next);
        lum_asset_page_free(&page);
    } while (next[0] != '\0');
    CHECK_INT(seen, 7);
    REQUIRE_OK(lum_trash_list(other.actor, 3, (slice) { 0 }, &page, &err), &err);
    CHECK_INT(page.assets.count, 0);
    lum_asset_page_free(&page);
    CHECK_STATUS(lum_trash_list(owner.actor, 0, (slice) { 0 }, &page, &err), PGC_INVALID, &err);
    CHECK_STATUS(lum_trash_list(owner.actor, -3, (slice) { 0 }, &page, &err), PGC_INVALID, &err);
}

/* A repository of the owner, for files to be in. */
static pgc_uuid repository_of(const person *owner)
{
    char sql[256];
    char got[64];
    char state[6];
    pgc_uuid id = { { 0 } };
    (void) snprintf(sql, sizeof sql,
                    "INSERT INTO repositories (name, path, owner_id, is_default) VALUES ('r', "
                    "'/r', %d, true) RETURNING repo_id::text",
                    (int) owner->id);
    schema_ask(conn, sql, got, sizeof got, state);
    CHECK(pgc_uuid_parse(pgc_text_from(got), &id));
    return id;
}

static void purging_takes_rows_and_notes_their_files(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "other_purge"));
    pgc_uuid repository = repository_of(&owner);
    repo_create_asset_params row = person_photo_of(&owner, "gone.jpg", "gone");
    row.repository_id = (pgc_opt_uuid) { true, repository };
    pgc_uuid gone = person_add_row(&owner, &row);
    repo_thumbnail_set thumbnail = PGC_ZERO;
    const repo_create_thumbnail_params small = { .asset_id = gone,
                                                 .owner_id = owner.id,
                                                 .size = pgc_text_from("small"),
                                                 .file_path = pgc_text_from("gone-small.webp") };
    REQUIRE_OK(lum_thumbnail_create(owner.actor, &small, &thumbnail, &err), &err);
    repo_thumbnail_set_free(&thumbnail);
    pgc_uuid kept = person_add(&owner, "kept.jpg");
    lum_purged purged = { .assets = -1 };
    const lum_purge all = { 0 };
    const lum_purge one = { .asset_id = { true, kept } };
    const lum_purge old = { .age_us = INT64_C(3600) * 1000000 };
    const lum_purge wrong = { .age_us = -1 };
    CHECK_STATUS(lum_trash_purge(owner.actor, &one, &purged, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_trash_purge(owner.actor, &wrong, &purged, &err), PGC_INVALID, &err);
    REQUIRE_OK(lum_asset_delete(owner.actor, gone, &err), &err);
    REQUIRE_OK(lum_trash_purge(other.actor, &all, &purged, &err), &err);
    CHECK_INT(purged.assets, 0);
    REQUIRE_OK(lum_trash_purge(owner.actor, &old, &purged, &err), &err);
    CHECK_INT(purged.assets, 0);
    REQUIRE_OK(lum_trash_purge(owner.actor, &all, &purged, &err), &err);
    CHECK_INT(purged.assets, 1);
    CHECK_INT(purged.files, 2);
    CHECK_INT(purged.bytes, 1000);
    CHECK_STATUS(lum_asset_restore(owner.actor, gone, &err), PGC_NOT_FOUND, &err);
    char sql[256];
    (void) snprintf(sql, sizeof sql,
                    "SELECT string_agg(file_path, ' ' ORDER BY file_path) FROM file_deletions "
                    "WHERE owner_id = %d",
                    (int) owner.id);
    CHECK_SQL(conn, sql, "gone-small.webp inbox/2024/05/x.jpg");
    repo_asset_set set = PGC_ZERO;
    REQUIRE_OK(lum_asset_get(owner.actor, kept, &set, &err), &err);
    repo_asset_set_free(&set);
}

static const tap_case CASES[] = {
    TAP("edit: every member can be set and cleared", every_member_can_be_set_and_cleared),
    TAP("edit: a time without offset is a wall clock", a_time_without_offset_is_a_wall_clock),
    TAP("edit: bad documents are refused and change nothing",
        bad_documents_are_refused_and_change_nothing),
    TAP("edit: documents and texts have a limit", documents_and_texts_have_a_limit),
    TAP("edit: not what is foreign, absent or deleted",
        nobody_edits_what_is_foreign_absent_or_deleted),
    TAP("timeline: counts follow every change", counts_follow_every_change),
    TAP("timeline: a wrong count is mended", a_wrong_count_is_mended),
    TAP("timeline: random batches keep the counts", random_batches_keep_the_counts),
    TAP("timeline: days and assets of a period", periods_are_listed),
    TAP("trash: is read in pages, by its owner only", the_trash_is_read_in_pages),
    TAP("trash: purging takes rows and notes their files",
        purging_takes_rows_and_notes_their_files),
};

LIBRARY_MAIN(lib, conn, CASES)
