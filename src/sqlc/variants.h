/* All forms of a query with dynamic parts, described in one batch and made one set of facts. */
#ifndef SQLC_VARIANTS_H
#define SQLC_VARIANTS_H

#include "sqlc/blocks.h"
#include "sqlc/describe_query.h"

/* One form: its text and which of the merged parameters are its $1, $2, … */
typedef struct variant_text {
    slice sql;
    size_t *params; /* indexes, ascending */
    size_t param_count;
    const struct ast *tree; /* of the text */
} variant_text;

typedef struct query_variants {
    const query_source *source;
    query_blocks blocks;
    variant_text *texts; /* blocks.variant_count of them; NULL without choices */
    query_facts facts;   /* of the plain text, with what is true of all */
    const describe_work
        *only;             /* without choices: the text that was described; NULL: it is faulty */
    struct merger *merger; /* with choices: what the forms are collected in */
} query_variants;

/* Queue all forms of a query. ordinal counts the statements of the connection. PGC_OK; PGC_NOMEM.
 */
pgc_status variants_add(describe_batch *batch, const query_source *source, size_t *ordinal,
                        query_variants *variants, pgc_error *err) PGC_MUST_CHECK;
/* Behind describe_run(): the facts are those of the plain text, with the parameters of all forms
 * and the claims that hold in each. *ok is false when the query is faulty (then diags says why).
 * PGC_OK; PGC_NOMEM. */
pgc_status variants_finish(query_variants *variants, bool *ok, pgc_error *err) PGC_MUST_CHECK;
/* Fill the choices and variants of a query whose parameters are named. */
pgc_status variants_build(const model_context *ctx, const query_variants *variants, ir_query *query,
                          pgc_error *err) PGC_MUST_CHECK;

#endif
