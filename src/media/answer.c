/* Turns the end of a confined child into one of the domain's statuses. Invariant: texts that the
 * child wrote are made printable before they go into a message. Pure, any thread. */
#include "base/prelude.h"

#include "media/answer.h"

/* Copy of untrusted text: printable ASCII, everything else becomes '?'. */
static void copy_clean(const char *text, size_t room, char *out, size_t out_room)
{
    size_t len = 0;
    while (len < room && len + 1 < out_room && text[len] != '\0') {
        unsigned char c = (unsigned char) text[len];
        out[len] = (char) (c >= 0x20 && c < 0x7f ? c : '?');
        len++;
    }
    out[len] = '\0';
}

/* A thumbnail that was not made is all zero; one that was fits its square and its limit. */
static pgc_status check_thumbnail(const media_thumbnail *made, const media_limits *limits,
                                  media_size size, pgc_error *err)
{
    bool none = made->width == 0 && made->height == 0 && made->file_size == 0;
    int32_t side = media_size_pixels(size);
    bool fits = made->width > 0 && made->width <= side && made->height > 0 &&
                made->height <= side && made->file_size > 0 &&
                made->file_size <= limits->output_bytes;
    if (!none && !fits) {
        return pgc_error_set(err, LUM_MEDIA_CRASHED,
                             "parser answers with an impossible %s thumbnail",
                             media_size_text(size));
    }
    return PGC_OK;
}

/* Facts and thumbnails in range, or the child counts as taken over: an honest one checks what it
 * stores. */
static pgc_status check_report(const media_report *report, const media_limits *limits,
                               media_report *out, pgc_error *err)
{
    pgc_error why;
    if (media_facts_check(&report->facts, &why) != PGC_OK) {
        return pgc_error_set(err, LUM_MEDIA_CRASHED, "parser answers with impossible facts: %s",
                             why.message);
    }
    for (size_t i = 0; i < MEDIA_SIZE_COUNT; i++) {
        TRY(check_thumbnail(&report->thumbnails[i], limits, (media_size) i, err));
    }
    *out = *report;
    return PGC_OK;
}

/* A reply is a report, or one of the few refusals that a child may give; its reason is text of the
 * child and goes through copy_clean(). */
static pgc_status check_reply(const wire_reply *reply, const media_limits *limits,
                              media_report *out, pgc_error *err)
{
    if (reply->kind != WIRE_REPLY || reply->size != sizeof *reply) {
        return pgc_error_set(err, LUM_MEDIA_CRASHED,
                             "parser answers with something else than a report");
    }
    if (reply->status == PGC_OK) {
        return check_report(&reply->report, limits, out, err);
    }
    char reason[256];
    copy_clean(reply->reason, sizeof reply->reason, reason, sizeof reason);
    static const pgc_status EXPECTED[] = { LUM_NOT_MEDIA, LUM_MEDIA_CORRUPT, LUM_MEDIA_LIMIT,
                                           LUM_SOURCE_CHANGED, PGC_IO };
    for (size_t i = 0; i < ARRAY_LEN(EXPECTED); i++) {
        if (reply->status == (int32_t) EXPECTED[i]) {
            return pgc_error_set(err, EXPECTED[i], "%s", reason);
        }
    }
    return pgc_error_set(err, LUM_MEDIA_CRASHED, "parser gave up (%d): %s", (int) reply->status,
                         reason);
}

/* A child that a limit stopped is not a crash: the file asks for too much. */
static pgc_status from_signal(int signal_number, const media_limits *limits, pgc_error *err)
{
    switch (signal_number) {
    case SIGXCPU:
        return pgc_error_set(err, LUM_MEDIA_LIMIT,
                             "file needs over %" PRId64 " seconds of computing",
                             limits->cpu_seconds);
    case SIGXFSZ:
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "thumbnail over %" PRId64 " bytes",
                             limits->output_bytes);
    case SIGKILL:
        return pgc_error_set(err, LUM_MEDIA_LIMIT,
                             "parser was killed by the system, likely for lack of memory");
    default: {
        const char *name = sigabbrev_np(signal_number);
        return pgc_error_set(err, LUM_MEDIA_CRASHED, "parser ended by SIG%s",
                             name != NULL ? name : "?");
    }
    }
}

pgc_status media_answer_check(const wire_answer *answer, const media_limits *limits,
                              media_report *out, pgc_error *err)
{
    char detail[sizeof answer->detail];
    copy_clean(answer->detail, sizeof answer->detail, detail, sizeof detail);
    switch (answer->outcome) {
    case WIRE_REPLIED:
        return check_reply(&answer->reply, limits, out, err);
    case WIRE_SIGNALLED:
        return from_signal(answer->signal, limits, err);
    case WIRE_REFUSED_CALL:
        return pgc_error_set(err, LUM_MEDIA_CRASHED, "parser tried the forbidden system call %s",
                             detail);
    case WIRE_TIMED_OUT:
        return pgc_error_set(err, LUM_MEDIA_LIMIT, "file needs over %" PRId64 " ms to read",
                             limits->wall_us / 1000);
    case WIRE_NO_REPLY:
        return pgc_error_set(err, LUM_MEDIA_CRASHED, "parser ended without an answer (exit %d)",
                             (int) answer->signal);
    case WIRE_NO_CHILD:
        return pgc_error_errno(err, answer->signal, "make a process for the parser");
    default:
        return pgc_error_set(err, PGC_PROTOCOL, "media helper sent outcome %d",
                             (int) answer->outcome);
    }
}
