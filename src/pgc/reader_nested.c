/* Readers of values inside values: a composite, array, range or multirange becomes rows of cells,
 * which the usual readers read. Invariant: the cells of an inner reader lie in the result's memory
 * and live as long; a failure inside is a failure of all readers around. One thread per result. */
#include "base/prelude.h"

#include "pgc/reader_array.h"

/* No rows, so that whoever reads after false is told. */
static void inner_init(pgc_reader *inner, const value_at *at)
{
    const pgc_reader *outer = at->reader;
    *inner = (pgc_reader) {
        .result = outer->result,
        .query = outer->query,
        .text = outer->text,
        .depth = (uint8_t) (outer->depth + 1),
        .parent = at->reader,
        .parent_row = at->row,
        .parent_column = at->column,
    };
}

/* The cell to open; ptr NULL for NULL and after a failure. */
static cell inner_cell(const value_at *at, bool nullable, pgc_reader *inner)
{
    inner_init(inner, at);
    if (at->reader->depth >= PGC_NEST_MAX) {
        (void) value_fail(at, "is nested too deeply");
        return (cell) { NULL, 0 };
    }
    return reader_cell(at->reader, at->row, at->column, nullable);
}

/* Makes `cells` the rows of inner. */
static bool inner_rows(const value_at *at, pgc_reader *inner, const pgc_cell *cells, size_t rows,
                       size_t columns)
{
    const pgc_cell **list = value_alloc(at, rows, sizeof *list);
    if (list == NULL) {
        return false;
    }
    for (size_t i = 0; i < rows; i++) {
        list[i] = cells + i * columns;
    }
    inner->cells = list;
    inner->row_count = rows;
    inner->rows = inner->text ? 0 : rows;
    inner->columns = columns;
    return true;
}

static pgc_cell as_cell(cell c)
{
    return c.ptr == NULL ? (pgc_cell) { -1, NULL } : (pgc_cell) { (int) c.len, c.ptr };
}

/* Both OIDs built in and different: the bytes mean something else. */
static bool type_differs(const pgc_record_type *type, size_t field, uint32_t oid)
{
    return type != NULL && type->fields[field].oid != 0 && type->fields[field].oid != oid;
}

/* Per field its type and its cell. */
static bool record_from_binary(const value_at *at, cell c, const pgc_record_type *type,
                               value_parts *out)
{
    value_rest b = value_rest_of(c);
    const uint8_t *word = value_take(&b, 4);
    if (word == NULL || wire_u32(word) > value_left(&b) / 8) {
        return value_fail(at, "has fewer bytes than its fields need");
    }
    out->count = wire_u32(word);
    if (type != NULL && out->count != type->field_count) {
        return value_fail(at, "has another number of fields than expected");
    }
    out->cells = value_alloc(at, out->count, sizeof *out->cells);
    if (out->cells == NULL) {
        return false;
    }
    for (size_t i = 0; i < out->count; i++) {
        cell field;
        const uint8_t *oid = value_take(&b, 4);
        if (oid == NULL || !value_take_cell(&b, &field)) {
            return value_fail(at, "is cut inside a field");
        }
        if (type_differs(type, i, wire_u32(oid))) {
            return value_fail(at, "has a field of another type than expected");
        }
        out->cells[i] = as_cell(field);
    }
    return value_left(&b) == 0 || value_fail(at, "has bytes behind the last field");
}

static bool open_record(const value_at *at, bool nullable, const pgc_record_type *type,
                        pgc_reader *inner)
{
    value_parts parts = { .count = 0 };
    cell c = inner_cell(at, nullable, inner);
    if (c.ptr == NULL) {
        return false;
    }
    if (value_is_text(at) ? !value_split_record(at, c, &parts)
                          : !record_from_binary(at, c, type, &parts)) {
        return false;
    }
    if (type != NULL && parts.count != type->field_count) {
        return value_fail(at, "has another number of fields than expected");
    }
    return inner_rows(at, inner, parts.cells, 1, parts.count);
}

bool pgc_read_record(pgc_reader *reader, size_t row, size_t column, const pgc_record_type *type,
                     pgc_reader *inner)
{
    const value_at at = { reader, row, column };
    return open_record(&at, false, type, inner);
}

bool pgc_read_opt_record(pgc_reader *reader, size_t row, size_t column, const pgc_record_type *type,
                         pgc_reader *inner)
{
    const value_at at = { reader, row, column };
    return open_record(&at, true, type, inner);
}

static bool open_array(const value_at *at, bool nullable, pgc_reader *inner)
{
    array_walk w;
    cell c = inner_cell(at, nullable, inner);
    if (c.ptr == NULL || !array_start(&w, at, c, ',')) {
        return false;
    }
    pgc_cell *cells = value_alloc(at, w.count, sizeof *cells);
    for (size_t i = 0; cells != NULL && i < w.count; i++) {
        cell element;
        if (!array_next(&w, i, &element)) {
            return false;
        }
        cells[i] = as_cell(element);
    }
    if (cells == NULL || !array_end(&w) || !inner_rows(at, inner, cells, w.count, 1)) {
        return false;
    }
    inner->ndim = w.ndim;
    inner->dims = w.dims;
    return true;
}

bool pgc_read_array(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner)
{
    const value_at at = { reader, row, column };
    return open_array(&at, false, inner);
}

bool pgc_read_opt_array(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner)
{
    const value_at at = { reader, row, column };
    return open_array(&at, true, inner);
}

/* Where a failure of an inner reader as a whole is told. */
static value_at place_of(const pgc_reader *inner)
{
    assert(inner->parent != NULL);
    return (value_at) { inner->parent, inner->parent_row, inner->parent_column };
}

void *pgc_read_room(const pgc_reader *inner, size_t size)
{
    const value_at at = place_of(inner);
    return inner->row_count == 0 ? NULL : value_alloc(&at, inner->row_count, size);
}

/* The mask is made at the first NULL: most arrays have none. */
const uint8_t *pgc_read_nulls(const pgc_reader *inner)
{
    size_t first = 0;
    while (first < inner->row_count && inner->cells[first][0].len >= 0) {
        first++;
    }
    uint8_t *nulls = first == inner->row_count ? NULL : pgc_read_room(inner, 1);
    for (size_t i = 0; nulls != NULL && i < inner->row_count; i++) {
        nulls[i] = (uint8_t) (inner->cells[i][0].len < 0);
    }
    return nulls;
}

static bool open_range(const value_at *at, bool nullable, pgc_reader *inner)
{
    value_parts parts = { .count = 2 };
    uint8_t flags = 0;
    cell c = inner_cell(at, nullable, inner);
    if (c.ptr == NULL) {
        return false;
    }
    if (value_is_text(at)) {
        if (!value_split_range(at, c, &parts, &flags)) {
            return false;
        }
    } else {
        parts.cells = value_alloc(at, 2, sizeof *parts.cells);
        if (parts.cells == NULL || !value_open_range(at, c, parts.cells, &flags)) {
            return false;
        }
    }
    inner->range_flags = flags;
    return inner_rows(at, inner, parts.cells, 1, 2);
}

bool pgc_read_range(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner)
{
    const value_at at = { reader, row, column };
    return open_range(&at, false, inner);
}

bool pgc_read_opt_range(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner)
{
    const value_at at = { reader, row, column };
    return open_range(&at, true, inner);
}

static bool multirange_from_binary(const value_at *at, cell c, value_parts *out)
{
    value_rest b;
    if (!value_open_multirange(at, c, &out->count, &b)) {
        return false;
    }
    out->cells = value_alloc(at, out->count, sizeof *out->cells);
    for (size_t i = 0; out->cells != NULL && i < out->count; i++) {
        cell range;
        if (!value_take_cell(&b, &range) || range.ptr == NULL) {
            return value_fail(at, "is cut inside a range");
        }
        out->cells[i] = as_cell(range);
    }
    if (out->cells != NULL && value_left(&b) != 0) {
        return value_fail(at, "has bytes behind the last range");
    }
    return out->cells != NULL;
}

static bool open_multirange(const value_at *at, bool nullable, pgc_reader *inner)
{
    value_parts parts = { .count = 0 };
    cell c = inner_cell(at, nullable, inner);
    if (c.ptr == NULL) {
        return false;
    }
    if (value_is_text(at) ? !value_split_multirange(at, c, &parts)
                          : !multirange_from_binary(at, c, &parts)) {
        return false;
    }
    return inner_rows(at, inner, parts.cells, parts.count, 1);
}

bool pgc_read_multirange(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner)
{
    const value_at at = { reader, row, column };
    return open_multirange(&at, false, inner);
}

bool pgc_read_opt_multirange(pgc_reader *reader, size_t row, size_t column, pgc_reader *inner)
{
    const value_at at = { reader, row, column };
    return open_multirange(&at, true, inner);
}
