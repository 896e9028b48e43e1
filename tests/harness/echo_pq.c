/* The libpq that answers everything. A connection is used by one thread at a time, as libpq's own;
 * what they share is atomic. */
#define PRELUDE_NO_POISON
#include "base/prelude.h"

#include <sched.h>
#include <sys/eventfd.h>

#include "echo_pq.h"

#include "fake_pq.h"

#define QUEUE_MAX 64u
#define NAMES_MAX 16u

echo_pq echo;
_Atomic int64_t hand_clock_us = 1000;

static int64_t hand_clock_read(void *ctx)
{
    (void) ctx;
    return atomic_load(&hand_clock_us);
}

static bool hand_clock_random(void *ctx, void *bytes, size_t count)
{
    (void) ctx;
    memset(bytes, 0, count);
    return true;
}

static void hand_clock_sleep(void *ctx, int64_t us)
{
    (void) ctx;
    (void) us;
}

const clock_ops HAND_CLOCK = { NULL, hand_clock_read, hand_clock_read, hand_clock_random,
                               hand_clock_sleep };

/* What is known of a statement: enough to answer it. */
typedef enum asked { ASKED_ROW, ASKED_NOTHING, ASKED_BEGIN, ASKED_END, ASKED_SET } asked;

static const fake_answer ANSWERS[] = {
    [ASKED_ROW] = { .status = PGRES_TUPLES_OK, .tag = "SELECT 1", .rows = 1 },
    [ASKED_NOTHING] = { .status = PGRES_EMPTY_QUERY },
    [ASKED_BEGIN] = { .status = PGRES_COMMAND_OK, .tag = "BEGIN", .tx_after = 1 + PQTRANS_INTRANS },
    [ASKED_END] = { .status = PGRES_COMMAND_OK, .tag = "ROLLBACK", .tx_after = 1 + PQTRANS_IDLE },
    [ASKED_SET] = { .status = PGRES_COMMAND_OK, .tag = "SET" },
};
static const fake_answer PREPARED = { .status = PGRES_COMMAND_OK };
static const fake_answer SYNCED = { .status = PGRES_PIPELINE_SYNC };
static const fake_answer REFUSED = { .status = PGRES_FATAL_ERROR, .message = "made up" };

/* PQgetResult() gives NULL for the end of an answer. */
typedef struct echo_conn {
    ConnStatusType status;
    PGTransactionStatusType tx; /* between queries */
    PGpipelineStatus mode;
    const fake_answer *queue[QUEUE_MAX];
    size_t at, count;
    char names[NAMES_MAX][64];
    asked named[NAMES_MAX];
    size_t name_count;
    int fd, pid;
} echo_conn;

/* Compatible with the results of the scripted libpq, whose accessors serve here as well. */
typedef struct echo_result {
    const fake_answer *answer;
} echo_result;

static echo_conn *echo_of(const PGconn *conn)
{
    echo_conn *same;
    memcpy(&same, &conn, sizeof same); /* libpq's functions that only read take a const */
    return same;
}

/* True when this is the call that fails. */
static bool fails(echo_conn *c)
{
    int number = atomic_fetch_add(&echo.calls, 1) + 1;
    if (number != atomic_load(&echo.fail_at)) {
        return false;
    }
    if (c != NULL && atomic_load(&echo.by_loss)) {
        c->status = CONNECTION_BAD;
    }
    return true;
}

void echo_pq_reset(void)
{
    assert(atomic_load(&echo.connects) == atomic_load(&echo.finished));
    atomic_store(&echo.calls, 0);
    atomic_store(&echo.fail_at, 0);
    atomic_store(&echo.by_loss, false);
    atomic_store(&echo.refuse, false);
    atomic_store(&echo.stall, false);
    atomic_store(&echo.connects, 0);
    atomic_store(&echo.finished, 0);
    atomic_store(&echo.results, 0);
}

static PGconn *echo_connectStartParams(const char *const *keywords, const char *const *values,
                                       int expand)
{
    (void) keywords;
    (void) values;
    (void) expand;
    while (atomic_load(&echo.stall)) {
        (void) sched_yield();
    }
    echo_conn *c = fails(NULL) ? NULL : calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->status = CONNECTION_STARTED;
    c->fd = eventfd(0, EFD_CLOEXEC);
    c->pid = 1000 + atomic_fetch_add(&echo.connects, 1);
    return (PGconn *) (void *) c;
}

static PostgresPollingStatusType echo_connectPoll(PGconn *conn)
{
    echo_conn *c = echo_of(conn);
    if (fails(c) || atomic_load(&echo.refuse)) {
        c->status = CONNECTION_BAD;
        return PGRES_POLLING_FAILED;
    }
    if (c->status == CONNECTION_STARTED) {
        c->status = CONNECTION_MADE;
        return PGRES_POLLING_READING;
    }
    c->status = CONNECTION_OK;
    return PGRES_POLLING_OK;
}

static void echo_finish(PGconn *conn)
{
    if (conn != NULL) {
        echo_conn *c = echo_of(conn);
        (void) close(c->fd);
        free(c);
        (void) atomic_fetch_add(&echo.finished, 1);
    }
}

static ConnStatusType echo_status(const PGconn *conn)
{
    return echo_of(conn)->status;
}

static PGTransactionStatusType echo_transactionStatus(const PGconn *conn)
{
    const echo_conn *c = echo_of(conn);
    if (c->status != CONNECTION_OK) {
        return PQTRANS_UNKNOWN;
    }
    return c->at < c->count ? PQTRANS_ACTIVE : c->tx;
}

static int echo_socket(const PGconn *conn)
{
    return echo_of(conn)->fd;
}

static int echo_backendPID(const PGconn *conn)
{
    return echo_of(conn)->pid;
}

static int echo_serverVersion(const PGconn *conn)
{
    (void) conn;
    return 150000;
}

static const char *echo_parameterStatus(const PGconn *conn, const char *name)
{
    (void) conn;
    return strcmp(name, "standard_conforming_strings") == 0 ? "on" : NULL;
}

static char *echo_errorMessage(const PGconn *conn)
{
    static char words[] = "made up";
    (void) conn;
    return words;
}

static PGpipelineStatus echo_pipelineStatus(const PGconn *conn)
{
    return echo_of(conn)->mode;
}

static int echo_setnonblocking(PGconn *conn, int on)
{
    (void) on;
    return fails(echo_of(conn)) ? -1 : 0;
}

static int echo_enterPipelineMode(PGconn *conn)
{
    echo_conn *c = echo_of(conn);
    if (fails(c)) {
        return 0;
    }
    c->mode = PQ_PIPELINE_ON;
    return 1;
}

static int echo_exitPipelineMode(PGconn *conn)
{
    echo_conn *c = echo_of(conn);
    if (fails(c)) {
        return 0;
    }
    c->mode = PQ_PIPELINE_OFF;
    return 1;
}

/* One message, and what the server will say to it; end: the end mark behind it. */
static int sent(echo_conn *c, const fake_answer *answer, bool end)
{
    if (fails(c) || c->status != CONNECTION_OK) {
        return 0;
    }
    if (c->at == c->count) {
        c->at = c->count = 0;
    }
    assert(c->count + 2 <= QUEUE_MAX);
    c->queue[c->count++] = answer;
    if (end) {
        c->queue[c->count++] = NULL;
    }
    return 1;
}

static asked asked_by(const char *sql)
{
    static const struct {
        const char *start;
        asked what;
    } KNOWN[] = { { "BEGIN", ASKED_BEGIN },
                  { "ROLLBACK", ASKED_END },
                  { "COMMIT", ASKED_END },
                  { "SET", ASKED_SET },
                  { "RESET", ASKED_SET } };
    for (size_t i = 0; i < ARRAY_LEN(KNOWN); i++) {
        if (strncmp(sql, KNOWN[i].start, strlen(KNOWN[i].start)) == 0) {
            return KNOWN[i].what;
        }
    }
    return sql[0] == '\0' ? ASKED_NOTHING : ASKED_ROW;
}

static int echo_sendQuery(PGconn *conn, const char *sql)
{
    return sent(echo_of(conn), &ANSWERS[asked_by(sql)], true);
}

static int echo_sendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
                                const char *const *values, const int *lengths, const int *formats,
                                int format)
{
    (void) count;
    (void) types;
    (void) values;
    (void) lengths;
    (void) formats;
    (void) format;
    return sent(echo_of(conn), &ANSWERS[asked_by(sql)], true);
}

static int echo_sendPrepare(PGconn *conn, const char *name, const char *sql, int count,
                            const Oid *types)
{
    echo_conn *c = echo_of(conn);
    (void) count;
    (void) types;
    assert(c->name_count < NAMES_MAX);
    (void) snprintf(c->names[c->name_count], sizeof c->names[0], "%s", name);
    c->named[c->name_count++] = asked_by(sql);
    return sent(c, &PREPARED, true);
}

static int echo_sendDescribePrepared(PGconn *conn, const char *name)
{
    (void) name;
    return sent(echo_of(conn), &PREPARED, true);
}

static int echo_sendQueryPrepared(PGconn *conn, const char *name, int count,
                                  const char *const *values, const int *lengths, const int *formats,
                                  int format)
{
    echo_conn *c = echo_of(conn);
    asked what = ASKED_ROW;
    (void) count;
    (void) values;
    (void) lengths;
    (void) formats;
    (void) format;
    for (size_t i = 0; i < c->name_count; i++) {
        what = strcmp(c->names[i], name) == 0 ? c->named[i] : what;
    }
    return sent(c, &ANSWERS[what], true);
}

static int echo_pipelineSync(PGconn *conn)
{
    return sent(echo_of(conn), &SYNCED, false);
}

static int echo_flush(PGconn *conn)
{
    echo_conn *c = echo_of(conn);
    return fails(c) || c->status != CONNECTION_OK ? -1 : 0;
}

static int echo_consumeInput(PGconn *conn)
{
    echo_conn *c = echo_of(conn);
    return fails(c) || c->status != CONNECTION_OK ? 0 : 1;
}

/* Answers are there as soon as they are asked for. */
static int echo_isBusy(PGconn *conn)
{
    (void) conn;
    return 0;
}

static PGresult *echo_getResult(PGconn *conn)
{
    echo_conn *c = echo_of(conn);
    const fake_answer *answer = NULL;
    if (fails(c)) {
        answer = &REFUSED;
    } else if (c->at < c->count) {
        answer = c->queue[c->at++];
    }
    if (answer == NULL) {
        return NULL;
    }
    c->tx = answer->tx_after > 0 ? (PGTransactionStatusType) (answer->tx_after - 1) : c->tx;
    echo_result *made = malloc(sizeof *made);
    if (made != NULL) {
        made->answer = answer;
        (void) atomic_fetch_add(&echo.results, 1);
    }
    return (PGresult *) (void *) made;
}

static void echo_clear(PGresult *result)
{
    if (result != NULL) {
        (void) atomic_fetch_sub(&echo.results, 1);
        free(result);
    }
}

static const fake_answer *answer_of(const PGresult *result)
{
    return ((const echo_result *) (const void *) result)->answer;
}

/* Read only by whom it is given to: libpq left out a const. */
static char *words_of(const char *text)
{
    char *same;
    memcpy(&same, &text, sizeof same);
    return same;
}

static char *echo_cmdStatus(PGresult *result)
{
    const char *tag = answer_of(result)->tag;
    return words_of(tag == NULL ? "" : tag);
}

static char *echo_resultErrorField(const PGresult *result, int field)
{
    return field == PG_DIAG_MESSAGE_PRIMARY ? words_of(answer_of(result)->message) : NULL;
}

static char *echo_resultErrorMessage(const PGresult *result)
{
    const char *message = answer_of(result)->message;
    return words_of(message == NULL ? "" : message);
}

static PGnotify *echo_notifies(PGconn *conn)
{
    (void) conn;
    return NULL;
}

static PGcancel *echo_getCancel(PGconn *conn)
{
    return fails(NULL) ? NULL : (PGcancel *) (void *) conn;
}

/* Nothing runs long enough to be stopped. */
static int echo_cancel(PGcancel *cancel, char *message, int message_size)
{
    (void) cancel;
    (void) message;
    (void) message_size;
    return fails(NULL) ? 0 : 1;
}

/* An idle socket has nothing to read; one that is waited for is ready. */
static int echo_wait(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    for (nfds_t i = 0; i < count; i++) {
        fds[i].revents = 0;
    }
    if (fails(NULL)) {
        errno = ENOMEM;
        return -1;
    }
    if (timeout_ms == 0) {
        return 0;
    }
    fds[0].revents = (short) (fds[0].events & (POLLIN | POLLOUT));
    return 1;
}

const pq_ops *echo_pq_ops(void)
{
    static pq_ops table;
    table = *fake_pq_ops();
    table.connectStartParams = echo_connectStartParams;
    table.connectPoll = echo_connectPoll;
    table.finish = echo_finish;
    table.status = echo_status;
    table.transactionStatus = echo_transactionStatus;
    table.socket = echo_socket;
    table.backendPID = echo_backendPID;
    table.serverVersion = echo_serverVersion;
    table.parameterStatus = echo_parameterStatus;
    table.errorMessage = echo_errorMessage;
    table.pipelineStatus = echo_pipelineStatus;
    table.setnonblocking = echo_setnonblocking;
    table.enterPipelineMode = echo_enterPipelineMode;
    table.exitPipelineMode = echo_exitPipelineMode;
    table.sendQuery = echo_sendQuery;
    table.sendQueryParams = echo_sendQueryParams;
    table.sendPrepare = echo_sendPrepare;
    table.sendDescribePrepared = echo_sendDescribePrepared;
    table.sendQueryPrepared = echo_sendQueryPrepared;
    table.pipelineSync = echo_pipelineSync;
    table.flush = echo_flush;
    table.consumeInput = echo_consumeInput;
    table.isBusy = echo_isBusy;
    table.getResult = echo_getResult;
    table.clear = echo_clear;
    table.cmdStatus = echo_cmdStatus;
    table.resultErrorField = echo_resultErrorField;
    table.resultErrorMessage = echo_resultErrorMessage;
    table.notifies = echo_notifies;
    table.getCancel = echo_getCancel;
    table.cancel = echo_cancel;
    table.wait = echo_wait;
    return &table;
}
