/* Readers of types of varying size that are no arrays: bytes and JSON are lent from the result,
 * numerics and vectors are decoded into its arena. Every count is checked against the cell before
 * it is used. */
#include "base/prelude.h"

#include "pgc/cell.h"
#include "pgc/numeric.h"

/* In binary a version byte comes first; version 1 is the only one there ever was. */
static pgc_text jsonb_at(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    pgc_text text = pgc_cell_text(reader, row, column, nullable);
    if (text.ptr == NULL || !reader->result->binary) {
        return text;
    }
    if (text.len == 0 || text.ptr[0] != 1) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "has an unknown jsonb version");
        return (pgc_text) { NULL, 0 };
    }
    return (pgc_text) { text.ptr + 1, text.len - 1 };
}

pgc_text pgc_read_jsonb(pgc_reader *reader, size_t row, size_t column)
{
    return jsonb_at(reader, row, column, false);
}

pgc_text pgc_read_opt_jsonb(pgc_reader *reader, size_t row, size_t column)
{
    return jsonb_at(reader, row, column, true);
}

pgc_bytes pgc_read_bytes(pgc_reader *reader, size_t row, size_t column)
{
    cell c = reader_cell(reader, row, column, false);
    return (pgc_bytes) { c.ptr, c.len };
}

pgc_bytes pgc_read_opt_bytes(pgc_reader *reader, size_t row, size_t column)
{
    cell c = reader_cell(reader, row, column, true);
    return (pgc_bytes) { c.ptr, c.len };
}

#define NUMERIC_HEADER 8 /* bytes: digit count, weight, sign, dscale */

static pgc_numeric numeric_at(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    const pgc_numeric null = { .present = false };
    cell c = reader_cell(reader, row, column, nullable);
    if (c.ptr == NULL) {
        return null;
    }
    if (c.len < NUMERIC_HEADER || c.len != NUMERIC_HEADER + (size_t) wire_u16(c.ptr) * 2) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "has the wrong length for its digits");
        return null;
    }
    pgc_numeric value = {
        .present = true,
        .digit_count = wire_u16(c.ptr),
        .weight = (int16_t) wire_u16(c.ptr + 2),
        .sign = wire_u16(c.ptr + 4),
        .dscale = wire_u16(c.ptr + 6),
    };
    if (value.digit_count > 0) {
        size_t size = value.digit_count * sizeof value.digits[0];
        uint16_t *digits = reader_alloc(reader, row, column, size);
        if (digits == NULL) {
            return null;
        }
        wire_swap_u16(digits, c.ptr + NUMERIC_HEADER, value.digit_count);
        value.digits = digits;
    }
    if (!numeric_is_valid(&value)) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "has a sign, scale or digit out of range");
        return null;
    }
    if (value.sign != PGC_NUMERIC_POS && value.sign != PGC_NUMERIC_NEG) {
        value.weight = 0;
        value.dscale = 0; /* the server sends 32 with infinities; it means nothing */
    }
    return value;
}

pgc_numeric pgc_read_numeric(pgc_reader *reader, size_t row, size_t column)
{
    return numeric_at(reader, row, column, false);
}

pgc_numeric pgc_read_opt_numeric(pgc_reader *reader, size_t row, size_t column)
{
    return numeric_at(reader, row, column, true);
}

#define VECTOR_HEADER 4 /* bytes: dimensions, unused */

/* Room for the components of a vector whose header and length agree; NULL for SQL NULL and after a
 * failure. */
static void *vector_room(pgc_reader *reader, size_t row, size_t column, cell c, size_t size)
{
    if (c.ptr == NULL) {
        return NULL;
    }
    if (c.len < VECTOR_HEADER || c.len != VECTOR_HEADER + wire_u16(c.ptr) * size) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "has the wrong length for its dimensions");
        return NULL;
    }
    if (wire_u16(c.ptr) == 0 || wire_u16(c.ptr) > WIRE_VECTOR_DIM_MAX || wire_u16(c.ptr + 2) != 0) {
        reader_fail(reader, row, column, PGC_PROTOCOL, "has an unknown vector header");
        return NULL;
    }
    return reader_alloc(reader, row, column, wire_u16(c.ptr) * size);
}

/* Decoded to host order, aligned for vector instructions. */
static pgc_vector vector_at(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    cell c = reader_cell(reader, row, column, nullable);
    float *v = vector_room(reader, row, column, c, sizeof *v);
    if (v == NULL) {
        return (pgc_vector) { NULL, 0 };
    }
    uint32_t dim = wire_u16(c.ptr);
    wire_swap_u32(v, c.ptr + VECTOR_HEADER, dim);
    return (pgc_vector) { v, dim };
}

pgc_vector pgc_read_vector(pgc_reader *reader, size_t row, size_t column)
{
    return vector_at(reader, row, column, false);
}

pgc_vector pgc_read_opt_vector(pgc_reader *reader, size_t row, size_t column)
{
    return vector_at(reader, row, column, true);
}

/* Halves stay bit patterns; pgc_half_to_float() turns one into a number. */
static pgc_halfvec halfvec_at(pgc_reader *reader, size_t row, size_t column, bool nullable)
{
    cell c = reader_cell(reader, row, column, nullable);
    uint16_t *v = vector_room(reader, row, column, c, sizeof *v);
    if (v == NULL) {
        return (pgc_halfvec) { NULL, 0 };
    }
    uint32_t dim = wire_u16(c.ptr);
    wire_swap_u16(v, c.ptr + VECTOR_HEADER, dim);
    return (pgc_halfvec) { v, dim };
}

pgc_halfvec pgc_read_halfvec(pgc_reader *reader, size_t row, size_t column)
{
    return halfvec_at(reader, row, column, false);
}

pgc_halfvec pgc_read_opt_halfvec(pgc_reader *reader, size_t row, size_t column)
{
    return halfvec_at(reader, row, column, true);
}
