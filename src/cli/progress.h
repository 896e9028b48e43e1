/* Progress of long work: a bar on a terminal, a plain line now and then otherwise, on stderr. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress_bar {
    const char *label;
    bool on_terminal;
    bool drawn;       /* a bar stands on the current line */
    int64_t start_us; /* monotonic */
    int64_t last_us;  /* of the last output */
} progress_bar;

void progress_start(progress_bar *bar, const char *label);
/* total_known: the total is final (no time left is guessed before). Draws a few times a second. */
void progress_update(progress_bar *bar, uint64_t done, uint64_t total, bool total_known);
/* Take the bar off the line so that other text can be printed. */
void progress_clear(progress_bar *bar);
/* Seconds since the start. */
double progress_seconds(const progress_bar *bar);

#endif
