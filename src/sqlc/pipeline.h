/* Config to files in memory: what generate, check and diff have in common. */
#ifndef SQLC_PIPELINE_H
#define SQLC_PIPELINE_H

#include "sqlc/command.h"
#include "sqlc/manifest.h"

/* One set with everything that was made of it. */
typedef struct pipeline_set {
    const config_set *config;      /* borrowed from the config */
    const char *config_path;       /* of the file, for messages */
    const char *dir;               /* output folder for the file system */
    const char *shown;             /* the same in messages */
    vec schema_files, query_files; /* of source_file */
    const char *schema_hash;       /* over the schema files' texts */
    manifest manifest;             /* inputs; outputs after emitting */
    ir_set ir;                     /* after pipeline_run() */
    vec files;                     /* of emit_file, the manifest as the last one */
} pipeline_set;

/* Read config and input files: enough for checks without a server. sets: of pipeline_set. */
pgc_status pipeline_read(const env *env, arena *arena, const command_options *options,
                         config *config, vec *sets, diag_list *diags, pgc_error *err)
    PGC_MUST_CHECK;
/* A database with the schema of a set, for database_close(). */
pgc_status pipeline_open_database(const env *env, arena *arena, const command_options *options,
                                  const pipeline_set *set, diag_list *diags, struct database **out,
                                  pgc_error *err) PGC_MUST_CHECK;
/* Report a failure of the server at the place that names it: database.uri of the config, the
 * option, the variable. Gives the status back; without a server's failure nothing happens. */
pgc_status pipeline_server_error(const command_options *options, const pipeline_set *set,
                                 diag_list *diags, pgc_status status, const pgc_error *err)
    PGC_MUST_CHECK;
/* Analyse and emit all sets. */
pgc_status pipeline_run(const env *env, arena *arena, const command_options *options,
                        const config *config, vec *sets, diag_list *diags, pgc_error *err)
    PGC_MUST_CHECK;

#endif
