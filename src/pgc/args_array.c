/* Argument encoders of arrays. Numbers and texts, which are most arrays, are summed first and
 * written into one block; everything else goes element by element through its own encoder. Element
 * OIDs are those of built-in types; the server compares them. One thread per list. */
#include "base/prelude.h"

#include <pgc/query.h>

#include "base/alloc.h"
#include "base/slice.h"
#include "pgc/args.h"
#include "pgc/array_raw.h"
#include "pgc/wire.h"

#define RAW(value, oid)                                                                         \
    {                                                                                           \
        (value).has, (value).count, (value).v, (value).nulls, (value).ndim, (value).dims, (oid) \
    }

/* No mask means no NULLs: the usual case costs one comparison. */
static bool is_null(const raw_array *a, size_t i)
{
    return a->nulls != NULL && a->nulls[i] != 0;
}

/* Their product must be the number of elements. */
static bool dims_are_valid(const raw_array *a)
{
    size_t count = 1;
    for (uint32_t i = 0; i < a->ndim; i++) {
        if (a->dims[i].count < 1 || !size_mul(count, (size_t) a->dims[i].count, &count)) {
            return false;
        }
    }
    return a->ndim <= PGC_DIMS_MAX && count == a->count;
}

static bool has_dims(const raw_array *a)
{
    return a->dims != NULL && a->ndim > 0;
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
    if (a->count > 0 && has_dims(a) && !dims_are_valid(a)) {
        args_fail(args, PGC_INVALID, "is an array whose dimensions are not those of its elements");
        return false;
    }
    return true;
}

/* Room for the array with `payload` bytes of elements, their length prefixes not counted; writes
 * the header and gives the place of the first element. NULL after a failure; an empty array is
 * complete. */
static uint8_t *array_room(pgc_args *args, const raw_array *a, size_t payload, bool has_nulls)
{
    const pgc_dim one = { (int32_t) a->count, 1 };
    const pgc_dim *dims = has_dims(a) ? a->dims : &one;
    uint32_t ndim = a->count == 0 ? 0 : has_dims(a) ? a->ndim : 1;
    size_t header = ARRAY_HEADER + ndim * (size_t) ARRAY_BOUNDS;
    uint8_t *to = args_room(args, header + a->count * 4 + payload);
    if (to == NULL) {
        return NULL;
    }
    wire_put_u32(to, ndim);
    wire_put_u32(to + 4, has_nulls ? 1 : 0);
    wire_put_u32(to + 8, a->oid);
    for (uint32_t i = 0; i < ndim; i++) {
        wire_put_u32(to + ARRAY_HEADER + i * (size_t) ARRAY_BOUNDS, (uint32_t) dims[i].count);
        wire_put_u32(to + ARRAY_HEADER + i * (size_t) ARRAY_BOUNDS + 4, (uint32_t) dims[i].lower);
    }
    return to + header;
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
    if (size == 2) {
        wire_swap_u16(to, from, 1);
    } else if (size == 4) {
        wire_swap_u32(to, from, 1);
    } else {
        uint64_t value;
        assert(size == sizeof value);
        memcpy(&value, from, sizeof value);
        wire_put_u64(to, value);
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
    /* At most 2^28 elements of 8 bytes: no overflow. */
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
    const raw_array a = RAW(value, element_oid);
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

/* Elements of any kind: `add` encodes the one at `from`. */
static void add_each(pgc_args *args, const raw_array *a, size_t size,
                     void (*add)(pgc_args *args, const void *from))
{
    if (!array_is_valid(args, a)) {
        return;
    }
    bool shaped = a->count > 0 && has_dims(a);
    pgc_add_array_begin(args, a->oid, shaped ? a->ndim : 0, shaped ? a->dims : NULL);
    for (size_t i = 0; i < a->count && args->status == PGC_OK; i++) {
        if (is_null(a, i)) {
            pgc_add_null(args);
        } else {
            add(args, (const uint8_t *) a->v + i * size);
        }
    }
    pgc_add_end(args);
}

/* Numbers in host order whose bytes are swapped: X(name, element OID). OIDs are those of
 * PostgreSQL's pg_type.dat. */
#define PLAIN_MAP(X)   \
    X(i16, 21)         \
    X(i32, 23)         \
    X(i64, 20)         \
    X(u32, 26)         \
    X(u64, 5069)       \
    X(f32, 700)        \
    X(f64, 701)        \
    X(money, 790)      \
    X(lsn, 3220)       \
    X(date, 1082)      \
    X(time, 1083)      \
    X(timestamp, 1114) \
    X(timestamptz, 1184)

#define X(name, oid)                                                                         \
    void pgc_add_arr_##name##_of(pgc_args *args, pgc_arr_##name value, uint32_t element_oid) \
    {                                                                                        \
        const raw_array a = RAW(value, element_oid);                                         \
        if (value.has) {                                                                     \
            add_fixed(args, &a, sizeof value.v[0]);                                          \
        } else {                                                                             \
            pgc_add_null(args);                                                              \
        }                                                                                    \
    }                                                                                        \
    void pgc_add_arr_##name(pgc_args *args, pgc_arr_##name value)                            \
    {                                                                                        \
        pgc_add_arr_##name##_of(args, value, (oid));                                         \
    }
PLAIN_MAP(X)
#undef X

/* All others: X(name, element OID, type). Types of extensions and ranges that the server does not
 * have have no OID of their own. */
#define OTHER_MAP(X)                                  \
    X(bool, 16, bool)                                 \
    X(char, 18, char)                                 \
    X(tid, 27, pgc_tid)                               \
    X(uuid, 2950, pgc_uuid)                           \
    X(timetz, 1266, pgc_timetz)                       \
    X(interval, 1186, pgc_interval)                   \
    X(inet, 869, pgc_inet)                            \
    X(macaddr, 829, pgc_macaddr)                      \
    X(macaddr8, 774, pgc_macaddr8)                    \
    X(point, 600, pgc_point)                          \
    X(line, 628, pgc_line)                            \
    X(lseg, 601, pgc_lseg)                            \
    X(box, 603, pgc_box)                              \
    X(circle, 718, pgc_circle)                        \
    X(bytes, 17, pgc_bytes)                           \
    X(jsonb, 3802, pgc_text)                          \
    X(numeric, 1700, pgc_numeric)                     \
    X(bits, 1562, pgc_bits)                           \
    X(path, 602, pgc_path)                            \
    X(polygon, 604, pgc_polygon)                      \
    X(vector, PGC_OID_UNCHECKED, pgc_vector)          \
    X(halfvec, PGC_OID_UNCHECKED, pgc_halfvec)        \
    X(sparsevec, PGC_OID_UNCHECKED, pgc_sparsevec)    \
    X(tsvector, 3614, pgc_tsvector)                   \
    X(tsquery, 3615, pgc_tsquery)                     \
    X(hstore, PGC_OID_UNCHECKED, pgc_hstore)          \
    X(range_i32, 3904, pgc_range_i32)                 \
    X(range_i64, 3926, pgc_range_i64)                 \
    X(range_numeric, 3906, pgc_range_numeric)         \
    X(range_date, 3912, pgc_range_date)               \
    X(range_timestamp, 3908, pgc_range_timestamp)     \
    X(range_timestamptz, 3910, pgc_range_timestamptz) \
    X(range_f64, PGC_OID_UNCHECKED, pgc_range_f64)    \
    X(range_time, PGC_OID_UNCHECKED, pgc_range_time)

#define X(name, oid, type)                                                                   \
    static void add_one_##name(pgc_args *args, const void *from)                             \
    {                                                                                        \
        type value;                                                                          \
        memcpy(&value, from, sizeof value);                                                  \
        pgc_add_##name(args, value);                                                         \
    }                                                                                        \
    void pgc_add_arr_##name##_of(pgc_args *args, pgc_arr_##name value, uint32_t element_oid) \
    {                                                                                        \
        const raw_array a = RAW(value, element_oid);                                         \
        if (value.has) {                                                                     \
            add_each(args, &a, sizeof value.v[0], add_one_##name);                           \
        } else {                                                                             \
            pgc_add_null(args);                                                              \
        }                                                                                    \
    }                                                                                        \
    void pgc_add_arr_##name(pgc_args *args, pgc_arr_##name value)                            \
    {                                                                                        \
        pgc_add_arr_##name##_of(args, value, (oid));                                         \
    }
OTHER_MAP(X)
#undef X

/* json is text on the wire, in arrays too. */
void pgc_add_arr_json_of(pgc_args *args, pgc_arr_json value, uint32_t element_oid)
{
    const pgc_arr_text texts = { value.has,   value.count, value.v,
                                 value.nulls, value.ndim,  value.dims };
    pgc_add_arr_text_of(args, texts, element_oid);
}

void pgc_add_arr_json(pgc_args *args, pgc_arr_json value)
{
    pgc_add_arr_json_of(args, value, 114);
}
