/* Query text to server text: sqlc's macros become parameters, comment lines go, and a map leads
 * every position back to the file. */
#ifndef SQLC_PREPROCESS_H
#define SQLC_PREPROCESS_H

#include "sqlc/source.h"

/* One distinct parameter. */
typedef struct query_param {
    uint32_t number;  /* 1-based */
    const char *name; /* NULL: written as $n */
    bool narg;        /* sqlc.narg somewhere: nullable */
    bool slice;       /* sqlc.slice: an array */
    bool patch;       /* @patch: looked at only when set_NAME is true */
    size_t at;        /* byte offset of the first use in the file */
} query_param;

/* sqlc.embed(t), replaced by "t.*". */
typedef struct query_embed {
    const char *alias;         /* as SQL spells it: a or "A" */
    const char *name;          /* without quotes */
    size_t sql_start, sql_end; /* bytes of "t.*" in the result */
    size_t at;                 /* byte offset in the file */
} query_embed;

/* From sql byte `out` on, the text comes from file byte `src` on; fixed: all of it from src. */
typedef struct offset_span {
    size_t out, src;
    bool fixed;
} offset_span;

typedef struct query_text {
    slice sql;  /* NUL-terminated, trimmed, no semicolon */
    vec params; /* of query_param, by number */
    vec embeds; /* of query_embed, in order */
    vec spans;  /* of offset_span, by out */
} query_text;

/* Rewrite one query. Mistakes go to diags (then *ok is false and *out is not to be used).
 * PGC_OK; PGC_NOMEM. */
pgc_status query_preprocess(arena *arena, const query_source *query, diag_list *diags,
                            query_text *out, bool *ok, pgc_error *err) PGC_MUST_CHECK;

/* File byte offset of a byte of the result. */
size_t query_source_offset(const query_text *text, size_t sql_offset);
/* Byte offset of the 1-based character that a server error names; 0 for position 0. */
size_t query_char_offset(slice sql, int32_t position);

#endif
