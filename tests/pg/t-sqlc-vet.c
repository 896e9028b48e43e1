/* vet: our rules, rules of the config, plans, and what turns a rule off. */
#include "base/prelude.h"

#include <jansson.h>

#include "sqlc_project.h"

#define SQL_ENTRY                                                                       \
    "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    queries: q\n" \
    "    codegen:\n      - {plugin: c, out: out, options: {prefix: p}}\n"

static const char SCHEMA[] = "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, note text);\n"
                             "CREATE DOMAIN amount AS int NOT NULL;\n"
                             "CREATE TABLE u (id int PRIMARY KEY, size amount, name text);\n";

/* Findings of vet on one file, as text. */
static void expect(const char *config, const char *queries, const char *want)
{
    sqlc_project p = project_make(config, SCHEMA, queries);
    project_run run = project_command_run(&p, command_vet, (command_options) { 0 });
    CHECK_STR(run.diags, want);
    CHECK_INT(run.status,
              want[0] == '\0' || strstr(want, "warning") == want ? PGC_OK : PGC_INVALID);
    CHECK(!file_exists(env_default(), p.dir.fd, "out"));
    project_done(&p);
}

/* One query under rules given by name. */
static void expect_rule(const char *rules, const char *query, const char *want)
{
    char config[600];
    char file[800];
    (void) snprintf(config, sizeof config, "%s    rules: [%s]\n", SQL_ENTRY, rules);
    (void) snprintf(file, sizeof file, "-- name: A :%s", query);
    expect(config, file, want);
}

static void sound_queries_have_no_findings(void)
{
    expect(SQL_ENTRY,
           "-- name: A :many\nSELECT * FROM t WHERE note IS NULL ORDER BY id LIMIT @n;\n"
           "-- name: B :exec\nUPDATE t SET note = NULL WHERE id = @id;\n",
           "");
}

static void defaults_find_mistakes(void)
{
    expect(SQL_ENTRY,
           "-- name: A :exec\nUPDATE t SET note = 'ö', name = 'x';\n"
           "-- name: B :exec\nWITH x AS (DELETE FROM t RETURNING id) SELECT id FROM x;\n"
           "-- name: C :many\nSELECT id FROM t WHERE 'ö' < name AND note = NULL;\n"
           "-- name: D :many\nSELECT id FROM t LIMIT @n;\n"
           "-- name: E :many\nSELECT id FROM t WHERE note = sqlc.narg(note);\n",
           "q/a.sql:2:8: A: c/no-where: UPDATE without WHERE changes every row\n"
           "q/a.sql:4:24: B: c/no-where: DELETE without WHERE removes every row\n"
           "q/a.sql:6:44: C: c/equals-null: a comparison with NULL is never true\n"
           "q/a.sql:8:24: D: c/limit-order: LIMIT without ORDER BY: which rows come is left to "
           "chance\n"
           "q/a.sql:10:31: E: c/narg-compared: sqlc.narg() that is only compared: with NULL "
           "nothing is ever true");
}

static void other_rules_are_asked_for(void)
{
    expect_rule("c/offset", "many\nSELECT id FROM t ORDER BY id OFFSET @n;",
                "q/a.sql:2:37: A: c/offset: OFFSET reads and drops all rows before the page");
    expect_rule("c/wildcard", "many\nSELECT id FROM t WHERE name LIKE '%x' OR name ILIKE 'x%';",
                "q/a.sql:2:29: A: c/wildcard: no B-tree index serves a pattern that starts with a "
                "wildcard");
    expect_rule("c/star", "many\nSELECT sqlc.embed(t), u.* FROM t JOIN u USING (id);",
                "q/a.sql:2:23: A: c/star: '*' takes columns that nobody asked for");
    expect_rule("c/many-limit", "many\nSELECT id FROM t;",
                "q/a.sql:2:1: A: c/many-limit: :many without LIMIT takes every row into memory");
    expect_rule("c/unnamed-column", "many\nSELECT id, id + 1 FROM t;",
                "q/a.sql:2:12: A: c/unnamed-column: a column without a name of its own");
    expect_rule("c/not-in", "many\nSELECT id FROM t WHERE id NOT IN (SELECT id FROM u);",
                "q/a.sql:2:27: A: c/not-in: NOT IN over a select is never true once the select "
                "gives a NULL");
    expect_rule("c/default, c/star", "exec\nDELETE FROM t;",
                "q/a.sql:2:13: A: c/no-where: DELETE without WHERE removes every row");
    expect_rule("sqlc/db-prepare", "exec\nDELETE FROM t;", "");
    expect_rule("", "exec\nDELETE FROM t;", "");
}

static void a_narg_may_decide_about_a_block(void)
{
    expect(SQL_ENTRY,
           "-- name: A :many\n-- @optional note\nSELECT id FROM t WHERE id > 0 AND note = "
           "sqlc.narg(note);\n"
           "-- name: B :many\nSELECT id FROM t WHERE note = coalesce(sqlc.narg(note), name);\n",
           "");
}

static void scans_without_index_are_found(void)
{
    expect_rule("c/seq-scan", "many\nSELECT id FROM t WHERE name = @name;",
                "q/a.sql:2:1: A: c/seq-scan: no index serves a condition: the whole table is read");
    expect_rule("c/seq-scan", "many\nSELECT id FROM t WHERE id = @id;", "");
    expect_rule("c/seq-scan", "many\nSELECT id FROM t;", "");
    /* Some form of the query. */
    expect_rule("c/seq-scan",
                "many\nSELECT id FROM t WHERE id = @id /*@if name*/ AND true /*@end*/ OR false "
                "/*@if b*/ OR name = 'x' /*@end*/;",
                "q/a.sql:2:1: A: c/seq-scan: no index serves a condition: the whole table is read");
}

static const char RULES[] =
    SQL_ENTRY "    rules: [no-delete, cheap, params, c/no-where]\nrules:\n"
              "  - name: no-delete\n    message: never\n"
              "    rule: query.sql.matches(\"(?i)^delete|\\ndelete\") && query.cmd == 'exec'\n"
              "  - name: cheap\n    message: too dear\n    rule: |\n"
              "      has(postgresql.explain) &&\n"
              "        (postgresql.explain.plan.total_cost > 1000000.0 ||\n"
              "         postgresql.explain.plan.plans.exists(p, p.node_type == 'Sort'))\n"
              "  - name: params\n    rule: 'size(query.params) > 2 && config.engine == "
              "\"postgresql\" && \"s.sql\" in config.schema'\n";

static void rules_of_the_config_are_evaluated(void)
{
    expect(RULES,
           "-- name: A :exec\nDELETE FROM t WHERE id = @id;\n"
           "-- name: B :one\nSELECT count(*) FROM (SELECT name FROM t ORDER BY name LIMIT 5) x;\n"
           "-- name: C :exec\nUPDATE t SET name = @name, note = @note WHERE id = @id;\n"
           "-- name: D :many\nSELECT id FROM t;\n",
           "q/a.sql:2:1: A: no-delete: never\n"
           "q/a.sql:6:1: C: params");
    expect(RULES,
           "-- name: B :many\nSELECT x.name FROM (SELECT name FROM t ORDER BY name LIMIT 5) x;\n",
           "q/a.sql:2:1: B: cheap: too dear");
}

static void comments_turn_rules_off(void)
{
    expect(SQL_ENTRY,
           "-- name: A :exec\n-- @sqlc-vet-disable\nDELETE FROM t;\n"
           "-- name: B :exec\n-- @sqlc-vet-disable c/no-where c/limit-order\nDELETE FROM t;\n"
           "-- name: C :exec\n-- @sqlc-vet-disable c/equals-null\nDELETE FROM t;\n",
           "q/a.sql:9:13: C: c/no-where: DELETE without WHERE removes every row");
    expect(SQL_ENTRY,
           "-- name: A :exec\n-- @sqlc-vet-disable c/nowhere\nDELETE FROM t WHERE id = 1;\n",
           "q/a.sql:2:1: rule \"c/nowhere\" is not in force here");
}

static void faulty_rules_have_a_place(void)
{
    static const char QUERY[] = "-- name: A :many\nSELECT id FROM t;\n";
    expect(SQL_ENTRY "    rules: [c/nope]\n", QUERY,
           "sqlc.yaml:8:13: no rule is called \"c/nope\"");
    expect(SQL_ENTRY "    rules: [a]\nrules:\n  - name: a\n    rule: query.cmd = 'x'\n", QUERY,
           "sqlc.yaml:11:21: rule \"a\": unexpected character \"=\"");
    expect(SQL_ENTRY "    rules: [a]\nrules:\n  - name: a\n    rule: \"'x' == querry.cmd\"\n",
           QUERY, "sqlc.yaml:11:19: rule \"a\": nothing is called \"querry\"");
    expect(SQL_ENTRY "    rules: [a]\nrules:\n  - name: a\n    rule: |\n       true &&\n         "
                     "query.nope\n",
           QUERY, "sqlc.yaml:13:16: rule \"a\": no field is called \"nope\"");
    expect(SQL_ENTRY "    rules: [a]\nrules:\n  - name: a\n    rule: '1'\n", QUERY,
           "sqlc.yaml:11:12: rule \"a\": the result must be bool, not int");
    expect(SQL_ENTRY "rules:\n  - name: c/x\n    rule: 'true'\n", QUERY,
           "sqlc.yaml:9:5: rule name \"c/x\": \"c/\" and \"sqlc/\" are taken");
    expect(SQL_ENTRY "rules:\n  - name: a\n    rule: 'true'\n  - name: a\n    rule: 'true'\n",
           QUERY, "sqlc.yaml:11:5: two rules are called \"a\"");
    expect(SQL_ENTRY "rules:\n  - name: a\n", QUERY,
           "sqlc.yaml:9:5: a rule needs \"name\" and \"rule\"");
    expect(SQL_ENTRY "rules:\n  - nam: a\n", QUERY, "sqlc.yaml:9:5: unknown key \"nam\" in a rule");
    expect(SQL_ENTRY "rules: 1\n", QUERY, "sqlc.yaml:8:8: rules must be a list");
    expect(SQL_ENTRY "    rules: x\n", QUERY, "sqlc.yaml:8:12: rules must be a list of names");
}

/* More texts than are explained together, both ways, with refusals among them. */
static void many_plans_belong_to_their_queries(void)
{
    AUTO(buf_auto) buf queries;
    AUTO(buf_auto) buf want;
    buf_init(&queries, NULL, 1 << 20);
    buf_init(&want, NULL, 1 << 20);
    for (int i = 0; i < 300; i++) {
        bool sorts = i % 64 == 1;
        bool scans = i % 64 == 2;
        bool refused = i % 100 == 3;
        buf_printf(&queries, "-- name: Q%03d :exec\n%s;\n", i,
                   sorts     ? "SELECT x.name FROM (SELECT name FROM t ORDER BY note) x"
                   : scans   ? "SELECT id FROM t WHERE name = @name"
                   : refused ? "UPDATE u SET size = @size WHERE id = @id"
                             : "SELECT id FROM t WHERE id = @id");
        const char *said = sorts ? "sorts: it sorts"
                           : scans
                               ? "c/seq-scan: no index serves a condition: the whole table is read"
                           : refused ? "rules on its plan are left out: "
                                     : NULL;
        if (said != NULL) {
            buf_printf(&want, "%sq/a.sql:%d:1: %sQ%03d: %s%s", want.len > 0 ? "\n" : "", 2 * i + 2,
                       refused ? "warning: " : "", i, said,
                       refused ? "domain amount does not allow null values" : "");
        }
    }
    REQUIRE(queries.ptr != NULL && want.ptr != NULL);
    sqlc_project p =
        project_make(SQL_ENTRY "    rules: [c/seq-scan, sorts]\nrules:\n  - name: sorts\n"
                               "    message: it sorts\n"
                               "    rule: postgresql.explain.plan.node_type == 'Subquery Scan'\n",
                     SCHEMA, queries.ptr);
    project_run run = project_command_run(&p, command_vet, (command_options) { 0 });
    CHECK_INT(run.status, PGC_INVALID);
    CHECK_STR(run.diags, want.ptr);
    project_done(&p);
}

static void what_cannot_be_explained_is_said(void)
{
    sqlc_project p = project_make(RULES, SCHEMA,
                                  "-- name: A :exec\nUPDATE u SET size = @size WHERE id = @id;\n");
    project_run run = project_command_run(&p, command_vet, (command_options) { 0 });
    CHECK_INT(run.status, PGC_OK);
    CHECK(strstr(run.diags, "q/a.sql:2:1: warning: A: rules on its plan are left out: ") ==
          run.diags);
    project_done(&p);
}

static void findings_come_as_json(void)
{
    sqlc_project p = project_make(SQL_ENTRY, SCHEMA, "-- name: A :exec\nDELETE FROM t;\n");
    project_run run = project_command_run(&p, command_vet, (command_options) { .json = true });
    json_error_t problem;
    json_t *root = json_loads(run.text, 0, &problem);
    CHECK_INT(run.status, PGC_OK);
    CHECK(run.different);
    CHECK_STR(run.diags, "");
    REQUIRE(json_array_size(root) == 1);
    json_t *finding = json_array_get(root, 0);
    CHECK_STR(json_string_value(json_object_get(finding, "file")), "q/a.sql");
    CHECK_INT(json_integer_value(json_object_get(finding, "line")), 2);
    CHECK_INT(json_integer_value(json_object_get(finding, "column")), 13);
    CHECK_STR(json_string_value(json_object_get(finding, "query")), "A");
    CHECK_STR(json_string_value(json_object_get(finding, "rule")), "c/no-where");
    CHECK(strstr(json_string_value(json_object_get(finding, "hint")), "WHERE true") != NULL);
    json_decref(root);
    project_write(&p, "q/a.sql", "-- name: A :exec\nDELETE FROM t WHERE id = @id;\n");
    run = project_command_run(&p, command_vet, (command_options) { .json = true });
    CHECK(!run.different);
    CHECK_STR(run.text, "[]\n");
    project_done(&p);
}

TAP_MAIN(TAP("sound queries have no findings", sound_queries_have_no_findings),
         TAP("the default rules find mistakes and their place", defaults_find_mistakes),
         TAP("other rules hold where they are named", other_rules_are_asked_for),
         TAP("a parameter that decides about a block may be NULL", a_narg_may_decide_about_a_block),
         TAP("conditions without an index are found in every form", scans_without_index_are_found),
         TAP("rules of the config see query, config and plan", rules_of_the_config_are_evaluated),
         TAP("comments turn rules off, by name or all", comments_turn_rules_off),
         TAP("faulty rules have a place in the config", faulty_rules_have_a_place),
         TAP("a query that cannot be explained is no failure", what_cannot_be_explained_is_said),
         TAP("plans of many texts belong to their queries", many_plans_belong_to_their_queries),
         TAP("findings come as JSON", findings_come_as_json))
