/* The migration engine: applies a directory of SQL files in Atlas' format and keeps Atlas' revision
 * table, so that this program and the Atlas CLI can take turns on one database.
 *
 *     migrate_options options = { .env = env, .source = migrate_builtin(), .url = url };
 *     migrate_apply_report report;
 *     status = migrate_apply(&options, &report, err);
 *     migrate_apply_report_done(&report);
 *
 * Nothing here prints; progress goes to callbacks. One thread per call. */
#ifndef MIGRATE_MIGRATE_H
#define MIGRATE_MIGRATE_H

#include <pgc/error.h>

#include "base/arena.h"
#include "base/env.h"
#include "migrate/directory.h"
#include "migrate/revision.h"

#define MIGRATE_TABLE    "atlas_schema_revisions"
#define MIGRATE_OPERATOR "lumilio-migrate " LUM_VERSION

/* What one transaction covers. Files may override it by "-- atlas:txmode none|file". */
typedef enum migrate_tx_mode { MIGRATE_TX_FILE, MIGRATE_TX_ALL, MIGRATE_TX_NONE } migrate_tx_mode;

/* What happens to files that sort before the newest applied one. */
typedef enum migrate_order {
    MIGRATE_LINEAR,      /* an error that lists them */
    MIGRATE_LINEAR_SKIP, /* ignored */
    MIGRATE_NON_LINEAR   /* applied first */
} migrate_order;

/* One file of a run. All texts live as long as the report. */
typedef struct migrate_file_run {
    const migrate_file *file;
    size_t skipped; /* statements done by an earlier run */
    slice *applied; /* texts of the statements done now */
    size_t applied_count;
    int64_t start_us, end_us; /* microseconds since 1970 */
    slice failed;             /* the statement that failed; absent when none did */
    const char *error;        /* why; NULL when the file went through */
} migrate_file_run;

/* What a run did, also filled (as far as it got) when the run failed. */
typedef struct migrate_apply_report {
    arena *mem;
    migrate_dir dir;
    const migrate_file **pending; /* before the run, cut to the wanted amount */
    size_t pending_count;
    migrate_file_run *runs; /* files that were begun */
    size_t run_count;
    const char *current; /* version before the run; NULL: none */
    const char *target;  /* version of the last pending file; NULL: nothing to do */
    int64_t start_us, end_us;
    const char *baseline; /* version of the baseline row written now; NULL: none */
} migrate_apply_report;

/* Progress; every member may be NULL. Called in the order they stand, per file. */
typedef struct migrate_events {
    void *arg;
    void (*begin)(void *arg, const migrate_apply_report *report);
    void (*file_begin)(void *arg, const migrate_file *file, size_t skipped);
    void (*statement)(void *arg, slice text);
    void (*file_end)(void *arg, const migrate_file_run *run);
    void (*warning)(void *arg, const char *text);
} migrate_events;

/* Zero means the default everywhere. Borrowed for the call. */
typedef struct migrate_options {
    const env *env;
    migrate_source source;
    const char *url;  /* libpq conninfo or URI; "search_path=X" in a URI is understood */
    const char *role; /* SET ROLE after login; NULL: none */
    const char *revisions_schema; /* NULL: search_path's, else "atlas_schema_revisions" */
    const char *baseline;         /* version to start from on a database without rows */
    const char *to_version;       /* last version to apply; NULL: all */
    bool allow_dirty;             /* start on a database that has other tables */
    bool dry_run;                 /* change nothing, report what would be done */
    bool check_first;             /* look for pending files before taking the lock */
    migrate_tx_mode tx_mode;
    migrate_order order;
    size_t amount;           /* files at most; 0: all */
    int64_t lock_timeout_us; /* wait for other migrators; 0: 10 s; -1: one try */
    migrate_events events;
} migrate_options;

/* The directory compiled into the program (db/migrations at build time). */
migrate_source migrate_builtin(void);

/* Bring the database up to the directory. The report is filled in any case and must be given to
 * migrate_apply_report_done(). PGC_NOT_FOUND, PGC_CONFLICT or PGC_INVALID for the directory and its
 * sum; PGC_TIMEOUT: another migrator holds the lock; PGC_SCHEMA: the revision table does not fit
 * the directory; else what the failed statement gave. */
pgc_status migrate_apply(const migrate_options *options, migrate_apply_report *report,
                         pgc_error *err) PGC_MUST_CHECK;
void migrate_apply_report_done(migrate_apply_report *report);

/* How the database stands to the directory. */
typedef struct migrate_status_report {
    arena *mem;
    migrate_dir dir;
    const migrate_file **available; /* all files; on a fresh database from the last checkpoint on */
    size_t available_count;
    const migrate_file **pending;
    size_t pending_count;
    const migrate_file **out_of_order;
    size_t out_of_order_count;
    migrate_revision *applied;
    size_t applied_count;
    const char *current; /* version, or a sentence when there is none */
    const char *next;    /* version, "UNKNOWN", or a sentence when there is none */
    bool next_is_checkpoint;
    bool up_to_date;
    bool partial;        /* the newest row is not finished: the four below are set */
    size_t count, total; /* statements done, and in the file */
    const char *error, *sql;
    const char **notes; /* whole sentences: odd rows, edited files, a database that is not clean */
    size_t note_count;
} migrate_status_report;

/* Compare directory and database; changes nothing, takes no lock. Errors as migrate_apply(). */
pgc_status migrate_status(const migrate_options *options, migrate_status_report *report,
                          pgc_error *err) PGC_MUST_CHECK;
void migrate_status_report_done(migrate_status_report *report);

/* What migrate_set() did, sorted by version. */
typedef struct migrate_set_report {
    arena *mem;
    migrate_dir dir;
    migrate_revision *set;
    size_t set_count;
    migrate_revision *removed;
    size_t removed_count;
    const char *current;
} migrate_set_report;

/* Make the table say that everything up to `version` is applied and nothing above it; no file is
 * run. version NULL: the newest file. The way out of a file that was repaired by hand. */
pgc_status migrate_set(const migrate_options *options, const char *version,
                       migrate_set_report *report, pgc_error *err) PGC_MUST_CHECK;
void migrate_set_report_done(migrate_set_report *report);

#endif
