/* Every reader by the name of its type: for tests that run them all. */
#ifndef TEST_DECODE_H
#define TEST_DECODE_H

#include <string.h>

#include <pgc/query.h>

/* All types with a reader pair pgc_read_x() and pgc_read_opt_x(). The formatter never comes to rest
 * on this list. */
/* clang-format off */
#define DECODE_MAP(X)                                                                             \
    X(bool) X(i16) X(i32) X(i64) X(u32) X(f32) X(f64) X(uuid)                                     \
    X(timestamptz) X(timestamp) X(date) X(time) X(interval)                                       \
    X(text) X(bytes) X(json) X(jsonb) X(numeric) X(vector) X(halfvec)                             \
    X(arr_bool) X(arr_i16) X(arr_i32) X(arr_i64) X(arr_f32) X(arr_f64)                            \
    X(arr_text) X(arr_uuid) X(arr_timestamptz)
/* clang-format on */

typedef enum decode_kind {
#define X(name) DECODE_##name,
    DECODE_MAP(X)
#undef X
        DECODE_COUNT
} decode_kind;

static const char *const DECODE_NAMES[] = {
#define X(name) #name,
    DECODE_MAP(X)
#undef X
};

/* DECODE_COUNT for an unknown name. */
static inline decode_kind decode_kind_of(const char *name)
{
    unsigned kind = 0;
    while (kind < DECODE_COUNT && strcmp(DECODE_NAMES[kind], name) != 0) {
        kind++;
    }
    return (decode_kind) kind;
}

/* Read one cell and drop the value; the reader knows whether it worked. */
static inline void decode_cell(decode_kind kind, bool nullable, pgc_reader *reader, size_t row,
                               size_t column)
{
    switch (kind) {
#define X(name)                                              \
    case DECODE_##name:                                      \
        if (nullable) {                                      \
            (void) pgc_read_opt_##name(reader, row, column); \
        } else {                                             \
            (void) pgc_read_##name(reader, row, column);     \
        }                                                    \
        break;
        DECODE_MAP(X)
#undef X
    case DECODE_COUNT:
        break;
    }
}

#endif
