/* Bad input to tags, repositories, accounts, sessions and models. */
#ifndef TEST_BAD_ACCOUNTS_H
#define TEST_BAD_ACCOUNTS_H

#include <lumilio/status.h>

#include "bad_albums.h"
#include "service/auth.h"
#include "service/repository.h"
#include "service/user.h"
#include "tmpdir.h"

static struct {
    tmpdir folder;
    char key_file[PATH_MAX];
    char new_folder[PATH_MAX];
    pgc_pool *pool;
    lum_auth *auth;
    lum_tokens tokens;
} bad_auth;

static const lum_client BAD_HERE;

/* One byte is a die, which is thrown for work that is done now and then: here it always shows 0, so
 * that every call does all that it ever does. */
static inline bool bad_random(void *ctx, void *bytes, size_t count)
{
    (void) ctx;
    if (count == 1) {
        memset(bytes, 0, count);
        return true;
    }
    return clock_os()->random(clock_os()->ctx, bytes, count);
}

/* Ours with that die. */
static inline const env *bad_env(void)
{
    static clock_ops clock;
    static env made;
    clock = *clock_os();
    clock.random = bad_random;
    made = *env_default();
    made.clock = &clock;
    return &made;
}

static inline bool bad_auth_open(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    bad_auth.folder = tmpdir_make();
    (void) snprintf(bad_auth.key_file, sizeof bad_auth.key_file, "%s/keys", bad_auth.folder.path);
    (void) snprintf(bad_auth.new_folder, sizeof bad_auth.new_folder, "%s/new",
                    bad_auth.folder.path);
    const pgc_pool_options pool = {
        .struct_size = sizeof pool,
        .conn = { .struct_size = sizeof pool.conn, .conninfo = bad.url, .role = "lumilio_auth" },
        .max_conns = 2,
        .min_conns = 1
    };
    if (!CHECK_STATUS(pgc_pool_open(&pool, &bad_auth.pool, &err), PGC_OK, &err)) {
        return false;
    }
    const lum_auth_options options = { .pool = bad_auth.pool,
                                       .key_file = bad_auth.key_file,
                                       .env = bad_env(),
                                       .cost = 4,
                                       .by_account = { .burst = 1000, .interval_us = 1 } };
    const lum_registration cat = { .username = SLICE("cat"),
                                   .email = SLICE("cat@x"),
                                   .password = SLICE("nine lives at least") };
    int32_t user_id = 0;
    return CHECK_STATUS(lum_auth_open(&options, &bad_auth.auth, &err), PGC_OK, &err) &&
           CHECK_STATUS(lum_auth_register(bad_auth.auth, &cat, &BAD_HERE, &user_id, &err), PGC_OK,
                        &err) &&
           CHECK_STATUS(lum_auth_login(bad_auth.auth, cat.username, cat.password, &BAD_HERE,
                                       &bad_auth.tokens, NULL, &err),
                        PGC_OK, &err);
}

static inline void bad_auth_close(void)
{
    lum_auth_close(bad_auth.auth);
    if (bad_auth.pool != NULL) {
        pgc_pool_close(bad_auth.pool);
    }
    tmpdir_remove(&bad_auth.folder);
}

BAD_PLAIN(bad_tag_create, lum_tag_create(bad.ann, value->text, (slice) { NULL, 0 }, &bad_int, err))
BAD_PLAIN(bad_tag_create_category,
          lum_tag_create(bad.ann, SLICE("new"), value->text, &bad_int, err))
BAD_SET(bad_tag_get, repo_get_tag_row_set, lum_tag_get(bad.ann, value->number, &out, err))
BAD_PLAIN(bad_tag_find, lum_tag_find(bad.ann, value->text, &bad_int, err))
#define BAD_TAG_LIST(...) lum_tag_list(bad.ann, &(lum_tag_page) { __VA_ARGS__ }, &out, err)
BAD_SET(bad_tag_list, repo_list_tags_row_set, BAD_TAG_LIST(.limit = value->number))
BAD_SET(bad_tag_list_after, repo_list_tags_row_set,
        BAD_TAG_LIST(.limit = 5, .after_name = value->text))
BAD_SET(bad_tag_list_category, repo_list_tags_row_set,
        BAD_TAG_LIST(.limit = 5, .category = value->text))
BAD_SET(bad_tag_list_part, repo_list_tags_row_set, BAD_TAG_LIST(.limit = 5, .part = value->text))
BAD_SET(bad_tag_of_assets, repo_list_tags_of_assets_row_set,
        lum_tag_list_of_assets(bad.ann, BAD_MANY_IDS, (size_t) value->number, &out, err))
BAD_SET(bad_tag_of_asset, repo_list_tags_of_assets_row_set,
        lum_tag_list_of_assets(bad.ann, &value->uuid, 1, &out, err))
BAD_PLAIN(bad_tag_rename, lum_tag_rename(bad.ann, value->number, SLICE("y"), err))
BAD_PLAIN(bad_tag_rename_name, lum_tag_rename(bad.ann, bad.own_tag, value->text, err))
BAD_PLAIN(bad_tag_category, lum_tag_set_category(bad.ann, value->number, SLICE("y"), err))
BAD_PLAIN(bad_tag_category_name, lum_tag_set_category(bad.ann, bad.own_tag, value->text, err))
BAD_PLAIN(bad_tag_merge_source,
          lum_tag_merge(bad.ann, &value->number, 1, bad.own_tag, &bad_long, err))
BAD_PLAIN(bad_tag_merge_target,
          lum_tag_merge(bad.ann, &bad.own_tag, 1, value->number, &bad_long, err))
BAD_PLAIN(bad_tag_merge_count, lum_tag_merge(bad.ann, BAD_MANY_TAGS, (size_t) value->number,
                                             bad.own_tag, &bad_long, err))
BAD_PLAIN(bad_tag_delete, lum_tag_delete(bad.ann, value->number, &bad_long, err))
BAD_PLAIN(bad_tag_uses, lum_tag_count_uses(bad.ann, &value->number, 1, &bad_long, err))
BAD_PLAIN(bad_tag_uses_count,
          lum_tag_count_uses(bad.ann, BAD_MANY_TAGS, (size_t) value->number, &bad_long, err))
BAD_PLAIN(bad_add_tag,
          lum_asset_add_tag(bad.ann, value->uuid, bad.own_tag, 1, LUM_TAG_USER, NULL, err))
BAD_PLAIN(bad_add_tag_which,
          lum_asset_add_tag(bad.ann, bad.own_asset, value->number, 1, LUM_TAG_USER, NULL, err))
BAD_PLAIN(bad_add_tag_part, lum_asset_add_tag(bad.ann, bad.own_asset, bad.own_tag, value->real,
                                              LUM_TAG_USER, NULL, err))
BAD_PLAIN(bad_add_tag_source, lum_asset_add_tag(bad.ann, bad.own_asset, bad.own_tag, 1,
                                                (lum_tag_source) value->number, NULL, err))
BAD_PLAIN(bad_remove_tag, lum_asset_remove_tag(bad.ann, value->uuid, bad.own_tag, err))
BAD_PLAIN(bad_remove_tag_which, lum_asset_remove_tag(bad.ann, bad.own_asset, value->number, err))

static const lum_tag_gift BAD_GIFT = { SLICE("gift"), 1 };
#define BAD_GIFTS(...)    (&(lum_tag_gifts) { __VA_ARGS__ })
#define BAD_GIVE(id, ...) lum_asset_add_tags(bad.ann, id, BAD_GIFTS(__VA_ARGS__), &out, err)
BAD_SET(bad_add_tags, repo_tag_asset_row_set, BAD_GIVE(value->uuid, .gifts = &BAD_GIFT, .count = 1))
BAD_SET(bad_add_tags_count, repo_tag_asset_row_set,
        BAD_GIVE(bad.own_asset, .gifts = &BAD_GIFT, .count = (size_t) value->number))
BAD_SET(bad_add_tags_name, repo_tag_asset_row_set,
        BAD_GIVE(bad.own_asset, .gifts = &(lum_tag_gift) { value->text, 1 }, .count = 1))
BAD_SET(bad_add_tags_part, repo_tag_asset_row_set,
        BAD_GIVE(bad.own_asset, .gifts = &(lum_tag_gift) { SLICE("g"), value->real }, .count = 1))
BAD_SET(bad_add_tags_source, repo_tag_asset_row_set,
        BAD_GIVE(bad.own_asset, .gifts = &BAD_GIFT, .count = 1,
                 .source = (lum_tag_source) value->number))

static pgc_status bad_with_tags(repo_create_asset_params row, lum_tag_gift gift, pgc_error *err)
{
    repo_asset_set out = PGC_ZERO;
    bool duplicate = false;
    pgc_status status = lum_asset_create_with_tags(
        bad.session, &row, BAD_GIFTS(.gifts = &gift, .count = 1), &out, &duplicate, err);
    bad_keep(out.count, out.result);
    repo_asset_set_free(&out);
    return status;
}
BAD_PLAIN(bad_with_tags_name, bad_with_tags(bad_photo(), (lum_tag_gift) { value->text, 1 }, err))
BAD_PLAIN(bad_with_tags_part,
          bad_with_tags(bad_photo(), (lum_tag_gift) { SLICE("g"), value->real }, err))
static pgc_status bad_with_tags_type(const bad_value *value, pgc_error *err)
{
    repo_create_asset_params row = bad_photo();
    row.asset_type = value->text;
    return bad_with_tags(row, BAD_GIFT, err);
}

static pgc_status bad_source_parse(const bad_value *value, pgc_error *err)
{
    lum_tag_source source;
    return lum_tag_source_parse(bad_string(value), &source, err);
}

static pgc_status bad_strategy_parse(const bad_value *value, pgc_error *err)
{
    lum_strategy strategy;
    return lum_strategy_parse(bad_string(value), &strategy, err);
}

static char bad_clean[LUM_REPOSITORY_PATH_MAX];
BAD_PLAIN(bad_repository_path,
          lum_repository_check_path(env_default(), bad_string(value), bad_clean, err))
#define BAD_REPOSITORY_CREATE(...) \
    lum_repository_create(bad.ann, env_default(), &(lum_repository_new) { __VA_ARGS__ }, &out, err)
BAD_SET(bad_repository_create_name, repo_repository_set,
        BAD_REPOSITORY_CREATE(.name = value->text, .path = bad_auth.new_folder))
BAD_SET(bad_repository_create_path, repo_repository_set,
        BAD_REPOSITORY_CREATE(.name = SLICE("n"), .path = bad_string(value)))
BAD_SET(bad_repository_create_strategy, repo_repository_set,
        BAD_REPOSITORY_CREATE(.name = SLICE("n"), .path = bad_auth.new_folder,
                              .strategy = (lum_strategy) value->number))
BAD_SET(bad_repository_get, repo_repository_set,
        lum_repository_get(bad.ann, value->uuid, &out, err))
BAD_PLAIN(bad_repository_update, lum_repository_update(bad.ann, value->uuid, SLICE("y"), NULL, err))
BAD_PLAIN(bad_repository_update_name,
          lum_repository_update(bad.ann, bad.own_repository, value->text, NULL, err))
BAD_PLAIN(bad_repository_update_strategy,
          lum_repository_update(bad.ann, bad.own_repository, (slice) { NULL, 0 },
                                &(lum_strategy) { (lum_strategy) value->number }, err))
BAD_PLAIN(bad_repository_default, lum_repository_set_default(bad.ann, value->uuid, err))
BAD_PLAIN(bad_repository_move_path,
          lum_repository_move(bad.ann, env_default(), bad.own_repository, bad_string(value), err))
BAD_PLAIN(bad_repository_delete, lum_repository_delete(bad.ann, value->uuid, err))

BAD_PLAIN(bad_user_check, lum_user_check_name(bad_string(value), err))
BAD_PLAIN(bad_user_ensure, lum_user_ensure(bad.pool, bad_string(value), &bad_int, err))
BAD_PLAIN(bad_user_find, lum_user_find(bad.pool, bad_string(value), &bad_int, err))

#define BAD_REGISTER(...) \
    lum_auth_register(bad_auth.auth, &(lum_registration) { __VA_ARGS__ }, &BAD_HERE, &bad_int, err)
BAD_PLAIN(bad_register_name, BAD_REGISTER(.username = value->text, .email = SLICE("d@x"),
                                          .password = SLICE("long enough, surely")))
BAD_PLAIN(bad_register_email, BAD_REGISTER(.username = SLICE("dog"), .email = value->text,
                                           .password = SLICE("long enough, surely")))
BAD_PLAIN(bad_register_full,
          BAD_REGISTER(.username = SLICE("dog"), .email = SLICE("d@x"), .full_name = value->text,
                       .password = SLICE("long enough, surely")))
BAD_PLAIN(bad_register_password,
          BAD_REGISTER(.username = SLICE("dog"), .email = SLICE("d@x"), .password = value->text))
static lum_tokens bad_tokens;
static lum_identity bad_identity;
BAD_PLAIN(bad_login_name, lum_auth_login(bad_auth.auth, value->text, SLICE("long enough, surely"),
                                         &BAD_HERE, &bad_tokens, NULL, err))
BAD_PLAIN(bad_login_password, lum_auth_login(bad_auth.auth, SLICE("cat"), value->text, &BAD_HERE,
                                             &bad_tokens, NULL, err))
BAD_PLAIN(bad_token, lum_auth_validate_token(bad_auth.auth, value->text, &bad_identity, err))
BAD_PLAIN(bad_refresh, lum_auth_refresh(bad_auth.auth, value->text, &BAD_HERE, &bad_tokens, err))
BAD_SET(bad_auth_user, repo_public_user_set,
        lum_auth_get_user(bad_auth.auth, value->number, &out, err))
BAD_SET(bad_auth_list, repo_auth_list_users_row_set,
        lum_auth_list_users(bad_auth.auth, SLICE(""), value->number, &out, err))
BAD_SET(bad_auth_list_after, repo_auth_list_users_row_set,
        lum_auth_list_users(bad_auth.auth, value->text, 5, &out, err))
BAD_SET(bad_auth_sessions, repo_auth_list_sessions_row_set,
        lum_auth_list_sessions(bad_auth.auth, value->number, &out, err))
static pgc_status bad_auth_end_all(const bad_value *value, pgc_error *err)
{
    int64_t count = 0;
    pgc_status status = lum_auth_end_sessions(bad_auth.auth, value->number, NULL, &count, err);
    bad.rows = (size_t) count;
    return status;
}
BAD_PLAIN(bad_auth_end,
          lum_auth_end_session(bad_auth.auth, bad_auth.tokens.user_id, value->uuid, err))
BAD_PLAIN(bad_auth_password_user,
          lum_auth_set_password(bad_auth.auth, value->number, (slice) { NULL, 0 },
                                SLICE("another long one"), NULL, err))
BAD_PLAIN(bad_auth_password_new, lum_auth_set_password(bad_auth.auth, bad_auth.tokens.user_id,
                                                       (slice) { NULL, 0 }, value->text, NULL, err))
BAD_PLAIN(bad_auth_password_current,
          lum_auth_set_password(bad_auth.auth, bad_auth.tokens.user_id, value->text,
                                SLICE("another long one"), NULL, err))

static const bad_row BAD_TAGS[] = {
    { "lum_tag_create", BAD_NAME, "tag name", bad_tag_create, 0, 0 },
    { "lum_tag_create", BAD_NAME, "tag category", bad_tag_create_category, 0, 0 },
    { "lum_tag_get", BAD_TAG, "there is no such tag", bad_tag_get, 0, 0 },
    { "lum_tag_find", BAD_NAME, "tag name", bad_tag_find, 0, 0 },
    { "lum_tag_list", BAD_LIMIT, "rows", bad_tag_list, 0, 0 },
    { "lum_tag_list", BAD_TEXT, "name", bad_tag_list_after, 0, 0 },
    { "lum_tag_list", BAD_TEXT, "category", bad_tag_list_category, 0, 0 },
    { "lum_tag_list", BAD_TEXT, "part of a name", bad_tag_list_part, 0, 0 },
    { "lum_tag_list_of_assets", BAD_COUNT, "1 to 1000", bad_tag_of_assets, 0, 0 },
    { "lum_tag_list_of_assets", BAD_ASSET, "", bad_tag_of_asset, 0, BAD_EMPTY },
    { "lum_tag_rename", BAD_TAG, "tag", bad_tag_rename, 0, 0 },
    { "lum_tag_rename", BAD_NAME, "tag name", bad_tag_rename_name, 0, 0 },
    { "lum_tag_set_category", BAD_TAG, "tag", bad_tag_category, 0, 0 },
    { "lum_tag_set_category", BAD_NAME, "tag category", bad_tag_category_name, 0, 0 },
    { "lum_tag_merge", BAD_TAG, "tag", bad_tag_merge_source, 0, 0 },
    { "lum_tag_merge", BAD_TAG, "tag", bad_tag_merge_target, 0, 0 },
    { "lum_tag_merge", BAD_COUNT, "1 to 200", bad_tag_merge_count, 0, 0 },
    { "lum_tag_delete", BAD_TAG, "tag", bad_tag_delete, 0, 0 },
    { "lum_tag_count_uses", BAD_TAG, "tag", bad_tag_uses, 0, 0 },
    { "lum_tag_count_uses", BAD_COUNT, "1 to 200", bad_tag_uses_count, 0, 0 },
    { "lum_asset_add_tag", BAD_ASSET, "asset", bad_add_tag, 0, 0 },
    { "lum_asset_add_tag", BAD_TAG, "there is no tag", bad_add_tag_which, 0, 0 },
    { "lum_asset_add_tag", BAD_PART, "confidence", bad_add_tag_part, 0, 0 },
    { "lum_asset_add_tag", BAD_ENUM, "tag source", bad_add_tag_source, 0, 0 },
    { "lum_asset_remove_tag", BAD_ASSET, "it has no tag", bad_remove_tag, 0, 0 },
    { "lum_asset_remove_tag", BAD_TAG, "it has no tag", bad_remove_tag_which, 0, 0 },
    { "lum_asset_add_tags", BAD_ASSET, "asset", bad_add_tags, 0, 0 },
    { "lum_asset_add_tags", BAD_COUNT, "1 to 200", bad_add_tags_count, 0, 0 },
    { "lum_asset_add_tags", BAD_NAME, "tag name", bad_add_tags_name, 0, 0 },
    { "lum_asset_add_tags", BAD_PART, "confidence", bad_add_tags_part, 0, 0 },
    { "lum_asset_add_tags", BAD_ENUM, "tag source", bad_add_tags_source, 0, 0 },
    { "lum_asset_create_with_tags", BAD_NAME, "tag name", bad_with_tags_name, 0, 0 },
    { "lum_asset_create_with_tags", BAD_PART, "confidence", bad_with_tags_part, 0, 0 },
    { "lum_asset_create_with_tags", BAD_WORD, "photo, video or audio", bad_with_tags_type, 0, 0 },
    { "lum_tag_source_parse", BAD_WORD, "user, clip or smart", bad_source_parse, 0, BAD_STRING },
};

static const bad_row BAD_ACCOUNTS[] = {
    { "lum_strategy_parse", BAD_WORD, "date, flat or cas", bad_strategy_parse, 0, BAD_STRING },
    { "lum_repository_check_path", BAD_WORD, "repository folder", bad_repository_path, 0,
      BAD_STRING },
    { "lum_repository_create", BAD_NAME, "repository name", bad_repository_create_name, 0, 0 },
    { "lum_repository_create", BAD_WORD, "repository folder", bad_repository_create_path, 0,
      BAD_STRING },
    { "lum_repository_create", BAD_ENUM, "storage strategy", bad_repository_create_strategy, 0, 0 },
    { "lum_repository_get", BAD_REPOSITORY, "no such repository", bad_repository_get, 0, 0 },
    { "lum_repository_update", BAD_REPOSITORY, "no such repository", bad_repository_update, 0, 0 },
    { "lum_repository_update", BAD_NAME, "repository name", bad_repository_update_name, 0, 0 },
    { "lum_repository_update", BAD_ENUM, "storage strategy", bad_repository_update_strategy, 0, 0 },
    { "lum_repository_set_default", BAD_REPOSITORY, "repository", bad_repository_default, 0, 0 },
    { "lum_repository_move", BAD_WORD, "repository folder", bad_repository_move_path, 0,
      BAD_STRING },
    { "lum_repository_delete", BAD_REPOSITORY, "repository", bad_repository_delete, 0, 0 },
    { "lum_user_check_name", BAD_NAME, "user name", bad_user_check, 0, BAD_STRING },
    { "lum_user_ensure", BAD_NAME, "user name", bad_user_ensure, 0, BAD_STRING },
    { "lum_user_find", BAD_NAME, "user name", bad_user_find, 0, BAD_STRING },
    { "lum_auth_register", BAD_NAME, "user name", bad_register_name, 0, 0 },
    { "lum_auth_register", BAD_NAME, "e-mail address", bad_register_email, 0, 0 },
    { "lum_auth_register", BAD_TEXT, "full name", bad_register_full, 0, 0 },
    { "lum_auth_register", BAD_NAME, "password", bad_register_password, 0, 0 },
    { "lum_auth_login", BAD_FILE, "", bad_login_name, 0, 0 },
    { "lum_auth_login", BAD_FILE, "password", bad_login_password, 0, 0 },
    { "lum_auth_validate_token", BAD_WORD, "token", bad_token, LUM_TOKEN_INVALID, 0 },
    { "lum_auth_refresh", BAD_WORD, "token", bad_refresh, LUM_TOKEN_INVALID, 0 },
    { "lum_auth_get_user", BAD_USER, "user", bad_auth_user, 0, 0 },
    { "lum_auth_list_users", BAD_LIMIT, "1 to", bad_auth_list, 0, 0 },
    { "lum_auth_list_users", BAD_TEXT, "user name", bad_auth_list_after, 0, 0 },
    { "lum_auth_list_sessions", BAD_USER, "", bad_auth_sessions, 0, BAD_EMPTY },
    { "lum_auth_end_sessions", BAD_USER, "", bad_auth_end_all, 0, BAD_EMPTY },
    { "lum_auth_end_session", BAD_SESSION, "session", bad_auth_end, 0, 0 },
    { "lum_auth_set_password", BAD_USER, "user", bad_auth_password_user, 0, 0 },
    { "lum_auth_set_password", BAD_NAME, "password", bad_auth_password_new, 0, 0 },
    { "lum_auth_set_password", BAD_FILE, "password", bad_auth_password_current, 0, 0 },
};

#endif
