/* Generated functions that send many rows (COPY, @bulk, batches) under faults at run time: the
 * program of tests/sqlc/faults makes each allocation of the runtime fail once and lets the server
 * end the connection in the middle. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "compiler.h"
#include "sqlc_project.h"

#define FAULTS TEST_SOURCE_ROOT "/tests/sqlc/faults"

static const char CONFIG[] = "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: " FAULTS
                             "/schema.sql\n    queries: " FAULTS "/queries.sql\n"
                             "    codegen:\n      - {plugin: c, out: out, options: {prefix: f}}\n";

static void all_or_nothing(void)
{
    sqlc_project p = project_make(CONFIG, "", "");
    arena *mem = p.bench.arena;
    project_run run = project_command_run(&p, command_generate, (command_options) { 0 });
    REQUIRE(CHECK_INT(run.status, PGC_OK) && CHECK_STR(run.diags, ""));
    const char *program = arena_printf(mem, "%s/program", p.dir.path);
    const char *argv[] = { "gcc",
                           "-std=c11",
                           "-g",
                           "-I",
                           TEST_SOURCE_ROOT "/include",
                           arena_printf(mem, "-I%s/out", p.dir.path),
                           FAULTS "/main.c",
                           arena_printf(mem, "%s/out/models.c", p.dir.path),
                           arena_printf(mem, "%s/out/queries.c", p.dir.path),
                           COMPILER_LINK,
                           "-Wl,--wrap=realloc,--wrap=free",
                           "-o",
                           program,
                           NULL };
    REQUIRE(compiler_run(argv) == 0);
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    AUTO(buf_auto) buf schema;
    pgc_error err = PGC_ZERO;
    pgc_conn *conn = NULL;
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    buf_init(&schema, NULL, 1 << 20);
    REQUIRE_OK(file_read(env_default(), AT_FDCWD, FAULTS "/schema.sql", &schema, &err), &err);
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    CHECK_STATUS(pgc_conn_script(conn, schema.ptr, 0, NULL, &err), PGC_OK, &err);
    pgc_conn_close(conn);
    const char *run_it[] = { program, url, NULL };
    CHECK_INT(compiler_run(run_it), 0);
    project_done(&p);
}

TAP_MAIN(TAP("many rows arrive all or not at all, whatever fails", all_or_nothing))
