/* Shapes: one C struct for each composite, and for each array, range or multirange of something
 * that only this database has. A shape is complete or not in the set; what it is made of was made
 * before it. One thread per context. */
#include "base/prelude.h"

#include "sqlc/shapes.h"

#include "sqlc/cname.h"
#include "sqlc/overrides.h"

#define DEPTH_MAX 15u /* PGC_NEST_MAX of the runtime, less the value itself */

static ir_shape *no_memory(const model_context *ctx)
{
    ctx->set->nomem = true;
    return NULL;
}

/* Arrays are known by their elements: arrays of an enum and of a domain over it are one C type. */
static ir_shape *find(const model_context *ctx, ir_shape_kind kind, uint32_t oid, bool no_nulls)
{
    const vec *shapes = &ctx->set->shapes;
    for (size_t i = 0; i < shapes->count; i++) {
        ir_shape *shape = *VEC_AT(shapes, ir_shape *, i);
        if (shape->kind == kind && shape->type_oid == oid && shape->no_nulls == no_nulls) {
            return shape;
        }
    }
    return NULL;
}

/* One member, which is a column of a relation's row type, or else the only one. False: its type has
 * no C form. */
static bool add_member(const model_context *ctx, ir_shape *shape, const catalog_relation *relation,
                       const catalog_column *column)
{
    ir_field *field = &shape->fields[shape->field_count];
    bool nullable = relation != NULL && !(column->overridden && column->not_null);
    if (!model_column_type(ctx, relation, relation == NULL ? NULL : column->name, column->type_oid,
                           &field->type)) {
        return false;
    }
    unsigned depth = field->type.shape == NULL ? 0 : field->type.shape->depth;
    shape->depth = depth >= shape->depth ? depth + 1 : shape->depth;
    field->name = column->name;
    field->sql_name = column->name;
    field->nullable = nullable;
    field->reason = nullable ? "fields of composites may be NULL" : "never NULL";
    shape->field_count++;
    return shape->depth <= DEPTH_MAX;
}

/* NOT NULL of a table does not hold for values of its row type. */
static bool fill_record(const model_context *ctx, ir_shape *shape, const catalog_type *type)
{
    const catalog_relation *relation = catalog_relation_by_oid(ctx->cat, type->relation_oid);
    if (relation == NULL || relation->column_count == 0) {
        return false;
    }
    shape->fields = ARENA_ARRAY(ctx->arena, relation->column_count, ir_field);
    if (shape->fields == NULL) {
        (void) no_memory(ctx);
        return false;
    }
    for (size_t i = 0; i < relation->column_count; i++) {
        const catalog_column *column = &relation->columns[i];
        const char *name = NULL;
        if (model_field_name(ctx, column->name, &name, NULL) != PGC_OK) {
            (void) no_memory(ctx);
            return false;
        }
        name =
            name == NULL ? NULL : model_unique_field(ctx, shape->fields, shape->field_count, name);
        if (name == NULL || !add_member(ctx, shape, relation, column)) {
            return false;
        }
        shape->fields[i].name = name;
        shape->fields[i].comment = column->comment;
    }
    return true;
}

/* The one member of arrays, ranges and multiranges. */
static bool fill_single(const model_context *ctx, ir_shape *shape, uint32_t member_oid)
{
    static const char *const NAMES[] = { "", "element", "bound", "range" };
    shape->fields = ARENA_ARRAY(ctx->arena, 1, ir_field);
    if (shape->fields == NULL) {
        (void) no_memory(ctx);
        return false;
    }
    const catalog_column only = { .name = NAMES[shape->kind], .type_oid = member_oid };
    return add_member(ctx, shape, NULL, &only);
}

bool shapes_complete(arena *mem, const char *prefix, ir_shape *shape)
{
    bool record = ir_shape_flagged(shape);
    assert(strncmp(shape->name, prefix, strlen(prefix)) == 0);
    shape->opt_name = arena_printf(mem, "%s_opt%s", prefix, shape->name + strlen(prefix));
    const char *clone = arena_printf(mem, "%s_clone_pass", shape->name);
    shape->c = (c_type) { .suffix = shape->name,
                          .type = shape->name,
                          .opt_type = record ? shape->opt_name : shape->name,
                          .absent = record ? NULL : "!%s.has",
                          .clone = clone,
                          .pointer_like = !record };
    return shape->opt_name != NULL && clone != NULL;
}

/* prefix_name of a type, prefix_arr_name of an array of it (prefix_arr_name_nonnull: no element is
 * NULL), prefix_name_record of a table's rows:
 * prefix_name is the table's model; prefix_numeric_as_double of a type that the config gives. */
static pgc_status name_shape(const model_context *ctx, ir_shape *shape, const catalog_type *type,
                             pgc_error *err)
{
    const catalog_relation *relation = catalog_relation_by_oid(ctx->cat, type->relation_oid);
    bool table = shape->kind == IR_SHAPE_RECORD && relation != NULL && relation->kind != 'c';
    bool built_in = strcmp(type->schema, "pg_catalog") == 0;
    bool custom = shape->kind == IR_SHAPE_CUSTOM;
    bool array = shape->kind == IR_SHAPE_ARRAY || (custom && type->element_oid != 0);
    char *raw = arena_printf(ctx->arena, "%s%s%s%s", array ? "arr_" : "", type->name,
                             table             ? "_record"
                             : custom          ? "_as_"
                             : shape->no_nulls ? "_nonnull"
                                               : "",
                             custom ? shape->custom.c_type : "");
    if (raw == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "name a type");
    }
    size_t count = 0;
    const char *const *path = catalog_search_path(ctx->cat, &count);
    TRY(model_type_name(ctx, built_in && count > 0 ? path[0] : type->schema, raw, &shape->name,
                        err));
    if (shape->name == NULL) {
        return PGC_OK;
    }
    return shapes_complete(ctx->arena, ctx->set->prefix, shape)
               ? PGC_OK
               : pgc_error_set(err, PGC_NOMEM, "name a type");
}

/* Each pair of a type and an override is one. */
ir_shape *shapes_custom(const model_context *ctx, uint32_t base_oid, const config_override *from)
{
    const catalog_type *type = catalog_type_by_oid(ctx->cat, base_oid);
    const vec *shapes = &ctx->set->shapes;
    assert(from->decode != NULL && from->encode != NULL);
    for (size_t i = 0; i < shapes->count; i++) {
        ir_shape *known = *VEC_AT(shapes, ir_shape *, i);
        if (known->kind == IR_SHAPE_CUSTOM && known->type_oid == base_oid &&
            strcmp(known->custom.c_type, from->c_type) == 0 &&
            strcmp(known->custom.decode, from->decode) == 0 &&
            strcmp(known->custom.encode, from->encode) == 0) {
            return known;
        }
    }
    ir_shape *shape = type == NULL ? NULL : ARENA_NEW(ctx->arena, ir_shape);
    ir_shape **slot = shape == NULL ? NULL : VEC_ADD(ctx->arena, &ctx->set->shapes, ir_shape *);
    if (slot == NULL) {
        return no_memory(ctx);
    }
    *slot = shape;
    *shape = (ir_shape) { .kind = IR_SHAPE_CUSTOM,
                          .sql = type->spelling,
                          .type_oid = base_oid,
                          .depth = 1,
                          .custom = *from };
    bool named = name_shape(ctx, shape, type, NULL) == PGC_OK && shape->name != NULL;
    return named ? shape : no_memory(ctx); /* a type's name and a C type always give one */
}

static bool fill(const model_context *ctx, ir_shape *shape, const catalog_type *type)
{
    return shape->kind == IR_SHAPE_RECORD  ? fill_record(ctx, shape, type)
           : shape->kind == IR_SHAPE_ARRAY ? fill_single(ctx, shape, type->oid)
                                           : fill_single(ctx, shape, type->subtype_oid);
}

/* In the set while it is built, so that a type inside itself is seen; taken out when it has no C
 * form. type: of arrays that of the elements. */
static ir_shape *make(const model_context *ctx, ir_shape_kind kind, const catalog_type *type,
                      bool no_nulls)
{
    ir_shape *shape = ARENA_NEW(ctx->arena, ir_shape);
    ir_shape **slot = shape == NULL ? NULL : VEC_ADD(ctx->arena, &ctx->set->shapes, ir_shape *);
    if (slot == NULL) {
        return no_memory(ctx);
    }
    *slot = shape;
    *shape = (ir_shape) { .kind = kind,
                          .sql = type->spelling,
                          .comment = kind == IR_SHAPE_ARRAY ? NULL : type->comment,
                          .type_oid = type->oid,
                          .depth = 1,
                          .no_nulls = no_nulls,
                          .building = true };
    shape->element = type->oid < CATALOG_FIRST_USER_OID ? type->oid : C_TYPE_UNCHECKED;
    bool good = fill(ctx, shape, type);
    shape->building = false;
    if (good && name_shape(ctx, shape, type, NULL) != PGC_OK) {
        return no_memory(ctx);
    }
    if (good && shape->name != NULL) {
        return shape;
    }
    vec *shapes = &ctx->set->shapes;
    for (size_t i = 0; i < shapes->count; i++) {
        if (*VEC_AT(shapes, ir_shape *, i) == shape) {
            *VEC_AT(shapes, ir_shape *, i) = *VEC_AT(shapes, ir_shape *, shapes->count - 1);
            shapes->count--;
        }
    }
    return NULL;
}

/* What an array is known by. A domain over an array keeps its name: its elements are arrays, which
 * have none. So does one that the config may have a C type for. */
static const catalog_type *element_type(const model_context *ctx, const catalog_type *array)
{
    const catalog_type *element = catalog_type_by_oid(ctx->cat, array->element_oid);
    uint32_t base = catalog_base_type(ctx->cat, array->element_oid);
    const catalog_type *plain = catalog_type_by_oid(ctx->cat, base);
    bool own = overrides_find(ctx, NULL, NULL, array->element_oid) != NULL;
    return plain != NULL && plain->element_oid == 0 && !own ? plain : element;
}

static ir_shape *find_or_make(const model_context *ctx, ir_shape_kind kind,
                              const catalog_type *type, bool no_nulls)
{
    ir_shape *known = find(ctx, kind, type->oid, no_nulls);
    if (known != NULL) {
        return known->building ? NULL : known;
    }
    return make(ctx, kind, type, no_nulls);
}

ir_shape *shapes_find(const model_context *ctx, uint32_t base_oid)
{
    const catalog_type *type = catalog_type_by_oid(ctx->cat, base_oid);
    ir_shape_kind kind = IR_SHAPE_RECORD;
    if (type == NULL || base_oid == OID_RECORD) {
        return NULL;
    }
    if (type->element_oid != 0) {
        type = element_type(ctx, type);
        kind = IR_SHAPE_ARRAY;
    } else if (type->subtype_oid != 0) {
        kind = type->kind == CATALOG_MULTIRANGE ? IR_SHAPE_MULTIRANGE : IR_SHAPE_RANGE;
    } else if (type->kind != CATALOG_COMPOSITE) {
        return NULL;
    }
    return type == NULL ? NULL : find_or_make(ctx, kind, type, false);
}

ir_shape *shapes_nonnull(const model_context *ctx, uint32_t base_oid)
{
    const catalog_type *type = catalog_type_by_oid(ctx->cat, base_oid);
    const catalog_type *element =
        type == NULL || type->element_oid == 0 ? NULL : element_type(ctx, type);
    return element == NULL ? NULL : find_or_make(ctx, IR_SHAPE_ARRAY, element, true);
}

/* For qsort(): what is made of others stands behind them. */
static int compare(const void *a, const void *b)
{
    const ir_shape *x = *(ir_shape *const *) a;
    const ir_shape *y = *(ir_shape *const *) b;
    return x->depth != y->depth ? (x->depth < y->depth ? -1 : 1) : strcmp(x->name, y->name);
}

void shapes_sort(ir_set *set)
{
    if (set->shapes.count > 1) {
        qsort(set->shapes.items, set->shapes.count, sizeof(ir_shape *), compare);
    }
}
