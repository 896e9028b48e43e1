/* The libpq seam: every function of libpq that src/pgc calls, in one table, so that tests can put
 * a scripted libpq behind the library. Members carry libpq's names without "PQ"; their meaning is
 * that of the libpq manual. */
#ifndef PGC_PQ_H
#define PGC_PQ_H

#include <libpq-fe.h>
#include <poll.h>

/* X(name) for each PQname(). */
#define PQ_MAP(X)           \
    X(backendPID)           \
    X(binaryTuples)         \
    X(cancel)               \
    X(clear)                \
    X(cmdStatus)            \
    X(cmdTuples)            \
    X(conndefaults)         \
    X(conninfo)             \
    X(conninfoFree)         \
    X(conninfoParse)        \
    X(connectPoll)          \
    X(connectStartParams)   \
    X(consumeInput)         \
    X(copyResult)           \
    X(db)                   \
    X(enterPipelineMode)    \
    X(errorMessage)         \
    X(exitPipelineMode)     \
    X(fformat)              \
    X(finish)               \
    X(flush)                \
    X(fmod)                 \
    X(fname)                \
    X(freeCancel)           \
    X(freemem)              \
    X(ftable)               \
    X(ftablecol)            \
    X(ftype)                \
    X(getCancel)            \
    X(getCopyData)          \
    X(getResult)            \
    X(getisnull)            \
    X(getlength)            \
    X(getvalue)             \
    X(host)                 \
    X(isBusy)               \
    X(libVersion)           \
    X(nfields)              \
    X(notifies)             \
    X(nparams)              \
    X(ntuples)              \
    X(parameterStatus)      \
    X(paramtype)            \
    X(pipelineStatus)       \
    X(pipelineSync)         \
    X(port)                 \
    X(putCopyData)          \
    X(putCopyEnd)           \
    X(resultErrorField)     \
    X(resultErrorMessage)   \
    X(resultMemorySize)     \
    X(resultStatus)         \
    X(sendDescribePrepared) \
    X(sendFlushRequest)     \
    X(sendPrepare)          \
    X(sendQuery)            \
    X(sendQueryParams)      \
    X(sendQueryPrepared)    \
    X(serverVersion)        \
    X(setErrorVerbosity)    \
    X(setNoticeReceiver)    \
    X(setSingleRowMode)     \
    X(setnonblocking)       \
    X(setvalue)             \
    X(socket)               \
    X(status)               \
    X(transactionStatus)    \
    X(user)

/* Newer functions that Debian 12's libpq 15 does not have; they are there when the headers say so.
 * Cancel requests that are encrypted and do not block: libpq 17. */
#ifdef LIBPQ_HAS_ASYNC_CANCEL
#define PQ_CANCEL_MAP(X) \
    X(cancelCreate)      \
    X(cancelFinish)      \
    X(cancelPoll)        \
    X(cancelReset)       \
    X(cancelSocket)      \
    X(cancelStart)
#else
#define PQ_CANCEL_MAP(X)
#endif

/* A piece of a result in libpq 17 and later; older headers do not name it. */
#define PQ_TUPLES_CHUNK ((ExecStatusType) 12)

typedef struct pq_ops {
#define X(name) __typeof__(PQ##name) *name;
    PQ_MAP(X)
    PQ_CANCEL_MAP(X)
#undef X
    /* NULL where libpq is older than 17. */
    int (*sendClosePrepared)(PGconn *conn, const char *name);
    int (*setChunkedRowsMode)(PGconn *conn, int rows);
    /* poll(2): waiting for the socket is part of the seam, so that a script can let time pass. */
    int (*wait)(struct pollfd *fds, nfds_t count, int timeout_ms);
} pq_ops;

/* The real libpq; static. */
const pq_ops *pq_libpq(void);

#endif
