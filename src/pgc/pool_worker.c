/* The pool's background threads: they make connections (so that a borrower can also be served by
 * one that comes back meanwhile), keep the floor, and retire what is old. After a failed connect
 * all of them hold back together. All state under pool->lock; connecting and closing without. */
#include "base/prelude.h"

#include "pgc/pool_state.h"

#define BACKOFF_FIRST_US    100000
#define BACKOFF_LONGEST_US  15000000
#define MAINTAIN_LONGEST_US 30000000
#define RETIRE_MAX          16u /* per look at the idle list: no stampede of reconnects */

int64_t pool_now(const pgc_pool *pool)
{
    return pool->seams.clock->mono_us(pool->seams.clock->ctx);
}

/* Without randomness the time itself must do: it spreads processes well enough, and a pool must
 * not fail for that. */
int64_t pool_jitter(const pgc_pool *pool, int64_t us)
{
    uint32_t bits;
    if (!pool->seams.clock->random(pool->seams.clock->ctx, &bits, sizeof bits)) {
        bits = (uint32_t) pool_now(pool) * 2654435761U;
    }
    int64_t half = us / 2;
    return us - half + (int64_t) ((double) half * (double) bits / (double) UINT32_MAX);
}

/* For each waiter one, but never more than the limit; and the floor. */
static bool wants_connection(const pgc_pool *pool)
{
    const pgc_pool_stats *now = &pool->stats;
    return !pool->closed && now->total < pool->options.max_conns &&
           (now->waiters > now->connecting || now->total < pool->options.min_conns);
}

/* Waiting will not change it: wrong password, no such database, no memory of our own. */
static bool is_final(const pgc_error *err)
{
    return strncmp(err->sqlstate, "28", 2) == 0 || strcmp(err->sqlstate, "3D000") == 0 ||
           err->status == PGC_UNSUPPORTED || err->status == PGC_INVALID || err->status == PGC_NOMEM;
}

/* One state for all workers: the server that is away is the same for everybody. */
static void note_failure(pgc_pool *pool, const pgc_error *err)
{
    pool->stats.connect_failure_count++;
    pool->last_error = *err;
    int64_t pause_us = BACKOFF_FIRST_US;
    for (uint32_t i = 0; i < pool->failures && pause_us < BACKOFF_LONGEST_US; i++) {
        pause_us *= 2;
    }
    pause_us = pause_us > BACKOFF_LONGEST_US ? BACKOFF_LONGEST_US : pause_us;
    pool->failures++;
    pool->backoff_until_us = pool_now(pool) + pool_jitter(pool, pause_us);
    /* Everybody looks again how long waiting makes sense. */
    for (list_node *node = pool->waiters.next; node != &pool->waiters; node = node->next) {
        pool_waiter *waiter = CONTAINER_OF(node, pool_waiter, link);
        if (is_final(err)) {
            waiter->status = err->status;
        }
        (void) pthread_cond_signal(&waiter->ready);
    }
}

/* Drawn once per connection, so that those made together do not end together. */
static int64_t draw_expiry(const pgc_pool *pool)
{
    int64_t jitter_us = pool->options.lifetime_jitter_us;
    /* pool_jitter() gives the upper half: spread it over the whole. */
    int64_t extra_us = jitter_us <= 0 ? 0 : 2 * (pool_jitter(pool, jitter_us) - jitter_us / 2);
    return pool_now(pool) + pool->options.lifetime_us + extra_us;
}

/* Called and left with the lock held. */
static void connect_one(pgc_pool *pool)
{
    assert(pool->stats.total < pool->options.max_conns);
    pool->stats.total++;
    pool->stats.connecting++;
    pool->stats.connect_count++;
    if (wants_connection(pool)) {
        (void) pthread_cond_signal(&pool->work); /* another worker takes the next one */
    }
    (void) pthread_mutex_unlock(&pool->lock);
    pgc_error err;
    pgc_error_clear(&err);
    pool_slot *slot = MEM_NEW(pool->options.conn.alloc, pool_slot);
    pgc_status status = PGC_OK;
    if (slot == NULL) {
        status = pgc_error_set(&err, PGC_NOMEM, "connect");
    } else {
        status = conn_open_on(&pool->options.conn, &pool->seams, &slot->conn, &err);
    }
    if (status == PGC_OK) {
        list_init(&slot->link);
        slot->conn->owner = slot;
        slot->conn->schema_epoch = &pool->schema_epoch;
        slot->conn->seen_epoch = atomic_load(&pool->schema_epoch);
        slot->expires_us = draw_expiry(pool);
        slot->idle_since_us = POOL_NOT_IDLE;
    } else {
        mem_free(pool->options.conn.alloc, slot, sizeof *slot);
    }
    (void) pthread_mutex_lock(&pool->lock);
    assert(pool->stats.connecting > 0);
    pool->stats.connecting--;
    if (status == PGC_OK) {
        pool->failures = 0;
        pool->backoff_until_us = 0;
        pool_hand_over(pool, slot);
        return;
    }
    pool->stats.total--;
    if (!pool->closed) {
        note_failure(pool, &err);
    }
}

/* Often enough that no limit is missed by more than a quarter. */
static int64_t maintain_period(const pgc_pool *pool)
{
    int64_t shortest_us = pool->options.lifetime_us < pool->options.idle_us
                              ? pool->options.lifetime_us
                              : pool->options.idle_us;
    int64_t period_us = shortest_us / 4 + 1000;
    return period_us > MAINTAIN_LONGEST_US ? MAINTAIN_LONGEST_US : period_us;
}

/* With the lock held: move what has to go from the idle list to the list of victims. */
static void pick_victims(pgc_pool *pool, list_node *victims)
{
    int64_t now_us = pool_now(pool);
    uint32_t picked = 0;
    uint32_t left = pool->stats.total - pool->closing;
    /* Longest unused first. */
    for (list_node *node = pool->idle.prev; node != &pool->idle && picked < RETIRE_MAX;) {
        pool_slot *slot = CONTAINER_OF(node, pool_slot, link);
        node = node->prev;
        bool old = now_us >= slot->expires_us;
        bool unused =
            now_us - slot->idle_since_us >= pool->options.idle_us && left > pool->options.min_conns;
        if (!old && !unused) {
            continue;
        }
        pool->stats.lifetime_close_count += old ? 1 : 0;
        pool->stats.idle_close_count += old ? 0 : 1;
        pool->stats.idle--;
        pool->closing++;
        list_remove(&slot->link);
        list_append(victims, &slot->link);
        picked++;
        left--;
    }
}

/* Closing happens without the lock, because each close is a message to the server. */
void pool_maintain(pgc_pool *pool)
{
    list_node victims;
    list_init(&victims);
    (void) pthread_mutex_lock(&pool->lock);
    pick_victims(pool, &victims);
    (void) pthread_mutex_unlock(&pool->lock);
    while (!list_empty(&victims)) {
        pool_slot *slot = CONTAINER_OF(victims.next, pool_slot, link);
        list_remove(&slot->link);
        pool_retire(pool, slot);
    }
}

/* Absolute time of the system's monotonic clock for condition variables. */
static struct timespec from_now(int64_t us)
{
    struct timespec at;
    (void) clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + us % 1000000 * 1000;
    at.tv_sec += (time_t) (us / 1000000 + ns / 1000000000);
    at.tv_nsec = (long) (ns % 1000000000);
    return at;
}

/* Real time even when the seam's clock is a fake: a condition variable knows no other. Callers
 * look at their own clock again when they wake. */
void pool_sleep(pgc_pool *pool, pthread_cond_t *cond, int64_t us)
{
    if (us < 0) {
        (void) pthread_cond_wait(cond, &pool->lock);
        return;
    }
    struct timespec until = from_now(us);
    (void) pthread_cond_timedwait(cond, &pool->lock, &until);
}

/* Every round does one thing and looks at the state again, because the lock was given up. */
void *pool_work(void *arg)
{
    pgc_pool *pool = arg;
    (void) pthread_mutex_lock(&pool->lock);
    while (!pool->closed) {
        int64_t now_us = pool_now(pool);
        int64_t next_us = pool->maintain_at_us;
        if (wants_connection(pool)) {
            if (now_us >= pool->backoff_until_us) {
                connect_one(pool);
                continue;
            }
            next_us = pool->backoff_until_us < next_us ? pool->backoff_until_us : next_us;
        }
        if (now_us >= pool->maintain_at_us) {
            pool->maintain_at_us = now_us + maintain_period(pool);
            (void) pthread_mutex_unlock(&pool->lock);
            pool_maintain(pool);
            (void) pthread_mutex_lock(&pool->lock);
            continue;
        }
        pool_sleep(pool, &pool->work, next_us - now_us);
    }
    (void) pthread_mutex_unlock(&pool->lock);
    return NULL;
}
