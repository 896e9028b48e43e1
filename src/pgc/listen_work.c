/* The listener's session: one thread that connects, listens, hears, and asks for a sign of life
 * after a silence. Invariant: between the end of a session and the gap event of the next one no
 * notification is delivered. The lock is never held while the server is waited for. */
#include "base/prelude.h"

#include "pgc/listen_state.h"

#include "base/ident.h"
#include "pgc/exchange.h"

static int64_t mono_us(const pgc_listener *listener)
{
    return listener->seams.clock->mono_us(listener->seams.clock->ctx);
}

/* Any byte from the server counts as a sign of life. */
static void heard(pgc_listener *listener)
{
    listener->heard_us = mono_us(listener);
    listener->heard_unix_us = listener->seams.clock->unix_us(listener->seams.clock->ctx);
}

/* Channels that differ from what the session listens to, as messages; how many. With the lock held:
 * queueing does not wait for the server. */
static size_t queue_changes(pgc_listener *listener, exchange *ex, arena *mem, pgc_status *status,
                            pgc_error *err)
{
    const query_params none = { .count = 0 };
    size_t count = 0;
    for (list_node *at = listener->channels.next; at != &listener->channels; at = at->next) {
        listen_channel *channel = CONTAINER_OF(at, listen_channel, link);
        channel->asked = channel->wanted != channel->active;
        if (!channel->asked) {
            continue;
        }
        const char *name = ident_quote(channel->name, mem);
        const char *sql =
            name == NULL
                ? NULL
                : arena_printf(mem, "%s %s", channel->wanted ? "LISTEN" : "UNLISTEN", name);
        if (sql == NULL) {
            *status = pgc_error_set(err, PGC_NOMEM, "listen to %s", channel->name);
            return count;
        }
        (void) exchange_text(ex, sql, &none);
        count++;
    }
    return count;
}

/* With the lock held: tell the reader of a channel that it is in force, once. */
static void tell_listening(pgc_listener *listener, listen_channel *channel)
{
    listen_node event = { .kind = PGC_EVENT_GAP,
                          .reason = PGC_GAP_LISTENING,
                          .since_us = channel->since_us };
    memcpy(event.channel, channel->name, sizeof event.channel);
    channel->told = true;
    listener_push(listener, &event, NULL);
}

/* With the lock held: one gap for all channels that a session before this one listened to. */
static void tell_reconnected(pgc_listener *listener)
{
    const listen_node event = { .kind = PGC_EVENT_GAP,
                                .reason = PGC_GAP_RECONNECT,
                                .since_us = listener->lost_unix_us };
    listener->lost_unix_us = 0;
    listener_push(listener, &event, NULL);
}

/* With the lock held: the server has done what was asked. */
static void apply_changes(pgc_listener *listener)
{
    if (listener->lost_unix_us != 0) {
        tell_reconnected(listener);
    }
    for (list_node *at = listener->channels.next, *next; at != &listener->channels; at = next) {
        listen_channel *channel = CONTAINER_OF(at, listen_channel, link);
        next = at->next;
        if (channel->asked) {
            channel->asked = false;
            channel->active = !channel->active;
        }
        if (channel->active && channel->wanted && !channel->told) {
            tell_listening(listener, channel);
        }
        if (!channel->active && !channel->wanted) {
            listener_drop_channel(listener, channel);
        } else if (channel->active != channel->wanted) {
            listener->dirty = true; /* changed while we asked */
        }
    }
    listener->info.connected = true;
    (void) pthread_cond_broadcast(&listener->changed);
}

/* All changes in one round trip and one transaction: all or none of them happen. */
static pgc_status change_channels(pgc_listener *listener, pgc_error *err)
{
    AUTO(arena_auto) arena *mem = arena_new(listener->options.conn.alloc, 0, 0);
    if (mem == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "listen");
    }
    exchange ex;
    pgc_status status = PGC_OK;
    exchange_begin(&ex, listener->conn, listener->options.answer_us, err);
    ex.call.hard = true;
    (void) pthread_mutex_lock(&listener->lock);
    listener->dirty = false;
    size_t count = queue_changes(listener, &ex, mem, &status, err);
    (void) pthread_mutex_unlock(&listener->lock);
    size_t sync = exchange_sync(&ex);
    pgc_status answered = exchange_finish(&ex, false);
    status = status != PGC_OK ? status : answered;
    for (size_t i = 0; i < count && status == PGC_OK; i++) {
        status = exchange_status(&ex, i, "listen", err);
    }
    if (status == PGC_OK) {
        status = exchange_status(&ex, sync, "listen", err);
    }
    exchange_done(&ex);
    if (status == PGC_OK) {
        heard(listener);
        (void) pthread_mutex_lock(&listener->lock);
        apply_changes(listener);
        (void) pthread_mutex_unlock(&listener->lock);
    }
    return status;
}

/* With the lock held: is somebody still interested? */
static bool is_wanted(pgc_listener *listener, const char *name)
{
    for (list_node *at = listener->channels.next; at != &listener->channels; at = at->next) {
        const listen_channel *channel = CONTAINER_OF(at, listen_channel, link);
        if (channel->wanted && strcmp(channel->name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* What libpq has read so far goes into the queue. */
static void take_notifies(pgc_listener *listener)
{
    const pq_ops *pq = listener->seams.pq;
    PGnotify *notify = pq->notifies(listener->conn->pg);
    if (notify == NULL) {
        return;
    }
    (void) pthread_mutex_lock(&listener->lock);
    for (; notify != NULL; notify = pq->notifies(listener->conn->pg)) {
        listen_node event = { .kind = PGC_EVENT_NOTIFY, .backend_pid = notify->be_pid };
        size_t len = strlen(notify->extra);
        event.payload_len = len < PGC_PAYLOAD_SIZE ? len : PGC_PAYLOAD_SIZE - 1;
        (void) snprintf(event.channel, sizeof event.channel, "%s", notify->relname);
        if (is_wanted(listener, event.channel)) {
            listener->info.notify_count++;
            listener_push(listener, &event, notify->extra);
        }
        pq->freemem(notify);
    }
    (void) pthread_mutex_unlock(&listener->lock);
}

/* Every channel that should be active must be among the rows. */
static pgc_status compare_channels(pgc_listener *listener, const PGresult *rows, pgc_error *err)
{
    const pq_ops *pq = listener->seams.pq;
    pgc_status status = PGC_OK;
    (void) pthread_mutex_lock(&listener->lock);
    for (list_node *at = listener->channels.next; at != &listener->channels; at = at->next) {
        const listen_channel *channel = CONTAINER_OF(at, listen_channel, link);
        int row = channel->active ? pq->ntuples(rows) : 0;
        while (row > 0 && strncmp(pq->getvalue(rows, row - 1, 0), channel->name,
                                  (size_t) pq->getlength(rows, row - 1, 0) + 1) != 0) {
            row--;
        }
        if (channel->active && row == 0) {
            status = pgc_error_set(err, PGC_CONNECTION,
                                   "heartbeat: the server does not listen to %s any more: a pooler "
                                   "in between?",
                                   channel->name);
        }
    }
    listener->info.heartbeat_count += status == PGC_OK ? 1 : 0;
    (void) pthread_mutex_unlock(&listener->lock);
    return status;
}

/* A peer that vanished is noticed at the deadline, a session that was swapped by its channels. */
static pgc_status heartbeat(pgc_listener *listener, pgc_error *err)
{
    const query_params none = { .count = 0 };
    exchange ex;
    exchange_begin(&ex, listener->conn, listener->options.answer_us, err);
    ex.call.hard = true;
    size_t at = exchange_text(&ex, "SELECT pg_catalog.pg_listening_channels()", &none);
    (void) exchange_sync(&ex);
    pgc_status status = exchange_finish(&ex, false);
    if (status == PGC_OK) {
        status = exchange_status(&ex, at, "heartbeat", err);
    }
    if (status == PGC_OK) {
        heard(listener);
        status = compare_channels(listener, ex.steps[at].result, err);
    }
    exchange_done(&ex);
    return status;
}

/* Sleep until the server says something, somebody wishes something, or the time is over. */
static pgc_status wait_for_something(pgc_listener *listener, int64_t until_us, pgc_error *err)
{
    const pq_ops *pq = listener->seams.pq;
    pgc_conn *conn = listener->conn;
    struct pollfd fds[] = {
        { .fd = conn == NULL ? listener->seams.wake_fd : pq->socket(conn->pg), .events = POLLIN },
        { .fd = listener->wake_fd, .events = POLLIN },
    };
    pgc_status status = conn_wait(pq, listener->seams.clock, fds, ARRAY_LEN(fds), until_us);
    if (status != PGC_OK) {
        return status == PGC_TIMEOUT ? PGC_OK : conn_lose(conn, "listen", err);
    }
    if (fds[1].revents != 0) {
        uint64_t dropped;
        (void) !read(listener->wake_fd, &dropped, sizeof dropped);
    }
    if (conn == NULL || fds[0].revents == 0) {
        return PGC_OK;
    }
    if (pq->consumeInput(conn->pg) == 0) {
        return conn_lose(conn, "listen", err);
    }
    (void) pq->isBusy(conn->pg); /* parses what was read */
    heard(listener);
    return PGC_OK;
}

static bool is_dirty(pgc_listener *listener)
{
    (void) pthread_mutex_lock(&listener->lock);
    bool dirty = listener->dirty;
    (void) pthread_mutex_unlock(&listener->lock);
    return dirty;
}

static pgc_status serve(pgc_listener *listener, pgc_error *err)
{
    if (is_dirty(listener)) {
        TRY(change_channels(listener, err));
    }
    take_notifies(listener);
    int64_t due_us = listener->heard_us + listener->options.heartbeat_us;
    if (mono_us(listener) >= due_us) {
        TRY(heartbeat(listener, err));
        take_notifies(listener);
        due_us = listener->heard_us + listener->options.heartbeat_us;
    }
    TRY(wait_for_something(listener, due_us, err));
    take_notifies(listener);
    return PGC_OK;
}

/* The session is over. What its reader has been told of may have been missed from the last sign of
 * life on. */
static void lose_session(pgc_listener *listener, const pgc_error *err)
{
    take_notifies(listener);
    pgc_conn_close(TAKE(listener->conn));
    bool told_any = false;
    (void) pthread_mutex_lock(&listener->lock);
    listener->info.connected = false;
    listener->info.backend_pid = 0;
    listener->info.last_error = *err;
    listener->dirty = true;
    for (list_node *at = listener->channels.next; at != &listener->channels; at = at->next) {
        listen_channel *channel = CONTAINER_OF(at, listen_channel, link);
        told_any = told_any || (channel->told && channel->wanted);
        channel->active = channel->asked = false;
    }
    if (told_any && listener->lost_unix_us == 0) {
        const listen_node event = { .kind = PGC_EVENT_LOST, .since_us = listener->heard_unix_us };
        listener->lost_unix_us = listener->heard_unix_us;
        listener_push(listener, &event, NULL);
    }
    (void) pthread_mutex_unlock(&listener->lock);
}

static bool is_closed(pgc_listener *listener)
{
    (void) pthread_mutex_lock(&listener->lock);
    bool closed = listener->closed;
    (void) pthread_mutex_unlock(&listener->lock);
    return closed;
}

/* Longer with each failure, with chance in it, so that the listeners of many programs do not come
 * back together. */
static void back_off(pgc_listener *listener)
{
    uint32_t doublings = listener->failures < 20 ? listener->failures : 20;
    int64_t pause_us = listener->options.backoff_max_us;
    if (listener->options.backoff_min_us < pause_us >> doublings) {
        pause_us = listener->options.backoff_min_us << doublings;
    }
    int64_t until_us = mono_us(listener) + clock_jitter(listener->seams.clock, pause_us);
    listener->failures++;
    while (!is_closed(listener) && mono_us(listener) < until_us &&
           wait_for_something(listener, until_us, NULL) == PGC_OK) {
    }
}

static void open_session(pgc_listener *listener)
{
    pgc_error err;
    pgc_error_clear(&err);
    pgc_status status =
        conn_open_on(&listener->options.conn, &listener->seams, &listener->conn, &err);
    if (status != PGC_OK) {
        (void) pthread_mutex_lock(&listener->lock);
        listener->info.last_error = err;
        (void) pthread_mutex_unlock(&listener->lock);
        back_off(listener);
        return;
    }
    listener->conn->keeps_notifies = true;
    heard(listener);
    (void) pthread_mutex_lock(&listener->lock);
    listener->dirty = true; /* a new session listens to nothing */
    listener->info.connect_count++;
    listener->info.backend_pid = pgc_conn_backend_pid(listener->conn);
    (void) pthread_mutex_unlock(&listener->lock);
}

void listener_turn(pgc_listener *listener)
{
    if (listener->conn == NULL) {
        open_session(listener);
        return;
    }
    pgc_error err;
    pgc_error_clear(&err);
    if (serve(listener, &err) == PGC_OK) {
        listener->failures = 0;
        return;
    }
    lose_session(listener, &err);
    if (listener->failures > 0) {
        back_off(listener); /* one that fails at once again and again */
    }
    listener->failures++;
}

void *listener_work(void *arg)
{
    pgc_listener *listener = arg;
    while (!is_closed(listener)) {
        listener_turn(listener);
    }
    return NULL;
}
