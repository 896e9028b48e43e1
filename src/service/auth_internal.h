/* What the files of the auth service share. */
#ifndef SERVICE_AUTH_INTERNAL_H
#define SERVICE_AUTH_INTERNAL_H

#include <stdatomic.h>

#include "service/auth.h"
#include "service/auth_keys.h"
#include "service/auth_password.h"

struct lum_auth {
    const env *env;
    pgc_pool *pool;
    auth_keys *keys;
    password_hasher hasher;
    lum_auth_options options; /* with defaults filled in */
    _Atomic uint64_t logins, refused, limited, reused;
};

int64_t auth_now_us(const lum_auth *auth);
pgc_db *auth_db(lum_auth *auth);

/* What attempts are counted by. */
typedef enum auth_limit_kind {
    AUTH_BY_ADDRESS,
    AUTH_BY_ACCOUNT,
    AUTH_BY_ACCOUNT_AT
} auth_limit_kind;

/* Take an attempt. LUM_TOO_MANY_ATTEMPTS with *retry_after_us (may be NULL); any other failure must
 * stop the caller too: without its limits nothing is let in. */
pgc_status auth_limit_take(lum_auth *auth, auth_limit_kind kind, slice subject, slice address,
                           int64_t *retry_after_us, pgc_error *err) PGC_MUST_CHECK;
/* After a success: what was owed for the account is forgotten. */
pgc_status auth_limit_forget(lum_auth *auth, auth_limit_kind kind, slice subject, slice address,
                             pgc_error *err) PGC_MUST_CHECK;

#define AUTH_ADDRESS_SIZE 64
/* The network that a client's address stands for: IPv4 as it is, IPv6 its first 64 bits; "" for no
 * client or no address. PGC_INVALID when it is no address. */
pgc_status auth_network(const lum_client *client, char out[static AUTH_ADDRESS_SIZE],
                        pgc_error *err) PGC_MUST_CHECK;

/* Open a session for a user whose password hash is `hash`; LUM_BAD_CREDENTIALS when it changed
 * meanwhile. */
pgc_status auth_session_open(lum_auth *auth, int32_t user_id, slice hash, slice address,
                             slice user_agent, lum_tokens *out, pgc_error *err) PGC_MUST_CHECK;
/* Record what no row shows; subject 0: of nobody. */
pgc_status auth_event(pgc_db *db, const char *event, int32_t subject, pgc_error *err)
    PGC_MUST_CHECK;

#endif
