/* File system seam and its fault double. */
#include "base/prelude.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/vfs.h"

#include "tap.h"
#include "tmpdir.h"

static const vfs *os_fs(void)
{
    return vfs_os();
}

static int make_file(int dir, const char *name)
{
    return os_fs()->openat(NULL, dir, name, O_RDWR | O_CREAT, 0600);
}

static void descriptors_are_close_on_exec(void)
{
    tmpdir t = tmpdir_make();
    int one = make_file(t.fd, "a");
    int two = os_fs()->open_beneath(NULL, t.fd, "a", O_RDONLY, 0);
    CHECK(one >= 0 && (fcntl(one, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(two >= 0 && (fcntl(two, F_GETFD) & FD_CLOEXEC) != 0);
    fd_auto(&one);
    fd_auto(&two);
    tmpdir_remove(&t);
}

/* Number of wrong answers of open_beneath() in a folder with file, sub, link and sub/up. */
static int wrong_answers(int dir)
{
    static const struct {
        const char *path;
        bool ok;
    } CASES[] = {
        { "../etc", false },      { "/etc/passwd", false }, { "link", false },
        { "sub/up/file", false }, { "sub/../..", false },   { "", false },
        { "none/file", false },   { "file/", false },       { "file", true },
        { "sub", true },          { "sub//new", true },     { "./file", true },
    };
    int wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        bool make = strcmp(CASES[i].path, "sub//new") == 0;
        int flags = make ? O_WRONLY | O_CREAT : O_RDONLY;
        int fd = os_fs()->open_beneath(NULL, dir, CASES[i].path, flags, make ? 0600 : 0);
        wrong += (fd >= 0) != CASES[i].ok ? 1 : 0;
        fd_auto(&fd);
    }
    return wrong;
}

static void make_traps(int dir)
{
    int made = make_file(dir, "file");
    CHECK(made >= 0);
    fd_auto(&made);
    CHECK_INT(os_fs()->mkdirat(NULL, dir, "sub", 0700), 0);
    CHECK_INT(os_fs()->symlinkat(NULL, "file", dir, "link"), 0);
    CHECK_INT(os_fs()->symlinkat(NULL, "..", dir, "sub/up"), 0);
}

static void beneath_refuses_to_leave(void)
{
    tmpdir t = tmpdir_make();
    make_traps(t.fd);
    CHECK_INT(wrong_answers(t.fd), 0);
    tmpdir_remove(&t);
}

/* Makes openat2() unknown to this process, as old kernels and some sandboxes do. */
static bool hide_openat2(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { .len = ARRAY_LEN(filter), .filter = filter };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void beneath_without_openat2(void)
{
    tmpdir t = tmpdir_make();
    make_traps(t.fd);
    pid_t pid = fork();
    if (pid == 0) {
        _exit(hide_openat2() ? wrong_answers(t.fd) : 99);
    }
    int status = 0;
    (void) waitpid(pid, &status, 0);
    tmpdir_remove(&t);
    if (WEXITSTATUS(status) == 99) {
        TAP_SKIP("no seccomp filters here");
    }
    CHECK_INT(status, 0);
}

static void every_operation_can_fail(void)
{
    tmpdir t = tmpdir_make();
    vfs_fault fault;
    struct stat info;
    struct statvfs room;
    char bytes[64];
    static const struct timespec TIMES[2] = { { 1, 0 }, { 2, 0 } };
    int fd = make_file(t.fd, "a");
    REQUIRE(fd >= 0);
    for (int op = 0; op < VFS_OP_COUNT; op++) {
        vfs_fault_init(&fault);
        fault.op = (vfs_op) op;
        fault.fail_at = 1;
        fault.err = EDQUOT;
        const vfs *f = &fault.ops;
        int again = dup(fd);
        int failed = 0;
        errno = 0;
        failed += f->openat(f->ctx, t.fd, "none", O_RDONLY, 0) < 0 && errno == EDQUOT;
        failed += f->open_beneath(f->ctx, t.fd, "none", O_RDONLY, 0) < 0 && errno == EDQUOT;
        failed += f->close(f->ctx, again) < 0;
        failed += f->write(f->ctx, fd, "xyz", 3) < 0;
        failed += f->read(f->ctx, fd, bytes, 3) < 0;
        failed += f->pread(f->ctx, fd, bytes, 3, 0) < 0;
        failed += f->fsync(f->ctx, fd) < 0;
        failed += f->fdatasync(f->ctx, fd) < 0;
        failed += f->ftruncate(f->ctx, fd, 10) < 0;
        failed += f->fstat(f->ctx, fd, &info) < 0;
        failed += f->fstatat(f->ctx, t.fd, "a", &info, 0) < 0;
        failed += f->mkdirat(f->ctx, t.fd, "d", 0700) < 0;
        failed += f->linkat(f->ctx, t.fd, "a", t.fd, "b", 0) < 0;
        failed += f->renameat2(f->ctx, t.fd, op == VFS_linkat ? "a" : "b", t.fd, "c", 0) < 0;
        failed += f->unlinkat(f->ctx, t.fd, op == VFS_renameat2 ? "b" : "c", 0) < 0;
        failed += f->fstatvfs(f->ctx, fd, &room) < 0;
        failed += f->getdents(f->ctx, t.fd, bytes, sizeof bytes) < 0;
        failed += f->symlinkat(f->ctx, "target", t.fd, "l") < 0;
        failed += f->readlinkat(f->ctx, t.fd, "/proc/self/exe", bytes, sizeof bytes) < 0;
        failed += f->fchmod(f->ctx, fd, 0600) < 0;
        failed += f->fchown(f->ctx, fd, getuid(), getgid()) < 0;
        failed += f->futimens(f->ctx, fd, TIMES) < 0;
        failed += f->flock(f->ctx, fd, 2 /* LOCK_EX */) < 0;
        if (!CHECK_INT(failed, 1)) {
            printf("# operation %s\n", vfs_op_text((vfs_op) op));
        }
        CHECK_INT(fault.calls, 1);
        CHECK_INT(fault.per_op[op], 1);
        fd_auto(&fd);
        tmpdir_remove(&t);
        t = tmpdir_make();
        fd = make_file(t.fd, "a");
    }
    fd_auto(&fd);
    tmpdir_remove(&t);
    CHECK_STR(vfs_op_text(VFS_OP_COUNT), "any");
}

static void plan_counts_any_call_and_sticks(void)
{
    tmpdir t = tmpdir_make();
    vfs_fault fault;
    struct stat info;
    vfs_fault_init(&fault);
    fault.fail_at = 2;
    const vfs *f = &fault.ops;
    CHECK_INT(f->fstat(f->ctx, t.fd, &info), 0);
    CHECK_INT(f->fstat(f->ctx, t.fd, &info), -1);
    CHECK_INT(errno, EIO);
    CHECK_INT(f->fstat(f->ctx, t.fd, &info), 0);
    vfs_fault_init(&fault);
    fault.fail_at = 2;
    fault.sticky = true;
    CHECK_INT(f->fstat(f->ctx, t.fd, &info), 0);
    CHECK_INT(f->fsync(f->ctx, t.fd), -1);
    CHECK_INT(f->fstat(f->ctx, t.fd, &info), -1);
    CHECK_INT(fault.calls, 3);
    tmpdir_remove(&t);
}

static void short_transfers_move_one_byte(void)
{
    tmpdir t = tmpdir_make();
    vfs_fault fault;
    vfs_fault_init(&fault);
    fault.fail_at = 1;
    fault.sticky = true;
    fault.err = 0;
    const vfs *f = &fault.ops;
    char bytes[8];
    int fd = f->openat(f->ctx, t.fd, "a", O_RDWR | O_CREAT, 0600);
    REQUIRE(fd >= 0);
    CHECK_INT(f->write(f->ctx, fd, "hello", 5), 1);
    CHECK_INT(f->write(f->ctx, fd, "ello", 4), 1);
    CHECK_INT(f->pread(f->ctx, fd, bytes, 8, 0), 1);
    CHECK_INT(f->read(f->ctx, fd, bytes, 0), 0);
    CHECK_INT(f->fsync(f->ctx, fd), 0);
    fd_auto(&fd);
    tmpdir_remove(&t);
}

TAP_MAIN(TAP("vfs: descriptors are close-on-exec", descriptors_are_close_on_exec),
         TAP("vfs: open_beneath refuses to leave its folder", beneath_refuses_to_leave),
         TAP("vfs: open_beneath holds without openat2()", beneath_without_openat2),
         TAP("vfs: every operation can be made to fail", every_operation_can_fail),
         TAP("vfs: a plan counts any call and may stick", plan_counts_any_call_and_sticks),
         TAP("vfs: short transfers move one byte", short_transfers_move_one_byte))
