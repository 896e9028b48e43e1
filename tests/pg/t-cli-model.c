/* The commands `lumilio model …`, and what embeddings are good for, as a person runs them: import
 * and work with an embedding server, duplicates, look-alikes. The cases build on one another. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "embedding_server.h"
#include "image.h"
#include "person.h"
#include "program.h"
#include "schema.h"
#include "tap.h"

static test_library lib;
static person owner;

static void change(const char *sql)
{
    char got[64] = "";
    char state[6];
    char text[512];
    pgc_conn *conn = schema_connect(lib.url);
    (void) snprintf(text, sizeof text, "%s; SELECT 'x'", sql);
    if (CHECK(conn != NULL)) {
        schema_ask(conn, text, got, sizeof got, state);
        CHECK_STR(got, "x");
    }
    pgc_conn_close(conn);
}

static void begins(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    (void) unsetenv("http_proxy");
    (void) unsetenv("LUMILIO_ML_URL");
    REQUIRE(CHECK(embedding_server_open()));
    REQUIRE(CHECK(test_library_make(&lib)));
    REQUIRE(CHECK_STATUS(test_library_open(&lib, &err) ? PGC_OK : err.status, PGC_OK, &err));
    REQUIRE(person_make(&lib, &owner, "modeller"));
    program_set_up(lib.home, lib.url, "modeller");
}

static void ends(void)
{
    person_done(&owner);
    test_library_remove(&lib);
    http_server_close(&embedding_server);
    CHECK(embedding_inputs > 0);
}

static void wrong_calls_are_told_and_exit_2(void)
{
    static const char *const CALLS[][5] = {
        { "model", "list", "x" },
        { "model", "use" },
        { "model", "use", "a", "b" },
        { "model", "fill", "x" },
        { "model", "list", "--force" },
        { "duplicates", "x" },
        { "duplicates", "--distance", "0.6" },
        { "duplicates", "--distance", "near" },
        { "duplicates", "--distance", "-1" },
        { "duplicates", "--limit", "2000" },
        { "duplicates", "--after", "there" },
        { "duplicates", "--trash-others", "--json" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CALLS); i++) {
        CHECK_INT(program_run_as(program_user, CALLS[i]), 2);
        CHECK_STR(program_out, "");
        CHECK(program_says(program_err, "lumilio help "));
    }
    CHECK_INT(PROGRAM_PLAIN("help", "duplicates"), 0);
    CHECK(program_says(program_out, "--trash-others"));
}

static void without_a_server_it_is_said_what_to_do(void)
{
    CHECK_INT(PROGRAM("model", "list"), 0);
    CHECK(program_says(program_out, "active          0  clip-vit-base\n"));
    CHECK_INT(PROGRAM("model", "fill"), 1);
    CHECK(program_says(program_err, "no embedding server is configured"));
    CHECK(program_says(program_err, "LUMILIO_ML_URL"));
    CHECK_INT(PROGRAM("model", "use", "nothing"), 1);
    CHECK(program_says(program_err, "there is no such model"));
    CHECK_INT(PROGRAM("work", "--queues", "embed_asset", "--once"), 2);
    CHECK(program_says(program_err, "no embedding server is configured"));
    CHECK_INT(PROGRAM_AS("modeller", "duplicates"), 0);
    CHECK_STR(program_out, "no duplicates; --similar shows look-alikes\n");
}

/* Two pictures; three more once the server answers. */
static void import_says_what_waits_and_work_does_it(void)
{
    char path[160];
    CHECK(embedding_configure(&lib, NULL, "immich"));
    for (uint32_t i = 0; i < 2; i++) {
        (void) snprintf(path, sizeof path, "%s/%u.png", lib.source, i);
        CHECK(image_write(path, 60, 40, i));
    }
    CHECK_INT(PROGRAM("import", lib.source), 0);
    CHECK(program_says(program_out, "2 wait to be embedded"));
    CHECK(program_says(program_out, "`lumilio work`"));
    CHECK_INT(PROGRAM("import", lib.source, "--json"), 0);
    CHECK(program_says(program_out, "\"to_embed\":0"));
    embedding_code = 503;
    CHECK_INT(PROGRAM("work", "--once"), 0);
    CHECK(program_says(program_out, "retry"));
    CHECK(program_says(program_out, "the server answers 503"));
    embedding_server_cure();
    change("UPDATE river_job SET state = 'available', scheduled_at = now()");
    CHECK_INT(PROGRAM("work", "--once", "--json"), 0);
    CHECK(program_says(program_out, "\"kind\":\"embed_asset\",\"outcome\":\"done\""));
    CHECK(program_says(program_out, "\"done\":2,\"retry\":0,\"given_up\":0,\"put_off\":0"));
    CHECK_INT(PROGRAM("model", "list", "--json"), 0);
    AUTO(program_json_auto) json_t *models = program_json();
    CHECK_INT(json_array_size(models), 2);
    const json_t *model = json_array_get(models, 1);
    CHECK_STR(program_text(model, "name"), "test/model");
    CHECK_INT(program_number(model, "embedding_count"), 2);
    CHECK(json_is_true(json_object_get(model, "is_active"))); /* the seed's had no vectors */
}

static void fill_does_what_is_missing(void)
{
    CHECK_INT(PROGRAM("model", "fill"), 0);
    CHECK_STR(program_out, "embedded 0, without thumbnail 0, refused 0\n");
    change(
        "DELETE FROM embeddings WHERE asset_id = (SELECT min(asset_id::text)::uuid FROM assets)");
    embedding_dim = 768;
    CHECK_INT(PROGRAM("model", "fill", "--json"), 0);
    CHECK_STR(program_out, "{\"embedded\": 0, \"without_picture\": 0, \"refused\": 1}\n");
    embedding_server_cure();
    embedding_code = 500;
    CHECK_INT(PROGRAM("model", "fill"), 1);
    CHECK(program_says(program_err, "the server answers 500"));
    embedding_server_cure();
    CHECK_INT(PROGRAM("model", "fill", "--json"), 0);
    CHECK_STR(program_out, "{\"embedded\": 1, \"without_picture\": 0, \"refused\": 0}\n");
}

static void a_model_is_switched_when_it_is_complete_or_by_force(void)
{
    CHECK_INT(PROGRAM("model", "use", "clip-vit-base"), 1);
    CHECK(program_says(program_err, "2 assets lack its embedding"));
    CHECK(program_says(program_err, "--force"));
    CHECK_INT(PROGRAM("model", "use", "clip-vit-base", "--force", "--json"), 0);
    CHECK_STR(program_out, "{\"active\": true, \"missing\": 2}\n");
    CHECK_INT(PROGRAM("model", "use", "test/model"), 0);
    CHECK(program_says(program_out, "use test/model now (0 assets lack its vector)"));
}

/* The server gives all pictures one vector; only the first two were taken at one moment. */
static void duplicates_are_shown_and_trashed_when_asked(void)
{
    char path[160];
    char id[PGC_UUID_TEXT_SIZE] = "";
    change("UPDATE assets SET taken_at = '2024-05-01Z', taken_local = '2024-05-01'");
    (void) snprintf(path, sizeof path, "%s/2.png", lib.source);
    CHECK(image_write(path, 90, 60, 2));
    CHECK_INT(PROGRAM("import", lib.source), 0);
    CHECK_INT(PROGRAM("work", "--once"), 0);
    CHECK_INT(PROGRAM_AS("modeller", "duplicates"), 0);
    CHECK(program_says(program_out, "best      0.0000"));
    CHECK(program_says(program_out, "1.png"));
    CHECK(strstr(program_out, "2.png") == NULL);
    CHECK_INT(PROGRAM("duplicates", "--similar", "--json"), 0);
    AUTO(program_json_auto) json_t *found = program_json();
    const json_t *group = json_array_get(json_object_get(found, "groups"), 0);
    CHECK_INT(json_array_size(json_object_get(group, "assets")), 3);
    CHECK(json_is_null(json_object_get(found, "next")));
    const json_t *first = json_array_get(json_object_get(group, "assets"), 0);
    const json_t *largest = json_array_get(json_object_get(group, "assets"), 2);
    CHECK_STR(program_text(group, "best"), program_text(largest, "asset_id"));
    CHECK(json_is_false(json_object_get(largest, "sure")));
    (void) snprintf(id, sizeof id, "%s", program_text(first, "asset_id"));
    CHECK_INT(PROGRAM("search", "--similar", id), 0);
    CHECK(program_says(program_out, "2.png"));
    CHECK_INT(PROGRAM("duplicates", "--similar", "--trash-others"), 1);
    CHECK(program_says(program_out, "2.png")); /* what it would be */
    CHECK(program_says(program_err, "nothing is changed"));
    CHECK_INT(PROGRAM("trash", "list"), 0);
    CHECK_STR(program_out, "the trash is empty\n");
    CHECK_INT(PROGRAM("duplicates", "--similar", "--trash-others", "--yes"), 0);
    CHECK(program_says(program_out, "2 moved to the trash"));
    CHECK_INT(PROGRAM("restore", id), 0);
    CHECK_INT(PROGRAM("duplicates", "--similar", "--limit", "1", "--json"), 0);
    CHECK(program_says(program_out, "\"trashed\": 0"));
    CHECK_INT(PROGRAM("list", "--json"), 0);
    AUTO(program_json_auto) json_t *list = program_json();
    CHECK(program_says(program_out, "2.png"));
    CHECK(list != NULL);
}

TAP_MAIN(TAP("cli model: a server and a library of the test", begins),
         TAP("cli model: wrong calls are told and exit 2", wrong_calls_are_told_and_exit_2),
         TAP("cli model: without a server it is said what to do",
             without_a_server_it_is_said_what_to_do),
         TAP("cli model: import says what waits, work does it",
             import_says_what_waits_and_work_does_it),
         TAP("cli model: fill does what is missing", fill_does_what_is_missing),
         TAP("cli model: a model is switched when it is complete, or by force",
             a_model_is_switched_when_it_is_complete_or_by_force),
         TAP("cli model: duplicates are shown, and trashed when asked",
             duplicates_are_shown_and_trashed_when_asked),
         TAP("cli model: the library is removed", ends))
