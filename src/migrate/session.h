/* Connections of a migration run and what it finds on the server. */
#ifndef MIGRATE_SESSION_H
#define MIGRATE_SESSION_H

#include "migrate/migrate.h"

/* One connection with the store on it. mem must live longer than the connection. */
typedef struct migrate_session {
    const env *env;
    arena *mem;
    pgc_conn *conn;
    migrate_store *store;
    const char *search_path; /* of the URL: only this schema is ours; NULL: the whole database */
} migrate_session;

/* Connect and decide which schema holds the revision table. PGC_INVALID for an ambiguous one. */
pgc_status migrate_session_open(const migrate_options *options, arena *mem, migrate_session *out,
                                pgc_error *err) PGC_MUST_CHECK;
void migrate_session_close(migrate_session *session);

/* A second connection with the same settings, for the lock. */
pgc_status migrate_connect(const migrate_options *options, const char *app_name, pgc_conn **out,
                           pgc_error *err) PGC_MUST_CHECK;

/* Why the database cannot count as empty, or NULL: *reason lives in the session's memory. */
pgc_status migrate_check_clean(migrate_session *session, const char **reason, pgc_error *err)
    PGC_MUST_CHECK;

/* Cut "search_path=X" out of a postgres:// URL, which libpq would refuse. *path is NULL when the
 * URL has none. */
pgc_status migrate_url_cut(const char *url, arena *mem, const char **rest, const char **path,
                           pgc_error *err) PGC_MUST_CHECK;

#endif
