/* Which files are to be run: a pure function of files and rows. */
#ifndef MIGRATE_PLAN_H
#define MIGRATE_PLAN_H

#include "migrate/migrate.h"

typedef struct migrate_plan_input {
    const migrate_dir *dir;
    const migrate_revision *rows; /* by version */
    size_t row_count;
    migrate_order order;
    const char *baseline; /* NULL: none */
    bool allow_dirty;
    const char *not_clean; /* why the database is not clean; NULL when it is */
} migrate_plan_input;

typedef struct migrate_plan {
    const migrate_file **pending;
    size_t pending_count;
    const migrate_file **out_of_order; /* filled when linear order refuses them */
    size_t out_of_order_count;
    const migrate_file *baseline; /* write its row first; NULL: none */
} migrate_plan;

/* PGC_CONFLICT: not clean, or files out of order (*out holds pending and out_of_order then);
 * PGC_NOT_FOUND: no such baseline; PGC_SCHEMA: a partial row's file is gone; PGC_NOMEM. */
pgc_status migrate_plan_make(const migrate_plan_input *input, arena *mem, migrate_plan *out,
                             pgc_error *err) PGC_MUST_CHECK;

#endif
