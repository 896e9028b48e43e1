/* The program on bad input: each mistake gives file:line:col, a hint and exit status 1, and the
 * files of the last good run keep their bytes and time stamps. */
#include "base/prelude.h"

#include <sys/stat.h>

#include "base/proc.h"

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
    { "invalid UTF-8", "q/a.sql", "-- name: A :one\nSELECT '\xC3' AS x;\n",
      "q/a.sql:2:9: invalid UTF-8", "iconv" },
    { "empty file", "q/b.sql", "", "q/b.sql:1:1: no queries in this file", "-- name:" },
    { "missing extension", "s.sql", "CREATE TABLE t (id int);\nCREATE EXTENSION nothing_like_it;\n",
      "s.sql:2:1: ", "package" },
    { "unknown key of the config", "sqlc.yaml", "version: \"2\"\nsqll: []\n",
      "sqlc.yaml:2:1: unknown key \"sqll\"", "keys here" },
    { "config that is no YAML", "sqlc.yaml", "version: \"2\"\n  sql: [\n", "sqlc.yaml:2:3: ", "" },
};

typedef struct ran {
    int code;
    const char *output;
} ran;

static ran generate(sqlc_project *p, const char *server)
{
    AUTO(buf_auto) buf output;
    pgc_error err = PGC_ZERO;
    ran r = { .code = -1 };
    const char *argv[] = { PROGRAM, "generate", "--database", server, NULL };
    buf_init(&output, NULL, 1 << 20);
    const proc_options options = {
        .argv = argv, .dir = p->dir.path, .output = &output, .timeout_us = 60 * 1000000LL
    };
    CHECK_STATUS(proc_run(env_default(), &options, &r.code, &err), PGC_OK, &err);
    r.output = arena_copy(p->bench.arena, buf_view(&output));
    return r;
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

static void a_server_that_is_away_is_named(void)
{
    output_file before[ARRAY_LEN(OUTPUTS)];
    sqlc_project p = good_project(before);
    const char *nowhere = arena_printf(p.bench.arena, "host=%s connect_timeout=5", p.dir.path);
    project_write(&p, "q/a.sql", "-- name: A :many\nSELECT id + 1 AS id FROM t;\n");
    ran r = generate(&p, nowhere);
    CHECK_INT(r.code, 1);
    CHECK(strncmp(r.output, "sqlc-gen-c: ", 12) == 0);
    CHECK(strstr(r.output, p.dir.path) != NULL);
    CHECK(strstr(r.output, "--database URL") != NULL);
    check_untouched(&p, before);
    project_done(&p);
}

TAP_MAIN(TAP("mistakes have a place and a hint, and leave the outputs alone",
             mistakes_leave_the_outputs_alone),
         TAP("a server that is away is named", a_server_that_is_away_is_named))
