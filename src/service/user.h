/* Users, as far as the command line needs them; logging in is the auth service's. */
#ifndef SERVICE_USER_H
#define SERVICE_USER_H

#include "service/session.h"

/* Name of 1..50 characters from [A-Za-z0-9._-], not starting with a dot or hyphen: it also names a
 * folder. PGC_INVALID says what is wrong. */
pgc_status lum_user_check_name(const char *username, pgc_error *err) PGC_MUST_CHECK;

/* user_id of a name; makes the account when there is none, with a password that fits nobody. */
pgc_status lum_user_ensure(pgc_pool *pool, const char *username, int32_t *out, pgc_error *err)
    PGC_MUST_CHECK;
/* PGC_NOT_FOUND when there is none. */
pgc_status lum_user_find(pgc_pool *pool, const char *username, int32_t *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
