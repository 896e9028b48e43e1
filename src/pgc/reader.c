/* Readers, the common part: cells, failures, the check at the end. Invariant: after the first
 * failure reader->rows is 0, so every later read takes the slow path and gives zeroes; rows that
 * came as text start with rows 0 as well, which makes typed readers parse. */
#include "base/prelude.h"

#include "pgc/value.h"

/* A result without memory for its cells has a failed reader from the start. */
void pgc_reader_init(pgc_reader *reader, pgc_result *result, const pgc_query *query)
{
    *reader = (pgc_reader) {
        .result = result,
        .query = query == NULL ? result->query : query,
        .row_count = result->rows,
        .rows = result->binary ? result->rows : 0,
        .columns = result->columns,
        .cells = reader_cells(result),
        .text = !result->binary,
    };
    if (reader->cells == NULL && result->rows > 0 && result->columns > 0) {
        reader_fail(reader, 0, 0, PGC_NOMEM, "finds no memory to be read");
    }
}

/* The way to the failure, from the outside in: "[3].2" is the second field of the third element. */
static void note_path(pgc_reader *outer, const pgc_reader *inner, size_t row, size_t column)
{
    char step[32];
    if (inner->columns == 1) {
        (void) snprintf(step, sizeof step, "[%zu]", row + 1);
    } else {
        (void) snprintf(step, sizeof step, ".%zu", column + 1);
    }
    (void) snprintf(outer->path, sizeof outer->path, "%.20s%.27s", step, inner->path);
}

/* The first failure stays. Readers have no status of their own: generated code reads a whole row
 * and asks once, in pgc_reader_finish(). */
void reader_fail(pgc_reader *reader, size_t row, size_t column, pgc_status status,
                 const char *reason)
{
    assert(status != PGC_OK);
    /* At most PGC_NEST_MAX steps outwards. */
    while (reader != NULL && reader->status == PGC_OK) {
        reader->status = status;
        reader->bad_row = row;
        reader->bad_column = column;
        reader->reason = reason;
        reader->rows = 0;
        if (reader->parent != NULL && reader->parent->status == PGC_OK) {
            note_path(reader->parent, reader, row, column);
        }
        row = reader->parent_row;
        column = reader->parent_column;
        reader = reader->parent;
    }
}

static bool has_cell(const pgc_reader *reader, size_t row, size_t column)
{
    return row < reader->row_count && column < reader->columns;
}

/* Why a cell that is not there or NULL cannot be read. */
static void miss(pgc_reader *reader, size_t row, size_t column)
{
    reader_fail(reader, row, column, PGC_PROTOCOL,
                has_cell(reader, row, column) ? "is NULL but must not be"
                                              : "there is no such cell");
}

cell reader_cell(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    if (reader->status != PGC_OK) {
        return (cell) { NULL, 0 }; /* the first failure is the one to tell */
    }
    if (has_cell(reader, row, column)) {
        const pgc_cell *found = &reader->cells[row][column];
        if (found->len >= 0) {
            assert(found->bytes != NULL);
            return (cell) { found->bytes, (size_t) found->len };
        }
        if (nullable) {
            return (cell) { NULL, 0 };
        }
    }
    miss(reader, row, column);
    return (cell) { NULL, 0 };
}

pgc_text pgc_cell_text_miss(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    return value_text_of(reader_cell(reader, row, column, nullable));
}

/* Decoded values live as long as the result, in its arena. */
void *reader_alloc(pgc_reader *reader, size_t row, size_t column, size_t size)
{
    arena *own = reader->result->memory;
    void *memory = own != NULL ? arena_take(own, size) : pgc_result_array(reader->result, 1, size);
    if (memory == NULL) {
        reader_fail(reader, row, column, PGC_NOMEM, "finds no memory to be decoded into");
    }
    return memory;
}

/* A cell that does not exist counts as NULL here; reading it tells the mistake. */
bool pgc_read_is_null(const pgc_reader *reader, size_t row, size_t column)
{
    return !has_cell(reader, row, column) || reader->cells == NULL ||
           reader->cells[row][column].len < 0;
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
        err, reader->status, "query %s: row %zu, column %zu%s (%s, expected type %s) %s", name,
        reader->bad_row + 1, reader->bad_column + 1, reader->path, known ? column->name : "unnamed",
        known ? column->type : "unknown", reader->reason);
    if (err != NULL) {
        (void) snprintf(err->query, sizeof err->query, "%s", name);
        (void) snprintf(err->column, sizeof err->column, "%s", known ? column->name : "");
    }
    return status;
}
