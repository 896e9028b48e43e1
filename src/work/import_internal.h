/* What the parts of the import share: the run, its workers, the life of one file. */
#ifndef WORK_IMPORT_INTERNAL_H
#define WORK_IMPORT_INTERNAL_H

#include <pthread.h>

#include "media/media.h"
#include "repo/imports.h"
#include "work/import.h"
#include "work/pathqueue.h"
#include "work/place.h"
#include "work/stage.h"

#define CONTENT_LOCKS 64 /* two files of equal content are not worked on at once */

/* The repository that an import writes to. */
typedef struct import_target {
    const env *env;
    lum_session *session;
    int32_t user_id;
    pgc_uuid repository_id;
    lum_strategy strategy;
    char root_path[PATH_MAX];
    int root;        /* the repository's folder */
    int staging_dir; /* .lumilio/staging in it */
    int lock_fd;     /* held shared while an import or recovery runs */
} import_target;

/* The default repository of the session's user, its folder made and opened. */
pgc_status import_target_open(lum_library *library, lum_session *session, import_target *out,
                              pgc_error *err) PGC_MUST_CHECK;
void import_target_close(import_target *target);

/* Three nameless files for thumbnails, and what was put into them. */
typedef struct import_thumbnails {
    int fds[MEDIA_SIZE_COUNT]; /* -1: none */
    media_report report;
} import_thumbnails;

/* Parse a durable or staged original in the sandbox; thumbnails go into nameless files. */
pgc_status import_probe(const import_target *target, media_host *host, int fd,
                        import_thumbnails *out, pgc_error *err) PGC_MUST_CHECK;
void import_thumbnails_close(const import_target *target, import_thumbnails *thumbnails);

/* What TX B needs to know of an original that has its final name. */
typedef struct import_original {
    pgc_uuid intent_id;
    const char *path;     /* final, relative to the repository */
    const char *hash;     /* "sha256:…" */
    int64_t size;         /* bytes */
    slice name;           /* display name */
    pgc_bytes name_bytes; /* ptr NULL unless the name could not be held as text */
    int64_t mtime_us;     /* of the source, since 1970; the fallback for the time of capture */
} import_original;

/* Thumbnails get their names, then TX B: asset, thumbnails and intent in one transaction. When the
 * owner got the same content meanwhile, *duplicate is true and the file just placed is queued for
 * deletion. */
pgc_status import_register(const import_target *target, const import_original *original,
                           const import_thumbnails *thumbnails, pgc_uuid *asset_id, bool *duplicate,
                           pgc_error *err) PGC_MUST_CHECK;

/* Finish or give up every open intent; the caller holds the lock exclusively. */
pgc_status import_recover_target(const import_target *target, const char *helper_path,
                                 uint64_t *resumed, pgc_error *err) PGC_MUST_CHECK;

/* Remove the files that file_deletions names and nothing references. */
pgc_status import_sweep(const import_target *target, pgc_error *err) PGC_MUST_CHECK;

/* One source file from start to end; outcome and reason go into *event (path is the caller's).
 * locks: CONTENT_LOCKS mutexes. PGC_OK unless the import as a whole cannot go on. */
pgc_status import_file(const import_target *target, media_host *host, pthread_mutex_t *locks,
                       import_event *event, pgc_error *err) PGC_MUST_CHECK;

#endif
