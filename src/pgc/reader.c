/* Readers, the common part: cells, failures, the check at the end. Invariant: after the first
 * failure reader->rows is 0, so every later read takes the slow path and gives zeroes; rows that
 * came as text start with rows 0 as well, which keeps typed readers away from them. */
#include "base/prelude.h"

#include "pgc/cell.h"

/* The function pointers are copied out of the seam's table, because the inline readers in the
 * public header must not know that table. */
void pgc_reader_init(pgc_reader *reader, pgc_result *result, const pgc_query *query)
{
    *reader = (pgc_reader) {
        .result = result,
        .query = query == NULL ? result->query : query,
        .rows = result->binary ? result->rows : 0,
        .columns = result->columns,
        .cells = result->res,
        .length = result->pq->getlength,
        .value = result->pq->getvalue,
    };
}

/* The first failure stays. Readers have no status of their own: generated code reads a whole row
 * and asks once, in pgc_reader_finish(). */
void reader_fail(pgc_reader *reader, size_t row, size_t column, pgc_status status,
                 const char *reason)
{
    assert(status != PGC_OK);
    if (reader->status != PGC_OK) {
        assert(reader->rows == 0);
        return;
    }
    reader->status = status;
    reader->bad_row = row;
    reader->bad_column = column;
    reader->reason = reason;
    reader->rows = 0;
}

/* The slow path of every fixed-size reader. Sixteen zero bytes are enough for the largest of
 * them, so the caller decodes them like a value and stays free of branches. */
const uint8_t *pgc_cell_miss(pgc_reader *reader, size_t row, size_t column)
{
    static const uint8_t zeroes[16];
    const pgc_result *result = reader->result;
    if (reader->status != PGC_OK) {
        /* The first failure is the one to tell. */
    } else if (row >= result->rows || column >= result->columns) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "there is no such cell");
    } else if (cell_is_null(result, row, column)) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "is NULL but must not be");
    } else if (!result->binary) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "came as text; read it as text");
    } else {
        reader_fail(reader, row, column, PGC_PROTOCOL, "has the wrong length");
    }
    return zeroes;
}

/* NULL where NULL is allowed is no failure; anything else is, as above. */
const uint8_t *pgc_cell_opt_miss(pgc_reader *reader, size_t row, size_t column)
{
    /* NULL is NULL in rows that came as text, too. */
    const pgc_result *result = reader->result;
    if (row >= result->rows || column >= result->columns || !cell_is_null(result, row, column)) {
        (void) pgc_cell_miss(reader, row, column);
    }
    return NULL;
}

/* Text may also be read from rows that came as text, of scripts for example. */
pgc_text pgc_cell_text_miss(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    const pgc_result *result = reader->result;
    if (reader->status == PGC_OK && row < result->rows && column < result->columns) {
        if (!cell_is_null(result, row, column)) {
            return (pgc_text) { (const char *) cell_value(result, row, column),
                                (size_t) cell_length(result, row, column) };
        }
        if (nullable) {
            return (pgc_text) { NULL, 0 };
        }
    }
    (void) pgc_cell_miss(reader, row, column);
    return (pgc_text) { NULL, 0 };
}

/* libpq gives length 0 for NULL and for empty values alike: only then is it asked which it is. */
cell reader_cell(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    const pgc_result *result = reader->result;
    if (reader_has(reader, row, column)) {
        int length = cell_length(result, row, column);
        if (length > 0 || !cell_is_null(result, row, column)) {
            return (cell) { cell_value(result, row, column), length < 0 ? 0 : (size_t) length };
        }
    }
    bool null = row < result->rows && column < result->columns && cell_is_null(result, row, column);
    if (!null || !nullable) {
        (void) pgc_cell_miss(reader, row, column);
    }
    return (cell) { NULL, 0 };
}

/* Decoded values live as long as the result, in its arena. */
void *reader_alloc(pgc_reader *reader, size_t row, size_t column, size_t size)
{
    void *memory = pgc_result_array(reader->result, 1, size);
    if (memory == NULL) {
        reader_fail(reader, row, column, PGC_NOMEM, "finds no memory to be decoded into");
    }
    return memory;
}

/* A cell that does not exist counts as NULL here; reading it tells the mistake. */
bool pgc_read_is_null(const pgc_reader *reader, size_t row, size_t column)
{
    const pgc_result *result = reader->result;
    return row >= result->rows || column >= result->columns || cell_is_null(result, row, column);
}

/* Rows and columns are counted from 1 in the message, as people do. */
pgc_status pgc_reader_finish(const pgc_reader *reader, pgc_error *err)
{
    if (reader->status == PGC_OK) {
        return PGC_OK;
    }
    const pgc_query *query = reader->query;
    const char *name = query == NULL ? "(text)" : query->name;
    bool known = query != NULL && reader->bad_column < query->column_count;
    const pgc_type_ref *column = known ? &query->columns[reader->bad_column] : NULL;
    pgc_status status = pgc_error_set(
        err, reader->status, "query %s: row %zu, column %zu (%s, expected type %s) %s", name,
        reader->bad_row + 1, reader->bad_column + 1, known ? column->name : "unnamed",
        known ? column->type : "unknown", reader->reason);
    if (err != NULL) {
        (void) snprintf(err->query, sizeof err->query, "%s", name);
        (void) snprintf(err->column, sizeof err->column, "%s", known ? column->name : "");
    }
    return status;
}
