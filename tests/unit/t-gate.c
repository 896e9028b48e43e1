/* The gate: who sleeps at it sees what was written before it opened, and nothing is lost between
 * the look at the gate and the sleep. */
#include "base/prelude.h"

#include "pgc/gate.h"

#include "tap.h"

#define LONG_US 60000000 /* far more than any of this takes */
#define TURNS   2000

static void a_gate_that_is_open_stops_nobody(void)
{
    gate g = { GATE_CLOSED };
    gate_set(&g, GATE_OPEN);
    CHECK_INT(gate_sleep(&g, -1), GATE_OPEN);
    CHECK_INT(gate_sleep(&g, LONG_US), GATE_OPEN);
    gate_rouse(&g);
    gate_rouse(NULL);
}

static void a_sleep_ends_when_its_time_is_over(void)
{
    gate g = { GATE_CLOSED };
    CHECK_INT(gate_sleep(&g, 0), GATE_CLOSED);
    CHECK_INT(gate_sleep(&g, 1), GATE_CLOSED);
    CHECK_INT(gate_sleep(&g, 1500), GATE_CLOSED);
}

static void a_nudge_wakes_and_can_be_taken_back(void)
{
    gate g = { GATE_CLOSED };
    gate_set(&g, GATE_NUDGED);
    gate_rouse(&g);
    CHECK_INT(gate_sleep(&g, LONG_US), GATE_NUDGED);
    gate_set(&g, GATE_CLOSED);
    CHECK_INT(gate_sleep(&g, 1), GATE_CLOSED);
    gate_set(&g, GATE_OPEN);
    CHECK_INT(gate_sleep(&g, LONG_US), GATE_OPEN);
}

/* Two threads that let each other through, each by gates on the other's side. */
typedef struct duel {
    gate there[TURNS], back[TURNS];
    int sent[TURNS], heard;
} duel;

static void pass(gate *g)
{
    gate_set(g, GATE_OPEN);
    gate_rouse(g);
}

static void *answer(void *arg)
{
    duel *d = arg;
    for (int i = 0; i < TURNS; i++) {
        while (gate_sleep(&d->there[i], -1) != GATE_OPEN) {
            continue;
        }
        d->heard += d->sent[i] == i + 1 ? 1 : 0;
        pass(&d->back[i]);
    }
    return NULL;
}

static void what_was_written_before_is_seen_behind_it(void)
{
    static duel d;
    pthread_t thread;
    REQUIRE(CHECK_INT(pthread_create(&thread, NULL, answer, &d), 0));
    for (int i = 0; i < TURNS; i++) {
        d.sent[i] = i + 1;
        pass(&d.there[i]);
        while (gate_sleep(&d.back[i], -1) != GATE_OPEN) {
            continue;
        }
    }
    (void) pthread_join(thread, NULL);
    CHECK_INT(d.heard, TURNS);
}

/* Many who sleep for the stroke after `before`. */
typedef struct crowd {
    bell b;
    uint32_t before;
    _Atomic int through;
} crowd;

static void *wait_stroke(void *arg)
{
    crowd *c = arg;
    bell_sleep(&c->b, c->before);
    c->through++;
    return NULL;
}

static void a_bell_lets_all_through_who_came_before(void)
{
    crowd c = { .before = 0 };
    pthread_t threads[8];
    c.before = bell_strokes(&c.b);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        REQUIRE(CHECK_INT(pthread_create(&threads[i], NULL, wait_stroke, &c), 0));
    }
    bell_rouse(&c.b); /* not struck: they go on sleeping */
    CHECK_INT(c.through, 0);
    bell_strike(&c.b);
    bell_rouse(&c.b);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        (void) pthread_join(threads[i], NULL);
    }
    CHECK_INT(c.through, ARRAY_LEN(threads));
    bell_sleep(&c.b, c.before); /* that was before: no sleep */
    CHECK(bell_strokes(&c.b) != c.before);
}

TAP_MAIN(TAP("gate: one that is open stops nobody", a_gate_that_is_open_stops_nobody),
         TAP("gate: a sleep ends when its time is over", a_sleep_ends_when_its_time_is_over),
         TAP("gate: a nudge wakes and can be taken back", a_nudge_wakes_and_can_be_taken_back),
         TAP("gate: what was written before is seen behind it",
             what_was_written_before_is_seen_behind_it),
         TAP("bell: lets all through who came before", a_bell_lets_all_through_who_came_before))
