/* Whole-file helpers on the file system seam. Paths are relative to a directory descriptor
 * (AT_FDCWD for the working directory). */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <pgc/error.h>

#include "base/buf.h"
#include "base/env.h"

/* Append the file's bytes to out; more than fits under out->max (with its NUL) is PGC_LIMIT, absent
 * is PGC_NOT_FOUND. */
pgc_status file_read(const env *env, int dir, const char *path, buf *out, pgc_error *err)
    PGC_MUST_CHECK;
/* Replace a file so that a crash leaves the old or the new one: temporary name, fsync, rename,
 * fsync of the folder. */
pgc_status file_write_atomic(const env *env, int dir, const char *path, slice content, mode_t mode,
                             pgc_error *err) PGC_MUST_CHECK;
/* Who may use a file that is written. */
typedef struct file_access {
    mode_t mode; /* exactly, whatever the umask */
    bool own;    /* give it to uid and gid (only root can) */
    uid_t uid;
    gid_t gid;
} file_access;
/* As file_write_atomic(); mode and owner are set before the file gets its name. */
pgc_status file_write_atomic_as(const env *env, int dir, const char *path, slice content,
                                const file_access *access, pgc_error *err) PGC_MUST_CHECK;
/* Write all bytes, whatever short counts and EINTR come. */
pgc_status file_write_all(const env *env, int fd, const void *bytes, size_t count, pgc_error *err)
    PGC_MUST_CHECK;
/* mkdir -p; every folder made is made durable by fsync of its parent when durable is true. */
pgc_status file_mkdirs(const env *env, int dir, const char *path, mode_t mode, bool durable,
                       pgc_error *err) PGC_MUST_CHECK;
/* Remove a file or a whole tree; an absent path is success. Never follows symbolic links. */
pgc_status file_remove_tree(const env *env, int dir, const char *path, pgc_error *err)
    PGC_MUST_CHECK;
/* Reads a folder entry by entry without holding it all: for folders of any size. */
typedef struct file_dir {
    const env *env;
    int fd;         /* borrowed; opened with O_RDONLY | O_DIRECTORY */
    size_t at, len; /* unread part of bytes */
    _Alignas(8) char bytes[4096];
} file_dir;

typedef struct file_entry {
    const char *name;   /* valid until the next call; NULL after the last entry */
    unsigned char type; /* DT_REG and so on of dirent.h; DT_UNKNOWN on some file systems */
} file_entry;

void file_dir_init(file_dir *d, const env *env, int fd);
/* Next entry in no particular order, without "." and "..". */
pgc_status file_dir_next(file_dir *d, file_entry *out, pgc_error *err) PGC_MUST_CHECK;

bool file_exists(const env *env, int dir, const char *path);

/* Closes the descriptor unless it is negative: for AUTO(). */
void fd_auto(int *fd);

#endif
