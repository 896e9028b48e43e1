/* The committed src/repo is what the compiler makes of db/: fails when somebody changed a migration
 * or a query and did not run `sqlc-gen-c generate`. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/proc.h"
#include "sqlc/command.h"

#include "pg.h"
#include "sqlc.h"
#include "tap.h"

static void check(bool offline)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    pgc_error err = PGC_ZERO;
    command_result result;
    command_options options = { .config = TEST_SOURCE_ROOT "/sqlc.yaml",
                                .database = test_server(),
                                .offline = offline };
    if (!file_exists(env_default(), AT_FDCWD, options.config)) {
        sqlc_bench_done(&bench);
        TAP_SKIP("no sqlc.yaml");
    }
    command_result_init(&result, bench.arena);
    CHECK_STATUS(command_check(env_default(), bench.arena, &options, &result, &err), PGC_OK, &err);
    bench.diags = result.diags;
    CHECK_STR(sqlc_diags(&bench), "");
    CHECK_STR(arena_copy(bench.arena, buf_view(&result.out)), "");
    CHECK(!result.different);
    command_result_done(&result);
    sqlc_bench_done(&bench);
}

static void agrees_with_the_server(void)
{
    check(false);
}

static void agrees_with_the_manifest(void)
{
    check(true);
}

/* As the corpus does, and a program that takes our headers may. */
static void every_compiler_is_content(void)
{
    static const struct {
        const char *command;
    } MODES[] = { { "gcc -x c -std=c11" },
                  { "clang -x c -std=c11" },
                  { "g++ -x c++ -std=c++17" },
                  { "clang++ -x c++ -std=c++17" } };
    for (size_t i = 0; i < ARRAY_LEN(MODES); i++) {
        char line[1000];
        AUTO(buf_auto) buf output;
        pgc_error err = PGC_ZERO;
        int code = -1;
        buf_init(&output, NULL, 1 << 20);
        int len =
            snprintf(line, sizeof line,
                     "cd '" TEST_SOURCE_ROOT "' && { command -v %.*s >/dev/null || exit 77; "
                     "%s -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -pedantic "
                     "-Werror -fsyntax-only -Iinclude -Isrc -Isrc/repo src/repo/*.c; }",
                     (int) strcspn(MODES[i].command, " "), MODES[i].command, MODES[i].command);
        REQUIRE(len > 0 && (size_t) len < sizeof line);
        const char *argv[] = { "sh", "-c", line, NULL };
        proc_options options = { .argv = argv, .output = &output, .timeout_us = 120 * 1000000LL };
        REQUIRE_OK(proc_run(env_default(), &options, &code, &err), &err);
        if (!CHECK(code == 0 || code == 77)) {
            printf("# %s: %.300s\n", MODES[i].command, output.ptr == NULL ? "" : output.ptr);
        }
    }
}

TAP_MAIN(TAP("src/repo: C11 and C++17 compilers have nothing to say", every_compiler_is_content),
         TAP("src/repo is up to date", agrees_with_the_server),
         TAP("src/repo is up to date by its manifest", agrees_with_the_manifest))
