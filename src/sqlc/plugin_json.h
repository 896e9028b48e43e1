/* The plugin protocol as JSON, as upstream's sqlc speaks it with `format: json`. */
#ifndef SQLC_PLUGIN_JSON_H
#define SQLC_PLUGIN_JSON_H

#include <pgc/error.h>

#include "base/arena.h"
#include "base/buf.h"
#include "sqlc/vec.h"

struct Plugin__GenerateRequest;

/* Read a request; it lives in the arena, its texts have a NUL behind them. PGC_OK; PGC_INVALID (no
 * JSON, or a field of another type); PGC_NOMEM. */
pgc_status plugin_json_read(arena *arena, slice text, struct Plugin__GenerateRequest **out,
                            pgc_error *err) PGC_MUST_CHECK;
/* Append the answer. files: of emit_file. PGC_OK; PGC_NOMEM. */
pgc_status plugin_json_write(const vec *files, buf *out, pgc_error *err) PGC_MUST_CHECK;

#endif
