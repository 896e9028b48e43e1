/* What conditions say about columns.
 *
 * A condition that holds excludes NULL in every column that would have made it NULL or false. Such
 * columns are marked in the leaves that the condition filters, and an outer join whose made-up rows
 * cannot pass becomes an inner one, whose own condition then counts too: repeated until nothing
 * changes. Row comparisons, NOT IN over sub-selects and ALL over arrays look like this but are not.
 * One thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

/* How to read the rules below. A condition over a row is true, false or NULL. Each rule says which
 * columns of that row must have had a value, given one of:
 *
 *     facts_when_true       WHERE c, JOIN … ON c, HAVING c, FILTER (WHERE c), CASE WHEN c THEN here
 *     facts_when_false      the inside of NOT, IS FALSE
 *     facts_when_not_true   CASE WHEN c THEN … ELSE here: c was false or NULL
 *     facts_not_null        the expression has some value, true or false or anything else
 *
 * Facts only ever raise a claim, so leaving one out is safe and adding a wrong one is not. */

static const fact *facts_when_false(analysis *a, const scope *s, const ast *condition,
                                    const fact *facts);
static const fact *facts_not_null(analysis *a, const scope *s, const ast *expr, const fact *facts);

static const fact *add_fact(analysis *a, fact added, const fact *facts)
{
    fact *f = analysis_new(a, sizeof *f);
    if (f == NULL) {
        return facts;
    }
    *f = added;
    f->next = facts;
    return f;
}

/* A merged column is one of its sides, except after FULL JOIN. */
static const fact *add_var(analysis *a, const var *v, const fact *facts)
{
    if (v->merged == NULL) {
        return add_fact(a, (fact) { .leaf = v->leaf, .index = v->index }, facts);
    }
    if (v->merged->type == 'f') { /* either side may give the value */
        return facts;
    }
    return add_var(a, v->merged->type == 'r' ? v->right : v->left, facts);
}

/* The same row gives the same value: no functions but aggregates, no sub-selects. */
static bool is_repeatable(const analysis *a, const ast *expr)
{
    ast_kind kind = ast_kind_of(expr);
    if (kind == AST_SUB_LINK || kind == AST_OTHER ||
        (kind == AST_FUNC_CALL && !call_is_aggregate(a, expr)) ||
        (kind == AST_A_EXPR && operator_is_own(a, last_name(ast_get(expr, "name"))))) {
        return false;
    }
    for (const ast *i = expr != NULL && kind != AST_COLUMN_REF ? ast_first(expr) : NULL; i != NULL;
         i = ast_next(i)) {
        if (!is_repeatable(a, i)) {
            return false;
        }
    }
    return true;
}

/* ROW(a, b) and (a, b) are the same to the grammar. */
static bool is_row(const ast *expr)
{
    return ast_kind_of(expr) == AST_ROW;
}

/* Rows and lists have no type to resolve an operator by. */
static uint32_t type_of(analysis *a, const scope *s, const ast *expr)
{
    if (ast_kind_of(expr) == AST_LIST || is_row(expr)) {
        return 0;
    }
    return value_of_expr(a, s, expr).type_oid;
}

/* Every overload that is possible gives NULL for NULL. */
static bool strict_operator(analysis *a, const scope *s, const ast *expr, bool array)
{
    const ast *left = ast_get(expr, "lexpr"), *right = ast_get(expr, "rexpr");
    uint32_t right_type = type_of(a, s, right);
    verdict v =
        resolve_operator(a, ast_get(expr, "name"), left != NULL ? type_of(a, s, left) : UINT32_MAX,
                         array ? element_of(a, right_type) : right_type);
    return v.known && v.strict;
}

static const fact *each_not_null(analysis *a, const scope *s, const ast *list, const fact *facts)
{
    for (const ast *e = ast_first(list); e != NULL; e = ast_next(e)) {
        facts = facts_not_null(a, s, e, facts);
    }
    return facts;
}

/* Fields of a row constructor, or the expression itself. */
static const fact *operand_not_null(analysis *a, const scope *s, const ast *expr, bool first_only,
                                    const fact *facts)
{
    if (!is_row(expr)) {
        return facts_not_null(a, s, expr, facts);
    }
    const ast *fields = ast_get(expr, "args");
    return first_only ? facts_not_null(a, s, ast_first(fields), facts)
                      : each_not_null(a, s, fields, facts);
}

/* The comparison stops at the first pair that decides: (1, NULL) < (2, NULL) is true.
 * (a, b) = (c, d) is true only when all fields have values; < and its like may decide by the first
 * pair; <> may be true whatever the other fields are. */
static const fact *row_facts(analysis *a, const scope *s, const ast *expr, const fact *facts)
{
    const char *name = last_name(ast_get(expr, "name"));
    if (operator_is_own(a, name)) {
        return facts;
    }
    bool equal = name != NULL && strcmp(name, "=") == 0;
    bool order = name != NULL && (name[0] == '<' || name[0] == '>') && strcmp(name, "<>") != 0 &&
                 (name[1] == '\0' || strcmp(name + 1, "=") == 0);
    if (!equal && !order) {
        return facts;
    }
    facts = operand_not_null(a, s, ast_get(expr, "lexpr"), order, facts);
    const ast *right = ast_get(expr, "rexpr");
    return is_row(right) ? operand_not_null(a, s, right, order, facts) : facts;
}

typedef enum outcome { OUTCOME_TRUE, OUTCOME_FALSE, OUTCOME_ANY } outcome;

/* x has a value in both outcomes; the bounds only when the test is true, because one bound
 * alone can make it false. */
static const fact *between_facts(analysis *a, const scope *s, const ast *expr, outcome known,
                                 const fact *facts)
{
    const ast *left = ast_get(expr, "lexpr");
    bool negated = strncmp(ast_str(expr, "kind"), "AEXPR_NOT", strlen("AEXPR_NOT")) == 0;
    if (known == OUTCOME_ANY || is_row(left) || operator_is_own(a, ">=") ||
        operator_is_own(a, "<=")) {
        return facts;
    }
    facts = facts_not_null(a, s, left, facts);
    return (known == OUTCOME_TRUE) != negated ? each_not_null(a, s, ast_get(expr, "rexpr"), facts)
                                              : facts;
}

/* IN over a list is a chain of = joined by OR, NOT IN one of <> joined by AND.
 * x IN (list): x has a value when the outcome is known, because the list is never empty. */
static const fact *in_facts(analysis *a, const scope *s, const ast *expr, outcome known,
                            const fact *facts)
{
    const ast *left = ast_get(expr, "lexpr");
    if (is_row(left)) {
        return known == OUTCOME_TRUE ? row_facts(a, s, expr, facts) : facts;
    }
    return strict_operator(a, s, expr, false) ? facts_not_null(a, s, left, facts) : facts;
}

/* A known outcome means that the operator gave no NULL, so a strict one got none. */
static const fact *operator_facts(analysis *a, const scope *s, const ast *expr, outcome known,
                                  const fact *facts)
{
    const char *kind = ast_str(expr, "kind");
    const ast *left = ast_get(expr, "lexpr"), *right = ast_get(expr, "rexpr");
    if (kind == NULL || strstr(kind, "DISTINCT") != NULL || strcmp(kind, "AEXPR_NULLIF") == 0) {
        return facts;
    }
    if (strstr(kind, "BETWEEN") != NULL) {
        return between_facts(a, s, expr, known, facts);
    }
    if (strcmp(kind, "AEXPR_IN") == 0) {
        return in_facts(a, s, expr, known, facts);
    }
    bool any = strcmp(kind, "AEXPR_OP_ANY") == 0, all = strcmp(kind, "AEXPR_OP_ALL") == 0;
    if (any || all) { /* an empty array decides without looking at the left side */
        bool compared = (any && known == OUTCOME_TRUE) || (all && known == OUTCOME_FALSE);
        bool use = compared && !is_row(left) && strict_operator(a, s, expr, true);
        return use ? facts_not_null(a, s, left, facts) : facts;
    }
    if (is_row(left) || is_row(right)) {
        return known == OUTCOME_TRUE ? row_facts(a, s, expr, facts) : facts;
    }
    if (!strict_operator(a, s, expr, false)) {
        return facts;
    }
    facts = left != NULL ? facts_not_null(a, s, left, facts) : facts;
    return facts_not_null(a, s, right, facts);
}

/* A strict function that gave a value got values. Own functions may be strict, too, but nobody
 * has to keep them so. */
static const fact *call_facts(analysis *a, const scope *s, const ast *call, const fact *facts)
{
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    candidates found;
    call_arguments(a, s, call, &args, values);
    resolve_function(a, ast_get(call, "funcname"), &args, &found);
    if (!candidates_trusted(&found) || !candidates_kind(&found, 'f') ||
        ast_get(call, "over") != NULL) {
        return facts;
    }
    for (size_t i = 0; i < found.count; i++) {
        if (!found.items[i]->strict || found.items[i]->returns_set) {
            return facts;
        }
    }
    return each_not_null(a, s, ast_get(call, "args"), facts);
}

/* Columns of outer queries are that query's matter. */
static const fact *column_facts(analysis *a, const scope *s, const ast *expr, const fact *facts)
{
    lookup found;
    bool here = !is_star(expr) && scope_find(a, s, expr, &found) && found.var != NULL &&
                found.scope->items == s->items;
    return here ? add_var(a, found.var, facts) : facts;
}

/* What follows from the expression having a value. */
static const fact *facts_not_null(analysis *a, const scope *s, const ast *expr, const fact *facts)
{
    ast_kind kind = ast_kind_of(expr);
    if (a->failed || a->depth >= ANALYSE_DEPTH_MAX) {
        return facts;
    }
    a->depth++;
    if (kind != AST_COLUMN_REF && kind != AST_A_CONST && kind != AST_PARAM_REF &&
        is_repeatable(a, expr)) {
        facts = add_fact(a, (fact) { .expr = expr }, facts);
    }
    if (kind == AST_COLUMN_REF) {
        facts = column_facts(a, s, expr, facts);
    } else if (kind == AST_A_EXPR) {
        facts = operator_facts(a, s, expr, OUTCOME_ANY, facts);
    } else if (kind == AST_FUNC_CALL) {
        facts = call_facts(a, s, expr, facts);
    } else if (kind == AST_TYPE_CAST) {
        const catalog_type *type = type_of_name(a, ast_get(expr, "typeName"));
        const ast *arg = ast_get(expr, "arg");
        if (type != NULL && cast_is_strict(a, type_of(a, s, arg), type->oid)) {
            facts = facts_not_null(a, s, arg, facts);
        }
    } else if (kind == AST_COLLATE || kind == AST_NAMED_ARG ||
               (kind == AST_A_INDIRECTION &&
                ast_kind_of(ast_first(ast_get(expr, "indirection"))) == AST_A_INDICES)) {
        facts = facts_not_null(a, s, ast_get(expr, "arg"), facts);
    }
    a->depth--;
    return facts;
}

static bool same_fact(const fact *x, const fact *y)
{
    if (x->expr != NULL || y->expr != NULL) {
        return x->expr != NULL && y->expr != NULL && ast_equal(x->expr, y->expr);
    }
    return x->leaf == y->leaf && x->index == y->index;
}

/* What holds whichever arm of OR was true. */
static const fact *common_facts(analysis *a, const fact *x, const fact *y)
{
    const fact *common = NULL;
    for (; x != NULL; x = x->next) {
        for (const fact *other = y; other != NULL; other = other->next) {
            if (same_fact(x, other)) {
                common = add_fact(a, *x, common);
                break;
            }
        }
    }
    return common;
}

typedef const fact *fact_rule(analysis *a, const scope *s, const ast *condition, const fact *facts);

/* All arguments follow the rule. */
static const fact *facts_of_all(analysis *a, const scope *s, const ast *args, fact_rule *rule,
                                const fact *facts)
{
    for (const ast *arg = ast_first(args); arg != NULL; arg = ast_next(arg)) {
        facts = rule(a, s, arg, facts);
    }
    return facts;
}

/* One of the arguments follows the rule, we cannot tell which.
 *
 *     x = 1 OR x = 2     x has a value
 *     x = 1 OR y = 2     nothing: either may be NULL */
static const fact *facts_of_some(analysis *a, const scope *s, const ast *args, fact_rule *rule,
                                 const fact *facts)
{
    const ast *arg = ast_first(args);
    const fact *common = rule(a, s, arg, NULL);
    for (arg = ast_next(arg); arg != NULL; arg = ast_next(arg)) {
        common = common_facts(a, common, rule(a, s, arg, NULL));
    }
    for (; common != NULL; common = common->next) {
        facts = add_fact(a, *common, facts);
    }
    return facts;
}

static const fact *null_test_facts(analysis *a, const scope *s, const ast *test, bool holds,
                                   const fact *facts)
{
    const ast *arg = ast_get(test, "arg");
    bool is_not = ast_is(test, "nulltesttype", "IS_NOT_NULL");
    if (is_not != holds) {
        return facts;
    }
    if (is_row(arg)) { /* only IS NOT NULL speaks about every field */
        return is_not ? each_not_null(a, s, ast_get(arg, "args"), facts) : facts;
    }
    return facts_not_null(a, s, arg, facts);
}

/* IS TRUE and its like are never NULL themselves: what they say when they fail is as certain. */
static const fact *boolean_test_facts(analysis *a, const scope *s, const ast *test, bool holds,
                                      const fact *facts)
{
    const char *type = ast_str(test, "booltesttype");
    const ast *arg = ast_get(test, "arg");
    if (type == NULL) {
        return facts;
    }
    if (strcmp(type, holds ? "IS_TRUE" : "IS_NOT_TRUE") == 0) {
        return facts_when_true(a, s, arg, facts);
    }
    if (strcmp(type, holds ? "IS_FALSE" : "IS_NOT_FALSE") == 0) {
        return facts_when_false(a, s, arg, facts);
    }
    return strcmp(type, holds ? "IS_NOT_UNKNOWN" : "IS_UNKNOWN") == 0
               ? facts_not_null(a, s, arg, facts)
               : facts;
}

/* x IN (SELECT …) true, x op ALL (SELECT …) false: a comparison with a row took place. */
static const fact *sub_link_facts(analysis *a, const scope *s, const ast *expr, bool holds,
                                  const fact *facts)
{
    const ast *test = ast_get(expr, "testexpr");
    bool compared = ast_is(expr, "subLinkType", holds ? "ANY_SUBLINK" : "ALL_SUBLINK");
    const ast *name = ast_get(expr, "operName");
    const char *text = name != NULL ? last_name(name) : "=";
    bool equal = text != NULL && strcmp(text, "=") == 0 && !operator_is_own(a, "=");
    if (!compared || !equal || (is_row(test) && !holds)) {
        return facts;
    }
    return operand_not_null(a, s, test, false, facts);
}

/* Two-valued tests and operators know true from false; for the rest "has a value" is all. */
static const fact *facts_of(analysis *a, const scope *s, const ast *condition, bool holds,
                            const fact *facts)
{
    switch ((int) ast_kind_of(condition)) {
    case AST_NULL_TEST:
        return null_test_facts(a, s, condition, holds, facts);
    case AST_BOOLEAN_TEST:
        return boolean_test_facts(a, s, condition, holds, facts);
    case AST_A_EXPR:
        return operator_facts(a, s, condition, holds ? OUTCOME_TRUE : OUTCOME_FALSE, facts);
    case AST_SUB_LINK:
        return sub_link_facts(a, s, condition, holds, facts);
    default:
        return facts_not_null(a, s, condition, facts);
    }
}

/* AND adds up, OR keeps what its arms have in common, NOT changes sides. */
const fact *facts_when_true(analysis *a, const scope *s, const ast *condition, const fact *facts)
{
    if (condition == NULL || a->failed || a->depth >= ANALYSE_DEPTH_MAX) {
        return facts;
    }
    if (ast_kind_of(condition) != AST_BOOL_EXPR) {
        return facts_of(a, s, condition, true, facts);
    }
    const ast *args = ast_get(condition, "args");
    a->depth++;
    if (ast_is(condition, "boolop", "AND_EXPR")) {
        facts = facts_of_all(a, s, args, facts_when_true, facts);
    } else if (ast_is(condition, "boolop", "OR_EXPR")) {
        facts = facts_of_some(a, s, args, facts_when_true, facts);
    } else {
        facts = facts_when_false(a, s, ast_first(args), facts);
    }
    a->depth--;
    return facts;
}

/* The mirror image by De Morgan's laws. */
static const fact *facts_when_false(analysis *a, const scope *s, const ast *condition,
                                    const fact *facts)
{
    if (condition == NULL || a->failed || a->depth >= ANALYSE_DEPTH_MAX) {
        return facts;
    }
    if (ast_kind_of(condition) != AST_BOOL_EXPR) {
        return facts_of(a, s, condition, false, facts);
    }
    const ast *args = ast_get(condition, "args");
    a->depth++;
    if (ast_is(condition, "boolop", "AND_EXPR")) {
        facts = facts_of_some(a, s, args, facts_when_false, facts);
    } else if (ast_is(condition, "boolop", "OR_EXPR")) {
        facts = facts_of_all(a, s, args, facts_when_false, facts);
    } else {
        facts = facts_when_true(a, s, ast_first(args), facts);
    }
    a->depth--;
    return facts;
}

/* ELSE and later branches of CASE: the condition was false or NULL. Only tests that are never
 * NULL say something then. */
const fact *facts_when_not_true(analysis *a, const scope *s, const ast *condition,
                                const fact *facts)
{
    ast_kind kind = ast_kind_of(condition);
    if (kind == AST_NULL_TEST || kind == AST_BOOLEAN_TEST) { /* these are never NULL */
        return facts_when_false(a, s, condition, facts);
    }
    if (kind == AST_BOOL_EXPR && ast_is(condition, "boolop", "OR_EXPR")) {
        return facts_of_all(a, s, ast_get(condition, "args"), facts_when_not_true, facts);
    }
    return facts;
}

/* Example: a LEFT JOIN b ON … WHERE b.x = 1. The fact is "b.x has a value", the filter reaches all
 * leaves, the join has b on its nullable side: it becomes an inner join, so every column of b keeps
 * the claim of its table. With the condition in an ON clause only the leaves below that join, on
 * the side whose rows it can drop, are reached.
 * Mark one column that a condition over leaves [first, end) excludes NULL in.
 *
 *     a LEFT JOIN b ON … WHERE b.x = 1    no row of b was made up: the join is an inner one */
static bool refine_leaf(scope *s, const fact *f, size_t first, size_t end)
{
    size_t number = f->leaf->number;
    if (number < first || number >= end) {
        return false;
    }
    assert(f->index < f->leaf->shape.count);
    column *c = &f->leaf->shape.columns[f->index];
    bool changed = !c->refined;
    c->refined = true;
    for (join *j = s->joins; j != NULL; j = j->next) {
        if (j->first < first || j->end > end) {
            continue;
        }
        if (j->nulls_left && number >= j->first && number < j->middle) {
            j->nulls_left = false;
            changed = true;
        }
        if (j->nulls_right && number >= j->middle && number < j->end) {
            j->nulls_right = false;
            changed = true;
        }
    }
    return changed;
}

static bool refine_leaves(scope *s, const fact *facts, size_t first, size_t end)
{
    bool changed = false;
    for (const fact *f = facts; f != NULL; f = f->next) {
        changed = (f->leaf != NULL && refine_leaf(s, f, first, end)) || changed;
    }
    return changed;
}

/* The condition of a join filters the sides that it can drop rows of. */
static bool refine_by_join(analysis *a, scope *s, const join *j)
{
    if (j->nulls_left && j->nulls_right) {
        return false;
    }
    assert(!(j->nulls_left && j->nulls_right));
    size_t first = j->nulls_right ? j->middle : j->first;
    size_t end = j->nulls_left ? j->middle : j->end;
    const fact *facts = facts_when_true(a, s, j->quals, NULL);
    for (const var_pair *p = j->pairs; p != NULL; p = p->next) {
        facts = add_var(a, p->left, add_var(a, p->right, facts));
    }
    return refine_leaves(s, facts, first, end);
}

/* A join that became inner may let another condition count, hence the rounds. What WHERE says
 * about whole expressions is kept for the target list. */
void scope_refine(analysis *a, scope *s, const ast *where)
{
    assert(s->complete);
    const fact *facts = facts_when_true(a, s, where, NULL);
    bool changed = refine_leaves(s, facts, 0, s->leaf_count);
    for (unsigned round = 0; round < ANALYSE_ROUNDS_MAX && (changed || round == 0); round++) {
        changed = false;
        for (join *j = s->joins; j != NULL; j = j->next) {
            changed = refine_by_join(a, s, j) || changed;
        }
    }
    for (const fact *f = facts; f != NULL; f = f->next) {
        if (f->expr != NULL) {
            s->facts = add_fact(a, *f, s->facts);
        }
    }
}
