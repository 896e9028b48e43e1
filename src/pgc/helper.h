/* Threads of our own and clocks for condition variables. */
#ifndef PGC_HELPER_H
#define PGC_HELPER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* pthread_create() with all signals blocked: they are the program's business. False: no thread. */
bool helper_start(pthread_t *thread, void *(*run)(void *arg), void *arg);
/* A condition variable on the monotonic clock: the wall clock may jump, waiting must not. */
void helper_cond_init(pthread_cond_t *cond);
/* The point of that clock `us` microseconds from now. */
struct timespec helper_from_now(int64_t us);

#endif
