/*
 * Running statements, and the statements of workers: fetch, complete, finish, queue rows. Threads:
 * a store is read-only; the handle decides who may run what at once.
 */
#include "base/prelude.h"

#include "river/store_run.h"

#include "river/migrations.h"

/* Which schema, and how far it is: both in one round trip. */
static const pgc_type_ref PLACE_PARAMS[] = { { "schema", "text", 25 } };
static const pgc_type_ref PLACE_COLUMNS[] = { { "schema", "text", 25 },
                                              { "has_states", "boolean", 16 } };
static const pgc_query PLACE = {
    .name = "RiverPlace",
    .sql = "SELECT s.name::text, EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE "
           "attrelid = to_regclass(quote_ident(s.name) || '.river_job') "
           "AND attname = 'unique_states') "
           "FROM (SELECT coalesce(nullif($1, ''), current_schema()::text, '') AS name) AS s",
    .flags = PGC_QUERY_UNNAMED,
    .param_count = 1,
    .column_count = 2,
    .params = PLACE_PARAMS,
    .columns = PLACE_COLUMNS,
};

pgc_status store_open(pgc_db *db, const char *schema, const river_store **out, pgc_error *err)
{
    pgc_args args;
    pgc_result *result = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(schema == NULL ? "" : schema));
    pgc_status status = pgc_db_run(db, &PLACE, &args, &result, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "look for the job queue"));
    pgc_reader reader;
    char name[RIVER_SCHEMA_SIZE] = "";
    pgc_reader_init(&reader, result, &PLACE);
    slice found = pgc_read_text(&reader, 0, 0);
    bool ready = pgc_read_bool(&reader, 0, 1);
    status = pgc_reader_finish(&reader, err);
    bool fits = found.len < sizeof(name);
    if (fits) {
        memcpy(name, found.ptr, found.len);
    }
    pgc_result_free(result);
    TRY(status);
    if (!fits) {
        return pgc_error_set(err, PGC_INVALID, "schema of the job queue: at most %zu bytes",
                             sizeof(name) - 1);
    }
    if (!ready) {
        (void) pgc_error_set(err, PGC_SCHEMA, "no job queue (or one older than version 6) in %s%s",
                             name[0] == '\0' ? "search_path" : "schema ", name);
        pgc_error_hint(err, "run: lumilio river migrate-up");
        return PGC_SCHEMA;
    }
    *out = statements_of(name);
    return *out == NULL ? pgc_error_set(err, PGC_NOMEM, "job queue: out of memory") : PGC_OK;
}

const char *store_schema(const river_store *store)
{
    return store->schema;
}

pgc_status store_run_jobs(const river_store *store, pgc_db *db, river_statement which,
                          const pgc_args *args, river_jobs **out, pgc_error *err)
{
    const pgc_query *query = &store->queries[which];
    pgc_result *result = NULL;
    TRY(pgc_db_run(db, query, args, &result, err));
    return jobs_take(result, query, which == ST_INSERT, out, err);
}

pgc_status store_run_queues(const river_store *store, pgc_db *db, river_statement which,
                            const pgc_args *args, river_queues **out, pgc_error *err)
{
    const pgc_query *query = &store->queries[which];
    pgc_result *result = NULL;
    TRY(pgc_db_run(db, query, args, &result, err));
    return queues_take(result, query, out, err);
}

pgc_status store_run_count(const river_store *store, pgc_db *db, river_statement which,
                           const pgc_args *args, int64_t *count_out, pgc_error *err)
{
    pgc_result *result = NULL;
    TRY(pgc_db_run(db, &store->queries[which], args, &result, err));
    if (count_out != NULL) {
        *count_out = pgc_result_affected(result);
    }
    pgc_result_free(result);
    return PGC_OK;
}

pgc_status store_run_time(const river_store *store, pgc_db *db, river_statement which,
                          const pgc_args *args, pgc_timestamptz *out, pgc_error *err)
{
    const pgc_query *query = &store->queries[which];
    pgc_result *result = NULL;
    TRY(pgc_db_run(db, query, args, &result, err));
    if (pgc_result_rows(result) == 0) {
        pgc_result_free(result);
        return pgc_error_set(err, PGC_NOT_FOUND, "%s: no row", query->name);
    }
    pgc_reader reader;
    pgc_reader_init(&reader, result, query);
    pgc_timestamptz at = pgc_read_timestamptz(&reader, 0, 0);
    pgc_status status = pgc_reader_finish(&reader, err);
    pgc_result_free(result);
    TRY(status);
    *out = at;
    return PGC_OK;
}

pgc_status store_fetch(const river_store *store, pgc_db *db, const char *queue,
                       const char *client_id, uint32_t max, river_jobs **out, pgc_error *err)
{
    pgc_args args;
    river_jobs *jobs = NULL;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(queue));
    pgc_add_text(&args, pgc_text_from(client_id));
    pgc_add_i64(&args, max);
    pgc_status status = store_run_jobs(store, db, ST_FETCH, &args, &jobs, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "fetch jobs of queue %s", queue));
    jobs_sort_for_work(jobs);
    *out = jobs;
    return PGC_OK;
}

static int compare_ids(const void *a, const void *b)
{
    const store_done *left = (const store_done *) a, *right = (const store_done *) b;
    return left->id < right->id ? -1 : left->id > right->id;
}

static int compare_done(const void *a, const void *b)
{
    const store_done *left = (const store_done *) a, *right = (const store_done *) b;
    if (left->attempt != right->attempt) {
        return left->attempt < right->attempt ? -1 : 1;
    }
    return compare_ids(a, b);
}

/* Mark the entries that came back. */
static pgc_status note_stored(pgc_result *result, const pgc_query *query, store_done *entries,
                              size_t count, pgc_timestamptz *finalized_out, pgc_error *err)
{
    pgc_reader reader;
    size_t rows = pgc_result_rows(result);
    pgc_reader_init(&reader, result, query);
    for (size_t row = 0; row < rows; row++) {
        store_done key = { .id = pgc_read_i64(&reader, row, 0) };
        store_done *entry = bsearch(&key, entries, count, sizeof(key), compare_ids);
        if (entry != NULL) {
            entry->stored = true;
        }
        if (row == 0 && finalized_out != NULL) {
            *finalized_out = pgc_read_timestamptz(&reader, row, 1);
        }
    }
    return pgc_reader_finish(&reader, err);
}

/* Entries of one attempt number, sorted by id. */
static pgc_status complete_same(const river_store *store, pgc_db *db, store_done *entries,
                                size_t count, int64_t *ids, pgc_timestamptz *finalized_out,
                                pgc_error *err)
{
    const pgc_query *query = &store->queries[entries[0].gone ? ST_COMPLETE_DELETE : ST_COMPLETE];
    pgc_args args;
    pgc_result *result = NULL;
    for (size_t i = 0; i < count; i++) {
        ids[i] = entries[i].id;
    }
    pgc_args_init(&args, NULL);
    pgc_add_arr_i64(&args, (pgc_arr_i64) { .has = true, .count = count, .v = ids });
    pgc_add_i16(&args, entries[0].attempt);
    pgc_status status = pgc_db_run(db, query, &args, &result, err);
    pgc_args_done(&args);
    TRY(pgc_error_wrap(err, status, "complete %zu jobs", count));
    status = note_stored(result, query, entries, count, finalized_out, err);
    pgc_result_free(result);
    return status;
}

pgc_status store_complete(const river_store *store, pgc_db *db, store_done *entries, size_t count,
                          pgc_timestamptz *finalized_out, pgc_error *err)
{
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    int64_t *ids = memory == NULL ? NULL : ARENA_ARRAY(memory, count + 1, int64_t);
    if (ids == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "complete jobs: out of memory");
    }
    qsort(entries, count, sizeof(*entries), compare_done); /* one order of locks for everybody */
    for (size_t i = 0; i < count; i++) {
        entries[i].stored = false;
    }
    for (size_t from = 0, to = 0; from < count; from = to) {
        while (to < count && entries[to].attempt == entries[from].attempt) {
            to++;
        }
        TRY(complete_same(store, db, entries + from, to - from, ids, finalized_out, err));
    }
    return PGC_OK;
}

/* The nine arrays of outcomes. */
typedef struct outcome_columns {
    int64_t *ids;
    int16_t *fences, *attempts;
    uint8_t *attempt_nulls, *finalized_nulls, *scheduled_nulls, *began_nulls;
    slice *states, *errors, *metadata;
    pgc_timestamptz *finalized, *scheduled, *began;
} outcome_columns;

static bool columns_make(outcome_columns *to, size_t count, arena *memory)
{
    size_t room = count + 1;
    *to = (outcome_columns) {
        .ids = ARENA_ARRAY(memory, room, int64_t),
        .fences = ARENA_ARRAY(memory, room, int16_t),
        .attempts = ARENA_ARRAY(memory, room, int16_t),
        .attempt_nulls = ARENA_ARRAY(memory, room, uint8_t),
        .finalized_nulls = ARENA_ARRAY(memory, room, uint8_t),
        .scheduled_nulls = ARENA_ARRAY(memory, room, uint8_t),
        .began_nulls = ARENA_ARRAY(memory, room, uint8_t),
        .states = ARENA_ARRAY(memory, room, slice),
        .errors = ARENA_ARRAY(memory, room, slice),
        .metadata = ARENA_ARRAY(memory, room, slice),
        .finalized = ARENA_ARRAY(memory, room, pgc_timestamptz),
        .scheduled = ARENA_ARRAY(memory, room, pgc_timestamptz),
        .began = ARENA_ARRAY(memory, room, pgc_timestamptz),
    };
    return to->ids && to->fences && to->attempts && to->attempt_nulls && to->finalized_nulls &&
           to->scheduled_nulls && to->began_nulls && to->states && to->errors && to->metadata &&
           to->finalized && to->scheduled && to->began;
}

static void columns_fill(outcome_columns *to, size_t i, const store_outcome *from)
{
    to->ids[i] = from->id;
    to->fences[i] = from->attempt;
    to->states[i] = pgc_text_from(river_state_name(from->state));
    to->attempts[i] = from->attempt_new;
    to->attempt_nulls[i] = !from->set_attempt;
    to->finalized[i] = from->finalized_at.v;
    to->finalized_nulls[i] = !from->finalized_at.has;
    to->scheduled[i] = from->scheduled_at.v;
    to->scheduled_nulls[i] = !from->scheduled_at.has;
    to->began[i] = from->began.v;
    to->began_nulls[i] = !from->began.has;
    to->errors[i] = from->error.ptr == NULL ? SLICE("") : from->error;
    to->metadata[i] = from->metadata.ptr == NULL ? SLICE("") : from->metadata;
}

pgc_status store_add_outcomes(pgc_args *args, const store_outcome *outcomes, size_t count,
                              arena *memory, pgc_error *err)
{
    outcome_columns to;
    if (!columns_make(&to, count, memory)) {
        return pgc_error_set(err, PGC_NOMEM, "write outcomes of jobs: out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        columns_fill(&to, i, &outcomes[i]);
    }
    pgc_add_arr_i64(args, (pgc_arr_i64) { .has = true, .count = count, .v = to.ids });
    pgc_add_arr_i16(args, (pgc_arr_i16) { .has = true, .count = count, .v = to.fences });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = to.states });
    pgc_add_arr_i16(
        args,
        (pgc_arr_i16) { .has = true, .count = count, .v = to.attempts, .nulls = to.attempt_nulls });
    pgc_add_arr_timestamptz(
        args, (pgc_arr_timestamptz) {
                  .has = true, .count = count, .v = to.finalized, .nulls = to.finalized_nulls });
    pgc_add_arr_timestamptz(
        args, (pgc_arr_timestamptz) {
                  .has = true, .count = count, .v = to.scheduled, .nulls = to.scheduled_nulls });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = to.errors });
    pgc_add_arr_text(args, (pgc_arr_text) { .has = true, .count = count, .v = to.metadata });
    pgc_add_arr_timestamptz(
        args, (pgc_arr_timestamptz) {
                  .has = true, .count = count, .v = to.began, .nulls = to.began_nulls });
    return args->status == PGC_OK
               ? PGC_OK
               : pgc_error_set(err, args->status, "write outcomes of jobs: %s", args->reason);
}

pgc_status store_finish(const river_store *store, pgc_db *db, const store_outcome *outcomes,
                        size_t count, river_jobs **out, pgc_error *err)
{
    AUTO(arena_auto) arena *memory = arena_new(NULL, 0, 0);
    if (memory == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "write outcomes of jobs: out of memory");
    }
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_status status = store_add_outcomes(&args, outcomes, count, memory, err);
    if (status == PGC_OK) {
        status = store_run_jobs(store, db, ST_FINISH, &args, out, err);
    }
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "write outcomes of %zu jobs", count);
}

pgc_status store_reclaim(const river_store *store, pgc_db *db, const store_unheard *unheard,
                         int64_t *count_out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(unheard->queue));
    pgc_add_text(&args, pgc_text_from(unheard->client_id));
    pgc_add_i64(&args, unheard->within_us);
    pgc_add_arr_i64(
        &args, (pgc_arr_i64) { .has = true, .count = unheard->known_count, .v = unheard->known });
    pgc_status status = store_run_count(store, db, ST_RECLAIM, &args, count_out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "take back jobs of queue %s", unheard->queue);
}

pgc_status store_queue_upsert(const river_store *store, pgc_db *db, const char *name,
                              river_queues **out, pgc_error *err)
{
    pgc_args args;
    pgc_args_init(&args, NULL);
    pgc_add_text(&args, pgc_text_from(name));
    pgc_status status = store_run_queues(store, db, ST_QUEUE_UPSERT, &args, out, err);
    pgc_args_done(&args);
    return pgc_error_wrap(err, status, "register queue %s", name);
}
