/* tools/plan-suite finds what it is there for: a small library, said to be a thousand times as
 * large, is judged before and after an index is taken away. Runs psql and python3. */
#include "base/prelude.h"

#include "base/buf.h"
#include "base/proc.h"
#include "schema.h"
#include "tap.h"

#define SUITE TEST_SOURCE_ROOT "/tools/plan-suite"

enum { OUTPUT_MAX = 1 << 20, ASSETS = 2000 };

static const char *url;
static char output[65536]; /* of the last run */

/* The exit code, -1 when it could not be started. */
static int run(const char *const *argv)
{
    AUTO(buf_auto) buf text;
    pgc_error err;
    int code = -1;
    buf_init(&text, NULL, OUTPUT_MAX);
    const proc_options options = { .argv = argv, .output = &text };
    pgc_status status = proc_run(env_default(), &options, &code, &err);
    (void) snprintf(output, sizeof output, "%.*s", (int) text.len, text.len > 0 ? text.ptr : "");
    return CHECK_STATUS(status, PGC_OK, &err) ? code : -1;
}

static int run_suite(const char *times, const char *query)
{
    const char *const argv[] = { SUITE,     url,   "--compiler", TEST_BUILD_ROOT "/sqlc-gen-c",
                                 "--owner", "1",   "--times",    times,
                                 "--only",  query, NULL };
    return run(argv);
}

static bool says(const char *words)
{
    bool found = strstr(output, words) != NULL;
    if (!found) {
        (void) printf("# not found: %s\n# in: %.2000s\n", words, output);
    }
    return found;
}

/* For what must go well: else it is shown what was said. */
static bool run_well(const char *const *argv)
{
    bool ok = run(argv) == 0;
    if (!ok) {
        (void) printf("# %s: %.2000s\n", argv[0], output);
    }
    return ok;
}

static bool change(const char *sql)
{
    const char *const argv[] = {
        "psql", url, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, NULL
    };
    return run_well(argv);
}

/* Vectors enough for the seeded mistake that computes all distances. */
static bool make_library(void)
{
    char assets[24];
    url = test_db_create();
    if (url == NULL) {
        return false;
    }
    (void) snprintf(assets, sizeof assets, "assets=%d", ASSETS);
    const char *const argv[] = { "psql", url,    "-X", "-q",
                                 "-v",   assets, "-f", TEST_SOURCE_ROOT "/bench/services-data.sql",
                                 NULL };
    return schema_apply(url, NULL) && run_well(argv) &&
           change("INSERT INTO embeddings (asset_id, owner_id, embedding, model_version)"
                  " SELECT asset_id, owner_id, array_fill(0.1::real, ARRAY[512])::halfvec,"
                  " 'clip-vit-base' FROM assets LIMIT 200; ANALYZE embeddings");
}

static void refuses_small(void)
{
    CHECK_INT(run_suite("1", "FilterAssets"), 1);
    CHECK(says("are too few to tell good plans from bad ones"));
}

static void refuses_unknown(void)
{
    CHECK_INT(run_suite("1000", "NoSuchQuery"), 1);
    CHECK(says("there is no query NoSuchQuery"));
}

static void passes_good(void)
{
    int good = 0;
    int all = -1;
    CHECK_INT(run_suite("1000", "FilterAssets"), 0);
    CHECK(sscanf(output, "%d of %d plans", &good, &all) == 2);
    CHECK(good == all && all > 100);
}

/* The order of a list has no index any more: all rows of the owner would be sorted. */
static void names_sorts(void)
{
    REQUIRE(change("DROP INDEX idx_assets_live_size"));
    CHECK_INT(run_suite("1000", "FilterAssets"), 1);
    CHECK(says("owner 1: FilterAssets, variant"));
    CHECK(says("by a.file_size"));
    CHECK(says("sorts "));
}

/* What an asset's thumbnails are found by is no index any more. */
static void names_reads(void)
{
    REQUIRE(change("ALTER TABLE thumbnails DROP CONSTRAINT thumbnails_asset_size_key;"
                   " DROP INDEX idx_thumbnails_owner"));
    CHECK_INT(run_suite("1000", "GetThumbnailsByAsset"), 1);
    CHECK(says("owner 1: GetThumbnailsByAsset ("));
    CHECK(says("reads thumbnails from end to end"));
}

static void scaling_changes_nothing(void)
{
    char state[6];
    char rows[32];
    pgc_conn *conn = schema_connect(url);
    REQUIRE(conn != NULL);
    schema_ask(conn, "SELECT reltuples::integer::text FROM pg_class WHERE oid = 'assets'::regclass",
               rows, sizeof rows, state);
    CHECK_INT(strtol(rows, NULL, 10), ASSETS);
    pgc_conn_close(conn);
}

static void library_is_made(void)
{
    CHECK(make_library());
}

static void library_is_dropped(void)
{
    test_db_drop(url);
}

TAP_MAIN(TAP("plan-suite: a library of 2,000 assets is made", library_is_made),
         TAP("plan-suite: a library that is too small to judge by is refused", refuses_small),
         TAP("plan-suite: a query that there is not is refused", refuses_unknown),
         TAP("plan-suite: good plans pass, and the seeded mistakes are seen", passes_good),
         TAP("plan-suite: a list without the index of its order is named", names_sorts),
         TAP("plan-suite: rows without the index that finds them are named", names_reads),
         TAP("plan-suite: a larger number of rows is forgotten again", scaling_changes_nothing),
         TAP("plan-suite: the library is dropped", library_is_dropped))
