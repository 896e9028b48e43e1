/* Work on a set that keeps a connection: rows one after another, loans. The server is chosen once,
 * at the start. Any thread. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/set_state.h"
#include "pgc/stream.h"

/* Settings, then the query. */
static size_t fill_items(const set_call *call, run_item items[2])
{
    size_t count = session_front(call->session, call->query, items);
    items[count++] = (run_item) { call->query, call->args };
    return count;
}

/* True: *status_out is the query's. False: try another server. */
static bool open_on(const set_call *call, set_node *node, int64_t *budget_us,
                    const pgc_run_options *options, pgc_rows **out, pgc_status *status_out,
                    pgc_error *err)
{
    pgc_conn *conn = NULL;
    run_item items[2];
    pgc_status status = pgc_pool_acquire(node->pool, &conn, err);
    if (status == PGC_OK && call->token.lsn != 0 && !set_reached(conn, &call->token, budget_us)) {
        pgc_pool_release(node->pool, conn);
        set_count(node->set, &node->stats.behind_count);
        return false;
    }
    if (status == PGC_OK) {
        status = rows_open_on(conn, node->pool, items, fill_items(call, items), options, out, err);
    }
    if (status == PGC_CONNECTION) {
        set_suspect(node, &node->stats.lost_count);
        return false;
    }
    if (status != PGC_OK && set_is_conflict(err)) {
        set_count(node->set, &node->stats.conflict_count);
        return false;
    }
    *status_out = status;
    return true;
}

pgc_status set_open_rows(const set_call *call, bool routed, const pgc_run_options *options,
                         pgc_rows **out, pgc_error *err)
{
    pgc_error ours;
    run_item items[2];
    pgc_set *set = call->set;
    set_node *node = NULL;
    pgc_conn *conn = NULL;
    int64_t budget_us = set->options.token_wait_us;
    uint32_t tried = 0;
    err = err == NULL ? &ours : err;
    routed = routed && (call->query->flags & PGC_QUERY_READ_ONLY) != 0;
    while (routed && (node = set_pick(set, &call->token, tried)) != NULL) {
        pgc_status status = PGC_OK;
        tried |= 1u << (size_t) (node - set->nodes);
        pgc_error_clear(err);
        if (open_on(call, node, &budget_us, options, out, &status, err)) {
            set_count(set, &node->stats.read_count);
            return status;
        }
    }
    if (routed) {
        set_count(set, &set->stats.fallback_count);
    }
    pgc_error_clear(err);
    TRY(set_acquire_primary(set, set_patience(set), &node, &conn, err));
    set_count(set, routed ? &node->stats.read_count : &node->stats.write_count);
    pgc_status status =
        rows_open_on(conn, node->pool, items, fill_items(call, items), options, out, err);
    if (status == PGC_CONNECTION || (status != PGC_OK && strcmp(err->sqlstate, "25006") == 0)) {
        set_suspect(node, &node->stats.lost_count);
    }
    return status;
}

pgc_status set_lend(pgc_set *set, const session_args *session, pgc_loan *out, pgc_error *err)
{
    set_node *node = NULL;
    pgc_conn *conn = NULL;
    TRY(set_acquire_primary(set, set_patience(set), &node, &conn, err));
    set_count(set, &node->stats.write_count);
    *out = (pgc_loan) { .conn = conn, .lender = node };
    if (session != NULL) {
        const run_item item = session_item(session);
        out->first = item.query;
        out->first_args = item.args;
    }
    return PGC_OK;
}

void set_give_back(pgc_db *db, pgc_loan *loan)
{
    (void) db;
    set_node *node = loan->lender;
    if (!pgc_conn_alive(loan->conn)) {
        set_suspect(node, &node->stats.lost_count);
    }
    pgc_pool_release(node->pool, loan->conn);
}
