/* Running typed queries on a connection. */
#ifndef PGC_RUN_H
#define PGC_RUN_H

#include <pgc/query.h>

#include "pgc/exchange.h"

/* A query with its values; args NULL: none. */
typedef struct run_item {
    const pgc_query *query;
    const pgc_args *args;
} run_item;

#define RUN_GROUP_MAX 4u

/* Flag of a query that only prepares the ground for others of its group, such as settings: hooks
 * are told about the others. */
#define RUN_QUERY_CONTEXT 0x80000000u

/* One query and its rows; what pgc_db_run() does on a connection. */
pgc_status conn_run(pgc_conn *conn, const pgc_query *query, const pgc_args *args, pgc_result **out,
                    pgc_error *err) PGC_MUST_CHECK;
/* Several queries in one round trip and one implicit transaction. *last_out (may be NULL) gets the
 * last one's answer, to be cleared by the caller. Statements that went stale are prepared again and
 * the group is run again, once, when no transaction was open. */
pgc_status conn_run_group(pgc_conn *conn, const run_item *items, size_t count, PGresult **last_out,
                          pgc_error *err) PGC_MUST_CHECK;
/* The run member of a connection's pgc_db_ops. */
pgc_status conn_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args, pgc_result **out,
                       pgc_error *err);

/* Parts for callers that build their own exchange. */

/* Where a query stands in an exchange. */
typedef struct queued {
    const pgc_query *query;
    size_t at;       /* its STEP_QUERY */
    size_t prepare;  /* its STEP_PREPARE, when prepared is true */
    size_t describe; /* its STEP_DESCRIBE, when described is true */
    bool named, prepared, described;
} queued;

/* DEALLOCATE what the cache has forgotten; only while no transaction is open. */
void run_queue_deallocate(exchange *ex);
/* Queue a query, with Prepare at its first use. Values need not live longer than the call. */
void run_queue(exchange *ex, const pgc_query *query, const char *const *values,
               const int32_t *lengths, queued *out);
/* After exchange_finish(): note what is prepared now and what went stale. True when stale. */
bool run_settle(exchange *ex, const queued *of);
/* The query's own status, and its columns compared with the descriptor at first use. */
pgc_status run_status(exchange *ex, const queued *of, pgc_error *err) PGC_MUST_CHECK;

#endif
