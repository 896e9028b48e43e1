/* The program sqlc-gen-c: command line in, messages out; the work is in src/sqlc. Exit status: 0
 * done, 1 failed or outputs not up to date, 2 wrong usage. */
#include "cli/prelude.h"

#include "sqlc/command.h"
#include "sqlc/plugin.h"
#include "sqlc/plugin_request.h"

/* A private server must be stopped and removed, so signals only ask for an early end. */
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal };
    static const int SIGNALS[] = { SIGINT, SIGTERM, SIGHUP };
    (void) sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(SIGNALS); i++) {
        (void) sigaction(SIGNALS[i], &action, NULL);
    }
}

#define ARENA_FIRST ((size_t) 256 << 10)

typedef pgc_status (*command_fn)(const env *sys, arena *mem, const command_options *options,
                                 command_result *result, pgc_error *err);

/* Options of a command beside -f. */
enum { WITH_DATABASE = 1, WITH_OFFLINE = 2, WITH_JSON = 4 };

typedef struct command {
    const char *name, *args, *summary;
    command_fn run; /* NULL: main() answers itself, without options */
    unsigned options;
    const char *details; /* of its help; lines */
} command;

static const command COMMANDS[] = {
    { "generate", "", "analyse the queries and write the C files", command_generate,
      WITH_DATABASE | WITH_OFFLINE | WITH_JSON,
      "Writes all files or none; those that do not change keep their time. Prints what "
      "changed.\n" },
    { "check", "", "exit 1 unless the C files are up to date", command_check,
      WITH_DATABASE | WITH_OFFLINE,
      "Writes nothing. Prints the files that generate would write or remove.\n" },
    { "diff", "", "show what generate would change", command_diff, WITH_DATABASE,
      "Writes nothing; exit 1 when there is a difference.\n" },
    { "explain", " QUERY", "types of a query, and why a column is nullable", command_explain,
      WITH_DATABASE | WITH_JSON,
      "Types of parameters and columns, and the reason why each can or cannot be NULL.\n" },
    { "vet", "", "check the rules of the config", command_vet, WITH_DATABASE | WITH_JSON,
      "Exit 1 when a query breaks a rule: file:line:column: Query: rule: message.\n" },
    { "verify", " FILE|REVISION", "do the queries of an older manifest still work?", command_verify,
      WITH_DATABASE | WITH_JSON,
      "Takes a manifest, or that of a git revision; exit 1 when a query of it would break.\n" },
    { "init", "", "write a config to start from", command_init, 0,
      "Writes sqlc.yaml, or the file that -f names; never over one that is there.\n" },
    { "version", "", "print the version", NULL, 0, "The same as --version.\n" },
    { "help", " [COMMAND]", "print this, or the help of a command", NULL, 0,
      "Behind a command, --help is the same.\n" },
};

static const struct {
    unsigned bit; /* 0: of every command */
    bool is_rare; /* the help of all says whose it is */
    const char *form, *what;
} OPTIONS[] = {
    { 0, false, "-f, --file FILE", "config (default sqlc.yaml here)" },
    { 0, false, "--verbose", "errors with the line that they are about, and SQLSTATE" },
    { WITH_DATABASE, false, "--database URL",
      "analyse on this server, in a scratch database; default: a\n"
      "                   private throw-away server" },
    { WITH_DATABASE, false, "--keep", "keep the scratch database and use it again" },
    { WITH_OFFLINE, true, "--offline", "by the manifest, without server" },
    { WITH_JSON, true, "--json", "print JSON" },
};

/* "generate, check: " */
static void print_commands_with(FILE *to, unsigned bit)
{
    const char *between = "";
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        if ((COMMANDS[i].options & bit) != 0) {
            (void) fprintf(to, "%s%s", between, COMMANDS[i].name);
            between = ", ";
        }
    }
    (void) fprintf(to, ": ");
}

/* Those of one command, or of all when it is NULL. */
static void print_options(FILE *to, const command *c)
{
    for (size_t i = 0; i < ARRAY_LEN(OPTIONS); i++) {
        if (c == NULL || OPTIONS[i].bit == 0 || (c->options & OPTIONS[i].bit) != 0) {
            (void) fprintf(to, "  %-16s ", OPTIONS[i].form);
            if (c == NULL && OPTIONS[i].is_rare) {
                print_commands_with(to, OPTIONS[i].bit);
            }
            (void) fprintf(to, "%s\n", OPTIONS[i].what);
        }
    }
}

static int print_command_help(const command *c)
{
    (void) printf("sqlc-gen-c %s: %s\n\nusage: sqlc-gen-c %s%s%s\n\n%s", c->name, c->summary,
                  c->name, c->args, c->run == NULL ? "" : " [OPTIONS]", c->details);
    if (c->run != NULL) {
        (void) putchar('\n');
        print_options(stdout, c);
    }
    return 0;
}

static void print_help(FILE *to)
{
    (void) fprintf(to, "sqlc-gen-c: typed C functions from SQL files\n\n"
                       "usage: sqlc-gen-c COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        char form[64];
        (void) snprintf(form, sizeof form, "%s%s", COMMANDS[i].name, COMMANDS[i].args);
        (void) fprintf(to, "  %-21s %s\n", form, COMMANDS[i].summary);
    }
    (void) fputc('\n', to);
    print_options(to, NULL);
}

static int usage_error(const char *what, const char *name)
{
    (void) fprintf(stderr, "sqlc-gen-c: %s%s%s%s\n", what, name[0] == '\0' ? "" : " \"", name,
                   name[0] == '\0' ? "" : "\"");
    (void) fprintf(stderr, "\"sqlc-gen-c help\" lists commands and options\n");
    return 2;
}

/* Value of an option: "--name=value", or the next argument. NULL: there is none. */
static const char *option_value(const char *name, int argc, char **argv, int *index)
{
    size_t len = strlen(name);
    const char *arg = argv[*index];
    if (strncmp(arg, name, len) == 0 && arg[len] == '=') {
        return arg + len + 1;
    }
    if (*index + 1 < argc) {
        return argv[++*index];
    }
    return NULL;
}

static bool is_option(const char *arg, const char *name)
{
    size_t len = strlen(name);
    return strncmp(arg, name, len) == 0 && (arg[len] == '\0' || arg[len] == '=');
}

/* Fill options from the arguments behind the command; 0, or the exit status of wrong usage. */
static int parse_options(const command *chosen, int argc, char **argv, command_options *out)
{
    for (int i = 2; i < argc; i++) {
        const char *arg = argv[i];
        if (is_option(arg, "-f") || is_option(arg, "--file")) {
            out->config = option_value(arg[1] == 'f' ? "-f" : "--file", argc, argv, &i);
            if (out->config == NULL) {
                return usage_error("option needs a value:", arg);
            }
        } else if (is_option(arg, "--database")) {
            out->database = option_value("--database", argc, argv, &i);
            if (out->database == NULL) {
                return usage_error("option needs a value:", arg);
            }
        } else if (strcmp(arg, "--offline") == 0) {
            out->offline = true;
        } else if (strcmp(arg, "--json") == 0) {
            out->json = true;
        } else if (strcmp(arg, "--verbose") == 0) {
            out->verbose = true;
        } else if (strcmp(arg, "--keep") == 0) {
            out->keep = true;
        } else if (arg[0] == '-') {
            return usage_error("unknown option", arg);
        } else if (chosen->args[0] != '\0' && out->query == NULL) {
            out->query = arg;
        } else {
            return usage_error("unexpected argument", arg);
        }
    }
    if (chosen->args[0] != '\0' && out->query == NULL) {
        return usage_error(chosen->run == command_verify
                               ? "verify needs an older manifest or revision"
                               : "explain needs the name of a query",
                           "");
    }
    if (out->offline && (chosen->options & WITH_OFFLINE) == 0) {
        return usage_error("--offline works with check and generate only", "");
    }
    if (out->json && (chosen->options & WITH_JSON) == 0) {
        return usage_error("--json works with generate, explain, vet and verify only", "");
    }
    return 0;
}

/* The line with a mark below the place, and the server's code. */
static void print_frame(const diag *d)
{
    if (d->excerpt != NULL) {
        (void) fprintf(stderr, "  %5" PRIu32 " | %s\n        | %*s^\n", d->line, d->excerpt,
                       (int) d->caret, "");
    }
    if (d->sqlstate[0] != '\0') {
        (void) fprintf(stderr, "  SQLSTATE %s\n", d->sqlstate);
    }
}

static void print_diags(const diag_list *list, bool verbose)
{
    for (size_t i = 0; i < list->items.count; i++) {
        const diag *d = VEC_AT(&list->items, diag, i);
        (void) fprintf(stderr, "%s:%" PRIu32 ":%" PRIu32 ": %s%s\n", d->path, d->line, d->column,
                       d->warning ? "warning: " : "", d->message);
        if (verbose) {
            print_frame(d);
        }
        if (d->hint != NULL) {
            (void) fprintf(stderr, "  hint: %s\n", d->hint);
        }
    }
}

static int run_command(const command *chosen, const command_options *options)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, ARENA_FIRST, 0);
    pgc_error err = PGC_ZERO;
    command_result result;
    if (mem == NULL) {
        (void) fprintf(stderr, "sqlc-gen-c: out of memory\n");
        return 1;
    }
    command_result_init(&result, mem);
    pgc_status status = chosen->run(env_default(), mem, options, &result, &err);
    diag_sort(&result.diags);
    print_diags(&result.diags, options->verbose);
    slice text = buf_view(&result.out);
    bool written =
        status != PGC_OK || text.len == 0 || fwrite(text.ptr, 1, text.len, stdout) == text.len;
    written = fflush(stdout) == 0 && written;
    bool failed = status != PGC_OK || result.different;
    if (status != PGC_OK && result.diags.error_count == 0) {
        (void) fprintf(stderr, "sqlc-gen-c: %s\n", err.message);
        if (err.hint[0] != '\0') {
            (void) fprintf(stderr, "  hint: %s\n", err.hint);
        }
    } else if (status == PGC_OK && result.different && chosen->run == command_check) {
        (void) fprintf(stderr, "sqlc-gen-c: not up to date; run \"sqlc-gen-c generate\"\n");
    }
    if (!written) {
        (void) fprintf(stderr, "sqlc-gen-c: cannot write to standard output\n");
    }
    command_result_done(&result);
    if (interrupted != 0) {
        return 128 + (int) interrupted;
    }
    return failed || !written ? 1 : 0;
}

/* Upstream shows what a plugin writes to stderr when it fails: one line for each mistake. */
static void print_plugin_errors(const diag_list *list, const pgc_error *err)
{
    for (size_t i = 0; i < list->items.count; i++) {
        const diag *d = VEC_AT(&list->items, diag, i);
        (void) fprintf(stderr, "%s: %s%s%s%s%s\n", d->path, d->warning ? "warning: " : "",
                       d->message, d->hint == NULL ? "" : " (", d->hint == NULL ? "" : d->hint,
                       d->hint == NULL ? "" : ")");
    }
    if (list->error_count == 0) {
        (void) fprintf(stderr, "sqlc-gen-c: %s\n", err->message);
    }
}

/* All of stdin, up to what a request may have and one piece more, which is then too long. */
static pgc_status read_request(const env *sys, buf *out, pgc_error *err)
{
    static char part[1 << 16];
    while (out->len <= PLUGIN_REQUEST_MAX) {
        ssize_t got = sys->fs->read(sys->fs->ctx, STDIN_FILENO, part, sizeof part);
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return pgc_error_set(err, PGC_IO, "cannot read standard input");
        }
        buf_add(out, (slice) { part, got < 0 ? 0 : (size_t) got });
        TRY(buf_finish(out, err));
    }
    return PGC_OK;
}

/* Request on stdin, response on stdout, nothing else there. */
static int run_plugin(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, ARENA_FIRST, PLUGIN_MEMORY_MAX);
    AUTO(buf_auto) buf request;
    AUTO(buf_auto) buf response;
    pgc_error err = PGC_ZERO;
    diag_list diags = { .arena = mem };
    buf_init(&request, NULL, 2 * PLUGIN_REQUEST_MAX);
    buf_init(&response, NULL, SIZE_MAX / 2);
    pgc_status status = mem == NULL ? pgc_error_set(&err, PGC_NOMEM, "read the request")
                                    : read_request(env_default(), &request, &err);
    if (status == PGC_OK) {
        status = plugin_generate(mem, buf_view(&request), &diags, &response, &err);
    }
    if (status != PGC_OK) {
        print_plugin_errors(&diags, &err);
        return 1;
    }
    slice bytes = buf_view(&response);
    if (fwrite(bytes.ptr, 1, bytes.len, stdout) != bytes.len || fflush(stdout) != 0) {
        (void) fprintf(stderr, "sqlc-gen-c: cannot write to standard output\n");
        return 1;
    }
    return 0;
}

static bool is_help(const char *arg)
{
    return strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0;
}

/* NULL: no such command. */
static const command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(COMMANDS); i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) {
            return &COMMANDS[i];
        }
    }
    return NULL;
}

/* Of one command, "" for all. */
static int help(const char *name)
{
    const command *chosen = find_command(name);
    if (name[0] != '\0' && chosen == NULL) {
        return usage_error("unknown command", name);
    }
    if (chosen != NULL) {
        return print_command_help(chosen);
    }
    print_help(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, PLUGIN_METHOD) == 0) {
        return run_plugin();
    }
    const command *chosen = find_command(name);
    for (int i = 2; chosen != NULL && i < argc; i++) {
        if (is_help(argv[i])) {
            return print_command_help(chosen);
        }
    }
    if (strcmp(name, "help") == 0 || is_help(name)) {
        return help(argc > 2 ? argv[2] : "");
    }
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        (void) printf("sqlc-gen-c %s\n", LUM_VERSION);
        return 0;
    }
    if (chosen != NULL) {
        command_options options = { .stop = &interrupted };
        int usage = parse_options(chosen, argc, argv, &options);
        if (usage != 0) {
            return usage;
        }
        catch_signals();
        return run_command(chosen, &options);
    }
    if (name[0] == '\0') {
        print_help(stderr);
        return 2;
    }
    return usage_error("unknown command", name);
}
