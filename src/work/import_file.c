/* The life of one file: stage, recognise, make durable, intent (TX A), final name, rows (TX B).
 * Every step may be the last one before a crash; import_recover.c finishes or undoes the rest.
 * One thread per file; files of equal content wait for each other. */
#include "base/prelude.h"

#include "work/import_internal.h"

#include <fcntl.h>
#include <lumilio/status.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/uuid.h"
#include "media/detect.h"
#include "service/asset.h"

#define NAME_TEXT_SIZE (4 * PLACE_NAME_MAX + 1)

/* Everything that one file needs on its way. */
typedef struct file_life {
    const import_target *target;
    const import_event *event;
    staged_file staged;
    process_thumbnails thumbnails;
    import_original original;
    bool intent_open; /* TX A may have happened */
    bool placed;      /* the file at `path` is ours or equal to ours */
    char name_text[NAME_TEXT_SIZE];
    char path[PLACE_PATH_SIZE];
} file_life;

/* Bytes behind the last slash, UTF-8 or not. */
static slice base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return pgc_text_from(slash != NULL ? slash + 1 : path);
}

/* fsync of original and thumbnails. A failure makes them garbage: they have no name yet. */
static pgc_status make_durable(const file_life *life, pgc_error *err)
{
    const env *e = life->target->env;
    if (e->fs->fsync(e->fs->ctx, life->staged.fd) != 0) {
        return pgc_error_errno(err, errno, "make the copy durable");
    }
    TRY(process_thumbnails_sync(life->target, &life->thumbnails, err));
    CRASH_POINT("import.durable");
    return PGC_OK;
}

/* The name as text and, when the text cannot hold it, as bytes. */
static void name_take(file_life *life)
{
    slice name = base_name(life->event->path);
    size_t length = 0;
    bool exact = place_display_name(name, life->name_text, sizeof life->name_text, &length);
    life->original.name = (slice) { life->name_text, length };
    if (!exact) {
        life->original.name_bytes = (pgc_bytes) { (const uint8_t *) name.ptr, name.len };
    }
}

/* intent_open is set before the call: when its answer is lost the row may exist all the same. */
static pgc_status intent_create(file_life *life, pgc_error *err)
{
    import_original *original = &life->original;
    if (!uuid_v7(life->target->env->clock, &original->intent_id)) {
        return pgc_error_set(err, PGC_IO, "no random numbers to be had");
    }
    const repo_create_import_intent_params params = {
        .intent_id = original->intent_id,
        .owner_id = life->target->user_id,
        .repository_id = life->target->repository_id,
        .file_path = pgc_text_from(original->path),
        .file_size = original->size,
        .file_hash = pgc_text_from(original->hash),
        .original_filename = original->name,
        .filename_bytes = original->name_bytes,
        .source_mtime = { true, pgc_timestamptz_from_unix_us(original->mtime_us) },
    };
    lum_actor actor = lum_session_actor(life->target->session);
    retry again;
    pgc_status status = PGC_OK;
    retry_begin(&again, life->target->env->clock, life->target->database_wait_us);
    life->intent_open = true;
    do {
        status = repo_create_import_intent(actor.db, &params, err);
    } while (retry_again(&again, status, err));
    TRY(status);
    CRASH_POINT("import.intent");
    return PGC_OK;
}

/* The intent's path becomes life->path. */
static pgc_status intent_move(const file_life *life, pgc_error *err)
{
    const repo_move_import_intent_params params = { .intent_id = life->original.intent_id,
                                                    .file_path = pgc_text_from(life->path) };
    lum_actor actor = lum_session_actor(life->target->session);
    retry again;
    int64_t moved = 0;
    pgc_status status = PGC_OK;
    retry_begin(&again, life->target->env->clock, life->target->database_wait_us);
    do {
        status = repo_move_import_intent(actor.db, &params, &moved, err);
    } while (retry_again(&again, status, err));
    if (status == PGC_OK && moved == 0) {
        return pgc_error_set(err, PGC_CONFLICT, "the import intent is closed already");
    }
    CRASH_POINT("import.moved");
    return status;
}

/* A file stands where ours wants to go: true when it has our content. Then it is the file of a
 * trashed asset, of another process that is a step ahead, or nobody's: sharing it is right. */
static pgc_status name_is_ours(const file_life *life, bool *ours, pgc_error *err)
{
    const env *e = life->target->env;
    char hash[STAGE_HASH_SIZE];
    int64_t size = 0;
    *ours = false;
    AUTO(fd_auto)
    int fd = e->fs->open_beneath(e->fs->ctx, life->target->root, life->path,
                                 O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0) {
        return PGC_OK; /* a folder, a link, or gone again: another name will do */
    }
    struct stat info;
    if (e->fs->fstat(e->fs->ctx, fd, &info) != 0 || !S_ISREG(info.st_mode) ||
        info.st_size != life->original.size) {
        return PGC_OK;
    }
    TRY(stage_hash_fd(e, fd, hash, &size, err));
    *ours = strcmp(hash, life->original.hash) == 0;
    return PGC_OK;
}

/* Give the original its final name; a taken name moves the intent to the next one first. */
static pgc_status place(file_life *life, const place_facts *facts, pgc_error *err)
{
    const import_target *target = life->target;
    for (unsigned attempt = 0;; attempt++) {
        if (attempt > 0) {
            TRY(place_original(target->strategy, facts, attempt, life->path, err));
            TRY(intent_move(life, err));
        }
        pgc_status status = stage_link(target->env, life->staged.fd, target->root, life->path, err);
        if (status == PGC_CONFLICT) {
            TRY(name_is_ours(life, &life->placed, err));
            status = life->placed ? PGC_OK : PGC_CONFLICT;
        }
        if (status == PGC_OK) {
            pgc_error_clear(err);
            life->placed = true;
        }
        if (status != PGC_CONFLICT) {
            return status;
        }
    }
}

/* From a recognised file of new content to rows. */
static pgc_status store(file_life *life, import_answer *out, pgc_error *err)
{
    const media_facts *facts = &life->thumbnails.report.facts;
    const place_facts where = {
        .name = life->original.name,
        .extension = facts->extension,
        .hash_hex = stage_hash_hex(life->staged.hash),
        .local_us = facts->has_taken != 0 ? facts->taken_local_us : life->original.mtime_us,
    };
    TRY(place_original(life->target->strategy, &where, 0, life->path, err));
    life->original.path = life->path;
    TRY(make_durable(life, err));
    TRY(intent_create(life, err));
    TRY(place(life, &where, err));
    CRASH_POINT("import.placed");
    return import_register(life->target, &life->original, &life->thumbnails, out, err);
}

/* The asset that the owner has of this content already. */
static pgc_status find_content(const file_life *life, import_answer *out, pgc_error *err)
{
    repo_asset_set set = PGC_ZERO;
    lum_actor actor = lum_session_actor(life->target->session);
    retry again;
    pgc_status status = PGC_OK;
    retry_begin(&again, life->target->env->clock, life->target->database_wait_us);
    do {
        status = lum_asset_get_by_content(actor, pgc_text_from(life->staged.hash),
                                          life->staged.size, &set, err);
    } while (retry_again(&again, status, err));
    out->duplicate = status == PGC_OK;
    if (status == PGC_OK) {
        out->asset_id = set.rows[0].asset_id;
        repo_asset_set_free(&set);
    } else if (status == PGC_NOT_FOUND) {
        pgc_error_clear(err);
        status = PGC_OK;
    }
    return status;
}

/* The first bytes of a file, as many as `size` or the file has; negative with errno. */
static ssize_t head_read(const env *e, int fd, uint8_t *head, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = e->fs->pread(e->fs->ctx, fd, head + done, size - done, (off_t) done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? got : (ssize_t) done;
        }
        done += (size_t) got;
    }
    return (ssize_t) done;
}

/* Refuse what is no media file by its first bytes, before it is copied. The answer only saves work:
 * what goes on is recognised again in the sandbox. */
static pgc_status sniff(const env *e, int fd, media_type *out, pgc_error *err)
{
    uint8_t *head = mem_new(e->alloc, MEDIA_DETECT_BYTES);
    if (head == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "look at file");
    }
    ssize_t size = head_read(e, fd, head, MEDIA_DETECT_BYTES);
    pgc_status status = PGC_OK;
    if (size < 0) {
        status = stage_source_error(err, errno, "cannot be read");
    } else {
        *out = media_detect(head, (size_t) size);
        if (out->kind == MEDIA_NONE) {
            status =
                pgc_error_set(err, LUM_NOT_MEDIA, "%s, not a photo, video or recording", out->name);
        }
    }
    mem_free(e->alloc, head, MEDIA_DETECT_BYTES);
    return status;
}

pgc_status import_recognise(const env *e, int fd, media_facts *out, pgc_error *err)
{
    media_type type;
    TRY(sniff(e, fd, &type, err));
    media_facts_init(out);
    out->kind = (int32_t) type.kind;
    out->is_raw = type.reader == MEDIA_READER_RAW ? 1 : 0;
    (void) snprintf(out->mime, sizeof out->mime, "%s", type.mime);
    (void) snprintf(out->extension, sizeof out->extension, "%s", type.extension);
    return PGC_OK;
}

/* Everything behind the copy; no other thread is at the same content. */
static pgc_status recognise_and_store(file_life *life, media_host *host, import_answer *out,
                                      pgc_error *err)
{
    TRY(find_content(life, out, err));
    if (out->duplicate) {
        return PGC_OK;
    }
    if (life->target->later) {
        process_thumbnails_none(&life->thumbnails);
        TRY(import_recognise(life->target->env, life->staged.fd, &life->thumbnails.report.facts,
                             err));
        life->original.later = true;
    } else {
        TRY(process_probe(life->target, host, life->staged.fd, &life->thumbnails, err));
    }
    CRASH_POINT("import.probed");
    pgc_status status = store(life, out, err);
    if (status != PGC_OK && life->intent_open && !import_is_fatal(status)) {
        import_abandon(life->target, &life->original,
                       life->placed ? &life->thumbnails.report : NULL,
                       err != NULL ? err->message : "");
    }
    process_thumbnails_close(life->target, &life->thumbnails);
    return status;
}

/* Open, check, copy, claim the content, and go on. */
static pgc_status live(file_life *life, media_host *host, contentset *contents, import_event *event,
                       pgc_error *err)
{
    const env *e = life->target->env;
    AUTO(fd_auto) int source = -1;
    struct stat info;
    media_type type;
    TRY(stage_open_source(e, event->path, &source, &info, err));
    event->file_size = (int64_t) info.st_size;
    if (info.st_size == 0) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "file is empty");
    }
    TRY(sniff(e, source, &type, err));
    TRY(stage_copy(e, source, &info, life->target->staging_dir, &life->staged, err));
    life->original.hash = life->staged.hash;
    life->original.size = life->staged.size;
    life->original.mtime_us = (int64_t) info.st_mtim.tv_sec * 1000000 + info.st_mtim.tv_nsec / 1000;
    name_take(life);
    import_answer answer = { .duplicate = false };
    size_t place = contentset_enter(contents, life->staged.hash);
    pgc_status status = recognise_and_store(life, host, &answer, err);
    contentset_leave(contents, place);
    if (status == PGC_OK) {
        event->asset_id = answer.asset_id;
        event->to_embed = answer.to_embed;
        event->outcome = answer.duplicate ? IMPORT_DUPLICATE : IMPORT_CREATED;
    }
    return status;
}

bool import_is_fatal(pgc_status status)
{
    return status == PGC_CONNECTION || status == PGC_IN_DOUBT || status == PGC_CLOSED ||
           status == PGC_SCHEMA || status == PGC_NOMEM;
}

/* Damage is told and not hidden by half a picture; what to do about it is the owner's choice. */
static void name_way_out(pgc_error *err)
{
    char reason[400];
    (void) snprintf(reason, sizeof reason, "%.399s", err->message);
    (void) pgc_error_set(err, LUM_MEDIA_CORRUPT,
                         "%s; import an undamaged copy, or save it anew with an editor", reason);
}

pgc_status import_file(const import_target *target, media_host *host, contentset *contents,
                       import_event *event, pgc_error *err)
{
    file_life *life = MEM_NEW(target->env->alloc, file_life);
    if (life == NULL) {
        event->outcome = IMPORT_FAILED;
        event->reason = "out of memory";
        return pgc_error_set(err, PGC_NOMEM, "import %s", event->path);
    }
    life->target = target;
    life->event = event;
    life->staged.fd = -1;
    event->file_size = -1;
    pgc_status status = live(life, host, contents, event, err);
    stage_close(target->env, &life->staged);
    mem_free(target->env->alloc, life, sizeof *life);
    if (status == LUM_MEDIA_CORRUPT) {
        name_way_out(err);
    }
    if (status != PGC_OK) {
        event->outcome = status == LUM_NOT_MEDIA ? IMPORT_SKIPPED : IMPORT_FAILED;
        event->reason = err->message;
    }
    return import_is_fatal(status) ? status : PGC_OK;
}
