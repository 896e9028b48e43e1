/* Typed queries on one connection: named statements prepared at first use in the same round trip,
 * checked against their descriptor, prepared again when they went stale. The server's transaction
 * status is the only truth about transactions. One thread per connection. */
#include "base/prelude.h"

#include "pgc/run.h"

#include "pgc/args.h"
#include "pgc/failure.h"
#include "pgc/result.h"
#include "pgc/shape.h"
#include "pgc/watch.h"

#define DEALLOCATE_MAX 32 /* per exchange; the rest waits for the next */

void run_queue_deallocate(exchange *ex)
{
    pgc_conn *conn = ex->call.conn;
    const query_params none = { .count = 0 };
    if (conn->statements.reset && ex->status == PGC_OK) {
        (void) exchange_text(ex, "DEALLOCATE ALL", &none);
        (void) exchange_sync(ex);
        conn->statements.reset = false;
    }
    for (int i = 0; i < DEALLOCATE_MAX && ex->status == PGC_OK; i++) {
        statement *old = statement_take_doomed(&conn->statements);
        if (old == NULL) {
            return;
        }
        /* A name of our own making. Its own group: when the server has forgotten the statement as
         * well, that error concerns nobody. */
        char sql[STATEMENT_NAME_SIZE + 16];
        (void) snprintf(sql, sizeof sql, "DEALLOCATE %s", old->name);
        (void) exchange_text(ex, sql, &none);
        (void) exchange_sync(ex);
        mem_free(conn->alloc, old, sizeof *old);
    }
}

/* The statement to use; NULL: run without a name. */
static statement *statement_for(pgc_conn *conn, const pgc_query *query)
{
    if (conn->unnamed || (query->flags & PGC_QUERY_UNNAMED) != 0) {
        return NULL;
    }
    statement *found = statement_find(&conn->statements, query);
    return found != NULL ? found : statement_add(&conn->statements, query);
}

/* Built-in types are told to the server; it works out the others. */
static bool fill_types(const pgc_query *query, Oid *types)
{
    bool all_known = true;
    for (size_t i = 0; i < query->param_count; i++) {
        types[i] = query->params == NULL ? 0 : query->params[i].oid;
        all_known = all_known && types[i] != 0;
    }
    return all_known;
}

/* Prepare, describe and execute are queued together: the first use of a statement costs no extra
 * round trip. When preparing fails, the server skips the rest of the group by itself. */
void run_queue(exchange *ex, const pgc_query *query, const char *const *values,
               const int32_t *lengths, queued *out)
{
    Oid types[PGC_ARGS_MAX];
    assert(query->param_count <= PGC_ARGS_MAX);
    bool all_known = fill_types(query, types);
    const query_params params = { query->param_count, types, values, lengths };
    *out = (queued) { .query = query };
    statement *named = ex->status == PGC_OK ? statement_for(ex->call.conn, query) : NULL;
    if (named == NULL) {
        out->at = exchange_text(ex, query->sql, &params);
        return;
    }
    out->named = true;
    /* Not ready but known: its Prepare stands further ahead in this exchange. */
    if (!named->ready && !named->queued) {
        named->queued = true;
        out->prepared = true;
        out->prepare = exchange_prepare(ex, named->name, query->sql, types, params.count);
        if (!all_known) {
            out->described = true;
            out->describe = exchange_describe(ex, named->name);
        }
    }
    out->at = exchange_named(ex, named->name, &params);
}

/* Prepare and Describe succeed with this status and no rows. */
static bool step_ok(const exchange *ex, size_t index)
{
    const step *of = &ex->steps[index];
    return !of->aborted && of->result != NULL &&
           ex->call.conn->pq->resultStatus(of->result) == PGRES_COMMAND_OK;
}

/* 42P05: a statement of that name exists already, made by someone before us. */
static bool name_exists(const exchange *ex, size_t index)
{
    return strcmp(failure_sqlstate(ex->call.conn->pq, ex->steps[index].result), "42P05") == 0;
}

/* Bring the cache in line with what the server did. True when the statement was outdated and may
 * be run again. */
bool run_settle(exchange *ex, const queued *of)
{
    pgc_conn *conn = ex->call.conn;
    assert(of->at < ex->count);
    assert(!of->prepared || of->prepare < of->at);
    if (!of->named) {
        return false;
    }
    const PGresult *answer = ex->steps[of->at].result;
    if ((answer != NULL && failure_is_stale(conn->pq, answer)) ||
        (of->prepared && name_exists(ex, of->prepare))) {
        /* Where one is outdated others will be: a DDL or DEALLOCATE ALL hits many. */
        statement_forget_all(&conn->statements);
        return true;
    }
    statement *named = of->prepared ? statement_find(&conn->statements, of->query) : NULL;
    if (named != NULL) {
        named->queued = false;
        named->ready = step_ok(ex, of->prepare);
        if (!named->ready) {
            statement_drop(&conn->statements, named);
        }
    }
    return false;
}

/* Once per statement and descriptor; at every call for queries that run without a name. */
static pgc_status check_shape(exchange *ex, const queued *of, pgc_error *err)
{
    pgc_conn *conn = ex->call.conn;
    statement *named = of->named ? statement_find(&conn->statements, of->query) : NULL;
    if (named != NULL && named->checked == of->query) {
        return PGC_OK;
    }
    if (pgc_conn_tx_state(conn) == PGC_TX_FAILED) {
        return PGC_OK; /* the server answers no questions about types now */
    }
    pgc_status status = shape_check_columns(conn, of->query, ex->steps[of->at].result, err);
    if (status == PGC_OK && of->described) {
        status = shape_check_params(conn, of->query, ex->steps[of->describe].result, err);
    }
    if (named != NULL && status == PGC_OK) {
        named->checked = of->query;
    } else if (named != NULL) {
        statement_drop(&conn->statements, named); /* described anew at the next use */
    }
    return status;
}

/* The first failure in the order of the messages is the cause of those behind it. */
pgc_status run_status(exchange *ex, const queued *of, pgc_error *err)
{
    char what[80];
    (void) snprintf(what, sizeof what, "query %s", of->query->name);
    pgc_status status = PGC_OK;
    if (of->prepared) {
        status = exchange_status(ex, of->prepare, what, err);
    }
    if (status == PGC_OK && of->described) {
        status = exchange_status(ex, of->describe, what, err);
    }
    if (status == PGC_OK) {
        status = exchange_status(ex, of->at, what, err);
    }
    if (status == PGC_OK) {
        status = check_shape(ex, of, err);
    }
    if (status != PGC_OK && err != NULL) {
        (void) snprintf(err->query, sizeof err->query, "%s", of->query->name);
    }
    return status;
}

/* One try of a group. *stale_out: the failure is that of an outdated statement. */
static pgc_status group_once(pgc_conn *conn, const run_item *items, size_t count,
                             PGresult **last_out, bool *stale_out, pgc_error *err)
{
    queued queue[RUN_GROUP_MAX];
    exchange ex;
    exchange_begin(&ex, conn, conn->call_timeout_us, err);
    if (ex.status == PGC_OK && pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        run_queue_deallocate(&ex);
    }
    for (size_t i = 0; i < count; i++) {
        const pgc_args *args = items[i].args;
        run_queue(&ex, items[i].query, args == NULL ? NULL : args->values,
                  args == NULL ? NULL : args->lengths, &queue[i]);
    }
    size_t sync = exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, false);
    for (size_t i = 0; i < count && status == PGC_OK; i++) {
        *stale_out = run_settle(&ex, &queue[i]) || *stale_out;
    }
    for (size_t i = 0; i < count && status == PGC_OK; i++) {
        status = run_status(&ex, &queue[i], err);
    }
    if (status == PGC_OK) {
        /* What only fails at commit, such as a deferred constraint. */
        status = exchange_status(&ex, sync, items[count - 1].query->name, err);
    }
    if (status == PGC_OK && last_out != NULL) {
        *last_out = exchange_take(&ex, queue[count - 1].at);
    }
    exchange_done(&ex);
    return status;
}

/* The query that the group is about: the last one that is not there for its context only. */
static const pgc_query *group_main(const run_item *items, size_t count)
{
    size_t at = count - 1;
    while (at > 0 && (items[at].query->flags & RUN_QUERY_CONTEXT) != 0) {
        at--;
    }
    return items[at].query;
}

/* Outdated statements are met here, and nowhere else on a connection. */
static pgc_status group_again(pgc_conn *conn, const run_item *items, size_t count,
                              PGresult **last_out, uint32_t *attempts_out, pgc_error *err)
{
    bool idle = pgc_conn_tx_state(conn) == PGC_TX_IDLE;
    bool stale = false;
    pgc_status status = group_once(conn, items, count, last_out, &stale, err);
    /* Outdated statements fail before they have an effect, and the implicit transaction undid what
     * ran before them. */
    if (status != PGC_OK && stale && idle && pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        stale = false;
        hooks_retry(&conn->hooks,
                    (pgc_retry_event) { .kind = PGC_RETRY_STALE,
                                        .name = group_main(items, count)->name,
                                        .attempt = (*attempts_out)++,
                                        .status = status },
                    err);
        pgc_error_clear(err);
        status = group_once(conn, items, count, last_out, &stale, err);
    }
    return status;
}

/* One operation for the listener, whatever travels with the query. */
static pgc_status group_watched(pgc_conn *conn, const run_item *items, size_t count,
                                PGresult **last_out, pgc_error *err)
{
    pgc_error ours;
    query_watch watch;
    PGresult *answer = NULL;
    err = err != NULL ? err : &ours;
    watch_begin(&watch, conn, group_main(items, count));
    pgc_status status = group_again(conn, items, count, &answer, &watch.event.attempt, err);
    watch_answer(&watch, answer);
    watch_end(&watch, status, err);
    if (last_out != NULL && status == PGC_OK) {
        *last_out = TAKE(answer);
    }
    conn->pq->clear(answer);
    return status;
}

/* Arguments are checked for all before anything is sent for one. */
pgc_status conn_run_group(pgc_conn *conn, const run_item *items, size_t count, PGresult **last_out,
                          pgc_error *err)
{
    assert(count > 0);
    assert(count <= RUN_GROUP_MAX);
    for (size_t i = 0; i < count; i++) {
        TRY(args_check(items[i].args, items[i].query, err));
    }
    if (conn->watched) {
        return group_watched(conn, items, count, last_out, err);
    }
    uint32_t attempts = 1;
    return group_again(conn, items, count, last_out, &attempts, err);
}

/* The answer carries the rows; nothing of the connection is needed to read them. */
pgc_status conn_run(pgc_conn *conn, const pgc_query *query, const pgc_args *args, pgc_result **out,
                    pgc_error *err)
{
    const run_item item = { query, args };
    PGresult *answer = NULL;
    TRY(conn_run_group(conn, &item, 1, &answer, err));
    if (out == NULL) {
        conn->pq->clear(answer);
        return PGC_OK;
    }
    return result_new(conn->pq, answer, conn->alloc, query, out, err);
}

/* What pgc_conn_db() leads to. */
pgc_status conn_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args, pgc_result **out,
                       pgc_error *err)
{
    return conn_run(CONTAINER_OF(db, pgc_conn, db), query, args, out, err);
}

/* One indirect call: pool, scope, transaction and connection look the same to generated code. */
pgc_status pgc_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args, pgc_result **out,
                      pgc_error *err)
{
    if (db == NULL || db->ops == NULL || query == NULL) {
        return pgc_error_set(err, PGC_INVALID, "run: no handle or no query");
    }
    return db->ops->run(db, query, args, out, err);
}
