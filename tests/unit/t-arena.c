/* Arena and allocation seam. */
#include "base/prelude.h"

#include "base/arena.h"

#include "oom.h"
#include "tap.h"

static void blocks_are_aligned_zeroed_and_apart(void)
{
    arena *a = arena_new(NULL, 64, 0);
    REQUIRE(a != NULL);
    char *last = NULL;
    for (size_t size = 0; size < 300; size++) {
        char *ptr = (char *) arena_alloc(a, size);
        REQUIRE(ptr != NULL);
        CHECK_INT((uintptr_t) ptr % 16, 0);
        CHECK(ptr != last);
        for (size_t i = 0; i < size; i++) {
            REQUIRE(ptr[i] == 0);
        }
        memset(ptr, 0xFF, size);
        last = ptr;
    }
    arena_free(a);
}

static void reset_keeps_the_first_block_and_zeroes_again(void)
{
    oom_plan plan = { 0 };
    const pgc_alloc alloc = oom_alloc(&plan);
    arena *a = arena_new(&alloc, 1024, 0);
    REQUIRE(a != NULL);
    size_t start = arena_size(a);
    char *first = (char *) arena_alloc(a, 100);
    REQUIRE(first != NULL);
    memset(first, 0xFF, 100);
    for (int i = 0; i < 50; i++) {
        CHECK(arena_alloc(a, 1000) != NULL);
    }
    CHECK(arena_size(a) > start);
    CHECK(plan.live > 1);
    arena_reset(a);
    CHECK_INT(plan.live, 1);
    CHECK_INT(arena_size(a), start);
    char *again = (char *) arena_alloc(a, 100);
    CHECK(again == first);
    CHECK(again != NULL && again[0] == 0 && again[99] == 0);
    arena_free(a);
    CHECK_INT(plan.live, 0);
    CHECK_INT(plan.bad_sizes, 0);
}

static void ceiling_holds(void)
{
    arena *a = arena_new(NULL, 0, 10000);
    REQUIRE(a != NULL);
    size_t given = 0;
    while (arena_alloc(a, 160) != NULL) {
        given += 160;
        REQUIRE(given < 20000);
    }
    CHECK(given > 8000);
    CHECK(arena_size(a) <= 10000);
    CHECK(arena_alloc(a, 20000) == NULL);
    arena_free(a);
    CHECK(arena_new(NULL, 0, 16) == NULL);
}

static void large_requests_and_overflow(void)
{
    arena *a = arena_new(NULL, 0, 0);
    REQUIRE(a != NULL);
    char *big = (char *) arena_alloc(a, (size_t) 3 << 20);
    REQUIRE(big != NULL);
    CHECK_INT(big[((size_t) 3 << 20) - 1], 0);
    volatile size_t huge = SIZE_MAX;
    CHECK(arena_alloc(a, huge) == NULL);
    CHECK(arena_alloc(a, huge - 40) == NULL);
    CHECK(arena_array(a, huge / 2, 3) == NULL);
    CHECK(arena_array(a, 3, 5) != NULL);
    arena_free(a);
    arena_free(NULL);
    CHECK(arena_new(NULL, huge, 0) == NULL);
}

static void copies_are_terminated(void)
{
    arena *a = arena_new(NULL, 0, 0);
    REQUIRE(a != NULL);
    CHECK_STR(arena_strdup(a, "hello"), "hello");
    CHECK_STR(arena_copy(a, slice_sub(SLICE("hello"), 1, 3)), "el");
    CHECK_STR(arena_copy(a, (slice) { NULL, 0 }), "");
    CHECK_STR(arena_printf(a, "%d-%s", 5, "x"), "5-x");
    arena_free(a);
}

/* True when everything could be allocated. */
static bool fill(const pgc_alloc *alloc)
{
    AUTO(arena_auto) arena *a = arena_new(alloc, 64, 0);
    if (a == NULL) {
        return false;
    }
    for (int i = 0; i < 20; i++) {
        if (arena_printf(a, "%0100d", i) == NULL) {
            return false;
        }
    }
    return true;
}

static void each_failed_allocation_is_survived(void)
{
    bool complete = false;
    int rounds = 0;
    for (int fail_at = 1; !complete; fail_at++, rounds++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        complete = fill(&alloc);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    CHECK(rounds > 3);
}

static void strings_of_the_seam(void)
{
    for (int fail_at = 1; fail_at <= 2; fail_at++) {
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        char *copy = mem_strdup(&alloc, "abc");
        CHECK(fail_at == 1 ? copy == NULL : copy != NULL && strcmp(copy, "abc") == 0);
        mem_free_str(&alloc, copy);
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    size_t out = 1;
    volatile size_t huge = SIZE_MAX;
    CHECK(!size_mul(huge, 2, &out));
    CHECK(!size_add(huge, 1, &out));
    CHECK(size_mul(3, 4, &out) && out == 12);
    CHECK(size_add(3, 4, &out) && out == 7);
}

TAP_MAIN(TAP("arena: allocations are aligned, zeroed and apart",
             blocks_are_aligned_zeroed_and_apart),
         TAP("arena: reset keeps the first block", reset_keeps_the_first_block_and_zeroes_again),
         TAP("arena: the ceiling holds", ceiling_holds),
         TAP("arena: large requests work, overflow fails", large_requests_and_overflow),
         TAP("arena: copies are terminated", copies_are_terminated),
         TAP("arena: each failed allocation is survived", each_failed_allocation_is_survived),
         TAP("alloc: strings and checked sums", strings_of_the_seam))
