/* Errors of the whole tree: one caller-owned struct, filled where a call fails and prefixed on the
 * way up. No heap, so it works when memory is gone. Arguments of the printf-like calls may point
 * into the error itself: texts are formatted aside first. One thread per error. */
#include "base/prelude.h"

#include <pgc/error.h>

void pgc_error_clear(pgc_error *err)
{
    if (err != NULL) {
        memset(err, 0, sizeof *err);
    }
}

/* The text is made before the old one is cleared: it may be among the arguments. */
pgc_status pgc_error_set_at(pgc_error *err, pgc_status status, const char *file, int32_t line,
                            const char *fmt, ...)
{
    if (err == NULL) {
        return status;
    }
    char message[sizeof err->message];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    pgc_error_clear(err);
    err->status = status;
    err->file = file;
    err->line = line;
    memcpy(err->message, message, strlen(message) + 1);
    return status;
}

/* Appends what fits; gives the new length. */
static size_t append(char *text, size_t size, size_t len, const char *more)
{
    assert(len < size);
    size_t room = size - 1 - len;
    size_t count = strnlen(more, room);
    memcpy(text + len, more, count);
    text[len + count] = '\0';
    return len + count;
}

/* Only what a caller would act on differently has a status of its own. */
static pgc_status status_from_errno(int32_t os_errno)
{
    if (os_errno == ENOMEM) {
        return PGC_NOMEM;
    }
    return os_errno == EACCES || os_errno == EPERM ? PGC_DENIED : PGC_IO;
}

pgc_status pgc_error_errno(pgc_error *err, int32_t os_errno, const char *fmt, ...)
{
    pgc_status status = status_from_errno(os_errno);
    if (err == NULL) {
        return status;
    }
    char message[sizeof err->message];
    char reason[128];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    /* The GNU variant: thread-safe, may return a text of its own instead of the buffer. */
    const char *text = strerror_r(os_errno, reason, sizeof reason);
    pgc_error_clear(err);
    err->status = status;
    err->os_errno = os_errno;
    /* A long message is cut, never the reason behind it. */
    size_t len = append(err->message, sizeof err->message - strlen(text) - 2, 0, message);
    len = append(err->message, sizeof err->message, len, ": ");
    (void) append(err->message, sizeof err->message, len, text);
    return status;
}

pgc_status pgc_error_wrap(pgc_error *err, pgc_status status, const char *fmt, ...)
{
    if (err == NULL || status == PGC_OK) {
        return status;
    }
    char message[sizeof err->message];
    va_list args;
    va_start(args, fmt);
    int used = vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    size_t len = used < 0 ? 0 : strlen(message);
    len = append(message, sizeof message, len, ": ");
    (void) append(message, sizeof message, len, err->message);
    memcpy(err->message, message, strlen(message) + 1);
    return status;
}

void pgc_error_hint(pgc_error *err, const char *fmt, ...)
{
    if (err == NULL) {
        return;
    }
    char hint[sizeof err->hint];
    va_list args;
    va_start(args, fmt);
    (void) vsnprintf(hint, sizeof hint, fmt, args);
    va_end(args);
    memcpy(err->hint, hint, strlen(hint) + 1);
}

/* A loop over the table: a switch would have to name the numbers of the domain above as well. */
const char *pgc_status_text(pgc_status status)
{
    static const struct {
        pgc_status status;
        const char *text;
    } TEXTS[] = {
#define X(name, number, text) { PGC_##name, text },
        PGC_STATUS_MAP(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        if (TEXTS[i].status == status) {
            return TEXTS[i].text;
        }
    }
    return "unknown status";
}
