/* Names to addresses within a deadline. */
#ifndef PGC_RESOLVE_H
#define PGC_RESOLVE_H

#include "pgc/connection.h"

/* Ask the name service. PGC_TIMEOUT at the deadline, PGC_CANCELLED when seams->wake_fd becomes
 * readable, PGC_CONNECTION when the name has no address. */
pgc_status resolve(const char *name, const conn_seams *seams, int64_t deadline_us,
                   host_addresses *out, pgc_error *err) PGC_MUST_CHECK;

#endif
