#ifndef PGC_TYPES_H
#define PGC_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pgc/export.h>

PGC_BEGIN_DECLS

/*
 * C values of PostgreSQL types. All-zero memory means NULL or absent for every nullable form:
 * scalars are wrapped as { has, v }, pointer-like types are NULL when their pointer is NULL.
 * Wire facts: PostgreSQL manual, "Frontend/Backend Protocol"; *_send functions of the server.
 */

/** Text or JSON: borrowed bytes. ptr NULL is SQL NULL, ptr "" with len 0 the empty text. */
typedef struct pgc_text {
    const char *ptr;
    size_t len; /**< bytes */
} pgc_text;

/** bytea: borrowed bytes; ptr NULL is SQL NULL. */
typedef struct pgc_bytes {
    const uint8_t *ptr;
    size_t len; /**< bytes */
} pgc_bytes;

/** uuid, in network byte order as RFC 9562 prints it. */
typedef struct pgc_uuid {
    uint8_t bytes[16];
} pgc_uuid;

/** Microseconds since 2000-01-01 00:00:00 UTC; INT64_MAX and INT64_MIN are plus and minus infinity.
 */
typedef struct pgc_timestamptz {
    int64_t us;
} pgc_timestamptz;

/** Wall-clock microseconds since 2000-01-01 00:00:00, no zone; infinities as pgc_timestamptz. */
typedef struct pgc_timestamp {
    int64_t us;
} pgc_timestamp;

/** Days since 2000-01-01; INT32_MAX and INT32_MIN are plus and minus infinity. */
typedef struct pgc_date {
    int32_t days;
} pgc_date;

/** Microseconds since midnight; 24:00 is allowed. */
typedef struct pgc_time {
    int64_t us;
} pgc_time;

/** interval: the three parts are independent, as on the server. */
typedef struct pgc_interval {
    int64_t us;
    int32_t days;
    int32_t months;
} pgc_interval;

#define PGC_NUMERIC_POS  0x0000
#define PGC_NUMERIC_NEG  0x4000
#define PGC_NUMERIC_NAN  0xC000
#define PGC_NUMERIC_PINF 0xD000
#define PGC_NUMERIC_NINF 0xF000

/**
 * numeric, exact: sum of digits[i] * 10000^(weight - i). `present` false is SQL NULL.
 * The digits are host order and borrowed.
 */
typedef struct pgc_numeric {
    bool present;
    uint16_t sign;   /**< one of PGC_NUMERIC_* */
    int16_t weight;  /**< power of 10000 of the first digit */
    uint16_t dscale; /**< decimal digits shown after the point */
    uint16_t digit_count;
    const uint16_t *digits; /**< 0..9999 each */
} pgc_numeric;

/** pgvector's vector; v NULL is SQL NULL. v is 16-byte aligned when the library filled it. */
typedef struct pgc_vector {
    const float *v;
    uint32_t dim;
} pgc_vector;

/** pgvector's halfvec: IEEE 754 binary16 bits; v NULL is SQL NULL. */
typedef struct pgc_halfvec {
    const uint16_t *v;
    uint32_t dim;
} pgc_halfvec;

/* Nullable scalars. */
#define PGC_OPT_MAP(X)              \
    X(bool, bool)                   \
    X(i16, int16_t)                 \
    X(i32, int32_t)                 \
    X(i64, int64_t)                 \
    X(u32, uint32_t)                \
    X(f32, float)                   \
    X(f64, double)                  \
    X(uuid, pgc_uuid)               \
    X(timestamptz, pgc_timestamptz) \
    X(timestamp, pgc_timestamp)     \
    X(date, pgc_date)               \
    X(time, pgc_time)               \
    X(interval, pgc_interval)

#define X(name, type)                 \
    typedef struct pgc_opt_##name {   \
        bool has; /**< false: NULL */ \
        type v;                       \
    } pgc_opt_##name;
PGC_OPT_MAP(X)
#undef X

/**
 * One-dimensional arrays. has false is SQL NULL; nulls is NULL when no element is NULL, else one
 * byte per element, 1 = NULL. Elements are in host order and borrowed.
 */
#define PGC_ARRAY_MAP(X) \
    X(bool, bool)        \
    X(i16, int16_t)      \
    X(i32, int32_t)      \
    X(i64, int64_t)      \
    X(f32, float)        \
    X(f64, double)       \
    X(text, pgc_text)    \
    X(uuid, pgc_uuid)    \
    X(timestamptz, pgc_timestamptz)

#define X(name, type)               \
    typedef struct pgc_arr_##name { \
        bool has;                   \
        size_t count;               \
        const type *v;              \
        const uint8_t *nulls;       \
    } pgc_arr_##name;
PGC_ARRAY_MAP(X)
#undef X

/** Seconds from 1970-01-01 to 2000-01-01 (PostgreSQL's epoch), 10957 days. */
#define PGC_EPOCH_UNIX_SECONDS 946684800

/** Text from a NUL-terminated string; NULL gives SQL NULL. Borrows. */
PGC_API pgc_text pgc_text_from(const char *string);

#define PGC_UUID_TEXT_SIZE 37 /**< 36 characters and NUL */

/**
 * Lower-case text form of a UUID (RFC 9562).
 *
 * @param text at least PGC_UUID_TEXT_SIZE bytes; always NUL-terminated.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API void pgc_uuid_format(const pgc_uuid *uuid, char *text);

/**
 * Parse 32 hexadecimal digits, with hyphens at the usual four places or none; any case.
 *
 * @return true and *out set, or false and *out untouched.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API bool pgc_uuid_parse(pgc_text text, pgc_uuid *out);

/**
 * Microseconds since 1970 to a timestamptz; saturates to the infinities on overflow. INT64_MAX and
 * INT64_MIN mean the infinities here as well. The server refuses finite values outside 4714 BC to
 * 294276 AD.
 */
PGC_API pgc_timestamptz pgc_timestamptz_from_unix_us(int64_t unix_us);

/** The reverse; infinities stay INT64_MAX and INT64_MIN, and what lies behind the year 294246
 * becomes INT64_MAX. */
PGC_API int64_t pgc_timestamptz_to_unix_us(pgc_timestamptz value);

#define PGC_NUMERIC_DIGITS_MAX                                        \
    64 /**< base-10000 digits that the constructors below can produce \
        */

/**
 * Numeric from a decimal text such as "-12.5", "1e10", "NaN" or "-Infinity" (any case, no blanks).
 * As on the server, "1.50" keeps its two decimal digits and "-0" becomes 0.
 *
 * @param digits storage for PGC_NUMERIC_DIGITS_MAX digits; *out borrows it.
 * @return true and *out set; false for malformed text or too many digits.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API bool pgc_numeric_parse(pgc_text text, uint16_t *digits, pgc_numeric *out);

/**
 * Numeric from a double rounded to `scale` decimal digits (0..16), half away from zero. What is
 * rounded is the shortest decimal text that reads back as `value`, so 1.005 at scale 2 gives 1.01.
 *
 * @param digits storage for PGC_NUMERIC_DIGITS_MAX digits; *out borrows it.
 * @return false for NaN, infinity, |value| >= 1e15 or a scale out of range; *out untouched.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API bool pgc_numeric_from_double(double value, int scale, uint16_t *digits, pgc_numeric *out);

/** Nearest double; NaN and infinities carry over. NULL (present false) gives NaN. */
PGC_API double pgc_numeric_to_double(const pgc_numeric *value);

/**
 * Decimal text, exactly as the server prints it.
 *
 * @param text      destination, NUL-terminated when text_size > 0.
 * @param text_size bytes at text.
 * @return bytes the whole text needs without NUL (like snprintf).
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API size_t pgc_numeric_format(const pgc_numeric *value, char *text, size_t text_size);

/** Bits of the nearest IEEE 754 binary16, ties to even; overflow gives infinity. */
PGC_API uint16_t pgc_half_from_float(float value);

/** The float that a binary16 stands for. */
PGC_API float pgc_half_to_float(uint16_t half);

PGC_END_DECLS

#endif
