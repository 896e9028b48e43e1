/* Tags on a real server: one name is one tag, people go before AI, shared tags tell nothing. One
 * library for all cases; each has users of its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "base/list.h"
#include "crowd.h"
#include "person.h"
#include "random.h"
#include "schema.h"
#include "service/check.h"
#include "service/tag.h"
#include "tap.h"

/* Another one beside the person of the case, whose name is one letter shorter. */
#define ANOTHER(library, name)     \
    AUTO(person_done) person name; \
    REQUIRE(person_make((library), &name, &__func__[1]))

static test_library lib;
static pgc_conn *root; /* superuser: looks behind the policies */

static int32_t tag_make(const person *owner, const char *name)
{
    pgc_error err;
    pgc_error_clear(&err);
    int32_t id = 0;
    CHECK_STATUS(
        lum_tag_create(owner->actor, pgc_text_from(name), (pgc_text) { NULL, 0 }, &id, &err),
        PGC_OK, &err);
    return id;
}

/* Gives one tag; its id, negative for shared ones. *written NULL: must have taken. */
static int32_t give(const person *owner, pgc_uuid asset, const char *name, double confidence,
                    lum_tag_source source, bool *written)
{
    pgc_error err;
    pgc_error_clear(&err);
    int32_t id = 0;
    repo_tag_asset_row_set set = PGC_ZERO;
    const lum_tag_gift gift = { pgc_text_from(name), confidence };
    const lum_tag_gifts gifts = { .gifts = &gift, .count = 1, .source = source };
    if (CHECK_STATUS(lum_asset_add_tags(owner->actor, asset, &gifts, &set, &err), PGC_OK, &err) &&
        CHECK_INT(set.count, 1)) {
        id = set.rows[0].given_id;
        CHECK(written != NULL || set.rows[0].written);
        if (written != NULL) {
            *written = set.rows[0].written;
        }
    }
    repo_tag_asset_row_set_free(&set);
    return id;
}

/* "name:source:confidence …" of one asset. */
static const char *tags_of(const person *who, pgc_uuid asset)
{
    static char text[2048];
    size_t used = 0;
    pgc_error err;
    pgc_error_clear(&err);
    repo_list_tags_of_assets_row_set set = PGC_ZERO;
    CHECK_STATUS(lum_tag_list_of_assets(who->actor, &asset, 1, &set, &err), PGC_OK, &err);
    text[0] = '\0';
    for (size_t i = 0; i < set.count && used < sizeof text; i++) {
        used += (size_t) snprintf(
            text + used, sizeof text - used, "%s%" SLICE_FMT ":%" SLICE_FMT ":%g", i > 0 ? " " : "",
            SLICE_ARG(set.rows[i].name), SLICE_ARG(set.rows[i].source), set.rows[i].confidence);
    }
    repo_list_tags_of_assets_row_set_free(&set);
    return text;
}

/* "name(count) …" of all tags, in pages of two. */
static const char *tags_seen(const person *who)
{
    static char text[2048];
    static char last[LUM_TAG_NAME_MAX * 4];
    size_t used = 0;
    lum_tag_page page = { .limit = 2 };
    size_t count = 2;
    text[0] = '\0';
    while (count == 2) {
        pgc_error err;
        pgc_error_clear(&err);
        repo_list_tags_row_set set = PGC_ZERO;
        if (!CHECK_STATUS(lum_tag_list(who->actor, &page, &set, &err), PGC_OK, &err)) {
            return "(failed)";
        }
        count = set.count;
        for (size_t i = 0; i < count && used < sizeof text; i++) {
            used += (size_t) snprintf(text + used, sizeof text - used,
                                      "%s%" SLICE_FMT "(%" PRId64 ")", used > 0 ? " " : "",
                                      SLICE_ARG(set.rows[i].name), set.rows[i].asset_count);
            (void) snprintf(last, sizeof last, "%" SLICE_FMT, SLICE_ARG(set.rows[i].name));
            page.after_name = pgc_text_from(last);
            page.after_tag_id = set.rows[i].tag_id;
        }
        repo_list_tags_row_set_free(&set);
    }
    return text;
}

static void a_name_gives_one_tag(void)
{
    PERSON(&lib, owner);
    int32_t again = 0;
    repo_get_tag_row_set set = PGC_ZERO;
    int32_t id = 0;
    REQUIRE_OK(lum_tag_create(owner.actor, SLICE("Katze 🐈"), SLICE("animal"), &id, &err), &err);
    REQUIRE_OK(lum_tag_create(owner.actor, SLICE("Katze 🐈"), SLICE("other"), &again, &err), &err);
    CHECK_INT(again, id);
    CHECK(id > 0);
    REQUIRE_OK(lum_tag_get(owner.actor, id, &set, &err), &err);
    CHECK(slice_eq_str(set.rows[0].name, "Katze 🐈"));
    CHECK(slice_eq_str(set.rows[0].category, "animal")); /* the first one stays */
    CHECK(!set.rows[0].shared);
    CHECK_INT(set.rows[0].asset_count, 0);
    repo_get_tag_row_set_free(&set);
    CHECK(tag_make(&owner, "katze 🐈") != id); /* case counts */
    REQUIRE_OK(lum_tag_find(owner.actor, SLICE("Katze 🐈"), &again, &err), &err);
    CHECK_INT(again, id);
    CHECK_STATUS(lum_tag_find(owner.actor, SLICE("Hund"), &again, &err), PGC_NOT_FOUND, &err);
    REQUIRE_OK(lum_tag_set_category(owner.actor, id, (pgc_text) { NULL, 0 }, &err), &err);
    REQUIRE_OK(lum_tag_get(owner.actor, id, &set, &err), &err);
    CHECK(set.rows[0].category.ptr == NULL);
    repo_get_tag_row_set_free(&set);
}

static void people_go_before_ai(void)
{
    PERSON(&lib, owner);
    bool written = true;
    pgc_uuid a = person_add(&owner, "a");
    (void) give(&owner, a, "cat", 1, LUM_TAG_USER, NULL);
    CHECK_STR(tags_of(&owner, a), "cat:user:1");
    (void) give(&owner, a, "cat", 0.3, LUM_TAG_CLIP, &written);
    CHECK(!written);
    CHECK_STR(tags_of(&owner, a), "cat:user:1");
    (void) give(&owner, a, "dog", 0.25, LUM_TAG_CLIP, NULL);
    (void) give(&owner, a, "dog", 0.75, LUM_TAG_SMART_CLASSIFY, NULL); /* AI over AI */
    CHECK_STR(tags_of(&owner, a), "cat:user:1 dog:smart_classify:0.75");
    (void) give(&owner, a, "dog", 1, LUM_TAG_USER, NULL);
    CHECK_STR(tags_of(&owner, a), "cat:user:1 dog:user:1");
    pgc_uuid b = person_add(&owner, "b");
    (void) give(&owner, b, "cat", 0.5, LUM_TAG_CLIP, NULL); /* the own tag, on another photo */
    CHECK_STR(tags_of(&owner, b), "cat:clip:0.5");
    CHECK_STR(tags_seen(&owner), "cat(2) dog(1)");
    int32_t cat = 0;
    REQUIRE_OK(lum_tag_find(owner.actor, SLICE("cat"), &cat, &err), &err);
    REQUIRE_OK(lum_asset_add_tag(owner.actor, a, cat, 0.1, LUM_TAG_CLIP, &written, &err), &err);
    CHECK(!written);
    REQUIRE_OK(lum_asset_add_tag(owner.actor, b, cat, 0.1, LUM_TAG_USER, &written, &err), &err);
    CHECK(written);
    CHECK_STR(tags_of(&owner, b), "cat:user:0.1");
    REQUIRE_OK(lum_asset_remove_tag(owner.actor, b, cat, &err), &err);
    CHECK_STATUS(lum_asset_remove_tag(owner.actor, b, cat, &err), PGC_NOT_FOUND, &err);
    CHECK_STR(tags_of(&owner, b), "");
}

static void a_model_that_runs_again_replaces_its_own(void)
{
    PERSON(&lib, owner);
    pgc_uuid a = person_add(&owner, "a");
    (void) give(&owner, a, "mine", 1, LUM_TAG_USER, NULL);
    (void) give(&owner, a, "old", 0.5, LUM_TAG_CLIP, NULL);
    (void) give(&owner, a, "kept", 0.5, LUM_TAG_CLIP, NULL);
    (void) give(&owner, a, "other", 0.5, LUM_TAG_SMART_CLASSIFY, NULL);
    static const lum_tag_gift NEW[] = { { SLICE("kept"), 0.875 }, { SLICE("new"), 0.25 } };
    const lum_tag_gifts gifts = { NEW, 2, LUM_TAG_CLIP, .only_these = true };
    repo_tag_asset_row_set set = PGC_ZERO;
    REQUIRE_OK(lum_asset_add_tags(owner.actor, a, &gifts, &set, &err), &err);
    CHECK_INT(set.count, 2);
    CHECK(slice_eq_str(set.rows[0].given_name, "kept"));
    repo_tag_asset_row_set_free(&set);
    CHECK_STR(tags_of(&owner, a),
              "kept:clip:0.875 mine:user:1 new:clip:0.25 other:smart_classify:0.5");
}

/* Neither by its name, nor under an own tag of that name; a person may, and others are not asked.
 */
static void what_was_taken_away_does_not_come_back_from_ai(void)
{
    PERSON(&lib, owner);
    bool written = true;
    int64_t removed = 0;
    pgc_uuid photo = person_add(&owner, "a.jpg");
    pgc_uuid second = person_add(&owner, "b.jpg");
    int32_t dog = give(&owner, photo, "dog", 0.5, LUM_TAG_CLIP, NULL);
    (void) give(&owner, second, "dog", 0.5, LUM_TAG_CLIP, NULL);
    REQUIRE_OK(lum_asset_remove_tag(owner.actor, photo, dog, &err), &err);
    CHECK_INT(give(&owner, photo, "dog", 0.9, LUM_TAG_CLIP, &written), 0);
    CHECK(!written);
    CHECK_INT(give(&owner, photo, "dog", 0.9, LUM_TAG_SMART_CLASSIFY, &written), 0);
    CHECK_STR(tags_of(&owner, photo), "");
    CHECK(give(&owner, second, "dog", 0.9, LUM_TAG_CLIP, NULL) < 0); /* another photo */
    CHECK(tag_make(&owner, "dog") > 0);
    CHECK_INT(give(&owner, photo, "dog", 0.9, LUM_TAG_CLIP, &written), 0);
    CHECK_STATUS(lum_asset_remove_tag(owner.actor, photo, dog, &err), PGC_NOT_FOUND, &err);
    (void) give(&owner, photo, "dog", 1, LUM_TAG_USER, NULL);
    CHECK_STR(tags_of(&owner, photo), "dog:user:1");
    (void) give(&owner, photo, "dog", 0.9, LUM_TAG_CLIP, &written); /* no refusal any more */
    CHECK(!written);
    /* A tag that is taken from everything. */
    int32_t cat = give(&owner, photo, "cat", 0.5, LUM_TAG_CLIP, NULL);
    REQUIRE_OK(lum_tag_delete(owner.actor, cat, &removed, &err), &err);
    CHECK_INT(removed, 1);
    CHECK_INT(give(&owner, photo, "cat", 0.9, LUM_TAG_CLIP, &written), 0);
    (void) give(&owner, second, "cat", 0.9, LUM_TAG_CLIP, NULL); /* it had none to be taken */
    CHECK_STR(tags_of(&owner, photo), "dog:user:1");
}

static void shared_tags_tell_nothing(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    pgc_uuid mine = person_add(&owner, "a");
    pgc_uuid theirs = person_add(&other, "b");
    int32_t found = 0;
    int32_t passport = give(&owner, mine, "passport", 0.5, LUM_TAG_CLIP, NULL);
    CHECK(passport < 0);
    /* To the other one the tag is not there, by name, number, list or link. */
    repo_get_tag_row_set set = PGC_ZERO;
    CHECK_STATUS(lum_tag_get(other.actor, passport, &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_tag_find(other.actor, SLICE("passport"), &found, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_asset_add_tag(other.actor, theirs, passport, 1, LUM_TAG_USER, NULL, &err),
                 PGC_NOT_FOUND, &err);
    CHECK_STR(tags_seen(&other), "");
    int64_t n = 0;
    CHECK_STATUS(lum_tag_delete(other.actor, passport, &n, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_tag_count_uses(other.actor, &passport, 1, &n, &err), PGC_NOT_FOUND, &err);
    /* Having it does not tell that it was there before: the number comes from the name. */
    CHECK_INT(give(&other, theirs, "passport", 0.9, LUM_TAG_CLIP, NULL), passport);
    CHECK_STR(tags_seen(&other), "passport(1)");
    CHECK_SQL(root,
              "SELECT category IS NULL AND created_at = '2000-01-01Z' FROM tags "
              "WHERE name = 'passport' AND owner_id IS NULL",
              "t");
    CHECK_STATUS(lum_tag_rename(other.actor, passport, SLICE("mine"), &err), PGC_DENIED, &err);
    CHECK(person_says(&err, "shared"));
    CHECK_STATUS(lum_tag_set_category(other.actor, passport, SLICE("x"), &err), PGC_NOT_FOUND,
                 &err);
    REQUIRE_OK(lum_tag_delete(other.actor, passport, &n, &err), &err);
    CHECK_INT(n, 1);
    CHECK_STR(tags_seen(&other), "");
    CHECK_STR(tags_of(&owner, mine), "passport:clip:0.5"); /* nothing happened to the first one */
    /* Nor by SQL of one's own, as the role that serves users. */
    char sql[512];
    (void) snprintf(sql, sizeof sql,
                    "BEGIN; SET LOCAL ROLE lumilio_app; SELECT set_config('app.user_id', '%" PRId32
                    "', true); INSERT INTO asset_tags (asset_id, tag_id, owner_id) SELECT "
                    "asset_id, %" PRId32 ", owner_id FROM assets",
                    other.id, passport);
    CHECK_SQL_FAILS(root, sql, "42501");
}

static void an_own_tag_takes_over_the_shared_one(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    pgc_uuid theirs = person_add(&other, "c");
    int32_t shared = give(&owner, a, "beach", 0.5, LUM_TAG_CLIP, NULL);
    (void) give(&other, theirs, "beach", 0.5, LUM_TAG_CLIP, NULL);
    int32_t own = give(&owner, b, "beach", 1, LUM_TAG_USER, NULL);
    CHECK(own > 0 && own != shared);
    CHECK_STR(tags_of(&owner, a), "beach:clip:0.5"); /* as AI gave it, on the own tag */
    CHECK_STR(tags_seen(&owner), "beach(2)");
    CHECK_STR(tags_seen(&other), "beach(1)");
    CHECK_INT(give(&owner, a, "beach", 0.7, LUM_TAG_CLIP, NULL), own);
    int32_t sun = tag_make(&owner, "sun");
    (void) give(&owner, a, "sea", 0.5, LUM_TAG_CLIP, NULL);
    REQUIRE_OK(lum_tag_rename(owner.actor, sun, SLICE("sea"), &err), &err);
    CHECK_STR(tags_seen(&owner), "beach(2) sea(1)");
    int32_t found = 0;
    REQUIRE_OK(lum_tag_find(owner.actor, SLICE("sea"), &found, &err), &err);
    CHECK_INT(found, sun);
}

static void names_are_changed_and_kept_apart(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    int32_t a = tag_make(&owner, "a");
    int32_t b = tag_make(&owner, "b");
    int32_t theirs = tag_make(&other, "b2");
    REQUIRE_OK(lum_tag_rename(owner.actor, a, SLICE("c"), &err), &err);
    REQUIRE_OK(lum_tag_rename(owner.actor, a, SLICE("c"), &err), &err); /* the same again */
    CHECK_STATUS(lum_tag_rename(owner.actor, a, SLICE("b"), &err), PGC_CONFLICT, &err);
    CHECK(person_says(&err, "there is a tag \"b\" already"));
    CHECK(strstr(err.hint, "merge") != NULL);
    CHECK_STATUS(lum_tag_rename(owner.actor, theirs, SLICE("x"), &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_tag_rename(owner.actor, 2000000000, SLICE("x"), &err), PGC_NOT_FOUND, &err);
    REQUIRE_OK(lum_tag_rename(owner.actor, b, SLICE("b2"), &err), &err); /* the other one's name */
    CHECK_STR(tags_seen(&owner), "b2(0) c(0)");
    CHECK_STR(tags_seen(&other), "b2(0)");
}

static void tags_become_one(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    pgc_uuid p[4];
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        p[i] = person_add(&owner, "p");
    }
    int32_t kitty = give(&owner, p[0], "kitty", 1, LUM_TAG_USER, NULL);
    int32_t cat = give(&owner, p[1], "cat", 1, LUM_TAG_USER, NULL);
    int32_t feline = give(&owner, p[0], "feline", 0.25, LUM_TAG_CLIP, NULL); /* shared */
    (void) give(&owner, p[1], "feline", 0.75, LUM_TAG_CLIP, NULL);
    (void) give(&owner, p[2], "feline", 0.5, LUM_TAG_CLIP, NULL);
    (void) give(&owner, p[2], "cat", 0.125, LUM_TAG_CLIP, NULL);
    (void) give(&owner, p[3], "kitty", 0.5, LUM_TAG_SMART_CLASSIFY, NULL);
    const int32_t sources[] = { kitty, feline };
    int64_t n = 0;
    REQUIRE_OK(lum_tag_count_uses(owner.actor, sources, 2, &n, &err), &err);
    CHECK_INT(n, 4);
    CHECK_STATUS(lum_tag_merge(owner.actor, &cat, 1, cat, &n, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "into itself"));
    const int32_t foreign[] = { kitty, tag_make(&other, "theirs") };
    CHECK_STATUS(lum_tag_merge(owner.actor, foreign, 2, cat, &n, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_tag_merge(owner.actor, sources, 2, foreign[1], &n, &err), PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_tag_merge(owner.actor, sources, 0, cat, &n, &err), PGC_INVALID, &err);
    CHECK_STR(tags_seen(&owner), "cat(2) feline(3) kitty(2)");
    REQUIRE_OK(lum_tag_merge(owner.actor, sources, 2, cat, &n, &err), &err);
    CHECK_INT(n, 4);
    CHECK_STR(tags_seen(&owner), "cat(4)");
    CHECK_STR(tags_of(&owner, p[0]), "cat:user:1");   /* the user's word of two */
    CHECK_STR(tags_of(&owner, p[1]), "cat:user:1");   /* the target was the user's */
    CHECK_STR(tags_of(&owner, p[2]), "cat:clip:0.5"); /* the greater confidence */
    CHECK_STR(tags_of(&owner, p[3]), "cat:smart_classify:0.5");
    CHECK_STR(tags_seen(&other), "theirs(0)");
    int32_t paw = give(&owner, p[0], "paw", 0.5, LUM_TAG_CLIP, NULL);
    REQUIRE_OK(lum_tag_merge(owner.actor, &cat, 1, paw, &n, &err), &err); /* becomes an own one */
    CHECK_STR(tags_seen(&owner), "paw(4)");
    CHECK_STR(tags_of(&owner, p[0]), "paw:user:1");
}

static void lists_leave_out_the_trash(void)
{
    PERSON(&lib, owner);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    static const char *const NAMES[] = { "alpha", "Beta", "gamma 50%", "delta_x", "epsilon" };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        (void) give(&owner, a, NAMES[i], 1, LUM_TAG_USER, NULL);
    }
    int32_t alpha = give(&owner, b, "alpha", 1, LUM_TAG_USER, NULL);
    int32_t x = 0;
    REQUIRE_OK(lum_tag_create(owner.actor, SLICE("zeta"), SLICE("greek"), &x, &err), &err);
    repo_list_tags_row_set set = PGC_ZERO;
    lum_tag_page page = { .limit = 10, .part = SLICE("TA") };
    REQUIRE_OK(lum_tag_list(owner.actor, &page, &set, &err), &err);
    CHECK_INT(set.count, 3);
    repo_list_tags_row_set_free(&set);
    page.part = SLICE("%");
    REQUIRE_OK(lum_tag_list(owner.actor, &page, &set, &err), &err);
    CHECK_INT(set.count, 1); /* a letter, not a wildcard */
    repo_list_tags_row_set_free(&set);
    page = (lum_tag_page) { .limit = 10, .category = SLICE("greek") };
    REQUIRE_OK(lum_tag_list(owner.actor, &page, &set, &err), &err);
    CHECK_INT(set.count, 1);
    repo_list_tags_row_set_free(&set);
    CHECK(strstr(tags_seen(&owner), "alpha(2)") != NULL);
    REQUIRE_OK(lum_asset_delete(owner.actor, a, &err), &err);
    CHECK(strstr(tags_seen(&owner), "alpha(1)") != NULL);
    CHECK(strstr(tags_seen(&owner), "epsilon(0)") != NULL);
    repo_get_tag_row_set got = PGC_ZERO;
    REQUIRE_OK(lum_tag_get(owner.actor, alpha, &got, &err), &err);
    CHECK_INT(got.rows[0].asset_count, 1);
    repo_get_tag_row_set_free(&got);
    int64_t n = 0;
    REQUIRE_OK(lum_tag_delete(owner.actor, alpha, &n, &err), &err);
    CHECK_INT(n, 2);
    CHECK_STATUS(lum_tag_delete(owner.actor, alpha, &n, &err), PGC_NOT_FOUND, &err);
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

static void tags_of_many_assets_are_one_query(void)
{
    static const pgc_db_ops OPS = { .struct_size = sizeof OPS, .run = counting_run };
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    counting_db counting = { .db = { &OPS }, .inner = owner.actor.db };
    lum_actor actor = { &counting.db, owner.id };
    pgc_uuid p[3];
    for (size_t i = 0; i < ARRAY_LEN(p); i++) {
        p[i] = i < 2 ? person_add(&owner, "p") : person_add(&other, "q");
        (void) give(i < 2 ? &owner : &other, p[i], "b", 1, LUM_TAG_USER, NULL);
        (void) give(i < 2 ? &owner : &other, p[i], "a", 0.5, LUM_TAG_CLIP, NULL);
    }
    repo_list_tags_of_assets_row_set set = PGC_ZERO;
    REQUIRE_OK(lum_tag_list_of_assets(actor, p, 3, &set, &err), &err);
    CHECK_INT(counting.queries, 1);
    REQUIRE(CHECK_INT(set.count, 4)); /* nothing of the other one's photo */
    CHECK(slice_eq_str(set.rows[0].name, "a") && set.rows[0].shared);
    CHECK(slice_eq_str(set.rows[1].name, "b") && !set.rows[1].shared);
    CHECK(person_same(set.rows[3].asset_id, p[1]));
    repo_list_tags_of_assets_row_set_free(&set);
}

static void bad_input_is_told_and_changes_nothing(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    static char huge[10 * 1024 * 1024 + 1];
    memset(huge, 'x', sizeof huge - 1);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid theirs = person_add(&other, "b");
    int32_t id = tag_make(&owner, "kept");
    int32_t out = -7;
    repo_tag_asset_row_set set = PGC_ZERO;
    static const pgc_text NAMES[] = { { NULL, 0 },       SLICE(""),
                                      SLICE("  "),       SLICE("a\tb"),
                                      SLICE("\xc3\x28"), SLICE("x "),
                                      { huge, 101 },     { huge, sizeof huge - 1 } };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        const lum_tag_gift gift = { NAMES[i], 1 };
        const lum_tag_gifts gifts = { &gift, 1, LUM_TAG_USER, false };
        CHECK_STATUS(lum_tag_create(owner.actor, NAMES[i], (pgc_text) { NULL, 0 }, &out, &err),
                     PGC_INVALID, &err);
        CHECK(person_says(&err, "tag name"));
        CHECK_STATUS(lum_tag_rename(owner.actor, id, NAMES[i], &err), PGC_INVALID, &err);
        CHECK_STATUS(lum_tag_find(owner.actor, NAMES[i], &out, &err), PGC_INVALID, &err);
        CHECK_STATUS(lum_asset_add_tags(owner.actor, a, &gifts, &set, &err), PGC_INVALID, &err);
    }
    CHECK_STATUS(lum_tag_create(owner.actor, SLICE("x"), SLICE(""), &out, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "tag category"));
    static const double WRONG[] = { 1.5, -0.01, NAN, INFINITY, -INFINITY };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        const lum_tag_gift gift = { SLICE("x"), WRONG[i] };
        const lum_tag_gifts gifts = { &gift, 1, LUM_TAG_CLIP, false };
        CHECK_STATUS(lum_asset_add_tags(owner.actor, a, &gifts, &set, &err), PGC_INVALID, &err);
        CHECK(person_says(&err, "confidence"));
        CHECK_STATUS(lum_asset_add_tag(owner.actor, a, id, WRONG[i], LUM_TAG_USER, NULL, &err),
                     PGC_INVALID, &err);
    }
    static const lum_tag_gift TWICE[] = { { SLICE("x"), 1 }, { SLICE("x"), 0.5 } };
    const lum_tag_gifts twice = { TWICE, 2, LUM_TAG_USER, false };
    CHECK_STATUS(lum_asset_add_tags(owner.actor, a, &twice, &set, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "twice"));
    const lum_tag_gifts none = { TWICE, 0, LUM_TAG_USER, false };
    CHECK_STATUS(lum_asset_add_tags(owner.actor, a, &none, &set, &err), PGC_INVALID, &err);
    const lum_tag_gifts odd = { TWICE, 1, (lum_tag_source) 7, false };
    CHECK_STATUS(lum_asset_add_tags(owner.actor, a, &odd, &set, &err), PGC_INVALID, &err);
    const lum_tag_gifts good = { TWICE, 1, LUM_TAG_USER, false };
    CHECK_STATUS(lum_asset_add_tags(owner.actor, theirs, &good, &set, &err), PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "there is no asset"));
    CHECK_STATUS(lum_asset_add_tag(owner.actor, theirs, id, 1, LUM_TAG_USER, NULL, &err),
                 PGC_NOT_FOUND, &err);
    CHECK_STATUS(lum_asset_add_tag(owner.actor, a, 2000000000, 1, LUM_TAG_USER, NULL, &err),
                 PGC_NOT_FOUND, &err);
    CHECK(person_says(&err, "there is no tag 2000000000"));
    repo_list_tags_row_set list = PGC_ZERO;
    lum_tag_page page = { .limit = 0 };
    CHECK_STATUS(lum_tag_list(owner.actor, &page, &list, &err), PGC_INVALID, &err);
    page = (lum_tag_page) { .limit = 5, .part = { huge, sizeof huge - 1 } };
    CHECK_STATUS(lum_tag_list(owner.actor, &page, &list, &err), PGC_INVALID, &err);
    CHECK_STATUS(lum_tag_list_of_assets(owner.actor, &a, 0, NULL, &err), PGC_INVALID, &err);
    CHECK_INT(out, -7);
    CHECK_STR(tags_seen(&owner), "kept(0)");
    lum_tag_source source = LUM_TAG_CLIP;
    REQUIRE_OK(lum_tag_source_parse("smart_classify", &source, &err), &err);
    CHECK_INT(source, LUM_TAG_SMART_CLASSIFY);
    CHECK_STATUS(lum_tag_source_parse("ai", &source, &err), PGC_INVALID, &err);
    CHECK(person_says(&err, "user, clip or smart_classify"));
}

static void asset_and_tags_come_together_or_not_at_all(void)
{
    PERSON(&lib, owner);
    bool duplicate = true;
    repo_asset_set set = PGC_ZERO;
    static const lum_tag_gift GIFTS[] = { { SLICE("one"), 1 }, { SLICE("two"), 0.5 } };
    const lum_tag_gifts gifts = { GIFTS, 2, LUM_TAG_USER, false };
    repo_create_asset_params row = person_photo(&owner, "with tags");
    REQUIRE_OK(lum_asset_create_with_tags(owner.session, &row, &gifts, &set, &duplicate, &err),
               &err);
    CHECK(!duplicate);
    CHECK_STR(tags_of(&owner, set.rows[0].asset_id), "one:user:1 two:user:0.5");
    repo_asset_set_free(&set);
    REQUIRE_OK(lum_asset_create_with_tags(owner.session, &row, &gifts, &set, &duplicate, &err),
               &err);
    CHECK(duplicate);
    CHECK(person_same(set.rows[0].asset_id, row.asset_id));
    repo_asset_set_free(&set);
    row = person_photo(&owner, "never");
    static const lum_tag_gift BAD[] = { { SLICE("three"), 1 }, { SLICE("four"), 2 } };
    const lum_tag_gifts bad = { BAD, 2, LUM_TAG_USER, false };
    CHECK_STATUS(lum_asset_create_with_tags(owner.session, &row, &bad, &set, &duplicate, &err),
                 PGC_INVALID, &err);
    const lum_tag_gifts odd = { GIFTS, 2, (lum_tag_source) 9, false }; /* found when it is there */
    CHECK_STATUS(lum_asset_create_with_tags(owner.session, &row, &odd, &set, &duplicate, &err),
                 PGC_INVALID, &err);
    CHECK_STATUS(lum_asset_get(owner.actor, row.asset_id, &set, &err), PGC_NOT_FOUND, &err);
    CHECK_STR(tags_seen(&owner), "one(1) two(1)");
    CHECK(set.rows == NULL);
}

#define CROWD 64

typedef struct rush {
    const person *people;
    size_t person_count;
    const pgc_uuid *assets; /* one of each person */
    int32_t ids[CROWD];
} rush;

static void rush_create(void *arg, size_t number)
{
    rush *all = arg;
    all->ids[number] = tag_make(&all->people[number % all->person_count], "rush");
}

static void rush_give(void *arg, size_t number)
{
    rush *all = arg;
    size_t who = number % all->person_count;
    bool written = false;
    all->ids[number] = give(&all->people[who], all->assets[who], "rush2", 0.5,
                            number % 3 == 0 ? LUM_TAG_SMART_CLASSIFY : LUM_TAG_CLIP, &written);
}

static void sixty_four_threads_get_the_same_tag(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    const person people[] = { owner, other };
    const pgc_uuid assets[] = { person_add(&owner, "a"), person_add(&other, "b") };
    rush all = { .people = people, .person_count = 1, .assets = assets };
    crowd_run(CROWD, rush_create, &all);
    for (size_t i = 1; i < CROWD; i++) {
        CHECK_INT(all.ids[i], all.ids[0]);
    }
    CHECK_STR(tags_seen(&owner), "rush(0)");
    all.person_count = 2; /* both get the shared one */
    crowd_run(CROWD, rush_give, &all);
    for (size_t i = 1; i < CROWD; i++) {
        CHECK_INT(all.ids[i], all.ids[0]);
    }
    CHECK_STR(tags_seen(&owner), "rush(0) rush2(1)");
    CHECK_STR(tags_seen(&other), "rush2(1)");
    CHECK_SQL(root, "SELECT count(*) FROM tags WHERE name = 'rush2'", "1");
}

/* People and AI give, take, name and merge the same few names at once. Afterwards a name must still
 * be one tag for its owner, and nothing of one may hang on the other's. */
static void stir(void *arg, size_t number)
{
    static const char *const NAMES[] = { "red", "green", "blue" };
    rush *all = arg;
    const person *who = &all->people[number % all->person_count];
    uint64_t seed = 4711 + number;
    for (int i = 0; i < 25; i++) {
        pgc_error err;
        pgc_error_clear(&err);
        pgc_uuid asset = all->assets[number % all->person_count * 4 + random_below(&seed, 4)];
        const lum_tag_gift gift = { pgc_text_from(NAMES[random_below(&seed, 3)]), 0.5 };
        lum_tag_source source = (lum_tag_source) random_below(&seed, 3);
        const lum_tag_gifts gifts = { &gift, 1, source, random_below(&seed, 4) == 0 };
        repo_tag_asset_row_set set = PGC_ZERO;
        int32_t id = 0;
        int32_t into = 0;
        int64_t n = 0;
        pgc_status status = PGC_OK;
        size_t what = random_below(&seed, 8);
        if (what < 5) {
            status = lum_asset_add_tags(who->actor, asset, &gifts, &set, &err);
            repo_tag_asset_row_set_free(&set);
        } else if (lum_tag_find(who->actor, gift.name, &id, NULL) == PGC_OK) {
            into = tag_make(who, NAMES[random_below(&seed, 3)]);
            status = what == 5   ? lum_tag_delete(who->actor, id, &n, &err)
                     : what == 6 ? lum_tag_merge(who->actor, &id, 1, into, &n, &err)
                                 : lum_tag_rename(who->actor, id, gift.name, &err);
        }
        /* What another thread did in between is told, never hidden. */
        if (!CHECK(status == PGC_OK || status == PGC_NOT_FOUND || status == PGC_CONFLICT ||
                   status == PGC_INVALID || status == PGC_DENIED)) {
            (void) printf("# %d: %s\n", (int) status, err.message);
        }
    }
}

static void a_name_stays_one_tag_whoever_stirs(void)
{
    PERSON(&lib, owner);
    ANOTHER(&lib, other);
    const person people[] = { owner, other };
    pgc_uuid assets[8];
    for (size_t i = 0; i < ARRAY_LEN(assets); i++) {
        assets[i] = person_add(&people[i / 4], "s");
    }
    (void) printf("# seeds 4711..\n");
    rush all = { .people = people, .person_count = 2, .assets = assets };
    crowd_run(12, stir, &all);
    CHECK_SQL(root,
              "SELECT count(*) FROM (SELECT l.owner_id, t.name FROM asset_tags l JOIN tags t USING "
              "(tag_id) GROUP BY 1, 2 HAVING count(DISTINCT t.tag_id) > 1) x",
              "0");
    CHECK_SQL(root,
              "SELECT count(*) FROM asset_tags l JOIN tags t USING (tag_id) "
              "WHERE t.owner_id <> l.owner_id OR (t.owner_id IS NULL AND l.source = 'user')",
              "0");
    CHECK_SQL(root, "SELECT count(*) FROM tags WHERE owner_id IS NULL AND tag_id >= 0", "0");
    CHECK_SQL(root,
              "SELECT count(*) FROM (SELECT l.owner_id, l.tag_id, count(*) AS n FROM asset_tags l "
              "JOIN assets a USING (asset_id) WHERE a.deleted_at IS NULL GROUP BY 1, 2) r FULL "
              "JOIN (SELECT owner_id, tag_id, sum(assets) AS n FROM tag_counts GROUP BY 1, 2 "
              "HAVING sum(assets) <> 0) c USING (owner_id, tag_id) WHERE r.n IS DISTINCT FROM c.n",
              "0");
}

static const tap_case CASES[] = {
    TAP("tag: a name gives one", a_name_gives_one_tag),
    TAP("tag: people go before AI", people_go_before_ai),
    TAP("tag: a model that runs again replaces its own", a_model_that_runs_again_replaces_its_own),
    TAP("tag: what a user took away does not come back from AI",
        what_was_taken_away_does_not_come_back_from_ai),
    TAP("tag: shared ones tell nothing", shared_tags_tell_nothing),
    TAP("tag: an own one takes over the shared one", an_own_tag_takes_over_the_shared_one),
    TAP("tag: names are changed and kept apart", names_are_changed_and_kept_apart),
    TAP("tag: several become one", tags_become_one),
    TAP("tag: lists go in pages and leave out the trash", lists_leave_out_the_trash),
    TAP("tag: those of many assets are one query", tags_of_many_assets_are_one_query),
    TAP("tag: bad input is told and changes nothing", bad_input_is_told_and_changes_nothing),
    TAP("tag: asset and tags come together or not at all",
        asset_and_tags_come_together_or_not_at_all),
    TAP("tag: 64 threads get the same one", sixty_four_threads_get_the_same_tag),
    TAP("tag: a name stays one tag whoever stirs", a_name_stays_one_tag_whoever_stirs),
};

LIBRARY_MAIN(lib, root, CASES)
