/* Vectors for assets that have none by a model: thumbnails, server, rows, a request's worth at a
 * time. Done again it finds what is still missing. One thread per call. */
#include "base/prelude.h"

#include "service/embedding_fill.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/file.h"
#include "repo/repositories.h"
#include "service/asset.h"
#include "service/embedding.h"

#define PIECE 100 /* assets asked for at a time */

pgc_status lum_embedding_picture(lum_actor actor, const env *e, pgc_uuid asset_id, buf *out,
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

/* One request on its way. */
typedef struct load {
    size_t count;
    pgc_uuid ids[ML_ITEMS_MAX];
    buf pictures[ML_ITEMS_MAX];
    ml_item items[ML_ITEMS_MAX];
    float vectors[ML_ITEMS_MAX][ML_DIM];
} load;

/* Everything that a call needs. */
typedef struct fill {
    lum_actor actor;
    const env *env;
    ml_embedder *embedder;
    const char *model;
    lum_fill_counts *counts;
    load *load;
} fill;

/* The vector of one answer. One asset's failure is counted; a server that is away, or a database,
 * ends the call. */
static pgc_status item_store(const fill *f, size_t at, pgc_error *err)
{
    const ml_item *item = &f->load->items[at];
    pgc_status status = item->status;
    if (status != PGC_OK) {
        if (err != NULL) {
            *err = item->err;
        }
    } else {
        status =
            lum_embedding_save(f->actor, f->load->ids[at], item->out, ML_DIM, f->model, NULL, err);
    }
    if (status == PGC_PROTOCOL || status == PGC_INVALID || status == PGC_LIMIT ||
        status == PGC_UNSUPPORTED) {
        f->counts->refused++;
        return PGC_OK;
    }
    f->counts->embedded += status == PGC_OK ? 1 : 0;
    return status;
}

/* Ask for what has been gathered, and store what comes. */
static pgc_status load_send(const fill *f, pgc_error *err)
{
    ml_item *items[ML_ITEMS_MAX];
    load *l = f->load;
    pgc_status status = PGC_OK;
    for (size_t i = 0; i < l->count; i++) {
        l->items[i] =
            (ml_item) { .input = { ML_IMAGE, buf_view(&l->pictures[i]), LUM_PICTURE_MIME },
                        .out = l->vectors[i] };
        items[i] = &l->items[i];
    }
    if (l->count > 0) {
        ml_embed_items(f->embedder, f->model, items, l->count);
    }
    for (size_t i = 0; i < l->count && status == PGC_OK; i++) {
        status = item_store(f, i, err);
    }
    l->count = 0;
    return status;
}

/* Trouble of one asset's own: it has no picture, or none that can be read. */
static bool is_without_picture(pgc_status status)
{
    return status == PGC_NOT_FOUND || status == PGC_LIMIT || status == PGC_IO ||
           status == PGC_DENIED;
}

static pgc_status piece_fill(const fill *f, const repo_list_assets_to_embed_set *set, bool last,
                             pgc_error *err)
{
    load *l = f->load;
    size_t most = ml_batch(f->embedder);
    for (size_t i = 0; i < set->count; i++) {
        pgc_status status =
            lum_embedding_picture(f->actor, f->env, set->rows[i], &l->pictures[l->count], err);
        if (is_without_picture(status)) {
            f->counts->without_picture++;
            continue;
        }
        TRY(status);
        l->ids[l->count++] = set->rows[i];
        if (l->count == most) {
            TRY(load_send(f, err));
        }
    }
    return last ? load_send(f, err) : PGC_OK;
}

static pgc_status all_fill(const fill *f, pgc_error *err)
{
    bool more = true;
    pgc_uuid after = { { 0 } };
    pgc_status status = PGC_OK;
    while (status == PGC_OK && more) {
        repo_list_assets_to_embed_set set = PGC_ZERO;
        TRY(lum_embedding_missing(f->actor, f->model, after, PIECE, &set, err));
        more = set.count == PIECE;
        status = piece_fill(f, &set, !more, err);
        after = set.count > 0 ? set.rows[set.count - 1] : after;
        repo_list_assets_to_embed_set_free(&set);
    }
    return status;
}

pgc_status lum_embedding_fill(lum_actor actor, const env *e, ml_embedder *embedder,
                              const char *model, lum_fill_counts *out, pgc_error *err)
{
    fill f = { .actor = actor, .env = e, .embedder = embedder, .model = model, .counts = out };
    *out = (lum_fill_counts) { .embedded = 0 };
    f.load = MEM_NEW(e->alloc, load);
    if (f.load == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "embed assets");
    }
    for (size_t i = 0; i < ML_ITEMS_MAX; i++) {
        buf_init(&f.load->pictures[i], e->alloc, ML_IMAGE_MAX);
    }
    pgc_status status = all_fill(&f, err);
    for (size_t i = 0; i < ML_ITEMS_MAX; i++) {
        buf_done(&f.load->pictures[i]);
    }
    mem_free(e->alloc, f.load, sizeof *f.load);
    if (status == PGC_OK) {
        pgc_error_clear(err);
    }
    return pgc_error_wrap(err, status, "embed the assets that model %s lacks", model);
}
