/* The memory seam: the only file that calls libc's allocator. Sizes travel with every call so that
 * allocators without headers can stand behind the hook. Thread-safe when the hook is. */
#include "base/prelude.h"

#include "base/alloc.h"

#ifdef __GLIBC__
#include <malloc.h>

#define HEAP_BLOCK_MOST (32 << 20) /* the most that every glibc accepts; larger ones are mapped */
#endif

/* realloc() gives up the old block only when it succeeds, which is what the hook promises. libc
 * keeps the size of a block itself, so the one that is passed in is not needed. */
static void *libc_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void) ctx;
    (void) old_size;
    return realloc(ptr, new_size);
}

/* free() of what libc_resize() gave; the size is for allocators without headers. */
static void libc_release(void *ctx, void *ptr, size_t size)
{
    (void) ctx;
    (void) size;
    free(ptr);
}

const pgc_alloc *pgc_alloc_libc(void)
{
    static const pgc_alloc LIBC = { NULL, libc_resize, libc_release };
    return &LIBC;
}

const pgc_alloc *alloc_or_libc(const pgc_alloc *alloc)
{
    return alloc != NULL ? alloc : pgc_alloc_libc();
}

/* Zeroing here instead of by calloc() keeps the hook small: one function allocates, one releases.
 */
void *mem_new(const pgc_alloc *alloc, size_t size)
{
    assert(size > 0);
    const pgc_alloc *a = alloc_or_libc(alloc);
    void *ptr = a->resize(a->ctx, NULL, 0, size);
    if (ptr != NULL) {
        memset(ptr, 0, size);
    }
    return ptr;
}

void *mem_resize(const pgc_alloc *alloc, void *ptr, size_t old_size, size_t new_size)
{
    assert(new_size > 0);
    const pgc_alloc *a = alloc_or_libc(alloc);
    return a->resize(a->ctx, ptr, old_size, new_size);
}

/* NULL is filtered here so that hooks need not care, and so that destructors may be called on
 * half-built objects. */
void mem_free(const pgc_alloc *alloc, void *ptr, size_t size)
{
    const pgc_alloc *a = alloc_or_libc(alloc);
    if (ptr != NULL) {
        a->release(a->ctx, ptr, size);
    }
}

/* Not by mem_new(): the bytes are overwritten at once. */
char *mem_strdup(const pgc_alloc *alloc, const char *string)
{
    const pgc_alloc *a = alloc_or_libc(alloc);
    size_t size = strlen(string) + 1;
    char *copy = (char *) a->resize(a->ctx, NULL, 0, size);
    if (copy != NULL) {
        memcpy(copy, string, size);
    }
    return copy;
}

/* The length is found again: a string that was shortened in place must not be freed this way. */
void mem_free_str(const pgc_alloc *alloc, char *string)
{
    if (string != NULL) {
        mem_free(alloc, string, strlen(string) + 1);
    }
}

/* A large block that is mapped by itself is unmapped when it is freed, whatever is kept otherwise.
 */
bool mem_keep_freed(size_t most)
{
    assert(most > 0);
#ifdef __GLIBC__
    int bytes = most < INT_MAX ? (int) most : INT_MAX;
    return mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_MOST) != 0 && mallopt(M_TRIM_THRESHOLD, bytes) != 0;
#else
    return false;
#endif
}
