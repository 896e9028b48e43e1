/* Cuts a migration file into statements exactly as Atlas does with its PostgreSQL options: the
 * number of statements and their texts are part of the revision table. */
#ifndef MIGRATE_SPLIT_H
#define MIGRATE_SPLIT_H

#include <pgc/error.h>

#include "base/arena.h"

typedef struct migrate_stmt {
    slice text;      /* points into the file; a ";" stays, another delimiter is cut off */
    size_t position; /* byte offset; with a delimiter directive counted from the second line */
    slice *comments; /* attached comments */
    size_t comment_count;
} migrate_stmt;

typedef struct migrate_stmts {
    migrate_stmt *items;
    size_t count;
} migrate_stmts;

/* content must outlive the result, which lives in mem. PGC_INVALID: "LINE:COLUMN: reason" for
 * unbalanced parentheses and quotes and for bad delimiters; PGC_LIMIT: endlessly nested BEGIN;
 * PGC_NOMEM. */
pgc_status migrate_split(slice content, arena *mem, migrate_stmts *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
