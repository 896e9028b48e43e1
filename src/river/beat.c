/*
 * Heartbeats: a client that works tells every few seconds that it lives, on a connection of its
 * own, so that busy handlers cannot keep it silent. After each beat it looks for jobs of clients
 * that are silent and gives them back, long before River's hour is over: whoever lives does so, not
 * only the leader, which may be the one that died. A client that was silent and lives after all
 * does no harm: its outcomes do not pass the fence of the attempt. Threads: one that beats.
 */
#include "base/prelude.h"

#include "river/side.h"

#include "base/buf.h"
#include "river/json.h"
#include "river/lead.h"
#include "river/store_ext.h"
#include "river/timetext.h"

#define RESCUE_BATCH 1000

struct heart {
    runtime *run;
    lead_link link;
    pthread_t thread;
    bool stop; /* under run->lock */
};

static pgc_status beat(struct heart *heart, bool fresh, pgc_error *err)
{
    const river_client *client = heart->run->client;
    int64_t every = client->options.heartbeat_us;
    pgc_db *db = NULL;
    TRY(link_db(&heart->link, &db, err));
    pgc_status status =
        store_ext_beat(client->store, db, client->id, every * SIDE_SILENT_BEATS, fresh, err);
    link_check(&heart->link, status, err);
    return status;
}

/* All jobs of silent clients, in batches. */
static pgc_status rescue_all(struct heart *heart, pgc_error *err)
{
    bool more = true;
    while (more) {
        pgc_db *db = NULL;
        TRY(link_db(&heart->link, &db, err));
        pgc_status status = beat_rescue(heart->run, db, RESCUE_BATCH, &more, err);
        link_check(&heart->link, status, err);
        TRY(status);
    }
    return PGC_OK;
}

static void *beat_work(void *arg)
{
    struct heart *heart = (struct heart *) arg;
    runtime *run = heart->run;
    int64_t every = run->client->options.heartbeat_us, next = runtime_now(run);
    pthread_mutex_lock(&run->lock);
    while (!heart->stop) {
        int64_t now = runtime_now(run);
        if (now < next) {
            (void) cond_wait(&run->changed, &run->lock, next - now);
            continue;
        }
        pthread_mutex_unlock(&run->lock);
        pgc_error err;
        pgc_error_clear(&err);
        if (beat(heart, false, &err) != PGC_OK || rescue_all(heart, &err) != PGC_OK) {
            runtime_trouble(run, &err);
        }
        next = now + every;
        pthread_mutex_lock(&run->lock);
    }
    pthread_mutex_unlock(&run->lock);
    return NULL;
}

pgc_status beat_start(runtime *run, pgc_error *err)
{
    if (!run->client->options.heartbeats || run->client->options.queue_count == 0) {
        return PGC_OK;
    }
    struct heart *heart = MEM_NEW(run->alloc, struct heart);
    if (heart == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "heartbeats: out of memory");
    }
    heart->run = run;
    heart->link.client = run->client;
    pgc_status status = beat(heart, true, err);
    if (status == PGC_OK) {
        int failed = pthread_create(&heart->thread, NULL, beat_work, heart);
        if (failed != 0) {
            status = pgc_error_errno(err, failed, "start the thread of the heartbeats");
        }
    }
    if (status != PGC_OK) {
        link_close(&heart->link);
        mem_free(run->alloc, heart, sizeof(*heart));
        return status;
    }
    run->heart = heart;
    return PGC_OK;
}

void beat_stop(runtime *run)
{
    struct heart *heart = run->heart;
    if (heart == NULL) {
        return;
    }
    pthread_mutex_lock(&run->lock);
    heart->stop = true;
    pthread_cond_broadcast(&run->changed);
    pthread_mutex_unlock(&run->lock);
    (void) pthread_join(heart->thread, NULL);
    pgc_error err;
    pgc_db *db = NULL;
    pgc_error_clear(&err);
    pgc_status status = link_db(&heart->link, &db, &err);
    if (status == PGC_OK) {
        status = store_ext_leave(run->client->store, db, run->client->id, &err);
    }
    if (status != PGC_OK) { /* the leader forgets the row in a day */
        runtime_trouble(run, &err);
    }
    link_close(&heart->link);
    mem_free(run->alloc, heart, sizeof(*heart));
    run->heart = NULL;
}

/* What becomes of a job whose client is gone: at once again, unless it was the last attempt (a job
 * may be what kills its clients) or somebody wants it cancelled. */
static river_state verdict(const river_job *job)
{
    if (json_get(job->metadata, SLICE("cancel_attempted_at")).ptr != NULL) {
        return RIVER_CANCELLED;
    }
    return job->attempt >= job->max_attempts ? RIVER_DISCARDED : RIVER_AVAILABLE;
}

static pgc_status judge(const runtime *run, const river_job *job, arena *memory, store_outcome *out,
                        pgc_error *err)
{
    pgc_timestamptz now = client_now(run->client);
    AUTO(buf_auto) buf text;
    buf_init(&text, run->alloc, 4096);
    slice who =
        job->attempted_by_count > 0 ? job->attempted_by[job->attempted_by_count - 1] : SLICE("?");
    char words[160];
    int len = snprintf(words, sizeof(words), "client %" SLICE_FMT " is gone: no heartbeat",
                       SLICE_ARG(who));
    buf_add_str(&text, "{\"at\":\"");
    time_add_rfc3339(&text, job->attempted_at.has ? job->attempted_at.v : now);
    buf_printf(&text, "\",\"attempt\":%d,\"error\":", job->attempt);
    json_add_text(
        &text, (slice) { words, (size_t) len < sizeof(words) ? (size_t) len : sizeof(words) - 1 });
    buf_add_str(&text, ",\"trace\":\"\"}");
    TRY(buf_finish(&text, err));
    const char *error = arena_copy(memory, buf_view(&text));
    if (error == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "rescue jobs: out of memory");
    }
    *out = (store_outcome) { .id = job->id,
                             .attempt = job->attempt,
                             .began = job->attempted_at,
                             .state = verdict(job),
                             .error = { error, text.len } };
    if (out->state == RIVER_AVAILABLE) {
        out->scheduled_at = (pgc_opt_timestamptz) { true, now };
    }
    return PGC_OK;
}

static pgc_status rescue(const runtime *run, pgc_db *db, const river_jobs *jobs, pgc_error *err)
{
    const river_client *client = run->client;
    AUTO(arena_auto) arena *memory = arena_new(run->alloc, 0, 0);
    size_t count = river_jobs_count(jobs);
    store_outcome *outcomes = memory == NULL ? NULL : ARENA_ARRAY(memory, count + 1, store_outcome);
    if (outcomes == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "rescue jobs: out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        TRY(judge(run, river_jobs_at(jobs, i), memory, &outcomes[i], err));
    }
    /* The attempt is the fence here; any time is before infinity. */
    return store_rescue(client->store, db, (pgc_timestamptz) { INT64_MAX }, outcomes, count, NULL,
                        err);
}

pgc_status beat_rescue(const runtime *run, pgc_db *db, int32_t max, bool *more, pgc_error *err)
{
    const river_client *client = run->client;
    river_jobs *jobs = NULL;
    TRY(store_ext_orphans(client->store, db, max, &jobs, err));
    size_t count = river_jobs_count(jobs);
    pgc_status status = count > 0 ? rescue(run, db, jobs, err) : PGC_OK;
    river_jobs_free(jobs);
    TRY(status);
    *more = count == (size_t) max;
    return PGC_OK;
}
