/* Bump allocator: many allocations, one free. Not thread-safe. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/alloc.h"
#include "base/slice.h"

typedef struct arena arena;

/* first_size: bytes of the first block (0: 4 KiB); total_max: ceiling in bytes (0: none).
 * NULL when memory is exhausted. alloc NULL means libc. */
arena *arena_new(const pgc_alloc *alloc, size_t first_size, size_t total_max);
/* size bytes aligned to 16, zeroed; NULL when memory or the ceiling is exhausted. */
void *arena_alloc(arena *arena, size_t size) __attribute__((malloc, alloc_size(2)));
/* The same, but what the bytes hold is undefined: for memory that is written at once. */
void *arena_take(arena *arena, size_t size) __attribute__((malloc, alloc_size(2)));
/* count * size with overflow check. */
void *arena_array(arena *arena, size_t count, size_t size) __attribute__((malloc));
/* NUL-terminated copies; NULL on failure. */
char *arena_strdup(arena *arena, const char *string);
char *arena_copy(arena *arena, slice text);
char *arena_printf(arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Forget all allocations, keep the first block. */
void arena_reset(arena *arena);
/* NULL is allowed. */
void arena_free(arena *arena);
/* Bytes taken from the allocator. */
size_t arena_size(const arena *arena);

#define ARENA_NEW(a, type)          ((type *) arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, count, type) ((type *) arena_array((a), (count), sizeof(type)))

static inline void arena_auto(arena **local)
{
    arena_free(*local);
}

#endif
