/* Does the server's idea of a query fit its descriptor? */
#ifndef PGC_SHAPE_H
#define PGC_SHAPE_H

#include "pgc/connection.h"

/* Compare the columns of an answer with the descriptor; extension types by name, asked from the
 * server once per connection. PGC_SCHEMA says what differs. */
pgc_status shape_check_columns(pgc_conn *conn, const pgc_query *query, const PGresult *answer,
                               pgc_error *err) PGC_MUST_CHECK;
/* The same for the parameters of a described statement. */
pgc_status shape_check_params(pgc_conn *conn, const pgc_query *query, const PGresult *answer,
                              pgc_error *err) PGC_MUST_CHECK;

#endif
