/* Connection strings taken apart by libpq's own parser. */
#ifndef PGC_CONNINFO_H
#define PGC_CONNINFO_H

#include <pgc/error.h>

/* Call `set` for each value of a connection string that libpq reads from the environment too, with
 * the variable's name, e.g. "PGHOST". For handing a connection to psql without showing a password
 * in its argument list. PGC_INVALID for text that is no connection string; PGC_NOMEM. */
pgc_status conninfo_each_env(const char *conninfo,
                             void (*set)(void *arg, const char *name, const char *value), void *arg,
                             pgc_error *err) PGC_MUST_CHECK;

#endif
