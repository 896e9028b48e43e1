/* Import: files of a folder become assets. Originals are copied, never touched; every step can be
 * killed and run again (reliability: file durable before row visible). */
#ifndef WORK_IMPORT_H
#define WORK_IMPORT_H

#include "service/library.h"
#include "service/repository.h"
#include "service/session.h"

typedef enum import_outcome {
    IMPORT_CREATED,   /* a new asset */
    IMPORT_DUPLICATE, /* the owner has this content already */
    IMPORT_SKIPPED,   /* not a photo, video or recording; ignored names; links, devices */
    IMPORT_FAILED,    /* should have worked: unreadable, damaged, over a limit, database away */
    IMPORT_OUTCOME_COUNT
} import_outcome;

/* One finished file. Borrowed during the call. */
typedef struct import_event {
    import_outcome outcome;
    const char *path;   /* as found; may hold invalid UTF-8 and control characters */
    const char *reason; /* one line for people; "" for CREATED and DUPLICATE */
    pgc_uuid asset_id;  /* CREATED, DUPLICATE */
    int64_t file_size;  /* bytes; -1 unknown */
    bool to_embed;      /* CREATED: a job for its vector waits for jobs_work() */
} import_event;

/* Counts so far; `found` grows while the walk goes on, walk_done says that it is final. */
typedef struct import_progress {
    uint64_t found, done;
    uint64_t outcomes[IMPORT_OUTCOME_COUNT];
    uint64_t bytes_done; /* of source files finished */
    uint64_t resumed;    /* files of earlier, interrupted runs that were finished first */
    uint64_t to_embed;   /* created ones whose vector waits for jobs_work() */
    bool walk_done;
} import_progress;

typedef struct import_options {
    const char *const *paths; /* NULL-terminated files and folders */
    lum_strategy strategy;
    const char *helper_path; /* the program lumilio-media */
    uint32_t jobs;           /* worker threads; 0: as many as there are cores */
    /* Both may be NULL; called from worker threads, one call at a time. */
    void (*on_event)(void *arg, const import_event *event, const import_progress *progress);
    void *arg;
    /* Set to 1 by __atomic_store_n(), from a signal handler or another thread: finish what is
     * begun, then end. NULL: never. */
    const volatile int *stop;
    int64_t database_wait_us; /* a server that is away may come back; 0: 10 s, -1: do not wait */
    bool later; /* store and register only: metadata and thumbnails become jobs for jobs_work() */
} import_options;

/* Recovery of earlier intents of this owner first, then the import. PGC_OK also when single files
 * failed (see the counts); else nothing more could be done: the database stayed away, the disk is
 * full, the helper cannot be started. *out is filled in both cases; err and its hint say what to
 * do.
 */
pgc_status import_run(lum_library *library, lum_session *session, const import_options *options,
                      import_progress *out, pgc_error *err) PGC_MUST_CHECK;

typedef struct import_recovery {
    uint64_t resumed;    /* intents finished: their assets exist now */
    uint64_t unfinished; /* intents that had to stay open; the log says why */
} import_recovery;

/* Finish or take back what a crash left. Does nothing while an import of this user is at work. */
pgc_status import_recover(lum_library *library, lum_session *session, const char *helper_path,
                          import_recovery *out, pgc_error *err) PGC_MUST_CHECK;

/* Check of the invariants CS-I1 and CS-I2: rows without file, files without row. */
typedef struct import_fsck {
    uint64_t assets, files, rows_without_file, files_without_row, size_mismatch, hash_mismatch;
} import_fsck;
pgc_status import_check(lum_library *library, lum_session *session, bool hashes, import_fsck *out,
                        pgc_error *err) PGC_MUST_CHECK;

#endif
