#ifndef PGC_READER_H
#define PGC_READER_H

#include <string.h>

#include <pgc/query.h>

PGC_BEGIN_DECLS

/*
 * Reading the rows of a result. Scalars and text are read by inline functions: two calls of libpq
 * and one comparison per cell. The functions named pgc_load_… and pgc_cell_… are their parts; use
 * pgc_read_….
 */

struct pg_result; /* libpq's */

/**
 * Reads cells in order with one check at the end: the first failure (NULL in a column that was
 * proved NOT NULL, wrong length, no memory) is kept, and later reads give zeroes. Fields are read
 * by the library only.
 */
typedef struct pgc_reader {
    size_t rows; /**< rows that inline readers may touch: 0 for rows of text and after a failure */
    size_t columns;
    const struct pg_result *cells;
    int (*length)(const struct pg_result *cells, int row, int column);  /**< PQgetlength */
    char *(*value)(const struct pg_result *cells, int row, int column); /**< PQgetvalue */
    pgc_result *result;
    const pgc_query *query; /**< for names in messages */
    pgc_status status;
    size_t bad_row, bad_column; /**< of the first failure */
    const char *reason;         /**< static text */
} pgc_reader;

/** @param query gives the names in messages; NULL: the query that the result came from, if any. */
PGC_API void pgc_reader_init(pgc_reader *reader, pgc_result *result, const pgc_query *query);

/**
 * The one check after reading.
 *
 * @return PGC_OK; PGC_PROTOCOL naming query, row, column, expected type; PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: one thread per result. Since: 0.1.
 */
PGC_API pgc_status pgc_reader_finish(const pgc_reader *reader, pgc_error *err) PGC_MUST_CHECK;

/** True when the cell is SQL NULL or does not exist. */
PGC_API bool pgc_read_is_null(const pgc_reader *reader, size_t row, size_t column);

/** Slow path of scalars: records why the cell is not as wanted, and gives 16 zero bytes. */
PGC_API const uint8_t *pgc_cell_miss(pgc_reader *reader, size_t row, size_t column);
/** Slow path of nullable scalars: gives NULL, and records a failure unless the cell is NULL. */
PGC_API const uint8_t *pgc_cell_opt_miss(pgc_reader *reader, size_t row, size_t column);
/** Slow path of text: empty and NULL cells, rows that came as text, failures. */
PGC_API pgc_text pgc_cell_text_miss(pgc_reader *reader, size_t row, size_t column, bool nullable);

/* Network byte order to host order; compilers make one instruction of each. */
static inline uint16_t pgc_load_u16(const uint8_t *bytes)
{
    return (uint16_t) ((unsigned) bytes[0] << 8 | bytes[1]);
}

static inline uint32_t pgc_load_u32(const uint8_t *bytes)
{
    return (uint32_t) bytes[0] << 24 | (uint32_t) bytes[1] << 16 | (uint32_t) bytes[2] << 8 |
           bytes[3];
}

static inline uint64_t pgc_load_u64(const uint8_t *bytes)
{
    return (uint64_t) bytes[0] << 56 | (uint64_t) bytes[1] << 48 | (uint64_t) bytes[2] << 40 |
           (uint64_t) bytes[3] << 32 | (uint64_t) bytes[4] << 24 | (uint64_t) bytes[5] << 16 |
           (uint64_t) bytes[6] << 8 | bytes[7];
}

static inline bool pgc_load_bool(const uint8_t *bytes)
{
    return bytes[0] != 0;
}

static inline int16_t pgc_load_i16(const uint8_t *bytes)
{
    return (int16_t) pgc_load_u16(bytes);
}

static inline int32_t pgc_load_i32(const uint8_t *bytes)
{
    return (int32_t) pgc_load_u32(bytes);
}

static inline int64_t pgc_load_i64(const uint8_t *bytes)
{
    return (int64_t) pgc_load_u64(bytes);
}

static inline float pgc_load_f32(const uint8_t *bytes)
{
    uint32_t bits = pgc_load_u32(bytes);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double pgc_load_f64(const uint8_t *bytes)
{
    uint64_t bits = pgc_load_u64(bytes);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline pgc_uuid pgc_load_uuid(const uint8_t *bytes)
{
    pgc_uuid value;
    memcpy(value.bytes, bytes, sizeof value.bytes);
    return value;
}

static inline pgc_timestamptz pgc_load_timestamptz(const uint8_t *bytes)
{
    pgc_timestamptz value = { pgc_load_i64(bytes) };
    return value;
}

static inline pgc_timestamp pgc_load_timestamp(const uint8_t *bytes)
{
    pgc_timestamp value = { pgc_load_i64(bytes) };
    return value;
}

static inline pgc_date pgc_load_date(const uint8_t *bytes)
{
    pgc_date value = { pgc_load_i32(bytes) };
    return value;
}

static inline pgc_time pgc_load_time(const uint8_t *bytes)
{
    pgc_time value = { pgc_load_i64(bytes) };
    return value;
}

static inline pgc_interval pgc_load_interval(const uint8_t *bytes)
{
    pgc_interval value = { pgc_load_i64(bytes), pgc_load_i32(bytes + 8), pgc_load_i32(bytes + 12) };
    return value;
}

/* Bytes of a cell of exactly `size` > 0 bytes, else NULL. libpq gives length 0 for NULL, so a good
 * cell needs no question about NULL; a result has at most INT_MAX rows, so the casts hold. */
static inline const uint8_t *pgc_cell_fixed(const pgc_reader *reader, size_t row, size_t column,
                                            int size)
{
    if (row < reader->rows && column < reader->columns &&
        reader->length(reader->cells, (int) row, (int) column) == size) {
        return (const uint8_t *) reader->value(reader->cells, (int) row, (int) column);
    }
    return NULL;
}

static inline pgc_text pgc_cell_text(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    if (row < reader->rows && column < reader->columns) {
        int length = reader->length(reader->cells, (int) row, (int) column);
        if (length > 0) {
            pgc_text text = { reader->value(reader->cells, (int) row, (int) column),
                              (size_t) length };
            return text;
        }
    }
    return pgc_cell_text_miss(reader, row, column, nullable);
}

/** Types of fixed size: X(name, type, bytes on the wire). */
#define PGC_FIXED_MAP(X)               \
    X(bool, bool, 1)                   \
    X(i16, int16_t, 2)                 \
    X(i32, int32_t, 4)                 \
    X(i64, int64_t, 8)                 \
    X(u32, uint32_t, 4)                \
    X(f32, float, 4)                   \
    X(f64, double, 8)                  \
    X(uuid, pgc_uuid, 16)              \
    X(timestamptz, pgc_timestamptz, 8) \
    X(timestamp, pgc_timestamp, 8)     \
    X(date, pgc_date, 4)               \
    X(time, pgc_time, 8)               \
    X(interval, pgc_interval, 16)

/*
 * pgc_read_x(reader, row, column) of columns proved NOT NULL: a NULL there is a failure, never a
 * silent zero. pgc_read_opt_x() of nullable columns gives { has = false } for NULL.
 */
#define X(name, type, size)                                                                 \
    static inline type pgc_read_##name(pgc_reader *reader, size_t row, size_t column)       \
    {                                                                                       \
        const uint8_t *bytes = pgc_cell_fixed(reader, row, column, size);                   \
        return pgc_load_##name(bytes != NULL ? bytes : pgc_cell_miss(reader, row, column)); \
    }                                                                                       \
    static inline pgc_opt_##name pgc_read_opt_##name(pgc_reader *reader, size_t row,        \
                                                     size_t column)                         \
    {                                                                                       \
        pgc_opt_##name value = PGC_ZERO;                                                    \
        const uint8_t *bytes = pgc_cell_fixed(reader, row, column, size);                   \
        if (bytes != NULL || (bytes = pgc_cell_opt_miss(reader, row, column)) != NULL) {    \
            value.has = true;                                                               \
            value.v = pgc_load_##name(bytes);                                               \
        }                                                                                   \
        return value;                                                                       \
    }
PGC_FIXED_MAP(X)
#undef X

static inline pgc_text pgc_read_text(pgc_reader *reader, size_t row, size_t column)
{
    return pgc_cell_text(reader, row, column, false);
}

static inline pgc_text pgc_read_opt_text(pgc_reader *reader, size_t row, size_t column)
{
    return pgc_cell_text(reader, row, column, true);
}

static inline pgc_text pgc_read_json(pgc_reader *reader, size_t row, size_t column)
{
    return pgc_cell_text(reader, row, column, false);
}

static inline pgc_text pgc_read_opt_json(pgc_reader *reader, size_t row, size_t column)
{
    return pgc_cell_text(reader, row, column, true);
}

/*
 * Text, bytes and JSON point into the result (a NUL follows the last byte, elements of text arrays
 * excepted); numerics, vectors and arrays are decoded to host order into memory of the result. Rows
 * that came as text (pgc_conn_script()) are readable by the text and JSON readers only.
 */
PGC_API pgc_text pgc_read_jsonb(pgc_reader *reader, size_t row, size_t column);
PGC_API pgc_bytes pgc_read_bytes(pgc_reader *reader, size_t row, size_t column);
PGC_API pgc_numeric pgc_read_numeric(pgc_reader *reader, size_t row, size_t column);
PGC_API pgc_vector pgc_read_vector(pgc_reader *reader, size_t row, size_t column);
PGC_API pgc_halfvec pgc_read_halfvec(pgc_reader *reader, size_t row, size_t column);

/* Nullable columns: NULL pointers (numeric: present false, arrays: has false) for NULL. */
PGC_API pgc_text pgc_read_opt_jsonb(pgc_reader *reader, size_t row, size_t column);
PGC_API pgc_bytes pgc_read_opt_bytes(pgc_reader *reader, size_t row, size_t column);
PGC_API pgc_numeric pgc_read_opt_numeric(pgc_reader *reader, size_t row, size_t column);
PGC_API pgc_vector pgc_read_opt_vector(pgc_reader *reader, size_t row, size_t column);
PGC_API pgc_halfvec pgc_read_opt_halfvec(pgc_reader *reader, size_t row, size_t column);

#define X(name, type)                                                                          \
    PGC_API pgc_arr_##name pgc_read_arr_##name(pgc_reader *reader, size_t row, size_t column); \
    PGC_API pgc_arr_##name pgc_read_opt_arr_##name(pgc_reader *reader, size_t row, size_t column);
PGC_ARRAY_MAP(X)
#undef X

PGC_END_DECLS

#endif
