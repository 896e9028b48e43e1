/* Searches with random filters beside a naive evaluation in C over a small library: by name, by
 * text, by meaning along both ways, by all of it, and like a photo; which hits, in what order, page
 * by page. The vector of an asset follows from its number, so that C knows each distance. */
#include "base/prelude.h"

#include "filter_world.h"
#include "service/embedding.h"
#include "service/search.h"

#define DIM     LUM_EMBEDDING_DIM
#define FILTERS 120
#define SLACK   2e-3 /* of a distance: numbers are stored in halves */

typedef struct asked {
    const lum_filter *filter;
    const char *query; /* a word of small letters */
    size_t axis;       /* what the query means */
} asked;

static bool has_vector(int64_t n)
{
    return n % 11 != 0;
}

/* Two numbers of each vector are not the rest's: which, and how far it is turned from one to the
 * other. */
static const float *vector_of(int64_t n)
{
    static float v[DIM];
    double angle = 0.005 * (double) (n % 290);
    memset(v, 0, sizeof v);
    v[n % 7] = (float) cos(angle);
    v[7 + n % 5] = (float) sin(angle);
    return v;
}

static const float *meaning_of(size_t axis)
{
    static float v[DIM];
    memset(v, 0, sizeof v);
    v[axis] = 0.8f;
    v[(axis + 5) % 12] = 0.6f;
    return v;
}

static double distance_of(const float *a, int64_t n)
{
    const float *b = vector_of(n);
    double dot = 0;
    for (size_t i = 0; i < 12; i++) {
        dot += (double) a[i] * (double) b[i];
    }
    return 1 - dot;
}

static bool embed_all(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    bool good = true;
    for (size_t i = 0; good && i < all.count; i++) {
        int64_t n = all.rows[i].file_size;
        good =
            !has_vector(n) || CHECK_STATUS(lum_embedding_save(actor, all.rows[i].asset_id,
                                                              vector_of(n), DIM, NULL, NULL, &err),
                                           PGC_OK, &err);
    }
    return good;
}

static bool named(const asked *q, const repo_asset *a)
{
    return fits(q->filter, a) && contains(a->original_filename, pgc_text_from(q->query));
}

/* Words of name, description, camera and lens, of tags and of albums; the word may be cut off. */
static bool written(const asked *q, const repo_asset *a)
{
    static const slice ALBUMS[] = { SLICE("one"), SLICE("two") };
    slice word = pgc_text_from(q->query);
    lum_filter texts = { .words = word };
    bool found = fits_text(&texts, a) || has_word(a->camera_model, word, true);
    for (size_t i = 0; i < ARRAY_LEN(TAGS); i++) {
        found = found || (has_tag(a->file_size, TAGS[i]) && has_word(TAGS[i], word, true));
    }
    for (size_t i = 0; i < ARRAY_LEN(ALBUMS); i++) {
        found =
            found || (in_album(a->file_size, (int32_t) i + 1) && has_word(ALBUMS[i], word, true));
    }
    return found && fits(q->filter, a);
}

static bool meant(const asked *q, const repo_asset *a)
{
    return fits(q->filter, a) && has_vector(a->file_size);
}

typedef bool (*wanted)(const asked *q, const repo_asset *a);

static int64_t sort_at(const repo_asset *a)
{
    return a->taken_at.has ? a->taken_at.v.us : a->uploaded_at.us;
}

/* The newest first. */
static int compare_age(const void *left, const void *right)
{
    const repo_asset *a = *(const repo_asset *const *) left;
    const repo_asset *b = *(const repo_asset *const *) right;
    int64_t x = sort_at(a);
    int64_t y = sort_at(b);
    return x != y ? (x < y) - (x > y) : memcmp(&b->asset_id, &a->asset_id, sizeof a->asset_id);
}

static size_t naive(const asked *q, wanted is, const repo_asset *out[ASSETS])
{
    size_t count = 0;
    for (size_t i = 0; i < all.count; i++) {
        if (is(q, &all.rows[i])) {
            out[count++] = &all.rows[i];
        }
    }
    qsort(out, count, sizeof out[0], compare_age);
    return count;
}

/* By name or by text: the whole list in its order, by pages. */
static bool same_list(const asked *q, lum_search_by by, int32_t limit)
{
    const repo_asset *want[ASSETS];
    size_t want_count = naive(q, by == LUM_SEARCH_NAME ? named : written, want);
    size_t seen = 0;
    char next[LUM_SEARCH_CURSOR_SIZE] = "";
    lum_search_page page = PGC_ZERO;
    pgc_error err;
    pgc_error_clear(&err);
    bool good = true;
    do {
        const lum_search_request request = { .query = q->query,
                                             .by = by,
                                             .filter = q->filter,
                                             .limit = limit,
                                             .after = next[0] != '\0' ? next : NULL };
        good = CHECK_STATUS(lum_search(actor, &request, &page, &err), PGC_OK, &err);
        for (size_t i = 0; good && i < page.hits.count; i++, seen++) {
            good = CHECK(seen < want_count) &&
                   CHECK_INT(page.hits.rows[i].a.file_size, want[seen]->file_size);
        }
        (void) snprintf(next, sizeof next, "%s", page.next);
        lum_search_page_free(&page);
    } while (good && next[0] != '\0');
    return good && CHECK_INT(seen, want_count);
}

static int compare_number(const void *left, const void *right)
{
    double a = *(const double *) left;
    double b = *(const double *) right;
    return (a > b) - (a < b);
}

/* By meaning: as many as match, none that does not, the nearest first, each as far as C says. */
static bool same_nearest(const asked *q, int32_t limit, int32_t exact_most)
{
    const repo_asset *want[ASSETS];
    double distances[ASSETS];
    size_t want_count = naive(q, meant, want);
    const float *vector = meaning_of(q->axis);
    const lum_search_request request = { .vector = vector,
                                         .by = LUM_SEARCH_MEANING,
                                         .filter = q->filter,
                                         .limit = limit,
                                         .exact_most = exact_most };
    lum_search_page page = PGC_ZERO;
    pgc_error err;
    pgc_error_clear(&err);
    for (size_t i = 0; i < want_count; i++) {
        distances[i] = distance_of(vector, want[i]->file_size);
    }
    qsort(distances, want_count, sizeof distances[0], compare_number);
    bool good =
        CHECK_STATUS(lum_search(actor, &request, &page, &err), PGC_OK, &err) &&
        CHECK_INT(page.hits.count, want_count < (size_t) limit ? want_count : (size_t) limit);
    for (size_t i = 0; good && i < page.hits.count; i++) {
        const repo_search_hits_row *hit = &page.hits.rows[i];
        double own = distance_of(vector, hit->a.file_size);
        good = CHECK(meant(q, &hit->a)) && CHECK(fabs(hit->distance.v - own) < SLACK) &&
               CHECK(fabs(own - distances[i]) < SLACK) && CHECK_INT(hit->meaning_rank.v, i + 1);
    }
    lum_search_page_free(&page);
    return good;
}

/* By all: whatever one of the ways finds, with a rank of each that does and of no other. */
static bool same_fusion(const asked *q)
{
    const lum_search_request request = {
        .query = q->query, .vector = meaning_of(q->axis), .filter = q->filter, .limit = ASSETS
    };
    lum_search_page page = PGC_ZERO;
    pgc_error err;
    pgc_error_clear(&err);
    size_t want_count = 0;
    for (size_t i = 0; i < all.count; i++) {
        const repo_asset *a = &all.rows[i];
        want_count += named(q, a) || written(q, a) || meant(q, a) ? 1 : 0;
    }
    bool good = CHECK_STATUS(lum_search(actor, &request, &page, &err), PGC_OK, &err) &&
                CHECK_INT(page.hits.count, want_count);
    for (size_t i = 0; good && i < page.hits.count; i++) {
        const repo_search_hits_row *hit = &page.hits.rows[i];
        double score = (hit->name_rank.has ? 0.6 / (60 + hit->name_rank.v) : 0) +
                       (hit->text_rank.has ? 0.8 / (60 + hit->text_rank.v) : 0) +
                       (hit->meaning_rank.has ? 1.0 / (60 + hit->meaning_rank.v) : 0);
        good = CHECK(hit->name_rank.has == named(q, &hit->a)) &&
               CHECK(hit->text_rank.has == written(q, &hit->a)) &&
               CHECK(hit->text_score.has == hit->text_rank.has) &&
               CHECK(hit->meaning_rank.has == meant(q, &hit->a)) &&
               CHECK(fabs(hit->score - score) < 1e-9) &&
               CHECK(i == 0 || hit->score <= hit[-1].score);
    }
    lum_search_page_free(&page);
    return good;
}

/* Like a photo: all others of the filter that have a vector. */
static bool same_likeness(const asked *q, const repo_asset *one)
{
    const lum_search_request request = { .like_asset_id = { true, one->asset_id },
                                         .filter = q->filter,
                                         .limit = ASSETS };
    lum_search_page page = PGC_ZERO;
    pgc_error err;
    pgc_error_clear(&err);
    const repo_asset *want[ASSETS];
    size_t want_count = naive(q, meant, want) - (meant(q, one) ? 1 : 0);
    float vector[DIM];
    memcpy(vector, vector_of(one->file_size), sizeof vector);
    bool good = CHECK_STATUS(lum_search(actor, &request, &page, &err), PGC_OK, &err) &&
                CHECK_INT(page.hits.count, want_count);
    for (size_t i = 0; good && i < page.hits.count; i++) {
        const repo_search_hits_row *hit = &page.hits.rows[i];
        good = CHECK(meant(q, &hit->a)) && CHECK(hit->a.file_size != one->file_size) &&
               CHECK(fabs(hit->distance.v - distance_of(vector, hit->a.file_size)) < SLACK);
    }
    lum_search_page_free(&page);
    return good;
}

static const char *const WORDS[] = { "beach", "sea",   "canon", "zoo",   "img",
                                     "stone", "alpha", "gamm",  "each",  "one",
                                     "rare",  "nikon", "jpg",   "zebra", "ston" };

static void random_filters_find_what_plain_c_finds(void)
{
    const char *wish = getenv("SEARCH_SEED");
    uint64_t dice = wish != NULL ? strtoull(wish, NULL, 10) : 20261123;
    (void) printf("# SEARCH_SEED=%" PRIu64 "\n", dice);
    size_t wrong = 0;
    size_t found = 0;
    for (int i = 0; i < FILTERS && wrong < 3; i++) {
        const lum_filter f = random_filter(&dice);
        const asked q = { &f, WORDS[random_below(&dice, ARRAY_LEN(WORDS))],
                          random_below(&dice, 12) };
        int32_t limit = 1 + (int32_t) random_below(&dice, 120);
        const repo_asset *want[ASSETS];
        found += naive(&q, meant, want);
        const repo_asset *one = &all.rows[random_below(&dice, all.count)];
        bool good = same_list(&q, LUM_SEARCH_NAME, limit) &&
                    same_list(&q, LUM_SEARCH_TEXT, limit) && same_nearest(&q, limit, 0) &&
                    same_nearest(&q, limit, 1) && same_fusion(&q) &&
                    (!has_vector(one->file_size) || same_likeness(&q, one));
        if (!good) {
            (void) printf("# filter %d, \"%s\", axis %zu, pages of %d\n", i, q.query, q.axis,
                          (int) limit);
            wrong++;
        }
    }
    CHECK(found > FILTERS); /* most filters leave something */
}

static void no_filter_is_every_asset(void)
{
    static const lum_filter NONE;
    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
        const asked q = { i % 2 == 0 ? NULL : &NONE, WORDS[i], i % 12 };
        const asked same = { &NONE, WORDS[i], i % 12 };
        lum_search_page page = PGC_ZERO;
        pgc_error err;
        pgc_error_clear(&err);
        const repo_asset *want[ASSETS];
        const lum_search_request request = {
            .query = q.query, .by = LUM_SEARCH_TEXT, .filter = q.filter, .limit = ASSETS
        };
        REQUIRE_OK(lum_search(actor, &request, &page, &err), &err);
        CHECK_INT(page.hits.count, naive(&same, written, want));
        lum_search_page_free(&page);
        (void) same_fusion(&same);
    }
}

/* Without the server that makes vectors: names and texts, still filtered, and the reason. */
static void without_the_embedder_filters_still_hold(void)
{
    uint64_t dice = 7;
    ml_options options = { .api = ML_API_IMMICH, .url = "http://127.0.0.1:1", .tries = 1 };
    ml_embedder *away = NULL;
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE_OK(ml_open(NULL, &options, &away, &err), &err);
    for (int i = 0; i < 20; i++) {
        const lum_filter f = random_filter(&dice);
        const asked q = { &f, WORDS[random_below(&dice, ARRAY_LEN(WORDS))], 0 };
        const lum_search_request request = {
            .query = q.query, .embedder = away, .filter = &f, .limit = ASSETS
        };
        lum_search_page page = PGC_ZERO;
        size_t want_count = 0;
        for (size_t k = 0; k < all.count; k++) {
            want_count += named(&q, &all.rows[k]) || written(&q, &all.rows[k]) ? 1 : 0;
        }
        REQUIRE_OK(lum_search(actor, &request, &page, &err), &err);
        CHECK_INT(page.hits.count, want_count);
        CHECK(strstr(page.without_meaning, "127.0.0.1") != NULL);
        lum_search_page_free(&page);
    }
    ml_close(away);
}

static const tap_case CASES[] = {
    TAP("searches without a filter find every asset", no_filter_is_every_asset),
    TAP("random filters find what plain C finds, every way",
        random_filters_find_what_plain_c_finds),
    TAP("filters hold while the embedding server is away", without_the_embedder_filters_still_hold),
};

int main(void)
{
    if (!world_fill() || !embed_all()) {
        (void) printf("Bail out! no library\n");
        return 1;
    }
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    world_remove();
    return code;
}
