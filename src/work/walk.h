/* Finding the files of an import: an iterative walk that follows no symbolic link, enters no folder
 * twice and never the library itself. */
#ifndef WORK_WALK_H
#define WORK_WALK_H

#include <sys/types.h>

#include <pgc/error.h>

#include "base/env.h"

#define WALK_DEPTH_MAX 64

/* What the walk found. path is borrowed for the call. */
typedef struct walk_sink {
    void *arg;
    /* A regular file, or a path named by the caller whose kind is not known yet. */
    pgc_status (*file)(void *arg, const char *path, pgc_error *err);
    /* Something that is not a file to import: links, devices, names of other programs' droppings.
     */
    void (*skipped)(void *arg, const char *path, const char *reason);
    /* A folder or path that cannot be read. */
    void (*failed)(void *arg, const char *path, const char *reason);
} walk_sink;

/* A folder that must not be entered, by identity. */
typedef struct walk_exclude {
    dev_t device;
    ino_t inode;
} walk_exclude;

/* Walk one file or folder, names in byte order. Ends early with what sink.file returned when that
 * is not PGC_OK; PGC_NOMEM. */
pgc_status walk_path(const env *env, const char *path, walk_exclude exclude, const walk_sink *sink,
                     pgc_error *err) PGC_MUST_CHECK;

#endif
