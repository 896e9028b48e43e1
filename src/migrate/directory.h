/* A migration directory in memory. */
#ifndef MIGRATE_DIRECTORY_H
#define MIGRATE_DIRECTORY_H

#include <pgc/error.h>

#include "base/arena.h"
#include "base/env.h"

#define MIGRATE_SUM_NAME "atlas.sum"

/* A file compiled into the program. */
typedef struct migrate_embedded {
    const char *name;
    const char *content;
    size_t size; /* bytes */
} migrate_embedded;

/* Where migration files come from: a folder, or a table compiled in. */
typedef struct migrate_source {
    const char *dir;               /* path of the folder; NULL: the table */
    const migrate_embedded *files; /* any order; atlas.sum among them */
    size_t file_count;
} migrate_source;

typedef struct migrate_file {
    const char *name;        /* "20260101120000_add_x.sql" */
    const char *version;     /* up to the first "_" */
    const char *description; /* behind it, without ".sql" */
    slice content;
    const char *hash;   /* entry in the sum, 44 characters; NULL: the file asks to be left out */
    bool is_checkpoint; /* holds the whole schema as of its version */
} migrate_file;

typedef struct migrate_dir {
    const char *path; /* NULL: compiled in */
    migrate_file *files;
    size_t file_count;
    slice sum_text; /* content of atlas.sum; absent when there is none */
} migrate_dir;

/* Read all files and compute their hashes; everything lives in mem (contents of compiled-in files
 * are borrowed). PGC_NOT_FOUND: no such folder; PGC_IO, PGC_DENIED, PGC_NOMEM; PGC_LIMIT: a file
 * over 64 MiB. */
pgc_status migrate_dir_load(const env *e, const migrate_source *source, arena *mem,
                            migrate_dir *out, pgc_error *err) PGC_MUST_CHECK;

/* PGC_INVALID for names that would confuse the revision table: no version, a version that begins
 * with a dot, two files with one version, a name holding "h1:". */
pgc_status migrate_dir_check(const migrate_dir *dir, pgc_error *err) PGC_MUST_CHECK;

/* The last file of that version, or NULL. */
const migrate_file *migrate_dir_find(const migrate_dir *dir, const char *version);

/* Cut a file name into version and description; NULL, NULL when memory is exhausted. */
void migrate_name_cut(const char *name, arena *mem, const char **version, const char **description);

#endif
