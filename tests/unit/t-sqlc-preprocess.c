/* Macros become parameters, comments go, and positions lead back to the file. */
#include "base/prelude.h"

#include "sqlc/preprocess.h"

#include "base/buf.h"

#include "oom.h"
#include "sqlc.h"
#include "tap.h"

typedef struct rewritten {
    sqlc_bench bench;
    query_source query;
    query_text text;
    bool ok;
} rewritten;

/* body: the statement without semicolon. */
static rewritten rewrite(const char *body)
{
    rewritten r = { .bench = sqlc_bench_make(NULL) };
    source_file *file = ARENA_NEW(r.bench.arena, source_file);
    pgc_error err = PGC_ZERO;
    *file = (source_file) { .path = "q.sql", .text = sqlc_text(body) };
    r.query = (query_source) { .file = file, .start = 0, .end = strlen(body), .name = "Q" };
    CHECK_STATUS(query_preprocess(r.bench.arena, &r.query, &r.bench.diags, &r.text, &r.ok, &err),
                 PGC_OK, &err);
    return r;
}

static void expect(const char *body, const char *want)
{
    rewritten r = rewrite(body);
    CHECK(r.ok);
    CHECK_STR(r.text.sql.ptr, want);
    CHECK_STR(sqlc_diags(&r.bench), "");
    sqlc_bench_done(&r.bench);
}

static void expect_error(const char *body, const char *want)
{
    rewritten r = rewrite(body);
    CHECK(!r.ok);
    CHECK_STR(sqlc_diags(&r.bench), want);
    sqlc_bench_done(&r.bench);
}

static void macros_become_parameters(void)
{
    expect("SELECT @a, @b, @a", "SELECT $1, $2, $1");
    expect("SELECT sqlc.arg(a), SQLC . NARG ( 'b' ), sqlc.arg(\"C d\")", "SELECT $1, $2, $3");
    expect("SELECT @a::int + sqlc.arg(a)", "SELECT $1::int + $1");
    expect("SELECT sqlc.arg(x.y) + @xy", "SELECT $1 + $1");
    expect("SELECT $2, @a, @b", "SELECT $2, $1, $3");
    expect("SELECT $1 + @a", "SELECT $1 + $2");
}

/* Each name used to be looked for from number 1 on, again and again: this took minutes. */
static void thousands_of_parameters_are_no_trouble(void)
{
    enum { COUNT = 8000, TEXT_MAX = 1 << 20 };
    buf body;
    buf want;
    buf_init(&body, NULL, TEXT_MAX);
    buf_init(&want, NULL, TEXT_MAX);
    buf_add_str(&body, "SELECT $3, $4000");
    buf_add_str(&want, "SELECT $3, $4000");
    for (int i = 0, number = 0; i < COUNT; i++) {
        number += number == 2 || number == 3999 ? 2 : 1;
        buf_printf(&body, ", @p%d", i);
        buf_printf(&want, ", $%d", number);
    }
    rewritten r = rewrite(body.ptr);
    CHECK(r.ok);
    CHECK_INT(r.text.params.count, COUNT + 2);
    CHECK(slice_eq(r.text.sql, buf_view(&want)));
    for (size_t i = 0; i < r.text.params.count; i++) {
        CHECK_INT(VEC_AT(&r.text.params, query_param, i)->number, i + 1);
    }
    sqlc_bench_done(&r.bench);
    buf_done(&body);
    buf_done(&want);
}

static void operators_stay(void)
{
    expect("SELECT a @> b, a <@ b, a @@ b, a @? b", "SELECT a @> b, a <@ b, a @@ b, a @? b");
    expect("SELECT x = @e'2'", "SELECT x = $1'2'");
    expect_error("SELECT a <@b", "q.sql:1:11: '@' behind '<': operator or parameter?");
}

static void strings_and_comments_stay(void)
{
    expect("SELECT '@a', E'\\'@b', \"@c\", $$@d$$, $t$ @e $t$ -- @f\n, /* @g /* @h */ */ @i",
           "SELECT '@a', E'\\'@b', \"@c\", $$@d$$, $t$ @e $t$ -- @f\n, /* @g /* @h */ */ $1");
    expect("SELECT 'sqlc.arg(x)', sqlc.arg(x)", "SELECT 'sqlc.arg(x)', $1");
}

static void comment_lines_go(void)
{
    expect("SELECT 1,\n  -- why\n  2\n  /* one */\n  , 3 -- here\n, 4",
           "SELECT 1,\n  2\n  , 3 -- here\n, 4");
    expect("SELECT /*+ hint */ 1\n/*+ SeqScan(t) */\n", "SELECT /*+ hint */ 1\n/*+ SeqScan(t) */");
}

static void slices_need_any(void)
{
    expect("SELECT 1 WHERE a IN (sqlc.slice(ids))", "SELECT 1 WHERE a = ANY($1)");
    expect("SELECT 1 WHERE a NOT  IN ( sqlc.slice('ids') )", "SELECT 1 WHERE a <> ALL($1 )");
    expect("SELECT 1 WHERE a = ANY(sqlc.slice(ids))", "SELECT 1 WHERE a = ANY($1)");
    expect("SELECT 1 WHERE a IN (sqlc.slice(ids), 2)", "SELECT 1 WHERE a IN ($1, 2)");
    rewritten r = rewrite("SELECT 1 WHERE a IN (sqlc.slice(ids))");
    REQUIRE(r.text.params.count == 1);
    CHECK(VEC_AT(&r.text.params, query_param, 0)->slice);
    sqlc_bench_done(&r.bench);
}

static void parameters_carry_their_facts(void)
{
    rewritten r = rewrite("SELECT @b, sqlc.narg(a), sqlc.narg('b'), $5");
    REQUIRE(r.text.params.count == 3);
    const query_param *p = VEC_AT(&r.text.params, query_param, 0);
    CHECK_INT(p[0].number, 1);
    CHECK_STR(p[0].name, "b");
    CHECK(p[0].narg);
    CHECK_INT(p[0].at, 7);
    CHECK_STR(p[1].name, "a");
    CHECK(p[1].narg);
    CHECK_INT(p[2].number, 5);
    CHECK(p[2].name == NULL);
    sqlc_bench_done(&r.bench);
}

static void embeds_are_noted(void)
{
    rewritten r = rewrite("SELECT sqlc.embed(a), sqlc.embed(\"B\") FROM t");
    CHECK_STR(r.text.sql.ptr, "SELECT a.*, \"B\".* FROM t");
    REQUIRE(r.text.embeds.count == 2);
    const query_embed *e = VEC_AT(&r.text.embeds, query_embed, 1);
    CHECK_STR(e->name, "B");
    CHECK_STR(e->alias, "\"B\"");
    CHECK_INT(e->sql_start, 12);
    CHECK_INT(e->sql_end, 17);
    sqlc_bench_done(&r.bench);
}

static void mistakes_have_a_place(void)
{
    expect_error("SELECT\n  sqlc.foo(x)", "q.sql:2:3: function \"sqlc.foo\" does not exist");
    expect_error("SELECT 'ö', sqlc.arg()", "q.sql:1:13: expected 1 parameter to sqlc.arg; got 0");
    expect_error("SELECT sqlc.arg(a, b)", "q.sql:1:8: expected 1 parameter to sqlc.arg; got 2");
    expect_error("SELECT sqlc.narg(1)", "q.sql:1:18: expected parameter to sqlc.narg to be string "
                                        "or reference; got \"1\"");
    expect_error("SELECT sqlc.arg(a", "q.sql:1:8: \"sqlc.arg(\" is not closed");
    expect_error("SELECT sqlc.embed(public.t)", "q.sql:1:8: sqlc.embed takes the name or alias of "
                                                "one table");
    expect_error("SELECT $0", "q.sql:1:8: parameter number out of range (1 to 65535)");
    expect_error("SELECT $99999999999999999999", "q.sql:1:8: parameter number out of range (1 to "
                                                 "65535)");
}

/* For every "#" in a text, the position of the character behind it must come back. */
static void positions_lead_back(void)
{
    const char *body = "SELECT 'ö€', @first_name,\n  -- gone ä\n  sqlc.narg('x') + bad_column\n";
    rewritten r = rewrite(body);
    const char *in_sql = strstr(r.text.sql.ptr, "bad_column");
    REQUIRE(in_sql != NULL);
    int32_t position = 1; /* characters, as the server counts */
    for (const char *p = r.text.sql.ptr; p < in_sql; p++) {
        position += ((unsigned char) *p & 0xC0) != 0x80 ? 1 : 0;
    }
    size_t at = query_source_offset(&r.text, query_char_offset(r.text.sql, position));
    CHECK_INT(at, strstr(body, "bad_column") - body);
    const char *param = strstr(r.text.sql.ptr, "$1");
    REQUIRE(param != NULL);
    CHECK_INT(query_source_offset(&r.text, (size_t) (param - r.text.sql.ptr) + 1),
              strchr(body, '@') - body);
    sqlc_bench_done(&r.bench);
}

static void survives_failed_allocations(void)
{
    bool complete = false;
    static const char BODY[] = "SELECT @a, sqlc.narg('b'), sqlc.embed(c) -- x\n, $7";
    source_file file = { .path = "q.sql", .text = { BODY, sizeof BODY - 1 } };
    for (int fail_at = 1; !complete && fail_at < 1000; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        sqlc_bench bench = sqlc_bench_make(&alloc);
        query_source query = { .file = &file, .end = sizeof BODY - 1, .name = "Q" };
        query_text text;
        bool ok = false;
        if (bench.arena != NULL) {
            pgc_status status =
                query_preprocess(bench.arena, &query, &bench.diags, &text, &ok, NULL);
            CHECK(status == PGC_OK || status == PGC_NOMEM);
            complete = status == PGC_OK;
        }
        sqlc_bench_done(&bench);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

TAP_MAIN(TAP("macros become numbered parameters", macros_become_parameters),
         TAP("thousands of parameters get their numbers", thousands_of_parameters_are_no_trouble),
         TAP("operators with @ stay", operators_stay),
         TAP("strings, names and comments are not looked into", strings_and_comments_stay),
         TAP("comment lines are dropped, hints stay", comment_lines_go),
         TAP("IN with a slice becomes ANY", slices_need_any),
         TAP("parameters carry number, name and nullability", parameters_carry_their_facts),
         TAP("embeds are noted with their place", embeds_are_noted),
         TAP("mistakes are reported with their place", mistakes_have_a_place),
         TAP("positions of the server lead back to the file", positions_lead_back),
         TAP("failed allocations are reported", survives_failed_allocations))
