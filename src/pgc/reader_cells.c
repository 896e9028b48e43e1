/* The cells of a result. libpq keeps each row as an array of { length, pointer }, which is what
 * readers want; its functions give one half of one cell per call, and two calls per cell cost more
 * than decoding it. So the rows are read where they stand when libpq is of a version whose layout
 * is known and what is found there agrees with what its functions say; else they are listed once,
 * by its functions. A result that is not libpq's brings its cells. Invariant: nothing behind the
 * four leading members is touched. One thread per result. */
#include "base/prelude.h"

#include "pgc/cell.h"

/* How a PGresult begins since PostgreSQL 8. */
typedef struct pq_head {
    int rows, columns;
    const void *names;
    const pgc_cell *const *cells;
} pq_head;

/* Major versions whose sources were read. */
#define PQ_FIRST_KNOWN 120000
#define PQ_FIRST_NEW   190000

/* The cell as libpq's functions tell it. */
static pgc_cell told_cell(const pq_ops *pq, const PGresult *res, size_t row, size_t column)
{
    pgc_cell told = { pq->getlength(res, (int) row, (int) column),
                      (const uint8_t *) pq->getvalue(res, (int) row, (int) column) };
    /* Length 0 is said of empty values and of NULL. */
    if (told.len <= 0 && pq->getisnull(res, (int) row, (int) column) != 0) {
        told.len = -1;
    }
    return told;
}

static bool agrees(const pgc_result *result, const pq_head *head, size_t row, size_t column)
{
    pgc_cell told = told_cell(result->pq, result->res, row, column);
    const pgc_cell *found = &head->cells[row][column];
    return found->len == told.len && found->bytes == told.bytes;
}

/* NULL when the rows must be listed. */
static const pgc_cell *const *direct_rows(const pgc_result *result)
{
    const pq_ops *real = pq_libpq();
    if (result->pq->getvalue != real->getvalue || real->libVersion() < PQ_FIRST_KNOWN ||
        real->libVersion() >= PQ_FIRST_NEW) {
        return NULL;
    }
    const pq_head *head = (const pq_head *) (const void *) result->res;
    bool same = head->rows >= 0 && (size_t) head->rows == result->rows && head->columns >= 0 &&
                (size_t) head->columns == result->columns && head->cells != NULL;
    same = same && (result->rows == 1 || agrees(result, head, 0, 0)) &&
           agrees(result, head, result->rows - 1, result->columns - 1);
    return same ? head->cells : NULL;
}

/* One block: the rows, then the cells. */
static const pgc_cell *const *listed_rows(pgc_result *result)
{
    size_t row_bytes;
    size_t bytes;
    if (!size_mul(result->columns, sizeof(pgc_cell), &row_bytes) ||
        !size_add(row_bytes, sizeof(pgc_cell *), &row_bytes) ||
        !size_mul(row_bytes, result->rows, &bytes)) {
        return NULL;
    }
    const pgc_cell **rows = pgc_result_array(result, 1, bytes);
    if (rows == NULL) {
        return NULL;
    }
    pgc_cell *cells = (pgc_cell *) (void *) (rows + result->rows);
    for (size_t row = 0; row < result->rows; row++) {
        rows[row] = cells + row * result->columns;
        for (size_t column = 0; column < result->columns; column++) {
            cells[row * result->columns + column] = told_cell(result->pq, result->res, row, column);
        }
    }
    return rows;
}

const pgc_cell *const *reader_cells(pgc_result *result)
{
    if (result->cells == NULL && result->rows > 0 && result->columns > 0) {
        result->cells = direct_rows(result);
        if (result->cells == NULL) {
            result->cells = listed_rows(result);
        }
    }
    return result->cells;
}
