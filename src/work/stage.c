/* Staging. Order of durability: bytes first (the caller's fsync), then the name, then its folder;
 * after a failed fsync the file is thrown away, never synced again (reliability CS-01). */
#include "base/prelude.h"

#include "work/stage.h"

#include <fcntl.h>
#include <lumilio/status.h>

#include "base/crash.h"
#include "base/file.h"

#define COPY_BLOCK 262144 /* bytes read at once */

const char *stage_hash_hex(const char *hash)
{
    assert(strlen(hash) == STAGE_HASH_SIZE - 1);
    return hash + 7;
}

/* Failures of the caller's file are told apart from those of the library's disk: the former skip
 * one file, the latter may end the import. */
pgc_status stage_source_error(pgc_error *err, int os_errno, const char *what)
{
    pgc_status status = os_errno == ENOENT ? LUM_SOURCE_CHANGED : LUM_SOURCE_UNREADABLE;
    (void) pgc_error_errno(err, os_errno, "%s", what);
    if (err != NULL) {
        err->status = status;
    }
    return status;
}

/* What was looked at by name may be another file by now: everything is decided on the
 * descriptor. */
pgc_status stage_open_source(const env *e, const char *path, int *out, struct stat *info,
                             pgc_error *err)
{
    /* O_NONBLOCK: opening a pipe must not wait for a writer. */
    int fd = e->fs->openat(e->fs->ctx, AT_FDCWD, path,
                           O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0);
    if (fd < 0) {
        int os_errno = errno;
        if (os_errno == ELOOP) {
            return pgc_error_set(err, LUM_NOT_MEDIA, "symbolic link, not followed");
        }
        return stage_source_error(err, os_errno, "cannot be opened");
    }
    if (e->fs->fstat(e->fs->ctx, fd, info) != 0 || !S_ISREG(info->st_mode)) {
        (void) e->fs->close(e->fs->ctx, fd);
        return pgc_error_set(err, LUM_NOT_MEDIA, "not a regular file");
    }
    *out = fd;
    return PGC_OK;
}

/* Same file, same times and size as when it was opened. */
static bool source_is_unchanged(const env *e, int source, const struct stat *before)
{
    struct stat now;
    return e->fs->fstat(e->fs->ctx, source, &now) == 0 && now.st_size == before->st_size &&
           now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before->st_mtim.tv_nsec &&
           now.st_ctim.tv_sec == before->st_ctim.tv_sec &&
           now.st_ctim.tv_nsec == before->st_ctim.tv_nsec;
}

/* One block from the source, EINTR-safe; 0 at its end. */
static ssize_t block_read(const env *e, int fd, void *block, off_t offset)
{
    for (;;) {
        ssize_t got = e->fs->pread(e->fs->ctx, fd, block, COPY_BLOCK, offset);
        if (got >= 0 || errno != EINTR) {
            return got;
        }
    }
}

/* Read to the end into the hash and, unless target is negative, into target. */
static pgc_status stream(const env *e, int source, int target, sha256 *state, int64_t *size,
                         pgc_error *err)
{
    uint8_t *block = mem_new(e->alloc, COPY_BLOCK);
    if (block == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "copy file");
    }
    pgc_status status = PGC_OK;
    int64_t done = 0;
    while (status == PGC_OK) {
        ssize_t got = block_read(e, source, block, (off_t) done);
        if (got == 0) {
            break;
        }
        if (got < 0) {
            status = stage_source_error(err, errno, "cannot be read");
        } else if (!sha256_add(state, block, (size_t) got)) {
            status = pgc_error_set(err, PGC_NOMEM, "hash file");
        } else if (target >= 0) {
            status = file_write_all(e, target, block, (size_t) got, err);
        }
        done += got > 0 ? got : 0;
    }
    mem_free(e->alloc, block, COPY_BLOCK);
    *size = done;
    return status;
}

/* Peeked, not ended: the state belongs to the caller. */
static pgc_status hash_finish(const sha256 *state, char hash[static STAGE_HASH_SIZE],
                              pgc_error *err)
{
    uint8_t digest[SHA256_SIZE];
    if (!sha256_peek(state, digest)) {
        return pgc_error_set(err, PGC_NOMEM, "hash file");
    }
    memcpy(hash, "sha256:", 7);
    sha256_hex(digest, hash + 7);
    return PGC_OK;
}

pgc_status stage_hash_fd(const env *e, int fd, char hash[static STAGE_HASH_SIZE], int64_t *size,
                         pgc_error *err)
{
    AUTO(sha256_auto) sha256 *state = sha256_new();
    if (state == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "hash file");
    }
    TRY(stream(e, fd, -1, state, size, err));
    return hash_finish(state, hash, err);
}

/* A nameless file: a crash leaves nothing to clean up. Hashed while it is copied, so that hash
 * and copy are of the same bytes even when the source changes meanwhile. */
pgc_status stage_copy(const env *e, int source, const struct stat *info, int staging_dir,
                      staged_file *out, pgc_error *err)
{
    AUTO(sha256_auto) sha256 *state = sha256_new();
    if (state == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "stage file");
    }
    AUTO(fd_auto)
    int fd = e->fs->openat(e->fs->ctx, staging_dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0) {
        return pgc_error_errno(err, errno, "make staging file in the library");
    }
    staged_file staged = { .info = *info };
    pgc_status status = stream(e, source, fd, state, &staged.size, err);
    if (status != PGC_OK) {
        return status == PGC_IO ? pgc_error_wrap(err, status, "copy into the library") : status;
    }
    if (!source_is_unchanged(e, source, info) || staged.size != info->st_size) {
        return pgc_error_set(err, LUM_SOURCE_CHANGED, "changed while it was read");
    }
    TRY(hash_finish(state, staged.hash, err));
    staged.fd = fd;
    fd = -1;
    CRASH_POINT("import.staged");
    *out = staged;
    return PGC_OK;
}

void stage_close(const env *e, staged_file *staged)
{
    if (staged->fd >= 0) {
        (void) e->fs->close(e->fs->ctx, staged->fd);
        staged->fd = -1;
    }
}

/* The folder part of a path, "." when there is none. */
static pgc_status folder_part(const char *path, char out[static PATH_MAX], pgc_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash != NULL ? (size_t) (slash - path) : 0;
    if (length >= PATH_MAX) {
        return pgc_error_set(err, PGC_INVALID, "path is too long");
    }
    memcpy(out, path, length);
    out[length] = '\0';
    if (length == 0) {
        memcpy(out, ".", 2);
    }
    return PGC_OK;
}

/* A name is durable only when its folder is. */
pgc_status stage_sync_folder(const env *e, int root, const char *path, pgc_error *err)
{
    char folder[PATH_MAX];
    TRY(folder_part(path, folder, err));
    AUTO(fd_auto)
    int fd = e->fs->open_beneath(e->fs->ctx, root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0 || e->fs->fsync(e->fs->ctx, fd) != 0) {
        return pgc_error_errno(err, errno, "make folder %s durable", folder);
    }
    return PGC_OK;
}

/* The folder of a new file; made when it is not there, which is rare. */
static pgc_status folder_open(const env *e, int root, const char *folder, int *out, pgc_error *err)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int fd = e->fs->open_beneath(e->fs->ctx, root, folder, flags, 0);
    if (fd < 0 && errno == ENOENT) {
        TRY(file_mkdirs(e, root, folder, 0700, true, err));
        fd = e->fs->open_beneath(e->fs->ctx, root, folder, flags, 0);
    }
    if (fd < 0) {
        return pgc_error_errno(err, errno, "open folder %s", folder);
    }
    *out = fd;
    return PGC_OK;
}

/* linkat() gives a nameless file its name, and never replaces a file that has it already;
 * rename() would. */
pgc_status stage_link(const env *e, int fd, int root, const char *path, pgc_error *err)
{
    assert(fd >= 0);
    assert(path[0] != '/');
    char folder[PATH_MAX];
    char nameless[64];
    AUTO(fd_auto) int dir = -1;
    TRY(folder_part(path, folder, err));
    TRY(folder_open(e, root, folder, &dir, err));
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    (void) snprintf(nameless, sizeof nameless, "/proc/self/fd/%d", fd);
    if (e->fs->linkat(e->fs->ctx, AT_FDCWD, nameless, dir, name, AT_SYMLINK_FOLLOW) != 0) {
        int os_errno = errno;
        return os_errno == EEXIST ? pgc_error_set(err, PGC_CONFLICT, "%s exists", path)
                                  : pgc_error_errno(err, os_errno, "name file %s", path);
    }
    CRASH_POINT("import.linked");
    return PGC_OK;
}
