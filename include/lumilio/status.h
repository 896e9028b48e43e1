#ifndef LUMILIO_STATUS_H
#define LUMILIO_STATUS_H

#include <pgc/error.h>

PGC_BEGIN_DECLS

/** Statuses of the domain: name, number, text. They travel in pgc_status and pgc_error. */
#define LUM_STATUS_MAP(X)                                                 \
    X(NOT_MEDIA, 1000, "not a photo, video or recording")                 \
    X(MEDIA_CORRUPT, 1001, "damaged or truncated file")                   \
    X(MEDIA_LIMIT, 1002, "file needs more than the limits allow")         \
    X(MEDIA_CRASHED, 1003, "parser stopped by the sandbox or a crash")    \
    X(SOURCE_CHANGED, 1004, "file changed or vanished while it was read") \
    X(SOURCE_UNREADABLE, 1005, "file or folder cannot be read")           \
    X(BAD_NAME, 1006, "name cannot be used")                              \
    X(NO_SCHEMA, 1007, "database schema is missing or not the expected one")

enum lum_status {
#define X(name, number, text) LUM_##name = number,
    LUM_STATUS_MAP(X)
#undef X
};

/** Text of any status, pgc's and the domain's. Static. */
PGC_API const char *lum_status_text(pgc_status status);

PGC_END_DECLS

#endif
