/* Rows of answers as river_jobs and river_queues. */
#ifndef RIVER_JOBS_H
#define RIVER_JOBS_H

#include <pgc/query.h>
#include <river/job.h>

#include "base/arena.h"

/* Memory is the result's, or the arena's. Places may repeat: two inserts that met the same row. */
struct river_jobs {
    pgc_result *result;
    arena *memory; /* for a copy, which has no result */
    river_job *rows;
    size_t count;
    bool *duplicates; /* per row; NULL: none */
    size_t *places;   /* row of each entry; NULL: the same number */
    size_t place_count;
};

/* Take a result of job rows (statements.c, JOB); duplicates: one more column says it. The result is
 * freed on failure. */
pgc_status jobs_take(pgc_result *result, const pgc_query *query, bool duplicates, river_jobs **out,
                     pgc_error *err) PGC_MUST_CHECK;
/* The same for queue rows. */
pgc_status queues_take(pgc_result *result, const pgc_query *query, river_queues **out,
                       pgc_error *err) PGC_MUST_CHECK;
/* A copy of one job that lives on its own; NULL: no memory. */
river_jobs *jobs_copy(const river_job *job, const pgc_alloc *alloc);
/* By priority, scheduled_at, id: the order in which fetched jobs start. */
void jobs_sort_for_work(river_jobs *jobs);

#endif
