/* A libpq for tests that follows a script: what getResult() gives, in order, and when the world
 * ends. Time is a fake clock that waiting moves.
 *
 *     fake_pq fake;
 *     const fake_answer answers[] = { FAKE_OK("SELECT 1"), FAKE_END, FAKE_SYNC };
 *     fake_pq_init(&fake, answers, 3);
 *     const conn_seams seams = fake_pq_seams(&fake);
 *
 * One fake at a time: some functions of libpq have no handle to find it by. */
#ifndef TEST_FAKE_PQ_H
#define TEST_FAKE_PQ_H

#include <stdatomic.h>

#include "base/clock.h"
#include "pgc/connection.h"

typedef enum fake_kind {
    FAKE_KIND_RESULT,
    FAKE_KIND_END,          /* NULL */
    FAKE_KIND_STALL,        /* nothing comes any more */
    FAKE_KIND_UNTIL_CANCEL, /* nothing comes before a cancel request */
    FAKE_KIND_DIE,          /* the connection breaks */
} fake_kind;

#define FAKE_COLUMNS_MAX 3

typedef struct fake_answer {
    fake_kind kind;
    ExecStatusType status;
    const char *sqlstate, *severity, *routine, *message; /* of errors */
    const char *tag;                                     /* command tag */
    int rows, columns;
    size_t memory; /* what resultMemorySize() says */
    Oid types[FAKE_COLUMNS_MAX];
    const char *cells[FAKE_COLUMNS_MAX]; /* of every row */
    int lengths[FAKE_COLUMNS_MAX];
    int params;
    Oid param_types[FAKE_COLUMNS_MAX];
    int tx_after; /* 1 + PGTransactionStatusType from here on; 0: as before */
    int parts;    /* reads that bring a part of it before the one that ends it */
} fake_answer;

#define FAKE_END              \
    {                         \
        .kind = FAKE_KIND_END \
    }
#define FAKE_STALL              \
    {                           \
        .kind = FAKE_KIND_STALL \
    }
#define FAKE_UNTIL_CANCEL              \
    {                                  \
        .kind = FAKE_KIND_UNTIL_CANCEL \
    }
#define FAKE_DIE              \
    {                         \
        .kind = FAKE_KIND_DIE \
    }
#define FAKE_SYNC                     \
    {                                 \
        .status = PGRES_PIPELINE_SYNC \
    }
#define FAKE_ABORTED                     \
    {                                    \
        .status = PGRES_PIPELINE_ABORTED \
    }
#define FAKE_DONE(cmd_tag)                           \
    {                                                \
        .status = PGRES_COMMAND_OK, .tag = (cmd_tag) \
    }
#define FAKE_ERROR(code)                                                                           \
    {                                                                                              \
        .status = PGRES_FATAL_ERROR, .sqlstate = (code), .severity = "ERROR", .message = "made up" \
    }

typedef struct fake_pq {
    const fake_answer *answers;
    size_t count, at;
    bool arrived; /* the answer at `at` has been read from the socket */
    int parts;    /* of it, so far */
    clock_fake clock;
    /* Knobs. */
    int version;               /* 0: 150000 */
    const char *connect_error; /* connecting fails with it */
    bool connect_stalls;       /* connecting never ends */
    bool connect_wakes;        /* but for the second descriptor, waited for in earnest */
    bool connect_no_memory;    /* no PGconn */
    int send_fails_at;         /* 1-based number of the send that fails */
    bool send_fails_by_loss;   /* and the connection is bad then */
    int notifies;              /* so many notifications have come */
    bool parts_lag;            /* a look at the socket finds the next part not there yet */
    int flush_blocks;          /* so many times flush() says "not all yet" */
    const char *strings;       /* standard_conforming_strings */
    /* What happened. */
    ConnStatusType status;
    PGTransactionStatusType tx;
    PGpipelineStatus mode;
    int sends, live_results, finished, wakes;
    atomic_int cancel_asked, cancelled;
    char log[8192]; /* one line per message sent */
    size_t log_len;
} fake_pq;

void fake_pq_init(fake_pq *fake, const fake_answer *answers, size_t count);
/* Go on with other answers, e.g. after connecting. The log is emptied. */
void fake_pq_script(fake_pq *fake, const fake_answer *answers, size_t count);
conn_seams fake_pq_seams(fake_pq *fake);
/* The table alone. */
const pq_ops *fake_pq_ops(void);

#endif
