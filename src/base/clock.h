/* The time and randomness seam. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct clock_ops {
    void *ctx;
    int64_t (*mono_us)(void *ctx);                        /* microseconds, never goes back */
    int64_t (*unix_us)(void *ctx);                        /* microseconds since 1970 UTC */
    bool (*random)(void *ctx, void *bytes, size_t count); /* false: no randomness to be had */
    void (*sleep_us)(void *ctx, int64_t us);
} clock_ops;

/* Random from 0 to us, which is below 2^53. */
int64_t clock_spread(const clock_ops *clock, int64_t us);
/* Random between half of us and us, so that those who wait for the same thing do not meet again. */
int64_t clock_jitter(const clock_ops *clock, int64_t us);

/* The operating system's; static. */
const clock_ops *clock_os(void);

/* Test clock: time moves only by clock_fake_advance() and sleeps; randomness from the seed. */
typedef struct clock_fake {
    clock_ops ops;
    int64_t mono_us, unix_us;
    uint64_t state;
    bool random_fails;
} clock_fake;
void clock_fake_init(clock_fake *fake, int64_t unix_us, uint64_t seed);
void clock_fake_advance(clock_fake *fake, int64_t us);

#endif
