/* Tags of containers: time and place of recording, the device. Phones write the local time with its
 * offset into com.apple.quicktime.creationdate; creation_time is UTC and often the time of a later
 * conversion, so it comes second. Invariant: only values in range are stored. Pure. */
#include "base/prelude.h"

#include "base/slice.h"
#include "media/av_tags.h"
#include "media/metadata_time.h"

/* 1904-01-01 is QuickTime's zero and 1970-01-01 everybody else's: a clock that was not set. */
#define EARLIEST_US (-INT64_C(2051222400) * 1000000) /* 1905-01-01 */

/* Step over one character of the set; false, and nothing moved, when another one is there. */
static bool skip_one_of(const char **p, const char *set)
{
    if (**p == '\0' || strchr(set, **p) == NULL) {
        return false;
    }
    (*p)++;
    return true;
}

/* A time with its zone is worth more than the same instant in UTC: it says when the clock on the
 * wall stood there. */
static void read_time(media_facts *facts, const char *value, bool local)
{
    metadata_time parsed;
    /* A local time with its offset is never replaced by a time in UTC. */
    bool better = facts->has_taken == 0 || (local && facts->offset_minutes == 0);
    if (!better || !metadata_parse_time((slice) { value, strlen(value) }, &parsed) ||
        !parsed.has_clock || parsed.local_us == 0 || parsed.local_us < EARLIEST_US) {
        return;
    }
    facts->has_taken = 1;
    facts->taken_source = MEDIA_TIME_CONTAINER;
    facts->taken_local_us = parsed.local_us;
    facts->has_offset = parsed.has_offset ? 1 : 0;
    facts->offset_minutes = parsed.has_offset ? parsed.offset_minutes : 0;
}

/* A signed decimal at *p; false when there is none. */
static bool parse_decimal(const char **p, double *out)
{
    double sign = **p == '-' ? -1 : 1;
    if (!skip_one_of(p, "+-")) {
        return false;
    }
    double value = 0;
    double unit = 1;
    bool point = false;
    bool any = false;
    for (; (**p >= '0' && **p <= '9') || (**p == '.' && !point); (*p)++) {
        if (**p == '.') {
            point = true;
            continue;
        }
        any = true;
        value = value * 10 + (**p - '0');
        unit *= point ? 10 : 1;
    }
    *out = sign * value / unit;
    return any;
}

/* ISO 6709 as phones write it: "+48.8577+002.2950+035.2/" (height optional). */
static void read_place(media_facts *facts, const char *value)
{
    double latitude = 0;
    double longitude = 0;
    double altitude = 0;
    if (facts->has_gps != 0 || !parse_decimal(&value, &latitude) ||
        !parse_decimal(&value, &longitude) || fabs(latitude) > 90 || fabs(longitude) > 180) {
        return;
    }
    facts->has_gps = 1;
    facts->latitude = latitude;
    facts->longitude = longitude;
    if (parse_decimal(&value, &altitude) && fabs(altitude) < 100000) {
        facts->has_altitude = 1;
        facts->altitude_m = altitude;
    }
}

/* Copy of the text without control characters, cut at a character border; kept when already set
 * and left alone when it is not UTF-8. */
static void read_text(char *out, size_t room, const char *value)
{
    size_t len = strlen(value);
    if (out[0] != '\0' || !slice_is_utf8((slice) { value, len })) {
        return;
    }
    if (len >= room) {
        len = room - 1;
        while (len > 0 && ((unsigned char) value[len] & 0xc0) == 0x80) {
            len--;
        }
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char) value[i];
        out[i] = (char) (c < 0x20 || c == 0x7f ? ' ' : c);
    }
    out[len] = '\0';
}

void av_tag_read(media_facts *facts, const char *name, const char *value)
{
    enum { LOCAL_TIME, UTC_TIME, PLACE, MAKE, MODEL, TEXT };
    static const struct {
        const char *name;
        int what;
    } TAGS[] = {
        { "com.apple.quicktime.creationdate", LOCAL_TIME },
        { "creation_time", UTC_TIME },
        { "com.apple.quicktime.location.ISO6709", PLACE },
        { "location", PLACE },
        { "com.apple.quicktime.make", MAKE },
        { "com.android.manufacturer", MAKE },
        { "make", MAKE },
        { "com.apple.quicktime.model", MODEL },
        { "com.android.model", MODEL },
        { "model", MODEL },
        { "com.apple.quicktime.description", TEXT },
        { "description", TEXT },
        { "comment", TEXT },
    };
    for (size_t i = 0; i < ARRAY_LEN(TAGS); i++) {
        if (strcasecmp(name, TAGS[i].name) != 0) {
            continue;
        }
        switch (TAGS[i].what) {
        case LOCAL_TIME:
        case UTC_TIME:
            read_time(facts, value, TAGS[i].what == LOCAL_TIME);
            return;
        case PLACE:
            read_place(facts, value);
            return;
        case MAKE:
            read_text(facts->camera_make, sizeof facts->camera_make, value);
            return;
        case MODEL:
            read_text(facts->camera_model, sizeof facts->camera_model, value);
            return;
        default:
            read_text(facts->description, sizeof facts->description, value);
            return;
        }
    }
}
