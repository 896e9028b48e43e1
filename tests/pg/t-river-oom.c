/* Memory that runs out in the parts that a started client needs: every allocation of the client's
 * allocator fails once. What failed is said or tried again, nothing is leaked, no job is lost. */
#include "base/prelude.h"

#include <sched.h>

#include <river/ext.h>

#include "oom.h"
#include "river/lead.h"
#include "river/runtime.h"
#include "river/side.h"

#include "river.h"

/* The plan is counted by one thread at a time. */
typedef struct shared_plan {
    pthread_mutex_t lock;
    oom_plan plan;
} shared_plan;

static void *locked_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    shared_plan *shared = (shared_plan *) ctx;
    pthread_mutex_lock(&shared->lock);
    void *out = oom_resize(&shared->plan, ptr, old_size, new_size);
    pthread_mutex_unlock(&shared->lock);
    return out;
}

static void locked_release(void *ctx, void *ptr, size_t size)
{
    shared_plan *shared = (shared_plan *) ctx;
    pthread_mutex_lock(&shared->lock);
    oom_release(&shared->plan, ptr, size);
    pthread_mutex_unlock(&shared->lock);
}

static pgc_status work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    (void) job;
    atomic_fetch_add((atomic_int *) arg, 1);
    river_ctx_log(ctx, "begun");
    return river_ctx_output(ctx, SLICE("{\"a\":1}"), err);
}

static int64_t soon(const river_job *job, void *arg)
{
    (void) job, (void) arg;
    return 1000;
}

static const river_insert TICK = { .struct_size = sizeof TICK, .kind = "tick", .queue = "later" };
static const river_periodic PERIODICS[] = {
    { .struct_size = sizeof PERIODICS[0],
      .id = "tick",
      .interval_us = 3600 * SECOND_US,
      .job = &TICK,
      .run_on_start = true,
      .durable = true },
    { .struct_size = sizeof PERIODICS[0],
      .id = "night",
      .cron = "0 3 * * *",
      .time_zone = "Europe/Lisbon",
      .job = &TICK },
};

static pgc_status open_client(scene *s, const pgc_alloc *alloc, river_client **out)
{
    const char *const aliases[] = { "older" };
    const river_worker worker = { .struct_size = sizeof worker,
                                  .kind = "test",
                                  .aliases = aliases,
                                  .alias_count = 1,
                                  .work = work,
                                  .next_retry = soon,
                                  .arg = &s->calls };
    const river_queue_options queue = { .struct_size = sizeof queue,
                                        .name = "default",
                                        .max_workers = 2,
                                        .global_limit = 2,
                                        .retain_completed_us = 3600 * SECOND_US };
    const river_client_options options = { .struct_size = sizeof options,
                                           .pool = s->pool,
                                           .queues = &queue,
                                           .queue_count = 1,
                                           .workers = &worker,
                                           .worker_count = 1,
                                           .periodics = PERIODICS,
                                           .periodic_count = ARRAY_LEN(PERIODICS),
                                           .fetch_cooldown_us = 1000,
                                           .fetch_poll_us = 2000,
                                           .skip_unknown_kind_check = true,
                                           .heartbeats = true,
                                           .heartbeat_us = SECOND_US / 5,
                                           .id = "oom",
                                           .alloc = alloc };
    return river_client_open(&options, out, &s->err);
}

static pgc_status insert_some(scene *s, river_client *client)
{
    river_insert jobs[8];
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i] = (river_insert) { .struct_size = sizeof jobs[i],
                                   .kind = "test",
                                   .args = i % 2 == 0 ? SLICE("{\"n\":1}") : SLICE("{\"n\":2}"),
                                   .unique = { .by_args = true, .by_state = RIVER_STATES_ALL } };
    }
    river_jobs *out = NULL;
    pgc_status status = river_insert_many(client, NULL, jobs, ARRAY_LEN(jobs), &out, &s->err);
    if (status == PGC_OK) {
        CHECK_INT(river_jobs_count(out), 8);
        CHECK_INT(river_jobs_at(out, 6)->id, river_jobs_at(out, 0)->id);
    }
    river_jobs_free(out);
    return status;
}

/* Each part by a call of its own: PGC_OK or PGC_NOMEM, whatever failed. */
static pgc_status use_parts(scene *s, river_client *client)
{
    runtime *run = client->runtime;
    pgc_db *db = pgc_pool_db(s->pool);
    lead_link link = { .client = client };
    uint32_t granted = 0;
    bool more = false;
    producer from = { .run = run, .options = client->options.queues[0], .name = "default" };
    TRY(insert_some(s, client));
    TRY(beat_rescue(run, db, 10, &more, &s->err));
    river_jobs *jobs = NULL;
    TRY(limit_fetch(&from, 1, &granted, &jobs, &s->err));
    river_jobs_free(jobs);
    periodic_begin(&run->lead->periodics);
    (void) periodic_run(&run->lead->periodics, client, &link);
    int32_t handle = 0;
    river_periodic noon = PERIODICS[1];
    noon.id = "noon";
    TRY(river_client_periodic_add(client, &noon, &handle, &s->err));
    return river_client_periodic_remove(client, handle, &s->err);
}

#define ORPHANS                                                                                   \
    "TRUNCATE river_job, river_ext_periodic; INSERT INTO river_job (state, args, kind, attempt, " \
    "max_attempts, attempted_at, attempted_by, queue) SELECT 'running', '{}', 'test', 1, 25, "    \
    "now(), '{silent}', 'default' FROM generate_series(1, 3)"

static bool prepare(scene *s)
{
    return CHECK_STATUS(river_ext_migrate(s->db.conn, NULL, &s->err), PGC_OK, &s->err) &&
           scratch_do(&s->db, "INSERT INTO river_ext_client VALUES ('silent', now() - "
                              "interval '1 h', now() - interval '1 min', 1000000)");
}

static void parts_survive_each_failure(void)
{
    SCENE(s);
    bool complete = false;
    int fail_at = 0;
    REQUIRE(prepare(&s));
    while (!complete && fail_at < 2000) {
        shared_plan shared = { .lock = PTHREAD_MUTEX_INITIALIZER,
                               .plan = { .fail_at = ++fail_at } };
        const pgc_alloc alloc = { &shared, locked_resize, locked_release };
        river_client *client = NULL;
        REQUIRE(scratch_do(&s.db, ORPHANS));
        pgc_status status = open_client(&s, &alloc, &client);
        if (status == PGC_OK) {
            status = use_parts(&s, client);
            river_client_close(client);
        }
        if (status != PGC_OK) {
            CHECK_STATUS(status, PGC_NOMEM, &s.err);
        }
        CHECK_INT(shared.plan.live, 0);
        CHECK_INT(shared.plan.bad_sizes, 0);
        complete = shared.plan.calls < fail_at;
    }
    printf("# %d allocations\n", fail_at - 1);
    CHECK(complete && fail_at > 20);
}

/* A whole client: a failure costs an attempt at most; the rest of the jobs are worked. */
static void a_client_survives_each_failure(void)
{
    SCENE(s);
    bool complete = false;
    int fail_at = 0;
    REQUIRE(prepare(&s));
    while (!complete && fail_at < 400) {
        shared_plan shared = { .lock = PTHREAD_MUTEX_INITIALIZER,
                               .plan = { .fail_at = ++fail_at } };
        const pgc_alloc alloc = { &shared, locked_resize, locked_release };
        river_client *client = NULL;
        REQUIRE(scratch_do(&s.db, ORPHANS));
        pgc_status status = open_client(&s, &alloc, &client);
        if (status == PGC_OK && (status = river_client_start(client, &s.err)) == PGC_OK) {
            while (!river_client_leads(client)) {
                sched_yield();
            }
            CHECK(scene_comes_true(&s, "SELECT count(*) FILTER (WHERE state = 'completed') = 3 "
                                       "FROM river_job WHERE kind = 'test'"));
            CHECK_STATUS(river_client_stop(client, RIVER_STOP_SOFT, 20 * SECOND_US, &s.err), PGC_OK,
                         &s.err);
        }
        if (status != PGC_OK) {
            CHECK_STATUS(status, PGC_NOMEM, &s.err);
        }
        river_client_close(client);
        CHECK_INT(shared.plan.live, 0);
        CHECK_INT(shared.plan.bad_sizes, 0);
        CHECK_STR(
            scratch_text(&s.db, s.mem, "SELECT count(*)::text FROM river_job WHERE kind = 'test'"),
            "3");
        complete = shared.plan.calls < fail_at;
        fail_at += fail_at / 12; /* each of the first, then every so many */
    }
    CHECK(complete && fail_at > 20);
}

TAP_MAIN(TAP("river oom: the parts survive each failure", parts_survive_each_failure),
         TAP("river oom: a client survives each failure", a_client_survives_each_failure))
