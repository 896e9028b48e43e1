/* The memory seam: the only place where libc's allocator is called. */
#ifndef BASE_ALLOC_H
#define BASE_ALLOC_H

#include <pgc/alloc.h>
#include <pgc/types.h>

/* NULL means libc. */
const pgc_alloc *alloc_or_libc(const pgc_alloc *alloc);

/* Zeroed; NULL on failure. size > 0. */
void *mem_new(const pgc_alloc *alloc, size_t size) __attribute__((warn_unused_result));
/* NULL leaves ptr valid. new_size > 0. New bytes are not zeroed. */
void *mem_resize(const pgc_alloc *alloc, void *ptr, size_t old_size, size_t new_size)
    __attribute__((warn_unused_result));
/* ptr may be NULL. size is what was asked for. */
void mem_free(const pgc_alloc *alloc, void *ptr, size_t size);
/* NUL-terminated copy, freed with mem_free_str(). */
char *mem_strdup(const pgc_alloc *alloc, const char *string) __attribute__((warn_unused_result));
void mem_free_str(const pgc_alloc *alloc, char *string);

/* For the start of a program, before other threads: libc keeps what is freed, up to `most` bytes at
 * the end of its heap, instead of giving it back to the system and faulting it in again for the
 * next large answer. It also takes blocks of up to 32 MB from the heap. False: this libc does not.
 */
bool mem_keep_freed(size_t most);

#define MEM_NEW(alloc, type) ((type *) mem_new((alloc), sizeof(type)))

/* False when the product or sum does not fit. */
static inline bool size_mul(size_t count, size_t size, size_t *out)
{
    return !__builtin_mul_overflow(count, size, out);
}

static inline bool size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

#endif
