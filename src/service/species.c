/* Species predictions: checks, then one typed query; replacing is one function of the database
 * (019_repositories_species.sql). No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/species.h"

#include <math.h>

#include "service/check.h"

#define MODEL_VERSION_MAX 50

/* Each name once: which of two confidences holds would be anybody's guess. */
static pgc_status run_check(const lum_species_run *run, pgc_error *err)
{
    if (run->count > LUM_SPECIES_MAX) {
        return pgc_error_set(err, PGC_INVALID, "species: %zu given, at most %d are allowed",
                             run->count, LUM_SPECIES_MAX);
    }
    if (run->model_version.ptr != NULL) {
        TRY(check_name("model version", run->model_version, MODEL_VERSION_MAX, err));
    }
    for (size_t i = 0; i < run->count; i++) {
        const lum_species *one = &run->species[i];
        TRY(check_name("species name", one->name, LUM_SPECIES_NAME_MAX, err));
        if (one->common_name.ptr != NULL) {
            TRY(check_name("common name", one->common_name, LUM_SPECIES_NAME_MAX, err));
        }
        TRY(check_confidence("species confidence", one->confidence, err));
        for (size_t k = 0; k < i; k++) {
            if (slice_eq(run->species[k].name, one->name)) {
                return pgc_error_set(err, PGC_INVALID, "species \"%" SLICE_FMT "\" is given twice",
                                     SLICE_ARG(one->name));
            }
        }
    }
    return PGC_OK;
}

static pgc_status about_asset(pgc_status status, pgc_uuid asset_id, const char *what,
                              pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    return pgc_error_wrap(err, status, "%s species of asset %s", what, id);
}

pgc_status lum_species_save(lum_actor actor, pgc_uuid asset_id, const lum_species_run *run,
                            pgc_error *err)
{
    pgc_text names[LUM_SPECIES_MAX];
    pgc_text common[LUM_SPECIES_MAX];
    double confidences[LUM_SPECIES_MAX];
    TRY(about_asset(run_check(run, err), asset_id, "save", err));
    for (size_t i = 0; i < run->count; i++) {
        names[i] = run->species[i].name;
        common[i] =
            run->species[i].common_name.ptr == NULL ? SLICE("") : run->species[i].common_name;
        confidences[i] = run->species[i].confidence;
    }
    const repo_save_species_params params = {
        .asset_id = asset_id,
        .names = { .has = true, .count = run->count, .v = names },
        .common_names = { .has = true, .count = run->count, .v = common },
        .confidences = { .has = true, .count = run->count, .v = confidences },
        .model_version = run->model_version,
    };
    return about_asset(repo_save_species(actor.db, &params, err), asset_id, "save", err);
}

pgc_status lum_species_list(lum_actor actor, pgc_uuid asset_id,
                            repo_list_species_of_asset_row_set *out, pgc_error *err)
{
    return about_asset(repo_list_species_of_asset(actor.db, asset_id, out, err), asset_id, "list",
                       err);
}

/* As the column confidence_e4 holds it. */
static int32_t e4(double confidence)
{
    assert(confidence >= 0 && confidence <= 1);
    return (int32_t) lround(confidence * 1e4);
}

pgc_status lum_species_count(lum_actor actor, double min_confidence, int32_t limit,
                             repo_count_species_row_set *out, pgc_error *err)
{
    TRY(check_limit("count species", limit, err));
    TRY(check_confidence("least confidence", min_confidence, err));
    const repo_count_species_params params = { .least_e4 = e4(min_confidence),
                                               .owner_id = actor.user_id,
                                               .row_limit = limit };
    return pgc_error_wrap(err, repo_count_species(actor.db, &params, out, err), "count species");
}

pgc_status lum_species_assets(lum_actor actor, const lum_species_query *query,
                              repo_list_assets_of_species_row_set *out, pgc_error *err)
{
    TRY(check_limit("assets of a species", query->limit, err));
    TRY(check_name("species name", query->name, LUM_SPECIES_NAME_MAX, err));
    TRY(check_confidence("least confidence", query->min_confidence, err));
    TRY(check_confidence("confidence of the page before", query->behind_confidence, err));
    const repo_list_assets_of_species_params params = {
        .owner_id = actor.user_id,
        .species_name = query->name,
        .least_e4 = e4(query->min_confidence),
        .after_e4 = { query->behind.has, e4(query->behind_confidence) },
        .after_id = query->behind,
        .row_limit = query->limit,
    };
    return pgc_error_wrap(err, repo_list_assets_of_species(actor.db, &params, out, err),
                          "list assets of species \"%" SLICE_FMT "\"", SLICE_ARG(query->name));
}
