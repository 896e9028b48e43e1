/* What the parts of the import share: the run, its workers, the life of one file. */
#ifndef WORK_IMPORT_INTERNAL_H
#define WORK_IMPORT_INTERNAL_H

#include <pthread.h>

#include "media/media.h"
#include "repo/imports.h"
#include "work/contentset.h"
#include "work/import.h"
#include "work/jobs.h"
#include "work/pathqueue.h"
#include "work/place.h"
#include "work/process.h"
#include "work/retry.h"
#include "work/stage.h"

/* The repository that an import writes to. */
typedef struct import_target {
    const env *env;
    lum_session *session;
    pgc_pool *pool; /* of the session; NULL in jobs */
    int32_t user_id;
    pgc_uuid repository_id;
    lum_strategy strategy;
    int64_t database_wait_us; /* how long the server may be away; as retry_begin() takes it */
    char root_path[PATH_MAX];
    int root;            /* the repository's folder */
    int staging_dir;     /* .lumilio/staging in it */
    int lock_fd;         /* held shared while an import, a job or recovery runs */
    bool later;          /* register now, leave the rest to jobs */
    river_client *queue; /* for inserting those jobs, and embedding's; NULL: none will be */
    char embed_model[LUM_MODEL_NAME_MAX + 1]; /* what is seen is to be embedded by; "": not */
} import_target;

/* The default repository of the session's user, its folder made and opened. */
pgc_status import_target_open(lum_library *library, lum_session *session, import_target *out,
                              pgc_error *err) PGC_MUST_CHECK;
/* A repository of the session's user as its row says. */
pgc_status import_target_open_row(const env *e, lum_session *session, const repo_repository *row,
                                  import_target *out, pgc_error *err) PGC_MUST_CHECK;
void import_target_close(import_target *target);
/* flock() on the lock file, whatever signals come; 0, or -1 with errno. */
int import_lock(const import_target *target, int operation);

/* What the first bytes of an open file say, without the sandbox: kind, type, raw or not; all else
 * unknown. LUM_NOT_MEDIA with what it is. */
pgc_status import_recognise(const env *e, int fd, media_facts *out, pgc_error *err) PGC_MUST_CHECK;

/* What TX B needs to know of an original that has its final name. */
typedef struct import_original {
    pgc_uuid intent_id;
    const char *path;     /* final, relative to the repository */
    const char *hash;     /* "sha256:…" */
    int64_t size;         /* bytes */
    slice name;           /* display name */
    pgc_bytes name_bytes; /* ptr NULL unless the name could not be held as text */
    int64_t mtime_us;     /* of the source, since 1970; the fallback for the time of capture */
    bool later;           /* jobs make metadata and thumbnails; the target has a queue */
} import_original;

/* What became of an original. */
typedef struct import_answer {
    pgc_uuid asset_id;
    bool duplicate; /* the owner had the content already */
    bool to_embed;  /* a job for its vector waits */
} import_answer;

/* Thumbnails get their names, all names become durable, then TX B: asset, thumbnails and intent in
 * one transaction, tried again while the server is away. When the owner got the same content
 * meanwhile, the answer is a duplicate and the file just placed is queued for deletion. */
pgc_status import_register(const import_target *target, const import_original *original,
                           const process_thumbnails *thumbnails, import_answer *out, pgc_error *err)
    PGC_MUST_CHECK;

/* A failure that trying again does not mend: the intent is closed with the reason, and files that
 * were named already are queued for deletion. Failures in here are left to recovery. */
void import_abandon(const import_target *target, const import_original *original,
                    const media_report *placed, const char *why);

/* Finish or give up every open intent; the caller holds the lock exclusively. What cannot be
 * finished for reasons of its own stays open, is counted and logged, and does not stop the rest. */
pgc_status import_recover_target(const import_target *target, const char *helper_path,
                                 import_recovery *out, pgc_error *err) PGC_MUST_CHECK;

/* Remove the files that file_deletions names and nothing references; the caller holds the lock
 * exclusively, so that nobody is about to adopt one of them. */
pgc_status import_sweep(const import_target *target, pgc_error *err) PGC_MUST_CHECK;

/* True for failures that every other file will meet as well. */
bool import_is_fatal(pgc_status status);

/* One source file from start to end; outcome and reason go into *event (path is the caller's).
 * PGC_OK unless the import as a whole cannot go on; err tells of the file's failure, too. */
pgc_status import_file(const import_target *target, media_host *host, contentset *contents,
                       import_event *event, pgc_error *err) PGC_MUST_CHECK;

#endif
