/*
 * One attempt: what a handler may ask for, and running it. Threads: a context belongs to the thread
 * that works it; only `reason` is set from elsewhere.
 */
#include "base/prelude.h"

#include "river/attempt.h"

#include "base/crash.h"
#include "river/json.h"
#include "river/timetext.h"

#define METADATA_RESERVED "river:"

pgc_status attempt_reason(const river_ctx *ctx)
{
    pgc_status reason = (pgc_status) atomic_load_explicit(&ctx->reason, memory_order_relaxed);
    if (reason == PGC_OK && ctx->deadline_us != INT64_MAX &&
        runtime_now(ctx->run) >= ctx->deadline_us) {
        return PGC_TIMEOUT;
    }
    return reason;
}

void attempt_interrupt(river_ctx *ctx, pgc_status reason)
{
    int none = PGC_OK;
    (void) atomic_compare_exchange_strong(&ctx->reason, &none, (int) reason);
    pthread_mutex_lock(&ctx->run->signal_lock);
    pthread_cond_broadcast(&ctx->run->signal);
    pthread_mutex_unlock(&ctx->run->signal_lock);
}

bool river_ctx_cancelled(const river_ctx *ctx)
{
    return attempt_reason(ctx) != PGC_OK;
}

pgc_status river_ctx_reason(const river_ctx *ctx)
{
    return attempt_reason(ctx);
}

int64_t river_ctx_remaining_us(const river_ctx *ctx)
{
    if (ctx->deadline_us == INT64_MAX) {
        return INT64_MAX;
    }
    int64_t left = ctx->deadline_us - runtime_now(ctx->run);
    return left > 0 ? left : 0;
}

pgc_status river_ctx_wait(river_ctx *ctx, int64_t us)
{
    int64_t until = runtime_now(ctx->run) + us;
    pgc_status reason = PGC_OK;
    pthread_mutex_lock(&ctx->run->signal_lock);
    for (;;) {
        int64_t now = runtime_now(ctx->run);
        reason = attempt_reason(ctx);
        if (reason != PGC_OK || now >= until) {
            break;
        }
        int64_t wait = until < ctx->deadline_us ? until - now : ctx->deadline_us - now;
        (void) cond_wait(&ctx->run->signal, &ctx->run->signal_lock, wait);
    }
    pthread_mutex_unlock(&ctx->run->signal_lock);
    return reason;
}

arena *attempt_memory(river_ctx *ctx)
{
    if (ctx->memory == NULL) {
        ctx->memory = arena_new(ctx->run->alloc, 0, 0);
    }
    return ctx->memory;
}

void river_ctx_snooze(river_ctx *ctx, int64_t us)
{
    ctx->snoozed = true;
    ctx->snooze_us = us > 0 ? us : 0;
}

void river_ctx_cancel(river_ctx *ctx, const char *reason)
{
    arena *memory = attempt_memory(ctx);
    ctx->cancelled = true;
    ctx->cancel_reason = memory == NULL || reason == NULL ? NULL : arena_strdup(memory, reason);
}

/* Keep a key; a later value of the same key wins. */
pgc_status attempt_stage(river_ctx *ctx, const char *key, slice json, pgc_error *err)
{
    arena *memory = attempt_memory(ctx);
    ctx_entry *entry = ctx->entries;
    while (entry != NULL && strcmp(entry->key, key) != 0) {
        entry = entry->next;
    }
    char *copy = memory == NULL ? NULL : arena_copy(memory, json);
    if (entry == NULL && copy != NULL) {
        entry = ARENA_NEW(memory, ctx_entry);
        if (entry != NULL && (entry->key = arena_strdup(memory, key)) != NULL) {
            entry->next = ctx->entries;
            ctx->entries = entry;
        } else {
            entry = NULL;
        }
    }
    if (entry == NULL || copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "metadata '%s' of a job: out of memory", key);
    }
    entry->json = (slice) { copy, json.len };
    return PGC_OK;
}

pgc_status river_ctx_output(river_ctx *ctx, pgc_text json, pgc_error *err)
{
    if (json.len > RIVER_OUTPUT_MAX) {
        return pgc_error_set(err, PGC_LIMIT, "output of a job has %zu bytes, at most %u", json.len,
                             RIVER_OUTPUT_MAX);
    }
    TRY(pgc_error_wrap(err, json_check(json, err), "output of a job"));
    return attempt_stage(ctx, "output", json, err);
}

pgc_status river_ctx_metadata(river_ctx *ctx, const char *key, pgc_text json, pgc_error *err)
{
    if (key == NULL || key[0] == '\0' ||
        strncmp(key, METADATA_RESERVED, sizeof(METADATA_RESERVED) - 1) == 0) {
        return pgc_error_set(err, PGC_INVALID, "metadata key '%s' of a job is reserved",
                             key == NULL ? "" : key);
    }
    TRY(pgc_error_wrap(err, json_check(json, err), "metadata '%s' of a job", key));
    return attempt_stage(ctx, key, json, err);
}

void river_ctx_log(river_ctx *ctx, const char *fmt, ...)
{
    va_list args;
    if (!ctx->logs) {
        buf_init(&ctx->log, ctx->run->alloc, ATTEMPT_LOG_MAX);
        ctx->logs = true;
    }
    va_start(args, fmt);
    buf_vprintf(&ctx->log, fmt, args);
    va_end(args);
    buf_add_char(&ctx->log, '\n');
}

/* Text of a string in the job's metadata, decoded into the arena; NULL when there is none. */
static const char *metadata_text(river_ctx *ctx, slice key)
{
    slice json = json_get(ctx->job->metadata, key);
    arena *memory = attempt_memory(ctx);
    if (json.ptr == NULL || !json_is(json, '"') || memory == NULL) {
        return NULL;
    }
    char *text = arena_alloc(memory, json.len + 1);
    if (text != NULL) {
        text[json_decode(json, text)] = '\0';
    }
    return text;
}

pgc_status river_ctx_step(river_ctx *ctx, const char *name, river_step_fn fn, void *arg,
                          pgc_error *err)
{
    if (!ctx->steps_read) {
        ctx->steps_read = true;
        ctx->resume_after = metadata_text(ctx, SLICE("river:resumable_step"));
    }
    if (ctx->resume_after != NULL) {
        if (strcmp(ctx->resume_after, name) == 0) {
            ctx->resume_after = NULL; /* the last that was done: go on behind it */
        }
        return PGC_OK;
    }
    arena *memory = attempt_memory(ctx);
    const char *copy = memory == NULL ? NULL : arena_strdup(memory, name);
    if (copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "step '%s': out of memory", name);
    }
    slice cursors = json_get(ctx->job->metadata, SLICE("river:resumable_cursor"));
    slice cursor = { NULL, 0 };
    if (cursors.ptr != NULL && json_is(cursors, '{')) {
        cursor = json_get(cursors, pgc_text_from(name));
    }
    if (cursor.ptr != NULL && slice_eq_str(cursor, "null")) {
        cursor = (slice) { NULL, 0 };
    }
    ctx->step_now = copy;
    pgc_status status = fn(ctx, cursor, arg, err);
    ctx->step_now = NULL;
    if (status != PGC_OK) {
        return pgc_error_wrap(err, status, "step '%s'", name);
    }
    ctx->step_done = copy;
    ctx->cursor_step = NULL;
    return PGC_OK;
}

pgc_status river_ctx_cursor(river_ctx *ctx, pgc_text json, pgc_error *err)
{
    if (ctx->step_now == NULL) {
        return pgc_error_set(err, PGC_INVALID, "a cursor is kept inside a step only");
    }
    if (json.ptr != NULL) {
        TRY(pgc_error_wrap(err, json_check(json, err), "cursor of step '%s'", ctx->step_now));
    }
    arena *memory = attempt_memory(ctx);
    slice text = json.ptr == NULL ? SLICE("null") : json;
    const char *copy = memory == NULL ? NULL : arena_copy(memory, text);
    if (copy == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "cursor: out of memory");
    }
    ctx->cursor = (slice) { copy, text.len };
    ctx->cursor_step = ctx->step_now;
    return PGC_OK;
}

bool attempt_ephemeral(const river_ctx *ctx)
{
    return ctx->from->options.retain_completed_us == 1;
}

pgc_status river_ctx_complete(river_ctx *ctx, pgc_tx *tx, pgc_error *err)
{
    store_outcome outcome = { .id = ctx->job->id,
                              .attempt = ctx->job->attempt,
                              .state = RIVER_COMPLETED,
                              .metadata = outcome_metadata(ctx, false) };
    store_done done = { .id = ctx->job->id,
                        .attempt = ctx->job->attempt,
                        .gone = attempt_ephemeral(ctx) };
    const river_store *store = ctx->run->client->store;
    if (outcome.metadata.ptr == NULL) {
        TRY(store_complete(store, pgc_tx_db(tx), &done, 1, NULL, err));
    } else {
        river_jobs *jobs = NULL;
        TRY(store_finish(store, pgc_tx_db(tx), &outcome, 1, &jobs, err));
        const river_job *job = river_jobs_at(jobs, 0);
        done.stored =
            job != NULL && job->state == RIVER_COMPLETED && job->attempt == ctx->job->attempt;
        river_jobs_free(jobs);
    }
    if (!done.stored) {
        return pgc_error_set(err, PGC_CONFLICT, "job %" PRId64 " is not this attempt's any more",
                             ctx->job->id);
    }
    ctx->completed = true;
    CRASH_POINT("river.completed_in_tx");
    return PGC_OK;
}

river_client *river_ctx_client(river_ctx *ctx)
{
    return ctx->run->client;
}

static pgc_status call_handler(river_ctx *ctx, pgc_error *err)
{
    if (ctx->worker == NULL) {
        return pgc_error_set(
            err, PGC_UNSUPPORTED,
            "job kind is not registered in the client's Workers bundle: %" SLICE_FMT,
            SLICE_ARG(ctx->job->kind));
    }
    return ctx->worker->work(ctx, ctx->job, ctx->worker->arg, err);
}

pgc_status river_ctx_run(river_ctx *ctx, pgc_error *err)
{
    if (ctx->in_chain) {
        return pgc_error_set(err, PGC_INVALID, "river_ctx_run() was called twice");
    }
    ctx->in_chain = true;
    return call_handler(ctx, err);
}

static pgc_status run_with_hooks(river_ctx *ctx, const river_hooks *hooks, pgc_error *err)
{
    pgc_status status = PGC_OK;
    if (hooks->work_begin != NULL) {
        status = hooks->work_begin(ctx, ctx->job, hooks->arg, err);
    }
    if (status == PGC_OK) {
        status = hooks->work != NULL ? hooks->work(ctx, ctx->job, hooks->arg, err)
                                     : river_ctx_run(ctx, err);
    }
    if (hooks->work_end != NULL) {
        status = hooks->work_end(ctx, ctx->job, status, hooks->arg, err);
    }
    return status;
}

static int64_t timeout_of(const river_ctx *ctx)
{
    int64_t own = ctx->worker == NULL ? 0 : ctx->worker->timeout_us;
    return own != 0 ? own : ctx->run->client->options.job_timeout_us;
}

void attempt_run(river_ctx *ctx)
{
    const river_hooks *hooks = ctx->run->client->options.hooks;
    int64_t timeout = timeout_of(ctx);
    pgc_error err;
    pgc_error_clear(&err);
    ctx->started_us = runtime_now(ctx->run);
    ctx->started_at = client_now(ctx->run->client);
    ctx->deadline_us = timeout > 0 ? ctx->started_us + timeout : INT64_MAX;
    atomic_store(&ctx->started, true);
    pgc_status status = PGC_CANCELLED; /* the client stops: not begun at all */
    CRASH_POINT("river.before_handler");
    if (attempt_reason(ctx) != PGC_CLOSED) {
        status = hooks == NULL ? river_ctx_run(ctx, &err) : run_with_hooks(ctx, hooks, &err);
    }
    CRASH_POINT("river.after_handler");
    ctx->ended_us = runtime_now(ctx->run);
    outcome_decide(ctx, status, &err);
}

static void batch_unref(job_batch *batch)
{
    if (atomic_fetch_sub(&batch->refs, 1) != 1) {
        return;
    }
    river_jobs_free(batch->jobs);
    mem_free(batch->alloc, batch, sizeof(*batch) + batch->count * sizeof(river_ctx));
}

void attempt_free(river_ctx *ctx)
{
    if (ctx->logs) {
        buf_done(&ctx->log);
    }
    arena_free(ctx->memory);
    batch_unref(ctx->batch);
}
