/* Transactions. Invariant: the server's transaction status decides, never a counter of ours; a
 * transaction that cannot be ended cleanly takes its connection with it. One thread per
 * transaction. */
#include "base/prelude.h"

#include <pgc/tx.h>

#include "pgc/failure.h"
#include "pgc/run.h"
#include "pgc/session.h"

struct pgc_tx {
    pgc_db db;
    pgc_conn *conn;
    pgc_pool *pool; /* NULL: the caller keeps the connection */
    pgc_tx *parent; /* NULL: outermost */
    bool has_child; /* a nested scope is open: hands off */
    bool orphaned;  /* ended before its nested scope, whose end frees it */
    uint32_t depth; /* 0: outermost */
};

/* Texts of BEGIN by level, access and deferrability: nothing is put together at run time. */
#define BEGIN_TEXTS(level)                                                    \
    {                                                                         \
        { "BEGIN" level, "BEGIN" level " DEFERRABLE" },                       \
        {                                                                     \
            "BEGIN" level " READ ONLY", "BEGIN" level " READ ONLY DEFERRABLE" \
        }                                                                     \
    }
static const char *const BEGIN_SQL[3][2][2] = {
    [PGC_READ_COMMITTED] = BEGIN_TEXTS(" ISOLATION LEVEL READ COMMITTED"),
    [PGC_REPEATABLE_READ] = BEGIN_TEXTS(" ISOLATION LEVEL REPEATABLE READ"),
    [PGC_SERIALIZABLE] = BEGIN_TEXTS(" ISOLATION LEVEL SERIALIZABLE"),
};

/* As conn_options_resolve(): shorter structs of older callers are filled up with zeroes. */
static pgc_status options_resolve(const pgc_tx_options *in, pgc_tx_options *out, pgc_error *err)
{
    *out = (pgc_tx_options) { .struct_size = sizeof *out };
    if (in == NULL) {
        return PGC_OK;
    }
    if (in->struct_size < sizeof in->struct_size || in->struct_size > 4096) {
        return pgc_error_set(err, PGC_INVALID, "transaction options: struct_size is not set");
    }
    memcpy(out, in, in->struct_size < sizeof *out ? in->struct_size : sizeof *out);
    if ((unsigned) out->isolation > PGC_SERIALIZABLE) {
        return pgc_error_set(err, PGC_INVALID, "transaction options: isolation level %u",
                             (unsigned) out->isolation);
    }
    return session_check(out->settings, out->setting_count, err);
}

/* Without options the server's own defaults hold, which an administrator may have set. */
static const char *begin_sql(const pgc_tx_options *given, const pgc_tx_options *full)
{
    return given == NULL
               ? "BEGIN"
               : BEGIN_SQL[full->isolation][full->read_only ? 1 : 0][full->deferrable ? 1 : 0];
}

/* A statement without values or rows. Its text must outlive the call only. */
static pgc_status do_sql(pgc_conn *conn, const char *name, const char *sql, PGresult **answer_out,
                         pgc_error *err)
{
    const pgc_query query = { .name = name, .sql = sql, .flags = PGC_QUERY_UNNAMED };
    const run_item item = { &query, NULL };
    return conn_run_group(conn, &item, 1, answer_out, err);
}

/* What is not cleanly rolled back is not used again. */
static void rollback_or_lose(pgc_conn *conn)
{
    if (pgc_conn_tx_state(conn) != PGC_TX_IDLE &&
        do_sql(conn, "rollback", "ROLLBACK", NULL, NULL) != PGC_OK) {
        conn->lost = true;
    }
}

/* BEGIN and the settings are one round trip. When the second fails the first has happened. */
static pgc_status begin(pgc_conn *conn, const pgc_tx_options *options, pgc_error *err)
{
    pgc_tx_options full;
    TRY(options_resolve(options, &full, err));
    TRY(conn_check_usable(conn, err));
    if (pgc_conn_tx_state(conn) != PGC_TX_IDLE) {
        return pgc_error_set(err, PGC_INVALID, "begin: a transaction is open: nest in it");
    }
    const pgc_query query = { .name = "begin",
                              .sql = begin_sql(options, &full),
                              .flags = PGC_QUERY_UNNAMED };
    run_item items[2] = { { &query, NULL } };
    size_t count = 1;
    session_args args;
    session_args_init(&args, full.settings, full.setting_count, conn->alloc);
    if (full.setting_count > 0) {
        items[count++] = session_item(&args);
    }
    pgc_status status = conn_run_group(conn, items, count, NULL, err);
    session_args_done(&args);
    if (status != PGC_OK) {
        rollback_or_lose(conn);
    }
    return status;
}

/* Refuses what would silently run outside of the transaction. */
static pgc_status tx_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                            pgc_result **out, pgc_error *err)
{
    const pgc_tx *tx = CONTAINER_OF(db, pgc_tx, db);
    assert(tx->conn != NULL);
    if (tx->has_child) {
        return pgc_error_set(err, PGC_INVALID,
                             "query %s: a nested transaction is open: use that one", query->name);
    }
    /* The server would run it all the same, but outside of the caller's transaction. */
    if (pgc_conn_tx_state(tx->conn) == PGC_TX_IDLE) {
        return pgc_error_set(err, PGC_INVALID, "query %s: the transaction has ended already",
                             query->name);
    }
    return conn_run(tx->conn, query, args, out, err);
}

/* The transaction's own connection, for work inside of it. */
static pgc_status tx_db_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    pgc_tx *tx = CONTAINER_OF(db, pgc_tx, db);
    if (tx->has_child) {
        return pgc_error_set(err, PGC_INVALID, "a nested transaction is open: use that one");
    }
    pgc_conn *conn = pgc_tx_conn(tx);
    TRY(conn_check_usable(conn, err));
    if (pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        return pgc_error_set(err, PGC_INVALID, "the transaction has ended already");
    }
    *out = (pgc_loan) { .conn = conn };
    return PGC_OK;
}

/* It stays in the transaction's hands. */
static void tx_db_give_back(pgc_db *db, pgc_loan *loan)
{
    (void) db;
    (void) loan;
}

static const pgc_db_ops TX_DB_OPS = { sizeof(pgc_db_ops), tx_db_run, tx_db_lend, tx_db_give_back };

/* Made before BEGIN is sent: a transaction that is open always has its handle. */
static pgc_tx *tx_new(pgc_conn *conn, pgc_pool *pool, pgc_tx *parent)
{
    pgc_tx *tx = MEM_NEW(conn->alloc, pgc_tx);
    if (tx != NULL) {
        tx->db.ops = &TX_DB_OPS;
        tx->conn = conn;
        tx->pool = pool;
        tx->parent = parent;
        tx->depth = parent == NULL ? 0 : parent->depth + 1;
    }
    return tx;
}

/* Frees the transaction, and its parents as far as they ended before. */
static void tx_free(pgc_tx *tx)
{
    while (tx != NULL) {
        if (tx->has_child) {
            tx->orphaned = true;
            return;
        }
        pgc_tx *parent = tx->parent;
        pgc_pool *pool = tx->pool;
        pgc_conn *conn = tx->conn;
        mem_free(conn->alloc, tx, sizeof *tx);
        if (parent != NULL) {
            parent->has_child = false;
        }
        if (pool != NULL) {
            pgc_pool_release(pool, conn);
        }
        tx = parent != NULL && parent->orphaned ? parent : NULL;
    }
}

/* The handle is made first: once BEGIN has gone out nothing of ours can fail. */
pgc_status pgc_tx_begin_conn(pgc_conn *conn, const pgc_tx_options *options, pgc_tx **out,
                             pgc_error *err)
{
    if (conn == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "begin: no connection or no place for the result");
    }
    pgc_tx *tx = tx_new(conn, NULL, NULL);
    if (tx == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "begin");
    }
    pgc_status status = begin(conn, options, err);
    if (status != PGC_OK) {
        tx_free(tx);
        return status;
    }
    *out = tx;
    return PGC_OK;
}

/* On failure the connection goes back; begin() has rolled back or given it up by then. */
pgc_status pgc_tx_begin(pgc_pool *pool, const pgc_tx_options *options, pgc_tx **out, pgc_error *err)
{
    if (pool == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "begin: no pool or no place for the result");
    }
    pgc_conn *conn = NULL;
    TRY(pgc_pool_acquire(pool, &conn, err));
    pgc_status status = pgc_tx_begin_conn(conn, options, out, err);
    if (status != PGC_OK) {
        pgc_pool_release(pool, conn);
        return status;
    }
    (*out)->pool = pool;
    return PGC_OK;
}

#define SAVEPOINT_SQL_SIZE 48

/* Savepoints are named by depth: a name is free again when its scope has ended. */
static pgc_status do_savepoint(const pgc_tx *tx, const char *verb, pgc_error *err)
{
    char sql[SAVEPOINT_SQL_SIZE];
    (void) snprintf(sql, sizeof sql, "%s pgc_%" PRIu32, verb, tx->depth);
    return do_sql(tx->conn, "savepoint", sql, NULL, err);
}

/* The parent is locked only after the savepoint exists, so that a failure leaves it usable. */
pgc_status pgc_tx_nest(pgc_tx *parent, pgc_tx **out, pgc_error *err)
{
    if (parent == NULL || out == NULL || parent->has_child) {
        return pgc_error_set(err, PGC_INVALID, "nest: no transaction, or it has an open scope");
    }
    pgc_tx *tx = tx_new(parent->conn, NULL, parent);
    if (tx == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "nest");
    }
    pgc_status status = do_savepoint(tx, "SAVEPOINT", err);
    if (status != PGC_OK) {
        tx_free(tx);
        return status;
    }
    parent->has_child = true;
    *out = tx;
    return PGC_OK;
}

pgc_db *pgc_tx_db(pgc_tx *tx)
{
    return &tx->db;
}

/* Still the transaction's: what runs on it is inside of it. */
pgc_conn *pgc_tx_conn(pgc_tx *tx)
{
    return tx->conn;
}

/* Undo and drop the savepoint, in one round trip. */
static pgc_status undo_savepoint(const pgc_tx *tx, pgc_error *err)
{
    char undo[SAVEPOINT_SQL_SIZE], drop[SAVEPOINT_SQL_SIZE];
    (void) snprintf(undo, sizeof undo, "ROLLBACK TO SAVEPOINT pgc_%" PRIu32, tx->depth);
    (void) snprintf(drop, sizeof drop, "RELEASE SAVEPOINT pgc_%" PRIu32, tx->depth);
    const pgc_query undo_query = { .name = "rollback", .sql = undo, .flags = PGC_QUERY_UNNAMED };
    const pgc_query drop_query = { .name = "rollback", .sql = drop, .flags = PGC_QUERY_UNNAMED };
    const run_item items[] = { { &undo_query, NULL }, { &drop_query, NULL } };
    return conn_run_group(tx->conn, items, ARRAY_LEN(items), NULL, err);
}

/* A failed scope cannot be released: it is undone, and the caller hears about it. */
static pgc_status release_savepoint(const pgc_tx *tx, pgc_error *err)
{
    if (pgc_conn_tx_state(tx->conn) == PGC_TX_FAILED) {
        TRY(undo_savepoint(tx, err));
        return pgc_error_set(err, PGC_CONFLICT,
                             "commit: the nested transaction had failed before: rolled back");
    }
    return do_savepoint(tx, "RELEASE SAVEPOINT", err);
}

/* COMMIT of a failed transaction succeeds with the tag ROLLBACK. */
static pgc_status commit_outermost(pgc_conn *conn, pgc_error *err)
{
    if (pgc_conn_alive(conn) && pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        return pgc_error_set(err, PGC_INVALID, "commit: the transaction has ended already");
    }
    bool sent = pgc_conn_alive(conn);
    PGresult *answer = NULL;
    pgc_status status = do_sql(conn, "commit", "COMMIT", &answer, err);
    if (status == PGC_OK && strcmp(conn->pq->cmdStatus(answer), "ROLLBACK") == 0) {
        status = pgc_error_set(err, PGC_CONFLICT,
                               "commit: the transaction had failed before: rolled back");
    }
    conn->pq->clear(answer);
    if (status != PGC_OK && conn->lost && sent) {
        status = pgc_error_wrap(err, PGC_CONNECTION, "commit: outcome unknown");
        if (err != NULL) {
            err->status = status;
            err->retry = false; /* it may have been committed */
        }
    }
    return status;
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
        rollback_or_lose(ending->conn);
    } else if (ending->parent != NULL) {
        status = release_savepoint(ending, err);
    } else {
        status = commit_outermost(ending->conn, err);
        rollback_or_lose(ending->conn);
    }
    tx_free(ending);
    return status;
}

/* Cannot fail visibly: what the server does not confirm costs the connection. */
void pgc_tx_rollback(pgc_tx *tx)
{
    if (tx == NULL) {
        return;
    }
    if (tx->parent == NULL) {
        rollback_or_lose(tx->conn);
    } else if (undo_savepoint(tx, NULL) != PGC_OK) {
        tx->conn->lost = true;
    }
    tx_free(tx);
}
