/* Overrides and version 1 of the config: what is read, what every mistake looks like, what patterns
 * match. What they do to generated code is shown by the corpus. */
#include "base/prelude.h"

#include "sqlc/config.h"
#include "sqlc/overrides.h"

#include "oom.h"
#include "sqlc.h"
#include "tap.h"

static pgc_status parse(sqlc_bench *bench, const char *text, config *out)
{
    pgc_error err = PGC_ZERO;
    return config_parse(bench->arena, "sqlc.yaml", sqlc_text(text), &bench->diags, out, &err);
}

static void expect(const char *text, const char *want)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(parse(&bench, text, &c), PGC_INVALID);
    CHECK_STR(sqlc_diags(&bench), want);
    sqlc_bench_done(&bench);
}

#define WITH(overrides)                                                                    \
    "version: \"2\"\nsql:\n  - engine: postgresql\n    queries: q\n    codegen:\n"         \
    "      - plugin: c\n        out: o\n        options:\n          prefix: p\n          " \
    "overrides: " overrides "\n"

static void overrides_are_read(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(parse(&bench,
                    WITH("\n            - {column: '*.at', nullable: false}\n"
                         "            - {db_type: timestamptz, c_type: i64}\n"
                         "            - column: s.t.c\n"
                         "              c_type: {type: struct money *, header: <m/m.h>, decode: "
                         "money_read, encode: money_add, clone: money_clone}\n"),
                    &c),
              PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    const vec *list = &VEC_AT(&c.sets, config_set, 0)->c.overrides;
    REQUIRE(list->count == 3);
    const config_override *o = VEC_AT(list, config_override, 0);
    CHECK_STR(o->column, "*.at");
    CHECK(o->has_nullable && !o->nullable && o->c_type == NULL && o->db_type == NULL);
    CHECK_INT(o->line, 11);
    CHECK_INT(o->at, 15);
    o = VEC_AT(list, config_override, 1);
    CHECK_STR(o->db_type, "timestamptz");
    CHECK_STR(o->c_type, "i64");
    CHECK(!o->has_nullable && o->decode == NULL);
    o = VEC_AT(list, config_override, 2);
    CHECK_STR(o->c_type, "struct money *");
    CHECK_STR(o->header, "<m/m.h>");
    CHECK_STR(o->decode, "money_read");
    CHECK_STR(o->encode, "money_add");
    CHECK_STR(o->clone, "money_clone");
    sqlc_bench_done(&bench);
}

static void mistakes_have_their_place(void)
{
    expect(WITH("{}"), "sqlc.yaml:10:22: overrides must be a list");
    expect(WITH("[{}]"), "sqlc.yaml:10:23: an override needs one of \"column\" and \"db_type\"");
    expect(WITH("[{column: a.b, db_type: text, nullable: true}]"),
           "sqlc.yaml:10:23: an override needs one of \"column\" and \"db_type\"");
    expect(WITH("[{column: a, nullable: true}]"),
           "sqlc.yaml:10:23: override: \"a\" names no column");
    expect(WITH("[{column: a..b, nullable: true}]"),
           "sqlc.yaml:10:23: override: \"a..b\" names no column");
    expect(WITH("[{column: a.b.c.d.e, nullable: true}]"),
           "sqlc.yaml:10:23: override: \"a.b.c.d.e\" names no column");
    expect(WITH("[{column: a.b}]"),
           "sqlc.yaml:10:23: an override needs \"c_type\" or \"nullable\"");
    expect(WITH("[{db_type: text, nullable: true}]"),
           "sqlc.yaml:10:23: an override of a type needs \"c_type\"");
    expect(WITH("[{column: a.b, nullable: perhaps}]"),
           "sqlc.yaml:10:47: nullable must be true or false, not \"perhaps\"");
    expect(WITH("[{column: a.b, go_type: string}]"),
           "sqlc.yaml:10:37: unknown key \"go_type\" in override");
    expect(WITH("[{column: a.b, c_type: {type: x}}]"),
           "sqlc.yaml:10:45: c_type needs type, decode and encode");
    expect(WITH("[{column: a.b, c_type: {type: x, decode: f(, encode: g}}]"),
           "sqlc.yaml:10:45: c_type: \"f(\" is no C function");
    expect(WITH("[{column: a.b, c_type: {type: 'x;', decode: f, encode: g}}]"),
           "sqlc.yaml:10:45: c_type: \"x;\" is no C type");
    expect(WITH("[{column: a.b, c_type: {type: 9, decode: f, encode: g}}]"),
           "sqlc.yaml:10:45: c_type: \"9\" is no C type");
    expect(WITH("[{column: a.b, c_type: {type: x, header: 'a\"b', decode: f, encode: g}}]"),
           "sqlc.yaml:10:45: c_type: \"a\"b\" is no header");
}

static void patterns_match_as_upstream_says(void)
{
    static const struct {
        const char *pattern, *text;
        bool want;
    } CASES[] = {
        { "a", "a", true },        { "a", "b", false },
        { "a", "ab", false },      { "", "", true },
        { "", "a", false },        { "*", "", true },
        { "*", "anything", true }, { "a*", "a", true },
        { "a*c", "abbc", true },   { "a*c", "abcd", false },
        { "*b*", "abc", true },    { "?", "a", true },
        { "?", "", false },        { "a?c", "abc", true },
        { "a?c", "ac", false },    { "*_id", "user_id", true },
        { "*_id", "id", false },   { "a\\*", "a*", true },
        { "a\\*", "ab", false },   { "a\\?", "a?", true },
        { "a\\?", "ab", false },   { "*a*b*", "xaxxb", true },
        { "*ab", "aab", true },    { "**", "x", true },
        { "\\\\", "\\", true },    { "*.*", "a.b", true },
        { "a*a*a", "aa", false },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        bool got = overrides_match(sqlc_text(CASES[i].pattern), sqlc_text(CASES[i].text));
        if (!CHECK_INT(got, CASES[i].want)) {
            printf("# %s against %s\n", CASES[i].pattern, CASES[i].text);
        }
    }
}

static void version_1_is_read(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    config c;
    CHECK_INT(parse(&bench,
                    "packages:\n"
                    "  - name: shop\n"
                    "    path: internal/shop\n"
                    "    queries: [a.sql, b]\n"
                    "    schema: schema.sql\n"
                    "    engine: postgresql\n"
                    "    sql_package: pgx/v5\n"
                    "    emit_json_tags: true\n"
                    "    emit_interface: true\n"
                    "    query_parameter_limit: 3\n"
                    "    overrides: [{go_type: x, db_type: y}]\n"
                    "    database: {uri: postgresql://x}\n"
                    "  - {path: internal/plain, queries: q}\n"
                    "  - {path: internal/lite, queries: q, engine: sqlite}\n"
                    "rename: {colour: color}\n"
                    "overrides: [{anything: 1}]\n"
                    "version: \"1\"\n",
                    &c),
              PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    REQUIRE(c.sets.count == 2);
    const config_set *set = VEC_AT(&c.sets, config_set, 0);
    CHECK_STR(set->name, "shop");
    CHECK_STR(set->c.prefix, "shop");
    CHECK_STR(set->c.out, "internal/shop");
    CHECK_STR(set->c.manifest, "sqlc-manifest.json");
    CHECK_STR(set->database_uri, "postgresql://x");
    CHECK_INT(set->c.query_parameter_limit, 3);
    CHECK(set->c.emit_interface && set->c.emit_sql_as_comment);
    CHECK_INT(set->queries.count, 2);
    CHECK_INT(set->c.renames.count, 1);
    CHECK_INT(set->line, 2);
    set = VEC_AT(&c.sets, config_set, 1);
    CHECK_STR(set->c.prefix, "plain");
    CHECK_INT(set->c.query_parameter_limit, 1);
    sqlc_bench_done(&bench);
}

static void mistakes_in_version_1_have_their_place(void)
{
    expect("version: \"1\"\n", "sqlc.yaml:1:1: packages must be a list with at least one entry");
    expect("version: 1\npackages: []\n",
           "sqlc.yaml:1:1: packages must be a list with at least one entry");
    expect("version: \"1\"\nsql: []\n", "sqlc.yaml:2:1: unknown key \"sql\" in the config");
    expect("version: \"1\"\npackages:\n  - {path: p, queries: q, colour: red}\n",
           "sqlc.yaml:3:27: unknown key \"colour\" in package");
    expect("version: \"1\"\npackages:\n  - {queries: q}\n",
           "sqlc.yaml:3:5: package without \"path\"");
    expect("version: \"1\"\npackages:\n  - {path: p}\n",
           "sqlc.yaml:3:5: package without \"queries\"");
    expect("version: \"1\"\npackages:\n  - {path: a/9x, queries: q}\n",
           "sqlc.yaml:3:5: package \"9x\": the name is no prefix of C names");
    expect("version: \"1\"\npackages:\n  - {path: p, queries: q, query_parameter_limit: -1}\n",
           "sqlc.yaml:3:5: query_parameter_limit must be 0 to 16");
    expect("version: \"1\"\npackages:\n  - {path: p, queries: q, emit_json_tags: 7}\n",
           "sqlc.yaml:3:43: emit_json_tags must be true or false, not \"7\"");
    expect("version: \"1\"\npackages:\n  - {path: p, queries: q, engine: mysql}\n",
           "sqlc.yaml:1:1: no package is for postgresql");
    expect("version: \"1\"\npackages:\n  - {path: p, queries: q}\n  - {name: b, path: ./p, "
           "queries: q}\n",
           "sqlc.yaml:4:5: \"out\" is the folder of another entry: ./p");
}

static void survives_failed_allocations(void)
{
    static const char *const TEXTS[] = {
        WITH("[{column: a.b, nullable: true}, {db_type: x, c_type: {type: t, decode: d, encode: "
             "e}}]"),
        "version: \"1\"\npackages: [{path: p, queries: q}]\nrename: {a: b}\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        bool complete = false;
        for (int fail_at = 1; !complete && fail_at < 1000; fail_at++) {
            oom_plan plan = { .fail_at = fail_at };
            const pgc_alloc alloc = oom_alloc(&plan);
            sqlc_bench bench = sqlc_bench_make(&alloc);
            config c;
            if (bench.arena != NULL) {
                pgc_status status = parse(&bench, TEXTS[i], &c);
                CHECK(status == PGC_OK || status == PGC_NOMEM);
                complete = status == PGC_OK;
            }
            sqlc_bench_done(&bench);
            CHECK_INT(plan.live, 0);
        }
        CHECK(complete);
    }
}

TAP_MAIN(TAP("overrides: entries are read", overrides_are_read),
         TAP("overrides: mistakes have their place", mistakes_have_their_place),
         TAP("overrides: patterns match as upstream says", patterns_match_as_upstream_says),
         TAP("config: version 1 is read", version_1_is_read),
         TAP("config: mistakes in version 1 have their place",
             mistakes_in_version_1_have_their_place),
         TAP("overrides: failed allocations are reported", survives_failed_allocations))
