/* Several queries in one round trip, with the answer of each, a sync where a query asks for one.
 * Transactions and replicas need that; conn_run_group() is the short form. */
#ifndef PGC_GROUP_H
#define PGC_GROUP_H

#include "pgc/run.h"

#define GROUP_MAX 10u

typedef struct group_item {
    const pgc_query *query;
    const pgc_args *args;
    bool sync;        /* commit here what is no transaction: the next item is a new group */
    bool flush;       /* let the server answer up to here at once */
    bool ok;          /* it succeeded, as far as answers came */
    bool refused;     /* the server answered with an error */
    PGresult *answer; /* also of a group whose connection was lost later on */
} group_item;

typedef struct group {
    pgc_conn *conn;
    size_t count;
    size_t main; /* what it is about, for hooks; the first one unless set */
    bool sent;   /* something may have reached the server */
    bool stale;  /* the failure is that of an outdated statement */
    bool again;  /* then run it once more, when no transaction was open; no syncs in between */
    group_item items[GROUP_MAX];
} group;

/* group_done() must follow. */
void group_init(group *g, pgc_conn *conn);
/* Queue a query; its number. query and args must live until group_run() is over. */
size_t group_add(group *g, const pgc_query *query, const pgc_args *args);
/* Send all and take all answers. The status of the first failure; timeout_us < 0: no limit. */
pgc_status group_run(group *g, int64_t timeout_us, pgc_error *err) PGC_MUST_CHECK;
/* Take an answer: the caller clears it. NULL when there is none. */
PGresult *group_take(group *g, size_t index);
/* A binary int8 or uint64 in the first row of an answer; false: NULL, no row, or not 8 bytes. */
bool group_u64(const group *g, size_t index, int column, uint64_t *out);
/* A binary bool of the first row; NULL is false. */
bool group_bool(const group *g, size_t index, int column);
/* No row, or SQL NULL. */
bool group_null(const group *g, size_t index, int column);
/* Forget the answers, so that it can be run again. */
void group_reset(group *g);
void group_done(group *g);

#endif
