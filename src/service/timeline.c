/* The timeline service. The counts come from asset_days, which triggers keep; the assets of a
 * period are a list like any other. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/timeline.h"

#define DAY_US (INT64_C(24) * 3600 * 1000000)

pgc_status lum_timeline_months(lum_actor actor, repo_list_timeline_months_row_set *out,
                               pgc_error *err)
{
    return pgc_error_wrap(err, repo_list_timeline_months(actor.db, actor.user_id, out, err),
                          "list months");
}

/* A time of day is no period. */
static pgc_status period_check(const lum_when *period, pgc_error *err)
{
    return period->has_time ? pgc_error_set(err, PGC_INVALID,
                                            "timeline: give a year, a month or a day as 2024, "
                                            "2024-05 or 2024-05-31")
                            : PGC_OK;
}

pgc_status lum_timeline_days(lum_actor actor, const lum_when *period,
                             repo_list_timeline_days_row_set *out, pgc_error *err)
{
    TRY(period_check(period, err));
    assert(period->first.us % DAY_US == 0 && period->next.us % DAY_US == 0);
    const repo_list_timeline_days_params params = {
        .owner_id = actor.user_id,
        .from_day = { (int32_t) (period->first.us / DAY_US) },
        .before_day = { (int32_t) (period->next.us / DAY_US) },
    };
    return pgc_error_wrap(err, repo_list_timeline_days(actor.db, &params, out, err), "list days");
}

pgc_status lum_timeline_page(lum_actor actor, const lum_when *period, int32_t limit, slice cursor,
                             lum_asset_page *out, pgc_error *err)
{
    TRY(period_check(period, err));
    const lum_filter filter = { .taken_from = { .has = true, .us = period->first.us },
                                .taken_before = { .has = true, .us = period->next.us } };
    const lum_list list = { .filter = &filter, .limit = limit, .cursor = cursor };
    return lum_asset_filter(actor, &list, out, err);
}

pgc_status lum_timeline_repair(lum_actor actor, int32_t *mended, pgc_error *err)
{
    return pgc_error_wrap(err, repo_count_timeline_days(actor.db, mended, err), "count days again");
}
