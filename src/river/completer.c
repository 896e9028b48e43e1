/*
 * Outcomes are stored in batches: what has gathered while the last batch was under way is the next.
 * While the server is away a batch is tried again and again. A batch that the server refuses for
 * what is in it is stored one by one, so that one odd row holds up nobody else's outcome. A client
 * that stops does not wait for the server for ever. Threads: one that stores; the list is under its
 * lock.
 */
#include "base/prelude.h"

#include "base/crash.h"
#include "river/attempt.h"

#define BATCH_MAX     2000u
#define FINISHED_MAX  20000u /* handlers wait above */
#define GATHER_US     2000   /* with few outcomes, the least time between two batches */
#define GATHER_ENOUGH 100u
#define RETRY_US      (RUNTIME_SECOND_US / 20) /* doubled each time, to at most a second */
#define DOUBLINGS     4u

/* Outcomes of one statement, with their attempts in the same order. */
typedef struct completer_batch {
    river_ctx **attempts;
    store_done *done;
    store_outcome *outcomes;
    size_t plain_count, other_count;
} batch;

static void count_event(runtime *run, const river_ctx *ctx)
{
    runtime_counters *counters = &run->counters;
    switch (ctx->event) {
    case RIVER_EVENT_COMPLETED:
        atomic_fetch_add(&counters->completed, 1);
        break;
    case RIVER_EVENT_CANCELLED:
        atomic_fetch_add(&counters->cancelled, 1);
        break;
    case RIVER_EVENT_FAILED:
        atomic_fetch_add(&counters->failed, 1);
        break;
    case RIVER_EVENT_SNOOZED:
        atomic_fetch_add(&counters->snoozed, 1);
        break;
    case RIVER_EVENT_INTERRUPTED:
        atomic_fetch_add(&counters->interrupted, 1);
        break;
    case RIVER_EVENT_PAUSED:
    case RIVER_EVENT_RESUMED:
    default:
        break;
    }
}

/* Stored: events, the free place, memory. job: the row as it is now; NULL: it is gone. */
static void settle(runtime *run, river_ctx *ctx, const river_job *job)
{
    count_event(run, ctx);
    if (job != NULL && hub_wants(&run->hub, ctx->event)) {
        hub_emit(&run->hub, ctx, job);
    }
    producer_release(ctx->from, ctx);
    attempt_free(ctx);
}

/* The row after a completion that wrote nothing else: no need to ask the server. */
static void settle_plain(runtime *run, river_ctx *ctx, bool stored, pgc_timestamptz finalized)
{
    river_job job = *ctx->job;
    job.state = RIVER_COMPLETED;
    job.finalized_at = (pgc_opt_timestamptz) { true, finalized };
    settle(run, ctx, stored ? &job : NULL);
}

/* As the store sorts, those that stay before those that go: by attempt, then by id. */
static int compare_plain(const void *a, const void *b)
{
    const river_ctx *left = *(river_ctx *const *) a, *right = *(river_ctx *const *) b;
    int by_kind = (int) attempt_ephemeral(left) - (int) attempt_ephemeral(right);
    int by_attempt = left->job->attempt - right->job->attempt;
    if (by_kind != 0 || by_attempt != 0) {
        return by_kind != 0 ? by_kind : by_attempt;
    }
    return (left->job->id > right->job->id) - (left->job->id < right->job->id);
}

/* The last ones of one attempt number and one kind, kept or deleted: one statement, so that what is
 * settled is just what is stored. */
static pgc_status store_plain_alike(runtime *run, batch *b, pgc_error *err)
{
    const river_client *client = run->client;
    pgc_timestamptz finalized = { 0 };
    const river_ctx *last = b->attempts[b->plain_count - 1];
    size_t first = b->plain_count - 1, count = 0;
    bool gone = attempt_ephemeral(last);
    while (first > 0 && attempt_ephemeral(b->attempts[first - 1]) == gone &&
           b->attempts[first - 1]->job->attempt == last->job->attempt) {
        first--;
    }
    for (size_t i = first; i < b->plain_count; i++) {
        const river_job *job = b->attempts[i]->job;
        b->done[count++] = (store_done) { .id = job->id, .attempt = job->attempt, .gone = gone };
    }
    TRY(store_complete(client->store, pgc_pool_db(client->pool), b->done, count, &finalized, err));
    for (size_t i = 0; i < count; i++) {
        settle_plain(run, b->attempts[first + i], b->done[i].stored, finalized);
    }
    b->plain_count = first;
    return PGC_OK;
}

static pgc_status store_plain(runtime *run, batch *b, pgc_error *err)
{
    qsort(b->attempts, b->plain_count, sizeof(b->attempts[0]), compare_plain);
    while (b->plain_count > 0) {
        TRY(store_plain_alike(run, b, err));
    }
    return PGC_OK;
}

/* The row of that id; they come sorted. NULL: it is gone. */
static const river_job *row_of(const river_jobs *jobs, int64_t id)
{
    size_t low = 0, high = river_jobs_count(jobs);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const river_job *job = river_jobs_at(jobs, middle);
        if (job->id == id) {
            return job;
        }
        low = job->id < id ? middle + 1 : low;
        high = job->id < id ? high : middle;
    }
    return NULL;
}

static pgc_status store_others(runtime *run, batch *b, pgc_error *err)
{
    const river_client *client = run->client;
    river_ctx **attempts = b->attempts + BATCH_MAX - b->other_count;
    river_jobs *jobs = NULL;
    for (size_t i = 0; i < b->other_count; i++) {
        b->outcomes[i] = attempts[i]->outcome;
    }
    TRY(store_finish(client->store, pgc_pool_db(client->pool), b->outcomes, b->other_count, &jobs,
                     err));
    for (size_t i = 0; i < b->other_count; i++) {
        settle(run, attempts[i], row_of(jobs, attempts[i]->job->id));
    }
    river_jobs_free(jobs);
    b->other_count = 0;
    return PGC_OK;
}

/* Would the same outcome be refused again? Then it is what it says, or the row that it is for. */
static bool is_odd(pgc_status status, const pgc_error *err)
{
    static const char *const CLASSES[] = { "22", "23", "54", "P0" };
    for (size_t i = 0; i < ARRAY_LEN(CLASSES); i++) {
        if (strncmp(err->sqlstate, CLASSES[i], 2) == 0) {
            return true;
        }
    }
    return status == PGC_INVALID || status == PGC_LIMIT || status == PGC_PROTOCOL;
}

/* One outcome that is refused as it is: without its texts, so that at least the state is right. */
static pgc_status store_bare(const runtime *run, river_ctx *ctx, river_jobs **out, pgc_error *err)
{
    const river_client *client = run->client;
    pgc_error why = *err;
    (void) pgc_error_wrap(&why, why.status, "job %" PRId64 " is stored without its texts",
                          ctx->job->id);
    runtime_trouble(run, &why);
    ctx->outcome.error = ctx->outcome.metadata = (pgc_text) { NULL, 0 };
    return store_finish(client->store, pgc_pool_db(client->pool), &ctx->outcome, 1, out, err);
}

static pgc_status store_single(runtime *run, river_ctx *ctx, pgc_error *err)
{
    const river_client *client = run->client;
    river_jobs *jobs = NULL;
    pgc_status status =
        store_finish(client->store, pgc_pool_db(client->pool), &ctx->outcome, 1, &jobs, err);
    if (status != PGC_OK && is_odd(status, err)) {
        status = store_bare(run, ctx, &jobs, err);
    }
    if (status != PGC_OK && !is_odd(status, err)) {
        return status;
    }
    if (status != PGC_OK) { /* a trigger, a constraint of others: it is left to be rescued */
        runtime_trouble(run, err);
    }
    settle(run, ctx, river_jobs_at(jobs, 0));
    river_jobs_free(jobs);
    return PGC_OK;
}

/* What is left of the batch, each for itself, plain ones as others. */
static pgc_status store_singles(runtime *run, batch *b, pgc_error *err)
{
    while (b->plain_count > 0) {
        TRY(store_single(run, b->attempts[b->plain_count - 1], err));
        b->plain_count--;
    }
    while (b->other_count > 0) {
        TRY(store_single(run, b->attempts[BATCH_MAX - b->other_count], err));
        b->other_count--;
    }
    return PGC_OK;
}

static pgc_status store_all(runtime *run, batch *b, pgc_error *err)
{
    pgc_status status = b->plain_count > 0 ? store_plain(run, b, err) : PGC_OK;
    if (status == PGC_OK && b->other_count > 0) {
        status = store_others(run, b, err);
    }
    return status != PGC_OK && is_odd(status, err) ? store_singles(run, b, err) : status;
}

/* With the lock held: fill the batch, plain ones from the front, others from the back. */
static void take(completer *done, batch *b)
{
    while (!list_empty(&done->finished) && b->plain_count + b->other_count < BATCH_MAX) {
        river_ctx *ctx = CONTAINER_OF(done->finished.next, river_ctx, link);
        list_remove(&ctx->link);
        done->count--;
        if (ctx->plain) {
            b->attempts[b->plain_count++] = ctx;
        } else {
            b->attempts[BATCH_MAX - ++b->other_count] = ctx;
        }
    }
    pthread_cond_broadcast(&done->room);
}

/* Those that were stored in their handler's transaction need nothing more. */
static void settle_completed(runtime *run, batch *b)
{
    river_ctx **attempts = b->attempts + BATCH_MAX - b->other_count;
    size_t kept = 0;
    for (size_t i = b->other_count; i-- > 0;) {
        if (attempts[i]->completed) {
            settle_plain(run, attempts[i], true, client_now(run->client));
        } else {
            b->attempts[BATCH_MAX - ++kept] = attempts[i];
        }
    }
    b->other_count = kept;
}

/* The client stops and the server takes nothing: how long must that last? Handlers that still run
 * are waited for anyway, unless the stop is hard. */
static bool gives_up(runtime *run, int64_t *since_us)
{
    int64_t now = runtime_now(run), flush = run->client->options.flush_us;
    bool waits = !atomic_load(&run->hard) && executor_busy(run);
    if (*since_us == 0 || waits || !atomic_load(&run->closing)) {
        *since_us = now;
    }
    return flush >= 0 && now - *since_us >= flush;
}

/* Nobody hears of these: their rows stay running until they are rescued. */
static void lose(runtime *run, batch *b)
{
    pgc_error err;
    (void) pgc_error_set(&err, PGC_TIMEOUT,
                         "stop the job queue client: %zu outcomes could not be stored; their jobs "
                         "will be rescued",
                         b->plain_count + b->other_count);
    runtime_trouble(run, &err);
    while (b->plain_count > 0) {
        river_ctx *ctx = b->attempts[--b->plain_count];
        producer_release(ctx->from, ctx);
        attempt_free(ctx);
    }
    while (b->other_count > 0) {
        river_ctx *ctx = b->attempts[BATCH_MAX - b->other_count--];
        producer_release(ctx->from, ctx);
        attempt_free(ctx);
    }
}

/* quiet_us: since when nothing could be stored at the end; 0: all is well. */
static void store(runtime *run, batch *b, int64_t *quiet_us)
{
    int64_t began = runtime_now(run);
    settle_completed(run, b);
    CRASH_POINT("river.before_store");
    for (unsigned failures = 0; b->plain_count + b->other_count > 0; failures++) {
        pgc_error err;
        pgc_error_clear(&err);
        if (store_all(run, b, &err) == PGC_OK) {
            *quiet_us = 0;
            break;
        }
        runtime_trouble(run, &err);
        if (gives_up(run, quiet_us)) {
            lose(run, b);
            break;
        }
        run->clock->sleep_us(run->clock->ctx,
                             RETRY_US << (failures < DOUBLINGS ? failures : DOUBLINGS));
    }
    CRASH_POINT("river.after_store");
    atomic_fetch_add(&run->counters.complete_count, 1);
    atomic_fetch_add(&run->counters.complete_us, runtime_now(run) - began);
}

static void batch_free(const runtime *run, batch *b)
{
    mem_free(run->alloc, b->attempts, BATCH_MAX * sizeof(river_ctx *));
    mem_free(run->alloc, b->done, BATCH_MAX * sizeof(store_done));
    mem_free(run->alloc, b->outcomes, BATCH_MAX * sizeof(store_outcome));
    mem_free(run->alloc, b, sizeof(*b));
}

/* Room for a batch; NULL: no memory. */
static batch *batch_make(const runtime *run)
{
    batch *b = MEM_NEW(run->alloc, batch);
    if (b == NULL) {
        return NULL;
    }
    b->attempts = mem_new(run->alloc, BATCH_MAX * sizeof(river_ctx *));
    b->done = mem_new(run->alloc, BATCH_MAX * sizeof(store_done));
    b->outcomes = mem_new(run->alloc, BATCH_MAX * sizeof(store_outcome));
    if (b->attempts != NULL && b->done != NULL && b->outcomes != NULL) {
        return b;
    }
    batch_free(run, b);
    return NULL;
}

/* With the lock held: wait until a batch is worth its statement. False: stopped, nothing left. */
static bool gather(runtime *run, int64_t not_before_us)
{
    completer *done = &run->done;
    for (;;) {
        if (list_empty(&done->finished)) {
            if (done->stop) {
                return false;
            }
            (void) cond_wait(&done->work, &done->lock, -1);
            continue;
        }
        int64_t early = not_before_us - runtime_now(run);
        if (early <= 0 || done->count >= GATHER_ENOUGH || done->stop) {
            return true;
        }
        (void) cond_wait(&done->work, &done->lock, early);
    }
}

static void *complete(void *arg)
{
    runtime *run = (runtime *) arg;
    completer *done = &run->done;
    batch *b = done->batch;
    int64_t not_before_us = 0, quiet_us = 0;
    pthread_mutex_lock(&done->lock);
    while (gather(run, not_before_us)) {
        take(done, b);
        pthread_mutex_unlock(&done->lock);
        store(run, b, &quiet_us);
        not_before_us = runtime_now(run) + GATHER_US;
        pthread_mutex_lock(&done->lock);
    }
    pthread_mutex_unlock(&done->lock);
    return NULL;
}

pgc_status completer_start(runtime *run, pgc_error *err)
{
    completer *done = &run->done;
    list_init(&done->finished);
    done->count = 0;
    done->stop = false;
    done->batch = batch_make(run);
    if (done->batch == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "start a job queue client: out of memory");
    }
    int failed = pthread_create(&done->thread, NULL, complete, run);
    if (failed != 0) {
        batch_free(run, TAKE(done->batch));
        return pgc_error_errno(err, failed, "start the thread that stores outcomes");
    }
    return PGC_OK;
}

void completer_put(runtime *run, river_ctx *ctx)
{
    completer *done = &run->done;
    pthread_mutex_lock(&done->lock);
    while (done->count >= FINISHED_MAX) {
        (void) cond_wait(&done->room, &done->lock, -1);
    }
    list_append(&done->finished, &ctx->link);
    done->count++;
    if (done->count == 1 || done->count == GATHER_ENOUGH) {
        pthread_cond_signal(&done->work);
    }
    pthread_mutex_unlock(&done->lock);
}

void completer_stop(runtime *run)
{
    completer *done = &run->done;
    if (done->batch == NULL) {
        return;
    }
    pthread_mutex_lock(&done->lock);
    done->stop = true;
    pthread_cond_signal(&done->work);
    pthread_mutex_unlock(&done->lock);
    (void) pthread_join(done->thread, NULL);
    batch_free(run, TAKE(done->batch));
}
