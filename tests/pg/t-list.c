/* Lists of assets on a real server: random filters and orders beside a naive evaluation in C over a
 * small library, read in pages of random size; pages while others insert; cursors; wrong filters;
 * candidates of ranges, counted. */
#include "base/prelude.h"

#include "filter_world.h"
#include "service/list.h"

#define FILTERS 400 /* random ones */

static lum_sort sort_now;

static int order_i64(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_rows(const void *left, const void *right)
{
    const repo_asset *a = *(const repo_asset *const *) left;
    const repo_asset *b = *(const repo_asset *const *) right;
    int64_t a_wall = a->taken_local.has ? a->taken_local.v.us : a->uploaded_at.us;
    int64_t b_wall = b->taken_local.has ? b->taken_local.v.us : b->uploaded_at.us;
    int order = 0;
    char a_name[300];
    char b_name[300];
    switch ((int) sort_now / 2) {
    case 0:
        order = order_i64(a_wall, b_wall);
        break;
    case 1:
        order = order_i64(a->uploaded_at.us, b->uploaded_at.us);
        break;
    case 2:
        (void) snprintf(a_name, sizeof a_name, "%" SLICE_FMT, SLICE_ARG(a->original_filename));
        (void) snprintf(b_name, sizeof b_name, "%" SLICE_FMT, SLICE_ARG(b->original_filename));
        for (size_t i = 0; a_name[i] != '\0'; i++) {
            a_name[i] = (char) tolower((unsigned char) a_name[i]);
        }
        for (size_t i = 0; b_name[i] != '\0'; i++) {
            b_name[i] = (char) tolower((unsigned char) b_name[i]);
        }
        order = strcmp(a_name, b_name);
        break;
    case 3:
        order = order_i64(a->file_size, b->file_size);
        break;
    default:
        order = order_i64(a->rating.has ? a->rating.v : 0, b->rating.has ? b->rating.v : 0);
        order = order != 0 ? order : order_i64(a_wall, b_wall);
    }
    order = order != 0 ? order : memcmp(&a->asset_id, &b->asset_id, sizeof a->asset_id);
    return (int) sort_now % 2 == 0 ? -order : order;
}

/* All pages of a filter beside what C finds; says what differs. */
static bool same_as_naive(const lum_filter *f, lum_sort sort, int32_t limit)
{
    const repo_asset *want[ASSETS];
    size_t want_count = 0;
    size_t seen = 0;
    lum_asset_page page = { .total = 0 };
    pgc_error err;
    pgc_error_clear(&err);
    for (size_t i = 0; i < all.count; i++) {
        if (fits(f, &all.rows[i])) {
            want[want_count++] = &all.rows[i];
        }
    }
    sort_now = sort;
    qsort(want, want_count, sizeof want[0], compare_rows);
    char next[LUM_CURSOR_SIZE] = "";
    bool good = true;
    do {
        const lum_list list = { .filter = f,
                                .sort = sort,
                                .limit = limit,
                                .want_total = true,
                                .cursor =
                                    next[0] != '\0' ? pgc_text_from(next) : (pgc_text) { 0 } };
        good = CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_OK, &err) &&
               CHECK_INT(page.total, want_count);
        for (size_t i = 0; good && i < page.assets.count; i++, seen++) {
            good = CHECK(seen < want_count) &&
                   CHECK_INT(page.assets.rows[i].file_size, want[seen]->file_size);
        }
        (void) snprintf(next, sizeof next, "%s", page.next);
        lum_asset_page_free(&page);
    } while (good && next[0] != '\0');
    return good && CHECK_INT(seen, want_count);
}

static void random_filters_find_what_plain_c_finds(void)
{
    const char *wish = getenv("LIST_SEED");
    uint64_t dice = wish != NULL ? strtoull(wish, NULL, 10) : 20241123;
    (void) printf("# LIST_SEED=%" PRIu64 "\n", dice);
    size_t wrong = 0;
    for (int i = 0; i < FILTERS && wrong < 3; i++) {
        const lum_filter f = random_filter(&dice);
        lum_sort sort = (lum_sort) random_below(&dice, 10);
        int32_t limit = 1 + (int32_t) random_below(&dice, 120);
        if (!same_as_naive(&f, sort, limit)) {
            (void) printf("# filter %d, order %d, pages of %d\n", i, (int) sort, (int) limit);
            wrong++;
        }
    }
}

static void every_order_gives_each_asset_once(void)
{
    const lum_filter everything = { 0 };
    for (int sort = 0; sort < 10; sort++) {
        (void) same_as_naive(&everything, (lum_sort) sort, 7);
    }
}

/* Lists of a kind or a time have statements of their own; the widest condition that those do not
 * know sends the same list to the general one. */
static void frequent_lists_are_those_of_the_general_statement(void)
{
    static const char *const KINDS[] = { "photo", "video", "audio" };
    for (int sort = 0; sort < 10; sort++) {
        lum_filter f = { .asset_type = pgc_text_from(KINDS[sort % 3]) };
        (void) same_as_naive(&f, (lum_sort) sort, 11);
        f.rating_min = (pgc_opt_i32) { true, 0 };
        (void) same_as_naive(&f, (lum_sort) sort, 11);
    }
    const int64_t first = all.rows[0].captured_local.us;
    for (int64_t days = 1; days < 4000; days *= 7) {
        const lum_filter period = {
            .taken_from = { .has = true, .us = first - days * INT64_C(86400000000) },
            .taken_before = { .has = true, .us = first + days * INT64_C(86400000000) },
        };
        (void) same_as_naive(&period, LUM_SORT_TAKEN, 5);
    }
}

/* New assets before, behind and between: what was there is seen once, nothing twice. */
static void pages_are_stable_while_others_insert(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    bool seen[ASSETS] = { false };
    lum_asset_page page = { .total = 0 };
    char next[LUM_CURSOR_SIZE] = "";
    size_t old = 0;
    int round = 0;
    do {
        const lum_list list = { .sort = LUM_SORT_TAKEN,
                                .limit = 20,
                                .cursor =
                                    next[0] != '\0' ? pgc_text_from(next) : (pgc_text) { 0 } };
        REQUIRE_OK(lum_asset_filter(actor, &list, &page, &err), &err);
        for (size_t i = 0; i < page.assets.count; i++) {
            int64_t n = page.assets.rows[i].file_size;
            if (n < ASSETS) {
                CHECK(!seen[n]);
                seen[n] = true;
                old++;
            }
        }
        (void) snprintf(next, sizeof next, "%s", page.next);
        lum_asset_page_free(&page);
        REQUIRE(
            script("INSERT INTO assets (original_filename, file_path, file_size, file_hash, "
                   "asset_type, owner_id, uploaded_at, taken_at, taken_local, taken_source) "
                   "SELECT 'new', 'n', 100000 + @count * 10 + n, 'n', 'photo', @me, now(), t, t "
                   "AT TIME ZONE 'UTC', 'exif' FROM (SELECT n, timestamptz '2024-01-01Z' + "
                   "interval '13 hours' * ((@count * 10 + n) * 7 % 300) AS t FROM "
                   "generate_series(0, 9) n) x",
                   me, round++));
    } while (next[0] != '\0');
    CHECK_INT(old, all.count);
    REQUIRE(script("DELETE FROM assets WHERE owner_id = @me AND file_size >= 100000", me, 0));
}

static void a_cursor_fits_its_own_list_only(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    lum_asset_page page = { .total = 0 };
    lum_list list = { .sort = LUM_SORT_TAKEN, .limit = 5 };
    REQUIRE_OK(lum_asset_filter(actor, &list, &page, &err), &err);
    char next[LUM_CURSOR_SIZE];
    (void) snprintf(next, sizeof next, "%s", page.next);
    lum_asset_page_free(&page);
    list.cursor = pgc_text_from(next);
    list.sort = LUM_SORT_UPLOADED;
    CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
    list.sort = LUM_SORT_TAKEN;
    const lum_filter liked = { .liked = { true, true } };
    list.filter = &liked;
    CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
    list.filter = NULL;
    lum_actor other = { actor.db, actor.user_id + 1 };
    CHECK_STATUS(lum_asset_filter(other, &list, &page, &err), PGC_INVALID, &err);
    for (size_t i = 0; next[i] != '\0'; i++) { /* each character changed once */
        char kept = next[i];
        next[i] = kept == 'A' ? 'B' : 'A';
        CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
        next[i] = kept;
    }
    list.cursor.len--;
    CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
    list.cursor = pgc_text_from("");
    CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
    CHECK(page.assets.rows == NULL);
}

static void wrong_lists_are_refused(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    lum_asset_page page = { .total = 0 };
    int64_t total = -7;
    static char huge[10 << 20];
    memset(huge, 'x', sizeof huge - 1);
    lum_list list = { .limit = 0 };
    CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
    list.limit = LUM_PAGE_MAX + 1;
    CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
    list = (lum_list) { .limit = 1, .sort = (lum_sort) 99 };
    CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
    const lum_filter wrong[] = {
        { .asset_type = SLICE("gif") },
        { .rating = { true, 6 } },
        { .rating_min = { true, -1 } },
        { .aperture_min = { true, (double) NAN } },
        { .focal_max = { true, (double) INFINITY } },
        { .south = { true, 1 } },
        { .near_metres = { true, 5 } },
        { .words = { huge, sizeof huge - 1 } },
        { .name_contains = SLICE("\xff") },
        { .camera_make = SLICE("") },
        { .tags_any = { &(const pgc_text) { huge, sizeof huge - 1 }, 1 } },
        { .iso_min = { true, 5 }, .iso_max = { true, 4 } },
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        list = (lum_list) { .limit = 1, .filter = &wrong[i] };
        CHECK_STATUS(lum_asset_filter(actor, &list, &page, &err), PGC_INVALID, &err);
        CHECK(strstr(err.message, "list assets: ") == err.message);
        CHECK_STATUS(lum_asset_count(actor, &wrong[i], &total, &err), PGC_INVALID, &err);
    }
    CHECK_INT(total, -7);
    CHECK(page.assets.rows == NULL);
}

static void foreign_owners_albums_and_repositories_are_empty(void)
{
    pgc_error err;
    pgc_error_clear(&err);
    int64_t total = -1;
    int32_t other = 0;
    lum_session *session = NULL;
    REQUIRE_OK(lum_user_ensure(lum_library_pool(lib.library), "stranger", &other, &err), &err);
    REQUIRE_OK(lum_session_open(lum_library_pool(lib.library), other, &session, &err), &err);
    const lum_filter wanted[] = {
        { .owner_id = { true, me } },
        { .album_id = { true, 1 } },
        { .repository_id = { true, archive } },
        { .tags_any = { TAGS, 2 } },
        { .words = SLICE("beach") },
        { .name_contains = SLICE("beach") },
    };
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        REQUIRE_OK(lum_asset_count(lum_session_actor(session), &wanted[i], &total, &err), &err);
        CHECK_INT(total, 0);
        REQUIRE_OK(lum_asset_count(actor, &wanted[i], &total, &err), &err);
        CHECK(total > 0);
    }
    lum_session_close(session);
}

/* Of measured_assets(), asked as the user: how many ids, or -1 for NULL. */
static int64_t measured(const char *filter, size_t most)
{
    char sql[512];
    char got[64];
    char state[6];
    (void) snprintf(sql, sizeof sql,
                    "BEGIN; SET LOCAL ROLE lumilio_app; SET LOCAL app.user_id = '%" PRId32 "'; "
                    "SELECT coalesce(cardinality(measured_assets(jsonb_populate_record("
                    "NULL::search_filter, '%s'), %zu)), -1)",
                    me, filter, most);
    schema_ask(conn, sql, got, sizeof got, state);
    CHECK_STR(state, "");
    int64_t count = strtoll(got, NULL, 10);
    schema_ask(conn, "ROLLBACK", got, sizeof got, state);
    return count;
}

/* One range gives all of its assets, or NULL from `most` on. Of several wide ones it may be either,
 * but never less than match. */
static void ranges_have_candidates_when_few_match(void)
{
    static const struct {
        const char *json;
        lum_filter filter;
        bool single;
    } RANGES[] = {
        { "{\"iso_min\": 700}", { .iso_min = { true, 700 } }, true },
        { "{\"iso_max\": -1}", { .iso_max = { true, -1 } }, true },
        { "{\"iso_min\": 100, \"iso_max\": 200}",
          { .iso_min = { true, 100 }, .iso_max = { true, 200 } },
          true },
        { "{\"aperture_max\": 1.4}", { .aperture_max = { true, 1.4 } }, true },
        { "{\"aperture_min\": 5.4}", { .aperture_min = { true, 5.4 } }, true },
        { "{\"focal_min\": 60}", { .focal_min = { true, 60 } }, true },
        { "{\"focal_max\": 0}", { .focal_max = { true, 0 } }, true },
        { "{\"iso_min\": 700, \"focal_min\": 60}",
          { .iso_min = { true, 700 }, .focal_min = { true, 60 } },
          false },
        { "{\"iso_max\": 0, \"aperture_max\": 1.4, \"focal_max\": 0}",
          { .iso_max = { true, 0 }, .aperture_max = { true, 1.4 }, .focal_max = { true, 0 } },
          false },
    };
    static const size_t MOST[] = { 1, 2, 5, 20, 40, 100, 1000 };
    size_t narrow = 0;
    for (size_t i = 0; i < ARRAY_LEN(RANGES); i++) {
        int64_t matches = 0;
        for (size_t k = 0; k < all.count; k++) {
            matches += fits(&RANGES[i].filter, &all.rows[k]) ? 1 : 0;
        }
        for (size_t k = 0; k < ARRAY_LEN(MOST); k++) {
            int64_t got = measured(RANGES[i].json, MOST[k]);
            if (RANGES[i].single) {
                CHECK_INT(got, matches < (int64_t) MOST[k] ? matches : -1);
            } else {
                CHECK(got == -1 || (got >= matches && got < (int64_t) MOST[k]));
                narrow += got >= 0 ? 1 : 0;
            }
        }
    }
    CHECK(narrow > 0);
    CHECK_INT(measured("{\"liked\": true}", 1000), -1); /* no range is asked for */
}

static const tap_case CASES[] = {
    TAP("every order gives each asset once", every_order_gives_each_asset_once),
    TAP("frequent lists are those of the general statement",
        frequent_lists_are_those_of_the_general_statement),
    TAP("random filters find what plain C finds", random_filters_find_what_plain_c_finds),
    TAP("pages are stable while others insert", pages_are_stable_while_others_insert),
    TAP("a cursor fits its own list only", a_cursor_fits_its_own_list_only),
    TAP("wrong lists are refused", wrong_lists_are_refused),
    TAP("ranges have candidates when few assets are in them",
        ranges_have_candidates_when_few_match),
    TAP("what belongs to others is empty", foreign_owners_albums_and_repositories_are_empty),
};

int main(void)
{
    if (!world_fill()) {
        (void) printf("Bail out! no library\n");
        return 1;
    }
    int code = tap_run(CASES, ARRAY_LEN(CASES));
    world_remove();
    return code;
}
