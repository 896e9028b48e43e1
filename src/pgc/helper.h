/* Threads of our own. */
#ifndef PGC_HELPER_H
#define PGC_HELPER_H

#include <pthread.h>
#include <stdbool.h>

/* pthread_create() with all signals blocked: they are the program's business. 0, or the error. */
int helper_start(pthread_t *thread, void *(*run)(void *arg), void *arg);

#endif
