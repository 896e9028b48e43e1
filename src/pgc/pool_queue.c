/* Waiting for a connection: two queues, served in the order of arrival, with direct hand-over from
 * the one who gives back to the one whose turn it is. Invariant: while somebody waits, nothing is
 * idle; a waiter that leaves without a connection has taken itself off its queue under the lock, so
 * that no connection can be handed to nobody. All with the lock held; a
 * waiter sleeps without it, and needs it again only when it goes without a connection. */
#include "base/prelude.h"

#include "pgc/pool_state.h"

/* Interactive borrowers go first, but not for ever. */
static pool_waiter *next_waiter(pgc_pool *pool, pgc_priority *priority_out)
{
    list_node *interactive = &pool->waiters[PGC_PRIORITY_INTERACTIVE];
    list_node *background = &pool->waiters[PGC_PRIORITY_BACKGROUND];
    if (list_empty(interactive) && list_empty(background)) {
        return NULL;
    }
    bool turn = !list_empty(background) &&
                (list_empty(interactive) || pool->streak >= pool->options.interactive_share);
    pool->streak = turn || list_empty(background) ? 0 : pool->streak + 1;
    *priority_out = turn ? PGC_PRIORITY_BACKGROUND : PGC_PRIORITY_INTERACTIVE;
    return CONTAINER_OF((turn ? background : interactive)->next, pool_waiter, link);
}

/* The waiter itself is counted until it has woken: pgc_pool_close() waits for that. */
static void leave(pgc_pool *pool, pool_waiter *waiter, pgc_priority priority)
{
    list_remove(&waiter->link);
    assert(pool->stats.waiters > 0);
    pool->stats.waiters--;
    if (priority == PGC_PRIORITY_BACKGROUND) {
        assert(pool->stats.background_waiters > 0);
        pool->stats.background_waiters--;
    }
}

/* The wait is over when the connection is there; how soon the kernel runs the thread is its own
 * affair. The release may have read the clock before the waiter did. */
static void count_wait(pgc_pool *pool, const pool_waiter *waiter, int64_t now_us)
{
    int64_t waited_us = now_us > waiter->since_us ? now_us - waiter->since_us : 0;
    pool->stats.acquire_wait_us += waited_us;
    histogram_add(&pool->stats.wait, waited_us);
}

/* A woken borrower already owns its connection: nobody can be faster. All is written down here, so
 * that it need not take the lock on its way. */
const gate *pool_hand_over(pgc_pool *pool, pool_slot *slot, int64_t now_us)
{
    assert(slot->conn != NULL);
    assert(slot->state != SLOT_IDLE && slot->state != SLOT_CLOSING);
    pgc_priority priority = PGC_PRIORITY_INTERACTIVE;
    pool_waiter *first = next_waiter(pool, &priority);
    if (first == NULL) {
        slot->state = SLOT_IDLE;
        slot->idle_since_us = now_us;
        list_prepend(&pool->idle, &slot->link);
        pool->stats.idle++;
        return NULL;
    }
    leave(pool, first, priority);
    slot->idle_since_us = POOL_NOT_IDLE;
    count_wait(pool, first, now_us);
    pool_lend(pool, slot, first->request, first->thread_id, now_us);
    first->slot = slot;
    gate_set(&first->ready, GATE_OPEN);
    return &first->ready;
}

/* When waiting ends without a connection: the borrower's own deadline, or soon when the server is
 * away and nobody could give a connection back. */
static int64_t waits_until(const pgc_pool *pool, int64_t since_us, int64_t deadline_us)
{
    if (pool->failures == 0 || pool->stats.acquired + pool->stats.quarantined > 0) {
        return deadline_us;
    }
    int64_t soon_us = pool->hopeless ? since_us : since_us + POOL_FAIL_FAST_US;
    return soon_us < deadline_us ? soon_us : deadline_us;
}

/* The reason why there was no connection is worth more than that time ran out. */
static pgc_status wait_failed(pgc_pool *pool, pgc_status status, pgc_error *err)
{
    if (status == PGC_CLOSED) {
        return pgc_error_set(err, PGC_CLOSED, "acquire: the pool is closed");
    }
    if (status == PGC_CANCELLED) {
        pool->stats.acquire_cancel_count++;
        return pgc_error_set(err, PGC_CANCELLED, "acquire: cancelled while waiting");
    }
    if (pool->failures > 0) {
        pool->stats.acquire_connect_failure_count++;
        if (err != NULL) {
            *err = pool->last_error;
        }
        return pgc_error_wrap(err, pool->last_error.status, "acquire");
    }
    pool->stats.acquire_timeout_count++;
    status = pgc_error_set(err, PGC_TIMEOUT,
                           "acquire: all %" PRIu32 " connections were busy for too long (%" PRIu32
                           " others wait)",
                           pool->stats.max_conns, pool->stats.waiters);
    pgc_error_hint(err, "raise max_conns, or find what holds connections");
    return status;
}

/* Refuses what would wait in vain. */
static pgc_status may_wait(pgc_pool *pool, const pool_request *request, pgc_error *err)
{
    uint32_t background = pool->stats.background_waiters;
    uint32_t before = request->priority == PGC_PRIORITY_BACKGROUND
                          ? background
                          : pool->stats.waiters - background;
    if (!request->again && before >= pool->options.max_waiters) {
        pool->stats.acquire_limit_count++;
        return pgc_error_set(err, PGC_LIMIT, "acquire: %" PRIu32 " callers are waiting already",
                             before);
    }
    return PGC_OK;
}

static void enter(pgc_pool *pool, pool_waiter *waiter)
{
    const pool_request *request = waiter->request;
    list_node *queue = &pool->waiters[request->priority];
    if (request->again) {
        list_prepend(queue, &waiter->link); /* it has waited before */
    } else {
        list_append(queue, &waiter->link);
    }
    pool->stats.waiters++;
    pool->stats.background_waiters += request->priority == PGC_PRIORITY_BACKGROUND ? 1 : 0;
    pool->stats.acquire_wait_count++;
    if (pool->stats.total < pool->stats.max_conns) {
        (void) pthread_cond_signal(
            &pool->work); /* else a worker would wake for nothing each time */
    }
}

/* Called with the lock held, left without it when a connection came. A nudge is taken back under
 * the lock, where all who give one see the queue. */
static void wait_turn(pgc_pool *pool, pool_waiter *waiter, int64_t deadline_us)
{
    int64_t now_us = waiter->since_us;
    while (waiter->slot == NULL && waiter->status == PGC_OK) {
        int64_t until_us = waits_until(pool, waiter->since_us, deadline_us);
        if (now_us >= until_us) {
            waiter->status = PGC_TIMEOUT;
            break;
        }
        gate_set(&waiter->ready, GATE_CLOSED);
        (void) pthread_mutex_unlock(&pool->lock);
        if (gate_sleep(&waiter->ready, until_us == CONN_NO_DEADLINE ? -1 : until_us - now_us) ==
            GATE_OPEN) {
            return;
        }
        (void) pthread_mutex_lock(&pool->lock);
        now_us = pool_now(pool);
    }
    if (waiter->slot != NULL) {
        /* The hand-over crossed the deadline, and counts: the connection is there. */
        (void) pthread_mutex_unlock(&pool->lock);
        return;
    }
    pool->stats.acquire_wait_us += now_us - waiter->since_us;
}

pgc_status pool_wait(pgc_pool *pool, const pool_request *request, pool_slot **out, pgc_error *err)
{
    pgc_status status = may_wait(pool, request, err);
    if (status != PGC_OK) {
        (void) pthread_mutex_unlock(&pool->lock);
        return status;
    }
    pool_waiter waiter = { .status = PGC_OK,
                           .since_us = pool_now(pool),
                           .request = request,
                           .thread_id = pool_borrower_id(pool) };
    int64_t deadline_us = CONN_NO_DEADLINE;
    if (request->timeout_us >= 0 &&
        __builtin_add_overflow(waiter.since_us, request->timeout_us, &deadline_us)) {
        deadline_us = CONN_NO_DEADLINE;
    }
    enter(pool, &waiter);
    wait_turn(pool, &waiter, deadline_us);
    if (waiter.slot != NULL) {
        *out = waiter.slot;
        return PGC_OK;
    }
    leave(pool, &waiter, request->priority);
    status = wait_failed(pool, waiter.status, err);
    (void) pthread_cond_broadcast(&pool->drained);
    (void) pthread_mutex_unlock(&pool->lock);
    return status;
}

/* Rare, and the waiter has to take the lock in any case. */
static void nudge(pool_waiter *waiter)
{
    gate_set(&waiter->ready, GATE_NUDGED);
    gate_rouse(&waiter->ready);
}

/* Off the queue at once, so that nothing is handed to it any more. */
static void send_away(pool_waiter *waiter, pgc_status status)
{
    assert(waiter->slot == NULL);
    list_remove(&waiter->link);
    waiter->status = status;
    nudge(waiter);
}

void pool_wake_waiters(pgc_pool *pool, pgc_status status)
{
    for (size_t i = 0; i < POOL_PRIORITIES; i++) {
        list_node *queue = &pool->waiters[i];
        for (list_node *node = queue->next; node != queue;) {
            pool_waiter *waiter = CONTAINER_OF(node, pool_waiter, link);
            node = node->next;
            if (status != PGC_OK) {
                send_away(waiter, status);
            } else {
                nudge(waiter);
            }
        }
    }
}

/* One that was served a moment ago is no longer in a queue. */
uint32_t pgc_pool_cancel(pgc_pool *pool, uint64_t ticket)
{
    uint32_t count = 0;
    if (pool == NULL || ticket == 0 || pool_forked(pool)) {
        return 0;
    }
    (void) pthread_mutex_lock(&pool->lock);
    for (size_t i = 0; i < POOL_PRIORITIES; i++) {
        list_node *queue = &pool->waiters[i];
        for (list_node *node = queue->next; node != queue;) {
            pool_waiter *waiter = CONTAINER_OF(node, pool_waiter, link);
            node = node->next;
            if (waiter->request->ticket == ticket) {
                send_away(waiter, PGC_CANCELLED);
                count++;
            }
        }
    }
    (void) pthread_mutex_unlock(&pool->lock);
    return count;
}
