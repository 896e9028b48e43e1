/* From names to variables to values.
 *
 * Names resolve as on the server: the nearest query level that has the name wins, an ambiguous or
 * possibly hidden name resolves to nothing. A variable's value is its relation's claim, lowered by
 * the outer joins above its leaf, raised by what conditions exclude. One thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

/* After the first failure nothing more is allocated and the whole result is thrown away. */
void *analysis_new(analysis *a, size_t size)
{
    void *memory = a->failed ? NULL : arena_alloc(a->mem, size);
    a->failed = a->failed || memory == NULL;
    return memory;
}

void *analysis_array(analysis *a, size_t count, size_t size)
{
    void *memory = a->failed ? NULL : arena_array(a->mem, count > 0 ? count : 1, size);
    a->failed = a->failed || memory == NULL;
    return memory;
}

const char *analysis_text(analysis *a, const char *fmt, ...)
{
    char text[200];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *copy = len < 0 || a->failed ? NULL : arena_strdup(a->mem, text);
    a->failed = a->failed || copy == NULL;
    return copy != NULL ? copy : "out of memory";
}

value value_unknown(const char *reason)
{
    return (value) { .reason = reason };
}

/* CASE WHEN b.id IS NOT NULL THEN b.name END over a LEFT JOIN b: in this branch the row of b is a
 * real one, and b.name is as good as its table says.
 * A column between the two leaves has a value here: the join made up no row on that side. */
static bool side_is_real(const scope *s, size_t first, size_t end)
{
    for (const fact *f = s->facts; f != NULL; f = f->next) {
        if (f->leaf != NULL && f->leaf->number >= first && f->leaf->number < end) {
            return true;
        }
    }
    return false;
}

/* The join that may fill the leaf with NULLs; NULL: none.
 *
 *     a LEFT JOIN (b JOIN c ON …) ON …    rows of b and c may be made up by the LEFT join */
static const join *nulling_join(const scope *s, const leaf *l, const join *except)
{
    for (const join *j = s->joins; j != NULL; j = j->next) {
        bool left = l->number >= j->first && l->number < j->middle;
        bool right = l->number >= j->middle && l->number < j->end;
        bool nulls = (left && j->nulls_left && !side_is_real(s, j->first, j->middle)) ||
                     (right && j->nulls_right && !side_is_real(s, j->middle, j->end));
        if (nulls && j != except) {
            return j;
        }
    }
    return NULL;
}

bool leaf_nulled(const scope *s, const leaf *l)
{
    return nulling_join(s, l, NULL) != NULL;
}

bool scope_has_fact(const scope *s, const leaf *l, size_t index)
{
    for (const fact *f = s->facts; f != NULL; f = f->next) {
        if (f->leaf == l && f->index == index) {
            return true;
        }
    }
    return false;
}

/* Names the join by the side that may be missing. */
static const char *nulled_reason(analysis *a, const join *j, const leaf *l)
{
    const char *kind = j->type == 'l' ? "left" : j->type == 'r' ? "right" : "full";
    return analysis_text(a, "%s join of %s", kind, l->name != NULL ? l->name : "a sub-select");
}

/* A fact about the row that is looked at wins over the joins above: the row is then a real
 * one. */
static value leaf_value(analysis *a, const scope *s, const leaf *l, size_t index,
                        const join *except)
{
    assert(index < l->shape.count && l->number < s->leaf_count);
    const column *c = &l->shape.columns[index];
    value v = c->value;
    if (scope_has_fact(s, l, index)) {
        v.not_null = true;
        v.reason = analysis_text(a, "a condition excludes NULL in %s", c->name ? c->name : "it");
        return v;
    }
    if (c->refined && !v.not_null) {
        v.not_null = true;
        v.reason = analysis_text(a, "a condition excludes NULL in %s", c->name ? c->name : "it");
    }
    const join *nulling = nulling_join(s, l, except);
    if (nulling != NULL) {
        v.not_null = false;
        v.reason = nulled_reason(a, nulling, l);
    }
    return v;
}

/* FULL JOIN USING gives whichever side exists, so this join itself makes no NULL there. */
static value var_value(analysis *a, const scope *s, const var *v, const join *except)
{
    if (v->merged == NULL) {
        return leaf_value(a, s, v->leaf, v->index, except);
    }
    assert(v->left != NULL && v->right != NULL);
    if (v->merged->type != 'f') { /* the server takes one side's column */
        return var_value(a, s, v->merged->type == 'r' ? v->right : v->left, except);
    }
    value left = var_value(a, s, v->left, v->merged);
    value right = var_value(a, s, v->right, v->merged);
    if (left.not_null && !right.not_null) {
        left = right;
    }
    left.elems_not_null = left.elems_not_null && right.elems_not_null;
    return left;
}

value value_of_var(analysis *a, const scope *s, const var *v)
{
    return var_value(a, s, v, NULL);
}

typedef enum match { FOUND_NONE, FOUND_ONE, FOUND_UNSURE } match;

/* Two columns of one name: the server would call it ambiguous. */
static match find_in_vars(const var *vars, size_t count, const char *name, const var **out)
{
    match result = FOUND_NONE;
    for (size_t i = 0; i < count; i++) {
        if (vars[i].name != NULL && strcmp(vars[i].name, name) == 0) {
            if (result == FOUND_ONE) {
                return FOUND_UNSURE;
            }
            *out = &vars[i];
            result = FOUND_ONE;
        }
    }
    return result;
}

/* While FROM is being built the names of its earlier items count; afterwards the final list. */
static match find_column(const scope *s, const char *name, lookup *out)
{
    match result = FOUND_NONE;
    if (s->complete) {
        result = find_in_vars(s->vars, s->var_count, name, &out->var);
    } else {
        for (const item *i = s->items; i != NULL && result != FOUND_UNSURE; i = i->next) {
            match here =
                i->hidden ? FOUND_NONE : find_in_vars(i->vars, i->var_count, name, &out->var);
            result = here == FOUND_NONE ? result : result == FOUND_ONE ? FOUND_UNSURE : here;
        }
    }
    return result == FOUND_NONE && s->opaque ? FOUND_UNSURE : result;
}

/* Foreign tables and views have none that we can vouch for. */
static bool has_system_columns(const item *i)
{
    return i->leaf != NULL && i->leaf->relation != NULL &&
           strchr("rpm", i->leaf->relation->kind) != NULL;
}

/* A bare system column: certain when exactly one item has them. */
static bool find_system(const scope *s, const char *name, lookup *out)
{
    out->system_column = catalog_system_column(name);
    if (out->system_column == NULL) {
        return false;
    }
    size_t count = 0;
    for (const item *i = s->items; i != NULL; i = i->next) {
        if (!i->hidden && has_system_columns(i)) {
            out->item = i;
            count++;
        }
    }
    return count == 1;
}

/* The same alias twice in one FROM is an error, two schemas' tables of one name are not. */
static match find_item(const scope *s, const char *schema, const char *name, const item **out)
{
    match result = FOUND_NONE;
    for (const item *i = s->items; i != NULL; i = i->next) {
        bool same = !i->hidden && i->name != NULL && strcmp(i->name, name) == 0 &&
                    (schema == NULL || (i->schema != NULL && strcmp(i->schema, schema) == 0));
        if (same && result == FOUND_ONE) {
            return FOUND_UNSURE;
        }
        if (same) {
            *out = i;
            result = FOUND_ONE;
        }
    }
    return result;
}

const item *scope_find_item(const scope *s, const char *schema, const char *name)
{
    const item *i = NULL;
    return find_item(s, schema, name, &i) == FOUND_ONE ? i : NULL;
}

/* Level by level outwards. "Not sure" ends the search: the name may be hidden here.
 *
 *     SELECT (SELECT x) FROM t    finds x of t: the inner query has none */
static bool find_bare(const scope *s, const char *name, lookup *out)
{
    for (; s != NULL; s = s->parent) {
        match result = find_column(s, name, out);
        if (result == FOUND_NONE && find_system(s, name, out)) {
            result = FOUND_ONE;
            out->var = NULL;
        }
        if (result != FOUND_NONE) {
            out->scope = s;
            return result == FOUND_ONE;
        }
    }
    return false;
}

/* A name that is no column may be a row. */
static bool find_whole_row(const scope *s, const char *name, lookup *out)
{
    for (; s != NULL; s = s->parent) {
        match result = find_item(s, NULL, name, &out->item);
        if (result != FOUND_NONE) {
            out->scope = s;
            out->whole_row = true;
            return result == FOUND_ONE;
        }
    }
    return false;
}

/* The nearest item of the name hides those of outer queries, whether it has the column or not. */
static bool find_qualified(const scope *s, const char *schema, const char *table, const char *name,
                           lookup *out)
{
    for (; s != NULL; s = s->parent) {
        match result = find_item(s, schema, table, &out->item);
        if (result == FOUND_UNSURE) {
            return false;
        }
        if (result == FOUND_ONE) {
            out->scope = s;
            match inside = find_in_vars(out->item->vars, out->item->var_count, name, &out->var);
            if (inside == FOUND_NONE && has_system_columns(out->item)) {
                out->system_column = catalog_system_column(name);
                return out->system_column != NULL;
            }
            return inside == FOUND_ONE;
        }
    }
    return false;
}

/* One, two or three parts; a database name in front is not supported by the server either. */
bool scope_find(analysis *a, const scope *s, const ast *column_ref, lookup *out)
{
    (void) a;
    assert(ast_kind_of(column_ref) == AST_COLUMN_REF);
    *out = (lookup) { .scope = NULL };
    const ast *fields = ast_get(column_ref, "fields");
    size_t count = ast_count(fields);
    const char *names[3] = { NULL, NULL, NULL };
    for (size_t i = 0; i < count && i < 3; i++) {
        names[i] = ast_text(ast_nth(fields, i));
    }
    if (count == 1 && names[0] != NULL) {
        if (find_bare(s, names[0], out)) {
            return true;
        }
        bool unsure = out->scope != NULL;
        *out = (lookup) { .scope = NULL };
        return !unsure && find_whole_row(s, names[0], out);
    }
    if (count == 2 && names[0] != NULL && names[1] != NULL) {
        return find_qualified(s, NULL, names[0], names[1], out);
    }
    return count == 3 && names[0] != NULL && names[1] != NULL && names[2] != NULL &&
           find_qualified(s, names[0], names[1], names[2], out);
}

/* A row of a relation is a value of its own, NULL only where an outer join made it up. A function
 * that returns one column is no row: its name means the column's value. */
static value whole_row_value(analysis *a, const lookup *found)
{
    const item *i = found->item;
    if (i->leaf == NULL) {
        return value_unknown("row of a join");
    }
    if (leaf_nulled(found->scope, i->leaf)) {
        return value_unknown(analysis_text(a, "row of %s, which is outer joined", i->name));
    }
    if (i->leaf->relation == NULL) {
        return value_unknown(analysis_text(a, "row of %s", i->name));
    }
    return (value) { .not_null = true,
                     .type_oid = i->leaf->relation->type_oid,
                     .reason = analysis_text(a, "row of %s", i->name) };
}

value value_of_lookup(analysis *a, const lookup *found)
{
    assert(found->scope != NULL && (found->var != NULL || found->item != NULL));
    if (found->whole_row) {
        return whole_row_value(a, found);
    }
    if (found->system_column != NULL) {
        bool nulled = leaf_nulled(found->scope, found->item->leaf);
        return (value) { .not_null = !nulled,
                         .type_oid = found->system_column->type_oid,
                         .reason =
                             nulled ? "system column of an outer joined table" : "system column" };
    }
    return value_of_var(a, found->scope, found->var);
}
