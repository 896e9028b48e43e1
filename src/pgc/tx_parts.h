/* Inside of transactions, shared by the files tx*.c. */
#ifndef PGC_TX_PARTS_H
#define PGC_TX_PARTS_H

#include <pgc/tx.h>

#include "pgc/group.h"
#include "pgc/session.h"

#define TX_RESOLVE_DEFAULT_US INT64_C(10000000)
#define TX_SAVEPOINT_SQL_SIZE 48

/* Where connections to the server that takes writes come from: a pool, or a set of nodes. */
typedef struct tx_source {
    void *ctx;
    const clock_ops *clock;
    const pgc_hooks *hooks;
    /* A connection with the pool to give it back to. */
    pgc_status (*acquire)(void *ctx, int64_t deadline_us, pgc_pool **pool, pgc_conn **conn,
                          pgc_error *err);
    /* A statement was refused because the server takes no writes; may be NULL. */
    void (*refused)(void *ctx, pgc_pool *pool);
} tx_source;

/* Settings that go out with BEGIN; encoded, with texts of its own. */
typedef struct tx_start {
    session_args settings, limits;
    size_t setting_count, limit_count;
    char limit_texts[3][24];
    size_t text_size; /* of the texts behind this struct */
} tx_start;

/* What is known only once, by the outermost one. */
typedef struct tx_outer {
    const pgc_alloc *alloc;
    pgc_pool *pool; /* NULL: the caller keeps the connection */
    tx_source source;
    pgc_tx_options options; /* settings are in `start` instead */
    bool has_options;
    tx_start *start;     /* NULL once sent, or when there is nothing to set */
    int64_t deadline_us; /* CONN_NO_DEADLINE: none */
    pgc_xact xact;       /* id 0: nothing written yet, as far as we know */
    bool track;          /* ask for the transaction id with the first write */
    bool quiet;          /* the server said at commit that nothing was written */
    uint32_t nested;     /* savepoints open or released */
    bool failed_retry;   /* why it failed: running it again may help */
    char failed_state[6];
} tx_outer;

struct pgc_tx {
    pgc_db db;
    pgc_conn *conn;
    pgc_tx *parent;  /* NULL: outermost */
    tx_outer *outer; /* of the outermost one; shared */
    bool pending;    /* BEGIN or SAVEPOINT has not been sent */
    bool open;       /* it has, and was done */
    bool has_child;  /* a nested scope is open: hands off */
    bool orphaned;   /* ended before its nested scope, whose end frees it */
    uint32_t depth;  /* 0: outermost */
};

/* tx.c */

/* A handle, made before anything is sent: a transaction that is open always has one. NULL: no
 * memory. */
pgc_tx *tx_new(pgc_conn *conn, pgc_tx *parent);

/* pgc_tx_begin() on any source. */
pgc_status tx_begin_from(const tx_source *source, const pgc_tx_options *options, pgc_tx **out,
                         pgc_error *err) PGC_MUST_CHECK;
/* Connections of one pool. */
tx_source tx_source_pool(pgc_pool *pool);
/* Time for one call: the connection's limit or what is left of the transaction, whichever is less;
 * 0: nothing is left. */
int64_t tx_time_left(const pgc_tx *tx);
/* PGC_INVALID or PGC_TIMEOUT when a query must not be sent now. */
pgc_status tx_check_open(const pgc_tx *tx, const char *what, pgc_error *err) PGC_MUST_CHECK;
/* Send what opens the scope by itself, when that has not been sent; nothing stays open when it
 * fails. */
pgc_status tx_send_start(pgc_tx *tx, pgc_error *err) PGC_MUST_CHECK;
/* Run a query inside; what starts the scope goes with it. */
pgc_status tx_exec(pgc_tx *tx, const pgc_query *query, const pgc_args *args, PGresult **out,
                   pgc_error *err) PGC_MUST_CHECK;
/* A statement without values or rows; its text must outlive the call only. */
pgc_status tx_do(pgc_conn *conn, const char *name, const char *sql, pgc_error *err) PGC_MUST_CHECK;
/* Out of the transaction, whatever its state; what is not cleanly rolled back is not used again. */
void tx_leave(pgc_conn *conn);
/* Give the connection back to its pool now. */
void tx_give_back(pgc_tx *tx);
/* Give back the connection and free the handle with its parents as far as they have ended. */
void tx_free(pgc_tx *tx);

/* tx_nest.c */

/* Undo a nested scope and drop its savepoint, or lose the connection. */
void tx_undo(pgc_tx *tx);
/* Keep what a nested scope did. */
pgc_status tx_release(pgc_tx *tx, pgc_error *err) PGC_MUST_CHECK;

/* tx_start.c */

/* Check options, copy what the caller's struct_size knows. in NULL gives zeroes. */
pgc_status tx_options_resolve(const pgc_tx_options *in, pgc_tx_options *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Encode settings and limits; *out stays NULL when there are none. False: no memory. */
bool tx_start_make(const pgc_tx_options *options, const pgc_alloc *alloc, tx_start **out);
void tx_start_free(tx_start *start, const pgc_alloc *alloc);
/* Queue what opens this scope; `savepoint` is a buffer for its text. */
void tx_start_queue(pgc_tx *tx, group *g, pgc_query *savepoint, char *sql);
/* After the group ran: the scope is open, or never will be. */
void tx_start_settle(pgc_tx *tx, const group *g);

/* tx_commit.c */

/* The transaction id is to be asked for behind this query (NULL: behind none). */
bool tx_track_wanted(const pgc_tx *tx, const pgc_query *query);
/* The item that asks, when it is wanted; else GROUP_MAX. */
size_t tx_track_queue(const pgc_tx *tx, const pgc_query *query, group *g);
void tx_track_settle(pgc_tx *tx, const group *g, size_t at);
/* Commit the outermost one, with a last query when `query` is not NULL. */
pgc_status tx_commit_outer(pgc_tx *tx, const pgc_query *query, const pgc_args *args, PGresult **out,
                           pgc_error *err) PGC_MUST_CHECK;

/* tx_resolve.c */

/* As pgc_tx_resolve(); a committed one fills *token (may be NULL). */
pgc_status tx_resolve_from(const tx_source *source, const pgc_xact *xact, int64_t timeout_us,
                           pgc_token *token, pgc_error *err) PGC_MUST_CHECK;
/* Current timeline of a server that takes writes; 0 on a standby. Part of a query. */
#define TX_TIMELINE_SQL                                                                    \
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN 0 ELSE pg_catalog.concat('x',"          \
    " pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn())," \
    " 8))::bit(32)::int8 END"
/* Changes when the server starts again after a crash, which discards statistics. Part of a query.
 */
#define TX_RUN_SQL "pg_catalog.pg_stat_get_bgwriter_stat_reset_time()"
/* Position behind everything that was committed so far; NULL on a standby. Part of a query. */
#define TX_POSITION_SQL                            \
    "CASE WHEN NOT pg_catalog.pg_is_in_recovery()" \
    " THEN pg_catalog.pg_current_wal_insert_lsn() END"
/* An item "where am I": position and timeline. */
extern const pgc_query TX_WHERE;
/* Take the token from the answer to TX_WHERE, columns from `column` on; unchanged on a standby. */
void tx_where_read(const group *g, size_t at, int column, pgc_token *token);

/* tx_run.c */

pgc_status tx_run_from(const tx_source *source, const pgc_tx_options *options, uint32_t attempt_max,
                       pgc_tx_fn fn, void *arg, pgc_error *err) PGC_MUST_CHECK;

#endif
