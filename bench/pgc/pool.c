/* The pool: what borrowing costs when nobody else wants the connection, and how even the waits are
 * when eight times as many threads as connections want one. */
#include "parts.h"

#include <semaphore.h>

#include "base/list.h"
#include "repo/assets.h"

enum { BORROWS = 1000, BATCHES = 200, WAITERS = 64, CONNS = 8, TURNS = 50 };

static pgc_pool *open_pool(bench_site *site, uint32_t conns)
{
    const pgc_pool_options options = { .struct_size = sizeof options,
                                       .conn = { .struct_size = sizeof options.conn,
                                                 .conninfo = site->url },
                                       .max_conns = conns,
                                       .min_conns = conns };
    pgc_pool *pool = NULL;
    if (pgc_pool_open(&options, &pool, &site->err) != PGC_OK) {
        (void) site_failed(site, "open a pool");
    }
    return pool;
}

static double acquire_ours(void *ctx)
{
    bench_site *site = ctx;
    pgc_pool *pool = open_pool(site, 1);
    pgc_conn *conn = NULL;
    if (pool == NULL || pgc_pool_acquire(pool, &conn, &site->err) != PGC_OK) {
        pgc_pool_close(pool);
        return site_failed(site, "acquire");
    }
    pgc_pool_release(pool, conn);
    /* A batch is shorter than a time slice: the median is free of other programs' slices. */
    double batches[BATCHES];
    for (int batch = 0; batch < BATCHES && conn != NULL; batch++) {
        double start = bench_now();
        for (int i = 0; i < BORROWS && conn != NULL; i++) {
            conn = NULL;
            if (pgc_pool_acquire(pool, &conn, &site->err) == PGC_OK) {
                pgc_pool_release(pool, conn);
            }
        }
        batches[batch] = (bench_now() - start) * 1e6 / BORROWS;
    }
    pgc_pool_close(pool);
    return conn != NULL ? bench_median(batches, BATCHES) : BENCH_NONE;
}

static double acquire_limit(void *ctx)
{
    (void) ctx;
    return 0.3;
}

/* The least that can be done in order of arrival: a lock, a list, a semaphore for each who waits.
 * What it shows of uneven waits is the scheduler's, and the other programs'. */
typedef struct plain_fifo {
    pthread_mutex_t lock;
    list_node waiters;
    pgc_conn *conns[CONNS], *idle[CONNS];
    size_t idle_count;
} plain_fifo;

typedef struct plain_waiter {
    list_node link;
    sem_t turn;
    pgc_conn *conn;
} plain_waiter;

static pgc_conn *plain_acquire(plain_fifo *fifo)
{
    plain_waiter me = { .conn = NULL };
    (void) pthread_mutex_lock(&fifo->lock);
    if (fifo->idle_count > 0) {
        me.conn = fifo->idle[--fifo->idle_count];
        (void) pthread_mutex_unlock(&fifo->lock);
        return me.conn;
    }
    (void) sem_init(&me.turn, 0, 0);
    list_append(&fifo->waiters, &me.link);
    (void) pthread_mutex_unlock(&fifo->lock);
    while (sem_wait(&me.turn) != 0) {
        continue;
    }
    (void) sem_destroy(&me.turn);
    return me.conn;
}

static void plain_release(plain_fifo *fifo, pgc_conn *conn)
{
    (void) pthread_mutex_lock(&fifo->lock);
    if (list_empty(&fifo->waiters)) {
        fifo->idle[fifo->idle_count++] = conn;
    } else {
        plain_waiter *first = CONTAINER_OF(fifo->waiters.next, plain_waiter, link);
        list_remove(&first->link);
        first->conn = conn;
        (void) sem_post(&first->turn);
    }
    (void) pthread_mutex_unlock(&fifo->lock);
}

static plain_fifo *plain_open(bench_site *site)
{
    static plain_fifo fifo = { .lock = PTHREAD_MUTEX_INITIALIZER };
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = site->url };
    list_init(&fifo.waiters);
    for (; fifo.idle_count < CONNS; fifo.idle_count++) {
        pgc_conn **conn = &fifo.conns[fifo.idle_count];
        if (pgc_conn_open(&options, conn, &site->err) != PGC_OK) {
            (void) site_failed(site, "connect");
            return NULL;
        }
        fifo.idle[fifo.idle_count] = *conn;
    }
    return &fifo;
}

/* 64 threads that each borrow, read one asset and give back, 50 times. */
typedef struct fair_run {
    bench_site *site;
    pgc_pool *pool;
    plain_fifo *plain; /* instead of the pool */
    double waits_us[WAITERS * TURNS];
    double p99_us, median_us; /* of the last run */
    bool ok;
} fair_run;

typedef struct fair_thread {
    fair_run *run;
    size_t number;
    bool ok;
} fair_thread;

static void fair_work(void *arg)
{
    fair_thread *me = arg;
    fair_run *run = me->run;
    double *waits = run->waits_us + me->number * TURNS;
    me->ok = true;
    for (size_t i = 0; i < TURNS && me->ok; i++) {
        pgc_conn *conn = NULL;
        repo_asset_set set = { .rows = NULL };
        double asked = bench_now();
        if (run->plain != NULL) {
            conn = plain_acquire(run->plain);
        } else {
            me->ok = pgc_pool_acquire(run->pool, &conn, NULL) == PGC_OK;
        }
        waits[i] = (bench_now() - asked) * 1e6;
        const pgc_uuid *id = &run->site->ids[(me->number * TURNS + i) % BENCH_IDS];
        me->ok = me->ok && repo_get_asset(pgc_conn_db(conn), *id, &set, NULL) == PGC_OK;
        repo_asset_set_free(&set);
        if (run->plain != NULL) {
            plain_release(run->plain, conn);
        } else {
            pgc_pool_release(run->pool, conn);
        }
    }
}

/* Waits of the whole run, the first and last turns included: nothing is left out. */
static void fair_measure(fair_run *run)
{
    fair_thread threads[WAITERS];
    for (size_t i = 0; i < WAITERS; i++) {
        threads[i] = (fair_thread) { run, i, false };
    }
    run->ok = !isnan(threads_run(WAITERS, fair_work, threads, sizeof threads[0], NULL));
    for (size_t i = 0; i < WAITERS; i++) {
        run->ok = run->ok && threads[i].ok;
    }
    run->median_us = bench_median(run->waits_us, ARRAY_LEN(run->waits_us));
    run->p99_us = bench_percentile(run->waits_us, ARRAY_LEN(run->waits_us), 99);
}

static double fair_p99(void *ctx)
{
    fair_run *run = ctx;
    if (run->pool == NULL) {
        run->pool = open_pool(run->site, CONNS);
    }
    run->ok = false;
    if (run->pool != NULL) {
        fair_measure(run);
    }
    return run->ok ? run->p99_us : BENCH_NONE;
}

/* Of the same run, whatever the order of the two sides: a run gives both. */
static double fair_median(void *ctx)
{
    fair_run *run = ctx;
    return run->ok ? run->median_us : BENCH_NONE;
}

static double plain_p99(void *ctx)
{
    static fair_run run;
    const fair_run *ours = ctx;
    run.site = ours->site;
    run.plain = run.plain != NULL ? run.plain : plain_open(run.site);
    run.ok = false;
    if (run.plain != NULL) {
        fair_measure(&run);
    }
    return run.ok ? run.p99_us : BENCH_NONE;
}

void pool_rows(bench_site *site, bench_rows *rows)
{
    static fair_run fair;
    fair.site = site;
    rows_add(rows, (bench_case) { .name = "pool acquire + release",
                                  .unit = "us",
                                  .other_is = "the limit",
                                  .ours = acquire_ours,
                                  .other = acquire_limit,
                                  .ctx = site,
                                  .goal = BENCH_AT_MOST,
                                  .bound = 1.0,
                                  .rounds = 9 });
    rows_add(rows, (bench_case) { .name = "wait p99, 64 threads, 8 conns",
                                  .unit = "us",
                                  .other_is = "median wait of the same run",
                                  .ours = fair_p99,
                                  .other = fair_median,
                                  .ctx = &fair,
                                  .goal = BENCH_AT_MOST,
                                  .bound = 3.0,
                                  .rounds = 9 });
    rows_add(rows, (bench_case) { .name = "wait p99, beside the limit",
                                  .unit = "us",
                                  .other_is = "p99 of a plain FIFO semaphore, same work",
                                  .ours = fair_p99,
                                  .other = plain_p99,
                                  .ctx = &fair,
                                  .goal = BENCH_AT_MOST,
                                  .bound = 1.25,
                                  .rounds = 15 });
}
