/* The lists that everybody looks at all day: all assets, those of a kind, those of a time. */
#ifndef SERVICE_LIST_FREQUENT_H
#define SERVICE_LIST_FREQUENT_H

#include "service/list.h"

/* Whether a filter and an order have a statement of their own. */
bool list_is_frequent(const lum_filter *filter, lum_sort sort, lum_actor actor);
/* A page of such a list; after NULL: the first one. limit is the number of rows that are read. */
pgc_status list_frequent(lum_actor actor, const lum_filter *filter, lum_sort sort, int64_t limit,
                         const cursor_key *after, repo_asset_set *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
