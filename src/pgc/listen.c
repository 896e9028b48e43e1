/* The listener as its users see it: wishes go to the session's thread, events come from it.
 * Invariant: ready_fd is readable exactly while an event waits; once something was dropped
 * everything is, up to the gap that its reader takes. Any thread. */
#include "base/prelude.h"

#include <sys/eventfd.h>

#include "pgc/listen_state.h"

#include "base/cond.h"
#include "base/options.h"
#include "base/slice.h"
#include "pgc/helper.h"

#define HEARTBEAT_DEFAULT_US   10000000
#define ANSWER_DEFAULT_US      5000000
#define BACKOFF_MIN_DEFAULT_US 100000
#define BACKOFF_MAX_DEFAULT_US 30000000
#define QUEUE_MAX_DEFAULT      4096u

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

/* Texts are still the caller's. */
static pgc_status options_resolve(const pgc_listener_options *in, pgc_listener_options *out,
                                  pgc_error *err)
{
    TRY(options_take("listener options", in, out, sizeof *out, err));
    TRY(conn_options_resolve_inner(&out->conn, err));
    out->heartbeat_us = or_default(out->heartbeat_us, HEARTBEAT_DEFAULT_US);
    out->answer_us = or_default(out->answer_us, ANSWER_DEFAULT_US);
    out->backoff_min_us = or_default(out->backoff_min_us, BACKOFF_MIN_DEFAULT_US);
    out->backoff_max_us = or_default(out->backoff_max_us, BACKOFF_MAX_DEFAULT_US);
    out->queue_max = out->queue_max != 0 ? out->queue_max : QUEUE_MAX_DEFAULT;
    return PGC_OK;
}

void listener_signal(int fd)
{
    const uint64_t one = 1;
    (void) !write(fd, &one, sizeof one); /* fails only when it is readable already */
}

/* With the lock held. False: time is over. */
static bool wait_for(pgc_listener *listener, pthread_cond_t *cond, int64_t wait_us,
                     const struct timespec *until)
{
    if (wait_us < 0) {
        return cond_wait(cond, &listener->lock, -1);
    }
    return wait_us > 0 && cond_wait_until(cond, &listener->lock, until);
}

pgc_status listener_make(const pgc_listener_options *options, const conn_seams *seams,
                         pgc_listener **out, pgc_error *err)
{
    pgc_listener_options full;
    TRY(options_resolve(options, &full, err));
    TRY(conn_check_conninfo(seams->pq, full.conn.conninfo, err));
    TRY(conn_options_copy(&full.conn, err));
    pgc_listener *listener = MEM_NEW(full.conn.alloc, pgc_listener);
    if (listener == NULL) {
        conn_options_free(&full.conn);
        return pgc_error_set(err, PGC_NOMEM, "listener");
    }
    listener->options = full;
    listener->seams = *seams;
    listener->seams.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    listener->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    listener->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void) pthread_mutex_init(&listener->lock, NULL);
    cond_init(&listener->ready);
    cond_init(&listener->changed);
    list_init(&listener->channels);
    list_init(&listener->events);
    if (listener->seams.wake_fd < 0 || listener->wake_fd < 0 || listener->ready_fd < 0) {
        pgc_status status = pgc_error_errno(err, errno, "listener");
        pgc_listener_close(listener);
        return status;
    }
    *out = listener;
    return PGC_OK;
}

pgc_status pgc_listener_open(const pgc_listener_options *options, pgc_listener **out,
                             pgc_error *err)
{
    if (out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "listener: no place for the result");
    }
    const conn_seams seams = { pq_libpq(), clock_os(), -1, NULL };
    pgc_listener *listener = NULL;
    TRY(listener_make(options, &seams, &listener, err));
    int rc = helper_start(&listener->thread, listener_work, listener);
    listener->has_thread = rc == 0;
    if (rc != 0) {
        pgc_listener_close(listener);
        return pgc_error_errno(err, rc, "listener: start its thread");
    }
    *out = listener;
    return PGC_OK;
}

void pgc_listener_shutdown(pgc_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    (void) pthread_mutex_lock(&listener->lock);
    listener->closed = true;
    (void) pthread_cond_broadcast(&listener->ready);
    (void) pthread_cond_broadcast(&listener->changed);
    listener_signal(listener->seams.wake_fd);
    listener_signal(listener->wake_fd);
    listener_signal(listener->ready_fd);
    (void) pthread_mutex_unlock(&listener->lock);
}

void listener_drop_channel(pgc_listener *listener, listen_channel *channel)
{
    list_remove(&channel->link);
    mem_free(listener->options.conn.alloc, channel, sizeof *channel);
}

static void drop_event(pgc_listener *listener, listen_node *node)
{
    list_remove(&node->link);
    mem_free(listener->options.conn.alloc, node, node->size);
}

static void close_fd(int fd)
{
    if (fd >= 0) {
        (void) close(fd);
    }
}

void pgc_listener_close(pgc_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    pgc_listener_shutdown(listener);
    if (listener->has_thread) {
        (void) pthread_join(listener->thread, NULL);
    }
    pgc_conn_close(listener->conn);
    while (!list_empty(&listener->channels)) {
        listener_drop_channel(listener,
                              CONTAINER_OF(listener->channels.next, listen_channel, link));
    }
    while (!list_empty(&listener->events)) {
        drop_event(listener, CONTAINER_OF(listener->events.next, listen_node, link));
    }
    (void) pthread_cond_destroy(&listener->ready);
    (void) pthread_cond_destroy(&listener->changed);
    (void) pthread_mutex_destroy(&listener->lock);
    close_fd(listener->seams.wake_fd);
    close_fd(listener->wake_fd);
    close_fd(listener->ready_fd);
    pgc_conn_options conn = listener->options.conn;
    mem_free(conn.alloc, listener, sizeof *listener);
    conn_options_free(&conn);
}

/* A longer name would be cut by the server, and mean another channel. */
static pgc_status check_channel(const char *channel, pgc_error *err)
{
    pgc_text text = pgc_text_from(channel);
    if (text.len == 0 || text.len >= PGC_CHANNEL_SIZE || !slice_is_utf8(text)) {
        return pgc_error_set(err, PGC_INVALID,
                             "channel name: %zu bytes, or not UTF-8; it has 1 to %u bytes",
                             text.len, PGC_CHANNEL_SIZE - 1);
    }
    return PGC_OK;
}

/* With the lock held. */
static listen_channel *find_channel(pgc_listener *listener, const char *name)
{
    for (list_node *at = listener->channels.next; at != &listener->channels; at = at->next) {
        listen_channel *channel = CONTAINER_OF(at, listen_channel, link);
        if (strcmp(channel->name, name) == 0) {
            return channel;
        }
    }
    return NULL;
}

/* With the lock held: the wish is there afterwards. NULL: no memory. */
static listen_channel *want_channel(pgc_listener *listener, const char *name)
{
    listen_channel *channel = find_channel(listener, name);
    if (channel == NULL) {
        channel = MEM_NEW(listener->options.conn.alloc, listen_channel);
        if (channel == NULL) {
            return NULL;
        }
        (void) snprintf(channel->name, sizeof channel->name, "%s", name);
        list_append(&listener->channels, &channel->link);
    }
    if (!channel->wanted) {
        const clock_ops *clock = listener->seams.clock;
        channel->wanted = true;
        channel->told = false; /* what came meanwhile was not for its reader */
        channel->since_us = clock->unix_us(clock->ctx);
        listener->info.channel_count++;
        listener->dirty = true;
        listener_signal(listener->wake_fd);
    }
    return channel;
}

pgc_status pgc_listener_listen(pgc_listener *listener, const char *channel, int64_t wait_us,
                               pgc_error *err)
{
    if (listener == NULL) {
        return pgc_error_set(err, PGC_INVALID, "listen: no listener");
    }
    TRY(check_channel(channel, err));
    const struct timespec until = cond_from_now(wait_us);
    pgc_status status = PGC_OK;
    (void) pthread_mutex_lock(&listener->lock);
    if (!listener->closed && want_channel(listener, channel) == NULL) {
        status = pgc_error_set(err, PGC_NOMEM, "listen to %s", channel);
    }
    while (status == PGC_OK && !listener->closed && wait_us != 0) {
        /* Somebody else may have stopped it meanwhile: then there is nothing to wait for. */
        const listen_channel *found = find_channel(listener, channel);
        if (found == NULL || !found->wanted || found->active) {
            break;
        }
        if (!wait_for(listener, &listener->changed, wait_us, &until)) {
            status = pgc_error_set(err, PGC_TIMEOUT, "listen to %s: not yet: %s", channel,
                                   listener->info.last_error.message);
        }
    }
    if (status == PGC_OK && listener->closed) {
        status = pgc_error_set(err, PGC_CLOSED, "listen to %s: the listener is closed", channel);
    }
    (void) pthread_mutex_unlock(&listener->lock);
    return status;
}

pgc_status pgc_listener_unlisten(pgc_listener *listener, const char *channel, pgc_error *err)
{
    if (listener == NULL) {
        return pgc_error_set(err, PGC_INVALID, "unlisten: no listener");
    }
    TRY(check_channel(channel, err));
    (void) pthread_mutex_lock(&listener->lock);
    listen_channel *found = find_channel(listener, channel);
    if (found != NULL && found->wanted) {
        found->wanted = false;
        listener->info.channel_count--;
        listener->dirty = true;
        listener_signal(listener->wake_fd);
    }
    (void) pthread_mutex_unlock(&listener->lock);
    return PGC_OK;
}

/* With the lock held. */
static void overflow(pgc_listener *listener)
{
    if (!listener->overflowed) {
        const clock_ops *clock = listener->seams.clock;
        listener->overflowed = true;
        listener->overflow_us = clock->unix_us(clock->ctx);
    }
}

/* While there is an overflow nothing is appended: its gap stands for all that comes until a reader
 * has taken it. */
void listener_push(pgc_listener *listener, const listen_node *event, const char *payload)
{
    bool is_notify = event->kind == PGC_EVENT_NOTIFY;
    size_t size = sizeof *event + event->payload_len + 1;
    listen_node *node = NULL;
    if (!listener->overflowed && (!is_notify || listener->queued < listener->options.queue_max)) {
        node = mem_new(listener->options.conn.alloc, size);
    }
    if (node == NULL) {
        listener->info.dropped_count += is_notify ? 1 : 0;
        overflow(listener);
    } else {
        *node = *event;
        node->size = size;
        if (event->payload_len > 0) {
            memcpy(node->payload, payload, event->payload_len);
        }
        node->payload[event->payload_len] = '\0';
        list_append(&listener->events, &node->link);
        listener->queued += is_notify ? 1 : 0;
    }
    listener_signal(listener->ready_fd);
    (void) pthread_cond_signal(&listener->ready);
}

/* With the lock held. False: there is none. */
static bool take_event(pgc_listener *listener, pgc_event *out)
{
    if (!list_empty(&listener->events)) {
        listen_node *node = CONTAINER_OF(listener->events.next, listen_node, link);
        out->kind = node->kind;
        out->reason = node->reason;
        out->backend_pid = node->backend_pid;
        out->since_us = node->since_us;
        memcpy(out->channel, node->channel, sizeof out->channel);
        assert(node->payload_len < sizeof out->payload);
        out->payload_len = node->payload_len;
        memcpy(out->payload, node->payload, node->payload_len + 1);
        listener->queued -= node->kind == PGC_EVENT_NOTIFY ? 1 : 0;
        drop_event(listener, node);
    } else if (listener->overflowed) {
        listener->overflowed = false;
        out->kind = PGC_EVENT_GAP;
        out->reason = PGC_GAP_OVERFLOW;
        out->backend_pid = 0;
        out->since_us = listener->overflow_us;
        out->channel[0] = out->payload[0] = '\0';
        out->payload_len = 0;
    } else {
        return false;
    }
    if (list_empty(&listener->events) && !listener->overflowed && !listener->closed) {
        uint64_t dropped;
        (void) !read(listener->ready_fd, &dropped, sizeof dropped);
    }
    return true;
}

pgc_status pgc_listener_next(pgc_listener *listener, int64_t timeout_us, pgc_event *out,
                             pgc_error *err)
{
    if (listener == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "next event: no listener, or no place for it");
    }
    const struct timespec until = cond_from_now(timeout_us);
    pgc_status status = PGC_OK;
    (void) pthread_mutex_lock(&listener->lock);
    while (status == PGC_OK) {
        if (listener->closed) {
            status = pgc_error_set(err, PGC_CLOSED, "next event: the listener is closed");
        } else if (take_event(listener, out)) {
            break;
        } else if (!wait_for(listener, &listener->ready, timeout_us, &until)) {
            status = pgc_error_set(err, PGC_TIMEOUT, "next event: none came in time");
        }
    }
    (void) pthread_mutex_unlock(&listener->lock);
    return status;
}

int pgc_listener_fd(const pgc_listener *listener)
{
    return listener->ready_fd;
}

void pgc_listener_get_info(pgc_listener *listener, pgc_listener_info *out)
{
    (void) pthread_mutex_lock(&listener->lock);
    *out = listener->info;
    out->queued = listener->queued;
    (void) pthread_mutex_unlock(&listener->lock);
}

static const pgc_query NOTIFY = {
    .name = "notify",
    .sql = "SELECT pg_catalog.pg_notify($1, $2)",
    .hash = UINT64_C(0x907f000100000000),
    .param_count = 2,
    .params = (const pgc_type_ref[]) { { "channel", "text", 25 }, { "payload", "text", 25 } },
};

/* Parameters, unlike the words of a NOTIFY statement, need no quoting. */
pgc_status pgc_notify(pgc_db *db, const char *channel, pgc_text payload, pgc_error *err)
{
    TRY(check_channel(channel, err));
    if (payload.len >= PGC_PAYLOAD_SIZE) {
        return pgc_error_set(err, PGC_INVALID, "notify %s: payload of %zu bytes, at most %u fit",
                             channel, payload.len, PGC_PAYLOAD_SIZE - 1);
    }
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(channel));
    pgc_add_text(&args, payload.ptr != NULL ? payload : pgc_text_from(""));
    pgc_status status = pgc_db_run(db, &NOTIFY, &args, NULL, err);
    pgc_args_done(&args);
    return status;
}
