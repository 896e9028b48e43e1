/* The config's overrides, applied to a catalog. */
#ifndef SQLC_OVERRIDES_H
#define SQLC_OVERRIDES_H

#include "sqlc/model.h"

/* An override of a type, with the type found. */
typedef struct type_override {
    const config_override *from;
    uint32_t type_oid;
} type_override;

/* Find the types, tell the catalog which columns are NULL or not. Overrides that fit nothing go to
 * ctx->diags. PGC_OK; PGC_NOMEM. */
pgc_status overrides_apply(model_context *ctx, catalog *cat, pgc_error *err) PGC_MUST_CHECK;
/* C type that the config gives to a column or type; NULL: none. column NULL: only by type. */
const config_override *overrides_find(const model_context *ctx, const catalog_relation *relation,
                                      const char *column, uint32_t type_oid);
/* '*' stands for any letters, '?' for one, a backslash takes the next as it is. */
bool overrides_match(slice pattern, slice text);

#endif
