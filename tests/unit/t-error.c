/* Errors: filling, wrapping, cutting. */
#include "base/prelude.h"

#include <pgc/error.h>

#include "tap.h"

static void set_fills_status_and_place(void)
{
    pgc_error err;
    memset(&err, 0x5A, sizeof err);
    CHECK_INT(pgc_error_set(&err, PGC_INVALID, "read %s: %d", "x", 7), PGC_INVALID);
    CHECK_INT(err.status, PGC_INVALID);
    CHECK_STR(err.message, "read x: 7");
    CHECK_STR(err.sqlstate, "");
    CHECK_STR(err.hint, "");
    CHECK(!err.retry);
    CHECK_INT(err.os_errno, 0);
    CHECK(err.file != NULL);
    CHECK(err.line > 0);
}

static void null_error_is_allowed(void)
{
    pgc_error_clear(NULL);
    CHECK_INT(pgc_error_set(NULL, PGC_NOMEM, "x"), PGC_NOMEM);
    CHECK_INT(pgc_error_errno(NULL, ENOENT, "x"), PGC_IO);
    CHECK_INT(pgc_error_wrap(NULL, PGC_IO, "x"), PGC_IO);
    pgc_error_hint(NULL, "x");
}

static void arguments_may_point_into_the_error(void)
{
    pgc_error err;
    (void) pgc_error_set(&err, PGC_IO, "inner");
    (void) pgc_error_set(&err, PGC_DB, "outer of %s", err.message);
    CHECK_STR(err.message, "outer of inner");
    (void) pgc_error_wrap(&err, PGC_DB, "<%s>", err.message);
    CHECK_STR(err.message, "<outer of inner>: outer of inner");
}

static void errno_gives_status_and_text(void)
{
    static const struct {
        int os_errno;
        pgc_status status;
    } CASES[] = { { ENOMEM, PGC_NOMEM }, { EACCES, PGC_DENIED }, { EPERM, PGC_DENIED },
                  { ENOSPC, PGC_IO },    { EROFS, PGC_IO },      { ENOENT, PGC_IO } };
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        pgc_error err;
        CHECK_INT(pgc_error_errno(&err, CASES[i].os_errno, "open %s", "a"), CASES[i].status);
        CHECK_INT(err.status, CASES[i].status);
        CHECK_INT(err.os_errno, CASES[i].os_errno);
        CHECK(strstr(err.message, "open a: ") == err.message);
        CHECK(strlen(err.message) > strlen("open a: "));
    }
}

static void wrap_puts_context_in_front(void)
{
    pgc_error err;
    (void) pgc_error_errno(&err, ENOSPC, "write");
    CHECK_INT(pgc_error_wrap(&err, PGC_IO, "import %d", 3), PGC_IO);
    CHECK(strstr(err.message, "import 3: write: ") == err.message);
    CHECK_INT(err.os_errno, ENOSPC);
    CHECK_INT(pgc_error_wrap(&err, PGC_OK, "not used"), PGC_OK);
    CHECK(strstr(err.message, "not used") == NULL);
}

static void long_texts_are_cut_not_overrun(void)
{
    char text[2000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    pgc_error err;
    (void) pgc_error_set(&err, PGC_IO, "%s", text);
    CHECK_INT(strlen(err.message), sizeof err.message - 1);
    (void) pgc_error_wrap(&err, PGC_IO, "%s", text);
    CHECK_INT(strlen(err.message), sizeof err.message - 1);
    pgc_error_hint(&err, "%s", text);
    CHECK_INT(strlen(err.hint), sizeof err.hint - 1);
    /* The reason survives a long message. */
    (void) pgc_error_errno(&err, ENOSPC, "%s", text);
    CHECK_INT(strlen(err.message), sizeof err.message - 1);
    CHECK(strstr(err.message, strerrordesc_np(ENOSPC)) != NULL);
}

static void every_status_has_a_text(void)
{
    CHECK_STR(pgc_status_text(PGC_OK), "success");
    CHECK_STR(pgc_status_text(PGC_CLOSED), "object is closed");
    CHECK_STR(pgc_status_text(PGC_STATUS_DOMAIN), "unknown status");
}

TAP_MAIN(TAP("error: set fills status, message and place", set_fills_status_and_place),
         TAP("error: NULL is allowed everywhere", null_error_is_allowed),
         TAP("error: arguments may point into the error", arguments_may_point_into_the_error),
         TAP("error: errno gives status and text", errno_gives_status_and_text),
         TAP("error: wrap puts context in front", wrap_puts_context_in_front),
         TAP("error: long texts are cut", long_texts_are_cut_not_overrun),
         TAP("error: every status has a text", every_status_has_a_text))
