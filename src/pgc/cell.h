/* What the readers share: finding a cell and recording the first failure. */
#ifndef PGC_CELL_H
#define PGC_CELL_H

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

#endif
