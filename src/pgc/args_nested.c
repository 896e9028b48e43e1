/* Argument encoders of values inside values: composites, arrays, ranges. The outermost one grows in
 * a chunk of its own and becomes a parameter when it ends. Invariant: levels[depth - 1] is the one
 * that parts are added to; its bytes are complete but for what its end writes. One thread per
 * list. */
#include "base/prelude.h"

#include "pgc/args.h"

#include "base/alloc.h"
#include "pgc/wire.h"

#define CHUNK_FIRST   1000 /* bytes */
#define RECORD_HEADER 4    /* bytes: number of fields */
#define RANGES_HEADER 4    /* bytes: number of ranges */
#define ARRAY_HEADER  12   /* bytes: dimensions, NULL flag, element OID */
#define ARRAY_BOUNDS  8    /* bytes per dimension */

typedef enum args_kind { LEVEL_RECORD, LEVEL_ARRAY, LEVEL_RANGE, LEVEL_MULTIRANGE } args_kind;

void args_nest_free(pgc_args *args)
{
    struct pgc_args_nest *nest = args->nest;
    if (nest != NULL) {
        if (nest->bytes != NULL) {
            mem_free(args->alloc, nest->bytes, sizeof *nest->bytes + nest->bytes->size);
        }
        mem_free(args->alloc, nest, sizeof *nest);
        args->nest = NULL;
    }
}

/* `size` more bytes at the end; they move when more are asked for. NULL after a failure. */
static uint8_t *grow(pgc_args *args, size_t size)
{
    struct pgc_args_nest *nest = args->nest;
    struct pgc_args_chunk *bytes = nest->bytes;
    size_t used = bytes == NULL ? 0 : bytes->used;
    size_t old = bytes == NULL ? 0 : bytes->size;
    assert(used <= old);
    if (size > WIRE_VALUE_MAX || used + size > WIRE_VALUE_MAX) {
        args_fail(args, PGC_INVALID, "is over 1 GiB");
        return NULL;
    }
    if (bytes == NULL || old - used < size) {
        size_t wanted = used + size < CHUNK_FIRST ? CHUNK_FIRST : (used + size) * 2;
        bytes = mem_resize(args->alloc, bytes, bytes == NULL ? 0 : sizeof *bytes + old,
                           sizeof *bytes + wanted);
        if (bytes == NULL) {
            args_fail(args, PGC_NOMEM, "finds no memory to be encoded into");
            return NULL;
        }
        bytes->size = wanted;
        bytes->used = used;
        nest->bytes = bytes;
    }
    uint8_t *room = bytes->data + used;
    bytes->used = used + size;
    return room;
}

/* Bytes in front of a part: its type in records, and its length. */
static size_t part_header(const args_level *level)
{
    return level->kind == LEVEL_RECORD ? 8 : 4;
}

static uint32_t field_oid(const args_level *level)
{
    bool known = level->type != NULL && level->count < level->type->field_count;
    uint32_t oid = known ? level->type->fields[level->count].oid : 0;
    return oid == 0 ? PGC_OID_UNCHECKED : oid;
}

/* Counts a part of `size` bytes (length as on the wire) and gives the place of its bytes, which are
 * `room` of them. */
static uint8_t *add_part(pgc_args *args, uint32_t length, size_t room)
{
    struct pgc_args_nest *nest = args->nest;
    args_level *level = &nest->levels[nest->depth - 1];
    if (args->status != PGC_OK) {
        return NULL;
    }
    if (level->count >= level->want) {
        args_fail(args, PGC_INVALID, "has more parts than its type or dimensions say");
        return NULL;
    }
    size_t header = part_header(level);
    if (room > WIRE_VALUE_MAX) {
        args_fail(args, PGC_INVALID, "is over 1 GiB");
        return NULL;
    }
    uint8_t *to = grow(args, header + room);
    if (to == NULL) {
        return NULL;
    }
    if (header == 8) {
        wire_put_u32(to, field_oid(level));
    }
    wire_put_u32(to + header - 4, length);
    level->count++;
    nest->last_null = false;
    return to + header;
}

uint8_t *args_nest_room(pgc_args *args, size_t size)
{
    return add_part(args, (uint32_t) size, size);
}

/* The bounds of a range and the ranges of a multirange cannot be NULL. */
bool args_nest_copy(pgc_args *args, const void *bytes, size_t len)
{
    struct pgc_args_nest *nest = args->nest;
    args_level *level = &nest->levels[nest->depth - 1];
    if (bytes != NULL) {
        uint8_t *to = add_part(args, (uint32_t) len, len);
        if (to != NULL && len > 0) {
            memcpy(to, bytes, len);
        }
        return to != NULL;
    }
    if (level->kind == LEVEL_RANGE || level->kind == LEVEL_MULTIRANGE) {
        args_fail(args, PGC_INVALID, "has a NULL inside a range");
        return false;
    }
    if (add_part(args, UINT32_MAX, 0) == NULL) { /* length -1 */
        return false;
    }
    level->has_null = true;
    nest->last_null = true;
    return true;
}

void args_nest_not_null(pgc_args *args)
{
    if (args->status == PGC_OK && args->nest->last_null) {
        args_fail(args, PGC_INVALID, "has a part that is NULL but must not be");
    }
}

/* A parameter's nest is made by its first use. */
static bool nest_ready(pgc_args *args)
{
    if (args->status != PGC_OK) {
        return false;
    }
    if (args->nest == NULL) {
        args->nest = MEM_NEW(args->alloc, struct pgc_args_nest);
        if (args->nest == NULL) {
            args_fail(args, PGC_NOMEM, "finds no memory to be encoded into");
            return false;
        }
    }
    if (args->nest->depth == PGC_NEST_MAX) {
        args_fail(args, PGC_INVALID, "is nested too deeply");
        return false;
    }
    if (args->nest->depth == 0 && args->count == PGC_ARGS_MAX) {
        args_fail(args, PGC_LIMIT, "is one too many; pass an array instead");
        return false;
    }
    return true;
}

/* Opens a level with a header of `header` bytes, which the caller writes; NULL after a failure.
 * Inside another value it is a part of it, whose length its end writes. */
static uint8_t *open_level(pgc_args *args, args_level level, size_t header)
{
    if (!nest_ready(args)) {
        return NULL;
    }
    struct pgc_args_nest *nest = args->nest;
    uint8_t *to = nest->depth == 0 ? grow(args, header) : add_part(args, 0, header);
    if (to == NULL) {
        return NULL;
    }
    level.start = (size_t) (to - nest->bytes->data);
    nest->levels[nest->depth++] = level;
    return to;
}

void pgc_add_record_begin(pgc_args *args, const pgc_record_type *type)
{
    args_level level = { .kind = LEVEL_RECORD,
                         .want = type == NULL ? SIZE_MAX : type->field_count,
                         .type = type };
    (void) open_level(args, level, RECORD_HEADER);
}

/* Product of the dimensions; false when one is not positive or it is too large. */
static bool dims_product(uint32_t ndim, const pgc_dim *dims, size_t *count_out)
{
    size_t count = 1;
    for (uint32_t i = 0; i < ndim; i++) {
        if (dims[i].count < 1 || !size_mul(count, (size_t) dims[i].count, &count) ||
            count > WIRE_VALUE_MAX / 4) {
            return false;
        }
    }
    *count_out = count;
    return true;
}

void pgc_add_array_begin(pgc_args *args, uint32_t element_oid, uint32_t ndim, const pgc_dim *dims)
{
    args_level level = { .kind = LEVEL_ARRAY, .want = SIZE_MAX };
    const pgc_dim one = { 0, 1 };
    if (args->status != PGC_OK) {
        return;
    }
    if (ndim > PGC_DIMS_MAX || (ndim > 0 && dims == NULL) ||
        (ndim > 0 && !dims_product(ndim, dims, &level.want))) {
        args_fail(args, PGC_INVALID, "is an array of more than six or of empty dimensions");
        return;
    }
    if (ndim == 0) {
        dims = &one;
        ndim = 1;
    }
    uint8_t *to = open_level(args, level, ARRAY_HEADER + ndim * (size_t) ARRAY_BOUNDS);
    if (to == NULL) {
        return;
    }
    wire_put_u32(to, ndim);
    wire_put_u32(to + 4, 0);
    wire_put_u32(to + 8, element_oid);
    for (uint32_t i = 0; i < ndim; i++) {
        wire_put_u32(to + ARRAY_HEADER + i * (size_t) ARRAY_BOUNDS, (uint32_t) dims[i].count);
        wire_put_u32(to + ARRAY_HEADER + i * (size_t) ARRAY_BOUNDS + 4, (uint32_t) dims[i].lower);
    }
}

void pgc_add_range_begin(pgc_args *args, uint8_t flags)
{
    args_level level = { .kind = LEVEL_RANGE, .flags = flags };
    if (args->status != PGC_OK) {
        return;
    }
    if ((flags & ~PGC_RANGE_FLAGS_MASK) != 0) {
        args_fail(args, PGC_INVALID, "is a range with unknown flags");
        return;
    }
    if ((flags & PGC_RANGE_EMPTY) == 0) {
        level.want = ((flags & PGC_RANGE_LOWER_INF) == 0 ? 1u : 0u) +
                     ((flags & PGC_RANGE_UPPER_INF) == 0 ? 1u : 0u);
    }
    uint8_t *to = open_level(args, level, 1);
    if (to != NULL) {
        to[0] = flags;
    }
}

void pgc_add_multirange_begin(pgc_args *args)
{
    (void) open_level(args, (args_level) { .kind = LEVEL_MULTIRANGE, .want = SIZE_MAX },
                      RANGES_HEADER);
}

/* What was not known at the beginning. An array that got no elements has no dimensions. */
static void close_array(struct pgc_args_nest *nest, const args_level *level, uint8_t *at)
{
    wire_put_u32(at + 4, level->has_null ? 1 : 0);
    if (level->want == SIZE_MAX) {
        wire_put_u32(at + ARRAY_HEADER, (uint32_t) level->count);
    }
    if (level->count == 0) {
        wire_put_u32(at, 0);
        nest->bytes->used = level->start + ARRAY_HEADER;
    }
}

/* The outermost value becomes a parameter and its chunk one of the list's. */
static void finish(pgc_args *args)
{
    struct pgc_args_nest *nest = args->nest;
    struct pgc_args_chunk *chunk = nest->bytes;
    nest->bytes = NULL;
    chunk->next = args->heap;
    args->heap = chunk;
    args_append(args, chunk->data, chunk->used);
}

void pgc_add_end(pgc_args *args)
{
    if (args->status != PGC_OK) {
        return;
    }
    struct pgc_args_nest *nest = args->nest;
    if (nest == NULL || nest->depth == 0) {
        args_fail(args, PGC_INVALID, "is ended but was not begun");
        return;
    }
    const args_level *level = &nest->levels[nest->depth - 1];
    if (level->want != SIZE_MAX && level->count != level->want) {
        args_fail(args, PGC_INVALID, "has fewer parts than its type or dimensions say");
        return;
    }
    uint8_t *at = nest->bytes->data + level->start;
    if (level->kind == LEVEL_ARRAY) {
        close_array(nest, level, at);
    } else if (level->kind != LEVEL_RANGE) {
        wire_put_u32(at, (uint32_t) level->count);
    }
    nest->depth--;
    nest->last_null = false;
    if (nest->depth == 0) {
        finish(args);
    } else {
        wire_put_u32(at - 4, (uint32_t) (nest->bytes->used - level->start));
    }
}
