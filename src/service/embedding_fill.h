/* Gives vectors to assets that a model does not describe yet. */
#ifndef SERVICE_EMBEDDING_FILL_H
#define SERVICE_EMBEDDING_FILL_H

#include "base/buf.h"
#include "ml/embedder.h"
#include "service/session.h"

#define LUM_PICTURE_MIME "image/webp"

/* What an asset is embedded by: the bytes of its medium thumbnail into out, whose max is
 * ML_IMAGE_MAX. PGC_NOT_FOUND: no such asset, or no thumbnail that can be read. */
pgc_status lum_embedding_picture(lum_actor actor, const env *env, pgc_uuid asset_id, buf *out,
                                 pgc_error *err) PGC_MUST_CHECK;

typedef struct lum_fill_counts {
    uint64_t embedded;
    uint64_t without_picture; /* no thumbnail that can be read: `lumilio work` makes them */
    uint64_t refused;         /* the server would not have them, or answered nonsense */
} lum_fill_counts;

/* All live photos and videos of the actor, in requests as long as the server takes them; each is
 * stored at once, so that an interrupted call goes on where it was. PGC_OK also when some were left
 * out (see *out, which is filled in any case). Ends with PGC_CONNECTION or PGC_TIMEOUT when the
 * server does not answer. The model must be known (lum_model_add()). */
pgc_status lum_embedding_fill(lum_actor actor, const env *env, ml_embedder *embedder,
                              const char *model, lum_fill_counts *out, pgc_error *err)
    PGC_MUST_CHECK;

#endif
