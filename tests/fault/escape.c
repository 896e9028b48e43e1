/* Attempts to break out, for the test build of the media helper. A source whose bytes are
 * "ESCAPE n\n" makes the confined child do attempt n; the answer says ESCAPED when it worked.
 * "ESCAPE" beyond the last attempt is answered with NO MORE. */
#define PRELUDE_NO_POISON
#include "base/prelude.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <lumilio/status.h>

#include "media/helper.h"

/* One raw system call. Pointers go as numbers; 0 for the rest. */
typedef struct call {
    const char *name;
    long number;
    long args[6];
} call;

static const char PASSWD[] = "/etc/passwd";
static const char TARGET[] = "/tmp/lumilio-escape";
static char scratch[8192];
static char page[4096] __attribute__((aligned(4096)));
static pid_t helper_pid; /* of the process that forks the children */

__attribute__((constructor)) static void remember_helper(void)
{
    helper_pid = getpid();
}

#define P(pointer) ((long) (intptr_t) (pointer))

#define PARENT (-4242) /* becomes the helper's process id */

/* Every one of these must end the child or fail. */
static const call CALLS[] = {
    { "open", SYS_open, { P(PASSWD), O_RDONLY } },
    { "openat", SYS_openat, { AT_FDCWD, P(PASSWD), O_RDONLY } },
    { "openat2", SYS_openat2, { AT_FDCWD, P(PASSWD), P(scratch), 24 } },
    { "creat", SYS_creat, { P(TARGET), 0600 } },
    { "openat to write", SYS_openat, { AT_FDCWD, P(TARGET), O_WRONLY | O_CREAT, 0600 } },
    { "stat", SYS_stat, { P(PASSWD), P(scratch) } },
    { "newfstatat", SYS_newfstatat, { AT_FDCWD, P(PASSWD), P(scratch), 0 } },
    { "statx", SYS_statx, { AT_FDCWD, P(PASSWD), 0, 0xfff, P(scratch) } },
    { "access", SYS_access, { P(PASSWD), R_OK } },
    { "readlink", SYS_readlink, { P("/proc/self/exe"), P(scratch), sizeof scratch } },
    { "chdir", SYS_chdir, { P("/tmp") } },
    { "chroot", SYS_chroot, { P("/tmp") } },
    { "mkdir", SYS_mkdir, { P(TARGET), 0700 } },
    { "unlink", SYS_unlink, { P(TARGET) } },
    { "rename", SYS_rename, { P(TARGET), P(TARGET) } },
    { "link", SYS_link, { P(PASSWD), P(TARGET) } },
    { "symlink", SYS_symlink, { P(PASSWD), P(TARGET) } },
    { "chmod", SYS_chmod, { P(TARGET), 0777 } },
    { "mount", SYS_mount, { P("none"), P("/mnt"), P("tmpfs"), 0, 0 } },
    { "umount2", SYS_umount2, { P("/"), 2 } },
    { "pivot_root", SYS_pivot_root, { P("/"), P("/") } },
    { "socket inet", SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
    { "socket unix", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
    { "socketpair", SYS_socketpair, { AF_UNIX, SOCK_STREAM, 0, P(scratch) } },
    { "connect", SYS_connect, { WIRE_FD_SOURCE, P(scratch), 16 } },
    { "sendto", SYS_sendto, { 0, P("x"), 1, 0, 0, 0 } },
    { "recvmsg", SYS_recvmsg, { 0, P(scratch), 0 } },
    { "execve", SYS_execve, { P("/bin/sh"), 0, 0 } },
    { "execveat", SYS_execveat, { AT_FDCWD, P("/bin/sh"), 0, 0, 0 } },
    { "fork", SYS_fork, { 0 } },
    { "vfork", SYS_vfork, { 0 } },
    { "clone of a process", SYS_clone, { SIGCHLD, 0, 0, 0, 0 } },
    { "clone3 of a process", SYS_clone3, { P(scratch), 64 } },
    { "unshare", SYS_unshare, { CLONE_NEWUSER } },
    { "setns", SYS_setns, { WIRE_FD_SOURCE, 0 } },
    { "kill parent", SYS_kill, { PARENT, SIGKILL } },
    { "tgkill parent", SYS_tgkill, { PARENT, PARENT, SIGABRT } },
    { "pidfd_open", SYS_pidfd_open, { PARENT, 0 } },
    { "pidfd_getfd", SYS_pidfd_getfd, { 3, 0, 0 } },
    { "ptrace", SYS_ptrace, { PTRACE_ATTACH, PARENT, 0, 0 } },
    { "process_vm_readv", SYS_process_vm_readv, { PARENT, P(scratch), 1, P(scratch), 1, 0 } },
    { "process_vm_writev", SYS_process_vm_writev, { PARENT, P(scratch), 1, P(scratch), 1, 0 } },
    { "setuid", SYS_setuid, { 0 } },
    { "setresuid", SYS_setresuid, { 0, 0, 0 } },
    { "capset", SYS_capset, { P(scratch), P(scratch) } },
    { "prctl dumpable", SYS_prctl, { PR_SET_DUMPABLE, 1 } },
    { "prctl seccomp", SYS_prctl, { PR_SET_SECCOMP, 0, 0 } },
    { "seccomp listener", SYS_seccomp, { 1, SECCOMP_FILTER_FLAG_NEW_LISTENER, P(scratch) } },
    { "raise limits", SYS_prlimit64, { 0, RLIMIT_AS, P(scratch), 0 } },
    { "setrlimit", SYS_setrlimit, { RLIMIT_FSIZE, P(scratch) } },
    { "io_uring_setup", SYS_io_uring_setup, { 8, P(scratch) } },
    { "bpf", SYS_bpf, { 0, P(scratch), 64 } },
    { "userfaultfd", SYS_userfaultfd, { 0 } },
    { "perf_event_open", SYS_perf_event_open, { P(scratch), 0, -1, -1, 0 } },
    { "keyctl", SYS_keyctl, { 0, 0 } },
    { "add_key", SYS_add_key, { P("user"), P("x"), P("y"), 1, -1 } },
    { "memfd_create", SYS_memfd_create, { P("x"), 0 } },
    { "pipe2", SYS_pipe2, { P(scratch), 0 } },
    { "dup", SYS_dup, { WIRE_FD_SOURCE } },
    { "fcntl", SYS_fcntl, { WIRE_FD_SOURCE, F_DUPFD, 100 } },
    { "ioctl", SYS_ioctl, { 0, 0x5401, P(scratch) } },
    { "mmap exec", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, 0x22, -1, 0 } },
    { "mmap write exec", SYS_mmap, { 0, 4096, 7, 0x22, -1, 0 } },
    { "mprotect exec", SYS_mprotect, { P(page), 4096, PROT_READ | PROT_EXEC } },
    { "shmget", SYS_shmget, { 1, 4096, 01600 } },
    { "msgget", SYS_msgget, { 1, 01600 } },
    { "write to source", SYS_pwrite64, { WIRE_FD_SOURCE, P("x"), 1, 0 } },
    { "write to source, plain", SYS_write, { WIRE_FD_SOURCE, P("x"), 1 } },
    { "truncate source", SYS_ftruncate, { WIRE_FD_SOURCE, 0 } },
    { "truncate path", SYS_truncate, { P(TARGET), 0 } },
    { "read thumbnail", SYS_pread64, { WIRE_FD_THUMBNAIL, P(scratch), 10, 0 } },
    { "read guessed descriptor", SYS_pread64, { 9, P(scratch), 10, 0 } },
    { "write guessed descriptor", SYS_write, { 9, P("x"), 1 } },
    { "sendfile", SYS_sendfile, { WIRE_FD_REPLY, WIRE_FD_SOURCE, 0, 10 } },
    { "splice", SYS_splice, { WIRE_FD_SOURCE, 0, WIRE_FD_REPLY, 0, 10, 0 } },
    { "rt_sigaction", SYS_rt_sigaction, { SIGSYS, P(scratch), 0, 8 } },
    { "settimeofday", SYS_settimeofday, { P(scratch), 0 } },
    { "reboot", SYS_reboot, { 0, 0, 0, 0 } },
    { "init_module", SYS_init_module, { P(scratch), 10, P("") } },
    { "swapon", SYS_swapon, { P(TARGET), 0 } },
    { "iopl", SYS_iopl, { 3 } },
    { "modify_ldt", SYS_modify_ldt, { 1, P(scratch), 16 } },
    { "arch_prctl", SYS_arch_prctl, { 0x1001, P(scratch) } },
    { "quotactl", SYS_quotactl, { 0, 0, 0, 0 } },
    { "name_to_handle_at", SYS_name_to_handle_at, { AT_FDCWD, P(PASSWD), P(scratch), P(scratch) } },
    { "open_by_handle_at", SYS_open_by_handle_at, { 3, P(scratch), 0 } },
    { "inotify_init1", SYS_inotify_init1, { 0 } },
    { "fanotify_init", SYS_fanotify_init, { 0, 0 } },
    { "setsid", SYS_setsid, { 0 } },
    { "setpriority", SYS_setpriority, { 0, 0, -20 } },
    { "sched_setscheduler", SYS_sched_setscheduler, { 0, 1, P(scratch) } },
    { "x32 call", 0x40000000 + SYS_getpid, { 0 } },
};

static long argument(const call *c, size_t index)
{
    return c->args[index] == PARENT ? (long) helper_pid : c->args[index];
}

static bool run_call(const call *c)
{
    return syscall(c->number, argument(c, 0), argument(c, 1), argument(c, 2), argument(c, 3),
                   argument(c, 4), argument(c, 5)) >= 0;
}

/* Returns when there is no such call. */
static void try_call(size_t index)
{
    if (index >= ARRAY_LEN(CALLS)) {
        return;
    }
    char reason[128];
    (void) snprintf(reason, sizeof reason, "%s by %s",
                    run_call(&CALLS[index]) ? "ESCAPED" : "denied", CALLS[index].name);
    child_finish(LUM_NOT_MEDIA, reason);
}

/* --- attempts against the limits and against the host --- */

static volatile uint64_t sink;

static void loop_forever(void)
{
    for (;;) {
        sink++;
    }
}

static void sleep_forever(void)
{
    for (;;) {
        struct timespec time = { .tv_sec = 3600 };
        (void) nanosleep(&time, NULL);
    }
}

static void take_8_gib(void)
{
    void *block =
        mmap(NULL, (size_t) 8 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    child_finish(block == MAP_FAILED ? LUM_MEDIA_LIMIT : LUM_NOT_MEDIA,
                 block == MAP_FAILED ? "not enough memory" : "ESCAPED by memory");
}

static void take_memory_in_pieces(void)
{
    for (int i = 0; i < 100000; i++) {
        char *block = malloc(1 << 20);
        if (block == NULL) {
            child_finish(LUM_MEDIA_LIMIT, "not enough memory");
        }
        memset(block, 1, 1 << 20);
    }
}

static void write_100_gib(void)
{
    for (off_t at = 0; at < (off_t) 100 << 30; at += (off_t) sizeof scratch) {
        if (pwrite(WIRE_FD_THUMBNAIL, scratch, sizeof scratch, at) < 0) {
            child_finish(LUM_NOT_MEDIA, "denied");
        }
    }
}

static void write_far_away(void)
{
    if (pwrite(WIRE_FD_THUMBNAIL, "x", 1, (off_t) 1 << 40) < 0) {
        child_finish(LUM_NOT_MEDIA, "denied");
    }
}

static void *idle(void *arg)
{
    sleep_forever();
    return arg;
}

static void thread_bomb(void)
{
    for (int i = 0; i < 100000; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, idle, NULL) != 0) {
            child_finish(LUM_MEDIA_LIMIT, "no more threads");
        }
    }
}

static uint64_t recurse(uint64_t depth)
{
    volatile uint8_t frame[4096];
    frame[depth % sizeof frame] = (uint8_t) depth;
    return depth > UINT64_MAX / 2 ? 0 : recurse(depth + 1) + frame[0];
}

static void overflow_stack(void)
{
    sink = recurse(0);
}

static void touch_nothing(void)
{
    volatile int *volatile nowhere = (volatile int *) (intptr_t) scratch[0];
    *nowhere = 1;
}

static void call_abort(void)
{
    abort();
}

static void leave_silently(void)
{
    _exit(0);
}

static void leave_with_code(void)
{
    _exit(7);
}

static void answer_garbage(void)
{
    memset(scratch, 'x', sizeof scratch);
    ssize_t written = write(WIRE_FD_REPLY, scratch, 1000);
    (void) written;
    _exit(0);
}

static void answer_without_end(void)
{
    memset(scratch, 'x', sizeof scratch);
    while (write(WIRE_FD_REPLY, scratch, sizeof scratch) > 0) {
    }
    _exit(0);
}

static void answer_lies(void)
{
    static wire_reply lie = { .kind = WIRE_REPLY, .size = sizeof lie };
    memset(&lie.report, 0xa5, sizeof lie.report);
    ssize_t written = write(WIRE_FD_REPLY, &lie, sizeof lie);
    (void) written;
    _exit(0);
}

static void answer_false_sizes(void)
{
    static wire_reply lie = { .kind = WIRE_REPLY, .size = sizeof lie };
    media_facts_init(&lie.report.facts);
    lie.report.facts.kind = MEDIA_PHOTO;
    for (int i = 0; i < MEDIA_SIZE_COUNT; i++) {
        lie.report.thumbnails[i] = (media_thumbnail) { 10, 10, 1000 };
    }
    ssize_t written = write(WIRE_FD_REPLY, &lie, sizeof lie);
    (void) written;
    _exit(0);
}

static void answer_then_crash(void)
{
    static wire_reply lie = { .kind = WIRE_REPLY, .size = sizeof lie };
    media_facts_init(&lie.report.facts);
    lie.report.facts.kind = MEDIA_PHOTO;
    ssize_t written = write(WIRE_FD_REPLY, &lie, sizeof lie);
    (void) written;
    touch_nothing();
}

static void answer_then_stay(void)
{
    static wire_reply lie = { .kind = WIRE_REPLY, .size = sizeof lie };
    ssize_t written = write(WIRE_FD_REPLY, &lie, sizeof lie);
    (void) written;
    (void) close(WIRE_FD_REPLY);
    sleep_forever();
}

static void try_other(const char *name)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } OTHERS[] = {
        { "loop", loop_forever },
        { "sleep", sleep_forever },
        { "8 GiB", take_8_gib },
        { "memory", take_memory_in_pieces },
        { "output", write_100_gib },
        { "far output", write_far_away },
        { "threads", thread_bomb },
        { "stack", overflow_stack },
        { "null", touch_nothing },
        { "abort", call_abort },
        { "silence", leave_silently },
        { "code", leave_with_code },
        { "garbage", answer_garbage },
        { "flood", answer_without_end },
        { "lies", answer_lies },
        { "sizes", answer_false_sizes },
        { "answer and crash", answer_then_crash },
        { "answer and stay", answer_then_stay },
    };
    for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++) {
        if (strcmp(OTHERS[i].name, name) == 0) {
            OTHERS[i].run();
            child_finish(LUM_NOT_MEDIA, "ESCAPED");
        }
    }
    child_finish(LUM_NOT_MEDIA, "NO SUCH ATTEMPT");
}

void escape_attempt(const uint8_t *head, size_t size)
{
    char text[64];
    if (size < 8 || size >= sizeof text || memcmp(head, "ESCAPE ", 7) != 0) {
        return;
    }
    memcpy(text, head, size);
    text[size] = '\0';
    const char *what = text + 7;
    if (*what < '0' || *what > '9' || strchr(what, ' ') != NULL) {
        try_other(what);
    }
    size_t index = 0;
    for (; *what >= '0' && *what <= '9'; what++) {
        index = index * 10 + (size_t) (*what - '0');
    }
    try_call(index);
    child_finish(LUM_NOT_MEDIA, "NO MORE");
}
