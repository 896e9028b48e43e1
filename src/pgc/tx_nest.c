/* Nested scopes: savepoints named by depth, sent with the scope's first query. Invariant: after the
 * end of a scope, whichever, the server has no savepoint of it. One thread per transaction. */
#include "base/prelude.h"

#include "pgc/tx_parts.h"

/* The parent is locked only after the handle exists, so that a failure leaves it usable. */
pgc_status pgc_tx_nest(pgc_tx *parent, pgc_tx **out, pgc_error *err)
{
    if (parent == NULL || out == NULL || parent->has_child) {
        return pgc_error_set(err, PGC_INVALID, "nest: no transaction, or it has an open scope");
    }
    TRY(tx_check_open(parent, "nest", err));
    if (pgc_conn_tx_state(parent->conn) == PGC_TX_FAILED) {
        pgc_status status = pgc_error_set(err, PGC_DB, "nest: the transaction has failed before");
        if (err != NULL) {
            (void) snprintf(err->sqlstate, sizeof err->sqlstate, "25P02");
        }
        pgc_error_hint(err, "roll back the transaction, or the nested one that failed");
        return status;
    }
    TRY(tx_send_start(parent, err));
    pgc_tx *tx = tx_new(parent->conn, parent);
    if (tx == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "nest");
    }
    parent->has_child = true;
    *out = tx;
    return PGC_OK;
}

/* A scope shares the snapshot and the access of its transaction. */
pgc_status pgc_tx_nest_with(pgc_tx *parent, const pgc_tx_options *options, pgc_tx **out,
                            pgc_error *err)
{
    pgc_tx_options full;
    TRY(tx_options_resolve(options, &full, err));
    if (parent == NULL || options == NULL) {
        return pgc_tx_nest(parent, out, err);
    }
    const pgc_tx_options *outer = &parent->outer->options;
    if (full.isolation != outer->isolation || full.read_only != outer->read_only ||
        full.deferrable != outer->deferrable) {
        return pgc_error_set(err, PGC_INVALID,
                             "nest: a nested transaction has the level and access of the outermost "
                             "one, which are other ones than asked for");
    }
    if (full.setting_count > 0 || full.timeout_us > 0 || full.statement_timeout_us > 0 ||
        full.lock_timeout_us > 0 || full.idle_timeout_us > 0 || full.token != NULL) {
        return pgc_error_set(err, PGC_INVALID,
                             "nest: settings, time-outs and token belong to the outermost "
                             "transaction");
    }
    return pgc_tx_nest(parent, out, err);
}

/* Undo and drop the savepoint, in one round trip: the stack stays flat. */
static pgc_status undo_savepoint(pgc_tx *tx, pgc_error *err)
{
    char undo[TX_SAVEPOINT_SQL_SIZE], drop[TX_SAVEPOINT_SQL_SIZE];
    (void) snprintf(undo, sizeof undo, "ROLLBACK TO SAVEPOINT pgc_%" PRIu32, tx->depth);
    (void) snprintf(drop, sizeof drop, "RELEASE SAVEPOINT pgc_%" PRIu32, tx->depth);
    const pgc_query undo_query = { .name = "rollback", .sql = undo, .flags = PGC_QUERY_UNNAMED };
    const pgc_query drop_query = { .name = "rollback", .sql = drop, .flags = PGC_QUERY_UNNAMED };
    const run_item items[] = { { &undo_query, NULL }, { &drop_query, NULL } };
    tx->outer->nested -= tx->outer->nested > 0 ? 1 : 0;
    return conn_run_group(tx->conn, items, ARRAY_LEN(items), NULL, err);
}

/* A scope that never opened left nothing to undo. */
void tx_undo(pgc_tx *tx)
{
    if (tx->open && undo_savepoint(tx, NULL) != PGC_OK) {
        tx->conn->lost = true;
    }
    tx->open = false;
}

/* A failed scope cannot be released: it is undone, and the caller hears about it. */
pgc_status tx_release(pgc_tx *tx, pgc_error *err)
{
    if (tx->parent->orphaned) {
        return pgc_error_set(err, PGC_INVALID, "commit: the transaction has ended already");
    }
    if (tx->pending) {
        return PGC_OK;
    }
    if (!tx->open) {
        return pgc_error_set(err, PGC_CONFLICT, "commit: its savepoint could not be made");
    }
    if (pgc_conn_tx_state(tx->conn) == PGC_TX_FAILED) {
        TRY(undo_savepoint(tx, err));
        return pgc_error_set(err, PGC_CONFLICT,
                             "commit: the nested transaction had failed before: rolled back");
    }
    char sql[TX_SAVEPOINT_SQL_SIZE];
    (void) snprintf(sql, sizeof sql, "RELEASE SAVEPOINT pgc_%" PRIu32, tx->depth);
    return tx_do(tx->conn, "savepoint", sql, err);
}
