/* An allocator that fails as planned: every allocating module has a loop over it.
 *
 *     bool complete = false;
 *     for (int fail_at = 1; !complete; fail_at++) {
 *         oom_plan plan = { .fail_at = fail_at };
 *         const pgc_alloc alloc = oom_alloc(&plan);
 *         complete = work(&alloc) == PGC_OK;
 *         CHECK_INT(plan.live, 0);
 *     }
 *
 * It also checks that every block comes back with the size it was asked with. */
#ifndef TEST_OOM_H
#define TEST_OOM_H

#include <stdlib.h>

#include <pgc/alloc.h>

typedef struct oom_plan {
    int fail_at;   /* 1-based number of the allocation to fail; 0 = never */
    int calls;     /* allocations so far */
    int live;      /* blocks not yet released */
    int bad_sizes; /* calls whose old size was not the true one */
    bool sticky;   /* all later ones fail as well */
} oom_plan;

typedef union oom_header {
    size_t size;
    max_align_t align;
} oom_header;

static inline oom_header *oom_header_of(oom_plan *plan, void *ptr, size_t size)
{
    oom_header *header = ptr == NULL ? NULL : (oom_header *) ptr - 1;
    plan->bad_sizes += header != NULL && header->size != size ? 1 : 0;
    return header;
}

static inline void *oom_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    oom_plan *plan = (oom_plan *) ctx;
    oom_header *header = oom_header_of(plan, ptr, old_size);
    int number = ++plan->calls;
    if (plan->fail_at != 0 &&
        (number == plan->fail_at || (plan->sticky && number > plan->fail_at))) {
        return NULL;
    }
    oom_header *fresh = (oom_header *) realloc(header, sizeof *header + new_size);
    if (fresh == NULL) {
        return NULL;
    }
    plan->live += ptr == NULL ? 1 : 0;
    fresh->size = new_size;
    return fresh + 1;
}

static inline void oom_release(void *ctx, void *ptr, size_t size)
{
    oom_plan *plan = (oom_plan *) ctx;
    oom_header *header = oom_header_of(plan, ptr, size);
    if (header != NULL) {
        plan->live--;
        free(header);
    }
}

static inline pgc_alloc oom_alloc(oom_plan *plan)
{
    return (pgc_alloc) { plan, oom_resize, oom_release };
}

#endif
