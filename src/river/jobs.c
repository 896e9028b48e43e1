/*
 * Decoding of rows. Texts point into the answer; one free takes all. Errors of earlier attempts are
 * read leniently, as Go does: what is missing is zero. Threads: an answer belongs to one at a time.
 */
#include "base/prelude.h"

#include "river/jobs.h"

#include "base/slice.h"
#include "river/json.h"
#include "river/timetext.h"

struct river_queues {
    pgc_result *result;
    river_queue *rows;
    size_t count;
};

static const char *const STATE_NAMES[RIVER_STATE_COUNT] = {
    [RIVER_AVAILABLE] = "available", [RIVER_CANCELLED] = "cancelled",
    [RIVER_COMPLETED] = "completed", [RIVER_DISCARDED] = "discarded",
    [RIVER_PENDING] = "pending",     [RIVER_RETRYABLE] = "retryable",
    [RIVER_RUNNING] = "running",     [RIVER_SCHEDULED] = "scheduled",
};

const char *river_state_name(river_state state)
{
    return (unsigned) state < RIVER_STATE_COUNT ? STATE_NAMES[state] : "unknown";
}

static bool state_of(slice name, river_state *out)
{
    for (unsigned i = 0; i < RIVER_STATE_COUNT; i++) {
        if (slice_eq_str(name, STATE_NAMES[i])) {
            *out = (river_state) i;
            return true;
        }
    }
    return false;
}

bool river_state_parse(const char *name, river_state *out)
{
    return state_of(pgc_text_from(name), out);
}

/* Text of a JSON string in the result's memory; empty when it is none, or without memory. */
static slice text_in(pgc_result *result, slice json)
{
    if (json.ptr == NULL || !json_is(json, '"')) {
        return SLICE("");
    }
    /* A decoded string is never longer than its spelling. */
    char *bytes = pgc_result_alloc(result, json.len);
    if (bytes == NULL) {
        return SLICE("");
    }
    return (slice) { bytes, json_decode(json, bytes) };
}

static river_attempt_error error_of(pgc_result *result, slice object)
{
    river_attempt_error error = { .error = text_in(result, json_get(object, SLICE("error"))),
                                  .trace = text_in(result, json_get(object, SLICE("trace"))) };
    int64_t attempt = 0;
    slice number = json_get(object, SLICE("attempt"));
    if (number.ptr != NULL && slice_to_i64(number, &attempt) && attempt >= INT32_MIN &&
        attempt <= INT32_MAX) {
        error.attempt = (int32_t) attempt;
    }
    (void) time_parse_rfc3339(text_in(result, json_get(object, SLICE("at"))), &error.at);
    return error;
}

/* The server's array of objects. */
static bool read_errors(pgc_result *result, slice array, river_job *job)
{
    json_walk walk;
    slice element;
    size_t count = 0;
    json_walk_begin(&walk, array);
    while (json_walk_element(&walk, &element)) {
        count++;
    }
    if (count == 0) {
        return true;
    }
    river_attempt_error *errors = pgc_result_array(result, count, sizeof(*errors));
    if (errors == NULL) {
        return false;
    }
    json_walk_begin(&walk, array);
    for (size_t i = 0; i < count && json_walk_element(&walk, &element); i++) {
        errors[i] = error_of(result, element);
    }
    job->errors = errors;
    job->error_count = count;
    return true;
}

/* Arrays of other shapes (NULLs, more dimensions) are somebody else's; the job is worked without
 * them. */
static pgc_arr_text texts_of(const pgc_reader *reader, size_t row, size_t column)
{
    pgc_reader lenient;
    pgc_reader_init(&lenient, reader->result, reader->query);
    pgc_arr_text texts = pgc_read_opt_arr_text(&lenient, row, column);
    return lenient.status == PGC_OK ? texts : (pgc_arr_text) { 0 };
}

/* One row, in the order of JOB. False: no memory. */
static bool read_job(pgc_reader *reader, size_t row, river_job *job)
{
    *job = (river_job) {
        .id = pgc_read_i64(reader, row, 0),
        .attempt = pgc_read_i16(reader, row, 2),
        .max_attempts = pgc_read_i16(reader, row, 3),
        .attempted_at = pgc_read_opt_timestamptz(reader, row, 4),
        .created_at = pgc_read_timestamptz(reader, row, 5),
        .finalized_at = pgc_read_opt_timestamptz(reader, row, 6),
        .scheduled_at = pgc_read_timestamptz(reader, row, 7),
        .priority = pgc_read_i16(reader, row, 8),
        .args = pgc_read_text(reader, row, 9),
        .kind = pgc_read_text(reader, row, 12),
        .metadata = pgc_read_text(reader, row, 13),
        .queue = pgc_read_text(reader, row, 14),
        .unique_key = pgc_read_opt_bytes(reader, row, 16),
        .unique_states = (river_states) pgc_read_opt_i32(reader, row, 17).v,
    };
    (void) state_of(pgc_read_text(reader, row, 1), &job->state);
    pgc_arr_text by = texts_of(reader, row, 10);
    job->attempted_by = by.v;
    job->attempted_by_count = by.count;
    pgc_arr_text tags = texts_of(reader, row, 15);
    job->tags = tags.v;
    job->tag_count = tags.count;
    slice errors = pgc_read_opt_text(reader, row, 11);
    return errors.ptr == NULL || read_errors(reader->result, errors, job);
}

static pgc_status no_memory(pgc_result *result, pgc_error *err)
{
    pgc_result_free(result);
    return pgc_error_set(err, PGC_NOMEM, "read jobs: out of memory");
}

pgc_status jobs_take(pgc_result *result, const pgc_query *query, bool duplicates, river_jobs **out,
                     pgc_error *err)
{
    pgc_reader reader;
    size_t count = pgc_result_rows(result);
    river_jobs *jobs = pgc_result_alloc(result, sizeof(*jobs));
    if (jobs == NULL) {
        return no_memory(result, err);
    }
    *jobs = (river_jobs) { .result = result,
                           .count = count,
                           .rows = pgc_result_array(result, count + 1, sizeof(river_job)) };
    if (duplicates) {
        jobs->duplicates = pgc_result_array(result, count + 1, sizeof(bool));
    }
    if (jobs->rows == NULL || (duplicates && jobs->duplicates == NULL)) {
        return no_memory(result, err);
    }
    pgc_reader_init(&reader, result, query);
    for (size_t row = 0; row < count; row++) {
        if (!read_job(&reader, row, &jobs->rows[row])) {
            return no_memory(result, err);
        }
        if (duplicates) {
            jobs->duplicates[row] = pgc_read_bool(&reader, row, 18);
        }
    }
    pgc_status status = pgc_reader_finish(&reader, err);
    if (status != PGC_OK) {
        pgc_result_free(result);
        return status;
    }
    *out = jobs;
    return PGC_OK;
}

size_t river_jobs_count(const river_jobs *jobs)
{
    if (jobs == NULL) {
        return 0;
    }
    return jobs->places == NULL ? jobs->count : jobs->place_count;
}

const river_job *river_jobs_at(const river_jobs *jobs, size_t index)
{
    if (index >= river_jobs_count(jobs)) {
        return NULL;
    }
    return &jobs->rows[jobs->places == NULL ? index : jobs->places[index]];
}

bool river_jobs_duplicate(const river_jobs *jobs, size_t index)
{
    if (index >= river_jobs_count(jobs) || jobs->duplicates == NULL) {
        return false;
    }
    if (jobs->places == NULL) {
        return jobs->duplicates[index];
    }
    /* A second insert of one call meets the row of the first. */
    for (size_t i = 0; i < index; i++) {
        if (jobs->places[i] == jobs->places[index]) {
            return true;
        }
    }
    return jobs->duplicates[jobs->places[index]];
}

void river_jobs_free(river_jobs *jobs)
{
    if (jobs == NULL) {
        return;
    }
    if (jobs->memory != NULL) {
        arena_free(jobs->memory); /* it holds jobs, too */
    } else {
        pgc_result_free(jobs->result);
    }
}

static pgc_text copy_text(arena *memory, pgc_text text, bool *failed)
{
    if (text.ptr == NULL) {
        return text;
    }
    const char *copy = arena_copy(memory, text);
    *failed = *failed || copy == NULL;
    return (pgc_text) { copy, text.len };
}

static const pgc_text *copy_texts(arena *memory, const pgc_text *from, size_t count, bool *failed)
{
    pgc_text *copy = ARENA_ARRAY(memory, count + 1, pgc_text);
    *failed = *failed || copy == NULL;
    for (size_t i = 0; !*failed && i < count; i++) {
        copy[i] = copy_text(memory, from[i], failed);
    }
    return copy;
}

static const river_attempt_error *copy_errors(arena *memory, const river_job *job, bool *failed)
{
    river_attempt_error *copy = ARENA_ARRAY(memory, job->error_count + 1, river_attempt_error);
    *failed = *failed || copy == NULL;
    for (size_t i = 0; !*failed && i < job->error_count; i++) {
        copy[i] = job->errors[i];
        copy[i].error = copy_text(memory, copy[i].error, failed);
        copy[i].trace = copy_text(memory, copy[i].trace, failed);
    }
    return copy;
}

river_jobs *jobs_copy(const river_job *job, const pgc_alloc *alloc)
{
    AUTO(arena_auto) arena *memory = arena_new(alloc, 0, 0);
    river_jobs *jobs = memory == NULL ? NULL : ARENA_NEW(memory, river_jobs);
    river_job *row = jobs == NULL ? NULL : ARENA_NEW(memory, river_job);
    if (row == NULL) {
        return NULL;
    }
    bool failed = false;
    *row = *job;
    row->kind = copy_text(memory, job->kind, &failed);
    row->queue = copy_text(memory, job->queue, &failed);
    row->args = copy_text(memory, job->args, &failed);
    row->metadata = copy_text(memory, job->metadata, &failed);
    pgc_text key = { (const char *) job->unique_key.ptr, job->unique_key.len };
    row->unique_key.ptr = (const uint8_t *) copy_text(memory, key, &failed).ptr;
    row->attempted_by = copy_texts(memory, job->attempted_by, job->attempted_by_count, &failed);
    row->tags = copy_texts(memory, job->tags, job->tag_count, &failed);
    row->errors = copy_errors(memory, job, &failed);
    if (failed) {
        return NULL;
    }
    *jobs = (river_jobs) { .memory = TAKE(memory), .rows = row, .count = 1 };
    return jobs;
}

static int compare_for_work(const void *a, const void *b)
{
    const river_job *left = (const river_job *) a, *right = (const river_job *) b;
    if (left->priority != right->priority) {
        return left->priority < right->priority ? -1 : 1;
    }
    if (left->scheduled_at.us != right->scheduled_at.us) {
        return left->scheduled_at.us < right->scheduled_at.us ? -1 : 1;
    }
    return left->id < right->id ? -1 : left->id > right->id;
}

void jobs_sort_for_work(river_jobs *jobs)
{
    assert(jobs->places == NULL && jobs->duplicates == NULL);
    qsort(jobs->rows, jobs->count, sizeof(*jobs->rows), compare_for_work);
}

pgc_status queues_take(pgc_result *result, const pgc_query *query, river_queues **out,
                       pgc_error *err)
{
    pgc_reader reader;
    size_t count = pgc_result_rows(result);
    river_queues *queues = pgc_result_alloc(result, sizeof(*queues));
    river_queue *rows = pgc_result_array(result, count + 1, sizeof(*rows));
    if (queues == NULL || rows == NULL) {
        return no_memory(result, err);
    }
    pgc_reader_init(&reader, result, query);
    for (size_t row = 0; row < count; row++) {
        rows[row] = (river_queue) {
            .name = pgc_read_text(&reader, row, 0),
            .metadata = pgc_read_text(&reader, row, 1),
            .created_at = pgc_read_timestamptz(&reader, row, 2),
            .updated_at = pgc_read_timestamptz(&reader, row, 3),
            .paused_at = pgc_read_opt_timestamptz(&reader, row, 4),
        };
    }
    pgc_status status = pgc_reader_finish(&reader, err);
    if (status != PGC_OK) {
        pgc_result_free(result);
        return status;
    }
    *queues = (river_queues) { result, rows, count };
    *out = queues;
    return PGC_OK;
}

size_t river_queues_count(const river_queues *queues)
{
    return queues == NULL ? 0 : queues->count;
}

const river_queue *river_queues_at(const river_queues *queues, size_t index)
{
    return index < river_queues_count(queues) ? &queues->rows[index] : NULL;
}

void river_queues_free(river_queues *queues)
{
    if (queues != NULL) {
        pgc_result_free(queues->result);
    }
}
