/* Options, help and errors of the programs. State is the one struct of common options, filled once
 * while the command line is read, before any thread exists. */
#include "cli/prelude.h"

#include "cli/cli.h"

#include <pwd.h>

#include "base/word_guess.h"
#include "service/user.h"

cli_common cli_common_options;

static const cli_option COMMON[] = {
    { "home", "DIR", "folder of the library (default: $LUMILIO_HOME)", &cli_common_options.home,
      CLI_TEXT },
    { "database-url", "URL", "PostgreSQL to use (default: $DATABASE_URL, else a private server)",
      &cli_common_options.database_url, CLI_TEXT },
    { "user", "NAME", "whose library it is (default: your login name)", &cli_common_options.user,
      CLI_TEXT },
    { "json", NULL, "print JSON", &cli_common_options.json, CLI_FLAG },
    { "verbose", NULL, "say more about errors", &cli_common_options.verbose, CLI_FLAG },
    { "help", NULL, "show this text", &cli_common_options.help, CLI_FLAG },
};

static const cli_option *option_find(const cli_option *options, size_t count, slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_eq_str(name, options[i].name)) {
            return &options[i];
        }
    }
    return NULL;
}

/* Store a value; false when it is not a number where one is wanted. */
static bool option_store(const cli_option *option, const char *value)
{
    if (option->kind == CLI_TEXT) {
        *(const char **) option->target = value;
        return true;
    }
    int64_t number = 0;
    if (!slice_to_i64(pgc_text_from(value), &number) || number < 1 || number > UINT32_MAX) {
        return false;
    }
    *(uint32_t *) option->target = (uint32_t) number;
    return true;
}

/* "--limit N", as help texts show an option; gives its width. */
static int option_left(const cli_option *option, char *out, size_t size)
{
    return snprintf(out, size, "--%s%s%s", option->name, option->value_name ? " " : "",
                    option->value_name ? option->value_name : "");
}

static void options_print(const cli_option *options, size_t count, FILE *out)
{
    char left[64];
    int width = 0;
    for (size_t i = 0; i < count; i++) {
        int this_one = option_left(&options[i], left, sizeof left);
        width = this_one > width ? this_one : width;
    }
    for (size_t i = 0; i < count; i++) {
        (void) option_left(&options[i], left, sizeof left);
        (void) fprintf(out, "  %-*s  %s\n", width, left, options[i].help);
    }
}

static void options_guess(word_guess *guess, const cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        word_guess_try(guess, pgc_text_from(options[i].name));
    }
}

static int option_unknown(const char *command_name, const cli_option *options, size_t count,
                          slice name)
{
    word_guess guess = { .typed = name };
    options_guess(&guess, options, count);
    options_guess(&guess, COMMON, ARRAY_LEN(COMMON));
    if (guess.best.ptr != NULL) {
        return cli_usage(command_name,
                         "unknown option --%" SLICE_FMT "; did you mean --%" SLICE_FMT "?",
                         SLICE_ARG(name), SLICE_ARG(guess.best));
    }
    return cli_usage(command_name, "unknown option --%" SLICE_FMT, SLICE_ARG(name));
}

/* One option word and its value; *next is advanced when the value is the next word. */
static int option_take(const char *command_name, const cli_option *options, size_t option_count,
                       int argc, char **argv, int *next)
{
    slice word = pgc_text_from(argv[*next] + 2);
    size_t equals = slice_find(word, '=', 0);
    slice name = equals == SIZE_MAX ? word : slice_sub(word, 0, equals);
    const cli_option *option = option_find(options, option_count, name);
    if (option == NULL) {
        option = option_find(COMMON, ARRAY_LEN(COMMON), name);
    }
    if (option == NULL) {
        return option_unknown(command_name, options, option_count, name);
    }
    if (option->kind == CLI_FLAG) {
        if (equals != SIZE_MAX) {
            return cli_usage(command_name, "--%s takes no value", option->name);
        }
        *(bool *) option->target = true;
        return CLI_OK;
    }
    const char *value = equals == SIZE_MAX ? NULL : word.ptr + equals + 1;
    if (value == NULL) {
        if (*next + 1 >= argc) {
            return cli_usage(command_name, "--%s needs a value: --%s %s", option->name,
                             option->name, option->value_name);
        }
        *next += 1;
        value = argv[*next];
    }
    if (!option_store(option, value)) {
        return cli_usage(command_name, "--%s wants a number from 1 on, not \"%s\"", option->name,
                         value);
    }
    return CLI_OK;
}

/* Options may stand anywhere; "--" ends them. What is left moves to the front of argv, so that
 * commands see their operands only. */
int cli_parse(const char *command_name, const cli_option *options, size_t option_count, int *argc,
              char **argv, bool *done)
{
    int kept = 0;
    bool only_operands = false;
    *done = false;
    for (int i = 1; i < *argc; i++) {
        if (!only_operands && strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (!only_operands && strcmp(argv[i], "-h") == 0) {
            cli_common_options.help = true;
        } else if (!only_operands && strncmp(argv[i], "--", 2) == 0) {
            int code = option_take(command_name, options, option_count, *argc, argv, &i);
            if (code != CLI_OK) {
                return code;
            }
        } else if (!only_operands && argv[i][0] == '-' && argv[i][1] != '\0') {
            return cli_usage(command_name, "unknown option %s", argv[i]);
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    if (cli_common_options.help) {
        (void) cli_help_command(command_name, stdout);
        if (option_count > 0) {
            (void) fprintf(stdout, "\nOptions:\n");
            options_print(options, option_count, stdout);
        }
        (void) fprintf(stdout, "\nOptions of every command:\n");
        options_print(COMMON, ARRAY_LEN(COMMON), stdout);
        *done = true;
    }
    return CLI_OK;
}

void cli_help_all(FILE *out)
{
    (void) fprintf(out,
                   "lumilio %s - the database of a photo library\n\n"
                   "Usage: lumilio COMMAND [OPTIONS] [OPERANDS]\n\nCommands:\n",
                   LUM_VERSION);
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        (void) fprintf(out, "  %-20s %s\n", CLI_COMMANDS[i].name, CLI_COMMANDS[i].summary);
    }
    (void) fprintf(out, "\n`lumilio help COMMAND` shows the options of one.\n");
}

bool cli_help_command(const char *name, FILE *out)
{
    for (size_t i = 0; i < CLI_COMMAND_COUNT; i++) {
        if (strcmp(CLI_COMMANDS[i].name, name) == 0) {
            (void) fprintf(out, "%s\n\nUsage: lumilio %s %s\n", CLI_COMMANDS[i].summary, name,
                           CLI_COMMANDS[i].usage);
            return true;
        }
    }
    return false;
}

/* One line and a hint; the rest only for those who ask. Messages may quote names of files and
 * rows: control characters are made visible. */
int cli_fail(const pgc_error *err)
{
    (void) fprintf(stderr, "lumilio: ");
    cli_print_safe(stderr, pgc_text_from(err->message));
    (void) fprintf(stderr, "\n");
    if (err->hint[0] != '\0') {
        (void) fprintf(stderr, "hint: ");
        cli_print_safe(stderr, pgc_text_from(err->hint));
        (void) fprintf(stderr, "\n");
    }
    if (cli_common_options.verbose) {
        (void) fprintf(stderr, "status %d, sqlstate %s, query %s, constraint %s, at %s:%d\n",
                       (int) err->status, err->sqlstate[0] ? err->sqlstate : "-",
                       err->query[0] ? err->query : "-", err->constraint[0] ? err->constraint : "-",
                       err->file ? err->file : "-", err->line);
        if (err->detail[0] != '\0') {
            (void) fprintf(stderr, "detail: ");
            cli_print_safe(stderr, pgc_text_from(err->detail));
            (void) fprintf(stderr, "\n");
        }
    }
    return CLI_FAILED;
}

int cli_usage(const char *command_name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void) fprintf(stderr, "lumilio%s%s: ", command_name[0] ? " " : "", command_name);
    (void) vfprintf(stderr, fmt, args);
    (void) fprintf(stderr, "\nhint: lumilio help%s%s\n", command_name[0] ? " " : "", command_name);
    va_end(args);
    return CLI_USAGE;
}

/* The login name by user id: $USER can be set to anything. */
const char *cli_user_name(void)
{
    if (cli_common_options.user != NULL) {
        return cli_common_options.user;
    }
    const struct passwd *account = getpwuid(getuid());
    return account != NULL ? account->pw_name : "owner";
}

/* The name is checked before a server is started for it. */
pgc_status cli_open(lum_library **library, lum_session **session, pgc_error *err)
{
    lum_library_options options = { .home = cli_common_options.home,
                                    .database_url = cli_common_options.database_url };
    if (session != NULL) {
        TRY(lum_user_check_name(cli_user_name(), err));
    }
    TRY(lum_library_open(NULL, &options, library, err));
    if (session == NULL) {
        return PGC_OK;
    }
    int32_t user_id = 0;
    pgc_status status = lum_user_ensure(lum_library_pool(*library), cli_user_name(), &user_id, err);
    if (status == PGC_OK) {
        status = lum_session_open(lum_library_pool(*library), user_id, session, err);
    }
    if (status != PGC_OK) {
        lum_library_close(TAKE(*library));
    }
    return status;
}

pgc_status cli_database_open(const char *url, lum_database **out, pgc_error *err)
{
    const lum_library_options options = { .home = cli_common_options.home,
                                          .database_url =
                                              url != NULL ? url : cli_common_options.database_url };
    return lum_database_open(NULL, &options, out, err);
}

void cli_database_auto(lum_database **database)
{
    lum_database_close(*database);
}

/* It lies beside the program, whatever the working folder and $PATH are. */
const char *cli_helper_path(char out[static PATH_MAX])
{
    static const char NAME[] = "/lumilio-media";
    assert(out != NULL);
    ssize_t len = readlink("/proc/self/exe", out, PATH_MAX - sizeof NAME);
    out[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(out, '/');
    memcpy(slash != NULL ? slash : out + strlen(out), NAME, sizeof NAME);
    return out;
}
