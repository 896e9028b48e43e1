#ifndef PGC_SET_H
#define PGC_SET_H

#include <pgc/tx.h>

PGC_BEGIN_DECLS

/**
 * One primary and its replicas as one thing: a pool for each server, writes to the one that takes
 * them, reads to replicas that are fresh enough. Which server is the primary is asked, not
 * configured: after a promotion writes go to the new one by themselves. Opaque; every function
 * below is thread-safe.
 */
typedef struct pgc_set pgc_set;

/** How reads are spread over replicas. */
typedef enum pgc_balance {
    PGC_BALANCE_ROUND_ROBIN = 0,
    PGC_BALANCE_LEAST_BUSY = 1 /**< fewest queries under way */
} pgc_balance;

#define PGC_SET_NODES_MAX 16u

/** Settings of pgc_set_open(). Zero in any member but struct_size and the nodes is the default. */
typedef struct pgc_set_options {
    size_t struct_size;       /**< sizeof(pgc_set_options) */
    const char *const *nodes; /**< connection strings, one server each, in any order; copied */
    size_t node_count;        /**< 1 to PGC_SET_NODES_MAX */
    pgc_pool_options pool;    /**< of each server's pool; its conn.conninfo is not used */
    int64_t check_us;         /**< how often each server is looked at; default 1 s */
    int64_t lag_max_us;       /**< replicas further behind serve no reads; default 10 s; -1: any */
    int64_t lag_max_bytes;    /**< the same in bytes of log; default 64 MiB; -1: any */
    int64_t token_wait_us;    /**< how long a read waits for a replica to reach its token before it
                                   goes to the primary; default 30 ms; -1: not at all */
    int64_t primary_wait_us;  /**< how long writes wait while no server takes them; default 30 s;
                                   -1: not at all */
    pgc_balance balance;
} pgc_set_options;

/**
 * Open a set. No connection is made here; servers that are down are looked for in the background.
 *
 * @param options read during the call only.
 * @param out     on PGC_OK the set, for pgc_set_close(); else untouched.
 * @return PGC_OK; PGC_INVALID; PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_set_open(const pgc_set_options *options, pgc_set **out, pgc_error *err)
    PGC_MUST_CHECK;

/** Close all pools, as pgc_pool_close(). Views must be closed before. NULL is allowed. */
PGC_API void pgc_set_close(pgc_set *set);

/**
 * Wait until there is a primary and so many replicas that serve reads.
 *
 * @return PGC_OK; PGC_TIMEOUT with what is known of each server.
 *
 * Blocks: up to timeout_us. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_set_await(pgc_set *set, uint32_t replicas, int64_t timeout_us,
                                 pgc_error *err) PGC_MUST_CHECK;

/**
 * Queries on the primary, whatever they are.
 *
 * While there is none they wait for primary_wait_us, then fail with PGC_CONNECTION. A write is sent
 * once: when its answer is lost the call fails with PGC_CONNECTION and the outcome PGC_OUTCOME_
 * UNKNOWN. What a server refused because it is a standby (25006) goes to the new primary.
 */
PGC_API pgc_db *pgc_set_writer(pgc_set *set);

/**
 * Queries that are marked PGC_QUERY_READ_ONLY on a replica, all others on the primary. A read that
 * fails because of the replica (lost, conflict with the replay) is run on another one, at last on
 * the primary. What a replica shows may be older than what this program has written: use a view
 * where that matters.
 */
PGC_API pgc_db *pgc_set_reader(pgc_set *set);

/** Reads that see what was written before, for one user or one request. Opaque; thread-safe. */
typedef struct pgc_view pgc_view;

/** Settings of pgc_view_open(). */
typedef struct pgc_view_options {
    size_t struct_size;          /**< sizeof(pgc_view_options) */
    pgc_token token;             /**< reads see at least what was committed up to here */
    const pgc_setting *settings; /**< set_config(…, local) for each query, as pgc_scope; copied */
    size_t setting_count;
} pgc_view_options;

/**
 * @param options NULL: no demand, no settings.
 * @param out     for pgc_view_close(), before the set closes.
 * @return PGC_OK; PGC_INVALID; PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_view_open(pgc_set *set, const pgc_view_options *options, pgc_view **out,
                                 pgc_error *err) PGC_MUST_CHECK;
/** NULL is allowed. */
PGC_API void pgc_view_close(pgc_view *view);

/**
 * As pgc_set_reader(), but replicas that have not replayed the view's token are waited for, then
 * skipped. A write moves the token on, in the same round trip; one whose rows are read one by one
 * (pgc_rows_open()), a batch or COPY does not. Batches and COPY run on the primary.
 */
PGC_API pgc_db *pgc_view_db(pgc_view *view);

/** What reads of this view see at least; keep it for the user's next request. */
PGC_API pgc_token pgc_view_token(pgc_view *view);
/** Demand more, e.g. what another process has written. */
PGC_API void pgc_view_advance(pgc_view *view, pgc_token token);

/**
 * pgc_tx_run() on a set: with options.read_only on a replica (at first; then on the primary), else
 * on the primary of the moment.
 *
 * @param token NULL, or in: what a read-only transaction must see; out: after PGC_OK moved on to
 *              what was committed. options->token is not used.
 * @return as pgc_tx_run().
 *
 * Blocks: as pgc_tx_run(), and up to primary_wait_us for a primary. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_set_tx_run(pgc_set *set, const pgc_tx_options *options, uint32_t attempt_max,
                                  pgc_tx_fn fn, void *arg, pgc_token *token, pgc_error *err)
    PGC_MUST_CHECK;

/** What a server is, as far as is known. */
typedef enum pgc_node_role {
    PGC_NODE_UNKNOWN = 0,  /**< not reached */
    PGC_NODE_PRIMARY = 1,  /**< takes writes */
    PGC_NODE_REPLICA = 2,  /**< in recovery */
    PGC_NODE_DEPOSED = 3,  /**< takes writes, but another one was promoted since: not used */
    PGC_NODE_STRANGER = 4, /**< of another database system: not used */
} pgc_node_role;

/** One server of a set: gauges of now, counters since the set was opened. */
typedef struct pgc_node_stats {
    pgc_node_role role;
    bool serves_reads; /**< a replica within the limits */
    uint32_t timeline;
    uint32_t under_way; /**< queries on it now */
    uint64_t lsn;       /**< written (primary) or replayed (replica) */
    int64_t lag_us; /**< how old the newest thing is that it does not show; 0: nothing missing */
    int64_t lag_bytes;
    int64_t read_count, write_count;
    int64_t conflict_count; /**< reads that its replay cancelled */
    int64_t behind_count;   /**< reads that it was too old for */
    int64_t lost_count;     /**< calls that lost their connection or got none */
    int64_t refused_count;  /**< writes refused because it was no primary */
    int64_t check_count, check_failure_count;
    char last_error[160]; /**< of a check; "" when the last one went well */
} pgc_node_stats;

/** The set as a whole. */
typedef struct pgc_set_stats {
    int32_t primary;              /**< number of the node, -1: none */
    int64_t primary_change_count; /**< how often another server became the primary */
    int64_t fallback_count;       /**< reads that went to the primary for want of a replica */
    int64_t primary_wait_count;   /**< calls that waited for a primary */
} pgc_set_stats;

/**
 * Numbers of one moment.
 *
 * @param nodes room for node_count entries, in the order of the options; NULL: not wanted.
 *
 * Blocks: briefly, on the lock. Thread-safe: yes. Since: 0.1.
 */
PGC_API void pgc_set_get_stats(pgc_set *set, pgc_set_stats *out, pgc_node_stats *nodes,
                               size_t node_count);

/** The pool of one server, e.g. for its statistics; NULL for a number too high. Do not close it. */
PGC_API pgc_pool *pgc_set_pool(pgc_set *set, size_t node);

PGC_END_DECLS

#endif
