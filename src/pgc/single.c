/* One query that needs no preparation. Outside of pipeline mode libpq makes one answer less per
 * query (that of the sync), which shows in a point read; everything else goes through an exchange.
 * One thread per connection. */
#include "base/prelude.h"

#include "pgc/single.h"

#include "pgc/dirty.h"

/* Statements to drop, a schema that changed, a first use: those need more messages. */
bool single_ready(pgc_conn *conn, const pgc_query *query, const statement **known_out)
{
    if (statement_cache_dirty(&conn->statements) ||
        atomic_load_explicit(conn->schema_epoch, memory_order_relaxed) != conn->seen_epoch) {
        return false;
    }
    const statement *known = run_recall(conn, query);
    if (run_named(conn, query) && (known == NULL || !known->ready)) {
        return false;
    }
    if (query->column_count > 0 && (known == NULL || !run_checked(known, query))) {
        return false;
    }
    *known_out = known;
    return true;
}

/* libpq hands the message to the socket at once; what did not fit goes out while waiting. */
static int send_query(pgc_conn *conn, const run_item *item, const statement *known)
{
    const pgc_query *query = item->query;
    const pgc_args *args = item->args;
    const char *const *values = args == NULL ? NULL : args->values;
    const int32_t *lengths = args == NULL ? NULL : args->lengths;
    int format = run_as_text(query, known) ? 0 : 1;
    conn->dirty |= dirty_declared(query);
    if (run_named(conn, query)) {
        assert(known->ready);
        return conn->pq->sendQueryPrepared(conn->pg, known->name, query->param_count, values,
                                           lengths, EXCHANGE_ALL_BINARY, format);
    }
    Oid types[PGC_ARGS_MAX];
    for (size_t i = 0; i < query->param_count; i++) {
        types[i] = query->params == NULL ? 0 : query->params[i].oid;
    }
    return conn->pq->sendQueryParams(conn->pg, query->sql, query->param_count, types, values,
                                     lengths, EXCHANGE_ALL_BINARY, format);
}

/* Up to the end mark: only then is the connection free. An error that comes behind the rows, such
 * as a deferred constraint at the commit, replaces them. */
static pgc_status read_answer(call_state *call, PGresult **answer_out, pgc_error *err)
{
    pgc_conn *conn = call->conn;
    for (;;) {
        PGresult *next = NULL;
        TRY(call_next(call, &next, err));
        if (next == NULL) {
            return PGC_OK;
        }
        conn->pq->clear(*answer_out);
        *answer_out = next;
        conn->bloated = conn->bloated || conn->pq->resultMemorySize(next) > conn->recycle_bytes;
        TRY(answer_check(call, next, err));
    }
}

/* No answer at all is what libpq gives when the stream ended without a word. */
static pgc_status judge(call_state *call, const run_item *item, const PGresult *answer,
                        bool *stale_out, pgc_error *err)
{
    pgc_conn *conn = call->conn;
    if (answer == NULL) {
        return conn_lose(conn, "read", err);
    }
    if (conn->pq->resultStatus(answer) != PGRES_FATAL_ERROR) {
        dirty_note(conn, item->query, answer);
        return PGC_OK;
    }
    bool named = run_named(conn, item->query);
    *stale_out = run_learn(conn, item->query, named, answer);
    pgc_status status = run_failed(call, item->query, named, answer, err);
    if (err != NULL) {
        (void) snprintf(err->query, sizeof err->query, "%s", item->query->name);
    }
    return status;
}

/* Also the answer to a query whose connection was lost behind it is kept: it is true. */
pgc_status single_run(pgc_conn *conn, const run_item *item, const statement *known,
                      int64_t timeout_us, single_answer *out, pgc_error *err)
{
    const pq_ops *pq = conn->pq;
    call_state call;
    *out = (single_answer) { .answer = NULL };
    TRY(call_begin(&call, conn, timeout_us, err));
    pgc_status status;
    if (pq->pipelineStatus(conn->pg) != PQ_PIPELINE_OFF && pq->exitPipelineMode(conn->pg) == 0) {
        status = conn_lose(conn, "leave pipeline mode", err);
    } else {
        out->sent = true;
        status = send_query(conn, item, known) == 0 ? conn_send_failed(conn, "send", err)
                                                    : read_answer(&call, &out->answer, err);
    }
    call_end(&call);
    if (status != PGC_OK) {
        conn_last_words(conn, err);
        return status;
    }
    return judge(&call, item, out->answer, &out->stale, err);
}
