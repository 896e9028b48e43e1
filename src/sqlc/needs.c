/* The tables that a text names, and of their columns those that it names: stars are expanded by
 * then, so a column that is added later is not among them. By names alone: where two tables of one
 * query have a column of the same name, both count. A text that our parser does not know adds
 * nothing; the server checks it anyway when it is prepared. One thread. */
#include "base/prelude.h"

#include "sqlc/needs.h"

#include "sqlc/ast.h"

enum { NAMED = 1, RELIED = 2 }; /* marks of a column: used; no NULL may be there */

typedef struct needs {
    const model_context *ctx;
    const catalog_relation *relations; /* all of the catalog */
    size_t relation_count;
    uint8_t **marks; /* of columns, per relation; NULL: not used */
    bool nomem;
} needs;

/* A table in FROM or as a target. */
typedef struct table_use {
    size_t index;
    const char *alias; /* or its name */
} table_use;

/* What one text names. */
typedef struct mentions {
    arena *arena;
    vec relations; /* of table_use */
    vec names;     /* of const char * */
    vec bare;      /* of const char *: names without a qualifier; of a table: its whole row */
    bool all;      /* NATURAL JOIN: every column counts */
    bool nomem;
} mentions;

static void add_text(mentions *m, vec *list, const char *text)
{
    const char **slot = text == NULL ? NULL : VEC_ADD(m->arena, list, const char *);
    m->nomem = m->nomem || (text != NULL && slot == NULL);
    if (slot != NULL) {
        *slot = text;
    }
}

/* Texts of a list of String nodes, or the names of other items. */
static void add_list(mentions *m, vec *out, const ast *list)
{
    for (const ast *item = ast_first(list); item != NULL; item = ast_next(item)) {
        add_text(m, out, ast_text(item) != NULL ? ast_text(item) : ast_str(item, "name"));
    }
}

static void add_relation(const needs *n, mentions *m, const ast *node)
{
    const char *schema = ast_str(node, "schemaname");
    const char *name = ast_str(node, "relname");
    const catalog_relation *found =
        name == NULL ? NULL : catalog_relation_by_name(n->ctx->cat, schema, name);
    bool users = found != NULL && strcmp(found->schema, "pg_catalog") != 0 &&
                 strcmp(found->schema, "information_schema") != 0;
    const char *alias = ast_str(ast_get(node, "alias"), "aliasname");
    table_use *slot = users ? VEC_ADD(m->arena, &m->relations, table_use) : NULL;
    m->nomem = m->nomem || (users && slot == NULL);
    if (slot != NULL) {
        *slot = (table_use) { .index = (size_t) (found - n->relations),
                              .alias = alias == NULL ? name : alias };
    }
}

static void look(const needs *n, mentions *m, const ast *node)
{
    ast_kind kind = ast_kind_of(node);
    if (ast_str(node, "relname") != NULL) {
        add_relation(n, m, node);
    }
    if (kind == AST_COLUMN_REF) {
        const ast *fields = ast_get(node, "fields");
        add_list(m, ast_count(fields) == 1 ? &m->bare : &m->names, fields);
    } else if (kind == AST_JOIN) {
        add_list(m, &m->names, ast_get(node, "usingClause"));
        m->all = m->all || ast_flag(node, "isNatural");
    } else if (kind == AST_INSERT) {
        add_list(m, &m->names, ast_get(node, "cols"));
        m->all = m->all || ast_get(node, "cols") == NULL;
    } else if (kind == AST_UPDATE) {
        add_list(m, &m->names, ast_get(node, "targetList"));
    }
    add_list(m, &m->names, ast_get(node, "indexElems"));
    if (ast_get(node, "infer") != NULL) { /* ON CONFLICT … DO UPDATE SET */
        add_list(m, &m->names, ast_get(node, "targetList"));
    }
    for (const ast *child = ast_first(node); child != NULL; child = ast_next(child)) {
        look(n, m, child);
    }
}

static bool has_name(const vec *names, const char *name)
{
    bool found = false;
    for (size_t i = 0; i < names->count && !found; i++) {
        found = strcmp(*VEC_AT(names, const char *, i), name) == 0;
    }
    return found;
}

/* A NULL there would break a claim: of the column itself, or of some expression of the query. What
 * only the config says is no demand on the database. */
static bool relied(const needs *n, const ir_query *q, const catalog_relation *relation,
                   const catalog_column *column, bool *nomem)
{
    const char *source = NULL;
    bool enforced = catalog_refuses_null(column);
    for (size_t i = 0; q->row != NULL && i < q->column_count && enforced; i++) {
        const ir_column *c = &q->columns[i];
        if (c->nullable || c->reason[0] == '@') {
            continue;
        }
        if (c->source == NULL) {
            return true;
        }
        source = source == NULL ? model_source(n->ctx, relation, column->name) : source;
        *nomem = *nomem || source == NULL;
        if (source != NULL && strcmp(source, c->source) == 0) {
            return true;
        }
    }
    return false;
}

static void mark(needs *n, const mentions *m, const ir_query *q, const table_use *use)
{
    size_t index = use->index;
    const catalog_relation *relation = &n->relations[index];
    bool whole = m->all || (has_name(&m->bare, use->alias) &&
                            catalog_column_by_name(relation, use->alias) == NULL);
    if (n->marks[index] == NULL) {
        n->marks[index] = ARENA_ARRAY(n->ctx->arena, relation->column_count + 1, uint8_t);
        n->nomem = n->nomem || n->marks[index] == NULL;
    }
    for (size_t i = 0; n->marks[index] != NULL && i < relation->column_count; i++) {
        const catalog_column *column = &relation->columns[i];
        if (whole || has_name(&m->names, column->name) || has_name(&m->bare, column->name)) {
            n->marks[index][i] |= NAMED;
            n->marks[index][i] |=
                relied(n, q, relation, column, &n->nomem) ? (uint8_t) RELIED : (uint8_t) 0;
        }
    }
}

/* tree: of the text; NULL: not at hand. */
static void look_at_text(needs *n, const ir_query *q, slice sql, const ast *tree)
{
    mentions m = { .arena = n->ctx->arena };
    if (tree == NULL && ast_parse(sql, n->ctx->arena, &tree, NULL) != PGC_OK) {
        return;
    }
    look(n, &m, tree);
    for (size_t i = 0; i < m.relations.count; i++) {
        mark(n, &m, q, VEC_AT(&m.relations, table_use, i));
    }
    n->nomem = n->nomem || m.nomem;
}

/* For qsort(): the order must not depend on OIDs. */
static int compare(const void *a, const void *b)
{
    const ir_need *x = a;
    const ir_need *y = b;
    int order = strcmp(x->schema, y->schema);
    order = order != 0 ? order : strcmp(x->table, y->table);
    return order != 0 ? order : strcmp(x->column, y->column);
}

static void add_needs(needs *n, vec *out)
{
    for (size_t r = 0; r < n->relation_count; r++) {
        for (size_t i = 0; n->marks[r] != NULL && i < n->relations[r].column_count; i++) {
            const catalog_column *column = &n->relations[r].columns[i];
            const catalog_type *type = catalog_type_by_oid(n->ctx->cat, column->type_oid);
            if (n->marks[r][i] == 0 || type == NULL) {
                continue;
            }
            ir_need *need = VEC_ADD(n->ctx->arena, out, ir_need);
            n->nomem = n->nomem || need == NULL;
            if (need != NULL) {
                *need = (ir_need) { .schema = n->relations[r].schema,
                                    .table = n->relations[r].name,
                                    .column = column->name,
                                    .type = type->spelling,
                                    .not_null = (n->marks[r][i] & RELIED) != 0 };
            }
        }
    }
}

pgc_status needs_collect(const model_context *ctx, pgc_error *err)
{
    needs n = { .ctx = ctx };
    vec found = { 0 };
    ir_set *set = ctx->set;
    n.relations = catalog_all_relations(ctx->cat, &n.relation_count);
    n.marks = ARENA_ARRAY(ctx->arena, n.relation_count + 1, uint8_t *);
    n.nomem = n.marks == NULL;
    for (size_t i = 0; !n.nomem && i < set->query_count; i++) {
        const ir_query *q = &set->queries[i];
        look_at_text(&n, q, q->sql, q->tree);
        for (size_t k = 1; k < q->variant_count; k++) {
            look_at_text(&n, q, q->variants[k].sql, q->variants[k].tree);
        }
    }
    if (!n.nomem) {
        add_needs(&n, &found);
    }
    if (n.nomem) {
        return pgc_error_set(err, PGC_NOMEM, "collect the columns that are needed");
    }
    if (found.count > 1) {
        qsort(found.items, found.count, sizeof(ir_need), compare);
    }
    set->needs = found.items;
    set->need_count = found.count;
    return PGC_OK;
}
