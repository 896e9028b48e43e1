#ifndef PGC_POOL_H
#define PGC_POOL_H

#include <pgc/conn.h>

PGC_BEGIN_DECLS

/** Open connections shared by threads. Opaque; every function below is thread-safe. */
typedef struct pgc_pool pgc_pool;

/**
 * Called for each new connection before anybody borrows it: register types, prepare, set. Runs in a
 * thread of the pool, again after a session that somebody changed was cleaned. Anything but PGC_OK
 * closes the connection and counts as a failed connect. An open transaction is a failure.
 */
typedef pgc_status (*pgc_prepare_fn)(void *arg, pgc_conn *conn, pgc_error *err);

/**
 * Settings of pgc_pool_open(). Zero in any member but struct_size means the default. Times are in
 * microseconds.
 */
typedef struct pgc_pool_options {
    size_t struct_size;         /**< sizeof(pgc_pool_options) */
    pgc_conn_options conn;      /**< how each is made; its alloc serves several threads */
    uint32_t max_conns;         /**< default 20, at most 1000 */
    uint32_t min_conns;         /**< default 5; opened in the background */
    int64_t lifetime_us;        /**< age at which a connection is replaced; default 1 h */
    int64_t lifetime_jitter_us; /**< random addition per connection; default lifetime / 10 */
    int64_t idle_us; /**< idle time at which one above the floors closes; default 30 min */
    int64_t acquire_timeout_us; /**< default 30 s; -1 = without limit */
    int64_t ping_idle_us;       /**< idle time after which acquire checks liveness; default 5 s */
    uint32_t max_waiters;       /**< of each priority; default 1000; more get PGC_LIMIT at once */
    const char *name;           /**< for hooks and messages; copied; default "" */
    uint32_t min_idle;          /**< idle connections kept ready, up to max_conns; default 0 */
    uint32_t interactive_share; /**< interactive borrowers served before each background one while
                                     both wait; default 4 */
    uint32_t retire_per_second; /**< most connections that end by age in a second; default
                                     max_conns / 8, at least 1 */
    int64_t ping_timeout_us;    /**< default 1 s */
    int64_t keepalive_us;       /**< ping idle ones in the background so often; default never */
    int64_t backoff_max_us;     /**< longest pause between connects that fail; default 15 s */
    int64_t leak_after_us;      /**< tell on_leak of a borrower who holds for so long; default 60 s
                                     in debug builds (without NDEBUG), else never; -1 = never */
    int64_t close_timeout_us; /**< patience of pgc_pool_close(); default 30 s; -1 = without limit */
    pgc_prepare_fn prepare;   /**< NULL: none */
    void *prepare_arg;
} pgc_pool_options;

#define PGC_HISTOGRAM_BUCKETS 26u

/** Durations: buckets[0] counts 0 us, buckets[i] 2^(i-1) to 2^i - 1 us, the last all above. */
typedef struct pgc_histogram {
    int64_t count, sum_us, max_us;
    int64_t buckets[PGC_HISTOGRAM_BUCKETS];
} pgc_histogram;

/** Gauges of now, and counters since the pool was opened. docs/pgc/pool.md explains each. */
typedef struct pgc_pool_stats {
    uint32_t total, idle, acquired, connecting, waiters;
    int64_t acquire_count, acquire_wait_count, acquire_wait_us, acquire_timeout_count;
    int64_t connect_count, connect_failure_count;
    int64_t lifetime_close_count, idle_close_count, broken_close_count, dirty_release_count;
    uint32_t background_waiters; /**< of waiters */
    uint32_t quarantined;        /**< being cleaned or checked; part of total */
    uint32_t closing;            /**< part of total */
    uint32_t max_conns;          /**< the cap of now */
    uint32_t generation;         /**< how often all connections were replaced */
    int64_t acquire_limit_count, acquire_cancel_count, acquire_connect_failure_count;
    int64_t connect_auth_failure_count, connect_timeout_count, connect_full_count;
    int64_t rollback_count, reset_count, dirty_close_count, reset_close_count;
    int64_t keepalive_count, read_retry_count, detach_count, leak_count;
    pgc_histogram wait, connect, hold, ping;
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

/**
 * End a pool: refuse new borrowers, wake waiters with PGC_CLOSED, wait for borrowed connections.
 * After close_timeout_us what runs on them is cancelled, then their sockets are cut. The pool must
 * not be used any more; only pgc_pool_release() of what is still borrowed is allowed, and the last
 * of these frees the memory. NULL is allowed.
 *
 * @return true when everything had come back by itself; false when something was cancelled, cut or
 *         is still borrowed (on_leak was told who holds it).
 *
 * Blocks: up to close_timeout_us and twice conn.cancel_grace_us. Thread-safe: one thread closes.
 * Since: 0.1.
 */
PGC_API bool pgc_pool_close(pgc_pool *pool);

/** Typed queries on the pool: each call borrows a connection for its own duration. */
PGC_API pgc_db *pgc_pool_db(pgc_pool *pool);

/**
 * Borrow a connection; first come, first served.
 *
 * @param out on PGC_OK a connection for pgc_pool_release() by the same thread.
 * @return PGC_OK; PGC_TIMEOUT; PGC_LIMIT (too many waiters); PGC_CONNECTION; PGC_CLOSED; PGC_NOMEM;
 *         PGC_INVALID (also in a child made by fork(): it needs a pool of its own).
 *
 * Blocks: up to acquire_timeout_us. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_pool_acquire(pgc_pool *pool, pgc_conn **out, pgc_error *err) PGC_MUST_CHECK;

/** Who goes first when borrowers wait. Neither can starve the other: interactive_share. */
typedef enum pgc_priority {
    PGC_PRIORITY_INTERACTIVE = 0, /**< somebody waits for the answer */
    PGC_PRIORITY_BACKGROUND = 1   /**< jobs, maintenance */
} pgc_priority;

/** Settings of one pgc_pool_acquire_with(). Zero means the default. */
typedef struct pgc_acquire_options {
    size_t struct_size; /**< sizeof(pgc_acquire_options) */
    pgc_priority priority;
    int64_t timeout_us; /**< default the pool's; -1 = without limit */
    const char *holder; /**< who borrows, for hooks and lists; must live until the release */
    uint64_t ticket;    /**< number for pgc_pool_cancel(); 0: cannot be cancelled */
} pgc_acquire_options;

/**
 * pgc_pool_acquire() with options.
 *
 * @param options NULL: as pgc_pool_acquire().
 * @return as pgc_pool_acquire(); PGC_CANCELLED.
 *
 * Blocks: up to timeout_us. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_pool_acquire_with(pgc_pool *pool, const pgc_acquire_options *options,
                                         pgc_conn **out, pgc_error *err) PGC_MUST_CHECK;

/**
 * Borrow only when a connection is idle; else a new one is begun in the background if there is
 * room.
 *
 * @return PGC_OK; PGC_LIMIT when none is idle; PGC_CLOSED; PGC_INVALID.
 *
 * Blocks: no, but for the check of one that was idle for long. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_pool_try_acquire(pgc_pool *pool, pgc_conn **out, pgc_error *err)
    PGC_MUST_CHECK;

/**
 * Send away those who wait with this ticket now, with PGC_CANCELLED. One that was served already
 * keeps its connection; one that comes later is not affected.
 *
 * @param ticket not 0.
 * @return how many were sent away.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API uint32_t pgc_pool_cancel(pgc_pool *pool, uint64_t ticket);

/**
 * Give back. What the borrower left behind never reaches the next one: an open transaction is
 * rolled back, and a session changed by SET, LISTEN, a script or a query marked PGC_QUERY_SESSION
 * is cleaned, both in the background; what cannot be cleaned in 2 s is closed. A connection that is
 * lost or busy is closed; so is one that had an answer of over recycle_bytes, whose buffers would
 * stay that large.
 */
PGC_API void pgc_pool_release(pgc_pool *pool, pgc_conn *conn);

/** What somebody changed in a session. */
#define PGC_SESSION_SETTINGS   1u  /**< SET */
#define PGC_SESSION_ROLE       2u  /**< SET ROLE, SET SESSION AUTHORIZATION */
#define PGC_SESSION_LISTEN     4u  /**< LISTEN */
#define PGC_SESSION_LOCKS      8u  /**< session-level advisory locks */
#define PGC_SESSION_TEMP       16u /**< temporary tables */
#define PGC_SESSION_CURSORS    32u /**< cursors WITH HOLD */
#define PGC_SESSION_STATEMENTS 64u /**< PREPARE */
#define PGC_SESSION_ALL        127u

/**
 * Tell the pool that the borrower changed the session by means that the library does not see, e.g.
 * a function that takes an advisory lock; so that it is cleaned at release. Only the named parts
 * are: one round trip, in the background.
 *
 * @param changes PGC_SESSION_* joined by |.
 *
 * Blocks: no. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API void pgc_conn_mark_session(pgc_conn *conn, uint32_t changes);

/**
 * Take a borrowed connection out of the pool for good: it is the caller's, for pgc_conn_close(),
 * and its place is free.
 *
 * @param conn as pgc_pool_acquire() gave it; not to be released any more.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API void pgc_pool_detach(pgc_pool *pool, pgc_conn *conn);

/**
 * Replace all connections, e.g. after new credentials or a failover: idle ones are closed now,
 * borrowed ones when they come back. The pool does so by itself when a server turns out to have
 * been demoted.
 *
 * Blocks: for the closing of idle connections. Thread-safe: yes. Since: 0.1.
 */
PGC_API void pgc_pool_reset(pgc_pool *pool);

/**
 * Change the cap. Connections above it end: idle ones now, borrowed ones when they come back.
 *
 * @param max_conns 1 to 1000; floors above it are cut to it.
 * @return PGC_OK; PGC_INVALID.
 *
 * Blocks: for the closing of idle connections. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_pool_set_max(pgc_pool *pool, uint32_t max_conns, pgc_error *err)
    PGC_MUST_CHECK;

/** One borrowed connection. */
typedef struct pgc_pool_holder {
    char holder[48];    /**< pgc_acquire_options.holder, cut; for queries the query's name */
    uint64_t thread_id; /**< kernel's id; 0 when leak_after_us is off */
    int64_t held_us;
    int32_t backend_pid;
} pgc_pool_holder;

/**
 * Who holds connections now.
 *
 * @param out  room for cap entries; longest held first is not promised.
 * @return how many there are, which may be more than cap; 0 in a child made by fork().
 *
 * Blocks: briefly, on the lock. Thread-safe: yes. Since: 0.1.
 */
PGC_API size_t pgc_pool_list_holders(pgc_pool *pool, pgc_pool_holder *out, size_t cap);

/** All counters of one moment; zeroes in a child made by fork(). Blocks: briefly, on the lock.
 * Thread-safe: yes. Since: 0.1. */
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
