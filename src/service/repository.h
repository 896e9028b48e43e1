/* Repositories: where originals live. A repository is a folder with inbox/ (originals, laid out by
 * its strategy) and .lumilio/ (thumbnails, staging). */
#ifndef SERVICE_REPOSITORY_H
#define SERVICE_REPOSITORY_H

#include "base/env.h"
#include "repo/repositories.h"
#include "service/session.h"

typedef enum lum_strategy { LUM_STRATEGY_DATE, LUM_STRATEGY_FLAT, LUM_STRATEGY_CAS } lum_strategy;

/* "date", "flat", "cas"; PGC_INVALID lists them. */
pgc_status lum_strategy_parse(const char *text, lum_strategy *out, pgc_error *err) PGC_MUST_CHECK;
const char *lum_strategy_text(lum_strategy strategy);

/* The actor's default repository; made below home (library/<username>) when there is none. */
pgc_status lum_repository_ensure_default(lum_actor actor, const env *env, const char *home,
                                         repo_repository_set *out, pgc_error *err) PGC_MUST_CHECK;

/* A folder as repositories store it: absolute, without doubled or trailing slashes. PGC_INVALID for
 * relative ones, the root, "." and ".." in it, text that is no UTF-8, and folders below another
 * repository on the disk. */
#define LUM_REPOSITORY_PATH_MAX 4000 /* bytes; room for the names below it */
pgc_status lum_repository_check_path(const env *env, const char *path,
                                     char out[static LUM_REPOSITORY_PATH_MAX], pgc_error *err)
    PGC_MUST_CHECK;

typedef struct lum_repository_new {
    pgc_text name;    /* 1..255 characters */
    const char *path; /* made when it is missing */
    lum_strategy strategy;
    bool make_default; /* a user's first one is the default anyway */
} lum_repository_new;

/* For all below: PGC_INVALID for arguments out of range, PGC_NOT_FOUND for a repository that is
 * absent or another user's; else what pgc_db_run() returns. On failure nothing is changed, but that
 * a folder may have been made. */

/* PGC_CONFLICT: another one of the actor's is that folder, around it or inside of it. */
pgc_status lum_repository_create(lum_actor actor, const env *env,
                                 const lum_repository_new *repository, repo_repository_set *out,
                                 pgc_error *err) PGC_MUST_CHECK;
pgc_status lum_repository_get(lum_actor actor, pgc_uuid repo_id, repo_repository_set *out,
                              pgc_error *err) PGC_MUST_CHECK;
/* The default one first, then by name. */
pgc_status lum_repository_list(lum_actor actor, repo_repository_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Name absent, strategy NULL: stays. A strategy holds for files that come from now on. */
pgc_status lum_repository_update(lum_actor actor, pgc_uuid repo_id, pgc_text name,
                                 const lum_strategy *strategy, pgc_error *err) PGC_MUST_CHECK;
/* From now on this one and no other: the database keeps it to one per user. */
pgc_status lum_repository_set_default(lum_actor actor, pgc_uuid repo_id, pgc_error *err)
    PGC_MUST_CHECK;
/* Its folder was moved there: it must be there, with the repository's folders in it. */
pgc_status lum_repository_move(lum_actor actor, const env *env, pgc_uuid repo_id, const char *path,
                               pgc_error *err) PGC_MUST_CHECK;
/* The row, never the folder. PGC_CONFLICT: assets are in it, or it is the default one of several.
 */
pgc_status lum_repository_delete(lum_actor actor, pgc_uuid repo_id, pgc_error *err) PGC_MUST_CHECK;

#endif
