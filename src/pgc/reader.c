/* Readers, the common part: cells, failures, the check at the end. Invariant: after the first
 * failure reader->rows is 0, so every later read takes the slow path and gives zeroes; rows that
 * came as text start with rows 0 as well, which keeps typed readers away from them. */
#include "base/prelude.h"

#include "pgc/reader.h"

void pgc_reader_init(pgc_reader *reader, pgc_result *result, const pgc_query *query)
{
    *reader = (pgc_reader) {
        .result = result,
        .query = query == NULL ? result->query : query,
        .rows = result->binary ? result->rows : 0,
        .columns = result->columns,
    };
}

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

/* The cell exists; a result has at most INT_MAX rows, so the casts are safe. */
static bool cell_is_null(const pgc_result *result, size_t row, size_t column)
{
    return result->pq->getisnull(result->res, (int) row, (int) column) != 0;
}

bool reader_miss(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    const pgc_result *result = reader->result;
    if (reader->status != PGC_OK) {
        return false;
    }
    if (row >= result->rows || column >= result->columns) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "there is no such cell");
    } else if (cell_is_null(result, row, column)) {
        if (nullable) {
            return true;
        }
        reader_fail(reader, row, column, PGC_PROTOCOL, "is NULL but must not be");
    } else if (!result->binary) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "came as text; read it as text");
    } else {
        reader_fail(reader, row, column, PGC_PROTOCOL, "has the wrong length");
    }
    return false;
}

/* Any cell; formats are the caller's business. */
static cell find_cell(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    const pgc_result *result = reader->result;
    int length = result->pq->getlength(result->res, (int) row, (int) column);
    if (length <= 0 && cell_is_null(result, row, column)) {
        if (!nullable) {
            (void) reader_miss(reader, row, column, false);
        }
        return (cell) { NULL, 0 };
    }
    const char *value = result->pq->getvalue(result->res, (int) row, (int) column);
    return (cell) { (const uint8_t *) value, length < 0 ? 0 : (size_t) length };
}

cell reader_cell(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    if (row >= reader->rows || column >= reader->columns) {
        (void) reader_miss(reader, row, column, nullable);
        return (cell) { NULL, 0 };
    }
    return find_cell(reader, row, column, nullable);
}

cell reader_text_cell(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    if (row >= reader->result->rows || column >= reader->columns || reader->status != PGC_OK) {
        (void) reader_miss(reader, row, column, nullable);
        return (cell) { NULL, 0 };
    }
    return find_cell(reader, row, column, nullable);
}

void *reader_alloc(pgc_reader *reader, size_t row, size_t column, size_t size)
{
    void *memory = pgc_result_alloc(reader->result, size);
    if (memory == NULL) {
        reader_fail(reader, row, column, PGC_NOMEM, "finds no memory to be decoded into");
    }
    return memory;
}

bool pgc_read_is_null(const pgc_reader *reader, size_t row, size_t column)
{
    const pgc_result *result = reader->result;
    return row >= result->rows || column >= result->columns || cell_is_null(result, row, column);
}

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
