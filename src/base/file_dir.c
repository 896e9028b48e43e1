/* Folders: reading entry by entry, making chains of folders, removing trees. Works on descriptors
 * only, so that a rename or a symbolic link put in the way cannot lead it elsewhere.
 * One thread per file_dir. */
#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>

#include "base/file.h"

#define TREE_DEPTH_MAX 256 /* descriptors held at once while removing */

void file_dir_init(file_dir *d, const env *e, int fd)
{
    d->env = e;
    d->fd = fd;
    d->at = d->len = 0;
}

/* Entries are read in place from the kernel's records. Removing entries while reading is allowed:
 * the kernel's position does not depend on them. */
pgc_status file_dir_next(file_dir *d, file_entry *out, pgc_error *err)
{
    const vfs *fs = d->env->fs;
    for (;;) {
        if (d->at == d->len) {
            ssize_t got = fs->getdents(fs->ctx, d->fd, d->bytes, sizeof d->bytes);
            if (got < 0) {
                return pgc_error_errno(err, errno, "read a folder");
            }
            if (got == 0) {
                *out = (file_entry) { NULL, DT_UNKNOWN };
                return PGC_OK;
            }
            d->at = 0;
            d->len = (size_t) got;
        }
        assert(d->at < d->len);
        const struct dirent64 *entry = (const struct dirent64 *) (const void *) (d->bytes + d->at);
        d->at += entry->d_reclen;
        assert(d->at <= d->len);
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            *out = (file_entry) { entry->d_name, entry->d_type };
            return PGC_OK;
        }
    }
}

bool file_exists(const env *e, int dir, const char *path)
{
    struct stat info;
    return e->fs->fstatat(e->fs->ctx, dir, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

/* fsync of the folder that holds prefix; prefix is changed and restored. */
static pgc_status sync_parent(const env *e, int dir, char *prefix, pgc_error *err)
{
    const vfs *fs = e->fs;
    char *slash = strrchr(prefix, '/');
    const char *parent = slash == NULL ? "." : slash == prefix ? "/" : prefix;
    char saved = '\0';
    if (parent == prefix) {
        saved = '/';
        *slash = '\0';
    }
    pgc_status status = PGC_OK;
    int fd = fs->openat(fs->ctx, dir, parent, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0 || fs->fsync(fs->ctx, fd) != 0) {
        status = pgc_error_errno(err, errno, "sync folder %s", parent);
    }
    if (fd >= 0) {
        (void) fs->close(fs->ctx, fd);
    }
    if (saved != '\0') {
        *slash = saved;
    }
    return status;
}

/* One folder of a chain; one that is there already is fine. */
static pgc_status make_one(const env *e, int dir, char *prefix, mode_t mode, bool durable,
                           pgc_error *err)
{
    const vfs *fs = e->fs;
    if (fs->mkdirat(fs->ctx, dir, prefix, mode) == 0) {
        return durable ? sync_parent(e, dir, prefix, err) : PGC_OK;
    }
    int reason = errno;
    struct stat info;
    if (fs->fstatat(fs->ctx, dir, prefix, &info, 0) == 0) {
        if (S_ISDIR(info.st_mode)) {
            return PGC_OK;
        }
        reason = ENOTDIR;
    }
    return pgc_error_errno(err, reason, "make folder %s", prefix);
}

/* Prefix by prefix from the left: most often all but the last exist, and mkdirat() says so in one
 * call each. */
pgc_status file_mkdirs(const env *e, int dir, const char *path, mode_t mode, bool durable,
                       pgc_error *err)
{
    char prefix[PATH_MAX];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof prefix) {
        return pgc_error_errno(err, len == 0 ? ENOENT : ENAMETOOLONG, "make folder %s", path);
    }
    memcpy(prefix, path, len + 1);
    for (size_t at = 1; at <= len; at++) {
        bool end = prefix[at] == '/' || prefix[at] == '\0';
        if (!end || prefix[at - 1] == '/') {
            continue;
        }
        char saved = prefix[at];
        prefix[at] = '\0';
        pgc_status status = make_one(e, dir, prefix, mode, durable, err);
        prefix[at] = saved;
        TRY(status);
    }
    return PGC_OK;
}

/* Removes what the folder behind fd holds; depth bounds the recursion. */
static pgc_status empty_dir(const env *e, int fd, int depth, pgc_error *err)
{
    const vfs *fs = e->fs;
    if (depth > TREE_DEPTH_MAX) {
        return pgc_error_set(err, PGC_LIMIT, "folders nested deeper than %d", TREE_DEPTH_MAX);
    }
    file_dir reader;
    file_entry entry;
    file_dir_init(&reader, e, fd);
    for (;;) {
        TRY(file_dir_next(&reader, &entry, err));
        if (entry.name == NULL) {
            return PGC_OK;
        }
        if (fs->unlinkat(fs->ctx, fd, entry.name, 0) == 0 || errno == ENOENT) {
            continue;
        }
        if (errno != EISDIR && errno != EPERM) {
            return pgc_error_errno(err, errno, "remove %s", entry.name);
        }
        int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
        int child = fs->openat(fs->ctx, fd, entry.name, flags, 0);
        if (child < 0) {
            return pgc_error_errno(err, errno, "remove folder %s", entry.name);
        }
        pgc_status status = empty_dir(e, child, depth + 1, err);
        (void) fs->close(fs->ctx, child);
        TRY(pgc_error_wrap(err, status, "%s", entry.name));
        if (fs->unlinkat(fs->ctx, fd, entry.name, AT_REMOVEDIR) != 0 && errno != ENOENT) {
            return pgc_error_errno(err, errno, "remove folder %s", entry.name);
        }
    }
}

/* Tries to unlink first: that is right for everything but a folder, and never follows a link.
 * Which errno a folder gives differs between systems. */
pgc_status file_remove_tree(const env *e, int dir, const char *path, pgc_error *err)
{
    const vfs *fs = e->fs;
    if (fs->unlinkat(fs->ctx, dir, path, 0) == 0 || errno == ENOENT) {
        return PGC_OK;
    }
    if (errno != EISDIR && errno != EPERM) {
        return pgc_error_errno(err, errno, "remove %s", path);
    }
    int fd = fs->openat(fs->ctx, dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0) {
        return pgc_error_errno(err, errno, "remove %s", path);
    }
    pgc_status status = empty_dir(e, fd, 0, err);
    (void) fs->close(fs->ctx, fd);
    TRY(pgc_error_wrap(err, status, "remove %s", path));
    if (fs->unlinkat(fs->ctx, dir, path, AT_REMOVEDIR) != 0 && errno != ENOENT) {
        return pgc_error_errno(err, errno, "remove %s", path);
    }
    return PGC_OK;
}
