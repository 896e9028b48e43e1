/* Every key of sqlc.yaml wrong once: each mistake is reported where it stands, and nothing else is.
 */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"
#include "sqlc/config.h"

#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

typedef struct mistake {
    const char *text, *want;
} mistake;

#define HEAD    "version: \"2\"\n"
#define SQL     HEAD "sql:\n  - engine: postgresql\n    queries: q\n"
#define CODEGEN "    codegen:\n      - plugin: c\n        out: o\n        options:\n          "
#define GEN_C   "    gen:\n      c:\n        out: o\n        prefix: p\n        "
#define GOOD    CODEGEN "prefix: p\n"

static config_set *first_set(const char *text, sqlc_bench *bench, config *out)
{
    pgc_error err = PGC_ZERO;
    *bench = sqlc_bench_make(NULL);
    pgc_status status =
        config_parse(bench->arena, "sqlc.yaml", sqlc_text(text), &bench->diags, out, &err);
    if (status != PGC_OK) {
        printf("# %s\n# %s\n", text, sqlc_diags(bench));
    }
    return status == PGC_OK && out->sets.count > 0 ? VEC_AT(&out->sets, config_set, 0) : NULL;
}

static void expect_all(const mistake *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sqlc_bench bench = sqlc_bench_make(NULL);
        config c = { .path = "untouched" };
        pgc_error err = PGC_ZERO;
        pgc_status status =
            config_parse(bench.arena, "sqlc.yaml", sqlc_text(list[i].text), &bench.diags, &c, &err);
        if (strcmp(sqlc_diags(&bench), list[i].want) != 0) {
            printf("# in:\n%s", list[i].text);
        }
        CHECK_INT(status, PGC_INVALID);
        CHECK_STR(sqlc_diags(&bench), list[i].want);
        CHECK_STR(c.path, "untouched");
        sqlc_bench_done(&bench);
    }
}

#define EXPECT(...)                                     \
    do {                                                \
        static const mistake list_[] = { __VA_ARGS__ }; \
        expect_all(list_, ARRAY_LEN(list_));            \
    } while (0)

static void at_the_top(void)
{
    EXPECT(
        { "version: [2]\n", "sqlc.yaml:1:10: version must be text" },
        { "version: 1\n" GOOD, "sqlc.yaml:2:12: mapping values are not allowed in this context" },
        { "version: \"9\"\nsql: []\n", "sqlc.yaml:1:1: unknown version \"9\"" },
        { HEAD "sql: {}\n", "sqlc.yaml:2:6: sql must be a list with at least one entry" },
        { HEAD "sql:\n", "sqlc.yaml:2:5: sql must be a list with at least one entry" },
        { HEAD "sql: [x]\n", "sqlc.yaml:2:7: sql entry must be a mapping (\"key: value\" lines)" },
        { HEAD "sql: [[]]\n", "sqlc.yaml:2:7: sql entry must be a mapping (\"key: value\" lines)" },
        { HEAD "plugins: {}\nsql: []\n", "sqlc.yaml:2:10: plugins must be a list" },
        { HEAD "plugins:\n  - nam: c\n", "sqlc.yaml:3:5: unknown key \"nam\" in plugin" },
        { HEAD "plugins:\n  - name: c\n    process: {cmd: x, fromat: json}\n",
          "sqlc.yaml:4:23: unknown key \"fromat\" in process" },
        { HEAD "plugins:\n  - name: c\n    process: x\n",
          "sqlc.yaml:4:14: process must be a mapping (\"key: value\" lines)" },
        { HEAD "plugins:\n  - name: {}\n", "sqlc.yaml:3:11: name must be text" },
        { HEAD "? [a]\n: b\n", "sqlc.yaml:2:3: a key must be text" },
        { HEAD "server: x\n", "sqlc.yaml:2:1: unknown key \"server\" in the config" },
        { "sql: &a\n  - *a\n  - *nope\n", "sqlc.yaml:3:5: found undefined alias" },
        { "\t- x\n", "sqlc.yaml:1:1: while scanning for the next token: found character that "
                     "cannot start any token" });
}

static void in_an_entry(void)
{
    EXPECT(
        { HEAD "sql:\n  - engine: [x]\n", "sqlc.yaml:3:13: engine must be text" },
        { SQL "    name: []\n" GOOD, "sqlc.yaml:5:11: name must be text" },
        { HEAD "sql:\n  - engine: postgresql\n    queries: {}\n" GOOD,
          "sqlc.yaml:4:14: queries must be text" },
        { HEAD "sql:\n  - engine: postgresql\n    queries: [q, {}]\n" GOOD,
          "sqlc.yaml:4:18: queries must be text" },
        { HEAD "sql:\n  - engine: postgresql\n    queries: [q, \"\"]\n" GOOD,
          "sqlc.yaml:4:18: queries holds an empty text" },
        { HEAD "sql:\n  - engine: postgresql\n    queries: []\n" GOOD,
          "sqlc.yaml:3:5: sql entry without \"queries\"" },
        { HEAD "sql:\n  - engine: postgresql\n    queries:\n" GOOD,
          "sqlc.yaml:3:5: sql entry without \"queries\"" },
        { SQL "    schema: ''\n" GOOD, "sqlc.yaml:5:13: schema holds an empty text" },
        { SQL "    schema: {a: b}\n" GOOD, "sqlc.yaml:5:13: schema must be text" },
        { SQL "    strict_order_by: 1\n" GOOD,
          "sqlc.yaml:5:22: strict_order_by must be true or false, not \"1\"" },
        { SQL "    strict_function_checks: yes\n" GOOD,
          "sqlc.yaml:5:29: strict_function_checks must be true or false, not \"yes\"" },
        { SQL "    database: x\n" GOOD,
          "sqlc.yaml:5:15: database must be a mapping (\"key: value\" lines)" },
        { SQL "    database: {}\n" GOOD,
          "sqlc.yaml:5:5: database needs \"uri\" or \"managed: true\"" },
        { SQL "    database: {managed: false}\n" GOOD,
          "sqlc.yaml:5:5: database needs \"uri\" or \"managed: true\"" },
        { SQL "    database: {managed: maybe}\n" GOOD,
          "sqlc.yaml:5:25: managed must be true or false, not \"maybe\"" },
        { SQL "    database: {uri: []}\n" GOOD, "sqlc.yaml:5:21: uri must be text" },
        { SQL "    database: {url: x}\n" GOOD, "sqlc.yaml:5:16: unknown key \"url\" in database" },
        { SQL "    gen: []\n", "sqlc.yaml:5:10: gen must be a mapping (\"key: value\" lines)" },
        { SQL "    gen: {rust: {}}\n", "sqlc.yaml:5:11: unknown key \"rust\" in gen" },
        { SQL "    codegen: {}\n", "sqlc.yaml:5:14: codegen must be a list" },
        { SQL "    codegen:\n", "sqlc.yaml:5:13: codegen must be a list" },
        { SQL "    codegen: [{out: o}]\n", "sqlc.yaml:5:15: codegen entry without \"plugin\"" },
        { SQL "    codegen: [{plugin: c, option: {}}]\n",
          "sqlc.yaml:5:27: unknown key \"option\" in codegen" },
        { SQL "    codegen: [{plugin: c, options: {prefix: p}}]\n",
          "sqlc.yaml:5:15: the C generator needs \"out\", a folder" },
        { SQL "    codegen: [{plugin: c, out: '', options: {prefix: p}}]\n",
          "sqlc.yaml:5:15: the C generator needs \"out\", a folder" },
        { SQL "    codegen: [{plugin: c, out: o, options: [p]}]\n",
          "sqlc.yaml:5:44: codegen options must be a mapping (\"key: value\" lines)" },
        { SQL GOOD "    engine: mysql\n",
          "sqlc.yaml:10:5: key \"engine\" stands twice in sql entry" });
}

static void in_the_options(void)
{
    EXPECT({ SQL CODEGEN "prefix: _p\n",
             "sqlc.yaml:6:9: the C generator needs options.prefix, a short identifier" },
           { SQL CODEGEN "prefix: p_\n",
             "sqlc.yaml:6:9: the C generator needs options.prefix, a short identifier" },
           { SQL CODEGEN "prefix: p__q\n",
             "sqlc.yaml:6:9: the C generator needs options.prefix, a short identifier" },
           { SQL CODEGEN "prefix: p-q\n",
             "sqlc.yaml:6:9: the C generator needs options.prefix, a short identifier" },
           { SQL CODEGEN "prefix: größe\n",
             "sqlc.yaml:6:9: the C generator needs options.prefix, a short identifier" },
           { SQL CODEGEN "prefix: a23456789012345678901234567890123\n",
             "sqlc.yaml:6:9: the C generator needs options.prefix, a short identifier" },
           { SQL CODEGEN "package: {}\n", "sqlc.yaml:9:20: package must be text" },
           { SQL CODEGEN "{prefix: p, manifest: \"\"}\n",
             "sqlc.yaml:6:9: manifest must be a plain file name" },
           { SQL CODEGEN "{prefix: p, manifest: .hidden}\n",
             "sqlc.yaml:6:9: manifest must be a plain file name" },
           { SQL CODEGEN "{prefix: p, query_parameter_limit: 17}\n",
             "sqlc.yaml:9:46: query_parameter_limit must be 0 to 16" },
           { SQL CODEGEN "{prefix: p, query_parameter_limit: 1.5}\n",
             "sqlc.yaml:9:46: query_parameter_limit must be a whole number, not \"1.5\"" },
           { SQL CODEGEN "{prefix: p, query_parameter_limit: 99999999999999999999}\n",
             "sqlc.yaml:9:46: query_parameter_limit must be a whole number, not "
             "\"99999999999999999999\"" },
           { SQL CODEGEN "{prefix: p, emit_exact_table_names: 0}\n",
             "sqlc.yaml:9:47: emit_exact_table_names must be true or false, not \"0\"" },
           { SQL CODEGEN "{prefix: p, emit_sql_as_comment: no}\n",
             "sqlc.yaml:9:44: emit_sql_as_comment must be true or false, not \"no\"" },
           { SQL CODEGEN "{prefix: p, omit_sqlc_version: []}\n",
             "sqlc.yaml:9:42: omit_sqlc_version must be text" },
           { SQL CODEGEN "{prefix: p, inflection_exclude_table_names: [{}]}\n",
             "sqlc.yaml:9:56: inflection_exclude_table_names must be text" },
           { SQL CODEGEN "{prefix: p, param_nullability: loose}\n",
             "sqlc.yaml:9:42: param_nullability must be \"sqlc\" or \"strict\", not \"loose\"" },
           { SQL CODEGEN "{prefix: p, rename: [a]}\n",
             "sqlc.yaml:9:31: rename must be a mapping (\"key: value\" lines)" },
           { SQL CODEGEN "{prefix: p, rename: {a: []}}\n", "sqlc.yaml:9:35: a must be text" },
           { SQL CODEGEN "{prefix: p, rename: {a: b, a: c}}\n",
             "sqlc.yaml:9:38: key \"a\" stands twice in rename" },
           { SQL GEN_C "prefx: q\n", "sqlc.yaml:9:9: unknown key \"prefx\" in gen.c" },
           { SQL "    gen: {c: {prefix: p}}\n",
             "sqlc.yaml:5:14: the C generator needs \"out\", a folder" });
}

static void renames_are_c_names(void)
{
    EXPECT(
        { SQL CODEGEN "{prefix: p, rename: {a: int}}\n",
          "sqlc.yaml:9:35: rename: \"int\" is no C name" },
        { SQL CODEGEN "{prefix: p, rename: {a: \"x y\"}}\n",
          "sqlc.yaml:9:35: rename: \"x y\" is no C name" },
        { SQL CODEGEN "{prefix: p, rename: {a: _x}}\n",
          "sqlc.yaml:9:35: rename: \"_x\" is no C name" },
        { SQL CODEGEN "{prefix: p, rename: {a: x__y}}\n",
          "sqlc.yaml:9:35: rename: \"x__y\" is no C name" },
        { SQL CODEGEN "{prefix: p, rename: {a: }}\n", "sqlc.yaml:9:35: rename: \"\" is no C name" },
        { SQL CODEGEN "{prefix: p, rename: {a: 1a}}\n",
          "sqlc.yaml:9:35: rename: \"1a\" is no C name" },
        { SQL CODEGEN "{prefix: p, rename: {a: NULL}}\n",
          "sqlc.yaml:9:35: rename: \"NULL\" is no C name" });
    sqlc_bench bench;
    config c;
    const config_set *set =
        first_set(SQL CODEGEN "{prefix: p, rename: {ID: id2, \"a b\": aB_}}\n", &bench, &c);
    REQUIRE(set != NULL);
    CHECK_STR(VEC_AT(&set->c.renames, config_rename, 1)->from, "a b");
    CHECK_STR(VEC_AT(&set->c.renames, config_rename, 1)->to, "aB_");
    sqlc_bench_done(&bench);
}

/* Two generators in one folder would remove each other's files. */
static void folders_are_not_shared(void)
{
    EXPECT({ SQL GOOD "  - engine: postgresql\n    queries: r\n" GOOD,
             "sqlc.yaml:10:5: \"out\" is the folder of another entry: o" },
           { SQL GOOD
             "  - engine: postgresql\n    queries: r\n    codegen: [{plugin: c, out: ./o/, "
             "options: {prefix: q}}]\n",
             "sqlc.yaml:10:5: \"out\" is the folder of another entry: ./o/" },
           { SQL "    gen: {c: {out: o, prefix: p}}\n" GOOD,
             "sqlc.yaml:3:5: \"out\" is the folder of another entry: o" });
    sqlc_bench bench;
    config c;
    const char *two = SQL GOOD "  - engine: postgresql\n    queries: r\n    codegen: [{plugin: c, "
                               "out: o/p, options: {prefix: q}}]\n";
    REQUIRE(first_set(two, &bench, &c) != NULL);
    CHECK_INT(c.sets.count, 2);
    sqlc_bench_done(&bench);
}

/* Blocks of other tools are read over, whatever they hold. */
static void other_tools_keep_their_blocks(void)
{
    static const char TEXT[] =
        HEAD "plugins:\n  - {name: py, env: [A], wasm: {url: https://x, sha256: y}}\n"
             "rules: [{name: r, rule: \"true\"}]\noverrides: {go: {overrides: [1]}}\n"
             "options: {py: {any: [thing]}}\nservers: [{uri: x}]\ncloud: {project: p}\n"
             "sql:\n"
             "  - engine: mysql\n    queries: m\n    gen: {go: {out: g, package: g}}\n"
             "  - engine: sqlite\n    codegen: [{plugin: py, out: x, options: [1, {a: b}]}]\n"
             "  - engine: postgresql\n    name: ours\n    schema:\n    queries: [a, b]\n"
             "    rules: [r]\n    analyzer: {database: false}\n"
             "    gen: {json: {out: j}, c: {out: c, prefix: lum}}\n"
             "    codegen: [{plugin: c, out: d, options: {package: two}}]\n";
    sqlc_bench bench;
    config c;
    const config_set *set = first_set(TEXT, &bench, &c);
    REQUIRE(set != NULL && c.sets.count == 2);
    CHECK_STR(set->name, "ours");
    CHECK_INT(set->schema.count, 0);
    CHECK_INT(set->queries.count, 2);
    CHECK_STR(set->c.prefix, "lum");
    CHECK(set->database_uri == NULL);
    CHECK_STR(set[1].c.prefix, "two");
    CHECK_STR(set[1].c.out, "d");
    CHECK_INT(set[1].line, 15);
    sqlc_bench_done(&bench);
}

static void json_is_read_too(void)
{
    static const char TEXT[] =
        "{\"version\": \"2\", \"sql\": [{\"engine\": \"postgresql\", \"queries\": [\"q\"],\n"
        "  \"codegen\": [{\"plugin\": \"c\", \"out\": \"o\", \"options\": {\"prefix\": \"p\",\n"
        "  \"query_parameter_limit\": 3, \"emit_sql_as_comment\": false}}]}]}\n";
    sqlc_bench bench;
    config c;
    const config_set *set = first_set(TEXT, &bench, &c);
    REQUIRE(set != NULL);
    CHECK_INT(set->c.query_parameter_limit, 3);
    CHECK(!set->c.emit_sql_as_comment);
    sqlc_bench_done(&bench);
}

static void secrets_stay_where_they_are(void)
{
    sqlc_bench bench;
    config c;
    REQUIRE(setenv("SQLC_AUTH_TOKEN", "sqlc_secret", 1) == 0);
    REQUIRE(setenv("SQLC_TEST_A", "value", 1) == 0);
    const config_set *set = first_set(
        SQL "    database: {uri: \"a${SQLC_AUTH_TOKEN}b${SQLC_TEST_A}c${X1}${}$x${\"}\n" GOOD,
        &bench, &c);
    REQUIRE(set != NULL);
    CHECK_STR(set->database_uri, "abvaluec${X1}${}$x${");
    sqlc_bench_done(&bench);
    set = first_set(SQL "    database: {uri: \"${SQLC_AUTH_TOKEN}\"}\n" GOOD, &bench, &c);
    REQUIRE(set != NULL);
    CHECK(set->database_uri == NULL);
    sqlc_bench_done(&bench);
    set = first_set(SQL "    database: {managed: true}\n" GOOD, &bench, &c);
    REQUIRE(set != NULL);
    CHECK(set->database_uri == NULL);
    sqlc_bench_done(&bench);
}

static void load(const tmpdir *dir, const char *name, pgc_status want, const char *diags)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    pgc_error err = PGC_ZERO;
    config c;
    char path[160];
    (void) snprintf(path, sizeof path, "%s/%s", dir->path, name);
    CHECK_INT(config_load(env_default(), bench.arena, path, &bench.diags, &c, &err), want);
    const char *got = sqlc_diags(&bench);
    size_t skip = strlen(dir->path);
    CHECK_STR(got[0] == '\0' ? got : got + skip, diags);
    sqlc_bench_done(&bench);
}

static void files_are_looked_for(void)
{
    tmpdir dir = tmpdir_make();
    pgc_error err = PGC_ZERO;
    REQUIRE_OK(file_write_atomic(env_default(), dir.fd, "ok.yaml", sqlc_text(SQL GOOD), 0644, &err),
               &err);
    REQUIRE_OK(
        file_write_atomic(env_default(), dir.fd, "nul.yaml", SLICE("version: 2\n\0x"), 0644, &err),
        &err);
    REQUIRE_OK(file_mkdirs(env_default(), dir.fd, "folder", 0755, false, &err), &err);
    load(&dir, "ok.yaml", PGC_OK, "");
    load(&dir, "nul.yaml", PGC_INVALID, "/nul.yaml:2:1: the file holds a NUL byte");
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(
        config_load(env_default(), bench.arena, "/nonexistent/sqlc.yaml", &bench.diags, &c, &err),
        PGC_INVALID);
    CHECK(strstr(sqlc_diags(&bench), "/nonexistent/sqlc.yaml:1:1: ") != NULL);
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

/* Run find_config() in a folder: the working directory is the process', so a test changes it. */
static const char *found_in(const tmpdir *dir, sqlc_bench *bench)
{
    pgc_error err = PGC_ZERO;
    config c = { .path = "" };
    *bench = sqlc_bench_make(NULL);
    if (fchdir(dir->fd) != 0) {
        return "no folder";
    }
    pgc_status status = config_load(env_default(), bench->arena, NULL, &bench->diags, &c, &err);
    CHECK(chdir("/") == 0);
    return status == PGC_OK ? c.path : sqlc_diags(bench);
}

static void names_are_those_of_upstream(void)
{
    tmpdir dir = tmpdir_make();
    sqlc_bench bench;
    pgc_error err = PGC_ZERO;
    const slice text = sqlc_text(SQL GOOD);
    CHECK_STR(found_in(&dir, &bench), "sqlc.yaml:1:1: no config file in this folder");
    CHECK(strstr(sqlc_hint(&bench), "init") != NULL);
    sqlc_bench_done(&bench);
    REQUIRE_OK(file_write_atomic(env_default(), dir.fd, "sqlc.json", text, 0644, &err), &err);
    CHECK_STR(found_in(&dir, &bench), "sqlc.json");
    sqlc_bench_done(&bench);
    REQUIRE_OK(file_write_atomic(env_default(), dir.fd, "sqlc.yml", text, 0644, &err), &err);
    CHECK_STR(found_in(&dir, &bench), "sqlc.json:1:1: both sqlc.yaml and sqlc.json are here");
    CHECK(strstr(sqlc_hint(&bench), "-f FILE") != NULL);
    sqlc_bench_done(&bench);
    REQUIRE(unlinkat(dir.fd, "sqlc.json", 0) == 0);
    CHECK_STR(found_in(&dir, &bench), "sqlc.yml");
    sqlc_bench_done(&bench);
    REQUIRE_OK(file_write_atomic(env_default(), dir.fd, "sqlc.yaml", text, 0644, &err), &err);
    CHECK_STR(found_in(&dir, &bench), "sqlc.yaml");
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

TAP_MAIN(TAP("keys at the top have kind and place", at_the_top),
         TAP("keys of an sql entry have kind and place", in_an_entry),
         TAP("options have kind and place", in_the_options),
         TAP("renames must be C names", renames_are_c_names),
         TAP("every generator has a folder of its own", folders_are_not_shared),
         TAP("blocks of other tools are skipped", other_tools_keep_their_blocks),
         TAP("JSON is read like YAML", json_is_read_too),
         TAP("variables are replaced, the token never", secrets_stay_where_they_are),
         TAP("configs that cannot be read are named", files_are_looked_for),
         TAP("config names are looked for in order", names_are_those_of_upstream))
