/* Looking at the servers of a set: one thread for each, on a connection of its own, so that neither
 * a dead server nor a busy pool delays what is known of the others. */
#include "base/prelude.h"

#include "pgc/pool_state.h"
#include "pgc/set_state.h"

#define LOOK_TIMEOUT_US 2000000
#define AWAY_FIRST_US   20000 /* between tries to reach a server that is away; doubles */

/* The timeline of a standby: what it receives, where we may see that; else what it has made sure
 * of, which may be older but never newer. */
static const pgc_query LOOK = {
    .name = "look at server",
    .sql =
        "SELECT pg_catalog.pg_is_in_recovery(), CASE WHEN pg_catalog.pg_is_in_recovery() THEN"
        " coalesce(pg_catalog.pg_last_wal_replay_lsn(), '0/0') ELSE"
        " pg_catalog.pg_current_wal_flush_lsn() END, s.system_identifier, greatest(" TX_TIMELINE_SQL
        ", CASE WHEN pg_catalog.pg_is_in_recovery() THEN greatest(c.timeline_id,"
        " r.min_recovery_end_timeline,"
        " (SELECT received_tli FROM pg_catalog.pg_stat_get_wal_receiver())) END)::int8"
        " FROM pg_catalog.pg_control_system() s, pg_catalog.pg_control_checkpoint() c,"
        " pg_catalog.pg_control_recovery() r",
    .flags = PGC_QUERY_UNNAMED,
};

/* Connects when there is no connection; drops it when it fails. */
static pgc_status look(set_node *node, pgc_conn **conn, set_sample *out, pgc_error *err)
{
    const pgc_set *set = node->set;
    if (*conn == NULL) {
        pgc_conn_options options = set->check;
        options.conninfo = node->conninfo;
        TRY(conn_open_on(&options, &set->seams, conn, err));
    }
    group g;
    group_init(&g, *conn);
    (void) group_add(&g, &LOOK, NULL);
    pgc_status status = group_run(&g, LOOK_TIMEOUT_US, err);
    uint64_t timeline = 0;
    if (status == PGC_OK &&
        !(group_u64(&g, 0, 1, &out->lsn) && group_u64(&g, 0, 2, &out->system_id) &&
          group_u64(&g, 0, 3, &timeline))) {
        status = pgc_error_set(err, PGC_PROTOCOL, "look at server: an answer of another shape");
    }
    out->standby = group_bool(&g, 0, 0);
    out->timeline = (uint32_t) timeline;
    group_done(&g);
    if (status != PGC_OK) {
        pgc_conn_close(TAKE(*conn));
    }
    return status;
}

/* Sleep until the next look; called and left with the lock held. */
static void sleep_on(set_node *node, int64_t pause_us)
{
    pgc_set *set = node->set;
    int64_t until_us = set_now(set) + pause_us;
    while (!set->closing && !node->look) {
        int64_t left_us = until_us - set_now(set);
        if (left_us <= 0) {
            return;
        }
        set_sleep(set, &set->wanted, left_us);
    }
}

/* A server that is away is tried more often at first: most come back soon. */
static int64_t pause_after(const pgc_set *set, uint32_t failures)
{
    int64_t pause_us = set->options.check_us;
    if (failures > 0) {
        pause_us = failures < 16 ? AWAY_FIRST_US << (failures - 1) : set->options.check_us;
        pause_us = pause_us < set->options.check_us ? pause_us : set->options.check_us;
    }
    return clock_jitter(set->seams.clock, pause_us);
}

void *set_watch(void *arg)
{
    set_node *node = arg;
    pgc_set *set = node->set;
    pgc_conn *conn = NULL;
    uint32_t failures = 0;
    (void) pthread_mutex_lock(&set->lock);
    while (!set->closing) {
        node->look = false;
        (void) pthread_mutex_unlock(&set->lock);
        pgc_error err;
        set_sample sample;
        int64_t at_us = set_now(set);
        pgc_error_clear(&err);
        pgc_status status = look(node, &conn, &sample, &err);
        if (status == PGC_OK && failures > 0) {
            pool_forgive(node->pool);
        }
        failures = status == PGC_OK ? 0 : failures + 1;
        (void) pthread_mutex_lock(&set->lock);
        int32_t before = set->stats.primary;
        set_note(node, status == PGC_OK ? &sample : NULL, at_us, &err);
        if (before >= 0 && set->stats.primary != before) {
            (void) pgc_pool_cancel(set->nodes[before].pool, set_ticket(set));
        }
        (void) pthread_cond_broadcast(&set->changed);
        sleep_on(node, pause_after(set, failures));
    }
    (void) pthread_mutex_unlock(&set->lock);
    pgc_conn_close(conn);
    return NULL;
}
