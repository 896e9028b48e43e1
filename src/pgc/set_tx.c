/* Transactions on a set: each attempt takes the server that is right at its time. Any thread. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/set_state.h"

/* What the attempts of one transaction share. */
typedef struct set_tx {
    pgc_set *set;
    pgc_token token;
    uint32_t replica_tries; /* left for a read-only one */
} set_tx;

static set_node *node_of(pgc_set *set, const pgc_pool *pool)
{
    set_node *node = set->nodes;
    while (node->pool != pool) {
        node++;
        assert(node < set->nodes + set->node_count);
    }
    return node;
}

/* A replica that shows what the transaction must see; NULL: none now. */
static set_node *acquire_replica(const set_tx *me, pgc_conn **out)
{
    pgc_set *set = me->set;
    int64_t budget_us = set->options.token_wait_us;
    uint32_t tried = 0;
    for (;;) {
        set_node *node = set_pick(set, &me->token, tried);
        pgc_conn *conn = NULL;
        if (node == NULL) {
            return NULL;
        }
        tried |= 1u << (size_t) (node - set->nodes);
        if (pgc_pool_acquire(node->pool, &conn, NULL) != PGC_OK) {
            set_suspect(node, &node->stats.lost_count);
            continue;
        }
        if (me->token.lsn == 0 || set_reached(conn, &me->token, &budget_us)) {
            *out = conn;
            return node;
        }
        set_count(set, &node->stats.behind_count);
        pgc_pool_release(node->pool, conn);
    }
}

/* Conflicts with the replay and lost replicas come back here: two of them, then the primary. */
static pgc_status acquire(void *ctx, int64_t deadline_us, pgc_pool **pool, pgc_conn **conn,
                          pgc_error *err)
{
    set_tx *me = ctx;
    pgc_set *set = me->set;
    set_node *node = NULL;
    if (me->replica_tries > 0) {
        me->replica_tries--;
        node = acquire_replica(me, conn);
        set_count(set, node == NULL ? &set->stats.fallback_count : &node->stats.read_count);
    }
    if (node == NULL) {
        int64_t patience_us = set_patience(set);
        deadline_us = deadline_us < patience_us ? deadline_us : patience_us;
        TRY(set_acquire_primary(set, deadline_us, &node, conn, err));
        set_count(set, &node->stats.write_count);
    }
    *pool = node->pool;
    return PGC_OK;
}

/* The next attempt finds another server, or this one in another role. */
static void refused(void *ctx, pgc_pool *pool)
{
    const set_tx *me = ctx;
    set_node *node = node_of(me->set, pool);
    set_suspect(node, &node->stats.refused_count);
}

pgc_status pgc_set_tx_run(pgc_set *set, const pgc_tx_options *options, uint32_t attempt_max,
                          pgc_tx_fn fn, void *arg, pgc_token *token, pgc_error *err)
{
    pgc_tx_options full;
    pgc_token written = { 0, 0, 0 };
    if (set == NULL || fn == NULL) {
        return pgc_error_set(err, PGC_INVALID, "transaction: no set or no function");
    }
    TRY(tx_options_resolve(options, &full, err));
    full.token = token == NULL || full.read_only ? NULL : &written;
    set_tx me = { .set = set, .replica_tries = full.read_only ? 2 : 0 };
    if (token != NULL) {
        me.token = *token;
    }
    const tx_source source = { .ctx = &me,
                               .clock = set->seams.clock,
                               .hooks = &set->nodes[0].pool->hooks,
                               .acquire = acquire,
                               .refused = refused };
    bool plain = options == NULL && token == NULL; /* the server's own defaults */
    pgc_status status = tx_run_from(&source, plain ? NULL : &full, attempt_max, fn, arg, err);
    if (status == PGC_OK && token != NULL) {
        *token = pgc_token_max(*token, written);
    }
    return status;
}
