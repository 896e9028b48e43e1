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

#define JOBS_MAX CONTENTSET_SIZE
#define FULL_MAX 8 /* files that may fail for want of room before the import ends */

/* One run; shared by its threads. */
typedef struct import_state {
    const import_options *options;
    const char *home; /* of the library */
    import_target target;
    pathqueue queue;
    contentset contents;
    pthread_mutex_t lock; /* guards what follows, and the caller's callback */
    import_progress progress;
    unsigned full_count; /* files in a row that found the disk full */
    pgc_error fatal;     /* the first reason to stop; status PGC_OK: none */
} import_state;

/* Set by a signal handler, hence a plain flag that is looked at between two files. */
static bool stop_wanted(const import_state *state)
{
    const volatile int *stop = state->options->stop;
    return stop != NULL && __atomic_load_n(stop, __ATOMIC_RELAXED) != 0;
}

/* The callback runs under the lock: it sees counts that belong together, and events one at a
 * time. */
static void event_report(import_state *state, const import_event *event)
{
    assert(event->outcome < IMPORT_OUTCOME_COUNT);
    assert(event->reason != NULL);
    (void) pthread_mutex_lock(&state->lock);
    state->progress.done++;
    assert(state->progress.done <= state->progress.found);
    state->progress.outcomes[event->outcome]++;
    state->progress.to_embed += event->to_embed ? 1 : 0;
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
    assert(err->status != PGC_OK);
    (void) pthread_mutex_lock(&state->lock);
    if (state->fatal.status == PGC_OK) {
        state->fatal = *err;
    }
    (void) pthread_mutex_unlock(&state->lock);
    pathqueue_close(&state->queue);
}

/* The library's disk, or the database's, takes no more. */
static bool disk_is_full(const pgc_error *err)
{
    bool ours = err->status == PGC_IO &&
                (err->os_errno == ENOSPC || err->os_errno == EDQUOT || err->os_errno == EROFS);
    return ours || strcmp(err->sqlstate, "53100") == 0;
}

/* A smaller file may still find room, so it takes several failures in a row to give up. */
static void full_count(import_state *state, import_outcome outcome, const pgc_error *err)
{
    bool full = outcome == IMPORT_FAILED && disk_is_full(err);
    (void) pthread_mutex_lock(&state->lock);
    if (full) {
        state->full_count++;
    } else if (outcome == IMPORT_CREATED) {
        state->full_count = 0;
    }
    bool give_up = full && state->full_count == FULL_MAX;
    (void) pthread_mutex_unlock(&state->lock);
    if (give_up) {
        pgc_error fatal = *err;
        (void) pgc_error_wrap(&fatal, fatal.status, "%d files in a row found no room", FULL_MAX);
        pgc_error_hint(&fatal, "make room and run the same command again: it goes on from there");
        fatal_set(state, &fatal);
    }
}

/* Walk side. */

/* One more file to be done; the bar needs the number at once. */
static void found_add(import_state *state)
{
    (void) pthread_mutex_lock(&state->lock);
    state->progress.found++;
    (void) pthread_mutex_unlock(&state->lock);
}

/* The queue is bounded: a walk through a huge tree waits here for the workers. */
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

/* What the walk has dealt with itself never passes the queue. */
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

/* What must not be imported: the library's folder with its database and everybody's originals, or
 * the repository when it lies elsewhere. */
static walk_exclude own_folder(const import_state *state)
{
    const env *e = state->target.env;
    struct stat info;
    size_t length = strlen(state->home);
    bool inside = strncmp(state->target.root_path, state->home, length) == 0 &&
                  state->target.root_path[length] == '/';
    int result = inside ? e->fs->fstatat(e->fs->ctx, AT_FDCWD, state->home, &info, 0)
                        : e->fs->fstat(e->fs->ctx, state->target.root, &info);
    return result == 0 ? (walk_exclude) { info.st_dev, info.st_ino } : (walk_exclude) { 0, 0 };
}

/* The walk's end is told even when it failed: the workers wait for it. */
static void walk_all(import_state *state)
{
    const walk_sink sink = {
        .arg = state, .file = on_file, .skipped = on_skipped, .failed = on_failed
    };
    const env *e = state->target.env;
    const walk_exclude exclude = own_folder(state);
    pgc_error err;
    pgc_error_clear(&err);
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

/* One file, told to the caller whatever became of it, and the consequences for the rest. */
static void file_work(import_state *state, media_host *host, const char *path)
{
    pgc_error err;
    pgc_error_clear(&err);
    import_event event = { .path = path, .reason = "" };
    pgc_status status = import_file(&state->target, host, &state->contents, &event, &err);
    event_report(state, &event);
    full_count(state, event.outcome, &err);
    if (status == PGC_CONNECTION || status == PGC_IN_DOUBT || status == PGC_CLOSED) {
        (void) pgc_error_wrap(&err, status, "the database went away");
        pgc_error_hint(&err, "when it is back, run the same command again: it goes on from there");
    }
    if (status != PGC_OK) {
        fatal_set(state, &err);
    }
}

/* Each worker that parses has a helper process of its own: one bad file ends one helper, and nobody
 * waits for another's. */
static void *worker_main(void *arg)
{
    import_state *state = arg;
    media_host *host = NULL;
    pgc_error err;
    pgc_error_clear(&err);
    if (!state->options->later && media_host_open(state->target.env, state->options->helper_path,
                                                  NULL, &host, &err) != PGC_OK) {
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

/* Decoding pictures is what takes time, and it takes one core per worker. */
static uint32_t job_count(const import_options *options)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t jobs = options->jobs != 0 ? options->jobs : (uint32_t) (cores > 0 ? cores : 1);
    return jobs < JOBS_MAX ? jobs : JOBS_MAX;
}

/* Fewer threads than asked for are enough. This thread walks, so that no thread is without work. */
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

/* The way to insert jobs, when there will be some. */
static pgc_status queue_open(import_state *state, pgc_error *err)
{
    state->target.later = state->options->later;
    return state->options->later || state->target.embed_model[0] != '\0'
               ? jobs_queue_open(state->target.pool, state->target.env, &state->target.queue, err)
               : PGC_OK;
}

/* What an earlier crash left, when no other import is at work; then hold the lock shared. */
static pgc_status lock_and_recover(import_state *state, pgc_error *err)
{
    if (import_lock(&state->target, LOCK_EX | LOCK_NB) == 0) {
        import_recovery done;
        TRY(import_recover_target(&state->target, state->options->helper_path, &done, err));
        state->progress.resumed = done.resumed;
    }
    if (import_lock(&state->target, LOCK_SH) != 0) {
        return pgc_error_errno(err, errno, "lock the repository");
    }
    return PGC_OK;
}

/* Remove what this run queued for deletion, unless another import is at work: then its end, or the
 * next beginning, does it. */
static pgc_status unlock_and_sweep(const import_state *state, pgc_error *err)
{
    return import_lock(&state->target, LOCK_EX | LOCK_NB) == 0 ? import_sweep(&state->target, err)
                                                               : PGC_OK;
}

/* What threads share; the target was opened before, so nothing in here can fail. */
static void state_init(import_state *state, const import_options *options)
{
    state->options = options;
    pgc_error_clear(&state->fatal);
    (void) pthread_mutex_init(&state->lock, NULL);
    contentset_init(&state->contents);
    pathqueue_init(&state->queue, state->target.env->alloc);
}

static void state_done(import_state *state)
{
    pathqueue_done(&state->queue);
    contentset_done(&state->contents);
    (void) pthread_mutex_destroy(&state->lock);
}

pgc_status import_run(lum_library *library, lum_session *session, const import_options *options,
                      import_progress *out, pgc_error *err)
{
    assert(options->paths != NULL);
    assert(options->helper_path != NULL);
    import_state *state = MEM_NEW(lum_library_env(library)->alloc, import_state);
    if (state == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "import");
    }
    pgc_status status = import_target_open(library, session, &state->target, err);
    if (status == PGC_OK) {
        state->home = lum_library_home(library);
        state->target.strategy = options->strategy;
        state->target.database_wait_us = options->database_wait_us;
        state_init(state, options);
        status = queue_open(state, err);
        if (status == PGC_OK) {
            status = lock_and_recover(state, err);
        }
        if (status == PGC_OK) {
            threads_run(state);
            status = state->fatal.status;
            if (status != PGC_OK && err != NULL) {
                *err = state->fatal;
            }
            if (status == PGC_OK) {
                status = unlock_and_sweep(state, err);
            }
        }
        *out = state->progress;
        river_client_close(state->target.queue);
        import_target_close(&state->target);
        state_done(state);
    }
    mem_free(lum_library_env(library)->alloc, state, sizeof *state);
    return status;
}
