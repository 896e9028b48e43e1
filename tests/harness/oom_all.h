/* Every allocation of our own code and of jansson can fail, whichever allocator it names: for runs
 * of whole commands, which take arenas, buffers and JSON of their own. A test links oom_all.c with
 * the options of tests/meson.build that lead realloc() and the calls of arenas here. Arenas take
 * few blocks, so each piece of one counts. Not for threads. */
#ifndef TEST_OOM_ALL_H
#define TEST_OOM_ALL_H

#include <stdbool.h>

/* From now on count; the fail_at-th fails (1-based; 0: none). */
void oom_all_begin(long fail_at);
/* No more; how many there were. */
long oom_all_end(void);
/* Whether the one that failed was jansson's, which may call it a mistake of the text. */
bool oom_all_was_json(void);
/* Blocks of jansson that were not given back since the process began. */
long oom_all_json_live(void);

/* Which of `total` allocations fail in turn: each of the first, then every step-th. */
typedef struct oom_sample {
    long first, step, total;
} oom_sample;

static inline oom_sample oom_sample_of(long total, long first, long others)
{
    long rest = total > first ? total - first : 0;
    return (oom_sample) { .first = first, .step = rest / others + 1, .total = total };
}

/* The one behind `at`; more than total: none. */
static inline long oom_sample_next(const oom_sample *s, long at)
{
    return at < s->first ? at + 1 : at + s->step;
}

#endif
