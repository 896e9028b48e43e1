/* Repositories. A user's default repository lies below the library's home; its row and its folder
 * are made together, the folder first, so that a row never names a folder that was not there. */
#include "base/prelude.h"

#include "service/repository.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/slice.h"
#include "base/uuid.h"
#include "repo/users.h"
#include "service/check.h"

#define REPOSITORY_FOLDER_MODE 0700
#define REPOSITORY_NAME_MAX    255 /* characters */

static const char *const STRATEGY_TEXT[] = {
    [LUM_STRATEGY_DATE] = "date",
    [LUM_STRATEGY_FLAT] = "flat",
    [LUM_STRATEGY_CAS] = "cas",
};

/* The words are those of the table's CHECK. */
pgc_status lum_strategy_parse(const char *text, lum_strategy *out, pgc_error *err)
{
    static const check_words WORDS = { "storage strategy", STRATEGY_TEXT,
                                       ARRAY_LEN(STRATEGY_TEXT) };
    size_t index = 0;
    TRY(check_word(&WORDS, pgc_text_from(text), &index, err));
    *out = (lum_strategy) index;
    return PGC_OK;
}

const char *lum_strategy_text(lum_strategy strategy)
{
    assert((size_t) strategy < ARRAY_LEN(STRATEGY_TEXT));
    return STRATEGY_TEXT[strategy];
}

static pgc_status strategy_check(lum_strategy strategy, pgc_error *err)
{
    return (size_t) strategy < ARRAY_LEN(STRATEGY_TEXT)
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "storage strategy %d: there is none",
                               (int) strategy);
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

/* One component of a path, appended to out with a slash in front. */
static pgc_status component_add(slice part, const char *path, char *out, size_t *used,
                                pgc_error *err)
{
    if (slice_eq_str(part, ".") || slice_eq_str(part, "..")) {
        return pgc_error_set(err, PGC_INVALID, "repository folder %s: \".\" or \"..\" in it", path);
    }
    if (*used + part.len + 2 > LUM_REPOSITORY_PATH_MAX) {
        return pgc_error_set(err, PGC_INVALID, "repository folder: longer than %d bytes",
                             LUM_REPOSITORY_PATH_MAX - 1);
    }
    out[(*used)++] = '/';
    memcpy(out + *used, part.ptr, part.len);
    *used += part.len;
    out[*used] = '\0';
    return PGC_OK;
}

/* Every repository has a folder .lumilio, whoever it belongs to: none may stand above. */
static pgc_status ancestors_check(const env *e, const char *path, pgc_error *err)
{
    char above[LUM_REPOSITORY_PATH_MAX + sizeof "/.lumilio"];
    size_t len = strlen(path);
    assert(len < LUM_REPOSITORY_PATH_MAX);
    memcpy(above, path, len + 1);
    for (char *slash = strrchr(above, '/'); slash != NULL && slash != above;
         slash = strrchr(above, '/')) {
        memcpy(slash, "/.lumilio", sizeof "/.lumilio");
        if (file_exists(e, AT_FDCWD, above)) {
            *slash = '\0';
            return pgc_error_set(err, PGC_INVALID,
                                 "repository folder %s: %s above it is a repository", path, above);
        }
        *slash = '\0';
    }
    return PGC_OK;
}

pgc_status lum_repository_check_path(const env *e, const char *path,
                                     char out[static LUM_REPOSITORY_PATH_MAX], pgc_error *err)
{
    char clean[LUM_REPOSITORY_PATH_MAX] = "";
    size_t used = 0;
    slice rest = pgc_text_from(path);
    if (path[0] != '/') {
        return pgc_error_set(err, PGC_INVALID,
                             "repository folder \"%" SLICE_FMT "\": give a whole path",
                             SLICE_ARG(check_quote(rest)));
    }
    if (!slice_is_utf8(rest)) {
        return pgc_error_set(err, PGC_INVALID, "repository folder: not valid UTF-8");
    }
    while (rest.ptr != NULL) {
        slice part = slice_next(&rest, '/');
        if (part.len > 0) {
            TRY(component_add(part, path, clean, &used, err));
        }
    }
    if (used == 0) {
        return pgc_error_set(err, PGC_INVALID, "repository folder: not the root");
    }
    TRY(ancestors_check(e, clean, err));
    memcpy(out, clean, used + 1);
    return PGC_OK;
}

/* "move repository ID: …" */
static pgc_status about_repository(pgc_status status, pgc_uuid repo_id, const char *what,
                                   pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&repo_id, id);
    if (status == PGC_NOT_FOUND && (err == NULL || err->sqlstate[0] == '\0')) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such repository");
    }
    return pgc_error_wrap(err, status, "%s repository %s", what, id);
}

/* Asked before anything is made on the disk, and again when the row is written. */
static pgc_status path_ask(lum_actor actor, const repo_add_repository_params *repository,
                           pgc_error *err)
{
    const repo_check_repository_path_params params = { .path = repository->path,
                                                       .itself = repository->repo_id };
    return repo_check_repository_path(actor.db, &params, err);
}

/* The folder before the row, as for the default one. */
pgc_status lum_repository_create(lum_actor actor, const env *e,
                                 const lum_repository_new *repository, repo_repository_set *out,
                                 pgc_error *err)
{
    char path[LUM_REPOSITORY_PATH_MAX];
    repo_add_repository_params params = { .name = repository->name,
                                          .make_default = repository->make_default };
    TRY(check_name("repository name", repository->name, REPOSITORY_NAME_MAX, err));
    TRY(lum_repository_check_path(e, repository->path, path, err));
    TRY(strategy_check(repository->strategy, err));
    params.path = pgc_text_from(path);
    params.storage_strategy = pgc_text_from(lum_strategy_text(repository->strategy));
    if (!uuid_v7(e->clock, &params.repo_id)) {
        return pgc_error_set(err, PGC_IO, "create repository: no random numbers to be had");
    }
    pgc_status status = path_ask(actor, &params, err);
    if (status == PGC_OK) {
        status = folders_make(e, path, err);
    }
    if (status == PGC_OK) {
        status = repo_add_repository(actor.db, &params, out, err);
    }
    return pgc_error_wrap(err, status, "create repository %s", path);
}

pgc_status lum_repository_get(lum_actor actor, pgc_uuid repo_id, repo_repository_set *out,
                              pgc_error *err)
{
    return about_repository(repo_get_repository(actor.db, repo_id, out, err), repo_id, "get", err);
}

pgc_status lum_repository_list(lum_actor actor, repo_repository_set *out, pgc_error *err)
{
    return pgc_error_wrap(err, repo_list_repositories(actor.db, out, err), "list repositories");
}

pgc_status lum_repository_update(lum_actor actor, pgc_uuid repo_id, pgc_text name,
                                 const lum_strategy *strategy, pgc_error *err)
{
    int64_t affected = 0;
    repo_update_repository_params params = { .name = name, .repo_id = repo_id };
    if (name.ptr != NULL) {
        TRY(check_name("repository name", name, REPOSITORY_NAME_MAX, err));
    }
    if (strategy != NULL) {
        TRY(strategy_check(*strategy, err));
        params.storage_strategy = pgc_text_from(lum_strategy_text(*strategy));
    }
    pgc_status status = repo_update_repository(actor.db, &params, &affected, err);
    assert(affected <= 1);
    return about_repository(status == PGC_OK && affected == 0 ? PGC_NOT_FOUND : status, repo_id,
                            "update", err);
}

pgc_status lum_repository_set_default(lum_actor actor, pgc_uuid repo_id, pgc_error *err)
{
    return about_repository(repo_make_repository_default(actor.db, repo_id, err), repo_id,
                            "make default", err);
}

/* Without its folders it is some other folder, or the move is still to come. */
pgc_status lum_repository_move(lum_actor actor, const env *e, pgc_uuid repo_id, const char *path,
                               pgc_error *err)
{
    char clean[LUM_REPOSITORY_PATH_MAX];
    char inside[LUM_REPOSITORY_PATH_MAX + sizeof "/.lumilio"];
    TRY(lum_repository_check_path(e, path, clean, err));
    (void) snprintf(inside, sizeof inside, "%s/.lumilio", clean);
    if (!file_exists(e, AT_FDCWD, inside)) {
        return pgc_error_set(err, PGC_INVALID, "move repository to %s: move its folder there first",
                             clean);
    }
    const repo_move_repository_params params = { .repo_id = repo_id, .path = pgc_text_from(clean) };
    return about_repository(repo_move_repository(actor.db, &params, err), repo_id, "move", err);
}

pgc_status lum_repository_delete(lum_actor actor, pgc_uuid repo_id, pgc_error *err)
{
    return about_repository(repo_delete_repository(actor.db, repo_id, err), repo_id, "delete", err);
}
