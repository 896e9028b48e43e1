/* The pool as its borrowers see it: first come, first served, with direct hand-over from the one
 * who gives back to the one who waits longest. Invariant: a connection is idle (on the list), owned
 * by one borrower, or owned by the thread that opens or closes it; stats.total counts all. Any
 * thread. */
#include "base/prelude.h"

#include "pgc/failure.h"
#include "pgc/pool_state.h"

#include "pgc/result.h"
#include "pgc/stream.h"
#include "pgc/watch.h"

#define PING_TIMEOUT_US 1000000

/* Direct hand-over: a woken borrower already owns its connection, nobody can be faster. */
void pool_hand_over(pgc_pool *pool, pool_slot *slot)
{
    assert(slot->conn != NULL);
    assert(pool->stats.idle + pool->stats.acquired < pool->stats.total);
    if (list_empty(&pool->waiters)) {
        slot->idle_since_us = pool_now(pool);
        list_prepend(&pool->idle, &slot->link);
        pool->stats.idle++;
        return;
    }
    pool_waiter *first = CONTAINER_OF(pool->waiters.next, pool_waiter, link);
    list_remove(&first->link);
    pool->stats.waiters--;
    pool->stats.acquired++;
    first->slot = slot;
    (void) pthread_cond_signal(&first->ready);
}

/* Closing talks to the server and may block for a moment, so it happens without the lock. */
void pool_retire(pgc_pool *pool, pool_slot *slot)
{
    /* The place stays taken until the socket is closed: never more than max_conns on the server. */
    pgc_conn_close(slot->conn);
    mem_free(pool->options.conn.alloc, slot, sizeof *slot);
    (void) pthread_mutex_lock(&pool->lock);
    assert(pool->closing > 0);
    pool->closing--;
    pool->stats.total--;
    (void) pthread_cond_signal(&pool->work);
    (void) pthread_cond_broadcast(&pool->drained);
    (void) pthread_mutex_unlock(&pool->lock);
}

/* When waiting ends without a connection: the borrower's own deadline, or soon when the server is
 * away and nobody could give a connection back. */
static int64_t waits_until(const pgc_pool *pool, const pool_waiter *waiter, int64_t deadline_us)
{
    bool hopeless = pool->failures > 0 && pool->stats.acquired == 0;
    int64_t soon_us = waiter->since_us + POOL_FAIL_FAST_US;
    return hopeless && soon_us < deadline_us ? soon_us : deadline_us;
}

/* The reason why there was no connection is worth more than that time ran out. */
static pgc_status wait_failed(pgc_pool *pool, pgc_status status, pgc_error *err)
{
    if (status == PGC_CLOSED) {
        return pgc_error_set(err, PGC_CLOSED, "acquire: the pool is closed");
    }
    if (pool->failures > 0) {
        if (err != NULL) {
            *err = pool->last_error;
        }
        return pgc_error_wrap(err, pool->last_error.status, "acquire");
    }
    pool->stats.acquire_timeout_count++;
    status = pgc_error_set(err, PGC_TIMEOUT,
                           "acquire: all %" PRIu32 " connections were busy for too long",
                           pool->options.max_conns);
    pgc_error_hint(err, "raise max_conns, or find what holds connections");
    return status;
}

/* With the lock held: stand in the queue until a connection is handed over. */
static pgc_status wait_in_queue(pgc_pool *pool, bool at_head, int64_t deadline_us, pool_slot **out,
                                pgc_error *err)
{
    if (!at_head && pool->stats.waiters >= pool->options.max_waiters) {
        return pgc_error_set(err, PGC_LIMIT, "acquire: %" PRIu32 " callers are waiting already",
                             pool->stats.waiters);
    }
    pool_waiter waiter = { .status = PGC_OK, .since_us = pool_now(pool) };
    pool_cond_init(&waiter.ready);
    if (at_head) {
        list_prepend(&pool->waiters, &waiter.link);
    } else {
        list_append(&pool->waiters, &waiter.link);
    }
    pool->stats.waiters++;
    pool->stats.acquire_wait_count++;
    (void) pthread_cond_signal(&pool->work);
    while (waiter.slot == NULL && waiter.status == PGC_OK) {
        int64_t until_us = waits_until(pool, &waiter, deadline_us);
        int64_t now_us = pool_now(pool);
        if (now_us >= until_us) {
            waiter.status = PGC_TIMEOUT;
        } else {
            pool_sleep(pool, &waiter.ready, until_us == CONN_NO_DEADLINE ? -1 : until_us - now_us);
        }
    }
    pool->stats.acquire_wait_us += pool_now(pool) - waiter.since_us;
    (void) pthread_cond_destroy(&waiter.ready);
    if (waiter.slot != NULL) {
        *out = waiter.slot;
        return PGC_OK;
    }
    list_remove(&waiter.link);
    pool->stats.waiters--;
    pgc_status status = wait_failed(pool, waiter.status, err);
    (void) pthread_cond_broadcast(&pool->drained);
    return status;
}

/* Take an idle connection or wait for one. Its state is not checked yet. */
static pgc_status take_slot(pgc_pool *pool, bool again, int64_t deadline_us, pool_slot **out,
                            pgc_error *err)
{
    (void) pthread_mutex_lock(&pool->lock);
    pgc_status status = PGC_OK;
    if (pool->closed) {
        status = pgc_error_set(err, PGC_CLOSED, "acquire: the pool is closed");
    } else if (list_empty(&pool->idle)) {
        status = wait_in_queue(pool, again, deadline_us, out, err);
    } else {
        pool_slot *slot = CONTAINER_OF(pool->idle.next, pool_slot, link);
        list_remove(&slot->link);
        pool->stats.idle--;
        pool->stats.acquired++;
        *out = slot;
    }
    if (status == PGC_OK) {
        pool->stats.acquire_count += again ? 0 : 1;
    }
    (void) pthread_mutex_unlock(&pool->lock);
    return status;
}

/* A borrowed connection leaves the pool for good; why is one of the counters of stats. */
static void discard(pgc_pool *pool, pool_slot *slot, int64_t *why)
{
    (void) pthread_mutex_lock(&pool->lock);
    assert(pool->stats.acquired > 0);
    (*why)++;
    pool->stats.acquired--;
    pool->closing++;
    (void) pthread_mutex_unlock(&pool->lock);
    pool_retire(pool, slot);
}

/* Old ones are replaced; dead ones show on the socket, or at the latest in a ping. */
static bool still_good(pgc_pool *pool, pool_slot *slot)
{
    int64_t now_us = pool_now(pool);
    if (now_us >= slot->expires_us) {
        discard(pool, slot, &pool->stats.lifetime_close_count);
        return false;
    }
    bool good = conn_probe(slot->conn);
    if (good && now_us - slot->idle_since_us >= pool->options.ping_idle_us) {
        good = conn_ping(slot->conn, PING_TIMEOUT_US, NULL) == PGC_OK;
    }
    if (!good) {
        discard(pool, slot, &pool->stats.broken_close_count);
    }
    return good;
}

/* Checks run without the lock: a dead server must not stop the other borrowers. */
pgc_status pgc_pool_acquire(pgc_pool *pool, pgc_conn **out, pgc_error *err)
{
    if (pool == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "acquire: no pool or no place for the result");
    }
    int64_t deadline_us = CONN_NO_DEADLINE;
    if (pool->options.acquire_timeout_us >= 0) {
        deadline_us = pool_now(pool) + pool->options.acquire_timeout_us;
    }
    /* Every round closes a connection that is no good; the last ends with a new one or an error. */
    for (bool again = false;; again = true) {
        pool_slot *slot = NULL;
        pgc_status status = take_slot(pool, again, deadline_us, &slot, err);
        if (slot == NULL) {
            failure_outcome(err, PGC_OUTCOME_NOT_RUN);
            return status;
        }
        bool fresh = slot->idle_since_us == POOL_NOT_IDLE;
        if (fresh || still_good(pool, slot)) {
            slot->idle_since_us = POOL_NOT_IDLE;
            *out = slot->conn;
            return PGC_OK;
        }
    }
}

/* Only a clean session goes back; nothing is repaired. */
void pgc_pool_release(pgc_pool *pool, pgc_conn *conn)
{
    if (pool == NULL || conn == NULL) {
        return;
    }
    pool_slot *slot = conn->owner;
    assert(slot != NULL);
    assert(slot->conn == conn);
    if (!pgc_conn_alive(conn)) {
        discard(pool, slot, &pool->stats.broken_close_count);
    } else if (pgc_conn_tx_state(conn) != PGC_TX_IDLE) {
        discard(pool, slot, &pool->stats.dirty_release_count);
    } else if (conn->bloated || pool_now(pool) >= slot->expires_us) {
        discard(pool, slot, &pool->stats.lifetime_close_count);
    } else {
        (void) pthread_mutex_lock(&pool->lock);
        assert(pool->stats.acquired > 0);
        pool->stats.acquired--;
        pool_hand_over(pool, slot);
        (void) pthread_cond_broadcast(&pool->drained);
        (void) pthread_mutex_unlock(&pool->lock);
    }
}

/* One copy under the lock: the numbers belong together. */
void pgc_pool_get_stats(pgc_pool *pool, pgc_pool_stats *out)
{
    (void) pthread_mutex_lock(&pool->lock);
    *out = pool->stats;
    (void) pthread_mutex_unlock(&pool->lock);
}

/* Rows are copied out of the connection by libpq, so it goes back before they are read. */
static pgc_status run_borrowed(pgc_pool *pool, const run_item *items, size_t count,
                               pgc_result **out, bool *lost_out, pgc_error *err)
{
    pgc_conn *conn = NULL;
    TRY(pgc_pool_acquire(pool, &conn, err));
    PGresult *answer = NULL;
    pgc_status status = conn_run_group(conn, items, count, &answer, err);
    *lost_out = status == PGC_CONNECTION;
    pgc_pool_release(pool, conn);
    if (status != PGC_OK) {
        return status;
    }
    if (out == NULL) {
        pool->seams.pq->clear(answer);
        return PGC_OK;
    }
    return result_new(pool->seams.pq, answer, pool->options.conn.alloc, items[count - 1].query, out,
                      err);
}

/* A write is never repeated: the server may have done it. */
pgc_status pool_run(pgc_pool *pool, const run_item *items, size_t count, pgc_result **out,
                    pgc_error *err)
{
    bool lost = false;
    pgc_status status = run_borrowed(pool, items, count, out, &lost, err);
    if (lost && (items[count - 1].query->flags & PGC_QUERY_READ_ONLY) != 0) {
        hooks_retry(&pool->hooks,
                    (pgc_retry_event) { .kind = PGC_RETRY_READ,
                                        .name = items[count - 1].query->name,
                                        .attempt = 1,
                                        .status = status },
                    err);
        pgc_error_clear(err);
        status = run_borrowed(pool, items, count, out, &lost, err);
    }
    return status;
}

/* The group has sent nothing that counts when its first row does not come: a read is tried on
 * another connection. */
pgc_status pool_open_rows(pgc_pool *pool, const run_item *items, size_t count,
                          const pgc_run_options *options, pgc_rows **out, pgc_error *err)
{
    bool again = (items[count - 1].query->flags & PGC_QUERY_READ_ONLY) != 0;
    for (;;) {
        pgc_conn *conn = NULL;
        TRY(pgc_pool_acquire(pool, &conn, err));
        pgc_status status = rows_open_on(conn, pool, items, count, options, out, err);
        if (status != PGC_CONNECTION || !again) {
            return status;
        }
        again = false;
        pgc_error_clear(err);
    }
}
