/* The repository that an import writes to: found or made, opened, locked. The lock file tells
 * recovery whether another import is at work: imports hold it shared. */
#include "base/prelude.h"

#include "work/import_internal.h"

#include <fcntl.h>
#include <sys/file.h>

#include "base/file.h"

#define STAGING_FOLDER ".lumilio/staging"
#define LOCK_FILE      ".lumilio/import.lock"

/* The repository's own folder is never made here: where it is missing, a disk is not mounted. */
static pgc_status folders_open(import_target *target, pgc_error *err)
{
    const vfs *fs = target->env->fs;
    target->root =
        fs->openat(fs->ctx, AT_FDCWD, target->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (target->root < 0) {
        pgc_status status = pgc_error_errno(err, errno, "open repository %s", target->root_path);
        pgc_error_hint(err, "is the disk mounted? The database expects the originals there");
        return status;
    }
    TRY(file_mkdirs(target->env, target->root, STAGING_FOLDER, 0700, true, err));
    target->staging_dir = fs->open_beneath(fs->ctx, target->root, STAGING_FOLDER,
                                           O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    target->lock_fd =
        fs->open_beneath(fs->ctx, target->root, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (target->staging_dir < 0 || target->lock_fd < 0) {
        return pgc_error_errno(err, errno, "open staging folder of %s", target->root_path);
    }
    return PGC_OK;
}

pgc_status import_target_open_row(const env *e, lum_session *session, const repo_repository *row,
                                  import_target *out, pgc_error *err)
{
    *out = (import_target) { .env = e,
                             .session = session,
                             .user_id = lum_session_actor(session).user_id,
                             .repository_id = row->repo_id,
                             .root = -1,
                             .staging_dir = -1,
                             .lock_fd = -1 };
    if (row->path.len >= sizeof out->root_path) {
        return pgc_error_set(err, PGC_LIMIT, "path of the repository is too long");
    }
    memcpy(out->root_path, row->path.ptr, row->path.len);
    out->root_path[row->path.len] = '\0';
    pgc_status status = folders_open(out, err);
    if (status != PGC_OK) {
        import_target_close(out);
    }
    return status;
}

pgc_status import_target_open(lum_library *library, lum_session *session, import_target *out,
                              pgc_error *err)
{
    const env *e = lum_library_env(library);
    repo_repository_set set = PGC_ZERO;
    *out = (import_target) { .env = e, .root = -1, .staging_dir = -1, .lock_fd = -1 };
    TRY(lum_repository_ensure_default(lum_session_actor(session), e, lum_library_home(library),
                                      &set, err));
    pgc_status status = import_target_open_row(e, session, &set.rows[0], out, err);
    repo_repository_set_free(&set);
    out->pool = lum_library_pool(library);
    if (status == PGC_OK) {
        status = jobs_embed_model(library, out->embed_model, err);
        if (status != PGC_OK) {
            import_target_close(out);
        }
    }
    return status;
}

void import_target_close(import_target *target)
{
    int *fds[] = { &target->lock_fd, &target->staging_dir, &target->root };
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        if (*fds[i] >= 0) {
            (void) target->env->fs->close(target->env->fs->ctx, *fds[i]);
            *fds[i] = -1;
        }
    }
}

int import_lock(const import_target *target, int operation)
{
    const vfs *fs = target->env->fs;
    int result = 0;
    do {
        result = fs->flock(fs->ctx, target->lock_fd, operation);
    } while (result != 0 && errno == EINTR);
    return result;
}
