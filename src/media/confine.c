/* The walls around a process that parses untrusted bytes. Order matters: identity, limits,
 * Landlock, and the system call filter last, because it forbids the steps before. Invariant: when
 * confine_enter() says yes, the process can compute, use memory, read the source and write its
 * output, nothing else. Called in a process of one thread. */
#define PRELUDE_ALLOW_EXIT /* the filter names exit */
#include "base/prelude.h"

#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "media/helper.h"

#define NOBODY              65534
#define FILTER_MAX          1024 /* instructions; ours has some 150 */
#define LANDLOCK_CREATE     444  /* own numbers: older headers lack them */
#define LANDLOCK_RESTRICT   446
#define LANDLOCK_VERSION    1U
#define LANDLOCK_FS_BASE    ((UINT64_C(1) << 13) - 1) /* level 1: everything on files */
#define LANDLOCK_FS_REFER   (UINT64_C(1) << 13)       /* level 2 */
#define LANDLOCK_FS_TRUNC   (UINT64_C(1) << 14)       /* level 3 */
#define LANDLOCK_NET        UINT64_C(3)               /* level 4: bind and connect by TCP */
#define LANDLOCK_FS_IOCTL   (UINT64_C(1) << 15)       /* level 5 */
#define LANDLOCK_SCOPES     UINT64_C(3)               /* level 6: abstract sockets, signals */
#define LANDLOCK_SIZE_FS    8
#define LANDLOCK_SIZE_NET   16
#define LANDLOCK_SIZE_SCOPE 24

typedef struct landlock_rules {
    uint64_t fs, net, scoped;
} landlock_rules;

typedef struct filter {
    struct sock_filter code[FILTER_MAX];
    unsigned short count;
} filter;

/* Made once in the helper, used by every child. */
static filter main_filter;
static filter thread_filter;

/* --- filters --- */

/* What computing needs and what harms nobody. */
static const int ALLOWED[] = { SCMP_SYS(read),
                               SCMP_SYS(readv),
                               SCMP_SYS(lseek),
                               SCMP_SYS(close),
                               SCMP_SYS(munmap),
                               SCMP_SYS(mremap),
                               SCMP_SYS(brk),
                               SCMP_SYS(madvise),
                               SCMP_SYS(futex),
                               SCMP_SYS(clock_gettime),
                               SCMP_SYS(clock_getres),
                               SCMP_SYS(clock_nanosleep),
                               SCMP_SYS(gettimeofday),
                               SCMP_SYS(time),
                               SCMP_SYS(nanosleep),
                               SCMP_SYS(getrandom),
                               SCMP_SYS(exit),
                               SCMP_SYS(exit_group),
                               SCMP_SYS(rt_sigreturn),
                               SCMP_SYS(sigaltstack),
                               SCMP_SYS(rt_sigprocmask),
                               SCMP_SYS(sched_yield),
                               SCMP_SYS(gettid),
                               SCMP_SYS(sched_getaffinity),
                               SCMP_SYS(getpid),
                               SCMP_SYS(getuid),
                               SCMP_SYS(geteuid),
                               SCMP_SYS(getcpu),
                               SCMP_SYS(getcwd), /* it is "/"; exiv2 names no lens without */
                               SCMP_SYS(set_robust_list),
                               SCMP_SYS(rseq),
                               SCMP_SYS(sysinfo),
                               SCMP_SYS(uname),
                               SCMP_SYS(restart_syscall) };

/* Looking for files: libraries do it on the side (character sets, time zones, a user's own names of
 * lenses) and live with a no. It fails as if nothing were there; a missing right would be an error
 * to some: exiv2 0.28 then gives up the field that it was about to name. */
static const int ABSENT[] = {
    SCMP_SYS(open),       SCMP_SYS(openat),   SCMP_SYS(stat),       SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx),    SCMP_SYS(access),     SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
};

/* Asking for terminals and accounts, likewise on the side: as if nobody had rights. */
static const int DENIED[] = {
    SCMP_SYS(fstat),
    SCMP_SYS(ioctl),
    SCMP_SYS(socket),
    SCMP_SYS(connect),
};

/* What a library may try without being attacked: the process ends with a note that names the call.
 * All others end it at once. */
static const int NOTED[] = {
    SCMP_SYS(openat2),      SCMP_SYS(creat),     SCMP_SYS(unlink),     SCMP_SYS(unlinkat),
    SCMP_SYS(rename),       SCMP_SYS(mkdir),     SCMP_SYS(getdents64), SCMP_SYS(memfd_create),
    SCMP_SYS(pipe),         SCMP_SYS(pipe2),     SCMP_SYS(eventfd2),   SCMP_SYS(dup),
    SCMP_SYS(dup2),         SCMP_SYS(dup3),      SCMP_SYS(fcntl),      SCMP_SYS(socketpair),
    SCMP_SYS(getpeername),  SCMP_SYS(sendto),    SCMP_SYS(sendmsg),    SCMP_SYS(poll),
    SCMP_SYS(execve),       SCMP_SYS(execveat),  SCMP_SYS(fork),       SCMP_SYS(vfork),
    SCMP_SYS(kill),         SCMP_SYS(tgkill),    SCMP_SYS(tkill),      SCMP_SYS(setrlimit),
    SCMP_SYS(rt_sigaction), SCMP_SYS(prlimit64), SCMP_SYS(pwritev),    SCMP_SYS(fsync),
    SCMP_SYS(ftruncate),    SCMP_SYS(fallocate),
};

/* The same action for a list of calls. */
static int add_calls(scmp_filter_ctx ctx, uint32_t action, const int *calls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int failed = seccomp_rule_add(ctx, action, calls[i], 0);
        /* A call that this machine does not have needs no rule. */
        if (failed != 0 && failed != -EDOM) {
            return failed;
        }
    }
    return 0;
}

/* Calls that depend on their arguments: pages never become code, descriptors keep their roles,
 * clone makes threads only. */
static int add_conditions(scmp_filter_ctx ctx)
{
    const struct {
        int call;
        unsigned count;
        struct scmp_arg_cmp args[2];
    } rules[] = {
        { SCMP_SYS(mmap), 1, { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
        { SCMP_SYS(mprotect), 1, { { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } } },
        { SCMP_SYS(pread64), 1, { { 0, SCMP_CMP_EQ, WIRE_FD_SOURCE, 0 } } },
        { SCMP_SYS(pwrite64), 1, { { 0, SCMP_CMP_EQ, WIRE_FD_THUMBNAIL, 0 } } },
        { SCMP_SYS(pwrite64), 1, { { 0, SCMP_CMP_EQ, WIRE_FD_THUMBNAIL + 1, 0 } } },
        { SCMP_SYS(pwrite64), 1, { { 0, SCMP_CMP_EQ, WIRE_FD_THUMBNAIL + 2, 0 } } },
        { SCMP_SYS(write), 1, { { 0, SCMP_CMP_EQ, WIRE_FD_REPLY, 0 } } },
        { SCMP_SYS(write), 1, { { 0, SCMP_CMP_LE, STDERR_FILENO, 0 } } }, /* all /dev/null */
        { SCMP_SYS(prctl), 1, { { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } } },
        { SCMP_SYS(seccomp), /* a further filter can only forbid more */
          2,
          { { 0, SCMP_CMP_EQ, SECCOMP_SET_MODE_FILTER, 0 }, { 1, SCMP_CMP_EQ, 0, 0 } } },
        { SCMP_SYS(clone), 1, { { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD } } },
    };
    static_assert(MEDIA_SIZE_COUNT == 3, "one row of pwrite64 for each thumbnail");
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        int failed = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].call, rules[i].count,
                                            rules[i].args);
        if (failed != 0) {
            return failed;
        }
    }
    /* Its flags lie in memory where no filter sees them; the C library then takes clone. */
    return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

/* The compiled filter, read back through a memory file. */
static pgc_status export_filter(scmp_filter_ctx ctx, filter *out, pgc_error *err)
{
    AUTO(fd_auto) int fd = memfd_create("filter", MFD_CLOEXEC);
    if (fd < 0) {
        return pgc_error_errno(err, errno, "make room for the system call filter");
    }
    int failed = seccomp_export_bpf(ctx, fd);
    if (failed != 0) {
        return pgc_error_errno(err, -failed, "write the system call filter");
    }
    ssize_t size = pread(fd, out->code, sizeof out->code, 0);
    if (size <= 0 || (size_t) size == sizeof out->code ||
        (size_t) size % sizeof out->code[0] != 0) {
        return pgc_error_set(err, PGC_LIMIT, "system call filter of %zd bytes", size);
    }
    out->count = (unsigned short) ((size_t) size / sizeof out->code[0]);
    return PGC_OK;
}

/* Kill what is on no list. The other architectures of this processor (32-bit calls) are killed too:
 * their numbers mean other calls. */
static pgc_status make_main_filter(pgc_error *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (ctx == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "make the system call filter");
    }
    int failed = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    failed = failed != 0 ? failed : add_calls(ctx, SCMP_ACT_ALLOW, ALLOWED, ARRAY_LEN(ALLOWED));
    failed =
        failed != 0 ? failed : add_calls(ctx, SCMP_ACT_ERRNO(ENOENT), ABSENT, ARRAY_LEN(ABSENT));
    failed =
        failed != 0 ? failed : add_calls(ctx, SCMP_ACT_ERRNO(EACCES), DENIED, ARRAY_LEN(DENIED));
    failed = failed != 0 ? failed : add_calls(ctx, SCMP_ACT_TRAP, NOTED, ARRAY_LEN(NOTED));
    failed = failed != 0 ? failed : add_conditions(ctx);
    pgc_status status = failed != 0 ? pgc_error_errno(err, -failed, "make the system call filter")
                                    : export_filter(ctx, &main_filter, err);
    seccomp_release(ctx);
    return status;
}

/* The second filter only takes away: the kernel obeys the stricter of both. */
static pgc_status make_thread_filter(pgc_error *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (ctx == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "make the thread filter");
    }
    int failed = seccomp_rule_add(ctx, SCMP_ACT_TRAP, SCMP_SYS(clone), 0);
    pgc_status status = failed != 0 ? pgc_error_errno(err, -failed, "make the thread filter")
                                    : export_filter(ctx, &thread_filter, err);
    seccomp_release(ctx);
    return status;
}

/* The kernel copies the program, but wants it writable. */
static pgc_status apply_filter(const filter *made, pgc_error *err)
{
    assert(made->count > 0);
    struct sock_filter code[FILTER_MAX];
    memcpy(code, made->code, made->count * sizeof code[0]);
    struct sock_fprog program = { .len = made->count, .filter = code };
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
        return pgc_error_errno(err, errno, "put the system call filter into force");
    }
    return PGC_OK;
}

/* A noted call: say which, and end. Runs in the child, nothing but system calls. */
static void on_refused_call(int signal_number, siginfo_t *info, void *context)
{
    (void) signal_number;
    (void) context;
    wire_policy policy = { .kind = WIRE_POLICY,
                           .size = sizeof policy,
                           .system_call = info->si_syscall };
    ssize_t written = write(WIRE_FD_REPLY, &policy, sizeof policy);
    (void) written;
    _exit(1);
}

pgc_status confine_prepare(pgc_error *err)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_refused_call;
    action.sa_flags = SA_SIGINFO;
    if (sigaction(SIGSYS, &action, NULL) != 0) {
        return pgc_error_errno(err, errno, "watch for refused system calls");
    }
    TRY(make_main_filter(err));
    return make_thread_filter(err);
}

void confine_call_name(int system_call, char *out, size_t room)
{
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, system_call);
    (void) snprintf(out, room, "%s", name != NULL ? name : "?");
    free(name);
}

/* --- entering --- */

int confine_landlock_abi(void)
{
    long abi = syscall(LANDLOCK_CREATE, NULL, (size_t) 0, LANDLOCK_VERSION);
    return abi > 0 && abi < 1000 ? (int) abi : 0;
}

/* No right on any file or port, as far as this kernel knows them. */
static pgc_status enter_landlock(pgc_error *err)
{
    int abi = confine_landlock_abi();
    if (abi == 0) {
        return PGC_OK;
    }
    landlock_rules rules = { .fs = LANDLOCK_FS_BASE };
    rules.fs |= abi >= 2 ? LANDLOCK_FS_REFER : 0;
    rules.fs |= abi >= 3 ? LANDLOCK_FS_TRUNC : 0;
    rules.fs |= abi >= 5 ? LANDLOCK_FS_IOCTL : 0;
    rules.net = abi >= 4 ? LANDLOCK_NET : 0;
    rules.scoped = abi >= 6 ? LANDLOCK_SCOPES : 0;
    size_t size = abi >= 6 ? LANDLOCK_SIZE_SCOPE : abi >= 4 ? LANDLOCK_SIZE_NET : LANDLOCK_SIZE_FS;
    AUTO(fd_auto) int fd = (int) syscall(LANDLOCK_CREATE, &rules, size, 0U);
    if (fd < 0 || syscall(LANDLOCK_RESTRICT, fd, 0U) != 0) {
        return pgc_error_errno(err, errno, "enter the Landlock sandbox");
    }
    return PGC_OK;
}

/* The number of processes is no limit here: it would count all of the user's. The filter forbids
 * new processes outright. */
static pgc_status enter_limits(const media_limits *limits, pgc_error *err)
{
    const struct {
        __rlimit_resource_t what;
        rlim_t soft, hard;
    } rows[] = {
        { RLIMIT_CORE, 0, 0 },
        { RLIMIT_NOFILE, WIRE_FD_END, WIRE_FD_END },
        { RLIMIT_FSIZE, (rlim_t) limits->output_bytes, (rlim_t) limits->output_bytes },
        { RLIMIT_CPU, (rlim_t) limits->cpu_seconds, (rlim_t) limits->cpu_seconds + 1 },
#ifndef MEDIA_SANITIZED /* sanitizers reserve terabytes of address space */
        { RLIMIT_AS, (rlim_t) limits->memory_bytes, (rlim_t) limits->memory_bytes },
#endif
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rlimit value = { rows[i].soft, rows[i].hard };
        if (setrlimit(rows[i].what, &value) != 0) {
            return pgc_error_errno(err, errno, "set the limits of the parser");
        }
    }
    return PGC_OK;
}

/* Root becomes nobody: a hole in another wall must not be root's. A root without that power (a
 * container's, or without a mapping for nobody) has little to give up and stays. */
static pgc_status enter_identity(pgc_error *err)
{
    if (geteuid() != 0) {
        return PGC_OK;
    }
    bool changed = setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                   setresuid(NOBODY, NOBODY, NOBODY) == 0;
    if (!changed && errno != EPERM && errno != EINVAL) {
        return pgc_error_errno(err, errno, "give up root");
    }
    return PGC_OK;
}

pgc_status confine_enter(const media_limits *limits, pgc_error *err)
{
    TRY(enter_identity(err));
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return pgc_error_errno(err, errno, "confine the parser");
    }
    TRY(enter_landlock(err));
    TRY(enter_limits(limits, err));
    return apply_filter(&main_filter, err);
}

pgc_status confine_forbid_threads(pgc_error *err)
{
    return apply_filter(&thread_filter, err);
}
