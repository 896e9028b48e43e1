/* Condition variables on the system's monotonic clock. Real time even where a seam's clock is a
 * fake: a condition variable knows no other, and callers look at their own clock when they wake.
 * No state; any thread. */
#include "base/prelude.h"

#include "base/cond.h"

#define SECOND_US INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)

void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    assert(cond != NULL);
    (void) pthread_condattr_init(&attr);
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void) pthread_cond_init(cond, &attr);
    (void) pthread_condattr_destroy(&attr);
}

struct timespec cond_from_now(int64_t us)
{
    struct timespec at;
    us = us > 0 ? us : 0;
    (void) clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + us % SECOND_US * 1000;
    at.tv_sec += (time_t) (us / SECOND_US + ns / SECOND_NS);
    at.tv_nsec = (long) (ns % SECOND_NS);
    assert(at.tv_nsec >= 0 && at.tv_nsec < SECOND_NS);
    return at;
}

bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until)
{
    return pthread_cond_timedwait(cond, lock, until) == 0;
}

bool cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t us)
{
    if (us < 0) {
        return pthread_cond_wait(cond, lock) == 0;
    }
    const struct timespec until = cond_from_now(us);
    return cond_wait_until(cond, lock, &until);
}
