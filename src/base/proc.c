/* Child processes without a shell. Everything that can fail or allocate happens before fork();
 * between fork() and exec only async-signal-safe calls are made, and a failure there comes back
 * through a close-on-exec pipe as errno. Thread-safe. */
#include "base/prelude.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/proc.h"

#define GROUPS_MAX    64
#define REPORT_FD     3
#define FIRST_SAFE_FD 10
#define READ_CHUNK    ((size_t) 16 * 1024)
#define POLL_US       20000 /* only where the kernel has no pidfd_open() */

/* Who the child becomes. */
typedef struct identity {
    bool change;
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS_MAX];
    size_t group_count;
} identity;

/* Where a child failed before exec; the one message through the report pipe. */
typedef struct child_failure {
    int32_t os_errno;
    int32_t step;
} child_failure;

enum { STEP_SETUP, STEP_USER, STEP_DIR, STEP_EXEC };
static const char *const STEP_TEXT[] = { "set up descriptors", "change user", "change folder",
                                         "execute" };

/* What the child needs, all made ready before fork(). */
typedef struct child_plan {
    const proc_options *options;
    const identity *who;
    int fds[3];
    int report;
    sigset_t old_mask;
} child_plan;

/* All look-ups in the user database happen here, before fork(): they allocate and may open
 * sockets. Somebody who is that user already needs no change and no right to make one. */
static pgc_status find_user(const char *name, identity *who, pgc_error *err)
{
    *who = (identity) { .change = false };
    if (name == NULL) {
        return PGC_OK;
    }
    struct passwd entry;
    struct passwd *found = NULL;
    char text[4096];
    int reason = getpwnam_r(name, &entry, text, sizeof text, &found);
    if (found == NULL) {
        return pgc_error_set(err, PGC_NOT_FOUND, "no system user \"%s\"%s%s", name,
                             reason == 0 ? "" : ": ", reason == 0 ? "" : strerrordesc_np(reason));
    }
    int count = GROUPS_MAX;
    if (getgrouplist(name, entry.pw_gid, who->groups, &count) < 0) {
        return pgc_error_set(err, PGC_LIMIT, "system user \"%s\" is in over %d groups", name,
                             GROUPS_MAX);
    }
    who->uid = entry.pw_uid;
    who->gid = entry.pw_gid;
    who->group_count = (size_t) count;
    who->change = who->uid != geteuid();
    return PGC_OK;
}

/* Only write() and _exit(): both are safe between fork() and exec. If even the report fails, the
 * parent sees exit code 127. */
static _Noreturn void child_fail(int report, int32_t step)
{
    child_failure failure = { errno, step };
    ssize_t written = write(report, &failure, sizeof failure);
    (void) written;
    _exit(127);
}

/* Descriptors that other parts of the program forgot to mark must not reach a server that
 * outlives us. The loop is for kernels without close_range(). */
static void close_from(unsigned first)
{
    if (syscall(SYS_close_range, first, ~0U, 0U) == 0) {
        return;
    }
    long limit = sysconf(_SC_OPEN_MAX);
    for (long fd = (long) first; fd < (limit > 0 && limit < 65536 ? limit : 65536); fd++) {
        (void) close((int) fd);
    }
}

/* Descriptors 0..2 and the report pipe at their places, nothing else open. The sources move out of
 * the way first, for they may stand on each other's targets. */
static int child_descriptors(const child_plan *plan)
{
    int moved[3];
    for (int i = 0; i < 3; i++) {
        moved[i] = fcntl(plan->fds[i], F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
        if (moved[i] < 0) {
            child_fail(plan->report, STEP_SETUP);
        }
    }
    int report = fcntl(plan->report, F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
    if (report < 0) {
        child_fail(plan->report, STEP_SETUP);
    }
    for (int i = 0; i < 3; i++) {
        if (dup2(moved[i], i) < 0) {
            child_fail(report, STEP_SETUP);
        }
    }
    if (dup3(report, REPORT_FD, O_CLOEXEC) < 0) {
        child_fail(report, STEP_SETUP);
    }
    close_from(REPORT_FD + 1);
    return REPORT_FD;
}

/* Ignored signals survive exec; a child must not inherit that we ignore SIGPIPE. */
static void child_signals(const child_plan *plan)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    for (int number = 1; number < NSIG; number++) {
        (void) sigaction(number, &action, NULL); /* refused for SIGKILL and a few others: fine */
    }
    (void) sigprocmask(SIG_SETMASK, &plan->old_mask, NULL);
}

/* Groups go before the user: after setuid() there is no right left to change them. */
static _Noreturn void child_main(const child_plan *plan)
{
    const proc_options *options = plan->options;
    const identity *who = plan->who;
    int report = child_descriptors(plan);
    child_signals(plan);
    if (options->new_session) {
        (void) setsid();
    }
    if (who->change && (setgroups(who->group_count, who->groups) != 0 || setgid(who->gid) != 0 ||
                        setuid(who->uid) != 0)) {
        child_fail(report, STEP_USER);
    }
    if (options->dir != NULL && chdir(options->dir) != 0) {
        child_fail(report, STEP_DIR);
    }
    /* exec does not write to its arguments; the prototype is older than const. */
    union {
        const char *const *in;
        char *const *out;
    } argv = { options->argv }, vars = { options->env_vars };
    (void) execvpe(options->argv[0], argv.out, vars.in != NULL ? vars.out : environ);
    child_fail(report, STEP_EXEC);
}

/* Waits for the report: nothing means that exec succeeded. */
static pgc_status read_report(int fd, pid_t pid, const char *program, pgc_error *err)
{
    child_failure failure;
    ssize_t got;
    do {
        got = read(fd, &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    if (got != (ssize_t) sizeof failure) {
        return PGC_OK;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    if (failure.step == STEP_EXEC && failure.os_errno == ENOENT) {
        return pgc_error_set(err, PGC_NOT_FOUND, "no program %s", program);
    }
    return pgc_error_errno(err, failure.os_errno, "start %s: %s", program, STEP_TEXT[failure.step]);
}

/* The write end of the report pipe lives in the child only; its closing, by exec or by death,
 * ends the wait in read_report(). */
static pgc_status spawn_with(child_plan *plan, int null_fd, pid_t *out, pgc_error *err)
{
    const proc_options *options = plan->options;
    const int wanted[3] = { options->in_fd, options->out_fd, options->err_fd };
    for (int i = 0; i < 3; i++) {
        plan->fds[i] = wanted[i] == 0 ? null_fd : wanted[i];
    }
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0) {
        return pgc_error_errno(err, errno, "start %s: pipe", options->argv[0]);
    }
    plan->report = report[1];
    /* No handler of ours may run in the child: it would act on shared descriptors. */
    sigset_t all;
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &plan->old_mask);
    pid_t pid = fork();
    if (pid == 0) {
        child_main(plan);
    }
    int reason = errno;
    (void) pthread_sigmask(SIG_SETMASK, &plan->old_mask, NULL);
    (void) close(report[1]);
    pgc_status status = pid < 0 ? pgc_error_errno(err, reason, "start %s: fork", options->argv[0])
                                : read_report(report[0], pid, options->argv[0], err);
    (void) close(report[0]);
    if (status == PGC_OK) {
        *out = pid;
    }
    return status;
}

/* /dev/null is opened for reading and writing, so one descriptor serves all three places. */
pgc_status proc_spawn(const env *e, const proc_options *options, pid_t *out, pgc_error *err)
{
    assert(options->argv != NULL);
    assert(options->argv[0] != NULL);
    identity who;
    TRY(find_user(options->user, &who, err));
    int null_fd = e->fs->openat(e->fs->ctx, AT_FDCWD, "/dev/null", O_RDWR, 0);
    if (null_fd < 0) {
        return pgc_error_errno(err, errno, "start %s: open /dev/null", options->argv[0]);
    }
    child_plan plan = { .options = options, .who = &who };
    pgc_status status = spawn_with(&plan, null_fd, out, err);
    (void) e->fs->close(e->fs->ctx, null_fd);
    return status;
}

/* A running child that proc_run() looks after. */
typedef struct watched {
    const env *env;
    const proc_options *options;
    pid_t pid;
    int pid_fd;      /* -1: the kernel has none */
    int output_fd;   /* read end; -1: no output wanted or at its end */
    int64_t end_us;  /* monotonic deadline; INT64_MAX: none */
    bool output_cut; /* more than fits in options->output */
} watched;

/* Takes what is there without waiting; closes at the end of the stream. */
static void drain(watched *w)
{
    char chunk[READ_CHUNK];
    while (w->output_fd >= 0) {
        ssize_t got = read(w->output_fd, chunk, sizeof chunk);
        if (got > 0) {
            buf *output = w->options->output;
            buf_add(output, (slice) { chunk, (size_t) got });
            w->output_cut = w->output_cut || output->failed;
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            fd_auto(&w->output_fd);
        } else if (errno == EAGAIN) {
            return;
        }
    }
}

/* Milliseconds for poll(): rounded up, so that the deadline has passed when it returns. */
static int poll_ms(const watched *w)
{
    int64_t left = w->end_us;
    if (left != INT64_MAX) {
        left -= w->env->clock->mono_us(w->env->clock->ctx);
        left = left < 0 ? 0 : left;
    }
    if (w->pid_fd < 0 && left > POLL_US) {
        left = POLL_US;
    }
    if (left == INT64_MAX) {
        return -1;
    }
    return left / 1000 >= INT_MAX ? INT_MAX : (int) ((left + 999) / 1000);
}

/* Waits until the child is gone, collecting output. False: the deadline passed first. Output that a
 * grandchild would still write after the child's end is not waited for. */
static bool watch(watched *w, int *wait_status)
{
    for (;;) {
        drain(w);
        pid_t got = waitpid(w->pid, wait_status, WNOHANG);
        if (got == w->pid || (got < 0 && errno != EINTR)) {
            drain(w);
            return true;
        }
        if (w->env->clock->mono_us(w->env->clock->ctx) >= w->end_us) {
            return false;
        }
        struct pollfd fds[2] = { { .fd = w->pid_fd, .events = POLLIN },
                                 { .fd = w->output_fd, .events = POLLIN } };
        (void) poll(fds, 2, poll_ms(w));
    }
}

/* A child that had to be killed has no exit code worth telling: the status says what happened. */
static pgc_status run_watched(watched *w, int *exit_code, pgc_error *err)
{
    const proc_options *options = w->options;
    int wait_status = 0;
    bool ended = watch(w, &wait_status);
    if (!ended) {
        (void) kill(options->new_session ? -w->pid : w->pid, SIGKILL);
        while (waitpid(w->pid, &wait_status, 0) < 0 && errno == EINTR) {
        }
        return pgc_error_set(err, PGC_TIMEOUT, "%s did not end within %" PRId64 " ms",
                             options->argv[0], options->timeout_us / 1000);
    }
    if (w->output_cut) {
        return pgc_error_set(err, PGC_LIMIT, "%s wrote over %zu bytes", options->argv[0],
                             options->output->max);
    }
    *exit_code = WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
    return PGC_OK;
}

/* The read end does not block, so that watch() can look at the child and at its output in turn. */
pgc_status proc_run(const env *e, const proc_options *options, int *exit_code, pgc_error *err)
{
    assert(options->timeout_us >= 0);
    assert(options->output == NULL || !options->output->failed);
    proc_options mine = *options;
    AUTO(fd_auto) int read_end = -1;
    AUTO(fd_auto) int write_end = -1;
    if (options->output != NULL) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) {
            return pgc_error_errno(err, errno, "run %s: pipe", options->argv[0]);
        }
        read_end = ends[0];
        write_end = ends[1];
        (void) fcntl(read_end, F_SETFL, O_NONBLOCK);
        mine.out_fd = mine.err_fd = write_end;
    }
    watched w = { .env = e, .options = options, .end_us = INT64_MAX };
    if (options->timeout_us > 0) {
        w.end_us = e->clock->mono_us(e->clock->ctx) + options->timeout_us;
    }
    TRY(proc_spawn(e, &mine, &w.pid, err));
    fd_auto(&write_end);
    w.pid_fd = (int) syscall(SYS_pidfd_open, w.pid, 0U);
    w.output_fd = read_end;
    read_end = -1;
    pgc_status status = run_watched(&w, exit_code, err);
    fd_auto(&w.output_fd);
    fd_auto(&w.pid_fd);
    return status;
}

/* EPERM means that it exists and belongs to somebody else. A zombie counts as alive here. */
bool proc_alive(pid_t pid)
{
    return pid > 0 && (kill(pid, 0) == 0 || errno == EPERM);
}
