/* Waiting on condition variables for a limited time. */
#ifndef BASE_COND_H
#define BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* On the monotonic clock: the wall clock may jump, waiting must not. */
void cond_init(pthread_cond_t *cond);
/* With the lock held: until a signal, at most us microseconds; < 0: without end. False: time is
 * over. Wakes without a signal happen, so callers look again at what they wait for. */
bool cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t us);
/* For one limit over several waits: the point of time us microseconds from now (< 0: now). */
struct timespec cond_from_now(int64_t us);
/* As cond_wait(), to that point. */
bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, const struct timespec *until);

#endif
