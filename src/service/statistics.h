/* Statistics: what a library holds. Each is one query over the actor's own rows; what lies in the
 * trash is left out, where not said otherwise. */
#ifndef SERVICE_STATISTICS_H
#define SERVICE_STATISTICS_H

#include "repo/statistics.h"
#include "service/session.h"

/* Every function: PGC_INVALID for a limit outside of 1..LUM_PAGE_MAX, else what pgc_db_run()
 * returns. Sets are written on PGC_OK and freed by their repo_…_set_free(). One round trip;
 * thread-safe as the actor's handle. */

/* Assets by type, bytes, trash, albums, tags, repositories: one row. */
pgc_status lum_stats_totals(lum_actor actor, repo_get_totals_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Make and model, the most frequent first; NULL stands for unknown. */
pgc_status lum_stats_cameras(lum_actor actor, int32_t limit, repo_count_by_camera_row_set *out,
                             pgc_error *err) PGC_MUST_CHECK;
pgc_status lum_stats_lenses(lum_actor actor, int32_t limit, repo_count_by_lens_row_set *out,
                            pgc_error *err) PGC_MUST_CHECK;
/* By year of capture, newest first. */
pgc_status lum_stats_years(lum_actor actor, repo_count_by_year_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* What lies on the disk, by repository: trash included. */
pgc_status lum_stats_storage(lum_actor actor, repo_count_by_repository_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* The most used first. */
pgc_status lum_stats_tags(lum_actor actor, int32_t limit, repo_count_by_tag_row_set *out,
                          pgc_error *err) PGC_MUST_CHECK;

/* Numbers that are kept, not counted: how many were wrong and are mended, which is a fault of ours
 * or the work of a superuser who went past the triggers. */
typedef struct lum_recounted {
    int32_t days, tags, albums;
    int32_t library; /* cameras, lenses, species, what lies on the disk */
} lum_recounted;
/* Counts everything of the actor again. Changes wait meanwhile, readers do not. A round trip and a
 * transaction for each kind: what is mended before a failure stays. */
pgc_status lum_stats_recount(lum_actor actor, lum_recounted *out, pgc_error *err) PGC_MUST_CHECK;

#endif
