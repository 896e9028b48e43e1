/* Bad input: every mistake gives file:line:col, a message, mostly a hint; nothing is written. */
#include "base/prelude.h"

#include "base/buf.h"
#include "base/file.h"
#include "sqlc/command.h"

#include "pg.h"
#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

static const char CONFIG[] = "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    "
                             "queries: q\n    codegen:\n"
                             "      - {plugin: c, out: out, options: {prefix: p}}\n";
static const char SCHEMA[] = "CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, note text, "
                             "words pg_snapshot);\nCREATE TYPE e AS ENUM ('a');\n";

typedef struct project {
    const char *config; /* NULL: CONFIG */
    const char *schema; /* NULL: SCHEMA; "": no file */
    slice query;        /* text of q/a.sql */
    const char *server; /* NULL: the test server */
    const char *file;   /* name of the query file without .sql; NULL: "a" */
} project;

static void write_file(const tmpdir *dir, const char *name, slice text)
{
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_write_atomic(env_default(), dir->fd, name, text, 0644, &err), PGC_OK, &err);
}

/* Generate; give what was reported (in the bench's arena) and check that nothing was written. */
static const char *generate(const project *p, sqlc_bench *bench)
{
    tmpdir dir = tmpdir_make();
    pgc_error err = PGC_ZERO;
    command_result result;
    CHECK_STATUS(file_mkdirs(env_default(), dir.fd, "q", 0755, false, &err), PGC_OK, &err);
    write_file(&dir, "sqlc.yaml", sqlc_text(p->config == NULL ? CONFIG : p->config));
    const char *schema = p->schema == NULL ? SCHEMA : p->schema;
    if (schema[0] != '\0') {
        write_file(&dir, "s.sql", sqlc_text(schema));
    }
    const char *file = p->file == NULL ? "a" : p->file;
    write_file(&dir, arena_printf(bench->arena, "q/%s.sql", file), p->query);
    command_options options = { .database = p->server == NULL ? test_server() : p->server };
    options.config = arena_printf(bench->arena, "%s/sqlc.yaml", dir.path);
    command_result_init(&result, bench->arena);
    pgc_status status = command_generate(env_default(), bench->arena, &options, &result, &err);
    CHECK(status != PGC_OK);
    CHECK(!file_exists(env_default(), dir.fd, "out"));
    diag_sort(&result.diags);
    bench->diags = result.diags;
    const char *text = result.diags.items.count > 0 ? sqlc_diags(bench) : NULL;
    command_result_done(&result);
    tmpdir_remove(&dir);
    return text != NULL ? text : arena_strdup(bench->arena, err.message);
}

static void expect(const char *query, const char *want, const char *hint)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    const project p = { .query = sqlc_text(query) };
    CHECK_STR(generate(&p, &bench), want);
    CHECK(strstr(sqlc_hint(&bench), hint) != NULL);
    if (strstr(sqlc_hint(&bench), hint) == NULL) {
        printf("# hint: %s\n", sqlc_hint(&bench));
    }
    sqlc_bench_done(&bench);
}

static void the_server_decides_names_and_types(void)
{
    expect("-- name: A :one\nSELECT 'ö',\n  nope FROM t;",
           "q/a.sql:3:3: column \"nope\" does not exist", "note");
    expect("-- name: A :one\nSELECT id FROM t WHERE id = 'ö';",
           "q/a.sql:2:29: invalid input syntax for type integer: \"ö\"", "");
    expect("-- name: A :one\nSELECT @first_long_name, id\nFROM t WHERE @second_long_name = idd;",
           "q/a.sql:3:34: column \"idd\" does not exist", "id");
    expect("-- name: A :one\nSELECT * FROM nope;", "q/a.sql:2:15: relation \"nope\" does not exist",
           "");
    expect("-- name: A :one\nSELEC 1;", "q/a.sql:2:1: syntax error at or near \"SELEC\"", "");
}

static void parameters_need_a_type(void)
{
    expect("-- name: A :one\nSELECT id FROM t WHERE @a IS NULL OR id = @a;",
           "q/a.sql:2:24: could not determine data type of parameter $1", "cast it");
    expect("-- name: A :one\nSELECT $2::int;",
           "q/a.sql:2:1: could not determine data type of parameter $1", "without gaps");
    expect("-- name: A :many\nSELECT id FROM t WHERE id = sqlc.slice(ids);",
           "q/a.sql:2:1: sqlc.slice needs a place for an array", "ANY(sqlc.slice(ids))");
    expect("-- name: A :exec\nUPDATE t SET words = @words;",
           "q/a.sql:2:1: parameter \"words\" has type pg_snapshot, which has no C type",
           "words::text");
}

static void ambiguous_columns_get_advice(void)
{
    expect("-- name: A :one\nSELECT id FROM t, t AS u;",
           "q/a.sql:2:8: column reference \"id\" is ambiguous", "table.column");
}

/* Several operators or functions fit: the server says which, the hint how to choose. */
static void ambiguous_parameters_get_advice(void)
{
    expect("-- name: A :one\nSELECT @a + @b AS sum;",
           "q/a.sql:2:11: operator is not unique: unknown + unknown", "cast the parameters");
    expect("-- name: A :one\nSELECT id FROM t WHERE name = @a AND id = @a;",
           "q/a.sql:2:41: operator does not exist: integer = text", "@name::int");
}

static pgc_status generate_in(const tmpdir *dir, arena *mem)
{
    pgc_error err = PGC_ZERO;
    command_result result;
    command_options options = { .database = test_server() };
    options.config = arena_printf(mem, "%s/sqlc.yaml", dir->path);
    command_result_init(&result, mem);
    pgc_status status = command_generate(env_default(), mem, &options, &result, &err);
    command_result_done(&result);
    return status;
}

/* All or none: a good query beside the bad one does not get its file either. */
static void earlier_outputs_stay_as_they_are(void)
{
    static const char *const FILES[] = { "out/a.h", "out/a.c", "out/models.h",
                                         "out/sqlc-manifest.json" };
    tmpdir dir = tmpdir_make();
    sqlc_bench bench = sqlc_bench_make(NULL);
    AUTO(buf_auto) buf before;
    AUTO(buf_auto) buf after;
    pgc_error err = PGC_ZERO;
    buf_init(&before, NULL, 1 << 20);
    buf_init(&after, NULL, 1 << 20);
    CHECK_STATUS(file_mkdirs(env_default(), dir.fd, "q", 0755, false, &err), PGC_OK, &err);
    write_file(&dir, "sqlc.yaml", sqlc_text(CONFIG));
    write_file(&dir, "s.sql", sqlc_text(SCHEMA));
    write_file(&dir, "q/a.sql", SLICE("-- name: A :many\nSELECT id FROM t;\n"));
    CHECK_INT(generate_in(&dir, bench.arena), PGC_OK);
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        CHECK_STATUS(file_read(env_default(), dir.fd, FILES[i], &before, &err), PGC_OK, &err);
    }
    write_file(&dir, "q/a.sql", SLICE("-- name: A :many\nSELECT id, name FROM t;\n"));
    write_file(&dir, "q/b.sql", SLICE("-- name: B :many\nSELECT nope FROM t;\n"));
    CHECK_INT(generate_in(&dir, bench.arena), PGC_INVALID);
    for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
        CHECK_STATUS(file_read(env_default(), dir.fd, FILES[i], &after, &err), PGC_OK, &err);
    }
    CHECK(before.len > 0 && slice_eq(buf_view(&before), buf_view(&after)));
    CHECK(!file_exists(env_default(), dir.fd, "out/b.h"));
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

static void planner_errors_are_found(void)
{
    expect("-- name: A :exec\nINSERT INTO t (id, name) VALUES (@id, @name)\nON CONFLICT (name) DO "
           "NOTHING;",
           "q/a.sql:2:1: there is no unique or exclusion constraint matching the ON CONFLICT "
           "specification",
           "one unique index");
    expect("-- name: A :one\n-- @unnamed\n-- @generic\nSELECT id FROM t;",
           "q/a.sql:4:1: @unnamed and @generic contradict each other", "once for all values");
    expect("-- name: A :one\nSELECT 1/0;", "q/a.sql:2:1: division by zero", "constants");
}

static void rows_must_be_there_and_typed(void)
{
    expect("-- name: A :one\nDELETE FROM t;",
           "q/a.sql:2:1: query \"A\" specifies parameter \":one\" without containing a RETURNING "
           "clause",
           ":execrows");
    expect("-- name: A :many\nSELECT words FROM t;",
           "q/a.sql:2:1: column \"words\" has type pg_snapshot, which has no C type",
           "words::text");
    expect("-- name: A :many\nSELECT array_agg(words) AS x FROM t;",
           "q/a.sql:2:1: column \"x\" has type pg_snapshot[], which has no C type", "x::text[]");
    expect("-- name: A :many\nSELECT sqlc.embed(x) FROM (SELECT 1 AS a) x;",
           "q/a.sql:2:8: sqlc.embed(x): not a table or view", "embed takes");
    expect("-- name: A :many\nSELECT 1 AS \"日本\", 2 AS b;",
           "q/a.sql:2:1: no C name can be made of column \"日本\"", "AS");
}

/* Nobody says before run time what such a record holds. */
static void rows_of_no_certain_type_are_not_expanded(void)
{
    expect("-- name: A :many\nSELECT 1 AS a,\n  (ROW(t.*)).* FROM t;",
           "q/a.sql:3:3: star expansion: the row type of (value).* is not certain; cast it, "
           "(value::type).*, or name the fields",
           "list the columns");
    expect("-- name: A :one\nINSERT INTO t (id, name) VALUES (1, 'ä') RETURNING (ROW(t.*)).*;",
           "q/a.sql:2:52: star expansion: the row type of (value).* is not certain; cast it, "
           "(value::type).*, or name the fields",
           "list the columns");
}

/* What the comment is about must be an array of its own. */
static void elements_are_those_of_arrays(void)
{
    expect("-- name: A :many\n-- @nonnull_elems id\nSELECT id FROM t;",
           "q/a.sql:3:1: @nonnull_elems: column \"id\" is no array", "@nonnull");
    expect("-- name: A :many\n-- @nonnull_elems name\nSELECT id FROM t WHERE name = @name;",
           "q/a.sql:3:1: @nonnull_elems: parameter \"name\" is no array", "@nonnull");
}

/* What a comment says about a column is said about one that is there. */
static void columns_of_comments_are_known(void)
{
    expect("-- name: A :many\n-- @nonnull id nite\nSELECT id, note FROM t;",
           "q/a.sql:2:1: @nonnull: the query has no column \"nite\"", "did you mean \"note\"?");
    expect("-- name: A :many\n-- @nullable id, note\nSELECT id, note FROM t;",
           "q/a.sql:2:1: @nullable: the query has no column \"id,\"", "\"id\"");
    expect("-- name: A :many\n-- @nullable\nSELECT id, note FROM t;",
           "q/a.sql:2:1: @nullable names no column", "blanks between");
    expect("-- name: A :many\n-- @nonnull_elems xyz\nSELECT id, note FROM t WHERE id = ANY(@ids);",
           "q/a.sql:2:1: @nonnull_elems: the query has no column \"xyz\"", "as in the result");
    expect("-- name: A :many\n-- @nonnull n\nSELECT id, note FROM t WHERE note = @n;",
           "q/a.sql:2:1: @nonnull: the query has no column \"n\"", "");
    expect("-- name: A :exec\nSELECT sqlc.arg(a, b);",
           "q/a.sql:2:8: expected 1 parameter to sqlc.arg; got 2", "write sqlc.arg(name)");
    expect("-- name: A :exec\nSELECT sqlc.narg(1 + 1);",
           "q/a.sql:2:18: expected parameter to sqlc.narg to be string or reference; got \"1\"",
           "write sqlc.narg(name)");
}

static void files_are_not_called_like_system_headers(void)
{
    static const char *const NAMES[] = { "string", "features", "Time", "models" };
    static const char *const WANT[] = {
        "q/string.sql:1:1: the header of this query file would hide <string.h> of the system",
        "q/features.sql:1:1: the header of this query file would hide <features.h> of the system",
        "q/Time.sql:1:1: the header of this query file would hide <time.h> of the system",
        "q/models.sql:1:1: no C file can be named after this query file",
    };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        sqlc_bench bench = sqlc_bench_make(NULL);
        const project p = { .file = NAMES[i],
                            .query = SLICE("-- name: B :many\nSELECT id FROM t;") };
        CHECK_STR(generate(&p, &bench), WANT[i]);
        CHECK(strstr(sqlc_hint(&bench), "rename it") != NULL);
        sqlc_bench_done(&bench);
    }
}

static void copies_are_plain_inserts(void)
{
    expect("-- name: A :copyfrom\nDELETE FROM t WHERE id = @id;",
           "q/a.sql:2:1: :copyfrom requires an INSERT INTO statement", "@bulk");
    expect("-- name: A :copyfrom\nINSERT INTO t (id) VALUES (@id) ON CONFLICT DO NOTHING;",
           "q/a.sql:2:1: :copyfrom is not compatible with ON CONFLICT", "@bulk");
    expect("-- name: A :copyfrom\nWITH x AS (SELECT 1) INSERT INTO t (id) VALUES (@id);",
           "q/a.sql:2:1: :copyfrom is not compatible with WITH clauses", "@bulk");
    expect("-- name: A :copyfrom\nINSERT INTO t (id) VALUES (@id) RETURNING id;",
           "q/a.sql:2:1: :copyfrom is not compatible with RETURNING", "@bulk");
    expect("-- name: A :copyfrom\nINSERT INTO t (id) SELECT @id::int;",
           "q/a.sql:2:1: :copyfrom is not compatible with INSERT INTO ... SELECT", "@bulk");
    expect("-- name: A :copyfrom\nINSERT INTO t (id) VALUES (@a), (@b);",
           "q/a.sql:2:1: :copyfrom requires exactly one example row to be inserted", "@bulk");
    expect("-- name: A :copyfrom\nINSERT INTO t (id, name) VALUES (@id, 'x');",
           "q/a.sql:2:1: :copyfrom doesn't support non-parameter values", "VALUES (@a, @b)");
    expect("-- name: A :copyfrom\nINSERT INTO t (id) VALUES (@id + 1);",
           "q/a.sql:2:1: :copyfrom doesn't support non-parameter values", "VALUES (@a, @b)");
}

static void bulk_needs_one_row_of_scalars(void)
{
    const char *want =
        "q/a.sql:3:1: @bulk needs INSERT … VALUES with one row, whose values hold all "
        "parameters";
    expect("-- name: A :exec\n-- @bulk\nDELETE FROM t WHERE id = @id;", want, "excluded.column");
    expect("-- name: A :exec\n-- @bulk\nINSERT INTO t (id) VALUES (@a), (@b);", want, "arrays");
    expect("-- name: A :exec\n-- @bulk\nINSERT INTO t (id) VALUES (1);", want, "arrays");
    expect("-- name: A :batchexec\n-- @bulk\nINSERT INTO t (id) VALUES (@id);",
           "q/a.sql:3:1: @bulk does not go with this command", ":execrows");
    expect("-- name: A :batchexec\nDELETE FROM t;",
           "q/a.sql:2:1: :batch* commands require parameters", ":exec");
    expect(
        "-- name: A :batchone\nDELETE FROM t WHERE id = @id;",
        "q/a.sql:2:1: query \"A\" specifies parameter \":batchone\" without containing a RETURNING "
        "clause",
        ":batchexec");
}

static void forms_must_agree(void)
{
    expect("-- name: A :many\nSELECT id /*@if b*/, name /*@end*/ FROM t;",
           "q/a.sql:2:1: the blocks of query \"A\" change its result columns", "same names");
    expect(
        "-- name: A :many\nSELECT id FROM t WHERE /*@switch s a*/ id = @x /*@case b: name = @x*/ "
        "/*@end*/;",
        "q/a.sql:2:1: parameter \"x\" has two types in the forms of this query", "cast it");
    expect("-- name: A :many\nSELECT id FROM t WHERE id = $1 /*@if b*/ AND true /*@end*/;",
           "q/a.sql:2:1: query \"A\" has blocks and numbered parameters", "@name");
    expect("-- name: A :many\nSELECT id FROM t WHERE true /*@if b*/ AND nope = 1 /*@end*/;",
           "q/a.sql:2:43: column \"nope\" does not exist", "");
    expect("-- name: A :many\nSELECT id FROM t /*@if b*/ WHERE id = @b;",
           "q/a.sql:2:18: this block has no @end", "@end");
    expect("-- name: A :exec\n-- @patch nope\nUPDATE t SET name = @name;",
           "q/a.sql:2:1: @patch nope: no assignment of that name", "SET nope = @nope");
    expect("-- name: A :copyfrom\nINSERT INTO t (id) VALUES (@id) /*@if b*/ /*@end*/;",
           "q/a.sql:2:1: dynamic parts and many rows do not go together", "two queries");
}

static void names_must_differ(void)
{
    expect("-- name: A :exec\nDELETE FROM t;\n\n-- name: A :exec\nDELETE FROM t;",
           "q/a.sql:4:1: duplicate query name: A", "q/a.sql:1");
    sqlc_bench bench = sqlc_bench_make(NULL);
    const project p = { .query = SLICE("-- name: GetA :exec\nDELETE FROM t;\n-- name: get_a :exec\n"
                                       "DELETE FROM t;") };
    const char *text = generate(&p, &bench);
    CHECK_STR(text, "q/a.sql:3:1: query GetA and query get_a both give the C name \"p_get_a\"");
    CHECK_STR(sqlc_hint(&bench), "give the query another name");
    sqlc_bench_done(&bench);
}

static void shared_rows_must_agree(void)
{
    expect(
        "-- name: A :many\n-- @row R\nSELECT id, name FROM t;\n-- name: B :many\n-- @row R\nSELECT "
        "id, note AS other FROM t;",
        "q/a.sql:5:1: @row R: the columns differ from those of the first query that names it",
        "first: id integer, name text; here: id integer, other text");
}

static void text_must_be_sound(void)
{
    expect("-- name: A :one\nSELECT 'x;\n", "q/a.sql:2:8: unterminated string", "");
    expect("-- name: A :nope\nSELECT 1;\n", "q/a.sql:1:12: invalid query type: :nope", ":one");
    expect("", "q/a.sql:1:1: no queries in this file", "-- name:");
    sqlc_bench bench = sqlc_bench_make(NULL);
    const project p = { .query = SLICE("-- name: A :one\nSELECT '\xFF' AS x;\n") };
    CHECK_STR(generate(&p, &bench), "q/a.sql:2:9: invalid UTF-8");
    CHECK(strstr(sqlc_hint(&bench), "iconv") != NULL);
    sqlc_bench_done(&bench);
}

/* More queries than are shown to the server together, with mistakes of each step at the ends of
 * such a group, in its middle and in the next one: each has its own place, and only that. */
static void mistakes_among_many_have_their_own_place(void)
{
    enum { MANY = 300 };
    static const struct {
        size_t query; /* from 1 on */
        const char *text, *want;
    } MISTAKES[] = {
        { 1, "SELECT nope1 FROM t", "2:10: column \"nope1\" does not exist" },
        { 2, "SELECT id FROM t WHERE true /*@if a*/ AND nope2 = @a /*@end*/\n AND id = @id",
          "4:45: column \"nope2\" does not exist" },
        { 100, "INSERT INTO t (id) VALUES (1) ON CONFLICT (name) DO NOTHING RETURNING id",
          "201:3: there is no unique or exclusion constraint matching the ON CONFLICT "
          "specification" },
        { 101, "SELECT sqlc.embed(x) FROM (SELECT 1 AS one) x",
          "203:10: sqlc.embed(x): not a table or view" },
        { 255, "SELECT @a + @b AS sum", "511:13: operator is not unique: unknown + unknown" },
        { 256, "SELECT 'x' || nope256 FROM t", "513:17: column \"nope256\" does not exist" },
        { 257, "SELEC 1", "515:3: syntax error at or near \"SELEC\"" },
        { 300, "SELECT t.*, nope300 FROM t", "601:15: column \"nope300\" does not exist" },
    };
    AUTO(buf_auto) buf queries;
    AUTO(buf_auto) buf want;
    sqlc_bench bench = sqlc_bench_make(NULL);
    buf_init(&queries, NULL, 1 << 20);
    buf_init(&want, NULL, 1 << 20);
    for (size_t i = 1, next = 0; i <= MANY; i++) {
        bool wrong = next < ARRAY_LEN(MISTAKES) && MISTAKES[next].query == i;
        buf_printf(&queries, "-- name: Q%zu :many\n  %s;\n", i,
                   wrong ? MISTAKES[next].text : "SELECT id, name FROM t WHERE id = @id");
        if (wrong) {
            buf_printf(&want, "%sq/a.sql:%s", next == 0 ? "" : "\n", MISTAKES[next].want);
            next++;
        }
    }
    const project p = { .query = buf_view(&queries) };
    CHECK_STR(generate(&p, &bench), arena_copy(bench.arena, buf_view(&want)));
    sqlc_bench_done(&bench);
}

/* A mistake that all forms have is told once, and one form's own only when those before it are
 * good. */
static void forms_tell_the_first_mistake(void)
{
    expect("-- name: A :many\nSELECT id FROM t WHERE nope = 1 /*@if b*/ AND id = @b /*@end*/\n"
           "/*@if c*/ AND nope2 = @c /*@end*/;",
           "q/a.sql:2:24: column \"nope\" does not exist", "note");
    expect("-- name: A :many\nSELECT id FROM t WHERE true /*@if b*/ AND id = $1 /*@end*/\n"
           "/*@if c*/ AND nope = 1 /*@end*/;",
           "q/a.sql:2:1: query \"A\" has blocks and numbered parameters", "@name");
}

static void several_mistakes_are_reported_at_once(void)
{
    expect(
        "-- name: A :one\nSELECT a FROM t;\n-- name: B :one\nSELECT id FROM t;\n-- name: C :one\n"
        "SELECT c FROM t;",
        "q/a.sql:2:8: column \"a\" does not exist\nq/a.sql:6:8: column \"c\" does not exist", "");
}

static void schema_mistakes_have_a_place(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    project p = { .query = SLICE("-- name: A :exec\nDELETE FROM t;"),
                  .schema = "CREATE TABLE t (id int);\n\nCREATE TABLE u (\n  é int,\n  x nope);" };
    CHECK_STR(generate(&p, &bench), "s.sql:5:5: type \"nope\" does not exist");
    p.schema = "-- what\nCREATE EXTENSION no_such_extension;";
    const char *text = generate(&p, &bench);
    CHECK(strstr(text, "s.sql:2:1: ") == text);
    CHECK(strstr(text, "no_such_extension") != NULL);
    CHECK(strstr(sqlc_hint(&bench), "package") != NULL);
    p.schema = "";
    text = generate(&p, &bench);
    CHECK(strstr(text, "s.sql:1:1: cannot read") == text);
    sqlc_bench_done(&bench);
}

static void a_server_that_is_away_is_named(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    const project p = { .query = SLICE("-- name: A :exec\nDELETE FROM t;"),
                        .server = "host=/nonexistent dbname=x" };
    const char *text = generate(&p, &bench);
    CHECK(strstr(text, "/nonexistent") != NULL);
    if (strstr(text, "/nonexistent") == NULL) {
        printf("# %s\n", text);
    }
    sqlc_bench_done(&bench);
}

static void overrides_must_fit_the_database(void)
{
    static const struct {
        const char *entry, *want;
    } CASES[] = {
        { "{column: t.nope, nullable: true}", "7:64: override: no column \"t.nope\"" },
        { "{column: other.t.id, nullable: true}", "7:64: override: no column \"other.t.id\"" },
        { "{db_type: nope, c_type: i64}", "7:64: override: no type \"nope\"" },
        { "{db_type: text, c_type: i64}", "7:64: override: \"i64\" is no representation of text" },
        { "{column: t.note, c_type: nope}",
          "7:64: override: \"nope\" is no representation of text" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        sqlc_bench bench = sqlc_bench_make(NULL);
        char config[600];
        (void) snprintf(config, sizeof config,
                        "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    "
                        "queries: q\n    codegen:\n"
                        "      - {plugin: c, out: out, options: {prefix: p, overrides: [%s]}}\n",
                        CASES[i].entry);
        const project p = { .config = config,
                            .query = sqlc_text("-- name: A :many\nSELECT note FROM t;") };
        const char *text = generate(&p, &bench);
        if (!CHECK(strstr(text, CASES[i].want) != NULL)) {
            printf("# %s\n", text);
        }
        sqlc_bench_done(&bench);
    }
}

TAP_MAIN(TAP("unknown names and wrong types are shown where they stand",
             the_server_decides_names_and_types),
         TAP("parameters without a type get advice", parameters_need_a_type),
         TAP("parameters that several operators fit get advice", ambiguous_parameters_get_advice),
         TAP("columns that several tables have get advice", ambiguous_columns_get_advice),
         TAP("files of an earlier run stay byte for byte", earlier_outputs_stay_as_they_are),
         TAP("errors of the planner are found", planner_errors_are_found),
         TAP("columns must be there, have a C type and a C name", rows_must_be_there_and_typed),
         TAP("@nonnull_elems is about arrays", elements_are_those_of_arrays),
         TAP("(value).* of no certain type is refused at its place",
             rows_of_no_certain_type_are_not_expanded),
         TAP("columns of comments are known", columns_of_comments_are_known),
         TAP("a query file is not called like a header of the system",
             files_are_not_called_like_system_headers),
         TAP(":copyfrom takes plain inserts of one row", copies_are_plain_inserts),
         TAP("@bulk takes one row of scalars", bulk_needs_one_row_of_scalars),
         TAP("the forms of a query must agree", forms_must_agree),
         TAP("names that collide are reported", names_must_differ),
         TAP("queries of one @row must agree", shared_rows_must_agree),
         TAP("text that cannot be read is reported", text_must_be_sound),
         TAP("one run reports all mistakes", several_mistakes_are_reported_at_once),
         TAP("mistakes among many have their own place", mistakes_among_many_have_their_own_place),
         TAP("of the forms the first mistake is told", forms_tell_the_first_mistake),
         TAP("mistakes in the schema are shown where they stand", schema_mistakes_have_a_place),
         TAP("overrides must fit the database", overrides_must_fit_the_database),
         TAP("a server that is away is named", a_server_that_is_away_is_named))
