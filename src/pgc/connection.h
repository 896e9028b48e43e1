/* Inside of pgc_conn, for the files of src/pgc that work on connections. */
#ifndef PGC_CONNECTION_H
#define PGC_CONNECTION_H

#include <pgc/conn.h>
#include <pgc/hooks.h>

#include "base/clock.h"
#include "pgc/hosts.h"
#include "pgc/pq.h"
#include "pgc/statement.h"
#include "pgc/typemap.h"

#include <stdatomic.h>

#define CONN_NO_DEADLINE INT64_MAX

/* An answer of so many bytes makes a pool replace the connection afterwards: the buffers it left
 * behind would stay as long as the connection. A reconnect is cheap beside such an answer. The
 * default of recycle_bytes. */
#define CONN_BLOAT_BYTES ((size_t) 16 << 20)

/* What a connection stands on; tests put their own libpq and clock here. */
typedef struct conn_seams {
    const pq_ops *pq;
    const clock_ops *clock;
    int wake_fd;        /* connecting stops with PGC_CANCELLED once it is readable; -1: none */
    host_lookup lookup; /* name service; NULL: the system's */
} conn_seams;

struct cancel_job;

/* A call that nobody asked to stop, which is nearly every one, begins and ends without a lock. */
typedef enum call_phase { CALL_NONE, CALL_RUNNING, CALL_STOPPING } call_phase;

struct pgc_conn {
    pgc_db db;
    const pgc_alloc *alloc;
    const pq_ops *pq;
    const clock_ops *clock;
    PGconn *pg;
    int64_t call_timeout_us; /* -1: none */
    int64_t cancel_grace_us; /* > 0 */
    size_t recycle_bytes;    /* an answer above makes it bloated */
    conn_want want;          /* which servers will do */
    bool was_standby;        /* when it connected; what it reports since then counts more */
    bool was_read_only;
    bool connecting;    /* set-up queries: their deadline is the end, nobody is asked to stop */
    bool unnamed;       /* never name statements */
    bool lost;          /* never comes back; every call answers PGC_CONNECTION */
    bool bloated;       /* libpq's buffers grew with a huge answer and never shrink */
    bool write_refused; /* the server answered 25006: it takes no writes */
    uint32_t dirty;     /* PGC_SESSION_*: what a pool must clean */
    uint32_t calls;     /* requests so far; wraps */
    _Atomic call_phase phase;    /* what other threads see of the call under way */
    pthread_mutex_t cancel_lock; /* guards the next one, and the way to and from CALL_STOPPING */
    struct cancel_job *cancel;   /* asked for during that call; call_end() settles it */
    statement_cache statements;
    type_map types;
    int64_t used_us;      /* end of the last call */
    char end_sqlstate[6]; /* the server's last words to an idle session; "": none */
    char end_message[160];
    uint32_t notice_count;     /* notices so far; COPY tells by it what the server sends */
    bool keeps_notifies;       /* notifications are a listener's; else they are dropped */
    void *owner;               /* the pool's slot, NULL outside a pool */
    const char *pool_name;     /* for hooks; NULL outside a pool */
    bool opened;               /* connecting has succeeded */
    bool watched;              /* hooks want to hear of queries */
    pgc_end_reason end_reason; /* for hooks, when the pool closes it */
    pgc_hooks hooks;
    uint64_t system_id; /* system identifier of the server; 0: not asked for */
    int64_t run;        /* of the server; a crash ends it, and this session */
    uint32_t timeline;  /* of its log; 0: not asked for, or a standby */
    /* Counts changes of the schema that were noticed, on any connection that shares the counter. */
    _Atomic uint32_t *schema_epoch;
    _Atomic uint32_t own_epoch; /* what schema_epoch points to outside a pool */
    uint32_t seen_epoch;        /* up to which statements and types were checked */
    struct pgc_rows *rows;      /* rows being read one by one; NULL: none */
};

/* pgc_conn_open() on given seams. */
pgc_status conn_open_on(const pgc_conn_options *options, const conn_seams *seams, pgc_conn **out,
                        pgc_error *err) PGC_MUST_CHECK;
/* Set what the startup message could not say: late settings, role. Also after RESET ALL. */
pgc_status conn_session_setup(pgc_conn *conn, const pgc_conn_options *options, int64_t timeout_us,
                              pgc_error *err) PGC_MUST_CHECK;
/* False when the server is no longer of the kind that target_session_attrs asked for, such as after
 * a demotion. No query: what the server reported with its last answer. */
bool conn_fits(const pgc_conn *conn);
/* Own copies of all texts in resolved options; on failure nothing is left to free. */
pgc_status conn_options_copy(pgc_conn_options *options, pgc_error *err) PGC_MUST_CHECK;
/* Wipe and free those copies. */
void conn_options_free(pgc_conn_options *options);
/* Copy the options that the caller's struct_size knows and put defaults in place of zeroes. */
pgc_status conn_options_resolve(const pgc_conn_options *in, pgc_conn_options *out, pgc_error *err)
    PGC_MUST_CHECK;
/* In place, for those inside of other options: their struct_size may be left out, the outer one
 * says as much. */
pgc_status conn_options_resolve_inner(pgc_conn_options *conn, pgc_error *err) PGC_MUST_CHECK;
/* PGC_INVALID when the connection string cannot be parsed; never quotes it. */
pgc_status conn_check_conninfo(const pq_ops *pq, const char *conninfo, pgc_error *err)
    PGC_MUST_CHECK;

/* Absolute time on the connection's clock; timeout_us < 0 gives CONN_NO_DEADLINE. */
int64_t conn_deadline(const pgc_conn *conn, int64_t timeout_us);
/* PGC_CONNECTION when the connection was lost before, PGC_INVALID when it is busy. Looks at the
 * socket when it was idle for long. */
pgc_status conn_check_usable(pgc_conn *conn, pgc_error *err) PGC_MUST_CHECK;
/* The same for those who know what the connection's clock says. */
pgc_status conn_check_at(pgc_conn *conn, int64_t now_us, pgc_error *err) PGC_MUST_CHECK;
/* Notice receiver: keeps what ends the session, passes everything on to the hooks. */
void conn_notice(void *arg, const PGresult *result);
/* When the server ended the session while it was idle, say that in err, which tells of a loss: what
 * was sent since then was never read. */
void conn_last_words(const pgc_conn *conn, pgc_error *err);
/* False when the idle socket shows death. Does not block. */
bool conn_socket_alive(pgc_conn *conn);
/* Level 0 of liveness: false when the idle socket shows death, or the server no longer fits. Does
 * not block. */
bool conn_probe(pgc_conn *conn);
/* Level 1: an empty query within timeout_us. */
pgc_status conn_ping(pgc_conn *conn, int64_t timeout_us, pgc_error *err) PGC_MUST_CHECK;

#endif
