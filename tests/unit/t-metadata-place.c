/* Coordinates of metadata. */
#include "base/prelude.h"

#include "media/metadata_place.h"

#include "tap.h"

static void degrees_minutes_seconds(void)
{
    static const metadata_ratio PARIS[] = { { 48, 1 }, { 51, 1 }, { 2772, 100 } };
    static const metadata_ratio DECIMAL[] = { { 2295, 1000 }, { 0, 1 }, { 0, 1 } };
    double out = 0;
    CHECK(metadata_coordinate(PARIS, METADATA_LATITUDE, SLICE("N"), &out));
    CHECK(fabs(out - 48.8577) < 1e-9);
    CHECK(metadata_coordinate(PARIS, METADATA_LATITUDE, SLICE("S\0"), &out));
    CHECK(fabs(out + 48.8577) < 1e-9);
    CHECK(metadata_coordinate(DECIMAL, METADATA_LONGITUDE, SLICE("e"), &out));
    CHECK(fabs(out - 2.295) < 1e-9);
    CHECK(metadata_coordinate(DECIMAL, METADATA_LONGITUDE, SLICE(" West"), &out));
    CHECK(fabs(out + 2.295) < 1e-9);
}

static void a_hemisphere_must_be_known(void)
{
    static const metadata_ratio PARIS[] = { { 48, 1 }, { 51, 1 }, { 2772, 100 } };
    double out = 7;
    CHECK(!metadata_coordinate(PARIS, METADATA_LATITUDE, SLICE(""), &out));
    CHECK(!metadata_coordinate(PARIS, METADATA_LATITUDE, (slice) { NULL, 0 }, &out));
    CHECK(!metadata_coordinate(PARIS, METADATA_LATITUDE, SLICE("E"), &out));
    CHECK(!metadata_coordinate(PARIS, METADATA_LONGITUDE, SLICE("N"), &out));
    CHECK(!metadata_coordinate(PARIS, METADATA_LATITUDE, SLICE("\0N"), &out));
    CHECK(!metadata_coordinate(PARIS, METADATA_LATITUDE, SLICE("?"), &out));
    CHECK(fabs(out - 7) < 1e-9);
}

static void places_off_the_globe_are_none(void)
{
    static const metadata_ratio WRONG[][3] = {
        { { 48, 0 }, { 51, 1 }, { 0, 1 } },  { { 48, 1 }, { 51, 0 }, { 0, 1 } },
        { { 48, 1 }, { 51, 1 }, { 0, 0 } },  { { 91, 1 }, { 0, 1 }, { 0, 1 } },
        { { 90, 1 }, { 0, 1 }, { 1, 1 } },   { { -48, 1 }, { 51, 1 }, { 0, 1 } },
        { { 48, 1 }, { -51, 1 }, { 0, 1 } }, { { INT64_MAX, 1 }, { INT64_MAX, 1 }, { 0, 1 } },
    };
    static const metadata_ratio POLE[] = { { 90, 1 }, { 0, 1 }, { 0, 1 } };
    static const metadata_ratio DATE_LINE[] = { { 180, 1 }, { 0, 1 }, { 0, 1 } };
    static const metadata_ratio BEYOND[] = { { 180, 1 }, { 0, 1 }, { 1, 1 } };
    double out = 7;
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        CHECK(!metadata_coordinate(WRONG[i], METADATA_LATITUDE, SLICE("N"), &out));
    }
    CHECK(!metadata_coordinate(BEYOND, METADATA_LONGITUDE, SLICE("W"), &out));
    CHECK(fabs(out - 7) < 1e-9);
    CHECK(metadata_coordinate(POLE, METADATA_LATITUDE, SLICE("S"), &out));
    CHECK(metadata_coordinate(DATE_LINE, METADATA_LONGITUDE, SLICE("W"), &out));
    CHECK(fabs(out + 180) < 1e-9);
}

static void texts_of_every_form(void)
{
    static const struct {
        const char *text;
        metadata_axis axis;
        double value;
    } CASES[] = {
        { "48.8577", METADATA_LATITUDE, 48.8577 },
        { "-48.8577", METADATA_LATITUDE, -48.8577 },
        { "48.8577N", METADATA_LATITUDE, 48.8577 },
        { "48.8577 S", METADATA_LATITUDE, -48.8577 },
        { "2.295W", METADATA_LONGITUDE, -2.295 },
        { "48,51.462N", METADATA_LATITUDE, 48.8577 },
        { "48,51,27.72N", METADATA_LATITUDE, 48.8577 },
        { "48 deg 51' 27.72\" N", METADATA_LATITUDE, 48.8577 },
        { "48 deg 51' 27.72\" S", METADATA_LATITUDE, -48.8577 },
        { "48\xc2\xb0"
          "51'27.72\"N",
          METADATA_LATITUDE, 48.8577 },
        { "2 deg W", METADATA_LONGITUDE, -2 },
        { "179,59.9E", METADATA_LONGITUDE, 179.99833333 },
        { "0", METADATA_LATITUDE, 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        double out = 999;
        printf("# \"%s\"\n", CASES[i].text);
        CHECK(metadata_parse_coordinate((slice) { CASES[i].text, strlen(CASES[i].text) },
                                        CASES[i].axis, &out));
        CHECK(fabs(out - CASES[i].value) < 1e-7);
    }
}

static void texts_that_are_no_place(void)
{
    static const char *const WRONG[] = {
        "",    "N",      " ",     "48 deg 51' 27.72\"", "48,51.462",   "48 deg",  "91",    "-90.1",
        "91N", "-48.8N", "48.8E", "48.8577NN",          "48,51,27,5N", "48,-51N", "north", "1e3",
        "nan", "inf",    "48..5",
    };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        double out = 999;
        printf("# \"%s\"\n", WRONG[i]);
        CHECK(!metadata_parse_coordinate((slice) { WRONG[i], strlen(WRONG[i]) }, METADATA_LATITUDE,
                                         &out));
        CHECK(fabs(out - 999) < 1e-9);
    }
}

TAP_MAIN(TAP("degrees, minutes, seconds with their letter", degrees_minutes_seconds),
         TAP("a hemisphere must be known", a_hemisphere_must_be_known),
         TAP("places off the globe are none", places_off_the_globe_are_none),
         TAP("texts of every form", texts_of_every_form),
         TAP("texts that are no place", texts_that_are_no_place))
