/* Old queries on the server of today: is each accepted, does it take and give the same types, do
 * the claims about NULL still hold, would its INSERT still be let in? Queries are described and
 * planned, never executed, some hundred in each round trip; what is found is told afterwards, in
 * the order of the queries. One thread per connection. */
#include "base/prelude.h"

#include "sqlc/verify.h"

#include "sqlc/ast.h"
#include "sqlc/describe_query.h"
#include "sqlc/prove.h"

/* For one statement. */
#define VERIFY_TIMEOUT_US ((int64_t) 60 * 1000000)
/* Texts that share their round trips. An interrupt is seen between two such groups. */
#define TOGETHER_MAX ((size_t) 256)

/* One text and what the server says about it. */
typedef struct old_text {
    ir_variant text;
    describe_item *shape; /* NULL: not asked, a type is gone */
    describe_item *plan;  /* NULL: not asked */
} old_text;

void verify_found(verify_work *w, bool breaks, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *query = w->query == NULL ? "" : w->query->name;
    const char *file = w->query == NULL ? "" : w->query->file;
    for (size_t i = 0; i < w->findings->count; i++) { /* other texts of a query say the same */
        const verify_finding *known = VEC_AT(w->findings, verify_finding, i);
        if (strcmp(known->query, query) == 0 && strcmp(known->message, text) == 0) {
            return;
        }
    }
    verify_finding *f = VEC_ADD(w->arena, w->findings, verify_finding);
    char *copy = arena_strdup(w->arena, text);
    if (f == NULL || copy == NULL) {
        w->nomem = true;
        w->findings->count -= f == NULL ? 0 : 1;
        return;
    }
    *f = (verify_finding) { .query = query, .file = file, .breaks = breaks, .message = copy };
}

static const char *spelling(const verify_work *w, uint32_t oid)
{
    const catalog_type *type = catalog_type_by_oid(w->cat, oid);
    return type == NULL ? "unknown" : type->spelling;
}

/* The parameters that one text sends. */
static const ir_param *param_of(const verify_work *w, const ir_variant *text, size_t index)
{
    return &w->query->params[text->params == NULL ? index : text->params[index]];
}

/* Whether the wire carries an array in its place. */
static const char *sent_type(const verify_work *w, const ir_param *param)
{
    return w->query->bulk_sql != NULL ? param->array_sql : param->type.sql;
}

/* Whether the server of today knows a type that the old program declares. */
static bool is_known(const verify_work *w, const ir_param *param)
{
    const char *type = sent_type(w, param);
    uint32_t oid = w->query->bulk_sql != NULL ? param->array_oid : param->type.oid;
    return oid != 0 || catalog_type_by_spelling(w->cat, (slice) { type, strlen(type) }) != NULL;
}

static void compare_types(verify_work *w, const ir_variant *text)
{
    for (size_t i = 0; i < text->param_count; i++) {
        const ir_param *param = param_of(w, text, i);
        if (!is_known(w, param)) {
            verify_found(w, true, "parameter \"%s\": type %s is gone", param->sql_name,
                         sent_type(w, param));
        }
    }
}

static void compare_params(verify_work *w, const ir_variant *text, const described *now)
{
    for (size_t i = 0; i < now->param_count && i < text->param_count; i++) {
        const ir_param *param = param_of(w, text, i);
        const char *type = spelling(w, now->param_oids[i]);
        if (strcmp(type, sent_type(w, param)) != 0) {
            verify_found(w, true, "parameter \"%s\" is %s now, was %s", param->sql_name, type,
                         sent_type(w, param));
        }
    }
}

static void compare_columns(verify_work *w, const described *now)
{
    const ir_query *q = w->query;
    if (q->row == NULL) {
        return; /* rows are not asked for */
    }
    if (now->column_count != q->column_count) {
        verify_found(w, true, "gives %zu column%s now, was %zu", now->column_count,
                     now->column_count == 1 ? "" : "s", q->column_count);
        return;
    }
    for (size_t i = 0; i < now->column_count; i++) {
        const char *type = spelling(w, now->columns[i].type_oid);
        if (strcmp(type, q->columns[i].type.sql) != 0) {
            verify_found(w, true, "column \"%s\" is %s now, was %s", q->columns[i].sql_name, type,
                         q->columns[i].type.sql);
        }
    }
}

/* Whether NULL is stored in a column that refuses it, by its own or its type's word. */
static bool is_refused(const verify_work *w, const param_fact *fact)
{
    const catalog_relation *relation = catalog_relation_by_oid(w->cat, fact->table_oid);
    const catalog_column *column =
        relation == NULL ? NULL : catalog_column_by_attnum(relation, fact->attnum);
    bool only_says = column != NULL && column->overridden && !catalog_refuses_null(column) &&
                     !column->domain_not_null;
    return fact->context == PARAM_TARGET && fact->not_null && column != NULL && !only_says;
}

/* A NULL where the old program was promised none is an error there. */
static pgc_status compare_claims(verify_work *w, const ir_variant *text, pgc_error *err)
{
    const ir_query *q = w->query;
    null_claim *claims = ARENA_ARRAY(w->arena, q->column_count + 1, null_claim);
    param_fact *facts = ARENA_ARRAY(w->arena, text->param_count + 1, param_fact);
    bool *not_null = ARENA_ARRAY(w->arena, text->param_count + 1, bool);
    if (claims == NULL || facts == NULL || not_null == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "verify query \"%s\"", q->name);
    }
    for (size_t i = 0; i < text->param_count; i++) {
        not_null[i] = !param_of(w, text, i)->nullable;
    }
    const prove_input input = { .sql = text->sql,
                                .param_not_null = not_null,
                                .param_count = text->param_count };
    TRY(prove_columns_given(w->cat, &input, q->column_count, w->arena, claims, err));
    for (size_t i = 0; q->row != NULL && i < q->column_count; i++) {
        const ir_column *column = &q->columns[i];
        bool users = column->reason[0] == '@'; /* the user's word, which no proof decides */
        if (!column->nullable && !users && !claims[i].not_null) {
            verify_found(w, true, "column \"%s\" may be NULL now: %s", column->sql_name,
                         claims[i].reason);
        }
    }
    TRY(prove_params(w->cat, text->sql, text->param_count, w->arena, facts, err));
    for (size_t i = 0; q->bulk_sql == NULL && i < text->param_count; i++) {
        const ir_param *param = param_of(w, text, i);
        if (param->nullable && is_refused(w, &facts[i])) {
            verify_found(w, false, "parameter \"%s\" may be NULL, its column refuses NULL now",
                         param->sql_name);
        }
    }
    return PGC_OK;
}

/* Columns that an INSERT names; without a list the first ones. */
static bool fills(const ast *insert, const catalog_relation *relation, size_t index)
{
    const ast *columns = ast_get(insert, "cols");
    if (columns == NULL) {
        const ast *select = ast_get(insert, "selectStmt");
        const ast *row = ast_first(ast_get(select, "valuesLists"));
        size_t count = row != NULL ? ast_count(row) : ast_count(ast_get(select, "targetList"));
        return index < count || select == NULL;
    }
    for (const ast *c = ast_first(columns); c != NULL; c = ast_next(c)) {
        const char *name = ast_str(c, "name");
        if (name != NULL && strcmp(name, relation->columns[index].name) == 0) {
            return true;
        }
    }
    return false;
}

/* The server finds a missing value only when the row comes. */
static void check_insert(verify_work *w, const ast *insert)
{
    const ast *target = ast_get(insert, "relation");
    const char *name = ast_str(target, "relname");
    const catalog_relation *relation =
        name == NULL ? NULL : catalog_relation_by_name(w->cat, ast_str(target, "schemaname"), name);
    for (size_t i = 0; relation != NULL && i < relation->column_count; i++) {
        const catalog_column *column = &relation->columns[i];
        bool needed = (catalog_refuses_null(column) || column->domain_not_null) &&
                      !column->has_default && !column->identity && !column->generated;
        if (needed && !fills(insert, relation, i)) {
            verify_found(
                w, !relation->has_update_trigger,
                "the INSERT gives no value for column \"%s.%s\", which is NOT NULL without "
                "default%s",
                relation->name, column->name,
                relation->has_update_trigger ? " (a trigger may give one)" : "");
        }
    }
}

static void check_inserts(verify_work *w, const ast *node)
{
    if (ast_kind_of(node) == AST_INSERT) {
        check_insert(w, node);
    }
    for (const ast *child = ast_first(node); child != NULL; child = ast_next(child)) {
        check_inserts(w, child);
    }
}

static pgc_status no_memory(const verify_work *w, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "verify query \"%s\"", w->query->name);
}

/* What ends the run, whichever query it met. */
static pgc_status check_fatal(const verify_work *w, const describe_item *item, pgc_error *err)
{
    return describe_is_fatal(item->status)
               ? pgc_error_set(err, item->status, "verify query \"%s\": %s", w->query->name,
                               item->error->message)
               : PGC_OK;
}

/* What the planner says counts where it is about the query, such as ON CONFLICT without its index:
 * NULL may be no value that it can plan for. */
static pgc_status tell_text(verify_work *w, const old_text *t, pgc_error *err)
{
    const ast *tree = NULL;
    if (t->shape == NULL) {
        compare_types(w, &t->text);
        return PGC_OK;
    }
    TRY(check_fatal(w, t->shape, err));
    if (t->shape->status != PGC_OK) {
        verify_found(w, true, "%s", describe_server_words(t->shape->error));
        return PGC_OK;
    }
    compare_params(w, &t->text, &t->shape->shape);
    compare_columns(w, &t->shape->shape);
    TRY(compare_claims(w, &t->text, err));
    pgc_status status = ast_parse(t->text.sql, w->arena, &tree, NULL);
    if (status == PGC_NOMEM) {
        return no_memory(w, err);
    }
    if (status == PGC_OK) {
        check_inserts(w, tree);
    }
    if (t->plan == NULL) {
        return PGC_OK;
    }
    TRY(check_fatal(w, t->plan, err));
    if (t->plan->status != PGC_OK && strncmp(t->plan->error->sqlstate, "42", 2) == 0) {
        verify_found(w, true, "%s", describe_server_words(t->plan->error));
    }
    return PGC_OK;
}

/* Columns that COPY fills are not in a text that the server could look at. */
static void verify_copy(verify_work *w)
{
    const ir_copy *copy = w->query->copy;
    const catalog_relation *relation = catalog_relation_by_name(w->cat, copy->schema, copy->table);
    if (relation == NULL) {
        verify_found(w, true, "table %s.%s is gone", copy->schema, copy->table);
        return;
    }
    for (size_t i = 0; i < copy->column_count; i++) {
        const ir_copy_column *old = &copy->columns[i];
        const catalog_column *column = catalog_column_by_name(relation, old->name);
        const char *type =
            column == NULL ? "" : spelling(w, catalog_base_type(w->cat, column->type_oid));
        if (column == NULL) {
            verify_found(w, true, "column \"%s.%s\" is gone", copy->table, old->name);
        } else if (strcmp(type, old->type.sql) != 0) {
            verify_found(w, true, "column \"%s.%s\" is %s now, was %s", copy->table, old->name,
                         type, old->type.sql);
        }
    }
}

static size_t text_count(const ir_query *q)
{
    return q->choice_count == 0 ? 1 : q->variant_count;
}

static ir_variant text_at(const ir_query *q, size_t index)
{
    return q->choice_count == 0 ? (ir_variant) { .sql = q->sql, .param_count = q->param_count }
                                : q->variants[index];
}

/* The text under a name and with the types that the old program declares. *asked stays false when
 * one of them is gone. */
static pgc_status ask_shape(verify_work *w, const ir_variant *text, describe_item *item,
                            bool *asked, pgc_error *err)
{
    uint32_t *oids = ARENA_ARRAY(w->arena, text->param_count + 1, uint32_t);
    char *name = arena_printf(w->arena, "sqlc_verify_%zu", w->prepared++);
    if (oids == NULL || name == NULL) {
        return no_memory(w, err);
    }
    *asked = true;
    for (size_t i = 0; i < text->param_count; i++) {
        const ir_param *param = param_of(w, text, i);
        oids[i] = w->query->bulk_sql != NULL ? param->array_oid : param->type.oid;
        *asked = *asked && is_known(w, param);
    }
    *item = (describe_item) {
        .name = name, .sql = text->sql.ptr, .param_oids = oids, .param_count = text->param_count
    };
    return PGC_OK;
}

/* First all shapes, then the plans of what the server took: two round trips. */
static pgc_status ask_texts(verify_work *w, size_t from, size_t to, old_text *texts, size_t count,
                            pgc_error *err)
{
    describe_item *shapes = ARENA_ARRAY(w->arena, count + 1, describe_item);
    describe_item *plans = ARENA_ARRAY(w->arena, count + 1, describe_item);
    size_t shape_count = 0;
    size_t plan_count = 0;
    old_text *t = texts;
    if (shapes == NULL || plans == NULL) {
        return no_memory(w, err);
    }
    for (size_t i = from; i < to; i++) {
        w->query = &w->old->queries[i];
        for (size_t k = 0; k < text_count(w->query); k++, t++) {
            bool asked = false;
            t->text = text_at(w->query, k);
            TRY(ask_shape(w, &t->text, &shapes[shape_count], &asked, err));
            t->shape = asked ? &shapes[shape_count++] : NULL;
        }
    }
    assert(t == texts + count);
    TRY(conn_describe_many(w->conn, shapes, shape_count, VERIFY_TIMEOUT_US, w->arena, err));
    for (t = texts; t < texts + count; t++) {
        const describe_item *shape = t->shape;
        if (shape == NULL || shape->status != PGC_OK ||
            !describe_takes_null(w->cat, &shape->shape)) {
            continue;
        }
        const char *sql =
            describe_plan_text(w->arena, "COSTS OFF", shape->name, shape->shape.param_count);
        if (sql == NULL) {
            return no_memory(w, err);
        }
        plans[plan_count] = (describe_item) { .sql = sql };
        t->plan = &plans[plan_count++];
    }
    return conn_describe_many(w->conn, plans, plan_count, VERIFY_TIMEOUT_US, w->arena, err);
}

/* The queries [from, to), which have `count` texts. */
static pgc_status verify_group(verify_work *w, size_t from, size_t to, size_t count, pgc_error *err)
{
    old_text *texts = ARENA_ARRAY(w->arena, count + 1, old_text);
    if (texts == NULL) {
        return no_memory(w, err);
    }
    TRY(ask_texts(w, from, to, texts, count, err));
    for (size_t i = from; i < to; i++) {
        w->query = &w->old->queries[i];
        if (w->query->copy != NULL) {
            verify_copy(w);
        }
        for (size_t k = 0; k < text_count(w->query); k++) {
            TRY(tell_text(w, texts++, err));
        }
    }
    return PGC_OK;
}

pgc_status verify_queries(verify_work *w, pgc_error *err)
{
    size_t to = 0;
    for (size_t from = 0; from < w->old->query_count; from = to) {
        size_t count = 0;
        if (w->stop != NULL && *w->stop != 0) {
            return pgc_error_set(err, PGC_CANCELLED, "interrupted");
        }
        w->query = &w->old->queries[from];
        while (to < w->old->query_count && count < TOGETHER_MAX) {
            count += text_count(&w->old->queries[to++]);
        }
        TRY(verify_group(w, from, to, count, err));
    }
    return PGC_OK;
}

static bool has_label(const char *const *labels, size_t count, const char *label)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        found = found || strcmp(labels[i], label) == 0;
    }
    return found;
}

/* A label that is gone can still be sent, one that is new is read as unknown. */
void verify_enums(verify_work *w)
{
    w->query = NULL;
    for (size_t i = 0; i < w->old->enum_count; i++) {
        const ir_enum *old = &w->old->enums[i];
        const catalog_type *now = catalog_type_by_name(w->cat, old->schema, old->sql_name);
        for (size_t k = 0; now != NULL && old->used && k < old->label_count; k++) {
            if (!has_label(now->labels, now->label_count, old->labels[k])) {
                verify_found(w, true, "enum %s has no label '%s' any more", old->sql_name,
                             old->labels[k]);
            }
        }
        for (size_t k = 0; now != NULL && old->used && k < now->label_count; k++) {
            if (!has_label(old->labels, old->label_count, now->labels[k])) {
                verify_found(w, false, "enum %s has the new label '%s', which is read as unknown",
                             old->sql_name, now->labels[k]);
            }
        }
    }
}
