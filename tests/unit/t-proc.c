/* Child processes. */
#include "base/prelude.h"

#include <sys/wait.h>

#include "base/file.h"
#include "base/proc.h"

#include "oom.h"
#include "tap.h"
#include "tmpdir.h"

#define SECOND INT64_C(1000000)

/* Runs sh -c script; *code is -1 when the run itself failed. */
static pgc_status run_shell(const char *script, proc_options options, int *code, pgc_error *err)
{
    const char *const argv[] = { "sh", "-c", script, NULL };
    options.argv = argv;
    *code = -1;
    return proc_run(env_default(), &options, code, err);
}

static void exit_codes_and_signals(void)
{
    pgc_error err;
    int code;
    REQUIRE_OK(run_shell("exit 0", (proc_options) { 0 }, &code, &err), &err);
    CHECK_INT(code, 0);
    REQUIRE_OK(run_shell("exit 77", (proc_options) { 0 }, &code, &err), &err);
    CHECK_INT(code, 77);
    REQUIRE_OK(run_shell("kill -9 $$", (proc_options) { 0 }, &code, &err), &err);
    CHECK_INT(code, 128 + SIGKILL);
}

static void output_is_collected(void)
{
    pgc_error err;
    int code;
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 1 << 20);
    const char *const vars[] = { "WORD=hello", "PATH=/usr/bin:/bin", NULL };
    proc_options options = { .output = &b, .env_vars = vars, .dir = "/" };
    REQUIRE_OK(run_shell("echo $WORD; pwd; echo oops >&2; cat", options, &code, &err), &err);
    CHECK_STR(b.ptr, "hello\n/\noops\n");
    buf_reset(&b);
    REQUIRE_OK(run_shell("head -c 300000 /dev/zero | tr '\\0' x", options, &code, &err), &err);
    CHECK_INT(b.len, 300000);
}

static void too_much_output_is_an_error(void)
{
    pgc_error err;
    int code;
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 100);
    proc_options options = { .output = &b };
    CHECK_STATUS(run_shell("head -c 300000 /dev/zero", options, &code, &err), PGC_LIMIT, &err);
    CHECK_INT(code, -1);
}

static void background_children_are_not_waited_for(void)
{
    pgc_error err;
    int code;
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 100);
    proc_options options = { .output = &b, .timeout_us = 60 * SECOND };
    REQUIRE_OK(run_shell("sleep 600 & echo $!", options, &code, &err), &err);
    int64_t pid = 0;
    REQUIRE(slice_to_i64(slice_trim(buf_view(&b)), &pid) && pid > 1);
    CHECK_INT(kill((pid_t) pid, SIGKILL), 0);
}

static void missing_programs_and_users_are_named(void)
{
    pgc_error err;
    int code = -1;
    const char *const argv[] = { "no-such-program-here", NULL };
    proc_options options = { .argv = argv };
    CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, "no-such-program-here") != NULL);
    options.dir = "/no/such/folder";
    CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_IO, &err);
    CHECK_INT(err.os_errno, ENOENT);
    options.dir = NULL;
    options.user = "no-such-user-here";
    CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_NOT_FOUND, &err);
    CHECK(strstr(err.message, "no-such-user-here") != NULL);
    const char *const folder[] = { "/", NULL };
    options = (proc_options) { .argv = folder };
    CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_DENIED, &err);
    CHECK_INT(code, -1);
}

static void timeout_kills(void)
{
    pgc_error err;
    int code;
    proc_options options = { .timeout_us = SECOND / 20, .new_session = true };
    CHECK_STATUS(run_shell("sleep 600", options, &code, &err), PGC_TIMEOUT, &err);
    options.new_session = false;
    CHECK_STATUS(run_shell("exec sleep 600", options, &code, &err), PGC_TIMEOUT, &err);
    options.timeout_us = 60 * SECOND;
    CHECK_STATUS(run_shell("exit 3", options, &code, &err), PGC_OK, &err);
    CHECK_INT(code, 3);
}

static void descriptors_signals_and_session(void)
{
    pgc_error err;
    int code;
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 4096);
    AUTO(fd_auto) int leaky = open("/dev/null", O_RDONLY); /* without close-on-exec on purpose */
    REQUIRE(leaky >= 0);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN);
    proc_options options = { .output = &b, .new_session = true };
    /* The fourth is the folder that ls itself reads. */
    const char *script = "ls /proc/self/fd; grep SigIgn /proc/self/status";
    REQUIRE_OK(run_shell(script, options, &code, &err), &err);
    (void) signal(SIGPIPE, old);
    CHECK_STR(b.ptr, "0\n1\n2\n3\nSigIgn:\t0000000000000000\n");
}

static void given_descriptors_are_used(void)
{
    tmpdir t = tmpdir_make();
    pgc_error err;
    int code;
    REQUIRE_OK(file_write_atomic(env_default(), t.fd, "in", SLICE("input"), 0600, &err), &err);
    AUTO(fd_auto) int in = openat(t.fd, "in", O_RDONLY | O_CLOEXEC);
    AUTO(fd_auto) int out = openat(t.fd, "out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    proc_options options = { .in_fd = in, .out_fd = out, .err_fd = out };
    REQUIRE_OK(run_shell("cat; echo +err >&2", options, &code, &err), &err);
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 100);
    REQUIRE_OK(file_read(env_default(), t.fd, "out", &b, &err), &err);
    CHECK_STR(b.ptr, "input+err\n");
    tmpdir_remove(&t);
}

static void other_user(void)
{
    if (geteuid() != 0) {
        TAP_SKIP("only root can change user");
    }
    pgc_error err;
    int code;
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, 100);
    proc_options options = { .output = &b, .user = "nobody" };
    REQUIRE_OK(run_shell("id -un; id -u -r; cat /etc/shadow >/dev/null 2>&1; echo $?", options,
                         &code, &err),
               &err);
    CHECK(strstr(b.ptr, "nobody\n") == b.ptr);
    CHECK(strstr(b.ptr, "\n1\n") != NULL);
}

static void failed_allocations_of_output(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        buf b;
        int code;
        buf_init(&b, &alloc, 1 << 16);
        proc_options options = { .output = &b };
        pgc_status status = run_shell("echo hello", options, &code, NULL);
        complete = status == PGC_OK;
        CHECK(complete || code == -1);
        buf_done(&b);
        CHECK_INT(plan.live, 0);
    }
}

static void alive(void)
{
    pgc_error err;
    const char *const argv[] = { "sleep", "600", NULL };
    proc_options options = { .argv = argv };
    pid_t pid = -1;
    REQUIRE_OK(proc_spawn(env_default(), &options, &pid, &err), &err);
    CHECK(proc_alive(pid));
    CHECK(proc_alive(getpid()));
    (void) kill(pid, SIGKILL);
    (void) waitpid(pid, NULL, 0);
    CHECK(!proc_alive(pid));
    CHECK(!proc_alive(0));
    CHECK(!proc_alive(-1));
}

TAP_MAIN(TAP("proc: exit codes and signals", exit_codes_and_signals),
         TAP("proc: output is collected", output_is_collected),
         TAP("proc: too much output is an error", too_much_output_is_an_error),
         TAP("proc: background children are not waited for",
             background_children_are_not_waited_for),
         TAP("proc: missing programs, folders and users are named",
             missing_programs_and_users_are_named),
         TAP("proc: a timeout kills", timeout_kills),
         TAP("proc: only 0..2 are open, signals are default", descriptors_signals_and_session),
         TAP("proc: given descriptors are used", given_descriptors_are_used),
         TAP("proc: another user", other_user),
         TAP("proc: failed allocations of output", failed_allocations_of_output),
         TAP("proc: alive tells processes from none", alive))
