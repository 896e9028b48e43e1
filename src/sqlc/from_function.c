/* Shapes of functions in FROM: names and NULLs of the columns that they give.
 *
 * All overloads that may be meant must agree on the columns, else the shape is not known. One
 * thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

static shape not_known(void)
{
    return (shape) { .known = false };
}

static shape one_column(analysis *a, const char *name, value v)
{
    column *c = analysis_new(a, sizeof *c);
    if (c == NULL) {
        return not_known();
    }
    *c = (column) { .name = name, .value = v };
    return (shape) { .known = true, .columns = c, .count = 1 };
}

/* Columns given in the text: f() AS t(a int, b text). */
static shape defined_columns(analysis *a, const ast *definitions)
{
    shape rows = { .known = true, .count = ast_count(definitions) };
    rows.columns = analysis_array(a, rows.count, sizeof *rows.columns);
    size_t i = 0;
    for (const ast *d = ast_first(definitions); d != NULL && rows.columns != NULL;
         d = ast_next(d)) {
        const catalog_type *type = type_of_name(a, ast_get(d, "typeName"));
        value v = value_unknown("column of a function");
        v.type_oid = type != NULL ? type->oid : 0;
        rows.columns[i++] = (column) { .name = ast_str(d, "colname"), .value = v };
    }
    return rows;
}

/* key is not NULL in …_each, value too unless it is text.
 *
 *     SELECT key, value FROM jsonb_each(d)        N, N  (a JSON null is a value)
 *     SELECT key, value FROM jsonb_each_text(d)   N, nullable */
static void claim_each(const char *function, column *c)
{
    bool each = strcmp(function, "json_each") == 0 || strcmp(function, "jsonb_each") == 0;
    bool text = strcmp(function, "json_each_text") == 0 || strcmp(function, "jsonb_each_text") == 0;
    bool key = c->name != NULL && strcmp(c->name, "key") == 0;
    if (each || (text && key)) {
        c->value.not_null = true;
        c->value.reason = "json_each() gives every row this value";
    }
}

/* OUT parameters and TABLE columns are the columns; a name may be missing, the column may not. */
static shape out_columns(analysis *a, const catalog_function *f, bool trusted)
{
    shape rows = { .known = true, .count = f->out_count };
    rows.columns = analysis_array(a, rows.count, sizeof *rows.columns);
    for (size_t i = 0; i < f->out_count && rows.columns != NULL; i++) {
        value v = value_unknown(analysis_text(a, "result of %s()", f->name));
        v.type_oid = f->out_oids[i];
        const char *name = f->out_names != NULL ? f->out_names[i] : NULL;
        rows.columns[i] =
            (column) { .name = name != NULL && name[0] != '\0' ? name : NULL, .value = v };
        if (trusted) {
            claim_each(f->name, &rows.columns[i]);
        }
    }
    return rows;
}

shape shape_of_row_type(analysis *a, const catalog_relation *relation, const char *reason)
{
    shape rows = { .known = true, .count = relation->column_count };
    rows.columns = analysis_array(a, rows.count, sizeof *rows.columns);
    for (size_t i = 0; i < rows.count && rows.columns != NULL; i++) {
        value v = value_unknown(reason);
        v.type_oid = relation->columns[i].type_oid;
        rows.columns[i] = (column) { .name = relation->columns[i].name, .value = v };
    }
    return rows;
}

/* Row types of tables and types made by CREATE TYPE both have a pg_class row. */
static const catalog_relation *row_relation(const analysis *a, uint32_t type_oid)
{
    const catalog_type *type = catalog_type_by_oid(a->cat, catalog_base_type(a->cat, type_oid));
    return type != NULL && type->kind == CATALOG_COMPOSITE
               ? catalog_relation_by_oid(a->cat, type->relation_oid)
               : NULL;
}

/* unnest(array): the elements.
 *
 *     unnest(ARRAY[1, 2]) -> N        unnest(tags) -> nullable */
static value unnest_value(analysis *a, const value *arg, uint32_t type)
{
    value v = { .type_oid = type, .not_null = arg->elems_not_null };
    v.reason = analysis_text(a, "element of an array: %s",
                             arg->elems_not_null ? "none is NULL" : "may be NULL");
    return v;
}

/* A strict function in FROM gives no row for NULL; a function that is no set gives one row
 * with its value. */
static shape scalar_column(analysis *a, scope *s, const ast *call, const candidates *found,
                           const char *name)
{
    const catalog_function *f = found->items[0];
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    call_arguments(a, s, call, &args, values);
    uint32_t type = candidates_result(a, found, &args);
    bool trusted = candidates_trusted(found);
    value v = value_unknown(analysis_text(a, "result of %s()", f->name));
    v.type_oid = type;
    if (trusted && strcmp(f->name, "unnest") == 0 && args.count == 1) {
        v = unnest_value(a, &values[0], type);
    } else if (trusted && f->returns_set && rule_rows_not_null(f->name, args.count)) {
        v.not_null = true;
        v.reason = analysis_text(a, "%s() gives every row a value", f->name);
    } else if (!f->returns_set) {
        v = value_of_call(a, s, call);
    }
    return one_column(a, name, v);
}

/* All candidates return rows of the same kind as the first one. */
static bool same_result(const candidates *found)
{
    for (size_t i = 1; i < found->count; i++) {
        const catalog_function *x = found->items[0], *y = found->items[i];
        if (x->out_count > 1 || y->out_count > 1 || x->returns_set != y->returns_set ||
            x->strict != y->strict) {
            return false;
        }
    }
    return found->count > 0 && !found->overflow;
}

/* Items of ARRAY[…]; 0: another expression, or rows of more dimensions. */
static size_t constructor_length(const ast *expr)
{
    const ast *items = ast_get(expr, "elements");
    bool flat = ast_kind_of(expr) == AST_A_ARRAY;
    for (const ast *i = ast_first(items); i != NULL; i = ast_next(i)) {
        flat = flat && ast_kind_of(i) == AST_A_CONST;
    }
    return flat ? ast_count(items) : 0;
}

/* unnest(a, b): one column per array, the short ones padded with NULL. Of constructors we see
 * which is the longest.
 *
 *     unnest(ARRAY[1, 2], ARRAY['a'])   N, nullable        unnest(tags, nums)   nullable */
static shape unnest_many(analysis *a, scope *s, const ast *arrays, size_t count)
{
    size_t longest = 0;
    bool seen = true;
    for (const ast *array = ast_first(arrays); array != NULL; array = ast_next(array)) {
        size_t length = constructor_length(array);
        seen = seen && length > 0;
        longest = length > longest ? length : longest;
    }
    const ast *array = ast_first(arrays);
    shape rows = { .known = true, .count = count };
    rows.columns = analysis_array(a, count, sizeof *rows.columns);
    for (size_t i = 0; i < count && rows.columns != NULL; i++) {
        rows.columns[i] =
            (column) { .name = "unnest",
                       .value = value_unknown("unnest() of several arrays pads the shorter ones") };
        if (seen && constructor_length(array) == longest) {
            value v = value_of_expr(a, s, array);
            rows.columns[i].value = unnest_value(a, &v, element_of(a, v.type_oid));
        }
        array = ast_next(array);
    }
    return rows;
}

/* A polymorphic result that the arguments did not settle. */
static bool may_be_rows(const analysis *a, const candidates *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const catalog_type *type = catalog_type_by_oid(a->cat, found->items[i]->result_oid);
        if (type == NULL || type->kind == CATALOG_PSEUDO) {
            return true;
        }
    }
    return false;
}

/* Columns of the function, columns of its type; not known for one that gives no row. */
static shape rows_of_function(analysis *a, const candidates *found, uint32_t type)
{
    const catalog_function *f = found->items[0];
    if (f->out_count > 1 || (f->out_count == 1 && f->result_oid == OID_RECORD)) {
        return out_columns(a, f, candidates_trusted(found));
    }
    const catalog_relation *relation = row_relation(a, type);
    return relation != NULL
               ? shape_of_row_type(a, relation, analysis_text(a, "result of %s()", f->name))
               : not_known();
}

/* In a select list rows of several sets are padded, so no value is certain there. */
shape shape_of_call_row(analysis *a, const scope *s, const ast *call)
{
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    candidates found;
    call_arguments(a, s, call, &args, values);
    resolve_function(a, ast_get(call, "funcname"), &args, &found);
    if (found.count == 0 || !same_result(&found)) {
        return not_known();
    }
    shape rows = rows_of_function(a, &found, candidates_result(a, &found, &args));
    for (size_t i = 0; i < rows.count; i++) {
        rows.columns[i].value.not_null = false;
        rows.columns[i].value.reason = "field of a function's result";
    }
    return rows;
}

/* In the order of certainty: columns in the text, columns of the function, columns of its
 * type. */
static shape shape_of_call(analysis *a, scope *s, const ast *call, const ast *definitions,
                           const char *alias)
{
    if (ast_count(definitions) > 0) {
        return defined_columns(a, definitions);
    }
    if (ast_kind_of(call) != AST_FUNC_CALL) {
        const char *name = alias != NULL ? alias : name_of_expr(a, s, call);
        return name != NULL ? one_column(a, name, value_of_expr(a, s, call)) : not_known();
    }
    call_args args;
    value values[RESOLVE_ARGS_MAX];
    call_arguments(a, s, call, &args, values);
    const char *function = last_name(ast_get(call, "funcname"));
    if (args.count > 1 && function != NULL && strcmp(function, "unnest") == 0) {
        return unnest_many(a, s, ast_get(call, "args"), args.count);
    }
    candidates found;
    resolve_function(a, ast_get(call, "funcname"), &args, &found);
    if (found.count == 0 || !same_result(&found)) {
        return not_known();
    }
    const catalog_function *f = found.items[0];
    uint32_t type = candidates_result(a, &found, &args);
    shape rows = rows_of_function(a, &found, type);
    if (rows.known) {
        return rows;
    }
    if (type == OID_RECORD || (type == 0 && may_be_rows(a, &found))) {
        return not_known(); /* rows whose columns the call decides */
    }
    /* The name of a single OUT parameter wins over the alias. */
    const char *out_name = f->out_count == 1 && f->out_names != NULL ? f->out_names[0] : NULL;
    if (out_name == NULL || out_name[0] == '\0') {
        out_name = alias != NULL ? alias : function;
    }
    return scalar_column(a, s, call, &found, out_name);
}

/* WITH ORDINALITY and ROWS FROM put columns beside each other. */
static shape append_columns(analysis *a, shape left, shape right)
{
    shape both = { .known = left.known && right.known, .count = left.count + right.count };
    both.columns = analysis_array(a, both.count, sizeof *both.columns);
    if (both.columns == NULL) {
        return not_known();
    }
    if (left.count > 0) {
        memcpy(both.columns, left.columns, left.count * sizeof *both.columns);
    }
    if (right.count > 0) {
        memcpy(both.columns + left.count, right.columns, right.count * sizeof *both.columns);
    }
    return both;
}

/* With several functions the shorter ones are padded with NULL. */
shape shape_of_function(analysis *a, scope *s, const ast *range_function)
{
    const ast *functions = ast_get(range_function, "functions");
    size_t count = ast_count(functions);
    const char *alias = count == 1 ? ast_str(ast_get(range_function, "alias"), "aliasname") : NULL;
    shape rows = { .known = true };
    for (const ast *f = ast_first(functions); f != NULL; f = ast_next(f)) {
        const ast *definitions = ast_nth(f, 1);
        if (ast_count(definitions) == 0) {
            definitions = ast_get(range_function, "coldeflist");
        }
        shape one = shape_of_call(a, s, ast_first(f), definitions, alias);
        rows = count == 1 ? one : append_columns(a, rows, one);
    }
    for (size_t i = 0; count > 1 && i < rows.count; i++) {
        rows.columns[i].value.not_null = false;
        rows.columns[i].value.reason = "ROWS FROM pads the shorter functions";
    }
    if (ast_flag(range_function, "ordinality")) {
        value v = { .not_null = true, .type_oid = OID_INT8, .reason = "row number" };
        shape number = one_column(a, "ordinality", v);
        rows = append_columns(a, rows, number);
    }
    return rows;
}
