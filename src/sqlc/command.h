/* The commands of sqlc-gen-c without their printing: what src/cli wraps, what tests call. */
#ifndef SQLC_COMMAND_H
#define SQLC_COMMAND_H

#include <signal.h>

#include "base/buf.h"
#include "base/env.h"
#include "sqlc/diag.h"

struct pipeline_set;
struct database;

/* Looks at one set that was analysed, while its database is open. */
typedef pgc_status (*command_visit_fn)(void *arg, const struct pipeline_set *set,
                                       struct database *db, pgc_error *err);

typedef struct command_options {
    const char *config;   /* -f; NULL: look in the working directory */
    const char *database; /* --database; NULL: see the config, then a private cluster */
    const char *query;    /* explain: name of the query; verify: file or revision */
    bool offline;         /* check, generate: by the manifest alone */
    bool verbose;         /* for the caller: errors with the line that they are about */
    bool json;            /* generate, explain: JSON on stdout */
    bool keep;            /* keep the scratch database on a given server */
    const volatile sig_atomic_t *stop; /* not 0: end soon with PGC_CANCELLED; NULL: never */
    command_visit_fn visit;            /* set by commands; NULL: none */
    void *visit_arg;
} command_options;

/* What a command has to say. */
typedef struct command_result {
    diag_list diags; /* for stderr */
    buf out;         /* for stdout */
    bool different;  /* check, diff: outputs are not up to date; vet: a rule is broken;
                        verify: an old query breaks */
} command_result;

/* The arena outlives the result. */
void command_result_init(command_result *result, arena *arena);
void command_result_done(command_result *result);

/* All of them: PGC_OK (look at result->different); PGC_INVALID with diags; other failures with a
 * message of their own, those of a server in diags too. Nothing is written unless everything
 * succeeded. */
pgc_status command_generate(const env *env, arena *arena, const command_options *options,
                            command_result *result, pgc_error *err) PGC_MUST_CHECK;
pgc_status command_check(const env *env, arena *arena, const command_options *options,
                         command_result *result, pgc_error *err) PGC_MUST_CHECK;
pgc_status command_diff(const env *env, arena *arena, const command_options *options,
                        command_result *result, pgc_error *err) PGC_MUST_CHECK;
pgc_status command_explain(const env *env, arena *arena, const command_options *options,
                           command_result *result, pgc_error *err) PGC_MUST_CHECK;
/* Check the rules of the config. */
pgc_status command_vet(const env *env, arena *arena, const command_options *options,
                       command_result *result, pgc_error *err) PGC_MUST_CHECK;
/* Check the queries of an older manifest (options->query: its file, or a git revision) against the
 * schema of today. */
pgc_status command_verify(const env *env, arena *arena, const command_options *options,
                          command_result *result, pgc_error *err) PGC_MUST_CHECK;
/* Write a config to start from; PGC_CONFLICT when there is one. */
pgc_status command_init(const env *env, arena *arena, const command_options *options,
                        command_result *result, pgc_error *err) PGC_MUST_CHECK;

#endif
