/* lumilio migrate …: flags and messages as people know them from Atlas. Without --dir the directory
 * that is compiled into the program counts. */
#include "cli/prelude.h"

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/migrate_view.h"

#include <fcntl.h>

#include "base/file.h"

#define SUM_BYTES_MAX ((size_t) 16 << 20) /* for a hundred thousand files */
#define EXIT_PENDING  2                   /* of status --exit-code */
#define EXIT_PARTIAL  3                   /* files are half applied */

/* What the commands are told; texts are borrowed from argv. */
typedef struct migrate_flags {
    const char *url, *dir, *schema, *format, *baseline, *to_version, *tx_mode, *exec_order, *role;
    const char *lock_timeout;
    bool allow_dirty, dry_run, exit_code;
} migrate_flags;

static migrate_flags flags; /* of the command that runs; filled by parse() */

/* Options that several commands take; spelled as Atlas spells them. */
#define FLAG_URL                                                                 \
    {                                                                            \
        "url", "URL", "database (default: --database-url)", &flags.url, CLI_TEXT \
    }
#define FLAG_DIR                                                         \
    {                                                                    \
        "dir", "file://DIR", "migration directory", &flags.dir, CLI_TEXT \
    }
#define FLAG_SCHEMA                                                                         \
    {                                                                                       \
        "revisions-schema", "NAME", "schema of the revision table", &flags.schema, CLI_TEXT \
    }
#define FLAG_FORMAT                                                          \
    {                                                                        \
        "format", "text|json", "form of the report", &flags.format, CLI_TEXT \
    }
#define FLAG_ROLE                                                          \
    {                                                                      \
        "role", "NAME", "run as this database role", &flags.role, CLI_TEXT \
    }

/* The only command that runs files, so the one with most to say about how. */
static const cli_option APPLY_OPTIONS[] = {
    FLAG_URL,
    FLAG_DIR,
    FLAG_SCHEMA,
    FLAG_FORMAT,
    FLAG_ROLE,
    { "baseline", "VERSION", "count this version and older ones as applied", &flags.baseline,
      CLI_TEXT },
    { "to-version", "VERSION", "stop after this version", &flags.to_version, CLI_TEXT },
    { "allow-dirty", NULL, "start on a database that has tables", &flags.allow_dirty, CLI_FLAG },
    { "dry-run", NULL, "show what would be done, change nothing", &flags.dry_run, CLI_FLAG },
    { "tx-mode", "file|all|none", "what one transaction covers", &flags.tx_mode, CLI_TEXT },
    { "exec-order", "linear|linear-skip|non-linear", "files added out of order", &flags.exec_order,
      CLI_TEXT },
    { "lock-timeout", "10s", "wait for another migration", &flags.lock_timeout, CLI_TEXT },
};

static const cli_option STATUS_OPTIONS[] = {
    FLAG_URL,
    FLAG_DIR,
    FLAG_SCHEMA,
    FLAG_FORMAT,
    FLAG_ROLE,
    { "exec-order", "linear|linear-skip|non-linear", "files added out of order", &flags.exec_order,
      CLI_TEXT },
    { "exit-code", NULL, "exit with 2 when files are pending, 3 when one is half applied",
      &flags.exit_code, CLI_FLAG },
};

static const cli_option SET_OPTIONS[] = {
    FLAG_URL,
    FLAG_DIR,
    FLAG_SCHEMA,
    FLAG_ROLE,
};

/* hash and validate never open a database. */
static const cli_option DIR_OPTIONS[] = {
    FLAG_DIR,
};

/* Atlas begins its errors so, and scripts look for it. */
static int fail(const pgc_error *err)
{
    (void) fprintf(stderr, "Error: ");
    cli_print_safe(stderr, pgc_text_from(err->message));
    (void) fprintf(stderr, "\n");
    if (err->hint[0] != '\0') {
        (void) fprintf(stderr, "hint: ");
        cli_print_safe(stderr, pgc_text_from(err->hint));
        (void) fprintf(stderr, "\n");
    }
    return CLI_FAILED;
}

/* "-u URL" as a short form of --url. */
static void expand_short(int argc, char **argv)
{
    static char url_word[] = "--url";
    for (int i = 1; i < argc; i++) {
        argv[i] = strcmp(argv[i], "-u") == 0 ? url_word : argv[i];
    }
}

/* Forget the flags of an earlier call, then read the command line. */
static int parse(const char *command, const cli_option *options, size_t count, int *argc,
                 char **argv, bool *done)
{
    memset(&flags, 0, sizeof flags);
    expand_short(*argc, argv);
    return cli_parse(command, options, count, argc, argv, done);
}

/* One word of a fixed list; false when it is none of them. */
static bool pick(const char *word, const char *const *words, size_t count, size_t *out)
{
    for (size_t i = 0; word != NULL && i < count; i++) {
        if (strcmp(word, words[i]) == 0) {
            *out = i;
            return true;
        }
    }
    return word == NULL;
}

/* Duration as Go writes it: "1m30s", "250ms", "0". */
static bool parse_duration(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t us;
    } UNITS[] = {
        /* two letters before one: "ms" is no "m" */
        { "ms", 1000 }, { "us", 1 }, { "s", 1000000 }, { "m", 60000000 }, { "h", 3600000000 },
    };
    int64_t total = 0;
    if (strcmp(text, "0") == 0) {
        *out = 0;
        return true;
    }
    for (const char *at = text; *at != '\0';) { /* pairs of number and unit */
        size_t digits = strspn(at, "0123456789");
        int64_t number = 0;
        size_t unit = 0;
        if (digits == 0 || digits > 9 || !slice_to_i64((slice) { at, digits }, &number)) {
            return false;
        }
        at += digits;
        while (unit < ARRAY_LEN(UNITS) &&
               strncmp(at, UNITS[unit].unit, strlen(UNITS[unit].unit)) != 0) {
            unit++;
        }
        if (unit == ARRAY_LEN(UNITS)) {
            return false;
        }
        at += strlen(UNITS[unit].unit);
        total += number * UNITS[unit].us;
    }
    *out = total;
    return text[0] != '\0';
}

/* --format and --json; "{{ json . }}" is what Atlas calls it. */
static bool wants_json(bool *ok)
{
    static const char *const FORMATS[] = { "text", "json", "{{ json . }}", "{{json .}}" };
    size_t index = 0;
    *ok = pick(flags.format, FORMATS, ARRAY_LEN(FORMATS), &index);
    return cli_common_options.json || index > 0;
}

/* The folder behind --dir; NULL: the compiled-in directory. */
static pgc_status resolve_dir(const char *dir, const char **path, pgc_error *err)
{
    *path = NULL;
    if (dir == NULL) {
        return PGC_OK;
    }
    if (strncmp(dir, "file://", 7) == 0) {
        dir += 7;
    } else if (strstr(dir, "://") != NULL) {
        return pgc_error_set(err, PGC_INVALID, "directory \"%s\": only file://DIR can be read",
                             dir);
    }
    if (strstr(dir, "?format=") != NULL) {
        return pgc_error_set(err, PGC_INVALID, "unknown dir format \"%s\"",
                             strstr(dir, "?format=") + 8);
    }
    *path = dir;
    return PGC_OK;
}

/* Flags that all commands with a database share. The database is opened, not looked at: a library's
 * private server runs until *database is closed. */
static pgc_status fill_options(migrate_options *options, lum_database **database, pgc_error *err)
{
    const char *path = NULL;
    TRY(resolve_dir(flags.dir, &path, err));
    TRY(cli_database_open(flags.url, database, err));
    *options = (migrate_options) { .env = env_default(),
                                   .url = lum_database_url(*database),
                                   .role = flags.role,
                                   .revisions_schema = flags.schema };
    options->source = path != NULL ? (migrate_source) { .dir = path } : migrate_builtin();
    if (flags.dir == NULL && flags.schema == NULL) {
        options->revisions_schema = "public"; /* where our own migrations are recorded */
    }
    return PGC_OK;
}

/* What the JSON report says about where it comes from. */
static migrate_view_env view_env(const migrate_options *options)
{
    return (migrate_view_env) { options->url, flags.dir != NULL ? flags.dir : "embedded" };
}

/* Guidance on stdout when it is the sum file that is wrong. */
static void explain_checksum(const migrate_source *source, const pgc_error *err)
{
    if (strncmp(err->message, "checksum", 8) != 0) {
        return;
    }
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_dir dir;
    migrate_sum_problem problem;
    if (mem == NULL || migrate_dir_load(env_default(), source, mem, &dir, NULL) != PGC_OK) {
        return;
    }
    pgc_status status = migrate_sum_validate(&dir, mem, &problem, NULL);
    if (status != PGC_OK) {
        migrate_view_checksum(status, &problem);
    }
}

/* A checksum error keeps its hint for the guidance above. */
static int fail_dir(const migrate_source *source, pgc_error *err)
{
    explain_checksum(source, err);
    if (strncmp(err->message, "checksum", 8) == 0) {
        err->hint[0] = '\0';
    }
    return fail(err);
}

/* Everything that can be wrong with the call is said before a connection is opened. */
static int apply_parse(int *argc, char **argv, migrate_options *options, lum_database **database,
                       bool *done)
{
    static const char *const MODES[] = { "file", "all", "none" };
    static const char *const ORDERS[] = { "linear", "linear-skip", "non-linear" };
    size_t mode = 0;
    size_t order = 0;
    int64_t wait_us = 0;
    int64_t amount = 0;
    pgc_error err;
    int code = parse("migrate apply", APPLY_OPTIONS, ARRAY_LEN(APPLY_OPTIONS), argc, argv, done);
    if (code != CLI_OK || *done) {
        return code;
    }
    if (!pick(flags.tx_mode, MODES, ARRAY_LEN(MODES), &mode)) {
        return cli_usage("migrate apply", "unknown tx-mode \"%s\"", flags.tx_mode);
    }
    if (!pick(flags.exec_order, ORDERS, ARRAY_LEN(ORDERS), &order)) {
        return cli_usage("migrate apply", "unknown exec-order \"%s\"", flags.exec_order);
    }
    if (flags.lock_timeout != NULL && !parse_duration(flags.lock_timeout, &wait_us)) {
        return cli_usage("migrate apply", "lock-timeout \"%s\" is no duration such as 10s",
                         flags.lock_timeout);
    }
    if (*argc > 1 || (*argc == 1 && !slice_to_i64(pgc_text_from(argv[0]), &amount))) {
        return cli_usage("migrate apply", "invalid amount argument");
    }
    if (*argc == 1 && amount < 1) {
        return cli_usage("migrate apply", "cannot apply '%" PRId64 "' migration files", amount);
    }
    if (fill_options(options, database, &err) != PGC_OK) {
        return fail(&err);
    }
    options->baseline = flags.baseline;
    options->to_version = flags.to_version;
    options->allow_dirty = flags.allow_dirty;
    options->dry_run = flags.dry_run;
    options->tx_mode = (migrate_tx_mode) mode;
    options->order = (migrate_order) order;
    options->amount = (size_t) amount;
    /* "0" on the command line means one try, absence means the default. */
    options->lock_timeout_us = flags.lock_timeout == NULL ? 0 : wait_us == 0 ? -1 : wait_us;
    return CLI_OK;
}

/* With JSON the report carries the error and stderr stays empty. */
int cmd_migrate_apply(int argc, char **argv)
{
    migrate_options options;
    migrate_apply_report report;
    pgc_error err;
    bool done = false;
    bool format_ok = false;
    AUTO(cli_database_auto) lum_database *database = NULL;
    int code = apply_parse(&argc, argv, &options, &database, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    bool json = wants_json(&format_ok);
    if (!format_ok) {
        return cli_usage("migrate apply", "unknown format \"%s\"", flags.format);
    }
    if (!json) {
        options.events = migrate_view_events();
    }
    pgc_error_clear(&err);
    pgc_status status = migrate_apply(&options, &report, &err);
    if (json) {
        migrate_view_env view = view_env(&options);
        bool ok = migrate_view_apply_json(&view, &report, status == PGC_OK ? NULL : &err);
        code = ok && status == PGC_OK ? CLI_OK : CLI_FAILED;
    } else {
        if (status == PGC_OK || report.run_count > 0) {
            migrate_view_apply_end(&report);
        }
        code = status == PGC_OK ? CLI_OK : fail_dir(&options.source, &err);
    }
    migrate_apply_report_done(&report);
    return code;
}

/* Atlas never tells by its exit code that files are pending; --exit-code asks for it. */
static int status_code(const migrate_status_report *report)
{
    if (!flags.exit_code || report->up_to_date) {
        return CLI_OK;
    }
    return report->partial ? EXIT_PARTIAL : EXIT_PENDING;
}

/* Never takes the lock: people look while a migration runs. */
int cmd_migrate_status(int argc, char **argv)
{
    static const char *const ORDERS[] = { "linear", "linear-skip", "non-linear" };
    migrate_options options;
    migrate_status_report report;
    pgc_error err;
    size_t order = 0;
    bool done = false;
    bool format_ok = false;
    int code =
        parse("migrate status", STATUS_OPTIONS, ARRAY_LEN(STATUS_OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    bool json = wants_json(&format_ok);
    if (argc > 0 || !format_ok || !pick(flags.exec_order, ORDERS, ARRAY_LEN(ORDERS), &order)) {
        return cli_usage("migrate status", "unknown operand, format or exec-order");
    }
    pgc_error_clear(&err);
    AUTO(cli_database_auto) lum_database *database = NULL;
    if (fill_options(&options, &database, &err) != PGC_OK) {
        return fail(&err);
    }
    options.order = (migrate_order) order;
    pgc_status status = migrate_status(&options, &report, &err);
    migrate_view_env view = view_env(&options);
    if (status != PGC_OK) {
        code = fail_dir(&options.source, &err);
    } else if (!json) {
        migrate_view_status(&report);
        code = status_code(&report);
    } else {
        code = migrate_view_status_json(&view, &report) ? status_code(&report) : CLI_FAILED;
    }
    migrate_status_report_done(&report);
    return code;
}

/* Prints what was set and removed, newest last. */
int cmd_migrate_set(int argc, char **argv)
{
    migrate_options options;
    migrate_set_report report;
    pgc_error err;
    bool done = false;
    int code = parse("migrate set", SET_OPTIONS, ARRAY_LEN(SET_OPTIONS), &argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (argc > 1) {
        return cli_usage("migrate set", "accepts 1 arg(s), received %d", argc);
    }
    pgc_error_clear(&err);
    AUTO(cli_database_auto) lum_database *database = NULL;
    if (fill_options(&options, &database, &err) != PGC_OK) {
        return fail(&err);
    }
    pgc_status status = migrate_set(&options, argc == 1 ? argv[0] : NULL, &report, &err);
    if (status == PGC_OK) {
        migrate_view_set(&report);
    }
    migrate_set_report_done(&report);
    return status == PGC_OK ? CLI_OK : fail_dir(&options.source, &err);
}

/* The directory of hash and validate. */
static int load_dir(const char *command, int argc, char **argv, arena *mem, migrate_dir *dir,
                    bool *done)
{
    pgc_error err;
    const char *path = NULL;
    pgc_error_clear(&err);
    int code = parse(command, DIR_OPTIONS, ARRAY_LEN(DIR_OPTIONS), &argc, argv, done);
    if (code != CLI_OK || *done) {
        return code;
    }
    if (argc > 0) {
        return cli_usage(command, "takes no operands");
    }
    if (resolve_dir(flags.dir, &path, &err) != PGC_OK) {
        return fail(&err);
    }
    migrate_source source = path != NULL ? (migrate_source) { .dir = path } : migrate_builtin();
    return migrate_dir_load(env_default(), &source, mem, dir, &err) == PGC_OK ? CLI_OK : fail(&err);
}

/* Bytes that git or an editor may turn into others: the checksums change with them. */
static void warn_cr(const migrate_dir *dir)
{
    for (size_t i = 0; i < dir->file_count; i++) {
        if (slice_find(dir->files[i].content, '\r', 0) != SIZE_MAX) {
            (void) fprintf(stderr,
                           "Warning: %s has CR line ends; checksums count every byte: mark *.sql "
                           "and atlas.sum as -text for git\n",
                           dir->files[i].name);
        }
    }
}

/* Names that apply would refuse are hashed all the same: the sum says what is there. */
int cmd_migrate_hash(int argc, char **argv)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    AUTO(buf_auto) buf text;
    migrate_dir dir;
    pgc_error err;
    bool done = false;
    pgc_error_clear(&err);
    buf_init(&text, NULL, SUM_BYTES_MAX);
    if (mem == NULL) {
        (void) pgc_error_set(&err, PGC_NOMEM, "hash migrations");
        return fail(&err);
    }
    int code = load_dir("migrate hash", argc, argv, mem, &dir, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    if (dir.path == NULL) {
        return cli_usage("migrate hash", "--dir file://DIR says which directory to hash");
    }
    warn_cr(&dir);
    const char *path = arena_printf(mem, "%s/%s", dir.path, MIGRATE_SUM_NAME);
    pgc_status status = path != NULL ? migrate_sum_write(&dir, &text, &err)
                                     : pgc_error_set(&err, PGC_NOMEM, "hash migrations");
    if (status == PGC_OK) {
        status = file_write_atomic(env_default(), AT_FDCWD, path, buf_view(&text), 0644, &err);
    }
    return status == PGC_OK ? CLI_OK : fail(&err);
}

/* Says nothing when all is well, so that it can stand in front of other commands. */
int cmd_migrate_validate(int argc, char **argv)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_dir dir;
    migrate_sum_problem problem;
    pgc_error err;
    bool done = false;
    pgc_error_clear(&err);
    if (mem == NULL) {
        (void) pgc_error_set(&err, PGC_NOMEM, "validate migrations");
        return fail(&err);
    }
    int code = load_dir("migrate validate", argc, argv, mem, &dir, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    pgc_status status = migrate_dir_check(&dir, &err);
    if (status != PGC_OK) {
        return fail(&err);
    }
    status = migrate_sum_validate(&dir, mem, &problem, &err);
    if (status == PGC_OK) {
        return CLI_OK;
    }
    migrate_view_checksum(status, &problem);
    err.hint[0] = '\0';
    return fail(&err);
}
