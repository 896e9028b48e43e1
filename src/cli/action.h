/* What most commands of lumilio are: open the library, do one thing as the user, close. And what
 * those that destroy something ask before. */
#ifndef CLI_ACTION_H
#define CLI_ACTION_H

#include <jansson.h>

#include "cli/cli.h"

/* What a command does between opening the library and closing it: with all of it, or with the
 * user's rows only. */
typedef pgc_status (*cli_library_action)(lum_library *library, lum_session *session, void *arg,
                                         pgc_error *err);
typedef pgc_status (*cli_action)(lum_actor actor, void *arg, pgc_error *err);

/* Opens (which starts the private server), acts, closes. */
pgc_status cli_with_library(cli_library_action action, void *arg, pgc_error *err) PGC_MUST_CHECK;
/* The same where nothing is left to do behind it: an error is printed; gives the exit code. */
int cli_act_with_library(cli_library_action action, void *arg);
int cli_act(cli_action action, void *arg);

/* Whether to go on with what cannot be undone: --yes was given, or a person at the terminal says
 * so. Else PGC_CANCELLED, whose message names the way: `what` is "purge album 7 for good". */
pgc_status cli_confirm(bool yes, const char *what, pgc_error *err) PGC_MUST_CHECK;

/* Commands that share their first word, their options and what these are stored in. */
typedef struct cli_family_command {
    const char *word;    /* second word of the name */
    const char *options; /* letters of those it takes */
    /* Stores the operands in the call; false when they are not what operands_help says. */
    bool (*take)(int argc, char **argv, void *call);
    const char *operands_help;
    cli_action action; /* its arg is the call */
} cli_family_command;

typedef struct cli_family_option {
    char letter;
    cli_option option;
} cli_family_option;

typedef struct cli_family {
    const char *name; /* first word */
    const cli_family_command *commands;
    size_t command_count;
    const cli_family_option *options;
    size_t option_count; /* at most CLI_FAMILY_OPTIONS_MAX */
    void *call;
} cli_family;

#define CLI_FAMILY_OPTIONS_MAX 24

/* Runs the command that argv[0] names; gives the exit code. */
int cli_family_run(const cli_family *family, int argc, char **argv);
/* For commands without operands. */
bool cli_take_nothing(int argc, char **argv, void *call);

/* Print a document and free it; NULL (no memory) prints nothing. */
void cli_print_json(json_t *document);
/* Members of an object: NULL texts and absent values become null. */
void cli_json_text(json_t *object, const char *name, slice text);
void cli_json_int(json_t *object, const char *name, int64_t value);
void cli_json_bool(json_t *object, const char *name, bool value);
void cli_json_id(json_t *object, const char *name, const pgc_uuid *id);
/* ISO 8601 in UTC. */
void cli_json_time(json_t *object, const char *name, pgc_timestamptz value);

/* Operands: one id, or a number from 1 on. False: not of that form. */
bool cli_take_id(const char *word, pgc_uuid *out);
bool cli_take_number(const char *word, int32_t *out);
/* A count option as the services take it; what does not fit becomes too large for them, too. */
int32_t cli_i32(uint32_t count);

#endif
