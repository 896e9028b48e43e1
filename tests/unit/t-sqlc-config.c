/* sqlc.yaml: what is read, and what every mistake looks like. */
#include "base/prelude.h"

#include "sqlc/config.h"

#include "oom.h"
#include "sqlc.h"
#include "tap.h"

#define HEAD "version: \"2\"\n"
#define ENTRY                               \
    "sql:\n"                                \
    "  - engine: postgresql\n"              \
    "    schema: db/schema\n"               \
    "    queries: [db/queries, more.sql]\n" \
    "    codegen:\n"                        \
    "      - plugin: c\n"                   \
    "        out: src/repo\n"               \
    "        options: {prefix: repo}\n"

static pgc_status parse(sqlc_bench *bench, const char *text, config *out)
{
    pgc_error err = PGC_ZERO;
    return config_parse(bench->arena, "conf/sqlc.yaml", sqlc_text(text), &bench->diags, out, &err);
}

/* Parse a faulty config and compare everything that is reported. */
static void expect(const char *text, const char *want)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(parse(&bench, text, &c), PGC_INVALID);
    CHECK_STR(sqlc_diags(&bench), want);
    sqlc_bench_done(&bench);
}

static void reads_an_entry(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(parse(&bench, HEAD ENTRY, &c), PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    CHECK_STR(c.dir, "conf");
    REQUIRE(c.sets.count == 1);
    const config_set *set = VEC_AT(&c.sets, config_set, 0);
    CHECK_STR(set->c.prefix, "repo");
    CHECK_STR(set->c.out, "src/repo");
    CHECK_STR(set->c.manifest, "sqlc-manifest.json");
    CHECK_INT(set->c.query_parameter_limit, 1);
    CHECK(set->c.emit_sql_as_comment);
    CHECK_INT(set->schema.count, 1);
    REQUIRE(set->queries.count == 2);
    CHECK_STR(*VEC_AT(&set->queries, const char *, 1), "more.sql");
    CHECK_INT(set->line, 3);
    sqlc_bench_done(&bench);
}

static void reads_all_options(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(parse(&bench,
                    HEAD "sql:\n"
                         "  - engine: postgresql\n"
                         "    queries: q.sql\n"
                         "    gen:\n"
                         "      go: {package: x}\n"
                         "      c:\n"
                         "        out: o\n"
                         "        package: lum\n"
                         "        manifest: m.json\n"
                         "        query_parameter_limit: 0\n"
                         "        emit_exact_table_names: true\n"
                         "        emit_sql_as_comment: false\n"
                         "        omit_unused_structs: true\n"
                         "        omit_sqlc_version: true\n"
                         "        inflection_exclude_table_names: [lens]\n"
                         "        param_nullability: strict\n"
                         "        share_rows: true\n"
                         "        rename: {colour: color}\n",
                    &c),
              PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    REQUIRE(c.sets.count == 1);
    const config_c *options = &VEC_AT(&c.sets, config_set, 0)->c;
    CHECK_STR(options->prefix, "lum");
    CHECK_STR(options->manifest, "m.json");
    CHECK_INT(options->query_parameter_limit, 0);
    CHECK(options->emit_exact_table_names);
    CHECK(!options->emit_sql_as_comment);
    CHECK(options->omit_unused_structs);
    CHECK(options->omit_sqlc_version);
    CHECK(options->strict_params);
    CHECK(options->share_rows);
    CHECK_INT(options->inflection_exclude_table_names.count, 1);
    REQUIRE(options->renames.count == 1);
    CHECK_STR(VEC_AT(&options->renames, config_rename, 0)->to, "color");
    sqlc_bench_done(&bench);
}

/* What can be only one way: said so it is taken, else refused with the reason. */
static void fixed_options_say_why(void)
{
#define WITH(options)                                                                             \
    HEAD "sql:\n  - {engine: postgresql, queries: q, gen: {c: {out: o, prefix: p, " options "}}}" \
         "\n"
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(parse(&bench,
                    WITH("null_style: opt, int_limit_params: int8, result_format: binary, "
                         "schema_hash: true, cplusplus: true, emit_json: false, "
                         "emit_prepared_queries: true, emit_exported_queries: false, "
                         "emit_enum_valid_method: true, emit_all_enum_values: true, "
                         "emit_methods_with_db_argument: true"),
                    &c),
              PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    sqlc_bench_done(&bench);
    bench = sqlc_bench_make(NULL);
    CHECK_INT(parse(&bench, WITH("int_limit_params: int4"), &c), PGC_INVALID);
    CHECK_STR(sqlc_diags(&bench),
              "conf/sqlc.yaml:3:85: int_limit_params is always int8, not \"int4\"");
    CHECK(strstr(sqlc_hint(&bench), "@n::integer") != NULL);
    sqlc_bench_done(&bench);
    bench = sqlc_bench_make(NULL);
    CHECK_INT(parse(&bench, WITH("output_files_suffix: _gen"), &c), PGC_INVALID);
    CHECK_STR(sqlc_diags(&bench), "conf/sqlc.yaml:3:67: output_files_suffix cannot be chosen");
    sqlc_bench_done(&bench);
    bench = sqlc_bench_make(NULL);
    CHECK_INT(parse(&bench, WITH("null_style: []"), &c), PGC_INVALID);
    CHECK_STR(sqlc_diags(&bench), "conf/sqlc.yaml:3:79: null_style must be text");
    sqlc_bench_done(&bench);
#undef WITH
}

static void knows_its_plugin_by_the_program(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(parse(&bench,
                    "version: 2\n"
                    "sql:\n"
                    "  - engine: postgresql\n"
                    "    queries: q.sql\n"
                    "    codegen:\n"
                    "      - {plugin: other, out: x, options: {whatever: [1, 2]}}\n"
                    "      - {plugin: mine, out: y, options: {prefix: p}}\n"
                    "plugins:\n"
                    "  - {name: other, process: {cmd: sqlc-gen-other}}\n"
                    "  - {name: mine, process: {cmd: /usr/bin/sqlc-gen-c}}\n",
                    &c),
              PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    REQUIRE(c.sets.count == 1);
    CHECK_STR(VEC_AT(&c.sets, config_set, 0)->c.out, "y");
    sqlc_bench_done(&bench);
}

static void replaces_variables_of_the_database(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    (void) setenv("SQLC_TEST_HOST", "db.example", 1);
    (void) unsetenv("SQLC_TEST_UNSET");
    CHECK_INT(parse(&bench,
                    HEAD "sql:\n"
                         "  - engine: postgresql\n"
                         "    queries: q.sql\n"
                         "    database:\n"
                         "      uri: postgresql://${SQLC_TEST_HOST}/x${SQLC_TEST_UNSET}${lower}\n"
                         "    codegen: [{plugin: c, out: o, options: {prefix: p}}]\n",
                    &c),
              PGC_OK);
    REQUIRE(c.sets.count == 1);
    CHECK_STR(VEC_AT(&c.sets, config_set, 0)->database_uri, "postgresql://db.example/x${lower}");
    sqlc_bench_done(&bench);
}

static void complains_with_place(void)
{
    expect("", "conf/sqlc.yaml:1:1: the config is empty");
    expect("sql: [", "conf/sqlc.yaml:2:1: while parsing a flow node: did not find expected node "
                     "content");
    expect("- 1\n", "conf/sqlc.yaml:1:1: the config must be a mapping (\"key: value\" lines)");
    expect(ENTRY, "conf/sqlc.yaml:1:1: missing version");
    expect("version: \"3\"\n" ENTRY, "conf/sqlc.yaml:1:1: unknown version \"3\"");
    expect(HEAD, "conf/sqlc.yaml:1:1: the config needs at least one entry under \"sql\"");
    expect(HEAD "sql: []\n", "conf/sqlc.yaml:2:6: sql must be a list with at least one entry");
    expect(HEAD "sqll: []\n" ENTRY, "conf/sqlc.yaml:2:1: unknown key \"sqll\" in the config");
    expect(HEAD HEAD ENTRY, "conf/sqlc.yaml:2:1: key \"version\" stands twice in the config");
    expect("a: 1\na: 2\na: 3\n", "conf/sqlc.yaml:2:1: key \"a\" stands twice in the config\n"
                                 "conf/sqlc.yaml:3:1: key \"a\" stands twice in the config");
    expect(HEAD "sql:\n  - queries: q.sql\n    qeries: x\n",
           "conf/sqlc.yaml:4:5: unknown key \"qeries\" in sql entry");
    expect(HEAD "sql:\n  - queries: q.sql\n", "conf/sqlc.yaml:3:5: sql entry without \"engine\": "
                                              "postgresql");
    expect(HEAD "sql:\n  - {engine: mysql, queries: q, codegen: [{plugin: c, out: o, options: "
                "{prefix: p}}]}\n",
           "conf/sqlc.yaml:3:5: engine \"mysql\" is not supported: only postgresql");
    expect(HEAD "sql:\n  - {engine: postgresql, codegen: [{plugin: c, out: o, options: {prefix: "
                "p}}]}\n",
           "conf/sqlc.yaml:3:5: sql entry without \"queries\"");
}

static void complains_about_options(void)
{
#define WITH(options)                                                                      \
    HEAD "sql:\n  - engine: postgresql\n    queries: q\n    codegen:\n      - plugin: c\n" \
         "        out: o\n        options: " options "\n"
    expect(WITH("{prefix: p, colour: red}"),
           "conf/sqlc.yaml:8:30: unknown key \"colour\" in codegen options");
    expect(WITH("{}"), "conf/sqlc.yaml:6:9: the C generator needs options.prefix, a short "
                       "identifier");
    expect(WITH("{prefix: 9x}"), "conf/sqlc.yaml:6:9: the C generator needs options.prefix, a "
                                 "short identifier");
    expect(WITH("{prefix: p, query_parameter_limit: -1}"),
           "conf/sqlc.yaml:8:53: query_parameter_limit must be 0 to 16");
    expect(WITH("{prefix: p, query_parameter_limit: many}"),
           "conf/sqlc.yaml:8:53: query_parameter_limit must be a whole number, not \"many\"");
    expect(WITH("{prefix: p, omit_unused_structs: perhaps}"),
           "conf/sqlc.yaml:8:51: omit_unused_structs must be true or false, not \"perhaps\"");
    expect(WITH("{prefix: [p]}"), "conf/sqlc.yaml:8:27: prefix must be text");
    expect(WITH("{prefix: p, manifest: ../x}"),
           "conf/sqlc.yaml:6:9: manifest must be a plain file name");
#undef WITH
    expect(HEAD "sql:\n  - {engine: postgresql, queries: q, gen: {go: {}}}\n",
           "conf/sqlc.yaml:1:1: no entry under \"sql\" has a C generator");
}

static void survives_failed_allocations(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 1000; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        sqlc_bench bench = sqlc_bench_make(&alloc);
        config c;
        if (bench.arena != NULL) {
            pgc_status status = parse(&bench, HEAD ENTRY, &c);
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            complete = status == PGC_OK;
        }
        sqlc_bench_done(&bench);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

/* So many that the arena asks for new blocks in the middle of the list. */
static void messages_are_whole_without_memory(void)
{
    enum { KEYS = 400 };
    char text[KEYS * 5 + 1];
    for (size_t i = 0; i < KEYS; i++) {
        (void) snprintf(text + i * 5, 6, "a: 1\n");
    }
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 1000; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        sqlc_bench bench = sqlc_bench_make(&alloc);
        config c;
        if (bench.arena != NULL) {
            complete = parse(&bench, text, &c) == PGC_INVALID;
            for (size_t i = 0; i < bench.diags.items.count; i++) {
                CHECK(VEC_AT(&bench.diags.items, diag, i)->message != NULL);
            }
            CHECK(!complete || bench.diags.items.count == KEYS - 1);
        }
        sqlc_bench_done(&bench);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("reads an entry with its defaults", reads_an_entry),
         TAP("reads all options of the C generator", reads_all_options),
         TAP("options that can be one way only say why", fixed_options_say_why),
         TAP("a plugin whose program is ours is ours", knows_its_plugin_by_the_program),
         TAP("variables of database.uri come from the environment",
             replaces_variables_of_the_database),
         TAP("mistakes have line and column", complains_with_place),
         TAP("mistakes in options have line and column", complains_about_options),
         TAP("failed allocations are reported", survives_failed_allocations),
         TAP("messages are whole when memory runs out", messages_are_whole_without_memory))
