#ifndef PGC_POOL_H
#define PGC_POOL_H

#include <pgc/conn.h>

PGC_BEGIN_DECLS

/** Open connections shared by threads. Opaque; every function below is thread-safe. */
typedef struct pgc_pool pgc_pool;

/** Settings of pgc_pool_open(). Zero in any member but struct_size means the default. */
typedef struct pgc_pool_options {
    size_t struct_size;         /**< sizeof(pgc_pool_options) */
    pgc_conn_options conn;      /**< how each is made; its alloc serves several threads */
    uint32_t max_conns;         /**< default 20, at most 1000 */
    uint32_t min_conns;         /**< default 5; opened in the background */
    int64_t lifetime_us;        /**< age at which a connection is replaced; default 1 h */
    int64_t lifetime_jitter_us; /**< random addition per connection; default lifetime / 10 */
    int64_t idle_us; /**< idle time at which one above min_conns closes; default 30 min */
    int64_t acquire_timeout_us; /**< default 30 s; -1 = without limit */
    int64_t ping_idle_us;       /**< idle time after which acquire checks liveness; default 5 s */
    uint32_t max_waiters;       /**< default 1000; more get PGC_LIMIT at once */
} pgc_pool_options;

/** Counters since the pool was opened, and gauges of now. */
typedef struct pgc_pool_stats {
    uint32_t total, idle, acquired, connecting, waiters;
    int64_t acquire_count, acquire_wait_count, acquire_wait_us, acquire_timeout_count;
    int64_t connect_count, connect_failure_count;
    int64_t lifetime_close_count, idle_close_count, broken_close_count, dirty_release_count;
} pgc_pool_stats;

/**
 * Open a pool. No connection is made here: a server that is down shows at the first acquire.
 *
 * @param options read during the call only.
 * @param out     on PGC_OK the pool, for pgc_pool_close(); else untouched.
 * @return PGC_OK; PGC_INVALID (conninfo or option); PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_pool_open(const pgc_pool_options *options, pgc_pool **out, pgc_error *err)
    PGC_MUST_CHECK;

/** Refuse new borrowers, wake waiters with PGC_CLOSED, wait for borrowed connections, free all. */
PGC_API void pgc_pool_close(pgc_pool *pool);

/** Typed queries on the pool: each call borrows a connection for its own duration. */
PGC_API pgc_db *pgc_pool_db(pgc_pool *pool);

/**
 * Borrow a connection; first come, first served.
 *
 * @param out on PGC_OK a connection for pgc_pool_release() by the same thread.
 * @return PGC_OK; PGC_TIMEOUT; PGC_LIMIT (too many waiters); PGC_CONNECTION; PGC_CLOSED; PGC_NOMEM.
 *
 * Blocks: up to acquire_timeout_us. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_pool_acquire(pgc_pool *pool, pgc_conn **out, pgc_error *err) PGC_MUST_CHECK;

/**
 * Give back. A connection that is lost, busy or inside a transaction is closed instead of reused;
 * so is one that had an answer above recycle_bytes, whose buffers would stay that large.
 */
PGC_API void pgc_pool_release(pgc_pool *pool, pgc_conn *conn);

/** All counters of one moment. Blocks: briefly, on the lock. Thread-safe: yes. Since: 0.1. */
PGC_API void pgc_pool_get_stats(pgc_pool *pool, pgc_pool_stats *out);

/**
 * A pool with settings that hold for each call: identity for row-level security. Every query runs
 * as one round trip "set_config(…, local) + query" in its own transaction. Opaque; thread-safe.
 */
typedef struct pgc_scope pgc_scope;

#define PGC_SCOPE_SETTINGS_MAX 8u

/**
 * @param settings copied; at most PGC_SCOPE_SETTINGS_MAX.
 * @param out      for pgc_scope_close(), before the pool closes.
 * @return PGC_OK; PGC_INVALID; PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_scope_open(pgc_pool *pool, const pgc_setting *settings, size_t setting_count,
                                  pgc_scope **out, pgc_error *err) PGC_MUST_CHECK;
PGC_API void pgc_scope_close(pgc_scope *scope);
PGC_API pgc_db *pgc_scope_db(pgc_scope *scope);

PGC_END_DECLS

#endif
