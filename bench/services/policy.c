/* What row-level security costs: the same statement with the owner's predicate in it, below the
 * policies and past them, as the superuser without an identity. */
#include "parts.h"

static pgc_status page_of_kind(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    static const char *const TYPES[] = { "photo", "video" };
    const lum_filter filter = { .asset_type = pgc_text_from(TYPES[turn % 2]) };
    const lum_list list = { .filter = &filter, .sort = LUM_SORT_UPLOADED, .limit = 50 };
    lum_asset_page page = { 0 };
    (void) site;
    pgc_status status = lum_asset_filter(actor, &list, &page, err);
    lum_asset_page_free(&page);
    return status;
}

static pgc_status past_policies(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    const lum_actor free_actor = { pgc_pool_db(site->owner_pool), actor.user_id };
    return page_of_kind(site, free_actor, turn, err);
}

static double time_below(void *ctx)
{
    const probe one = { .name = "page below the policies", .call = page_of_kind, .calls = 1000 };
    return probe_time(ctx, &one, 50);
}

static double time_past(void *ctx)
{
    const probe one = { .name = "page past the policies", .call = past_policies, .calls = 1000 };
    return probe_time(ctx, &one, 50);
}

void policy_rows(bench_rows *rows, services_site *big, services_site *small)
{
    (void) small;
    rows_add(rows, (bench_case) { .name = "row-level security, a page",
                                  .unit = "ms",
                                  .other_is = "owner predicate alone, no policies",
                                  .ours = time_below,
                                  .other = time_past,
                                  .ctx = big,
                                  .goal = BENCH_AT_MOST,
                                  .bound = 1.10 });
}
