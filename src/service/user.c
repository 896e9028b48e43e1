/* Users for the command line. Accounts made here have no password: nobody can log in to them. */
#include "base/prelude.h"

#include "service/user.h"

#include "base/slice.h"
#include "repo/users.h"
#include "service/check.h"

#define USERNAME_MAX    50
#define LOCAL_HOST_PART "@localhost"

/* The name becomes a folder: nothing that a path or a shell reads in its own way. */
pgc_status lum_user_check_name(const char *username, pgc_error *err)
{
    size_t length = strlen(username);
    bool good = length >= 1 && length <= USERNAME_MAX && username[0] != '.' && username[0] != '-';
    for (size_t i = 0; good && i < length; i++) {
        unsigned char c = (unsigned char) username[i];
        good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    }
    if (!good) {
        return pgc_error_set(err, PGC_INVALID,
                             "user name \"%" SLICE_FMT
                             "\": 1 to %d letters, digits, \".\", \"_\" and \"-\", "
                             "beginning with a letter, digit or \"_\"",
                             SLICE_ARG(check_quote(pgc_text_from(username))), USERNAME_MAX);
    }
    return PGC_OK;
}

/* By a function of the database, because without an identity the policies show no users. */
pgc_status lum_user_find(pgc_pool *pool, const char *username, int32_t *out, pgc_error *err)
{
    pgc_opt_i32 user_id = PGC_ZERO;
    TRY(lum_user_check_name(username, err));
    TRY(repo_find_user_id(pgc_pool_db(pool), pgc_text_from(username), &user_id, err));
    if (!user_id.has) {
        return pgc_error_set(err, PGC_NOT_FOUND, "user \"%s\": there is no such user", username);
    }
    *out = user_id.v;
    return PGC_OK;
}

/* Look first: the usual case writes nothing. */
pgc_status lum_user_ensure(pgc_pool *pool, const char *username, int32_t *out, pgc_error *err)
{
    pgc_status status = lum_user_find(pool, username, out, err);
    if (status != PGC_NOT_FOUND) {
        return status;
    }
    char email[USERNAME_MAX + sizeof LOCAL_HOST_PART];
    (void) snprintf(email, sizeof email, "%s" LOCAL_HOST_PART, username);
    const repo_register_local_user_params params = { .username = pgc_text_from(username),
                                                     .email = pgc_text_from(email) };
    int32_t user_id = 0;
    status = repo_register_local_user(pgc_pool_db(pool), &params, &user_id, err);
    if (status == PGC_CONFLICT && lum_user_find(pool, username, out, NULL) == PGC_OK) {
        status = PGC_OK; /* another process was faster */
        user_id = *out;
    }
    if (status == PGC_OK) {
        pgc_error_clear(err);
        *out = user_id;
    }
    return pgc_error_wrap(err, status, "create user \"%s\"", username);
}
