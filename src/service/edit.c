/* UpdateAssetMetadata: a JSON document of what a person says about an asset. One table of members;
 * the document is checked as a whole before anything is sent, and one statement changes all or
 * nothing. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include <math.h>

#include "service/asset.h"
#include "service/json.h"
#include "service/when.h"

#define EDIT_JSON_MAX  ((size_t) 1 << 20) /* bytes */
#define NUMERIC_DIGITS 16                 /* of four decimals each */

typedef repo_update_asset_metadata_params edit_params;

typedef enum edit_kind {
    EDIT_TEXT,
    EDIT_INTEGER,
    EDIT_DECIMAL,
    EDIT_TRUTH, /* has no null */
    EDIT_TIME
} edit_kind;

/* Texts: max characters; numbers: range, decimals: digits behind the point. */
static const struct edit_field {
    const char *name;
    edit_kind kind;
    size_t value, set; /* offsets */
    double min, max;
    int scale;
} FIELDS[] = {
#define FIELD(member, kind, min, max, scale)                                                    \
    {                                                                                           \
#member, kind, offsetof(edit_params, member), offsetof(edit_params, set_##member), min, \
            max, scale                                                                          \
    }
    FIELD(taken_at, EDIT_TIME, 0, 0, 0),
    FIELD(camera_make, EDIT_TEXT, 0, LUM_CAMERA_CHARS_MAX, 0),
    FIELD(camera_model, EDIT_TEXT, 0, LUM_CAMERA_CHARS_MAX, 0),
    FIELD(lens_model, EDIT_TEXT, 0, LUM_CAMERA_CHARS_MAX, 0),
    FIELD(iso, EDIT_INTEGER, 1, 10000000, 0),
    FIELD(aperture, EDIT_DECIMAL, 0.01, 999.99, 2),
    FIELD(shutter_speed, EDIT_TEXT, 0, LUM_SHUTTER_CHARS_MAX, 0),
    FIELD(focal_length, EDIT_DECIMAL, 0.01, 9999.99, 2),
    FIELD(latitude, EDIT_DECIMAL, -90, 90, 8),
    FIELD(longitude, EDIT_DECIMAL, -180, 180, 8),
    FIELD(altitude, EDIT_DECIMAL, -12000, 100000, 2),
    FIELD(description, EDIT_TEXT, 0, LUM_DESCRIPTION_CHARS_MAX, 0),
    FIELD(rating, EDIT_INTEGER, 0, LUM_RATING_MAX, 0),
    FIELD(liked, EDIT_TRUTH, 0, 0, 0),
#undef FIELD
};

/* Parameters, the names of what is edited, and the digits that its numbers point to. */
typedef struct edit {
    edit_params params;
    pgc_text names[ARRAY_LEN(FIELDS)];
    size_t name_count;
    uint16_t digits[ARRAY_LEN(FIELDS)][NUMERIC_DIGITS];
} edit;

static pgc_status wrong(const struct edit_field *field, const char *wanted, pgc_error *err)
{
    return pgc_error_set(err, PGC_INVALID, "%s: the value must be %s", field->name, wanted);
}

static pgc_status out_of_range(const struct edit_field *field, double value, pgc_error *err)
{
    return pgc_error_set(err, PGC_INVALID, "%s: %.10g; it goes from %.10g to %.10g", field->name,
                         value, field->min, field->max);
}

static size_t characters(slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char) text.ptr[i] & 0xC0) != 0x80 ? 1 : 0;
    }
    return count;
}

static pgc_status take_text(const struct edit_field *field, const json_t *value, pgc_text *out,
                            pgc_error *err)
{
    if (!json_is_string(value)) {
        return wrong(field, "a text or null", err);
    }
    slice text = json_text(value);
    size_t count = characters(text);
    if (count > (size_t) field->max) {
        return pgc_error_set(err, PGC_INVALID, "%s: %zu characters; %g are allowed", field->name,
                             count, field->max);
    }
    *out = text;
    return PGC_OK;
}

static pgc_status take_integer(const struct edit_field *field, const json_t *value,
                               pgc_opt_i32 *out, pgc_error *err)
{
    if (!json_is_integer(value)) {
        return wrong(field, "a whole number or null", err);
    }
    json_int_t number = json_integer_value(value);
    if ((double) number < field->min || (double) number > field->max) {
        return out_of_range(field, (double) number, err);
    }
    *out = (pgc_opt_i32) { true, (int32_t) number };
    return PGC_OK;
}

static pgc_status take_decimal(const struct edit_field *field, const json_t *value,
                               uint16_t *digits, pgc_numeric *out, pgc_error *err)
{
    if (!json_is_number(value)) {
        return wrong(field, "a number or null", err);
    }
    double number = json_number_value(value);
    if (!(number >= field->min && number <= field->max)) {
        return out_of_range(field, number, err);
    }
    return pgc_numeric_from_double(number, field->scale, digits, out)
               ? PGC_OK
               : wrong(field, "shorter", err);
}

/* One text sets four columns: what the clock showed, how far it was from UTC if that was said, the
 * instant, and that a person said so. */
static pgc_status take_time(const struct edit_field *field, const json_t *value, edit_params *p,
                            pgc_error *err)
{
    lum_when when;
    p->set_taken_local = p->set_taken_offset_minutes = p->set_taken_source = true;
    if (json_is_null(value)) {
        return PGC_OK;
    }
    if (!json_is_string(value) || !lum_when_parse(json_text(value), &when) || !when.has_time) {
        return wrong(field, "a time like 2024-05-31T18:00:00 or 2024-05-31T18:00:00+02:00", err);
    }
    p->taken_at = (pgc_opt_timestamptz) { true, lum_when_instant(&when) };
    p->taken_local = (pgc_opt_timestamp) { true, when.first };
    p->taken_offset_minutes = (pgc_opt_i16) { when.has_offset, when.offset_minutes };
    p->taken_source = SLICE("user");
    return PGC_OK;
}

/* A member of the document into its parameter; null leaves the zeroed one, which is NULL. */
static pgc_status take_field(edit *e, const struct edit_field *field, const json_t *value,
                             pgc_error *err)
{
    void *at = (char *) &e->params + field->value;
    *(bool *) ((char *) &e->params + field->set) = true;
    if (field->kind == EDIT_TIME) {
        return take_time(field, value, &e->params, err);
    }
    if (field->kind == EDIT_TRUTH) {
        *(pgc_opt_bool *) at = (pgc_opt_bool) { true, json_is_true(value) };
        return json_is_boolean(value) ? PGC_OK : wrong(field, "true or false", err);
    }
    if (json_is_null(value)) {
        return PGC_OK;
    }
    switch (field->kind) {
    case EDIT_TEXT:
        return take_text(field, value, at, err);
    case EDIT_INTEGER:
        return take_integer(field, value, at, err);
    case EDIT_DECIMAL:
        return take_decimal(field, value, e->digits[field - FIELDS], at, err);
    case EDIT_TRUTH:
    case EDIT_TIME:
        break;
    }
    return PGC_OK;
}

/* NULL when there is none. */
static const struct edit_field *field_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
        if (strcmp(name, FIELDS[i].name) == 0) {
            return &FIELDS[i];
        }
    }
    return NULL;
}

bool lum_asset_metadata_is_text(const char *name)
{
    const struct edit_field *field = field_find(name);
    return field != NULL && (field->kind == EDIT_TEXT || field->kind == EDIT_TIME);
}

static pgc_status unknown(const char *name, pgc_error *err)
{
    pgc_status status =
        pgc_error_set(err, PGC_INVALID, "there is no \"%.60s\" that can be changed", name);
    pgc_error_hint(err, "taken_at, camera_make, camera_model, lens_model, iso, aperture, "
                        "shutter_speed, focal_length, latitude, longitude, altitude, description, "
                        "rating, liked");
    return status;
}

static pgc_status take_document(edit *e, json_t *root, pgc_error *err)
{
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach(root, name, value)
    {
        const struct edit_field *field = field_find(name);
        if (field == NULL) {
            return unknown(name, err);
        }
        TRY(take_field(e, field, value, err));
        if (field->kind != EDIT_TRUTH) { /* no file says what is liked */
            e->names[e->name_count++] = pgc_text_from(field->name);
        }
    }
    e->params.edited_names = (pgc_arr_text) { .has = true, .count = e->name_count, .v = e->names };
    const edit_params *p = &e->params;
    if (p->set_latitude != p->set_longitude || p->latitude.present != p->longitude.present) {
        return pgc_error_set(err, PGC_INVALID, "latitude and longitude go together");
    }
    return json_object_size(root) > 0
               ? PGC_OK
               : pgc_error_set(err, PGC_INVALID, "the document says nothing");
}

pgc_status lum_asset_update_metadata(lum_actor actor, pgc_uuid asset_id, slice json,
                                     repo_asset_set *out, pgc_error *err)
{
    AUTO(json_auto) json_t *root = NULL;
    edit e = { .params.asset_id = asset_id };
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    pgc_status status = json_read_object("metadata", json, EDIT_JSON_MAX, &root, err);
    if (status == PGC_OK) {
        status = take_document(&e, root, err);
    }
    if (status == PGC_OK) {
        status = repo_update_asset_metadata(actor.db, &e.params, out, err);
    }
    if (status == PGC_NOT_FOUND) {
        status = pgc_error_set(err, PGC_NOT_FOUND, "there is no such asset");
    }
    return pgc_error_wrap(err, status, "update asset %s", id);
}
