/* Cancel requests to the server. The job belongs to the caller until cancel_finish(); when the
 * caller gives up first, the thread frees it. libc memory on purpose: the thread may outlive the
 * connection and its allocator. */
#include "base/prelude.h"

#include "pgc/cancel.h"

#include "base/alloc.h"

struct cancel_job {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t over;
    const pq_ops *pq;
    PGcancel *handle;
    bool done, abandoned; /* under lock */
};

/* The last one who knows the job calls this. */
static void job_free(cancel_job *job)
{
    job->pq->freeCancel(job->handle);
    (void) pthread_cond_destroy(&job->over);
    (void) pthread_mutex_destroy(&job->lock);
    mem_free(NULL, job, sizeof *job);
}

/* PQcancel() connects, sends and waits for the end of the stream: when it returns, the server has
 * sent its signal. */
static void *job_run(void *arg)
{
    cancel_job *job = arg;
    char message[256];
    /* A refused request shows as a query that goes on: the caller's grace time decides. */
    (void) job->pq->cancel(job->handle, message, (int) sizeof message);
    (void) pthread_mutex_lock(&job->lock);
    job->done = true;
    bool abandoned = job->abandoned;
    (void) pthread_cond_signal(&job->over);
    (void) pthread_mutex_unlock(&job->lock);
    if (abandoned) {
        job_free(job);
    }
    return NULL;
}

/* PQcancel() blocks and makes a connection of its own, to a server that may be frozen: in a
 * thread of its own it cannot hold up the caller, who has a deadline. The condition variable runs
 * on the monotonic clock, because the wall clock may jump. */
cancel_job *cancel_start(const pq_ops *pq, PGconn *pg)
{
    PGcancel *handle = pq->getCancel(pg);
    cancel_job *job = handle == NULL ? NULL : MEM_NEW(NULL, cancel_job);
    if (job == NULL) {
        pq->freeCancel(handle);
        return NULL;
    }
    job->pq = pq;
    job->handle = handle;
    pthread_condattr_t attr;
    (void) pthread_condattr_init(&attr);
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&job->over, &attr);
    (void) pthread_condattr_destroy(&attr);
    (void) pthread_mutex_init(&job->lock, NULL);
    if (pthread_create(&job->thread, NULL, job_run, job) != 0) {
        job_free(job);
        return NULL;
    }
    return job;
}

/* Either the thread is over and joined here, or it is told that nobody waits any more. */
bool cancel_finish(cancel_job *job, int64_t wait_us)
{
    struct timespec until;
    (void) clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + (wait_us % 1000000) * 1000;
    until.tv_sec += (time_t) (wait_us / 1000000 + ns / 1000000000);
    until.tv_nsec = (long) (ns % 1000000000);
    int rc = 0;
    (void) pthread_mutex_lock(&job->lock);
    while (!job->done && rc == 0) {
        rc = pthread_cond_timedwait(&job->over, &job->lock, &until);
    }
    bool done = job->done;
    job->abandoned = !done;
    if (!done) {
        (void) pthread_detach(job->thread);
    }
    (void) pthread_mutex_unlock(&job->lock);
    if (done) {
        (void) pthread_join(job->thread, NULL);
        job_free(job);
    }
    return done;
}
