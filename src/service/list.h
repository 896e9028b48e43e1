/* Lists of assets: any filter, any order, page by page. */
#ifndef SERVICE_LIST_H
#define SERVICE_LIST_H

#include "repo/assets.h"
#include "repo/lists.h"
#include "service/cursor.h"
#include "service/filter.h"

/* Orders; assets of equal key are ordered by their id. Times of capture are wall clocks, the
 * upload's where the capture's is not known; assets without rating count as 0. */
typedef repo_filter_assets_sort lum_sort;
#define LUM_SORT_TAKEN    REPO_FILTER_ASSETS_SORT_TAKEN_DESC
#define LUM_SORT_UPLOADED REPO_FILTER_ASSETS_SORT_UPLOADED_DESC

/* "taken", "uploaded", "name", "size", "rating", with a hyphen in front the other way round: times,
 * sizes and ratings begin with the largest, names with "a". PGC_INVALID for others. */
pgc_status lum_sort_parse(slice text, lum_sort *out, pgc_error *err) PGC_MUST_CHECK;

/* What is asked for. Zeroed but for limit: the last taken first. */
typedef struct lum_list {
    const lum_filter *filter; /* NULL: everything */
    lum_sort sort;
    int32_t limit;   /* rows of a page, 1..LUM_PAGE_MAX */
    pgc_text cursor; /* next of the page before; absent: the first page */
    bool want_total; /* count all that the filter finds, at the price of a second query */
} lum_list;

typedef struct lum_asset_page {
    repo_asset_set assets;
    int64_t total;              /* -1 unless asked for */
    char next[LUM_CURSOR_SIZE]; /* "" behind the last page */
} lum_asset_page;

/* One page for lum_asset_page_free(). Rows that come while the pages are read are neither repeated
 * nor do they push others out; an asset whose key changes may be missed or seen twice. PGC_INVALID
 * for filters, limits and cursors that are none. */
pgc_status lum_asset_filter(lum_actor actor, const lum_list *list, lum_asset_page *out,
                            pgc_error *err) PGC_MUST_CHECK;
/* All that a filter (NULL: none) finds. */
pgc_status lum_asset_count(lum_actor actor, const lum_filter *filter, int64_t *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Zeroed pages are fine. */
void lum_asset_page_free(lum_asset_page *page);

#endif
