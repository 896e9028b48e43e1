/* Columns and parameters of one query: types, names, and who says what about NULL. The row type is
 * chosen in rows_struct.c. One thread per context. */
#include "base/prelude.h"

#include "sqlc/rows_parts.h"

#include "base/word_guess.h"
#include "sqlc/cname.h"
#include "sqlc/shapes.h"

#define PARAMS_MAX 64u /* PGC_ARGS_MAX of the runtime */

pgc_status rows_no_memory(const rows_builder *b, pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "analyse query \"%s\"", b->facts->source->name);
}

diag *rows_error(rows_builder *b, const char *message)
{
    b->ok = false;
    return diag_error(b->ctx->diags, b->facts->source->file, b->facts->source->start, "%s",
                      message);
}

const query_flag *rows_flag(const query_source *source, const char *word)
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
static void type_error(rows_builder *b, const char *what, const char *name, uint32_t type_oid)
{
    char message[256];
    const catalog_type *type = catalog_type_by_oid(b->ctx->cat, type_oid);
    const char *spelling = type == NULL ? "unknown" : type->spelling;
    (void) snprintf(message, sizeof message, "%s \"%s\" has type %s, which has no C type", what,
                    name, spelling);
    diag *d = rows_error(b, message);
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

/* The flag such as "@nonnull a b" that names the column; NULL: none. Column names as in the result;
 * blanks part them. */
static const query_flag *flag_of(const query_source *source, const char *word, const char *column)
{
    for (size_t i = 0; i < source->flags.count; i++) {
        const query_flag *flag = VEC_AT(&source->flags, query_flag, i);
        slice rest = { flag->rest, strlen(flag->rest) };
        while (strcmp(flag->word, word) == 0 && rest.ptr != NULL) {
            slice name = slice_trim(slice_next(&rest, ' '));
            if (name.len > 0 && slice_eq_str(name, column)) {
                return flag;
            }
        }
    }
    return NULL;
}

/* @nonnull_elems: the array gets a type without flags for its elements. Decoding refuses a NULL
 * among them. False: what is named so is no array of a type of ours. */
static bool apply_elems(rows_builder *b, const char *what, const char *name, uint32_t oid,
                        ir_type *type, const char **reason)
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
        diag *d = rows_error(b, message);
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

/* Sqlc.md §8.4: who says "nullable" of what was proved has a wrong idea of one of the two. */
static void warn_of_proof(const rows_builder *b, const ir_column *column, size_t at,
                          const char *said)
{
    if (!column->nullable) {
        diag *d = diag_warning(b->ctx->diags, b->facts->source->file, at,
                               "%s: column \"%s\" is never NULL", said, column->sql_name);
        diag_hint(b->ctx->diags, d, "the proof: %s", column->reason);
    }
}

/* The user's word on a column counts more than the proof. A wrong @nonnull is found at run time:
 * a NULL is then an error, never a zero. */
static void apply_overrides(const rows_builder *b, ir_column *column)
{
    const query_flag *flag = flag_of(b->facts->source, "nonnull", column->sql_name);
    if (flag != NULL) {
        column->nullable = false;
        column->reason = "@nonnull in the query";
        return;
    }
    flag = flag_of(b->facts->source, "nullable", column->sql_name);
    if (flag != NULL) {
        warn_of_proof(b, column, flag->at, "@nullable");
        column->nullable = true;
        column->reason = "@nullable in the query";
    }
}

/* AS "name!" is never NULL, AS "name?" may be; the mark is not part of the name. Counts more than a
 * comment, because it stands closer. */
static pgc_status apply_alias(const rows_builder *b, ir_column *column, pgc_error *err)
{
    size_t len = strlen(column->sql_name);
    char mark = len > 1 ? column->sql_name[len - 1] : '\0';
    if ((mark != '!' && mark != '?') || strcmp(column->sql_name, "?column?") == 0) {
        return PGC_OK;
    }
    if (mark == '?') {
        warn_of_proof(b, column, b->facts->source->start, "AS \"name?\"");
    }
    column->nullable = mark == '?';
    column->reason = mark == '!' ? "! in the query" : "? in the query";
    column->sql_name = arena_copy(b->ctx->arena, (slice) { column->sql_name, len - 1 });
    return column->sql_name == NULL ? rows_no_memory(b, err) : PGC_OK;
}

static bool names_something(const rows_builder *b, slice name, bool params, word_guess *guess)
{
    for (size_t i = 0; i < b->query->column_count; i++) {
        const char *known = b->query->columns[i].sql_name;
        word_guess_try(guess, (slice) { known, strlen(known) });
    }
    for (size_t i = 0; params && i < b->query->param_count; i++) {
        const char *known = b->query->params[i].sql_name;
        word_guess_try(guess, (slice) { known, strlen(known) });
    }
    assert(name.len > 0);
    return guess->best.ptr != NULL && guess->distance == 0;
}

/* A flag that names nothing would leave its author with another idea of the result than C has. */
static void check_names(rows_builder *b, const query_flag *flag, bool params)
{
    slice rest = { flag->rest, strlen(flag->rest) };
    bool any = false;
    while (rest.ptr != NULL) {
        slice name = slice_trim(slice_next(&rest, ' '));
        word_guess guess = { .typed = name };
        any = any || name.len > 0;
        if (name.len == 0 || names_something(b, name, params, &guess)) {
            continue;
        }
        diag *d = diag_error(b->ctx->diags, b->facts->source->file, flag->at,
                             "@%s: the query has no column \"%" SLICE_FMT "\"", flag->word,
                             SLICE_ARG(name));
        b->ok = false;
        if (guess.best.ptr != NULL) {
            diag_hint(b->ctx->diags, d, "did you mean \"%" SLICE_FMT "\"?", SLICE_ARG(guess.best));
        } else {
            diag_hint(b->ctx->diags, d, "names as in the result, with blanks between them");
        }
    }
    if (!any) {
        diag *d = diag_error(b->ctx->diags, b->facts->source->file, flag->at, "@%s names no column",
                             flag->word);
        diag_hint(b->ctx->diags, d, "names as in the result, with blanks between them");
        b->ok = false;
    }
}

static void check_flags(rows_builder *b)
{
    const vec *flags = &b->facts->source->flags;
    for (size_t i = 0; i < flags->count; i++) {
        const query_flag *flag = VEC_AT(flags, query_flag, i);
        bool elems = strcmp(flag->word, "nonnull_elems") == 0;
        if (elems || strcmp(flag->word, "nonnull") == 0 || strcmp(flag->word, "nullable") == 0) {
            check_names(b, flag, elems);
        }
    }
}

/* As the server describes them, with what was proved and what the user knows better. Stops at
 * the first column without C type: the others would be reported once it is cured. */
static pgc_status build_columns(rows_builder *b, pgc_error *err)
{
    const described *shape = &b->facts->shape;
    ir_column *columns = ARENA_ARRAY(b->ctx->arena, shape->column_count + 1, ir_column);
    if (columns == NULL) {
        return rows_no_memory(b, err);
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
            flag_of(b->facts->source, "nonnull_elems", columns[i].sql_name) != NULL;
        if (columns[i].elems_not_null &&
            !apply_elems(b, "column", columns[i].sql_name, from->type_oid, &columns[i].type,
                         &columns[i].reason)) {
            return PGC_OK;
        }
        use_type(&columns[i].type, columns[i].nullable);
        if (source != NULL) {
            columns[i].source = model_source(b->ctx, relation, source->name);
            if (columns[i].source == NULL) {
                return rows_no_memory(b, err);
            }
        }
    }
    b->query->columns = columns;
    b->query->column_count = shape->column_count;
    return PGC_OK;
}

/* SQL name of a parameter: as written, else what its place suggests, else its number. "dollar_N"
 * is upstream's word for parameters without any hint.
 *
 *     WHERE id = $1 -> id,  LIMIT $2 -> limit,  $3::int -> dollar_3 */
static const char *param_sql_name(const rows_builder *b, size_t index)
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
static bool wants_array(const rows_builder *b, size_t index)
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
static pgc_status name_param(rows_builder *b, size_t index, pgc_error *err)
{
    ir_param *param = &b->query->params[index];
    const char *name = NULL;
    param->sql_name = param_sql_name(b, index);
    if (param->sql_name == NULL) {
        return rows_no_memory(b, err);
    }
    TRY(model_field_name(b->ctx, param->sql_name, &name, err));
    if (name == NULL) {
        char message[160];
        (void) snprintf(message, sizeof message, "no C name can be made of parameter \"%s\"",
                        param->sql_name);
        (void) rows_error(b, message);
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
    return free_name == NULL ? rows_no_memory(b, err) : PGC_OK;
}

/* The declared type decides, not the column that the value is compared with. The column is only
 * where the name and the comment come from. */
static pgc_status build_param(rows_builder *b, size_t index, pgc_error *err)
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
        diag *d = rows_error(b, "sqlc.slice needs a place for an array");
        diag_hint(b->ctx->diags, d, "write: column = ANY(sqlc.slice(%s))", param->sql_name);
        return PGC_OK;
    }
    param->elems_not_null = flag_of(b->facts->source, "nonnull_elems", param->sql_name) != NULL;
    if (param->elems_not_null &&
        !apply_elems(b, "parameter", param->sql_name, oid, &param->type, &param->reason)) {
        return PGC_OK;
    }
    use_type(&param->type, param->nullable);
    if (column != NULL) {
        param->source = model_source(b->ctx, relation, column->name);
        return param->source == NULL ? rows_no_memory(b, err) : PGC_OK;
    }
    return PGC_OK;
}

/* The runtime sends a fixed number at most. More than the runtime's limit cannot be sent; arrays
 * can. */
static pgc_status build_params(rows_builder *b, pgc_error *err)
{
    size_t count = b->facts->shape.param_count;
    if (count > PARAMS_MAX) {
        char message[120];
        (void) snprintf(message, sizeof message, "%zu parameters: more than %u", count, PARAMS_MAX);
        diag *d = rows_error(b, message);
        diag_hint(b->ctx->diags, d, "pass arrays and unnest() them");
        return PGC_OK;
    }
    b->query->params = ARENA_ARRAY(b->ctx->arena, count + 1, ir_param);
    if (b->query->params == NULL) {
        return rows_no_memory(b, err);
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
    rows_builder b = { .ctx = ctx, .facts = facts, .query = query, .ok = true };
    *ok = false;
    TRY(build_params(&b, err));
    query->unnamed = rows_flag(facts->source, "unnamed") != NULL;
    query->generic = rows_flag(facts->source, "generic") != NULL;
    query->bulk = rows_flag(facts->source, "bulk") != NULL;
    query->read_only = rows_flag(facts->source, "read_only") != NULL;
    if (b.ok && query->unnamed && query->generic) {
        diag *d = rows_error(&b, "@unnamed and @generic contradict each other");
        diag_hint(ctx->diags, d,
                  "@unnamed plans at each call for its values, @generic once for all values");
    }
    if (b.ok && query_cmd_is_batch(query->cmd) && query->param_count == 0) {
        diag *d = rows_error(&b, ":batch* commands require parameters");
        diag_hint(ctx->diags, d, "use :exec, :one or :many");
    }
    if (b.ok && query_cmd_has_rows(query->cmd)) {
        TRY(build_columns(&b, err));
        if (b.ok) {
            TRY(rows_choose(&b, err));
        }
    }
    if (b.ok) {
        check_flags(&b);
    }
    *ok = b.ok;
    return PGC_OK;
}
