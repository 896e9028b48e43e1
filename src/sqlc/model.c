/* Models: one row type per table and view, with the columns that have a C type. Lists are sorted by
 * C name, so the output does not depend on OIDs. One thread per context. */
#include "base/prelude.h"

#include "sqlc/model.h"

#include "base/buf.h"
#include "sqlc/cname.h"
#include "sqlc/overrides.h"
#include "sqlc/prove.h"
#include "sqlc/shapes.h"

/* Every list of this file fails with the same words. */
static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "build the models");
}

/* Names can be cured in the config, so the complaint points there. The line is that of the sql
 * entry: the schema may be many files. */
static diag *config_error(const model_context *ctx, const char *what, const char *raw)
{
    diag *d = diag_error_at(ctx->diags, ctx->config_path, ctx->line, ctx->column,
                            "no C name can be made of %s \"%s\"", what, raw);
    diag_hint(ctx->diags, d, "give one under options.rename");
    return d;
}

/* The user's word for a raw name; NULL: none. One map for columns, tables and parameters, as
 * upstream has it (sqlc.md §1.4). */
static const char *renamed(const model_context *ctx, const char *raw)
{
    const vec *renames = &ctx->options->renames;
    for (size_t i = 0; i < renames->count; i++) {
        const config_rename *r = VEC_AT(renames, config_rename, i);
        if (strcmp(r->from, raw) == 0) {
            return r->to;
        }
    }
    return NULL;
}

/* A renamed field is taken as it is. */
pgc_status model_field_name(const model_context *ctx, const char *raw, const char **out,
                            pgc_error *err)
{
    const char *found = renamed(ctx, raw);
    if (found == NULL) {
        char *snake = NULL;
        TRY(cname_snake(ctx->arena, (slice) { raw, strlen(raw) }, &snake, err));
        found = snake == NULL ? NULL : cname_safe(ctx->arena, snake);
        if (found == NULL && snake != NULL) {
            return no_memory(err);
        }
    }
    *out = found;
    return PGC_OK;
}

/* What unqualified names mean in this database. The first schema of the search path that exists. */
static const char *default_schema(const model_context *ctx)
{
    size_t count = 0;
    const char *const *path = catalog_search_path(ctx->cat, &count);
    return count > 0 ? path[0] : "public";
}

/* The server's own tables are no models. Names that begin with pg_ are reserved for the server. */
static bool is_user_schema(const char *schema)
{
    return strncmp(schema, "pg_", 3) != 0 && strcmp(schema, "information_schema") != 0;
}

/* prefix_[schema_]name, where the schema is left out when it is the default one. *out NULL: no
 * name can be made. Schemas in names keep two tables of the same name apart.
 *
 *     public.authors -> lib_author, shop.orders -> lib_shop_order,
 *     rename {authors: Writer} -> lib_writer */
pgc_status model_type_name(const model_context *ctx, const char *schema, const char *name,
                           const char **out, pgc_error *err)
{
    const char *custom = renamed(ctx, name);
    bool plain = custom != NULL || strcmp(schema, default_schema(ctx)) == 0;
    const char *base = custom != NULL ? custom : name;
    const char *raw = plain ? base : arena_printf(ctx->arena, "%s_%s", schema, name);
    if (raw == NULL) {
        return no_memory(err);
    }
    char *snake = NULL;
    TRY(cname_snake(ctx->arena, (slice) { raw, strlen(raw) }, &snake, err));
    if (snake == NULL) {
        *out = NULL;
        return PGC_OK;
    }
    *out = arena_printf(ctx->arena, "%s_%s", ctx->options->prefix, snake);
    return *out == NULL ? no_memory(err) : PGC_OK;
}

/* For people; code goes by OID and attnum.
 *
 *     authors.name        shop.orders.total (not in the default schema) */
const char *model_source(const model_context *ctx, const catalog_relation *relation,
                         const char *column)
{
    bool plain = strcmp(relation->schema, default_schema(ctx)) == 0;
    return plain ? arena_printf(ctx->arena, "%s.%s", relation->name, column)
                 : arena_printf(ctx->arena, "%s.%s.%s", relation->schema, relation->name, column);
}

/* Linear, once per query and embed. */
ir_row *model_of(const model_context *ctx, uint32_t relation_oid)
{
    for (size_t i = 0; relation_oid != 0 && i < ctx->set->model_count; i++) {
        if (ctx->set->models[i].relation_oid == relation_oid) {
            return &ctx->set->models[i];
        }
    }
    return NULL;
}

/* Another representation of the same bytes, or the user's own type. Of a type that we know nothing
 * about, any: the user knows what its bytes are. */
static bool override_type(const model_context *ctx, const config_override *o, ir_type *type,
                          uint32_t base_oid)
{
    if (o->decode == NULL) {
        const catalog_type *base = catalog_type_by_oid(ctx->cat, base_oid);
        bool opaque =
            type->c == NULL && base != NULL && base->kind == CATALOG_BASE && base->element_oid == 0;
        type->c = opaque ? c_type_by_suffix(o->c_type) : c_type_alike(type->c, o->c_type);
    } else {
        type->shape = shapes_custom(ctx, base_oid, o);
        type->c = type->shape == NULL ? NULL : &type->shape->c;
    }
    if (type->c == NULL && !ctx->set->nomem) {
        diag *d =
            diag_error_at(ctx->diags, ctx->config_path, o->line, o->at,
                          "override: \"%s\" is no representation of %s", o->c_type, type->sql);
        diag_hint(ctx->diags, d, "give c_type as a mapping with type, decode and encode");
    }
    return type->c != NULL;
}

/* Domains are their base type; their name stays in the comment. Arrays of a type that the config
 * overrides are arrays of what it says. */
bool model_column_type(const model_context *ctx, const catalog_relation *relation,
                       const char *column, uint32_t type_oid, ir_type *out)
{
    uint32_t base = catalog_base_type(ctx->cat, type_oid);
    const catalog_type *type = catalog_type_by_oid(ctx->cat, type_oid);
    const catalog_type *plain = catalog_type_by_oid(ctx->cat, base);
    const config_override *o = overrides_find(ctx, relation, column, type_oid);
    assert(out != NULL);
    if (type == NULL) {
        return false;
    }
    bool array = plain != NULL && plain->element_oid != 0 &&
                 overrides_find(ctx, NULL, NULL, plain->element_oid) != NULL;
    ir_type found = { .sql = type->spelling,
                      .oid = type_oid < CATALOG_FIRST_USER_OID ? type_oid : 0,
                      .c = array ? NULL : c_type_of(ctx->cat, type_oid),
                      .element = c_type_element(ctx->cat, type_oid) };
    if (o != NULL) {
        bool good = override_type(ctx, o, &found, base);
        *out = found;
        return good;
    }
    for (size_t i = 0; found.c == NULL && i < ctx->set->enum_count; i++) {
        if (ctx->set->enums[i].type_oid == base) {
            found.labels = &ctx->set->enums[i];
            found.c = c_type_by_suffix("text");
        }
    }
    if (found.c == NULL) {
        found.shape = shapes_find(ctx, base);
        found.c = found.shape == NULL ? NULL : &found.shape->c;
    }
    *out = found;
    return found.c != NULL;
}

bool model_type(const model_context *ctx, uint32_t type_oid, ir_type *out)
{
    return model_column_type(ctx, NULL, NULL, type_oid, out);
}

/* Constant of a label: PREFIX_TYPE_LABEL; "value_N" when nothing usable is left of it, a number
 * behind it when it is taken. The number is that of the label, so it stays when other labels are
 * added at the end.
 *
 *     'very happy' -> LIB_MOOD_VERY_HAPPY
 *     'very-happy' -> LIB_MOOD_VERY_HAPPY_3   (the third label; the name is taken)
 *     '?'          -> LIB_MOOD_VALUE_4 */
static const char *label_constant(const model_context *ctx, const ir_enum *type, size_t index,
                                  const char *const *taken)
{
    char *snake = NULL;
    const char *label = type->labels[index];
    assert(index < type->label_count);
    if (cname_snake(ctx->arena, (slice) { label, strlen(label) }, &snake, NULL) != PGC_OK) {
        return NULL;
    }
    char *lower = snake == NULL ? arena_printf(ctx->arena, "%s_value_%zu", type->name, index + 1)
                                : arena_printf(ctx->arena, "%s_%s", type->name, snake);
    char *upper = lower == NULL ? NULL : cname_upper(ctx->arena, lower);
    char *name = upper;
    for (size_t number = index + 1, i = 0; name != NULL && i <= index; i++) {
        if (strcmp(i == 0 ? type->unknown : taken[i - 1], name) == 0) {
            name = arena_printf(ctx->arena, "%s_%zu", upper, number++);
            i = SIZE_MAX; /* another label may be called like that */
        }
    }
    return name;
}

/* Constants carry the type's name, because C enums share one name space. An enum without a C
 * name is reported and left out; columns of it then have no type. */
static pgc_status build_enum(const model_context *ctx, const catalog_type *type, ir_enum *out,
                             pgc_error *err)
{
    assert(type->kind == CATALOG_ENUM);
    TRY(model_type_name(ctx, type->schema, type->name, &out->name, err));
    if (out->name == NULL) {
        (void) config_error(ctx, "enum", type->name);
        return PGC_OK;
    }
    const char **constants = ARENA_ARRAY(ctx->arena, type->label_count + 1, const char *);
    char *unknown = arena_printf(ctx->arena, "%s_unknown", out->name);
    out->schema = type->schema;
    out->sql_name = type->name;
    out->comment = type->comment;
    out->labels = type->labels;
    out->label_count = type->label_count;
    out->type_oid = type->oid;
    out->unknown = unknown == NULL ? NULL : cname_upper(ctx->arena, unknown);
    if (constants == NULL || out->unknown == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < type->label_count; i++) {
        constants[i] = label_constant(ctx, out, i, constants);
        if (constants[i] == NULL) {
            return no_memory(err);
        }
    }
    out->constants = constants;
    return PGC_OK;
}

/* For qsort(): by C name. */
static int compare_enums(const void *a, const void *b)
{
    return strcmp(((const ir_enum *) a)->name, ((const ir_enum *) b)->name);
}

/* Before the models, which refer to them. Sorted by C name: OIDs differ between databases. */
static pgc_status build_enums(const model_context *ctx, pgc_error *err)
{
    vec enums = { 0 };
    size_t count = 0;
    const catalog_type *types = catalog_all_types(ctx->cat, &count);
    for (size_t i = 0; i < count; i++) {
        if (types[i].kind != CATALOG_ENUM || !is_user_schema(types[i].schema)) {
            continue;
        }
        ir_enum built = { 0 };
        TRY(build_enum(ctx, &types[i], &built, err));
        ir_enum *added = built.name == NULL ? NULL : VEC_ADD(ctx->arena, &enums, ir_enum);
        if (added != NULL) {
            *added = built;
        } else if (built.name != NULL) {
            return no_memory(err);
        }
    }
    if (enums.count > 1) {
        qsort(enums.items, enums.count, sizeof(ir_enum), compare_enums);
    }
    ctx->set->enums = enums.items;
    ctx->set->enum_count = enums.count;
    return PGC_OK;
}

/* A second field of the same C name gets a number. Tried until it is free, because the numbered
 * name may be a column too.
 *
 *     columns "a b", "a-b", a_b_3  ->  a_b, a_b_2, a_b_3 */
const char *model_unique_field(const model_context *ctx, const ir_field *fields, size_t count,
                               const char *name)
{
    const char *tried = name;
    size_t len = strlen(name);
    const char *link = len > 0 && name[len - 1] == '_' ? "" : "_"; /* two belong to C++ */
    for (size_t number = 2, i = 0; tried != NULL && i < count; i++) {
        if (strcmp(fields[i].name, tried) == 0) {
            tried = arena_printf(ctx->arena, "%s%s%zu", name, link, number++);
            i = SIZE_MAX; /* the earlier fields may have the new name */
        }
    }
    return tried;
}

/* NOT NULL of the table is the claim, of a view what its definition proves; queries lower it where
 * they join. Names that cannot be
 * made are reported and the column is left out of the struct, so that one run finds them all. */
static pgc_status build_field(const model_context *ctx, const catalog_relation *relation,
                              const catalog_column *column, const null_claim *view, ir_row *row,
                              pgc_error *err)
{
    ir_field *field = &row->fields[row->field_count];
    const char *name = NULL;
    TRY(model_field_name(ctx, column->name, &name, err));
    if (name == NULL) {
        (void) config_error(ctx, "column", column->name);
        return PGC_OK;
    }
    field->name = model_unique_field(ctx, row->fields, row->field_count, name);
    field->sql_name = column->name;
    field->nullable = !column->not_null;
    field->reason = column->overridden ? "says the config"
                    : column->not_null ? "NOT NULL"
                                       : "no NOT NULL constraint";
    if (view != NULL && !column->overridden) {
        field->nullable = !view->not_null;
        field->reason = view->reason;
    }
    field->comment = column->comment;
    field->attnum = column->attnum;
    field->column = row->column_count++;
    field->source = model_source(ctx, relation, column->name);
    row->field_count++;
    return field->name == NULL || field->source == NULL ? no_memory(err) : PGC_OK;
}

/* *out: a claim per column; NULL: no view. */
static pgc_status claims_of_view(const model_context *ctx, const catalog_relation *relation,
                                 null_claim **out, pgc_error *err)
{
    if (relation->view_sql == NULL) {
        return PGC_OK;
    }
    null_claim *claims = ARENA_ARRAY(ctx->arena, relation->column_count + 1, null_claim);
    if (claims == NULL) {
        return no_memory(err);
    }
    *out = claims;
    return prove_view(ctx->cat, relation, ctx->arena, claims, err);
}

/* Columns without C type are named in a comment instead of spoiling the whole table. A table
 * with no usable column has no model. */
static pgc_status build_model(const model_context *ctx, const catalog_relation *relation,
                              ir_row *out, pgc_error *err)
{
    const char *single = ctx->options->emit_exact_table_names
                             ? relation->name
                             : cname_singular(ctx->arena, relation->name,
                                              &ctx->options->inflection_exclude_table_names);
    AUTO(buf_auto) buf left_out;
    buf_init(&left_out, NULL, 1 << 20);
    ir_row row = { .kind = IR_ROW_MODEL,
                   .schema = relation->schema,
                   .table = relation->name,
                   .comment = relation->comment,
                   .relation_oid = relation->oid };
    row.fields = ARENA_ARRAY(ctx->arena, relation->column_count + 1, ir_field);
    if (single == NULL || row.fields == NULL) {
        return no_memory(err);
    }
    TRY(model_type_name(ctx, relation->schema, single, &row.name, err));
    row.base = row.name;
    if (row.name == NULL) {
        (void) config_error(ctx, "table", relation->name);
        return PGC_OK;
    }
    null_claim *claims = NULL;
    TRY(claims_of_view(ctx, relation, &claims, err));
    for (size_t i = 0; i < relation->column_count; i++) {
        const catalog_column *column = &relation->columns[i];
        if (model_column_type(ctx, relation, column->name, column->type_oid,
                              &row.fields[row.field_count].type)) {
            TRY(build_field(ctx, relation, column, claims == NULL ? NULL : &claims[i], &row, err));
            continue;
        }
        const catalog_type *type = catalog_type_by_oid(ctx->cat, column->type_oid);
        buf_printf(&left_out, "%s%s (%s)", left_out.len > 0 ? ", " : "", column->name,
                   type == NULL ? "unknown type" : type->spelling);
    }
    if (left_out.len > 0) {
        row.left_out = arena_copy(ctx->arena, buf_view(&left_out));
    }
    if (left_out.failed || (left_out.len > 0 && row.left_out == NULL)) {
        return no_memory(err);
    }
    *out = row;
    return PGC_OK;
}

/* For qsort(): by C name. */
static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const ir_row *) a)->name, ((const ir_row *) b)->name);
}

/* Composite types are no relations that can be read from; sequences and the like are not what
 * models are for. */
pgc_status model_build(const model_context *ctx, pgc_error *err)
{
    vec models = { 0 };
    size_t count = 0;
    const catalog_relation *relations = catalog_all_relations(ctx->cat, &count);
    assert(ctx->set->model_count == 0);
    TRY(build_enums(ctx, err));
    for (size_t i = 0; i < count; i++) {
        ir_row built = { 0 };
        if (strchr("rpvmf", relations[i].kind) == NULL || !is_user_schema(relations[i].schema)) {
            continue;
        }
        TRY(build_model(ctx, &relations[i], &built, err));
        if (built.name == NULL || built.field_count == 0) {
            continue;
        }
        ir_row *added = VEC_ADD(ctx->arena, &models, ir_row);
        if (added == NULL) {
            return no_memory(err);
        }
        *added = built;
    }
    if (models.count > 1) {
        qsort(models.items, models.count, sizeof(ir_row), compare_rows);
    }
    if (ctx->set->nomem) {
        return no_memory(err);
    }
    ctx->set->models = models.items;
    ctx->set->model_count = models.count;
    return PGC_OK;
}
