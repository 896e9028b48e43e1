#ifndef RIVER_JOB_H
#define RIVER_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pgc/error.h>
#include <pgc/types.h>

PGC_BEGIN_DECLS

/*
 * Rows of River's tables as C values. Names, limits and meanings are River's (schema version 7).
 */

/** State of a job; the order is that of the labels of river_job_state. */
typedef enum river_state {
    RIVER_AVAILABLE = 0, /**< may be fetched once scheduled_at has come */
    RIVER_CANCELLED = 1,
    RIVER_COMPLETED = 2,
    RIVER_DISCARDED = 3, /**< failed for the last time */
    RIVER_PENDING = 4,   /**< waits for somebody outside the queue */
    RIVER_RETRYABLE = 5,
    RIVER_RUNNING = 6,
    RIVER_SCHEDULED = 7
} river_state;

#define RIVER_STATE_COUNT 8u

/** Set of states: one bit each, as River keeps them in unique_states. */
typedef uint8_t river_states;
#define RIVER_STATE_BIT(state) ((river_states) (1u << (unsigned) (state)))
#define RIVER_STATES_ALL       ((river_states) 0xff)
/** States that never change again by themselves. */
#define RIVER_STATES_FINAL                                                                 \
    ((river_states) (RIVER_STATE_BIT(RIVER_CANCELLED) | RIVER_STATE_BIT(RIVER_COMPLETED) | \
                     RIVER_STATE_BIT(RIVER_DISCARDED)))

#define RIVER_QUEUE_DEFAULT        "default"
#define RIVER_MAX_ATTEMPTS_DEFAULT 25
#define RIVER_PRIORITY_DEFAULT     1         /**< 1 is first, 4 last */
#define RIVER_OUTPUT_MAX           33554432u /**< bytes of a recorded output */

/** Name as the server prints it, e.g. "available"; static text. */
PGC_API const char *river_state_name(river_state state);

/** @return false for a text that names no state. */
PGC_API bool river_state_parse(const char *name, river_state *out);

/** One failed attempt. */
typedef struct river_attempt_error {
    pgc_timestamptz at; /**< when the attempt started */
    int32_t attempt;
    pgc_text error;
    pgc_text trace; /**< empty unless the handler crashed */
} river_attempt_error;

/** One row of river_job. Texts are borrowed from what the job came with. */
typedef struct river_job {
    int64_t id;
    river_state state;
    int16_t attempt; /**< attempts begun so far, this one included */
    int16_t max_attempts;
    int16_t priority;
    pgc_opt_timestamptz attempted_at;
    pgc_timestamptz created_at;
    pgc_opt_timestamptz finalized_at;
    pgc_timestamptz scheduled_at;
    pgc_text kind;
    pgc_text queue;
    pgc_text args;     /**< JSON object */
    pgc_text metadata; /**< JSON object */
    const pgc_text *attempted_by;
    size_t attempted_by_count;
    const river_attempt_error *errors;
    size_t error_count;
    const pgc_text *tags;
    size_t tag_count;
    pgc_bytes unique_key;       /**< 32 bytes; ptr NULL: none */
    river_states unique_states; /**< 0: none */
} river_job;

/** Jobs of one answer; one allocation family, freed at once. Opaque. */
typedef struct river_jobs river_jobs;

/** NULL has none. */
PGC_API size_t river_jobs_count(const river_jobs *jobs);
/** @return a job that lives as long as `jobs`; NULL past the end. */
PGC_API const river_job *river_jobs_at(const river_jobs *jobs, size_t index);
/** For answers of inserts: the job existed already and nothing was inserted. */
PGC_API bool river_jobs_duplicate(const river_jobs *jobs, size_t index);
/** NULL is allowed. */
PGC_API void river_jobs_free(river_jobs *jobs);

/** One row of river_queue. */
typedef struct river_queue {
    pgc_text name;
    pgc_text metadata; /**< JSON object */
    pgc_timestamptz created_at;
    pgc_timestamptz updated_at;
    pgc_opt_timestamptz paused_at; /**< has: the queue is paused */
} river_queue;

/** Queues of one answer. Opaque. */
typedef struct river_queues river_queues;

/** NULL has none. */
PGC_API size_t river_queues_count(const river_queues *queues);
/** @return a queue that lives as long as `queues`; NULL past the end. */
PGC_API const river_queue *river_queues_at(const river_queues *queues, size_t index);
/** NULL is allowed. */
PGC_API void river_queues_free(river_queues *queues);

PGC_END_DECLS

#endif
