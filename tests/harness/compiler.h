/* Compilers over generated code: the warnings that it must not give, what programs of it link with,
 * and how they are run. */
#ifndef TEST_COMPILER_H
#define TEST_COMPILER_H

#include "base/proc.h"

#include "tap.h"

#define COMPILER_TIMEOUT_US (600 * INT64_C(1000000)) /* on a small machine with sanitizers */
#define COMPILER_LINES      40                       /* of what a program said, when it failed */

/* Arguments: every warning is an error, and our headers are found. */
#define COMPILER_STRICT                                                                          \
    "-Wall", "-Wextra", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-pedantic", "-Werror", \
        "-I", TEST_SOURCE_ROOT "/include"
/* Arguments behind the sources: libpgc as it was built, and the way tests are linked. */
#define COMPILER_LINK                                                                      \
    "-x", "none", TEST_BUILD_ROOT "/src/pgc/liblum-pgc.a",                                 \
        TEST_BUILD_ROOT "/src/base/liblum-base.a", "-lpq", "-lcrypto", "-lm", "-lpthread", \
        TEST_LINK_ARG

/* Run a program in a folder (NULL: ours) and tell what it said when it fails; output gets stdout
 * and stderr. Gives its exit code, -1 when it did not run. */
static inline int compiler_run_for(const char *dir, const char *const *argv, buf *output)
{
    pgc_error err = PGC_ZERO;
    int code = -1;
    const proc_options options = {
        .argv = argv, .dir = dir, .output = output, .timeout_us = COMPILER_TIMEOUT_US
    };
    CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_OK, &err);
    if (code != 0) {
        printf("# %s: exit status %d\n", argv[0], code);
        slice rest = buf_view(output);
        for (int i = 0; i < COMPILER_LINES && rest.ptr != NULL && rest.len > 0; i++) {
            slice line = slice_next(&rest, '\n');
            printf("# %" SLICE_FMT "\n", SLICE_ARG(line));
        }
    }
    return code;
}

static inline int compiler_run(const char *const *argv)
{
    AUTO(buf_auto) buf output;
    buf_init(&output, NULL, 1 << 20);
    return compiler_run_for(NULL, argv, &output);
}

static inline bool compiler_is_installed(const char *compiler)
{
    const char *argv[] = { compiler, "--version", NULL };
    int code = -1;
    const proc_options options = { .argv = argv };
    return proc_run(env_default(), &options, &code, NULL) == PGC_OK && code == 0;
}

#endif
