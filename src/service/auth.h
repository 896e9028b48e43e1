/* The auth service: the seed's Register, Login, ValidateToken, RefreshToken and GetUserByID, with
 * sessions that can be listed and ended, and limits on guessing.
 *
 * Works as the role lumilio_auth, on a pool of its own: that role reads password hashes and
 * sessions and no photo; the role that serves users reads photos and no hash. Keys are in a file
 * (auth_keys.h). All functions are thread-safe. */
#ifndef SERVICE_AUTH_H
#define SERVICE_AUTH_H

#include <pgc/pool.h>

#include "base/env.h"
#include "repo/auth.h"
#include "service/library.h"

#define LUM_ACCESS_TOKEN_SIZE  1024 /* with NUL */
#define LUM_REFRESH_TOKEN_SIZE 96

typedef struct lum_auth lum_auth;

/* How often something may be tried: `burst` times at once, then once every interval_us. */
typedef struct lum_auth_rate {
    uint32_t burst;
    int64_t interval_us;
} lum_auth_rate;

/* Zero means the default. */
typedef struct lum_auth_options {
    const env *env;           /* NULL: production */
    pgc_pool *pool;           /* as lumilio_auth; outlives the service */
    const char *key_file;     /* made when there is none; outlives the service */
    uint32_t cost;            /* of bcrypt; default 12 */
    uint32_t hash_slots;      /* password hashes computed at once; default: processors - 1 */
    int64_t access_us;        /* life of an access token; default 15 min */
    int64_t idle_us;          /* a session ends when not refreshed for so long; default 30 days */
    int64_t session_us;       /* and after so long anyway; default 90 days */
    lum_auth_rate by_account; /* default 8, one a minute */
    lum_auth_rate by_address; /* default 60, one a second */
} lum_auth_options;

pgc_status lum_auth_open(const lum_auth_options *options, lum_auth **out, pgc_error *err)
    PGC_MUST_CHECK;
void lum_auth_close(lum_auth *auth);

/* A library's: pool and service with the default options, keys in auth.keys of its folder. */
typedef struct lum_library_auth {
    lum_auth *auth;
    pgc_pool *pool;
    char key_file[PATH_MAX];
} lum_library_auth;
pgc_status lum_library_auth_open(lum_library *library, lum_library_auth *out, pgc_error *err)
    PGC_MUST_CHECK;
void lum_library_auth_close(lum_library_auth *auth);

/* Where a call comes from. address: numeric IPv4 or IPv6, absent when it comes from the machine
 * itself, which is not limited by address. user_agent: kept with the session, cut at 200 bytes. */
typedef struct lum_client {
    pgc_text address;
    pgc_text user_agent;
} lum_client;

typedef struct lum_registration {
    pgc_text username; /* as lum_user_check_name() */
    pgc_text email;
    pgc_text full_name; /* may be absent */
    pgc_text password;  /* 8 characters to 72 bytes of UTF-8 */
} lum_registration;

/* New account. PGC_INVALID says what is wrong; PGC_CONFLICT: name or address is taken, the message
 * says which; LUM_TOO_MANY_ATTEMPTS. Blocks for a password hash (about 0.25 s of a processor). */
pgc_status lum_auth_register(lum_auth *auth, const lum_registration *registration,
                             const lum_client *client, int32_t *user_id, pgc_error *err)
    PGC_MUST_CHECK;

/* What a login gives. Wipe it when done. Times in microseconds since 1970. */
typedef struct lum_tokens {
    int32_t user_id;
    pgc_uuid session_id;
    char access[LUM_ACCESS_TOKEN_SIZE];
    char refresh[LUM_REFRESH_TOKEN_SIZE];
    int64_t access_expires_us;
    int64_t refresh_expires_us;
} lum_tokens;
void lum_tokens_wipe(lum_tokens *tokens);

/* login: user name or e-mail address. LUM_BAD_CREDENTIALS whatever of the two is wrong, after the
 * same work; LUM_TOO_MANY_ATTEMPTS, and *retry_after_us (may be NULL) says when it makes sense
 * again; PGC_INVALID when the bytes can be no name or password; PGC_LIMIT when too many wait.
 * A hash of lower cost than ours is replaced. */
pgc_status lum_auth_login(lum_auth *auth, pgc_text login, pgc_text password,
                          const lum_client *client, lum_tokens *out, int64_t *retry_after_us,
                          pgc_error *err) PGC_MUST_CHECK;

/* Who a token stands for. */
typedef struct lum_identity {
    int32_t user_id;
    pgc_uuid session_id;
    int64_t expires_us;
    char username[256]; /* NUL-terminated */
} lum_identity;
/* One round trip: the session must not have ended. LUM_TOKEN_INVALID; LUM_TOKEN_EXPIRED;
 * LUM_SESSION_ENDED. */
pgc_status lum_auth_validate_token(lum_auth *auth, pgc_text access_token, lum_identity *out,
                                   pgc_error *err) PGC_MUST_CHECK;

/* Next pair of tokens. The token before the current one gives the current one again for ten
 * seconds, because an answer may get lost; any older one ends the session. LUM_TOKEN_INVALID;
 * LUM_SESSION_ENDED. */
pgc_status lum_auth_refresh(lum_auth *auth, pgc_text refresh_token, const lum_client *client,
                            lum_tokens *out, pgc_error *err) PGC_MUST_CHECK;

/* The account without its hash; PGC_NOT_FOUND. */
pgc_status lum_auth_get_user(lum_auth *auth, int32_t user_id, repo_public_user_set *out,
                             pgc_error *err) PGC_MUST_CHECK;
/* By name, behind `after` ("" for the first page); limit 1..1000. For operators. */
pgc_status lum_auth_list_users(lum_auth *auth, pgc_text after, int32_t limit,
                               repo_auth_list_users_row_set *out, pgc_error *err) PGC_MUST_CHECK;

/* Sessions of a user that are still good, newest first. */
pgc_status lum_auth_list_sessions(lum_auth *auth, int32_t user_id,
                                  repo_auth_list_sessions_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* End one of a user's sessions; PGC_NOT_FOUND when it is no (live) one of his. */
pgc_status lum_auth_end_session(lum_auth *auth, int32_t user_id, pgc_uuid session_id,
                                pgc_error *err) PGC_MUST_CHECK;
/* End all but `keep` (NULL: all); *count is how many. */
pgc_status lum_auth_end_sessions(lum_auth *auth, int32_t user_id, const pgc_uuid *keep,
                                 int64_t *count, pgc_error *err) PGC_MUST_CHECK;

/* Change a password; current absent: an operator sets it. Ends all sessions but `keep`.
 * LUM_BAD_CREDENTIALS; LUM_TOO_MANY_ATTEMPTS; PGC_INVALID; PGC_NOT_FOUND; PGC_CONFLICT (changed by
 * somebody else meanwhile). */
pgc_status lum_auth_set_password(lum_auth *auth, int32_t user_id, pgc_text current,
                                 pgc_text replacement, const pgc_uuid *keep, pgc_error *err)
    PGC_MUST_CHECK;

/* A new signing key; older ones go on verifying what they signed. */
pgc_status lum_auth_rotate_key(lum_auth *auth, pgc_error *err) PGC_MUST_CHECK;

/* Counts since the service was opened. */
typedef struct lum_auth_stats {
    uint64_t hashes;  /* password hashes computed */
    uint64_t logins;  /* that went well */
    uint64_t refused; /* wrong name or password */
    uint64_t limited; /* too many attempts */
    uint64_t reused;  /* sessions ended because an old refresh token came again */
} lum_auth_stats;
lum_auth_stats lum_auth_stats_read(lum_auth *auth);

#endif
