/* Helper threads do what may block without limit, so that callers can keep their deadlines. No
 * state; any thread. */
#include "base/prelude.h"

#include "pgc/helper.h"

bool helper_start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    sigset_t all, before;
    assert(run != NULL);
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, run, arg);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

void helper_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    (void) pthread_condattr_init(&attr);
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void) pthread_cond_init(cond, &attr);
    (void) pthread_condattr_destroy(&attr);
}

/* Real time: a condition variable knows no other. */
struct timespec helper_from_now(int64_t us)
{
    struct timespec at;
    assert(us >= 0);
    (void) clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + us % 1000000 * 1000;
    at.tv_sec += (time_t) (us / 1000000 + ns / 1000000000);
    at.tv_nsec = (long) (ns % 1000000000);
    return at;
}
