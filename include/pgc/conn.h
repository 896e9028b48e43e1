#ifndef PGC_CONN_H
#define PGC_CONN_H

#include <pgc/alloc.h>
#include <pgc/db.h>
#include <pgc/hooks.h>

PGC_BEGIN_DECLS

/** One connection to a server. Opaque; one thread at a time. */
typedef struct pgc_conn pgc_conn;

/** Settings of pgc_conn_open() and of every connection of a pool. Zero means the default. */
typedef struct pgc_conn_options {
    size_t struct_size;         /**< sizeof(pgc_conn_options) */
    const char *conninfo;       /**< libpq connection string or URI; copied */
    const char *user;           /**< overrides the conninfo's user; NULL keeps it */
    const char *role;           /**< SET ROLE after login; NULL: none */
    const char *app_name;       /**< application_name; default "pgc" */
    int64_t connect_timeout_us; /**< default 10 s */
    int64_t call_timeout_us;    /**< per query; default 30 s; -1 = none */
    uint32_t statement_cache;   /**< prepared statements kept; default 256 */
    bool unnamed_statements;    /**< never name statements: for transaction-pooling proxies */
    const pgc_alloc *alloc;     /**< must outlive the connection; default libc */
    const pgc_hooks *hooks;     /**< told what happens; copied; NULL: nobody is told */
} pgc_conn_options;

/**
 * Connect.
 *
 * @param options read during the call only.
 * @param out     on PGC_OK a connection for pgc_conn_close(); else untouched.
 * @return PGC_OK; PGC_INVALID (conninfo); PGC_CONNECTION (refused, lost, authentication);
 *         PGC_TIMEOUT; PGC_UNSUPPORTED (server older than 15); PGC_NOMEM.
 *
 * Blocks: up to connect_timeout_us. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_conn_open(const pgc_conn_options *options, pgc_conn **out, pgc_error *err)
    PGC_MUST_CHECK;

/** Close and free. NULL is allowed. */
PGC_API void pgc_conn_close(pgc_conn *conn);

/** The handle that typed queries take; lives as long as the connection. */
PGC_API pgc_db *pgc_conn_db(pgc_conn *conn);

/** server_version_num, e.g. 150018. */
PGC_API int32_t pgc_conn_server_version(const pgc_conn *conn);

/** Process id of the server's backend. */
PGC_API int32_t pgc_conn_backend_pid(const pgc_conn *conn);

/** False once the connection is known to be lost; a lost connection never comes back. */
PGC_API bool pgc_conn_alive(const pgc_conn *conn);

/** What the server says about the transaction. */
typedef enum pgc_tx_state {
    PGC_TX_IDLE = 0,
    PGC_TX_ACTIVE = 1,
    PGC_TX_OPEN = 2,   /**< in a transaction block */
    PGC_TX_FAILED = 3, /**< in a failed block: only ROLLBACK works */
    PGC_TX_UNKNOWN = 4
} pgc_tx_state;

/** What libpq knows of the transaction, without asking the server. Since: 0.1. */
PGC_API pgc_tx_state pgc_conn_tx_state(const pgc_conn *conn);

/**
 * Run SQL text by the simple protocol: several statements, no parameters, result rows dropped but
 * those of the last statement, which come as text. For migrations and administration only: the text
 * must never hold outside input.
 *
 * @param out NULL, or the last statement's rows as text (read with pgc_read_text()).
 * @return as pgc_db_run(). COPY is refused with PGC_UNSUPPORTED.
 *
 * Blocks: without limit unless timeout_us > 0. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API pgc_status pgc_conn_script(pgc_conn *conn, const char *sql, int64_t timeout_us,
                                   pgc_result **out, pgc_error *err) PGC_MUST_CHECK;

PGC_END_DECLS

#endif
