/* The kept counts of tags and albums are what counting gives, whatever is done to links and assets,
 * by whom and by how many at once. One library for all cases; each has users of its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "base/list.h"
#include "crowd.h"
#include "person.h"
#include "random.h"
#include "repo/duplicates.h"
#include "schema.h"
#include "service/album.h"
#include "service/statistics.h"
#include "service/tag.h"
#include "service/trash.h"
#include "tap.h"
#include "turns.h"

#define MIGRATION "026_counts.sql"

/* Numbers of all owners that are not what counting gives. */
#define WRONG_TAGS                                                                          \
    "SELECT count(*) FROM (SELECT l.owner_id, l.tag_id, count(*) AS n FROM asset_tags l "   \
    "JOIN assets a USING (asset_id) WHERE a.deleted_at IS NULL GROUP BY 1, 2) r FULL JOIN " \
    "(SELECT owner_id, tag_id, sum(assets) AS n FROM tag_counts GROUP BY 1, 2 "             \
    "HAVING sum(assets) <> 0) c USING (owner_id, tag_id) WHERE r.n IS DISTINCT FROM c.n"
#define WRONG_ALBUMS                                                                          \
    "SELECT count(*) FROM (SELECT m.owner_id, m.album_id, count(*) AS n FROM album_assets m " \
    "JOIN assets a USING (asset_id) WHERE a.deleted_at IS NULL GROUP BY 1, 2) r FULL JOIN "   \
    "(SELECT owner_id, album_id, sum(assets) AS n FROM album_counts GROUP BY 1, 2 "           \
    "HAVING sum(assets) <> 0) c USING (owner_id, album_id) WHERE r.n IS DISTINCT FROM c.n"
#define CHECK_EXACT()                       \
    do {                                    \
        CHECK_SQL(root, WRONG_TAGS, "0");   \
        CHECK_SQL(root, WRONG_ALBUMS, "0"); \
    } while (0)

static test_library lib;
static pgc_conn *root; /* superuser: looks behind the policies, and goes past the services */

static int32_t give(const person *owner, pgc_uuid asset, const char *name, lum_tag_source source)
{
    pgc_error err;
    pgc_error_clear(&err);
    repo_tag_asset_row_set set = PGC_ZERO;
    const lum_tag_gift gift = { pgc_text_from(name), 1 };
    const lum_tag_gifts gifts = { .gifts = &gift, .count = 1, .source = source };
    int32_t id = 0;
    if (CHECK_STATUS(lum_asset_add_tags(owner->actor, asset, &gifts, &set, &err), PGC_OK, &err)) {
        id = set.rows[0].given_id;
    }
    repo_tag_asset_row_set_free(&set);
    return id;
}

static int32_t album_make(const person *owner, const char *name)
{
    pgc_error err;
    pgc_error_clear(&err);
    repo_album_set set = PGC_ZERO;
    const lum_album_new album = { .name = pgc_text_from(name), .is_public = true };
    int32_t id = 0;
    if (CHECK_STATUS(lum_album_create(owner->actor, &album, &set, &err), PGC_OK, &err)) {
        id = set.rows[0].album_id;
    }
    repo_album_set_free(&set);
    return id;
}

static void put(const person *owner, int32_t album, const pgc_uuid *ids, size_t count)
{
    pgc_error err;
    pgc_error_clear(&err);
    int32_t added = 0;
    CHECK_STATUS(lum_album_add(owner->actor, album, (lum_ids) { ids, count },
                               (lum_place) { .kind = LUM_PLACE_END }, &added, &err),
                 PGC_OK, &err);
    CHECK_INT(added, count);
}

/* What the lists say: "anna 2, beach 1; summer 2". */
static const char *counts_seen(const person *who)
{
    static char text[1024];
    size_t used = 0;
    pgc_error err;
    pgc_error_clear(&err);
    repo_list_tags_row_set tags = PGC_ZERO;
    repo_list_albums_row_set albums = PGC_ZERO;
    const lum_tag_page page = { .limit = 100 };
    CHECK_STATUS(lum_tag_list(who->actor, &page, &tags, &err), PGC_OK, &err);
    CHECK_STATUS(lum_album_list(who->actor, (lum_album_page) { .limit = 100 }, &albums, &err),
                 PGC_OK, &err);
    text[0] = '\0';
    for (size_t i = 0; i < tags.count; i++) {
        used += (size_t) snprintf(text + used, sizeof text - used, "%s%" SLICE_FMT " %" PRId64,
                                  i > 0 ? ", " : "", SLICE_ARG(tags.rows[i].name),
                                  tags.rows[i].asset_count);
    }
    for (size_t i = 0; i < albums.count; i++) {
        used += (size_t) snprintf(text + used, sizeof text - used, "%s%" SLICE_FMT " %" PRId64,
                                  i > 0 ? ", " : "; ", SLICE_ARG(albums.rows[i].b.name),
                                  albums.rows[i].asset_count.v);
    }
    repo_list_tags_row_set_free(&tags);
    repo_list_albums_row_set_free(&albums);
    return text;
}

static void purge(const person *owner, pgc_uuid id)
{
    pgc_error err;
    pgc_error_clear(&err);
    lum_purged purged = PGC_ZERO;
    const lum_purge which = { .asset_id = { true, id } };
    CHECK_STATUS(lum_trash_purge(owner->actor, &which, &purged, &err), PGC_OK, &err);
    CHECK_INT(purged.assets, 1);
}

static void assets_in_the_trash_do_not_count(void)
{
    PERSON(&lib, owner);
    const pgc_uuid ids[] = { person_add(&owner, "a"), person_add(&owner, "b") };
    int32_t album = album_make(&owner, "summer");
    (void) give(&owner, ids[0], "anna", LUM_TAG_USER);
    (void) give(&owner, ids[1], "anna", LUM_TAG_USER);
    (void) give(&owner, ids[1], "beach", LUM_TAG_CLIP);
    put(&owner, album, ids, 2);
    CHECK_STR(counts_seen(&owner), "anna 2, beach 1; summer 2");
    REQUIRE_OK(lum_asset_delete(owner.actor, ids[1], &err), &err);
    CHECK_STR(counts_seen(&owner), "anna 1, beach 0; summer 1");
    REQUIRE_OK(lum_asset_restore(owner.actor, ids[1], &err), &err);
    CHECK_STR(counts_seen(&owner), "anna 2, beach 1; summer 2");
    REQUIRE_OK(lum_asset_delete(owner.actor, ids[1], &err), &err);
    REQUIRE_OK(lum_album_remove(owner.actor, album, (lum_ids) { &ids[1], 1 }, &err), &err);
    CHECK_STR(counts_seen(&owner), "anna 1, beach 0; summer 1"); /* one that did not count */
    purge(&owner, ids[1]);
    CHECK_STR(counts_seen(&owner), "anna 1; summer 1");
    CHECK_EXACT();
}

static void tags_that_change_take_their_counts_along(void)
{
    PERSON(&lib, owner);
    pgc_uuid a = person_add(&owner, "a");
    pgc_uuid b = person_add(&owner, "b");
    pgc_uuid c = person_add(&owner, "c");
    int64_t n = 0;
    int32_t cat = give(&owner, a, "cat", LUM_TAG_USER);
    int32_t kitten = give(&owner, b, "kitten", LUM_TAG_USER);
    (void) give(&owner, b, "cat", LUM_TAG_USER);
    REQUIRE_OK(lum_asset_delete(owner.actor, c, &err), &err);
    REQUIRE_OK(lum_asset_restore(owner.actor, c, &err), &err);
    CHECK_STR(counts_seen(&owner), "cat 2, kitten 1");
    (void) give(&owner, c, "puss", LUM_TAG_CLIP);                               /* shared */
    REQUIRE_OK(lum_tag_rename(owner.actor, kitten, SLICE("puss"), &err), &err); /* adopts it */
    CHECK_STR(counts_seen(&owner), "cat 2, puss 2");
    REQUIRE_OK(lum_tag_merge(owner.actor, &kitten, 1, cat, &n, &err), &err);
    CHECK_STR(counts_seen(&owner), "cat 3");
    REQUIRE_OK(lum_asset_remove_tag(owner.actor, a, cat, &err), &err);
    CHECK_STR(counts_seen(&owner), "cat 2");
    (void) give(&owner, a, "dog", LUM_TAG_SMART_CLASSIFY);
    static const lum_tag_gift BIRD = { SLICE("bird"), 0.5 };
    const lum_tag_gifts again = { &BIRD, 1, LUM_TAG_SMART_CLASSIFY, true };
    repo_tag_asset_row_set set = PGC_ZERO;
    REQUIRE_OK(lum_asset_add_tags(owner.actor, a, &again, &set, &err), &err); /* instead of dog */
    repo_tag_asset_row_set_free(&set);
    CHECK_STR(counts_seen(&owner), "bird 1, cat 2");
    REQUIRE_OK(lum_tag_delete(owner.actor, cat, &n, &err), &err);
    CHECK_STR(counts_seen(&owner), "bird 1");
    CHECK_EXACT();
}

static void shared_tags_are_counted_for_each_owner(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "other_of_shared"));
    (void) give(&owner, person_add(&owner, "a"), "shared", LUM_TAG_CLIP);
    pgc_uuid theirs[] = { person_add(&other, "b"), person_add(&other, "c") };
    (void) give(&other, theirs[0], "shared", LUM_TAG_CLIP);
    (void) give(&other, theirs[1], "shared", LUM_TAG_CLIP);
    CHECK_STR(counts_seen(&owner), "shared 1");
    CHECK_STR(counts_seen(&other), "shared 2");
    REQUIRE_OK(lum_asset_delete(other.actor, theirs[0], &err), &err);
    CHECK_STR(counts_seen(&owner), "shared 1");
    CHECK_STR(counts_seen(&other), "shared 1");
    CHECK_EXACT();
}

/* What another user sees of the number of members. */
static int64_t public_count(const person *who, int32_t album)
{
    pgc_error err;
    pgc_error_clear(&err);
    int64_t count = -1;
    repo_list_public_albums_row_set set = PGC_ZERO;
    CHECK_STATUS(lum_album_list_public(who->actor, (lum_album_page) { .limit = 1000 }, &set, &err),
                 PGC_OK, &err);
    for (size_t i = 0; i < set.count; i++) {
        count = set.rows[i].album_id == album ? set.rows[i].asset_count : count;
    }
    repo_list_public_albums_row_set_free(&set);
    return count;
}

static void albums_keep_their_counts_in_the_trash(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person guest;
    REQUIRE(person_make(&lib, &guest, "guest_of_counts"));
    const pgc_uuid ids[] = { person_add(&owner, "a"), person_add(&owner, "b") };
    int32_t album = album_make(&owner, "shown");
    CHECK_INT(public_count(&guest, album), 0);
    put(&owner, album, ids, 2);
    CHECK_INT(public_count(&guest, album), 2);
    REQUIRE_OK(lum_asset_delete(owner.actor, ids[0], &err), &err);
    CHECK_INT(public_count(&guest, album), 1);
    REQUIRE_OK(lum_album_delete(owner.actor, album, &err), &err);
    CHECK_INT(public_count(&guest, album), -1);
    REQUIRE_OK(lum_asset_restore(owner.actor, ids[0], &err), &err); /* counts there, too */
    REQUIRE_OK(lum_album_restore(owner.actor, album, &err), &err);
    CHECK_INT(public_count(&guest, album), 2);
    REQUIRE_OK(lum_album_delete(owner.actor, album, &err), &err);
    REQUIRE_OK(lum_album_purge(owner.actor, album, &err), &err);
    CHECK_STR(counts_seen(&owner), "");
    CHECK_EXACT();
}

#define DICE  "current_setting('t.dice')::integer"
#define OWNER "current_setting('t.owner')::integer"

/* Batches by the superuser: inserts of many rows, trash of many, deletes of live ones, of tags
 * and of albums. */
static void random_batches_keep_the_counts(void)
{
    PERSON(&lib, owner);
    static const char *const STEPS[] = {
        "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, "
        "owner_id, uploaded_at) SELECT 'x', 'x', 1, 'h' || " DICE " || '-' || n, 'photo', " OWNER
        ", now() "
        "FROM generate_series(1, 30) n",
        "WITH t AS (INSERT INTO tags (name, owner_id) VALUES ('t' || " DICE ", " OWNER
        ") ON CONFLICT DO NOTHING "
        "RETURNING tag_id) INSERT INTO albums (name, owner_id) SELECT 'x', " OWNER " FROM t",
        "INSERT INTO asset_tags (asset_id, tag_id, owner_id) SELECT a.asset_id, t.tag_id, "
        "a.owner_id FROM assets a JOIN tags t USING (owner_id) WHERE (hashtext(a.asset_id::text) + "
        "t.tag_id + " DICE ") % 3 = 0 AND a.owner_id = " OWNER " ON CONFLICT DO NOTHING",
        "INSERT INTO album_assets (asset_id, album_id, owner_id) SELECT a.asset_id, t.album_id, "
        "a.owner_id FROM assets a JOIN albums t USING (owner_id) WHERE (hashtext(a.asset_id::text) "
        "+ t.album_id + " DICE ") % 3 = 0 AND a.owner_id = " OWNER " ON CONFLICT DO NOTHING",
        "UPDATE assets SET deleted_at = CASE WHEN deleted_at IS NULL THEN now() END WHERE "
        "(hashtext(asset_id::text) + " DICE ") % 4 = 0 AND owner_id = " OWNER
        " AND file_path = 'x'",
        "DELETE FROM assets WHERE (hashtext(asset_id::text) + " DICE
        ") % 9 = 0 AND owner_id = " OWNER "",
        "DELETE FROM asset_tags WHERE (hashtext(asset_id::text) + " DICE
        ") % 4 = 0 AND owner_id = " OWNER "",
        "DELETE FROM album_assets WHERE (hashtext(asset_id::text) + " DICE
        ") % 4 = 0 AND owner_id = " OWNER "",
        "DELETE FROM tags WHERE (tag_id + " DICE ") % 7 = 0 AND owner_id = " OWNER "",
        "DELETE FROM albums WHERE (album_id + " DICE ") % 7 = 0 AND owner_id = " OWNER "",
    };
    uint64_t dice = 11;
    (void) printf("# seed 11\n");
    for (int i = 0; i < 150; i++) {
        char sql[1024];
        char got[64];
        char state[6];
        const char *step = STEPS[i < 2 ? (size_t) i : random_below(&dice, ARRAY_LEN(STEPS))];
        (void) snprintf(sql, sizeof sql, "SET t.dice = '%u'; SET t.owner = '%d'; %s",
                        (unsigned) random_below(&dice, 1000), (int) owner.id, step);
        schema_ask(root, sql, got, sizeof got, state);
        CHECK_STR(state, "");
    }
    CHECK_EXACT();
    CHECK_SQL(root, "SELECT sum(assets) > 20 FROM tag_counts", "t");
    CHECK_SQL(root, "SELECT sum(assets) > 20 FROM album_counts", "t");
}

#define CROWD 64

typedef struct rush {
    const person *owner;
    pgc_uuid assets[6];
    int32_t albums[2];
    pthread_barrier_t *met;
} rush;

/* Half of them at once, kept ones being the other half. One at a time: two of them would lock the
 * same assets in two orders. */
static pgc_status trash_many(const rush *all, pgc_error *err)
{
    static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;
    const pgc_uuid last_first[] = { all->assets[2], all->assets[1], all->assets[0] };
    const repo_trash_duplicates_params params = {
        .asset_ids = { .has = true, .count = 3, .v = last_first },
        .kept_ids = { .has = true, .count = 3, .v = all->assets + 3 },
    };
    repo_trash_duplicates_set set = PGC_ZERO;
    (void) pthread_mutex_lock(&alone);
    pgc_status status = repo_trash_duplicates(all->owner->actor.db, &params, &set, err);
    (void) pthread_mutex_unlock(&alone);
    repo_trash_duplicates_set_free(&set);
    return status;
}

/* One thing that changes counts; PGC_OK or what another one's change makes of it. */
static pgc_status stir_once(const rush *all, uint64_t *seed, pgc_error *err)
{
    static const char *const NAMES[] = { "red", "green", "clip red", "clip green" };
    lum_actor actor = all->owner->actor;
    pgc_uuid asset = all->assets[random_below(seed, ARRAY_LEN(all->assets))];
    int32_t album = all->albums[random_below(seed, ARRAY_LEN(all->albums))];
    size_t which = random_below(seed, ARRAY_LEN(NAMES));
    const lum_tag_gift gifts[] = { { pgc_text_from(NAMES[which]), 1 },
                                   { which < 2 ? SLICE("all") : SLICE("clip all"), 1 } };
    const lum_tag_gifts both = { gifts, 2, which < 2 ? LUM_TAG_USER : LUM_TAG_CLIP, false };
    repo_tag_asset_row_set set = PGC_ZERO;
    int32_t n = 0;
    int64_t removed = 0;
    pgc_status status;
    switch (random_below(seed, 9)) {
    case 0:
    case 1:
        status = lum_asset_add_tags(actor, asset, &both, &set, err);
        repo_tag_asset_row_set_free(&set);
        return status;
    case 2:
        return lum_tag_find(actor, gifts[0].name, &n, NULL) != PGC_OK
                   ? PGC_OK
                   : lum_asset_remove_tag(actor, asset, n, err);
    case 3:
        return lum_asset_delete(actor, asset, err);
    case 4:
        return lum_asset_restore(actor, asset, err);
    case 5:
        return lum_album_add(actor, album, (lum_ids) { all->assets + random_below(seed, 3), 3 },
                             (lum_place) { .kind = LUM_PLACE_END }, &n, err);
    case 6:
        return lum_album_remove(actor, album, (lum_ids) { &asset, 1 }, err);
    case 7:
        return lum_tag_find(actor, gifts[0].name, &n, NULL) != PGC_OK
                   ? PGC_OK
                   : lum_tag_delete(actor, n, &removed, err);
    default:
        return trash_many(all, err);
    }
}

static void stir(void *arg, size_t number)
{
    uint64_t seed = 900 + number;
    for (int i = 0; i < 20; i++) {
        pgc_error err;
        pgc_error_clear(&err);
        pgc_status status = stir_once(arg, &seed, &err);
        /* No deadlock, and no foreign key of a count in anybody's way; AI is denied a photo that
         * goes into the trash under its hands. */
        if (!CHECK(status == PGC_OK || status == PGC_NOT_FOUND || status == PGC_DENIED)) {
            (void) printf("# %d %s: %s\n", (int) status, err.sqlstate, err.message);
        }
    }
}

static void sixty_four_threads_leave_exact_counts(void)
{
    PERSON(&lib, owner);
    rush all = { .owner = &owner,
                 .albums = { album_make(&owner, "one"), album_make(&owner, "two") } };
    for (size_t i = 0; i < ARRAY_LEN(all.assets); i++) {
        all.assets[i] = person_add(&owner, "s");
    }
    (void) printf("# seeds 900..\n");
    crowd_run(CROWD, stir, &all);
    CHECK_EXACT();
    CHECK_SQL(root,
              "SELECT count(*) FROM tag_counts GROUP BY owner_id, tag_id "
              "HAVING count(*) > 64",
              "");
}

/* All of them give the same tag at once, each to a photo of its own: a number in many parts. Nobody
 * waits for another one's count, and those who come later put the parts together. */
static void give_own(void *arg, size_t number)
{
    const rush *all = arg;
    pgc_error err;
    char sql[256];
    char got[64];
    char state[6];
    pgc_conn *conn = schema_connect(lib.url);
    pgc_error_clear(&err);
    if (!CHECK(conn != NULL)) {
        return;
    }
    (void) snprintf(sql, sizeof sql,
                    "SET lock_timeout = '20s'; BEGIN; INSERT INTO asset_tags (asset_id, tag_id, "
                    "owner_id) SELECT asset_id, "
                    "%d, owner_id FROM assets WHERE owner_id = %d ORDER BY asset_id OFFSET %zu "
                    "LIMIT 1",
                    (int) all->albums[0], (int) all->owner->id, number + 1); /* behind the first */
    schema_ask(conn, sql, got, sizeof got, state);
    CHECK_STR(state, "");
    (void) pthread_barrier_wait(all->met); /* all have counted, nobody has committed */
    schema_ask(conn, "COMMIT", got, sizeof got, state);
    CHECK_STR(state, "");
    pgc_conn_close(conn);
}

static void nobody_waits_for_a_count(void)
{
    PERSON(&lib, owner);
    char sql[256];
    char got[64];
    char state[6];
    pthread_barrier_t met;
    enum { WRITERS = 12 };
    pgc_uuid first = person_add(&owner, "first");
    int32_t tag = give(&owner, first, "many", LUM_TAG_USER);
    rush all = { .owner = &owner, .albums = { tag }, .met = &met };
    for (int i = 1; i <= WRITERS; i++) {
        (void) person_add(&owner, "later");
    }
    REQUIRE_OK(lum_asset_remove_tag(owner.actor, first, tag, &err), &err);
    CHECK_STR(counts_seen(&owner), "many 0");
    REQUIRE(pthread_barrier_init(&met, NULL, WRITERS) == 0);
    crowd_run(WRITERS, give_own, &all);
    (void) pthread_barrier_destroy(&met);
    CHECK_STR(counts_seen(&owner), "many 12");
    (void) snprintf(sql, sizeof sql, "SELECT count(*) FROM tag_counts WHERE tag_id = %d", tag);
    CHECK_SQL(root, sql, "12");
    for (int i = 0; i < WRITERS; i++) {
        (void) give(&owner, first, "many", LUM_TAG_USER);
        REQUIRE_OK(lum_asset_remove_tag(owner.actor, first, tag, &err), &err);
    }
    CHECK_SQL(root, sql, "1");
    CHECK_STR(counts_seen(&owner), "many 12");
    (void) snprintf(sql, sizeof sql, "DELETE FROM tags WHERE tag_id = %d", tag);
    schema_ask(root, sql, got, sizeof got, state);
    CHECK_STR(state, "");
    CHECK_EXACT();
}

/* `first` does its part and stays; `second` must wait for it; both counts are right then. */
static void in_turn(const char *first, const char *second)
{
    turns_run(root, lib.url, first, second);
    CHECK_EXACT();
}

static void trash_and_links_see_each_other(void)
{
    PERSON(&lib, owner);
    char give_it[512];
    char take_it[256];
    char trash_it[256];
    char restore_it[256];
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid asset = person_add(&owner, "a");
    int32_t tag = give(&owner, person_add(&owner, "b"), "raced", LUM_TAG_USER);
    int32_t album = album_make(&owner, "raced");
    pgc_uuid_format(&asset, id);
    (void) snprintf(give_it, sizeof give_it,
                    "INSERT INTO asset_tags (asset_id, tag_id, owner_id) VALUES ('%s', %d, %d); "
                    "INSERT INTO album_assets (asset_id, album_id, owner_id) VALUES ('%s', %d, %d)",
                    id, (int) tag, (int) owner.id, id, (int) album, (int) owner.id);
    (void) snprintf(take_it, sizeof take_it,
                    "DELETE FROM asset_tags WHERE asset_id = '%s'; "
                    "DELETE FROM album_assets WHERE asset_id = '%s'",
                    id, id);
    (void) snprintf(trash_it, sizeof trash_it,
                    "UPDATE assets SET deleted_at = now() WHERE asset_id = '%s'", id);
    (void) snprintf(restore_it, sizeof restore_it,
                    "UPDATE assets SET deleted_at = NULL WHERE asset_id = '%s'", id);
    in_turn(give_it, trash_it);
    CHECK_STR(counts_seen(&owner), "raced 1; raced 0");
    in_turn(take_it, restore_it);
    in_turn(give_it, trash_it);
    in_turn(restore_it, take_it);
    CHECK_STR(counts_seen(&owner), "raced 1; raced 0");
    in_turn(trash_it, give_it);
    CHECK_STR(counts_seen(&owner), "raced 1; raced 0");
    in_turn(restore_it, take_it);
    CHECK_STR(counts_seen(&owner), "raced 1; raced 0");
}

static void wrong_counts_are_mended_and_told(void)
{
    PERSON(&lib, owner);
    AUTO(person_done) person other;
    REQUIRE(person_make(&lib, &other, "other_of_mended"));
    char sql[512];
    char got[64];
    char state[6];
    pgc_uuid asset = person_add(&owner, "a");
    pgc_uuid theirs = person_add(&other, "b");
    int32_t album = album_make(&owner, "album");
    (void) give(&owner, asset, "one", LUM_TAG_USER);
    (void) give(&owner, asset, "two", LUM_TAG_USER);
    (void) give(&other, theirs, "one", LUM_TAG_USER);
    put(&owner, album, &asset, 1);
    (void) snprintf(sql, sizeof sql,
                    "UPDATE tag_counts SET assets = assets + 5 WHERE owner_id IN (%d, %d); "
                    "DELETE FROM album_counts WHERE owner_id = %d; "
                    "UPDATE asset_days SET photos = 3 WHERE owner_id = %d",
                    (int) owner.id, (int) other.id, (int) owner.id, (int) owner.id);
    schema_ask(root, sql, got, sizeof got, state);
    CHECK_STR(state, "");
    lum_recounted mended = PGC_ZERO;
    REQUIRE_OK(lum_stats_recount(owner.actor, &mended, &err), &err);
    CHECK_INT(mended.tags, 2);
    CHECK_INT(mended.albums, 1);
    CHECK_INT(mended.days, 1);
    CHECK_STR(counts_seen(&owner), "one 1, two 1; album 1");
    CHECK_STR(counts_seen(&other), "one 6"); /* nobody else's business */
    REQUIRE_OK(lum_stats_recount(owner.actor, &mended, &err), &err);
    CHECK_INT(mended.tags + mended.albums + mended.days, 0);
    REQUIRE_OK(lum_stats_recount(other.actor, &mended, &err), &err);
    CHECK_INT(mended.tags, 1);
    CHECK_EXACT();
}

/* With all that the cases before have left. */
static void the_migration_counts_what_is_there(void)
{
    CHECK_SQL(root, "SELECT sum(assets) > 20 FROM tag_counts", "t");
    REQUIRE(turns_script(root, "down/" MIGRATION));
    REQUIRE(turns_script(root, MIGRATION));
    CHECK_EXACT();
    CHECK_SQL(root, "SELECT sum(assets) > 20 FROM tag_counts", "t");
}

static const tap_case CASES[] = {
    TAP("counts: assets in the trash do not count", assets_in_the_trash_do_not_count),
    TAP("counts: tags that change take theirs along", tags_that_change_take_their_counts_along),
    TAP("counts: shared tags have one for each owner", shared_tags_are_counted_for_each_owner),
    TAP("counts: albums keep theirs in the trash", albums_keep_their_counts_in_the_trash),
    TAP("counts: random batches keep them", random_batches_keep_the_counts),
    TAP("counts: trash and links see each other", trash_and_links_see_each_other),
    TAP("counts: nobody waits for one", nobody_waits_for_a_count),
    TAP("counts: 64 threads leave exact ones", sixty_four_threads_leave_exact_counts),
    TAP("counts: wrong ones are mended and told", wrong_counts_are_mended_and_told),
    TAP("counts: the migration counts what is there", the_migration_counts_what_is_there),
};

LIBRARY_MAIN(lib, root, CASES)
