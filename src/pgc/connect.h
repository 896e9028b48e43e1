/* From a connection string to a server that fits. */
#ifndef PGC_CONNECT_H
#define PGC_CONNECT_H

#include "pgc/connection.h"

/* Fill conn->pg: walk the hosts and their addresses until one logs in and is of the wanted kind,
 *  * all of it before the deadline. Non-blocking mode is on, conn->call_timeout_us is the time that
 * is left. On failure conn->pg may be set. */
pgc_status connect_any(pgc_conn *conn, const pgc_conn_options *options, const conn_seams *seams,
                       int64_t deadline_us, pgc_error *err) PGC_MUST_CHECK;

#endif
