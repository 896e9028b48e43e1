/* Readers of one-dimensional arrays. Elements are decoded to host order into the result's arena;
 * text elements are lent from the cell. Each element's length prefix is checked against what is
 * left of the cell, and bytes behind the last element are a failure. */
#include "base/prelude.h"

#include "pgc/cell.h"

#define ARRAY_HEADER 12 /* bytes: dimensions, NULL flag, element OID */
#define ARRAY_BOUNDS 8  /* bytes: length, lower bound */

/* A decoded array before its element type is named; has false is SQL NULL or a failure. */
typedef struct raw_array {
    bool has;
    size_t count;
    const void *v;
    const uint8_t *nulls;
} raw_array;

/* Where decoding stands. */
typedef struct walk {
    pgc_reader *reader;
    size_t row, column;
    const uint8_t *pos, *end;
    size_t count;
    uint8_t *nulls; /* made by the first NULL element */
} walk;

/* Always false, so that checks read as one expression. */
static bool walk_fail(walk *w, const char *reason)
{
    reader_fail(w->reader, w->row, w->column, PGC_PROTOCOL, reason);
    return false;
}

/* Header of a non-NULL array cell; false after a failure. */
static bool walk_start(walk *w, cell c)
{
    if (c.len < ARRAY_HEADER) {
        return walk_fail(w, "is cut inside the array header");
    }
    uint32_t dimensions = wire_u32(c.ptr);
    if (dimensions > 1) {
        return walk_fail(w, "is an array of more than one dimension");
    }
    if (wire_u32(c.ptr + 4) > 1) {
        return walk_fail(w, "has unknown array flags");
    }
    w->end = c.ptr + c.len;
    w->pos = c.ptr + ARRAY_HEADER;
    if (dimensions == 0) {
        return w->pos == w->end || walk_fail(w, "has bytes behind an empty array");
    }
    if (c.len < ARRAY_HEADER + ARRAY_BOUNDS) {
        return walk_fail(w, "is cut inside the array bounds");
    }
    w->pos += ARRAY_BOUNDS;
    w->count = wire_u32(c.ptr + ARRAY_HEADER);
    /* Every element has at least its length: a count that cannot fit never becomes memory. */
    if (w->count > (size_t) (w->end - w->pos) / 4) {
        return walk_fail(w, "has fewer bytes than array elements need");
    }
    return true;
}

/* Only arrays that hold a NULL pay for the mask. */
static bool walk_make_nulls(walk *w)
{
    w->nulls = reader_alloc(w->reader, w->row, w->column, w->count);
    if (w->nulls == NULL) {
        return false;
    }
    memset(w->nulls, 0, w->count);
    return true;
}

/* Next element: its bytes, or ptr NULL for a NULL element. False after a failure. */
static inline bool walk_next(walk *w, size_t index, cell *out)
{
    if (w->end - w->pos < 4) {
        return walk_fail(w, "is cut between array elements");
    }
    int32_t length = (int32_t) wire_u32(w->pos);
    w->pos += 4;
    if (length == -1) {
        if (w->nulls == NULL && !walk_make_nulls(w)) {
            return false;
        }
        w->nulls[index] = 1;
        *out = (cell) { NULL, 0 };
        return true;
    }
    if (length < 0 || length > w->end - w->pos) {
        return walk_fail(w, "has an array element longer than the cell");
    }
    *out = (cell) { w->pos, (size_t) length };
    w->pos += length;
    assert(w->pos <= w->end);
    return true;
}

/* Bytes left over mean that we and the server disagree about what came before them. */
static bool walk_end(walk *w)
{
    return w->pos == w->end || walk_fail(w, "has bytes behind the last array element");
}

/* One element to host order; sizes without byte order are copied. size is a constant. */
static inline __attribute__((always_inline)) void load_element(uint8_t *to, const uint8_t *from,
                                                               size_t size)
{
    if (size == 1) {
        to[0] = from[0] != 0;
    } else if (size == 2) {
        wire_swap_u16(to, from, 1);
    } else if (size == 4) {
        uint32_t value = wire_u32(from);
        memcpy(to, &value, sizeof value);
    } else if (size == 8) {
        uint64_t value = wire_u64(from);
        memcpy(to, &value, sizeof value);
    } else {
        memcpy(to, from, size);
    }
}

/* NULL elements become zeroes: whoever ignores the mask reads something defined. */
static inline __attribute__((always_inline)) bool load_elements(walk *w, uint8_t *to, size_t size)
{
    for (size_t i = 0; i < w->count; i++) {
        cell element = { NULL, 0 };
        if (!walk_next(w, i, &element)) {
            return false;
        }
        if (element.ptr == NULL) {
            memset(to + i * size, 0, size);
            continue;
        }
        if (element.len != size) {
            return walk_fail(w, "has an array element of the wrong length");
        }
        load_element(to + i * size, element.ptr, size);
    }
    return walk_end(w);
}

/* The loop once per size, so that the size is a constant inside. */
static bool load_sized(walk *w, uint8_t *to, size_t size)
{
    switch (size) {
    case 1:
        return load_elements(w, to, 1);
    case 2:
        return load_elements(w, to, 2);
    case 4:
        return load_elements(w, to, 4);
    case 8:
        return load_elements(w, to, 8);
    default:
        assert(size == sizeof(pgc_uuid));
        return load_elements(w, to, sizeof(pgc_uuid));
    }
}

/* Lent from the cell and not NUL-terminated, like every pgc_text. */
static bool load_texts(walk *w, pgc_text *to)
{
    for (size_t i = 0; i < w->count; i++) {
        cell element = { NULL, 0 };
        if (!walk_next(w, i, &element)) {
            return false;
        }
        to[i] = (pgc_text) { (const char *) element.ptr, element.len };
    }
    return walk_end(w);
}

/* What an element is: the number of its bytes, on the wire and in memory, or text of any length. */
#define ELEMENT_TEXT 0

/* The lower bound is skipped on purpose: in C all arrays begin at 0. */
static raw_array array_at(pgc_reader *reader, size_t row, size_t column, size_t element,
                          bool nullable)
{
    const raw_array null = { .has = false };
    walk w = { .reader = reader, .row = row, .column = column };
    cell c = reader_cell(reader, row, column, nullable);
    if (c.ptr == NULL || !walk_start(&w, c)) {
        return null;
    }
    /* The product cannot overflow: count is below a quarter of the cell's bytes. An empty array has
     * storage too, so that v is never NULL. */
    size_t size = element == ELEMENT_TEXT ? sizeof(pgc_text) : element;
    void *v = reader_alloc(reader, row, column, w.count * size);
    if (v == NULL) {
        return null;
    }
    bool ok = element == ELEMENT_TEXT ? load_texts(&w, v) : load_sized(&w, v, element);
    return ok ? (raw_array) { .has = true, .count = w.count, .v = v, .nulls = w.nulls } : null;
}

static_assert(sizeof(bool) == 1, "arrays of bool are arrays of bytes");
static_assert(sizeof(pgc_timestamptz) == 8, "arrays of timestamptz are arrays of int64");

/* X(name, element) */
#define ELEMENT_MAP(X)    \
    X(bool, 1)            \
    X(i16, 2)             \
    X(i32, 4)             \
    X(i64, 8)             \
    X(f32, 4)             \
    X(f64, 8)             \
    X(text, ELEMENT_TEXT) \
    X(uuid, 16)           \
    X(timestamptz, 8)

#define X(name, element)                                                                  \
    pgc_arr_##name pgc_read_arr_##name(pgc_reader *reader, size_t row, size_t column)     \
    {                                                                                     \
        raw_array a = array_at(reader, row, column, element, false);                      \
        return (pgc_arr_##name) { a.has, a.count, a.v, a.nulls };                         \
    }                                                                                     \
    pgc_arr_##name pgc_read_opt_arr_##name(pgc_reader *reader, size_t row, size_t column) \
    {                                                                                     \
        raw_array a = array_at(reader, row, column, element, true);                       \
        return (pgc_arr_##name) { a.has, a.count, a.v, a.nulls };                         \
    }
ELEMENT_MAP(X)
#undef X
