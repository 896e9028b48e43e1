/* Every reader and its adder by the name of the type: for tests that run them all. */
#ifndef TEST_DECODE_H
#define TEST_DECODE_H

#include <string.h>

#include <pgc/query.h>

/* One for each pgc_read_x(). */
typedef enum decode_kind {
#define X(name, type) DECODE_##name,
    PGC_OPT_MAP(X) PGC_POINTER_MAP(X)
#undef X
#define X(name, type) DECODE_range_##name, DECODE_multirange_##name,
        PGC_RANGE_MAP(X)
#undef X
#define X(name, type) DECODE_arr_##name,
            PGC_ARRAY_MAP(X)
#undef X
                DECODE_COUNT
} decode_kind;

static const char *const DECODE_NAMES[] = {
#define X(name, type) #name,
    PGC_OPT_MAP(X) PGC_POINTER_MAP(X)
#undef X
#define X(name, type) "range_" #name, "multirange_" #name,
        PGC_RANGE_MAP(X)
#undef X
#define X(name, type) "arr_" #name,
            PGC_ARRAY_MAP(X)
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
#define DECODE_CASE_(kind_name, read_opt, read)   \
    case kind_name:                               \
        if (nullable) {                           \
            (void) read_opt(reader, row, column); \
        } else {                                  \
            (void) read(reader, row, column);     \
        }                                         \
        break;
#define X(name, type) DECODE_CASE_(DECODE_##name, pgc_read_opt_##name, pgc_read_##name)
        PGC_OPT_MAP(X)
        PGC_POINTER_MAP(X)
#undef X
#define X(name, type)                                                                   \
    DECODE_CASE_(DECODE_range_##name, pgc_read_opt_range_##name, pgc_read_range_##name) \
    DECODE_CASE_(DECODE_multirange_##name, pgc_read_opt_multirange_##name,              \
                 pgc_read_multirange_##name)
        PGC_RANGE_MAP(X)
#undef X
#define X(name, type) DECODE_CASE_(DECODE_arr_##name, pgc_read_opt_arr_##name, pgc_read_arr_##name)
        PGC_ARRAY_MAP(X)
#undef X
    case DECODE_COUNT:
        break;
    }
}

/* Read one cell, NULL or not, and add what was read to args. */
static inline void decode_echo(decode_kind kind, pgc_reader *reader, size_t row, size_t column,
                               pgc_args *args)
{
    switch (kind) {
#define ECHO_CASE_(kind_name, add, read)      \
    case kind_name:                           \
        add(args, read(reader, row, column)); \
        break;
#define X(name, type) ECHO_CASE_(DECODE_##name, pgc_add_opt_##name, pgc_read_opt_##name)
        PGC_OPT_MAP(X)
#undef X
#define X(name, type) ECHO_CASE_(DECODE_##name, pgc_add_##name, pgc_read_opt_##name)
        PGC_POINTER_MAP(X)
#undef X
#define X(name, type)                                                                \
    ECHO_CASE_(DECODE_range_##name, pgc_add_range_##name, pgc_read_opt_range_##name) \
    ECHO_CASE_(DECODE_multirange_##name, pgc_add_multirange_##name, pgc_read_opt_multirange_##name)
        PGC_RANGE_MAP(X)
#undef X
#define X(name, type) ECHO_CASE_(DECODE_arr_##name, pgc_add_arr_##name, pgc_read_opt_arr_##name)
        PGC_ARRAY_MAP(X)
#undef X
    case DECODE_COUNT:
        break;
    }
}

#endif
