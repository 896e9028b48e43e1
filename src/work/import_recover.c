/* Recovery: every open intent is finished or given up, by what stands on the disk (reliability
 * §3.3), then due deletions are carried out. Staged copies have no name, so a crash removes them by
 * itself. Runs alone: the caller holds the repository's lock exclusively. */
#include "base/prelude.h"

#include "work/import_internal.h"
#include "work/retry.h"

#include <fcntl.h>
#include <lumilio/status.h>
#include <sys/file.h>

#include "base/crash.h"
#include "base/file.h"

#define BATCH     100 /* rows read at once */
#define KEPT_DAYS 30  /* of intents that are done */

/* Nothing of the file is here: the source still is where it was, the next import takes it. */
static pgc_status intent_fail(const import_target *target, const repo_import_intent *intent,
                              const char *why, pgc_error *err)
{
    const repo_fail_import_intent_params params = { .intent_id = intent->intent_id,
                                                    .error_message = pgc_text_from(why) };
    int64_t affected = 0;
    return repo_fail_import_intent(lum_session_actor(target->session).db, &params, &affected, err);
}

/* True when the file at the intent's path is the intent's. */
static pgc_status content_matches(const import_target *target, const repo_import_intent *intent,
                                  int fd, bool *matches, pgc_error *err)
{
    struct stat info;
    char hash[STAGE_HASH_SIZE];
    int64_t size = 0;
    const env *e = target->env;
    *matches = false;
    if (e->fs->fstat(e->fs->ctx, fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        info.st_size != intent->file_size) {
        return PGC_OK;
    }
    TRY(stage_hash_fd(e, fd, hash, &size, err));
    *matches = slice_eq_str(intent->file_hash, hash);
    return PGC_OK;
}

/* What cannot be read has its name only when jobs were to read it: then they shall, and say why
 * they cannot. */
static pgc_status intent_probe(const import_target *target, media_host *host, int fd,
                               process_thumbnails *out, bool *later, pgc_error *err)
{
    pgc_status status = process_probe(target, host, fd, out, err);
    *later = status == LUM_MEDIA_CORRUPT || status == LUM_MEDIA_LIMIT ||
             status == LUM_MEDIA_CRASHED || status == LUM_NOT_MEDIA;
    if (*later) {
        pgc_error_clear(err);
        process_thumbnails_none(out);
        status = import_recognise(target->env, fd, &out->report.facts, err);
    }
    return status;
}

/* The file has its name, the rows are missing: go on where the import stopped. */
static pgc_status intent_resume(const import_target *target, media_host *host,
                                const repo_import_intent *intent, const char *path, int fd,
                                pgc_error *err)
{
    process_thumbnails thumbnails;
    char hash[STAGE_HASH_SIZE];
    import_answer answer;
    bool later = false;
    pgc_status status = intent_probe(target, host, fd, &thumbnails, &later, err);
    TRY(status);
    (void) snprintf(hash, sizeof hash, "%" SLICE_FMT, SLICE_ARG(intent->file_hash));
    const import_original original = {
        .intent_id = intent->intent_id,
        .path = path,
        .hash = hash,
        .size = intent->file_size,
        .name = intent->original_filename,
        .name_bytes = intent->filename_bytes,
        .mtime_us = intent->source_mtime.has ? pgc_timestamptz_to_unix_us(intent->source_mtime.v)
                                             : pgc_timestamptz_to_unix_us(intent->created_at),
        .later = later,
    };
    status = process_thumbnails_sync(target, &thumbnails, err);
    if (status == PGC_OK) {
        CRASH_POINT("recover.probed");
        status = import_register(target, &original, &thumbnails, &answer, err);
    }
    process_thumbnails_close(target, &thumbnails);
    return status;
}

/* What stands under the intent's path decides: the intent's content, or anything else. */
static pgc_status intent_recover(const import_target *target, media_host *host,
                                 const repo_import_intent *intent, bool *resumed, pgc_error *err)
{
    char path[PLACE_PATH_SIZE];
    bool matches = false;
    const vfs *fs = target->env->fs;
    (void) snprintf(path, sizeof path, "%" SLICE_FMT, SLICE_ARG(intent->file_path));
    AUTO(fd_auto)
    int fd = fs->open_beneath(fs->ctx, target->root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP) {
        return pgc_error_errno(err, errno, "open %s", path);
    }
    if (fd >= 0) {
        TRY(content_matches(target, intent, fd, &matches, err));
    }
    CRASH_POINT("recover.looked");
    if (!matches) {
        return intent_fail(target, intent, "the copy did not get its name before a crash", err);
    }
    TRY(intent_resume(target, host, intent, path, fd, err));
    *resumed = true;
    return PGC_OK;
}

/* Every intent of a batch. One that cannot be finished stays open: its file is kept, and a later
 * version or a quieter machine may read it. */
static pgc_status batch_recover(const import_target *target, media_host *host,
                                const repo_import_intent_set *set, import_recovery *out,
                                pgc_error *err)
{
    for (size_t i = 0; i < set->count; i++) {
        bool resumed = false;
        pgc_error why;
        pgc_error_clear(&why);
        pgc_status status = intent_recover(target, host, &set->rows[i], &resumed, &why);
        if (import_is_fatal(status)) {
            if (err != NULL) {
                *err = why;
            }
            return status;
        }
        if (status != PGC_OK) {
            log_line(target->env->log, LOG_WARN, "import", "%" SLICE_FMT " stays unfinished: %s",
                     SLICE_ARG(set->rows[i].file_path), why.message);
        }
        out->resumed += resumed ? 1 : 0;
        out->unfinished += status != PGC_OK ? 1 : 0;
    }
    return PGC_OK;
}

/* In batches, oldest first; those that stay open are passed over by the offset. */
static pgc_status intents_recover(const import_target *own, const char *helper_path,
                                  import_recovery *out, pgc_error *err)
{
    import_target copy = *own;
    const import_target *target = &copy;
    lum_actor actor = lum_session_actor(target->session);
    media_host *host = NULL;
    pgc_status status = PGC_OK;
    size_t count = BATCH;
    while (status == PGC_OK && count == BATCH) {
        repo_import_intent_set set = PGC_ZERO;
        const repo_list_open_import_intents_params params = {
            .owner_id = target->user_id, .row_limit = BATCH, .row_offset = (int64_t) out->unfinished
        };
        status = repo_list_open_import_intents(actor.db, &params, &set, err);
        count = status == PGC_OK ? set.count : 0;
        if (count > 0 && host == NULL) {
            status = media_host_open(target->env, helper_path, NULL, &host, err);
            if (status == PGC_OK && own->queue == NULL) {
                status = jobs_queue_open(own->pool, target->env, &copy.queue, err);
            }
        }
        if (status == PGC_OK) {
            status = batch_recover(target, host, &set, out, err);
        }
        repo_import_intent_set_free(&set);
    }
    media_host_close(host);
    if (own->queue == NULL) {
        river_client_close(copy.queue);
    }
    return status;
}

/* What became of imports is kept for a while, for people who look for a file. */
static pgc_status intents_forget(const import_target *target, pgc_error *err)
{
    const pgc_interval age = { .days = KEPT_DAYS };
    int64_t forgotten = 0;
    return repo_purge_import_intents(lum_session_actor(target->session).db, age, &forgotten, err);
}

pgc_status import_recover_target(const import_target *target, const char *helper_path,
                                 import_recovery *out, pgc_error *err)
{
    assert(target->lock_fd >= 0);
    *out = (import_recovery) { .resumed = 0 };
    pgc_status status = intents_recover(target, helper_path, out, err);
    if (status == PGC_OK) {
        status = intents_forget(target, err);
    }
    if (status == PGC_OK) {
        status = import_sweep(target, err);
    }
    return pgc_error_wrap(err, status, "finish what an interrupted import left");
}

/* Remove a file below the repository; an absent one is success. path is changed. */
static pgc_status file_remove(const import_target *target, char *path, pgc_error *err)
{
    const vfs *fs = target->env->fs;
    char *slash = strrchr(path, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    const char *name = slash != NULL ? slash + 1 : path;
    AUTO(fd_auto)
    int dir = fs->open_beneath(fs->ctx, target->root, slash != NULL ? path : ".",
                               O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (dir < 0) {
        return errno == ENOENT ? PGC_OK : pgc_error_errno(err, errno, "open folder %s", path);
    }
    if (fs->unlinkat(fs->ctx, dir, name, 0) != 0 && errno != ENOENT) {
        return pgc_error_errno(err, errno, "remove file %s", name);
    }
    if (fs->fsync(fs->ctx, dir) != 0) {
        return pgc_error_errno(err, errno, "make folder %s durable", path);
    }
    CRASH_POINT("sweep.removed");
    return PGC_OK;
}

/* Remove one file that nothing stands for, then its row. */
static pgc_status deletion_carry_out(const import_target *target, const repo_file_deletion *row,
                                     pgc_error *err)
{
    lum_actor actor = lum_session_actor(target->session);
    char path[PATH_MAX];
    bool used = true;
    if (row->file_path.len >= sizeof path) {
        return pgc_error_set(err, PGC_LIMIT, "path is too long");
    }
    (void) snprintf(path, sizeof path, "%" SLICE_FMT, SLICE_ARG(row->file_path));
    const repo_is_path_used_params params = { .repository_id = row->repository_id,
                                              .file_path = row->file_path };
    TRY(repo_is_path_used(actor.db, &params, &used, err));
    if (!used) {
        TRY(file_remove(target, path, err));
    }
    return repo_delete_file_deletion(actor.db, row->deletion_id, err);
}

/* One pass over the due deletions; may be repeated, for each one carried out is gone. */
static pgc_status sweep_once(const import_target *target, pgc_error *err)
{
    repo_list_due_file_deletions_params params = { .owner_id = target->user_id,
                                                   .repository_id = target->repository_id,
                                                   .row_limit = BATCH };
    lum_actor actor = lum_session_actor(target->session);
    pgc_status status = PGC_OK;
    size_t count = BATCH;
    while (status == PGC_OK && count == BATCH) {
        repo_file_deletion_set set = PGC_ZERO;
        status = repo_list_due_file_deletions(actor.db, &params, &set, err);
        count = status == PGC_OK ? set.count : 0;
        for (size_t i = 0; status == PGC_OK && i < count; i++) {
            status = deletion_carry_out(target, &set.rows[i], err);
            if (status != PGC_OK && !import_is_fatal(status)) {
                log_line(target->env->log, LOG_WARN, "import", "%" SLICE_FMT " is not removed: %s",
                         SLICE_ARG(set.rows[i].file_path), err != NULL ? err->message : "");
                pgc_error_clear(err);
                params.row_offset++;
                status = PGC_OK;
            }
        }
        repo_file_deletion_set_free(&set);
    }
    return status;
}

pgc_status import_sweep(const import_target *target, pgc_error *err)
{
    retry again;
    pgc_status status = PGC_OK;
    retry_begin(&again, target->env->clock, target->database_wait_us);
    do {
        status = sweep_once(target, err);
    } while (retry_again(&again, status, err));
    return pgc_error_wrap(err, status, "remove files that are no longer needed");
}

pgc_status import_recover(lum_library *library, lum_session *session, const char *helper_path,
                          import_recovery *out, pgc_error *err)
{
    import_target target;
    import_recovery done = { .resumed = 0 };
    TRY(import_target_open(library, session, &target, err));
    pgc_status status = PGC_OK;
    if (import_lock(&target, LOCK_EX | LOCK_NB) == 0) {
        status = import_recover_target(&target, helper_path, &done, err);
    }
    import_target_close(&target);
    if (status == PGC_OK) {
        *out = done;
    }
    return status;
}
