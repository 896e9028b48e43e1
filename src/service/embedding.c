/* Embeddings and the models that they are of. Vectors are checked and brought to length 1 here: the
 * index leaves out zero vectors without a word, and half precision would overflow. No state. */
#include "base/prelude.h"

#include "service/embedding.h"

#include "base/slice.h"
#include "service/asset.h"
#include "service/check.h"

#define UNIT_ERROR_MOST 1e-3

static pgc_status model_check(const char *model, pgc_error *err)
{
    slice name = pgc_text_from(model);
    if (name.len == 0 || name.len > LUM_MODEL_NAME_MAX || !slice_is_utf8(name)) {
        return pgc_error_set(err, PGC_INVALID,
                             "embedding model \"%" SLICE_FMT "\": a name of 1 to %d bytes",
                             SLICE_ARG(check_quote(name)), LUM_MODEL_NAME_MAX);
    }
    return PGC_OK;
}

/* Summed as doubles: the largest floats squared would be infinite. */
pgc_status lum_embedding_prepare(const float *vector, size_t dim, uint16_t out[LUM_EMBEDDING_DIM],
                                 pgc_error *err)
{
    if (dim != LUM_EMBEDDING_DIM) {
        return pgc_error_set(err, PGC_INVALID, "embedding of %zu dimensions: this library has %d",
                             dim, LUM_EMBEDDING_DIM);
    }
    double sum = 0;
    for (size_t i = 0; i < dim; i++) {
        if (!isfinite(vector[i])) {
            return pgc_error_set(err, PGC_INVALID, "embedding: component %zu is not finite", i + 1);
        }
        sum += (double) vector[i] * (double) vector[i];
    }
    double norm = sqrt(sum);
    if (norm < LUM_EMBEDDING_NORM_LEAST) {
        return pgc_error_set(err, PGC_INVALID, "embedding: all components are zero or nearly so");
    }
    for (size_t i = 0; i < dim; i++) {
        out[i] = pgc_half_from_float((float) ((double) vector[i] / norm));
    }
    return PGC_OK;
}

/* What a foreign key says in its own words: whose row is missing. */
static pgc_status save_explain(pgc_status status, const char *model, pgc_error *err)
{
    if (status != PGC_CONFLICT || err == NULL) {
        return status;
    }
    if (strcmp(err->constraint, "embeddings_model_fkey") == 0) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no embedding model \"%s\"", model);
        pgc_error_hint(err, "lumilio model add NAME makes a model known");
    } else if (strcmp(err->constraint, "embeddings_asset_owner_fkey") == 0) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such asset");
    }
    return status;
}

pgc_status lum_embedding_save(lum_actor actor, pgc_uuid asset_id, const float *vector, size_t dim,
                              const char *model, bool *changed, pgc_error *err)
{
    pgc_error own;
    uint16_t half[LUM_EMBEDDING_DIM];
    int64_t affected = 0;
    err = err != NULL ? err : &own; /* the constraint's name decides the status */
    model = model != NULL ? model : LUM_MODEL_SEED;
    TRY(model_check(model, err));
    TRY(lum_embedding_prepare(vector, dim, half, err));
    const repo_save_new_embedding_params params = { .asset_id = asset_id,
                                                    .owner_id = actor.user_id,
                                                    .embedding = { half, LUM_EMBEDDING_DIM },
                                                    .model_version = pgc_text_from(model) };
    pgc_status status = repo_save_new_embedding(actor.db, &params, &affected, err);
    if (status != PGC_OK) {
        char id[PGC_UUID_TEXT_SIZE];
        pgc_uuid_format(&asset_id, id);
        return pgc_error_wrap(err, save_explain(status, model, err), "save embedding of asset %s",
                              id);
    }
    assert(affected == 0 || affected == 1);
    if (changed != NULL) {
        *changed = affected == 1;
    }
    return PGC_OK;
}

pgc_status lum_embedding_get(lum_actor actor, pgc_uuid asset_id, const char *model,
                             float out[LUM_EMBEDDING_DIM], pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    repo_get_embedding_set set = PGC_ZERO;
    model = model != NULL ? model : LUM_MODEL_SEED;
    TRY(model_check(model, err));
    const repo_get_embedding_params params = { .asset_id = asset_id,
                                               .model_version = pgc_text_from(model) };
    pgc_uuid_format(&asset_id, id);
    pgc_status status = repo_get_embedding(actor.db, &params, &set, err);
    if (status == PGC_NOT_FOUND) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "it has none by this model");
    }
    if (status == PGC_OK && set.rows[0].dim != LUM_EMBEDDING_DIM) {
        status = pgc_error_set(err, PGC_SCHEMA, "the database has %" PRIu32 " dimensions",
                               set.rows[0].dim);
    }
    for (size_t i = 0; status == PGC_OK && i < LUM_EMBEDDING_DIM; i++) {
        out[i] = pgc_half_to_float(set.rows[0].v[i]);
    }
    repo_get_embedding_set_free(&set);
    return pgc_error_wrap(err, status, "get embedding of asset %s", id);
}

pgc_status lum_embedding_is_since(lum_actor actor, pgc_uuid asset_id, const char *model,
                                  pgc_timestamptz since, bool *out, pgc_error *err)
{
    TRY(model_check(model, err));
    const repo_is_embedded_since_params params = { .asset_id = asset_id,
                                                   .model_version = pgc_text_from(model),
                                                   .since = since };
    return pgc_error_wrap(err, repo_is_embedded_since(actor.db, &params, out, err),
                          "look at the embedding of an asset");
}

pgc_status lum_embedding_missing(lum_actor actor, const char *model, pgc_uuid after, int32_t limit,
                                 repo_list_assets_to_embed_set *out, pgc_error *err)
{
    TRY(model_check(model, err));
    if (limit < 1 || limit > LUM_PAGE_MAX) {
        return pgc_error_set(err, PGC_INVALID, "page of %" PRId32 " assets: 1 to %d", limit,
                             LUM_PAGE_MAX);
    }
    const repo_list_assets_to_embed_params params = { .owner_id = actor.user_id,
                                                      .after_asset_id = after,
                                                      .model_version = pgc_text_from(model),
                                                      .row_limit = limit };
    return pgc_error_wrap(err, repo_list_assets_to_embed(actor.db, &params, out, err),
                          "list assets without embedding by %s", model);
}

pgc_status lum_model_list(lum_actor actor, repo_list_embedding_models_row_set *out, pgc_error *err)
{
    return pgc_error_wrap(err, repo_list_embedding_models(actor.db, actor.user_id, out, err),
                          "list embedding models");
}

pgc_status lum_model_active(lum_actor actor, char out[LUM_MODEL_NAME_MAX + 1], pgc_error *err)
{
    repo_get_active_embedding_model_set set = PGC_ZERO;
    pgc_status status = repo_get_active_embedding_model(actor.db, &set, err);
    if (status == PGC_OK) {
        (void) snprintf(out, LUM_MODEL_NAME_MAX + 1, "%" SLICE_FMT, SLICE_ARG(set.rows[0]));
        repo_get_active_embedding_model_set_free(&set);
    }
    return pgc_error_wrap(err, status, "find the active embedding model");
}

/* Models come and go rarely: a connection for the call, gone again with the owner's rights. */
static pgc_status owner_connect(const lum_library *library, pgc_conn **out, pgc_error *err)
{
    const pgc_conn_options options = { .struct_size = sizeof options,
                                       .conninfo = lum_library_url(library),
                                       .app_name = "lumilio",
                                       .alloc = lum_library_env(library)->alloc };
    return pgc_conn_open(&options, out, err);
}

pgc_status lum_model_add(const lum_library *library, const char *model, bool *added, pgc_error *err)
{
    pgc_conn *conn = NULL;
    bool is_new = false;
    TRY(model_check(model, err));
    TRY(owner_connect(library, &conn, err));
    pgc_status status =
        repo_add_embedding_model(pgc_conn_db(conn), pgc_text_from(model), &is_new, err);
    pgc_conn_close(conn);
    if (status == PGC_OK && added != NULL) {
        *added = is_new;
    }
    return pgc_error_wrap(err, status, "add embedding model \"%s\"", model);
}

pgc_status lum_model_use(const lum_library *library, const char *model, bool although_incomplete,
                         int64_t *missing, pgc_error *err)
{
    pgc_conn *conn = NULL;
    int64_t lacks = 0;
    const repo_use_embedding_model_params params = { .model_version = pgc_text_from(model),
                                                     .although_incomplete = although_incomplete };
    TRY(model_check(model, err));
    TRY(owner_connect(library, &conn, err));
    pgc_status status = repo_use_embedding_model(pgc_conn_db(conn), &params, &lacks, err);
    pgc_conn_close(conn);
    if (status == PGC_OK) {
        *missing = lacks > 0 ? lacks : 0;
        if (lacks < 0) {
            status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such model");
        } else if (lacks > 0 && !although_incomplete) {
            status =
                pgc_error_set(err, PGC_CONFLICT, "%" PRId64 " assets lack its embedding", lacks);
            pgc_error_hint(err, "lumilio model fill asks for them, --force switches all the same");
        }
    }
    return pgc_error_wrap(err, status, "use embedding model \"%s\"", model);
}

pgc_status lum_graph_connect(const lum_library *library, pgc_conn **out, pgc_error *err)
{
    return pgc_error_wrap(err, owner_connect(library, out, err), "connect as the tables' owner");
}

pgc_status lum_graph_make(pgc_db *db, int64_t at_least, char out[LUM_GRAPH_NAME_MAX + 1],
                          pgc_error *err)
{
    repo_make_embedding_graph_set set = PGC_ZERO;
    if (at_least < 0) {
        return pgc_error_set(err, PGC_INVALID, "at_least %" PRId64 ": no number of vectors",
                             at_least);
    }
    pgc_status status =
        repo_make_embedding_graph(db, at_least > 0 ? at_least : LUM_GRAPH_LEAST, &set, err);
    if (status == PGC_OK) {
        (void) snprintf(out, LUM_GRAPH_NAME_MAX + 1, "%" SLICE_FMT, SLICE_ARG(set.rows[0]));
        repo_make_embedding_graph_set_free(&set);
    }
    return pgc_error_wrap(err, status, "make a graph of one owner's vectors");
}
