/* Progress of long work. One bar, drawn by one thread at a time. */
#include "cli/prelude.h"

#include "cli/progress.h"

#include "base/clock.h"

#define BAR_WIDTH      24
#define BAR_PERIOD_US  100000   /* ten times a second on a terminal */
#define LINE_PERIOD_US 10000000 /* every ten seconds elsewhere */

static int64_t now_us(void)
{
    const clock_ops *clock = clock_os();
    return clock->mono_us(clock->ctx);
}

/* A bar is for eyes; a file or a pipe gets a line now and then. */
void progress_start(progress_bar *bar, const char *label)
{
    *bar = (progress_bar) { .label = label,
                            .on_terminal = isatty(STDERR_FILENO) == 1,
                            .start_us = now_us() };
    bar->last_us = bar->start_us;
}

double progress_seconds(const progress_bar *bar)
{
    return (double) (now_us() - bar->start_us) / 1e6;
}

/* The average rate since the start: files differ too much for a shorter memory. 100 hours is the
 * most that is shown. */
static void time_left(char *out, size_t size, uint64_t left, double rate)
{
    if (rate <= 0) {
        (void) snprintf(out, size, "--:--");
        return;
    }
    double seconds = (double) left / rate;
    unsigned whole = seconds < 359999 ? (unsigned) (seconds + 0.5) : 359999;
    (void) snprintf(out, size, whole >= 3600 ? "%u:%02u:%02u" : "%.0u%02u:%02u", whole / 3600,
                    whole / 60 % 60, whole % 60);
}

/* While the walk goes on the total grows, so there is a "+" and no time left. */
static void draw_bar(progress_bar *bar, uint64_t done, uint64_t total, bool total_known)
{
    char fill[BAR_WIDTH + 1];
    char left[24] = "counting";
    double rate = (double) done / (progress_seconds(bar) + 1e-6);
    uint64_t full = total > 0 ? done * BAR_WIDTH / total : 0;
    for (uint64_t i = 0; i < BAR_WIDTH; i++) {
        fill[i] = i < full ? '#' : '.';
    }
    fill[BAR_WIDTH] = '\0';
    if (total_known) {
        time_left(left, sizeof left, total - done, rate);
    }
    (void) fprintf(stderr, "\r\033[K%s [%s] %" PRIu64 "/%" PRIu64 "%s  %.1f files/s  %s%s",
                   bar->label, fill, done, total, total_known ? "" : "+", rate, left,
                   total_known ? " left" : "");
    (void) fflush(stderr);
    bar->drawn = true;
}

void progress_update(progress_bar *bar, uint64_t done, uint64_t total, bool total_known)
{
    int64_t now = now_us();
    if (now - bar->last_us < (bar->on_terminal ? BAR_PERIOD_US : LINE_PERIOD_US)) {
        return;
    }
    bar->last_us = now;
    if (bar->on_terminal) {
        draw_bar(bar, done, total, total_known);
    } else {
        (void) fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 "%s files\n", bar->label, done, total,
                       total_known ? "" : " or more");
    }
}

/* So that the next line of text does not end up behind half a bar. */
void progress_clear(progress_bar *bar)
{
    if (bar->drawn) {
        (void) fprintf(stderr, "\r\033[K");
        (void) fflush(stderr);
        bar->drawn = false;
    }
}
