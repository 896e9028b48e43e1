/* The messages between upstream's sqlc and a plugin, as protobuf-c has them: plugin.pb-c.h is made
 * from plugin.proto when the program is built. */
#ifndef SQLC_PLUGIN_REQUEST_H
#define SQLC_PLUGIN_REQUEST_H

#include <pgc/error.h>

#include "base/arena.h"
#include "base/buf.h"
#include "sqlc/vec.h"

/* Requests above this size are refused: a schema of a thousand tables gives 1 MiB. */
#define PLUGIN_REQUEST_MAX ((size_t) 64 << 20)

struct ProtobufCBinaryData;
struct Plugin__GenerateRequest;

/* Read a request; *out and all texts in it live in the arena, each with a NUL behind it, in UTF-8.
 * PGC_OK; PGC_INVALID (no such message); PGC_NOMEM (also: above the arena's ceiling). */
pgc_status plugin_request_read(arena *arena, slice bytes,
                               const struct Plugin__GenerateRequest **out, pgc_error *err)
    PGC_MUST_CHECK;
/* The request is JSON, and so has the answer to be. */
bool plugin_request_is_json(slice bytes);
/* A text of a request that was read; "" when it is not there. */
const char *plugin_text(const struct ProtobufCBinaryData *text);
/* Append the answer to a request. files: of emit_file. PGC_OK; PGC_NOMEM. */
pgc_status plugin_response_write(arena *arena, const vec *files, buf *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
