/* Build the scope of a FROM clause: leaves, joins, items and what `*` means.
 *
 * Items are added from left to right, so that LATERAL sub-selects find the ones before them. A join
 * covers the leaves that its two sides added. Shapes of leaves are copies: what conditions say
 * about one use of a table says nothing about another use. One thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

/* What a part of FROM adds: its variables in the order of `*`, and its leaves. */
typedef struct part {
    var *vars;
    size_t count;
    size_t first, end;
} part;

static part build(analysis *a, scope *s, const ast *node);

/* Each use of a relation has claims of its own. */
static column *copy_columns(analysis *a, const shape *source)
{
    column *copy = analysis_array(a, source->count, sizeof *copy);
    if (copy != NULL && source->count > 0) {
        memcpy(copy, source->columns, source->count * sizeof *copy);
    }
    return copy;
}

/* Newest first in the list; the number tells the place in FROM. */
static leaf *add_leaf(analysis *a, scope *s, const char *name, const shape *source)
{
    leaf *l = analysis_new(a, sizeof *l);
    column *columns = copy_columns(a, source);
    if (l == NULL || columns == NULL) {
        return NULL;
    }
    l->name = name;
    l->shape = (shape) { .known = source->known,
                         .one_row = source->one_row,
                         .columns = columns,
                         .count = source->count };
    l->number = s->leaf_count++;
    l->next = s->leaves;
    s->leaves = l;
    return l;
}

/* In the order of FROM, which is the order of `*`. */
static item *add_item(analysis *a, scope *s, const char *name, bool known)
{
    item *i = analysis_new(a, sizeof *i);
    if (i == NULL) {
        return NULL;
    }
    i->name = name;
    i->known = known;
    s->opaque = s->opaque || !known;
    item **tail = &s->items;
    while (*tail != NULL) {
        tail = &(*tail)->next;
    }
    *tail = i;
    return i;
}

/* An alias' column names replace the first ones. */
static void rename_columns(const ast *names, var *vars, size_t count)
{
    size_t i = 0;
    for (const ast *name = ast_first(names); name != NULL && i < count; name = ast_next(name)) {
        vars[i++].name = ast_text(name);
    }
}

/* An item's variables are its leaf's columns under the alias' names. */
static void set_item_vars(analysis *a, item *i, leaf *l, const ast *alias)
{
    i->leaf = l;
    i->vars = analysis_array(a, l->shape.count, sizeof *i->vars);
    if (i->vars == NULL) {
        return;
    }
    i->var_count = l->shape.count;
    for (size_t c = 0; c < l->shape.count; c++) {
        i->vars[c] = (var) { .name = l->shape.columns[c].name, .leaf = l, .index = c, .owner = i };
    }
    rename_columns(ast_get(alias, "colnames"), i->vars, i->var_count);
}

/* One leaf with one item. */
static part add_relation(analysis *a, scope *s, const char *name, const ast *alias,
                         const shape *source)
{
    part p = { .first = s->leaf_count, .end = s->leaf_count + 1 };
    leaf *l = add_leaf(a, s, name, source);
    item *i = l != NULL ? add_item(a, s, name, source->known) : NULL;
    if (i == NULL) {
        return (part) { .vars = NULL };
    }
    set_item_vars(a, i, l, alias);
    p.vars = i->vars;
    p.count = i->var_count;
    return p;
}

/* A NOT NULL domain is no proof: an empty scalar sub-select gets NULL past it. */
static value value_of_column(analysis *a, const catalog_relation *relation, const catalog_column *c)
{
    value v = { .not_null = c->not_null, .type_oid = c->type_oid };
    const char *says =
        c->overridden
            ? (c->not_null ? "is never NULL: says the config" : "is nullable: says the config")
        : c->not_null        ? "is NOT NULL"
        : c->domain_not_null ? "is nullable: the server does not always enforce a NOT NULL domain"
                             : "is nullable";
    v.reason = analysis_text(a, "%s.%s %s", relation->name, c->name, says);
    return v;
}

typedef struct view_memo {
    uint32_t oid;
    shape shape;
    struct view_memo *next;
} view_memo;

/* Raise the columns of a view by the claims of its definition. */
static void claim_view(analysis *a, const catalog_relation *relation, shape *view)
{
    const ast *statement = NULL;
    slice text = { relation->view_sql, strlen(relation->view_sql) };
    pgc_status status = ast_parse(text, a->mem, &statement, NULL);
    a->failed = a->failed || status == PGC_NOMEM;
    if (status != PGC_OK) {
        return;
    }
    a->view_depth++;
    shape body = shape_of_statement(a, NULL, NULL, statement);
    assert(a->view_depth > 0);
    a->view_depth--;
    for (size_t i = 0; body.known && body.count == view->count && i < view->count; i++) {
        value *v = &view->columns[i].value;
        if (i < relation->column_count && relation->columns[i].overridden) {
            continue;
        }
        v->not_null = body.columns[i].value.not_null;
        v->elems_not_null = body.columns[i].value.elems_not_null;
        v->reason = analysis_text(a, "view %s: %s", relation->name, body.columns[i].value.reason);
    }
}

/* A view's definition is looked at once per statement. */
static shape shape_of_view(analysis *a, const catalog_relation *relation, shape plain)
{
    for (view_memo *m = a->views; m != NULL; m = m->next) {
        if (m->oid == relation->oid) {
            return m->shape;
        }
    }
    view_memo *memo = analysis_new(a, sizeof *memo);
    if (memo == NULL) {
        return plain;
    }
    *memo = (view_memo) { relation->oid, plain, a->views };
    a->views = memo; /* first, so that a definition that names itself ends */
    if (a->view_depth < ANALYSE_DEPTH_MAX) {
        claim_view(a, relation, &memo->shape);
    }
    return memo->shape;
}

/* The server's facts, and for views what their definition proves. */
shape shape_of_relation(analysis *a, const catalog_relation *relation)
{
    column *columns = analysis_array(a, relation->column_count, sizeof *columns);
    if (columns == NULL) {
        return (shape) { .known = false };
    }
    for (size_t i = 0; i < relation->column_count; i++) {
        const catalog_column *c = &relation->columns[i];
        columns[i] = (column) { .name = c->name,
                                .value = value_of_column(a, relation, c),
                                .table_oid = relation->oid,
                                .attnum = c->attnum };
    }
    shape plain = { .known = true, .columns = columns, .count = relation->column_count };
    return relation->view_sql != NULL ? shape_of_view(a, relation, plain) : plain;
}

static const char *alias_or(const ast *alias, const char *name)
{
    const char *text = ast_str(alias, "aliasname");
    return text != NULL ? text : name;
}

/* A CTE hides a table of the same name; a name with a schema never means a CTE. */
static part build_table(analysis *a, scope *s, const ast *node, bool may_be_cte, leaf **target)
{
    const char *schema = ast_str(node, "schemaname");
    const char *name = ast_str(node, "relname");
    const ast *alias = ast_get(node, "alias");
    for (const cte *c = may_be_cte && schema == NULL ? s->ctes : NULL; c != NULL; c = c->next) {
        if (strcmp(c->name, name) == 0) {
            return add_relation(a, s, alias_or(alias, name), alias, &c->shape);
        }
    }
    /* A definition of a view names everything but the server's own objects in full. */
    const char *wanted = schema == NULL && a->view_depth > 0 ? "pg_catalog" : schema;
    const catalog_relation *relation = catalog_relation_by_name(a->cat, wanted, name);
    shape source = { .known = false };
    if (relation != NULL) {
        source = shape_of_relation(a, relation);
    }
    part p = add_relation(a, s, alias_or(alias, name), alias, &source);
    if (a->failed || s->leaves == NULL) {
        return p;
    }
    s->leaves->relation = relation;
    item *last = s->items;
    while (last->next != NULL) {
        last = last->next;
    }
    last->schema = alias == NULL && relation != NULL ? relation->schema : NULL;
    if (target != NULL) {
        *target = s->leaves;
    }
    return p;
}

/* Only LATERAL lets it see what stands before it in the same FROM. */
static part build_sub_select(analysis *a, scope *s, const ast *node)
{
    const ast *alias = ast_get(node, "alias");
    const scope *outer = ast_flag(node, "lateral") ? s : s->parent;
    shape source = shape_of_statement(a, outer, s->ctes, ast_get(node, "subquery"));
    return add_relation(a, s, ast_str(alias, "aliasname"), alias, &source);
}

/* The alias names the item; whether it names the column, too, is the function's matter. */
static part build_function(analysis *a, scope *s, const ast *node)
{
    const ast *alias = ast_get(node, "alias");
    shape source = shape_of_function(a, s, node);
    const char *name = ast_str(alias, "aliasname");
    if (name == NULL) {
        const ast *call = ast_first(ast_first(ast_get(node, "functions")));
        name = name_of_expr(a, s, call);
    }
    return add_relation(a, s, name, alias, &source);
}

/* XMLTABLE: the names are in the text. */
static part build_xml_table(analysis *a, scope *s, const ast *node)
{
    const ast *list = ast_get(node, "columns");
    const ast *alias = ast_get(node, "alias");
    shape source = { .known = true, .count = ast_count(list) };
    source.columns = analysis_array(a, source.count, sizeof *source.columns);
    size_t i = 0;
    for (const ast *c = ast_first(list); c != NULL && source.columns != NULL; c = ast_next(c)) {
        const catalog_type *type = type_of_name(a, ast_get(c, "typeName"));
        value v = value_unknown("column of XMLTABLE");
        v.type_oid = type != NULL ? type->oid : 0;
        v.not_null = ast_flag(c, "for_ordinality");
        source.columns[i++] = (column) { .name = ast_str(c, "colname"), .value = v };
    }
    return add_relation(a, s, alias_or(alias, "xmltable"), alias, &source);
}

/* NULL when two columns have the name: the server refuses such a join. */
static const var *part_find(const part *p, const char *name)
{
    const var *match = NULL;
    for (size_t i = 0; i < p->count; i++) {
        if (p->vars[i].name != NULL && strcmp(p->vars[i].name, name) == 0) {
            if (match != NULL) {
                return NULL;
            }
            match = &p->vars[i];
        }
    }
    return match;
}

/* Names that USING or NATURAL merge, as var pairs in order; *count of them. */
static bool merged_names(analysis *a, const scope *s, const ast *node, const part sides[2],
                         const char ***out, size_t *count)
{
    const ast *using_names = ast_get(node, "usingClause");
    bool natural = ast_flag(node, "isNatural");
    const char **names = analysis_array(a, ast_count(using_names) + sides[0].count, sizeof *names);
    *out = names;
    *count = 0;
    if (names == NULL || (natural && s->opaque)) {
        return !natural;
    }
    for (const ast *name = ast_first(using_names); name != NULL; name = ast_next(name)) {
        names[(*count)++] = ast_text(name);
    }
    for (size_t i = 0; natural && i < sides[0].count; i++) {
        const char *name = sides[0].vars[i].name;
        if (name != NULL && part_find(&sides[1], name) != NULL) {
            names[(*count)++] = name;
        }
    }
    return true;
}

static bool is_merged_name(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (name != NULL && strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* The pair is kept as well: its equality is a condition of the join. */
static bool add_merged(analysis *a, join *j, const part sides[2], const char *name, var *out)
{
    const var *left = part_find(&sides[0], name);
    const var *right = part_find(&sides[1], name);
    var_pair *pair = analysis_new(a, sizeof *pair);
    if (left == NULL || right == NULL || pair == NULL) {
        return false;
    }
    *pair = (var_pair) { left, right, j->pairs };
    j->pairs = pair;
    *out = (var) { .name = name, .merged = j, .left = left, .right = right };
    return true;
}

/* a(id, x) JOIN b(id, y) USING (id) gives id, x, y: the merged column has no item of its own, so it
 * cannot be qualified, while a.id and b.id still can be named.
 * Merged columns first, then what is left of both sides. */
static part merge_sides(analysis *a, scope *s, join *j, const ast *node, const part sides[2])
{
    part p = { .first = sides[0].first, .end = sides[1].end };
    const char **names = NULL;
    size_t count = 0;
    if (!merged_names(a, s, node, sides, &names, &count)) {
        s->opaque = true;
    }
    p.vars = analysis_array(a, sides[0].count + sides[1].count + count, sizeof *p.vars);
    if (p.vars == NULL) {
        return p;
    }
    for (size_t i = 0; i < count; i++) {
        if (add_merged(a, j, sides, names[i], &p.vars[p.count])) {
            p.count++;
        } else {
            s->opaque = true; /* a column of something that we do not know */
        }
    }
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < sides[side].count; i++) {
            const var *v = &sides[side].vars[i];
            if (!is_merged_name(v->name, names, count)) {
                p.vars[p.count++] = *v;
            }
        }
    }
    return p;
}

/* An alias hides what is inside the join: the variables get a new owner. */
static void add_join_alias(analysis *a, scope *s, const ast *alias, item *first_inside, part *p)
{
    for (item *i = first_inside; i != NULL; i = i->next) {
        i->hidden = true;
    }
    item *i = add_item(a, s, ast_str(alias, "aliasname"), !s->opaque);
    var *vars = analysis_array(a, p->count, sizeof *vars);
    if (i == NULL || vars == NULL) {
        return;
    }
    for (size_t v = 0; v < p->count; v++) {
        vars[v] = p->vars[v];
        vars[v].owner = i;
    }
    rename_columns(ast_get(alias, "colnames"), vars, p->count);
    i->vars = vars;
    i->var_count = p->count;
    p->vars = vars;
}

/* JOIN … USING (…) AS name: the name covers the merged columns only and hides nothing. */
static void add_using_alias(analysis *a, scope *s, const ast *alias, const part *p)
{
    item *i = add_item(a, s, ast_str(alias, "aliasname"), true);
    if (i == NULL) {
        return;
    }
    i->vars = p->vars;
    while (i->var_count < p->count && p->vars[i->var_count].merged != NULL) {
        i->var_count++;
    }
}

/* An absent type is JOIN_INNER, the enum's first value. */
static char join_type(const ast *node)
{
    const char *type = ast_str(node, "jointype");
    if (type == NULL || strcmp(type, "JOIN_INNER") == 0) {
        return 'i';
    }
    return strcmp(type, "JOIN_LEFT") == 0 ? 'l' : strcmp(type, "JOIN_RIGHT") == 0 ? 'r' : 'f';
}

static item *last_item(const scope *s)
{
    item *last = s->items;
    while (last != NULL && last->next != NULL) {
        last = last->next;
    }
    return last;
}

static bool is_true_constant(const ast *expr)
{
    return ast_kind_of(expr) == AST_A_CONST && ast_flag(ast_get(expr, "boolval"), "boolval");
}

/* A LEFT JOIN that makes up no row: its right side has one for every row of the left side.
 *
 *     a LEFT JOIN LATERAL (SELECT count(*) FROM b WHERE b.a = a.id) c ON true */
static bool always_finds(const scope *s, const part *right, const ast *quals)
{
    const leaf *last = s->leaves;
    return right->end - right->first == 1 && last != NULL && last->number == right->first &&
           last->shape.one_row && is_true_constant(quals);
}

/* Left before right: the right side may be LATERAL and look at the left one. The join is
 * entered only after both, so that what LATERAL sees is lowered by the joins inside the left
 * side alone.
 * Example: a LEFT JOIN (b JOIN c ON …) ON …  has leaves a = 0, b = 1, c = 2. The inner join covers
 * [1, 3) split at 2, the outer one [0, 3) split at 1 with the right side nullable: b and c both lie
 * in it. */
static part build_join(analysis *a, scope *s, const ast *node)
{
    item *before = last_item(s);
    part sides[2];
    sides[0] = build(a, s, ast_get(node, "larg"));
    sides[1] = build(a, s, ast_get(node, "rarg"));
    join *j = analysis_new(a, sizeof *j);
    if (j == NULL) {
        return sides[0];
    }
    j->first = sides[0].first;
    j->middle = sides[1].first;
    j->end = sides[1].end;
    assert(j->first <= j->middle && j->middle <= j->end && j->end <= s->leaf_count);
    j->type = join_type(node);
    j->nulls_left = j->type == 'r' || j->type == 'f';
    j->quals = ast_get(node, "quals");
    j->nulls_right = (j->type == 'l' && !always_finds(s, &sides[1], j->quals)) || j->type == 'f';
    part p = merge_sides(a, s, j, node, sides);
    j->next = s->joins;
    s->joins = j;
    if (ast_get(node, "join_using_alias") != NULL) {
        add_using_alias(a, s, ast_get(node, "join_using_alias"), &p);
    }
    if (ast_get(node, "alias") != NULL) {
        add_join_alias(a, s, ast_get(node, "alias"), before != NULL ? before->next : s->items, &p);
    }
    return p;
}

/* Grammar that we do not know: a relation of unknown shape. */
static part build_other(analysis *a, scope *s, const ast *node)
{
    const ast *alias = ast_get(node, "alias");
    shape source = { .known = false };
    return add_relation(a, s, ast_str(alias, "aliasname"), alias, &source);
}

/* Dispatch by kind; too deep a tree leaves the scope opaque, which claims nothing. */
static part build(analysis *a, scope *s, const ast *node)
{
    if (a->failed || a->depth >= ANALYSE_DEPTH_MAX) {
        s->opaque = true;
        return (part) { .first = s->leaf_count, .end = s->leaf_count };
    }
    a->depth++;
    part p;
    ast_kind kind = ast_kind_of(node);
    if (kind == AST_RANGE_VAR) {
        p = build_table(a, s, node, true, NULL);
    } else if (kind == AST_RANGE_SUBSELECT) {
        p = build_sub_select(a, s, node);
    } else if (kind == AST_RANGE_FUNCTION) {
        p = build_function(a, s, node);
    } else if (kind == AST_JOIN) {
        p = build_join(a, s, node);
    } else if (kind == AST_RANGE_TABLE_SAMPLE) {
        p = build(a, s, ast_get(node, "relation"));
    } else if (kind == AST_RANGE_TABLE_FUNC) {
        p = build_xml_table(a, s, node);
    } else {
        p = build_other(a, s, node);
    }
    a->depth--;
    return p;
}

/* Comma-separated parts of FROM stand side by side. */
static void append_part(analysis *a, scope *s, const part *p)
{
    var *vars = analysis_array(a, s->var_count + p->count, sizeof *vars);
    if (vars == NULL) {
        return;
    }
    if (s->var_count > 0) {
        memcpy(vars, s->vars, s->var_count * sizeof *vars);
    }
    if (p->count > 0) {
        memcpy(vars + s->var_count, p->vars, p->count * sizeof *vars);
    }
    s->vars = vars;
    s->var_count += p->count;
}

void scope_add_from(analysis *a, scope *s, const ast *from_list)
{
    assert(!s->complete); /* names would change their meaning */
    for (const ast *node = ast_first(from_list); node != NULL; node = ast_next(node)) {
        part p = build(a, s, node);
        append_part(a, s, &p);
    }
}

leaf *scope_add_target(analysis *a, scope *s, const ast *range_var)
{
    leaf *target = NULL;
    part p = build_table(a, s, range_var, false, &target);
    append_part(a, s, &p);
    return target;
}

/* From here on bare names mean the merged list, not the items one by one. */
void scope_complete(analysis *a, scope *s)
{
    (void) a;
    s->complete = true;
}
