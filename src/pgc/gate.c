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

void gate_rouse(const gate *g)
{
    if (g != NULL) {
        (void) syscall(SYS_futex, &g->state, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

gate_state gate_sleep(gate *g, int64_t us)
{
    const struct timespec span = { .tv_sec = us / SECOND_US, .tv_nsec = us % SECOND_US * 1000 };
    uint32_t state = atomic_load_explicit(&g->state, memory_order_acquire);
    if (state == GATE_CLOSED) {
        (void) syscall(SYS_futex, &g->state, FUTEX_WAIT_PRIVATE, GATE_CLOSED, us < 0 ? NULL : &span,
                       NULL, 0);
        state = atomic_load_explicit(&g->state, memory_order_acquire);
    }
    assert(state <= GATE_OPEN);
    return (gate_state) state;
}
