/* What the pool says about itself: statistics, holders, leaks, events for hooks. Hooks are called
 * without the lock, with copies. Any thread. */
#include "base/prelude.h"

#include <sys/syscall.h>

#include "pgc/pool_state.h"
#include "pgc/watch.h"

#define LEAKS_AT_ONCE 16u

/* The bucket of a number is the number of its bits. */
void histogram_add(pgc_histogram *histogram, int64_t us)
{
    uint64_t value = us > 0 ? (uint64_t) us : 0;
    unsigned bucket = value == 0 ? 0 : 64 - (unsigned) __builtin_clzll(value);
    if (bucket >= PGC_HISTOGRAM_BUCKETS) {
        bucket = PGC_HISTOGRAM_BUCKETS - 1;
    }
    histogram->buckets[bucket]++;
    histogram->count++;
    histogram->sum_us += us > 0 ? us : 0;
    if (us > histogram->max_us) {
        histogram->max_us = us;
    }
}

/* One copy under the lock: the numbers belong together. */
void pgc_pool_get_stats(pgc_pool *pool, pgc_pool_stats *out)
{
    if (pool_forked(pool)) {
        *out = (pgc_pool_stats) { 0 }; /* the lock may be held by a thread that is not here */
        return;
    }
    (void) pthread_mutex_lock(&pool->lock);
    pool_check(pool);
    *out = pool->stats;
    (void) pthread_mutex_unlock(&pool->lock);
}

/* A system call once per thread. A child of fork() has its own number, but no use of the pool. */
uint64_t pool_thread_id(void)
{
    static _Thread_local uint64_t id;
    if (id == 0) {
        id = (uint64_t) syscall(SYS_gettid);
    }
    return id;
}

/* With the lock held. The holder's text lives until the release, which needs the lock. */
static void describe(const pool_slot *slot, int64_t now_us, pgc_pool_holder *out)
{
    *out = (pgc_pool_holder) { .thread_id = slot->thread_id,
                               .held_us = now_us - slot->borrowed_us,
                               .backend_pid = slot->backend_pid };
    (void) snprintf(out->holder, sizeof out->holder, "%s", slot->holder);
}

size_t pgc_pool_list_holders(pgc_pool *pool, pgc_pool_holder *out, size_t cap)
{
    size_t count = 0;
    int64_t now_us = pool_now(pool);
    if (pool_forked(pool)) {
        return 0;
    }
    (void) pthread_mutex_lock(&pool->lock);
    for (list_node *node = pool->slots.next; node != &pool->slots; node = node->next) {
        const pool_slot *slot = CONTAINER_OF(node, pool_slot, all);
        if (slot->state != SLOT_ACQUIRED) {
            continue;
        }
        if (count < cap) {
            describe(slot, now_us, &out[count]);
        }
        count++;
    }
    (void) pthread_mutex_unlock(&pool->lock);
    return count;
}

static void tell_leak(const pgc_pool *pool, const pgc_pool_holder *leak)
{
    const pgc_session_facts session = {
        .host = "",
        .port = "",
        .database = "",
        .user = "",
        .pool_name = pool->options.name,
        .backend_pid = leak->backend_pid,
    };
    const pgc_pool_event event = { .session = &session,
                                   .pool_name = pool->options.name,
                                   .holder = leak->holder,
                                   .sqlstate = "",
                                   .held_us = leak->held_us,
                                   .thread_id = leak->thread_id };
    pool->hooks.on_leak(pool->hooks.ctx, &event);
}

/* Once per borrower. The connection itself belongs to the borrower and is not touched. */
void pool_tell_leaks(pgc_pool *pool, int64_t over_us)
{
    pgc_pool_holder leaks[LEAKS_AT_ONCE];
    size_t count = 0;
    int64_t now_us = pool_now(pool);
    (void) pthread_mutex_lock(&pool->lock);
    for (list_node *node = pool->slots.next; node != &pool->slots; node = node->next) {
        pool_slot *slot = CONTAINER_OF(node, pool_slot, all);
        if (slot->state == SLOT_ACQUIRED && !slot->leak_told && count < LEAKS_AT_ONCE &&
            now_us - slot->borrowed_us >= over_us) {
            slot->leak_told = true;
            pool->stats.leak_count++;
            describe(slot, now_us, &leaks[count++]);
        }
    }
    (void) pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < count && pool->hooks.on_leak != NULL; i++) {
        tell_leak(pool, &leaks[i]);
    }
}

void pool_tell_acquire(const pgc_pool *pool, const pgc_conn *conn, const pool_request *request,
                       pgc_pool_event event, const pgc_error *err)
{
    pgc_session_facts session;
    if (conn != NULL) {
        hooks_session(conn, &session);
        event.session = &session;
    }
    event.pool_name = pool->options.name;
    event.holder = request->holder;
    event.sqlstate = event.status == PGC_OK ? "" : err->sqlstate;
    pool->hooks.on_acquire(pool->hooks.ctx, &event);
}

void pool_tell_release(const pgc_pool *pool, const pool_slot *slot, int64_t now_us, bool closed)
{
    pgc_session_facts session;
    hooks_session(slot->conn, &session);
    const pgc_pool_event event = { .session = &session,
                                   .pool_name = pool->options.name,
                                   .holder = slot->holder,
                                   .sqlstate = "",
                                   .held_us = now_us - slot->borrowed_us,
                                   .closed = closed };
    pool->hooks.on_release(pool->hooks.ctx, &event);
}

/* Every slot is in one state, every counter is the number of slots in it. */
void pool_check(const pgc_pool *pool)
{
#ifndef NDEBUG
    uint32_t in[SLOT_CLOSING + 1] = { 0 };
    uint32_t idle = 0, waiting = 0, replacing = 0;
    for (list_node *node = pool->slots.next; node != &pool->slots; node = node->next) {
        const pool_slot *slot = CONTAINER_OF(node, pool_slot, all);
        in[slot->state]++;
        replacing += slot->replacing ? 1 : 0;
    }
    for (list_node *node = pool->idle.next; node != &pool->idle; node = node->next) {
        idle++;
    }
    for (size_t i = 0; i < POOL_PRIORITIES; i++) {
        const list_node *queue = &pool->waiters[i];
        for (list_node *node = queue->next; node != queue; node = node->next) {
            waiting++;
        }
    }
    const pgc_pool_stats *stats = &pool->stats;
    assert(idle == stats->idle);
    assert(in[SLOT_IDLE] == stats->idle);
    assert(in[SLOT_ACQUIRED] == stats->acquired);
    assert(in[SLOT_CLEANING] == stats->quarantined);
    assert(in[SLOT_CLOSING] == stats->closing);
    assert(stats->total ==
           stats->idle + stats->acquired + stats->quarantined + stats->closing + stats->connecting);
    assert(replacing == pool->replacing);
    assert(pool->successors + pool->replace <= replacing);
    assert(waiting <= stats->waiters);
    assert(waiting == 0 || idle == 0);
#else
    (void) pool;
#endif
}
