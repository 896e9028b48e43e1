/* Bad input to albums, tags, lists, filters, search, timeline and trash. */
#ifndef TEST_BAD_ALBUMS_H
#define TEST_BAD_ALBUMS_H

#include "bad_assets.h"
#include "service/album.h"
#include "service/check.h"
#include "service/tag.h"

static int32_t bad_int;
static int64_t bad_long;

static inline lum_ids bad_ids_of(const bad_value *value)
{
    return (lum_ids) { BAD_MANY_IDS, (size_t) value->number };
}

#define BAD_END               ((lum_place) { .kind = LUM_PLACE_END })
#define BAD_ONE(id)           ((lum_ids) { &(id), 1 })
#define BAD_ALBUM_CREATE(...) lum_album_create(bad.ann, &(lum_album_new) { __VA_ARGS__ }, &out, err)
#define BAD_ALBUM_UPDATE(...) \
    lum_album_update(bad.ann, &(repo_update_album_params) { __VA_ARGS__ }, &out, err)

BAD_SET(bad_album_create_name, repo_album_set, BAD_ALBUM_CREATE(.name = value->text))
BAD_SET(bad_album_create_description, repo_album_set,
        BAD_ALBUM_CREATE(.name = SLICE("x"), .description = value->text))
BAD_SET(bad_album_create_filter, repo_album_set,
        BAD_ALBUM_CREATE(.name = SLICE("x"), .filter = value->text))
BAD_SET(bad_album_get, repo_album_set, lum_album_get(bad.ann, value->number, &out, err))
BAD_SET(bad_album_list, repo_list_albums_row_set,
        lum_album_list(bad.ann, (lum_album_page) { .limit = value->number }, &out, err))
BAD_SET(bad_album_list_before, repo_list_albums_row_set,
        lum_album_list(bad.ann, (lum_album_page) { .limit = 5, .before_album_id = value->number },
                       &out, err))
BAD_SET(bad_album_of_asset, repo_album_set,
        lum_album_list_of_asset(bad.ann, value->uuid, &out, err))
BAD_SET(bad_album_update, repo_album_set,
        BAD_ALBUM_UPDATE(.album_id = value->number, .set_name = true, .name = SLICE("y")))
BAD_SET(bad_album_update_name, repo_album_set,
        BAD_ALBUM_UPDATE(.album_id = bad.own_album, .set_name = true, .name = value->text))
BAD_SET(bad_album_update_description, repo_album_set,
        BAD_ALBUM_UPDATE(.album_id = bad.own_album, .set_description = true,
                         .description = value->text))
BAD_SET(bad_album_update_cover, repo_album_set,
        BAD_ALBUM_UPDATE(.album_id = bad.own_album, .set_cover_asset_id = true,
                         .cover_asset_id = { true, value->uuid }))
BAD_PLAIN(bad_album_set_filter,
          lum_album_set_filter(bad.ann, value->number, SLICE("{\"liked\": true}"), err))
BAD_PLAIN(bad_album_set_filter_text,
          lum_album_set_filter(bad.ann, bad.smart_album, value->text, err))
BAD_PLAIN(bad_album_delete, lum_album_delete(bad.ann, value->number, err))
BAD_PLAIN(bad_album_restore, lum_album_restore(bad.ann, value->number, err))
BAD_PLAIN(bad_album_purge, lum_album_purge(bad.ann, value->number, err))
BAD_PLAIN(bad_album_add,
          lum_album_add(bad.ann, value->number, BAD_ONE(bad.own_asset), BAD_END, &bad_int, err))
BAD_PLAIN(bad_album_add_which,
          lum_album_add(bad.ann, bad.own_album, BAD_ONE(value->uuid), BAD_END, &bad_int, err))
BAD_PLAIN(bad_album_add_count,
          lum_album_add(bad.ann, bad.own_album, bad_ids_of(value), BAD_END, &bad_int, err))
BAD_PLAIN(bad_album_add_place,
          lum_album_add(bad.ann, bad.own_album, BAD_ONE(bad.own_asset),
                        (lum_place) { .kind = LUM_PLACE_INDEX, .index = value->number }, &bad_int,
                        err))
BAD_PLAIN(bad_album_add_kind,
          lum_album_add(bad.ann, bad.own_album, BAD_ONE(bad.own_asset),
                        (lum_place) { .kind = (lum_place_kind) value->number }, &bad_int, err))
BAD_PLAIN(bad_album_move_behind,
          lum_album_move(bad.ann, bad.own_album, BAD_ONE(bad.own_asset),
                         (lum_place) { .kind = LUM_PLACE_BEHIND, .asset_id = value->uuid }, err))
BAD_PLAIN(bad_album_add_asset, lum_album_add_asset(bad.ann, value->number, bad.own_asset, err))
BAD_PLAIN(bad_album_add_asset_which, lum_album_add_asset(bad.ann, bad.own_album, value->uuid, err))
BAD_PLAIN(bad_album_move,
          lum_album_move(bad.ann, value->number, BAD_ONE(bad.own_asset), BAD_END, err))
BAD_PLAIN(bad_album_move_which,
          lum_album_move(bad.ann, bad.own_album, BAD_ONE(value->uuid), BAD_END, err))
BAD_PLAIN(bad_album_move_count,
          lum_album_move(bad.ann, bad.own_album, bad_ids_of(value), BAD_END, err))
BAD_PLAIN(bad_album_reorder,
          lum_album_reorder(bad.ann, value->number, BAD_ONE(bad.own_asset), &bad_int, err))
BAD_PLAIN(bad_album_reorder_which,
          lum_album_reorder(bad.ann, bad.own_album, BAD_ONE(value->uuid), &bad_int, err))
BAD_PLAIN(bad_album_reorder_count,
          lum_album_reorder(bad.ann, bad.own_album, bad_ids_of(value), &bad_int, err))
BAD_PLAIN(bad_album_remove, lum_album_remove(bad.ann, value->number, BAD_ONE(bad.own_asset), err))
BAD_PLAIN(bad_album_remove_which,
          lum_album_remove(bad.ann, bad.own_album, BAD_ONE(value->uuid), err))
BAD_PLAIN(bad_album_remove_count, lum_album_remove(bad.ann, bad.own_album, bad_ids_of(value), err))
#define BAD_FRONT ((lum_album_cursor) { .set = false })
BAD_SET(bad_album_assets, repo_list_album_assets_row_set,
        lum_album_list_assets(bad.ann, value->number, BAD_FRONT, 5, &out, err))
BAD_SET(bad_album_assets_limit, repo_list_album_assets_row_set,
        lum_album_list_assets(bad.ann, bad.own_album, BAD_FRONT, value->number, &out, err))
BAD_SET(bad_album_public, repo_list_public_albums_row_set,
        lum_album_list_public(bad.ann, (lum_album_page) { .limit = value->number }, &out, err))
BAD_SET(bad_album_public_before, repo_list_public_albums_row_set,
        lum_album_list_public(bad.ann,
                              (lum_album_page) { .limit = 5, .before_album_id = value->number },
                              &out, err))
BAD_SET(bad_album_public_assets, repo_list_public_album_assets_row_set,
        lum_album_list_public_assets(bad.ann, value->number, BAD_FRONT, 5, &out, err))
BAD_SET(bad_album_public_assets_limit, repo_list_public_album_assets_row_set,
        lum_album_list_public_assets(bad.ann, bad.own_album, BAD_FRONT, value->number, &out, err))

/* Lists: a page that is freed and counted as sets are. */
static inline pgc_status bad_page(pgc_status status, lum_asset_page *page)
{
    bad_keep(page->assets.count, page->assets.result);
    lum_asset_page_free(page);
    return status;
}

#define BAD_PAGE(name, expression)                                 \
    static pgc_status name(const bad_value *value, pgc_error *err) \
    {                                                              \
        lum_asset_page out = { .total = -1 };                      \
        (void) value;                                              \
        pgc_status status = (expression);                          \
        return bad_page(status, &out);                             \
    }
#define BAD_LIST(...) (&(lum_list) { __VA_ARGS__ })
#define BAD_FILTER(...)                                                                            \
    lum_asset_filter(bad.ann, BAD_LIST(.limit = 5, .filter = &(lum_filter) { __VA_ARGS__ }), &out, \
                     err)

/* Others are out of range, which is no question of whose they are. */
static inline int32_t bad_positive(int32_t number)
{
    return number > 0 ? number : 2000000000;
}

BAD_PAGE(bad_album_smart,
         lum_album_list_smart(bad.ann, value->number, BAD_LIST(.limit = 5), &out, err))
BAD_PAGE(bad_album_smart_limit, lum_album_list_smart(bad.ann, bad.smart_album,
                                                     BAD_LIST(.limit = value->number), &out, err))
BAD_PAGE(bad_album_smart_cursor,
         lum_album_list_smart(bad.ann, bad.smart_album, BAD_LIST(.limit = 5, .cursor = value->text),
                              &out, err))
BAD_PAGE(bad_filter_limit, lum_asset_filter(bad.ann, BAD_LIST(.limit = value->number), &out, err))
BAD_PAGE(bad_filter_cursor,
         lum_asset_filter(bad.ann, BAD_LIST(.limit = 5, .cursor = value->text), &out, err))
BAD_PAGE(bad_filter_sort,
         lum_asset_filter(bad.ann, BAD_LIST(.limit = 5, .sort = (lum_sort) value->number), &out,
                          err))
BAD_PAGE(bad_filter_type, BAD_FILTER(.asset_type = value->text))
BAD_PAGE(bad_filter_make, BAD_FILTER(.camera_make = value->text))
BAD_PAGE(bad_filter_model, BAD_FILTER(.camera_model = value->text))
BAD_PAGE(bad_filter_lens, BAD_FILTER(.lens_model = value->text))
BAD_PAGE(bad_filter_part, BAD_FILTER(.name_contains = value->text))
BAD_PAGE(bad_filter_prefix, BAD_FILTER(.name_prefix = value->text))
BAD_PAGE(bad_filter_words, BAD_FILTER(.words = value->text))
BAD_PAGE(bad_filter_any, BAD_FILTER(.tags_any = { &value->text, 1 }))
BAD_PAGE(bad_filter_all, BAD_FILTER(.tags_all = { &value->text, 1 }))
BAD_PAGE(bad_filter_none, BAD_FILTER(.tags_none = { &value->text, 1 }))
BAD_PAGE(bad_filter_rating, BAD_FILTER(.rating = { true, value->number }))
BAD_PAGE(bad_filter_rating_min, BAD_FILTER(.rating_min = { true, value->number }))
BAD_PAGE(bad_filter_iso, BAD_FILTER(.iso_min = { true, value->number }))
BAD_PAGE(bad_filter_album, BAD_FILTER(.album_id = { true, bad_positive(value->number) }))
BAD_PAGE(bad_filter_owner,
         BAD_FILTER(.owner_id = { true,
                                  value->number == 2000000000 ? 2 : bad_positive(value->number) }))
BAD_PAGE(bad_filter_repository, BAD_FILTER(.repository_id = { true, value->uuid }))
BAD_PLAIN(bad_count,
          lum_asset_count(bad.ann, &(lum_filter) { .words = value->text }, &bad_long, err))
BAD_PLAIN(bad_filter_check, lum_filter_check(&(lum_filter) { .lens_model = value->text }, err))

static pgc_status bad_filter_parse(const bad_value *value, pgc_error *err)
{
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    return lum_filter_parse(value->text, &doc, err);
}

static pgc_status bad_doc_set(const char *name, slice text, pgc_error *err)
{
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    TRY(lum_filter_doc_new(&doc, err));
    TRY(lum_filter_doc_set(doc, name, text, err));
    return lum_filter_check(lum_filter_doc_get(doc), err);
}
BAD_PLAIN(bad_doc_name, bad_doc_set(bad_string(value), SLICE("1"), err))
BAD_PLAIN(bad_doc_words, bad_doc_set("words", value->text, err))
BAD_PLAIN(bad_doc_rating, bad_doc_set("rating", value->text, err))
BAD_PLAIN(bad_doc_liked, bad_doc_set("liked", value->text, err))
BAD_PLAIN(bad_doc_from, bad_doc_set("from", value->text, err))
BAD_PLAIN(bad_doc_repository, bad_doc_set("repository", value->text, err))

static pgc_status bad_sort(const bad_value *value, pgc_error *err)
{
    lum_sort sort;
    return lum_sort_parse(value->text, &sort, err);
}

static const lum_when BAD_DAY = { .first = { 0 }, .next = { INT64_C(86400000000) } };
BAD_PAGE(bad_timeline_limit,
         lum_timeline_page(bad.ann, &BAD_DAY, value->number, (slice) { NULL, 0 }, &out, err))
BAD_PAGE(bad_timeline_cursor, lum_timeline_page(bad.ann, &BAD_DAY, 5, value->text, &out, err))
BAD_PAGE(bad_trash_limit, lum_trash_list(bad.ann, value->number, (slice) { NULL, 0 }, &out, err))
BAD_PAGE(bad_trash_cursor, lum_trash_list(bad.ann, 5, value->text, &out, err))

static lum_purged bad_purged;
BAD_PLAIN(bad_trash_purge,
          lum_trash_purge(bad.ann, &(lum_purge) { .asset_id = { true, value->uuid } }, &bad_purged,
                          err))
BAD_PLAIN(bad_trash_age,
          lum_trash_purge(bad.ann, &(lum_purge) { .age_us = value->number }, &bad_purged, err))

static inline pgc_status bad_search(lum_search_request request, pgc_error *err)
{
    lum_search_page page = PGC_ZERO;
    request.limit = request.limit != 0 ? request.limit : 5;
    pgc_status status = lum_search(bad.ann, &request, &page, err);
    bad_keep(page.hits.count, page.hits.result);
    lum_search_page_free(&page);
    return status;
}
#define BAD_SEARCH(name, ...) BAD_PLAIN(name, bad_search((lum_search_request) { __VA_ARGS__ }, err))
BAD_SEARCH(bad_search_query, .query = bad_string(value))
BAD_SEARCH(bad_search_type, .query = "x", .filter = &(lum_filter) { .asset_type = value->text })
BAD_SEARCH(bad_search_camera, .query = "x", .filter = &(lum_filter) { .camera_model = value->text })
BAD_SEARCH(bad_search_after, .query = "x", .after = bad_string(value))
BAD_SEARCH(bad_search_limit, .query = "x",
           .limit = value->number == 0 ? INT32_MIN + 1 : value->number)
BAD_SEARCH(bad_search_like, .like_asset_id = { true, value->uuid })
BAD_PLAIN(bad_search_vector,
          value->dim != LUM_EMBEDDING_DIM
              ? lum_embedding_prepare(value->vector, value->dim, bad_half, err) /* has no dim */
              : bad_search((lum_search_request) { .by = LUM_SEARCH_MEANING,
                                                  .vector = value->vector },
                           err))
BAD_SEARCH(bad_search_tags, .query = "x",
           .filter = &(lum_filter) { .tags_all = { BAD_MANY_NAMES, (size_t) value->number } })
BAD_SEARCH(bad_search_rating, .query = "x",
           .filter = &(lum_filter) { .rating_min = { true, value->number } })
BAD_SEARCH(bad_search_album, .query = "secret",
           .filter = &(lum_filter) { .album_id = { true, bad_positive(value->number) } })
BAD_SEARCH(bad_search_repository, .query = "secret",
           .filter = &(lum_filter) { .repository_id = { true, value->uuid } })
BAD_SEARCH(bad_search_by, .query = "x", .by = (lum_search_by) value->number)

static pgc_status bad_search_by_parse(const bad_value *value, pgc_error *err)
{
    lum_search_by by;
    return lum_search_by_parse(bad_string(value), &by, err);
}

static const bad_row BAD_ALBUMS[] = {
    { "lum_album_create", BAD_NAME, "album name", bad_album_create_name, 0, 0 },
    { "lum_album_create", BAD_TEXT, "album description", bad_album_create_description, 0, 0 },
    { "lum_album_create", BAD_DOCUMENT, "filter of a smart album", bad_album_create_filter, 0, 0 },
    { "lum_album_get", BAD_ALBUM, "there is no such album", bad_album_get, 0, 0 },
    { "lum_album_list", BAD_LIMIT, "rows", bad_album_list, 0, 0 },
    { "lum_album_list", BAD_OFFSET, "before album", bad_album_list_before, 0, 0 },
    { "lum_album_list_of_asset", BAD_ASSET, "", bad_album_of_asset, 0, BAD_EMPTY },
    { "lum_album_update", BAD_ALBUM, "there is no such album", bad_album_update, 0, 0 },
    { "lum_album_update", BAD_NAME, "album name", bad_album_update_name, 0, 0 },
    { "lum_album_update", BAD_TEXT, "album description", bad_album_update_description, 0, 0 },
    { "lum_album_update", BAD_ASSET, "the cover, is not in it", bad_album_update_cover, 0, 0 },
    { "lum_album_set_filter", BAD_ALBUM, "no such smart album", bad_album_set_filter, 0, 0 },
    { "lum_album_set_filter", BAD_DOCUMENT, "filter of a smart album", bad_album_set_filter_text, 0,
      0 },
    { "lum_album_delete", BAD_ALBUM, "there is no such album", bad_album_delete, 0, 0 },
    { "lum_album_restore", BAD_ALBUM, "there is no such album", bad_album_restore, 0, 0 },
    { "lum_album_purge", BAD_ALBUM, "not in the trash", bad_album_purge, 0, 0 },
    { "lum_album_add", BAD_ALBUM, "album", bad_album_add, 0, 0 },
    { "lum_album_add", BAD_ASSET, "asset", bad_album_add_which, 0, 0 },
    { "lum_album_add", BAD_COUNT, "1 to 1000", bad_album_add_count, 0, 0 },
    { "lum_album_add", BAD_OFFSET, "from 0 on", bad_album_add_place, 0, 0 },
    { "lum_album_add", BAD_ENUM, "there is none", bad_album_add_kind, 0, 0 },
    { "lum_album_move", BAD_ASSET, "asset", bad_album_move_behind, 0, 0 },
    { "lum_album_add_asset", BAD_ALBUM, "album", bad_album_add_asset, 0, 0 },
    { "lum_album_add_asset", BAD_ASSET, "asset", bad_album_add_asset_which, 0, 0 },
    { "lum_album_move", BAD_ALBUM, "album", bad_album_move, 0, 0 },
    { "lum_album_move", BAD_ASSET, "asset", bad_album_move_which, 0, 0 },
    { "lum_album_move", BAD_COUNT, "1 to 1000", bad_album_move_count, 0, 0 },
    { "lum_album_reorder", BAD_ALBUM, "album", bad_album_reorder, 0, 0 },
    { "lum_album_reorder", BAD_ASSET, "asset", bad_album_reorder_which, 0, 0 },
    { "lum_album_reorder", BAD_COUNT, "1 to 1000", bad_album_reorder_count, 0, 0 },
    { "lum_album_remove", BAD_ALBUM, "album", bad_album_remove, 0, 0 },
    { "lum_album_remove", BAD_ASSET, "asset", bad_album_remove_which, 0, 0 },
    { "lum_album_remove", BAD_COUNT, "1 to 1000", bad_album_remove_count, 0, 0 },
    { "lum_album_list_assets", BAD_ALBUM, "no such album", bad_album_assets, 0, 0 },
    { "lum_album_list_assets", BAD_LIMIT, "rows", bad_album_assets_limit, 0, 0 },
    { "lum_album_list_public", BAD_LIMIT, "rows", bad_album_public, 0, 0 },
    { "lum_album_list_public", BAD_OFFSET, "before album", bad_album_public_before, 0, 0 },
    { "lum_album_list_public_assets", BAD_ALBUM, "", bad_album_public_assets, 0, BAD_EMPTY },
    { "lum_album_list_public_assets", BAD_LIMIT, "rows", bad_album_public_assets_limit, 0, 0 },
    { "lum_album_list_smart", BAD_ALBUM, "there is no such album", bad_album_smart, 0, 0 },
    { "lum_album_list_smart", BAD_LIMIT, "rows", bad_album_smart_limit, 0, 0 },
    { "lum_album_list_smart", BAD_CURSOR, "cursor", bad_album_smart_cursor, 0, 0 },
};

static const bad_row BAD_LISTS[] = {
    { "lum_asset_filter", BAD_LIMIT, "rows", bad_filter_limit, 0, 0 },
    { "lum_asset_filter", BAD_CURSOR, "cursor", bad_filter_cursor, 0, 0 },
    { "lum_asset_filter", BAD_ENUM, "order", bad_filter_sort, 0, 0 },
    { "lum_asset_filter", BAD_WORD, "type", bad_filter_type, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "camera_make", bad_filter_make, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "camera_model", bad_filter_model, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "lens", bad_filter_lens, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "name_contains", bad_filter_part, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "name_prefix", bad_filter_prefix, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "words", bad_filter_words, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "tags_any", bad_filter_any, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "tags_all", bad_filter_all, 0, 0 },
    { "lum_asset_filter", BAD_FILE, "tags_none", bad_filter_none, 0, 0 },
    { "lum_asset_filter", BAD_ENUM, "rating", bad_filter_rating, 0, 0 },
    { "lum_asset_filter", BAD_ENUM, "rating_min", bad_filter_rating_min, 0, 0 },
    { "lum_asset_filter", BAD_OFFSET, "iso_min", bad_filter_iso, 0, 0 },
    { "lum_asset_filter", BAD_ALBUM, "", bad_filter_album, 0, BAD_EMPTY },
    { "lum_asset_filter", BAD_USER, "", bad_filter_owner, 0, BAD_EMPTY },
    { "lum_asset_filter", BAD_REPOSITORY, "", bad_filter_repository, 0, BAD_EMPTY },
    { "lum_asset_count", BAD_FILE, "words", bad_count, 0, 0 },
    { "lum_filter_check", BAD_FILE, "lens", bad_filter_check, 0, 0 },
    { "lum_filter_parse", BAD_DOCUMENT, "filter", bad_filter_parse, 0, 0 },
    { "lum_filter_doc_set", BAD_WORD, "filter", bad_doc_name, 0, BAD_STRING },
    { "lum_filter_doc_set", BAD_FILE, "words", bad_doc_words, 0, 0 },
    { "lum_filter_doc_set", BAD_WORD, "rating", bad_doc_rating, 0, 0 },
    { "lum_filter_doc_set", BAD_WORD, "liked", bad_doc_liked, 0, 0 },
    { "lum_filter_doc_set", BAD_WORD, "from", bad_doc_from, 0, 0 },
    { "lum_filter_doc_set", BAD_WORD, "repository", bad_doc_repository, 0, 0 },
    { "lum_sort_parse", BAD_WORD, "taken, uploaded", bad_sort, 0, 0 },
    { "lum_timeline_page", BAD_LIMIT, "rows", bad_timeline_limit, 0, 0 },
    { "lum_timeline_page", BAD_CURSOR, "cursor", bad_timeline_cursor, 0, 0 },
    { "lum_trash_list", BAD_LIMIT, "rows", bad_trash_limit, 0, 0 },
    { "lum_trash_list", BAD_CURSOR, "cursor", bad_trash_cursor, 0, 0 },
    { "lum_trash_purge", BAD_ASSET, "trash", bad_trash_purge, 0, 0 },
    { "lum_trash_purge", BAD_OFFSET, "age", bad_trash_age, 0, 0 },
    { "lum_search", BAD_NAME, "search", bad_search_query, 0, BAD_STRING },
    { "lum_search", BAD_WORD, "type", bad_search_type, 0, 0 },
    { "lum_search", BAD_FILE, "camera_model", bad_search_camera, 0, 0 },
    { "lum_search", BAD_WORD, "cursor", bad_search_after, 0, BAD_STRING },
    { "lum_search", BAD_LIMIT, "page of", bad_search_limit, 0, 0 },
    { "lum_search", BAD_ASSET, "it has none", bad_search_like, 0, 0 },
    { "lum_search", BAD_MANY, "100 are allowed", bad_search_tags, 0, 0 },
    { "lum_search", BAD_ENUM, "rating", bad_search_rating, 0, 0 },
    { "lum_search", BAD_ALBUM, "", bad_search_album, 0, BAD_EMPTY },
    { "lum_search", BAD_REPOSITORY, "", bad_search_repository, 0, BAD_EMPTY },
    { "lum_search", BAD_ENUM, "search", bad_search_by, 0, 0 },
    { "lum_search", BAD_VECTOR, "embedding", bad_search_vector, 0, 0 },
    { "lum_search_by_parse", BAD_WORD, "use all, name", bad_search_by_parse, 0, BAD_STRING },
};

#endif
