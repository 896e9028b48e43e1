/* Bad input to assets, thumbnails, embeddings, species, lists, search, timeline and trash. */
#ifndef TEST_BAD_ASSETS_H
#define TEST_BAD_ASSETS_H

#include "bad_input.h"
#include "service/asset.h"
#include "service/duplicate.h"
#include "service/embedding.h"
#include "service/embedding_fill.h"
#include "service/search.h"
#include "service/species.h"
#include "service/statistics.h"
#include "service/timeline.h"
#include "service/trash.h"

static float bad_unit[LUM_EMBEDDING_DIM] = { 1 };
static const pgc_uuid BAD_MANY_IDS[1001];
static const int32_t BAD_MANY_TAGS[1001];
static const pgc_text BAD_MANY_NAMES[1001];

/* A C string of the value, as long as it has no NUL in it; else "a". */
static inline const char *bad_string(const bad_value *value)
{
    static char text[BAD_LONG + 1];
    memcpy(text, value->text.ptr, value->text.len);
    text[value->text.len] = '\0';
    return text;
}

/* A good row, but for what the caller puts in. */
static inline repo_create_asset_params bad_photo(void)
{
    return (repo_create_asset_params) { .asset_id = { "fedcba987654321" },
                                        .original_filename = SLICE("new.jpg"),
                                        .file_path = SLICE("inbox/new.jpg"),
                                        .file_size = 5,
                                        .file_hash = SLICE("sha256:new"),
                                        .asset_type = SLICE("photo"),
                                        .owner_id = 1 };
}

static inline pgc_status bad_create(const repo_create_asset_params *row, pgc_error *err)
{
    repo_asset_set out = PGC_ZERO;
    bool duplicate = false;
    pgc_status status = lum_asset_create(bad.ann, row, &out, &duplicate, err);
    bad_keep(out.count, out.result);
    repo_asset_set_free(&out);
    return status;
}

/* bad_create_MEMBER(): everything is good but this member. */
#define BAD_CREATE(member, bad_one)                                               \
    static pgc_status bad_create_##member(const bad_value *value, pgc_error *err) \
    {                                                                             \
        repo_create_asset_params row = bad_photo();                               \
        row.member = bad_one;                                                     \
        return bad_create(&row, err);                                             \
    }
BAD_CREATE(original_filename, value->text)
BAD_CREATE(file_path, value->text)
BAD_CREATE(file_hash, value->text)
BAD_CREATE(mime_type, value->text)
BAD_CREATE(asset_type, value->text)
BAD_CREATE(taken_source, value->text)
BAD_CREATE(camera_make, value->text)
BAD_CREATE(camera_model, value->text)
BAD_CREATE(lens_model, value->text)
BAD_CREATE(shutter_speed, value->text)
BAD_CREATE(description, value->text)
BAD_CREATE(file_size, value->number)
BAD_CREATE(owner_id, value->number)
BAD_CREATE(repository_id, ((pgc_opt_uuid) { true, value->uuid }))
BAD_CREATE(rating, ((pgc_opt_i32) { true, value->number }))

BAD_SET(bad_asset_get, repo_asset_set, lum_asset_get(bad.ann, value->uuid, &out, err))
BAD_SET(bad_asset_get_by_content, repo_asset_set,
        lum_asset_get_by_content(bad.ann, value->text, 5, &out, err))
BAD_SET(bad_asset_update, repo_asset_set,
        lum_asset_update_metadata(bad.ann, value->uuid, SLICE("{\"rating\": 1}"), &out, err))
BAD_SET(bad_asset_update_document, repo_asset_set,
        lum_asset_update_metadata(bad.ann, bad.own_asset, value->text, &out, err))
BAD_PLAIN(bad_asset_check_type, lum_asset_check_type(value->text, err))
BAD_PLAIN(bad_asset_delete, lum_asset_delete(bad.ann, value->uuid, err))
BAD_PLAIN(bad_asset_restore, lum_asset_restore(bad.ann, value->uuid, err))
BAD_SET(bad_asset_list_type, repo_asset_set,
        lum_asset_list(bad.ann, bad_string(value), (lum_page) { .limit = 5 }, &out, err))
BAD_SET(bad_asset_list_limit, repo_asset_set,
        lum_asset_list(bad.ann, NULL, (lum_page) { .limit = value->number }, &out, err))
BAD_SET(bad_asset_list_offset, repo_asset_set,
        lum_asset_list(bad.ann, "photo", (lum_page) { .limit = 5, .offset = value->number }, &out,
                       err))
BAD_SET(bad_asset_list_owner, repo_asset_set,
        lum_asset_list_by_owner(bad.ann, value->number == 2000000000 ? 2 : value->number,
                                (lum_page) { .limit = 5 }, &out, err))
BAD_SET(bad_asset_list_owner_limit, repo_asset_set,
        lum_asset_list_by_owner(bad.ann, 1, (lum_page) { .limit = value->number }, &out, err))
BAD_SET(bad_asset_search, repo_asset_set,
        lum_asset_search(bad.ann, bad_string(value), NULL, (lum_page) { .limit = 5 }, &out, err))
BAD_SET(bad_asset_search_type, repo_asset_set,
        lum_asset_search(bad.ann, "x", bad_string(value), (lum_page) { .limit = 5 }, &out, err))
BAD_SET(bad_asset_search_limit, repo_asset_set,
        lum_asset_search(bad.ann, "x", NULL, (lum_page) { .limit = value->number }, &out, err))
BAD_SET(bad_asset_with_thumbnails, repo_list_assets_with_thumbnails_row_set,
        lum_asset_list_with_thumbnails(bad.ann, (lum_page) { .limit = value->number }, &out, err))
BAD_SET(bad_asset_with_thumbnails_offset, repo_list_assets_with_thumbnails_row_set,
        lum_asset_list_with_thumbnails(bad.ann, (lum_page) { .limit = 1, .offset = value->number },
                                       &out, err))

static inline pgc_status bad_thumbnail(const repo_create_thumbnail_params *row, pgc_error *err)
{
    repo_thumbnail_set out = PGC_ZERO;
    pgc_status status = lum_thumbnail_create(bad.ann, row, &out, err);
    bad_keep(out.count, out.result);
    repo_thumbnail_set_free(&out);
    return status;
}

#define BAD_THUMBNAIL(member, bad_one)                                               \
    static pgc_status bad_thumbnail_##member(const bad_value *value, pgc_error *err) \
    {                                                                                \
        repo_create_thumbnail_params row = { .asset_id = bad.own_asset,              \
                                             .owner_id = 1,                          \
                                             .size = SLICE("large"),                 \
                                             .file_path = SLICE("thumbs/x.webp") };  \
        row.member = bad_one;                                                        \
        return bad_thumbnail(&row, err);                                             \
    }
BAD_THUMBNAIL(asset_id, value->uuid)
BAD_THUMBNAIL(owner_id, value->number)
BAD_THUMBNAIL(size, value->text)
BAD_THUMBNAIL(file_path, value->text)
BAD_THUMBNAIL(mime_type, value->text)
BAD_SET(bad_thumbnail_list, repo_thumbnail_set, lum_thumbnail_list(bad.ann, value->uuid, &out, err))
BAD_SET(bad_thumbnail_get, repo_thumbnail_set,
        lum_thumbnail_get(bad.ann, value->uuid, "small", &out, err))
BAD_SET(bad_thumbnail_get_size, repo_thumbnail_set,
        lum_thumbnail_get(bad.ann, bad.own_asset, bad_string(value), &out, err))

static float bad_out[LUM_EMBEDDING_DIM];
static uint16_t bad_half[LUM_EMBEDDING_DIM];
BAD_PLAIN(bad_embedding_prepare, lum_embedding_prepare(value->vector, value->dim, bad_half, err))
BAD_PLAIN(bad_embedding_vector,
          lum_embedding_save(bad.ann, bad.own_asset, value->vector, value->dim, NULL, NULL, err))
BAD_PLAIN(bad_embedding_asset,
          lum_embedding_save(bad.ann, value->uuid, bad_unit, 512, NULL, NULL, err))
BAD_PLAIN(bad_embedding_model,
          lum_embedding_save(bad.ann, bad.own_asset, bad_unit, 512, bad_string(value), NULL, err))
BAD_PLAIN(bad_embedding_get, lum_embedding_get(bad.ann, value->uuid, NULL, bad_out, err))
BAD_PLAIN(bad_embedding_get_model,
          lum_embedding_get(bad.ann, bad.own_asset, bad_string(value), bad_out, err))
static pgc_status bad_is_since(pgc_uuid asset_id, const char *model, pgc_error *err)
{
    bool is = false;
    pgc_status status =
        lum_embedding_is_since(bad.ann, asset_id, model, (pgc_timestamptz) { 0 }, &is, err);
    bad.rows = is ? 1 : 0;
    return status;
}
BAD_PLAIN(bad_embedding_since, bad_is_since(value->uuid, LUM_MODEL_SEED, err))
BAD_PLAIN(bad_embedding_since_model, bad_is_since(bad.own_asset, bad_string(value), err))
static pgc_status bad_picture(const bad_value *value, pgc_error *err)
{
    AUTO(buf_auto) buf bytes;
    buf_init(&bytes, NULL, 1000);
    return lum_embedding_picture(bad.ann, env_default(), value->uuid, &bytes, err);
}
BAD_SET(bad_embedding_missing, repo_list_assets_to_embed_set,
        lum_embedding_missing(bad.ann, bad_string(value), (pgc_uuid) { { 0 } }, 5, &out, err))
BAD_SET(bad_embedding_missing_limit, repo_list_assets_to_embed_set,
        lum_embedding_missing(bad.ann, LUM_MODEL_SEED, (pgc_uuid) { { 0 } }, value->number, &out,
                              err))

static pgc_status bad_duplicate_find(const bad_value *value, pgc_error *err)
{
    lum_duplicate_page page = { .more = false };
    const lum_duplicate_search search = { .distance_most = value->real };
    pgc_status status = lum_duplicate_find(bad.ann, &search, &page, err);
    bad_keep(page.rows.count, page.rows.result);
    lum_duplicate_page_free(&page);
    return status;
}

/* Somebody else's asset, or nobody's, in a group of an own one. */
static pgc_status bad_duplicate_trash(const bad_value *value, pgc_error *err)
{
    repo_trash_duplicates_set gone = PGC_ZERO;
    const repo_find_duplicates_row rows[] = {
        { .leader_id = bad.own_asset, .a = { .asset_id = bad.own_asset } },
        { .leader_id = bad.own_asset, .a = { .asset_id = value->uuid } },
    };
    const repo_find_duplicates_row_set set = { .rows = rows, .count = ARRAY_LEN(rows) };
    pgc_status status = lum_duplicate_trash(bad.ann, &set, env_default(), &gone, err);
    bad_keep(gone.count, gone.result);
    repo_trash_duplicates_set_free(&gone);
    return status;
}

static inline pgc_status bad_species(pgc_uuid asset_id, lum_species one, slice version,
                                     pgc_error *err)
{
    const lum_species_run run = { .species = &one, .count = 1, .model_version = version };
    return lum_species_save(bad.ann, asset_id, &run, err);
}
#define BAD_FINCH ((lum_species) { .name = SLICE("Fringilla"), .confidence = 0.5 })
BAD_PLAIN(bad_species_asset, bad_species(value->uuid, BAD_FINCH, SLICE("1"), err))
BAD_PLAIN(bad_species_name,
          bad_species(bad.own_asset, (lum_species) { .name = value->text }, SLICE("1"), err))
BAD_PLAIN(bad_species_common,
          bad_species(bad.own_asset,
                      (lum_species) { .name = SLICE("F"), .common_name = value->text }, SLICE("1"),
                      err))
BAD_PLAIN(bad_species_confidence,
          bad_species(bad.own_asset,
                      (lum_species) { .name = SLICE("F"), .confidence = value->real }, SLICE("1"),
                      err))
BAD_PLAIN(bad_species_version, bad_species(bad.own_asset, BAD_FINCH, value->text, err))
BAD_PLAIN(bad_species_count_of,
          lum_species_save(bad.ann, bad.own_asset,
                           &(lum_species_run) { .species = &BAD_FINCH, .count = 101 }, err))
BAD_SET(bad_species_list, repo_list_species_of_asset_row_set,
        lum_species_list(bad.ann, value->uuid, &out, err))
BAD_SET(bad_species_count, repo_count_species_row_set,
        lum_species_count(bad.ann, value->real, 5, &out, err))
BAD_SET(bad_species_count_limit, repo_count_species_row_set,
        lum_species_count(bad.ann, 0.5, value->number, &out, err))
BAD_SET(bad_species_assets, repo_list_assets_of_species_row_set,
        lum_species_assets(bad.ann, &(lum_species_query) { .name = value->text, .limit = 5 }, &out,
                           err))
BAD_SET(bad_species_assets_limit, repo_list_assets_of_species_row_set,
        lum_species_assets(bad.ann,
                           &(lum_species_query) { .name = SLICE("F"), .limit = value->number },
                           &out, err))
BAD_SET(bad_species_assets_part, repo_list_assets_of_species_row_set,
        lum_species_assets(bad.ann,
                           &(lum_species_query) {
                               .name = SLICE("F"), .limit = 5, .min_confidence = value->real },
                           &out, err))

BAD_SET(bad_stats_cameras, repo_count_by_camera_row_set,
        lum_stats_cameras(bad.ann, value->number, &out, err))
BAD_SET(bad_stats_lenses, repo_count_by_lens_row_set,
        lum_stats_lenses(bad.ann, value->number, &out, err))
BAD_SET(bad_stats_tags, repo_count_by_tag_row_set,
        lum_stats_tags(bad.ann, value->number, &out, err))

static inline pgc_status bad_duplicates(lum_duplicate_search search, pgc_error *err)
{
    lum_duplicate_page page = PGC_ZERO;
    pgc_status status = lum_duplicate_find(bad.ann, &search, &page, err);
    bad_keep(page.rows.count, page.rows.result);
    lum_duplicate_page_free(&page);
    return status;
}
BAD_PLAIN(bad_duplicates_distance,
          bad_duplicates((lum_duplicate_search) { .distance_most = value->real }, err))
BAD_PLAIN(bad_duplicates_piece,
          bad_duplicates((lum_duplicate_search) { .piece = value->number }, err))

static const bad_row BAD_ASSETS[] = {
    { "lum_duplicate_find", BAD_PART, "a distance of 0 to", bad_duplicates_distance, 0, 0 },
    { "lum_duplicate_find", BAD_OFFSET, "assets at a time", bad_duplicates_piece, 0, 0 },
    { "lum_asset_create", BAD_FILE, "name", bad_create_original_filename, 0, 0 },
    { "lum_asset_create", BAD_FILE, "path", bad_create_file_path, 0, 0 },
    { "lum_asset_create", BAD_TEXT, "hash", bad_create_file_hash, 0, 0 },
    { "lum_asset_create", BAD_TEXT, "MIME", bad_create_mime_type, 0, 0 },
    { "lum_asset_create", BAD_WORD, "photo, video or audio", bad_create_asset_type, 0, 0 },
    { "lum_asset_create", BAD_WORD, "time of capture", bad_create_taken_source, 0, 0 },
    { "lum_asset_create", BAD_TEXT, "camera make", bad_create_camera_make, 0, 0 },
    { "lum_asset_create", BAD_TEXT, "camera model", bad_create_camera_model, 0, 0 },
    { "lum_asset_create", BAD_TEXT, "lens", bad_create_lens_model, 0, 0 },
    { "lum_asset_create", BAD_TEXT, "shutter speed", bad_create_shutter_speed, 0, 0 },
    { "lum_asset_create", BAD_TEXT, "description", bad_create_description, 0, 0 },
    { "lum_asset_create", BAD_OFFSET, "size", bad_create_file_size, 0, 0 },
    { "lum_asset_create", BAD_ENUM, "rating", bad_create_rating, 0, 0 },
    { "lum_asset_create", BAD_REPOSITORY, "repository", bad_create_repository_id, 0, 0 },
    { "lum_asset_create", BAD_USER, "is not the actor", bad_create_owner_id, PGC_DENIED, 0 },
    { "lum_asset_get", BAD_ASSET, "there is no such asset", bad_asset_get, 0, 0 },
    { "lum_asset_get_by_content", BAD_TEXT, "hash", bad_asset_get_by_content, 0, 0 },
    { "lum_asset_update_metadata", BAD_ASSET, "no such asset", bad_asset_update, 0, 0 },
    { "lum_asset_update_metadata", BAD_DOCUMENT, "update asset", bad_asset_update_document, 0, 0 },
    { "lum_asset_check_type", BAD_WORD, "use photo, video or audio", bad_asset_check_type, 0, 0 },
    { "lum_asset_delete", BAD_ASSET, "delete asset", bad_asset_delete, 0, 0 },
    { "lum_asset_restore", BAD_ASSET, "restore asset", bad_asset_restore, 0, 0 },
    { "lum_asset_list", BAD_WORD, "use photo, video or audio", bad_asset_list_type, 0, BAD_STRING },
    { "lum_asset_list", BAD_LIMIT, "rows", bad_asset_list_limit, 0, 0 },
    { "lum_asset_list", BAD_OFFSET, "from 0 on", bad_asset_list_offset, 0, 0 },
    { "lum_asset_list_by_owner", BAD_USER, "", bad_asset_list_owner, 0, BAD_EMPTY },
    { "lum_asset_list_by_owner", BAD_LIMIT, "rows", bad_asset_list_owner_limit, 0, 0 },
    { "lum_asset_search", BAD_NAME, "search", bad_asset_search, 0, BAD_STRING },
    { "lum_asset_search", BAD_WORD, "photo, video or audio", bad_asset_search_type, 0, BAD_STRING },
    { "lum_asset_search", BAD_LIMIT, "rows", bad_asset_search_limit, 0, 0 },
    { "lum_asset_list_with_thumbnails", BAD_LIMIT, "rows", bad_asset_with_thumbnails, 0, 0 },
    { "lum_asset_list_with_thumbnails", BAD_OFFSET, "from 0 on", bad_asset_with_thumbnails_offset,
      0, 0 },
    { "lum_thumbnail_create", BAD_ASSET, "no such asset", bad_thumbnail_asset_id, 0, 0 },
    { "lum_thumbnail_create", BAD_USER, "is not the actor", bad_thumbnail_owner_id, PGC_DENIED, 0 },
    { "lum_thumbnail_create", BAD_WORD, "small, medium or large", bad_thumbnail_size, 0, 0 },
    { "lum_thumbnail_create", BAD_FILE, "path", bad_thumbnail_file_path, 0, 0 },
    { "lum_thumbnail_create", BAD_TEXT, "MIME", bad_thumbnail_mime_type, 0, 0 },
    { "lum_thumbnail_list", BAD_ASSET, "", bad_thumbnail_list, 0, BAD_EMPTY },
    { "lum_thumbnail_get", BAD_ASSET, "there is none", bad_thumbnail_get, 0, 0 },
    { "lum_thumbnail_get", BAD_WORD, "small, medium or large", bad_thumbnail_get_size, 0,
      BAD_STRING },
    { "lum_embedding_prepare", BAD_VECTOR, "embedding", bad_embedding_prepare, 0, 0 },
    { "lum_embedding_save", BAD_VECTOR, "embedding", bad_embedding_vector, 0, 0 },
    { "lum_embedding_save", BAD_ASSET, "no such asset", bad_embedding_asset, 0, 0 },
    { "lum_embedding_save", BAD_FILE, "embedding model", bad_embedding_model, 0, BAD_STRING },
    { "lum_embedding_get", BAD_ASSET, "it has none", bad_embedding_get, 0, 0 },
    { "lum_embedding_get", BAD_FILE, "embedding model", bad_embedding_get_model, 0, BAD_STRING },
    { "lum_embedding_is_since", BAD_ASSET, "", bad_embedding_since, 0, BAD_EMPTY },
    { "lum_embedding_is_since", BAD_FILE, "embedding model", bad_embedding_since_model, 0,
      BAD_STRING },
    { "lum_embedding_picture", BAD_ASSET, "asset", bad_picture, 0, 0 },
    { "lum_embedding_missing", BAD_FILE, "embedding model", bad_embedding_missing, 0, BAD_STRING },
    { "lum_embedding_missing", BAD_LIMIT, "page of", bad_embedding_missing_limit, 0, 0 },
    { "lum_duplicate_find", BAD_PART, "a distance of", bad_duplicate_find, 0, 0 },
    { "lum_duplicate_trash", BAD_ASSET, "", bad_duplicate_trash, 0, BAD_EMPTY },
    { "lum_species_save", BAD_ASSET, "there is no asset", bad_species_asset, 0, 0 },
    { "lum_species_save", BAD_NAME, "species name", bad_species_name, 0, 0 },
    { "lum_species_save", BAD_TEXT, "common name", bad_species_common, 0, 0 },
    { "lum_species_save", BAD_TEXT, "model version", bad_species_version, 0, 0 },
    { "lum_species_save", BAD_PART, "confidence", bad_species_confidence, 0, 0 },
    { "lum_species_save", BAD_MANY, "at most 100", bad_species_count_of, 0, 0 },
    { "lum_species_list", BAD_ASSET, "", bad_species_list, 0, BAD_EMPTY },
    { "lum_species_count", BAD_PART, "confidence", bad_species_count, 0, 0 },
    { "lum_species_count", BAD_LIMIT, "rows", bad_species_count_limit, 0, 0 },
    { "lum_species_assets", BAD_NAME, "species name", bad_species_assets, 0, 0 },
    { "lum_species_assets", BAD_LIMIT, "rows", bad_species_assets_limit, 0, 0 },
    { "lum_species_assets", BAD_PART, "confidence", bad_species_assets_part, 0, 0 },
    { "lum_stats_cameras", BAD_LIMIT, "rows", bad_stats_cameras, 0, 0 },
    { "lum_stats_lenses", BAD_LIMIT, "rows", bad_stats_lenses, 0, 0 },
    { "lum_stats_tags", BAD_LIMIT, "rows", bad_stats_tags, 0, 0 },
};

#endif
