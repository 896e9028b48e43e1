/* Control and leadership across: cancel, pause, who leads. */
#include "base/prelude.h"

#include <sched.h>

#include <river/ext.h>

#include "river_peer.h"

#define START_GO "start {\"kinds\":[\"shared\",\"theirs\"],\"queues\":{\"default\":8}}"

static const char ONE_LEADER[] = "SELECT count(*) = 1 FROM river_leader";

/* Who leads by the row; false after half a minute. */
static bool leads(mixed *m, const char *id)
{
    const char *sql =
        arena_printf(m->s.mem, "SELECT count(*) = 1 FROM river_leader WHERE leader_id = '%s'", id);
    return sql != NULL && mixed_until(m, sql);
}

static void go_cancels_what_we_run(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_start(&m, &(mixed_options) { 0 }, &m.s.client));
    CHECK_STR(go_say(&m.go[0], "insert {\"kind\":\"shared\",\"args\":{\"do\":\"wait\"}}"), "1 1");
    while (atomic_load(&m.running) < 1) {
        sched_yield();
    }
    CHECK(strncmp(go_say(&m.go[0], "cancel 1"), "running", 7) == 0);
    CHECK(mixed_until(&m, "SELECT state = 'cancelled' FROM river_job WHERE id = 1"));
    CHECK_STR(go_say(&m.go[0], "get 1"), "cancelled 1 JobCancelError: job cancelled remotely");
    /* Told to end, but done all the same: that counts. */
    CHECK_STR(
        go_say(&m.go[0],
               "insert {\"kind\":\"shared\",\"args\":{\"do\":\"wait\",\"then\":\"succeed\"}}"),
        "2 1");
    while (atomic_load(&m.running) < 1) {
        sched_yield();
    }
    CHECK(strncmp(go_say(&m.go[0], "cancel 2"), "running", 7) == 0);
    CHECK(mixed_until(&m, "SELECT state = 'completed' FROM river_job WHERE id = 2"));
    CHECK_STR(mixed_text(&m, "SELECT (metadata ? 'cancel_attempted_at')::text FROM river_job "
                             "WHERE id = 2"),
              "true");
}

static void we_cancel_what_go_runs(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_open(&m, &(mixed_options) { 0 }, &m.s.client));
    CHECK_STR(go_say(&m.go[0], START_GO), "ok");
    river_insert job = { .struct_size = sizeof job,
                         .kind = "shared",
                         .args = SLICE("{\"do\":\"wait\"}") };
    int64_t id = mixed_insert(&m, &job);
    CHECK(mixed_until(&m, "SELECT state = 'running' FROM river_job"));
    REQUIRE_OK(river_job_cancel(m.s.client, NULL, id, NULL, &m.s.err), &m.s.err);
    CHECK(mixed_until(&m, "SELECT state = 'cancelled' FROM river_job"));
    CHECK_STR(go_do(&m.go[0], "get %" PRId64, id),
              "cancelled 1 JobCancelError: job cancelled remotely");
}

static void go_pauses_and_resumes_us(void)
{
    MIXED(m, 1);
    river_subscription *events = NULL;
    river_event *event = NULL;
    REQUIRE(mixed_open(&m, &(mixed_options) { .poll_us = 3600 * SECOND_US }, &m.s.client));
    REQUIRE_OK(
        river_subscribe(m.s.client, RIVER_EVENT_PAUSED | RIVER_EVENT_RESUMED, 0, &events, &m.s.err),
        &m.s.err);
    REQUIRE_OK(river_client_start(m.s.client, &m.s.err), &m.s.err);
    static const char *const names[] = { "default", "*" };
    for (int i = 0; i < 2; i++) {
        CHECK_STR(go_do(&m.go[0], "pause %s", names[i]), "ok");
        REQUIRE(river_subscription_next(events, 20 * SECOND_US, &event) == PGC_OK);
        CHECK_INT(event->kind, RIVER_EVENT_PAUSED);
        river_event_free(event);
        int calls = atomic_load(&m.s.calls);
        CHECK_STR(go_say(&m.go[0], "insert {\"kind\":\"shared\"}"), i == 0 ? "1 1" : "2 1");
        CHECK_STR(mixed_text(&m, "SELECT state::text FROM river_job ORDER BY id DESC LIMIT 1"),
                  "available");
        CHECK_INT(atomic_load(&m.s.calls), calls);
        CHECK_STR(go_do(&m.go[0], "resume %s", names[i]), "ok");
        CHECK(mixed_until(&m, "SELECT bool_and(state = 'completed') FROM river_job"));
        REQUIRE(river_subscription_next(events, 20 * SECOND_US, &event) == PGC_OK);
        CHECK_INT(event->kind, RIVER_EVENT_RESUMED);
        river_event_free(event);
    }
    river_unsubscribe(events);
}

static void a_poll_only_client_sees_the_pause_too(void)
{
    MIXED(m, 1);
    river_subscription *events = NULL;
    river_event *event = NULL;
    REQUIRE(mixed_open(&m, &(mixed_options) { .poll_only = true }, &m.s.client));
    REQUIRE_OK(river_subscribe(m.s.client, RIVER_EVENT_PAUSED, 0, &events, &m.s.err), &m.s.err);
    REQUIRE_OK(river_client_start(m.s.client, &m.s.err), &m.s.err);
    CHECK_STR(go_say(&m.go[0], "pause default"), "ok");
    REQUIRE(river_subscription_next(events, 20 * SECOND_US, &event) == PGC_OK);
    river_event_free(event);
    river_unsubscribe(events);
    CHECK_STR(go_say(&m.go[0], "insert {\"kind\":\"shared\"}"), "1 1");
    CHECK_STR(mixed_text(&m, "SELECT state::text FROM river_job"), "available");
    CHECK_STR(go_say(&m.go[0], "resume default"), "ok");
    CHECK(mixed_until(&m, "SELECT state = 'completed' FROM river_job"));
}

static void we_pause_and_resume_go(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_open(&m, &(mixed_options) { 0 }, &m.s.client));
    CHECK_STR(go_say(&m.go[0], START_GO), "ok");
    river_insert job = { .struct_size = sizeof job, .kind = "shared" };
    REQUIRE_OK(river_queue_pause(m.s.client, NULL, "default", &m.s.err), &m.s.err);
    for (int i = 0; i < 2000 && strcmp(go_say(&m.go[0], "paused"), "1") != 0; i++) {
        clock_os()->sleep_us(NULL, 5000);
    }
    CHECK_STR(go_say(&m.go[0], "paused"), "1");
    CHECK(mixed_insert(&m, &job) > 0);
    CHECK_STR(mixed_text(&m, "SELECT state::text FROM river_job"), "available");
    REQUIRE_OK(river_queue_resume(m.s.client, NULL, "*", &m.s.err), &m.s.err);
    CHECK(mixed_until(&m, "SELECT state = 'completed' FROM river_job"));
}

static void leadership_moves_by_clean_stops(void)
{
    MIXED(m, 2);
    const mixed_options ours = { .id = "ours", .lead = true };
    CHECK_STR(go_say(&m.go[0], START_GO), "ok");
    CHECK(leads(&m, "go_one"));
    REQUIRE(mixed_start(&m, &ours, &m.s.client));
    CHECK_STR(go_say(&m.go[0], "stop"), "ok");
    CHECK(leads(&m, "ours")); /* its resignation was heard: not the term's end */
    while (!river_client_leads(m.s.client)) {
        sched_yield();
    }
    CHECK_STR(go_say(&m.go[1], START_GO), "ok");
    CHECK_STR(mixed_text(&m, ONE_LEADER), "t");
    REQUIRE_OK(river_client_stop(m.s.client, RIVER_STOP_SOFT, -1, &m.s.err), &m.s.err);
    CHECK(leads(&m, "go_two"));
    CHECK(!river_client_leads(m.s.client));
}

static void leadership_moves_by_request(void)
{
    MIXED(m, 1);
    REQUIRE(mixed_start(&m, &(mixed_options) { .id = "ours", .lead = true }, &m.s.client));
    CHECK(leads(&m, "ours"));
    CHECK(scratch_do(&m.s.db, "CREATE TABLE terms AS SELECT elected_at FROM river_leader"));
    static const char NEW_TERM[] =
        "SELECT count(*) = 1 FROM river_leader WHERE elected_at NOT IN (SELECT * FROM terms)";
    CHECK_STR(go_say(&m.go[0], "resign"), "ok");
    CHECK(mixed_until(&m, NEW_TERM));
    CHECK_STR(go_say(&m.go[0], START_GO), "ok");
    REQUIRE_OK(river_client_stop(m.s.client, RIVER_STOP_SOFT, -1, &m.s.err), &m.s.err);
    CHECK(leads(&m, "go_one"));
    CHECK(scratch_do(&m.s.db, "INSERT INTO terms SELECT elected_at FROM river_leader"));
    REQUIRE_OK(river_client_request_resign(m.s.client, NULL, &m.s.err), &m.s.err);
    CHECK(mixed_until(&m, NEW_TERM));
}

/* A killed leader says nothing: the term must end by itself, 15 s, and then an attempt comes. */
static void leadership_moves_by_kills(void)
{
    MIXED(m, 2);
    REQUIRE(go_say(&m.go[0], START_GO) != NULL && !m.go[0].failed);
    CHECK(leads(&m, "go_one"));
    REQUIRE(mixed_start(&m, &(mixed_options) { .id = "ours", .lead = true }, &m.s.client));
    go_kill(&m.go[0]);
    CHECK(leads(&m, "ours"));
    CHECK_STR(mixed_text(&m, ONE_LEADER), "t");
}

/* Both have the same periodic job with the same period: whoever leads, each comes once. */
static void periodic_jobs_come_once_across_leaders(void)
{
    MIXED(m, 1);
    river_insert job = { .struct_size = sizeof job,
                         .kind = "periodic",
                         .unique = { .by_period_us = SECOND_US } };
    river_periodic periodic = {
        .struct_size = sizeof periodic, .id = "shared", .interval_us = SECOND_US, .job = &job
    };
    const mixed_options ours = {
        .id = "ours", .kind = "periodic", .lead = true, .periodic = &periodic
    };
    REQUIRE(mixed_start(&m, &ours, &m.s.client));
    CHECK(leads(&m, "ours"));
    CHECK(mixed_until(&m, "SELECT count(*) >= 2 FROM river_job"));
    CHECK_STR(go_say(&m.go[0], "start {\"kinds\":[\"periodic\"],\"queues\":{\"default\":2},"
                               "\"periodic_ms\":1000}"),
              "ok");
    REQUIRE_OK(river_client_stop(m.s.client, RIVER_STOP_SOFT, -1, &m.s.err), &m.s.err);
    CHECK(leads(&m, "go_one"));
    CHECK(mixed_until(&m, "SELECT count(*) >= 5 FROM river_job"));
    CHECK_STR(mixed_text(&m, "SELECT concat_ws(' ', count(*) = count(DISTINCT unique_key), "
                             "bool_and(metadata->>'river:periodic_job_id' = 'shared'), "
                             "bool_and((metadata->>'periodic')::boolean)) FROM river_job"),
              "t t t");
}

/* Jobs of lumilio's kinds whose worker died, with a Go client for leader that knows one of them:
 * that one comes again by River's rules, is worked by us and completes once. The other, which Go
 * does not know, Go would discard after its hour; our heartbeat gives it back long before. */
static void go_rescues_our_jobs(void)
{
    MIXED(m, 1);
    REQUIRE(scratch_do(&m.s.db,
                       "INSERT INTO river_job (state, args, kind, queue, attempt, max_attempts, "
                       "attempted_at, attempted_by) VALUES "
                       "('running', '{}', 'metadata_asset', 'metadata_asset', 1, 5, "
                       "now() - interval '2 h', '{dead}'), "
                       "('running', '{}', 'thumbnail_asset', 'thumbnail_asset', 1, 5, "
                       "now() - interval '2 h', '{dead}'), "
                       "('running', '{}', 'thumbnail_asset', 'default', 1, 5, now(), '{silent}')"));
    REQUIRE_OK(river_ext_migrate(m.s.db.conn, NULL, &m.s.err), &m.s.err);
    REQUIRE(scratch_do(&m.s.db, "INSERT INTO river_ext_client VALUES ('silent', now() - "
                                "interval '1 h', now() - interval '1 min', 6000000)"));
    CHECK_STR(go_say(&m.go[0], "start {\"kinds\":[\"metadata_asset\"],\"queues\":{\"theirs\":1}}"),
              "ok");
    CHECK(leads(&m, "go_one"));
    CHECK(mixed_until(&m, "SELECT errors[1]->>'error' = 'Stuck job rescued by JobRescuer' AND "
                          "attempt = 1 FROM river_job WHERE id = 1"));
    CHECK(mixed_until(&m, "SELECT state = 'discarded' FROM river_job WHERE id = 2"));
    REQUIRE(mixed_start(
        &m, &(mixed_options) { .id = "ours", .kind = "metadata_asset", .queue = "metadata_asset" },
        &m.s.client));
    REQUIRE(mixed_start(
        &m, &(mixed_options) { .id = "more", .kind = "thumbnail_asset", .heartbeats = true },
        &m.more));
    CHECK(mixed_until(&m, "SELECT count(*) = 2 FROM river_job WHERE state = 'completed'"));
    CHECK_STR(mixed_text(&m, "SELECT string_agg(concat_ws(' ', state, attempt, attempted_by::text, "
                             "cardinality(errors)), ', ' ORDER BY id) FROM river_job"),
              "completed 2 {dead,ours} 1, discarded 1 {dead} 1, completed 2 {silent,more} 1");
    CHECK_INT(atomic_load(&m.s.calls), 2);
}

TAP_MAIN(TAP("river 30: Go cancels what we run", go_cancels_what_we_run),
         TAP("river 31: we cancel what Go runs", we_cancel_what_go_runs),
         TAP("river 39: Go pauses and resumes us", go_pauses_and_resumes_us),
         TAP("river 39: a client that only polls sees the pause too",
             a_poll_only_client_sees_the_pause_too),
         TAP("river 39: we pause and resume Go", we_pause_and_resume_go),
         TAP("river 42: leadership moves by clean stops, both ways",
             leadership_moves_by_clean_stops),
         TAP("river 42: leadership moves when the leader is killed", leadership_moves_by_kills),
         TAP("river 43: leadership moves by request, both ways", leadership_moves_by_request),
         TAP("river 46: a Go leader rescues our jobs, heartbeats those it does not know",
             go_rescues_our_jobs),
         TAP("river 47: periodic jobs come once across two leaders",
             periodic_jobs_come_once_across_leaders))
