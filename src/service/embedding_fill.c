/* Vectors for assets that have none by a model: thumbnail, server, row, one after another. Done
 * again it finds what is still missing. One thread per call. */
#include "base/prelude.h"

#include "service/embedding_fill.h"

#include <fcntl.h>

#include "base/file.h"
#include "repo/repositories.h"
#include "service/asset.h"
#include "service/embedding.h"

#define PIECE 100 /* assets asked for at a time */

/* The bytes of the medium thumbnail. */
static pgc_status picture_read(lum_actor actor, const env *e, pgc_uuid asset_id, buf *out,
                               pgc_error *err)
{
    char path[PATH_MAX];
    repo_asset_set assets = PGC_ZERO;
    repo_thumbnail_set thumbnails = PGC_ZERO;
    repo_repository_set repositories = PGC_ZERO;
    buf_reset(out);
    TRY(lum_asset_get(actor, asset_id, &assets, err));
    pgc_opt_uuid repository_id = assets.rows[0].repository_id;
    repo_asset_set_free(&assets);
    if (!repository_id.has) {
        return pgc_error_set(err, PGC_NOT_FOUND, "the asset has no repository");
    }
    TRY(lum_thumbnail_get(actor, asset_id, "medium", &thumbnails, err));
    pgc_status status = repo_get_repository(actor.db, repository_id.v, &repositories, err);
    if (status == PGC_OK) {
        int length =
            snprintf(path, sizeof path, "%" SLICE_FMT "/%" SLICE_FMT,
                     SLICE_ARG(repositories.rows[0].path), SLICE_ARG(thumbnails.rows[0].file_path));
        status = length > 0 && (size_t) length < sizeof path
                     ? file_read(e, AT_FDCWD, path, out, err)
                     : pgc_error_set(err, PGC_LIMIT, "path of the thumbnail is too long");
    }
    repo_repository_set_free(&repositories);
    repo_thumbnail_set_free(&thumbnails);
    return status;
}

static pgc_status asset_fill(lum_actor actor, ml_embedder *embedder, const char *model,
                             pgc_uuid asset_id, const buf *picture, pgc_error *err)
{
    float vector[1][ML_DIM];
    const ml_input input = { ML_IMAGE, buf_view(picture), "image/webp" };
    TRY(ml_embed(embedder, model, &input, 1, vector, err));
    return lum_embedding_save(actor, asset_id, vector[0], ML_DIM, model, NULL, err);
}

/* One asset's failure is counted; a server that is away, or a database, ends the call. */
static pgc_status piece_fill(lum_actor actor, const env *e, ml_embedder *embedder,
                             const char *model, const repo_list_assets_to_embed_set *set,
                             lum_fill_counts *out, pgc_error *err)
{
    pgc_status status = PGC_OK;
    AUTO(buf_auto) buf picture;
    buf_init(&picture, e->alloc, ML_IMAGE_MAX);
    for (size_t i = 0; i < set->count && status == PGC_OK; i++) {
        if (picture_read(actor, e, set->rows[i], &picture, err) != PGC_OK) {
            out->without_picture++;
            continue;
        }
        status = asset_fill(actor, embedder, model, set->rows[i], &picture, err);
        out->embedded += status == PGC_OK ? 1 : 0;
        if (status == PGC_PROTOCOL || status == PGC_INVALID || status == PGC_LIMIT) {
            out->refused++;
            status = PGC_OK;
        }
    }
    return status;
}

pgc_status lum_embedding_fill(lum_actor actor, const env *e, ml_embedder *embedder,
                              const char *model, lum_fill_counts *out, pgc_error *err)
{
    bool more = true;
    pgc_uuid after = { { 0 } };
    pgc_status status = PGC_OK;
    *out = (lum_fill_counts) { .embedded = 0 };
    while (status == PGC_OK && more) {
        repo_list_assets_to_embed_set set = PGC_ZERO;
        TRY(lum_embedding_missing(actor, model, after, PIECE, &set, err));
        status = piece_fill(actor, e, embedder, model, &set, out, err);
        more = set.count == PIECE;
        after = set.count > 0 ? set.rows[set.count - 1] : after;
        repo_list_assets_to_embed_set_free(&set);
    }
    if (status == PGC_OK) {
        pgc_error_clear(err);
    }
    return pgc_error_wrap(err, status, "embed the assets that model %s lacks", model);
}
