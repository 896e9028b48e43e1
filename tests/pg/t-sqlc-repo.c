/* The committed src/repo is what the compiler makes of db/: fails when somebody changed a migration
 * or a query and did not run `sqlc-gen-c generate`. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"
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

TAP_MAIN(TAP("src/repo is up to date", agrees_with_the_server),
         TAP("src/repo is up to date by its manifest", agrees_with_the_manifest))
