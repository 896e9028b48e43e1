/* Runs one prepared file and keeps its revision row. */
#ifndef MIGRATE_EXECUTE_H
#define MIGRATE_EXECUTE_H

#include "migrate/prepare.h"
#include "migrate/session.h"

typedef struct migrate_runner {
    const migrate_options *options;
    migrate_session *session;
    pgc_conn *lock_conn;
} migrate_runner;

/* Run the statements of job that `row` does not count as done; row NULL: the file is new. *run says
 * what happened, also on failure. In mode "all" the caller's transaction is open before and after.
 * PGC_SCHEMA: the row contradicts the file. */
pgc_status migrate_run_file(migrate_runner *runner, const migrate_job *job,
                            const migrate_revision *row, migrate_file_run *run, pgc_error *err)
    PGC_MUST_CHECK;

/* BEGIN, COMMIT and ROLLBACK. */
pgc_status migrate_begin(migrate_session *session, pgc_error *err) PGC_MUST_CHECK;
pgc_status migrate_commit(migrate_session *session, pgc_error *err) PGC_MUST_CHECK;
void migrate_rollback(migrate_session *session);

#endif
