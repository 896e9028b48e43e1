/* Leadership and what only the leader does. */
#include "base/prelude.h"

#include <sched.h>

#include "river/lead.h"
#include "river/runtime.h"

#include "river.h"

static pgc_status work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) ctx, (void) job, (void) err;
    atomic_fetch_add((atomic_int *) arg, 1);
    return PGC_OK;
}

static bool open_leader(scene *s, const river_periodic *periodics, size_t count,
                        const pgc_conn_options *conn, river_client **out)
{
    river_worker worker = {
        .struct_size = sizeof(worker), .kind = "test", .work = work, .arg = &s->calls
    };
    river_queue_options queues[] = {
        { .struct_size = sizeof(queues[0]), .name = "other", .max_workers = 2 },
        { .struct_size = sizeof(queues[0]),
          .name = "brief",
          .max_workers = 1,
          .retain_completed_us = SECOND_US },
    };
    river_client_options options = {
        .struct_size = sizeof(options),
        .pool = s->pool,
        .conn = conn,
        .queues = queues,
        .queue_count = 2,
        .workers = &worker,
        .worker_count = 1,
        .fetch_cooldown_us = 5000,
        .fetch_poll_us = 10000,
        .periodics = periodics,
        .periodic_count = count,
    };
    return river_client_open(&options, out, &s->err) == PGC_OK &&
           river_client_start(*out, &s->err) == PGC_OK;
}

static bool prepare(scene *s, const char *sql)
{
    return scratch_do(&s->db, sql);
}

static void one_of_two_leads_and_hands_over(void)
{
    SCENE(s);
    pgc_conn_options conn = { .struct_size = sizeof(conn), .conninfo = s.db.url };
    river_client *other = NULL;
    REQUIRE(open_leader(&s, NULL, 0, &conn, &s.client));
    REQUIRE(scene_comes_true(&s, "SELECT count(*) = 1 FROM river_leader"));
    while (!river_client_leads(s.client)) {
        sched_yield();
    }
    REQUIRE(open_leader(&s, NULL, 0, &conn, &other));
    CHECK(!river_client_leads(other));
    REQUIRE_OK(river_client_stop(s.client, RIVER_STOP_SOFT, -1, &s.err), &s.err);
    CHECK(!river_client_leads(s.client));
    /* What its listener would hear. */
    lead_notified(other->runtime, SLICE("{\"action\":\"resigned\",\"leader_id\":\"x\"}"));
    CHECK(scene_comes_true(&s, "SELECT count(*) = 1 FROM river_leader"));
    while (!river_client_leads(other)) {
        sched_yield();
    }
    /* A request to resign: the row goes, and comes again. */
    REQUIRE(prepare(&s, "CREATE TABLE terms AS SELECT elected_at FROM river_leader"));
    lead_notified(other->runtime, SLICE("{\"action\":\"request_resign\",\"leader_id\":\"\"}"));
    CHECK(scene_comes_true(&s, "SELECT NOT EXISTS (SELECT FROM river_leader NATURAL JOIN terms)"));
    river_client_close(other);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_leader"), "0");
}

static void due_jobs_become_available_and_unique_losers_are_discarded(void)
{
    SCENE(s);
    REQUIRE(prepare(
        &s, "INSERT INTO river_job (state, args, kind, scheduled_at, unique_key, unique_states, "
            "max_attempts) VALUES "
            "('scheduled', '{}', 'test', now() - interval '1 s', NULL, NULL, 25), "
            "('retryable', '{}', 'test', now() + interval '4 s', NULL, NULL, 25), "
            "('scheduled', '{}', 'test', now() + interval '1 h', NULL, NULL, 25), "
            "('retryable', '{}', 'test', now() - interval '1 s', '\\x01', "
            "(128 + 64 + 16 + 1)::bit(8), 25), "
            "('available', '{}', 'test', now() + interval '1 h', '\\x01', "
            "(128 + 64 + 16 + 1)::bit(8), 25)"));
    REQUIRE(open_leader(&s, NULL, 0, NULL, &s.client));
    CHECK(scene_comes_true(&s, "SELECT count(*) = 3 FROM river_job WHERE state = 'available'"));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(concat_ws(' ', state, metadata->>"
                           "'unique_key_conflict', finalized_at IS NOT NULL), ', ' ORDER BY id) "
                           "FROM river_job"),
              "available f, available f, scheduled f, discarded scheduler_discarded t, "
              "available f");
}

static void lost_jobs_are_rescued(void)
{
    SCENE(s);
    REQUIRE(prepare(
        &s, "INSERT INTO river_job (state, args, kind, attempt, max_attempts, attempted_at, "
            "metadata) VALUES "
            "('running', '{}', 'test', 1, 25, now() - interval '2 h', '{}'), "
            "('running', '{}', 'test', 25, 25, now() - interval '2 h', "
            "'{\"river:rescue_count\": 2}'), "
            "('running', '{}', 'test', 1, 25, now() - interval '2 h', "
            "'{\"cancel_attempted_at\": \"2026-01-01T00:00:00Z\"}'), "
            "('running', '{}', 'foreign', 1, 25, now() - interval '2 h', '{}'), "
            "('running', '{}', 'test', 1, 25, now() - interval '50 min', '{}')"));
    REQUIRE(open_leader(&s, NULL, 0, NULL, &s.client));
    CHECK(scene_comes_true(&s, "SELECT count(*) = 2 FROM river_job WHERE state = 'running'"));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(concat_ws(' ', state, attempt, errors[1]->>'error', "
                           "metadata->>'river:rescue_count'), ', ' ORDER BY id) FROM river_job"),
              "retryable 1 Stuck job rescued by JobRescuer 1, "
              "discarded 25 Stuck job rescued by JobRescuer 3, "
              "cancelled 1 Stuck job rescued by JobRescuer 1, running 1, running 1");
}

static void old_jobs_and_queues_are_deleted(void)
{
    SCENE(s);
    REQUIRE(prepare(&s, "INSERT INTO river_job (state, args, kind, finalized_at, queue) VALUES "
                        "('completed', '{}', 'a', now() - interval '25 h', 'default'), "
                        "('completed', '{}', 'b', now() - interval '23 h', 'default'), "
                        "('cancelled', '{}', 'c', now() - interval '25 h', 'default'), "
                        "('discarded', '{}', 'd', now() - interval '25 h', 'default'), "
                        "('discarded', '{}', 'e', now() - interval '8 d', 'default'), "
                        "('completed', '{}', 'f', now() - interval '1 min', 'brief'); "
                        "INSERT INTO river_queue (name, updated_at) VALUES "
                        "('gone', now() - interval '25 h'), ('here', now() - interval '23 h')"));
    REQUIRE(open_leader(&s, NULL, 0, NULL, &s.client));
    CHECK(scene_comes_true(&s, "SELECT count(*) = 2 FROM river_job"));
    CHECK(scene_comes_true(&s, "SELECT NOT EXISTS (SELECT FROM river_queue WHERE name = 'gone')"));
    CHECK_STR(
        scratch_text(&s.db, s.mem, "SELECT string_agg(kind, ' ' ORDER BY kind) FROM river_job"),
        "b d");
    CHECK_STR(
        scratch_text(&s.db, s.mem, "SELECT string_agg(name, ' ' ORDER BY name) FROM river_queue"),
        "brief here other");
}

static void periodic_jobs_come_with_their_time(void)
{
    SCENE(s);
    river_insert job = { .struct_size = sizeof(job),
                         .kind = "test",
                         .queue = "other",
                         .metadata = SLICE("{\"own\":1}") };
    river_periodic periodics[] = {
        { .struct_size = sizeof(periodics[0]),
          .id = "often",
          .interval_us = SECOND_US / 5,
          .job = &job },
        { .struct_size = sizeof(periodics[0]),
          .cron = "0 4 * * *",
          .time_zone = "Europe/Berlin",
          .job = &job,
          .run_on_start = true },
    };
    REQUIRE(open_leader(&s, periodics, 2, NULL, &s.client));
    CHECK(scene_comes_true(&s, "SELECT count(*) >= 4 FROM river_job WHERE state = 'completed' "
                               "AND metadata->>'river:periodic_job_id' = 'often'"));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT concat_ws(' ', min(metadata->>'periodic'), "
                           "min(metadata->>'own'), count(*) FILTER (WHERE NOT metadata ? "
                           "'river:periodic_job_id')) FROM river_job"),
              "true 1 1");
    /* Each 0.2 s after the one before, whenever it really was inserted. */
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT bool_and(step = interval '0.2 s')::text FROM (SELECT "
                           "scheduled_at - lag(scheduled_at) OVER (ORDER BY scheduled_at) AS step "
                           "FROM river_job WHERE metadata ? 'river:periodic_job_id') AS steps "
                           "WHERE step IS NOT NULL"),
              "true");
    river_periodic wrong = { .struct_size = sizeof(wrong), .cron = "0 25 * * *", .job = &job };
    CHECK_INT(river_client_periodic_add(s.client, &wrong, NULL, &s.err), PGC_INVALID);
    wrong = periodics[0];
    CHECK_INT(river_client_periodic_add(s.client, &wrong, NULL, &s.err), PGC_CONFLICT);
    CHECK_INT(river_client_periodic_remove(s.client, 99, &s.err), PGC_NOT_FOUND);
    CHECK_INT(river_client_periodic_remove(s.client, 1, &s.err), PGC_OK);
}

TAP_MAIN(TAP("river lead: one of two leads and hands over", one_of_two_leads_and_hands_over),
         TAP("river lead: due jobs become available and unique losers are discarded",
             due_jobs_become_available_and_unique_losers_are_discarded),
         TAP("river lead: lost jobs are rescued", lost_jobs_are_rescued),
         TAP("river lead: old jobs and queues are deleted", old_jobs_and_queues_are_deleted),
         TAP("river lead: periodic jobs come with their time", periodic_jobs_come_with_their_time))
