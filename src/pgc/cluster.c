/* A private PostgreSQL server and its users. Two locks carry the protocol: whoever opens, closes or
 * stops holds control.lock exclusively; whoever uses the server holds a share of users.lock. The
 * kernel drops both with the process, so a killed user is no user. The server belongs to nobody in
 * particular: the last user stops it. One thread per handle. */
#include "base/prelude.h"

#include <fcntl.h>
#include <sys/file.h>

#include "base/crash.h"
#include "base/options.h"
#include "pgc/cluster_parts.h"

#define DEFAULT_TIMEOUT_US INT64_C(60000000)
#define DOING              "%s cluster in %.200s" /* a long path leaves room for the reason */

/* Every public call has one deadline for all its waiting: locks, initdb aside, start, stop. */
static void start_clock(pgc_cluster *c, int64_t timeout_us)
{
    int64_t wait_us = timeout_us > 0 ? timeout_us : DEFAULT_TIMEOUT_US;
    c->deadline_us = c->e.clock->mono_us(c->e.clock->ctx) + wait_us;
}

/* Becomes a user; *alone tells whether there was no other one. Needs control.lock. */
static pgc_status join_users(pgc_cluster *c, bool *alone, pgc_error *err)
{
    assert(c->users_fd < 0);
    const vfs *fs = c->e.fs;
    *alone = cluster_alone(c);
    if (c->users_fd < 0 || fs->flock(fs->ctx, c->users_fd, LOCK_SH) != 0) {
        return pgc_error_errno(err, errno, "lock %s/users.lock", c->home);
    }
    return PGC_OK;
}

/* A server whose socket was removed, with a temporary folder for example, can be reached by nobody:
 * it is started again unless others still have their connections. */
static pgc_status ensure_socket(pgc_cluster *c, bool alone, pgc_error *err)
{
    char path[256];
    (void) snprintf(path, sizeof path, "%s/.s.PGSQL." CLUSTER_PORT, c->socket);
    if (file_exists(&c->e, AT_FDCWD, path)) {
        return PGC_OK;
    }
    if (!alone) {
        return pgc_error_set(err, PGC_CONNECTION, "socket %s of the running server is gone", path);
    }
    TRY(cluster_shut_down(c, err));
    return cluster_start(c, err);
}

/* True for a failure that a server on its way down gives. */
static bool server_went_away(pgc_status status, const pgc_error *err)
{
    return status == PGC_CONNECTION &&
           (err->sqlstate[0] == '\0' || strncmp(err->sqlstate, "57P0", 4) == 0);
}

/* Up to a server that answers. One that was killed a moment ago may still look alive when it is
 * found, and be gone when it is asked: then another one is started. */
static pgc_status serve(pgc_cluster *c, const char *database, bool alone, bool changed,
                        pgc_error *err)
{
    for (;;) {
        pgc_error mine;
        TRY(cluster_start(c, err));
        TRY(ensure_socket(c, alone, err));
        pgc_status status = cluster_prepare_database(c, database, changed && !c->started, &mine);
        if (server_went_away(status, &mine) && cluster_pause(c)) {
            continue;
        }
        if (status != PGC_OK && err != NULL) {
            *err = mine;
        }
        return status;
    }
}

/* The order matters: logins and settings are on disk before the server reads them, and the share
 * of users.lock is held before the server could be stopped by somebody leaving. */
static pgc_status bring_up(pgc_cluster *c, const pgc_cluster_options *options, pgc_error *err)
{
    const char *database = options->database != NULL ? options->database : CLUSTER_SUPERUSER;
    int32_t data_major = 0;
    bool alone = false;
    bool changed = false;
    TRY(join_users(c, &alone, err));
    TRY(cluster_data_major(c, &data_major, err));
    TRY(cluster_find_programs(c, options->bin_dir, data_major, err));
    if (data_major == 0) {
        TRY(cluster_init_data(c, err));
        start_clock(c, options->start_timeout_us); /* making took time of its own */
    }
    TRY(cluster_write_logins(c, options->login_roles, &changed, err));
    TRY(serve(c, database, alone, changed, err));
    c->conninfo = arena_printf(
        c->arena, "postgresql:///%s?host=%s&port=" CLUSTER_PORT "&user=" CLUSTER_SUPERUSER,
        database, c->socket);
    if (c->conninfo == NULL) {
        return pgc_error_set(err, PGC_NOMEM, "open cluster");
    }
    return options->keep_running ? cluster_keep(c, err) : PGC_OK;
}

/* Stops what nobody needs any more; needs control.lock. */
static void leave(pgc_cluster *c)
{
    pgc_error err;
    if (!cluster_alone(c) || (!c->throw_away && cluster_kept(c))) {
        return;
    }
    if (cluster_shut_down(c, &err) != PGC_OK) {
        log_line(c->e.log, LOG_WARN, "cluster", "%s", err.message);
    } else if (c->throw_away) {
        cluster_remove(c);
    }
}

/* On failure whatever was started is stopped again unless others use it, so a failing caller can
 * simply try once more. */
pgc_status pgc_cluster_open(const pgc_cluster_options *given, pgc_cluster **out, pgc_error *err)
{
    pgc_cluster_options taken;
    const pgc_cluster_options *options = &taken;
    TRY(options_take("open cluster: options", given, &taken, sizeof taken, err));
    if (out == NULL || options->dir == NULL || options->dir[0] == '\0') {
        return pgc_error_set(err, PGC_INVALID, "open cluster: no dir, or no place for the result");
    }
    env e = *env_default();
    e.alloc = alloc_or_libc(options->alloc);
    pgc_cluster *c = NULL;
    pgc_status status = cluster_attach(&e, options->dir, true, &c, err);
    TRY(pgc_error_wrap(err, status, DOING, "open", options->dir));
    c->throw_away = options->throw_away;
    start_clock(c, options->start_timeout_us);
    status = cluster_lock(c, err);
    if (status == PGC_OK) {
        status = bring_up(c, options, err);
        CRASH_POINT("cluster.up");
        /* A server that recovers from a crash goes on after a timeout: stopped, it would begin
         * anew with every attempt. */
        if (status != PGC_OK && (status != PGC_TIMEOUT || c->throw_away)) {
            start_clock(c, 0);
            leave(c);
        }
        cluster_unlock(c);
    }
    if (status != PGC_OK) {
        cluster_detach(c);
        return pgc_error_wrap(err, status, DOING, "open", options->dir);
    }
    *out = c;
    return PGC_OK;
}

const char *pgc_cluster_conninfo(const pgc_cluster *cluster)
{
    assert(cluster->conninfo != NULL);
    return cluster->conninfo;
}

bool pgc_cluster_started(const pgc_cluster *cluster)
{
    return cluster->started;
}

/* When the lock cannot be had in time, the server stays: the next user will stop it. */
void pgc_cluster_close(pgc_cluster *cluster)
{
    if (cluster == NULL) {
        return;
    }
    start_clock(cluster, 0);
    if (cluster_lock(cluster, NULL) == PGC_OK) {
        leave(cluster);
    }
    cluster_detach(cluster);
}

/* Reads only; what it says may be outdated when the caller looks at it. */
static pgc_status inspect(const pgc_cluster *c, bool used, pgc_cluster_info *out, pgc_error *err)
{
    pgc_cluster_info info = { .exists = false };
    cluster_postmaster found;
    TRY(cluster_data_major(c, &info.major, err));
    TRY(cluster_find_postmaster(c, &found, err));
    info.exists = info.major != 0;
    info.running = found.pid != 0;
    info.pid = found.pid;
    info.users = used ? 1 : 0;
    *out = info;
    return PGC_OK;
}

/* Makes no file: a folder that never held a cluster stays as it is. */
pgc_status pgc_cluster_inspect(const char *dir, pgc_cluster_info *out, pgc_error *err)
{
    if (dir == NULL || out == NULL) {
        return pgc_error_set(err, PGC_INVALID, "inspect cluster: no folder");
    }
    pgc_cluster *c = NULL;
    pgc_error mine;
    pgc_status status = cluster_attach(env_default(), dir, false, &c, &mine);
    if (status == PGC_NOT_FOUND) {
        *out = (pgc_cluster_info) { .exists = false };
        return PGC_OK;
    }
    if (status != PGC_OK) {
        if (err != NULL) {
            *err = mine;
        }
        return pgc_error_wrap(err, status, DOING, "inspect", dir);
    }
    c->deadline_us = 0; /* somebody at work on it is an answer, not a reason to wait */
    bool used = file_exists(&c->e, c->home_fd, CLUSTER_CONTROL_LOCK) &&
                (cluster_lock(c, NULL) != PGC_OK || !cluster_alone(c));
    status = inspect(c, used, out, err);
    cluster_detach(c);
    return pgc_error_wrap(err, status, DOING, "inspect", dir);
}

/* With force the other users stay in users.lock; they open again when they need to. */
static pgc_status stop(pgc_cluster *c, bool force, pgc_error *err)
{
    if (!file_exists(&c->e, c->home_fd, CLUSTER_CONTROL_LOCK)) {
        return PGC_OK; /* never opened: there is no server */
    }
    TRY(cluster_lock(c, err));
    if (!cluster_alone(c) && !force) {
        return pgc_error_set(err, PGC_CONFLICT, "the cluster in %s is in use", c->dir);
    }
    return cluster_shut_down(c, err);
}

pgc_status pgc_cluster_stop(const char *dir, bool force, pgc_error *err)
{
    if (dir == NULL) {
        return pgc_error_set(err, PGC_INVALID, "stop cluster: no folder");
    }
    pgc_cluster *c = NULL;
    pgc_error mine;
    pgc_status status = cluster_attach(env_default(), dir, false, &c, &mine);
    if (status == PGC_NOT_FOUND) {
        return PGC_OK;
    }
    if (status == PGC_OK) {
        start_clock(c, 0);
        status = stop(c, force, &mine);
        cluster_detach(c);
    }
    if (status != PGC_OK && err != NULL) {
        *err = mine;
    }
    return pgc_error_wrap(err, status, DOING, "stop", dir);
}
