/* The row type of one query. A model is used again whenever that is sound: the columns are the
 * table's, in order, and every column that the model calls NOT NULL is proved so here. One thread
 * per context. */
#include "base/prelude.h"

#include "sqlc/rows_parts.h"

#include "base/buf.h"
#include "sqlc/cname.h"

/* True when columns [first, first + model's) are that model's and its NOT NULL claims hold. The
 * other direction does not matter: a value fits a nullable field. */
static bool model_claims_hold(const rows_builder *b, const ir_row *model, size_t first)
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
static ir_row *matching_model(const rows_builder *b)
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
static pgc_status field_name(rows_builder *b, const ir_row *row, const char *raw, size_t position,
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
            diag *d = rows_error(b, message);
            diag_hint(b->ctx->diags, d, "give it an alias with AS");
            *out = "";
            return PGC_OK;
        }
    }
    if (name == NULL) {
        return rows_no_memory(b, err);
    }
    *out = name;
    size_t number = 1;
    while (*out != NULL && has_field(row, *out)) {
        *out = arena_printf(b->ctx->arena, "%s_%zu", name, ++number);
    }
    if (number == 2) { /* told once, however many there are */
        diag *d = diag_warning(b->ctx->diags, b->facts->source->file, b->facts->source->start,
                               "two result columns are called \"%s\"", raw);
        diag_hint(b->ctx->diags, d, "give one an alias with AS");
    }
    return *out == NULL ? rows_no_memory(b, err) : PGC_OK;
}

/* The claims of all its columns decide whether the row may be absent. Named by its alias, as
 * upstream does. */
static pgc_status add_embed(rows_builder *b, ir_row *row, const embed_span *span, pgc_error *err)
{
    ir_field *field = &row->fields[row->field_count];
    assert(span->model != NULL);
    TRY(field_name(b, row, span->embed->name, span->first + 1, &field->name, err));
    field->sql_name = span->embed->name;
    field->embed = span->model;
    field->column = span->first;
    for (size_t i = 0; i < span->model->field_count; i++) {
        if (b->query->columns[span->first + i].elems_not_null) {
            diag *d = rows_error(b, "@nonnull_elems: the column is one of sqlc.embed");
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
static pgc_status add_column(rows_builder *b, ir_row *row, size_t index, pgc_error *err)
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
static pgc_status build_row(rows_builder *b, ir_row **out, pgc_error *err)
{
    ir_row *row = ARENA_NEW(b->ctx->arena, ir_row);
    if (row == NULL) {
        return rows_no_memory(b, err);
    }
    row->kind = IR_ROW_QUERY;
    row->column_count = b->query->column_count;
    row->fields = ARENA_ARRAY(b->ctx->arena, b->query->column_count + 1, ir_field);
    row->name = arena_printf(b->ctx->arena, "%s_%s_row", b->ctx->set->prefix, b->query->c_name);
    row->base = row->name;
    if (row->fields == NULL || row->name == NULL) {
        return rows_no_memory(b, err);
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
static char *field_list(const rows_builder *b, const ir_row *row)
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

/* A row type of several queries stands in models.h. */
static pgc_status add_shared(rows_builder *b, ir_row *row, pgc_error *err)
{
    ir_row **slot = VEC_ADD(b->ctx->arena, &b->ctx->set->shared, ir_row *);
    if (slot == NULL) {
        return rows_no_memory(b, err);
    }
    row->kind = IR_ROW_SHARED;
    *slot = row;
    return PGC_OK;
}

/* @row Name: one struct for all queries that name it. A field is nullable when it is so in any.
 * The first query that names it decides about names and order. */
static pgc_status share_row(rows_builder *b, const query_flag *flag, ir_row *row, pgc_error *err)
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
        return rows_no_memory(b, err);
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
    b->query->row = row;
    return add_shared(b, row, err);
}

/* The same to a caller in everything: names, types and what can be NULL. */
static bool equal_rows(const ir_row *a, const ir_row *b)
{
    bool equal = same_fields(a, b);
    for (size_t i = 0; equal && i < a->field_count; i++) {
        equal = a->fields[i].nullable == b->fields[i].nullable &&
                strcmp(a->fields[i].sql_name, b->fields[i].sql_name) == 0;
    }
    return equal;
}

/* share_rows: an earlier query's struct, where it is the same. It keeps the name of the first one,
 * so a query put in front of that changes the name. */
static pgc_status share_equal(rows_builder *b, ir_row *row, pgc_error *err)
{
    ir_set *set = b->ctx->set;
    for (size_t i = 0; i < set->own_rows.count; i++) {
        ir_row *known = *VEC_AT(&set->own_rows, ir_row *, i);
        if (equal_rows(known, row)) {
            b->query->row = known;
            return known->kind == IR_ROW_SHARED ? PGC_OK : add_shared(b, known, err);
        }
    }
    ir_row **slot = VEC_ADD(b->ctx->arena, &set->own_rows, ir_row *);
    if (slot == NULL) {
        return rows_no_memory(b, err);
    }
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
pgc_status rows_choose(rows_builder *b, pgc_error *err)
{
    const query_flag *shared = rows_flag(b->facts->source, "row");
    ir_row *model = b->facts->embed_count > 0 || shared != NULL ? NULL : matching_model(b);
    ir_row *row = NULL;
    assert(b->query->row == NULL);
    if (b->query->column_count == 0) {
        char message[160];
        (void) snprintf(message, sizeof message,
                        "query \"%s\" specifies parameter \":%s\" without containing a RETURNING "
                        "clause",
                        b->query->name, query_cmd_text(b->query->cmd));
        diag *d = rows_error(b, message);
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
            return rows_no_memory(b, err);
        }
    } else if (b->ctx->options->share_rows) {
        return share_equal(b, row, err);
    }
    b->query->row = row;
    return PGC_OK;
}
