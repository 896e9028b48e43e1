/* Staging: a copy of the source without a name, inside the library's file system, with its hash.
 * A crash leaves nothing of it. */
#ifndef WORK_STAGE_H
#define WORK_STAGE_H

#include <sys/stat.h>

#include <pgc/error.h>

#include "base/env.h"
#include "base/sha256.h"

#define STAGE_HASH_SIZE (7 + SHA256_HEX_SIZE) /* "sha256:" and 64 characters and NUL */

typedef struct staged_file {
    int fd;       /* O_TMPFILE, open for reading and writing; -1: none */
    int64_t size; /* bytes */
    char hash[STAGE_HASH_SIZE];
    struct stat info; /* of the source, as it was opened */
} staged_file;

/* Text behind "sha256:". */
const char *stage_hash_hex(const char *hash);

/* A failed system call on the source: the caller's file, not our library, is at fault.
 * LUM_SOURCE_CHANGED when it is gone, else LUM_SOURCE_UNREADABLE; os_errno is kept. */
pgc_status stage_source_error(pgc_error *err, int os_errno, const char *what);

/* Open a source for reading: regular files only, no link at the end of the path. LUM_NOT_MEDIA for
 * what is not a regular file, LUM_SOURCE_UNREADABLE, LUM_SOURCE_CHANGED when it is gone. */
pgc_status stage_open_source(const env *e, const char *path, int *out, struct stat *info,
                             pgc_error *err) PGC_MUST_CHECK;

/* Copy a source into a nameless file in staging_dir while hashing it. Not yet durable. PGC_IO with
 * os_errno for the library's side (disk full); LUM_SOURCE_* for the source's side: read errors, or
 * a file that changed meanwhile. */
pgc_status stage_copy(const env *e, int source, const struct stat *info, int staging_dir,
                      staged_file *out, pgc_error *err) PGC_MUST_CHECK;
void stage_close(const env *e, staged_file *staged);

/* Hash of an open file from its start. */
pgc_status stage_hash_fd(const env *e, int fd, char hash[static STAGE_HASH_SIZE], int64_t *size,
                         pgc_error *err) PGC_MUST_CHECK;

/* Give a nameless durable file a name below root; folders are made. The name is durable after
 * stage_sync_folder(). A name that is taken is PGC_CONFLICT: nothing is ever replaced. */
pgc_status stage_link(const env *e, int fd, int root, const char *path, pgc_error *err)
    PGC_MUST_CHECK;

/* fsync of the folder that holds path. */
pgc_status stage_sync_folder(const env *e, int root, const char *path, pgc_error *err)
    PGC_MUST_CHECK;

#endif
