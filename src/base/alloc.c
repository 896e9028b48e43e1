/* The memory seam: the only file that calls libc's allocator. Sizes travel with every call so that
 * allocators without headers can stand behind the hook. Thread-safe when the hook is. */
#include "base/prelude.h"

#include "base/alloc.h"

static void *libc_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void) ctx;
    (void) old_size;
    return realloc(ptr, new_size);
}

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

void mem_free(const pgc_alloc *alloc, void *ptr, size_t size)
{
    const pgc_alloc *a = alloc_or_libc(alloc);
    if (ptr != NULL) {
        a->release(a->ctx, ptr, size);
    }
}

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

void mem_free_str(const pgc_alloc *alloc, char *string)
{
    if (string != NULL) {
        mem_free(alloc, string, strlen(string) + 1);
    }
}
