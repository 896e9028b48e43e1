/* Tags of containers: time and place of recording, the device. Phones write the local time with its
 * offset into com.apple.quicktime.creationdate; creation_time is UTC and often the time of a later
 * conversion, so it comes second. Invariant: only values in range are stored. Pure. */
#include "base/prelude.h"

#include "base/slice.h"
#include "media/av_tags.h"

#define YEAR_MIN           1905 /* 1904-01-01 is QuickTime's zero: not set */
#define YEAR_MAX           2199
#define OFFSET_MINUTES_MAX 840

typedef struct stamp {
    int64_t local_us;
    int32_t offset_minutes;
    bool has_offset;
} stamp;

/* `count` digits at *p as a number, -1 when there are less; moves *p behind them. */
static int digits(const char **p, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        if ((*p)[i] < '0' || (*p)[i] > '9') {
            return -1;
        }
        value = value * 10 + ((*p)[i] - '0');
    }
    *p += count;
    return value;
}

/* Step over one character of the set; false, and nothing moved, when another one is there. */
static bool skip_one_of(const char **p, const char *set)
{
    if (**p == '\0' || strchr(set, **p) == NULL) {
        return false;
    }
    (*p)++;
    return true;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar after 1900. */
static int64_t days_from_date(int year, int month, int day)
{
    static const int16_t BEFORE[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
    assert(month >= 1 && month <= 12);
    int64_t leaps = (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400 - 477;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return (year - 1970) * INT64_C(365) + leaps + BEFORE[month - 1] + day - 1 +
           (leap && month > 2 ? 1 : 0);
}

/* "Z", "+0200", "+02:00" or "+02"; nothing at all is fine too. */
static bool parse_offset(const char *p, stamp *out)
{
    out->has_offset = *p != '\0';
    if (*p == '\0' || (*p == 'Z' && p[1] == '\0')) {
        return true;
    }
    int sign = *p == '-' ? -1 : 1;
    if (!skip_one_of(&p, "+-")) {
        return false;
    }
    int hours = digits(&p, 2);
    (void) skip_one_of(&p, ":");
    int minutes = *p == '\0' ? 0 : digits(&p, 2);
    if (hours < 0 || minutes < 0 || minutes > 59 || *p != '\0') {
        return false;
    }
    out->offset_minutes = sign * (hours * 60 + minutes);
    return abs(out->offset_minutes) <= OFFSET_MINUTES_MAX;
}

/* "2019-08-01T17:34:22.5+0200" with '-' or ':' in the date, 'T' or a blank between. */
static bool parse_stamp(const char *p, stamp *out)
{
    int year = digits(&p, 4);
    bool ok = year >= YEAR_MIN && year <= YEAR_MAX && skip_one_of(&p, "-:");
    int month = ok ? digits(&p, 2) : -1;
    ok = month >= 1 && month <= 12 && skip_one_of(&p, "-:");
    int day = ok ? digits(&p, 2) : -1;
    ok = day >= 1 && day <= 31 && skip_one_of(&p, "T ");
    int hour = ok ? digits(&p, 2) : -1;
    ok = hour >= 0 && hour <= 23 && skip_one_of(&p, ":");
    int minute = ok ? digits(&p, 2) : -1;
    ok = minute >= 0 && minute <= 59 && skip_one_of(&p, ":");
    int second = ok ? digits(&p, 2) : -1;
    if (second < 0 || second > 60) {
        return false;
    }
    int64_t fraction_us = 0;
    if (skip_one_of(&p, ".")) {
        int64_t unit = 100000;
        for (; *p >= '0' && *p <= '9'; p++) {
            fraction_us += (*p - '0') * unit;
            unit /= 10;
        }
    }
    int64_t seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    out->local_us = seconds * 1000000 + fraction_us;
    return parse_offset(p, out);
}

/* A time with its zone is worth more than the same instant in UTC: it says when the clock on the
 * wall stood there. */
static void read_time(media_facts *facts, const char *value, bool local)
{
    stamp parsed = { .has_offset = false };
    /* A local time with its offset is never replaced by a time in UTC. */
    bool better = facts->has_taken == 0 || (local && facts->offset_minutes == 0);
    if (!better || !parse_stamp(value, &parsed) || parsed.local_us == 0) {
        return;
    }
    facts->has_taken = 1;
    facts->taken_source = MEDIA_TIME_CONTAINER;
    facts->taken_local_us = parsed.local_us;
    facts->has_offset = parsed.has_offset ? 1 : 0;
    facts->offset_minutes = parsed.offset_minutes;
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
