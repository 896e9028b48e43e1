/* GROUP BY: which groups may be empty, which expressions are NULL in some grouping sets.
 *
 * Without GROUPING SETS, ROLLUP and CUBE every group expression is as in its rows. With them an
 * expression that a set leaves out is NULL in that set's rows. One thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

/* Lists are a handful of entries, so growing one by one is fine. */
static void push(analysis *a, const ast ***list, size_t *count, const ast *expr)
{
    const ast **grown = analysis_array(a, *count + 1, sizeof *grown);
    if (grown == NULL) {
        return;
    }
    if (*count > 0) {
        memcpy(grown, *list, *count * sizeof *grown);
    }
    grown[(*count)++] = expr;
    *list = grown;
}

/* An output column by number or by AS name; input columns come first.
 *
 *     SELECT lower(name) AS n … GROUP BY 1    and    GROUP BY n    mean lower(name) */
static const ast *resolve_target(analysis *a, const scope *s, const ast *select, const ast *expr)
{
    const ast *targets = ast_get(select, "targetList");
    if (ast_kind_of(expr) == AST_A_CONST && ast_get(expr, "ival") != NULL) {
        int64_t number = ast_int(ast_get(expr, "ival"), "ival", 0);
        const ast *target = number > 0 ? ast_nth(targets, (size_t) number - 1) : NULL;
        return target != NULL ? ast_get(target, "val") : expr;
    }
    lookup found;
    bool bare = ast_kind_of(expr) == AST_COLUMN_REF && ast_count(ast_get(expr, "fields")) == 1;
    if (!bare || scope_find(a, s, expr, &found)) {
        return expr;
    }
    const char *name = last_name(ast_get(expr, "fields"));
    for (const ast *t = ast_first(targets); t != NULL; t = ast_next(t)) {
        if (name != NULL && ast_is(t, "name", name)) {
            return ast_get(t, "val");
        }
    }
    return expr;
}

/* GROUP BY 1 and GROUP BY alias mean the target's expression. */
static void add_expr(analysis *a, scope *s, const ast *select, const ast *expr, bool common)
{
    grouping *g = &s->group;
    expr = resolve_target(a, s, select, expr);
    g->plain_columns = g->plain_columns && ast_kind_of(expr) == AST_COLUMN_REF;
    if (common) {
        push(a, &g->common, &g->common_count, expr);
    } else {
        push(a, &g->partial, &g->partial_count, expr);
    }
}

/* Everything inside ROLLUP, CUBE or SETS counts as left out by some set, also when it is not. */
static void add_partial(analysis *a, scope *s, const ast *select, const ast *node)
{
    ast_kind kind = ast_kind_of(node);
    if (kind == AST_GROUPING_SET || kind == AST_ROW) {
        const ast *parts = ast_get(node, kind == AST_ROW ? "args" : "content");
        for (const ast *part = ast_first(parts); part != NULL; part = ast_next(part)) {
            add_partial(a, s, select, part);
        }
        return;
    }
    add_expr(a, s, select, node, false);
}

/* Every set of the item groups by something.
 *
 *     GROUP BY a                        true
 *     GROUP BY GROUPING SETS ((a), ())  false: the empty set has a row without input
 *     GROUP BY ROLLUP (a)               false */
static bool item_never_empty(const ast *group)
{
    if (ast_kind_of(group) != AST_GROUPING_SET) {
        return true;
    }
    if (ast_is(group, "kind", "GROUPING_SET_SIMPLE")) {
        return true;
    }
    if (!ast_is(group, "kind", "GROUPING_SET_SETS")) {
        return false;
    }
    for (const ast *set = ast_first(ast_get(group, "content")); set != NULL; set = ast_next(set)) {
        if (!item_never_empty(set)) {
            return false;
        }
    }
    return true;
}

/* Runs before any target is looked at, because aggregates depend on it. */
void scope_group(analysis *a, scope *s, const ast *select)
{
    const ast *items = ast_get(select, "groupClause");
    grouping *g = &s->group;
    g->aggregated = ast_count(items) > 0 || ast_get(select, "havingClause") != NULL ||
                    has_aggregate(a, s, ast_get(select, "targetList"));
    g->plain_columns = true;
    for (const ast *i = ast_first(items); i != NULL; i = ast_next(i)) {
        g->never_empty = g->never_empty || item_never_empty(i);
        if (ast_kind_of(i) == AST_GROUPING_SET) {
            g->sets = true;
            add_partial(a, s, select, i);
        } else {
            add_expr(a, s, select, i, true);
        }
    }
}

/* Columns are compared by what they name: x and t.x are one group key. */
static bool same_expr(analysis *a, const scope *s, const ast *x, const ast *y)
{
    lookup left, right;
    if (ast_kind_of(x) == AST_COLUMN_REF && ast_kind_of(y) == AST_COLUMN_REF && !is_star(x) &&
        !is_star(y) && scope_find(a, s, x, &left) && scope_find(a, s, y, &right) &&
        left.var != NULL && right.var != NULL && left.var->merged == NULL &&
        right.var->merged == NULL) {
        return left.var->leaf == right.var->leaf && left.var->index == right.var->index;
    }
    return ast_equal(x, y);
}

static bool in_list(analysis *a, const scope *s, const ast **list, size_t count, const ast *expr)
{
    for (size_t i = 0; i < count; i++) {
        if (same_expr(a, s, list[i], expr)) {
            return true;
        }
    }
    return false;
}

/* A column of this level, outside aggregates, that some set may leave out. */
static bool has_partial_column(analysis *a, const scope *s, const ast *node)
{
    ast_kind kind = ast_kind_of(node);
    if (kind == AST_COLUMN_REF) {
        lookup found;
        bool outer = scope_find(a, s, node, &found) && found.scope->items != s->items;
        return !outer && !in_list(a, s, s->group.common, s->group.common_count, node);
    }
    if (kind == AST_GROUPING_FUNC ||
        (kind == AST_FUNC_CALL && ast_get(node, "over") == NULL && call_is_aggregate(a, node))) {
        return false;
    }
    for (const ast *i = node != NULL ? ast_first(node) : NULL; i != NULL; i = ast_next(i)) {
        if (has_partial_column(a, s, i)) {
            return true;
        }
    }
    return false;
}

/* Keys of every set come first: GROUP BY a, ROLLUP (a, b) never leaves out a. */
int group_role(analysis *a, const scope *s, const ast *expr)
{
    assert(s->group.sets);
    const grouping *g = &s->group;
    if (in_list(a, s, g->common, g->common_count, expr)) {
        return 1;
    }
    if (in_list(a, s, g->partial, g->partial_count, expr)) {
        return -1;
    }
    /* The server compares analysed trees, we compare text: with group expressions that are more
     * than columns, whatever may be one of them counts as one. */
    bool plain = ast_kind_of(expr) == AST_COLUMN_REF;
    return (plain || !g->plain_columns) && has_partial_column(a, s, expr) ? -1 : 0;
}
