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

/** time with time zone: a time of day and where it is that late. */
typedef struct pgc_timetz {
    int64_t us;   /**< microseconds since midnight, local */
    int32_t west; /**< seconds west of UTC: +02:00 is -7200 */
} pgc_timetz;

/** tid: where a row version stands in its table. */
typedef struct pgc_tid {
    uint32_t block;
    uint16_t offset;
} pgc_tid;

/** inet and cidr. */
typedef struct pgc_inet {
    uint8_t family;   /**< 4 or 6; 0 is no address */
    uint8_t bits;     /**< of the network part: 0..32 or 0..128 */
    uint8_t addr[16]; /**< network order; the first 4 bytes for family 4, the others 0 */
} pgc_inet;

/** macaddr. */
typedef struct pgc_macaddr {
    uint8_t bytes[6];
} pgc_macaddr;

/** macaddr8. */
typedef struct pgc_macaddr8 {
    uint8_t bytes[8];
} pgc_macaddr8;

/** point. */
typedef struct pgc_point {
    double x, y;
} pgc_point;

/** line: a x + b y + c = 0. */
typedef struct pgc_line {
    double a, b, c;
} pgc_line;

/** lseg: a segment by its ends. */
typedef struct pgc_lseg {
    pgc_point from, to;
} pgc_lseg;

/** box: two opposite corners; the server gives the upper right one first. */
typedef struct pgc_box {
    pgc_point high, low;
} pgc_box;

/** circle. */
typedef struct pgc_circle {
    pgc_point center;
    double radius;
} pgc_circle;

/** path; points NULL is SQL NULL. */
typedef struct pgc_path {
    bool closed;
    uint32_t count;
    const pgc_point *points;
} pgc_path;

/** polygon; points NULL is SQL NULL. */
typedef struct pgc_polygon {
    uint32_t count;
    const pgc_point *points;
} pgc_polygon;

/** bit and varbit: first bit is the highest of the first byte; ptr NULL is SQL NULL. */
typedef struct pgc_bits {
    const uint8_t *ptr; /**< (count + 7) / 8 bytes; bits behind the last are 0 */
    uint32_t count;     /**< bits */
} pgc_bits;

/** pgvector's sparsevec; dim 0 is SQL NULL. */
typedef struct pgc_sparsevec {
    uint32_t dim;
    uint32_t count;         /**< of the components that are not 0 */
    const int32_t *indices; /**< from 0 (the text form counts from 1), ascending */
    const float *v;
} pgc_sparsevec;

#define PGC_LEXEME_POSITION(p) ((p) &0x3FFFu) /**< 1..16383 */
#define PGC_LEXEME_WEIGHT(p)   ((p) >> 14)    /**< 3 A, 2 B, 1 C, 0 D */

/** One word of a tsvector. */
typedef struct pgc_lexeme {
    pgc_text word;
    uint16_t count;
    const uint16_t *positions; /**< count of them, ascending; see PGC_LEXEME_POSITION() */
} pgc_lexeme;

/** tsvector; `present` false is SQL NULL. */
typedef struct pgc_tsvector {
    bool present;
    uint32_t count;
    const pgc_lexeme *v; /**< sorted as the server sorts them: by length, then by bytes */
} pgc_tsvector;

#define PGC_TSQUERY_WORD   0
#define PGC_TSQUERY_NOT    1
#define PGC_TSQUERY_AND    2
#define PGC_TSQUERY_OR     3
#define PGC_TSQUERY_PHRASE 4

/** One word or operator of a tsquery. */
typedef struct pgc_tsquery_item {
    uint8_t kind;      /**< PGC_TSQUERY_* */
    uint8_t weights;   /**< words: bit 3 A, 2 B, 1 C, 0 D; 0: all */
    bool prefix;       /**< words: 'x':* */
    uint16_t distance; /**< PHRASE: <distance> */
    pgc_text word;
} pgc_tsquery_item;

/** tsquery in prefix order: an operator, its right operand, its left one. */
typedef struct pgc_tsquery {
    bool present;
    uint32_t count; /**< 0: the empty query */
    const pgc_tsquery_item *v;
} pgc_tsquery;

/** hstore; `present` false is SQL NULL. */
typedef struct pgc_hstore {
    bool present;
    uint32_t count;
    const pgc_text *keys;
    const pgc_text *values; /**< ptr NULL: the value is NULL */
} pgc_hstore;

/* Scalars: their nullable form is wrapped. "char" is read as its byte. */
#define PGC_OPT_MAP(X)              \
    X(bool, bool)                   \
    X(char, char)                   \
    X(i16, int16_t)                 \
    X(i32, int32_t)                 \
    X(i64, int64_t)                 \
    X(u32, uint32_t)                \
    X(u64, uint64_t)                \
    X(f32, float)                   \
    X(f64, double)                  \
    X(money, int64_t)               \
    X(lsn, uint64_t)                \
    X(tid, pgc_tid)                 \
    X(uuid, pgc_uuid)               \
    X(timestamptz, pgc_timestamptz) \
    X(timestamp, pgc_timestamp)     \
    X(date, pgc_date)               \
    X(time, pgc_time)               \
    X(timetz, pgc_timetz)           \
    X(interval, pgc_interval)       \
    X(inet, pgc_inet)               \
    X(macaddr, pgc_macaddr)         \
    X(macaddr8, pgc_macaddr8)       \
    X(point, pgc_point)             \
    X(line, pgc_line)               \
    X(lseg, pgc_lseg)               \
    X(box, pgc_box)                 \
    X(circle, pgc_circle)

/* Types whose value says by itself that it is NULL. */
#define PGC_POINTER_MAP(X)      \
    X(text, pgc_text)           \
    X(bytes, pgc_bytes)         \
    X(json, pgc_text)           \
    X(jsonb, pgc_text)          \
    X(numeric, pgc_numeric)     \
    X(bits, pgc_bits)           \
    X(path, pgc_path)           \
    X(polygon, pgc_polygon)     \
    X(vector, pgc_vector)       \
    X(halfvec, pgc_halfvec)     \
    X(sparsevec, pgc_sparsevec) \
    X(tsvector, pgc_tsvector)   \
    X(tsquery, pgc_tsquery)     \
    X(hstore, pgc_hstore)

#define X(name, type)                 \
    typedef struct pgc_opt_##name {   \
        bool has; /**< false: NULL */ \
        type v;                       \
    } pgc_opt_##name;
PGC_OPT_MAP(X)
#undef X

/* Flags of ranges, as on the wire. */
#define PGC_RANGE_EMPTY      0x01u
#define PGC_RANGE_LOWER_INC  0x02u               /**< [lower */
#define PGC_RANGE_UPPER_INC  0x04u               /**< upper] */
#define PGC_RANGE_LOWER_INF  0x08u               /**< no lower bound; `lower` is not looked at */
#define PGC_RANGE_UPPER_INF  0x10u               /**< no upper bound */
#define PGC_RANGE_HALF_OPEN  PGC_RANGE_LOWER_INC /**< [lower,upper): the usual form */
#define PGC_RANGE_FLAGS_MASK 0x1Fu

/* Subtypes of ranges: X(name, type of a bound). The server gives ranges of integers and dates as
 * [lower,upper). */
#define PGC_RANGE_MAP(X)        \
    X(i32, int32_t)             \
    X(i64, int64_t)             \
    X(f64, double)              \
    X(numeric, pgc_numeric)     \
    X(date, pgc_date)           \
    X(time, pgc_time)           \
    X(timestamp, pgc_timestamp) \
    X(timestamptz, pgc_timestamptz)

/** Ranges and multiranges: has false is SQL NULL. The ranges of a multirange ascend. */
#define X(name, type)                      \
    typedef struct pgc_range_##name {      \
        bool has;                          \
        uint8_t flags; /**< PGC_RANGE_* */ \
        type lower, upper;                 \
    } pgc_range_##name;                    \
    typedef struct pgc_multirange_##name { \
        bool has;                          \
        size_t count;                      \
        const pgc_range_##name *v;         \
    } pgc_multirange_##name;
PGC_RANGE_MAP(X)
#undef X

#define PGC_DIMS_MAX 6 /**< dimensions of an array, the server's limit */

/** One dimension of an array. */
typedef struct pgc_dim {
    int32_t count; /**< elements, > 0 */
    int32_t lower; /**< subscript of the first one, usually 1 */
} pgc_dim;

/**
 * Arrays. has false is SQL NULL; nulls is NULL when no element is NULL, else one byte per element,
 * 1 = NULL. Elements are in host order and borrowed; those of several dimensions follow each other
 * row by row. ndim 0 or dims NULL mean one dimension whose subscripts begin at 1; readers fill dims
 * for other arrays only.
 */
#define PGC_ARRAY_MAP(X) \
    PGC_OPT_MAP(X)       \
    PGC_POINTER_MAP(X)   \
    PGC_RANGE_ARRAY_MAP(X)
#define PGC_RANGE_ARRAY_MAP(X)              \
    X(range_i32, pgc_range_i32)             \
    X(range_i64, pgc_range_i64)             \
    X(range_f64, pgc_range_f64)             \
    X(range_numeric, pgc_range_numeric)     \
    X(range_date, pgc_range_date)           \
    X(range_time, pgc_range_time)           \
    X(range_timestamp, pgc_range_timestamp) \
    X(range_timestamptz, pgc_range_timestamptz)

#define X(name, type)               \
    typedef struct pgc_arr_##name { \
        bool has;                   \
        size_t count;               \
        const type *v;              \
        const uint8_t *nulls;       \
        uint32_t ndim;              \
        const pgc_dim *dims;        \
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
