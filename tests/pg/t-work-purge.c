/* The trash is purged by a job that comes once a day: what is old enough and nothing else, rows
 * before files, of every user, whatever dies or is in the way. The time of the job is the one that
 * its row keeps, so a day passes by an UPDATE. */
#include "base/prelude.h"

#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "image.h"
#include "killing.h"
#include "service/asset.h"
#include "worker.h"

#define DAY_US INT64_C(86400000000)

static test_library lib; /* of all cases */
static lum_session *second;

/* What a run of the worker is to end at. */
static struct {
    int stop;
    river_event_kind until;
    unsigned seen; /* such events of the purge */
} watched;

static void on_event(void *arg, const river_event *event)
{
    (void) arg;
    const river_job *job = event->jobs != NULL ? river_jobs_at(event->jobs, 0) : NULL;
    if (job != NULL && slice_eq_str(job->kind, "purge_trash") && event->kind == watched.until) {
        watched.seen++;
        __atomic_store_n(&watched.stop, 1, __ATOMIC_RELAXED);
    }
}

/* As the program works, until the purge has had that outcome. */
static pgc_status work(int64_t keep_us, bool once, const char *queue, pgc_error *err)
{
    const lum_library_options options = { .home = lib.home,
                                          .database_url = lib.url,
                                          .role = JOBS_WORKER_ROLE };
    const jobs_options job = { .helper_path = TEST_MEDIA_HELPER,
                               .queues = &queue,
                               .queue_count = queue != NULL ? 1 : 0,
                               .at_once = 2,
                               .once = once,
                               .on_event = on_event,
                               .stop = &watched.stop,
                               .trash_keep_us = keep_us };
    lum_library *library = NULL;
    jobs_counts counts;
    watched.stop = 0;
    watched.seen = 0;
    TRY(lum_library_open(NULL, &options, &library, err));
    pgc_status status = jobs_work(library, &job, &counts, err);
    lum_library_close(library);
    return status;
}

static void change(const char *sql)
{
    char text[1024];
    char got[64] = "";
    (void) snprintf(text, sizeof text, "%s; SELECT 'x'", sql);
    worker_ask(&lib, text, got, sizeof got);
    CHECK_STR(got, "x");
}

static void check(const char *sql, const char *want)
{
    char got[256] = "";
    worker_ask(&lib, sql, got, sizeof got);
    CHECK_STR(got, want);
}

static unsigned walked;
static bool walk_removes;

static int walk_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void) info;
    (void) at;
    if (kind == FTW_F && strstr(path, ".lock") == NULL) {
        walked++;
        CHECK(!walk_removes || unlink(path) == 0);
    }
    return 0;
}

/* Files of originals and thumbnails of a user's repository. */
static unsigned files_of(const char *user)
{
    char path[192];
    (void) snprintf(path, sizeof path, "%s/library/%s", lib.home, user);
    walked = 0;
    (void) nftw(path, walk_one, 16, FTW_PHYS);
    return walked;
}

/* Each user has one photo, deleted so many days ago; the purge is due. */
static bool trash_make(const char *days_of_tester, const char *days_of_second)
{
    char sql[512];
    char path[192];
    import_progress done = { .done = 0 };
    change("DELETE FROM river_job; DELETE FROM assets; DELETE FROM import_intents; "
           "DELETE FROM file_deletions");
    walk_removes = true;
    (void) files_of("");
    walk_removes = false;
    (void) snprintf(path, sizeof path, "%s/a.png", lib.source);
    bool good = CHECK(image_write(path, 300, 200, 1)) &&
                CHECK(worker_import(&lib, lib.session, false, &done)) &&
                CHECK(worker_import(&lib, second, false, &done));
    (void) snprintf(sql, sizeof sql,
                    "UPDATE assets SET deleted_at = now() - make_interval(days => CASE (SELECT "
                    "username FROM users u WHERE u.user_id = owner_id) WHEN 'tester' THEN %s ELSE "
                    "%s END)",
                    days_of_tester, days_of_second);
    change(sql);
    change("INSERT INTO river_ext_periodic VALUES ('purge_trash', now() - interval '1 hour') "
           "ON CONFLICT (id) DO UPDATE SET next_run_at = EXCLUDED.next_run_at");
    CHECK(files_of("tester") >= 2);
    return good;
}

static void set_up(void)
{
    int32_t user_id = 0;
    pgc_error err;
    if (test_server() == NULL) {
        TAP_SKIP("no PostgreSQL server for the test");
    }
    REQUIRE(CHECK(test_library_make(&lib)));
    REQUIRE(CHECK_STATUS(test_library_open(&lib, &err) ? PGC_OK : err.status, PGC_OK, &err));
    pgc_pool *pool = lum_library_pool(lib.library);
    REQUIRE_OK(lum_user_ensure(pool, "second", &user_id, &err), &err);
    REQUIRE_OK(lum_session_open(pool, user_id, &second, &err), &err);
}

#define READY                                          \
    if (second == NULL) {                              \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    pgc_error err;                                     \
    pgc_error_clear(&err)

static void old_trash_goes_once_a_day(void)
{
    READY;
    REQUIRE(trash_make("31", "29"));
    unsigned files = files_of("second");
    watched.until = RIVER_EVENT_COMPLETED;
    CHECK_STATUS(work(30 * DAY_US, false, NULL, &err), PGC_OK, &err);
    CHECK_INT(watched.seen, 1);
    check("SELECT string_agg(username, ' ') FROM assets JOIN users ON user_id = owner_id",
          "second");
    check("SELECT count(*) FROM file_deletions", "0");
    CHECK_INT(files_of("tester"), 0);
    CHECK_INT(files_of("second"), files);
    check("SELECT next_run_at BETWEEN now() + interval '22 h' AND now() + interval '24 h' FROM "
          "river_ext_periodic WHERE id = 'purge_trash'",
          "t");
    check("SELECT count(*) || ' ' || min(queue) FROM river_job WHERE kind = 'purge_trash'",
          "1 purge_trash");
}

static void nothing_is_purged_when_it_is_to_stay(void)
{
    READY;
    REQUIRE(trash_make("9000", "9000"));
    CHECK_STATUS(work(0, true, NULL, &err), PGC_OK, &err);
    check("SELECT count(*) FROM assets", "2");
    check("SELECT count(*) FROM river_job", "0");
    CHECK_STATUS(work(0, true, "purge_trash", &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "for ever") != NULL);
    /* A job that another worker ordered is not done, either. */
    change("INSERT INTO river_job (kind, queue, args, max_attempts) "
           "VALUES ('purge_trash', 'metadata_asset', '{}', 5)");
    CHECK_STATUS(work(0, true, NULL, &err), PGC_OK, &err);
    check("SELECT count(*) FROM assets", "2");
    check("SELECT state FROM river_job", "cancelled");
}

/* An import that runs may be about to adopt a file: then the files wait. */
static void files_wait_for_an_import(void)
{
    READY;
    char path[256];
    REQUIRE(trash_make("31", "31"));
    (void) snprintf(path, sizeof path, "%s/library/tester/.lumilio/import.lock", lib.home);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0 && flock(fd, LOCK_SH) == 0);
    watched.until = RIVER_EVENT_SNOOZED;
    CHECK_STATUS(work(30 * DAY_US, false, NULL, &err), PGC_OK, &err);
    CHECK_INT(watched.seen, 1);
    check("SELECT count(*) FROM assets", "0");
    CHECK(files_of("tester") >= 2);
    CHECK_INT(files_of("second"), 0);
    (void) close(fd);
    change("UPDATE river_job SET state = 'available', scheduled_at = now()");
    CHECK_STATUS(work(30 * DAY_US, true, NULL, &err), PGC_OK, &err);
    CHECK_INT(files_of("tester"), 0);
    check("SELECT count(*) FROM file_deletions", "0");
}

static int work_in_child(int arg)
{
    pgc_error err;
    (void) arg;
    return work(30 * DAY_US, false, NULL, &err) == PGC_OK ? 0 : 1;
}

/* Rows are gone and their files are not, or half of those: the next attempt goes on. */
static void a_killed_purge_is_finished_by_the_next(void)
{
    static const char *const POINTS[] = { "purge.rows_gone", "sweep.removed" };
    READY;
    for (size_t i = 0; i < ARRAY_LEN(POINTS); i++) {
        int code = 0;
        REQUIRE(trash_make("31", "31"));
        CHECK(killing_run(work_in_child, 0, POINTS[i], 0, &code));
        CHECK(files_of("tester") + files_of("second") > 0);
        check("SELECT count(*) < 2 FROM assets", "t");
        /* Nobody waits for the dead worker's silence here. */
        change("UPDATE river_job SET state = 'available', scheduled_at = now()");
        watched.until = RIVER_EVENT_COMPLETED;
        CHECK_STATUS(work(30 * DAY_US, false, NULL, &err), PGC_OK, &err);
        check("SELECT count(*) FROM assets", "0");
        check("SELECT count(*) FROM file_deletions", "0");
        CHECK_INT(files_of("tester") + files_of("second"), 0);
    }
}

static void the_end(void)
{
    READY;
    lum_session_close(second);
    test_library_remove(&lib);
}

TAP_MAIN(TAP("purge: a library of two users", set_up),
         TAP("purge: old trash goes once a day, files and all", old_trash_goes_once_a_day),
         TAP("purge: nothing is purged when it is to stay", nothing_is_purged_when_it_is_to_stay),
         TAP("purge: files wait for an import that runs", files_wait_for_an_import),
         TAP("purge: a killed purge is finished by the next",
             a_killed_purge_is_finished_by_the_next),
         TAP("purge: the library goes", the_end))
