/* An allocator that fails at a planned call, and counts what is still held.
 *
 *     for (int fail_at = 1, done = 0; !done; fail_at++) {
 *         fail_alloc plan;
 *         fail_alloc_init(&plan, fail_at);
 *         done = work(&plan.ops);             // must fail cleanly or be complete
 *         CHECK_INT(plan.held, 0);
 *     } */
#ifndef TEST_FAIL_ALLOC_H
#define TEST_FAIL_ALLOC_H

#include <stdlib.h>

#include <pgc/alloc.h>

typedef struct fail_alloc {
    pgc_alloc ops;
    int calls, fail_at; /* fail_at counts from 1; 0: never */
    long long held;     /* bytes */
} fail_alloc;

static inline void *fail_alloc_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    fail_alloc *plan = ctx;
    void *moved = ++plan->calls == plan->fail_at ? NULL : realloc(ptr, new_size);
    if (moved != NULL) {
        plan->held += (long long) new_size - (long long) old_size;
    }
    return moved;
}

static inline void fail_alloc_release(void *ctx, void *ptr, size_t size)
{
    fail_alloc *plan = ctx;
    if (ptr != NULL) {
        plan->held -= (long long) size;
    }
    free(ptr);
}

static inline void fail_alloc_init(fail_alloc *plan, int fail_at)
{
    *plan = (fail_alloc) { { plan, fail_alloc_resize, fail_alloc_release }, 0, fail_at, 0 };
}

#endif
