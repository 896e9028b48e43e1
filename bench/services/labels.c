/* Lists by tag and by species, near and far. The large owner has 2,000 tags that one asset each
 * has, and there are as many shared ones that only others have. */
#include "parts.h"

#include "service/species.h"
#include "service/statistics.h"
#include "service/tag.h"

enum { PAGE_ROWS = 50, FAR_PAGE = 1000 };

static pgc_status tags_by_part(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    static const char *const PARTS[] = { "ng 15", "1", "MINE", "no such" };
    repo_list_tags_row_set set = { 0 };
    const lum_tag_page page = { .part = pgc_text_from(PARTS[turn / 10 % ARRAY_LEN(PARTS)]),
                                .limit = PAGE_ROWS };
    (void) site;
    pgc_status status = lum_tag_list(actor, &page, &set, err);
    repo_list_tags_row_set_free(&set);
    return status;
}

static pgc_status most_used_tags(services_site *site, lum_actor actor, uint32_t turn,
                                 pgc_error *err)
{
    repo_count_by_tag_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_stats_tags(actor, PAGE_ROWS, &set, err);
    repo_count_by_tag_row_set_free(&set);
    return status;
}

static pgc_status tags_of_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    pgc_uuid ids[PAGE_ROWS];
    repo_list_tags_of_assets_row_set set = { 0 };
    (void) turn;
    for (size_t i = 0; i < PAGE_ROWS; i++) {
        ids[i] = site->ids[(i * SITE_OWNERS + (uint32_t) actor.user_id - 1) % SITE_IDS];
    }
    pgc_status status = lum_tag_list_of_assets(actor, ids, PAGE_ROWS, &set, err);
    repo_list_tags_of_assets_row_set_free(&set);
    return status;
}

static pgc_status tag_uses(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    int32_t tag_id = 201 + (actor.user_id - 1) * 20 + (int32_t) (turn / 10 % 20); /* his own */
    int64_t assets = 0;
    (void) site;
    return lum_tag_count_uses(actor, &tag_id, 1, &assets, err);
}

static const char *const BY_TAG[] = { "{\"tags_any\": [\"thing 1\"]}",
                                      "{\"tags_any\": [\"mine 1\"]}" };

static pgc_status page_by_tag(lum_actor actor, const char *filter, int32_t limit, slice cursor,
                              lum_asset_page *out, pgc_error *err)
{
    lum_filter_doc *doc = NULL;
    TRY(lum_filter_parse(pgc_text_from(filter), &doc, err));
    const lum_list list = { .filter = lum_filter_doc_get(doc), .limit = limit, .cursor = cursor };
    pgc_status status = lum_asset_filter(actor, &list, out, err);
    lum_filter_doc_free(doc);
    return status;
}

static pgc_status tag_first(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    lum_asset_page page = { 0 };
    (void) site;
    pgc_status status = page_by_tag(actor, BY_TAG[turn / 10 % ARRAY_LEN(BY_TAG)], PAGE_ROWS,
                                    (slice) { 0 }, &page, err);
    lum_asset_page_free(&page);
    return status;
}

/* Near the end of the large owner's. A cursor fits pages of any size. */
static pgc_status tag_far(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    static struct {
        const services_site *site;
        char cursor[ARRAY_LEN(BY_TAG)][LUM_CURSOR_SIZE];
    } both[2];
    size_t at = both[0].site == NULL || both[0].site == site ? 0 : 1;
    size_t which = turn / 10 % ARRAY_LEN(BY_TAG);
    lum_asset_page page = { 0 };
    actor = lum_session_actor(site->sessions[0]);
    if (both[at].site != site) {
        for (size_t i = 0; i < ARRAY_LEN(BY_TAG); i++) {
            char *cursor = both[at].cursor[i];
            bool more;
            do {
                TRY(page_by_tag(actor, BY_TAG[i], LUM_PAGE_MAX,
                                cursor[0] != '\0' ? pgc_text_from(cursor) : (slice) { 0 }, &page,
                                err));
                more = page.next[0] != '\0';
                if (more) {
                    (void) snprintf(cursor, LUM_CURSOR_SIZE, "%s", page.next);
                }
                lum_asset_page_free(&page);
            } while (more);
        }
        both[at].site = site;
    }
    const char *cursor = both[at].cursor[which];
    pgc_status status =
        page_by_tag(actor, BY_TAG[which], PAGE_ROWS,
                    cursor[0] != '\0' ? pgc_text_from(cursor) : (slice) { 0 }, &page, err);
    lum_asset_page_free(&page);
    return status;
}

/* Whole tenths are kept, between two of them there is something to count. */
static pgc_status species_between(services_site *site, lum_actor actor, uint32_t turn,
                                  pgc_error *err)
{
    repo_count_species_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_species_count(actor, 0.55, PAGE_ROWS, &set, err);
    repo_count_species_row_set_free(&set);
    return status;
}

static pgc_status species_page(lum_actor actor, lum_species_query query, pgc_error *err)
{
    repo_list_assets_of_species_row_set set = { 0 };
    query.name = SLICE("Species 1");
    query.limit = PAGE_ROWS;
    pgc_status status = lum_species_assets(actor, &query, &set, err);
    repo_list_assets_of_species_row_set_free(&set);
    return status;
}

static pgc_status species_first(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    static const double LEAST[] = { 0.5, 0.9999, 0 };
    (void) site;
    return species_page(
        actor, (lum_species_query) { .min_confidence = LEAST[turn / 10 % ARRAY_LEN(LEAST)] }, err);
}

static pgc_status species_far(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    (void) site;
    (void) turn;
    return species_page(
        actor, (lum_species_query) { .behind = { .has = true }, .behind_confidence = 0.15 }, err);
}

void label_rows(bench_rows *rows, services_site *big, services_site *small)
{
    static const probe PROBES[] = {
        { .name = "tags by a part of the name", .call = tags_by_part, .limit_ms = 5 },
        { .name = "most used tags", .call = most_used_tags, .limit_ms = 5 },
        { .name = "tags of a page of assets", .call = tags_of_page, .limit_ms = 5 },
        { .name = "uses of a tag", .call = tag_uses, .limit_ms = 5 },
        { .name = "first page of a tag", .call = tag_first, .limit_ms = 20 },
        { .name = "last page of a tag", .call = tag_far, .limit_ms = 20 },
        { .name = "species between two tenths", .call = species_between, .limit_ms = 5 },
        { .name = "first page of a species", .call = species_first, .limit_ms = 5 },
        { .name = "far page of a species", .call = species_far, .limit_ms = 5 },
    };
    probes_add(rows, big, small, PROBES, ARRAY_LEN(PROBES));
}
