/* What a started client runs: one thread per queue that fetches, a pool of threads that work, one
 * that stores outcomes, one that keeps time. Each part has its own lock; none is held while another
 * part's function is called, but for the two that say so. */
#ifndef RIVER_RUNTIME_H
#define RIVER_RUNTIME_H

#include <stdatomic.h>

#include <pgc/listen.h>

#include "base/buf.h"
#include "base/cond.h"
#include "base/list.h"
#include "river/client_state.h"
#include "river/store.h"

#define RUNTIME_SECOND_US INT64_C(1000000)

/* A job that fails or snoozes for less than this is available at once, not retryable: River's
 * scheduler looks as often. */
#define RUNTIME_SOON_US (5 * RUNTIME_SECOND_US)

#define RUNTIME_TICK_US 200000 /* how soon stuck attempts are noticed */

typedef struct river_runtime runtime;
typedef struct producer producer;
typedef struct job_batch job_batch;
struct heart;

/* One attempt. Moves from the queue of waiting ones to a working thread to the completer. */
struct river_ctx {
    list_node link;   /* where it is: waiting, or finished */
    list_node active; /* in its producer's list from fetch to stored outcome */
    runtime *run;
    producer *from;
    job_batch *batch;
    const river_job *job;
    const river_worker *worker; /* NULL: nobody here knows the kind */
    int64_t fetched_us;         /* monotonic */
    int64_t started_us;         /* monotonic; 0: not yet */
    int64_t deadline_us;        /* monotonic; INT64_MAX: none */
    int64_t ended_us;           /* monotonic */
    pgc_timestamptz started_at;
    atomic_int reason; /* pgc_status; why it should end, PGC_OK: it should not */
    atomic_bool started;
    bool stuck, place_freed; /* under the producer's lock */

    /* What the handler asked for. */
    bool snoozed, cancelled, completed; /* completed: stored in the handler's transaction */
    bool in_chain;                      /* river_ctx_run() was called */
    int64_t snooze_us;
    arena *memory; /* made at first use; holds the texts below and those of the outcome */
    const char *cancel_reason;
    struct ctx_entry *entries; /* staged metadata */
    buf log;
    bool logs;
    bool steps_read;
    const char *resume_after; /* steps up to this one were done before; NULL: none left to skip */
    const char *step_done;    /* last completed step; NULL: none in this attempt */
    const char *step_now;
    const char *cursor_step; /* the step whose cursor is kept */
    slice cursor;

    /* What becomes of it. */
    store_outcome outcome;
    bool plain; /* completed, nothing else to write */
    river_event_kind event;
};

/* Jobs of one fetch with their attempts; freed with the last. */
struct job_batch {
    atomic_uint refs;
    river_jobs *jobs;
    size_t count;
    const pgc_alloc *alloc;
    river_ctx attempts[];
};

/* One queue. */
struct producer {
    list_node link;
    runtime *run;
    river_queue_options options; /* defaults filled in */
    char name[72];
    pthread_t thread;
    bool threaded;
    bool removed; /* under run->lock: fetches no more; gone once nothing of it runs */

    pthread_mutex_t lock;
    pthread_cond_t wake;
    list_node active;
    bool ended;            /* the thread will touch nothing any more */
    uint32_t active_count; /* places in use */
    bool stop, paused, wanted, trouble, look;
    bool starved; /* the last fetch could have taken more */
    /* Its thread's own: since when and how long fetched jobs may be unheard of; 0: all is known. */
    int64_t doubt_since_us, doubt_until_us;
};

/* Threads that run handlers. */
typedef struct executor {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t changed; /* a thread ended */
    pthread_cond_t grow;    /* for the ticker: somebody may wait for a thread */
    list_node waiting;      /* attempts, oldest first */
    uint32_t waiting_count, threads, idle, max_threads;
    bool stop;
    bool ticking, dozing; /* the ticker runs; it looks rarely and must be told */
} executor;

/* Stores outcomes in batches. */
typedef struct completer {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_cond_t room;
    list_node finished;
    size_t count;
    bool stop;
    pthread_t thread;
    struct completer_batch *batch; /* room, while the thread runs */
} completer;

struct river_subscription {
    list_node link;
    struct event_hub *hub;
    const struct river_runtime *run;
    pthread_cond_t ready;
    uint32_t kinds;
    size_t capacity, count, first;
    int64_t dropped;
    river_event **ring;
};

typedef struct event_hub {
    pthread_mutex_t lock;
    list_node subscriptions;
    atomic_uint kinds; /* what anybody wants */
    bool closed;
    const pgc_alloc *alloc;
} event_hub;

typedef struct runtime_counters {
    atomic_llong fetched, completed, failed, cancelled, snoozed, interrupted, stuck;
    atomic_llong fetch_count, fetch_us, complete_count, complete_us;
} runtime_counters;

struct river_runtime {
    river_client *client;
    const pgc_alloc *alloc;
    const clock_ops *clock;
    struct leadership *lead; /* NULL: stays out of elections */
    struct heart *heart;     /* NULL: no heartbeats */
    pgc_listener *listener;  /* NULL: polls only */
    pthread_t listening;
    event_hub hub;
    executor exec;
    completer done;
    runtime_counters counters;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    list_node producers;
    bool started, stopping, ending;
    unsigned adding;     /* queues on their way in; a stop waits for them */
    atomic_bool closing; /* the same as stopping, without the lock */
    atomic_bool hard;    /* what runs was interrupted */
    pthread_t ticker;

    pthread_mutex_t signal_lock; /* for river_ctx_wait() */
    pthread_cond_t signal;
};

/* runtime.c */
/* Check and keep the queues and periodic jobs of the options; nothing runs yet. */
pgc_status runtime_make(river_client *client, const river_client_options *options, pgc_error *err)
    PGC_MUST_CHECK;
/* Stop when running, and free. */
void runtime_free(river_client *client);
int64_t runtime_now(const runtime *run);
/* Tell the client's owner of trouble in the background. */
void runtime_trouble(const runtime *run, const pgc_error *err);

/* attempt.c */
/* Run the handler and decide what becomes of the job. */
void attempt_run(river_ctx *ctx);
/* Why it should end; looks at the clock. */
pgc_status attempt_reason(const river_ctx *ctx);
/* Ask it to end. */
void attempt_interrupt(river_ctx *ctx, pgc_status reason);
/* After its outcome was stored. */
void attempt_free(river_ctx *ctx);

/* outcome.c */
/* From what the handler returned to ctx->outcome. */
void outcome_decide(river_ctx *ctx, pgc_status status, const pgc_error *err);
/* Metadata to merge: staged entries, log, steps. ptr NULL: none. */
pgc_text outcome_metadata(river_ctx *ctx, bool failed);

/* executor.c */
void executor_make(executor *exec);
/* Hand attempts over; starts threads as needed. */
void executor_put(runtime *run, job_batch *batch);
/* For the ticker, with its lock held: more threads when attempts wait too long, then wait for as
 * long as nothing can change. */
void executor_grow(runtime *run);
/* Does a handler run, or wait to? */
bool executor_busy(runtime *run);
/* No more attempts will come: threads end when all is done. */
void executor_stop(runtime *run);
void executor_free(executor *exec);

/* completer.c */
pgc_status completer_start(runtime *run, pgc_error *err) PGC_MUST_CHECK;
/* Takes the attempt over; waits while too many outcomes are not stored. */
void completer_put(runtime *run, river_ctx *ctx);
/* Store what is there, then end. */
void completer_stop(runtime *run);

/* producer.c */
pgc_status producer_start(runtime *run, const river_queue_options *options, pgc_error *err)
    PGC_MUST_CHECK;
/* Fetch no more; attempts go on. producer_join() waits for the thread. */
void producer_stop(producer *from);
void producer_join(producer *from);
void producer_free(producer *from);
/* There may be jobs: a notification, a freed place. */
void producer_wake(producer *from);
void producer_pause(producer *from, bool paused);
/* Ask for the queue's row soon: a pause may have been missed. */
void producer_look(producer *from);
/* An outcome is stored, or the place is given up: one more may be fetched. */
void producer_release(producer *from, river_ctx *ctx);
/* Cancel by id; false: it is not worked here. */
bool producer_cancel(producer *from, int64_t id);
/* Its thread has ended and nothing of it runs. */
bool producer_idle(producer *from);
/* Its thread has fetched for the last time. */
bool producer_ended(producer *from);
/* Attempts that have not ended. */
size_t producer_active(producer *from);
void producer_interrupt_all(producer *from);
/* Notice attempts that outlive their time-out. */
void producer_check_stuck(producer *from);

/* events.c */
void hub_make(event_hub *hub, const pgc_alloc *alloc);
/* Closed: readers get what is left, then PGC_CLOSED. */
void hub_close(event_hub *hub, bool closed);
void hub_free(event_hub *hub);
bool hub_wants(const event_hub *hub, river_event_kind kind);
/* The job as it is now is taken over by copy. */
void hub_emit(event_hub *hub, const river_ctx *ctx, const river_job *job);
void hub_emit_queue(event_hub *hub, river_event_kind kind, const char *queue);

#endif
