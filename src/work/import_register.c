/* Rows of an original that has its final name: thumbnails get theirs, then one transaction makes
 * asset, thumbnails and intent known together. Running it again changes nothing. */
#include "base/prelude.h"

#include "work/import_internal.h"

#include "base/crash.h"
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

/* Name the thumbnails that were made. A name that exists holds the same content already. */
static pgc_status thumbnails_place(const import_target *target, const char *hash_hex,
                                   const import_thumbnails *thumbnails, pgc_error *err)
{
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        char path[PLACE_PATH_SIZE];
        if (thumbnails->report.thumbnails[i].width == 0) {
            continue;
        }
        place_thumbnail(hash_hex, (media_size) i, path);
        pgc_status status = stage_link(target->env, thumbnails->fds[i], target->root, path, err);
        if (status == PGC_CONFLICT) {
            pgc_error_clear(err);
        } else if (status != PGC_OK) {
            return status;
        }
        CRASH_POINT("import.thumbnail");
    }
    return PGC_OK;
}

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

/* The file just placed is not the asset's: take it away, unless it is the very same file. */
static pgc_status drop_extra(const import_target *target, lum_actor actor,
                             const import_original *original, const repo_asset *existing,
                             pgc_error *err)
{
    if (slice_eq_str(existing->file_path, original->path)) {
        return PGC_OK;
    }
    const clock_ops *clock = target->env->clock;
    const repo_create_file_deletion_params params = {
        .owner_id = target->user_id,
        .repository_id = target->repository_id,
        .file_path = pgc_text_from(original->path),
        .not_before = pgc_timestamptz_from_unix_us(clock->unix_us(clock->ctx)),
    };
    return repo_create_file_deletion(actor.db, &params, err);
}

/* TX B. */
static pgc_status rows_write(const import_target *target, lum_actor actor,
                             const import_original *original, const media_report *report,
                             repo_asset_set *set, bool *duplicate, pgc_error *err)
{
    row_numbers numbers;
    int64_t committed = 0;
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
    facts_fill(&report->facts, &numbers, &row);
    taken_fill(&report->facts, original->mtime_us, &row);
    TRY(lum_asset_create(actor, &row, set, duplicate, err));
    const char *hash_hex = stage_hash_hex(original->hash);
    if (*duplicate) {
        TRY(drop_extra(target, actor, original, &set->rows[0], err));
    } else {
        TRY(thumbnail_rows(actor, set->rows[0].asset_id, hash_hex, report, err));
    }
    const repo_commit_import_intent_params commit = { .asset_id = { true, set->rows[0].asset_id },
                                                      .intent_id = original->intent_id };
    TRY(repo_commit_import_intent(actor.db, &commit, &committed, err));
    if (committed == 0) {
        return pgc_error_set(err, PGC_CONFLICT,
                             "the import intent was finished by another process");
    }
    CRASH_POINT("import.before_commit");
    return PGC_OK;
}

pgc_status import_register(const import_target *target, const import_original *original,
                           const import_thumbnails *thumbnails, pgc_uuid *asset_id, bool *duplicate,
                           pgc_error *err)
{
    TRY(thumbnails_place(target, stage_hash_hex(original->hash), thumbnails, err));
    pgc_tx *tx = NULL;
    repo_asset_set set = PGC_ZERO;
    TRY(lum_session_begin(target->session, &tx, err));
    pgc_status status = rows_write(target, lum_session_tx_actor(target->session, tx), original,
                                   &thumbnails->report, &set, duplicate, err);
    if (status == PGC_OK) {
        *asset_id = set.rows[0].asset_id;
        status = pgc_tx_commit(&tx, err);
    } else {
        pgc_tx_rollback(tx);
    }
    repo_asset_set_free(&set);
    if (status == PGC_OK) {
        CRASH_POINT("import.committed");
    }
    return pgc_error_wrap(err, status, "register in the database");
}
