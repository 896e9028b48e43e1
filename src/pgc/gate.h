/* Where one thread sleeps until others let it through: a word for the kernel to watch, with no lock
 * to take on the way out. */
#ifndef PGC_GATE_H
#define PGC_GATE_H

#include "base/prelude.h"

#include <stdatomic.h>

/* NUDGED ends a sleep as OPEN does, but says only that something changed. */
typedef enum gate_state { GATE_CLOSED, GATE_NUDGED, GATE_OPEN } gate_state;

/* Zero is closed. Lies on the stack of who sleeps at it. */
typedef struct gate {
    _Atomic uint32_t state;
} gate;

/* What the sleeper will see; all that was written before is seen with it. Setters agree among
 * themselves by a lock. Behind GATE_OPEN the sleeper may go at any moment, and its gate with it. */
void gate_set(gate *g, gate_state state);
/* Wake the sleeper after gate_set(), best without any lock, which it would run into. Only the
 * address counts: the gate may be gone already, and then nothing happens. NULL: nobody to wake. */
void gate_rouse(const gate *g);
/* Sleep while the gate is closed, at most us microseconds of real time; < 0: without end. Signals
 * and other wake-ups may end it earlier: the answer is the state then. */
gate_state gate_sleep(gate *g, int64_t us);

/* Where many sleep until one lets them all through: it counts how often that happened. Outlives its
 * sleepers. */
typedef struct bell {
    _Atomic uint32_t strokes;
} bell;

/* What a sleeper must know before others may strike: under the lock that strikers hold. */
uint32_t bell_strokes(const bell *b);
/* Let all through who came before, without waking them; what was written before is seen. */
void bell_strike(bell *b);
/* Wake them, best without any lock. Who sleeps for a later stroke goes on sleeping. */
void bell_rouse(const bell *b);
/* Sleep until the bell was struck after `strokes`. */
void bell_sleep(bell *b, uint32_t strokes);

#endif
