/* Messages of the plugin protocol to structs and back, by protobuf-c or as JSON. Its memory is the
 * arena's, so a request cannot take more than the arena may. Nothing is believed of a text before
 * it was looked at. One thread per arena. */
#include "base/prelude.h"

#include "sqlc/plugin_request.h"

#include <plugin.pb-c.h>

#include "sqlc/emit.h"
#include "sqlc/plugin_json.h"

/* What protobuf-c allocates with. */
typedef struct request_memory {
    arena *arena;
    bool failed;
} request_memory;

/* One byte more than asked for, which stays zero: texts are bytes on our side of the protocol, and
 * protobuf-c puts no NUL behind those. */
static void *take(void *data, size_t size)
{
    request_memory *memory = data;
    void *taken = size == SIZE_MAX ? NULL : arena_alloc(memory->arena, size + 1);
    memory->failed = memory->failed || taken == NULL;
    return taken;
}

/* The arena goes as a whole. */
static void leave(void *data, void *pointer)
{
    (void) data;
    (void) pointer;
}

static bool is_text(ProtobufCBinaryData text)
{
    return slice_is_utf8((slice) { (const char *) text.data, text.len });
}

/* The first field that is no text; NULL: all are. As deep as the messages of plugin.proto, none of
 * which holds one of its own kind. */
static const char *find_bad_text(const ProtobufCMessage *message)
{
    const char *bad = NULL;
    for (unsigned i = 0; i < message->descriptor->n_fields && bad == NULL; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const void *member = (const char *) message + field->offset;
        bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        size_t count = 1;
        if (repeated) {
            memcpy(&count, (const char *) message + field->quantifier_offset, sizeof count);
            member = *(void *const *) member;
        }
        for (size_t k = 0; k < count && bad == NULL; k++) {
            if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                const ProtobufCMessage *part = ((ProtobufCMessage *const *) member)[k];
                bad = part == NULL ? NULL : find_bad_text(part);
            } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
                bad = is_text(((const ProtobufCBinaryData *) member)[k]) ? NULL : field->name;
            }
        }
    }
    return bad;
}

static pgc_status unpack(arena *mem, slice bytes, Plugin__GenerateRequest **out, pgc_error *err)
{
    request_memory memory = { .arena = mem };
    ProtobufCAllocator allocator = { .alloc = take, .free = leave, .allocator_data = &memory };
    *out = plugin__generate_request__unpack(&allocator, bytes.len,
                                            (const uint8_t *) (bytes.ptr == NULL ? "" : bytes.ptr));
    if (*out != NULL) {
        return PGC_OK;
    }
    return memory.failed ? pgc_error_set(err, PGC_NOMEM, "read the request")
                         : pgc_error_set(err, PGC_INVALID,
                                         "read the request: it is cut off or no GenerateRequest");
}

/* No GenerateRequest begins with this byte: it would open a group, which proto3 does not have. */
bool plugin_request_is_json(slice bytes)
{
    return slice_starts(bytes, SLICE("{"));
}

pgc_status plugin_request_read(arena *mem, slice bytes, const struct Plugin__GenerateRequest **out,
                               pgc_error *err)
{
    if (bytes.len > PLUGIN_REQUEST_MAX) {
        return pgc_error_set(err, PGC_INVALID, "read the request: it is larger than %zu MiB",
                             PLUGIN_REQUEST_MAX >> 20);
    }
    Plugin__GenerateRequest *request = NULL;
    if (plugin_request_is_json(bytes)) {
        TRY(plugin_json_read(mem, bytes, &request, err));
    } else {
        TRY(unpack(mem, bytes, &request, err));
    }
    const char *bad = find_bad_text(&request->base);
    if (bad != NULL) {
        return pgc_error_set(err, PGC_INVALID, "read the request: a field \"%s\" is no UTF-8", bad);
    }
    *out = request;
    return PGC_OK;
}

const char *plugin_text(const ProtobufCBinaryData *text)
{
    assert(text->len == 0 || text->data[text->len] == '\0');
    return text->len == 0 ? "" : (const char *) text->data;
}

/* protobuf-c only reads what it sends. */
static ProtobufCBinaryData bytes_of(slice text)
{
    return (ProtobufCBinaryData) { .len = text.len,
                                   .data = (uint8_t *) (uintptr_t) (const void *) text.ptr };
}

pgc_status plugin_response_write(arena *mem, const vec *files, buf *out, pgc_error *err)
{
    Plugin__GenerateResponse response = PLUGIN__GENERATE_RESPONSE__INIT;
    Plugin__File **list = ARENA_ARRAY(mem, files->count + 1, Plugin__File *);
    for (size_t i = 0; list != NULL && i < files->count; i++) {
        const emit_file *file = VEC_AT(files, emit_file, i);
        list[i] = ARENA_NEW(mem, Plugin__File);
        if (list[i] == NULL) {
            list = NULL;
            break;
        }
        plugin__file__init(list[i]);
        list[i]->name = bytes_of((slice) { file->name, strlen(file->name) });
        list[i]->contents = bytes_of(file->content);
    }
    response.n_files = list == NULL ? 0 : files->count;
    response.files = list;
    char *room = list == NULL
                     ? NULL
                     : buf_extend(out, plugin__generate_response__get_packed_size(&response));
    if (room == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "write the response");
    }
    (void) plugin__generate_response__pack(&response, (uint8_t *) room);
    return PGC_OK;
}
