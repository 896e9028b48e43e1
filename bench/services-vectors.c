/* Vectors for a library of many users, and how long searches take in it.
 *
 *     services-vectors fill URL [COUNT]     vectors for the assets that have none, then their graph
 *     services-vectors ask URL OWNER...     p50 and p95 of every way to search, as these users
 *
 * URL: a migrated database with assets, such as bench/services-data.sql makes; superuser. The
 * numbers come from a seed (tests/harness/vectors.h): the same for the same assets, always. */
#include "base/prelude.h"

#include <stdlib.h>

#include <pgc/pool.h>

#include "bench.h"
#include "embedded.h"
#include "service/search.h"

#define SEED    20251123
#define QUERIES 200

static int failed(const char *what, const pgc_error *err)
{
    (void) fprintf(stderr, "services-vectors: %s: %s\n", what, err->message);
    return 1;
}

/* Ids and owners into memory first: one connection cannot give rows and take them. */
static pgc_status assets_read(pgc_conn *conn, pgc_result **out, pgc_error *err)
{
    return pgc_conn_script(conn,
                           "SELECT a.asset_id, a.owner_id FROM assets a WHERE NOT EXISTS "
                           "(SELECT FROM embeddings e WHERE e.asset_id = a.asset_id) "
                           "ORDER BY a.asset_id",
                           0, out, err);
}

static pgc_status vectors_copy(pgc_conn *conn, vectors *g, pgc_result *assets, size_t count,
                               pgc_error *err)
{
    pgc_reader reader;
    embedded_stream stream;
    pgc_status status = embedded_begin(&stream, pgc_conn_db(conn), err);
    pgc_reader_init(&reader, assets, NULL);
    for (size_t i = 0; i < count && status == PGC_OK; i++) {
        float v[VECTORS_DIM];
        pgc_uuid id = pgc_read_uuid(&reader, i, 0);
        int32_t owner = pgc_read_i32(&reader, i, 1);
        vectors_image(g, owner, v);
        status = embedded_add(&stream, id, owner, v, err);
    }
    return embedded_end(&stream, status, err);
}

static int fill(const char *url, size_t most)
{
    pgc_error err;
    vectors g;
    pgc_conn *conn = NULL;
    pgc_result *assets = NULL;
    pgc_error_clear(&err);
    const pgc_conn_options options = { .struct_size = sizeof options, .conninfo = url };
    if (!vectors_open(&g, SEED) || pgc_conn_open(&options, &conn, &err) != PGC_OK ||
        assets_read(conn, &assets, &err) != PGC_OK) {
        return failed("read the assets", &err);
    }
    size_t count = pgc_result_rows(assets) < most ? pgc_result_rows(assets) : most;
    double begin = bench_now();
    if (pgc_conn_script(conn,
                        "SET session_replication_role = replica;"
                        "DROP INDEX IF EXISTS idx_embeddings_vector_1",
                        0, NULL, &err) != PGC_OK ||
        vectors_copy(conn, &g, assets, count, &err) != PGC_OK) {
        return failed("copy", &err);
    }
    (void) printf("%zu vectors in %.0f s\n", count, bench_now() - begin);
    begin = bench_now();
    if (pgc_conn_script(conn, "SET maintenance_work_mem = '3GB'", 0, NULL, &err) != PGC_OK ||
        pgc_conn_script(conn, "SELECT embedding_model_index('clip-vit-base')", 0, NULL, &err) !=
            PGC_OK ||
        pgc_conn_script(conn, "VACUUM ANALYZE embeddings", 0, NULL, &err) != PGC_OK) {
        return failed("build the graph", &err);
    }
    (void) printf("graph in %.0f s\n", bench_now() - begin);
    pgc_result_free(assets);
    pgc_conn_close(conn);
    vectors_close(&g);
    return 0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *) a;
    double y = *(const double *) b;
    return x < y ? -1 : x > y;
}

/* One way of searching, by one user. */
static bool measure(lum_actor actor, const char *name, lum_search_request request, vectors *g)
{
    static const char *const WORDS[] = { "beach", "img", "paris 2019", "dsc0", "wedding", "zebra" };
    static double ms[QUERIES];
    pgc_error err;
    size_t hits = 0;
    for (size_t i = 0; i < QUERIES + 20; i++) {
        float v[VECTORS_DIM];
        lum_search_page page = PGC_ZERO;
        vectors_text(g, v);
        request.query = WORDS[i % ARRAY_LEN(WORDS)];
        request.vector =
            request.by == LUM_SEARCH_MEANING || request.by == LUM_SEARCH_ALL ? v : NULL;
        double begin = bench_now();
        if (lum_search(actor, &request, &page, &err) != PGC_OK) {
            (void) failed(name, &err);
            return false;
        }
        if (i >= 20) { /* the first ones warm up */
            ms[i - 20] = (bench_now() - begin) * 1e3;
            hits += page.hits.count;
        }
        lum_search_page_free(&page);
    }
    qsort(ms, QUERIES, sizeof ms[0], by_value);
    (void) printf("%-28s %8.1f %8.1f ms  %6.1f hits\n", name, ms[QUERIES / 2],
                  ms[QUERIES * 95 / 100], (double) hits / QUERIES);
    return true;
}

static bool ask_as(pgc_pool *pool, int32_t owner, vectors *g)
{
    pgc_error err;
    lum_session *session = NULL;
    if (lum_session_open(pool, owner, &session, &err) != PGC_OK) {
        return failed("open a session", &err) == 0;
    }
    lum_actor actor = lum_session_actor(session);
    const struct {
        const char *name;
        lum_search_request request;
    } cases[] = {
        { "name", { .by = LUM_SEARCH_NAME, .limit = 50 } },
        { "text", { .by = LUM_SEARCH_TEXT, .limit = 50 } },
        { "meaning", { .by = LUM_SEARCH_MEANING, .limit = 10 } },
        { "meaning, liked",
          { .by = LUM_SEARCH_MEANING, .limit = 10, .filter = { .liked = { true, true } } } },
        { "meaning, video",
          { .by = LUM_SEARCH_MEANING, .limit = 10, .filter = { .asset_type = "video" } } },
        { "meaning, five stars",
          { .by = LUM_SEARCH_MEANING, .limit = 10, .filter = { .rating_least = { true, 5 } } } },
        { "all", { .by = LUM_SEARCH_ALL, .limit = 50 } },
    };
    bool good = true;
    (void) printf("user %" PRId32 "                            p50      p95\n", owner);
    for (size_t i = 0; i < ARRAY_LEN(cases) && good; i++) {
        good = measure(actor, cases[i].name, cases[i].request, g);
    }
    lum_session_close(session);
    return good;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "fill") == 0) {
        return fill(argv[2], argc > 3 ? strtoul(argv[3], NULL, 10) : SIZE_MAX);
    }
    if (argc < 4 || strcmp(argv[1], "ask") != 0) {
        (void) fprintf(stderr, "usage: services-vectors fill URL [COUNT] | ask URL OWNER...\n");
        return 2;
    }
    pgc_error err;
    vectors g;
    pgc_pool *pool = NULL;
    const pgc_pool_options options = {
        .struct_size = sizeof options,
        .conn = { .struct_size = sizeof options.conn, .conninfo = argv[2], .role = "lumilio_app" },
        .max_conns = 1
    };
    if (!vectors_open(&g, SEED + 1) || pgc_pool_open(&options, &pool, &err) != PGC_OK) {
        return failed("open a pool", &err);
    }
    bool good = true;
    for (int i = 3; i < argc && good; i++) {
        good = ask_as(pool, (int32_t) strtol(argv[i], NULL, 10), &g);
    }
    pgc_pool_close(pool);
    vectors_close(&g);
    return good ? 0 : 1;
}
