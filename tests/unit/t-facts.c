/* The check of untrusted facts and of a whole answer. */
#include "base/prelude.h"

#include "media/answer.h"

#include "tap.h"

static media_facts good(void)
{
    media_facts facts;
    media_facts_init(&facts);
    facts.kind = MEDIA_PHOTO;
    facts.width = 4000;
    facts.height = 3000;
    (void) snprintf(facts.mime, sizeof facts.mime, "image/jpeg");
    (void) snprintf(facts.extension, sizeof facts.extension, "jpg");
    (void) snprintf(facts.description, sizeof facts.description,
                    "Sonne \xc3\xbc"
                    "ber\nMeer");
    return facts;
}

static void unknown_facts_are_good(void)
{
    media_facts facts;
    media_facts_init(&facts);
    CHECK_INT(facts.orientation, 1);
    CHECK_INT(facts.rating, -1);
    CHECK_INT(facts.duration_us, -1);
    facts.kind = MEDIA_AUDIO;
    pgc_error err;
    CHECK_STATUS(media_facts_check(&facts, &err), PGC_OK, &err);
    facts = good();
    CHECK_STATUS(media_facts_check(&facts, &err), PGC_OK, &err);
}

/* The field's name must be in the message. */
static void refused(const media_facts *facts, const char *field)
{
    pgc_error err;
    if (CHECK_STATUS(media_facts_check(facts, &err), PGC_INVALID, &err) &&
        !CHECK(strstr(err.message, field) != NULL)) {
        printf("# %s is not named by: %s\n", field, err.message);
    }
}

#define REFUSES(field, value)      \
    do {                           \
        media_facts bad_ = good(); \
        bad_.field = (value);      \
        refused(&bad_, #field);    \
    } while (0)

static void integers_out_of_range_are_refused(void)
{
    REFUSES(kind, 0);
    REFUSES(kind, 4);
    REFUSES(is_raw, 2);
    REFUSES(width, -1);
    REFUSES(width, 2000000);
    REFUSES(height, -1);
    REFUSES(height, INT32_MAX);
    REFUSES(orientation, 0);
    REFUSES(orientation, 9);
    REFUSES(iso, -1);
    REFUSES(rating, -2);
    REFUSES(rating, 6);
    REFUSES(has_gps, 2);
    REFUSES(has_altitude, -1);
    REFUSES(has_taken, 7);
    REFUSES(has_offset, 2);
    REFUSES(offset_minutes, 841);
    REFUSES(offset_minutes, -841);
    REFUSES(taken_source, -1);
    REFUSES(taken_source, 7);
    REFUSES(taken_local_us, INT64_MIN);
    REFUSES(taken_local_us, INT64_MAX);
    REFUSES(duration_us, -2);
    REFUSES(duration_us, INT64_MAX);
}

static void numbers_out_of_range_are_refused(void)
{
    REFUSES(aperture, -0.1);
    REFUSES(aperture, (double) NAN);
    REFUSES(focal_length_mm, -1.0);
    REFUSES(focal_length_mm, (double) INFINITY);
    REFUSES(latitude, 90.001);
    REFUSES(latitude, (double) NAN);
    REFUSES(longitude, -180.5);
    REFUSES(longitude, (double) INFINITY);
    REFUSES(altitude_m, (double) -INFINITY);
    REFUSES(altitude_m, (double) NAN);
}

#define REFUSES_TEXT(field)                                    \
    do {                                                       \
        media_facts bad_ = good();                             \
        memset(bad_.field, 'a', sizeof bad_.field);            \
        refused(&bad_, #field); /* not terminated */           \
        bad_ = good();                                         \
        memcpy(bad_.field, "a\xff", 3);                        \
        refused(&bad_, #field); /* not UTF-8 */                \
        memcpy(bad_.field, "a\x1b", 3);                        \
        refused(&bad_, #field); /* a terminal would obey it */ \
    } while (0)

static void texts_must_be_clean(void)
{
    REFUSES_TEXT(mime);
    REFUSES_TEXT(extension);
    REFUSES_TEXT(camera_make);
    REFUSES_TEXT(camera_model);
    REFUSES_TEXT(lens_model);
    REFUSES_TEXT(shutter_speed);
    REFUSES_TEXT(description);
    media_facts facts = good();
    memcpy(facts.extension, "../x", 5);
    refused(&facts, "extension");
}

static wire_answer good_answer(void)
{
    wire_answer answer = { .outcome = WIRE_REPLIED };
    answer.reply = (wire_reply) { .kind = WIRE_REPLY, .size = sizeof answer.reply };
    answer.reply.report.facts = good();
    for (int i = 0; i < MEDIA_SIZE_COUNT; i++) {
        answer.reply.report.thumbnails[i] = (media_thumbnail) { 300, 200, 1000 };
    }
    return answer;
}

static const media_limits LIMITS = { .wall_us = 1000000, .cpu_seconds = 2, .output_bytes = 5000 };

static void good_answers_pass(void)
{
    pgc_error err;
    media_report report;
    wire_answer answer = good_answer();
    REQUIRE_OK(media_answer_check(&answer, &LIMITS, &report, &err), &err);
    CHECK_INT(report.facts.width, 4000);
    CHECK_INT(report.thumbnails[MEDIA_LARGE].file_size, 1000);
}

static void impossible_answers_are_crashes(void)
{
    pgc_error err;
    media_report report;
    wire_answer answer = good_answer();
    answer.reply.report.facts.latitude = 1000;
    CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), LUM_MEDIA_CRASHED, &err);
    answer = good_answer();
    answer.reply.report.thumbnails[MEDIA_SMALL].width = 401;
    CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), LUM_MEDIA_CRASHED, &err);
    answer = good_answer();
    answer.reply.report.thumbnails[MEDIA_SMALL].file_size = 5001;
    CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), LUM_MEDIA_CRASHED, &err);
    answer = good_answer();
    answer.reply.report.thumbnails[MEDIA_SMALL].file_size = 0;
    CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), LUM_MEDIA_CRASHED, &err);
    answer = good_answer();
    answer.reply.size = 5;
    CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), LUM_MEDIA_CRASHED, &err);
    answer = good_answer();
    answer.reply.status = PGC_CONNECTION;
    CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), LUM_MEDIA_CRASHED, &err);
    answer.outcome = 77;
    CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), PGC_PROTOCOL, &err);
}

static void reasons_are_made_printable(void)
{
    pgc_error err;
    media_report report;
    wire_answer answer = good_answer();
    answer.reply.status = LUM_MEDIA_CORRUPT;
    memset(answer.reply.reason, '\x1b', sizeof answer.reply.reason);
    CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), LUM_MEDIA_CORRUPT, &err);
    CHECK(strchr(err.message, '\x1b') == NULL);
    CHECK(strlen(err.message) < sizeof answer.reply.reason);
}

static void ends_of_children_have_their_class(void)
{
    static const struct {
        int outcome, signal;
        pgc_status status;
        const char *words;
    } ROWS[] = {
        { WIRE_SIGNALLED, SIGSEGV, LUM_MEDIA_CRASHED, "SIGSEGV" },
        { WIRE_SIGNALLED, SIGABRT, LUM_MEDIA_CRASHED, "SIGABRT" },
        { WIRE_SIGNALLED, SIGXCPU, LUM_MEDIA_LIMIT, "2 seconds" },
        { WIRE_SIGNALLED, SIGXFSZ, LUM_MEDIA_LIMIT, "5000 bytes" },
        { WIRE_SIGNALLED, SIGKILL, LUM_MEDIA_LIMIT, "memory" },
        { WIRE_REFUSED_CALL, 0, LUM_MEDIA_CRASHED, "openat" },
        { WIRE_TIMED_OUT, SIGKILL, LUM_MEDIA_LIMIT, "1000 ms" },
        { WIRE_NO_REPLY, 3, LUM_MEDIA_CRASHED, "exit 3" },
        { WIRE_NO_CHILD, EAGAIN, PGC_IO, "process" },
    };
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        wire_answer answer = { .outcome = ROWS[i].outcome, .signal = ROWS[i].signal };
        memcpy(answer.detail, "openat", 7);
        pgc_error err;
        media_report report;
        CHECK_STATUS(media_answer_check(&answer, &LIMITS, &report, &err), ROWS[i].status, &err);
        if (!CHECK(strstr(err.message, ROWS[i].words) != NULL)) {
            printf("# %s\n", err.message);
        }
    }
}

static void every_status_has_a_text(void)
{
    CHECK_STR(lum_status_text(LUM_MEDIA_CORRUPT), "damaged or truncated file");
    CHECK_STR(lum_status_text(PGC_NOMEM), "out of memory");
    CHECK_STR(lum_status_text((pgc_status) 4711), "unknown status");
}

TAP_MAIN(TAP("unknown and good facts pass", unknown_facts_are_good),
         TAP("integers out of range are refused by name", integers_out_of_range_are_refused),
         TAP("numbers out of range are refused by name", numbers_out_of_range_are_refused),
         TAP("texts must be terminated, UTF-8 and printable", texts_must_be_clean),
         TAP("good answers pass", good_answers_pass),
         TAP("impossible answers count as crashes", impossible_answers_are_crashes),
         TAP("reasons are made printable", reasons_are_made_printable),
         TAP("each end of a child has its class", ends_of_children_have_their_class),
         TAP("every status has a text", every_status_has_a_text))
