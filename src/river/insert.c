/*
 * Inserting jobs: check, complete, dedupe within the call, one statement, one notification per
 * queue that may be told. All in one transaction: the caller's, or one of our own. Threads: the
 * limiter is under the client's lock.
 */
#include "base/prelude.h"

#include "river/insertion.h"

#include "base/options.h"

#include "river/check.h"
#include "river/jobs.h"
#include "river/json.h"
#include "river/unique.h"

/* One call. */
typedef struct insertion {
    river_client *client;
    arena *memory;
    river_insert *jobs; /* copies: hooks may change them, defaults are filled in */
    size_t count;
    store_row *rows; /* without those that repeat a unique key of this call */
    size_t row_count;
    size_t *places;  /* row of each job */
    size_t *keys;    /* open hash of unique keys: row + 1, 0 is free; NULL: no unique job so far */
    size_t key_room; /* a power of two, more than twice the jobs */
    pgc_text *payloads;
    size_t payload_count;
    bool available; /* whatever scheduled_at says */
    pgc_error *err;
} insertion;

static pgc_status no_memory(pgc_error *err)
{
    return pgc_error_set(err, PGC_NOMEM, "insert jobs: out of memory");
}

static river_state state_of(const insertion *in, const river_insert *job)
{
    if (in->available) {
        return RIVER_AVAILABLE;
    }
    if (job->pending) {
        return RIVER_PENDING;
    }
    return job->scheduled_at.has ? RIVER_SCHEDULED : RIVER_AVAILABLE;
}

static pgc_status check_one(insertion *in, river_insert *job)
{
    const river_client *client = in->client;
    const river_hooks *hooks = client->options.hooks;
    if (hooks != NULL && hooks->insert_begin != NULL) {
        TRY(hooks->insert_begin(job, hooks->arg, in->err));
    }
    TRY(check_insert(job, in->err));
    if (client->options.worker_count > 0 && !client->options.skip_unknown_kind_check &&
        client_worker(client, pgc_text_from(job->kind)) == NULL) {
        pgc_error_hint(in->err, "register a worker, or set skip_unknown_kind_check");
        return pgc_error_set(in->err, PGC_INVALID, "this client has no worker for '%s'", job->kind);
    }
    if (job->max_attempts == 0) {
        job->max_attempts = client->options.max_attempts;
    }
    return PGC_OK;
}

static pgc_status make_keys(insertion *in)
{
    in->key_room = 4;
    while (in->key_room <= 2 * in->count) {
        in->key_room *= 2;
    }
    in->keys = ARENA_ARRAY(in->memory, in->key_room, size_t);
    return in->keys == NULL ? no_memory(in->err) : PGC_OK;
}

/* Where a key is or belongs; keys are hashes already. */
static size_t *key_place(const insertion *in, const uint8_t *key)
{
    uint64_t hash = 0;
    memcpy(&hash, key, sizeof(hash));
    size_t at = (size_t) hash & (in->key_room - 1);
    while (in->keys[at] != 0 &&
           memcmp(in->rows[in->keys[at] - 1].unique_key, key, SHA256_SIZE) != 0) {
        at = (at + 1) & (in->key_room - 1);
    }
    return &in->keys[at];
}

static pgc_status add_row(insertion *in, size_t i)
{
    river_insert *job = &in->jobs[i];
    TRY(check_one(in, job));
    store_row row = { .job = job, .state = state_of(in, job) };
    if (unique_wanted(&job->unique)) {
        row.unique = true;
        row.unique_states =
            job->unique.by_state != 0 ? job->unique.by_state : UNIQUE_STATES_DEFAULT;
        TRY(unique_key(job, client_now(in->client), in->client->options.alloc, row.unique_key,
                       in->err));
    }
    in->places[i] = in->row_count;
    if (row.unique) {
        TRY(in->keys == NULL ? make_keys(in) : PGC_OK);
        size_t *place = key_place(in, row.unique_key);
        if (*place != 0) { /* an earlier job of this call */
            in->places[i] = *place - 1;
            return PGC_OK;
        }
        *place = in->row_count + 1;
    }
    assert(in->row_count < in->count);
    in->rows[in->row_count++] = row;
    return PGC_OK;
}

/* Queues that get available jobs are told, each once. */
static pgc_status add_payloads(insertion *in)
{
    slice *queues = ARENA_ARRAY(in->memory, in->count, slice);
    size_t count = 0;
    if (queues == NULL) {
        return no_memory(in->err);
    }
    for (size_t i = 0; i < in->row_count; i++) {
        const river_insert *job = in->rows[i].job;
        if (in->rows[i].state == RIVER_AVAILABLE) {
            queues[count++] = pgc_text_from(job->queue == NULL ? RIVER_QUEUE_DEFAULT : job->queue);
        }
    }
    in->payloads = ARENA_ARRAY(in->memory, count + 1, pgc_text);
    if (in->payloads == NULL) {
        return no_memory(in->err);
    }
    return notify_payloads(in->client, queues, count, in->memory, in->payloads, &in->payload_count,
                           in->err);
}

static pgc_status prepare(insertion *in, river_client *client, const river_insert *jobs,
                          size_t count, pgc_error *err)
{
    if (count == 0 || jobs == NULL) {
        return pgc_error_set(err, PGC_INVALID, "insert jobs: none given");
    }
    *in = (insertion) {
        .available = in->available,
        .client = client,
        .memory = arena_new(client->options.alloc, 0, 0),
        .count = count,
        .err = err,
    };
    if (in->memory == NULL) {
        return no_memory(err);
    }
    in->jobs = ARENA_ARRAY(in->memory, count, river_insert);
    in->rows = ARENA_ARRAY(in->memory, count, store_row);
    in->places = ARENA_ARRAY(in->memory, count, size_t);
    if (in->jobs == NULL || in->rows == NULL || in->places == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < count; i++) {
        TRY(options_take_at("job to insert", jobs, i, &in->jobs[i], sizeof in->jobs[i], err));
        TRY(pgc_error_wrap(err, add_row(in, i), "insert job %zu of %zu", i + 1, count));
    }
    return add_payloads(in);
}

static void insertion_done(insertion *in)
{
    arena_free(in->memory);
}

static pgc_status notify(const insertion *in, pgc_db *db)
{
    if (in->payload_count == 0) {
        return PGC_OK;
    }
    return store_notify(in->client->store, db, TOPIC_INSERT, in->payloads, in->payload_count,
                        in->err);
}

/* Each input's row; only needed when some share one. */
static pgc_status spread(const insertion *in, river_jobs *jobs)
{
    if (in->row_count == in->count) {
        return PGC_OK;
    }
    size_t *places = pgc_result_array(jobs->result, in->count, sizeof(*places));
    if (places == NULL) {
        return no_memory(in->err);
    }
    memcpy(places, in->places, in->count * sizeof(*places));
    jobs->places = places;
    jobs->place_count = in->count;
    return PGC_OK;
}

static pgc_status insert_on(const insertion *in, pgc_db *db, river_jobs **out)
{
    river_jobs *jobs = NULL;
    TRY(store_insert(in->client->store, db, in->rows, in->row_count, &jobs, in->err));
    pgc_status status = spread(in, jobs);
    if (status == PGC_OK) {
        status = notify(in, db);
    }
    if (status != PGC_OK || out == NULL) {
        river_jobs_free(TAKE(jobs));
    }
    if (status == PGC_OK && out != NULL) {
        *out = jobs;
    }
    return status;
}

typedef struct own_transaction {
    const insertion *in;
    river_jobs *jobs;
    bool wanted;
} own_transaction;

static pgc_status insert_in(pgc_tx *tx, void *arg, pgc_error *err)
{
    own_transaction *own = (own_transaction *) arg;
    (void) err;                       /* the insertion's, which is the same */
    river_jobs_free(TAKE(own->jobs)); /* of an attempt that was rolled back */
    return insert_on(own->in, pgc_tx_db(tx), own->wanted ? &own->jobs : NULL);
}

/* In a transaction of our own. */
static pgc_status insert_alone(const insertion *in, river_jobs **out)
{
    river_client *client = in->client;
    pgc_error *err = in->err;
    if (in->payload_count == 0) { /* one statement: no transaction around it */
        return insert_on(in, pgc_pool_db(client->pool), out);
    }
    own_transaction own = { .in = in, .wanted = out != NULL };
    pgc_status status = pgc_tx_run(client->pool, NULL, 0, insert_in, &own, err);
    if (status != PGC_OK) {
        river_jobs_free(own.jobs);
        return status;
    }
    if (out != NULL) {
        *out = own.jobs;
    }
    return PGC_OK;
}

pgc_status river_insert_many(river_client *client, pgc_db *db, const river_insert *jobs,
                             size_t count, river_jobs **out, pgc_error *err)
{
    AUTO(insertion_done) insertion in = { 0 };
    TRY(prepare(&in, client, jobs, count, err));
    return db != NULL ? insert_on(&in, db, out) : insert_alone(&in, out);
}

/* On the caller's transaction, or as the function of our own. */
static pgc_status copy_on(pgc_tx *tx, void *arg, pgc_error *err)
{
    const insertion *in = (const insertion *) arg;
    TRY(store_insert_copy(in->client->store, tx, in->rows, in->row_count, err));
    return notify(in, pgc_tx_db(tx));
}

pgc_status river_insert_copy(river_client *client, pgc_tx *tx, const river_insert *jobs,
                             size_t count, pgc_error *err)
{
    AUTO(insertion_done) insertion in = { 0 };
    TRY(prepare(&in, client, jobs, count, err));
    if (in.row_count != count) {
        return pgc_error_set(err, PGC_CONFLICT,
                             "copy %zu jobs: some have the same unique key; river_insert_many() "
                             "skips duplicates",
                             count);
    }
    return tx != NULL ? copy_on(tx, &in, err)
                      : pgc_tx_run(client->pool, NULL, 0, copy_on, &in, err);
}

pgc_status insert_available(river_client *client, pgc_db *db, const river_insert *job,
                            pgc_error *err)
{
    AUTO(insertion_done) insertion in = { .available = true };
    TRY(prepare(&in, client, job, 1, err));
    return db != NULL ? insert_on(&in, db, NULL) : insert_alone(&in, NULL);
}

pgc_status river_insert_one(river_client *client, pgc_db *db, const river_insert *job,
                            river_jobs **out, pgc_error *err)
{
    return river_insert_many(client, db, job, job == NULL ? 0 : 1, out, err);
}

/* May this queue be told now? Takes its slot when it may. */
static bool take_slot(river_client *client, slice queue, bool *failed)
{
    const clock_ops *clock = client->env->clock;
    int64_t now = clock->mono_us(clock->ctx);
    notify_slot *slot = client->slots;
    while (slot != NULL && !slice_eq_str(queue, slot->queue)) {
        slot = slot->next;
    }
    if (slot == NULL) {
        slot = mem_new(client->options.alloc, sizeof(*slot) + queue.len + 1);
        if (slot == NULL) {
            *failed = true;
            return false;
        }
        memcpy(slot->queue, queue.ptr, queue.len);
        slot->next = client->slots;
        slot->next_us = now;
        client->slots = slot;
    }
    if (now < slot->next_us) {
        return false;
    }
    slot->next_us = now + client->options.fetch_cooldown_us;
    return true;
}

/* {"queue": "NAME"}; a queue's name needs no escapes, but rows of others may have any. */
static pgc_text payload_of(const river_client *client, slice queue, arena *memory)
{
    AUTO(buf_auto) buf text;
    buf_init(&text, client->options.alloc, INT32_MAX);
    buf_add_str(&text, "{\"queue\": ");
    json_add_text(&text, queue);
    buf_add_char(&text, '}');
    const char *copy = text.failed ? NULL : arena_copy(memory, buf_view(&text));
    return (pgc_text) { copy, text.len };
}

pgc_status notify_payloads(river_client *client, const slice *queues, size_t count, arena *memory,
                           pgc_text *payloads, size_t *payload_count, pgc_error *err)
{
    bool failed = false;
    size_t used = 0;
    pthread_mutex_lock(&client->lock);
    for (size_t i = 0; i < count && !failed; i++) {
        if (!take_slot(client, queues[i], &failed)) {
            continue;
        }
        payloads[used] = payload_of(client, queues[i], memory);
        failed = payloads[used++].ptr == NULL;
    }
    pthread_mutex_unlock(&client->lock);
    *payload_count = used;
    return failed ? no_memory(err) : PGC_OK;
}
