/* The job queue's migrations: catalogs, rows, steps, targets. */
#include "base/prelude.h"

#include <river/migrate.h>

#include "river_catalog.h"
#include "river_catalog_7.h"
#include "scratch.h"
#include "tap.h"

typedef struct scene {
    scratch db;
    arena *mem;
    river_migrate_options options;
    river_migrate_result result;
    pgc_error err;
} scene;

static void scene_done(scene *s)
{
    arena_free(s->mem);
    scratch_drop(&s->db);
}

static bool scene_begin(scene *s)
{
    memset(s, 0, sizeof *s);
    if (!scratch_make(&s->db)) {
        return false;
    }
    s->mem = arena_new(NULL, 0, 0);
    s->options = (river_migrate_options) { .struct_size = sizeof s->options, .schema = "queue" };
    return s->mem != NULL && scratch_do(&s->db, "CREATE SCHEMA queue");
}

#define SCENE(name)                                    \
    if (test_server() == NULL) {                       \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    AUTO(scene_done) scene name;                       \
    REQUIRE(scene_begin(&name))

static pgc_status up(scene *s)
{
    pgc_error_clear(&s->err);
    return river_migrate(s->db.conn, RIVER_UP, &s->options, &s->result, &s->err);
}

static pgc_status down(scene *s)
{
    pgc_error_clear(&s->err);
    return river_migrate(s->db.conn, RIVER_DOWN, &s->options, &s->result, &s->err);
}

static const char *catalog(scene *s)
{
    const char *text = scratch_text(&s->db, s->mem, RIVER_CATALOG_SQL);
    CHECK(scratch_do(&s->db, "RESET search_path"));
    return text;
}

static const char *rows(scene *s)
{
    return scratch_text(&s->db, s->mem,
                        "SELECT string_agg(concat_ws(' ', line, version), ', ' ORDER BY line, "
                        "version) FROM queue.river_migration");
}

/* Print the first line that differs. */
static void show_difference(const char *got, const char *want)
{
    while (*got != '\0' && *want != '\0') {
        size_t got_len = strcspn(got, "\n");
        size_t want_len = strcspn(want, "\n");
        if (got_len != want_len || memcmp(got, want, got_len) != 0) {
            printf("# got  %.*s\n# want %.*s\n", (int) got_len, got, (int) want_len, want);
            return;
        }
        got += got_len + (got[got_len] != '\0' ? 1 : 0);
        want += want_len + (want[want_len] != '\0' ? 1 : 0);
    }
}

static void fresh_schema_equals_river(void)
{
    SCENE(s);
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 7);
    const char *got = catalog(&s);
    if (!CHECK(strcmp(got, RIVER_CATALOG_7) == 0)) {
        show_difference(got, RIVER_CATALOG_7);
    }
    CHECK_STR(rows(&s), "main 1, main 2, main 3, main 4, main 5, main 6, main 7");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT (array_agg(version ORDER BY created_at, version) = "
                           "'{1,2,3,4,5,6,7}')::text FROM queue.river_migration"),
              "true");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT count(*)::text FROM pg_class "
                           "WHERE relnamespace = 'public'::regnamespace"),
              "0");
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 0);
    CHECK_STATUS(river_migrate_validate(s.db.conn, "queue", &s.err), PGC_OK, &s.err);
}

static void bitmask_counts_from_the_left(void)
{
    SCENE(s);
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(e::text || ' ' || queue.river_job_state_in_bitmask("
                           "B'11110101', e) || ' ' || queue.river_job_state_in_bitmask(B'00001010',"
                           " e), ', ' ORDER BY e) FROM "
                           "unnest(enum_range(NULL::queue.river_job_state)) e"),
              "available true false, cancelled false true, completed true false, "
              "discarded false true, pending true false, retryable true false, "
              "running true false, scheduled true false");
}

static void every_version_can_be_gone_back_to(void)
{
    SCENE(s);
    const char *catalogs[RIVER_SCHEMA_VERSION + 1] = { "(null)" };
    for (int32_t version = 1; version <= RIVER_SCHEMA_VERSION; version++) {
        s.options.target_version = version;
        CHECK_STATUS(up(&s), PGC_OK, &s.err);
        CHECK_INT(s.result.count, 1);
        catalogs[version] = catalog(&s);
    }
    CHECK_STR(catalogs[7], RIVER_CATALOG_7);
    for (int32_t version = RIVER_SCHEMA_VERSION - 1; version >= 4; version--) {
        s.options.target_version = version;
        CHECK_STATUS(down(&s), PGC_OK, &s.err);
        CHECK_STR(catalog(&s), catalogs[version]);
    }
    s.options.target_version = 2;
    CHECK_STATUS(down(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 2);
    s.options.target_version = -1;
    CHECK_STATUS(down(&s), PGC_OK, &s.err);
    CHECK_STR(catalog(&s), "(null)");
    CHECK_STATUS(down(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 0);
    s.options.target_version = 0;
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_STR(catalog(&s), RIVER_CATALOG_7);
}

static void down_takes_one_step(void)
{
    SCENE(s);
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_STATUS(down(&s), PGC_OK, &s.err);
    CHECK_STR(rows(&s), "main 1, main 2, main 3, main 4, main 5, main 6");
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT to_regclass('queue.river_client_queue')::text"),
              "queue.river_client_queue");
    CHECK_STATUS(river_migrate_validate(s.db.conn, "queue", &s.err), PGC_SCHEMA, &s.err);
    CHECK_STR(s.err.message, "Unapplied migrations: [7]");
}

static void steps_and_targets_limit_a_run(void)
{
    SCENE(s);
    s.options.max_steps = 2;
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 2);
    CHECK(!s.result.exhausted);
    s.options.max_steps = 9;
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 5);
    CHECK(s.result.exhausted);
    s.options.max_steps = -1;
    CHECK_STATUS(down(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 0);
    s.options.max_steps = 0;
    s.options.target_version = 8;
    CHECK_STATUS(up(&s), PGC_INVALID, &s.err);
    s.options.target_version = 3;
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 0);
    s.options.target_version = 6;
    CHECK_STATUS(down(&s), PGC_OK, &s.err);
    s.options.target_version = 7;
    CHECK_STATUS(down(&s), PGC_INVALID, &s.err);
}

static void a_dry_run_changes_nothing(void)
{
    SCENE(s);
    s.options.dry_run = true;
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 7);
    CHECK_STR(catalog(&s), "(null)");
}

static void a_newer_database_is_left_alone(void)
{
    SCENE(s);
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    REQUIRE(scratch_do(&s.db, "INSERT INTO queue.river_migration VALUES ('pro', 12)"));
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_STATUS(river_migrate_validate(s.db.conn, "queue", &s.err), PGC_OK, &s.err);
    s.options.target_version = 4;
    CHECK(down(&s) != PGC_OK);
    CHECK(strstr(s.err.message, "other lines than main") != NULL);
    CHECK_STR(rows(&s), "main 1, main 2, main 3, main 4, main 5, pro 12");
    REQUIRE(scratch_do(&s.db, "INSERT INTO queue.river_migration VALUES ('main', 8)"));
    s.options.target_version = 0;
    CHECK_STATUS(up(&s), PGC_SCHEMA, &s.err);
    CHECK(strstr(s.err.message, "migration 8 not found in migrator bundle") != NULL);
    CHECK_STATUS(down(&s), PGC_SCHEMA, &s.err);
}

static void bad_schema_names_are_refused(void)
{
    SCENE(s);
    static const char *const BAD[] = { "a.b", "1a",
                                       "a b", "a\"b",
                                       "a-b", "abcdefghijabcdefghijabcdefghijabcdefghijabcdefg" };
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        s.options.schema = BAD[i];
        CHECK_STATUS(up(&s), PGC_INVALID, &s.err);
    }
    s.options.schema = "missing";
    CHECK(up(&s) != PGC_OK);
    CHECK(pgc_conn_tx_state(s.db.conn) == PGC_TX_IDLE);
    s.options.schema = NULL;
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT to_regclass('public.river_job')::text"),
              "river_job");
}

static void mixed_case_schemas_work(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "CREATE SCHEMA \"MyQueue\""));
    s.options.schema = "MyQueue";
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 7);
    CHECK_STATUS(river_migrate_validate(s.db.conn, "MyQueue", &s.err), PGC_OK, &s.err);
    s.options.target_version = -1;
    CHECK_STATUS(down(&s), PGC_OK, &s.err);
}

/* A row of version 1 to 4 that is missing counts as not applied, as River sees it. */
static void a_failed_migration_leaves_no_row(void)
{
    SCENE(s);
    s.options.target_version = 1;
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    REQUIRE(scratch_do(&s.db, "CREATE TABLE queue.river_job (id int)"));
    s.options.target_version = 0;
    CHECK(up(&s) != PGC_OK);
    CHECK(strstr(s.err.message, "applying River version 002 [up]") != NULL);
    CHECK_STR(s.err.sqlstate, "42P07");
    CHECK_INT(s.result.count, 0);
    CHECK(pgc_conn_tx_state(s.db.conn) == PGC_TX_IDLE);
    REQUIRE(scratch_do(&s.db, "DROP TABLE queue.river_job"));
    CHECK_STATUS(up(&s), PGC_OK, &s.err);
    CHECK_INT(s.result.count, 6);
}

TAP_MAIN(TAP("river migrate: a fresh schema equals River's", fresh_schema_equals_river),
         TAP("river migrate: the bitmask counts from the left", bitmask_counts_from_the_left),
         TAP("river migrate: every version can be gone back to", every_version_can_be_gone_back_to),
         TAP("river migrate: down takes one step", down_takes_one_step),
         TAP("river migrate: steps and targets limit a run", steps_and_targets_limit_a_run),
         TAP("river migrate: a dry run changes nothing", a_dry_run_changes_nothing),
         TAP("river migrate: a newer database is left alone", a_newer_database_is_left_alone),
         TAP("river migrate: bad schema names are refused", bad_schema_names_are_refused),
         TAP("river migrate: mixed case schemas work", mixed_case_schemas_work),
         TAP("river migrate: a failed migration leaves no row", a_failed_migration_leaves_no_row))
