/* Generated files as a whole: every type and every command beside committed expectations
 * (tests/sqlc/types/expected; GOLDEN_UPDATE=1 rewrites them, the diff is the review), and names of
 * rows, fields and parameters as the analysis chooses them. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"
#include "sqlc/pipeline.h"

#include "pg.h"
#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

#define TYPES TEST_SOURCE_ROOT "/tests/sqlc/types"

/* Run the pipeline in memory; nothing is written. */
static pgc_status analyse(sqlc_bench *bench, const char *path, vec *sets)
{
    pgc_error err = PGC_ZERO;
    config *cfg = ARENA_NEW(bench->arena, config);
    command_options options = { .config = path, .database = test_server() };
    pgc_status status =
        pipeline_read(env_default(), bench->arena, &options, cfg, sets, &bench->diags, &err);
    if (status == PGC_OK) {
        status =
            pipeline_run(env_default(), bench->arena, &options, cfg, sets, &bench->diags, &err);
    }
    if (status != PGC_OK) {
        printf("# %s\n# %s\n", err.message, sqlc_diags(bench));
    }
    return status;
}

static void compare_golden(const emit_file *file)
{
    char path[512];
    AUTO(buf_auto) buf want;
    pgc_error err = PGC_ZERO;
    (void) snprintf(path, sizeof path, TYPES "/expected/%s.txt", file->name);
    buf_init(&want, NULL, 1 << 20);
    if (getenv("GOLDEN_UPDATE") != NULL) {
        CHECK_STATUS(file_write_atomic(env_default(), AT_FDCWD, path, file->content, 0644, &err),
                     PGC_OK, &err);
    }
    REQUIRE_OK(file_read(env_default(), AT_FDCWD, path, &want, &err), &err);
    slice got = file->content;
    slice rest = buf_view(&want);
    for (int line = 1; got.ptr != NULL || rest.ptr != NULL; line++) {
        slice a = got.ptr == NULL ? SLICE("(end)") : slice_next(&got, '\n');
        slice b = rest.ptr == NULL ? SLICE("(end)") : slice_next(&rest, '\n');
        if (!slice_eq(a, b)) {
            printf("# %s:%d\n# got  %" SLICE_FMT "\n# want %" SLICE_FMT "\n", path, line,
                   SLICE_ARG(a), SLICE_ARG(b));
            CHECK(false);
            return;
        }
    }
}

static void files_are_the_expected_ones(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    vec sets = { 0 };
    REQUIRE(analyse(&bench, TYPES "/sqlc.yaml", &sets) == PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    const pipeline_set *set = VEC_AT(&sets, pipeline_set, 0);
    CHECK_INT(set->files.count, 5);
    for (size_t i = 0; i < set->files.count; i++) {
        const emit_file *file = VEC_AT(&set->files, emit_file, i);
        if (!slice_ends(sqlc_text(file->name), SLICE(".json"))) {
            compare_golden(file);
        }
    }
    sqlc_bench_done(&bench);
}

/* A project in a folder of its own. */
static tmpdir project(const char *yaml, const char *schema, const char *queries)
{
    tmpdir dir = tmpdir_make();
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_mkdirs(env_default(), dir.fd, "q", 0755, false, &err), PGC_OK, &err);
    CHECK_STATUS(file_write_atomic(env_default(), dir.fd, "sqlc.yaml", sqlc_text(yaml), 0644, &err),
                 PGC_OK, &err);
    CHECK_STATUS(file_write_atomic(env_default(), dir.fd, "s.sql", sqlc_text(schema), 0644, &err),
                 PGC_OK, &err);
    CHECK_STATUS(
        file_write_atomic(env_default(), dir.fd, "q/a.sql", sqlc_text(queries), 0644, &err), PGC_OK,
        &err);
    return dir;
}

static const char CONFIG[] = "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n"
                             "    queries: q\n    codegen:\n"
                             "      - {plugin: c, out: out, options: {prefix: p}}\n";
static const char SCHEMA[] =
    "CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, note text);"
    "CREATE TABLE pets (id int PRIMARY KEY, owner int REFERENCES users, name text NOT NULL);"
    "CREATE TABLE single (id int PRIMARY KEY);"
    "CREATE VIEW shown AS SELECT id, name FROM users;";

/* A query's outcome as one text: row type, its fields (? nullable), "<-", parameters. */
static const char *outcome(arena *mem, const ir_query *q)
{
    const char *text = q->row == NULL ? "none"
                       : q->row->kind == IR_ROW_SCALAR
                           ? arena_printf(mem, "= %s", q->row->fields[0].type.sql)
                       : q->row->kind == IR_ROW_MODEL ? arena_printf(mem, "model %s", q->row->name)
                                                      : q->row->name;
    for (size_t i = 0; q->row != NULL && i < q->row->field_count; i++) {
        const ir_field *f = &q->row->fields[i];
        bool listed = q->row->kind != IR_ROW_MODEL;
        text = !listed ? text
                       : arena_printf(mem, "%s %s%s%s", text, f->name, f->embed != NULL ? "*" : "",
                                      f->nullable ? "?" : "");
    }
    for (size_t i = 0; i < q->param_count; i++) {
        text = arena_printf(mem, "%s%s%s:%s%s", text, i == 0 ? " <- " : " ", q->params[i].name,
                            q->params[i].type.sql, q->params[i].nullable ? "?" : "");
    }
    return text;
}

typedef struct example {
    const char *name, *sql, *want; /* name holds the command */
} example;

static void expect_all(const char *yaml, const example *list, size_t count)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    vec sets = { 0 };
    const char *queries = "";
    for (size_t i = 0; i < count; i++) {
        queries =
            arena_printf(bench.arena, "%s-- name: %s\n%s;\n", queries, list[i].name, list[i].sql);
    }
    tmpdir dir = project(yaml, SCHEMA, queries);
    const char *path = arena_printf(bench.arena, "%s/sqlc.yaml", dir.path);
    pgc_status status = analyse(&bench, path, &sets);
    tmpdir_remove(&dir);
    REQUIRE(status == PGC_OK);
    const ir_set *set = &VEC_AT(&sets, pipeline_set, 0)->ir;
    REQUIRE(set->query_count == count);
    for (size_t i = 0; i < count; i++) {
        const char *got = outcome(bench.arena, &set->queries[i]);
        if (strcmp(got, list[i].want) != 0) {
            printf("# %s: %s\n", list[i].name, list[i].sql);
        }
        CHECK_STR(got, list[i].want);
    }
    sqlc_bench_done(&bench);
}

#define EXPECT(yaml, ...)                               \
    do {                                                \
        static const example list_[] = { __VA_ARGS__ }; \
        expect_all(yaml, list_, ARRAY_LEN(list_));      \
    } while (0)

static void rows_are_models_where_they_fit(void)
{
    EXPECT(CONFIG, { "A1 :many", "SELECT * FROM users", "model p_user" },
           { "A2 :many", "SELECT id, name, note FROM users", "model p_user" },
           { "A3 :many", "SELECT name, id, note FROM users", "p_a3_row name id note?" },
           { "A4 :many", "SELECT id, name FROM users", "p_a4_row id name" },
           { "A5 :many", "SELECT id, name AS label, note FROM users", "p_a5_row id label note?" },
           { "A6 :many", "SELECT u.* FROM pets LEFT JOIN users u ON u.id = owner",
             "p_a6_row id? name? note?" },
           { "A7 :many", "SELECT u.* FROM pets JOIN users u ON u.id = owner", "model p_user" },
           { "A8 :many", "SELECT * FROM single", "= integer id" },
           { "A9 :many", "SELECT * FROM shown", "model p_shown" },
           { "B1 :one", "INSERT INTO users VALUES ($1, $2, $3) RETURNING *",
             "model p_user <- id:integer name:text note:text?" },
           { "B2 :many", "SELECT id, name, note FROM users UNION SELECT id, name, note FROM users",
             "p_b2_row id name note?" },
           { "B3 :many", "WITH c AS (SELECT * FROM users) SELECT * FROM c", "model p_user" },
           { "B4 :one", "SELECT sqlc.embed(u) FROM users u", "p_b4_row u*" },
           { "B5 :many",
             "SELECT sqlc.embed(u), sqlc.embed(p) FROM users u LEFT JOIN pets p ON "
             "p.owner = u.id",
             "p_b5_row u* p*?" },
           { "B6 :many", "SELECT 1, 2, 'x'", "p_b6_row column_1 column_2 column_3" },
           { "B7 :many", "SELECT id, id, id AS id_2 FROM users", "p_b7_row id id_2 id_2_2" },
           { "B8 :exec", "SELECT 1", "none" }, { "B9 :execrows", "DELETE FROM pets", "none" });
}

static void parameters_are_named_by_their_place(void)
{
    EXPECT(
        CONFIG, { "A1 :many", "SELECT id FROM users WHERE id = $1", "= integer id <- id:integer" },
        { "A2 :many", "SELECT id FROM users WHERE id = $1 OR id = $2",
          "= integer id <- id:integer id_2:integer" },
        { "A3 :many", "SELECT id FROM users WHERE name LIKE $1 || '%'",
          "= integer id <- dollar_1:text" },
        { "A4 :many", "SELECT id FROM users LIMIT $1 OFFSET $2",
          "= integer id <- limit:bigint offset:bigint" },
        { "A5 :many", "SELECT id FROM users WHERE id = ANY($1::int[])",
          "= integer id <- dollar_1:integer[]" },
        { "A6 :exec", "UPDATE users SET note = $1, name = $2 WHERE id = $3",
          "none <- note:text? name:text id:integer" },
        { "A7 :exec", "INSERT INTO users (id, note) VALUES (@id, sqlc.narg(note))",
          "none <- id:integer note:text?" },
        { "A8 :one", "SELECT $1::int + $2::int AS n",
          "= integer n <- dollar_1:integer "
          "dollar_2:integer" },
        { "A9 :many", "SELECT id FROM users WHERE lower($1) = name", "= integer id <- lower:text" },
        { "B1 :many", "SELECT id FROM users WHERE id BETWEEN @low AND @high",
          "= integer id <- low:integer high:integer" },
        { "B2 :many", "SELECT id FROM users WHERE name = @value", "= integer id <- value_:text" },
        { "B3 :many", "SELECT id FROM users WHERE name = @value AND note = @reader",
          "= integer id <- value:text reader:text" },
        { "B4 :many", "SELECT id FROM users WHERE name = @int", "= integer id <- int_:text" },
        { "B5 :many", "SELECT id FROM users WHERE name = @DB", "= integer id <- db_:text" },
        { "B6 :many", "SELECT id FROM users WHERE name = @fooBar AND note = @foo_bar",
          "= integer id <- foo_bar:text foo_bar_2:text" },
        { "B7 :many", "SELECT id FROM users WHERE name = @x AND note = @x",
          "= integer id <- x:text" });
}

static void strict_parameters_are_not_null(void)
{
    static const char STRICT[] =
        "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    queries: q\n"
        "    gen: {c: {out: out, prefix: p, param_nullability: strict, query_parameter_limit: 0,\n"
        "      emit_exact_table_names: true, rename: {note: remark, users: Person}}}\n";
    EXPECT(STRICT,
           { "A1 :exec", "UPDATE users SET note = $1, name = $2", "none <- remark:text name:text" },
           { "A2 :exec", "UPDATE users SET note = sqlc.narg(note)", "none <- remark:text?" },
           { "A3 :many", "SELECT * FROM users", "model p_person" },
           { "A4 :many", "SELECT * FROM pets", "model p_pets" },
           { "A5 :many", "SELECT id, note FROM users WHERE name = @value",
             "p_a5_row id remark? <- value:text" });
}

/* What generate says and does in a folder; gives the status. */
static pgc_status generate(const tmpdir *dir, const char **text, sqlc_bench *bench)
{
    pgc_error err = PGC_ZERO;
    command_result result;
    command_options options = { .database = test_server() };
    options.config = arena_printf(bench->arena, "%s/sqlc.yaml", dir->path);
    command_result_init(&result, bench->arena);
    pgc_status status = command_generate(env_default(), bench->arena, &options, &result, &err);
    bench->diags = result.diags;
    *text = arena_copy(bench->arena, buf_view(&result.out));
    command_result_done(&result);
    return status;
}

/* A manifest is a file of the repository: whatever it names, only C files of the output folder may
 * be taken away. */
static void manifests_remove_only_generated_files(void)
{
    static const char MANIFEST[] =
        "{\"generator\": \"0\", \"options_hash\": \"0\", \"inputs\": {}, \"outputs\": {\"\": \"\","
        "\".\": \"\", \"..\": \"\", \"../s.sql\": \"\", \".git\": \"\", \"kept\": \"\","
        "\"/etc/nothing.c\": \"\", \"keep.txt\": \"\", \"x.c/..\": \"\", \"old.c\": \"\"}}";
    sqlc_bench bench = sqlc_bench_make(NULL);
    pgc_error err = PGC_ZERO;
    const char *text = NULL;
    tmpdir dir = project(CONFIG, SCHEMA, "-- name: A :exec\nDELETE FROM pets;\n");
    static const char *const NAMES[] = { "out/keep.txt", "out/old.c", "out/.git/x", "out/kept/x" };
    CHECK_STATUS(file_mkdirs(env_default(), dir.fd, "out/.git", 0755, false, &err), PGC_OK, &err);
    CHECK_STATUS(file_mkdirs(env_default(), dir.fd, "out/kept", 0755, false, &err), PGC_OK, &err);
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        CHECK_STATUS(file_write_atomic(env_default(), dir.fd, NAMES[i], SLICE("x"), 0644, &err),
                     PGC_OK, &err);
    }
    CHECK_STATUS(file_write_atomic(env_default(), dir.fd, "out/sqlc-manifest.json",
                                   sqlc_text(MANIFEST), 0644, &err),
                 PGC_OK, &err);
    CHECK_INT(generate(&dir, &text, &bench), PGC_OK);
    CHECK(!file_exists(env_default(), dir.fd, "out/old.c"));
    CHECK(file_exists(env_default(), dir.fd, "out/keep.txt"));
    CHECK(file_exists(env_default(), dir.fd, "out/.git/x"));
    CHECK(file_exists(env_default(), dir.fd, "out/kept/x"));
    CHECK(file_exists(env_default(), dir.fd, "out/a.c"));
    CHECK(file_exists(env_default(), dir.fd, "s.sql"));
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

static void sets_have_their_own_folders(void)
{
    static const char TWO[] =
        "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n    queries: q\n"
        "    codegen:\n      - {plugin: c, out: one, options: {prefix: a}}\n"
        "      - {plugin: c, out: two, options: {prefix: b, emit_sql_as_comment: false}}\n";
    sqlc_bench bench = sqlc_bench_make(NULL);
    const char *text = NULL;
    tmpdir dir = project(TWO, SCHEMA, "-- name: A :many\nSELECT * FROM pets;\n");
    CHECK_INT(generate(&dir, &text, &bench), PGC_OK);
    CHECK_STR(sqlc_diags(&bench), "");
    CHECK(strstr(text, "one/a.c\n") != NULL);
    CHECK(strstr(text, "two/a.c\n") != NULL);
    CHECK_INT(generate(&dir, &text, &bench), PGC_OK);
    CHECK_STR(text, "");
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

/* A folder that a pattern names gives its files; a list without entries is no schema. */
static void projects_may_have_parts(void)
{
    static const char PARTS[] =
        "version: \"2\"\nsql:\n  - engine: postgresql\n    schema:\n    queries: \"mod/*\"\n"
        "    codegen:\n      - {plugin: c, out: out, options: {prefix: p}}\n";
    sqlc_bench bench = sqlc_bench_make(NULL);
    pgc_error err = PGC_ZERO;
    const char *text = NULL;
    tmpdir dir = project(PARTS, "this is no SQL;", "-- name: Bad :one\nnor this;\n");
    CHECK_STATUS(file_mkdirs(env_default(), dir.fd, "mod/one", 0755, false, &err), PGC_OK, &err);
    CHECK_STATUS(file_write_atomic(env_default(), dir.fd, "mod/one/first.sql",
                                   SLICE("-- name: A :one\nSELECT 1;\n"), 0644, &err),
                 PGC_OK, &err);
    CHECK_INT(generate(&dir, &text, &bench), PGC_OK);
    CHECK(strstr(text, "out/first.c\n") != NULL);
    CHECK_STR(sqlc_diags(&bench), "");
    sqlc_bench_done(&bench);
    tmpdir_remove(&dir);
}

/* Equal in names, types and NULL; what differs in any of it keeps a struct of its own. */
static void equal_rows_are_shared_where_asked(void)
{
    static const char SHARING[] =
        "version: \"2\"\nsql:\n  - engine: postgresql\n    schema: s.sql\n"
        "    queries: q\n    codegen:\n      - {plugin: c, out: out, "
        "options: {prefix: p, share_rows: true}}\n";
    EXPECT(SHARING, { "One :many", "SELECT name, note FROM users", "p_one_row name note?" },
           { "Two :many", "SELECT name, note FROM users WHERE id = @id",
             "p_one_row name note? <- id:integer" },
           { "Three :many", "SELECT p.name, u.note FROM pets p LEFT JOIN users u ON u.id = p.owner",
             "p_one_row name note?" },
           { "Sure :many", "SELECT name, note FROM users WHERE note IS NOT NULL",
             "p_sure_row name note" },
           { "Other :many", "SELECT note, name FROM users", "p_other_row note? name" },
           { "Number :many", "SELECT name, id AS note FROM users", "p_number_row name note" },
           { "Named :many", "SELECT name, note AS \"Note\" FROM users", "p_named_row name note?" },
           { "Again :many", "SELECT name, id AS note FROM pets", "p_number_row name note" });
    EXPECT(CONFIG, { "One :many", "SELECT name, note FROM users", "p_one_row name note?" },
           { "Two :many", "SELECT name, note FROM users", "p_two_row name note?" });
}

TAP_MAIN(TAP("every type and command as expected", files_are_the_expected_ones),
         TAP("equal rows are shared where asked", equal_rows_are_shared_where_asked),
         TAP("rows are models where they fit", rows_are_models_where_they_fit),
         TAP("parameters are named by their place", parameters_are_named_by_their_place),
         TAP("options change names and nullability", strict_parameters_are_not_null),
         TAP("a manifest removes generated files only", manifests_remove_only_generated_files),
         TAP("two generators of one entry", sets_have_their_own_folders),
         TAP("folders by pattern, no schema", projects_may_have_parts))
