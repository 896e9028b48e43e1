/* A query of the request to the facts that a server gives for it. Types and NULLs are upstream's
 * word; what it has no words for comes from the text: the server's names of result columns, the
 * alias of an embed and whether an outer join may leave its row out, arrays behind ANY, and LIMIT,
 * which takes a bigint. One thread per world. */
#include "base/prelude.h"

#include "sqlc/plugin_world.h"

#include <plugin.pb-c.h>

#include "base/buf.h"
#include "sqlc/ast.h"
#include "sqlc/lex.h"
#include "sqlc/plugin_request.h"

#define PARAMS_MAX 65535u /* of the protocol */
#define TEXT_MAX   ((size_t) 16 << 20)

typedef struct work {
    const plugin_world *world;
    const model_context *ctx;
    const Plugin__Query *query;
    query_facts *facts;
    const Plugin__Column **params; /* by number, from 0 */
    bool ok;                       /* false: diags says what is wrong with the query */
} work;

static pgc_status no_memory(const work *w, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "read query \"%s\"", w->facts->source->name);
}

static void refuse(work *w, const char *hint, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(work *w, const char *hint, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    diag *d = diag_error(w->ctx->diags, w->facts->source->file, 0, "%s", text);
    diag_hint(w->ctx->diags, d, "%s", hint);
    w->ok = false;
}

/* Flags and marks that change the text: each text has to be looked at by a server. */
static void refuse_dynamic(work *w)
{
    static const char HINT[] = "such queries need \"sqlc-gen-c generate\", which asks a server";
    const query_source *source = w->facts->source;
    slice sql = source->file->text;
    size_t pos = 0;
    for (size_t i = 0; i < source->flags.count; i++) {
        const char *word = VEC_AT(&source->flags, query_flag, i)->word;
        if (strcmp(word, "optional") == 0 || strcmp(word, "patch") == 0) {
            refuse(w, HINT, "@%s does not work in a plugin", word);
        }
    }
    for (lex_token t = lex_next(sql, &pos); t.kind != LEX_END; t = lex_next(sql, &pos)) {
        if (t.kind == LEX_BAD) {
            refuse(w, "it comes from sqlc like that", "%s", t.why);
        } else if (t.kind == LEX_BLOCK_COMMENT && slice_starts(lex_text(sql, t), SLICE("/*@"))) {
            refuse(w, HINT, "/*@ … */ blocks do not work in a plugin");
            return;
        }
    }
}

/* By number, which upstream gives once each and without gaps. */
static pgc_status order_params(work *w, pgc_error *err)
{
    size_t count = w->query->n_params;
    w->params = ARENA_ARRAY(w->ctx->arena, count + 1, const Plugin__Column *);
    if (w->params == NULL) {
        return no_memory(w, err);
    }
    for (size_t i = 0; i < count && w->ok; i++) {
        const Plugin__Parameter *param = w->query->params[i];
        bool fits = count <= PARAMS_MAX && param->number >= 1 && (size_t) param->number <= count &&
                    param->column != NULL && w->params[param->number - 1] == NULL;
        if (!fits) {
            refuse(w, "it comes from sqlc like that", "parameters are not numbered from 1 to %zu",
                   count);
            return PGC_OK;
        }
        w->params[param->number - 1] = param->column;
        query_param *known = VEC_ADD(w->ctx->arena, &w->facts->text.params, query_param);
        if (known == NULL) {
            return no_memory(w, err);
        }
        const char *name = plugin_text(&param->column->name);
        *known = (query_param) { .number = (uint32_t) param->number,
                                 .name = name[0] == '\0' ? NULL : name,
                                 .slice = param->column->is_sqlc_slice != 0 };
    }
    return PGC_OK;
}

static bool is_slice(const work *w, slice number)
{
    int64_t value = 0;
    return slice_to_i64(number, &value) && value >= 1 && (size_t) value <= w->query->n_params &&
           w->params[value - 1]->is_sqlc_slice;
}

/* Upstream leaves sqlc.slice() to its own Go code; ours sends an array.
 *
 *     x IN ($1)  ->  x = ANY($1)        x NOT IN ($1)  ->  x <> ALL($1) */
static void write_slices(const work *w, buf *out)
{
    slice sql = w->facts->source->file->text;
    size_t pos = 0;
    size_t not_at = SIZE_MAX; /* in out, of a NOT just before */
    for (lex_token t = lex_next(sql, &pos); t.kind != LEX_END; t = lex_next(sql, &pos)) {
        size_t behind = pos;
        lex_token open = lex_skip(sql, &behind);
        lex_token param = lex_skip(sql, &behind);
        lex_token close = lex_skip(sql, &behind);
        bool list = lex_is_word(sql, t, "in") && lex_is_char(sql, open, '(') &&
                    param.kind == LEX_PARAM && lex_is_char(sql, close, ')') &&
                    is_slice(w, slice_sub(sql, param.start + 1, param.end));
        if (list && !out->failed) {
            out->len = not_at == SIZE_MAX ? out->len : not_at;
            buf_add_str(out, not_at == SIZE_MAX ? "= ANY(" : "<> ALL(");
            buf_add(out, lex_text(sql, param));
            buf_add_char(out, ')');
            pos = behind;
        } else if (t.kind == LEX_SPACE && not_at != SIZE_MAX) {
            buf_add(out, lex_text(sql, t));
            continue; /* what was before still counts */
        } else {
            not_at = lex_is_word(sql, t, "not") ? out->len : SIZE_MAX;
            buf_add(out, lex_text(sql, t));
            continue;
        }
        not_at = SIZE_MAX;
    }
}

static pgc_status final_text(work *w, pgc_error *err)
{
    AUTO(buf_auto) buf text;
    bool any = false;
    buf_init(&text, NULL, TEXT_MAX);
    for (size_t i = 0; i < w->query->n_params; i++) {
        any = any || w->params[i]->is_sqlc_slice;
    }
    w->facts->sql = w->facts->source->file->text;
    if (!any) {
        return PGC_OK;
    }
    write_slices(w, &text);
    char *copy = text.failed ? NULL : arena_copy(w->ctx->arena, buf_view(&text));
    if (copy == NULL) {
        return no_memory(w, err);
    }
    w->facts->sql = (slice) { copy, text.len };
    return PGC_OK;
}

/* What upstream attributes a value to; *relation NULL: nothing that we know. */
static const catalog_column *source_of(const work *w, const Plugin__Column *column,
                                       const catalog_relation **relation)
{
    const char *name = plugin_text(&column->original_name);
    *relation = column->table == NULL ? NULL : plugin_relation(w->world, column->table);
    const catalog_column *found =
        *relation == NULL ? NULL : catalog_column_by_name(*relation, name);
    *relation = found == NULL ? NULL : *relation;
    return found;
}

/* The type, or a complaint that says which facts are missing. */
static uint32_t type_of(work *w, const Plugin__Column *column, bool array, const char *what,
                        const char *name)
{
    uint32_t oid = plugin_type(w->world, column->type, array);
    uint32_t plain = array ? plugin_type(w->world, column->type, false) : oid;
    const catalog_type *type = catalog_type_by_oid(w->world->cat, oid);
    const catalog_type *element = catalog_type_by_oid(w->world->cat, plain);
    ir_type found;
    if (plain == 0) {
        refuse(w, "say the type with a cast, e.g. ::text",
               "sqlc does not know the type of %s \"%s\"", what, name);
    } else if (type == NULL) {
        refuse(w, "cast it to text[]", "%s \"%s\": arrays of %s have no C type", what, name,
               element->spelling);
    } else if (element->oid >= CATALOG_FIRST_USER_OID && !model_type(w->ctx, oid, &found) &&
               !w->ctx->set->nomem) {
        refuse(w, "cast it, e.g. ::text, or give the db_type a c_type under overrides",
               "%s \"%s\" has type %s: sqlc does not tell a plugin what is inside a %s", what, name,
               type->spelling, element->kind == CATALOG_COMPOSITE ? "composite" : "domain");
    }
    return w->ok ? oid : 0;
}

/* NULL is sent where upstream takes it; a column that the config overrides counts as there. */
static pgc_status build_params(work *w, pgc_error *err)
{
    arena *mem = w->ctx->arena;
    query_facts *facts = w->facts;
    size_t count = w->query->n_params;
    uint32_t *oids = ARENA_ARRAY(mem, count + 1, uint32_t);
    param_fact *params = ARENA_ARRAY(mem, count + 1, param_fact);
    bool *nullable = ARENA_ARRAY(mem, count + 1, bool);
    const char **reasons = ARENA_ARRAY(mem, count + 1, const char *);
    if (oids == NULL || params == NULL || nullable == NULL || reasons == NULL) {
        return no_memory(w, err);
    }
    TRY(prove_params(w->world->cat, facts->sql, count, mem, params, err));
    for (size_t i = 0; i < count && w->ok; i++) {
        const Plugin__Column *from = w->params[i];
        const catalog_relation *relation = NULL;
        const catalog_column *column = source_of(w, from, &relation);
        bool array = from->is_array || from->is_sqlc_slice || params[i].array;
        const char *name = plugin_text(&from->name);
        uint32_t oid =
            params[i].context == PARAM_LIMIT
                ? OID_INT8
                : type_of(w, from, array, "parameter", name[0] == '\0' ? "without name" : name);
        /* The server compares varchar as text. */
        bool text = oid == OID_VARCHAR && params[i].context == PARAM_COMPARE;
        oids[i] = text ? OID_TEXT : c_type_declared(oid);
        nullable[i] = column != NULL && column->overridden ? !column->not_null : !from->not_null;
        reasons[i] = !nullable[i] ? "sqlc.narg would make it nullable"
                     : params[i].context == PARAM_TARGET && column != NULL && !column->not_null
                         ? "stored in a nullable column"
                         : "says sqlc";
        params[i] = (param_fact) { .name = params[i].name,
                                   .table_oid = relation == NULL ? 0 : relation->oid,
                                   .attnum = column == NULL ? (int16_t) 0 : column->attnum,
                                   .context = params[i].context };
    }
    facts->shape.param_oids = oids;
    facts->shape.param_count = count;
    facts->param_facts = params;
    facts->param_nullable = nullable;
    facts->param_reasons = reasons;
    return PGC_OK;
}

static bool is_embed(const Plugin__Column *column)
{
    return column->embed_table != NULL && column->embed_table->name.len > 0;
}

/* Result columns of the text, where an embed is spelled out. */
static size_t count_columns(work *w)
{
    size_t count = 0;
    for (size_t i = 0; i < w->query->n_columns && w->ok; i++) {
        const Plugin__Column *column = w->query->columns[i];
        if (!is_embed(column)) {
            count++;
            continue;
        }
        const catalog_relation *relation = plugin_relation(w->world, column->embed_table);
        const ir_row *model = relation == NULL ? NULL : model_of(w->ctx, relation->oid);
        const char *name = plugin_text(&column->embed_table->name);
        if (model == NULL) {
            refuse(w, "embed takes a table or view", "sqlc.embed(%s): not a table of the schema",
                   name);
        } else if (model->left_out != NULL) {
            refuse(w, "list the columns instead, with casts",
                   "sqlc.embed(%s): sqlc does not tell a plugin enough about %s", name,
                   model->left_out);
        } else {
            count += model->field_count;
            w->facts->embed_count++;
        }
    }
    return count;
}

/* Result columns while they are made. */
typedef struct columns {
    described_column *items;
    null_claim *claims;
    size_t count;
    size_t embeds;
} columns;

/* The alias in front of an expanded embed's column; the table's name when the text hides it. */
static const char *embed_alias(const ast *statement, size_t index, const char *otherwise)
{
    const ast *node = statement;
    while (ast_get(node, "larg") != NULL) {
        node = ast_get(node, "larg");
    }
    const ast *list =
        ast_get(node, ast_kind_of(node) == AST_SELECT ? "targetList" : "returningList");
    const ast *value = ast_get(ast_nth(list, index), "val");
    const ast *fields = ast_kind_of(value) == AST_COLUMN_REF ? ast_get(value, "fields") : NULL;
    const char *alias =
        ast_count(fields) < 2 ? NULL : ast_text(ast_nth(fields, ast_count(fields) - 2));
    return alias == NULL ? otherwise : alias;
}

/* All columns of the table, as the text has them. Upstream says nothing about their NULLs: the
 * claims are those of our own proof. */
static pgc_status add_embed(work *w, const Plugin__Column *from, const ast *statement, columns *to,
                            pgc_error *err)
{
    const catalog_relation *relation = plugin_relation(w->world, from->embed_table);
    embed_span *span = &w->facts->embeds[to->embeds++];
    query_embed *embed = ARENA_NEW(w->ctx->arena, query_embed);
    assert(relation != NULL);
    if (embed == NULL) {
        return no_memory(w, err);
    }
    embed->name = embed_alias(statement, to->count, relation->name);
    embed->alias = embed->name;
    *span = (embed_span) { .embed = embed,
                           .model = model_of(w->ctx, relation->oid),
                           .first = to->count };
    span->model->used = true;
    for (size_t i = 0; i < relation->column_count; i++) {
        const catalog_column *column = &relation->columns[i];
        to->items[to->count++] = (described_column) { .name = column->name,
                                                      .type_oid = column->type_oid,
                                                      .typmod = -1,
                                                      .table_oid = relation->oid,
                                                      .table_column = column->attnum };
    }
    return PGC_OK;
}

/* The server's own name counts, where the text tells it. */
static void add_column(work *w, const Plugin__Column *from, const char *server_name, columns *to)
{
    const catalog_relation *relation = NULL;
    const catalog_column *column = source_of(w, from, &relation);
    const char *name = server_name != NULL ? server_name : plugin_text(&from->name);
    name = name[0] == '\0' ? "?column?" : name;
    uint32_t oid = type_of(w, from, from->is_array != 0, "column", name);
    null_claim *claim = &to->claims[to->count];
    bool says = column != NULL && column->overridden ? claim->not_null : from->not_null != 0;
    if (says != claim->not_null || claim->reason == NULL) {
        *claim = (null_claim) { .not_null = says, .reason = "says sqlc" };
    }
    to->items[to->count++] =
        (described_column) { .name = name,
                             .type_oid = oid,
                             .typmod = -1,
                             .table_oid = relation == NULL ? 0 : relation->oid,
                             .table_column = column == NULL ? (int16_t) 0 : column->attnum };
}

static pgc_status build_columns(work *w, pgc_error *err)
{
    arena *mem = w->ctx->arena;
    size_t count = count_columns(w);
    columns to = { .items = ARENA_ARRAY(mem, count + 1, described_column),
                   .claims = ARENA_ARRAY(mem, count + 1, null_claim) };
    const char **names = ARENA_ARRAY(mem, count + 1, const char *);
    bool *not_null = ARENA_ARRAY(mem, w->query->n_params + 1, bool);
    const ast *statement = NULL;
    w->facts->embeds = ARENA_ARRAY(mem, w->facts->embed_count + 1, embed_span);
    if (to.items == NULL || to.claims == NULL || names == NULL || not_null == NULL ||
        w->facts->embeds == NULL || !w->ok) {
        return w->ok ? no_memory(w, err) : PGC_OK;
    }
    for (size_t i = 0; i < w->query->n_params; i++) {
        not_null[i] = !w->facts->param_nullable[i];
    }
    prove_input input = { .sql = w->facts->sql,
                          .param_not_null = not_null,
                          .param_count = w->query->n_params };
    TRY(prove_columns_given(w->world->cat, &input, count, mem, to.claims, err));
    TRY(prove_names(w->world->cat, w->facts->sql, count, mem, names, err));
    if (w->facts->embed_count > 0 && ast_parse(w->facts->sql, mem, &statement, NULL) == PGC_NOMEM) {
        return no_memory(w, err);
    }
    for (size_t i = 0; i < w->query->n_columns && w->ok; i++) {
        if (is_embed(w->query->columns[i])) {
            TRY(add_embed(w, w->query->columns[i], statement, &to, err));
        } else {
            add_column(w, w->query->columns[i], names[to.count], &to);
        }
    }
    w->facts->shape.columns = to.items;
    w->facts->shape.column_count = to.count;
    w->facts->claims = to.claims;
    return PGC_OK;
}

pgc_status plugin_describe(void *arg, const model_context *ctx, const query_source *source,
                           query_variants *out, bool *ok, pgc_error *err)
{
    const plugin_world *world = arg;
    size_t index = (size_t) (source - VEC_AT(&world->sources, query_source, 0));
    *out = (query_variants) { .facts = { .source = source } };
    *ok = false;
    assert(index < world->queries.count);
    work w = { .world = world,
               .ctx = ctx,
               .query = *VEC_AT(&world->queries, const Plugin__Query *, index),
               .facts = &out->facts,
               .ok = true };
    refuse_dynamic(&w);
    TRY(order_params(&w, err));
    if (w.ok) {
        TRY(final_text(&w, err));
        TRY(build_params(&w, err));
    }
    if (w.ok && query_cmd_has_rows(source->cmd)) {
        TRY(build_columns(&w, err));
    }
    *ok = w.ok;
    return PGC_OK;
}
