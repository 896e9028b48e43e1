/* One query on the server: macros that need the catalog, star expansion, types, plan check. */
#ifndef SQLC_DESCRIBE_QUERY_H
#define SQLC_DESCRIBE_QUERY_H

#include "pgc/describe.h"
#include "sqlc/model.h"
#include "sqlc/preprocess.h"
#include "sqlc/prove.h"

/* Result columns that belong to one sqlc.embed(). */
typedef struct embed_span {
    const query_embed *embed; /* where it stands in the text */
    ir_row *model;            /* what it stands for */
    size_t first;             /* result column; model->column_count follow */
} embed_span;

/* What is known about a query before rows and names are made of it. */
typedef struct query_facts {
    const query_source *source; /* the user's file and range */
    query_text text;            /* after the macros, stars as written */
    slice sql;                  /* final, without the name line */
    described shape;            /* of sql; parameter types as declared */
    embed_span *embeds;         /* in the order of the text */
    size_t embed_count;
    const null_claim *claims;      /* one per column */
    const param_fact *param_facts; /* one per parameter */
    const bool *param_nullable;    /* one per parameter */
    const char **param_reasons;    /* one per parameter */
} query_facts;

/* Fill *out. ordinal: distinct per query on this connection. *ok is false when the query is faulty
 * (then diags says why). PGC_OK; PGC_CONNECTION, PGC_NOMEM and the like end the run. */
pgc_status describe_query(const model_context *ctx, pgc_conn *conn, const query_source *source,
                          size_t ordinal, query_facts *out, bool *ok, pgc_error *err)
    PGC_MUST_CHECK;

#endif
