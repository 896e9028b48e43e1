/* Contents that are being imported right now: two threads never work on equal bytes at once, so the
 * second one finds the first one's asset. Different contents never wait for each other. */
#ifndef WORK_CONTENTSET_H
#define WORK_CONTENTSET_H

#include <pthread.h>
#include <stdbool.h>

#include "work/stage.h"

#define CONTENTSET_SIZE 64 /* threads that may be inside at once */

typedef struct contentset {
    pthread_mutex_t lock;
    pthread_cond_t left;
    char hashes[CONTENTSET_SIZE][STAGE_HASH_SIZE]; /* "" for a free place */
} contentset;

void contentset_init(contentset *set);
/* No thread may be inside. */
void contentset_done(contentset *set);
/* Waits while another thread is at the same content; gives the place for contentset_leave(). */
size_t contentset_enter(contentset *set, const char *hash);
void contentset_leave(contentset *set, size_t place);

#endif
