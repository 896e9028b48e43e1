/* Import under kill -9: at every named crash point, at several passages, and at random moments.
 * After each kill the next run goes on from what is there; when it ends, rows and files must agree
 * and every source must be there exactly once (reliability CS-I1…CS-I7, CS-T1, CS-T2). */
#include "base/prelude.h"

#include <sys/stat.h>

#include <pgc/error.h>

#include "image.h"
#include "killing.h"
#include "library.h"
#include "service/asset.h"
#include "tap.h"

#define SOURCES   6
#define PICTURE   48 /* pixels */
#define KILLS_MIN 200

static test_library lib;

/* Pictures number, number + 1, …: the last two are of one content under two names. */
static void sources_make(uint32_t number)
{
    for (uint32_t i = 0; i < SOURCES; i++) {
        char path[160];
        (void) snprintf(path, sizeof path, "%s/%u-%u.png", lib.source, number, i);
        uint32_t picture = number * SOURCES + (i == SOURCES - 1 ? i - 1 : i);
        CHECK(image_write(path, PICTURE, PICTURE, picture));
    }
    /* The same name with other content: the second one needs another final name. */
    char folder[128];
    char path[160];
    (void) snprintf(folder, sizeof folder, "%s/sub", lib.source);
    (void) mkdir(folder, 0700);
    (void) snprintf(path, sizeof path, "%s/%u-0.png", folder, number);
    CHECK(image_write(path, PICTURE, PICTURE, 1000000 + number));
}

/* In a child: open everything and import; 0 when it went through. */
static int import_child(int strategy)
{
    pgc_error err;
    pgc_error_clear(&err);
    import_progress progress = { 0 };
    const char *paths[] = { lib.source, NULL };
    const import_options options = { .paths = paths,
                                     .strategy = (lum_strategy) strategy,
                                     .helper_path = TEST_MEDIA_HELPER,
                                     .jobs = 2 };
    if (!test_library_open(&lib, &err)) {
        (void) fprintf(stderr, "# open: %s\n", err.message);
        return 3;
    }
    pgc_status status = import_run(lib.library, lib.session, &options, &progress, &err);
    if (status != PGC_OK || progress.outcomes[IMPORT_FAILED] > 0) {
        (void) fprintf(stderr, "# import: %s\n", err.message);
        return 4;
    }
    test_library_close(&lib);
    return 0;
}

static bool import_killed(const char *point, int64_t delay_us, lum_strategy strategy, int *code)
{
    return killing_run(import_child, (int) strategy, point, delay_us, code);
}

/* A run without kill must end well; then the invariants must hold with `want` assets. */
static void check_library(uint64_t want)
{
    int code = 0;
    pgc_error err;
    pgc_error_clear(&err);
    import_fsck found = { 0 };
    CHECK(!import_killed(NULL, 0, LUM_STRATEGY_DATE, &code));
    CHECK_INT(code, 0);
    REQUIRE(CHECK(test_library_open(&lib, &err)));
    CHECK_STATUS(import_check(lib.library, lib.session, true, &found, &err), PGC_OK, &err);
    CHECK_INT(found.assets, want);
    CHECK_INT(found.rows_without_file, 0);
    CHECK_INT(found.files_without_row, 0);
    CHECK_INT(found.size_mismatch, 0);
    CHECK_INT(found.hash_mismatch, 0);
    test_library_close(&lib);
}

static uint64_t assets_of(uint32_t batches)
{
    return (uint64_t) batches * SOURCES; /* SOURCES files, one twice, plus the namesake */
}

static void dies_at_every_crash_point(void)
{
    uint32_t batch = 0;
    REQUIRE(CHECK(test_library_make(&lib)));
    CHECK(crash_point_count() > 0);
    for (size_t i = 0; i < crash_point_count(); i++) {
        const char *name = crash_point_name(i);
        if (strncmp(name, "import.", 7) != 0) {
            continue;
        }
        for (unsigned passage = 1; passage <= 3; passage += 2) {
            char point[80];
            int code = 0;
            (void) snprintf(point, sizeof point, "%s:%u", name, passage);
            sources_make(batch++);
            /* Content-addressed names never collide. */
            lum_strategy strategy =
                strcmp(name, "import.moved") == 0 ? LUM_STRATEGY_FLAT : (lum_strategy) (batch % 3);
            if (!import_killed(point, 0, strategy, &code)) {
                CHECK_INT(code, 0);
                (void) printf("# %s was not passed\n", point);
                CHECK(passage > 1);
            }
        }
    }
    check_library(assets_of(batch));
    test_library_remove(&lib);
}

/* Recovery dies too: an intent with a named file is left, then each recovery is killed. */
static void recovery_can_be_killed(void)
{
    static const char *const POINTS[] = { "recover.looked", "recover.probed", "import.thumbnail:2",
                                          "import.before_commit", "import.committed" };
    int code = 0;
    REQUIRE(CHECK(test_library_make(&lib)));
    sources_make(0);
    CHECK(import_killed("import.placed", 0, LUM_STRATEGY_DATE, &code));
    for (size_t i = 0; i < ARRAY_LEN(POINTS); i++) {
        CHECK(import_killed(POINTS[i], 0, LUM_STRATEGY_DATE, &code));
    }
    check_library(assets_of(1));
    test_library_remove(&lib);
}

static void dies_at_random_moments(void)
{
    uint32_t batch = 0;
    unsigned tries = 0;
    REQUIRE(CHECK(test_library_make(&lib)));
    sources_make(batch++);
    int code = 0;
    CHECK(!import_killed(NULL, 0, LUM_STRATEGY_DATE, &code)); /* the schema is there from now on */
    CHECK_INT(code, 0);
    while (killing_count < KILLS_MIN && tries < 10 * KILLS_MIN) {
        if (tries++ % 8 == 0) {
            sources_make(batch++);
        }
        (void) import_killed(NULL, 20000 + killing_random() % 250000, LUM_STRATEGY_DATE, &code);
    }
    check_library(assets_of(batch));
    test_library_remove(&lib);
}

static void was_killed_often_enough(void)
{
    (void) printf("# %u kills\n", killing_count);
    CHECK(killing_count >= KILLS_MIN);
}

static void again_changes_nothing(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    import_progress progress = { 0 };
    const char *paths[] = { NULL, NULL };
    REQUIRE(CHECK(test_library_make(&lib)));
    paths[0] = lib.source;
    const import_options options = { .paths = paths, .helper_path = TEST_MEDIA_HELPER };
    sources_make(7);
    REQUIRE(CHECK(test_library_open(&lib, &err)));
    REQUIRE_OK(import_run(lib.library, lib.session, &options, &progress, &err), &err);
    CHECK_INT(progress.outcomes[IMPORT_CREATED], SOURCES);
    CHECK_INT(progress.outcomes[IMPORT_DUPLICATE], 1);
    REQUIRE_OK(import_run(lib.library, lib.session, &options, &progress, &err), &err);
    CHECK_INT(progress.outcomes[IMPORT_CREATED], 0);
    CHECK_INT(progress.outcomes[IMPORT_DUPLICATE], SOURCES + 1);
    test_library_remove(&lib);
}

static const tap_case CASES[] = {
    TAP("import: killed at every crash point, nothing is lost, doubled or orphaned",
        dies_at_every_crash_point),
    TAP("import: killed during recovery, nothing is lost, doubled or orphaned",
        recovery_can_be_killed),
    TAP("import: killed at random moments, nothing is lost, doubled or orphaned",
        dies_at_random_moments),
    TAP("import: 200 kills and more in this run", was_killed_often_enough),
    TAP("import: a second run of the same folder imports nothing", again_changes_nothing),
};

int main(int argc, char **argv)
{
    killing_begin(argc, argv);
    return tap_run(CASES, ARRAY_LEN(CASES));
}
