/*
 * The leader's services (river.md section 6.2): delete what is old, rescue what is lost, make due
 * jobs available, insert periodic ones. One table, one loop; a service that times out three times
 * in ten minutes works in small batches from then on. Threads: one, with its own connection.
 */
#include "base/prelude.h"

#include "river/lead.h"

#include "base/crash.h"
#include "river/attempt.h"
#include "river/jobs.h"
#include "river/json.h"
#include "river/retry.h"
#include "river/runtime.h"
#include "river/store_ext.h"
#include "river/timetext.h"

#define BATCH         10000
#define BATCH_REDUCED 1000
#define AHEAD_US      (5 * RUNTIME_SECOND_US) /* jobs become available that much early */
#define RETRY_US      (2 * RUNTIME_SECOND_US) /* after a failure, when that is sooner */
#define QUEUE_KEEP_US (24 * 3600 * RUNTIME_SECOND_US)

typedef struct keeper {
    leadership *lead;
    runtime *run;
    river_client *client;
    lead_link link;
    pgc_db *db;
} keeper;

/* One batch; *more: there may be another. */
typedef pgc_status (*service_fn)(keeper *k, int32_t max, bool *more, pgc_error *err);

typedef struct service {
    const char *name;
    service_fn work;
    int64_t interval_us;
} service;

typedef struct service_state {
    int64_t next_us;
    unsigned timeouts;
    int64_t first_timeout_us;
    bool reduced;
} service_state;

/* Time before which rows of this age are too old; never: kept for ever. */
static pgc_opt_timestamptz before(const keeper *k, int64_t retain_us)
{
    pgc_timestamptz now = client_now(k->client);
    return (pgc_opt_timestamptz) { retain_us >= 0, { now.us - retain_us } };
}

static pgc_status clean_one(keeper *k, const store_retention *keep, int32_t max, bool *more,
                            pgc_error *err)
{
    int64_t count = 0;
    if (!keep->completed_before.has && !keep->cancelled_before.has && !keep->discarded_before.has) {
        return PGC_OK;
    }
    TRY(store_clean_jobs(k->client->store, k->db, keep, max, &count, err));
    *more = *more || count == max;
    return PGC_OK;
}

/* Queues with a rule of their own first, then all others by the client's. */
static pgc_status clean_jobs(keeper *k, int32_t max, bool *more, pgc_error *err)
{
    const river_client_options *options = &k->client->options;
    AUTO(arena_auto) arena *memory = arena_new(k->run->alloc, 0, 0);
    pgc_text *queues =
        memory == NULL ? NULL : ARENA_ARRAY(memory, options->queue_count + 1, pgc_text);
    if (queues == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "delete old jobs: out of memory");
    }
    store_retention keep = { .completed_before = before(k, options->retain_completed_us),
                             .cancelled_before = before(k, options->retain_cancelled_us),
                             .discarded_before = before(k, options->retain_discarded_us) };
    size_t own = 0;
    for (size_t i = 0; i < options->queue_count; i++) {
        const river_queue_options *queue = &options->queues[i];
        if (queue->retain_completed_us == 0) {
            continue;
        }
        queues[own] = pgc_text_from(queue->name);
        store_retention rule = keep;
        rule.completed_before = before(k, queue->retain_completed_us);
        rule.queues = &queues[own++];
        rule.queue_count = 1;
        rule.only_these = true;
        TRY(clean_one(k, &rule, max, more, err));
    }
    keep.queues = queues;
    keep.queue_count = own;
    return clean_one(k, &keep, max, more, err);
}

static pgc_status clean_queues(keeper *k, int32_t max, bool *more, pgc_error *err)
{
    int64_t count = 0;
    TRY(store_clean_queues(k->client->store, k->db, before(k, QUEUE_KEEP_US).v, max, &count, err));
    *more = count == max;
    return k->client->options.heartbeats ? store_ext_forget(k->client->store, k->db, err) : PGC_OK;
}

/* Tell the queues that got jobs which are due now; others are found by polling. */
static pgc_status tell(keeper *k, const river_jobs *jobs, pgc_error *err)
{
    AUTO(arena_auto) arena *memory = arena_new(k->run->alloc, 0, 0);
    size_t count = river_jobs_count(jobs), due = 0, payload_count = 0;
    slice *queues = memory == NULL ? NULL : ARENA_ARRAY(memory, count + 1, slice);
    pgc_text *payloads = memory == NULL ? NULL : ARENA_ARRAY(memory, count + 1, pgc_text);
    if (queues == NULL || payloads == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "tell of due jobs: out of memory");
    }
    int64_t soon = client_now(k->client).us + 5000;
    for (size_t i = 0; i < count; i++) {
        const river_job *job = river_jobs_at(jobs, i);
        if (job->state == RIVER_AVAILABLE && job->scheduled_at.us <= soon) {
            queues[due++] = job->queue;
        }
    }
    TRY(notify_payloads(k->client, queues, due, memory, payloads, &payload_count, err));
    if (payload_count == 0) {
        return PGC_OK;
    }
    return store_notify(k->client->store, k->db, TOPIC_INSERT, payloads, payload_count, err);
}

static pgc_status schedule(keeper *k, int32_t max, bool *more, pgc_error *err)
{
    pgc_timestamptz due = { client_now(k->client).us + AHEAD_US };
    river_jobs *jobs = NULL;
    TRY(store_schedule(k->client->store, k->db, due, max, &jobs, err));
    *more = river_jobs_count(jobs) == (size_t) max;
    if (river_jobs_count(jobs) > 0) {
        CRASH_POINT("river.scheduled");
    }
    pgc_status status = tell(k, jobs, err);
    river_jobs_free(jobs);
    return status;
}

static int64_t timeout_of(const keeper *k, const river_worker *worker)
{
    return worker != NULL && worker->timeout_us != 0 ? worker->timeout_us
                                                     : k->client->options.job_timeout_us;
}

/* How many times it was rescued before, from metadata. */
static int64_t rescues_before(const river_job *job)
{
    int64_t count = 0;
    slice json = json_get(job->metadata, SLICE("river:rescue_count"));
    return json.ptr != NULL && slice_to_i64(json, &count) ? count : 0;
}

/* What becomes of a job whose worker is lost; false: it is left alone. */
static bool judge(const keeper *k, const river_job *job, pgc_timestamptz now, store_outcome *out)
{
    const river_worker *worker = client_worker(k->client, job->kind);
    bool cancelled = json_get(job->metadata, SLICE("cancel_attempted_at")).ptr != NULL;
    int64_t timeout = timeout_of(k, worker);
    bool may_run = timeout < 0 || (timeout > 0 && job->attempted_at.v.us + timeout > now.us);
    *out = (store_outcome) { .id = job->id, .attempt = job->attempt, .began = job->attempted_at };
    if (cancelled) {
        out->state = RIVER_CANCELLED;
    } else if (worker == NULL && k->client->options.discard_unknown_kinds) {
        out->state = RIVER_DISCARDED;
    } else if (worker == NULL || may_run) {
        return false; /* another program may work it */
    } else if (job->attempt >= job->max_attempts) {
        out->state = RIVER_DISCARDED;
    } else {
        int64_t delay = worker->next_retry == NULL ? 0 : worker->next_retry(job, worker->arg);
        if (delay <= 0) {
            delay = retry_delay_us(job->error_count + 1, k->run->clock);
        }
        out->state = RIVER_RETRYABLE;
        out->scheduled_at = (pgc_opt_timestamptz) { true, { now.us + delay } };
    }
    return true;
}

static bool add_texts(const keeper *k, arena *memory, const river_job *job, pgc_timestamptz now,
                      store_outcome *out)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, k->run->alloc, 4096);
    buf_add_str(&text, "{\"at\":\"");
    time_add_rfc3339(&text, now);
    buf_printf(&text,
               "\",\"attempt\":%d,\"error\":\"Stuck job rescued by JobRescuer\",\"trace\":"
               "\"\"}",
               job->attempt);
    const char *error = arena_copy(memory, buf_view(&text));
    out->error = (slice) { error, text.len };
    buf_reset(&text);
    buf_printf(&text, "{\"river:rescue_count\":%" PRId64 "}", rescues_before(job) + 1);
    const char *metadata = arena_copy(memory, buf_view(&text));
    out->metadata = (slice) { metadata, text.len };
    return error != NULL && metadata != NULL;
}

static pgc_status rescue_page(keeper *k, const river_jobs *jobs, pgc_timestamptz horizon,
                              pgc_error *err)
{
    AUTO(arena_auto) arena *memory = arena_new(k->run->alloc, 0, 0);
    size_t count = river_jobs_count(jobs), used = 0;
    store_outcome *outcomes = memory == NULL ? NULL : ARENA_ARRAY(memory, count + 1, store_outcome);
    if (outcomes == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "rescue jobs: out of memory");
    }
    pgc_timestamptz now = client_now(k->client);
    for (size_t i = 0; i < count; i++) {
        const river_job *job = river_jobs_at(jobs, i);
        if (!judge(k, job, now, &outcomes[used])) {
            continue;
        }
        if (!add_texts(k, memory, job, now, &outcomes[used++])) {
            return pgc_error_set(err, PGC_NOMEM, "rescue jobs: out of memory");
        }
    }
    if (used == 0) {
        return PGC_OK;
    }
    CRASH_POINT("river.rescue");
    return store_rescue(k->client->store, k->db, horizon, outcomes, used, NULL, err);
}

/* All pages of one pass: those that are left alone come again in the next pass only. */
static pgc_status rescue(keeper *k, int32_t max, bool *more, pgc_error *err)
{
    pgc_timestamptz horizon = before(k, k->client->options.rescue_after_us).v;
    int64_t last = 0;
    *more = false;
    for (;;) {
        river_jobs *jobs = NULL;
        TRY(store_stuck(k->client->store, k->db, horizon, last, max, &jobs, err));
        size_t count = river_jobs_count(jobs);
        if (count > 0) {
            last = river_jobs_at(jobs, count - 1)->id;
        }
        pgc_status status = rescue_page(k, jobs, horizon, err);
        river_jobs_free(jobs);
        TRY(status);
        if (count < (size_t) max || !atomic_load(&k->lead->leads)) {
            return PGC_OK;
        }
    }
}

static const service SERVICES[] = {
    { "schedule", schedule, 5 * RUNTIME_SECOND_US },
    { "rescue", rescue, 30 * RUNTIME_SECOND_US },
    { "clean jobs", clean_jobs, 30 * RUNTIME_SECOND_US },
    { "clean queues", clean_queues, 3600 * RUNTIME_SECOND_US },
};

#define SERVICE_COUNT ARRAY_LEN(SERVICES)

static void note_timeout(const keeper *k, service_state *state)
{
    int64_t now = runtime_now(k->run);
    if (state->timeouts == 0 || now - state->first_timeout_us > 600 * RUNTIME_SECOND_US) {
        state->timeouts = 0;
        state->first_timeout_us = now;
    }
    state->reduced = state->reduced || ++state->timeouts >= 3;
}

static void run_service(keeper *k, const service *s, service_state *state)
{
    bool more = true, failed = false;
    while (more && atomic_load(&k->lead->leads)) {
        pgc_error err;
        pgc_error_clear(&err);
        more = false;
        pgc_status status = link_db(&k->link, &k->db, &err);
        if (status == PGC_OK) {
            status = s->work(k, state->reduced ? BATCH_REDUCED : BATCH, &more, &err);
        }
        link_check(&k->link, status, &err);
        if (status != PGC_OK) {
            (void) pgc_error_wrap(&err, status, "job queue: %s", s->name);
            runtime_trouble(k->run, &err);
            more = false;
        }
        failed = status != PGC_OK;
        if (status == PGC_TIMEOUT) {
            note_timeout(k, state);
        }
        if (more) { /* let others to the table */
            k->run->clock->sleep_us(k->run->clock->ctx, RUNTIME_SECOND_US / 20);
        }
    }
    int64_t pause = failed && s->interval_us > RETRY_US ? RETRY_US : s->interval_us;
    state->next_us = runtime_now(k->run) + pause;
}

/* Everything that is due; gives when the next is. */
static int64_t run_due(keeper *k, service_state *states)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < SERVICE_COUNT; i++) {
        if (runtime_now(k->run) >= states[i].next_us) {
            run_service(k, &SERVICES[i], &states[i]);
        }
        next = states[i].next_us < next ? states[i].next_us : next;
    }
    int64_t periodic = periodic_run(&k->lead->periodics, k->client, &k->link);
    return periodic < next ? periodic : next;
}

void *keep_work(void *arg)
{
    leadership *lead = (leadership *) arg;
    keeper k = { .lead = lead, .run = lead->run, .client = lead->run->client };
    service_state states[SERVICE_COUNT] = { 0 };
    uint64_t term = 0;
    k.link.client = k.client;
    pthread_mutex_lock(&lead->lock);
    while (!lead->stop) {
        if (!lead->leading) {
            (void) lead_wait(lead, -1);
            continue;
        }
        bool fresh = term != lead->term_number;
        term = lead->term_number;
        pthread_mutex_unlock(&lead->lock);
        if (fresh) {
            memset(states, 0, sizeof(states));
            periodic_begin(&lead->periodics);
        }
        int64_t left = run_due(&k, states) - runtime_now(k.run);
        pthread_mutex_lock(&lead->lock);
        if (lead->leading && !lead->periodics_changed && left > 0) {
            (void) lead_wait(lead, left);
        }
        lead->periodics_changed = false;
    }
    pthread_mutex_unlock(&lead->lock);
    link_close(&k.link);
    return NULL;
}
