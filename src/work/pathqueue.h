/* Paths on their way from the walk to the workers: bounded, first in first out, thread-safe. */
#ifndef WORK_PATHQUEUE_H
#define WORK_PATHQUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

#define PATHQUEUE_SIZE 1024

typedef struct pathqueue {
    const pgc_alloc *alloc;
    pthread_mutex_t lock;
    pthread_cond_t not_empty, not_full;
    char *items[PATHQUEUE_SIZE];
    size_t first, count;
    bool ended;  /* nothing more comes */
    bool closed; /* nothing more is wanted */
} pathqueue;

void pathqueue_init(pathqueue *queue, const pgc_alloc *alloc);
/* Frees what is left; no thread may be inside. */
void pathqueue_done(pathqueue *queue);
/* Waits while the queue is full; copies the path. False: closed, or no memory (*no_memory). */
bool pathqueue_put(pathqueue *queue, const char *path, bool *no_memory);
/* Waits while the queue is empty; the caller frees with mem_free_str(). NULL: ended or closed. */
char *pathqueue_take(pathqueue *queue);
/* The producer has finished: takers drain what is left. */
void pathqueue_end(pathqueue *queue);
/* Stop early: producer and takers return at once. */
void pathqueue_close(pathqueue *queue);

#endif
