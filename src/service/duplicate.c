/* Near duplicates: the database finds groups, here is what they are worth. No state; thread-safe as
 * the actor's handle. */
#include "base/prelude.h"

#include "service/duplicate.h"

#include "base/alloc.h"
#include "base/env.h"

static bool same_id(pgc_uuid a, pgc_uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}

static pgc_status search_check(const lum_duplicate_search *search, pgc_error *err)
{
    double distance = search->distance_most;
    if (!(distance >= 0) || distance > LUM_DUPLICATE_DISTANCE_MOST) {
        return pgc_error_set(err, PGC_INVALID, "a distance of 0 to %g",
                             LUM_DUPLICATE_DISTANCE_MOST);
    }
    if (search->piece < 0 || search->piece > LUM_DUPLICATE_PIECE || search->exact_most < 0) {
        return pgc_error_set(err, PGC_INVALID, "1 to %d assets at a time", LUM_DUPLICATE_PIECE);
    }
    return PGC_OK;
}

/* Where the piece ends; *more is false when it goes to the end. */
static pgc_status piece_end(lum_actor actor, const lum_duplicate_search *search, pgc_uuid *last,
                            bool *more, pgc_error *err)
{
    const repo_get_duplicates_end_params params = { .owner_id = actor.user_id,
                                                    .after_id = search->after,
                                                    .piece = search->piece > 0
                                                                 ? search->piece
                                                                 : LUM_DUPLICATE_PIECE };
    pgc_status status = repo_get_duplicates_end(actor.db, &params, last, err);
    *more = status == PGC_OK;
    if (status == PGC_NOT_FOUND) {
        pgc_error_clear(err);
        status = PGC_OK;
    }
    return status;
}

pgc_status lum_duplicate_find(lum_actor actor, const lum_duplicate_search *search,
                              lum_duplicate_page *out, pgc_error *err)
{
    lum_duplicate_page page = { .more = false };
    pgc_status status = search_check(search, err);
    if (status == PGC_OK) {
        status = piece_end(actor, search, &page.next, &page.more, err);
    }
    const repo_find_duplicates_params params = {
        .after_id = search->after,
        .last_id = { page.more, page.next },
        .distance_most = search->distance_most > 0 ? search->distance_most : LUM_DUPLICATE_DISTANCE,
        .sure_only = !search->similar,
        .exact_most = search->exact_most > 0 ? search->exact_most : LUM_DUPLICATE_EXACT
    };
    if (status == PGC_OK) {
        status = repo_find_duplicates(actor.db, &params, &page.rows, err);
    }
    if (status == PGC_OK) {
        *out = page;
    }
    return pgc_error_wrap(err, status, "find duplicates");
}

void lum_duplicate_page_free(lum_duplicate_page *page)
{
    repo_find_duplicates_row_set_free(&page->rows);
    page->more = false;
}

size_t lum_duplicate_group(const repo_find_duplicates_row_set *rows, size_t at)
{
    size_t count = 0;
    assert(at < rows->count);
    while (at + count < rows->count &&
           same_id(rows->rows[at + count].leader_id, rows->rows[at].leader_id)) {
        count++;
    }
    return count;
}

/* Below 0: a is worth less. */
static int worth_compare(const repo_asset *a, const repo_asset *b)
{
    const int64_t differences[] = {
        (int64_t) a->liked - (int64_t) b->liked,
        (a->rating.has ? a->rating.v : 0) - (b->rating.has ? b->rating.v : 0),
        (int64_t) a->width.v * a->height.v - (int64_t) b->width.v * b->height.v,
        a->file_size - b->file_size,
        b->uploaded_at.us - a->uploaded_at.us,
    };
    for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
        if (differences[i] != 0) {
            return differences[i] < 0 ? -1 : 1;
        }
    }
    return 0;
}

size_t lum_duplicate_best(const repo_find_duplicates_row_set *rows, size_t at, size_t count)
{
    size_t best = at;
    assert(count > 0 && at + count <= rows->count);
    for (size_t i = at + 1; i < at + count; i++) {
        if (worth_compare(&rows->rows[i].a, &rows->rows[best].a) > 0) {
            best = i;
        }
    }
    return best;
}

/* For each row that is not the best of its group: its id and the best one's. */
static size_t pairs_fill(const repo_find_duplicates_row_set *rows, pgc_uuid *ids, pgc_uuid *kept)
{
    size_t pairs = 0;
    size_t count = 0;
    for (size_t at = 0; at < rows->count; at += count) {
        count = lum_duplicate_group(rows, at);
        size_t best = lum_duplicate_best(rows, at, count);
        for (size_t i = at; i < at + count; i++) {
            if (i != best) {
                ids[pairs] = rows->rows[i].a.asset_id;
                kept[pairs++] = rows->rows[best].a.asset_id;
            }
        }
    }
    return pairs;
}

pgc_status lum_duplicate_trash(lum_actor actor, const repo_find_duplicates_row_set *rows,
                               const env *e, repo_trash_duplicates_set *out, pgc_error *err)
{
    size_t size = 2 * rows->count * sizeof(pgc_uuid);
    if (rows->count == 0) {
        *out = (repo_trash_duplicates_set) { .count = 0 };
        return PGC_OK;
    }
    pgc_uuid *ids = mem_new(e->alloc, size);
    if (ids == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "trash duplicates");
    }
    pgc_uuid *kept = ids + rows->count;
    size_t pairs = pairs_fill(rows, ids, kept);
    const repo_trash_duplicates_params params = {
        .asset_ids = { .has = true, .count = pairs, .v = ids },
        .kept_ids = { .has = true, .count = pairs, .v = kept },
    };
    pgc_status status = repo_trash_duplicates(actor.db, &params, out, err);
    mem_free(e->alloc, ids, size);
    return pgc_error_wrap(err, status, "trash duplicates");
}
