#ifndef PGC_ALLOC_H
#define PGC_ALLOC_H

#include <stddef.h>

#include <pgc/export.h>

PGC_BEGIN_DECLS

/**
 * Hook for all memory of the library. The context comes back on every call; the sizes let pools do
 * without headers. Given once, when a top object (pool, cluster, client) is opened, and inherited
 * by everything below it.
 */
typedef struct pgc_alloc {
    void *ctx;
    /** ptr NULL allocates; a NULL result means failure and ptr stays valid; new_size is never 0. */
    void *(*resize)(void *ctx, void *ptr, size_t old_size, size_t new_size);
    /** ptr may be NULL. */
    void (*release)(void *ctx, void *ptr, size_t size);
} pgc_alloc;

/**
 * The C library's realloc() and free() behind the hook.
 *
 * @return static; never NULL.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API const pgc_alloc *pgc_alloc_libc(void);

PGC_END_DECLS

#endif
