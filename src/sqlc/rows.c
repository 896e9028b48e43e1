/* Row types and parameters of one query. A model is used again whenever that is sound: the columns
 * are the table's, in order, and every column that the model calls NOT NULL is proved so here. One
 * thread per context. */
#include "base/prelude.h"

#include "sqlc/rows.h"

#include "base/buf.h"
#include "sqlc/cname.h"
#include "sqlc/shapes.h"

#define PARAMS_MAX 64u /* PGC_ARGS_MAX of the runtime */

typedef struct builder {
    const model_context *ctx;
    const query_facts *facts; /* from the server and the provers */
    ir_query *query;
    bool ok; /* false: diags says what is wrong with the query */
} builder;

/* Names the query, because memory may run out on one odd query of many. */
static pgc_status no_memory(const builder *b, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "analyse query \"%s\"", b->facts->source->name);
}

/* An error of the whole query stands at its first token. */
static diag *query_error(builder *b, const char *message)
{
    b->ok = false;
    return diag_error(b->ctx->diags, b->facts->source->file, b->facts->source->start, "%s",
                      message);
}

/* The first flag of that word; NULL: none. */
static const query_flag *find_flag(const query_source *source, const char *word)
{
    for (size_t i = 0; i < source->flags.count; i++) {
        const query_flag *flag = VEC_AT(&source->flags, query_flag, i);
        if (strcmp(flag->word, word) == 0) {
            return flag;
        }
    }
    return NULL;
}

/* Complain about a type without C form, with the cast that gives one. The cast is the way out
 * that always works: every type has a text form. */
static void type_error(builder *b, const char *what, const char *name, uint32_t type_oid)
{
    char message[256];
    const catalog_type *type = catalog_type_by_oid(b->ctx->cat, type_oid);
    const char *spelling = type == NULL ? "unknown" : type->spelling;
    (void) snprintf(message, sizeof message, "%s \"%s\" has type %s, which has no C type", what,
                    name, spelling);
    diag *d = query_error(b, message);
    if (type_oid == OID_RECORD) {
        diag_hint(b->ctx->diags, d, "say which composite type it is, e.g. %s::type_name", name);
        return;
    }
    bool array = type != NULL && type->element_oid != 0;
    diag_hint(b->ctx->diags, d,
              "cast it to a type that has one, e.g. %s::text%s; in a list of "
              "columns it can also be left out",
              name, array ? "[]" : "");
}

/* Mark what a type refers to, so that unused enums can be left out. */
static void use_type(const ir_type *type, bool nullable)
{
    if (type->labels != NULL) {
        type->labels->used = true;
        type->labels->used_optional = type->labels->used_optional || nullable;
    }
    if (type->shape != NULL && !type->shape->used) {
        type->shape->used = true;
        for (size_t i = 0; i < type->shape->field_count; i++) {
            use_type(&type->shape->fields[i].type, type->shape->fields[i].nullable);
        }
    }
}

/* True when a flag such as "@nonnull a b" of the query names the column. Column names as in the
 * result; blanks part them. */
static bool flag_names(const query_source *source, const char *word, const char *column)
{
    for (size_t i = 0; i < source->flags.count; i++) {
        const query_flag *flag = VEC_AT(&source->flags, query_flag, i);
        slice rest = { flag->rest, strlen(flag->rest) };
        while (strcmp(flag->word, word) == 0 && rest.ptr != NULL) {
            slice name = slice_trim(slice_next(&rest, ' '));
            if (name.len > 0 && slice_eq_str(name, column)) {
                return true;
            }
        }
    }
    return false;
}

/* @nonnull_elems: the array gets a type without flags for its elements. Decoding refuses a NULL
 * among them. False: what is named so is no array of a type of ours. */
static bool apply_elems(builder *b, const char *what, const char *name, uint32_t oid, ir_type *type,
                        const char **reason)
{
    bool own = type->shape != NULL && type->shape->kind == IR_SHAPE_CUSTOM;
    ir_shape *shape = own ? NULL : shapes_nonnull(b->ctx, catalog_base_type(b->ctx->cat, oid));
    const char *told =
        arena_printf(b->ctx->arena, "%s; no element is NULL: @nonnull_elems", *reason);
    if (told == NULL || b->ctx->set->nomem) {
        b->ctx->set->nomem = true;
        return false;
    }
    if (shape == NULL) {
        char message[160];
        (void) snprintf(message, sizeof message, "@nonnull_elems: %s \"%s\" is no array", what,
                        name);
        diag *d = query_error(b, message);
        diag_hint(b->ctx->diags, d,
                  own ? "its type in the config knows about its elements"
                      : "it is about arrays; @nonnull is about the value itself");
        return false;
    }
    type->shape = shape;
    type->c = &shape->c;
    *reason = told;
    return true;
}

/* The user's word on a column counts more than the proof. A wrong @nonnull is found at run time:
 * a NULL is then an error, never a zero. */
static void apply_overrides(const builder *b, ir_column *column)
{
    if (flag_names(b->facts->source, "nonnull", column->sql_name)) {
        column->nullable = false;
        column->reason = "@nonnull in the query";
    } else if (flag_names(b->facts->source, "nullable", column->sql_name)) {
        column->nullable = true;
        column->reason = "@nullable in the query";
    }
}

/* AS "name!" is never NULL, AS "name?" may be; the mark is not part of the name. Counts more than a
 * comment, because it stands closer. */
static pgc_status apply_alias(const builder *b, ir_column *column, pgc_error *err)
{
    size_t len = strlen(column->sql_name);
    char mark = len > 1 ? column->sql_name[len - 1] : '\0';
    if ((mark != '!' && mark != '?') || strcmp(column->sql_name, "?column?") == 0) {
        return PGC_OK;
    }
    column->nullable = mark == '?';
    column->reason = mark == '!' ? "! in the query" : "? in the query";
    column->sql_name = arena_copy(b->ctx->arena, (slice) { column->sql_name, len - 1 });
    return column->sql_name == NULL ? no_memory(b, err) : PGC_OK;
}

/* As the server describes them, with what was proved and what the user knows better. Stops at
 * the first column without C type: the others would be reported once it is cured. */
static pgc_status build_columns(builder *b, pgc_error *err)
{
    const described *shape = &b->facts->shape;
    ir_column *columns = ARENA_ARRAY(b->ctx->arena, shape->column_count + 1, ir_column);
    if (columns == NULL) {
        return no_memory(b, err);
    }
    for (size_t i = 0; i < shape->column_count; i++) {
        const described_column *from = &shape->columns[i];
        const catalog_relation *relation =
            from->table_oid == 0 ? NULL : catalog_relation_by_oid(b->ctx->cat, from->table_oid);
        const catalog_column *source =
            relation == NULL ? NULL : catalog_column_by_attnum(relation, from->table_column);
        columns[i].sql_name = from->name;
        columns[i].nullable = !b->facts->claims[i].not_null;
        columns[i].reason = b->facts->claims[i].reason;
        apply_overrides(b, &columns[i]);
        TRY(apply_alias(b, &columns[i], err));
        if (!model_column_type(b->ctx, relation, source == NULL ? NULL : source->name,
                               from->type_oid, &columns[i].type)) {
            type_error(b, "column", from->name, from->type_oid);
            return PGC_OK;
        }
        columns[i].elems_not_null =
            flag_names(b->facts->source, "nonnull_elems", columns[i].sql_name);
        if (columns[i].elems_not_null &&
            !apply_elems(b, "column", columns[i].sql_name, from->type_oid, &columns[i].type,
                         &columns[i].reason)) {
            return PGC_OK;
        }
        use_type(&columns[i].type, columns[i].nullable);
        if (source != NULL) {
            columns[i].source = model_source(b->ctx, relation, source->name);
            if (columns[i].source == NULL) {
                return no_memory(b, err);
            }
        }
    }
    b->query->columns = columns;
    b->query->column_count = shape->column_count;
    return PGC_OK;
}

/* True when columns [first, first + model's) are that model's and its NOT NULL claims hold. The
 * other direction does not matter: a value fits a nullable field. */
static bool model_claims_hold(const builder *b, const ir_row *model, size_t first)
{
    assert(first + model->field_count <= b->query->column_count);
    for (size_t i = 0; i < model->field_count; i++) {
        if (!model->fields[i].nullable && b->query->columns[first + i].nullable) {
            return false;
        }
    }
    return true;
}

/* Only a whole table in its own order and names: anything else is another type. Source: sqlc.md
 * §2.6, but by OID and attnum instead of names. */
static ir_row *matching_model(const builder *b)
{
    const described *shape = &b->facts->shape;
    ir_row *model = shape->column_count == 0 ? NULL : model_of(b->ctx, shape->columns[0].table_oid);
    if (model == NULL || model->field_count != shape->column_count) {
        return NULL;
    }
    for (size_t i = 0; i < model->field_count; i++) {
        if (shape->columns[i].table_oid != model->relation_oid ||
            shape->columns[i].table_column != model->fields[i].attnum ||
            strcmp(shape->columns[i].name, model->fields[i].sql_name) != 0 ||
            b->query->columns[i].elems_not_null) {
            return NULL;
        }
    }
    return model_claims_hold(b, model, 0) ? model : NULL;
}

static bool has_field(const ir_row *row, const char *name)
{
    for (size_t i = 0; i < row->field_count; i++) {
        if (strcmp(row->fields[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* C name that no earlier field has: a number behind the second one, with a warning. Source:
 * sqlc.md §8.8. */
static pgc_status field_name(builder *b, const ir_row *row, const char *raw, size_t position,
                             const char **out, pgc_error *err)
{
    const char *name = NULL;
    if (strcmp(raw, "?column?") == 0) {
        name = arena_printf(b->ctx->arena, "column_%zu", position);
    } else {
        TRY(model_field_name(b->ctx, raw, &name, err));
        if (name == NULL) {
            char message[160];
            (void) snprintf(message, sizeof message, "no C name can be made of column \"%s\"", raw);
            diag *d = query_error(b, message);
            diag_hint(b->ctx->diags, d, "give it an alias with AS");
            *out = "";
            return PGC_OK;
        }
    }
    if (name == NULL) {
        return no_memory(b, err);
    }
    *out = name;
    for (size_t number = 2; *out != NULL && has_field(row, *out); number++) {
        *out = arena_printf(b->ctx->arena, "%s_%zu", name, number);
    }
    if (*out != name) {
        diag *d = diag_warning(b->ctx->diags, b->facts->source->file, b->facts->source->start,
                               "two result columns are called \"%s\"", raw);
        diag_hint(b->ctx->diags, d, "give one an alias with AS");
    }
    return *out == NULL ? no_memory(b, err) : PGC_OK;
}

/* The claims of all its columns decide whether the row may be absent. Named by its alias, as
 * upstream does. */
static pgc_status add_embed(builder *b, ir_row *row, const embed_span *span, pgc_error *err)
{
    ir_field *field = &row->fields[row->field_count];
    assert(span->model != NULL);
    TRY(field_name(b, row, span->embed->name, span->first + 1, &field->name, err));
    field->sql_name = span->embed->name;
    field->embed = span->model;
    field->column = span->first;
    for (size_t i = 0; i < span->model->field_count; i++) {
        if (b->query->columns[span->first + i].elems_not_null) {
            diag *d = query_error(b, "@nonnull_elems: the column is one of sqlc.embed");
            diag_hint(b->ctx->diags, d, "its type is that of the table's struct: name the columns");
            return PGC_OK;
        }
    }
    field->nullable = !model_claims_hold(b, span->model, span->first);
    field->reason = field->nullable ? "may be the empty side of an outer join"
                                    : "its NOT NULL columns are proved";
    span->model->used_optional = span->model->used_optional || field->nullable;
    row->field_count++;
    return PGC_OK;
}

/* A plain field. */
static pgc_status add_column(builder *b, ir_row *row, size_t index, pgc_error *err)
{
    ir_field *field = &row->fields[row->field_count];
    const ir_column *column = &b->query->columns[index];
    assert(index < b->query->column_count);
    TRY(field_name(b, row, column->sql_name, index + 1, &field->name, err));
    field->sql_name = column->sql_name;
    field->type = column->type;
    field->nullable = column->nullable;
    field->reason = column->reason;
    field->source = column->source;
    field->column = index;
    row->field_count++;
    return PGC_OK;
}

/* Struct of its own for the query's columns. Embeds take the columns of their model; all others
 * are fields of their own. */
static pgc_status build_row(builder *b, ir_row **out, pgc_error *err)
{
    ir_row *row = ARENA_NEW(b->ctx->arena, ir_row);
    if (row == NULL) {
        return no_memory(b, err);
    }
    row->kind = IR_ROW_QUERY;
    row->column_count = b->query->column_count;
    row->fields = ARENA_ARRAY(b->ctx->arena, b->query->column_count + 1, ir_field);
    row->name = arena_printf(b->ctx->arena, "%s_%s_row", b->ctx->set->prefix, b->query->c_name);
    row->base = row->name;
    if (row->fields == NULL || row->name == NULL) {
        return no_memory(b, err);
    }
    for (size_t i = 0; i < b->query->column_count && b->ok;) {
        const embed_span *span = NULL;
        for (size_t k = 0; k < b->facts->embed_count; k++) {
            span = b->facts->embeds[k].first == i ? &b->facts->embeds[k] : span;
        }
        if (span != NULL) {
            TRY(add_embed(b, row, span, err));
            i += span->model->column_count;
        } else {
            TRY(add_column(b, row, i++, err));
        }
    }
    *out = row;
    return PGC_OK;
}

/* Nullability may differ: it is merged. C types decide, because the struct is what is shared. */
static bool same_fields(const ir_row *a, const ir_row *b)
{
    bool same = a->field_count == b->field_count;
    for (size_t i = 0; same && i < a->field_count; i++) {
        const ir_field *x = &a->fields[i];
        const ir_field *y = &b->fields[i];
        same = strcmp(x->name, y->name) == 0 && x->embed == y->embed && x->column == y->column &&
               x->type.c == y->type.c && x->type.labels == y->type.labels &&
               x->type.shape == y->type.shape;
    }
    return same;
}

/* For a message that shows both sides. NULL: no memory; the hint then lacks it. */
static char *field_list(const builder *b, const ir_row *row)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 1 << 16);
    for (size_t i = 0; i < row->field_count; i++) {
        const ir_field *f = &row->fields[i];
        buf_printf(&text, "%s%s %s", i == 0 ? "" : ", ", f->name,
                   f->embed == NULL ? f->type.sql : f->embed->name);
    }
    return text.failed ? NULL : arena_copy(b->ctx->arena, buf_view(&text));
}

/* @row Name: one struct for all queries that name it. A field is nullable when it is so in any.
 * The first query that names it decides about names and order. */
static pgc_status share_row(builder *b, const query_flag *flag, ir_row *row, pgc_error *err)
{
    char *snake = NULL;
    TRY(cname_snake(b->ctx->arena, (slice) { flag->rest, strlen(flag->rest) }, &snake, err));
    if (snake == NULL) {
        (void) diag_error(b->ctx->diags, b->facts->source->file, flag->at,
                          "@row needs a name, e.g. \"@row AssetSummary\"");
        b->ok = false;
        return PGC_OK;
    }
    row->base = arena_printf(b->ctx->arena, "%s_%s", b->ctx->set->prefix, snake);
    row->name = row->base;
    if (row->base == NULL) {
        return no_memory(b, err);
    }
    for (size_t i = 0; i < b->ctx->set->shared.count; i++) {
        ir_row *known = *VEC_AT(&b->ctx->set->shared, ir_row *, i);
        if (strcmp(known->name, row->name) != 0) {
            continue;
        }
        if (!same_fields(known, row)) {
            diag *d = diag_error(b->ctx->diags, b->facts->source->file, flag->at,
                                 "@row %s: the columns differ from those of the first query that "
                                 "names it",
                                 flag->rest);
            diag_hint(b->ctx->diags, d, "first: %s; here: %s", field_list(b, known),
                      field_list(b, row));
            b->ok = false;
            return PGC_OK;
        }
        for (size_t k = 0; k < row->field_count; k++) {
            if (row->fields[k].nullable && !known->fields[k].nullable) {
                known->fields[k].nullable = true;
                known->fields[k].reason = row->fields[k].reason;
            }
        }
        b->query->row = known;
        return PGC_OK;
    }
    ir_row **slot = VEC_ADD(b->ctx->arena, &b->ctx->set->shared, ir_row *);
    if (slot == NULL) {
        return no_memory(b, err);
    }
    row->kind = IR_ROW_SHARED;
    *slot = row;
    b->query->row = row;
    return PGC_OK;
}

/* A model when it fits, a bare value for one column, else a struct. A table of one column gives
 * a bare value as well: a struct around one value helps nobody.
 *
 *     SELECT * FROM authors                 lib_author       (the model)
 *     SELECT count(*) FROM authors          int64_t          (a bare value)
 *     SELECT name, bio FROM authors         lib_<query>_row
 *     the same with "-- @row Brief"         lib_brief        (shared) */
static pgc_status choose_row(builder *b, pgc_error *err)
{
    const query_flag *shared = find_flag(b->facts->source, "row");
    ir_row *model = b->facts->embed_count > 0 || shared != NULL ? NULL : matching_model(b);
    ir_row *row = NULL;
    assert(b->query->row == NULL);
    if (b->query->column_count == 0) {
        char message[160];
        (void) snprintf(message, sizeof message,
                        "query \"%s\" specifies parameter \":%s\" without containing a RETURNING "
                        "clause",
                        b->query->name, query_cmd_text(b->query->cmd));
        diag *d = query_error(b, message);
        diag_hint(b->ctx->diags, d, "add RETURNING, or use %s",
                  query_cmd_is_batch(b->query->cmd) ? ":batchexec" : ":exec or :execrows");
        return PGC_OK;
    }
    if (model != NULL && b->query->column_count > 1) {
        model->used = true;
        b->query->row = model;
        return PGC_OK;
    }
    TRY(build_row(b, &row, err));
    if (!b->ok) {
        return PGC_OK;
    }
    if (shared != NULL) {
        return share_row(b, shared, row, err);
    }
    if (row->field_count == 1 && row->fields[0].embed == NULL) {
        row->kind = IR_ROW_SCALAR; /* no struct: the set is named after the query */
        row->base = arena_printf(b->ctx->arena, "%s_%s", b->ctx->set->prefix, b->query->c_name);
        if (row->base == NULL) {
            return no_memory(b, err);
        }
    }
    b->query->row = row;
    return PGC_OK;
}

/* SQL name of a parameter: as written, else what its place suggests, else its number. "dollar_N"
 * is upstream's word for parameters without any hint.
 *
 *     WHERE id = $1 -> id,  LIMIT $2 -> limit,  $3::int -> dollar_3 */
static const char *param_sql_name(const builder *b, size_t index)
{
    for (size_t i = 0; i < b->facts->text.params.count; i++) {
        const query_param *p = VEC_AT(&b->facts->text.params, query_param, i);
        if (p->number == index + 1 && p->name != NULL) {
            return p->name;
        }
    }
    const char *proposed = b->facts->param_facts[index].name;
    return proposed != NULL ? proposed : arena_printf(b->ctx->arena, "dollar_%zu", index + 1);
}

/* sqlc.slice stands for many values. */
static bool wants_array(const builder *b, size_t index)
{
    for (size_t i = 0; i < b->facts->text.params.count; i++) {
        const query_param *p = VEC_AT(&b->facts->text.params, query_param, i);
        if (p->number == index + 1) {
            return p->slice;
        }
    }
    return false;
}

/* Names that the generated function uses itself. Must list every local of the bodies that
 * emit_query.c writes. */
static bool is_local_name(const char *name)
{
    static const char *const LOCALS[] = { "db",     "out",      "err",    "p",     "args", "result",
                                          "status", "affected", "reader", "value", "it",   "more",
                                          "found",  "variant",  "index",  "batch", "row" };
    for (size_t i = 0; i < ARRAY_LEN(LOCALS); i++) {
        if (strcmp(name, LOCALS[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Among the parameters before this one. */
static bool has_param(const ir_query *query, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(query->params[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Function parameters must not hide names of the generated body. Tried until it is free: the
 * changed name may be another parameter's.
 *
 *     @class -> class_ (a keyword of C++),  @out -> out_ (a local),  @fooBar, @foo_bar -> foo_bar,
 *     foo_bar_2 */
static pgc_status name_param(builder *b, size_t index, pgc_error *err)
{
    ir_param *param = &b->query->params[index];
    const char *name = NULL;
    param->sql_name = param_sql_name(b, index);
    if (param->sql_name == NULL) {
        return no_memory(b, err);
    }
    TRY(model_field_name(b->ctx, param->sql_name, &name, err));
    if (name == NULL) {
        char message[160];
        (void) snprintf(message, sizeof message, "no C name can be made of parameter \"%s\"",
                        param->sql_name);
        (void) query_error(b, message);
        return PGC_OK;
    }
    bool by_value = b->query->choice_count == 0 &&
                    b->facts->shape.param_count <= (size_t) b->ctx->options->query_parameter_limit;
    const char *free_name =
        by_value && is_local_name(name) ? arena_printf(b->ctx->arena, "%s_", name) : name;
    for (size_t number = 2; free_name != NULL && has_param(b->query, index, free_name); number++) {
        free_name = arena_printf(b->ctx->arena, "%s_%zu", name, number);
    }
    param->name = free_name;
    return free_name == NULL ? no_memory(b, err) : PGC_OK;
}

/* The declared type decides, not the column that the value is compared with. The column is only
 * where the name and the comment come from. */
static pgc_status build_param(builder *b, size_t index, pgc_error *err)
{
    ir_param *param = &b->query->params[index];
    const param_fact *fact = &b->facts->param_facts[index];
    const catalog_relation *relation =
        fact->table_oid == 0 ? NULL : catalog_relation_by_oid(b->ctx->cat, fact->table_oid);
    const catalog_column *column =
        relation == NULL ? NULL : catalog_column_by_attnum(relation, fact->attnum);
    uint32_t oid = b->facts->shape.param_oids[index];
    const catalog_type *type = catalog_type_by_oid(b->ctx->cat, oid);
    assert(index < b->facts->shape.param_count);
    TRY(name_param(b, index, err));
    if (!b->ok) {
        return PGC_OK;
    }
    param->number = (uint32_t) index + 1;
    param->nullable = b->facts->param_nullable[index];
    param->reason = b->facts->param_reasons[index];
    /* Compared with a column is not the same as of its type: = ANY($1) takes an array. */
    bool alike = column != NULL && catalog_base_type(b->ctx->cat, oid) ==
                                       catalog_base_type(b->ctx->cat, column->type_oid);
    if (!model_column_type(b->ctx, relation, alike ? column->name : NULL, oid, &param->type)) {
        type_error(b, "parameter", param->sql_name, oid);
        return PGC_OK;
    }
    if (wants_array(b, index) && (type == NULL || type->element_oid == 0)) {
        diag *d = query_error(b, "sqlc.slice needs a place for an array");
        diag_hint(b->ctx->diags, d, "write: column = ANY(sqlc.slice(%s))", param->sql_name);
        return PGC_OK;
    }
    param->elems_not_null = flag_names(b->facts->source, "nonnull_elems", param->sql_name);
    if (param->elems_not_null &&
        !apply_elems(b, "parameter", param->sql_name, oid, &param->type, &param->reason)) {
        return PGC_OK;
    }
    use_type(&param->type, param->nullable);
    if (column != NULL) {
        param->source = model_source(b->ctx, relation, column->name);
        return param->source == NULL ? no_memory(b, err) : PGC_OK;
    }
    return PGC_OK;
}

/* The runtime sends a fixed number at most. More than the runtime's limit cannot be sent; arrays
 * can. */
static pgc_status build_params(builder *b, pgc_error *err)
{
    size_t count = b->facts->shape.param_count;
    if (count > PARAMS_MAX) {
        char message[120];
        (void) snprintf(message, sizeof message, "%zu parameters: more than %u", count, PARAMS_MAX);
        diag *d = query_error(b, message);
        diag_hint(b->ctx->diags, d, "pass arrays and unnest() them");
        return PGC_OK;
    }
    b->query->params = ARENA_ARRAY(b->ctx->arena, count + 1, ir_param);
    if (b->query->params == NULL) {
        return no_memory(b, err);
    }
    b->query->param_count = count;
    for (size_t i = 0; i < count && b->ok; i++) {
        TRY(build_param(b, i, err));
    }
    return PGC_OK;
}

/* Commands without rows ignore what RETURNING would give. */
pgc_status rows_build(const model_context *ctx, const query_facts *facts, ir_query *query, bool *ok,
                      pgc_error *err)
{
    builder b = { .ctx = ctx, .facts = facts, .query = query, .ok = true };
    *ok = false;
    TRY(build_params(&b, err));
    query->unnamed = find_flag(facts->source, "unnamed") != NULL;
    query->generic = find_flag(facts->source, "generic") != NULL;
    query->bulk = find_flag(facts->source, "bulk") != NULL;
    query->read_only = find_flag(facts->source, "read_only") != NULL;
    if (b.ok && query->unnamed && query->generic) {
        diag *d = query_error(&b, "@unnamed and @generic contradict each other");
        diag_hint(ctx->diags, d,
                  "@unnamed plans at each call for its values, @generic once for all values");
    }
    if (b.ok && query_cmd_is_batch(query->cmd) && query->param_count == 0) {
        diag *d = query_error(&b, ":batch* commands require parameters");
        diag_hint(ctx->diags, d, "use :exec, :one or :many");
    }
    if (b.ok && query_cmd_has_rows(query->cmd)) {
        TRY(build_columns(&b, err));
        if (b.ok) {
            TRY(choose_row(&b, err));
        }
    }
    *ok = b.ok;
    return PGC_OK;
}
