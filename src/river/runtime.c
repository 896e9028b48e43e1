/*
 * Start and stop of a client, and what its parts share: time, trouble, conditions. The order of a
 * stop: no more fetches, wait for what runs, store its outcomes, then end. Threads: run->lock
 * guards the list of producers and the two flags; a producer's lock may be taken with it held.
 */
#include "base/prelude.h"

#include "river/runtime.h"

#include "base/options.h"

#include "river/check.h"
#include "river/lead.h"
#include "river/notify.h"
#include "river/side.h"

#define MAX_WORKERS 10000u

int64_t runtime_now(const runtime *run)
{
    return run->clock->mono_us(run->clock->ctx);
}

void runtime_trouble(const runtime *run, const pgc_error *err)
{
    const river_hooks *hooks = run->client->options.hooks;
    if (hooks != NULL && hooks->on_trouble != NULL) {
        hooks->on_trouble(err, hooks->arg);
    }
}

static pgc_status check_queue_options(const river_queue_options *queue, pgc_error *err)
{
    TRY(check_queue(queue->name, err));
    if (queue->max_workers < 1 || queue->max_workers > MAX_WORKERS) {
        return pgc_error_set(err, PGC_INVALID, "queue %s: max_workers %u, 1 to %u are possible",
                             queue->name, queue->max_workers, MAX_WORKERS);
    }
    if (queue->rate_count > 0 && queue->rate_period_us <= 0) {
        return pgc_error_set(err, PGC_INVALID, "queue %s: rate_count needs rate_period_us",
                             queue->name);
    }
    return PGC_OK;
}

static pgc_status copy_queues(river_client *client, const river_client_options *options,
                              pgc_error *err)
{
    river_queue_options *queues =
        ARENA_ARRAY(client->memory, options->queue_count + 1, river_queue_options);
    if (queues == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "job queue client: out of memory");
    }
    for (size_t i = 0; i < options->queue_count; i++) {
        TRY(check_queue_options(&options->queues[i], err));
        queues[i] = options->queues[i];
        queues[i].name = arena_strdup(client->memory, options->queues[i].name);
        if (queues[i].name == NULL) {
            return pgc_error_set(err, PGC_NOMEM, "job queue client: out of memory");
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(queues[j].name, queues[i].name) == 0) {
                return pgc_error_set(err, PGC_INVALID, "queue %s is given twice", queues[i].name);
            }
        }
    }
    client->options.queues = queues;
    return PGC_OK;
}

pgc_status runtime_make(river_client *client, const river_client_options *options, pgc_error *err)
{
    TRY(copy_queues(client, options, err));
    runtime *run = ARENA_NEW(client->memory, runtime);
    if (run == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "job queue client: out of memory");
    }
    run->client = client;
    run->alloc = client->options.alloc;
    run->clock = client->env->clock;
    hub_make(&run->hub, run->alloc);
    executor_make(&run->exec);
    pthread_mutex_init(&run->done.lock, NULL);
    cond_init(&run->done.work);
    cond_init(&run->done.room);
    pthread_mutex_init(&run->lock, NULL);
    cond_init(&run->changed);
    pthread_mutex_init(&run->signal_lock, NULL);
    cond_init(&run->signal);
    list_init(&run->producers);
    client->runtime = run;
    /* A client without queues only inserts and asks. */
    bool takes_part = !client->options.no_lead && options->queue_count > 0;
    return takes_part ? lead_make(run, options, err) : PGC_OK;
}

/* Without a limit of time a stop cannot fail. */
static void stop_without_limit(river_client *client)
{
    pgc_error err;
    pgc_status status = river_client_stop(client, RIVER_STOP_SOFT, -1, &err);
    assert(status == PGC_OK);
    (void) status;
}

void runtime_free(river_client *client)
{
    runtime *run = client->runtime;
    if (run == NULL) {
        return;
    }
    stop_without_limit(client);
    lead_free(run);
    hub_free(&run->hub);
    executor_free(&run->exec);
    pthread_mutex_destroy(&run->done.lock);
    pthread_cond_destroy(&run->done.work);
    pthread_cond_destroy(&run->done.room);
    pthread_mutex_destroy(&run->lock);
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->signal_lock);
    pthread_cond_destroy(&run->signal);
}

/* Calls fn for every queue; run->lock must be held. */
static void each_producer(runtime *run, void (*fn)(producer *from))
{
    for (list_node *node = run->producers.next; node != &run->producers; node = node->next) {
        fn(CONTAINER_OF(node, producer, link));
    }
}

/* More threads for attempts that wait, stuck attempts noticed. */
static void *tick(void *arg)
{
    runtime *run = (runtime *) arg;
    executor *exec = &run->exec;
    int64_t stuck_at = 0;
    pthread_mutex_lock(&exec->lock);
    while (exec->ticking) {
        executor_grow(run);
        if (runtime_now(run) < stuck_at) {
            continue;
        }
        pthread_mutex_unlock(&exec->lock);
        pthread_mutex_lock(&run->lock);
        each_producer(run, producer_check_stuck);
        pthread_mutex_unlock(&run->lock);
        stuck_at = runtime_now(run) + RUNTIME_TICK_US;
        pthread_mutex_lock(&exec->lock);
    }
    pthread_mutex_unlock(&exec->lock);
    return NULL;
}

static void stop_ticker(runtime *run)
{
    executor *exec = &run->exec;
    pthread_mutex_lock(&exec->lock);
    bool ticking = exec->ticking;
    exec->ticking = false;
    pthread_cond_signal(&exec->grow);
    pthread_mutex_unlock(&exec->lock);
    if (ticking) {
        (void) pthread_join(run->ticker, NULL);
    }
}

static pgc_status start_ticker(runtime *run, pgc_error *err)
{
    run->exec.ticking = true;
    int failed = pthread_create(&run->ticker, NULL, tick, run);
    if (failed == 0) {
        return PGC_OK;
    }
    run->exec.ticking = false;
    return pgc_error_errno(err, failed, "start a thread of the job queue client");
}

static pgc_status start_parts(runtime *run, pgc_error *err)
{
    const river_client_options *options = &run->client->options;
    TRY(completer_start(run, err));
    TRY(start_ticker(run, err));
    TRY(beat_start(run, err));
    TRY(lead_start(run, err));
    for (size_t i = 0; i < options->queue_count; i++) {
        run->exec.max_threads += options->queues[i].max_workers;
        TRY(producer_start(run, &options->queues[i], err));
    }
    return options->queue_count > 0 ? notify_start(run, err) : PGC_OK;
}

pgc_status river_client_start(river_client *client, pgc_error *err)
{
    runtime *run = client->runtime;
    pthread_mutex_lock(&run->lock);
    bool again = run->started;
    if (!again) {
        run->started = true;
        run->stopping = false;
        atomic_store(&run->closing, false);
        atomic_store(&run->hard, false);
    }
    pthread_mutex_unlock(&run->lock);
    if (again) {
        return pgc_error_set(err, PGC_INVALID, "the job queue client runs already");
    }
    run->exec.max_threads = 0;
    hub_close(&run->hub, false);
    pgc_status status = start_parts(run, err);
    if (status != PGC_OK) {
        stop_without_limit(client);
    }
    return pgc_error_wrap(err, status, "start the job queue client");
}

/* With the lock held. */
static size_t still_active(runtime *run)
{
    size_t count = 0;
    for (list_node *node = run->producers.next; node != &run->producers; node = node->next) {
        count += producer_active(CONTAINER_OF(node, producer, link));
    }
    return count;
}

/* With the lock held: wait for attempts to end. False: time is over. */
static bool wait_for_active(runtime *run, int64_t until, int64_t hard_at)
{
    for (;;) {
        int64_t now = runtime_now(run);
        if (now >= hard_at) {
            atomic_store(&run->hard, true);
            each_producer(run, producer_interrupt_all);
            hard_at = INT64_MAX;
        }
        if (still_active(run) == 0) {
            return true;
        }
        if (now >= until) {
            return false;
        }
        int64_t next = until < hard_at ? until : hard_at;
        (void) cond_wait(&run->changed, &run->lock, next == INT64_MAX ? -1 : next - now);
    }
}

/* With the lock held, released in between: threads of all queues end. */
static void join_producers(runtime *run)
{
    while (run->adding > 0) {
        (void) cond_wait(&run->changed, &run->lock, -1);
    }
    each_producer(run, producer_stop);
    pthread_mutex_unlock(&run->lock);
    /* No queue comes or goes while stopping is set. */
    for (list_node *node = run->producers.next; node != &run->producers; node = node->next) {
        producer_join(CONTAINER_OF(node, producer, link));
    }
    pthread_mutex_lock(&run->lock);
}

static void free_producers(runtime *run)
{
    while (!list_empty(&run->producers)) {
        producer *from = CONTAINER_OF(run->producers.next, producer, link);
        list_remove(&from->link);
        producer_free(from);
    }
}

/* The last part of a stop, by whoever comes first; others wait for it. */
static void end(runtime *run)
{
    pthread_mutex_lock(&run->lock);
    bool mine = run->started && !run->ending;
    run->ending = run->ending || mine;
    while (!mine && run->started) {
        (void) cond_wait(&run->changed, &run->lock, -1);
    }
    pthread_mutex_unlock(&run->lock);
    if (!mine) {
        return;
    }
    lead_stop(run);
    notify_stop(run);
    executor_stop(run);
    completer_stop(run);
    beat_stop(run);
    stop_ticker(run);
    hub_close(&run->hub, true);
    pthread_mutex_lock(&run->lock);
    free_producers(run);
    run->started = run->ending = false;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

pgc_status river_client_stop(river_client *client, river_stop how, int64_t timeout_us,
                             pgc_error *err)
{
    runtime *run = client->runtime;
    int64_t now = runtime_now(run);
    int64_t until = timeout_us < 0 ? INT64_MAX : now + timeout_us;
    int64_t soft = client->options.soft_stop_us;
    int64_t hard_at = how == RIVER_STOP_HARD ? now : soft > 0 ? now + soft : INT64_MAX;
    pthread_mutex_lock(&run->lock);
    if (!run->started) {
        pthread_mutex_unlock(&run->lock);
        return PGC_OK;
    }
    if (!run->stopping) {
        run->stopping = true;
        atomic_store(&run->closing, true);
        join_producers(run);
    }
    bool ended = wait_for_active(run, until, hard_at);
    size_t left = ended ? 0 : still_active(run);
    pthread_mutex_unlock(&run->lock);
    if (!ended) {
        return pgc_error_set(err, PGC_TIMEOUT, "stop the job queue client: %zu jobs still run",
                             left);
    }
    end(run);
    return PGC_OK;
}

/* The queue of that name; NULL: not worked here. run->lock must be held. */
static producer *find_producer(runtime *run, const char *name)
{
    for (list_node *node = run->producers.next; node != &run->producers; node = node->next) {
        producer *from = CONTAINER_OF(node, producer, link);
        if (!from->removed && strcmp(from->name, name) == 0) {
            return from;
        }
    }
    return NULL;
}

/* Free removed queues of which nothing runs any more. run->lock must be held, no stop under way. */
static void sweep_removed(runtime *run)
{
    list_node *next = NULL;
    for (list_node *node = run->producers.next; node != &run->producers; node = next) {
        producer *from = CONTAINER_OF(node, producer, link);
        next = node->next;
        if (!from->removed || !producer_idle(from)) {
            continue;
        }
        list_remove(&from->link);
        producer_join(from); /* it has ended: no waiting */
        producer_free(from);
    }
}

/* Does a removed queue fetch still? Another call may have freed it meanwhile. run->lock must be
 * held. */
static bool still_fetches(runtime *run, const producer *removed)
{
    for (list_node *node = run->producers.next; node != &run->producers; node = node->next) {
        producer *from = CONTAINER_OF(node, producer, link);
        if (from == removed) {
            return from->removed && !producer_ended(from);
        }
    }
    return false;
}

static void change_threads(runtime *run, int64_t by)
{
    pthread_mutex_lock(&run->exec.lock);
    run->exec.max_threads = (uint32_t) ((int64_t) run->exec.max_threads + by);
    pthread_mutex_unlock(&run->exec.lock);
}

pgc_status river_client_queue_add(river_client *client, const river_queue_options *queue,
                                  pgc_error *err)
{
    runtime *run = client->runtime;
    river_queue_options taken;
    TRY(options_take("queue options", queue, &taken, sizeof taken, err));
    queue = &taken;
    TRY(check_queue_options(queue, err));
    if (limit_wanted(queue)) {
        TRY(side_require(client, err));
    }
    pthread_mutex_lock(&run->lock);
    bool running = run->started && !run->stopping;
    bool known = find_producer(run, queue->name) != NULL;
    run->adding += running && !known ? 1 : 0;
    if (running) {
        sweep_removed(run);
    }
    pthread_mutex_unlock(&run->lock);
    if (!running) {
        return pgc_error_set(err, PGC_CLOSED, "add queue %s: the client does not run", queue->name);
    }
    if (known) {
        return pgc_error_set(err, PGC_CONFLICT, "queue %s is worked already", queue->name);
    }
    change_threads(run, queue->max_workers);
    pgc_status status = producer_start(run, queue, err);
    if (status != PGC_OK) {
        change_threads(run, -(int64_t) queue->max_workers);
    }
    pthread_mutex_lock(&run->lock);
    run->adding--;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    return status;
}

pgc_status river_client_queue_remove(river_client *client, const char *name, pgc_error *err)
{
    runtime *run = client->runtime;
    uint32_t places = 0;
    pthread_mutex_lock(&run->lock);
    bool running = run->started && !run->stopping;
    producer *from = running && name != NULL ? find_producer(run, name) : NULL;
    if (from != NULL) {
        from->removed = true;
        places = from->options.max_workers;
        producer_stop(from);
        while (still_fetches(run, from)) {
            (void) cond_wait(&run->changed, &run->lock, -1);
        }
        if (!run->stopping) {
            sweep_removed(run);
        }
    }
    pthread_mutex_unlock(&run->lock);
    if (from == NULL) {
        return pgc_error_set(err, PGC_NOT_FOUND, "remove queue %s: this client does not work it",
                             name == NULL ? "" : name);
    }
    change_threads(run, -(int64_t) places);
    return PGC_OK;
}

void river_client_get_stats(river_client *client, river_client_stats *out)
{
    runtime *run = client->runtime;
    runtime_counters *from = &run->counters;
    *out = (river_client_stats) {
        .fetched = atomic_load(&from->fetched),
        .completed = atomic_load(&from->completed),
        .failed = atomic_load(&from->failed),
        .cancelled = atomic_load(&from->cancelled),
        .snoozed = atomic_load(&from->snoozed),
        .interrupted = atomic_load(&from->interrupted),
        .stuck = atomic_load(&from->stuck),
        .fetch_count = atomic_load(&from->fetch_count),
        .fetch_us = atomic_load(&from->fetch_us),
        .complete_count = atomic_load(&from->complete_count),
        .complete_us = atomic_load(&from->complete_us),
    };
    out->leads = river_client_leads(client);
    pthread_mutex_lock(&run->lock);
    out->running = (uint32_t) still_active(run);
    pthread_mutex_unlock(&run->lock);
    pthread_mutex_lock(&run->exec.lock);
    out->threads = run->exec.threads;
    pthread_mutex_unlock(&run->exec.lock);
    pthread_mutex_lock(&run->done.lock);
    out->waiting_completions = (uint32_t) run->done.count;
    pthread_mutex_unlock(&run->done.lock);
}
