/* What a careful person writes against libpq for one row of assets: NULL where the column may be
 * NULL, byte order, lengths; column types are known and not checked. Any thread. */
#include "parts.h"

#include <endian.h>

#include "pgc/wire.h"
#include "repo/models.h"

static uint16_t get_u16(const char *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return be16toh(value);
}

static uint32_t get_u32(const PGresult *res, int row, int column)
{
    uint32_t value;
    memcpy(&value, PQgetvalue(res, row, column), sizeof value);
    return be32toh(value);
}

static uint64_t get_u64(const PGresult *res, int row, int column)
{
    uint64_t value;
    memcpy(&value, PQgetvalue(res, row, column), sizeof value);
    return be64toh(value);
}

static pgc_text get_text(const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column)) {
        return (pgc_text) { NULL, 0 };
    }
    return (pgc_text) { PQgetvalue(res, row, column), (size_t) PQgetlength(res, row, column) };
}

static pgc_opt_i32 get_opt_i32(const PGresult *res, int row, int column)
{
    if (PQgetisnull(res, row, column)) {
        return (pgc_opt_i32) { .has = false };
    }
    return (pgc_opt_i32) { .has = true, .v = (int32_t) get_u32(res, row, column) };
}

static pgc_opt_timestamptz get_opt_time(const PGresult *res, int row, int column)
{
    pgc_opt_timestamptz value = { .has = !PQgetisnull(res, row, column) };
    if (value.has) {
        value.v.us = (int64_t) get_u64(res, row, column);
    }
    return value;
}

static pgc_numeric get_numeric(const PGresult *res, int row, int column, uint16_t *digits)
{
    pgc_numeric value = { .present = !PQgetisnull(res, row, column) };
    if (!value.present) {
        return value;
    }
    const char *at = PQgetvalue(res, row, column);
    value.digit_count = get_u16(at);
    value.weight = (int16_t) get_u16(at + 2);
    value.sign = get_u16(at + 4);
    value.dscale = get_u16(at + 6);
    value.digits = digits;
    for (uint16_t i = 0; i < value.digit_count; i++) {
        digits[i] = get_u16(at + 8 + 2 * i);
    }
    return value;
}

static bool get_bool(const PGresult *res, int row, int column)
{
    return PQgetvalue(res, row, column)[0] != 0;
}

static void read_times(const PGresult *res, int row, repo_asset *out)
{
    out->uploaded_at.us = (int64_t) get_u64(res, row, 9);
    out->taken_at = get_opt_time(res, row, 10);
    out->created_at.us = (int64_t) get_u64(res, row, 11);
    out->updated_at.us = (int64_t) get_u64(res, row, 12);
    out->taken_local.has = !PQgetisnull(res, row, 32);
    if (out->taken_local.has) {
        out->taken_local.v.us = (int64_t) get_u64(res, row, 32);
    }
    out->taken_offset_minutes.has = !PQgetisnull(res, row, 33);
    if (out->taken_offset_minutes.has) {
        out->taken_offset_minutes.v = (int16_t) get_u16(PQgetvalue(res, row, 33));
    }
    out->deleted_at = get_opt_time(res, row, 35);
}

bool asset_read_by_hand(const PGresult *res, int row, repo_asset *out, asset_digits *digits)
{
    memset(out, 0, sizeof *out);
    memcpy(out->asset_id.bytes, PQgetvalue(res, row, 0), sizeof out->asset_id.bytes);
    out->original_filename = get_text(res, row, 1);
    out->file_path = get_text(res, row, 2);
    out->file_size = (int64_t) get_u64(res, row, 3);
    out->file_hash = get_text(res, row, 4);
    out->mime_type = get_text(res, row, 5);
    out->asset_type = get_text(res, row, 6);
    out->repository_id.has = !PQgetisnull(res, row, 7);
    if (out->repository_id.has) {
        memcpy(out->repository_id.v.bytes, PQgetvalue(res, row, 7), sizeof(pgc_uuid));
    }
    out->owner_id = (int32_t) get_u32(res, row, 8);
    read_times(res, row, out);
    out->camera_make = get_text(res, row, 13);
    out->camera_model = get_text(res, row, 14);
    out->lens_model = get_text(res, row, 15);
    out->iso = get_opt_i32(res, row, 16);
    out->aperture = get_numeric(res, row, 17, digits->room[0]);
    out->shutter_speed = get_text(res, row, 18);
    out->focal_length = get_numeric(res, row, 19, digits->room[1]);
    out->latitude = get_numeric(res, row, 20, digits->room[2]);
    out->longitude = get_numeric(res, row, 21, digits->room[3]);
    out->altitude = get_numeric(res, row, 22, digits->room[4]);
    out->width = get_opt_i32(res, row, 23);
    out->height = get_opt_i32(res, row, 24);
    out->duration = get_numeric(res, row, 25, digits->room[5]);
    out->description = get_text(res, row, 26);
    out->rating = get_opt_i32(res, row, 27);
    out->liked = get_bool(res, row, 28);
    out->is_raw = get_bool(res, row, 29);
    out->is_transcoded = get_bool(res, row, 30);
    out->transcoded_path = get_text(res, row, 31);
    out->taken_source = get_text(res, row, 34);
    pgc_text name = get_text(res, row, 36);
    out->filename_bytes = (pgc_bytes) { (const uint8_t *) name.ptr, name.len };
    return !PQgetisnull(res, row, 0);
}
