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
/* Make a result of the answer to a query that succeeded on this connection; takes the answer, also
 * on failure and when out is NULL. */
pgc_status run_result(const pgc_conn *conn, const pgc_query *query, PGresult *answer,
                      pgc_result **out, pgc_error *err) PGC_MUST_CHECK;
/* Several queries in one round trip and one implicit transaction. *last_out (may be NULL) gets the
 * last one's answer, to be cleared by the caller. Statements that went stale are prepared again and
 * the group is run again, once, when no transaction was open. */
pgc_status conn_run_group(pgc_conn *conn, const run_item *items, size_t count, PGresult **last_out,
                          pgc_error *err) PGC_MUST_CHECK;
/* The members of a connection's pgc_db_ops. */
pgc_status conn_db_run(pgc_db *db, const pgc_query *query, const pgc_args *args, pgc_result **out,
                       pgc_error *err);
pgc_status conn_db_lend(pgc_db *db, pgc_loan *out, pgc_error *err);
void conn_db_give_back(pgc_db *db, pgc_loan *loan);

/* The open_rows member of it. */
pgc_status conn_db_open_rows(pgc_db *db, const pgc_query *query, const pgc_args *args,
                             const pgc_run_options *options, pgc_rows **out, pgc_error *err);

/* Parts for callers that build their own exchange. */

/* Where a query stands in an exchange. */
typedef struct queued {
    const pgc_query *query;
    size_t at;       /* its STEP_QUERY */
    size_t prepare;  /* its STEP_PREPARE, when prepared is true */
    size_t describe; /* its STEP_DESCRIBE, when described is true */
    bool named, prepared, described;
} queued;

/* First of an exchange: notice changes of the schema that others saw, and tell the server what the
 * cache has forgotten. The latter waits while a transaction is open, unless libpq has a Close. */
void run_queue_deallocate(exchange *ex);
/* The same in front of a script, which is no exchange: all that waits, in round trips of its own;
 * nothing is sent when nothing waits or a transaction is open. timeout_us: see exchange_begin(). */
pgc_status run_drop_before(pgc_conn *conn, int64_t timeout_us, pgc_error *err) PGC_MUST_CHECK;
/* Queue a query, with Prepare at its first use. Values need not live longer than the call. */
void run_queue(exchange *ex, const pgc_query *query, const char *const *values,
               const int32_t *lengths, queued *out);
/* After exchange_finish(): note what is prepared now and what went stale. True when stale. */
bool run_settle(exchange *ex, const queued *of);
/* Prepare and describe a query and compare its columns, in one round trip, unless that was done
 * before; `context` are queries that go in front of it, such as settings. */
pgc_status run_prepare(pgc_conn *conn, const run_item *context, size_t context_count,
                       const pgc_query *query, pgc_error *err) PGC_MUST_CHECK;
/* run_prepare() would have nothing to do. */
bool run_ready(pgc_conn *conn, const pgc_query *query);
/* The query's own status, and its columns compared with the descriptor at first use. PGC_CONFLICT
 * with err->retry when the statement was outdated. */
pgc_status run_status(exchange *ex, const queued *of, pgc_error *err) PGC_MUST_CHECK;

/* Parts of those, for a query that travels alone. */

/* The query gets a statement name on this connection. */
bool run_named(const pgc_conn *conn, const pgc_query *query);
/* What is known about the query, made when nothing was; NULL: run it without a name. */
statement *run_recall(pgc_conn *conn, const pgc_query *query);
/* Its columns were compared with those of this descriptor. */
bool run_checked(const statement *known, const pgc_query *query);
/* Its rows are to be asked for as text: the descriptor says so, or a column's type turned out to
 * have no binary form. */
bool run_as_text(const pgc_query *query, const statement *known);
/* Learn from the answer of a query that was, or was not, prepared before its exchange: true when it
 * was outdated and may be run again. */
bool run_learn(pgc_conn *conn, const pgc_query *query, bool was_ready, const PGresult *answer);
/* Status of an answer that is an error, as run_status() tells it. */
pgc_status run_failed(const call_state *call, const pgc_query *query, bool was_ready,
                      const PGresult *answer, pgc_error *err) PGC_MUST_CHECK;

#endif
