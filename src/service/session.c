/* Sessions: a pool and the identity that row-level security asks for. The identity is a
 * transaction-local setting that travels with every query; it never stays on a connection. */
#include "base/prelude.h"

#include "service/session.h"

#include "base/alloc.h"

#define IDENTITY_SETTING "app.user_id"

struct lum_session {
    pgc_pool *pool;
    pgc_scope *scope;
    int32_t user_id;
    char user_text[16]; /* user_id in decimal */
};

/* The identity becomes text once; every query sends the same bytes. */
pgc_status lum_session_open(pgc_pool *pool, int32_t user_id, lum_session **out, pgc_error *err)
{
    if (user_id < 1) {
        return pgc_error_set(err, PGC_INVALID, "open session: user id %" PRId32, user_id);
    }
    lum_session *session = MEM_NEW(pgc_alloc_libc(), lum_session);
    if (session == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open session");
    }
    session->pool = pool;
    session->user_id = user_id;
    (void) snprintf(session->user_text, sizeof session->user_text, "%" PRId32, user_id);
    const pgc_setting identity = { IDENTITY_SETTING, session->user_text };
    pgc_status status = pgc_scope_open(pool, &identity, 1, &session->scope, err);
    if (status != PGC_OK) {
        lum_session_close(session);
        return pgc_error_wrap(err, status, "open session");
    }
    *out = session;
    return PGC_OK;
}

void lum_session_close(lum_session *session)
{
    if (session != NULL) {
        pgc_scope_close(session->scope);
        mem_free(pgc_alloc_libc(), session, sizeof *session);
    }
}

lum_actor lum_session_actor(lum_session *session)
{
    return (lum_actor) { pgc_scope_db(session->scope), session->user_id };
}

/* A transaction needs the identity once, right behind BEGIN: it holds to its end. */
pgc_status lum_session_begin(lum_session *session, pgc_tx **out, pgc_error *err)
{
    const pgc_setting identity = { IDENTITY_SETTING, session->user_text };
    const pgc_tx_options options = { .struct_size = sizeof options,
                                     .settings = &identity,
                                     .setting_count = 1 };
    return pgc_tx_begin(session->pool, &options, out, err);
}

lum_actor lum_session_tx_actor(lum_session *session, pgc_tx *tx)
{
    return (lum_actor) { pgc_tx_db(tx), session->user_id };
}
