/* The corpus of tests/sqlc/corpus from SQL to running code: more than 400 queries are generated,
 * compiled as C11 and C++17 by gcc and clang with strict warnings, and each is run twice against
 * the server, once with values and once with NULL for what may be NULL. Decoders refuse NULL where
 * NOT NULL was claimed, so a wrong claim fails here. tests/sqlc/corpus/checks.c looks at values. */
#include "base/prelude.h"

#include <fcntl.h>

#include <pgc/conn.h>

#include "base/file.h"
#include "base/proc.h"
#include "sqlc/output.h"
#include "sqlc/pipeline.h"

#include "corpus_driver.h"
#include "pg.h"
#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

#define CORPUS TEST_SOURCE_ROOT "/tests/sqlc/corpus"

/* What all cases share: the corpus generated once into a folder. */
static struct {
    sqlc_bench bench;
    tmpdir dir;
    pipeline_set set;
    const char *sources[32]; /* .c files with their folder, ours as the last ones */
    size_t source_count;
    bool tried, made;
} world;

static bool write_driver(void)
{
    AUTO(buf_auto) buf text;
    pgc_error err = PGC_ZERO;
    buf_init(&text, NULL, 4 << 20);
    driver_write(&text, &world.set.ir, (size_t) world.set.config->c.query_parameter_limit);
    return CHECK(!text.failed) &&
           CHECK_STATUS(file_write_atomic(env_default(), world.dir.fd, "driver.c", buf_view(&text),
                                          0644, &err),
                        PGC_OK, &err);
}

static bool generate(void)
{
    command_options options = { .config = CORPUS "/sqlc.yaml", .database = test_server() };
    pgc_error err = PGC_ZERO;
    config cfg;
    vec sets = { 0 };
    vec changes = { 0 };
    arena *mem = world.bench.arena;
    diag_list *diags = &world.bench.diags;
    if (!CHECK_STATUS(pipeline_read(env_default(), mem, &options, &cfg, &sets, diags, &err), PGC_OK,
                      &err) ||
        !CHECK_STATUS(pipeline_run(env_default(), mem, &options, &cfg, &sets, diags, &err), PGC_OK,
                      &err)) {
        printf("# %s\n", sqlc_diags(&world.bench));
        return false;
    }
    world.set = *VEC_AT(&sets, pipeline_set, 0);
    if (!CHECK_STATUS(output_compare(env_default(), mem, world.dir.path, "out", &world.set.files,
                                     &changes, &err),
                      PGC_OK, &err) ||
        !CHECK_STATUS(output_write(env_default(), world.dir.path, &changes, &err), PGC_OK, &err)) {
        return false;
    }
    for (size_t i = 0; i < changes.count; i++) {
        const char *full = VEC_AT(&changes, output_change, i)->full;
        if (slice_ends(sqlc_text(full), SLICE(".c"))) {
            world.sources[world.source_count++] = full;
        }
    }
    world.sources[world.source_count++] = arena_printf(mem, "%s/driver.c", world.dir.path);
    world.sources[world.source_count++] = CORPUS "/checks.c";
    world.sources[world.source_count++] = CORPUS "/checks_nested.c";
    return write_driver();
}

static bool ready(void)
{
    if (!world.tried) {
        world.tried = true;
        world.bench = sqlc_bench_make(NULL);
        world.dir = tmpdir_make();
        world.made = generate();
    }
    return world.made;
}

static int execute(const char *const *argv, buf *output)
{
    pgc_error err = PGC_ZERO;
    int code = -1;
    buf_init(output, NULL, 1 << 20);
    proc_options options = { .argv = argv, .output = output, .timeout_us = 120 * 1000000LL };
    CHECK_STATUS(proc_run(env_default(), &options, &code, &err), PGC_OK, &err);
    if (code != 0) {
        printf("# %s: exit status %d\n", argv[0], code);
        slice rest = buf_view(output);
        for (int i = 0; i < 40 && rest.ptr != NULL && rest.len > 0; i++) {
            slice line = slice_next(&rest, '\n');
            printf("# %" SLICE_FMT "\n", SLICE_ARG(line));
        }
    }
    return code;
}

static bool is_installed(const char *compiler)
{
    const char *argv[] = { compiler, "--version", NULL };
    int code = -1;
    proc_options options = { .argv = argv };
    return proc_run(env_default(), &options, &code, NULL) == PGC_OK && code == 0;
}

/* Compile everything; program NULL: look at the syntax only. */
static int compile(const char *compiler, const char *language, const char *standard,
                   const char *program)
{
    AUTO(buf_auto) buf output;
    const char *argv[64] = { compiler,
                             "-x",
                             language,
                             standard,
                             "-Wall",
                             "-Wextra",
                             "-Wconversion",
                             "-Wsign-conversion",
                             "-Wshadow",
                             "-pedantic",
                             "-Werror",
                             "-O0",
                             "-Wno-unused-function", /* values of types that no query takes */
                             "-I",
                             TEST_SOURCE_ROOT "/include",
                             "-I",
                             CORPUS,
                             "-I",
                             world.dir.path };
    size_t n = 19;
    for (size_t i = 0; i < world.source_count; i++) {
        argv[n++] = world.sources[i];
    }
    if (program == NULL) {
        argv[n++] = "-fsyntax-only";
    } else {
        static const char *const LINK[] = { "-x",
                                            "none",
                                            TEST_BUILD_ROOT "/src/pgc/liblum-pgc.a",
                                            TEST_BUILD_ROOT "/src/base/liblum-base.a",
                                            "-lpq",
                                            "-lcrypto",
                                            "-lm",
                                            "-lpthread",
                                            TEST_LINK_ARG,
                                            "-o" };
        for (size_t i = 0; i < ARRAY_LEN(LINK); i++) {
            argv[n++] = LINK[i];
        }
        argv[n++] = program;
    }
    return execute(argv, &output);
}

static void all_queries_are_generated(void)
{
    REQUIRE(ready());
    CHECK(world.set.ir.query_count >= 535);
    CHECK_INT(world.bench.diags.error_count, 0);
    printf("# %zu queries in %zu files, %zu models\n", world.set.ir.query_count,
           world.set.ir.file_count, world.set.ir.model_count);
}

static void all_compilers_are_content(void)
{
    static const struct {
        const char *compiler, *language, *standard;
    } MODES[] = { { "clang", "c", "-std=c11" },
                  { "g++", "c++", "-std=c++17" },
                  { "clang++", "c++", "-std=c++17" } };
    REQUIRE(ready());
    for (size_t i = 0; i < ARRAY_LEN(MODES); i++) {
        if (!is_installed(MODES[i].compiler)) {
            printf("# %s is not installed\n", MODES[i].compiler);
            continue;
        }
        CHECK_INT(compile(MODES[i].compiler, MODES[i].language, MODES[i].standard, NULL), 0);
    }
}

static void every_query_runs(void)
{
    AUTO(buf_auto) buf schema;
    AUTO(buf_auto) buf output;
    pgc_error err = PGC_ZERO;
    pgc_conn *conn = NULL;
    REQUIRE(ready());
    char program[100];
    (void) snprintf(program, sizeof program, "%s/driver", world.dir.path);
    REQUIRE(compile("gcc", "c", "-std=c11", program) == 0);
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    buf_init(&schema, NULL, 1 << 20);
    REQUIRE_OK(file_read(env_default(), AT_FDCWD, CORPUS "/schema.sql", &schema, &err), &err);
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    CHECK_STATUS(pgc_conn_script(conn, schema.ptr, 0, NULL, &err), PGC_OK, &err);
    pgc_conn_close(conn);
    const char *argv[] = { program, url, NULL };
    CHECK_INT(execute(argv, &output), 0);
    char want[80];
    (void) snprintf(want, sizeof want, "%zu calls, 0 failed\n", 2 * world.set.ir.query_count);
    CHECK_STR(output.ptr, want);
}

/* A second analysis gives the same bytes: nothing depends on OIDs, time or order of hashing. */
static void a_second_run_gives_the_same(void)
{
    REQUIRE(ready());
    vec first = world.set.files;
    world.source_count = 0;
    REQUIRE(generate());
    REQUIRE(world.set.files.count == first.count);
    for (size_t i = 0; i < first.count; i++) {
        const emit_file *a = VEC_AT(&first, emit_file, i);
        const emit_file *b = VEC_AT(&world.set.files, emit_file, i);
        CHECK_STR(b->name, a->name);
        CHECK(slice_eq(a->content, b->content));
    }
}

static void cleans_up(void)
{
    REQUIRE(ready());
    tmpdir_remove(&world.dir);
    sqlc_bench_done(&world.bench);
    CHECK(!file_exists(env_default(), AT_FDCWD, world.dir.path));
}

TAP_MAIN(TAP("corpus: all queries are generated", all_queries_are_generated),
         TAP("corpus: C11 and C++17 compilers have nothing to say", all_compilers_are_content),
         TAP("corpus: every query runs with values and with NULL", every_query_runs),
         TAP("corpus: a second analysis gives the same bytes", a_second_run_gives_the_same),
         TAP("corpus: the folder is removed", cleans_up))
