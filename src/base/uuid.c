/* UUID versions 4 and 7 (RFC 9562, sections 5.4 and 5.7). Thread-safe when the clock is. */
#include "base/prelude.h"

#include "base/uuid.h"

/* Version in the upper half of byte 6, variant in the two upper bits of byte 8. */
static void stamp(pgc_uuid *uuid, unsigned version)
{
    uuid->bytes[6] = (uint8_t) ((uuid->bytes[6] & 0x0FU) | (version << 4));
    uuid->bytes[8] = (uint8_t) ((uuid->bytes[8] & 0x3FU) | 0x80U);
}

bool uuid_v4(const clock_ops *clock, pgc_uuid *out)
{
    pgc_uuid uuid;
    if (!clock->random(clock->ctx, uuid.bytes, sizeof uuid.bytes)) {
        return false;
    }
    stamp(&uuid, 4);
    *out = uuid;
    return true;
}

/* The version's optional counter is left out: two values of one millisecond are in random order. */
bool uuid_v7(const clock_ops *clock, pgc_uuid *out)
{
    pgc_uuid uuid;
    if (!clock->random(clock->ctx, uuid.bytes, sizeof uuid.bytes)) {
        return false;
    }
    uint64_t ms = (uint64_t) (clock->unix_us(clock->ctx) / 1000);
    for (size_t i = 0; i < 6; i++) {
        uuid.bytes[i] = (uint8_t) (ms >> (8 * (5 - i)));
    }
    stamp(&uuid, 7);
    *out = uuid;
    return true;
}
