/* Shapes: one C struct for each composite, and for each array, range or multirange of something
 * that only this database has. A shape is complete or not in the set; what it is made of was made
 * before it. One thread per context. */
#include "base/prelude.h"

#include "sqlc/shapes.h"

#include "sqlc/cname.h"

#define DEPTH_MAX 15u /* PGC_NEST_MAX of the runtime, less the value itself */

static ir_shape *no_memory(const model_context *ctx)
{
    ctx->set->nomem = true;
    return NULL;
}

/* Arrays are known by their elements: arrays of an enum and of a domain over it are one C type. */
static ir_shape *find(const model_context *ctx, ir_shape_kind kind, uint32_t oid)
{
    const vec *shapes = &ctx->set->shapes;
    for (size_t i = 0; i < shapes->count; i++) {
        ir_shape *shape = *VEC_AT(shapes, ir_shape *, i);
        if (shape->kind == kind && shape->type_oid == oid) {
            return shape;
        }
    }
    return NULL;
}

/* One member. False: its type has no C form. */
static bool add_member(const model_context *ctx, ir_shape *shape, uint32_t type_oid,
                       const char *sql_name, bool nullable)
{
    ir_field *field = &shape->fields[shape->field_count];
    if (!model_type(ctx, type_oid, &field->type)) {
        return false;
    }
    unsigned depth = field->type.shape == NULL ? 0 : field->type.shape->depth;
    shape->depth = depth >= shape->depth ? depth + 1 : shape->depth;
    field->name = sql_name;
    field->sql_name = sql_name;
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
        if (name == NULL || !add_member(ctx, shape, column->type_oid, column->name, true)) {
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
    return add_member(ctx, shape, member_oid, NAMES[shape->kind], false);
}

bool shapes_complete(arena *mem, const char *prefix, ir_shape *shape)
{
    bool record = shape->kind == IR_SHAPE_RECORD;
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

/* prefix_name of a type, prefix_arr_name of an array of it, prefix_name_record of a table's rows:
 * prefix_name is the table's model. */
static pgc_status name_shape(const model_context *ctx, ir_shape *shape, const catalog_type *type,
                             pgc_error *err)
{
    const catalog_relation *relation = catalog_relation_by_oid(ctx->cat, type->relation_oid);
    bool table = shape->kind == IR_SHAPE_RECORD && relation != NULL && relation->kind != 'c';
    bool built_in = strcmp(type->schema, "pg_catalog") == 0;
    char *raw = arena_printf(ctx->arena, "%s%s%s", shape->kind == IR_SHAPE_ARRAY ? "arr_" : "",
                             type->name, table ? "_record" : "");
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

static bool fill(const model_context *ctx, ir_shape *shape, const catalog_type *type)
{
    return shape->kind == IR_SHAPE_RECORD  ? fill_record(ctx, shape, type)
           : shape->kind == IR_SHAPE_ARRAY ? fill_single(ctx, shape, type->oid)
                                           : fill_single(ctx, shape, type->subtype_oid);
}

/* In the set while it is built, so that a type inside itself is seen; taken out when it has no C
 * form. type: of arrays that of the elements. */
static ir_shape *make(const model_context *ctx, ir_shape_kind kind, const catalog_type *type)
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

ir_shape *shapes_find(const model_context *ctx, uint32_t base_oid)
{
    const catalog_type *type = catalog_type_by_oid(ctx->cat, base_oid);
    ir_shape_kind kind = IR_SHAPE_RECORD;
    if (type == NULL || base_oid == OID_RECORD) {
        return NULL;
    }
    if (type->element_oid != 0) {
        const catalog_type *element = catalog_type_by_oid(ctx->cat, type->element_oid);
        uint32_t base = catalog_base_type(ctx->cat, type->element_oid);
        const catalog_type *plain = catalog_type_by_oid(ctx->cat, base);
        /* A domain over an array keeps its name: its elements are arrays, which have none. */
        type = plain != NULL && plain->element_oid == 0 ? plain : element;
        kind = IR_SHAPE_ARRAY;
    } else if (type->subtype_oid != 0) {
        kind = type->kind == CATALOG_MULTIRANGE ? IR_SHAPE_MULTIRANGE : IR_SHAPE_RANGE;
    } else if (type->kind != CATALOG_COMPOSITE) {
        return NULL;
    }
    if (type == NULL) {
        return NULL;
    }
    ir_shape *known = find(ctx, kind, type->oid);
    if (known != NULL) {
        return known->building ? NULL : known;
    }
    return make(ctx, kind, type);
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
