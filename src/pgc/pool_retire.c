/* How connections leave the pool: by age, unused, broken, after a reset or above the cap. Closing
 * talks to the server and may block for a moment, so it happens without the lock, on the thread
 * that found the reason; the place stays taken until the socket is closed. */
#include "base/prelude.h"

#include "pgc/pool_state.h"

#define SECOND_US 1000000

/* Whatever ends an old connection: its successor is no longer waited for. */
static void leave_line(pgc_pool *pool, pool_slot *slot)
{
    if (!slot->replacing) {
        return;
    }
    assert(pool->replacing > 0);
    slot->replacing = false;
    pool->replacing--;
    if (pool->successors > 0) {
        pool->successors--;
    } else {
        pool->replace -= pool->replace > 0 ? 1 : 0;
    }
}

void pool_begin_close(pgc_pool *pool, pool_slot *slot, pgc_end_reason reason)
{
    pgc_pool_stats *stats = &pool->stats;
    int64_t *const counters[] = {
        [PGC_END_CALLER] = NULL,
        [PGC_END_LOST] = &stats->broken_close_count,
        [PGC_END_LIFETIME] = &stats->lifetime_close_count,
        [PGC_END_IDLE] = &stats->idle_close_count,
        [PGC_END_DIRTY] = &stats->dirty_close_count,
        [PGC_END_RESET] = &stats->reset_close_count,
    };
    assert((size_t) reason < ARRAY_LEN(counters));
    assert(slot->state != SLOT_IDLE && slot->state != SLOT_CLOSING);
    if (counters[reason] != NULL) {
        (*counters[reason])++;
    }
    if (slot->conn != NULL) {
        slot->conn->end_reason = reason;
    }
    leave_line(pool, slot);
    slot->state = SLOT_CLOSING;
    stats->closing++;
}

/* Never more than max_conns on the server: the place is free only behind the close. */
void pool_retire(pgc_pool *pool, pool_slot *slot)
{
    assert(slot->state == SLOT_CLOSING);
    pgc_conn_close(slot->conn);
    if (slot->cut_fd >= 0) {
        (void) close(slot->cut_fd);
    }
    (void) pthread_mutex_lock(&pool->lock);
    assert(pool->stats.closing > 0);
    pool->stats.closing--;
    pool->stats.total--;
    list_remove(&slot->all);
    mem_free(pool->options.conn.alloc, slot, sizeof *slot);
    (void) pthread_cond_signal(&pool->work);
    (void) pthread_cond_broadcast(&pool->drained);
    bool last = pool->abandoned && pool->stats.total == 0;
    (void) pthread_mutex_unlock(&pool->lock);
    if (last) {
        pool_free(pool);
    }
}

void pool_retire_all(pgc_pool *pool, list_node *victims)
{
    while (!list_empty(victims)) {
        pool_slot *slot = CONTAINER_OF(victims->next, pool_slot, link);
        list_remove(&slot->link);
        pool_retire(pool, slot);
    }
}

/* The state of a slot that is off the list is the taker's to set; until then it is being looked
 * at. */
void pool_take_idle(pgc_pool *pool, pool_slot *slot)
{
    assert(slot->state == SLOT_IDLE);
    assert(pool->stats.idle > 0);
    list_remove(&slot->link);
    slot->state = SLOT_CLEANING;
    pool->stats.idle--;
}

/* Connections made together would otherwise end together, and all borrowers would wait. */
bool pool_may_retire(pgc_pool *pool, int64_t now_us)
{
    if (now_us - pool->retire_from_us >= SECOND_US) {
        pool->retire_from_us = now_us;
        pool->retired = 0;
    }
    if (pool->retired >= pool->options.retire_per_second) {
        return false;
    }
    pool->retired++;
    return true;
}

/* With the lock held. */
static void take_all_idle(pgc_pool *pool, uint32_t count, list_node *victims)
{
    /* Longest unused first. */
    while (count > 0 && !list_empty(&pool->idle)) {
        pool_slot *slot = CONTAINER_OF(pool->idle.prev, pool_slot, link);
        pool_take_idle(pool, slot);
        pool_begin_close(pool, slot, PGC_END_RESET);
        list_append(victims, &slot->link);
        count--;
    }
}

/* Borrowed ones, and those under way, are told by their generation when they arrive. */
void pool_bump(pgc_pool *pool)
{
    list_node victims;
    list_init(&victims);
    (void) pthread_mutex_lock(&pool->lock);
    pool->stats.generation++;
    take_all_idle(pool, UINT32_MAX, &victims);
    /* A new host or password may help where the last one did not. */
    pool->backoff_until_us = 0;
    (void) pthread_cond_broadcast(&pool->work);
    (void) pthread_mutex_unlock(&pool->lock);
    pool_retire_all(pool, &victims);
}

void pool_forgive(pgc_pool *pool)
{
    (void) pthread_mutex_lock(&pool->lock);
    pool->failures = 0;
    pool->backoff_until_us = 0;
    (void) pthread_cond_broadcast(&pool->work);
    (void) pthread_mutex_unlock(&pool->lock);
}

void pgc_pool_reset(pgc_pool *pool)
{
    if (pool != NULL && !pool_forked(pool)) {
        pool_bump(pool);
    }
}

pgc_status pgc_pool_set_max(pgc_pool *pool, uint32_t max_conns, pgc_error *err)
{
    if (pool == NULL || pool_forked(pool) || max_conns == 0 || max_conns > POOL_CONNS_LIMIT) {
        return pgc_error_set(err, PGC_INVALID,
                             "pool: %" PRIu32 " connections (1 to %u are possible)", max_conns,
                             POOL_CONNS_LIMIT);
    }
    list_node victims;
    list_init(&victims);
    (void) pthread_mutex_lock(&pool->lock);
    pool->stats.max_conns = max_conns;
    uint32_t stay = pool->stats.total - pool->stats.closing;
    take_all_idle(pool, stay > max_conns ? stay - max_conns : 0, &victims);
    (void) pthread_cond_broadcast(&pool->work);
    (void) pthread_mutex_unlock(&pool->lock);
    pool_retire_all(pool, &victims);
    return PGC_OK;
}

/* Unused connections above both floors. */
static bool is_surplus(const pgc_pool *pool, const pool_slot *slot, int64_t now_us)
{
    /* A successor on its way does not count yet. */
    uint32_t left = pool->stats.total - pool->stats.closing - pool->stats.connecting;
    return now_us - slot->idle_since_us >= pool->options.idle_us &&
           left > pool->options.min_conns && pool->stats.idle > pool->options.min_idle;
}

/* A server that takes no new connections must not cost the old ones. At the cap there is no room
 * for a successor, so there the old one goes first. */
bool pool_ends_by_age(pgc_pool *pool, pool_slot *slot, int64_t now_us)
{
    if (now_us < slot->expires_us) {
        return false;
    }
    bool room = pool->stats.total + pool->replace < pool->stats.max_conns;
    if (slot->replacing) {
        return pool->successors > 0 ||
               (pool->stats.total >= pool->stats.max_conns && pool->stats.connecting == 0);
    }
    if (!pool_may_retire(pool, now_us)) {
        return false;
    }
    if (room) {
        slot->replacing = true;
        pool->replacing++;
        pool->replace++;
        (void) pthread_cond_signal(&pool->work);
    }
    return !room;
}

/* With the lock held: move what has to go from the idle list to victims. */
static void look_through(pgc_pool *pool, int64_t now_us, list_node *victims)
{
    for (list_node *node = pool->idle.prev; node != &pool->idle;) {
        pool_slot *slot = CONTAINER_OF(node, pool_slot, link);
        node = node->prev;
        bool old = pool_ends_by_age(pool, slot, now_us);
        if (old || is_surplus(pool, slot, now_us)) {
            pool_take_idle(pool, slot);
            pool_begin_close(pool, slot, old ? PGC_END_LIFETIME : PGC_END_IDLE);
            list_append(victims, &slot->link);
        } else if (pool->options.keepalive_us > 0 &&
                   now_us - slot->idle_since_us >= pool->options.keepalive_us &&
                   now_us - slot->checked_us >= pool->options.keepalive_us) {
            pool_take_idle(pool, slot);
            pool->stats.quarantined++;
            pool->stats.keepalive_count++;
            list_append(&pool->repairs, &slot->link);
        }
    }
}

void pool_maintain(pgc_pool *pool)
{
    list_node victims;
    list_init(&victims);
    (void) pthread_mutex_lock(&pool->lock);
    look_through(pool, pool_now(pool), &victims);
    (void) pthread_cond_broadcast(&pool->work);
    (void) pthread_mutex_unlock(&pool->lock);
    pool_retire_all(pool, &victims);
    if (pool->options.leak_after_us >= 0) {
        pool_tell_leaks(pool, pool->options.leak_after_us);
    }
}
