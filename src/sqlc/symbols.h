/* Every global C name of a set, so that two sources of one name are an error and not a surprise of
 * the C compiler. */
#ifndef SQLC_SYMBOLS_H
#define SQLC_SYMBOLS_H

#include "sqlc/model.h"

/* Report names that would be declared twice. PGC_OK; PGC_NOMEM. */
pgc_status symbols_check(const model_context *ctx, pgc_error *err) PGC_MUST_CHECK;

#endif
