/* Items of the interoperability checklist (docs/river/acceptance.md) that no other test holds. */
#include "base/prelude.h"

#include <sched.h>

#include <pgc/listen.h>

#include "pgc/auto.h"
#include "river/runtime.h"

#include "river.h"

/* Arguments say what the handler does. */
static pgc_status handle(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    scene *s = (scene *) arg;
    atomic_fetch_add(&s->calls, 1);
    if (strstr(job->args.ptr, "fail") != NULL) {
        return pgc_error_set(err, PGC_IO, "no");
    }
    if (strstr(job->args.ptr, "snooze") != NULL) {
        river_ctx_snooze(ctx, 0);
    }
    if (strstr(job->args.ptr, "large") != NULL) {
        return river_ctx_output(ctx, (pgc_text) { job->args.ptr, RIVER_OUTPUT_MAX + 1u }, err);
    }
    if (strstr(job->args.ptr, "await") == NULL) {
        return PGC_OK;
    }
    /* Until the row is not as it was any more: somebody took it away. */
    pgc_status status = river_ctx_output(ctx, SLICE("\"late\""), err);
    while (status == PGC_OK && atomic_load(&s->calls) < 100) {
        status = river_ctx_wait(ctx, 1000);
    }
    return status;
}

static bool open_client(scene *s, int64_t poll_us)
{
    river_worker worker = {
        .struct_size = sizeof worker, .kind = "test", .work = handle, .arg = s
    };
    river_queue_options queue = { .struct_size = sizeof queue,
                                  .name = "default",
                                  .max_workers = 1 };
    river_client_options options = { .struct_size = sizeof options,
                                     .pool = s->pool,
                                     .id = "accept",
                                     .queues = &queue,
                                     .queue_count = 1,
                                     .workers = &worker,
                                     .worker_count = 1,
                                     .fetch_cooldown_us = 1000,
                                     .fetch_poll_us = poll_us,
                                     .no_lead = true };
    return CHECK_STATUS(river_client_open(&options, &s->client, &s->err), PGC_OK, &s->err);
}

static bool until(scene *s, const char *sql)
{
    const clock_ops *clock = clock_os();
    int64_t end = clock->mono_us(clock->ctx) + 20 * SECOND_US;
    while (clock->mono_us(clock->ctx) < end) {
        if (strcmp(scratch_text(&s->db, s->mem, sql), "t") == 0) {
            return true;
        }
        clock->sleep_us(clock->ctx, 2000);
    }
    return false;
}

static bool insert(scene *s, const char *args)
{
    river_insert job = { .struct_size = sizeof job, .kind = "test", .args = pgc_text_from(args) };
    return CHECK_STATUS(river_insert_one(s->client, NULL, &job, NULL, &s->err), PGC_OK, &s->err);
}

static void the_time_decides_the_state(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, 10000));
    pgc_opt_timestamptz later = { true, { INT64_C(900000000000000) } }, past = { true, { 0 } };
    const river_insert jobs[] = {
        { .struct_size = sizeof jobs[0], .kind = "test", .scheduled_at = later },
        { .struct_size = sizeof jobs[0], .kind = "test", .scheduled_at = past },
        { .struct_size = sizeof jobs[0], .kind = "test", .scheduled_at = later, .pending = true },
    };
    REQUIRE_OK(river_insert_many(s.client, NULL, jobs, ARRAY_LEN(jobs), NULL, &s.err), &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(concat_ws(' ', state, scheduled_at > now()), ', ' "
                           "ORDER BY id) FROM river_job"),
              "scheduled t, scheduled f, pending t");
}

/* What a listener hears of inserts until the word "end". */
static void heard(scene *s, pgc_listener *listener, char *text, size_t size)
{
    pgc_event event;
    text[0] = '\0';
    if (!CHECK(scratch_do(&s->db, "NOTIFY \"public.river_insert\", 'end'"))) {
        return;
    }
    for (;;) {
        if (!CHECK_STATUS(pgc_listener_next(listener, 20 * SECOND_US, &event, &s->err), PGC_OK,
                          &s->err)) {
            return;
        }
        if (event.kind != PGC_EVENT_NOTIFY) {
            continue;
        }
        if (strcmp(event.payload, "end") == 0) {
            return;
        }
        size_t at = strlen(text);
        (void) snprintf(text + at, size - at, "%s", event.payload);
    }
}

static void a_commit_tells_and_a_rollback_does_not(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, 10000));
    pgc_listener_options options = { .struct_size = sizeof options,
                                     .conn = { .struct_size = sizeof options.conn,
                                               .conninfo = s.db.url } };
    pgc_listener *listener = NULL;
    char text[200];
    REQUIRE_OK(pgc_listener_open(&options, &listener, &s.err), &s.err);
    CHECK_STATUS(pgc_listener_listen(listener, "public.river_insert", -1, &s.err), PGC_OK, &s.err);
    const char *const queues[] = { "back", "there" };
    for (size_t i = 0; i < 2; i++) {
        AUTO(tx_auto) pgc_tx *tx = NULL;
        river_insert job = { .struct_size = sizeof job, .kind = "test", .queue = queues[i] };
        CHECK_STATUS(pgc_tx_begin(s.pool, NULL, &tx, &s.err), PGC_OK, &s.err);
        CHECK_STATUS(river_insert_one(s.client, pgc_tx_db(tx), &job, NULL, &s.err), PGC_OK, &s.err);
        CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_job"), "0");
        if (i == 1) {
            CHECK_STATUS(pgc_tx_commit(&tx, &s.err), PGC_OK, &s.err);
        }
    }
    heard(&s, listener, text, sizeof text);
    CHECK_STR(text, "{\"queue\": \"there\"}");
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT string_agg(queue, ' ') FROM river_job"), "there");
    /* Jobs that are not due tell nobody. */
    const river_insert waiting[] = {
        { .struct_size = sizeof waiting[0], .kind = "test", .queue = "later", .pending = true },
        { .struct_size = sizeof waiting[0],
          .kind = "test",
          .queue = "later",
          .scheduled_at = { true, { INT64_C(900000000000000) } } },
    };
    CHECK_STATUS(river_insert_many(s.client, NULL, waiting, 2, NULL, &s.err), PGC_OK, &s.err);
    heard(&s, listener, text, sizeof text);
    CHECK_STR(text, "");
    pgc_listener_close(listener);
}

static void the_states_decide_whether_a_key_is_free(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, 10000));
    static const struct {
        const char *state;
        bool open_only;
        bool duplicate;
    } cases[] = { { "cancelled", false, false }, { "discarded", false, false },
                  { "completed", false, true },  { "retryable", false, true },
                  { "completed", true, false },  { "scheduled", true, true } };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        river_states by =
            cases[i].open_only ? (river_states) (RIVER_STATES_ALL & ~RIVER_STATES_FINAL) : 0;
        char kind[16];
        (void) snprintf(kind, sizeof kind, "kind%zu", i);
        river_insert job = { .struct_size = sizeof job,
                             .kind = kind,
                             .unique = { .by_queue = true, .by_state = by } };
        river_client *client = NULL;
        river_client_options options = { .struct_size = sizeof options, .pool = s.pool };
        REQUIRE_OK(river_client_open(&options, &client, &s.err), &s.err);
        CHECK_STATUS(river_insert_one(client, NULL, &job, NULL, &s.err), PGC_OK, &s.err);
        CHECK(scratch_do(&s.db,
                         arena_printf(s.mem,
                                      "UPDATE river_job SET state = '%s', finalized_at = CASE WHEN "
                                      "'%s' IN ('cancelled', 'discarded', 'completed') THEN now() "
                                      "END WHERE kind = '%s'",
                                      cases[i].state, cases[i].state, kind)));
        river_jobs *jobs = NULL;
        CHECK_STATUS(river_insert_one(client, NULL, &job, &jobs, &s.err), PGC_OK, &s.err);
        if (!CHECK(river_jobs_duplicate(jobs, 0) == cases[i].duplicate)) {
            printf("# %s %d\n", cases[i].state, cases[i].open_only);
        }
        river_jobs_free(jobs);
        river_client_close(client);
    }
}

static void silent_rows_are_found_by_polling(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, 20000));
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    /* As Ruby's and Python's clients do: no notification. */
    CHECK(scratch_do(&s.db, "INSERT INTO river_job (args, kind) VALUES ('{}', 'test')"));
    CHECK(until(&s, "SELECT state = 'completed' FROM river_job"));
}

static void the_order_is_priority_time_id(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db,
                       "INSERT INTO river_job (args, kind, priority, scheduled_at) SELECT '{}', "
                       "'test', 1 + i % 4, now() - (i % 3) * interval '1 h' "
                       "FROM generate_series(1, 40) AS i"));
    REQUIRE(open_client(&s, 1000)); /* one place: one after the other */
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    CHECK(until(&s, "SELECT bool_and(state = 'completed') FROM river_job"));
    CHECK_STR(
        scratch_text(&s.db, s.mem,
                     "SELECT bool_and(a = b)::text FROM (SELECT row_number() OVER (ORDER BY "
                     "attempted_at) AS a, row_number() OVER (ORDER BY priority, scheduled_at, "
                     "id) AS b FROM river_job) AS t"),
        "true");
}

static void a_fetch_marks_the_row(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_job (args, kind, attempt, attempted_by) SELECT "
                              "'{\"do\": \"await\"}', 'test', 99, array_agg('c' || i ORDER BY i) "
                              "FROM generate_series(1, 100) AS i"));
    REQUIRE(open_client(&s, 10000));
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    CHECK(until(&s, "SELECT state = 'running' FROM river_job"));
    CHECK_STR(scene_row(&s, "concat_ws(' ', attempt, cardinality(attempted_by), attempted_by[1], "
                            "attempted_by[99], attempted_by[100], "
                            "attempted_at BETWEEN now() - interval '1 min' AND now())"),
              "100 100 c2 c100 accept t");
    atomic_store(&s.calls, 100);
}

static void failures_wait_longer_each_time(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, 10000));
    REQUIRE(insert(&s, "{\"do\":\"fail\"}"));
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    CHECK(until(&s, "SELECT cardinality(errors) = 1 FROM river_job"));
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, attempt, (SELECT string_agg(k, ',' ORDER BY k) "
                            "FROM jsonb_object_keys(errors[1]) AS k), scheduled_at - "
                            "(errors[1]->>'at')::timestamptz BETWEEN interval '0.9 s' AND "
                            "interval '1.6 s')"),
              "available 1 at,attempt,error,trace t");
    /* The second comes within a moment of its time. */
    CHECK(until(&s, "SELECT cardinality(errors) = 2 FROM river_job"));
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, attempt, scheduled_at - "
                            "(errors[2]->>'at')::timestamptz BETWEEN interval '14.4 s' AND "
                            "interval '18.5 s')"),
              "retryable 2 t");
    /* The last one. */
    CHECK(scratch_do(&s.db, "UPDATE river_job SET state = 'available', scheduled_at = now(), "
                            "max_attempts = 3"));
    CHECK(until(&s, "SELECT cardinality(errors) = 3 FROM river_job"));
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, attempt, finalized_at IS NOT NULL)"),
              "discarded 3 t");
}

static void a_short_snooze_is_available(void)
{
    SCENE(s);
    REQUIRE(open_client(&s, 10000));
    REQUIRE(insert(&s, "{\"do\":\"snooze\"}"));
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    CHECK(until(&s, "SELECT (metadata->>'snoozes')::int >= 2 FROM river_job"));
    REQUIRE_OK(river_client_stop(s.client, RIVER_STOP_SOFT, -1, &s.err), &s.err);
    CHECK_STR(scene_row(&s, "concat_ws(' ', state, attempt, errors IS NULL)"), "available 0 t");
}

/* Deleted, or rescued by somebody else, while it runs. */
static void what_was_taken_away_stays_away(void)
{
    static const struct {
        const char *change, *after;
    } cases[] = {
        { "DELETE FROM river_job", "(null)" },
        { "UPDATE river_job SET state = 'retryable', scheduled_at = now() + interval '1 h'",
          "retryable 1 t \"late\"" },
        { "UPDATE river_job SET state = 'cancelled', finalized_at = now()",
          "cancelled 1 t \"late\"" },
        { "UPDATE river_job SET attempt = 2, attempted_by = attempted_by || 'other'::text",
          "running 2 t \"late\"" },
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        SCENE(s);
        REQUIRE(open_client(&s, 10000));
        REQUIRE(insert(&s, "{\"do\":\"await\"}"));
        REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
        while (atomic_load(&s.calls) == 0) {
            sched_yield();
        }
        REQUIRE(scratch_do(&s.db, cases[i].change));
        atomic_store(&s.calls, 100);
        REQUIRE_OK(river_client_stop(s.client, RIVER_STOP_SOFT, -1, &s.err), &s.err);
        CHECK_STR(
            scene_row(&s, "concat_ws(' ', state, attempt, errors IS NULL, metadata->'output')"),
            cases[i].after);
    }
}

/* Texts that the server refuses must not hold up other outcomes; the state is stored without them.
 */
static void an_outcome_that_is_refused_holds_up_no_other(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "ALTER TABLE river_job ADD CONSTRAINT odd CHECK "
                              "(NOT metadata ? 'output' OR metadata->>'output' <> 'late')"));
    REQUIRE(open_client(&s, 10000));
    REQUIRE(insert(&s, "{\"do\":\"await\"}"));
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    while (atomic_load(&s.calls) == 0) {
        sched_yield();
    }
    atomic_store(&s.calls, 100);
    REQUIRE(insert(&s, "{}"));
    CHECK(until(&s, "SELECT bool_and(state = 'completed') FROM river_job"));
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT string_agg(metadata::text, ' ') FROM river_job"),
              "{} {}");
}

static void a_queue_row_keeps_what_others_set(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_queue (name, metadata, paused_at, created_at, "
                              "updated_at) VALUES ('default', '{\"a\": 1}', now(), "
                              "'2026-01-01Z', '2026-01-01Z')"));
    REQUIRE(open_client(&s, 1000));
    REQUIRE(insert(&s, "{}"));
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    static const char ROW[] =
        "SELECT concat_ws(' ', metadata, paused_at IS NOT NULL, "
        "extract(year FROM created_at), updated_at > now() - interval '1 min') "
        "FROM river_queue";
    CHECK_STR(scratch_text(&s.db, s.mem, ROW), "{\"a\": 1} t 2026 t");
    CHECK_STR(scene_row(&s, "state"), "available"); /* started on a paused queue: no fetch */
    /* And now and then it is touched again. */
    REQUIRE(scratch_do(&s.db, "UPDATE river_queue SET updated_at = '2026-01-01Z'"));
    producer_look(CONTAINER_OF(s.client->runtime->producers.next, producer, link));
    CHECK(until(&s, "SELECT updated_at > now() - interval '1 min' FROM river_queue"));
    CHECK_STR(scratch_text(&s.db, s.mem, ROW), "{\"a\": 1} t 2026 t");
}

static void nothing_is_deleted_when_told_so(void)
{
    SCENE(s);
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_job (state, args, kind, finalized_at) SELECT "
                              "s::river_job_state, '{}', 'test', '2020-01-01Z' FROM "
                              "unnest(ARRAY['completed', 'cancelled', 'discarded']) AS s; "
                              "INSERT INTO river_job (state, args, kind, scheduled_at) VALUES "
                              "('scheduled', '{}', 'test', now())"));
    river_worker worker = {
        .struct_size = sizeof worker, .kind = "test", .work = handle, .arg = &s
    };
    river_queue_options queue = { .struct_size = sizeof queue, .name = "other", .max_workers = 1 };
    river_client_options options = { .struct_size = sizeof options,
                                     .pool = s.pool,
                                     .queues = &queue,
                                     .queue_count = 1,
                                     .workers = &worker,
                                     .worker_count = 1,
                                     .retain_completed_us = -1,
                                     .retain_cancelled_us = -1,
                                     .retain_discarded_us = SECOND_US };
    REQUIRE_OK(river_client_open(&options, &s.client, &s.err), &s.err);
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    CHECK(until(&s, "SELECT count(*) = 0 FROM river_job WHERE state = 'discarded'"));
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_job"), "3");
}

/* Its sessions are ended again and again; it leads on, or again. */
static void an_election_survives_lost_sessions(void)
{
    SCENE(s);
    river_worker worker = {
        .struct_size = sizeof worker, .kind = "test", .work = handle, .arg = &s
    };
    river_queue_options queue = { .struct_size = sizeof queue,
                                  .name = "default",
                                  .max_workers = 1 };
    pgc_conn_options conn = { .struct_size = sizeof conn, .conninfo = s.db.url };
    river_client_options options = { .struct_size = sizeof options,
                                     .pool = s.pool,
                                     .conn = &conn,
                                     .id = "accept",
                                     .queues = &queue,
                                     .queue_count = 1,
                                     .workers = &worker,
                                     .worker_count = 1 };
    REQUIRE_OK(river_client_open(&options, &s.client, &s.err), &s.err);
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    CHECK(until(&s, "SELECT count(*) = 1 FROM river_leader"));
    CHECK(scratch_do(&s.db, "CREATE TABLE term AS SELECT expires_at FROM river_leader; "
                            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                            "WHERE datname = current_database() AND pid <> pg_backend_pid()"));
    CHECK(until(&s, "SELECT r.expires_at > t.expires_at FROM river_leader AS r, term AS t"));
    CHECK(river_client_leads(s.client));
    CHECK(scratch_do(&s.db, "INSERT INTO river_job (args, kind) VALUES ('{}', 'test')"));
    CHECK(until(&s, "SELECT state = 'completed' FROM river_job"));
}

TAP_MAIN(TAP("river 8: the time decides the state", the_time_decides_the_state),
         TAP("river 10: a commit tells and a rollback does not",
             a_commit_tells_and_a_rollback_does_not),
         TAP("river 15: the states decide whether a key is free",
             the_states_decide_whether_a_key_is_free),
         TAP("river 18: silent rows are found by polling", silent_rows_are_found_by_polling),
         TAP("river 20: the order is priority, time, id", the_order_is_priority_time_id),
         TAP("river 23: a fetch marks the row", a_fetch_marks_the_row),
         TAP("river 26: failures wait longer each time", failures_wait_longer_each_time),
         TAP("river 28: a short snooze is available", a_short_snooze_is_available),
         TAP("river 33: what was taken away stays away", what_was_taken_away_stays_away),
         TAP("river 34: an outcome that is refused holds up no other",
             an_outcome_that_is_refused_holds_up_no_other),
         TAP("river 38: a queue's row keeps what others set", a_queue_row_keeps_what_others_set),
         TAP("river 45: nothing is deleted when told so", nothing_is_deleted_when_told_so),
         TAP("river 49: an election survives lost sessions", an_election_survives_lost_sessions))
