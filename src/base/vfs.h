/* The file system seam: every file operation of the tree goes through this table. Calls behave as
 * the system calls they are named after and leave the reason in errno; opened descriptors are
 * always close-on-exec. */
#ifndef BASE_VFS_H
#define BASE_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>

typedef struct vfs {
    void *ctx;
    int (*openat)(void *ctx, int dir, const char *path, int flags, mode_t mode);
    /* openat2() with RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS. */
    int (*open_beneath)(void *ctx, int dir, const char *path, int flags, mode_t mode);
    int (*close)(void *ctx, int fd);
    ssize_t (*read)(void *ctx, int fd, void *bytes, size_t count);
    ssize_t (*pread)(void *ctx, int fd, void *bytes, size_t count, off_t offset);
    ssize_t (*write)(void *ctx, int fd, const void *bytes, size_t count);
    int (*fsync)(void *ctx, int fd);
    int (*fdatasync)(void *ctx, int fd);
    int (*ftruncate)(void *ctx, int fd, off_t size);
    int (*fstat)(void *ctx, int fd, struct stat *out);
    int (*fstatat)(void *ctx, int dir, const char *path, struct stat *out, int flags);
    int (*mkdirat)(void *ctx, int dir, const char *path, mode_t mode);
    int (*linkat)(void *ctx, int old_dir, const char *old_path, int new_dir, const char *new_path,
                  int flags);
    int (*renameat2)(void *ctx, int old_dir, const char *old_path, int new_dir,
                     const char *new_path, unsigned flags);
    int (*unlinkat)(void *ctx, int dir, const char *path, int flags);
    int (*fstatvfs)(void *ctx, int fd, struct statvfs *out);
    /* getdents64(): see file_dir in base/file.h for a reader. */
    ssize_t (*getdents)(void *ctx, int fd, void *bytes, size_t count);
    ssize_t (*readlinkat)(void *ctx, int dir, const char *path, char *target, size_t size);
    int (*symlinkat)(void *ctx, const char *target, int dir, const char *path);
    int (*fchmod)(void *ctx, int fd, mode_t mode);
    int (*fchown)(void *ctx, int fd, uid_t uid, gid_t gid);
    int (*futimens)(void *ctx, int fd, const struct timespec times[2]);
    int (*flock)(void *ctx, int fd, int operation);
} vfs;

/* The operating system's; static. */
const vfs *vfs_os(void);

/* One name per member of the table, for fault plans and op logs. */
/* clang-format off */
#define VFS_OP_MAP(X)                                                                    \
    X(openat) X(open_beneath) X(close) X(read) X(pread) X(write) X(fsync) X(fdatasync)   \
    X(ftruncate) X(fstat) X(fstatat) X(mkdirat) X(linkat) X(renameat2) X(unlinkat)       \
    X(fstatvfs) X(getdents) X(readlinkat) X(symlinkat) X(fchmod) X(fchown) X(futimens)   \
    X(flock)
/* clang-format on */
typedef enum vfs_op {
#define X(name) VFS_##name,
    VFS_OP_MAP(X)
#undef X
        VFS_OP_COUNT
} vfs_op;

/* Test double: passes to the operating system, but fails as planned. Thread-safe counters. */
typedef struct vfs_fault {
    vfs ops;
    vfs_op op;                     /* which call; VFS_OP_COUNT = any */
    uint64_t fail_at;              /* 1-based number among the matching calls; 0 = never */
    bool sticky;                   /* all later matching calls fail as well */
    int err;                       /* errno to set; 0 = short read or write of one byte instead */
    uint64_t calls;                /* matching calls so far */
    uint64_t per_op[VFS_OP_COUNT]; /* all calls by kind */
} vfs_fault;
void vfs_fault_init(vfs_fault *fault);
/* "openat" and so on. */
const char *vfs_op_text(vfs_op op);

#endif
