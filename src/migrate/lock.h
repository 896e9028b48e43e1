/* The advisory lock that Atlas takes: two migrators, whichever tools they are, never run at once.
 * Beside it one of our own, which ends no sooner than the statements of a migrator that died. */
#ifndef MIGRATE_LOCK_H
#define MIGRATE_LOCK_H

#include <pgc/conn.h>

#include "base/env.h"

#define MIGRATE_LOCK_EXECUTE "atlas_migrate_execute"
#define MIGRATE_LOCK_SESSION                                            \
    "lumilio_migrate_session" /* of ours, so that Atlas does not see it \
                               */

/* Key of a lock name: 32-bit FNV-1. */
int64_t migrate_lock_key(const char *name);

/* The connections of a run. */
typedef struct migrate_lock_conns {
    pgc_conn *lock; /* holds Atlas' lock and does nothing else */
    pgc_conn *work; /* runs the statements, and holds our own */
} migrate_lock_conns;

/* Take both, by polling: a session that waits inside the server would block CREATE INDEX
 * CONCURRENTLY of the one that holds it. wait_us 0: one try. PGC_TIMEOUT: held by another session;
 * PGC_UNSUPPORTED: a connection changes its backend between queries. */
pgc_status migrate_lock_acquire(const env *env, const migrate_lock_conns *conns, int64_t wait_us,
                                pgc_error *err) PGC_MUST_CHECK;
/* PGC_OK while the session still holds Atlas' lock. */
pgc_status migrate_lock_check(pgc_conn *conn, pgc_error *err) PGC_MUST_CHECK;
void migrate_lock_release(const migrate_lock_conns *conns);

#endif
