#ifndef PGC_READER_H
#define PGC_READER_H

#include <string.h>

#include <pgc/query.h>

PGC_BEGIN_DECLS

/*
 * Reading the rows of a result. Scalars and text are read by inline functions: one comparison per
 * cell when the server sent binary, which it does for typed queries. Rows that came as text
 * (pgc_conn_script(), columns without a binary form) are read by the same functions, which parse
 * then. The functions named pgc_load_…, pgc_cell_… and pgc_slow_… are their parts; use pgc_read_….
 */

/** One value as it came. The layout is libpq's own, so that rows are read where they stand. */
typedef struct pgc_cell {
    int len; /**< bytes; -1: NULL */
    const uint8_t *bytes;
} pgc_cell;

/**
 * Reads cells in order with one check at the end: the first failure (NULL in a column that was
 * proved NOT NULL, wrong length, no memory) is kept, and later reads give zeroes. Fields are read
 * by the library only, but for those that say so.
 */
typedef struct pgc_reader {
    size_t rows; /**< rows that inline readers may touch: 0 for rows of text and after a failure */
    size_t columns;
    const pgc_cell *const *cells; /**< rows of cells */
    size_t row_count;             /**< rows there are; may be read: elements of pgc_read_array() */
    pgc_result *result;
    const pgc_query *query; /**< for names in messages */
    pgc_status status;
    bool text;           /**< cells are text, not binary */
    uint8_t range_flags; /**< of pgc_read_range(): PGC_RANGE_*; may be read */
    uint8_t depth;       /**< of nesting */
    uint32_t ndim;       /**< of pgc_read_array(); may be read */
    const pgc_dim *dims; /**< of pgc_read_array(): ndim of them; NULL: one, from 1; may be read */
    struct pgc_reader *parent; /**< of a value inside a value; learns of failures */
    size_t parent_row, parent_column;
    size_t bad_row, bad_column; /**< of the first failure */
    const char *reason;         /**< static text */
    char path[48];              /**< where in a nested value the failure is */
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

/** Slow path of text: NULL cells, rows that came as text, failures. */
PGC_API pgc_text pgc_cell_text_miss(pgc_reader *reader, size_t row, size_t column, bool nullable);

/* Slow path of scalars: rows that came as text, NULL, failures. */
#define X(name, type)                                                            \
    PGC_API type pgc_slow_##name(pgc_reader *reader, size_t row, size_t column); \
    PGC_API pgc_opt_##name pgc_slow_opt_##name(pgc_reader *reader, size_t row, size_t column);
PGC_OPT_MAP(X)
#undef X

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

static inline char pgc_load_char(const uint8_t *bytes)
{
    return (char) bytes[0];
}

static inline int64_t pgc_load_money(const uint8_t *bytes)
{
    return pgc_load_i64(bytes);
}

static inline uint64_t pgc_load_lsn(const uint8_t *bytes)
{
    return pgc_load_u64(bytes);
}

static inline pgc_tid pgc_load_tid(const uint8_t *bytes)
{
    pgc_tid value = { pgc_load_u32(bytes), pgc_load_u16(bytes + 4) };
    return value;
}

static inline pgc_timetz pgc_load_timetz(const uint8_t *bytes)
{
    pgc_timetz value = { pgc_load_i64(bytes), pgc_load_i32(bytes + 8) };
    return value;
}

static inline pgc_macaddr pgc_load_macaddr(const uint8_t *bytes)
{
    pgc_macaddr value;
    memcpy(value.bytes, bytes, sizeof value.bytes);
    return value;
}

static inline pgc_macaddr8 pgc_load_macaddr8(const uint8_t *bytes)
{
    pgc_macaddr8 value;
    memcpy(value.bytes, bytes, sizeof value.bytes);
    return value;
}

static inline pgc_point pgc_load_point(const uint8_t *bytes)
{
    pgc_point value = { pgc_load_f64(bytes), pgc_load_f64(bytes + 8) };
    return value;
}

static inline pgc_line pgc_load_line(const uint8_t *bytes)
{
    pgc_line value = { pgc_load_f64(bytes), pgc_load_f64(bytes + 8), pgc_load_f64(bytes + 16) };
    return value;
}

static inline pgc_lseg pgc_load_lseg(const uint8_t *bytes)
{
    pgc_lseg value = { pgc_load_point(bytes), pgc_load_point(bytes + 16) };
    return value;
}

static inline pgc_box pgc_load_box(const uint8_t *bytes)
{
    pgc_box value = { pgc_load_point(bytes), pgc_load_point(bytes + 16) };
    return value;
}

static inline pgc_circle pgc_load_circle(const uint8_t *bytes)
{
    pgc_circle value = { pgc_load_point(bytes), pgc_load_f64(bytes + 16) };
    return value;
}

/* Bytes of a cell of exactly `size` bytes, else NULL; the length of NULL is -1. */
static inline const uint8_t *pgc_cell_fixed(const pgc_reader *reader, size_t row, size_t column,
                                            int size)
{
    if (row < reader->rows && column < reader->columns) {
        const pgc_cell *cell = &reader->cells[row][column];
        if (cell->len == size) {
            return cell->bytes;
        }
    }
    return NULL;
}

static inline pgc_text pgc_cell_text(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    if (row < reader->rows && column < reader->columns) {
        const pgc_cell *cell = &reader->cells[row][column];
        if (cell->len >= 0) {
            pgc_text text = { (const char *) cell->bytes, (size_t) cell->len };
            return text;
        }
        if (nullable) {
            pgc_text none = { NULL, 0 };
            return none;
        }
    }
    return pgc_cell_text_miss(reader, row, column, nullable);
}

/** Types of fixed size: X(name, type, bytes on the wire). */
#define PGC_FIXED_MAP(X)               \
    X(bool, bool, 1)                   \
    X(char, char, 1)                   \
    X(i16, int16_t, 2)                 \
    X(i32, int32_t, 4)                 \
    X(i64, int64_t, 8)                 \
    X(u32, uint32_t, 4)                \
    X(u64, uint64_t, 8)                \
    X(f32, float, 4)                   \
    X(f64, double, 8)                  \
    X(money, int64_t, 8)               \
    X(lsn, uint64_t, 8)                \
    X(tid, pgc_tid, 6)                 \
    X(uuid, pgc_uuid, 16)              \
    X(timestamptz, pgc_timestamptz, 8) \
    X(timestamp, pgc_timestamp, 8)     \
    X(date, pgc_date, 4)               \
    X(time, pgc_time, 8)               \
    X(timetz, pgc_timetz, 12)          \
    X(interval, pgc_interval, 16)      \
    X(macaddr, pgc_macaddr, 6)         \
    X(macaddr8, pgc_macaddr8, 8)       \
    X(point, pgc_point, 16)            \
    X(line, pgc_line, 24)              \
    X(lseg, pgc_lseg, 32)              \
    X(box, pgc_box, 32)                \
    X(circle, pgc_circle, 24)

/*
 * pgc_read_x(reader, row, column) of columns proved NOT NULL: a NULL there is a failure, never a
 * silent zero. pgc_read_opt_x() of nullable columns gives { has = false } for NULL.
 */
#define X(name, type, size)                                                                   \
    static inline type pgc_read_##name(pgc_reader *reader, size_t row, size_t column)         \
    {                                                                                         \
        const uint8_t *bytes = pgc_cell_fixed(reader, row, column, size);                     \
        return bytes != NULL ? pgc_load_##name(bytes) : pgc_slow_##name(reader, row, column); \
    }                                                                                         \
    static inline pgc_opt_##name pgc_read_opt_##name(pgc_reader *reader, size_t row,          \
                                                     size_t column)                           \
    {                                                                                         \
        const uint8_t *bytes = pgc_cell_fixed(reader, row, column, size);                     \
        if (bytes != NULL) {                                                                  \
            pgc_opt_##name value = { true, pgc_load_##name(bytes) };                          \
            return value;                                                                     \
        }                                                                                     \
        return pgc_slow_opt_##name(reader, row, column);                                      \
    }
PGC_FIXED_MAP(X)
#undef X

/* An inet is 8 or 20 bytes long. */
static inline pgc_inet pgc_read_inet(pgc_reader *reader, size_t row, size_t column)
{
    return pgc_slow_inet(reader, row, column);
}

static inline pgc_opt_inet pgc_read_opt_inet(pgc_reader *reader, size_t row, size_t column)
{
    return pgc_slow_opt_inet(reader, row, column);
}

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
 * The types below point into the result: text, bytes and JSON to what came (a NUL follows the last
 * byte of a column, not of a part of one), the others to memory of the result into which they were
 * decoded. The opt forms give the type's NULL value for NULL. jsonb readers also read jsonpath,
 * ltree, lquery and ltxtquery, which have the same form.
 */
#define X(name, type)                                                            \
    PGC_API type pgc_read_##name(pgc_reader *reader, size_t row, size_t column); \
    PGC_API type pgc_read_opt_##name(pgc_reader *reader, size_t row, size_t column);
X(jsonb, pgc_text)
X(bytes, pgc_bytes)
X(numeric, pgc_numeric)
X(bits, pgc_bits)
X(path, pgc_path)
X(polygon, pgc_polygon)
X(vector, pgc_vector)
X(halfvec, pgc_halfvec)
X(sparsevec, pgc_sparsevec)
X(tsvector, pgc_tsvector)
X(tsquery, pgc_tsquery)
X(hstore, pgc_hstore)
#undef X

#define X(name, type)                                                                              \
    PGC_API pgc_range_##name pgc_read_range_##name(pgc_reader *reader, size_t row, size_t column); \
    PGC_API pgc_range_##name pgc_read_opt_range_##name(pgc_reader *reader, size_t row,             \
                                                       size_t column);                             \
    PGC_API pgc_multirange_##name pgc_read_multirange_##name(pgc_reader *reader, size_t row,       \
                                                             size_t column);                       \
    PGC_API pgc_multirange_##name pgc_read_opt_multirange_##name(pgc_reader *reader, size_t row,   \
                                                                 size_t column);
PGC_RANGE_MAP(X)
#undef X

#define X(name, type)                                                                          \
    PGC_API pgc_arr_##name pgc_read_arr_##name(pgc_reader *reader, size_t row, size_t column); \
    PGC_API pgc_arr_##name pgc_read_opt_arr_##name(pgc_reader *reader, size_t row, size_t column);
PGC_ARRAY_MAP(X)
#undef X

/*
 * Values inside values, of any type and any nesting up to PGC_NEST_MAX: each function makes `inner`
 * a reader of the parts of one cell, to be read by the functions above. `inner` lives as long as
 * `reader` and its result, and needs no finish: its failures are those of `reader`. True: there is
 * a value; false: NULL or a failure, and `inner` has no rows. The plain forms take NULL for a
 * failure.
 *
 *     pgc_reader pair;
 *     if (pgc_read_opt_record(&reader, row, 2, &PAIR_TYPE, &pair)) {
 *         out->x = pgc_read_opt_i32(&pair, 0, 0);
 *         out->y = pgc_read_opt_text(&pair, 0, 1);
 *     }
 */

#define PGC_NEST_MAX 16

/**
 * A composite value: `inner` has one row, whose columns are its fields.
 *
 * @param type the fields that must be there, their types compared where the OIDs are known; NULL:
 *             whatever came (records without a type, too).
 *
 * Blocks: no. Thread-safe: one thread per result. Since: 0.1.
 */
PGC_API bool pgc_read_record(pgc_reader *reader, size_t row, size_t column,
                             const pgc_record_type *type, pgc_reader *inner);
/** As pgc_read_record(); NULL is no failure. */
PGC_API bool pgc_read_opt_record(pgc_reader *reader, size_t row, size_t column,
                                 const pgc_record_type *type, pgc_reader *inner);

/**
 * An array of anything: `inner` has a row of one column for each element; inner->row_count of them,
 * and inner->ndim and inner->dims tell the shape. An array of composites is read by
 * pgc_read_record(&inner, i, 0, …).
 *
 * Blocks: no. Thread-safe: one thread per result. Since: 0.1.
 */
PGC_API bool pgc_read_array(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner);
/** As pgc_read_array(); NULL is no failure. */
PGC_API bool pgc_read_opt_array(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner);

/**
 * A range of any subtype: `inner` has one row with the lower and the upper bound as columns, NULL
 * where there is none; inner->range_flags has PGC_RANGE_*.
 *
 * Blocks: no. Thread-safe: one thread per result. Since: 0.1.
 */
PGC_API bool pgc_read_range(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner);
/** As pgc_read_range(); NULL is no failure. */
PGC_API bool pgc_read_opt_range(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner);

/**
 * A multirange of any subtype: `inner` has a row of one column for each range.
 *
 * Blocks: no. Thread-safe: one thread per result. Since: 0.1.
 */
PGC_API bool pgc_read_multirange(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner);
/** As pgc_read_multirange(); NULL is no failure. */
PGC_API bool pgc_read_opt_multirange(pgc_reader *reader, size_t row, size_t column,
                                     pgc_reader *inner);

/**
 * Memory of the result for what the rows of an inner reader are decoded into.
 *
 * @param inner of pgc_read_array() or pgc_read_multirange().
 * @param size  bytes of one element; there is room for inner->row_count of them, not zeroed.
 * @return NULL when there are no rows, and when memory is exhausted: a failure of the reader.
 *
 * Blocks: no. Thread-safe: one thread per result. Since: 0.1.
 */
PGC_API void *pgc_read_room(const pgc_reader *inner, size_t size);

/**
 * Which rows of an inner reader are NULL, as pgc_arr_x has it: a byte per element.
 *
 * @return NULL when none is; memory of the result.
 *
 * Blocks: no. Thread-safe: one thread per result. Since: 0.1.
 */
PGC_API const uint8_t *pgc_read_nulls(const pgc_reader *inner);

PGC_END_DECLS

#endif
