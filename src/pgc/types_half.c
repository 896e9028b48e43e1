/* IEEE 754 binary16 by integer arithmetic: same result on every machine and compiler, no
 * dependence on the rounding mode. Pure functions; any thread. */
#include "base/prelude.h"

#include <pgc/types.h>

#include "pgc/wire.h"

#define HALF_INF 0x7C00u

/* Round to nearest, ties to even, as IEEE 754 and pgvector do. The bounds are bit patterns of
 * floats, which order like the numbers as long as the sign is left out. */
uint16_t pgc_half_from_float(float value)
{
    uint32_t bits = wire_float_bits(value);
    uint32_t sign = bits >> 16 & 0x8000u;
    uint32_t magnitude = bits & 0x7FFFFFFFu;
    if (magnitude > 0x7F800000u) { /* NaN: quiet, upper payload bits kept */
        return (uint16_t) (sign | HALF_INF | 0x0200u | (magnitude >> 13 & 0x03FFu));
    }
    if (magnitude >= 0x477FF000u) { /* 65520 and up round to infinity */
        return (uint16_t) (sign | HALF_INF);
    }
    uint32_t mantissa = magnitude;
    uint32_t shift = 13;
    if (magnitude < 0x38800000u) {     /* below 2^-14: subnormal, the leading 1 becomes explicit */
        if (magnitude < 0x33000000u) { /* below 2^-25: nearer to zero than to the smallest */
            return (uint16_t) sign;
        }
        shift = 126 - (magnitude >> 23);
        mantissa = (magnitude & 0x007FFFFFu) | 0x00800000u;
    } else {
        mantissa -= 112u << 23; /* exponent bias 127 becomes 15 */
    }
    uint32_t half = mantissa >> shift;
    uint32_t rest = mantissa & ((1u << shift) - 1);
    uint32_t tie = 1u << (shift - 1);
    /* A carry out of the mantissa moves into the exponent, which is the right result. */
    if (rest > tie || (rest == tie && (half & 1) != 0)) {
        half++;
    }
    return (uint16_t) (sign | half);
}

/* Every half is exactly a float: 11 bits of precision fit into 24, and the exponents as well. */
float pgc_half_to_float(uint16_t half)
{
    uint32_t sign = (half & 0x8000u) << 16;
    uint32_t exponent = half >> 10 & 31u;
    uint32_t mantissa = half & 0x03FFu;
    if (exponent == 31) {
        return wire_float(sign | 0x7F800000u | mantissa << 13);
    }
    if (exponent != 0) {
        return wire_float(sign | (exponent + 112) << 23 | mantissa << 13);
    }
    /* Zero and subnormals: mantissa * 2^-24, exact in a float. */
    float magnitude = (float) mantissa * 0x1p-24f;
    return wire_float(sign | wire_float_bits(magnitude));
}
