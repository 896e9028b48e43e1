/* Value of an expression: the rules of sqlc.md §8.4, one function per kind of node.
 *
 * Nothing is claimed that is not proved: a node that no rule knows is nullable. A budget of steps
 * bounds the work on hostile text. One thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

static value not_null(uint32_t type_oid, const char *reason)
{
    return (value) { .not_null = true, .type_oid = type_oid, .reason = reason };
}

static value nullable(uint32_t type_oid, const char *reason)
{
    return (value) { .type_oid = type_oid, .reason = reason };
}

/* A number that is no int4 is int8 or numeric, which one depends on its size; no rule asks.
 *
 *     1 -> N int4,  1.5 -> N numeric,  'x' -> N of unknown type,  '{}' -> also no NULL element,
 *     NULL -> nullable */
static value value_of_const(const ast *expr)
{
    if (ast_flag(expr, "isnull")) {
        return nullable(OID_UNKNOWN, "NULL");
    }
    uint32_t type = ast_get(expr, "ival") != NULL      ? OID_INT4
                    : ast_get(expr, "boolval") != NULL ? OID_BOOL
                    : ast_get(expr, "bsval") != NULL   ? OID_BIT
                    : ast_get(expr, "fval") != NULL    ? 0 /* int8 or numeric */
                                                       : OID_UNKNOWN;
    if (type == 0) {
        const char *text = ast_str(ast_get(expr, "fval"), "fval");
        type = text != NULL && strpbrk(text, ".eE") != NULL ? OID_NUMERIC : 0;
    }
    value v = not_null(type, "constant");
    const char *text = ast_str(ast_get(expr, "sval"), "sval");
    v.elems_not_null = text != NULL && strcmp(text, "{}") == 0; /* an empty array, if it is one */
    return v;
}

/* Only the caller knows what a generated function can send. */
static value value_of_param(analysis *a, const ast *expr)
{
    int64_t number = ast_int(expr, "number", 0);
    bool known = a->param_not_null != NULL && number >= 1 && (size_t) number <= a->param_count &&
                 a->param_not_null[number - 1];
    const char *reason = analysis_text(a, "parameter $%" PRId64 " %s", number,
                                       known ? "is never NULL" : "may be NULL");
    return known ? not_null(0, reason) : nullable(0, reason);
}

/* Columns of an outer query count as that query shows them, grouping sets included. */
static value value_of_column(analysis *a, const scope *s, const ast *expr)
{
    lookup found;
    if (is_star(expr) || !scope_find(a, s, expr, &found)) {
        const char *name = last_name(ast_get(expr, "fields"));
        return value_unknown(
            analysis_text(a, "%s is not certain to be a column", name ? name : "*"));
    }
    if (found.scope->group.sets && group_role(a, found.scope, expr) <= 0) {
        return value_unknown("NULL in the rows of some grouping sets");
    }
    return value_of_lookup(a, &found);
}

/* The present has a time of day: it is never infinite. */
static bool is_present(const ast *expr)
{
    static const char *const functions[] = { "now", "clock_timestamp", "statement_timestamp",
                                             "transaction_timestamp" };
    if (ast_kind_of(expr) == AST_VALUE_FUNCTION) {
        return true;
    }
    const char *name = last_name(ast_get(expr, "funcname"));
    bool call = ast_kind_of(expr) == AST_FUNC_CALL && name != NULL;
    for (size_t i = 0; call && i < ARRAY_LEN(functions); i++) {
        if (strcmp(name, functions[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Elements of an array are cast one by one and may lose what the array as a whole keeps.
 *
 *     note_not_null::text  -> N        stamp::time  -> nullable (infinity has no time of day)
 *     $1::int              -> as the parameter        data::int -> nullable (jsonb null) */
static value value_of_cast(analysis *a, const scope *s, const ast *expr)
{
    const ast *arg = ast_get(expr, "arg");
    value from = value_of_expr(a, s, arg);
    const catalog_type *type = type_of_name(a, ast_get(expr, "typeName"));
    uint32_t target = type != NULL ? type->oid : 0;
    ast_kind kind = ast_kind_of(arg);
    uint32_t source = kind == AST_PARAM_REF ? OID_UNKNOWN : from.type_oid;
    bool clock = (source == OID_TIMESTAMPTZ || source == OID_TIMESTAMP) &&
                 (target == OID_TIME || target == OID_TIMETZ) && from.not_null && is_present(arg);
    if (target == 0 || (!clock && !resolve_cast(a, source, target))) {
        return nullable(target, analysis_text(a, "cast to %s may give NULL",
                                              type != NULL ? type->spelling : "its type"));
    }
    uint32_t from_element = element_of(a, source), to_element = element_of(a, target);
    bool elems = from.elems_not_null && to_element != 0 &&
                 (from.type_oid == OID_UNKNOWN ||
                  (from_element != 0 && resolve_cast(a, from_element, to_element)));
    from.elems_not_null = elems;
    from.type_oid = target;
    return from;
}

/* Left over: which values decide. The reason is that of the first one that may be NULL. */
static value all_of(const value *values, size_t count, uint32_t type_oid, const char *reason)
{
    for (size_t i = 0; i < count; i++) {
        if (!values[i].not_null) {
            return nullable(type_oid, values[i].reason);
        }
    }
    return not_null(type_oid, reason);
}

/* Values of a list: not NULL when all are; a type when all known ones agree. */
static value value_of_list(analysis *a, const scope *s, const ast *list)
{
    value all = not_null(OID_UNKNOWN, "all items are not NULL");
    for (const ast *node = ast_first(list); node != NULL; node = ast_next(node)) {
        value v = value_of_expr(a, s, node);
        if (!v.not_null && all.not_null) {
            all.not_null = false;
            all.reason = v.reason;
        }
        if (all.type_oid == OID_UNKNOWN) {
            all.type_oid = v.type_oid;
        } else if (v.type_oid != all.type_oid && v.type_oid != OID_UNKNOWN) {
            all.type_oid = 0;
        }
    }
    return all;
}

/* As an operand: a row constructor is only as good as its fields. */
static value value_of_operand(analysis *a, const scope *s, const ast *expr)
{
    if (ast_kind_of(expr) == AST_ROW) {
        value fields = value_of_list(a, s, ast_get(expr, "args"));
        fields.type_oid = 0;
        return fields;
    }
    if (ast_kind_of(expr) == AST_LIST) {
        value all = not_null(OID_UNKNOWN, "list");
        for (const ast *node = ast_first(expr); node != NULL; node = ast_next(node)) {
            value v = value_of_operand(a, s, node);
            uint32_t type = v.type_oid == OID_UNKNOWN || v.type_oid == all.type_oid ? all.type_oid
                            : all.type_oid == OID_UNKNOWN                           ? v.type_oid
                                                                                    : 0;
            all = all.not_null && !v.not_null ? v : all;
            all.type_oid = type;
        }
        return all;
    }
    return value_of_expr(a, s, expr);
}

/* array || array is NULL only when both are; an element always makes an array.
 *
 *     '{1}' || NULL::int[]  ->  {1}        NULL::int[] || NULL::int[]  ->  NULL
 *     NULL::int[] || 1      ->  {1} */
static bool join_arrays(const analysis *a, const value *left, const value *right, value *out)
{
    bool left_array = element_of(a, left->type_oid) != 0;
    bool right_array = element_of(a, right->type_oid) != 0;
    bool known = left->type_oid != 0 && left->type_oid != OID_UNKNOWN && right->type_oid != 0 &&
                 right->type_oid != OID_UNKNOWN;
    if (!known || (!left_array && !right_array)) {
        return false;
    }
    bool both = left_array && right_array;
    *out = both && !left->not_null ? *right : *left;
    out->not_null = !both || left->not_null || right->not_null;
    out->reason = out->not_null ? "arrays put together" : out->reason;
    out->elems_not_null = (left_array ? left->elems_not_null : left->not_null) &&
                          (right_array ? right->elems_not_null : right->not_null);
    out->type_oid = left_array ? left->type_oid : right->type_oid;
    return true;
}

/* The operator has to be the server's own or a known extension's for all types that are
 * possible; then NULL can only come from an operand. */
static value operator_value(analysis *a, const ast *name, const value *left, const value *right)
{
    uint32_t left_type = left != NULL ? left->type_oid : UINT32_MAX;
    verdict v = resolve_operator(a, name, left_type, right->type_oid);
    const char *text = last_name(name);
    if (!v.known || !v.total) {
        return nullable(v.result_oid,
                        analysis_text(a, "operator %s may give NULL", text != NULL ? text : "?"));
    }
    value joined;
    if (left != NULL && strcmp(text, "||") == 0 && join_arrays(a, left, right, &joined)) {
        return joined;
    }
    value operands[2] = { *right, left != NULL ? *left : *right };
    return all_of(operands, 2, v.result_oid, analysis_text(a, "operator %s of values", text));
}

/* x = ANY (array) compares with every element: a NULL among them makes "no match" unknown.
 *
 *     x = ANY (ARRAY[1, 2])     N when x is: no element is NULL
 *     x = ANY (numbers)         nullable: the column may hold {1,NULL} */
static value value_of_array_operator(analysis *a, const scope *s, const ast *expr)
{
    value left = value_of_operand(a, s, ast_get(expr, "lexpr"));
    value array = value_of_expr(a, s, ast_get(expr, "rexpr"));
    value element = { .not_null = array.not_null && array.elems_not_null,
                      .type_oid = element_of(a, array.type_oid),
                      .reason =
                          array.not_null ? "an element of the array may be NULL" : array.reason };
    value v = operator_value(a, ast_get(expr, "name"), &left, &element);
    v.type_oid = OID_BOOL;
    return v;
}

/* BETWEEN stands for >= and <=, in whose place a user may have put operators of their own. */
static value value_of_range_test(analysis *a, const scope *s, const ast *expr)
{
    value left = value_of_operand(a, s, ast_get(expr, "lexpr"));
    value bounds = value_of_operand(a, s, ast_get(expr, "rexpr"));
    /* BETWEEN stands for >= and <=, which types have together. */
    if (operator_is_own(a, ">=") || operator_is_own(a, "<=")) {
        return nullable(OID_BOOL, "BETWEEN may use an operator of your own");
    }
    value operands[2] = { left, bounds };
    return all_of(operands, 2, OID_BOOL, "BETWEEN of values");
}

/* libpg_query tells the spelling: LIKE, IN, BETWEEN and the like are kinds of A_Expr. */
static value value_of_operator(analysis *a, const scope *s, const ast *expr)
{
    const char *kind = ast_str(expr, "kind");
    const ast *left_expr = ast_get(expr, "lexpr");
    if (kind == NULL) {
        return value_unknown("operator");
    }
    if (strcmp(kind, "AEXPR_DISTINCT") == 0 || strcmp(kind, "AEXPR_NOT_DISTINCT") == 0) {
        return not_null(OID_BOOL, "IS DISTINCT FROM is never NULL");
    }
    if (strcmp(kind, "AEXPR_NULLIF") == 0) {
        value v = value_of_expr(a, s, left_expr);
        return nullable(v.type_oid, "NULLIF");
    }
    if (strcmp(kind, "AEXPR_OP_ANY") == 0 || strcmp(kind, "AEXPR_OP_ALL") == 0) {
        return value_of_array_operator(a, s, expr);
    }
    if (strstr(kind, "BETWEEN") != NULL) {
        return value_of_range_test(a, s, expr);
    }
    value right = value_of_operand(a, s, ast_get(expr, "rexpr"));
    if (left_expr == NULL) {
        return operator_value(a, ast_get(expr, "name"), NULL, &right);
    }
    value left = value_of_operand(a, s, left_expr);
    return operator_value(a, ast_get(expr, "name"), &left, &right);
}

/* false AND NULL is false, but we do not follow values: any NULL may show. */
static value value_of_bool(analysis *a, const scope *s, const ast *expr)
{
    value all = value_of_list(a, s, ast_get(expr, "args"));
    all.type_oid = OID_BOOL;
    all.reason = all.not_null ? "logic of values" : all.reason;
    return all;
}

/* COALESCE, GREATEST, LEAST: one argument is enough.
 *
 *     coalesce(note, '-')   -> N, "coalesce: constant"
 *     greatest(a, b)        -> N when a or b is */
static value value_of_any(analysis *a, const scope *s, const ast *args, const char *name)
{
    value result =
        nullable(OID_UNKNOWN, analysis_text(a, "every argument of %s may be NULL", name));
    bool elems = true;
    for (const ast *arg = ast_first(args); arg != NULL; arg = ast_next(arg)) {
        value v = value_of_expr(a, s, arg);
        elems = elems && v.elems_not_null;
        if (v.not_null && !result.not_null) {
            result.not_null = true;
            result.reason = analysis_text(a, "%s: %s", name, v.reason);
        }
        if (result.type_oid == OID_UNKNOWN || result.type_oid == 0) {
            result.type_oid = v.type_oid;
        }
    }
    result.elems_not_null = elems;
    return result;
}

/* Each branch is looked at knowing that its condition holds and that those before it do not.
 * CASE WHEN x IS NULL THEN 0 ELSE x END: the ELSE branch runs only where the test was not true, and
 * a test for NULL is never NULL itself, so x has a value there. CASE x WHEN … compares by = and
 * tells nothing about the branches.
 *
 *     CASE WHEN n IS NOT NULL THEN n ELSE 0 END   -> N: the branch sees the condition
 *     CASE WHEN ok THEN 1 END                     -> nullable: no ELSE */
static value value_of_case(analysis *a, const scope *s, const ast *expr)
{
    value result = not_null(OID_UNKNOWN, "every branch of CASE has a value");
    scope inner = *s;
    bool searched = ast_get(expr, "arg") == NULL;
    for (const ast *w = ast_first(ast_get(expr, "args")); w != NULL; w = ast_next(w)) {
        const ast *condition = ast_get(w, "expr");
        scope branch = inner;
        if (searched) {
            branch.facts = facts_when_true(a, &inner, condition, inner.facts);
            inner.facts = facts_when_not_true(a, &inner, condition, inner.facts);
        }
        value v = value_of_expr(a, &branch, ast_get(w, "result"));
        if (!v.not_null && result.not_null) {
            result.not_null = false;
            result.reason = analysis_text(a, "a branch of CASE: %s", v.reason);
        }
        if (result.type_oid == OID_UNKNOWN || result.type_oid == 0) {
            result.type_oid = v.type_oid;
        }
    }
    const ast *otherwise = ast_get(expr, "defresult");
    value last =
        otherwise != NULL ? value_of_expr(a, &inner, otherwise) : nullable(OID_UNKNOWN, "no ELSE");
    if (!last.not_null && result.not_null) {
        result.not_null = false;
        result.reason = analysis_text(a, "CASE: %s", last.reason);
    }
    if (result.type_oid == OID_UNKNOWN || result.type_oid == 0) {
        result.type_oid = last.type_oid;
    }
    return result;
}

/* Nested constructors make one array of more dimensions, whose elements are the inner ones. */
static value value_of_array(analysis *a, const scope *s, const ast *expr)
{
    value items = value_of_list(a, s, ast_get(expr, "elements"));
    value v = not_null(0, "ARRAY[…] is never NULL");
    bool nested = ast_kind_of(ast_first(ast_get(expr, "elements"))) == AST_A_ARRAY ||
                  element_of(a, items.type_oid) != 0;
    v.elems_not_null = items.not_null && !nested;
    v.type_oid = nested ? items.type_oid
                        : array_of(a, items.type_oid == OID_UNKNOWN ? OID_TEXT : items.type_oid);
    return v;
}

/* op ANY, op ALL and IN over a sub-select. */
static value value_of_sub_test(analysis *a, const scope *s, const ast *expr)
{
    const ast *test = ast_get(expr, "testexpr");
    shape rows = shape_of_statement(a, s, s->ctes, ast_get(expr, "subselect"));
    value left = value_of_operand(a, s, test);
    value right = rows.known && rows.count > 0
                      ? not_null(rows.columns[0].value.type_oid, "sub-select")
                      : value_unknown("sub-select");
    for (size_t i = 0; rows.known && i < rows.count; i++) {
        right = rows.columns[i].value.not_null ? right : rows.columns[i].value;
    }
    if (ast_kind_of(test) == AST_ROW) {
        left.type_oid = right.type_oid = 0;
    }
    const ast *name = ast_get(expr, "operName");
    verdict v = { .known = true, .total = true };
    if (name != NULL) {
        v = resolve_operator(a, name, left.type_oid, right.type_oid);
    } else { /* IN: = of the types */
        v.total = !operator_is_own(a, "=");
    }
    value operands[2] = { left, right };
    return v.known && v.total ? all_of(operands, 2, OID_BOOL, "test against a sub-select")
                              : nullable(OID_BOOL, "operator may give NULL");
}

/* No row gives NULL, whatever the column is.
 *
 *     (SELECT count(*) FROM t)           -> N: one row for certain
 *     (SELECT name FROM t WHERE id = 1)  -> nullable: there may be no row */
value value_of_sub_select(analysis *a, const scope *s, const ast *select)
{
    shape rows = shape_of_statement(a, s, s->ctes, select);
    if (!rows.known || rows.count != 1) {
        return value_unknown("sub-select");
    }
    value v = rows.columns[0].value;
    if (!rows.one_row) {
        v.not_null = false;
        v.reason = "sub-select may give no row";
    }
    return v;
}

/* What stands around a sub-select decides what it gives.
 *
 *     EXISTS (…), ARRAY(…)  -> N        x IN (SELECT y …)  -> N when x and y are */
static value value_of_sub_link(analysis *a, const scope *s, const ast *expr)
{
    const char *type = ast_str(expr, "subLinkType");
    const ast *select = ast_get(expr, "subselect");
    if (type == NULL) {
        return value_unknown("sub-select");
    }
    if (strcmp(type, "EXISTS_SUBLINK") == 0) {
        return not_null(OID_BOOL, "EXISTS is never NULL");
    }
    if (strcmp(type, "ARRAY_SUBLINK") == 0) {
        shape rows = shape_of_statement(a, s, s->ctes, select);
        value v = not_null(0, "ARRAY(SELECT …) is never NULL");
        if (rows.known && rows.count == 1) {
            uint32_t element = rows.columns[0].value.type_oid;
            v.type_oid = array_of(a, element);
            v.elems_not_null =
                element != 0 && element_of(a, element) == 0 && rows.columns[0].value.not_null;
        }
        return v;
    }
    if (strcmp(type, "EXPR_SUBLINK") == 0) {
        return value_of_sub_select(a, s, select);
    }
    if (strcmp(type, "ANY_SUBLINK") == 0 || strcmp(type, "ALL_SUBLINK") == 0) {
        return value_of_sub_test(a, s, expr);
    }
    return value_unknown("comparison with a sub-select");
}

/* current_schema is NULL when nothing on the search path exists. */
static value value_of_value_function(const ast *expr)
{
    static const struct {
        const char *prefix;
        uint32_t type_oid;
    } types[] = {
        { "SVFOP_CURRENT_DATE", OID_DATE },   { "SVFOP_CURRENT_TIMESTAMP", OID_TIMESTAMPTZ },
        { "SVFOP_CURRENT_TIME", OID_TIMETZ }, { "SVFOP_LOCALTIMESTAMP", OID_TIMESTAMP },
        { "SVFOP_LOCALTIME", OID_TIME },
    };
    const char *op = ast_str(expr, "op");
    if (op == NULL || strcmp(op, "SVFOP_CURRENT_SCHEMA") == 0) {
        return nullable(OID_NAME, "current_schema may be NULL");
    }
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strncmp(op, types[i].prefix, strlen(types[i].prefix)) == 0) {
            return not_null(types[i].type_oid, "the server's own value");
        }
    }
    return not_null(OID_NAME, "the server's own value");
}

/* Text of an XML value. */
static value value_of_xml_text(analysis *a, const scope *s, const ast *expr)
{
    const catalog_type *type = type_of_name(a, ast_get(expr, "typeName"));
    value v = value_of_expr(a, s, ast_get(expr, "expr"));
    bool text = type != NULL && type->oid == OID_TEXT;
    return (value) { .not_null = v.not_null && text,
                     .type_oid = type != NULL ? type->oid : 0,
                     .reason = v.reason };
}

static value value_of_xml(analysis *a, const scope *s, const ast *expr)
{
    if (ast_is(expr, "op", "IS_DOCUMENT")) {
        value v = value_of_expr(a, s, ast_first(ast_get(expr, "args")));
        return (value) { .not_null = v.not_null, .type_oid = OID_BOOL, .reason = v.reason };
    }
    if (ast_is(expr, "op", "IS_XMLELEMENT")) {
        return not_null(0, "XMLELEMENT is never NULL");
    }
    if (ast_is(expr, "op", "IS_XMLCONCAT")) {
        value any = value_of_any(a, s, ast_get(expr, "args"), "xmlconcat");
        any.type_oid = OID_XML;
        any.elems_not_null = false;
        return any;
    }
    if (ast_is(expr, "op", "IS_XMLPARSE")) {
        value v = value_of_expr(a, s, ast_first(ast_get(expr, "args")));
        return (value) { .not_null = v.not_null, .type_oid = OID_XML, .reason = v.reason };
    }
    return value_unknown("XML expression");
}

/* The table of rules. A kind that is not here is nullable. */
static value value_by_kind(analysis *a, const scope *s, const ast *expr)
{
    switch ((int) ast_kind_of(expr)) { /* kinds without a case are nullable */
    case AST_A_CONST:
        return value_of_const(expr);
    case AST_COLUMN_REF:
        return value_of_column(a, s, expr);
    case AST_PARAM_REF:
        return value_of_param(a, expr);
    case AST_TYPE_CAST:
        return value_of_cast(a, s, expr);
    case AST_A_EXPR:
        return value_of_operator(a, s, expr);
    case AST_BOOL_EXPR:
        return value_of_bool(a, s, expr);
    case AST_NULL_TEST:
    case AST_BOOLEAN_TEST:
        return not_null(OID_BOOL, "a test is never NULL");
    case AST_COALESCE:
        return value_of_any(a, s, ast_get(expr, "args"), "coalesce");
    case AST_MIN_MAX:
        return value_of_any(a, s, ast_get(expr, "args"), "greatest or least");
    case AST_CASE:
        return value_of_case(a, s, expr);
    case AST_FUNC_CALL:
        return value_of_call(a, s, expr);
    case AST_SUB_LINK:
        return value_of_sub_link(a, s, expr);
    case AST_A_ARRAY:
        return value_of_array(a, s, expr);
    case AST_ROW:
        return not_null(OID_RECORD, "ROW(…) is never NULL");
    case AST_A_INDIRECTION:
        return value_of_indirection(a, s, expr);
    case AST_COLLATE:
    case AST_NAMED_ARG:
        return value_of_expr(a, s, ast_get(expr, "arg"));
    case AST_VALUE_FUNCTION:
        return value_of_value_function(expr);
    case AST_GROUPING_FUNC:
        return not_null(OID_INT4, "GROUPING() is never NULL");
    case AST_XML_EXPR:
        return value_of_xml(a, s, expr);
    case AST_XML_SERIALIZE:
        return value_of_xml_text(a, s, expr);
    default:
        return value_unknown("expression that no rule covers");
    }
}

/* WHERE x ->> 'a' IS NOT NULL speaks about the same text in the target list. */
static bool has_expr_fact(const scope *s, const ast *expr)
{
    for (const fact *f = s->facts; f != NULL; f = f->next) {
        if (f->expr != NULL && ast_equal(f->expr, expr)) {
            return true;
        }
    }
    return false;
}

/* The one entry: counts steps, bounds the depth, then lets conditions raise the claim and
 * grouping sets take it back. */
value value_of_expr(analysis *a, const scope *s, const ast *expr)
{
    if (a->failed || a->steps >= ANALYSE_STEPS_MAX || a->depth >= ANALYSE_DEPTH_MAX) {
        return value_unknown("the statement is too large to be looked at");
    }
    a->steps++;
    a->depth++;
    value v = value_by_kind(a, s, expr);
    a->depth--;
    if (!v.not_null && has_expr_fact(s, expr)) {
        v.not_null = true;
        v.reason = "a condition excludes NULL";
    }
    if (s->group.sets && group_role(a, s, expr) < 0) {
        v.not_null = false;
        v.reason = "NULL in the rows of some grouping sets";
    }
    return v;
}
