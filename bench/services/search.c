/* Search: by name, by text, by meaning with filters of every width, and all of it together. Texts
 * are asked for off the images' manifold, as a text encoder asks. */
#include "parts.h"

#include "service/search.h"
#include "vectors.h"

enum { HITS = 50, TOP = 10, QUERIES = 64, RECALL_QUERIES = 60, WIDTHS = 8 };

static float texts[QUERIES][VECTORS_DIM];

/* The same questions in every run. */
static bool make_texts(void)
{
    static vectors g;
    if (!vectors_open(&g, 20261123)) {
        return false;
    }
    g.state = 4711;
    for (int i = 0; i < QUERIES; i++) {
        vectors_text(&g, texts[i]);
    }
    vectors_close(&g);
    return true;
}

static const char *const WORDS[] = { "beach", "paris garden", "IMG 0042",       "wedding 2018",
                                     "oslo",  "Canon Pro",    "sunset friends", "zebra" };

/* Conditions that leave all of an owner's rows, a tenth, a hundredth, and a handful. */
static lum_filter filter_of(uint32_t turn)
{
    lum_filter filter = { 0 };
    switch (turn % 6) {
    case 1:
        filter.asset_type = SLICE("video");
        break;
    case 2:
        filter.liked = (pgc_opt_bool) { true, true };
        break;
    case 3:
        filter.rating_min = (pgc_opt_i32) { true, 5 };
        break;
    case 4:
        filter.camera_model = SLICE("Leica R5");
        break;
    case 5:
        filter.is_raw = (pgc_opt_bool) { true, true };
        filter.liked = (pgc_opt_bool) { true, true };
        break;
    default:
        break;
    }
    return filter;
}

/* From all rows of an owner down to one in ten thousand: 100, 88, 60, 10, 5, 3.3, 0.35, 0.01 %. */
static lum_filter filter_of_width(uint32_t turn)
{
    lum_filter filter = { 0 };
    uint32_t width = turn % WIDTHS;
    if (width == 1) {
        filter.asset_type = SLICE("photo");
    } else if (width == 2) {
        filter.has_place = (pgc_opt_bool) { true, true };
    } else if (width == 3) {
        filter.asset_type = SLICE("video");
    }
    if (width == 4 || width >= 6) {
        filter.liked = (pgc_opt_bool) { true, true };
    }
    if (width == 5 || width == 7) {
        filter.rating_min = (pgc_opt_i32) { true, 5 };
    }
    if (width >= 6) {
        filter.is_raw = (pgc_opt_bool) { true, true };
    }
    return filter;
}

static pgc_status search_once(lum_actor actor, const lum_search_request *request, size_t *count,
                              pgc_error *err)
{
    lum_search_page page = { .next = "" };
    pgc_status status = lum_search(actor, request, &page, err);
    if (count != NULL) {
        *count = page.hits.count;
    }
    lum_search_page_free(&page);
    return status;
}

static pgc_status by_name(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    const lum_search_request request = { .query = WORDS[turn % ARRAY_LEN(WORDS)],
                                         .by = LUM_SEARCH_NAME,
                                         .limit = HITS };
    (void) site;
    return search_once(actor, &request, NULL, err);
}

static pgc_status by_text(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    const lum_search_request request = { .query = WORDS[turn % ARRAY_LEN(WORDS)],
                                         .by = LUM_SEARCH_TEXT,
                                         .limit = HITS };
    (void) site;
    return search_once(actor, &request, NULL, err);
}

static pgc_status by_meaning(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    const lum_filter filter = filter_of(turn);
    const lum_search_request request = { .query = WORDS[turn % ARRAY_LEN(WORDS)],
                                         .vector = texts[turn % QUERIES],
                                         .by = LUM_SEARCH_MEANING,
                                         .filter = &filter,
                                         .limit = TOP };
    (void) site;
    return search_once(actor, &request, NULL, err);
}

/* Of the large owner alone, whose vectors are too many to compute all distances. */
static pgc_status by_meaning_large(services_site *site, lum_actor actor, uint32_t turn,
                                   pgc_error *err)
{
    const lum_filter filter = filter_of_width(turn);
    const lum_search_request request = { .query = "anything",
                                         .vector = texts[turn / WIDTHS % QUERIES],
                                         .by = LUM_SEARCH_MEANING,
                                         .filter = &filter,
                                         .limit = TOP };
    (void) actor;
    return search_once(lum_session_actor(site->sessions[0]), &request, NULL, err);
}

static pgc_status by_all(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    const lum_filter filter = filter_of(turn);
    const lum_search_request request = { .query = WORDS[turn % ARRAY_LEN(WORDS)],
                                         .vector = texts[turn % QUERIES],
                                         .by = LUM_SEARCH_ALL,
                                         .filter = &filter,
                                         .limit = HITS };
    (void) site;
    return search_once(actor, &request, NULL, err);
}

typedef struct recall_case {
    services_site *site;
    bool large_owner; /* alone, with filters of every width; else all owners in turn */
    double rows, exact_rows;
} recall_case;

/* The nearest of a question: as the service routes it, or with all distances computed. */
static bool nearest(const recall_case *c, uint32_t turn, bool exact, pgc_uuid out[TOP],
                    size_t *count)
{
    services_site *site = c->site;
    const lum_filter filter = c->large_owner ? filter_of_width(turn / 8) : filter_of(turn / 7);
    const lum_search_request request = { .query = "anything",
                                         .vector = texts[turn % QUERIES],
                                         .by = LUM_SEARCH_MEANING,
                                         .filter = &filter,
                                         .limit = TOP,
                                         .exact_most = exact ? INT32_MAX : 0 };
    lum_search_page page = { .next = "" };
    if (lum_search(site_actor(site, c->large_owner ? 0 : turn), &request, &page, &site->err) !=
        PGC_OK) {
        (void) site_failed(site, "search by meaning");
        return false;
    }
    *count = page.hits.count;
    for (size_t i = 0; i < page.hits.count; i++) {
        out[i] = page.hits.rows[i].a.asset_id;
    }
    lum_search_page_free(&page);
    return true;
}

/* Share of the exact nearest that the service found; sets how many rows both found. */
static double recall_of(recall_case *c)
{
    double found = 0;
    uint32_t queries = c->large_owner ? WIDTHS * 8 : RECALL_QUERIES;
    c->rows = c->exact_rows = 0;
    for (uint32_t turn = 0; turn < queries; turn++) {
        pgc_uuid ours[TOP];
        pgc_uuid best[TOP];
        size_t our_count = 0;
        size_t best_count = 0;
        if (!nearest(c, turn, false, ours, &our_count) ||
            !nearest(c, turn, true, best, &best_count)) {
            return BENCH_NONE;
        }
        c->rows += (double) our_count;
        c->exact_rows += (double) best_count;
        for (size_t i = 0; i < best_count; i++) {
            for (size_t k = 0; k < our_count; k++) {
                found += memcmp(&ours[k], &best[i], sizeof best[i]) == 0 ? 1 : 0;
            }
        }
    }
    return c->exact_rows > 0 ? found / c->exact_rows : BENCH_NONE;
}

static double measure_recall(void *ctx)
{
    recall_case *c = ctx;
    return recall_of(c);
}

static double perfect_recall(void *ctx)
{
    (void) ctx;
    return 1;
}

static double found_rows(void *ctx)
{
    recall_case *c = ctx;
    return isnan(recall_of(c)) ? BENCH_NONE : c->rows;
}

static double exact_rows(void *ctx)
{
    const recall_case *c = ctx;
    return c->exact_rows;
}

static void recall_rows(bench_rows *rows, recall_case *c, const char *const names[2],
                        const char *skip)
{
    rows_add(rows, (bench_case) { .name = names[0],
                                  .unit = "",
                                  .other_is = "all distances computed",
                                  .ours = measure_recall,
                                  .other = perfect_recall,
                                  .ctx = c,
                                  .goal = BENCH_AT_LEAST,
                                  .bound = 0.97,
                                  .rounds = 1,
                                  .skip = skip });
    rows_add(rows, (bench_case) { .name = names[1],
                                  .unit = "",
                                  .other_is = "rows that there are, ten at most",
                                  .ours = found_rows,
                                  .other = exact_rows,
                                  .ctx = c,
                                  .goal = BENCH_AT_LEAST,
                                  .bound = 1,
                                  .rounds = 1,
                                  .skip = skip });
}

void search_rows(bench_rows *rows, services_site *big, services_site *small)
{
    static const probe PROBES[] = {
        { .name = "search by file name", .call = by_name, .limit_ms = 50 },
        { .name = "search by text", .call = by_text, .limit_ms = 50 },
        { .name = "search by meaning, any filter", .call = by_meaning, .limit_ms = 60 },
        { .name = "search by meaning, large owner", .call = by_meaning_large, .limit_ms = 60 },
        { .name = "search by all, any filter", .call = by_all, .limit_ms = 80 },
    };
    static const char *const NAMES[2][2] = {
        { "recall@10 of text queries", "rows found by meaning" },
        { "recall@10, large owner", "rows found, large owner" },
    };
    static recall_case recall[2];
    const char *skip = make_texts() ? NULL : "no memory";
    probes_add(rows, big, small, PROBES, ARRAY_LEN(PROBES));
    for (size_t i = 0; i < ARRAY_LEN(recall); i++) {
        recall[i] = (recall_case) { .site = big, .large_owner = i == 1 };
        recall_rows(rows, &recall[i], NAMES[i], skip);
    }
}
