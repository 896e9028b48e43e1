#ifndef RIVER_MANAGE_H
#define RIVER_MANAGE_H

#include <pgc/db.h>
#include <river/client.h>

PGC_BEGIN_DECLS

/*
 * Looking at jobs and queues and changing them. `db` is the caller's transaction or NULL for the
 * client's pool, everywhere. Each *out is freed by river_jobs_free() / river_queues_free().
 */

/** @return PGC_NOT_FOUND without such a job. */
PGC_API pgc_status river_job_get(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                                 pgc_error *err) PGC_MUST_CHECK;

/**
 * Cancel: at once when it does not run; else whoever runs it is told. Final jobs stay as they are.
 */
PGC_API pgc_status river_job_cancel(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                                    pgc_error *err) PGC_MUST_CHECK;

/** Make a job available now; running ones stay as they are. PGC_CONFLICT: its unique key is held.
 */
PGC_API pgc_status river_job_retry(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                                   pgc_error *err) PGC_MUST_CHECK;

/** @return PGC_NOT_FOUND; PGC_CONFLICT: it runs. */
PGC_API pgc_status river_job_delete(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                                    pgc_error *err) PGC_MUST_CHECK;

/** Record an output (any state) without working the job. */
PGC_API pgc_status river_job_update(river_client *client, pgc_db *db, int64_t id, pgc_text output,
                                    river_jobs **out, pgc_error *err) PGC_MUST_CHECK;

typedef enum river_order {
    RIVER_ORDER_ID = 0,
    RIVER_ORDER_TIME = 1, /**< the time that fits the first state asked for */
    RIVER_ORDER_SCHEDULED_AT = 2,
    RIVER_ORDER_FINALIZED_AT = 3 /**< only with final states */
} river_order;

/** Which jobs. Zero members do not filter; several mean "and", entries of one mean "or". */
typedef struct river_filter {
    size_t struct_size; /**< sizeof(river_filter) */
    const int64_t *ids;
    size_t id_count;
    const char *const *kinds;
    size_t kind_count;
    const char *const *queues;
    size_t queue_count;
    const int16_t *priorities;
    size_t priority_count;
    river_states states; /**< 0: all */
    const char *const *tags_all;
    size_t tags_all_count;
    const char *const *tags_any;
    size_t tags_any_count;
    pgc_text metadata; /**< JSON that the job's metadata contains */
    river_order order;
    bool descending;
    const char *after; /**< cursor of an earlier page, River's base64 form */
    int32_t limit;     /**< 1 to 10000; default 100 */
    bool all;          /**< river_job_delete_many() without any filter */
} river_filter;

/** One page of jobs. @param filter NULL: all, by id. PGC_INVALID names what is wrong with it. */
PGC_API pgc_status river_job_list(river_client *client, pgc_db *db, const river_filter *filter,
                                  river_jobs **out, pgc_error *err) PGC_MUST_CHECK;

/** Cursor behind a job of a list; @param size at least RIVER_CURSOR_SIZE. */
#define RIVER_CURSOR_SIZE 1024u
PGC_API pgc_status river_job_cursor(const river_job *job, const river_filter *filter, char *out,
                                    size_t size, pgc_error *err) PGC_MUST_CHECK;

/** Delete what the filter names but running and locked jobs. */
PGC_API pgc_status river_job_delete_many(river_client *client, pgc_db *db,
                                         const river_filter *filter, river_jobs **out,
                                         pgc_error *err) PGC_MUST_CHECK;

/** Jobs per state, indexed by river_state. */
PGC_API pgc_status river_job_count(river_client *client, pgc_db *db, int64_t out[RIVER_STATE_COUNT],
                                   pgc_error *err) PGC_MUST_CHECK;

/** @return PGC_NOT_FOUND when no client ever worked it. */
PGC_API pgc_status river_queue_get(river_client *client, pgc_db *db, const char *name,
                                   river_queues **out, pgc_error *err) PGC_MUST_CHECK;
/** Queues by name. @param limit 1 to 10000; 0: 100. */
PGC_API pgc_status river_queue_list(river_client *client, pgc_db *db, int32_t limit,
                                    river_queues **out, pgc_error *err) PGC_MUST_CHECK;
/** @param name a queue or "*". PGC_NOT_FOUND when no client ever worked it. */
PGC_API pgc_status river_queue_pause(river_client *client, pgc_db *db, const char *name,
                                     pgc_error *err) PGC_MUST_CHECK;
PGC_API pgc_status river_queue_resume(river_client *client, pgc_db *db, const char *name,
                                      pgc_error *err) PGC_MUST_CHECK;
/** Replace the metadata. */
PGC_API pgc_status river_queue_update(river_client *client, pgc_db *db, const char *name,
                                      pgc_text metadata, river_queues **out, pgc_error *err)
    PGC_MUST_CHECK;

PGC_END_DECLS

#endif
