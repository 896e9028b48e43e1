/* Log lines: formatted into a bounded local buffer, made harmless for terminals and line-based
 * readers, then handed to the sink. Thread-safe when the sink is. */
#include "base/prelude.h"

#include "base/log.h"

#define LINE_SIZE 1024

/* A line break inside a text that came from outside would forge a second line, an escape sequence
 * would reach a terminal: both become question marks. UTF-8 passes. */
void log_line(const log_sink *sink, log_level level, const char *area, const char *fmt, ...)
{
    if (sink == NULL || sink->write == NULL || level < sink->level) {
        return;
    }
    char line[LINE_SIZE];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    if (len < 0) {
        return;
    }
    for (char *at = line; *at != '\0'; at++) {
        if ((unsigned char) *at < 0x20 || *at == 0x7F) {
            *at = '?';
        }
    }
    sink->write(sink->ctx, level, area, line);
}

const char *log_level_text(log_level level)
{
    static const char *const TEXTS[] = {
        [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"
    };
    return (size_t) level < ARRAY_LEN(TEXTS) ? TEXTS[level] : "unknown";
}
