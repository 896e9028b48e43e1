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

#endif
