/* The trash. Rows go before files: a file whose row is gone is removed later, a row whose file is
 * gone would be a lie. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/trash.h"

#include "service/asset.h"

#define BATCH 500

/* Cursors of the trash fit no other list. */
static bool trash_digest(lum_actor actor, uint8_t out[static SHA256_SIZE])
{
    char name[32];
    int length = snprintf(name, sizeof name, "trash %" PRId32, actor.user_id);
    return sha256_of(name, (size_t) length, out);
}

pgc_status lum_trash_list(lum_actor actor, int32_t limit, slice cursor, lum_asset_page *out,
                          pgc_error *err)
{
    uint8_t digest[SHA256_SIZE];
    char room[LUM_CURSOR_SIZE];
    cursor_key key;
    lum_asset_page page = { .total = -1 };
    repo_list_trash_params params = { .owner_id = actor.user_id, .row_limit = (int64_t) limit + 1 };
    if (limit < 1 || limit > LUM_PAGE_MAX) {
        return pgc_error_set(err, PGC_INVALID,
                             "list the trash: a page of %" PRId32 " rows; 1 to %d", limit,
                             LUM_PAGE_MAX);
    }
    if (!trash_digest(actor, digest)) {
        return pgc_error_set(err, PGC_NOMEM, "list the trash");
    }
    if (cursor.ptr != NULL) {
        TRY(cursor_read(cursor, digest, room, &key, err));
        params.after_id = (pgc_opt_uuid) { true, key.asset_id };
        params.after_deleted_at = (pgc_opt_timestamptz) { true, { key.first } };
    }
    TRY(pgc_error_wrap(err, repo_list_trash(actor.db, &params, &page.assets, err),
                       "list the trash"));
    if (page.assets.count > (size_t) limit) {
        const repo_asset *last = &page.assets.rows[limit - 1];
        page.assets.count = (size_t) limit;
        key = (cursor_key) { .asset_id = last->asset_id, .first = last->deleted_at.v.us };
        pgc_status status = cursor_write(&key, digest, page.next, err);
        if (status != PGC_OK) {
            lum_asset_page_free(&page);
            return status;
        }
    }
    *out = page;
    return PGC_OK;
}

/* One batch in a transaction of its own: locks are held briefly, whatever the trash holds. */
static pgc_status purge_batch(lum_actor actor, const lum_purge *purge, int64_t *assets,
                              lum_purged *sum, pgc_error *err)
{
    repo_purge_assets_row_set done = { 0 };
    const repo_purge_assets_params params = {
        .owner_id = actor.user_id,
        .age = { .us = purge->age_us },
        .keep_files = { .us = purge->keep_files_us },
        .asset_id = purge->asset_id,
        .row_limit = BATCH,
    };
    TRY(repo_purge_assets(actor.db, &params, &done, err));
    *assets = done.rows[0].assets;
    sum->assets += done.rows[0].assets;
    sum->files += done.rows[0].files;
    sum->bytes += done.rows[0].bytes;
    repo_purge_assets_row_set_free(&done);
    return PGC_OK;
}

pgc_status lum_trash_purge(lum_actor actor, const lum_purge *purge, lum_purged *out, pgc_error *err)
{
    lum_purged sum = { 0 };
    int64_t assets = 0;
    if (purge->age_us < 0 || purge->keep_files_us < 0) {
        return pgc_error_set(err, PGC_INVALID, "purge the trash: an age is negative");
    }
    pgc_status status = PGC_OK;
    do {
        status = purge_batch(actor, purge, &assets, &sum, err);
    } while (status == PGC_OK && assets == BATCH);
    *out = sum;
    if (status == PGC_OK && purge->asset_id.has && sum.assets == 0) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "the asset is not in it");
    }
    return pgc_error_wrap(err, status, "purge the trash");
}
