#ifndef PGC_CONN_H
#define PGC_CONN_H

#include <pgc/alloc.h>
#include <pgc/db.h>
#include <pgc/hooks.h>

PGC_BEGIN_DECLS

/** One connection to a server. Opaque; one thread at a time. */
typedef struct pgc_conn pgc_conn;

/** One server setting, e.g. { "app.user_id", "7" }. */
typedef struct pgc_setting {
    const char *name;
    const char *value;
} pgc_setting;

/** One attempt to log in, as pgc_conn_options.before_connect sees it. Valid during the call. */
typedef struct pgc_login {
    size_t struct_size;
    const char *host;     /**< name, address or socket folder; "": libpq's default */
    const char *port;     /**< "": libpq's default */
    const char *user;     /**< "": libpq's default */
    char *password;       /**< to be written, NUL-terminated; "" on entry, which keeps conninfo's */
    size_t password_size; /**< room there, in bytes: 8192 */
} pgc_login;

/**
 * Called before each attempt to log in, for passwords that change or expire. The password is wiped
 * after the attempt and appears in no message. Anything but PGC_OK ends the connecting with that
 * status. Runs in the thread that connects: of a pool, in one of its own threads.
 */
typedef pgc_status (*pgc_before_connect_fn)(void *arg, pgc_login *login, pgc_error *err);

/**
 * Settings of pgc_conn_open() and of every connection of a pool. Zero means the default.
 * docs/pgc/connections.md tells what may stand in conninfo and what we add to it.
 */
typedef struct pgc_conn_options {
    size_t struct_size;          /**< sizeof(pgc_conn_options) */
    const char *conninfo;        /**< libpq connection string or URI; copied */
    const char *user;            /**< overrides the conninfo's user; NULL keeps it */
    const char *role;            /**< SET ROLE after login; NULL: none */
    const char *app_name;        /**< application_name; default "pgc" */
    int64_t connect_timeout_us;  /**< whole of connecting, name look-up included; default 10 s */
    int64_t call_timeout_us;     /**< per query; default 30 s; -1 = none */
    uint32_t statement_cache;    /**< prepared statements kept; default 256 */
    bool unnamed_statements;     /**< never name statements: for transaction-pooling proxies;
                                      excludes role and settings_late, which others would see */
    const pgc_alloc *alloc;      /**< must outlive the connection; default libc */
    const pgc_hooks *hooks;      /**< told what happens; copied; NULL: nobody is told */
    int64_t host_timeout_us;     /**< per address; default conninfo's connect_timeout, else an equal
                                      share of what is left of the whole */
    int64_t cancel_grace_us;     /**< time for the server to confirm a cancel; default 2 s */
    size_t recycle_bytes;        /**< a pool replaces connections that had a larger answer, whose
                                      buffers never shrink; default 16 MiB */
    const pgc_setting *settings; /**< of the session, set at login; copied */
    size_t setting_count;
    bool settings_late; /**< set them by a query behind the login, not in the startup message:
                             for poolers that refuse startup options */
    pgc_before_connect_fn before_connect; /**< NULL: none */
    void *before_connect_arg;
} pgc_conn_options;

/**
 * Connect. Hosts of a list are tried in turn, each with all its addresses; a refused password ends
 * the search.
 *
 * @param options read during the call only.
 * @param out     on PGC_OK a connection for pgc_conn_close(); else untouched.
 * @return PGC_OK; PGC_INVALID (conninfo, option, setting); PGC_CONNECTION (refused, lost,
 *         authentication, no server of the wanted kind); PGC_TIMEOUT; PGC_UNSUPPORTED (server
 *         older than 15, keyword of a newer libpq); PGC_NOMEM; what before_connect returned.
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

/**
 * Ask the server for a sign of life.
 *
 * @param timeout_us limit for the answer; 0 or less: call_timeout_us.
 * @return PGC_OK; PGC_CONNECTION or PGC_TIMEOUT, and the connection is lost then; PGC_INVALID when
 *         it is busy.
 *
 * Blocks: up to timeout_us. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API pgc_status pgc_conn_ping(pgc_conn *conn, int64_t timeout_us, pgc_error *err) PGC_MUST_CHECK;

/**
 * Ask the server to stop the call that runs on the connection, from any thread. That call then
 * fails with PGC_CANCELLED, or succeeds when it was done already; it returns after the server's
 * answer. Calls behind it are not touched. The owner of the connection must not close it meanwhile.
 *
 * @return PGC_OK: asked; PGC_NOT_FOUND: nothing runs; PGC_NOMEM: no thread to ask.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_conn_cancel(pgc_conn *conn, pgc_error *err) PGC_MUST_CHECK;

/**
 * A setting that the server reports by itself, as of the last answer read: server_version,
 * TimeZone, in_hot_standby, application_name and others (manual, "Asynchronous Operations").
 *
 * @return borrowed until the next call on the connection; NULL: not reported.
 *
 * Blocks: no. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API const char *pgc_conn_parameter(const pgc_conn *conn, const char *name);

/**
 * True when the server was a standby as of the last answer read; a promotion shows here without a
 * query.
 *
 * Blocks: no. Thread-safe: one thread at a time. Since: 0.1.
 */
PGC_API bool pgc_conn_in_recovery(const pgc_conn *conn);

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
