/* Argument lists: where encoded values live, and scalars. Invariant: values[i] never moves, because
 * small values stand in the list itself and others in heap chunks that are never resized. After the
 * first failure adders do nothing. One thread per list. */
#include "base/prelude.h"

#include <pgc/query.h>

#include "base/alloc.h"
#include "base/slice.h"
#include "pgc/args.h"
#include "pgc/wire.h"

#define CHUNK_MIN 4096 /* bytes of a chunk, header included */

/* 1.3 KiB are not zeroed: this runs before every query. */
void pgc_args_init(pgc_args *args, const pgc_alloc *alloc)
{
    /* The arrays stay as they are: count tells how much of them is set. */
    args->alloc = alloc_or_libc(alloc);
    args->heap = NULL;
    args->nest = NULL;
    args->reason = NULL;
    args->status = PGC_OK;
    args->count = 0;
    args->bad_index = 0;
    args->scratch_used = 0;
}

/* The list may be used again at once: a loop over rows starts and ends it each time. */
void pgc_args_done(pgc_args *args)
{
    while (args->heap != NULL) {
        struct pgc_args_chunk *chunk = args->heap;
        args->heap = chunk->next;
        mem_free(args->alloc, chunk, sizeof *chunk + chunk->size);
    }
    args_nest_free(args);
    pgc_args_init(args, args->alloc);
}

/* For loops over many rows: the last chunk stays, which is the largest one needed so far or of the
 * usual size. */
void pgc_args_reset(pgc_args *args)
{
    struct pgc_args_chunk *kept = args->heap;
    if (kept != NULL) {
        args->heap = kept->next;
    }
    pgc_args_done(args);
    if (kept != NULL) {
        kept->next = NULL;
        kept->used = 0;
        args->heap = kept;
    }
}

/* The first failure stays, because those behind it are often its consequence. `reason` is static
 * and completes the sentence "parameter $3 (name, type t) …". */
void args_fail(pgc_args *args, pgc_status status, const char *reason)
{
    assert(status != PGC_OK);
    if (args->status == PGC_OK) {
        args->status = status;
        args->reason = reason;
        args->bad_index = args->count;
    }
}

/* `size` bytes that live as long as the list; NULL when memory is exhausted. */
static uint8_t *heap_take(pgc_args *args, size_t size)
{
    struct pgc_args_chunk *chunk = args->heap;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t room = size < CHUNK_MIN - sizeof *chunk ? CHUNK_MIN - sizeof *chunk : size;
        chunk = mem_resize(args->alloc, NULL, 0, sizeof *chunk + room);
        if (chunk == NULL) {
            return NULL;
        }
        *chunk = (struct pgc_args_chunk) { .next = args->heap, .size = room };
        args->heap = chunk;
    }
    uint8_t *bytes = chunk->data + chunk->used;
    chunk->used += size;
    assert(chunk->used <= chunk->size);
    return bytes;
}

/* False when no further parameter of `size` bytes may be added. */
static bool may_add(pgc_args *args, size_t size)
{
    if (args->status != PGC_OK) {
        return false;
    }
    if (args->count == PGC_ARGS_MAX) {
        args_fail(args, PGC_LIMIT, "is one too many; pass an array instead");
        return false;
    }
    if (size > WIRE_VALUE_MAX) {
        args_fail(args, PGC_INVALID, "is over 1 GiB");
        return false;
    }
    return true;
}

/* The only place that moves count: what was added is always complete. */
void args_append(pgc_args *args, const void *bytes, size_t len)
{
    assert(args->status == PGC_OK);
    assert(args->count < PGC_ARGS_MAX);
    assert(len <= INT32_MAX);
    args->values[args->count] = bytes;
    args->lengths[args->count] = (int32_t) len;
    args->count++;
}

/* Small values go into the list itself, so that a usual query allocates nothing. The value is
 * counted before the caller writes it; callers write at once and cannot fail after this. */
uint8_t *args_room(pgc_args *args, size_t size)
{
    if (args_is_nested(args)) {
        return args_nest_room(args, size);
    }
    if (!may_add(args, size)) {
        return NULL;
    }
    uint8_t *bytes;
    assert(args->scratch_used <= sizeof args->scratch);
    if (size <= sizeof args->scratch - args->scratch_used) {
        bytes = args->scratch + args->scratch_used;
        args->scratch_used = (uint16_t) (args->scratch_used + size);
    } else {
        bytes = heap_take(args, size);
        if (bytes == NULL) {
            args_fail(args, PGC_NOMEM, "finds no memory to be encoded into");
            return NULL;
        }
    }
    args_append(args, bytes, size);
    return bytes;
}

/* The bytes stay the caller's and must live until the query has been sent; NULL is SQL NULL. */
bool args_borrow(pgc_args *args, const void *bytes, size_t len)
{
    if (args_is_nested(args)) {
        return args_nest_copy(args, bytes, len);
    }
    if (!may_add(args, len)) {
        return false;
    }
    args_append(args, bytes, len);
    return true;
}

/* Called by generated code behind the adder of a NOT NULL parameter: the server would tell the
 * constraint, we tell the parameter. */
void pgc_args_not_null(pgc_args *args)
{
    if (args_is_nested(args)) {
        args_nest_not_null(args);
    } else if (args->status == PGC_OK && args->count > 0 && args->values[args->count - 1] == NULL) {
        args->count--; /* bad_index names the value just added */
        args_fail(args, PGC_INVALID, "is NULL but must not be");
    }
}

/* Every way of sending a query comes through here first: a wrong list never reaches the server. */
pgc_status args_check(const pgc_args *args, const pgc_query *query, pgc_error *err)
{
    pgc_status status = args == NULL ? PGC_OK : args->status;
    if (status != PGC_OK) {
        size_t i = args->bad_index;
        bool known = i < query->param_count;
        status = pgc_error_set(err, status, "query %s: parameter $%zu (%s, type %s) %s",
                               query->name, i + 1, known ? query->params[i].name : "unnamed",
                               known ? query->params[i].type : "unknown", args->reason);
    } else if (args != NULL && args_is_nested(args)) {
        status = pgc_error_set(err, PGC_INVALID,
                               "query %s: parameter $%u was begun and not ended by pgc_add_end()",
                               query->name, args->count + 1u);
    } else if ((args == NULL ? 0 : args->count) != query->param_count) {
        status = pgc_error_set(err, PGC_INVALID, "query %s: %u parameters given, it takes %u",
                               query->name, args == NULL ? 0u : args->count, query->param_count);
    }
    if (status != PGC_OK && err != NULL) {
        (void) snprintf(err->query, sizeof err->query, "%s", query->name);
    }
    return status;
}

/* The type of a NULL does not matter on the wire: its length is -1 and nothing follows. */
void pgc_add_null(pgc_args *args)
{
    (void) args_borrow(args, NULL, 0);
}

/* Scalars. store_x() writes a value's wire form; the list below makes the adders from them. */

static void store_bool(uint8_t *to, bool value)
{
    to[0] = value ? 1 : 0;
}

static void store_i16(uint8_t *to, int16_t value)
{
    wire_put_u16(to, (uint16_t) value);
}

static void store_i32(uint8_t *to, int32_t value)
{
    wire_put_u32(to, (uint32_t) value);
}

static void store_i64(uint8_t *to, int64_t value)
{
    wire_put_u64(to, (uint64_t) value);
}

/* The wire has no unsigned types but oid and its kin, which are four bytes like int4. */
static void store_u32(uint8_t *to, uint32_t value)
{
    wire_put_u32(to, value);
}

/* The bit pattern travels, NaN payloads and the sign of zero included. */
static void store_f32(uint8_t *to, float value)
{
    wire_put_u32(to, wire_float_bits(value));
}

static void store_f64(uint8_t *to, double value)
{
    wire_put_u64(to, wire_double_bits(value));
}

static void store_uuid(uint8_t *to, pgc_uuid value)
{
    memcpy(to, value.bytes, sizeof value.bytes);
}

/* Microseconds since 2000-01-01 UTC, PostgreSQL's epoch, in the struct as on the wire: no
 * conversion. */
static void store_timestamptz(uint8_t *to, pgc_timestamptz value)
{
    store_i64(to, value.us);
}

static void store_timestamp(uint8_t *to, pgc_timestamp value)
{
    store_i64(to, value.us);
}

static void store_char(uint8_t *to, char value)
{
    to[0] = (uint8_t) value;
}

static void store_u64(uint8_t *to, uint64_t value)
{
    wire_put_u64(to, value);
}

static void store_money(uint8_t *to, int64_t value)
{
    store_i64(to, value);
}

static void store_lsn(uint8_t *to, uint64_t value)
{
    wire_put_u64(to, value);
}

static void store_tid(uint8_t *to, pgc_tid value)
{
    wire_put_u32(to, value.block);
    wire_put_u16(to + 4, value.offset);
}

static void store_timetz(uint8_t *to, pgc_timetz value)
{
    store_i64(to, value.us);
    store_i32(to + 8, value.west);
}

static void store_macaddr(uint8_t *to, pgc_macaddr value)
{
    memcpy(to, value.bytes, sizeof value.bytes);
}

static void store_macaddr8(uint8_t *to, pgc_macaddr8 value)
{
    memcpy(to, value.bytes, sizeof value.bytes);
}

static void store_point(uint8_t *to, pgc_point value)
{
    store_f64(to, value.x);
    store_f64(to + 8, value.y);
}

static void store_line(uint8_t *to, pgc_line value)
{
    store_f64(to, value.a);
    store_f64(to + 8, value.b);
    store_f64(to + 16, value.c);
}

static void store_lseg(uint8_t *to, pgc_lseg value)
{
    store_point(to, value.from);
    store_point(to + 16, value.to);
}

static void store_box(uint8_t *to, pgc_box value)
{
    store_point(to, value.high);
    store_point(to + 16, value.low);
}

static void store_circle(uint8_t *to, pgc_circle value)
{
    store_point(to, value.center);
    store_f64(to + 16, value.radius);
}

static void store_date(uint8_t *to, pgc_date value)
{
    store_i32(to, value.days);
}

static void store_time(uint8_t *to, pgc_time value)
{
    store_i64(to, value.us);
}

/* Three fields that are not folded into each other: a month has no fixed number of days, nor a
 * day one of hours. */
static void store_interval(uint8_t *to, pgc_interval value)
{
    store_i64(to, value.us);
    store_i32(to + 8, value.days);
    store_i32(to + 12, value.months);
}

#define X(name, type, size)                         \
    void pgc_add_##name(pgc_args *args, type value) \
    {                                               \
        uint8_t *to = args_room(args, size);        \
        if (to != NULL) {                           \
            store_##name(to, value);                \
        }                                           \
    }
PGC_FIXED_MAP(X)
#undef X

#define X(name, type)                                             \
    void pgc_add_opt_##name(pgc_args *args, pgc_opt_##name value) \
    {                                                             \
        if (value.has) {                                          \
            pgc_add_##name(args, value.v);                        \
        } else {                                                  \
            pgc_add_null(args);                                   \
        }                                                         \
    }
PGC_OPT_MAP(X)
#undef X
