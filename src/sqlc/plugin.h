/* The compiler as a plugin of upstream's sqlc: a request in, the C files out. No server is asked,
 * so the facts are upstream's. */
#ifndef SQLC_PLUGIN_H
#define SQLC_PLUGIN_H

#include "base/buf.h"
#include "sqlc/diag.h"

/* argv[1] when upstream runs a plugin. */
#define PLUGIN_METHOD "/plugin.CodegenService/Generate"
/* Ceiling for the arena of one run. */
#define PLUGIN_MEMORY_MAX ((size_t) 1 << 30)

/* Answer one request: a GenerateRequest to a GenerateResponse, appended to out; both as protobuf,
 * or both as JSON. The paths of diags are "FILE: QUERY" and have no lines. PGC_OK; PGC_INVALID (see
 * diags, or err when the request is none); PGC_NOMEM. */
pgc_status plugin_generate(arena *arena, slice request, diag_list *diags, buf *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
