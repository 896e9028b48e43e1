/* Listeners against a real server. */
#include "base/prelude.h"

#include <poll.h>

#include <pgc/listen.h>
#include <pgc/tx.h>

#include "base/clock.h"
#include "pgc/auto.h"
#include "pgc/listen_state.h"

#include "live.h"
#include "oom.h"
#include "tap.h"

#define PATIENCE_US 20000000 /* far too long for anything that works */

static void listener_auto(pgc_listener **local)
{
    pgc_listener_close(*local);
}

/* Channels are common to a database, which test programs share. */
static const char *channel_of(const char *what)
{
    static char name[64];
    (void) snprintf(name, sizeof name, "test %d \"%s\"", (int) getpid(), what);
    return name;
}

static pgc_listener *open_listener(uint32_t queue_max, pgc_error *err)
{
    const pgc_listener_options options = { .struct_size = sizeof options,
                                           .conn = { .conninfo = live_url() },
                                           .backoff_min_us = 1000,
                                           .queue_max = queue_max };
    pgc_listener *listener = NULL;
    CHECK_STATUS(pgc_listener_open(&options, &listener, err), PGC_OK, err);
    return listener;
}

#define LISTENER(name, queue_max)                                              \
    pgc_error err;                                                             \
    AUTO(listener_auto) pgc_listener *name = open_listener((queue_max), &err); \
    REQUIRE((name) != NULL)

static bool listen_to(pgc_listener *listener, const char *channel)
{
    pgc_error err;
    return CHECK_STATUS(pgc_listener_listen(listener, channel, PATIENCE_US, &err), PGC_OK, &err);
}

static bool next_is(pgc_listener *listener, pgc_event_kind kind, pgc_event *event)
{
    pgc_error err;
    return CHECK_STATUS(pgc_listener_next(listener, PATIENCE_US, event, &err), PGC_OK, &err) &&
           CHECK_INT(event->kind, kind);
}

static bool notify(pgc_db *db, const char *channel, const char *payload)
{
    pgc_error err;
    return CHECK_STATUS(pgc_notify(db, channel, pgc_text_from(payload), &err), PGC_OK, &err);
}

static void a_notification_arrives(void)
{
    LIVE(conn);
    LISTENER(listener, 0);
    const char *channel = channel_of("a");
    REQUIRE(listen_to(listener, channel));
    pgc_event event;
    REQUIRE(next_is(listener, PGC_EVENT_GAP, &event));
    CHECK_INT(event.reason, PGC_GAP_LISTENING);
    CHECK_STR(event.channel, channel);
    CHECK(event.since_us > 0);
    CHECK_STATUS(pgc_listener_next(listener, 0, &event, &err), PGC_TIMEOUT, &err);
    REQUIRE(notify(pgc_conn_db(conn), channel, "hello"));
    REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
    CHECK_STR(event.channel, channel);
    CHECK_STR(event.payload, "hello");
    CHECK_INT(event.payload_len, 5);
    CHECK_INT(event.backend_pid, pgc_conn_backend_pid(conn));
    /* The longest payload, and none. */
    char big[PGC_PAYLOAD_SIZE];
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = '\0';
    REQUIRE(notify(pgc_conn_db(conn), channel, big));
    REQUIRE(notify(pgc_conn_db(conn), channel, NULL));
    REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
    CHECK_STR(event.payload, big);
    REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
    CHECK_INT(event.payload_len, 0);
}

static void channels_come_and_go(void)
{
    LIVE(conn);
    LISTENER(listener, 0);
    char first[64], second[64];
    (void) snprintf(first, sizeof first, "%s", channel_of("first"));
    (void) snprintf(second, sizeof second, "%s", channel_of("second"));
    pgc_event event;
    REQUIRE(listen_to(listener, first) && listen_to(listener, second));
    REQUIRE(listen_to(listener, first)); /* again: nothing happens */
    REQUIRE(next_is(listener, PGC_EVENT_GAP, &event) && next_is(listener, PGC_EVENT_GAP, &event));
    CHECK_STR(event.channel, second);
    REQUIRE_OK(pgc_listener_unlisten(listener, first, &err), &err);
    REQUIRE_OK(pgc_listener_unlisten(listener, channel_of("never"), &err), &err);
    REQUIRE(notify(pgc_conn_db(conn), first, "unheard"));
    REQUIRE(notify(pgc_conn_db(conn), second, "heard"));
    REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
    CHECK_STR(event.payload, "heard");
    REQUIRE(listen_to(listener, first));
    REQUIRE(next_is(listener, PGC_EVENT_GAP, &event));
    CHECK_STR(event.channel, first);
    REQUIRE(notify(pgc_conn_db(conn), first, "again"));
    REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
    CHECK_STR(event.payload, "again");
    pgc_listener_info info;
    pgc_listener_get_info(listener, &info);
    CHECK(info.connected);
    CHECK_INT(info.channel_count, 2);
    CHECK_INT(info.connect_count, 1);
    CHECK_INT(info.notify_count, 2);
}

static void a_transaction_notifies_at_its_commit(void)
{
    LIVE(conn);
    LISTENER(listener, 0);
    const char *channel = channel_of("tx");
    pgc_event event;
    REQUIRE(listen_to(listener, channel) && next_is(listener, PGC_EVENT_GAP, &event));
    for (int i = 0; i < 2; i++) {
        pgc_tx *tx = NULL;
        REQUIRE_OK(pgc_tx_begin_conn(conn, NULL, &tx, &err), &err);
        REQUIRE(notify(pgc_tx_db(tx), channel, i == 0 ? "undone" : "done"));
        if (i == 0) {
            pgc_tx_rollback(tx);
        } else {
            REQUIRE_OK(pgc_tx_commit(&tx, &err), &err);
        }
    }
    REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
    CHECK_STR(event.payload, "done");
}

static void a_killed_session_comes_back_with_a_gap(void)
{
    LIVE(conn);
    LISTENER(listener, 0);
    char channel[64], sql[96], text[16];
    (void) snprintf(channel, sizeof channel, "%s", channel_of("killed"));
    pgc_event event;
    REQUIRE(listen_to(listener, channel) && next_is(listener, PGC_EVENT_GAP, &event));
    for (int round = 0; round < 3; round++) {
        pgc_listener_info info;
        pgc_listener_get_info(listener, &info);
        (void) snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", info.backend_pid);
        CHECK_STR(live_text(conn, sql, text, sizeof text), "t");
        REQUIRE(next_is(listener, PGC_EVENT_LOST, &event));
        int64_t since_us = event.since_us;
        REQUIRE(next_is(listener, PGC_EVENT_GAP, &event));
        CHECK_INT(event.reason, PGC_GAP_RECONNECT);
        CHECK_STR(event.channel, "");
        CHECK_INT(event.since_us, since_us);
        REQUIRE(notify(pgc_conn_db(conn), channel, "back"));
        REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
        CHECK_STR(event.payload, "back");
    }
}

static void a_full_queue_becomes_a_gap(void)
{
    LIVE(conn);
    LISTENER(listener, 10);
    const char *channel = channel_of("full");
    pgc_event event;
    REQUIRE(listen_to(listener, channel) && next_is(listener, PGC_EVENT_GAP, &event));
    char payload[16];
    for (int i = 0; i < 30; i++) {
        (void) snprintf(payload, sizeof payload, "%d", i);
        REQUIRE(notify(pgc_conn_db(conn), channel, payload));
    }
    pgc_listener_info info = { 0 };
    for (int64_t until = clock_os()->mono_us(NULL) + PATIENCE_US;
         info.notify_count < 30 && clock_os()->mono_us(NULL) < until;) {
        clock_os()->sleep_us(NULL, 1000);
        pgc_listener_get_info(listener, &info);
    }
    CHECK_INT(info.notify_count, 30);
    CHECK_INT(info.queued, 10);
    CHECK_INT(info.dropped_count, 20);
    for (int i = 0; i < 10; i++) {
        REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
        (void) snprintf(payload, sizeof payload, "%d", i);
        CHECK_STR(event.payload, payload);
    }
    REQUIRE(next_is(listener, PGC_EVENT_GAP, &event));
    CHECK_INT(event.reason, PGC_GAP_OVERFLOW);
    REQUIRE(notify(pgc_conn_db(conn), channel, "after"));
    REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
    CHECK_STR(event.payload, "after");
}

static void the_descriptor_tells_what_waits(void)
{
    LIVE(conn);
    LISTENER(listener, 0);
    const char *channel = channel_of("fd");
    pgc_event event;
    struct pollfd fd = { .fd = pgc_listener_fd(listener), .events = POLLIN };
    REQUIRE(listen_to(listener, channel));
    CHECK_INT(poll(&fd, 1, 0), 1);
    REQUIRE(next_is(listener, PGC_EVENT_GAP, &event));
    CHECK_INT(poll(&fd, 1, 0), 0);
    REQUIRE(notify(pgc_conn_db(conn), channel, "one"));
    REQUIRE(notify(pgc_conn_db(conn), channel, "two"));
    CHECK_INT(poll(&fd, 1, PATIENCE_US / 1000), 1);
    REQUIRE(next_is(listener, PGC_EVENT_NOTIFY, &event));
    CHECK_INT(poll(&fd, 1, PATIENCE_US / 1000), 1);
    CHECK_STATUS(pgc_listener_next(listener, PATIENCE_US, &event, &err), PGC_OK, &err);
    CHECK_STR(event.payload, "two");
    CHECK_INT(poll(&fd, 1, 0), 0);
}

static void *wait_for_event(void *arg)
{
    pgc_event event;
    pgc_status status;
    while ((status = pgc_listener_next(arg, -1, &event, NULL)) == PGC_OK) {
    }
    return status == PGC_CLOSED ? arg : NULL;
}

static void shutdown_wakes_those_who_wait(void)
{
    REQUIRE(live_url() != NULL);
    LISTENER(listener, 0);
    REQUIRE(listen_to(listener, channel_of("shut")));
    pthread_t threads[3];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        REQUIRE(pthread_create(&threads[i], NULL, wait_for_event, listener) == 0);
    }
    pgc_listener_shutdown(listener);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *ended = NULL;
        (void) pthread_join(threads[i], &ended);
        CHECK(ended == listener);
    }
    CHECK_STATUS(pgc_listener_listen(listener, "x", -1, &err), PGC_CLOSED, &err);
    pgc_listener_shutdown(NULL);
}

static void wrong_names_and_payloads_are_refused(void)
{
    LIVE(conn);
    LISTENER(listener, 0);
    char name[70];
    memset(name, 'n', sizeof name);
    name[64] = '\0';
    CHECK_STATUS(pgc_listener_listen(listener, name, 0, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_listener_unlisten(listener, name, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_notify(pgc_conn_db(conn), name, pgc_text_from("x"), &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_listener_listen(listener, "", 0, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_listener_listen(listener, NULL, 0, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_listener_listen(listener, "\xff", 0, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_listener_listen(NULL, "x", 0, &err), PGC_INVALID, &err);
    name[63] = '\0';
    CHECK(listen_to(listener, name));
    static char big[PGC_PAYLOAD_SIZE];
    CHECK_STATUS(pgc_notify(pgc_conn_db(conn), "x", (pgc_text) { big, sizeof big }, &err),
                 PGC_INVALID, &err);
    pgc_listener *none = NULL;
    const pgc_listener_options bad = { .struct_size = sizeof bad, .conn = { .conninfo = "=" } };
    CHECK_STATUS(pgc_listener_open(&bad, &none, &err), PGC_INVALID, &err);
    CHECK_STATUS(pgc_listener_open(NULL, &none, &err), PGC_INVALID, &err);
    pgc_listener_close(NULL);
}

/* Turned by hand instead of by its thread. An allocation that fails costs a session, an event or
 * the wish itself, never more: in the end all is in force and what was lost is a gap. */
static bool listen_by_hand(const pgc_alloc *alloc, bool *begun, pgc_error *err)
{
    const pgc_listener_options options = { .struct_size = sizeof options,
                                           .conn = { .conninfo = live_url(), .alloc = alloc },
                                           .heartbeat_us = 1,
                                           .backoff_min_us = 1,
                                           .backoff_max_us = 2 };
    const conn_seams seams = { pq_libpq(), clock_os(), -1, NULL };
    AUTO(listener_auto) pgc_listener *listener = NULL;
    pgc_event event;
    pgc_status status = listener_make(&options, &seams, &listener, err);
    if (status == PGC_OK) {
        status = pgc_listener_listen(listener, "by hand", 0, err);
    }
    *begun = status == PGC_OK;
    if (!*begun) {
        return CHECK_INT(status, PGC_NOMEM);
    }
    pgc_listener_info info = { 0 };
    for (int turn = 0; turn < 20 && !(info.connected && info.heartbeat_count > 0); turn++) {
        listener_turn(listener);
        pgc_listener_get_info(listener, &info);
    }
    return CHECK(info.connected) &&
           CHECK_STATUS(pgc_listener_next(listener, 0, &event, err), PGC_OK, err) &&
           CHECK_INT(event.kind, PGC_EVENT_GAP);
}

static void each_allocation_may_fail(void)
{
    REQUIRE(live_url() != NULL);
    bool complete = false, begun = false;
    int fail_at = 1;
    for (; !complete && fail_at < 300; fail_at++) {
        pgc_error err;
        oom_plan plan = { .fail_at = fail_at };
        const pgc_alloc alloc = oom_alloc(&plan);
        CHECK(listen_by_hand(&alloc, &begun, &err));
        complete = plan.calls < fail_at;
        CHECK_INT(plan.live, 0);
        CHECK_INT(plan.bad_sizes, 0);
    }
    CHECK(complete && begun && fail_at > 8);
}

TAP_MAIN(TAP("listen: a notification arrives", a_notification_arrives),
         TAP("listen: channels come and go", channels_come_and_go),
         TAP("listen: a transaction notifies at its commit", a_transaction_notifies_at_its_commit),
         TAP("listen: a killed session comes back with a gap",
             a_killed_session_comes_back_with_a_gap),
         TAP("listen: a full queue becomes a gap", a_full_queue_becomes_a_gap),
         TAP("listen: the descriptor tells what waits", the_descriptor_tells_what_waits),
         TAP("listen: shutdown wakes those who wait", shutdown_wakes_those_who_wait),
         TAP("listen: each allocation may fail", each_allocation_may_fail),
         TAP("listen: wrong names and payloads are refused", wrong_names_and_payloads_are_refused))
