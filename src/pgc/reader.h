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
/* Any cell of any format; a NULL there is a failure unless nullable. */
cell reader_text_cell(pgc_reader *reader, size_t row, size_t column, bool nullable);

/* Why a fixed-size cell is not there: records the failure, and says false; or says true when the
 * cell is NULL and may be. */
bool reader_miss(pgc_reader *reader, size_t row, size_t column, bool nullable)
    __attribute__((cold));

/* Zeroed memory of the result; records PGC_NOMEM and gives NULL when there is none. */
void *reader_alloc(pgc_reader *reader, size_t row, size_t column, size_t size);

/* The hot path: a binary cell of exactly `size` bytes, or NULL when reader_miss() must tell why.
 * libpq gives length 0 for NULL, so no call for NULL is needed as long as size > 0. */
static inline const uint8_t *reader_fixed(const pgc_reader *reader, size_t row, size_t column,
                                          int size)
{
    if (__builtin_expect(row >= reader->rows || column >= reader->columns, 0)) {
        return NULL;
    }
    const pgc_result *result = reader->result;
    if (__builtin_expect(result->pq->getlength(result->res, (int) row, (int) column) != size, 0)) {
        return NULL;
    }
    return (const uint8_t *) result->pq->getvalue(result->res, (int) row, (int) column);
}

#endif
