#ifndef RIVER_MIGRATE_H
#define RIVER_MIGRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pgc/conn.h>

PGC_BEGIN_DECLS

/*
 * River's own tables, made and taken back step by step exactly as River's migrator does (line
 * "main"): each of both goes on from where the other stopped. The side tables of libriver are in
 * <river/ext.h>.
 */

#define RIVER_SCHEMA_VERSION 7  /**< the newest version that this library knows */
#define RIVER_SCHEMA_MAX     46 /**< bytes of the schema's name: channels carry it, too */

typedef enum river_direction { RIVER_UP = 0, RIVER_DOWN = 1 } river_direction;

/** One migration that ran, or that would. Texts live until the callback returns. */
typedef struct river_migration_step {
    river_direction direction;
    int32_t version;
    const char *name;    /**< River's, such as "initial schema" */
    const char *sql;     /**< with the schema in place */
    int64_t duration_us; /**< 0 in a dry run */
} river_migration_step;

/** Settings of river_migrate(). Zero means the default. Borrowed for the call. */
typedef struct river_migrate_options {
    size_t struct_size;     /**< sizeof(river_migrate_options) */
    const char *schema;     /**< must exist; NULL or "": the first one of search_path */
    int32_t target_version; /**< up: last to apply; down: last to keep; 0: default; -1: all */
    int32_t max_steps;      /**< migrations at most; 0: all up, one down; -1: none */
    bool dry_run;           /**< report what would be done, change nothing */
    void *arg;
    void (*done)(void *arg, const river_migration_step *step); /**< after each; may be NULL */
} river_migrate_options;

/** What a run did. */
typedef struct river_migrate_result {
    int32_t versions[RIVER_SCHEMA_VERSION]; /**< in the order they ran */
    size_t count;
    bool exhausted; /**< max_steps asked for more than there was */
} river_migrate_result;

/**
 * Run migrations, each in a transaction of its own together with its row. Processes that start at
 * the same time take turns.
 *
 * @param out filled as far as the run got, also on failure; may be NULL.
 * @return PGC_OK, also when nothing was to be done; PGC_INVALID (schema name, version,
 *         struct_size); PGC_SCHEMA: the tables are newer than this library; PGC_NOMEM; what
 *         pgc_conn_script() returns.
 *
 * Blocks: yes. Thread-safe: as the connection. Since: 0.1.
 */
PGC_API pgc_status river_migrate(pgc_conn *conn, river_direction direction,
                                 const river_migrate_options *options, river_migrate_result *out,
                                 pgc_error *err) PGC_MUST_CHECK;

/**
 * Which versions are applied. Needs no more rights than to look at River's table of migrations.
 *
 * @param out bit v stands for version v.
 * @return PGC_OK; PGC_INVALID (schema name); PGC_SCHEMA: a version above RIVER_SCHEMA_VERSION; what
 *         pgc_db_run() returns.
 *
 * Blocks: yes. Thread-safe: as the connection. Since: 0.1.
 */
PGC_API pgc_status river_migrate_applied(pgc_conn *conn, const char *schema, uint32_t *out,
                                         pgc_error *err) PGC_MUST_CHECK;

/**
 * Are all versions applied?
 *
 * @return PGC_OK; PGC_SCHEMA with River's message, "Unapplied migrations: [6 7]"; as
 *         river_migrate_applied().
 *
 * Blocks: yes. Thread-safe: as the connection. Since: 0.1.
 */
PGC_API pgc_status river_migrate_validate(pgc_conn *conn, const char *schema, pgc_error *err)
    PGC_MUST_CHECK;

PGC_END_DECLS

#endif
