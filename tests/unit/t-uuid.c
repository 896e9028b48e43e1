/* UUIDs. */
#include "base/prelude.h"

#include "base/uuid.h"

#include "tap.h"

static void version_4_is_random(void)
{
    pgc_uuid a;
    pgc_uuid b;
    REQUIRE(uuid_v4(clock_os(), &a));
    REQUIRE(uuid_v4(clock_os(), &b));
    CHECK_INT(a.bytes[6] >> 4, 4);
    CHECK_INT(a.bytes[8] >> 6, 2);
    CHECK(memcmp(&a, &b, sizeof a) != 0);
}

static void version_7_sorts_by_time(void)
{
    clock_fake fake;
    pgc_uuid a;
    pgc_uuid b;
    clock_fake_init(&fake, INT64_C(0x010203040506) * 1000 + 999, 1);
    REQUIRE(uuid_v7(&fake.ops, &a));
    static const uint8_t TIME[6] = { 1, 2, 3, 4, 5, 6 };
    CHECK_INT(memcmp(a.bytes, TIME, sizeof TIME), 0);
    CHECK_INT(a.bytes[6] >> 4, 7);
    CHECK_INT(a.bytes[8] >> 6, 2);
    CHECK_INT((a.bytes[6] & 15) * 256 + a.bytes[7], 999 * 4096 / 1000);
    for (int i = 0; i < 2000; i++) {
        clock_fake_advance(&fake, 1);
        REQUIRE(uuid_v7(&fake.ops, &b));
        CHECK(memcmp(&a, &b, sizeof a) < 0);
        a = b;
    }
}

static void no_randomness_is_reported(void)
{
    clock_fake fake;
    pgc_uuid out = { { 9 } };
    clock_fake_init(&fake, 0, 1);
    fake.random_fails = true;
    CHECK(!uuid_v4(&fake.ops, &out));
    CHECK(!uuid_v7(&fake.ops, &out));
    CHECK_INT(out.bytes[0], 9);
}

TAP_MAIN(TAP("uuid: version 4 is random", version_4_is_random),
         TAP("uuid: version 7 sorts by time", version_7_sorts_by_time),
         TAP("uuid: missing randomness is reported", no_randomness_is_reported))
