/* Kinds of jobs, their arguments, and their handlers. A handler may be killed at any line: files
 * are named by content, and rows change in the transaction that completes the job. Handlers run on
 * the queue's threads. */
#include "base/prelude.h"

#include "work/jobs_internal.h"

#include <fcntl.h>
#include <lumilio/status.h>
#include <sys/file.h>

#include "base/crash.h"
#include "base/file.h"
#include "river/json.h"
#include "service/asset.h"

/* What is particular to a kind that reads the original: files first, then rows in the job's
 * transaction. */
typedef pgc_status (*original_fn)(jobs_attempt *a, pgc_error *err);

void jobs_shared_init(jobs_shared *shared, lum_library *library, const char *helper_path)
{
    *shared = (jobs_shared) { .env = lum_library_env(library),
                              .library = library,
                              .pool = lum_library_pool(library),
                              .helper_path = helper_path };
    (void) pthread_mutex_init(&shared->lock, NULL);
    embed_gate_init(&shared->gate, shared->env, NULL);
}

void jobs_shared_done(jobs_shared *shared)
{
    for (size_t i = 0; i < shared->idle_count; i++) {
        media_host_close(shared->idle[i]);
    }
    embed_gate_done(&shared->gate);
    (void) pthread_mutex_destroy(&shared->lock);
}

/* An idle host, else a new one. */
static pgc_status host_take(jobs_shared *shared, media_host **out, pgc_error *err)
{
    (void) pthread_mutex_lock(&shared->lock);
    media_host *host = shared->idle_count > 0 ? shared->idle[--shared->idle_count] : NULL;
    (void) pthread_mutex_unlock(&shared->lock);
    if (host != NULL) {
        *out = host;
        return PGC_OK;
    }
    return media_host_open(shared->env, shared->helper_path, NULL, out, err);
}

static void host_give(jobs_shared *shared, media_host *host)
{
    (void) pthread_mutex_lock(&shared->lock);
    bool kept = shared->idle_count < ARRAY_LEN(shared->idle);
    if (kept) {
        shared->idle[shared->idle_count++] = host;
    }
    (void) pthread_mutex_unlock(&shared->lock);
    if (!kept) {
        media_host_close(host);
    }
}

pgc_status jobs_commit(jobs_attempt *a, jobs_rows_fn rows, void *arg, pgc_error *err)
{
    pgc_tx *tx = NULL;
    TRY(lum_session_begin(a->session, &tx, err));
    pgc_status status = rows(a, lum_session_tx_actor(a->session, tx), arg, err);
    if (status == PGC_OK) {
        status = river_ctx_complete(a->ctx, tx, err);
    }
    if (status != PGC_OK) {
        pgc_tx_rollback(tx);
        return status;
    }
    CRASH_POINT("work.before_commit");
    TRY(pgc_tx_commit(&tx, err));
    CRASH_POINT("work.committed");
    return PGC_OK;
}

static pgc_status metadata_rows(const jobs_attempt *a, lum_actor actor, void *arg, pgc_error *err)
{
    const media_report *report = arg;
    return process_facts_row(actor, a->asset_id, &report->facts, a->reset, err);
}

static pgc_status metadata_original(jobs_attempt *a, pgc_error *err)
{
    media_report report;
    TRY(process_probe_facts(&a->target, a->host, a->original, &report, err));
    CRASH_POINT("work.probed");
    return jobs_commit(a, metadata_rows, &report, err);
}

/* Whoever waits for the thumbnails hears of them when they are there: in the same transaction. */
static pgc_status thumbnail_rows(const jobs_attempt *a, lum_actor actor, void *arg, pgc_error *err)
{
    TRY(process_thumbnail_rows(actor, a->asset_id, stage_hash_hex(a->hash), arg, err));
    return jobs_embed_wake(river_ctx_client(a->ctx), actor.db, a->asset_id, err);
}

/* The files of thumbnails, durable under their names. */
static pgc_status thumbnails_store(const jobs_attempt *a, const process_thumbnails *thumbnails,
                                   media_report *report, pgc_error *err)
{
    const char *hash_hex = stage_hash_hex(a->hash);
    *report = thumbnails->report;
    TRY(process_thumbnails_sync(&a->target, thumbnails, err));
    TRY(process_thumbnails_place(&a->target, hash_hex, thumbnails, report, err));
    TRY(process_names_sync(&a->target, hash_hex, report, err));
    CRASH_POINT("work.placed");
    return PGC_OK;
}

static pgc_status thumbnail_original(jobs_attempt *a, pgc_error *err)
{
    process_thumbnails thumbnails;
    media_report report;
    TRY(process_probe(&a->target, a->host, a->original, &thumbnails, err));
    CRASH_POINT("work.probed");
    pgc_status status = thumbnails_store(a, &thumbnails, &report, err);
    process_thumbnails_close(&a->target, &thumbnails);
    TRY(status);
    return jobs_commit(a, thumbnail_rows, &report, err);
}

/* The original, its repository held shared so that nobody tidies up meanwhile, and a host. */
static pgc_status original_work(jobs_attempt *a, const repo_asset *asset, original_fn fn,
                                pgc_error *err)
{
    char path[PLACE_PATH_SIZE];
    const vfs *fs = a->shared->env->fs;
    if (import_lock(&a->target, LOCK_SH) != 0) {
        return pgc_error_errno(err, errno, "lock the repository");
    }
    if (asset->file_path.len >= sizeof path || asset->file_hash.len >= sizeof a->hash) {
        return pgc_error_set(err, PGC_LIMIT, "path or hash of the asset is too long");
    }
    (void) snprintf(path, sizeof path, "%" SLICE_FMT, SLICE_ARG(asset->file_path));
    (void) snprintf(a->hash, sizeof a->hash, "%" SLICE_FMT, SLICE_ARG(asset->file_hash));
    if (strncmp(a->hash, "sha256:", 7) != 0) {
        return pgc_error_set(err, PGC_UNSUPPORTED, "the asset's hash is not of SHA-256");
    }
    AUTO(fd_auto)
    int fd = fs->open_beneath(fs->ctx, a->target.root, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    if (fd < 0) {
        return pgc_error_errno(err, errno, "open original %s", path);
    }
    a->original = fd;
    TRY(host_take(a->shared, &a->host, err));
    pgc_status status = fn(a, err);
    host_give(a->shared, a->host);
    return status;
}

/* The asset as its owner sees it, then its repository. */
static pgc_status original_open(jobs_attempt *a, original_fn fn, pgc_error *err)
{
    lum_actor actor = lum_session_actor(a->session);
    repo_asset_set assets = PGC_ZERO;
    repo_repository_set set = PGC_ZERO;
    TRY(lum_asset_get(actor, a->asset_id, &assets, err));
    const repo_asset *asset = &assets.rows[0];
    pgc_status status = asset->repository_id.has
                            ? repo_get_repository(actor.db, asset->repository_id.v, &set, err)
                            : pgc_error_set(err, PGC_NOT_FOUND, "the asset has no repository");
    if (status == PGC_OK) {
        status = import_target_open_row(a->shared->env, a->session, &set.rows[0], &a->target, err);
        repo_repository_set_free(&set);
    }
    if (status == PGC_OK) {
        status = original_work(a, asset, fn, err);
        import_target_close(&a->target);
    }
    repo_asset_set_free(&assets);
    return status;
}

static pgc_status metadata_attempt(jobs_attempt *a, pgc_error *err)
{
    return original_open(a, metadata_original, err);
}

/* Nothing will come any more: who waits for it shall find out. */
static pgc_status thumbnail_attempt(jobs_attempt *a, pgc_error *err)
{
    pgc_status status = original_open(a, thumbnail_original, err);
    if (jobs_is_hopeless(status)) {
        pgc_error why = *err;
        TRY(jobs_embed_wake(river_ctx_client(a->ctx), NULL, a->asset_id, err));
        *err = why;
    }
    return status;
}

/* {"asset_id": "…", "owner_id": N}, perhaps "model": "…", "reset": true, in any order and with
 * anything else beside them. */
static pgc_status args_parse(slice args, jobs_attempt *a, int32_t *owner_id, pgc_error *err)
{
    TRY(json_check_object(args, err));
    slice id = json_get(args, SLICE("asset_id"));
    slice owner = json_get(args, SLICE("owner_id"));
    slice model = json_get(args, SLICE("model"));
    int64_t number = 0;
    if (id.ptr == NULL || id.len < 2 || !json_is(id, '"') ||
        !pgc_uuid_parse((slice) { id.ptr + 1, id.len - 2 }, &a->asset_id)) {
        return pgc_error_set(err, PGC_INVALID, "arguments: asset_id is missing or no UUID");
    }
    if (owner.ptr == NULL || !slice_to_i64(owner, &number) || number < 1 || number > INT32_MAX) {
        return pgc_error_set(err, PGC_INVALID, "arguments: owner_id is missing or no user id");
    }
    char text[6 * LUM_MODEL_NAME_MAX + 2];
    if (model.ptr != NULL && json_is(model, '"') && model.len <= sizeof text) {
        size_t length = json_decode(model, text);
        length = length < sizeof a->model ? length : 0; /* longer is no model's name */
        memcpy(a->model, text, length);
        a->model[length] = '\0';
    }
    a->reset = slice_eq_str(json_get(args, SLICE("reset")), "true");
    *owner_id = (int32_t) number;
    return PGC_OK;
}

/* Failures that another attempt would meet again: the job ends at once and says why. */
bool jobs_is_hopeless(pgc_status status)
{
    return status == PGC_INVALID || status == PGC_NOT_FOUND || status == PGC_UNSUPPORTED ||
           status == LUM_NOT_MEDIA || status == LUM_MEDIA_CORRUPT;
}

/* One attempt of any kind. */
static pgc_status job_work(river_ctx *ctx, const river_job *job, jobs_shared *shared,
                           jobs_attempt_fn fn, pgc_error *err)
{
    jobs_attempt a = { .shared = shared, .ctx = ctx, .job = job, .original = -1 };
    int32_t owner_id = 0;
    pgc_status status = args_parse(job->args, &a, &owner_id, err);
    if (status == PGC_OK) {
        status = lum_session_open(shared->pool, owner_id, &a.session, err);
    }
    if (status == PGC_OK) {
        status = fn(&a, err);
        lum_session_close(a.session);
    }
    if (jobs_is_hopeless(status)) {
        river_ctx_cancel(ctx, err->message);
        pgc_error_clear(err);
        return PGC_OK;
    }
    return status;
}

static pgc_status metadata_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    return job_work(ctx, job, arg, metadata_attempt, err);
}

static pgc_status thumbnail_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    return job_work(ctx, job, arg, thumbnail_attempt, err);
}

static pgc_status embed_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    return job_work(ctx, job, arg, jobs_embed, err);
}

static const jobs_kind KINDS[] = {
    { .name = JOBS_METADATA, .what = "metadata", .work = metadata_work },
    { .name = JOBS_THUMBNAIL, .what = "thumbnails", .work = thumbnail_work },
    { .name = JOBS_EMBED, .what = "embeddings", .work = embed_work, .asks_server = true },
    { .name = JOBS_PURGE,
      .what = "purging the trash",
      .work = jobs_purge_work,
      .daily = true,
      .purges = true },
    { .name = JOBS_GRAPHS,
      .what = "graphs of vectors",
      .work = jobs_graphs_work,
      .timeout_us = -1,
      .daily = true },
};

const jobs_kind *jobs_kind_at(size_t index)
{
    return index < ARRAY_LEN(KINDS) ? &KINDS[index] : NULL;
}
