/* Jobs from insert to outcome against a real server: what rows hold afterwards. */
#include "base/prelude.h"

#include <sched.h>

#include "river.h"

/* Arguments say what the handler does. */
static pgc_status handle(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    scene *s = (scene *) arg;
    atomic_fetch_add(&s->calls, 1);
    slice what = job->args;
    if (strstr(what.ptr, "fail") != NULL) {
        return pgc_error_set(err, PGC_IO, "disk \"A\" is away");
    }
    if (strstr(what.ptr, "snooze") != NULL) {
        river_ctx_snooze(ctx, 60 * SECOND_US);
    }
    if (strstr(what.ptr, "cancel") != NULL) {
        river_ctx_cancel(ctx, "not wanted");
    }
    if (strstr(what.ptr, "output") != NULL) {
        river_ctx_log(ctx, "line %d", 1);
        return river_ctx_output(ctx, SLICE("{\"size\":3}"), err);
    }
    if (strstr(what.ptr, "wait") != NULL) {
        return river_ctx_wait(ctx, 60 * SECOND_US);
    }
    return PGC_OK;
}

static bool open_client(scene *s)
{
    river_worker worker = {
        .struct_size = sizeof(worker), .kind = "test", .work = handle, .arg = s
    };
    river_queue_options queue = { .struct_size = sizeof(queue),
                                  .name = "default",
                                  .max_workers = 8 };
    river_client_options options = {
        .struct_size = sizeof(options),
        .pool = s->pool,
        .queues = &queue,
        .queue_count = 1,
        .workers = &worker,
        .worker_count = 1,
        .fetch_cooldown_us = 5000,
        .fetch_poll_us = 10000,
        .no_lead = true,
    };
    return river_client_open(&options, &s->client, &s->err) == PGC_OK;
}

/* Insert one job with these arguments, work it, and wait for one event of a kind. */
static bool work_one(scene *s, const char *args, river_event_kind kind)
{
    river_insert job = { .struct_size = sizeof(job), .kind = "test", .args = pgc_text_from(args) };
    river_subscription *events = NULL;
    river_event *event = NULL;
    if (river_insert_one(s->client, NULL, &job, NULL, &s->err) != PGC_OK ||
        river_subscribe(s->client, RIVER_EVENTS_ALL, 0, &events, &s->err) != PGC_OK) {
        return false;
    }
    bool good = river_client_start(s->client, &s->err) == PGC_OK &&
                river_subscription_next(events, 10 * SECOND_US, &event) == PGC_OK &&
                event->kind == kind;
    river_event_free(event);
    river_unsubscribe(events);
    return river_client_stop(s->client, RIVER_STOP_SOFT, -1, &s->err) == PGC_OK && good;
}

static void inserted_rows_have_rivers_defaults(void)
{
    SCENE(s);
    REQUIRE(open_client(&s));
    river_insert job = { .struct_size = sizeof(job), .kind = "test" };
    REQUIRE_OK(river_insert_one(s.client, NULL, &job, &s.jobs, &s.err), &s.err);
    const river_job *got = river_jobs_at(s.jobs, 0);
    CHECK_INT(got->state, RIVER_AVAILABLE);
    CHECK_INT(got->max_attempts, 25);
    CHECK(!river_jobs_duplicate(s.jobs, 0));
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, attempt, max_attempts, priority, queue, tags, "
                            "metadata, errors IS NULL, attempted_by IS NULL, unique_key IS NULL, "
                            "unique_states IS NULL)"),
              "available 0 25 1 default {} {} t t t t");
}

static void a_success_is_completed(void)
{
    SCENE(s);
    REQUIRE(open_client(&s));
    REQUIRE(work_one(&s, "{\"do\": \"nothing\"}", RIVER_EVENT_COMPLETED));
    CHECK_STR(scene_row(&s,
                        "concat_ws(' ', state, attempt, finalized_at IS NOT NULL, errors IS NULL, "
                        "cardinality(attempted_by), metadata)"),
              "completed 1 t t 1 {}");
    CHECK_INT(atomic_load(&s.calls), 1);
}

static void a_failure_is_kept_in_rivers_form(void)
{
    SCENE(s);
    REQUIRE(open_client(&s));
    REQUIRE(work_one(&s, "{\"do\": \"fail\"}", RIVER_EVENT_FAILED));
    CHECK_STR(
        scene_row(&s, "concat_ws(' ', state, attempt, errors[1]->>'error', errors[1]->>'attempt', "
                      "errors[1]->>'trace' = '', (errors[1]->>'at')::timestamptz <= now(), "
                      "scheduled_at - now() < interval '1.1 s', finalized_at IS NULL)"),
        "available 1 disk \"A\" is away 1 t t t t");
}

static void a_snooze_does_not_count(void)
{
    SCENE(s);
    REQUIRE(open_client(&s));
    REQUIRE(work_one(&s, "{\"do\": \"snooze\"}", RIVER_EVENT_SNOOZED));
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, attempt, metadata, errors IS NULL, "
                            "scheduled_at > now() + interval '50 s')"),
              "scheduled 0 {\"snoozes\": 1} t t");
}

static void a_cancel_by_the_handler_is_final(void)
{
    SCENE(s);
    REQUIRE(open_client(&s));
    REQUIRE(work_one(&s, "{\"do\": \"cancel\"}", RIVER_EVENT_CANCELLED));
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, errors[1]->>'error', finalized_at IS NOT NULL)"),
              "cancelled JobCancelError: not wanted t");
}

static void output_and_log_go_to_the_metadata(void)
{
    SCENE(s);
    REQUIRE(open_client(&s));
    REQUIRE(work_one(&s, "{\"do\": \"output\"}", RIVER_EVENT_COMPLETED));
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, metadata->'output', metadata->'river:log')"),
              "completed {\"size\": 3} [{\"log\": \"line 1\\n\", \"attempt\": 1}]");
}

static void a_hard_stop_gives_the_job_back(void)
{
    SCENE(s);
    REQUIRE(open_client(&s));
    river_insert job = { .struct_size = sizeof(job),
                         .kind = "test",
                         .args = SLICE("{\"do\":\"wait\"}") };
    REQUIRE_OK(river_insert_one(s.client, NULL, &job, NULL, &s.err), &s.err);
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    while (atomic_load(&s.calls) == 0) {
        sched_yield();
    }
    CHECK_INT(river_client_stop(s.client, RIVER_STOP_SOFT, 1000, &s.err), PGC_TIMEOUT);
    REQUIRE_OK(river_client_stop(s.client, RIVER_STOP_HARD, -1, &s.err), &s.err);
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, attempt, errors IS NULL, finalized_at IS NULL)"),
              "available 0 t t");
}

static void unique_jobs_meet_their_row(void)
{
    SCENE(s);
    REQUIRE(open_client(&s));
    river_insert jobs[3] = { { .struct_size = sizeof(jobs[0]),
                               .kind = "test",
                               .args = SLICE("{\"a\":1}"),
                               .unique = { .by_args = true } } };
    jobs[1] = jobs[2] = jobs[0];
    jobs[1].args = SLICE("{\"a\":2}");
    REQUIRE_OK(river_insert_many(s.client, NULL, jobs, 3, &s.jobs, &s.err), &s.err);
    REQUIRE(river_jobs_count(s.jobs) == 3);
    CHECK(!river_jobs_duplicate(s.jobs, 0) && !river_jobs_duplicate(s.jobs, 1));
    CHECK(river_jobs_duplicate(s.jobs, 2));
    CHECK_INT(river_jobs_at(s.jobs, 2)->id, river_jobs_at(s.jobs, 0)->id);
    river_jobs *again = NULL;
    REQUIRE_OK(river_insert_one(s.client, NULL, &jobs[1], &again, &s.err), &s.err);
    CHECK(river_jobs_duplicate(again, 0));
    CHECK_INT(river_jobs_at(again, 0)->id, river_jobs_at(s.jobs, 1)->id);
    river_jobs_free(again);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(DISTINCT unique_states::text, ' ') FROM river_job"),
              "11110101");
}

static void many_jobs_are_each_worked_once(void)
{
    enum { COUNT = 3000 };
    SCENE(s);
    REQUIRE(open_client(&s));
    river_insert *jobs = arena_array(s.mem, COUNT, sizeof(*jobs));
    REQUIRE(jobs != NULL);
    for (size_t i = 0; i < COUNT; i++) {
        jobs[i] = (river_insert) { .struct_size = sizeof(*jobs), .kind = "test" };
    }
    REQUIRE_OK(river_insert_many(s.client, NULL, jobs, COUNT, NULL, &s.err), &s.err);
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    river_client_stats stats = { 0 };
    while (stats.completed < COUNT) {
        river_client_get_stats(s.client, &stats);
        CHECK(stats.running <= 8);
        sched_yield();
    }
    REQUIRE_OK(river_client_stop(s.client, RIVER_STOP_SOFT, -1, &s.err), &s.err);
    CHECK_INT(atomic_load(&s.calls), COUNT);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT concat_ws(' ', count(*), min(attempt), max(attempt)) "
                           "FROM river_job WHERE state = 'completed'"),
              "3000 1 1");
}

TAP_MAIN(TAP("river work: inserted rows have River's defaults", inserted_rows_have_rivers_defaults),
         TAP("river work: a success is completed", a_success_is_completed),
         TAP("river work: a failure is kept in River's form", a_failure_is_kept_in_rivers_form),
         TAP("river work: a snooze does not count", a_snooze_does_not_count),
         TAP("river work: a cancel by the handler is final", a_cancel_by_the_handler_is_final),
         TAP("river work: output and log go to the metadata", output_and_log_go_to_the_metadata),
         TAP("river work: a hard stop gives the job back", a_hard_stop_gives_the_job_back),
         TAP("river work: unique jobs meet their row", unique_jobs_meet_their_row),
         TAP("river work: many jobs are each worked once", many_jobs_are_each_worked_once))
