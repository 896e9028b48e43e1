/* Kinds of jobs, their arguments, and their handlers. A handler may be killed at any line: files
 * are named by content, and rows change in the transaction that completes the job. Handlers run on
 * the queue's threads. */
#include "base/prelude.h"

#include "work/jobs_internal.h"

#include <fcntl.h>
#include <lumilio/status.h>
#include <river/insert.h>
#include <sys/file.h>

#include "base/crash.h"
#include "base/file.h"
#include "river/json.h"
#include "service/asset.h"
#include "work/import_internal.h"

#define ARGS_SIZE 96 /* {"asset_id":"36 characters","owner_id":10 digits} */

/* A job that waits or runs stands for the next one; one that has ended does not. */
#define UNIQUE_STATES                                                                    \
    ((river_states) (RIVER_STATE_BIT(RIVER_AVAILABLE) | RIVER_STATE_BIT(RIVER_PENDING) | \
                     RIVER_STATE_BIT(RIVER_RETRYABLE) | RIVER_STATE_BIT(RIVER_RUNNING) | \
                     RIVER_STATE_BIT(RIVER_SCHEDULED)))

/* Everything that one attempt needs. */
typedef struct attempt {
    jobs_shared *shared;
    river_ctx *ctx;
    lum_session *session; /* of the asset's owner */
    pgc_uuid asset_id;
    import_target target;
    media_host *host;
    int original;
    char hash[STAGE_HASH_SIZE];
} attempt;

/* What is particular to a kind: files first, then rows in the job's transaction. */
typedef pgc_status (*attempt_fn)(attempt *a, pgc_error *err);

void jobs_shared_init(jobs_shared *shared, lum_library *library, const char *helper_path)
{
    *shared = (jobs_shared) { .env = lum_library_env(library),
                              .pool = lum_library_pool(library),
                              .helper_path = helper_path };
    (void) pthread_mutex_init(&shared->lock, NULL);
}

void jobs_shared_done(jobs_shared *shared)
{
    for (size_t i = 0; i < shared->idle_count; i++) {
        media_host_close(shared->idle[i]);
    }
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

/* Rows and the job's completion in one transaction, as the asset's owner. */
static pgc_status attempt_commit(attempt *a, const media_report *report,
                                 pgc_status (*rows)(const attempt *a, lum_actor actor,
                                                    const media_report *report, pgc_error *err),
                                 pgc_error *err)
{
    pgc_tx *tx = NULL;
    TRY(lum_session_begin(a->session, &tx, err));
    pgc_status status = rows(a, lum_session_tx_actor(a->session, tx), report, err);
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

static pgc_status metadata_rows(const attempt *a, lum_actor actor, const media_report *report,
                                pgc_error *err)
{
    return process_facts_row(actor, a->asset_id, &report->facts, err);
}

static pgc_status metadata_attempt(attempt *a, pgc_error *err)
{
    media_report report;
    TRY(process_probe_facts(&a->target, a->host, a->original, &report, err));
    CRASH_POINT("work.probed");
    return attempt_commit(a, &report, metadata_rows, err);
}

static pgc_status thumbnail_rows(const attempt *a, lum_actor actor, const media_report *report,
                                 pgc_error *err)
{
    return process_thumbnail_rows(actor, a->asset_id, stage_hash_hex(a->hash), report, err);
}

/* The files of thumbnails, durable under their names. */
static pgc_status thumbnails_store(const attempt *a, const process_thumbnails *thumbnails,
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

static pgc_status thumbnail_attempt(attempt *a, pgc_error *err)
{
    process_thumbnails thumbnails;
    media_report report;
    TRY(process_probe(&a->target, a->host, a->original, &thumbnails, err));
    CRASH_POINT("work.probed");
    pgc_status status = thumbnails_store(a, &thumbnails, &report, err);
    process_thumbnails_close(&a->target, &thumbnails);
    TRY(status);
    return attempt_commit(a, &report, thumbnail_rows, err);
}

/* The original, its repository held shared so that nobody tidies up meanwhile, and a host. */
static pgc_status attempt_work(attempt *a, const repo_asset *asset, attempt_fn fn, pgc_error *err)
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
static pgc_status attempt_open(attempt *a, attempt_fn fn, pgc_error *err)
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
        status = attempt_work(a, asset, fn, err);
        import_target_close(&a->target);
    }
    repo_asset_set_free(&assets);
    return status;
}

/* {"asset_id": "…", "owner_id": N}, in any order and with anything else beside them. */
static pgc_status args_parse(slice args, pgc_uuid *asset_id, int32_t *owner_id, pgc_error *err)
{
    TRY(json_check_object(args, err));
    slice id = json_get(args, SLICE("asset_id"));
    slice owner = json_get(args, SLICE("owner_id"));
    int64_t number = 0;
    if (id.ptr == NULL || id.len < 2 || !json_is(id, '"') ||
        !pgc_uuid_parse((slice) { id.ptr + 1, id.len - 2 }, asset_id)) {
        return pgc_error_set(err, PGC_INVALID, "arguments: asset_id is missing or no UUID");
    }
    if (owner.ptr == NULL || !slice_to_i64(owner, &number) || number < 1 || number > INT32_MAX) {
        return pgc_error_set(err, PGC_INVALID, "arguments: owner_id is missing or no user id");
    }
    *owner_id = (int32_t) number;
    return PGC_OK;
}

/* Failures that another attempt would meet again: the job ends at once and says why. */
static bool is_hopeless(pgc_status status)
{
    return status == PGC_INVALID || status == PGC_NOT_FOUND || status == PGC_UNSUPPORTED ||
           status == LUM_NOT_MEDIA || status == LUM_MEDIA_CORRUPT;
}

/* One attempt of any kind. */
static pgc_status job_work(river_ctx *ctx, const river_job *job, jobs_shared *shared, attempt_fn fn,
                           pgc_error *err)
{
    attempt a = { .shared = shared, .ctx = ctx, .original = -1 };
    int32_t owner_id = 0;
    pgc_status status = args_parse(job->args, &a.asset_id, &owner_id, err);
    if (status == PGC_OK) {
        status = lum_session_open(shared->pool, owner_id, &a.session, err);
    }
    if (status == PGC_OK) {
        status = attempt_open(&a, fn, err);
        lum_session_close(a.session);
    }
    if (is_hopeless(status)) {
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

static const jobs_kind KINDS[] = {
    { "metadata_asset", "metadata", metadata_work },
    { "thumbnail_asset", "thumbnails", thumbnail_work },
};

const jobs_kind *jobs_kind_at(size_t index)
{
    return index < ARRAY_LEN(KINDS) ? &KINDS[index] : NULL;
}

pgc_status jobs_queue_open(pgc_pool *pool, const env *e, river_client **out, pgc_error *err)
{
    const river_client_options options = { .struct_size = sizeof options,
                                           .pool = pool,
                                           .skip_unknown_kind_check = true,
                                           .alloc = e->alloc };
    return pgc_error_wrap(err, river_client_open(&options, out, err), "open the job queue");
}

pgc_status jobs_insert(river_client *queue, lum_actor actor, pgc_uuid asset_id, pgc_error *err)
{
    assert(queue != NULL);
    assert(actor.user_id > 0);
    char id[PGC_UUID_TEXT_SIZE];
    char args[ARGS_SIZE];
    river_insert jobs[ARRAY_LEN(KINDS)];
    pgc_uuid_format(&asset_id, id);
    int length = snprintf(args, sizeof args, "{\"asset_id\":\"%s\",\"owner_id\":%" PRId32 "}", id,
                          actor.user_id);
    assert(length > 0 && (size_t) length < sizeof args);
    for (size_t i = 0; i < ARRAY_LEN(KINDS); i++) {
        jobs[i] = (river_insert) { .struct_size = sizeof jobs[i],
                                   .kind = KINDS[i].name,
                                   .queue = KINDS[i].name,
                                   .args = { args, (size_t) length },
                                   .max_attempts = JOBS_MAX_ATTEMPTS,
                                   .unique = { .by_args = true, .by_state = UNIQUE_STATES } };
    }
    return pgc_error_wrap(err, river_insert_many(queue, actor.db, jobs, ARRAY_LEN(jobs), NULL, err),
                          "insert the jobs of asset %s", id);
}
