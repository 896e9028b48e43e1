/* One old query on the server of today: is it accepted, does it take and give the same types, do
 * the claims about NULL still hold, would its INSERT still be let in? Queries are described and
 * planned, never executed. One thread per connection. */
#include "base/prelude.h"

#include "sqlc/verify.h"

#include "base/buf.h"
#include "pgc/describe.h"
#include "sqlc/ast.h"
#include "sqlc/prove.h"

#define VERIFY_SQL_MAX    ((size_t) 16 << 20)
#define VERIFY_TIMEOUT_US ((int64_t) 60 * 1000000)

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

/* Types as the old program declares them; false when one is gone. */
static bool declare(verify_work *w, const ir_variant *text, uint32_t *oids)
{
    bool ok = true;
    for (size_t i = 0; i < text->param_count; i++) {
        const ir_param *param = param_of(w, text, i);
        const char *type = sent_type(w, param);
        oids[i] = w->query->bulk_sql != NULL ? param->array_oid : param->type.oid;
        if (oids[i] == 0 &&
            catalog_type_by_spelling(w->cat, (slice) { type, strlen(type) }) == NULL) {
            verify_found(w, true, "parameter \"%s\": type %s is gone", param->sql_name, type);
            ok = false;
        }
    }
    return ok;
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
        verify_found(w, true, "gives %zu columns now, was %zu", now->column_count, q->column_count);
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
        if (param->nullable && facts[i].context == PARAM_TARGET && facts[i].not_null &&
            facts[i].table_oid != 0) {
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
        bool needed = (column->not_null || column->domain_not_null) && !column->has_default &&
                      !column->identity && !column->generated;
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

/* Statuses that say nothing about the query. */
static bool is_fatal(pgc_status status)
{
    return status == PGC_CONNECTION || status == PGC_NOMEM || status == PGC_TIMEOUT ||
           status == PGC_CANCELLED || status == PGC_CLOSED;
}

/* The server's words without the step that the runtime names first. */
static const char *server_words(const pgc_error *err)
{
    static const char *const STEPS[] = { "prepare: ", "describe: ", "script: " };
    for (size_t i = 0; i < ARRAY_LEN(STEPS); i++) {
        if (strncmp(err->message, STEPS[i], strlen(STEPS[i])) == 0) {
            return err->message + strlen(STEPS[i]);
        }
    }
    return err->message;
}

/* What only the planner finds, such as ON CONFLICT without its index. */
static pgc_status check_plan(verify_work *w, const char *name, const described *shape,
                             pgc_error *err)
{
    AUTO(buf_auto) buf b;
    buf_init(&b, NULL, VERIFY_SQL_MAX);
    buf_printf(&b, "EXPLAIN (COSTS OFF) EXECUTE \"%s\"", name);
    for (size_t i = 0; i < shape->param_count; i++) {
        const catalog_type *type = catalog_type_by_oid(w->cat, shape->param_oids[i]);
        if (type == NULL || type->kind == CATALOG_DOMAIN) {
            return PGC_OK; /* NULL may not be allowed for it */
        }
        buf_printf(&b, "%sNULL", i == 0 ? "(" : ", ");
    }
    buf_add_str(&b, shape->param_count > 0 ? ")" : "");
    TRY(buf_finish(&b, err));
    pgc_error local = PGC_ZERO;
    pgc_status status = pgc_conn_script(w->conn, b.ptr, VERIFY_TIMEOUT_US, NULL, &local);
    if (is_fatal(status)) {
        return pgc_error_set(err, status, "verify query \"%s\": %s", w->query->name, local.message);
    }
    if (strncmp(local.sqlstate, "42", 2) == 0) {
        verify_found(w, true, "%s", server_words(&local));
    }
    return PGC_OK;
}

static pgc_status verify_text(verify_work *w, const ir_variant *text, pgc_error *err)
{
    described shape;
    const ast *tree = NULL;
    pgc_error local = PGC_ZERO;
    uint32_t *oids = ARENA_ARRAY(w->arena, text->param_count + 1, uint32_t);
    char *name = arena_printf(w->arena, "sqlc_verify_%zu", w->prepared++);
    if (oids == NULL || name == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "verify query \"%s\"", w->query->name);
    }
    if (!declare(w, text, oids)) {
        return PGC_OK;
    }
    pgc_status status = conn_describe(w->conn, name, text->sql.ptr, oids, text->param_count,
                                      w->arena, &shape, &local);
    if (is_fatal(status)) {
        return pgc_error_set(err, status, "verify query \"%s\": %s", w->query->name, local.message);
    }
    if (status != PGC_OK) {
        verify_found(w, true, "%s", server_words(&local));
        return PGC_OK;
    }
    compare_params(w, text, &shape);
    compare_columns(w, &shape);
    TRY(compare_claims(w, text, err));
    if (ast_parse(text->sql, w->arena, &tree, NULL) == PGC_OK) {
        check_inserts(w, tree);
    }
    return check_plan(w, name, &shape, err);
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

pgc_status verify_query(verify_work *w, pgc_error *err)
{
    const ir_query *q = w->query;
    const ir_variant only = { .sql = q->sql, .param_count = q->param_count };
    if (q->copy != NULL) {
        verify_copy(w);
    }
    if (q->choice_count == 0) {
        return verify_text(w, &only, err);
    }
    for (size_t i = 0; i < q->variant_count; i++) {
        TRY(verify_text(w, &q->variants[i], err));
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
