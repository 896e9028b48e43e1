/* What a mistyped word was probably meant to be: the name that the fewest slips turn into it. A
 * slip is a letter too many, missing, wrong, or changed with its neighbour. No state; thread-safe.
 */
#include "base/prelude.h"

#include "base/word_guess.h"

#define WORD_MAX 40 /* bytes; nobody mistypes longer names of ours */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The cell of one pair of letters; `rows` are those of this letter of a and the two before it. */
static size_t slips_at(slice a, slice b, size_t i, size_t j, size_t rows[3][WORD_MAX + 1])
{
    size_t differ = a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1;
    size_t slips = least(rows[1][j] + 1, rows[2][j - 1] + 1);
    slips = least(slips, rows[1][j - 1] + differ);
    if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1]) {
        slips = least(slips, rows[0][j - 2] + 1);
    }
    return slips;
}

/* Optimal string alignment; both words are at most WORD_MAX bytes. */
static size_t slips_between(slice a, slice b)
{
    size_t rows[3][WORD_MAX + 1] = { 0 };
    for (size_t j = 0; j <= b.len; j++) {
        rows[2][j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        memcpy(rows[0], rows[1], sizeof rows[0]);
        memcpy(rows[1], rows[2], sizeof rows[1]);
        rows[2][0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            rows[2][j] = slips_at(a, b, i, j, rows);
        }
    }
    return rows[2][b.len];
}

/* One slip in three letters: more, and any short word would be near any other. */
void word_guess_try(word_guess *guess, slice name)
{
    if (name.len > WORD_MAX || guess->typed.len > WORD_MAX) {
        return;
    }
    size_t slips = slips_between(guess->typed, name);
    bool better = guess->best.ptr == NULL || slips < guess->distance;
    if (slips <= (least(name.len, guess->typed.len) + 1) / 3 && better) {
        guess->best = name;
        guess->distance = slips;
    }
}
