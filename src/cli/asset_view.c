/* How assets look on the terminal and in JSON: one table of fields feeds both. No state. */
#include "cli/prelude.h"

#include "cli/asset_view.h"

#include "cli/action.h"

#define VALUE_SIZE 64

typedef enum field_kind {
    FIELD_UUID,
    FIELD_TEXT,
    FIELD_I64,
    FIELD_OPT_I32,
    FIELD_OPT_I16,
    FIELD_BOOL,
    FIELD_NUMERIC,
    FIELD_TIMESTAMPTZ,
    FIELD_OPT_TIMESTAMPTZ,
    FIELD_OPT_TIMESTAMP
} field_kind;

/* Name in JSON, label for people (NULL: JSON only), where and what. */
static const struct asset_field {
    const char *name, *label;
    size_t offset;
    field_kind kind;
} FIELDS[] = {
    { "asset_id", "id", offsetof(repo_asset, asset_id), FIELD_UUID },
    { "original_filename", "name", offsetof(repo_asset, original_filename), FIELD_TEXT },
    { "asset_type", "type", offsetof(repo_asset, asset_type), FIELD_TEXT },
    { "mime_type", "format", offsetof(repo_asset, mime_type), FIELD_TEXT },
    { "file_path", "file", offsetof(repo_asset, file_path), FIELD_TEXT },
    { "file_size", "bytes", offsetof(repo_asset, file_size), FIELD_I64 },
    { "file_hash", "hash", offsetof(repo_asset, file_hash), FIELD_TEXT },
    { "width", "width", offsetof(repo_asset, width), FIELD_OPT_I32 },
    { "height", "height", offsetof(repo_asset, height), FIELD_OPT_I32 },
    { "duration", "seconds", offsetof(repo_asset, duration), FIELD_NUMERIC },
    { "taken_at", NULL, offsetof(repo_asset, taken_at), FIELD_OPT_TIMESTAMPTZ },
    { "taken_local", "taken", offsetof(repo_asset, taken_local), FIELD_OPT_TIMESTAMP },
    { "taken_offset_minutes", "offset (min)", offsetof(repo_asset, taken_offset_minutes),
      FIELD_OPT_I16 },
    { "taken_source", "taken from", offsetof(repo_asset, taken_source), FIELD_TEXT },
    { "camera_make", "make", offsetof(repo_asset, camera_make), FIELD_TEXT },
    { "camera_model", "camera", offsetof(repo_asset, camera_model), FIELD_TEXT },
    { "lens_model", "lens", offsetof(repo_asset, lens_model), FIELD_TEXT },
    { "iso", "ISO", offsetof(repo_asset, iso), FIELD_OPT_I32 },
    { "aperture", "aperture", offsetof(repo_asset, aperture), FIELD_NUMERIC },
    { "shutter_speed", "shutter", offsetof(repo_asset, shutter_speed), FIELD_TEXT },
    { "focal_length", "focal length", offsetof(repo_asset, focal_length), FIELD_NUMERIC },
    { "latitude", "latitude", offsetof(repo_asset, latitude), FIELD_NUMERIC },
    { "longitude", "longitude", offsetof(repo_asset, longitude), FIELD_NUMERIC },
    { "altitude", "altitude", offsetof(repo_asset, altitude), FIELD_NUMERIC },
    { "description", "description", offsetof(repo_asset, description), FIELD_TEXT },
    { "rating", "rating", offsetof(repo_asset, rating), FIELD_OPT_I32 },
    { "liked", "liked", offsetof(repo_asset, liked), FIELD_BOOL },
    { "is_raw", "raw", offsetof(repo_asset, is_raw), FIELD_BOOL },
    { "uploaded_at", "imported", offsetof(repo_asset, uploaded_at), FIELD_TIMESTAMPTZ },
};

/* ISO 8601 of microseconds since 2000, "" for infinities. */
static void time_format(int64_t us_2000, const char *suffix, char out[static VALUE_SIZE])
{
    out[0] = '\0';
    if (us_2000 == INT64_MAX || us_2000 == INT64_MIN) {
        return;
    }
    int64_t seconds = us_2000 / 1000000 - (us_2000 % 1000000 < 0 ? 1 : 0);
    time_t unix_time = (time_t) (seconds + PGC_EPOCH_UNIX_SECONDS);
    struct tm parts;
    if (gmtime_r(&unix_time, &parts) != NULL &&
        strftime(out, VALUE_SIZE - 8, "%Y-%m-%dT%H:%M:%S", &parts) > 0) {
        (void) snprintf(out + strlen(out), 8, "%s", suffix);
    }
}

/* The value as text; false when it is NULL. Texts are given through *text, all others in out. */
static bool field_value(const struct asset_field *field, const repo_asset *asset,
                        char out[static VALUE_SIZE], slice *text)
{
    const void *at = (const char *) asset + field->offset;
    bool has = true;
    switch (field->kind) {
    case FIELD_UUID:
        pgc_uuid_format(at, out);
        break;
    case FIELD_TEXT:
        *text = *(const pgc_text *) at;
        return text->ptr != NULL;
    case FIELD_I64:
        (void) snprintf(out, VALUE_SIZE, "%" PRId64, *(const int64_t *) at);
        break;
    case FIELD_OPT_I32:
        has = ((const pgc_opt_i32 *) at)->has;
        (void) snprintf(out, VALUE_SIZE, "%" PRId32, ((const pgc_opt_i32 *) at)->v);
        break;
    case FIELD_OPT_I16:
        has = ((const pgc_opt_i16 *) at)->has;
        (void) snprintf(out, VALUE_SIZE, "%d", ((const pgc_opt_i16 *) at)->v);
        break;
    case FIELD_BOOL:
        (void) snprintf(out, VALUE_SIZE, "%s", *(const bool *) at ? "true" : "false");
        break;
    case FIELD_NUMERIC:
        has = ((const pgc_numeric *) at)->present;
        out[0] = '\0';
        if (has) {
            (void) pgc_numeric_format(at, out, VALUE_SIZE);
        }
        break;
    case FIELD_TIMESTAMPTZ:
        time_format(((const pgc_timestamptz *) at)->us, "Z", out);
        break;
    case FIELD_OPT_TIMESTAMPTZ:
        has = ((const pgc_opt_timestamptz *) at)->has;
        time_format(((const pgc_opt_timestamptz *) at)->v.us, "Z", out);
        break;
    case FIELD_OPT_TIMESTAMP:
        has = ((const pgc_opt_timestamp *) at)->has;
        time_format(((const pgc_opt_timestamp *) at)->v.us, "", out);
        break;
    }
    *text = pgc_text_from(out);
    return has;
}

/* Numbers of the database become numbers of JSON; those that do not fit a double exactly stay as
 * near as it gets. */
static json_t *field_json(const struct asset_field *field, slice text)
{
    switch (field->kind) {
    case FIELD_I64:
    case FIELD_OPT_I32:
    case FIELD_OPT_I16: {
        int64_t number = 0;
        (void) slice_to_i64(text, &number);
        return json_integer((json_int_t) number);
    }
    case FIELD_NUMERIC: {
        double number = 0;
        (void) slice_to_f64(text, &number);
        return json_real(number);
    }
    case FIELD_BOOL:
        return json_boolean(slice_eq_str(text, "true"));
    case FIELD_UUID:
    case FIELD_TEXT:
    case FIELD_TIMESTAMPTZ:
    case FIELD_OPT_TIMESTAMPTZ:
    case FIELD_OPT_TIMESTAMP:
        break;
    }
    return json_stringn(text.ptr, text.len);
}

json_t *asset_json(const repo_asset *asset)
{
    json_t *object = json_object();
    for (size_t i = 0; object != NULL && i < ARRAY_LEN(FIELDS); i++) {
        char value[VALUE_SIZE];
        slice text;
        bool has = field_value(&FIELDS[i], asset, value, &text);
        if (json_object_set_new(object, FIELDS[i].name,
                                has ? field_json(&FIELDS[i], text) : json_null()) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

void asset_print(FILE *out, const repo_asset *asset)
{
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++) {
        char value[VALUE_SIZE];
        slice text;
        if (FIELDS[i].label != NULL && field_value(&FIELDS[i], asset, value, &text)) {
            (void) fprintf(out, "%-13s ", FIELDS[i].label);
            cli_print_safe(out, text);
            (void) fprintf(out, "\n");
        }
    }
}

/* The text, cut or padded to a width. */
static void cell_print(FILE *out, slice text, size_t width)
{
    size_t used = cli_text_width(text);
    while (used > width && text.len > 0) {
        text.len--;
        while (text.len > 0 && ((unsigned char) text.ptr[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
        used = cli_text_width(text);
    }
    cli_print_safe(out, text);
    (void) fprintf(out, "%*s  ", (int) (width - used), "");
}

void asset_print_heading(FILE *out)
{
    (void) fprintf(out, "%-36s  %-5s  %-19s  %-24s  %8s  %s\n", "ID", "TYPE", "TAKEN", "CAMERA",
                   "SIZE", "NAME");
}

void asset_print_row(FILE *out, const repo_asset *row)
{
    char id[PGC_UUID_TEXT_SIZE];
    char taken[VALUE_SIZE] = "";
    char size[16];
    pgc_uuid_format(&row->asset_id, id);
    if (row->taken_local.has) {
        time_format(row->taken_local.v.us, "", taken);
    }
    cli_format_bytes(row->file_size, size, sizeof size);
    (void) fprintf(out, "%s  ", id);
    cell_print(out, row->asset_type, 5);
    (void) fprintf(out, "%-19s  ", taken);
    cell_print(out, row->camera_model, 24);
    (void) fprintf(out, "%8s  ", size);
    cli_print_safe(out, row->original_filename);
    (void) fprintf(out, "\n");
}

void asset_print_table(FILE *out, const repo_asset *rows, size_t count)
{
    asset_print_heading(out);
    for (size_t i = 0; i < count; i++) {
        asset_print_row(out, &rows[i]);
    }
}

/* A page of assets with what a program needs to go on, or as a plain list. */
static void page_print_json(const lum_asset_page *page, bool whole)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < page->assets.count; i++) {
        (void) json_array_append_new(array, asset_json(&page->assets.rows[i]));
    }
    if (!whole) {
        cli_print_json(array);
        return;
    }
    json_t *object = json_object();
    (void) json_object_set_new(object, "assets", array);
    cli_json_text(object, "next",
                  page->next[0] != '\0' ? pgc_text_from(page->next) : (pgc_text) { 0 });
    if (page->total >= 0) {
        cli_json_int(object, "total", page->total);
    }
    cli_print_json(object);
}

void asset_page_print(const lum_asset_page *page, const char *nothing, bool whole)
{
    if (cli_common_options.json) {
        page_print_json(page, whole);
        return;
    }
    if (page->assets.count == 0) {
        (void) printf("%s\n", nothing);
    } else {
        asset_print_table(stdout, page->assets.rows, page->assets.count);
    }
    if (page->total >= 0) {
        (void) printf("(%" PRId64 " in all)\n", page->total);
    }
    if (page->next[0] != '\0') {
        (void) printf("(%zu rows; go on with --cursor %s)\n", page->assets.count, page->next);
    }
}
