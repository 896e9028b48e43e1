/* Requests as upstream's sqlc writes them for `format: json`: protobuf's JSON with the names of the
 * .proto file, with null and defaults for what a message does not hold, and with fields that our
 * plugin.proto leaves out. */
#ifndef TEST_PLUG_JSON_H
#define TEST_PLUG_JSON_H

#include <jansson.h>

#include "base/base64.h"
#include "base/json_auto.h"

#include "plug.h"

static inline json_t *plug_json_message(const ProtobufCMessage *message);

/* One value of a field; texts of `plugin_options` are bytes for upstream. */
static inline json_t *plug_json_value(const ProtobufCFieldDescriptor *field, const void *member)
{
    if (field->type == PROTOBUF_C_TYPE_BYTES) {
        const ProtobufCBinaryData *text = member;
        slice bytes = { text->data == NULL ? "" : (const char *) text->data, text->len };
        if (strcmp(field->name, "plugin_options") != 0) {
            return json_stringn(bytes.ptr, bytes.len);
        }
        AUTO(buf_auto) buf coded;
        buf_init(&coded, NULL, 1 << 20);
        base64_add(&coded, bytes);
        return json_stringn(buf_view(&coded).ptr, coded.len);
    }
    if (field->type == PROTOBUF_C_TYPE_BOOL) {
        return json_boolean(*(const protobuf_c_boolean *) member);
    }
    if (field->type == PROTOBUF_C_TYPE_INT32) {
        return json_integer(*(const int32_t *) member);
    }
    const ProtobufCMessage *part = *(ProtobufCMessage *const *) member;
    return part == NULL ? json_null() : plug_json_message(part);
}

static inline json_t *plug_json_message(const ProtobufCMessage *message)
{
    json_t *object = json_pack("{s:n, s:[], s:i}", "not_ours", "nor_this", "skip_me", 7);
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *member = (const char *) message + field->offset;
        json_t *value = NULL;
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
            size_t count = 0;
            size_t size = field->type == PROTOBUF_C_TYPE_BYTES ? sizeof(ProtobufCBinaryData)
                                                               : sizeof(ProtobufCMessage *);
            memcpy(&count, (const char *) message + field->quantifier_offset, sizeof count);
            memcpy(&member, member, sizeof member);
            value = json_array();
            for (size_t k = 0; k < count; k++) {
                (void) json_array_append_new(value, plug_json_value(field, member + k * size));
            }
        } else {
            value = plug_json_value(field, member);
        }
        (void) json_object_set_new(object, field->name, value);
    }
    return object;
}

/* After plug_pack(), which puts the parts together. In the arena of the request. */
static inline slice plug_json(plug *p)
{
    AUTO(json_auto) json_t *root = plug_json_message(&p->request.base);
    char *text = json_dumps(root, 0);
    const char *copy = text == NULL ? NULL : arena_strdup(p->arena, text);
    free(text);
    return (slice) { copy, copy == NULL ? 0 : strlen(copy) };
}

/* The same answer in both formats: names and contents of all files, in order. */
static inline bool plug_same_answer(const Plugin__GenerateResponse *response, slice text)
{
    AUTO(json_auto) json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *files = json_object_get(root, "files");
    bool same = json_object_size(root) == 1 && json_array_size(files) == response->n_files;
    for (size_t i = 0; same && i < response->n_files; i++) {
        const Plugin__File *file = response->files[i];
        const json_t *one = json_array_get(files, i);
        const char *name = json_string_value(json_object_get(one, "name"));
        const char *coded = json_string_value(json_object_get(one, "contents"));
        AUTO(buf_auto) buf contents;
        buf_init(&contents, NULL, (size_t) 64 << 20);
        same = json_object_size(one) == 2 && name != NULL && coded != NULL &&
               slice_eq_str((slice) { (const char *) file->name.data, file->name.len }, name) &&
               base64_read(&contents, sqlc_text(coded)) &&
               slice_eq(buf_view(&contents),
                        (slice) { (const char *) file->contents.data, file->contents.len });
    }
    return same;
}

#endif
