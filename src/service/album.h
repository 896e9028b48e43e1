/* The album service: the seed's AlbumService. An album has members in an order of its own, or, as a
 * smart album, a filter that says what is in it.
 *
 * Order: adding, moving and reordering change only the rows that go to another place; changes of
 * one album wait for each other, so that concurrent ones leave one total order.
 * Trash: a deleted album can be restored; purging it is for good. Its photos stay in any case.
 * Public: any user of this server sees a public album by lum_album_list_public() and its photos by
 * lum_album_list_public_assets(): name, type, size, time of capture and description; not place,
 * path, hash, tags or rating, and nothing of the trash. Nothing else of the owner becomes visible,
 * and nobody but the owner changes anything. Smart albums cannot be public: what a filter finds
 * tomorrow nobody has looked through today. */
#ifndef SERVICE_ALBUM_H
#define SERVICE_ALBUM_H

#include "repo/albums.h"
#include "service/list.h"

#define LUM_ALBUM_NAME_MAX        255   /* characters */
#define LUM_ALBUM_DESCRIPTION_MAX 10000 /* bytes */

/* Every function: PGC_INVALID for arguments out of range (the message says which and what is
 * allowed), PGC_NOT_FOUND for albums and assets that are absent, in the trash or another user's;
 * else what pgc_db_run() returns. On failure nothing is changed. Outputs are written only on
 * PGC_OK; sets are freed by their repo_…_set_free(). All block for one round trip, when not said
 * otherwise, and are thread-safe as the actor's handle. */

typedef struct lum_album_new {
    pgc_text name; /* 1..LUM_ALBUM_NAME_MAX characters */
    pgc_text description;
    bool is_public;
    pgc_text
        filter; /* JSON as lum_filter_parse() takes it: a smart album; absent: an ordinary one */
} lum_album_new;

pgc_status lum_album_create(lum_actor actor, const lum_album_new *album, repo_album_set *out,
                            pgc_error *err) PGC_MUST_CHECK;
pgc_status lum_album_get(lum_actor actor, int32_t album_id, repo_album_set *out, pgc_error *err)
    PGC_MUST_CHECK;

/* Own albums, newest first, each with the number of its members and the cover to show. Of a smart
 * album it is the number that was counted last, at b.found_at; absent: not yet, by this filter.
 * Page: rows with an album_id below before_album_id (0: from the newest on). */
typedef struct lum_album_page {
    int32_t before_album_id;
    int32_t limit; /* 1..LUM_PAGE_MAX */
    bool trash;    /* those in the trash instead */
} lum_album_page;
pgc_status lum_album_list(lum_actor actor, lum_album_page page, repo_list_albums_row_set *out,
                          pgc_error *err) PGC_MUST_CHECK;
/* Those that an asset is a member of. */
pgc_status lum_album_list_of_asset(lum_actor actor, pgc_uuid asset_id, repo_album_set *out,
                                   pgc_error *err) PGC_MUST_CHECK;

/* Only the members with their set_… are changed. A cover must be a member (of a smart album: any
 * own asset); cover_asset_id {false} takes it away. Two round trips when a cover is set. */
pgc_status lum_album_update(lum_actor actor, const repo_update_album_params *change,
                            repo_album_set *out, pgc_error *err) PGC_MUST_CHECK;
/* Another filter for a smart album; an ordinary one stays what it is (PGC_NOT_FOUND). */
pgc_status lum_album_set_filter(lum_actor actor, int32_t album_id, pgc_text filter, pgc_error *err)
    PGC_MUST_CHECK;
/* What the filter of a smart album finds now: a page of list, whose own filter is not looked at.
 * PGC_INVALID for an ordinary album. Two round trips; with want_total four, and the total is kept
 * for lum_album_list(). */
pgc_status lum_album_list_smart(lum_actor actor, int32_t album_id, const lum_list *list,
                                lum_asset_page *out, pgc_error *err) PGC_MUST_CHECK;

/* Into the trash and back. */
pgc_status lum_album_delete(lum_actor actor, int32_t album_id, pgc_error *err) PGC_MUST_CHECK;
pgc_status lum_album_restore(lum_actor actor, int32_t album_id, pgc_error *err) PGC_MUST_CHECK;
/* Out of the trash, for good. */
pgc_status lum_album_purge(lum_actor actor, int32_t album_id, pgc_error *err) PGC_MUST_CHECK;

typedef enum lum_place_kind {
    LUM_PLACE_END,
    LUM_PLACE_INDEX, /* `index` members stand before it; beyond the end is the end */
    LUM_PLACE_BEHIND /* right behind the member `asset_id` */
} lum_place_kind;

typedef struct lum_place {
    lum_place_kind kind;
    int64_t index; /* >= 0 */
    pgc_uuid asset_id;
} lum_place;

/* Assets of one call, at most CHECK_IDS_MAX; those named twice count once. */
typedef struct lum_ids {
    const pgc_uuid *ids;
    size_t count;
} lum_ids;

/* Those that are members already stay where they are; *added is the number of the others. */
pgc_status lum_album_add(lum_actor actor, int32_t album_id, lum_ids assets, lum_place place,
                         int32_t *added, pgc_error *err) PGC_MUST_CHECK;
/* The seed's AddAssetToAlbum: at the end. */
pgc_status lum_album_add_asset(lum_actor actor, int32_t album_id, pgc_uuid asset_id, pgc_error *err)
    PGC_MUST_CHECK;
/* Members go, in the order given, to a place counted among the others. */
pgc_status lum_album_move(lum_actor actor, int32_t album_id, lum_ids assets, lum_place place,
                          pgc_error *err) PGC_MUST_CHECK;
/* Members take each other's places, so that they stand in the order given; all others stay. An id
 * named twice is PGC_INVALID. */
pgc_status lum_album_reorder(lum_actor actor, int32_t album_id, lum_ids assets, int32_t *changed,
                             pgc_error *err) PGC_MUST_CHECK;
/* All or none: one that is no member is PGC_NOT_FOUND. A cover that goes is no cover any more. */
pgc_status lum_album_remove(lum_actor actor, int32_t album_id, lum_ids assets, pgc_error *err)
    PGC_MUST_CHECK;

/* Where a page of members begins: behind a row of the page before it. {0}: at the front. */
typedef struct lum_album_cursor {
    bool set;
    int64_t position;
    pgc_uuid asset_id;
} lum_album_cursor;

/* Members in order. Another round trip when there is none, to tell an empty album from none. */
pgc_status lum_album_list_assets(lum_actor actor, int32_t album_id, lum_album_cursor after,
                                 int32_t limit, repo_list_album_assets_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;

/* Public albums of all users, newest first; page as above, trash false. */
pgc_status lum_album_list_public(lum_actor actor, lum_album_page page,
                                 repo_list_public_albums_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* An album that is not public, or not there, is an empty one: the answer does not tell which. */
pgc_status lum_album_list_public_assets(lum_actor actor, int32_t album_id, lum_album_cursor after,
                                        int32_t limit, repo_list_public_album_assets_row_set *out,
                                        pgc_error *err) PGC_MUST_CHECK;

#endif
