/* A small library whose every fact C knows too (a number in file_size decides what tags and albums
 * an asset is in), random filters over it, and a naive evaluation of them in plain C. For one test
 * program each: t-list.c and t-search-filter.c. */
#ifndef TESTS_FILTER_WORLD_H
#define TESTS_FILTER_WORLD_H

#include <math.h>

#include <pgc/error.h>

#include "library.h"
#include "random.h"
#include "schema.h"
#include "service/asset.h"
#include "service/filter.h"
#include "tap.h"

#define ASSETS 300

static test_library lib;
static pgc_conn *conn; /* superuser */
static int32_t me;
static lum_actor actor;
static repo_asset_set all; /* every live asset of `me`, in no order */
static pgc_uuid archive;   /* a repository */

/* What file_size says. */
static inline bool in_album(int64_t n, int32_t album)
{
    return album == 1 ? n % 3 == 1 : album == 2 && n % 50 == 0;
}

static inline bool has_tag(int64_t n, slice name)
{
    return (slice_eq_str(name, "alpha") && n % 2 == 0) ||
           (slice_eq_str(name, "beta") && n % 3 == 0) ||
           (slice_eq_str(name, "gamma") && n % 5 == 0) ||
           (slice_eq_str(name, "rare") && n % 97 == 0);
}

/* "alpha" is two tags, the system's and an own one: an asset may have both. */
static const char LIBRARY[] =
    "INSERT INTO repositories (repo_id, name, path, owner_id, is_default) VALUES "
    "('11111111-1111-7111-8111-111111111111', 'archive', '/archive', @me, false);"
    "INSERT INTO assets (original_filename, file_path, file_size, file_hash, asset_type, owner_id,"
    " repository_id, uploaded_at, taken_at, taken_local, taken_offset_minutes, taken_source,"
    " camera_make, camera_model, lens_model, iso, aperture, focal_length, latitude, longitude,"
    " description, rating, liked, is_raw, deleted_at) "
    "SELECT (ARRAY['beach-', 'IMG_', 'Beach%', 'zoo_'])[1 + n % 4] || n / 7 || '.jpg', 'p' || n, n,"
    " 'h' || n, (ARRAY['photo', 'photo', 'video', 'audio'])[1 + n % 4], @me,"
    " CASE WHEN n % 6 = 0 THEN '11111111-1111-7111-8111-111111111111'::uuid END,"
    " timestamptz '2024-01-01Z' + interval '1 hour' * (n / 10),"
    " CASE WHEN n % 9 > 0 THEN timestamptz '2024-01-01Z' + interval '7 hours' * (n * 37 % 400) END,"
    " CASE WHEN n % 9 > 0 THEN timestamp '2024-01-01' + interval '7 hours' * (n * 37 % 400)"
    "      + interval '2 hours' * (n % 2) END,"
    " CASE WHEN n % 9 > 0 THEN 120 * (n % 2) END, CASE WHEN n % 9 > 0 THEN 'exif' END,"
    " (ARRAY['Canon', 'Nikon', NULL])[1 + n % 3], (ARRAY['R5', 'Z9', NULL, 'X'])[1 + n % 4],"
    " CASE WHEN n % 5 = 0 THEN 'EF 50mm' END, 100 * (n % 8), 1.4 + n % 5, 10 * (n % 7),"
    " CASE WHEN n % 4 > 0 THEN -80 + (n % 160) END,"
    " CASE WHEN n % 4 > 0 THEN -179.5 + (n * 13 % 359) END,"
    " CASE WHEN n % 7 = 0 THEN 'stone at the sea' WHEN n % 7 = 1 THEN 'beachcomber' END,"
    " CASE WHEN n % 3 = 0 THEN n % 6 END, n % 8 = 0, n % 10 = 0,"
    " CASE WHEN n % 20 = 19 THEN now() END FROM generate_series(0, @count - 1) n;"
    "INSERT INTO tags (tag_id, name, owner_id) VALUES (1, 'alpha', NULL), (2, 'alpha', @me),"
    " (3, 'beta', NULL), (4, 'gamma', @me), (5, 'rare', NULL);"
    "INSERT INTO asset_tags (asset_id, tag_id, owner_id, source) SELECT a.asset_id, t.tag_id, @me,"
    " 'user' FROM assets a, tags t WHERE a.owner_id = @me AND ((t.tag_id = 1 AND a.file_size % 4 = "
    "0)"
    " OR (t.tag_id = 2 AND a.file_size % 8 IN (2, 4, 6)) OR (t.tag_id = 3 AND a.file_size % 3 = 0)"
    " OR (t.tag_id = 4 AND a.file_size % 5 = 0) OR (t.tag_id = 5 AND a.file_size % 97 = 0));"
    "INSERT INTO albums (album_id, name, owner_id) VALUES (1, 'one', @me), (2, 'two', @me);"
    "INSERT INTO album_assets (album_id, asset_id, owner_id, position) SELECT b.album_id, "
    "a.asset_id,"
    " @me, a.file_size FROM assets a, albums b WHERE a.owner_id = @me AND b.owner_id = @me AND"
    " ((b.album_id = 1 AND a.file_size % 3 = 1) OR (b.album_id = 2 AND a.file_size % 50 = 0))";

/* The text with @me and @count put in. */
static inline bool script(const char *text, int32_t owner, int count)
{
    char sql[8192];
    char answer[64];
    char state[6];
    size_t used = 0;
    for (const char *at = text; *at != '\0' && used + 16 < sizeof sql;) {
        if (strncmp(at, "@me", 3) == 0 || strncmp(at, "@count", 6) == 0) {
            bool is_owner = at[1] == 'm';
            used += (size_t) snprintf(sql + used, sizeof sql - used, "%d",
                                      is_owner ? (int) owner : count);
            at += is_owner ? 3 : 6;
        } else {
            sql[used++] = *at++;
        }
    }
    sql[used] = '\0';
    schema_ask(conn, sql, answer, sizeof answer, state);
    return CHECK_STR(state, "");
}

/* ---- the naive evaluation ---- */

static inline bool text_is(pgc_text wanted, pgc_text have)
{
    return wanted.ptr == NULL || (have.ptr != NULL && slice_eq(wanted, have));
}

static inline bool number_in(pgc_opt_f64 low, pgc_opt_f64 high, const pgc_numeric *have)
{
    double value = have->present ? pgc_numeric_to_double(have) : 0;
    return (!low.has || (have->present && value >= low.v)) &&
           (!high.has || (have->present && value <= high.v));
}

static inline bool fits_numbers(const lum_filter *f, const repo_asset *a)
{
    int32_t stars = a->rating.has ? a->rating.v : 0;
    return (!f->iso_min.has || (a->iso.has && a->iso.v >= f->iso_min.v)) &&
           (!f->iso_max.has || (a->iso.has && a->iso.v <= f->iso_max.v)) &&
           number_in(f->aperture_min, f->aperture_max, &a->aperture) &&
           number_in(f->focal_min, f->focal_max, &a->focal_length) &&
           (!f->rating.has || stars == f->rating.v) &&
           (!f->rating_min.has || stars >= f->rating_min.v) &&
           (!f->liked.has || f->liked.v == a->liked) &&
           (!f->is_raw.has || f->is_raw.v == a->is_raw);
}

static inline int64_t bound_of(lum_moment bound, const repo_asset *a)
{
    if (bound.is_instant) {
        return a->taken_at.has ? a->taken_at.v.us : a->uploaded_at.us;
    }
    return a->taken_local.has ? a->taken_local.v.us : a->uploaded_at.us;
}

static inline double metres(double la, double lo, double lb, double mo)
{
    double r = 3.14159265358979323846 / 180;
    double x = sin((la - lb) * r / 2);
    double y = sin((lo - mo) * r / 2);
    return 2 * 6371008.8 * asin(sqrt(x * x + cos(la * r) * cos(lb * r) * y * y));
}

static inline bool fits_place(const lum_filter *f, const repo_asset *a)
{
    bool has = a->latitude.present;
    double latitude = has ? pgc_numeric_to_double(&a->latitude) : 0;
    double longitude = has ? pgc_numeric_to_double(&a->longitude) : 0;
    bool east = longitude <= f->east.v;
    bool west = longitude >= f->west.v;
    return (!f->has_place.has || f->has_place.v == has) &&
           (!f->south.has || (has && latitude >= f->south.v && latitude <= f->north.v &&
                              (f->west.v <= f->east.v ? east && west : east || west))) &&
           (!f->near_metres.has || (has && metres(latitude, longitude, f->near_latitude.v,
                                                  f->near_longitude.v) <= f->near_metres.v));
}

static inline bool fits_tags(const lum_filter *f, int64_t n)
{
    bool any = f->tags_any.count == 0;
    bool every = true;
    bool none = true;
    for (size_t i = 0; i < f->tags_any.count; i++) {
        any = any || has_tag(n, f->tags_any.items[i]);
    }
    for (size_t i = 0; i < f->tags_all.count; i++) {
        every = every && has_tag(n, f->tags_all.items[i]);
    }
    for (size_t i = 0; i < f->tags_none.count; i++) {
        none = none && !has_tag(n, f->tags_none.items[i]);
    }
    return any && every && none && (!f->album_id.has || in_album(n, f->album_id.v));
}

/* Lower-case letters of a text, as words between blanks. */
static inline bool has_word(slice text, slice word, bool prefix)
{
    for (size_t i = 0; i < text.len; i++) {
        bool starts = i == 0 || !isalpha((unsigned char) text.ptr[i - 1]);
        slice here = slice_sub(text, i, i + word.len);
        bool ends = i + word.len >= text.len || !isalpha((unsigned char) text.ptr[i + word.len]);
        if (starts && slice_eq_nocase(here, word) && (prefix || ends)) {
            return true;
        }
    }
    return false;
}

static inline bool has_words(slice text, slice words)
{
    bool found = true;
    for (slice rest = words; rest.ptr != NULL && found;) {
        slice word = slice_next(&rest, ' ');
        found = has_word(text, word, rest.ptr == NULL);
    }
    return found;
}

static inline bool contains(slice text, slice part)
{
    bool found = false;
    for (size_t i = 0; i + part.len <= text.len && !found; i++) {
        found = slice_eq_nocase(slice_sub(text, i, i + part.len), part);
    }
    return found;
}

static inline bool fits_text(const lum_filter *f, const repo_asset *a)
{
    char texts[1024];
    (void) snprintf(texts, sizeof texts, "%" SLICE_FMT " %" SLICE_FMT " %" SLICE_FMT " %" SLICE_FMT,
                    SLICE_ARG(a->original_filename), SLICE_ARG(a->description),
                    SLICE_ARG(a->camera_make), SLICE_ARG(a->lens_model));
    slice prefix = slice_sub(a->original_filename, 0, f->name_prefix.len);
    return (f->name_contains.ptr == NULL || contains(a->original_filename, f->name_contains)) &&
           (f->name_prefix.ptr == NULL || slice_eq_nocase(prefix, f->name_prefix)) &&
           (f->words.ptr == NULL || has_words(pgc_text_from(texts), f->words));
}

static inline bool fits(const lum_filter *f, const repo_asset *a)
{
    return (!f->owner_id.has || f->owner_id.v == me) && text_is(f->asset_type, a->asset_type) &&
           (!f->repository_id.has ||
            (a->repository_id.has &&
             memcmp(&f->repository_id.v, &a->repository_id.v, sizeof(pgc_uuid)) == 0)) &&
           text_is(f->camera_make, a->camera_make) && text_is(f->camera_model, a->camera_model) &&
           text_is(f->lens_model, a->lens_model) && fits_numbers(f, a) && fits_place(f, a) &&
           (!f->taken_from.has || bound_of(f->taken_from, a) >= f->taken_from.us) &&
           (!f->taken_before.has || bound_of(f->taken_before, a) < f->taken_before.us) &&
           fits_tags(f, a->file_size) && fits_text(f, a);
}

/* ---- random filters ---- */

static const pgc_text TAGS[] = { SLICE("alpha"), SLICE("beta"), SLICE("gamma"), SLICE("rare"),
                                 SLICE("nobody") };

static inline lum_texts some_tags(uint64_t *dice)
{
    size_t from = random_below(dice, ARRAY_LEN(TAGS));
    size_t room = ARRAY_LEN(TAGS) - from;
    return (lum_texts) { TAGS + from, 1 + random_below(dice, room < 3 ? room : 3) };
}

static inline lum_moment some_moment(uint64_t *dice)
{
    /* 2024-01-01 is day 8766 since 2000; the data go on for some 115 days */
    return (lum_moment) { .has = true,
                          .is_instant = random_below(dice, 2) == 0,
                          .us = (INT64_C(8766) * 24 + (int64_t) random_below(dice, 2800)) * 3600 *
                                1000000 };
}

static inline bool dare(uint64_t *dice)
{
    return random_below(dice, 9) == 0;
}

static inline pgc_text some_text(uint64_t *dice, const char *const *texts, size_t count)
{
    return pgc_text_from(texts[random_below(dice, count)]);
}
#define SOME_TEXT(dice, ...)                                 \
    some_text((dice), (const char *const[]) { __VA_ARGS__ }, \
              ARRAY_LEN(((const char *const[]) { __VA_ARGS__ })))

static inline pgc_opt_i32 some_integer(uint64_t *dice, uint32_t below)
{
    return (pgc_opt_i32) { true, (int32_t) random_below(dice, below) };
}

static inline pgc_opt_f64 some_number(uint64_t *dice, double low, uint32_t steps)
{
    return (pgc_opt_f64) { true, low + (double) random_below(dice, steps) };
}

static inline void random_places(uint64_t *dice, lum_filter *f)
{
    if (dare(dice)) {
        f->south = some_number(dice, -90.25, 120);
        f->south.v = fmax(f->south.v, -90);
        f->north = (pgc_opt_f64) { true, fmin(f->south.v + (double) random_below(dice, 90), 90) };
        f->west = some_number(dice, -180, 360);
        f->east = some_number(dice, -180, 360);
    }
    if (dare(dice)) {
        f->near_latitude = some_number(dice, -85, 170);
        f->near_longitude = some_number(dice, -180, 360);
        f->near_metres = (pgc_opt_f64) { true, 1000.0 * (double) random_below(dice, 9000) + 77 };
    }
}

static inline void random_sets(uint64_t *dice, lum_filter *f)
{
    f->repository_id = dare(dice) ? (pgc_opt_uuid) { true, archive } : f->repository_id;
    f->album_id = dare(dice) ? some_integer(dice, 3) : f->album_id;
    f->album_id.v += f->album_id.has ? 1 : 0;
    f->tags_any = dare(dice) ? some_tags(dice) : f->tags_any;
    f->tags_all = dare(dice) ? some_tags(dice) : f->tags_all;
    f->tags_none = dare(dice) ? some_tags(dice) : f->tags_none;
}

/* Each member with a chance of its own, so that most filters have a few. */
static inline lum_filter random_filter(uint64_t *dice)
{
    lum_filter f = { 0 };
    if (dare(dice)) {
        f.asset_type = SOME_TEXT(dice, "photo", "video", "audio");
    }
    f.camera_make = dare(dice) ? SOME_TEXT(dice, "Canon", "Nikon", "Leica") : f.camera_make;
    f.camera_model = dare(dice) ? SOME_TEXT(dice, "R5", "Z9", "X") : f.camera_model;
    f.lens_model = dare(dice) ? SOME_TEXT(dice, "EF 50mm", "none") : f.lens_model;
    f.name_contains = dare(dice) ? SOME_TEXT(dice, "1", "each", "H%", "_1", ".JPG", "\\") : f.words;
    f.name_prefix = dare(dice) ? SOME_TEXT(dice, "img_", "BEACH", "zoo", "q") : f.name_prefix;
    f.words = dare(dice)
                  ? SOME_TEXT(dice, "beach", "sea", "stone se", "canon", "beach jp", "img ef")
                  : f.words;
    f.iso_min = dare(dice) ? some_integer(dice, 800) : f.iso_min;
    f.iso_max = dare(dice) ? some_integer(dice, 100) : f.iso_max;
    f.iso_max.v += f.iso_max.has ? 700 : 0;
    f.aperture_min = dare(dice) ? some_number(dice, 1.4, 3) : f.aperture_min;
    f.aperture_max = dare(dice) ? some_number(dice, 3.4, 4) : f.aperture_max;
    f.focal_min = dare(dice) ? some_number(dice, 0, 10) : f.focal_min;
    f.focal_max = dare(dice) ? some_number(dice, 10, 60) : f.focal_max;
    f.taken_from = dare(dice) ? some_moment(dice) : f.taken_from;
    f.taken_before = dare(dice) ? some_moment(dice) : f.taken_before;
    if (f.taken_from.has && f.taken_before.has && f.taken_from.us > f.taken_before.us) {
        f.taken_before.has = false;
    }
    f.rating = dare(dice) ? some_integer(dice, 6) : f.rating;
    f.rating_min = dare(dice) ? some_integer(dice, 6) : f.rating_min;
    f.liked = dare(dice) ? (pgc_opt_bool) { true, random_below(dice, 3) > 0 } : f.liked;
    f.is_raw = dare(dice) ? (pgc_opt_bool) { true, random_below(dice, 3) == 0 } : f.is_raw;
    f.has_place = dare(dice) ? (pgc_opt_bool) { true, random_below(dice, 2) == 0 } : f.has_place;
    if (random_below(dice, 40) == 0) {
        f.owner_id = (pgc_opt_i32) { true, me + (int32_t) random_below(dice, 2) };
    }
    random_sets(dice, &f);
    random_places(dice, &f);
    return f;
}

/* ---- the library itself ---- */

static inline bool world_fill(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    if (!test_library_make(&lib) || !test_library_open(&lib, &err)) {
        (void) printf("# %s\n", err.message);
        return false;
    }
    conn = schema_connect(lib.url);
    actor = lum_session_actor(lib.session);
    me = actor.user_id;
    (void) pgc_uuid_parse(SLICE("11111111-1111-7111-8111-111111111111"), &archive);
    lum_page page = { .limit = LUM_PAGE_MAX };
    return conn != NULL && script(LIBRARY, me, ASSETS) &&
           CHECK_STATUS(lum_asset_list(actor, NULL, page, &all, &err), PGC_OK, &err) &&
           CHECK_INT(all.count, ASSETS - ASSETS / 20);
}

static inline void world_remove(void)
{
    repo_asset_set_free(&all);
    pgc_conn_close(conn);
    test_library_remove(&lib);
}

#endif
