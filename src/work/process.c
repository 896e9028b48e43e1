/* The processors: a stored original becomes facts and thumbnails, these become rows. One
 * implementation for the import, its recovery and the jobs. Everything may be done again: files are
 * named by content and never replaced, rows are written to what they would be. One thread per call.
 */
#include "base/prelude.h"

#include "work/process.h"

#include <fcntl.h>

#include "base/crash.h"
#include "base/file.h"
#include "service/asset.h"
#include "work/import_internal.h"

#define TEXT_OR_NULL(text) ((text)[0] != '\0' ? pgc_text_from(text) : (pgc_text) { NULL, 0 })

static const char *const TIME_SOURCE_TEXT[] = {
    [MEDIA_TIME_NONE] = NULL,     [MEDIA_TIME_EXIF] = "exif",           [MEDIA_TIME_XMP] = "xmp",
    [MEDIA_TIME_IPTC] = "iptc",   [MEDIA_TIME_CONTAINER] = "container", [MEDIA_TIME_GPS] = "gps",
    [MEDIA_TIME_MTIME] = "mtime",
};

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
static void taken_fill(const media_facts *facts, int64_t mtime_us, repo_set_asset_facts_params *row)
{
    bool known = facts->has_taken != 0;
    row->has_taken = known;
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

static void facts_fill(const media_facts *facts, process_numbers *numbers,
                       repo_set_asset_facts_params *row)
{
    bool has_size = facts->width > 0 && facts->height > 0;
    row->mime_type = TEXT_OR_NULL(facts->mime);
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

void process_facts(const media_facts *facts, int64_t mtime_us, process_numbers *numbers,
                   repo_set_asset_facts_params *out)
{
    facts_fill(facts, numbers, out);
    taken_fill(facts, mtime_us, out);
}

pgc_status process_facts_row(lum_actor actor, pgc_uuid asset_id, const media_facts *facts,
                             bool reset, pgc_error *err)
{
    process_numbers numbers;
    int64_t affected = 0;
    repo_set_asset_facts_params row = { .asset_id = asset_id, .reset = reset };
    process_facts(facts, 0, &numbers, &row);
    TRY(repo_set_asset_facts(actor.db, &row, &affected, err));
    if (affected == 0) {
        return pgc_error_set(err, PGC_NOT_FOUND, "the asset is gone");
    }
    return PGC_OK;
}

void process_thumbnails_none(process_thumbnails *out)
{
    *out = (process_thumbnails) { .report = { .facts = { .kind = MEDIA_NONE } } };
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        out->fds[i] = -1;
    }
}

/* The sandbox gets a descriptor that cannot write, whatever ours can do. */
static pgc_status probe(const import_target *target, media_host *host, int fd,
                        const int *thumbnail_fds, media_report *out, pgc_error *err)
{
    const vfs *fs = target->env->fs;
    char again[64];
    (void) snprintf(again, sizeof again, "/proc/self/fd/%d", fd);
    AUTO(fd_auto) int read_only = fs->openat(fs->ctx, AT_FDCWD, again, O_RDONLY | O_CLOEXEC, 0);
    if (read_only < 0) {
        return pgc_error_errno(err, errno, "open the copy for reading");
    }
    return media_host_probe(host, read_only, thumbnail_fds, out, err);
}

pgc_status process_probe_facts(const import_target *target, media_host *host, int fd,
                               media_report *out, pgc_error *err)
{
    return probe(target, host, fd, NULL, out, err);
}

/* Thumbnails are written by the sandbox into nameless files that we opened: it needs no right to
 * open any. */
pgc_status process_probe(const import_target *target, media_host *host, int fd,
                         process_thumbnails *out, pgc_error *err)
{
    const vfs *fs = target->env->fs;
    pgc_status status = PGC_OK;
    process_thumbnails_none(out);
    for (size_t i = 0; status == PGC_OK && i < MEDIA_SIZE_COUNT; i++) {
        out->fds[i] =
            fs->openat(fs->ctx, target->staging_dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (out->fds[i] < 0) {
            status = pgc_error_errno(err, errno, "make thumbnail file in the library");
        }
    }
    if (status == PGC_OK) {
        status = probe(target, host, fd, out->fds, &out->report, err);
    }
    if (status != PGC_OK) {
        process_thumbnails_close(target, out);
    }
    return status;
}

void process_thumbnails_close(const import_target *target, process_thumbnails *thumbnails)
{
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        if (thumbnails->fds[i] >= 0) {
            (void) target->env->fs->close(target->env->fs->ctx, thumbnails->fds[i]);
            thumbnails->fds[i] = -1;
        }
    }
}

pgc_status process_thumbnails_sync(const import_target *target,
                                   const process_thumbnails *thumbnails, pgc_error *err)
{
    const vfs *fs = target->env->fs;
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        if (thumbnails->report.thumbnails[i].width > 0 &&
            fs->fsync(fs->ctx, thumbnails->fds[i]) != 0) {
            return pgc_error_errno(err, errno, "make a thumbnail durable");
        }
    }
    return PGC_OK;
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
pgc_status process_thumbnails_place(const import_target *target, const char *hash_hex,
                                    const process_thumbnails *thumbnails, media_report *report,
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

pgc_status process_names_sync(const import_target *target, const char *hash_hex,
                              const media_report *report, pgc_error *err)
{
    char path[PLACE_PATH_SIZE];
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        if (report->thumbnails[i].width > 0) {
            place_thumbnail(hash_hex, (media_size) i, path);
            TRY(stage_sync_folder(target->env, target->root, path, err));
        }
    }
    return PGC_OK;
}

/* A second row of the same size replaces the first. */
pgc_status process_thumbnail_rows(lum_actor actor, pgc_uuid asset_id, const char *hash_hex,
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
