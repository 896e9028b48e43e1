/*
 * From what a handler returned to what is written: state, times, error, metadata (river.md sections
 * 2.2 and 5.3). Without memory for the texts the job still gets its state. Threads: the attempt's.
 */
#include "base/prelude.h"

#include "river/attempt.h"
#include "river/json.h"
#include "river/retry.h"
#include "river/timetext.h"

/* Copy a finished builder into the attempt's arena; absent without memory. */
static slice keep(river_ctx *ctx, const buf *text)
{
    arena *memory = attempt_memory(ctx);
    const char *copy = memory == NULL || text->failed ? NULL : arena_copy(memory, buf_view(text));
    return (slice) { copy, copy == NULL ? 0 : text->len };
}

/* The element that Go clients decode: exactly these four keys. */
static slice error_json(river_ctx *ctx, slice message)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, ctx->run->alloc, INT32_MAX);
    buf_add_str(&text, "{\"at\":\"");
    time_add_rfc3339(&text, ctx->started_at);
    buf_printf(&text, "\",\"attempt\":%d,\"error\":", ctx->job->attempt);
    json_add_text(&text, message);
    buf_add_str(&text, ",\"trace\":\"\"}");
    return keep(ctx, &text);
}

static slice cancel_message(river_ctx *ctx)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, ctx->run->alloc, INT32_MAX);
    buf_add_str(&text, "JobCancelError: ");
    buf_add_str(&text, ctx->cancel_reason == NULL ? "<nil>" : ctx->cancel_reason);
    return keep(ctx, &text);
}

static pgc_opt_timestamptz after(const river_ctx *ctx, int64_t us)
{
    int64_t now = client_now(ctx->run->client).us;
    return (pgc_opt_timestamptz) { true, { us < INT64_MAX / 2 - now ? now + us : INT64_MAX / 2 } };
}

static void set_state(river_ctx *ctx, river_state state, river_event_kind event)
{
    ctx->outcome.state = state;
    ctx->event = event;
    if (RIVER_STATES_FINAL & RIVER_STATE_BIT(state)) {
        ctx->outcome.finalized_at = after(ctx, 0);
    }
}

static void again(river_ctx *ctx, int64_t us, river_state later, river_event_kind event)
{
    set_state(ctx, us <= RUNTIME_SOON_US ? RIVER_AVAILABLE : later, event);
    ctx->outcome.scheduled_at = after(ctx, us);
}

/* The attempt does not count. */
static void uncount(river_ctx *ctx)
{
    ctx->outcome.set_attempt = true;
    ctx->outcome.attempt_new = (int16_t) (ctx->job->attempt > 0 ? ctx->job->attempt - 1 : 0);
}

static int64_t snoozes_before(const river_ctx *ctx)
{
    int64_t count = 0;
    slice json = json_get(ctx->job->metadata, SLICE("snoozes"));
    if (json.ptr == NULL || !slice_to_i64(json, &count) || count < 0) {
        return 0;
    }
    return count;
}

static void decide_snooze(river_ctx *ctx)
{
    char number[24];
    int len = snprintf(number, sizeof(number), "%" PRId64, snoozes_before(ctx) + 1);
    pgc_error err;
    if (attempt_stage(ctx, "snoozes", (slice) { number, (size_t) len }, &err) != PGC_OK) {
        runtime_trouble(ctx->run, &err); /* only the count is lost */
    }
    again(ctx, ctx->snooze_us, RIVER_SCHEDULED, RIVER_EVENT_SNOOZED);
    uncount(ctx);
}

static int64_t next_retry_us(const river_ctx *ctx)
{
    const river_worker *worker = ctx->worker;
    int64_t us = 0;
    if (worker != NULL && worker->next_retry != NULL) {
        us = worker->next_retry(ctx->job, worker->arg);
    }
    return us > 0 ? us : retry_delay_us(ctx->job->error_count + 1, ctx->run->clock);
}

static void decide_failure(river_ctx *ctx, pgc_status status, const pgc_error *err)
{
    static const slice remotely = { "JobCancelError: job cancelled remotely", 38 };
    const river_hooks *hooks = ctx->run->client->options.hooks;
    pgc_status reason = attempt_reason(ctx);
    if (reason == PGC_CLOSED && (status == PGC_CANCELLED || status == PGC_CLOSED)) {
        again(ctx, 0, RIVER_AVAILABLE, RIVER_EVENT_INTERRUPTED);
        uncount(ctx);
        return;
    }
    slice message = pgc_text_from(err->message[0] != '\0' ? err->message : pgc_status_text(status));
    if (reason == PGC_CANCELLED) {
        set_state(ctx, RIVER_CANCELLED, RIVER_EVENT_CANCELLED);
        ctx->outcome.error = error_json(ctx, remotely);
        return;
    }
    ctx->outcome.error = error_json(ctx, message);
    if (hooks != NULL && hooks->on_error != NULL && hooks->on_error(ctx->job, err, hooks->arg)) {
        set_state(ctx, RIVER_CANCELLED, RIVER_EVENT_CANCELLED);
    } else if (ctx->job->attempt >= ctx->job->max_attempts) {
        set_state(ctx, RIVER_DISCARDED, RIVER_EVENT_FAILED);
    } else {
        again(ctx, next_retry_us(ctx), RIVER_RETRYABLE, RIVER_EVENT_FAILED);
    }
}

static void add_member(buf *out, const char *key, slice json)
{
    buf_add_char(out, out->len == 0 ? '{' : ',');
    json_add_text(out, pgc_text_from(key));
    buf_add_char(out, ':');
    buf_add(out, json);
}

/* Earlier logs that still fit, then this attempt's. */
static void add_log(river_ctx *ctx, buf *out)
{
    json_walk walk;
    slice element;
    AUTO(buf_auto) buf text;
    AUTO(buf_auto) buf entry;
    size_t before = 0;
    buf_init(&text, ctx->run->alloc, INT32_MAX);
    buf_init(&entry, ctx->run->alloc, INT32_MAX);
    buf_printf(&entry, "{\"attempt\":%d,\"log\":", ctx->job->attempt);
    json_add_text(&entry, buf_view(&ctx->log));
    buf_add_char(&entry, '}');
    slice old = json_get(ctx->job->metadata, SLICE("river:log"));
    old = old.ptr != NULL && json_is(old, '[') ? old : SLICE("[]");
    json_walk_begin(&walk, old);
    while (json_walk_element(&walk, &element)) {
        before += element.len + 1;
    }
    buf_add_char(&text, '[');
    json_walk_begin(&walk, old);
    while (json_walk_element(&walk, &element)) {
        if (before + entry.len <= ATTEMPT_LOG_ALL_MAX) {
            buf_add(&text, element);
            buf_add_char(&text, ',');
        }
        before -= element.len + 1;
    }
    buf_add(&text, buf_view(&entry));
    buf_add_char(&text, ']');
    if (!text.failed && !entry.failed) {
        add_member(out, "river:log", buf_view(&text));
    }
}

static void add_steps(const river_ctx *ctx, buf *out)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, ctx->run->alloc, INT32_MAX);
    if (ctx->step_done != NULL) {
        json_add_text(&text, pgc_text_from(ctx->step_done));
        add_member(out, "river:resumable_step", buf_view(&text));
        buf_reset(&text);
    }
    if (ctx->cursor_step != NULL) {
        add_member(&text, ctx->cursor_step, ctx->cursor);
        buf_add_char(&text, '}');
        add_member(out, "river:resumable_cursor", buf_view(&text));
    }
}

pgc_text outcome_metadata(river_ctx *ctx, bool failed)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, ctx->run->alloc, INT32_MAX);
    for (const ctx_entry *entry = ctx->entries; entry != NULL; entry = entry->next) {
        add_member(&text, entry->key, entry->json);
    }
    if (ctx->logs && ctx->log.len > 0) {
        add_log(ctx, &text);
    }
    if (failed) {
        add_steps(ctx, &text);
    }
    if (text.len == 0) {
        return (pgc_text) { NULL, 0 };
    }
    buf_add_char(&text, '}');
    return keep(ctx, &text);
}

void outcome_decide(river_ctx *ctx, pgc_status status, const pgc_error *err)
{
    ctx->outcome = (store_outcome) { .id = ctx->job->id,
                                     .attempt = ctx->job->attempt,
                                     .began = ctx->job->attempted_at };
    if (ctx->completed && status == PGC_OK) {
        ctx->event = RIVER_EVENT_COMPLETED;
        return;
    }
    ctx->completed = false; /* the transaction that said so was rolled back */
    if (status != PGC_OK) {
        decide_failure(ctx, status, err);
    } else if (ctx->snoozed) {
        decide_snooze(ctx);
    } else if (ctx->cancelled) {
        set_state(ctx, RIVER_CANCELLED, RIVER_EVENT_CANCELLED);
        ctx->outcome.error = error_json(ctx, cancel_message(ctx));
    } else {
        ctx->event = RIVER_EVENT_COMPLETED;
        ctx->outcome.state = RIVER_COMPLETED; /* finalized_at is the server's */
    }
    ctx->outcome.metadata = outcome_metadata(ctx, status != PGC_OK || ctx->snoozed);
    ctx->plain = ctx->event == RIVER_EVENT_COMPLETED && ctx->outcome.metadata.ptr == NULL;
}
