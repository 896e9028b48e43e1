/* The compiler from files to a running program: generated code is compiled in four ways with strict
 * warnings, linked, and run against the server. */
#include "base/prelude.h"

#include <pgc/conn.h>

#include "base/file.h"
#include "sqlc/command.h"

#include "compiler.h"
#include "pg.h"
#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

#define BASIC TEST_SOURCE_ROOT "/tests/sqlc/basic"

static void write_file(const tmpdir *dir, const char *name, const char *text)
{
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_write_atomic(env_default(), dir->fd, name, sqlc_text(text), 0644, &err),
                 PGC_OK, &err);
}

/* A config in the folder that reads the fixture and writes to out/. */
static void write_basic_config(const tmpdir *dir)
{
    write_file(dir, "sqlc.yaml",
               "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: " BASIC
               "/schema.sql\n    queries: " BASIC
               "/queries\n    codegen:\n      - plugin: c\n        out: out\n        options: "
               "{prefix: lib, emit_interface: true}\n");
}

typedef pgc_status (*command_fn)(const env *env, arena *arena, const command_options *options,
                                 command_result *result, pgc_error *err);

/* Run a command in a folder; text gets what it printed (in the bench's arena). */
static pgc_status run(command_fn command, const tmpdir *dir, command_options options,
                      sqlc_bench *bench, bool *different, const char **text)
{
    pgc_error err = PGC_ZERO;
    command_result result;
    command_result_init(&result, bench->arena);
    options.config = arena_printf(bench->arena, "%s/sqlc.yaml", dir->path);
    options.database = options.database == NULL ? test_server() : options.database;
    pgc_status status = command(env_default(), bench->arena, &options, &result, &err);
    if (status != PGC_OK) {
        printf("# status %d: %s\n", (int) status, err.message);
    }
    bench->diags = result.diags;
    *different = result.different;
    *text = arena_copy(bench->arena, buf_view(&result.out));
    command_result_done(&result);
    return status;
}

/* The fixture's schema in a fresh database. */
static void apply_schema(const char *url)
{
    AUTO(buf_auto) buf sql;
    pgc_conn *conn = NULL;
    pgc_error err = PGC_ZERO;
    pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    buf_init(&sql, NULL, 1 << 20);
    REQUIRE_OK(file_read(env_default(), AT_FDCWD, BASIC "/schema.sql", &sql, &err), &err);
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    CHECK_STATUS(pgc_conn_script(conn, sql.ptr, 0, NULL, &err), PGC_OK, &err);
    pgc_conn_close(conn);
}

/* Compile fixture program and generated code, link, run on a fresh database. */
static void build_and_run(const tmpdir *dir, const char *compiler, const char *language,
                          const char *standard)
{
    char out[128];
    char program[128];
    char sources[4][160];
    static const char *const NAMES[] = { "models.c", "authors.c", "books.c", "interface.c" };
    (void) snprintf(out, sizeof out, "-I%s/out", dir->path);
    (void) snprintf(program, sizeof program, "%s/program", dir->path);
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        (void) snprintf(sources[i], sizeof sources[i], "%s/out/%s", dir->path, NAMES[i]);
    }
    const char *argv[] = { compiler,
                           "-x",
                           language,
                           standard,
                           COMPILER_STRICT,
                           out,
                           sources[0],
                           sources[1],
                           sources[2],
                           sources[3],
                           "-I",
                           BASIC,
                           BASIC "/main.c",
                           BASIC "/service.c",
                           COMPILER_LINK,
                           "-o",
                           program,
                           NULL };
    REQUIRE(compiler_run(argv) == 0);
    const char *url = test_db_create();
    REQUIRE(url != NULL);
    apply_schema(url);
    const char *run_it[] = { program, url, NULL };
    CHECK_INT(compiler_run(run_it), 0);
}

static void generated_code_runs(void)
{
    static const struct {
        const char *compiler, *language, *standard;
    } MODES[] = { { "gcc", "c", "-std=c11" },
                  { "clang", "c", "-std=c11" },
                  { "g++", "c++", "-std=c++17" },
                  { "clang++", "c++", "-std=c++17" } };
    tmpdir dir = tmpdir_make();
    sqlc_bench bench = sqlc_bench_make(NULL);
    const char *text = NULL;
    bool different = false;
    write_basic_config(&dir);
    CHECK_INT(run(command_generate, &dir, (command_options) { 0 }, &bench, &different, &text),
              PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    for (size_t i = 0; i < ARRAY_LEN(MODES); i++) {
        /* A build with sanitizers links with its own compiler only. */
        bool clang = MODES[i].compiler[0] == 'c';
        if (clang &&
            (strcmp(TEST_LINK_ARG, "-g") != 0 || !compiler_is_installed(MODES[i].compiler))) {
            printf("# %s left out\n", MODES[i].compiler);
            continue;
        }
        build_and_run(&dir, MODES[i].compiler, MODES[i].language, MODES[i].standard);
    }
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

static void second_run_touches_nothing(void)
{
    tmpdir dir = tmpdir_make();
    sqlc_bench bench = sqlc_bench_make(NULL);
    const char *text = NULL;
    bool different = true;
    write_basic_config(&dir);
    CHECK_INT(run(command_generate, &dir, (command_options) { 0 }, &bench, &different, &text),
              PGC_OK);
    CHECK(strstr(text, "out/authors.h\n") != NULL);
    CHECK_INT(run(command_generate, &dir, (command_options) { 0 }, &bench, &different, &text),
              PGC_OK);
    CHECK_STR(text, "");
    CHECK_INT(run(command_check, &dir, (command_options) { 0 }, &bench, &different, &text), PGC_OK);
    CHECK(!different);
    CHECK_INT(
        run(command_check, &dir, (command_options) { .offline = true }, &bench, &different, &text),
        PGC_OK);
    CHECK_STR(text, "");
    CHECK(!different);
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

static const char SMALL_CONFIG[] = "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: "
                                   "s.sql\n    queries: q\n    codegen:\n"
                                   "      - {plugin: c, out: out, options: {prefix: p}}\n";
static const char SMALL_SCHEMA[] = "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, note "
                                   "text, words pg_snapshot);\n";

/* Folder with a small project. */
static tmpdir small_project(const char *schema, const char *query)
{
    tmpdir dir = tmpdir_make();
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_mkdirs(env_default(), dir.fd, "q", 0755, false, &err), PGC_OK, &err);
    write_file(&dir, "sqlc.yaml", SMALL_CONFIG);
    write_file(&dir, "s.sql", schema);
    if (query != NULL) {
        write_file(&dir, "q/a.sql", query);
    }
    return dir;
}

static void changes_are_found(void)
{
    tmpdir dir = small_project(SMALL_SCHEMA, "-- name: A :many\nSELECT id FROM t;\n");
    sqlc_bench bench = sqlc_bench_make(NULL);
    const char *text = NULL;
    bool different = false;
    const command_options offline = { .offline = true };
    const command_options online = { 0 };
    CHECK_INT(run(command_check, &dir, online, &bench, &different, &text), PGC_OK);
    CHECK(different);
    CHECK(strstr(text, "out/a.h: missing\n") != NULL);
    CHECK_INT(run(command_check, &dir, offline, &bench, &different, &text), PGC_OK);
    CHECK_STR(text, "out/sqlc-manifest.json: missing\n");
    CHECK_INT(run(command_generate, &dir, online, &bench, &different, &text), PGC_OK);

    write_file(&dir, "q/a.sql", "-- name: A :many\nSELECT id + 1 AS id FROM t;\n");
    CHECK_INT(run(command_check, &dir, online, &bench, &different, &text), PGC_OK);
    CHECK(different);
    CHECK(strstr(text, "out/a.c: stale\n") != NULL);
    CHECK_INT(run(command_check, &dir, offline, &bench, &different, &text), PGC_OK);
    CHECK_STR(text, "q/a.sql: changed since the last generate\n");
    CHECK_INT(run(command_diff, &dir, online, &bench, &different, &text), PGC_OK);
    CHECK(different);
    CHECK(strstr(text, "--- a/out/a.c\n+++ b/out/a.c\n@@ ") != NULL);
    CHECK(strstr(text, "\n-    \"SELECT id FROM t\",\n") != NULL);
    CHECK(strstr(text, "\n+    \"SELECT id + 1 AS id FROM t\",\n") != NULL);

    CHECK_INT(run(command_generate, &dir, online, &bench, &different, &text), PGC_OK);
    write_file(&dir, "out/a.h", "/* edited */\n");
    CHECK_INT(run(command_check, &dir, offline, &bench, &different, &text), PGC_OK);
    CHECK_STR(text, "a.h: edited by hand\n");
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

static void stale_files_go(void)
{
    tmpdir dir = small_project(SMALL_SCHEMA, "-- name: A :many\nSELECT id FROM t;\n");
    sqlc_bench bench = sqlc_bench_make(NULL);
    const char *text = NULL;
    bool different = false;
    write_file(&dir, "q/b.sql", "-- name: B :many\nSELECT id FROM t;\n");
    CHECK_INT(run(command_generate, &dir, (command_options) { 0 }, &bench, &different, &text),
              PGC_OK);
    CHECK(file_exists(env_default(), dir.fd, "out/b.c"));
    write_file(&dir, "out/mine.c", "int x;\n");
    REQUIRE(unlinkat(dir.fd, "q/b.sql", 0) == 0);
    CHECK_INT(run(command_generate, &dir, (command_options) { 0 }, &bench, &different, &text),
              PGC_OK);
    CHECK(!file_exists(env_default(), dir.fd, "out/b.c"));
    CHECK(!file_exists(env_default(), dir.fd, "out/b.h"));
    CHECK(file_exists(env_default(), dir.fd, "out/mine.c"));
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

static void explain_tells_why(void)
{
    tmpdir dir = small_project(SMALL_SCHEMA, "-- name: A :one\nSELECT name, note FROM t WHERE id = "
                                             "@id;\n");
    sqlc_bench bench = sqlc_bench_make(NULL);
    const char *text = NULL;
    bool different = false;
    CHECK_INT(
        run(command_explain, &dir, (command_options) { .query = "A" }, &bench, &different, &text),
        PGC_OK);
    CHECK(strstr(text, "A :one  q/a.sql:1\n") == text);
    CHECK(strstr(text, "not NULL  t.name is NOT NULL") != NULL);
    CHECK(strstr(text, "nullable  t.note is nullable") != NULL);
    CHECK_INT(run(command_explain, &dir, (command_options) { .query = "A", .json = true }, &bench,
                  &different, &text),
              PGC_OK);
    CHECK(strstr(text, "\"hash\"") != NULL);
    write_file(&dir, "q/b.sql", "-- name: ListNames :many\nSELECT name FROM t;\n");
    CHECK_INT(
        run(command_explain, &dir, (command_options) { .query = "B" }, &bench, &different, &text),
        PGC_NOT_FOUND);
    pgc_error err = PGC_ZERO;
    const command_options near = { .database = test_server(),
                                   .query = "list_names",
                                   .config = arena_printf(bench.arena, "%s/sqlc.yaml", dir.path) };
    command_result result;
    command_result_init(&result, bench.arena);
    CHECK_INT(command_explain(env_default(), bench.arena, &near, &result, &err), PGC_NOT_FOUND);
    CHECK_STR(err.hint, "did you mean ListNames?");
    command_result_done(&result);
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

/* Both orders of tables on the server and both ways to name a server give the same bytes. */
static void output_is_the_same_everywhere(void)
{
    tmpdir dir =
        small_project("CREATE TABLE b (id int); CREATE TYPE e AS ENUM ('x'); CREATE TABLE a "
                      "(id int, e e);",
                      "-- name: ListA :many\nSELECT * FROM a;\n");
    sqlc_bench bench = sqlc_bench_make(NULL);
    const char *text = NULL;
    bool different = false;
    CHECK_INT(
        run(command_generate, &dir, (command_options) { .keep = true }, &bench, &different, &text),
        PGC_OK);
    CHECK_INT(
        run(command_check, &dir, (command_options) { .keep = true }, &bench, &different, &text),
        PGC_OK);
    CHECK(!different);
    CHECK_INT(run(command_check, &dir, (command_options) { 0 }, &bench, &different, &text), PGC_OK);
    CHECK(!different);
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

/* The database that --keep left behind on the shared server. */
static void drop_kept(void)
{
    pgc_conn *conn = NULL;
    pgc_conn_options options = { .struct_size = sizeof options, .conninfo = test_server() };
    pgc_error err = PGC_ZERO;
    pgc_result *result = NULL;
    pgc_reader reader;
    static const pgc_query query = { .name = "kept" };
    REQUIRE_OK(pgc_conn_open(&options, &conn, &err), &err);
    CHECK_STATUS(pgc_conn_script(conn,
                                 "SELECT format('DROP DATABASE %I', datname) FROM pg_database "
                                 "WHERE datname ~ '^sqlc_[0-9a-f]{32}$'",
                                 0, &result, &err),
                 PGC_OK, &err);
    CHECK(pgc_result_rows(result) >= 1);
    pgc_reader_init(&reader, result, &query);
    for (size_t i = 0; i < pgc_result_rows(result); i++) {
        CHECK_STATUS(pgc_conn_script(conn, pgc_read_text(&reader, i, 0).ptr, 0, NULL, &err), PGC_OK,
                     &err);
    }
    pgc_result_free(result);
    pgc_conn_close(conn);
}

static void kept_databases_serve_again(void)
{
    output_is_the_same_everywhere();
    drop_kept();
}

TAP_MAIN(TAP("generated code compiles as C11 and C++17 with two compilers and runs",
             generated_code_runs),
         TAP("a second run writes nothing and check agrees", second_run_touches_nothing),
         TAP("check and diff find what changed, also offline", changes_are_found),
         TAP("files of removed queries are removed, others stay", stale_files_go),
         TAP("explain gives the reason of each claim", explain_tells_why),
         TAP("a kept database is used again and gives the same output", kept_databases_serve_again))
