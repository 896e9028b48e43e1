/* Inside of pgc_pool, for pool.c (borrowers) and pool_worker.c (background threads). */
#ifndef PGC_POOL_STATE_H
#define PGC_POOL_STATE_H

#include <pgc/pool.h>

#include "base/list.h"
#include "pgc/connection.h"
#include "pgc/run.h"

#define POOL_WORKER_MAX 3u

/* With no connection left and the server away, waiters hear the reason after this time. */
#define POOL_FAIL_FAST_US 1000000

#define POOL_NOT_IDLE INT64_MIN

/* One connection of the pool. Idle ones are on pool->idle under the lock; else the one who borrowed
 * or closes it owns it. */
typedef struct pool_slot {
    list_node link;
    pgc_conn *conn;
    int64_t expires_us;    /* end of its life time */
    int64_t idle_since_us; /* POOL_NOT_IDLE while borrowed, and when it never was idle */
} pool_slot;

/* A borrower in the queue; lives on its stack. */
typedef struct pool_waiter {
    list_node link;
    pthread_cond_t ready;
    pool_slot *slot;   /* the connection handed over */
    pgc_status status; /* PGC_OK while waiting; else why it was sent away */
    int64_t since_us;
} pool_waiter;

struct pgc_pool {
    pgc_db db;
    conn_seams seams;
    pgc_pool_options options; /* strings in it are ours */
    pgc_hooks hooks;          /* the table behind options.conn.hooks */
    pthread_mutex_t lock;     /* guards everything below */
    pthread_cond_t work;      /* workers sleep here */
    pthread_cond_t drained;   /* pgc_pool_close() sleeps here */
    list_node idle;           /* most recently used first */
    list_node waiters;        /* longest waiting first */
    pgc_pool_stats stats;     /* stats.total counts connecting, idle, acquired and closing ones */
    uint32_t closing;         /* of stats.total, those on their way out */
    bool closed;
    _Atomic uint32_t schema_epoch; /* not under the lock; what connections' schema_epoch is */
    uint32_t failures;             /* connects failed since the last success */
    int64_t backoff_until_us;
    pgc_error last_error;   /* of the last failed connect */
    int64_t maintain_at_us; /* when the idle list is looked through next */
    pthread_t workers[POOL_WORKER_MAX];
    size_t worker_count;
};

/* pgc_pool_open() on given seams. seams->wake_fd is ignored. */
pgc_status pool_open_on(const pgc_pool_options *options, const conn_seams *seams, pgc_pool **out,
                        pgc_error *err) PGC_MUST_CHECK;
/* Run items in one round trip on a borrowed connection; a read-only last query is run once more
 * when its connection turned out to be lost. */
pgc_status pool_run(pgc_pool *pool, const run_item *items, size_t count, pgc_result **out,
                    pgc_error *err) PGC_MUST_CHECK;
/* Rows of the last item of a group, on a connection that is borrowed until they end. */
pgc_status pool_open_rows(pgc_pool *pool, const run_item *items, size_t count,
                          const pgc_run_options *options, pgc_rows **out, pgc_error *err)
    PGC_MUST_CHECK;
int64_t pool_now(const pgc_pool *pool);
/* Random between half of us and us. */
int64_t pool_jitter(const pgc_pool *pool, int64_t us);
/* A condition variable on the monotonic clock. */
void pool_cond_init(pthread_cond_t *cond);
/* With the lock held: wait for a signal, at most us microseconds of real time; < 0: without end. */
void pool_sleep(pgc_pool *pool, pthread_cond_t *cond, int64_t us);
/* With the lock held: give a free connection to the first waiter, else make it idle. */
void pool_hand_over(pgc_pool *pool, pool_slot *slot);
/* Without the lock: close a connection that nobody else sees and that is counted in closing, then
 * free its place. */
void pool_retire(pgc_pool *pool, pool_slot *slot);
/* One look through the idle connections: too old, idle for too long. Called by the workers at their
 * time, and by tests. */
void pool_maintain(pgc_pool *pool);
/* Thread function of a worker; arg is the pool. */
void *pool_work(void *arg);

#endif
