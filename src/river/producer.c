/*
 * One queue: fetches as many jobs as there are free places, when it is told, when places become
 * free, and now and then anyway. A place is free once the outcome is stored, so that never more
 * jobs run for the queue than it has places. Threads: one that fetches; state under its lock.
 */
#include "base/prelude.h"

#include "river/runtime.h"

#include "base/crash.h"
#include "river/jobs.h"
#include "river/side.h"

#define TOUCH_US \
    (600 * RUNTIME_SECOND_US) /* the row's updated_at: idle queues are deleted after a day */
#define TROUBLE_US (RUNTIME_SECOND_US / 2)
#define DOUBT_US \
    (10 * RUNTIME_SECOND_US) /* a fetch whose answer was lost may still come to its end */

static int64_t poll_us(const producer *from)
{
    /* Up to a tenth more, so that clients do not poll in step. */
    int64_t base = from->options.fetch_poll_us;
    int64_t spread = base / 10 > 10000 ? base / 10 : 10000;
    return base + clock_spread(from->run->clock, spread);
}

/* Attempts of the fetched jobs; NULL: no memory. */
static job_batch *make_batch(producer *from, river_jobs *jobs)
{
    runtime *run = from->run;
    size_t count = river_jobs_count(jobs);
    job_batch *batch = mem_new(run->alloc, sizeof(*batch) + count * sizeof(river_ctx));
    if (batch == NULL) {
        return NULL;
    }
    batch->jobs = jobs;
    batch->count = count;
    batch->alloc = run->alloc;
    atomic_store(&batch->refs, (unsigned) count);
    int64_t now = runtime_now(run);
    for (size_t i = 0; i < count; i++) {
        river_ctx *ctx = &batch->attempts[i];
        ctx->run = run;
        ctx->from = from;
        ctx->batch = batch;
        ctx->job = river_jobs_at(jobs, i);
        ctx->worker = client_worker(run->client, ctx->job->kind);
        ctx->fetched_us = now;
        ctx->deadline_us = INT64_MAX;
        list_init(&ctx->link);
    }
    return batch;
}

/* With the lock held. */
static size_t count_active(const producer *from)
{
    size_t count = 0;
    for (const list_node *node = from->active.next; node != &from->active; node = node->next) {
        count++;
    }
    return count;
}

/* Jobs that a fetch took for us without our hearing of it. Only this thread fetches, so that what
 * is neither known here nor old is one of them. */
static pgc_status reclaim(producer *from, pgc_error *err)
{
    runtime *run = from->run;
    const river_client *client = run->client;
    AUTO(arena_auto) arena *memory = arena_new(run->alloc, 0, 0);
    size_t used = 0;
    pthread_mutex_lock(&from->lock);
    size_t count = count_active(from);
    int64_t *known = memory == NULL ? NULL : ARENA_ARRAY(memory, count + 1, int64_t);
    for (list_node *node = from->active.next; known != NULL && used < count; node = node->next) {
        known[used++] = CONTAINER_OF(node, river_ctx, active)->job->id;
    }
    pthread_mutex_unlock(&from->lock);
    if (known == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "fetch jobs of queue %s: out of memory", from->name);
    }
    store_unheard unheard = { .queue = from->name,
                              .client_id = client->id,
                              .within_us =
                                  runtime_now(run) - from->doubt_since_us + RUNTIME_SECOND_US,
                              .known = known,
                              .known_count = used };
    int64_t taken_back = 0;
    return store_reclaim(client->store, pgc_pool_db(client->pool), &unheard, &taken_back, err);
}

/* A statement that failed may have been done all the same. *room becomes what limits leave of it.
 */
static pgc_status fetch_surely(producer *from, uint32_t *room, river_jobs **out, pgc_error *err)
{
    runtime *run = from->run;
    const river_client *client = run->client;
    int64_t began = runtime_now(run);
    if (from->doubt_since_us != 0) {
        TRY(reclaim(from, err));
        if (began > from->doubt_until_us) {
            from->doubt_since_us = 0;
        }
    }
    pgc_status status = limit_wanted(&from->options)
                            ? limit_fetch(from, *room, room, out, err)
                            : store_fetch(client->store, pgc_pool_db(client->pool), from->name,
                                          client->id, *room, out, err);
    if (status != PGC_OK && err->outcome != PGC_OUTCOME_NOT_RUN) {
        from->doubt_since_us = from->doubt_since_us == 0 ? began : from->doubt_since_us;
        from->doubt_until_us = runtime_now(run) + DOUBT_US;
    }
    return status;
}

/* With the lock held on entry and exit, not in between. */
static void fetch(producer *from, uint32_t room)
{
    runtime *run = from->run;
    pgc_error err;
    river_jobs *jobs = NULL;
    pthread_mutex_unlock(&from->lock);
    pgc_error_clear(&err);
    int64_t began = runtime_now(run);
    pgc_status status = fetch_surely(from, &room, &jobs, &err);
    atomic_fetch_add(&run->counters.fetch_us, runtime_now(run) - began);
    atomic_fetch_add(&run->counters.fetch_count, 1);
    size_t count = status == PGC_OK ? river_jobs_count(jobs) : 0;
    if (count > 0) {
        CRASH_POINT("river.fetched");
    }
    job_batch *batch = count > 0 ? make_batch(from, jobs) : NULL;
    if (count > 0 && batch == NULL) { /* as if the answer had been lost: taken back soon */
        from->doubt_since_us = from->doubt_since_us == 0 ? began : from->doubt_since_us;
        status = pgc_error_set(&err, PGC_NOMEM, "work %zu jobs of queue %s: out of memory", count,
                               from->name);
    }
    if (status != PGC_OK) {
        runtime_trouble(run, &err);
    }
    if (batch == NULL) {
        river_jobs_free(jobs);
    }
    pthread_mutex_lock(&from->lock);
    from->trouble = status != PGC_OK;
    from->starved = count == room;
    if (batch == NULL) {
        return;
    }
    atomic_fetch_add(&run->counters.fetched, (long long) count);
    for (size_t i = 0; i < count; i++) {
        list_append(&from->active, &batch->attempts[i].active);
    }
    from->active_count += (uint32_t) count;
    pthread_mutex_unlock(&from->lock);
    executor_put(run, batch);
    pthread_mutex_lock(&from->lock);
}

/* The queue's row: made at the start, touched now and then. Gives whether it is paused. */
static pgc_status announce(const producer *from, bool *paused_out, pgc_error *err)
{
    const river_client *client = from->run->client;
    river_queues *queues = NULL;
    TRY(store_queue_upsert(client->store, pgc_pool_db(client->pool), from->name, &queues, err));
    const river_queue *queue = river_queues_at(queues, 0);
    *paused_out = queue != NULL && queue->paused_at.has;
    river_queues_free(queues);
    return PGC_OK;
}

/* With the lock held on entry and exit: ask for the row again; without notifications that is also
 * how a pause is seen. */
static void look_at_row(producer *from)
{
    pgc_error err;
    bool paused = false;
    pthread_mutex_unlock(&from->lock);
    pgc_error_clear(&err);
    pgc_status status = announce(from, &paused, &err);
    if (status != PGC_OK) {
        runtime_trouble(from->run, &err);
    }
    pthread_mutex_lock(&from->lock);
    if (status != PGC_OK || paused == from->paused) {
        return;
    }
    pthread_mutex_unlock(&from->lock);
    producer_pause(from, paused);
    pthread_mutex_lock(&from->lock);
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void *produce(void *arg)
{
    producer *from = (producer *) arg;
    runtime *run = from->run;
    int64_t row_us = run->client->options.poll_only ? 2 * RUNTIME_SECOND_US : TOUCH_US;
    int64_t row_at = runtime_now(run) + row_us, poll_at = 0, fetch_at = 0;
    pthread_mutex_lock(&from->lock);
    while (!from->stop) {
        int64_t now = runtime_now(run);
        if (now >= row_at || from->look) {
            from->look = false;
            look_at_row(from);
            row_at = runtime_now(run) + row_us;
            continue;
        }
        uint32_t room = from->options.max_workers - from->active_count;
        bool due = from->wanted || now >= poll_at;
        bool may = room > 0 && !from->paused;
        if (due && may && now >= fetch_at) {
            from->wanted = false;
            fetch_at = now + from->options.fetch_cooldown_us;
            fetch(from, room);
            now = runtime_now(run);
            poll_at = now + (from->trouble ? TROUBLE_US : poll_us(from));
            if (from->trouble) {
                fetch_at = now + TROUBLE_US;
            }
            continue;
        }
        from->starved = from->starved || (due && room == 0);
        int64_t until = may ? (due ? fetch_at : poll_at) : INT64_MAX;
        (void) cond_wait(&from->wake, &from->lock, least(until, row_at) - now);
    }
    pthread_mutex_unlock(&from->lock);
    /* Who removes the queue waits for this, and may join the thread with run->lock held. */
    pthread_mutex_lock(&run->lock);
    pthread_mutex_lock(&from->lock);
    from->ended = true;
    pthread_mutex_unlock(&from->lock);
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

static pgc_status make(runtime *run, const river_queue_options *options, producer **out,
                       pgc_error *err)
{
    producer *from = MEM_NEW(run->alloc, producer);
    if (from == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "work queue %s: out of memory", options->name);
    }
    from->run = run;
    from->options = *options;
    snprintf(from->name, sizeof(from->name), "%s", options->name);
    from->options.name = from->name;
    if (from->options.fetch_cooldown_us == 0) {
        from->options.fetch_cooldown_us = run->client->options.fetch_cooldown_us;
    }
    if (from->options.fetch_poll_us == 0) {
        from->options.fetch_poll_us = run->client->options.fetch_poll_us;
    }
    if (from->options.retain_completed_us == 0) {
        from->options.retain_completed_us = run->client->options.retain_completed_us;
    }
    pthread_mutex_init(&from->lock, NULL);
    cond_init(&from->wake);
    list_init(&from->active);
    *out = from;
    return PGC_OK;
}

pgc_status producer_start(runtime *run, const river_queue_options *options, pgc_error *err)
{
    producer *from = NULL;
    TRY(make(run, options, &from, err));
    pgc_status status = announce(from, &from->paused, err);
    if (status == PGC_OK) {
        int failed = pthread_create(&from->thread, NULL, produce, from);
        if (failed != 0) {
            status = pgc_error_errno(err, failed, "start the thread of queue %s", from->name);
        }
    }
    if (status != PGC_OK) {
        producer_free(from);
        return status;
    }
    from->threaded = true;
    pthread_mutex_lock(&run->lock);
    list_append(&run->producers, &from->link);
    pthread_mutex_unlock(&run->lock);
    return PGC_OK;
}

void producer_stop(producer *from)
{
    pthread_mutex_lock(&from->lock);
    from->stop = true;
    pthread_cond_signal(&from->wake);
    pthread_mutex_unlock(&from->lock);
}

void producer_join(producer *from)
{
    if (from->threaded) {
        (void) pthread_join(from->thread, NULL);
    }
    from->threaded = false;
}

void producer_free(producer *from)
{
    assert(list_empty(&from->active) && !from->threaded);
    pthread_cond_destroy(&from->wake);
    pthread_mutex_destroy(&from->lock);
    mem_free(from->run->alloc, from, sizeof(*from));
}

void producer_wake(producer *from)
{
    pthread_mutex_lock(&from->lock);
    from->wanted = true;
    pthread_cond_signal(&from->wake);
    pthread_mutex_unlock(&from->lock);
}

void producer_pause(producer *from, bool paused)
{
    pthread_mutex_lock(&from->lock);
    bool changed = from->paused != paused;
    from->paused = paused;
    from->wanted = from->wanted || !paused;
    pthread_cond_signal(&from->wake);
    pthread_mutex_unlock(&from->lock);
    if (changed) {
        hub_emit_queue(&from->run->hub, paused ? RIVER_EVENT_PAUSED : RIVER_EVENT_RESUMED,
                       from->name);
    }
}

void producer_look(producer *from)
{
    pthread_mutex_lock(&from->lock);
    from->look = true;
    pthread_cond_signal(&from->wake);
    pthread_mutex_unlock(&from->lock);
}

void producer_release(producer *from, river_ctx *ctx)
{
    pthread_mutex_lock(&from->lock);
    list_remove(&ctx->active);
    if (!ctx->place_freed) {
        from->active_count--;
    }
    if (from->starved && !from->stop) {
        from->wanted = true;
        pthread_cond_signal(&from->wake);
    }
    bool last = from->stop && list_empty(&from->active);
    runtime *run = from->run;
    pthread_mutex_unlock(&from->lock);
    if (!last) {
        return;
    }
    pthread_mutex_lock(&run->lock); /* somebody may wait for the end of all */
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
}

bool producer_cancel(producer *from, int64_t id)
{
    bool found = false;
    pthread_mutex_lock(&from->lock);
    for (list_node *node = from->active.next; node != &from->active; node = node->next) {
        river_ctx *ctx = CONTAINER_OF(node, river_ctx, active);
        if (ctx->job->id == id) {
            attempt_interrupt(ctx, PGC_CANCELLED);
            found = true;
        }
    }
    pthread_mutex_unlock(&from->lock);
    return found;
}

bool producer_idle(producer *from)
{
    pthread_mutex_lock(&from->lock);
    bool idle = from->ended && list_empty(&from->active);
    pthread_mutex_unlock(&from->lock);
    return idle;
}

bool producer_ended(producer *from)
{
    pthread_mutex_lock(&from->lock);
    bool ended = from->ended;
    pthread_mutex_unlock(&from->lock);
    return ended;
}

size_t producer_active(producer *from)
{
    pthread_mutex_lock(&from->lock);
    size_t count = count_active(from);
    pthread_mutex_unlock(&from->lock);
    return count;
}

void producer_interrupt_all(producer *from)
{
    pthread_mutex_lock(&from->lock);
    for (list_node *node = from->active.next; node != &from->active; node = node->next) {
        attempt_interrupt(CONTAINER_OF(node, river_ctx, active), PGC_CLOSED);
    }
    pthread_mutex_unlock(&from->lock);
}

void producer_check_stuck(producer *from)
{
    const river_client_options *options = &from->run->client->options;
    const river_hooks *hooks = options->hooks;
    int64_t now = runtime_now(from->run);
    pthread_mutex_lock(&from->lock);
    for (list_node *node = from->active.next; node != &from->active; node = node->next) {
        river_ctx *ctx = CONTAINER_OF(node, river_ctx, active);
        if (!atomic_load(&ctx->started) || ctx->stuck || ctx->deadline_us == INT64_MAX ||
            now < ctx->deadline_us + options->stuck_after_us) {
            continue;
        }
        ctx->stuck = true;
        atomic_fetch_add(&from->run->counters.stuck, 1);
        if (hooks == NULL || hooks->on_stuck == NULL || !hooks->on_stuck(ctx->job, hooks->arg)) {
            continue;
        }
        ctx->place_freed = true;
        from->active_count--;
        from->wanted = true;
        pthread_cond_signal(&from->wake);
    }
    pthread_mutex_unlock(&from->lock);
}
