/* Helper threads do what may block without limit, so that callers can keep their deadlines. No
 * state; any thread. */
#include "base/prelude.h"

#include "pgc/helper.h"

int helper_start(pthread_t *thread, void *(*run)(void *arg), void *arg)
{
    sigset_t all, before;
    assert(run != NULL);
    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, run, arg);
    (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}
