/* The file system seam on the operating system: thin, one function per system call. Every
 * descriptor is opened close-on-exec. Thread-safe. */
#include "base/prelude.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/file.h>
#include <sys/syscall.h>

#include "base/vfs.h"

static int os_openat(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    (void) ctx;
    return openat(dir, path, flags | O_CLOEXEC, mode);
}

/* What openat2() would do, one component after the other, for systems whose kernel or sandbox does
 * not know it. ".." is refused outright. */
static int open_by_steps(int dir, const char *path, int flags, mode_t mode)
{
    char name[NAME_MAX + 1];
    int at = dir;
    int result = -1;
    for (;;) {
        size_t len = strcspn(path, "/");
        const char *next = path + len + strspn(path + len, "/");
        bool parent = len == 2 && path[0] == '.' && path[1] == '.';
        if (len == 0 || len > NAME_MAX || parent) {
            errno = parent ? EXDEV : len == 0 ? ENOENT : ENAMETOOLONG;
            break;
        }
        memcpy(name, path, len);
        name[len] = '\0';
        bool last = *next == '\0';
        int step = last ? flags | O_NOFOLLOW | (path[len] == '/' ? O_DIRECTORY : 0)
                        : O_PATH | O_DIRECTORY | O_NOFOLLOW;
        result = openat(at, name, step | O_CLOEXEC, last ? mode : 0);
        if (last || result < 0) {
            break;
        }
        if (at != dir) {
            (void) close(at);
        }
        at = result;
        result = -1;
        path = next;
    }
    if (at != dir) {
        int saved = errno;
        (void) close(at);
        errno = saved;
    }
    return result;
}

static int os_open_beneath(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    (void) ctx;
    bool creates = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
    struct open_how how = {
        .flags = (uint64_t) (unsigned) (flags | O_CLOEXEC),
        .mode = creates ? mode : 0,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
    if (fd < 0 && errno == ENOSYS) {
        if (path[0] == '/') {
            errno = EXDEV;
            return -1;
        }
        return open_by_steps(dir, path, flags, mode);
    }
    return (int) fd;
}

static int os_close(void *ctx, int fd)
{
    (void) ctx;
    return close(fd);
}

static ssize_t os_read(void *ctx, int fd, void *bytes, size_t count)
{
    (void) ctx;
    return read(fd, bytes, count);
}

static ssize_t os_pread(void *ctx, int fd, void *bytes, size_t count, off_t offset)
{
    (void) ctx;
    return pread(fd, bytes, count, offset);
}

static ssize_t os_write(void *ctx, int fd, const void *bytes, size_t count)
{
    (void) ctx;
    return write(fd, bytes, count);
}

static int os_fsync(void *ctx, int fd)
{
    (void) ctx;
    return fsync(fd);
}

static int os_fdatasync(void *ctx, int fd)
{
    (void) ctx;
    return fdatasync(fd);
}

static int os_ftruncate(void *ctx, int fd, off_t size)
{
    (void) ctx;
    return ftruncate(fd, size);
}

static int os_fstat(void *ctx, int fd, struct stat *out)
{
    (void) ctx;
    return fstat(fd, out);
}

static int os_fstatat(void *ctx, int dir, const char *path, struct stat *out, int flags)
{
    (void) ctx;
    return fstatat(dir, path, out, flags);
}

static int os_mkdirat(void *ctx, int dir, const char *path, mode_t mode)
{
    (void) ctx;
    return mkdirat(dir, path, mode);
}

static int os_linkat(void *ctx, int old_dir, const char *old_path, int new_dir,
                     const char *new_path, int flags)
{
    (void) ctx;
    return linkat(old_dir, old_path, new_dir, new_path, flags);
}

static int os_renameat2(void *ctx, int old_dir, const char *old_path, int new_dir,
                        const char *new_path, unsigned flags)
{
    (void) ctx;
    return renameat2(old_dir, old_path, new_dir, new_path, flags);
}

static int os_unlinkat(void *ctx, int dir, const char *path, int flags)
{
    (void) ctx;
    return unlinkat(dir, path, flags);
}

static int os_fstatvfs(void *ctx, int fd, struct statvfs *out)
{
    (void) ctx;
    return fstatvfs(fd, out);
}

static ssize_t os_getdents(void *ctx, int fd, void *bytes, size_t count)
{
    (void) ctx;
    return getdents64(fd, bytes, count);
}

static ssize_t os_readlinkat(void *ctx, int dir, const char *path, char *target, size_t size)
{
    (void) ctx;
    return readlinkat(dir, path, target, size);
}

static int os_symlinkat(void *ctx, const char *target, int dir, const char *path)
{
    (void) ctx;
    return symlinkat(target, dir, path);
}

static int os_fchmod(void *ctx, int fd, mode_t mode)
{
    (void) ctx;
    return fchmod(fd, mode);
}

static int os_fchown(void *ctx, int fd, uid_t uid, gid_t gid)
{
    (void) ctx;
    return fchown(fd, uid, gid);
}

static int os_futimens(void *ctx, int fd, const struct timespec times[2])
{
    (void) ctx;
    return futimens(fd, times);
}

static int os_flock(void *ctx, int fd, int operation)
{
    (void) ctx;
    return flock(fd, operation);
}

const vfs *vfs_os(void)
{
    static const vfs OS = {
#define X(name) .name = os_##name,
        VFS_OP_MAP(X)
#undef X
    };
    return &OS;
}
