/* Passwords: bcrypt by libxcrypt, in a form that pgcrypto and other implementations read as well,
 * and a bound on how many are computed at once. */
#ifndef SERVICE_AUTH_PASSWORD_H
#define SERVICE_AUTH_PASSWORD_H

#include <stdatomic.h>

#include <pgc/error.h>

#include "base/env.h"
#include "base/slice.h"

#define PASSWORD_MIN_CHARS 8
#define PASSWORD_MAX_BYTES 72 /* bcrypt looks at no more */
#define PASSWORD_HASH_SIZE 61 /* 60 characters and NUL */
#define PASSWORD_COST_MIN  4
#define PASSWORD_COST_MAX  15 /* about two seconds; a hash of more would stop the service */

/* Threads wait here in no order; thread-safe after init. */
typedef struct password_hasher {
    const env *env;
    uint32_t cost; /* of new hashes */
    pthread_mutex_t lock;
    pthread_cond_t freed;
    uint32_t slots;        /* computations that may still begin */
    uint32_t waiting;      /* threads that want one */
    uint32_t waiting_max;  /* more are refused */
    _Atomic uint64_t runs; /* computations so far: what a login costs, known user or not */
} password_hasher;

/* cost 0: 12. slots 0: one less than there are processors. PGC_INVALID for a cost out of range. */
pgc_status password_hasher_init(password_hasher *h, const env *env, uint32_t cost, uint32_t slots,
                                pgc_error *err) PGC_MUST_CHECK;
void password_hasher_done(password_hasher *h);

/* Whether bytes can be a password at all: UTF-8 without NUL, 1..72 bytes. PGC_INVALID tells. */
pgc_status password_check(slice password, pgc_error *err) PGC_MUST_CHECK;
/* Whether a new password is good enough: also 8 characters, not the name, none of the commonest. */
pgc_status password_check_new(slice password, slice username, pgc_error *err) PGC_MUST_CHECK;

/* Hash of a checked password; PGC_LIMIT when too many wait. Blocks for the computation. */
pgc_status password_hash(password_hasher *h, slice password, char out[static PASSWORD_HASH_SIZE],
                         pgc_error *err) PGC_MUST_CHECK;
/* Compare with a stored hash. One that is absent or that nothing verifies against takes the same
 * computation and is no match. */
pgc_status password_verify(password_hasher *h, slice password, slice hash, bool *match,
                           pgc_error *err) PGC_MUST_CHECK;
/* Cost of a hash that can be verified; 0 when it cannot. */
uint32_t password_hash_cost(slice hash);

#endif
