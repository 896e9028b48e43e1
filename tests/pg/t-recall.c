/* What a search by meaning finds, beside all distances computed: 20,000 pictures from a seed, asked
 * for in words, which lie elsewhere than pictures (that is what makes graphs miss). And that no
 * filter, however narrow, leaves fewer rows than there are. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "embedded.h"
#include "person.h"
#include "schema.h"
#include "service/embedding.h"
#include "service/search.h"
#include "tap.h"

#define COUNT   20000
#define QUERIES 100
#define K       10
#define SEED    20251123

static test_library lib;
static person owner;
static vectors generator;
static float (*pictures)[VECTORS_DIM];
static uint8_t *same_cluster; /* the picture is of a frequent cluster */
static float queries[QUERIES][VECTORS_DIM];

/* Shares of the rows by a number's hash: 2, 20, 200, 2,000 rows, half, and what lies together. */
static const char ROWS_SQL[] =
    "SET session_replication_role = replica;"
    "INSERT INTO assets (asset_id, original_filename, file_path, file_size, file_hash, asset_type, "
    "owner_id, uploaded_at, camera_model, liked) SELECT " EMBEDDED_ID_SQL ", i || '.jpg', i, 1, i, "
    "'photo', (SELECT user_id FROM users WHERE username = 'recall'), timestamptz '2020-01-01' + i "
    "* "
    "interval '1 minute', CASE WHEN h < 2 THEN 'hundredth of a percent' WHEN h < 22 THEN 'tenth of "
    "a percent' WHEN h < 222 THEN 'percent' WHEN h < 2222 THEN 'ten percent' ELSE 'others' END, "
    "h % 2 = 0 FROM (SELECT i, (i::bigint * 7919) % 20000 AS h FROM generate_series(0, 19999) i) n;"
    "DROP INDEX idx_embeddings_vector_1";

static void note(uint32_t i, const float *v, int cluster)
{
    memcpy(pictures[i], v, sizeof pictures[i]);
    same_cluster[i] = cluster < 40;
}

static bool load(pgc_conn *conn)
{
    pgc_error err;
    pgc_error_clear(&err);
    const embedded_plan plan = {
        .generator = &generator, .count = COUNT, .owner_id = owner.id, .note = note
    };
    bool good = pgc_conn_script(conn, ROWS_SQL, 0, NULL, &err) == PGC_OK &&
                embedded_copy(pgc_conn_db(conn), &plan, &err) == PGC_OK &&
                pgc_conn_script(conn,
                                "SET maintenance_work_mem = '128MB';"
                                "SELECT embedding_model_index('clip-vit-base')",
                                0, NULL, &err) == PGC_OK &&
                pgc_conn_script(conn, "VACUUM ANALYZE embeddings", 0, NULL, &err) == PGC_OK &&
                pgc_conn_script(conn, "VACUUM ANALYZE assets", 0, NULL, &err) == PGC_OK;
    if (!good) {
        (void) printf("# %s\n", err.message);
    }
    return good;
}

static void begins(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    (void) printf("# seed %d\n", SEED);
    pictures = malloc(COUNT * sizeof *pictures);
    same_cluster = calloc(COUNT, 1);
    REQUIRE(CHECK(pictures != NULL && same_cluster != NULL && vectors_open(&generator, SEED)));
    REQUIRE(CHECK(test_library_make(&lib)));
    REQUIRE(CHECK_STATUS(test_library_open(&lib, &err) ? PGC_OK : err.status, PGC_OK, &err));
    REQUIRE(person_make(&lib, &owner, "recall"));
    pgc_conn *conn = schema_connect(lib.url);
    REQUIRE(conn != NULL);
    CHECK(load(conn));
    pgc_conn_close(conn);
    for (size_t i = 0; i < QUERIES; i++) {
        vectors_text(&generator, queries[i]);
    }
}

static void ends(void)
{
    person_done(&owner);
    test_library_remove(&lib);
    vectors_close(&generator);
    free(pictures);
    free(same_cluster);
    CHECK(lib.library == NULL);
}

typedef struct answer {
    size_t count;
    uint32_t number[LUM_PAGE_MAX];
    double distance[LUM_PAGE_MAX];
    char route[32];
} answer;

static void ask(const float *query, const lum_filter *filter, int32_t limit, int32_t exact_most,
                answer *out)
{
    pgc_error err;
    pgc_error_clear(&err);
    lum_search_page page = PGC_ZERO;
    const lum_search_request request = { .vector = query,
                                         .by = LUM_SEARCH_MEANING,
                                         .filter = filter,
                                         .limit = limit,
                                         .exact_most = exact_most };
    out->count = 0;
    REQUIRE_OK(lum_search(owner.actor, &request, &page, &err), &err);
    out->count = page.hits.count;
    for (size_t i = 0; i < out->count; i++) {
        out->number[i] = embedded_number(&page.hits.rows[i].a.asset_id);
        out->distance[i] = page.hits.rows[i].distance.v;
    }
    (void) snprintf(out->route, sizeof out->route, "%" SLICE_FMT,
                    SLICE_ARG(out->count > 0 ? page.hits.rows[0].route : SLICE("")));
    lum_search_page_free(&page);
}

/* Of the right ones, how many are in the answer. */
static size_t shared(const answer *right, const answer *got)
{
    size_t found = 0;
    for (size_t i = 0; i < right->count; i++) {
        for (size_t k = 0; k < got->count; k++) {
            found += right->number[i] == got->number[k] ? 1 : 0;
        }
    }
    return found;
}

static double recall(const lum_filter *filter, int32_t limit, size_t want, size_t queried)
{
    static answer right;
    static answer got;
    size_t found = 0;
    for (size_t i = 0; i < queried; i++) {
        ask(queries[i], filter, limit, INT32_MAX, &right);
        ask(queries[i], filter, limit, 1, &got);
        CHECK_INT(right.count, want);
        CHECK_INT(got.count, want);
        found += shared(&right, &got);
    }
    return (double) found / (double) (want * queried);
}

static void the_graph_finds_what_texts_ask_for(void)
{
    const lum_filter none = { .words = { 0 } };
    static answer got;
    ask(queries[0], &none, K, 1, &got);
    CHECK_STR(got.route, "index");
    double ten = recall(&none, K, K, QUERIES);
    double hundred = recall(&none, 100, 100, 20);
    (void) printf("# recall@10 %.4f, recall@100 %.4f\n", ten, hundred);
    CHECK(ten >= 0.97);
    CHECK(hundred >= 0.95);
}

/* Nearest by brute force in this process, on the numbers as they are stored. */
static void brute(const float *query, answer *out)
{
    static double distance[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        double dot = 0;
        double norm = 0;
        for (size_t k = 0; k < VECTORS_DIM; k++) {
            double x = (double) pgc_half_to_float(pgc_half_from_float(pictures[i][k]));
            dot += x * (double) query[k];
            norm += x * x;
        }
        distance[i] = 1 - dot / sqrt(norm);
    }
    for (out->count = 0; out->count < K; out->count++) {
        size_t best = 0;
        for (size_t i = 1; i < COUNT; i++) {
            best = distance[i] < distance[best] ? i : best;
        }
        out->number[out->count] = (uint32_t) best;
        out->distance[out->count] = distance[best];
        distance[best] = INFINITY;
    }
}

static void the_exact_way_is_that_of_brute_force(void)
{
    static answer right;
    static answer got;
    const lum_filter none = { .words = { 0 } };
    for (size_t i = 0; i < 5; i++) {
        brute(queries[i], &right);
        ask(queries[i], &none, K, INT32_MAX, &got);
        REQUIRE(CHECK_INT(got.count, K));
        CHECK_STR(got.route, "exact");
        for (size_t k = 0; k < K; k++) { /* equal but for those that are as near */
            CHECK(fabs(right.distance[k] - got.distance[k]) < 1e-3);
            CHECK(k == 0 || got.distance[k] >= got.distance[k - 1]);
        }
        CHECK(shared(&right, &got) >= K - 1);
    }
}

static const struct {
    const char *camera;
    size_t rows;
} SHARES[] = {
    { "hundredth of a percent", 2 },
    { "tenth of a percent", 20 },
    { "percent", 200 },
    { "ten percent", 2000 },
};

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* With the router as it is shipped, and by the graph alone, which must notice that it came back
 * with too little. */
static void no_filter_leaves_fewer_rows_than_match(void)
{
    static const int32_t LIMITS[] = { 1, 10, 100, 1000 };
    static answer got;
    for (size_t i = 0; i < ARRAY_LEN(SHARES); i++) {
        const lum_filter filter = { .camera_model = pgc_text_from(SHARES[i].camera) };
        for (size_t k = 0; k < ARRAY_LEN(LIMITS); k++) {
            size_t want = least((size_t) LIMITS[k], SHARES[i].rows);
            ask(queries[k], &filter, LIMITS[k], 0, &got);
            CHECK_INT(got.count, want);
            CHECK_STR(got.route, "exact");
            ask(queries[k], &filter, LIMITS[k], 1, &got);
            CHECK_INT(got.count, want);
        }
        double found = recall(&filter, K, least(K, SHARES[i].rows), 8);
        (void) printf("# %s: recall %.3f\n", SHARES[i].camera, found);
        CHECK(found >= 0.97);
    }
    const lum_filter half = { .liked = { true, true } };
    double found = recall(&half, K, K, 30);
    (void) printf("# half: recall %.3f\n", found);
    CHECK(found >= 0.97);
}

/* A filter that goes along with what is in the pictures, asked for from outside of it. */
static void what_lies_together_is_found_as_well(void)
{
    static answer got;
    char sql[256];
    size_t matches = 0;
    pgc_conn *conn = schema_connect(lib.url);
    REQUIRE(conn != NULL);
    pgc_error err;
    pgc_error_clear(&err);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (same_cluster[i] != 0) {
            char id[PGC_UUID_TEXT_SIZE];
            pgc_uuid asset_id = embedded_id(i);
            pgc_uuid_format(&asset_id, id);
            (void) snprintf(sql, sizeof sql,
                            "UPDATE assets SET is_raw = true WHERE asset_id = '%s'", id);
            matches++;
            REQUIRE_OK(pgc_conn_script(conn, sql, 0, NULL, &err), &err);
        }
    }
    pgc_conn_close(conn);
    const lum_filter raw = { .is_raw = { true, true } };
    (void) printf("# %zu match\n", matches);
    for (size_t i = 0; i < 20; i++) {
        ask(queries[i], &raw, K, 1, &got);
        CHECK_INT(got.count, least(K, matches));
        ask(queries[i], &raw, K, 0, &got);
        CHECK_INT(got.count, least(K, matches));
    }
}

/* The statement of the graph uses the graph and reads little; that of the exact way does not. */
static void the_graph_is_used_when_it_should_be(void)
{
    char sql[1024];
    char got[128];
    char state[6];
    pgc_conn *conn = schema_connect(lib.url);
    REQUIRE(conn != NULL);
    for (int exact = 1; exact >= 0; exact--) { /* counts of a session add up */
        (void) snprintf(
            sql, sizeof sql,
            "BEGIN; SET LOCAL app.user_id = '%" PRId32 "'; SELECT count(*) FROM search_hits(NULL, "
            "(SELECT embedding FROM embeddings LIMIT 1), NULL, "
            "jsonb_populate_record(NULL::search_filter, '%s'), 4, 200, 10, "
            "NULL, NULL, NULL, %d); SELECT pg_stat_get_xact_numscans(i) || CASE WHEN "
            "pg_stat_get_xact_tuples_fetched(i) < 5000 THEN ' few' ELSE ' many' END FROM "
            "(SELECT 'idx_embeddings_vector_1'::regclass::oid AS i) one",
            owner.id, "{\"liked\": true}", exact == 1 ? 20000 : 1);
        schema_ask(conn, sql, got, sizeof got, state);
        CHECK_STR(state, "");
        CHECK_STR(got, exact == 1 ? "0 few" : "1 few");
        schema_ask(conn, "ROLLBACK", got, sizeof got, state);
    }
    pgc_conn_close(conn);
}

TAP_MAIN(TAP("recall: 20,000 pictures are loaded and indexed", begins),
         TAP("recall: the graph finds 97 % of what texts ask for",
             the_graph_finds_what_texts_ask_for),
         TAP("recall: the exact way is that of brute force", the_exact_way_is_that_of_brute_force),
         TAP("recall: no filter leaves fewer rows than match",
             no_filter_leaves_fewer_rows_than_match),
         TAP("recall: nor one that lies together", what_lies_together_is_found_as_well),
         TAP("recall: the graph is used when it should be", the_graph_is_used_when_it_should_be),
         TAP("recall: the library is removed", ends))
