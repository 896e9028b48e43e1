/* Fields of composite values: x.y, x[1].y and what (x).* stands for.
 *
 * A row of FROM keeps what is known of its columns; every other value of a row type may have NULL
 * in any field, because the server checks nothing there. One thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

static shape not_known(void)
{
    return (shape) { .known = false };
}

/* Fields of a value of that type. A domain over a row type has those of the type. */
static shape fields_of_type(analysis *a, uint32_t type_oid)
{
    const catalog_type *type = catalog_type_by_oid(a->cat, catalog_base_type(a->cat, type_oid));
    const catalog_relation *relation =
        type != NULL ? catalog_relation_by_oid(a->cat, type->relation_oid) : NULL;
    return relation != NULL ? shape_of_row_type(a, relation, "field of a row") : not_known();
}

/* A row of FROM: its columns as this query shows them. */
static shape fields_of_item(analysis *a, const lookup *found)
{
    shape rows = { .known = found->item->known, .count = found->item->var_count };
    rows.columns = analysis_array(a, rows.count, sizeof *rows.columns);
    for (size_t i = 0; i < rows.count && rows.columns != NULL; i++) {
        rows.columns[i] = column_of_var(a, found->scope, &found->item->vars[i]);
    }
    return rows.columns != NULL ? rows : not_known();
}

/* ROW(a, b): f1, f2. What a star in it gives is left to the server. */
static shape fields_of_row(analysis *a, const scope *s, const ast *row)
{
    const ast *args = ast_get(row, "args");
    shape rows = { .known = true, .count = ast_count(args) };
    rows.columns = analysis_array(a, rows.count, sizeof *rows.columns);
    size_t i = 0;
    for (const ast *arg = ast_first(args); arg != NULL && rows.columns != NULL;
         arg = ast_next(arg), i++) {
        if (is_any_star(arg)) {
            return not_known();
        }
        rows.columns[i] =
            (column) { .name = analysis_text(a, "f%zu", i + 1), .value = value_of_expr(a, s, arg) };
    }
    return rows;
}

/* A value of a row type, without steps behind it. */
static shape fields_of_value(analysis *a, const scope *s, const ast *expr)
{
    lookup found;
    ast_kind kind = ast_kind_of(expr);
    if (kind == AST_COLUMN_REF && scope_find(a, s, expr, &found) && found.whole_row) {
        return fields_of_item(a, &found);
    }
    if (kind == AST_ROW) {
        return fields_of_row(a, s, expr);
    }
    shape rows = kind == AST_FUNC_CALL ? shape_of_call_row(a, s, expr) : not_known();
    return rows.known ? rows : fields_of_type(a, value_of_expr(a, s, expr).type_oid);
}

/* Subscripts that stand beside each other are one access. The element's type does not depend on
 * their number; an access with a slice in it gives an array.
 *
 *     x[1], x[1][2] -> element      x[1:2], x[1][2:3] -> array */
static value value_of_subscripts(analysis *a, const scope *s, value array, const ast *first,
                                 const ast *end)
{
    uint32_t element = element_of(a, array.type_oid);
    bool sliced = false;
    value v = array;
    if (element == 0) {
        return value_unknown("element of a value");
    }
    for (const ast *step = first; step != end; step = ast_next(step)) {
        const ast *bounds[2] = { ast_get(step, "lidx"), ast_get(step, "uidx") };
        sliced = sliced || ast_flag(step, "is_slice");
        for (size_t i = 0; i < 2; i++) {
            v.not_null =
                v.not_null && (bounds[i] == NULL || value_of_expr(a, s, bounds[i]).not_null);
        }
    }
    if (!sliced) {
        v = value_unknown("element of an array");
        v.type_oid = element;
        return v;
    }
    v.reason = v.not_null ? "slice of an array" : "slice of an array that may be NULL";
    return v;
}

static value field_named(shape fields, const char *name)
{
    value v = value_unknown("field or element of a value");
    size_t found = 0;
    for (size_t i = 0; fields.known && i < fields.count; i++) {
        const column *c = &fields.columns[i];
        if (c->name != NULL && strcmp(c->name, name) == 0) {
            v = c->value;
            found++;
        }
    }
    return found == 1 ? v : value_unknown("field or element of a value");
}

/* The value that the steps [first, end) lead to, and its fields when it has some. */
static value walk_steps(analysis *a, const scope *s, const ast *expr, const ast *end, shape *fields)
{
    const ast *arg = ast_get(expr, "arg");
    const ast *step = ast_first(ast_get(expr, "indirection"));
    value v = value_unknown("value");
    *fields = not_known();
    if (step == end || ast_text(step) != NULL) {
        *fields = fields_of_value(a, s, arg);
    } else {
        v = value_of_expr(a, s, arg);
    }
    while (step != end) {
        const ast *next = ast_next(step);
        if (ast_text(step) != NULL) {
            v = field_named(*fields, ast_text(step));
        } else if (ast_kind_of(step) == AST_A_INDICES) {
            while (next != end && ast_kind_of(next) == AST_A_INDICES) {
                next = ast_next(next);
            }
            v = value_of_subscripts(a, s, v, step, next);
        } else {
            return value_unknown("star");
        }
        *fields = fields_of_type(a, v.type_oid);
        step = next;
    }
    return v;
}

value value_of_indirection(analysis *a, const scope *s, const ast *expr)
{
    shape fields;
    return walk_steps(a, s, expr, NULL, &fields);
}

shape shape_of_fields(analysis *a, const scope *s, const ast *expr)
{
    shape fields;
    assert(is_field_star(expr));
    (void) walk_steps(a, s, expr, ast_last(ast_get(expr, "indirection")), &fields);
    return fields;
}

/* (value).*, which the grammar gives another node than t.* */
bool is_field_star(const ast *expr)
{
    return ast_kind_of(expr) == AST_A_INDIRECTION &&
           ast_kind_of(ast_last(ast_get(expr, "indirection"))) == AST_A_STAR;
}

bool is_any_star(const ast *expr)
{
    return is_field_star(expr) || is_star(expr);
}
