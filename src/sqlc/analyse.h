/* From query files to the intermediate representation, with a real server as the judge. */
#ifndef SQLC_ANALYSE_H
#define SQLC_ANALYSE_H

#include "sqlc/database.h"
#include "sqlc/model.h"

/* What one set is made from. */
typedef struct analyse_input {
    const config *config;
    const config_set *set;
    const vec *query_files; /* of source_file */
    const char *schema_hash;
    database *db;
} analyse_input;

/* Analyse all queries of a set. Every faulty query is reported to diags. PGC_OK; PGC_INVALID (see
 * diags); PGC_CONNECTION and others from the server; PGC_NOMEM. */
pgc_status analyse_set(arena *arena, const analyse_input *input, diag_list *diags, ir_set *out,
                       pgc_error *err) PGC_MUST_CHECK;

#endif
