/* Filters from texts and JSON, times as people write them, orders by name. */
#include "base/prelude.h"

#include "random.h"
#include "service/filter.h"
#include "service/list.h"
#include "service/when.h"
#include "tap.h"

#define DAY_US INT64_C(86400000000)

static void times_are_read_to_their_unit(void)
{
    static const struct {
        const char *text;
        int64_t first_day, next_day; /* since 2000 */
    } PERIODS[] = {
        { "2000", 0, 366 },
        { "2000-01", 0, 31 },
        { "2000-02-29", 59, 60 },
        { "1999-12-31", -1, 0 },
        { "1900-02-28", -36466, -36465 },
        { "1900-03-01", -36465, -36464 },
        { "2024-12", 9101, 9132 },
        { " 2001 ", 366, 731 },
    };
    for (size_t i = 0; i < ARRAY_LEN(PERIODS); i++) {
        lum_when when = { 0 };
        CHECK(lum_when_parse(pgc_text_from(PERIODS[i].text), &when));
        CHECK_INT(when.first.us, PERIODS[i].first_day * DAY_US);
        CHECK_INT(when.next.us, PERIODS[i].next_day * DAY_US);
        CHECK(!when.has_time && !when.has_offset);
    }
}

static void times_of_day_may_have_an_offset(void)
{
    lum_when when;
    REQUIRE(CHECK(lum_when_parse(SLICE("2000-01-01T01:02:03.25"), &when)));
    CHECK_INT(when.first.us, INT64_C(3723250000));
    CHECK(when.has_time && !when.has_offset);
    CHECK_INT(when.next.us, when.first.us);
    REQUIRE(CHECK(lum_when_parse(SLICE("2000-01-01 12:00-03:30"), &when)));
    CHECK_INT(when.offset_minutes, -210);
    CHECK_INT(lum_when_instant(&when).us, INT64_C(55800000000));
    REQUIRE(CHECK(lum_when_parse(SLICE("2000-01-01T00:00:00z"), &when)));
    CHECK(when.has_offset);
    CHECK_INT(lum_when_instant(&when).us, 0);
}

static void other_texts_are_no_times(void)
{
    static const char *const WRONG[] = {
        "",
        "now",
        "24",
        "20245",
        "1799",
        "2201",
        "2024-13",
        "2024-00",
        "2024-1",
        "2023-02-29",
        "2024-04-31",
        "2024-04-00",
        "2024-04T10:00",
        "2024T10:00",
        "2024-04-01T",
        "2024-04-01T24:00",
        "2024-04-01T10:60",
        "2024-04-01T10:00:60",
        "2024-04-01T10",
        "2024-04-01T10:00:00.",
        "2024-04-01T10:00:00.1234567",
        "2024-04-01T10:00+15:00",
        "2024-04-01T10:00+2",
        "2024-04-01T10:00Zx",
        "2024-04-01x",
        "-2024",
        "2024-04-01T10:00 Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        lum_when when = { .offset_minutes = 77 };
        if (!CHECK(!lum_when_parse(pgc_text_from(WRONG[i]), &when))) {
            (void) printf("# %s\n", WRONG[i]);
        }
        CHECK_INT(when.offset_minutes, 77);
    }
}

static void random_bytes_are_no_times(void)
{
    uint64_t dice = 3;
    char text[40];
    lum_when when;
    for (int i = 0; i < 20000; i++) {
        size_t length = random_below(&dice, sizeof text);
        for (size_t k = 0; k < length; k++) {
            text[k] = "0123456789-:T.Z+ "[random_below(&dice, 17)];
        }
        if (lum_when_parse((slice) { text, length }, &when)) {
            CHECK(when.first.us <= when.next.us);
        }
    }
}

static void orders_have_names(void)
{
    lum_sort sort = LUM_SORT_TAKEN;
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE_OK(lum_sort_parse(SLICE("-name"), &sort, &err), &err);
    CHECK_INT(sort, REPO_FILTER_ASSETS_SORT_NAME_DESC);
    REQUIRE_OK(lum_sort_parse(SLICE("size"), &sort, &err), &err);
    CHECK_INT(sort, REPO_FILTER_ASSETS_SORT_SIZE_DESC);
    CHECK_STATUS(lum_sort_parse(SLICE("--name"), &sort, &err), PGC_INVALID, &err);
    CHECK_STATUS(lum_sort_parse(SLICE(""), &sort, &err), PGC_INVALID, &err);
    CHECK_INT(sort, REPO_FILTER_ASSETS_SORT_SIZE_DESC);
}

static const char WHOLE[] =
    "{\"type\": \"photo\", \"repository\": \"01020304-0506-7708-890a-0b0c0d0e0f10\", \"album\": 7, "
    "\"camera_make\": \"Nikon\", \"iso_min\": 100, \"aperture_max\": 2.8, \"from\": \"2024-05\", "
    "\"until\": \"2024-05-31T12:00:00Z\", \"south\": 1, \"west\": 170.5, \"north\": 2, \"east\": "
    "-170, \"rating_min\": 0, \"liked\": false, \"raw\": true, \"tags_any\": [\"a,b\", \"c\"], "
    "\"name_prefix\": \"IMG_\", \"words\": null}";

static void a_whole_document_is_read(void)
{
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE_OK(lum_filter_parse(pgc_text_from(WHOLE), &doc, &err), &err);
    const lum_filter *f = lum_filter_doc_get(doc);
    CHECK(slice_eq_str(f->asset_type, "photo"));
    CHECK(f->repository_id.has && f->repository_id.v.bytes[15] == 0x10);
    CHECK(f->album_id.has && f->album_id.v == 7);
    CHECK(f->iso_min.has && !f->iso_max.has);
    CHECK(f->aperture_max.has && fabs(f->aperture_max.v - 2.8) < 1e-9);
    CHECK(f->taken_from.has && !f->taken_from.is_instant && f->taken_from.us == 8887 * DAY_US);
    CHECK(f->taken_before.has && f->taken_before.is_instant);
    CHECK_INT(f->taken_before.us, 8917 * DAY_US + DAY_US / 2);
    CHECK(f->rating_min.has && f->liked.has && !f->liked.v && f->is_raw.v);
    CHECK_INT(f->tags_any.count, 2);
    CHECK(slice_eq_str(f->tags_any.items[0], "a,b"));
    CHECK(f->words.ptr == NULL && f->lens_model.ptr == NULL);
}

static void wrong_documents_say_where(void)
{
    static const struct {
        const char *json, *says;
    } WRONG[] = {
        { "{\"colour\": 1}", "there is no \"colour\"" },
        { "{\"type\": \"gif\"}", "use photo, video or audio" },
        { "{\"type\": 1}", "filter type: the value must be a text" },
        { "{\"album\": \"7\"}", "filter album: the value must be a whole number" },
        { "{\"album\": 0}", "filter album: 0" },
        { "{\"album\": 99999999999}", "filter album: 99999999999" },
        { "{\"aperture_min\": -1}", "filter aperture_min: -1" },
        { "{\"liked\": \"yes\"}", "filter liked: the value must be true or false" },
        { "{\"repository\": \"x\"}", "filter repository: \"x\"" },
        { "{\"from\": \"soon\"}", "filter from: \"soon\"" },
        { "{\"from\": \"2024-03\", \"until\": \"2024-01\"}", "filter until" },
        { "{\"tags_any\": []}", "filter tags_any: the value must be a list" },
        { "{\"tags_any\": [1]}", "filter tags_any: the value must be a list" },
        { "{\"tags_all\": [\"\"]}", "filter tags_all: a text of 0 bytes" },
        { "{\"words\": \"\"}", "filter words: a text of 0 bytes" },
        { "{\"south\": 1, \"north\": 2}", "go together" },
        { "{\"south\": 3, \"north\": 2, \"west\": 1, \"east\": 2}",
          "filter latitude: from 3 to 2" },
        { "{\"near_metres\": 5}", "go together" },
        { "{\"rating\": 1, \"rating\": 2}", "line 1" },
        { "{\"rating\": 1", "filter: line 1" },
        { "[]", "must be an object" },
    };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
        pgc_error err;
        pgc_error_clear(&err);
        CHECK_STATUS(lum_filter_parse(pgc_text_from(WRONG[i].json), &doc, &err), PGC_INVALID, &err);
        CHECK(doc == NULL);
        if (!CHECK(strstr(err.message, WRONG[i].says) != NULL)) {
            (void) printf("# %s: %s\n", WRONG[i].json, err.message);
        }
    }
}

static void documents_have_a_limit(void)
{
    static char huge[LUM_FILTER_JSON_MAX + 2];
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    pgc_error err;
    pgc_error_clear(&err);
    memset(huge, ' ', sizeof huge);
    CHECK_STATUS(lum_filter_parse((slice) { huge, sizeof huge }, &doc, &err), PGC_INVALID, &err);
    CHECK(strstr(err.message, "65536 are allowed") != NULL);
    CHECK_STATUS(lum_filter_parse((slice) { "\"\xff\"", 3 }, &doc, &err), PGC_INVALID, &err);
    memset(huge, '[', 60000); /* deep nesting ends as an error, not as an overflow of the stack */
    CHECK_STATUS(lum_filter_parse((slice) { huge, 60000 }, &doc, &err), PGC_INVALID, &err);
    CHECK(doc == NULL);
}

static void words_of_the_command_line_are_read(void)
{
    AUTO(lum_filter_doc_auto) lum_filter_doc *doc = NULL;
    pgc_error err;
    pgc_error_clear(&err);
    REQUIRE_OK(lum_filter_doc_new(&doc, &err), &err);
    REQUIRE_OK(lum_filter_doc_set(doc, "liked", SLICE("yes"), &err), &err);
    REQUIRE_OK(lum_filter_doc_set(doc, "iso_max", SLICE("800"), &err), &err);
    REQUIRE_OK(lum_filter_doc_set(doc, "near_metres", SLICE("1.5e3"), &err), &err);
    REQUIRE_OK(lum_filter_doc_set(doc, "tags_all", SLICE(" beach ,paris"), &err), &err);
    const lum_filter *f = lum_filter_doc_get(doc);
    CHECK(f->liked.has && f->liked.v);
    CHECK_INT(f->iso_max.v, 800);
    CHECK(fabs(f->near_metres.v - 1500) < 1e-9);
    CHECK_INT(f->tags_all.count, 2);
    CHECK(slice_eq_str(f->tags_all.items[0], "beach"));
    static const char *const WRONG[][2] = { { "liked", "true" },  { "iso_max", "8x" },
                                            { "iso_max", "-1" },  { "near_metres", "far" },
                                            { "nothing", "1" },   { "repository", "7" },
                                            { "until", "2024-x" } };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        CHECK_STATUS(lum_filter_doc_set(doc, WRONG[i][0], pgc_text_from(WRONG[i][1]), &err),
                     PGC_INVALID, &err);
    }
    CHECK_INT(f->iso_max.v, 800);
}

static void equal_filters_have_equal_digests(void)
{
    uint8_t one[SHA256_SIZE];
    uint8_t two[SHA256_SIZE];
    const pgc_text names[] = { SLICE("ab"), SLICE("c"), SLICE("a"), SLICE("bc") };
    const lum_filter pairs[][2] = {
        { { .album_id = { false, 0 } }, { .liked = { true, false } } },
        { { .rating = { true, 0 } }, { .rating_min = { true, 0 } } },
        { { .camera_make = SLICE("x") }, { .camera_model = SLICE("x") } },
        { { .tags_any = { names, 2 } }, { .tags_any = { names + 2, 2 } } },
        { { .taken_from = { true, false, 5 } }, { .taken_from = { true, true, 5 } } },
        { { .south = { true, 1 } }, { .south = { true, 2 } } },
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        CHECK(lum_filter_digest(&pairs[i][0], one, NULL) == PGC_OK);
        CHECK(lum_filter_digest(&pairs[i][1], two, NULL) == PGC_OK);
        CHECK(memcmp(one, two, sizeof one) != 0);
        CHECK(lum_filter_digest(&pairs[i][0], two, NULL) == PGC_OK);
        CHECK(memcmp(one, two, sizeof one) == 0);
    }
    const lum_filter unset = { .rating = { false, 4 } }; /* what is not set does not count */
    CHECK(lum_filter_digest(&unset, one, NULL) == PGC_OK);
    CHECK(lum_filter_digest(&pairs[0][0], two, NULL) == PGC_OK);
    CHECK(memcmp(one, two, sizeof one) == 0);
}

static const tap_case CASES[] = {
    TAP("when: years, months and days", times_are_read_to_their_unit),
    TAP("when: times of day may have an offset", times_of_day_may_have_an_offset),
    TAP("when: other texts are refused", other_texts_are_no_times),
    TAP("when: random texts do no harm", random_bytes_are_no_times),
    TAP("sort: orders have names", orders_have_names),
    TAP("filter: a whole document is read", a_whole_document_is_read),
    TAP("filter: wrong documents say where", wrong_documents_say_where),
    TAP("filter: documents have a limit", documents_have_a_limit),
    TAP("filter: words of the command line", words_of_the_command_line_are_read),
    TAP("filter: equal filters have equal digests", equal_filters_have_equal_digests),
};

int main(void)
{
    return tap_run(CASES, ARRAY_LEN(CASES));
}
