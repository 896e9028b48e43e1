/* Looking at jobs and queues and changing them: each a statement of the store. Threads: no state.
 */
#include "base/prelude.h"

#include <river/manage.h>

#include "base/options.h"

#include "river/client_state.h"

#include "river/check.h"
#include "river/cursor.h"
#include "river/json.h"
#include "river/store_run.h"
#include "river/timetext.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX     10000

/* One job by a statement whose parameters are ready; a job that does not exist is PGC_NOT_FOUND. */
static pgc_status one_job(river_client *client, pgc_db *db, river_statement which,
                          const pgc_args *args, int64_t id, river_jobs **out, pgc_error *err)
{
    river_jobs *jobs = NULL;
    TRY(store_run_jobs(client->store, client_db(client, db), which, args, &jobs, err));
    if (river_jobs_count(jobs) == 0) {
        river_jobs_free(jobs);
        return pgc_error_set(err, PGC_NOT_FOUND, "no such job");
    }
    assert(river_jobs_at(jobs, 0)->id == id);
    (void) id;
    *out = jobs;
    return PGC_OK;
}

/* For callers that want no row. */
static pgc_status give(river_jobs *jobs, river_jobs **out)
{
    if (out != NULL) {
        *out = jobs;
    } else {
        river_jobs_free(jobs);
    }
    return PGC_OK;
}

static pgc_status by_id(river_client *client, pgc_db *db, river_statement which, int64_t id,
                        river_jobs **out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, id);
    pgc_status status = one_job(client, db, which, &args, id, out, err);
    pgc_args_done(&args);
    return status;
}

pgc_status river_job_get(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                         pgc_error *err)
{
    return pgc_error_wrap(err, by_id(client, db, ST_JOB_GET, id, out, err), "get job %" PRId64, id);
}

pgc_status river_job_cancel(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                            pgc_error *err)
{
    AUTO(buf_auto) buf now;
    buf_init(&now, client->options.alloc, 100);
    time_add_rfc3339(&now, client_now(client));
    TRY(buf_finish(&now, err));
    river_jobs *jobs = NULL;
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(client->options.schema));
    pgc_add_i64(&args, id);
    pgc_add_text(&args, buf_view(&now));
    pgc_status status = one_job(client, db, ST_JOB_CANCEL, &args, id, &jobs, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "cancel job %" PRId64, id));
    return give(jobs, out);
}

pgc_status river_job_retry(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                           pgc_error *err)
{
    river_jobs *jobs = NULL;
    TRY(pgc_error_wrap(err, by_id(client, db, ST_JOB_RETRY, id, &jobs, err), "retry job %" PRId64,
                       id));
    return give(jobs, out);
}

pgc_status river_job_delete(river_client *client, pgc_db *db, int64_t id, river_jobs **out,
                            pgc_error *err)
{
    river_jobs *jobs = NULL;
    TRY(pgc_error_wrap(err, by_id(client, db, ST_JOB_DELETE, id, &jobs, err), "delete job %" PRId64,
                       id));
    if (river_jobs_at(jobs, 0)->state == RIVER_RUNNING) {
        river_jobs_free(jobs);
        (void) pgc_error_set(err, PGC_CONFLICT, "delete job %" PRId64 ": it runs", id);
        pgc_error_hint(err, "cancel it first");
        return PGC_CONFLICT;
    }
    return give(jobs, out);
}

pgc_status river_job_update(river_client *client, pgc_db *db, int64_t id, pgc_text output,
                            river_jobs **out, pgc_error *err)
{
    if (output.len > RIVER_OUTPUT_MAX) {
        return pgc_error_set(err, PGC_LIMIT, "output of job %" PRId64 " has %zu bytes, at most %u",
                             id, output.len, RIVER_OUTPUT_MAX);
    }
    TRY(pgc_error_wrap(err, json_check(output, err), "output of job %" PRId64, id));
    river_jobs *jobs = NULL;
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, id);
    pgc_add_text(&args, output);
    pgc_status status = one_job(client, db, ST_JOB_OUTPUT, &args, id, &jobs, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "update job %" PRId64, id));
    return give(jobs, out);
}

/* Names as an array parameter; NULL when there are none: no filter. */
static bool add_names(pgc_args *args, const char *const *names, size_t count, arena *memory)
{
    slice *values = ARENA_ARRAY(memory, count + 1, slice);
    if (values == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        values[i] = pgc_text_from(names[i]);
    }
    pgc_add_arr_text(args, (pgc_arr_text) { .has = count > 0, .count = count, .v = values });
    return true;
}

static river_states states_or_all(river_states states)
{
    return states == 0 ? RIVER_STATES_ALL : states;
}

static void add_states(pgc_args *args, river_states states, slice names[RIVER_STATE_COUNT])
{
    size_t count = 0;
    for (unsigned i = 0; i < RIVER_STATE_COUNT; i++) {
        if (states & 1u << i) {
            names[count++] = pgc_text_from(river_state_name((river_state) i));
        }
    }
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = names });
}

static pgc_status add_filter(pgc_args *args, const river_filter *filter, arena *memory,
                             pgc_error *err)
{
    slice *states = ARENA_ARRAY(memory, RIVER_STATE_COUNT, slice);
    if (states == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "list jobs: out of memory");
    }
    pgc_add_arr_i64(
        args,
        (pgc_arr_i64) { .has = filter->id_count > 0, .count = filter->id_count, .v = filter->ids });
    bool added = add_names(args, filter->kinds, filter->kind_count, memory) &&
                 add_names(args, filter->queues, filter->queue_count, memory);
    pgc_add_arr_i16(args, (pgc_arr_i16) { .has = filter->priority_count > 0,
                                          .count = filter->priority_count,
                                          .v = filter->priorities });
    add_states(args, states_or_all(filter->states), states);
    added = added && add_names(args, filter->tags_all, filter->tags_all_count, memory) &&
            add_names(args, filter->tags_any, filter->tags_any_count, memory);
    pgc_add_text(args, filter->metadata);
    return added ? PGC_OK : pgc_error_set(err, PGC_NOMEM, "list jobs: out of memory");
}

static pgc_status check_filter(const river_filter *filter, pgc_error *err)
{
    if ((unsigned) filter->order > RIVER_ORDER_FINALIZED_AT) {
        return pgc_error_set(err, PGC_INVALID, "filter: unknown order");
    }
    if (filter->limit < 0 || filter->limit > LIMIT_MAX) {
        return pgc_error_set(err, PGC_INVALID, "limit %d: 1 to %d", filter->limit, LIMIT_MAX);
    }
    if (filter->metadata.ptr != NULL) {
        TRY(pgc_error_wrap(err, json_check(filter->metadata, err), "filter by metadata"));
    }
    bool only_final = (states_or_all(filter->states) & ~RIVER_STATES_FINAL) == 0;
    if (filter->order == RIVER_ORDER_FINALIZED_AT && !only_final) {
        return pgc_error_set(err, PGC_INVALID,
                             "order by finalized_at needs states that are final only");
    }
    return PGC_OK;
}

static int64_t limit_of(const river_filter *filter)
{
    return filter->limit == 0 ? LIMIT_DEFAULT : filter->limit;
}

pgc_status river_job_list(river_client *client, pgc_db *db, const river_filter *filter,
                          river_jobs **out, pgc_error *err)
{
    river_filter taken;
    cursor_place after = { 0 };
    TRY(options_take_any("filter", filter, &taken, sizeof taken, err));
    filter = &taken;
    TRY(check_filter(filter, err));
    if (filter->after != NULL) {
        TRY(cursor_parse(filter, &after, err));
    }
    AUTO(arena_auto) arena *memory = arena_new(client->options.alloc, 0, 0);
    if (memory == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "list jobs: out of memory");
    }
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_status status = add_filter(&args, filter, memory, err);
    pgc_add_opt_i64(&args, (pgc_opt_i64) { filter->after != NULL, after.id });
    pgc_add_timestamptz(&args, after.time);
    pgc_add_i64(&args, limit_of(filter));
    if (status == PGC_OK) {
        status = store_run_jobs(client->store, client_db(client, db), cursor_statement(filter),
                                &args, out, err);
    }
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "list jobs");
}

pgc_status river_job_delete_many(river_client *client, pgc_db *db, const river_filter *filter,
                                 river_jobs **out, pgc_error *err)
{
    if (filter == NULL) {
        return pgc_error_set(err, PGC_INVALID, "delete jobs: no filter");
    }
    river_filter taken;
    TRY(options_take("filter", filter, &taken, sizeof taken, err));
    filter = &taken;
    TRY(check_filter(filter, err));
    bool any = filter->id_count > 0 || filter->kind_count > 0 || filter->queue_count > 0 ||
               filter->priority_count > 0 || filter->states != 0 || filter->tags_all_count > 0 ||
               filter->tags_any_count > 0 || filter->metadata.ptr != NULL;
    if (!any && !filter->all) {
        return pgc_error_set(err, PGC_INVALID,
                             "delete jobs: no filter; set `all` to delete every job");
    }
    AUTO(arena_auto) arena *memory = arena_new(client->options.alloc, 0, 0);
    if (memory == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "delete jobs: out of memory");
    }
    pgc_args args;
    river_jobs *jobs = NULL;
    pgc_args_init(&args, NULL);
    pgc_status status = add_filter(&args, filter, memory, err);
    pgc_add_i64(&args, limit_of(filter));
    if (status == PGC_OK) {
        status = store_run_jobs(client->store, client_db(client, db), ST_JOB_DELETE_MANY, &args,
                                &jobs, err);
    }
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "delete jobs"));
    return give(jobs, out);
}

pgc_status river_job_count(river_client *client, pgc_db *db, int64_t out[RIVER_STATE_COUNT],
                           pgc_error *err)
{
    const pgc_query *query = &client->store->queries[ST_JOB_COUNT];
    pgc_result *result = NULL;
    TRY(pgc_error_wrap(err, pgc_db_run(client_db(client, db), query, NULL, &result, err),
                       "count jobs"));
    int64_t counts[RIVER_STATE_COUNT] = { 0 };
    pgc_reader reader;
    pgc_reader_init(&reader, result, query);
    for (size_t row = 0; row < pgc_result_rows(result); row++) {
        slice name = pgc_read_text(&reader, row, 0);
        for (unsigned i = 0; i < RIVER_STATE_COUNT; i++) {
            if (slice_eq_str(name, river_state_name((river_state) i))) {
                counts[i] = pgc_read_i64(&reader, row, 1);
            }
        }
    }
    pgc_status status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    TRY(status);
    memcpy(out, counts, sizeof(counts));
    return PGC_OK;
}

pgc_status river_queue_list(river_client *client, pgc_db *db, int32_t limit, river_queues **out,
                            pgc_error *err)
{
    if (limit < 0 || limit > LIMIT_MAX) {
        return pgc_error_set(err, PGC_INVALID, "limit %d: 1 to %d", limit, LIMIT_MAX);
    }
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_i64(&args, limit == 0 ? LIMIT_DEFAULT : limit);
    pgc_status status =
        store_run_queues(client->store, client_db(client, db), ST_QUEUE_LIST, &args, out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "list queues");
}

/* One queue; none is PGC_NOT_FOUND. */
static pgc_status one_queue(river_client *client, pgc_db *db, river_statement which,
                            const pgc_args *args, river_queues **out, pgc_error *err)
{
    river_queues *queues = NULL;
    TRY(store_run_queues(client->store, client_db(client, db), which, args, &queues, err));
    if (river_queues_count(queues) == 0) {
        river_queues_free(queues);
        (void) pgc_error_set(err, PGC_NOT_FOUND, "no such queue");
        pgc_error_hint(err, "a queue exists once a client has worked it");
        return PGC_NOT_FOUND;
    }
    if (out != NULL) {
        *out = queues;
    } else {
        river_queues_free(queues);
    }
    return PGC_OK;
}

pgc_status river_queue_get(river_client *client, pgc_db *db, const char *name, river_queues **out,
                           pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(name));
    pgc_status status = one_queue(client, db, ST_QUEUE_GET, &args, out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "get queue %s", name);
}

pgc_status river_queue_update(river_client *client, pgc_db *db, const char *name, pgc_text metadata,
                              river_queues **out, pgc_error *err)
{
    TRY(pgc_error_wrap(err, json_check_object(metadata, err), "metadata of queue %s", name));
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(client->options.schema));
    pgc_add_text(&args, pgc_text_from(name));
    pgc_add_text(&args, metadata);
    pgc_status status = one_queue(client, db, ST_QUEUE_METADATA, &args, out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "update queue %s", name);
}

/* Pause or resume: the statement answers with the number of queues. */
static pgc_status switch_queue(river_client *client, pgc_db *db, river_statement which,
                               const char *name, pgc_error *err)
{
    const pgc_query *query = &client->store->queries[which];
    pgc_args args;
    pgc_result *result = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(client->options.schema));
    pgc_add_text(&args, pgc_text_from(name));
    pgc_status status = pgc_db_run(client_db(client, db), query, &args, &result, err);
    pgc_args_done(&args);
    TRY(status);
    pgc_reader reader;
    pgc_reader_init(&reader, result, query);
    int64_t count = pgc_read_i64(&reader, 0, 0);
    status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    TRY(status);
    if (count > 0 || strcmp(name, "*") == 0) {
        return PGC_OK;
    }
    (void) pgc_error_set(err, PGC_NOT_FOUND, "no such queue");
    pgc_error_hint(err, "a queue exists once a client has worked it");
    return PGC_NOT_FOUND;
}

pgc_status river_queue_pause(river_client *client, pgc_db *db, const char *name, pgc_error *err)
{
    return pgc_error_wrap(err, switch_queue(client, db, ST_QUEUE_PAUSE, name, err),
                          "pause queue %s", name);
}

pgc_status river_queue_resume(river_client *client, pgc_db *db, const char *name, pgc_error *err)
{
    return pgc_error_wrap(err, switch_queue(client, db, ST_QUEUE_RESUME, name, err),
                          "resume queue %s", name);
}

pgc_status river_client_request_resign(river_client *client, pgc_db *db, pgc_error *err)
{
    static const char text[] = "{\"action\": \"request_resign\", \"leader_id\": \"\"}";
    const pgc_text payload = { text, sizeof(text) - 1 };
    return store_notify(client->store, client_db(client, db), TOPIC_LEADERSHIP, &payload, 1, err);
}
