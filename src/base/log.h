/* Log lines for an operator. A function either logs or returns the error, never both. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level;

/* Where lines go. write gets one finished line without newline; it may be called by any thread. */
typedef struct log_sink {
    void *ctx;
    log_level level; /* lines below it are dropped */
    void (*write)(void *ctx, log_level level, const char *area, const char *line);
} log_sink;

/* area: lower-case module name such as "pool". Lines are cut at 1 KiB; control characters become
 * '?'. sink NULL drops the line. */
void log_line(const log_sink *sink, log_level level, const char *area, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
const char *log_level_text(log_level level);

#endif
