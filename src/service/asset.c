/* The asset service: checks what the database cannot say clearly, then one typed query. No state;
 * thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/asset.h"

#include "base/slice.h"

#define CREATE_TRIES 3

static const char *const ASSET_TYPES[] = { "photo", "video", "audio" };
static const char *const THUMBNAIL_SIZES[] = { "small", "medium", "large" };

/* The table has a CHECK as well; here the message can say what is allowed. */
pgc_status lum_asset_check_type(slice asset_type, pgc_error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(ASSET_TYPES); i++) {
        if (slice_eq_str(asset_type, ASSET_TYPES[i])) {
            return PGC_OK;
        }
    }
    return pgc_error_set(err, PGC_INVALID,
                         "asset type \"%" SLICE_FMT "\": use photo, video or audio",
                         SLICE_ARG(asset_type));
}

/* As above: a wrong size is a mistake of the caller, not of the data. */
static pgc_status size_check(slice size, pgc_error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(THUMBNAIL_SIZES); i++) {
        if (slice_eq_str(size, THUMBNAIL_SIZES[i])) {
            return PGC_OK;
        }
    }
    return pgc_error_set(err, PGC_INVALID,
                         "thumbnail size \"%" SLICE_FMT "\": use small, medium or large",
                         SLICE_ARG(size));
}

/* A limit without a bound would let one call take all memory. */
static pgc_status page_check(lum_page page, pgc_error *err)
{
    if (page.limit < 1 || page.limit > LUM_PAGE_MAX || page.offset < 0) {
        return pgc_error_set(err, PGC_INVALID,
                             "page of %" PRId32 " rows from %" PRId32 ": 1 to %d rows, from 0 on",
                             page.limit, page.offset, LUM_PAGE_MAX);
    }
    return PGC_OK;
}

/* "get asset ID: …"; no row is said the same way everywhere. */
static pgc_status about_asset(pgc_status status, pgc_uuid asset_id, const char *what,
                              pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    if (status == PGC_NOT_FOUND) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such asset");
    }
    return pgc_error_wrap(err, status, "%s asset %s", what, id);
}

/* An UPDATE that must have found its row. */
static pgc_status one_row(pgc_status status, int64_t affected, pgc_uuid asset_id, const char *what,
                          pgc_error *err)
{
    assert(affected <= 1);
    return about_asset(status == PGC_OK && affected == 0 ? PGC_NOT_FOUND : status, asset_id, what,
                       err);
}

/* The row of new content, or of the content that is there already. Between the two answers the
 * other asset may go to the trash: then the content is new after all. */
static pgc_status create_or_find(lum_actor actor, const repo_create_asset_params *params,
                                 repo_asset_set *out, bool *duplicate, pgc_error *err)
{
    pgc_status status = PGC_NOT_FOUND;
    for (int i = 0; status == PGC_NOT_FOUND && i < CREATE_TRIES; i++) {
        *duplicate = false;
        status = repo_create_asset(actor.db, params, out, err);
        if (status == PGC_NOT_FOUND) { /* ON CONFLICT DO NOTHING */
            *duplicate = true;
            status =
                lum_asset_get_by_content(actor, params->file_hash, params->file_size, out, err);
        }
    }
    return status == PGC_NOT_FOUND
               ? pgc_error_set(err, PGC_CONFLICT, "the same content comes and goes meanwhile")
               : status;
}

/* The policies would refuse a foreign owner too, but as a failed check of some table. */
pgc_status lum_asset_create(lum_actor actor, const repo_create_asset_params *params,
                            repo_asset_set *out, bool *duplicate, pgc_error *err)
{
    TRY(lum_asset_check_type(params->asset_type, err));
    if (params->owner_id != actor.user_id) {
        return pgc_error_set(err, PGC_DENIED, "create asset: owner %" PRId32 " is not the actor",
                             params->owner_id);
    }
    if (params->file_size < 0 || params->original_filename.len == 0 ||
        (params->file_hash.ptr != NULL && params->file_hash.len == 0)) {
        return pgc_error_set(err, PGC_INVALID,
                             "create asset: a name and a size are needed, a hash is not empty");
    }
    bool found = false;
    pgc_status status = create_or_find(actor, params, out, &found, err);
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "create asset \"%" SLICE_FMT "\"",
                              SLICE_ARG(params->original_filename));
    }
    pgc_error_clear(err);
    *duplicate = found;
    return PGC_OK;
}

pgc_status lum_asset_get(lum_actor actor, pgc_uuid asset_id, repo_asset_set *out, pgc_error *err)
{
    return about_asset(repo_get_asset(actor.db, asset_id, out, err), asset_id, "get", err);
}

/* Hash and size together: a hash alone is not taken as proof of equal content. */
pgc_status lum_asset_get_by_content(lum_actor actor, pgc_text file_hash, int64_t file_size,
                                    repo_asset_set *out, pgc_error *err)
{
    const repo_get_asset_by_content_params params = { .owner_id = actor.user_id,
                                                      .file_hash = file_hash,
                                                      .file_size = file_size };
    return pgc_error_wrap(err, repo_get_asset_by_content(actor.db, &params, out, err),
                          "find content %" SLICE_FMT, SLICE_ARG(file_hash));
}

/* Into the trash: the row stays, and its files with it. */
pgc_status lum_asset_delete(lum_actor actor, pgc_uuid asset_id, pgc_error *err)
{
    int64_t affected = 0;
    pgc_status status = repo_delete_asset(actor.db, asset_id, &affected, err);
    return one_row(status, affected, asset_id, "delete", err);
}

/* While it lay in the trash its content may have come again, and of equal content only one asset
 * may be visible. */
pgc_status lum_asset_restore(lum_actor actor, pgc_uuid asset_id, pgc_error *err)
{
    int64_t affected = 0;
    pgc_status status = repo_restore_asset(actor.db, asset_id, &affected, err);
    if (status == PGC_CONFLICT) {
        pgc_error_hint(err, "the same content was imported again; delete that asset first");
    }
    return one_row(status, affected, asset_id, "restore", err);
}

/* Without a type the other index serves, hence two queries. */
pgc_status lum_asset_list(lum_actor actor, const char *asset_type, lum_page page,
                          repo_asset_set *out, pgc_error *err)
{
    TRY(page_check(page, err));
    if (asset_type == NULL) {
        return lum_asset_list_by_owner(actor, actor.user_id, page, out, err);
    }
    TRY(lum_asset_check_type(pgc_text_from(asset_type), err));
    const repo_get_assets_by_owner_and_type_params params = {
        .owner_id = actor.user_id,
        .asset_type = pgc_text_from(asset_type),
        .row_limit = page.limit,
        .row_offset = page.offset,
    };
    return pgc_error_wrap(err, repo_get_assets_by_owner_and_type(actor.db, &params, out, err),
                          "list assets of type %s", asset_type);
}

/* The policies decide what is visible: another owner's list is simply empty. */
pgc_status lum_asset_list_by_owner(lum_actor actor, int32_t owner_id, lum_page page,
                                   repo_asset_set *out, pgc_error *err)
{
    TRY(page_check(page, err));
    const repo_get_assets_by_owner_params params = { .owner_id = owner_id,
                                                     .row_limit = page.limit,
                                                     .row_offset = page.offset };
    return pgc_error_wrap(err, repo_get_assets_by_owner(actor.db, &params, out, err),
                          "list assets of user %" PRId32, owner_id);
}

/* UTF-8 is checked here because the text comes straight from a person, and the message would
 * else speak of a parameter. */
pgc_status lum_asset_search(lum_actor actor, const char *query, const char *asset_type,
                            lum_page page, repo_asset_set *out, pgc_error *err)
{
    TRY(page_check(page, err));
    slice text = slice_trim(pgc_text_from(query));
    if (text.len == 0) {
        return pgc_error_set(err, PGC_INVALID, "search: the text is empty");
    }
    if (!slice_is_utf8(text)) {
        return pgc_error_set(err, PGC_INVALID, "search: the text is not valid UTF-8");
    }
    if (asset_type != NULL) {
        TRY(lum_asset_check_type(pgc_text_from(asset_type), err));
    }
    const repo_search_assets_params params = { .query = text,
                                               .asset_type = pgc_text_from(asset_type),
                                               .row_limit = page.limit,
                                               .row_offset = page.offset };
    return pgc_error_wrap(err, repo_search_assets(actor.db, &params, out, err),
                          "search \"%" SLICE_FMT "\"", SLICE_ARG(text));
}

/* One query for page and thumbnails: a gallery asks once, not once per picture. */
pgc_status lum_asset_list_with_thumbnails(lum_actor actor, lum_page page,
                                          repo_list_assets_with_thumbnails_row_set *out,
                                          pgc_error *err)
{
    TRY(page_check(page, err));
    const repo_list_assets_with_thumbnails_params params = { .row_limit = page.limit,
                                                             .row_offset = page.offset };
    return pgc_error_wrap(err, repo_list_assets_with_thumbnails(actor.db, &params, out, err),
                          "list assets with thumbnails");
}

pgc_status lum_thumbnail_create(lum_actor actor, const repo_create_thumbnail_params *params,
                                repo_thumbnail_set *out, pgc_error *err)
{
    TRY(size_check(params->size, err));
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&params->asset_id, id);
    return pgc_error_wrap(err, repo_create_thumbnail(actor.db, params, out, err),
                          "create %" SLICE_FMT " thumbnail of asset %s", SLICE_ARG(params->size),
                          id);
}

pgc_status lum_thumbnail_list(lum_actor actor, pgc_uuid asset_id, repo_thumbnail_set *out,
                              pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    return pgc_error_wrap(err, repo_get_thumbnails_by_asset(actor.db, asset_id, out, err),
                          "list thumbnails of asset %s", id);
}

/* No row is said in words of its own: the asset may well exist. */
pgc_status lum_thumbnail_get(lum_actor actor, pgc_uuid asset_id, const char *size,
                             repo_thumbnail_set *out, pgc_error *err)
{
    TRY(size_check(pgc_text_from(size), err));
    const repo_get_thumbnail_by_asset_and_size_params params = { .asset_id = asset_id,
                                                                 .size = pgc_text_from(size) };
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    pgc_status status = repo_get_thumbnail_by_asset_and_size(actor.db, &params, out, err);
    if (status == PGC_NOT_FOUND) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is none");
    }
    return pgc_error_wrap(err, status, "get %s thumbnail of asset %s", size, id);
}
