/* Threads that do one thing at once. */
#ifndef TEST_CROWD_H
#define TEST_CROWD_H

#include <pthread.h>

#include "tap.h"

/* `count` threads call work(arg, number), all at the same moment. */
typedef struct crowd_member {
    pthread_barrier_t *barrier;
    void (*work)(void *arg, size_t number);
    void *arg;
    size_t number;
} crowd_member;

static inline void *crowd_main(void *arg)
{
    crowd_member *member = (crowd_member *) arg;
    (void) pthread_barrier_wait(member->barrier);
    member->work(member->arg, member->number);
    return NULL;
}

static inline void crowd_run(size_t count, void (*work)(void *arg, size_t number), void *arg)
{
    pthread_barrier_t barrier;
    pthread_t *threads = (pthread_t *) calloc(count, sizeof *threads);
    crowd_member *members = (crowd_member *) calloc(count, sizeof *members);
    if (!CHECK(threads != NULL && members != NULL &&
               pthread_barrier_init(&barrier, NULL, (unsigned) count) == 0)) {
        _exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        members[i] = (crowd_member) { &barrier, work, arg, i };
        if (!CHECK_INT(pthread_create(&threads[i], NULL, crowd_main, &members[i]), 0)) {
            _exit(1); /* the others would wait for ever */
        }
    }
    for (size_t i = 0; i < count; i++) {
        (void) pthread_join(threads[i], NULL);
    }
    (void) pthread_barrier_destroy(&barrier);
    free(threads);
    free(members);
}

#endif
