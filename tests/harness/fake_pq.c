/* The scripted libpq. Handles are the fake itself and its answers in disguise. */
#define PRELUDE_NO_POISON
#include "base/prelude.h"

#include <sched.h>

#include "fake_pq.h"

/* For the calls without a handle. */
static fake_pq *current;

typedef struct fake_result {
    const fake_answer *answer;
} fake_result;

static fake_pq *fake_of(const PGconn *conn)
{
    (void) conn;
    return current;
}

static const fake_answer *answer_of(const PGresult *result)
{
    return ((const fake_result *) (const void *) result)->answer;
}

static void log_line_of(fake_pq *fake, const char *verb, const char *what)
{
    int len = snprintf(fake->log + fake->log_len, sizeof fake->log - fake->log_len, "%s%s%s\n",
                       verb, what[0] == '\0' ? "" : " ", what);
    if (len > 0 && (size_t) len < sizeof fake->log - fake->log_len) {
        fake->log_len += (size_t) len;
    }
}

static int sent(PGconn *conn, const char *verb, const char *what)
{
    fake_pq *fake = fake_of(conn);
    if (++fake->sends == fake->send_fails_at) {
        if (fake->send_fails_by_loss) {
            fake->status = CONNECTION_BAD;
        }
        return 0;
    }
    fake->tx = fake->tx == PQTRANS_IDLE ? PQTRANS_ACTIVE : fake->tx;
    log_line_of(fake, verb, what);
    return 1;
}

static PGconn *fake_connectStartParams(const char *const *keywords, const char *const *values,
                                       int expand)
{
    (void) expand;
    if (current->connect_no_memory) {
        return NULL;
    }
    for (size_t i = 0; keywords[i] != NULL; i++) {
        log_line_of(current, keywords[i], values[i]);
    }
    current->status = CONNECTION_STARTED;
    return (PGconn *) (void *) current;
}

static PostgresPollingStatusType fake_connectPoll(PGconn *conn)
{
    fake_pq *fake = fake_of(conn);
    if (fake->connect_error != NULL) {
        fake->status = CONNECTION_BAD;
        return PGRES_POLLING_FAILED;
    }
    if (fake->status == CONNECTION_STARTED) {
        fake->status = CONNECTION_MADE;
        return PGRES_POLLING_READING;
    }
    fake->status = CONNECTION_OK;
    return PGRES_POLLING_OK;
}

static PQconninfoOption no_options[] = { { 0 } };

static PQconninfoOption *fake_conninfoParse(const char *conninfo, char **message)
{
    *message = NULL;
    return strcmp(conninfo, "bad") == 0 ? NULL : no_options;
}

static PQconninfoOption *fake_conndefaults(void)
{
    return no_options;
}

static int fake_libVersion(void)
{
    return 150000;
}

static void fake_conninfoFree(PQconninfoOption *options)
{
    (void) options;
}

static void fake_freemem(void *ptr)
{
    (void) ptr;
}

static char *fake_errorMessage(const PGconn *conn)
{
    static char lost[] = "server closed the connection unexpectedly\n\tsecond line";
    static char text[200];
    const fake_pq *fake = fake_of(conn);
    if (fake->connect_error == NULL) {
        return lost;
    }
    (void) snprintf(text, sizeof text, "%s", fake->connect_error);
    return text;
}

static int fake_socket(const PGconn *conn)
{
    (void) conn;
    return 0;
}

static ConnStatusType fake_status(const PGconn *conn)
{
    return fake_of(conn)->status;
}

static void fake_finish(PGconn *conn)
{
    if (conn != NULL) {
        fake_of(conn)->finished++;
    }
}

static int fake_setnonblocking(PGconn *conn, int on)
{
    (void) conn;
    return on == 1 ? 0 : -1;
}

static PQnoticeReceiver fake_setNoticeReceiver(PGconn *conn, PQnoticeReceiver receiver, void *arg)
{
    (void) conn;
    (void) receiver;
    (void) arg;
    return NULL;
}

static PGVerbosity fake_setErrorVerbosity(PGconn *conn, PGVerbosity verbosity)
{
    (void) conn;
    (void) verbosity;
    return PQERRORS_DEFAULT;
}

static int fake_serverVersion(const PGconn *conn)
{
    return fake_of(conn)->version;
}

static int fake_backendPID(const PGconn *conn)
{
    (void) conn;
    return 4711;
}

static const char *fake_parameterStatus(const PGconn *conn, const char *name)
{
    return strcmp(name, "standard_conforming_strings") == 0 ? fake_of(conn)->strings : NULL;
}

/* host, port, db and user, in one: what connections of a script are called. */
static char *fake_name(const PGconn *conn)
{
    static char name[] = "made-up";
    (void) conn;
    return name;
}

static char *fake_cmdTuples(PGresult *result)
{
    static char none[] = "0";
    (void) result;
    return none;
}

static PGTransactionStatusType fake_transactionStatus(const PGconn *conn)
{
    const fake_pq *fake = fake_of(conn);
    return fake->status == CONNECTION_OK ? fake->tx : PQTRANS_UNKNOWN;
}

static PGpipelineStatus fake_pipelineStatus(const PGconn *conn)
{
    return fake_of(conn)->mode;
}

static int fake_enterPipelineMode(PGconn *conn)
{
    fake_of(conn)->mode = PQ_PIPELINE_ON;
    return 1;
}

static int fake_exitPipelineMode(PGconn *conn)
{
    fake_of(conn)->mode = PQ_PIPELINE_OFF;
    return 1;
}

static int fake_pipelineSync(PGconn *conn)
{
    return sent(conn, "sync", "");
}

static int fake_sendQuery(PGconn *conn, const char *sql)
{
    return sent(conn, "query", sql);
}

static int fake_sendPrepare(PGconn *conn, const char *name, const char *sql, int count,
                            const Oid *types)
{
    (void) sql;
    (void) count;
    (void) types;
    return sent(conn, "prepare", name);
}

static int fake_sendDescribePrepared(PGconn *conn, const char *name)
{
    return sent(conn, "describe", name);
}

static int fake_sendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
                                const char *const *values, const int *lengths, const int *formats,
                                int format)
{
    (void) count;
    (void) types;
    (void) values;
    (void) lengths;
    (void) formats;
    (void) format;
    return sent(conn, "text", sql);
}

static int fake_sendQueryPrepared(PGconn *conn, const char *name, int count,
                                  const char *const *values, const int *lengths, const int *formats,
                                  int format)
{
    (void) count;
    (void) values;
    (void) lengths;
    (void) formats;
    (void) format;
    return sent(conn, "run", name);
}

static int fake_setSingleRowMode(PGconn *conn)
{
    log_line_of(fake_of(conn), "single row", "");
    return 1;
}

static int fake_flush(PGconn *conn)
{
    fake_pq *fake = fake_of(conn);
    if (fake->flush_blocks > 0) {
        fake->flush_blocks--;
        return 1;
    }
    return fake->status == CONNECTION_BAD ? -1 : 0;
}

static bool stalled(const fake_pq *fake)
{
    if (fake->at >= fake->count) {
        return true;
    }
    fake_kind kind = fake->answers[fake->at].kind;
    return kind == FAKE_KIND_STALL;
}

/* The next answer arrives, or time passes until the caller's patience is over. */
static int fake_wait(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    fake_pq *fake = current;
    fake->wakes++;
    for (nfds_t i = 0; i < count; i++) {
        fds[i].revents = 0;
    }
    if (timeout_ms == 0 && fake->status == CONNECTION_OK && fake->at >= fake->count) {
        return 0; /* a look at an idle socket */
    }
    if (timeout_ms == 0 && fake->parts_lag) {
        return 0;
    }
    bool connecting = fake->status == CONNECTION_STARTED || fake->status == CONNECTION_MADE;
    if (connecting && fake->connect_wakes) {
        return poll(fds + 1, count - 1, -1);
    }
    bool idle = connecting ? fake->connect_stalls : stalled(fake);
    if (!idle && !connecting && fake->answers[fake->at].kind == FAKE_KIND_UNTIL_CANCEL) {
        while (atomic_load(&fake->cancel_asked) > atomic_load(&fake->cancelled)) {
            (void) sched_yield(); /* the request is on its way, in its own thread */
        }
        idle = atomic_load(&fake->cancelled) == 0;
        fake->at += idle ? 0 : 1;
    }
    if (idle) {
        clock_fake_advance(&fake->clock, (int64_t) timeout_ms * 1000);
        return 0;
    }
    fds[0].revents = (short) (fds[0].events & (POLLIN | POLLOUT));
    return 1;
}

static int fake_consumeInput(PGconn *conn)
{
    fake_pq *fake = fake_of(conn);
    if (fake->at < fake->count && fake->answers[fake->at].kind == FAKE_KIND_DIE) {
        fake->status = CONNECTION_BAD;
        return 0;
    }
    bool whole = fake->at >= fake->count || fake->parts >= fake->answers[fake->at].parts;
    fake->parts += whole ? 0 : 1;
    fake->arrived = whole;
    return 1;
}

static int fake_isBusy(PGconn *conn)
{
    const fake_pq *fake = fake_of(conn);
    return fake->arrived && !stalled(fake) ? 0 : 1;
}

static PGresult *fake_getResult(PGconn *conn)
{
    fake_pq *fake = fake_of(conn);
    const fake_answer *answer = &fake->answers[fake->at++];
    fake->arrived = false;
    fake->parts = 0;
    if (answer->tx_after > 0) {
        fake->tx = (PGTransactionStatusType) (answer->tx_after - 1);
    } else if (answer->status == PGRES_PIPELINE_SYNC && fake->tx == PQTRANS_ACTIVE) {
        fake->tx = PQTRANS_IDLE;
    } else if (answer->kind == FAKE_KIND_END && fake->mode == PQ_PIPELINE_OFF &&
               fake->tx == PQTRANS_ACTIVE) {
        fake->tx = PQTRANS_IDLE;
    }
    if (answer->kind == FAKE_KIND_END) {
        return NULL;
    }
    fake_result *made = malloc(sizeof *made);
    if (made == NULL) {
        return NULL;
    }
    made->answer = answer;
    fake->live_results++;
    return (PGresult *) (void *) made;
}

static void fake_clear(PGresult *result)
{
    if (result != NULL) {
        current->live_results--;
        free(result);
    }
}

static size_t fake_resultMemorySize(const PGresult *result)
{
    return answer_of(result)->memory;
}

static ExecStatusType fake_resultStatus(const PGresult *result)
{
    return result == NULL ? PGRES_FATAL_ERROR : answer_of(result)->status;
}

static char *copy_text(const char *text)
{
    static char buffers[8][100];
    static unsigned next;
    char *buffer = buffers[next++ % 8];
    (void) snprintf(buffer, sizeof buffers[0], "%s", text == NULL ? "" : text);
    return text == NULL ? NULL : buffer;
}

static char *fake_resultErrorField(const PGresult *result, int field)
{
    const fake_answer *answer = answer_of(result);
    switch (field) {
    case PG_DIAG_SQLSTATE:
        return copy_text(answer->sqlstate);
    case PG_DIAG_SEVERITY_NONLOCALIZED:
        return copy_text(answer->severity);
    case PG_DIAG_SOURCE_FUNCTION:
        return copy_text(answer->routine);
    case PG_DIAG_MESSAGE_PRIMARY:
        return copy_text(answer->message);
    default:
        return NULL;
    }
}

static char *fake_resultErrorMessage(const PGresult *result)
{
    const fake_answer *answer = answer_of(result);
    return copy_text(answer->message == NULL ? "" : answer->message);
}

/* A libpq without memory for copies. */
static PGresult *fake_copyResult(const PGresult *result, int flags)
{
    (void) result;
    (void) flags;
    return NULL;
}

static int fake_ntuples(const PGresult *result)
{
    return answer_of(result)->rows;
}

static int fake_nfields(const PGresult *result)
{
    return answer_of(result)->columns;
}

static Oid fake_ftype(const PGresult *result, int column)
{
    return answer_of(result)->types[column];
}

static int fake_nparams(const PGresult *result)
{
    return answer_of(result)->params;
}

static Oid fake_paramtype(const PGresult *result, int index)
{
    return answer_of(result)->param_types[index];
}

static int fake_binaryTuples(const PGresult *result)
{
    (void) result;
    return 1;
}

static char *fake_cmdStatus(PGresult *result)
{
    const char *tag = answer_of(result)->tag;
    return copy_text(tag == NULL ? "" : tag);
}

static char *fake_getvalue(const PGresult *result, int row, int column)
{
    static char bytes[100];
    const fake_answer *answer = answer_of(result);
    (void) row;
    size_t len = (size_t) answer->lengths[column];
    memcpy(bytes + (size_t) column * 32, answer->cells[column], len);
    return bytes + (size_t) column * 32;
}

static int fake_getlength(const PGresult *result, int row, int column)
{
    (void) row;
    return answer_of(result)->lengths[column];
}

static int fake_getisnull(const PGresult *result, int row, int column)
{
    (void) row;
    return answer_of(result)->cells[column] == NULL;
}

/* Made by the fake as long as there are some; freemem() counts them. */
static PGnotify *fake_notifies(PGconn *conn)
{
    fake_pq *fake = fake_of(conn);
    if (fake->notifies == 0) {
        return NULL;
    }
    fake->notifies--;
    static PGnotify notify;
    static char name[] = "channel", extra[] = "payload";
    notify = (PGnotify) { .relname = name, .be_pid = 4712, .extra = extra };
    return &notify;
}

static PGcancel *fake_getCancel(PGconn *conn)
{
    atomic_fetch_add(&fake_of(conn)->cancel_asked, 1);
    return (PGcancel *) (void *) conn;
}

static int fake_cancel(PGcancel *cancel, char *message, int message_size)
{
    (void) cancel;
    (void) message;
    (void) message_size;
    atomic_fetch_add(&current->cancelled, 1);
    return 1;
}

static void fake_freeCancel(PGcancel *cancel)
{
    (void) cancel;
}

static int fake_putCopyEnd(PGconn *conn, const char *message)
{
    log_line_of(fake_of(conn), "copy end", message);
    return 1;
}

const pq_ops *fake_pq_ops(void)
{
    static const pq_ops table = {
        .backendPID = fake_backendPID,
        .binaryTuples = fake_binaryTuples,
        .cancel = fake_cancel,
        .clear = fake_clear,
        .cmdStatus = fake_cmdStatus,
        .cmdTuples = fake_cmdTuples,
        .conndefaults = fake_conndefaults,
        .conninfoFree = fake_conninfoFree,
        .conninfoParse = fake_conninfoParse,
        .connectPoll = fake_connectPoll,
        .connectStartParams = fake_connectStartParams,
        .consumeInput = fake_consumeInput,
        .copyResult = fake_copyResult,
        .db = fake_name,
        .enterPipelineMode = fake_enterPipelineMode,
        .errorMessage = fake_errorMessage,
        .exitPipelineMode = fake_exitPipelineMode,
        .finish = fake_finish,
        .flush = fake_flush,
        .freeCancel = fake_freeCancel,
        .freemem = fake_freemem,
        .ftype = fake_ftype,
        .getCancel = fake_getCancel,
        .getResult = fake_getResult,
        .getisnull = fake_getisnull,
        .getlength = fake_getlength,
        .getvalue = fake_getvalue,
        .host = fake_name,
        .isBusy = fake_isBusy,
        .libVersion = fake_libVersion,
        .nfields = fake_nfields,
        .notifies = fake_notifies,
        .nparams = fake_nparams,
        .ntuples = fake_ntuples,
        .parameterStatus = fake_parameterStatus,
        .paramtype = fake_paramtype,
        .pipelineStatus = fake_pipelineStatus,
        .pipelineSync = fake_pipelineSync,
        .port = fake_name,
        .putCopyEnd = fake_putCopyEnd,
        .resultErrorField = fake_resultErrorField,
        .resultErrorMessage = fake_resultErrorMessage,
        .resultMemorySize = fake_resultMemorySize,
        .resultStatus = fake_resultStatus,
        .sendDescribePrepared = fake_sendDescribePrepared,
        .sendPrepare = fake_sendPrepare,
        .sendQuery = fake_sendQuery,
        .sendQueryParams = fake_sendQueryParams,
        .sendQueryPrepared = fake_sendQueryPrepared,
        .serverVersion = fake_serverVersion,
        .setErrorVerbosity = fake_setErrorVerbosity,
        .setNoticeReceiver = fake_setNoticeReceiver,
        .setSingleRowMode = fake_setSingleRowMode,
        .setnonblocking = fake_setnonblocking,
        .socket = fake_socket,
        .status = fake_status,
        .transactionStatus = fake_transactionStatus,
        .user = fake_name,
        .wait = fake_wait,
    };
    return &table;
}

void fake_pq_init(fake_pq *fake, const fake_answer *answers, size_t count)
{
    memset(fake, 0, sizeof *fake);
    fake->answers = answers;
    fake->count = count;
    fake->version = 150000;
    fake->strings = "on";
    fake->tx = PQTRANS_IDLE;
    clock_fake_init(&fake->clock, 0, 1);
    current = fake;
}

void fake_pq_script(fake_pq *fake, const fake_answer *answers, size_t count)
{
    fake->answers = answers;
    fake->count = count;
    fake->at = 0;
    fake->arrived = false;
    fake->log_len = 0;
    fake->log[0] = '\0';
}

conn_seams fake_pq_seams(fake_pq *fake)
{
    return (conn_seams) { fake_pq_ops(), &fake->clock.ops, -1, NULL };
}
