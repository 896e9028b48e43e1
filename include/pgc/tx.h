#ifndef PGC_TX_H
#define PGC_TX_H

#include <pgc/pool.h>

PGC_BEGIN_DECLS

/** A transaction, or a nested scope inside one (a savepoint). Opaque; one thread at a time. */
typedef struct pgc_tx pgc_tx;

typedef enum pgc_isolation {
    PGC_READ_COMMITTED = 0,
    PGC_REPEATABLE_READ = 1,
    PGC_SERIALIZABLE = 2
} pgc_isolation;

/** Zero means the server's usual transaction. */
typedef struct pgc_tx_options {
    size_t struct_size; /**< sizeof(pgc_tx_options) */
    pgc_isolation isolation;
    bool read_only;
    bool deferrable;
    const pgc_setting *settings; /**< set_config(…, local) right after BEGIN, same round trip */
    size_t setting_count;
} pgc_tx_options;

/**
 * Begin on a connection of the pool. BEGIN and the settings travel together; the connection goes
 * back to the pool at commit or rollback.
 *
 * @param options NULL for defaults.
 * @param out     on PGC_OK a transaction for pgc_tx_commit() or pgc_tx_rollback().
 * @return as pgc_pool_acquire() and pgc_db_run().
 *
 * Blocks: yes. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_begin(pgc_pool *pool, const pgc_tx_options *options, pgc_tx **out,
                                pgc_error *err) PGC_MUST_CHECK;

/** The same on a connection that the caller keeps. */
PGC_API pgc_status pgc_tx_begin_conn(pgc_conn *conn, const pgc_tx_options *options, pgc_tx **out,
                                     pgc_error *err) PGC_MUST_CHECK;

/** Nested scope: a savepoint. The parent must not be used until the child ends. */
PGC_API pgc_status pgc_tx_nest(pgc_tx *parent, pgc_tx **out, pgc_error *err) PGC_MUST_CHECK;

/** Typed queries inside the transaction. */
PGC_API pgc_db *pgc_tx_db(pgc_tx *tx);

/** The connection behind it, e.g. for pipelines. Do not close or release it. */
PGC_API pgc_conn *pgc_tx_conn(pgc_tx *tx);

/**
 * Commit (nested: release the savepoint). *tx becomes NULL whatever happens.
 *
 * @return PGC_OK; PGC_CONFLICT (serialization, deadlock, deferred constraint; also when the server
 *         answered ROLLBACK because the transaction had failed before); PGC_CONNECTION (outcome
 *         unknown); PGC_DB.
 *
 * Blocks: yes. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_commit(pgc_tx **tx, pgc_error *err) PGC_MUST_CHECK;

/** Roll back (nested: to the savepoint) and free. NULL is allowed. */
PGC_API void pgc_tx_rollback(pgc_tx *tx);

/** Work inside a transaction; returns PGC_OK to commit, anything else to roll back. */
typedef pgc_status (*pgc_tx_fn)(pgc_tx *tx, void *arg, pgc_error *err);

/**
 * Begin, call fn, commit; run all of it again after a serialization failure or deadlock.
 *
 * @param attempt_max how often fn may run in all; 0 means 5.
 * @return what fn or commit returned last.
 *
 * Blocks: yes; between attempts up to 100 ms. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_tx_run(pgc_pool *pool, const pgc_tx_options *options, uint32_t attempt_max,
                              pgc_tx_fn fn, void *arg, pgc_error *err) PGC_MUST_CHECK;

PGC_END_DECLS

#endif
