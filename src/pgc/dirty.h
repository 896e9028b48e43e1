/* What a borrower changed in a session, and how it is undone. Command tags and the settings that
 * the server reports tell most of it without a query. */
#ifndef PGC_DIRTY_H
#define PGC_DIRTY_H

#include <pgc/pool.h>

#include "pgc/connection.h"

/* The reported settings of a clean session, as one number, and the role of its server. */
typedef struct dirty_baseline {
    uint64_t settings;
    uint32_t calls; /* of the connection when it was taken */
    bool standby, read_only;
} dirty_baseline;

/* What a query says about itself by PGC_QUERY_SESSION; for all that is sent. */
static inline uint32_t dirty_declared(const pgc_query *query)
{
    return (query->flags & PGC_QUERY_SESSION) != 0 ? PGC_SESSION_ALL : 0;
}
/* Look at the answer of a query: SET, LISTEN, PREPARE and the like mark the connection. NULL:
 * it was not run. */
void dirty_note(pgc_conn *conn, const pgc_query *query, const PGresult *answer);
/* The same for an error: 25006 says that the server takes no writes. */
void dirty_note_error(pgc_conn *conn, const char *sqlstate);
/* Take the session of now as clean. */
void dirty_take_baseline(pgc_conn *conn, dirty_baseline *out);
/* PGC_SESSION_* that the session differs by, as far as is known. */
uint32_t dirty_changes(const pgc_conn *conn, const dirty_baseline *baseline);
/* The server has become a standby or read only, or the other way round, since the baseline. */
bool dirty_role_changed(const pgc_conn *conn, const dirty_baseline *baseline);
/* End an open transaction and undo the changes, each round trip within timeout_us. On failure the
 * connection must be closed. */
pgc_status dirty_clean(pgc_conn *conn, const pgc_conn_options *options, uint32_t changes,
                       int64_t timeout_us, pgc_error *err) PGC_MUST_CHECK;

#endif
