/* Hooks around inserts and attempts, and queues that come and go while the client runs. */
#include "base/prelude.h"

#include "river.h"

/* What the hooks and the handler saw, in order. */
typedef struct seen {
    scene *s;
    pthread_mutex_t lock;
    char text[256];
    bool skip, cancel_on_error;
    atomic_bool hold; /* the handler waits until it is false */
} seen;

static void note(seen *v, const char *word)
{
    pthread_mutex_lock(&v->lock);
    size_t used = strlen(v->text);
    (void) snprintf(v->text + used, sizeof(v->text) - used, "%s%s", used > 0 ? " " : "", word);
    pthread_mutex_unlock(&v->lock);
}

static pgc_status on_insert(river_insert *job, void *arg, pgc_error *err)
{
    note(arg, "insert");
    if (strcmp(job->kind, "refused") == 0) {
        return pgc_error_set(err, PGC_INVALID, "not this one");
    }
    job->priority = 3;
    return PGC_OK;
}

static pgc_status on_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    seen *v = (seen *) arg;
    (void) job;
    note(v, "work[");
    pgc_status status = v->skip ? PGC_OK : river_ctx_run(ctx, err);
    note(v, "]work");
    return status;
}

static pgc_status on_begin(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) ctx, (void) err;
    CHECK_INT(job->priority, 3);
    note(arg, "begin");
    return PGC_OK;
}

static pgc_status on_end(river_ctx *ctx, const river_job *job, pgc_status status, void *arg,
                         pgc_error *err)
{
    (void) ctx, (void) job, (void) err;
    note(arg, status == PGC_OK ? "end" : "end-failed");
    return status;
}

static bool on_error(const river_job *job, const pgc_error *error, void *arg)
{
    seen *v = (seen *) arg;
    (void) job;
    CHECK_STR(error->message, "broken");
    note(v, "error");
    return v->cancel_on_error;
}

static pgc_status handle(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    seen *v = (seen *) arg;
    note(v, "handler");
    while (atomic_load(&v->hold) && river_ctx_wait(ctx, 1000) == PGC_OK) {
        continue;
    }
    return strstr(job->args.ptr, "fail") == NULL ? PGC_OK : pgc_error_set(err, PGC_IO, "broken");
}

static const river_queue_options QUEUE = { .struct_size = sizeof(QUEUE),
                                           .name = "default",
                                           .max_workers = 2 };

static bool begin(scene *s, seen *v, const river_hooks *hooks)
{
    *v = (seen) { .s = s };
    pthread_mutex_init(&v->lock, NULL);
    const river_worker worker = {
        .struct_size = sizeof(worker), .kind = "test", .work = handle, .arg = v
    };
    const river_client_options options = { .struct_size = sizeof(options),
                                           .pool = s->pool,
                                           .queues = &QUEUE,
                                           .queue_count = 1,
                                           .workers = &worker,
                                           .worker_count = 1,
                                           .fetch_cooldown_us = 2000,
                                           .fetch_poll_us = 5000,
                                           .no_lead = true,
                                           .hooks = hooks };
    return river_client_open(&options, &s->client, &s->err) == PGC_OK;
}

static bool insert(scene *s, const char *queue, const char *args)
{
    const river_insert job = {
        .struct_size = sizeof(job), .kind = "test", .queue = queue, .args = pgc_text_from(args)
    };
    return river_insert_one(s->client, NULL, &job, NULL, &s->err) == PGC_OK;
}

/* The next event of a kind; its queue is that of the job. */
static bool wait_event(river_subscription *events, river_event_kind kind)
{
    river_event *event = NULL;
    bool good =
        river_subscription_next(events, 10 * SECOND_US, &event) == PGC_OK && event->kind == kind;
    river_event_free(event);
    return good;
}

/* One job from insert to outcome; gives what was seen. */
static bool work_one(scene *s, const char *args, river_event_kind kind)
{
    river_subscription *events = NULL;
    if (!insert(s, NULL, args) ||
        river_subscribe(s->client, RIVER_EVENTS_ALL, 0, &events, &s->err) != PGC_OK) {
        return false;
    }
    bool good = river_client_start(s->client, &s->err) == PGC_OK && wait_event(events, kind);
    river_unsubscribe(events);
    return river_client_stop(s->client, RIVER_STOP_SOFT, -1, &s->err) == PGC_OK && good;
}

#define HOOKS(name, value)                                  \
    seen value;                                             \
    const river_hooks name = { .struct_size = sizeof(name), \
                               .arg = &(value),             \
                               .insert_begin = on_insert,   \
                               .work = on_work,             \
                               .work_begin = on_begin,      \
                               .work_end = on_end,          \
                               .on_error = on_error }

static void hooks_stand_around_the_handler(void)
{
    SCENE(s);
    HOOKS(hooks, v);
    REQUIRE(begin(&s, &v, &hooks));
    CHECK(work_one(&s, "{}", RIVER_EVENT_COMPLETED));
    CHECK_STR(v.text, "insert begin work[ handler ]work end");
}

static void a_hook_may_skip_the_work(void)
{
    SCENE(s);
    HOOKS(hooks, v);
    REQUIRE(begin(&s, &v, &hooks));
    v.skip = true;
    CHECK(work_one(&s, "{}", RIVER_EVENT_COMPLETED));
    CHECK_STR(v.text, "insert begin work[ ]work end");
}

static void on_error_may_cancel_the_job(void)
{
    SCENE(s);
    HOOKS(hooks, v);
    REQUIRE(begin(&s, &v, &hooks));
    v.cancel_on_error = true;
    CHECK(work_one(&s, "{\"do\":\"fail\"}", RIVER_EVENT_CANCELLED));
    CHECK(strstr(v.text, "end-failed error") != NULL);
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, errors[1]->>'error')"), "cancelled broken");
}

static void a_hook_may_refuse_an_insert(void)
{
    SCENE(s);
    HOOKS(hooks, v);
    REQUIRE(begin(&s, &v, &hooks));
    const river_insert job = { .struct_size = sizeof(job), .kind = "refused" };
    CHECK_STATUS(river_insert_one(s.client, NULL, &job, NULL, &s.err), PGC_INVALID, &s.err);
    CHECK(strstr(s.err.message, "not this one") != NULL);
    CHECK_STATUS(river_insert_copy(s.client, NULL, &job, 1, &s.err), PGC_INVALID, &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_job"), "0");
}

static void a_removed_queue_is_not_fetched_from(void)
{
    SCENE(s);
    seen v;
    river_subscription *events = NULL;
    REQUIRE(begin(&s, &v, NULL));
    river_queue_options other = QUEUE;
    other.name = "other";
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    REQUIRE_OK(river_subscribe(s.client, RIVER_EVENTS_ALL, 0, &events, &s.err), &s.err);
    CHECK_STATUS(river_client_queue_remove(s.client, "other", &s.err), PGC_NOT_FOUND, &s.err);
    CHECK_STATUS(river_client_queue_add(s.client, &other, &s.err), PGC_OK, &s.err);
    CHECK_STATUS(river_client_queue_add(s.client, &other, &s.err), PGC_CONFLICT, &s.err);
    CHECK(insert(&s, "other", "{}"));
    CHECK(wait_event(events, RIVER_EVENT_COMPLETED));
    CHECK_STATUS(river_client_queue_remove(s.client, "other", &s.err), PGC_OK, &s.err);
    CHECK_STATUS(river_client_queue_remove(s.client, "other", &s.err), PGC_NOT_FOUND, &s.err);
    CHECK(insert(&s, "other", "{\"left\":true}"));
    CHECK(insert(&s, NULL, "{}"));
    CHECK(wait_event(events, RIVER_EVENT_COMPLETED)); /* that of the other queue */
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(state::text, ' ' ORDER BY id) FROM river_job"),
              "completed available completed");
    CHECK_STATUS(river_client_queue_add(s.client, &other, &s.err), PGC_OK, &s.err);
    CHECK(wait_event(events, RIVER_EVENT_COMPLETED));
    river_unsubscribe(events);
}

static void what_runs_outlives_its_queue(void)
{
    SCENE(s);
    seen v;
    river_subscription *events = NULL;
    river_event *event = NULL;
    REQUIRE(begin(&s, &v, NULL));
    atomic_store(&v.hold, true);
    REQUIRE(insert(&s, NULL, "{}"));
    REQUIRE_OK(river_subscribe(s.client, RIVER_EVENTS_ALL, 0, &events, &s.err), &s.err);
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    river_client_stats stats = { 0 };
    while (stats.running == 0) {
        river_client_get_stats(s.client, &stats);
    }
    CHECK_STATUS(river_client_queue_remove(s.client, "default", &s.err), PGC_OK, &s.err);
    river_client_get_stats(s.client, &stats);
    CHECK_INT(stats.running, 1);
    /* The same queue anew, beside what runs of the old one. */
    CHECK_STATUS(river_client_queue_add(s.client, &QUEUE, &s.err), PGC_OK, &s.err);
    CHECK(insert(&s, NULL, "{\"do\":\"fail\"}"));
    CHECK_INT(river_subscription_next(events, 20000, &event), PGC_TIMEOUT);
    atomic_store(&v.hold, false);
    for (int i = 0; i < 2; i++) {
        CHECK_INT(river_subscription_next(events, 10 * SECOND_US, &event), PGC_OK);
        river_event_free(TAKE(event));
    }
    river_unsubscribe(events);
    CHECK_STATUS(river_client_stop(s.client, RIVER_STOP_SOFT, -1, &s.err), PGC_OK, &s.err);
    CHECK_STATUS(river_client_queue_remove(s.client, "default", &s.err), PGC_NOT_FOUND, &s.err);
    CHECK_STATUS(river_client_queue_add(s.client, &QUEUE, &s.err), PGC_CLOSED, &s.err);
}

TAP_MAIN(TAP("river hooks: hooks stand around the handler", hooks_stand_around_the_handler),
         TAP("river hooks: a hook may skip the work", a_hook_may_skip_the_work),
         TAP("river hooks: on_error may cancel the job", on_error_may_cancel_the_job),
         TAP("river hooks: a hook may refuse an insert", a_hook_may_refuse_an_insert),
         TAP("river hooks: a removed queue is not fetched from",
             a_removed_queue_is_not_fetched_from),
         TAP("river hooks: what runs outlives its queue", what_runs_outlives_its_queue))
