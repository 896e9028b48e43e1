/* Writing the representation. jansson keeps keys in the order they are added, so the text is the
 * same for the same input; what is false, zero or absent is left out. OIDs of user objects and the
 * server's version stay out: they differ between machines. Thread-safe: yes. */
#include "base/prelude.h"

#include "sqlc/ir_json.h"

#include "sqlc/ir_members.h"

/* jansson passes failed allocations on as NULL and -1; one flag collects them. */
typedef struct writer {
    bool failed;
    bool lines;
} writer;

/* Takes the value over, also when it fails. */
static void put(writer *w, json_t *object, const char *key, json_t *value)
{
    w->failed = json_object_set_new(object, key, value) != 0 || w->failed;
}

static void put_text(writer *w, json_t *object, const char *key, const char *value)
{
    if (value != NULL) {
        put(w, object, key, json_string(value));
    }
}

static void push(writer *w, json_t *array, json_t *value)
{
    w->failed = json_array_append_new(array, value) != 0 || w->failed;
}

static void put_number(writer *w, json_t *object, const char *key, uint64_t value)
{
    if (value != 0) {
        put(w, object, key, json_integer((json_int_t) value));
    }
}

/* The C type is derived and could be left out, but people read the file in reviews. */
static void put_type(writer *w, json_t *object, const ir_type *type)
{
    if (type->c == NULL) {
        return; /* of an embed */
    }
    put_text(w, object, "type", type->sql);
    put_text(w, object, "c_type", type->labels != NULL ? type->labels->name : type->c->type);
    if (type->labels != NULL) {
        put_text(w, object, "enum", type->labels->name);
    } else if (type->shape != NULL) {
        put_text(w, object, "shape", type->shape->name);
    } else {
        put_text(w, object, "codec", type->c->suffix);
    }
    put_number(w, object, "oid", type->oid);
    put_number(w, object, "sent", type->element);
}

static json_t *texts_json(writer *w, const char *const *texts, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        push(w, array, json_string(texts[i]));
    }
    return array;
}

static json_t *sizes_json(writer *w, const size_t *numbers, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        push(w, array, json_integer((json_int_t) numbers[i]));
    }
    return array;
}

static json_t *hash_json(uint64_t hash)
{
    char text[17];
    (void) snprintf(text, sizeof text, "%016" PRIx64, hash);
    return json_string(text);
}

/* base: the struct. Texts of a list that is empty are not written. */
static void put_member(writer *w, json_t *object, const member *m, const char *base)
{
    const void *at = base + m->offset;
    const size_t *count = (const void *) (base + m->extra);
    const slice *text = at;
    switch (m->kind) {
    case MEMBER_TEXT:
        put_text(w, object, m->key, *(const char *const *) at);
        break;
    case MEMBER_SLICE:
        put(w, object, m->key, json_stringn(text->ptr, text->len));
        break;
    case MEMBER_TEXTS:
        if (*(const char *const *const *) at != NULL && *count > 0) {
            put(w, object, m->key, texts_json(w, *(const char *const *const *) at, *count));
        }
        break;
    case MEMBER_SIZES:
        if (*(const size_t *const *) at != NULL && *count > 0) {
            put(w, object, m->key, sizes_json(w, *(const size_t *const *) at, *count));
        }
        break;
    case MEMBER_BOOL:
        if (*(const bool *) at) {
            put(w, object, m->key, json_true());
        }
        break;
    case MEMBER_U32:
        put_number(w, object, m->key, *(const uint32_t *) at);
        break;
    case MEMBER_SIZE:
        put_number(w, object, m->key, *(const size_t *) at);
        break;
    case MEMBER_HASH:
        put(w, object, m->key, hash_json(*(const uint64_t *) at));
        break;
    case MEMBER_WORD:
        put_text(w, object, m->key, m->words[*(const unsigned *) at]);
        break;
    case MEMBER_TYPE:
        put_type(w, object, at);
        break;
    }
}

static json_t *struct_json(writer *w, const member *members, const void *from)
{
    json_t *object = json_object();
    for (const member *m = members; m->key != NULL; m++) {
        put_member(w, object, m, from);
    }
    return object;
}

/* A list of structs of one size. */
static json_t *structs_json(writer *w, const member *members, const void *from, size_t count,
                            size_t size)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        push(w, array, struct_json(w, members, (const char *) from + i * size));
    }
    return array;
}

/* An embed names its model instead of repeating it. */
static json_t *fields_json(writer *w, const ir_field *fields, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *object = struct_json(w, IR_FIELD_MEMBERS, &fields[i]);
        if (fields[i].embed != NULL) {
            put_text(w, object, "embed", fields[i].embed->name);
        }
        push(w, array, object);
    }
    return array;
}

static json_t *row_json(writer *w, const ir_row *row)
{
    json_t *object = struct_json(w, IR_ROW_MEMBERS, row);
    put(w, object, "fields", fields_json(w, row->fields, row->field_count));
    return object;
}

static json_t *shape_json(writer *w, const ir_shape *shape)
{
    json_t *object = struct_json(w, IR_SHAPE_MEMBERS, shape);
    put(w, object, "fields", fields_json(w, shape->fields, shape->field_count));
    return object;
}

static json_t *copy_json(writer *w, const ir_copy *copy)
{
    json_t *object = struct_json(w, IR_COPY_MEMBERS, copy);
    put(w, object, "columns",
        structs_json(w, IR_COPY_COLUMN_MEMBERS, copy->columns, copy->column_count,
                     sizeof *copy->columns));
    return object;
}

/* Which functions a program gets, for readers of the file. */
static json_t *functions_json(writer *w, const ir_set *set, const ir_query *q)
{
    static const char *const ITERATOR[] = { "", "_open", "_next", "_close", NULL };
    static const char *const BATCH[] = { "_add", "_take", NULL };
    static const char *const COPY[] = { "", "_open", "_add", NULL };
    static const char *const CALL[] = { "", NULL };
    const char *const *suffixes = query_cmd_is_batch(q->cmd)         ? BATCH
                                  : q->copy != NULL                  ? COPY
                                  : q->cmd == QUERY_MANY && !q->bulk ? ITERATOR
                                                                     : CALL;
    json_t *array = json_array();
    for (size_t i = 0; suffixes[i] != NULL; i++) {
        push(w, array, json_sprintf("%s_%s%s", set->prefix, q->c_name, suffixes[i]));
    }
    return array;
}

/* Models and shared rows are named, others are spelled out. The SQL is the final one, so a review
 * sees what the server will get.
 *
 *     {"name": "GetAuthor", "command": "one", "file": "…", "hash": "…", "sql": "…",
 *      "params": […], "columns": […], "row": "lib_author"} */
static json_t *query_json(writer *w, const ir_set *set, const ir_query *q)
{
    json_t *object = struct_json(w, IR_QUERY_MEMBERS, q);
    if (w->lines) {
        put_number(w, object, "line", q->line);
    }
    put(w, object, "functions", functions_json(w, set, q));
    put(w, object, "params",
        structs_json(w, IR_PARAM_MEMBERS, q->params, q->param_count, sizeof *q->params));
    put(w, object, "columns",
        structs_json(w, IR_COLUMN_MEMBERS, q->columns, q->column_count, sizeof *q->columns));
    if (q->choice_count > 0) {
        put(w, object, "choices",
            structs_json(w, IR_CHOICE_MEMBERS, q->choices, q->choice_count, sizeof *q->choices));
        put(w, object, "variants",
            structs_json(w, IR_VARIANT_MEMBERS, q->variants, q->variant_count,
                         sizeof *q->variants));
    }
    if (q->copy != NULL) {
        put(w, object, "copy", copy_json(w, q->copy));
    }
    if (q->row != NULL && (q->row->kind == IR_ROW_MODEL || q->row->kind == IR_ROW_SHARED)) {
        put_text(w, object, "row", q->row->name);
    } else if (q->row != NULL) {
        put(w, object, "row", row_json(w, q->row));
    }
    return object;
}

/* The order of the lists is that of the generated files; what is named stands before its users. */
bool ir_to_json(const ir_set *set, bool lines, json_t *root)
{
    writer w = { .lines = lines };
    json_t *shapes = json_array();
    json_t *models = json_array();
    json_t *shared = json_array();
    json_t *queries = json_array();
    for (const member *m = IR_SET_MEMBERS; m->key != NULL; m++) {
        put_member(&w, root, m, (const char *) set);
    }
    put(&w, root, "files",
        structs_json(&w, IR_FILE_MEMBERS, set->files, set->file_count, sizeof *set->files));
    put(&w, root, "enums",
        structs_json(&w, IR_ENUM_MEMBERS, set->enums, set->enum_count, sizeof *set->enums));
    for (size_t i = 0; i < set->shapes.count; i++) {
        push(&w, shapes, shape_json(&w, *VEC_AT(&set->shapes, ir_shape *, i)));
    }
    for (size_t i = 0; i < set->model_count; i++) {
        push(&w, models, row_json(&w, &set->models[i]));
    }
    for (size_t i = 0; i < set->shared.count; i++) {
        push(&w, shared, row_json(&w, *VEC_AT(&set->shared, ir_row *, i)));
    }
    for (size_t i = 0; i < set->query_count; i++) {
        push(&w, queries, query_json(&w, set, &set->queries[i]));
    }
    put(&w, root, "shapes", shapes);
    put(&w, root, "models", models);
    put(&w, root, "shared", shared);
    put(&w, root, "queries", queries);
    put(&w, root, "needs",
        structs_json(&w, IR_NEED_MEMBERS, set->needs, set->need_count, sizeof *set->needs));
    return !w.failed;
}
