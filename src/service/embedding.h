/* Embeddings: vectors that say what an asset shows. Every model has vectors of its own, which are
 * not comparable with another's; one model is active: searches by meaning go to its vectors. */
#ifndef SERVICE_EMBEDDING_H
#define SERVICE_EMBEDDING_H

#include "repo/embeddings.h"
#include "service/library.h"
#include "service/session.h"

#define LUM_EMBEDDING_DIM        512             /* of every model; the column's */
#define LUM_MODEL_NAME_MAX       50              /* bytes */
#define LUM_MODEL_SEED           "clip-vit-base" /* what the seed calls its model */
#define LUM_EMBEDDING_NORM_LEAST 1e-6
#define LUM_GRAPH_LEAST          20001 /* vectors from which an owner has a graph; see search.h */
#define LUM_GRAPH_NAME_MAX       63    /* bytes */

/* Check a vector and give it length 1 as half precision numbers, as it is stored and compared.
 * PGC_INVALID: another dimension than 512, a component that is not finite, or a length of (nearly)
 * zero, which has no direction. */
pgc_status lum_embedding_prepare(const float *vector, size_t dim, uint16_t out[LUM_EMBEDDING_DIM],
                                 pgc_error *err) PGC_MUST_CHECK;

/* The seed's SaveNewEmbedding: the vector of an asset of the actor by a model, replacing an older
 * one of that model. The same vector again touches nothing: *changed, which may be NULL, is false.
 * model NULL is the seed's. PGC_INVALID as above; PGC_NOT_FOUND: no such asset of the actor, or no
 * such model (lum_model_add() makes it known). */
pgc_status lum_embedding_save(lum_actor actor, pgc_uuid asset_id, const float *vector, size_t dim,
                              const char *model, bool *changed, pgc_error *err) PGC_MUST_CHECK;
/* The stored vector, of length 1 up to rounding. PGC_NOT_FOUND: the model does not describe it. */
pgc_status lum_embedding_get(lum_actor actor, pgc_uuid asset_id, const char *model,
                             float out[LUM_EMBEDDING_DIM], pgc_error *err) PGC_MUST_CHECK;
/* Whether the model described it at that time or later. */
pgc_status lum_embedding_is_since(lum_actor actor, pgc_uuid asset_id, const char *model,
                                  pgc_timestamptz since, bool *out, pgc_error *err) PGC_MUST_CHECK;
/* Ids of live photos and videos of the actor that the model does not describe, after a given id
 * (all zero: from the start); limit 1..LUM_PAGE_MAX. */
pgc_status lum_embedding_missing(lum_actor actor, const char *model, pgc_uuid after, int32_t limit,
                                 repo_list_assets_to_embed_set *out, pgc_error *err) PGC_MUST_CHECK;

/* All models, and how many assets of the actor each describes. */
pgc_status lum_model_list(lum_actor actor, repo_list_embedding_models_row_set *out, pgc_error *err)
    PGC_MUST_CHECK;
/* The active model's name into out. */
pgc_status lum_model_active(lum_actor actor, char out[LUM_MODEL_NAME_MAX + 1], pgc_error *err)
    PGC_MUST_CHECK;
/* Make a model known, with an index for its vectors; *added, which may be NULL, is false when it
 * was known. It becomes active when the active one has no vectors at all. Runs as the tables' owner
 * on a connection of its own. PGC_INVALID: the name; PGC_LIMIT: there are sixteen. */
pgc_status lum_model_add(const lum_library *library, const char *model, bool *added, pgc_error *err)
    PGC_MUST_CHECK;
/* The switch: make a model the active one. *missing is how many live assets the active model
 * describes and this one does not; unless there are none, or although_incomplete, the status is
 * PGC_CONFLICT and the active model stays. PGC_NOT_FOUND: no such model. */
pgc_status lum_model_use(const lum_library *library, const char *model, bool although_incomplete,
                         int64_t *missing, pgc_error *err) PGC_MUST_CHECK;

/* A connection as the tables' owner, for lum_graph_make(). The caller's to close. */
pgc_status lum_graph_connect(const lum_library *library, pgc_conn **out, pgc_error *err)
    PGC_MUST_CHECK;
/* Make one graph for an owner who has at_least vectors of a model (0: LUM_GRAPH_LEAST) and no graph
 * yet, or drop one whose owner has gone; its name into out, "" when there is nothing to do. Takes a
 * minute for 100,000 vectors, during which none can be written. PGC_LOCKED or the like when others
 * write all the time: try again later. */
pgc_status lum_graph_make(pgc_db *db, int64_t at_least, char out[LUM_GRAPH_NAME_MAX + 1],
                          pgc_error *err) PGC_MUST_CHECK;

#endif
