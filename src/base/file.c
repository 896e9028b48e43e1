/* Whole files on the file system seam: read, write all, and replacement that a crash cannot leave
 * half done. A temporary file is named ".tmp-" and 16 hexadecimal digits, in the folder of the file
 * that it becomes. Thread-safe: no state. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"

#define READ_CHUNK ((size_t) 64 * 1024)

void fd_auto(int *fd)
{
    if (*fd >= 0) {
        (void) vfs_os()->close(NULL, *fd);
        *fd = -1;
    }
}

/* Reads to the end of the file. */
static pgc_status read_open(const env *e, int fd, const char *path, buf *out, pgc_error *err)
{
    const vfs *fs = e->fs;
    for (;;) {
        size_t room = out->max - out->len;
        size_t chunk = room > READ_CHUNK ? READ_CHUNK : room - 1;
        if (chunk == 0) {
            char probe;
            if (fs->read(fs->ctx, fd, &probe, 1) == 0) {
                return PGC_OK;
            }
            return pgc_error_set(err, PGC_LIMIT, "read %s: over %zu bytes", path, out->max - 1);
        }
        char *start = buf_extend(out, chunk);
        if (start == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "read %s: out of memory", path);
        }
        ssize_t got = fs->read(fs->ctx, fd, start, chunk);
        int reason = errno;
        out->len -= chunk - (got > 0 ? (size_t) got : 0);
        out->ptr[out->len] = '\0';
        if (got == 0) {
            return PGC_OK;
        }
        if (got < 0 && reason != EINTR) {
            return pgc_error_errno(err, reason, "read %s", path);
        }
    }
}

/* Grows the buffer by what is read instead of asking for the size: files in /proc say that they
 * are empty. On failure the buffer is as it was. */
pgc_status file_read(const env *e, int dir, const char *path, buf *out, pgc_error *err)
{
    assert(out->max > 1);
    const vfs *fs = e->fs;
    int fd = fs->openat(fs->ctx, dir, path, O_RDONLY | O_NOCTTY, 0);
    if (fd < 0) {
        if (errno == ENOENT) {
            return pgc_error_set(err, PGC_NOT_FOUND, "read %s: no such file", path);
        }
        return pgc_error_errno(err, errno, "read %s", path);
    }
    size_t before = out->len;
    pgc_status status = read_open(e, fd, path, out, err);
    (void) fs->close(fs->ctx, fd);
    if (status != PGC_OK && out->ptr != NULL) {
        out->len = before;
        out->ptr[before] = '\0';
    }
    return status;
}

/* Zero bytes written without an error would loop for ever; it is taken for a full disk. */
pgc_status file_write_all(const env *e, int fd, const void *bytes, size_t count, pgc_error *err)
{
    const vfs *fs = e->fs;
    const char *at = (const char *) bytes;
    while (count > 0) {
        ssize_t done = fs->write(fs->ctx, fd, at, count);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done <= 0) {
            return pgc_error_errno(err, done < 0 ? errno : ENOSPC, "write");
        }
        assert((size_t) done <= count);
        at += done;
        count -= (size_t) done;
    }
    return PGC_OK;
}

/* Folder part of path opened; *name is the rest. Negative with errno set on failure. */
static int open_parent(const env *e, int dir, const char *path, const char **name)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');
    *name = slash == NULL ? path : slash + 1;
    size_t len = slash == NULL ? 0 : (size_t) (slash - path) + 1;
    if (len >= sizeof parent || **name == '\0') {
        errno = **name == '\0' ? EISDIR : ENAMETOOLONG;
        return -1;
    }
    memcpy(parent, path, len);
    parent[len] = '\0';
    const vfs *fs = e->fs;
    return fs->openat(fs->ctx, dir, len == 0 ? "." : parent, O_RDONLY | O_DIRECTORY, 0);
}

/* Through the descriptor, so before the file has a name that others could open. */
static pgc_status set_access(const env *e, int fd, const file_access *access, pgc_error *err)
{
    const vfs *fs = e->fs;
    if (access == NULL) {
        return PGC_OK;
    }
    if (fs->fchmod(fs->ctx, fd, access->mode) != 0) {
        return pgc_error_errno(err, errno, "set mode");
    }
    if (access->own && fs->fchown(fs->ctx, fd, access->uid, access->gid) != 0) {
        return pgc_error_errno(err, errno, "set owner");
    }
    return PGC_OK;
}

/* What is to be written and how. */
typedef struct replacement {
    const char *name; /* final name in its folder */
    slice content;
    mode_t mode;               /* subject to the umask */
    const file_access *access; /* NULL: mode alone */
} replacement;

/* The new content under its temporary name, on disk. */
static pgc_status write_temporary(const env *e, int folder, const char *name,
                                  const replacement *what, pgc_error *err)
{
    const vfs *fs = e->fs;
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
    int fd = fs->openat(fs->ctx, folder, name, flags, what->mode);
    if (fd < 0) {
        return pgc_error_errno(err, errno, "make temporary file");
    }
    pgc_status status = set_access(e, fd, what->access, err);
    if (status == PGC_OK) {
        status = file_write_all(e, fd, what->content.ptr, what->content.len, err);
    }
    if (status == PGC_OK && fs->fsync(fs->ctx, fd) != 0) {
        status = pgc_error_errno(err, errno, "sync");
    }
    /* NFS reports a full disk as late as here. */
    if (fs->close(fs->ctx, fd) != 0 && status == PGC_OK) {
        status = pgc_error_errno(err, errno, "close");
    }
    return status;
}

/* Everything within one folder descriptor: a folder that is moved meanwhile takes the file along.
 * A failure after the rename leaves the new content, and says so as an error, because it may not
 * survive a power cut. */
static pgc_status replace_in(const env *e, int folder, const replacement *what, pgc_error *err)
{
    const vfs *fs = e->fs;
    uint64_t number;
    if (!e->clock->random(e->clock->ctx, &number, sizeof number)) {
        return pgc_error_set(err, PGC_IO, "no randomness for a temporary name");
    }
    char temporary[32];
    (void) snprintf(temporary, sizeof temporary, ".tmp-%016" PRIx64, number);
    pgc_status status = write_temporary(e, folder, temporary, what, err);
    if (status == PGC_OK && fs->renameat2(fs->ctx, folder, temporary, folder, what->name, 0) != 0) {
        status = pgc_error_errno(err, errno, "rename");
    }
    if (status != PGC_OK) {
        (void) fs->unlinkat(fs->ctx, folder, temporary, 0);
        return status;
    }
    if (fs->fsync(fs->ctx, folder) != 0) {
        return pgc_error_errno(err, errno, "sync folder");
    }
    return PGC_OK;
}

/* Common part of the two public calls; adds the path to the message once. */
static pgc_status replace(const env *e, int dir, const char *path, replacement *what,
                          pgc_error *err)
{
    int folder = open_parent(e, dir, path, &what->name);
    if (folder < 0) {
        return pgc_error_errno(err, errno, "replace %s", path);
    }
    pgc_status status = replace_in(e, folder, what, err);
    (void) e->fs->close(e->fs->ctx, folder);
    return pgc_error_wrap(err, status, "replace %s", path);
}

pgc_status file_write_atomic(const env *e, int dir, const char *path, slice content, mode_t mode,
                             pgc_error *err)
{
    replacement what = { .content = content, .mode = mode };
    return replace(e, dir, path, &what, err);
}

pgc_status file_write_atomic_as(const env *e, int dir, const char *path, slice content,
                                const file_access *access, pgc_error *err)
{
    /* Nobody else may open it before owner and mode are right. */
    replacement what = { .content = content, .mode = 0600, .access = access };
    return replace(e, dir, path, &what, err);
}
