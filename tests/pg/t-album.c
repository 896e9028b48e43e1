/* The album service on a real server: members in order, moves, the trash, what others see of public
 * albums, many writers at once. One library for all cases; each has users of its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "base/list.h"
#include "crowd.h"
#include "person.h"
#include "random.h"
#include "schema.h"
#include "service/album.h"
#include "service/check.h"
#include "tap.h"

/* Another one beside the person of the case, whose name is one letter shorter. */
#define ANOTHER(library, name)     \
    AUTO(person_done) person name; \
    REQUIRE(person_make((library), &name, &__func__[1]))

static test_library lib;
static pgc_conn *root; /* superuser: looks behind the policies */

static const lum_place AT_END = { .kind = LUM_PLACE_END };
static const lum_place AT_FRONT = { .kind = LUM_PLACE_INDEX };

static lum_place behind(pgc_uuid id)
{
    return (lum_place) { .kind = LUM_PLACE_BEHIND, .asset_id = id };
}

/* A new album; 0 after a failed check. */
static int32_t album_make(const person *owner, const char *name, bool is_public)
{
    pgc_error err;
    pgc_error_clear(&err);
    repo_album_set set = PGC_ZERO;
    int32_t id = 0;
    const lum_album_new album = { .name = pgc_text_from(name), .is_public = is_public };
    if (CHECK_STATUS(lum_album_create(owner->actor, &album, &set, &err), PGC_OK, &err)) {
        id = set.rows[0].album_id;
    }
    repo_album_set_free(&set);
    return id;
}

static bool album_put(const person *owner, int32_t album, pgc_uuid id, lum_place place)
{
    pgc_error err;
    pgc_error_clear(&err);
    int32_t added = -1;
    return CHECK_STATUS(
        lum_album_add(owner->actor, album, (lum_ids) { &id, 1 }, place, &added, &err), PGC_OK,
        &err);
}

static bool album_shift(const person *owner, int32_t album, pgc_uuid id, lum_place place)
{
    pgc_error err;
    pgc_error_clear(&err);
    return CHECK_STATUS(lum_album_move(owner->actor, album, (lum_ids) { &id, 1 }, place, &err),
                        PGC_OK, &err);
}

/* File names of the members in order, "a b c", read in pages of two. */
static const char *names_in(const person *who, int32_t album)
{
    static char text[4096];
    size_t used = 0;
    lum_album_cursor after = { false };
    size_t count = 2;
    text[0] = '\0';
    while (count == 2) {
        pgc_error err;
        pgc_error_clear(&err);
        repo_list_album_assets_row_set set = PGC_ZERO;
        if (!CHECK_STATUS(lum_album_list_assets(who->actor, album, after, 2, &set, &err), PGC_OK,
                          &err)) {
            return "(failed)";
        }
        count = set.count;
        for (size_t i = 0; i < count && used < sizeof text; i++) {
            used +=
                (size_t) snprintf(text + used, sizeof text - used, "%s%" SLICE_FMT,
                                  used > 0 ? " " : "", SLICE_ARG(set.rows[i].a.original_filename));
            after = (lum_album_cursor) { true, set.rows[i].position, set.rows[i].a.asset_id };
        }
        repo_list_album_assets_row_set_free(&set);
    }
    return text;
}

static void an_album_comes_back_as_it_was_made(void)
{
    PERSON(&lib, owner);
    repo_album_set made = PGC_ZERO;
    repo_album_set got = PGC_ZERO;
    const lum_album_new album = { .name = pgc_text_from("Sommer 🌞"),
                                  .description = pgc_text_from("at the sea"),
                                  .is_public = true };
    REQUIRE_OK(lum_album_create(owner.actor, &album, &made, &err), &err);
    REQUIRE_OK(lum_album_get(owner.actor, made.rows[0].album_id, &got, &err), &err);
    CHECK(slice_eq_str(got.rows[0].name, "Sommer 🌞"));
    CHECK(slice_eq_str(got.rows[0].description, "at the sea"));
    CHECK(got.rows[0].is_public);
    CHECK(!got.rows[0].cover_asset_id.has);
    CHECK_INT(got.rows[0].owner_id, owner.id);
    repo_album_set_free(&made);
    repo_album_set_free(&got);
}

static void an_update_changes_what_is_set(void)
{
    PERSON(&lib, owner);
    repo_album_set set = PGC_ZERO;
    int32_t album = album_make(&owner, "old", false);
    repo_update_album_params change = { .album_id = album,
                                        .name = pgc_text_from("new"),
                                        .set_name = true };
    REQUIRE_OK(lum_album_update(owner.actor, &change, &set, &err), &err);
    CHECK(slice_eq_str(set.rows[0].name, "new"));
    repo_album_set_free(&set);
    change = (repo_update_album_params) { .album_id = album,
                                          .description = pgc_text_from("words"),
                                          .set_description = true,
                                          .is_public = { true, true },
                                          .set_is_public = true };
    REQUIRE_OK(lum_album_update(owner.actor, &change, &set, &err), &err);
    CHECK(slice_eq_str(set.rows[0].name, "new"));
    CHECK(slice_eq_str(set.rows[0].description, "words"));
    CHECK(set.rows[0].is_public);
    repo_album_set_free(&set);
    change = (repo_update_album_params) { .album_id = album, .set_description = true };
    REQUIRE_OK(lum_album_update(owner.actor, &change, &set, &err), &err);
    CHECK(set.rows[0].description.ptr == NULL);
    CHECK(set.rows[0].is_public);
    repo_album_set_free(&set);
}

static void members_go_where_they_are_put(void)
{
    PERSON(&lib, owner);
    int32_t album = album_make(&owner, "order", false);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    pgc_uuid c = person_add(&owner, "c");
    pgc_uuid d = person_add(&owner, "d");
    pgc_uuid e = person_add(&owner, "e");
    CHECK(album_put(&owner, album, a, AT_END));
    REQUIRE_OK(lum_album_add_asset(owner.actor, album, b, &err), &err);
    CHECK(album_put(&owner, album, c, AT_FRONT));
    CHECK(album_put(&owner, album, d, (lum_place) { LUM_PLACE_INDEX, .index = 1 }));
    CHECK(album_put(&owner, album, e, behind(a)));
    CHECK_STR(names_in(&owner, album), "c d a e b");
    CHECK(album_shift(&owner, album, c, AT_END));
    CHECK_STR(names_in(&owner, album), "d a e b c");
    CHECK(album_shift(&owner, album, e, AT_FRONT));
    CHECK_STR(names_in(&owner, album), "e d a b c");
    CHECK(album_shift(&owner, album, e, (lum_place) { LUM_PLACE_INDEX, .index = 2 }));
    CHECK_STR(names_in(&owner, album), "d a e b c");
    CHECK(album_shift(&owner, album, d, (lum_place) { LUM_PLACE_INDEX, .index = 1000 }));
    CHECK_STR(names_in(&owner, album), "a e b c d");
    const pgc_uuid both[] = { d, a };
    REQUIRE_OK(lum_album_move(owner.actor, album, (lum_ids) { both, 2 }, behind(b), &err), &err);
    CHECK_STR(names_in(&owner, album), "e b d a c");
    const pgc_uuid some[] = { c, e, a };
    int32_t changed = 0;
    REQUIRE_OK(lum_album_reorder(owner.actor, album, (lum_ids) { some, 3 }, &changed, &err), &err);
    CHECK_STR(names_in(&owner, album), "c b d e a"); /* b and d did not move */
    CHECK_INT(changed, 3);
    REQUIRE_OK(lum_album_reorder(owner.actor, album, (lum_ids) { some, 3 }, &changed, &err), &err);
    CHECK_INT(changed, 0);
    REQUIRE_OK(lum_album_remove(owner.actor, album, (lum_ids) { both, 2 }, &err), &err);
    CHECK_STR(names_in(&owner, album), "c b e");
}

static void many_are_added_in_one_call(void)
{
    PERSON(&lib, owner);
    int32_t album = album_make(&owner, "many", false);
    pgc_uuid ids[6];
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        ids[i] = person_add(&owner, (char[]) { (char) ('a' + i), '\0' });
    }
    int32_t added = 0;
    const pgc_uuid first[] = { ids[1], ids[4], ids[1] };
    REQUIRE_OK(lum_album_add(owner.actor, album, (lum_ids) { first, 3 }, AT_END, &added, &err),
               &err);
    CHECK_INT(added, 2); /* named twice, added once */
    CHECK_STR(names_in(&owner, album), "b e");
    REQUIRE_OK(lum_album_add(owner.actor, album, (lum_ids) { ids, ARRAY_LEN(ids) }, behind(ids[1]),
                             &added, &err),
               &err);
    CHECK_INT(added, 4); /* members stay where they are */
    CHECK_STR(names_in(&owner, album), "b a c d f e");
    REQUIRE_OK(
        lum_album_add(owner.actor, album, (lum_ids) { ids, ARRAY_LEN(ids) }, AT_END, &added, &err),
        &err);
    CHECK_INT(added, 0);
}

static void trashed_photos_are_passed_over(void)
{
    PERSON(&lib, owner);
    int32_t album = album_make(&owner, "trash", false);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    pgc_uuid c = person_add(&owner, "c");
    CHECK(album_put(&owner, album, a, AT_END));
    CHECK(album_put(&owner, album, b, AT_END));
    REQUIRE_OK(lum_asset_delete(owner.actor, a, &err), &err);
    CHECK_STR(names_in(&owner, album), "b");
    CHECK(album_put(&owner, album, c, (lum_place) { LUM_PLACE_INDEX, .index = 1 }));
    CHECK_STR(names_in(&owner, album), "b c"); /* places count what is seen */
    repo_list_albums_row_set set = PGC_ZERO;
    REQUIRE_OK(lum_album_list(owner.actor, (lum_album_page) { .limit = 5 }, &set, &err), &err);
    REQUIRE(CHECK_INT(set.count, 1));
    CHECK_INT(set.rows[0].asset_count.v, 2);
    CHECK(set.rows[0].shown_cover_id.has && person_same(set.rows[0].shown_cover_id.v, b));
    repo_list_albums_row_set_free(&set);
    REQUIRE_OK(lum_asset_restore(owner.actor, a, &err), &err);
    CHECK_STR(names_in(&owner, album), "a b c");
}

static void the_cover_is_a_member_or_the_first_one(void)
{
    PERSON(&lib, owner);
    int32_t album = album_make(&owner, "cover", false);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    pgc_uuid other = person_add(&owner, "c");
    repo_album_set set = PGC_ZERO;
    repo_list_albums_row_set list = PGC_ZERO;
    CHECK(album_put(&owner, album, a, AT_END));
    CHECK(album_put(&owner, album, b, AT_END));
    repo_update_album_params change = { .album_id = album,
                                        .cover_asset_id = { true, other },
                                        .set_cover_asset_id = true };
    CHECK_STATUS(lum_album_update(owner.actor, &change, &set, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "update album"));
    CHECK(person_says(&err, "the cover, is not in it"));
    change.cover_asset_id.v = b;
    REQUIRE_OK(lum_album_update(owner.actor, &change, &set, &err), &err);
    CHECK(set.rows[0].cover_asset_id.has && person_same(set.rows[0].cover_asset_id.v, b));
    repo_album_set_free(&set);
    REQUIRE_OK(lum_album_list(owner.actor, (lum_album_page) { .limit = 5 }, &list, &err), &err);
    CHECK(person_same(list.rows[0].shown_cover_id.v, b));
    repo_list_albums_row_set_free(&list);
    REQUIRE_OK(lum_album_remove(owner.actor, album, (lum_ids) { &b, 1 }, &err), &err);
    REQUIRE_OK(lum_album_list(owner.actor, (lum_album_page) { .limit = 5 }, &list, &err), &err);
    CHECK(!list.rows[0].b.cover_asset_id.has);
    CHECK(person_same(list.rows[0].shown_cover_id.v, a));
    repo_list_albums_row_set_free(&list);
}

static void the_trash_gives_an_album_back(void)
{
    PERSON(&lib, owner);
    int32_t album = album_make(&owner, "gone", true);
    pgc_uuid a = person_add(&owner, "a");
    repo_album_set set = PGC_ZERO;
    repo_list_albums_row_set list = PGC_ZERO;
    CHECK(album_put(&owner, album, a, AT_END));
    CHECK_STATUS(lum_album_purge(owner.actor, album, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "not in the trash"));
    REQUIRE_OK(lum_album_delete(owner.actor, album, &err), &err);
    CHECK_STATUS(lum_album_delete(owner.actor, album, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_get(owner.actor, album, &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_add_asset(owner.actor, album, a, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "there is no album"));
    REQUIRE_OK(lum_album_list(owner.actor, (lum_album_page) { .limit = 5 }, &list, &err), &err);
    CHECK_INT(list.count, 0);
    repo_list_albums_row_set_free(&list);
    REQUIRE_OK(
        lum_album_list(owner.actor, (lum_album_page) { .limit = 5, .trash = true }, &list, &err),
        &err);
    CHECK_INT(list.count, 1);
    repo_list_albums_row_set_free(&list);
    REQUIRE_OK(lum_album_restore(owner.actor, album, &err), &err);
    CHECK_STATUS(lum_album_restore(owner.actor, album, &err), PGC_NOT_FOUND, &err);
    CHECK_STR(names_in(&owner, album), "a");
    REQUIRE_OK(lum_album_delete(owner.actor, album, &err), &err);
    REQUIRE_OK(lum_album_purge(owner.actor, album, &err), &err);
    CHECK_STATUS(lum_album_restore(owner.actor, album, &err), PGC_NOT_FOUND, &err);
    repo_asset_set asset = PGC_ZERO;
    REQUIRE_OK(lum_asset_get(owner.actor, a, &asset, &err), &err); /* photos stay */
    repo_asset_set_free(&asset);
}

static void lists_go_in_pages(void)
{
    PERSON(&lib, owner);
    int32_t ids[5];
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        ids[i] = album_make(&owner, "page", false);
    }
    repo_list_albums_row_set set = PGC_ZERO;
    lum_album_page page = { .limit = 2 };
    for (size_t seen = 0; seen < 5; seen += set.count, repo_list_albums_row_set_free(&set)) {
        REQUIRE_OK(lum_album_list(owner.actor, page, &set, &err), &err);
        REQUIRE(CHECK_INT(set.count, seen < 4 ? 2 : 1));
        for (size_t i = 0; i < set.count; i++) {
            CHECK_INT(set.rows[i].b.album_id, ids[4 - seen - i]); /* newest first */
            page.before_album_id = set.rows[i].b.album_id;
        }
        if (seen + set.count >= 5) {
            repo_list_albums_row_set_free(&set);
            break;
        }
    }
    pgc_uuid a = person_add(&owner, "a");
    CHECK(album_put(&owner, ids[1], a, AT_END));
    CHECK(album_put(&owner, ids[3], a, AT_END));
    repo_album_set of = PGC_ZERO;
    REQUIRE_OK(lum_album_list_of_asset(owner.actor, a, &of, &err), &err);
    REQUIRE(CHECK_INT(of.count, 2));
    CHECK_INT(of.rows[0].album_id, ids[3]);
    repo_album_set_free(&of);
}

/* What a name may not be. */
static void bad_input_is_told_and_changes_nothing(void)
{
    PERSON(&lib, owner);
    repo_album_set set = PGC_ZERO;
    static char huge[10 * 1024 * 1024 + 1];
    memset(huge, 'x', sizeof huge - 1);
    const struct {
        pgc_text name;
        const char *says;
    } NAMES[] = {
        { SLICE(""), "empty" },
        { { NULL, 0 }, "empty" },
        { SLICE(" \t "), "empty" },
        { SLICE(" x"), "blanks" },
        { SLICE("a\nb"), "byte 2" },
        { SLICE("\xff\xfe"), "UTF-8" },
        { SLICE("a\0b"), "UTF-8" },
        { { huge, 256 }, "256 characters, at most 255" },
        { { huge, sizeof huge - 1 }, "at most 255" },
    };
    int32_t album = album_make(&owner, "kept", false);
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        const lum_album_new bad = { .name = NAMES[i].name };
        CHECK_STATUS(lum_album_create(owner.actor, &bad, &set, &err), PGC_INVALID, &err);
        CHECK(person_says(&err, "album name"));
        CHECK(person_says(&err, NAMES[i].says));
        const repo_update_album_params change = { .album_id = album,
                                                  .name = NAMES[i].name,
                                                  .set_name = true };
        CHECK_STATUS(lum_album_update(owner.actor, &change, &set, &err), PGC_INVALID, &err);
    }
    const lum_album_new large = { .name = SLICE("x"), .description = { huge, sizeof huge - 1 } };
    CHECK_STATUS(lum_album_create(owner.actor, &large, &set, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "album description"));
    const repo_update_album_params neither = { .album_id = album, .set_is_public = true };
    CHECK_STATUS(lum_album_update(owner.actor, &neither, &set, &err), PGC_INVALID, &err);
    static const lum_album_page PAGES[] = {
        { 0, 0, false }, { 0, -1, false }, { 0, LUM_PAGE_MAX + 1, false }, { -1, 5, false }
    };
    for (size_t i = 0; i < ARRAY_LEN(PAGES); i++) {
        repo_list_albums_row_set list = PGC_ZERO;
        repo_list_public_albums_row_set open = PGC_ZERO;
        CHECK_STATUS(lum_album_list(owner.actor, PAGES[i], &list, &err), PGC_INVALID, &err);
        CHECK_STATUS(lum_album_list_public(owner.actor, PAGES[i], &open, &err), PGC_INVALID, &err);
    }
    CHECK(set.rows == NULL);
    repo_list_albums_row_set list = PGC_ZERO;
    REQUIRE_OK(lum_album_list(owner.actor, (lum_album_page) { .limit = 9 }, &list, &err), &err);
    REQUIRE(CHECK_INT(list.count, 1));
    CHECK(slice_eq_str(list.rows[0].b.name, "kept"));
    repo_list_albums_row_set_free(&list);
}

static void bad_members_are_told_and_none_goes_in(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    int32_t album = album_make(&owner, "members", false);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    pgc_uuid foreign = person_add(&other, "f");
    const pgc_uuid nobody = { { 9 } };
    int32_t n = -7;
    CHECK(album_put(&owner, album, a, AT_END));
    const pgc_uuid mixed[] = { b, foreign };
    CHECK_STATUS(lum_album_add(owner.actor, album, (lum_ids) { mixed, 2 }, AT_END, &n, &err),
                 PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "there is no asset"));
    CHECK_STATUS(lum_album_add(owner.actor, album, (lum_ids) { &nobody, 1 }, AT_END, &n, &err),
                 PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "there is no asset 09000000"));
    CHECK_STATUS(lum_album_add(owner.actor, album, (lum_ids) { &b, 1 }, behind(nobody), &n, &err),
                 PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_add(owner.actor, album, (lum_ids) { &b, 1 },
                               (lum_place) { LUM_PLACE_INDEX, .index = -1 }, &n, &err),
                 PGC_INVALID, &err);
    CHECK(person_says(&err, "place -1"));
    CHECK_STATUS(lum_album_add(owner.actor, album, (lum_ids) { &b, 1 },
                               (lum_place) { .kind = (lum_place_kind) 9 }, &n, &err),
                 PGC_INVALID, &err);
    CHECK_STATUS(lum_album_add(owner.actor, album, (lum_ids) { NULL, 0 }, AT_END, &n, &err),
                 PGC_INVALID, &err);
    CHECK_STATUS(
        lum_album_add(owner.actor, album, (lum_ids) { mixed, CHECK_IDS_MAX + 1 }, AT_END, &n, &err),
        PGC_INVALID, &err);
    CHECK_STATUS(lum_album_move(owner.actor, album, (lum_ids) { &b, 1 }, AT_END, &err),
                 PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "is not in album"));
    CHECK_STATUS(lum_album_move(owner.actor, album, (lum_ids) { &a, 1 }, behind(a), &err),
                 PGC_INVALID, &err);
    CHECK(person_says(&err, "behind itself"));
    const pgc_uuid twice[] = { a, a };
    CHECK_STATUS(lum_album_reorder(owner.actor, album, (lum_ids) { twice, 2 }, &n, &err),
                 PGC_INVALID, &err);
    CHECK(person_says(&err, "twice"));
    CHECK_STATUS(lum_album_reorder(owner.actor, album, (lum_ids) { mixed, 2 }, &n, &err),
                 PGC_NOT_FOUND, &err);
    const pgc_uuid remove[] = { a, b };
    CHECK_STATUS(lum_album_remove(owner.actor, album, (lum_ids) { remove, 2 }, &err), PGC_NOT_FOUND,
                 &err);
    CHECK_INT(n, -7); /* outputs are written on success only */
    CHECK_STR(names_in(&owner, album), "a");
    REQUIRE_OK(lum_asset_delete(owner.actor, b, &err), &err);
    CHECK_STATUS(lum_album_add_asset(owner.actor, album, b, &err), PGC_NOT_FOUND, &err);
}

static void a_foreign_album_is_as_if_it_were_not_there(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    int32_t album = album_make(&owner, "mine", true); /* public changes nothing of this */
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid theirs = person_add(&other, "t");
    int32_t n = 0;
    repo_album_set set = PGC_ZERO;
    repo_list_album_assets_row_set members = PGC_ZERO;
    CHECK(album_put(&owner, album, a, AT_END));
    const repo_update_album_params change = { .album_id = album,
                                              .name = SLICE("stolen"),
                                              .set_name = true };
    CHECK_STATUS(lum_album_get(other.actor, album, &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_update(other.actor, &change, &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_delete(other.actor, album, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_restore(other.actor, album, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_purge(other.actor, album, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_add_asset(other.actor, album, theirs, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_move(other.actor, album, (lum_ids) { &a, 1 }, AT_END, &err),
                 PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_reorder(other.actor, album, (lum_ids) { &a, 1 }, &n, &err),
                 PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_remove(other.actor, album, (lum_ids) { &a, 1 }, &err), PGC_NOT_FOUND,
                 &err);
    CHECK_STATUS(
        lum_album_list_assets(other.actor, album, (lum_album_cursor) { false }, 9, &members, &err),
        PGC_NOT_FOUND, &err);
    /* The words are those for an album that nobody has. */
    char foreign[sizeof err.message];
    char absent[sizeof err.message];
    CHECK(lum_album_add_asset(other.actor, album, theirs, &err) == PGC_NOT_FOUND);
    (void) snprintf(foreign, sizeof foreign, "%s", strstr(err.message, ": "));
    CHECK(lum_album_add_asset(other.actor, 2000000000, theirs, &err) == PGC_NOT_FOUND);
    (void) snprintf(absent, sizeof absent, "%s", strstr(err.message, ": "));
    CHECK_INT(strcspn(foreign, "0123456789"), strcspn(absent, "0123456789"));
    CHECK_STR(names_in(&owner, album), "a");
}

/* A public album is seen with what a picture on a wall shows; the rest of the owner is not. */
static void others_see_public_albums_and_no_more(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    int32_t open = album_make(&owner, "open", true);
    int32_t closed = album_make(&owner, "closed", false);
    int32_t gone = album_make(&owner, "gone", true);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    pgc_uuid trashed = person_add(&owner, "t");
    CHECK(album_put(&owner, open, trashed, AT_END));
    CHECK(album_put(&owner, open, b, AT_END));
    CHECK(album_put(&owner, open, a, AT_END));
    CHECK(album_put(&owner, closed, a, AT_END));
    CHECK(album_put(&owner, gone, a, AT_END));
    REQUIRE_OK(lum_asset_delete(owner.actor, trashed, &err), &err);
    REQUIRE_OK(lum_album_delete(owner.actor, gone, &err), &err);
    repo_list_public_albums_row_set list = PGC_ZERO;
    REQUIRE_OK(lum_album_list_public(other.actor,
                                     (lum_album_page) { .before_album_id = gone + 1, .limit = 3 },
                                     &list, &err),
               &err);
    REQUIRE(CHECK(list.count >= 1));
    CHECK_INT(list.rows[0].album_id, open);
    CHECK(slice_eq_str(list.rows[0].owner_name, __func__));
    CHECK(!list.rows[0].is_own);
    CHECK_INT(list.rows[0].asset_count, 2);
    CHECK(list.rows[0].cover_asset_id.has && person_same(list.rows[0].cover_asset_id.v, b));
    repo_list_public_albums_row_set_free(&list);
    repo_list_public_album_assets_row_set set = PGC_ZERO;
    REQUIRE_OK(lum_album_list_public_assets(other.actor, open, (lum_album_cursor) { false }, 1,
                                            &set, &err),
               &err);
    REQUIRE(CHECK_INT(set.count, 1));
    CHECK(slice_eq_str(set.rows[0].original_filename, "b"));
    lum_album_cursor after = { true, set.rows[0].position, set.rows[0].asset_id };
    repo_list_public_album_assets_row_set_free(&set);
    REQUIRE_OK(lum_album_list_public_assets(other.actor, open, after, 5, &set, &err), &err);
    CHECK_INT(set.count, 1);
    repo_list_public_album_assets_row_set_free(&set);
    const int32_t hidden[] = { closed, gone, 2000000000 };
    for (size_t i = 0; i < ARRAY_LEN(hidden); i++) {
        REQUIRE_OK(lum_album_list_public_assets(other.actor, hidden[i],
                                                (lum_album_cursor) { false }, 5, &set, &err),
                   &err);
        CHECK_INT(set.count, 0);
        repo_list_public_album_assets_row_set_free(&set);
    }
    repo_asset_set asset = PGC_ZERO;
    CHECK_STATUS(lum_asset_get(other.actor, a, &asset, &err), PGC_NOT_FOUND, &err);
}

static void without_identity_no_public_album_is_seen(void)
{
    CHECK_SQL(root,
              "SET ROLE lumilio_app; SELECT (SELECT count(*) FROM public_albums(2147483647, 9)) "
              "+ (SELECT count(*) FROM public_album_assets(1, -1, gen_random_uuid(), 9))",
              "0");
    CHECK_SQL(root, "RESET ROLE", "");
}

/* The model of an album: ids in order, by their index in `ids`. */
#define MODEL_MAX 64

typedef struct model {
    size_t order[MODEL_MAX];
    size_t count;
} model;

static size_t model_find(const model *m, size_t item)
{
    size_t at = 0;
    while (at < m->count && m->order[at] != item) {
        at++;
    }
    return at;
}

static void model_put(model *m, size_t item, size_t at)
{
    memmove(&m->order[at + 1], &m->order[at], (m->count - at) * sizeof m->order[0]);
    m->order[at] = item;
    m->count++;
}

static void model_take(model *m, size_t at)
{
    m->count--;
    memmove(&m->order[at], &m->order[at + 1], (m->count - at) * sizeof m->order[0]);
}

/* Ids of an album in order, from behind the policies, and whether their positions differ. */
static size_t members_of(int32_t album, pgc_uuid *ids, size_t max)
{
    char sql[256];
    pgc_error err;
    pgc_error_clear(&err);
    pgc_result *result = NULL;
    (void) snprintf(sql, sizeof sql,
                    "SELECT asset_id::text, count(*) OVER (PARTITION BY position)::text FROM "
                    "album_assets WHERE album_id = %" PRId32 " ORDER BY position, asset_id",
                    album);
    if (!CHECK_STATUS(pgc_conn_script(root, sql, 0, &result, &err), PGC_OK, &err)) {
        return 0;
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, NULL);
    size_t count = pgc_result_rows(result);
    for (size_t i = 0; i < count && i < max; i++) {
        CHECK(pgc_uuid_parse(pgc_read_text(&reader, i, 0), &ids[i]));
        CHECK(slice_eq_str(pgc_read_text(&reader, i, 1), "1"));
    }
    pgc_result_free(result);
    return count;
}

/* One random change of the album and of the model; only the items [from, to) are touched, and
 * nothing depends on where all others stand. */
static bool step(const person *owner, int32_t album, const pgc_uuid *ids, model *m, size_t from,
                 size_t to, uint64_t *seed)
{
    pgc_error err;
    pgc_error_clear(&err);
    size_t item = from + random_below(seed, to - from);
    size_t at = model_find(m, item);
    lum_ids one = { &ids[item], 1 };
    lum_place place = AT_END;
    size_t target = m->count;
    if (at < m->count && random_below(seed, 6) == 0) {
        model_take(m, at);
        return CHECK_STATUS(lum_album_remove(owner->actor, album, one, &err), PGC_OK, &err);
    }
    if (at < m->count && random_below(seed, 4) == 0) {
        pgc_uuid wanted[MODEL_MAX];
        for (size_t i = m->count - 1; i > 0; i--) { /* shuffle */
            size_t j = random_below(seed, i + 1);
            size_t held = m->order[i];
            m->order[i] = m->order[j];
            m->order[j] = held;
        }
        for (size_t i = 0; i < m->count; i++) {
            wanted[i] = ids[m->order[i]];
        }
        int32_t changed = 0;
        return CHECK_STATUS(
            lum_album_reorder(owner->actor, album, (lum_ids) { wanted, m->count }, &changed, &err),
            PGC_OK, &err);
    }
    bool member = at < m->count;
    if (member) {
        model_take(m, at);
        target = m->count;
    }
    if (random_below(seed, 5) == 0) {
        place = AT_FRONT;
        target = 0;
    } else if (m->count > 0 && random_below(seed, 4) != 0) {
        size_t anchor = random_below(seed, m->count);
        place = behind(ids[m->order[anchor]]);
        target = anchor + 1;
    }
    model_put(m, item, target);
    int32_t added = 0;
    return member
               ? CHECK_STATUS(lum_album_move(owner->actor, album, one, place, &err), PGC_OK, &err)
               : CHECK_STATUS(lum_album_add(owner->actor, album, one, place, &added, &err), PGC_OK,
                              &err);
}

/* The album, cut down to the items [from, to), is the model. */
static bool agrees(int32_t album, const pgc_uuid *ids, const model *m, size_t from, size_t to)
{
    pgc_uuid got[MODEL_MAX * 4];
    size_t count = members_of(album, got, ARRAY_LEN(got));
    size_t next = 0;
    bool same = true;
    for (size_t i = 0; i < count && i < ARRAY_LEN(got); i++) {
        bool mine = false;
        for (size_t k = from; k < to; k++) {
            mine = mine || person_same(ids[k], got[i]);
        }
        if (mine) {
            same = same && next < m->count && person_same(ids[m->order[next]], got[i]);
            next++;
        }
    }
    return CHECK(same) && CHECK_INT(next, m->count);
}

static void the_order_is_that_of_a_model(void)
{
    PERSON(&lib, owner);
    pgc_uuid ids[24];
    model m = { .count = 0 };
    uint64_t seed = UINT64_C(20261123);
    (void) printf("# seed %llu\n", (unsigned long long) seed);
    int32_t album = album_make(&owner, "model", false);
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        ids[i] = person_add(&owner, "m");
    }
    bool good = true;
    for (int i = 0; good && i < 600; i++) {
        good = step(&owner, album, ids, &m, 0, ARRAY_LEN(ids), &seed) &&
               (i % 10 != 0 || agrees(album, ids, &m, 0, ARRAY_LEN(ids)));
    }
    CHECK(good && agrees(album, ids, &m, 0, ARRAY_LEN(ids)));
}

#define WRITERS 8
#define EACH    12

typedef struct writers {
    const person *owner;
    int32_t album;
    pgc_uuid ids[WRITERS * EACH];
    model models[WRITERS];
} writers;

static void write_own(void *arg, size_t number)
{
    writers *all = arg;
    uint64_t seed = 77 + number;
    for (int i = 0; i < 60; i++) {
        (void) step(all->owner, all->album, all->ids, &all->models[number], number * EACH,
                    (number + 1) * EACH, &seed);
    }
}

/* Each writer moves photos of its own about in one album. Whatever the others did in between, its
 * own ones must stand as it left them, and no two photos at one place. */
static void writers_at_once_keep_one_order(void)
{
    PERSON(&lib, owner);
    static writers all;
    all.owner = &owner;
    all.album = album_make(&owner, "writers", false);
    for (size_t i = 0; i < ARRAY_LEN(all.ids); i++) {
        all.ids[i] = person_add(&owner, "w");
    }
    (void) printf("# seeds 77..%d\n", 77 + WRITERS - 1);
    crowd_run(WRITERS, write_own, &all);
    for (size_t i = 0; i < WRITERS; i++) {
        CHECK(agrees(all.album, all.ids, &all.models[i], i * EACH, (i + 1) * EACH));
    }
}

/* Rows of an album whose position is not what it was when album_places was filled. */
#define MOVED_SQL                                                                         \
    "SELECT count(*) FROM album_assets m JOIN album_places p USING (album_id, asset_id) " \
    "WHERE m.position <> p.position"

static void room_is_made_among_neighbours_only(void)
{
    PERSON(&lib, owner);
    char sql[1024];
    char moved[32];
    char state[6];
    enum { MEMBERS = 3000, INSERTS = 100 };
    int32_t album = album_make(&owner, "large", false);
    (void) snprintf(
        sql, sizeof sql,
        "WITH a AS (INSERT INTO assets (original_filename, file_path, file_size, file_hash, "
        "asset_type, owner_id, uploaded_at) SELECT i::text, 'p', 1, 'room' || i, 'photo', %" PRId32
        ", now() FROM generate_series(1, %d) i RETURNING asset_id, original_filename) "
        "INSERT INTO album_assets (album_id, asset_id, owner_id, position) SELECT %" PRId32
        ", asset_id, %" PRId32 ", original_filename::bigint * 4294967296 FROM a;"
        "DROP TABLE IF EXISTS album_places;"
        "CREATE TEMP TABLE album_places AS SELECT album_id, asset_id, position FROM album_assets "
        "WHERE album_id = %" PRId32,
        owner.id, MEMBERS, album, owner.id, album);
    CHECK_SQL(root, sql, "");
    CHECK_SQL(root, "ANALYZE assets; ANALYZE album_assets", "");
    static const int64_t PLACES[] = { 1, 1500, 2999 }; /* behind the first, within, before last */
    for (size_t i = 0; i < ARRAY_LEN(PLACES); i++) {
        for (int k = 0; k < INSERTS; k++) {
            pgc_uuid id = person_add(&owner, "new");
            REQUIRE(
                album_put(&owner, album, id, (lum_place) { LUM_PLACE_INDEX, .index = PLACES[i] }));
        }
    }
    schema_ask(root, MOVED_SQL, moved, sizeof moved, state);
    (void) printf("# %s of %d rows went elsewhere for %zu inserts at three places\n", moved,
                  MEMBERS, ARRAY_LEN(PLACES) * INSERTS);
    CHECK(strtol(moved, NULL, 10) < MEMBERS / 10);
    static pgc_uuid ids[MEMBERS + 3 * INSERTS];
    CHECK_INT(members_of(album, ids, ARRAY_LEN(ids)), MEMBERS + 3 * INSERTS);
}

/* Takes the album of the case above: a page must cost a page, not the album. */
static void a_page_is_read_in_order_by_an_index(void)
{
    char plan[65536];
    char state[6];
    schema_ask(root,
               "BEGIN; ANALYZE album_assets; CREATE FUNCTION pg_temp.plan_of(query text) RETURNS "
               "text LANGUAGE plpgsql AS $$ DECLARE plan json; BEGIN EXECUTE 'EXPLAIN (FORMAT "
               "JSON) ' || query INTO plan; RETURN plan; END $$; SET LOCAL ROLE lumilio_app; "
               "SELECT set_config('app.user_id', '1', true); SELECT pg_temp.plan_of($$SELECT "
               "m.position, a.* FROM album_assets m JOIN assets a ON a.asset_id = m.asset_id JOIN "
               "albums b ON b.album_id = m.album_id WHERE m.album_id = (SELECT max(album_id) FROM "
               "album_assets) AND b.deleted_at IS NULL AND a.deleted_at IS NULL AND (m.position, "
               "m.asset_id) > (0, gen_random_uuid()) ORDER BY m.position, m.asset_id LIMIT 50$$)",
               plan, sizeof plan, state);
    CHECK_STR(state, "");
    CHECK(strstr(plan, "idx_album_assets_owner_order") != NULL);
    CHECK(strstr(plan, "\"Sort\"") == NULL);
    CHECK(strstr(plan, "Bitmap") == NULL);
    CHECK_SQL(root, "ROLLBACK", "");
}

/* Rows of the original program: places from 0 on, some shared by several photos. */
static void shared_places_are_an_order_too(void)
{
    PERSON(&lib, owner);
    char sql[512];
    int32_t album = album_make(&owner, "old", false);
    int32_t n = 0;
    pgc_uuid ids[4];
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        ids[i] = person_add(&owner, (char[]) { (char) ('a' + i), '\0' });
        CHECK(album_put(&owner, album, ids[i], AT_END));
    }
    (void) snprintf(sql, sizeof sql,
                    "UPDATE album_assets SET position = 0 WHERE album_id = %" PRId32, album);
    CHECK_SQL(root, sql, "");
    CHECK_STR(names_in(&owner, album), "a b c d"); /* ids are in order of time */
    CHECK(album_shift(&owner, album, ids[3], behind(ids[0])));
    CHECK_STR(names_in(&owner, album), "a d b c");
    CHECK_SQL(root, sql, "");
    const pgc_uuid some[] = { ids[2], ids[0] };
    REQUIRE_OK(lum_album_reorder(owner.actor, album, (lum_ids) { some, 2 }, &n, &err), &err);
    CHECK_STR(names_in(&owner, album), "c b a d");
    (void) snprintf(sql, sizeof sql,
                    "UPDATE album_assets SET position = CASE WHEN position < 8589934593 THEN "
                    "-9223372036854775808 ELSE 9223372036854775807 END WHERE album_id = %" PRId32,
                    album);
    CHECK_SQL(root, sql, ""); /* the ends of the world */
    CHECK(album_shift(&owner, album, ids[0], AT_FRONT));
    CHECK(album_shift(&owner, album, ids[1], AT_END));
    CHECK(strncmp(names_in(&owner, album), "a ", 2) == 0);
    CHECK(strstr(names_in(&owner, album), " b") + 2 ==
          names_in(&owner, album) + strlen(names_in(&owner, album)));
}

/* "2", "~1" as it was counted, "?" for unknown: of the newest album. */
static const char *count_listed(const person *owner)
{
    static char text[32];
    pgc_error err;
    pgc_error_clear(&err);
    repo_list_albums_row_set set = PGC_ZERO;
    CHECK_STATUS(lum_album_list(owner->actor, (lum_album_page) { .limit = 1 }, &set, &err), PGC_OK,
                 &err);
    if (set.count == 1 && set.rows[0].asset_count.has) {
        (void) snprintf(text, sizeof text, "%s%" PRId64, set.rows[0].b.found_at.has ? "~" : "",
                        set.rows[0].asset_count.v);
    } else {
        (void) snprintf(text, sizeof text, "?");
    }
    repo_list_albums_row_set_free(&set);
    return text;
}

static void a_smart_album_has_the_count_that_was_taken_last(void)
{
    PERSON(&lib, owner);
    repo_album_set set = PGC_ZERO;
    lum_asset_page page = PGC_ZERO;
    lum_list list = { .limit = 1 };
    (void) person_add(&owner, "beach 1.jpg");
    (void) person_add(&owner, "beach 2.jpg");
    const lum_album_new album = { .name = SLICE("Beaches"),
                                  .filter = SLICE("{\"name_contains\": \"beach\"}") };
    REQUIRE_OK(lum_album_create(owner.actor, &album, &set, &err), &err);
    int32_t id = set.rows[0].album_id;
    repo_album_set_free(&set);
    CHECK_STR(count_listed(&owner), "?"); /* and not 0 */
    REQUIRE_OK(lum_album_list_smart(owner.actor, id, &list, &page, &err), &err);
    CHECK_INT(page.total, -1);
    lum_asset_page_free(&page);
    CHECK_STR(count_listed(&owner), "?"); /* a page is not all */
    list.want_total = true;
    REQUIRE_OK(lum_album_list_smart(owner.actor, id, &list, &page, &err), &err);
    CHECK_INT(page.assets.count, 1);
    CHECK_INT(page.total, 2);
    lum_asset_page_free(&page);
    CHECK_STR(count_listed(&owner), "~2");
    (void) person_add(&owner, "beach 3.jpg");
    CHECK_STR(count_listed(&owner), "~2"); /* as it was then */
    REQUIRE_OK(lum_album_list_smart(owner.actor, id, &list, &page, &err), &err);
    lum_asset_page_free(&page);
    CHECK_STR(count_listed(&owner), "~3");
    REQUIRE_OK(lum_album_set_filter(owner.actor, id, SLICE("{\"name_contains\": \"x\"}"), &err),
               &err);
    CHECK_STR(count_listed(&owner), "?"); /* that was another filter's */
    /* A count that comes late, for a filter that has gone, is not kept. */
    int64_t affected = -1;
    const repo_keep_found_count_params late = { .found_count = 3,
                                                .album_id = id,
                                                .filter = album.filter };
    REQUIRE_OK(repo_keep_found_count(owner.actor.db, &late, &affected, &err), &err);
    CHECK_INT(affected, 0);
    CHECK_STR(count_listed(&owner), "?");
    int32_t ordinary = album_make(&owner, "ordinary", false);
    CHECK(ordinary > id);
    CHECK_STR(count_listed(&owner), "0");
    CHECK_SQL_FAILS(root,
                    "UPDATE albums SET found_count = 1, found_at = now() WHERE name = "
                    "'ordinary'",
                    "23514");
}

static void a_smart_album_holds_what_its_filter_finds(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    repo_album_set set = PGC_ZERO;
    lum_asset_page page = PGC_ZERO;
    const lum_list list = { .limit = 10, .sort = LUM_SORT_UPLOADED };
    pgc_uuid beach = person_add(&owner, "beach.jpg");
    pgc_uuid city = person_add(&owner, "city.jpg");
    (void) person_add(&other, "beach.jpg");
    const lum_album_new album = { .name = SLICE("Beaches"),
                                  .filter = SLICE("{\"name_contains\": \"beach\"}") };
    REQUIRE_OK(lum_album_create(owner.actor, &album, &set, &err), &err);
    int32_t id = set.rows[0].album_id;
    repo_album_set_free(&set);
    REQUIRE_OK(lum_album_list_smart(owner.actor, id, &list, &page, &err), &err);
    REQUIRE(CHECK_INT(page.assets.count, 1));
    CHECK(person_same(page.assets.rows[0].asset_id, beach));
    lum_asset_page_free(&page);
    REQUIRE_OK(lum_album_set_filter(owner.actor, id, SLICE("{\"name_contains\": \"city\"}"), &err),
               &err);
    REQUIRE_OK(lum_album_list_smart(owner.actor, id, &list, &page, &err), &err);
    CHECK(page.assets.count == 1 && person_same(page.assets.rows[0].asset_id, city));
    lum_asset_page_free(&page);
    repo_update_album_params change = { .album_id = id,
                                        .cover_asset_id = { true, city },
                                        .set_cover_asset_id = true };
    REQUIRE_OK(lum_album_update(owner.actor, &change, &set, &err), &err);
    repo_album_set_free(&set);
    /* What it cannot do, and what it cannot be. */
    CHECK_STATUS(lum_album_add_asset(owner.actor, id, beach, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "is a smart album"));
    change = (repo_update_album_params) { .album_id = id,
                                          .is_public = { true, true },
                                          .set_is_public = true };
    CHECK_STATUS(lum_album_update(owner.actor, &change, &set, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "cannot be public"));
    lum_album_new bad = album;
    bad.is_public = true;
    CHECK_STATUS(lum_album_create(owner.actor, &bad, &set, &err), PGC_INVALID, &err);
    static const pgc_text WRONG[] = {
        SLICE(""),    SLICE("[]"), SLICE("{\"colour\": 1}"), SLICE("{"), SLICE("{\"rating\": 6}"),
        SLICE("\xff")
    };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        bad = (lum_album_new) { .name = SLICE("x"), .filter = WRONG[i] };
        CHECK_STATUS(lum_album_create(owner.actor, &bad, &set, &err), PGC_INVALID, &err);
        CHECK(person_says(&err, "filter of a smart album"));
        CHECK_STATUS(lum_album_set_filter(owner.actor, id, WRONG[i], &err), PGC_INVALID, &err);
    }
    int32_t ordinary = album_make(&owner, "ordinary", false);
    CHECK_STATUS(lum_album_set_filter(owner.actor, ordinary, album.filter, &err), PGC_NOT_FOUND,
                 &err);
    CHECK_STATUS(lum_album_list_smart(owner.actor, ordinary, &list, &page, &err), PGC_INVALID,
                 &err);
    CHECK_STATUS(lum_album_list_smart(other.actor, id, &list, &page, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_album_set_filter(other.actor, id, album.filter, &err), PGC_NOT_FOUND, &err);
}

static const tap_case CASES[] = {
    TAP("album: comes back as it was made", an_album_comes_back_as_it_was_made),
    TAP("album: an update changes what is set", an_update_changes_what_is_set),
    TAP("album: members go where they are put", members_go_where_they_are_put),
    TAP("album: many are added in one call", many_are_added_in_one_call),
    TAP("album: photos in the trash are passed over", trashed_photos_are_passed_over),
    TAP("album: the cover is a member, or the first one", the_cover_is_a_member_or_the_first_one),
    TAP("album: the trash gives one back, purging is for good", the_trash_gives_an_album_back),
    TAP("album: lists go in pages", lists_go_in_pages),
    TAP("album: bad names, texts and pages are told, nothing changes",
        bad_input_is_told_and_changes_nothing),
    TAP("album: bad members are told, none goes in", bad_members_are_told_and_none_goes_in),
    TAP("album: a foreign one is as if it were not there",
        a_foreign_album_is_as_if_it_were_not_there),
    TAP("album: others see public ones and no more", others_see_public_albums_and_no_more),
    TAP("album: without identity no public one is seen", without_identity_no_public_album_is_seen),
    TAP("album: the order is that of a model", the_order_is_that_of_a_model),
    TAP("album: writers at once keep one order", writers_at_once_keep_one_order),
    TAP("album: room is made among neighbours only", room_is_made_among_neighbours_only),
    TAP("album: a page is read in order by an index", a_page_is_read_in_order_by_an_index),
    TAP("album: a smart one has the count that was taken last",
        a_smart_album_has_the_count_that_was_taken_last),
    TAP("album: a smart one holds what its filter finds",
        a_smart_album_holds_what_its_filter_finds),
    TAP("album: shared places and the ends of the world are an order too",
        shared_places_are_an_order_too),
};

LIBRARY_MAIN(lib, root, CASES)
