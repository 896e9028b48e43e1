#ifndef RIVER_EVENT_H
#define RIVER_EVENT_H

#include <river/job.h>

PGC_BEGIN_DECLS

/** What happened in this client. Bits, so that they make a set. */
typedef enum river_event_kind {
    RIVER_EVENT_COMPLETED = 1,
    RIVER_EVENT_CANCELLED = 2,
    RIVER_EVENT_FAILED = 4, /**< an attempt failed; state says whether it comes again */
    RIVER_EVENT_SNOOZED = 8,
    RIVER_EVENT_INTERRUPTED = 16,
    RIVER_EVENT_PAUSED = 32,
    RIVER_EVENT_RESUMED = 64
} river_event_kind;

#define RIVER_EVENTS_ALL 127u

/** One event. Freed by river_event_free(). */
typedef struct river_event {
    river_event_kind kind;
    river_jobs *jobs;    /**< one job, as it is after the update; NULL for queues */
    char queue[129];     /**< for paused and resumed */
    int64_t wait_us;     /**< from scheduled_at to the start */
    int64_t run_us;      /**< in the handler */
    int64_t complete_us; /**< from its end to the stored outcome */
} river_event;

/** A subscriber's place; opaque. */
typedef struct river_subscription river_subscription;

struct river_client;

/**
 * @param kinds    bits of river_event_kind.
 * @param capacity events kept for a slow reader, default 1000; more are dropped and counted.
 */
PGC_API pgc_status river_subscribe(struct river_client *client, uint32_t kinds, uint32_t capacity,
                                   river_subscription **out, pgc_error *err) PGC_MUST_CHECK;

/** @return PGC_OK; PGC_TIMEOUT; PGC_CLOSED once the client has stopped and all is read. */
PGC_API pgc_status river_subscription_next(river_subscription *subscription, int64_t timeout_us,
                                           river_event **out) PGC_MUST_CHECK;
PGC_API int64_t river_subscription_dropped(const river_subscription *subscription);
PGC_API void river_event_free(river_event *event);
PGC_API void river_unsubscribe(river_subscription *subscription);

struct river_insert;
struct river_ctx;

/** Calls around inserts and attempts. Members may be NULL; nothing is paid for those. */
typedef struct river_hooks {
    size_t struct_size; /**< sizeof(river_hooks) */
    void *arg;
    /** Before SQL; may change the job. Failure fails the insert. */
    pgc_status (*insert_begin)(struct river_insert *job, void *arg, pgc_error *err);
    /** Around each attempt: call river_ctx_run() once, or not to skip the work. */
    pgc_status (*work)(struct river_ctx *ctx, const river_job *job, void *arg, pgc_error *err);
    pgc_status (*work_begin)(struct river_ctx *ctx, const river_job *job, void *arg,
                             pgc_error *err);
    /** After the handler; returns the status that counts. */
    pgc_status (*work_end)(struct river_ctx *ctx, const river_job *job, pgc_status status,
                           void *arg, pgc_error *err);
    /** An attempt failed; true cancels the job. */
    bool (*on_error)(const river_job *job, const pgc_error *error, void *arg);
    /** Something went wrong in the background; for logs. */
    void (*on_trouble)(const pgc_error *error, void *arg);
    /** A job runs longer than its time-out and stuck_after_us; true frees its place. */
    bool (*on_stuck)(const river_job *job, void *arg);
} river_hooks;

PGC_END_DECLS

#endif
