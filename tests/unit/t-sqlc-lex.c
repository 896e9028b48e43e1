/* The outer shape of SQL text: every byte in one token, strings and comments found. */
#include "base/prelude.h"

#include "sqlc/lex.h"

#include "sqlc.h"
#include "tap.h"

/* Tokens but blanks as one letter each, e.g. "WOS;" for word, other, string, semicolon. */
static void expect(const char *text, const char *want)
{
    static const char LETTERS[] = ".  -CSQDWN$;O!";
    char got[64];
    size_t count = 0;
    size_t pos = 0;
    size_t covered = 0;
    slice sql = sqlc_text(text);
    for (lex_token t = lex_next(sql, &pos); t.kind != LEX_END; t = lex_next(sql, &pos)) {
        CHECK_INT(t.start, covered);
        CHECK(t.end > t.start);
        covered = t.end;
        if (t.kind != LEX_SPACE && count < sizeof got - 1) {
            got[count++] = LETTERS[t.kind == LEX_SPACE ? 1 : (size_t) t.kind + 1];
        }
    }
    got[count] = '\0';
    CHECK_INT(covered, sql.len);
    CHECK_STR(got, want);
}

static void finds_tokens(void)
{
    expect("", "");
    expect("SELECT a1_$b, 12.5e3;", "WWON;");
    expect("'a''b' E'\\'' U&'x' \"q\"\"r\" U&\"y\" e\"z\"", "SSSQQWQ");
    expect("$1 $12 $$a$$ $x$ $y$ $x$ a$1 $ $x", "$$DDWOOW");
    expect("-- one\n1 /* two /* three */ */ 2 - 3 / 4", "-NCNONON");
    expect("1..2 .5 1_000 0x1F", "NONNNN");
    expect("größe @> x::int", "WOOWOOW");
}

static void unfinished_tokens_reach_the_end(void)
{
    expect("a 'b; c", "W!");
    expect("a E'\\'", "W!");
    expect("a \"b", "W!");
    expect("a /* /* */", "W!");
    expect("a $t$ $T$", "W!");
    expect("a E'\\", "W!");
}

static void looks_at_words(void)
{
    slice sql = SLICE("  Select\t-- x\n(");
    size_t pos = 0;
    lex_token t = lex_skip(sql, &pos);
    CHECK(lex_is_word(sql, t, "select"));
    CHECK(!lex_is_word(sql, t, "selec"));
    CHECK(!lex_is_char(sql, t, 'S'));
    t = lex_skip(sql, &pos);
    CHECK(lex_is_char(sql, t, '('));
    CHECK_INT(lex_skip(sql, &pos).kind, LEX_END);
}

TAP_MAIN(TAP("finds tokens, and every byte is in one", finds_tokens),
         TAP("tokens that do not end reach to the end of the text",
             unfinished_tokens_reach_the_end),
         TAP("words compare without case", looks_at_words))
