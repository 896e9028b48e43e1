/* Directory and database side by side: what every command looks at first. */
#ifndef MIGRATE_STATE_H
#define MIGRATE_STATE_H

#include "migrate/plan.h"
#include "migrate/session.h"

typedef struct migrate_state {
    migrate_revision *rows; /* by version */
    size_t row_count;
    bool table_exists;
    const char *not_clean; /* why the database is not clean; only looked at without rows */
} migrate_state;

/* Load the directory, refuse bad names, check the sum file. */
pgc_status migrate_open_dir(const migrate_options *options, arena *mem, migrate_dir *out,
                            pgc_error *err) PGC_MUST_CHECK;

/* Read the rows. Rows that an earlier tool left with a wrong total although their file was run to
 * its end are put right (in the table too when `repair`). */
pgc_status migrate_read_state(migrate_session *session, const migrate_dir *dir, bool repair,
                              migrate_state *out, pgc_error *err) PGC_MUST_CHECK;

#endif
