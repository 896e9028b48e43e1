/* Dynamic parts of a query: which texts they allow, and what is wrong with marks that are not
 * right. */
#include "base/prelude.h"

#include "sqlc/blocks.h"

#include "oom.h"
#include "sqlc.h"
#include "tap.h"

typedef struct reading {
    sqlc_bench bench;
    source_file file;
    vec queries; /* of query_source */
    query_blocks blocks;
    bool ok;
} reading;

/* Read the one query of a file. */
static void read_text(reading *r, const char *text)
{
    pgc_error err = PGC_ZERO;
    *r = (reading) { .bench = sqlc_bench_make(NULL) };
    r->file = (source_file) { .path = "q.sql", .text = sqlc_text(text) };
    CHECK_STATUS(source_queries(r->bench.arena, &r->file, &r->bench.diags, &r->queries, &err),
                 PGC_OK, &err);
    REQUIRE(r->queries.count == 1);
    CHECK_STATUS(blocks_read(r->bench.arena, VEC_AT(&r->queries, query_source, 0), &r->bench.diags,
                             &r->blocks, &r->ok, &err),
                 PGC_OK, &err);
}

/* Text of one form, runs of blanks as one. */
static const char *form(reading *r, size_t variant)
{
    query_source out;
    pgc_error err = PGC_ZERO;
    const query_source *query = VEC_AT(&r->queries, query_source, 0);
    CHECK_STATUS(blocks_variant(r->bench.arena, query, &r->blocks, variant, &out, &err), PGC_OK,
                 &err);
    CHECK_INT(out.file->text.len, r->file.text.len);
    char *text = arena_copy(r->bench.arena, slice_sub(out.file->text, query->start, query->end));
    size_t n = 0;
    for (size_t i = 0; text != NULL && text[i] != '\0'; i++) {
        char c = text[i] == '\n' ? ' ' : text[i];
        if (c != ' ' || (n > 0 && text[n - 1] != ' ')) {
            text[n++] = c;
        }
    }
    while (n > 0 && text[n - 1] == ' ') {
        n--;
    }
    text[n] = '\0';
    return text;
}

static void expect_forms(const char *text, const char *const *want, size_t count)
{
    reading r;
    read_text(&r, text);
    CHECK_STR(sqlc_diags(&r.bench), "");
    CHECK_INT(r.blocks.variant_count, count);
    for (size_t i = 0; i < count && i < r.blocks.variant_count; i++) {
        CHECK_STR(form(&r, i), want[i]);
    }
    sqlc_bench_done(&r.bench);
}

#define FORMS(text, ...)                                \
    do {                                                \
        static const char *const want_[] = __VA_ARGS__; \
        expect_forms(text, want_, ARRAY_LEN(want_));    \
    } while (0)

static void expect_error(const char *text, const char *want)
{
    reading r;
    read_text(&r, text);
    CHECK(!r.ok);
    CHECK_STR(sqlc_diags(&r.bench), want);
    CHECK(sqlc_hint(&r.bench)[0] != '\0');
    sqlc_bench_done(&r.bench);
}

#define Q "-- name: A :many\n"

static void blocks_may_be_left_out(void)
{
    FORMS(Q "SELECT 1;", { "SELECT 1" });
    FORMS(Q "SELECT 1 WHERE true /*@if a*/ AND a = @a /*@end*/;",
          { "SELECT 1 WHERE true AND a = @a", "SELECT 1 WHERE true" });
    FORMS(Q "SELECT 1 /*@if a*/ a /*@end*/ /* @if b */ b /* @end */;",
          { "SELECT 1 a b", "SELECT 1 b", "SELECT 1 a", "SELECT 1" });
    FORMS(Q "SELECT /*@if a*/ 1, /*@end*/ 2 /*@if a*/ , 3 /*@end*/;",
          { "SELECT 1, 2 , 3", "SELECT 2" });
    FORMS(Q "SELECT /* @row X */ 1;", { "SELECT /* @row X */ 1" });
}

static void switches_choose_one_text(void)
{
    FORMS(Q "SELECT 1 ORDER BY /*@switch sort new*/ a DESC /*@case old: a ASC*/ /*@case n: n*/ "
            "/*@end*/;",
          { "SELECT 1 ORDER BY a DESC", "SELECT 1 ORDER BY a ASC", "SELECT 1 ORDER BY n" });
    FORMS(Q "SELECT /*@switch s one*/ 1 /*@case none:*/ /*@end*/ /*@if f*/ 2 /*@end*/;",
          { "SELECT 1 2", "SELECT 2", "SELECT 1", "SELECT" });
}

static void switches_of_one_name_are_one_decision(void)
{
    FORMS(Q "SELECT 1 WHERE /*@switch s up*/ a > 1 /*@case down: a < 1*/ /*@end*/ ORDER BY "
            "/*@switch s up*/ a /*@case down: a DESC*/ /*@end*/;",
          { "SELECT 1 WHERE a > 1 ORDER BY a", "SELECT 1 WHERE a < 1 ORDER BY a DESC" });
    FORMS(Q "SELECT /*@switch s x*/ 1 /*@case y: 2*/ /*@case z: 3*/ /*@end*/, /*@switch s x*/ 1 "
            "/*@case z: 30*/ /*@case y: 20*/ /*@end*/;",
          { "SELECT 1 , 1", "SELECT 2 , 20", "SELECT 3 , 30" });
    expect_error(Q "SELECT /*@switch s x*/ 1 /*@case y: 2*/ /*@end*/, /*@switch s x*/ 1 "
                   "/*@case z: 3*/ /*@end*/;",
                 "q.sql:2:69: the @switch s above has no text \"z\"");
    expect_error(Q "SELECT /*@switch s x*/ 1 /*@case y: 2*/ /*@end*/, /*@switch s y*/ 1 "
                   "/*@case x: 3*/ /*@end*/;",
                 "q.sql:2:51: the @switch of this name above begins with another text");
    expect_error(Q "SELECT /*@switch s x*/ 1 /*@case y: 2*/ /*@case z: 3*/ /*@end*/, "
                   "/*@switch s x*/ 1 /*@case y: 3*/ /*@end*/;",
                 "q.sql:2:66: this @switch lacks a text of the one above of the same name");
    expect_error(Q "SELECT /*@switch s x*/ 1 /*@case y: 2*/ /*@end*/, /*@switch s x*/ 1 "
                   "/*@case y: 3*/ /*@case y: 4*/ /*@end*/;",
                 "q.sql:2:84: two texts of this @switch have the same name");
    expect_error(Q "SELECT /*@switch s x*/ 1 /*@case y: 2*/ /*@end*/ /*@if s*/ 3 /*@end*/;",
                 "q.sql:2:50: this name is taken by a switch or block above");
}

static void conditions_stand_in_blocks(void)
{
    FORMS("-- name: A :many\n-- @optional a\nSELECT 1 WHERE true /*@switch s x*/ AND b = @a "
          "/*@case y: AND c*/ /*@end*/;",
          { "SELECT 1 WHERE true AND b = @a", "SELECT 1 WHERE true AND c",
            "SELECT 1 WHERE true AND true", "SELECT 1 WHERE true AND c" });
    FORMS("-- name: A :many\n-- @optional a\nSELECT 1 WHERE z /*@if f*/ AND b = @a AND c "
          "/*@end*/;",
          { "SELECT 1 WHERE z AND b = @a AND c", "SELECT 1 WHERE z",
            "SELECT 1 WHERE z AND true AND c", "SELECT 1 WHERE z" });
    FORMS("-- name: A :many\n-- @optional a\nSELECT 1 WHERE (x /*@if f*/ + 1 /*@end*/) = @a AND "
          "y;",
          { "SELECT 1 WHERE (x + 1 ) = @a AND y", "SELECT 1 WHERE (x ) = @a AND y",
            "SELECT 1 WHERE true AND y", "SELECT 1 WHERE true AND y" });
    FORMS("-- name: A :many\n-- @optional a b\nSELECT 1 WHERE x IN (SELECT 1 WHERE c = @a) + @b "
          "AND y;",
          { "SELECT 1 WHERE x IN (SELECT 1 WHERE c = @a) + @b AND y",
            "SELECT 1 WHERE x IN (SELECT 1 WHERE true ) + @b AND y", "SELECT 1 WHERE true AND y",
            "SELECT 1 WHERE true AND y" });
    expect_error("-- name: A :many\n-- @optional a\nSELECT 1 WHERE /*@if f*/ z AND b /*@end*/ = "
                 "@a;",
                 "q.sql:3:32: a block begins or ends inside of this condition of @optional");
    expect_error("-- name: A :many\n-- @optional a\nSELECT 1 WHERE c = @a AND /*@switch s x*/ b "
                 "/*@case y: d = sqlc.narg(a)*/ /*@end*/;",
                 "q.sql:3:55: blocks cannot stand inside each other: @a is @optional and stands "
                 "in a text of @case");
}

static void conditions_are_found(void)
{
    FORMS("-- name: A :many\n-- @optional a\nSELECT 1 WHERE x = @a AND y = 2;",
          { "SELECT 1 WHERE x = @a AND y = 2", "SELECT 1 WHERE true AND y = 2" });
    FORMS("-- name: A :many\n-- @optional a\nSELECT 1 WHERE x BETWEEN @a AND 2 AND y = 2;",
          { "SELECT 1 WHERE x BETWEEN @a AND 2 AND y = 2", "SELECT 1 WHERE true AND y = 2" });
    FORMS("-- name: A :many\n-- @optional a\nSELECT 1 WHERE (x = @a OR y = 1) ORDER BY 1;",
          { "SELECT 1 WHERE (x = @a OR y = 1) ORDER BY 1", "SELECT 1 WHERE true ORDER BY 1" });
    FORMS("-- name: A :many\n-- @optional a\nSELECT 1 WHERE z AND x IN (SELECT 1 WHERE b = "
          "sqlc.narg(a));",
          { "SELECT 1 WHERE z AND x IN (SELECT 1 WHERE b = sqlc.narg(a))",
            "SELECT 1 WHERE z AND x IN (SELECT 1 WHERE true )" });
    FORMS(
        "-- name: A :many\n-- @optional a\nSELECT 1 FROM t JOIN u ON u.i = @a LEFT JOIN v ON true;",
        { "SELECT 1 FROM t JOIN u ON u.i = @a LEFT JOIN v ON true",
          "SELECT 1 FROM t JOIN u ON true LEFT JOIN v ON true" });
    FORMS("-- name: A :many\n-- @optional a\nSELECT 1 WHERE left(x, 1) = @a AND CASE WHEN b AND c "
          "THEN d END;",
          { "SELECT 1 WHERE left(x, 1) = @a AND CASE WHEN b AND c THEN d END",
            "SELECT 1 WHERE true AND CASE WHEN b AND c THEN d END" });
    FORMS("-- name: A :many\n-- @optional a b\nSELECT 1 WHERE x = @a AND y = @b;",
          { "SELECT 1 WHERE x = @a AND y = @b", "SELECT 1 WHERE true AND y = @b",
            "SELECT 1 WHERE x = @a AND true", "SELECT 1 WHERE true AND true" });
}

static void wrong_marks_have_a_place(void)
{
    expect_error(Q "SELECT 1 /*@if a*/;", "q.sql:2:10: this block has no @end");
    expect_error(Q "SELECT 1 /*@end*/;", "q.sql:2:10: @end without @if or @switch");
    expect_error(Q "SELECT 1 /*@case a: 1*/;", "q.sql:2:10: @case without @switch");
    expect_error(Q "SELECT /*@if*/ 1 /*@end*/;", "q.sql:2:8: a block needs a name\n"
                                                 "q.sql:2:18: @end without @if or @switch");
    expect_error(Q "SELECT /*@if a*/ 1 /*@if b*/ 2 /*@end*/;",
                 "q.sql:2:20: blocks cannot stand inside each other");
    expect_error(Q "SELECT /*@switch a b*/ 1 /*@end*/;", "q.sql:2:8: @switch without @case");
    expect_error(Q "SELECT /*@switch a b*/ 1 /*@case b: 2*/ /*@end*/;",
                 "q.sql:2:26: two texts of this @switch have the same name");
    expect_error(Q "SELECT /*@switch a b*/ 1 /*@case c 2*/ /*@end*/;",
                 "q.sql:2:26: @case needs a name and a colon in front of its text\n"
                 "q.sql:2:8: @switch without @case");
    expect_error("-- name: A :many\n-- @optional a\nSELECT 1 WHERE x = @b;",
                 "q.sql:2:1: @optional a: no condition of WHERE holds this parameter");
    expect_error("-- name: A :many\n-- @optional a\nSELECT 1 WHERE x = @a OR y;",
                 "q.sql:2:1: @optional a: an OR stands beside its condition");
}

static void too_many_texts_are_refused(void)
{
    expect_error(Q "SELECT 1 /*@if a*/ /*@end*/ /*@if b*/ /*@end*/ /*@if c*/ /*@end*/ /*@if d*/ "
                   "/*@end*/ /*@if e*/ /*@end*/ /*@if f*/ /*@end*/ /*@if g*/ /*@end*/;",
                 "q.sql:2:124: query \"A\" has more than 64 texts with this block");
}

static pgc_status read_with(const pgc_alloc *alloc)
{
    sqlc_bench bench = sqlc_bench_make(alloc);
    source_file file = { .path = "q.sql",
                         .text = sqlc_text("SELECT 1 WHERE a = @a /*@if b*/ AND b /*@end*/") };
    query_flag flag = { .word = "optional", .rest = "a" };
    query_source query = {
        .file = &file, .name = "A", .end = file.text.len, .flags = { .items = &flag, .count = 1 }
    };
    query_source out;
    query_blocks blocks;
    bool ok = false;
    pgc_status status = PGC_NOMEM;
    if (bench.arena != NULL) {
        status = blocks_read(bench.arena, &query, &bench.diags, &blocks, &ok, NULL);
    }
    if (status == PGC_OK && !ok) {
        status = PGC_NOMEM; /* the list of conditions says so as a message */
    }
    if (status == PGC_OK) {
        status = blocks_variant(bench.arena, &query, &blocks, 1, &out, NULL);
    }
    sqlc_bench_done(&bench);
    return status;
}

static void failed_allocations_are_reported(void)
{
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 50; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        complete = read_with(&alloc) == PGC_OK;
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("blocks: may be left out", blocks_may_be_left_out),
         TAP("blocks: a switch chooses one text", switches_choose_one_text),
         TAP("blocks: switches of one name are one decision",
             switches_of_one_name_are_one_decision),
         TAP("blocks: conditions stand inside of blocks and hold blocks",
             conditions_stand_in_blocks),
         TAP("blocks: conditions are found by their parameter", conditions_are_found),
         TAP("blocks: wrong marks are reported with their place", wrong_marks_have_a_place),
         TAP("blocks: more than 64 texts are refused", too_many_texts_are_refused),
         TAP("blocks: failed allocations are reported", failed_allocations_are_reported))
