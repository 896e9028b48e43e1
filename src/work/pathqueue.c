/* Bounded queue of paths. One lock; the ring never grows, so a slow worker holds the walk back. */
#include "base/prelude.h"

#include "work/pathqueue.h"

void pathqueue_init(pathqueue *queue, const pgc_alloc *alloc)
{
    memset(queue, 0, sizeof *queue);
    queue->alloc = alloc;
    (void) pthread_mutex_init(&queue->lock, NULL);
    (void) pthread_cond_init(&queue->not_empty, NULL);
    (void) pthread_cond_init(&queue->not_full, NULL);
}

void pathqueue_done(pathqueue *queue)
{
    for (; queue->count > 0; queue->count--) {
        mem_free_str(queue->alloc, queue->items[queue->first]);
        queue->first = (queue->first + 1) % PATHQUEUE_SIZE;
    }
    (void) pthread_cond_destroy(&queue->not_full);
    (void) pthread_cond_destroy(&queue->not_empty);
    (void) pthread_mutex_destroy(&queue->lock);
}

/* Waits while the queue is full; false when it was closed, or with *no_memory set. */
bool pathqueue_put(pathqueue *queue, const char *path, bool *no_memory)
{
    char *copy = mem_strdup(queue->alloc, path);
    *no_memory = copy == NULL;
    if (copy == NULL) {
        return false;
    }
    (void) pthread_mutex_lock(&queue->lock);
    assert(!queue->ended);
    while (queue->count == PATHQUEUE_SIZE && !queue->closed) {
        (void) pthread_cond_wait(&queue->not_full, &queue->lock);
    }
    bool taken = !queue->closed;
    if (taken) {
        queue->items[(queue->first + queue->count) % PATHQUEUE_SIZE] = copy;
        queue->count++;
        (void) pthread_cond_signal(&queue->not_empty);
    }
    (void) pthread_mutex_unlock(&queue->lock);
    if (!taken) {
        mem_free_str(queue->alloc, copy);
    }
    return taken;
}

/* Waits while it is empty; NULL once it is closed, or ended and empty. The path belongs to the
 * caller. */
char *pathqueue_take(pathqueue *queue)
{
    char *path = NULL;
    (void) pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->ended && !queue->closed) {
        (void) pthread_cond_wait(&queue->not_empty, &queue->lock);
    }
    if (queue->count > 0 && !queue->closed) {
        path = queue->items[queue->first];
        queue->first = (queue->first + 1) % PATHQUEUE_SIZE;
        queue->count--;
        (void) pthread_cond_signal(&queue->not_full);
    }
    (void) pthread_mutex_unlock(&queue->lock);
    return path;
}

/* Nothing more will come, but what is in it is still worked off. */
void pathqueue_end(pathqueue *queue)
{
    (void) pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    (void) pthread_cond_broadcast(&queue->not_empty);
    (void) pthread_mutex_unlock(&queue->lock);
}

/* Everybody stops now; what is in it stays undone. */
void pathqueue_close(pathqueue *queue)
{
    (void) pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void) pthread_cond_broadcast(&queue->not_empty);
    (void) pthread_cond_broadcast(&queue->not_full);
    (void) pthread_mutex_unlock(&queue->lock);
}
