/* Keywords of a connection string that must not reach this libpq. */
#ifndef PGC_CONNINFO_SCAN_H
#define PGC_CONNINFO_SCAN_H

#include <pgc/error.h>

#include "base/buf.h"
#include "pgc/pq.h"

/* Copy the string into `out` without load_balance_hosts, whose value lands in *balance_out
 * (untouched when there is none), and without what newer versions of libpq would do anyway. Names
 * the first unknown keyword. Strings that are malformed go through: libpq's parser refuses them. */
pgc_status conninfo_scan(const pq_ops *pq, const char *text, buf *out, bool *balance_out,
                         pgc_error *err) PGC_MUST_CHECK;

#endif
