/* Forms of a query. Parameters have one order for all forms, so that the values of a call can be
 * added in that order, leaving out those that the form does not use. One thread per connection. */
#include "base/prelude.h"

#include "sqlc/variants.h"

#include "sqlc/cname.h"
#include "sqlc/lex.h"

/* What is collected over the forms. */
typedef struct merger {
    const model_context *ctx;
    const query_source *source;
    query_facts *out;
    vec names;      /* of const char *: parameters in their one order */
    uint32_t *oids; /* by that order; room for all */
    param_fact *facts;
    bool *nullable;
    const char **reasons;
    null_claim *claims;
    bool ok;
} merger;

#define PARAMS_ROOM 256u

static pgc_status no_memory(const merger *m, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "analyse the forms of query \"%s\"", m->source->name);
}

/* before, name, behind: the message. */
static diag *query_error(merger *m, const char *before, const char *name, const char *behind)
{
    m->ok = false;
    return diag_error(m->ctx->diags, m->source->file, m->source->start, "%s \"%s\"%s", before, name,
                      behind);
}

/* Index of a name, added behind the others when it is new; SIZE_MAX: no memory, or too many. */
static size_t index_of(merger *m, const char *name)
{
    for (size_t i = 0; i < m->names.count; i++) {
        if (strcmp(*VEC_AT(&m->names, const char *, i), name) == 0) {
            return i;
        }
    }
    const char **slot =
        m->names.count >= PARAMS_ROOM ? NULL : VEC_ADD(m->ctx->arena, &m->names, const char *);
    if (slot == NULL) {
        return SIZE_MAX;
    }
    *slot = name;
    return m->names.count - 1;
}

/* The names that a form uses, in the one order. */
static pgc_status order_params(merger *m, const query_source *form, vec *order, pgc_error *err)
{
    query_text text;
    bool used[PARAMS_ROOM] = { false };
    bool ok = false;
    TRY(query_preprocess(m->ctx->arena, form, m->ctx->diags, &text, &ok, err));
    m->ok = m->ok && ok;
    for (size_t i = 0; m->ok && i < text.params.count; i++) {
        const query_param *p = VEC_AT(&text.params, query_param, i);
        if (p->name == NULL) {
            diag *d =
                query_error(m, "query", m->source->name, " has blocks and numbered parameters");
            diag_hint(m->ctx->diags, d, "give the parameters names: @name instead of $1");
            return PGC_OK;
        }
        size_t index = index_of(m, p->name);
        if (index == SIZE_MAX) {
            return no_memory(m, err);
        }
        used[index] = true;
    }
    for (size_t i = 0; i < m->names.count; i++) {
        const char **slot = used[i] ? VEC_ADD(m->ctx->arena, order, const char *) : NULL;
        if (used[i] && slot == NULL) {
            return no_memory(m, err);
        }
        if (used[i]) {
            *slot = *VEC_AT(&m->names, const char *, i);
        }
    }
    return PGC_OK;
}

/* Same columns in each form, else there is no one row type. */
static void merge_columns(merger *m, const query_facts *form)
{
    const described *a = &m->out->shape;
    const described *b = &form->shape;
    bool same = a->column_count == b->column_count;
    for (size_t i = 0; same && i < a->column_count; i++) {
        same = strcmp(a->columns[i].name, b->columns[i].name) == 0 &&
               a->columns[i].type_oid == b->columns[i].type_oid;
    }
    if (!same) {
        diag *d =
            query_error(m, "the blocks of query", m->source->name, " change its result columns");
        diag_hint(m->ctx->diags, d, "columns must have the same names and types in each form");
        return;
    }
    for (size_t i = 0; i < a->column_count; i++) {
        if (!form->claims[i].not_null) {
            m->claims[i] = form->claims[i];
        }
    }
}

/* A parameter of several forms has one type; it may be NULL if it may be so in any. */
static void merge_params(merger *m, const query_facts *form, const vec *order, variant_text *text)
{
    for (size_t i = 0; i < order->count && i < form->shape.param_count; i++) {
        const char *name = *VEC_AT(order, const char *, i);
        size_t index = index_of(m, name);
        bool known = m->oids[index] != 0;
        text->params[text->param_count++] = index;
        if (known && m->oids[index] != form->shape.param_oids[i]) {
            diag *d =
                query_error(m, "parameter", name, " has two types in the forms of this query");
            diag_hint(m->ctx->diags, d, "cast it to the same type in each block");
            return;
        }
        m->oids[index] = form->shape.param_oids[i];
        if (!known) {
            m->facts[index] = form->param_facts[i];
        }
        if (!known || form->param_nullable[i]) {
            m->nullable[index] = form->param_nullable[i];
            m->reasons[index] = form->param_reasons[i];
        }
    }
}

/* Blanks over what a form leaves out make most of a long query: a run of blanks and comments
 * becomes one, a line break if it had any, since that joins two strings. The name in front stays.
 */
static pgc_status squeeze(merger *m, slice *sql, pgc_error *err)
{
    char *out = arena_alloc(m->ctx->arena, sql->len + 1);
    if (out == NULL) {
        return no_memory(m, err);
    }
    size_t used = 0;
    char gap = '\0';
    size_t pos = 0;
    for (lex_token t = lex_next(*sql, &pos); t.kind != LEX_END; t = lex_next(*sql, &pos)) {
        slice token = lex_text(*sql, t);
        bool comment = t.kind == LEX_LINE_COMMENT || t.kind == LEX_BLOCK_COMMENT;
        if (t.kind == LEX_SPACE || (comment && used > 0)) {
            bool lines = t.kind == LEX_LINE_COMMENT || slice_find(token, '\n', 0) != SIZE_MAX;
            gap = lines ? '\n' : gap == '\0' ? ' ' : gap;
            continue;
        }
        if (gap != '\0' && used > 0) {
            out[used++] = gap;
        }
        gap = '\0';
        memcpy(out + used, token.ptr, token.len);
        used += token.len;
    }
    assert(used <= sql->len);
    out[used] = '\0';
    *sql = (slice) { out, used };
    return PGC_OK;
}

/* One form, from text to facts. */
static pgc_status add_form(merger *m, pgc_conn *conn, size_t variant, size_t *ordinal,
                           query_variants *all, pgc_error *err)
{
    query_source form;
    vec order = { 0 };
    query_facts facts;
    bool ok = false;
    variant_text *text = &all->texts[variant];
    TRY(blocks_variant(m->ctx->arena, m->source, &all->blocks, variant, &form, err));
    TRY(order_params(m, &form, &order, err));
    if (!m->ok) {
        return PGC_OK;
    }
    form.param_order = &order;
    text->params = ARENA_ARRAY(m->ctx->arena, order.count + 1, size_t);
    if (text->params == NULL) {
        return no_memory(m, err);
    }
    TRY(describe_query(m->ctx, conn, &form, (*ordinal)++, &facts, &ok, err));
    m->ok = m->ok && ok;
    if (!ok) {
        return PGC_OK;
    }
    if (variant == 0) {
        *m->out = facts;
        m->claims = ARENA_ARRAY(m->ctx->arena, facts.shape.column_count + 1, null_claim);
        if (m->claims == NULL) {
            return no_memory(m, err);
        }
        memcpy(m->claims, facts.claims, facts.shape.column_count * sizeof *m->claims);
    }
    merge_columns(m, &facts);
    merge_params(m, &facts, &order, text);
    text->sql = facts.sql;
    return squeeze(m, &text->sql, err);
}

/* Parameters that decide about a block may be NULL: that is how they say no. */
static void block_params(merger *m, const query_blocks *blocks)
{
    for (size_t i = 0; i < blocks->choices.count; i++) {
        const block_choice *choice = VEC_AT(&blocks->choices, block_choice, i);
        for (size_t k = 0; !choice->is_switch && k < m->names.count; k++) {
            if (strcmp(*VEC_AT(&m->names, const char *, k), choice->name) == 0) {
                m->nullable[k] = true;
                m->reasons[k] = "NULL leaves out what depends on it";
            }
        }
    }
}

/* What rows_build() works with: parameters of all forms. */
static pgc_status finish(merger *m, const query_blocks *blocks, pgc_error *err)
{
    query_facts *out = m->out;
    block_params(m, blocks);
    out->source = m->source;
    out->claims = m->claims;
    out->shape.param_count = m->names.count;
    out->shape.param_oids = m->oids;
    out->param_facts = m->facts;
    out->param_nullable = m->nullable;
    out->param_reasons = m->reasons;
    for (size_t i = out->text.params.count; i < m->names.count; i++) {
        query_param *p = VEC_ADD(m->ctx->arena, &out->text.params, query_param);
        if (p == NULL) {
            return no_memory(m, err);
        }
        *p = (query_param) { .number = (uint32_t) i + 1,
                             .name = *VEC_AT(&m->names, const char *, i),
                             .at = m->source->start };
    }
    return PGC_OK;
}

pgc_status variants_describe(const model_context *ctx, pgc_conn *conn, const query_source *source,
                             size_t *ordinal, query_variants *variants, bool *ok, pgc_error *err)
{
    merger m = { .ctx = ctx, .source = source, .out = &variants->facts };
    *variants = (query_variants) { 0 };
    *ok = false;
    TRY(blocks_read(ctx->arena, source, ctx->diags, &variants->blocks, &m.ok, err));
    if (!m.ok) {
        return PGC_OK;
    }
    if (variants->blocks.choices.count == 0) {
        return describe_query(ctx, conn, source, (*ordinal)++, &variants->facts, ok, err);
    }
    variants->texts = ARENA_ARRAY(ctx->arena, variants->blocks.variant_count, variant_text);
    m.oids = ARENA_ARRAY(ctx->arena, PARAMS_ROOM, uint32_t);
    m.facts = ARENA_ARRAY(ctx->arena, PARAMS_ROOM, param_fact);
    m.nullable = ARENA_ARRAY(ctx->arena, PARAMS_ROOM, bool);
    m.reasons = ARENA_ARRAY(ctx->arena, PARAMS_ROOM, const char *);
    if (variants->texts == NULL || m.oids == NULL || m.facts == NULL || m.nullable == NULL ||
        m.reasons == NULL) {
        return no_memory(&m, err);
    }
    for (size_t v = 0; v < variants->blocks.variant_count && m.ok; v++) {
        TRY(add_form(&m, conn, v, ordinal, variants, err));
    }
    if (m.ok) {
        TRY(finish(&m, &variants->blocks, err));
    }
    *ok = m.ok;
    return PGC_OK;
}

/* Names of a switch: its type and its constants.
 *
 *     sort of ListBooks: lib_list_books_sort, LIB_LIST_BOOKS_SORT_NEWEST, … */
static pgc_status build_switch(const model_context *ctx, const ir_query *query,
                               const block_choice *from, ir_choice *to, pgc_error *err)
{
    const char **constants = ARENA_ARRAY(ctx->arena, from->options.count, const char *);
    to->kind = IR_CHOICE_SWITCH;
    to->type = arena_printf(ctx->arena, "%s_%s_%s", ctx->set->prefix, query->c_name, to->name);
    for (size_t i = 0; constants != NULL && i < from->options.count; i++) {
        char *lower =
            arena_printf(ctx->arena, "%s_%s", to->type, *VEC_AT(&from->options, const char *, i));
        constants[i] = lower == NULL ? NULL : cname_upper(ctx->arena, lower);
        if (constants[i] == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "name the values of a switch");
        }
    }
    to->constants = constants;
    return constants == NULL || to->type == NULL
               ? pgc_error_set(err, PGC_NOMEM, "name the values of a switch")
               : PGC_OK;
}

static pgc_status build_choice(const model_context *ctx, const ir_query *query,
                               const block_choice *from, ir_choice *to, pgc_error *err)
{
    *to = (ir_choice) { .kind = IR_CHOICE_FLAG,
                        .option_count = from->option_count,
                        .stride = from->stride };
    for (size_t i = 0; !from->is_switch && i < query->param_count; i++) {
        if (strcmp(query->params[i].sql_name, from->name) == 0) {
            to->kind = IR_CHOICE_PARAM;
            to->param = i;
            to->name = query->params[i].name;
            return PGC_OK;
        }
    }
    TRY(model_field_name(ctx, from->name, &to->name, err));
    if (!from->is_switch) {
        to->name = arena_printf(ctx->arena, "with_%s", from->name);
    }
    if (to->name == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "name the blocks of \"%s\"", query->name);
    }
    return from->is_switch ? build_switch(ctx, query, from, to, err) : PGC_OK;
}

/* A form's statement is named after its text and its own parameters. */
static pgc_status build_text(const model_context *ctx, const ir_query *query,
                             const variant_text *from, ir_variant *to, pgc_error *err)
{
    ir_param *params = ARENA_ARRAY(ctx->arena, from->param_count + 1, ir_param);
    char *sql = arena_printf(ctx->arena, "-- name: %s :%s\n%s", query->name,
                             query_cmd_text(query->cmd), from->sql.ptr);
    if (params == NULL || sql == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "write the forms of \"%s\"", query->name);
    }
    for (size_t i = 0; i < from->param_count; i++) {
        params[i] = query->params[from->params[i]];
    }
    *to = (ir_variant) { .sql = { sql, strlen(sql) },
                         .params = from->params,
                         .param_count = from->param_count };
    to->hash = ir_query_hash(to->sql, params, from->param_count);
    return PGC_OK;
}

pgc_status variants_build(const model_context *ctx, const query_variants *variants, ir_query *query,
                          pgc_error *err)
{
    const vec *choices = &variants->blocks.choices;
    if (choices->count == 0) {
        return PGC_OK;
    }
    query->choices = ARENA_ARRAY(ctx->arena, choices->count, ir_choice);
    query->variants = ARENA_ARRAY(ctx->arena, variants->blocks.variant_count, ir_variant);
    if (query->choices == NULL || query->variants == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "write the forms of \"%s\"", query->name);
    }
    for (size_t i = 0; i < choices->count; i++) {
        TRY(build_choice(ctx, query, VEC_AT(choices, block_choice, i), &query->choices[i], err));
    }
    for (size_t v = 0; v < variants->blocks.variant_count; v++) {
        TRY(build_text(ctx, query, &variants->texts[v], &query->variants[v], err));
    }
    query->choice_count = choices->count;
    query->variant_count = variants->blocks.variant_count;
    return PGC_OK;
}
