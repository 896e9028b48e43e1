/* SQL scripts by the simple protocol, for migrations and administration. Only the last statement's
 * answer is kept. One thread per connection. */
#include "base/prelude.h"

#include "pgc/connection.h"

#include <pgc/pool.h>

#include "pgc/call.h"
#include "pgc/dirty.h"
#include "pgc/failure.h"
#include "pgc/result.h"
#include "pgc/run.h"
#include "pgc/watch.h"

/* State of one script: the answer kept so far and the first failure. */
typedef struct script {
    call_state call;
    PGresult *last;
    pgc_status status;
    pgc_error *err;
} script;

/* COPY FROM STDIN ends with an error of ours, which fails the script like any other error. COPY TO
 * STDOUT has no polite end: the connection goes. */
static pgc_status refuse_copy(script *run, ExecStatusType kind)
{
    pgc_conn *conn = run->call.conn;
    if (run->status == PGC_OK) {
        run->status = pgc_error_set(run->err, PGC_UNSUPPORTED,
                                    "script: COPY from or to the client cannot be used here");
    }
    if (kind == PGRES_COPY_IN && conn->pq->putCopyEnd(conn->pg, "refused by the client") == 1) {
        return PGC_OK;
    }
    conn->lost = true;
    return PGC_UNSUPPORTED;
}

/* The first error is the cause; what follows a failed COPY is only its echo. */
static pgc_status take_error(script *run, const PGresult *result)
{
    pgc_conn *conn = run->call.conn;
    pgc_error ignored;
    pgc_error *err = run->status == PGC_OK ? run->err : &ignored;
    pgc_status status = failure_from_result(conn->pq, result, "script", err);
    if (status == PGC_CANCELLED && run->call.cancelled) {
        status = pgc_error_set(err, PGC_TIMEOUT, "script: deadline passed, cancelled by us");
        failure_outcome(err, PGC_OUTCOME_CANCELLED);
    }
    if (run->status == PGC_OK) {
        run->status = status;
    }
    dirty_note_error(conn, failure_sqlstate(conn->pq, result));
    if (failure_is_fatal(conn->pq, result) || failure_sqlstate(conn->pq, result)[0] == '\0') {
        conn->lost = true;
        return run->status;
    }
    return PGC_OK;
}

/* All answers are read, also behind an error: only then is the connection free again. */
static pgc_status read_script(script *run)
{
    pgc_conn *conn = run->call.conn;
    for (;;) {
        PGresult *result = NULL;
        TRY(call_next(&run->call, &result, run->status == PGC_OK ? run->err : NULL));
        if (result == NULL) {
            return PGC_OK;
        }
        ExecStatusType kind = conn->pq->resultStatus(result);
        pgc_status status = PGC_OK;
        if (kind == PGRES_COPY_IN || kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH) {
            status = refuse_copy(run, kind);
        } else if (kind == PGRES_FATAL_ERROR || kind == PGRES_BAD_RESPONSE) {
            status = take_error(run, result);
        } else {
            conn->pq->clear(run->last);
            run->last = TAKE(result);
        }
        conn->pq->clear(result);
        TRY(status);
    }
}

/* The simple protocol is not possible in pipeline mode, so that ends first; the next typed query
 * enters it again. */
static pgc_status run_script(pgc_conn *conn, const char *sql, int64_t timeout_us, PGresult **out,
                             pgc_error *err)
{
    script run = { .err = err };
    timeout_us = timeout_us > 0 ? timeout_us : -1;
    TRY(run_drop_before(conn, timeout_us, err));
    TRY(call_begin(&run.call, conn, timeout_us, err));
    conn->dirty |= PGC_SESSION_ALL; /* its text is not looked into */
    pgc_status status;
    if (conn->pq->pipelineStatus(conn->pg) != PQ_PIPELINE_OFF &&
        conn->pq->exitPipelineMode(conn->pg) == 0) {
        status = conn_lose(conn, "script", err);
    } else {
        status = conn->pq->sendQuery(conn->pg, sql) == 0 ? conn_send_failed(conn, "script", err)
                                                         : read_script(&run);
    }
    call_end(&run.call);
    if (run.status != PGC_OK) {
        status = run.status;
        conn_last_words(conn, err);
    }
    if (status == PGC_OK) {
        *out = TAKE(run.last);
    }
    conn->pq->clear(run.last);
    return status;
}

/* One operation for the listener, however many statements the text holds. */
static pgc_status run_watched(pgc_conn *conn, const char *sql, int64_t timeout_us, PGresult **out,
                              pgc_error *err)
{
    pgc_error ours;
    query_watch watch;
    err = err != NULL ? err : &ours;
    watch_begin_text(&watch, conn, "script", sql);
    pgc_status status = run_script(conn, sql, timeout_us, out, err);
    watch_answer(&watch, *out);
    watch_end(&watch, status, err);
    return status;
}

/* Rows of statements before the last one are gone by now. */
pgc_status pgc_conn_script(pgc_conn *conn, const char *sql, int64_t timeout_us, pgc_result **out,
                           pgc_error *err)
{
    if (conn == NULL || sql == NULL) {
        return pgc_error_set(err, PGC_INVALID, "script: no connection or no text");
    }
    PGresult *last = NULL;
    TRY(conn->watched ? run_watched(conn, sql, timeout_us, &last, err)
                      : run_script(conn, sql, timeout_us, &last, err));
    if (out != NULL) {
        return result_new(conn->pq, last, conn->alloc, NULL, out, err);
    }
    conn->pq->clear(last);
    return PGC_OK;
}
