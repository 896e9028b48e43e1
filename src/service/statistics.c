/* Statistics: one typed query each. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/statistics.h"

#include "repo/albums.h"
#include "repo/tags.h"
#include "repo/timeline.h"
#include "service/check.h"

pgc_status lum_stats_totals(lum_actor actor, repo_get_totals_row_set *out, pgc_error *err)
{
    return pgc_error_wrap(err, repo_get_totals(actor.db, actor.user_id, out, err), "totals");
}

pgc_status lum_stats_cameras(lum_actor actor, int32_t limit, repo_count_by_camera_row_set *out,
                             pgc_error *err)
{
    const repo_count_by_camera_params params = { .owner_id = actor.user_id, .row_limit = limit };
    TRY(check_limit("count by camera", limit, err));
    return pgc_error_wrap(err, repo_count_by_camera(actor.db, &params, out, err),
                          "count by camera");
}

pgc_status lum_stats_lenses(lum_actor actor, int32_t limit, repo_count_by_lens_row_set *out,
                            pgc_error *err)
{
    const repo_count_by_lens_params params = { .owner_id = actor.user_id, .row_limit = limit };
    TRY(check_limit("count by lens", limit, err));
    return pgc_error_wrap(err, repo_count_by_lens(actor.db, &params, out, err), "count by lens");
}

pgc_status lum_stats_years(lum_actor actor, repo_count_by_year_row_set *out, pgc_error *err)
{
    return pgc_error_wrap(err, repo_count_by_year(actor.db, actor.user_id, out, err),
                          "count by year");
}

pgc_status lum_stats_storage(lum_actor actor, repo_count_by_repository_row_set *out, pgc_error *err)
{
    return pgc_error_wrap(err, repo_count_by_repository(actor.db, actor.user_id, out, err),
                          "count by repository");
}

pgc_status lum_stats_tags(lum_actor actor, int32_t limit, repo_count_by_tag_row_set *out,
                          pgc_error *err)
{
    const repo_count_by_tag_params params = { .owner_id = actor.user_id, .row_limit = limit };
    TRY(check_limit("count by tag", limit, err));
    return pgc_error_wrap(err, repo_count_by_tag(actor.db, &params, out, err), "count by tag");
}

pgc_status lum_stats_recount(lum_actor actor, lum_recounted *out, pgc_error *err)
{
    lum_recounted mended = PGC_ZERO;
    pgc_status status = repo_count_timeline_days(actor.db, &mended.days, err);
    if (status == PGC_OK) {
        status = repo_count_tag_assets(actor.db, &mended.tags, err);
    }
    if (status == PGC_OK) {
        status = repo_count_album_assets(actor.db, &mended.albums, err);
    }
    if (status == PGC_OK) {
        status = repo_count_library(actor.db, &mended.library, err);
    }
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "count everything again");
    }
    assert(mended.days >= 0 && mended.tags >= 0 && mended.albums >= 0 && mended.library >= 0);
    *out = mended;
    return PGC_OK;
}
