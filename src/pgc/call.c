/* The one wait loop of the library. Reading and writing overlap, so that no amount of queued data
 * can make client and server wait for each other. Invariant: after a failure the connection is
 * marked as lost, never repaired. One thread per connection. */
#include "base/prelude.h"

#include "pgc/call.h"

#include "pgc/cancel.h"
#include "pgc/failure.h"

#define LONG_ANSWER_WAITS  8   /* 64 kB, if all came from a buffer of the server */
#define GATHER_US          100 /* a tenth of what fills a socket */
#define SETTLE_ANSWERS_MAX 4   /* an error, its end mark, the sync, and one to spare */

/* A timeout so large that it overflows is as good as none. */
static int64_t deadline_from(int64_t now_us, int64_t timeout_us)
{
    int64_t deadline_us;
    if (timeout_us < 0 || __builtin_add_overflow(now_us, timeout_us, &deadline_us)) {
        return CONN_NO_DEADLINE;
    }
    return deadline_us;
}

int64_t conn_deadline(const pgc_conn *conn, int64_t timeout_us)
{
    return timeout_us < 0 ? CONN_NO_DEADLINE
                          : deadline_from(conn->clock->mono_us(conn->clock->ctx), timeout_us);
}

/* One deadline for the whole call, however many waits it takes; one look at the clock for all that
 * is done before the first of them. */
pgc_status call_begin(call_state *call, pgc_conn *conn, int64_t timeout_us, pgc_error *err)
{
    assert(conn->clock != NULL);
    int64_t now_us = conn->clock->mono_us(conn->clock->ctx);
    *call = (call_state) { .conn = conn,
                           .timeout_us = timeout_us,
                           .deadline_us = deadline_from(now_us, timeout_us),
                           .began_us = now_us,
                           .hard = conn->connecting };
    TRY(conn_check_at(conn, now_us, err));
    assert(atomic_load_explicit(&conn->phase, memory_order_relaxed) == CALL_NONE);
    atomic_store_explicit(&conn->phase, CALL_RUNNING, memory_order_release);
    call->begun = true;
    conn->calls++;
    return PGC_OK;
}

/* Nothing is extended once we asked the server to stop: then the grace time counts. */
void call_extend(call_state *call)
{
    if (!call->cancelled) {
        call->deadline_us = conn_deadline(call->conn, call->timeout_us);
        call->began_us = CALL_WAITED;
    }
}

/* libpq's text is several lines with advice; the first one says what happened. */
pgc_status conn_lose(pgc_conn *conn, const char *doing, pgc_error *err)
{
    char line[256];
    failure_first_line(conn->pq->errorMessage(conn->pg), line, sizeof line);
    conn->lost = true;
    pgc_status status = pgc_error_set(err, PGC_CONNECTION, "%s: connection lost: %s", doing,
                                      line[0] == '\0' ? "no reason known" : line);
    if (err != NULL) {
        err->retry = true;
        err->outcome = PGC_OUTCOME_UNKNOWN;
    }
    conn_last_words(conn, err);
    return status;
}

/* libpq fails to send for two reasons only: no memory for the message, or a dead socket. The server
 * acts on whole messages, and the end of this one never left. */
pgc_status conn_send_failed(pgc_conn *conn, const char *doing, pgc_error *err)
{
    pgc_status status;
    if (conn->pq->status(conn->pg) == CONNECTION_BAD) {
        status = conn_lose(conn, doing, err);
    } else {
        conn->lost = true; /* half a request may be queued */
        status = pgc_error_set(err, PGC_NOMEM, "%s: no memory for the request", doing);
    }
    failure_outcome(err, PGC_OUTCOME_NOT_RUN);
    return status;
}

/* Milliseconds for poll(), rounded up so that the loop does not spin before the deadline. */
static int ms_until(int64_t now_us, int64_t deadline_us)
{
    int64_t left_us = deadline_us - now_us;
    if (left_us <= 0) {
        return 0;
    }
    int64_t ms = left_us / 1000 + (left_us % 1000 != 0);
    return ms > INT_MAX ? INT_MAX : (int) ms;
}

static int poll_ms(const clock_ops *clock, int64_t deadline_us)
{
    return deadline_us == CONN_NO_DEADLINE ? -1 : ms_until(clock->mono_us(clock->ctx), deadline_us);
}

/* poll() may return early by a signal, or late: the clock decides. */
pgc_status conn_wait(const pq_ops *pq, const clock_ops *clock, struct pollfd *fds, nfds_t count,
                     int64_t deadline_us)
{
    for (;;) {
        int timeout_ms = poll_ms(clock, deadline_us);
        int ready = pq->wait(fds, count, timeout_ms);
        if (ready > 0) {
            return PGC_OK;
        }
        if (ready < 0 && errno != EINTR) {
            return PGC_CONNECTION;
        }
        if (poll_ms(clock, deadline_us) == 0) {
            return PGC_TIMEOUT;
        }
    }
}

/* The first wait of a call, which for most is the only one, follows so closely on its start that
 * the clock need not be read again; when it ends without an answer, the clock decides as ever. */
static pgc_status wait_answer(call_state *call, struct pollfd *fd)
{
    const pgc_conn *conn = call->conn;
    if (call->began_us != CALL_WAITED && call->deadline_us != CONN_NO_DEADLINE) {
        int timeout_ms = ms_until(call->began_us, call->deadline_us);
        call->began_us = CALL_WAITED;
        if (conn->pq->wait(fd, 1, timeout_ms) > 0) {
            return PGC_OK;
        }
    }
    return conn_wait(conn->pq, conn->clock, fd, 1, call->deadline_us);
}

/* Register a request for the call that runs; one that somebody asked for before serves as well.
 * From here on the call cannot end without the lock, so it cannot miss the request. */
static pgc_status ask_to_stop(pgc_conn *conn)
{
    pgc_status status = PGC_OK;
    call_phase seen = CALL_RUNNING;
    (void) pthread_mutex_lock(&conn->cancel_lock);
    if (!atomic_compare_exchange_strong(&conn->phase, &seen, CALL_STOPPING) && seen == CALL_NONE) {
        status = PGC_NOT_FOUND;
    } else if (conn->cancel == NULL) {
        conn->cancel = cancel_start(conn->pq, conn->pg);
        status = conn->cancel == NULL ? PGC_NOMEM : PGC_OK;
    }
    (void) pthread_mutex_unlock(&conn->cancel_lock);
    return status;
}

/* Between call_begin() and call_end() only: what is asked for here, call_end() settles, so it can
 * never hit a later call. */
pgc_status pgc_conn_cancel(pgc_conn *conn, pgc_error *err)
{
    if (conn == NULL) {
        return pgc_error_set(err, PGC_INVALID, "cancel: no connection");
    }
    pgc_status status = ask_to_stop(conn);
    if (status == PGC_NOT_FOUND) {
        return pgc_error_set(err, status, "cancel: nothing runs on the connection");
    }
    return status == PGC_OK ? PGC_OK
                            : pgc_error_set(err, status, "cancel: no thread for the request");
}

/* The server then has the grace time to end the call. */
bool call_cancel(call_state *call)
{
    pgc_conn *conn = call->conn;
    if (!call->cancelled) {
        call->cancelled = true;
        call->deadline_us = conn_deadline(conn, conn->cancel_grace_us);
    }
    return ask_to_stop(conn) == PGC_OK;
}

/* At the first deadline: ask the server to stop. At the second: give up. */
pgc_status call_out_of_time(call_state *call, pgc_error *err)
{
    pgc_conn *conn = call->conn;
    if (!call->cancelled && !call->hard && call_cancel(call)) {
        return PGC_OK;
    }
    conn->lost = true;
    pgc_status status = pgc_error_set(err, PGC_TIMEOUT,
                                      "deadline passed and the server does not stop: connection "
                                      "given up, outcome unknown");
    if (err != NULL) {
        err->outcome = PGC_OUTCOME_UNKNOWN;
    }
    return status;
}

/* A server sends 8 kB at a time, and waking up for each costs more than reading it. When all that
 * came of a long answer is read, the next parts are left to come together, unless the server waits
 * for something itself. An answer without end does not outlive the deadline by always being there.
 */
static pgc_status wait_more(const call_state *call, struct pollfd *fd)
{
    const pgc_conn *conn = call->conn;
    const clock_ops *clock = conn->clock;
    if (poll_ms(clock, call->deadline_us) == 0) {
        return PGC_TIMEOUT;
    }
    if ((fd->events & POLLOUT) == 0) {
        if (conn->pq->wait(fd, 1, 0) > 0) {
            return PGC_OK;
        }
        clock->sleep_us(clock->ctx, GATHER_US);
    }
    return conn_wait(conn->pq, clock, fd, 1, call->deadline_us);
}

/* Rows in pieces belong to one answer. */
static bool is_piece(const pq_ops *pq, const PGresult *result)
{
    ExecStatusType status = pq->resultStatus(result);
    return status == PGRES_SINGLE_TUPLE || status == PQ_TUPLES_CHUNK;
}

/* PQisBusy() parses what was read without blocking; only then may PQgetResult() be called, which
 * would block otherwise. What could not be sent yet is sent as soon as the socket takes it. */
pgc_status call_next(call_state *call, PGresult **out, pgc_error *err)
{
    pgc_conn *conn = call->conn;
    const pq_ops *pq = conn->pq;
    assert(!conn->lost);
    while (pq->isBusy(conn->pg) != 0) {
        int flushed = pq->flush(conn->pg);
        if (flushed < 0) {
            return conn_lose(conn, "send", err);
        }
        short events = flushed == 1 ? POLLIN | POLLOUT : POLLIN;
        struct pollfd fd = { .fd = pq->socket(conn->pg), .events = events };
        bool is_long = call->waits >= LONG_ANSWER_WAITS;
        call->waits += is_long ? 0 : 1;
        pgc_status status = is_long ? wait_more(call, &fd) : wait_answer(call, &fd);
        if (status == PGC_TIMEOUT) {
            TRY(call_out_of_time(call, err));
            continue;
        }
        if (status != PGC_OK) {
            return conn_lose(conn, "wait for the server", err);
        }
        /* The server's last words may have been read before the end of the stream was seen. */
        if ((fd.revents & ~POLLOUT) != 0 && pq->consumeInput(conn->pg) == 0 &&
            pq->isBusy(conn->pg) != 0) {
            return conn_lose(conn, "wait for the server", err);
        }
    }
    *out = pq->getResult(conn->pg);
    call->waits = is_piece(pq, *out) ? call->waits : 0;
    return PGC_OK;
}

/* libpq keeps notifications until somebody asks for them: on a connection that listened to
 * something and is nobody's listener they would pile up. */
static void drop_notifies(const pgc_conn *conn)
{
    PGnotify *notify;
    while (!conn->keeps_notifies && (notify = conn->pq->notifies(conn->pg)) != NULL) {
        conn->pq->freemem(notify);
    }
}

/* A round trip without a command, by which the server process has seen its signal: it drops a
 * cancel that comes while it waits for a message. Nothing runs, so not even a transaction that is
 * open can be hurt. An error that a late cancel caused all the same is read and forgotten. */
static pgc_status read_sync(pgc_conn *conn)
{
    call_state call = { .conn = conn,
                        .deadline_us = conn_deadline(conn, conn->cancel_grace_us),
                        .began_us = CALL_WAITED,
                        .hard = true };
    for (int answers = 0; answers < SETTLE_ANSWERS_MAX; answers++) {
        PGresult *result = NULL;
        TRY(call_next(&call, &result, NULL));
        bool over = result != NULL && conn->pq->resultStatus(result) == PGRES_PIPELINE_SYNC;
        conn->pq->clear(result);
        if (over) {
            return PGC_OK;
        }
    }
    return PGC_PROTOCOL;
}

/* Leaves the mode as it was. */
static pgc_status settle(pgc_conn *conn)
{
    const pq_ops *pq = conn->pq;
    bool was_off = pq->pipelineStatus(conn->pg) == PQ_PIPELINE_OFF;
    if ((was_off && pq->enterPipelineMode(conn->pg) == 0) || pq->pipelineSync(conn->pg) == 0) {
        return PGC_CONNECTION;
    }
    TRY(read_sync(conn));
    return was_off && pq->exitPipelineMode(conn->pg) == 0 ? PGC_CONNECTION : PGC_OK;
}

/* True: somebody asked to stop the call, or tried to. */
static bool was_asked(pgc_conn *conn, cancel_job **job_out)
{
    call_phase seen = CALL_RUNNING;
    if (atomic_compare_exchange_strong(&conn->phase, &seen, CALL_NONE)) {
        return false;
    }
    assert(seen == CALL_STOPPING);
    (void) pthread_mutex_lock(&conn->cancel_lock);
    atomic_store(&conn->phase, CALL_NONE);
    *job_out = TAKE(conn->cancel);
    (void) pthread_mutex_unlock(&conn->cancel_lock);
    return *job_out != NULL;
}

/* A cancel request is a signal to the server process and has no answer of its own: when it comes
 * late it would hit whatever runs then. */
void call_end(call_state *call)
{
    pgc_conn *conn = call->conn;
    cancel_job *job = NULL;
    if (!call->begun) {
        return;
    }
    call->begun = false;
    drop_notifies(conn);
    conn->used_us = conn->clock->mono_us(conn->clock->ctx);
    if (!was_asked(conn, &job)) {
        return;
    }
    if (!cancel_finish(job, conn->lost ? 0 : conn->cancel_grace_us)) {
        conn->lost = true;
    }
    if (!conn->lost && settle(conn) != PGC_OK) {
        conn->lost = true;
    }
}
