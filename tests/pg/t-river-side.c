/* What our side tables are for: heartbeats, limits over all clients, durable periodic jobs; and
 * jobs that are deleted instead of completed. */
#include "base/prelude.h"

#include <river/ext.h>

#include "river/side.h"
#include "river/store_ext.h"

#include "river.h"

#define CLIENTS 3u

/* What handlers of all clients do at once. */
typedef struct crowd {
    atomic_int now, most, done;
} crowd;

static pgc_status work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    crowd *c = (crowd *) arg;
    int now = atomic_fetch_add(&c->now, 1) + 1, most = atomic_load(&c->most);
    while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now)) {
        continue;
    }
    pgc_status status = PGC_OK;
    if (strstr(job->args.ptr, "fail") != NULL) {
        status = pgc_error_set(err, PGC_IO, "broken");
    } else if (strstr(job->args.ptr, "output") != NULL) {
        status = river_ctx_output(ctx, SLICE("1"), err);
    } else if (strstr(job->args.ptr, "linger") != NULL) {
        status = river_ctx_wait(ctx, 3000);
    }
    atomic_fetch_sub(&c->now, 1);
    atomic_fetch_add(&c->done, 1);
    return status;
}

static river_client_options options_of(const scene *s, const river_queue_options *queue,
                                       const river_worker *worker)
{
    return (river_client_options) { .struct_size = sizeof(river_client_options),
                                    .pool = s->pool,
                                    .queues = queue,
                                    .queue_count = 1,
                                    .workers = worker,
                                    .worker_count = 1,
                                    .fetch_cooldown_us = 2000,
                                    .fetch_poll_us = 5000,
                                    .heartbeat_us = 20000,
                                    .no_lead = true };
}

#define WORKER(name, crowd_of)                                                        \
    const river_worker name = {                                                       \
        .struct_size = sizeof(name), .kind = "test", .work = work, .arg = &(crowd_of) \
    }
#define QUEUE(variable, ...)                                                              \
    const river_queue_options variable = {                                                \
        .struct_size = sizeof(variable), .name = "default", .max_workers = 8, __VA_ARGS__ \
    }

static bool run_client(scene *s, const river_client_options *options, river_client **out)
{
    return river_client_open(options, out, &s->err) == PGC_OK &&
           river_client_start(*out, &s->err) == PGC_OK;
}

#define SIDE_TABLES                                         \
    "SELECT count(*)::text FROM pg_class WHERE relname IN " \
    "('river_ext_client', 'river_ext_queue', 'river_ext_periodic')"

static void tables_come_only_when_asked_for(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(plain, .retain_completed_us = 1);
    QUEUE(limited, .global_limit = 1);
    river_client_options options = options_of(&s, &plain, &worker);
    REQUIRE_OK(river_client_open(&options, &s.client, &s.err), &s.err);
    river_client_close(TAKE(s.client));
    CHECK_STR(scratch_text(&s.db, s.mem, SIDE_TABLES), "0");
    options.queues = &limited;
    REQUIRE_OK(river_client_open(&options, &s.client, &s.err), &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem, SIDE_TABLES), "3");
    CHECK_STATUS(river_ext_migrate(s.db.conn, NULL, &s.err), PGC_OK, &s.err);
    CHECK_STATUS(river_ext_migrate(s.db.conn, "public", &s.err), PGC_OK, &s.err);
    CHECK_STATUS(river_ext_remove(s.db.conn, "public", &s.err), PGC_OK, &s.err);
    CHECK_STATUS(river_ext_remove(s.db.conn, NULL, &s.err), PGC_OK, &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem, SIDE_TABLES), "0");
    CHECK(river_ext_migrate(s.db.conn, "no such schema", &s.err) != PGC_OK);
    CHECK(scratch_do(&s.db, "SELECT 1")); /* no transaction was left open */
}

static void a_role_without_rights_is_told_the_way_out(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(limited, .global_limit = 1);
    river_client_options options = options_of(&s, &limited, &worker);
    pgc_pool *pool = NULL;
    const char *role = scratch_text(&s.db, s.mem, "SELECT 'side_' || current_database()");
    REQUIRE(role != NULL);
    REQUIRE(scratch_do(&s.db, arena_printf(s.mem,
                                           "CREATE ROLE \"%s\"; GRANT USAGE ON SCHEMA public TO "
                                           "\"%s\"",
                                           role, role)));
    pgc_pool_options lesser = {
        .struct_size = sizeof(lesser),
        .conn = { .struct_size = sizeof(lesser.conn), .conninfo = s.db.url, .role = role }
    };
    REQUIRE_OK(pgc_pool_open(&lesser, &pool, &s.err), &s.err);
    options.pool = pool;
    CHECK_STATUS(river_client_open(&options, &s.client, &s.err), PGC_DENIED, &s.err);
    CHECK(strstr(s.err.hint, "ext-migrate-up") != NULL);
    CHECK_STATUS(river_ext_migrate(s.db.conn, NULL, &s.err), PGC_OK, &s.err);
    CHECK_STATUS(river_client_open(&options, &s.client, &s.err), PGC_OK, &s.err);
    river_client_close(TAKE(s.client));
    pgc_pool_close(pool);
    CHECK(scratch_do(&s.db,
                     arena_printf(s.mem, "DROP OWNED BY \"%s\"; DROP ROLE \"%s\"", role, role)));
}

static void wrong_options_are_named(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(rate, .rate_count = 3);
    QUEUE(plain, .global_limit = 0);
    river_client_options options = options_of(&s, &rate, &worker);
    CHECK_STATUS(river_client_open(&options, &s.client, &s.err), PGC_INVALID, &s.err);
    CHECK(strstr(s.err.message, "rate_period_us") != NULL);
    const river_insert job = { .struct_size = sizeof(job), .kind = "test" };
    const river_periodic periodic = {
        .struct_size = sizeof(periodic), .interval_us = SECOND_US, .job = &job, .durable = true
    };
    options.queues = &plain;
    options.periodics = &periodic;
    options.periodic_count = 1;
    options.no_lead = false;
    CHECK_STATUS(river_client_open(&options, &s.client, &s.err), PGC_INVALID, &s.err);
    CHECK(strstr(s.err.message, "durable needs an id") != NULL);
    options.heartbeat_us = 1;
    CHECK_STATUS(river_client_open(&options, &s.client, &s.err), PGC_INVALID, &s.err);
}

static void a_client_beats_while_it_runs(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(queue, .global_limit = 0);
    river_client_options options = options_of(&s, &queue, &worker);
    options.heartbeats = true;
    options.id = "beater";
    REQUIRE(run_client(&s, &options, &s.client));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT concat_ws(' ', id, lost_after_us, started_at <= "
                           "beat_at) FROM river_ext_client"),
              "beater 120000 t");
    CHECK(scene_comes_true(&s,
                           "SELECT beat_at > started_at + interval '40 ms' FROM river_ext_client"));
    REQUIRE_OK(river_client_stop(s.client, RIVER_STOP_SOFT, -1, &s.err), &s.err);
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_ext_client"), "0");
}

/* Rows as a client that died leaves them, by id: rescued, last attempt, cancelled, of a client that
 * is not known, of one that lives, of an earlier run of the leader's own id. */
#define LOST_JOBS                                                                                \
    "INSERT INTO river_job (state, args, kind, queue, attempt, max_attempts, attempted_at, "     \
    "attempted_by, metadata) VALUES "                                                            \
    "('running', '{}', 'unknown', 'none', 1, 25, now() - interval '2 s', '{live,dead}', '{}'), " \
    "('running', '{}', 'unknown', 'none', 25, 25, now() - interval '2 s', '{dead}', '{}'), "     \
    "('running', '{}', 'unknown', 'none', 1, 25, now() - interval '2 s', '{dead}', "             \
    "'{\"cancel_attempted_at\": \"x\"}'), "                                                      \
    "('running', '{}', 'unknown', 'none', 1, 25, now() - interval '2 s', '{dead,stranger}', "    \
    "'{}'),"                                                                                     \
    "('running', '{}', 'unknown', 'none', 1, 25, now() - interval '2 s', '{dead,live}', '{}'), " \
    "('running', '{}', 'unknown', 'none', 1, 25, now() - interval '2 s', '{leader}', '{}')"

static void jobs_of_silent_clients_are_given_back(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(queue, .global_limit = 0);
    REQUIRE_OK(river_ext_migrate(s.db.conn, NULL, &s.err), &s.err);
    REQUIRE(scratch_do(&s.db,
                       "INSERT INTO river_ext_client (id, started_at, beat_at, "
                       "lost_after_us) VALUES "
                       "('dead', now() - interval '1 h', now() - interval '1 min', 1000000), "
                       "('old', now() - interval '3 d', now() - interval '2 d', 1000000), "
                       "('live', now() - interval '1 h', now(), 3600000000)"));
    REQUIRE(scratch_do(&s.db, LOST_JOBS));
    river_client_options options = options_of(&s, &queue, &worker);
    options.heartbeats = true;
    options.no_lead = false;
    options.id = "leader";
    REQUIRE(run_client(&s, &options, &s.client));
    CHECK(scene_comes_true(&s, "SELECT count(*) = 2 FROM river_job WHERE state = 'running'"));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT string_agg(concat_ws(' ', state, attempt, "
                           "errors[1]->>'error'), ', ' ORDER BY id) FROM river_job"),
              "available 1 client dead is gone: no heartbeat, "
              "discarded 25 client dead is gone: no heartbeat, "
              "cancelled 1 client dead is gone: no heartbeat, "
              "running 1, running 1, "
              "available 1 client leader is gone: no heartbeat");
    CHECK(
        scene_comes_true(&s, "SELECT NOT EXISTS (SELECT FROM river_ext_client WHERE id = 'old')"));
}

/* Many clients on one queue with these options, until a query says "t". */
static bool run_crowd(scene *s, const river_client_options *options, const char *until)
{
    river_client *clients[CLIENTS] = { NULL };
    bool good = true;
    for (size_t i = 0; good && i < CLIENTS; i++) {
        good = run_client(s, options, &clients[i]);
    }
    good = good && scene_comes_true(s, until);
    for (size_t i = 0; i < CLIENTS; i++) {
        river_client_close(clients[i]);
    }
    return good;
}

#define INSERT_JOBS(count, args)                                                      \
    "INSERT INTO river_job (args, kind, max_attempts) SELECT '" args "', 'test', 25 " \
    "FROM generate_series(1, " #count ")"

static void a_global_limit_holds_over_all_clients(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(queue, .global_limit = 3);
    river_client_options options = options_of(&s, &queue, &worker);
    REQUIRE(scratch_do(&s.db, INSERT_JOBS(60, "{\"do\":\"linger\"}")));
    CHECK(run_crowd(&s, &options, "SELECT count(*) = 60 FROM river_job WHERE state = 'completed'"));
    CHECK(atomic_load(&c.most) <= 3);
    CHECK(atomic_load(&c.most) >= 2);
    CHECK_INT(atomic_load(&c.done), 60);
}

static void jobs_of_other_clients_count_towards_the_limit(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(queue, .global_limit = 2);
    river_client_options options = options_of(&s, &queue, &worker);
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_job (args, kind, max_attempts, state, attempt, "
                              "attempted_at, attempted_by) SELECT '{}', 'test', 25, 'running', 1, "
                              "now(), '{go}' FROM generate_series(1, 2)"));
    REQUIRE(scratch_do(&s.db, INSERT_JOBS(1, "{}")));
    REQUIRE(run_client(&s, &options, &s.client));
    river_client_stats stats = { 0 };
    while (stats.fetch_count < 3) {
        river_client_get_stats(s.client, &stats);
    }
    CHECK_INT(stats.fetched, 0);
    REQUIRE(scratch_do(&s.db, "UPDATE river_job SET state = 'completed', finalized_at = now() "
                              "WHERE id = 1"));
    CHECK(scene_comes_true(&s, "SELECT state = 'completed' FROM river_job WHERE id = 3"));
}

static void a_rate_holds_over_all_clients(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(queue, .rate_count = 5, .rate_period_us = 3600 * SECOND_US);
    river_client_options options = options_of(&s, &queue, &worker);
    REQUIRE(scratch_do(&s.db, INSERT_JOBS(30, "{}")));
    CHECK(run_crowd(&s, &options, "SELECT count(*) = 5 FROM river_job WHERE state = 'completed'"));
    CHECK(run_crowd(&s, &options, "SELECT count(*) = 25 FROM river_job WHERE state = 'available'"));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT concat_ws(' ', name, window_starts) "
                           "FROM river_ext_queue"),
              "default 5");
    REQUIRE(scratch_do(&s.db, "UPDATE river_ext_queue SET window_began = now() - interval '2 h'"));
    CHECK(run_crowd(&s, &options, "SELECT count(*) = 10 FROM river_job WHERE state = 'completed'"));
    CHECK_INT(atomic_load(&c.done), 10);
}

static void a_missed_run_is_caught_up_once(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(queue, .global_limit = 0);
    const river_insert job = { .struct_size = sizeof(job), .kind = "test", .queue = "later" };
    const river_periodic periodic = { .struct_size = sizeof(periodic),
                                      .id = "nightly",
                                      .interval_us = 3600 * SECOND_US,
                                      .job = &job,
                                      .durable = true };
    river_client_options options = options_of(&s, &queue, &worker);
    options.periodics = &periodic;
    options.periodic_count = 1;
    options.no_lead = false;
    REQUIRE_OK(river_ext_migrate(s.db.conn, NULL, &s.err), &s.err);
    REQUIRE(scratch_do(&s.db, "INSERT INTO river_ext_periodic VALUES ('nightly', "
                              "date_trunc('hour', now() - interval '10 h'))"));
    REQUIRE(run_client(&s, &options, &s.client));
    CHECK(scene_comes_true(&s, "SELECT count(*) = 1 FROM river_job"));
    CHECK_STR(scratch_text(&s.db, s.mem,
                           "SELECT concat_ws(' ', j.state, j.scheduled_at = date_trunc('hour', "
                           "j.created_at - interval '10 h'), j.metadata->>'river:periodic_job_id', "
                           "p.next_run_at BETWEEN now() + interval '59 min' AND now() + "
                           "interval '1 h') FROM river_job AS j, river_ext_periodic AS p"),
              "available t nightly t");
    river_client_close(TAKE(s.client));
    /* The next leader goes on with what is kept: nothing is due. */
    REQUIRE(run_client(&s, &options, &s.client));
    while (!river_client_leads(s.client)) {
        CHECK(scene_comes_true(&s, "SELECT true"));
    }
    river_client_close(TAKE(s.client));
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_job"), "1");
}

static void two_leaders_of_one_moment_insert_once(void)
{
    SCENE(s);
    const river_client_options options = { .struct_size = sizeof(options), .pool = s.pool };
    pgc_timestamptz kept, from = { 1000 }, to = { 2000 };
    REQUIRE_OK(river_client_open(&options, &s.client, &s.err), &s.err);
    REQUIRE_OK(river_ext_migrate(s.db.conn, NULL, &s.err), &s.err);
    const river_store *store = s.client->store;
    pgc_db *db = pgc_pool_db(s.pool);
    REQUIRE_OK(store_ext_plan(store, db, "p", from, &kept, &s.err), &s.err);
    CHECK_INT(kept.us, from.us);
    REQUIRE_OK(store_ext_plan(store, db, "p", to, &kept, &s.err), &s.err);
    CHECK_INT(kept.us, from.us);
    CHECK_STATUS(store_ext_advance(store, db, "p", from, to, &s.err), PGC_OK, &s.err);
    CHECK_STATUS(store_ext_advance(store, db, "p", from, to, &s.err), PGC_CONFLICT, &s.err);
}

static void completed_jobs_are_deleted_at_once(void)
{
    SCENE(s);
    crowd c = { 0 };
    WORKER(worker, c);
    QUEUE(queue, .retain_completed_us = 1);
    river_client_options options = options_of(&s, &queue, &worker);
    river_subscription *events = NULL;
    river_event *event = NULL;
    REQUIRE_OK(river_client_open(&options, &s.client, &s.err), &s.err);
    REQUIRE(scratch_do(&s.db, INSERT_JOBS(20, "{}")));
    REQUIRE(scratch_do(&s.db, INSERT_JOBS(1, "{\"do\":\"fail\"}")));
    REQUIRE(scratch_do(&s.db, INSERT_JOBS(1, "{\"do\":\"output\"}")));
    REQUIRE_OK(river_subscribe(s.client, RIVER_EVENT_COMPLETED, 0, &events, &s.err), &s.err);
    REQUIRE_OK(river_client_start(s.client, &s.err), &s.err);
    for (int i = 0; i < 21; i++) {
        CHECK_INT(river_subscription_next(events, 10 * SECOND_US, &event), PGC_OK);
        CHECK(event != NULL && river_jobs_at(event->jobs, 0)->state == RIVER_COMPLETED);
        river_event_free(TAKE(event));
    }
    river_unsubscribe(events);
    CHECK(scene_comes_true(
        &s, "SELECT count(*) = 2 FROM river_job WHERE errors IS NOT NULL OR metadata "
            "? 'output'"));
    CHECK_STR(scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_job"), "2");
}

TAP_MAIN(
    TAP("river side: tables come only when asked for", tables_come_only_when_asked_for),
    TAP("river side: a role without rights is told the way out",
        a_role_without_rights_is_told_the_way_out),
    TAP("river side: wrong options are named", wrong_options_are_named),
    TAP("river side: a client beats while it runs", a_client_beats_while_it_runs),
    TAP("river side: jobs of silent clients are given back", jobs_of_silent_clients_are_given_back),
    TAP("river side: a global limit holds over all clients", a_global_limit_holds_over_all_clients),
    TAP("river side: jobs of other clients count towards the limit",
        jobs_of_other_clients_count_towards_the_limit),
    TAP("river side: a rate holds over all clients", a_rate_holds_over_all_clients),
    TAP("river side: a missed run is caught up once", a_missed_run_is_caught_up_once),
    TAP("river side: two leaders of one moment insert once", two_leaders_of_one_moment_insert_once),
    TAP("river side: completed jobs are deleted at once", completed_jobs_are_deleted_at_once))
