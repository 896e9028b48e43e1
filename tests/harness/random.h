/* Seeded pseudo-random numbers for property tests and fuzz drivers: the same on every run. */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* splitmix64; any state is a good seed. */
static inline uint64_t random_u64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0 .. limit - 1; limit > 0. */
static inline size_t random_below(uint64_t *state, size_t limit)
{
    return (size_t) (random_u64(state) % limit);
}

#endif
