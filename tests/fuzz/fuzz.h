/* A fuzz target is one file that defines these two. Built with -Dfuzz=true (clang) it becomes a
 * libFuzzer program; else driver.c runs it over mutated seeds as part of the suite, or over the
 * files given as arguments. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Must neither crash nor leak nor read outside of data. Gives 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Valid input number `index`, cut at `size` bytes: where mutation starts. Gives its length; 0
 * behind the last seed. */
size_t fuzz_seed(size_t index, uint8_t *data, size_t size);

/* A promise of the code under test. Traps at once, so that the input is the reported one. */
static inline void fuzz_insist(bool truth)
{
    if (!truth) {
        __builtin_trap();
    }
}

/* fuzz_seed() of a target whose seeds are texts; 0 for an index behind the last one. */
static inline size_t fuzz_seed_of(const char *const *seeds, size_t count, size_t index,
                                  uint8_t *data, size_t size)
{
    size_t len = index < count ? strlen(seeds[index]) : 0;
    len = len < size ? len : size;
    if (len > 0) {
        memcpy(data, seeds[index], len);
    }
    return len;
}

#endif
