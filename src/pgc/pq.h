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
    X(conninfo)             \
    X(conninfoFree)         \
    X(conninfoParse)        \
    X(connectPoll)          \
    X(connectStartParams)   \
    X(consumeInput)         \
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
    X(socket)               \
    X(status)               \
    X(transactionStatus)

typedef struct pq_ops {
#define X(name) __typeof__(PQ##name) *name;
    PQ_MAP(X)
#undef X
    /* poll(2): waiting for the socket is part of the seam, so that a script can let time pass. */
    int (*wait)(struct pollfd *fds, nfds_t count, int timeout_ms);
} pq_ops;

/* The real libpq; static. */
const pq_ops *pq_libpq(void);

#endif
