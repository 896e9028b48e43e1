/* Gives vectors to assets that a model does not describe yet. */
#ifndef SERVICE_EMBEDDING_FILL_H
#define SERVICE_EMBEDDING_FILL_H

#include "base/env.h"
#include "ml/embedder.h"
#include "service/session.h"

typedef struct lum_fill_counts {
    uint64_t embedded;
    uint64_t without_picture; /* no thumbnail that can be read: `lumilio work` makes them */
    uint64_t refused;         /* the server would not have them, or answered nonsense */
} lum_fill_counts;

/* All live photos and videos of the actor, by their medium thumbnail; each is stored at once, so
 * that an interrupted call goes on where it was. PGC_OK also when some were left out (see *out,
 * which is filled in any case). Ends with PGC_CONNECTION or PGC_TIMEOUT when the server does not
 * answer. The model must be known (lum_model_add()). */
pgc_status lum_embedding_fill(lum_actor actor, const env *env, ml_embedder *embedder,
                              const char *model, lum_fill_counts *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
