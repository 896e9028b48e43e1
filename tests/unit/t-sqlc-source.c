/* Query files: statements, annotations, comments, flags; schema files. */
#include "base/prelude.h"

#include "base/buf.h"
#include "sqlc/source.h"

#include "oom.h"
#include "sqlc.h"
#include "tap.h"

typedef struct parsed {
    sqlc_bench bench;
    source_file file;
    vec queries;
} parsed;

static parsed parse(const char *text)
{
    parsed p = { .bench = sqlc_bench_make(NULL), .file = { .path = "q.sql" } };
    pgc_error err = PGC_ZERO;
    p.file.text = sqlc_text(text);
    /* The file is copied: queries point to it. */
    source_file *file = ARENA_NEW(p.bench.arena, source_file);
    *file = p.file;
    CHECK_STATUS(source_queries(p.bench.arena, file, &p.bench.diags, &p.queries, &err), PGC_OK,
                 &err);
    return p;
}

static const query_source *query_at(const parsed *p, size_t index)
{
    return index < p->queries.count ? VEC_AT(&p->queries, query_source, index) : NULL;
}

static void expect(const char *text, const char *want)
{
    parsed p = parse(text);
    CHECK_STR(sqlc_diags(&p.bench), want);
    sqlc_bench_done(&p.bench);
}

/* The statement's text, without what stands before its first token. */
static const char *statement(const parsed *p, const query_source *q)
{
    return arena_copy(p->bench.arena, slice_sub(p->file.text, q->start, q->end));
}

static void finds_the_queries(void)
{
    parsed p = parse("-- name: GetA :one\nSELECT 1;\n\n/* name: ListB :many */\nSELECT ';' -- ;\n"
                     ";\n-- name: Go :exec\nSELECT $$;$$;\n-- name: N :execrows\nDELETE FROM x;");
    CHECK_STR(sqlc_diags(&p.bench), "");
    REQUIRE(p.queries.count == 4);
    CHECK_STR(query_at(&p, 0)->name, "GetA");
    CHECK_INT(query_at(&p, 0)->cmd, QUERY_ONE);
    CHECK_STR(statement(&p, query_at(&p, 0)), "SELECT 1");
    CHECK_INT(query_at(&p, 1)->cmd, QUERY_MANY);
    CHECK_STR(statement(&p, query_at(&p, 1)), "SELECT ';' -- ;\n");
    CHECK_INT(query_at(&p, 2)->cmd, QUERY_EXEC);
    CHECK_STR(statement(&p, query_at(&p, 2)), "SELECT $$;$$");
    CHECK_INT(query_at(&p, 3)->cmd, QUERY_EXECROWS);
    sqlc_bench_done(&p.bench);
}

static void collects_comments_and_flags(void)
{
    parsed p = parse("-- name: GetA :one\n-- First line.\n--second\n-- @row Summary\n"
                     "SELECT 1 -- not this\n  /* one line */\n  /* two\n lines */ , 2;\n");
    REQUIRE(p.queries.count == 1);
    const query_source *q = query_at(&p, 0);
    REQUIRE(q->comments.count == 3);
    CHECK_STR(*VEC_AT(&q->comments, const char *, 0), " First line.");
    CHECK_STR(*VEC_AT(&q->comments, const char *, 1), "second");
    CHECK_STR(*VEC_AT(&q->comments, const char *, 2), " one line ");
    REQUIRE(q->flags.count == 1);
    CHECK_STR(VEC_AT(&q->flags, query_flag, 0)->word, "row");
    CHECK_STR(VEC_AT(&q->flags, query_flag, 0)->rest, "Summary");
    sqlc_bench_done(&p.bench);
}

static void windows_line_ends_are_fine(void)
{
    parsed p = parse("-- name: GetA :one\r\n-- About.\r\nSELECT 1;\r\n");
    CHECK_STR(sqlc_diags(&p.bench), "");
    REQUIRE(p.queries.count == 1);
    CHECK_STR(query_at(&p, 0)->name, "GetA");
    CHECK_STR(*VEC_AT(&query_at(&p, 0)->comments, const char *, 0), " About.");
    sqlc_bench_done(&p.bench);
}

static void bad_annotations_have_a_place(void)
{
    expect("\n-- name: GetA\nSELECT 1;", "q.sql:2:1: missing query type [':one', ':many', ':exec', "
                                         "':execrows', ':execresult', ':copyfrom', ':batchexec', "
                                         "':batchone', ':batchmany']");
    expect("-- name: GetA :two\nSELECT 1;", "q.sql:1:15: invalid query type: :two");
    expect("-- name: GetA :execlastid\nSELECT 1;", "q.sql:1:15: :execlastid is not supported for "
                                                   "PostgreSQL");
    expect("--name: GetA :one\nSELECT 1;", "q.sql:1:1: invalid metadata: --name: GetA :one");
    expect("-- name : GetA :one\nSELECT 1;", "q.sql:1:1: invalid metadata: -- name : GetA :one");
    expect("-- name: Get A :one\nSELECT 1;", "q.sql:1:1: invalid query comment: -- name: Get A "
                                             ":one");
    expect("-- name: 1A :one\nSELECT 1;", "q.sql:1:1: invalid query name: \"1A\"");
    expect("-- name: GetA :one\n", "q.sql:1:1: query \"GetA\" has no statement");
    expect("-- name: GetA :one\nSELECT 1", "q.sql:2:9: missing semicolon at end of file");
}

static void bad_text_has_a_place(void)
{
    expect("", "q.sql:1:1: no queries in this file");
    expect("SELECT 1;", "q.sql:1:1: warning: statement without annotation is skipped\n"
                        "q.sql:1:1: no queries in this file");
    expect("-- name: GetA :one\nSELECT 'x;\n", "q.sql:2:8: unterminated string");
    expect("-- name: GetA :one\nSELECT \"x;\n", "q.sql:2:8: unterminated quoted identifier");
    expect("-- name: GetA :one\nSELECT $a$ x $b$;\n", "q.sql:2:8: unterminated dollar-quoted "
                                                      "string");
    expect("-- name: GetA :one\nSELECT 'ö', /* /* */ 1;\n", "q.sql:2:13: unterminated /* comment");
}

static void columns_count_characters(void)
{
    uint32_t line = 0;
    uint32_t column = 0;
    source_position(SLICE("a\nöä€x"), 2 + 2 + 2 + 3, &line, &column);
    CHECK_INT(line, 2);
    CHECK_INT(column, 4);
    source_position(SLICE("ab"), 99, &line, &column);
    CHECK_INT(column, 3);
}

/* The excerpt and the caret of an error at `offset`: "text^caret". */
static const char *excerpt(sqlc_bench *bench, slice text, size_t offset)
{
    const source_file file = { .path = "q.sql", .text = text };
    const diag *d = diag_error(&bench->diags, &file, offset, "x");
    return d->excerpt == NULL ? "none"
                              : arena_printf(bench->arena, "%s^%" PRIu32, d->excerpt, d->caret);
}

static void errors_know_their_line(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    CHECK_STR(excerpt(&bench, SLICE("a\nöä€x\r\nb"), 2 + 2 + 2 + 3), "öä€x ^3");
    CHECK_STR(excerpt(&bench, SLICE("ab"), 99), "ab^2");
    CHECK_STR(excerpt(&bench, SLICE(""), 0), "^0");
    CHECK_STR(excerpt(&bench, SLICE("\ta\x1b[31m"), 1), " a [31m^1");
    CHECK_STR(excerpt(&bench, SLICE("a\n\nb"), 2), "^0");
    CHECK_STR(excerpt(&bench, SLICE("'\xff'"), 1), "none");
    sqlc_bench_done(&bench);
}

/* Of a line that no terminal holds, what is around the place; never half a character. */
static void long_lines_are_cut(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    AUTO(buf_auto) buf line;
    buf_init(&line, NULL, 1 << 16);
    for (int i = 0; i < 500; i++) {
        buf_add_str(&line, "€");
    }
    const char *found = excerpt(&bench, buf_view(&line), 900);
    const char *caret = strchr(found, '^');
    REQUIRE(caret != NULL);
    CHECK(caret - found <= 160 && caret - found >= 150 && (caret - found) % 3 == 0);
    CHECK_STR(caret, "^34");
    /* What is no text has no characters to cut between: not even the line's begin is looked for. */
    buf_reset(&line);
    for (int i = 0; i < 200; i++) {
        buf_add_char(&line, '\x94');
    }
    CHECK_STR(excerpt(&bench, buf_view(&line), 0), "none");
    CHECK_STR(excerpt(&bench, buf_view(&line), 199), "none");
    sqlc_bench_done(&bench);
}

static void finds_the_first_bad_byte(void)
{
    CHECK_INT(source_bad_utf8(SLICE("aö€")), 6);
    CHECK_INT(source_bad_utf8(SLICE("a\xC3")), 1);
    CHECK_INT(source_bad_utf8(SLICE("ab\xFF"
                                    "c")),
              2);
    CHECK_INT(source_bad_utf8(SLICE("ab\0c")), 2);
}

static void schema_is_cut_into_statements(void)
{
    sqlc_bench bench = sqlc_bench_make(NULL);
    source_file file = {
        .path = "s.sql",
        .text = SLICE("\\restrict x\nCREATE TABLE a (x int);\n-- name: Q :exec\nDELETE FROM a;\n"
                      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 "
                      "END; END;\nINSERT INTO a VALUES (1);\n-- +goose Down\nDROP TABLE a;\n"),
    };
    vec statements = { 0 };
    pgc_error err = PGC_ZERO;
    CHECK_STATUS(source_schema(bench.arena, &file, &bench.diags, &statements, &err), PGC_OK, &err);
    REQUIRE(statements.count == 3);
    const schema_statement *st = VEC_AT(&statements, schema_statement, 0);
    CHECK_STR(arena_copy(bench.arena, slice_sub(st->file->text, st->start, st->end)),
              "CREATE TABLE a (x int)");
    st = VEC_AT(&statements, schema_statement, 1);
    CHECK(slice_ends(slice_sub(st->file->text, st->start, st->end), SLICE("END; END")));
    st = VEC_AT(&statements, schema_statement, 2);
    CHECK_STR(arena_copy(bench.arena, slice_sub(st->file->text, st->start, st->end)),
              "INSERT INTO a VALUES (1)");
    sqlc_bench_done(&bench);
}

static void survives_failed_allocations(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 1000; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        sqlc_bench bench = sqlc_bench_make(&alloc);
        source_file file = { .path = "q.sql",
                             .text = SLICE("-- name: A :one\n-- x\n-- @row R\nSELECT 1;") };
        vec queries = { 0 };
        if (bench.arena != NULL) {
            pgc_status status = source_queries(bench.arena, &file, &bench.diags, &queries, NULL);
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            complete = status == PGC_OK;
        }
        sqlc_bench_done(&bench);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("finds annotated statements", finds_the_queries),
         TAP("collects documentation and flags", collects_comments_and_flags),
         TAP("CRLF files are read", windows_line_ends_are_fine),
         TAP("faulty annotations are reported with their place", bad_annotations_have_a_place),
         TAP("faulty text is reported with its place", bad_text_has_a_place),
         TAP("columns count characters, not bytes", columns_count_characters),
         TAP("an error knows the line that it is about", errors_know_their_line),
         TAP("of a long line the part around the place is kept", long_lines_are_cut),
         TAP("the first byte that is not UTF-8 is found", finds_the_first_bad_byte),
         TAP("schema files give their own statements only", schema_is_cut_into_statements),
         TAP("failed allocations are reported", survives_failed_allocations))
