/* The pool as its borrowers see it: take one that is idle or wait, give back. Invariant: a
 * connection is idle (on the list), owned by one borrower, or owned by the thread that opens,
 * cleans or closes it; stats.total counts all. Any thread. */
#include "base/prelude.h"

#include "pgc/pool_state.h"

#include "base/options.h"
#include "pgc/failure.h"
#include "pgc/result.h"
#include "pgc/stream.h"
#include "pgc/watch.h"

/* With the lock held: the one used last is the warmest. An old one is passed over while there is
 * another; it goes to victims. */
static pool_slot *take_idle(pgc_pool *pool, int64_t now_us, list_node *victims)
{
    for (;;) {
        pool_slot *slot = CONTAINER_OF(pool->idle.next, pool_slot, link);
        pool_take_idle(pool, slot);
        if (now_us < slot->expires_us || list_empty(&pool->idle) ||
            !pool_may_retire(pool, now_us)) {
            return slot;
        }
        pool_begin_close(pool, slot, PGC_END_LIFETIME);
        list_append(victims, &slot->link);
    }
}

/* Called with the lock held, left without it: none is idle. */
static pgc_status none_idle(pgc_pool *pool, const pool_request *request, pool_slot **out,
                            pgc_error *err)
{
    if (!request->no_wait) {
        return pool_wait(pool, request, out, err);
    }
    pool->hinted = true;
    (void) pthread_cond_signal(&pool->work);
    (void) pthread_mutex_unlock(&pool->lock);
    return pgc_error_set(err, PGC_LIMIT, "acquire: no connection is idle");
}

uint64_t pool_borrower_id(const pgc_pool *pool)
{
    return pool->options.leak_after_us >= 0 ? pool_thread_id() : 0;
}

void pool_lend(pgc_pool *pool, pool_slot *slot, const pool_request *request, uint64_t thread_id,
               int64_t now_us)
{
    assert(slot->state != SLOT_IDLE && slot->state != SLOT_CLOSING);
    slot->state = SLOT_ACQUIRED;
    slot->borrowed_us = now_us;
    slot->holder = request->holder;
    slot->leak_told = false;
    slot->thread_id = thread_id;
    pool->stats.acquired++;
    pool->stats.acquire_count += request->again ? 0 : 1;
}

/* Take an idle connection or wait for one. Its state is not checked yet; idle_since_us tells for
 * how long it was not looked at. */
static pgc_status take_slot(pgc_pool *pool, const pool_request *request, int64_t now_us,
                            pool_slot **out, pgc_error *err)
{
    list_node victims;
    list_init(&victims);
    (void) pthread_mutex_lock(&pool->lock);
    if (pool->closed) {
        (void) pthread_mutex_unlock(&pool->lock);
        return pgc_error_set(err, PGC_CLOSED, "acquire: the pool is closed");
    }
    if (list_empty(&pool->idle)) {
        return none_idle(pool, request, out, err);
    }
    pool_slot *slot = take_idle(pool, now_us, &victims);
    histogram_add(&pool->stats.wait, 0);
    pool_lend(pool, slot, request, pool_borrower_id(pool), now_us);
    (void) pthread_mutex_unlock(&pool->lock);
    pool_retire_all(pool, &victims);
    *out = slot;
    return PGC_OK;
}

/* A borrowed connection leaves the pool for good. */
static void discard(pgc_pool *pool, pool_slot *slot, pgc_end_reason reason)
{
    int64_t now_us = pool_now(pool);
    (void) pthread_mutex_lock(&pool->lock);
    assert(slot->state == SLOT_ACQUIRED);
    assert(pool->stats.acquired > 0);
    pool->stats.acquired--;
    histogram_add(&pool->stats.hold, now_us - slot->borrowed_us);
    pool_begin_close(pool, slot, reason);
    (void) pthread_mutex_unlock(&pool->lock);
    pool_retire(pool, slot);
}

/* Somebody's connection broke: the others are looked at before they are lent, however fresh. */
static void discard_lost(pgc_pool *pool, pool_slot *slot)
{
    atomic_store(&pool->alarm_us, pool_now(pool));
    discard(pool, slot, PGC_END_LOST);
}

static bool ping(pgc_pool *pool, pool_slot *slot, int64_t now_us)
{
    bool good = conn_ping(slot->conn, pool->options.ping_timeout_us, NULL) == PGC_OK;
    int64_t took_us = pool_now(pool) - now_us;
    (void) pthread_mutex_lock(&pool->lock);
    histogram_add(&pool->stats.ping, took_us);
    (void) pthread_mutex_unlock(&pool->lock);
    return good;
}

/* Death shows on the socket, or at the latest in a ping; a look at the socket is a system call, so
 * one that was in use a moment ago goes without. */
static bool still_good(pgc_pool *pool, pool_slot *slot, int64_t now_us)
{
    int64_t checked_us =
        slot->idle_since_us > slot->checked_us ? slot->idle_since_us : slot->checked_us;
    if (now_us - checked_us < POOL_PROBE_AFTER_US &&
        checked_us > atomic_load_explicit(&pool->alarm_us, memory_order_relaxed)) {
        return true;
    }
    bool good = conn_probe(slot->conn);
    if (good && now_us - checked_us >= pool->options.ping_idle_us) {
        good = ping(pool, slot, now_us);
    }
    bool demoted = pgc_conn_alive(slot->conn) && dirty_role_changed(slot->conn, &slot->baseline);
    if (demoted) {
        pool_bump(pool);
        discard(pool, slot, PGC_END_RESET);
    } else if (!good) {
        discard_lost(pool, slot);
    }
    return good && !demoted;
}

/* Checks run without the lock: a dead server must not stop the other borrowers. */
static pgc_status acquire(pgc_pool *pool, pool_request *request, pgc_conn **out, pgc_error *err)
{
    /* Every round closes a connection that is no good; the last ends with a new one or an error. */
    for (;; request->again = true) {
        int64_t now_us = pool_now(pool);
        pool_slot *slot = NULL;
        pgc_status status = take_slot(pool, request, now_us, &slot, err);
        if (slot == NULL) {
            failure_outcome(err, PGC_OUTCOME_NOT_RUN);
            return status;
        }
        bool fresh = slot->idle_since_us == POOL_NOT_IDLE;
        if (fresh || still_good(pool, slot, now_us)) {
            slot->idle_since_us = POOL_NOT_IDLE;
            *out = slot->conn;
            return PGC_OK;
        }
    }
}

/* Times the borrower's wait for a listener, checks and all. */
static pgc_status acquire_told(pgc_pool *pool, pool_request *request, pgc_conn **out,
                               pgc_error *err)
{
    pgc_error ours;
    pgc_conn *conn = NULL;
    int64_t since_us = pool_now(pool);
    err = err != NULL ? err : &ours;
    pgc_status status = acquire(pool, request, &conn, err);
    const pgc_pool_event event = { .status = status, .wait_us = pool_now(pool) - since_us };
    pool_tell_acquire(pool, conn, request, event, err);
    if (status == PGC_OK) {
        *out = conn;
    }
    return status;
}

static pgc_status acquire_checked(pgc_pool *pool, pool_request *request, int64_t timeout_us,
                                  pgc_conn **out, pgc_error *err)
{
    if (pool == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "acquire: no pool or no place for the result");
    }
    if (pool_forked(pool)) {
        pgc_status status =
            pgc_error_set(err, PGC_INVALID, "acquire: the pool belongs to the parent process");
        pgc_error_hint(err, "open a pool of its own in a child made by fork()");
        return status;
    }
    request->timeout_us = timeout_us != 0 ? timeout_us : pool->options.acquire_timeout_us;
    return pool->hooks.on_acquire == NULL ? acquire(pool, request, out, err)
                                          : acquire_told(pool, request, out, err);
}

pgc_status pgc_pool_acquire(pgc_pool *pool, pgc_conn **out, pgc_error *err)
{
    pool_request request = { .holder = "" };
    return acquire_checked(pool, &request, 0, out, err);
}

pgc_status pgc_pool_try_acquire(pgc_pool *pool, pgc_conn **out, pgc_error *err)
{
    pool_request request = { .holder = "", .no_wait = true };
    return acquire_checked(pool, &request, 0, out, err);
}

pgc_status pgc_pool_acquire_with(pgc_pool *pool, const pgc_acquire_options *options, pgc_conn **out,
                                 pgc_error *err)
{
    pgc_acquire_options full;
    TRY(options_take_any("acquire options", options, &full, sizeof full, err));
    if ((unsigned) full.priority >= POOL_PRIORITIES) {
        return pgc_error_set(err, PGC_INVALID, "acquire options: priority %u",
                             (unsigned) full.priority);
    }
    pool_request request = { .priority = full.priority,
                             .holder = full.holder != NULL ? full.holder : "",
                             .ticket = full.ticket };
    return acquire_checked(pool, &request, full.timeout_us, out, err);
}

/* What becomes of a connection that comes back. */
typedef enum verdict { KEEP, CLEAN, CLOSE, CLOSE_LOST, CLOSE_UNFIT, CLOSE_DEMOTED } verdict;

static verdict judge(const pool_slot *slot, uint32_t *changes_out)
{
    const pgc_conn *conn = slot->conn;
    if (!pgc_conn_alive(conn)) {
        return CLOSE_LOST;
    }
    pgc_tx_state state = pgc_conn_tx_state(conn);
    if (state == PGC_TX_ACTIVE || state == PGC_TX_UNKNOWN) {
        return CLOSE_UNFIT; /* somebody's answers would be unread in it */
    }
    bool used = conn->calls != slot->baseline.calls;
    if (used && dirty_role_changed(conn, &slot->baseline)) {
        return CLOSE_DEMOTED;
    }
    /* What the borrower has set itself is cleaned; what the server reports by itself stays. */
    if (used && (conn->dirty & PGC_SESSION_SETTINGS) == 0 && !conn_fits(conn)) {
        return CLOSE_UNFIT;
    }
    if (conn->bloated) {
        return CLOSE;
    }
    *changes_out = dirty_changes(conn, &slot->baseline);
    return state != PGC_TX_IDLE || *changes_out != 0 ? CLEAN : KEEP;
}

/* With the lock held, the connection still counted as acquired. An old one goes now, or when its
 * successor is there. True: it was put back. */
static bool put_back(pgc_pool *pool, pool_slot *slot, int64_t now_us, const gate **wake_out)
{
    if (pool->closed || slot->generation != pool->stats.generation ||
        pool->stats.total - pool->stats.closing > pool->stats.max_conns) {
        pool_begin_close(pool, slot, pool->closed ? PGC_END_CALLER : PGC_END_RESET);
        return false;
    }
    if (pool_ends_by_age(pool, slot, now_us)) {
        pool_begin_close(pool, slot, PGC_END_LIFETIME);
        return false;
    }
    *wake_out = pool_hand_over(pool, slot, now_us);
    return true;
}

/* With the lock held: a worker cleans it. */
static void put_aside(pgc_pool *pool, pool_slot *slot)
{
    pool->stats.dirty_release_count += pgc_conn_tx_state(slot->conn) != PGC_TX_IDLE ? 1 : 0;
    slot->state = SLOT_CLEANING;
    pool->stats.quarantined++;
    list_append(&pool->repairs, &slot->link);
    (void) pthread_cond_signal(&pool->work);
}

/* The connection is whole and fit for use, or can be made so. */
static void give_back(pgc_pool *pool, pool_slot *slot, bool clean, int64_t now_us)
{
    bool kept = true;
    const gate *wake = NULL;
    slot->baseline.calls = clean ? slot->conn->calls : slot->baseline.calls;
    (void) pthread_mutex_lock(&pool->lock);
    assert(slot->state == SLOT_ACQUIRED);
    assert(pool->stats.acquired > 0);
    pool->stats.acquired--;
    histogram_add(&pool->stats.hold, now_us - slot->borrowed_us);
    if (clean || pool->closed) {
        kept = put_back(pool, slot, now_us, &wake);
    } else {
        put_aside(pool, slot);
    }
    if (pool->closed) {
        (void) pthread_cond_broadcast(&pool->drained);
    }
    (void) pthread_mutex_unlock(&pool->lock);
    gate_rouse(wake);
    if (!kept) {
        pool_retire(pool, slot);
    }
}

void pgc_pool_release(pgc_pool *pool, pgc_conn *conn)
{
    if (pool == NULL || conn == NULL || pool_forked(pool)) {
        return;
    }
    pool_slot *slot = conn->owner;
    assert(slot != NULL);
    assert(slot->conn == conn);
    int64_t now_us = pool_now(pool);
    uint32_t changes = 0;
    verdict what = judge(slot, &changes);
    conn->dirty = changes;
    if (pool->hooks.on_release != NULL) {
        pool_tell_release(pool, slot, now_us, what != KEEP && what != CLEAN);
    }
    switch (what) {
    case CLOSE_LOST:
        discard_lost(pool, slot);
        break;
    case CLOSE_UNFIT:
        discard(pool, slot, PGC_END_DIRTY);
        break;
    case CLOSE_DEMOTED:
        pool_bump(pool);
        discard(pool, slot, PGC_END_RESET);
        break;
    case CLOSE:
        discard(pool, slot, PGC_END_LIFETIME);
        break;
    case KEEP:
    case CLEAN:
    default:
        give_back(pool, slot, what == KEEP, now_us);
        break;
    }
}

/* The place is free at once: the connection is no longer ours to count. */
void pgc_pool_detach(pgc_pool *pool, pgc_conn *conn)
{
    if (pool == NULL || conn == NULL || pool_forked(pool)) {
        return;
    }
    pool_slot *slot = conn->owner;
    assert(slot != NULL);
    int64_t now_us = pool_now(pool);
    conn->owner = NULL;
    conn->pool_name = NULL;
    atomic_store(&conn->own_epoch, conn->seen_epoch);
    conn->schema_epoch = &conn->own_epoch;
    (void) pthread_mutex_lock(&pool->lock);
    assert(slot->state == SLOT_ACQUIRED);
    slot->conn = NULL;
    pool->stats.acquired--;
    pool->stats.detach_count++;
    histogram_add(&pool->stats.hold, now_us - slot->borrowed_us);
    pool_begin_close(pool, slot, PGC_END_CALLER);
    (void) pthread_mutex_unlock(&pool->lock);
    pool_retire(pool, slot);
}

/* Rows are copied out of the connection by libpq, so it goes back before they are read. */
static pgc_status run_borrowed(pgc_pool *pool, const run_item *items, size_t count,
                               pgc_result **out, bool *lost_out, pgc_error *err)
{
    pgc_conn *conn = NULL;
    const pgc_query *query = items[count - 1].query;
    const pgc_alloc *alloc = pool->options.conn.alloc;
    pool_request request = { .holder = query->name };
    AUTO(result_auto) pgc_result *room = NULL;
    if (out != NULL) {
        TRY(result_reserve(pool->seams.pq, alloc, query, &room, err));
    }
    TRY(acquire_checked(pool, &request, 0, &conn, err));
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
    TRY(result_new_in(pool->seams.pq, answer, alloc, query, &room, err));
    *out = TAKE(room);
    return PGC_OK;
}

/* A write is never repeated: the server may have done it. */
pgc_status pool_run(pgc_pool *pool, const run_item *items, size_t count, pgc_result **out,
                    pgc_error *err)
{
    bool lost = false;
    const pgc_query *query = items[count - 1].query;
    pgc_status status = run_borrowed(pool, items, count, out, &lost, err);
    if (!lost || (query->flags & PGC_QUERY_READ_ONLY) == 0) {
        return status;
    }
    (void) pthread_mutex_lock(&pool->lock);
    pool->stats.read_retry_count++;
    (void) pthread_mutex_unlock(&pool->lock);
    const pgc_retry_event event = {
        .kind = PGC_RETRY_READ, .name = query->name, .attempt = 1, .status = status
    };
    hooks_retry(&pool->hooks, event, err);
    pgc_error_clear(err);
    return run_borrowed(pool, items, count, out, &lost, err);
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
