/* lumilio river …: the job queue's migrations, with the output of River's own command line. */
#include "cli/prelude.h"

#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/migrate_view.h"

#include <jansson.h>

#include <river/ext.h>

#include "base/arena.h"
#include "base/ident.h"
#include "river/migrations.h"

#define HALF_RULE  "----------------------------------------"
#define NAME_WIDTH 50

/* Options of the command that runs; filled by parse(). */
static struct river_flags {
    const char *schema, *line, *max_steps, *target;
    bool dry_run, show_sql;
    uint32_t version, exclude;
    bool all, up, down;
} flags;

#define FLAG_SCHEMA                                                       \
    {                                                                     \
        "schema", "NAME", "schema of the tables", &flags.schema, CLI_TEXT \
    }
#define FLAG_LINE                                                                          \
    {                                                                                      \
        "line", "main", "line of migrations; only main exists here", &flags.line, CLI_TEXT \
    }

/* River's spelling; --database-url belongs to every command of the program. */
static const cli_option MIGRATE_OPTIONS[] = {
    FLAG_SCHEMA,
    FLAG_LINE,
    { "dry-run", NULL, "show what would be done, change nothing", &flags.dry_run, CLI_FLAG },
    { "max-steps", "N", "migrations at most", &flags.max_steps, CLI_TEXT },
    { "show-sql", NULL, "print the SQL of each migration", &flags.show_sql, CLI_FLAG },
    { "target-version", "N", "version to migrate to; down: 0 takes all back", &flags.target,
      CLI_TEXT },
};

static const cli_option LOOK_OPTIONS[] = {
    FLAG_SCHEMA,
    FLAG_LINE,
};

static const cli_option GET_OPTIONS[] = {
    FLAG_SCHEMA,
    FLAG_LINE,
    { "version", "N", "which migration", &flags.version, CLI_COUNT },
    { "all", NULL, "all of them", &flags.all, CLI_FLAG },
    { "exclude-version", "N", "all but this one", &flags.exclude, CLI_COUNT },
    { "up", NULL, "the SQL that applies it", &flags.up, CLI_FLAG },
    { "down", NULL, "the SQL that takes it back", &flags.down, CLI_FLAG },
};

/* Parse; CLI_OK with *done false means: go on. */
static int parse(const char *command, const cli_option *options, size_t count, int argc,
                 char **argv, bool *done)
{
    memset(&flags, 0, sizeof flags);
    int code = cli_parse(command, options, count, &argc, argv, done);
    if (code != CLI_OK || *done) {
        return code;
    }
    if (argc > 0) {
        return cli_usage(command, "takes no operands");
    }
    if (flags.line != NULL && strcmp(flags.line, RIVER_LINE) != 0) {
        return cli_usage(command, "line \"%s\" is not known: only \"%s\" exists here", flags.line,
                         RIVER_LINE);
    }
    return CLI_OK;
}

/* A server and a connection to it; a library's private server runs as long as it is in use. */
typedef struct server {
    lum_database *database;
    pgc_conn *conn;
} server;

static void server_close(server *s)
{
    pgc_conn_close(s->conn);
    lum_database_close(s->database);
    *s = (server) { .conn = NULL };
}

/* On failure the caller's AUTO() closes what was opened. */
static pgc_status server_open(server *s, pgc_error *err)
{
    TRY(cli_database_open(NULL, &s->database, err));
    const pgc_conn_options options = {
        .struct_size = sizeof options,
        .conninfo = lum_database_url(s->database),
        .app_name = "lumilio river",
    };
    return pgc_conn_open(&options, &s->conn, err);
}

/* One migration, as a line; arg is the list of the JSON report, NULL for text. */
static void on_done(void *arg, const river_migration_step *step)
{
    json_t *list = arg;
    const char *way = step->direction == RIVER_UP ? "up" : "down";
    char text[32];
    if (list != NULL) {
        (void) json_array_append_new(list,
                                     json_pack("{s:i, s:s, s:s, s:I}", "Version",
                                               (int) step->version, "Name", step->name, "Direction",
                                               way, "DurationUs", (json_int_t) step->duration_us));
        return;
    }
    if (flags.dry_run) {
        (void) printf("migration %03" PRId32 " [%s] %-*s [DRY RUN]\n", step->version, way,
                      NAME_WIDTH, step->name);
    } else {
        (void) printf("applied migration %03" PRId32 " [%s] %-*s [%s]\n", step->version, way,
                      NAME_WIDTH, step->name, migrate_view_duration(step->duration_us, text));
    }
    if (flags.show_sql) {
        (void) printf(HALF_RULE HALF_RULE "\n-- River %s migration %03" PRId32 " [%s]\n%s\n",
                      RIVER_LINE, step->version, way, step->sql);
    }
}

/* A number option; false when it is none. */
static bool read_number(const char *text, int32_t *out)
{
    int64_t number = 0;
    if (text == NULL) {
        return true;
    }
    if (!slice_to_i64(pgc_text_from(text), &number) || number < -1 || number > 100000) {
        return false;
    }
    *out = (int32_t) number;
    return true;
}

/* River's closing words. */
static void print_end(const river_migrate_result *result)
{
    if (result->count == 0 && !result->exhausted) {
        (void) printf("no migrations to apply\n");
    } else if (result->exhausted) {
        (void) printf("no more migrations to apply\n");
    }
}

/* Up and down differ in direction only. */
static int migrate(const char *command, river_direction direction, int argc, char **argv)
{
    river_migrate_result result = { .count = 0 };
    AUTO(server_close) server db = { .conn = NULL };
    pgc_error err;
    bool done = false;
    int code = parse(command, MIGRATE_OPTIONS, ARRAY_LEN(MIGRATE_OPTIONS), argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    river_migrate_options options = { .struct_size = sizeof options,
                                      .schema = flags.schema,
                                      .dry_run = flags.dry_run,
                                      .done = on_done };
    if (!read_number(flags.max_steps, &options.max_steps) ||
        !read_number(flags.target, &options.target_version)) {
        return cli_usage(command, "--max-steps and --target-version want numbers");
    }
    if (direction == RIVER_DOWN && flags.target != NULL && options.target_version == 0) {
        options.target_version = -1; /* given as 0: all the way down */
    }
    pgc_error_clear(&err);
    if (server_open(&db, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    /* The list is filled by the callback, so it is right when a later migration fails. */
    json_t *list = cli_common_options.json ? json_array() : NULL;
    options.arg = list;
    pgc_status status = river_migrate(db.conn, direction, &options, &result, &err);
    if (list != NULL) {
        json_t *document = json_pack("{s:O}", "Applied", list);
        (void) json_dumpf(document, stdout, JSON_COMPACT);
        (void) printf("\n");
        json_decref(document);
        json_decref(list);
    } else if (status == PGC_OK) {
        print_end(&result);
    }
    return status == PGC_OK ? CLI_OK : cli_fail(&err);
}

int cmd_river_migrate_up(int argc, char **argv)
{
    return migrate("river migrate-up", RIVER_UP, argc, argv);
}

int cmd_river_migrate_down(int argc, char **argv)
{
    return migrate("river migrate-down", RIVER_DOWN, argc, argv);
}

/* The newest applied version is marked; without any there is no column for the mark. */
static void print_list(uint32_t applied)
{
    int32_t highest = 0;
    json_t *list = cli_common_options.json ? json_array() : NULL;
    for (int32_t version = 1; version <= RIVER_SCHEMA_VERSION; version++) {
        highest = (applied & (UINT32_C(1) << version)) != 0 ? version : highest;
    }
    for (size_t i = 0; i < RIVER_SCHEMA_VERSION; i++) {
        const river_migration *migration = &RIVER_MIGRATIONS[i];
        bool done = (applied & (UINT32_C(1) << migration->version)) != 0;
        if (list != NULL) {
            (void) json_array_append_new(list, json_pack("{s:i, s:s, s:b}", "Version",
                                                         (int) migration->version, "Name",
                                                         migration->name, "Applied", (int) done));
        } else {
            const char *mark = highest == 0 ? "" : highest == migration->version ? "* " : "  ";
            (void) printf("%s%03" PRId32 " %s\n", mark, migration->version, migration->name);
        }
    }
    if (list != NULL) {
        (void) json_dumpf(list, stdout, JSON_COMPACT);
        (void) printf("\n");
        json_decref(list);
    }
}

/* Reads only; an empty database lists all migrations without a mark. */
int cmd_river_migrate_list(int argc, char **argv)
{
    AUTO(server_close) server db = { .conn = NULL };
    pgc_error err;
    uint32_t applied = 0;
    bool done = false;
    int code =
        parse("river migrate-list", LOOK_OPTIONS, ARRAY_LEN(LOOK_OPTIONS), argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    pgc_error_clear(&err);
    if (server_open(&db, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    pgc_status status = river_migrate_applied(db.conn, flags.schema, &applied, &err);
    if (status != PGC_OK) {
        return cli_fail(&err);
    }
    print_list(applied);
    return CLI_OK;
}

/* Silent when all is well, like River's: the exit code is the answer. */
int cmd_river_validate(int argc, char **argv)
{
    AUTO(server_close) server db = { .conn = NULL };
    pgc_error err;
    bool done = false;
    int code = parse("river validate", LOOK_OPTIONS, ARRAY_LEN(LOOK_OPTIONS), argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    pgc_error_clear(&err);
    if (server_open(&db, &err) != PGC_OK) {
        return cli_fail(&err);
    }
    pgc_status status = river_migrate_validate(db.conn, flags.schema, &err);
    if (cli_common_options.json && (status == PGC_OK || status == PGC_SCHEMA)) {
        (void) printf("{\"OK\":%s}\n", status == PGC_OK ? "true" : "false");
    }
    return status == PGC_OK ? CLI_OK : cli_fail(&err);
}

/* The SQL of one migration with the schema in place; NULL: out of memory. */
static const char *sql_of(const river_migration *migration, arena *mem)
{
    const char *place = "";
    if (flags.schema != NULL) {
        const char *quoted = ident_quote(flags.schema, mem);
        place = quoted == NULL ? NULL : arena_printf(mem, "%s.", quoted);
    }
    return place == NULL
               ? NULL
               : ident_fill(flags.up ? migration->up : migration->down, RIVER_PLACE, place, mem);
}

/* false: out of memory. */
static bool print_sql(const river_migration *migration, json_t *list, bool first)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    const char *way = flags.up ? "up" : "down";
    const char *sql = mem == NULL ? NULL : sql_of(migration, mem);
    if (sql != NULL && list != NULL) {
        return json_array_append_new(
                   list, json_pack("{s:i, s:s, s:s, s:s}", "Version", (int) migration->version,
                                   "Name", migration->name, "Direction", way, "SQL", sql)) == 0;
    }
    if (sql != NULL) {
        (void) printf("%s-- River %s migration %03" PRId32 " [%s]\n%s", first ? "" : "\n",
                      RIVER_LINE, migration->version, way, sql);
    }
    return sql != NULL;
}

/* Needs no server: the text is the program's. Down goes from the newest on. */
int cmd_river_migrate_get(int argc, char **argv)
{
    static const char COMMAND[] = "river migrate-get";
    bool done = false;
    int code = parse(COMMAND, GET_OPTIONS, ARRAY_LEN(GET_OPTIONS), argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    bool one = flags.version >= 1 && flags.version <= RIVER_SCHEMA_VERSION;
    if (one == flags.all || flags.up == flags.down) {
        return cli_usage(COMMAND, "wants --version 1 to %d or --all, and one of --up and --down",
                         RIVER_SCHEMA_VERSION);
    }
    json_t *list = cli_common_options.json ? json_array() : NULL;
    bool good = true, first = true;
    for (uint32_t i = 1; good && i <= RIVER_SCHEMA_VERSION; i++) {
        uint32_t version = flags.up ? i : RIVER_SCHEMA_VERSION + 1 - i;
        if ((flags.all || version == flags.version) && version != flags.exclude) {
            good = print_sql(&RIVER_MIGRATIONS[version - 1], list, first);
            first = false;
        }
    }
    if (good && list != NULL) {
        (void) json_dumpf(list, stdout, JSON_COMPACT);
        (void) printf("\n");
    }
    json_decref(list);
    if (!good) {
        pgc_error err;
        (void) pgc_error_set(&err, PGC_NOMEM, "river migrate-get: out of memory");
        return cli_fail(&err);
    }
    return CLI_OK;
}

static int side_tables(const char *command, bool up, int argc, char **argv)
{
    AUTO(server_close) server db = { .conn = NULL };
    pgc_error err;
    bool done = false;
    int code = parse(command, LOOK_OPTIONS, ARRAY_LEN(LOOK_OPTIONS), argc, argv, &done);
    if (code != CLI_OK || done) {
        return code;
    }
    pgc_error_clear(&err);
    pgc_status status = server_open(&db, &err);
    if (status == PGC_OK) {
        status = up ? river_ext_migrate(db.conn, flags.schema, &err)
                    : river_ext_remove(db.conn, flags.schema, &err);
    }
    if (status == PGC_OK && cli_common_options.json) {
        (void) printf("{\"SideTables\":%s}\n", up ? "true" : "false");
    } else if (status == PGC_OK) {
        (void) printf("the side tables are %s\n", up ? "there" : "gone");
    }
    return status == PGC_OK ? CLI_OK : cli_fail(&err);
}

int cmd_river_ext_migrate_up(int argc, char **argv)
{
    return side_tables("river ext-migrate-up", true, argc, argv);
}

int cmd_river_ext_migrate_down(int argc, char **argv)
{
    return side_tables("river ext-migrate-down", false, argc, argv);
}
