/* What a filter means to the database: the one place where filters of lists, counts and searches
 * become parameters. The conditions themselves are asset_fits() and search_scope() of
 * 025_filter.sql. */
#ifndef SERVICE_CONDITIONS_H
#define SERVICE_CONDITIONS_H

#include "base/arena.h"
#include "repo/lists.h"
#include "service/filter.h"

/* Borrows the filter and its texts. */
typedef struct conditions {
    lum_actor actor;
    const lum_filter *filter;
    int32_t owner_id; /* whose assets are asked for */
    repo_search_filter sql;
    arena *mem;                           /* of the ids in sql */
    repo_album_candidates_set candidates; /* of whichever query; they are all the same set */
} conditions;

/* A filter (NULL: everything), checked and looked up; for conditions_done(). PGC_INVALID as
 * lum_filter_check(). Blocks: a query for each list of tags, and some for candidates. */
pgc_status conditions_make(lum_actor actor, const lum_filter *filter, conditions *out,
                           pgc_error *err) PGC_MUST_CHECK;
/* Whether tables other than that of assets have a say. */
bool conditions_are_linked(const conditions *c);
/* Zeroed ones are fine. */
void conditions_done(conditions *c);

#endif
