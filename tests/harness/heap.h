/* Failing allocations of the running thread below every allocator: the linker leads realloc() and
 * free() of all our objects here (`-Wl,--wrap=realloc,--wrap=free`), so that those are counted too
 * that take libc's memory because nobody handed them an allocator. Other threads of ours, such as
 * the pool's, keep all they ask for; what libraries allocate is not seen. */
#ifndef TEST_HEAP_H
#define TEST_HEAP_H

#include <stdbool.h>
#include <stddef.h>

typedef struct heap_plan {
    bool on;
    int fail_at; /* 1-based number of the allocation to fail; 0 = none */
    int calls;   /* allocations since on */
    int live;    /* blocks that were made since on and not released, less older ones released */
} heap_plan;

static _Thread_local heap_plan heap;

void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_realloc(void *ptr, size_t size);
void __wrap_free(void *ptr);

void *__wrap_realloc(void *ptr, size_t size)
{
    if (heap.on && ++heap.calls == heap.fail_at) {
        return NULL;
    }
    void *out = __real_realloc(ptr, size);
    heap.live += heap.on && ptr == NULL && out != NULL ? 1 : 0;
    return out;
}

void __wrap_free(void *ptr)
{
    heap.live -= heap.on && ptr != NULL ? 1 : 0;
    __real_free(ptr);
}

/* Count from now on, and fail one; heap_stop() ends it. */
static inline void heap_start(int fail_at)
{
    heap = (heap_plan) { .on = true, .fail_at = fail_at };
}

static inline heap_plan heap_stop(void)
{
    heap_plan seen = heap;
    heap.on = false;
    return seen;
}

#endif
