/* What the readers share: finding a cell and recording the first failure. */
#ifndef PGC_READER_H
#define PGC_READER_H

#include "pgc/result.h"
#include "pgc/wire.h"

/* A cell's bytes; ptr NULL is SQL NULL (or a failure, which the reader has recorded). */
typedef struct cell {
    const uint8_t *ptr;
    size_t len;
} cell;

/* Record the first failure; from then on reads give zeroes. reason is static text. */
void reader_fail(pgc_reader *reader, size_t row, size_t column, pgc_status status,
                 const char *reason) __attribute__((cold));

/* Any binary cell; a NULL there is a failure unless nullable. */
cell reader_cell(pgc_reader *reader, size_t row, size_t column, bool nullable);

/* Why a cell cannot be read as wanted, it being no NULL that may be: records the failure. Gives
 * zeroes, enough for every scalar, so that callers go on without a branch. */
const uint8_t *reader_miss(pgc_reader *reader, size_t row, size_t column)
    __attribute__((cold, returns_nonnull));

/* Memory of the result, not zeroed; records PGC_NOMEM and gives NULL when there is none. */
void *reader_alloc(pgc_reader *reader, size_t row, size_t column, size_t size);

/* The cell exists, is binary and nothing failed before. A result has at most INT_MAX rows, so row
 * and column fit libpq's int afterwards. */
static inline bool reader_has(const pgc_reader *reader, size_t row, size_t column)
{
    return __builtin_expect(row < reader->rows, 1) && __builtin_expect(column < reader->columns, 1);
}

/* The three questions to libpq about a cell that exists. */
static inline int cell_length(const pgc_result *result, size_t row, size_t column)
{
    return result->pq->getlength(result->res, (int) row, (int) column);
}

static inline const uint8_t *cell_value(const pgc_result *result, size_t row, size_t column)
{
    return (const uint8_t *) result->pq->getvalue(result->res, (int) row, (int) column);
}

static inline bool cell_is_null(const pgc_result *result, size_t row, size_t column)
{
    return result->pq->getisnull(result->res, (int) row, (int) column) != 0;
}

/* The hot path: the bytes of a binary cell of exactly `size` > 0 bytes, else zeroes and a recorded
 * failure. libpq gives length 0 for NULL, so a good cell needs no question about NULL. */
static inline const uint8_t *reader_fixed(pgc_reader *reader, size_t row, size_t column, int size)
{
    if (reader_has(reader, row, column)) {
        const pgc_result *result = reader->result;
        if (__builtin_expect(cell_length(result, row, column) == size, 1)) {
            return cell_value(result, row, column);
        }
    }
    return reader_miss(reader, row, column);
}

/* The same for nullable columns: NULL when the cell is SQL NULL or after a failure. */
static inline const uint8_t *reader_opt_fixed(pgc_reader *reader, size_t row, size_t column,
                                              int size)
{
    if (reader_has(reader, row, column)) {
        const pgc_result *result = reader->result;
        int length = cell_length(result, row, column);
        if (__builtin_expect(length == size, 1)) {
            return cell_value(result, row, column);
        }
        if (length == 0 && cell_is_null(result, row, column)) {
            return NULL;
        }
    } else if (pgc_read_is_null(reader, row, column) && row < reader->result->rows &&
               column < reader->columns) {
        return NULL; /* rows that came as text: NULL is NULL in both formats */
    }
    (void) reader_miss(reader, row, column);
    return NULL;
}

#endif
