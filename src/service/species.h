/* Species predictions: what a model sees in a photo, one set per asset. */
#ifndef SERVICE_SPECIES_H
#define SERVICE_SPECIES_H

#include "repo/species.h"
#include "service/session.h"

#define LUM_SPECIES_MAX        100 /* predictions of one asset */
#define LUM_SPECIES_NAME_MAX   255 /* characters */
#define LUM_SPECIES_CONFIDENCE 0.5 /* usual threshold of lists */

/* Every function: PGC_INVALID for arguments out of range (the message says which), PGC_NOT_FOUND
 * for assets that are absent, in the trash or another user's; else what pgc_db_run() returns. On
 * failure nothing is changed. Outputs are written only on PGC_OK; sets are freed by their
 * repo_…_set_free(). One round trip; thread-safe as the actor's handle. */

typedef struct lum_species {
    pgc_text name;        /* scientific; each once */
    pgc_text common_name; /* may be absent */
    double confidence;    /* 0..1 */
} lum_species;

/* The seed's SaveNewSpeciesPredictions: these and no others, in one transaction. None (count 0)
 * takes all away. Of two runs at once one set stays, never a mixture. */
typedef struct lum_species_run {
    const lum_species *species;
    size_t count;           /* 0..LUM_SPECIES_MAX */
    pgc_text model_version; /* may be absent; at most 50 characters */
} lum_species_run;
pgc_status lum_species_save(lum_actor actor, pgc_uuid asset_id, const lum_species_run *run,
                            pgc_error *err) PGC_MUST_CHECK;
/* Of an asset, the surest first. */
pgc_status lum_species_list(lum_actor actor, pgc_uuid asset_id,
                            repo_list_species_of_asset_row_set *out, pgc_error *err) PGC_MUST_CHECK;
/* Assets per species, the most frequent first, of predictions from min_confidence on. */
pgc_status lum_species_count(lum_actor actor, double min_confidence, int32_t limit,
                             repo_count_species_row_set *out, pgc_error *err) PGC_MUST_CHECK;
/* Assets that show a species, the surest first, and of equally sure ones the later import. */
typedef struct lum_species_query {
    pgc_text name;
    double min_confidence;
    int32_t limit;            /* 1..LUM_PAGE_MAX */
    pgc_opt_uuid behind;      /* last asset of the page before; absent: the first page */
    double behind_confidence; /* and its confidence */
} lum_species_query;
pgc_status lum_species_assets(lum_actor actor, const lum_species_query *query,
                              repo_list_assets_of_species_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
