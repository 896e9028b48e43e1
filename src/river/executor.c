/*
 * Threads that run handlers. Few at first, more when attempts wait for longer than a moment, so
 * that short jobs run on few threads and long ones each have their own. Threads: everything under
 * exec->lock; no other lock is taken with it held.
 */
#include "base/prelude.h"

#include "river/runtime.h"

#define THREADS_AT_ONCE  4u   /* started without looking whether they are needed */
#define WAIT_TOO_LONG_US 2000 /* an attempt that waited so long deserves a thread */
#define IDLE_END_US      (10 * RUNTIME_SECOND_US)
#define STACK_BYTES      (512u * 1024u)
#define TICK_US          5000            /* between looks at attempts that wait */
#define TICK_STUCK_US    RUNTIME_TICK_US /* with none waiting: what runs may get stuck */

void executor_make(executor *exec)
{
    pthread_mutex_init(&exec->lock, NULL);
    cond_init(&exec->work);
    cond_init(&exec->changed);
    cond_init(&exec->grow);
    list_init(&exec->waiting);
}

/* With the lock held: next attempt; NULL when the thread may end. */
static river_ctx *next_attempt(runtime *run)
{
    executor *exec = &run->exec;
    while (list_empty(&exec->waiting)) {
        if (exec->stop) {
            return NULL;
        }
        int64_t began = runtime_now(run);
        exec->idle++;
        (void) cond_wait(&exec->work, &exec->lock, IDLE_END_US);
        exec->idle--;
        if (list_empty(&exec->waiting) && runtime_now(run) - began >= IDLE_END_US) {
            return NULL;
        }
    }
    river_ctx *ctx = CONTAINER_OF(exec->waiting.next, river_ctx, link);
    list_remove(&ctx->link);
    exec->waiting_count--;
    return ctx;
}

static void *work(void *arg)
{
    runtime *run = (runtime *) arg;
    executor *exec = &run->exec;
    pthread_mutex_lock(&exec->lock);
    for (;;) {
        river_ctx *ctx = next_attempt(run);
        if (ctx == NULL) {
            break;
        }
        pthread_mutex_unlock(&exec->lock);
        attempt_run(ctx);
        completer_put(run, ctx);
        pthread_mutex_lock(&exec->lock);
    }
    exec->threads--;
    pthread_cond_broadcast(&exec->changed);
    pthread_mutex_unlock(&exec->lock);
    return NULL;
}

/* With the lock held. False: no thread to be had; those that run go on. */
static bool start_thread(runtime *run)
{
    pthread_attr_t attr;
    pthread_t thread;
    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    (void) pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    (void) pthread_attr_setstacksize(&attr, STACK_BYTES);
    bool started = pthread_create(&thread, &attr, work, run) == 0;
    pthread_attr_destroy(&attr);
    run->exec.threads += started ? 1 : 0;
    return started;
}

void executor_put(runtime *run, job_batch *batch)
{
    executor *exec = &run->exec;
    size_t count = batch->count; /* the batch may be gone once the first is put */
    pthread_mutex_lock(&exec->lock);
    for (size_t i = 0; i < count; i++) {
        list_append(&exec->waiting, &batch->attempts[i].link);
    }
    exec->waiting_count += (uint32_t) count;
    size_t wanted = count;
    while (wanted > exec->idle && exec->threads < THREADS_AT_ONCE &&
           exec->threads < exec->max_threads && start_thread(run)) {
        wanted--;
    }
    if (exec->dozing && exec->waiting_count > exec->idle) {
        pthread_cond_signal(&exec->grow);
    }
    if (count == 1) {
        pthread_cond_signal(&exec->work);
    } else {
        pthread_cond_broadcast(&exec->work);
    }
    pthread_mutex_unlock(&exec->lock);
}

void executor_grow(runtime *run)
{
    executor *exec = &run->exec;
    if (!list_empty(&exec->waiting) && exec->idle == 0) {
        const river_ctx *oldest = CONTAINER_OF(exec->waiting.next, river_ctx, link);
        bool late = runtime_now(run) - oldest->fetched_us >= WAIT_TOO_LONG_US;
        uint32_t more = late ? exec->threads + 1 : 0; /* twice as many each time */
        while (more-- > 0 && exec->threads < exec->max_threads && start_thread(run)) {
            continue;
        }
    }
    exec->dozing = list_empty(&exec->waiting);
    (void) cond_wait(&exec->grow, &exec->lock,
                     !exec->dozing       ? TICK_US
                     : exec->threads > 0 ? TICK_STUCK_US
                                         : -1);
    exec->dozing = false;
}

bool executor_busy(runtime *run)
{
    executor *exec = &run->exec;
    pthread_mutex_lock(&exec->lock);
    bool busy = exec->waiting_count > 0 || exec->threads > exec->idle;
    pthread_mutex_unlock(&exec->lock);
    return busy;
}

void executor_stop(runtime *run)
{
    executor *exec = &run->exec;
    pthread_mutex_lock(&exec->lock);
    exec->stop = true;
    pthread_cond_broadcast(&exec->work);
    while (exec->threads > 0) {
        (void) cond_wait(&exec->changed, &exec->lock, -1);
    }
    exec->stop = false;
    pthread_mutex_unlock(&exec->lock);
}

void executor_free(executor *exec)
{
    pthread_cond_destroy(&exec->work);
    pthread_cond_destroy(&exec->changed);
    pthread_cond_destroy(&exec->grow);
    pthread_mutex_destroy(&exec->lock);
}
