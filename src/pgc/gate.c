/* Sleeping at a word of memory by futex(2). A condition variable makes whom it wakes take the lock
 * again, which the waker often still holds: two switches more for each hand-over. Invariant: a
 * setter never touches the gate after GATE_OPEN; waking uses its address alone. Any thread. */
#include "base/prelude.h"

#include "pgc/gate.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#define SECOND_US 1000000

void gate_set(gate *g, gate_state state)
{
    assert(atomic_load_explicit(&g->state, memory_order_relaxed) != GATE_OPEN);
    atomic_store_explicit(&g->state, (uint32_t) state, memory_order_release);
}

static void wake(const _Atomic uint32_t *word, int count)
{
    (void) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* While the word has this value; may end earlier. NULL: without end. */
static void sleep_while(_Atomic uint32_t *word, uint32_t value, const struct timespec *span)
{
    (void) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, span, NULL, 0);
}

void gate_rouse(const gate *g)
{
    if (g != NULL) {
        wake(&g->state, 1);
    }
}

gate_state gate_sleep(gate *g, int64_t us)
{
    const struct timespec span = { .tv_sec = us / SECOND_US, .tv_nsec = us % SECOND_US * 1000 };
    uint32_t state = atomic_load_explicit(&g->state, memory_order_acquire);
    if (state == GATE_CLOSED) {
        sleep_while(&g->state, GATE_CLOSED, us < 0 ? NULL : &span);
        state = atomic_load_explicit(&g->state, memory_order_acquire);
    }
    assert(state <= GATE_OPEN);
    return (gate_state) state;
}

uint32_t bell_strokes(const bell *b)
{
    return atomic_load_explicit(&b->strokes, memory_order_relaxed);
}

void bell_strike(bell *b)
{
    (void) atomic_fetch_add_explicit(&b->strokes, 1, memory_order_release);
}

void bell_rouse(const bell *b)
{
    wake(&b->strokes, INT_MAX);
}

void bell_sleep(bell *b, uint32_t strokes)
{
    while (atomic_load_explicit(&b->strokes, memory_order_acquire) == strokes) {
        sleep_while(&b->strokes, strokes, NULL);
    }
}
