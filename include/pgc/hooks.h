#ifndef PGC_HOOKS_H
#define PGC_HOOKS_H

#include <pgc/query.h>

PGC_BEGIN_DECLS

/*
 * What the library does, told while it happens. One table serves a connection or a whole pool; a
 * member that is NULL costs one branch and no clock read.
 *
 * Rules for the functions: they run on the thread that does the work (a pool's background threads
 * included, so several at once), never under a lock of the library; they must not use the
 * connection or pool they are told about, and should be short. Everything an event points to is
 * borrowed and ends with the call. Texts are never NULL unless it is said.
 *
 * Names in quotes are those of the OpenTelemetry semantic conventions for databases. Their
 * durations are seconds; ours are microseconds.
 */

/** The session that an event is about. */
typedef struct pgc_session_facts {
    const char *host;       /**< "server.address"; the folder for UNIX sockets */
    const char *port;       /**< "server.port" */
    const char *database;   /**< "db.namespace" */
    const char *user;       /**< login name */
    const char *pool_name;  /**< "db.client.connection.pool.name"; "" outside a pool */
    int32_t backend_pid;    /**< 0 before the login */
    int32_t server_version; /**< server_version_num; 0 before the login */
    bool standby;           /**< in recovery, as far as the server has said */
} pgc_session_facts;

/** One query, script, COPY or batch: one operation of the conventions. */
typedef struct pgc_query_event {
    const pgc_session_facts *session;
    const char *name;       /**< "db.query.summary": descriptor name, e.g. "GetAsset" */
    const char *sql;        /**< "db.query.text": never holds values; "" for a batch */
    uint64_t sql_hash;      /**< of the descriptor; 0 for scripts, COPY and batches */
    uint32_t batch_size;    /**< "db.operation.batch.size": queries of a batch; 0 for one query */
    uint32_t batch_index;   /**< on_batch_query: number of this query in it, from 0 */
    uint32_t attempt;       /**< tries so far; over 1 when a stale statement was prepared again */
    pgc_status status;      /**< from here on: on_query_end and on_batch_query only */
    const char *sqlstate;   /**< "db.response.status_code", "error.type"; "" when there is none */
    const pgc_error *error; /**< all about the failure; NULL on success */
    int64_t rows;        /**< "db.client.response.returned_rows": rows that came or were changed */
    int64_t bytes;       /**< memory of the answer */
    int64_t duration_us; /**< "db.client.operation.duration"; 0 for a query of a batch */
} pgc_query_event;

/** A connection borrowed from a pool, or given back. */
typedef struct pgc_pool_event {
    const pgc_session_facts *session; /**< NULL when none was to be had */
    const char *pool_name;            /**< "db.client.connection.pool.name" */
    const char *holder;               /**< who borrows: pgc_acquire_options.holder, or "" */
    pgc_status status; /**< on_acquire: of the call; PGC_TIMEOUT: "…connection.timeouts" */
    const char *sqlstate;
    int64_t wait_us;    /**< on_acquire: "db.client.connection.wait_time"; checks included */
    int64_t held_us;    /**< on_release, on_leak: "db.client.connection.use_time" */
    uint64_t thread_id; /**< on_leak: kernel's id of the thread that borrowed */
    bool closed;        /**< on_release: it did not go back to the idle ones */
} pgc_pool_event;

/** Why a connection ended. */
typedef enum pgc_end_reason {
    PGC_END_CALLER = 0,   /**< pgc_conn_close(), or the pool closes */
    PGC_END_LOST = 1,     /**< the server or network ended it, or we gave it up */
    PGC_END_LIFETIME = 2, /**< old enough, or its buffers had grown */
    PGC_END_IDLE = 3,     /**< unused for idle_us */
    PGC_END_DIRTY = 4,    /**< given back in a state that could not be repaired */
    PGC_END_RESET = 5     /**< older than the pool's last reset; over the cap */
} pgc_end_reason;

/** A connection made, or not; a connection closed. */
typedef struct pgc_connect_event {
    const pgc_session_facts *session;
    pgc_status status;      /**< on_connect: of the attempt */
    const char *sqlstate;   /**< "error.type" */
    const pgc_error *error; /**< NULL on success */
    int64_t duration_us;    /**< on_connect: "db.client.connection.create_time" */
    pgc_end_reason reason;  /**< on_disconnect */
} pgc_connect_event;

/** What is tried again. */
typedef enum pgc_retry_kind {
    PGC_RETRY_STALE = 0,       /**< a prepared statement that no longer fits, on its connection */
    PGC_RETRY_READ = 1,        /**< a read whose connection was lost, on another one */
    PGC_RETRY_TRANSACTION = 2, /**< a whole transaction after a conflict: pgc_tx_run() */
    PGC_RETRY_CONNECT = 3      /**< a pool's connect after a failed one */
} pgc_retry_kind;

typedef struct pgc_retry_event {
    pgc_retry_kind kind;
    const char *name;     /**< query or "transaction", "connect" */
    uint32_t attempt;     /**< number of the try that failed, from 1 */
    pgc_status status;    /**< why it failed */
    const char *sqlstate; /**< "" when the server was not involved */
    int64_t pause_us;     /**< until the next try */
} pgc_retry_event;

/** A message of the server that is no error. */
typedef struct pgc_notice_event {
    const pgc_session_facts *session;
    const char *severity; /**< "WARNING", "NOTICE", "INFO", "LOG" or "DEBUG" */
    const char *sqlstate;
    const char *message;
    const char *detail, *hint; /**< "" when there is none */
} pgc_notice_event;

/** The table. Given by pgc_conn_options.hooks; copied, so only ctx must outlive the connections. */
typedef struct pgc_hooks {
    size_t struct_size; /**< sizeof(pgc_hooks) */
    void *ctx;          /**< handed to every function */
    /** *span is NULL; what is stored there comes back in on_batch_query and on_query_end. */
    void (*on_query_start)(void *ctx, const pgc_query_event *event, void **span);
    /** Once for every start, whatever happened. */
    void (*on_query_end)(void *ctx, const pgc_query_event *event, void *span);
    /** One query of a batch, before the end of the batch. */
    void (*on_batch_query)(void *ctx, const pgc_query_event *event, void *span);
    void (*on_acquire)(void *ctx, const pgc_pool_event *event);
    void (*on_release)(void *ctx, const pgc_pool_event *event);
    /** A borrowed connection is overdue (pgc_pool_options.leak_after_us), or held at the close. */
    void (*on_leak)(void *ctx, const pgc_pool_event *event);
    void (*on_connect)(void *ctx, const pgc_connect_event *event);
    void (*on_disconnect)(void *ctx, const pgc_connect_event *event);
    void (*on_retry)(void *ctx, const pgc_retry_event *event);
    void (*on_notice)(void *ctx, const pgc_notice_event *event);
} pgc_hooks;

PGC_END_DECLS

#endif
