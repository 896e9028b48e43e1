#ifndef RIVER_INSERT_H
#define RIVER_INSERT_H

#include <pgc/db.h>
#include <river/client.h>

PGC_BEGIN_DECLS

/** What makes two jobs the same. All zero: nothing, every insert makes a job. */
typedef struct river_unique {
    bool by_args; /**< all arguments, or only those of `paths` */
    bool by_queue;
    bool exclude_kind;    /**< jobs of other kinds count too; needs another member set */
    int64_t by_period_us; /**< one per period, at least 1 s; 0: ever */
    bool
        period_of_scheduled; /**< period of scheduled_at (as Ruby's client) instead of now (Go's) */
    river_states by_state;   /**< 0: all but cancelled and discarded; else with available, pending,
                                  running and scheduled */
    const char *const *paths; /**< arguments that count, "a" or "a.b"; NULL: all */
    size_t path_count;
} river_unique;

/** One job to insert. Zero means the default. Borrowed for the call. */
typedef struct river_insert {
    size_t struct_size;   /**< sizeof(river_insert) */
    const char *kind;     /**< 2 to 127 bytes: letters, digits and any of _-[]<>/.·:+, a word
                           character first */
    pgc_text args;        /**< JSON object; ptr NULL: {} */
    const char *queue;    /**< default "default" */
    int16_t priority;     /**< 1 to 4; default 1 */
    int16_t max_attempts; /**< default the client's, 25 */
    pgc_opt_timestamptz scheduled_at; /**< not before; default now */
    bool pending;                     /**< wait for somebody outside the queue */
    pgc_text metadata;                /**< JSON object; ptr NULL: {} */
    const char *const *tags;          /**< 3 to 255 word characters or hyphens each */
    size_t tag_count;
    river_unique unique;
} river_insert;

/**
 * Insert one job.
 *
 * @param db  the caller's transaction: the job exists when that commits. NULL: a transaction of the
 *            client's own.
 * @param out NULL, or one job for river_jobs_free(): the new one, or the existing duplicate.
 * @return PGC_OK; PGC_INVALID names the field; what pgc_db_run() returns.
 *
 * Blocks: yes. Thread-safe: yes with db NULL. Since: 0.1.
 */
PGC_API pgc_status river_insert_one(river_client *client, pgc_db *db, const river_insert *job,
                                    river_jobs **out, pgc_error *err) PGC_MUST_CHECK;

/**
 * Insert jobs in one statement, all or none. Two with the same unique key in one call: the second
 * is a duplicate of the first.
 *
 * @param out NULL, or jobs in the order of the input.
 */
PGC_API pgc_status river_insert_many(river_client *client, pgc_db *db, const river_insert *jobs,
                                     size_t count, river_jobs **out, pgc_error *err) PGC_MUST_CHECK;

/**
 * Insert jobs by COPY: the fastest way, all or none, no rows come back and a duplicate fails all
 * with PGC_CONFLICT.
 *
 * @param tx NULL: a transaction of the client's own.
 */
PGC_API pgc_status river_insert_copy(river_client *client, pgc_tx *tx, const river_insert *jobs,
                                     size_t count, pgc_error *err) PGC_MUST_CHECK;

PGC_END_DECLS

#endif
