/* The advisory lock that Atlas takes: two migrators, whichever tools they are, never run at once.
 */
#ifndef MIGRATE_LOCK_H
#define MIGRATE_LOCK_H

#include <pgc/conn.h>

#include "base/env.h"

#define MIGRATE_LOCK_EXECUTE "atlas_migrate_execute"

/* Key of a lock name: 32-bit FNV-1. */
int64_t migrate_lock_key(const char *name);

/* Take the lock on a session of its own, by polling: a session that waits inside the server would
 * block CREATE INDEX CONCURRENTLY of the one that holds it. wait_us 0: one try. PGC_TIMEOUT: held
 * by another session; PGC_UNSUPPORTED: the connection changes its backend between queries. */
pgc_status migrate_lock_acquire(const env *env, pgc_conn *conn, int64_t wait_us, pgc_error *err)
    PGC_MUST_CHECK;
/* PGC_OK while the session still holds the lock. */
pgc_status migrate_lock_check(pgc_conn *conn, pgc_error *err) PGC_MUST_CHECK;
void migrate_lock_release(pgc_conn *conn);

#endif
