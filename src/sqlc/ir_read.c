/* Reading the representation. The file lies in a repository and is as good as its last editor: what
 * the emitter relies on is checked here, and anything else is refused with a path into the file.
 * Thread-safe: yes. */
#include "base/prelude.h"

#include "sqlc/ir_json.h"

#include "sqlc/ir_members.h"
#include "sqlc/shapes.h"

typedef struct reader {
    arena *arena;
    ir_set *set;
    bool nomem;
    const char *what;  /* the object being read: "query GetAuthor" */
    char message[256]; /* first mistake; "" while there is none */
} reader;

static bool fail(reader *r, const char *key, const char *problem)
{
    if (r->message[0] == '\0') {
        (void) snprintf(r->message, sizeof r->message, "%s: \"%s\" %s", r->what, key, problem);
    }
    return false;
}

static bool no_memory(reader *r)
{
    r->nomem = true;
    return false;
}

/* Zeroed room for a list; one more than needed, so that none is no special case. */
static void *room(reader *r, size_t count, size_t size)
{
    void *items = arena_array(r->arena, count + 1, size);
    r->nomem = r->nomem || items == NULL;
    return items;
}

static bool read_text(reader *r, const json_t *value, const char *key, const char **out)
{
    if (!json_is_string(value)) {
        return fail(r, key, "is missing or no text");
    }
    char *copy = arena_strdup(r->arena, json_string_value(value));
    *out = copy;
    return copy != NULL || no_memory(r);
}

static bool read_number(reader *r, const json_t *value, const char *key, uint64_t max,
                        uint64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t) json_integer_value(value) > max) {
        return fail(r, key, "is no number in its range");
    }
    *out = (uint64_t) json_integer_value(value);
    return true;
}

/* Lists that go together must be of one length: the first one says it. */
static bool agree(reader *r, const char *key, size_t count, size_t *known)
{
    if (*known != 0 && *known != count) {
        return fail(r, key, "has not as many entries as it should");
    }
    *known = count;
    return true;
}

static bool read_texts(reader *r, const json_t *value, const char *key, const char *const **out,
                       size_t *count)
{
    if (!json_is_array(value) || !agree(r, key, json_array_size(value), count)) {
        return fail(r, key, "is no list");
    }
    const char **texts = room(r, *count, sizeof *texts);
    for (size_t i = 0; texts != NULL && i < *count; i++) {
        if (!read_text(r, json_array_get(value, i), key, &texts[i])) {
            return false;
        }
    }
    *out = texts;
    return texts != NULL;
}

static bool read_sizes(reader *r, const json_t *value, const char *key, const size_t **out,
                       size_t *count)
{
    if (!json_is_array(value) || !agree(r, key, json_array_size(value), count)) {
        return fail(r, key, "is no list");
    }
    size_t *numbers = room(r, *count, sizeof *numbers);
    for (size_t i = 0; numbers != NULL && i < *count; i++) {
        uint64_t number = 0;
        if (!read_number(r, json_array_get(value, i), key, SIZE_MAX, &number)) {
            return false;
        }
        numbers[i] = (size_t) number;
    }
    *out = numbers;
    return numbers != NULL;
}

static bool read_hash(reader *r, const json_t *value, const char *key, uint64_t *out)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    if (text == NULL || strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16) {
        return fail(r, key, "is no hash");
    }
    *out = strtoull(text, &end, 16);
    return true;
}

static bool read_word(reader *r, const json_t *value, const member *m, unsigned *out)
{
    const char *text = json_string_value(value);
    for (unsigned i = 0; text != NULL && m->words[i] != NULL; i++) {
        if (strcmp(m->words[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return fail(r, m->key, "is none of the known words");
}

static ir_enum *find_enum(const reader *r, const char *name)
{
    for (size_t i = 0; i < r->set->enum_count; i++) {
        if (strcmp(r->set->enums[i].name, name) == 0) {
            return &r->set->enums[i];
        }
    }
    return NULL;
}

static ir_shape *find_shape(const reader *r, const char *name)
{
    for (size_t i = 0; i < r->set->shapes.count; i++) {
        ir_shape *shape = *VEC_AT(&r->set->shapes, ir_shape *, i);
        if (strcmp(shape->name, name) == 0) {
            return shape;
        }
    }
    return NULL;
}

static bool read_type(reader *r, const json_t *object, ir_type *out)
{
    const char *labels = json_string_value(json_object_get(object, "enum"));
    const char *shape = json_string_value(json_object_get(object, "shape"));
    const char *codec = json_string_value(json_object_get(object, "codec"));
    const json_t *oid = json_object_get(object, "oid");
    const json_t *sent = json_object_get(object, "sent");
    uint64_t number = 0;
    if (json_is_string(json_object_get(object, "embed"))) {
        return true; /* has no type of its own */
    }
    if (!read_text(r, json_object_get(object, "type"), "type", &out->sql)) {
        return false;
    }
    if (labels != NULL) {
        out->labels = find_enum(r, labels);
        out->c = out->labels == NULL ? NULL : c_type_by_suffix("text");
    } else if (shape != NULL) {
        out->shape = find_shape(r, shape);
        out->c = out->shape == NULL ? NULL : &out->shape->c;
    } else if (codec != NULL) {
        out->c = c_type_by_suffix(codec);
    }
    if (out->c == NULL) {
        return fail(r, "type", "has no C type that we know");
    }
    if (oid != NULL && !read_number(r, oid, "oid", UINT32_MAX, &number)) {
        return false;
    }
    out->oid = (uint32_t) number;
    number = 0;
    if (sent != NULL && !read_number(r, sent, "sent", UINT32_MAX, &number)) {
        return false;
    }
    out->element = (uint32_t) number;
    return true;
}

static bool read_slice(reader *r, const json_t *value, const char *key, slice *out)
{
    const char *text = NULL;
    if (!read_text(r, value, key, &text)) {
        return false;
    }
    *out = (slice) { text, strlen(text) };
    return true;
}

/* One member that is there. */
static bool read_member(reader *r, const json_t *value, const member *m, char *base)
{
    void *at = base + m->offset;
    size_t *count = (void *) (base + m->extra);
    uint64_t number = 0;
    switch (m->kind) {
    case MEMBER_TEXT:
        return read_text(r, value, m->key, at);
    case MEMBER_SLICE:
        return read_slice(r, value, m->key, at);
    case MEMBER_TEXTS:
        return read_texts(r, value, m->key, at, count);
    case MEMBER_SIZES:
        return read_sizes(r, value, m->key, at, count);
    case MEMBER_BOOL:
        *(bool *) at = json_is_true(value);
        return true;
    case MEMBER_U32:
        if (!read_number(r, value, m->key, UINT32_MAX, &number)) {
            return false;
        }
        *(uint32_t *) at = (uint32_t) number;
        return true;
    case MEMBER_SIZE:
        if (!read_number(r, value, m->key, SIZE_MAX, &number)) {
            return false;
        }
        *(size_t *) at = (size_t) number;
        return true;
    case MEMBER_HASH:
        return read_hash(r, value, m->key, at);
    case MEMBER_WORD:
        return read_word(r, value, m, at);
    case MEMBER_TYPE:
        break;
    }
    return true;
}

static bool read_struct(reader *r, const json_t *object, const member *members, void *out)
{
    for (const member *m = members; m->key != NULL; m++) {
        const json_t *value = json_object_get(object, m->key);
        bool list = m->kind == MEMBER_TEXTS || m->kind == MEMBER_SIZES;
        if (m->kind == MEMBER_TYPE) {
            if (!read_type(r, object, (void *) ((char *) out + m->offset))) {
                return false;
            }
        } else if (value != NULL) {
            if (!read_member(r, value, m, out)) {
                return false;
            }
        } else if (m->required && !list) {
            return fail(r, m->key, "is missing");
        }
    }
    return true;
}

/* A list of structs of one size. *out is in the arena. */
static bool read_structs(reader *r, const json_t *array, const char *key, const member *members,
                         size_t size, void *out, size_t *count)
{
    size_t length = json_array_size(array);
    char *items = room(r, length, size);
    if (array != NULL && !json_is_array(array)) {
        return fail(r, key, "is no list");
    }
    for (size_t i = 0; items != NULL && i < length; i++) {
        if (!read_struct(r, json_array_get(array, i), members, items + i * size)) {
            return false;
        }
    }
    memcpy(out, &items, sizeof items);
    *count = length;
    return items != NULL;
}

static ir_row *find_row(const reader *r, const char *name)
{
    for (size_t i = 0; i < r->set->model_count; i++) {
        if (strcmp(r->set->models[i].name, name) == 0) {
            return &r->set->models[i];
        }
    }
    for (size_t i = 0; i < r->set->shared.count; i++) {
        ir_row *row = *VEC_AT(&r->set->shared, ir_row *, i);
        if (strcmp(row->name, name) == 0) {
            return row;
        }
    }
    return NULL;
}

static bool read_fields(reader *r, const json_t *object, ir_field **out, size_t *count)
{
    const json_t *array = json_object_get(object, "fields");
    if (!read_structs(r, array, "fields", IR_FIELD_MEMBERS, sizeof **out, out, count)) {
        return false;
    }
    for (size_t i = 0; i < *count; i++) {
        const char *embed = json_string_value(json_object_get(json_array_get(array, i), "embed"));
        (*out)[i].embed = embed == NULL ? NULL : find_row(r, embed);
        if (embed != NULL && (*out)[i].embed == NULL) {
            return fail(r, "embed", "names no model");
        }
        if (embed == NULL && (*out)[i].sql_name == NULL) {
            return fail(r, "column", "is missing");
        }
    }
    return *count > 0 || fail(r, "fields", "is empty");
}

static bool read_row(reader *r, const json_t *object, ir_row *out)
{
    if (!read_struct(r, object, IR_ROW_MEMBERS, out)) {
        return false;
    }
    bool named = out->kind == IR_ROW_SCALAR || (out->name != NULL && out->name[0] != '\0');
    bool placed = out->kind != IR_ROW_MODEL || (out->schema != NULL && out->table != NULL);
    if (!named || !placed) {
        return fail(r, "name", "is missing");
    }
    return read_fields(r, object, &out->fields, &out->field_count);
}

/* The emitter puts words between the prefix and the rest. */
static bool has_prefix(const reader *r, const char *name)
{
    return strncmp(name, r->set->prefix, strlen(r->set->prefix)) == 0;
}

static bool read_enums(reader *r, const json_t *root)
{
    r->what = "enums";
    if (!read_structs(r, json_object_get(root, "enums"), "enums", IR_ENUM_MEMBERS,
                      sizeof *r->set->enums, &r->set->enums, &r->set->enum_count)) {
        return false;
    }
    for (size_t i = 0; i < r->set->enum_count; i++) {
        const ir_enum *e = &r->set->enums[i];
        const json_t *object = json_array_get(json_object_get(root, "enums"), i);
        size_t labels = json_array_size(json_object_get(object, "labels"));
        size_t constants = json_array_size(json_object_get(object, "constants"));
        if (!has_prefix(r, e->name) || labels != constants) {
            return fail(r, e->name, "does not fit");
        }
    }
    return true;
}

/* What a shape is made of stands before it. */
static bool read_shapes(reader *r, const json_t *root)
{
    const json_t *array = json_object_get(root, "shapes");
    r->what = "shapes";
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *object = json_array_get(array, i);
        ir_shape *shape = ARENA_NEW(r->arena, ir_shape);
        if (shape == NULL) {
            return no_memory(r);
        }
        if (!read_struct(r, object, IR_SHAPE_MEMBERS, shape) ||
            (shape->kind != IR_SHAPE_CUSTOM &&
             !read_fields(r, object, &shape->fields, &shape->field_count))) {
            return false;
        }
        if (shape->kind == IR_SHAPE_CUSTOM &&
            (shape->custom.c_type == NULL || shape->custom.decode == NULL ||
             shape->custom.encode == NULL)) {
            return fail(r, "c_type", "lacks its functions");
        }
        if (!has_prefix(r, shape->name)) {
            return fail(r, "name", "has not the prefix");
        }
        ir_shape **slot = VEC_ADD(r->arena, &r->set->shapes, ir_shape *);
        if (slot == NULL || !shapes_complete(r->arena, r->set->prefix, shape)) {
            return no_memory(r);
        }
        *slot = shape;
    }
    return true;
}

static bool read_models(reader *r, const json_t *root)
{
    const json_t *array = json_object_get(root, "models");
    r->what = "models";
    r->set->models = room(r, json_array_size(array), sizeof *r->set->models);
    for (size_t i = 0; !r->nomem && i < json_array_size(array); i++) {
        if (!read_row(r, json_array_get(array, i), &r->set->models[i])) {
            return false;
        }
        if (!has_prefix(r, r->set->models[i].name)) {
            return fail(r, "name", "has not the prefix");
        }
        r->set->model_count = i + 1;
    }
    return !r->nomem;
}

static bool read_shared(reader *r, const json_t *root)
{
    const json_t *array = json_object_get(root, "shared");
    r->what = "shared";
    for (size_t i = 0; i < json_array_size(array); i++) {
        ir_row *row = ARENA_NEW(r->arena, ir_row);
        ir_row **slot = VEC_ADD(r->arena, &r->set->shared, ir_row *);
        if (row == NULL || slot == NULL) {
            return no_memory(r);
        }
        *slot = row;
        row->name = "";
        if (!read_row(r, json_array_get(array, i), row)) {
            return false;
        }
    }
    return true;
}

static bool read_copy(reader *r, const json_t *object, ir_query *q)
{
    ir_copy *copy = ARENA_NEW(r->arena, ir_copy);
    ir_copy_column *columns = NULL;
    if (copy == NULL) {
        return no_memory(r);
    }
    if (!read_struct(r, object, IR_COPY_MEMBERS, copy) ||
        !read_structs(r, json_object_get(object, "columns"), "columns", IR_COPY_COLUMN_MEMBERS,
                      sizeof *columns, &columns, &copy->column_count)) {
        return false;
    }
    for (size_t i = 0; i < copy->column_count; i++) {
        if (columns[i].param >= q->param_count) {
            return fail(r, "copy", "names a parameter that is not there");
        }
    }
    copy->columns = columns;
    q->copy = copy;
    return true;
}

/* Numbers into lists must fit, strides must make the number of texts. */
static bool check_choices(reader *r, const ir_query *q)
{
    size_t texts = 1;
    for (size_t i = 0; i < q->choice_count; i++) {
        const ir_choice *c = &q->choices[i];
        bool param = c->kind != IR_CHOICE_PARAM || c->param < q->param_count;
        bool named = c->kind != IR_CHOICE_SWITCH || (c->type != NULL && c->constants != NULL);
        if (!param || !named || c->option_count < 2 || c->option_count > IR_VARIANTS_MAX) {
            return fail(r, "choices", "does not fit");
        }
        texts = texts > IR_VARIANTS_MAX ? texts : texts * c->option_count;
    }
    if (q->choice_count > 0 && (texts != q->variant_count || texts > IR_VARIANTS_MAX)) {
        return fail(r, "variants", "has not as many entries as the choices give");
    }
    for (size_t i = 0; i < q->variant_count; i++) {
        for (size_t k = 0; k < q->variants[i].param_count; k++) {
            if (q->variants[i].params[k] >= q->param_count) {
                return fail(r, "variants", "names a parameter that is not there");
            }
        }
    }
    return true;
}

static bool read_query_row(reader *r, const json_t *value, ir_query *q)
{
    if (value == NULL) {
        return true;
    }
    if (json_is_string(value)) {
        q->row = find_row(r, json_string_value(value));
        return q->row != NULL || fail(r, "row", "names no row type");
    }
    ir_row *row = ARENA_NEW(r->arena, ir_row);
    q->row = row;
    return row == NULL ? no_memory(r) : read_row(r, value, row);
}

static bool read_file_index(reader *r, ir_query *q)
{
    while (q->file_index < r->set->file_count &&
           strcmp(r->set->files[q->file_index].path, q->file) != 0) {
        q->file_index++;
    }
    return q->file_index < r->set->file_count || fail(r, "file", "is none of \"files\"");
}

/* Parts of a query that the form needs. */
static bool check_query(reader *r, const ir_query *q)
{
    bool arrays = q->bulk || q->bulk_sql != NULL;
    for (size_t i = 0; i < q->param_count; i++) {
        if (q->params[i].number != i + 1 || (arrays && q->params[i].array_sql == NULL)) {
            return fail(r, "params", "does not fit");
        }
    }
    bool many = query_cmd_is_batch(q->cmd) || arrays || q->copy != NULL;
    bool plain = !many || (q->param_count > 0 && (q->choice_count == 0 || !arrays));
    bool apart = !arrays || !query_cmd_is_batch(q->cmd);
    bool rows = query_cmd_has_rows(q->cmd);
    if (!plain || !apart || (rows && q->column_count == 0)) {
        return fail(r, "params", "do not fit the command");
    }
    if (rows != (q->row != NULL) || (q->cmd == QUERY_COPYFROM) != (q->copy != NULL) ||
        q->bulk > (q->bulk_sql != NULL)) {
        return fail(r, "command", "does not fit the rest");
    }
    return check_choices(r, q);
}

static bool read_query(reader *r, const json_t *object, ir_query *q)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    r->what = arena_printf(r->arena, "query %s", name == NULL ? "" : name);
    if (r->what == NULL) {
        r->what = "query";
        return no_memory(r);
    }
    return read_struct(r, object, IR_QUERY_MEMBERS, q) && read_file_index(r, q) &&
           read_structs(r, json_object_get(object, "params"), "params", IR_PARAM_MEMBERS,
                        sizeof *q->params, &q->params, &q->param_count) &&
           read_structs(r, json_object_get(object, "columns"), "columns", IR_COLUMN_MEMBERS,
                        sizeof *q->columns, &q->columns, &q->column_count) &&
           read_structs(r, json_object_get(object, "choices"), "choices", IR_CHOICE_MEMBERS,
                        sizeof *q->choices, &q->choices, &q->choice_count) &&
           read_structs(r, json_object_get(object, "variants"), "variants", IR_VARIANT_MEMBERS,
                        sizeof *q->variants, &q->variants, &q->variant_count) &&
           (json_object_get(object, "copy") == NULL ||
            read_copy(r, json_object_get(object, "copy"), q)) &&
           read_query_row(r, json_object_get(object, "row"), q) && check_query(r, q);
}

static bool read_queries(reader *r, const json_t *root)
{
    const json_t *array = json_object_get(root, "queries");
    r->set->queries = room(r, json_array_size(array), sizeof *r->set->queries);
    for (size_t i = 0; !r->nomem && i < json_array_size(array); i++) {
        if (!read_query(r, json_array_get(array, i), &r->set->queries[i])) {
            return false;
        }
        r->set->query_count = i + 1;
    }
    return !r->nomem;
}

pgc_status ir_from_json(arena *mem, const char *path, json_t *root, ir_set *out, pgc_error *err)
{
    ir_set set = { 0 };
    reader r = { .arena = mem, .set = &set, .what = "the manifest" };
    bool ok = read_struct(&r, root, IR_SET_MEMBERS, &set) &&
              read_structs(&r, json_object_get(root, "files"), "files", IR_FILE_MEMBERS,
                           sizeof *set.files, &set.files, &set.file_count) &&
              read_enums(&r, root) && read_shapes(&r, root) && read_models(&r, root) &&
              read_shared(&r, root) && read_queries(&r, root) &&
              read_structs(&r, json_object_get(root, "needs"), "needs", IR_NEED_MEMBERS,
                           sizeof *set.needs, &set.needs, &set.need_count);
    if (r.nomem) {
        return pgc_error_set(err, PGC_NOMEM, "read \"%s\"", path);
    }
    if (!ok) {
        pgc_status status = pgc_error_set(err, PGC_INVALID, "%s:1:1: %s", path, r.message);
        pgc_error_hint(err, "made by another version of sqlc-gen-c? run generate with a server");
        return status;
    }
    *out = set;
    return PGC_OK;
}
