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

/* The rows of a result as cells; NULL when there are none, or no memory for them. */
const pgc_cell *const *reader_cells(pgc_result *result);

/* Record the first failure, here and in the readers around; from then on reads give zeroes. reason
 * is static text. */
void reader_fail(pgc_reader *reader, size_t row, size_t column, pgc_status status,
                 const char *reason) __attribute__((cold));

/* Any cell, binary or text; a NULL there is a failure unless nullable. */
cell reader_cell(pgc_reader *reader, size_t row, size_t column, bool nullable);

/* Memory of the result, not zeroed; records PGC_NOMEM and gives NULL when there is none. */
void *reader_alloc(pgc_reader *reader, size_t row, size_t column, size_t size);

#endif
