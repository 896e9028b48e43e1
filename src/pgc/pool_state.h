/* Inside of pgc_pool, for its files: pool.c (borrow, give back), pool_queue.c (waiting),
 * pool_worker.c (background threads), pool_retire.c (what ends connections), pool_watch.c
 * (statistics, holders, leaks), pool_open.c (life and death). */
#ifndef PGC_POOL_STATE_H
#define PGC_POOL_STATE_H

#include <pgc/pool.h>

#include "base/list.h"
#include "pgc/connection.h"
#include "pgc/dirty.h"
#include "pgc/gate.h"
#include "pgc/run.h"

#include <stdatomic.h>

#define POOL_CONNS_LIMIT 1000u
#define POOL_WORKER_MAX  3u

/* With no connection left and the server away, waiters hear the reason after this time. */
#define POOL_FAIL_FAST_US 1000000
/* A connection that was in use so recently is not looked at before it is lent again. */
#define POOL_PROBE_AFTER_US 1000
/* Time for the server to roll back or clean a session. */
#define POOL_RESTORE_US 2000000

#define POOL_NOT_IDLE INT64_MIN

/* Who owns a slot: idle, the list; acquired, the borrower; cleaning, a worker (or the list
 * pool->repairs); closing, the thread that closes it. */
typedef enum slot_state { SLOT_IDLE, SLOT_ACQUIRED, SLOT_CLEANING, SLOT_CLOSING } slot_state;

/* One connection of the pool. */
typedef struct pool_slot {
    list_node link; /* of pool->idle, pool->repairs or a list of victims */
    list_node all;  /* of pool->slots, while it is counted in stats.total */
    pgc_conn *conn;
    slot_state state;        /* under the lock */
    uint32_t generation;     /* of the pool when connecting began */
    int64_t expires_us;      /* end of its life time */
    int64_t idle_since_us;   /* POOL_NOT_IDLE while borrowed, and when it never was idle */
    int64_t checked_us;      /* last sign of life without a borrower */
    int64_t borrowed_us;     /* since when it is borrowed */
    const char *holder;      /* who borrows; "" when nobody said */
    uint64_t thread_id;      /* of the borrower, when leaks are looked for */
    int32_t backend_pid;     /* readable by all threads, unlike the connection */
    int cut_fd;              /* the socket once more, for shutdown() by another thread; -1: none */
    bool leak_told;          /* on_leak was called for this borrower */
    bool replacing;          /* old; ends when its successor is there */
    dirty_baseline baseline; /* the session as a borrower must find it */
} pool_slot;

/* What one borrower asked for. */
typedef struct pool_request {
    pgc_priority priority;
    bool no_wait;
    bool again;         /* had one that was no good: goes to the head of the queue */
    int64_t timeout_us; /* < 0: without limit */
    const char *holder;
    uint64_t ticket;
} pool_request;

/* A borrower in the queue; lives on its stack. */
typedef struct pool_waiter {
    list_node link;
    gate ready;
    pool_slot *slot;   /* the connection handed over */
    pgc_status status; /* PGC_OK while waiting; else why it was sent away */
    int64_t since_us;
    const pool_request *request;
    uint64_t thread_id; /* when leaks are looked for */
} pool_waiter;

#define POOL_PRIORITIES 2u

struct pgc_pool {
    pgc_db db;
    conn_seams seams;
    pgc_pool_options options; /* strings in it are ours */
    pgc_hooks hooks;          /* the table behind options.conn.hooks */
    uint32_t forks;           /* how often this process had been forked; see pool_forked() */
    pthread_mutex_t lock;     /* guards everything below */
    pthread_cond_t work;      /* workers sleep here */
    pthread_cond_t drained;   /* pgc_pool_close() sleeps here */
    list_node idle;           /* most recently used first */
    list_node repairs;        /* to be cleaned or checked by a worker */
    list_node slots;          /* all that are connected */
    list_node waiters[POOL_PRIORITIES]; /* longest waiting first */
    uint32_t streak;                    /* interactive waiters served since a background one */
    pgc_pool_stats stats; /* stats.total counts connecting, idle, acquired, cleaning, closing */
    bool closed;
    bool abandoned;                /* closed with borrowers left: the last one frees */
    bool hinted;                   /* somebody would like one more, but does not wait */
    uint32_t replacing;            /* slots that wait for a successor */
    uint32_t replace;              /* successors to be made for them */
    uint32_t successors;           /* made, while the old ones were borrowed */
    _Atomic uint32_t schema_epoch; /* not under the lock; what connections' schema_epoch is */
    uint32_t failures;             /* connects failed since the last success */
    bool hopeless;                 /* the last failure does not go away by waiting */
    int64_t backoff_until_us;
    pgc_error last_error;   /* of the last failed connect */
    int64_t maintain_at_us; /* when the connections are looked through next */
    int64_t retire_from_us; /* start of the second in which retired counts */
    uint32_t retired;
    _Atomic int64_t alarm_us; /* when a connection was last found lost */
    pthread_t workers[POOL_WORKER_MAX];
    size_t worker_count;
};

/* pgc_pool_open() on given seams. seams->wake_fd is ignored. */
pgc_status pool_open_on(const pgc_pool_options *options, const conn_seams *seams, pgc_pool **out,
                        pgc_error *err) PGC_MUST_CHECK;
/* True in a child of the process that opened the pool: its threads and sockets are not ours. */
bool pool_forked(const pgc_pool *pool);
/* Free a pool without threads and connections. */
void pool_free(pgc_pool *pool);
/* Run items in one round trip on a borrowed connection; a read-only last query is run once more
 * when its connection turned out to be lost. */
pgc_status pool_run(pgc_pool *pool, const run_item *items, size_t count, pgc_result **out,
                    pgc_error *err) PGC_MUST_CHECK;
/* Rows of the last item of a group, on a connection that is borrowed until they end. */
pgc_status pool_open_rows(pgc_pool *pool, const run_item *items, size_t count,
                          const pgc_run_options *options, pgc_rows **out, pgc_error *err)
    PGC_MUST_CHECK;

int64_t pool_now(const pgc_pool *pool);
/* With the lock held: wait for a signal, at most us microseconds of real time; < 0: without end. */
void pool_sleep(pgc_pool *pool, pthread_cond_t *cond, int64_t us);

/* With the lock held: this borrower has the slot from now on. */
void pool_lend(pgc_pool *pool, pool_slot *slot, const pool_request *request, uint64_t thread_id,
               int64_t now_us);
/* The thread's number when leaks are looked for, else 0. */
uint64_t pool_borrower_id(const pgc_pool *pool);
/* Called with the lock held, left without it: stand in the queue until a connection is handed
 * over. */
pgc_status pool_wait(pgc_pool *pool, const pool_request *request, pool_slot **out, pgc_error *err)
    PGC_MUST_CHECK;
/* With the lock held: give a free connection to the first waiter, else make it idle. Whom to wake
 * with gate_rouse() when the lock is free again; NULL: nobody. */
const gate *pool_hand_over(pgc_pool *pool, pool_slot *slot, int64_t now_us);
/* With the lock held: every waiter looks again at how long waiting makes sense; status is not
 * PGC_OK: is sent away with it. */
void pool_wake_waiters(pgc_pool *pool, pgc_status status);

/* With the lock held: a slot that nobody else sees begins to close; for pool_retire(). */
void pool_begin_close(pgc_pool *pool, pool_slot *slot, pgc_end_reason reason);
/* Without the lock: close a connection after pool_begin_close(), then free its place. The last one
 * of an abandoned pool frees the pool. */
void pool_retire(pgc_pool *pool, pool_slot *slot);
/* Without the lock: all of a list. */
void pool_retire_all(pgc_pool *pool, list_node *victims);
/* With the lock held: take an idle slot off the list, to be closed or checked. */
void pool_take_idle(pgc_pool *pool, pool_slot *slot);
/* With the lock held: may one more connection end by age now? Counts it when yes. */
bool pool_may_retire(pgc_pool *pool, int64_t now_us);
/* With the lock held: does a free connection end by age now? While there is room below the cap
 * its successor is asked for, and it stays until that is there. */
bool pool_ends_by_age(pgc_pool *pool, pool_slot *slot, int64_t now_us);
/* All connections made so far end; without the lock. */
void pool_bump(pgc_pool *pool);
/* Somebody else has seen the server: what failed connects taught is forgotten; without the lock. */
void pool_forgive(pgc_pool *pool);
/* One look through the connections: too old, idle for too long, overdue. Called by the workers at
 * their time, and by tests. */
void pool_maintain(pgc_pool *pool);

/* Thread function of a worker; arg is the pool. */
void *pool_work(void *arg);

void histogram_add(pgc_histogram *histogram, int64_t us);
/* Tell on_leak of borrowers that hold for over_us or more; without the lock. */
void pool_tell_leaks(pgc_pool *pool, int64_t over_us);
/* Tell on_acquire and on_release; only when somebody listens. */
void pool_tell_acquire(const pgc_pool *pool, const pgc_conn *conn, const pool_request *request,
                       pgc_pool_event event, const pgc_error *err);
void pool_tell_release(const pgc_pool *pool, const pool_slot *slot, int64_t now_us, bool closed);
/* With the lock held: panics in debug builds when the counters and lists do not fit. */
void pool_check(const pgc_pool *pool);
/* The kernel's number of this thread. */
uint64_t pool_thread_id(void);

#endif
