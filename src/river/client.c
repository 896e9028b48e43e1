/*
 * Opening and closing a client: its options are checked and copied once. Threads: a client may be
 * shared; what changes after opening is under its lock.
 */
#include "base/prelude.h"

#include "river/client_state.h"

#include "base/options.h"

#include "river/check.h"
#include "river/runtime.h"
#include "river/side.h"
#include "river/timetext.h"

#define SECOND_US INT64_C(1000000)
#define HOUR_US   (3600 * SECOND_US)

static void default_i64(int64_t *value, int64_t fallback)
{
    if (*value == 0) {
        *value = fallback;
    }
}

static void fill_defaults(river_client_options *options)
{
    if (options->max_attempts == 0) {
        options->max_attempts = RIVER_MAX_ATTEMPTS_DEFAULT;
    }
    /* River's rule: the horizon grows with a time-out that was asked for. */
    default_i64(&options->rescue_after_us,
                options->job_timeout_us > 0 ? options->job_timeout_us + HOUR_US : HOUR_US);
    default_i64(&options->job_timeout_us, 60 * SECOND_US);
    default_i64(&options->stuck_after_us, 10 * SECOND_US);
    default_i64(&options->fetch_cooldown_us, SECOND_US / 10);
    default_i64(&options->fetch_poll_us, SECOND_US);
    default_i64(&options->heartbeat_us, 5 * SECOND_US);
    default_i64(&options->flush_us, 10 * SECOND_US);
    default_i64(&options->reindex_timeout_us, 60 * SECOND_US);
    default_i64(&options->retain_completed_us, 24 * HOUR_US);
    default_i64(&options->retain_cancelled_us, 24 * HOUR_US);
    default_i64(&options->retain_discarded_us, 7 * 24 * HOUR_US);
    if (options->conn == NULL) {
        options->poll_only = true;
    }
}

static pgc_status check_times(const river_client_options *options, pgc_error *err)
{
    if (options->max_attempts < 0) {
        return pgc_error_set(err, PGC_INVALID, "max_attempts %d: 1 to 32767",
                             options->max_attempts);
    }
    if (options->fetch_cooldown_us < 1000 || options->fetch_poll_us < options->fetch_cooldown_us) {
        return pgc_error_set(err, PGC_INVALID,
                             "fetch_cooldown_us is at least 1000 and at most fetch_poll_us");
    }
    if (options->heartbeat_us < 1000) {
        return pgc_error_set(err, PGC_INVALID, "heartbeat_us is at least 1000");
    }
    if (options->job_timeout_us > 0 && options->rescue_after_us < options->job_timeout_us) {
        return pgc_error_set(err, PGC_INVALID, "rescue_after_us is below job_timeout_us");
    }
    return PGC_OK;
}

static pgc_status check_workers(const river_client_options *options, pgc_error *err)
{
    for (size_t i = 0; i < options->worker_count; i++) {
        const river_worker *worker = &options->workers[i];
        TRY(check_kind(worker->kind, err));
        if (worker->work == NULL) {
            return pgc_error_set(err, PGC_INVALID, "worker of '%s' has no function", worker->kind);
        }
        for (size_t j = 0; j < i; j++) {
            if (strcmp(options->workers[j].kind, worker->kind) == 0) {
                return pgc_error_set(err, PGC_INVALID, "two workers for '%s'", worker->kind);
            }
        }
    }
    return PGC_OK;
}

static const char *copy_text(arena *memory, const char *text, bool *failed)
{
    const char *copy = text == NULL ? NULL : arena_strdup(memory, text);
    *failed = *failed || (text != NULL && copy == NULL);
    return copy;
}

static bool copy_workers(arena *memory, river_client_options *options)
{
    bool failed = false;
    river_worker *workers = ARENA_ARRAY(memory, options->worker_count + 1, river_worker);
    if (workers == NULL) {
        return false;
    }
    for (size_t i = 0; i < options->worker_count; i++) {
        workers[i] = options->workers[i];
        workers[i].kind = copy_text(memory, workers[i].kind, &failed);
        const char **aliases = ARENA_ARRAY(memory, workers[i].alias_count + 1, const char *);
        failed = failed || aliases == NULL;
        for (size_t j = 0; !failed && j < workers[i].alias_count; j++) {
            aliases[j] = copy_text(memory, workers[i].aliases[j], &failed);
        }
        workers[i].aliases = aliases;
    }
    options->workers = workers;
    return !failed;
}

/* Connections are opened long after the caller's structs are gone. */
static bool copy_conn(arena *memory, river_client_options *options)
{
    bool failed = false;
    if (options->conn == NULL) {
        return true;
    }
    pgc_conn_options *conn = ARENA_NEW(memory, pgc_conn_options);
    if (conn == NULL) {
        return false;
    }
    *conn = *options->conn;
    conn->conninfo = copy_text(memory, conn->conninfo, &failed);
    conn->user = copy_text(memory, conn->user, &failed);
    conn->role = copy_text(memory, conn->role, &failed);
    conn->app_name = copy_text(memory, conn->app_name, &failed);
    pgc_setting *settings = ARENA_ARRAY(memory, conn->setting_count + 1, pgc_setting);
    failed = failed || settings == NULL;
    for (size_t i = 0; !failed && i < conn->setting_count; i++) {
        settings[i].name = copy_text(memory, conn->settings[i].name, &failed);
        settings[i].value = copy_text(memory, conn->settings[i].value, &failed);
    }
    conn->settings = settings;
    options->conn = conn;
    return !failed;
}

/* "host_2026_08_07T14_32_57_123456", as River's clients name themselves. */
static pgc_status make_id(river_client *client, const char *given, pgc_error *err)
{
    if (given != NULL) {
        TRY(check_client_id(given, err));
        snprintf(client->id, sizeof(client->id), "%s", given);
        return PGC_OK;
    }
    char host[61] = "";
    AUTO(buf_auto) buf when;
    buf_init(&when, client->options.alloc, 100);
    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0') {
        snprintf(host, sizeof(host), "unknown_host");
    }
    time_add_rfc3339(&when, client_now(client));
    TRY(buf_finish(&when, err));
    snprintf(client->id, sizeof(client->id), "%s_%.*s", host, (int) (when.len - 1), when.ptr);
    for (char *c = client->id; *c != '\0'; c++) {
        if (strchr(".:-", *c) != NULL) {
            *c = '_';
        }
    }
    return PGC_OK;
}

/* An array of a caller of any age as one of ours; *array is NULL for none. */
static pgc_status take_array(arena *memory, const char *what, const void **array, size_t count,
                             size_t size, pgc_error *err)
{
    size_t bytes = 0;
    char *out = size_mul(count + 1, size, &bytes) ? (char *) arena_alloc(memory, bytes) : NULL;
    if (out == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "job queue client: out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        TRY(options_take_at(what, *array, i, out + i * size, size, err));
    }
    *array = out;
    return PGC_OK;
}

/* One struct, NULL when there is none. */
static pgc_status take_struct(arena *memory, const char *what, const void **in, size_t size,
                              pgc_error *err)
{
    if (*in == NULL) {
        return PGC_OK;
    }
    return take_array(memory, what, in, 1, size, err);
}

/* From here on nobody looks at what the caller gave: all structs are of our size. */
static pgc_status take_options(arena *memory, const river_client_options *given,
                               river_client_options *out, pgc_error *err)
{
    TRY(options_take("options", given, out, sizeof *out, err));
    const void *queues = out->queues;
    const void *workers = out->workers;
    const void *periodics = out->periodics;
    const void *conn = out->conn;
    const void *hooks = out->hooks;
    TRY(take_array(memory, "queue", &queues, out->queue_count, sizeof out->queues[0], err));
    TRY(take_array(memory, "worker", &workers, out->worker_count, sizeof out->workers[0], err));
    TRY(take_array(memory, "periodic job", &periodics, out->periodic_count,
                   sizeof out->periodics[0], err));
    TRY(take_struct(memory, "conn", &conn, sizeof *out->conn, err));
    TRY(take_struct(memory, "hooks", &hooks, sizeof *out->hooks, err));
    out->queues = (const river_queue_options *) queues;
    out->workers = (const river_worker *) workers;
    out->periodics = (const river_periodic *) periodics;
    out->conn = (const pgc_conn_options *) conn;
    out->hooks = (const river_hooks *) hooks;
    return PGC_OK;
}

static pgc_status fill(river_client *client, const river_client_options *given, pgc_error *err)
{
    river_client_options taken;
    TRY(take_options(client->memory, given, &taken, err));
    const river_client_options *options = &taken;
    if (options->pool == NULL) {
        return pgc_error_set(err, PGC_INVALID, "no pool");
    }
    client->pool = options->pool;
    client->options = *options;
    fill_defaults(&client->options);
    TRY(check_times(&client->options, err));
    TRY(check_workers(options, err));
    if (!copy_workers(client->memory, &client->options) ||
        !copy_conn(client->memory, &client->options)) {
        return pgc_error_set(err, PGC_NOMEM, "job queue client: out of memory");
    }
    TRY(make_id(client, options->id, err));
    client->options.id = client->id;
    TRY(store_open(pgc_pool_db(client->pool), options->schema, &client->store, err));
    client->options.schema = store_schema(client->store);
    TRY(side_prepare(client, options, err));
    return runtime_make(client, options, err);
}

pgc_status client_open_on(const river_client_options *options, const env *seams, river_client **out,
                          pgc_error *err)
{
    river_client_options sized;
    TRY(options_take("job queue client", options, &sized, sizeof sized, err));
    AUTO(arena_auto) arena *memory = arena_new(sized.alloc, 0, 0);
    river_client *client = memory == NULL ? NULL : ARENA_NEW(memory, river_client);
    if (client == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "job queue client: out of memory");
    }
    client->env = seams;
    client->memory = memory;
    pthread_mutex_init(&client->lock, NULL);
    pgc_status status = fill(client, options, err);
    if (status != PGC_OK) {
        runtime_free(client);
        pthread_mutex_destroy(&client->lock);
        return pgc_error_wrap(err, status, "open a client of the job queue");
    }
    (void) TAKE(memory);
    *out = client;
    return PGC_OK;
}

pgc_status river_client_open(const river_client_options *options, river_client **out,
                             pgc_error *err)
{
    return client_open_on(options, env_default(), out, err);
}

void river_client_close(river_client *client)
{
    if (client == NULL) {
        return;
    }
    runtime_free(client);
    while (client->slots != NULL) {
        notify_slot *slot = client->slots;
        client->slots = slot->next;
        mem_free(client->options.alloc, slot, sizeof(*slot) + strlen(slot->queue) + 1);
    }
    pthread_mutex_destroy(&client->lock);
    arena_free(client->memory);
}

const char *river_client_id(const river_client *client)
{
    return client->id;
}

pgc_db *client_db(const river_client *client, pgc_db *db)
{
    return db != NULL ? db : pgc_pool_db(client->pool);
}

pgc_timestamptz client_now(const river_client *client)
{
    const clock_ops *clock = client->env->clock;
    return time_of_unix(clock->unix_us(clock->ctx));
}

const river_worker *client_worker(const river_client *client, slice kind)
{
    for (size_t i = 0; i < client->options.worker_count; i++) {
        const river_worker *worker = &client->options.workers[i];
        if (slice_eq_str(kind, worker->kind)) {
            return worker;
        }
        for (size_t j = 0; j < worker->alias_count; j++) {
            if (slice_eq_str(kind, worker->aliases[j])) {
                return worker;
            }
        }
    }
    return NULL;
}
