/* Decoding one value, binary or text, wherever it stands: in a column, an array, a composite or a
 * range. Each decoder checks every length against what is there, refuses bytes left over, and
 * writes its output on success only. */
#ifndef PGC_VALUE_H
#define PGC_VALUE_H

#include "pgc/cell.h"

/* The cell that a value is part of: for messages, memory and the format. */
typedef struct value_at {
    pgc_reader *reader;
    size_t row, column;
} value_at;

/* out points to the value's C type. c.ptr is never NULL. False after a failure. */
typedef bool value_decode(const value_at *at, cell c, void *out);

/* value_i32() and its kin, one for each type. */
#define X(name, type) bool value_##name(const value_at *at, cell c, void *out);
PGC_ARRAY_MAP(X)
#undef X
#define X(name, type) bool value_multirange_##name(const value_at *at, cell c, void *out);
PGC_RANGE_MAP(X)
#undef X

/* Always false, so that checks read as one expression. */
bool value_fail(const value_at *at, const char *reason) __attribute__((cold));
/* The same for text that a parser does not take. */
bool value_bad_text(const value_at *at) __attribute__((cold));
/* count * size bytes of the result, not zeroed; NULL after a failure, which is recorded. */
void *value_alloc(const value_at *at, size_t count, size_t size);
/* Decode the cell into out; false for NULL and after a failure. */
bool value_read(pgc_reader *reader, size_t row, size_t column, bool nullable, value_decode *decode,
                void *out);

/* A NULL that needs no decoder to be told; false may still be one. */
static inline bool value_is_null(const pgc_reader *reader, size_t row, size_t column)
{
    return row < reader->rows && column < reader->columns && reader->cells[row][column].len < 0;
}

/* Defines a reader of a column whose value says by itself whether it is NULL. */
#define VALUE_READER(type, reader_name, decode, nullable)                     \
    type reader_name(pgc_reader *reader, size_t row, size_t column)           \
    {                                                                         \
        type value;                                                           \
        memset(&value, 0, sizeof value);                                      \
        if (!(nullable) || !value_is_null(reader, row, column)) {             \
            (void) value_read(reader, row, column, nullable, decode, &value); \
        }                                                                     \
        return value;                                                         \
    }

static inline bool value_is_text(const value_at *at)
{
    return at->reader->text;
}

static inline pgc_text value_text_of(cell c)
{
    return (pgc_text) { (const char *) c.ptr, c.len };
}

/* Bytes that are still to be read of a binary value. */
typedef struct value_rest {
    const uint8_t *pos, *end;
} value_rest;

static inline value_rest value_rest_of(cell c)
{
    return (value_rest) { c.ptr, c.ptr + c.len };
}

static inline size_t value_left(const value_rest *b)
{
    return (size_t) (b->end - b->pos);
}

/* The next `size` bytes; NULL when there are fewer. */
static inline const uint8_t *value_take(value_rest *b, size_t size)
{
    if (size > value_left(b)) {
        return NULL;
    }
    const uint8_t *taken = b->pos;
    b->pos += size;
    return taken;
}

/* A length and as many bytes; ptr NULL for length -1. False when it is cut or negative. */
bool value_take_cell(value_rest *b, cell *out);

/* Parts of a nested value: elements of an array, fields of a composite. */
typedef struct value_parts {
    size_t count;
    pgc_cell *cells; /* len -1: NULL */
    uint32_t ndim;   /* arrays */
    const pgc_dim *dims;
} value_parts;

/* Text forms taken apart; the parts are unescaped copies, each with a NUL behind it. */
bool value_split_array(const value_at *at, cell c, char delimiter, value_parts *out);
bool value_split_record(const value_at *at, cell c, value_parts *out);
/* out->cells: lower and upper, NULL where there is none. */
bool value_split_range(const value_at *at, cell c, value_parts *out, uint8_t *flags_out);
bool value_split_multirange(const value_at *at, cell c, value_parts *out);

/* The binary form of a range. */
bool value_open_range(const value_at *at, cell c, pgc_cell bounds[2], uint8_t *flags_out);
/* Count and place of the ranges of a binary multirange. */
bool value_open_multirange(const value_at *at, cell c, size_t *count_out, value_rest *out);

#endif
