/* The program on bad input: each mistake gives file:line:col, a hint and exit status 1, and the
 * files of the last good run keep their bytes and time stamps. */
#include "base/prelude.h"

#include <sys/stat.h>

#include "base/proc.h"

#include "scratch.h"
#include "server.h"
#include "sqlc_project.h"

#define PROGRAM TEST_BUILD_ROOT "/sqlc-gen-c"

static const char CONFIG[] = "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    "
                             "queries: q\n    codegen:\n"
                             "      - {plugin: c, out: out, options: {prefix: p}}\n";
static const char SCHEMA[] = "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL);\n";
static const char QUERY[] = "-- name: A :many\nSELECT id FROM t;\n";

static const char *const OUTPUTS[] = { "out/a.h", "out/a.c", "out/models.h", "out/models.c",
                                       "out/sqlc-manifest.json" };

typedef struct mistake {
    const char *what, *file, *text;
    const char *want, *hint; /* of stderr */
} mistake;

static const mistake MISTAKES[] = {
    { "unknown column", "q/a.sql", "-- name: A :many\nSELECT id,\n  nmae FROM t;\n",
      "q/a.sql:3:3: column \"nmae\" does not exist", "name" },
    { "wrong type", "q/a.sql", "-- name: A :many\nSELECT id FROM t WHERE id = @x::text;\n",
      "q/a.sql:2:27: operator does not exist: integer = text", "cast" },
    { "ambiguous parameter", "q/a.sql", "-- name: A :one\nSELECT @a + @b AS x;\n",
      "q/a.sql:2:11: operator is not unique: unknown + unknown", "cast" },
    { "parameter without type", "q/a.sql", "-- name: A :one\nSELECT id FROM t WHERE @a IS NULL;\n",
      "q/a.sql:2:1: could not determine data type of parameter $1", "cast" },
    { "duplicate name", "q/b.sql", "-- name: A :exec\nDELETE FROM t;\n",
      "q/b.sql:1:1: duplicate query name: A", "q/a.sql:1" },
    { "unterminated string", "q/a.sql", "-- name: A :one\nSELECT 'x;\n",
      "q/a.sql:2:8: unterminated string", "close it" },
    { "unknown annotation", "q/a.sql", "-- name: A :some\nSELECT 1;\n",
      "q/a.sql:1:12: invalid query type: :some", ":one" },
    { "annotation with a slip", "q/a.sql", "-- name: A :many\n-- @optinal x\nSELECT id FROM t;\n",
      "q/a.sql:2:1: unknown annotation: @optinal", "did you mean @optional?" },
    { "block with a slip", "q/a.sql",
      "-- name: A :many\nSELECT id FROM t WHERE true /*@iff x*/ AND id = @x /*@edn*/;\n",
      "q/a.sql:2:29: unknown block: neither @if", "/*@if name*/" },
    { "block with a blank", "q/a.sql",
      "-- name: A :many\nSELECT id FROM t WHERE true /*@ if x*/ AND id = @x /*@ end*/;\n",
      "q/a.sql:2:29: unknown block: neither @if", "/*@if name*/" },
    { "invalid UTF-8", "q/a.sql", "-- name: A :one\nSELECT '\xC3' AS x;\n",
      "q/a.sql:2:9: invalid UTF-8", "iconv" },
    { "empty file", "q/b.sql", "", "q/b.sql:1:1: no queries in this file", "-- name:" },
    { "no semicolon", "q/a.sql", "-- name: A :one\nSELECT 1 AS x\n",
      "q/a.sql:3:1: missing semicolon at end of file", "end each query" },
    { "unknown type", "s.sql", "CREATE TABLE t (id vector(3));\n",
      "s.sql:1:20: type \"vector\" does not exist", "CREATE EXTENSION" },
    { "missing extension", "s.sql", "CREATE TABLE t (id int);\nCREATE EXTENSION nothing_like_it;\n",
      "s.sql:2:1: ", "package" },
    { "unknown key of the config", "sqlc.yaml", "version: \"2\"\nsqll: []\n",
      "sqlc.yaml:2:1: unknown key \"sqll\"", "keys here are version, plugins, sql, " },
    { "config that is no YAML", "sqlc.yaml", "version: \"2\"\n  sql: [\n", "sqlc.yaml:2:3: ", "" },
};

typedef struct ran {
    int code;
    const char *output;
} ran;

/* url NULL: the one of the config. */
static ran run_command(sqlc_project *p, const char *command, const char *argument, const char *url)
{
    AUTO(buf_auto) buf output;
    pgc_error err = PGC_ZERO;
    ran r = { .code = -1 };
    const char *argv[6] = { PROGRAM, command };
    size_t count = 2;
    if (argument != NULL) {
        argv[count++] = argument;
    }
    if (url != NULL) {
        argv[count++] = "--database";
        argv[count] = url;
    }
    buf_init(&output, NULL, 1 << 20);
    const proc_options options = {
        .argv = argv, .dir = p->dir.path, .output = &output, .timeout_us = 60 * 1000000LL
    };
    CHECK_STATUS(proc_run(env_default(), &options, &r.code, &err), PGC_OK, &err);
    r.output = arena_copy(p->bench.arena, buf_view(&output));
    return r;
}

static ran generate(sqlc_project *p, const char *url)
{
    return run_command(p, "generate", NULL, url);
}

typedef struct output_file {
    const char *text;
    struct timespec changed;
    ino_t inode;
} output_file;

static void read_outputs(sqlc_project *p, output_file *out)
{
    for (size_t i = 0; i < ARRAY_LEN(OUTPUTS); i++) {
        struct stat info = { 0 };
        CHECK_INT(fstatat(p->dir.fd, OUTPUTS[i], &info, 0), 0);
        out[i] = (output_file) { project_read(p, OUTPUTS[i]), info.st_mtim, info.st_ino };
    }
}

static void check_untouched(sqlc_project *p, const output_file *before)
{
    output_file now[ARRAY_LEN(OUTPUTS)];
    read_outputs(p, now);
    for (size_t i = 0; i < ARRAY_LEN(OUTPUTS); i++) {
        CHECK(strcmp(now[i].text, before[i].text) == 0);
        CHECK(now[i].inode == before[i].inode);
        CHECK(now[i].changed.tv_sec == before[i].changed.tv_sec &&
              now[i].changed.tv_nsec == before[i].changed.tv_nsec);
    }
}

static sqlc_project good_project(output_file *before)
{
    sqlc_project p = project_make(CONFIG, SCHEMA, QUERY);
    ran r = generate(&p, test_server());
    CHECK_INT(r.code, 0);
    read_outputs(&p, before);
    return p;
}

static void mistakes_leave_the_outputs_alone(void)
{
    output_file before[ARRAY_LEN(OUTPUTS)];
    sqlc_project p = good_project(before);
    for (size_t i = 0; i < ARRAY_LEN(MISTAKES); i++) {
        const mistake *m = &MISTAKES[i];
        project_write(&p, m->file, m->text);
        ran r = generate(&p, test_server());
        bool found = CHECK_INT(r.code, 1) && CHECK(strstr(r.output, m->want) == r.output);
        found = CHECK(m->hint[0] == '\0' || strstr(r.output, "\n  hint: ") != NULL) && found;
        found = CHECK(strstr(r.output, m->hint) != NULL) && found;
        if (!found) {
            printf("# %s: exit status %d: %s\n", m->what, r.code, r.output);
        }
        check_untouched(&p, before);
        project_write(&p, "sqlc.yaml", CONFIG);
        project_write(&p, "s.sql", SCHEMA);
        project_write(&p, "q/a.sql", QUERY);
        (void) unlinkat(p.dir.fd, "q/b.sql", 0);
    }
    CHECK_INT(generate(&p, test_server()).code, 0);
    check_untouched(&p, before);
    project_done(&p);
}

/* The URL of the test server with one parameter more; a later one counts. */
static const char *server_with(sqlc_project *p, const char *parameter)
{
    const char *url = test_server();
    bool uri = strstr(url, "://") != NULL;
    const char *between = !uri ? " " : strchr(url, '?') == NULL ? "?" : "&";
    return arena_printf(p->bench.arena, "%s%s%s", url, between, parameter);
}

typedef struct bad_server {
    const char *what, *server, *want, *hint;
} bad_server;

/* Exit status, place, message, hint; `place` is what comes before the message. */
static void check_refused(const bad_server *bad, ran r, const char *place)
{
    bool found = CHECK_INT(r.code, 1) && CHECK(strncmp(r.output, place, strlen(place)) == 0);
    found = CHECK(strstr(r.output, bad->want) != NULL) && found;
    found = CHECK(strstr(r.output, "\n  hint: ") != NULL) && found;
    found = CHECK(strstr(r.output, bad->hint) != NULL) && found;
    found = CHECK(strstr(r.output, "geheim") == NULL) && found; /* a password */
    if (!found) {
        printf("# %s: exit status %d: %s\n", bad->what, r.code, r.output);
    }
}

/* A server that cannot be used is shown where it is named, whatever the command. */
static void a_server_that_cannot_be_used_has_a_place(void)
{
    output_file before[ARRAY_LEN(OUTPUTS)];
    sqlc_project p = good_project(before);
    arena *mem = p.bench.arena;
    const char *role = arena_printf(mem, "sqlc_bad_%ld", (long) getpid());
    pgc_conn *admin = scratch_connect(test_server());
    REQUIRE(scratch_run(admin, arena_printf(mem, "CREATE ROLE %s LOGIN", role)));
    const bad_server all[] = {
        { "away", arena_printf(mem, "postgresql://x:geheim@/x?host=%s", p.dir.path), p.dir.path,
          "--database URL" },
        { "refused", "postgresql://x:geheim@127.0.0.1:1/x", "Connection refused",
          "--database URL" },
        { "no such database", server_with(&p, "dbname=no_such_one"),
          "database \"no_such_one\" does not exist", "\"postgres\"" },
        { "no such user", server_with(&p, "user=no_such_one"),
          "role \"no_such_one\" does not exist", "user and password" },
        { "may not create databases", server_with(&p, arena_printf(mem, "user=%s", role)),
          "permission denied to create database", "CREATEDB" },
        { "unknown keyword", "hots=x password=geheim", "unknown keyword \"hots\"", "host=" },
        { "no connection string", "nonsense", "cannot be parsed", "postgresql://USER@HOST" },
    };
    project_write(&p, "q/a.sql", "-- name: A :many\nSELECT id + 1 AS id FROM t;\n");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        check_refused(&all[i], generate(&p, all[i].server), "--database:1:1: ");
        project_write(
            &p, "sqlc.yaml",
            arena_printf(mem, "%s    database:\n      uri: '%s'\n", CONFIG, all[i].server));
        check_refused(&all[i], generate(&p, NULL), "sqlc.yaml:9:12: ");
        check_untouched(&p, before);
    }
    static const char *const OTHERS[][2] = { { "check", NULL },
                                             { "diff", NULL },
                                             { "explain", "A" },
                                             { "vet", NULL },
                                             { "verify", "out/sqlc-manifest.json" } };
    for (size_t i = 0; i < ARRAY_LEN(OTHERS); i++) {
        check_refused(&all[ARRAY_LEN(all) - 1], run_command(&p, OTHERS[i][0], OTHERS[i][1], NULL),
                      "sqlc.yaml:9:12: ");
    }
    check_untouched(&p, before);
    CHECK(scratch_run(admin, arena_printf(mem, "DROP ROLE %s", role)));
    pgc_conn_close(admin);
    project_done(&p);
}

/* Older configs name it, too; a variable is nobody's file. */
static void every_way_to_name_a_server_is_a_place(void)
{
    static const char OLD[] = "{\"version\": \"1\", \"packages\": [{\"path\": \"out\", "
                              "\"engine\": \"postgresql\",\n \"schema\": \"s.sql\", "
                              "\"queries\": \"q\", \"database\": {\"uri\": \"hots=x\"}}]}\n";
    const bad_server bad = { "named elsewhere", NULL, "unknown keyword \"hots\"", "host=" };
    sqlc_project p = project_make(OLD, SCHEMA, QUERY);
    check_refused(&bad, generate(&p, NULL), "sqlc.yaml:2:57: ");
    project_write(&p, "sqlc.yaml", CONFIG);
    CHECK_INT(setenv("SQLC_GEN_C_DATABASE", "hots=x", 1), 0);
    check_refused(&bad, generate(&p, NULL), "SQLC_GEN_C_DATABASE:1:1: ");
    CHECK_INT(unsetenv("SQLC_GEN_C_DATABASE"), 0);
    CHECK_STR(project_read(&p, "out/a.h"), "");
    project_done(&p);
}

/* Without a server named, what fails is the private one: at the entry that names none. */
static void a_private_server_that_cannot_start_has_a_place(void)
{
    const bad_server bad = { "no private server", NULL, "start a private PostgreSQL",
                             "--database URL" };
    sqlc_project p = project_make(CONFIG, SCHEMA, QUERY);
    const char *before = getenv("TMPDIR");
    const char *saved = before == NULL ? NULL : arena_strdup(p.bench.arena, before);
    project_write(&p, "file", "");
    CHECK_INT(setenv("TMPDIR", arena_printf(p.bench.arena, "%s/file", p.dir.path), 1), 0);
    check_refused(&bad, generate(&p, NULL), "sqlc.yaml:3:5: ");
    CHECK_INT(saved == NULL ? unsetenv("TMPDIR") : setenv("TMPDIR", saved, 1), 0);
    project_done(&p);
}

/* The test server lets everybody in, so this one asks. */
static void a_wrong_password_has_a_place_and_stays_secret(void)
{
    const bad_server bad = { "wrong password", NULL, "password authentication failed",
                             "user and password" };
    output_file before[ARRAY_LEN(OUTPUTS)];
    sqlc_project p = good_project(before);
    arena *mem = p.bench.arena;
    server s;
    REQUIRE(server_open(&s, ""));
    const char *where =
        arena_printf(mem, "host=127.0.0.1 port=%d dbname=postgres sslmode=disable", s.port);
    pgc_conn *admin = scratch_connect(arena_printf(mem, "%s user=postgres", where));
    CHECK(scratch_run(admin, "CREATE ROLE guarded LOGIN PASSWORD 'right'"));
    pgc_conn_close(admin);
    const char *wrong = arena_printf(mem, "%s user=guarded password=geheim", where);
    check_refused(&bad, generate(&p, wrong), "--database:1:1: ");
    project_write(&p, "sqlc.yaml",
                  arena_printf(mem, "%s    database: {uri: \"%s\"}\n", CONFIG, wrong));
    check_refused(&bad, generate(&p, NULL), "sqlc.yaml:8:21: ");
    check_untouched(&p, before);
    server_close(&s);
    project_done(&p);
}

static size_t times(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

/* The user's word counts; that the proof says something else is worth a line. */
static void words_against_a_proof_are_told(void)
{
    static const char YAML[] =
        "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    queries: q\n"
        "    codegen:\n      - plugin: c\n        out: out\n        options:\n"
        "          prefix: p\n          overrides:\n"
        "            - {column: t.id, nullable: true}\n"
        "            - {column: t.note, nullable: true}\n";
    sqlc_project p = project_make(YAML,
                                  "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, "
                                  "note text);",
                                  "-- name: A :many\n-- @nullable name note\n"
                                  "SELECT name, note, name AS \"other?\", id, id, id FROM t;\n");
    ran r = run_command(&p, "explain", "A", test_server());
    CHECK_INT(r.code, 0);
    CHECK_INT(times(r.output, "q/a.sql:2:1: warning: @nullable: column \"name\" is never NULL"), 1);
    CHECK_INT(times(r.output, "the proof: t.name is NOT NULL"), 2);
    CHECK_INT(times(r.output, "AS \"name?\": column \"other?\" is never NULL"), 1);
    CHECK_INT(times(r.output, "column \"note\""), 0);
    CHECK_INT(times(r.output, "two result columns are called \"id\""), 1);
    CHECK_INT(times(r.output, "warning"), 3);
    r = run_command(&p, "generate", NULL, test_server());
    CHECK_INT(r.code, 0);
    CHECK_INT(times(r.output, "sqlc.yaml:12:15: warning: override: column \"t.id\" is never NULL"),
              1);
    CHECK_INT(times(r.output, "warning"), 4);
    project_done(&p);
}

/* Each query has a warning; the errors of any stay. */
static void explain_warns_of_its_query_only(void)
{
    sqlc_project p = project_make(CONFIG, SCHEMA,
                                  "-- name: A :many\nSELECT id, id FROM t;\n"
                                  "-- name: B :many\nSELECT name,\n name FROM t;\n"
                                  "-- name: C :many\nSELECT id, id FROM t;\n");
    ran r = run_command(&p, "explain", "B", test_server());
    CHECK_INT(r.code, 0);
    CHECK(strstr(r.output, "q/a.sql:4:1: warning: two result columns are called \"name\"") != NULL);
    CHECK(strstr(r.output, "called \"id\"") == NULL);
    CHECK(strstr(r.output, "B :many  q/a.sql:3") != NULL);
    r = run_command(&p, "explain", "C", test_server());
    CHECK(strstr(r.output, "q/a.sql:7:1: warning") != NULL);
    CHECK(strstr(r.output, "q/a.sql:2:1: warning") == NULL);
    project_write(&p, "q/b.sql", "-- name: D :many\nSELECT nope FROM t;\n");
    r = run_command(&p, "explain", "B", test_server());
    CHECK_INT(r.code, 1);
    CHECK(strstr(r.output, "q/b.sql:2:8: column \"nope\" does not exist") != NULL);
    project_done(&p);
}

TAP_MAIN(TAP("mistakes have a place and a hint, and leave the outputs alone",
             mistakes_leave_the_outputs_alone),
         TAP("a server that cannot be used has a place", a_server_that_cannot_be_used_has_a_place),
         TAP("a wrong password has a place and stays secret",
             a_wrong_password_has_a_place_and_stays_secret),
         TAP("words against a proof are told", words_against_a_proof_are_told),
         TAP("explain warns of its query only", explain_warns_of_its_query_only),
         TAP("every way to name a server is a place", every_way_to_name_a_server_is_a_place),
         TAP("a private server that cannot start has a place",
             a_private_server_that_cannot_start_has_a_place))
