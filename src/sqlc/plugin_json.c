/* JSON to the messages of plugin.proto and back, by their descriptors, so that both formats have
 * one definition. Upstream writes protobuf's own JSON with the names of the .proto file; what a
 * message does not hold is null or a default. Bytes are base64, texts are not. One thread per
 * arena. Source: sqlc-dev/sqlc internal/ext/process/gen.go. */
#include "base/prelude.h"

#include "sqlc/plugin_json.h"

#include <jansson.h>
#include <plugin.pb-c.h>

#include "base/base64.h"
#include "base/json_auto.h"
#include "sqlc/emit.h"
#include "sqlc/json_text.h"

/* Options are short; this is only a ceiling. */
#define BYTES_MAX ((size_t) 64 << 20)

typedef struct json_reader {
    arena *arena;
    pgc_error *err;
} json_reader;

static pgc_status no_memory(const json_reader *r)
{
    return pgc_error_set(r->err, PGC_NOMEM, "read the request");
}

static pgc_status wrong_type(const json_reader *r, const ProtobufCFieldDescriptor *field,
                             const char *want)
{
    return pgc_error_set(r->err, PGC_INVALID, "read the request: \"%s\" is no %s", field->name,
                         want);
}

static pgc_status read_message(const json_reader *r, const json_t *object,
                               const ProtobufCMessageDescriptor *of, void *out);

/* Texts are bytes in our plugin.proto; this field is bytes in upstream's. */
static bool is_base64(const ProtobufCFieldDescriptor *field)
{
    return strcmp(field->name, "plugin_options") == 0;
}

static pgc_status read_text(const json_reader *r, const json_t *value,
                            const ProtobufCFieldDescriptor *field, ProtobufCBinaryData *out)
{
    AUTO(buf_auto) buf decoded;
    slice text = { json_string_value(value), json_string_length(value) };
    buf_init(&decoded, NULL, BYTES_MAX);
    if (text.ptr == NULL) {
        return wrong_type(r, field, "text");
    }
    if (is_base64(field)) {
        if (!base64_read(&decoded, text)) {
            return wrong_type(r, field, "base64");
        }
        text = buf_view(&decoded);
    }
    char *copy = decoded.failed ? NULL : arena_copy(r->arena, text);
    if (copy == NULL) {
        return no_memory(r);
    }
    *out = (ProtobufCBinaryData) { .len = text.len, .data = (uint8_t *) copy };
    return PGC_OK;
}

/* One value of a field at `member`: those of a repeated one lie side by side. */
static pgc_status read_value(const json_reader *r, const json_t *value,
                             const ProtobufCFieldDescriptor *field, void *member)
{
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        return read_text(r, value, field, member);
    }
    if (field->type == PROTOBUF_C_TYPE_BOOL) {
        *(protobuf_c_boolean *) member = json_is_true(value);
        return json_is_boolean(value) ? PGC_OK : wrong_type(r, field, "boolean");
    }
    if (field->type == PROTOBUF_C_TYPE_INT32) {
        json_int_t number = json_integer_value(value);
        *(int32_t *) member = (int32_t) number;
        bool fits = json_is_integer(value) && number >= INT32_MIN && number <= INT32_MAX;
        return fits ? PGC_OK : wrong_type(r, field, "whole number of 32 bits");
    }
    const ProtobufCMessageDescriptor *of = field->descriptor;
    assert(field->type == PROTOBUF_C_TYPE_MESSAGE);
    void *message = arena_alloc(r->arena, of->sizeof_message);
    if (message == NULL) {
        return no_memory(r);
    }
    *(void **) member = message;
    return json_is_object(value) ? read_message(r, value, of, message)
                                 : wrong_type(r, field, "object");
}

static size_t size_of_value(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_BYTES   ? sizeof(ProtobufCBinaryData)
           : field->type == PROTOBUF_C_TYPE_BOOL  ? sizeof(protobuf_c_boolean)
           : field->type == PROTOBUF_C_TYPE_INT32 ? sizeof(int32_t)
                                                  : sizeof(void *);
}

static pgc_status read_list(const json_reader *r, const json_t *list,
                            const ProtobufCFieldDescriptor *field, char *message)
{
    size_t count = json_array_size(list);
    size_t size = size_of_value(field);
    if (!json_is_array(list)) {
        return wrong_type(r, field, "list");
    }
    char *values = arena_alloc(r->arena, (count + 1) * size);
    if (values == NULL) {
        return no_memory(r);
    }
    memset(values, 0, (count + 1) * size);
    for (size_t i = 0; i < count; i++) {
        TRY(read_value(r, json_array_get(list, i), field, values + i * size));
    }
    memcpy(message + field->offset, &values, sizeof values);
    memcpy(message + field->quantifier_offset, &count, sizeof count);
    return PGC_OK;
}

/* As deep as the messages of plugin.proto, none of which holds one of its own kind. Keys that we do
 * not know are passed over, as unknown fields of protobuf are. */
static pgc_status read_message(const json_reader *r, const json_t *object,
                               const ProtobufCMessageDescriptor *of, void *out)
{
    protobuf_c_message_init(of, out);
    for (unsigned i = 0; i < of->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &of->fields[i];
        const json_t *value = json_object_get(object, field->name);
        if (value == NULL || json_is_null(value)) {
            continue;
        }
        TRY(field->label == PROTOBUF_C_LABEL_REPEATED
                ? read_list(r, value, field, out)
                : read_value(r, value, field, (char *) out + field->offset));
    }
    return PGC_OK;
}

pgc_status plugin_json_read(arena *mem, slice text, Plugin__GenerateRequest **out, pgc_error *err)
{
    const json_reader r = { .arena = mem, .err = err };
    json_error_t problem;
    AUTO(json_auto) json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &problem);
    if (root == NULL) {
        return json_text_no_memory(&problem, false)
                   ? no_memory(&r)
                   : pgc_error_set(err, PGC_INVALID, "read the request: line %d, column %d: %s",
                                   problem.line, problem.column, problem.text);
    }
    Plugin__GenerateRequest *request = ARENA_NEW(mem, Plugin__GenerateRequest);
    if (request == NULL) {
        return no_memory(&r);
    }
    TRY(read_message(&r, root, &plugin__generate_request__descriptor, request));
    *out = request;
    return PGC_OK;
}

/* Names are those of C files: letters, digits, "_" and ".".
 *
 *     {"files":[{"name":"a.h","contents":"LyogLi4u"}]} */
pgc_status plugin_json_write(const vec *files, buf *out, pgc_error *err)
{
    size_t before = out->len;
    buf_add_str(out, "{\"files\":[");
    for (size_t i = 0; i < files->count; i++) {
        const emit_file *file = VEC_AT(files, emit_file, i);
        assert(strpbrk(file->name, "\"\\") == NULL);
        buf_printf(out, "%s{\"name\":\"%s\",\"contents\":\"", i > 0 ? "," : "", file->name);
        base64_add(out, file->content);
        buf_add_str(out, "\"}");
    }
    buf_add_str(out, "]}\n");
    out->len = out->failed ? before : out->len; /* all or nothing */
    return buf_finish(out, err);
}
