/* What row-level security costs: the same statement with the owner's predicate in it, below the
 * policies and past them, as the superuser without an identity. */
#include "parts.h"

enum { PAIRS = 2000 };

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

/* Both sides of one round, taken call by call in turn: what else the machine does meets both. */
typedef struct policy_case {
    services_site *site;
    double below, past;
    bool has_below, has_past; /* measured and not yet asked for */
} policy_case;

static double call_time(services_site *site, probe_call call, uint32_t turn)
{
    double began = bench_now();
    pgc_status status = call(site, site_actor(site, turn), turn, &site->err);
    return status == PGC_OK ? (bench_now() - began) * 1e3 : BENCH_NONE;
}

/* False after a line on stderr. */
static bool measure_pairs(policy_case *c)
{
    static double below[PAIRS];
    static double past[PAIRS];
    for (uint32_t turn = 0; turn < PAIRS; turn++) {
        bool past_first = turn / 2 % 2 == 0;
        if (past_first) {
            past[turn] = call_time(c->site, past_policies, turn);
        }
        below[turn] = call_time(c->site, page_of_kind, turn);
        if (!past_first) {
            past[turn] = call_time(c->site, past_policies, turn);
        }
        if (isnan(below[turn]) || isnan(past[turn])) {
            (void) site_failed(c->site, "page below and past the policies");
            return false;
        }
    }
    c->below = bench_median(below, PAIRS);
    c->past = bench_median(past, PAIRS);
    c->has_below = c->has_past = true;
    return true;
}

static double time_below(void *ctx)
{
    policy_case *c = ctx;
    if (!c->has_below && !measure_pairs(c)) {
        return BENCH_NONE;
    }
    c->has_below = false;
    return c->below;
}

static double time_past(void *ctx)
{
    policy_case *c = ctx;
    if (!c->has_past && !measure_pairs(c)) {
        return BENCH_NONE;
    }
    c->has_past = false;
    return c->past;
}

void policy_rows(bench_rows *rows, services_site *big, services_site *small)
{
    static policy_case one;
    (void) small;
    one.site = big;
    rows_add(rows, (bench_case) { .name = "row-level security, a page",
                                  .unit = "ms",
                                  .other_is = "owner predicate alone, no policies",
                                  .ours = time_below,
                                  .other = time_past,
                                  .ctx = &one,
                                  .goal = BENCH_AT_MOST,
                                  .bound = 1.10 });
}
