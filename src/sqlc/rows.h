/* What a query gives back and takes: its row type (a model when the columns are that table's, a
 * shared or own struct, or a bare value) and its parameters. */
#ifndef SQLC_ROWS_H
#define SQLC_ROWS_H

#include "sqlc/describe_query.h"

/* Fill query->params, ->columns and ->row. *ok is false when the query is faulty (see diags).
 * PGC_OK; PGC_NOMEM. */
pgc_status rows_build(const model_context *ctx, const query_facts *facts, ir_query *query, bool *ok,
                      pgc_error *err) PGC_MUST_CHECK;

#endif
