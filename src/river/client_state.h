/* Inside of river_client. What is set at opening never changes; the rest is under its lock. */
#ifndef RIVER_CLIENT_STATE_H
#define RIVER_CLIENT_STATE_H

#include <river/insert.h>

#include "base/arena.h"
#include "base/env.h"
#include "river/store.h"

#define CLIENT_ID_SIZE 104

/* Topics; channels are the schema, a dot and one of these. */
#define TOPIC_INSERT     "river_insert"
#define TOPIC_CONTROL    "river_control"
#define TOPIC_LEADERSHIP "river_leadership"

/* When a queue was last told of inserts; a slot is used up even when its transaction rolls back. */
typedef struct notify_slot {
    struct notify_slot *next;
    int64_t next_us; /* not before, monotonic */
    char queue[];
} notify_slot;

struct river_runtime;

struct river_client {
    const env *env;
    pgc_pool *pool;
    const river_store *store;
    river_client_options options; /* defaults filled in, texts and arrays are in memory */
    arena *memory;
    char id[CLIENT_ID_SIZE];
    pthread_mutex_t lock;
    notify_slot *slots;
    struct river_runtime *runtime; /* while started */
};

/* Handle for a call: the caller's transaction, or the pool. */
pgc_db *client_db(const river_client *client, pgc_db *db);
/* The server's time may differ; River takes the client's in some places. */
pgc_timestamptz client_now(const river_client *client);
/* The worker of a kind or of one of its aliases; NULL: none. */
const river_worker *client_worker(const river_client *client, slice kind);
/* The same client on other seams, for tests. */
pgc_status client_open_on(const river_client_options *options, const env *seams, river_client **out,
                          pgc_error *err) PGC_MUST_CHECK;

/* Of these queues, those that may be told now: at most once per cooldown each. payloads (room for
 * count) gets one JSON text per queue to tell; memory is the arena's. */
pgc_status notify_payloads(river_client *client, const slice *queues, size_t count, arena *memory,
                           pgc_text *payloads, size_t *payload_count, pgc_error *err)
    PGC_MUST_CHECK;

#endif
