/* What is refused before a run, transaction modes, hashes of partial files, and the URL. */
#include "base/prelude.h"

#include "migrate/prepare.h"
#include "migrate/session.h"

#include "oom.h"
#include "tap.h"

static int warnings;
static char last_warning[512];

static void on_warning(void *arg, const char *text)
{
    (void) arg;
    warnings++;
    (void) snprintf(last_warning, sizeof last_warning, "%s", text);
}

static migrate_file file_of(const char *content)
{
    return (migrate_file) { .name = "1_x.sql",
                            .version = "1",
                            .description = "x",
                            .content = pgc_text_from(content),
                            .hash = "h" };
}

static void hashes_equal_the_vector(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    migrate_stmts stmts = { NULL, 0 };
    REQUIRE_OK(migrate_split(SLICE("SELECT 1;\n\nSELECT 2;"), mem, &stmts, NULL), NULL);
    const char **hashes = migrate_partial_hashes(&stmts, mem);
    REQUIRE(hashes != NULL);
    CHECK_STR(hashes[0], "h1:F9tP02ntuSRLn5HZru0UXD0ErYum6V0GJH8HpjUn0Ro=");
    CHECK_STR(hashes[1], "h1:Q1ly6EfkxxrLjTZSKjT10nxKUSeL28wlIwaWHIiBBHw=");
}

static void modes_follow_the_directive(void)
{
    static const struct {
        const char *content;
        migrate_tx_mode run, want;
        const char *error;
    } CASES[] = {
        { "SELECT 1;", MIGRATE_TX_ALL, MIGRATE_TX_ALL, NULL },
        { "-- atlas:txmode none\n\nS;", MIGRATE_TX_FILE, MIGRATE_TX_NONE, NULL },
        { "-- atlas:txmode file\n\nS;", MIGRATE_TX_NONE, MIGRATE_TX_FILE, NULL },
        { "-- atlas:txmode file\n\nS;", MIGRATE_TX_ALL, MIGRATE_TX_FILE, "cannot set txmode" },
        { "-- atlas:txmode all\n\nS;", MIGRATE_TX_ALL, MIGRATE_TX_ALL, "not allowed" },
        { "-- atlas:txmode\n\nS;", MIGRATE_TX_FILE, MIGRATE_TX_FILE, "unknown txmode \"\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        migrate_file file = file_of(CASES[i].content);
        migrate_tx_mode mode = MIGRATE_TX_FILE;
        pgc_error err;
        pgc_error_clear(&err);
        pgc_status status = migrate_file_tx_mode(&file, CASES[i].run, &mode, &err);
        CHECK_INT(status == PGC_OK, CASES[i].error == NULL);
        if (CASES[i].error == NULL) {
            CHECK_INT(mode, CASES[i].want);
        } else {
            CHECK(strstr(err.message, CASES[i].error) != NULL);
        }
    }
}

static void lost_directives_are_warned_of(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    const migrate_options options = { .env = env_default(), .events = { .warning = on_warning } };
    migrate_file file = file_of("-- atlas:txmode none\nSELECT 1;");
    migrate_job job;
    warnings = 0;
    REQUIRE_OK(migrate_prepare(&options, &file, mem, &job, NULL), NULL);
    CHECK_INT(job.tx, MIGRATE_TX_FILE);
    CHECK_INT(warnings, 1);
    CHECK(strstr(last_warning, "1_x.sql:1: the directive atlas:txmode has no effect") != NULL);
}

static void nul_bytes_are_refused(void)
{
    AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
    const migrate_options options = { .env = env_default() };
    migrate_file file = file_of("");
    file.content = (slice) { "SELECT 1;\0;", 11 };
    migrate_job job;
    CHECK_INT(migrate_prepare(&options, &file, mem, &job, NULL), PGC_INVALID);
}

static void survives_failing_allocations(void)
{
    const migrate_options options = { .env = env_default() };
    migrate_file file = file_of("SELECT 1;\nSELECT 2;");
    bool complete = false;
    for (int fail_at = 1; !complete && fail_at < 100; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        arena *mem = arena_new(&alloc, 64, 0);
        migrate_job job;
        pgc_status status =
            mem == NULL ? PGC_NOMEM : migrate_prepare(&options, &file, mem, &job, NULL);
        complete = status == PGC_OK;
        CHECK(complete || status == PGC_NOMEM);
        arena_free(mem);
        CHECK_INT(plan.live, 0);
    }
    CHECK(complete);
}

static void search_path_is_cut_out_of_urls(void)
{
    static const struct {
        const char *url, *rest, *path;
    } CASES[] = {
        { "postgres://h/d", "postgres://h/d", NULL },
        { "postgres://h/d?search_path=x", "postgres://h/d", "x" },
        { "postgresql://h/d?a=1&search_path=My%20x&b=2", "postgresql://h/d?a=1&b=2", "My x" },
        { "postgres://h/d?search_path=", "postgres://h/d", NULL },
        { "postgres://h/d?options=-c%20search_path=x", "postgres://h/d?options=-c%20search_path=x",
          NULL },
        { "host=h dbname=d", "host=h dbname=d", NULL },
        { "host=h?search_path=x", "host=h?search_path=x", NULL },
        { "postgres://h/d?search_path=%2", "postgres://h/d", "%2" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        AUTO(arena_auto) arena *mem = arena_new(NULL, 0, 0);
        const char *rest = NULL;
        const char *path = NULL;
        CHECK_INT(migrate_url_cut(CASES[i].url, mem, &rest, &path, NULL), PGC_OK);
        CHECK_STR(rest, CASES[i].rest);
        CHECK_STR(path, CASES[i].path);
    }
}

TAP_MAIN(TAP("prepare: hashes of partial files equal the vector", hashes_equal_the_vector),
         TAP("prepare: transaction modes follow the directive", modes_follow_the_directive),
         TAP("prepare: directives without effect are warned of", lost_directives_are_warned_of),
         TAP("prepare: NUL bytes are refused", nul_bytes_are_refused),
         TAP("prepare: survives every failing allocation", survives_failing_allocations),
         TAP("url: search_path is cut out", search_path_is_cut_out_of_urls))
