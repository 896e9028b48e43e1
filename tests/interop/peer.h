/* Peer programs: small Go programs around the tools that we must agree with. They are built into a
 * throw-away folder when Go and its modules can be had; otherwise the cases are skipped. */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include <fcntl.h>

#include "base/file.h"
#include "base/proc.h"

#include "tap.h"

#define PEER_TIMEOUT_US INT64_C(300000000)
#define PEER_OUTPUT_MAX ((size_t) 256 << 20)

typedef struct peer {
    char folder[64];
    char program[128];
    char why_not[256]; /* "" when the program is there */
    bool tried;
} peer;

/* Build the program in tests/interop/<name> once per process. */
static inline bool peer_build(peer *p, const char *name)
{
    if (p->tried) {
        return p->why_not[0] == '\0';
    }
    p->tried = true;
    AUTO(buf_auto) buf output;
    buf_init(&output, NULL, 1 << 20);
    (void) snprintf(p->folder, sizeof p->folder, "/tmp/lum-peer-XXXXXX");
    if (mkdtemp(p->folder) == NULL) {
        (void) snprintf(p->why_not, sizeof p->why_not, "no folder for the peer program");
        return false;
    }
    (void) snprintf(p->program, sizeof p->program, "%s/peer", p->folder);
    char source[512];
    (void) snprintf(source, sizeof source, "%s/%s", INTEROP_DIR, name);
    const char *const argv[] = { "go", "build", "-o", p->program, ".", NULL };
    const proc_options options = {
        .argv = argv, .dir = source, .timeout_us = PEER_TIMEOUT_US, .output = &output
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

static inline void peer_remove(peer *p)
{
    if (p->folder[0] != '\0') {
        (void) !file_remove_tree(env_default(), AT_FDCWD, p->folder, NULL);
    }
}

/* Run it with up to four arguments (NULL ends them); output gets stdout and stderr. input: file for
 * stdin, or 0. Gives the exit code, -1 when it did not run. */
static inline int peer_run(const peer *p, int input, buf *output, const char *a, const char *b,
                           const char *c, const char *d)
{
    const char *const argv[] = { p->program, a, b, c, d, NULL };
    const proc_options options = {
        .argv = argv, .in_fd = input, .timeout_us = PEER_TIMEOUT_US, .output = output
    };
    int code = -1;
    pgc_error err;
    buf_reset(output);
    if (proc_run(env_default(), &options, &code, &err) != PGC_OK) {
        printf("# %s\n", err.message);
        return -1;
    }
    if (code != 0) {
        printf("# %s: %s\n", a, output->ptr != NULL ? output->ptr : "");
    }
    return code;
}

#endif
