/* Jobs on their way into the queue, and found again there: by the asset in their metadata, which
 * the queue has an index for. No state; thread-safe as the actor's handle. */
#include "base/prelude.h"

#include "work/jobs_internal.h"

#include <river/insert.h>
#include <river/manage.h>

#include "river/json.h"

#define ARGS_MAX 1024                       /* bytes: a model's name may need six for each */
#define LATE_US  (86400 * INT64_C(1000000)) /* who waits for thumbnails and hears nothing looks */

pgc_status jobs_queue_open(pgc_pool *pool, const env *e, river_client **out, pgc_error *err)
{
    const river_client_options options = { .struct_size = sizeof options,
                                           .pool = pool,
                                           .skip_unknown_kind_check = true,
                                           .alloc = e->alloc };
    return pgc_error_wrap(err, river_client_open(&options, out, err), "open the job queue");
}

pgc_status jobs_embed_model(const lum_library *library, char out[LUM_MODEL_NAME_MAX + 1],
                            pgc_error *err)
{
    _Static_assert(LUM_MODEL_NAME_MAX == ML_MODEL_MAX, "one length from configuration to column");
    ml_config config;
    TRY(ml_config_read(lum_library_env(library), lum_library_home(library), &config, err));
    (void) snprintf(out, LUM_MODEL_NAME_MAX + 1, "%s", config.url[0] != '\0' ? config.model : "");
    return PGC_OK;
}

/* {"asset_id":"…"} */
static slice metadata_format(pgc_uuid asset_id, char out[static ARGS_MAX])
{
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    int length = snprintf(out, ARGS_MAX, "{\"asset_id\":\"%s\"}", id);
    assert(length > 0 && length < ARGS_MAX);
    return (slice) { out, (size_t) length };
}

static river_insert job_make(const char *kind, slice args, slice metadata)
{
    return (river_insert) { .struct_size = sizeof(river_insert),
                            .kind = kind,
                            .queue = kind,
                            .args = args,
                            .metadata = metadata,
                            .max_attempts = JOBS_MAX_ATTEMPTS,
                            .unique = { .by_args = true, .by_state = JOBS_UNIQUE_STATES } };
}

/* Arguments of the jobs that name a model, behind those that all have. */
static void model_args(buf *out, slice common, const char *model)
{
    buf_add(out, slice_sub(common, 0, common.len - 1)); /* without its } */
    buf_add_str(out, ",\"model\":");
    json_add_text(out, pgc_text_from(model));
    buf_add_char(out, '}');
}

/* Embedding waits for thumbnails that are still to be made: jobs_embed_wake(). */
static pgc_status insert(river_client *queue, lum_actor actor, pgc_uuid asset_id,
                         jobs_wanted wanted, pgc_error *err)
{
    char id[PGC_UUID_TEXT_SIZE];
    char args[ARGS_MAX];
    char reset[ARGS_MAX];
    char metadata[ARGS_MAX];
    river_insert jobs[3];
    size_t count = 0;
    AUTO(buf_auto) buf embed;
    buf_init(&embed, NULL, ARGS_MAX);
    pgc_uuid_format(&asset_id, id);
    int length = snprintf(args, sizeof args, "{\"asset_id\":\"%s\",\"owner_id\":%" PRId32 "}", id,
                          actor.user_id);
    assert(length > 0 && length < ARGS_MAX);
    const slice common = { args, (size_t) length };
    const slice asset = metadata_format(asset_id, metadata);
    if (wanted.files) {
        (void) snprintf(reset, sizeof reset, "%.*s,\"reset\":true}", length - 1, args);
        jobs[count++] =
            job_make(JOBS_METADATA, wanted.reset ? pgc_text_from(reset) : common, asset);
        jobs[count++] = job_make(JOBS_THUMBNAIL, common, asset);
    }
    if (wanted.embed_model != NULL && wanted.embed_model[0] != '\0') {
        const clock_ops *clock = clock_os();
        model_args(&embed, common, wanted.embed_model);
        TRY(buf_finish(&embed, err));
        jobs[count] = job_make(JOBS_EMBED, buf_view(&embed), asset);
        jobs[count++].scheduled_at = (pgc_opt_timestamptz) {
            wanted.files, pgc_timestamptz_from_unix_us(clock->unix_us(clock->ctx) + LATE_US)
        };
    }
    return count > 0 ? river_insert_many(queue, actor.db, jobs, count, NULL, err) : PGC_OK;
}

pgc_status jobs_insert(river_client *queue, lum_actor actor, pgc_uuid asset_id, jobs_wanted wanted,
                       pgc_error *err)
{
    assert(queue != NULL);
    assert(actor.user_id > 0);
    char id[PGC_UUID_TEXT_SIZE];
    pgc_uuid_format(&asset_id, id);
    return pgc_error_wrap(err, insert(queue, actor, asset_id, wanted, err),
                          "insert the jobs of asset %s", id);
}

pgc_status jobs_find(river_client *queue, pgc_db *db, const char *kind, pgc_uuid asset_id,
                     river_states states, river_jobs **out, pgc_error *err)
{
    char metadata[ARGS_MAX];
    const river_filter filter = { .struct_size = sizeof filter,
                                  .kinds = &kind,
                                  .kind_count = 1,
                                  .states = states,
                                  .metadata = metadata_format(asset_id, metadata) };
    return river_job_list(queue, db, &filter, out, err);
}

/* Those that wait for a server that is away look again, too, which costs them nothing. */
pgc_status jobs_embed_wake(river_client *queue, pgc_db *db, pgc_uuid asset_id, pgc_error *err)
{
    river_jobs *jobs = NULL;
    const river_states states =
        (river_states) (RIVER_STATE_BIT(RIVER_SCHEDULED) | RIVER_STATE_BIT(RIVER_RETRYABLE));
    TRY(jobs_find(queue, db, JOBS_EMBED, asset_id, states, &jobs, err));
    pgc_status status = PGC_OK;
    for (size_t i = 0; status == PGC_OK && i < river_jobs_count(jobs); i++) {
        status = river_job_retry(queue, db, river_jobs_at(jobs, i)->id, NULL, err);
    }
    river_jobs_free(jobs);
    return status;
}
