/* The import as a whole: one thread walks, several work, each with its own sandbox host. Counts and
 * callbacks are under one lock. */
#include "base/prelude.h"

#include "work/import.h"

#include <fcntl.h>
#include <lumilio/status.h>
#include <sys/file.h>

#include "base/crash.h"
#include "work/import_internal.h"
#include "work/walk.h"

#define JOBS_MAX 64

/* One run; shared by its threads. */
typedef struct import_state {
    const import_options *options;
    import_target target;
    pathqueue queue;
    pthread_mutex_t content_locks[CONTENT_LOCKS];
    pthread_mutex_t lock; /* guards what follows, and the caller's callback */
    import_progress progress;
    pgc_error fatal; /* the first reason to stop; status PGC_OK: none */
} import_state;

static bool stop_wanted(const import_state *state)
{
    return state->options->stop != NULL && *state->options->stop != 0;
}

static void event_report(import_state *state, const import_event *event)
{
    (void) pthread_mutex_lock(&state->lock);
    state->progress.done++;
    state->progress.outcomes[event->outcome]++;
    if (event->file_size > 0) {
        state->progress.bytes_done += (uint64_t) event->file_size;
    }
    if (state->options->on_event != NULL) {
        state->options->on_event(state->options->arg, event, &state->progress);
    }
    (void) pthread_mutex_unlock(&state->lock);
}

/* Remember the first fatal error and let everybody end. */
static void fatal_set(import_state *state, const pgc_error *err)
{
    (void) pthread_mutex_lock(&state->lock);
    if (state->fatal.status == PGC_OK) {
        state->fatal = *err;
    }
    (void) pthread_mutex_unlock(&state->lock);
    pathqueue_close(&state->queue);
}

/* Walk side. */

static void found_add(import_state *state)
{
    (void) pthread_mutex_lock(&state->lock);
    state->progress.found++;
    (void) pthread_mutex_unlock(&state->lock);
}

static pgc_status on_file(void *arg, const char *path, pgc_error *err)
{
    import_state *state = arg;
    bool no_memory = false;
    if (stop_wanted(state)) {
        return PGC_CANCELLED;
    }
    found_add(state);
    if (pathqueue_put(&state->queue, path, &no_memory)) {
        return PGC_OK;
    }
    return no_memory ? pgc_error_set(err, PGC_NOMEM, "queue %s", path) : PGC_CANCELLED;
}

static void on_other(import_state *state, import_outcome outcome, const char *path,
                     const char *reason)
{
    const import_event event = {
        .outcome = outcome, .path = path, .reason = reason, .file_size = -1
    };
    found_add(state);
    event_report(state, &event);
}

static void on_skipped(void *arg, const char *path, const char *reason)
{
    on_other(arg, IMPORT_SKIPPED, path, reason);
}

static void on_failed(void *arg, const char *path, const char *reason)
{
    on_other(arg, IMPORT_FAILED, path, reason);
}

static void walk_all(import_state *state)
{
    const walk_sink sink = {
        .arg = state, .file = on_file, .skipped = on_skipped, .failed = on_failed
    };
    const env *e = state->target.env;
    struct stat root;
    walk_exclude exclude = { 0, 0 };
    pgc_error err;
    pgc_error_clear(&err);
    if (e->fs->fstat(e->fs->ctx, state->target.root, &root) == 0) {
        exclude = (walk_exclude) { root.st_dev, root.st_ino };
    }
    pgc_status status = PGC_OK;
    for (const char *const *path = state->options->paths; status == PGC_OK && *path != NULL;
         path++) {
        status = walk_path(e, *path, exclude, &sink, &err);
    }
    if (status != PGC_OK && status != PGC_CANCELLED) {
        fatal_set(state, &err);
    }
    (void) pthread_mutex_lock(&state->lock);
    state->progress.walk_done = true;
    (void) pthread_mutex_unlock(&state->lock);
    pathqueue_end(&state->queue);
}

/* Worker side. */

static void file_work(import_state *state, media_host *host, const char *path)
{
    pgc_error err;
    pgc_error_clear(&err);
    import_event event = { .path = path, .reason = "" };
    pgc_status status = import_file(&state->target, host, state->content_locks, &event, &err);
    event_report(state, &event);
    if (status != PGC_OK) {
        fatal_set(state, &err);
    }
}

static void *worker_main(void *arg)
{
    import_state *state = arg;
    media_host *host = NULL;
    pgc_error err;
    pgc_error_clear(&err);
    if (media_host_open(state->target.env, state->options->helper_path, NULL, &host, &err) !=
        PGC_OK) {
        fatal_set(state, &err);
        return NULL;
    }
    for (;;) {
        char *path = stop_wanted(state) ? NULL : pathqueue_take(&state->queue);
        if (path == NULL) {
            break;
        }
        file_work(state, host, path);
        mem_free_str(state->target.env->alloc, path);
    }
    if (stop_wanted(state)) {
        pathqueue_close(&state->queue);
    }
    media_host_close(host);
    return NULL;
}

static uint32_t job_count(const import_options *options)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t jobs = options->jobs != 0 ? options->jobs : (uint32_t) (cores > 0 ? cores : 1);
    return jobs < JOBS_MAX ? jobs : JOBS_MAX;
}

static void threads_run(import_state *state)
{
    pthread_t threads[JOBS_MAX];
    uint32_t started = 0;
    pgc_error err;
    for (uint32_t jobs = job_count(state->options); started < jobs; started++) {
        if (pthread_create(&threads[started], NULL, worker_main, state) != 0) {
            break;
        }
    }
    if (started == 0) {
        (void) pgc_error_set(&err, PGC_NOMEM, "import: no thread can be started");
        fatal_set(state, &err);
    }
    walk_all(state);
    for (uint32_t i = 0; i < started; i++) {
        (void) pthread_join(threads[i], NULL);
    }
}

/* What an earlier crash left, when no other import is at work; then hold the lock shared. */
static pgc_status lock_and_recover(import_state *state, pgc_error *err)
{
    uint64_t resumed = 0;
    const vfs *fs = state->target.env->fs;
    if (fs->flock(fs->ctx, state->target.lock_fd, LOCK_EX | LOCK_NB) == 0) {
        TRY(import_recover_target(&state->target, state->options->helper_path, &resumed, err));
    }
    if (fs->flock(fs->ctx, state->target.lock_fd, LOCK_SH) != 0) {
        return pgc_error_errno(err, errno, "lock the repository");
    }
    return PGC_OK;
}

static void state_init(import_state *state, const import_options *options)
{
    state->options = options;
    pgc_error_clear(&state->fatal);
    (void) pthread_mutex_init(&state->lock, NULL);
    for (size_t i = 0; i < CONTENT_LOCKS; i++) {
        (void) pthread_mutex_init(&state->content_locks[i], NULL);
    }
    pathqueue_init(&state->queue, state->target.env->alloc);
}

static void state_done(import_state *state)
{
    pathqueue_done(&state->queue);
    for (size_t i = 0; i < CONTENT_LOCKS; i++) {
        (void) pthread_mutex_destroy(&state->content_locks[i]);
    }
    (void) pthread_mutex_destroy(&state->lock);
}

pgc_status import_run(lum_library *library, lum_session *session, const import_options *options,
                      import_progress *out, pgc_error *err)
{
    import_state *state = MEM_NEW(lum_library_env(library)->alloc, import_state);
    if (state == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "import");
    }
    pgc_status status = import_target_open(library, session, &state->target, err);
    if (status == PGC_OK) {
        state->target.strategy = options->strategy;
        state_init(state, options);
        status = lock_and_recover(state, err);
        if (status == PGC_OK) {
            threads_run(state);
            status = state->fatal.status;
            if (status != PGC_OK && err != NULL) {
                *err = state->fatal;
            }
            if (status == PGC_OK) {
                status = import_sweep(&state->target, err);
            }
        }
        *out = state->progress;
        import_target_close(&state->target);
        state_done(state);
    }
    mem_free(lum_library_env(library)->alloc, state, sizeof *state);
    return status;
}
