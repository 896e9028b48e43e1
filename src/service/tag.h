/* Tags. For a user a name is one tag: his own one, or else the shared one that AI gave his photos.
 *
 * Shared tags save every user a vocabulary of his own, and tell nothing: a user sees those that his
 * photos have, whoever else has them. As soon as he makes a tag of such a name, his photos move to
 * that one. AI (sources clip and smart_classify) never changes what a user gave. */
#ifndef SERVICE_TAG_H
#define SERVICE_TAG_H

#include "repo/tags.h"
#include "service/asset.h"

#define LUM_TAG_NAME_MAX     100 /* characters */
#define LUM_TAG_CATEGORY_MAX 50
#define LUM_TAGS_MAX         200 /* tags of one call */

/* Every function: PGC_INVALID for arguments out of range (the message says which and what is
 * allowed), PGC_NOT_FOUND for tags and assets that are absent, in the trash or another user's; else
 * what pgc_db_run() returns. On failure nothing is changed. Outputs are written only on PGC_OK;
 * sets are freed by their repo_…_set_free(). One round trip, when not said otherwise; thread-safe
 * as the actor's handle. */

typedef enum lum_tag_source { LUM_TAG_USER, LUM_TAG_CLIP, LUM_TAG_SMART_CLASSIFY } lum_tag_source;

/* "user", "clip", "smart_classify"; PGC_INVALID lists them. */
pgc_status lum_tag_source_parse(const char *text, lum_tag_source *out, pgc_error *err)
    PGC_MUST_CHECK;

/* The actor's own tag of a name: made, or the one that is there (whose category stays). Category
 * may be absent. */
pgc_status lum_tag_create(lum_actor actor, pgc_text name, pgc_text category, int32_t *tag_id,
                          pgc_error *err) PGC_MUST_CHECK;
pgc_status lum_tag_get(lum_actor actor, int32_t tag_id, repo_get_tag_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* By its name, as it is written. */
pgc_status lum_tag_find(lum_actor actor, pgc_text name, int32_t *tag_id, pgc_error *err)
    PGC_MUST_CHECK;

/* Tags by name, each with the number of assets that have it. */
typedef struct lum_tag_page {
    pgc_text after_name; /* absent: from the first one on; else name and id of the row before */
    int32_t after_tag_id;
    int32_t limit;     /* 1..LUM_PAGE_MAX */
    pgc_text category; /* only this one; absent: all */
    pgc_text part;     /* only names with this in them, in any case; absent: all */
} lum_tag_page;
pgc_status lum_tag_list(lum_actor actor, const lum_tag_page *page, repo_list_tags_row_set *out,
                        pgc_error *err) PGC_MUST_CHECK;
/* Of up to CHECK_IDS_MAX assets in one query: a row per asset and tag, ordered by asset, then
 * name. */
pgc_status lum_tag_list_of_assets(lum_actor actor, const pgc_uuid *asset_ids, size_t count,
                                  repo_list_tags_of_assets_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;

/* Own tags only: a shared one is PGC_DENIED. PGC_CONFLICT: there is one of that name; merge them.
 */
pgc_status lum_tag_rename(lum_actor actor, int32_t tag_id, pgc_text name, pgc_error *err)
    PGC_MUST_CHECK;
/* Absent: none. */
pgc_status lum_tag_set_category(lum_actor actor, int32_t tag_id, pgc_text category, pgc_error *err)
    PGC_MUST_CHECK;

/* Assets of the sources get the target; the sources go. Where an asset has several of them, the
 * user's word goes before AI's, then the greater confidence. *merged: assets that had a source.
 * This cannot be taken back: lum_tag_count_uses() says beforehand what it would touch. */
pgc_status lum_tag_merge(lum_actor actor, const int32_t *source_ids, size_t count,
                         int32_t target_id, int64_t *merged, pgc_error *err) PGC_MUST_CHECK;
/* Takes the tag from all the actor's assets; an own one is gone then. *removed: how many had it.
 * Cannot be taken back. */
pgc_status lum_tag_delete(lum_actor actor, int32_t tag_id, int64_t *removed, pgc_error *err)
    PGC_MUST_CHECK;
/* Assets, trash included, that have one of the tags. */
pgc_status lum_tag_count_uses(lum_actor actor, const int32_t *tag_ids, size_t count,
                              int64_t *assets, pgc_error *err) PGC_MUST_CHECK;

/* A tag to give, by name. */
typedef struct lum_tag_gift {
    pgc_text name;
    double confidence; /* 0..1; 1 for what a user says */
} lum_tag_gift;

/* The seed's AddTagToAsset. *written (NULL: not asked) is false when AI found a user's tag there:
 * nothing is changed then. */
pgc_status lum_asset_add_tag(lum_actor actor, pgc_uuid asset_id, int32_t tag_id, double confidence,
                             lum_tag_source source, bool *written, pgc_error *err) PGC_MUST_CHECK;
/* Several, by name, each name once; tags that are missing are made: own ones for a user, shared
 * ones for AI. Rows in the order of the gifts. only_these: what the same source gave before and is
 * not among them goes, as when a model runs again. */
typedef struct lum_tag_gifts {
    const lum_tag_gift *gifts;
    size_t count;
    lum_tag_source source;
    bool only_these;
} lum_tag_gifts;
pgc_status lum_asset_add_tags(lum_actor actor, pgc_uuid asset_id, const lum_tag_gifts *gifts,
                              repo_tag_asset_row_set *out, pgc_error *err) PGC_MUST_CHECK;
/* AI will not give it a tag of this name again (its given_id is 0 then), until a user does. So it
 * is with lum_tag_delete(), for what AI gave. */
pgc_status lum_asset_remove_tag(lum_actor actor, pgc_uuid asset_id, int32_t tag_id, pgc_error *err)
    PGC_MUST_CHECK;

/* Asset and tags in one transaction: both or neither. An asset that is there already (*duplicate)
 * gets the tags, too. As lum_asset_create() and lum_asset_add_tags(). Blocks for three round
 * trips. */
pgc_status lum_asset_create_with_tags(lum_session *session, const repo_create_asset_params *asset,
                                      const lum_tag_gifts *gifts, repo_asset_set *out,
                                      bool *duplicate, pgc_error *err) PGC_MUST_CHECK;

#endif
