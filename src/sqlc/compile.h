/* From query files to the intermediate representation, with a real server as the judge. */
#ifndef SQLC_COMPILE_H
#define SQLC_COMPILE_H

#include <signal.h>

#include "sqlc/database.h"
#include "sqlc/variants.h"

/* The facts of a query from elsewhere than a server, as variants_finish() gives them. */
typedef pgc_status (*compile_describe_fn)(void *arg, const model_context *ctx,
                                          const query_source *source, query_variants *out, bool *ok,
                                          pgc_error *err);

/* What stands for a server and for the texts of the query files. */
typedef struct compile_facts {
    catalog *cat;       /* finished */
    const vec *sources; /* of query_source */
    compile_describe_fn describe;
    void *arg; /* for describe */
} compile_facts;

/* What one set is made from. */
typedef struct compile_input {
    const config *config; /* for messages */
    const config_set *set;
    const vec *query_files;  /* of source_file */
    const char *schema_hash; /* hexadecimal; goes into the set */
    database *db;            /* with the schema applied; NULL with `facts` */
    size_t *prepared; /* statements on db's connection so far: sets share it, their names differ */
    const volatile sig_atomic_t *stop; /* as in command_options */
    const compile_facts *facts;        /* NULL: the server's */
} compile_input;

/* Analyse all queries of a set. Every faulty query is reported to diags. PGC_OK; PGC_INVALID (see
 * diags); PGC_CONNECTION and others from the server; PGC_NOMEM. */
pgc_status compile_set(arena *arena, const compile_input *input, diag_list *diags, ir_set *out,
                       pgc_error *err) PGC_MUST_CHECK;

#endif
