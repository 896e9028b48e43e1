/* The keys that tokens are signed with: a file of mode 0600 beside the library, never the database,
 * so that neither a dump nor SQL run by others gives anybody a token. */
#ifndef SERVICE_AUTH_KEYS_H
#define SERVICE_AUTH_KEYS_H

#include <pgc/error.h>

#include "base/env.h"
#include "base/slice.h"

#define AUTH_KEY_BYTES    32
#define AUTH_KEY_ID_BYTES 6
#define AUTH_KEY_ID_SIZE  13 /* 12 hex digits and NUL */

/* What a key is used for: each has its own, derived from the one in the file. */
typedef enum auth_purpose { AUTH_FOR_ACCESS, AUTH_FOR_REFRESH, AUTH_FOR_LIMITS } auth_purpose;

/* One derived key; wipe it with auth_secret_wipe(), or AUTO(). */
typedef struct auth_secret {
    char id[AUTH_KEY_ID_SIZE];
    uint8_t key[AUTH_KEY_BYTES];
    int64_t created_us; /* since 1970 */
    int64_t retired_us; /* when a newer key took over; INT64_MAX: it is the newest */
} auth_secret;

/* Thread-safe. */
typedef struct auth_keys auth_keys;

/* Read the file, or make it with one key when there is none. env and path are used until close.
 * PGC_DENIED when others may read it, PGC_INVALID when it is damaged, PGC_IO. */
pgc_status auth_keys_open(const env *env, const char *path, auth_keys **out, pgc_error *err)
    PGC_MUST_CHECK;
void auth_keys_close(auth_keys *keys);

/* The newest key, to sign with. Looks at the file again once a minute. */
pgc_status auth_keys_newest(auth_keys *keys, auth_purpose purpose, auth_secret *out, pgc_error *err)
    PGC_MUST_CHECK;
/* The key of an id, to verify with; an unknown one makes us look at the file again, at most once a
 * second. PGC_NOT_FOUND. */
pgc_status auth_keys_find(auth_keys *keys, slice id, auth_purpose purpose, auth_secret *out,
                          pgc_error *err) PGC_MUST_CHECK;
/* A key that stays the same as long as the file has room for it: for marks in the database. */
pgc_status auth_keys_oldest(auth_keys *keys, auth_purpose purpose, auth_secret *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Add a key, which is the newest from now on. Those that no token can be signed with any more are
 * dropped: retired for longer than keep_us. Blocks while another process does the same. */
pgc_status auth_keys_rotate(auth_keys *keys, int64_t keep_us, pgc_error *err) PGC_MUST_CHECK;
size_t auth_keys_count(auth_keys *keys);

void auth_secret_wipe(auth_secret *secret);

#endif
