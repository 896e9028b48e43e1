/* The check of what a confined child answers. Invariant: after media_facts_check() said yes, every
 * member can go into the database as it is. Pure functions, any thread. */
#include "base/prelude.h"

#include "base/slice.h"
#include "media/facts.h"
#include "media/media.h"

#define PIXELS_SIDE_MAX    1000000   /* far above any camera, far below overflow of a product */
#define ISO_MAX            100000000 /* cameras go to 4 million */
#define OFFSET_MINUTES_MAX 840
#define YEAR_1800_US       (-5364662400LL * 1000000) /* 1800-01-01 */
#define YEAR_2200_US       (7258118400LL * 1000000)  /* 2200-01-01 */
#define DURATION_MAX_US    (366LL * 86400 * 1000000)

void media_facts_init(media_facts *facts)
{
    *facts = (media_facts) { .orientation = 1, .rating = -1, .duration_us = -1 };
}

const char *media_size_text(media_size size)
{
    static const char *const TEXT[] = { "small", "medium", "large" };
    static_assert(ARRAY_LEN(TEXT) == MEDIA_SIZE_COUNT, "every size has a name");
    assert(size < MEDIA_SIZE_COUNT);
    return TEXT[size];
}

int32_t media_size_pixels(media_size size)
{
    static const int32_t PIXELS[] = { 400, 800, 1920 };
    static_assert(ARRAY_LEN(PIXELS) == MEDIA_SIZE_COUNT, "every size has its pixels");
    assert(size < MEDIA_SIZE_COUNT);
    return PIXELS[size];
}

/* Terminated inside its room, UTF-8, and no control character that a terminal would obey. */
static bool text_ok(const char *text, size_t room)
{
    const char *end = memchr(text, '\0', room);
    if (end == NULL) {
        return false;
    }
    slice s = { text, (size_t) (end - text) };
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char) text[i];
        if ((c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f) {
            return false;
        }
    }
    return slice_is_utf8(s);
}

/* Every text field; the extension more strictly than the rest. */
static pgc_status check_texts(const media_facts *facts, pgc_error *err)
{
    const struct {
        const char *name, *text;
        size_t room;
    } texts[] = {
        { "mime", facts->mime, sizeof facts->mime },
        { "extension", facts->extension, sizeof facts->extension },
        { "camera_make", facts->camera_make, sizeof facts->camera_make },
        { "camera_model", facts->camera_model, sizeof facts->camera_model },
        { "lens_model", facts->lens_model, sizeof facts->lens_model },
        { "shutter_speed", facts->shutter_speed, sizeof facts->shutter_speed },
        { "description", facts->description, sizeof facts->description },
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (!text_ok(texts[i].text, texts[i].room)) {
            return pgc_error_set(err, PGC_INVALID, "%s is not a clean text", texts[i].name);
        }
    }
    /* The extension becomes part of a file name. */
    for (const char *c = facts->extension; *c != '\0'; c++) {
        if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9')) {
            return pgc_error_set(err, PGC_INVALID, "extension has other characters than a-z, 0-9");
        }
    }
    return PGC_OK;
}

/* One row per member, so that a new member is one line. */
static pgc_status check_integers(const media_facts *facts, pgc_error *err)
{
    const struct {
        const char *name;
        int64_t value, min, max;
    } ranges[] = {
        { "kind", facts->kind, MEDIA_PHOTO, MEDIA_AUDIO },
        { "is_raw", facts->is_raw, 0, 1 },
        { "width", facts->width, 0, PIXELS_SIDE_MAX },
        { "height", facts->height, 0, PIXELS_SIDE_MAX },
        { "orientation", facts->orientation, 1, 8 },
        { "iso", facts->iso, 0, ISO_MAX },
        { "rating", facts->rating, -1, 5 },
        { "has_gps", facts->has_gps, 0, 1 },
        { "has_altitude", facts->has_altitude, 0, 1 },
        { "has_taken", facts->has_taken, 0, 1 },
        { "has_offset", facts->has_offset, 0, 1 },
        { "offset_minutes", facts->offset_minutes, -OFFSET_MINUTES_MAX, OFFSET_MINUTES_MAX },
        { "taken_source", facts->taken_source, MEDIA_TIME_NONE, MEDIA_TIME_MTIME },
        { "taken_local_us", facts->taken_local_us, YEAR_1800_US, YEAR_2200_US - 1 },
        { "duration_us", facts->duration_us, -1, DURATION_MAX_US },
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        if (ranges[i].value < ranges[i].min || ranges[i].value > ranges[i].max) {
            return pgc_error_set(err, PGC_INVALID,
                                 "%s is %" PRId64 ", not in %" PRId64 "..%" PRId64, ranges[i].name,
                                 ranges[i].value, ranges[i].min, ranges[i].max);
        }
    }
    return PGC_OK;
}

/* PostgreSQL takes NaN and infinity into double precision, so they must stop here. */
static pgc_status check_numbers(const media_facts *facts, pgc_error *err)
{
    const struct {
        const char *name;
        double value, min, max;
    } ranges[] = {
        { "aperture", facts->aperture, 0, 10000 },
        { "focal_length_mm", facts->focal_length_mm, 0, 100000 },
        { "latitude", facts->latitude, -90, 90 },
        { "longitude", facts->longitude, -180, 180 },
        { "altitude_m", facts->altitude_m, -100000, 1000000 },
    };
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        /* Written so that NaN fails. */
        if (!(ranges[i].value >= ranges[i].min && ranges[i].value <= ranges[i].max)) {
            return pgc_error_set(err, PGC_INVALID, "%s is %g, not in %g..%g", ranges[i].name,
                                 ranges[i].value, ranges[i].min, ranges[i].max);
        }
    }
    return PGC_OK;
}

pgc_status media_facts_check(const media_facts *facts, pgc_error *err)
{
    TRY(check_integers(facts, err));
    TRY(check_numbers(facts, err));
    return check_texts(facts, err);
}
