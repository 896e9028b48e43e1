/* Access tokens: JSON Web Tokens signed with HMAC-SHA-256 and nothing else, and the base64url that
 * they and refresh tokens are written in. */
#ifndef SERVICE_AUTH_TOKEN_H
#define SERVICE_AUTH_TOKEN_H

#include <pgc/types.h>

#include "service/auth_keys.h"

#define TOKEN_MAX       1024              /* bytes of an access token of ours, with NUL */
#define TOKEN_LEEWAY_US INT64_C(30000000) /* clocks of two machines may differ by so much */

/* What a token says. Times in microseconds since 1970, whole seconds in the token. */
typedef struct token_claims {
    int32_t user_id;
    pgc_uuid session_id;
    pgc_uuid token_id;
    int64_t issued_us;
    int64_t expires_us;
} token_claims;

/* Write a token, NUL-terminated. */
pgc_status token_sign(auth_keys *keys, const token_claims *claims, char out[static TOKEN_MAX],
                      pgc_error *err) PGC_MUST_CHECK;
/* Check all of a token at a time; lifetime_us is the longest that a token of a retired key may
 * still live. LUM_TOKEN_INVALID, LUM_TOKEN_EXPIRED, or what auth_keys_find() returns. */
pgc_status token_verify(auth_keys *keys, slice token, int64_t now_us, int64_t lifetime_us,
                        token_claims *out, pgc_error *err) PGC_MUST_CHECK;

/* Without padding. Gives the characters written; out needs (count * 4 + 2) / 3 + 1 bytes. */
size_t base64url_encode(const void *bytes, size_t count, char *out);
/* The one spelling of some bytes; false for every other one, and when more than `room` come out. */
bool base64url_decode(slice text, void *out, size_t room, size_t *count);
/* False only when OpenSSL is out of memory. */
bool hmac_sha256(const uint8_t key[static AUTH_KEY_BYTES], const void *bytes, size_t count,
                 uint8_t out[static 32]);

#endif
