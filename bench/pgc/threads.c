/* Many threads that begin together. One caller at a time. */
#include "parts.h"

typedef struct gang {
    pthread_mutex_t gate; /* held by the caller until all are there */
    bool failed;          /* read behind the gate */
    void (*work)(void *);
} gang;

typedef struct gang_member {
    gang *all;
    void *arg;
} gang_member;

static void *gang_work(void *arg)
{
    const gang_member *me = arg;
    (void) pthread_mutex_lock(&me->all->gate);
    bool failed = me->all->failed;
    (void) pthread_mutex_unlock(&me->all->gate);
    if (!failed) {
        me->all->work(me->arg);
    }
    return NULL;
}

double threads_run(size_t count, void (*work)(void *), void *args, size_t arg_size,
                   void (*meanwhile)(void *))
{
    gang all = { .gate = PTHREAD_MUTEX_INITIALIZER, .work = work };
    gang_member members[THREADS_MAX];
    pthread_t handles[THREADS_MAX];
    size_t started = 0;
    assert(count <= THREADS_MAX);
    (void) pthread_mutex_lock(&all.gate);
    for (; started < count; started++) {
        members[started] = (gang_member) { &all, (char *) args + started * arg_size };
        if (pthread_create(&handles[started], NULL, gang_work, &members[started]) != 0) {
            break;
        }
    }
    all.failed = started < count;
    double start = bench_now();
    (void) pthread_mutex_unlock(&all.gate);
    if (!all.failed && meanwhile != NULL) {
        meanwhile(args);
    }
    for (size_t i = 0; i < started; i++) {
        (void) pthread_join(handles[i], NULL);
    }
    (void) pthread_mutex_destroy(&all.gate);
    return all.failed ? BENCH_NONE : bench_now() - start;
}
