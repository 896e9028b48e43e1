/* Choosing a server of a set, and waiting for a primary. Any thread. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/set_state.h"

#include "base/cond.h"

set_node *set_pick(pgc_set *set, const pgc_token *token, uint32_t tried)
{
    set_node *best = NULL;
    unsigned best_load = 0;
    (void) pthread_mutex_lock(&set->lock);
    uint32_t turn = set->turn++;
    for (size_t i = 0; i < set->node_count; i++) {
        size_t at = (turn + i) % set->node_count;
        set_node *node = &set->nodes[at];
        if ((tried & 1u << at) != 0 || !set_serves(node, token)) {
            continue;
        }
        unsigned load = atomic_load_explicit(&node->under_way, memory_order_relaxed);
        if (best == NULL || load < best_load) {
            best = node;
            best_load = load;
        }
        if (set->options.balance == PGC_BALANCE_ROUND_ROBIN) {
            break;
        }
    }
    (void) pthread_mutex_unlock(&set->lock);
    return best;
}

int64_t set_now(const pgc_set *set)
{
    return set->seams.clock->mono_us(set->seams.clock->ctx);
}

void set_sleep(pgc_set *set, pthread_cond_t *cond, int64_t us)
{
    (void) cond_wait(cond, &set->lock, us > 0 ? us : 0);
}

int64_t set_patience(const pgc_set *set)
{
    return set_now(set) + (set->options.primary_wait_us > 0 ? set->options.primary_wait_us : 0);
}

/* With the lock held: what is wrong with each server, as far as it fits. */
static pgc_status no_primary(const pgc_set *set, pgc_error *err)
{
    static const char *const ROLES[] = { "not reached", "primary", "replica", "deposed primary",
                                         "another system" };
    char text[400];
    size_t len = 0;
    for (size_t i = 0; i < set->node_count && len < sizeof text; i++) {
        const pgc_node_stats *now = &set->nodes[i].stats;
        int n = snprintf(text + len, sizeof text - len, "%s%zu: %.100s", i == 0 ? "" : "; ", i + 1,
                         now->last_error[0] != '\0' ? now->last_error : ROLES[now->role]);
        len += n > 0 ? (size_t) n : 0;
    }
    pgc_status status = pgc_error_set(err, PGC_CONNECTION, "no primary among %zu servers (%s)",
                                      set->node_count, text);
    if (err != NULL) {
        err->retry = true;
        err->outcome = PGC_OUTCOME_NOT_RUN;
    }
    return status;
}

/* With the lock held. Not before every server was looked at once: one may be a successor of the
 * other. */
static set_node *usable_primary(pgc_set *set)
{
    set_node *node = set->stats.primary < 0 ? NULL : &set->nodes[set->stats.primary];
    for (size_t i = 0; i < set->node_count; i++) {
        node = set->nodes[i].stats.check_count == 0 ? NULL : node;
    }
    return node == NULL || node->suspect ? NULL : node;
}

pgc_status set_primary(pgc_set *set, int64_t deadline_us, set_node **out, pgc_error *err)
{
    pgc_status status = PGC_OK;
    bool waited = false;
    (void) pthread_mutex_lock(&set->lock);
    for (;;) {
        set_node *node = usable_primary(set);
        if (node != NULL) {
            *out = node;
            break;
        }
        int64_t left_us = deadline_us - set_now(set);
        if (set->closing) {
            status = pgc_error_set(err, PGC_CLOSED, "the set is closed");
            break;
        }
        if (left_us <= 0) {
            status = no_primary(set, err);
            break;
        }
        set->stats.primary_wait_count += waited ? 0 : 1;
        waited = true;
        set_sleep(set, &set->changed, left_us);
    }
    (void) pthread_mutex_unlock(&set->lock);
    return status;
}

void set_count(pgc_set *set, int64_t *counter)
{
    (void) pthread_mutex_lock(&set->lock);
    ++*counter;
    (void) pthread_mutex_unlock(&set->lock);
}

void set_suspect(set_node *node, int64_t *counter)
{
    pgc_set *set = node->set;
    (void) pthread_mutex_lock(&set->lock);
    ++*counter;
    node->suspect = node->look = true;
    (void) pthread_cond_broadcast(&set->wanted);
    (void) pthread_mutex_unlock(&set->lock);
}

/* What is left of a time-out that began then; never 0, which would be the default. */
static int64_t rest_of(int64_t timeout_us, int64_t since_us, int64_t now_us)
{
    int64_t left_us = timeout_us - (now_us - since_us);
    return timeout_us < 0 ? timeout_us : left_us > 1 ? left_us : 1;
}

uint64_t set_ticket(const pgc_set *set)
{
    return (uint64_t) (uintptr_t) set;
}

/* Who waits in the pool of a server that ceases to be the primary is sent away by set_watch(), and
 * stands in the queue of its successor. */
pgc_status set_acquire_primary(pgc_set *set, int64_t deadline_us, set_node **node, pgc_conn **conn,
                               pgc_error *err)
{
    int64_t began_us = set_now(set);
    for (;;) {
        set_node *found = NULL;
        TRY(set_primary(set, deadline_us, &found, err));
        const pgc_acquire_options options = {
            .struct_size = sizeof options,
            .ticket = set_ticket(set),
            .timeout_us = rest_of(found->pool->options.acquire_timeout_us, began_us, set_now(set)),
        };
        pgc_status status = pgc_pool_acquire_with(found->pool, &options, conn, err);
        if (status == PGC_CANCELLED) {
            continue;
        }
        if (status == PGC_OK) {
            *node = found;
            return PGC_OK;
        }
        if (status != PGC_CONNECTION || (err != NULL && !err->retry)) {
            return status;
        }
        set_suspect(found, &found->stats.lost_count);
        if (set_now(set) >= deadline_us) {
            return status;
        }
    }
}

pgc_status pgc_set_await(pgc_set *set, uint32_t replicas, int64_t timeout_us, pgc_error *err)
{
    static const pgc_token nothing = { 0, 0, 0 };
    int64_t deadline_us = set_now(set) + timeout_us;
    pgc_status status = PGC_TIMEOUT;
    (void) pthread_mutex_lock(&set->lock);
    while (status == PGC_TIMEOUT) {
        uint32_t serving = 0;
        for (size_t i = 0; i < set->node_count; i++) {
            serving += set_serves(&set->nodes[i], &nothing) ? 1 : 0;
        }
        int64_t left_us = deadline_us - set_now(set);
        if (usable_primary(set) != NULL && serving >= replicas) {
            status = PGC_OK;
        } else if (left_us <= 0) {
            status = set->stats.primary < 0 ? no_primary(set, err) : PGC_TIMEOUT;
            if (status == PGC_TIMEOUT) {
                (void) pgc_error_set(err, PGC_TIMEOUT,
                                     "%" PRIu32 " of %" PRIu32 " replicas serve reads", serving,
                                     replicas);
            }
            break;
        } else {
            set_sleep(set, &set->changed, left_us);
        }
    }
    (void) pthread_mutex_unlock(&set->lock);
    return status;
}
