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
    import_thumbnails thumbnails;
    import_original original;
    char name_text[NAME_TEXT_SIZE];
    char path[PLACE_PATH_SIZE];
} file_life;

static slice base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return pgc_text_from(slash != NULL ? slash + 1 : path);
}

pgc_status import_probe(const import_target *target, media_host *host, int fd,
                        import_thumbnails *out, pgc_error *err)
{
    const env *e = target->env;
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        out->fds[i] = -1;
    }
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        out->fds[i] = e->fs->openat(e->fs->ctx, target->staging_dir, ".",
                                    O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (out->fds[i] < 0) {
            pgc_status status = pgc_error_errno(err, errno, "make thumbnail file in the library");
            import_thumbnails_close(target, out);
            return status;
        }
    }
    /* The sandbox gets a descriptor that cannot write, whatever ours can do. */
    char again[64];
    (void) snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
    AUTO(fd_auto)
    int read_only = e->fs->openat(e->fs->ctx, AT_FDCWD, again, O_RDONLY | O_CLOEXEC, 0);
    pgc_status status = read_only < 0
                            ? pgc_error_errno(err, errno, "open the copy for reading")
                            : media_host_probe(host, read_only, out->fds, &out->report, err);
    if (status != PGC_OK) {
        import_thumbnails_close(target, out);
    }
    return status;
}

void import_thumbnails_close(const import_target *target, import_thumbnails *thumbnails)
{
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        if (thumbnails->fds[i] >= 0) {
            (void) target->env->fs->close(target->env->fs->ctx, thumbnails->fds[i]);
            thumbnails->fds[i] = -1;
        }
    }
}

/* fsync of original and thumbnails. A failure makes them garbage: they have no name yet. */
static pgc_status make_durable(const file_life *life, pgc_error *err)
{
    const env *e = life->target->env;
    if (e->fs->fsync(e->fs->ctx, life->staged.fd) != 0) {
        return pgc_error_errno(err, errno, "make the copy durable");
    }
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        if (life->thumbnails.report.thumbnails[i].width > 0 &&
            e->fs->fsync(e->fs->ctx, life->thumbnails.fds[i]) != 0) {
            return pgc_error_errno(err, errno, "make a thumbnail durable");
        }
    }
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
    TRY(repo_create_import_intent(actor.db, &params, err));
    CRASH_POINT("import.intent");
    return PGC_OK;
}

/* A file stands where ours wants to go: true when it has our content and nobody else owns it. */
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
            int64_t moved = 0;
            TRY(place_original(target->strategy, facts, attempt, life->path, err));
            const repo_move_import_intent_params params = { .intent_id = life->original.intent_id,
                                                            .file_path =
                                                                pgc_text_from(life->path) };
            TRY(repo_move_import_intent(lum_session_actor(target->session).db, &params, &moved,
                                        err));
            CRASH_POINT("import.moved");
        }
        pgc_status status = stage_link(target->env, life->staged.fd, target->root, life->path, err);
        if (status != PGC_CONFLICT) {
            return status;
        }
        bool ours = false;
        TRY(name_is_ours(life, &ours, err));
        if (ours) {
            pgc_error_clear(err);
            return stage_sync_folder(target->env, target->root, life->path, err);
        }
    }
}

/* From a recognised file of new content to rows. */
static pgc_status store(file_life *life, pgc_uuid *asset_id, bool *duplicate, pgc_error *err)
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
    return import_register(life->target, &life->original, &life->thumbnails, asset_id, duplicate,
                           err);
}

/* The asset that the owner has of this content already. */
static pgc_status find_content(file_life *life, pgc_uuid *asset_id, bool *found, pgc_error *err)
{
    repo_asset_set set = PGC_ZERO;
    lum_actor actor = lum_session_actor(life->target->session);
    pgc_status status = lum_asset_get_by_content(actor, pgc_text_from(life->staged.hash),
                                                 life->staged.size, &set, err);
    *found = status == PGC_OK;
    if (status == PGC_OK) {
        *asset_id = set.rows[0].asset_id;
        repo_asset_set_free(&set);
    } else if (status == PGC_NOT_FOUND) {
        pgc_error_clear(err);
        status = PGC_OK;
    }
    return status;
}

/* Everything behind the copy; the content's lock is held. */
static pgc_status recognise_and_store(file_life *life, media_host *host, pgc_uuid *asset_id,
                                      bool *duplicate, pgc_error *err)
{
    TRY(find_content(life, asset_id, duplicate, err));
    if (*duplicate) {
        return PGC_OK;
    }
    TRY(import_probe(life->target, host, life->staged.fd, &life->thumbnails, err));
    CRASH_POINT("import.probed");
    pgc_status status = store(life, asset_id, duplicate, err);
    import_thumbnails_close(life->target, &life->thumbnails);
    return status;
}

/* Refuse what is no media file by its first bytes, before it is copied. The answer only saves work:
 * what goes on is recognised again in the sandbox. */
static pgc_status sniff(const env *e, int fd, pgc_error *err)
{
    uint8_t *head = mem_new(e->alloc, MEDIA_DETECT_BYTES);
    if (head == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "look at file");
    }
    ssize_t size = e->fs->pread(e->fs->ctx, fd, head, MEDIA_DETECT_BYTES, 0);
    pgc_status status = PGC_OK;
    if (size < 0) {
        status = pgc_error_errno(err, errno, "cannot be read");
    } else {
        const media_type type = media_detect(head, (size_t) size);
        if (type.kind == MEDIA_NONE) {
            status =
                pgc_error_set(err, LUM_NOT_MEDIA, "%s, not a photo, video or recording", type.name);
        }
    }
    mem_free(e->alloc, head, MEDIA_DETECT_BYTES);
    return status;
}

/* Open, check, copy, lock the content, and go on. */
static pgc_status live(file_life *life, media_host *host, pthread_mutex_t *locks,
                       import_event *event, pgc_error *err)
{
    const env *e = life->target->env;
    AUTO(fd_auto) int source = -1;
    struct stat info;
    TRY(stage_open_source(e, event->path, &source, &info, err));
    event->file_size = (int64_t) info.st_size;
    if (info.st_size == 0) {
        return pgc_error_set(err, LUM_MEDIA_CORRUPT, "file is empty");
    }
    TRY(sniff(e, source, err));
    TRY(stage_copy(e, source, &info, life->target->staging_dir, &life->staged, err));
    life->original.hash = life->staged.hash;
    life->original.size = life->staged.size;
    life->original.mtime_us = (int64_t) info.st_mtim.tv_sec * 1000000 + info.st_mtim.tv_nsec / 1000;
    name_take(life);
    unsigned stripe = 0;
    (void) sscanf(stage_hash_hex(life->staged.hash), "%2x", &stripe);
    bool duplicate = false;
    pthread_mutex_t *lock = &locks[stripe % CONTENT_LOCKS];
    (void) pthread_mutex_lock(lock);
    pgc_status status = recognise_and_store(life, host, &event->asset_id, &duplicate, err);
    (void) pthread_mutex_unlock(lock);
    event->outcome = duplicate ? IMPORT_DUPLICATE : IMPORT_CREATED;
    return status;
}

/* Failures that will meet every other file as well. */
static bool is_fatal(pgc_status status)
{
    return status == PGC_CONNECTION || status == PGC_CLOSED || status == PGC_SCHEMA ||
           status == PGC_NOMEM;
}

pgc_status import_file(const import_target *target, media_host *host, pthread_mutex_t *locks,
                       import_event *event, pgc_error *err)
{
    file_life *life = MEM_NEW(target->env->alloc, file_life);
    if (life == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "import %s", event->path);
    }
    life->target = target;
    life->event = event;
    life->staged.fd = -1;
    event->file_size = -1;
    pgc_status status = live(life, host, locks, event, err);
    stage_close(target->env, &life->staged);
    mem_free(target->env->alloc, life, sizeof *life);
    if (status != PGC_OK) {
        event->outcome = status == LUM_NOT_MEDIA ? IMPORT_SKIPPED : IMPORT_FAILED;
        event->reason = err->message;
    }
    return is_fatal(status) ? status : PGC_OK;
}
