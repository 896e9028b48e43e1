/* The program's command line: exit status 2 for wrong usage, 1 for failure, messages in form. */
#include "base/prelude.h"

#include "base/file.h"
#include "base/proc.h"

#include "tap.h"
#include "tmpdir.h"

#define PROGRAM TEST_BUILD_ROOT "/sqlc-gen-c"

typedef struct ran {
    int code;
    buf output; /* of both streams */
} ran;

/* Run in a folder with up to three arguments; NULL ends them. */
static ran run(const tmpdir *dir, const char *a, const char *b, const char *c)
{
    ran r = { .code = -1 };
    const char *argv[] = { PROGRAM, a, b, c, NULL };
    pgc_error err = PGC_ZERO;
    buf_init(&r.output, NULL, 1 << 20);
    proc_options options = {
        .argv = argv, .dir = dir->path, .output = &r.output, .timeout_us = 60 * 1000000LL
    };
    CHECK_STATUS(proc_run(env_default(), &options, &r.code, &err), PGC_OK, &err);
    return r;
}

static void expect(const char *a, const char *b, const char *c, int code, const char *words)
{
    tmpdir dir = tmpdir_make();
    ran r = run(&dir, a, b, c);
    CHECK_INT(r.code, code);
    CHECK(r.output.ptr != NULL && strstr(r.output.ptr, words) != NULL);
    if (r.output.ptr == NULL || strstr(r.output.ptr, words) == NULL) {
        printf("# output: %s\n", r.output.ptr == NULL ? "(none)" : r.output.ptr);
    }
    buf_done(&r.output);
    tmpdir_remove(&dir);
}

static void help_and_version_are_free(void)
{
    expect("help", NULL, NULL, 0, "usage: sqlc-gen-c COMMAND");
    expect("--help", NULL, NULL, 0, "explain QUERY");
    expect("version", NULL, NULL, 0, "sqlc-gen-c " LUM_VERSION "\n");
}

static void every_command_has_its_own_help(void)
{
    static const struct {
        const char *name, *usage, *own;
    } COMMANDS[] = {
        { "generate", "usage: sqlc-gen-c generate [OPTIONS]\n", "  --offline " },
        { "check", "usage: sqlc-gen-c check [OPTIONS]\n", "  --offline " },
        { "diff", "usage: sqlc-gen-c diff [OPTIONS]\n", "  --database URL" },
        { "explain", "usage: sqlc-gen-c explain QUERY [OPTIONS]\n", "  --json " },
        { "vet", "usage: sqlc-gen-c vet [OPTIONS]\n", "Exit 1 when a query breaks" },
        { "verify", "usage: sqlc-gen-c verify FILE|REVISION [OPTIONS]\n", "git revision" },
        { "init", "usage: sqlc-gen-c init [OPTIONS]\n", "Writes sqlc.yaml" },
    };
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        expect(COMMANDS[i].name, "--help", NULL, 0, COMMANDS[i].usage);
        expect(COMMANDS[i].name, "--json", "-h", 0, COMMANDS[i].own);
        expect("help", COMMANDS[i].name, NULL, 0, COMMANDS[i].usage);
    }
    expect("help", "version", NULL, 0, "usage: sqlc-gen-c version\n");
    expect("version", "--help", NULL, 0, "usage: sqlc-gen-c version\n");
    expect("help", "help", NULL, 0, "usage: sqlc-gen-c help [COMMAND]\n");
    expect("help", "generat", NULL, 2, "unknown command \"generat\"");
}

static void wrong_usage_is_status_two(void)
{
    expect(NULL, NULL, NULL, 2, "usage:");
    expect("generat", NULL, NULL, 2, "unknown command \"generat\"");
    expect("generate", "--colour", NULL, 2, "unknown option \"--colour\"");
    expect("generate", "-f", NULL, 2, "needs a value");
    expect("generate", "--database", NULL, 2, "needs a value");
    expect("generate", "extra", NULL, 2, "unexpected argument \"extra\"");
    expect("explain", NULL, NULL, 2, "needs the name of a query");
    expect("verify", NULL, NULL, 2, "needs an older manifest or revision");
    expect("diff", "--offline", NULL, 2, "check and generate only");
    expect("check", "--json", NULL, 2, "--json works with generate,");
    expect("diff", "--json", NULL, 2, "--json works with generate,");
}

static void failures_are_status_one(void)
{
    expect("check", NULL, NULL, 1, "sqlc.yaml:1:1: no config file in this folder\n  hint: ");
    expect("check", "-f", "no.yaml", 1, "no.yaml:1:1: ");
    expect("check", "--file=no.yaml", NULL, 1, "no.yaml:1:1: ");
}

static void verbose_shows_the_line(void)
{
    static const char CONFIG[] =
        "version: \"2\"\nsql:\n  - engine: postgresql\n    queries: q.sql\n"
        "    codegen: [{plugin: c, out: out, options: {prefix: p}}]\n";
    static const char QUERY[] = "-- name: A :one\nSELECT 'ä', \"b;\n";
    tmpdir dir = tmpdir_make();
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_write_atomic(env_default(), dir.fd, "sqlc.yaml",
                                   (slice) { CONFIG, sizeof CONFIG - 1 }, 0644, &err),
                 PGC_OK, &err);
    CHECK_STATUS(file_write_atomic(env_default(), dir.fd, "q.sql",
                                   (slice) { QUERY, sizeof QUERY - 1 }, 0644, &err),
                 PGC_OK, &err);
    ran r = run(&dir, "generate", NULL, NULL);
    CHECK_INT(r.code, 1);
    CHECK_STR(r.output.ptr, "q.sql:2:13: unterminated quoted identifier\n"
                            "  hint: close it; what follows was not looked at\n");
    buf_done(&r.output);
    r = run(&dir, "generate", "--verbose", NULL);
    CHECK_INT(r.code, 1);
    CHECK_STR(r.output.ptr, "q.sql:2:13: unterminated quoted identifier\n"
                            "      2 | SELECT 'ä', \"b;\n"
                            "        |             ^\n"
                            "  hint: close it; what follows was not looked at\n");
    buf_done(&r.output);
    tmpdir_remove(&dir);
}

static void init_writes_a_config_once(void)
{
    tmpdir dir = tmpdir_make();
    ran r = run(&dir, "init", NULL, NULL);
    CHECK_INT(r.code, 0);
    CHECK_STR(r.output.ptr, "sqlc.yaml\n");
    buf_done(&r.output);
    CHECK(file_exists(env_default(), dir.fd, "sqlc.yaml"));
    r = run(&dir, "init", NULL, NULL);
    CHECK_INT(r.code, 1);
    CHECK(r.output.ptr != NULL && strstr(r.output.ptr, "already there") != NULL);
    buf_done(&r.output);
    /* The config is sound: what is missing are the files that it names. */
    r = run(&dir, "check", "--offline", NULL);
    CHECK_INT(r.code, 1);
    CHECK(r.output.ptr != NULL && strstr(r.output.ptr, "db/schema:1:1: cannot read") != NULL);
    buf_done(&r.output);
    tmpdir_remove(&dir);
}

TAP_MAIN(TAP("help and version", help_and_version_are_free),
         TAP("every command has its own help", every_command_has_its_own_help),
         TAP("wrong usage is exit status 2", wrong_usage_is_status_two),
         TAP("failures are exit status 1 with file, line and column", failures_are_status_one),
         TAP("--verbose shows the line and the place in it", verbose_shows_the_line),
         TAP("init writes a config, but only once", init_writes_a_config_once))
