/* Transaction-local settings (identity for row-level security) as one query. Names and values
 * travel as parameters only. */
#ifndef PGC_SESSION_H
#define PGC_SESSION_H

#include <pgc/pool.h>

#include "pgc/run.h"

typedef struct session_args {
    pgc_args args;
    const pgc_query *query;
} session_args;

/* PGC_INVALID for too many settings or missing names. */
pgc_status session_check(const pgc_setting *settings, size_t count, pgc_error *err) PGC_MUST_CHECK;
/* The values of "set them all for this transaction"; borrows the settings' texts. */
void session_args_init(session_args *session, const pgc_setting *settings, size_t count,
                       const pgc_alloc *alloc);
void session_args_done(session_args *session);
/* The query and its values, for conn_run_group(). Only when there was at least one setting. */
run_item session_item(const session_args *session);
/* What goes in front of a query that is a transaction of its own: the settings (session NULL: none)
 * and what PGC_QUERY_GENERIC asks for, as one statement. How many items there are: 0 or 1. */
size_t session_front(const session_args *session, const pgc_query *query, run_item *out);

#endif
