/* Embedding as a job: thumbnail, server, row. A server that is away costs no job its life: after
 * the queue's usual tries jobs wait for it as long as it takes, with the reason in their metadata.
 * Runs on the queue's threads. */
#include "base/prelude.h"

#include "work/jobs_internal.h"

#include "base/crash.h"
#include "river/json.h"
#include "service/asset.h"
#include "service/embedding_fill.h"

#define SOON_US  (10 * INT64_C(1000000))
#define LATER_US (3600 * INT64_C(1000000))
#define AWAY_US  (300 * INT64_C(1000000))

/* Not now, and why: for those who look at the queue. */
static pgc_status put_off(jobs_attempt *a, int64_t us, const char *why, pgc_error *err)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, NULL, 8192);
    json_add_text(&text, pgc_text_from(why));
    TRY(buf_finish(&text, err));
    TRY(river_ctx_metadata(a->ctx, "waits_for", buf_view(&text), err));
    river_ctx_snooze(a->ctx, us + clock_spread(a->shared->env->clock, us / 4));
    pgc_error_clear(err);
    return PGC_OK;
}

/* Vectors can only be of models that the database knows; each is asked for once. */
static pgc_status model_ensure(jobs_shared *shared, const char *model, pgc_error *err)
{
    bool known = false;
    (void) pthread_mutex_lock(&shared->lock);
    for (size_t i = 0; i < shared->model_count; i++) {
        known = known || strcmp(shared->models[i], model) == 0;
    }
    (void) pthread_mutex_unlock(&shared->lock);
    if (known) {
        return PGC_OK;
    }
    TRY(lum_model_add(shared->library, model, NULL, err));
    (void) pthread_mutex_lock(&shared->lock);
    if (shared->model_count < JOBS_MODELS_MAX) {
        (void) snprintf(shared->models[shared->model_count++], LUM_MODEL_NAME_MAX + 1, "%s", model);
    }
    (void) pthread_mutex_unlock(&shared->lock);
    return PGC_OK;
}

/* No thumbnail: it may be on its way, else there will never be one. Asked in this order, since the
 * thumbnail's job ends with its rows. */
static pgc_status without_picture(jobs_attempt *a, lum_actor actor, buf *picture, pgc_error *err)
{
    river_jobs *jobs = NULL;
    repo_asset_set assets = PGC_ZERO;
    TRY(lum_asset_get(actor, a->asset_id, &assets, err));
    repo_asset_set_free(&assets);
    TRY(jobs_find(river_ctx_client(a->ctx), NULL, JOBS_THUMBNAIL, a->asset_id,
                  (river_states) (RIVER_STATES_ALL & ~RIVER_STATES_FINAL), &jobs, err));
    const river_job *job = river_jobs_at(jobs, 0);
    bool on_its_way = job != NULL;
    bool soon = on_its_way && job->state == RIVER_RUNNING;
    river_jobs_free(jobs);
    if (on_its_way) {
        return put_off(a, soon ? SOON_US : LATER_US, "the asset's thumbnails", err);
    }
    pgc_status status = lum_embedding_picture(actor, a->shared->env, a->asset_id, picture, err);
    if (status == PGC_NOT_FOUND) {
        return pgc_error_set(err, PGC_NOT_FOUND,
                             "the asset has no thumbnail; `lumilio reprocess` makes one");
    }
    return status;
}

static pgc_status rows_write(const jobs_attempt *a, lum_actor actor, void *arg, pgc_error *err)
{
    return lum_embedding_save(actor, a->asset_id, arg, ML_DIM, a->model, NULL, err);
}

/* A few failures are told by the job's errors; from then on it waits and does not count. */
static pgc_status server_away(jobs_attempt *a, pgc_status status, pgc_error *err)
{
    char why[512];
    if (a->job->attempt + 1 < a->job->max_attempts) {
        return status;
    }
    (void) snprintf(why, sizeof why, "%s", err->message);
    return put_off(a, AWAY_US, why, err);
}

static pgc_status ask_and_store(jobs_attempt *a, const buf *picture, pgc_error *err)
{
    float vector[ML_DIM];
    const ml_input input = { ML_IMAGE, buf_view(picture), LUM_PICTURE_MIME };
    pgc_status status = embed_gate_ask(&a->shared->gate, a->model, &input, vector, err);
    if (ml_is_away(status)) {
        return server_away(a, status, err);
    }
    TRY(status);
    CRASH_POINT("work.embedded");
    return jobs_commit(a, rows_write, vector, err);
}

/* Somebody may have made the vector since the job came: `lumilio model fill`, or an attempt whose
 * end was not heard of. */
pgc_status jobs_embed(jobs_attempt *a, pgc_error *err)
{
    bool done = false;
    char why[256];
    lum_actor actor = lum_session_actor(a->session);
    if (a->shared->gate.embedder == NULL) {
        return put_off(a, LATER_US, "an embedding server; none is configured", err);
    }
    if (a->model[0] == '\0') {
        return pgc_error_set(err, PGC_INVALID, "arguments: model is missing or no model's name");
    }
    TRY(lum_embedding_is_since(actor, a->asset_id, a->model, a->job->created_at, &done, err));
    if (done) {
        return PGC_OK;
    }
    int64_t away_us = embed_gate_away_us(&a->shared->gate, why, sizeof why);
    if (away_us > 0) {
        return put_off(a, away_us, why, err);
    }
    AUTO(buf_auto) buf picture;
    buf_init(&picture, a->shared->env->alloc, ML_IMAGE_MAX);
    pgc_status status = lum_embedding_picture(actor, a->shared->env, a->asset_id, &picture, err);
    if (status == PGC_NOT_FOUND) {
        status = without_picture(a, actor, &picture, err);
    }
    if (status != PGC_OK || picture.len == 0) {
        return status; /* put off, when there is no picture */
    }
    TRY(model_ensure(a->shared, a->model, err));
    return ask_and_store(a, &picture, err);
}
