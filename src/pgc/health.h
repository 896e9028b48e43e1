/* Is the server there, and what is it? */
#ifndef PGC_HEALTH_H
#define PGC_HEALTH_H

#include "pgc/connection.h"

/* What the server is: as it reported, or by a query where a pooler keeps the reports back. */
pgc_status health_role(pgc_conn *conn, bool *standby_out, bool *read_only_out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
