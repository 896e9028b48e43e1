/* Statements on our side tables, and the one that deletes instead of completing. */
#ifndef RIVER_STORE_EXT_H
#define RIVER_STORE_EXT_H

#include "river/store.h"

/* Are all side tables there? */
pgc_status store_ext_ready(const river_store *store, pgc_db *db, bool *out, pgc_error *err)
    PGC_MUST_CHECK;

/* The client lives. fresh: jobs that the same id began before are nobody's. */
pgc_status store_ext_beat(const river_store *store, pgc_db *db, const char *id, int64_t lost_us,
                          bool fresh, pgc_error *err) PGC_MUST_CHECK;
pgc_status store_ext_leave(const river_store *store, pgc_db *db, const char *id, pgc_error *err)
    PGC_MUST_CHECK;
/* Running jobs whose last client is silent for too long. */
pgc_status store_ext_orphans(const river_store *store, pgc_db *db, int32_t max, river_jobs **out,
                             pgc_error *err) PGC_MUST_CHECK;
/* Rows of clients that are silent for a day. */
pgc_status store_ext_forget(const river_store *store, pgc_db *db, pgc_error *err) PGC_MUST_CHECK;

/* Limits of a queue over all clients; zero members do not limit. */
typedef struct store_limits {
    uint32_t running; /* at once */
    uint32_t starts;  /* per period */
    int64_t period_us;
} store_limits;

/* In a transaction: take the queue's turn, until its end. Makes the row when there is none. */
pgc_status store_ext_lock(const river_store *store, pgc_db *db, const char *queue, pgc_error *err)
    PGC_MUST_CHECK;
/* With the turn taken: how many jobs may start, at most max. Not negative. */
pgc_status store_ext_room(const river_store *store, pgc_db *db, const char *queue,
                          const store_limits *limits, uint32_t max, uint32_t *out, pgc_error *err)
    PGC_MUST_CHECK;
/* With the turn taken: so many did start. */
pgc_status store_ext_started(const river_store *store, pgc_db *db, const char *queue,
                             int64_t period_us, size_t count, pgc_error *err) PGC_MUST_CHECK;

/* Next run of a durable periodic job: what is kept, or first, which is kept from now on. */
pgc_status store_ext_plan(const river_store *store, pgc_db *db, const char *id,
                          pgc_timestamptz first, pgc_timestamptz *out, pgc_error *err)
    PGC_MUST_CHECK;
/* From one next run to the following. PGC_CONFLICT: another leader was faster. */
pgc_status store_ext_advance(const river_store *store, pgc_db *db, const char *id,
                             pgc_timestamptz from, pgc_timestamptz to, pgc_error *err)
    PGC_MUST_CHECK;

#endif
