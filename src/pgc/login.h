/* One attempt to log in at one address. */
#ifndef PGC_LOGIN_H
#define PGC_LOGIN_H

#include "pgc/connection.h"
#include "pgc/conninfo.h"

/* What all attempts of one connecting share. */
typedef struct login_plan {
    const pgc_conn_options *options;
    const conn_seams *seams;
    const conninfo *info;
} login_plan;

/* PGC_INVALID when the way to a remote host would be protected only if nobody minds. */
pgc_status login_check_tls(const conninfo *info, const host_entry *entry, pgc_error *err)
    PGC_MUST_CHECK;
/* Log in: fill conn->pg. address is numeric, "" where there is none to give. Any failure names the
 * server; a password is in no message. */
pgc_status login_at(pgc_conn *conn, const login_plan *plan, const host_entry *entry,
                    const char *address, int64_t deadline_us, pgc_error *err) PGC_MUST_CHECK;

#endif
