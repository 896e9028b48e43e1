/* Log lines. */
#include "base/prelude.h"

#include "base/log.h"

#include "tap.h"

typedef struct capture {
    int lines;
    log_level level;
    char area[32];
    char text[2048];
} capture;

static void take(void *ctx, log_level level, const char *area, const char *line)
{
    capture *c = (capture *) ctx;
    c->lines++;
    c->level = level;
    (void) snprintf(c->area, sizeof c->area, "%s", area);
    (void) snprintf(c->text, sizeof c->text, "%s", line);
}

static void lines_reach_the_sink(void)
{
    capture c = { 0 };
    const log_sink sink = { &c, LOG_INFO, take };
    log_line(&sink, LOG_WARN, "pool", "lost %d", 3);
    CHECK_INT(c.lines, 1);
    CHECK_INT(c.level, LOG_WARN);
    CHECK_STR(c.area, "pool");
    CHECK_STR(c.text, "lost 3");
}

static void lines_below_the_level_are_dropped(void)
{
    capture c = { 0 };
    const log_sink sink = { &c, LOG_WARN, take };
    log_line(&sink, LOG_INFO, "pool", "x");
    CHECK_INT(c.lines, 0);
    log_line(&sink, LOG_WARN, "pool", "x");
    CHECK_INT(c.lines, 1);
    log_line(NULL, LOG_ERROR, "pool", "dropped");
    const log_sink silent = { NULL, LOG_DEBUG, NULL };
    log_line(&silent, LOG_ERROR, "pool", "dropped");
}

static void control_characters_are_made_harmless(void)
{
    capture c = { 0 };
    const log_sink sink = { &c, LOG_DEBUG, take };
    log_line(&sink, LOG_INFO, "x", "%s", "a\nb\x1B[31m\x7F\tgr\xC3\xBC");
    CHECK_STR(c.text, "a?b?[31m??gr\xC3\xBC");
}

static void long_lines_are_cut(void)
{
    capture c = { 0 };
    const log_sink sink = { &c, LOG_DEBUG, take };
    log_line(&sink, LOG_INFO, "x", "%05000d", 1);
    CHECK_INT(strlen(c.text), 1023);
}

static void levels_have_texts(void)
{
    CHECK_STR(log_level_text(LOG_DEBUG), "debug");
    CHECK_STR(log_level_text(LOG_ERROR), "error");
    CHECK_STR(log_level_text((log_level) 99), "unknown");
}

TAP_MAIN(TAP("log: lines reach the sink", lines_reach_the_sink),
         TAP("log: lines below the level are dropped", lines_below_the_level_are_dropped),
         TAP("log: control characters are made harmless", control_characters_are_made_harmless),
         TAP("log: long lines are cut", long_lines_are_cut),
         TAP("log: levels have texts", levels_have_texts))
