/* Typed queries on one connection: named statements prepared at first use in the same round trip,
 * run again when they went stale (settle.c notices). The server's transaction
 * status is the only truth about transactions. One thread per connection. */
#include "base/prelude.h"

#include "pgc/run.h"

#include "pgc/args.h"
#include "pgc/dirty.h"
#include "pgc/result.h"

#define DEALLOCATE_MAX 32 /* per exchange; the rest waits for the next */

/* Somebody noticed that the schema changed: what was checked before may no longer be true. Others'
 * statements are prepared again lazily instead of failing one by one. */
static void follow_epoch(pgc_conn *conn)
{
    uint32_t epoch = atomic_load_explicit(conn->schema_epoch, memory_order_relaxed);
    if (epoch != conn->seen_epoch) {
        conn->seen_epoch = epoch;
        statement_forget_all(&conn->statements);
        typemap_done(&conn->types);
    }
}

/* One text per statement, and a group of its own: when the server has forgotten it as well, that
 * error concerns nobody. The name is of our own making. */
static void queue_drop(exchange *ex, const statement *old)
{
    const query_params none = { .count = 0 };
    if (ex->call.conn->pq->sendClosePrepared != NULL) {
        (void) exchange_close(ex, old->name);
        return;
    }
    char sql[STATEMENT_NAME_SIZE + 16];
    (void) snprintf(sql, sizeof sql, "DEALLOCATE %s", old->name);
    (void) exchange_text(ex, sql, &none);
    (void) exchange_sync(ex);
}

/* A Close is no part of a transaction. A DEALLOCATE of what is gone fails the one that is open. */
static bool may_drop(const pgc_conn *conn)
{
    return pgc_conn_tx_state(conn) == PGC_TX_IDLE ||
           (conn->pq->sendClosePrepared != NULL && !conn->statements.reset);
}

void run_queue_deallocate(exchange *ex)
{
    pgc_conn *conn = ex->call.conn;
    const query_params none = { .count = 0 };
    follow_epoch(conn);
    if (ex->status != PGC_OK || !statement_cache_dirty(&conn->statements) || !may_drop(conn)) {
        return;
    }
    if (conn->statements.reset) {
        if (!conn->unnamed) {
            (void) exchange_text(ex, "DEALLOCATE ALL", &none);
            (void) exchange_sync(ex);
        }
        conn->statements.reset = false;
    }
    for (int i = 0; i < DEALLOCATE_MAX && ex->status == PGC_OK; i++) {
        statement *old = statement_take_doomed(&conn->statements);
        if (old == NULL) {
            return;
        }
        queue_drop(ex, old);
        statement_free(&conn->statements, old);
    }
}

/* Where all transactions are opened by scripts no exchange of queries begins outside of one. */
pgc_status run_drop_before(pgc_conn *conn, int64_t timeout_us, pgc_error *err)
{
    pgc_status status = PGC_OK;
    while (status == PGC_OK && statement_cache_dirty(&conn->statements) &&
           pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        exchange ex;
        exchange_begin(&ex, conn, timeout_us, err);
        run_queue_deallocate(&ex);
        (void) exchange_sync(&ex);
        status = exchange_finish(&ex, false);
        exchange_done(&ex);
    }
    return status;
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
    pgc_conn *conn = ex->call.conn;
    *out = (queued) { .query = query };
    conn->dirty |= dirty_declared(query);
    statement *known = ex->status == PGC_OK ? run_recall(conn, query) : NULL;
    const query_params params = { query->param_count, types, values, lengths,
                                  run_as_text(query, known) };
    if (known == NULL || !run_named(conn, query)) {
        out->at = exchange_text(ex, query->sql, &params);
        return;
    }
    out->named = true;
    /* Not ready but known: its Prepare stands further ahead in this exchange. */
    if (!known->ready && !known->queued) {
        known->queued = true;
        out->prepared = true;
        out->prepare = exchange_prepare(ex, known->name, query->sql, types, params.count);
        if (!all_known) {
            out->described = true;
            out->describe = exchange_describe(ex, known->name);
        }
    }
    out->at = exchange_named(ex, known->name, &params);
}

static bool is_prepared(pgc_conn *conn, const pgc_query *query, const statement *known)
{
    if (run_named(conn, query) && (known == NULL || !known->ready)) {
        return false;
    }
    return query->column_count == 0 || (known != NULL && run_checked(known, query));
}

bool run_ready(pgc_conn *conn, const pgc_query *query)
{
    return atomic_load_explicit(conn->schema_epoch, memory_order_relaxed) == conn->seen_epoch &&
           is_prepared(conn, query, run_recall(conn, query));
}

/* Queue what run_prepare() asks for; the Describe stands for the query. A statement that cannot be
 * kept is looked at under no name. */
static void queue_prepare(exchange *ex, const pgc_query *query, queued *out)
{
    Oid types[PGC_ARGS_MAX];
    bool all_known = fill_types(query, types);
    pgc_conn *conn = ex->call.conn;
    statement *known = run_named(conn, query) ? run_recall(conn, query) : NULL;
    const char *name = known == NULL ? "" : known->name;
    *out = (queued) { .query = query, .named = known != NULL, .described = !all_known };
    out->prepared = known == NULL || !known->ready;
    if (out->prepared) {
        out->prepare = exchange_prepare(ex, name, query->sql, types, query->param_count);
    }
    out->at = out->describe = exchange_describe(ex, name);
    if (known != NULL && out->prepared) {
        known->queued = true;
    }
}

static pgc_status prepare_once(pgc_conn *conn, const run_item *context, size_t context_count,
                               const pgc_query *query, bool *stale_out, pgc_error *err)
{
    queued queue[RUN_GROUP_MAX];
    exchange ex;
    assert(context_count < RUN_GROUP_MAX);
    exchange_begin(&ex, conn, conn->call_timeout_us, err);
    run_queue_deallocate(&ex);
    for (size_t i = 0; i < context_count; i++) {
        const pgc_args *args = context[i].args;
        run_queue(&ex, context[i].query, args == NULL ? NULL : args->values,
                  args == NULL ? NULL : args->lengths, &queue[i]);
    }
    queue_prepare(&ex, query, &queue[context_count]);
    (void) exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, false);
    for (size_t i = 0; i <= context_count && status == PGC_OK; i++) {
        *stale_out = run_settle(&ex, &queue[i]) || *stale_out;
    }
    for (size_t i = 0; i <= context_count && status == PGC_OK; i++) {
        status = run_status(&ex, &queue[i], err);
    }
    exchange_done(&ex);
    return status;
}

pgc_status run_prepare(pgc_conn *conn, const run_item *context, size_t context_count,
                       const pgc_query *query, pgc_error *err)
{
    follow_epoch(conn);
    pgc_tx_state state = pgc_conn_tx_state(conn);
    if (is_prepared(conn, query, run_recall(conn, query)) || state == PGC_TX_FAILED) {
        return PGC_OK;
    }
    bool stale = false;
    pgc_status status = prepare_once(conn, context, context_count, query, &stale, err);
    if (status != PGC_OK && stale && state == PGC_TX_IDLE &&
        pgc_conn_tx_state(conn) == PGC_TX_IDLE) {
        pgc_error_clear(err);
        status = prepare_once(conn, context, context_count, query, &stale, err);
    }
    return status;
}

/* The answer carries the rows; nothing of the connection is needed to read them. The columns of a
 * named statement were compared at its first use, and the server refuses to change them. */
static pgc_status result_in(const pgc_conn *conn, const pgc_query *query, PGresult *answer,
                            pgc_result **room, pgc_error *err)
{
    return run_named(conn, query) ? result_wrap_in(conn->pq, answer, conn->alloc, query, room, err)
                                  : result_new_in(conn->pq, answer, conn->alloc, query, room, err);
}

pgc_status run_result(const pgc_conn *conn, const pgc_query *query, PGresult *answer,
                      pgc_result **out, pgc_error *err)
{
    if (out == NULL) {
        conn->pq->clear(answer);
        return PGC_OK;
    }
    pgc_result *result = NULL;
    TRY(result_in(conn, query, answer, &result, err));
    *out = result;
    return PGC_OK;
}

pgc_status conn_run(pgc_conn *conn, const pgc_query *query, const pgc_args *args, pgc_result **out,
                    pgc_error *err)
{
    const run_item item = { query, args };
    PGresult *answer = NULL;
    AUTO(result_auto) pgc_result *room = NULL;
    if (out == NULL) {
        return conn_run_group(conn, &item, 1, NULL, err);
    }
    TRY(result_reserve(conn->pq, conn->alloc, query, &room, err));
    TRY(conn_run_group(conn, &item, 1, &answer, err));
    TRY(result_in(conn, query, answer, &room, err));
    *out = TAKE(room);
    return PGC_OK;
}

/* What pgc_conn_db() leads to. */
pgc_status conn_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args, pgc_result **out,
                       pgc_error *err)
{
    return conn_run(CONTAINER_OF(db, pgc_conn, db), query, args, out, err);
}

/* A connection lends itself, to whoever holds it. */
pgc_status conn_db_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    pgc_conn *conn = CONTAINER_OF(db, pgc_conn, db);
    TRY(conn_check_usable(conn, err));
    *out = (pgc_loan) { .conn = conn };
    return PGC_OK;
}

/* The caller's connection stays as it is. */
void conn_db_give_back(pgc_db *db, pgc_loan *loan)
{
    (void) db;
    (void) loan;
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
