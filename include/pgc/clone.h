#ifndef PGC_CLONE_H
#define PGC_CLONE_H

#include <pgc/types.h>

PGC_BEGIN_DECLS

/*
 * Deep copies of rows in one block, in two passes over the same fields: the first adds up what the
 * fields point to, the second copies it behind the row and turns the pointers. sqlc-gen-c writes
 * the passes; `X_clone()` is what people call.
 */

/** State of one copy. Start with pgc_clone_init(). */
typedef struct pgc_clone {
    char *next;      /**< where the next piece goes; NULL in the first pass */
    size_t size;     /**< bytes that the pieces need */
    bool overflowed; /**< size does not fit */
} pgc_clone;

/** Begin the first pass. */
PGC_API void pgc_clone_init(pgc_clone *clone);

/**
 * End the first pass: allocate the block, copy the row to its start and begin the second pass.
 *
 * @param row      the row to copy; row_size bytes.
 * @return the block, from the C library (release with free()); NULL when memory is exhausted.
 *
 * Blocks: no. Thread-safe: one thread per clone. Since: 0.1.
 */
PGC_API void *pgc_clone_alloc(pgc_clone *clone, const void *row, size_t row_size);

/** Free a block of pgc_clone_alloc() that is known as const. NULL is allowed. Blocks: no. */
PGC_API void pgc_clone_free(const void *block);

/**
 * Elements of any type behind a row: counted in the first pass, copied in the second. What they
 * point to is cloned by the caller, element by element.
 *
 * @param from  count elements of size bytes; NULL is allowed.
 * @return the copy, aligned to 16; NULL in the first pass and when there is nothing to copy.
 *
 * Blocks: no. Thread-safe: one thread per clone. Since: 0.1.
 */
PGC_API void *pgc_clone_items(pgc_clone *clone, const void *from, size_t count, size_t size);

/* One field: counted in the first pass, copied and redirected in the second. NULL values stay. */
/* Texts are NUL-terminated in the copy. */
#define X(name, type) PGC_API void pgc_clone_##name(pgc_clone *clone, type *value);
PGC_POINTER_MAP(X)
#undef X

#define X(name, type)                                                               \
    PGC_API void pgc_clone_range_##name(pgc_clone *clone, pgc_range_##name *value); \
    PGC_API void pgc_clone_multirange_##name(pgc_clone *clone, pgc_multirange_##name *value);
PGC_RANGE_MAP(X)
#undef X

#define X(name, type) PGC_API void pgc_clone_arr_##name(pgc_clone *clone, pgc_arr_##name *value);
PGC_ARRAY_MAP(X)
#undef X

PGC_END_DECLS

#endif
