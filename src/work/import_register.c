/* Rows of an original that has its final name: thumbnails get theirs, then one transaction makes
 * asset, thumbnails and intent known together. Running it again changes nothing. */
#include "base/prelude.h"

#include "work/import_internal.h"

#include "base/crash.h"
#include "base/uuid.h"
#include "service/asset.h"

static const char *const KIND_TEXT[] = {
    [MEDIA_PHOTO] = "photo",
    [MEDIA_VIDEO] = "video",
    [MEDIA_AUDIO] = "audio",
};

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
    process_numbers numbers;
    repo_set_asset_facts_params said = PGC_ZERO;
    const clock_ops *clock = target->env->clock;
    process_facts(facts, original->mtime_us, &numbers, &said);
    repo_create_asset_params row = {
        .original_filename = original->name,
        .filename_bytes = original->name_bytes,
        .file_path = pgc_text_from(original->path),
        .file_size = original->size,
        .file_hash = pgc_text_from(original->hash),
        .repository_id = { true, target->repository_id },
        .owner_id = target->user_id,
        .uploaded_at = pgc_timestamptz_from_unix_us(clock->unix_us(clock->ctx)),
        .asset_type = pgc_text_from(KIND_TEXT[facts->kind]),
        .mime_type = said.mime_type,
        .taken_at = said.taken_at,
        .taken_local = said.taken_local,
        .taken_offset_minutes = said.taken_offset_minutes,
        .taken_source = said.taken_source,
        .camera_make = said.camera_make,
        .camera_model = said.camera_model,
        .lens_model = said.lens_model,
        .iso = said.iso,
        .aperture = said.aperture,
        .shutter_speed = said.shutter_speed,
        .focal_length = said.focal_length,
        .latitude = said.latitude,
        .longitude = said.longitude,
        .altitude = said.altitude,
        .width = said.width,
        .height = said.height,
        .duration = said.duration,
        .description = said.description,
        .rating = said.rating,
        .is_raw = said.is_raw,
    };
    if (!uuid_v7(clock, &row.asset_id)) {
        return pgc_error_set(err, PGC_IO, "no random numbers to be had");
    }
    return lum_asset_create(actor, &row, set, duplicate, err);
}

/* What else belongs to a new asset. In its transaction: no reader sees an asset whose thumbnails
 * are still to come, unless jobs will make them; those exist when and only when the asset does. */
static pgc_status asset_fill(const import_target *target, lum_actor actor,
                             const import_original *original, const media_report *report,
                             import_answer *out, pgc_error *err)
{
    bool seen = original->later ? report->facts.kind != MEDIA_AUDIO
                                : report->thumbnails[MEDIA_MEDIUM].width > 0;
    out->to_embed = seen && target->embed_model[0] != '\0';
    if (!original->later) {
        TRY(process_thumbnail_rows(actor, out->asset_id, stage_hash_hex(original->hash), report,
                                   err));
    }
    if (!original->later && !out->to_embed) {
        return PGC_OK;
    }
    CRASH_POINT("work.before_jobs");
    const jobs_wanted wanted = { .files = original->later,
                                 .embed_model = out->to_embed ? target->embed_model : NULL,
                                 .clock = target->env->clock };
    return jobs_insert(target->queue, actor, out->asset_id, wanted, err);
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
        TRY(asset_fill(target, actor, original, report, out, err));
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
                           const process_thumbnails *thumbnails, import_answer *out, pgc_error *err)
{
    assert(original->path[0] != '\0');
    assert(strncmp(original->hash, "sha256:", 7) == 0);
    media_report report = thumbnails->report;
    import_answer answer = { .duplicate = false };
    pgc_status status = PGC_OK;
    retry again;
    /* All names are made before the first fsync: a journaling file system then writes them in one
     * go. */
    const char *hash_hex = stage_hash_hex(original->hash);
    TRY(process_thumbnails_place(target, hash_hex, thumbnails, &report, err));
    TRY(stage_sync_folder(target->env, target->root, original->path, err));
    TRY(process_names_sync(target, hash_hex, &report, err));
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
