/* Jobs of the library: they come with the asset or not at all, and lead to the rows that the import
 * makes by itself. */
#include "base/prelude.h"

#include <sys/stat.h>

#include <river/insert.h>
#include <river/manage.h>

#include "base/slice.h"
#include "image.h"
#include "service/asset.h"
#include "work/process.h"
#include "worker.h"

#define PHOTO_FOLDERS 4
#define FILES         ((jobs_wanted) { .files = true })

/* Columns that an original decides, and its thumbnails; by content, for two users to be compared.
 * The one time that differs is that of the copy. */
#define ROWS_OF(user)                                                                            \
    "SELECT coalesce(string_agg(concat_ws('|', file_hash, asset_type, mime_type, taken_at, "     \
    "taken_local, taken_offset_minutes, taken_source, camera_make, camera_model, lens_model, "   \
    "iso, aperture, shutter_speed, focal_length, latitude, longitude, altitude, width, height, " \
    "duration, description, rating, is_raw, (SELECT string_agg(concat_ws(',', size, file_path, " \
    "file_size, t.width, t.height, t.mime_type), ';' ORDER BY size) FROM thumbnails t "          \
    "WHERE t.asset_id = a.asset_id)), chr(10) ORDER BY file_hash), '') FROM assets a "           \
    "WHERE owner_id = (SELECT user_id FROM users WHERE username = '" user "') "                  \
    "AND NOT EXISTS (SELECT FROM river_job j WHERE j.state = 'cancelled' AND "                   \
    "j.args->>'asset_id' = a.asset_id::text)"

static bool second_session(const test_library *lib, lum_session **out)
{
    pgc_error err;
    pgc_error_clear(&err);
    int32_t user_id = 0;
    pgc_pool *pool = lum_library_pool(lib->library);
    return CHECK_STATUS(lum_user_ensure(pool, "second", &user_id, &err), PGC_OK, &err) &&
           CHECK_STATUS(lum_session_open(pool, user_id, out, &err), PGC_OK, &err);
}

/* Our own pictures. */
static void sources_make(const test_library *lib)
{
    for (uint32_t i = 0; i < 4; i++) {
        char path[160];
        (void) snprintf(path, sizeof path, "%s/%u.png", lib->source, i);
        CHECK(image_write(path, 40 + 500 * i, 30 + 400 * i, i));
    }
}

/* Folders of real photos beside the checkout, where they are: damaged ones among them. */
static void photos_find(char paths[PHOTO_FOLDERS][PATH_MAX], const char *out[PHOTO_FOLDERS + 1])
{
    static const char *const FOLDERS[PHOTO_FOLDERS] = { "exif-samples/jpg/gps",
                                                        "exif-samples/jpg/invalid",
                                                        "exif-samples/heic/mobile",
                                                        "exif-samples/jpg/xmp" };
    const char *text = getenv("LUMILIO_TEST_PHOTOS");
    size_t count = 0;
    slice rest = pgc_text_from(text != NULL ? text : "");
    while (rest.ptr != NULL && count == 0) {
        slice root = slice_next(&rest, ':');
        for (size_t i = 0; i < PHOTO_FOLDERS; i++) {
            struct stat info;
            (void) snprintf(paths[count], PATH_MAX, "%" SLICE_FMT "/%s", SLICE_ARG(root),
                            FOLDERS[i]);
            if (stat(paths[count], &info) == 0) {
                out[count] = paths[count];
                count++;
            }
        }
    }
    out[count] = NULL;
}

#define LIBRARY(name)                                              \
    if (test_server() == NULL) {                                   \
        TAP_SKIP("no PostgreSQL server for the test");             \
    }                                                              \
    AUTO(test_library_remove) test_library name = { .url = NULL }; \
    pgc_error err;                                                 \
    pgc_error_clear(&err);                                         \
    REQUIRE(CHECK(test_library_make(&(name))));                    \
    REQUIRE(CHECK_STATUS(test_library_open(&(name), &err) ? PGC_OK : err.status, PGC_OK, &err))

static void jobs_lead_to_the_rows_of_the_import(void)
{
    LIBRARY(lib);
    lum_session *second = NULL;
    import_progress inline_run = { .done = 0 };
    import_progress later = { .done = 0 };
    jobs_counts counts = { .completed = 0 };
    static char want[65536];
    static char got[65536];
    static char paths[PHOTO_FOLDERS][PATH_MAX];
    const char *more[PHOTO_FOLDERS + 1];
    sources_make(&lib);
    photos_find(paths, more);
    REQUIRE(second_session(&lib, &second));
    CHECK(worker_import_with(&lib, lib.session, false, more, &inline_run));
    CHECK(worker_import_with(&lib, second, true, more, &later));
    uint64_t created = inline_run.outcomes[IMPORT_CREATED];
    CHECK(created >= 4);
    (void) printf("# %" PRIu64 " assets compared\n", created);
    CHECK_INT(later.outcomes[IMPORT_CREATED],
              created + inline_run.outcomes[IMPORT_FAILED]); /* jobs find out what is damaged */
    CHECK_STATUS(worker_run(&lib, &counts, &err), PGC_OK, &err);
    CHECK_INT(counts.completed, 2 * created);
    CHECK_INT(counts.retrying, 0);
    CHECK_INT(counts.given_up, 2 * inline_run.outcomes[IMPORT_FAILED]);
    /* The import registers nothing that it cannot read; jobs find out later. */
    worker_ask(&lib, ROWS_OF("tester"), want, sizeof want);
    worker_ask(&lib, ROWS_OF("second"), got, sizeof got);
    CHECK(strlen(want) > 400);
    CHECK_STR(got, want);
    import_fsck found = { 0 };
    CHECK_STATUS(import_check(lib.library, second, true, &found, &err), PGC_OK, &err);
    CHECK_INT(found.files_without_row + found.rows_without_file + found.size_mismatch, 0);
    lum_session_close(second);
}

static void the_import_itself_inserts_no_job(void)
{
    LIBRARY(lib);
    import_progress done = { .done = 0 };
    char path[160];
    (void) snprintf(path, sizeof path, "%s/a.png", lib.source);
    CHECK(image_write(path, 40, 30, 1));
    CHECK(worker_import(&lib, lib.session, false, &done));
    CHECK_INT(done.outcomes[IMPORT_CREATED], 1);
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job", "0");
}

static void jobs_come_with_the_asset(void)
{
    LIBRARY(lib);
    import_progress done = { .done = 0 };
    char path[160];
    (void) snprintf(path, sizeof path, "%s/a.png", lib.source);
    CHECK(image_write(path, 40, 30, 1));
    CHECK(worker_import(&lib, lib.session, true, &done));
    CHECK(worker_import(&lib, lib.session, true, &done)); /* known: nothing more */
    CHECK_ASKED(&lib,
                "SELECT string_agg(concat_ws(' ', j.kind, j.queue, j.state, j.max_attempts, "
                "a.asset_id IS NOT NULL), ', ' ORDER BY j.kind) FROM river_job j LEFT JOIN assets "
                "a ON a.asset_id = (j.args->>'asset_id')::uuid AND a.owner_id = "
                "(j.args->>'owner_id')::int",
                "metadata_asset metadata_asset available 5 t, "
                "thumbnail_asset thumbnail_asset available 5 t");
}

static void without_jobs_there_is_no_asset(void)
{
    LIBRARY(lib);
    import_progress done = { .done = 0 };
    char path[160];
    char said[64] = "";
    (void) snprintf(path, sizeof path, "%s/a.png", lib.source);
    CHECK(image_write(path, 40, 30, 1));
    worker_ask(&lib,
               "ALTER TABLE river_job ADD CONSTRAINT broken CHECK (kind <> 'thumbnail_asset'); "
               "SELECT 'x'",
               said, sizeof said);
    CHECK(worker_import(&lib, lib.session, true, &done));
    CHECK_INT(done.outcomes[IMPORT_FAILED], 1);
    CHECK_ASKED(&lib, "SELECT (SELECT count(*) FROM assets) + (SELECT count(*) FROM river_job)",
                "0");
    worker_ask(&lib, "ALTER TABLE river_job DROP CONSTRAINT broken; SELECT 'x'", said, sizeof said);
    CHECK(worker_import(&lib, lib.session, true, &done));
    CHECK_INT(done.outcomes[IMPORT_CREATED], 1);
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job", "2");
}

static void a_rolled_back_insert_leaves_no_job_and_a_second_one_adds_none(void)
{
    LIBRARY(lib);
    import_progress done = { .done = 0 };
    river_client *queue = NULL;
    repo_asset_set set = PGC_ZERO;
    pgc_tx *tx = NULL;
    char path[160];
    (void) snprintf(path, sizeof path, "%s/a.png", lib.source);
    CHECK(image_write(path, 40, 30, 1));
    CHECK(worker_import(&lib, lib.session, false, &done));
    lum_actor actor = lum_session_actor(lib.session);
    REQUIRE_OK(lum_asset_list(actor, NULL, (lum_page) { .limit = 1 }, &set, &err), &err);
    REQUIRE(CHECK_INT(set.count, 1));
    pgc_uuid id = set.rows[0].asset_id;
    repo_asset_set_free(&set);
    REQUIRE_OK(jobs_queue_open(lum_library_pool(lib.library), env_default(), &queue, &err), &err);
    REQUIRE_OK(lum_session_begin(lib.session, &tx, &err), &err);
    CHECK_STATUS(jobs_insert(queue, lum_session_tx_actor(lib.session, tx), id, FILES, &err), PGC_OK,
                 &err);
    pgc_tx_rollback(tx);
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job", "0");
    CHECK_STATUS(jobs_insert(queue, actor, id, FILES, &err), PGC_OK, &err);
    CHECK_STATUS(jobs_insert(queue, actor, id, FILES, &err), PGC_OK, &err);
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job", "2");
    /* What a person gave stays when the file is read again, and the rest comes back. */
    char said[64] = "";
    jobs_counts counts = { .completed = 0 };
    worker_ask(&lib,
               "UPDATE assets SET description = 'mine', width = NULL, taken_source = 'user', "
               "taken_at = '2001-02-03', taken_local = '2001-02-03'; SELECT 'x'",
               said, sizeof said);
    CHECK_STATUS(worker_run(&lib, &counts, &err), PGC_OK, &err);
    CHECK_INT(counts.completed, 2);
    CHECK_ASKED(&lib, "SELECT concat_ws(' ', description, width, taken_local::date) FROM assets",
                "mine 40 2001-02-03");
    CHECK_ASKED(&lib, "SELECT count(*) FROM thumbnails", "3");
    /* Ended jobs do not stand in the way of new ones. */
    CHECK_STATUS(jobs_insert(queue, actor, id, FILES, &err), PGC_OK, &err);
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job", "4");
    river_client_close(queue);
}

/* What people set or emptied stays when a file is read again, until they want it otherwise. */
static void edits_outlive_reprocessing(void)
{
    LIBRARY(lib);
    import_progress done = { .done = 0 };
    river_client *queue = NULL;
    repo_asset_set set = PGC_ZERO;
    jobs_counts counts = { .completed = 0 };
    media_facts facts;
    char path[160];
    (void) snprintf(path, sizeof path, "%s/a.png", lib.source);
    CHECK(image_write(path, 40, 30, 1));
    CHECK(worker_import(&lib, lib.session, false, &done));
    lum_actor actor = lum_session_actor(lib.session);
    REQUIRE_OK(lum_asset_list(actor, NULL, (lum_page) { .limit = 1 }, &set, &err), &err);
    pgc_uuid id = set.rows[0].asset_id;
    repo_asset_set_free(&set);
    media_facts_init(&facts);
    facts.kind = MEDIA_PHOTO;
    facts.has_gps = 1;
    facts.latitude = 10;
    facts.longitude = 20;
    facts.iso = 400;
    facts.rating = 3;
    facts.has_taken = 1;
    facts.taken_local_us = INT64_C(1600000000000000);
    facts.taken_source = MEDIA_TIME_EXIF;
    (void) snprintf(facts.camera_make, sizeof facts.camera_make, "File");
    (void) snprintf(facts.camera_model, sizeof facts.camera_model, "Model");
    (void) snprintf(facts.description, sizeof facts.description, "from the file");
    REQUIRE_OK(process_facts_row(actor, id, &facts, false, &err), &err);
    CHECK_ASKED(&lib,
                "SELECT concat_ws(' ', camera_make, latitude::int, iso, rating, description, "
                "taken_local::date, edited IS NULL) FROM assets",
                "File 10 400 3 from the file 2020-09-13 t");
    REQUIRE_OK(lum_asset_update_metadata(
                   actor, id,
                   SLICE("{\"camera_make\": \"Mine\", \"latitude\": 1, \"longitude\": 2, "
                         "\"description\": null, \"rating\": null, \"liked\": true, "
                         "\"taken_at\": \"2001-02-03T04:05:06\"}"),
                   &set, &err),
               &err);
    repo_asset_set_free(&set);
    REQUIRE_OK(
        lum_asset_update_metadata(actor, id, SLICE("{\"camera_make\": \"Mine too\"}"), &set, &err),
        &err);
    repo_asset_set_free(&set);
    CHECK_ASKED(&lib, "SELECT array_to_string(edited, ' ') FROM assets",
                "camera_make description latitude longitude rating taken_at");
    REQUIRE_OK(process_facts_row(actor, id, &facts, false, &err), &err);
    CHECK_ASKED(&lib,
                "SELECT concat_ws(' ', camera_make, camera_model, latitude::int, longitude::int, "
                "iso, rating IS NULL, description IS NULL, taken_local::date, taken_source, liked) "
                "FROM assets",
                "Mine too Model 1 2 400 t t 2001-02-03 user t");
    /* By the queue: plain, then with the wish to forget. The picture itself says nothing. */
    REQUIRE_OK(jobs_queue_open(lum_library_pool(lib.library), env_default(), &queue, &err), &err);
    CHECK_STATUS(jobs_insert(queue, actor, id, FILES, &err), PGC_OK, &err);
    CHECK_STATUS(worker_run(&lib, &counts, &err), PGC_OK, &err);
    CHECK_ASKED(&lib,
                "SELECT concat_ws(' ', camera_make, camera_model IS NULL, latitude::int, "
                "array_length(edited, 1)) FROM assets",
                "Mine too t 1 6");
    const jobs_wanted wanted = { .files = true, .reset = true };
    CHECK_STATUS(jobs_insert(queue, actor, id, wanted, &err), PGC_OK, &err);
    CHECK_STATUS(worker_run(&lib, &counts, &err), PGC_OK, &err);
    CHECK_ASKED(&lib,
                "SELECT concat_ws(' ', camera_make IS NULL, latitude IS NULL, edited IS NULL, "
                "taken_local::date, liked) FROM assets",
                "t t t 2001-02-03 t");
    REQUIRE_OK(process_facts_row(actor, id, &facts, true, &err), &err);
    CHECK_ASKED(&lib,
                "SELECT concat_ws(' ', camera_make, description, rating, taken_source) FROM assets",
                "File from the file 3 exif");
    river_client_close(queue);
}

/* Insert a job by hand, work it, and look what became of it. */
static void check_gives_up(test_library *lib, const char *args, const char *reason)
{
    char sql[512];
    char said[512] = "";
    jobs_counts counts = { .completed = 0 };
    pgc_error err;
    pgc_error_clear(&err);
    (void) snprintf(sql, sizeof sql,
                    "DELETE FROM river_job; INSERT INTO river_job (kind, queue, args, "
                    "max_attempts) VALUES ('thumbnail_asset', 'thumbnail_asset', '%s', 5); "
                    "SELECT 'x'",
                    args);
    worker_ask(lib, sql, said, sizeof said);
    CHECK_STATUS(worker_run(lib, &counts, &err), PGC_OK, &err);
    CHECK_INT(counts.given_up, 1);
    worker_ask(lib, "SELECT concat_ws(' ', state, errors[1]->>'error') FROM river_job", said,
               sizeof said);
    CHECK(strncmp(said, "cancelled ", 10) == 0);
    if (!CHECK(strstr(said, reason) != NULL)) {
        (void) printf("# %s\n", said);
    }
}

static void bad_arguments_and_foreign_assets_are_given_up_with_a_reason(void)
{
    LIBRARY(lib);
    lum_session *second = NULL;
    import_progress done = { .done = 0 };
    char path[160];
    char id[64] = "";
    char args[160];
    (void) snprintf(path, sizeof path, "%s/a.png", lib.source);
    CHECK(image_write(path, 40, 30, 1));
    CHECK(worker_import(&lib, lib.session, false, &done));
    REQUIRE(second_session(&lib, &second));
    lum_session_close(second);
    check_gives_up(&lib, "{}", "asset_id");
    check_gives_up(&lib, "{\"asset_id\": \"x\", \"owner_id\": 1}", "asset_id");
    check_gives_up(&lib, "{\"asset_id\": \"00000000-0000-0000-0000-000000000000\"}", "owner_id");
    check_gives_up(&lib,
                   "{\"asset_id\": \"00000000-0000-0000-0000-000000000000\", \"owner_id\": 1}",
                   "no such asset");
    worker_ask(&lib, "SELECT asset_id FROM assets", id, sizeof id);
    (void) snprintf(args, sizeof args, "{\"asset_id\": \"%s\", \"owner_id\": 2}", id);
    check_gives_up(&lib, args, "no such asset"); /* there is one, but not of user 2 */
}

static void an_unknown_queue_is_refused(void)
{
    LIBRARY(lib);
    const char *const queues[] = { "thumbnails" };
    const jobs_options work = {
        .helper_path = TEST_MEDIA_HELPER, .queues = queues, .queue_count = 1, .once = true
    };
    jobs_counts counts = { .completed = 0 };
    CHECK_STATUS(jobs_work(lib.library, &work, &counts, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "thumbnail_asset") != NULL);
}

static void a_stop_that_came_before_ends_at_once(void)
{
    LIBRARY(lib);
    const int stop = 1;
    const jobs_options work = { .helper_path = TEST_MEDIA_HELPER, .no_lead = true, .stop = &stop };
    const lum_library_options options = { .home = lib.home,
                                          .database_url = lib.url,
                                          .role = JOBS_WORKER_ROLE };
    jobs_counts counts = { .completed = 1 };
    lum_library *library = NULL;
    REQUIRE_OK(lum_library_open(NULL, &options, &library, &err), &err);
    CHECK_STATUS(jobs_work(library, &work, &counts, &err), PGC_OK, &err);
    CHECK_INT(counts.completed, 0);
    lum_library_close(library);
}

static const tap_case CASES[] = {
    TAP("work: jobs lead to the rows that the import makes by itself",
        jobs_lead_to_the_rows_of_the_import),
    TAP("work: the import inserts no job for what it has done", the_import_itself_inserts_no_job),
    TAP("work: import --later inserts both jobs with the asset, once", jobs_come_with_the_asset),
    TAP("work: when a job cannot be inserted there is no asset either",
        without_jobs_there_is_no_asset),
    TAP("work: reprocessing is in the caller's transaction, unique, and spares what people gave",
        a_rolled_back_insert_leaves_no_job_and_a_second_one_adds_none),
    TAP("work: what people edited outlives reprocessing, until they want it otherwise",
        edits_outlive_reprocessing),
    TAP("work: bad arguments and assets of others are given up with a reason",
        bad_arguments_and_foreign_assets_are_given_up_with_a_reason),
    TAP("work: an unknown queue is refused", an_unknown_queue_is_refused),
    TAP("work: a stop that came before the start ends it", a_stop_that_came_before_ends_at_once),
};

int main(void)
{
    return tap_run(CASES, ARRAY_LEN(CASES));
}
