/* Lists: single assets, pages near and far, filters, the timeline. */
#include "parts.h"

#include "service/asset.h"
#include "service/timeline.h"

enum { PAGE_ROWS = 50, FAR_PAGE = 1000 };

static pgc_status get_one(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    uint32_t at = turn * SITE_OWNERS % SITE_IDS + (uint32_t) actor.user_id - 1;
    repo_asset_set set = { 0 };
    pgc_status status = lum_asset_get(actor, site->ids[at], &set, err);
    repo_asset_set_free(&set);
    return status;
}

static pgc_status list_page(lum_actor actor, const lum_filter *filter, lum_sort sort,
                            const char *cursor, char *next, pgc_error *err)
{
    const lum_list list = { .filter = filter,
                            .sort = sort,
                            .limit = PAGE_ROWS,
                            .cursor = cursor != NULL ? pgc_text_from(cursor) : (pgc_text) { 0 } };
    lum_asset_page page = { 0 };
    pgc_status status = lum_asset_filter(actor, &list, &page, err);
    if (status == PGC_OK && next != NULL) {
        (void) snprintf(next, LUM_CURSOR_SIZE, "%s", page.next);
    }
    lum_asset_page_free(&page);
    return status;
}

static pgc_status first_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    (void) site;
    return list_page(actor, NULL, (lum_sort) (turn % 10), NULL, NULL, err);
}

/* The cursors of the large owner's far pages, one for each order; in the small library, which has
 * no such page, those of its last. */
typedef struct far_cursors {
    const services_site *site;
    char cursor[10][LUM_CURSOR_SIZE];
} far_cursors;

static pgc_status walk(const services_site *site, far_cursors *far, pgc_error *err)
{
    lum_actor actor = lum_session_actor(site->sessions[0]);
    for (int sort = 0; sort < 10; sort++) {
        char next[LUM_CURSOR_SIZE] = "";
        for (int page = 1; page < FAR_PAGE; page++) {
            const char *from = page > 1 ? far->cursor[sort] : NULL;
            TRY(list_page(actor, NULL, (lum_sort) sort, from, next, err));
            if (next[0] == '\0') {
                break;
            }
            memcpy(far->cursor[sort], next, sizeof next);
        }
    }
    far->site = site;
    return PGC_OK;
}

static pgc_status far_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    static far_cursors both[2];
    far_cursors *far = both[0].site == NULL || both[0].site == site ? &both[0] : &both[1];
    (void) actor;
    if (far->site == NULL) {
        TRY(walk(site, far, err));
    }
    uint32_t sort = turn % 10;
    return list_page(lum_session_actor(site->sessions[0]), NULL, (lum_sort) sort, far->cursor[sort],
                     NULL, err);
}

static pgc_status months(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_list_timeline_months_row_set set = { 0 };
    (void) site;
    (void) turn;
    pgc_status status = lum_timeline_months(actor, &set, err);
    repo_list_timeline_months_row_set_free(&set);
    return status;
}

static pgc_status month_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    char month[8];
    lum_when when;
    lum_asset_page page = { 0 };
    (void) site;
    (void) snprintf(month, sizeof month, "%u-%02u", 2012 + turn % 12, 1 + turn % 12);
    if (!lum_when_parse(pgc_text_from(month), &when)) {
        return pgc_error_set(err, PGC_INVALID, "month %s", month);
    }
    pgc_status status = lum_timeline_page(actor, &when, PAGE_ROWS, (slice) { 0 }, &page, err);
    lum_asset_page_free(&page);
    return status;
}

/* Conditions as people combine them: broad, narrow and without a hit. */
static const char *const FILTERS[] = {
    "{\"type\": \"video\"}",
    "{\"liked\": true}",
    "{\"rating_min\": 4}",
    "{\"camera_model\": \"Canon Pro\", \"iso_min\": 800}",
    "{\"camera_make\": \"Nikon\", \"from\": \"2018\", \"until\": \"2018\"}",
    "{\"south\": 30, \"west\": -20, \"north\": 45, \"east\": 20}",
    "{\"near_latitude\": 40, \"near_longitude\": 10, \"near_metres\": 500000}",
    "{\"tags_any\": [\"mine 1\", \"mine 5\"]}",
    "{\"tags_all\": [\"thing 3\", \"mine 2\"]}",
    "{\"tags_none\": [\"thing 1\"], \"raw\": true}",
    "{\"name_contains\": \"paris\"}",
    "{\"name_prefix\": \"IMG_01\"}",
    "{\"words\": \"beach wedding\"}",
    "{\"has_place\": false, \"aperture_max\": 2.0}",
    "{\"camera_model\": \"no such camera\"}",
    "{\"from\": \"2015-06-01\", \"until\": \"2015-06-30\", \"type\": \"photo\"}",
};

static pgc_status filter_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    static lum_filter_doc *docs[ARRAY_LEN(FILTERS)];
    size_t at = turn % ARRAY_LEN(FILTERS);
    (void) site;
    if (docs[at] == NULL) {
        TRY(lum_filter_parse(pgc_text_from(FILTERS[at]), &docs[at], err));
    }
    lum_sort sort = turn / ARRAY_LEN(FILTERS) % 2 == 0 ? LUM_SORT_TAKEN : LUM_SORT_UPLOADED;
    return list_page(actor, lum_filter_doc_get(docs[at]), sort, NULL, NULL, err);
}

void list_rows(bench_rows *rows, services_site *big, services_site *small)
{
    static const probe PROBES[] = {
        { .name = "get an asset", .call = get_one, .limit_ms = 1, .calls = 1000 },
        { .name = "first page of a list, every order", .call = first_page, .limit_ms = 5 },
        { .name = "1,000th page of a list, every order", .call = far_page, .limit_ms = 5 },
        { .name = "months of the timeline", .call = months, .limit_ms = 5 },
        { .name = "page of a month", .call = month_page, .limit_ms = 5 },
        { .name = "filter page", .call = filter_page, .limit_ms = 20, .calls = 640 },
    };
    probes_add(rows, big, small, PROBES, ARRAY_LEN(PROBES));
}
