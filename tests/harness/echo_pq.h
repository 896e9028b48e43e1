/* A libpq for tests of the pool: any number of connections at once, from any thread, each of which
 * answers whatever it is asked, as a server would that has no data. One call of all can be made to
 * fail, counted over all connections: a loop over that number is a test of every transition.
 *
 *     echo_pq_reset();
 *     echo.fail_at = 7;
 *     const conn_seams seams = { echo_pq_ops(), &HAND_CLOCK, -1, NULL };
 */
#ifndef TEST_ECHO_PQ_H
#define TEST_ECHO_PQ_H

#include <stdatomic.h>

#include "base/clock.h"
#include "pgc/connection.h"

typedef struct echo_pq {
    atomic_int calls;    /* that could fail, so far */
    atomic_int fail_at;  /* 1-based number of the one that fails; 0: none */
    atomic_bool by_loss; /* the connection is bad then; else a want of memory, say */
    atomic_bool refuse;  /* connects fail */
    atomic_bool stall;   /* connects do not begin before this is false */
    atomic_int connects, finished, results; /* made, ended, and results not yet cleared */
} echo_pq;

extern echo_pq echo;

/* Everything as at the start; no connection may be open. */
void echo_pq_reset(void);
const pq_ops *echo_pq_ops(void);

/* A clock that only the test moves; any thread reads it. Its random numbers are zeroes. */
extern _Atomic int64_t hand_clock_us;
extern const clock_ops HAND_CLOCK;

#endif
