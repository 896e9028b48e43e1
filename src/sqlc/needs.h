/* Which columns of which tables a query set relies on: for the check at run time. */
#ifndef SQLC_NEEDS_H
#define SQLC_NEEDS_H

#include "sqlc/model.h"

/* Fill set->needs from all texts of all queries. PGC_OK; PGC_NOMEM. */
pgc_status needs_collect(const model_context *ctx, pgc_error *err) PGC_MUST_CHECK;

#endif
