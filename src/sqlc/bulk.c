/* Rows in bulk. The text with arrays is the user's with its one row of values replaced:
 *
 *     INSERT INTO t (a, b) VALUES ($1, lower($2)) …
 *     INSERT INTO t (a, b) SELECT bulk.p1, lower(bulk.p2) FROM unnest($1::int[], $2::text[])
 *         WITH ORDINALITY AS bulk (p1, p2, n) ORDER BY bulk.n …
 *
 * One thread per connection. */
#include "base/prelude.h"

#include "sqlc/bulk.h"

#include "base/buf.h"
#include "sqlc/ast.h"
#include "sqlc/lex.h"

/* For one text; it is only parsed. */
#define BULK_TIMEOUT_US ((int64_t) 60 * 1000000)

typedef struct bulk_work {
    const model_context *ctx;
    const query_facts *facts;
    ir_query *query;
    bool ok;
} bulk_work;

static pgc_status no_memory(const bulk_work *w, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "analyse query \"%s\"", w->query->name);
}

static void complain(bulk_work *w, const char *what, const char *hint)
{
    diag *d =
        diag_error(w->ctx->diags, w->facts->source->file, w->facts->source->start, "%s", what);
    diag_hint(w->ctx->diags, d, "%s", hint);
    w->ok = false;
}

/* The messages of upstream: people look for them. */
static const ast *copy_row(bulk_work *w, const ast *insert)
{
    static const char HINT[] = "use -- @bulk with :exec, or :batchexec";
    const ast *rows = ast_get(ast_get(insert, "selectStmt"), "valuesLists");
    if (ast_kind_of(insert) != AST_INSERT) {
        complain(w, ":copyfrom requires an INSERT INTO statement", HINT);
    } else if (ast_get(insert, "onConflictClause") != NULL) {
        complain(w, ":copyfrom is not compatible with ON CONFLICT", HINT);
    } else if (ast_get(insert, "withClause") != NULL) {
        complain(w, ":copyfrom is not compatible with WITH clauses", HINT);
    } else if (ast_get(insert, "returningList") != NULL) {
        complain(w, ":copyfrom is not compatible with RETURNING", HINT);
    } else if (rows == NULL) {
        complain(w, ":copyfrom is not compatible with INSERT INTO ... SELECT", HINT);
    } else if (ast_count(rows) != 1) {
        complain(w, ":copyfrom requires exactly one example row to be inserted", HINT);
    }
    return w->ok ? ast_first(rows) : NULL;
}

/* Column of a position of the INSERT. */
static const catalog_column *target(const ast *insert, const catalog_relation *relation,
                                    size_t index)
{
    const ast *names = ast_get(insert, "cols");
    const char *name = names == NULL ? NULL : ast_str(ast_nth(names, index), "name");
    if (names == NULL) {
        return index < relation->column_count ? &relation->columns[index] : NULL;
    }
    return name == NULL ? NULL : catalog_column_by_name(relation, name);
}

/* Table and columns of COPY, by the values of the INSERT. */
static pgc_status build_copy(bulk_work *w, pgc_error *err)
{
    const ast *insert = w->facts->tree;
    if (insert == NULL) {
        TRY(ast_parse(w->facts->sql, w->ctx->arena, &insert, err));
    }
    const ast *row = copy_row(w, insert);
    const param_fact *fact = w->facts->param_facts;
    const catalog_relation *relation =
        row == NULL || w->query->param_count == 0 || fact[0].table_oid == 0
            ? NULL
            : catalog_relation_by_oid(w->ctx->cat, fact[0].table_oid);
    size_t count = ast_count(row);
    if (!w->ok || relation == NULL) {
        if (w->ok) {
            complain(w, ":copyfrom doesn't support non-parameter values", "write VALUES (@a, @b)");
        }
        return PGC_OK;
    }
    ir_copy *copy = ARENA_NEW(w->ctx->arena, ir_copy);
    ir_copy_column *columns = ARENA_ARRAY(w->ctx->arena, count, ir_copy_column);
    if (copy == NULL || columns == NULL) {
        return no_memory(w, err);
    }
    for (size_t i = 0; i < count; i++) {
        const ast *value = ast_nth(row, i);
        int64_t number = ast_int(value, "number", 0);
        const catalog_column *column = target(insert, relation, i);
        if (ast_kind_of(value) != AST_PARAM_REF || number < 1 ||
            (size_t) number > w->query->param_count || column == NULL) {
            complain(w, ":copyfrom doesn't support non-parameter values", "write VALUES (@a, @b)");
            return PGC_OK;
        }
        columns[i].param = (size_t) number - 1;
        columns[i].name = column->name;
        const catalog_type *base =
            catalog_type_by_oid(w->ctx->cat, catalog_base_type(w->ctx->cat, column->type_oid));
        if (base == NULL || !model_column_type(w->ctx, relation, column->name, column->type_oid,
                                               &columns[i].type)) {
            complain(w, ":copyfrom: a column has no C type", "leave it out of the INSERT");
            return PGC_OK;
        }
        const ir_param *param = &w->query->params[columns[i].param];
        if (param->elems_not_null) {
            columns[i].type = param->type; /* the struct has that form */
        }
        columns[i].type.sql = base->spelling; /* what is on the wire */
        columns[i].type.oid = base->oid < CATALOG_FIRST_USER_OID ? base->oid : 0;
    }
    *copy = (ir_copy) { .schema = relation->schema,
                        .table = relation->name,
                        .columns = columns,
                        .column_count = count,
                        .has_policies = relation->has_policies };
    w->query->copy = copy;
    return PGC_OK;
}

/* Array types of the parameters. False: a value is an array or composite itself, which unnest()
 * would take apart. */
static bool array_types(bulk_work *w)
{
    for (size_t i = 0; i < w->query->param_count; i++) {
        ir_param *param = &w->query->params[i];
        uint32_t base = catalog_base_type(w->ctx->cat, w->facts->shape.param_oids[i]);
        const catalog_type *type = catalog_type_by_oid(w->ctx->cat, base);
        if (type == NULL || type->array_oid == 0 || type->element_oid != 0 ||
            type->kind == CATALOG_COMPOSITE) {
            return false;
        }
        param->array_sql = arena_printf(w->ctx->arena, "%s[]", type->spelling);
        param->array_oid = type->array_oid < CATALOG_FIRST_USER_OID ? type->array_oid : 0;
        param->element_oid = base < CATALOG_FIRST_USER_OID ? base : C_TYPE_UNCHECKED;
        if (param->array_sql == NULL) {
            return false;
        }
    }
    return w->query->param_count > 0;
}

/* "SELECT … FROM unnest(…)" for one row of values, which starts behind its parenthesis. */
static void write_source(const bulk_work *w, buf *out, size_t *pos)
{
    slice sql = w->facts->sql;
    size_t depth = 0;
    buf_add_str(out, "SELECT ");
    for (lex_token t = lex_next(sql, pos); t.kind != LEX_END; t = lex_next(sql, pos)) {
        if (lex_is_char(sql, t, ')') && depth == 0) {
            break;
        }
        depth += lex_is_char(sql, t, '(') ? 1 : 0;
        depth -= lex_is_char(sql, t, ')') ? 1 : 0;
        buf_add_str(out, t.kind == LEX_PARAM ? "bulk.p" : "");
        buf_add(out, slice_sub(sql, t.start + (t.kind == LEX_PARAM ? 1 : 0), t.end));
    }
    buf_add_str(out, "\nFROM unnest(");
    for (size_t i = 0; i < w->query->param_count; i++) {
        buf_printf(out, "%s$%zu::%s", i == 0 ? "" : ", ", i + 1, w->query->params[i].array_sql);
    }
    buf_add_str(out, ") WITH ORDINALITY AS bulk (");
    for (size_t i = 0; i < w->query->param_count; i++) {
        buf_printf(out, "p%zu, ", i + 1);
    }
    buf_add_str(out, "n) ORDER BY bulk.n");
}

/* False: there is no such row, or parameters stand elsewhere. */
static bool write_text(const bulk_work *w, buf *out)
{
    slice sql = w->facts->sql;
    size_t pos = 0;
    bool done = false;
    for (lex_token t = lex_next(sql, &pos); t.kind != LEX_END; t = lex_next(sql, &pos)) {
        size_t behind = pos;
        if (!done && lex_is_word(sql, t, "values") &&
            lex_is_char(sql, lex_skip(sql, &behind), '(')) {
            pos = behind;
            write_source(w, out, &pos);
            done = true;
            behind = pos;
            if (lex_is_char(sql, lex_skip(sql, &behind), ',')) {
                return false;
            }
        } else if (t.kind == LEX_PARAM) {
            return false;
        } else {
            buf_add(out, lex_text(sql, t));
        }
    }
    return done;
}

/* query->bulk_sql, when all is well. */
static pgc_status build_bulk(bulk_work *w, pgc_error *err)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, (size_t) 16 << 20);
    bool good = array_types(w) && write_text(w, &text);
    if (text.failed) {
        return no_memory(w, err);
    }
    if (!good && w->query->cmd == QUERY_COPYFROM) {
        diag *d = diag_warning(w->ctx->diags, w->facts->source->file, w->facts->source->start,
                               "query \"%s\": the table has row-level security, and roles under it "
                               "cannot COPY",
                               w->query->name);
        diag_hint(w->ctx->diags, d,
                  "arrays and composites cannot be sent in arrays: use :batchexec");
        return PGC_OK;
    }
    if (!good) {
        complain(w, "@bulk needs INSERT … VALUES with one row, whose values hold all parameters",
                 "parameters cannot be arrays or composites; in ON CONFLICT use excluded.column");
        return PGC_OK;
    }
    w->query->bulk_sql = arena_copy(w->ctx->arena, buf_view(&text));
    return w->query->bulk_sql == NULL ? no_memory(w, err) : PGC_OK;
}

pgc_status bulk_build(const model_context *ctx, const query_facts *facts, ir_query *query, bool *ok,
                      pgc_error *err)
{
    bulk_work w = { .ctx = ctx, .facts = facts, .query = query, .ok = true };
    bool wanted = false;
    for (size_t i = 0; i < facts->source->flags.count; i++) {
        wanted = wanted || strcmp(VEC_AT(&facts->source->flags, query_flag, i)->word, "bulk") == 0;
    }
    if (query->choice_count > 0 && (wanted || query->cmd == QUERY_COPYFROM)) {
        complain(&w, "dynamic parts and many rows do not go together", "make two queries");
    } else if (wanted && (query_cmd_is_batch(query->cmd) || query->cmd == QUERY_COPYFROM)) {
        complain(&w, "@bulk does not go with this command", "use :exec, :execrows, :one or :many");
    } else if (query->cmd == QUERY_COPYFROM) {
        TRY(build_copy(&w, err));
    }
    query->bulk = wanted;
    if (w.ok && (wanted || (query->copy != NULL && query->copy->has_policies))) {
        TRY(build_bulk(&w, err));
    }
    *ok = w.ok;
    return PGC_OK;
}

/* The new texts must take the arrays; nothing else of them is of interest. */
pgc_status bulk_check(const model_context *ctx, pgc_conn *conn, const vec *texts, pgc_error *err)
{
    describe_item *items = ARENA_ARRAY(ctx->arena, texts->count + 1, describe_item);
    if (items == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "analyse %zu texts with arrays", texts->count);
    }
    for (size_t i = 0; i < texts->count; i++) {
        items[i] = (describe_item) { .name = "", .sql = VEC_AT(texts, bulk_text, i)->sql };
    }
    TRY(conn_describe_many(conn, items, texts->count, BULK_TIMEOUT_US, ctx->arena, err));
    for (size_t i = 0; i < texts->count; i++) {
        const query_source *source = VEC_AT(texts, bulk_text, i)->source;
        if (describe_is_fatal(items[i].status)) {
            if (err != NULL) {
                *err = *items[i].error;
            }
            return pgc_error_wrap(err, items[i].status, "analyse query \"%s\"", source->name);
        }
        if (items[i].status != PGC_OK) {
            diag *d =
                diag_error(ctx->diags, source->file, source->start, "%s", items[i].error->message);
            diag_hint(ctx->diags, d, "this is about the text with arrays that @bulk makes");
        }
    }
    return PGC_OK;
}
