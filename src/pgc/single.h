/* The usual case made short: one query, known and prepared, outside of pipeline mode. */
#ifndef PGC_SINGLE_H
#define PGC_SINGLE_H

#include "pgc/run.h"

/* True when nothing but the query itself has to be sent: *known_out is what is known about it. */
bool single_ready(pgc_conn *conn, const pgc_query *query, const statement **known_out);

/* What became of it. */
typedef struct single_answer {
    PGresult *answer; /* also of a query that failed; owned by the caller */
    bool sent;        /* something may have reached the server */
    bool stale;       /* the failure is that of an outdated statement */
} single_answer;

/* Run it; *out is filled in any case. timeout_us < 0: no limit. */
pgc_status single_run(pgc_conn *conn, const run_item *item, const statement *known,
                      int64_t timeout_us, single_answer *out, pgc_error *err) PGC_MUST_CHECK;

#endif
