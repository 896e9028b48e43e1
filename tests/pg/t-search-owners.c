/* Whether a search by meaning depends on what other owners have. Ann asks alone; then Bob comes
 * with photos that lie nearer to every question than hers, and she asks again. Where all distances
 * are computed the answers are the same to the last bit. Where the graph is walked, which all
 * owners share, it may choose other ones of hers: they are hers, each once, with their true
 * distances in order, and as many as were asked for. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "embedded.h"
#include "person.h"
#include "schema.h"
#include "service/search.h"
#include "tap.h"

#define SPREAD    600 /* of Ann, in clusters */
#define EQUAL     300 /* of Ann, one picture: more than the 200 that a first page looks at */
#define ANNS      (SPREAD + EQUAL)
#define BOBS      2000
#define BOB_FIRST 5000
#define QUERIES   12
#define PAGE      20
#define SEED      20251124
#define GRAPH     1 /* for exact_most: whoever has more than one photo gets the graph */

static test_library lib;
static pgc_conn *root; /* superuser: fills behind the services */
static person ann, bob;
static vectors generator;
static float queries[QUERIES][VECTORS_DIM];
static float same_picture[VECTORS_DIM];

typedef struct answer {
    size_t count;
    uint32_t number[LUM_PAGE_MAX];
    double distance[LUM_PAGE_MAX], score[LUM_PAGE_MAX];
    int32_t rank[LUM_PAGE_MAX];
    char route[32];
} answer;

static answer alone[QUERIES]; /* before Bob came */

/* To the last bit. */
static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void ask(const float *query, const lum_search_request *how, answer *out)
{
    pgc_error err;
    pgc_error_clear(&err);
    lum_search_page page = PGC_ZERO;
    lum_search_request request = *how;
    request.vector = query;
    request.by = LUM_SEARCH_MEANING;
    memset(out, 0, sizeof *out);
    REQUIRE_OK(lum_search(ann.actor, &request, &page, &err), &err);
    out->count = page.hits.count;
    for (size_t i = 0; i < out->count; i++) {
        const repo_search_hits_row *row = &page.hits.rows[i];
        out->number[i] = embedded_number(&row->a.asset_id);
        out->distance[i] = row->distance.v;
        out->score[i] = row->score;
        out->rank[i] = row->meaning_rank.v;
        CHECK_INT(row->a.owner_id, ann.id);
    }
    (void) snprintf(out->route, sizeof out->route, "%" SLICE_FMT,
                    SLICE_ARG(out->count > 0 ? page.hits.rows[0].route : SLICE("")));
    lum_search_page_free(&page);
}

/* Every third of Ann's is liked, and one in a hundred has stars. */
static bool add_assets(int32_t owner_id, uint32_t first, uint32_t count)
{
    char sql[640];
    char got[64];
    char state[6];
    (void) snprintf(
        sql, sizeof sql,
        "INSERT INTO assets (asset_id, original_filename, file_path, file_size, "
        "file_hash, asset_type, owner_id, uploaded_at, liked, rating) SELECT " EMBEDDED_ID_SQL
        ", i || '.jpg', i, 1, i, 'photo', %d, timestamptz "
        "'2020-01-01' + i * interval '1 minute', i %% 3 = 0, CASE WHEN i %% 100 = 0 "
        "THEN 5 END FROM generate_series(%u, %u) i",
        (int) owner_id, (unsigned) first, (unsigned) (first + count - 1));
    schema_ask(root, sql, got, sizeof got, state);
    return CHECK_STR(state, "");
}

/* Equal ones lie in the table the other way round than their ids. */
static pgc_status add_equal(pgc_error *err)
{
    embedded_stream stream;
    pgc_status status = embedded_begin(&stream, pgc_conn_db(root), err);
    for (uint32_t i = ANNS; i > SPREAD && status == PGC_OK; i--) {
        status = embedded_add(&stream, embedded_id(i - 1), ann.id, same_picture, err);
    }
    return embedded_end(&stream, status, err);
}

static void near_to(const float *query, float *out)
{
    float noise[VECTORS_DIM];
    memcpy(out, query, VECTORS_DIM * sizeof *out);
    vectors_noise(&generator, 0.05F, noise);
    vectors_add(out, noise);
    vectors_unit(out);
}

static pgc_status add_bobs(pgc_error *err)
{
    float v[VECTORS_DIM];
    embedded_stream stream;
    pgc_status status = embedded_begin(&stream, pgc_conn_db(root), err);
    for (uint32_t i = 0; i < BOBS && status == PGC_OK; i++) {
        near_to(i % (QUERIES + 1) < QUERIES ? queries[i % (QUERIES + 1)] : same_picture, v);
        status = embedded_add(&stream, embedded_id(BOB_FIRST + i), bob.id, v, err);
    }
    return embedded_end(&stream, status, err);
}

static void begins(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    (void) printf("# seed %d\n", SEED);
    REQUIRE(CHECK(vectors_open(&generator, SEED)));
    REQUIRE(person_make(&lib, &ann, "ann") && person_make(&lib, &bob, "bob"));
    for (size_t i = 0; i < QUERIES; i++) {
        vectors_text(&generator, queries[i]);
    }
    vectors_image(&generator, 0, same_picture);
    const embedded_plan plan = { .generator = &generator, .count = SPREAD, .owner_id = ann.id };
    REQUIRE(add_assets(ann.id, 0, ANNS));
    REQUIRE_OK(embedded_copy(pgc_conn_db(root), &plan, &err), &err);
    REQUIRE_OK(add_equal(&err), &err);
    REQUIRE_OK(pgc_conn_script(root, "ANALYZE", 0, NULL, &err), &err);
    for (size_t i = 0; i < QUERIES; i++) {
        ask(queries[i], &(lum_search_request) { .limit = LUM_PAGE_MAX }, &alone[i]);
        CHECK_INT(alone[i].count, ANNS);
        CHECK_STR(alone[i].route, "exact");
    }
}

/* Which of them the limit cuts off is said by their ids, not by where they lie. */
static void of_equal_ones_the_lowest_ids_come(void)
{
    static answer got;
    static const lum_filter LIKED = { .liked = { true, true } };
    const lum_filter *const filters[] = { NULL, &LIKED };
    for (size_t k = 0; k < ARRAY_LEN(filters); k++) {
        uint32_t step = filters[k] == &LIKED ? 3 : 1;
        ask(same_picture, &(lum_search_request) { .limit = PAGE, .filter = filters[k] }, &got);
        CHECK_INT(got.count, PAGE);
        CHECK_STR(got.route, "exact");
        for (uint32_t i = 0; i < got.count; i++) {
            CHECK_INT(got.number[i], SPREAD + i * step);
            CHECK(same(got.distance[i], got.distance[0]));
        }
    }
}

static void bob_comes(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE(add_assets(bob.id, BOB_FIRST, BOBS));
    REQUIRE_OK(add_bobs(&err), &err);
    REQUIRE_OK(pgc_conn_script(root, "ANALYZE", 0, NULL, &err), &err);
}

static void what_is_computed_does_not_depend_on_others(void)
{
    static answer got;
    bob_comes();
    for (size_t i = 0; i < QUERIES; i++) {
        ask(queries[i], &(lum_search_request) { .limit = LUM_PAGE_MAX }, &got);
        CHECK(memcmp(&got, &alone[i], sizeof got) == 0);
    }
    of_equal_ones_the_lowest_ids_come();
}

/* What is promised of the graph's choice; `most`: how many of Ann's pass the filter. */
static void check_promise(const answer *got, const answer *all, size_t limit, size_t most)
{
    static bool seen[ANNS];
    memset(seen, 0, sizeof seen);
    CHECK_INT(got->count, limit < most ? limit : most);
    for (size_t i = 0; i < got->count; i++) {
        uint32_t number = got->number[i];
        size_t at = 0;
        while (at < all->count && all->number[at] != number) {
            at++;
        }
        if (!CHECK(at < all->count && !seen[number])) {
            return;
        }
        seen[number] = true;
        CHECK(same(got->distance[i], all->distance[at]));
        CHECK_INT(got->rank[i], i + 1);
        CHECK(same(got->score[i], all->score[i])); /* says the rank and nothing else */
        CHECK(i == 0 || got->distance[i - 1] < got->distance[i] ||
              (same(got->distance[i - 1], got->distance[i]) && got->number[i - 1] < number));
    }
}

static void the_graph_gives_own_photos_with_true_distances(void)
{
    static answer got;
    static const lum_filter LIKED = { .liked = { true, true } };
    static const lum_filter STARRED = { .rating_min = { true, 5 } };
    const struct {
        const lum_filter *filter;
        size_t limit, most;
    } asked[] = { { NULL, PAGE, ANNS },
                  { NULL, LUM_PAGE_MAX, ANNS },
                  { &LIKED, PAGE, ANNS / 3 },
                  { &LIKED, 100, ANNS / 3 },
                  { &STARRED, PAGE, ANNS / 100 } };
    size_t walked = 0;
    for (size_t k = 0; k < ARRAY_LEN(asked); k++) {
        for (size_t i = 0; i < QUERIES; i++) {
            ask(queries[i],
                &(lum_search_request) { .filter = asked[k].filter,
                                        .limit = (int32_t) asked[k].limit,
                                        .exact_most = GRAPH },
                &got);
            check_promise(&got, &alone[i], asked[k].limit, asked[k].most);
            walked += strcmp(got.route, "index") == 0 ? 1 : 0;
        }
    }
    (void) printf("# %zu answers by the graph alone\n", walked);
    CHECK(walked > 0);
}

static void ends(void)
{
    person_done(&ann);
    person_done(&bob);
    vectors_close(&generator);
    CHECK(root != NULL);
}

static const tap_case CASES[] = {
    TAP("search of owners: Ann has photos, and asks", begins),
    TAP("search of owners: of equal ones the lowest ids come", of_equal_ones_the_lowest_ids_come),
    TAP("search of owners: computed answers do not depend on others",
        what_is_computed_does_not_depend_on_others),
    TAP("search of owners: the graph gives own photos, true distances, as many as asked for",
        the_graph_gives_own_photos_with_true_distances),
    TAP("search of owners: all is closed", ends),
};

LIBRARY_MAIN(lib, root, CASES)
