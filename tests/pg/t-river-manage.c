/* Looking at jobs and queues and changing them; what other clients are told. */
#include "base/prelude.h"

#include <sched.h>

#include "river/notify.h"
#include "river/runtime.h"

#include "river.h"

static pgc_status wait_long(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    scene *s = (scene *) arg;
    (void) job;
    atomic_fetch_add(&s->calls, 1);
    pgc_status status = river_ctx_wait(ctx, 60 * SECOND_US);
    return status == PGC_OK ? PGC_OK : pgc_error_set(err, status, "told to end");
}

static bool open_client(scene *s, bool listens)
{
    river_worker worker = {
        .struct_size = sizeof(worker), .kind = "wait", .work = wait_long, .arg = s
    };
    river_queue_options queue = { .struct_size = sizeof(queue),
                                  .name = "default",
                                  .max_workers = 4 };
    pgc_conn_options conn = { .struct_size = sizeof(conn), .conninfo = s->db.url };
    river_client_options options = {
        .struct_size = sizeof(options),
        .pool = s->pool,
        .conn = listens ? &conn : NULL,
        .queues = &queue,
        .queue_count = 1,
        .workers = &worker,
        .worker_count = 1,
        .fetch_cooldown_us = 1000,
        .fetch_poll_us = 3600 * SECOND_US, /* only what is told is found */
        .skip_unknown_kind_check = true,
        .no_lead = true,
    };
    return river_client_open(&options, &s->client, &s->err) == PGC_OK;
}

static int64_t insert(scene *s, const river_insert *job)
{
    river_jobs *jobs = NULL;
    if (river_insert_one(s->client, NULL, job, &jobs, &s->err) != PGC_OK) {
        return -1;
    }
    int64_t id = river_jobs_at(jobs, 0)->id;
    river_jobs_free(jobs);
    return id;
}

/* What a program knew before the structs grew. */
typedef struct old_worker {
    size_t struct_size;
    const char *kind;
    river_work_fn work;
    void *arg;
} old_worker;

typedef struct old_insert {
    size_t struct_size;
    const char *kind;
    pgc_text args;
} old_insert;

static void *no_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void) ctx, (void) ptr, (void) old_size, (void) new_size;
    return NULL;
}

static void programs_of_an_older_header_go_on_working(void)
{
    SCENE(s);
    const pgc_alloc unseen = { .resize = no_memory };
    const old_worker workers[] = {
        { .struct_size = sizeof workers[0], .kind = "wait", .work = wait_long },
        { .struct_size = sizeof workers[0], .kind = "look", .work = wait_long },
    };
    river_client_options options = { .struct_size = offsetof(river_client_options, hooks),
                                     .pool = s.pool,
                                     .workers = (const river_worker *) (const void *) workers,
                                     .worker_count = ARRAY_LEN(workers),
                                     .alloc = &unseen }; /* behind what they know */
    REQUIRE_OK(river_client_open(&options, &s.client, &s.err), &s.err);
    const old_insert jobs[] = {
        { .struct_size = sizeof jobs[0], .kind = "wait", .args = SLICE("{\"a\": 1}") },
        { .struct_size = sizeof jobs[0], .kind = "look", .args = SLICE("{\"a\": 2}") },
    };
    REQUIRE_OK(river_insert_many(s.client, NULL, (const river_insert *) (const void *) jobs,
                                 ARRAY_LEN(jobs), NULL, &s.err),
               &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(kind || (args->>'a'), ' ' ORDER BY id) FROM "
                           "river_job"),
              "wait1 look2");
    const river_filter filter = { .struct_size = offsetof(river_filter, kinds) };
    river_jobs *found = NULL;
    REQUIRE_OK(river_job_list(s.client, NULL, &filter, &found, &s.err), &s.err);
    CHECK_INT(river_jobs_count(found), 2);
    river_jobs_free(found);
}

/* A newer program's wishes are not silently left out. */
static void programs_of_a_newer_header_hear_what_is_not_known(void)
{
    SCENE(s);
    struct {
        river_client_options known;
        int64_t wish;
    } newer = { { .struct_size = sizeof newer, .pool = s.pool }, 1 };
    CHECK_STATUS(river_client_open(&newer.known, &s.client, &s.err), PGC_INVALID, &s.err);
    CHECK(strstr(s.err.message, "is older than its caller's header") != NULL);
    newer.wish = 0;
    REQUIRE_OK(river_client_open(&newer.known, &s.client, &s.err), &s.err);
    const river_insert unset = { .kind = "wait" };
    CHECK_STATUS(river_insert_one(s.client, NULL, &unset, NULL, &s.err), PGC_INVALID, &s.err);
    CHECK(strstr(s.err.message, "struct_size is not set") != NULL);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_job"), "0");
}

static void a_cancel_ends_every_waiting_state(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, false));
    pgc_opt_timestamptz later = { true, { INT64_C(900000000000000) } };
    river_insert jobs[] = {
        { .struct_size = sizeof(jobs[0]), .kind = "wait" },
        { .struct_size = sizeof(jobs[0]), .kind = "wait", .scheduled_at = later },
        { .struct_size = sizeof(jobs[0]), .kind = "wait", .pending = true },
    };
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        river_jobs *got = NULL;
        int64_t id = insert(&s, &jobs[i]);
        REQUIRE_OK(river_job_cancel(s.client, NULL, id, &got, &s.err), &s.err);
        CHECK_INT(river_jobs_at(got, 0)->state, RIVER_CANCELLED);
        CHECK(river_jobs_at(got, 0)->finalized_at.has);
        river_jobs_free(got);
    }
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT bool_and((metadata->>'cancel_attempted_at')::timestamptz "
                           "<= clock_timestamp())::text FROM river_job"),
              "true");
    CHECK_INT(river_job_cancel(s.client, NULL, 999, NULL, &s.err), PGC_NOT_FOUND);
    CHECK_STR(s.err.message, "cancel job 999: no such job");
}

static void a_running_job_is_told_and_ends_cancelled(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, true));
    river_insert job = { .struct_size = sizeof(job), .kind = "wait" };
    river_subscription *events = NULL;
    river_event *event = NULL;
    REQUIRE_OK(river_subscribe(s.client, RIVER_EVENTS_ALL, 0, &events, &s.err), &s.err);
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    int64_t id = insert(&s, &job); /* found by its notification */
    while (atomic_load(&s.calls) == 0) {
        sched_yield();
    }
    CHECK_INT(river_job_delete(s.client, NULL, id, NULL, &s.err), PGC_CONFLICT);
    REQUIRE_OK(river_job_cancel(s.client, NULL, id, &s.jobs, &s.err), &s.err);
    CHECK_INT(river_jobs_at(s.jobs, 0)->state, RIVER_RUNNING);
    REQUIRE(river_subscription_next(events, 20 * SECOND_US, &event) == PGC_OK);
    CHECK_INT(event->kind, RIVER_EVENT_CANCELLED);
    river_event_free(event);
    river_unsubscribe(events);
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, errors[1]->>'error')"),
              "cancelled JobCancelError: job cancelled remotely");
}

static void a_paused_queue_rests(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, true));
    river_insert job = { .struct_size = sizeof(job), .kind = "wait" };
    river_subscription *events = NULL;
    river_event *event = NULL;
    CHECK_INT(river_queue_pause(s.client, NULL, "default", &s.err), PGC_NOT_FOUND);
    REQUIRE_OK(river_queue_pause(s.client, NULL, "*", &s.err), &s.err);
    REQUIRE_OK(
        river_subscribe(s.client, RIVER_EVENT_PAUSED | RIVER_EVENT_RESUMED, 0, &events, &s.err),
        &s.err);
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    REQUIRE_OK(river_queue_pause(s.client, NULL, "default", &s.err), &s.err);
    REQUIRE(river_subscription_next(events, 20 * SECOND_US, &event) == PGC_OK);
    CHECK_INT(event->kind, RIVER_EVENT_PAUSED);
    CHECK_STR(event->queue, "default");
    river_event_free(event);
    REQUIRE(insert(&s, &job) > 0);
    river_queues *queues = NULL;
    REQUIRE_OK(river_queue_get(s.client, NULL, "default", &queues, &s.err), &s.err);
    CHECK(river_queues_at(queues, 0)->paused_at.has);
    river_queues_free(queues);
    CHECK_INT(atomic_load(&s.calls), 0);
    REQUIRE_OK(river_queue_resume(s.client, NULL, "*", &s.err), &s.err);
    while (atomic_load(&s.calls) == 0) { /* the resume fetches at once */
        sched_yield();
    }
    river_unsubscribe(events);
    REQUIRE_OK(river_client_stop(s.client, RIVER_STOP_HARD, -1, &s.err), &s.err);
}

static void notifications_come_once_per_cooldown(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, false));
    pgc_listener_options options = { .struct_size = sizeof(options),
                                     .conn = { .struct_size = sizeof(options.conn),
                                               .conninfo = s.db.url } };
    pgc_listener *listener = NULL;
    pgc_event event;
    REQUIRE_OK(pgc_listener_open(&options, &listener, &s.err), &s.err);
    REQUIRE_OK(pgc_listener_listen(listener, "public.river_insert", -1, &s.err), &s.err);
    river_insert jobs[] = {
        { .struct_size = sizeof(jobs[0]), .kind = "wait" },
        { .struct_size = sizeof(jobs[0]), .kind = "wait" },
        { .struct_size = sizeof(jobs[0]), .kind = "wait", .queue = "other" },
        { .struct_size = sizeof(jobs[0]), .kind = "wait", .queue = "third", .pending = true },
    };
    REQUIRE_OK(river_insert_many(s.client, NULL, jobs, 4, NULL, &s.err), &s.err);
    REQUIRE(scratch_do(&s.db, "NOTIFY \"public.river_insert\", 'end'"));
    const char *expected[] = { "{\"queue\": \"default\"}", "{\"queue\": \"other\"}", "end" };
    for (size_t i = 0; i < ARRAY_LEN(expected);) {
        REQUIRE_OK(pgc_listener_next(listener, 20 * SECOND_US, &event, &s.err), &s.err);
        if (event.kind == PGC_EVENT_NOTIFY) {
            CHECK_STR(event.payload, expected[i++]);
        }
    }
    pgc_listener_close(listener);
}

static void retried_jobs_come_again(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, false));
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_job (state, args, kind, attempt, max_attempts, "
                              "finalized_at) VALUES ('discarded', '{}', 'a', 3, 3, now()), "
                              "('completed', '{}', 'a', 1, 3, now())"));
    REQUIRE_OK(river_job_retry(s.client, NULL, 1, &s.jobs, &s.err), &s.err);
    CHECK_INT(river_jobs_at(s.jobs, 0)->max_attempts, 4);
    REQUIRE_OK(river_job_retry(s.client, NULL, 2, NULL, &s.err), &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(concat_ws(' ', state, attempt, max_attempts, "
                           "finalized_at IS NULL), ', ' ORDER BY id) FROM river_job"),
              "available 3 4 t, available 1 3 t");
}

static void lists_go_on_behind_a_cursor(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, false));
    REQUIRE(scratch_do(&s.db,
                       "INSERT INTO river_job (args, kind, queue, priority, tags, metadata, "
                       "scheduled_at) SELECT '{}', 'kind_' || i % 3, 'q' || i % 2, 1 + i % 4, "
                       "ARRAY['tag_' || i % 5, 'all'], jsonb_build_object('n', i % 7), "
                       "'2026-01-01'::timestamptz + (i % 10) * interval '1 h' "
                       "FROM generate_series(1, 100) AS i"));
    river_filter filter = { .struct_size = sizeof(filter),
                            .order = RIVER_ORDER_SCHEDULED_AT,
                            .descending = true,
                            .limit = 7 };
    char cursor[RIVER_CURSOR_SIZE];
    size_t seen = 0;
    int64_t last_us = INT64_MAX, last_id = INT64_MAX;
    for (;;) {
        river_jobs *page = NULL;
        REQUIRE_OK(river_job_list(s.client, NULL, &filter, &page, &s.err), &s.err);
        size_t count = river_jobs_count(page);
        for (size_t i = 0; i < count; i++) {
            const river_job *job = river_jobs_at(page, i);
            CHECK(job->scheduled_at.us < last_us ||
                  (job->scheduled_at.us == last_us && job->id < last_id));
            last_us = job->scheduled_at.us;
            last_id = job->id;
        }
        seen += count;
        if (count > 0) {
            REQUIRE_OK(river_job_cursor(river_jobs_at(page, count - 1), &filter, cursor,
                                        sizeof(cursor), &s.err),
                       &s.err);
        }
        river_jobs_free(page);
        filter.after = cursor;
        if (count < 7) {
            break;
        }
    }
    CHECK_INT(seen, 100);
    filter.order = RIVER_ORDER_ID;
    CHECK_INT(river_job_list(s.client, NULL, &filter, &s.jobs, &s.err), PGC_INVALID);
    CHECK_STR(s.err.message, "cursor: made for another order");
    filter.after = "!!";
    CHECK_INT(river_job_list(s.client, NULL, &filter, &s.jobs, &s.err), PGC_INVALID);
}

static size_t count_of(scene *s, const river_filter *filter)
{
    river_jobs *jobs = NULL;
    if (river_job_list(s->client, NULL, filter, &jobs, &s->err) != PGC_OK) {
        return SIZE_MAX;
    }
    size_t count = river_jobs_count(jobs);
    river_jobs_free(jobs);
    return count;
}

static void filters_combine(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, false));
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_job (args, kind, queue, priority, tags, metadata) "
                              "SELECT '{}', 'kind_' || i % 3, 'q' || i % 2, 1 + i % 4, "
                              "ARRAY['tag_' || i % 5, 'all'], jsonb_build_object('n', i % 7) "
                              "FROM generate_series(0, 419) AS i"));
    const char *kinds[] = { "kind_0", "kind_1" }, *queues[] = { "q1" };
    const char *tags[] = { "all", "tag_2" };
    const int16_t priorities[] = { 1, 2 };
    const int64_t ids[] = { 1, 2, 3, 1000 };
    const river_filter base = { .struct_size = sizeof(base), .limit = 10000 };
    river_filter f = base;
    CHECK_INT(count_of(&s, &f), 420);
    f.kinds = kinds, f.kind_count = 2;
    CHECK_INT(count_of(&s, &f), 280);
    f.queues = queues, f.queue_count = 1;
    CHECK_INT(count_of(&s, &f), 140);
    f.priorities = priorities, f.priority_count = 2;
    CHECK_INT(count_of(&s, &f), 70);
    f = base;
    f.tags_all = tags, f.tags_all_count = 2;
    CHECK_INT(count_of(&s, &f), 84);
    f = base;
    f.tags_any = tags, f.tags_any_count = 2;
    CHECK_INT(count_of(&s, &f), 420);
    f = base;
    f.metadata = SLICE("{\"n\": 3}");
    CHECK_INT(count_of(&s, &f), 60);
    f.states = RIVER_STATE_BIT(RIVER_COMPLETED);
    CHECK_INT(count_of(&s, &f), 0);
    f = base;
    f.ids = ids, f.id_count = 4;
    CHECK_INT(count_of(&s, &f), 3);
    f.limit = 10001;
    CHECK_INT(river_job_list(s.client, NULL, &f, &s.jobs, &s.err), PGC_INVALID);
    f = base;
    f.order = RIVER_ORDER_FINALIZED_AT;
    CHECK_INT(river_job_list(s.client, NULL, &f, &s.jobs, &s.err), PGC_INVALID);
    CHECK_INT(river_job_delete_many(s.client, NULL, &base, NULL, &s.err), PGC_INVALID);
    f = base;
    f.queues = queues, f.queue_count = 1;
    REQUIRE_OK(river_job_delete_many(s.client, NULL, &f, &s.jobs, &s.err), &s.err);
    CHECK_INT(river_jobs_count(s.jobs), 210);
    int64_t counts[RIVER_STATE_COUNT];
    REQUIRE_OK(river_job_count(s.client, NULL, counts, &s.err), &s.err);
    CHECK_INT(counts[RIVER_AVAILABLE], 210);
}

static void foreign_payloads_do_no_harm(void)
{
    static const char *const payloads[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"queue\": 7}",
        "{\"queue\": \"none\"}",
        "{\"action\": \"cancel\"}",
        "{\"action\": \"cancel\", \"queue\": \"*\", \"job_id\": \"x\"}",
        "{\"action\": \"explode\", \"queue\": \"default\"}",
    };
    SCENE(s);
    REQUIRE(open_client(&s, true));
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        notify_dispatch(s.client->runtime, SLICE(TOPIC_INSERT), pgc_text_from(payloads[i]));
        notify_dispatch(s.client->runtime, SLICE(TOPIC_CONTROL), pgc_text_from(payloads[i]));
        notify_dispatch(s.client->runtime, SLICE(TOPIC_LEADERSHIP), pgc_text_from(payloads[i]));
        notify_dispatch(s.client->runtime, SLICE("river_unknown"), pgc_text_from(payloads[i]));
    }
    CHECK_INT(river_client_stop(s.client, RIVER_STOP_SOFT, -1, &s.err), PGC_OK);
}

TAP_MAIN(TAP("river manage: programs of an older header go on working",
             programs_of_an_older_header_go_on_working),
         TAP("river manage: programs of a newer header hear what is not known",
             programs_of_a_newer_header_hear_what_is_not_known),
         TAP("river manage: a cancel ends every waiting state", a_cancel_ends_every_waiting_state),
         TAP("river manage: a running job is told and ends cancelled",
             a_running_job_is_told_and_ends_cancelled),
         TAP("river manage: a paused queue rests", a_paused_queue_rests),
         TAP("river manage: notifications come once per cooldown",
             notifications_come_once_per_cooldown),
         TAP("river manage: retried jobs come again", retried_jobs_come_again),
         TAP("river manage: lists go on behind a cursor", lists_go_on_behind_a_cursor),
         TAP("river manage: filters combine", filters_combine),
         TAP("river manage: foreign payloads do no harm", foreign_payloads_do_no_harm))
