/* Cancel requests to the server. The job belongs to the caller until cancel_finish(); when the
 * caller gives up first, the thread frees it. libc memory on purpose: the thread may outlive the
 * connection and its allocator. */
#include "base/prelude.h"

#include "pgc/cancel.h"

#include "base/alloc.h"
#include "base/cond.h"
#include "pgc/helper.h"

/* Pauses of 100, 200, … ms between requests: a server that ignored six ignores them all. */
#define REQUESTS_MAX   6
#define PAUSE_FIRST_US 100000

/* libpq waits without limit for the server to take the request; nobody waits so long for us. */
#define REQUEST_LONGEST_MS 30000

struct cancel_job {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pq_ops pq; /* a copy: the thread may outlive whoever owns the table */
    PGcancel *handle;
#ifdef LIBPQ_HAS_ASYNC_CANCEL
    PGcancelConn *request; /* in place of handle: libpq 17 encrypts it like the connection */
#endif
    bool stop, done, abandoned; /* under lock */
};

/* The last one who knows the job calls this. */
static void job_free(cancel_job *job)
{
    job->pq.freeCancel(job->handle);
#ifdef LIBPQ_HAS_ASYNC_CANCEL
    if (job->request != NULL) {
        job->pq.cancelFinish(job->request);
    }
#endif
    (void) pthread_cond_destroy(&job->changed);
    (void) pthread_mutex_destroy(&job->lock);
    mem_free(NULL, job, sizeof *job);
}

#ifdef LIBPQ_HAS_ASYNC_CANCEL
/* One wait per step of libpq, each bounded. */
static void request_polled(cancel_job *job)
{
    const pq_ops *pq = &job->pq;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    int started = pq->cancelStart(job->request);
    while (started == 1 && (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING)) {
        struct pollfd fd = { .fd = pq->cancelSocket(job->request),
                             .events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT };
        int ready = pq->wait(&fd, 1, REQUEST_LONGEST_MS);
        if (ready > 0) {
            next = pq->cancelPoll(job->request);
        } else if (ready == 0 || errno != EINTR) {
            break;
        }
    }
    pq->cancelReset(job->request); /* for the next one */
}
#endif

/* When it returns, the server has sent its signal. A refused request shows as a query that goes on:
 * the caller's grace time decides. */
static void request_once(cancel_job *job)
{
#ifdef LIBPQ_HAS_ASYNC_CANCEL
    if (job->request != NULL) {
        request_polled(job);
        return;
    }
#endif
    char message[256];
    (void) job->pq.cancel(job->handle, message, (int) sizeof message);
}

/* With the lock held: until somebody says stop. */
static void pause_until_stop(cancel_job *job, int64_t us)
{
    const struct timespec until = cond_from_now(us);
    while (!job->stop && cond_wait_until(&job->changed, &job->lock, &until)) {
    }
}

static void *job_run(void *arg)
{
    cancel_job *job = arg;
    int64_t pause_us = PAUSE_FIRST_US;
    (void) pthread_mutex_lock(&job->lock);
    for (int i = 0; i < REQUESTS_MAX && !job->stop; i++) {
        (void) pthread_mutex_unlock(&job->lock);
        request_once(job);
        (void) pthread_mutex_lock(&job->lock);
        pause_until_stop(job, pause_us);
        pause_us *= 2;
    }
    job->done = true;
    bool abandoned = job->abandoned;
    (void) pthread_cond_broadcast(&job->changed);
    (void) pthread_mutex_unlock(&job->lock);
    if (abandoned) {
        job_free(job);
    }
    return NULL;
}

/* What the request needs of the connection, which may be gone before the thread is. */
static bool job_prepare(cancel_job *job, PGconn *pg)
{
#ifdef LIBPQ_HAS_ASYNC_CANCEL
    if (job->pq.cancelCreate != NULL) {
        job->request = job->pq.cancelCreate(pg);
        return job->request != NULL;
    }
#endif
    job->handle = job->pq.getCancel(pg);
    return job->handle != NULL;
}

/* libpq's request blocks, and makes a connection of its own to a server that may be frozen: in a
 * thread of its own it cannot hold up the caller, who has a deadline. */
cancel_job *cancel_start(const pq_ops *pq, PGconn *pg)
{
    cancel_job *job = MEM_NEW(NULL, cancel_job);
    if (job == NULL) {
        return NULL;
    }
    job->pq = *pq;
    cond_init(&job->changed);
    (void) pthread_mutex_init(&job->lock, NULL);
    if (!job_prepare(job, pg) || helper_start(&job->thread, job_run, job) != 0) {
        job_free(job);
        return NULL;
    }
    return job;
}

/* Either the thread is over and joined here, or it is told that nobody waits any more. */
bool cancel_finish(cancel_job *job, int64_t wait_us)
{
    const struct timespec until = cond_from_now(wait_us);
    (void) pthread_mutex_lock(&job->lock);
    job->stop = true;
    (void) pthread_cond_broadcast(&job->changed);
    while (!job->done && cond_wait_until(&job->changed, &job->lock, &until)) {
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
