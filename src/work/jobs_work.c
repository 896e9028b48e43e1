/* The worker: a river client with the library's kinds, run until it is told to stop or until
 * nothing is left to do. One thread runs this; handlers have threads of their own. */
#include "base/prelude.h"

#include "work/jobs_internal.h"

#include <river/insert.h>
#include <river/manage.h>

#define LOOK_US        100000                   /* between looks at the stop flag */
#define TIMEOUT_US     (120 * INT64_C(1000000)) /* the sandbox gives up after 60 s */
#define RESCUE_US      (180 * INT64_C(1000000)) /* a run of this age belongs to nobody any more */
#define BEAT_US        INT64_C(1000000)         /* six missed ones: its jobs are given back */
#define DAY_US         (86400 * INT64_C(1000000))
#define EVENTS_WAITING 10000
#define QUEUES_MAX     8
#define ASKS_AT_ONCE   (2 * ML_ITEMS_MAX) /* jobs that fill requests together */
#define ASK_TRIES      1                  /* the queue tries again */

/* One run of the worker. */
typedef struct worker {
    const jobs_options *options;
    jobs_shared shared;
    river_client *client;
    river_subscription *events;
    pgc_conn_options conn;
    ml_embedder *embedder;              /* NULL: none is configured */
    const jobs_kind *kinds[QUEUES_MAX]; /* whose queues are worked */
    const char *queues[QUEUES_MAX];
    size_t queue_count;
    int stopping; /* 0, 1 soft, 2 hard: what the client was told */
    jobs_counts counts;
} worker;

static void on_trouble(const pgc_error *error, void *arg)
{
    const worker *w = arg;
    log_line(w->shared.env->log, LOG_WARN, "work", "%s", error->message);
}

static pgc_status embedder_open(worker *w, pgc_error *err)
{
    ml_config config;
    TRY(ml_config_read(w->shared.env, lum_library_home(w->shared.library), &config, err));
    TRY(ml_open_configured(w->shared.env, &config, ASK_TRIES, 0, &w->embedder, err));
    w->shared.gate.embedder = w->embedder;
    return PGC_OK;
}

static void queue_add(worker *w, const jobs_kind *kind)
{
    assert(w->queue_count < QUEUES_MAX);
    w->kinds[w->queue_count] = kind;
    w->queues[w->queue_count++] = kind->name;
}

static pgc_status queue_find(worker *w, const char *name, pgc_error *err)
{
    const jobs_kind *kind = NULL;
    size_t k = 0;
    while ((kind = jobs_kind_at(k)) != NULL && strcmp(kind->name, name) != 0) {
        k++;
    }
    if (kind == NULL || w->queue_count == QUEUES_MAX) {
        return pgc_error_set(err, PGC_INVALID,
                             "queue \"%s\": use metadata_asset, thumbnail_asset, embed_asset, "
                             "purge_trash and tend_graphs",
                             name);
    }
    if (kind->purges && w->options->trash_keep_us <= 0) {
        return pgc_error_set(err, PGC_INVALID, "queue %s: the trash is to be kept for ever", name);
    }
    if (kind->asks_server && w->embedder == NULL) {
        (void) pgc_error_set(err, PGC_INVALID,
                             "queue %s: no embedding server is configured (LUMILIO_ML_URL)", name);
        return PGC_INVALID;
    }
    queue_add(w, kind);
    return PGC_OK;
}

/* The queues asked for, else all that can be worked. A misspelt one would wait for ever. */
static pgc_status queues_choose(worker *w, pgc_error *err)
{
    const jobs_kind *kind = NULL;
    size_t asked = w->options->queue_count;
    for (size_t i = 0; asked == 0 && (kind = jobs_kind_at(i)) != NULL; i++) {
        if ((!kind->asks_server || w->embedder != NULL) &&
            (!kind->purges || w->options->trash_keep_us > 0)) {
            queue_add(w, kind);
        }
    }
    for (size_t i = 0; i < asked; i++) {
        TRY(queue_find(w, w->options->queues[i], err));
    }
    return PGC_OK;
}

/* Jobs that wait for the server cost next to nothing, and make its requests full. */
static uint32_t at_once(const worker *w, const jobs_kind *kind)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t wanted =
        w->options->at_once != 0 ? w->options->at_once : (uint32_t) (cores > 0 ? cores : 1);
    if (kind->asks_server && w->embedder != NULL && w->embedder->batch > 1 &&
        wanted < ASKS_AT_ONCE) {
        wanted = ASKS_AT_ONCE;
    }
    wanted = kind->daily ? 1 : wanted;
    return wanted < JOBS_AT_ONCE_MAX ? wanted : JOBS_AT_ONCE_MAX;
}

/* Who leads inserts them; a worker that came too late for a day makes up for it, once. */
static size_t daily_jobs(const worker *w, river_insert *jobs, river_periodic *daily)
{
    size_t count = 0;
    const jobs_kind *kind = NULL;
    for (size_t i = 0; (kind = jobs_kind_at(i)) != NULL; i++) {
        if (!kind->daily || (kind->purges && w->options->trash_keep_us <= 0)) {
            continue;
        }
        assert(count < QUEUES_MAX);
        jobs[count] =
            (river_insert) { .struct_size = sizeof *jobs,
                             .kind = kind->name,
                             .queue = kind->name,
                             .max_attempts = JOBS_MAX_ATTEMPTS,
                             .unique = { .by_queue = true, .by_state = JOBS_UNIQUE_STATES } };
        daily[count] = (river_periodic) { .struct_size = sizeof *daily,
                                          .id = kind->name,
                                          .interval_us = DAY_US,
                                          .job = &jobs[count],
                                          .durable = true };
        count++;
    }
    return count;
}

/* All kinds are known, whatever queues are worked: a job may lie in another queue than usual. */
static pgc_status client_open(worker *w, const river_hooks *hooks, pgc_error *err)
{
    river_queue_options queues[QUEUES_MAX];
    river_worker workers[QUEUES_MAX];
    size_t kinds = 0;
    for (size_t i = 0; i < w->queue_count; i++) {
        queues[i] = (river_queue_options) { .struct_size = sizeof queues[i],
                                            .name = w->queues[i],
                                            .max_workers = at_once(w, w->kinds[i]) };
    }
    for (const jobs_kind *kind; (kind = jobs_kind_at(kinds)) != NULL; kinds++) {
        assert(kinds < QUEUES_MAX);
        workers[kinds] = (river_worker) { .struct_size = sizeof workers[kinds],
                                          .kind = kind->name,
                                          .work = kind->work,
                                          .timeout_us = kind->timeout_us,
                                          .arg = &w->shared };
    }
    river_insert jobs[QUEUES_MAX];
    river_periodic daily[QUEUES_MAX];
    size_t daily_count = daily_jobs(w, jobs, daily);
    const river_client_options options = { .struct_size = sizeof options,
                                           .periodics = daily,
                                           .periodic_count = daily_count,
                                           .pool = w->shared.pool,
                                           .conn = &w->conn,
                                           .queues = queues,
                                           .queue_count = w->queue_count,
                                           .workers = workers,
                                           .worker_count = kinds,
                                           .max_attempts = JOBS_MAX_ATTEMPTS,
                                           .job_timeout_us = TIMEOUT_US,
                                           .rescue_after_us = RESCUE_US,
                                           .no_lead = w->options->no_lead,
                                           .no_reindex = true, /* needs the tables' owner */
                                           .heartbeats = true,
                                           .heartbeat_us = BEAT_US,
                                           .hooks = hooks,
                                           .alloc = w->shared.env->alloc };
    TRY(river_client_open(&options, &w->client, err));
    return river_subscribe(w->client, RIVER_EVENTS_ALL, EVENTS_WAITING, &w->events, err);
}

/* How the job stands after the event decides: a failed attempt may be the last one. */
static void event_count(worker *w, const river_event *event)
{
    const river_job *job = event->jobs != NULL ? river_jobs_at(event->jobs, 0) : NULL;
    if (job == NULL) {
        return;
    }
    w->counts.completed += job->state == RIVER_COMPLETED ? 1 : 0;
    w->counts.given_up += job->state == RIVER_CANCELLED || job->state == RIVER_DISCARDED ? 1 : 0;
    w->counts.waiting += event->kind == RIVER_EVENT_SNOOZED ? 1 : 0;
    w->counts.retrying +=
        event->kind == RIVER_EVENT_FAILED && job->state != RIVER_DISCARDED ? 1 : 0;
}

/* Due jobs of these queues, and those that run, here or elsewhere. */
static pgc_status is_idle(const worker *w, bool *idle, pgc_error *err)
{
    const river_filter filter = { .struct_size = sizeof filter,
                                  .queues = w->queues,
                                  .queue_count = w->queue_count,
                                  .states = (river_states) (RIVER_STATE_BIT(RIVER_AVAILABLE) |
                                                            RIVER_STATE_BIT(RIVER_RUNNING)),
                                  .limit = 1 };
    river_jobs *jobs = NULL;
    TRY(river_job_list(w->client, NULL, &filter, &jobs, err));
    *idle = river_jobs_count(jobs) == 0;
    river_jobs_free(jobs);
    return PGC_OK;
}

/* Ask the client to stop without waiting: its last events are still to be taken. As long as jobs
 * run it only says so, and has to be asked again. */
static void stop_ask(worker *w, int how)
{
    assert(how == 1 || how == 2);
    w->stopping = how > w->stopping ? how : w->stopping;
    pgc_status status =
        river_client_stop(w->client, w->stopping == 1 ? RIVER_STOP_SOFT : RIVER_STOP_HARD, 0, NULL);
    (void) status;
}

/* Events until the client has stopped and all are read. */
static pgc_status events_take(worker *w, pgc_error *err)
{
    for (;;) {
        river_event *event = NULL;
        pgc_status status = river_subscription_next(w->events, LOOK_US, &event);
        if (status == PGC_CLOSED) {
            return PGC_OK;
        }
        if (status == PGC_OK) {
            event_count(w, event);
            if (w->options->on_event != NULL) {
                w->options->on_event(w->options->arg, event);
            }
            river_event_free(event);
        } else if (w->options->once && w->stopping == 0) {
            bool idle = false;
            TRY(is_idle(w, &idle, err));
            if (idle) {
                stop_ask(w, 1);
            }
        }
        const volatile int *stop = w->options->stop;
        int wanted = stop != NULL ? __atomic_load_n(stop, __ATOMIC_RELAXED) : 0;
        if (wanted > 0 || w->stopping > 0) {
            stop_ask(w, wanted > 1 ? 2 : 1);
        }
    }
}

static pgc_status run(worker *w, pgc_error *err)
{
    const river_hooks hooks = { .struct_size = sizeof hooks, .arg = w, .on_trouble = on_trouble };
    TRY(embedder_open(w, err));
    TRY(queues_choose(w, err));
    pgc_status status = client_open(w, &hooks, err);
    if (status == PGC_OK) {
        status = river_client_start(w->client, err);
    }
    if (status == PGC_OK) {
        status = events_take(w, err);
        pgc_status stopped =
            river_client_stop(w->client, w->stopping > 1 ? RIVER_STOP_HARD : RIVER_STOP_SOFT, -1,
                              status == PGC_OK ? err : NULL);
        status = status == PGC_OK ? stopped : status;
    }
    river_unsubscribe(w->events);
    river_client_close(w->client);
    return status;
}

pgc_status jobs_work(lum_library *library, const jobs_options *options, jobs_counts *out,
                     pgc_error *err)
{
    assert(options->helper_path != NULL);
    *out = (jobs_counts) { .completed = 0 };
    worker *w = MEM_NEW(lum_library_env(library)->alloc, worker);
    if (w == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "work");
    }
    w->options = options;
    w->conn = lum_library_conn(library);
    jobs_shared_init(&w->shared, library, options->helper_path);
    w->shared.trash_keep_us = options->trash_keep_us;
    w->shared.graph_least = options->graph_least;
    pgc_status status = run(w, err);
    *out = w->counts;
    jobs_shared_done(&w->shared);
    ml_close(w->embedder);
    mem_free(lum_library_env(library)->alloc, w, sizeof *w);
    return status;
}
