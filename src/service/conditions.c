/* What a filter means to the database. Names of tags become ids; where one condition alone leaves
 * few assets (an album, a rare tag, a place, a part of a name) those are fetched first and handed
 * over as candidates: the planner cannot know how few they are. No state; thread-safe as the
 * actor's handle.
 */
#include "base/prelude.h"

#include "service/conditions.h"

#define CANDIDATES_MAX  2000                 /* more are found faster along the list's own index */
#define TAG_USES_MAX    (5 * CANDIDATES_MAX) /* as many links are read for several tags at once */
#define E7              1e7
#define RADIANS         (3.14159265358979323846 / 180)
#define METRES_A_DEGREE 111194.9                       /* on the sphere of metres_between() */
#define LOCAL_SLACK_US  (INT64_C(25) * 3600 * 1000000) /* a wall clock is never further from UTC */

static pgc_opt_i32 degrees_e7(pgc_opt_f64 degrees)
{
    return (pgc_opt_i32) { degrees.has, degrees.has ? (int32_t) lround(degrees.v * E7) : 0 };
}

static pgc_opt_i32 longitude_e7(double degrees)
{
    double wrapped = degrees < -180 ? degrees + 360 : degrees > 180 ? degrees - 360 : degrees;
    return degrees_e7((pgc_opt_f64) { true, wrapped });
}

/* The box around a circle; none that holds a pole, around which all longitudes are near. */
static void fill_circle_box(const lum_filter *f, double reach, repo_search_filter *p)
{
    double latitude = f->near_latitude.v;
    double sine = sin(reach * RADIANS) / cos(latitude * RADIANS);
    if (fabs(latitude) + reach >= 90 || !(sine < 1)) {
        return;
    }
    double width = asin(sine) / RADIANS + 1 / E7;
    p->south = degrees_e7((pgc_opt_f64) { true, latitude - reach });
    p->north = degrees_e7((pgc_opt_f64) { true, latitude + reach });
    p->west = longitude_e7(f->near_longitude.v - width);
    p->east = longitude_e7(f->near_longitude.v + width);
}

/* A latitude band around the circle, which the index on places can use, and a box where none is
 * asked for. */
static void fill_circle(const lum_filter *f, repo_search_filter *p)
{
    if (!f->near_metres.has) {
        return;
    }
    double reach = f->near_metres.v / METRES_A_DEGREE + 1 / E7;
    if (!f->south.has) {
        fill_circle_box(f, reach, p);
    }
    p->near_latitude = degrees_e7(f->near_latitude);
    p->near_longitude = degrees_e7(f->near_longitude);
    p->near_metres = f->near_metres;
    p->near_south = degrees_e7((pgc_opt_f64) { true, fmax(f->near_latitude.v - reach, -90) });
    p->near_north = degrees_e7((pgc_opt_f64) { true, fmin(f->near_latitude.v + reach, 90) });
}

/* Instants bound the wall clock too, by what time zones can differ: so the index on it serves. */
static void fill_times(const lum_filter *f, repo_search_filter *p)
{
    lum_moment from = f->taken_from;
    lum_moment before = f->taken_before;
    int64_t from_slack = from.is_instant ? LOCAL_SLACK_US : 0;
    int64_t before_slack = before.is_instant ? LOCAL_SLACK_US : 0;
    p->local_from = (pgc_opt_timestamp) { from.has, { from.us - from_slack } };
    p->local_before = (pgc_opt_timestamp) { before.has, { before.us + before_slack } };
    p->instant_from = (pgc_opt_timestamptz) { from.has && from.is_instant, { from.us } };
    p->instant_before = (pgc_opt_timestamptz) { before.has && before.is_instant, { before.us } };
}

static void fill_rating(const lum_filter *f, repo_search_filter *p)
{
    pgc_opt_i32 low = f->rating_min;
    if (f->rating.has && (!low.has || low.v < f->rating.v)) {
        low = f->rating;
    }
    p->stars_min = low;
    p->stars_max = f->rating;
}

/* All conditions that need no look at the database. */
static void fill_simple(const lum_filter *f, repo_search_filter *p)
{
    p->asset_type = f->asset_type;
    p->repository_id = f->repository_id;
    p->album_id = f->album_id;
    p->camera_make = f->camera_make;
    p->camera_model = f->camera_model;
    p->lens_model = f->lens_model;
    p->iso_min = f->iso_min;
    p->iso_max = f->iso_max;
    p->aperture_min = f->aperture_min;
    p->aperture_max = f->aperture_max;
    p->focal_min = f->focal_min;
    p->focal_max = f->focal_max;
    p->south = degrees_e7(f->south);
    p->north = degrees_e7(f->north);
    p->west = degrees_e7(f->west);
    p->east = degrees_e7(f->east);
    p->has_place = f->has_place;
    p->liked = f->liked;
    p->is_raw = f->is_raw;
    p->name_prefix = f->name_prefix;
    p->name_part = f->name_contains;
    p->words = f->words;
    fill_circle(f, p);
    fill_times(f, p);
    fill_rating(f, p);
}

/* Ids of tags, and the fewest assets that one condition on them leaves. */
typedef struct tag_list {
    pgc_arr_i32 ids;
    pgc_arr_i32 numbers; /* of each id: which name it goes by */
    pgc_arr_i32 rarest;  /* the tags of the name with the fewest assets */
    int64_t uses;        /* of all */
    int64_t rarest_uses;
} tag_list;

/* The place of a name among those that were asked for; the server's answer has no others. */
static int32_t name_number(const lum_texts *names, slice name)
{
    int32_t number = 0;
    while ((size_t) number < names->count && !slice_eq(names->items[number], name)) {
        number++;
    }
    assert((size_t) number < names->count);
    return number;
}

/* Adds up by name: a name may be one of the system's tags and one of the owner's. */
static void count_rarest(const repo_find_tags_row_set *found, const lum_texts *names, int32_t *ids,
                         tag_list *out)
{
    out->rarest_uses = INT64_MAX;
    for (size_t n = 0; n < names->count; n++) {
        int64_t uses = 0;
        for (size_t i = 0; i < found->count; i++) {
            uses += slice_eq(found->rows[i].name, names->items[n]) ? found->rows[i].uses : 0;
        }
        if (uses >= out->rarest_uses) {
            continue;
        }
        size_t count = 0;
        for (size_t i = 0; i < found->count; i++) {
            if (slice_eq(found->rows[i].name, names->items[n])) {
                ids[count++] = found->rows[i].tag_id;
            }
        }
        out->rarest = (pgc_arr_i32) { .has = true, .count = count, .v = ids };
        out->rarest_uses = uses;
    }
}

/* Names become ids, so that the planner knows how frequent they are. */
static pgc_status resolve_tags(conditions *c, const lum_texts *names, tag_list *out, pgc_error *err)
{
    if (names->count == 0) {
        return PGC_OK;
    }
    repo_find_tags_row_set found = { 0 };
    const repo_find_tags_params params = {
        .owner_id = c->owner_id,
        .names = { .has = true, .count = names->count, .v = names->items },
    };
    TRY(repo_find_tags(c->actor.db, &params, &found, err));
    int32_t *ids = ARENA_ARRAY(c->mem, found.count * 3 + 3, int32_t);
    if (ids != NULL) {
        int32_t *numbers = ids + found.count + 1;
        for (size_t i = 0; i < found.count; i++) {
            ids[i] = found.rows[i].tag_id;
            numbers[i] = name_number(names, found.rows[i].name);
            out->uses += found.rows[i].uses;
        }
        out->ids = (pgc_arr_i32) { .has = true, .count = found.count, .v = ids };
        out->numbers = (pgc_arr_i32) { .has = true, .count = found.count, .v = numbers };
        count_rarest(&found, names, numbers + found.count + 1, out);
    }
    repo_find_tags_row_set_free(&found);
    return ids == NULL ? pgc_error_set(err, PGC_NOMEM, "look up tags") : PGC_OK;
}

/* How often one name stands in a list: a doubled name must not be counted twice. */
static int64_t distinct_names(const lum_texts *names)
{
    int64_t distinct = 0;
    for (size_t i = 0; i < names->count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++) {
            seen = slice_eq(names->items[i], names->items[k]);
        }
        distinct += seen ? 0 : 1;
    }
    return distinct;
}

/* Takes an answer over when it is small enough to help; else it is dropped. */
static void keep_candidates(conditions *c, repo_album_candidates_set *found)
{
    assert(!c->sql.candidates.has);
    if (found->count == 1 && found->rows[0].has && found->rows[0].count <= CANDIDATES_MAX) {
        repo_album_candidates_set_free(&c->candidates);
        c->candidates = *found;
        c->sql.candidates = found->rows[0];
        c->sql.candidates.has = true;
        return;
    }
    repo_album_candidates_set_free(found);
}

static pgc_status candidates_of_tags(conditions *c, pgc_arr_i32 ids, pgc_error *err)
{
    repo_tag_candidates_set found = { 0 };
    const repo_tag_candidates_params params = { .owner_id = c->owner_id,
                                                .tag_ids = ids,
                                                .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_tag_candidates(c->actor.db, &params, &found, err));
    keep_candidates(c, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

static pgc_status candidates_of_all_tags(conditions *c, pgc_error *err)
{
    repo_all_tags_candidates_set found = { 0 };
    const repo_all_tags_candidates_params params = { .owner_id = c->owner_id,
                                                     .tag_ids = c->sql.tags_all,
                                                     .name_count = c->sql.tags_all_names.v,
                                                     .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_all_tags_candidates(c->actor.db, &params, &found, err));
    keep_candidates(c, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

/* A box across 180 degrees would be two. */
static pgc_status candidates_of_place(conditions *c, pgc_error *err)
{
    const repo_search_filter *p = &c->sql;
    repo_place_candidates_set found = { 0 };
    const repo_place_candidates_params params = { .owner_id = c->owner_id,
                                                  .south = p->south.v,
                                                  .north = p->north.v,
                                                  .west = p->west.v,
                                                  .east = p->east.v,
                                                  .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_place_candidates(c->actor.db, &params, &found, err));
    keep_candidates(c, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

static pgc_status candidates_of_album(conditions *c, pgc_error *err)
{
    repo_album_candidates_set found = { 0 };
    const repo_album_candidates_params params = { .album_id = c->filter->album_id.v,
                                                  .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_album_candidates(c->actor.db, &params, &found, err));
    keep_candidates(c, &found);
    return PGC_OK;
}

static pgc_status candidates_of_name(conditions *c, pgc_error *err)
{
    repo_name_candidates_set found = { 0 };
    const repo_name_candidates_params params = { .name_part = c->filter->name_contains,
                                                 .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_name_candidates(c->actor.db, &params, &found, err));
    keep_candidates(c, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

/* Of ranges of ISO, aperture and focal length. */
static pgc_status candidates_of_measures(conditions *c, pgc_error *err)
{
    repo_measured_candidates_set found = { 0 };
    const repo_measured_candidates_params params = { .filter = c->sql,
                                                     .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_measured_candidates(c->actor.db, &params, &found, err));
    keep_candidates(c, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

static bool asks_for_measures(const lum_filter *f)
{
    return f->iso_min.has || f->iso_max.has || f->aperture_min.has || f->aperture_max.has ||
           f->focal_min.has || f->focal_max.has;
}

static pgc_status candidates_of_words(conditions *c, pgc_error *err)
{
    repo_word_candidates_set found = { 0 };
    const repo_word_candidates_params params = { .words = c->filter->words,
                                                 .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_word_candidates(c->actor.db, &params, &found, err));
    keep_candidates(c, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

/* The first condition that leaves few assets gives the candidates; each question is bounded. */
static pgc_status find_candidates(conditions *c, const tag_list *any, const tag_list *all,
                                  pgc_error *err)
{
    const lum_filter *f = c->filter;
    if (all->ids.has && all->rarest_uses <= CANDIDATES_MAX) {
        return candidates_of_tags(c, all->rarest, err);
    }
    if (any->ids.has && any->uses <= CANDIDATES_MAX) {
        return candidates_of_tags(c, any->ids, err);
    }
    if (all->ids.has && all->uses <= TAG_USES_MAX) {
        TRY(candidates_of_all_tags(c, err));
    }
    if (f->album_id.has && !c->sql.candidates.has) {
        TRY(candidates_of_album(c, err));
    }
    if (f->name_contains.ptr != NULL && !c->sql.candidates.has) {
        TRY(candidates_of_name(c, err));
    }
    if (f->words.ptr != NULL && !c->sql.candidates.has) {
        TRY(candidates_of_words(c, err));
    }
    if (c->sql.south.has && c->sql.west.v <= c->sql.east.v && !c->sql.candidates.has) {
        TRY(candidates_of_place(c, err));
    }
    if (asks_for_measures(f) && !c->sql.candidates.has) {
        TRY(candidates_of_measures(c, err));
    }
    return PGC_OK;
}

pgc_status conditions_make(lum_actor actor, const lum_filter *filter, conditions *out,
                           pgc_error *err)
{
    static const lum_filter EVERYTHING;
    AUTO(conditions_done) conditions made = { .actor = actor };
    tag_list any = { 0 };
    tag_list all = { 0 };
    tag_list none = { 0 };
    conditions *c = &made;
    c->filter = filter != NULL ? filter : &EVERYTHING;
    TRY(lum_filter_check(c->filter, err));
    c->mem = arena_new(NULL, 0, 0);
    if (c->mem == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "conditions of a filter");
    }
    c->owner_id = c->filter->owner_id.has ? c->filter->owner_id.v : actor.user_id;
    fill_simple(c->filter, &c->sql);
    TRY(resolve_tags(c, &c->filter->tags_any, &any, err));
    TRY(resolve_tags(c, &c->filter->tags_all, &all, err));
    TRY(resolve_tags(c, &c->filter->tags_none, &none, err));
    c->sql.tags_any = any.ids;
    c->sql.tags_all = all.ids;
    c->sql.tags_all_numbers = all.numbers;
    c->sql.tags_none = none.ids;
    c->sql.tags_all_names =
        (pgc_opt_i32) { all.ids.has, (int32_t) distinct_names(&c->filter->tags_all) };
    TRY(find_candidates(c, &any, &all, err));
    *out = made;
    made = (conditions) { .filter = NULL };
    return PGC_OK;
}

bool conditions_are_linked(const conditions *c)
{
    return c->sql.album_id.has || c->sql.tags_any.has || c->sql.tags_all.has ||
           c->sql.tags_none.has || c->sql.words.ptr != NULL;
}

void conditions_done(conditions *c)
{
    repo_album_candidates_set_free(&c->candidates);
    arena_free(c->mem);
    *c = (conditions) { .filter = NULL };
}
