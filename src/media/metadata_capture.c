/* When a photo was taken. Invariant: the offset belongs to the wall clock that is taken. A file
 * that knows no offset has none: the wall clock is then all there is. No state, any thread. */
#include "base/prelude.h"

#include "media/metadata_fields.h"
#include "media/metadata_time.h"

#define TIME_ROOM 128
#define US        INT64_C(1000000)

/* One tag that may hold the time, and those that belong to it. */
typedef struct time_tag {
    media_time_source source;
    const char *key;
    const char *clock;     /* tag with the time of day when key has the date only */
    const char *subsecond; /* digits behind the point */
    const char *offset;
    size_t zone_index; /* in Exif.Image.TimeZoneOffset: 0 of taking, 1 of changing the photo */
} time_tag;

/* Best first. Exif.Image.DateTime changes with every edit, so it comes late. */
static const time_tag TAGS[] = {
    { MEDIA_TIME_EXIF, "Exif.Photo.DateTimeOriginal", NULL, "Exif.Photo.SubSecTimeOriginal",
      "Exif.Photo.OffsetTimeOriginal", 0 },
    { MEDIA_TIME_EXIF, "Exif.Image.DateTimeOriginal", NULL, "Exif.Photo.SubSecTimeOriginal",
      "Exif.Photo.OffsetTimeOriginal", 0 },
    { MEDIA_TIME_EXIF, "Exif.Photo.DateTimeDigitized", NULL, "Exif.Photo.SubSecTimeDigitized",
      "Exif.Photo.OffsetTimeDigitized", 0 },
    { MEDIA_TIME_XMP, "Xmp.exif.DateTimeOriginal", NULL, NULL, NULL, 0 },
    { MEDIA_TIME_XMP, "Xmp.photoshop.DateCreated", NULL, NULL, NULL, 0 },
    { MEDIA_TIME_XMP, "Xmp.xmp.CreateDate", NULL, NULL, NULL, 0 },
    { MEDIA_TIME_IPTC, "Iptc.Application2.DateCreated", "Iptc.Application2.TimeCreated", NULL, NULL,
      0 },
    { MEDIA_TIME_EXIF, "Exif.Image.DateTime", NULL, "Exif.Photo.SubSecTime",
      "Exif.Photo.OffsetTime", 1 },
};

/* Empty for a NULL key, so that rows of TAGS need not have every companion. */
static slice text_of(const metadata_source *source, const char *key, char room[TIME_ROOM])
{
    return (slice) { room, key == NULL ? 0 : source->bytes(source->ctx, key, room, TIME_ROOM) };
}

/* The tag beside the time, the one for all times, then whole hours. */
static void read_offset(const metadata_source *source, const time_tag *tag, metadata_time *time)
{
    char room[TIME_ROOM];
    metadata_ratio hours;
    double value = 0;
    time->has_offset =
        metadata_parse_offset(text_of(source, tag->offset, room), &time->offset_minutes) ||
        metadata_parse_offset(text_of(source, "Exif.Photo.OffsetTime", room),
                              &time->offset_minutes);
    if (time->has_offset) {
        return;
    }
    const char *zone = "Exif.Image.TimeZoneOffset";
    bool found = source->ratio(source->ctx, zone, tag->zone_index, &hours) ||
                 source->ratio(source->ctx, zone, 0, &hours);
    if (found && metadata_ratio_value(hours, &value) && fabs(value) <= 14) {
        time->offset_minutes = (int32_t) (value * 60);
        time->has_offset = true;
    }
}

/* Date and clock in one tag, or in two that are joined. When the clock is damaged the day remains.
 */
static bool read_text(const metadata_source *source, const time_tag *tag, metadata_time *out)
{
    char date_room[TIME_ROOM];
    char clock_room[TIME_ROOM];
    slice date = text_of(source, tag->key, date_room);
    slice clock = text_of(source, tag->clock, clock_room);
    char both[2 * TIME_ROOM + 2];
    int length = snprintf(both, sizeof both, "%" SLICE_FMT "T%" SLICE_FMT, SLICE_ARG(date),
                          SLICE_ARG(clock));
    return (clock.len > 0 && metadata_parse_time((slice) { both, (size_t) length }, out)) ||
           metadata_parse_time(date, out);
}

/* The complete time of one row of TAGS. XMP and IPTC have fraction and offset inside the text; EXIF
 * has tags for them, which are asked only when the text itself does not say. */
static bool read_tag(const metadata_source *source, const time_tag *tag, metadata_time *out)
{
    char room[TIME_ROOM];
    int32_t fraction_us = 0;
    if (!read_text(source, tag, out)) {
        return false;
    }
    if (out->has_clock && !out->has_fraction &&
        metadata_parse_subsecond(text_of(source, tag->subsecond, room), &fraction_us)) {
        out->local_us += fraction_us;
    }
    if (out->has_clock && !out->has_offset && tag->source == MEDIA_TIME_EXIF) {
        read_offset(source, tag, out);
    }
    return true;
}

/* The receiver's clock, in UTC. */
static bool read_gps(const metadata_source *source, metadata_time *out)
{
    static const double LIMIT[] = { 24, 60, 61 };
    static const double UNIT[] = { 3600, 60, 1 };
    char room[TIME_ROOM];
    metadata_time date;
    double seconds = 0;
    if (!metadata_parse_time(text_of(source, "Exif.GPSInfo.GPSDateStamp", room), &date) ||
        date.has_clock) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(UNIT); i++) {
        metadata_ratio ratio;
        double value = 0;
        if (!source->ratio(source->ctx, "Exif.GPSInfo.GPSTimeStamp", i, &ratio) ||
            !metadata_ratio_value(ratio, &value) || !(value >= 0 && value < LIMIT[i])) {
            return false;
        }
        seconds += value * UNIT[i];
    }
    *out = date;
    out->local_us += seconds < 86400 ? (int64_t) (seconds * (double) US + 0.5) : 86400 * US - 1;
    out->has_offset = true;
    out->offset_minutes = 0;
    return true;
}

static void store(media_facts *facts, media_time_source source, const metadata_time *time)
{
    assert(abs(time->offset_minutes) <= 840 || !time->has_offset);
    facts->has_taken = 1;
    facts->taken_source = (int32_t) source;
    facts->taken_local_us = time->local_us;
    facts->has_offset = time->has_offset ? 1 : 0;
    facts->offset_minutes = time->has_offset ? time->offset_minutes : 0;
}

/* A later tag that has the time of that same day. */
static bool find_clock(const metadata_source *source, size_t from, const metadata_time *date,
                       size_t *out_tag, metadata_time *out)
{
    for (size_t i = from; i < ARRAY_LEN(TAGS); i++) {
        if (read_tag(source, &TAGS[i], out) && out->has_clock &&
            out->local_us - date->local_us >= 0 && out->local_us - date->local_us < 86400 * US) {
            *out_tag = i;
            return true;
        }
    }
    return false;
}

/* The first row that can be read decides on the day. */
void metadata_fill_time(const metadata_source *source, media_facts *facts)
{
    metadata_time time;
    for (size_t i = 0; i < ARRAY_LEN(TAGS); i++) {
        if (read_tag(source, &TAGS[i], &time)) {
            metadata_time better;
            size_t tag = i;
            if (!time.has_clock && find_clock(source, i + 1, &time, &tag, &better)) {
                time = better;
            }
            store(facts, TAGS[tag].source, &time);
            return;
        }
    }
    if (read_gps(source, &time)) {
        store(facts, MEDIA_TIME_GPS, &time);
    }
}
