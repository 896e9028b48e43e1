/* Waiting for the server: one answer at a time, with a deadline that first asks the server to
 * cancel and only then gives the connection up. */
#ifndef PGC_CALL_H
#define PGC_CALL_H

#include "pgc/connection.h"

/* Time for the server to confirm a cancel before the connection is given up; the default. */
#define CALL_CANCEL_GRACE_US 2000000

#define CALL_WAITED INT64_MIN

/* One request to the server and its patience. */
typedef struct call_state {
    pgc_conn *conn;
    int64_t timeout_us;  /* < 0: none */
    int64_t deadline_us; /* absolute */
    int64_t began_us;    /* until the first wait; then CALL_WAITED */
    uint32_t waits;      /* for the answer that comes in at the moment */
    bool begun;          /* call_end() has something to end */
    bool hard;           /* no cancel and no grace: the deadline is the end */
    bool cancelled;      /* the deadline passed, and the server was asked to stop */
} call_state;

/* Start the clock of a call (timeout_us < 0: no limit); from here to call_end() it can be cancelled
 * by others. Fails as conn_check_usable(): then there is nothing to end. */
pgc_status call_begin(call_state *call, pgc_conn *conn, int64_t timeout_us, pgc_error *err)
    PGC_MUST_CHECK;
/* Start it again: one part of the call is done. Nothing once a cancel is under way. */
void call_extend(call_state *call);
/* Ask the server to stop, once; it then has the grace time to end the call. False: no thread. */
bool call_cancel(call_state *call);
/* Next PGresult or NULL, as PQgetResult. At the deadline a cancel request goes out and the wait
 * goes on for the grace time. Any failure marks the connection as lost. */
pgc_status call_next(call_state *call, PGresult **out, pgc_error *err) PGC_MUST_CHECK;
/* What call_next() does at the deadline, for those who wait by themselves: the first time the
 * server is asked to stop, and PGC_OK means that the grace time runs; the second time all is over.
 */
pgc_status call_out_of_time(call_state *call, pgc_error *err) PGC_MUST_CHECK;
/* End of the call. After a cancel, by whomever: make sure that it cannot hit the next query. */
void call_end(call_state *call);
/* Mark the connection as lost in the middle of a request, whose outcome is unknown then; the
 * message says what libpq says. Returns PGC_CONNECTION. */
pgc_status conn_lose(pgc_conn *conn, const char *doing, pgc_error *err);
/* The same for a failed PQsend…(), whose message was not run: PGC_NOMEM when the connection itself
 * is still good. */
pgc_status conn_send_failed(pgc_conn *conn, const char *doing, pgc_error *err);
/* poll() until ready, deadline or wake_fd; fills *revents when not NULL. PGC_TIMEOUT has no side
 * effect here. */
pgc_status conn_wait(const pq_ops *pq, const clock_ops *clock, struct pollfd *fds, nfds_t count,
                     int64_t deadline_us) PGC_MUST_CHECK;

#endif
