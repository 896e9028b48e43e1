/* The pool's background threads: they make connections (so that a borrower can also be served by
 * one that comes back meanwhile), clean sessions, keep the floors, and retire what is old. After a
 * failed connect all of them hold back together. All state under pool->lock; whatever talks to the
 * server without. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/cond.h"
#include "pgc/pool_state.h"
#include "pgc/watch.h"

#define BACKOFF_FIRST_US    100000
#define BACKOFF_LEAST_US    5000
#define MAINTAIN_LONGEST_US 30000000

int64_t pool_now(const pgc_pool *pool)
{
    return pool->seams.clock->mono_us(pool->seams.clock->ctx);
}

/* For each waiter one, the floors, successors of old ones; but never more than the cap. */
static bool wants_connection(const pgc_pool *pool)
{
    const pgc_pool_stats *now = &pool->stats;
    const pgc_pool_options *options = &pool->options;
    if (pool->closed || now->total >= now->max_conns) {
        return false;
    }
    return now->waiters > now->connecting || now->total - now->closing < options->min_conns ||
           now->idle + now->connecting < options->min_idle || pool->replace > 0 ||
           (pool->hinted && now->connecting == 0);
}

/* While the server is away one worker knocks, not all. */
static bool may_connect(const pgc_pool *pool, int64_t now_us)
{
    return now_us >= pool->backoff_until_us && (pool->failures == 0 || pool->stats.connecting == 0);
}

/* Waiting will not change it: wrong password, no such database, no memory of our own. */
static bool is_final(const pgc_error *err)
{
    return strncmp(err->sqlstate, "28", 2) == 0 || strcmp(err->sqlstate, "3D000") == 0 ||
           err->status == PGC_UNSUPPORTED || err->status == PGC_INVALID || err->status == PGC_NOMEM;
}

static void count_failure(pgc_pool_stats *stats, const pgc_error *err)
{
    stats->connect_failure_count++;
    stats->connect_auth_failure_count += strncmp(err->sqlstate, "28", 2) == 0 ? 1 : 0;
    stats->connect_full_count += strcmp(err->sqlstate, "53300") == 0 ? 1 : 0;
    stats->connect_timeout_count += err->status == PGC_TIMEOUT ? 1 : 0;
}

/* One state for all workers: the server that is away is the same for everybody. Full jitter: the
 * pause is anything up to the limit, which doubles, so that programs do not knock together. */
static void note_failure(pgc_pool *pool, const pgc_error *err, pgc_retry_event *event_out)
{
    count_failure(&pool->stats, err);
    pool->last_error = *err;
    int64_t limit_us = BACKOFF_FIRST_US;
    for (uint32_t i = 0; i < pool->failures && limit_us < pool->options.backoff_max_us; i++) {
        limit_us *= 2;
    }
    if (limit_us > pool->options.backoff_max_us) {
        limit_us = pool->options.backoff_max_us;
    }
    int64_t pause_us = clock_spread(pool->seams.clock, limit_us);
    pause_us = pause_us > BACKOFF_LEAST_US ? pause_us : BACKOFF_LEAST_US;
    pool->failures++;
    pool->hopeless = is_final(err);
    pool->backoff_until_us = pool_now(pool) + pause_us;
    *event_out = (pgc_retry_event) { .kind = PGC_RETRY_CONNECT,
                                     .name = "connect",
                                     .attempt = pool->failures,
                                     .status = err->status,
                                     .pause_us = pause_us };
    /* Everybody looks again how long waiting makes sense. */
    pool_wake_waiters(pool, pool->hopeless ? err->status : PGC_OK);
}

/* Drawn once per connection, so that those made together do not end together. */
static int64_t draw_expiry(const pgc_pool *pool)
{
    return pool_now(pool) + pool->options.lifetime_us +
           clock_spread(pool->seams.clock, pool->options.lifetime_jitter_us);
}

/* The caller's own part of making a connection. */
static pgc_status prepare(pgc_pool *pool, pgc_conn *conn, pgc_error *err)
{
    if (pool->options.prepare != NULL) {
        pgc_status status = pool->options.prepare(pool->options.prepare_arg, conn, err);
        TRY(pgc_error_wrap(err, status, "prepare the connection"));
        if (pgc_conn_tx_state(conn) != PGC_TX_IDLE) {
            return pgc_error_set(err, PGC_INVALID,
                                 "prepare the connection: it was left in a transaction");
        }
    }
    return PGC_OK;
}

/* The second descriptor is for the end of the pool only; without it a borrower that never comes
 * back cannot be cut, that is all. */
static void slot_fill(pgc_pool *pool, pool_slot *slot)
{
    pgc_conn *conn = slot->conn;
    list_init(&slot->link);
    list_init(&slot->all);
    slot->state = SLOT_CLEANING;
    slot->holder = "";
    slot->idle_since_us = POOL_NOT_IDLE;
    slot->checked_us = pool_now(pool);
    slot->expires_us = draw_expiry(pool);
    slot->backend_pid = pgc_conn_backend_pid(conn);
    slot->cut_fd = fcntl(conn->pq->socket(conn->pg), F_DUPFD_CLOEXEC, 0);
    conn->owner = slot;
    conn->pool_name = pool->options.name;
    conn->schema_epoch = &pool->schema_epoch;
    conn->seen_epoch = atomic_load(&pool->schema_epoch);
    dirty_take_baseline(conn, &slot->baseline);
}

/* Without the lock. */
static pgc_status slot_connect(pgc_pool *pool, uint32_t generation, pool_slot **out, pgc_error *err)
{
    pool_slot *slot = MEM_NEW(pool->options.conn.alloc, pool_slot);
    if (slot == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "connect");
    }
    slot->generation = generation;
    pgc_status status = conn_open_on(&pool->options.conn, &pool->seams, &slot->conn, err);
    if (status == PGC_OK) {
        status = prepare(pool, slot->conn, err);
    }
    if (status != PGC_OK) {
        pgc_conn_close(slot->conn);
        mem_free(pool->options.conn.alloc, slot, sizeof *slot);
        return status;
    }
    slot_fill(pool, slot);
    *out = slot;
    return PGC_OK;
}

/* With the lock held: a successor is there, so one old connection may go. */
static pool_slot *take_replaced(pgc_pool *pool)
{
    for (list_node *node = pool->idle.prev; node != &pool->idle; node = node->prev) {
        pool_slot *slot = CONTAINER_OF(node, pool_slot, link);
        if (slot->replacing) {
            pool_take_idle(pool, slot);
            pool_begin_close(pool, slot, PGC_END_LIFETIME);
            return slot;
        }
    }
    return NULL;
}

/* With the lock held: the server is there. The slot to close by now, or NULL. */
static pool_slot *connected(pgc_pool *pool, pool_slot *slot, bool successor, int64_t took_us)
{
    pool->failures = 0;
    pool->hopeless = false;
    pool->backoff_until_us = 0;
    histogram_add(&pool->stats.connect, took_us);
    list_append(&pool->slots, &slot->all);
    if (slot->generation != pool->stats.generation || pool->stats.total > pool->stats.max_conns) {
        pool_begin_close(pool, slot, PGC_END_RESET);
        return slot;
    }
    gate_rouse(pool_hand_over(pool, slot, pool_now(pool)));
    if (!successor || pool->successors >= pool->replacing) {
        return NULL; /* the old one has ended meanwhile */
    }
    pool->successors++;
    return take_replaced(pool);
}

/* Called and left with the lock held. */
static void connect_one(pgc_pool *pool)
{
    assert(pool->stats.total < pool->stats.max_conns);
    pool->stats.total++;
    pool->stats.connecting++;
    pool->stats.connect_count++;
    pool->hinted = false;
    bool successor = pool->replace > 0;
    pool->replace -= successor ? 1 : 0;
    uint32_t generation = pool->stats.generation;
    if (wants_connection(pool)) {
        (void) pthread_cond_signal(&pool->work); /* another worker takes the next one */
    }
    (void) pthread_mutex_unlock(&pool->lock);
    pgc_error err;
    pgc_error_clear(&err);
    pool_slot *slot = NULL;
    int64_t since_us = pool_now(pool);
    pgc_status status = slot_connect(pool, generation, &slot, &err);
    int64_t took_us = pool_now(pool) - since_us;
    pgc_retry_event retry = { .pause_us = -1 };
    (void) pthread_mutex_lock(&pool->lock);
    assert(pool->stats.connecting > 0);
    pool->stats.connecting--;
    if (slot != NULL) {
        assert(status == PGC_OK);
        slot = connected(pool, slot, successor, took_us);
    } else {
        pool->stats.total--;
        pool->replace += successor && pool->replace + pool->successors < pool->replacing ? 1 : 0;
        if (!pool->closed) {
            note_failure(pool, &err, &retry);
        }
    }
    if (slot == NULL && retry.pause_us < 0) {
        return;
    }
    (void) pthread_mutex_unlock(&pool->lock);
    if (slot != NULL) {
        pool_retire(pool, slot);
    } else {
        hooks_retry(&pool->hooks, retry, &err);
    }
    (void) pthread_mutex_lock(&pool->lock);
}

/* Without the lock: one that was idle is pinged, one that was left dirty is cleaned. */
static bool slot_repair(pgc_pool *pool, pool_slot *slot, bool was_idle)
{
    pgc_conn *conn = slot->conn;
    if (was_idle) {
        return conn_probe(conn) && conn_ping(conn, pool->options.ping_timeout_us, NULL) == PGC_OK;
    }
    uint32_t changes = conn->dirty;
    if (dirty_clean(conn, &pool->options.conn, changes, POOL_RESTORE_US, NULL) != PGC_OK) {
        return false;
    }
    if ((changes & ~PGC_SESSION_CURSORS) != 0 && prepare(pool, conn, NULL) != PGC_OK) {
        return false;
    }
    dirty_take_baseline(conn, &slot->baseline);
    return true;
}

/* With the lock held: back to where it came from, or to the waiter who needs it now. */
static bool repaired(pgc_pool *pool, pool_slot *slot, bool good, bool was_idle)
{
    int64_t now_us = pool_now(pool);
    int64_t idle_since_us = slot->idle_since_us;
    pool->stats.quarantined--;
    slot->checked_us = now_us;
    slot->baseline.calls = slot->conn->calls;
    if (!good || pool->closed || slot->generation != pool->stats.generation ||
        pool->stats.total - pool->stats.closing > pool->stats.max_conns) {
        pgc_end_reason broken = was_idle ? PGC_END_LOST : PGC_END_DIRTY;
        pool_begin_close(pool, slot, !good ? broken : PGC_END_RESET);
        return false;
    }
    gate_rouse(pool_hand_over(pool, slot, now_us));
    if (was_idle && slot->state == SLOT_IDLE) {
        slot->idle_since_us = idle_since_us; /* a check is no use */
    }
    return true;
}

/* Called and left with the lock held. */
static void repair_one(pgc_pool *pool)
{
    pool_slot *slot = CONTAINER_OF(pool->repairs.next, pool_slot, link);
    list_remove(&slot->link);
    assert(slot->state == SLOT_CLEANING);
    bool was_idle = slot->idle_since_us != POOL_NOT_IDLE;
    bool rollback = !was_idle && pgc_conn_tx_state(slot->conn) != PGC_TX_IDLE;
    pool->stats.rollback_count += rollback ? 1 : 0;
    pool->stats.reset_count += !was_idle && slot->conn->dirty != 0 ? 1 : 0;
    (void) pthread_mutex_unlock(&pool->lock);
    bool good = slot_repair(pool, slot, was_idle);
    bool demoted = good && dirty_role_changed(slot->conn, &slot->baseline);
    if (demoted) {
        pool_bump(pool);
    }
    (void) pthread_mutex_lock(&pool->lock);
    bool kept = repaired(pool, slot, good, was_idle);
    if (pool->closed) {
        (void) pthread_cond_broadcast(&pool->drained);
    }
    if (!kept) {
        (void) pthread_mutex_unlock(&pool->lock);
        pool_retire(pool, slot);
        (void) pthread_mutex_lock(&pool->lock);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Often enough that no limit is missed by more than a quarter. */
static int64_t maintain_period(const pgc_pool *pool)
{
    const pgc_pool_options *options = &pool->options;
    int64_t shortest_us = least(options->lifetime_us, options->idle_us);
    shortest_us =
        options->keepalive_us > 0 ? least(shortest_us, options->keepalive_us) : shortest_us;
    shortest_us =
        options->leak_after_us >= 0 ? least(shortest_us, options->leak_after_us) : shortest_us;
    return least(shortest_us / 4 + 1000, MAINTAIN_LONGEST_US);
}

void pool_sleep(pgc_pool *pool, pthread_cond_t *cond, int64_t us)
{
    (void) cond_wait(cond, &pool->lock, us);
}

/* With the lock held: when there is something to do next, as far as is known now. */
static int64_t next_at(const pgc_pool *pool)
{
    return wants_connection(pool) && pool->failures > 0 && pool->stats.connecting == 0
               ? least(pool->maintain_at_us, pool->backoff_until_us)
               : pool->maintain_at_us;
}

/* Every round does one thing and looks at the state again, because the lock was given up. */
void *pool_work(void *arg)
{
    pgc_pool *pool = arg;
    (void) pthread_mutex_lock(&pool->lock);
    while (!pool->closed) {
        int64_t now_us = pool_now(pool);
        if (!list_empty(&pool->repairs)) {
            repair_one(pool);
        } else if (wants_connection(pool) && may_connect(pool, now_us)) {
            connect_one(pool);
        } else if (now_us >= pool->maintain_at_us) {
            pool->maintain_at_us = now_us + maintain_period(pool);
            (void) pthread_mutex_unlock(&pool->lock);
            pool_maintain(pool);
            (void) pthread_mutex_lock(&pool->lock);
        } else {
            pool_sleep(pool, &pool->work, next_at(pool) - now_us);
        }
    }
    (void) pthread_mutex_unlock(&pool->lock);
    return NULL;
}
