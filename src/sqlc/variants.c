/* Forms of a query. Parameters have one order for all forms, so that the values of a call can be
 * added in that order, leaving out those that the form does not use. One thread per connection. */
#include "base/prelude.h"

#include "sqlc/variants.h"

#include "sqlc/cname.h"
#include "sqlc/lex.h"

/* One form on its way. */
typedef struct query_form {
    query_source source; /* the query's, with this form's text */
    vec order;           /* of const char *: the parameters it uses, in the one order */
    diag_list diags;     /* told only when the forms before it are good */
    bool ok;             /* its parameters are in order */
    const describe_work *work;
} query_form;

/* What is collected over the forms. */
typedef struct merger {
    const model_context *ctx;
    const query_source *source;
    query_facts *out;
    query_form *forms; /* one per variant */
    vec names;         /* of const char *: parameters in their one order */
    uint32_t *oids;    /* by that order; room for all */
    param_fact *facts;
    bool *nullable;
    const char **reasons;
    null_claim *claims;
    bool ok;
} merger;

#define PARAMS_ROOM 256u

static pgc_status no_memory(const query_source *source, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "analyse the forms of query \"%s\"", source->name);
}

/* before, name, behind: the message. */
static diag *query_error(diag_list *diags, const query_source *source, const char *before,
                         const char *name, const char *behind)
{
    return diag_error(diags, source->file, source->start, "%s \"%s\"%s", before, name, behind);
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
static pgc_status order_params(merger *m, query_form *f, pgc_error *err)
{
    query_text text;
    bool used[PARAMS_ROOM] = { false };
    TRY(query_preprocess(m->ctx->arena, &f->source, &f->diags, &text, &f->ok, err));
    for (size_t i = 0; f->ok && i < text.params.count; i++) {
        const query_param *p = VEC_AT(&text.params, query_param, i);
        if (p->name == NULL) {
            diag *d = query_error(&f->diags, m->source, "query", m->source->name,
                                  " has blocks and numbered parameters");
            diag_hint(&f->diags, d, "give the parameters names: @name instead of $1");
            f->ok = false;
            return PGC_OK;
        }
        size_t index = index_of(m, p->name);
        if (index == SIZE_MAX) {
            return no_memory(m->source, err);
        }
        used[index] = true;
    }
    for (size_t i = 0; i < m->names.count; i++) {
        const char **slot = used[i] ? VEC_ADD(m->ctx->arena, &f->order, const char *) : NULL;
        if (used[i] && slot == NULL) {
            return no_memory(m->source, err);
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
        diag *d = query_error(m->ctx->diags, m->source, "the blocks of query", m->source->name,
                              " change its result columns");
        diag_hint(m->ctx->diags, d, "columns must have the same names and types in each form");
        m->ok = false;
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
            diag *d = query_error(m->ctx->diags, m->source, "parameter", name,
                                  " has two types in the forms of this query");
            diag_hint(m->ctx->diags, d, "cast it to the same type in each block");
            m->ok = false;
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
        return no_memory(m->source, err);
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
static pgc_status merge_form(merger *m, size_t variant, query_variants *all, pgc_error *err)
{
    query_form *f = &m->forms[variant];
    variant_text *text = &all->texts[variant];
    TRY(diag_append(m->ctx->diags, &f->diags, err));
    if (!f->ok || !f->work->ok) {
        m->ok = false;
        return PGC_OK;
    }
    const query_facts *facts = &f->work->facts;
    text->params = ARENA_ARRAY(m->ctx->arena, f->order.count + 1, size_t);
    if (text->params == NULL) {
        return no_memory(m->source, err);
    }
    if (variant == 0) {
        *m->out = *facts;
        m->claims = ARENA_ARRAY(m->ctx->arena, facts->shape.column_count + 1, null_claim);
        if (m->claims == NULL) {
            return no_memory(m->source, err);
        }
        memcpy(m->claims, facts->claims, facts->shape.column_count * sizeof *m->claims);
    }
    merge_columns(m, facts);
    merge_params(m, facts, &f->order, text);
    text->sql = facts->sql;
    text->tree = facts->tree;
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
            return no_memory(m->source, err);
        }
        *p = (query_param) { .number = (uint32_t) i + 1,
                             .name = *VEC_AT(&m->names, const char *, i),
                             .at = m->source->start };
    }
    return PGC_OK;
}

/* Forms behind one whose parameters are not in order would only repeat its mistake. */
static pgc_status add_forms(merger *m, const query_blocks *blocks, describe_batch *batch,
                            size_t *ordinal, pgc_error *err)
{
    arena *mem = m->ctx->arena;
    bool ok = true;
    for (size_t v = 0; v < blocks->variant_count && ok; v++) {
        query_form *f = &m->forms[v];
        f->diags.arena = mem;
        TRY(blocks_variant(mem, m->source, blocks, v, &f->source, err));
        TRY(order_params(m, f, err));
        f->source.param_order = &f->order;
        ok = f->ok;
        if (ok) {
            TRY(describe_add(batch, &f->source, (*ordinal)++, &f->diags, &f->work, err));
        }
    }
    return PGC_OK;
}

pgc_status variants_add(describe_batch *batch, const query_source *source, size_t *ordinal,
                        query_variants *variants, pgc_error *err)
{
    const model_context *ctx = batch->ctx;
    bool ok = false;
    *variants = (query_variants) { .source = source };
    TRY(blocks_read(ctx->arena, source, ctx->diags, &variants->blocks, &ok, err));
    if (!ok) {
        return PGC_OK;
    }
    if (variants->blocks.choices.count == 0) {
        return describe_add(batch, source, (*ordinal)++, ctx->diags, &variants->only, err);
    }
    merger *m = ARENA_NEW(ctx->arena, merger);
    size_t count = variants->blocks.variant_count;
    variants->texts = ARENA_ARRAY(ctx->arena, count, variant_text);
    if (m == NULL || variants->texts == NULL) {
        return no_memory(source, err);
    }
    *m = (merger) { .ctx = ctx,
                    .source = source,
                    .forms = ARENA_ARRAY(ctx->arena, count, query_form),
                    .oids = ARENA_ARRAY(ctx->arena, PARAMS_ROOM, uint32_t),
                    .facts = ARENA_ARRAY(ctx->arena, PARAMS_ROOM, param_fact),
                    .nullable = ARENA_ARRAY(ctx->arena, PARAMS_ROOM, bool),
                    .reasons = ARENA_ARRAY(ctx->arena, PARAMS_ROOM, const char *),
                    .ok = true };
    if (m->forms == NULL || m->oids == NULL || m->facts == NULL || m->nullable == NULL ||
        m->reasons == NULL) {
        return no_memory(source, err);
    }
    variants->merger = m;
    return add_forms(m, &variants->blocks, batch, ordinal, err);
}

pgc_status variants_finish(query_variants *variants, bool *ok, pgc_error *err)
{
    merger *m = variants->merger;
    *ok = false;
    if (m == NULL) {
        if (variants->only != NULL && variants->only->ok) {
            variants->facts = variants->only->facts;
            *ok = true;
        }
        return PGC_OK;
    }
    m->out = &variants->facts;
    for (size_t v = 0; v < variants->blocks.variant_count && m->ok; v++) {
        TRY(merge_form(m, v, variants, err));
    }
    if (m->ok) {
        TRY(finish(m, &variants->blocks, err));
    }
    *ok = m->ok;
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
                         .param_count = from->param_count,
                         .tree = from->tree };
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
