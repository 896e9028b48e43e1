/* Purging the trash by a job that comes once a day: of every user, what was deleted long enough
 * ago. Rows first, in batches that commit by themselves; then the files that nothing stands for any
 * more. An attempt that dies anywhere leaves nothing half done that the next one does not finish.
 * Runs on a thread of the queue. */
#include "base/prelude.h"

#include "work/jobs_internal.h"

#include <sys/file.h>

#include "base/crash.h"
#include "repo/auth.h"
#include "service/repository.h"
#include "service/trash.h"

#define USERS_PAGE 1000
#define AUTH_ROLE  "lumilio_auth"           /* the one that may know who there is */
#define AGAIN_US   (300 * INT64_C(1000000)) /* an import or a job kept files from being removed */

/* One run over all users. */
typedef struct purge_run {
    jobs_shared *shared;
    const river_ctx *ctx;
    lum_purged sum;
    bool busy; /* files stay for now */
} purge_run;

/* Files of one repository; PGC_OK also when it cannot be had now. */
static pgc_status repository_sweep(purge_run *run, lum_session *session, const repo_repository *row,
                                   pgc_error *err)
{
    import_target target;
    pgc_error why;
    pgc_error_clear(&why);
    if (import_target_open_row(run->shared->env, session, row, &target, &why) != PGC_OK) {
        /* A disk that is not there: the rows of its files wait for it. */
        log_line(run->shared->env->log, LOG_WARN, "purge", "%" SLICE_FMT ": %s",
                 SLICE_ARG(row->path), why.message);
        return PGC_OK;
    }
    pgc_status status = PGC_OK;
    if (import_lock(&target, LOCK_EX | LOCK_NB) == 0) {
        status = import_sweep(&target, err);
    } else {
        run->busy = true;
    }
    import_target_close(&target);
    return status;
}

static pgc_status user_sweep(purge_run *run, lum_session *session, pgc_error *err)
{
    repo_repository_set set = PGC_ZERO;
    TRY(lum_repository_list(lum_session_actor(session), &set, err));
    pgc_status status = PGC_OK;
    for (size_t i = 0; i < set.count && status == PGC_OK; i++) {
        status = repository_sweep(run, session, &set.rows[i], err);
    }
    repo_repository_set_free(&set);
    return status;
}

/* As that user, whom row-level security binds like a person. */
static pgc_status user_purge(purge_run *run, int32_t user_id, pgc_error *err)
{
    const lum_purge purge = { .age_us = run->shared->trash_keep_us };
    lum_purged gone = { 0 };
    lum_session *session = NULL;
    TRY(lum_session_open(run->shared->pool, user_id, &session, err));
    pgc_status status = lum_trash_purge(lum_session_actor(session), &purge, &gone, err);
    run->sum.assets += gone.assets;
    run->sum.files += gone.files;
    run->sum.bytes += gone.bytes;
    if (status == PGC_OK) {
        CRASH_POINT("purge.rows_gone");
        status = user_sweep(run, session, err);
    }
    lum_session_close(session);
    return status;
}

/* All users, page by page. Who comes meanwhile has no old trash. */
static pgc_status users_purge(purge_run *run, pgc_db *auth, pgc_error *err)
{
    char after[256] = "";
    size_t count = USERS_PAGE;
    pgc_status status = PGC_OK;
    while (count == USERS_PAGE && status == PGC_OK) {
        repo_auth_list_users_row_set set = PGC_ZERO;
        const repo_auth_list_users_params params = { .after = pgc_text_from(after),
                                                     .row_limit = USERS_PAGE };
        status = repo_auth_list_users(auth, &params, &set, err);
        count = status == PGC_OK ? set.count : 0;
        for (size_t i = 0; i < count && status == PGC_OK; i++) {
            (void) snprintf(after, sizeof after, "%" SLICE_FMT, SLICE_ARG(set.rows[i].username));
            status = river_ctx_cancelled(run->ctx)
                         ? pgc_error_set(err, PGC_CANCELLED, "told to stop")
                         : user_purge(run, set.rows[i].user_id, err);
        }
        repo_auth_list_users_row_set_free(&set);
    }
    return status;
}

pgc_status jobs_purge_work(river_ctx *ctx, const river_job *job, void *arg, pgc_error *err)
{
    jobs_shared *shared = arg;
    purge_run run = { .shared = shared, .ctx = ctx };
    pgc_conn *conn = NULL;
    (void) job;
    if (shared->trash_keep_us <= 0) {
        river_ctx_cancel(ctx, "the trash is never purged here");
        return PGC_OK;
    }
    pgc_conn_options options = lum_library_conn(shared->library);
    *(options.user != NULL ? &options.user : &options.role) = AUTH_ROLE;
    TRY(pgc_error_wrap(err, pgc_conn_open(&options, &conn, err), "purge the trash"));
    pgc_status status = users_purge(&run, pgc_conn_db(conn), err);
    pgc_conn_close(conn);
    log_line(shared->env->log, LOG_INFO, "purge",
             "%" PRId64 " assets of the trash are gone for good, %" PRId64 " files to remove",
             run.sum.assets, run.sum.files);
    if (status == PGC_OK && run.busy) {
        river_ctx_snooze(ctx, AGAIN_US);
    }
    return pgc_error_wrap(err, status, "purge the trash");
}
