/* Life and death of a pool. Opening starts threads but makes no connection; closing waits for all
 * borrowed ones. */
#include "base/prelude.h"

#include <sys/eventfd.h>

#include "pgc/pool_state.h"
#include "pgc/watch.h"

#define MAX_CONNS_DEFAULT    20u
#define MIN_CONNS_DEFAULT    5u
#define MAX_CONNS_LIMIT      1000u
#define MAX_WAITERS_DEFAULT  1000u
#define LIFETIME_DEFAULT_US  INT64_C(3600000000)
#define IDLE_DEFAULT_US      INT64_C(1800000000)
#define ACQUIRE_DEFAULT_US   30000000
#define PING_IDLE_DEFAULT_US 5000000

/* Zero and less mean the default; options where less than zero has a meaning do not come here. */
static void default_us(int64_t *value, int64_t otherwise)
{
    *value = *value > 0 ? *value : otherwise;
}

/* The inner struct_size may be left out: the outer one says as much. */
static pgc_status options_resolve(const pgc_pool_options *in, pgc_pool_options *out, pgc_error *err)
{
    if (in == NULL || in->struct_size < sizeof in->struct_size || in->struct_size > 4096) {
        return pgc_error_set(err, PGC_INVALID, "pool options: struct_size is not set");
    }
    *out = (pgc_pool_options) { 0 };
    memcpy(out, in, in->struct_size < sizeof *out ? in->struct_size : sizeof *out);
    out->struct_size = sizeof *out;
    pgc_conn_options conn = out->conn;
    conn.struct_size = conn.struct_size == 0 ? sizeof conn : conn.struct_size;
    TRY(conn_options_resolve(&conn, &out->conn, err));
    out->max_conns = out->max_conns != 0 ? out->max_conns : MAX_CONNS_DEFAULT;
    if (out->min_conns == 0) {
        out->min_conns = MIN_CONNS_DEFAULT < out->max_conns ? MIN_CONNS_DEFAULT : out->max_conns;
    }
    if (out->max_conns > MAX_CONNS_LIMIT || out->min_conns > out->max_conns) {
        return pgc_error_set(err, PGC_INVALID,
                             "pool options: %" PRIu32 " to %" PRIu32 " connections (most are %u)",
                             out->min_conns, out->max_conns, MAX_CONNS_LIMIT);
    }
    out->max_waiters = out->max_waiters != 0 ? out->max_waiters : MAX_WAITERS_DEFAULT;
    default_us(&out->lifetime_us, LIFETIME_DEFAULT_US);
    default_us(&out->lifetime_jitter_us, out->lifetime_us / 10);
    default_us(&out->idle_us, IDLE_DEFAULT_US);
    default_us(&out->ping_idle_us, PING_IDLE_DEFAULT_US);
    if (out->acquire_timeout_us == 0) {
        out->acquire_timeout_us = ACQUIRE_DEFAULT_US;
    }
    return PGC_OK;
}

/* For a pool without threads and connections. */
static void free_all(pgc_pool *pool)
{
    const pgc_alloc *alloc = pool->options.conn.alloc;
    conn_options_free(&pool->options.conn);
    if (pool->seams.wake_fd >= 0) {
        (void) close(pool->seams.wake_fd);
    }
    (void) pthread_cond_destroy(&pool->drained);
    (void) pthread_cond_destroy(&pool->work);
    (void) pthread_mutex_destroy(&pool->lock);
    mem_free(alloc, pool, sizeof *pool);
}

/* The wall clock may jump; waiting must not. */
void pool_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    (void) pthread_condattr_init(&attr);
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void) pthread_cond_init(cond, &attr);
    (void) pthread_condattr_destroy(&attr);
}

/* A single query is a group of one. */
static pgc_status pool_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                              pgc_result **out, pgc_error *err)
{
    const run_item item = { query, args };
    return pool_run(CONTAINER_OF(db, pgc_pool, db), &item, 1, out, err);
}

/* The connection is lent until the rows end. */
static pgc_status pool_db_open_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                                    const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    const run_item item = { query, args };
    return pool_open_rows(CONTAINER_OF(db, pgc_pool, db), &item, 1, options, out, err);
}

/* Borrowed as by anybody else. */
static pgc_status pool_db_lend(pgc_db *db, pgc_loan *out, pgc_error *err)
{
    pgc_conn *conn = NULL;
    TRY(pgc_pool_acquire(CONTAINER_OF(db, pgc_pool, db), &conn, err));
    *out = (pgc_loan) { .conn = conn };
    return PGC_OK;
}

static void pool_db_give_back(pgc_db *db, pgc_loan *loan)
{
    pgc_pool_release(CONTAINER_OF(db, pgc_pool, db), loan->conn);
}

static const pgc_db_ops POOL_DB_OPS = { .struct_size = sizeof(pgc_db_ops),
                                        .run = pool_db_run,
                                        .open_rows = pool_db_open_rows,
                                        .lend = pool_db_lend,
                                        .give_back = pool_db_give_back };

/* One worker is enough to live with. */
static pgc_status start_workers(pgc_pool *pool, pgc_error *err)
{
    size_t wanted =
        pool->options.max_conns < POOL_WORKER_MAX ? pool->options.max_conns : POOL_WORKER_MAX;
    /* Signals are the program's business, not that of our threads. */
    sigset_t all, before;
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = 0;
    while (rc == 0 && pool->worker_count < wanted) {
        rc = pthread_create(&pool->workers[pool->worker_count], NULL, pool_work, pool);
        pool->worker_count += rc == 0 ? 1 : 0;
    }
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool->worker_count > 0 ? PGC_OK : pgc_error_set(err, PGC_NOMEM, "pool: start a thread");
}

/* The server is not asked for anything here: a program may start before its database. */
pgc_status pool_open_on(const pgc_pool_options *options, const conn_seams *seams, pgc_pool **out,
                        pgc_error *err)
{
    pgc_pool_options full;
    TRY(options_resolve(options, &full, err));
    pgc_hooks hooks;
    TRY(hooks_resolve(full.conn.hooks, &hooks, err));
    TRY(conn_check_conninfo(seams->pq, full.conn.conninfo, err));
    pgc_pool *pool = MEM_NEW(full.conn.alloc, pgc_pool);
    if (pool == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "pool");
    }
    pool->db.ops = &POOL_DB_OPS;
    pool->options = full;
    pool->hooks = hooks;
    pool->options.conn.hooks = &pool->hooks;
    pool->seams = *seams;
    (void) pthread_mutex_init(&pool->lock, NULL);
    pool_cond_init(&pool->work);
    pool_cond_init(&pool->drained);
    list_init(&pool->idle);
    list_init(&pool->waiters);
    pool->seams.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pgc_status status = conn_options_copy(&pool->options.conn, err);
    if (status != PGC_OK) {
        (void) pgc_error_wrap(err, status, "pool");
    } else if (pool->seams.wake_fd < 0) {
        status = pgc_error_errno(err, errno, "pool: make an event descriptor");
    } else {
        status = start_workers(pool, err);
    }
    if (status != PGC_OK) {
        free_all(pool);
        return status;
    }
    *out = pool;
    return PGC_OK;
}

/* The public door to pool_open_on(): real libpq, real clock. */
pgc_status pgc_pool_open(const pgc_pool_options *options, pgc_pool **out, pgc_error *err)
{
    if (out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "pool: no place for the result");
    }
    const conn_seams seams = { pq_libpq(), clock_os(), -1, NULL };
    return pool_open_on(options, &seams, out, err);
}

pgc_db *pgc_pool_db(pgc_pool *pool)
{
    return &pool->db;
}

/* They leave the list by themselves when they wake. */
static void send_waiters_away(pgc_pool *pool)
{
    for (list_node *node = pool->waiters.next; node != &pool->waiters; node = node->next) {
        pool_waiter *waiter = CONTAINER_OF(node, pool_waiter, link);
        waiter->status = PGC_CLOSED;
        (void) pthread_cond_signal(&waiter->ready);
    }
}

/* Borrowers finish in their own time; nothing is taken away from them. */
void pgc_pool_close(pgc_pool *pool)
{
    if (pool == NULL) {
        return;
    }
    (void) pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    send_waiters_away(pool);
    (void) pthread_cond_broadcast(&pool->work);
    const uint64_t one = 1;
    (void) !write(pool->seams.wake_fd, &one, sizeof one); /* calls off what is connecting */
    while (pool->stats.waiters > 0 || pool->stats.acquired > 0) {
        (void) pthread_cond_wait(&pool->drained, &pool->lock);
    }
    (void) pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->worker_count; i++) {
        (void) pthread_join(pool->workers[i], NULL);
    }
    while (!list_empty(&pool->idle)) {
        pool_slot *slot = CONTAINER_OF(pool->idle.next, pool_slot, link);
        list_remove(&slot->link);
        pool->stats.idle--;
        pool->closing++;
        pool_retire(pool, slot);
    }
    assert(pool->stats.total == 0);
    free_all(pool);
}
