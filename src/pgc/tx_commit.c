/* The end of a transaction. Invariant: a commit is told as done, as undone, or as in doubt, and
 * never wrongly as one of the first two. The id that the question needs is asked for with the first
 * write, in the same round trip, so that it is known before COMMIT goes out. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/tx_parts.h"

static const pgc_query COMMIT = { .name = "commit", .sql = "COMMIT", .flags = PGC_QUERY_UNNAMED };

/* With hashes made up to differ from each other and from real ones. */
static const pgc_query TRACK = {
    .name = "transaction id",
    .sql = "SELECT pg_catalog.pg_current_xact_id_if_assigned()",
    .hash = UINT64_C(0x5e7c0f1900000101),
};
/* Once per session: a session on a primary stays on its server and timeline. */
static const pgc_query TRACK_FIRST = {
    .name = "transaction id",
    .sql = "SELECT pg_catalog.pg_current_xact_id_if_assigned(), system_identifier, " TX_TIMELINE_SQL
           ", " TX_RUN_SQL " FROM pg_catalog.pg_control_system()",
    .hash = UINT64_C(0x5e7c0f1900000102),
};

/* Reads need no id, and once it is known it stays. */
bool tx_track_wanted(const pgc_tx *tx, const pgc_query *query)
{
    const tx_outer *outer = tx->outer;
    return outer->track && outer->xact.id == 0 &&
           (query == NULL || (query->flags & PGC_QUERY_READ_ONLY) == 0);
}

size_t tx_track_queue(const pgc_tx *tx, const pgc_query *query, group *g)
{
    if (!tx_track_wanted(tx, query)) {
        return GROUP_MAX;
    }
    return group_add(g, tx->conn->timeline == 0 ? &TRACK_FIRST : &TRACK, NULL);
}

void tx_track_settle(pgc_tx *tx, const group *g, size_t at)
{
    pgc_conn *conn = tx->conn;
    if (at == GROUP_MAX) {
        return;
    }
    uint64_t timeline = 0;
    uint64_t run = 0;
    if (group_u64(g, at, 1, &conn->system_id) && group_u64(g, at, 2, &timeline) &&
        group_u64(g, at, 3, &run)) {
        conn->timeline = (uint32_t) timeline;
        conn->run = (int64_t) run;
    }
    pgc_xact *xact = &tx->outer->xact;
    if (group_u64(g, at, 0, &xact->id)) {
        xact->system_id = conn->system_id;
        xact->timeline = conn->timeline;
        xact->run = conn->run;
        xact->pid = pgc_conn_backend_pid(conn);
    }
}

/* How a commit ended, before anybody else is asked. */
typedef enum verdict { COMMITTED, UNDONE, DOUBTFUL } verdict;

/* The items of the last round trip; GROUP_MAX: not among them. */
typedef struct last_trip {
    group g;
    pgc_query savepoint; /* unused: only the outermost one commits */
    size_t query, track, commit, where;
} last_trip;

static void queue_last(pgc_tx *tx, last_trip *trip, const pgc_query *query, const pgc_args *args)
{
    group *g = &trip->g;
    char unused[TX_SAVEPOINT_SQL_SIZE];
    group_init(g, tx->conn);
    tx_start_queue(tx, g, &trip->savepoint, unused);
    trip->query = query == NULL ? GROUP_MAX : group_add(g, query, args);
    trip->track = tx_track_queue(tx, query, g);
    if (trip->track != GROUP_MAX) {
        g->items[trip->track].flush = true; /* on its way before the commit starts */
    }
    trip->commit = group_add(g, &COMMIT, NULL);
    g->main = query == NULL ? trip->commit : trip->query;
    trip->where = tx->outer->options.token == NULL ? GROUP_MAX : group_add(g, &TX_WHERE, NULL);
}

/* The server answers COMMIT after it is done; an error before it keeps it from running. COMMIT of a
 * failed transaction succeeds with the tag ROLLBACK. */
static verdict judge(const pgc_tx *tx, const last_trip *trip)
{
    const group *g = &trip->g;
    const group_item *commit = &g->items[trip->commit];
    if (commit->ok) {
        const char *tag = tx->conn->pq->cmdStatus(commit->answer);
        return strcmp(tag, "COMMIT") == 0 ? COMMITTED : UNDONE;
    }
    if (!g->sent || !tx->conn->lost) {
        return UNDONE;
    }
    for (size_t i = 0; i <= trip->commit; i++) {
        if (g->items[i].refused) {
            return UNDONE;
        }
    }
    return DOUBTFUL;
}

/* Ask the server on another connection; this one goes back first, the pool may need its place. */
static pgc_status clear_doubt(pgc_tx *tx, pgc_error *err)
{
    tx_outer *outer = tx->outer;
    if (outer->options.read_only || outer->quiet) {
        (void) pgc_error_wrap(err, PGC_CONNECTION, "commit: nothing was written");
        err->status = PGC_CONNECTION;
        err->retry = true;
        err->outcome = PGC_OUTCOME_NOT_RUN;
        return PGC_CONNECTION;
    }
    if (outer->pool == NULL || outer->xact.id == 0 || outer->options.resolve_timeout_us < 0) {
        (void) pgc_error_wrap(err, PGC_IN_DOUBT, "commit: outcome unknown");
        err->status = PGC_IN_DOUBT;
        err->retry = false; /* it may have been committed */
        err->outcome = PGC_OUTCOME_UNKNOWN;
        err->xact = outer->xact;
        return PGC_IN_DOUBT;
    }
    tx_give_back(tx);
    return pgc_error_wrap(err,
                          tx_resolve_from(&outer->source, &outer->xact,
                                          outer->options.resolve_timeout_us, outer->options.token,
                                          err),
                          "commit");
}

/* Why the transaction had failed is worth more than that it had. */
static pgc_status failed_before(const tx_outer *outer, pgc_error *err)
{
    (void) pgc_error_set(err, PGC_CONFLICT,
                         "commit: the transaction had failed before: rolled back");
    err->retry = outer->failed_retry;
    memcpy(err->sqlstate, outer->failed_state, sizeof err->sqlstate);
    return PGC_CONFLICT;
}

/* One round trip, and what its answers mean. *again_out: an outdated statement failed in the round
 * trip that began the transaction. */
static pgc_status commit_once(pgc_tx *tx, const pgc_query *query, const pgc_args *args,
                              PGresult **out, bool *again_out, pgc_error *err)
{
    last_trip trip;
    bool whole = tx->pending;
    queue_last(tx, &trip, query, args);
    pgc_status status = group_run(&trip.g, tx->conn->call_timeout_us, err);
    tx_start_settle(tx, &trip.g);
    tx_track_settle(tx, &trip.g, trip.track);
    tx->outer->quiet =
        trip.track != GROUP_MAX && trip.g.items[trip.track].ok && tx->outer->xact.id == 0;
    verdict found = judge(tx, &trip);
    *again_out = found == UNDONE && whole && trip.g.stale && pgc_conn_alive(tx->conn);
    if (trip.query != GROUP_MAX && found != UNDONE) {
        *out = group_take(&trip.g, trip.query);
    }
    if (found == COMMITTED && trip.where != GROUP_MAX) {
        tx_where_read(&trip.g, trip.where, 0, tx->outer->options.token);
    }
    if (found == COMMITTED) {
        bool shape = trip.query != GROUP_MAX && !trip.g.items[trip.query].ok;
        status = shape ? status : PGC_OK; /* lost or refused afterwards: no matter */
        err->xact = shape ? tx->outer->xact : (pgc_xact) { .id = 0 };
    } else if (found == UNDONE && status == PGC_OK) {
        status = failed_before(tx->outer, err);
    }
    group_done(&trip.g);
    return found == DOUBTFUL ? clear_doubt(tx, err) : status;
}

/* What was not sent cannot have been committed. */
static pgc_status check_sendable(pgc_tx *tx, bool query, pgc_error *err)
{
    if (!pgc_conn_alive(tx->conn)) {
        (void) pgc_error_set(err, PGC_CONNECTION,
                             "commit: not sent: the connection was lost before: rolled back");
        err->retry = true;
        err->outcome = PGC_OUTCOME_NOT_RUN;
        return PGC_CONNECTION;
    }
    pgc_tx_state state = pgc_conn_tx_state(tx->conn);
    if (state == PGC_TX_IDLE && !(query && tx->pending)) {
        return pgc_error_set(err, PGC_INVALID, "commit: the transaction has ended already");
    }
    if (state == PGC_TX_FAILED) {
        return failed_before(tx->outer, err);
    }
    if (tx_time_left(tx) == 0) {
        return pgc_error_set(err, PGC_TIMEOUT,
                             "commit: not sent: the time of the transaction is over: rolled back");
    }
    return PGC_OK;
}

/* A commit once sent has the time of any call: cut short, it would be in doubt. */
pgc_status tx_commit_outer(pgc_tx *tx, const pgc_query *query, const pgc_args *args, PGresult **out,
                           pgc_error *err)
{
    pgc_error ours;
    PGresult *unused = NULL;
    assert(tx->parent == NULL);
    err = err == NULL ? &ours : err;
    pgc_error_clear(err);
    out = out == NULL ? &unused : out;
    if (query == NULL && tx->pending) {
        return PGC_OK; /* nothing was asked for, so nothing was sent */
    }
    pgc_status status = check_sendable(tx, query != NULL, err);
    if (status == PGC_OK) {
        bool again = false;
        status = commit_once(tx, query, args, out, &again, err);
        if (again) {
            tx_leave(tx->conn);
            tx->pending = true;
            pgc_error_clear(err);
            status = commit_once(tx, query, args, out, &again, err);
        }
    }
    if (tx->conn != NULL) {
        tx_leave(tx->conn);
    }
    return status;
}
