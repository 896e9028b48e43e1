/* Pipelined requests. Invariant: answers come in the order of the steps; whatever does not fit
 * (an answer too many, COPY, a lost sync) marks the connection as lost. One thread at a time. */
#include "base/prelude.h"

#include "pgc/exchange.h"

#include "pgc/dirty.h"
#include "pgc/failure.h"

/* A connection stays in pipeline mode until a script needs the simple protocol. */
void exchange_begin(exchange *ex, pgc_conn *conn, int64_t timeout_us, pgc_error *err)
{
    ex->status = call_begin(&ex->call, conn, timeout_us, err);
    ex->steps = ex->inline_steps;
    ex->count = ex->answered = 0;
    ex->was_end = false;
    ex->cap = EXCHANGE_INLINE_STEPS;
    ex->err = err;
    if (ex->status == PGC_OK && conn->pq->pipelineStatus(conn->pg) == PQ_PIPELINE_OFF &&
        conn->pq->enterPipelineMode(conn->pg) == 0) {
        ex->status = conn_lose(conn, "enter pipeline mode", err);
    }
}

/* The first steps are inside the struct: most exchanges never allocate. */
static bool steps_grow(exchange *ex)
{
    const pgc_alloc *alloc = ex->call.conn->alloc;
    bool is_inline = ex->steps == ex->inline_steps;
    size_t cap = ex->cap * 2, size;
    if (!size_mul(cap, sizeof(step), &size)) {
        return false;
    }
    step *steps = mem_resize(alloc, is_inline ? NULL : ex->steps, is_inline ? 0 : size / 2, size);
    if (steps == NULL) {
        return false;
    }
    if (is_inline) {
        memcpy(steps, ex->inline_steps, sizeof ex->inline_steps);
    }
    ex->steps = steps;
    ex->cap = cap;
    return true;
}

/* Room for one more step, before its message is queued. */
static bool step_room(exchange *ex)
{
    if (ex->status != PGC_OK) {
        return false;
    }
    if (ex->count == ex->cap && !steps_grow(ex)) {
        /* Steps already queued will be answered to nobody. */
        ex->call.conn->lost = true;
        ex->status = pgc_error_set(ex->err, PGC_NOMEM, "pipeline of %zu steps", ex->count);
        failure_outcome(ex->err, PGC_OUTCOME_UNKNOWN);
        return false;
    }
    return true;
}

/* The step is recorded even when sending failed, so that indexes stay those of the caller. */
static size_t step_queued(exchange *ex, step_kind kind, int sent)
{
    if (sent == 0) {
        ex->status = conn_send_failed(ex->call.conn, "send", ex->err);
        if (ex->count > 0) {
            failure_outcome(ex->err, PGC_OUTCOME_UNKNOWN); /* steps before it may have left */
        }
    }
    ex->steps[ex->count] = (step) { .kind = kind };
    return ex->count++;
}

/* Nothing is sent by these before libpq flushes: a whole exchange is usually one packet. */
size_t exchange_prepare(exchange *ex, const char *name, const char *sql, const Oid *types,
                        size_t type_count)
{
    pgc_conn *conn = ex->call.conn;
    return !step_room(ex)
               ? 0
               : step_queued(ex, STEP_PREPARE,
                             conn->pq->sendPrepare(conn->pg, name, sql, (int) type_count, types));
}

/* Asks for the parameter types that the server worked out; rows need no asking, their types come
 * with them. */
size_t exchange_describe(exchange *ex, const char *name)
{
    pgc_conn *conn = ex->call.conn;
    return !step_room(ex)
               ? 0
               : step_queued(ex, STEP_DESCRIBE, conn->pq->sendDescribePrepared(conn->pg, name));
}

/* All parameters travel in binary. */
const int EXCHANGE_ALL_BINARY[PGC_ARGS_MAX] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                                1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

/* Parse, bind and execute in one, on the unnamed statement: nothing stays on the server. */
size_t exchange_text(exchange *ex, const char *sql, const query_params *params)
{
    pgc_conn *conn = ex->call.conn;
    assert(params->count <= PGC_ARGS_MAX);
    return !step_room(ex)
               ? 0
               : step_queued(ex, STEP_QUERY,
                             conn->pq->sendQueryParams(
                                 conn->pg, sql, (int) params->count, params->types, params->values,
                                 params->lengths, EXCHANGE_ALL_BINARY, params->text_rows ? 0 : 1));
}

/* Bind and execute of a statement that an earlier step or exchange prepared. */
size_t exchange_named(exchange *ex, const char *name, const query_params *params)
{
    pgc_conn *conn = ex->call.conn;
    assert(params->count <= PGC_ARGS_MAX);
    return !step_room(ex)
               ? 0
               : step_queued(ex, STEP_QUERY,
                             conn->pq->sendQueryPrepared(
                                 conn->pg, name, (int) params->count, params->values,
                                 params->lengths, EXCHANGE_ALL_BINARY, params->text_rows ? 0 : 1));
}

/* Unlike DEALLOCATE this is no error when there is no such statement, and it works in a failed
 * transaction and through poolers that keep track of statements. */
size_t exchange_close(exchange *ex, const char *name)
{
    pgc_conn *conn = ex->call.conn;
    assert(conn->pq->sendClosePrepared != NULL);
    return !step_room(ex)
               ? 0
               : step_queued(ex, STEP_CLOSE, conn->pq->sendClosePrepared(conn->pg, name));
}

/* Ends a group: outside of a transaction it is where the group commits. */
size_t exchange_sync(exchange *ex)
{
    pgc_conn *conn = ex->call.conn;
    return !step_room(ex) ? 0 : step_queued(ex, STEP_SYNC, conn->pq->pipelineSync(conn->pg));
}

/* Never repair a protocol that went out of step: close. */
static pgc_status surprise(exchange *ex, const char *what)
{
    ex->call.conn->lost = true;
    pgc_status status = pgc_error_set(
        ex->err, PGC_PROTOCOL, "pipeline of %zu steps: %s: connection given up", ex->count, what);
    failure_outcome(ex->err, PGC_OUTCOME_UNKNOWN);
    return status;
}

/* End mark of a command. libpq sends one per command but none behind a sync. */
static pgc_status take_end(exchange *ex)
{
    assert(ex->answered < ex->count);
    step *current = &ex->steps[ex->answered];
    if (ex->was_end) {
        return ex->call.conn->pq->status(ex->call.conn->pg) == CONNECTION_BAD
                   ? conn_lose(ex->call.conn, "read", ex->err)
                   : surprise(ex, "an answer is missing");
    }
    ex->was_end = true;
    if (current->kind != STEP_SYNC && (current->result != NULL || current->aborted)) {
        ex->answered++;
        ex->was_end = false;
    }
    return PGC_OK;
}

/* An error without SQLSTATE is libpq's own: no memory, or the end of the stream. */
pgc_status answer_check(const call_state *call, const PGresult *result, pgc_error *err)
{
    pgc_conn *conn = call->conn;
    ExecStatusType kind = conn->pq->resultStatus(result);
    if (kind == PGRES_TUPLES_OK || kind == PGRES_COMMAND_OK) {
        return PGC_OK;
    }
    if (kind == PGRES_COPY_IN || kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH) {
        conn->lost = true;
        pgc_status status = pgc_error_set(
            err, PGC_PROTOCOL, "COPY, which typed queries cannot do: connection given up");
        failure_outcome(err, PGC_OUTCOME_UNKNOWN);
        return status;
    }
    if (kind != PGRES_FATAL_ERROR) {
        return PGC_OK;
    }
    if (failure_sqlstate(conn->pq, result)[0] == '\0') {
        conn->lost = true;
        pgc_status status = failure_from_result(conn->pq, result, "read", err);
        if (err != NULL) {
            err->retry = true;
        }
        return status;
    }
    if (failure_is_fatal(conn->pq, result)) {
        conn->lost = true;
        return failure_from_result(conn->pq, result, "session ended by the server", err);
    }
    dirty_note_error(conn, failure_sqlstate(conn->pq, result));
    return PGC_OK;
}

/* Keep the answer of the current step. An error replaces rows that came before it. */
static pgc_status keep_answer(exchange *ex, step *current, PGresult *result)
{
    pgc_conn *conn = ex->call.conn;
    assert(result != NULL);
    conn->pq->clear(current->result);
    current->result = result;
    conn->bloated = conn->bloated || conn->pq->resultMemorySize(result) > conn->recycle_bytes;
    if (current->kind == STEP_SYNC && conn->pq->resultStatus(result) != PGRES_FATAL_ERROR) {
        return surprise(ex, "rows instead of a sync");
    }
    return answer_check(&ex->call, result, ex->err);
}

/* Sorts one PGresult by its kind; ownership goes to the step or ends here. */
static pgc_status take_answer(exchange *ex, PGresult *result)
{
    const pq_ops *pq = ex->call.conn->pq;
    assert(ex->answered < ex->count);
    step *current = &ex->steps[ex->answered];
    ExecStatusType kind = pq->resultStatus(result);
    if (kind == PGRES_PIPELINE_SYNC) {
        pq->clear(result);
        if (current->kind != STEP_SYNC) {
            return surprise(ex, "an early sync");
        }
        ex->answered++;
        return PGC_OK;
    }
    if (kind == PGRES_PIPELINE_ABORTED) {
        pq->clear(result);
        current->aborted = true;
        return current->kind == STEP_SYNC ? surprise(ex, "an abort instead of a sync") : PGC_OK;
    }
    return keep_answer(ex, current, result);
}

/* One thing that libpq has to give: an answer, or the end mark of a command. */
static pgc_status take_one(exchange *ex, PGresult *result)
{
    if (result == NULL) {
        return take_end(ex);
    }
    ex->was_end = false;
    return take_answer(ex, result);
}

/* Ends with the answer of the step in front of `end`. */
static pgc_status read_until(exchange *ex, size_t end, bool per_step)
{
    assert(end <= ex->count);
    while (ex->answered < end) {
        PGresult *result = NULL;
        size_t before = ex->answered;
        TRY(call_next(&ex->call, &result, ex->err));
        TRY(take_one(ex, result));
        if (per_step && ex->answered > before) {
            call_extend(&ex->call);
        }
    }
    return PGC_OK;
}

pgc_status exchange_await(exchange *ex, size_t at)
{
    if (ex->status == PGC_OK && ex->answered <= at) {
        call_extend(&ex->call);
        ex->status = read_until(ex, at + 1, true);
    }
    return ex->status;
}

size_t exchange_forget(exchange *ex)
{
    size_t gone = ex->answered;
    for (size_t i = 0; i < gone; i++) {
        ex->call.conn->pq->clear(ex->steps[i].result);
    }
    memmove(ex->steps, ex->steps + gone, (ex->count - gone) * sizeof(step));
    ex->count -= gone;
    ex->answered = 0;
    return gone;
}

/* libpq takes the wish only now: behind the end mark of the step before, in front of the first
 * answer of this one. It refuses for a step that an earlier error keeps from running. */
pgc_status exchange_stream(exchange *ex, size_t at, uint32_t rows)
{
    pgc_conn *conn = ex->call.conn;
    if (ex->status != PGC_OK) {
        return ex->status;
    }
    assert(at < ex->count);
    ex->status = read_until(ex, at, true);
    if (ex->status == PGC_OK && (rows <= 1 || conn->pq->setChunkedRowsMode == NULL ||
                                 conn->pq->setChunkedRowsMode(conn->pg, (int) rows) == 0)) {
        (void) conn->pq->setSingleRowMode(conn->pg);
    }
    return ex->status;
}

/* A server that is slow, not the caller, spends the patience of the call: the clock starts again
 * when there is something to wait for. */
pgc_status exchange_piece(exchange *ex, size_t at, PGresult **piece_out)
{
    pgc_conn *conn = ex->call.conn;
    assert(at < ex->count);
    while (ex->status == PGC_OK && ex->answered <= at) {
        PGresult *result = NULL;
        if (conn->pq->isBusy(conn->pg) == 0) {
            result = conn->pq->getResult(conn->pg);
        } else {
            if (!ex->hurry) {
                call_extend(&ex->call);
            }
            ex->status = call_next(&ex->call, &result, ex->err);
        }
        if (ex->status != PGC_OK) {
            break;
        }
        ExecStatusType kind = result == NULL ? PGRES_EMPTY_QUERY : conn->pq->resultStatus(result);
        if (kind == PGRES_SINGLE_TUPLE || kind == PQ_TUPLES_CHUNK) {
            *piece_out = result;
            return PGC_OK;
        }
        ex->status = take_one(ex, result);
    }
    *piece_out = NULL;
    return ex->status;
}

/* Also after a failure to send: then only the cancel request, if any, is settled. */
pgc_status exchange_finish(exchange *ex, bool per_step)
{
    if (ex->status == PGC_OK) {
        assert(ex->count > 0);
        assert(ex->steps[ex->count - 1].kind == STEP_SYNC);
        ex->status = read_until(ex, ex->count, per_step);
    }
    call_end(&ex->call);
    if (ex->status != PGC_OK) {
        conn_last_words(ex->call.conn, ex->err);
    }
    return ex->status;
}

/* What our own cancel request caused is the deadline's doing, not a cancel by somebody else. */
pgc_status answer_status(const call_state *call, const PGresult *result, const char *what,
                         pgc_error *err)
{
    const pq_ops *pq = call->conn->pq;
    if (result == NULL || pq->resultStatus(result) != PGRES_FATAL_ERROR) {
        return PGC_OK;
    }
    pgc_status status = failure_from_result(pq, result, what, err);
    if (status == PGC_CANCELLED && call->cancelled) {
        status = pgc_error_set(err, PGC_TIMEOUT, "%s: deadline passed, cancelled by us", what);
        if (err != NULL) {
            (void) snprintf(err->sqlstate, sizeof err->sqlstate, "57014");
        }
        failure_outcome(err, PGC_OUTCOME_CANCELLED);
    }
    return status;
}

/* A step that did not run has no answer of its own. */
pgc_status exchange_status(const exchange *ex, size_t index, const char *what, pgc_error *err)
{
    assert(index < ex->count);
    const step *of = &ex->steps[index];
    if (of->aborted) {
        pgc_status status =
            pgc_error_set(err, PGC_CANCELLED, "%s: not run because an earlier query failed", what);
        failure_outcome(err, PGC_OUTCOME_NOT_RUN);
        return status;
    }
    return answer_status(&ex->call, of->result, what, err);
}

/* NULL when there was no answer. */
PGresult *exchange_take(exchange *ex, size_t index)
{
    assert(index < ex->count);
    return TAKE(ex->steps[index].result);
}

/* Answers that nobody took are freed here; the memory of many steps as well. */
void exchange_done(exchange *ex)
{
    pgc_conn *conn = ex->call.conn;
    for (size_t i = 0; i < ex->count; i++) {
        conn->pq->clear(ex->steps[i].result);
    }
    if (ex->steps != ex->inline_steps) {
        mem_free(conn->alloc, ex->steps, ex->cap * sizeof(step));
    }
    ex->steps = ex->inline_steps;
    ex->count = 0;
}
