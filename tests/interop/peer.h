/* Peer programs: small Go programs around the tools that we must agree with. They are built when Go
 * and its modules can be had, quick ones into a throw-away folder and slow ones into the build
 * folder, where the next run finds them; otherwise the cases are skipped. */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/file.h"
#include "base/proc.h"

#include "tap.h"

#define PEER_TIMEOUT_US INT64_C(300000000)
/* A cold build of a large peer on a small machine. */
#define PEER_KEPT_TIMEOUT_US INT64_C(900000000)
#define PEER_OUTPUT_MAX      ((size_t) 256 << 20)

typedef struct peer {
    char folder[64]; /* removed at the end; "" when the program is kept */
    char program[512];
    char why_not[256]; /* "" when the program is there */
    bool tried;
} peer;

/* `go build` of tests/interop/<name> into p->program; false and p->why_not without it. */
static inline bool peer_compile(peer *p, const char *name, int64_t timeout_us)
{
    AUTO(buf_auto) buf output;
    buf_init(&output, NULL, 1 << 20);
    char source[512];
    (void) snprintf(source, sizeof source, "%s/%s", INTEROP_DIR, name);
    const char *const argv[] = { "go", "build", "-o", p->program, ".", NULL };
    const proc_options options = {
        .argv = argv, .dir = source, .timeout_us = timeout_us, .output = &output
    };
    int code = 0;
    pgc_error err;
    pgc_error_clear(&err);
    if (proc_run(env_default(), &options, &code, &err) != PGC_OK) {
        (void) snprintf(p->why_not, sizeof p->why_not, "Go cannot be run: %.200s", err.message);
    } else if (code != 0) {
        (void) snprintf(p->why_not, sizeof p->why_not, "peer cannot be built: %.*s",
                        (int) strcspn(output.ptr != NULL ? output.ptr : "", "\n"),
                        output.ptr != NULL ? output.ptr : "");
    }
    return p->why_not[0] == '\0';
}

/* Build the program in tests/interop/<name> once per process. */
static inline bool peer_build(peer *p, const char *name)
{
    if (p->tried) {
        return p->why_not[0] == '\0';
    }
    p->tried = true;
    (void) snprintf(p->folder, sizeof p->folder, "/tmp/lum-peer-XXXXXX");
    if (mkdtemp(p->folder) == NULL) {
        (void) snprintf(p->why_not, sizeof p->why_not, "no folder for the peer program");
        return false;
    }
    (void) snprintf(p->program, sizeof p->program, "%s/peer", p->folder);
    return peer_compile(p, name, PEER_TIMEOUT_US);
}

/* Build it into the build folder, where it stays: for peers that take a minute. Go looks itself
 * whether the program is up to date. Tests that run at the same time wait for the first of them. */
static inline bool peer_build_kept(peer *p, const char *name)
{
    if (p->tried) {
        return p->why_not[0] == '\0';
    }
    p->tried = true;
    char lock[512];
    (void) snprintf(lock, sizeof lock, "%s/tests/peers/%s.lock", TEST_BUILD_ROOT, name);
    (void) snprintf(p->program, sizeof p->program, "%s/tests/peers/%s", TEST_BUILD_ROOT, name);
    if (file_mkdirs(env_default(), AT_FDCWD, TEST_BUILD_ROOT "/tests/peers", 0755, false, NULL) !=
        PGC_OK) {
        (void) snprintf(p->why_not, sizeof p->why_not, "no folder for the peer program");
        return false;
    }
    AUTO(fd_auto) int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        (void) snprintf(p->why_not, sizeof p->why_not, "no lock for the peer program");
        return false;
    }
    (void) setenv("CGO_ENABLED", "0", 1); /* five times as quick to build, and no C compiler */
    return peer_compile(p, name, PEER_KEPT_TIMEOUT_US);
}

static inline void peer_remove(peer *p)
{
    if (p->folder[0] != '\0') {
        (void) !file_remove_tree(env_default(), AT_FDCWD, p->folder, NULL);
    }
}

/* Run it as the options say, whose argv[0] is put in; output gets stdout and stderr. Gives the exit
 * code, -1 when it did not run. */
static inline int peer_run_with(const peer *p, proc_options options, const char **argv, buf *output)
{
    int code = -1;
    pgc_error err;
    argv[0] = p->program;
    options.argv = argv;
    options.timeout_us = PEER_TIMEOUT_US;
    options.output = output;
    buf_reset(output);
    if (proc_run(env_default(), &options, &code, &err) != PGC_OK) {
        printf("# %s\n", err.message);
        return -1;
    }
    return code;
}

/* In a folder, NULL for ours. */
static inline int peer_run_in(const peer *p, const char *dir, const char **argv, buf *output)
{
    return peer_run_with(p, (proc_options) { .dir = dir }, argv, output);
}

/* With up to four arguments (NULL ends them), failures are told. input: file for stdin, or 0. */
static inline int peer_run(const peer *p, int input, buf *output, const char *a, const char *b,
                           const char *c, const char *d)
{
    const char *argv[] = { NULL, a, b, c, d, NULL };
    int code = peer_run_with(p, (proc_options) { .in_fd = input }, argv, output);
    if (code > 0) {
        printf("# %s: %s\n", a, output->ptr != NULL ? output->ptr : "");
    }
    return code;
}

#endif
