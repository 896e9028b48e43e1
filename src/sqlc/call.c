/* Value of a function call: plain functions, aggregates, window functions.
 *
 * Every overload that may be meant has to agree. An aggregate of an outer query that stands in a
 * sub-select is judged as nothing is known. One thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

/* frameOptions of a window. Source: PostgreSQL's node definitions, kept by libpg_query. */
enum frame_option {
    FRAME_START_UNBOUNDED = 0x20,
    FRAME_END_UNBOUNDED = 0x100,
    FRAME_START_CURRENT = 0x200,
    FRAME_END_CURRENT = 0x400,
    FRAME_START_PRECEDING = 0x800,
    FRAME_END_FOLLOWING = 0x4000,
    FRAME_EXCLUDE_CURRENT = 0x8000,
    FRAME_EXCLUDE_GROUP = 0x10000
};
#define FRAME_DEFAULT (FRAME_START_UNBOUNDED | FRAME_END_CURRENT)

/* Evaluated once and handed around: values decide NULL, types decide the overload. */
void call_arguments(analysis *a, const scope *s, const ast *call, call_args *args, value *values)
{
    *args = (call_args) { .variadic = ast_flag(call, "func_variadic") };
    for (size_t i = 0; i < RESOLVE_ARGS_MAX; i++) {
        values[i] = value_unknown("no such argument");
    }
    for (const ast *arg = ast_first(ast_get(call, "args")); arg != NULL; arg = ast_next(arg)) {
        args->named = args->named || ast_kind_of(arg) == AST_NAMED_ARG;
        if (args->count < RESOLVE_ARGS_MAX) {
            values[args->count] = value_of_expr(a, s, arg);
            args->types[args->count] = values[args->count].type_oid;
        }
        args->count++;
    }
}

/* By name and argument count only, because GROUP BY has to know before types are known; a name
 * that is an aggregate and something else is neither for certain. */
bool call_is_aggregate(const analysis *a, const ast *call)
{
    call_args args = { .count = ast_count(ast_get(call, "args")), .named = true };
    bool within = ast_flag(call, "agg_within_group");
    args.count += within ? ast_count(ast_get(call, "agg_order")) : 0;
    candidates found;
    resolve_function(a, ast_get(call, "funcname"), &args, &found);
    return candidates_kind(&found, 'a');
}

/* Column references inside: any at all, any of this query level. */
typedef struct reach {
    bool any, local;
} reach;

/* Walks the arguments of one aggregate; stops at what has scopes of its own. */
static void find_reach(analysis *a, const scope *s, const ast *node, reach *out)
{
    if (ast_kind_of(node) == AST_COLUMN_REF) {
        lookup found;
        out->any = true;
        out->local =
            out->local || (scope_find(a, s, node, &found) && found.scope->items == s->items);
        return;
    }
    if (ast_kind_of(node) == AST_SUB_LINK) { /* its names are its own matter */
        out->any = true;
        return;
    }
    for (const ast *i = node != NULL ? ast_first(node) : NULL; i != NULL; i = ast_next(i)) {
        find_reach(a, s, i, out);
    }
}

/* An aggregate belongs to the query whose columns it is over. */
static bool is_local(analysis *a, const scope *s, const ast *call)
{
    reach r = { false, false };
    find_reach(a, s, ast_get(call, "args"), &r);
    find_reach(a, s, ast_get(call, "agg_order"), &r);
    return !r.any || r.local;
}

/* Sub-selects have aggregates of their own; the test expression before IN is still ours. */
bool has_aggregate(analysis *a, const scope *s, const ast *node)
{
    ast_kind kind = ast_kind_of(node);
    if (kind == AST_SUB_LINK) {
        return has_aggregate(a, s, ast_get(node, "testexpr"));
    }
    if (kind == AST_SELECT || node == NULL) {
        return false;
    }
    if (kind == AST_FUNC_CALL && ast_get(node, "over") == NULL && call_is_aggregate(a, node) &&
        (s == NULL || is_local(a, s, node))) {
        return true;
    }
    for (const ast *i = ast_first(node); i != NULL; i = ast_next(i)) {
        if (has_aggregate(a, s, i)) {
            return true;
        }
    }
    return false;
}

/* A function that we do not know may return a set; that is the careful answer here. */
static size_t returns_set(const analysis *a, const ast *call)
{
    call_args args = { .count = ast_count(ast_get(call, "args")), .named = true };
    candidates found;
    resolve_function(a, ast_get(call, "funcname"), &args, &found);
    for (size_t i = 0; i < found.count; i++) {
        if (found.items[i]->returns_set) {
            return 1;
        }
    }
    bool known = found.count > 0 && !found.overflow;
    return known || call_is_aggregate(a, call) ? 0 : 1;
}

size_t count_set_returning(const analysis *a, const ast *node)
{
    ast_kind kind = ast_kind_of(node);
    if (kind == AST_SUB_LINK || kind == AST_SELECT || node == NULL) {
        return 0;
    }
    size_t count = kind == AST_FUNC_CALL ? returns_set(a, node) : 0;
    for (const ast *i = ast_first(node); i != NULL && count < 2; i = ast_next(i)) {
        count += count_set_returning(a, i);
    }
    return count;
}

/* The rule of strict functions: one NULL argument makes the result NULL. The first such
 * argument is the reason that people read. More arguments than we keep are not vouched for. */
static value all_not_null(const value *values, size_t count, value v)
{
    for (size_t i = 0; i < count && i < RESOLVE_ARGS_MAX; i++) {
        if (!values[i].not_null) {
            v.not_null = false;
            v.reason = values[i].reason;
            return v;
        }
    }
    v.not_null = count <= RESOLVE_ARGS_MAX;
    return v;
}

/* --- aggregates --- */

/* The conditions in the order in which they explain most: what the function is, whose query it
 * belongs to, whether a group can be empty, whether FILTER may drop all rows.
 * count(*) of no rows is 0, sum(x) of no rows is NULL. GROUP BY makes no group without a row, so
 * there sum(x) has a value as soon as x has one in every row. FILTER takes rows out of the group
 * again.
 *
 *     SELECT sum(n) FROM t              -> nullable: no rows
 *     SELECT sum(n) FROM t GROUP BY k   -> N when n is
 *     SELECT stddev(n) … GROUP BY k     -> nullable: one row has none */
static value aggregate_result(analysis *a, const scope *s, const ast *call, const char *name,
                              value v)
{
    aggregate_rule rule = rule_of_aggregate(name);
    if (rule == AGGREGATE_ALWAYS) {
        v.not_null = true;
        v.reason = analysis_text(a, "%s() never gives NULL", name);
        return v;
    }
    if (rule == AGGREGATE_NEVER) {
        v.reason = analysis_text(a, "%s() may give NULL", name);
    } else if (!is_local(a, s, call)) {
        v.reason = analysis_text(a, "%s() belongs to an outer query", name);
    } else if (!s->group.never_empty) {
        v.reason = analysis_text(a, "%s() of no rows is NULL", name);
    } else if (ast_get(call, "agg_filter") != NULL) {
        v.reason = analysis_text(a, "%s() with FILTER may see no row", name);
    } else {
        v.not_null = true;
        v.reason = analysis_text(a, "%s() of a group that is not empty", name);
    }
    return v;
}

/* Arguments are looked at row by row: neither grouping sets nor a CASE branch around the call
 * reach them, but FILTER does, so array_agg(x) FILTER (WHERE x IS NOT NULL) has no NULL
 * elements. */
static value value_of_aggregate(analysis *a, const scope *s, const ast *call, const char *name)
{
    scope rows = *s; /* arguments are values of rows, not of groups */
    rows.group.sets = false;
    rows.facts = s->base_facts;
    rows.facts = facts_when_true(a, &rows, ast_get(call, "agg_filter"), s->base_facts);
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    call_arguments(a, &rows, call, &args, values);
    size_t direct = args.count;
    if (ast_flag(call, "agg_within_group")) {
        for (const ast *o = ast_first(ast_get(call, "agg_order")); o != NULL; o = ast_next(o)) {
            if (args.count < RESOLVE_ARGS_MAX) {
                values[args.count] = value_of_expr(a, &rows, ast_get(o, "node"));
                args.types[args.count] = values[args.count].type_oid;
            }
            args.count++;
        }
    }
    candidates found;
    resolve_function(a, ast_get(call, "funcname"), &args, &found);
    value v = value_unknown(analysis_text(a, "%s() is not known", name));
    v.type_oid = candidates_result(a, &found, &args);
    if (!candidates_trusted(&found) || !candidates_kind(&found, 'a')) {
        return v;
    }
    bool array = strcmp(name, "array_agg") == 0 && args.count == 1;
    v = aggregate_result(a, s, call, name, v);
    if (v.not_null && rule_of_aggregate(name) == AGGREGATE_STRICT) {
        value strict = all_not_null(values, args.count, v);
        v = strict;
    }
    v.elems_not_null = array && direct == 1 && values[0].not_null && values[0].type_oid != 0 &&
                       element_of(a, values[0].type_oid) == 0;
    return v;
}

/* --- window functions --- */

/* OVER name means the window of that name in the WINDOW clause. */
static const ast *find_window(const scope *s, const char *name)
{
    const ast *windows = ast_get(s->statement, "windowClause");
    for (const ast *w = ast_first(windows); w != NULL && name != NULL; w = ast_next(w)) {
        if (ast_is(w, "name", name)) {
            return w;
        }
    }
    return NULL;
}

/* A frame with the current row in it is never empty, and the current row's value is among its
 * values; a window that builds on another one has its own frame options. */
static bool frame_has_current_row(const scope *s, const ast *over)
{
    const char *name = ast_str(over, "name");
    const ast *window = name != NULL ? find_window(s, name) : over;
    if (window == NULL) {
        return false;
    }
    int64_t frame = ast_int(window, "frameOptions", FRAME_DEFAULT);
    bool start =
        (frame & (FRAME_START_UNBOUNDED | FRAME_START_CURRENT | FRAME_START_PRECEDING)) != 0;
    bool end = (frame & (FRAME_END_UNBOUNDED | FRAME_END_CURRENT | FRAME_END_FOLLOWING)) != 0;
    return start && end && (frame & (FRAME_EXCLUDE_CURRENT | FRAME_EXCLUDE_GROUP)) == 0;
}

static bool is_any_name(const char *name, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* lag() and lead() leave the partition at its ends: only a default that is not NULL saves
 * them.
 *
 *     row_number() OVER ()              -> N
 *     lag(n) OVER ()                    -> nullable: the first row has none before it
 *     lag(n, 1, 0) OVER ()              -> N when n is
 *     sum(n) OVER (ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) -> nullable: an empty frame */
static value window_result(analysis *a, const scope *s, const ast *call, const char *name, value v)
{
    static const char *const always[] = { "row_number", "rank",  "dense_rank", "percent_rank",
                                          "cume_dist",  "count", "regr_count" };
    static const char *const frames[] = { "first_value", "last_value" };
    bool aggregate =
        rule_of_aggregate(name) == AGGREGATE_STRICT || rule_of_aggregate(name) == AGGREGATE_ANY;
    if (is_any_name(name, always, ARRAY_LEN(always))) {
        v.not_null = true;
        v.reason = analysis_text(a, "%s() never gives NULL", name);
        return v;
    }
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    call_arguments(a, s, call, &args, values);
    v.reason = analysis_text(a, "window function %s() of values", name);
    bool shifts = strcmp(name, "lag") == 0 || strcmp(name, "lead") == 0;
    if (strcmp(name, "ntile") == 0 || (shifts && args.count == 3)) {
        return all_not_null(values, args.count, v);
    }
    if ((aggregate || is_any_name(name, frames, ARRAY_LEN(frames))) &&
        frame_has_current_row(s, ast_get(call, "over")) && ast_get(call, "agg_filter") == NULL) {
        return all_not_null(values, args.count, v);
    }
    v.reason = analysis_text(a, "window function %s() may give NULL", name);
    return v;
}

/* Overloads are resolved as for any call; only then the name tells the rule. */
static value value_of_window(analysis *a, const scope *s, const ast *call, const char *name)
{
    scope any_row = *s; /* lag() and first_value() look at rows that a CASE branch did not test */
    any_row.facts = s->base_facts;
    s = &any_row;
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    call_arguments(a, s, call, &args, values);
    candidates found;
    resolve_function(a, ast_get(call, "funcname"), &args, &found);
    value v = value_unknown(analysis_text(a, "%s() is not known", name));
    v.type_oid = candidates_result(a, &found, &args);
    return candidates_trusted(&found) ? window_result(a, s, call, name, v) : v;
}

/* --- plain functions --- */

/* Fields of a date that infinity has too. Source: PostgreSQL manual, "EXTRACT, date_part".
 *
 *     extract(year FROM 'infinity'::timestamp) = Infinity,  extract(hour FROM …) is NULL */
static bool field_of_infinity(const ast *call)
{
    static const char *const fields[] = { "century", "decade",     "epoch", "isoyear",
                                          "julian",  "millennium", "year" };
    const ast *field = ast_first(ast_get(call, "args"));
    const char *text = ast_str(ast_get(field, "sval"), "sval");
    return ast_kind_of(field) == AST_A_CONST && text != NULL &&
           is_any_name(text, fields, ARRAY_LEN(fields));
}

static bool is_date_part(const char *name)
{
    return strcmp(name, "date_part") == 0 || strcmp(name, "extract") == 0;
}

/* Its NULL stands for an error that the fourth argument, silent, holds back. */
static bool raises_errors(const char *name, const call_args *args)
{
    bool exists =
        strcmp(name, "jsonb_path_exists") == 0 || strcmp(name, "jsonb_path_exists_tz") == 0;
    return exists && args->count <= 3 && !args->named;
}

/* VARIADIC array makes the array itself an argument, and NULL there makes the result NULL even
 * for functions that otherwise cope with NULL. */
static value apply_rule(function_rule rule, const value *values, const call_args *args, value v)
{
    if (rule == RULE_NEVER) {
        return v;
    }
    if (rule == RULE_STRICT || args->variadic) {
        return all_not_null(values, args->count, v);
    }
    if (rule == RULE_FIRST || rule == RULE_FIRST_TWO) {
        return all_not_null(values, rule == RULE_FIRST ? 1 : 2, v);
    }
    v.not_null = rule == RULE_ALWAYS;
    for (size_t i = 0; rule == RULE_ANY && i < args->count && i < RESOLVE_ARGS_MAX; i++) {
        v.not_null = v.not_null || values[i].not_null;
    }
    return v;
}

/* Functions whose arrays have no NULL elements.
 *
 *     string_to_array(s, ',')        no NULL element
 *     string_to_array(s, ',', 'x')   'x' becomes NULL */
static bool result_elements(const char *name, const value *values, const call_args *args)
{
    static const char *const always[] = { "array_positions", "current_schemas",
                                          "parse_ident",     "regexp_split_to_array",
                                          "show_trgm",       "tsvector_to_array" };
    if (is_any_name(name, always, ARRAY_LEN(always))) {
        return true;
    }
    if (strcmp(name, "string_to_array") == 0) {
        return args->count == 2;
    }
    if (strcmp(name, "array_append") == 0 || strcmp(name, "array_prepend") == 0) {
        size_t array = name[6] == 'a' ? 0 : 1;
        return args->count == 2 && values[array].elems_not_null && values[1 - array].not_null;
    }
    if (strcmp(name, "array_cat") == 0) {
        return args->count == 2 && values[0].elems_not_null && values[1].elems_not_null;
    }
    return (strcmp(name, "array_remove") == 0 || strcmp(name, "trim_array") == 0) &&
           values[0].elems_not_null;
}

/* array_remove(x, NULL): what is left has values. */
static bool removes_null(const char *name, const ast *call)
{
    const ast *second = ast_nth(ast_get(call, "args"), 1);
    return strcmp(name, "array_remove") == 0 && ast_kind_of(second) == AST_A_CONST &&
           ast_flag(second, "isnull");
}

/* The only set-returning call of a target list: one row per item. */
static value value_of_set(analysis *a, const char *name, const value *first, const call_args *args,
                          value v)
{
    bool elements = strcmp(name, "unnest") == 0 && args->count == 1 && first->elems_not_null;
    if (elements || rule_rows_not_null(name, args->count)) {
        v.not_null = true;
        v.reason = analysis_text(a, "%s() gives every row a value", name);
    }
    return v;
}

/* Every overload left by the resolver has to keep the promise; the first that does not is the
 * answer.
 * The overloads that are left may differ: lower(text) is strict, lower(anyrange) gives NULL for an
 * empty range. When the argument's type is known only one of them is left. */
static value value_of_function(analysis *a, const scope *s, const ast *call, const char *name)
{
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    candidates found;
    call_arguments(a, s, call, &args, values);
    resolve_function(a, ast_get(call, "funcname"), &args, &found);
    value v = value_unknown(analysis_text(a, "%s() may give NULL", name));
    v.type_oid = candidates_result(a, &found, &args);
    if (!candidates_trusted(&found) || !candidates_kind(&found, 'f')) {
        return v;
    }
    if (s->single_set && found.items[0]->returns_set) {
        return value_of_set(a, name, &values[0], &args, v);
    }
    value result = v;
    for (size_t i = 0; i < found.count; i++) {
        const catalog_function *f = found.items[i];
        function_rule rule = rule_of_function(f);
        if (is_date_part(f->name) && field_of_infinity(call) && f->strict) {
            rule = RULE_STRICT;
        }
        if (raises_errors(f->name, &args) && f->strict) {
            rule = RULE_STRICT;
        }
        value one = apply_rule(rule, values, &args, v);
        if (!one.not_null) {
            result = one;
            break;
        }
        result = one;
        result.reason = analysis_text(a, "%s() of values", name);
    }
    result.elems_not_null = result_elements(name, values, &args) || removes_null(name, call);
    return result;
}

/* What is called decides; an aggregate with OVER is a window function. */
value value_of_call(analysis *a, const scope *s, const ast *call)
{
    const char *name = last_name(ast_get(call, "funcname"));
    if (name == NULL) {
        return value_unknown("function");
    }
    if (ast_get(call, "over") != NULL) {
        return value_of_window(a, s, call, name);
    }
    return call_is_aggregate(a, call) ? value_of_aggregate(a, s, call, name)
                                      : value_of_function(a, s, call, name);
}
