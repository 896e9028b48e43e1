/* Election and the services that only the leader runs. One thread for the election, one for the
 * services, one for reindexing, so that nothing long delays what must be on time. */
#ifndef RIVER_LEAD_H
#define RIVER_LEAD_H

#include <stdatomic.h>

#include "river/client_state.h"
#include "river/periodic.h"

#define LEAD_INTERVAL_US INT64_C(5000000)  /* between attempts, and between extensions */
#define LEAD_TTL_US      INT64_C(15000000) /* of a term that is not extended */
#define LEAD_TRUST_US    INT64_C(14000000) /* how long we believe in it after a success */

struct river_runtime;

/* A connection of one thread's own; opened at need, dropped when lost. With no options for one, the
 * client's pool. */
typedef struct lead_link {
    river_client *client;
    pgc_conn *conn;
} lead_link;

typedef struct leadership {
    struct river_runtime *run;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t elector, keeper, reindexer;
    bool started, stop;
    bool vacant;  /* somebody resigned: try soon */
    bool resign;  /* we were asked to */
    bool leading; /* with term */
    bool periodics_changed;
    uint64_t term_number;
    store_term term;
    atomic_bool leads; /* the same as leading, without the lock */
    periodic_set periodics;
    pgc_conn *rebuilding; /* an index, on the reindexer's connection */
} leadership;

/* lead.c */
/* Make the state of a client that takes part; periodic jobs of the options are in it. */
pgc_status lead_make(struct river_runtime *run, const river_client_options *options, pgc_error *err)
    PGC_MUST_CHECK;
void lead_free(struct river_runtime *run);
pgc_status lead_start(struct river_runtime *run, pgc_error *err) PGC_MUST_CHECK;
/* Resigns when leading. */
void lead_stop(struct river_runtime *run);
/* A notification of the leadership topic. */
void lead_notified(struct river_runtime *run, slice payload);

/* Handle of a link; fails when no connection is to be had. */
pgc_status link_db(lead_link *link, pgc_db **out, pgc_error *err) PGC_MUST_CHECK;
/* After a call on it: drops a connection that is lost, or that cannot write any more. */
void link_check(lead_link *link, pgc_status status, const pgc_error *err);
void link_close(lead_link *link);

/* With lead->lock: wait until told, at most us. False: stop. */
bool lead_wait(leadership *lead, int64_t us);

/* keep.c: thread of the services. */
void *keep_work(void *arg);
/* reindex.c */
void *reindex_work(void *arg);

#endif
