/* Which tag wins for each fact. Invariant: no value is taken that media_facts_check() would refuse.
 * No state, any thread. */
#include "base/prelude.h"

#include "media/metadata_fields.h"
#include "media/metadata_place.h"

#define TEXT_ROOM    8192 /* longer texts are cut */
#define APERTURE_MAX 1000.0
#define FOCAL_MM_MAX 100000.0
#define ISO_MIN      6.0 /* of maker's notes: no camera goes lower */
#define ISO_MAX      100000000.0
#define ISO_OVERFLOW 65535.0 /* in a tag of 16 bits: the sensitivity stands elsewhere */
#define ALTITUDE_MAX 100000.0
#define SENSOR_MAX   65536.0
#define APEX_MAX     30.0 /* a billionth of a second, or 2^15 for apertures */

/* room is of TEXT_ROOM bytes and holds what the slice shows.
 */
static slice bytes_of(const metadata_source *source, const char *key, char *room)
{
    return (slice) { room, source->bytes(source->ctx, key, room, TEXT_ROOM) };
}

/* Number `index` of a tag, whether it is stored as a number or as text. */
static bool number_at(const metadata_source *source, const char *key, size_t index, double *out)
{
    metadata_ratio ratio;
    if (source->ratio(source->ctx, key, index, &ratio)) {
        return metadata_ratio_value(ratio, out);
    }
    char room[TEXT_ROOM];
    return index == 0 && metadata_parse_number(bytes_of(source, key, room), out);
}

/* The first tag that has a number above zero, at most max. */
static bool first_number(const metadata_source *source, const char *const *keys, double max,
                         double *out)
{
    for (; *keys != NULL; keys++) {
        double value = 0;
        if (number_at(source, *keys, 0, &value) && value > 0 && value <= max) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* The first tag whose text says something. */
static bool first_text(const metadata_source *source, const char *const *keys, char *out,
                       size_t out_room)
{
    char room[TEXT_ROOM];
    for (; *keys != NULL; keys++) {
        char found[TEXT_ROOM];
        if (metadata_clean(bytes_of(source, *keys, room), found, out_room)) {
            memcpy(out, found, out_room);
            return true;
        }
    }
    return false;
}

/* --- camera and lens --- */

/* Exiv2 gives raw files of Panasonic a group of their own; DNG names the camera once more for those
 * whose maker left the model out. */
static void fill_camera(const metadata_source *source, media_facts *facts)
{
    static const char *const MAKE[] = { "Exif.Image.Make", "Exif.PanasonicRaw.Make",
                                        "Xmp.tiff.Make", NULL };
    static const char *const MODEL[] = { "Exif.Image.Model", "Exif.PanasonicRaw.Model",
                                         "Exif.Image.UniqueCameraModel", "Xmp.tiff.Model", NULL };
    (void) first_text(source, MAKE, facts->camera_make, sizeof facts->camera_make);
    (void) first_text(source, MODEL, facts->camera_model, sizeof facts->camera_model);
}

/* A name of a lens, not a number that nobody could translate or a word for "none". */
static bool is_lens_name(const char *text)
{
    static const char *const NONE[] = { "(",    "n/a",    "none",   "unknown", "no lens",
                                        "0 mm", "0.0 mm", "manual", "not " };
    for (size_t i = 0; i < ARRAY_LEN(NONE); i++) {
        if (strncasecmp(text, NONE[i], strlen(NONE[i])) == 0) {
            return false;
        }
    }
    for (const char *c = text; *c != '\0'; c++) {
        if (isalpha((unsigned char) *c) != 0) {
            return true;
        }
    }
    return false;
}

typedef enum canon_notes { CANON_NO_RANGE, CANON_RANGE, CANON_DAMAGED } canon_notes;

/* Where Canon keeps the range of the lens: longest, shortest, units of a millimetre. An editor that
 * moves the maker's notes makes them unreadable; then this range makes no sense, and neither does
 * anything else in them. out_mm is written for CANON_RANGE. */
static canon_notes canon_range(const metadata_source *source, double out_mm[2])
{
    double numbers[3] = { 0, 0, 0 };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        if (!number_at(source, "Exif.CanonCs.Lens", i, &numbers[i])) {
            return CANON_NO_RANGE;
        }
    }
    if (numbers[2] < 1 || numbers[2] > 1000 || numbers[1] < numbers[2] || numbers[0] < numbers[1]) {
        return CANON_DAMAGED;
    }
    for (size_t i = 0; i < 2; i++) {
        out_mm[i] = round(numbers[1 - i] / numbers[2] * 10) / 10;
    }
    return CANON_RANGE;
}

/* A tag that may be read: not one of Canon's notes when these are damaged. */
static bool key_counts(const char *key, canon_notes canon)
{
    return canon != CANON_DAMAGED || strncmp(key, "Exif.Canon", strlen("Exif.Canon")) != 0;
}

static bool first_lens_name(const metadata_source *source, const char *const *keys,
                            canon_notes canon, media_facts *facts)
{
    char room[TEXT_ROOM];
    char name[sizeof facts->lens_model];
    for (; *keys != NULL; keys++) {
        slice wording = { room, source->wording(source->ctx, *keys, room, sizeof room) };
        if (key_counts(*keys, canon) && metadata_clean(wording, name, sizeof name) &&
            is_lens_name(name)) {
            memcpy(facts->lens_model, name, sizeof name);
            return true;
        }
    }
    return false;
}

/* Shortest and longest focal length, widest aperture at each. */
static bool lens_from_range(const metadata_source *source, const char *key, media_facts *facts)
{
    double numbers[4] = { 0, 0, 0, 0 };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        (void) number_at(source, key, i, &numbers[i]);
    }
    return metadata_lens(numbers, numbers + 2, facts->lens_model, sizeof facts->lens_model);
}

/* A name tells more than a range, and a range more than nothing. */
static void fill_lens(const metadata_source *source, media_facts *facts)
{
    /* The camera's own words first, then numbers that exiv2 has names for. */
    static const char *const NAMES[] = { "Exif.Photo.LensModel",
                                         "Exif.Canon.LensModel",
                                         "Exif.OlympusEq.LensModel",
                                         "Exif.CanonCs.LensType",
                                         "Exif.NikonLd1.LensIDNumber",
                                         "Exif.NikonLd2.LensIDNumber",
                                         "Exif.NikonLd3.LensIDNumber",
                                         "Exif.NikonLd4.LensID",
                                         "Exif.NikonLd4.LensIDNumber",
                                         "Exif.OlympusEq.LensType",
                                         "Exif.Panasonic.LensType",
                                         "Exif.Pentax.LensType",
                                         "Exif.PentaxDng.LensType",
                                         "Exif.Samsung2.LensType",
                                         "Exif.Sony2.LensID",
                                         "Exif.Sony1.LensID",
                                         "Exif.Minolta.LensID",
                                         "Exif.SonyMinolta.LensID",
                                         "Xmp.exifEX.LensModel",
                                         "Xmp.aux.Lens",
                                         NULL };
    static const char *const RANGES[] = { "Exif.Photo.LensSpecification", "Exif.Image.LensInfo",
                                          "Exif.Nikon3.Lens" };
    double canon_mm[2] = { 0, 0 };
    canon_notes canon = canon_range(source, canon_mm);
    if (first_lens_name(source, NAMES, canon, facts)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(RANGES); i++) {
        if (lens_from_range(source, RANGES[i], facts)) {
            return;
        }
    }
    const double unknown[2] = { 0, 0 };
    (void) metadata_lens(canon_mm, unknown, facts->lens_model, sizeof facts->lens_model);
}

/* --- exposure --- */

/* What the camera wrote elsewhere when EXIF's own tag says nothing. */
static bool iso_from_maker(const metadata_source *source, double *out)
{
    static const char *const KEYS[] = { "Exif.CanonSi.ISOSpeed",
                                        "Exif.CanonCs.ISOSpeed",
                                        "Exif.Nikon3.ISOSpeed",
                                        "Exif.Nikon2.ISOSpeed",
                                        "Exif.Nikon1.ISOSpeed",
                                        "Exif.NikonIi.ISO",
                                        "Exif.MinoltaCsNew.ISOSpeed",
                                        "Exif.MinoltaCsOld.ISOSpeed",
                                        "Exif.MinoltaCs5D.ISOSpeed",
                                        "Exif.MinoltaCs7D.ISOSpeed",
                                        "Exif.Pentax.ISO",
                                        "Exif.PentaxDng.ISO",
                                        "Exif.Olympus.ISOSpeed",
                                        "Exif.PanasonicRaw.ISOSpeed",
                                        "Exif.Samsung2.ISO",
                                        "Exif.Casio.ISO",
                                        "Exif.Casio2.ISO" };
    double unused_mm[2];
    canon_notes canon = canon_range(source, unused_mm);
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        char room[TEXT_ROOM];
        slice wording = { room, source->wording(source->ctx, KEYS[i], room, sizeof room) };
        double value = 0;
        if (key_counts(KEYS[i], canon) && metadata_parse_number(wording, &value) &&
            value >= ISO_MIN && value <= ISO_MAX) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* EXIF's tag has 16 bits. Where they do not suffice, or the camera left it empty, the longer tags
 * of EXIF 2.3 are asked, then the maker's notes, and XMP for files that an editor stripped. */
static void fill_iso(const metadata_source *source, media_facts *facts)
{
    static const char *const SHORT[] = { "Exif.Photo.ISOSpeedRatings", "Exif.Image.ISOSpeedRatings",
                                         NULL };
    static const char *const LONG[] = { "Exif.Photo.RecommendedExposureIndex",
                                        "Exif.Photo.StandardOutputSensitivity",
                                        "Exif.Photo.ISOSpeed", NULL };
    static const char *const XMP[] = { "Xmp.exif.ISOSpeedRatings",
                                       "Xmp.exifEX.PhotographicSensitivity", NULL };
    double iso = 0;
    bool found = first_number(source, SHORT, ISO_MAX, &iso);
    if (!found || iso >= ISO_OVERFLOW) {
        found = first_number(source, LONG, ISO_MAX, &iso) || found ||
                iso_from_maker(source, &iso) || first_number(source, XMP, ISO_MAX, &iso);
    }
    if (found) {
        facts->iso = (int32_t) round(iso);
    }
}

/* Seconds as the camera shows them; the logarithm (APEX: t = 2^-v) only when they are missing. */
static void fill_shutter(const metadata_source *source, media_facts *facts)
{
    static const char *const SECONDS[] = { "Exif.Photo.ExposureTime", "Exif.Image.ExposureTime",
                                           "Xmp.exif.ExposureTime", NULL };
    static const char *const APEX[] = { "Exif.Photo.ShutterSpeedValue",
                                        "Exif.Image.ShutterSpeedValue",
                                        "Xmp.exif.ShutterSpeedValue" };
    double seconds = 0;
    if (first_number(source, SECONDS, FOCAL_MM_MAX, &seconds) &&
        metadata_exposure(seconds, facts->shutter_speed, sizeof facts->shutter_speed)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(APEX); i++) {
        double value = 0;
        if (number_at(source, APEX[i], 0, &value) && fabs(value) <= APEX_MAX &&
            metadata_exposure(exp2(-value), facts->shutter_speed, sizeof facts->shutter_speed)) {
            return;
        }
    }
}

/* The same for f-numbers: APEX says n = 2^(v/2). */
static void fill_aperture(const metadata_source *source, media_facts *facts)
{
    static const char *const NUMBER[] = { "Exif.Photo.FNumber", "Exif.Image.FNumber",
                                          "Xmp.exif.FNumber", NULL };
    static const char *const APEX[] = { "Exif.Photo.ApertureValue", "Exif.Image.ApertureValue",
                                        "Xmp.exif.ApertureValue", NULL };
    double value = 0;
    if (first_number(source, NUMBER, APERTURE_MAX, &value)) {
        facts->aperture = value;
    } else if (first_number(source, APEX, APEX_MAX, &value) && exp2(value / 2) <= APERTURE_MAX) {
        /* Lenses are named with one decimal; the logarithm is not that exact. */
        facts->aperture = round(exp2(value / 2) * 10) / 10;
    }
}

static void fill_exposure(const metadata_source *source, media_facts *facts)
{
    static const char *const FOCAL[] = { "Exif.Photo.FocalLength", "Exif.Image.FocalLength",
                                         "Xmp.exif.FocalLength", NULL };
    fill_iso(source, facts);
    fill_shutter(source, facts);
    fill_aperture(source, facts);
    (void) first_number(source, FOCAL, FOCAL_MM_MAX, &facts->focal_length_mm);
}

/* --- place --- */

/* Degrees, minutes and seconds of one axis with the letter in the tag beside it. */
static bool coordinate(const metadata_source *source, const char *key, const char *reference_key,
                       metadata_axis axis, double *out)
{
    metadata_ratio parts[3];
    char room[TEXT_ROOM];
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (!source->ratio(source->ctx, key, i, &parts[i])) {
            return false;
        }
    }
    return metadata_coordinate(parts, axis, bytes_of(source, reference_key, room), out);
}

/* Both from EXIF or both from XMP: halves of two places would be a third place. */
static bool coordinates(const metadata_source *source, double *latitude, double *longitude)
{
    if (coordinate(source, "Exif.GPSInfo.GPSLatitude", "Exif.GPSInfo.GPSLatitudeRef",
                   METADATA_LATITUDE, latitude) &&
        coordinate(source, "Exif.GPSInfo.GPSLongitude", "Exif.GPSInfo.GPSLongitudeRef",
                   METADATA_LONGITUDE, longitude)) {
        return true;
    }
    char room[TEXT_ROOM];
    return metadata_parse_coordinate(bytes_of(source, "Xmp.exif.GPSLatitude", room),
                                     METADATA_LATITUDE, latitude) &&
           metadata_parse_coordinate(bytes_of(source, "Xmp.exif.GPSLongitude", room),
                                     METADATA_LONGITUDE, longitude);
}

/* Only asked for when the place is known: a height alone is of no use on a map. */
static void fill_altitude(const metadata_source *source, media_facts *facts)
{
    static const char *const KEYS[][2] = {
        { "Exif.GPSInfo.GPSAltitude", "Exif.GPSInfo.GPSAltitudeRef" },
        { "Xmp.exif.GPSAltitude", "Xmp.exif.GPSAltitudeRef" },
    };
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        double altitude = 0;
        double reference = 0;
        if (!number_at(source, KEYS[i][0], 0, &altitude) || fabs(altitude) > ALTITUDE_MAX) {
            continue;
        }
        /* 0 above the sea, 1 below; 2 and 3 the same for the ellipsoid. */
        bool below = number_at(source, KEYS[i][1], 0, &reference) && fmod(reference, 2) > 0;
        facts->altitude_m = below ? -altitude : altitude;
        facts->has_altitude = 1;
        return;
    }
}

static void fill_place(const metadata_source *source, media_facts *facts)
{
    double latitude = 0;
    double longitude = 0;
    /* Receivers without a fix write zeros; there is nothing but water at that place. */
    if (coordinates(source, &latitude, &longitude) && (fabs(latitude) > 0 || fabs(longitude) > 0)) {
        facts->latitude = latitude;
        facts->longitude = longitude;
        facts->has_gps = 1;
        fill_altitude(source, facts);
    }
}

/* --- the rest --- */

/* What the camera or a person wrote into EXIF, then the captions of editors. XPComment is what
 * Windows writes, always little-endian. */
static void fill_description(const metadata_source *source, media_facts *facts)
{
    static const char *const TEXTS[] = { "Xmp.dc.description", "Iptc.Application2.Caption", NULL };
    static const char *const EXIF[] = { "Exif.Image.ImageDescription", NULL };
    char room[TEXT_ROOM];
    char *out = facts->description;
    size_t out_room = sizeof facts->description;
    if (first_text(source, EXIF, out, out_room)) {
        return;
    }
    bool found =
        metadata_clean_comment(bytes_of(source, "Exif.Photo.UserComment", room), source->big_endian,
                               out, out_room) ||
        metadata_clean_wide(bytes_of(source, "Exif.Image.XPComment", room), false, out, out_room);
    if (!found) {
        (void) first_text(source, TEXTS, out, out_room);
    }
}

/* XMP is where editors keep stars; -1, "rejected", is no number of stars. */
static void fill_rating(const metadata_source *source, media_facts *facts)
{
    static const char *const KEYS[] = { "Xmp.xmp.Rating", "Exif.Image.Rating" };
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        double value = 0;
        if (number_at(source, KEYS[i], 0, &value) && value >= 0 && value <= 5) {
            facts->rating = (int32_t) value;
            return;
        }
    }
}

/* XMP's copy is not asked: no program that shows photos turns them by it. */
static void fill_orientation(const metadata_source *source, media_facts *facts)
{
    double value = 0;
    bool found = number_at(source, "Exif.Image.Orientation", 0, &value) ||
                 number_at(source, "Exif.PanasonicRaw.Orientation", 0, &value);
    if (found && value >= 1 && value <= 8) {
        facts->orientation = (int32_t) value;
    }
}

/* Stored upright, and only as a pair. */
static void set_size(int32_t width, int32_t height, media_facts *facts)
{
    bool on_side = facts->orientation >= 5;
    if (width > 0 && height > 0) {
        facts->width = on_side ? height : width;
        facts->height = on_side ? width : height;
    }
}

/* Panasonic gives the whole sensor as size; the picture is what lies within these borders. exiv2
 * has called the far ones width and height. */
static void fill_raw_size(const metadata_source *source, media_facts *facts)
{
    static const char *const KEYS[][2] = {
        { "Exif.PanasonicRaw.SensorLeftBorder", "" },
        { "Exif.PanasonicRaw.SensorRightBorder", "Exif.PanasonicRaw.ImageWidth" },
        { "Exif.PanasonicRaw.SensorTopBorder", "" },
        { "Exif.PanasonicRaw.SensorBottomBorder", "Exif.PanasonicRaw.ImageHeight" },
    };
    double border[ARRAY_LEN(KEYS)];
    for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
        bool found = number_at(source, KEYS[i][0], 0, &border[i]) ||
                     number_at(source, KEYS[i][1], 0, &border[i]);
        if (!found || !(border[i] >= 0 && border[i] < SENSOR_MAX)) {
            return;
        }
    }
    set_size((int32_t) (border[1] - border[0]), (int32_t) (border[3] - border[2]), facts);
}

void metadata_fill_size(const metadata_source *source, int32_t width, int32_t height,
                        media_facts *facts)
{
    double exif[2] = { 0, 0 };
    if (facts->width > 0 && facts->height > 0) {
        return;
    }
    if ((width <= 0 || height <= 0) &&
        number_at(source, "Exif.Photo.PixelXDimension", 0, &exif[0]) &&
        number_at(source, "Exif.Photo.PixelYDimension", 0, &exif[1]) && exif[0] > 0 &&
        exif[0] < SENSOR_MAX && exif[1] > 0 && exif[1] < SENSOR_MAX) {
        width = (int32_t) exif[0];
        height = (int32_t) exif[1];
    }
    set_size(width, height, facts);
}

/* Orientation comes first: sizes are stored upright. */
void metadata_fill(const metadata_source *source, media_facts *facts)
{
    fill_orientation(source, facts);
    fill_raw_size(source, facts);
    fill_camera(source, facts);
    fill_lens(source, facts);
    fill_exposure(source, facts);
    fill_place(source, facts);
    fill_description(source, facts);
    fill_rating(source, facts);
    metadata_fill_time(source, facts);
}
