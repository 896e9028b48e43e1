/* The timeline: how many live assets each month and day has, by the wall clock of the capture (the
 * upload's, in UTC, where that is unknown), and the assets of one of them. */
#ifndef SERVICE_TIMELINE_H
#define SERVICE_TIMELINE_H

#include "repo/timeline.h"
#include "service/list.h"
#include "service/when.h"

/* Months with assets, the newest first; the counts are kept, not counted. */
pgc_status lum_timeline_months(lum_actor actor, repo_list_timeline_months_row_set *out,
                               pgc_error *err) PGC_MUST_CHECK;
/* Days with assets of a year, a month or a day, the newest first. */
pgc_status lum_timeline_days(lum_actor actor, const lum_when *period,
                             repo_list_timeline_days_row_set *out, pgc_error *err) PGC_MUST_CHECK;
/* Assets of a period, the last taken first; limit and cursor as in lum_list. PGC_INVALID for a
 * period that is a time of day. */
pgc_status lum_timeline_page(lum_actor actor, const lum_when *period, int32_t limit, slice cursor,
                             lum_asset_page *out, pgc_error *err) PGC_MUST_CHECK;
/* Counts the actor's days again; *mended says how many were wrong, which is a fault of ours.
 * Changes of assets wait meanwhile. */
pgc_status lum_timeline_repair(lum_actor actor, int32_t *mended, pgc_error *err) PGC_MUST_CHECK;

#endif
