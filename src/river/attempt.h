/* Shared by the files that make an attempt's outcome. */
#ifndef RIVER_ATTEMPT_H
#define RIVER_ATTEMPT_H

#include "river/runtime.h"

#define ATTEMPT_LOG_MAX     2097152 /* bytes of one attempt's log, as River's */
#define ATTEMPT_LOG_ALL_MAX 8388608 /* of all attempts; the oldest are dropped */

typedef struct ctx_entry {
    struct ctx_entry *next;
    const char *key;
    slice json;
} ctx_entry;

/* The attempt's arena, made at first use; NULL: no memory. */
arena *attempt_memory(river_ctx *ctx);
/* Its queue keeps no completed jobs: the row is deleted instead. */
bool attempt_ephemeral(const river_ctx *ctx);
/* Keep a metadata key until the outcome is written. */
pgc_status attempt_stage(river_ctx *ctx, const char *key, slice json, pgc_error *err)
    PGC_MUST_CHECK;

#endif
