/* The asset service: checks what the database cannot say clearly, then one typed query. No state;
 * thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/asset.h"

#include "base/slice.h"
#include "service/check.h"

#define CREATE_TRIES 3

static const char *const ASSET_TYPES[] = { "photo", "video", "audio" };
static const char *const THUMBNAIL_SIZES[] = { "small", "medium", "large" };

/* Where a time of capture came from: the words of the table's CHECK. */
static const char *const TIME_SOURCES[] = { "exif", "xmp",   "iptc", "container",
                                            "gps",  "mtime", "user", "unknown" };

#define PATH_BYTES_MAX  4096
#define HASH_BYTES_MAX  255
#define QUERY_BYTES_MAX 1000

/* The table has a CHECK as well; here the message can say what is allowed. */
pgc_status lum_asset_check_type(slice asset_type, pgc_error *err)
{
    static const check_words WORDS = { "asset type", ASSET_TYPES, ARRAY_LEN(ASSET_TYPES) };
    size_t index = 0;
    return check_word(&WORDS, asset_type, &index, err);
}

/* As above: a wrong size is a mistake of the caller, not of the data. */
static pgc_status size_check(slice size, pgc_error *err)
{
    static const check_words WORDS = { "thumbnail size", THUMBNAIL_SIZES,
                                       ARRAY_LEN(THUMBNAIL_SIZES) };
    size_t index = 0;
    return check_word(&WORDS, size, &index, err);
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

/* Where a page begins: both are absent for the first one. */
static pgc_opt_uuid page_after(lum_page page)
{
    return page.behind != NULL ? (pgc_opt_uuid) { true, page.behind->asset_id }
                               : (pgc_opt_uuid) { .has = false };
}

static pgc_opt_timestamptz page_after_upload(lum_page page)
{
    return page.behind != NULL ? (pgc_opt_timestamptz) { true, page.behind->uploaded_at }
                               : (pgc_opt_timestamptz) { .has = false };
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

static pgc_status texts_check(const repo_create_asset_params *row, pgc_error *err)
{
    const struct {
        const char *what;
        slice text;
        size_t max_chars;
    } texts[] = {
        { "file name", row->original_filename, 255 },
        { "MIME type", row->mime_type, 100 },
        { "camera make", row->camera_make, LUM_CAMERA_CHARS_MAX },
        { "camera model", row->camera_model, LUM_CAMERA_CHARS_MAX },
        { "lens model", row->lens_model, LUM_CAMERA_CHARS_MAX },
        { "shutter speed", row->shutter_speed, LUM_SHUTTER_CHARS_MAX },
        { "description", row->description, LUM_DESCRIPTION_CHARS_MAX },
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        TRY(check_chars(texts[i].what, texts[i].text, texts[i].max_chars, err));
    }
    TRY(check_text("file path", row->file_path, PATH_BYTES_MAX, err));
    return check_text("content hash", row->file_hash, HASH_BYTES_MAX, err);
}

/* The policies would refuse a foreign owner too, but as a failed check of some table. */
static pgc_status row_check(lum_actor actor, const repo_create_asset_params *row, pgc_error *err)
{
    static const check_words SOURCE_WORDS = { "source of the time of capture", TIME_SOURCES,
                                              ARRAY_LEN(TIME_SOURCES) };
    size_t index = 0;
    TRY(lum_asset_check_type(row->asset_type, err));
    if (row->owner_id != actor.user_id) {
        return pgc_error_set(err, PGC_DENIED, "owner %" PRId32 " is not the actor", row->owner_id);
    }
    if (row->file_size < 0 || row->original_filename.len == 0 || row->file_path.len == 0 ||
        (row->file_hash.ptr != NULL && row->file_hash.len == 0)) {
        return pgc_error_set(err, PGC_INVALID,
                             "a name, a path and a size are needed, a hash is not empty");
    }
    if (row->rating.has && (row->rating.v < 0 || row->rating.v > LUM_RATING_MAX)) {
        return pgc_error_set(err, PGC_INVALID, "rating %" PRId32 ": 0 to %d", row->rating.v,
                             LUM_RATING_MAX);
    }
    TRY(row->taken_source.ptr == NULL ? PGC_OK
                                      : check_word(&SOURCE_WORDS, row->taken_source, &index, err));
    return texts_check(row, err);
}

pgc_status lum_asset_create(lum_actor actor, const repo_create_asset_params *params,
                            repo_asset_set *out, bool *duplicate, pgc_error *err)
{
    bool found = false;
    pgc_status status = row_check(actor, params, err);
    if (status == PGC_OK) {
        status = create_or_find(actor, params, out, &found, err);
    }
    if (status == PGC_CONFLICT && err != NULL &&
        strcmp(err->constraint, "assets_repository_owner_fkey") == 0) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such repository");
    }
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "create asset \"%" SLICE_FMT "\"",
                              SLICE_ARG(check_quote(params->original_filename)));
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
    TRY(check_text("content hash", file_hash, HASH_BYTES_MAX, err));
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
        .after_uploaded_at = page_after_upload(page),
        .after_id = page_after(page),
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
                                                     .after_uploaded_at = page_after_upload(page),
                                                     .after_id = page_after(page),
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
    TRY(check_text("search: the text", text, QUERY_BYTES_MAX, err));
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
    const repo_list_assets_with_thumbnails_params params = {
        .after_uploaded_at = page_after_upload(page),
        .after_id = page_after(page),
        .row_limit = page.limit,
        .row_offset = page.offset,
    };
    return pgc_error_wrap(err, repo_list_assets_with_thumbnails(actor.db, &params, out, err),
                          "list assets with thumbnails");
}

static pgc_status thumbnail_check(lum_actor actor, const repo_create_thumbnail_params *row,
                                  pgc_error *err)
{
    if (row->owner_id != actor.user_id) {
        return pgc_error_set(err, PGC_DENIED, "owner %" PRId32 " is not the actor", row->owner_id);
    }
    if (row->file_path.len == 0) {
        return pgc_error_set(err, PGC_INVALID, "a file path is needed");
    }
    TRY(check_text("file path", row->file_path, PATH_BYTES_MAX, err));
    return check_chars("MIME type", row->mime_type, 100, err);
}

pgc_status lum_thumbnail_create(lum_actor actor, const repo_create_thumbnail_params *params,
                                repo_thumbnail_set *out, pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    TRY(size_check(params->size, err));
    pgc_uuid_format(&params->asset_id, id);
    pgc_status status = thumbnail_check(actor, params, err);
    if (status == PGC_OK) {
        status = repo_create_thumbnail(actor.db, params, out, err);
    }
    if (status == PGC_CONFLICT && err != NULL &&
        strcmp(err->constraint, "thumbnails_asset_owner_fkey") == 0) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such asset");
    }
    return pgc_error_wrap(err, status, "create %" SLICE_FMT " thumbnail of asset %s",
                          SLICE_ARG(params->size), id);
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
