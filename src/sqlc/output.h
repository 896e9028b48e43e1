/* The output folder: what is different there, and writing only that. */
#ifndef SQLC_OUTPUT_H
#define SQLC_OUTPUT_H

#include "base/env.h"
#include "sqlc/emit.h"

typedef enum output_state { OUTPUT_SAME, OUTPUT_DIFFERENT, OUTPUT_MISSING } output_state;

/* One file of the folder compared with what it should hold. */
typedef struct output_change {
    const char *path;   /* as in messages */
    const char *full;   /* for the file system */
    output_state state; /* what is to be done */
    slice old, content; /* old: what is on disk */
} output_change;

/* Compare files (of emit_file) with folder `dir` (shown as `shown`). out: of output_change, all
 * files. PGC_OK; PGC_NOMEM; PGC_IO, PGC_DENIED for files that cannot be read. */
pgc_status output_compare(const env *env, arena *arena, const char *dir, const char *shown,
                          const vec *files, vec *out, pgc_error *err) PGC_MUST_CHECK;
/* Write what is different; files that are the same are not touched. */
pgc_status output_write(const env *env, const char *dir, const vec *changes, pgc_error *err)
    PGC_MUST_CHECK;
/* Append a listing of one change in the form of a unified diff. */
void output_diff(const output_change *change, buf *out);

#endif
