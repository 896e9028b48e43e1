/* Names and places inside a repository. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "tap.h"
#include "work/place.h"

#define HASH         "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define JULY_2019_US INT64_C(1562000000000000)

static void check_original(lum_strategy strategy, const char *name, unsigned attempt,
                           const char *want)
{
    char path[PLACE_PATH_SIZE] = "";
    pgc_error err;
    pgc_error_clear(&err);
    const place_facts facts = { pgc_text_from(name), "jpg", HASH, JULY_2019_US };
    CHECK_STATUS(place_original(strategy, &facts, attempt, path, &err), PGC_OK, &err);
    CHECK_STR(path, want);
}

static void date_uses_the_month_of_capture(void)
{
    check_original(LUM_STRATEGY_DATE, "IMG_1.JPG", 0, "inbox/2019/07/IMG_1.jpg");
}

static void flat_and_cas_have_their_own_layout(void)
{
    check_original(LUM_STRATEGY_FLAT, "IMG_1.JPG", 0, "inbox/IMG_1.jpg");
    check_original(LUM_STRATEGY_CAS, "IMG_1.JPG", 0, "inbox/00/11/22/" HASH ".jpg");
}

static void later_attempts_carry_more_of_the_hash(void)
{
    check_original(LUM_STRATEGY_FLAT, "a.jpg", 1, "inbox/a_00112233.jpg");
    check_original(LUM_STRATEGY_FLAT, "a.jpg", 2, "inbox/a_0011223344556677.jpg");
    check_original(LUM_STRATEGY_FLAT, "a.jpg", 3, "inbox/a_" HASH ".jpg");
    char path[PLACE_PATH_SIZE];
    pgc_error err;
    const place_facts facts = { SLICE("a.jpg"), "jpg", HASH, 0 };
    CHECK_STATUS(place_original(LUM_STRATEGY_FLAT, &facts, 4, path, &err), PGC_LIMIT, &err);
}

static void hostile_names_become_harmless(void)
{
    check_original(LUM_STRATEGY_FLAT, "a/../b.jpg", 0, "inbox/a_.._b.jpg");
    check_original(LUM_STRATEGY_FLAT, ".hidden", 0, "inbox/_hidden.jpg");
    check_original(LUM_STRATEGY_FLAT, "-rf.jpg", 0, "inbox/_rf.jpg");
    check_original(LUM_STRATEGY_FLAT, "a\nb\x1b[1m.jpg", 0, "inbox/a_b_[1m.jpg");
    check_original(LUM_STRATEGY_FLAT, "C:\\x?.jpg", 0, "inbox/C__x_.jpg");
    check_original(LUM_STRATEGY_FLAT, "", 0, "inbox/file.jpg");
    check_original(LUM_STRATEGY_FLAT, "caf\xc3\xa9.jpg", 0, "inbox/caf\xc3\xa9.jpg");
}

static void long_names_are_cut_at_a_character(void)
{
    char name[256];
    char path[PLACE_PATH_SIZE];
    pgc_error err;
    for (size_t i = 0; i < 254; i += 2) {
        memcpy(name + i, "\xc3\xa9", 2);
    }
    name[254] = 'x';
    name[255] = '\0';
    const place_facts facts = { pgc_text_from(name), "jpg", HASH, 0 };
    CHECK_STATUS(place_original(LUM_STRATEGY_FLAT, &facts, 3, path, &err), PGC_OK, &err);
    CHECK(slice_is_utf8(pgc_text_from(path)));
    CHECK(strlen(path) < 6 + 255);
}

static void times_before_1970_have_a_month(void)
{
    char path[PLACE_PATH_SIZE];
    pgc_error err;
    const place_facts facts = { SLICE("a.jpg"), "jpg", HASH, INT64_C(-86400000000) };
    CHECK_STATUS(place_original(LUM_STRATEGY_DATE, &facts, 0, path, &err), PGC_OK, &err);
    CHECK_STR(path, "inbox/1969/12/a.jpg");
}

static void display_names_keep_what_text_can_hold(void)
{
    char out[4 * PLACE_NAME_MAX + 1];
    size_t len = 0;
    CHECK(place_display_name(SLICE("ok \xc3\xa9.jpg"), out, sizeof out, &len));
    CHECK_STR(out, "ok \xc3\xa9.jpg");
    CHECK_INT(len, strlen(out));
    CHECK(!place_display_name(SLICE("bad\xff.jpg"), out, sizeof out, &len));
    CHECK_STR(out, "bad\xef\xbf\xbd.jpg");
}

static void display_names_hold_255_characters(void)
{
    char name[300];
    char out[4 * PLACE_NAME_MAX + 1];
    size_t len = 0;
    memset(name, 'n', sizeof name);
    CHECK(place_display_name((slice) { name, 255 }, out, sizeof out, &len));
    CHECK_INT(len, 255);
    CHECK(!place_display_name((slice) { name, 256 }, out, sizeof out, &len));
    CHECK_INT(len, 255);
}

static void thumbnails_are_found_by_content(void)
{
    char path[PLACE_PATH_SIZE];
    place_thumbnail(HASH, MEDIA_MEDIUM, path);
    CHECK_STR(path, ".lumilio/assets/thumbnails/medium/00/" HASH "_medium.webp");
}

TAP_MAIN(TAP("place: strategy date uses the month of capture", date_uses_the_month_of_capture),
         TAP("place: strategies flat and cas have their own layout",
             flat_and_cas_have_their_own_layout),
         TAP("place: a taken name gets more of the hash", later_attempts_carry_more_of_the_hash),
         TAP("place: hostile names become harmless", hostile_names_become_harmless),
         TAP("place: long names are cut at a character", long_names_are_cut_at_a_character),
         TAP("place: times before 1970 have a month", times_before_1970_have_a_month),
         TAP("place: display names replace invalid UTF-8 and say so",
             display_names_keep_what_text_can_hold),
         TAP("place: display names hold 255 characters", display_names_hold_255_characters),
         TAP("place: thumbnails are found by content", thumbnails_are_found_by_content))
