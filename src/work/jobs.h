/* The library's jobs: what is inserted with an asset, and the worker that carries it out. A job is
 * done as its asset's owner, under row-level security, and completes in the transaction of its
 * effects: done once or not at all, whoever dies when. */
#ifndef WORK_JOBS_H
#define WORK_JOBS_H

#include <river/client.h>
#include <river/event.h>

#include "base/clock.h"
#include "service/embedding.h"
#include "service/library.h"
#include "service/session.h"

#define JOBS_WORKER_ROLE  "lumilio_worker"
#define JOBS_MAX_ATTEMPTS 5
#define JOBS_AT_ONCE_MAX  64 /* of one queue */

/* One kind of job; its queue has the same name. */
typedef struct jobs_kind {
    const char *name;
    const char *what; /* for people */
    river_work_fn work;
    int64_t timeout_us; /* 0: as usual; -1: none */
    bool asks_server;   /* needs the embedding server, and mostly waits for it */
    bool daily;         /* comes by itself, once a day; one at a time */
    bool purges;        /* daily, when the trash is to be purged */
} jobs_kind;

/* The kinds that this program knows; NULL past the end. */
const jobs_kind *jobs_kind_at(size_t index);

/* A client that only inserts; for river_client_close(). It borrows both. */
pgc_status jobs_queue_open(pgc_pool *pool, const env *e, river_client **out, pgc_error *err)
    PGC_MUST_CHECK;
/* Which jobs an asset shall get. */
typedef struct jobs_wanted {
    bool files;              /* metadata and thumbnails from the original */
    bool reset;              /* with files: forget what people edited */
    const char *embed_model; /* its vector by this model, from its thumbnail; "" or NULL: none */
    const clock_ops *clock;  /* with files and embed_model: for how long the vector waits */
} jobs_wanted;

/* Jobs for an asset of the actor, in the actor's transaction if it has one. A job that waits or
 * runs for this asset already is not inserted again. */
pgc_status jobs_insert(river_client *queue, lum_actor actor, pgc_uuid asset_id, jobs_wanted wanted,
                       pgc_error *err) PGC_MUST_CHECK;
/* The model that new photos of the library shall be embedded by: as configured, "" without an
 * embedding server. PGC_INVALID: the configuration (the message names the line). */
pgc_status jobs_embed_model(const lum_library *library, char out[LUM_MODEL_NAME_MAX + 1],
                            pgc_error *err) PGC_MUST_CHECK;

/* What the jobs of one worker share. Opaque. */
typedef struct jobs_shared jobs_shared;

typedef struct jobs_counts {
    uint64_t completed, retrying, given_up; /* given_up: cancelled and discarded */
    uint64_t waiting;                       /* put off: what they need is not there yet */
} jobs_counts;

typedef struct jobs_options {
    const char *helper_path; /* the program lumilio-media */
    const char *const *queues;
    size_t queue_count; /* 0: all that there are, but what cannot be done here */
    uint32_t at_once;   /* of one queue; 0: as many as there are cores */
    bool once;          /* end when no job of these queues is due or runs */
    bool no_lead;       /* leave the queue's upkeep to others */
    /* Called from the thread of jobs_work(); may be NULL. Borrowed during the call. */
    void (*on_event)(void *arg, const river_event *event);
    void *arg;
    /* Written by __atomic_store_n() elsewhere: 1, finish what runs; 2, interrupt it, too. NULL:
     * never. */
    const volatile int *stop;
    /* How long what was deleted stays in the trash: what is older is purged once a day, its files
     * with it. 0: for ever; the worker neither makes nor does such jobs. */
    int64_t trash_keep_us;
    int64_t graph_least; /* vectors from which an owner has a graph; 0: LUM_GRAPH_LEAST */
} jobs_options;

/* Work jobs until told to stop. The library is open as JOBS_WORKER_ROLE. PGC_OK also when jobs
 * failed (see the counts, which are filled in any case); PGC_INVALID: no such queue, one that needs
 * the embedding server and none is configured, or a bad configuration. */
pgc_status jobs_work(lum_library *library, const jobs_options *options, jobs_counts *out,
                     pgc_error *err) PGC_MUST_CHECK;

#endif
