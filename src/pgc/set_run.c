/* Single queries on a set. Invariant: a write is sent at most once, unless the server has said that
 * it did not do it; a read may be run again anywhere. Any thread. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/result.h"
#include "pgc/set_state.h"

#define PAUSE_FIRST_US 1000

/* A server that is no replica any more shows everything that there is. */
static const pgc_type_ref REACHED_PARAMS[] = { { "lsn", "pg_lsn", 3220 } };
static const pgc_query REACHED = {
    .name = "replay position",
    .sql = "SELECT NOT pg_catalog.pg_is_in_recovery() OR pg_catalog.pg_last_wal_replay_lsn() >= $1",
    .hash = UINT64_C(0x5e7c0f1900000104),
    .flags = RUN_QUERY_CONTEXT,
    .param_count = 1,
    .params = REACHED_PARAMS,
};

static bool state_is(const pgc_error *err, const char *sqlstate)
{
    return strcmp(err->sqlstate, sqlstate) == 0;
}

/* 40001 and 40P01 come from the replay here: a single read conflicts with nothing else. 25006 is a
 * function that writes, in a query that is marked as a read. */
bool set_is_conflict(const pgc_error *err)
{
    return state_is(err, "40001") || state_is(err, "40P01") || state_is(err, "25006");
}

/* One look at the position. PGC_OK and false: not yet. */
static pgc_status look_reached(pgc_conn *conn, const pgc_token *token, bool *out)
{
    pgc_args args;
    pgc_args_init(&args, conn->alloc);
    pgc_add_i64(&args, (int64_t) token->lsn); /* the same eight bytes */
    group g;
    group_init(&g, conn);
    (void) group_add(&g, &REACHED, &args);
    pgc_status status = group_run(&g, conn->call_timeout_us, NULL);
    *out = group_bool(&g, 0, 0);
    group_done(&g);
    pgc_args_done(&args);
    return status;
}

/* 1, 2, 4 … ms: most replicas are there at the first or second look. */
bool set_reached(pgc_conn *conn, const pgc_token *token, int64_t *budget_us)
{
    const clock_ops *clock = conn->clock;
    for (int64_t pause_us = PAUSE_FIRST_US;; pause_us *= 2) {
        bool reached = false;
        if (look_reached(conn, token, &reached) != PGC_OK) {
            return false;
        }
        if (reached || *budget_us <= 0) {
            return reached;
        }
        pause_us = pause_us < *budget_us ? pause_us : *budget_us;
        clock->sleep_us(clock->ctx, pause_us);
        *budget_us -= pause_us;
    }
}

/* Settings, position and query in one round trip; *behind_out: run for nothing. */
static pgc_status read_once(const set_call *call, pgc_conn *conn, bool ask, PGresult **answer,
                            bool *behind_out, pgc_error *err)
{
    group g;
    pgc_args args;
    size_t asked = GROUP_MAX;
    group_init(&g, conn);
    pgc_args_init(&args, conn->alloc);
    run_item front;
    if (session_front(call->session, call->query, &front) > 0) {
        (void) group_add(&g, front.query, front.args);
    }
    if (ask) {
        pgc_add_i64(&args, (int64_t) call->token.lsn);
        asked = group_add(&g, &REACHED, &args);
    }
    size_t at = g.main = group_add(&g, call->query, call->args);
    pgc_status status = group_run(&g, conn->call_timeout_us, err);
    if (status != PGC_OK && g.stale && pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        group_reset(&g);
        pgc_error_clear(err);
        status = group_run(&g, conn->call_timeout_us, err);
    }
    /* The query may have failed for want of what the token promises, such as a new table. */
    *behind_out = asked != GROUP_MAX && g.items[asked].ok && !group_bool(&g, asked, 0);
    if (status == PGC_OK && !*behind_out) {
        *answer = group_take(&g, at);
    }
    group_done(&g);
    pgc_args_done(&args);
    return status;
}

static pgc_status deliver(const set_call *call, PGresult *answer, pgc_result **out, pgc_error *err)
{
    const pgc_set *set = call->set;
    if (out == NULL) {
        set->seams.pq->clear(answer);
        return PGC_OK;
    }
    return result_new(set->seams.pq, answer, set->alloc, call->query, out, err);
}

/* True: *status_out is the read's. False: try another server. */
static bool read_on(const set_call *call, set_node *node, int64_t *budget_us, PGresult **answer,
                    pgc_status *status_out, pgc_error *err)
{
    pgc_conn *conn = NULL;
    bool behind = false;
    pgc_status status = pgc_pool_acquire(node->pool, &conn, err);
    if (status == PGC_CONNECTION) {
        set_suspect(node, &node->stats.lost_count);
    }
    if (status != PGC_OK) {
        return false;
    }
    status = read_once(call, conn, call->token.lsn != 0, answer, &behind, err);
    if (behind && set_reached(conn, &call->token, budget_us)) {
        pgc_error_clear(err);
        status = read_once(call, conn, false, answer, &behind, err);
    }
    bool alive = pgc_conn_alive(conn);
    pgc_pool_release(node->pool, conn);
    if (behind) {
        set_count(node->set, &node->stats.behind_count);
        return false;
    }
    if (status == PGC_OK) {
        *status_out = PGC_OK;
        return true;
    }
    if (set_is_conflict(err)) {
        set_count(node->set, &node->stats.conflict_count);
        return false;
    }
    if (!alive && status != PGC_TIMEOUT) {
        set_suspect(node, &node->stats.lost_count);
        return false;
    }
    *status_out = status;
    return true;
}

/* One try on the primary. *refused_out: it is a standby and has done nothing. */
static pgc_status write_on(const set_call *call, set_node *node, pgc_conn *conn, PGresult **answer,
                           bool *refused_out, pgc_error *err)
{
    group g;
    group_init(&g, conn);
    run_item front;
    if (session_front(call->session, call->query, &front) > 0) {
        (void) group_add(&g, front.query, front.args);
    }
    size_t at = g.main = group_add(&g, call->query, call->args);
    g.items[at].sync = true; /* commits here */
    size_t where = call->written == NULL ? GROUP_MAX : group_add(&g, &TX_WHERE, NULL);
    pgc_status status = group_run(&g, conn->call_timeout_us, err);
    bool done = g.items[at].ok;
    if (!done && g.stale && pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        group_reset(&g);
        pgc_error_clear(err);
        status = group_run(&g, conn->call_timeout_us, err);
        done = g.items[at].ok;
    }
    if (done && where != GROUP_MAX) {
        tx_where_read(&g, where, 0, call->written);
    }
    if (done) {
        *answer = group_take(&g, at);
        status = PGC_OK;
    }
    *refused_out = status != PGC_OK && state_is(err, "25006");
    group_done(&g);
    if (*refused_out) {
        set_suspect(node, &node->stats.refused_count);
    } else if (!pgc_conn_alive(conn) && status != PGC_TIMEOUT) {
        set_suspect(node, &node->stats.lost_count);
    }
    return status;
}

/* A server that refuses twice, and is the primary for the one who looks, has its reasons. */
pgc_status set_write(const set_call *call, pgc_result **out, pgc_error *err)
{
    pgc_error ours;
    pgc_set *set = call->set;
    const set_node *refuser = NULL;
    bool is_read = (call->query->flags & PGC_QUERY_READ_ONLY) != 0;
    bool lost = false;
    int64_t deadline_us = set_patience(set);
    err = err == NULL ? &ours : err;
    for (;;) {
        set_node *node = NULL;
        pgc_conn *conn = NULL;
        PGresult *answer = NULL;
        bool refused = false;
        pgc_error_clear(err);
        TRY(set_acquire_primary(set, deadline_us, &node, &conn, err));
        (void) atomic_fetch_add(&node->under_way, 1);
        pgc_status status = write_on(call, node, conn, &answer, &refused, err);
        (void) atomic_fetch_sub(&node->under_way, 1);
        pgc_pool_release(node->pool, conn);
        if (status == PGC_OK) {
            set_count(set, is_read ? &node->stats.read_count : &node->stats.write_count);
            return deliver(call, answer, out, err);
        }
        bool again = refused ? refuser != node : is_read && status == PGC_CONNECTION && !lost;
        lost = lost || !refused;
        refuser = refused ? node : refuser;
        if (!again) {
            return status;
        }
    }
}

/* Each replica at most once, then the primary. */
pgc_status set_read(const set_call *call, pgc_result **out, pgc_error *err)
{
    pgc_error ours;
    pgc_set *set = call->set;
    int64_t budget_us = set->options.token_wait_us;
    uint32_t tried = 0;
    err = err == NULL ? &ours : err;
    for (;;) {
        set_node *node = set_pick(set, &call->token, tried);
        if (node == NULL) {
            break;
        }
        tried |= 1u << (size_t) (node - set->nodes);
        PGresult *answer = NULL;
        pgc_status status = PGC_OK;
        pgc_error_clear(err);
        (void) atomic_fetch_add(&node->under_way, 1);
        bool done = read_on(call, node, &budget_us, &answer, &status, err);
        (void) atomic_fetch_sub(&node->under_way, 1);
        if (done && status == PGC_OK) {
            set_count(set, &node->stats.read_count);
            return deliver(call, answer, out, err);
        }
        if (done) {
            return status;
        }
    }
    set_count(set, &set->stats.fallback_count);
    set_call on_primary = *call;
    on_primary.written = NULL;
    return set_write(&on_primary, out, err);
}
