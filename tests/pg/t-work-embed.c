/* Embedding as a job: it comes with the asset, waits for its thumbnail, and for a server that is
 * away as long as it takes; what comes back is stored once or refused with the reason. */
#include "base/prelude.h"

#include "embedding_server.h"
#include "image.h"
#include "service/asset.h"
#include "service/embedding_fill.h"
#include "worker.h"

#define NOBODY "http://127.0.0.1:9" /* discard: nobody listens */

static test_library lib; /* of all cases; each finds it empty */
static char folder[64];  /* its sources */
static unsigned cases;

static bool library_make(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    bool good = CHECK(test_library_make(&lib)) &&
                CHECK_STATUS(test_library_open(&lib, &err) ? PGC_OK : err.status, PGC_OK, &err);
    (void) snprintf(folder, sizeof folder, "%.63s", lib.folder.path);
    return good;
}

static void change(const char *sql)
{
    char text[1024];
    char said[64] = "";
    (void) snprintf(text, sizeof text, "%s; SELECT 'x'", sql);
    worker_ask(&lib, text, said, sizeof said);
    CHECK_STR(said, "x");
}

/* No assets, no jobs, no pictures, a well server that is asked by this API. */
static bool empty(const char *url, const char *api)
{
    embedding_server_cure();
    change("DELETE FROM river_job; DELETE FROM import_intents; DELETE FROM assets");
    (void) snprintf(lib.source, sizeof lib.source, "%s/%u", folder, ++cases);
    return CHECK(mkdir(lib.source, 0700) == 0) && embedding_configure(&lib, url, api);
}

#define LIBRARY(where, api)                            \
    if (test_server() == NULL) {                       \
        TAP_SKIP("no PostgreSQL server for the test"); \
    }                                                  \
    pgc_error err;                                     \
    pgc_error_clear(&err);                             \
    REQUIRE(empty((where), (api)))

static void begins(void)
{
    if (test_server() == NULL) {
        TAP_SKIP("no PostgreSQL server for the test");
    }
    (void) unsetenv("http_proxy");
    (void) unsetenv("LUMILIO_ML_URL");
    REQUIRE(CHECK(embedding_server_open()) && library_make());
}

static void ends(void)
{
    if (test_server() == NULL) {
        TAP_SKIP("no PostgreSQL server for the test");
    }
    test_library_remove(&lib);
    http_server_close(&embedding_server);
    CHECK(embedding_inputs > 0);
}

static void pictures_make(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        char path[160];
        (void) snprintf(path, sizeof path, "%s/%u.png", lib.source, i);
        CHECK(image_write(path, 60, 40, cases * 100 + i));
    }
}

/* Import so many new pictures. */
static bool pictures_import(uint32_t count, bool later)
{
    import_progress done = { .done = 0 };
    pictures_make(count);
    return CHECK(worker_import(&lib, lib.session, later, &done)) &&
           CHECK_INT(done.outcomes[IMPORT_CREATED], count) && CHECK_INT(done.to_embed, count);
}

static bool work(jobs_counts *counts)
{
    pgc_error err;
    pgc_error_clear(&err);
    return CHECK_STATUS(worker_run(&lib, counts, &err), PGC_OK, &err);
}

/* State of the only embedding job, and whether its last error has these words. */
static void check_job(const char *state, const char *words)
{
    char said[1024] = "";
    worker_ask(&lib,
               "SELECT concat_ws(' ', state, attempt, errors[array_length(errors, 1)]->>'error') "
               "FROM river_job WHERE kind = 'embed_asset'",
               said, sizeof said);
    if (!CHECK(strncmp(said, state, strlen(state)) == 0 && strstr(said, words) != NULL)) {
        (void) printf("# wanted \"%s … %s\", got \"%s\"\n", state, words, said);
    }
}

static void an_import_leaves_one_job_for_each_picture(void)
{
    LIBRARY(NULL, "immich");
    import_progress again = { .done = 0 };
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(3, false));
    CHECK(worker_import(&lib, lib.session, false, &again)); /* known: nothing more */
    CHECK_INT(again.to_embed, 0);
    CHECK_ASKED(&lib,
                "SELECT count(*) || ' ' || string_agg(DISTINCT concat_ws(' ', kind, queue, state, "
                "args->>'model', a.asset_id IS NOT NULL, (metadata->>'asset_id')::uuid = "
                "a.asset_id), ', ') FROM river_job j LEFT JOIN assets a ON a.asset_id = "
                "(args->>'asset_id')::uuid AND a.owner_id = (args->>'owner_id')::int",
                "3 embed_asset embed_asset available test/model t t");
    REQUIRE(work(&counts));
    CHECK_INT(counts.completed, 3);
    CHECK_INT(counts.given_up + counts.retrying + counts.waiting, 0);
    CHECK_ASKED(&lib, "SELECT concat(count(*), min(model_version)) FROM embeddings", "3test/model");
    CHECK(http_server_got(&embedding_server, "Content-Type: image/webp"));
    CHECK(http_server_got(&embedding_server, "test/model"));
}

static void without_a_server_there_are_no_jobs(void)
{
    LIBRARY("", "immich");
    import_progress done = { .done = 0 };
    const char *const queues[] = { "embed_asset" };
    const jobs_options options = {
        .helper_path = TEST_MEDIA_HELPER, .queues = queues, .queue_count = 1, .once = true
    };
    jobs_counts counts = { .completed = 0 };
    pictures_make(1);
    CHECK(worker_import(&lib, lib.session, false, &done));
    CHECK_INT(done.to_embed, 0);
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job", "0");
    CHECK_STATUS(jobs_work(lib.library, &options, &counts, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "no embedding server is configured") != NULL);
    /* Jobs of an earlier configuration stay where they are. */
    change("INSERT INTO river_job (kind, queue, args, max_attempts) SELECT 'embed_asset', "
           "'embed_asset', jsonb_build_object('asset_id', asset_id, 'owner_id', owner_id, "
           "'model', 'm'), 5 FROM assets");
    REQUIRE(work(&counts));
    CHECK_ASKED(&lib, "SELECT concat(state, attempt) FROM river_job", "available0");
    /* In a queue that is worked it waits, and says for what. */
    change("UPDATE river_job SET queue = 'metadata_asset'");
    REQUIRE(work(&counts));
    CHECK_ASKED(&lib, "SELECT state || (metadata->>'waits_for') FROM river_job",
                "scheduledan embedding server; none is configured");
}

/* The thumbnail's job lets it run: one call of the worker does all. */
static void with_later_it_waits_for_the_thumbnail(void)
{
    LIBRARY(NULL, "immich");
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(3, true));
    CHECK_ASKED(&lib,
                "SELECT string_agg(kind || ' ' || state || ' ' || c, ', ' ORDER BY kind) FROM "
                "(SELECT kind, state, count(*) c FROM river_job GROUP BY 1, 2) k",
                "embed_asset scheduled 3, metadata_asset available 3, thumbnail_asset available 3");
    REQUIRE(work(&counts));
    CHECK_INT(counts.completed, 9);
    CHECK_INT(counts.given_up + counts.retrying, 0);
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "3");
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job WHERE state <> 'completed'", "0");
}

static void a_job_before_its_thumbnail_is_put_off(void)
{
    LIBRARY(NULL, "immich");
    jobs_counts counts = { .completed = 0 };
    const char *const queues[] = { "embed_asset" };
    const jobs_options options = {
        .helper_path = TEST_MEDIA_HELPER, .queues = queues, .queue_count = 1, .once = true
    };
    const lum_library_options as_worker = { .home = lib.home,
                                            .database_url = lib.url,
                                            .role = JOBS_WORKER_ROLE };
    lum_library *library = NULL;
    CHECK(pictures_import(1, true));
    change("UPDATE river_job SET state = 'available', scheduled_at = now() "
           "WHERE kind = 'embed_asset'");
    REQUIRE_OK(lum_library_open(NULL, &as_worker, &library, &err), &err);
    CHECK_STATUS(jobs_work(library, &options, &counts, &err), PGC_OK, &err);
    lum_library_close(library);
    CHECK_INT(counts.waiting, 1);
    CHECK_ASKED(&lib,
                "SELECT concat(state, attempt, metadata->>'waits_for', scheduled_at > now()) "
                "FROM river_job WHERE kind = 'embed_asset'",
                "scheduled0the asset's thumbnailst");
    REQUIRE(work(&counts));
    CHECK_INT(counts.completed, 3);
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "1");
}

static void without_a_thumbnail_it_is_given_up(void)
{
    LIBRARY(NULL, "immich");
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(1, false));
    change("DELETE FROM thumbnails");
    REQUIRE(work(&counts));
    CHECK_INT(counts.given_up, 1);
    check_job("cancelled", "no thumbnail; `lumilio reprocess` makes one");
    /* An original that nobody can read takes its embedding along. */
    image_bytes cut = image_png(900, 700, 77);
    char path[160];
    import_progress done = { .done = 0 };
    (void) snprintf(path, sizeof path, "%s/cut.png", lib.source);
    CHECK(image_save(path, cut.ptr, cut.len / 2));
    free(cut.ptr);
    change("DELETE FROM river_job");
    CHECK(worker_import(&lib, lib.session, true, &done));
    CHECK_INT(done.to_embed, 1);
    REQUIRE(work(&counts));
    change("UPDATE river_job SET state = 'available', scheduled_at = now() "
           "WHERE state = 'scheduled'"); /* it may have run before the other's end */
    REQUIRE(work(&counts));
    CHECK_ASKED(&lib, "SELECT count(*) FROM river_job WHERE state = 'cancelled'", "3");
    check_job("cancelled", "no thumbnail");
}

static void what_is_in_the_trash_is_given_up_at_once(void)
{
    LIBRARY(NULL, "immich");
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(1, false));
    change("UPDATE assets SET deleted_at = now()");
    REQUIRE(work(&counts));
    CHECK_INT(counts.given_up, 1);
    CHECK_INT(counts.retrying + counts.waiting + counts.completed, 0);
    check_job("cancelled 1", "there is no such asset");
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "0");
}

static void without_its_job_there_is_no_asset(void)
{
    LIBRARY(NULL, "immich");
    import_progress done = { .done = 0 };
    pictures_make(1);
    change("ALTER TABLE river_job ADD CONSTRAINT broken CHECK (kind <> 'embed_asset')");
    CHECK(worker_import(&lib, lib.session, false, &done));
    CHECK_INT(done.outcomes[IMPORT_FAILED], 1);
    CHECK_INT(done.to_embed, 0);
    CHECK_ASKED(&lib, "SELECT (SELECT count(*) FROM assets) + (SELECT count(*) FROM river_job)",
                "0");
    change("ALTER TABLE river_job DROP CONSTRAINT broken");
    CHECK(worker_import(&lib, lib.session, false, &done));
    CHECK_ASKED(&lib,
                "SELECT concat((SELECT count(*) FROM assets), (SELECT count(*) FROM river_job))",
                "11");
}

/* The first failures are told as errors; then the job waits, and its attempts stay. */
static void a_server_that_is_away_costs_no_job_its_life(void)
{
    LIBRARY(NOBODY, "immich");
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(1, false));
    REQUIRE(work(&counts));
    CHECK_INT(counts.given_up, 0);
    CHECK_ASKED(&lib,
                "SELECT state IN ('scheduled', 'retryable', 'available') AND array_length(errors, "
                "1) >= 1 AND errors[1]->>'error' LIKE '%embed by model test/model: %' "
                "FROM river_job",
                "t");
    change("UPDATE river_job SET state = 'available', attempt = 4, scheduled_at = now()");
    REQUIRE(work(&counts));
    CHECK_ASKED(&lib,
                "SELECT concat_ws(' ', state, attempt, scheduled_at > now() + '1 min'::interval, "
                "metadata->>'waits_for' LIKE '%embed by model%') FROM river_job",
                "scheduled 4 t t");
    REQUIRE(embedding_configure(&lib, NULL, "immich"));
    change("UPDATE river_job SET state = 'available', scheduled_at = now()");
    REQUIRE(work(&counts));
    CHECK_INT(counts.completed, 1);
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "1");
}

/* Whatever the trouble is, the job comes again, and its error says what it was. */
static void trouble_of_the_server_is_tried_again(void)
{
    static const struct {
        int code;
        http_fault fault;
        const char *garbage, *words;
    } TROUBLE[] = {
        { 500, HTTP_FINE, NULL, "the server answers 500" },
        { 503, HTTP_FINE, "busy", "the server answers 503: busy" },
        { 404, HTTP_FINE, NULL, "the server answers 404" },
        { 401, HTTP_FINE, NULL, "the server answers 401" },
        { 200, HTTP_CLOSE, NULL, "embed by model test/model" },
        { 200, HTTP_CUT, NULL, "embed by model test/model" },
        { 200, HTTP_NOISE, NULL, "embed by model test/model" },
        { 200, HTTP_HANG, NULL, "embed by model test/model" },
        { 200, HTTP_FINE, "<html>hello</html>", "the answer is no JSON" },
        { 200, HTTP_FINE, "{\"clip\": \"nothing\"}", "is no array" },
    };
    LIBRARY(NULL, "immich");
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(1, false));
    for (size_t i = 0; i < ARRAY_LEN(TROUBLE); i++) {
        embedding_code = TROUBLE[i].code;
        embedding_fault = TROUBLE[i].fault;
        embedding_garbage = TROUBLE[i].garbage;
        /* Two seconds from now it would be tried again; that is not waited for here. */
        change("UPDATE river_job SET state = 'available', attempt = 1, scheduled_at = now(), "
               "errors = ARRAY['{\"at\":\"2024-01-01T00:00:00Z\",\"attempt\":1,\"error\":"
               "\"x\",\"trace\":\"\"}', '{\"at\":\"2024-01-01T00:00:00Z\",\"attempt\":1,"
               "\"error\":\"y\",\"trace\":\"\"}']::jsonb[]");
        REQUIRE(work(&counts));
        CHECK_INT(counts.given_up, 0);
        CHECK_INT(counts.retrying, 1);
        check_job("retryable 2", TROUBLE[i].words);
    }
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "0");
    embedding_server_cure();
    change("UPDATE river_job SET state = 'available', scheduled_at = now()");
    REQUIRE(work(&counts));
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "1");
}

static void other_dimensions_and_refusals_are_given_up(void)
{
    LIBRARY(NULL, "immich");
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(1, false));
    embedding_dim = 768;
    REQUIRE(work(&counts));
    CHECK_INT(counts.given_up, 1);
    check_job("cancelled 1", "768 dimensions, not 512");
    embedding_server_cure();
    embedding_code = 422;
    embedding_garbage = "no such model";
    change("UPDATE river_job SET state = 'available', finalized_at = NULL");
    REQUIRE(work(&counts));
    check_job("cancelled", "the server answers 422: no such model");
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "0");
}

static void what_is_there_is_not_made_twice(void)
{
    LIBRARY(NULL, "immich");
    jobs_counts counts = { .completed = 0 };
    lum_fill_counts filled = { .embedded = 0 };
    ml_embedder *embedder = NULL;
    const ml_options options = { .api = ML_API_IMMICH, .url = embedding_server.url, .tries = 1 };
    CHECK(pictures_import(2, false));
    REQUIRE_OK(ml_open(NULL, &options, &embedder, &err), &err);
    REQUIRE_OK(lum_model_add(lib.library, "test/model", NULL, &err), &err);
    CHECK_STATUS(lum_embedding_fill(lum_session_actor(lib.session), env_default(), embedder,
                                    "test/model", &filled, &err),
                 PGC_OK, &err);
    ml_close(embedder);
    CHECK_INT(filled.embedded, 2);
    int before = embedding_inputs;
    REQUIRE(work(&counts));
    CHECK_INT(counts.completed, 2);
    CHECK_INT(embedding_inputs, before);
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "2");
    /* But what is asked for again is made again. */
    river_client *queue = NULL;
    repo_asset_set set = PGC_ZERO;
    lum_actor actor = lum_session_actor(lib.session);
    REQUIRE_OK(lum_asset_list(actor, NULL, (lum_page) { .limit = 1 }, &set, &err), &err);
    REQUIRE_OK(jobs_queue_open(lum_library_pool(lib.library), env_default(), &queue, &err), &err);
    const jobs_wanted wanted = { .files = true, .embed_model = "test/model", .clock = clock_os() };
    CHECK_STATUS(jobs_insert(queue, actor, set.rows[0].asset_id, wanted, &err), PGC_OK, &err);
    CHECK_STATUS(jobs_insert(queue, actor, set.rows[0].asset_id, wanted, &err), PGC_OK, &err);
    repo_asset_set_free(&set);
    river_client_close(queue);
    REQUIRE(work(&counts));
    CHECK_INT(counts.completed, 3);
    CHECK_INT(embedding_inputs, before + 1);
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "2");
}

/* Several pictures travel in one request where the API takes them. A server that takes only one is
 * asked for each. */
static void pictures_travel_together(void)
{
    LIBRARY(NULL, "openai");
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(24, false));
    http_server_say(&embedding_server, &(http_answer) { .body = "" }, 1); /* count from here */
    REQUIRE(work(&counts));
    CHECK_INT(counts.completed, 24);
    size_t requests = http_server_asked(&embedding_server);
    (void) printf("# 24 pictures in %zu requests\n", requests);
    CHECK(requests >= 2 && requests <= 24);
    change("DELETE FROM embeddings; UPDATE river_job SET state = 'available', finalized_at = "
           "NULL");
    embedding_most = 1;
    REQUIRE(work(&counts));
    CHECK_INT(counts.completed, 24);
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "24");
}

static void bad_arguments_are_given_up(void)
{
    LIBRARY(NULL, "immich");
    jobs_counts counts = { .completed = 0 };
    CHECK(pictures_import(1, false));
    static const struct {
        const char *args, *words;
    } BAD[] = {
        { "args - 'model'", "model is missing" },
        { "jsonb_set(args, '{model}', '7')", "model is missing" },
        { "jsonb_set(args, '{model}', to_jsonb(repeat('m', 51)))", "model is missing" },
        { "jsonb_set(args, '{owner_id}', '999')", "there is no such asset" },
        { "jsonb_set(args, '{asset_id}', '\"00000000-0000-0000-0000-000000000000\"')",
          "there is no such asset" },
    };
    change("CREATE TABLE IF NOT EXISTS good AS SELECT args FROM river_job");
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        char sql[512];
        (void) snprintf(sql, sizeof sql,
                        "UPDATE river_job SET state = 'available', finalized_at = NULL, args = "
                        "(SELECT %s FROM good)",
                        BAD[i].args);
        change(sql);
        REQUIRE(work(&counts));
        CHECK_INT(counts.given_up, 1);
        check_job("cancelled", BAD[i].words);
    }
    CHECK_ASKED(&lib, "SELECT count(*) FROM embeddings", "0");
}

static void a_bad_configuration_is_told_at_once(void)
{
    LIBRARY(NULL, "grpc");
    import_progress done = { .done = 0 };
    jobs_counts counts = { .completed = 0 };
    const char *paths[] = { lib.source, NULL };
    const import_options options = { .paths = paths, .helper_path = TEST_MEDIA_HELPER };
    CHECK_STATUS(import_run(lib.library, lib.session, &options, &done, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "ml.conf, line 2") != NULL);
    CHECK_STATUS(worker_run(&lib, &counts, &err), PGC_INVALID, &err);
}

TAP_MAIN(TAP("embed: a server of the test listens", begins),
         TAP("embed: an import leaves one job for each picture, which is done once",
             an_import_leaves_one_job_for_each_picture),
         TAP("embed: without a server there are no jobs, and old ones wait",
             without_a_server_there_are_no_jobs),
         TAP("embed: with --later it waits for the thumbnail and then runs",
             with_later_it_waits_for_the_thumbnail),
         TAP("embed: a job that comes before the thumbnail is put off",
             a_job_before_its_thumbnail_is_put_off),
         TAP("embed: without a thumbnail the job is given up with the reason",
             without_a_thumbnail_it_is_given_up),
         TAP("embed: what is in the trash is given up at once, with the reason",
             what_is_in_the_trash_is_given_up_at_once),
         TAP("embed: when the job cannot be inserted there is no asset either",
             without_its_job_there_is_no_asset),
         TAP("embed: a server that is away costs no job its life",
             a_server_that_is_away_costs_no_job_its_life),
         TAP("embed: trouble of the server is tried again, with the reason",
             trouble_of_the_server_is_tried_again),
         TAP("embed: other dimensions and refusals are given up with the reason",
             other_dimensions_and_refusals_are_given_up),
         TAP("embed: what is there is not made twice, what is asked for again is",
             what_is_there_is_not_made_twice),
         TAP("embed: pictures travel together, or one by one", pictures_travel_together),
         TAP("embed: bad arguments and foreign assets are given up", bad_arguments_are_given_up),
         TAP("embed: a bad configuration is told at once", a_bad_configuration_is_told_at_once),
         TAP("embed: the server ends", ends))
