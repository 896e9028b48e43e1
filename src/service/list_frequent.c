/* Frequent lists have statements that are prepared once: FilterAssets, which can do everything, is
 * planned at each call, and below row-level security planning takes longer than reading a page. No
 * state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/list_frequent.h"

/* What the two statements know of; everything else needs FilterAssets. */
enum { USES_NOTHING = 0, USES_KIND = 1, USES_TIME = 2, USES_MORE = 4 };

static unsigned uses_of(const lum_filter *filter, lum_actor actor)
{
    unsigned uses = USES_NOTHING;
    for (size_t i = 0; i < LUM_FILTER_FIELD_COUNT; i++) {
        const lum_filter_field *field = &LUM_FILTER_FIELDS[i];
        if (!lum_filter_has(filter, field)) {
            continue;
        }
        if (field->offset == offsetof(lum_filter, asset_type)) {
            uses |= USES_KIND;
        } else if (field->kind == LUM_FILTER_FROM || field->kind == LUM_FILTER_BEFORE) {
            uses |= USES_TIME;
        } else if (field->offset != offsetof(lum_filter, owner_id) ||
                   filter->owner_id.v != actor.user_id) {
            uses |= USES_MORE;
        }
    }
    return uses;
}

/* A period by the wall clock, which is what a timeline asks for. */
static bool is_period(const lum_filter *f)
{
    return f->taken_from.has && !f->taken_from.is_instant && f->taken_before.has &&
           !f->taken_before.is_instant;
}

bool list_is_frequent(const lum_filter *filter, lum_sort sort, lum_actor actor)
{
    unsigned uses = uses_of(filter, actor);
    return (uses & ~(unsigned) USES_KIND) == 0 ||
           (uses == USES_TIME && sort == LUM_SORT_TAKEN && is_period(filter));
}

/* The statement has each order twice, for the first page and for those behind a key. */
static repo_page_assets_sort order_of(lum_sort sort, const cursor_key *after)
{
    assert((int) REPO_PAGE_ASSETS_SORT_RATING_ASC == 2 * (int) REPO_FILTER_ASSETS_SORT_RATING_ASC);
    return (repo_page_assets_sort) (2 * (unsigned) sort + (after != NULL ? 1 : 0));
}

static pgc_status page_of_all(lum_actor actor, const lum_filter *filter, lum_sort sort,
                              int64_t limit, const cursor_key *after, repo_asset_set *out,
                              pgc_error *err)
{
    const cursor_key none = { .name = SLICE("") };
    const cursor_key *key = after != NULL ? after : &none;
    bool by_stars =
        sort == REPO_FILTER_ASSETS_SORT_RATING_DESC || sort == REPO_FILTER_ASSETS_SORT_RATING_ASC;
    const repo_page_assets_params params = {
        .owner_id = actor.user_id,
        .wanted_type = filter->asset_type,
        .row_limit = limit,
        .after_local = { by_stars ? key->second : key->first },
        .after_id = key->asset_id,
        .after_instant = { key->first },
        .after_name = key->name,
        .after_number = key->first,
        .after_stars = (int16_t) (by_stars ? key->first : 0),
        .sort = order_of(sort, after),
    };
    return repo_page_assets(actor.db, &params, out, err);
}

pgc_status list_frequent(lum_actor actor, const lum_filter *filter, lum_sort sort, int64_t limit,
                         const cursor_key *after, repo_asset_set *out, pgc_error *err)
{
    assert(list_is_frequent(filter, sort, actor));
    if (!filter->taken_from.has) {
        return page_of_all(actor, filter, sort, limit, after, out, err);
    }
    const repo_page_period_params params = {
        .owner_id = actor.user_id,
        .local_from = { filter->taken_from.us },
        .local_before = { filter->taken_before.us },
        .after_local = { after != NULL ? after->first : 0 },
        .after_id = { after != NULL, after != NULL ? after->asset_id : (pgc_uuid) { { 0 } } },
        .row_limit = limit,
    };
    return repo_page_period(actor.db, &params, out, err);
}
