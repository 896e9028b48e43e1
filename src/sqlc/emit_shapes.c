/* Types made of other types: struct, reader, adder and clone of each composite, and of each array
 * or range that the runtime has no name for. One thread per emitter. */
#include "base/prelude.h"

#include "sqlc/emit.h"
#include "sqlc/emit_query.h"

static bool is_record(const ir_shape *shape)
{
    return shape->kind == IR_SHAPE_RECORD;
}

/* An array that may hold NULL has a list of which elements are. */
static bool has_nulls(const ir_shape *shape)
{
    return shape->kind == IR_SHAPE_ARRAY && !shape->no_nulls;
}

static const char *member_type(emitter *e, const ir_shape *shape)
{
    const char *type = emit_type(e, &shape->fields[0].type, false);
    assert(shape->field_count == 1);
    return emit_made(e, type);
}

static void members(emitter *e, const ir_shape *shape)
{
    if (shape->kind == IR_SHAPE_RANGE) {
        buf_printf(&e->out,
                   "    bool has;\n    uint8_t flags; /**< PGC_RANGE_* */\n"
                   "    %s lower, upper;\n",
                   member_type(e, shape));
        return;
    }
    if (!is_record(shape)) {
        buf_printf(&e->out, "    bool has;\n    size_t count;\n    const %s *v;\n",
                   member_type(e, shape));
        buf_add_str(&e->out, has_nulls(shape)
                                 ? "    const uint8_t *nulls; /**< NULL: no element is NULL */\n"
                                 : "");
        buf_add_str(&e->out, shape->kind != IR_SHAPE_ARRAY
                                 ? ""
                                 : "    uint32_t ndim;\n"
                                   "    const pgc_dim *dims; /**< NULL: one dimension from 1 */\n");
        return;
    }
    for (size_t i = 0; i < shape->field_count; i++) {
        const ir_field *field = &shape->fields[i];
        const char *type = emit_made(e, emit_type(e, &field->type, field->nullable));
        buf_printf(&e->out, "    %s %s; /**< ", type, field->name);
        emit_comment_text(e, field->type.sql);
        buf_add_str(&e->out, field->nullable ? "; nullable" : "; not NULL");
        if (field->comment != NULL) {
            buf_add_str(&e->out, ". ");
            emit_comment_text(e, field->comment);
        }
        buf_add_str(&e->out, " */\n");
    }
}

/* For an enum "mood", a composite "pair" and the prefix "lib":
 *
 *     typedef struct lib_arr_mood { bool has; size_t count; const lib_mood *v; … } lib_arr_mood;
 *     typedef struct lib_pair { pgc_opt_i32 x; pgc_text y; } lib_pair;
 *     typedef struct lib_opt_pair { bool has; lib_pair v; } lib_opt_pair; */
void emit_shape_header(emitter *e, const ir_shape *shape)
{
    static const char *const KINDS[] = { "Composite", "Array of", "Range", "Multirange",
                                         "As the config says:" };
    bool flagged = ir_shape_flagged(shape);
    const char *n = shape->name;
    const char *opt = shape->opt_name;
    buf_printf(&e->out, "/** %s ", KINDS[shape->kind]);
    emit_comment_text(e, shape->sql);
    buf_add_str(&e->out, shape->no_nulls ? ", no element is NULL" : "");
    buf_add_str(&e->out, flagged ? "." : "; has false is NULL.");
    if (shape->comment != NULL) {
        buf_add_char(&e->out, ' ');
        emit_comment_text(e, shape->comment);
    }
    if (shape->kind == IR_SHAPE_CUSTOM) {
        buf_printf(&e->out, " */\ntypedef %s %s;\n\n", shape->custom.c_type, n);
    } else {
        buf_printf(&e->out, " */\ntypedef struct %s {\n", n);
        members(e, shape);
        buf_printf(&e->out, "} %s;\n\n", n);
    }
    if (flagged) {
        buf_printf(&e->out,
                   "/** The same, nullable. */\ntypedef struct %s {\n    bool has;\n"
                   "    %s v;\n} %s;\n\n",
                   opt, n, opt);
    }
    buf_printf(&e->out,
               "/** Decode one value; failures stay in the reader. The second takes NULL. */\n"
               "%s %s_read(pgc_reader *reader, size_t row, size_t column);\n"
               "%s %s_read(pgc_reader *reader, size_t row, size_t column);\n"
               "/** Send one value, as pgc_add_text() and its kin do. */\n"
               "void %s_add(pgc_args *args, %s value);\n",
               n, n, shape->c.opt_type, opt, n, n);
    if (flagged) {
        buf_printf(&e->out, "void %s_add(pgc_args *args, %s value);\n", opt, opt);
    }
    buf_printf(&e->out,
               "/** One pass of a clone. */\nvoid %s_clone_pass(pgc_clone *clone, %s *value);\n", n,
               n);
    if (flagged) {
        buf_printf(&e->out, "void %s_clone_pass(pgc_clone *clone, %s *value);\n", opt, opt);
    }
    buf_add_char(&e->out, '\n');
}

/* One value out of a reader of parts. A nullable member of an array is read without its flag:
 * `nulls` has it. */
static void read_part(emitter *e, const char *target, const ir_type *type, bool nullable,
                      const char *place)
{
    bool flagged = nullable && (type->shape == NULL ? type->labels == NULL && !type->c->pointer_like
                                                    : ir_shape_flagged(type->shape));
    const char *opt = nullable ? "opt_" : "";
    buf_printf(&e->out, "%s = ", target);
    if (type->shape != NULL) {
        buf_printf(&e->out, "%s_read(%s)", nullable ? type->shape->opt_name : type->shape->name,
                   place);
    } else if (type->labels != NULL) {
        buf_printf(&e->out, "%s_from_text(pgc_read_%stext(%s))", type->labels->name, opt, place);
    } else {
        buf_printf(&e->out, "pgc_read_%s%s(%s)", opt, type->c->suffix, place);
    }
    buf_add_str(&e->out, flagged ? ".v;\n" : ";\n");
}

/* The fields that the server must send, and their reading. */
static void record_parts(emitter *e, const ir_shape *shape)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        const ir_field *field = &shape->fields[i];
        const char *place = emit_made(e, arena_printf(e->arena, "parts, 0, %zu", i));
        const char *target = emit_made(e, arena_printf(e->arena, "    value.%s", field->name));
        if (field->type.labels != NULL && field->nullable) {
            buf_printf(&e->out, "%s.has = !pgc_read_is_null(%s);\n", target, place);
        }
        emit_read(e, target, &field->type, field->nullable, place);
    }
}

static void array_parts(emitter *e, const ir_shape *shape)
{
    const char *type = member_type(e, shape);
    bool array = shape->kind == IR_SHAPE_ARRAY;
    buf_printf(&e->out,
               "    %s *v = (%s *) pgc_read_room(parts, sizeof *v);\n"
               "    for (size_t i = 0; v != NULL && i < parts->row_count; i++) {\n",
               type, type);
    read_part(e, "        v[i]", &shape->fields[0].type, has_nulls(shape), "parts, i, 0");
    buf_add_str(&e->out, "    }\n"
                         "    value.has = true;\n"
                         "    value.count = v == NULL ? 0 : parts->row_count;\n"
                         "    value.v = v;\n");
    buf_add_str(&e->out, has_nulls(shape) ? "    value.nulls = pgc_read_nulls(parts);\n" : "");
    buf_add_str(&e->out, !array ? ""
                                : "    value.ndim = parts->ndim;\n"
                                  "    value.dims = parts->dims;\n");
}

/* An empty range has no bounds, nor has an infinite end. */
static void range_parts(emitter *e, const ir_shape *shape)
{
    static const char *const ENDS[] = { "lower", "upper" };
    buf_add_str(&e->out, "    value.has = true;\n    value.flags = parts->range_flags;\n");
    for (size_t i = 0; i < ARRAY_LEN(ENDS); i++) {
        buf_printf(&e->out,
                   "    if ((value.flags & (PGC_RANGE_EMPTY | PGC_RANGE_%s_INF)) == 0) {\n",
                   i == 0 ? "LOWER" : "UPPER");
        const char *target = emit_made(e, arena_printf(e->arena, "        value.%s", ENDS[i]));
        const char *place = emit_made(e, arena_printf(e->arena, "parts, 0, %zu", i));
        emit_read(e, target, &shape->fields[0].type, false, place);
        buf_add_str(&e->out, "    }\n");
    }
}

/* Parts of an opened value to the struct, and the two readers around it. */
static void readers(emitter *e, const ir_shape *shape)
{
    static const char *const OPEN[] = { "record", "array", "range", "multirange" };
    const char *n = shape->name;
    buf_printf(&e->out, "static %s %s_parts(pgc_reader *parts)\n{\n    %s value = PGC_ZERO;\n", n,
               n, n);
    if (is_record(shape)) {
        record_parts(e, shape);
    } else if (shape->kind == IR_SHAPE_RANGE) {
        range_parts(e, shape);
    } else {
        array_parts(e, shape);
    }
    buf_add_str(&e->out, "    return value;\n}\n\n");
    for (int opt = 0; opt < 2; opt++) {
        bool flagged = opt == 1 && is_record(shape);
        buf_printf(&e->out,
                   "%s %s_read(pgc_reader *reader, size_t row, size_t column)\n{\n"
                   "    %s value = PGC_ZERO;\n    pgc_reader parts;\n"
                   "    if (pgc_read_%s%s(reader, row, column, ",
                   flagged ? shape->opt_name : n, opt == 1 ? shape->opt_name : n,
                   flagged ? shape->opt_name : n, opt == 1 ? "opt_" : "", OPEN[shape->kind]);
        if (is_record(shape)) {
            buf_printf(&e->out, "&%s_type, ", n);
        }
        buf_printf(&e->out, "&parts)) {\n        %s = %s_parts(&parts);\n%s    }\n",
                   flagged ? "value.v" : "value", n, flagged ? "        value.has = true;\n" : "");
        buf_add_str(&e->out, "    return value;\n}\n\n");
    }
}

/* A value that must be there. A label that this code does not know cannot be sent. */
static void add_part(emitter *e, const char *indent, const ir_type *type, const char *value)
{
    buf_add_str(&e->out, indent);
    emit_add(e, type, false, "args", value);
    if (type->labels != NULL) {
        buf_printf(&e->out, "%s    pgc_args_not_null(args);\n", indent);
    }
}

static void add_record(emitter *e, const ir_shape *shape)
{
    buf_printf(&e->out, "    pgc_add_record_begin(args, &%s_type);\n", shape->name);
    for (size_t i = 0; i < shape->field_count; i++) {
        const ir_field *field = &shape->fields[i];
        const char *value = emit_made(e, arena_printf(e->arena, "value.%s", field->name));
        if (field->type.labels == NULL || !field->nullable) {
            emit_add(e, &field->type, field->nullable, "args", value);
            continue;
        }
        buf_printf(&e->out, "    if (value.%s.has) {\n", field->name);
        add_part(e, "    ", &field->type, emit_made(e, arena_printf(e->arena, "%s.v", value)));
        buf_add_str(&e->out, "    } else {\n        pgc_add_null(args);\n    }\n");
    }
}

static void add_array(emitter *e, const ir_shape *shape)
{
    bool array = shape->kind == IR_SHAPE_ARRAY;
    if (array) {
        buf_printf(&e->out,
                   "    pgc_add_array_begin(args, UINT32_C(%" PRIu32 "), value.dims == NULL ? 0 : "
                   "value.ndim,\n                        value.dims);\n",
                   shape->element);
    } else {
        buf_add_str(&e->out, "    pgc_add_multirange_begin(args);\n");
    }
    buf_add_str(&e->out, "    for (size_t i = 0; i < value.count; i++) {\n");
    if (has_nulls(shape)) {
        buf_add_str(&e->out, "        if (value.nulls != NULL && value.nulls[i] != 0) {\n"
                             "            pgc_add_null(args);\n            continue;\n        }\n");
    }
    add_part(e, "    ", &shape->fields[0].type, "value.v[i]");
    buf_add_str(&e->out, "    }\n");
}

static void add_range(emitter *e, const ir_shape *shape)
{
    static const char *const ENDS[] = { "lower", "upper" };
    buf_add_str(&e->out, "    pgc_add_range_begin(args, value.flags);\n");
    for (size_t i = 0; i < ARRAY_LEN(ENDS); i++) {
        buf_printf(&e->out,
                   "    if ((value.flags & (PGC_RANGE_EMPTY | PGC_RANGE_%s_INF)) == 0) {\n",
                   i == 0 ? "LOWER" : "UPPER");
        add_part(e, "    ", &shape->fields[0].type,
                 emit_made(e, arena_printf(e->arena, "value.%s", ENDS[i])));
        buf_add_str(&e->out, "    }\n");
    }
}

static void opt_adder(emitter *e, const ir_shape *shape)
{
    if (ir_shape_flagged(shape)) {
        buf_printf(&e->out,
                   "void %s_add(pgc_args *args, %s value)\n{\n    if (value.has) {\n"
                   "        %s_add(args, value.v);\n    } else {\n        pgc_add_null(args);\n"
                   "    }\n}\n\n",
                   shape->opt_name, shape->opt_name, shape->name);
    }
}

static void opt_clone(emitter *e, const ir_shape *shape)
{
    if (ir_shape_flagged(shape)) {
        buf_printf(&e->out,
                   "void %s_clone_pass(pgc_clone *clone, %s *value)\n{\n    if (value->has) {\n"
                   "        %s_clone_pass(clone, &value->v);\n    }\n}\n\n",
                   shape->opt_name, shape->opt_name, shape->name);
    }
}

static void adders(emitter *e, const ir_shape *shape)
{
    buf_printf(&e->out, "void %s_add(pgc_args *args, %s value)\n{\n", shape->name, shape->name);
    if (!is_record(shape)) {
        buf_add_str(&e->out, "    if (!value.has) {\n        pgc_add_null(args);\n"
                             "        return;\n    }\n");
    }
    if (is_record(shape)) {
        add_record(e, shape);
    } else if (shape->kind == IR_SHAPE_RANGE) {
        add_range(e, shape);
    } else {
        add_array(e, shape);
    }
    buf_add_str(&e->out, "    pgc_add_end(args);\n}\n\n");
    opt_adder(e, shape);
}

/* The user's functions, behind the names that all shapes have. */
static void custom_source(emitter *e, const ir_shape *shape)
{
    const config_override *c = &shape->custom;
    const char *n = shape->name;
    const char *opt = shape->opt_name;
    buf_printf(&e->out,
               "%s %s_read(pgc_reader *reader, size_t row, size_t column)\n{\n"
               "    return %s(reader, row, column);\n}\n\n"
               "%s %s_read(pgc_reader *reader, size_t row, size_t column)\n{\n"
               "    %s value = PGC_ZERO;\n"
               "    value.has = !pgc_read_is_null(reader, row, column);\n"
               "    if (value.has) {\n        value.v = %s(reader, row, column);\n    }\n"
               "    return value;\n}\n\n"
               "void %s_add(pgc_args *args, %s value)\n{\n    %s(args, value);\n}\n\n",
               n, n, c->decode, opt, opt, opt, c->decode, n, n, c->encode);
    opt_adder(e, shape);
    buf_printf(&e->out, "void %s_clone_pass(pgc_clone *clone, %s *value)\n{\n", n, n);
    if (c->clone != NULL) {
        buf_printf(&e->out, "    %s(clone, value);\n}\n\n", c->clone);
    } else {
        buf_add_str(&e->out, "    (void) clone; /* it points nowhere */\n    (void) value;\n"
                             "}\n\n");
    }
    opt_clone(e, shape);
}

/* Elements first, then what each of them points to, then the shape of the array. */
static void clone_array(emitter *e, const ir_shape *shape)
{
    const char *type = member_type(e, shape);
    const ir_type *member = &shape->fields[0].type;
    buf_printf(&e->out,
               "    %s *v = (%s *) pgc_clone_items(clone, value->v, value->count, sizeof *v);\n",
               type, type);
    if (member->shape != NULL || (member->labels == NULL && member->c->clone != NULL)) {
        buf_printf(&e->out,
                   "    for (size_t i = 0; i < value->count; i++) {\n        %s item = "
                   "value->v[i];\n",
                   type);
        (void) emit_clone(e, "        ", "clone", member, false, "item");
        buf_add_str(&e->out, "        if (v != NULL) {\n            v[i] = item;\n        }\n"
                             "    }\n");
    }
    buf_add_str(&e->out, "    value->v = v != NULL ? v : value->v;\n");
    if (shape->kind == IR_SHAPE_ARRAY) {
        buf_add_str(
            &e->out,
            has_nulls(shape)
                ? "    void *nulls = pgc_clone_items(clone, value->nulls, value->count, 1);\n"
                : "");
        buf_add_str(&e->out, "    void *dims =\n"
                             "        pgc_clone_items(clone, value->dims, value->ndim, sizeof "
                             "*value->dims);\n");
        buf_add_str(&e->out, has_nulls(shape)
                                 ? "    value->nulls = nulls != NULL ? (const uint8_t *) nulls : "
                                   "value->nulls;\n"
                                 : "");
        buf_add_str(&e->out,
                    "    value->dims = dims != NULL ? (const pgc_dim *) dims : value->dims;\n");
    }
}

static void clone_fields(emitter *e, const ir_shape *shape)
{
    static const char *const ENDS[] = { "lower", "upper" };
    bool range = shape->kind == IR_SHAPE_RANGE;
    size_t count = range ? ARRAY_LEN(ENDS) : shape->field_count;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const ir_field *field = &shape->fields[range ? 0 : i];
        const char *target =
            emit_made(e, arena_printf(e->arena, "value->%s", range ? ENDS[i] : field->name));
        any = emit_clone(e, "    ", "clone", &field->type, field->nullable, target) || any;
    }
    if (!any) {
        buf_add_str(&e->out, "    (void) clone; /* no part points anywhere */\n"
                             "    (void) value;\n");
    }
}

static void clones(emitter *e, const ir_shape *shape)
{
    buf_printf(&e->out, "void %s_clone_pass(pgc_clone *clone, %s *value)\n{\n", shape->name,
               shape->name);
    if (is_record(shape) || shape->kind == IR_SHAPE_RANGE) {
        clone_fields(e, shape);
    } else {
        clone_array(e, shape);
    }
    buf_add_str(&e->out, "}\n\n");
    opt_clone(e, shape);
}

void emit_shape_source(emitter *e, const ir_shape *shape)
{
    if (shape->kind == IR_SHAPE_CUSTOM) {
        custom_source(e, shape);
        return;
    }
    assert(shape->field_count > 0);
    if (is_record(shape)) {
        buf_printf(&e->out, "static const pgc_type_ref %s_fields[] = {\n", shape->name);
        for (size_t i = 0; i < shape->field_count; i++) {
            emit_type_ref(e, shape->fields[i].sql_name, &shape->fields[i].type);
        }
        buf_printf(&e->out, "};\n\nstatic const pgc_record_type %s_type = {\n    ", shape->name);
        emit_string(e, "", (slice) { shape->sql, strlen(shape->sql) });
        buf_printf(&e->out, ",\n    %s_fields,\n    %zu,\n};\n\n", shape->name, shape->field_count);
    }
    readers(e, shape);
    adders(e, shape);
    clones(e, shape);
}
