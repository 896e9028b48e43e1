/* What a media file says about itself: one plain struct without pointers, so that the sandboxed
 * child can send it as bytes and the parent can check every field (media_facts_check). */
#ifndef MEDIA_FACTS_H
#define MEDIA_FACTS_H

#include <pgc/error.h>

typedef enum media_kind {
    MEDIA_NONE = 0,
    MEDIA_PHOTO = 1,
    MEDIA_VIDEO = 2,
    MEDIA_AUDIO = 3
} media_kind;

/* Which field the time of capture came from, best first. */
typedef enum media_time_source {
    MEDIA_TIME_NONE = 0,
    MEDIA_TIME_EXIF = 1,      /* DateTimeOriginal, DateTimeDigitized, DateTime */
    MEDIA_TIME_XMP = 2,       /* exif:DateTimeOriginal, xmp:CreateDate, photoshop:DateCreated */
    MEDIA_TIME_IPTC = 3,      /* DateCreated + TimeCreated */
    MEDIA_TIME_CONTAINER = 4, /* creation time of a video or audio file */
    MEDIA_TIME_GPS = 5,       /* GPSDateStamp + GPSTimeStamp, UTC */
    MEDIA_TIME_MTIME = 6      /* the file's own time; set by the importer, not by the child */
} media_time_source;

typedef struct media_facts {
    int32_t kind;   /* media_kind */
    int32_t is_raw; /* 0 or 1 */
    int32_t width;  /* pixels as shown, orientation applied; 0 unknown */
    int32_t height;
    int32_t orientation; /* EXIF 1..8; 1 when absent or out of range */
    int32_t iso;         /* 0 unknown */
    int32_t rating;      /* 0..5; -1 unknown */
    int32_t has_gps, has_altitude, has_taken, has_offset; /* 0 or 1 */
    int32_t offset_minutes;                               /* east of UTC, -840..840 */
    int32_t taken_source;                                 /* media_time_source */
    int32_t reserved;
    int64_t taken_local_us;     /* wall clock of capture as microseconds since 1970-01-01 */
    int64_t duration_us;        /* -1 unknown */
    double aperture;            /* f-number; 0 unknown */
    double focal_length_mm;     /* 0 unknown */
    double latitude, longitude; /* degrees, south and west negative */
    double altitude_m;          /* negative below sea level */
    /* NUL-terminated UTF-8, "" unknown; longer texts are cut at a character border. */
    char mime[64];
    char extension[8]; /* canonical, without dot: "jpg" */
    char camera_make[101];
    char camera_model[101];
    char lens_model[101];
    char shutter_speed[51]; /* "1/250", "2.5" (seconds) */
    char description[2049];
} media_facts;

/* All unknown. */
void media_facts_init(media_facts *facts);
/* Everything in range, texts terminated and UTF-8: the reply of the child is untrusted. Fields that
 * are out of range are an error naming the field. */
pgc_status media_facts_check(const media_facts *facts, pgc_error *err) PGC_MUST_CHECK;

#endif
