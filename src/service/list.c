/* Lists of assets. The statement holds every condition; what is not asked is NULL, and the planner,
 * which sees the values, leaves it out. Where one condition alone leaves few assets (an album, a
 * rare tag, a part of a name) those are fetched first and handed over as candidates: the planner
 * cannot know how few they are. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/list.h"

#include "base/arena.h"
#include "service/asset.h"
#include "service/check.h"
#include "service/list_frequent.h"

#define CANDIDATES_MAX  2000                 /* more are found faster along the list's own index */
#define TAG_USES_MAX    (5 * CANDIDATES_MAX) /* as far as uses of a tag are counted */
#define E7              1e7
#define RADIANS         (3.14159265358979323846 / 180)
#define METRES_A_DEGREE 111194.9                       /* on the sphere of metres_between() */
#define LOCAL_SLACK_US  (INT64_C(25) * 3600 * 1000000) /* a wall clock is never further from UTC */

static const struct sort_name {
    const char *name;
    lum_sort plain, reverse;
} SORTS[] = {
    { "taken", REPO_FILTER_ASSETS_SORT_TAKEN_DESC, REPO_FILTER_ASSETS_SORT_TAKEN_ASC },
    { "uploaded", REPO_FILTER_ASSETS_SORT_UPLOADED_DESC, REPO_FILTER_ASSETS_SORT_UPLOADED_ASC },
    { "name", REPO_FILTER_ASSETS_SORT_NAME_ASC, REPO_FILTER_ASSETS_SORT_NAME_DESC },
    { "size", REPO_FILTER_ASSETS_SORT_SIZE_DESC, REPO_FILTER_ASSETS_SORT_SIZE_ASC },
    { "rating", REPO_FILTER_ASSETS_SORT_RATING_DESC, REPO_FILTER_ASSETS_SORT_RATING_ASC },
};

pgc_status lum_sort_parse(slice text, lum_sort *out, pgc_error *err)
{
    bool reverse = slice_starts(text, SLICE("-"));
    for (size_t i = 0; i < ARRAY_LEN(SORTS); i++) {
        if (slice_eq_str(slice_sub(text, reverse ? 1 : 0, text.len), SORTS[i].name)) {
            *out = reverse ? SORTS[i].reverse : SORTS[i].plain;
            return PGC_OK;
        }
    }
    return pgc_error_set(err, PGC_INVALID,
                         "order \"%" SLICE_FMT "\": use taken, uploaded, name, size or rating, "
                         "with a hyphen in front for the other way round",
                         SLICE_ARG(check_quote(text)));
}

/* What one call works with: parameters, and the memory that they point into. */
typedef struct lister {
    lum_actor actor;
    const lum_filter *filter;
    repo_filter_assets_params params;
    arena *mem;
    repo_album_candidates_set candidates; /* of whichever query; they are all the same set */
} lister;

static void lister_auto(lister *l)
{
    repo_album_candidates_set_free(&l->candidates);
    arena_free(l->mem);
}

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
static void fill_circle_box(const lum_filter *f, double reach, repo_filter_assets_params *p)
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
static void fill_circle(const lum_filter *f, repo_filter_assets_params *p)
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
static void fill_times(const lum_filter *f, repo_filter_assets_params *p)
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

static void fill_rating(const lum_filter *f, repo_filter_assets_params *p)
{
    pgc_opt_i32 low = f->rating_min;
    if (f->rating.has && (!low.has || low.v < f->rating.v)) {
        low = f->rating;
    }
    p->stars_min = (pgc_opt_i16) { low.has, (int16_t) low.v };
    p->stars_max = (pgc_opt_i16) { f->rating.has, (int16_t) f->rating.v };
}

/* All conditions that need no look at the database. */
static void fill_simple(const lum_filter *f, lum_actor actor, repo_filter_assets_params *p)
{
    p->owner_id = f->owner_id.has ? f->owner_id.v : actor.user_id;
    p->wanted_type = f->asset_type;
    p->wanted_repository = f->repository_id;
    p->album_id = f->album_id;
    p->make = f->camera_make;
    p->model = f->camera_model;
    p->lens = f->lens_model;
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
    p->wanted_liked = f->liked;
    p->wanted_raw = f->is_raw;
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
static pgc_status resolve_tags(lister *l, const lum_texts *names, tag_list *out, pgc_error *err)
{
    if (names->count == 0) {
        return PGC_OK;
    }
    repo_find_tags_row_set found = { 0 };
    const repo_find_tags_params params = {
        .owner_id = l->params.owner_id,
        .count_limit = TAG_USES_MAX + 1,
        .names = { .has = true, .count = names->count, .v = names->items },
    };
    TRY(repo_find_tags(l->actor.db, &params, &found, err));
    int32_t *ids = ARENA_ARRAY(l->mem, found.count * 3 + 3, int32_t);
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
static void keep_candidates(lister *l, repo_album_candidates_set *found)
{
    assert(!l->params.candidates.has);
    if (found->count == 1 && found->rows[0].count <= CANDIDATES_MAX) {
        repo_album_candidates_set_free(&l->candidates);
        l->candidates = *found;
        l->params.candidates = found->rows[0];
        l->params.candidates.has = true;
        return;
    }
    repo_album_candidates_set_free(found);
}

static pgc_status candidates_of_tags(lister *l, pgc_arr_i32 ids, pgc_error *err)
{
    repo_tag_candidates_set found = { 0 };
    const repo_tag_candidates_params params = { .owner_id = l->params.owner_id,
                                                .tag_ids = ids,
                                                .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_tag_candidates(l->actor.db, &params, &found, err));
    keep_candidates(l, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

static pgc_status candidates_of_all_tags(lister *l, pgc_error *err)
{
    repo_all_tags_candidates_set found = { 0 };
    const repo_all_tags_candidates_params params = { .owner_id = l->params.owner_id,
                                                     .tag_ids = l->params.tags_all,
                                                     .name_count = l->params.tags_all_names,
                                                     .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_all_tags_candidates(l->actor.db, &params, &found, err));
    keep_candidates(l, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

/* A box across 180 degrees would be two. */
static pgc_status candidates_of_place(lister *l, pgc_error *err)
{
    const repo_filter_assets_params *p = &l->params;
    repo_place_candidates_set found = { 0 };
    const repo_place_candidates_params params = { .owner_id = p->owner_id,
                                                  .south = p->south.v,
                                                  .north = p->north.v,
                                                  .west = p->west.v,
                                                  .east = p->east.v,
                                                  .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_place_candidates(l->actor.db, &params, &found, err));
    keep_candidates(l, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

static pgc_status candidates_of_album(lister *l, pgc_error *err)
{
    repo_album_candidates_set found = { 0 };
    const repo_album_candidates_params params = { .album_id = l->filter->album_id.v,
                                                  .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_album_candidates(l->actor.db, &params, &found, err));
    keep_candidates(l, &found);
    return PGC_OK;
}

static pgc_status candidates_of_name(lister *l, pgc_error *err)
{
    repo_name_candidates_set found = { 0 };
    const repo_name_candidates_params params = { .name_part = l->filter->name_contains,
                                                 .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_name_candidates(l->actor.db, &params, &found, err));
    keep_candidates(l, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

static pgc_status candidates_of_words(lister *l, pgc_error *err)
{
    repo_word_candidates_set found = { 0 };
    const repo_word_candidates_params params = { .words = l->filter->words,
                                                 .row_limit = CANDIDATES_MAX + 1 };
    TRY(repo_word_candidates(l->actor.db, &params, &found, err));
    keep_candidates(l, &(repo_album_candidates_set) { found.rows, found.count, found.result });
    return PGC_OK;
}

/* The first condition that leaves few assets gives the candidates; each question is bounded. */
static pgc_status find_candidates(lister *l, const tag_list *any, const tag_list *all,
                                  pgc_error *err)
{
    const lum_filter *f = l->filter;
    if (all->ids.has && all->rarest_uses <= CANDIDATES_MAX) {
        return candidates_of_tags(l, all->rarest, err);
    }
    if (any->ids.has && any->uses <= CANDIDATES_MAX) {
        return candidates_of_tags(l, any->ids, err);
    }
    if (all->ids.has && all->uses <= TAG_USES_MAX) {
        TRY(candidates_of_all_tags(l, err));
    }
    if (f->album_id.has && !l->params.candidates.has) {
        TRY(candidates_of_album(l, err));
    }
    if (f->name_contains.ptr != NULL && !l->params.candidates.has) {
        TRY(candidates_of_name(l, err));
    }
    if (f->words.ptr != NULL && !l->params.candidates.has) {
        TRY(candidates_of_words(l, err));
    }
    if (l->params.south.has && l->params.west.v <= l->params.east.v && !l->params.candidates.has) {
        TRY(candidates_of_place(l, err));
    }
    return PGC_OK;
}

/* Everything but order, cursor and limit. */
static pgc_status lister_prepare(lister *l, lum_actor actor, const lum_filter *filter,
                                 pgc_error *err)
{
    static const lum_filter EVERYTHING;
    tag_list any = { 0 };
    tag_list all = { 0 };
    tag_list none = { 0 };
    l->actor = actor;
    l->filter = filter != NULL ? filter : &EVERYTHING;
    TRY(lum_filter_check(l->filter, err));
    l->mem = arena_new(NULL, 0, 0);
    if (l->mem == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "list assets");
    }
    fill_simple(l->filter, actor, &l->params);
    TRY(resolve_tags(l, &l->filter->tags_any, &any, err));
    TRY(resolve_tags(l, &l->filter->tags_all, &all, err));
    TRY(resolve_tags(l, &l->filter->tags_none, &none, err));
    l->params.tags_any = any.ids;
    l->params.tags_all = all.ids;
    l->params.tags_all_numbers = all.numbers;
    l->params.tags_none = none.ids;
    l->params.tags_all_names = distinct_names(&l->filter->tags_all);
    return find_candidates(l, &any, &all, err);
}

/* Which list a cursor belongs to: filter, order and whose it is. */
static pgc_status list_digest(const lister *l, lum_sort sort, uint8_t out[static SHA256_SIZE],
                              pgc_error *err)
{
    uint8_t digest[SHA256_SIZE + 8] = { 0 };
    TRY(lum_filter_digest(l->filter, digest, err));
    digest[SHA256_SIZE] = (uint8_t) sort;
    memcpy(digest + SHA256_SIZE + 4, &l->actor.user_id, sizeof l->actor.user_id);
    return sha256_of(digest, sizeof digest, out) ? PGC_OK
                                                 : pgc_error_set(err, PGC_NOMEM, "list assets");
}

/* The keys that an order goes by, out of a row. */
static cursor_key key_of(const repo_asset *row, lum_sort sort)
{
    cursor_key key = { .asset_id = row->asset_id };
    switch (sort) {
    case REPO_FILTER_ASSETS_SORT_TAKEN_DESC:
    case REPO_FILTER_ASSETS_SORT_TAKEN_ASC:
        key.first = row->captured_local.us;
        break;
    case REPO_FILTER_ASSETS_SORT_UPLOADED_DESC:
    case REPO_FILTER_ASSETS_SORT_UPLOADED_ASC:
        key.first = row->uploaded_at.us;
        break;
    case REPO_FILTER_ASSETS_SORT_NAME_DESC:
    case REPO_FILTER_ASSETS_SORT_NAME_ASC:
        key.name = row->name_key;
        break;
    case REPO_FILTER_ASSETS_SORT_SIZE_DESC:
    case REPO_FILTER_ASSETS_SORT_SIZE_ASC:
        key.first = row->file_size;
        break;
    case REPO_FILTER_ASSETS_SORT_RATING_DESC:
    case REPO_FILTER_ASSETS_SORT_RATING_ASC:
        key.first = row->stars;
        key.second = row->captured_local.us;
        break;
    }
    return key;
}

/* And back into parameters. */
static void key_apply(const cursor_key *key, lum_sort sort, repo_filter_assets_params *p)
{
    p->after_id = (pgc_opt_uuid) { true, key->asset_id };
    switch (sort) {
    case REPO_FILTER_ASSETS_SORT_TAKEN_DESC:
    case REPO_FILTER_ASSETS_SORT_TAKEN_ASC:
        p->after_local = (pgc_opt_timestamp) { true, { key->first } };
        break;
    case REPO_FILTER_ASSETS_SORT_UPLOADED_DESC:
    case REPO_FILTER_ASSETS_SORT_UPLOADED_ASC:
        p->after_instant = (pgc_opt_timestamptz) { true, { key->first } };
        break;
    case REPO_FILTER_ASSETS_SORT_NAME_DESC:
    case REPO_FILTER_ASSETS_SORT_NAME_ASC:
        p->after_name = key->name;
        break;
    case REPO_FILTER_ASSETS_SORT_SIZE_DESC:
    case REPO_FILTER_ASSETS_SORT_SIZE_ASC:
        p->after_number = (pgc_opt_i64) { true, key->first };
        break;
    case REPO_FILTER_ASSETS_SORT_RATING_DESC:
    case REPO_FILTER_ASSETS_SORT_RATING_ASC:
        p->after_stars = (pgc_opt_i16) { true, (int16_t) key->first };
        p->after_local = (pgc_opt_timestamp) { true, { key->second } };
        break;
    }
}

/* The same conditions for the statement that counts. */
static pgc_status lister_count(const lister *l, int64_t *out, pgc_error *err)
{
#define COPY(member) .member = l->params.member
    const repo_count_filtered_assets_params params = {
        COPY(owner_id),       COPY(candidates),   COPY(wanted_type),  COPY(wanted_repository),
        COPY(make),           COPY(model),        COPY(lens),         COPY(iso_min),
        COPY(iso_max),        COPY(aperture_min), COPY(aperture_max), COPY(focal_min),
        COPY(focal_max),      COPY(local_from),   COPY(local_before), COPY(instant_from),
        COPY(instant_before), COPY(south),        COPY(north),        COPY(west),
        COPY(east),           COPY(near_south),   COPY(near_north),   COPY(near_latitude),
        COPY(near_longitude), COPY(near_metres),  COPY(has_place),    COPY(stars_min),
        COPY(stars_max),      COPY(wanted_liked), COPY(wanted_raw),   COPY(name_prefix),
        COPY(name_part),      COPY(album_id),     COPY(tags_any),     COPY(tags_all),
        COPY(tags_all_names), COPY(tags_none),    COPY(words),        COPY(tags_all_numbers),
    };
#undef COPY
    return repo_count_filtered_assets(l->actor.db, &params, out, err);
}

/* One row more than asked for tells whether there is a next page. */
static pgc_status page_finish(const lum_list *list, const uint8_t digest[static SHA256_SIZE],
                              lum_asset_page *page, pgc_error *err)
{
    if (page->assets.count <= (size_t) list->limit) {
        return PGC_OK;
    }
    page->assets.count = (size_t) list->limit;
    const cursor_key key = key_of(&page->assets.rows[list->limit - 1], list->sort);
    return cursor_write(&key, digest, page->next, err);
}

/* By the statement that can do everything. */
static pgc_status read_filtered(lister *l, lum_sort sort, int64_t row_limit,
                                const cursor_key *after, repo_asset_set *out, pgc_error *err)
{
    if (after != NULL) {
        key_apply(after, sort, &l->params);
    }
    l->params.sort = sort;
    l->params.row_limit = row_limit;
    return repo_filter_assets(l->actor.db, &l->params, out, err);
}

static pgc_status page_read(lister *l, const lum_list *list, lum_asset_page *page, pgc_error *err)
{
    uint8_t digest[SHA256_SIZE];
    char room[LUM_CURSOR_SIZE];
    cursor_key key;
    const cursor_key *after = list->cursor.ptr != NULL ? &key : NULL;
    int64_t row_limit = (int64_t) list->limit + 1;
    TRY(lister_prepare(l, l->actor, list->filter, err));
    TRY(list_digest(l, list->sort, digest, err));
    if (after != NULL) {
        TRY(cursor_read(list->cursor, digest, room, &key, err));
    }
    if (list_is_frequent(l->filter, list->sort, l->actor)) {
        TRY(list_frequent(l->actor, l->filter, list->sort, row_limit, after, &page->assets, err));
    } else {
        TRY(read_filtered(l, list->sort, row_limit, after, &page->assets, err));
    }
    TRY(page_finish(list, digest, page, err));
    return list->want_total ? lister_count(l, &page->total, err) : PGC_OK;
}

pgc_status lum_asset_filter(lum_actor actor, const lum_list *list, lum_asset_page *out,
                            pgc_error *err)
{
    AUTO(lister_auto) lister l = { .actor = actor };
    lum_asset_page page = { .total = -1 };
    if (list->limit < 1 || list->limit > LUM_PAGE_MAX) {
        return pgc_error_set(err, PGC_INVALID, "list assets: a page of %" PRId32 " rows; 1 to %d",
                             list->limit, LUM_PAGE_MAX);
    }
    if ((unsigned) list->sort > (unsigned) REPO_FILTER_ASSETS_SORT_RATING_ASC) {
        return pgc_error_set(err, PGC_INVALID, "list assets: order %d", (int) list->sort);
    }
    pgc_status status = page_read(&l, list, &page, err);
    if (status != PGC_OK) {
        lum_asset_page_free(&page);
        return pgc_error_wrap(err, status, "list assets");
    }
    *out = page;
    return PGC_OK;
}

pgc_status lum_asset_count(lum_actor actor, const lum_filter *filter, int64_t *out, pgc_error *err)
{
    AUTO(lister_auto) lister l = { 0 };
    pgc_status status = lister_prepare(&l, actor, filter, err);
    if (status == PGC_OK) {
        status = lister_count(&l, out, err);
    }
    return pgc_error_wrap(err, status, "count assets");
}

void lum_asset_page_free(lum_asset_page *page)
{
    repo_asset_set_free(&page->assets);
    page->next[0] = '\0';
}
