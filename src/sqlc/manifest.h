/* The manifest: a JSON file beside the generated code that says what it was made from and what was
 * made, so that `check --offline` needs neither server nor compiler. */
#ifndef SQLC_MANIFEST_H
#define SQLC_MANIFEST_H

#include "base/buf.h"
#include "base/env.h"
#include "sqlc/emit.h"

/* SHA-256 of one input or output. */
typedef struct manifest_entry {
    const char *path;   /* as in messages */
    const char *sha256; /* hexadecimal */
} manifest_entry;

typedef struct manifest {
    const char *generator;    /* version of the program that wrote it */
    const char *options_hash; /* of the options that change the output */
    vec inputs;               /* of manifest_entry: schema and query files as in messages */
    vec outputs;              /* of manifest_entry: names below the output folder */
} manifest;

/* Hexadecimal SHA-256 of text; NULL: no memory. */
const char *manifest_hash(arena *arena, slice text);
/* Hash of the options that change the output; NULL: no memory. */
const char *manifest_options_hash(arena *arena, const config_c *options);
/* Fill the lists from files (of source_file) and outputs (of emit_file). */
pgc_status manifest_add_inputs(manifest *m, arena *arena, const vec *files, pgc_error *err)
    PGC_MUST_CHECK;
pgc_status manifest_add_outputs(manifest *m, arena *arena, const vec *files, pgc_error *err)
    PGC_MUST_CHECK;

/* The manifest of a set as JSON text, the intermediate representation included. */
pgc_status manifest_write(const manifest *m, const ir_set *set, buf *out, pgc_error *err)
    PGC_MUST_CHECK;
/* The lists of a manifest; PGC_INVALID when it is not one of ours. path: for messages. set: NULL,
 * or gets the representation, complete enough for the emitter. */
pgc_status manifest_read(arena *arena, const char *path, slice text, manifest *out, ir_set *set,
                         pgc_error *err) PGC_MUST_CHECK;
/* What `generate --json` prints: the representation alone. */
pgc_status manifest_write_ir(const ir_set *set, buf *out, pgc_error *err) PGC_MUST_CHECK;

#endif
