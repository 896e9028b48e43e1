/* Bump allocator. The arena and its first block are one allocation; later blocks double in size up
 * to a limit and are chained. Invariant: used <= cap in every block, and arena_size() is the sum of
 * what was asked from the allocator. One thread at a time. */
#include "base/prelude.h"

#include "base/arena.h"

#define ALIGNMENT     ((size_t) 16)
#define FIRST_DEFAULT ((size_t) 4096)
#define BLOCK_SIZE_MAX \
    ((size_t) 1 << 20) /* growth stops doubling here; larger requests are exact */
#define ALIGN_UP(value) (((value) + (ALIGNMENT - 1)) & ~(ALIGNMENT - 1))

typedef struct block {
    struct block *next; /* older block; NULL for the first */
    size_t size;        /* bytes asked from the allocator, 0 for the first (part of the arena) */
    size_t cap, used;   /* payload bytes, multiples of ALIGNMENT */
    _Alignas(16) char bytes[];
} block;

struct arena {
    const pgc_alloc *alloc;
    size_t total_max; /* SIZE_MAX: none */
    size_t total;
    size_t self_size; /* size of the allocation that holds the arena and its first block */
    size_t next_size; /* payload of the next block */
    block *top;
    _Alignas(16) block first;
};

static_assert(sizeof(block) % 16 == 0, "payloads are aligned");

/* One allocation for arena and first block. A ceiling below the wanted first block makes that
 * smaller; one that leaves no room at all is an error like missing memory. */
arena *arena_new(const pgc_alloc *alloc, size_t first_size, size_t total_max)
{
    size_t limit = total_max == 0 ? SIZE_MAX : total_max;
    size_t cap = first_size == 0 ? FIRST_DEFAULT : first_size;
    if (limit <= sizeof(arena) + ALIGNMENT || cap > SIZE_MAX - sizeof(arena) - ALIGNMENT) {
        return NULL;
    }
    if (cap > limit - sizeof(arena) - ALIGNMENT) {
        cap = limit - sizeof(arena) - ALIGNMENT;
    }
    cap = ALIGN_UP(cap);
    size_t size = sizeof(arena) + cap;
    arena *a = (arena *) mem_resize(alloc, NULL, 0, size);
    if (a == NULL) {
        return NULL;
    }
    memset(a, 0, sizeof *a);
    a->alloc = alloc_or_libc(alloc);
    a->total_max = limit;
    a->total = size;
    a->self_size = size;
    a->next_size = cap > BLOCK_SIZE_MAX / 2 ? BLOCK_SIZE_MAX : cap * 2;
    a->first.cap = cap;
    a->top = &a->first;
    return a;
}

/* A new top block with at least `need` payload bytes; false when memory or the ceiling ends. */
static bool add_block(arena *a, size_t need)
{
    assert(need % ALIGNMENT == 0);
    assert(a->total <= a->total_max);
    size_t left = a->total_max - a->total;
    size_t cap = need > a->next_size ? need : a->next_size;
    if (need > SIZE_MAX - sizeof(block) || need + sizeof(block) > left) {
        return false;
    }
    if (cap > left - sizeof(block)) {
        cap = (left - sizeof(block)) & ~(ALIGNMENT - 1);
    }
    size_t size = sizeof(block) + cap;
    block *b = (block *) mem_resize(a->alloc, NULL, 0, size);
    if (b == NULL) {
        return false;
    }
    b->next = a->top;
    b->size = size;
    b->cap = cap;
    b->used = 0;
    a->top = b;
    a->total += size;
    if (a->next_size < BLOCK_SIZE_MAX) {
        a->next_size *= 2;
    }
    return true;
}

void *arena_take(arena *a, size_t size)
{
    if (size > SIZE_MAX - ALIGNMENT) {
        return NULL;
    }
    size_t need = size == 0 ? ALIGNMENT : ALIGN_UP(size);
    if (need > a->top->cap - a->top->used && !add_block(a, need)) {
        return NULL;
    }
    assert(need <= a->top->cap - a->top->used);
    void *ptr = a->top->bytes + a->top->used;
    a->top->used += need;
    return ptr;
}

void *arena_alloc(arena *a, size_t size)
{
    void *ptr = arena_take(a, size);
    if (ptr != NULL) {
        memset(ptr, 0, size);
    }
    return ptr;
}

/* The product is checked here, the sum with the block's header in add_block(). */
void *arena_array(arena *a, size_t count, size_t size)
{
    size_t bytes;
    return size_mul(count, size, &bytes) ? arena_alloc(a, bytes) : NULL;
}

/* The NUL comes from zeroed memory. An absent slice gives an empty string: callers that must tell
 * the two apart keep the slice. */
char *arena_copy(arena *a, slice text)
{
    char *copy = text.len == SIZE_MAX ? NULL : (char *) arena_alloc(a, text.len + 1);
    if (copy != NULL && text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    return copy;
}

char *arena_strdup(arena *a, const char *string)
{
    return arena_copy(a, (slice) { string, strlen(string) });
}

/* Formats twice: first for the length, then into the place. The arguments are walked twice, so
 * they must not change between the passes. */
char *arena_printf(arena *a, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *text = len < 0 ? NULL : (char *) arena_alloc(a, (size_t) len + 1);
    if (text != NULL) {
        va_start(args, fmt);
        (void) vsnprintf(text, (size_t) len + 1, fmt, args);
        va_end(args);
    }
    return text;
}

/* Newest first, so that the chain ends at the block that is part of the arena and cannot be freed
 * alone. */
void arena_reset(arena *a)
{
    while (a->top != &a->first) {
        block *b = a->top;
        assert(b->used <= b->cap);
        a->top = b->next;
        a->total -= b->size;
        mem_free(a->alloc, b, b->size);
    }
    a->first.used = 0;
    a->next_size = a->first.cap > BLOCK_SIZE_MAX / 2 ? BLOCK_SIZE_MAX : a->first.cap * 2;
    assert(a->total == a->self_size);
}

void arena_free(arena *a)
{
    if (a != NULL) {
        arena_reset(a);
        mem_free(a->alloc, a, a->self_size);
    }
}

size_t arena_size(const arena *a)
{
    return a->total;
}
