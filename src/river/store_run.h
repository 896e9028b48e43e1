/* Shared by the files of the store: running one of its statements. */
#ifndef RIVER_STORE_RUN_H
#define RIVER_STORE_RUN_H

#include "base/arena.h"
#include "river/jobs.h"
#include "river/statements.h"

/* Each takes ownership of nothing; args may be NULL. */
pgc_status store_run_jobs(const river_store *store, pgc_db *db, river_statement which,
                          const pgc_args *args, river_jobs **out, pgc_error *err) PGC_MUST_CHECK;
pgc_status store_run_queues(const river_store *store, pgc_db *db, river_statement which,
                            const pgc_args *args, river_queues **out, pgc_error *err)
    PGC_MUST_CHECK;
/* Rows that the statement touched or gave. */
pgc_status store_run_count(const river_store *store, pgc_db *db, river_statement which,
                           const pgc_args *args, int64_t *count_out, pgc_error *err) PGC_MUST_CHECK;
/* First column of the first row, a time; PGC_NOT_FOUND without rows. */
pgc_status store_run_time(const river_store *store, pgc_db *db, river_statement which,
                          const pgc_args *args, pgc_timestamptz *out, pgc_error *err)
    PGC_MUST_CHECK;

/* Outcomes as nine array parameters; memory is the arena's. */
pgc_status store_add_outcomes(pgc_args *args, const store_outcome *outcomes, size_t count,
                              arena *memory, pgc_error *err) PGC_MUST_CHECK;

#endif
