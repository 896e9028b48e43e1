#ifndef LUMILIO_STATUS_H
#define LUMILIO_STATUS_H

#include <pgc/error.h>

PGC_BEGIN_DECLS

/* Statuses of the domain; they travel in pgc_status and pgc_error. Append, never reuse a number. */
#define LUM_NOT_MEDIA         ((pgc_status) 1000)
#define LUM_MEDIA_CORRUPT     ((pgc_status) 1001)
#define LUM_MEDIA_LIMIT       ((pgc_status) 1002)
#define LUM_MEDIA_CRASHED     ((pgc_status) 1003)
#define LUM_SOURCE_CHANGED    ((pgc_status) 1004)
#define LUM_SOURCE_UNREADABLE ((pgc_status) 1005)
#define LUM_BAD_NAME          ((pgc_status) 1006)
#define LUM_NO_SCHEMA         ((pgc_status) 1007)
#define LUM_BAD_CREDENTIALS   ((pgc_status) 1020)
#define LUM_TOO_MANY_ATTEMPTS ((pgc_status) 1021)
#define LUM_TOKEN_INVALID     ((pgc_status) 1022)
#define LUM_TOKEN_EXPIRED     ((pgc_status) 1023)
#define LUM_SESSION_ENDED     ((pgc_status) 1024)

/** Each status of the domain and its text. */
#define LUM_STATUS_MAP(X)                                                  \
    X(LUM_NOT_MEDIA, "not a photo, video or recording")                    \
    X(LUM_MEDIA_CORRUPT, "damaged or truncated file")                      \
    X(LUM_MEDIA_LIMIT, "file needs more than the limits allow")            \
    X(LUM_MEDIA_CRASHED, "parser stopped by the sandbox or a crash")       \
    X(LUM_SOURCE_CHANGED, "file changed or vanished while it was read")    \
    X(LUM_SOURCE_UNREADABLE, "file or folder cannot be read")              \
    X(LUM_BAD_NAME, "name cannot be used")                                 \
    X(LUM_NO_SCHEMA, "database schema is missing or not the expected one") \
    X(LUM_BAD_CREDENTIALS, "user name or password is wrong")               \
    X(LUM_TOO_MANY_ATTEMPTS, "too many attempts")                          \
    X(LUM_TOKEN_INVALID, "token is not valid")                             \
    X(LUM_TOKEN_EXPIRED, "token has expired")                              \
    X(LUM_SESSION_ENDED, "session has ended")

/**
 * Text of any status, pgc's and the domain's.
 *
 * @return static text.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API const char *lum_status_text(pgc_status status);

PGC_END_DECLS

#endif
