/* Groups of queries. Invariant: whatever happens, the answers that came are kept, because what a
 * lost connection has confirmed before is true. One thread per connection. */
#include "base/prelude.h"

#include "pgc/group.h"

#include "pgc/args.h"
#include "pgc/failure.h"
#include "pgc/single.h"
#include "pgc/watch.h"
#include "pgc/wire.h"

void group_init(group *g, pgc_conn *conn)
{
    g->conn = conn;
    g->count = g->main = 0;
    g->sent = g->stale = g->again = false;
}

/* The callers' groups are known to fit. */
size_t group_add(group *g, const pgc_query *query, const pgc_args *args)
{
    assert(g->count < GROUP_MAX);
    g->items[g->count] = (group_item) { .query = query, .args = args };
    return g->count++;
}

/* Where an item and its sync stand in the exchange. */
typedef struct item_place {
    queued at;
    size_t sync;
    bool synced;
} item_place;

/* A sync at the end in any case. */
static void queue_all(group *g, exchange *ex, item_place *places)
{
    for (size_t i = 0; i < g->count; i++) {
        const group_item *item = &g->items[i];
        const pgc_args *args = item->args;
        run_queue(ex, item->query, args == NULL ? NULL : args->values,
                  args == NULL ? NULL : args->lengths, &places[i].at);
        places[i].synced = item->sync || i + 1 == g->count;
        if (places[i].synced) {
            places[i].sync = exchange_sync(ex);
        } else if (item->flush && ex->status == PGC_OK) {
            (void) g->conn->pq->sendFlushRequest(g->conn->pg);
        }
    }
}

/* One item's status; what fails at the commit of its group fails the item. */
static pgc_status item_status(group *g, exchange *ex, size_t index, const item_place *place,
                              pgc_error *err)
{
    pgc_status status = run_status(ex, &place->at, err);
    if (status == PGC_OK && place->synced) {
        status = exchange_status(ex, place->sync, g->items[index].query->name, err);
    }
    g->items[index].ok = status == PGC_OK;
    return status;
}

/* After all answers: the first failure is what the caller hears. */
static pgc_status settle_all(group *g, exchange *ex, const item_place *places, pgc_error *err)
{
    for (size_t i = 0; i < g->count; i++) {
        g->stale = run_settle(ex, &places[i].at) || g->stale;
    }
    pgc_status first = PGC_OK;
    for (size_t i = 0; i < g->count; i++) {
        pgc_status status = item_status(g, ex, i, &places[i], first == PGC_OK ? err : NULL);
        first = first == PGC_OK ? status : first;
    }
    return first;
}

/* With the connection gone only the answers are left to look at. A fatal error says that the
 * session ended, not that the statement had no effect. */
static void judge_answer(group_item *item, const pq_ops *pq, bool lost)
{
    if (item->answer == NULL) {
        return;
    }
    ExecStatusType kind = pq->resultStatus(item->answer);
    item->refused = kind == PGRES_FATAL_ERROR && failure_sqlstate(pq, item->answer)[0] != '\0' &&
                    !failure_is_fatal(pq, item->answer);
    item->ok = item->ok || (lost && (kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK));
}

static void keep_answers(group *g, exchange *ex, const item_place *places, bool lost)
{
    for (size_t i = 0; i < g->count; i++) {
        size_t at = places[i].at.at;
        if (at < ex->count && ex->steps[at].kind == STEP_QUERY) {
            g->items[i].answer = exchange_take(ex, at);
        }
        judge_answer(&g->items[i], g->conn->pq, lost);
    }
}

static pgc_status send_pipeline(group *g, int64_t timeout_us, pgc_error *err)
{
    item_place places[GROUP_MAX];
    memset(places, 0, sizeof places);
    exchange ex;
    exchange_begin(&ex, g->conn, timeout_us, err);
    if (ex.status == PGC_OK) {
        g->sent = true;
        run_queue_deallocate(&ex);
    }
    queue_all(g, &ex, places);
    pgc_status status = exchange_finish(&ex, false);
    if (status == PGC_OK) {
        status = settle_all(g, &ex, places, err);
        assert(status == PGC_OK || err == NULL || err->status == status);
    }
    keep_answers(g, &ex, places, status != PGC_OK && g->conn->lost);
    exchange_done(&ex);
    return status;
}

/* A query alone, as most are, that needs no preparation. */
static pgc_status send_single(group *g, const statement *known, int64_t timeout_us, pgc_error *err)
{
    group_item *item = &g->items[0];
    const run_item one = { item->query, item->args };
    single_answer got;
    pgc_status status = single_run(g->conn, &one, known, timeout_us, &got, err);
    g->sent = got.sent;
    g->stale = got.stale;
    item->answer = got.answer;
    item->ok = status == PGC_OK;
    judge_answer(item, g->conn->pq, status != PGC_OK && g->conn->lost);
    return status;
}

static pgc_status send_and_settle(group *g, int64_t timeout_us, pgc_error *err)
{
    const statement *known = NULL;
    return g->count == 1 && single_ready(g->conn, g->items[0].query, &known)
               ? send_single(g, known, timeout_us, err)
               : send_pipeline(g, timeout_us, err);
}

/* Outdated statements fail before they have an effect, and the implicit transaction undid what ran
 * before them. */
static pgc_status run_again(group *g, int64_t timeout_us, uint32_t *attempts_out, pgc_error *err)
{
    bool idle = g->again && pgc_conn_tx_state(g->conn) == PGC_TX_IDLE;
    pgc_status status = send_and_settle(g, timeout_us, err);
    if (status != PGC_OK && g->stale && idle && pgc_conn_tx_state(g->conn) == PGC_TX_IDLE) {
        hooks_retry(&g->conn->hooks,
                    (pgc_retry_event) { .kind = PGC_RETRY_STALE,
                                        .name = g->items[g->main].query->name,
                                        .attempt = (*attempts_out)++,
                                        .status = status },
                    err);
        pgc_error_clear(err);
        group_reset(g);
        status = send_and_settle(g, timeout_us, err);
    }
    return status;
}

/* One operation for the listener, whatever travels with the query. */
static pgc_status run_watched(group *g, int64_t timeout_us, pgc_error *err)
{
    pgc_error ours;
    query_watch watch;
    err = err != NULL ? err : &ours;
    watch_begin(&watch, g->conn, g->items[g->main].query);
    pgc_status status = run_again(g, timeout_us, &watch.event.attempt, err);
    watch_answer(&watch, g->items[g->main].answer);
    watch_end(&watch, status, err);
    return status;
}

/* Arguments are checked for all before anything is sent for one. */
pgc_status group_run(group *g, int64_t timeout_us, pgc_error *err)
{
    assert(g->main < g->count);
    for (size_t i = 0; i < g->count; i++) {
        assert(g->items[i].answer == NULL);
        TRY(args_check(g->items[i].args, g->items[i].query, err));
    }
    uint32_t attempts = 1;
    return g->conn->watched ? run_watched(g, timeout_us, err)
                            : run_again(g, timeout_us, &attempts, err);
}

/* The query that the items are about: the last one that is not there for its context only. */
static size_t main_of(const run_item *items, size_t count)
{
    size_t at = count - 1;
    while (at > 0 && (items[at].query->flags & RUN_QUERY_CONTEXT) != 0) {
        at--;
    }
    return at;
}

pgc_status conn_run_group(pgc_conn *conn, const run_item *items, size_t count, PGresult **last_out,
                          pgc_error *err)
{
    group g;
    assert(count > 0);
    assert(count <= RUN_GROUP_MAX);
    group_init(&g, conn);
    for (size_t i = 0; i < count; i++) {
        (void) group_add(&g, items[i].query, items[i].args);
    }
    g.main = main_of(items, count);
    g.again = true;
    pgc_status status = group_run(&g, conn->call_timeout_us, err);
    if (status == PGC_OK && last_out != NULL) {
        *last_out = group_take(&g, count - 1);
    }
    group_done(&g);
    return status;
}

PGresult *group_take(group *g, size_t index)
{
    assert(index < g->count);
    return TAKE(g->items[index].answer);
}

/* The first row has that column. */
static bool has_cell(const group *g, size_t index, int column)
{
    assert(index < g->count);
    const pq_ops *pq = g->conn->pq;
    const PGresult *answer = g->items[index].answer;
    return answer != NULL && pq->resultStatus(answer) == PGRES_TUPLES_OK &&
           pq->ntuples(answer) > 0 && pq->nfields(answer) > column;
}

/* All results come in binary. */
bool group_u64(const group *g, size_t index, int column, uint64_t *out)
{
    const pq_ops *pq = g->conn->pq;
    const PGresult *answer = g->items[index].answer;
    if (!has_cell(g, index, column) || pq->getlength(answer, 0, column) != 8) {
        return false;
    }
    *out = wire_u64((const uint8_t *) pq->getvalue(answer, 0, column));
    return true;
}

bool group_bool(const group *g, size_t index, int column)
{
    const pq_ops *pq = g->conn->pq;
    const PGresult *answer = g->items[index].answer;
    return has_cell(g, index, column) && pq->getlength(answer, 0, column) == 1 &&
           pq->getvalue(answer, 0, column)[0] != 0;
}

bool group_null(const group *g, size_t index, int column)
{
    return !has_cell(g, index, column) ||
           g->conn->pq->getisnull(g->items[index].answer, 0, column) != 0;
}

void group_reset(group *g)
{
    for (size_t i = 0; i < g->count; i++) {
        group_item *item = &g->items[i];
        g->conn->pq->clear(TAKE(item->answer));
        item->ok = item->refused = false;
    }
    g->sent = g->stale = false;
}

void group_done(group *g)
{
    group_reset(g);
    g->count = g->main = 0;
}
