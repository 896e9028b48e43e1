/* Repositories. A user's default repository lies below the library's home; its row and its folder
 * are made together, the folder first, so that a row never names a folder that was not there. */
#include "base/prelude.h"

#include "service/repository.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "repo/users.h"

#define REPOSITORY_FOLDER_MODE 0700

static const char *const STRATEGY_TEXT[] = {
    [LUM_STRATEGY_DATE] = "date",
    [LUM_STRATEGY_FLAT] = "flat",
    [LUM_STRATEGY_CAS] = "cas",
};

/* The words are those of the table's CHECK. */
pgc_status lum_strategy_parse(const char *text, lum_strategy *out, pgc_error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(STRATEGY_TEXT); i++) {
        if (strcmp(STRATEGY_TEXT[i], text) == 0) {
            *out = (lum_strategy) i;
            return PGC_OK;
        }
    }
    return pgc_error_set(err, PGC_INVALID, "storage strategy \"%s\": use date, flat or cas", text);
}

const char *lum_strategy_text(lum_strategy strategy)
{
    assert((size_t) strategy < ARRAY_LEN(STRATEGY_TEXT));
    return STRATEGY_TEXT[strategy];
}

/* The folder of a repository with what every one has inside. */
static pgc_status folders_make(const env *e, const char *path, pgc_error *err)
{
    static const char *const FOLDERS[] = { "inbox", ".lumilio/staging",
                                           ".lumilio/assets/thumbnails" };
    char folder[PATH_MAX];
    for (size_t i = 0; i < ARRAY_LEN(FOLDERS); i++) {
        int length = snprintf(folder, sizeof folder, "%s/%s", path, FOLDERS[i]);
        if (length < 0 || (size_t) length >= sizeof folder) {
            return pgc_error_set(err, PGC_INVALID, "repository folder %s: path is too long", path);
        }
        TRY(file_mkdirs(e, AT_FDCWD, folder, REPOSITORY_FOLDER_MODE, true, err));
    }
    return PGC_OK;
}

/* The conflict is the unique default of an owner: whoever loses the race takes the winner's row. */
static pgc_status default_create(lum_actor actor, const env *e, const char *path,
                                 repo_repository_set *out, pgc_error *err)
{
    TRY(folders_make(e, path, err));
    repo_create_repository_params params = { .name = SLICE("default"),
                                             .path = pgc_text_from(path),
                                             .owner_id = actor.user_id,
                                             .storage_strategy = SLICE("date"),
                                             .is_default = true };
    if (!uuid_v7(e->clock, &params.repo_id)) {
        return pgc_error_set(err, PGC_IO, "create repository: no random numbers to be had");
    }
    pgc_status status = repo_create_repository(actor.db, &params, out, err);
    if (status == PGC_CONFLICT &&
        repo_get_default_repository(actor.db, actor.user_id, out, NULL) == PGC_OK) {
        return PGC_OK; /* another process was faster */
    }
    return status;
}

/* Where the default repository of a user lies; the name was checked when the user was made. */
static pgc_status default_path(lum_actor actor, const char *home, char out[static PATH_MAX],
                               pgc_error *err)
{
    repo_public_user_set set = PGC_ZERO;
    TRY(repo_get_user_by_id(actor.db, actor.user_id, &set, err));
    int length =
        snprintf(out, PATH_MAX, "%s/library/%" SLICE_FMT, home, SLICE_ARG(set.rows[0].username));
    repo_public_user_set_free(&set);
    if (length < 0 || length >= PATH_MAX) {
        return pgc_error_set(err, PGC_INVALID, "library folder %s: path is too long", home);
    }
    return PGC_OK;
}

pgc_status lum_repository_ensure_default(lum_actor actor, const env *e, const char *home,
                                         repo_repository_set *out, pgc_error *err)
{
    pgc_status status = repo_get_default_repository(actor.db, actor.user_id, out, err);
    if (status != PGC_NOT_FOUND) {
        return pgc_error_wrap(err, status, "find default repository");
    }
    char path[PATH_MAX];
    status = default_path(actor, home, path, err);
    if (status == PGC_OK) {
        status = default_create(actor, e, path, out, err);
    }
    if (status == PGC_OK) {
        pgc_error_clear(err);
    }
    return pgc_error_wrap(err, status, "create default repository");
}
