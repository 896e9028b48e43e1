/* Decoding pgvector's types: to host order in the result's memory, aligned for vector
 * instructions. One thread per result. */
#include "base/prelude.h"

#include "pgc/value.h"

#include "pgc/types_parse.h"

#define VECTOR_HEADER 4 /* bytes: dimensions, unused */

/* Checks header and length of a binary vector with components of `size` bytes; 0 after a failure.
 */
static uint32_t vector_dim(const value_at *at, cell c, size_t size)
{
    if (c.len < VECTOR_HEADER || c.len != VECTOR_HEADER + wire_u16(c.ptr) * size) {
        (void) value_fail(at, "has the wrong length for its dimensions");
        return 0;
    }
    if (wire_u16(c.ptr) == 0 || wire_u16(c.ptr) > WIRE_VECTOR_DIM_MAX || wire_u16(c.ptr + 2) != 0) {
        (void) value_fail(at, "has an unknown vector header");
        return 0;
    }
    return wire_u16(c.ptr);
}

/* "[1,2.5]": the components as floats; NULL after a failure. */
static float *components_from_text(const value_at *at, cell c, uint32_t *dim_out)
{
    size_t room = c.len / 2 + 1; /* each component has a character and a comma or bracket */
    scan s = scan_of(value_text_of(c));
    uint32_t dim = 0;
    room = room < WIRE_VECTOR_DIM_MAX ? room : WIRE_VECTOR_DIM_MAX;
    float *v = value_alloc(at, room, sizeof *v);
    if (v == NULL) {
        return NULL;
    }
    bool more = scan_char(&s, '[');
    while (more && dim < room && scan_f32(&s, &v[dim])) {
        dim++;
        more = scan_char(&s, ',');
    }
    if (more || dim == 0 || !scan_char(&s, ']') || !scan_done(&s)) {
        (void) value_bad_text(at);
        return NULL;
    }
    *dim_out = dim;
    return v;
}

bool value_vector(const value_at *at, cell c, void *out)
{
    uint32_t dim = 0;
    float *v = NULL;
    if (value_is_text(at)) {
        v = components_from_text(at, c, &dim);
    } else {
        dim = vector_dim(at, c, sizeof *v);
        v = dim == 0 ? NULL : value_alloc(at, dim, sizeof *v);
        if (v != NULL) {
            wire_swap_u32(v, c.ptr + VECTOR_HEADER, dim);
        }
    }
    const pgc_vector value = { v, dim };
    if (v != NULL) {
        memcpy(out, &value, sizeof value);
    }
    return v != NULL;
}

/* Halves stay bit patterns; pgc_half_to_float() turns one into a number. */
bool value_halfvec(const value_at *at, cell c, void *out)
{
    uint32_t dim = 0;
    const float *components = NULL;
    if (value_is_text(at)) {
        components = components_from_text(at, c, &dim);
        dim = components == NULL ? 0 : dim;
    } else {
        dim = vector_dim(at, c, sizeof(uint16_t));
    }
    uint16_t *v = dim == 0 ? NULL : value_alloc(at, dim, sizeof *v);
    if (v == NULL) {
        return false;
    }
    if (components == NULL) {
        wire_swap_u16(v, c.ptr + VECTOR_HEADER, dim);
    }
    for (uint32_t i = 0; components != NULL && i < dim; i++) {
        v[i] = pgc_half_from_float(components[i]);
    }
    const pgc_halfvec value = { v, dim };
    memcpy(out, &value, sizeof value);
    return true;
}

/* Components and their indices in one block each. */
typedef struct sparse {
    uint32_t dim, count;
    int32_t *indices;
    float *v;
} sparse;

static bool sparse_room(const value_at *at, sparse *value, size_t count)
{
    value->indices = value_alloc(at, count, sizeof *value->indices);
    value->v = value->indices == NULL ? NULL : value_alloc(at, count, sizeof *value->v);
    return value->v != NULL;
}

/* Indices ascend and lie below dim: whoever loops over them may rely on it. */
static bool sparse_is_valid(const sparse *value)
{
    int64_t before = -1;
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->indices[i] <= before || (uint32_t) value->indices[i] >= value->dim) {
            return false;
        }
        before = value->indices[i];
    }
    return value->dim >= 1 && value->dim <= WIRE_SPARSE_DIM_MAX;
}

#define SPARSE_HEADER 12 /* bytes: dimensions, components, unused */

static bool sparse_from_binary(const value_at *at, cell c, sparse *value)
{
    if (c.len < SPARSE_HEADER || wire_u32(c.ptr + 4) > WIRE_VECTOR_DIM_MAX ||
        c.len != SPARSE_HEADER + (size_t) wire_u32(c.ptr + 4) * 8) {
        return value_fail(at, "has the wrong length for its components");
    }
    value->dim = wire_u32(c.ptr);
    value->count = wire_u32(c.ptr + 4);
    if (wire_u32(c.ptr + 8) != 0) {
        return value_fail(at, "has an unknown sparsevec header");
    }
    if (!sparse_room(at, value, value->count)) {
        return false;
    }
    wire_swap_u32(value->indices, c.ptr + SPARSE_HEADER, value->count);
    wire_swap_u32(value->v, c.ptr + SPARSE_HEADER + (size_t) value->count * 4, value->count);
    return sparse_is_valid(value) || value_fail(at, "has sparsevec indices out of range or order");
}

/* "{1:0.5,3:2}/5", counted from 1. */
static bool sparse_from_text(const value_at *at, cell c, sparse *value)
{
    scan s = scan_of(value_text_of(c));
    size_t room = c.len / 4 + 1;
    uint64_t number;
    if (!sparse_room(at, value, room)) {
        return false;
    }
    bool ok = scan_char(&s, '{');
    while (ok && scan_peek(&s) != '}') {
        ok = value->count < room && (value->count == 0 || scan_char(&s, ',')) &&
             scan_u64(&s, 10, &number) && number >= 1 && number <= WIRE_SPARSE_DIM_MAX &&
             scan_char(&s, ':') && scan_f32(&s, &value->v[value->count]);
        if (ok) {
            value->indices[value->count++] = (int32_t) (number - 1);
        }
    }
    if (!ok || !scan_char(&s, '}') || !scan_char(&s, '/') || !scan_u64(&s, 10, &number) ||
        number > WIRE_SPARSE_DIM_MAX || !scan_done(&s)) {
        return value_bad_text(at);
    }
    value->dim = (uint32_t) number;
    return sparse_is_valid(value) || value_bad_text(at);
}

bool value_sparsevec(const value_at *at, cell c, void *out)
{
    sparse found = { 0 };
    if (value_is_text(at) ? !sparse_from_text(at, c, &found) : !sparse_from_binary(at, c, &found)) {
        return false;
    }
    const pgc_sparsevec value = { found.dim, found.count, found.indices, found.v };
    memcpy(out, &value, sizeof value);
    return true;
}
