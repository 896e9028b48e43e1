/* The trash: assets that were deleted and can still be brought back, until they are purged. */
#ifndef SERVICE_TRASH_H
#define SERVICE_TRASH_H

#include "repo/trash.h"
#include "service/list.h"

/* The last deleted first; limit and cursor as in lum_list. */
pgc_status lum_trash_list(lum_actor actor, int32_t limit, slice cursor, lum_asset_page *out,
                          pgc_error *err) PGC_MUST_CHECK;

typedef struct lum_purge {
    int64_t age_us;        /* only what was deleted at least so long ago */
    pgc_opt_uuid asset_id; /* only this one */
    int64_t keep_files_us; /* its files stay this much longer, for the sake of backups */
} lum_purge;

typedef struct lum_purged {
    int64_t assets, files, bytes; /* bytes of the originals */
} lum_purged;

/* Removes assets from the trash for good, in batches of a transaction each, with their thumbnails,
 * tags and all else; their files are written down for removal (import_remove_files()). *out: how
 * many of each, also when a later batch fails. What others just work on stays. PGC_NOT_FOUND when
 * asset_id is given and not in the trash. */
pgc_status lum_trash_purge(lum_actor actor, const lum_purge *purge, lum_purged *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
