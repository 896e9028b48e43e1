/* What the files of the CEL evaluator share. */
#ifndef SQLC_CEL_PARTS_H
#define SQLC_CEL_PARTS_H

#include "sqlc/cel.h"

typedef enum cel_token_kind {
    TOKEN_END,
    TOKEN_NAME,
    TOKEN_INT,
    TOKEN_DOUBLE,
    TOKEN_STRING,
    TOKEN_MARK /* operator or bracket */
} cel_token_kind;

typedef struct cel_token {
    cel_token_kind kind;
    size_t at;       /* byte offset */
    slice text;      /* as written */
    cel_value value; /* of literals */
} cel_token;

/* Next token from *pos on. PGC_INVALID (see *problem); PGC_NOMEM. */
pgc_status cel_next_token(arena *arena, slice text, size_t *pos, cel_token *out,
                          cel_problem *problem) PGC_MUST_CHECK;

typedef enum cel_expr_kind {
    EXPR_CONST,
    EXPR_NAME,
    EXPR_SELECT, /* args[0].name */
    EXPR_HAS,    /* has(args[0].name) */
    EXPR_INDEX,  /* args[0][args[1]] */
    EXPR_UNARY,  /* op args[0] */
    EXPR_BINARY, /* args[0] op args[1] */
    EXPR_COND,   /* args[0] ? args[1] : args[2] */
    EXPR_CALL,   /* fn(args…); a method's object is args[0] */
    EXPR_LIST,
    EXPR_MAP,  /* key, value, key, value, … */
    EXPR_EACH, /* macro over args[0], with variable `name`; args[1], args[2] per element */
} cel_expr_kind;

typedef enum cel_macro {
    MACRO_ALL,
    MACRO_EXISTS,
    MACRO_EXISTS_ONE,
    MACRO_FILTER,
    MACRO_MAP
} cel_macro;

/* What one evaluation carries. */
typedef struct cel_run {
    arena *arena;
    const cel_value *variables;
    const struct cel_scope *scope; /* innermost variable of a macro */
    cel_problem *problem;
    size_t step_count;
} cel_run;

typedef struct cel_function {
    const char *name;
    bool method, global;      /* x.f(…), f(…) */
    uint8_t arg_min, arg_max; /* the object included */
    pgc_status (*call)(cel_run *run, size_t at, const cel_value *args, size_t count,
                       cel_value *out);
} cel_function;

struct cel_expr {
    cel_expr_kind kind;
    size_t at;       /* byte offset in the text */
    slice name;      /* NAME, SELECT, HAS, EACH; UNARY, BINARY: the operator */
    cel_value value; /* CONST */
    const cel_expr *const *args;
    size_t arg_count;
    const cel_function *fn; /* CALL */
    cel_macro macro;        /* EACH */
};

/* Function of that name and form; NULL: there is none. */
const cel_function *cel_function_find(slice name, bool method);
/* Note what is wrong; gives PGC_INVALID. */
pgc_status cel_fail(cel_problem *problem, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* An operator on two values; not && and ||. */
pgc_status cel_binary(cel_run *run, const cel_expr *expr, const cel_value *a, const cel_value *b,
                      cel_value *out) PGC_MUST_CHECK;
/* -1, 0, 1; false: these kinds have no order. */
bool cel_compare(const cel_value *a, const cel_value *b, int *out);
/* Does text hold a match of an RE2 pattern? PGC_INVALID (see *problem) for patterns that we do not
 * know. */
pgc_status cel_matches(cel_run *run, size_t at, slice text, slice pattern, bool *out)
    PGC_MUST_CHECK;

#endif
