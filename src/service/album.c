/* The album service: checks what the database cannot say clearly, then one typed query. Who may
 * change an album, and in which order, is decided by functions of the database (013_albums.sql), in
 * one round trip and under one lock. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/album.h"

#include "service/check.h"

/* "delete album 7: …". No row is said the same way everywhere; what our functions in the database
 * raise is said there. */
static pgc_status about_album(pgc_status status, int32_t album_id, const char *what, pgc_error *err)
{
    if (status == PGC_NOT_FOUND && (err == NULL || err->sqlstate[0] == '\0')) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such album");
    }
    return pgc_error_wrap(err, status, "%s album %" PRId32, what, album_id);
}

/* An UPDATE that must have found its row. */
static pgc_status one_row(pgc_status status, int64_t affected, int32_t album_id, const char *what,
                          pgc_error *err)
{
    assert(affected <= 1);
    return about_album(status == PGC_OK && affected == 0 ? PGC_NOT_FOUND : status, album_id, what,
                       err);
}

static pgc_status name_check(slice name, pgc_error *err)
{
    return check_name("album name", name, LUM_ALBUM_NAME_MAX, err);
}

static pgc_status description_check(slice description, pgc_error *err)
{
    return check_text("album description", description, LUM_ALBUM_DESCRIPTION_MAX, err);
}

/* Stored as it was given; what it means is decided each time it is read. */
static pgc_status filter_check(slice filter, pgc_error *err)
{
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    return pgc_error_wrap(err, lum_filter_parse(filter, &doc, err), "filter of a smart album");
}

/* The table has a CHECK as well; here the message can say why. */
static pgc_status smart_public(pgc_error *err)
{
    return pgc_error_set(err, PGC_INVALID,
                         "a smart album cannot be public: nobody has looked through what its "
                         "filter finds tomorrow");
}

pgc_status lum_album_create(lum_actor actor, const lum_album_new *album, repo_album_set *out,
                            pgc_error *err)
{
    TRY(name_check(album->name, err));
    TRY(description_check(album->description, err));
    if (album->filter.ptr != NULL) {
        TRY(filter_check(album->filter, err));
        if (album->is_public) {
            return smart_public(err);
        }
    }
    const repo_create_album_params params = { .name = album->name,
                                              .description = album->description,
                                              .owner_id = actor.user_id,
                                              .is_public = album->is_public,
                                              .filter = album->filter };
    return pgc_error_wrap(err, repo_create_album(actor.db, &params, out, err),
                          "create album \"%" SLICE_FMT "\"", SLICE_ARG(album->name));
}

pgc_status lum_album_get(lum_actor actor, int32_t album_id, repo_album_set *out, pgc_error *err)
{
    return about_album(repo_get_album(actor.db, album_id, out, err), album_id, "get", err);
}

/* 0 means the newest, for a zeroed page. */
static pgc_status page_check(lum_album_page page, const char *what, int32_t *before, pgc_error *err)
{
    TRY(check_limit(what, page.limit, err));
    if (page.before_album_id < 0) {
        return pgc_error_set(err, PGC_INVALID, "%s: before album %" PRId32 ": from 0 on", what,
                             page.before_album_id);
    }
    *before = page.before_album_id == 0 ? INT32_MAX : page.before_album_id;
    return PGC_OK;
}

pgc_status lum_album_list(lum_actor actor, lum_album_page page, repo_list_albums_row_set *out,
                          pgc_error *err)
{
    repo_list_albums_params params = { .owner_id = actor.user_id, .row_limit = page.limit };
    TRY(page_check(page, "list albums", &params.before_album_id, err));
    params.which = page.trash ? REPO_LIST_ALBUMS_WHICH_TRASH : REPO_LIST_ALBUMS_WHICH_KEPT;
    return pgc_error_wrap(err, repo_list_albums(actor.db, &params, out, err), "list albums");
}

pgc_status lum_album_list_of_asset(lum_actor actor, pgc_uuid asset_id, repo_album_set *out,
                                   pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    return pgc_error_wrap(err, repo_list_albums_of_asset(actor.db, asset_id, out, err),
                          "list albums of asset %s", id);
}

/* Looked up before it is set. Should the member be removed in between, the album shows its first
 * one, as it does for every cover that has gone. */
static pgc_status cover_check(lum_actor actor, const repo_update_album_params *change,
                              pgc_error *err)
{
    bool fit = false;
    char id[PGC_UUID_TEXT_SIZE];
    const repo_is_cover_fit_params params = { .album_id = change->album_id,
                                              .asset_id = change->cover_asset_id.v };
    TRY(repo_is_cover_fit(actor.db, &params, &fit, err));
    if (!fit) {
        pgc_uuid_format(&change->cover_asset_id.v, id);
        return pgc_error_set(err, PGC_NOT_FOUND, "asset %s, the cover, is not in it", id);
    }
    return PGC_OK;
}

static pgc_status change_check(lum_actor actor, const repo_update_album_params *change,
                               pgc_error *err)
{
    if (change->set_name) {
        TRY(name_check(change->name, err));
    }
    if (change->set_description) {
        TRY(description_check(change->description, err));
    }
    if (change->set_is_public && !change->is_public.has) {
        return pgc_error_set(err, PGC_INVALID, "public or not: neither is given");
    }
    if (change->set_cover_asset_id && change->cover_asset_id.has) {
        TRY(cover_check(actor, change, err));
    }
    return PGC_OK;
}

pgc_status lum_album_update(lum_actor actor, const repo_update_album_params *change,
                            repo_album_set *out, pgc_error *err)
{
    pgc_status status = change_check(actor, change, err);
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "update album %" PRId32, change->album_id);
    }
    status = repo_update_album(actor.db, change, out, err);
    if (status == PGC_INVALID && err != NULL &&
        strcmp(err->constraint, "albums_filter_check") == 0) {
        status = smart_public(err);
    }
    return about_album(status, change->album_id, "update", err);
}

pgc_status lum_album_set_filter(lum_actor actor, int32_t album_id, pgc_text filter, pgc_error *err)
{
    int64_t affected = 0;
    const repo_update_album_filter_params params = { .filter = filter, .album_id = album_id };
    pgc_status status = filter_check(filter, err);
    if (status == PGC_OK) {
        status = repo_update_album_filter(actor.db, &params, &affected, err);
    }
    if (status == PGC_OK && affected == 0) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such smart album");
    }
    return pgc_error_wrap(err, status, "set filter of album %" PRId32, album_id);
}

/* The total of a list goes to where lists of albums show it. */
static pgc_status found_keep(lum_actor actor, const repo_album *album, int64_t total,
                             pgc_error *err)
{
    assert(total >= 0);
    int64_t affected = 0; /* 0: it has another filter meanwhile, or is gone */
    const repo_keep_found_count_params params = { .found_count = total,
                                                  .album_id = album->album_id,
                                                  .filter = album->filter };
    return repo_keep_found_count(actor.db, &params, &affected, err);
}

static pgc_status filter_list(lum_actor actor, const repo_album *album, const lum_list *list,
                              lum_asset_page *out, pgc_error *err)
{
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    if (album->filter.ptr == NULL) {
        return pgc_error_set(err, PGC_INVALID, "it has members of its own and no filter");
    }
    TRY(lum_filter_parse(album->filter, &doc, err));
    lum_list filtered = *list;
    filtered.filter = lum_filter_doc_get(doc);
    lum_asset_page page = { .total = -1 };
    TRY(lum_asset_filter(actor, &filtered, &page, err));
    pgc_status status = list->want_total ? found_keep(actor, album, page.total, err) : PGC_OK;
    if (status != PGC_OK) {
        lum_asset_page_free(&page);
        return status;
    }
    *out = page;
    return PGC_OK;
}

pgc_status lum_album_list_smart(lum_actor actor, int32_t album_id, const lum_list *list,
                                lum_asset_page *out, pgc_error *err)
{
    repo_album_set set = PGC_ZERO;
    pgc_status status = repo_get_album(actor.db, album_id, &set, err);
    if (status != PGC_OK) {
        return about_album(status, album_id, "list", err);
    }
    status = filter_list(actor, &set.rows[0], list, out, err);
    repo_album_set_free(&set);
    return pgc_error_wrap(err, status, "list album %" PRId32, album_id);
}

pgc_status lum_album_delete(lum_actor actor, int32_t album_id, pgc_error *err)
{
    int64_t affected = 0;
    pgc_status status = repo_delete_album(actor.db, album_id, &affected, err);
    return one_row(status, affected, album_id, "delete", err);
}

pgc_status lum_album_restore(lum_actor actor, int32_t album_id, pgc_error *err)
{
    int64_t affected = 0;
    pgc_status status = repo_restore_album(actor.db, album_id, &affected, err);
    return one_row(status, affected, album_id, "restore", err);
}

/* Only from the trash: nothing goes for good in one step. */
pgc_status lum_album_purge(lum_actor actor, int32_t album_id, pgc_error *err)
{
    int64_t affected = 0;
    pgc_status status = repo_purge_album(actor.db, album_id, &affected, err);
    if (status == PGC_OK && affected == 0) {
        return pgc_error_set(err, PGC_NOT_FOUND, "purge album %" PRId32 ": not in the trash",
                             album_id);
    }
    return about_album(status, album_id, "purge", err);
}

/* The place as the functions of the database take it: an index, a member, or neither for the
 * end. */
static pgc_status place_check(lum_place place, repo_add_album_assets_params *params, pgc_error *err)
{
    switch (place.kind) {
    case LUM_PLACE_END:
        return PGC_OK;
    case LUM_PLACE_INDEX:
        if (place.index < 0) {
            return pgc_error_set(err, PGC_INVALID, "place %" PRId64 ": from 0 on", place.index);
        }
        params->place_index = (pgc_opt_i64) { true, place.index };
        return PGC_OK;
    case LUM_PLACE_BEHIND:
        params->behind_asset_id = (pgc_opt_uuid) { true, place.asset_id };
        return PGC_OK;
    }
    return pgc_error_set(err, PGC_INVALID, "place of kind %d: there is none", (int) place.kind);
}

static pgc_arr_uuid ids_array(lum_ids assets)
{
    return (pgc_arr_uuid) { .has = true, .count = assets.count, .v = assets.ids };
}

static pgc_status add_checked(lum_actor actor, int32_t album_id, lum_ids assets, lum_place place,
                              int32_t *added, pgc_error *err)
{
    repo_add_album_assets_params params = { .album_id = album_id, .asset_ids = ids_array(assets) };
    TRY(check_count("assets", assets.count, CHECK_IDS_MAX, err));
    TRY(place_check(place, &params, err));
    return repo_add_album_assets(actor.db, &params, added, err);
}

pgc_status lum_album_add(lum_actor actor, int32_t album_id, lum_ids assets, lum_place place,
                         int32_t *added, pgc_error *err)
{
    return about_album(add_checked(actor, album_id, assets, place, added, err), album_id, "add to",
                       err);
}

pgc_status lum_album_add_asset(lum_actor actor, int32_t album_id, pgc_uuid asset_id, pgc_error *err)
{
    int32_t added = 0;
    return lum_album_add(actor, album_id, (lum_ids) { &asset_id, 1 },
                         (lum_place) { .kind = LUM_PLACE_END }, &added, err);
}

static pgc_status move_checked(lum_actor actor, int32_t album_id, lum_ids assets, lum_place place,
                               pgc_error *err)
{
    int32_t moved = 0;
    repo_add_album_assets_params where = PGC_ZERO;
    TRY(check_count("assets", assets.count, CHECK_IDS_MAX, err));
    TRY(place_check(place, &where, err));
    const repo_move_album_assets_params params = { .album_id = album_id,
                                                   .asset_ids = ids_array(assets),
                                                   .place_index = where.place_index,
                                                   .behind_asset_id = where.behind_asset_id };
    return repo_move_album_assets(actor.db, &params, &moved, err);
}

pgc_status lum_album_move(lum_actor actor, int32_t album_id, lum_ids assets, lum_place place,
                          pgc_error *err)
{
    return about_album(move_checked(actor, album_id, assets, place, err), album_id, "move in", err);
}

pgc_status lum_album_reorder(lum_actor actor, int32_t album_id, lum_ids assets, int32_t *changed,
                             pgc_error *err)
{
    const repo_reorder_album_assets_params params = { .album_id = album_id,
                                                      .asset_ids = ids_array(assets) };
    pgc_status status = check_count("assets", assets.count, CHECK_IDS_MAX, err);
    if (status == PGC_OK) {
        status = repo_reorder_album_assets(actor.db, &params, changed, err);
    }
    return about_album(status, album_id, "reorder", err);
}

pgc_status lum_album_remove(lum_actor actor, int32_t album_id, lum_ids assets, pgc_error *err)
{
    int32_t removed = 0;
    const repo_remove_album_assets_params params = { .album_id = album_id,
                                                     .asset_ids = ids_array(assets) };
    pgc_status status = check_count("assets", assets.count, CHECK_IDS_MAX, err);
    if (status == PGC_OK) {
        status = repo_remove_album_assets(actor.db, &params, &removed, err);
    }
    return about_album(status, album_id, "remove from", err);
}

/* The front is below every position and every id. */
static lum_album_cursor cursor_start(lum_album_cursor after)
{
    return after.set ? after : (lum_album_cursor) { .position = INT64_MIN };
}

pgc_status lum_album_list_assets(lum_actor actor, int32_t album_id, lum_album_cursor after,
                                 int32_t limit, repo_list_album_assets_row_set *out, pgc_error *err)
{
    TRY(check_limit("list assets of an album", limit, err));
    after = cursor_start(after);
    repo_list_album_assets_row_set set = PGC_ZERO;
    const repo_list_album_assets_params params = { .album_id = album_id,
                                                   .after_position = after.position,
                                                   .after_asset_id = after.asset_id,
                                                   .row_limit = limit };
    pgc_status status = repo_list_album_assets(actor.db, &params, &set, err);
    if (status == PGC_OK && set.count == 0) {
        repo_album_set album = PGC_ZERO;
        status = repo_get_album(actor.db, album_id, &album, err);
        repo_album_set_free(&album);
    }
    if (status != PGC_OK) {
        repo_list_album_assets_row_set_free(&set);
        return about_album(status, album_id, "list assets of", err);
    }
    *out = set;
    return PGC_OK;
}

pgc_status lum_album_list_public(lum_actor actor, lum_album_page page,
                                 repo_list_public_albums_row_set *out, pgc_error *err)
{
    repo_list_public_albums_params params = { .row_limit = page.limit };
    TRY(page_check(page, "list public albums", &params.before_album_id, err));
    return pgc_error_wrap(err, repo_list_public_albums(actor.db, &params, out, err),
                          "list public albums");
}

pgc_status lum_album_list_public_assets(lum_actor actor, int32_t album_id, lum_album_cursor after,
                                        int32_t limit, repo_list_public_album_assets_row_set *out,
                                        pgc_error *err)
{
    TRY(check_limit("list assets of a public album", limit, err));
    after = cursor_start(after);
    const repo_list_public_album_assets_params params = { .album_id = album_id,
                                                          .after_position = after.position,
                                                          .after_asset_id = after.asset_id,
                                                          .row_limit = limit };
    return about_album(repo_list_public_album_assets(actor.db, &params, out, err), album_id,
                       "list assets of public", err);
}
