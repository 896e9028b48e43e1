/* What the handlers of jobs share with the worker that runs them. */
#ifndef WORK_JOBS_INTERNAL_H
#define WORK_JOBS_INTERNAL_H

#include <pthread.h>

#include "media/media.h"
#include "work/jobs.h"

/* Sandbox hosts that no job uses right now: a host belongs to one thread at a time, and starting
 * one costs more than most files. */
struct jobs_shared {
    const env *env;
    pgc_pool *pool;
    const char *helper_path;
    pthread_mutex_t lock; /* guards what follows */
    media_host *idle[JOBS_AT_ONCE_MAX];
    size_t idle_count;
};

void jobs_shared_init(jobs_shared *shared, lum_library *library, const char *helper_path);
/* No job may run. */
void jobs_shared_done(jobs_shared *shared);

#endif
