/* Near duplicates: groups of assets that the active model sees as nearly the same. Equal bytes are
 * no matter of this: an owner has each content once. */
#ifndef SERVICE_DUPLICATE_H
#define SERVICE_DUPLICATE_H

#include "base/env.h"
#include "repo/duplicates.h"
#include "service/session.h"

#define LUM_DUPLICATE_DISTANCE      0.01 /* cosine distance; Immich's default */
#define LUM_DUPLICATE_DISTANCE_MOST 0.5
#define LUM_DUPLICATE_PIECE         100  /* assets looked at in one call */
#define LUM_DUPLICATE_EXACT         5000 /* vectors up to which all are compared */

/* Zero means the default. */
typedef struct lum_duplicate_search {
    double distance_most; /* of each to the oldest of its group; 0..0.5 */
    bool similar;         /* look-alikes, too; else only what was taken at the same instant in the
                             same shape, and no RAW beside a JPEG */
    pgc_uuid after;       /* where to go on: lum_duplicate_page.next */
    int32_t piece;        /* 1..LUM_DUPLICATE_PIECE */
    int32_t exact_most;   /* for tests and measurements */
} lum_duplicate_search;

typedef struct lum_duplicate_page {
    repo_find_duplicates_row_set rows; /* group by group, in each its oldest asset first */
    bool more;                         /* there are assets behind `next` */
    pgc_uuid next;
} lum_duplicate_page;

/* Groups that begin among the next assets in the order of their ids, which is that of their import;
 * there may be none, and still more behind. Which group an asset is in depends on nothing but the
 * assets: going on later, or elsewhere, gives the same groups. PGC_INVALID: distance or piece.
 * Blocks for two round trips, of which the second compares each asset of the piece with all (or,
 * beyond exact_most, with its neighbours in the graph). Thread-safe as the actor's handle. */
pgc_status lum_duplicate_find(lum_actor actor, const lum_duplicate_search *search,
                              lum_duplicate_page *out, pgc_error *err) PGC_MUST_CHECK;
void lum_duplicate_page_free(lum_duplicate_page *page);

/* Rows of the group that begins at row `at`. */
size_t lum_duplicate_group(const repo_find_duplicates_row_set *rows, size_t at);
/* The row of the group of `count` rows at `at` that is worth most: liked, then better rated, then
 * of more pixels, then of more bytes, then older. */
size_t lum_duplicate_best(const repo_find_duplicates_row_set *rows, size_t at, size_t count);

/* All of the rows' groups but the best one of each into the trash, from where lum_asset_restore()
 * brings them back; nothing is trashed whose best one has gone meanwhile. One transaction. */
pgc_status lum_duplicate_trash(lum_actor actor, const repo_find_duplicates_row_set *rows,
                               const env *env, repo_trash_duplicates_set *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
