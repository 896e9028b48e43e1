#ifndef RIVER_CLIENT_H
#define RIVER_CLIENT_H

#include <pgc/pool.h>
#include <river/event.h>
#include <river/worker.h>

PGC_BEGIN_DECLS

/** A member of the queue: inserts, asks, and, once started, works and leads. Thread-safe. */
typedef struct river_client river_client;

/** One queue that the client works. Zero means the default. */
typedef struct river_queue_options {
    size_t struct_size;   /**< sizeof(river_queue_options) */
    const char *name;     /**< lower-case letters, digits, single _ | - between; at most 64 bytes */
    uint32_t max_workers; /**< jobs at once, 1 to 10000 */
    int64_t fetch_cooldown_us; /**< least time between fetches; default the client's */
    int64_t fetch_poll_us;     /**< look without being told; default the client's */
    uint32_t global_limit;     /**< running at once over all libriver clients; 0: no limit */
    uint32_t rate_count;       /**< starts per rate_period_us over all libriver clients, counted in
                                    windows that begin with a start; 0: no limit */
    int64_t rate_period_us;
    int64_t retain_completed_us; /**< as the client's, for this queue; 0: the client's; -1: for
                                      ever; 1: deleted instead of completed, unless the handler
                                      left metadata or an output: then by the next cleaning */
} river_queue_options;

/** When a periodic job comes next: the first time after `after`; PGC_NOT_FOUND: never. */
typedef pgc_status (*river_schedule_fn)(pgc_timestamptz after, void *arg, pgc_timestamptz *out);

struct river_insert;
/** Fills the job to insert; false skips this time. Texts live until the next call. */
typedef bool (*river_periodic_fn)(struct river_insert *job, void *arg);

/** A job that comes again. Exactly one of interval_us, cron, schedule. */
typedef struct river_periodic {
    size_t struct_size; /**< sizeof(river_periodic) */
    const char *id;     /**< at most 127 characters; needed for durable */
    int64_t interval_us;
    const char *cron; /**< five fields, "@hourly", …; UTC unless time_zone */
    const char *time_zone;
    river_schedule_fn schedule;
    void *schedule_arg;
    const struct river_insert *job; /**< copied; or construct */
    river_periodic_fn construct;
    void *construct_arg;
    bool run_on_start;
    bool durable; /**< next time is kept in a side table, by id: missed runs are caught up once */
} river_periodic;

/** Settings of river_client_open(). Zero means the default. */
typedef struct river_client_options {
    size_t struct_size;           /**< sizeof(river_client_options) */
    pgc_pool *pool;               /**< for inserts, fetches, completions; must outlive the client */
    const pgc_conn_options *conn; /**< for the listener's and the leader's own connections; NULL:
                                       poll only and lead through the pool */
    const char *schema;           /**< of River's tables; default the first of search_path */
    const char *id;               /**< at most 100 characters; default host name and start time */
    const river_queue_options *queues;
    size_t queue_count; /**< 0: a client that only inserts and asks */
    const river_worker *workers;
    size_t worker_count;
    const river_periodic *periodics;
    size_t periodic_count;
    int16_t max_attempts;         /**< default 25 */
    int64_t job_timeout_us;       /**< default 1 min; -1: none */
    int64_t stuck_after_us;       /**< after the time-out; default 10 s */
    int64_t fetch_cooldown_us;    /**< default 100 ms */
    int64_t fetch_poll_us;        /**< default 1 s */
    int64_t rescue_after_us;      /**< default 1 h, with a job time-out that much longer */
    int64_t retain_completed_us;  /**< default 24 h; -1: for ever */
    int64_t retain_cancelled_us;  /**< default 24 h */
    int64_t retain_discarded_us;  /**< default 7 days */
    int64_t soft_stop_us;         /**< from stop to cancelling what runs; 0: never */
    bool poll_only;               /**< no LISTEN */
    bool no_lead;                 /**< stay out of elections */
    bool discard_unknown_kinds;   /**< as River's rescuer does; default: leave them alone */
    bool skip_unknown_kind_check; /**< insert kinds that no worker here has */
    bool heartbeats;              /**< side table river_ext_client: fast rescue, see heartbeat_us */
    bool no_reindex;
    const river_hooks *hooks; /**< borrowed; must outlive the client */
    const pgc_alloc *alloc;   /**< must outlive the client */
    int64_t heartbeat_us;     /**< with heartbeats: between two; default 5 s. Who is silent for six
                                   is lost, and any client with heartbeats gives its jobs back */
    int64_t flush_us; /**< how long a stop tries to store the last outcomes while the server takes
                         none, counted from the end of the last handler; default 10 s; -1: as
                         long as it takes. What is not stored then counts as not heard of:
                         those jobs stay running and are rescued like those of a dead client */
    int64_t reindex_timeout_us; /**< of one index; default 1 min; -1: none */
} river_client_options;

/**
 * Make a client. Nothing is sent to the server but one look at the schema.
 *
 * @param out for river_client_close().
 * @return PGC_OK; PGC_INVALID names the option; PGC_SCHEMA when the tables are missing or older
 *         than version 6; what pgc_db_run() returns.
 *
 * Blocks: yes. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status river_client_open(const river_client_options *options, river_client **out,
                                     pgc_error *err) PGC_MUST_CHECK;

/** Stop when running (soft, as river_client_stop() without timeout_us) and free. NULL is allowed.
 */
PGC_API void river_client_close(river_client *client);

/** The client's name in attempted_by and river_leader. */
PGC_API const char *river_client_id(const river_client *client);

/** Begin to work the queues and to take part in elections. */
PGC_API pgc_status river_client_start(river_client *client, pgc_error *err) PGC_MUST_CHECK;

typedef enum river_stop {
    RIVER_STOP_SOFT = 0, /**< no new jobs; wait for those that run */
    RIVER_STOP_HARD = 1  /**< cancel those that run, too; interrupted ones become available */
} river_stop;

/**
 * Stop, flush completions, resign leadership. A second call may harden the first.
 *
 * Without the server a stop ends, too: flush_us after the last handler's end, and what one call may
 * last by the pool's time limits. C cannot end a handler that does not look at
 * river_ctx_cancelled().
 *
 * @param timeout_us wait at most so long for handlers and outcomes; < 0: as long as it takes.
 * @return PGC_OK; PGC_TIMEOUT: jobs still run; the stop goes on.
 *
 * Blocks: yes. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status river_client_stop(river_client *client, river_stop how, int64_t timeout_us,
                                     pgc_error *err) PGC_MUST_CHECK;

/** Queues and periodic jobs may come and go while the client runs. */
PGC_API pgc_status river_client_queue_add(river_client *client, const river_queue_options *queue,
                                          pgc_error *err) PGC_MUST_CHECK;
/** Stops fetching from it; what runs goes on. PGC_NOT_FOUND. Blocks: until a fetch under way has
 * ended. */
PGC_API pgc_status river_client_queue_remove(river_client *client, const char *name, pgc_error *err)
    PGC_MUST_CHECK;
/** @param handle_out for river_client_periodic_remove(); may be NULL. */
PGC_API pgc_status river_client_periodic_add(river_client *client, const river_periodic *periodic,
                                             int32_t *handle_out, pgc_error *err) PGC_MUST_CHECK;
PGC_API pgc_status river_client_periodic_remove(river_client *client, int32_t handle,
                                                pgc_error *err) PGC_MUST_CHECK;

/** Ask whoever leads to step down. */
PGC_API pgc_status river_client_request_resign(river_client *client, pgc_db *db, pgc_error *err)
    PGC_MUST_CHECK;

/** Does this client lead now? */
PGC_API bool river_client_leads(const river_client *client);

/** Counters since the start, and gauges of now. */
typedef struct river_client_stats {
    int64_t fetched, completed, failed, cancelled, snoozed, interrupted, stuck;
    int64_t fetch_count, fetch_us, complete_count, complete_us;
    uint32_t running, waiting_completions, threads;
    bool leads;
} river_client_stats;
/** All of one moment. Blocks: briefly, on locks. Thread-safe: yes. Since: 0.1. */
PGC_API void river_client_get_stats(river_client *client, river_client_stats *out);

PGC_END_DECLS

#endif
