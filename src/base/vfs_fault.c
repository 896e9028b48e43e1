/* Test double of the file system seam: passes every call to the operating system but fails the one
 * that the plan names. Counters are atomic; the plan must not change while calls run. */
#include "base/prelude.h"

#include "base/vfs.h"

/* Counts the call; true when the plan wants it to fail. */
static bool planned(vfs_fault *fault, vfs_op op)
{
    assert(op < VFS_OP_COUNT);
    (void) __atomic_add_fetch(&fault->per_op[op], 1, __ATOMIC_SEQ_CST);
    if (fault->op != VFS_OP_COUNT && fault->op != op) {
        return false;
    }
    uint64_t number = __atomic_add_fetch(&fault->calls, 1, __ATOMIC_SEQ_CST);
    return fault->fail_at != 0 &&
           (number == fault->fail_at || (fault->sticky && number > fault->fail_at));
}

/* True when the call must fail outright; errno is set then. */
static bool fails(void *ctx, vfs_op op)
{
    vfs_fault *fault = (vfs_fault *) ctx;
    if (!planned(fault, op) || fault->err == 0) {
        return false;
    }
    errno = fault->err;
    return true;
}

/* Bytes to let through: count, 1 for a short transfer, -1 for failure with errno set. */
static ssize_t transfer(void *ctx, vfs_op op, size_t count)
{
    vfs_fault *fault = (vfs_fault *) ctx;
    if (!planned(fault, op)) {
        return (ssize_t) count;
    }
    if (fault->err != 0) {
        errno = fault->err;
        return -1;
    }
    return count > 1 ? 1 : (ssize_t) count;
}

static int fault_openat(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    return fails(ctx, VFS_openat) ? -1 : vfs_os()->openat(NULL, dir, path, flags, mode);
}

static int fault_open_beneath(void *ctx, int dir, const char *path, int flags, mode_t mode)
{
    return fails(ctx, VFS_open_beneath) ? -1 : vfs_os()->open_beneath(NULL, dir, path, flags, mode);
}

/* A failing close has closed the descriptor all the same, as on Linux. */
static int fault_close(void *ctx, int fd)
{
    int result = vfs_os()->close(NULL, fd);
    return fails(ctx, VFS_close) ? -1 : result;
}

static ssize_t fault_read(void *ctx, int fd, void *bytes, size_t count)
{
    ssize_t allowed = transfer(ctx, VFS_read, count);
    return allowed < 0 ? -1 : vfs_os()->read(NULL, fd, bytes, (size_t) allowed);
}

static ssize_t fault_pread(void *ctx, int fd, void *bytes, size_t count, off_t offset)
{
    ssize_t allowed = transfer(ctx, VFS_pread, count);
    return allowed < 0 ? -1 : vfs_os()->pread(NULL, fd, bytes, (size_t) allowed, offset);
}

static ssize_t fault_write(void *ctx, int fd, const void *bytes, size_t count)
{
    ssize_t allowed = transfer(ctx, VFS_write, count);
    return allowed < 0 ? -1 : vfs_os()->write(NULL, fd, bytes, (size_t) allowed);
}

static int fault_fsync(void *ctx, int fd)
{
    return fails(ctx, VFS_fsync) ? -1 : vfs_os()->fsync(NULL, fd);
}

static int fault_fdatasync(void *ctx, int fd)
{
    return fails(ctx, VFS_fdatasync) ? -1 : vfs_os()->fdatasync(NULL, fd);
}

static int fault_ftruncate(void *ctx, int fd, off_t size)
{
    return fails(ctx, VFS_ftruncate) ? -1 : vfs_os()->ftruncate(NULL, fd, size);
}

static int fault_fstat(void *ctx, int fd, struct stat *out)
{
    return fails(ctx, VFS_fstat) ? -1 : vfs_os()->fstat(NULL, fd, out);
}

static int fault_fstatat(void *ctx, int dir, const char *path, struct stat *out, int flags)
{
    return fails(ctx, VFS_fstatat) ? -1 : vfs_os()->fstatat(NULL, dir, path, out, flags);
}

static int fault_mkdirat(void *ctx, int dir, const char *path, mode_t mode)
{
    return fails(ctx, VFS_mkdirat) ? -1 : vfs_os()->mkdirat(NULL, dir, path, mode);
}

static int fault_linkat(void *ctx, int old_dir, const char *old_path, int new_dir,
                        const char *new_path, int flags)
{
    return fails(ctx, VFS_linkat)
               ? -1
               : vfs_os()->linkat(NULL, old_dir, old_path, new_dir, new_path, flags);
}

static int fault_renameat2(void *ctx, int old_dir, const char *old_path, int new_dir,
                           const char *new_path, unsigned flags)
{
    return fails(ctx, VFS_renameat2)
               ? -1
               : vfs_os()->renameat2(NULL, old_dir, old_path, new_dir, new_path, flags);
}

static int fault_unlinkat(void *ctx, int dir, const char *path, int flags)
{
    return fails(ctx, VFS_unlinkat) ? -1 : vfs_os()->unlinkat(NULL, dir, path, flags);
}

static int fault_fstatvfs(void *ctx, int fd, struct statvfs *out)
{
    return fails(ctx, VFS_fstatvfs) ? -1 : vfs_os()->fstatvfs(NULL, fd, out);
}

static ssize_t fault_getdents(void *ctx, int fd, void *bytes, size_t count)
{
    return fails(ctx, VFS_getdents) ? -1 : vfs_os()->getdents(NULL, fd, bytes, count);
}

static ssize_t fault_readlinkat(void *ctx, int dir, const char *path, char *target, size_t size)
{
    return fails(ctx, VFS_readlinkat) ? -1 : vfs_os()->readlinkat(NULL, dir, path, target, size);
}

static int fault_symlinkat(void *ctx, const char *target, int dir, const char *path)
{
    return fails(ctx, VFS_symlinkat) ? -1 : vfs_os()->symlinkat(NULL, target, dir, path);
}

static int fault_fchmod(void *ctx, int fd, mode_t mode)
{
    return fails(ctx, VFS_fchmod) ? -1 : vfs_os()->fchmod(NULL, fd, mode);
}

static int fault_fchown(void *ctx, int fd, uid_t uid, gid_t gid)
{
    return fails(ctx, VFS_fchown) ? -1 : vfs_os()->fchown(NULL, fd, uid, gid);
}

static int fault_futimens(void *ctx, int fd, const struct timespec times[2])
{
    return fails(ctx, VFS_futimens) ? -1 : vfs_os()->futimens(NULL, fd, times);
}

static int fault_flock(void *ctx, int fd, int operation)
{
    return fails(ctx, VFS_flock) ? -1 : vfs_os()->flock(NULL, fd, operation);
}

void vfs_fault_init(vfs_fault *fault)
{
    *fault = (vfs_fault) {
        .ops = { .ctx = fault,
#define X(name) .name = fault_##name,
                 VFS_OP_MAP(X)
#undef X
        },
        .op = VFS_OP_COUNT,
        .err = EIO,
    };
}

const char *vfs_op_text(vfs_op op)
{
    static const char *const TEXTS[] = {
#define X(name) #name,
        VFS_OP_MAP(X)
#undef X
    };
    static_assert(ARRAY_LEN(TEXTS) == VFS_OP_COUNT, "every operation has a text");
    return (size_t) op < ARRAY_LEN(TEXTS) ? TEXTS[op] : "any";
}
