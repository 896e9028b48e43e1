/* Corner cases of the macro preprocessor and of the lexer below it, as tables: text in, text out,
 * and where every piece of the result comes from. */
#include "base/prelude.h"

#include "sqlc/lex.h"
#include "sqlc/preprocess.h"

#include "random.h"
#include "sqlc.h"
#include "tap.h"

typedef struct rewriting {
    const char *sql, *want; /* want NULL: an error */
} rewriting;

/* Rewrite a statement; *ok tells whether it is sound. */
static query_text rewrite(sqlc_bench *bench, const char *sql, bool *ok)
{
    source_file *file = ARENA_NEW(bench->arena, source_file);
    query_text text = { .sql = { "", 0 } };
    pgc_error err = PGC_ZERO;
    *file = (source_file) { .path = "q.sql", .text = sqlc_text(sql) };
    const query_source query = { .file = file, .end = strlen(sql), .name = "Q" };
    CHECK_STATUS(query_preprocess(bench->arena, &query, &bench->diags, &text, ok, &err), PGC_OK,
                 &err);
    return text;
}

static void expect_all(const rewriting *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sqlc_bench bench = sqlc_bench_make(NULL);
        bool ok = false;
        query_text text = rewrite(&bench, list[i].sql, &ok);
        CHECK(ok == (list[i].want != NULL));
        if (ok != (list[i].want != NULL)) {
            printf("# %s: %s\n", list[i].sql, sqlc_diags(&bench));
        }
        if (list[i].want != NULL) {
            CHECK_STR(text.sql.ptr, list[i].want);
            CHECK_INT(text.sql.len, strlen(text.sql.ptr));
        }
        sqlc_bench_done(&bench);
    }
}

#define REWRITES(...)                                     \
    do {                                                  \
        static const rewriting list_[] = { __VA_ARGS__ }; \
        expect_all(list_, ARRAY_LEN(list_));              \
    } while (0)

static void parameters(void)
{
    REWRITES({ "SELECT @a", "SELECT $1" }, { "SELECT (@a)", "SELECT ($1)" },
             { "SELECT a=@a", "SELECT a=$1" }, { "SELECT -@a, +@a", "SELECT -$1, +$1" },
             { "SELECT @a, @A", "SELECT $1, $2" }, { "SELECT @a_1, @a1", "SELECT $1, $2" },
             { "SELECT @\xC3\xA9", "SELECT $1" }, { "SELECT @a::int[]", "SELECT $1::int[]" },
             { "SELECT @a.b", "SELECT $1.b" }, { "SELECT @a;", "SELECT $1;" },
             { "SELECT @ a", "SELECT @ a" }, { "SELECT @1", "SELECT @1" }, { "SELECT @@a", NULL },
             { "SELECT a<@b", NULL }, { "SELECT a@>@b", "SELECT a@>$1" }, { "SELECT a ~@b", NULL },
             { "SELECT a #@b", NULL }, { "SELECT a !@b", NULL }, { "SELECT a &@b", NULL },
             { "SELECT a |@b", NULL }, { "SELECT a ?@b", NULL }, { "SELECT a$@b", "SELECT a$$1" },
             { "@a", "$1" }, { "@a@b", "$1$2" }, { "SELECT @a$x", "SELECT $1$x" },
             { "SELECT @e'x'", "SELECT $1'x'" }, { "SELECT @U&\"x\"", "SELECT $1&\"x\"" });
}

static void numbers(void)
{
    REWRITES({ "SELECT $1, @a", "SELECT $1, $2" }, { "SELECT @a, $1", "SELECT $2, $1" },
             { "SELECT $3, @a, @b, @c", "SELECT $3, $1, $2, $4" },
             { "SELECT $2, @a, $1, @b", "SELECT $2, $3, $1, $4" },
             { "SELECT '$9', \"$8\", $$ $7 $$, -- $6\n @a",
               "SELECT '$9', \"$8\", $$ $7 $$, -- $6\n $1" },
             { "SELECT $65535, @a", "SELECT $65535, $1" }, { "SELECT $65536", NULL },
             { "SELECT $0", NULL }, { "SELECT $01", "SELECT $01" }, { "SELECT $", "SELECT $" },
             { "SELECT a$1", "SELECT a$1" });
}

static void macros(void)
{
    REWRITES({ "SELECT sqlc.arg(a)", "SELECT $1" }, { "SELECT sqlc.arg('a b')", "SELECT $1" },
             { "SELECT sqlc.arg('it''s'), sqlc.arg(\"it's\")", "SELECT $1, $1" },
             { "SELECT sqlc.arg(A), @a", "SELECT $1, $1" },
             { "SELECT sqlc.arg(\"A\"), @a", "SELECT $1, $2" },
             { "SELECT SQLC.ARG(a), Sqlc.Narg(a)", "SELECT $1, $1" },
             { "SELECT sqlc /* x */ . arg\n(\na\n)", "SELECT $1" },
             { "SELECT sqlc.arg(a)::int", "SELECT $1::int" },
             { "SELECT sqlc.arg(a.b), sqlc.arg(ab)", "SELECT $1, $1" },
             { "SELECT sqlc.arg(a b)", "SELECT $1" }, { "SELECT sqlc.arg", "SELECT sqlc.arg" },
             { "SELECT sqlc.x", "SELECT sqlc.x" }, { "SELECT sqlc, arg(a)", "SELECT sqlc, arg(a)" },
             { "SELECT t.sqlc", "SELECT t.sqlc" },
             { "SELECT \"sqlc\".arg(a)", "SELECT \"sqlc\".arg(a)" },
             { "SELECT 'sqlc.arg(a)'", "SELECT 'sqlc.arg(a)'" },
             { "SELECT sqlcx.arg(a)", "SELECT sqlcx.arg(a)" }, { "SELECT sqlc.arg()", NULL },
             { "SELECT sqlc.arg(1)", NULL }, { "SELECT sqlc.arg($1)", NULL },
             { "SELECT sqlc.arg(E'a')", NULL }, { "SELECT sqlc.arg(a+b)", NULL },
             { "SELECT sqlc.arg((a))", NULL }, { "SELECT sqlc.arg(sqlc.arg(a))", NULL },
             { "SELECT sqlc.arg(a", NULL }, { "SELECT sqlc.args(a)", NULL },
             { "SELECT sqlc.slice()", NULL }, { "SELECT sqlc.embed()", NULL },
             { "SELECT sqlc.embed('t')", NULL }, { "SELECT sqlc.embed(a.t)", NULL },
             { "SELECT sqlc.embed(t), t.x", "SELECT t.*, t.x" },
             { "SELECT sqlc.embed(\"T t\")", "SELECT \"T t\".*" });
}

static void slices(void)
{
    REWRITES({ "x IN (sqlc.slice(a))", "x = ANY($1)" }, { "x in(sqlc.slice(a))", "x = ANY($1)" },
             { "x IN /* c */ ( -- d\n sqlc.slice(a) )", "x = ANY($1 )" },
             { "x NOT IN (sqlc.slice(a))", "x <> ALL($1)" },
             { "x not\nin (sqlc.slice(a))", "x <> ALL($1)" },
             { "x IN (sqlc.slice(a), 1)", "x IN ($1, 1)" },
             { "x IN (1, sqlc.slice(a))", "x IN (1, $1)" },
             { "x IN (sqlc.slice(a)::int[])", "x IN ($1::int[])" },
             { "x = ANY(sqlc.slice(a))", "x = ANY($1)" },
             { "x IN ((sqlc.slice(a)))", "x IN (($1))" },
             { "x IN (sqlc.slice(a)) AND y NOT IN (sqlc.slice(a)) AND z = @a",
               "x = ANY($1) AND y <> ALL($1) AND z = $1" },
             { "x IN (sqlc.slice(a)) OR x IN (sqlc.slice(b))", "x = ANY($1) OR x = ANY($2)" },
             { "\"in\" (sqlc.slice(a))", "\"in\" ($1)" });
}

static void comments(void)
{
    REWRITES({ "-- one\nSELECT 1", "SELECT 1" }, { "SELECT 1 -- end", "SELECT 1 -- end" },
             { "SELECT 1\n-- end", "SELECT 1" }, { "SELECT 1\n  -- end  \n", "SELECT 1" },
             { "/* a */\nSELECT /* b */ 1\n/* c */", "SELECT /* b */ 1" },
             { "/* a\nb */\nSELECT 1", "/* a\nb */\nSELECT 1" },
             { "/*+ hint */\nSELECT 1", "/*+ hint */\nSELECT 1" },
             { "SELECT\r\n-- gone\r\n1", "SELECT\r\n1" },
             { "SELECT 1,\n--a\n--b\n\n--c\n2", "SELECT 1,\n\n2" },
             { "SELECT /* /* nested */ @a */ @b", "SELECT /* /* nested */ @a */ $1" },
             { "SELECT 1 /* a */ -- b\n", "SELECT 1 /* a */ -- b" },
             { "\n\n SELECT 1 \n\n", "\n\n SELECT 1" },
             { "SELECT '--x\n', 1", "SELECT '--x\n', 1" });
}

/* Kind letters of all tokens of a text, in order of lex_kind. */
static const char *kinds(arena *mem, const char *sql)
{
    static const char LETTERS[] = "$ -*sqdwnp;o!";
    slice text = sqlc_text(sql);
    char *out = arena_alloc(mem, text.len + 1);
    size_t pos = 0;
    size_t n = 0;
    for (lex_token t = lex_next(text, &pos); t.kind != LEX_END; t = lex_next(text, &pos)) {
        out[n++] = LETTERS[t.kind];
    }
    out[n] = '\0';
    return out;
}

static void tokens(void)
{
    static const struct {
        const char *sql, *want;
    } CASES[] = {
        { "", "" },
        { "a b", "w w" },
        { "a.b", "wow" },
        { "'a''b'", "s" },
        { "'a\\'b'", "s!" },
        { "E'a\\'b'", "s" },
        { "e'\\\\'", "s" },
        { "U&'x' u&\"y\" U & x", "s q w o w" },
        { "b'01' X'ff' n'x'", "s s s" },
        { "\"a\"\"b\"", "q" },
        { "$$a$$", "d" },
        { "$a$ $b$ $a$", "d" },
        { "$a$ $A$", "!" },
        { "$1 $12a", "p pw" },
        { "$ a", "o w" },
        { "$1$", "po" },
        { "a$b$c", "w" },
        { "1.5e10 .5 1..2 0xFF 1_000", "n n non n n" },
        { "--a\n--b", "- -" },
        { "/* a /* b */ c */d", "*w" },
        { "/* a", "!" },
        { "'a", "!" },
        { "\"a", "!" },
        { "E'a\\", "!" },
        { ";;", ";;" },
        { "a::int[]", "woowoo" },
        { "\xC3\xB6\xE2\x82\xAC x", "w w" },
        { "a-->b", "w-" },
        { "\t\r\n\f\v", " " },
    };
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        const char *got = kinds(mem, CASES[i].sql);
        if (strcmp(got, CASES[i].want) != 0) {
            printf("# in: %s\n", CASES[i].sql);
        }
        CHECK_STR(got, CASES[i].want);
    }
}

/* Whatever the text is: tokens cover it without gaps, the rewriter ends, and every position of the
 * result leads into the statement. */
static void any_text_is_survived(void)
{
    static const char *const PIECES[] = { "@a",   "sqlc.arg(",
                                          ")",    "'",
                                          "\"",   "$$",
                                          "$x$",  "--",
                                          "/*",   "*/",
                                          "\n",   " ",
                                          "E'",   "\\",
                                          "$1",   "sqlc.slice(a)",
                                          "IN (", "NOT ",
                                          "a",    "\xC3\xB6",
                                          "(",    "sqlc.embed(t)",
                                          "@",    "<",
                                          ";",    "1.e" };
    uint64_t random = 20240229;
    for (int round = 0; round < 3000; round++) {
        sqlc_bench bench = sqlc_bench_make(NULL);
        const char *sql = "";
        for (size_t n = random_below(&random, 12); n > 0; n--) {
            sql = arena_printf(bench.arena, "%s%s", sql,
                               PIECES[random_below(&random, ARRAY_LEN(PIECES))]);
            REQUIRE(sql != NULL);
        }
        slice text = sqlc_text(sql);
        size_t pos = 0;
        size_t last = 0;
        for (lex_token t = lex_next(text, &pos); t.kind != LEX_END; t = lex_next(text, &pos)) {
            CHECK(t.start == last && t.end > t.start);
            last = t.end;
        }
        CHECK_INT(last, text.len);
        bool ok = false;
        query_text out = rewrite(&bench, sql, &ok);
        CHECK(ok == (bench.diags.error_count == 0));
        for (size_t i = 0; ok && i < out.sql.len; i++) {
            CHECK(query_source_offset(&out, i) <= text.len);
        }
        sqlc_bench_done(&bench);
    }
}

/* Positions of the server count characters from 1. */
static void characters_are_counted(void)
{
    CHECK_INT(query_char_offset(SLICE("abc"), 1), 0);
    CHECK_INT(query_char_offset(SLICE("abc"), 3), 2);
    CHECK_INT(query_char_offset(SLICE("abc"), 4), 3);
    CHECK_INT(query_char_offset(SLICE("abc"), 0), 0);
    CHECK_INT(query_char_offset(SLICE("\xC3\xB6x"), 2), 2);
    CHECK_INT(query_char_offset(SLICE("\xE2\x82\xACx\xF0\x9F\x99\x82y"), 4), 8);
    CHECK_INT(query_char_offset(SLICE(""), 5), 0);
}

/* Every letter of the result that was copied leads back to itself. */
static void copied_text_leads_back(void)
{
    static const char SQL[] =
        "SELECT a, @b, sqlc.narg('c'),\n -- gone\n  d NOT IN (sqlc.slice(e)), "
        "sqlc.embed(f), /* kept */ g\n-- gone too\n";
    sqlc_bench bench = sqlc_bench_make(NULL);
    bool ok = false;
    query_text text = rewrite(&bench, SQL, &ok);
    REQUIRE(ok);
    CHECK_STR(text.sql.ptr, "SELECT a, $1, $2,\n  d <> ALL($3), f.*, /* kept */ g");
    static const char *const KEPT[] = { "SELECT", "a,", "d ", "kept", "g\n" };
    for (size_t i = 0; i < ARRAY_LEN(KEPT); i++) {
        slice word = { KEPT[i], strcspn(KEPT[i], "\n") };
        const char *here = strstr(text.sql.ptr, arena_copy(bench.arena, word));
        const char *there = strstr(SQL, KEPT[i]);
        REQUIRE(here != NULL && there != NULL);
        CHECK_INT(query_source_offset(&text, (size_t) (here - text.sql.ptr)), there - SQL);
    }
    static const struct {
        const char *made, *from;
    } MADE[] = { { "$1", "@b" },
                 { "$2", "sqlc.narg" },
                 { "<> ALL", "NOT IN" },
                 { "$3", "sqlc.slice" },
                 { "f.*", "sqlc.embed" } };
    for (size_t i = 0; i < ARRAY_LEN(MADE); i++) {
        size_t at = (size_t) (strstr(text.sql.ptr, MADE[i].made) - text.sql.ptr);
        CHECK_INT(query_source_offset(&text, at), strstr(SQL, MADE[i].from) - SQL);
        CHECK_INT(query_source_offset(&text, at + 1), strstr(SQL, MADE[i].from) - SQL);
    }
    sqlc_bench_done(&bench);
}

TAP_MAIN(TAP("parameters and operators with @", parameters),
         TAP("numbers written by hand keep their meaning", numbers), TAP("macros", macros),
         TAP("slices in lists", slices), TAP("comments go or stay", comments),
         TAP("tokens of SQL", tokens), TAP("any text is survived", any_text_is_survived),
         TAP("characters are counted as the server does", characters_are_counted),
         TAP("copied and made text leads back", copied_text_leads_back))
