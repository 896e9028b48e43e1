/* What answers teach about statements: prepared now, outdated, of the expected shape. A statement
 * that is outdated is forgotten with all others of its connection, and the schema epoch tells the
 * pool's other connections. One thread per connection; the epoch is shared and atomic. */
#include "base/prelude.h"

#include "pgc/run.h"

#include "pgc/dirty.h"
#include "pgc/failure.h"
#include "pgc/shape.h"

bool run_named(const pgc_conn *conn, const pgc_query *query)
{
    return !conn->unnamed && (query->flags & PGC_QUERY_UNNAMED) == 0;
}

/* Statements without a name are remembered for their columns only; control statements, whose texts
 * may be many, have none. */
static bool remembered(const pgc_conn *conn, const pgc_query *query)
{
    return run_named(conn, query) || query->column_count > 0;
}

static statement *known_of(pgc_conn *conn, const pgc_query *query)
{
    return remembered(conn, query) ? statement_find(&conn->statements, query) : NULL;
}

statement *run_recall(pgc_conn *conn, const pgc_query *query)
{
    statement *found = known_of(conn, query);
    return found != NULL || !remembered(conn, query) ? found
                                                     : statement_add(&conn->statements, query);
}

/* libpq knows one format for the whole row only. */
bool run_as_text(const pgc_query *query, const statement *known)
{
    return (query->flags & PGC_QUERY_TEXT_ROWS) != 0 || (known != NULL && known->text_rows);
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

/* Types whose OIDs differ between databases: those of extensions and of users. */
static bool has_own_types(const pgc_query *query)
{
    for (size_t i = 0; query->params != NULL && i < query->param_count; i++) {
        if (query->params[i].oid == 0) {
            return true;
        }
    }
    for (size_t i = 0; query->columns != NULL && i < query->column_count; i++) {
        if (query->columns[i].oid == 0) {
            return true;
        }
    }
    return false;
}

/* The answer says that the statement of an earlier exchange no longer fits. A type that was dropped
 * and made again, as by DROP and CREATE EXTENSION, shows as an internal error: "cache lookup failed
 * for type". */
static bool is_outdated(const pgc_conn *conn, const pgc_query *query, const PGresult *answer)
{
    if (answer == NULL) {
        return false;
    }
    if (failure_is_stale(conn->pq, answer)) {
        return true;
    }
    const char *sqlstate = failure_sqlstate(conn->pq, answer);
    return (strcmp(sqlstate, "XX000") == 0 || strcmp(sqlstate, "42704") == 0) &&
           has_own_types(query);
}

/* Tell the others, but once: those who meet the same change do not count it again. */
static void epoch_bump(pgc_conn *conn)
{
    uint32_t seen = conn->seen_epoch;
    if (atomic_compare_exchange_strong(conn->schema_epoch, &seen, seen + 1)) {
        conn->seen_epoch = seen + 1;
    }
}

/* Where one is outdated others will be: a DDL or DEALLOCATE ALL hits many. A statement that is
 * merely gone says nothing about the schema. */
static void forget(pgc_conn *conn, const PGresult *answer)
{
    statement_forget_all(&conn->statements);
    if (answer != NULL && strcmp(failure_sqlstate(conn->pq, answer), "26000") != 0) {
        typemap_done(&conn->types);
        epoch_bump(conn);
    }
}

/* The routine tells it apart from other missing functions. */
static bool lacks_binary(const pgc_conn *conn, const PGresult *answer)
{
    if (answer == NULL || strcmp(failure_sqlstate(conn->pq, answer), "42883") != 0) {
        return false;
    }
    const char *routine = conn->pq->resultErrorField(answer, PG_DIAG_SOURCE_FUNCTION);
    return routine != NULL && strcmp(routine, "getTypeBinaryOutputInfo") == 0;
}

/* Learn from the answer of a query: true when running it again may succeed. */
bool run_learn(pgc_conn *conn, const pgc_query *query, bool was_ready, const PGresult *answer)
{
    if (was_ready && is_outdated(conn, query, answer)) {
        forget(conn, answer);
        return true;
    }
    statement *known = lacks_binary(conn, answer) ? known_of(conn, query) : NULL;
    if (known == NULL || known->text_rows) {
        return false;
    }
    known->text_rows = true;
    return true;
}

/* Bring the cache in line with what the server did. True when the statement was outdated and may
 * be run again. */
bool run_settle(exchange *ex, const queued *of)
{
    pgc_conn *conn = ex->call.conn;
    assert(of->at < ex->count);
    assert(!of->prepared || of->prepare < of->at);
    statement *known = of->named && of->prepared ? known_of(conn, of->query) : NULL;
    dirty_note(conn, of->query, ex->steps[of->at].result);
    if (known != NULL) {
        known->queued = false;
        known->ready = step_ok(ex, of->prepare);
        if (!known->ready) {
            statement_drop(&conn->statements, known);
        }
    }
    if (of->named && of->prepared && name_exists(ex, of->prepare)) {
        forget(conn, NULL);
        return true;
    }
    return run_learn(conn, of->query, of->named && !of->prepared, ex->steps[of->at].result);
}

/* Descriptors without columns have nothing to compare. */
bool run_checked(const statement *known, const pgc_query *query)
{
    return query->column_count == 0 ||
           (known->checked == query->columns && known->checked_count == query->column_count);
}

/* Parameters were only described when the server had to work out a type. */
static pgc_status compare(exchange *ex, const queued *of, pgc_error *err)
{
    pgc_conn *conn = ex->call.conn;
    pgc_status status = shape_check_columns(conn, of->query, ex->steps[of->at].result, err);
    if (status == PGC_OK && of->described) {
        status = shape_check_params(conn, of->query, ex->steps[of->describe].result, err);
    }
    return status;
}

/* Once per statement and descriptor; at every call for those that could not be remembered. */
static pgc_status check_shape(exchange *ex, const queued *of, pgc_error *err)
{
    pgc_conn *conn = ex->call.conn;
    statement *known = known_of(conn, of->query);
    if (known != NULL && !of->described && run_checked(known, of->query)) {
        return PGC_OK;
    }
    if (pgc_conn_tx_state(conn) == PGC_TX_FAILED) {
        return PGC_OK; /* the server answers no questions about types now */
    }
    /* Names that were learned before a type was renamed, or dropped and made again, are asked
     * again before the tables are blamed. */
    bool had_names = conn->types.count > 0;
    pgc_status status = compare(ex, of, err);
    if (status == PGC_SCHEMA && had_names) {
        typemap_done(&conn->types);
        pgc_error_clear(err);
        status = compare(ex, of, err);
    }
    /* What the server has done and committed is not called failed because the names of its types
     * could not be held: readers check those types themselves. */
    bool unseen = status == PGC_NOMEM && pgc_conn_tx_state(conn) == PGC_TX_IDLE &&
                  (of->query->flags & PGC_QUERY_READ_ONLY) == 0;
    if (known != NULL && status == PGC_OK) {
        known->checked = of->query->columns;
        known->checked_count = of->query->column_count;
    } else if (known != NULL) {
        statement_drop(&conn->statements, known); /* described anew at the next use */
    }
    if (unseen) {
        pgc_error_clear(err);
        return PGC_OK;
    }
    return status;
}

/* An outdated statement in a transaction has failed it as a conflict with another session would:
 * the whole of it is to be run again, with a statement that is prepared anew then. */
static pgc_status as_conflict(pgc_error *err)
{
    if (err != NULL) {
        err->status = PGC_CONFLICT;
        err->retry = true;
        pgc_error_hint(err, "the statement is prepared anew: run the whole transaction again; "
                            "behind a transaction pooler set unnamed_statements");
    }
    return PGC_CONFLICT;
}

pgc_status run_failed(const call_state *call, const pgc_query *query, bool was_ready,
                      const PGresult *answer, pgc_error *err)
{
    char what[80];
    (void) snprintf(what, sizeof what, "query %s", query->name);
    pgc_status status = answer_status(call, answer, what, err);
    assert(status != PGC_OK);
    const pgc_conn *conn = call->conn;
    if ((was_ready && is_outdated(conn, query, answer)) || lacks_binary(conn, answer)) {
        status = as_conflict(err);
    }
    return status;
}

/* The first failure in the order of the messages is the cause of those behind it. */
static pgc_status steps_status(const exchange *ex, const queued *of, pgc_error *err)
{
    const pq_ops *pq = ex->call.conn->pq;
    const size_t order[] = { of->prepare, of->describe, of->at };
    const bool there[] = { of->prepared, of->described, true };
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        const step *one = &ex->steps[order[i]];
        if (!there[i]) {
            continue;
        }
        if (one->aborted) {
            char what[80];
            (void) snprintf(what, sizeof what, "query %s", of->query->name);
            return exchange_status(ex, order[i], what, err);
        }
        if (one->result != NULL && pq->resultStatus(one->result) == PGRES_FATAL_ERROR) {
            pgc_status status =
                run_failed(&ex->call, of->query, of->named && !of->prepared, one->result, err);
            return one->kind == STEP_PREPARE && name_exists(ex, order[i]) ? as_conflict(err)
                                                                          : status;
        }
    }
    return PGC_OK;
}

pgc_status run_status(exchange *ex, const queued *of, pgc_error *err)
{
    pgc_status status = steps_status(ex, of, err);
    if (status == PGC_OK) {
        status = check_shape(ex, of, err);
    }
    if (status != PGC_OK && err != NULL) {
        (void) snprintf(err->query, sizeof err->query, "%s", of->query->name);
    }
    return status;
}
