/* What a mistyped word was probably meant to be. */
#ifndef BASE_WORD_GUESS_H
#define BASE_WORD_GUESS_H

#include "base/slice.h"

/* The nearest of the names seen so far; best.ptr is NULL while none is near enough. */
typedef struct word_guess {
    slice typed;
    slice best; /* borrowed from the names */
    size_t distance;
} word_guess;

/* Looks at one more name that would have been right. */
void word_guess_try(word_guess *guess, slice name);

#endif
