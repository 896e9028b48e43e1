/* Clock seam: the system's and the fake one. */
#include "base/prelude.h"

#include "base/clock.h"

#include "tap.h"

static void system_clock_moves_forward(void)
{
    const clock_ops *c = clock_os();
    int64_t before = c->mono_us(c->ctx);
    c->sleep_us(c->ctx, 2000);
    CHECK(c->mono_us(c->ctx) - before >= 2000);
    c->sleep_us(c->ctx, 0);
    c->sleep_us(c->ctx, -5);
    CHECK(c->unix_us(c->ctx) > INT64_C(1700000000) * 1000000);
}

static void system_randomness_differs(void)
{
    const clock_ops *c = clock_os();
    unsigned char a[300] = { 0 };
    unsigned char b[300] = { 0 };
    CHECK(c->random(c->ctx, a, sizeof a));
    CHECK(c->random(c->ctx, b, sizeof b));
    CHECK(memcmp(a, b, sizeof a) != 0);
}

static void fake_time_moves_on_demand(void)
{
    clock_fake fake;
    clock_fake_init(&fake, 1000, 7);
    const clock_ops *c = &fake.ops;
    CHECK_INT(c->unix_us(c->ctx), 1000);
    CHECK_INT(c->mono_us(c->ctx), 0);
    clock_fake_advance(&fake, 5);
    c->sleep_us(c->ctx, 20);
    c->sleep_us(c->ctx, -1);
    CHECK_INT(c->unix_us(c->ctx), 1025);
    CHECK_INT(c->mono_us(c->ctx), 25);
}

static void fake_randomness_repeats(void)
{
    clock_fake one;
    clock_fake two;
    unsigned char a[32];
    unsigned char b[32];
    clock_fake_init(&one, 0, 7);
    clock_fake_init(&two, 0, 7);
    CHECK(one.ops.random(&one, a, sizeof a));
    CHECK(two.ops.random(&two, b, sizeof b));
    CHECK_INT(memcmp(a, b, sizeof a), 0);
    clock_fake_init(&two, 0, 8);
    CHECK(two.ops.random(&two, b, sizeof b));
    CHECK(memcmp(a, b, sizeof a) != 0);
    two.random_fails = true;
    CHECK(!two.ops.random(&two, b, sizeof b));
}

static void spread_and_jitter_keep_their_range(void)
{
    clock_fake fake;
    clock_fake_init(&fake, 0, 7);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 2000; i++) {
        int64_t at = clock_spread(&fake.ops, 1000);
        least = at < least ? at : least;
        most = at > most ? at : most;
        int64_t pause = clock_jitter(&fake.ops, 1001);
        CHECK(pause >= 501 && pause <= 1001);
    }
    CHECK(least >= 0 && least < 10);
    CHECK(most <= 1000 && most > 990);
    CHECK_INT(clock_spread(&fake.ops, 0), 0);
    CHECK_INT(clock_jitter(&fake.ops, 0), 0);
    CHECK_INT(clock_jitter(&fake.ops, 1), 1);
}

/* Time spreads those who ask at different moments. */
static void spread_without_randomness_goes_by_time(void)
{
    clock_fake fake;
    clock_fake_init(&fake, 0, 7);
    fake.random_fails = true;
    int64_t first = clock_spread(&fake.ops, 1000000);
    clock_fake_advance(&fake, 1);
    int64_t second = clock_spread(&fake.ops, 1000000);
    CHECK(first != second);
    CHECK(first >= 0 && first <= 1000000);
    CHECK(second >= 0 && second <= 1000000);
}

TAP_MAIN(TAP("clock: the system's moves forward", system_clock_moves_forward),
         TAP("clock: the system's randomness differs", system_randomness_differs),
         TAP("clock: fake time moves on demand", fake_time_moves_on_demand),
         TAP("clock: fake randomness repeats by seed", fake_randomness_repeats),
         TAP("clock: spread and jitter keep their range", spread_and_jitter_keep_their_range),
         TAP("clock: spread without randomness goes by time",
             spread_without_randomness_goes_by_time))
