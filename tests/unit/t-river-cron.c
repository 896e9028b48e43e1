/* Cron expressions and the times they name. */
#include "base/prelude.h"

#include "river/cron.h"
#include "river/timetext.h"

#include "base/buf.h"
#include "tap.h"

static void check_next(const char *expression, const char *after, const char *expected)
{
    cron schedule;
    pgc_error err;
    pgc_timestamptz from;
    pgc_timestamp next;
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 100);
    REQUIRE(time_parse_rfc3339((slice) { after, strlen(after) }, &from));
    REQUIRE_OK(cron_parse((slice) { expression, strlen(expression) }, &schedule, &err), &err);
    if (!cron_next(&schedule, (pgc_timestamp) { from.us }, &next)) {
        CHECK_STR("never", expected);
        return;
    }
    time_add_rfc3339(&text, (pgc_timestamptz) { next.us });
    CHECK_STR(text.ptr, expected);
}

static void next_times(void)
{
    static const struct {
        const char *expression, *after, *expected;
    } cases[] = {
        { "* * * * *", "2026-08-07T14:32:57Z", "2026-08-07T14:33:00Z" },
        { "* * * * *", "2026-08-07T14:33:00Z", "2026-08-07T14:34:00Z" },
        { "*/15 * * * *", "2026-08-07T14:46:00Z", "2026-08-07T15:00:00Z" },
        { "5-59/20 * * * *", "2026-08-07T14:46:00Z", "2026-08-07T15:05:00Z" },
        { "30 3 * * *", "2026-12-31T03:30:00Z", "2027-01-01T03:30:00Z" },
        { "0 0 29 2 *", "2026-08-07T00:00:00Z", "2028-02-29T00:00:00Z" },
        { "0 12 * * mon-fri", "2026-08-07T13:00:00Z", "2026-08-10T12:00:00Z" },
        { "0 0 * * 7", "2026-08-07T13:00:00Z", "2026-08-09T00:00:00Z" },
        { "0 0 13 * fri", "2026-08-07T13:00:00Z", "2026-08-13T00:00:00Z" },  /* either */
        { "0 0 */2 * fri", "2026-08-01T13:00:00Z", "2026-08-07T00:00:00Z" }, /* both */
        { "0 0 1 JAN,jul *", "2026-08-01T13:00:00Z", "2027-01-01T00:00:00Z" },
        { "@hourly", "1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z" },
        { "@weekly", "2026-08-07T13:00:00Z", "2026-08-09T00:00:00Z" },
        { "0 0 31 2 *", "2026-08-07T13:00:00Z", "never" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        check_next(cases[i].expression, cases[i].after, cases[i].expected);
    }
}

static void faults_name_the_field(void)
{
    static const struct {
        const char *expression, *message;
    } cases[] = {
        { "", "the minute is missing" },
        { "* * * *", "the weekday is missing" },
        { "* * * * * *", "more than five fields" },
        { "60 * * * *", "'60' is no minute (0 to 59)" },
        { "* 5-2 * * *", "'5-2' is no hour" },
        { "* * 0 * *", "'0' is no day (1 to 31)" },
        { "* * * foo *", "'foo' is no month" },
        { "* * * * 1,,2", "'' is no weekday" },
        { "*/0 * * * *", "'*/0' is no minute" },
        { "+5 * * * *", "'+5' is no minute" },
        { "@never", "'@never' is no minute" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cron schedule;
        pgc_error err;
        slice text = { cases[i].expression, strlen(cases[i].expression) };
        CHECK_INT(cron_parse(text, &schedule, &err), PGC_INVALID);
        if (strstr(err.message, cases[i].message) == NULL) {
            CHECK_STR(err.message, cases[i].message);
        }
    }
}

static void times_as_text_and_back(void)
{
    static const struct {
        const char *text, *again; /* NULL: refused */
    } cases[] = {
        { "2026-08-07T14:32:57Z", "2026-08-07T14:32:57Z" },
        { "2026-08-07T14:32:57.120000Z", "2026-08-07T14:32:57.12Z" },
        { "2026-08-07T14:32:57.000001999+02:00", "2026-08-07T12:32:57.000001Z" },
        { "1969-12-31T23:59:59.5-00:30", "1970-01-01T00:29:59.5Z" },
        { "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z" },
        { "2026-02-29T00:00:00Z", NULL },
        { "2026-13-01T00:00:00Z", NULL },
        { "2026-08-07 14:32:57Z", NULL },
        { "2026-08-07T14:32:57", NULL },
        { "2026-08-07T14:32:57.Z", NULL },
        { "2026-08-07T24:00:00Z", NULL },
        { "2026-08-07T14:32:57.1234567890Z", NULL },
        { "2026-08-07T14:32:57+2:00", NULL },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        pgc_timestamptz at;
        bool good = time_parse_rfc3339((slice) { cases[i].text, strlen(cases[i].text) }, &at);
        CHECK(good == (cases[i].again != NULL));
        if (!good) {
            continue;
        }
        AUTO(buf_auto) buf text;
        buf_init(&text, NULL, 100);
        time_add_rfc3339(&text, at);
        CHECK_STR(text.ptr, cases[i].again);
    }
}

TAP_MAIN(TAP("river cron: next times", next_times),
         TAP("river cron: faults name the field", faults_name_the_field),
         TAP("river time: as text and back", times_as_text_and_back))
