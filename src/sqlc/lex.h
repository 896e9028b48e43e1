/* The outer shape of SQL text: enough of PostgreSQL's lexical rules to find strings, comments,
 * parameters and statement ends. Knows no grammar. Source: PostgreSQL manual, "Lexical Structure".
 */
#ifndef SQLC_LEX_H
#define SQLC_LEX_H

#include <stdbool.h>

#include "base/slice.h"

typedef enum lex_kind {
    LEX_END,
    LEX_SPACE,
    LEX_LINE_COMMENT,  /* without its newline */
    LEX_BLOCK_COMMENT, /* nested ones included */
    LEX_STRING,        /* '…', E'…', U&'…' */
    LEX_QUOTED,        /* "…" */
    LEX_DOLLAR,        /* $tag$…$tag$ */
    LEX_WORD,
    LEX_NUMBER,
    LEX_PARAM, /* $1 */
    LEX_SEMICOLON,
    LEX_OTHER, /* one byte of punctuation */
    LEX_BAD    /* does not end; reaches to the end of the text */
} lex_kind;

typedef struct lex_token {
    lex_kind kind;     /* LEX_BAD has a reason */
    size_t start, end; /* bytes [start, end) */
    const char *why;   /* LEX_BAD: static text */
} lex_token;

/* The token at *pos; moves *pos behind it. */
lex_token lex_next(slice text, size_t *pos);
/* The next token that is neither space nor comment. */
lex_token lex_skip(slice text, size_t *pos);
slice lex_text(slice text, lex_token token);
/* Token is that word, in any case. */
bool lex_is_word(slice text, lex_token token, const char *word);
bool lex_is_char(slice text, lex_token token, char c);

static inline bool lex_word_start(char c)
{
    unsigned char u = (unsigned char) c;
    return (u >= 'a' && u <= 'z') || (u >= 'A' && u <= 'Z') || u == '_' || u >= 0x80;
}

static inline bool lex_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool lex_word_part(char c)
{
    return lex_word_start(c) || lex_digit(c) || c == '$';
}

#endif
