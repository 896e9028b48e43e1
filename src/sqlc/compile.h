/* From query files to the intermediate representation, with a real server as the judge. */
#ifndef SQLC_COMPILE_H
#define SQLC_COMPILE_H

#include <signal.h>

#include "sqlc/database.h"
#include "sqlc/model.h"

/* What one set is made from. */
typedef struct compile_input {
    const config *config; /* for messages */
    const config_set *set;
    const vec *query_files;  /* of source_file */
    const char *schema_hash; /* hexadecimal; goes into the set */
    database *db;            /* with the schema applied */
    size_t *prepared; /* statements on db's connection so far: sets share it, their names differ */
    const volatile sig_atomic_t *stop; /* as in command_options */
} compile_input;

/* Analyse all queries of a set. Every faulty query is reported to diags. PGC_OK; PGC_INVALID (see
 * diags); PGC_CONNECTION and others from the server; PGC_NOMEM. */
pgc_status compile_set(arena *arena, const compile_input *input, diag_list *diags, ir_set *out,
                       pgc_error *err) PGC_MUST_CHECK;

#endif
