/* Inside of pgc_listener, for listen.c (those who ask) and listen_work.c (the session's thread). */
#ifndef PGC_LISTEN_STATE_H
#define PGC_LISTEN_STATE_H

#include <pgc/listen.h>

#include "base/list.h"
#include "pgc/connection.h"

/* One channel. Only the session's thread frees it; the others change `wanted` under the lock. */
typedef struct listen_channel {
    list_node link;
    bool wanted;
    bool active;      /* listened to in this session */
    bool asked;       /* the exchange under way changes it */
    bool told;        /* was listened to before: its reader has been told once */
    int64_t since_us; /* when it was asked for */
    char name[PGC_CHANNEL_SIZE];
} listen_channel;

/* An event in the queue. */
typedef struct listen_node {
    list_node link;
    size_t size; /* of this block */
    pgc_event_kind kind;
    pgc_gap_reason reason;
    int32_t backend_pid;
    int64_t since_us;
    size_t payload_len;
    char channel[PGC_CHANNEL_SIZE];
    char payload[];
} listen_node;

struct pgc_listener {
    conn_seams seams; /* wake_fd: readable when closing */
    pgc_listener_options options;
    int wake_fd;  /* the session's thread has something to do */
    int ready_fd; /* readable while events wait */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock;   /* guards everything below but for the part of the thread */
    pthread_cond_t ready;   /* an event came */
    pthread_cond_t changed; /* a channel is in force, or the end is near */
    list_node channels, events;
    uint32_t queued;
    bool closed;
    bool dirty;      /* channels differ from what the session listens to */
    bool overflowed; /* behind the last event there is a gap, from overflow_us on */
    int64_t overflow_us;
    pgc_listener_info info;
    /* Of the session's thread alone. */
    pgc_conn *conn;
    int64_t heard_us;      /* monotonic: the server's last sign of life */
    int64_t heard_unix_us; /* the same, since 1970 */
    int64_t lost_unix_us;  /* from when on the session before may have missed something; 0: none */
    uint32_t failures;     /* connects failed since the last success */
};

/* A listener without its thread, which start makes; tests turn it by hand. */
pgc_status listener_make(const pgc_listener_options *options, const conn_seams *seams,
                         pgc_listener **out, pgc_error *err) PGC_MUST_CHECK;
/* One turn of the thread: connect, or say and hear what there is, waiting at most for the next
 * heartbeat. */
void listener_turn(pgc_listener *listener);
/* Thread function; arg is the listener. */
void *listener_work(void *arg);
/* With the lock held: append an event. payload may be NULL. What does not fit becomes a gap. */
void listener_push(pgc_listener *listener, const listen_node *event, const char *payload);
/* With the lock held: forget a channel. */
void listener_drop_channel(pgc_listener *listener, listen_channel *channel);
/* Make a descriptor readable. */
void listener_signal(int fd);

#endif
