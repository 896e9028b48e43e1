/* The asset service: the seed's AssetService as far as this version has it. */
#ifndef SERVICE_ASSET_H
#define SERVICE_ASSET_H

#include "repo/assets.h"
#include "repo/thumbnails.h"
#include "service/session.h"

#define LUM_PAGE_MAX 1000 /* rows of one page */

/* What an asset may say of itself, whether a file or a person says it. */
#define LUM_RATING_MAX            5   /* stars; 0 is not rated */
#define LUM_CAMERA_CHARS_MAX      100 /* each of make, model and lens */
#define LUM_SHUTTER_CHARS_MAX     50
#define LUM_DESCRIPTION_CHARS_MAX 10000

/* Every function: PGC_INVALID for arguments out of range, else what pgc_db_run() returns. Outputs
 * are written only on PGC_OK; sets are freed by their repo_…_set_free(). Another user's rows are as
 * if they were not there. */

/* photo, video or audio, else PGC_INVALID. */
pgc_status lum_asset_check_type(pgc_text asset_type, pgc_error *err) PGC_MUST_CHECK;
/* Create an asset record. asset_type must be photo, video or audio; owner_id must be the actor's
 * (PGC_DENIED). When the owner has a live asset of the same hash and size, that one is the answer
 * and *duplicate is true. */
pgc_status lum_asset_create(lum_actor actor, const repo_create_asset_params *params,
                            repo_asset_set *out, bool *duplicate, pgc_error *err) PGC_MUST_CHECK;
/* A live asset; PGC_NOT_FOUND when there is none that the actor may see. */
pgc_status lum_asset_get(lum_actor actor, pgc_uuid asset_id, repo_asset_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* The live asset with this content; PGC_NOT_FOUND when there is none. */
pgc_status lum_asset_get_by_content(lum_actor actor, pgc_text file_hash, int64_t file_size,
                                    repo_asset_set *out, pgc_error *err) PGC_MUST_CHECK;
/* What a person says of an asset: a JSON object of the members to change, {"rating": 4,
 * "description": null}; null clears. Names: taken_at, camera_make, camera_model, lens_model, iso,
 * aperture, shutter_speed, focal_length, latitude, longitude, altitude, description, rating, liked.
 * All or nothing: PGC_INVALID says what and where; PGC_NOT_FOUND when there is no such asset. */
pgc_status lum_asset_update_metadata(lum_actor actor, pgc_uuid asset_id, pgc_text json,
                                     repo_asset_set *out, pgc_error *err) PGC_MUST_CHECK;
/* Whether such a member is a text, of which a number, too, is one. */
bool lum_asset_metadata_is_text(const char *name);
/* Into the trash, and back. */
pgc_status lum_asset_delete(lum_actor actor, pgc_uuid asset_id, pgc_error *err) PGC_MUST_CHECK;
pgc_status lum_asset_restore(lum_actor actor, pgc_uuid asset_id, pgc_error *err) PGC_MUST_CHECK;

/* Pages: limit 1..LUM_PAGE_MAX, offset >= 0; newest upload first. asset_type NULL: all. All before
 * an offset is read and thrown away; behind a row any page is as fast as the first. */
typedef struct lum_page {
    int32_t limit;
    int32_t offset;
    const repo_asset *behind; /* last row of the page before; NULL: the first one (a search has no
                                 other). An offset counts from there */
} lum_page;
pgc_status lum_asset_list(lum_actor actor, const char *asset_type, lum_page page,
                          repo_asset_set *out, pgc_error *err) PGC_MUST_CHECK;
pgc_status lum_asset_list_by_owner(lum_actor actor, int32_t owner_id, lum_page page,
                                   repo_asset_set *out, pgc_error *err) PGC_MUST_CHECK;
/* File name, description, camera, lens. Empty or blank text is PGC_INVALID. */
pgc_status lum_asset_search(lum_actor actor, const char *query, const char *asset_type,
                            lum_page page, repo_asset_set *out, pgc_error *err) PGC_MUST_CHECK;
/* Assets with their thumbnails as a JSON array: one query. */
pgc_status lum_asset_list_with_thumbnails(lum_actor actor, lum_page page,
                                          repo_list_assets_with_thumbnails_row_set *out,
                                          pgc_error *err) PGC_MUST_CHECK;

/* size: small, medium or large. A second one of the same size replaces the first. */
pgc_status lum_thumbnail_create(lum_actor actor, const repo_create_thumbnail_params *params,
                                repo_thumbnail_set *out, pgc_error *err) PGC_MUST_CHECK;
/* All of an asset, smallest first. */
pgc_status lum_thumbnail_list(lum_actor actor, pgc_uuid asset_id, repo_thumbnail_set *out,
                              pgc_error *err) PGC_MUST_CHECK;
pgc_status lum_thumbnail_get(lum_actor actor, pgc_uuid asset_id, const char *size,
                             repo_thumbnail_set *out, pgc_error *err) PGC_MUST_CHECK;

#endif
