/* Facts about parameters: which column, argument or clause each one stands for.
 *
 * The visitor walks every query level's expressions; the nearest enclosing node of the first
 * telling use decides (sqlc.md §2.4). A parameter that is tested for NULL may be NULL whatever the
 * rest says. Thread-safe per arena. */
#include "base/prelude.h"

#include "sqlc/prove.h"

#include "sqlc/scope.h"

/* What the place of a parameter says about it. */
typedef struct hint {
    param_fact fact;
    bool equals;    /* column = $n or column IN (…, $n, …) */
    bool null_test; /* $n IS NULL */
} hint;

typedef struct use {
    int64_t location; /* of the use that decided */
    bool seen, null_test, equals;
} use;

typedef struct collector {
    param_fact *facts;
    use *uses;
    size_t count;
} collector;

typedef struct walker {
    analysis *a;
    const scope *s;
    collector *c;
} walker;

static const hint NO_HINT = { .fact = { .context = PARAM_OTHER } };

static void walk(const walker *w, const ast *node, const hint *h);

/* Uses come in the order of the walk, not of the text: an earlier place takes over. A later
 * use fills in where nothing was known. */
static void record(const walker *w, const ast *param, const hint *h)
{
    int64_t number = ast_int(param, "number", 0);
    if (number < 1 || (uint64_t) number > w->c->count) {
        return;
    }
    use *u = &w->c->uses[number - 1];
    param_fact *f = &w->c->facts[number - 1];
    int64_t location = ast_location(param);
    bool earlier = location < u->location && h->fact.context != PARAM_OTHER;
    if (!u->seen || f->context == PARAM_OTHER || earlier) {
        bool array = u->seen && f->array;
        *f = h->fact;
        f->array = f->array || array;
        u->location = location;
    }
    u->null_test = u->null_test || h->null_test;
    u->equals = h->equals && (!u->seen || u->equals);
    u->seen = true;
}

/* First column reference inside, from the left. */
static const ast *first_column(const ast *node)
{
    ast_kind kind = ast_kind_of(node);
    if (kind == AST_COLUMN_REF) {
        return node;
    }
    if (kind == AST_SUB_LINK || node == NULL) {
        return NULL;
    }
    for (const ast *i = ast_first(node); i != NULL; i = ast_next(i)) {
        const ast *found = first_column(i);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

/* A merged column stands for its left side, as the server reports it. */
static hint hint_of_column(const walker *w, const ast *ref, param_context context)
{
    hint h = NO_HINT;
    lookup found;
    if (ref == NULL || is_star(ref) || !scope_find(w->a, w->s, ref, &found) || found.var == NULL) {
        return h;
    }
    const var *v = found.var;
    while (v->merged != NULL) {
        v = v->left;
    }
    assert(v->leaf != NULL && v->index < v->leaf->shape.count);
    const column *c = &v->leaf->shape.columns[v->index];
    h.fact = (param_fact) { .name = found.var->name,
                            .table_oid = c->table_oid,
                            .attnum = c->attnum,
                            .not_null = c->value.not_null,
                            .context = context };
    return h;
}

/* NULL never matches = and IN; other operators may be a user's. */
static bool is_equality(const ast *expr)
{
    const char *name = last_name(ast_get(expr, "name"));
    const char *kind = ast_str(expr, "kind");
    return name != NULL && kind != NULL && strcmp(name, "=") == 0 &&
           (strcmp(kind, "AEXPR_OP") == 0 || strcmp(kind, "AEXPR_IN") == 0 ||
            strcmp(kind, "AEXPR_OP_ANY") == 0);
}

/* An operand: itself, or the items of a list or row constructor. */
static void walk_operand(const walker *w, const ast *operand, const hint *h)
{
    ast_kind kind = ast_kind_of(operand);
    if (kind != AST_LIST && kind != AST_ROW) {
        walk(w, operand, h);
        return;
    }
    const ast *items = kind == AST_ROW ? ast_get(operand, "args") : operand;
    for (const ast *i = ast_first(items); i != NULL; i = ast_next(i)) {
        walk(w, i, h);
    }
}

/* (a, b) < ($1, $2): each field has its own partner.
 *
 *     (a, b) < ($1, $2)   ->   $1 is about a, $2 about b */
static bool walk_rows(const walker *w, const ast *left, const ast *right)
{
    if (ast_kind_of(left) != AST_ROW || ast_kind_of(right) != AST_ROW) {
        return false;
    }
    const ast *x = ast_first(ast_get(left, "args"));
    const ast *y = ast_first(ast_get(right, "args"));
    for (; x != NULL && y != NULL; x = ast_next(x), y = ast_next(y)) {
        const ast *ref = first_column(x);
        hint h = hint_of_column(w, ref != NULL ? ref : first_column(y), PARAM_COMPARE);
        walk(w, x, &h);
        walk(w, y, &h);
    }
    return true;
}

/* The first column from the left lends its name to all operands: lower(email) LIKE $1 is about
 * email, x BETWEEN $1 AND $2 has two parameters called x. */
static void walk_operator(const walker *w, const ast *expr)
{
    const ast *left = ast_get(expr, "lexpr"), *right = ast_get(expr, "rexpr");
    if (walk_rows(w, left, right)) {
        return;
    }
    const ast *ref = first_column(left);
    bool from_left = ref != NULL;
    ref = from_left ? ref : first_column(right);
    hint h = hint_of_column(w, ref, PARAM_COMPARE);
    const ast *partner = from_left ? left : right;
    h.equals = is_equality(expr) && ast_kind_of(partner) == AST_COLUMN_REF;
    walk_operand(w, left, &h);
    h.fact.array = ast_is(expr, "kind", "AEXPR_OP_ANY") || ast_is(expr, "kind", "AEXPR_OP_ALL");
    walk_operand(w, right, &h);
}

/* Name of one argument; NULL when the overloads differ.
 *
 *     make_interval(days => $1) -> days,   double_it($1) -> n, its only parameter */
static const char *argument_name(const candidates *found, size_t index)
{
    const char *name = NULL;
    for (size_t i = 0; i < found->count; i++) {
        const catalog_function *f = found->items[i];
        const char *here = f->arg_names != NULL && index < f->arg_count ? f->arg_names[index] : "";
        here = here != NULL ? here : "";
        if (i > 0 && strcmp(here, name) != 0) {
            return NULL;
        }
        name = here;
    }
    return name != NULL && name[0] != '\0' ? name : NULL;
}

/* ORDER BY, FILTER and OVER of the call are walked without a hint. */
static void walk_call(const walker *w, const ast *call)
{
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    candidates found;
    call_arguments(w->a, w->s, call, &args, values);
    resolve_function(w->a, ast_get(call, "funcname"), &args, &found);
    const char *function = last_name(ast_get(call, "funcname"));
    const ast *list = ast_get(call, "args");
    size_t index = 0;
    for (const ast *arg = ast_first(list); arg != NULL; arg = ast_next(arg), index++) {
        hint h = NO_HINT;
        bool named = ast_kind_of(arg) == AST_NAMED_ARG;
        const char *name = named ? ast_str(arg, "name") : argument_name(&found, index);
        h.fact.context = PARAM_ARGUMENT;
        h.fact.name = name != NULL ? name : function;
        h.fact.not_null = found.count > 0;
        h.fact.array = function != NULL && strcmp(function, "unnest") == 0;
        walk(w, named ? ast_get(arg, "arg") : arg, &h);
    }
    for (const ast *i = ast_first(call); i != NULL; i = ast_next(i)) {
        if (i != list) {
            walk(w, i, &NO_HINT);
        }
    }
}

static void walk_children(const walker *w, const ast *node)
{
    for (const ast *i = ast_first(node); i != NULL; i = ast_next(i)) {
        walk(w, i, &NO_HINT);
    }
}

/* The nearest node decides: every kind that is not listed takes the hint away. */
static void walk(const walker *w, const ast *node, const hint *h)
{
    if (node == NULL || w->a->depth >= ANALYSE_DEPTH_MAX) {
        return;
    }
    w->a->depth++;
    switch ((int) ast_kind_of(node)) {
    case AST_PARAM_REF:
        record(w, node, h);
        break;
    case AST_TYPE_CAST: {
        hint cast = { .fact = { .context = PARAM_CAST, .not_null = true },
                      .equals = h->equals,
                      .null_test = h->null_test };
        walk(w, ast_get(node, "arg"), &cast);
        break;
    }
    case AST_A_EXPR:
        walk_operator(w, node);
        break;
    case AST_FUNC_CALL:
        walk_call(w, node);
        break;
    case AST_NULL_TEST: {
        hint test = { .null_test = true };
        walk(w, ast_get(node, "arg"), &test);
        break;
    }
    case AST_SUB_LINK: /* its query is a level of its own */
        walk(w, ast_get(node, "testexpr"), &NO_HINT);
        break;
    case AST_SELECT:
    case AST_RANGE_SUBSELECT:
    case AST_CTE:
        break;
    default:
        walk_children(w, node);
        break;
    }
    w->a->depth--;
}

/* The target of INSERT and UPDATE is always the first leaf. */
static const leaf *target_leaf(const scope *s)
{
    const leaf *first = s->leaves;
    while (first != NULL && first->number != 0) {
        first = first->next;
    }
    return first;
}

/* A domain's NOT NULL is checked for a parameter, though it proves nothing for a column. */
static hint hint_of_target(const scope *s, const catalog_column *c)
{
    hint h = NO_HINT;
    const leaf *l = target_leaf(s);
    if (l == NULL || l->relation == NULL || c == NULL) {
        return h;
    }
    h.fact = (param_fact) { .name = c->name,
                            .table_oid = l->relation->oid,
                            .attnum = c->attnum,
                            .not_null = c->not_null || c->domain_not_null,
                            .context = PARAM_TARGET };
    return h;
}

/* SET list of UPDATE and of ON CONFLICT.
 *
 *     UPDATE t SET a = $1, (b, c) = ($2, $3) */
static void walk_set_list(const walker *w, const ast *targets)
{
    const leaf *l = target_leaf(w->s);
    for (const ast *t = ast_first(targets); t != NULL; t = ast_next(t)) {
        const char *name = ast_str(t, "name");
        const ast *val = ast_get(t, "val");
        bool whole = ast_get(t, "indirection") == NULL;
        const catalog_column *c = l != NULL && l->relation != NULL && name != NULL && whole
                                      ? catalog_column_by_name(l->relation, name)
                                      : NULL;
        hint h = hint_of_target(w->s, c);
        if (ast_kind_of(val) == AST_MULTI_ASSIGN) {
            int64_t number = ast_int(val, "colno", 1);
            const ast *fields = ast_get(ast_get(val, "source"), "args");
            val = ast_nth(fields, number > 0 ? (size_t) number - 1 : 0);
        }
        walk(w, val, &h);
    }
}

/* Column of position `index` of an INSERT. */
static const catalog_column *insert_column(const walker *w, const ast *insert, size_t index)
{
    const leaf *l = target_leaf(w->s);
    const ast *names = ast_get(insert, "cols");
    if (l == NULL || l->relation == NULL) {
        return NULL;
    }
    if (names == NULL) {
        return index < l->relation->column_count ? &l->relation->columns[index] : NULL;
    }
    const ast *named = ast_nth(names, index);
    const char *name = ast_get(named, "indirection") == NULL ? ast_str(named, "name") : NULL;
    return name != NULL ? catalog_column_by_name(l->relation, name) : NULL;
}

/* Only bare parameters: what stands inside an expression was seen when the source was a level
 * of its own. */
static void walk_insert_row(const walker *w, const ast *insert, const ast *row)
{
    size_t index = 0;
    for (const ast *cell = ast_first(row); cell != NULL; cell = ast_next(cell), index++) {
        const ast *expr = ast_kind_of(cell) == AST_RES_TARGET ? ast_get(cell, "val") : cell;
        hint h = hint_of_target(w->s, insert_column(w, insert, index));
        if (ast_kind_of(expr) == AST_PARAM_REF) { /* the rest is walked as a level of its own */
            walk(w, expr, &h);
        }
    }
}

/* VALUES lists and the target lists of all branches of a set operation.
 *
 *     INSERT INTO t (a, b) VALUES ($1, $2)          $1 stands for a, $2 for b
 *     INSERT INTO t (a) SELECT $1 UNION SELECT $2   both stand for a */
static void walk_insert_source(const walker *w, const ast *insert, const ast *select)
{
    if (select == NULL || w->a->depth >= ANALYSE_DEPTH_MAX) {
        return;
    }
    w->a->depth++;
    walk_insert_source(w, insert, ast_get(select, "larg"));
    walk_insert_source(w, insert, ast_get(select, "rarg"));
    const ast *lists = ast_get(select, "valuesLists");
    for (const ast *row = ast_first(lists); row != NULL; row = ast_next(row)) {
        walk_insert_row(w, insert, row);
    }
    walk_insert_row(w, insert, ast_get(select, "targetList"));
    w->a->depth--;
}

static void walk_limit(const walker *w, const ast *select)
{
    hint h = { .fact = { .context = PARAM_LIMIT, .name = "limit", .not_null = true } };
    walk(w, ast_get(select, "limitCount"), &h);
    h.fact.name = "offset";
    walk(w, ast_get(select, "limitOffset"), &h);
}

static void walk_clauses(const walker *w, const ast *statement, const char *const *keys,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        walk(w, ast_get(statement, keys[i]), &NO_HINT);
    }
}

/* The clauses of each kind of statement; FROM brings the conditions of joins. */
static void on_level(analysis *a, scope *s, const ast *statement, void *ctx)
{
    static const char *const common[] = { "fromClause", "usingClause", "whereClause",
                                          "returningList" };
    static const char *const select[] = { "distinctClause", "targetList",   "groupClause",
                                          "havingClause",   "windowClause", "valuesLists",
                                          "sortClause" };
    const walker w = { a, s, ctx };
    ast_kind kind = ast_kind_of(statement);
    if (kind == AST_SELECT) {
        walk_clauses(&w, statement, select, ARRAY_LEN(select));
        walk_limit(&w, statement);
    } else if (kind == AST_UPDATE) {
        walk_set_list(&w, ast_get(statement, "targetList"));
    } else if (kind == AST_INSERT) {
        const ast *conflict = ast_get(statement, "onConflictClause");
        walk_insert_source(&w, statement, ast_get(statement, "selectStmt"));
        walk_set_list(&w, ast_get(conflict, "targetList"));
        walk(&w, ast_get(conflict, "whereClause"), &NO_HINT);
    }
    walk_clauses(&w, statement, common, ARRAY_LEN(common));
}

pgc_status prove_params_given(const catalog *cat, const prove_input *input, arena *mem,
                              param_fact *facts, pgc_error *err)
{
    const ast *statement = input->tree;
    size_t param_count = input->param_count;
    pgc_status status = statement != NULL ? PGC_OK : ast_parse(input->sql, mem, &statement, NULL);
    use *uses = arena_array(mem, param_count + 1, sizeof *uses);
    if (status == PGC_NOMEM || uses == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "look at the parameters of a statement");
    }
    for (size_t i = 0; i < param_count; i++) {
        facts[i] = (param_fact) { .context = PARAM_OTHER };
    }
    if (status != PGC_OK) {
        return PGC_OK;
    }
    assert(statement != NULL);
    collector c = { facts, uses, param_count };
    analysis a = { .cat = cat, .mem = mem, .visit = on_level, .visit_ctx = &c };
    (void) shape_of_statement(&a, NULL, NULL, statement);
    if (a.failed) {
        return pgc_error_set(err, PGC_NOMEM, "look at the parameters of a statement");
    }
    for (size_t i = 0; i < param_count; i++) {
        facts[i].equals_only = uses[i].seen && uses[i].equals;
        facts[i].not_null = facts[i].not_null && !uses[i].null_test;
    }
    return PGC_OK;
}

pgc_status prove_params(const catalog *cat, slice sql, size_t param_count, arena *mem,
                        param_fact *facts, pgc_error *err)
{
    const prove_input input = { .sql = sql, .param_count = param_count };
    return prove_params_given(cat, &input, mem, facts, err);
}
