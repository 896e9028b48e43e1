/* What the programs share: the command table, options, errors and text for people. src/cli is the
 * only layer that prints, exits and reads argv. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <pgc/error.h>

#include "base/buf.h"
#include "service/library.h"
#include "service/session.h"

#define CLI_OK     0
#define CLI_FAILED 1 /* one clear line on stderr */
#define CLI_USAGE  2 /* wrong call */

/* One row of the command table; help texts are printed from it. */
typedef struct cli_command {
    const char *name;                  /* one to three words: "import", "river jobs list" */
    const char *summary;               /* one line for the overview */
    const char *usage;                 /* what follows the name: "PATH... [--jobs N]" */
    int (*run)(int argc, char **argv); /* argv[0] is the last word of the name */
} cli_command;

extern const cli_command CLI_COMMANDS[];
extern const size_t CLI_COMMAND_COUNT;

typedef enum cli_option_kind {
    CLI_FLAG, /* bool: present or not */
    CLI_TEXT, /* const char *: borrowed from argv */
    CLI_COUNT /* uint32_t: 1..4294967295 */
} cli_option_kind;

typedef struct cli_option {
    const char *name;       /* without the two hyphens */
    const char *value_name; /* for help; NULL for flags */
    const char *help;
    void *target;
    cli_option_kind kind;
} cli_option;

/* Options that every command takes. */
typedef struct cli_common {
    const char *home;
    const char *database_url;
    const char *user;
    bool json;
    bool verbose;
    bool help;
} cli_common;
extern cli_common cli_common_options;

/* Take the options out of argv (they may stand between the operands); "--" ends them. On CLI_OK
 * *argc operands are left in argv[0..]. A wrong call is reported here. When --help was given the
 * text is printed and *done is set. */
int cli_parse(const char *command_name, const cli_option *options, size_t option_count, int *argc,
              char **argv, bool *done);

/* Overview of all commands, or of one; false when there is no such command. */
void cli_help_all(FILE *out);
bool cli_help_command(const char *name, FILE *out);

/* "lumilio: message" and the hint on stderr; gives CLI_FAILED. */
int cli_fail(const pgc_error *err);
/* A wrong call: one line and where to find help; gives CLI_USAGE. */
int cli_usage(const char *command_name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The library that the common options name, and the session of the user (--user, else the login
 * name; the account is made at its first use). Close both; NULL is allowed for session. */
pgc_status cli_open(lum_library **library, lum_session **session, pgc_error *err) PGC_MUST_CHECK;
/* The database alone, its schema as it is: what `url` names (NULL: the common options, else the
 * library's private server). For lum_database_close(), or AUTO(). */
pgc_status cli_database_open(const char *url, lum_database **out, pgc_error *err) PGC_MUST_CHECK;
void cli_database_auto(lum_database **database);
/* The user name that cli_open() uses. */
const char *cli_user_name(void);
/* The program that reads media. */
const char *cli_helper_path(char out[static PATH_MAX]);

/* Text that a terminal can show: control characters and invalid UTF-8 become \xNN. */
void cli_print_safe(FILE *out, slice text);
/* The same into a buffer. */
void cli_add_safe(buf *out, slice text);
/* Text columns that print needs for a (safe) text. */
size_t cli_text_width(slice text);
/* "3.4 MB" into out (at least 16 bytes). */
void cli_format_bytes(int64_t bytes, char *out, size_t size);

#endif
