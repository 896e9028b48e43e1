/* Work by the manifest alone, without a server: is everything up to date, and the C files again. */
#ifndef SQLC_OFFLINE_H
#define SQLC_OFFLINE_H

#include "sqlc/pipeline.h"

/* Inputs, options, version and outputs are those of the last generate? What is not goes to
 * result->out, and result->different is set. */
pgc_status offline_check(const env *env, arena *arena, const pipeline_set *set,
                         command_result *result, pgc_error *err) PGC_MUST_CHECK;
/* Fill set->files from the manifest. Inputs that are not those of the manifest go to diags, with
 * the queries that changed. */
pgc_status offline_generate(const env *env, arena *arena, pipeline_set *set, diag_list *diags,
                            pgc_error *err) PGC_MUST_CHECK;

#endif
