/* Path rules of schema and queries (sqlc.md §1.2), in real folders. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/buf.h"
#include "base/file.h"
#include "sqlc/source.h"

#include "oom.h"
#include "sqlc.h"
#include "tap.h"
#include "tmpdir.h"

typedef struct tree {
    tmpdir dir;
    sqlc_bench bench;
    vec files;
} tree;

static void put(const tree *t, const char *name, slice text)
{
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_write_atomic(env_default(), t->dir.fd, name, text, 0644, &err), PGC_OK, &err);
}

static void folder(const tree *t, const char *name)
{
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(file_mkdirs(env_default(), t->dir.fd, name, 0755, false, &err), PGC_OK, &err);
}

/* db/: 10_b.sql 9_a.sql notes.txt .hidden.sql 9_a.down.sql UP.SQL, sub/deep.sql; more/: x.sql. */
static tree tree_make(void)
{
    tree t = { .dir = tmpdir_make(), .bench = sqlc_bench_make(NULL) };
    folder(&t, "db/sub");
    folder(&t, "more");
    folder(&t, "empty");
    static const char *const NAMES[] = { "db/10_b.sql",     "db/9_a.sql",      "db/notes.txt",
                                         "db/.hidden.sql",  "db/9_a.down.sql", "db/UP.SQL",
                                         "db/sub/deep.sql", "more/x.sql",      "[odd].sql" };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        put(&t, NAMES[i], sqlc_text(NAMES[i]));
    }
    return t;
}

static void tree_done(tree *t)
{
    sqlc_bench_done(&t->bench);
    tmpdir_remove(&t->dir);
}

/* Shown paths of what the paths (parted by blanks) give, parted by blanks. */
static const char *found(tree *t, const char *paths)
{
    vec list = { 0 };
    slice rest = sqlc_text(paths);
    pgc_error err = PGC_ZERO;
    t->files = (vec) { 0 };
    t->bench.diags = (diag_list) { .arena = t->bench.arena };
    while (rest.ptr != NULL) {
        const char **slot = VEC_ADD(t->bench.arena, &list, const char *);
        if (slot == NULL) {
            return "no memory";
        }
        *slot = arena_copy(t->bench.arena, slice_next(&rest, ' '));
    }
    CHECK_STATUS(source_load(env_default(), t->bench.arena, t->dir.path, &list, &t->bench.diags,
                             &t->files, &err),
                 PGC_OK, &err);
    const char *text = "";
    for (size_t i = 0; i < t->files.count; i++) {
        text = arena_printf(t->bench.arena, "%s%s%s", text, i == 0 ? "" : " ",
                            VEC_AT(&t->files, source_file, i)->path);
    }
    return text;
}

static void folders_give_their_files(void)
{
    tree t = tree_make();
    CHECK_STR(found(&t, "db"), "db/10_b.sql db/9_a.sql");
    CHECK_STR(found(&t, "db/"), "db/10_b.sql db/9_a.sql");
    CHECK_STR(found(&t, "db///"), "db/10_b.sql db/9_a.sql");
    CHECK_STR(found(&t, "db/sub more"), "db/sub/deep.sql more/x.sql");
    CHECK_STR(found(&t, "more db/sub"), "more/x.sql db/sub/deep.sql");
    CHECK_STR(found(&t, "empty"), "");
    CHECK_STR(found(&t, "."), "./[odd].sql");
    CHECK_STR(sqlc_diags(&t.bench), "");
    tree_done(&t);
}

static void files_are_taken_as_named(void)
{
    tree t = tree_make();
    CHECK_STR(found(&t, "db/9_a.sql"), "db/9_a.sql");
    CHECK_STR(found(&t, "db/notes.txt"), "db/notes.txt");
    CHECK_STR(found(&t, "db/9_a.sql db/9_a.sql"), "db/9_a.sql db/9_a.sql");
    REQUIRE(t.files.count == 2);
    CHECK(slice_eq_str(VEC_AT(&t.files, source_file, 0)->text, "db/9_a.sql"));
    const char *absolute = arena_printf(t.bench.arena, "%s/more/x.sql", t.dir.path);
    CHECK_STR(found(&t, absolute), "more/x.sql");
    tree_done(&t);
}

static void patterns_are_expanded(void)
{
    tree t = tree_make();
    CHECK_STR(found(&t, "db/*.sql"), "db/10_b.sql db/9_a.sql");
    CHECK_STR(found(&t, "db/?_a.sql"), "db/9_a.sql");
    CHECK_STR(found(&t, "db/[0-8]*.sql"), "db/10_b.sql");
    CHECK_STR(found(&t, "*/*.sql"), "db/10_b.sql db/9_a.sql more/x.sql");
    CHECK_STR(found(&t, "db/*.txt"), "");
    CHECK_STR(found(&t, "nope/*.sql"), "");
    CHECK_STR(sqlc_diags(&t.bench), "");
    tree_done(&t);
}

/* As upstream: a folder among the matches gives its files. */
static void patterns_match_folders(void)
{
    tree t = tree_make();
    CHECK_STR(found(&t, "db/s*"), "db/sub/deep.sql");
    CHECK_STR(found(&t, "*"), "[odd].sql db/10_b.sql db/9_a.sql more/x.sql");
    CHECK_STR(found(&t, "d?/*"), "db/10_b.sql db/9_a.sql db/sub/deep.sql");
    tree_done(&t);
}

static void missing_paths_are_mistakes(void)
{
    tree t = tree_make();
    CHECK_STR(found(&t, "db/nope.sql more"), "more/x.sql");
    CHECK(strstr(sqlc_diags(&t.bench), "db/nope.sql:1:1: cannot read") != NULL);
    CHECK(strstr(sqlc_hint(&t.bench), "relative to the folder of the config") != NULL);
    CHECK_INT(t.bench.diags.error_count, 1);
    CHECK_STR(found(&t, "db/9_a.sql/x"), "");
    CHECK_INT(t.bench.diags.error_count, 1);
    tree_done(&t);
}

static void text_must_be_utf8(void)
{
    tree t = tree_make();
    put(&t, "latin.sql", SLICE("-- one\nSELECT '\xE4';\n"));
    put(&t, "nul.sql", SLICE("SELECT 1;\0"));
    put(&t, "surrogate.sql", SLICE("'\xED\xA0\x80'"));
    put(&t, "overlong.sql", SLICE("\xC0\xAF"));
    put(&t, "cut.sql", SLICE("x\xE2\x82"));
    CHECK_STR(found(&t, "latin.sql"), "latin.sql");
    CHECK_STR(sqlc_diags(&t.bench), "latin.sql:2:9: invalid UTF-8");
    CHECK_INT(VEC_AT(&t.files, source_file, 0)->text.len, 0);
    (void) found(&t, "nul.sql surrogate.sql overlong.sql cut.sql");
    CHECK_STR(sqlc_diags(&t.bench),
              "nul.sql:1:10: invalid UTF-8\nsurrogate.sql:1:2: invalid UTF-8\n"
              "overlong.sql:1:1: invalid UTF-8\ncut.sql:1:2: invalid UTF-8");
    tree_done(&t);
}

static void a_byte_order_mark_is_no_text(void)
{
    tree t = tree_make();
    put(&t, "mark.sql", SLICE("\xEF\xBB\xBF-- name: A :one\nSELECT 1;\n"));
    put(&t, "only.sql", SLICE("\xEF\xBB\xBF"));
    put(&t, "inside.sql", SLICE("x\xEF\xBB\xBFy"));
    CHECK_STR(found(&t, "mark.sql only.sql inside.sql"), "mark.sql only.sql inside.sql");
    CHECK(slice_starts(VEC_AT(&t.files, source_file, 0)->text, SLICE("-- name: A")));
    CHECK_INT(VEC_AT(&t.files, source_file, 1)->text.len, 0);
    CHECK_INT(VEC_AT(&t.files, source_file, 2)->text.len, 5);
    CHECK_STR(sqlc_diags(&t.bench), "");
    tree_done(&t);
}

static void survives_failed_allocations(void)
{
    tree t = tree_make();
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 200; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        sqlc_bench bench = sqlc_bench_make(&alloc);
        const char *paths[] = { "db", "more/*.sql" };
        const vec list = { .items = paths, .count = 2, .cap = 2 };
        vec files = { 0 };
        if (bench.arena != NULL) {
            pgc_status status = source_load(env_default(), bench.arena, t.dir.path, &list,
                                            &bench.diags, &files, NULL);
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            complete = status == PGC_OK;
        }
        sqlc_bench_done(&bench);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
    tree_done(&t);
}

/* Statements of one schema text, parted by '|', line breaks as blanks. */
static const char *statements(sqlc_bench *bench, const char *text)
{
    source_file *file = ARENA_NEW(bench->arena, source_file);
    vec list = { 0 };
    pgc_error err = PGC_ZERO;
    *file = (source_file) { .path = "s.sql", .text = sqlc_text(text) };
    CHECK_STATUS(source_schema(bench->arena, file, &bench->diags, &list, &err), PGC_OK, &err);
    char *all = arena_strdup(bench->arena, "");
    for (size_t i = 0; i < list.count; i++) {
        const schema_statement *st = VEC_AT(&list, schema_statement, i);
        all = arena_printf(bench->arena, "%s%s%" SLICE_FMT, all, i == 0 ? "" : "|",
                           SLICE_ARG(slice_sub(st->file->text, st->start, st->end)));
    }
    for (char *p = all; *p != '\0'; p++) {
        *p = *p == '\n' ? ' ' : *p;
    }
    return all;
}

static void schema_text_is_filtered(void)
{
    static const struct {
        const char *text, *want;
    } CASES[] = {
        { "CREATE TABLE a ();CREATE TABLE b ();", "CREATE TABLE a ()|CREATE TABLE b ()" },
        { "CREATE TABLE a ()", "CREATE TABLE a ()" },
        { "-- only a comment\n", "" },
        { ";;", "" },
        { "A;\n-- +goose Down\nB;", "A" },
        { "A;\n-- +GOOSE DOWN\nB;", "A" },
        { "-- +goose Up\nA;\n-- +goose StatementBegin\nB;\n-- +goose StatementEnd\n", "A|B" },
        { "A;\n-- +migrate Down\nB;", "A" },
        { "A;\n---- create above / drop below ----\nB;", "A" },
        { "A;\n-- migrate:down\nB;", "A" },
        { "A;\n  -- migrate:down\nB;", "A|B" },
        { "-- migrate:up\nA;\n-- migrate:downward\nB;", "A" },
        { "\\connect x\nA;\n\\restrict abc'def\nB;", "A|B" },
        { "A E'\\n';", "A E'\\n'" },
        { "A $f$ ; $f$; B;", "A $f$ ; $f$|B" },
        { "A 'x;y' \"c;d\" /* ; */ -- ;\n; B", "A 'x;y' \"c;d\" /* ; */ -- ; |B" },
        { "CREATE FUNCTION f() BEGIN ATOMIC A; B; END; C",
          "CREATE FUNCTION f() BEGIN ATOMIC A; B; END|C" },
        { "f BEGIN ATOMIC SELECT CASE x WHEN 1 THEN 2 END; END; C",
          "f BEGIN ATOMIC SELECT CASE x WHEN 1 THEN 2 END; END|C" },
        { "BEGIN; A; COMMIT;", "BEGIN|A|COMMIT" },
        { "A;\n-- name: Get :one\nSELECT 1;\nB;", "A|B" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        sqlc_bench bench = sqlc_bench_make(NULL);
        CHECK_STR(statements(&bench, CASES[i].text), CASES[i].want);
        CHECK_STR(sqlc_diags(&bench), "");
        sqlc_bench_done(&bench);
    }
}

TAP_MAIN(TAP("folders give their .sql files in byte order", folders_give_their_files),
         TAP("a file that is named is read, whatever it is called", files_are_taken_as_named),
         TAP("patterns are expanded and may match nothing", patterns_are_expanded),
         TAP("folders among the matches give their files", patterns_match_folders),
         TAP("a path that is missing is a mistake", missing_paths_are_mistakes),
         TAP("text that is not UTF-8 is refused with its place", text_must_be_utf8),
         TAP("a byte order mark in front is left out", a_byte_order_mark_is_no_text),
         TAP("failed allocations are reported", survives_failed_allocations),
         TAP("schema text is cut and filtered", schema_text_is_filtered))
