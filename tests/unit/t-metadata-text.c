/* Texts and numbers of metadata. */
#include "base/prelude.h"

#include "media/metadata_text.h"

#include "tap.h"

#define ROOM 64

static void numbers_are_read_in_all_spellings(void)
{
    static const struct {
        const char *text;
        double value;
    } CASES[] = {
        { "2.8", 2.8 },      { "28/10", 2.8 },
        { "f/2.8", 2.8 },    { "F/2.8", 2.8 },
        { "+1/3", 1.0 / 3 }, { "-1/3", -1.0 / 3 },
        { "100, 100", 100 }, { "100 100", 100 },
        { "50 mm", 50 },     { "50.0mm", 50 },
        { ".5", .5 },        { "-0.67", -0.67 },
        { " 400 ", 400 },    { "0", 0 },
        { "+2", 2 },         { "30000/1001", 29.97002997 },
    };
    static const char *const WRONG[] = { "",  " ", "mm", "1/0", "1/",  "1/x", "+",
                                         "-", ".", "f/", "inf", "nan", "--1", "/2" };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        double value = 99;
        printf("# \"%s\"\n", CASES[i].text);
        CHECK(metadata_parse_number((slice) { CASES[i].text, strlen(CASES[i].text) }, &value));
        CHECK(fabs(value - CASES[i].value) < 1e-8);
    }
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        double value = 99;
        printf("# \"%s\"\n", WRONG[i]);
        CHECK(!metadata_parse_number((slice) { WRONG[i], strlen(WRONG[i]) }, &value));
        CHECK(fabs(value - 99) < 1e-9);
    }
}

static void a_ratio_by_zero_is_unknown(void)
{
    double value = 7;
    CHECK(!metadata_ratio_value((metadata_ratio) { 1, 0 }, &value));
    CHECK(!metadata_ratio_value((metadata_ratio) { 0, 0 }, &value));
    CHECK(fabs(value - 7) < 1e-9);
    CHECK(metadata_ratio_value((metadata_ratio) { -1, 3 }, &value));
    CHECK(fabs(value + 1.0 / 3) < 1e-9);
}

#define CHECK_CLEAN(literal, want)                                       \
    do {                                                                 \
        char out_[ROOM] = "junk";                                        \
        bool found_ = metadata_clean(SLICE(literal), out_, sizeof out_); \
        CHECK_STR(out_, (want));                                         \
        CHECK_INT(found_, (want)[0] != '\0');                            \
    } while (0)

static void texts_are_trimmed(void)
{
    CHECK_CLEAN("Canon", "Canon");
    CHECK_CLEAN("  NIKON CORPORATION \0\0\0", "NIKON CORPORATION");
    CHECK_CLEAN("\0\0Leica\0garbage", "Leica");
    CHECK_CLEAN("a\x01"
                "b\x7f"
                "c",
                "a b c");
    CHECK_CLEAN("two\nlines\tand tabs", "two\nlines\tand tabs");
    CHECK_CLEAN("", "");
    CHECK_CLEAN("   ", "");
    CHECK_CLEAN("\0\0", "");
}

static void words_for_nothing_are_nothing(void)
{
    CHECK_CLEAN("null", "");
    CHECK_CLEAN("Undefined", "");
    CHECK_CLEAN(" NULL ", "");
    CHECK_CLEAN("nullarbor plain", "nullarbor plain");
}

static void other_bytes_are_windows_characters(void)
{
    CHECK_CLEAN("Z\xc3\xbcrich", "Z\xc3\xbcrich");
    CHECK_CLEAN("Z\xfcrich", "Z\xc3\xbcrich");
    CHECK_CLEAN("\x80 5 \x96 \x99", "\xe2\x82\xac 5 \xe2\x80\x93 \xe2\x84\xa2");
    CHECK_CLEAN("a\x81z", "a\xef\xbf\xbdz");
    CHECK_CLEAN("\xf0\x9f\x93\xb7 photo", "\xf0\x9f\x93\xb7 photo");
    /* Half a character makes all of it Windows-1252. */
    CHECK_CLEAN("\xc3\xbc\xc3", "\xc3\x83\xc2\xbc\xc3\x83");
    /* Control characters of the upper half go as well. */
    CHECK_CLEAN("a\xc2\x9dz", "a z");
}

static void long_texts_are_cut_at_characters(void)
{
    char out[6];
    CHECK(metadata_clean(SLICE("abcdefgh"), out, sizeof out));
    CHECK_STR(out, "abcde");
    CHECK(metadata_clean(SLICE("abcd\xc3\xbc"
                               "e"),
                         out, sizeof out));
    CHECK_STR(out, "abcd");
    CHECK(!metadata_clean(SLICE("abc"), out, 1));
    CHECK_STR(out, "");
}

static void wide_characters_become_utf8(void)
{
    char out[ROOM];
    CHECK(metadata_clean_wide(SLICE("H\0\xfc\0\0\0x\0"), false, out, sizeof out));
    CHECK_STR(out, "H\xc3\xbc");
    CHECK(metadata_clean_wide(SLICE("\0H\0\xfc"), true, out, sizeof out));
    CHECK_STR(out, "H\xc3\xbc");
    /* A mark of the order wins. */
    CHECK(metadata_clean_wide(SLICE("\xfe\xff\0H\0i"), false, out, sizeof out));
    CHECK_STR(out, "Hi");
    CHECK(metadata_clean_wide(SLICE("\xff\xfeH\0i\0"), true, out, sizeof out));
    CHECK_STR(out, "Hi");
    /* Pairs of surrogates; halves of pairs become the replacement character. */
    CHECK(metadata_clean_wide(SLICE("\x3d\xd8\xf7\xdc"), false, out, sizeof out));
    CHECK_STR(out, "\xf0\x9f\x93\xb7");
    CHECK(metadata_clean_wide(SLICE("a\0\x3d\xd8z\0"), false, out, sizeof out));
    CHECK_STR(out, "a\xef\xbf\xbdz");
    CHECK(metadata_clean_wide(SLICE("a\0\xf7\xdcz\0\x3d\xd8"), false, out, sizeof out));
    CHECK_STR(out, "a\xef\xbf\xbdz\xef\xbf\xbd");
    CHECK(!metadata_clean_wide(SLICE("x"), false, out, sizeof out));
    CHECK(!metadata_clean_wide(SLICE("\0\0a\0"), false, out, sizeof out));
}

#define CHECK_COMMENT(literal, big, want)                                               \
    do {                                                                                \
        char out_[ROOM] = "junk";                                                       \
        bool found_ = metadata_clean_comment(SLICE(literal), (big), out_, sizeof out_); \
        CHECK_STR(out_, (want));                                                        \
        CHECK_INT(found_, (want)[0] != '\0');                                           \
    } while (0)

static void comments_name_their_character_set(void)
{
    CHECK_COMMENT("ASCII\0\0\0On the beach   ", false, "On the beach");
    CHECK_COMMENT("UNICODE\0H\0i\0", false, "Hi");
    CHECK_COMMENT("UNICODE\0\0H\0i", true, "Hi");
    /* Written in the other order than the file says. */
    CHECK_COMMENT("UNICODE\0H\0i\0", true, "Hi");
    CHECK_COMMENT("UNICODE\0\0H\0i", false, "Hi");
    CHECK_COMMENT("\0\0\0\0\0\0\0\0plain", false, "plain");
    CHECK_COMMENT("JIS\0\0\0\0\0plain", false, "plain");
    CHECK_COMMENT("JIS\0\0\0\0\0\x93\xfa\x96\x7b", false, "");
    CHECK_COMMENT("JIS\0\0\0\0\0\x1b$BF|K\\", false, "");
    CHECK_COMMENT("A comment without a code", false, "A comment without a code");
}

static void binary_comments_are_none(void)
{
    CHECK_COMMENT("", false, "");
    CHECK_COMMENT("ASCII\0\0\0", false, "");
    CHECK_COMMENT("ASCII\0\0\0\0\0\0\0", false, "");
    CHECK_COMMENT("ASCII\0\0\0        ", false, "");
    CHECK_COMMENT("\0\0\0\0\0\0\0\0\x01\x02\x10\xff", false, "");
    CHECK_COMMENT("UNICODE\0", false, "");
    CHECK_COMMENT("AS", false, "AS");
}

static void exposures_read_like_on_a_camera(void)
{
    static const struct {
        double seconds;
        const char *text;
    } CASES[] = {
        { 1.0 / 250, "1/250" },
        { 0.25, "1/4" },
        { 0.3, "0.3" },
        { 0.5, "0.5" },
        { 1, "1" },
        { 2.5, "2.5" },
        { 30, "30" },
        { 0.00025, "1/4000" },
        { 10.0 / 13, "0.8" },
        { 1.96, "2" },
        { 1.0 / 60.3, "1/60" },
        { 3600, "3600" },
        { 0, "" },
        { -1, "" },
        { 1e9, "" },
        { 1e-12, "" },
        { HUGE_VAL, "" },
        { (double) NAN, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        char out[32] = "junk";
        CHECK_INT(metadata_exposure(CASES[i].seconds, out, sizeof out), CASES[i].text[0] != '\0');
        CHECK_STR(out, CASES[i].text);
    }
}

static void lenses_are_named_by_their_range(void)
{
    static const struct {
        double focal[2], aperture[2];
        const char *text;
    } CASES[] = {
        { { 18, 70 }, { 3.5, 4.5 }, "18-70mm f/3.5-4.5" },
        { { 50, 50 }, { 1.8, 1.8 }, "50mm f/1.8" },
        { { 50, 0 }, { 0, 0 }, "50mm" },
        { { 24, 70 }, { 2.8, 2.8 }, "24-70mm f/2.8" },
        { { 4.25, 4.25 }, { 1.8, 0 }, "4.25mm f/1.8" },
        { { 150, 600 }, { 0, 0 }, "150-600mm" },
        { { 0, 0 }, { 2.8, 2.8 }, "" },
        { { -1, 5 }, { 0, 0 }, "" },
        { { 70, 18 }, { 0, 0 }, "" },
        { { 1e9, 1e9 }, { 0, 0 }, "" },
        { { (double) NAN, 0 }, { (double) NAN, 0 }, "" },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        char out[64] = "junk";
        CHECK_INT(metadata_lens(CASES[i].focal, CASES[i].aperture, out, sizeof out),
                  CASES[i].text[0] != '\0');
        CHECK_STR(out, CASES[i].text);
    }
}

TAP_MAIN(TAP("numbers are read in all spellings", numbers_are_read_in_all_spellings),
         TAP("a ratio by zero is unknown", a_ratio_by_zero_is_unknown),
         TAP("texts are trimmed", texts_are_trimmed),
         TAP("words for nothing are nothing", words_for_nothing_are_nothing),
         TAP("other bytes are Windows characters", other_bytes_are_windows_characters),
         TAP("long texts are cut at characters", long_texts_are_cut_at_characters),
         TAP("wide characters become UTF-8", wide_characters_become_utf8),
         TAP("comments name their character set", comments_name_their_character_set),
         TAP("binary comments are none", binary_comments_are_none),
         TAP("exposures read like on a camera", exposures_read_like_on_a_camera),
         TAP("lenses are named by their range", lenses_are_named_by_their_range))
