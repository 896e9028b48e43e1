/* Columns of statements: SELECT, set operations, VALUES, WITH, and RETURNING.
 *
 * Each level opens a scope, refines it by its conditions and gives a shape. The visitor, when there
 * is one, sees every level once, sub-selects in expressions included. One thread per analysis. */
#include "base/prelude.h"

#include "sqlc/scope.h"

typedef struct visited {
    const ast *statement;
    const struct visited *next;
} visited;

static shape unknown_shape(void)
{
    return (shape) { .known = false };
}

/* --- visiting --- */

static void note_exists(analysis *a, const ast *sub_link)
{
    exists_query *e = NULL;
    if (ast_is(sub_link, "subLinkType", "EXISTS_SUBLINK")) {
        e = analysis_new(a, sizeof *e);
    }
    if (e != NULL) {
        *e = (exists_query) { ast_get(sub_link, "subselect"), a->exists };
        a->exists = e;
    }
}

/* Sub-selects of expressions are levels, too. FROM and WITH were seen when the scope was
 * built. */
static void visit_sub_links(analysis *a, const scope *s, const ast *node, bool root)
{
    ast_kind kind = ast_kind_of(node);
    if (node == NULL || a->depth >= ANALYSE_DEPTH_MAX) {
        return;
    }
    if (kind == AST_SUB_LINK) {
        visit_sub_links(a, s, ast_get(node, "testexpr"), false);
        note_exists(a, node);
        (void) shape_of_statement(a, s, s->ctes, ast_get(node, "subselect"));
        return;
    }
    bool own = kind == AST_SELECT || kind == AST_RANGE_SUBSELECT || kind == AST_CTE;
    if (own && !root) {
        return; /* seen when the scope was built */
    }
    a->depth++;
    for (const ast *i = ast_first(node); i != NULL; i = ast_next(i)) {
        visit_sub_links(a, s, i, false);
    }
    a->depth--;
}

/* Once per statement node: the same sub-select is looked at for its value, its name and here. */
static void visit(analysis *a, scope *s, const ast *statement)
{
    if (a->visit == NULL || a->view_depth > 0) {
        return;
    }
    for (const visited *v = a->visited; v != NULL; v = v->next) {
        if (v->statement == statement) {
            return;
        }
    }
    visited *v = analysis_new(a, sizeof *v);
    if (v == NULL) {
        return;
    }
    *v = (visited) { statement, a->visited };
    a->visited = v;
    a->visit(a, s, statement, a->visit_ctx);
    visit_sub_links(a, s, statement, true);
}

/* --- targets --- */

bool is_star(const ast *column_ref)
{
    return ast_kind_of(column_ref) == AST_COLUMN_REF &&
           ast_kind_of(ast_last(ast_get(column_ref, "fields"))) == AST_A_STAR;
}

/* t.* may name an item of an outer query when the query is LATERAL. */
bool scope_star(const scope *s, const ast *column_ref, star_columns *out)
{
    const ast *fields = ast_get(column_ref, "fields");
    size_t parts = ast_count(fields);
    if (parts == 1) {
        *out = (star_columns) { s, s->vars, s->var_count };
        return !s->opaque;
    }
    const char *first = ast_text(ast_first(fields)), *second = ast_text(ast_nth(fields, 1));
    for (; s != NULL && (parts == 2 || parts == 3); s = s->parent) {
        const item *i =
            parts == 2 ? scope_find_item(s, NULL, first) : scope_find_item(s, first, second);
        if (i != NULL) {
            *out = (star_columns) { s, i->vars, i->var_count };
            return i->known;
        }
    }
    return false;
}

typedef struct column_list {
    column *items;
    size_t count, cap;
} column_list;

static void add_column(analysis *a, column_list *list, column c)
{
    if (list->count == list->cap) {
        size_t cap = list->cap > 0 ? list->cap * 2 : 16;
        column *grown = analysis_array(a, cap, sizeof *grown);
        if (grown == NULL) {
            return;
        }
        if (list->count > 0) {
            memcpy(grown, list->items, list->count * sizeof *grown);
        }
        list->items = grown;
        list->cap = cap;
    }
    list->items[list->count++] = c;
}

/* Like the server: a merged column comes from the side that gives it. */
static void set_source(column *c, const var *v)
{
    const var *plain = v;
    while (plain->merged != NULL && plain->merged->type != 'f') {
        plain = plain->merged->type == 'r' ? plain->right : plain->left;
    }
    if (plain->merged == NULL) {
        c->table_oid = plain->leaf->shape.columns[plain->index].table_oid;
        c->attnum = plain->leaf->shape.columns[plain->index].attnum;
    }
}

column column_of_var(analysis *a, const scope *s, const var *v)
{
    column c = { .name = v->name, .value = value_of_var(a, s, v) };
    if (s->group.sets) {
        c.value = value_unknown("NULL in the rows of some grouping sets");
    }
    set_source(&c, v);
    return c;
}

/* An untyped literal becomes text at the latest when a query gives it out. */
static column column_of_target(analysis *a, const scope *s, const ast *target)
{
    const ast *expr = ast_get(target, "val");
    const char *name = ast_str(target, "name");
    column c = { .name = name != NULL ? name : name_of_expr(a, s, expr),
                 .value = value_of_expr(a, s, expr) };
    if (c.value.type_oid == OID_UNKNOWN) {
        c.value.type_oid = OID_TEXT;
    }
    lookup found;
    if (ast_kind_of(expr) == AST_COLUMN_REF && scope_find(a, s, expr, &found) &&
        found.var != NULL) {
        set_source(&c, found.var);
    }
    return c;
}

/* A star that is not certain makes the whole list uncertain: columns behind it would shift. */
shape shape_of_targets(analysis *a, const scope *s, const ast *targets)
{
    column_list list = { .items = NULL };
    for (const ast *t = ast_first(targets); t != NULL; t = ast_next(t)) {
        const ast *expr = ast_get(t, "val");
        if (is_star(expr)) {
            star_columns all;
            if (!scope_star(s, expr, &all)) {
                return unknown_shape();
            }
            for (size_t i = 0; i < all.count; i++) {
                add_column(a, &list, column_of_var(a, all.scope, &all.vars[i]));
            }
        } else if (is_field_star(expr)) {
            shape fields = shape_of_fields(a, s, expr);
            if (!fields.known) {
                return fields;
            }
            for (size_t i = 0; i < fields.count; i++) {
                add_column(a, &list, fields.columns[i]);
            }
        } else {
            add_column(a, &list, column_of_target(a, s, t));
        }
    }
    return (shape) { .known = true, .columns = list.items, .count = list.count };
}

/* --- SELECT --- */

/* One row: an aggregate over everything, or no FROM and no WHERE.
 *
 *     SELECT 1                   true
 *     SELECT max(x) FROM t       true
 *     SELECT max(x) FROM t LIMIT 0, … GROUP BY k, … HAVING c    false */
static bool gives_one_row(analysis *a, const scope *s, const ast *select)
{
    static const char *const cuts[] = { "groupClause", "havingClause", "limitCount", "limitOffset",
                                        "intoClause" };
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        if (ast_get(select, cuts[i]) != NULL) {
            return false;
        }
    }
    const ast *targets = ast_get(select, "targetList");
    if (count_set_returning(a, targets) > 0) {
        return false;
    }
    return has_aggregate(a, s, targets) || (ast_count(ast_get(select, "fromClause")) == 0 &&
                                            ast_get(select, "whereClause") == NULL);
}

/* The order matters: names, then conditions, then groups, then what holds for every row, and
 * the target list last. */
static shape shape_of_plain_select(analysis *a, const scope *outer, const cte *ctes,
                                   const ast *select)
{
    scope s = { .parent = outer, .ctes = ctes, .statement = select };
    scope_add_from(a, &s, ast_get(select, "fromClause"));
    scope_complete(a, &s);
    scope_refine(a, &s, ast_get(select, "whereClause"));
    scope_group(a, &s, select);
    s.facts = facts_when_true(a, &s, ast_get(select, "havingClause"), s.facts);
    s.base_facts = s.facts;
    s.single_set = count_set_returning(a, ast_get(select, "targetList")) == 1 &&
                   count_set_returning(a, ast_get(select, "sortClause")) == 0 &&
                   count_set_returning(a, ast_get(select, "groupClause")) == 0 &&
                   count_set_returning(a, ast_get(select, "distinctClause")) == 0;
    visit(a, &s, select);
    shape rows = shape_of_targets(a, &s, ast_get(select, "targetList"));
    rows.one_row = gives_one_row(a, &s, select);
    return rows;
}

/* A column is as good as its worst row. */
static shape shape_of_values(analysis *a, const scope *outer, const cte *ctes, const ast *select)
{
    scope s = { .parent = outer, .ctes = ctes, .statement = select, .complete = true };
    const ast *lists = ast_get(select, "valuesLists");
    shape rows = { .known = true, .count = ast_count(ast_first(lists)) };
    rows.columns = analysis_array(a, rows.count, sizeof *rows.columns);
    visit(a, &s, select);
    bool first = true;
    for (const ast *row = ast_first(lists); row != NULL && rows.columns != NULL;
         row = ast_next(row)) {
        size_t i = 0;
        for (const ast *cell = ast_first(row); cell != NULL && i < rows.count;
             cell = ast_next(cell), i++) {
            value v = value_of_expr(a, &s, cell);
            column *c = &rows.columns[i];
            uint32_t known = c->value.type_oid;
            if (first || !v.not_null) {
                bool elems = first || c->value.elems_not_null;
                c->value = v;
                c->value.elems_not_null = elems && v.elems_not_null;
            }
            bool keep = !first && known != OID_UNKNOWN && known != 0;
            c->value.type_oid = keep ? known : v.type_oid;
            c->name = analysis_text(a, "column%zu", i + 1);
        }
        first = false;
    }
    return rows;
}

/* UNION may show either side; a row of INTERSECT stands in both; EXCEPT gives rows of the
 * left.
 *
 *     UNION      N when both sides are
 *     INTERSECT  N when one side is: its rows are in both
 *     EXCEPT     as the left side */
static value combine_values(const char *op, value left, value right)
{
    value v = left;
    if (strcmp(op, "SETOP_UNION") == 0) {
        v = left.not_null ? right : left;
        v.elems_not_null = left.elems_not_null && right.elems_not_null;
    } else if (strcmp(op, "SETOP_INTERSECT") == 0) {
        v = left.not_null ? left : right;
    }
    bool open = left.type_oid == OID_UNKNOWN || left.type_oid == 0;
    v.type_oid = open ? right.type_oid : left.type_oid;
    return v;
}

static shape combine(analysis *a, const char *op, shape left, shape right)
{
    if (!left.known || !right.known || left.count != right.count || op == NULL) {
        return unknown_shape();
    }
    shape both = { .known = true, .count = left.count };
    both.columns = analysis_array(a, both.count, sizeof *both.columns);
    for (size_t i = 0; i < both.count && both.columns != NULL; i++) {
        both.columns[i] =
            (column) { .name = left.columns[i].name,
                       .value = combine_values(op, left.columns[i].value, right.columns[i].value) };
    }
    return both;
}

/* ORDER BY and LIMIT of a set operation have no FROM to look into. */
static shape shape_of_select(analysis *a, const scope *outer, const cte *ctes, const ast *select)
{
    const char *op = ast_str(select, "op");
    if (op != NULL && strcmp(op, "SETOP_NONE") != 0) {
        shape left = shape_of_statement(a, outer, ctes, ast_get(select, "larg"));
        shape right = shape_of_statement(a, outer, ctes, ast_get(select, "rarg"));
        scope s = { .parent = outer, .ctes = ctes, .statement = select, .complete = true };
        visit(a, &s, select);
        return combine(a, op, left, right);
    }
    if (ast_get(select, "valuesLists") != NULL) {
        return shape_of_values(a, outer, ctes, select);
    }
    return shape_of_plain_select(a, outer, ctes, select);
}

/* --- WITH --- */

static const cte *push_cte(analysis *a, const char *name, shape rows, const cte *next)
{
    cte *c = analysis_new(a, sizeof *c);
    if (c == NULL) {
        return next;
    }
    *c = (cte) { name, rows, next };
    return c;
}

/* WITH name(a, b): the first columns get new names. */
static void rename_shape(const ast *names, shape *rows)
{
    size_t i = 0;
    for (const ast *n = ast_first(names); n != NULL && i < rows->count; n = ast_next(n)) {
        rows->columns[i++].name = ast_text(n);
    }
}

/* The grammar takes only constants for TO and DEFAULT. */
static bool is_mark(const ast *constant)
{
    const ast *c = ast_kind_of(constant) == AST_TYPE_CAST ? ast_get(constant, "arg") : constant;
    return ast_kind_of(c) == AST_A_CONST && !ast_flag(c, "isnull");
}

/* Columns that SEARCH and CYCLE add: the server makes a row or an array of rows for the order and
 * for the way; the mark is one of two constants. */
static void add_clause_columns(analysis *a, const ast *node, shape *rows)
{
    const ast *cycle = ast_get(node, "cycle_clause");
    bool marks = is_mark(ast_get(cycle, "cycle_mark_value")) &&
                 is_mark(ast_get(cycle, "cycle_mark_default"));
    const char *extra[3] = {
        ast_str(ast_get(node, "search_clause"), "search_seq_column"),
        ast_str(ast_get(node, "cycle_clause"), "cycle_mark_column"),
        ast_str(ast_get(node, "cycle_clause"), "cycle_path_column"),
    };
    column_list list = { .items = NULL };
    for (size_t i = 0; i < rows->count; i++) {
        add_column(a, &list, rows->columns[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(extra); i++) {
        if (extra[i] != NULL) {
            value v = value_unknown("mark of CYCLE may be NULL");
            if (i != 1 || marks) {
                v.not_null = true;
                v.reason = "the server fills the columns of SEARCH and CYCLE";
            }
            add_column(a, &list, (column) { .name = extra[i], .value = v });
        }
    }
    rows->columns = list.items;
    rows->count = list.count;
}

static bool same_claims(const shape *x, const shape *y)
{
    assert(x->count == y->count);
    for (size_t i = 0; i < x->count; i++) {
        if (x->columns[i].value.not_null != y->columns[i].value.not_null ||
            x->columns[i].value.elems_not_null != y->columns[i].value.elems_not_null) {
            return false;
        }
    }
    return true;
}

/* WITH RECURSIVE r(a, b) AS (SELECT 1, 2 UNION ALL SELECT b, NULL FROM r): the first branch claims
 * both, the second takes back b; in the next round a, which is b of the row before, falls, too.
 * Each round can only take claims back, so this ends.
 * Start from the first branch, then take back what the recursive branch does not uphold.
 *
 *     WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT next FROM r, t …)
 *
 * starts with n as N; when next may be NULL the second round takes that back. */
static shape shape_of_recursive(analysis *a, const scope *outer, const cte *ctes, const ast *node,
                                const ast *query)
{
    const char *name = ast_str(node, "ctename");
    const cte *inside = ctes;
    if (ast_get(query, "withClause") != NULL) {
        return unknown_shape();
    }
    shape rows = shape_of_statement(a, outer, inside, ast_get(query, "larg"));
    if (!rows.known) {
        return rows;
    }
    rename_shape(ast_get(node, "aliascolnames"), &rows);
    for (unsigned round = 0; round < ANALYSE_ROUNDS_MAX; round++) {
        shape self = rows;
        add_clause_columns(a, node, &self);
        inside = push_cte(a, name, self, ctes);
        shape more = shape_of_statement(a, outer, inside, ast_get(query, "rarg"));
        shape both = combine(a, "SETOP_UNION", rows, more);
        if (!both.known || a->failed) {
            return unknown_shape();
        }
        if (same_claims(&rows, &both)) {
            return both;
        }
        rows = both;
    }
    return unknown_shape();
}

/* WITH RECURSIVE makes a query recursive only when it is a UNION. */
static shape shape_of_cte(analysis *a, const scope *outer, const cte *ctes, const ast *node,
                          bool recursive)
{
    const ast *query = ast_get(node, "ctequery");
    const char *op = ast_kind_of(query) == AST_SELECT ? ast_str(query, "op") : NULL;
    bool loops = recursive && op != NULL && strcmp(op, "SETOP_UNION") == 0;
    shape rows = loops ? shape_of_recursive(a, outer, ctes, node, query)
                       : shape_of_statement(a, outer, ctes, query);
    rename_shape(ast_get(node, "aliascolnames"), &rows);
    if (rows.known) {
        add_clause_columns(a, node, &rows);
    }
    return rows;
}

/* Under RECURSIVE a query may name a later one: until it is seen nothing is known about it, but its
 * name already hides a table. */
static const cte *add_ctes(analysis *a, const scope *outer, const cte *ctes, const ast *with)
{
    bool recursive = ast_flag(with, "recursive");
    const ast *list = ast_get(with, "ctes");
    for (const ast *c = recursive ? ast_first(list) : NULL; c != NULL; c = ast_next(c)) {
        ctes = push_cte(a, ast_str(c, "ctename"), unknown_shape(), ctes);
    }
    for (const ast *c = ast_first(list); c != NULL; c = ast_next(c)) {
        shape rows = shape_of_cte(a, outer, ctes, c, recursive);
        ctes = push_cte(a, ast_str(c, "ctename"), rows, ctes);
    }
    return ctes;
}

/* --- INSERT, UPDATE, DELETE --- */

/* UPDATE t SET a = NULL WHERE a IS NOT NULL RETURNING a gives NULL: WHERE saw another row.
 * The row that comes back is the one that is stored, not the one that WHERE saw.
 *
 *     UPDATE t SET x = $1 WHERE x IS NOT NULL RETURNING x    x is the new value */
static void forget_changed(scope *s, leaf *target, const ast *update)
{
    assert(target->number == 0);
    const catalog_relation *relation = target->relation;
    s->facts = NULL;
    for (size_t i = 0; i < target->shape.count; i++) {
        column *c = &target->shape.columns[i];
        bool changed =
            relation == NULL || relation->has_update_trigger || relation->columns[i].generated;
        for (const ast *set = ast_first(ast_get(update, "targetList")); set != NULL;
             set = ast_next(set)) {
            changed = changed || ast_is(set, "name", relation->columns[i].name);
        }
        c->refined = c->refined && !changed;
    }
}

/* (a, b) = (x, y) gives a the first field; NULL: fields of a sub-select. */
static const ast *assigned_expr(const ast *set)
{
    const ast *given = ast_get(set, "val");
    if (ast_kind_of(given) != AST_MULTI_ASSIGN) {
        return given;
    }
    const ast *source = ast_get(given, "source");
    int64_t number = ast_int(given, "colno", 0);
    bool row = ast_kind_of(source) == AST_ROW && number > 0;
    return row ? ast_nth(ast_get(source, "args"), (size_t) number - 1) : NULL;
}

/* The stored value is the one that SET gives, when nothing may change it on the way: no trigger, no
 * rule, no cast that loses it. Looked at while WHERE's facts about the old row still hold.
 *
 *     UPDATE t SET note = 'x' RETURNING note                    N
 *     UPDATE t SET note = $1 RETURNING note                     N when the caller never sends NULL
 *     UPDATE t SET at = stamp RETURNING at  (at is a time)      nullable: infinity has none */
static void note_assigned(analysis *a, const scope *s, leaf *target, const ast *update)
{
    const catalog_relation *relation = target->relation;
    if (relation == NULL || relation->has_update_trigger || relation->has_rules ||
        (relation->kind != 'r' && relation->kind != 'p')) {
        return;
    }
    const char **reasons = analysis_array(a, relation->column_count, sizeof *reasons);
    for (const ast *set = ast_first(ast_get(update, "targetList")); set != NULL && reasons != NULL;
         set = ast_next(set)) {
        const ast *given = assigned_expr(set);
        const char *name = ast_str(set, "name");
        const catalog_column *to = name != NULL ? catalog_column_by_name(relation, name) : NULL;
        if (to == NULL || to->generated || ast_count(ast_get(set, "indirection")) > 0) {
            continue;
        }
        ast_kind kind = ast_kind_of(given);
        value v = given != NULL ? value_of_expr(a, s, given) : value_unknown("field");
        uint32_t from = kind == AST_PARAM_REF ? OID_UNKNOWN : v.type_oid;
        if (v.not_null && resolve_cast(a, from, to->type_oid)) {
            reasons[to - relation->columns] = v.reason;
        }
    }
    /* Only now: the values of SET are computed from the old row. */
    for (size_t i = 0; reasons != NULL && i < target->shape.count; i++) {
        value *v = &target->shape.columns[i].value;
        v->reason = reasons[i] != NULL ? analysis_text(a, "assigned: %s", reasons[i]) : v->reason;
        v->not_null = v->not_null || reasons[i] != NULL;
    }
}

/* Rules, triggers instead of the change, and views give back what they like. */
static void forget_target(leaf *target)
{
    const catalog_relation *relation = target->relation;
    if (relation != NULL && !relation->has_rules && relation->kind != 'v') {
        return;
    }
    for (size_t i = 0; i < target->shape.count; i++) {
        target->shape.columns[i].value.not_null = false;
        target->shape.columns[i].value.elems_not_null = false;
        target->shape.columns[i].value.reason = "change through a view or a rule";
        target->shape.columns[i].refined = false;
    }
}

/* The row that could not be inserted: visible by its name only. */
static void add_excluded(analysis *a, scope *s, const leaf *target)
{
    item *i = analysis_new(a, sizeof *i);
    leaf *l = analysis_new(a, sizeof *l);
    var *vars = analysis_array(a, target->shape.count, sizeof *vars);
    if (i == NULL || l == NULL || vars == NULL) {
        return;
    }
    *l = *target;
    l->name = "excluded";
    l->relation = NULL; /* it has no system columns */
    for (size_t c = 0; c < l->shape.count; c++) {
        vars[c] = (var) { .name = l->shape.columns[c].name, .leaf = l, .index = c, .owner = i };
    }
    *i = (item) {
        .name = "excluded", .known = true, .vars = vars, .var_count = l->shape.count, .leaf = l
    };
    i->next = s->items;
    s->items = i;
}

/* RETURNING sees the target, then what FROM or USING joins. */
static shape shape_of_change(analysis *a, const scope *outer, const cte *ctes, const ast *statement)
{
    scope s = { .parent = outer, .ctes = ctes, .statement = statement };
    ast_kind kind = ast_kind_of(statement);
    if (kind == AST_INSERT && ast_get(statement, "selectStmt") != NULL) {
        (void) shape_of_statement(a, outer, ctes, ast_get(statement, "selectStmt"));
    }
    leaf *target = scope_add_target(a, &s, ast_get(statement, "relation"));
    scope_add_from(a, &s, ast_get(statement, kind == AST_UPDATE ? "fromClause" : "usingClause"));
    scope_complete(a, &s);
    if (target == NULL) {
        return unknown_shape();
    }
    scope_refine(a, &s, ast_get(statement, "whereClause"));
    if (kind == AST_UPDATE) {
        note_assigned(a, &s, target, statement);
        forget_changed(&s, target, statement);
    }
    forget_target(target);
    if (kind == AST_INSERT && ast_get(statement, "onConflictClause") != NULL) {
        add_excluded(a, &s, target);
    }
    visit(a, &s, statement);
    return shape_of_targets(a, &s, ast_get(statement, "returningList"));
}

/* The one entry for statements and sub-selects; bounds depth and work. */
shape shape_of_statement(analysis *a, const scope *outer, const cte *ctes, const ast *statement)
{
    if (a->failed || statement == NULL || a->depth >= ANALYSE_DEPTH_MAX ||
        a->steps >= ANALYSE_STEPS_MAX) {
        return unknown_shape();
    }
    a->depth++;
    a->steps++;
    shape rows = unknown_shape();
    ctes = add_ctes(a, outer, ctes, ast_get(statement, "withClause"));
    ast_kind kind = ast_kind_of(statement);
    if (kind == AST_SELECT) {
        rows = shape_of_select(a, outer, ctes, statement);
    } else if (kind == AST_INSERT || kind == AST_UPDATE || kind == AST_DELETE) {
        rows = shape_of_change(a, outer, ctes, statement);
    }
    assert(a->depth > 0);
    a->depth--;
    return rows;
}
