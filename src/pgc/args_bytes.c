/* Argument encoders of types of varying size that are no arrays. What the server would refuse is
 * refused here, with the parameter's name, before anything is sent. */
#include "base/prelude.h"

#include <pgc/query.h>

#include "base/slice.h"
#include "pgc/args.h"
#include "pgc/numeric.h"
#include "pgc/wire.h"

/* Text that the server takes: size before content, so that nobody reads gigabytes in vain. */
static bool text_is_valid(pgc_args *args, pgc_text value)
{
    if (value.len > WIRE_VALUE_MAX) {
        args_fail(args, PGC_INVALID, "is over 1 GiB");
        return false;
    }
    if (!slice_is_utf8(value)) {
        args_fail(args, PGC_INVALID, "is not UTF-8 text or holds a NUL");
        return false;
    }
    return true;
}

/* Sent from where it stands: texts are the big values, and a copy would double them. */
void pgc_add_text(pgc_args *args, pgc_text value)
{
    if (args->status != PGC_OK) {
        return;
    }
    if (value.ptr == NULL) {
        pgc_add_null(args);
    } else if (text_is_valid(args, value)) {
        (void) args_borrow(args, value.ptr, value.len);
    }
}

/* An empty value needs a pointer all the same: NULL is SQL NULL. */
void pgc_add_bytes(pgc_args *args, pgc_bytes value)
{
    if (value.ptr == NULL) {
        pgc_add_null(args);
    } else {
        (void) args_borrow(args, value.ptr, value.len);
    }
}

/* json is text on the wire; the server parses it. */
void pgc_add_json(pgc_args *args, pgc_text value)
{
    pgc_add_text(args, value);
}

/* Unlike json it has a version byte in front, hence a copy. The server parses the text; its
 * binary form never travels. */
void pgc_add_jsonb(pgc_args *args, pgc_text value)
{
    if (args->status != PGC_OK) {
        return;
    }
    if (value.ptr == NULL) {
        pgc_add_null(args);
        return;
    }
    if (!text_is_valid(args, value)) {
        return;
    }
    uint8_t *to = args_room(args, 1 + value.len);
    if (to != NULL) {
        to[0] = 1; /* version */
        memcpy(to + 1, value.ptr, value.len);
    }
}

/* The server takes digits behind dscale without a word and keeps them in the dark: two values
 * that print alike would differ. Hence the second check. */
void pgc_add_numeric(pgc_args *args, pgc_numeric value)
{
    if (!value.present) {
        pgc_add_null(args);
        return;
    }
    if (!numeric_is_valid(&value)) {
        args_fail(args, PGC_INVALID, "is a numeric with a sign, scale or digit out of range");
        return;
    }
    if (!numeric_is_covered(&value)) {
        args_fail(args, PGC_INVALID, "is a numeric with more digits than its dscale shows");
        return;
    }
    uint8_t *to = args_room(args, 8 + (size_t) value.digit_count * 2);
    if (to != NULL) {
        wire_put_u16(to, value.digit_count);
        wire_put_u16(to + 2, (uint16_t) value.weight);
        wire_put_u16(to + 4, value.sign);
        wire_put_u16(to + 6, value.dscale);
        wire_swap_u16(to + 8, value.digits, value.digit_count);
    }
}

/* Header of a vector, and room for its components of `size` bytes behind it. */
static uint8_t *vector_room(pgc_args *args, uint32_t dim, size_t size)
{
    uint8_t *to = args_room(args, 4 + dim * size);
    if (to == NULL) {
        return NULL;
    }
    wire_put_u16(to, (uint16_t) dim);
    wire_put_u16(to + 2, 0);
    return to + 4;
}

/* Limits of pgvector, whose own message names no parameter. */
static bool dim_is_valid(pgc_args *args, uint32_t dim)
{
    if (dim == 0 || dim > WIRE_VECTOR_DIM_MAX) {
        args_fail(args, PGC_INVALID, "is a vector of no or of more than 16,000 dimensions");
        return false;
    }
    return true;
}

#define NOT_FINITE "is a vector with a component that is not finite"

void pgc_add_vector(pgc_args *args, pgc_vector value)
{
    if (value.v == NULL) {
        pgc_add_null(args);
        return;
    }
    if (!dim_is_valid(args, value.dim)) {
        return;
    }
    /* No early exit: the loop becomes vector instructions. */
    bool finite = true;
    for (uint32_t i = 0; i < value.dim; i++) {
        finite &= (wire_float_bits(value.v[i]) & 0x7F800000u) != 0x7F800000u;
    }
    if (!finite) {
        args_fail(args, PGC_INVALID, NOT_FINITE);
        return;
    }
    uint8_t *to = vector_room(args, value.dim, sizeof value.v[0]);
    if (to != NULL) {
        wire_swap_u32(to, value.v, value.dim);
    }
}

/* As pgc_add_vector(), on bit patterns: no half is ever made a float on the way. */
void pgc_add_halfvec(pgc_args *args, pgc_halfvec value)
{
    if (value.v == NULL) {
        pgc_add_null(args);
        return;
    }
    if (!dim_is_valid(args, value.dim)) {
        return;
    }
    bool finite = true;
    for (uint32_t i = 0; i < value.dim; i++) {
        finite &= (value.v[i] & 0x7C00u) != 0x7C00u;
    }
    if (!finite) {
        args_fail(args, PGC_INVALID, NOT_FINITE);
        return;
    }
    uint8_t *to = vector_room(args, value.dim, sizeof value.v[0]);
    if (to != NULL) {
        wire_swap_u16(to, value.v, value.dim);
    }
}

static bool is_finite_f32(float value)
{
    return (wire_float_bits(value) & 0x7F800000u) != 0x7F800000u;
}

/* What pgvector's sparsevec_recv() would refuse, in its terms. */
static const char *sparse_fault(const pgc_sparsevec *value)
{
    if (value->dim > WIRE_SPARSE_DIM_MAX || value->count > WIRE_VECTOR_DIM_MAX ||
        value->count > value->dim) {
        return "is a sparsevec of too many dimensions or components";
    }
    if (value->count > 0 && (value->indices == NULL || value->v == NULL)) {
        return "is a sparsevec with components but no pointer to them";
    }
    int64_t before = -1;
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->indices[i] <= before || (uint32_t) value->indices[i] >= value->dim) {
            return "is a sparsevec with indices out of range or order";
        }
        if (!is_finite_f32(value->v[i]) || (wire_float_bits(value->v[i]) & 0x7FFFFFFFu) == 0) {
            return "is a sparsevec with a component that is zero or not finite";
        }
        before = value->indices[i];
    }
    return NULL;
}

void pgc_add_sparsevec(pgc_args *args, pgc_sparsevec value)
{
    if (value.dim == 0) {
        pgc_add_null(args);
        return;
    }
    const char *fault = sparse_fault(&value);
    if (fault != NULL) {
        args_fail(args, PGC_INVALID, fault);
        return;
    }
    uint8_t *to = args_room(args, 12 + (size_t) value.count * 8);
    if (to != NULL) {
        wire_put_u32(to, value.dim);
        wire_put_u32(to + 4, value.count);
        wire_put_u32(to + 8, 0);
        wire_swap_u32(to + 12, value.indices, value.count);
        wire_swap_u32(to + 12 + (size_t) value.count * 4, value.v, value.count);
    }
}

/* Bits behind the last one are sent as zero, as the server keeps them. */
void pgc_add_bits(pgc_args *args, pgc_bits value)
{
    if (value.ptr == NULL) {
        pgc_add_null(args);
        return;
    }
    if (value.count > INT32_MAX) {
        args_fail(args, PGC_INVALID, "is a bit string of more than 2^31 - 1 bits");
        return;
    }
    size_t size = ((size_t) value.count + 7) / 8;
    uint8_t *to = args_room(args, 4 + size);
    if (to != NULL) {
        wire_put_u32(to, value.count);
        memcpy(to + 4, value.ptr, size);
        if (value.count % 8 != 0) {
            to[4 + size - 1] = (uint8_t) (to[4 + size - 1] & ~(0xFFu >> value.count % 8));
        }
    }
}

/* The third byte says cidr; the server goes by the parameter's type and ignores it. */
void pgc_add_inet(pgc_args *args, pgc_inet value)
{
    size_t size = value.family == 4 ? 4 : 16;
    if ((value.family != 4 && value.family != 6) || value.bits > size * 8) {
        args_fail(args, PGC_INVALID, "is an address of no known family or with too many bits");
        return;
    }
    uint8_t *to = args_room(args, 4 + size);
    if (to != NULL) {
        to[0] = value.family == 4 ? WIRE_INET4 : WIRE_INET6;
        to[1] = value.bits;
        to[2] = 0;
        to[3] = (uint8_t) size;
        memcpy(to + 4, value.addr, size);
    }
}

/* Room for count and points with `before` bytes in front of them, which the caller fills; NULL:
 * nothing is left to be done. */
static uint8_t *add_points(pgc_args *args, size_t before, uint32_t count, const pgc_point *points)
{
    if (points == NULL) {
        pgc_add_null(args);
        return NULL;
    }
    if (count == 0) {
        args_fail(args, PGC_INVALID, "has no points");
        return NULL;
    }
    uint8_t *room = args_room(args, before + 4 + (size_t) count * sizeof(pgc_point));
    if (room == NULL) {
        return NULL;
    }
    uint8_t *to = room + before;
    wire_put_u32(to, count);
    for (size_t i = 0; i < count; i++) {
        wire_put_u64(to + 4 + i * 16, wire_double_bits(points[i].x));
        wire_put_u64(to + 12 + i * 16, wire_double_bits(points[i].y));
    }
    return room;
}

void pgc_add_path(pgc_args *args, pgc_path value)
{
    uint8_t *to = add_points(args, 1, value.count, value.points);
    if (to != NULL) {
        to[0] = value.closed ? 1 : 0;
    }
}

void pgc_add_polygon(pgc_args *args, pgc_polygon value)
{
    (void) add_points(args, 0, value.count, value.points);
}
