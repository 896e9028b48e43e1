/* The asset service on a real server: what it stores, finds, refuses and keeps from others. One
 * library for all cases; each has users of its own, so that none sees another's rows. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "base/list.h"
#include "base/uuid.h"
#include "person.h"
#include "service/asset.h"
#include "service/repository.h"

#define PAGE(rows) ((lum_page) { .limit = (rows) })

static test_library lib;

static pgc_uuid add(const person *owner, const char *name, const char *hash)
{
    const repo_create_asset_params row = person_photo_of(owner, name, hash);
    return person_add_row(owner, &row);
}

/* Update metadata and forget the row. */
static pgc_status change(const person *who, pgc_uuid id, const char *json, pgc_error *err)
{
    repo_asset_set set = PGC_ZERO;
    pgc_status status = lum_asset_update_metadata(who->actor, id, pgc_text_from(json), &set, err);
    repo_asset_set_free(&set);
    return status;
}

/* File names of a set, "a b c". */
static const char *names_of(const repo_asset_set *set)
{
    static char text[1024];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < set->count && used < sizeof text; i++) {
        used += (size_t) snprintf(text + used, sizeof text - used, "%s%" SLICE_FMT,
                                  i > 0 ? " " : "", SLICE_ARG(set->rows[i].original_filename));
    }
    return text;
}

/* Result of a search as names; the error's message when it fails. */
static const char *find(const person *who, const char *query, const char *type)
{
    static char text[1024];
    pgc_error err;
    pgc_error_clear(&err);
    repo_asset_set set = PGC_ZERO;
    if (lum_asset_search(who->actor, query, type, PAGE(20), &set, &err) != PGC_OK) {
        (void) snprintf(text, sizeof text, "error: %.900s", err.message);
    } else {
        (void) snprintf(text, sizeof text, "%s", names_of(&set));
        repo_asset_set_free(&set);
    }
    return text;
}

static void stores_and_gives_back(void)
{
    PERSON(&lib, owner);
    bool duplicate = true;
    repo_asset_set made = PGC_ZERO;
    repo_asset_set got = PGC_ZERO;
    repo_create_asset_params row = person_photo_of(&owner, "Sommer 🌞.jpg", "sha256:aa");
    row.width = (pgc_opt_i32) { true, 4000 };
    row.rating = (pgc_opt_i32) { true, 5 };
    row.camera_make = pgc_text_from("Nikon");
    REQUIRE_OK(lum_asset_create(owner.actor, &row, &made, &duplicate, &err), &err);
    CHECK(!duplicate);
    REQUIRE_OK(lum_asset_get(owner.actor, row.asset_id, &got, &err), &err);
    REQUIRE(CHECK(got.count == 1));
    CHECK(person_same(got.rows[0].asset_id, row.asset_id));
    CHECK(slice_eq_str(got.rows[0].original_filename, "Sommer 🌞.jpg"));
    CHECK(slice_eq_str(got.rows[0].camera_make, "Nikon"));
    CHECK(got.rows[0].camera_model.ptr == NULL);
    CHECK_INT(got.rows[0].width.v, 4000);
    CHECK_INT(got.rows[0].rating.v, 5);
    CHECK_INT(got.rows[0].file_size, 1000);
    CHECK(!got.rows[0].deleted_at.has);
    repo_asset_set_free(&made);
    repo_asset_set_free(&got);
}

static void refuses_wrong_assets(void)
{
    PERSON(&lib, owner);
    bool duplicate = true;
    repo_asset_set set = PGC_ZERO;
    repo_create_asset_params row = person_photo_of(&owner, "a.txt", "sha256:a1");
    row.asset_type = pgc_text_from("document");
    CHECK_STATUS(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "\"document\""));
    CHECK(person_says(&err, "photo, video or audio"));
    row = person_photo_of(&owner, "a.jpg", "sha256:a1");
    row.owner_id = owner.id + 1;
    CHECK_STATUS(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), PGC_DENIED, &err);
    row = person_photo_of(&owner, "", "sha256:a1");
    CHECK_STATUS(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), PGC_INVALID, &err);
    row = person_photo_of(&owner, "a.jpg", "");
    CHECK_STATUS(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), PGC_INVALID, &err);
    row = person_photo_of(&owner, "a.jpg", "sha256:a1");
    row.file_size = -1;
    CHECK_STATUS(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), PGC_INVALID, &err);
    row = person_photo_of(&owner, "late.jpg", "sha256:a1");
    row.rating = (pgc_opt_i32) { true, 6 };
    CHECK_STATUS(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "create asset \"late.jpg\""));
    CHECK(set.rows == NULL);
    CHECK(duplicate); /* outputs are written on success only */
}

static void every_type_is_taken(void)
{
    static const char *const TYPES[] = { "photo", "video", "audio" };
    PERSON(&lib, owner);
    for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
        bool duplicate = true;
        repo_asset_set set = PGC_ZERO;
        repo_create_asset_params row = person_photo_of(&owner, TYPES[i], TYPES[i]);
        row.asset_type = pgc_text_from(TYPES[i]);
        REQUIRE_OK(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), &err);
        CHECK(slice_eq_str(set.rows[0].asset_type, TYPES[i]));
        repo_asset_set_free(&set);
    }
}

static void equal_content_is_a_duplicate(void)
{
    PERSON(&lib, owner);
    bool duplicate = false;
    repo_asset_set set = PGC_ZERO;
    pgc_uuid first = add(&owner, "one.jpg", "sha256:same");
    repo_create_asset_params row = person_photo_of(&owner, "two.jpg", "sha256:same");
    REQUIRE_OK(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), &err);
    CHECK(duplicate);
    CHECK(person_same(set.rows[0].asset_id, first));
    CHECK_STR(names_of(&set), "one.jpg");
    CHECK_STR(err.message, "");
    repo_asset_set_free(&set);
    row = person_photo_of(&owner, "three.jpg", "sha256:same");
    row.file_size++; /* the size belongs to the key */
    REQUIRE_OK(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), &err);
    CHECK(!duplicate);
    repo_asset_set_free(&set);
    REQUIRE_OK(
        lum_asset_get_by_content(owner.actor, pgc_text_from("sha256:same"), 1000, &set, &err),
        &err);
    CHECK(person_same(set.rows[0].asset_id, first));
    repo_asset_set_free(&set);
    CHECK_STATUS(
        lum_asset_get_by_content(owner.actor, pgc_text_from("sha256:other"), 1000, &set, &err),
        PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "sha256:other"));
}

static void users_do_not_see_each_other(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "the_other_one"));
    repo_asset_set set = PGC_ZERO;
    pgc_uuid mine = add(&owner, "secret.jpg", "sha256:shared");
    pgc_uuid theirs = add(&other, "secret.jpg", "sha256:shared"); /* no duplicate */
    CHECK(!person_same(mine, theirs));
    CHECK_STATUS(lum_asset_get(other.actor, mine, &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_asset_delete(other.actor, mine, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(change(&other, mine, "{\"description\": \"stolen\"}", &err), PGC_NOT_FOUND, &err);
    REQUIRE_OK(lum_asset_list(other.actor, NULL, PAGE(10), &set, &err), &err);
    CHECK_INT(set.count, 1);
    repo_asset_set_free(&set);
    REQUIRE_OK(lum_asset_list_by_owner(other.actor, owner.id, PAGE(10), &set, &err), &err);
    CHECK_INT(set.count, 0);
    repo_asset_set_free(&set);
    CHECK_STR(find(&other, "secret", NULL), "secret.jpg");
    repo_thumbnail_set thumbnail = PGC_ZERO;
    const repo_create_thumbnail_params forged = { .asset_id = mine,
                                                  .owner_id = other.id,
                                                  .size = pgc_text_from("small"),
                                                  .file_path = pgc_text_from("x") };
    CHECK(lum_thumbnail_create(other.actor, &forged, &thumbnail, &err) != PGC_OK);
    CHECK(thumbnail.rows == NULL);
}

static void an_absent_asset_is_not_found(void)
{
    PERSON(&lib, owner);
    repo_asset_set set = PGC_ZERO;
    const pgc_uuid nobody = { { 1, 2, 3 } };
    CHECK_STATUS(lum_asset_get(owner.actor, nobody, &set, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "get asset 01020300-0000-0000-0000-000000000000"));
    CHECK_STATUS(lum_asset_delete(owner.actor, nobody, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "delete asset 0102"));
    CHECK_STATUS(lum_asset_restore(owner.actor, nobody, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "restore asset 0102"));
}

static void update_keeps_what_is_not_given(void)
{
    PERSON(&lib, owner);
    repo_asset_set set = PGC_ZERO;
    pgc_uuid id = add(&owner, "u.jpg", "sha256:u");
    REQUIRE_OK(change(&owner, id,
                      "{\"description\": \"at the sea\", \"rating\": 3, \"liked\": true}", &err),
               &err);
    REQUIRE_OK(change(&owner, id, "{\"rating\": 0}", &err), &err);
    REQUIRE_OK(lum_asset_get(owner.actor, id, &set, &err), &err);
    CHECK(slice_eq_str(set.rows[0].description, "at the sea"));
    CHECK(set.rows[0].rating.has);
    CHECK_INT(set.rows[0].rating.v, 0);
    CHECK(set.rows[0].liked);
    CHECK(set.rows[0].updated_at.us >= set.rows[0].created_at.us);
    repo_asset_set_free(&set);
}

static void lists_by_type_and_in_pages(void)
{
    PERSON(&lib, owner);
    repo_asset_set set = PGC_ZERO;
    for (int i = 0; i < 5; i++) {
        char name[16];
        char hash[16];
        (void) snprintf(name, sizeof name, "p%d", i);
        (void) snprintf(hash, sizeof hash, "sha256:%d", i);
        (void) add(&owner, name, hash);
    }
    repo_create_asset_params row = person_photo_of(&owner, "v", "sha256:v");
    bool duplicate = false;
    row.asset_type = pgc_text_from("video");
    REQUIRE_OK(lum_asset_create(owner.actor, &row, &set, &duplicate, &err), &err);
    repo_asset_set_free(&set);
    REQUIRE_OK(lum_asset_list(owner.actor, NULL, PAGE(10), &set, &err), &err);
    CHECK_STR(names_of(&set), "v p4 p3 p2 p1 p0");
    repo_asset_set_free(&set);
    REQUIRE_OK(
        lum_asset_list(owner.actor, "photo", (lum_page) { .limit = 2, .offset = 3 }, &set, &err),
        &err);
    CHECK_STR(names_of(&set), "p1 p0");
    repo_asset_set_free(&set);
    REQUIRE_OK(lum_asset_list(owner.actor, "video", PAGE(10), &set, &err), &err);
    CHECK_STR(names_of(&set), "v");
    repo_asset_set_free(&set);
    REQUIRE_OK(lum_asset_list(owner.actor, "audio", PAGE(10), &set, &err), &err);
    CHECK_INT(set.count, 0);
    repo_asset_set_free(&set);
    REQUIRE_OK(lum_asset_list_by_owner(owner.actor, owner.id,
                                       (lum_page) { .limit = 1, .offset = 5 }, &set, &err),
               &err);
    CHECK_STR(names_of(&set), "p0");
    repo_asset_set_free(&set);
    /* Behind a row: the same pages, without reading those before. */
    repo_asset_set page = PGC_ZERO;
    REQUIRE_OK(lum_asset_list(owner.actor, NULL, PAGE(3), &set, &err), &err);
    REQUIRE_OK(lum_asset_list(owner.actor, NULL, (lum_page) { .limit = 2, .behind = &set.rows[2] },
                              &page, &err),
               &err);
    CHECK_STR(names_of(&page), "p2 p1");
    repo_asset_set_free(&page);
    REQUIRE_OK(lum_asset_list(owner.actor, "photo",
                              (lum_page) { .limit = 9, .offset = 1, .behind = &set.rows[1] }, &page,
                              &err),
               &err);
    CHECK_STR(names_of(&page), "p2 p1 p0");
    repo_asset_set_free(&page);
    repo_asset_set_free(&set);
    static const lum_page WRONG[] = {
        { .limit = 0 }, { .limit = -1 }, { .limit = LUM_PAGE_MAX + 1 }, { .limit = 1, .offset = -1 }
    };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        CHECK_STATUS(lum_asset_list(owner.actor, NULL, WRONG[i], &set, &err), PGC_INVALID, &err);
        CHECK_STATUS(lum_asset_search(owner.actor, "p", NULL, WRONG[i], &set, &err), PGC_INVALID,
                     &err);
    }
    CHECK_STATUS(lum_asset_list(owner.actor, "gif", PAGE(1), &set, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "\"gif\""));
}

static void search_finds_words_beginnings_and_parts(void)
{
    PERSON(&lib, owner);
    (void) add(&owner, "beach-paris-2019.jpg", "sha256:1");
    (void) add(&owner, "IMG_20240131_HDR.jpg", "sha256:2");
    (void) add(&owner, "Straßenbahn Übung.jpg", "sha256:3");
    (void) add(&owner, "日本の写真.png", "sha256:4");
    CHECK_STR(find(&owner, "beach", NULL), "beach-paris-2019.jpg");
    CHECK_STR(find(&owner, "PARIS", NULL), "beach-paris-2019.jpg");
    CHECK_STR(find(&owner, "2019 beach", NULL), "beach-paris-2019.jpg");
    CHECK_STR(find(&owner, "bea", NULL), "beach-paris-2019.jpg");
    CHECK_STR(find(&owner, "aris-20", NULL), "beach-paris-2019.jpg");
    CHECK_STR(find(&owner, "beach tokyo", NULL), "");
    CHECK_STR(find(&owner, "hdr", NULL), "IMG_20240131_HDR.jpg");
    CHECK_STR(find(&owner, "img 2024", NULL), "IMG_20240131_HDR.jpg");
    CHECK_STR(find(&owner, "übung", NULL), "Straßenbahn Übung.jpg");
    CHECK_STR(find(&owner, "straßen", NULL), "Straßenbahn Übung.jpg");
    CHECK_STR(find(&owner, "日本の写真", NULL), "日本の写真.png");
    CHECK_STR(find(&owner, "本の写", NULL), "日本の写真.png");
    CHECK_STR(find(&owner, "beach", "photo"), "beach-paris-2019.jpg");
    CHECK_STR(find(&owner, "beach", "video"), "");
    CHECK_STR(find(&owner, "  beach\n", NULL), "beach-paris-2019.jpg");
}

static void search_takes_wildcards_literally(void)
{
    PERSON(&lib, owner);
    (void) add(&owner, "100%_sure.jpg", "sha256:1");
    (void) add(&owner, "100 times unsure.jpg", "sha256:2");
    (void) add(&owner, "back\\slash.jpg", "sha256:3");
    (void) add(&owner, "it's \"quoted\" & (odd) | <b>.jpg", "sha256:4");
    CHECK_STR(find(&owner, "0%_su", NULL), "100%_sure.jpg");
    CHECK_STR(find(&owner, "0%su", NULL), ""); /* as a wildcard it would match both */
    CHECK_STR(find(&owner, "0__sur", NULL), "");
    CHECK_STR(find(&owner, "%%%", NULL), "");
    CHECK_STR(find(&owner, "___", NULL), "");
    CHECK_STR(find(&owner, "k\\s", NULL), "back\\slash.jpg");
    CHECK_STR(find(&owner, "\\\\\\", NULL), "");
    CHECK_STR(find(&owner, "it's \"quoted\"", NULL), "it's \"quoted\" & (odd) | <b>.jpg");
    CHECK_STR(find(&owner, "& | ! :* <->", NULL), "");
    CHECK_STR(find(&owner, "'; DROP TABLE assets; --", NULL), "");
    CHECK_STR(find(&owner, "sure:*", NULL), "100%_sure.jpg");
}

static void search_refuses_nothing_to_search(void)
{
    PERSON(&lib, owner);
    CHECK_STR(find(&owner, "", NULL), "error: search: the text is empty");
    CHECK_STR(find(&owner, " \t\n", NULL), "error: search: the text is empty");
    CHECK_STR(find(&owner, "\xff\xfe", NULL),
              "error: search: the text: not valid UTF-8, or with a NUL in it");
    CHECK(strstr(find(&owner, "x", "gif"), "\"gif\"") != NULL);
}

static void search_puts_the_exact_name_first(void)
{
    PERSON(&lib, owner);
    (void) add(&owner, "a.jpg", "sha256:1");
    (void) add(&owner, "a.jpg.jpg", "sha256:2");
    (void) add(&owner, "xa.jpg", "sha256:3");
    CHECK_STR(find(&owner, "A.JPG", NULL), "a.jpg xa.jpg a.jpg.jpg");
}

static void search_follows_changes(void)
{
    PERSON(&lib, owner);
    pgc_uuid id = add(&owner, "k.jpg", "sha256:1");
    CHECK_STR(find(&owner, "sunrise", NULL), "");
    REQUIRE_OK(change(&owner, id,
                      "{\"description\": \"sunrise at the lake\", \"camera_make\": \"Leica\"}",
                      &err),
               &err);
    CHECK_STR(find(&owner, "lake sunrise", NULL), "k.jpg");
    CHECK_STR(find(&owner, "leica", NULL), "k.jpg");
    REQUIRE_OK(lum_asset_delete(owner.actor, id, &err), &err);
    CHECK_STR(find(&owner, "leica", NULL), "");
    CHECK_STR(find(&owner, "k.jpg", NULL), "");
    REQUIRE_OK(lum_asset_restore(owner.actor, id, &err), &err);
    CHECK_STR(find(&owner, "leica", NULL), "k.jpg");
}

static void trash_hides_and_gives_back(void)
{
    PERSON(&lib, owner);
    repo_asset_set set = PGC_ZERO;
    pgc_uuid id = add(&owner, "t.jpg", "sha256:t");
    REQUIRE_OK(lum_asset_delete(owner.actor, id, &err), &err);
    CHECK_STATUS(lum_asset_get(owner.actor, id, &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_asset_delete(owner.actor, id, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(change(&owner, id, "{\"rating\": 1}", &err), PGC_NOT_FOUND, &err);
    REQUIRE_OK(lum_asset_list(owner.actor, NULL, PAGE(10), &set, &err), &err);
    CHECK_INT(set.count, 0);
    repo_asset_set_free(&set);
    REQUIRE_OK(lum_asset_restore(owner.actor, id, &err), &err);
    REQUIRE_OK(lum_asset_get(owner.actor, id, &set, &err), &err);
    CHECK(!set.rows[0].deleted_at.has);
    repo_asset_set_free(&set);
    CHECK_STATUS(lum_asset_restore(owner.actor, id, &err), PGC_NOT_FOUND, &err);
}

static void restore_gives_way_to_newer_content(void)
{
    PERSON(&lib, owner);
    pgc_uuid old = add(&owner, "old.jpg", "sha256:r");
    REQUIRE_OK(lum_asset_delete(owner.actor, old, &err), &err);
    pgc_uuid fresh = add(&owner, "new.jpg", "sha256:r"); /* the trash does not count */
    CHECK_STATUS(lum_asset_restore(owner.actor, old, &err), PGC_CONFLICT, &err);
    CHECK(person_says(&err, "restore asset"));
    CHECK(strstr(err.hint, "delete that asset first") != NULL);
    REQUIRE_OK(lum_asset_delete(owner.actor, fresh, &err), &err);
    REQUIRE_OK(lum_asset_restore(owner.actor, old, &err), &err);
}

static repo_create_thumbnail_params thumbnail(const person *owner, pgc_uuid id, const char *size,
                                              int32_t width)
{
    return (repo_create_thumbnail_params) { .asset_id = id,
                                            .owner_id = owner->id,
                                            .size = pgc_text_from(size),
                                            .file_path = pgc_text_from(size),
                                            .file_size = { true, 10 * width },
                                            .width = { true, width },
                                            .height = { true, width / 2 },
                                            .mime_type = pgc_text_from("image/webp") };
}

static bool thumbnail_add(const person *owner, pgc_uuid id, const char *size, int32_t width)
{
    pgc_error err;
    pgc_error_clear(&err);
    repo_thumbnail_set set = PGC_ZERO;
    const repo_create_thumbnail_params row = thumbnail(owner, id, size, width);
    bool good = CHECK_STATUS(lum_thumbnail_create(owner->actor, &row, &set, &err), PGC_OK, &err);
    repo_thumbnail_set_free(&set);
    return good;
}

static void thumbnails_are_one_of_each_size(void)
{
    PERSON(&lib, owner);
    repo_thumbnail_set set = PGC_ZERO;
    pgc_uuid id = add(&owner, "t.jpg", "sha256:t");
    CHECK(thumbnail_add(&owner, id, "large", 1920));
    CHECK(thumbnail_add(&owner, id, "small", 400));
    CHECK(thumbnail_add(&owner, id, "medium", 800));
    CHECK(thumbnail_add(&owner, id, "small", 300)); /* replaces */
    REQUIRE_OK(lum_thumbnail_list(owner.actor, id, &set, &err), &err);
    REQUIRE(CHECK_INT(set.count, 3));
    CHECK(slice_eq_str(set.rows[0].size, "small"));
    CHECK_INT(set.rows[0].width.v, 300);
    CHECK(slice_eq_str(set.rows[2].size, "large"));
    repo_thumbnail_set_free(&set);
    REQUIRE_OK(lum_thumbnail_get(owner.actor, id, "medium", &set, &err), &err);
    CHECK_INT(set.rows[0].file_size.v, 8000);
    repo_thumbnail_set_free(&set);
    CHECK_STATUS(lum_thumbnail_get(owner.actor, id, "huge", &set, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "\"huge\""));
    const repo_create_thumbnail_params row = thumbnail(&owner, id, "tiny", 10);
    CHECK_STATUS(lum_thumbnail_create(owner.actor, &row, &set, &err), PGC_INVALID, &err);
    pgc_uuid bare = add(&owner, "b.jpg", "sha256:b");
    CHECK_STATUS(lum_thumbnail_get(owner.actor, bare, "small", &set, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "get small thumbnail of asset"));
    REQUIRE_OK(lum_thumbnail_list(owner.actor, bare, &set, &err), &err);
    CHECK_INT(set.count, 0);
    repo_thumbnail_set_free(&set);
    const repo_create_thumbnail_params lost = thumbnail(&owner, (pgc_uuid) { { 9 } }, "small", 10);
    CHECK_STATUS(lum_thumbnail_create(owner.actor, &lost, &set, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "create small thumbnail of asset 09"));
}

/* Passes queries on and counts them. */
typedef struct counting_db {
    pgc_db db;
    pgc_db *inner;
    int queries;
} counting_db;

static pgc_status counting_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                               pgc_result **out, pgc_error *err)
{
    counting_db *counting = CONTAINER_OF(db, counting_db, db);
    counting->queries++;
    return counting->inner->ops->run(counting->inner, query, args, out, err);
}

static void lists_with_thumbnails_in_one_query(void)
{
    static const pgc_db_ops OPS = { .struct_size = sizeof OPS, .run = counting_run };
    PERSON(&lib, owner);
    counting_db counting = { .db = { &OPS }, .inner = owner.actor.db };
    lum_actor actor = { &counting.db, owner.id };
    pgc_uuid first = add(&owner, "one.jpg", "sha256:1");
    (void) add(&owner, "none.jpg", "sha256:2");
    pgc_uuid third = add(&owner, "two.jpg", "sha256:3");
    CHECK(thumbnail_add(&owner, first, "small", 400));
    CHECK(thumbnail_add(&owner, third, "medium", 800));
    CHECK(thumbnail_add(&owner, third, "small", 400));
    repo_list_assets_with_thumbnails_row_set set = PGC_ZERO;
    REQUIRE_OK(lum_asset_list_with_thumbnails(actor, PAGE(10), &set, &err), &err);
    CHECK_INT(counting.queries, 1);
    REQUIRE(CHECK_INT(set.count, 3));
    CHECK(slice_eq_str(set.rows[0].a.original_filename, "two.jpg"));
    CHECK(slice_eq_str(set.rows[1].thumbnails, "[]"));
    char json[1024];
    (void) snprintf(json, sizeof json, "%" SLICE_FMT, SLICE_ARG(set.rows[0].thumbnails));
    const char *small = strstr(json, "\"size\": \"small\"");
    const char *medium = strstr(json, "\"size\": \"medium\"");
    CHECK(json[0] == '[');
    CHECK(small != NULL);
    CHECK(medium != NULL && medium > small); /* smallest first */
    CHECK(strstr(json, "\"width\": 800") != NULL);
    repo_list_assets_with_thumbnails_row_set_free(&set);
    REQUIRE_OK(
        lum_asset_list_with_thumbnails(actor, (lum_page) { .limit = 1, .offset = 2 }, &set, &err),
        &err);
    CHECK_INT(set.count, 1);
    CHECK(slice_eq_str(set.rows[0].a.original_filename, "one.jpg"));
    const repo_asset *last = &set.rows[0].a;
    repo_list_assets_with_thumbnails_row_set rest = PGC_ZERO;
    REQUIRE_OK(lum_asset_list_with_thumbnails(actor, (lum_page) { .limit = 9, .behind = last },
                                              &rest, &err),
               &err);
    CHECK_INT(rest.count, 0); /* it was the last one */
    repo_list_assets_with_thumbnails_row_set_free(&rest);
    repo_list_assets_with_thumbnails_row_set_free(&set);
    CHECK_STATUS(lum_asset_list_with_thumbnails(actor, PAGE(0), &set, &err), PGC_INVALID, &err);
}

static void calls_join_a_transaction(void)
{
    PERSON(&lib, owner);
    pgc_tx *tx = NULL;
    repo_asset_set set = PGC_ZERO;
    bool duplicate = false;
    const repo_create_asset_params row = person_photo_of(&owner, "tx.jpg", "sha256:tx");
    REQUIRE_OK(lum_session_begin(owner.session, &tx, &err), &err);
    lum_actor inside = lum_session_tx_actor(owner.session, tx);
    CHECK_STATUS(lum_asset_create(inside, &row, &set, &duplicate, &err), PGC_OK, &err);
    repo_asset_set_free(&set);
    CHECK_STATUS(lum_asset_get(inside, row.asset_id, &set, &err), PGC_OK, &err);
    repo_asset_set_free(&set);
    CHECK_STATUS(lum_asset_get(owner.actor, row.asset_id, &set, &err), PGC_NOT_FOUND, &err);
    pgc_tx_rollback(tx);
    CHECK_STATUS(lum_asset_get(owner.actor, row.asset_id, &set, &err), PGC_NOT_FOUND, &err);
}

static void user_names_are_checked(void)
{
    static const char *const GOOD[] = {
        "a", "Ann_2", "x.y-z", "_", "0", "12345678901234567890123456789012345678901234567890"
    };
    static const char *const BAD[] = {
        "",   ".hidden", "-rf", "a/b", "a b",
        "..", "ä",       "a\n", "a'b", "123456789012345678901234567890123456789012345678901"
    };
    pgc_error err;
    int32_t id = 0;
    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        CHECK_STATUS(lum_user_check_name(GOOD[i], &err), PGC_OK, &err);
    }
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        CHECK_STATUS(lum_user_check_name(BAD[i], &err), PGC_INVALID, &err);
        CHECK(person_says(&err, "user name \""));
        CHECK_STATUS(lum_user_ensure(lum_library_pool(lib.library), BAD[i], &id, &err), PGC_INVALID,
                     &err);
    }
    CHECK_STATUS(lum_user_find(lum_library_pool(lib.library), "nobody.here", &id, &err),
                 PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "\"nobody.here\""));
    CHECK_INT(id, 0);
}

static void sessions_need_a_user_that_exists(void)
{
    pgc_error err;
    lum_session *session = NULL;
    repo_asset_set set = PGC_ZERO;
    pgc_pool *pool = lum_library_pool(lib.library);
    CHECK_STATUS(lum_session_open(pool, 0, &session, &err), PGC_INVALID, &err);
    CHECK_STATUS(lum_session_open(pool, -7, &session, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "-7"));
    CHECK(session == NULL);
    lum_session_close(NULL);
    REQUIRE_OK(lum_session_open(pool, 2000000000, &session, &err), &err);
    person nobody = { .id = 2000000000, .session = session, .actor = lum_session_actor(session) };
    bool duplicate = false;
    const repo_create_asset_params row = person_photo_of(&nobody, "n.jpg", "sha256:n");
    CHECK_STATUS(lum_asset_create(nobody.actor, &row, &set, &duplicate, &err), PGC_CONFLICT, &err);
    REQUIRE_OK(lum_asset_list(nobody.actor, NULL, PAGE(5), &set, &err), &err);
    CHECK_INT(set.count, 0);
    repo_asset_set_free(&set);
    lum_session_close(session);
}

static void strategies_have_names(void)
{
    pgc_error err;
    lum_strategy strategy = LUM_STRATEGY_DATE;
    CHECK_STATUS(lum_strategy_parse("cas", &strategy, &err), PGC_OK, &err);
    CHECK_INT(strategy, LUM_STRATEGY_CAS);
    CHECK_STR(lum_strategy_text(LUM_STRATEGY_FLAT), "flat");
    CHECK_STATUS(lum_strategy_parse("CAS", &strategy, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "date, flat or cas"));
    CHECK_INT(strategy, LUM_STRATEGY_CAS);
}

static const tap_case CASES[] = {
    TAP("asset: what is stored comes back", stores_and_gives_back),
    TAP("asset: wrong type, owner, name, size, rating are refused", refuses_wrong_assets),
    TAP("asset: photo, video and audio are taken", every_type_is_taken),
    TAP("asset: equal hash and size are a duplicate", equal_content_is_a_duplicate),
    TAP("asset: one user sees and changes nothing of another", users_do_not_see_each_other),
    TAP("asset: an absent one is not found, by name", an_absent_asset_is_not_found),
    TAP("asset: an update keeps what is not given", update_keeps_what_is_not_given),
    TAP("asset: lists by type and in pages, newest first", lists_by_type_and_in_pages),
    TAP("search: words, beginnings, parts, any script", search_finds_words_beginnings_and_parts),
    TAP("search: wildcards and operators are letters", search_takes_wildcards_literally),
    TAP("search: empty text and bytes that are no text are refused",
        search_refuses_nothing_to_search),
    TAP("search: the exact name comes first", search_puts_the_exact_name_first),
    TAP("search: follows update, delete and restore", search_follows_changes),
    TAP("trash: hides an asset and gives it back", trash_hides_and_gives_back),
    TAP("trash: restore gives way to newer content", restore_gives_way_to_newer_content),
    TAP("thumbnail: one of each size, smallest first", thumbnails_are_one_of_each_size),
    TAP("thumbnail: assets with theirs are one query", lists_with_thumbnails_in_one_query),
    TAP("session: calls join a transaction", calls_join_a_transaction),
    TAP("user: names are checked", user_names_are_checked),
    TAP("session: needs a user id", sessions_need_a_user_that_exists),
    TAP("repository: strategies have names", strategies_have_names),
};

int main(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    if (!test_library_make(&lib) || !test_library_open(&lib, &err)) {
        (void) printf("Bail out! %s\n", err.message);
        return 1;
    }
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    test_library_remove(&lib);
    return code;
}
