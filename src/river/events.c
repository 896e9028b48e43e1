/*
 * Subscriptions: a ring per subscriber. Nobody who works waits for a slow reader: what does not fit
 * is dropped and counted. Threads: all under the hub's lock.
 */
#include "base/prelude.h"

#include <river/client.h>

#include "river/jobs.h"
#include "river/runtime.h"

#define CAPACITY_DEFAULT 1000u

void hub_make(event_hub *hub, const pgc_alloc *alloc)
{
    pthread_mutex_init(&hub->lock, NULL);
    list_init(&hub->subscriptions);
    hub->alloc = alloc;
}

/* Events carry their allocator in front: they may outlive the client. */
typedef struct event_box {
    const pgc_alloc *alloc;
    river_event event;
} event_box;

void river_event_free(river_event *event)
{
    if (event == NULL) {
        return;
    }
    event_box *box = CONTAINER_OF(event, event_box, event);
    const pgc_alloc *alloc = box->alloc;
    river_jobs_free(event->jobs);
    mem_free(alloc, box, sizeof(*box));
}

/* With the lock held: what all subscriptions want. */
static void note_kinds(event_hub *hub)
{
    uint32_t kinds = 0;
    for (list_node *node = hub->subscriptions.next; node != &hub->subscriptions;
         node = node->next) {
        kinds |= CONTAINER_OF(node, river_subscription, link)->kinds;
    }
    atomic_store(&hub->kinds, kinds);
}

pgc_status river_subscribe(river_client *client, uint32_t kinds, uint32_t capacity,
                           river_subscription **out, pgc_error *err)
{
    event_hub *hub = &client->runtime->hub;
    if (kinds == 0 || (kinds & ~RIVER_EVENTS_ALL) != 0) {
        return pgc_error_set(err, PGC_INVALID, "subscribe: no or unknown kinds of events");
    }
    river_subscription *subscription = MEM_NEW(hub->alloc, river_subscription);
    uint32_t room = capacity == 0 ? CAPACITY_DEFAULT : capacity;
    river_event **ring = mem_new(hub->alloc, room * sizeof(*ring));
    if (subscription == NULL || ring == NULL) {
        mem_free(hub->alloc, subscription, sizeof(*subscription));
        mem_free(hub->alloc, ring, room * sizeof(*ring));
        return pgc_error_set(err, PGC_NOMEM, "subscribe: out of memory");
    }
    subscription->hub = hub;
    subscription->run = client->runtime;
    subscription->kinds = kinds;
    subscription->capacity = room;
    subscription->ring = ring;
    cond_init(&subscription->ready);
    pthread_mutex_lock(&hub->lock);
    list_append(&hub->subscriptions, &subscription->link);
    note_kinds(hub);
    pthread_mutex_unlock(&hub->lock);
    *out = subscription;
    return PGC_OK;
}

void river_unsubscribe(river_subscription *subscription)
{
    if (subscription == NULL) {
        return;
    }
    event_hub *hub = subscription->hub;
    pthread_mutex_lock(&hub->lock);
    list_remove(&subscription->link);
    note_kinds(hub);
    pthread_mutex_unlock(&hub->lock);
    for (size_t i = 0; i < subscription->count; i++) {
        river_event_free(subscription->ring[(subscription->first + i) % subscription->capacity]);
    }
    pthread_cond_destroy(&subscription->ready);
    mem_free(hub->alloc, subscription->ring, subscription->capacity * sizeof(river_event *));
    mem_free(hub->alloc, subscription, sizeof(*subscription));
}

pgc_status river_subscription_next(river_subscription *subscription, int64_t timeout_us,
                                   river_event **out)
{
    event_hub *hub = subscription->hub;
    const runtime *run = subscription->run;
    int64_t until = timeout_us < 0 ? INT64_MAX : runtime_now(run) + timeout_us;
    pgc_status status = PGC_OK;
    pthread_mutex_lock(&hub->lock);
    while (subscription->count == 0 && status == PGC_OK) {
        int64_t left = until == INT64_MAX ? -1 : until - runtime_now(run);
        if (hub->closed) {
            status = PGC_CLOSED;
        } else if (until != INT64_MAX && left <= 0) {
            status = PGC_TIMEOUT;
        } else {
            (void) cond_wait(&subscription->ready, &hub->lock, left);
        }
    }
    if (status == PGC_OK) {
        *out = subscription->ring[subscription->first];
        subscription->first = (subscription->first + 1) % subscription->capacity;
        subscription->count--;
    }
    pthread_mutex_unlock(&hub->lock);
    return status;
}

int64_t river_subscription_dropped(const river_subscription *subscription)
{
    pthread_mutex_lock(&subscription->hub->lock);
    int64_t dropped = subscription->dropped;
    pthread_mutex_unlock(&subscription->hub->lock);
    return dropped;
}

/* With the lock held. Takes the event; a full ring drops it. */
static void push(river_subscription *subscription, river_event *event)
{
    if (event == NULL || subscription->count == subscription->capacity) {
        subscription->dropped++;
        river_event_free(event);
        return;
    }
    size_t at = (subscription->first + subscription->count) % subscription->capacity;
    subscription->ring[at] = event;
    subscription->count++;
    pthread_cond_signal(&subscription->ready);
}

static river_event *make_event(const event_hub *hub, river_event_kind kind)
{
    event_box *box = MEM_NEW(hub->alloc, event_box);
    if (box == NULL) {
        return NULL;
    }
    box->alloc = hub->alloc;
    box->event.kind = kind;
    return &box->event;
}

static river_event *job_event(const event_hub *hub, const river_ctx *ctx, const river_job *job)
{
    river_event *event = make_event(hub, ctx->event);
    if (event == NULL) {
        return NULL;
    }
    event->jobs = jobs_copy(job, hub->alloc);
    if (event->jobs == NULL) {
        river_event_free(event);
        return NULL;
    }
    event->wait_us = ctx->started_at.us - ctx->job->scheduled_at.us;
    event->run_us = ctx->ended_us - ctx->started_us;
    event->complete_us = runtime_now(ctx->run) - ctx->ended_us;
    return event;
}

bool hub_wants(const event_hub *hub, river_event_kind kind)
{
    return (atomic_load_explicit(&hub->kinds, memory_order_relaxed) & (unsigned) kind) != 0;
}

void hub_emit(event_hub *hub, const river_ctx *ctx, const river_job *job)
{
    pthread_mutex_lock(&hub->lock);
    for (list_node *node = hub->subscriptions.next; node != &hub->subscriptions;
         node = node->next) {
        river_subscription *subscription = CONTAINER_OF(node, river_subscription, link);
        if (subscription->kinds & (unsigned) ctx->event) {
            push(subscription, job_event(hub, ctx, job));
        }
    }
    pthread_mutex_unlock(&hub->lock);
}

void hub_emit_queue(event_hub *hub, river_event_kind kind, const char *queue)
{
    pthread_mutex_lock(&hub->lock);
    for (list_node *node = hub->subscriptions.next; node != &hub->subscriptions;
         node = node->next) {
        river_subscription *subscription = CONTAINER_OF(node, river_subscription, link);
        if ((subscription->kinds & (unsigned) kind) == 0) {
            continue;
        }
        river_event *event = make_event(hub, kind);
        if (event != NULL) {
            snprintf(event->queue, sizeof(event->queue), "%s", queue);
        }
        push(subscription, event);
    }
    pthread_mutex_unlock(&hub->lock);
}

void hub_close(event_hub *hub, bool closed)
{
    pthread_mutex_lock(&hub->lock);
    hub->closed = closed;
    for (list_node *node = hub->subscriptions.next; node != &hub->subscriptions;
         node = node->next) {
        pthread_cond_broadcast(&CONTAINER_OF(node, river_subscription, link)->ready);
    }
    pthread_mutex_unlock(&hub->lock);
}

void hub_free(event_hub *hub)
{
    assert(list_empty(&hub->subscriptions)); /* subscribers end before their client */
    pthread_mutex_destroy(&hub->lock);
}
