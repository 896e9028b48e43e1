/* The usual case made short: one query, known and prepared, outside of pipeline mode. */
#ifndef PGC_SINGLE_H
#define PGC_SINGLE_H

#include "pgc/run.h"

/* True when nothing but the query itself has to be sent: *known_out is what is known about it. */
bool single_ready(pgc_conn *conn, const pgc_query *query, const statement **known_out);
/* Run it. *answer_out (may be NULL) gets the rows, *stale_out whether it may be run again. */
pgc_status single_run(pgc_conn *conn, const run_item *item, const statement *known,
                      PGresult **answer_out, bool *stale_out, pgc_error *err) PGC_MUST_CHECK;

#endif
