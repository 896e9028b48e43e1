/* Transactions and nested scopes. Invariant: the server's transaction status decides, never a
 * counter of ours; a transaction that cannot be ended cleanly takes its connection with it. One
 * thread per transaction. */
#include "base/prelude.h"

#include "base/alloc.h"
#include "pgc/failure.h"
#include "pgc/pool_state.h"
#include "pgc/result.h"
#include "pgc/stream.h"
#include "pgc/tx_parts.h"
#include "pgc/watch.h"

pgc_status tx_do(pgc_conn *conn, const char *name, const char *sql, pgc_error *err)
{
    const pgc_query query = { .name = name, .sql = sql, .flags = PGC_QUERY_UNNAMED };
    const run_item item = { &query, NULL };
    return conn_run_group(conn, &item, 1, NULL, err);
}

void tx_leave(pgc_conn *conn)
{
    if (pgc_conn_tx_state(conn) != PGC_TX_IDLE &&
        tx_do(conn, "rollback", "ROLLBACK", NULL) != PGC_OK) {
        conn->lost = true;
    }
}

int64_t tx_time_left(const pgc_tx *tx)
{
    int64_t call_us = tx->conn->call_timeout_us;
    if (tx->outer->deadline_us == CONN_NO_DEADLINE) {
        return call_us == 0 ? -1 : call_us;
    }
    int64_t left_us = tx->outer->deadline_us - tx->conn->clock->mono_us(tx->conn->clock->ctx);
    left_us = left_us > 0 ? left_us : 0;
    return call_us > 0 && call_us < left_us ? call_us : left_us;
}

/* Refuses what would silently run outside of the transaction. */
pgc_status tx_check_open(const pgc_tx *tx, const char *what, pgc_error *err)
{
    if (tx->has_child) {
        return pgc_error_set(err, PGC_INVALID,
                             "query %s: a nested transaction is open: use that one", what);
    }
    if (tx->orphaned ||
        (pgc_conn_alive(tx->conn) &&
         (tx->pending && tx->parent == NULL) != (pgc_conn_tx_state(tx->conn) == PGC_TX_IDLE))) {
        return pgc_error_set(err, PGC_INVALID, "query %s: the transaction has ended already", what);
    }
    if (tx->parent != NULL && !tx->pending && !tx->open) {
        return pgc_error_set(err, PGC_INVALID, "query %s: its savepoint could not be made", what);
    }
    if (tx_time_left(tx) == 0) {
        return pgc_error_set(err, PGC_TIMEOUT,
                             "query %s: not sent: the time of the transaction is over", what);
    }
    return PGC_OK;
}

/* A scope that its first query opened can be undone and opened again as if nothing had been. */
static bool start_over(pgc_tx *tx)
{
    if (tx->parent == NULL) {
        tx_leave(tx->conn);
    } else {
        tx_undo(tx);
    }
    tx->pending = true;
    tx->open = false;
    return pgc_conn_tx_state(tx->conn) == (tx->parent == NULL ? PGC_TX_IDLE : PGC_TX_OPEN);
}

/* A callback may swallow the failure of a query; the commit tells of it. */
static void note_failure(pgc_tx *tx, pgc_status status, const pgc_error *err)
{
    tx_outer *outer = tx->outer;
    if (status != PGC_OK && err != NULL && pgc_conn_tx_state(tx->conn) == PGC_TX_FAILED) {
        outer->failed_retry = err->retry;
        (void) snprintf(outer->failed_state, sizeof outer->failed_state, "%s", err->sqlstate);
    }
}

/* One try. *again_out: an outdated statement failed in the round trip that opened the scope. */
static pgc_status exec_once(pgc_tx *tx, const pgc_query *query, const pgc_args *args,
                            PGresult **out, bool *again_out, pgc_error *err)
{
    group g;
    pgc_query savepoint;
    char sql[TX_SAVEPOINT_SQL_SIZE];
    group_init(&g, tx->conn);
    bool opens = tx->pending;
    tx_start_queue(tx, &g, &savepoint, sql);
    size_t at = g.main = group_add(&g, query, args);
    size_t track = tx_track_queue(tx, query, &g);
    pgc_status status = group_run(&g, tx_time_left(tx), err);
    tx_start_settle(tx, &g);
    tx_track_settle(tx, &g, track);
    *again_out = status != PGC_OK && opens && tx->open && g.stale && pgc_conn_alive(tx->conn);
    if (status == PGC_OK) {
        *out = group_take(&g, at);
    }
    group_done(&g);
    return status;
}

pgc_status tx_exec(pgc_tx *tx, const pgc_query *query, const pgc_args *args, PGresult **out,
                   pgc_error *err)
{
    pgc_error ours;
    err = err == NULL ? &ours : err;
    TRY(tx_check_open(tx, query->name, err));
    bool again = false;
    pgc_status status = exec_once(tx, query, args, out, &again, err);
    if (again && start_over(tx)) {
        const pgc_retry_event event = {
            .kind = PGC_RETRY_STALE, .name = query->name, .attempt = 1, .status = status
        };
        hooks_retry(&tx->conn->hooks, event, err);
        pgc_error_clear(err);
        status = exec_once(tx, query, args, out, &again, err);
    }
    note_failure(tx, status, err);
    return status;
}

static pgc_status tx_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                            pgc_result **out, pgc_error *err)
{
    pgc_tx *tx = CONTAINER_OF(db, pgc_tx, db);
    assert(tx->conn != NULL);
    PGresult *answer = NULL;
    TRY(tx_exec(tx, query, args, &answer, err));
    return run_result(tx->conn, query, answer, out, err);
}

/* The transaction is busy until the rows end. What opens the scope goes ahead: its answer must not
 * stand between the rows. */
static pgc_status tx_db_open_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                                  const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    pgc_tx *tx = CONTAINER_OF(db, pgc_tx, db);
    const run_item item = { query, args };
    TRY(tx_check_open(tx, query->name, err));
    TRY(tx_send_start(tx, err));
    return rows_open_on(tx->conn, NULL, &item, 1, options, out, err);
}

/* The transaction's own connection, for work inside of it. */
static pgc_status tx_db_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    pgc_tx *tx = CONTAINER_OF(db, pgc_tx, db);
    TRY(tx_check_open(tx, "that needs a connection", err));
    TRY(tx_send_start(tx, err));
    pgc_conn *conn = pgc_tx_conn(tx);
    TRY(conn_check_usable(conn, err));
    *out = (pgc_loan) { .conn = conn };
    return PGC_OK;
}

/* It stays in the transaction's hands. */
static void tx_db_give_back(pgc_db *db, pgc_loan *loan)
{
    (void) db;
    (void) loan;
}

static const pgc_db_ops TX_DB_OPS = { .struct_size = sizeof(pgc_db_ops),
                                      .run = tx_db_run,
                                      .open_rows = tx_db_open_rows,
                                      .lend = tx_db_lend,
                                      .give_back = tx_db_give_back };

pgc_tx *tx_new(pgc_conn *conn, pgc_tx *parent)
{
    pgc_tx *tx = MEM_NEW(conn->alloc, pgc_tx);
    if (tx == NULL) {
        return NULL;
    }
    tx->outer = parent == NULL ? MEM_NEW(conn->alloc, tx_outer) : parent->outer;
    if (tx->outer == NULL) {
        mem_free(conn->alloc, tx, sizeof *tx);
        return NULL;
    }
    tx->outer->alloc = conn->alloc;
    tx->db.ops = &TX_DB_OPS;
    tx->conn = conn;
    tx->parent = parent;
    tx->pending = true;
    tx->depth = parent == NULL ? 0 : parent->depth + 1;
    return tx;
}

void tx_give_back(pgc_tx *tx)
{
    pgc_pool *pool = TAKE(tx->outer->pool);
    if (pool != NULL) {
        pgc_pool_release(pool, TAKE(tx->conn));
    }
}

/* The outermost handle goes last, and with it the connection. */
static void free_outer(pgc_tx *tx)
{
    tx_outer *outer = tx->outer;
    const pgc_alloc *alloc = outer->alloc;
    tx_give_back(tx);
    tx_start_free(outer->start, alloc);
    mem_free(alloc, outer, sizeof *outer);
    mem_free(alloc, tx, sizeof *tx);
}

void tx_free(pgc_tx *tx)
{
    while (tx != NULL) {
        if (tx->has_child) {
            tx->orphaned = true;
            return;
        }
        pgc_tx *parent = tx->parent;
        if (parent == NULL) {
            free_outer(tx);
            return;
        }
        mem_free(tx->outer->alloc, tx, sizeof *tx);
        parent->has_child = false;
        tx = parent->orphaned ? parent : NULL;
    }
}

/* Handle and settings; nothing is sent. */
static pgc_status tx_make(pgc_conn *conn, const pgc_tx_options *options, pgc_tx **out,
                          pgc_error *err)
{
    pgc_tx_options full;
    TRY(tx_options_resolve(options, &full, err));
    TRY(conn_check_usable(conn, err));
    if (pgc_conn_tx_state(conn) != PGC_TX_IDLE) {
        return pgc_error_set(err, PGC_INVALID, "begin: a transaction is open: nest in it");
    }
    pgc_tx *tx = tx_new(conn, NULL);
    if (tx == NULL || !tx_start_make(&full, conn->alloc, &tx->outer->start)) {
        tx_free(tx);
        return pgc_error_set(err, PGC_NOMEM, "begin");
    }
    tx->outer->has_options = options != NULL;
    tx->outer->track = options != NULL && full.resolve_timeout_us > 0 && !full.read_only;
    tx->outer->options = full;
    tx->outer->options.settings = NULL;
    tx->outer->options.setting_count = 0;
    tx->outer->deadline_us = conn_deadline(conn, full.timeout_us > 0 ? full.timeout_us : -1);
    *out = tx;
    return PGC_OK;
}

/* Sends what opens the scope by itself; nothing stays open when it fails. */
pgc_status tx_send_start(pgc_tx *tx, pgc_error *err)
{
    if (!tx->pending) {
        return PGC_OK;
    }
    TRY(tx_check_open(tx, "begin", err));
    group g;
    pgc_query savepoint;
    char sql[TX_SAVEPOINT_SQL_SIZE];
    group_init(&g, tx->conn);
    tx_start_queue(tx, &g, &savepoint, sql);
    pgc_status status = group_run(&g, tx_time_left(tx), err);
    if (status != PGC_OK && g.stale && start_over(tx)) {
        group_reset(&g);
        status = group_run(&g, tx_time_left(tx), err);
    }
    tx_start_settle(tx, &g);
    group_done(&g);
    if (status != PGC_OK && tx->parent == NULL) {
        tx_leave(tx->conn);
    }
    return status;
}

/* The handle is made first: once BEGIN has gone out nothing of ours can fail. */
pgc_status pgc_tx_begin_conn(pgc_conn *conn, const pgc_tx_options *options, pgc_tx **out,
                             pgc_error *err)
{
    if (conn == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "begin: no connection or no place for the result");
    }
    pgc_tx *tx = NULL;
    TRY(tx_make(conn, options, &tx, err));
    pgc_status status = tx_send_start(tx, err);
    if (status != PGC_OK) {
        tx_free(tx);
        return status;
    }
    *out = tx;
    return PGC_OK;
}

pgc_status tx_begin_from(const tx_source *source, const pgc_tx_options *options, pgc_tx **out,
                         pgc_error *err)
{
    pgc_tx_options full;
    TRY(tx_options_resolve(options, &full, err));
    int64_t deadline_us = CONN_NO_DEADLINE;
    if (full.timeout_us > 0) {
        deadline_us = source->clock->mono_us(source->clock->ctx) + full.timeout_us;
    }
    pgc_conn *conn = NULL;
    pgc_pool *pool = NULL;
    TRY(source->acquire(source->ctx, deadline_us, &pool, &conn, err));
    pgc_tx *tx = NULL;
    pgc_status status = tx_make(conn, options, &tx, err);
    if (status != PGC_OK) {
        pgc_pool_release(pool, conn);
        return status;
    }
    tx->outer->pool = pool;
    tx->outer->track = full.resolve_timeout_us > 0 && !full.read_only;
    tx->outer->source = *source;
    tx->outer->deadline_us = deadline_us; /* the wait for the connection counts */
    *out = tx;
    return PGC_OK;
}

static pgc_status acquire_from_pool(void *ctx, int64_t deadline_us, pgc_pool **pool,
                                    pgc_conn **conn, pgc_error *err)
{
    (void) deadline_us;
    *pool = ctx;
    return pgc_pool_acquire(ctx, conn, err);
}

tx_source tx_source_pool(pgc_pool *pool)
{
    return (tx_source) {
        .ctx = pool, .clock = pool->seams.clock, .hooks = &pool->hooks, .acquire = acquire_from_pool
    };
}

pgc_status pgc_tx_begin(pgc_pool *pool, const pgc_tx_options *options, pgc_tx **out, pgc_error *err)
{
    if (pool == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "begin: no pool or no place for the result");
    }
    const tx_source source = tx_source_pool(pool);
    return tx_begin_from(&source, options, out, err);
}

pgc_db *pgc_tx_db(pgc_tx *tx)
{
    return &tx->db;
}

/* Nothing that the caller sends may run outside of the transaction. */
pgc_conn *pgc_tx_conn(pgc_tx *tx)
{
    pgc_status status = tx->parent == NULL ? PGC_OK : tx_send_start(tx->parent, NULL);
    if (status == PGC_OK) {
        status = tx_send_start(tx, NULL);
    }
    if (status != PGC_OK || !tx->open) {
        tx->conn->lost = true;
    }
    return tx->conn;
}

uint32_t pgc_tx_nested_count(const pgc_tx *tx)
{
    return tx->outer->nested;
}

/* Whatever happens, the handle is gone and the session is out of the transaction or closed. */
pgc_status pgc_tx_commit(pgc_tx **tx, pgc_error *err)
{
    if (tx == NULL || *tx == NULL) {
        return pgc_error_set(err, PGC_INVALID, "commit: no transaction");
    }
    pgc_tx *ending = TAKE(*tx);
    assert(!ending->orphaned);
    pgc_status status;
    if (ending->has_child) {
        status = pgc_error_set(err, PGC_INVALID,
                               "commit: a nested transaction is still open: all rolled back");
        tx_leave(ending->conn);
    } else if (ending->parent != NULL) {
        status = tx_release(ending, err);
    } else {
        status = tx_commit_outer(ending, NULL, NULL, NULL, err);
    }
    tx_free(ending);
    return status;
}

pgc_status pgc_tx_commit_with(pgc_tx **tx, const pgc_query *query, const pgc_args *args,
                              pgc_result **out, pgc_error *err)
{
    if (tx == NULL || *tx == NULL) {
        return pgc_error_set(err, PGC_INVALID, "commit: no transaction");
    }
    pgc_tx *ending = TAKE(*tx);
    pgc_status status = PGC_OK;
    if (query == NULL || ending->parent != NULL) {
        status = pgc_error_set(err, PGC_INVALID, "commit: no query, or a nested transaction");
    } else {
        status = tx_check_open(ending, query->name, err);
    }
    if (status != PGC_OK) {
        pgc_tx_rollback(ending);
        return status;
    }
    const pq_ops *pq = ending->conn->pq;
    const pgc_alloc *alloc = ending->conn->alloc;
    PGresult *answer = NULL;
    AUTO(result_auto) pgc_result *room = NULL;
    status = out == NULL ? PGC_OK : result_reserve(pq, alloc, query, &room, err);
    if (status != PGC_OK) {
        pgc_tx_rollback(ending);
        return status;
    }
    status = tx_commit_outer(ending, query, args, &answer, err);
    const pgc_xact xact = ending->outer->xact;
    tx_free(ending);
    if (status == PGC_OK && out != NULL) {
        status = answer != NULL
                     ? result_new_in(pq, answer, alloc, query, &room, err)
                     : pgc_error_set(err, PGC_CONNECTION, "query %s: rows were lost", query->name);
        answer = NULL;
        if (status == PGC_OK) {
            *out = TAKE(room);
        }
        if (status != PGC_OK && err != NULL) {
            err->xact = xact;
            return pgc_error_wrap(err, status, "committed, but");
        }
    }
    pq->clear(answer);
    return status;
}

/* Cannot fail visibly: what the server does not confirm costs the connection. */
void pgc_tx_rollback(pgc_tx *tx)
{
    if (tx == NULL) {
        return;
    }
    if (tx->parent == NULL) {
        tx_leave(tx->conn);
    } else {
        tx_undo(tx);
    }
    tx_free(tx);
}
