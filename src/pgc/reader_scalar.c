/* Readers of scalars of fixed size: one length check, one load. One line of the
 * list of types makes the reader of NOT NULL columns and that of nullable ones. */
#include "base/prelude.h"

#include "pgc/reader.h"

static bool load_bool(const uint8_t *p)
{
    return p[0] != 0;
}

static int16_t load_i16(const uint8_t *p)
{
    return (int16_t) wire_u16(p);
}

static int32_t load_i32(const uint8_t *p)
{
    return (int32_t) wire_u32(p);
}

static int64_t load_i64(const uint8_t *p)
{
    return (int64_t) wire_u64(p);
}

static uint32_t load_u32(const uint8_t *p)
{
    return wire_u32(p);
}

static float load_f32(const uint8_t *p)
{
    return wire_float(wire_u32(p));
}

static double load_f64(const uint8_t *p)
{
    return wire_double(wire_u64(p));
}

static pgc_uuid load_uuid(const uint8_t *p)
{
    pgc_uuid uuid;
    memcpy(uuid.bytes, p, sizeof uuid.bytes);
    return uuid;
}

static pgc_timestamptz load_timestamptz(const uint8_t *p)
{
    return (pgc_timestamptz) { load_i64(p) };
}

static pgc_timestamp load_timestamp(const uint8_t *p)
{
    return (pgc_timestamp) { load_i64(p) };
}

static pgc_date load_date(const uint8_t *p)
{
    return (pgc_date) { load_i32(p) };
}

static pgc_time load_time(const uint8_t *p)
{
    return (pgc_time) { load_i64(p) };
}

static pgc_interval load_interval(const uint8_t *p)
{
    return (pgc_interval) { load_i64(p), load_i32(p + 8), load_i32(p + 12) };
}

#define X(name, type, size)                                                           \
    type pgc_read_##name(pgc_reader *reader, size_t row, size_t column)               \
    {                                                                                 \
        const uint8_t *bytes = reader_fixed(reader, row, column, size);               \
        if (__builtin_expect(bytes == NULL, 0)) {                                     \
            static const uint8_t zeroes[size];                                        \
            (void) reader_miss(reader, row, column, false);                           \
            return load_##name(zeroes);                                               \
        }                                                                             \
        return load_##name(bytes);                                                    \
    }                                                                                 \
    pgc_opt_##name pgc_read_opt_##name(pgc_reader *reader, size_t row, size_t column) \
    {                                                                                 \
        const uint8_t *bytes = reader_fixed(reader, row, column, size);               \
        if (__builtin_expect(bytes == NULL, 0)) {                                     \
            (void) reader_miss(reader, row, column, true);                            \
            return (pgc_opt_##name) { .has = false };                                 \
        }                                                                             \
        return (pgc_opt_##name) { .has = true, .v = load_##name(bytes) };             \
    }
WIRE_FIXED_MAP(X)
#undef X
