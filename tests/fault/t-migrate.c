/* A migration that is killed at every named point, again and again: the next run goes on, nothing
 * runs twice and nothing is left out. */
#include "base/prelude.h"

#include <sys/wait.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/crash.h"
#include "migrate/migrate.h"
#include "migrate/sum.h"

#include "scratch.h"
#include "tap.h"

/* Every statement fails when it is run twice, so a repetition cannot hide. */
static const migrate_embedded FILES[] = {
    { "1_tx.sql", "CREATE TABLE a (id int PRIMARY KEY);\nINSERT INTO a VALUES (1);\n", 0 },
    { "2_none.sql",
      "-- atlas:txmode none\n\nCREATE TABLE b (id int PRIMARY KEY);\nINSERT INTO b VALUES (1);\n"
      "CREATE INDEX CONCURRENTLY b_id ON b (id);\nINSERT INTO b VALUES (2);\n",
      0 },
    { "3_tx.sql", "CREATE TABLE c (id int PRIMARY KEY);\nINSERT INTO c VALUES (1);\n", 0 },
};
#define STATEMENTS 8 /* in all files */
#define CHILD_URL  "LUM_TEST_CHILD_URL"
#define CHILD_SLOW "LUM_TEST_CHILD_SLOW"

/* A run that begins once "told" exists finds nothing slow. */
static const migrate_embedded SLOW_FILE = {
    "1_slow.sql",
    "-- atlas:txmode none\n\nCREATE TABLE a (id int PRIMARY KEY);\n"
    "SELECT pg_sleep(600) WHERE to_regclass('told') IS NULL;\nINSERT INTO a VALUES (1);\n",
    0
};

typedef struct scene {
    scratch db;
    arena *mem;
    migrate_embedded table[ARRAY_LEN(FILES) + 1];
    migrate_options options;
} scene;

static void scene_done(scene *s)
{
    arena_free(s->mem);
    scratch_drop(&s->db);
}

/* slow: one file with a statement that does not end until it is told. */
static bool files_begin(scene *s, bool slow)
{
    AUTO(buf_auto) buf text;
    size_t count = slow ? 1 : ARRAY_LEN(FILES);
    migrate_dir dir;
    memset(s, 0, sizeof *s);
    buf_init(&text, NULL, 1 << 16);
    s->mem = arena_new(NULL, 0, 0);
    for (size_t i = 0; i < count; i++) {
        s->table[i] = slow ? SLOW_FILE : FILES[i];
        s->table[i].size = strlen(s->table[i].content);
    }
    s->options = (migrate_options) { .env = env_default(), .revisions_schema = "public" };
    s->options.source = (migrate_source) { NULL, s->table, count };
    if (migrate_dir_load(env_default(), &s->options.source, s->mem, &dir, NULL) != PGC_OK ||
        migrate_sum_write(&dir, &text, NULL) != PGC_OK) {
        return false;
    }
    const char *sum = arena_copy(s->mem, buf_view(&text));
    s->table[count] = (migrate_embedded) { MIGRATE_SUM_NAME, sum, strlen(sum) };
    s->options.source.file_count = count + 1;
    return true;
}

static bool scene_begin(scene *s, bool slow)
{
    return files_begin(s, slow) && scratch_make(&s->db);
}

/* The child: apply to the database that the variable names. */
static int child_main(const char *url)
{
    scene s;
    migrate_apply_report report;
    pgc_error err;
    if (!files_begin(&s, getenv(CHILD_SLOW) != NULL)) {
        return 1;
    }
    s.options.url = url;
    pgc_status status = migrate_apply(&s.options, &report, &err);
    if (status != PGC_OK) {
        printf("# %s\n", err.message);
    }
    migrate_apply_report_done(&report);
    arena_free(s.mem);
    return status == PGC_OK ? 0 : 1;
}

/* Apply in a fresh process, because the variables are read once per process. */
static pid_t start_child(const scene *s, const char *crash_at, bool slow)
{
    (void) fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        char name[] = "t-migrate";
        char *argv[] = { name, NULL };
        (void) setenv(CHILD_URL, s->db.url, 1);
        (void) setenv("LUMILIO_CRASH_AT", crash_at != NULL ? crash_at : "", 1);
        if (slow) {
            (void) setenv(CHILD_SLOW, "1", 1);
        }
        (void) execv("/proc/self/exe", argv);
        _exit(127);
    }
    return child;
}

/* crash_at NULL: let it finish. Gives the signal that ended it, or 0. */
static int run_child(const scene *s, const char *crash_at)
{
    pid_t child = start_child(s, crash_at, false);
    int state = 0;
    CHECK(child > 0 && waitpid(child, &state, 0) == child);
    CHECK(WIFSIGNALED(state) || WEXITSTATUS(state) == 0);
    return WIFSIGNALED(state) ? WTERMSIG(state) : 0;
}

static void check_end(scene *s)
{
    CHECK_STR(scratch_text(&s->db, s->mem,
                           "SELECT string_agg(concat_ws(' ', version, applied || '/' || total, "
                           "partial_hashes, error), ', ' ORDER BY version) "
                           "FROM atlas_schema_revisions"),
              "1 2/2 null , 2 4/4 null , 3 2/2 null ");
    CHECK_STR(scratch_text(&s->db, s->mem,
                           "SELECT concat((SELECT count(*) FROM a), (SELECT count(*) FROM b), "
                           "(SELECT count(*) FROM c), (SELECT indisvalid FROM pg_index "
                           "WHERE indexrelid = 'b_id'::regclass))"),
              "121t");
}

/* Kill once at passage n of the point, then finish; for every n until the point is not reached. */
static void kill_once(const char *point, int passages_min)
{
    int kills = 0;
    for (int n = 1; n <= 50; n++) {
        AUTO(scene_done) scene s;
        REQUIRE(scene_begin(&s, false));
        char crash_at[64];
        (void) snprintf(crash_at, sizeof crash_at, "%s:%d", point, n);
        int signal_number = run_child(&s, crash_at);
        kills += signal_number == SIGKILL ? 1 : 0;
        CHECK_INT(run_child(&s, NULL), 0);
        check_end(&s);
        if (signal_number == 0) {
            break;
        }
    }
    CHECK(kills >= passages_min);
}

static void needs(void)
{
    if (crash_point_count() == 0) {
        tap_skip_reason = "built without crash points";
    } else if (test_server() == NULL) {
        tap_skip_reason = "no PostgreSQL server for the test";
    }
}

static void killed_after_a_statement(void)
{
    needs();
    if (tap_skip_reason == NULL) {
        kill_once("migrate.statement_done", STATEMENTS);
    }
}

static void killed_before_commit(void)
{
    needs();
    if (tap_skip_reason == NULL) {
        kill_once("migrate.before_commit", 2);
    }
}

/* Killed at the first statement of every run: the file without transaction still gets through. */
static void killed_again_and_again(void)
{
    needs();
    if (tap_skip_reason != NULL) {
        return;
    }
    AUTO(scene_done) scene s;
    REQUIRE(scene_begin(&s, false));
    int runs = 0;
    CHECK_INT(run_child(&s, "migrate.statement_done:3"), SIGKILL); /* 1 is applied, 2 begun */
    while (runs < 20 && run_child(&s, "migrate.statement_done:1") == SIGKILL) {
        runs++;
        if (runs == 3) {
            break; /* statements 2, 3 and 4 of the second file, one per run */
        }
    }
    CHECK_INT(runs, 3);
    CHECK_INT(run_child(&s, NULL), 0);
    check_end(&s);
}

/* Until the query says "t". */
static bool comes_true(scene *s, const char *sql)
{
    int64_t until_us = clock_os()->mono_us(NULL) + 20000000;
    while (clock_os()->mono_us(NULL) < until_us) {
        if (strcmp(scratch_text(&s->db, s->mem, sql), "t") == 0) {
            return true;
        }
        clock_os()->sleep_us(NULL, 5000);
    }
    return false;
}

#define SESSION "FROM pg_stat_activity WHERE datname = current_database() AND application_name = "

/* The session with Atlas' lock ends, that with the statement goes on: at first with its client,
 * then without. */
static void nobody_runs_beside_a_session_left_behind(void)
{
    needs();
    if (tap_skip_reason != NULL) {
        return;
    }
    AUTO(scene_done) scene s;
    REQUIRE(scene_begin(&s, true));
    migrate_apply_report report;
    pgc_error err;
    s.options.url = s.db.url;
    s.options.lock_timeout_us = -1;
    pid_t child = start_child(&s, NULL, true);
    CHECK(comes_true(&s, "SELECT EXISTS (SELECT " SESSION "'lumilio migrate' "
                         "AND wait_event = 'PgSleep')"));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT count(pg_terminate_backend(pid)) " SESSION
                           "'lumilio migrate lock'"),
              "1");
    CHECK(comes_true(&s, "SELECT NOT EXISTS (SELECT " SESSION "'lumilio migrate lock')"));
    (void) scratch_do(&s.db, "CREATE TABLE told ()");
    CHECK_STATUS(migrate_apply(&s.options, &report, &err), PGC_TIMEOUT, &err);
    migrate_apply_report_done(&report);
    CHECK_STR(err.message,
              scratch_text(&s.db, s.mem,
                           "SELECT format('acquiring database lock: server process %s still runs a "
                           "statement of an earlier migration', pid) " SESSION
                           "'lumilio migrate'"));
    int state = 0;
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &state, 0) == child);
    s.options.lock_timeout_us = 0; /* the server sees within a second that the client is gone */
    CHECK_STATUS(migrate_apply(&s.options, &report, &err), PGC_OK, &err);
    migrate_apply_report_done(&report);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT concat((SELECT count(*) FROM a), ' ', applied, "
                           "'/', total) FROM atlas_schema_revisions"),
              "1 3/3");
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory' "
                           "AND database = (SELECT oid FROM pg_database "
                           "WHERE datname = current_database())"),
              "0");
}

int main(void)
{
    static const tap_case CASES[] = {
        TAP("migrate: killed after any statement, the next run finishes", killed_after_a_statement),
        TAP("migrate: killed before any commit, the next run finishes", killed_before_commit),
        TAP("migrate: killed in every run, each goes one further", killed_again_and_again),
        TAP("migrate: nobody runs beside a session that was left behind",
            nobody_runs_beside_a_session_left_behind),
    };
    const char *url = getenv(CHILD_URL);
    return url != NULL ? child_main(url) : tap_run(CASES, ARRAY_LEN(CASES));
}
