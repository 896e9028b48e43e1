/* Inside of pgc_conn, for the files of src/pgc that work on connections. */
#ifndef PGC_CONNECTION_H
#define PGC_CONNECTION_H

#include <pgc/conn.h>
#include <pgc/hooks.h>

#include "base/clock.h"
#include "pgc/pq.h"
#include "pgc/statement.h"
#include "pgc/typemap.h"

#define CONN_NO_DEADLINE INT64_MAX

/* An answer of so many bytes makes a pool replace the connection afterwards: the buffers it left
 * behind would stay as long as the connection. A reconnect is cheap beside such an answer. */
#define CONN_BLOAT_BYTES ((size_t) 16 << 20)

/* What a connection stands on; tests put their own libpq and clock here. */
typedef struct conn_seams {
    const pq_ops *pq;
    const clock_ops *clock;
    int wake_fd; /* connecting stops with PGC_CANCELLED once it is readable; -1: none */
} conn_seams;

struct pgc_conn {
    pgc_db db;
    const pgc_alloc *alloc;
    const pq_ops *pq;
    const clock_ops *clock;
    PGconn *pg;
    int64_t call_timeout_us; /* -1: none */
    bool unnamed;            /* never name statements */
    bool lost;               /* never comes back; every call answers PGC_CONNECTION */
    bool bloated;            /* libpq's buffers grew with a huge answer and never shrink */
    statement_cache statements;
    type_map types;
    uint32_t notice_count;     /* notices so far; COPY tells by it what the server sends */
    bool keeps_notifies;       /* notifications are a listener's; else they are dropped */
    void *owner;               /* the pool's slot, NULL outside a pool */
    const char *pool_name;     /* for hooks; NULL outside a pool */
    bool opened;               /* connecting has succeeded */
    bool watched;              /* hooks want to hear of queries */
    pgc_end_reason end_reason; /* for hooks, when the pool closes it */
    pgc_hooks hooks;
};

/* pgc_conn_open() on given seams. */
pgc_status conn_open_on(const pgc_conn_options *options, const conn_seams *seams, pgc_conn **out,
                        pgc_error *err) PGC_MUST_CHECK;
/* Copy the options that the caller's struct_size knows and put defaults in place of zeroes. */
pgc_status conn_options_resolve(const pgc_conn_options *in, pgc_conn_options *out, pgc_error *err)
    PGC_MUST_CHECK;
/* PGC_INVALID when the connection string cannot be parsed; never quotes it. */
pgc_status conn_check_conninfo(const pq_ops *pq, const char *conninfo, pgc_error *err)
    PGC_MUST_CHECK;

/* Absolute time on the connection's clock; timeout_us < 0 gives CONN_NO_DEADLINE. */
int64_t conn_deadline(const pgc_conn *conn, int64_t timeout_us);
/* PGC_CONNECTION when the connection was lost before, PGC_INVALID when it is busy. */
pgc_status conn_check_usable(const pgc_conn *conn, pgc_error *err) PGC_MUST_CHECK;
/* Level 0 of liveness: false when the idle socket shows death. Does not block. */
bool conn_probe(pgc_conn *conn);
/* Level 1: an empty query within timeout_us. */
pgc_status conn_ping(pgc_conn *conn, int64_t timeout_us, pgc_error *err) PGC_MUST_CHECK;

#endif
