/* Queries on the server: macros that need the catalog, star expansion, types, plan check. */
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
    const struct ast *tree;     /* of sql; NULL: our parser does not know it */
    described shape;            /* of sql; parameter types as declared */
    embed_span *embeds;         /* in the order of the text */
    size_t embed_count;
    const null_claim *claims;      /* one per column */
    const param_fact *param_facts; /* one per parameter */
    const bool *param_nullable;    /* one per parameter */
    const char **param_reasons;    /* one per parameter */
} query_facts;

/* One text on its way. */
typedef struct describe_work {
    model_context ctx; /* of the run, with the list for this text's errors */
    query_facts facts; /* what is found out, written step by step */
    bool ok;           /* false: diags say what is wrong with the query */
    size_t ordinal;
    described first;       /* of the text as written */
    const char *statement; /* the one that was described last, on the server */
} describe_work;

/* Texts that are analysed together, in a handful of round trips. */
typedef struct describe_batch {
    const model_context *ctx;
    pgc_conn *conn;
    vec works; /* of describe_work *; zero at first */
} describe_batch;

/* Queue a text. ordinal: distinct per text on this connection; diags: where its mistakes go. *out
 * is filled by describe_run(), and says before it whether the text has mistakes that need no
 * server. PGC_OK; PGC_NOMEM. */
pgc_status describe_add(describe_batch *batch, const query_source *source, size_t ordinal,
                        diag_list *diags, const describe_work **out, pgc_error *err) PGC_MUST_CHECK;
/* Analyse all texts of a batch. A faulty one does not touch the others. PGC_OK; PGC_CONNECTION,
 * PGC_NOMEM and the like end the run. */
pgc_status describe_run(describe_batch *batch, pgc_error *err) PGC_MUST_CHECK;
/* Statuses that say nothing about a query: the run ends with them. */
bool describe_is_fatal(pgc_status status);
/* The server's words without the step that the runtime names first. */
const char *describe_server_words(const pgc_error *err);
/* What plans the statement that is prepared as `name`, without values: options are those of
 * EXPLAIN. NULL: no memory.
 *
 *     EXPLAIN (COSTS OFF) EXECUTE "sqlc_7"(NULL, NULL) */
const char *describe_plan_text(arena *arena, const char *options, const char *name,
                               size_t param_count);
/* Whether every parameter may be NULL: that of a domain may be refused. */
bool describe_takes_null(const catalog *cat, const described *shape);

#endif
