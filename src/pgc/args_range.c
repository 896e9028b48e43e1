/* Argument encoders of ranges and multiranges with the built-in subtypes. The server checks that
 * bounds do not go backwards. One thread per list. */
#include "base/prelude.h"

#include <pgc/query.h>

#include "pgc/args.h"

/* The bounds that an encoder must write. */
static bool has_lower(uint8_t flags)
{
    return (flags & (PGC_RANGE_EMPTY | PGC_RANGE_LOWER_INF)) == 0;
}

static bool has_upper(uint8_t flags)
{
    return (flags & (PGC_RANGE_EMPTY | PGC_RANGE_UPPER_INF)) == 0;
}

#define X(name, type)                                                           \
    void pgc_add_range_##name(pgc_args *args, pgc_range_##name value)           \
    {                                                                           \
        if (!value.has) {                                                       \
            pgc_add_null(args);                                                 \
            return;                                                             \
        }                                                                       \
        pgc_add_range_begin(args, value.flags);                                 \
        if (has_lower(value.flags)) {                                           \
            pgc_add_##name(args, value.lower);                                  \
        }                                                                       \
        if (has_upper(value.flags)) {                                           \
            pgc_add_##name(args, value.upper);                                  \
        }                                                                       \
        pgc_add_end(args);                                                      \
    }                                                                           \
    void pgc_add_multirange_##name(pgc_args *args, pgc_multirange_##name value) \
    {                                                                           \
        if (!value.has) {                                                       \
            pgc_add_null(args);                                                 \
            return;                                                             \
        }                                                                       \
        pgc_add_multirange_begin(args);                                         \
        for (size_t i = 0; i < value.count && args->status == PGC_OK; i++) {    \
            pgc_add_range_##name(args, value.v[i]);                             \
        }                                                                       \
        pgc_add_end(args);                                                      \
    }
PGC_RANGE_MAP(X)
#undef X
