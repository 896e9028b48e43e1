/* What a mistyped word was probably meant to be. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include "base/slice.h"

/* The nearest of the names seen so far; best.ptr is NULL while none is near enough. */
typedef struct cli_guess {
    slice typed;
    slice best; /* borrowed from the names */
    size_t distance;
} cli_guess;

/* Looks at one more name that would have been right. */
void cli_guess_try(cli_guess *guess, slice name);

#endif
