/* Creates and updates the job queue's tables exactly as River's own migrator would. */
#ifndef RIVER_MIGRATE_H
#define RIVER_MIGRATE_H

#include <pgc/conn.h>

#include "base/env.h"
#include "river/migrations.h"

#define RIVER_SCHEMA_MAX 46 /* bytes; with the longest topic it must fit a channel name */

typedef enum river_direction { RIVER_UP, RIVER_DOWN } river_direction;

/* Zero means the default. Borrowed for the call. */
typedef struct river_migrate_options {
    const env *env;
    const char *schema;     /* must exist; NULL or "": the first one of search_path */
    int32_t target_version; /* up: last to apply; down: last to keep; 0: default; -1: all */
    int32_t max_steps;      /* migrations at most; 0: all up, one down; -1: none */
    bool dry_run;           /* report what would be done */
    void *arg;
    /* After each migration, with its SQL; duration_us in microseconds. May be NULL. */
    void (*done)(void *arg, river_direction direction, const river_migration *migration,
                 const char *sql, int64_t duration_us);
} river_migrate_options;

typedef struct river_migrate_result {
    int32_t versions[RIVER_VERSION]; /* in the order they ran */
    size_t count;
    bool exhausted; /* max_steps asked for more than there was */
} river_migrate_result;

/* Run migrations, each in a transaction of its own with its row. *out is filled as far as the run
 * got, also on failure. PGC_INVALID: schema name or version; PGC_SCHEMA: the database is newer than
 * we know; else what the server answered. */
pgc_status river_migrate(pgc_conn *conn, river_direction direction,
                         const river_migrate_options *options, river_migrate_result *out,
                         pgc_error *err) PGC_MUST_CHECK;

/* What is applied: bit v is version v of line main. PGC_SCHEMA: a version above RIVER_VERSION. */
pgc_status river_migrate_applied(pgc_conn *conn, const char *schema, uint32_t *out, pgc_error *err)
    PGC_MUST_CHECK;

/* PGC_SCHEMA with "Unapplied migrations: [6 7]" when some are missing. */
pgc_status river_migrate_validate(pgc_conn *conn, const char *schema, pgc_error *err)
    PGC_MUST_CHECK;

#endif
