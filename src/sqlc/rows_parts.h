/* What the files behind rows.h share: a query on its way from facts to columns and a row type. */
#ifndef SQLC_ROWS_PARTS_H
#define SQLC_ROWS_PARTS_H

#include "sqlc/rows.h"

typedef struct rows_builder {
    const model_context *ctx;
    const query_facts *facts; /* from the server and the provers */
    ir_query *query;
    bool ok; /* false: diags says what is wrong with the query */
} rows_builder;

/* Names the query, because memory may run out on one odd query of many. */
pgc_status rows_no_memory(const rows_builder *b, pgc_error *err);
/* An error of the whole query stands at its first token. */
diag *rows_error(rows_builder *b, const char *message);
/* The first flag of that word; NULL: none. */
const query_flag *rows_flag(const query_source *source, const char *word);
/* query->row: a model, a shared struct, one of its own or a bare value. The columns are known. */
pgc_status rows_choose(rows_builder *b, pgc_error *err) PGC_MUST_CHECK;

#endif
