/* What the handlers of jobs share with the worker that runs them. */
#ifndef WORK_JOBS_INTERNAL_H
#define WORK_JOBS_INTERNAL_H

#include <pthread.h>

#include "media/media.h"
#include "work/embed_gate.h"
#include "work/import_internal.h"
#include "work/jobs.h"

#define JOBS_MODELS_MAX 16 /* as many as a library knows */
#define JOBS_METADATA   "metadata_asset"
#define JOBS_THUMBNAIL  "thumbnail_asset"
#define JOBS_EMBED      "embed_asset"
#define JOBS_PURGE      "purge_trash"
#define JOBS_GRAPHS     "tend_graphs"

/* A job that waits or runs stands for the next one; one that has ended does not. */
#define JOBS_UNIQUE_STATES                                                               \
    ((river_states) (RIVER_STATE_BIT(RIVER_AVAILABLE) | RIVER_STATE_BIT(RIVER_PENDING) | \
                     RIVER_STATE_BIT(RIVER_RETRYABLE) | RIVER_STATE_BIT(RIVER_RUNNING) | \
                     RIVER_STATE_BIT(RIVER_SCHEDULED)))

/* Sandbox hosts that no job uses right now: a host belongs to one thread at a time, and starting
 * one costs more than most files. */
struct jobs_shared {
    const env *env;
    lum_library *library;
    pgc_pool *pool;
    const char *helper_path;
    int64_t trash_keep_us; /* as jobs_options; 0: never purged */
    int64_t graph_least;   /* as jobs_options */
    pthread_mutex_t lock;  /* guards what follows */
    media_host *idle[JOBS_AT_ONCE_MAX];
    size_t idle_count;
    char models[JOBS_MODELS_MAX][LUM_MODEL_NAME_MAX + 1]; /* surely known to the database */
    size_t model_count;
    embed_gate gate; /* has a lock of its own */
};

/* Borrows all. The gate gets its embedder afterwards; without one jobs that need it wait. */
void jobs_shared_init(jobs_shared *shared, lum_library *library, const char *helper_path);
/* No job may run. */
void jobs_shared_done(jobs_shared *shared);

/* Everything that one attempt needs. */
typedef struct jobs_attempt {
    jobs_shared *shared;
    river_ctx *ctx;
    const river_job *job;
    lum_session *session; /* of the asset's owner */
    pgc_uuid asset_id;
    char model[LUM_MODEL_NAME_MAX + 1]; /* "" unless the job names one */
    bool reset;                         /* metadata: as the file says, whatever people said */
    /* Of what works on the original. */
    import_target target;
    media_host *host;
    int original;
    char hash[STAGE_HASH_SIZE];
} jobs_attempt;

/* What is particular to a kind. PGC_OK: done, or river_ctx_snooze() was called. Failures that
 * another attempt would meet again (jobs_is_hopeless()) cancel the job. */
typedef pgc_status (*jobs_attempt_fn)(jobs_attempt *a, pgc_error *err);

/* Rows and the job's completion in one transaction, as the asset's owner. */
typedef pgc_status (*jobs_rows_fn)(const jobs_attempt *a, lum_actor actor, void *arg,
                                   pgc_error *err);
pgc_status jobs_commit(jobs_attempt *a, jobs_rows_fn rows, void *arg, pgc_error *err)
    PGC_MUST_CHECK;
bool jobs_is_hopeless(pgc_status status);

/* The trash of all users; arg is the worker's jobs_shared. */
pgc_status jobs_purge_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
    PGC_MUST_CHECK;

/* The graphs of owners with many vectors; arg is the worker's jobs_shared. */
pgc_status jobs_graphs_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
    PGC_MUST_CHECK;

/* Embedding, from the thumbnail. */
pgc_status jobs_embed(jobs_attempt *a, pgc_error *err) PGC_MUST_CHECK;
/* In the transaction db: jobs that wait for the thumbnails of an asset may run. */
pgc_status jobs_embed_wake(river_client *queue, pgc_db *db, pgc_uuid asset_id, pgc_error *err)
    PGC_MUST_CHECK;
/* Jobs of a kind for an asset in these states, for river_jobs_free(). */
pgc_status jobs_find(river_client *queue, pgc_db *db, const char *kind, pgc_uuid asset_id,
                     river_states states, river_jobs **out, pgc_error *err) PGC_MUST_CHECK;

#endif
