/* Who is what: roles, freshness and fitness of the servers of a set, from what the looks found.
 * Invariant: at most one primary, never of a lower timeline than one that was seen before, always
 * of the same database system. All under set->lock. */
#include "base/prelude.h"

#include "pgc/set_state.h"

/* The newest position known of any primary. */
static const set_mark *last_mark(const pgc_set *set)
{
    return set->mark_count == 0 ? NULL : &set->marks[(set->mark_at + SET_MARKS - 1) % SET_MARKS];
}

static void add_mark(pgc_set *set, int64_t at_us, uint64_t lsn)
{
    set->marks[set->mark_at] = (set_mark) { at_us, lsn };
    set->mark_at = (set->mark_at + 1) % SET_MARKS;
    set->mark_count += set->mark_count < SET_MARKS ? 1 : 0;
}

/* How long ago the primary wrote the first thing that is not replayed, by our own clock: a quiet
 * primary makes nobody late. While there is no primary nobody falls further behind. */
static void note_lag(set_node *node, int64_t at_us)
{
    const pgc_set *set = node->set;
    const set_mark *last = last_mark(set);
    node->stats.lag_us = node->stats.lag_bytes = 0;
    if (last == NULL || node->stats.lsn >= last->lsn) {
        return;
    }
    node->stats.lag_bytes = (int64_t) (last->lsn - node->stats.lsn);
    int64_t since_us = at_us;
    for (size_t i = 1; i <= set->mark_count; i++) {
        const set_mark *mark = &set->marks[(set->mark_at + SET_MARKS - i) % SET_MARKS];
        if (mark->lsn <= node->stats.lsn) {
            break;
        }
        since_us = mark->at_us;
    }
    node->stats.lag_us = at_us > since_us ? at_us - since_us : 0;
}

/* The server that was promoted last is right, whoever else still takes writes. */
static void note_primary(set_node *node, const set_sample *sample, int64_t at_us)
{
    pgc_set *set = node->set;
    int32_t index = (int32_t) (node - set->nodes);
    if (set->system_id == 0) {
        set->system_id = sample->system_id;
    }
    bool newer = sample->timeline > set->timeline;
    bool same = sample->timeline == set->timeline &&
                (set->stats.primary < 0 || set->stats.primary == index);
    if (!newer && !same) {
        node->stats.role = PGC_NODE_DEPOSED;
        return;
    }
    if (newer) {
        set->mark_count = 0; /* positions of another branch of the log */
    }
    if (set->stats.primary >= 0 && set->stats.primary != index) {
        set_node *old = &set->nodes[set->stats.primary];
        old->stats.role = old->stats.role == PGC_NODE_PRIMARY ? PGC_NODE_DEPOSED : old->stats.role;
    }
    set->stats.primary_change_count += set->timeline != 0 && newer ? 1 : 0;
    set->timeline = sample->timeline;
    set->stats.primary = index;
    node->stats.role = PGC_NODE_PRIMARY;
    node->stats.lag_us = node->stats.lag_bytes = 0;
    add_mark(set, at_us, sample->lsn);
}

static void lose_role(set_node *node)
{
    pgc_set *set = node->set;
    if (set->stats.primary == (int32_t) (node - set->nodes)) {
        set->stats.primary = -1;
    }
    node->stats.role = PGC_NODE_UNKNOWN;
}

void set_note(set_node *node, const set_sample *sample, int64_t at_us, const pgc_error *err)
{
    pgc_set *set = node->set;
    node->stats.check_count++;
    node->suspect = false;
    if (sample == NULL) {
        node->stats.check_failure_count++;
        (void) snprintf(node->stats.last_error, sizeof node->stats.last_error, "%.159s",
                        err->message);
        lose_role(node);
        return;
    }
    node->stats.last_error[0] = '\0';
    node->stats.lsn = sample->lsn;
    node->stats.timeline = sample->timeline;
    node->sampled_us = at_us;
    if (set->system_id != 0 && sample->system_id != set->system_id) {
        lose_role(node);
        node->stats.role = PGC_NODE_STRANGER;
    } else if (sample->standby) {
        lose_role(node);
        node->stats.role = PGC_NODE_REPLICA;
        note_lag(node, at_us);
    } else {
        note_primary(node, sample, at_us);
    }
    assert(set->stats.primary < 0 || set->nodes[set->stats.primary].stats.role == PGC_NODE_PRIMARY);
}

/* A replica may follow a branch of the log that the token is not on: positions of different
 * branches cannot be compared. */
bool set_serves(const set_node *node, const pgc_token *token)
{
    const pgc_set_options *options = &node->set->options;
    const pgc_node_stats *now = &node->stats;
    return now->role == PGC_NODE_REPLICA && !node->suspect &&
           (options->lag_max_us < 0 || now->lag_us <= options->lag_max_us) &&
           (options->lag_max_bytes < 0 || now->lag_bytes <= options->lag_max_bytes) &&
           (token->lsn == 0 || now->timeline >= token->timeline);
}
