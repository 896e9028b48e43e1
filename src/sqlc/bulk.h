/* INSERT of many rows in one call: COPY for :copyfrom, arrays and unnest() for @bulk, and for COPY
 * where row-level security forbids it. */
#ifndef SQLC_BULK_H
#define SQLC_BULK_H

#include "sqlc/describe_query.h"

/* A text with arrays that the server has not seen yet. */
typedef struct bulk_text {
    const query_source *source; /* where its mistakes are told */
    const char *sql;
} bulk_text;

/* Check what :copyfrom and @bulk need, and write the text with arrays: query->copy, query->bulk and
 * the types of the arrays. Mistakes go to diags (then *ok is false). PGC_OK; PGC_NOMEM. */
pgc_status bulk_build(const model_context *ctx, const query_facts *facts, ir_query *query, bool *ok,
                      pgc_error *err) PGC_MUST_CHECK;
/* Have the server look at such texts (of bulk_text), in one round trip. Mistakes go to diags.
 * PGC_OK; PGC_NOMEM and what ends the run. */
pgc_status bulk_check(const model_context *ctx, pgc_conn *conn, const vec *texts, pgc_error *err)
    PGC_MUST_CHECK;

#endif
