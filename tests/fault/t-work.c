/* Jobs under kill -9 at every named crash point and at random moments, and jobs of hostile files.
 * What a dead worker held comes back (here at once: the queue's own rescue is libriver's), and in
 * the end every asset has its metadata and its thumbnails once. */
#include "base/prelude.h"

#include "embedding_server.h"
#include "image.h"
#include "killing.h"
#include "media/media.h"
#include "worker.h"

#define SOURCES      5
#define RANDOM_KILLS 12

static test_library lib;
static void sources_make(uint32_t batch)
{
    for (uint32_t i = 0; i < SOURCES; i++) {
        char path[160];
        (void) snprintf(path, sizeof path, "%s/%u-%u.png", lib.source, batch, i);
        CHECK(image_write(path, 900, 700, batch * SOURCES + i));
    }
}

/* In a child: import --later, or the worker; 0 when it went through. */
static int child(int import)
{
    pgc_error err;
    pgc_error_clear(&err);
    import_progress progress = { .done = 0 };
    jobs_counts counts = { .completed = 0 };
    if (!import) {
        pgc_status status = worker_run(&lib, &counts, &err);
        (void) fprintf(stderr, "%s%s",
                       status == PGC_OK ? "" : "# work: ", status == PGC_OK ? "" : err.message);
        return status == PGC_OK ? 0 : 4;
    }
    if (!test_library_open(&lib, &err)) {
        return 3;
    }
    bool good =
        worker_import(&lib, lib.session, true, &progress) && progress.outcomes[IMPORT_FAILED] == 0;
    test_library_close(&lib);
    return good ? 0 : 5;
}

/* In a child: an import that makes thumbnails itself. */
static int child_inline(int unused)
{
    pgc_error err;
    pgc_error_clear(&err);
    import_progress progress = { .done = 0 };
    (void) unused;
    bool good = test_library_open(&lib, &err) &&
                worker_import(&lib, lib.session, false, &progress) &&
                progress.outcomes[IMPORT_FAILED] == 0;
    test_library_close(&lib);
    return good ? 0 : 5;
}

static bool killed(bool import, const char *point, int64_t delay_us, int *code)
{
    return killing_run(child, import, point, delay_us, code);
}

/* What the rescue does with jobs whose worker is gone. */
static void rescue(void)
{
    char said[64] = "";
    worker_ask(&lib, "UPDATE river_job SET state = 'available' WHERE state = 'running'; SELECT 'x'",
               said, sizeof said);
}

/* After a quiet run: everything is there, once. */
static void check_all(uint32_t batches)
{
    int code = 0;
    pgc_error err;
    pgc_error_clear(&err);
    char want[64];
    import_fsck found = { 0 };
    CHECK(!killed(true, NULL, 0, &code));
    CHECK_INT(code, 0);
    rescue();
    CHECK(!killed(false, NULL, 0, &code));
    CHECK_INT(code, 0);
    (void) snprintf(want, sizeof want, "%u", batches * SOURCES);
    CHECK_ASKED(&lib, "SELECT count(*) FROM assets WHERE width = 900", want);
    (void) snprintf(want, sizeof want, "%u", batches * SOURCES * MEDIA_SIZE_COUNT);
    CHECK_ASKED(&lib, "SELECT count(*) FROM thumbnails", want);
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job WHERE state <> 'completed'", "0");
    CHECK_ASKED(&lib,
                "SELECT count(*) FROM (SELECT FROM river_job GROUP BY kind, args "
                "HAVING count(*) > 1) d",
                "0");
    REQUIRE(CHECK(test_library_open(&lib, &err)));
    CHECK_STATUS(import_check(lib.library, lib.session, true, &found, &err), PGC_OK, &err);
    CHECK_INT(found.assets, batches * SOURCES);
    CHECK_INT(found.rows_without_file + found.files_without_row, 0);
    CHECK_INT(found.size_mismatch + found.hash_mismatch, 0);
    test_library_close(&lib);
}

static void a_killed_worker_loses_and_doubles_nothing(void)
{
    static const char *const POINTS[] = { "work.probed", "work.placed", "import.thumbnail:2",
                                          "work.before_commit", "work.committed:2" };
    int code = 0;
    REQUIRE(CHECK(test_library_make(&lib)));
    uint32_t batch = 0;
    for (size_t i = 0; i < ARRAY_LEN(POINTS); i++) {
        sources_make(batch++);
        CHECK(!killed(true, NULL, 0, &code));
        CHECK_INT(code, 0);
        if (!CHECK(killed(false, POINTS[i], 0, &code))) {
            (void) printf("# %s was not passed\n", POINTS[i]);
        }
        rescue();
    }
    check_all(batch);
    test_library_remove(&lib);
}

static void a_worker_killed_at_random_moments_loses_and_doubles_nothing(void)
{
    int code = 0;
    REQUIRE(CHECK(test_library_make(&lib)));
    for (uint32_t i = 0; i < RANDOM_KILLS; i++) {
        if (i % 4 == 0) {
            sources_make(i / 4);
            CHECK(!killed(true, NULL, 0, &code));
            CHECK_INT(code, 0);
        }
        (void) killed(false, NULL, 50000 + killing_random() % 500000, &code);
        rescue();
    }
    check_all(RANDOM_KILLS / 4);
    test_library_remove(&lib);
}

/* Nobody helps here: the next worker hears no heartbeat of the dead one and takes its jobs over,
 * long before the queue's own rescue would (three minutes). */
static void jobs_of_a_killed_worker_are_taken_over(void)
{
    int code = 0;
    const clock_ops *clock = clock_os();
    REQUIRE(CHECK(test_library_make(&lib)));
    sources_make(0);
    CHECK(!killed(true, NULL, 0, &code));
    CHECK_INT(code, 0);
    CHECK(killed(false, "work.probed:2", 0, &code));
    CHECK_ASKED(&lib, "SELECT count(*) > 0 FROM river_job WHERE state = 'running'", "t");
    int64_t began = clock->mono_us(clock->ctx);
    CHECK(!killed(false, NULL, 0, &code));
    CHECK_INT(code, 0);
    (void) printf("# all jobs are done %" PRId64 " ms after the kill\n",
                  (clock->mono_us(clock->ctx) - began) / 1000);
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job WHERE state <> 'completed'", "0");
    CHECK_ASKED(&lib,
                "SELECT count(*) > 0 FROM river_job "
                "WHERE errors[1]->>'error' LIKE '%no heartbeat%' AND attempt = 2",
                "t");
    test_library_remove(&lib);
}

static void a_killed_import_later_loses_and_doubles_nothing(void)
{
    static const char *const POINTS[] = { "import.durable:2",       "import.intent:2",
                                          "import.placed:2",        "work.before_jobs:2",
                                          "import.before_commit:2", "import.committed:2" };
    int code = 0;
    REQUIRE(CHECK(test_library_make(&lib)));
    uint32_t batch = 0;
    for (size_t i = 0; i < ARRAY_LEN(POINTS); i++) {
        sources_make(batch++);
        if (!CHECK(killed(true, POINTS[i], 0, &code))) {
            (void) printf("# %s was not passed\n", POINTS[i]);
        }
    }
    check_all(batch);
    test_library_remove(&lib);
}

/* A picture cut short, a bomb, and noise behind a signature: each job ends, with its reason, and
 * the jobs of good files are done. */
static void hostile_files_end_as_jobs_with_a_reason(void)
{
    char path[160];
    int code = 0;
    REQUIRE(CHECK(test_library_make(&lib)));
    sources_make(0);
    image_bytes cut = image_png(900, 700, 77);
    (void) snprintf(path, sizeof path, "%s/cut.png", lib.source);
    CHECK(image_save(path, cut.ptr, cut.len / 2));
    (void) memset(cut.ptr + 200, 0xa5, 2000);
    (void) snprintf(path, sizeof path, "%s/noise.png", lib.source);
    CHECK(image_save(path, cut.ptr, 4000));
    free(cut.ptr);
    CHECK(!killed(true, NULL, 0, &code));
    CHECK_INT(code, 0);
    CHECK(!killed(false, NULL, 0, &code));
    CHECK_INT(code, 0);
    CHECK_ASKED(&lib, "SELECT count(*) FROM assets", "7");
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job WHERE state = 'completed'", "10");
    CHECK_ASKED(&lib,
                "SELECT count(*) FROM river_job WHERE state = 'cancelled' "
                "AND length(errors[1]->>'error') > 10 AND attempt = 1",
                "4");
    CHECK_ASKED(&lib, "SELECT count(*) FROM thumbnails", "15");
    test_library_remove(&lib);
}

/* Registered by --later and killed before its rows: recovery cannot read the file and leaves it to
 * a job, which says why. */
static void recovery_leaves_a_hostile_file_to_a_job(void)
{
    char path[160];
    int code = 0;
    REQUIRE(CHECK(test_library_make(&lib)));
    image_bytes cut = image_png(900, 700, 78);
    (void) snprintf(path, sizeof path, "%s/cut.png", lib.source);
    CHECK(image_save(path, cut.ptr, cut.len / 2));
    free(cut.ptr);
    CHECK(killed(true, "import.placed", 0, &code));
    CHECK(!killed(true, NULL, 0, &code));
    CHECK_INT(code, 0);
    CHECK_ASKED(&lib, "SELECT count(*) FROM assets", "1");
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job", "2");
    CHECK_ASKED(&lib, "SELECT count(*) FROM import_intents WHERE state = 'received'", "0");
    CHECK(!killed(false, NULL, 0, &code));
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job WHERE state = 'cancelled'", "2");
    test_library_remove(&lib);
}

/* The server is asked again, the row is there once, whatever the worker was at when it died. */
static void a_worker_killed_while_it_embeds_stores_one_vector(void)
{
    static const char *const POINTS[] = { "work.embedded", "work.embedded:3",
                                          "work.before_commit:2", "work.committed:2" };
    int code = 0;
    char want[64];
    (void) unsetenv("http_proxy");
    REQUIRE(CHECK(embedding_server_open()));
    REQUIRE(CHECK(test_library_make(&lib)));
    REQUIRE(embedding_configure(&lib, NULL, "immich"));
    uint32_t batch = 0;
    for (size_t i = 0; i < ARRAY_LEN(POINTS); i++) {
        sources_make(batch++);
        CHECK(!killing_run(child_inline, 0, NULL, 0, &code));
        CHECK_INT(code, 0);
        if (!CHECK(killed(false, POINTS[i], 0, &code))) {
            (void) printf("# %s was not passed\n", POINTS[i]);
        }
        rescue();
    }
    CHECK(!killed(false, NULL, 0, &code));
    CHECK_INT(code, 0);
    (void) snprintf(want, sizeof want, "%u %u", batch * SOURCES, batch * SOURCES);
    CHECK_ASKED(&lib, "SELECT concat_ws(' ', count(*), count(DISTINCT asset_id)) FROM embeddings",
                want);
    CHECK_ASKED(&lib,
                "SELECT concat_ws(' ', count(*), count(*) FILTER (WHERE state = 'completed')) "
                "FROM river_job WHERE kind = 'embed_asset'",
                want);
    CHECK(embedding_inputs > (int) (batch * SOURCES)); /* some of them twice */
    http_server_close(&embedding_server);
    test_library_remove(&lib);
}

static void was_killed_often_enough(void)
{
    (void) printf("# %u kills\n", killing_count);
    CHECK(killing_count >= 12);
}

static const tap_case CASES[] = {
    TAP("work: a worker killed at every crash point loses and doubles nothing",
        a_killed_worker_loses_and_doubles_nothing),
    TAP("work: a worker killed at random moments loses and doubles nothing",
        a_worker_killed_at_random_moments_loses_and_doubles_nothing),
    TAP("work: jobs of a killed worker are taken over by the next",
        jobs_of_a_killed_worker_are_taken_over),
    TAP("work: an import --later killed at every crash point loses and doubles nothing",
        a_killed_import_later_loses_and_doubles_nothing),
    TAP("work: jobs of hostile files end with a reason, the others are done",
        hostile_files_end_as_jobs_with_a_reason),
    TAP("work: recovery leaves a file that it cannot read to a job",
        recovery_leaves_a_hostile_file_to_a_job),
    TAP("work: a worker killed while it embeds stores one vector",
        a_worker_killed_while_it_embeds_stores_one_vector),
    TAP("work: 12 kills and more in this run", was_killed_often_enough),
};

int main(int argc, char **argv)
{
    killing_begin(argc, argv);
    return tap_run(CASES, ARRAY_LEN(CASES));
}
