/* Lists of albums and of tags with their counts, and what is in an album. */
#include "parts.h"

#include "service/album.h"
#include "service/tag.h"

enum { PAGE_ROWS = 50, ALBUMS_OF_OWNER = 30 };

static pgc_status album_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_list_albums_row_set set = { 0 };
    const lum_album_page page = { .limit = PAGE_ROWS };
    (void) site;
    (void) turn;
    pgc_status status = lum_album_list(actor, page, &set, err);
    assert(status != PGC_OK || set.count > ALBUMS_OF_OWNER); /* and a smart one */
    repo_list_albums_row_set_free(&set);
    return status;
}

static pgc_status tag_page(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    static const char *const AFTER[] = { NULL, "mine 9", "thing 15" };
    repo_list_tags_row_set set = { 0 };
    const lum_tag_page page = { .after_name = pgc_text_from(AFTER[turn % ARRAY_LEN(AFTER)]),
                                .limit = PAGE_ROWS };
    (void) site;
    pgc_status status = lum_tag_list(actor, &page, &set, err);
    repo_list_tags_row_set_free(&set);
    return status;
}

/* The albums of services-data.sql are numbered by owner; the small numbers are the large ones. */
static pgc_status album_assets(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_list_album_assets_row_set set = { 0 };
    int32_t album_id = (actor.user_id - 1) * ALBUMS_OF_OWNER + 1 + (int32_t) (turn / 10 % 10);
    (void) site;
    pgc_status status = lum_album_list_assets(actor, album_id, (lum_album_cursor) { .set = false },
                                              PAGE_ROWS, &set, err);
    repo_list_album_assets_row_set_free(&set);
    return status;
}

/* Behind nine tenths of its members. */
static pgc_status album_far(services_site *site, lum_actor actor, uint32_t turn, pgc_error *err)
{
    repo_list_album_assets_row_set set = { 0 };
    int32_t album_id = (actor.user_id - 1) * ALBUMS_OF_OWNER + 1 + (int32_t) (turn / 10 % 10);
    const lum_album_cursor after = { .set = true, .position = site->asset_count / 10 * 9 };
    pgc_status status = lum_album_list_assets(actor, album_id, after, PAGE_ROWS, &set, err);
    repo_list_album_assets_row_set_free(&set);
    return status;
}

void collection_rows(bench_rows *rows, services_site *big, services_site *small)
{
    static const probe PROBES[] = {
        { .name = "page of albums", .call = album_page, .limit_ms = 5 },
        { .name = "page of tags", .call = tag_page, .limit_ms = 5 },
        { .name = "page of an album", .call = album_assets, .limit_ms = 5 },
        { .name = "far page of an album", .call = album_far, .limit_ms = 5 },
    };
    probes_add(rows, big, small, PROBES, ARRAY_LEN(PROBES));
}
