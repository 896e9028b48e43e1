/* Rules over the parse tree of a query as its author wrote it. A rule reports what is most likely a
 * mistake and says the way out; it never guesses about data. Thread-safe: yes. */
#include "base/prelude.h"

#include "sqlc/vet.h"

typedef void (*visit_fn)(vet_target *t, const ast *node);

/* Every node, parents first. ast_parse() bounds the depth. */
static void each_node(vet_target *t, const ast *node, visit_fn fn)
{
    fn(t, node);
    for (const ast *child = ast_first(node); child != NULL; child = ast_next(child)) {
        each_node(t, child, fn);
    }
}

void vet_found(vet_target *t, int64_t at, const char *message, const char *hint)
{
    vet_finding *f = VEC_ADD(t->arena, t->findings, vet_finding);
    const query_source *source = t->source;
    size_t offset = at < 0 ? source->start : query_source_offset(&t->text, (size_t) at);
    if (f == NULL) {
        t->nomem = true;
        return;
    }
    *f = (vet_finding) { .path = source->file->path,
                         .query = source->name,
                         .rule = t->rule,
                         .message = message,
                         .hint = hint };
    source_position(source->file->text, offset, &f->line, &f->column);
}

/* Operator of an expression: "=" in a = b; NULL: it is none of kind `kind`. */
static const char *operator_of(const ast *node, const char *kind)
{
    bool fits = ast_kind_of(node) == AST_A_EXPR && ast_is(node, "kind", kind);
    return fits ? ast_text(ast_last(ast_get(node, "name"))) : NULL;
}

/* Below casts: 'x'::text is a constant too. */
static const ast *bare(const ast *node)
{
    while (ast_kind_of(node) == AST_TYPE_CAST) {
        node = ast_get(node, "arg");
    }
    return node;
}

static void no_where_node(vet_target *t, const ast *node)
{
    ast_kind kind = ast_kind_of(node);
    if ((kind == AST_UPDATE || kind == AST_DELETE) && ast_get(node, "whereClause") == NULL) {
        vet_found(t, ast_location(ast_get(node, "relation")),
                  kind == AST_UPDATE ? "UPDATE without WHERE changes every row"
                                     : "DELETE without WHERE removes every row",
                  "if every row is meant, say so: WHERE true");
    }
}

static void no_where(vet_target *t)
{
    each_node(t, t->tree, no_where_node);
}

static void equals_null_node(vet_target *t, const ast *node)
{
    const char *op = operator_of(node, "AEXPR_OP");
    const ast *sides[] = { bare(ast_get(node, "lexpr")), bare(ast_get(node, "rexpr")) };
    bool compares = op != NULL && (strcmp(op, "=") == 0 || strcmp(op, "<>") == 0);
    for (size_t i = 0; compares && i < ARRAY_LEN(sides); i++) {
        if (ast_kind_of(sides[i]) == AST_A_CONST && ast_flag(sides[i], "isnull")) {
            vet_found(t, ast_location(node), "a comparison with NULL is never true",
                      "write IS NULL or IS NOT NULL");
        }
    }
}

/* SET x = NULL is no comparison: it has no A_Expr. */
static void equals_null(vet_target *t)
{
    each_node(t, t->tree, equals_null_node);
}

static void not_in_node(vet_target *t, const ast *node)
{
    const ast *arg = ast_first(ast_get(node, "args"));
    if (ast_kind_of(node) == AST_BOOL_EXPR && ast_is(node, "boolop", "NOT_EXPR") &&
        ast_kind_of(arg) == AST_SUB_LINK && ast_is(arg, "subLinkType", "ANY_SUBLINK")) {
        vet_found(t, ast_location(node),
                  "NOT IN over a select is never true once the select gives a NULL",
                  "write NOT EXISTS, or keep NULL out of the select");
    }
}

/* A select whose column cannot be NULL is safe, but only the proof knows; so this rule is not among
 * the defaults. */
static void not_in(vet_target *t)
{
    each_node(t, t->tree, not_in_node);
}

/* Of the statement itself: what a select inside of it gives is its own affair. */
static void limit_order(vet_target *t)
{
    if (t->query->cmd == QUERY_MANY && ast_kind_of(t->tree) == AST_SELECT &&
        ast_get(t->tree, "limitCount") != NULL && ast_get(t->tree, "sortClause") == NULL) {
        vet_found(t, ast_location(ast_get(t->tree, "limitCount")),
                  "LIMIT without ORDER BY: which rows come is left to chance", "add an ORDER BY");
    }
}

static void offset_node(vet_target *t, const ast *node)
{
    if (ast_kind_of(node) == AST_SELECT && ast_get(node, "limitOffset") != NULL) {
        vet_found(t, ast_location(ast_get(node, "limitOffset")),
                  "OFFSET reads and drops all rows before the page",
                  "page by key: WHERE (a, id) > (@after_a, @after_id) ORDER BY a, id LIMIT …");
    }
}

static void offset(vet_target *t)
{
    each_node(t, t->tree, offset_node);
}

static void wildcard_node(vet_target *t, const ast *node)
{
    bool like = operator_of(node, "AEXPR_LIKE") != NULL || operator_of(node, "AEXPR_ILIKE") != NULL;
    const ast *pattern = like ? bare(ast_get(node, "rexpr")) : NULL;
    const char *text = ast_str(ast_get(pattern, "sval"), "sval");
    if (text != NULL && (text[0] == '%' || text[0] == '_')) {
        vet_found(t, ast_location(node),
                  "no B-tree index serves a pattern that starts with a wildcard",
                  "a trigram index (pg_trgm) or full-text search does");
    }
}

static void wildcard(vet_target *t)
{
    each_node(t, t->tree, wildcard_node);
}

static void star_node(vet_target *t, const ast *node)
{
    const ast *last = ast_last(ast_get(node, "fields"));
    if (ast_kind_of(node) == AST_COLUMN_REF && ast_kind_of(last) == AST_A_STAR) {
        vet_found(t, ast_location(node), "'*' takes columns that nobody asked for",
                  "list the columns");
    }
}

/* sqlc.embed() reads "alias.*" here and is meant. */
static void star(vet_target *t)
{
    size_t first = t->findings->count;
    each_node(t, t->tree, star_node);
    size_t kept = first;
    for (size_t i = first; i < t->findings->count; i++) {
        const vet_finding *f = VEC_AT(t->findings, vet_finding, i);
        bool embed = false;
        for (size_t k = 0; k < t->text.embeds.count; k++) {
            uint32_t line = 0;
            uint32_t column = 0;
            source_position(t->source->file->text, VEC_AT(&t->text.embeds, query_embed, k)->at,
                            &line, &column);
            embed = embed || (f->line == line && f->column == column);
        }
        if (!embed) {
            *VEC_AT(t->findings, vet_finding, kept++) = *f;
        }
    }
    t->findings->count = kept;
}

static void many_limit(vet_target *t)
{
    if (t->query->cmd == QUERY_MANY && ast_kind_of(t->tree) == AST_SELECT &&
        ast_get(t->tree, "limitCount") == NULL) {
        vet_found(t, -1, ":many without LIMIT takes every row into memory",
                  "add a LIMIT, or read the rows by the iterator and disable the rule here");
    }
}

/* Columns of the result that are neither columns nor named. */
static void unnamed_column(vet_target *t)
{
    const ast *targets = ast_get(t->tree, "targetList");
    if (ast_kind_of(t->tree) != AST_SELECT || ast_count(targets) < 2) {
        return;
    }
    for (const ast *target = ast_first(targets); target != NULL; target = ast_next(target)) {
        const ast *value = ast_get(target, "val");
        if (ast_str(target, "name") == NULL && ast_kind_of(value) != AST_COLUMN_REF) {
            vet_found(t, ast_location(target), "a column without a name of its own",
                      "write AS name: the server's choice becomes the C name");
        }
    }
}

/* Uses of one parameter. */
typedef struct param_use {
    int64_t number;
    size_t compared, total;
    int64_t at;
} param_use;

static void count_uses(const ast *node, param_use *use)
{
    if (ast_kind_of(node) == AST_PARAM_REF && ast_int(node, "number", 0) == use->number) {
        use->total++;
    }
    const char *op = operator_of(node, "AEXPR_OP");
    const ast *sides[] = { bare(ast_get(node, "lexpr")), bare(ast_get(node, "rexpr")) };
    bool compares = op != NULL && strchr("=<>", op[0]) != NULL && strlen(op) <= 2;
    for (size_t i = 0; compares && i < ARRAY_LEN(sides); i++) {
        if (ast_kind_of(sides[i]) == AST_PARAM_REF &&
            ast_int(sides[i], "number", 0) == use->number) {
            use->compared++;
            use->at = ast_location(sides[i]);
        }
    }
    for (const ast *child = ast_first(node); child != NULL; child = ast_next(child)) {
        count_uses(child, use);
    }
}

/* A parameter that decides about a block is left out when it is NULL. */
static bool decides(const vet_target *t, const char *name)
{
    for (size_t i = 0; i < t->query->choice_count; i++) {
        const ir_choice *choice = &t->query->choices[i];
        if (choice->kind == IR_CHOICE_PARAM &&
            strcmp(t->query->params[choice->param].sql_name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void narg_compared(vet_target *t)
{
    for (size_t i = 0; i < t->text.params.count; i++) {
        const query_param *param = VEC_AT(&t->text.params, query_param, i);
        param_use use = { .number = param->number, .at = -1 };
        if (!param->narg || param->name == NULL || decides(t, param->name)) {
            continue;
        }
        count_uses(t->tree, &use);
        if (use.total > 0 && use.total == use.compared) {
            vet_found(t, use.at,
                      "sqlc.narg() that is only compared: with NULL nothing is ever true",
                      "use sqlc.arg(), IS NOT DISTINCT FROM, or -- @optional");
        }
    }
}

static const vet_rule RULES[] = {
    { "c/no-where", true, no_where },
    { "c/equals-null", true, equals_null },
    { "c/limit-order", true, limit_order },
    { "c/narg-compared", true, narg_compared },
    { "c/not-in", false, not_in },
    { "c/offset", false, offset },
    { "c/wildcard", false, wildcard },
    { "c/star", false, star },
    { "c/many-limit", false, many_limit },
    { "c/unnamed-column", false, unnamed_column },
    { "c/seq-scan", false, NULL },
    { "sqlc/db-prepare", true, NULL }, /* the analysis has prepared every query */
};

const vet_rule *vet_rule_at(size_t index)
{
    return index < ARRAY_LEN(RULES) ? &RULES[index] : NULL;
}

const vet_rule *vet_rule_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(RULES); i++) {
        if (strcmp(RULES[i].name, name) == 0) {
            return &RULES[i];
        }
    }
    return NULL;
}
