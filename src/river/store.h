/* Every SQL statement of the queue, one function each, on whatever handle the caller has: pool,
 * connection or transaction. Nothing here decides; rows in, rows out. A store is the statements
 * with a schema's name in them. There is one per schema and process, made at first use and never
 * freed: connections keep prepared statements of it. Read-only, shared by all threads. */
#ifndef RIVER_STORE_H
#define RIVER_STORE_H

#include <pgc/db.h>
#include <river/insert.h>
#include <river/manage.h>

#include "base/slice.h"

typedef struct river_store river_store;

/* schema NULL or "": the first one of search_path, which is asked of db and fixed. PGC_SCHEMA: no
 * tables, or version below 6. */
pgc_status store_open(pgc_db *db, const char *schema, const river_store **out, pgc_error *err)
    PGC_MUST_CHECK;
/* Name of the schema, for channels "schema.river_insert". */
const char *store_schema(const river_store *store);

/* Rows to insert, checked and complete. Borrowed. */
typedef struct store_row {
    const river_insert *job;
    river_state state;
    uint8_t unique_key[32];
    bool unique;
    river_states unique_states;
} store_row;

/* One statement; *out has a job per row, in the order of the rows, with its duplicate flag. */
pgc_status store_insert(const river_store *store, pgc_db *db, const store_row *rows, size_t count,
                        river_jobs **out, pgc_error *err) PGC_MUST_CHECK;
/* COPY inside a transaction. */
pgc_status store_insert_copy(const river_store *store, pgc_tx *tx, const store_row *rows,
                             size_t count, pgc_error *err) PGC_MUST_CHECK;
/* NOTIFY of one topic ("river_insert", …), all payloads in one statement. */
pgc_status store_notify(const river_store *store, pgc_db *db, const char *topic,
                        const pgc_text *payloads, size_t count, pgc_error *err) PGC_MUST_CHECK;

/* Take up to max jobs of a queue for client_id; sorted by priority, scheduled_at, id. */
pgc_status store_fetch(const river_store *store, pgc_db *db, const char *queue,
                       const char *client_id, uint32_t max, river_jobs **out, pgc_error *err)
    PGC_MUST_CHECK;

/* An attempt that succeeded and left nothing to write. */
typedef struct store_done {
    int64_t id;
    int16_t attempt; /* the fence */
    bool stored;     /* out: false when the job is not this attempt's any more */
    bool gone;       /* delete the row instead; the same for all of a call */
} store_done;

/* The hot path of completion: finalized_at is the server's clock. Sorts entries by attempt and id:
 * one statement per attempt number, nearly always one. */
pgc_status store_complete(const river_store *store, pgc_db *db, store_done *entries, size_t count,
                          pgc_timestamptz *finalized_out, pgc_error *err) PGC_MUST_CHECK;

/* Outcome of one attempt. */
typedef struct store_outcome {
    int64_t id;
    int16_t attempt;           /* the attempt that it is the outcome of: the fence */
    pgc_opt_timestamptz began; /* attempted_at of that attempt; part of the fence when it has: a
                                  snooze lowers attempt, so a number alone may come again */
    river_state state;         /* what it becomes */
    int16_t attempt_new;       /* written when set_attempt */
    bool set_attempt;
    pgc_opt_timestamptz finalized_at;
    pgc_opt_timestamptz scheduled_at; /* has: written */
    pgc_text error;                   /* JSON object to append; ptr NULL: none */
    pgc_text metadata;                /* JSON object to merge; ptr NULL: none */
} store_outcome;

/* Write outcomes in one statement. *out: the rows as they are afterwards, by id; jobs that are gone
 * are not in it. Rows that run no more, or run under another attempt, only merge metadata. A job
 * that was told to cancel and is not final becomes cancelled. */
pgc_status store_finish(const river_store *store, pgc_db *db, const store_outcome *outcomes,
                        size_t count, river_jobs **out, pgc_error *err) PGC_MUST_CHECK;

/* Which jobs a client may have fetched without hearing of it. */
typedef struct store_unheard {
    const char *queue;
    const char *client_id;
    int64_t within_us;    /* fetched at most so long ago, by the server's clock */
    const int64_t *known; /* jobs that it did hear of */
    size_t known_count;
} store_unheard;

/* Give them back: available again, and the attempt does not count. */
pgc_status store_reclaim(const river_store *store, pgc_db *db, const store_unheard *unheard,
                         int64_t *count_out, pgc_error *err) PGC_MUST_CHECK;

/* Queue rows. */
pgc_status store_queue_upsert(const river_store *store, pgc_db *db, const char *name,
                              river_queues **out, pgc_error *err) PGC_MUST_CHECK;

/* Leadership. elected_at is kept as the server's microseconds. */
typedef struct store_term {
    pgc_timestamptz elected_at;
} store_term;

/* PGC_NOT_FOUND: somebody else leads. Own transaction: db is a pool or a connection. */
pgc_status store_lead_elect(const river_store *store, pgc_db *db, const char *id, int64_t ttl_us,
                            store_term *out, pgc_error *err) PGC_MUST_CHECK;
/* PGC_NOT_FOUND: the term has ended. */
pgc_status store_lead_extend(const river_store *store, pgc_db *db, const char *id,
                             const store_term *term, int64_t ttl_us, pgc_error *err) PGC_MUST_CHECK;
pgc_status store_lead_resign(const river_store *store, pgc_db *db, const char *id,
                             const store_term *term, pgc_error *err) PGC_MUST_CHECK;

/* What may be deleted: final since before these times; has false keeps the state for ever. */
typedef struct store_retention {
    pgc_opt_timestamptz completed_before, cancelled_before, discarded_before;
    const pgc_text *queues; /* these only, or all but these */
    size_t queue_count;
    bool only_these;
} store_retention;

/* Maintenance: each does one batch, lowest ids first, and says how many rows it had. */
pgc_status store_clean_jobs(const river_store *store, pgc_db *db, const store_retention *keep,
                            int32_t max, int64_t *count_out, pgc_error *err) PGC_MUST_CHECK;
pgc_status store_clean_queues(const river_store *store, pgc_db *db, pgc_timestamptz before,
                              int32_t max, int64_t *count_out, pgc_error *err) PGC_MUST_CHECK;
/* Moves due jobs, discards unique conflicts; *out: the moved ones. */
pgc_status store_schedule(const river_store *store, pgc_db *db, pgc_timestamptz due, int32_t max,
                          river_jobs **out, pgc_error *err) PGC_MUST_CHECK;
/* Running jobs begun before the horizon, id above after. */
pgc_status store_stuck(const river_store *store, pgc_db *db, pgc_timestamptz horizon, int64_t after,
                       int32_t max, river_jobs **out, pgc_error *err) PGC_MUST_CHECK;
/* Writes only rows that still run and began before the horizon. */
pgc_status store_rescue(const river_store *store, pgc_db *db, pgc_timestamptz horizon,
                        const store_outcome *outcomes, size_t count, int64_t *count_out,
                        pgc_error *err) PGC_MUST_CHECK;

#endif
