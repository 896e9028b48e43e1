/* Dates and offsets of metadata: every layout that must be read, and what must not. */
#include "base/prelude.h"

#include "media/metadata_time.h"

#include "tap.h"

#define SECOND   INT64_C(1000000)
#define NOON_DAY (INT64_C(1564680862) * SECOND) /* 2019-08-01 17:34:22 */

static bool parse(const char *text, metadata_time *out)
{
    memset(out, 0x55, sizeof *out);
    return metadata_parse_time((slice) { text, strlen(text) }, out);
}

/* A text and what it must mean; offset NO_OFFSET: none. */
typedef struct time_case {
    const char *text;
    int64_t local_us;
    int32_t offset;
} time_case;

#define NO_OFFSET 9999

static void check_times(const time_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        metadata_time time;
        printf("# \"%s\"\n", cases[i].text);
        if (CHECK(parse(cases[i].text, &time))) {
            CHECK_INT(time.local_us, cases[i].local_us);
            CHECK_INT(time.has_offset, cases[i].offset != NO_OFFSET);
            CHECK_INT(time.offset_minutes, cases[i].offset != NO_OFFSET ? cases[i].offset : 0);
        }
    }
}

static void every_layout_is_read(void)
{
    static const time_case CASES[] = {
        { "2019:08:01 17:34:22", NOON_DAY, NO_OFFSET },
        { "2019-08-01 17:34:22", NOON_DAY, NO_OFFSET },
        { "2019/08/01 17:34:22", NOON_DAY, NO_OFFSET },
        { "2019:08:01 17:34:22+02:00", NOON_DAY, 120 },
        { "2019:08:01 17:34:22 +02:00", NOON_DAY, 120 },
        { "2019-08-01T17:34:22Z", NOON_DAY, 0 },
        { "2019-08-01T17:34:22z", NOON_DAY, 0 },
        { "2019-08-01T17:34:22-03:30", NOON_DAY, -210 },
        { "2019-08-01T17:34:22+0545", NOON_DAY, 345 },
        { "2019-08-01T17:34:22-07", NOON_DAY, -420 },
        { "2019-08-01T17:34", NOON_DAY - 22 * SECOND, NO_OFFSET },
        { "2019-08-01T17:34Z", NOON_DAY - 22 * SECOND, 0 },
        { "  2019:08:01 17:34:22\t", NOON_DAY, NO_OFFSET },
        { "2019: 8: 1 17:34:22", NOON_DAY, NO_OFFSET },
    };
    check_times(CASES, ARRAY_LEN(CASES));
}

static void fractions_have_one_to_nine_digits(void)
{
    static const time_case CASES[] = {
        { "2019:08:01 17:34:22.5", NOON_DAY + 500000, NO_OFFSET },
        { "2019:08:01 17:34:22,25", NOON_DAY + 250000, NO_OFFSET },
        { "2019:08:01 17:34:22.123456", NOON_DAY + 123456, NO_OFFSET },
        { "2019:08:01 17:34:22.123456789", NOON_DAY + 123456, NO_OFFSET },
        { "2019-08-01T17:34:22.000001+02:00", NOON_DAY + 1, 120 },
        { "2019-08-01T17:34:22.999999999Z", NOON_DAY + 999999, 0 },
    };
    metadata_time time;
    check_times(CASES, ARRAY_LEN(CASES));
    CHECK(!parse("2019:08:01 17:34:22.", &time));
    CHECK(!parse("2019:08:01 17:34:22.1234567890", &time));
    CHECK(!parse("2019:08:01 17:34:22.x", &time));
    CHECK(parse("2019:08:01 17:34:22.0", &time) && time.has_fraction);
    CHECK(parse("2019:08:01 17:34:22", &time) && !time.has_fraction);
}

static void nuls_end_the_text(void)
{
    metadata_time time;
    CHECK(metadata_parse_time(SLICE("2019:08:01 17:34:22\0"), &time));
    CHECK(metadata_parse_time(SLICE("2019:08:01 17:34:22\0garbage"), &time));
    CHECK_INT(time.local_us, NOON_DAY);
    CHECK(!metadata_parse_time(SLICE("\0002019:08:01 17:34:22"), &time));
    CHECK(!metadata_parse_time((slice) { NULL, 0 }, &time));
}

static void a_date_alone_is_midnight(void)
{
    metadata_time time;
    CHECK(parse("2019-08-01", &time));
    CHECK(!time.has_clock && !time.has_offset);
    CHECK_INT(time.local_us, INT64_C(1564617600) * SECOND);
    CHECK(parse("2019-08-01T00:00", &time));
    CHECK(time.has_clock);
    CHECK(!parse("2019-08-01Z", &time));
    CHECK(!parse("2019-08", &time));
    CHECK(!parse("2019", &time));
}

static void ends_of_the_calendar(void)
{
    static const time_case CASES[] = {
        { "1970:01:01 00:00:00", 0, NO_OFFSET },
        { "1969:12:31 23:59:59.5", -500000, NO_OFFSET },
        { "1800:01:01 00:00:00", INT64_C(-5364662400) * SECOND, NO_OFFSET },
        { "2199:12:31 23:59:59", INT64_C(7258118399) * SECOND, NO_OFFSET },
        { "2000:02:29 00:00:00", INT64_C(951782400) * SECOND, NO_OFFSET },
        { "2024:02:29 00:00:00", INT64_C(1709164800) * SECOND, NO_OFFSET },
        { "2000:03:01 00:00:00", INT64_C(951868800) * SECOND, NO_OFFSET },
    };
    check_times(CASES, ARRAY_LEN(CASES));
}

static void what_is_no_time_is_refused(void)
{
    static const char *const WRONG[] = {
        "",
        " ",
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2019:13:01 00:00:00",
        "2019:00:01 00:00:00",
        "2019:01:00 00:00:00",
        "2019:01:32 00:00:00",
        "2019:02:29 00:00:00",
        "1900:02:29 00:00:00",
        "2100:02:29 00:00:00",
        "2019:04:31 00:00:00",
        "2019:01:01 24:00:00",
        "2019:01:01 00:60:00",
        "2019:01:01 00:00:60",
        "1799:12:31 23:59:59",
        "2200:01:01 00:00:00",
        "9999:01:01 00:00:00",
        "19:01:01 00:00:00",
        "20190101 000000",
        "2019:01:01 00:00:00 noon",
        "2019:01:01 00:00:00+15:00",
        "2019:01:01 00:00:00+2:60",
        "2019:01:01 00:00:00 02:00",
        "2019:01:01 00:00:00++02:00",
        "2019:01:01  00:00",
        "2019-01-01T",
        "2019:01:01 12",
        "2019:  : 1 00:00:00",
        "yesterday",
        "2019:01:01 00:00:00ZZ",
        "-2019:01:01 00:00:00",
    };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        metadata_time time;
        printf("# \"%s\"\n", WRONG[i]);
        CHECK(!parse(WRONG[i], &time));
        CHECK_INT(time.offset_minutes, 0x55555555);
    }
}

static void offsets_are_read_with_and_without_sign(void)
{
    static const struct {
        const char *text;
        int32_t minutes;
    } CASES[] = {
        { "+2", 120 },
        { "-2", -120 },
        { "+02", 120 },
        { "+0200", 120 },
        { "+02:00", 120 },
        { "-03:30", -210 },
        { "+14:00", 840 },
        { "-14:00", -840 },
        { "Z", 0 },
        { "z", 0 },
        { "2", 120 },
        { "02:00", 120 },
        { "+5:45", 345 },
        { "+00:00", 0 },
        { "-00:00", 0 },
        { " +02:00 ", 120 },
        { "+02:00 DST", 120 },
        { "-5, -5", -300 },
        { "2 2", 120 },
        { "0", 0 },
    };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        int32_t minutes = 5555;
        printf("# \"%s\"\n", CASES[i].text);
        CHECK(metadata_parse_offset((slice) { CASES[i].text, strlen(CASES[i].text) }, &minutes));
        CHECK_INT(minutes, CASES[i].minutes);
    }
    CHECK(metadata_parse_offset(SLICE("+02:00\0"), &(int32_t) { 0 }));
}

static void what_is_no_offset_is_refused(void)
{
    static const char *const WRONG[] = { "",        "+",      "   :  ", "+15",     "+14:01",
                                         "-1401",   "+02:60", "+2000",  "UTC",     "+02:0",
                                         "+020",    "+2.5",   "+-2",    "+02:00x", "Zulu",
                                         ",+02:00", "150" };
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        int32_t minutes = 5555;
        printf("# \"%s\"\n", WRONG[i]);
        CHECK(!metadata_parse_offset((slice) { WRONG[i], strlen(WRONG[i]) }, &minutes));
        CHECK_INT(minutes, 5555);
    }
}

static void parts_of_a_second_are_read(void)
{
    static const struct {
        const char *text;
        int32_t us;
    } CASES[] = { { "5", 500000 },      { "50", 500000 },        { "05", 50000 },    { "00", 0 },
                  { "123456", 123456 }, { "123456789", 123456 }, { "70   ", 700000 } };
    static const char *const WRONG[] = { "", " ", "1234567890", "-5", "5.0", "x" };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        int32_t us = -1;
        CHECK(metadata_parse_subsecond((slice) { CASES[i].text, strlen(CASES[i].text) }, &us));
        CHECK_INT(us, CASES[i].us);
    }
    for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
        int32_t us = -1;
        CHECK(!metadata_parse_subsecond((slice) { WRONG[i], strlen(WRONG[i]) }, &us));
        CHECK_INT(us, -1);
    }
}

/* Against the C library, one day in 37 over the whole range. */
static void days_agree_with_the_c_library(void)
{
    for (int64_t day = -62091; day < 84006; day += 37) {
        time_t seconds = (time_t) (day * 86400);
        struct tm parts;
        REQUIRE(gmtime_r(&seconds, &parts) != NULL);
        if (metadata_days(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday) != day) {
            CHECK_INT(metadata_days(parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday), day);
        }
    }
    CHECK_INT(metadata_days(1970, 1, 1), 0);
}

TAP_MAIN(TAP("every layout is read", every_layout_is_read),
         TAP("fractions have one to nine digits", fractions_have_one_to_nine_digits),
         TAP("NULs end the text", nuls_end_the_text),
         TAP("a date alone is midnight", a_date_alone_is_midnight),
         TAP("first and last day, leap days", ends_of_the_calendar),
         TAP("what is no time is refused", what_is_no_time_is_refused),
         TAP("offsets are read with and without sign", offsets_are_read_with_and_without_sign),
         TAP("what is no offset is refused", what_is_no_offset_is_refused),
         TAP("parts of a second are read", parts_of_a_second_are_read),
         TAP("days agree with the C library", days_agree_with_the_c_library))
