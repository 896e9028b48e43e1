/* Tokens of SQL text. Every byte belongs to exactly one token, so a rewriter can copy what it does
 * not understand. Pure functions. */
#include "base/prelude.h"

#include "sqlc/lex.h"

/* What the server's lexer takes for white space. */
static bool space_char(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

/* NUL behind the end: no token starts with it, so look-ahead needs no bounds checks. */
static char char_at(slice text, size_t i)
{
    return i < text.len ? text.ptr[i] : '\0';
}

/* A token that ends properly. */
static lex_token token_of(lex_kind kind, size_t start, size_t end)
{
    return (lex_token) { .kind = kind, .start = start, .end = end, .why = NULL };
}

/* Reaches to the end, so that a caller who goes on stops at once. */
static lex_token token_bad(slice text, size_t start, const char *why)
{
    return (lex_token) { .kind = LEX_BAD, .start = start, .end = text.len, .why = why };
}

/* Nested comments count, unlike in C. An end mark that is missing makes the rest of the file a
 * comment on the server too; here it is reported at the opening mark. */
static lex_token lex_block_comment(slice text, size_t start)
{
    size_t depth = 1;
    size_t i = start + 2;
    assert(text.ptr[start] == '/');
    while (i < text.len) {
        if (text.ptr[i] == '/' && char_at(text, i + 1) == '*') {
            depth++;
            i += 2;
        } else if (text.ptr[i] == '*' && char_at(text, i + 1) == '/') {
            i += 2;
            if (--depth == 0) {
                return token_of(LEX_BLOCK_COMMENT, start, i);
            }
        } else {
            i++;
        }
    }
    return token_bad(text, start, "unterminated /* comment");
}

/* quote_at: the opening quote; doubling escapes it, and a backslash too when escapes is set.
 * Standard strings (standard_conforming_strings is on since PostgreSQL 9.1).
 *
 *     'it''s'    "Odd ""Name"""    E'a\'b'    U&'\00e9' */
static lex_token lex_quoted(slice text, size_t start, size_t quote_at, bool escapes)
{
    char quote = text.ptr[quote_at];
    size_t i = quote_at + 1;
    assert(quote_at >= start);
    assert(quote_at < text.len);
    while (i < text.len) {
        if (escapes && text.ptr[i] == '\\') {
            i += 2;
        } else if (text.ptr[i] != quote) {
            i++;
        } else if (char_at(text, i + 1) == quote) {
            i += 2;
        } else {
            return token_of(quote == '"' ? LEX_QUOTED : LEX_STRING, start, i + 1);
        }
    }
    return token_bad(text, start,
                     quote == '"' ? "unterminated quoted identifier" : "unterminated string");
}

/* At '$': a parameter, a dollar-quoted string, or a lone dollar sign. Tags follow the rules of
 * identifiers without '$', and they are case-sensitive.
 *
 *     $1    $$text$$    $fn$ … $$ … $fn$ */
static lex_token lex_dollar(slice text, size_t start)
{
    size_t i = start + 1;
    assert(text.ptr[start] == '$');
    if (lex_digit(char_at(text, i))) {
        while (lex_digit(char_at(text, i))) {
            i++;
        }
        return token_of(LEX_PARAM, start, i);
    }
    if (lex_word_start(char_at(text, i))) {
        while (lex_word_start(char_at(text, i)) || lex_digit(char_at(text, i))) {
            i++;
        }
    }
    if (char_at(text, i) != '$') {
        return token_of(LEX_OTHER, start, start + 1);
    }
    slice tag = slice_sub(text, start, i + 1);
    for (size_t at = i + 1; at + tag.len <= text.len; at++) {
        if (memcmp(text.ptr + at, tag.ptr, tag.len) == 0) {
            return token_of(LEX_DOLLAR, start, at + tag.len);
        }
    }
    return token_bad(text, start, "unterminated dollar-quoted string");
}

/* Takes more than numbers ("1abc"): whoever writes that gets the server's error. */
static lex_token lex_number(slice text, size_t start)
{
    size_t i = start;
    while (lex_digit(char_at(text, i)) || char_at(text, i) == '.' || char_at(text, i) == '_' ||
           lex_word_start(char_at(text, i))) {
        if (char_at(text, i) == '.' && char_at(text, i + 1) == '.') {
            break;
        }
        i++;
    }
    return token_of(LEX_NUMBER, start, i);
}

/* Some prefixes belong to the string behind them. Prefixes: E escapes, B and X bits, N national,
 * U& Unicode. */
static lex_token lex_word(slice text, size_t start)
{
    char c = text.ptr[start];
    char next = char_at(text, start + 1);
    assert(lex_word_start(text.ptr[start]));
    if (next == '\'' && strchr("eEbBxXnN", c) != NULL) {
        return lex_quoted(text, start, start + 1, c == 'e' || c == 'E');
    }
    if ((c == 'u' || c == 'U') && next == '&') {
        char quote = char_at(text, start + 2);
        if (quote == '\'' || quote == '"') {
            return lex_quoted(text, start, start + 2, false);
        }
    }
    size_t i = start + 1;
    while (i < text.len && lex_word_part(text.ptr[i])) {
        i++;
    }
    return token_of(LEX_WORD, start, i);
}

/* LEX_END stays at the end however often it is called. */
lex_token lex_next(slice text, size_t *pos)
{
    size_t start = *pos;
    size_t i = start;
    lex_token token;
    if (start >= text.len) {
        return token_of(LEX_END, text.len, text.len);
    }
    char c = text.ptr[start];
    if (space_char(c)) {
        while (i < text.len && space_char(text.ptr[i])) {
            i++;
        }
        token = token_of(LEX_SPACE, start, i);
    } else if (c == '-' && char_at(text, start + 1) == '-') {
        while (i < text.len && text.ptr[i] != '\n') {
            i++;
        }
        token = token_of(LEX_LINE_COMMENT, start, i);
    } else if (c == '/' && char_at(text, start + 1) == '*') {
        token = lex_block_comment(text, start);
    } else if (c == '\'' || c == '"') {
        token = lex_quoted(text, start, start, false);
    } else if (c == '$') {
        token = lex_dollar(text, start);
    } else if (lex_digit(c) || (c == '.' && lex_digit(char_at(text, start + 1)))) {
        token = lex_number(text, start);
    } else if (lex_word_start(c)) {
        token = lex_word(text, start);
    } else {
        token = token_of(c == ';' ? LEX_SEMICOLON : LEX_OTHER, start, start + 1);
    }
    assert(token.end > start);
    *pos = token.end;
    return token;
}

/* Used where only tokens of the grammar count. */
lex_token lex_skip(slice text, size_t *pos)
{
    lex_token token;
    do {
        token = lex_next(text, pos);
    } while (token.kind == LEX_SPACE || token.kind == LEX_LINE_COMMENT ||
             token.kind == LEX_BLOCK_COMMENT);
    return token;
}

slice lex_text(slice text, lex_token token)
{
    assert(token.start <= token.end);
    return slice_sub(text, token.start, token.end);
}

bool lex_is_word(slice text, lex_token token, const char *word)
{
    return token.kind == LEX_WORD &&
           slice_eq_nocase(lex_text(text, token), (slice) { word, strlen(word) });
}

bool lex_is_char(slice text, lex_token token, char c)
{
    return token.kind == LEX_OTHER && text.ptr[token.start] == c;
}
