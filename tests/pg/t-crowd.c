/* 64 threads add the same at once: one row, and everyone gets the same answer. Accounts with a
 * password are t-auth.c's. One library for all cases; each has a user of its own. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "crowd.h"
#include "person.h"
#include "schema.h"
#include "service/album.h"
#include "service/embedding.h"
#include "service/repository.h"
#include "service/tag.h"
#include "tap.h"

#define CROWD 64

static test_library lib;
static pgc_conn *root; /* superuser: counts behind the policies */

/* What all of them add to, and what each was told. */
typedef struct rush {
    const person *owner;
    pgc_uuid asset;
    int32_t album, tag;
    const char *text;
    pgc_status status[CROWD];
    pgc_error err[CROWD];
    char answer[CROWD][PGC_UUID_TEXT_SIZE];
    bool made[CROWD]; /* this one, not another, has added it */
} rush;

static void answer_id(rush *all, size_t number, pgc_uuid id)
{
    pgc_uuid_format(&id, all->answer[number]);
}

static void answer_number(rush *all, size_t number, int64_t value)
{
    (void) snprintf(all->answer[number], sizeof all->answer[number], "%" PRId64, value);
}

/* `maker`: exactly one says that it was him. */
static void run(rush *all, void (*work)(void *arg, size_t number), bool maker)
{
    size_t made = 0;
    for (size_t i = 0; i < CROWD; i++) {
        pgc_error_clear(&all->err[i]);
        all->made[i] = false;
        all->answer[i][0] = '\0';
    }
    crowd_run(CROWD, work, all);
    for (size_t i = 0; i < CROWD; i++) {
        CHECK_STATUS(all->status[i], PGC_OK, &all->err[i]);
        CHECK_STR(all->answer[i], all->answer[0]);
        made += all->made[i] ? 1 : 0;
    }
    CHECK(!maker || made == 1);
}

static repo_create_asset_params same_photo(const rush *all)
{
    repo_create_asset_params row = { .original_filename = SLICE("same.jpg"),
                                     .file_path = SLICE("inbox/same.jpg"),
                                     .file_size = 7,
                                     .file_hash = SLICE("sha256:same"),
                                     .asset_type = SLICE("photo"),
                                     .owner_id = all->owner->id };
    (void) uuid_v7(env_default()->clock, &row.asset_id);
    return row;
}

static void add_asset(void *arg, size_t number)
{
    rush *all = arg;
    bool duplicate = false;
    repo_asset_set set = PGC_ZERO;
    const repo_create_asset_params row = same_photo(all);
    all->status[number] =
        lum_asset_create(all->owner->actor, &row, &set, &duplicate, &all->err[number]);
    if (all->status[number] == PGC_OK) {
        answer_id(all, number, set.rows[0].asset_id);
        all->made[number] = !duplicate;
        repo_asset_set_free(&set);
    }
}

/* Of the owner's rows: "count(*) FROM assets". */
static void check_rows(const person *owner, const char *what, const char *want)
{
    char text[256];
    (void) snprintf(text, sizeof text, "SELECT %s WHERE owner_id = %" PRId32, what, owner->id);
    CHECK_SQL(root, text, want);
}

static void one_file_is_one_asset(void)
{
    PERSON(&lib, owner);
    rush all = { .owner = &owner };
    run(&all, add_asset, true);
    check_rows(&owner, "count(*) FROM assets", "1");
    check_rows(&owner, "sum(photos) FROM asset_days", "1");
}

static void add_tagged(void *arg, size_t number)
{
    rush *all = arg;
    bool duplicate = false;
    repo_asset_set set = PGC_ZERO;
    const repo_create_asset_params row = same_photo(all);
    static const lum_tag_gift GIFTS[] = { { SLICE("beach"), 1 }, { SLICE("anna"), 1 } };
    const lum_tag_gifts gifts = { .gifts = GIFTS, .count = ARRAY_LEN(GIFTS) };
    all->status[number] = lum_asset_create_with_tags(all->owner->session, &row, &gifts, &set,
                                                     &duplicate, &all->err[number]);
    if (all->status[number] == PGC_OK) {
        answer_id(all, number, set.rows[0].asset_id);
        all->made[number] = !duplicate;
        repo_asset_set_free(&set);
    }
}

static void one_file_with_tags_is_one_asset(void)
{
    PERSON(&lib, owner);
    rush all = { .owner = &owner };
    run(&all, add_tagged, true);
    check_rows(&owner, "count(*) FROM assets", "1");
    check_rows(&owner, "count(*) FROM tags", "2");
    check_rows(&owner, "count(*) FROM asset_tags", "2");
}

static void make_tag(void *arg, size_t number)
{
    rush *all = arg;
    int32_t id = 0;
    all->status[number] = lum_tag_create(all->owner->actor, SLICE("rush"), (slice) { NULL, 0 }, &id,
                                         &all->err[number]);
    answer_number(all, number, id);
}

static void give_tag(void *arg, size_t number)
{
    rush *all = arg;
    bool written = false;
    all->status[number] = lum_asset_add_tag(all->owner->actor, all->asset, all->tag, 1,
                                            LUM_TAG_USER, &written, &all->err[number]);
    answer_number(all, number, written);
}

static void give_named_tag(void *arg, size_t number)
{
    rush *all = arg;
    static const lum_tag_gift GIFT = { SLICE("by name"), 0.5 };
    const lum_tag_gifts gifts = { .gifts = &GIFT, .count = 1, .source = LUM_TAG_CLIP };
    repo_tag_asset_row_set set = PGC_ZERO;
    all->status[number] =
        lum_asset_add_tags(all->owner->actor, all->asset, &gifts, &set, &all->err[number]);
    if (all->status[number] == PGC_OK) {
        answer_number(all, number, set.rows[0].given_id);
        repo_tag_asset_row_set_free(&set);
    }
}

static void one_name_is_one_tag(void)
{
    PERSON(&lib, owner);
    rush all = { .owner = &owner, .asset = person_add(&owner, "a") };
    run(&all, make_tag, false);
    check_rows(&owner, "count(*) FROM tags", "1");
    all.tag = (int32_t) strtol(all.answer[0], NULL, 10);
    run(&all, give_tag, false);
    check_rows(&owner, "count(*) FROM asset_tags", "1");
    run(&all, give_named_tag, false);
    check_rows(&owner, "count(*) FROM asset_tags", "2");
    CHECK_SQL(root, "SELECT count(*) FROM tags WHERE name = 'by name'", "1");
}

static void add_entry(void *arg, size_t number)
{
    rush *all = arg;
    int32_t added = -1;
    const lum_place place = { .kind = number % 2 == 0 ? LUM_PLACE_END : LUM_PLACE_INDEX };
    all->status[number] = lum_album_add(all->owner->actor, all->album, (lum_ids) { &all->asset, 1 },
                                        place, &added, &all->err[number]);
    all->made[number] = added == 1;
}

static void add_entry_plainly(void *arg, size_t number)
{
    rush *all = arg;
    all->status[number] =
        lum_album_add_asset(all->owner->actor, all->album, all->asset, &all->err[number]);
}

static void one_member_is_in_an_album_once(void)
{
    PERSON(&lib, owner);
    repo_album_set set = PGC_ZERO;
    const lum_album_new album = { .name = SLICE("rush") };
    rush all = { .owner = &owner, .asset = person_add(&owner, "a") };
    REQUIRE_OK(lum_album_create(owner.actor, &album, &set, &err), &err);
    all.album = set.rows[0].album_id;
    repo_album_set_free(&set);
    run(&all, add_entry, true);
    run(&all, add_entry_plainly, false);
    check_rows(&owner, "count(*) FROM album_assets", "1");
}

static void save_thumbnail(void *arg, size_t number)
{
    rush *all = arg;
    repo_thumbnail_set set = PGC_ZERO;
    const repo_create_thumbnail_params row = { .asset_id = all->asset,
                                               .owner_id = all->owner->id,
                                               .size = SLICE("small"),
                                               .file_path = SLICE("thumbs/a.webp") };
    all->status[number] = lum_thumbnail_create(all->owner->actor, &row, &set, &all->err[number]);
    if (all->status[number] == PGC_OK) {
        answer_number(all, number, set.rows[0].thumbnail_id);
        repo_thumbnail_set_free(&set);
    }
}

static void save_embedding(void *arg, size_t number)
{
    rush *all = arg;
    static const float VECTOR[LUM_EMBEDDING_DIM] = { 0.6F, 0.8F };
    all->status[number] =
        lum_embedding_save(all->owner->actor, all->asset, VECTOR, LUM_EMBEDDING_DIM, NULL,
                           &all->made[number], &all->err[number]);
}

static void one_asset_has_one_of_each(void)
{
    PERSON(&lib, owner);
    rush all = { .owner = &owner, .asset = person_add(&owner, "a") };
    run(&all, save_thumbnail, false);
    check_rows(&owner, "count(*) FROM thumbnails", "1");
    run(&all, save_embedding, true);
    check_rows(&owner, "count(*) FROM embeddings", "1");
}

static void ensure_repository(void *arg, size_t number)
{
    rush *all = arg;
    repo_repository_set set = PGC_ZERO;
    all->status[number] = lum_repository_ensure_default(
        all->owner->actor, env_default(), lum_library_home(lib.library), &set, &all->err[number]);
    if (all->status[number] == PGC_OK) {
        answer_id(all, number, set.rows[0].repo_id);
        repo_repository_set_free(&set);
    }
}

/* One makes it, all others hear that it is taken, in the same words. */
static void create_repository(void *arg, size_t number)
{
    rush *all = arg;
    repo_repository_set set = PGC_ZERO;
    const lum_repository_new repository = { .name = SLICE("rush"), .path = all->text };
    pgc_status status = lum_repository_create(all->owner->actor, env_default(), &repository, &set,
                                              &all->err[number]);
    all->made[number] = status == PGC_OK;
    all->status[number] = status == PGC_CONFLICT ? PGC_OK : status;
    if (status == PGC_CONFLICT) {
        CHECK(person_says(&all->err[number], "is that folder, around it or inside of it"));
    }
    repo_repository_set_free(&set);
}

static void one_folder_is_one_repository(void)
{
    char path[160];
    PERSON(&lib, owner);
    rush all = { .owner = &owner, .text = path };
    run(&all, ensure_repository, false);
    check_rows(&owner, "count(*) FILTER (WHERE is_default) FROM repositories", "1");
    (void) snprintf(path, sizeof path, "%s/rush", lib.folder.path);
    run(&all, create_repository, true);
    check_rows(&owner, "count(*) FROM repositories", "2");
}

static void ensure_user(void *arg, size_t number)
{
    rush *all = arg;
    int32_t id = 0;
    all->status[number] =
        lum_user_ensure(lum_library_pool(lib.library), all->text, &id, &all->err[number]);
    answer_number(all, number, id);
}

static void one_name_is_one_user(void)
{
    rush all = { .text = "rush" };
    run(&all, ensure_user, false);
    CHECK_SQL(root, "SELECT count(*) FROM users WHERE username = 'rush'", "1");
}

static void add_model(void *arg, size_t number)
{
    rush *all = arg;
    all->status[number] =
        lum_model_add(lib.library, all->text, &all->made[number], &all->err[number]);
}

static void one_name_is_one_model(void)
{
    rush all = { .text = "rush" };
    run(&all, add_model, true);
    CHECK_SQL(root, "SELECT count(*) FROM embedding_models WHERE name = 'rush'", "1");
}

static const tap_case CASES[] = {
    TAP("crowd: one file is one asset", one_file_is_one_asset),
    TAP("crowd: one file with tags is one asset", one_file_with_tags_is_one_asset),
    TAP("crowd: one name is one tag, given once", one_name_is_one_tag),
    TAP("crowd: one member is in an album once", one_member_is_in_an_album_once),
    TAP("crowd: one asset has one thumbnail of a size and one vector", one_asset_has_one_of_each),
    TAP("crowd: one folder is one repository", one_folder_is_one_repository),
    TAP("crowd: one name is one user", one_name_is_one_user),
    TAP("crowd: one name is one model", one_name_is_one_model),
};

LIBRARY_MAIN(lib, root, CASES)
