/* Readers of arrays. Elements are decoded into the result's memory; texts are lent from the cell.
 * Each element's length is checked against what is left of the cell, and bytes behind the last
 * element are a failure. One thread per result. */
#include "base/prelude.h"

#include "pgc/value.h"

#include "pgc/array_raw.h"
#include "pgc/reader_array.h"

static bool array_fail(array_walk *w, const char *reason)
{
    return value_fail(&w->at, reason);
}

/* Dimensions that a reader must be told are kept; one from 1 is what everybody expects. */
static bool read_dims(array_walk *w, uint32_t ndim)
{
    pgc_dim dims[PGC_DIMS_MAX];
    uint64_t count = 1;
    bool special = ndim > 1;
    for (uint32_t i = 0; i < ndim; i++) {
        const uint8_t *bytes = value_take(&w->left, ARRAY_BOUNDS);
        if (bytes == NULL) {
            return array_fail(w, "is cut inside the array bounds");
        }
        dims[i] = (pgc_dim) { (int32_t) wire_u32(bytes), (int32_t) wire_u32(bytes + 4) };
        special = special || dims[i].lower != 1;
        /* Every element has at least its length: a count that cannot fit never becomes memory. */
        count *= dims[i].count < 0 ? UINT32_MAX : (uint64_t) dims[i].count;
        if (count > w->at_most) {
            return array_fail(w, "has fewer bytes than array elements need");
        }
    }
    w->count = (size_t) count;
    if (w->count > value_left(&w->left) / 4) {
        return array_fail(w, "has fewer bytes than array elements need");
    }
    w->ndim = w->count == 0 ? 0 : ndim;
    if (special && w->count > 0) {
        pgc_dim *kept = value_alloc(&w->at, ndim, sizeof *kept);
        if (kept == NULL) {
            return false;
        }
        memcpy(kept, dims, ndim * sizeof *kept);
        w->dims = kept;
    }
    return true;
}

static bool start_text(array_walk *w, cell c, char delimiter)
{
    value_parts parts;
    if (!value_split_array(&w->at, c, delimiter, &parts)) {
        return false;
    }
    w->parts = parts.cells;
    w->count = parts.count;
    w->ndim = parts.ndim;
    w->dims = parts.dims;
    return true;
}

bool array_start(array_walk *w, const value_at *at, cell c, char delimiter)
{
    *w = (array_walk) { .at = *at, .left = value_rest_of(c), .at_most = c.len / 4 };
    if (value_is_text(at)) {
        return start_text(w, c, delimiter);
    }
    const uint8_t *header = value_take(&w->left, ARRAY_HEADER);
    if (header == NULL) {
        return array_fail(w, "is cut inside the array header");
    }
    uint32_t ndim = wire_u32(header);
    if (ndim > PGC_DIMS_MAX) {
        return array_fail(w, "is an array of more than six dimensions");
    }
    if (wire_u32(header + 4) > 1) {
        return array_fail(w, "has unknown array flags");
    }
    return ndim == 0 || read_dims(w, ndim);
}

/* Only arrays that hold a NULL pay for the mask. */
static bool make_nulls(array_walk *w)
{
    w->nulls = value_alloc(&w->at, w->count, 1);
    if (w->nulls == NULL) {
        return false;
    }
    memset(w->nulls, 0, w->count);
    return true;
}

static bool mark_null(array_walk *w, size_t index)
{
    if (w->nulls == NULL && !make_nulls(w)) {
        return false;
    }
    w->nulls[index] = 1;
    return true;
}

/* Next element: its bytes, or ptr NULL for a NULL element. False after a failure. */
static inline bool next_element(array_walk *w, size_t index, cell *out)
{
    if (w->parts != NULL) {
        const pgc_cell *part = &w->parts[index];
        *out = (cell) { part->bytes, part->len < 0 ? 0 : (size_t) part->len };
    } else if (!value_take_cell(&w->left, out)) {
        return array_fail(w, "has an array element longer than the cell");
    }
    return out->ptr != NULL || mark_null(w, index);
}

bool array_next(array_walk *w, size_t index, cell *out)
{
    return next_element(w, index, out);
}

/* Bytes left over mean that we and the server disagree about what came before them. */
bool array_end(array_walk *w)
{
    return w->parts != NULL || value_left(&w->left) == 0 ||
           array_fail(w, "has bytes behind the last array element");
}

/* One element to host order; sizes without byte order are copied. size is a constant. */
static inline __attribute__((always_inline)) void load_element(uint8_t *to, const uint8_t *from,
                                                               size_t size)
{
    if (size == 1) {
        to[0] = from[0];
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
static inline __attribute__((always_inline)) bool load_elements(array_walk *w, uint8_t *to,
                                                                size_t size)
{
    for (size_t i = 0; i < w->count; i++) {
        cell element = { NULL, 0 };
        if (!next_element(w, i, &element)) {
            return false;
        }
        if (element.ptr == NULL) {
            memset(to + i * size, 0, size);
            continue;
        }
        if (element.len != size) {
            return array_fail(w, "has an array element of the wrong length");
        }
        load_element(to + i * size, element.ptr, size);
    }
    return array_end(w);
}

/* What an element is. `plain`: in memory it is the wire's bytes in host order, one number. */
typedef struct element {
    value_decode *decode;
    size_t size; /* bytes in memory */
    bool plain;
} element;

/* Elements of any kind, by their decoder. */
static bool decode_elements(array_walk *w, const element *e, uint8_t *to)
{
    for (size_t i = 0; i < w->count; i++) {
        cell c = { NULL, 0 };
        if (!next_element(w, i, &c)) {
            return false;
        }
        if (c.ptr == NULL) {
            memset(to + i * e->size, 0, e->size);
        } else if (!e->decode(&w->at, c, to + i * e->size)) {
            return false;
        }
    }
    return array_end(w);
}

/* The loop once per size, so that the size is a constant inside. */
static bool fill(array_walk *w, const element *e, uint8_t *to)
{
    if (!e->plain || w->parts != NULL) {
        return decode_elements(w, e, to);
    }
    switch (e->size) {
    case 2:
        return load_elements(w, to, 2);
    case 4:
        return load_elements(w, to, 4);
    case 8:
        return load_elements(w, to, 8);
    default:
        return decode_elements(w, e, to);
    }
}

/* SQL NULL and failures give an array that is not there. */
static raw_array array_at(pgc_reader *reader, size_t row, size_t column, const element *e,
                          bool nullable)
{
    const raw_array null = { .has = false };
    const value_at at = { reader, row, column };
    array_walk w;
    cell c = reader_cell(reader, row, column, nullable);
    /* The server puts semicolons between boxes. */
    if (c.ptr == NULL || !array_start(&w, &at, c, e->decode == value_box ? ';' : ',')) {
        return null;
    }
    /* An empty array has storage too, so that v is never NULL. */
    void *v = value_alloc(&at, w.count, e->size);
    if (v == NULL || !fill(&w, e, v)) {
        return null;
    }
    return (raw_array) { true, w.count, v, w.nulls, w.ndim, w.dims, 0 };
}

/* What is said of an element beside its type. bool and "char" have no byte order,
 * but a bool is 0 or 1 in memory; structs of one number are numbers. */
#define PLAIN_bool              false
#define PLAIN_char              false
#define PLAIN_i16               true
#define PLAIN_i32               true
#define PLAIN_i64               true
#define PLAIN_u32               true
#define PLAIN_u64               true
#define PLAIN_f32               true
#define PLAIN_f64               true
#define PLAIN_money             true
#define PLAIN_lsn               true
#define PLAIN_timestamptz       true
#define PLAIN_timestamp         true
#define PLAIN_date              true
#define PLAIN_time              true
#define PLAIN_tid               false
#define PLAIN_uuid              false
#define PLAIN_timetz            false
#define PLAIN_interval          false
#define PLAIN_inet              false
#define PLAIN_macaddr           false
#define PLAIN_macaddr8          false
#define PLAIN_point             false
#define PLAIN_line              false
#define PLAIN_lseg              false
#define PLAIN_box               false
#define PLAIN_circle            false
#define PLAIN_text              false
#define PLAIN_bytes             false
#define PLAIN_json              false
#define PLAIN_jsonb             false
#define PLAIN_numeric           false
#define PLAIN_bits              false
#define PLAIN_path              false
#define PLAIN_polygon           false
#define PLAIN_vector            false
#define PLAIN_halfvec           false
#define PLAIN_sparsevec         false
#define PLAIN_tsvector          false
#define PLAIN_tsquery           false
#define PLAIN_hstore            false
#define PLAIN_range_i32         false
#define PLAIN_range_i64         false
#define PLAIN_range_f64         false
#define PLAIN_range_numeric     false
#define PLAIN_range_date        false
#define PLAIN_range_time        false
#define PLAIN_range_timestamp   false
#define PLAIN_range_timestamptz false

static_assert(sizeof(pgc_timestamptz) == 8, "arrays of timestamptz are arrays of int64");
static_assert(sizeof(pgc_timestamp) == 8, "arrays of timestamp are arrays of int64");
static_assert(sizeof(pgc_time) == 8, "arrays of time are arrays of int64");
static_assert(sizeof(pgc_date) == 4, "arrays of date are arrays of int32");

#define X(name, type)                                                                     \
    static const element ELEMENT_##name = { value_##name, sizeof(type), PLAIN_##name };   \
    pgc_arr_##name pgc_read_arr_##name(pgc_reader *reader, size_t row, size_t column)     \
    {                                                                                     \
        raw_array a = array_at(reader, row, column, &ELEMENT_##name, false);              \
        return (pgc_arr_##name) { a.has, a.count, a.v, a.nulls, a.ndim, a.dims };         \
    }                                                                                     \
    pgc_arr_##name pgc_read_opt_arr_##name(pgc_reader *reader, size_t row, size_t column) \
    {                                                                                     \
        raw_array a = array_at(reader, row, column, &ELEMENT_##name, true);               \
        return (pgc_arr_##name) { a.has, a.count, a.v, a.nulls, a.ndim, a.dims };         \
    }
PGC_ARRAY_MAP(X)
#undef X
