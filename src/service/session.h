/* Who asks. Every service call takes an actor: a database handle that carries the identity for
 * row-level security, and the user id that it stands for. */
#ifndef SERVICE_SESSION_H
#define SERVICE_SESSION_H

#include <pgc/tx.h>

/* By value; valid as long as the session or transaction that it came from. */
typedef struct lum_actor {
    pgc_db *db;
    int32_t user_id;
} lum_actor;

/* A user on a pool. Thread-safe. */
typedef struct lum_session lum_session;

pgc_status lum_session_open(pgc_pool *pool, int32_t user_id, lum_session **out, pgc_error *err)
    PGC_MUST_CHECK;
void lum_session_close(lum_session *session);

/* Each call runs alone, in its own transaction. */
lum_actor lum_session_actor(lum_session *session);
/* Several calls in one transaction: lum_tx_actor(tx, user) until commit or rollback. */
pgc_status lum_session_begin(lum_session *session, pgc_tx **out, pgc_error *err) PGC_MUST_CHECK;
lum_actor lum_session_tx_actor(lum_session *session, pgc_tx *tx);

#endif
