/* The corpus of tests/sqlc/corpus from SQL to running code: more than 600 queries are generated,
 * compiled as C11 and C++17 by gcc and clang with strict warnings, and each is run eight times
 * against the server, with values, with NULL for what may be NULL, and over other data. Decoders
 * refuse NULL where NOT NULL was claimed, so a wrong claim fails here. tests/sqlc/corpus/checks.c
 * looks at values. */
#include "base/prelude.h"

#include <fcntl.h>

#include <pgc/conn.h>

#include "base/file.h"
#include "base/proc.h"
#include "sqlc/output.h"
#include "sqlc/pipeline.h"

#include "corpus_driver.h"
#include "corpus_features.h"
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
    char unseen[100]; /* file with the claims that were never NULL */
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
    world.sources[world.source_count++] = CORPUS "/checks_features.c";
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
    CHECK(world.set.ir.query_count >= 600);
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

/* Compares two lists of lines; the register's reasons stand behind a colon. */
static size_t missing_lines(slice from, slice in, const char *what)
{
    size_t missing = 0;
    while (from.ptr != NULL && from.len > 0) {
        slice line = slice_next(&from, '\n');
        slice name = slice_next(&line, ':');
        slice rest = in;
        bool found = name.len == 0 || name.ptr[0] == '#';
        while (!found && rest.ptr != NULL && rest.len > 0) {
            slice other = slice_next(&rest, '\n');
            found = slice_eq(slice_next(&other, ':'), name);
        }
        if (!found) {
            printf("# %s: %" SLICE_FMT "\n", what, SLICE_ARG(name));
            missing++;
        }
    }
    return missing;
}

static size_t count_columns(void)
{
    size_t columns = 0;
    for (size_t i = 0; i < world.set.ir.query_count; i++) {
        columns += world.set.ir.queries[i].column_count;
    }
    return columns;
}

static void read_text(const char *path, buf *out)
{
    pgc_error err = PGC_ZERO;
    buf_init(out, NULL, 1 << 20);
    CHECK_STATUS(file_read(env_default(), AT_FDCWD, path, out, &err), PGC_OK, &err);
}

/* Every claim is met by rows that could break it: each query runs with several values, over rows
 * full of NULL, and over empty tables. Decoders refuse NULL where NOT NULL was claimed. */
static void every_query_runs(void)
{
    AUTO(buf_auto) buf schema = { 0 };
    AUTO(buf_auto) buf output = { 0 };
    pgc_error err = PGC_ZERO;
    pgc_conn *conn = NULL;
    REQUIRE(ready());
    char program[100];
    (void) snprintf(program, sizeof program, "%s/driver", world.dir.path);
    (void) snprintf(world.unseen, sizeof world.unseen, "%s/unseen", world.dir.path);
    REQUIRE(compile("gcc", "c", "-std=c11", program) == 0);
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    read_text(CORPUS "/schema.sql", &schema);
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    CHECK_STATUS(pgc_conn_script(conn, schema.ptr, 0, NULL, &err), PGC_OK, &err);
    pgc_conn_close(conn);
    const char *argv[] = { program, url, world.unseen, NULL };
    CHECK_INT(execute(argv, &output), 0);
    char want[80];
    (void) snprintf(want, sizeof want, "%zu calls, 0 failed\n", 2 * world.set.ir.query_count);
    CHECK_STR(output.ptr, want);
}

/* Columns that are called nullable for a reason of ours and never were NULL stand in a register,
 * and nothing else does. */
static void pessimism_is_registered(void)
{
    AUTO(buf_auto) buf unseen = { 0 };
    AUTO(buf_auto) buf known = { 0 };
    REQUIRE(ready() && world.unseen[0] != '\0');
    read_text(world.unseen, &unseen);
    read_text(CORPUS "/pessimistic.txt", &known);
    CHECK_INT(missing_lines(buf_view(&unseen), buf_view(&known), "not in the register"), 0);
    CHECK_INT(missing_lines(buf_view(&known), buf_view(&unseen), "was NULL after all"), 0);
    size_t lines = 0;
    for (size_t i = 0; i < unseen.len; i++) {
        lines += unseen.ptr[i] == '\n' ? 1 : 0;
    }
    printf("# %zu of %zu columns are pessimistic\n", lines, count_columns());
    CHECK(lines * 50 < count_columns());
}

/* Rows of the table of features (reference §6.7) by their register, which must notice mistakes. */
static void every_feature_is_covered(void)
{
    REQUIRE(ready());
    AUTO(buf_auto) buf known;
    read_text(CORPUS "/features.txt", &known);
    REQUIRE(known.ptr != NULL);
    CHECK_INT(features_faults(&world.set.ir, buf_view(&known)), 0);
}

static size_t faults_of_line(const char *line)
{
    AUTO(buf_auto) buf text;
    slice whole;
    bool replaced = false;
    read_text(CORPUS "/features.txt", &text);
    AUTO(buf_auto) buf other;
    buf_init(&other, NULL, 1 << 20);
    whole = buf_view(&text);
    size_t name = strcspn(line, ":") + 1;
    while (whole.ptr != NULL && whole.len > 0) {
        slice next = slice_next(&whole, '\n');
        bool same = slice_starts(next, (slice) { line, name });
        replaced = replaced || same;
        buf_add(&other, same ? sqlc_text(line) : next);
        buf_add_char(&other, '\n');
    }
    buf_add_str(&other, replaced ? "" : line);
    printf("# expected:\n");
    return features_faults(&world.set.ir, buf_view(&other));
}

static void the_register_notices_mistakes(void)
{
    REQUIRE(ready());
    CHECK_INT(faults_of_line("COPY in: FeatureCopy CopyPeople CopyArrays"), 0);
    CHECK_INT(faults_of_line("COPY in: FeatureCopy CopyPeople"), 1);        /* too few */
    CHECK_INT(faults_of_line("COPY in:"), 1);                               /* none */
    CHECK_INT(faults_of_line("COPY in: FeatureCopy CopyPeople Gone"), 1);   /* no such query */
    CHECK_INT(faults_of_line("COPY in: FeatureCopy CopyPeople Counts"), 1); /* no :copyfrom */
    CHECK_INT(faults_of_line("COPY out: FeatureCopy CopyPeople CopyArrays"), 1);
    CHECK_INT(faults_of_line("diff/check in CI: \"pg/t-sqlc-repo.c: no case\""), 1);
    CHECK_INT(faults_of_line("diff/check in CI: \"pg/t-gone.c: no file\""), 1);
    CHECK_INT(faults_of_line("diff/check in CI: FeatureCopy"), 1); /* no test */
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
         TAP("corpus: pessimistic columns stand in the register", pessimism_is_registered),
         TAP("corpus: every feature is covered", every_feature_is_covered),
         TAP("corpus: the register of features notices mistakes", the_register_notices_mistakes),
         TAP("corpus: a second analysis gives the same bytes", a_second_run_gives_the_same),
         TAP("corpus: the folder is removed", cleans_up))
