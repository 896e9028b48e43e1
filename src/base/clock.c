/* The time and randomness seam: the operating system's clock and a test double whose time moves
 * only on demand. The real one is thread-safe, the fake one is not. */
#include "base/prelude.h"

#include <sys/random.h>

#include "base/clock.h"

/* Microseconds of one of the system's clocks. Cannot fail for the two clocks used here. */
static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    (void) clock_gettime(id, &now);
    return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t os_mono_us(void *ctx)
{
    (void) ctx;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t os_unix_us(void *ctx)
{
    (void) ctx;
    return read_clock(CLOCK_REALTIME);
}

/* From the kernel, which never runs dry once it is seeded; the call waits until then. Large
 * requests may come back in parts, and a signal may cut one short. */
static bool os_random(void *ctx, void *bytes, size_t count)
{
    (void) ctx;
    char *at = (char *) bytes;
    while (count > 0) {
        ssize_t got = getrandom(at, count, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        at += got;
        count -= (size_t) got;
    }
    return true;
}

/* Without randomness the time itself must do: it spreads processes well enough, and nobody's pause
 * may fail for that. */
int64_t clock_spread(const clock_ops *clock, int64_t us)
{
    uint32_t bits;
    assert(us >= 0);
    if (!clock->random(clock->ctx, &bits, sizeof bits)) {
        bits = (uint32_t) clock->mono_us(clock->ctx) * 2654435761U;
    }
    return (int64_t) ((double) us * ((double) bits / (double) UINT32_MAX));
}

int64_t clock_jitter(const clock_ops *clock, int64_t us)
{
    return us - us / 2 + clock_spread(clock, us / 2);
}

/* A signal does not shorten the sleep: callers that want to wake up early wait on a descriptor
 * instead. */
static void os_sleep_us(void *ctx, int64_t us)
{
    (void) ctx;
    if (us <= 0) {
        return;
    }
    struct timespec left = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

const clock_ops *clock_os(void)
{
    static const clock_ops OS = { NULL, os_mono_us, os_unix_us, os_random, os_sleep_us };
    return &OS;
}

static int64_t fake_mono_us(void *ctx)
{
    return ((clock_fake *) ctx)->mono_us;
}

static int64_t fake_unix_us(void *ctx)
{
    return ((clock_fake *) ctx)->unix_us;
}

/* splitmix64 (Steele, Lea, Flood 2014): any seed gives a full-period sequence. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Only the top byte of each step is used: slow, but the sequence does not depend on how it is cut
 * into calls. */
static bool fake_random(void *ctx, void *bytes, size_t count)
{
    clock_fake *fake = (clock_fake *) ctx;
    unsigned char *at = (unsigned char *) bytes;
    if (fake->random_fails) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        at[i] = (unsigned char) (next_random(&fake->state) >> 56);
    }
    return true;
}

/* Sleeping is how tested code lets time pass, so here it does not take any. */
static void fake_sleep_us(void *ctx, int64_t us)
{
    clock_fake_advance((clock_fake *) ctx, us > 0 ? us : 0);
}

void clock_fake_init(clock_fake *fake, int64_t unix_us, uint64_t seed)
{
    *fake = (clock_fake) {
        .ops = { fake, fake_mono_us, fake_unix_us, fake_random, fake_sleep_us },
        .unix_us = unix_us,
        .state = seed,
    };
}

/* Both clocks move together; a test that wants the wall clock to jump sets the field. */
void clock_fake_advance(clock_fake *fake, int64_t us)
{
    assert(us >= 0);
    fake->mono_us += us;
    fake->unix_us += us;
}
