/* Byte order of long runs: vectors of floats and halves. Plain loops over fixed-size elements, so
 * that the compiler can use vector instructions; memcpy because the wire has no alignment. */
#include "base/prelude.h"

#include "pgc/wire.h"

void wire_swap_u16(void *to, const void *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t value;
        memcpy(&value, (const uint8_t *) from + i * sizeof value, sizeof value);
        value = htobe16(value);
        memcpy((uint8_t *) to + i * sizeof value, &value, sizeof value);
    }
}

/* Float components of vectors travel as their bit patterns; the same function packs and unpacks. */
void wire_swap_u32(void *to, const void *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t value;
        memcpy(&value, (const uint8_t *) from + i * sizeof value, sizeof value);
        value = htobe32(value);
        memcpy((uint8_t *) to + i * sizeof value, &value, sizeof value);
    }
}
