/* Inside of pgc_set, shared by the files set*.c. */
#ifndef PGC_SET_STATE_H
#define PGC_SET_STATE_H

#include <stdatomic.h>

#include <pgc/set.h>

#include "pgc/connection.h"
#include "pgc/tx_parts.h"

#define SET_MARKS 64u /* positions of the primary that are remembered */

/* The primary had written so much at that time. */
typedef struct set_mark {
    int64_t at_us;
    uint64_t lsn;
} set_mark;

/* What one look at a server found. */
typedef struct set_sample {
    bool standby;
    uint64_t lsn, system_id;
    uint32_t timeline;
} set_sample;

/* One server. `stats` and what stands above it are guarded by set->lock. */
typedef struct set_node {
    pgc_set *set;
    pgc_pool *pool;
    char *conninfo;
    bool suspect; /* something went wrong since the last look: not used before the next */
    bool look;    /* look now */
    int64_t sampled_us;
    pgc_node_stats stats;
    atomic_uint under_way;
    pthread_t monitor;
    bool watched; /* the thread runs */
} set_node;

struct pgc_set {
    pgc_db writer, reader;
    const pgc_alloc *alloc;
    conn_seams seams;        /* wake_fd ends the monitors' connects */
    pgc_set_options options; /* nodes and pool are not used after opening */
    pgc_conn_options check;  /* how monitors connect; conninfo is the node's */
    pthread_mutex_t lock;    /* guards what follows */
    pthread_cond_t changed;  /* a look was taken, or the set closes */
    pthread_cond_t wanted;   /* monitors sleep here */
    bool closing;
    uint64_t system_id; /* of the first primary that was seen; 0: none yet */
    uint32_t timeline;  /* the highest of a primary so far */
    uint32_t turn;      /* round robin */
    set_mark marks[SET_MARKS];
    size_t mark_count, mark_at; /* the next one is written to mark_at */
    pgc_set_stats stats;
    size_t node_count;
    set_node nodes[PGC_SET_NODES_MAX];
};

/* pgc_set_open() on given seams. seams->wake_fd is ignored. */
pgc_status set_open_on(const pgc_set_options *options, const conn_seams *seams, pgc_set **out,
                       pgc_error *err) PGC_MUST_CHECK;
int64_t set_now(const pgc_set *set);
/* With the lock held: wait for a signal, at most us microseconds of real time. */
void set_sleep(pgc_set *set, pthread_cond_t *cond, int64_t us);

/* set_monitor.c */

/* Thread function; arg is the node. */
void *set_watch(void *arg);

/* set_roles.c; all with the lock held */

/* Take in what a look found; err when it failed (sample NULL). */
void set_note(set_node *node, const set_sample *sample, int64_t at_us, const pgc_error *err);
/* May serve reads that demand `token` (timeline only: the position is asked for with the read). */
bool set_serves(const set_node *node, const pgc_token *token);

/* set_route.c */

/* A replica for a read that is not in `tried` (a bit per node); NULL: none. */
set_node *set_pick(pgc_set *set, const pgc_token *token, uint32_t tried);
/* The primary; waits for one until the deadline. */
pgc_status set_primary(pgc_set *set, int64_t deadline_us, set_node **out, pgc_error *err)
    PGC_MUST_CHECK;
/* When a call that starts now stops waiting for a primary. */
int64_t set_patience(const pgc_set *set);
/* Something went wrong with a server: look again before using it. counter is one of its stats. */
void set_suspect(set_node *node, int64_t *counter);
void set_count(pgc_set *set, int64_t *counter);
/* With which calls stand in the queue of the primary's pool. */
uint64_t set_ticket(const pgc_set *set);
/* A connection to the primary, trying again while it or its successor may come. */
pgc_status set_acquire_primary(pgc_set *set, int64_t deadline_us, set_node **node, pgc_conn **conn,
                               pgc_error *err) PGC_MUST_CHECK;

/* set_run.c */

/* What a call brings along. */
typedef struct set_call {
    pgc_set *set;
    const session_args *session; /* NULL: none */
    pgc_token token;             /* demand of a read */
    pgc_token *written;          /* filled by a write; NULL: not wanted */
    const pgc_query *query;
    const pgc_args *args;
} set_call;

pgc_status set_write(const set_call *call, pgc_result **out, pgc_error *err) PGC_MUST_CHECK;
pgc_status set_read(const set_call *call, pgc_result **out, pgc_error *err) PGC_MUST_CHECK;
/* The open_rows member of the handles: on a replica when the query is a read and `routed`. */
pgc_status set_open_rows(const set_call *call, bool routed, const pgc_run_options *options,
                         pgc_rows **out, pgc_error *err) PGC_MUST_CHECK;
/* The lend and give_back members: connections of the primary, since a batch or COPY may write. */
pgc_status set_lend(pgc_set *set, const session_args *session, pgc_loan *out, pgc_error *err)
    PGC_MUST_CHECK;
void set_give_back(pgc_db *db, pgc_loan *loan);
/* Wait until the replica shows the token; budget_us is what may be waited and becomes less. False:
 * it does not, or the connection was lost. */
bool set_reached(pgc_conn *conn, const pgc_token *token, int64_t *budget_us);
/* A read failed because of the replica: its conflict with the replay or its end. */
bool set_is_conflict(const pgc_error *err);

#endif
