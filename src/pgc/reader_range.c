/* Readers of ranges and multiranges: the built-in subtypes into structs, any other by its bounds.
 * One thread per result. */
#include "base/prelude.h"

#include "pgc/value.h"

static bool bound_is_finite(uint8_t flags, int which)
{
    unsigned infinite = which == 0 ? PGC_RANGE_LOWER_INF : PGC_RANGE_UPPER_INF;
    return (flags & (PGC_RANGE_EMPTY | infinite)) == 0;
}

/* Flags, then the finite bounds. */
bool value_open_range(const value_at *at, cell c, pgc_cell bounds[2], uint8_t *flags_out)
{
    value_rest b = value_rest_of(c);
    const uint8_t *flags = value_take(&b, 1);
    if (flags == NULL || (flags[0] & ~PGC_RANGE_FLAGS_MASK) != 0) {
        return value_fail(at, "has unknown range flags");
    }
    for (int i = 0; i < 2; i++) {
        cell bound;
        bounds[i] = (pgc_cell) { -1, NULL };
        if (!bound_is_finite(flags[0], i)) {
            continue;
        }
        if (!value_take_cell(&b, &bound) || bound.ptr == NULL) {
            return value_fail(at, "is cut inside a bound");
        }
        bounds[i] = (pgc_cell) { (int) bound.len, bound.ptr };
    }
    if (value_left(&b) != 0) {
        return value_fail(at, "has bytes behind the last bound");
    }
    *flags_out = flags[0];
    return true;
}

/* Every range has at least its length and its flags: a count that cannot fit is refused. */
bool value_open_multirange(const value_at *at, cell c, size_t *count_out, value_rest *out)
{
    value_rest b = value_rest_of(c);
    const uint8_t *word = value_take(&b, 4);
    if (word == NULL || wire_u32(word) > value_left(&b) / 5) {
        return value_fail(at, "has fewer bytes than its ranges need");
    }
    *count_out = wire_u32(word);
    *out = b;
    return true;
}

/* The bounds of a range in either format, as cells. */
static bool range_bounds(const value_at *at, cell c, pgc_cell bounds[2], uint8_t *flags_out)
{
    if (!value_is_text(at)) {
        return value_open_range(at, c, bounds, flags_out);
    }
    value_parts parts;
    if (!value_split_range(at, c, &parts, flags_out)) {
        return false;
    }
    assert(parts.count == 2);
    memcpy(bounds, parts.cells, 2 * sizeof bounds[0]);
    return true;
}

/* Bounds of the subtype; those that are not there stay as they are. */
static bool decode_range(const value_at *at, cell c, value_decode *decode, void *const to[2],
                         uint8_t *flags_out)
{
    pgc_cell bounds[2];
    if (!range_bounds(at, c, bounds, flags_out)) {
        return false;
    }
    for (int i = 0; i < 2; i++) {
        const cell bound = { bounds[i].bytes, (size_t) bounds[i].len };
        if (bounds[i].len >= 0 && !decode(at, bound, to[i])) {
            return false;
        }
    }
    return true;
}

/* All ranges of a multirange into an array of structs of `size` bytes; NULL after a failure. */
static void *decode_multirange(const value_at *at, cell c, value_decode *decode, size_t size,
                               size_t *count_out)
{
    value_parts parts = { .count = 0 };
    value_rest b = { NULL, NULL };
    if (value_is_text(at) ? !value_split_multirange(at, c, &parts)
                          : !value_open_multirange(at, c, &parts.count, &b)) {
        return NULL;
    }
    uint8_t *v = value_alloc(at, parts.count, size);
    for (size_t i = 0; v != NULL && i < parts.count; i++) {
        cell range;
        if (parts.cells != NULL) {
            range = (cell) { parts.cells[i].bytes, (size_t) parts.cells[i].len };
        } else if (!value_take_cell(&b, &range) || range.ptr == NULL) {
            (void) value_fail(at, "is cut inside a range");
            return NULL;
        }
        if (!decode(at, range, v + i * size)) {
            return NULL;
        }
    }
    if (v != NULL && value_left(&b) != 0) {
        (void) value_fail(at, "has bytes behind the last range");
        return NULL;
    }
    *count_out = parts.count;
    return v;
}

#define X(name, type)                                                                            \
    bool value_range_##name(const value_at *at, cell c, void *out)                               \
    {                                                                                            \
        pgc_range_##name value;                                                                  \
        memset(&value, 0, sizeof value);                                                         \
        void *const to[2] = { &value.lower, &value.upper };                                      \
        if (!decode_range(at, c, value_##name, to, &value.flags)) {                              \
            return false;                                                                        \
        }                                                                                        \
        value.has = true;                                                                        \
        memcpy(out, &value, sizeof value);                                                       \
        return true;                                                                             \
    }                                                                                            \
    bool value_multirange_##name(const value_at *at, cell c, void *out)                          \
    {                                                                                            \
        pgc_multirange_##name value = { .has = true };                                           \
        value.v = decode_multirange(at, c, value_range_##name, sizeof value.v[0], &value.count); \
        if (value.v == NULL) {                                                                   \
            return false;                                                                        \
        }                                                                                        \
        memcpy(out, &value, sizeof value);                                                       \
        return true;                                                                             \
    }                                                                                            \
    VALUE_READER(pgc_range_##name, pgc_read_range_##name, value_range_##name, false)             \
    VALUE_READER(pgc_range_##name, pgc_read_opt_range_##name, value_range_##name, true)          \
    VALUE_READER(pgc_multirange_##name, pgc_read_multirange_##name, value_multirange_##name,     \
                 false)                                                                          \
    VALUE_READER(pgc_multirange_##name, pgc_read_opt_multirange_##name, value_multirange_##name, \
                 true)
PGC_RANGE_MAP(X)
#undef X
