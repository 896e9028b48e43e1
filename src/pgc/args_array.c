/* Argument encoders of one-dimensional arrays: sizes are summed first, then everything is written
 * into one block. Element OIDs are those of built-in types; the server compares them. */
#include "base/prelude.h"

#include <pgc/query.h>

#include "base/alloc.h"
#include "base/slice.h"
#include "pgc/args.h"
#include "pgc/wire.h"

#define ARRAY_HEADER 20 /* bytes: dimensions, NULL flag, element OID, length, lower bound */
#define ARRAY_EMPTY  12 /* bytes: without length and lower bound */

/* An array without its element type. */
typedef struct raw_array {
    uint32_t oid;
    size_t count;
    const void *v;
    const uint8_t *nulls;
} raw_array;

/* No mask means no NULLs: the usual case costs one comparison. */
static bool is_null(const raw_array *a, size_t i)
{
    return a->nulls != NULL && a->nulls[i] != 0;
}

/* Refuse what no array can hold, before sizes are summed. */
static bool array_is_valid(pgc_args *args, const raw_array *a)
{
    if (args->status != PGC_OK) {
        return false;
    }
    if (a->count > 0 && a->v == NULL) {
        args_fail(args, PGC_INVALID, "is an array with elements but no pointer to them");
        return false;
    }
    if (a->count > WIRE_VALUE_MAX / 4) {
        args_fail(args, PGC_INVALID, "is an array over 1 GiB");
        return false;
    }
    return true;
}

/* Room for the array with `payload` bytes of elements, their length prefixes not counted; writes
 * the header and gives the place of the first element. NULL after a failure; an empty array is
 * complete. */
static uint8_t *array_room(pgc_args *args, const raw_array *a, size_t payload, bool has_nulls)
{
    bool empty = a->count == 0;
    uint8_t *to = args_room(args, empty ? ARRAY_EMPTY : ARRAY_HEADER + a->count * 4 + payload);
    if (to == NULL) {
        return NULL;
    }
    wire_put_u32(to, empty ? 0 : 1);
    wire_put_u32(to + 4, has_nulls ? 1 : 0);
    wire_put_u32(to + 8, a->oid);
    if (empty) {
        return to + ARRAY_EMPTY;
    }
    wire_put_u32(to + 12, (uint32_t) a->count);
    wire_put_u32(to + 16, 1);
    return to + ARRAY_HEADER;
}

/* A NULL element is its length alone. */
static uint8_t *put_null(uint8_t *to)
{
    wire_put_u32(to, UINT32_MAX); /* length -1 */
    return to + 4;
}

/* By size and not by type: integers, floats and timestamps of one size travel alike. */
static void store_element(uint8_t *to, const uint8_t *from, size_t size)
{
    switch (size) {
    case 1:
        to[0] = from[0] != 0;
        break;
    case 2:
        wire_swap_u16(to, from, 1);
        break;
    case 4:
        wire_swap_u32(to, from, 1);
        break;
    case 8: {
        uint64_t value;
        memcpy(&value, from, sizeof value);
        wire_put_u64(to, value);
        break;
    }
    default:
        assert(size == sizeof(pgc_uuid));
        memcpy(to, from, size);
        break;
    }
}

/* NULLs are counted first because the header says whether there are any, and the size must be
 * exact. */
static void add_fixed(pgc_args *args, const raw_array *a, size_t size)
{
    if (!array_is_valid(args, a)) {
        return;
    }
    size_t null_count = 0;
    for (size_t i = 0; a->nulls != NULL && i < a->count; i++) {
        null_count += is_null(a, i) ? 1 : 0;
    }
    /* At most 2^28 elements of 16 bytes: no overflow. */
    uint8_t *to = array_room(args, a, (a->count - null_count) * size, null_count > 0);
    if (to == NULL) {
        return;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (is_null(a, i)) {
            to = put_null(to);
            continue;
        }
        wire_put_u32(to, (uint32_t) size);
        store_element(to + 4, (const uint8_t *) a->v + i * size, size);
        to += 4 + size;
    }
}

/* Bytes of all elements; false after a failure. A NULL pointer is a NULL element. */
static bool sum_texts(pgc_args *args, const raw_array *a, size_t *payload_out, bool *has_nulls_out)
{
    const pgc_text *texts = a->v;
    size_t payload = 0;
    bool has_nulls = false;
    for (size_t i = 0; i < a->count; i++) {
        if (is_null(a, i) || texts[i].ptr == NULL) {
            has_nulls = true;
            continue;
        }
        if (!size_add(payload, texts[i].len, &payload) || payload > WIRE_VALUE_MAX) {
            args_fail(args, PGC_INVALID, "is an array over 1 GiB");
            return false;
        }
        if (!slice_is_utf8(texts[i])) {
            args_fail(args, PGC_INVALID, "has an element that is not UTF-8 text or holds a NUL");
            return false;
        }
    }
    *payload_out = payload;
    *has_nulls_out = has_nulls;
    return true;
}

/* Texts are checked before room is taken: a failure leaves nothing half written. */
void pgc_add_arr_text_of(pgc_args *args, pgc_arr_text value, uint32_t element_oid)
{
    if (!value.has) {
        pgc_add_null(args);
        return;
    }
    const raw_array a = { element_oid, value.count, value.v, value.nulls };
    size_t payload;
    bool has_nulls;
    if (!array_is_valid(args, &a) || !sum_texts(args, &a, &payload, &has_nulls)) {
        return;
    }
    uint8_t *to = array_room(args, &a, payload, has_nulls);
    if (to == NULL) {
        return;
    }
    for (size_t i = 0; i < a.count; i++) {
        if (is_null(&a, i) || value.v[i].ptr == NULL) {
            to = put_null(to);
            continue;
        }
        wire_put_u32(to, (uint32_t) value.v[i].len);
        memcpy(to + 4, value.v[i].ptr, value.v[i].len);
        to += 4 + value.v[i].len;
    }
}

void pgc_add_arr_text(pgc_args *args, pgc_arr_text value)
{
    pgc_add_arr_text_of(args, value, 25);
}

/* X(name, element OID): PostgreSQL's pg_type.dat. */
#define ELEMENT_MAP(X) \
    X(bool, 16)        \
    X(i16, 21)         \
    X(i32, 23)         \
    X(i64, 20)         \
    X(f32, 700)        \
    X(f64, 701)        \
    X(uuid, 2950)      \
    X(timestamptz, 1184)

#define X(name, oid)                                                      \
    void pgc_add_arr_##name(pgc_args *args, pgc_arr_##name value)         \
    {                                                                     \
        if (!value.has) {                                                 \
            pgc_add_null(args);                                           \
            return;                                                       \
        }                                                                 \
        const raw_array a = { (oid), value.count, value.v, value.nulls }; \
        add_fixed(args, &a, sizeof value.v[0]);                           \
    }
ELEMENT_MAP(X)
#undef X
