/* Rows of an original that has its final name: thumbnails get theirs, then one transaction makes
 * asset, thumbnails and intent known together. Running it again changes nothing. */
#include "base/prelude.h"

#include "work/import_internal.h"

#include <fcntl.h>

#include "base/crash.h"
#include "base/file.h"
#include "base/uuid.h"
#include "service/asset.h"

#define TEXT_OR_NULL(text) ((text)[0] != '\0' ? pgc_text_from(text) : (pgc_text) { NULL, 0 })

static const char *const TIME_SOURCE_TEXT[] = {
    [MEDIA_TIME_NONE] = NULL,     [MEDIA_TIME_EXIF] = "exif",           [MEDIA_TIME_XMP] = "xmp",
    [MEDIA_TIME_IPTC] = "iptc",   [MEDIA_TIME_CONTAINER] = "container", [MEDIA_TIME_GPS] = "gps",
    [MEDIA_TIME_MTIME] = "mtime",
};

static const char *const KIND_TEXT[] = {
    [MEDIA_PHOTO] = "photo",
    [MEDIA_VIDEO] = "video",
    [MEDIA_AUDIO] = "audio",
};

/* Storage for the digits of the decimal numbers of one row. */
typedef struct row_numbers {
    uint16_t digits[6][PGC_NUMERIC_DIGITS_MAX];
} row_numbers;

/* A number of the row, NULL when it is unknown or beyond what the column holds. */
static pgc_numeric number(double value, bool known, int scale, double limit, uint16_t *digits)
{
    pgc_numeric out = PGC_ZERO;
    if (known && fabs(value) < limit) {
        (void) pgc_numeric_from_double(value, scale, digits, &out);
    }
    return out;
}

/* Time of capture: what the file says, else its own time. The instant of an unknown zone treats the
 * wall clock as UTC. */
static void taken_fill(const media_facts *facts, int64_t mtime_us, repo_create_asset_params *row)
{
    bool known = facts->has_taken != 0;
    int64_t local_us = known ? facts->taken_local_us : mtime_us;
    int64_t offset_us =
        known && facts->has_offset != 0 ? (int64_t) facts->offset_minutes * 60 * 1000000 : 0;
    media_time_source source = known ? (media_time_source) facts->taken_source : MEDIA_TIME_MTIME;
    row->taken_at =
        (pgc_opt_timestamptz) { true, pgc_timestamptz_from_unix_us(local_us - offset_us) };
    row->taken_local = (pgc_opt_timestamp) { true, { pgc_timestamptz_from_unix_us(local_us).us } };
    row->taken_offset_minutes =
        (pgc_opt_i16) { known && facts->has_offset != 0, (int16_t) facts->offset_minutes };
    row->taken_source = pgc_text_from(TIME_SOURCE_TEXT[source]);
}

static void facts_fill(const media_facts *facts, row_numbers *numbers,
                       repo_create_asset_params *row)
{
    bool has_size = facts->width > 0 && facts->height > 0;
    row->mime_type = TEXT_OR_NULL(facts->mime);
    row->asset_type = pgc_text_from(KIND_TEXT[facts->kind]);
    row->camera_make = TEXT_OR_NULL(facts->camera_make);
    row->camera_model = TEXT_OR_NULL(facts->camera_model);
    row->lens_model = TEXT_OR_NULL(facts->lens_model);
    row->shutter_speed = TEXT_OR_NULL(facts->shutter_speed);
    row->description = TEXT_OR_NULL(facts->description);
    row->iso = (pgc_opt_i32) { facts->iso > 0, facts->iso };
    row->rating = (pgc_opt_i32) { facts->rating >= 0, facts->rating };
    row->width = (pgc_opt_i32) { has_size, facts->width };
    row->height = (pgc_opt_i32) { has_size, facts->height };
    row->is_raw = facts->is_raw != 0;
    row->aperture = number(facts->aperture, facts->aperture > 0, 2, 999, numbers->digits[0]);
    row->focal_length =
        number(facts->focal_length_mm, facts->focal_length_mm > 0, 2, 9999, numbers->digits[1]);
    row->latitude = number(facts->latitude, facts->has_gps != 0, 8, 91, numbers->digits[2]);
    row->longitude = number(facts->longitude, facts->has_gps != 0, 8, 181, numbers->digits[3]);
    row->altitude =
        number(facts->altitude_m, facts->has_altitude != 0, 2, 99999999, numbers->digits[4]);
    row->duration = number((double) facts->duration_us / 1e6, facts->duration_us >= 0, 2, 99999999,
                           numbers->digits[5]);
}

/* Bytes of a thumbnail that stands there already. */
static pgc_status size_look(const import_target *target, const char *path, int64_t *size,
                            pgc_error *err)
{
    const vfs *fs = target->env->fs;
    struct stat info;
    AUTO(fd_auto)
    int fd = fs->open_beneath(fs->ctx, target->root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0 || fs->fstat(fs->ctx, fd, &info) != 0) {
        return pgc_error_errno(err, errno, "look at thumbnail %s", path);
    }
    *size = (int64_t) info.st_size;
    return PGC_OK;
}

/* Name the thumbnails that were made. A name that exists is of the same original already, perhaps
 * by another version of the libraries: the row tells that one's size. */
static pgc_status thumbnails_place(const import_target *target, const char *hash_hex,
                                   const import_thumbnails *thumbnails, media_report *report,
                                   pgc_error *err)
{
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        char path[PLACE_PATH_SIZE];
        if (report->thumbnails[i].width == 0) {
            continue;
        }
        place_thumbnail(hash_hex, (media_size) i, path);
        pgc_status status = stage_link(target->env, thumbnails->fds[i], target->root, path, err);
        if (status == PGC_CONFLICT) {
            pgc_error_clear(err);
            status = size_look(target, path, &report->thumbnails[i].file_size, err);
        }
        TRY(status);
        CRASH_POINT("import.thumbnail");
    }
    return PGC_OK;
}

/* Names of the original and its thumbnails become durable. All names are made before the first
 * fsync: a journaling file system then writes them in one go. */
static pgc_status names_sync(const import_target *target, const import_original *original,
                             const media_report *report, pgc_error *err)
{
    char path[PLACE_PATH_SIZE];
    TRY(stage_sync_folder(target->env, target->root, original->path, err));
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        if (report->thumbnails[i].width > 0) {
            place_thumbnail(stage_hash_hex(original->hash), (media_size) i, path);
            TRY(stage_sync_folder(target->env, target->root, path, err));
        }
    }
    return PGC_OK;
}

/* In the asset's transaction: no reader sees an asset whose thumbnails are still to come. */
static pgc_status thumbnail_rows(lum_actor actor, pgc_uuid asset_id, const char *hash_hex,
                                 const media_report *report, pgc_error *err)
{
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        const media_thumbnail *made = &report->thumbnails[i];
        char path[PLACE_PATH_SIZE];
        repo_thumbnail_set set = PGC_ZERO;
        if (made->width == 0) {
            continue;
        }
        place_thumbnail(hash_hex, (media_size) i, path);
        const repo_create_thumbnail_params params = {
            .asset_id = asset_id,
            .owner_id = actor.user_id,
            .size = pgc_text_from(media_size_text((media_size) i)),
            .file_path = pgc_text_from(path),
            .file_size = { true, made->file_size },
            .width = { true, made->width },
            .height = { true, made->height },
            .mime_type = pgc_text_from("image/webp"),
        };
        TRY(lum_thumbnail_create(actor, &params, &set, err));
        repo_thumbnail_set_free(&set);
    }
    return PGC_OK;
}

/* Queue a file for deletion; whether something stands for it is asked when it is carried out. */
static pgc_status file_drop(const import_target *target, lum_actor actor, const char *path,
                            pgc_error *err)
{
    const clock_ops *clock = target->env->clock;
    const repo_create_file_deletion_params params = {
        .owner_id = target->user_id,
        .repository_id = target->repository_id,
        .file_path = pgc_text_from(path),
        .not_before = pgc_timestamptz_from_unix_us(clock->unix_us(clock->ctx)),
    };
    return repo_create_file_deletion(actor.db, &params, err);
}

/* The asset's row. Its memory is the caller's: *set. */
static pgc_status asset_write(const import_target *target, lum_actor actor,
                              const import_original *original, const media_facts *facts,
                              repo_asset_set *set, bool *duplicate, pgc_error *err)
{
    row_numbers numbers;
    const clock_ops *clock = target->env->clock;
    repo_create_asset_params row = {
        .original_filename = original->name,
        .filename_bytes = original->name_bytes,
        .file_path = pgc_text_from(original->path),
        .file_size = original->size,
        .file_hash = pgc_text_from(original->hash),
        .repository_id = { true, target->repository_id },
        .owner_id = target->user_id,
        .uploaded_at = pgc_timestamptz_from_unix_us(clock->unix_us(clock->ctx)),
    };
    if (!uuid_v7(clock, &row.asset_id)) {
        return pgc_error_set(err, PGC_IO, "no random numbers to be had");
    }
    facts_fill(facts, &numbers, &row);
    taken_fill(facts, original->mtime_us, &row);
    return lum_asset_create(actor, &row, set, duplicate, err);
}

/* TX B without begin and commit. */
static pgc_status rows_write(const import_target *target, lum_actor actor,
                             const import_original *original, const media_report *report,
                             import_answer *out, pgc_error *err)
{
    int64_t committed = 0;
    repo_asset_set set = PGC_ZERO;
    TRY(asset_write(target, actor, original, &report->facts, &set, &out->duplicate, err));
    out->asset_id = set.rows[0].asset_id;
    bool same_file = slice_eq_str(set.rows[0].file_path, original->path);
    repo_asset_set_free(&set);
    if (!out->duplicate) {
        TRY(thumbnail_rows(actor, out->asset_id, stage_hash_hex(original->hash), report, err));
    } else if (!same_file) { /* the file just placed is not the asset's */
        TRY(file_drop(target, actor, original->path, err));
    }
    const repo_commit_import_intent_params commit = { .asset_id = { true, out->asset_id },
                                                      .intent_id = original->intent_id };
    TRY(repo_commit_import_intent(actor.db, &commit, &committed, err));
    if (committed == 0) {
        return pgc_error_set(err, PGC_CONFLICT, "the import intent is closed already");
    }
    CRASH_POINT("import.before_commit");
    return PGC_OK;
}

/* True when an earlier try was committed although its answer was lost. */
static pgc_status intent_look(lum_actor actor, pgc_uuid intent_id, import_answer *out, bool *done,
                              pgc_error *err)
{
    repo_lock_import_intent_row_set set = PGC_ZERO;
    TRY(repo_lock_import_intent(actor.db, intent_id, &set, err));
    const repo_lock_import_intent_row *row = &set.rows[0];
    *done = slice_eq_str(row->state, "committed") && row->asset_id.has;
    if (*done) {
        *out = (import_answer) { .asset_id = row->asset_id.v };
    }
    repo_lock_import_intent_row_set_free(&set);
    return PGC_OK;
}

/* TX B once; `again` after a try whose outcome is unknown. */
static pgc_status rows_commit(const import_target *target, const import_original *original,
                              const media_report *report, bool again, import_answer *out,
                              pgc_error *err)
{
    pgc_tx *tx = NULL;
    bool done = false;
    TRY(lum_session_begin(target->session, &tx, err));
    lum_actor actor = lum_session_tx_actor(target->session, tx);
    pgc_status status = again ? intent_look(actor, original->intent_id, out, &done, err) : PGC_OK;
    if (status == PGC_OK && !done) {
        status = rows_write(target, actor, original, report, out, err);
    }
    if (status == PGC_OK) {
        return pgc_tx_commit(&tx, err);
    }
    pgc_tx_rollback(tx);
    return status;
}

pgc_status import_register(const import_target *target, const import_original *original,
                           const import_thumbnails *thumbnails, import_answer *out, pgc_error *err)
{
    assert(original->path[0] != '\0');
    assert(strncmp(original->hash, "sha256:", 7) == 0);
    media_report report = thumbnails->report;
    import_answer answer = { .duplicate = false };
    pgc_status status = PGC_OK;
    retry again;
    TRY(thumbnails_place(target, stage_hash_hex(original->hash), thumbnails, &report, err));
    TRY(names_sync(target, original, &report, err));
    retry_begin(&again, target->env->clock, target->database_wait_us);
    do {
        status = rows_commit(target, original, &report, again.count > 0, &answer, err);
    } while (retry_again(&again, status, err));
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "register in the database");
    }
    CRASH_POINT("import.committed");
    *out = answer;
    return PGC_OK;
}

/* An intent that another process has finished meanwhile keeps its files. */
static pgc_status abandon(const import_target *target, lum_actor actor,
                          const import_original *original, const media_report *placed,
                          const char *why)
{
    int64_t affected = 0;
    const repo_fail_import_intent_params params = { .intent_id = original->intent_id,
                                                    .error_message = pgc_text_from(why) };
    TRY(repo_fail_import_intent(actor.db, &params, &affected, NULL));
    if (placed == NULL || affected == 0) {
        return PGC_OK;
    }
    TRY(file_drop(target, actor, original->path, NULL));
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        char path[PLACE_PATH_SIZE];
        place_thumbnail(stage_hash_hex(original->hash), (media_size) i, path);
        TRY(file_drop(target, actor, path, NULL));
    }
    return PGC_OK;
}

void import_abandon(const import_target *target, const import_original *original,
                    const media_report *placed, const char *why)
{
    pgc_tx *tx = NULL;
    if (lum_session_begin(target->session, &tx, NULL) != PGC_OK) {
        return;
    }
    lum_actor actor = lum_session_tx_actor(target->session, tx);
    if (abandon(target, actor, original, placed, why) != PGC_OK) {
        pgc_tx_rollback(tx);
    } else if (pgc_tx_commit(&tx, NULL) != PGC_OK) {
        log_line(target->env->log, LOG_WARN, "import", "intent of %s stays open", original->path);
    }
}
