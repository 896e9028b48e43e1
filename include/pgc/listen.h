#ifndef PGC_LISTEN_H
#define PGC_LISTEN_H

#include <pgc/conn.h>

PGC_BEGIN_DECLS

#define PGC_CHANNEL_SIZE 64u   /**< longest channel name, 63 bytes, and NUL */
#define PGC_PAYLOAD_SIZE 8000u /**< longest payload, 7999 bytes, and NUL */

/**
 * A session of its own that listens to channels, reconnects by itself, and says when notifications
 * may have been missed. Made for a worker with many channels: one listener, one queue of events.
 * Needs a direct connection: transaction poolers do not pass LISTEN on. Opaque; any thread.
 */
typedef struct pgc_listener pgc_listener;

/** Settings of pgc_listener_open(). Zero means the default. */
typedef struct pgc_listener_options {
    size_t struct_size;     /**< sizeof(pgc_listener_options) */
    pgc_conn_options conn;  /**< how the session is made; its alloc serves two threads; copied */
    int64_t heartbeat_us;   /**< after so long a silence the server is asked; default 10 s */
    int64_t answer_us;      /**< limit for its answer; default 5 s. A peer that vanished without a
                                 word is noticed within heartbeat_us + answer_us. */
    int64_t backoff_min_us; /**< pause behind a failed connect, doubled each time; default 100 ms */
    int64_t backoff_max_us; /**< its limit; default 30 s. The true pause is half of it or more. */
    uint32_t queue_max;     /**< notifications that wait to be taken; more of them become a gap;
                                 default 4096 */
} pgc_listener_options;

typedef enum pgc_event_kind {
    PGC_EVENT_NOTIFY = 0, /**< a notification */
    PGC_EVENT_GAP = 1,    /**< notifications may have been missed: look at the tables once */
    PGC_EVENT_LOST = 2    /**< the session was lost: until the gap that follows nothing will come */
} pgc_event_kind;

/** Why there is a gap. */
typedef enum pgc_gap_reason {
    PGC_GAP_LISTENING = 0, /**< the channel is listened to from now on, for the first time */
    PGC_GAP_RECONNECT = 1, /**< all channels are listened to again, in a new session */
    PGC_GAP_OVERFLOW = 2   /**< the queue was full, or there was no memory */
} pgc_gap_reason;

/** One event, in the caller's memory. Events come in the order in which things happened. */
typedef struct pgc_event {
    pgc_event_kind kind;
    pgc_gap_reason reason;          /**< of a gap */
    int32_t backend_pid;            /**< of the session that notified */
    int64_t since_us;               /**< gap, loss: microseconds since 1970 UTC from which on
                                         notifications may be missing */
    char channel[PGC_CHANNEL_SIZE]; /**< "": all channels */
    size_t payload_len;             /**< bytes */
    char payload[PGC_PAYLOAD_SIZE]; /**< NUL-terminated */
} pgc_event;

/**
 * Start a listener. It connects in the background: a server that is away shows in
 * pgc_listener_get_info() only.
 *
 * @param options read during the call only.
 * @param out     on PGC_OK for pgc_listener_close().
 * @return PGC_OK; PGC_INVALID (conninfo, option); PGC_NOMEM.
 *
 * Blocks: no. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_listener_open(const pgc_listener_options *options, pgc_listener **out,
                                     pgc_error *err) PGC_MUST_CHECK;

/** End the session and free. Nobody may be in another function. NULL is allowed. Blocks: up to
 * answer_us. */
PGC_API void pgc_listener_close(pgc_listener *listener);

/** Wake everybody in pgc_listener_next() and pgc_listener_listen() with PGC_CLOSED, for good; for
 * threads that have to be joined before pgc_listener_close(). */
PGC_API void pgc_listener_shutdown(pgc_listener *listener);

/**
 * Listen to a channel, also across reconnects. A gap event for it tells that it is in force: what
 * was notified before is not seen, what is notified afterwards is.
 *
 * @param channel 1 to 63 bytes of UTF-8, as pg_notify() takes it: case matters.
 * @param wait_us how long to wait for that; 0: not at all; -1: without limit.
 * @return PGC_OK; PGC_TIMEOUT (the wish stays, it will be done once the server is there);
 *         PGC_INVALID; PGC_CLOSED; PGC_NOMEM.
 *
 * Blocks: up to wait_us. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_listener_listen(pgc_listener *listener, const char *channel, int64_t wait_us,
                                       pgc_error *err) PGC_MUST_CHECK;

/** Stop listening to a channel; events that wait in the queue still come. One that is not listened
 * to is no error. Blocks: no. Thread-safe: yes. */
PGC_API pgc_status pgc_listener_unlisten(pgc_listener *listener, const char *channel,
                                         pgc_error *err) PGC_MUST_CHECK;

/**
 * Take the next event. Several threads may: each event goes to one of them.
 *
 * @param timeout_us 0: do not wait; -1: without limit.
 * @param out        filled on PGC_OK.
 * @return PGC_OK; PGC_TIMEOUT; PGC_CLOSED; PGC_INVALID.
 *
 * Blocks: up to timeout_us. Thread-safe: yes. Since: 0.1.
 */
PGC_API pgc_status pgc_listener_next(pgc_listener *listener, int64_t timeout_us, pgc_event *out,
                                     pgc_error *err) PGC_MUST_CHECK;

/**
 * A descriptor that is readable while events wait, for poll() and event loops; take them with
 * pgc_listener_next() and a timeout of 0. Never read, write or close it.
 */
PGC_API int pgc_listener_fd(const pgc_listener *listener);

/** What is known of a listener. */
typedef struct pgc_listener_info {
    bool connected;          /**< there is a session, and all channels are listened to */
    uint32_t queued;         /**< notifications that wait */
    uint32_t channel_count;  /**< that are wanted */
    int32_t backend_pid;     /**< of the session; 0: none */
    int64_t connect_count;   /**< sessions made so far */
    int64_t notify_count;    /**< notifications received so far */
    int64_t dropped_count;   /**< of them, those that became a gap */
    int64_t heartbeat_count; /**< questions that were answered */
    pgc_error last_error;    /**< why the last session ended or could not be made */
} pgc_listener_info;

/** All of one moment. Blocks: briefly, on the lock. Thread-safe: yes. Since: 0.1. */
PGC_API void pgc_listener_get_info(pgc_listener *listener, pgc_listener_info *out);

/**
 * Notify a channel; inside a transaction at its commit. Equal notifications of one transaction are
 * one. Commits that notify wait for each other in the whole server: notify rarely on busy paths.
 *
 * @param channel 1 to 63 bytes.
 * @param payload up to 7999 bytes; a NULL pointer is the empty text.
 * @return as pgc_db_run(); PGC_INVALID.
 *
 * Blocks: as the handle. Thread-safe: as the handle. Since: 0.1.
 */
PGC_API pgc_status pgc_notify(pgc_db *db, const char *channel, pgc_text payload, pgc_error *err)
    PGC_MUST_CHECK;

PGC_END_DECLS

#endif
