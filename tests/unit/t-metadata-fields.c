/* Which tag wins: metadata_fill() over tags that the test makes up. */
#include "base/prelude.h"

#include "media/metadata_fields.h"

#include "tap.h"

#define US       INT64_C(1000000)
#define LOCAL_US (INT64_C(1564680862) * US) /* 2019-08-01 17:34:22 */
#define MIDNIGHT (INT64_C(1564617600) * US)
#define TAGS_MAX 16
#define RATIOS   4

/* One tag; text NULL: numbers. */
typedef struct tag {
    const char *key;
    const char *text;
    size_t count; /* of ratios */
    metadata_ratio ratios[RATIOS];
    const char *wording;
} tag;

#define TEXT(key, text)                      \
    {                                        \
        (key), (text), 0, { { 0, 0 } }, NULL \
    }
#define NUMBER(key, num, den)                      \
    {                                              \
        (key), NULL, 1, { { (num), (den) } }, NULL \
    }
#define WORDS(key, words)                     \
    {                                         \
        (key), NULL, 0, { { 0, 0 } }, (words) \
    }

static const tag *find(void *ctx, const char *key)
{
    const tag *tags = ctx;
    for (size_t i = 0; i < TAGS_MAX && tags[i].key != NULL; i++) {
        if (strcmp(tags[i].key, key) == 0) {
            return &tags[i];
        }
    }
    return NULL;
}

static size_t copy_text(const char *text, char *out, size_t room)
{
    size_t length = text == NULL ? 0 : strlen(text);
    length = length < room ? length : room;
    if (length > 0) {
        memcpy(out, text, length);
    }
    return length;
}

static size_t fake_bytes(void *ctx, const char *key, char *out, size_t room)
{
    const tag *found = find(ctx, key);
    return found == NULL ? 0 : copy_text(found->text, out, room);
}

static bool fake_ratio(void *ctx, const char *key, size_t index, metadata_ratio *out)
{
    const tag *found = find(ctx, key);
    if (found == NULL || index >= found->count) {
        return false;
    }
    *out = found->ratios[index];
    return true;
}

static size_t fake_wording(void *ctx, const char *key, char *out, size_t room)
{
    const tag *found = find(ctx, key);
    const char *words = found == NULL            ? NULL
                        : found->wording != NULL ? found->wording
                                                 : found->text;
    return copy_text(words, out, room);
}

/* The facts of a photo with these tags; they always hold what media_facts_check() asks for. */
static media_facts fill(tag tags[TAGS_MAX])
{
    media_facts facts;
    pgc_error err;
    const metadata_source source = { tags, false, fake_bytes, fake_ratio, fake_wording };
    media_facts_init(&facts);
    metadata_fill(&source, &facts);
    media_facts checked = facts;
    checked.kind = MEDIA_PHOTO;
    CHECK_STATUS(media_facts_check(&checked, &err), PGC_OK, &err);
    return facts;
}
#define FILL(...) fill((tag[TAGS_MAX]) { __VA_ARGS__ })

static void no_tags_no_facts(void)
{
    media_facts facts = FILL({ NULL, NULL, 0, { { 0, 0 } }, NULL });
    media_facts nothing;
    media_facts_init(&nothing);
    CHECK(memcmp(&facts, &nothing, sizeof facts) == 0);
}

/* --- time --- */

static void the_original_time_wins(void)
{
    media_facts facts = FILL(TEXT("Exif.Image.DateTime", "2022:01:01 00:00:00"),
                             TEXT("Exif.Photo.DateTimeDigitized", "2021:01:01 00:00:00"),
                             TEXT("Xmp.xmp.CreateDate", "2020-01-01T00:00:00Z"),
                             TEXT("Exif.Photo.DateTimeOriginal", "2019:08:01 17:34:22"));
    CHECK_INT(facts.has_taken, 1);
    CHECK_INT(facts.taken_local_us, LOCAL_US);
    CHECK_INT(facts.taken_source, MEDIA_TIME_EXIF);
    CHECK_INT(facts.has_offset, 0);
}

static void damaged_times_fall_through(void)
{
    media_facts facts = FILL(TEXT("Exif.Photo.DateTimeOriginal", "0000:00:00 00:00:00"),
                             TEXT("Exif.Photo.DateTimeDigitized", "    :  :     :  :  "),
                             TEXT("Xmp.exif.DateTimeOriginal", "2019-08-01T17:34:22.5+02:00"));
    CHECK_INT(facts.taken_local_us, LOCAL_US + 500000);
    CHECK_INT(facts.taken_source, MEDIA_TIME_XMP);
    CHECK_INT(facts.has_offset, 1);
    CHECK_INT(facts.offset_minutes, 120);
}

static void each_time_has_its_own_offset_and_fraction(void)
{
    media_facts facts = FILL(
        TEXT("Exif.Photo.DateTimeOriginal", "2019:08:01 17:34:22"),
        TEXT("Exif.Photo.OffsetTimeOriginal", "+02:00"),
        TEXT("Exif.Photo.OffsetTimeDigitized", "+03:00"), TEXT("Exif.Photo.OffsetTime", "+04:00"),
        TEXT("Exif.Photo.SubSecTimeOriginal", "25"), TEXT("Exif.Photo.SubSecTime", "75"));
    CHECK_INT(facts.taken_local_us, LOCAL_US + 250000);
    CHECK_INT(facts.offset_minutes, 120);
    facts = FILL(TEXT("Exif.Photo.DateTimeDigitized", "2019:08:01 17:34:22"),
                 TEXT("Exif.Photo.OffsetTimeDigitized", "+03:00"),
                 TEXT("Exif.Photo.OffsetTimeOriginal", "+02:00"));
    CHECK_INT(facts.offset_minutes, 180);
    /* The general one when the own one is blank. */
    facts = FILL(TEXT("Exif.Photo.DateTimeOriginal", "2019:08:01 17:34:22"),
                 TEXT("Exif.Photo.OffsetTimeOriginal", "   :  "),
                 TEXT("Exif.Photo.OffsetTime", "-05:00"));
    CHECK_INT(facts.offset_minutes, -300);
}

static void an_offset_in_the_time_wins(void)
{
    media_facts facts = FILL(TEXT("Exif.Photo.DateTimeOriginal", "2019:08:01 17:34:22.5-01:00"),
                             TEXT("Exif.Photo.OffsetTimeOriginal", "+02:00"),
                             TEXT("Exif.Photo.SubSecTimeOriginal", "25"));
    CHECK_INT(facts.offset_minutes, -60);
    CHECK_INT(facts.taken_local_us, LOCAL_US + 500000);
}

static void time_zone_hours_need_no_sign(void)
{
    media_facts facts = FILL(TEXT("Exif.Photo.DateTimeOriginal", "2019:08:01 17:34:22"),
                             NUMBER("Exif.Image.TimeZoneOffset", 2, 1));
    CHECK_INT(facts.has_offset, 1);
    CHECK_INT(facts.offset_minutes, 120);
    facts = FILL(TEXT("Exif.Photo.DateTimeOriginal", "2019:08:01 17:34:22"),
                 { "Exif.Image.TimeZoneOffset", NULL, 2, { { -5, 1 }, { 3, 1 } }, NULL });
    CHECK_INT(facts.offset_minutes, -300);
    facts = FILL(TEXT("Exif.Image.DateTime", "2019:08:01 17:34:22"),
                 { "Exif.Image.TimeZoneOffset", NULL, 2, { { -5, 1 }, { 3, 1 } }, NULL });
    CHECK_INT(facts.offset_minutes, 180);
    facts = FILL(TEXT("Exif.Photo.DateTimeOriginal", "2019:08:01 17:34:22"),
                 NUMBER("Exif.Image.TimeZoneOffset", 15, 1));
    CHECK_INT(facts.has_offset, 0);
}

static void dates_of_iptc_have_their_clock_beside(void)
{
    media_facts facts = FILL(TEXT("Iptc.Application2.DateCreated", "2019-08-01"),
                             TEXT("Iptc.Application2.TimeCreated", "17:34:22+02:00"));
    CHECK_INT(facts.taken_local_us, LOCAL_US);
    CHECK_INT(facts.taken_source, MEDIA_TIME_IPTC);
    CHECK_INT(facts.offset_minutes, 120);
    facts = FILL(TEXT("Iptc.Application2.DateCreated", "2019-08-01"),
                 TEXT("Iptc.Application2.TimeCreated", "noon"));
    CHECK_INT(facts.taken_local_us, MIDNIGHT);
    CHECK_INT(facts.has_offset, 0);
}

static void a_day_takes_the_clock_of_the_same_day(void)
{
    media_facts facts = FILL(TEXT("Xmp.photoshop.DateCreated", "2019-08-01"),
                             TEXT("Xmp.xmp.CreateDate", "2020-05-05T10:00:00Z"),
                             TEXT("Iptc.Application2.DateCreated", "2019-08-01"),
                             TEXT("Iptc.Application2.TimeCreated", "17:34:22-05:00"));
    CHECK_INT(facts.taken_local_us, LOCAL_US);
    CHECK_INT(facts.taken_source, MEDIA_TIME_IPTC);
    CHECK_INT(facts.offset_minutes, -300);
    facts = FILL(TEXT("Xmp.photoshop.DateCreated", "2019-08-01"),
                 TEXT("Xmp.xmp.CreateDate", "2020-05-05T10:00:00Z"));
    CHECK_INT(facts.taken_local_us, MIDNIGHT);
    CHECK_INT(facts.taken_source, MEDIA_TIME_XMP);
    CHECK_INT(facts.has_offset, 0);
}

static void the_time_of_the_last_edit_comes_late(void)
{
    media_facts facts = FILL(TEXT("Exif.Image.DateTime", "2022:01:01 00:00:00"),
                             TEXT("Xmp.photoshop.DateCreated", "2019-08-01T17:34:22"));
    CHECK_INT(facts.taken_local_us, LOCAL_US);
    facts = FILL(TEXT("Exif.Image.DateTime", "2019:08:01 17:34:22"),
                 TEXT("Exif.GPSInfo.GPSDateStamp", "2018:01:01"),
                 { "Exif.GPSInfo.GPSTimeStamp", NULL, 3, { { 1, 1 }, { 2, 1 }, { 3, 1 } }, NULL });
    CHECK_INT(facts.taken_local_us, LOCAL_US);
    CHECK_INT(facts.taken_source, MEDIA_TIME_EXIF);
}

static void satellites_tell_the_time_in_utc(void)
{
    media_facts facts = FILL(
        TEXT("Exif.GPSInfo.GPSDateStamp", "2019:08:01"),
        { "Exif.GPSInfo.GPSTimeStamp", NULL, 3, { { 17, 1 }, { 34, 1 }, { 2250, 100 } }, NULL });
    CHECK_INT(facts.taken_local_us, LOCAL_US + 500000);
    CHECK_INT(facts.taken_source, MEDIA_TIME_GPS);
    CHECK_INT(facts.has_offset, 1);
    CHECK_INT(facts.offset_minutes, 0);
    facts =
        FILL(TEXT("Exif.GPSInfo.GPSDateStamp", "2019:08:01"),
             { "Exif.GPSInfo.GPSTimeStamp", NULL, 3, { { 17, 0 }, { 34, 1 }, { 22, 1 } }, NULL });
    CHECK_INT(facts.has_taken, 0);
    facts =
        FILL(TEXT("Exif.GPSInfo.GPSDateStamp", "2199:12:31"),
             { "Exif.GPSInfo.GPSTimeStamp", NULL, 3, { { 23, 1 }, { 59, 1 }, { 605, 10 } }, NULL });
    CHECK_INT(facts.has_taken, 1);
    facts = FILL(TEXT("Exif.GPSInfo.GPSDateStamp", "2019:08:01"),
                 { "Exif.GPSInfo.GPSTimeStamp", NULL, 3, { { 24, 1 }, { 0, 1 }, { 0, 1 } }, NULL });
    CHECK_INT(facts.has_taken, 0);
}

/* --- camera, lens --- */

static void names_are_cleaned(void)
{
    media_facts facts =
        FILL(TEXT("Exif.Image.Make", "  Canon   "), TEXT("Xmp.tiff.Make", "other"),
             TEXT("Exif.Image.Model", "null"), TEXT("Xmp.tiff.Model", "Canon EOS R5"));
    CHECK_STR(facts.camera_make, "Canon");
    CHECK_STR(facts.camera_model, "Canon EOS R5");
}

static void the_lens_has_a_name_or_a_range(void)
{
    media_facts facts = FILL(WORDS("Exif.NikonLd3.LensIDNumber", "Nikon AF Nikkor 50mm f/1.8D"),
                             TEXT("Exif.Photo.LensModel", "NIKKOR Z 50mm f/1.8 S"));
    CHECK_STR(facts.lens_model, "NIKKOR Z 50mm f/1.8 S");
    facts = FILL(TEXT("Exif.Photo.LensModel", "----"),
                 WORDS("Exif.NikonLd3.LensIDNumber", "Nikon AF Nikkor 50mm f/1.8D"));
    CHECK_STR(facts.lens_model, "Nikon AF Nikkor 50mm f/1.8D");
    facts = FILL(WORDS("Exif.Pentax.LensType", "(3 44)"), TEXT("Xmp.aux.Lens", "18.0-55.0 mm"));
    CHECK_STR(facts.lens_model, "18.0-55.0 mm");
    facts = FILL(TEXT("Exif.Photo.LensModel", "0.0 mm f/0.0"),
                 { "Exif.Photo.LensSpecification",
                   NULL,
                   4,
                   { { 180, 10 }, { 700, 10 }, { 35, 10 }, { 45, 10 } },
                   NULL });
    CHECK_STR(facts.lens_model, "18-70mm f/3.5-4.5");
    facts =
        FILL(WORDS("Exif.CanonCs.LensType", "n/a"),
             { "Exif.CanonCs.Lens", NULL, 3, { { 22217, 1 }, { 7406, 1 }, { 1000, 1 } }, NULL });
    CHECK_STR(facts.lens_model, "7.4-22.2mm");
    facts = FILL({ "Exif.Photo.LensSpecification",
                   NULL,
                   4,
                   { { 0, 0 }, { 0, 0 }, { 0, 0 }, { 0, 0 } },
                   NULL });
    CHECK_STR(facts.lens_model, "");
}

static void damaged_notes_of_canon_are_not_believed(void)
{
    media_facts facts =
        FILL(WORDS("Exif.CanonCs.LensType", "Canon EF 28mm f/2.8"),
             WORDS("Exif.CanonSi.ISOSpeed", "12800"),
             { "Exif.CanonCs.Lens", NULL, 3, { { 0, 1 }, { 19785, 1 }, { 14919, 1 } }, NULL });
    CHECK_STR(facts.lens_model, "");
    CHECK_INT(facts.iso, 0);
    facts = FILL(WORDS("Exif.CanonCs.LensType", "Canon EF 28mm f/2.8"),
                 WORDS("Exif.CanonSi.ISOSpeed", "200"));
    CHECK_STR(facts.lens_model, "Canon EF 28mm f/2.8");
    CHECK_INT(facts.iso, 200);
}

/* --- exposure --- */

static void sensitivity_is_where_the_camera_put_it(void)
{
    media_facts facts = FILL(NUMBER("Exif.Photo.ISOSpeedRatings", 400, 1));
    CHECK_INT(facts.iso, 400);
    facts = FILL({ "Exif.Photo.ISOSpeedRatings", NULL, 2, { { 100, 1 }, { 100, 1 } }, NULL });
    CHECK_INT(facts.iso, 100);
    facts = FILL(NUMBER("Exif.Photo.ISOSpeedRatings", 65535, 1),
                 NUMBER("Exif.Photo.RecommendedExposureIndex", 102400, 1));
    CHECK_INT(facts.iso, 102400);
    facts = FILL(NUMBER("Exif.Photo.ISOSpeedRatings", 65535, 1));
    CHECK_INT(facts.iso, 65535);
    facts = FILL(NUMBER("Exif.Photo.ISOSpeedRatings", 0, 1), WORDS("Exif.Nikon3.ISOSpeed", "200"));
    CHECK_INT(facts.iso, 200);
    facts = FILL(WORDS("Exif.CanonSi.ISOSpeed", "3.125"), WORDS("Exif.CanonCs.ISOSpeed", "Auto"),
                 TEXT("Xmp.exif.ISOSpeedRatings", "160"));
    CHECK_INT(facts.iso, 160);
    facts = FILL(TEXT("Exif.Photo.ISOSpeedRatings", "100, 100"));
    CHECK_INT(facts.iso, 100);
}

static void logarithms_stand_in_for_numbers(void)
{
    media_facts facts = FILL(
        NUMBER("Exif.Photo.ExposureTime", 10, 2500), NUMBER("Exif.Photo.ShutterSpeedValue", 1, 1),
        NUMBER("Exif.Photo.FNumber", 28, 10), NUMBER("Exif.Photo.ApertureValue", 8, 1));
    CHECK_STR(facts.shutter_speed, "1/250");
    CHECK(fabs(facts.aperture - 2.8) < 1e-9);
    facts = FILL(NUMBER("Exif.Photo.ExposureTime", 0, 1),
                 NUMBER("Exif.Photo.ShutterSpeedValue", 7965784, 1000000),
                 NUMBER("Exif.Photo.FNumber", 1, 0), NUMBER("Exif.Photo.ApertureValue", 297, 100));
    CHECK_STR(facts.shutter_speed, "1/250");
    CHECK(fabs(facts.aperture - 2.8) < 1e-9);
    facts = FILL(NUMBER("Exif.Photo.ShutterSpeedValue", -4, 1));
    CHECK_STR(facts.shutter_speed, "16");
    facts = FILL(NUMBER("Exif.Photo.ShutterSpeedValue", 2147483647, 1),
                 NUMBER("Exif.Photo.ApertureValue", 2147483647, 1));
    CHECK_STR(facts.shutter_speed, "");
    CHECK(!(facts.aperture > 0));
}

static void numbers_may_be_text(void)
{
    media_facts facts =
        FILL(TEXT("Xmp.exif.FNumber", "28/10"), TEXT("Xmp.exif.ExposureTime", "5/2"),
             TEXT("Xmp.exif.FocalLength", "50/1"));
    CHECK(fabs(facts.aperture - 2.8) < 1e-9);
    CHECK_STR(facts.shutter_speed, "2.5");
    CHECK(fabs(facts.focal_length_mm - 50) < 1e-9);
    facts = FILL(NUMBER("Exif.Photo.FocalLength", 4294967295, 1),
                 NUMBER("Exif.Photo.FNumber", 4294967295, 1));
    CHECK(!(facts.focal_length_mm > 0) && !(facts.aperture > 0));
}

/* --- place --- */

#define GPS_LATITUDE                                                                       \
    {                                                                                      \
        "Exif.GPSInfo.GPSLatitude", NULL, 3, { { 48, 1 }, { 51, 1 }, { 2772, 100 } }, NULL \
    }
#define GPS_LONGITUDE                                                                  \
    {                                                                                  \
        "Exif.GPSInfo.GPSLongitude", NULL, 3, { { 2, 1 }, { 17, 1 }, { 42, 1 } }, NULL \
    }

static void places_have_hemispheres_and_heights(void)
{
    media_facts facts =
        FILL(GPS_LATITUDE, TEXT("Exif.GPSInfo.GPSLatitudeRef", "S"), GPS_LONGITUDE,
             TEXT("Exif.GPSInfo.GPSLongitudeRef", "W"), NUMBER("Exif.GPSInfo.GPSAltitude", 352, 10),
             NUMBER("Exif.GPSInfo.GPSAltitudeRef", 1, 1));
    CHECK_INT(facts.has_gps, 1);
    CHECK(fabs(facts.latitude + 48.8577) < 1e-9);
    CHECK(fabs(facts.longitude + 2.295) < 1e-9);
    CHECK_INT(facts.has_altitude, 1);
    CHECK(fabs(facts.altitude_m + 35.2) < 1e-9);
    facts =
        FILL(GPS_LATITUDE, TEXT("Exif.GPSInfo.GPSLatitudeRef", "N"), GPS_LONGITUDE,
             TEXT("Exif.GPSInfo.GPSLongitudeRef", "E"), NUMBER("Exif.GPSInfo.GPSAltitude", 352, 0));
    CHECK(fabs(facts.latitude - 48.8577) < 1e-9);
    CHECK_INT(facts.has_altitude, 0);
}

static void half_a_place_is_none(void)
{
    media_facts facts = FILL(GPS_LATITUDE, TEXT("Exif.GPSInfo.GPSLatitudeRef", "N"), GPS_LONGITUDE);
    CHECK_INT(facts.has_gps, 0);
    CHECK(!(fabs(facts.latitude) > 0));
    facts = FILL(GPS_LATITUDE, TEXT("Exif.GPSInfo.GPSLatitudeRef", "N"),
                 NUMBER("Exif.GPSInfo.GPSAltitude", 352, 10));
    CHECK_INT(facts.has_gps, 0);
    CHECK_INT(facts.has_altitude, 0);
    /* A receiver without a fix. */
    facts = FILL({ "Exif.GPSInfo.GPSLatitude", NULL, 3, { { 0, 1 }, { 0, 1 }, { 0, 1 } }, NULL },
                 TEXT("Exif.GPSInfo.GPSLatitudeRef", "N"),
                 { "Exif.GPSInfo.GPSLongitude", NULL, 3, { { 0, 1 }, { 0, 1 }, { 0, 1 } }, NULL },
                 TEXT("Exif.GPSInfo.GPSLongitudeRef", "E"));
    CHECK_INT(facts.has_gps, 0);
}

static void xmp_knows_places_too(void)
{
    media_facts facts =
        FILL(TEXT("Xmp.exif.GPSLatitude", "48,51.462N"), TEXT("Xmp.exif.GPSLongitude", "2,17.7W"),
             TEXT("Xmp.exif.GPSAltitude", "352/10"), TEXT("Xmp.exif.GPSAltitudeRef", "0"));
    CHECK_INT(facts.has_gps, 1);
    CHECK(fabs(facts.longitude + 2.295) < 1e-9);
    CHECK(fabs(facts.altitude_m - 35.2) < 1e-9);
}

/* --- the rest --- */

static void the_first_description_is_taken(void)
{
    media_facts facts = FILL(TEXT("Exif.Image.ImageDescription", "   "),
                             TEXT("Exif.Photo.UserComment", "plain comment"),
                             TEXT("Xmp.dc.description", "from XMP"));
    CHECK_STR(facts.description, "plain comment");
    facts = FILL(TEXT("Xmp.dc.description", "Z\xc3\xbcrich"),
                 TEXT("Iptc.Application2.Caption", "from IPTC"));
    CHECK_STR(facts.description, "Z\xc3\xbcrich");
    facts = FILL(TEXT("Iptc.Application2.Caption", "Z\xfcrich"));
    CHECK_STR(facts.description, "Z\xc3\xbcrich");
    facts = FILL(TEXT("Exif.Image.ImageDescription", "undefined"));
    CHECK_STR(facts.description, "");
}

static void ratings_have_zero_to_five_stars(void)
{
    media_facts facts = FILL(TEXT("Xmp.xmp.Rating", "4"), NUMBER("Exif.Image.Rating", 2, 1));
    CHECK_INT(facts.rating, 4);
    facts = FILL(TEXT("Xmp.xmp.Rating", "-1"), NUMBER("Exif.Image.Rating", 0, 1));
    CHECK_INT(facts.rating, 0);
    facts = FILL(TEXT("Xmp.xmp.Rating", "3.0"));
    CHECK_INT(facts.rating, 3);
    facts = FILL(TEXT("Xmp.xmp.Rating", "99"));
    CHECK_INT(facts.rating, -1);
}

static void orientations_are_one_to_eight(void)
{
    static const int64_t GIVEN[] = { 0, 1, 6, 8, 9, -1, 65535 };
    static const int32_t WANTED[] = { 1, 1, 6, 8, 1, 1, 1 };
    for (size_t i = 0; i < ARRAY_LEN(GIVEN); i++) {
        media_facts facts = FILL(NUMBER("Exif.Image.Orientation", GIVEN[i], 1));
        CHECK_INT(facts.orientation, WANTED[i]);
    }
}

static void a_sensor_has_borders(void)
{
    media_facts facts = FILL(NUMBER("Exif.PanasonicRaw.SensorLeftBorder", 8, 1),
                             NUMBER("Exif.PanasonicRaw.SensorTopBorder", 6, 1),
                             NUMBER("Exif.PanasonicRaw.ImageWidth", 3656, 1),
                             NUMBER("Exif.PanasonicRaw.ImageHeight", 2742, 1),
                             NUMBER("Exif.Image.Orientation", 6, 1));
    CHECK_INT(facts.width, 2736);
    CHECK_INT(facts.height, 3648);
    facts = FILL(NUMBER("Exif.PanasonicRaw.ImageWidth", 3656, 1),
                 NUMBER("Exif.PanasonicRaw.ImageHeight", 2742, 1));
    CHECK_INT(facts.width, 0);
}

/* Facts of a raw photo with EXIF's size, turned, when exiv2 takes it for width x height. */
static media_facts sized(int64_t exif_width, int32_t width, int32_t height, int32_t known)
{
    tag tags[TAGS_MAX] = { NUMBER("Exif.Photo.PixelXDimension", exif_width, 1),
                           NUMBER("Exif.Photo.PixelYDimension", 960, 1) };
    const metadata_source source = { tags, false, fake_bytes, fake_ratio, fake_wording };
    media_facts facts;
    media_facts_init(&facts);
    facts.orientation = 6;
    facts.width = facts.height = known;
    metadata_fill_size(&source, width, height, &facts);
    return facts;
}

static void raw_photos_have_a_size(void)
{
    media_facts facts = sized(1440, 4000, 3000, 0);
    CHECK_INT(facts.width, 3000);
    CHECK_INT(facts.height, 4000);
    facts = sized(1440, 0, 0, 0);
    CHECK_INT(facts.width, 960);
    CHECK_INT(facts.height, 1440);
    facts = sized(1440, 4000, 3000, 7); /* what tags told already stays */
    CHECK_INT(facts.width, 7);
    static const int64_t DAMAGED[] = { 0, -1, 65536, INT64_MAX };
    for (size_t i = 0; i < ARRAY_LEN(DAMAGED); i++) {
        facts = sized(DAMAGED[i], 0, 0, 0);
        CHECK_INT(facts.width, 0);
        CHECK_INT(facts.height, 0);
    }
}

TAP_MAIN(TAP("no tags, no facts", no_tags_no_facts),
         TAP("time: the original wins", the_original_time_wins),
         TAP("time: damaged ones fall through", damaged_times_fall_through),
         TAP("time: each has its own offset and fraction",
             each_time_has_its_own_offset_and_fraction),
         TAP("time: an offset inside wins", an_offset_in_the_time_wins),
         TAP("time: zone hours need no sign", time_zone_hours_need_no_sign),
         TAP("time: IPTC has the clock beside the date", dates_of_iptc_have_their_clock_beside),
         TAP("time: a day takes the clock of that day", a_day_takes_the_clock_of_the_same_day),
         TAP("time: the last edit comes late", the_time_of_the_last_edit_comes_late),
         TAP("time: satellites in UTC, last", satellites_tell_the_time_in_utc),
         TAP("names are cleaned", names_are_cleaned),
         TAP("a lens has a name or a range", the_lens_has_a_name_or_a_range),
         TAP("damaged notes of Canon are not believed", damaged_notes_of_canon_are_not_believed),
         TAP("ISO is where the camera put it", sensitivity_is_where_the_camera_put_it),
         TAP("logarithms stand in for numbers", logarithms_stand_in_for_numbers),
         TAP("numbers may be text", numbers_may_be_text),
         TAP("places have hemispheres and heights", places_have_hemispheres_and_heights),
         TAP("half a place is none", half_a_place_is_none),
         TAP("XMP knows places too", xmp_knows_places_too),
         TAP("the first description is taken", the_first_description_is_taken),
         TAP("ratings have zero to five stars", ratings_have_zero_to_five_stars),
         TAP("orientations are one to eight", orientations_are_one_to_eight),
         TAP("a sensor has borders", a_sensor_has_borders),
         TAP("raw photos have a size", raw_photos_have_a_size))
