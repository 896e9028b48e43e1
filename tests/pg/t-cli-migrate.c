/* lumilio migrate and lumilio river as a person calls them: output, exit codes, files written. The
 * commands run inside the test with their output caught; what else the program links is stubbed. */
#include "base/prelude.h"

#include <fcntl.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/commands.h"
#include "service/user.h"

#include "scratch.h"
#include "tap.h"

const cli_command CLI_COMMANDS[] = {
    { "migrate apply", "Apply pending migrations", "", cmd_migrate_apply },
};
const size_t CLI_COMMAND_COUNT = ARRAY_LEN(CLI_COMMANDS);

/* The migration commands never open a library. */
pgc_status lum_library_open(const env *e, const lum_library_options *options, lum_library **out,
                            pgc_error *err)
{
    (void) e;
    (void) options;
    (void) out;
    return pgc_error_set(err, PGC_UNSUPPORTED, "not in this test");
}

void lum_library_close(lum_library *library)
{
    (void) library;
}

/* Only databases that a URL names; what the program does without one is t-cli.c's. */
struct lum_database {
    const char *url;
};

pgc_status lum_database_open(const env *e, const lum_library_options *options, lum_database **out,
                             pgc_error *err)
{
    static lum_database given;
    (void) e;
    if (options->database_url == NULL) {
        return pgc_error_set(err, PGC_UNSUPPORTED, "the private server is wanted");
    }
    given.url = options->database_url;
    *out = &given;
    return PGC_OK;
}

void lum_database_close(lum_database *database)
{
    (void) database;
}

const char *lum_database_url(const lum_database *database)
{
    return database->url;
}

pgc_pool *lum_library_pool(lum_library *library)
{
    (void) library;
    return NULL;
}

pgc_status lum_user_check_name(const char *name, pgc_error *err)
{
    (void) name;
    return pgc_error_set(err, PGC_UNSUPPORTED, "not in this test");
}

pgc_status lum_user_ensure(pgc_pool *pool, const char *name, int32_t *out, pgc_error *err)
{
    (void) pool;
    (void) name;
    (void) out;
    return pgc_error_set(err, PGC_UNSUPPORTED, "not in this test");
}

pgc_status lum_session_open(pgc_pool *pool, int32_t user_id, lum_session **out, pgc_error *err)
{
    (void) pool;
    (void) user_id;
    (void) out;
    return pgc_error_set(err, PGC_UNSUPPORTED, "not in this test");
}

typedef struct scene {
    scratch db;
    arena *mem;
    char folder[64];
    char url[600]; /* --url=… */
    char dir[128]; /* --dir=… */
    char out[8192], err[4096];
} scene;

static void scene_done(scene *s)
{
    if (s->folder[0] != '\0') {
        CHECK_INT(file_remove_tree(env_default(), AT_FDCWD, s->folder, NULL), PGC_OK);
    }
    arena_free(s->mem);
    scratch_drop(&s->db);
}

static bool scene_begin(scene *s)
{
    memset(s, 0, sizeof *s);
    (void) snprintf(s->folder, sizeof s->folder, "/tmp/t-cli-migrate-XXXXXX");
    s->mem = arena_new(NULL, 0, 0);
    if (s->mem == NULL || mkdtemp(s->folder) == NULL || !scratch_make(&s->db)) {
        return false;
    }
    (void) snprintf(s->url, sizeof s->url, "--url=%s", s->db.url);
    (void) snprintf(s->dir, sizeof s->dir, "--dir=file://%s", s->folder);
    return true;
}

#define SCENE(name)                                    \
    if (test_server() == NULL) {                       \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    AUTO(scene_done) scene name;                       \
    REQUIRE(scene_begin(&name))

static void put(scene *s, const char *name, const char *content)
{
    const char *path = arena_printf(s->mem, "%s/%s", s->folder, name);
    CHECK_INT(file_write_atomic(env_default(), AT_FDCWD, path, pgc_text_from(content), 0644, NULL),
              PGC_OK);
}

static const char *get(scene *s, const char *name)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 1 << 16);
    const char *path = arena_printf(s->mem, "%s/%s", s->folder, name);
    if (file_read(env_default(), AT_FDCWD, path, &text, NULL) != PGC_OK) {
        return "(none)";
    }
    return arena_copy(s->mem, buf_view(&text));
}

/* Point a stream at a new file; gives the old descriptor. */
static int catch_stream(FILE *stream, int *file)
{
    char path[] = "/tmp/t-cli-XXXXXX";
    (void) fflush(stream);
    *file = mkstemp(path);
    (void) unlink(path);
    int saved = dup(fileno(stream));
    (void) dup2(*file, fileno(stream));
    return saved;
}

static void release_stream(FILE *stream, int saved, int file, char *out, size_t size)
{
    (void) fflush(stream);
    ssize_t got = pread(file, out, size - 1, 0);
    out[got > 0 ? got : 0] = '\0';
    (void) dup2(saved, fileno(stream));
    (void) close(saved);
    (void) close(file);
}

/* Call a command; its words follow, ended by NULL. */
static int call(scene *s, int (*command)(int argc, char **argv), ...)
{
    char *argv[16];
    int argc = 0;
    int out_file = -1;
    int err_file = -1;
    va_list args;
    memset(&cli_common_options, 0, sizeof cli_common_options);
    argv[argc++] = arena_strdup(s->mem, "command");
    va_start(args, command);
    for (const char *word = va_arg(args, const char *); word != NULL;
         word = va_arg(args, const char *)) {
        argv[argc++] = arena_strdup(s->mem, word);
    }
    va_end(args);
    argv[argc] = NULL;
    int saved_out = catch_stream(stdout, &out_file);
    int saved_err = catch_stream(stderr, &err_file);
    int code = command(argc, argv);
    release_stream(stdout, saved_out, out_file, s->out, sizeof s->out);
    release_stream(stderr, saved_err, err_file, s->err, sizeof s->err);
    return code;
}

static bool contains(const char *text, const char *part)
{
    bool found = strstr(text, part) != NULL;
    if (!found) {
        printf("# no \"%s\" in: %s\n", part, text);
    }
    return found;
}

static void hash_and_validate(void)
{
    SCENE(s);
    put(&s, "001_a.sql", "SELECT 1;\n");
    CHECK_INT(call(&s, cmd_migrate_validate, s.dir, NULL), CLI_FAILED);
    CHECK_STR(s.err, "Error: checksum file not found\n");
    CHECK(contains(s.out, "no checksum file"));
    CHECK_INT(call(&s, cmd_migrate_hash, s.dir, NULL), CLI_OK);
    CHECK_STR(s.out, "");
    CHECK_STR(s.err, "");
    CHECK_STR(get(&s, "atlas.sum"), "h1:EwFxHpTpPAA4gN4s+sXpVQHgmUmwXjjIFJBiHEOGc1k=\n"
                                    "001_a.sql h1:ihhQjTOFxT0roXVIDx95+OxLTYHE9xR4avoSYSQ/cDw=\n");
    CHECK_INT(call(&s, cmd_migrate_validate, s.dir, NULL), CLI_OK);
    CHECK_STR(s.out, "");
    put(&s, "001_a.sql", "SELECT 2;\n");
    CHECK_INT(call(&s, cmd_migrate_validate, s.dir, NULL), CLI_FAILED);
    CHECK(contains(s.out, "\n\n\tL2: 001_a.sql was edited\n\n"));
    CHECK_STR(s.err, "Error: checksum mismatch\n");
    CHECK_INT(call(&s, cmd_migrate_hash, NULL), CLI_USAGE);
    put(&s, "001_b.sql", "");
    CHECK_INT(call(&s, cmd_migrate_hash, s.dir, NULL), CLI_OK);
    CHECK_INT(call(&s, cmd_migrate_validate, s.dir, NULL), CLI_FAILED);
    CHECK(contains(s.err, "same version"));
}

static void apply_reports_and_exits(void)
{
    SCENE(s);
    put(&s, "1_a.sql", "CREATE TABLE a (id int);\n");
    put(&s, "2_b.sql", "INSERT INTO a\nVALUES (1);\nSELECT 1/0;\n");
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, NULL), CLI_FAILED);
    CHECK_STR(s.err, "Error: checksum file not found\n");
    CHECK_INT(call(&s, cmd_migrate_hash, s.dir, NULL), CLI_OK);
    CHECK_INT(call(&s, cmd_migrate_apply, "1", s.dir, "-u", s.db.url, NULL), CLI_OK);
    CHECK(contains(s.out, "Migrating to version 1 (1 migrations in total):\n\n"
                          "  -- migrating version 1\n    -> CREATE TABLE a (id int);\n  -- ok ("));
    CHECK(contains(s.out, "\n  -- 1 migration\n  -- 1 sql statement\n"));
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, NULL), CLI_FAILED);
    CHECK(contains(s.out, "Migrating to version 2 from 1 (1 migrations in total):"));
    CHECK(contains(s.out, "    -> INSERT INTO a\n       VALUES (1);\n    -> SELECT 1/0;\n"
                          "    division by zero\n"));
    CHECK(contains(s.out, "  -- 1 migration with errors\n  -- 1 sql statement ok, 1 with errors"));
    CHECK_STR(s.err, "Error: executing statement \"SELECT 1/0;\" from version \"2\": division by "
                     "zero\n");
    put(&s, "2_b.sql", "SELECT 2;");
    CHECK_INT(call(&s, cmd_migrate_hash, s.dir, NULL), CLI_OK);
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, NULL), CLI_OK);
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, NULL), CLI_OK);
    CHECK_STR(s.out, "No migration files to execute\n");
    /* Without --revisions-schema and search_path the table has a schema of its own. */
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT count(*)::text FROM "
                           "atlas_schema_revisions.atlas_schema_revisions"),
              "2");
}

static void wrong_calls_are_told(void)
{
    SCENE(s);
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, s.dir, "0", NULL), CLI_USAGE);
    CHECK(contains(s.err, "cannot apply '0' migration files"));
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, s.dir, "x", NULL), CLI_USAGE);
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, s.dir, "--tx-mode=some", NULL), CLI_USAGE);
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, s.dir, "--exec-order=any", NULL), CLI_USAGE);
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, s.dir, "--lock-timeout=soon", NULL), CLI_USAGE);
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, s.dir, "--format=xml", NULL), CLI_USAGE);
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, s.dir, "--bogus", NULL), CLI_USAGE);
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, "--dir=s3://x", NULL), CLI_FAILED);
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, "--dir=file://x?format=goose", NULL), CLI_FAILED);
    CHECK(contains(s.err, "unknown dir format \"goose\""));
    CHECK_INT(call(&s, cmd_migrate_apply, s.url, "--dir=/nonexistent", NULL), CLI_FAILED);
    CHECK(contains(s.err, "no such folder"));
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, "--baseline=1", "--allow-dirty", NULL),
              CLI_FAILED);
    CHECK(contains(s.err, "baseline and allow-dirty are mutually exclusive"));
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, NULL), CLI_FAILED);
    CHECK(contains(s.err, "the private server is wanted"));
}

static void json_has_the_keys_of_atlas(void)
{
    SCENE(s);
    put(&s, "1_a.sql", "SELECT 1;");
    put(&s, "2_b.sql", "SELECT 1/0;");
    CHECK_INT(call(&s, cmd_migrate_hash, s.dir, NULL), CLI_OK);
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, "--json", NULL), CLI_FAILED);
    CHECK_STR(s.err, "");
    CHECK(contains(s.out, "{\"Driver\":\"postgres\",\"URL\":{\"Scheme\":\"postgres"));
    CHECK(contains(s.out, "\"Pending\":[{\"Name\":\"1_a.sql\",\"Version\":\"1\",\"Description\":"
                          "\"a\"},{\"Name\":\"2_b.sql\""));
    CHECK(contains(s.out, "\"Applied\":[\"SELECT 1;\"]"));
    CHECK(contains(s.out, "\"Error\":{\"Stmt\":\"SELECT 1/0;\",\"Text\":\"division by zero\"}"));
    CHECK(contains(s.out, "\"Target\":\"2\""));
    CHECK(contains(s.out, "\"Error\":\"executing statement "));
    CHECK_INT(call(&s, cmd_migrate_status, s.dir, s.url, "--format", "{{ json . }}", NULL), CLI_OK);
    CHECK(contains(s.out, "{\"Env\":{\"Driver\":\"postgres\""));
    CHECK(contains(s.out, "\"Type\":\"applied\",\"Applied\":1,\"Total\":1,\"ExecutedAt\":\"20"));
    CHECK(contains(s.out, "\"Current\":\"1\",\"Next\":\"2\",\"Status\":\"PENDING\"}"));
}

static void status_reads_like_atlas(void)
{
    SCENE(s);
    put(&s, "1_a.sql", "SELECT 1;");
    put(&s, "2_b.sql", "-- atlas:txmode none\n\nSELECT 1;\nSELECT\n1/0;\nSELECT 2;");
    CHECK_INT(call(&s, cmd_migrate_hash, s.dir, NULL), CLI_OK);
    CHECK_INT(call(&s, cmd_migrate_status, s.dir, s.url, "--exit-code", NULL), 2);
    CHECK_STR(s.out, "Migration Status: PENDING\n"
                     "  -- Current Version: No migration applied yet\n"
                     "  -- Next Version:    1\n"
                     "  -- Executed Files:  0\n"
                     "  -- Pending Files:   2\n");
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, NULL), CLI_FAILED);
    CHECK_INT(call(&s, cmd_migrate_status, s.dir, s.url, "--exit-code", NULL), 3);
    CHECK_STR(s.out, "Migration Status: PENDING\n"
                     "  -- Current Version: 2 (1 statements applied)\n"
                     "  -- Next Version:    2 (2 statements left)\n"
                     "  -- Executed Files:  2 (last one partially)\n"
                     "  -- Pending Files:   1\n"
                     "\n"
                     "Last migration attempt had errors:\n"
                     "  -- SQL:   SELECT 1/0;\n"
                     "  -- ERROR: division by zero\n");
    CHECK_INT(call(&s, cmd_migrate_set, "2", s.dir, s.url, NULL), CLI_OK);
    CHECK_STR(s.out, "Current version is 2 (1 set, 0 removed):\n\n  + 2 (b)\n\n");
    CHECK_INT(call(&s, cmd_migrate_status, s.dir, s.url, "--exit-code", NULL), CLI_OK);
    CHECK_STR(s.out, "Migration Status: OK\n"
                     "  -- Current Version: 2\n"
                     "  -- Next Version:    Already at latest version\n"
                     "  -- Executed Files:  2\n"
                     "  -- Pending Files:   0\n");
    put(&s, "3_c.sql", "SELECT 1;");
    CHECK_INT(call(&s, cmd_migrate_status, s.dir, s.url, NULL), CLI_FAILED);
    CHECK(contains(s.out, "L4: 3_c.sql was added"));
}

static void dry_run_and_baseline_are_shown(void)
{
    SCENE(s);
    put(&s, "1_a.sql", "CREATE TABLE a (id int);");
    put(&s, "2_b.sql", "CREATE TABLE b (id int);");
    CHECK_INT(call(&s, cmd_migrate_hash, s.dir, NULL), CLI_OK);
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, "--dry-run", NULL), CLI_OK);
    CHECK(contains(s.out, "    -> CREATE TABLE b (id int);\n"));
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT to_regclass('b')::text"), "(null)");
    CHECK_INT(call(&s, cmd_migrate_apply, s.dir, s.url, "--baseline=2", NULL), CLI_OK);
    CHECK_STR(s.out, "Baseline version is 2\nNo migration files to execute\n");
}

static void river_commands_read_like_river(void)
{
    SCENE(s);
    char url[600];
    (void) snprintf(url, sizeof url, "--database-url=%s", s.db.url);
    CHECK_INT(call(&s, cmd_river_validate, url, NULL), CLI_FAILED);
    CHECK(contains(s.err, "Unapplied migrations: [1 2 3 4 5 6 7]"));
    CHECK_INT(call(&s, cmd_river_migrate_list, url, NULL), CLI_OK);
    CHECK(contains(s.out, "001 create river migration\n002 initial schema\n"));
    CHECK_INT(call(&s, cmd_river_migrate_up, url, "--dry-run", "--max-steps=1", NULL), CLI_OK);
    CHECK(contains(s.out, "migration 001 [up] create river migration"));
    CHECK(contains(s.out, "[DRY RUN]"));
    CHECK_INT(call(&s, cmd_river_migrate_up, url, "--target-version=6", NULL), CLI_OK);
    CHECK(contains(s.out, "applied migration 006 [up] bulk unique"));
    CHECK_INT(call(&s, cmd_river_migrate_list, url, NULL), CLI_OK);
    CHECK(contains(s.out, "  005 migration unique client\n* 006 bulk unique\n  007 notif"));
    CHECK_INT(call(&s, cmd_river_migrate_up, url, "--show-sql", NULL), CLI_OK);
    CHECK(contains(s.out, "CREATE TABLE river_notification"));
    CHECK_INT(call(&s, cmd_river_migrate_up, url, NULL), CLI_OK);
    CHECK_STR(s.out, "no migrations to apply\n");
    CHECK_INT(call(&s, cmd_river_validate, url, NULL), CLI_OK);
    CHECK_STR(s.out, "");
    CHECK_INT(call(&s, cmd_river_migrate_down, url, NULL), CLI_OK);
    CHECK(contains(s.out, "applied migration 007 [down]"));
    CHECK_INT(call(&s, cmd_river_migrate_down, url, "--target-version=0", "--json", NULL), CLI_OK);
    CHECK(contains(s.out, "{\"Applied\":[{\"Version\":6,"));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT count(*)::text FROM pg_class "
                           "WHERE relnamespace = 'public'::regnamespace"),
              "0");
    CHECK_INT(call(&s, cmd_river_migrate_up, url, "--line=pro", NULL), CLI_USAGE);
    CHECK_INT(call(&s, cmd_river_migrate_up, url, "--max-steps=x", NULL), CLI_USAGE);
    CHECK_INT(call(&s, cmd_river_migrate_up, url, "--target-version=9", NULL), CLI_FAILED);
}

TAP_MAIN(TAP("cli migrate: hash writes, validate checks", hash_and_validate),
         TAP("cli migrate: apply reports what it does", apply_reports_and_exits),
         TAP("cli migrate: wrong calls are told", wrong_calls_are_told),
         TAP("cli migrate: JSON has the keys of Atlas", json_has_the_keys_of_atlas),
         TAP("cli migrate: status reads like Atlas", status_reads_like_atlas),
         TAP("cli migrate: dry run and baseline are shown", dry_run_and_baseline_are_shown),
         TAP("cli river: commands read like River's", river_commands_read_like_river))
