/* Network byte order: loads and stores of PostgreSQL's binary formats. Any alignment. */
#ifndef PGC_WIRE_H
#define PGC_WIRE_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t wire_u16(const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return be16toh(value);
}

static inline uint32_t wire_u32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return be32toh(value);
}

static inline uint64_t wire_u64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return be64toh(value);
}

static inline void wire_put_u16(uint8_t *bytes, uint16_t value)
{
    value = htobe16(value);
    memcpy(bytes, &value, sizeof value);
}

static inline void wire_put_u32(uint8_t *bytes, uint32_t value)
{
    value = htobe32(value);
    memcpy(bytes, &value, sizeof value);
}

static inline void wire_put_u64(uint8_t *bytes, uint64_t value)
{
    value = htobe64(value);
    memcpy(bytes, &value, sizeof value);
}

/* Bits of a float in host order and back. */
static inline float wire_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t wire_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double wire_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t wire_double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Runs of 16 and 32 bit values between host and network order: the same swap both ways. */
void wire_swap_u16(void *to, const void *from, size_t count);
void wire_swap_u32(void *to, const void *from, size_t count);

/* Address families of inet: PostgreSQL's own numbers. */
#define WIRE_INET4 2
#define WIRE_INET6 3

/* Limits of PostgreSQL and pgvector. */
#define WIRE_VECTOR_DIM_MAX     16000u
#define WIRE_SPARSE_DIM_MAX     1000000000u
#define WIRE_NUMERIC_DSCALE_MAX 0x3FFFu
#define WIRE_VALUE_MAX          ((size_t) 1 << 30) /* bytes of one value */

#endif
