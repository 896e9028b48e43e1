/*
 * The listening thread. Payloads come from anybody who may NOTIFY: they are parsed as JSON and what
 * is not understood is ignored. After a gap everything is looked at once. Threads: one; the queues
 * are found under run->lock.
 */
#include "base/prelude.h"

#include "river/notify.h"

#include "river/json.h"
#include "river/lead.h"

/* A client that has started hears what is said from then on: a cancel is said once. Without the
 * listener's server it starts all the same; the gap at its return is made up for. */
#define HEARD_US (2 * RUNTIME_SECOND_US)

static const char *const TOPICS[] = { TOPIC_INSERT, TOPIC_CONTROL, TOPIC_LEADERSHIP };

/* Text of a member that is a string without escapes that matter; absent otherwise. */
static slice text_member(slice object, const char *key)
{
    slice json = json_get(object, pgc_text_from(key));
    if (json.ptr == NULL || !json_is(json, '"')) {
        return (slice) { NULL, 0 };
    }
    return slice_sub(json, 1, json.len - 1);
}

/* Calls fn for the queue of that name, or for all when it is "*". */
static void for_queues(runtime *run, slice name, void (*fn)(producer *from, int64_t arg),
                       int64_t arg)
{
    pthread_mutex_lock(&run->lock);
    for (list_node *node = run->producers.next; node != &run->producers; node = node->next) {
        producer *from = CONTAINER_OF(node, producer, link);
        if (slice_eq_str(name, "*") || slice_eq_str(name, from->name)) {
            fn(from, arg);
        }
    }
    pthread_mutex_unlock(&run->lock);
}

static void wake(producer *from, int64_t arg)
{
    (void) arg;
    producer_wake(from);
}

static void look(producer *from, int64_t arg)
{
    (void) arg;
    producer_look(from);
}

static void set_paused(producer *from, int64_t paused)
{
    producer_pause(from, paused != 0);
}

static void cancel(producer *from, int64_t id)
{
    (void) producer_cancel(from, id);
}

static void control(runtime *run, slice payload)
{
    slice action = text_member(payload, "action"), queue = text_member(payload, "queue");
    slice id = json_get(payload, SLICE("job_id"));
    int64_t number = 0;
    if (queue.ptr == NULL) {
        return;
    }
    if (slice_eq_str(action, "pause") || slice_eq_str(action, "resume")) {
        for_queues(run, queue, set_paused, slice_eq_str(action, "pause") ? 1 : 0);
    } else if (slice_eq_str(action, "cancel") && id.ptr != NULL && slice_to_i64(id, &number)) {
        for_queues(run, queue, cancel, number);
    }
}

void notify_dispatch(runtime *run, slice topic, slice payload)
{
    if (json_check_object(payload, NULL) != PGC_OK) {
        return;
    }
    if (slice_eq_str(topic, TOPIC_INSERT)) {
        slice queue = text_member(payload, "queue");
        if (queue.ptr != NULL && !slice_eq_str(queue, "*")) {
            for_queues(run, queue, wake, 0);
        }
    } else if (slice_eq_str(topic, TOPIC_CONTROL)) {
        control(run, payload);
    } else if (slice_eq_str(topic, TOPIC_LEADERSHIP)) {
        lead_notified(run, payload);
    }
}

/* Anything may have happened. */
static void gap(runtime *run)
{
    for_queues(run, SLICE("*"), look, 0);
    for_queues(run, SLICE("*"), wake, 0);
    lead_notified(run, SLICE("{\"action\":\"resigned\",\"leader_id\":\"\"}"));
}

static void *listen_work(void *arg)
{
    runtime *run = (runtime *) arg;
    size_t prefix = strlen(run->client->options.schema) + 1;
    pgc_event event;
    pgc_error err;
    for (;;) {
        pgc_status status = pgc_listener_next(run->listener, -1, &event, &err);
        if (status == PGC_CLOSED) {
            return NULL;
        }
        if (status != PGC_OK) {
            continue;
        }
        if (event.kind == PGC_EVENT_GAP) {
            gap(run);
        } else if (event.kind == PGC_EVENT_NOTIFY && strlen(event.channel) > prefix) {
            notify_dispatch(run, pgc_text_from(event.channel + prefix),
                            (slice) { event.payload, event.payload_len });
        }
    }
}

static pgc_status listen_to_topics(runtime *run, pgc_error *err)
{
    int64_t wait_us = HEARD_US;
    for (size_t i = 0; i < ARRAY_LEN(TOPICS); i++) {
        char channel[PGC_CHANNEL_SIZE];
        int len =
            snprintf(channel, sizeof(channel), "%s.%s", run->client->options.schema, TOPICS[i]);
        if (len < 0 || (size_t) len >= sizeof(channel)) {
            return pgc_error_set(err, PGC_INVALID, "schema of the job queue: too long for %s",
                                 TOPICS[i]);
        }
        pgc_status status = pgc_listener_listen(run->listener, channel, wait_us, err);
        if (status == PGC_TIMEOUT) {
            wait_us = 0;
            continue;
        }
        TRY(status);
    }
    return PGC_OK;
}

pgc_status notify_start(runtime *run, pgc_error *err)
{
    const river_client_options *options = &run->client->options;
    if (options->poll_only) {
        return PGC_OK;
    }
    pgc_listener_options listen = { .struct_size = sizeof(listen), .conn = *options->conn };
    TRY(pgc_listener_open(&listen, &run->listener, err));
    pgc_status status = listen_to_topics(run, err);
    int failed = status != PGC_OK ? 0 : pthread_create(&run->listening, NULL, listen_work, run);
    if (failed != 0) {
        status = pgc_error_errno(err, failed, "start the thread that listens");
    }
    if (status != PGC_OK) {
        pgc_listener_close(TAKE(run->listener));
    }
    return status;
}

void notify_stop(runtime *run)
{
    if (run->listener == NULL) {
        return;
    }
    pgc_listener_shutdown(run->listener);
    (void) pthread_join(run->listening, NULL);
    pgc_listener_close(TAKE(run->listener));
}
