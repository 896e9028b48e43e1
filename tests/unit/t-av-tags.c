/* Tags of videos and recordings, and previews of raw files. */
#include "base/prelude.h"

#include "media/av_tags.h"
#include "media/preview.h"

#include "tap.h"

#define SECOND INT64_C(1000000)

static media_facts read_tag(const char *name, const char *value)
{
    media_facts facts;
    media_facts_init(&facts);
    av_tag_read(&facts, name, value);
    return facts;
}

static void local_times_keep_their_offset(void)
{
    media_facts facts = read_tag("com.apple.quicktime.creationdate", "2019-08-01T17:34:22+0200");
    CHECK_INT(facts.has_taken, 1);
    CHECK_INT(facts.taken_source, MEDIA_TIME_CONTAINER);
    CHECK_INT(facts.taken_local_us, 1564680862 * SECOND);
    CHECK_INT(facts.has_offset, 1);
    CHECK_INT(facts.offset_minutes, 120);
    facts = read_tag("com.apple.quicktime.creationdate", "2019-08-01T17:34:22-03:30");
    CHECK_INT(facts.offset_minutes, -210);
    /* A later time in UTC does not replace it. */
    av_tag_read(&facts, "creation_time", "2020-01-01T00:00:00Z");
    CHECK_INT(facts.taken_local_us, 1564680862 * SECOND);
}

static void utc_times_are_second_choice(void)
{
    media_facts facts = read_tag("creation_time", "2020-02-29T23:59:59.500000Z");
    CHECK_INT(facts.taken_local_us, 1583020799 * SECOND + 500000);
    CHECK_INT(facts.has_offset, 1);
    CHECK_INT(facts.offset_minutes, 0);
    av_tag_read(&facts, "com.apple.quicktime.creationdate", "2019-08-01T17:34:22+0200");
    CHECK_INT(facts.taken_local_us, 1564680862 * SECOND);
    CHECK_INT(facts.offset_minutes, 120);
}

static void odd_times_are_passed_over(void)
{
    static const char *const ODD[] = { "",
                                       "yesterday",
                                       "1904-01-01T00:00:00Z",
                                       "1970-01-01T00:00:00Z",
                                       "2019-13-01T00:00:00Z",
                                       "2019-00-01T00:00:00Z",
                                       "2019-01-32T00:00:00Z",
                                       "2019-01-01T24:00:00Z",
                                       "2019-01-01T00:60:00Z",
                                       "2019-01-01",
                                       "2019-01-01T00:00:00+99",
                                       "2019-01-01T00:00:00+15:00",
                                       "2019-01-01T00:00:00 noon",
                                       "99999-01-01T00:00:00Z" };
    for (size_t i = 0; i < ARRAY_LEN(ODD); i++) {
        media_facts facts = read_tag("creation_time", ODD[i]);
        if (!CHECK_INT(facts.has_taken, 0)) {
            printf("# %s\n", ODD[i]);
        }
    }
}

static void places_have_signs(void)
{
    media_facts facts =
        read_tag("com.apple.quicktime.location.ISO6709", "-33.8568+151.2153-003.500/");
    CHECK_INT(facts.has_gps, 1);
    CHECK(fabs(facts.latitude + 33.8568) < 1e-9);
    CHECK(fabs(facts.longitude - 151.2153) < 1e-9);
    CHECK_INT(facts.has_altitude, 1);
    CHECK(fabs(facts.altitude_m + 3.5) < 1e-9);
    facts = read_tag("location", "+48.8577+002.2950/");
    CHECK_INT(facts.has_gps, 1);
    CHECK_INT(facts.has_altitude, 0);
    static const char *const ODD[] = {
        "", "+", "+91.0+000.0/", "+10.0+181.0/", "48.85+2.29/", "+10.0", "+1.2.3+4/x"
    };
    for (size_t i = 0; i < ARRAY_LEN(ODD); i++) {
        CHECK_INT(read_tag("location", ODD[i]).has_gps, 0);
    }
}

static void texts_are_cut_at_characters(void)
{
    char text[300];
    for (size_t i = 0; i < sizeof text - 1; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2); /* é */
    }
    text[298] = '\0';
    media_facts facts = read_tag("make", text);
    CHECK_INT(strlen(facts.camera_make), 100);
    facts = read_tag("model", "a\x1b[31mb\nc");
    CHECK_STR(facts.camera_model, "a [31mb c");
    facts = read_tag("description", "not \xff UTF-8");
    CHECK_STR(facts.description, "");
    facts = read_tag("comment", "first");
    av_tag_read(&facts, "comment", "second");
    CHECK_STR(facts.description, "first");
}

/* SOI, one APP segment, a frame header of the size given. */
static size_t put_jpeg(uint8_t *p, unsigned marker, unsigned width, unsigned height)
{
    const uint8_t bytes[] = { 0xff,
                              0xd8,
                              0xff,
                              0xe1,
                              0,
                              4,
                              1,
                              2,
                              0xff,
                              (uint8_t) marker,
                              0,
                              17,
                              8,
                              (uint8_t) (height >> 8),
                              (uint8_t) height,
                              (uint8_t) (width >> 8),
                              (uint8_t) width,
                              3 };
    memcpy(p, bytes, sizeof bytes);
    return sizeof bytes;
}

static void the_largest_preview_is_taken(void)
{
    static uint8_t file[4000];
    (void) put_jpeg(file + 100, 0xc0, 160, 120);
    (void) put_jpeg(file + 1000, 0xc0, 1600, 1200);
    (void) put_jpeg(file + 2000, 0xc3, 6000, 4000); /* lossless: the sensor's data */
    (void) put_jpeg(file + 3000, 0xc2, 640, 480);
    preview found;
    REQUIRE(preview_find(file, sizeof file, &found));
    CHECK_INT(found.offset, 1000);
    CHECK_INT(found.width, 1600);
    CHECK_INT(found.height, 1200);
}

static void no_preview_is_no_preview(void)
{
    uint8_t file[600] = { 0 };
    preview found;
    CHECK(!preview_find(file, sizeof file, &found));
    CHECK(!preview_find(file, 0, &found));
    memset(file, 0xff, sizeof file);
    CHECK(!preview_find(file, sizeof file, &found));
    /* Cut at every byte: never found, never read behind the end. */
    size_t size = put_jpeg(file, 0xc0, 100, 100);
    for (size_t cut = 0; cut < size - 1; cut++) {
        uint8_t *exact = malloc(cut + 1);
        REQUIRE(exact != NULL);
        memcpy(exact + 1, file, cut);
        CHECK(!preview_find(exact + 1, cut, &found));
        free(exact);
    }
}

static void sigma_files_tell_their_size(void)
{
    uint8_t head[40] = "FOVb";
    int32_t width = -1;
    int32_t height = -1;
    CHECK(!preview_x3f_size(head, sizeof head, &width, &height));
    head[28] = 0xdc;
    head[29] = 0x08;
    head[32] = 0xe8;
    head[33] = 0x05;
    CHECK(!preview_x3f_size(head, sizeof head - 1, &width, &height));
    CHECK_INT(width, -1);
    CHECK(preview_x3f_size(head, sizeof head, &width, &height));
    CHECK_INT(width, 2268);
    CHECK_INT(height, 1512);
    head[36] = 90;
    CHECK(preview_x3f_size(head, sizeof head, &width, &height));
    CHECK_INT(width, 1512);
    head[35] = 1;
    CHECK(!preview_x3f_size(head, sizeof head, &width, &height));
    head[0] = 'f';
    CHECK(!preview_x3f_size(head, sizeof head, &width, &height));
}

TAP_MAIN(TAP("local times keep their offset", local_times_keep_their_offset),
         TAP("times in UTC are second choice", utc_times_are_second_choice),
         TAP("odd times are passed over", odd_times_are_passed_over),
         TAP("places have signs", places_have_signs),
         TAP("texts are cut at characters", texts_are_cut_at_characters),
         TAP("the largest preview is taken", the_largest_preview_is_taken),
         TAP("no preview is no preview", no_preview_is_no_preview),
         TAP("raw: Sigma's files tell their size", sigma_files_tell_their_size))
