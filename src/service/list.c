/* Lists of assets by filter, order and page. The statement holds every condition; what is not asked
 * is NULL, and the planner, which sees the values, leaves it out. Cursors hold the keys of a page's
 * last row and fit their own list only. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "service/list.h"

#include "service/asset.h"
#include "service/check.h"
#include "service/conditions.h"
#include "service/list_frequent.h"

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

/* Which list a cursor belongs to: filter, order and whose it is. */
static pgc_status list_digest(const conditions *c, lum_sort sort, uint8_t out[static SHA256_SIZE],
                              pgc_error *err)
{
    uint8_t digest[SHA256_SIZE + 8] = { 0 };
    TRY(lum_filter_digest(c->filter, digest, err));
    digest[SHA256_SIZE] = (uint8_t) sort;
    memcpy(digest + SHA256_SIZE + 4, &c->actor.user_id, sizeof c->actor.user_id);
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

static pgc_status count_all(const conditions *c, int64_t *out, pgc_error *err)
{
    const repo_count_filtered_assets_params params = { .owner_id = c->owner_id, .filter = c->sql };
    return repo_count_filtered_assets(c->actor.db, &params, out, err);
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
static pgc_status read_filtered(const conditions *c, lum_sort sort, int64_t row_limit,
                                const cursor_key *after, repo_asset_set *out, pgc_error *err)
{
    repo_filter_assets_params params = { .owner_id = c->owner_id,
                                         .filter = c->sql,
                                         .row_limit = row_limit,
                                         .sort = sort,
                                         .way = conditions_are_linked(c)
                                                    ? REPO_FILTER_ASSETS_WAY_LINKED
                                                    : REPO_FILTER_ASSETS_WAY_ALONE };
    if (after != NULL) {
        key_apply(after, sort, &params);
    }
    return repo_filter_assets(c->actor.db, &params, out, err);
}

static pgc_status page_read(const conditions *c, const lum_list *list, lum_asset_page *page,
                            pgc_error *err)
{
    uint8_t digest[SHA256_SIZE];
    char room[LUM_CURSOR_SIZE];
    cursor_key key;
    const cursor_key *after = list->cursor.ptr != NULL ? &key : NULL;
    int64_t row_limit = (int64_t) list->limit + 1;
    TRY(list_digest(c, list->sort, digest, err));
    if (after != NULL) {
        TRY(cursor_read(list->cursor, digest, room, &key, err));
    }
    if (list_is_frequent(c->filter, list->sort, c->actor)) {
        TRY(list_frequent(c->actor, c->filter, list->sort, row_limit, after, &page->assets, err));
    } else {
        TRY(read_filtered(c, list->sort, row_limit, after, &page->assets, err));
    }
    TRY(page_finish(list, digest, page, err));
    return list->want_total ? count_all(c, &page->total, err) : PGC_OK;
}

pgc_status lum_asset_filter(lum_actor actor, const lum_list *list, lum_asset_page *out,
                            pgc_error *err)
{
    AUTO(conditions_done) conditions c = { .filter = NULL };
    lum_asset_page page = { .total = -1 };
    if (list->limit < 1 || list->limit > LUM_PAGE_MAX) {
        return pgc_error_set(err, PGC_INVALID, "list assets: a page of %" PRId32 " rows; 1 to %d",
                             list->limit, LUM_PAGE_MAX);
    }
    if ((unsigned) list->sort > (unsigned) REPO_FILTER_ASSETS_SORT_RATING_ASC) {
        return pgc_error_set(err, PGC_INVALID, "list assets: order %d", (int) list->sort);
    }
    pgc_status status = conditions_make(actor, list->filter, &c, err);
    if (status == PGC_OK) {
        status = page_read(&c, list, &page, err);
    }
    if (status != PGC_OK) {
        lum_asset_page_free(&page);
        return pgc_error_wrap(err, status, "list assets");
    }
    *out = page;
    return PGC_OK;
}

pgc_status lum_asset_count(lum_actor actor, const lum_filter *filter, int64_t *out, pgc_error *err)
{
    AUTO(conditions_done) conditions c = { .filter = NULL };
    pgc_status status = conditions_make(actor, filter, &c, err);
    if (status == PGC_OK) {
        status = count_all(&c, out, err);
    }
    return pgc_error_wrap(err, status, "count assets");
}

void lum_asset_page_free(lum_asset_page *page)
{
    repo_asset_set_free(&page->assets);
    page->next[0] = '\0';
}
