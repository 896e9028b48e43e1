/* The migration engine against a server: rows, resume, transactions, lock. Each case has a database
 * of its own. */
#include "base/prelude.h"

#include "migrate/lock.h"
#include "migrate/migrate.h"
#include "migrate/session.h"
#include "migrate/sum.h"

#include "base/buf.h"

#include "oom.h"
#include "scratch.h"
#include "tap.h"

#define FILES_MAX 8

typedef struct scene {
    scratch db;
    arena *mem;
    migrate_embedded table[FILES_MAX];
    migrate_options options;
    migrate_apply_report report;
    pgc_error err;
} scene;

static void scene_done(scene *s)
{
    migrate_apply_report_done(&s->report);
    arena_free(s->mem);
    scratch_drop(&s->db);
}

/* Set the directory: name, content, name, content, …, NULL; its sum file is made to fit. */
static void set_files(scene *s, ...)
{
    va_list args;
    size_t count = 0;
    va_start(args, s);
    for (const char *name = va_arg(args, const char *); name != NULL;
         name = va_arg(args, const char *)) {
        const char *content = va_arg(args, const char *);
        s->table[count++] = (migrate_embedded) { name, content, strlen(content) };
    }
    va_end(args);
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 1 << 16);
    migrate_source source = { NULL, s->table, count };
    migrate_dir dir = { .file_count = 0 };
    CHECK_INT(migrate_dir_load(env_default(), &source, s->mem, &dir, NULL), PGC_OK);
    CHECK_INT(migrate_sum_write(&dir, &text, NULL), PGC_OK);
    const char *sum = arena_copy(s->mem, buf_view(&text));
    s->table[count++] = (migrate_embedded) { MIGRATE_SUM_NAME, sum, strlen(sum) };
    s->options.source = (migrate_source) { NULL, s->table, count };
}

static bool scene_begin(scene *s)
{
    memset(s, 0, sizeof *s);
    if (!scratch_make(&s->db)) {
        return false;
    }
    s->mem = arena_new(NULL, 0, 0);
    s->options = (migrate_options) {
        .env = env_default(), .url = s->db.url, .revisions_schema = "public", .lock_timeout_us = -1
    };
    return s->mem != NULL;
}

#define SCENE(name)                                    \
    if (test_server() == NULL) {                       \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    AUTO(scene_done) scene name;                       \
    REQUIRE(scene_begin(&name))

static pgc_status apply(scene *s)
{
    migrate_apply_report_done(&s->report);
    pgc_error_clear(&s->err);
    return migrate_apply(&s->options, &s->report, &s->err);
}

/* Rows as "version type applied/total error hash-count", one per line. */
static const char *rows(scene *s)
{
    return scratch_text(
        &s->db, s->mem,
        "SELECT coalesce(string_agg(concat_ws(' ', version, type, applied || '/' || total, "
        "nullif(error, ''), CASE WHEN jsonb_typeof(partial_hashes) = 'array' "
        "THEN jsonb_array_length(partial_hashes) || ' hashes' END), '; ' "
        "ORDER BY version COLLATE \"C\"), '') FROM public.atlas_schema_revisions");
}

static const char *tables(scene *s)
{
    return scratch_text(&s->db, s->mem,
                        "SELECT coalesce(string_agg(relname, ' ' ORDER BY relname), '') "
                        "FROM pg_class WHERE relnamespace = 'public'::regnamespace "
                        "AND relkind = 'r'");
}

static void applies_and_records(void)
{
    SCENE(s);
    set_files(&s, "001_a.sql", "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n", "002_b.sql",
              "CREATE TABLE b (id int);\n-- the end", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(tables(&s), "a atlas_schema_revisions b");
    CHECK_STR(rows(&s), "001 2 2/2; 002 2 2/2");
    CHECK_INT(s.report.run_count, 2);
    CHECK_STR(s.report.target, "002");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT description || ' ' || (hash ~ '^[A-Za-z0-9+/]{43}=$') || ' ' || "
                           "(partial_hashes::text) || ' ' || error || error_stmt || ' ' || "
                           "(execution_time > 0) FROM atlas_schema_revisions LIMIT 1"),
              "a true null  true");
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_INT(s.report.pending_count, 0);
    CHECK_STR(s.report.current, "002");
}

static void table_has_the_shape_of_atlas(void)
{
    SCENE(s);
    set_files(&s, "1.sql", "SELECT 1;", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(concat_ws(' ', column_name, data_type, "
                           "character_maximum_length, is_nullable, column_default), '; ' ORDER BY "
                           "ordinal_position) FROM information_schema.columns "
                           "WHERE table_name = 'atlas_schema_revisions'"),
              "version character varying NO; description character varying NO; "
              "type bigint NO 2; applied bigint NO 0; total bigint NO 0; "
              "executed_at timestamp with time zone NO; execution_time bigint NO; "
              "error text YES; error_stmt text YES; hash character varying NO; "
              "partial_hashes jsonb YES; operator_version character varying NO");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(pg_get_constraintdef(oid), ' ') FROM pg_constraint "
                           "WHERE conrelid = 'atlas_schema_revisions'::regclass"),
              "PRIMARY KEY (version)");
}

static void failed_file_leaves_no_trace(void)
{
    SCENE(s);
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", "2.sql",
              "CREATE TABLE b (id int);\nSELECT 1/0;\nCREATE TABLE c (id int);", NULL);
    CHECK_STATUS(apply(&s), PGC_INVALID, &s.err);
    CHECK_STR(s.err.message,
              "executing statement \"SELECT 1/0;\" from version \"2\": division by zero");
    CHECK_STR(s.err.sqlstate, "22012");
    CHECK_STR(tables(&s), "a atlas_schema_revisions");
    CHECK_STR(rows(&s), "1 2 1/1");
    CHECK_INT(s.report.run_count, 2);
    CHECK_STR(s.report.runs[1].error, "division by zero");
    CHECK_INT(s.report.runs[1].applied_count, 1);
}

static void mode_all_is_all_or_nothing(void)
{
    SCENE(s);
    s.options.tx_mode = MIGRATE_TX_ALL;
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", "2.sql", "SELECT 1/0;", NULL);
    CHECK(apply(&s) != PGC_OK);
    CHECK_STR(tables(&s), "atlas_schema_revisions");
    CHECK_STR(rows(&s), "");
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", "2.sql", "CREATE TABLE b (id int);", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(rows(&s), "1 2 1/1; 2 2 1/1");
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", "2.sql", "CREATE TABLE b (id int);", "3.sql",
              "-- atlas:txmode none\n\nSELECT 1;", NULL);
    CHECK_STATUS(apply(&s), PGC_INVALID, &s.err);
    CHECK(strstr(s.err.message, "cannot set txmode directive to \"none\" in \"3.sql\"") != NULL);
}

static void resumes_behind_the_last_success(void)
{
    SCENE(s);
    set_files(&s, "1.sql",
              "-- atlas:txmode none\n\nCREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n"
              "SELECT 1/0;\nINSERT INTO a VALUES (3);",
              NULL);
    CHECK(apply(&s) != PGC_OK);
    CHECK_STR(rows(&s), "1 2 2/4 division by zero 2 hashes");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT error_stmt || partial_hashes::text FROM atlas_schema_revisions"
                           " WHERE partial_hashes->>0 LIKE 'h1:%'")[0] == 'S'
                  ? "ok"
                  : "no",
              "ok");
    /* The repair has one statement less behind the failure: total follows. */
    set_files(&s, "1.sql",
              "-- atlas:txmode none\n\nCREATE TABLE a (id int);\n\n\nINSERT INTO a VALUES (1);\n"
              "INSERT INTO a VALUES (4);",
              NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_INT(s.report.runs[0].skipped, 2);
    CHECK_INT(s.report.runs[0].applied_count, 1);
    CHECK_STR(rows(&s), "1 2 3/3");
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT sum(id)::text FROM a"), "5");
}

static void changed_history_is_refused(void)
{
    SCENE(s);
    set_files(&s, "1_x.sql", "-- atlas:txmode none\n\nCREATE TABLE a (id int);\nSELECT 1/0;", NULL);
    CHECK(apply(&s) != PGC_OK);
    set_files(&s, "1_x.sql", "-- atlas:txmode none\n\nCREATE TABLE a (id  int);\nSELECT 1;", NULL);
    CHECK_STATUS(apply(&s), PGC_SCHEMA, &s.err);
    CHECK_STR(s.err.message, "history changed: statement 1 from file \"1_x.sql\" changed");
    set_files(&s, "1_x.sql", "-- atlas:txmode none\n\n", NULL);
    CHECK_STATUS(apply(&s), PGC_SCHEMA, &s.err);
    CHECK_STR(rows(&s), "1 2 1/2 division by zero 1 hashes");
    REQUIRE(scratch_do(&s.db, "UPDATE atlas_schema_revisions SET partial_hashes = NULL"));
    set_files(&s, "1_x.sql", "-- atlas:txmode none\n\nCREATE TABLE a (id int);\nSELECT 1;", NULL);
    CHECK_STATUS(apply(&s), PGC_SCHEMA, &s.err);
    CHECK(strstr(s.err.hint, "migrate set 1") != NULL);
}

static void own_transactions_roll_the_count_back(void)
{
    SCENE(s);
    set_files(&s, "1.sql",
              "-- atlas:txmode none\n\nCREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);"
              "\nSELECT 1/0;\nCOMMIT;",
              NULL);
    CHECK(apply(&s) != PGC_OK);
    CHECK_STR(rows(&s), "1 2 1/5 division by zero 1 hashes");
    set_files(&s, "1.sql",
              "-- atlas:txmode none\n\nCREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);",
              NULL);
    CHECK_STATUS(apply(&s), PGC_CONFLICT, &s.err);
    CHECK(strstr(s.err.message, "leaves a transaction open") != NULL);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM a"), "0");
    set_files(&s, "1.sql",
              "-- atlas:txmode none\n\nCREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);"
              "\nCOMMIT;\nCREATE INDEX CONCURRENTLY i ON a (id);",
              NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(rows(&s), "1 2 5/5");
}

static void refuses_what_cannot_run(void)
{
    static const struct {
        const char *content, *word;
    } CASES[] = {
        { "COPY t (a) FROM STDIN;\n1\n\\.\n", "COPY data" },
        { "copy t from /* x */ stdin;", "COPY data" },
        { "\\set x 1\n", "psql commands" },
        { "SELECT 1;\n\\restrict abc\n", "psql commands" },
        { "SELECT 1;\nCOMMIT;", "transaction control" },
        { "ROLLBACK;", "transaction control" },
        { "BEGIN;\nSELECT 1;\nEND;", "transaction control" },
        { "-- atlas:sum ignore\n\nSELECT 1;", "checksum not found" },
        { "SELECT 'x;", "unclosed quote" },
        { "-- atlas:txmode all\n\nSELECT 1;", "txmode \"all\" is not allowed" },
        { "-- atlas:txmode some\n\nSELECT 1;", "unknown txmode \"some\"" },
        { "-- atlas:txmode none\n-- atlas:txmode none\n\nSELECT 1;", "multiple txmode" },
    };
    SCENE(s);
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        /* The bad file comes second: the first one must not run either. */
        set_files(&s, "1.sql", "CREATE TABLE a (id int);", "2.sql", CASES[i].content, NULL);
        CHECK_STATUS(apply(&s), PGC_INVALID, &s.err);
        if (!CHECK(strstr(s.err.message, CASES[i].word) != NULL)) {
            printf("# %s\n", s.err.message);
        }
    }
    CHECK_STR(tables(&s), "");
}

static void harmless_look_alikes_run(void)
{
    SCENE(s);
    set_files(&s, "1.sql",
              "CREATE TABLE copy_from (stdin int);\nSAVEPOINT s;\nROLLBACK TO SAVEPOINT s;\n"
              "ROLLBACK TO s;\nSELECT 'copy x from stdin';\nPREPARE p AS SELECT 1;\n"
              "DO $$ BEGIN PERFORM 1; END $$;",
              NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(rows(&s), "1 2 7/7");
}

static void a_database_in_use_is_refused(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "CREATE TABLE mine (id int)"));
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", "2.sql", "CREATE TABLE b (id int);", NULL);
    CHECK_STATUS(apply(&s), PGC_CONFLICT, &s.err);
    CHECK_STR(s.err.message, "connected database is not clean: found table \"mine\" in schema "
                             "\"public\". baseline version or allow-dirty is required");
    CHECK_STR(tables(&s), "mine");
    s.options.baseline = "9";
    CHECK_STATUS(apply(&s), PGC_NOT_FOUND, &s.err);
    s.options.baseline = "1";
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(rows(&s), "1 1 0/0; 2 2 1/1");
    CHECK_STR(tables(&s), "atlas_schema_revisions b mine");
    CHECK_STR(s.report.current, "1");
    s.options.allow_dirty = true;
    CHECK_STATUS(apply(&s), PGC_INVALID, &s.err);
}

static void extensions_do_not_count_as_use(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "CREATE EXTENSION pg_trgm"));
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
}

static void other_schemas_count_as_use(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "CREATE SCHEMA extra"));
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", NULL);
    CHECK_STATUS(apply(&s), PGC_CONFLICT, &s.err);
    CHECK(strstr(s.err.message, "found schema \"extra\"") != NULL);
    s.options.allow_dirty = true;
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
}

static void a_dry_run_changes_nothing(void)
{
    SCENE(s);
    s.options.dry_run = true;
    s.options.revisions_schema = NULL;
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", "2.sql", "CREATE TABLE b (id int);", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_INT(s.report.run_count, 2);
    CHECK_INT(s.report.runs[1].applied_count, 1);
    s.options.baseline = "1";
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(s.report.baseline, "1");
    CHECK_STR(tables(&s), "");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT count(*)::text FROM pg_namespace WHERE nspname LIKE 'atlas%'"),
              "0");
}

static void only_one_migrates(void)
{
    SCENE(s);
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    char sql[128];
    (void) snprintf(sql, sizeof sql, "SELECT pg_advisory_lock(%" PRId64 ")",
                    migrate_lock_key(MIGRATE_LOCK_EXECUTE));
    REQUIRE(scratch_do(&s.db, sql));
    CHECK_STATUS(apply(&s), PGC_TIMEOUT, &s.err);
    CHECK_STR(s.err.message, "acquiring database lock: lock is held by other session");
    clock_fake fake;
    clock_fake_init(&fake, 0, 7);
    env e = *env_default();
    e.clock = &fake.ops;
    s.options.env = &e;
    s.options.lock_timeout_us = 3000000;
    CHECK_STATUS(apply(&s), PGC_TIMEOUT, &s.err);
    CHECK(fake.mono_us >= 3000000);
    CHECK(fake.mono_us <= 6000000);
    s.options.env = env_default();
    /* A start-up with nothing to do does not wait for a migration that runs elsewhere. */
    s.options.check_first = true;
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
}

static void lock_keys_are_those_of_atlas(void)
{
    CHECK_INT(migrate_lock_key("atlas_migrate_execute"), INT64_C(2686470616));
    CHECK_INT(migrate_lock_key("atlas_migrate_diff"), 361947982);
    CHECK_INT(migrate_lock_key("atlas_lint"), 526800194);
    CHECK_INT(migrate_lock_key("atlas_lint_public"), 1304589634);
}

static void amount_and_version_limit_a_run(void)
{
    SCENE(s);
    set_files(&s, "1.sql", "SELECT 1;", "2.sql", "SELECT 1;", "3.sql", "SELECT 1;", "4.sql",
              "SELECT 1;", NULL);
    s.options.amount = 1;
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(rows(&s), "1 2 1/1");
    s.options.amount = 0;
    s.options.to_version = "3";
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(rows(&s), "1 2 1/1; 2 2 1/1; 3 2 1/1");
    s.options.to_version = "7";
    CHECK_STATUS(apply(&s), PGC_NOT_FOUND, &s.err);
}

static void miscounted_rows_are_repaired(void)
{
    SCENE(s);
    set_files(&s, "1.sql", "SELECT 1;\nSELECT 2;", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    REQUIRE(scratch_do(&s.db, "UPDATE atlas_schema_revisions SET total = 3; "
                              "INSERT INTO atlas_schema_revisions VALUES ('.cloud', 'x', 2, 0, 5, "
                              "now(), 0, NULL, NULL, '', NULL, 'Atlas CLI')"));
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_INT(s.report.pending_count, 0);
    CHECK_STR(rows(&s), ".cloud 2 0/5; 1 2 2/2");
}

static void schema_follows_the_url(void)
{
    SCENE(s);
    char url[640];
    REQUIRE(scratch_do(&s.db, "CREATE SCHEMA \"My App\"; CREATE TABLE public.t (id int)"));
    (void) snprintf(url, sizeof url, "%s%csearch_path=My%%20App", s.db.url,
                    strchr(s.db.url, '?') == NULL ? '?' : '&');
    s.options.url = url;
    s.options.revisions_schema = NULL;
    set_files(&s, "1.sql", "CREATE TABLE a (id int);", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class "
                           "WHERE relnamespace = '\"My App\"'::regnamespace AND relkind = 'r'"),
              "a atlas_schema_revisions");
    /* Without the parameter the history would begin anew elsewhere: ambiguous. */
    REQUIRE(scratch_do(&s.db, "CREATE TABLE public.atlas_schema_revisions (LIKE "
                              "\"My App\".atlas_schema_revisions INCLUDING ALL)"));
    s.options.url = s.db.url;
    CHECK_STATUS(apply(&s), PGC_INVALID, &s.err);
    CHECK(strstr(s.err.message, "ambiguous revision table") != NULL);
}

static void status_tells_how_it_stands(void)
{
    SCENE(s);
    migrate_status_report report;
    set_files(&s, "1_a.sql", "SELECT 1;", "2_b.sql",
              "-- atlas:txmode none\n\nSELECT 1;\nSELECT\n1/0;\nSELECT 2;", NULL);
    CHECK_STATUS(migrate_status(&s.options, &report, &s.err), PGC_OK, &s.err);
    CHECK_STR(report.current, "No migration applied yet");
    CHECK_STR(report.next, "1");
    CHECK_INT(report.pending_count, 2);
    CHECK_INT(report.available_count, 2);
    migrate_status_report_done(&report);
    CHECK_STR(tables(&s), "");
    CHECK(apply(&s) != PGC_OK);
    CHECK_STATUS(migrate_status(&s.options, &report, &s.err), PGC_OK, &s.err);
    CHECK(report.partial);
    CHECK(!report.up_to_date);
    CHECK_STR(report.current, "2");
    CHECK_STR(report.next, "2");
    CHECK_INT(report.count, 1);
    CHECK_INT(report.total, 3);
    CHECK_STR(report.sql, "SELECT 1/0;");
    CHECK_STR(report.error, "division by zero");
    CHECK_INT(report.applied_count, 2);
    migrate_status_report_done(&report);
}

static void status_notes_what_is_odd(void)
{
    SCENE(s);
    migrate_status_report report;
    set_files(&s, "1_a.sql", "SELECT 1;", "2_b.sql", "SELECT 2;", "4_d.sql", "SELECT 4;", NULL);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    /* 1 is edited, 2 is gone, 3 is new; the entry of 4 changes with them but 4 itself does not. */
    set_files(&s, "1_a.sql", "SELECT 11;", "3_c.sql", "SELECT 3;", "4_d.sql", "SELECT 4;", NULL);
    CHECK_STATUS(migrate_status(&s.options, &report, &s.err), PGC_OK, &s.err);
    CHECK_INT(report.out_of_order_count, 1);
    CHECK_STR(report.next, "UNKNOWN");
    REQUIRE(report.note_count >= 2);
    CHECK_STR(report.notes[0], "file 1_a.sql was changed after it had been applied");
    CHECK_STR(report.notes[1], "revision 2 has no file in the directory any more");
    migrate_status_report_done(&report);
    /* A file inserted before changes entries behind it: that alone is no edit. */
    set_files(&s, "1_a.sql", "SELECT 1;", "2_b.sql", "SELECT 2;", "3_c.sql", "SELECT 3;", "4_d.sql",
              "SELECT 4;", NULL);
    CHECK_STATUS(migrate_status(&s.options, &report, &s.err), PGC_OK, &s.err);
    CHECK_INT(report.note_count, 0);
    migrate_status_report_done(&report);
}

static void set_resolves_by_hand(void)
{
    SCENE(s);
    migrate_set_report report;
    set_files(&s, "1.sql", "SELECT 1;", "2.sql", "-- atlas:txmode none\n\nSELECT 1;\nSELECT 1/0;",
              "3.sql", "SELECT 3;", NULL);
    CHECK_STATUS(migrate_set(&s.options, NULL, &report, &s.err), PGC_INVALID, &s.err);
    migrate_set_report_done(&report);
    CHECK(apply(&s) != PGC_OK);
    CHECK_STATUS(migrate_set(&s.options, "7", &report, &s.err), PGC_NOT_FOUND, &s.err);
    migrate_set_report_done(&report);
    CHECK_STATUS(migrate_set(&s.options, "2", &report, &s.err), PGC_OK, &s.err);
    CHECK_INT(report.set_count, 1);
    migrate_set_report_done(&report);
    CHECK_STR(rows(&s), "1 2 1/1; 2 6 1/1 division by zero");
    CHECK_STATUS(migrate_set(&s.options, "3", &report, &s.err), PGC_OK, &s.err);
    migrate_set_report_done(&report);
    CHECK_STATUS(apply(&s), PGC_OK, &s.err);
    CHECK_INT(s.report.pending_count, 0);
    CHECK_STATUS(migrate_set(&s.options, "1", &report, &s.err), PGC_OK, &s.err);
    CHECK_INT(report.removed_count, 2);
    migrate_set_report_done(&report);
    CHECK_STR(rows(&s), "1 2 1/1");
}

/* Memory given out during a run comes from the hook; each allocation fails once. */
static void survives_failing_allocations(void)
{
    SCENE(s);
    set_files(&s, "1.sql", "SELECT 1;\nSELECT 2;", NULL);
    bool complete = false;
    s.options.lock_timeout_us = 0; /* sessions of a run that broke off may live a little longer */
    for (int fail_at = 1; !complete && fail_at < 2000; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        env e = *env_default();
        e.alloc = &alloc;
        s.options.env = &e;
        pgc_status status = apply(&s);
        complete = status == PGC_OK && plan.calls < fail_at;
        if (status != PGC_OK) {
            CHECK_STATUS(status, PGC_NOMEM, &s.err);
        }
        migrate_apply_report_done(&s.report);
        CHECK_INT(plan.live, 0);
    }
    s.options.env = env_default();
    CHECK(complete);
    CHECK_STR(rows(&s), "1 2 2/2");
}

TAP_MAIN(TAP("migrate: applies files in order and records them", applies_and_records),
         TAP("migrate: the revision table has Atlas' shape", table_has_the_shape_of_atlas),
         TAP("migrate: a failed file leaves no trace", failed_file_leaves_no_trace),
         TAP("migrate: mode all is all or nothing", mode_all_is_all_or_nothing),
         TAP("migrate: a run goes on behind the last success", resumes_behind_the_last_success),
         TAP("migrate: a changed history is refused", changed_history_is_refused),
         TAP("migrate: transactions of a file roll the count back",
             own_transactions_roll_the_count_back),
         TAP("migrate: what cannot run is refused before anything runs", refuses_what_cannot_run),
         TAP("migrate: harmless look-alikes run", harmless_look_alikes_run),
         TAP("migrate: a database in use needs a baseline", a_database_in_use_is_refused),
         TAP("migrate: extensions do not count as use", extensions_do_not_count_as_use),
         TAP("migrate: other schemas count as use", other_schemas_count_as_use),
         TAP("migrate: a dry run changes nothing", a_dry_run_changes_nothing),
         TAP("migrate: only one migrates at a time", only_one_migrates),
         TAP("migrate: lock keys are those of Atlas", lock_keys_are_those_of_atlas),
         TAP("migrate: amount and version limit a run", amount_and_version_limit_a_run),
         TAP("migrate: miscounted rows are repaired", miscounted_rows_are_repaired),
         TAP("migrate: the table's schema follows the URL", schema_follows_the_url),
         TAP("migrate: status tells how it stands", status_tells_how_it_stands),
         TAP("migrate: status notes what is odd", status_notes_what_is_odd),
         TAP("migrate: set resolves by hand", set_resolves_by_hand),
         TAP("migrate: survives every failing allocation", survives_failing_allocations))
