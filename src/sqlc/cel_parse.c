/* Tokens to a tree, by recursive descent over the grammar of the language definition. Names of
 * variables and functions are checked here, so that a misspelt rule fails before any query is
 * looked at. Thread-safe: yes. */
#include "base/prelude.h"

#include "sqlc/cel_parts.h"

#include "sqlc/vec.h"

/* Brackets in brackets; the evaluator recurses as deep. */
#define DEPTH_MAX 100u

typedef struct bound {
    slice name;
    const struct bound *outer;
} bound;

typedef struct parser {
    arena *arena;
    slice text;
    size_t pos;      /* behind `token` */
    cel_token token; /* the one being looked at */
    const char *const *names;
    size_t name_count;
    const bound *bound; /* variables of the macros around */
    unsigned depth;
    cel_problem *problem;
} parser;

static pgc_status parse_expr(parser *p, const cel_expr **out);

static pgc_status advance(parser *p)
{
    return cel_next_token(p->arena, p->text, &p->pos, &p->token, p->problem);
}

static bool is_mark(const parser *p, const char *mark)
{
    return p->token.kind == TOKEN_MARK && slice_eq_str(p->token.text, mark);
}

static pgc_status unexpected(parser *p, const char *wanted)
{
    if (p->token.kind == TOKEN_END) {
        return cel_fail(p->problem, p->token.at, "the expression ends where %s should be", wanted);
    }
    return cel_fail(p->problem, p->token.at, "\"%" SLICE_FMT "\" where %s should be",
                    SLICE_ARG(p->token.text), wanted);
}

static pgc_status expect_mark(parser *p, const char *mark)
{
    char wanted[8];
    (void) snprintf(wanted, sizeof wanted, "\"%s\"", mark);
    return is_mark(p, mark) ? advance(p) : unexpected(p, wanted);
}

/* A node over the given children. */
static pgc_status make(parser *p, cel_expr node, const cel_expr *const *args, size_t count,
                       const cel_expr **out)
{
    cel_expr *made = ARENA_NEW(p->arena, cel_expr);
    const cel_expr **copy = ARENA_ARRAY(p->arena, count + 1, const cel_expr *);
    if (made == NULL || copy == NULL) {
        return PGC_NOMEM;
    }
    if (count > 0) {
        memcpy(copy, args, count * sizeof *copy);
    }
    *made = node;
    made->args = copy;
    made->arg_count = count;
    *out = made;
    return PGC_OK;
}

static pgc_status add(parser *p, vec *list, const cel_expr *item)
{
    const cel_expr **slot = VEC_ADD(p->arena, list, const cel_expr *);
    if (slot == NULL) {
        return PGC_NOMEM;
    }
    *slot = item;
    return PGC_OK;
}

/* Expressions between commas up to a closing mark, which is taken. */
static pgc_status parse_list(parser *p, const char *close, vec *out)
{
    while (!is_mark(p, close)) {
        const cel_expr *item = NULL;
        TRY(parse_expr(p, &item));
        TRY(add(p, out, item));
        if (!is_mark(p, ",")) {
            break;
        }
        TRY(advance(p));
    }
    return expect_mark(p, close);
}

static pgc_status parse_map(parser *p, size_t at, const cel_expr **out)
{
    vec items = { 0 };
    while (!is_mark(p, "}")) {
        const cel_expr *key = NULL;
        const cel_expr *value = NULL;
        TRY(parse_expr(p, &key));
        TRY(expect_mark(p, ":"));
        TRY(parse_expr(p, &value));
        TRY(add(p, &items, key));
        TRY(add(p, &items, value));
        if (!is_mark(p, ",")) {
            break;
        }
        TRY(advance(p));
    }
    TRY(expect_mark(p, "}"));
    return make(p, (cel_expr) { .kind = EXPR_MAP, .at = at }, items.items, items.count, out);
}

/* has(a.b): whether the field is there. */
static pgc_status parse_has(parser *p, size_t at, const cel_expr **out)
{
    const cel_expr *arg = NULL;
    TRY(parse_expr(p, &arg));
    if (arg->kind != EXPR_SELECT) {
        return cel_fail(p->problem, arg->at, "has() takes a field, such as has(a.b)");
    }
    TRY(expect_mark(p, ")"));
    return make(p, (cel_expr) { .kind = EXPR_HAS, .at = at, .name = arg->name }, arg->args, 1, out);
}

static pgc_status no_function(parser *p, size_t at, slice name, bool method)
{
    return cel_fail(p->problem, at, "no %s is called \"%" SLICE_FMT "\"",
                    method ? "method" : "function", SLICE_ARG(name));
}

/* f(…) and x.f(…); object: NULL or x. The opening bracket is taken. */
static pgc_status parse_call(parser *p, const cel_token *name, const cel_expr *object,
                             const cel_expr **out)
{
    vec args = { 0 };
    const cel_function *fn = cel_function_find(name->text, object != NULL);
    if (fn == NULL) {
        return no_function(p, name->at, name->text, object != NULL);
    }
    if (object != NULL) {
        TRY(add(p, &args, object));
    }
    TRY(parse_list(p, ")", &args));
    if (args.count < fn->arg_min || args.count > fn->arg_max) {
        return cel_fail(p->problem, name->at, "%s() takes another number of arguments", fn->name);
    }
    return make(p, (cel_expr) { .kind = EXPR_CALL, .at = name->at, .fn = fn }, args.items,
                args.count, out);
}

static bool find_macro(slice name, cel_macro *out)
{
    static const struct {
        const char *name;
        cel_macro macro;
    } MACROS[] = { { "all", MACRO_ALL },
                   { "exists", MACRO_EXISTS },
                   { "exists_one", MACRO_EXISTS_ONE },
                   { "filter", MACRO_FILTER },
                   { "map", MACRO_MAP } };
    for (size_t i = 0; i < ARRAY_LEN(MACROS); i++) {
        if (slice_eq_str(name, MACROS[i].name)) {
            *out = MACROS[i].macro;
            return true;
        }
    }
    return false;
}

/* range.all(x, condition) and its like; map may filter first: range.map(x, condition, value). */
static pgc_status parse_macro(parser *p, const cel_token *name, cel_macro macro,
                              const cel_expr *range, const cel_expr **out)
{
    const cel_expr *args[3] = { range, NULL, NULL };
    size_t count = 2;
    if (p->token.kind != TOKEN_NAME) {
        return unexpected(p, "the name of a variable");
    }
    bound inner = { .name = p->token.text, .outer = p->bound };
    TRY(advance(p));
    TRY(expect_mark(p, ","));
    p->bound = &inner;
    TRY(parse_expr(p, &args[1]));
    if (macro == MACRO_MAP && is_mark(p, ",")) {
        TRY(advance(p));
        TRY(parse_expr(p, &args[2]));
        count = 3;
    }
    p->bound = inner.outer;
    TRY(expect_mark(p, ")"));
    return make(
        p, (cel_expr) { .kind = EXPR_EACH, .at = name->at, .name = inner.name, .macro = macro },
        args, count, out);
}

/* A variable, a literal that is a word, or a function. */
static pgc_status parse_name(parser *p, const cel_expr **out)
{
    cel_token name = p->token;
    TRY(advance(p));
    if (is_mark(p, "(")) {
        TRY(advance(p));
        return slice_eq_str(name.text, "has") ? parse_has(p, name.at, out)
                                              : parse_call(p, &name, NULL, out);
    }
    bool is_true = slice_eq_str(name.text, "true");
    if (is_true || slice_eq_str(name.text, "false") || slice_eq_str(name.text, "null")) {
        cel_value value = slice_eq_str(name.text, "null") ? (cel_value) { 0 } : cel_bool(is_true);
        return make(p, (cel_expr) { .kind = EXPR_CONST, .at = name.at, .value = value }, NULL, 0,
                    out);
    }
    bool known = false;
    for (const bound *b = p->bound; b != NULL; b = b->outer) {
        known = known || slice_eq(b->name, name.text);
    }
    for (size_t i = 0; i < p->name_count; i++) {
        known = known || slice_eq_str(name.text, p->names[i]);
    }
    if (!known) {
        return cel_fail(p->problem, name.at, "nothing is called \"%" SLICE_FMT "\"",
                        SLICE_ARG(name.text));
    }
    return make(p, (cel_expr) { .kind = EXPR_NAME, .at = name.at, .name = name.text }, NULL, 0,
                out);
}

static pgc_status parse_primary(parser *p, const cel_expr **out)
{
    cel_token first = p->token;
    if (first.kind == TOKEN_NAME) {
        return parse_name(p, out);
    }
    if (first.kind == TOKEN_INT || first.kind == TOKEN_DOUBLE || first.kind == TOKEN_STRING) {
        if (first.kind == TOKEN_INT && first.value.v.integer == INT64_MIN) {
            return cel_fail(p->problem, first.at, "not a whole number of 64 bits");
        }
        TRY(advance(p));
        return make(p, (cel_expr) { .kind = EXPR_CONST, .at = first.at, .value = first.value },
                    NULL, 0, out);
    }
    if (is_mark(p, "(")) {
        TRY(advance(p));
        TRY(parse_expr(p, out));
        return expect_mark(p, ")");
    }
    if (is_mark(p, "[")) {
        vec items = { 0 };
        TRY(advance(p));
        TRY(parse_list(p, "]", &items));
        return make(p, (cel_expr) { .kind = EXPR_LIST, .at = first.at }, items.items, items.count,
                    out);
    }
    if (is_mark(p, "{")) {
        TRY(advance(p));
        return parse_map(p, first.at, out);
    }
    return unexpected(p, "a value");
}

/* Behind a point: field, method or macro. */
static pgc_status parse_dot(parser *p, const cel_expr **expr)
{
    cel_macro macro = MACRO_ALL;
    TRY(advance(p));
    cel_token name = p->token;
    if (name.kind != TOKEN_NAME) {
        return unexpected(p, "the name of a field");
    }
    TRY(advance(p));
    if (!is_mark(p, "(")) {
        return make(p, (cel_expr) { .kind = EXPR_SELECT, .at = name.at, .name = name.text }, expr,
                    1, expr);
    }
    TRY(advance(p));
    if (find_macro(name.text, &macro)) {
        return parse_macro(p, &name, macro, *expr, expr);
    }
    return parse_call(p, &name, *expr, expr);
}

static pgc_status parse_member(parser *p, const cel_expr **out)
{
    TRY(parse_primary(p, out));
    for (unsigned chain = 0;; chain++) {
        if (p->depth + chain > DEPTH_MAX) {
            return cel_fail(p->problem, p->token.at, "nested too deeply");
        }
        if (is_mark(p, ".")) {
            TRY(parse_dot(p, out));
        } else if (is_mark(p, "[")) {
            const cel_expr *args[2] = { *out, NULL };
            size_t at = p->token.at;
            TRY(advance(p));
            TRY(parse_expr(p, &args[1]));
            TRY(expect_mark(p, "]"));
            TRY(make(p, (cel_expr) { .kind = EXPR_INDEX, .at = at }, args, 2, out));
        } else {
            return PGC_OK;
        }
    }
}

/* A minus before digits belongs to the number: -9223372036854775808 has no positive twin. */
static pgc_status parse_unary(parser *p, const cel_expr **out)
{
    cel_token op = p->token;
    if (!is_mark(p, "!") && !is_mark(p, "-")) {
        return parse_member(p, out);
    }
    if (++p->depth > DEPTH_MAX) {
        return cel_fail(p->problem, op.at, "nested too deeply");
    }
    TRY(advance(p));
    bool number = p->token.kind == TOKEN_INT && slice_eq_str(op.text, "-");
    if (number && p->token.value.v.integer == INT64_MIN) {
        cel_value value = p->token.value;
        p->depth--;
        TRY(advance(p));
        return make(p, (cel_expr) { .kind = EXPR_CONST, .at = op.at, .value = value }, NULL, 0,
                    out);
    }
    const cel_expr *arg = NULL;
    TRY(parse_unary(p, &arg));
    p->depth--;
    return make(p, (cel_expr) { .kind = EXPR_UNARY, .at = op.at, .name = op.text }, &arg, 1, out);
}

/* Operators by how tightly they bind, the loosest first. */
static const char *const LEVELS[][8] = {
    { "||", NULL },     { "&&", NULL },          { "==", "!=", "<=", ">=", "<", ">", "in", NULL },
    { "+", "-", NULL }, { "*", "/", "%", NULL },
};

static bool is_operator(const parser *p, size_t level)
{
    for (size_t i = 0; LEVELS[level][i] != NULL; i++) {
        bool word = LEVELS[level][i][0] == 'i';
        if (p->token.kind == (word ? TOKEN_NAME : TOKEN_MARK) &&
            slice_eq_str(p->token.text, LEVELS[level][i])) {
            return true;
        }
    }
    return false;
}

/* From left to right. */
static pgc_status parse_level(parser *p, size_t level, const cel_expr **out)
{
    if (level == ARRAY_LEN(LEVELS)) {
        return parse_unary(p, out);
    }
    TRY(parse_level(p, level + 1, out));
    for (unsigned chain = 0; is_operator(p, level); chain++) {
        cel_token op = p->token;
        const cel_expr *args[2] = { *out, NULL };
        if (p->depth + chain > DEPTH_MAX) {
            return cel_fail(p->problem, op.at, "nested too deeply");
        }
        TRY(advance(p));
        TRY(parse_level(p, level + 1, &args[1]));
        TRY(make(p, (cel_expr) { .kind = EXPR_BINARY, .at = op.at, .name = op.text }, args, 2,
                 out));
    }
    return PGC_OK;
}

static pgc_status parse_expr(parser *p, const cel_expr **out)
{
    const cel_expr *args[3] = { NULL, NULL, NULL };
    if (++p->depth > DEPTH_MAX) {
        return cel_fail(p->problem, p->token.at, "nested too deeply");
    }
    TRY(parse_level(p, 0, &args[0]));
    *out = args[0];
    if (is_mark(p, "?")) {
        size_t at = p->token.at;
        TRY(advance(p));
        TRY(parse_level(p, 0, &args[1]));
        TRY(expect_mark(p, ":"));
        TRY(parse_expr(p, &args[2]));
        TRY(make(p, (cel_expr) { .kind = EXPR_COND, .at = at }, args, 3, out));
    }
    p->depth--;
    return PGC_OK;
}

pgc_status cel_parse(arena *mem, slice text, const char *const *names, size_t name_count,
                     const cel_expr **out, cel_problem *problem)
{
    parser p = {
        .arena = mem, .text = text, .names = names, .name_count = name_count, .problem = problem
    };
    const cel_expr *expr = NULL;
    assert(names != NULL || name_count == 0);
    TRY(advance(&p));
    TRY(parse_expr(&p, &expr));
    if (p.token.kind != TOKEN_END) {
        return unexpected(&p, "the end");
    }
    assert(p.bound == NULL);
    *out = expr;
    return PGC_OK;
}
