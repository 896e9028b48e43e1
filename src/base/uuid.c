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

/* What is left of the time within its millisecond stands in front of the random bits (section 6.2,
 * method 3), so that values sort as they were made, but for those of one microsecond. */
bool uuid_v7(const clock_ops *clock, pgc_uuid *out)
{
    pgc_uuid uuid;
    if (!clock->random(clock->ctx, uuid.bytes, sizeof uuid.bytes)) {
        return false;
    }
    uint64_t us = (uint64_t) clock->unix_us(clock->ctx);
    uint64_t ms = us / 1000;
    unsigned part = (unsigned) (us % 1000 * 4096 / 1000); /* of the millisecond; 12 bits */
    for (size_t i = 0; i < 6; i++) {
        uuid.bytes[i] = (uint8_t) (ms >> (8 * (5 - i)));
    }
    uuid.bytes[6] = (uint8_t) (part >> 8);
    uuid.bytes[7] = (uint8_t) part;
    stamp(&uuid, 7);
    *out = uuid;
    return true;
}
