/* Life and death of a pool. Opening starts threads but makes no connection; closing waits for what
 * is borrowed, then cancels, then cuts. Memory goes with the last borrower. */
#include "base/prelude.h"

#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "pgc/pool_state.h"
#include "pgc/session.h"

#include "base/cond.h"
#include "base/options.h"
#include "pgc/helper.h"
#include "pgc/watch.h"

#define MAX_CONNS_DEFAULT    20u
#define MIN_CONNS_DEFAULT    5u
#define MAX_WAITERS_DEFAULT  1000u
#define LIFETIME_DEFAULT_US  INT64_C(3600000000)
#define IDLE_DEFAULT_US      INT64_C(1800000000)
#define ACQUIRE_DEFAULT_US   30000000
#define PING_IDLE_DEFAULT_US 5000000
#define PING_DEFAULT_US      1000000
#define BACKOFF_DEFAULT_US   15000000
#define CLOSE_DEFAULT_US     30000000
#define SHARE_DEFAULT        4u
#ifdef NDEBUG
#define LEAK_DEFAULT_US INT64_C(-1)
#else
#define LEAK_DEFAULT_US INT64_C(60000000)
#endif

/* Zero and less mean the default; options where less than zero has a meaning do not come here. */
static void default_us(int64_t *value, int64_t otherwise)
{
    *value = *value > 0 ? *value : otherwise;
}

/* Numbers that are no plain replacement for zero. */
static void default_numbers(pgc_pool_options *out)
{
    if (out->min_idle > out->max_conns) {
        out->min_idle = out->max_conns;
    }
    if (out->retire_per_second == 0) {
        out->retire_per_second = out->max_conns / 8 + 1;
    }
    out->max_waiters = out->max_waiters != 0 ? out->max_waiters : MAX_WAITERS_DEFAULT;
    out->interactive_share = out->interactive_share != 0 ? out->interactive_share : SHARE_DEFAULT;
    out->acquire_timeout_us =
        out->acquire_timeout_us != 0 ? out->acquire_timeout_us : ACQUIRE_DEFAULT_US;
    out->leak_after_us = out->leak_after_us != 0 ? out->leak_after_us : LEAK_DEFAULT_US;
    out->close_timeout_us = out->close_timeout_us != 0 ? out->close_timeout_us : CLOSE_DEFAULT_US;
}

static pgc_status options_resolve(const pgc_pool_options *in, pgc_pool_options *out, pgc_error *err)
{
    TRY(options_take("pool options", in, out, sizeof *out, err));
    TRY(conn_options_resolve_inner(&out->conn, err));
    out->max_conns = out->max_conns != 0 ? out->max_conns : MAX_CONNS_DEFAULT;
    if (out->min_conns == 0) {
        out->min_conns = MIN_CONNS_DEFAULT < out->max_conns ? MIN_CONNS_DEFAULT : out->max_conns;
    }
    if (out->max_conns > POOL_CONNS_LIMIT || out->min_conns > out->max_conns) {
        return pgc_error_set(err, PGC_INVALID,
                             "pool options: %" PRIu32 " to %" PRIu32 " connections (most are %u)",
                             out->min_conns, out->max_conns, POOL_CONNS_LIMIT);
    }
    default_us(&out->lifetime_us, LIFETIME_DEFAULT_US);
    default_us(&out->lifetime_jitter_us, out->lifetime_us / 10);
    default_us(&out->idle_us, IDLE_DEFAULT_US);
    default_us(&out->ping_idle_us, PING_IDLE_DEFAULT_US);
    default_us(&out->ping_timeout_us, PING_DEFAULT_US);
    default_us(&out->backoff_max_us, BACKOFF_DEFAULT_US);
    default_numbers(out);
    return PGC_OK;
}

void pool_free(pgc_pool *pool)
{
    const pgc_alloc *alloc = pool->options.conn.alloc;
    assert(pool->stats.total == 0);
    conn_options_free(&pool->options.conn);
    char *name;
    memcpy(&name, &pool->options.name, sizeof name); /* ours; const for those who read it */
    mem_free_str(alloc, name);
    if (pool->seams.wake_fd >= 0) {
        (void) close(pool->seams.wake_fd);
    }
    (void) pthread_cond_destroy(&pool->drained);
    (void) pthread_cond_destroy(&pool->work);
    (void) pthread_mutex_destroy(&pool->lock);
    mem_free(alloc, pool, sizeof *pool);
}

/* How often this process is a child of one that had a pool. */
static atomic_uint fork_count;

static void in_child(void)
{
    (void) atomic_fetch_add(&fork_count, 1);
}

static void watch_forks(void)
{
    /* Without memory for it a child is not recognised, which only costs it a clear message. */
    (void) pthread_atfork(NULL, NULL, in_child);
}

bool pool_forked(const pgc_pool *pool)
{
    return atomic_load_explicit(&fork_count, memory_order_relaxed) != pool->forks;
}

/* A single query is a group of one, of two when the plan is told how to be. */
static pgc_status pool_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args,
                              pgc_result **out, pgc_error *err)
{
    run_item items[2];
    size_t count = session_front(NULL, query, items);
    items[count++] = (run_item) { query, args };
    return pool_run(CONTAINER_OF(db, pgc_pool, db), items, count, out, err);
}

/* The connection is lent until the rows end. */
static pgc_status pool_db_open_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                                    const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    run_item items[2];
    size_t count = session_front(NULL, query, items);
    items[count++] = (run_item) { query, args };
    return pool_open_rows(CONTAINER_OF(db, pgc_pool, db), items, count, options, out, err);
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
    while (pool->worker_count < wanted &&
           helper_start(&pool->workers[pool->worker_count], pool_work, pool) == 0) {
        pool->worker_count++;
    }
    return pool->worker_count > 0 ? PGC_OK : pgc_error_set(err, PGC_NOMEM, "pool: start a thread");
}

/* The server is not asked for anything here: a program may start before its database. */
pgc_status pool_open_on(const pgc_pool_options *options, const conn_seams *seams, pgc_pool **out,
                        pgc_error *err)
{
    pgc_pool_options full;
    TRY(options_resolve(options, &full, err));
    pgc_hooks hooks;
    TRY(options_take_any("hooks", full.conn.hooks, &hooks, sizeof hooks, err));
    TRY(conn_check_conninfo(seams->pq, full.conn.conninfo, err));
    pgc_pool *pool = MEM_NEW(full.conn.alloc, pgc_pool);
    if (pool == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "pool");
    }
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void) pthread_once(&once, watch_forks);
    pool->forks = atomic_load(&fork_count);
    pool->db.ops = &POOL_DB_OPS;
    pool->options = full;
    pool->options.name = NULL;
    pool->hooks = hooks;
    pool->options.conn.hooks = &pool->hooks;
    pool->seams = *seams;
    (void) pthread_mutex_init(&pool->lock, NULL);
    cond_init(&pool->work);
    cond_init(&pool->drained);
    list_init(&pool->idle);
    list_init(&pool->repairs);
    list_init(&pool->slots);
    list_init(&pool->waiters[PGC_PRIORITY_INTERACTIVE]);
    list_init(&pool->waiters[PGC_PRIORITY_BACKGROUND]);
    pool->stats.max_conns = full.max_conns;
    pool->alarm_us = INT64_MIN;
    pool->seams.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pgc_status status = conn_options_copy(&pool->options.conn, err);
    pool->options.name = mem_strdup(full.conn.alloc, full.name == NULL ? "" : full.name);
    if (status != PGC_OK) {
        (void) pgc_error_wrap(err, status, "pool");
    } else if (pool->options.name == NULL) {
        status = pgc_error_set(err, PGC_NOMEM, "pool");
    } else if (pool->seams.wake_fd < 0) {
        status = pgc_error_errno(err, errno, "pool: make an event descriptor");
    } else {
        status = start_workers(pool, err);
    }
    if (status != PGC_OK) {
        pool_free(pool);
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

/* With the lock held: nobody but the caller uses the pool. */
static bool is_drained(const pgc_pool *pool)
{
    return pool->stats.waiters == 0 && pool->stats.acquired == 0 && pool->stats.closing == 0;
}

/* With the lock held; < 0: without limit. */
static bool wait_drained(pgc_pool *pool, int64_t patience_us)
{
    int64_t until_us = pool_now(pool) + (patience_us > 0 ? patience_us : 0);
    while (!is_drained(pool)) {
        int64_t left_us = patience_us < 0 ? -1 : until_us - pool_now(pool);
        if (patience_us >= 0 && left_us <= 0) {
            return false;
        }
        pool_sleep(pool, &pool->drained, left_us);
    }
    return true;
}

/* With the lock held, which keeps borrowers from closing what is cancelled here. */
static void cancel_borrowed(pgc_pool *pool)
{
    for (list_node *node = pool->slots.next; node != &pool->slots; node = node->next) {
        const pool_slot *slot = CONTAINER_OF(node, pool_slot, all);
        if (slot->state == SLOT_ACQUIRED && pgc_conn_cancel(slot->conn, NULL) != PGC_OK) {
            continue; /* nothing runs on it */
        }
    }
}

/* With the lock held. The borrower's call fails, now or later; the connection stays its own. */
static void cut_borrowed(pgc_pool *pool)
{
    for (list_node *node = pool->slots.next; node != &pool->slots; node = node->next) {
        const pool_slot *slot = CONTAINER_OF(node, pool_slot, all);
        if (slot->state == SLOT_ACQUIRED && slot->cut_fd >= 0) {
            (void) shutdown(slot->cut_fd, SHUT_RDWR);
        }
    }
}

/* With the lock held, given up for the report. */
static void end_by_force(pgc_pool *pool)
{
    (void) pthread_mutex_unlock(&pool->lock);
    pool_tell_leaks(pool, 0);
    (void) pthread_mutex_lock(&pool->lock);
    cancel_borrowed(pool);
    /* Time for the server to stop, then for borrowers to notice that their socket is cut. */
    int64_t grace_us = pool->options.conn.cancel_grace_us;
    if (!wait_drained(pool, grace_us)) {
        cut_borrowed(pool);
        (void) wait_drained(pool, grace_us);
    }
}

/* With the lock held: what no borrower has. */
static void take_rest(pgc_pool *pool, list_node *victims)
{
    while (!list_empty(&pool->idle)) {
        pool_slot *slot = CONTAINER_OF(pool->idle.next, pool_slot, link);
        pool_take_idle(pool, slot);
        pool_begin_close(pool, slot, PGC_END_CALLER);
        list_append(victims, &slot->link);
    }
    while (!list_empty(&pool->repairs)) {
        pool_slot *slot = CONTAINER_OF(pool->repairs.next, pool_slot, link);
        list_remove(&slot->link);
        pool->stats.quarantined--;
        pool_begin_close(pool, slot, PGC_END_CALLER);
        list_append(victims, &slot->link);
    }
}

/* Waiters are on the stacks of threads that need the lock once more: they are waited for without
 * limit, and they come at once. */
bool pgc_pool_close(pgc_pool *pool)
{
    if (pool == NULL || pool_forked(pool)) {
        return true;
    }
    list_node victims;
    list_init(&victims);
    (void) pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pool_wake_waiters(pool, PGC_CLOSED);
    (void) pthread_cond_broadcast(&pool->work);
    const uint64_t one = 1;
    (void) !write(pool->seams.wake_fd, &one, sizeof one); /* calls off what is connecting */
    bool clean = wait_drained(pool, pool->options.close_timeout_us);
    if (!clean) {
        end_by_force(pool);
    }
    while (pool->stats.waiters > 0) {
        (void) pthread_cond_wait(&pool->drained, &pool->lock);
    }
    (void) pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->worker_count; i++) {
        (void) pthread_join(pool->workers[i], NULL);
    }
    (void) pthread_mutex_lock(&pool->lock);
    pool_check(pool);
    take_rest(pool, &victims);
    pool->abandoned = pool->stats.total > 0;
    bool empty = pool->stats.total == 0;
    (void) pthread_mutex_unlock(&pool->lock);
    pool_retire_all(pool, &victims);
    if (empty) {
        pool_free(pool);
    }
    return clean;
}
