/* Query and schema files: which ones, their statements, and the annotation that names a query. */
#ifndef SQLC_SOURCE_H
#define SQLC_SOURCE_H

#include "base/env.h"
#include "sqlc/diag.h"

/* Files above this size are refused. */
#define SOURCE_FILE_MAX ((size_t) 64 << 20)

typedef enum query_cmd {
    QUERY_ONE,
    QUERY_MANY,
    QUERY_EXEC,
    QUERY_EXECROWS,
    QUERY_EXECRESULT,
    QUERY_COPYFROM,
    QUERY_BATCHEXEC,
    QUERY_BATCHONE,
    QUERY_BATCHMANY
} query_cmd;

/* Gives rows to its caller. */
static inline bool query_cmd_has_rows(query_cmd cmd)
{
    return cmd == QUERY_ONE || cmd == QUERY_MANY || cmd == QUERY_BATCHONE || cmd == QUERY_BATCHMANY;
}

/* Runs in a pipeline, many times in one round trip. */
static inline bool query_cmd_is_batch(query_cmd cmd)
{
    return cmd == QUERY_BATCHEXEC || cmd == QUERY_BATCHONE || cmd == QUERY_BATCHMANY;
}

/* A word after '@' in a comment of its own line, e.g. "-- @row Asset". */
typedef struct query_flag {
    const char *word; /* "row" */
    const char *rest; /* "Asset", trimmed */
    size_t at;        /* byte offset in the file */
} query_flag;

/* One annotated statement. */
typedef struct query_source {
    const source_file *file; /* positions count in it */
    const source_file *unit; /* names the C file; NULL: `file` */
    size_t start, end;       /* bytes of the statement: first token up to the semicolon */
    size_t name_at;          /* byte offset of the annotation */
    const char *name;        /* "GetAsset" */
    query_cmd cmd;           /* checked; others are refused */
    vec comments;            /* of const char *: lines of documentation, markers removed */
    vec flags;               /* of query_flag */
    const vec *param_order;  /* of const char *: names that are $1, $2, …; NULL: as they come */
} query_source;

/* One statement of a schema file. */
typedef struct schema_statement {
    const source_file *file; /* text without psql commands */
    size_t start, end;       /* bytes of that text */
} schema_statement;

const char *query_cmd_text(query_cmd cmd); /* "one" */
/* The command behind the colon. False: none of ours. */
bool query_cmd_find(slice word, query_cmd *out);
/* What a comment line says: documentation or a flag, for query. at: byte offset of the comment. */
pgc_status source_comment(arena *arena, slice body, size_t at, query_source *query, pgc_error *err)
    PGC_MUST_CHECK;
/* ASCII letters, digits and underscores: the name of a query. */
bool source_is_query_name(slice name);

/* Files behind config paths, in order: a directory gives its *.sql (no dot files, no *.down.sql),
 * patterns are expanded. base: folder that relative paths start from; what messages show is the
 * path below it. out: of source_file. Faulty paths go to diags. PGC_OK; PGC_NOMEM. */
pgc_status source_load(const env *env, arena *arena, const char *base, const vec *paths,
                       diag_list *diags, vec *out, pgc_error *err) PGC_MUST_CHECK;

/* Statements with an annotation, in order. out: of query_source. Mistakes go to diags. */
pgc_status source_queries(arena *arena, const source_file *file, diag_list *diags, vec *out,
                          pgc_error *err) PGC_MUST_CHECK;

/* Statements of a schema file without annotated ones, down parts of migration tools and psql
 * commands. out: of schema_statement. */
pgc_status source_schema(arena *arena, const source_file *file, diag_list *diags, vec *out,
                         pgc_error *err) PGC_MUST_CHECK;

/* Byte offset of the first byte that is not well-formed UTF-8 (or is NUL); text.len when none. */
size_t source_bad_utf8(slice text);

static inline const char *source_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

#endif
