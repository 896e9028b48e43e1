/* Filters: one table of members by name; texts, JSON, checks and the digest all go by it. No state;
 * thread-safe, a doc one thread at a time. */
#include "base/prelude.h"

#include "service/filter.h"

#include "service/asset.h"

#define AT(member) offsetof(lum_filter, member)

const lum_filter_field LUM_FILTER_FIELDS[] = {
    { "owner", "ID", "assets of this user", AT(owner_id), LUM_FILTER_INTEGER, 1, INT32_MAX },
    { "type", "TYPE", "photo, video or audio", AT(asset_type), LUM_FILTER_TEXT, 0, 0 },
    { "repository", "ID", "in this repository", AT(repository_id), LUM_FILTER_UUID, 0, 0 },
    { "album", "ID", "in this album", AT(album_id), LUM_FILTER_INTEGER, 1, INT32_MAX },
    { "camera_make", "TEXT", "maker of the camera", AT(camera_make), LUM_FILTER_TEXT, 0, 0 },
    { "camera_model", "TEXT", "model of the camera", AT(camera_model), LUM_FILTER_TEXT, 0, 0 },
    { "lens", "TEXT", "model of the lens", AT(lens_model), LUM_FILTER_TEXT, 0, 0 },
    { "iso_min", "N", "ISO at least", AT(iso_min), LUM_FILTER_INTEGER, 0, INT32_MAX },
    { "iso_max", "N", "ISO at most", AT(iso_max), LUM_FILTER_INTEGER, 0, INT32_MAX },
    { "aperture_min", "F", "f-number at least", AT(aperture_min), LUM_FILTER_NUMBER, 0, 1000 },
    { "aperture_max", "F", "f-number at most", AT(aperture_max), LUM_FILTER_NUMBER, 0, 1000 },
    { "focal_min", "MM", "focal length at least", AT(focal_min), LUM_FILTER_NUMBER, 0, 10000 },
    { "focal_max", "MM", "focal length at most", AT(focal_max), LUM_FILTER_NUMBER, 0, 10000 },
    { "from", "TIME", "taken from this year, month, day or time on", AT(taken_from),
      LUM_FILTER_FROM, 0, 0 },
    { "until", "TIME", "taken until the end of it; a time itself is excluded", AT(taken_before),
      LUM_FILTER_BEFORE, 0, 0 },
    { "south", "DEGREES", "a box: south, west, north and east", AT(south), LUM_FILTER_NUMBER, -90,
      90 },
    { "west", "DEGREES", "(west > east: across 180)", AT(west), LUM_FILTER_NUMBER, -180, 180 },
    { "north", "DEGREES", "", AT(north), LUM_FILTER_NUMBER, -90, 90 },
    { "east", "DEGREES", "", AT(east), LUM_FILTER_NUMBER, -180, 180 },
    { "near_latitude", "DEGREES", "a circle: latitude, longitude and metres", AT(near_latitude),
      LUM_FILTER_NUMBER, -90, 90 },
    { "near_longitude", "DEGREES", "", AT(near_longitude), LUM_FILTER_NUMBER, -180, 180 },
    { "near_metres", "N", "", AT(near_metres), LUM_FILTER_NUMBER, 0, 20100000 },
    { "has_place", "yes|no", "with or without a place", AT(has_place), LUM_FILTER_FLAG, 0, 0 },
    { "rating", "0-5", "rated so; 0 is not rated", AT(rating), LUM_FILTER_INTEGER, 0,
      LUM_RATING_MAX },
    { "rating_min", "0-5", "rated at least so", AT(rating_min), LUM_FILTER_INTEGER, 0,
      LUM_RATING_MAX },
    { "liked", "yes|no", "liked or not", AT(liked), LUM_FILTER_FLAG, 0, 0 },
    { "raw", "yes|no", "raw files, or others", AT(is_raw), LUM_FILTER_FLAG, 0, 0 },
    { "tags_any", "A,B", "with one of these tags", AT(tags_any), LUM_FILTER_TEXTS, 0, 0 },
    { "tags_all", "A,B", "with all of these tags", AT(tags_all), LUM_FILTER_TEXTS, 0, 0 },
    { "tags_none", "A,B", "with none of these tags", AT(tags_none), LUM_FILTER_TEXTS, 0, 0 },
    { "name_contains", "TEXT", "file name has this in it", AT(name_contains), LUM_FILTER_TEXT, 0,
      0 },
    { "name_prefix", "TEXT", "file name begins so", AT(name_prefix), LUM_FILTER_TEXT, 0, 0 },
    { "words", "TEXT", "words of name, description, camera or lens", AT(words), LUM_FILTER_TEXT, 0,
      0 },
};
const size_t LUM_FILTER_FIELD_COUNT = ARRAY_LEN(LUM_FILTER_FIELDS);

static pgc_status text_check(const char *name, slice text, pgc_error *err)
{
    if (text.ptr == NULL) {
        return PGC_OK;
    }
    if (text.len == 0 || text.len > LUM_FILTER_TEXT_MAX) {
        return pgc_error_set(err, PGC_INVALID,
                             "filter %s: a text of %zu bytes; 1 to %d are allowed", name, text.len,
                             LUM_FILTER_TEXT_MAX);
    }
    if (!slice_is_utf8(text)) {
        return pgc_error_set(err, PGC_INVALID, "filter %s: the text is not valid UTF-8", name);
    }
    return PGC_OK;
}

static pgc_status texts_check(const char *name, const lum_texts *texts, pgc_error *err)
{
    if (texts->count > LUM_FILTER_TAGS_MAX) {
        return pgc_error_set(err, PGC_INVALID, "filter %s: %zu names; %d are allowed", name,
                             texts->count, LUM_FILTER_TAGS_MAX);
    }
    for (size_t i = 0; i < texts->count; i++) {
        if (texts->items[i].ptr == NULL) {
            return pgc_error_set(err, PGC_INVALID, "filter %s: name %zu is missing", name, i + 1);
        }
        TRY(text_check(name, texts->items[i], err));
    }
    return PGC_OK;
}

/* NaN fails both comparisons and so is refused. */
static pgc_status number_check(const lum_filter_field *field, double value, pgc_error *err)
{
    if (!(value >= field->min && value <= field->max)) {
        return pgc_error_set(err, PGC_INVALID, "filter %s: %g; it goes from %g to %.10g",
                             field->name, value, field->min, field->max);
    }
    return PGC_OK;
}

/* One member alone. */
static pgc_status field_check(const lum_filter_field *field, const lum_filter *filter,
                              pgc_error *err)
{
    const void *at = (const char *) filter + field->offset;
    switch (field->kind) {
    case LUM_FILTER_TEXT:
        return text_check(field->name, *(const pgc_text *) at, err);
    case LUM_FILTER_TEXTS:
        return texts_check(field->name, at, err);
    case LUM_FILTER_INTEGER: {
        const pgc_opt_i32 *value = at;
        return value->has ? number_check(field, value->v, err) : PGC_OK;
    }
    case LUM_FILTER_NUMBER: {
        const pgc_opt_f64 *value = at;
        return value->has ? number_check(field, value->v, err) : PGC_OK;
    }
    case LUM_FILTER_FLAG:
    case LUM_FILTER_UUID:
    case LUM_FILTER_FROM:
    case LUM_FILTER_BEFORE:
        break;
    }
    return PGC_OK;
}

/* A lower bound above the upper one finds nothing; that is a mistake rather than a wish. */
static pgc_status order_check(const char *what, bool both, double low, double high, pgc_error *err)
{
    if (both && low > high) {
        return pgc_error_set(err, PGC_INVALID, "filter %s: from %g to %g", what, low, high);
    }
    return PGC_OK;
}

/* Members that go together. */
static pgc_status groups_check(const lum_filter *f, pgc_error *err)
{
    int box = f->south.has + f->west.has + f->north.has + f->east.has;
    int circle = f->near_latitude.has + f->near_longitude.has + f->near_metres.has;
    if (box != 0 && box != 4) {
        return pgc_error_set(err, PGC_INVALID, "filter: south, west, north and east go together");
    }
    if (circle != 0 && circle != 3) {
        return pgc_error_set(err, PGC_INVALID,
                             "filter: near_latitude, near_longitude and near_metres go together");
    }
    TRY(order_check("iso", f->iso_min.has && f->iso_max.has, f->iso_min.v, f->iso_max.v, err));
    TRY(order_check("aperture", f->aperture_min.has && f->aperture_max.has, f->aperture_min.v,
                    f->aperture_max.v, err));
    TRY(order_check("focal", f->focal_min.has && f->focal_max.has, f->focal_min.v, f->focal_max.v,
                    err));
    TRY(order_check("latitude", box == 4, f->south.v, f->north.v, err));
    if (f->taken_from.has && f->taken_before.has &&
        f->taken_from.is_instant == f->taken_before.is_instant &&
        f->taken_from.us > f->taken_before.us) {
        return pgc_error_set(err, PGC_INVALID, "filter until: it lies before from");
    }
    return PGC_OK;
}

pgc_status lum_filter_check(const lum_filter *filter, pgc_error *err)
{
    for (size_t i = 0; i < LUM_FILTER_FIELD_COUNT; i++) {
        TRY(field_check(&LUM_FILTER_FIELDS[i], filter, err));
    }
    if (filter->asset_type.ptr != NULL) {
        TRY(lum_asset_check_type(filter->asset_type, err));
    }
    return groups_check(filter, err);
}

bool lum_filter_has(const lum_filter *filter, const lum_filter_field *field)
{
    const void *at = (const char *) filter + field->offset;
    switch (field->kind) {
    case LUM_FILTER_TEXT:
        return ((const pgc_text *) at)->ptr != NULL;
    case LUM_FILTER_TEXTS:
        return ((const lum_texts *) at)->count > 0;
    case LUM_FILTER_INTEGER:
        return ((const pgc_opt_i32 *) at)->has;
    case LUM_FILTER_NUMBER:
        return ((const pgc_opt_f64 *) at)->has;
    case LUM_FILTER_FLAG:
        return ((const pgc_opt_bool *) at)->has;
    case LUM_FILTER_UUID:
        return ((const pgc_opt_uuid *) at)->has;
    case LUM_FILTER_FROM:
    case LUM_FILTER_BEFORE:
        return ((const lum_moment *) at)->has;
    }
    return false;
}

/* The bytes of a member that count, with their number in front so that no two run together. */
static bool digest_bytes(sha256 *state, const void *bytes, size_t count)
{
    uint64_t size = count;
    return sha256_add(state, &size, sizeof size) && (count == 0 || sha256_add(state, bytes, count));
}

static bool digest_texts(sha256 *state, const lum_texts *texts)
{
    uint64_t count = texts->count;
    bool good = sha256_add(state, &count, sizeof count);
    for (size_t i = 0; good && i < texts->count; i++) {
        good = digest_bytes(state, texts->items[i].ptr, texts->items[i].len);
    }
    return good;
}

/* Structs are taken member by member: padding has no value. */
static bool digest_field(sha256 *state, const lum_filter_field *field, const void *at)
{
    switch (field->kind) {
    case LUM_FILTER_TEXT: {
        const pgc_text *text = at;
        return digest_bytes(state, text->ptr, text->len);
    }
    case LUM_FILTER_TEXTS:
        return digest_texts(state, at);
    case LUM_FILTER_INTEGER: {
        const pgc_opt_i32 *value = at;
        return digest_bytes(state, &value->v, value->has ? sizeof value->v : 0);
    }
    case LUM_FILTER_NUMBER: {
        const pgc_opt_f64 *value = at;
        return digest_bytes(state, &value->v, value->has ? sizeof value->v : 0);
    }
    case LUM_FILTER_FLAG: {
        const pgc_opt_bool *value = at;
        return digest_bytes(state, &value->v, value->has ? sizeof value->v : 0);
    }
    case LUM_FILTER_UUID: {
        const pgc_opt_uuid *value = at;
        return digest_bytes(state, &value->v, value->has ? sizeof value->v : 0);
    }
    case LUM_FILTER_FROM:
    case LUM_FILTER_BEFORE: {
        const lum_moment *value = at;
        return digest_bytes(state, &value->is_instant, value->has ? 1 : 0) &&
               digest_bytes(state, &value->us, value->has ? sizeof value->us : 0);
    }
    }
    return false;
}

pgc_status lum_filter_digest(const lum_filter *filter, uint8_t out[static SHA256_SIZE],
                             pgc_error *err)
{
    AUTO(sha256_auto) sha256 *state = sha256_new();
    bool good = state != NULL;
    for (size_t i = 0; good && i < LUM_FILTER_FIELD_COUNT; i++) {
        const lum_filter_field *field = &LUM_FILTER_FIELDS[i];
        good = digest_field(state, field, (const char *) filter + field->offset);
    }
    return good && sha256_peek(state, out) ? PGC_OK
                                           : pgc_error_set(err, PGC_NOMEM, "digest of a filter");
}
