/* Filters of asset lists: any combination of conditions; what is not set is not asked. */
#ifndef SERVICE_FILTER_H
#define SERVICE_FILTER_H

#include "base/sha256.h"
#include "base/slice.h"
#include "service/session.h"

#define LUM_FILTER_TEXT_MAX 1000 /* bytes of one text */
#define LUM_FILTER_TAGS_MAX 100  /* names of one list */
#define LUM_FILTER_JSON_MAX 65536

/* A bound in time: a wall clock, compared with the capture's (the upload's where that is unknown),
 * or an instant. Microseconds since 2000. */
typedef struct lum_moment {
    bool has;
    bool is_instant;
    int64_t us;
} lum_moment;

typedef struct lum_texts {
    const pgc_text *items;
    size_t count; /* 0: not asked */
} lum_texts;

/* Zeroed it finds everything. Texts are borrowed. */
typedef struct lum_filter {
    pgc_opt_i32 owner_id; /* another user's: nothing is found */
    pgc_text asset_type;
    pgc_opt_uuid repository_id;
    pgc_opt_i32 album_id;
    pgc_text camera_make, camera_model, lens_model; /* equal */
    pgc_opt_i32 iso_min, iso_max;
    pgc_opt_f64 aperture_min, aperture_max; /* f-number */
    pgc_opt_f64 focal_min, focal_max;       /* millimetres */
    lum_moment taken_from, taken_before;
    pgc_opt_f64 south, west, north, east; /* degrees, all or none; west > east crosses 180 */
    pgc_opt_f64 near_latitude, near_longitude, near_metres; /* all or none */
    pgc_opt_bool has_place;
    pgc_opt_i32 rating, rating_min; /* 0: not rated */
    pgc_opt_bool liked, is_raw;
    lum_texts tags_any, tags_all, tags_none; /* names */
    pgc_text name_contains, name_prefix;     /* of the file; case is ignored */
    pgc_text words; /* all of them in name, description, camera or lens; the last may be cut off */
} lum_filter;

/* PGC_INVALID names the member and what it may be. */
pgc_status lum_filter_check(const lum_filter *filter, pgc_error *err) PGC_MUST_CHECK;
/* The same for equal filters, another one for others. */
pgc_status lum_filter_digest(const lum_filter *filter, uint8_t out[static SHA256_SIZE],
                             pgc_error *err) PGC_MUST_CHECK;

/* A filter that owns its texts. One thread at a time. */
typedef struct lum_filter_doc lum_filter_doc;

pgc_status lum_filter_doc_new(lum_filter_doc **out, pgc_error *err) PGC_MUST_CHECK;
void lum_filter_doc_free(lum_filter_doc *doc);
static inline void lum_filter_doc_auto(lum_filter_doc **local)
{
    lum_filter_doc_free(*local);
}
/* Valid until the next change. */
const lum_filter *lum_filter_doc_get(const lum_filter_doc *doc);
/* Set one member by its name from text, as a command line gives it: times as lum_when_parse(),
 * lists with commas, truth as yes or no. PGC_INVALID for unknown names and unfit values. */
pgc_status lum_filter_doc_set(lum_filter_doc *doc, const char *name, slice text, pgc_error *err)
    PGC_MUST_CHECK;
/* A new one from a JSON object of the same names: {"type": "photo", "iso_min": 800,
 * "tags_any": ["beach"]}; null is not asked. Unknown names, doubled names, wrong types and unfit
 * values are PGC_INVALID, and so is a filter that lum_filter_check() refuses. */
pgc_status lum_filter_parse(slice json, lum_filter_doc **out, pgc_error *err) PGC_MUST_CHECK;

typedef enum lum_filter_kind {
    LUM_FILTER_TEXT,
    LUM_FILTER_INTEGER,
    LUM_FILTER_NUMBER,
    LUM_FILTER_FLAG,
    LUM_FILTER_UUID,
    LUM_FILTER_FROM,   /* moment: the first one of a day, month or year */
    LUM_FILTER_BEFORE, /* moment: the first one behind it */
    LUM_FILTER_TEXTS
} lum_filter_kind;

/* The members by name: what JSON and the command line are read by. */
typedef struct lum_filter_field {
    const char *name;
    const char *value; /* for help: "N" */
    const char *help;
    size_t offset;
    lum_filter_kind kind;
    double min, max; /* of numbers */
} lum_filter_field;
extern const lum_filter_field LUM_FILTER_FIELDS[];
extern const size_t LUM_FILTER_FIELD_COUNT;
/* Whether a member is asked for. */
bool lum_filter_has(const lum_filter *filter, const lum_filter_field *field);

#endif
