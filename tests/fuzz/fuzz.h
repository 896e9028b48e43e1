/* A fuzz target is one file that defines these two. Built with -Dfuzz=true (clang) it becomes a
 * libFuzzer program; else driver.c runs it over mutated seeds as part of the suite, or over the
 * files given as arguments. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must neither crash nor leak nor read outside of data. Gives 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Valid input number `index`, cut at `size` bytes: where mutation starts. Gives its length; 0
 * behind the last seed. */
size_t fuzz_seed(size_t index, uint8_t *data, size_t size);

#endif
