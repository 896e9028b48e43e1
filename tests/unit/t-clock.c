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

TAP_MAIN(TAP("clock: the system's moves forward", system_clock_moves_forward),
         TAP("clock: the system's randomness differs", system_randomness_differs),
         TAP("clock: fake time moves on demand", fake_time_moves_on_demand),
         TAP("clock: fake randomness repeats by seed", fake_randomness_repeats))
