#ifndef PGC_TX_H
#define PGC_TX_H

#include <pgc/pool.h>
#include <pgc/token.h>

PGC_BEGIN_DECLS

/** A transaction, or a nested scope inside one (a savepoint). Opaque; one thread at a time. */
typedef struct pgc_tx pgc_tx;

typedef enum pgc_isolation {
    PGC_READ_COMMITTED = 0,
    PGC_REPEATABLE_READ = 1,
    PGC_SERIALIZABLE = 2
} pgc_isolation;

/** Zero means the server's usual transaction. Everything but `token` is copied. */
typedef struct pgc_tx_options {
    size_t struct_size; /**< sizeof(pgc_tx_options) */
    pgc_isolation isolation;
    bool read_only;
    bool deferrable;
    const pgc_setting *settings; /**< set_config(…, local) right after BEGIN, same round trip */
    size_t setting_count;
    int64_t timeout_us;           /**< for the whole of it, in pgc_tx_run() for all attempts: each
                                       call gets at most what is left; 0: no limit */
    int64_t statement_timeout_us; /**< the server's limit per statement; 0: as configured */
    int64_t lock_timeout_us;      /**< the server's limit per lock; 0: as configured */
    int64_t idle_timeout_us;      /**< the server ends the session when it waits for us for so
                                       long; 0: as configured */
    int64_t resolve_timeout_us;   /**< how long a commit whose answer was lost asks for its
                                       outcome; 0: 10 s; -1: never, saves one tiny query in the
                                       round trip of the first write */
    pgc_token *token; /**< filled by a commit with its place in the log, same round trip; NULL:
                           not asked for; must live until the commit */
} pgc_tx_options;

/**
 * Begin on a connection of the pool. Nothing is sent yet: BEGIN and the settings travel with the
 * first query, whose call tells when they fail. A transaction without queries costs no round trip.
 * The connection goes back to the pool at commit or rollback.
 *
 * @param options NULL for defaults.
 * @param out     on PGC_OK a transaction for pgc_tx_commit() or pgc_tx_rollback().
 * @return as pgc_pool_acquire(); PGC_INVALID (options); PGC_NOMEM.
 *
 * Blocks: as pgc_pool_acquire(). Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_begin(pgc_pool *pool, const pgc_tx_options *options, pgc_tx **out,
                                pgc_error *err) PGC_MUST_CHECK;

/**
 * The same on a connection that the caller keeps and may use beside the transaction; so BEGIN is
 * sent at once. A commit whose answer is lost cannot be asked for here: PGC_IN_DOUBT; with
 * resolve_timeout_us above zero err->xact names it all the same, for pgc_tx_resolve() on a pool.
 *
 * @return as pgc_db_run(); PGC_INVALID (options, or a transaction is open); PGC_NOMEM.
 *
 * Blocks: one round trip. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_begin_conn(pgc_conn *conn, const pgc_tx_options *options, pgc_tx **out,
                                     pgc_error *err) PGC_MUST_CHECK;

/**
 * Nested scope: a savepoint, sent with the scope's first query. The parent must not be used until
 * the child ends. More than 64 scopes that wrote in one transaction slow the whole server down:
 * pgc_tx_nested_count() tells how many there are.
 *
 * @return PGC_OK; PGC_INVALID (the parent has an open scope, or has ended); PGC_DB with SQLSTATE
 *         25P02 (the parent has failed: roll it back); PGC_CONNECTION; PGC_NOMEM.
 *
 * Blocks: one round trip when the parent's BEGIN is still to be sent. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_nest(pgc_tx *parent, pgc_tx **out, pgc_error *err) PGC_MUST_CHECK;

/**
 * The same for code that states what it needs: a scope has the level and access of its transaction,
 * so other ones are refused with PGC_INVALID; so are settings and time-outs, which belong to the
 * outermost transaction. NULL options are always fine.
 */
PGC_API pgc_status pgc_tx_nest_with(pgc_tx *parent, const pgc_tx_options *options, pgc_tx **out,
                                    pgc_error *err) PGC_MUST_CHECK;

/** Savepoints of the whole transaction that are open or were released and not undone. */
PGC_API uint32_t pgc_tx_nested_count(const pgc_tx *tx);

/** Typed queries inside the transaction. */
PGC_API pgc_db *pgc_tx_db(pgc_tx *tx);

/**
 * The connection behind it, e.g. for pipelines. Do not close or release it. Sends what has not been
 * sent yet (one round trip); should that fail the connection is unusable, so that nothing can run
 * outside of the transaction.
 */
PGC_API pgc_conn *pgc_tx_conn(pgc_tx *tx);

/**
 * Commit (nested: release the savepoint). *tx becomes NULL whatever happens.
 *
 * When the connection is lost while the answer is awaited, the outcome is asked for on another
 * connection of the pool, for resolve_timeout_us.
 *
 * @return PGC_OK: committed. PGC_CONFLICT: rolled back (serialization, deadlock, constraint; also
 *         when the transaction had failed before). PGC_CONNECTION, PGC_TIMEOUT: rolled back.
 *         PGC_IN_DOUBT: not known; err->xact names it for pgc_tx_resolve(). PGC_DB: rolled back.
 *
 * Blocks: yes. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_commit(pgc_tx **tx, pgc_error *err) PGC_MUST_CHECK;

/**
 * Last query and commit in one round trip; outermost transactions only. *tx becomes NULL whatever
 * happens. With pgc_tx_begin() a transaction of one query is one round trip.
 *
 * The outcome of a commit whose answer was lost is known only when an earlier query of the
 * transaction has written, or the server's first words still came; else PGC_IN_DOUBT.
 *
 * @param out the query's rows, as pgc_db_run(); untouched on failure.
 * @return as pgc_tx_commit() and pgc_db_run(); failures mean rolled back, but for PGC_IN_DOUBT, and
 *         for any status with err->xact.id != 0: committed, but the rows could not be delivered.
 *
 * Blocks: yes. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_commit_with(pgc_tx **tx, const pgc_query *query, const pgc_args *args,
                                      pgc_result **out, pgc_error *err) PGC_MUST_CHECK;

/** Roll back (nested: to the savepoint) and free. NULL is allowed. */
PGC_API void pgc_tx_rollback(pgc_tx *tx);

/**
 * Ask for the outcome of a commit that ended with PGC_IN_DOUBT, on any connection of the pool.
 *
 * The answer is given by the server that ran it only: another system, or a standby promoted since,
 * may never have heard of it, and the doubt stays. Use an idempotency key for those.
 *
 * @param xact       err->xact of the failed commit.
 * @param timeout_us 0: 10 s. A transaction still running on the server is waited for, and ended
 *                   there after a second.
 * @return PGC_OK: committed. PGC_CONNECTION with err->retry: rolled back. PGC_IN_DOUBT: not known.
 *
 * Blocks: up to timeout_us, and pgc_pool_acquire(). Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_resolve(pgc_pool *pool, const pgc_xact *xact, int64_t timeout_us,
                                  pgc_error *err) PGC_MUST_CHECK;

/** Work inside a transaction; returns PGC_OK to commit, anything else to roll back. */
typedef pgc_status (*pgc_tx_fn)(pgc_tx *tx, void *arg, pgc_error *err);

/**
 * Begin, call fn, commit; run all of it again, with pauses, after a serialization failure, a
 * deadlock, a statement that went stale, a server that turned out to be a standby, or a connection
 * that was lost when nothing can have been committed. Never after a commit whose outcome is not
 * known.
 *
 * @param options its timeout_us holds for all attempts together.
 * @param attempt_max how often fn may run in all; 0 means 5.
 * @param fn must not have effects outside of the transaction: it may run several times.
 * @return what fn or commit returned last.
 *
 * Blocks: yes; between attempts up to 100 ms, or up to 2 s when the server is away. Thread-safe:
 * yes. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_run(pgc_pool *pool, const pgc_tx_options *options, uint32_t attempt_max,
                              pgc_tx_fn fn, void *arg, pgc_error *err) PGC_MUST_CHECK;

PGC_END_DECLS

#endif
